//! Syslog headers: RFC 5424, RFC 3164, and what devices really send.
//!
//! ```text
//! <34>1 2003-10-11T22:14:15.003Z host su - ID47 [id param="v"] text      RFC 5424: version, then six fields, `-` for none
//! <34>Oct 11 22:14:15 host su[231]: text                                 RFC 3164: month, day, time
//! Oct 11 2023 22:14:15 host su: text                                     with a year; without `<pri>`
//! 2023-10-11T22:14:15.123456+02:00 host su[231]: text                    rsyslog's high precision
//! <166>Oct 11 2023 22:14:15: %ASA-6-302013: text                         Cisco: no host, a mnemonic as the tag
//! <189>29: rtr1: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: text         Cisco IOS: number, host, unset clock
//! <134>1 1563249630.774247467 ap1 flows src=10.0.0.1                     Meraki: epoch seconds
//! <14>date=2023-10-11 time=22:14:15 devname="fw"                         Fortinet: `<pri>` and nothing else
//! 83 <34>1 2003-10-11T22:14:15.003Z …                                    octet counting (RFC 6587)
//! ```
//!
//! `pri` is facility × 8 + severity, at most 191. A line without `<pri>` is syslog if it begins with a time of RFC 3164, or with an ISO
//! time, a host and a tag. A tag is the program's name, with its number in brackets, up to a colon. Without one the text begins
//! behind the host.

use watchfloor_model::{Document, Span, Value};

/// A syslog header and what it stands before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// Facility × 8 + severity.
    pub pri: Option<u8>,
    /// The time as it stands there.
    pub timestamp: Option<&'a str>,
    /// The sender.
    pub hostname: Option<&'a str>,
    /// The program.
    pub app: Option<&'a str>,
    /// Its number.
    pub procid: Option<&'a str>,
    /// The kind of message.
    pub msgid: Option<&'a str>,
    /// Structured data, as it stands there.
    pub data: &'a str,
    /// The text.
    pub body: &'a str,
}

/// The header of a line, if it is a syslog line.
#[must_use]
pub fn header(raw: &str) -> Option<Header<'_>> {
    let line = raw.trim_start_matches(['\u{feff}', ' ', '\0']);
    match line.as_bytes().first()? {
        b'<' | b'0'..=b'9' | b'A'..=b'Z' | b'*' | b'.' => {}
        _ => return None,
    }
    let line = octet_count(line).unwrap_or(line);
    let (pri, rest) = match priority(line) {
        Some((pri, rest)) => (Some(pri), rest),
        None if line.starts_with('<') => return None,
        None => (None, line),
    };
    if let Some(found) = structured(rest) {
        return Some(Header { pri, ..found });
    }
    let found = classic(rest, pri.is_some())?;
    Some(Header { pri, ..found })
}

/// Fills the document from a header and its text.
pub(crate) fn decode(header: &Header<'_>, doc: &mut Document) -> bool {
    let Some(root) = doc.open_object("") else { return false };
    doc.push_text("message", header.body);
    doc.close(root);
    true
}

/// Pushes the object `syslog`.
pub(crate) fn push(header: &Header<'_>, doc: &mut Document) {
    let Some(id) = doc.open_object("syslog") else { return };
    if let Some(pri) = header.pri {
        doc.push_int("facility", (pri >> 3).into());
        doc.push_int("severity", (pri & 7).into());
    }
    let fields = [
        ("timestamp", header.timestamp),
        ("hostname", header.hostname),
        ("app", header.app),
        ("procid", header.procid),
        ("msgid", header.msgid),
    ];
    for (key, value) in fields {
        if let Some(value) = value {
            doc.push_text(key, value);
        }
    }
    if !header.data.is_empty() {
        push_structured_data(header.data, doc);
    }
    doc.close(id);
}

/// `@cee:` before JSON.
pub(crate) fn skip_cookie(body: &str) -> &str {
    body.strip_prefix("@cee:").unwrap_or(body)
}

/// `83 <34>…`: the line behind its length.
fn octet_count(line: &str) -> Option<&str> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 8 {
        return None;
    }
    let rest = line.get(digits..)?.strip_prefix(' ')?;
    rest.starts_with('<').then_some(rest)
}

fn priority(line: &str) -> Option<(u8, &str)> {
    let (digits, rest) = line.strip_prefix('<')?.split_at_checked(line.find('>')?.checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let pri: u8 = digits.parse().ok().filter(|pri| *pri <= 191)?;
    Some((pri, rest.get(1..)?))
}

/// Up to the next blank, and what is behind it.
fn word(text: &str) -> (&str, &str) {
    match memchr::memchr(b' ', text.as_bytes()) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
        None => (text, ""),
    }
}

fn given(word: &str) -> Option<&str> {
    (word != "-" && !word.is_empty()).then_some(word)
}

/// RFC 5424, and Meraki's cousin of it.
fn structured(rest: &str) -> Option<Header<'_>> {
    let (version, rest) = word(rest);
    if version.is_empty() || version.len() > 2 || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (timestamp, rest) = word(rest);
    if is_epoch(timestamp) {
        let (hostname, body) = word(rest);
        return Some(Header { timestamp: Some(timestamp), hostname: given(hostname), body, ..Header::default() });
    }
    if timestamp != "-" && !(timestamp.len() >= 19 && iso_len(timestamp) == Some(timestamp.len())) {
        return None;
    }
    let (hostname, rest) = word(rest);
    let (app, rest) = word(rest);
    let (procid, rest) = word(rest);
    let (msgid, rest) = word(rest);
    if msgid.is_empty() {
        return None;
    }
    let (data, body) = match structured_data_len(rest) {
        Some(len) => rest.split_at_checked(len)?,
        None => ("", rest.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' ')).unwrap_or(rest)),
    };
    let body = body.strip_prefix(' ').unwrap_or(body);
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    Some(Header {
        pri: None,
        timestamp: given(timestamp),
        hostname: given(hostname),
        app: given(app),
        procid: given(procid),
        msgid: given(msgid),
        data,
        body,
    })
}

fn is_epoch(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    digits == 10 && word.get(digits..).is_some_and(|rest| rest.starts_with('.') && rest.len() <= 10)
}

/// Length of `[id a="b"][id c="d"]` at the start of a text.
fn structured_data_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while bytes.get(at) == Some(&b'[') {
        let mut quoted = false;
        loop {
            at += 1;
            match bytes.get(at)? {
                b'\\' if quoted => at += 1,
                b'"' => quoted = !quoted,
                b']' if !quoted => break,
                _ => {}
            }
        }
        at += 1;
    }
    (at > 0 && bytes.get(at).is_none_or(|byte| *byte == b' ')).then_some(at)
}

fn push_structured_data(data: &str, doc: &mut Document) {
    let Some(all) = doc.open_object("sd") else { return };
    let mut rest = data;
    while let Some(element) = rest.strip_prefix('[') {
        let id_len = element.find([' ', ']']).unwrap_or(element.len());
        let (id, mut params) = element.split_at_checked(id_len).unwrap_or_default();
        let Some(object) = doc.open_object(id) else { break };
        while let Some(param) = params.strip_prefix(' ') {
            let Some((name, value)) = param.trim_start().split_once("=\"") else { break };
            let end = quoted_len(value);
            let (value, behind) = value.split_at_checked(end).unwrap_or_default();
            let key = doc.keep(name);
            let value = unescaped(value, doc);
            doc.push(key, Value::Text(value));
            params = behind.strip_prefix('"').unwrap_or_default();
        }
        doc.close(object);
        rest = params.find(']').and_then(|end| params.get(end + 1..)).unwrap_or_default();
    }
    doc.close(all);
}

/// Bytes before the closing quote.
fn quoted_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
    text.len()
}

/// `\"`, `\\` and `\]` without their backslash; any other backslash stays (RFC 5424, 6.3.3).
fn unescaped(value: &str, doc: &mut Document) -> Span {
    if memchr::memchr(b'\\', value.as_bytes()).is_none() {
        return doc.keep(value);
    }
    doc.compose(|out| {
        let mut characters = value.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek().copied().filter(|next| matches!(next, '"' | '\\' | ']'));
            match next {
                Some(next) if character == '\\' => {
                    out.push(next);
                    characters.next();
                }
                _ => out.push(character),
            }
        }
    })
}

/// RFC 3164 and everything that looks like it.
fn classic(rest: &str, has_pri: bool) -> Option<Header<'_>> {
    let rest = rest.trim_start_matches(' ');
    if let Some(len) = clock_len(rest) {
        let (timestamp, rest) = rest.split_at_checked(len)?;
        return Some(behind_time(timestamp, rest));
    }
    if let Some(len) = iso_len(rest) {
        let (timestamp, behind) = rest.split_at_checked(len)?;
        let found = behind_time(timestamp, behind);
        let sure = has_pri || (found.app.is_some() && found.hostname.is_some_and(|name| !is_level(name)));
        return (sure && behind.starts_with([' ', ':'])).then_some(found);
    }
    if let Some(found) = cisco(rest) {
        return Some(found);
    }
    has_pri.then(|| timeless(rest))
}

/// Cisco IOS: `29: rtr1: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: text`.
fn cisco(rest: &str) -> Option<Header<'_>> {
    let mut hostname = None;
    let mut rest = rest;
    for _ in 0..3 {
        let clock = rest.trim_start_matches(['*', '.', ' ', ':']);
        if let Some(len) = clock_len(clock).or_else(|| iso_len(clock)) {
            let (timestamp, behind) = clock.split_at_checked(len)?;
            let found = behind_time(timestamp, behind);
            // Without `<pri>` only the mnemonic makes this syslog.
            let sure = found.app.is_some_and(|app| app.starts_with('%'));
            return sure.then(|| Header { hostname: hostname.or(found.hostname), ..found });
        }
        let (first, behind) = word(rest);
        let first = first.strip_suffix(':')?;
        if !first.bytes().all(|byte| byte.is_ascii_digit()) {
            hostname = Some(first).filter(|name| is_hostname(name));
        }
        rest = behind;
    }
    None
}

/// What follows a time: a host (unless it is left out), a tag (unless it is left out), the text.
fn behind_time<'a>(timestamp: &'a str, rest: &'a str) -> Header<'a> {
    let rest = rest.trim_start_matches([':', ' ']);
    let timestamp = Some(timestamp);
    if let Some((app, procid, body)) = tag(rest) {
        return Header { timestamp, app: Some(app), procid, body, ..Header::default() };
    }
    let (host, behind) = word(rest);
    if !is_hostname(host) {
        return Header { timestamp, body: rest, ..Header::default() };
    }
    let hostname = Some(host);
    let behind = behind.trim_start_matches(' ');
    let behind = behind.strip_prefix(": ").unwrap_or(behind);
    match tag(behind) {
        Some((app, procid, body)) => Header { timestamp, hostname, app: Some(app), procid, body, ..Header::default() },
        None => Header { timestamp, hostname, body: behind, ..Header::default() },
    }
}

/// Only `<pri>`: perhaps a tag, perhaps a host and a tag, perhaps text.
fn timeless(rest: &str) -> Header<'_> {
    if let Some((app, procid, body)) = tag(rest) {
        return Header { app: Some(app), procid, body, ..Header::default() };
    }
    let (host, behind) = word(rest);
    match tag(behind) {
        Some((app, procid, body)) if is_hostname(host) => {
            Header { hostname: Some(host), app: Some(app), procid, body, ..Header::default() }
        }
        _ => Header { body: rest, ..Header::default() },
    }
}

/// `name[123]: `, `name: `, `%ASA-6-302013: `; the name, the number, the text behind it.
fn tag(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let end =
        text.bytes().take(64).position(|byte| matches!(byte, b':' | b'[' | b' ' | b'=' | b'"' | b'{' | b'|' | b','))?;
    let (name, rest) = text.split_at_checked(end)?;
    if name.is_empty() || matches!(name, "CEF" | "LEEF" | "http" | "https") {
        return None;
    }
    let bytes = rest.as_bytes();
    match bytes.first()? {
        b':' if name.bytes().all(|byte| byte.is_ascii_digit()) => None,
        // A colon that ends the word, or `kernel:[12.3]`.
        b':' if matches!(bytes.get(1), None | Some(b' ' | b'[' | b'\t')) => {
            Some((name, None, rest.get(1..)?.trim_start_matches([' ', '\t'])))
        }
        b'[' => {
            let close = rest.find(']').filter(|close| *close <= 64)?;
            let procid = rest.get(1..close).filter(|procid| !procid.is_empty());
            let behind = rest.get(close + 1..)?;
            let body = match behind.strip_prefix(':') {
                Some(body) => body,
                None if behind.is_empty() || behind.starts_with(" (") => behind,
                None => return None,
            };
            Some((name, procid, body.trim_start_matches(' ')))
        }
        _ => None,
    }
}

fn is_hostname(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 255
        && word.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'-' | b'_' | b':' | b'/' | b'@' | b'%')
                || byte >= 128
        })
        && word.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && !word.starts_with('%')
        && !word.starts_with("CEF:")
        && !word.starts_with("LEEF:")
}

/// Log levels stand where a host would, in the logs of programs that write ISO times.
fn is_level(word: &str) -> bool {
    const LEVELS: [&str; 14] = [
        "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "ERR", "CRIT", "CRITICAL", "FATAL", "SEVERE",
        "ALERT", "EMERG",
    ];
    LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
}

/// Length of `Oct 11 22:14:15`, `Oct  1 2023 22:14:15.123 UTC`, `2023 Oct 11 22:14:15`.
fn clock_len(text: &str) -> Option<usize> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let bytes = text.as_bytes();
    let mut at = 0;
    if is_year(bytes, 0) && bytes.get(4) == Some(&b' ') {
        at = 5;
    }
    let month = text.get(at..at + 3)?;
    if !MONTHS.contains(&month) {
        return None;
    }
    at = blanks(bytes, at + 3)?;
    at = digits(bytes, at, 1, 2)?;
    at = blanks(bytes, at)?;
    if is_year(bytes, at) && bytes.get(at + 4) == Some(&b' ') {
        at += 5;
    }
    at = time_len(bytes, at)?;
    if bytes.get(at) == Some(&b' ') && is_year(bytes, at + 1) && matches!(bytes.get(at + 5), Some(b' ' | b':')) {
        at += 5;
    }
    let zone =
        text.get(at..)?.strip_prefix(' ').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_uppercase).count());
    if (2..=5).contains(&zone) && bytes.get(at + 1 + zone) == Some(&b':') {
        at += 1 + zone;
    }
    Some(at)
}

/// Length of `2023-10-11T22:14:15.123456+02:00`, also with a blank for `T`, a comma, no zone.
pub(crate) fn iso_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    if !(is_year(bytes, 0) && is(4, b'-') && is(7, b'-')) {
        return None;
    }
    digits(bytes, 5, 2, 2)?;
    digits(bytes, 8, 2, 2)?;
    if !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let at = time_len(bytes, 11)?;
    match bytes.get(at) {
        Some(b'Z' | b'z') => Some(at + 1),
        Some(b'+' | b'-') => {
            let hours = digits(bytes, at + 1, 2, 4)?;
            if hours == at + 3 && is(hours, b':') { digits(bytes, hours + 1, 2, 2) } else { Some(hours) }
        }
        _ => Some(at),
    }
}

/// Behind `22:14:15` and an optional fraction.
fn time_len(bytes: &[u8], at: usize) -> Option<usize> {
    let colon = |at: usize| (bytes.get(at) == Some(&b':')).then_some(at + 1);
    let at = colon(digits(bytes, at, 1, 2)?)?;
    let at = colon(digits(bytes, at, 2, 2)?)?;
    let at = digits(bytes, at, 2, 2)?;
    match bytes.get(at) {
        Some(b'.' | b',') => Some(digits(bytes, at + 1, 1, 9).unwrap_or(at)),
        _ => Some(at),
    }
}

fn is_year(bytes: &[u8], at: usize) -> bool {
    digits(bytes, at, 4, 4).is_some() && matches!(bytes.get(at), Some(b'1' | b'2'))
}

fn digits(bytes: &[u8], at: usize, least: usize, most: usize) -> Option<usize> {
    let found = bytes.get(at..)?.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    (found >= least).then_some(at + found)
}

fn blanks(bytes: &[u8], at: usize) -> Option<usize> {
    let found = bytes.get(at..)?.iter().take_while(|byte| **byte == b' ').count();
    (found > 0).then_some(at + found)
}
