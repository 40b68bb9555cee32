//! Linux audit events.
//!
//! ```text
//! [node=NAME] type=TYPE msg=audit(SECONDS.MILLIS:SERIAL): key=value key="text" key=HEX [0x1D KEY="enriched"]
//! ```
//!
//! The record is the event's lines ([`crate::framer`] has put them together), each perhaps behind a syslog header. The document has
//! `serial`, `timestamp`, `node`, `types`, and for every type an object (a list of objects if the type stands several times).
//!
//! - The kernel writes a text in quotes, or in hexadecimal if it has a blank, a quote or a control character. Which fields are texts
//!   is known ([`ENCODED`]); zeros between the arguments of `proctitle` become blanks.
//! - `msg='…'` of user space holds pairs of its own, which become fields of the type.
//! - `EXECVE` has `a0`, `a1`, … and long ones in pieces `a1[0]`, `a1[1]`; they are put together, and `argv` is all of them with blanks
//!   between.
//! - `SOCKADDR.saddr` is a `sockaddr` in hexadecimal (family in the machine's order, port and address in the network's); beside it stand
//!   `family`, `addr`, `port`, `path`.
//! - `AVC` begins with `avc:  denied  { read write } for`, which becomes `seresult` and `seperms`.
//! - What stands behind 0x1D are names for numbers; they stand under `enriched`, in lower case.
//! - A number for a type (`type=1400`, as the kernel's own log has it) becomes its name.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use watchfloor_model::{Diagnostic, Document, Span, Value};

use crate::{Scratch, syslog};

/// Fields that are texts, in hexadecimal where they have no quotes.
const ENCODED: [&str; 33] = [
    "acct",
    "bank",
    "cgroup",
    "cmd",
    "comm",
    "cwd",
    "data",
    "device",
    "dir",
    "exe",
    "exec",
    "file",
    "grp",
    "hook",
    "invalid_context",
    "key",
    "kernel_media",
    "name",
    "new-disk",
    "new-name",
    "ocomm",
    "old-disk",
    "old-name",
    "op_name",
    "path",
    "proctitle",
    "root_dir",
    "sw",
    "tty_data",
    "vm",
    "vm-ctx",
    "watch",
    "unit",
];

/// Types by number, as far as the kernel's own log has them.
const TYPES: [(u16, &str); 24] = [
    (1006, "LOGIN"),
    (1100, "USER_AUTH"),
    (1101, "USER_ACCT"),
    (1105, "USER_START"),
    (1106, "USER_END"),
    (1130, "SERVICE_START"),
    (1131, "SERVICE_STOP"),
    (1300, "SYSCALL"),
    (1302, "PATH"),
    (1303, "IPC"),
    (1304, "SOCKETCALL"),
    (1305, "CONFIG_CHANGE"),
    (1306, "SOCKADDR"),
    (1307, "CWD"),
    (1309, "EXECVE"),
    (1320, "EOE"),
    (1325, "NETFILTER_CFG"),
    (1326, "SECCOMP"),
    (1327, "PROCTITLE"),
    (1334, "BPF"),
    (1400, "AVC"),
    (1403, "MAC_POLICY_LOAD"),
    (1701, "ANOM_ABEND"),
    (1702, "ANOM_LINK"),
];

/// One line of an event: where its parts are in the record.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    kind: Kind,
    body: Range<usize>,
}

#[derive(Clone, Debug)]
enum Kind {
    Named(Range<usize>),
    Known(&'static str),
}

impl Line {
    fn kind<'a>(&self, raw: &'a str) -> &'a str {
        match &self.kind {
            Kind::Named(range) => raw.get(range.clone()).unwrap_or_default(),
            Kind::Known(name) => name,
        }
    }
}

/// The event's own time, serial number and node.
#[derive(Default)]
struct Event<'a> {
    timestamp: &'a str,
    serial: &'a str,
    node: Option<&'a str>,
}

pub(crate) fn decode(raw: &str, doc: &mut Document, notes: &mut Vec<Diagnostic>, scratch: &mut Scratch) -> bool {
    let mut lines = std::mem::take(&mut scratch.lines);
    lines.clear();
    let event = read_lines(raw, &mut lines);
    let found = event.is_some_and(|event| build(raw, &event, &mut lines, doc, notes).is_some());
    scratch.lines = lines;
    found
}

fn build(
    raw: &str,
    event: &Event<'_>,
    lines: &mut [Line],
    doc: &mut Document,
    notes: &mut Vec<Diagnostic>,
) -> Option<()> {
    let root = doc.open_object("")?;
    match event.serial.parse() {
        Ok(serial) => doc.push_int("serial", serial),
        Err(_) => doc.push_text("serial", event.serial),
    };
    doc.push_text("timestamp", event.timestamp);
    if let Some(node) = event.node {
        doc.push_text("node", node);
    }
    let types = doc.open_list("types")?;
    for line in lines.iter() {
        doc.push_text("", line.kind(raw));
    }
    doc.close(types);
    // Stable: records of one type keep their order.
    lines.sort_by(|a, b| a.kind(raw).cmp(b.kind(raw)));
    for group in lines.chunk_by(|a, b| a.kind(raw) == b.kind(raw)) {
        let kind = group.first().map(|line| line.kind(raw)).unwrap_or_default();
        let list = if group.len() > 1 { Some(doc.open_list(kind)?) } else { None };
        let key = if list.is_some() { "" } else { kind };
        for line in group {
            let object = doc.open_object(key)?;
            record(kind, raw.get(line.body.clone()).unwrap_or_default(), doc, notes);
            doc.close(object);
        }
        if let Some(list) = list {
            doc.close(list);
        }
    }
    if let Some(header) = raw.lines().next().and_then(syslog::header).filter(|header| header.timestamp.is_some()) {
        syslog::push(&header, doc);
    }
    doc.close(root);
    Some(())
}

/// Finds the parts of every line. Nothing, if the first one is no audit record.
fn read_lines<'a>(raw: &'a str, lines: &mut Vec<Line>) -> Option<Event<'a>> {
    let mut event: Option<Event<'a>> = None;
    let mut start = 0;
    for line in raw.split('\n') {
        let base = start;
        start += line.len() + 1;
        let Some(stamp_at) = line.find("audit(") else { continue };
        let (stamp, body) = line.get(stamp_at + 6..)?.split_once(')')?;
        let before = line.get(..stamp_at)?;
        let Some(type_at) = before.find("type=") else { continue };
        let kind_len = before.get(type_at + 5..)?.find(' ').unwrap_or(before.len() - type_at - 5);
        let kind = base + type_at + 5..base + type_at + 5 + kind_len;
        let body_at = base + line.len() - body.len();
        let colon = usize::from(body.starts_with(':'));
        let number = raw.get(kind.clone()).and_then(|kind| {
            kind.strip_prefix("UNKNOWN[").and_then(|kind| kind.strip_suffix(']')).unwrap_or(kind).parse::<u16>().ok()
        });
        let known = number.and_then(|number| TYPES.iter().find(|(known, _)| *known == number));
        let kind = known.map_or(Kind::Named(kind), |(_, name)| Kind::Known(name));
        lines.push(Line { kind, body: body_at + colon..base + line.len() });
        if event.is_none() {
            let (timestamp, serial) = stamp.split_once(':')?;
            let node = before.find("node=").and_then(|at| before.get(at + 5..)?.split(' ').next());
            event = Some(Event { timestamp, serial, node });
        }
    }
    event
}

/// The fields of one record.
fn record(kind: &str, body: &str, doc: &mut Document, notes: &mut Vec<Diagnostic>) {
    let (plain, enriched) = body.split_once('\u{1d}').map_or((body, None), |(plain, enriched)| (plain, Some(enriched)));
    let plain = if kind.ends_with("AVC") { access_vector(plain, doc) } else { plain };
    let execve = kind == "EXECVE";
    fields(plain, false, &mut |key, value| {
        if execve && is_argument(key) {
            return;
        }
        field(kind, key, value, doc);
    });
    if execve {
        arguments(plain, doc, notes);
    }
    let Some(enriched) = enriched else { return };
    let Some(object) = doc.open_object("enriched") else { return };
    fields(enriched, false, &mut |key, value| {
        let key = doc.compose(|out| out.extend(key.chars().map(|letter| letter.to_ascii_lowercase())));
        let value = doc.keep(value.text());
        doc.push(key, Value::Text(value));
    });
    doc.close(object);
}

/// A value as it stands there.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Plain(&'a str),
    /// In `"`.
    Quoted(&'a str),
    /// In `'` or braces: pairs.
    Nested(&'a str),
}

impl<'a> Raw<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Plain(text) | Self::Quoted(text) | Self::Nested(text) => text,
        }
    }
}

/// Where a value with blanks ends: at the blank before the next key.
fn words_end(text: &str) -> usize {
    match text.find('=') {
        Some(equals) => text.get(..equals).and_then(|before| before.rfind(' ')).unwrap_or(0),
        None => text.len(),
    }
}

/// Calls for every pair of a text. In a message of user space (`words`) a plain value may have blanks: `op=adding user to group acct="x"`.
fn fields<'a>(text: &'a str, words: bool, each: &mut dyn FnMut(&'a str, Raw<'a>)) {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', ',', '\u{1d}']);
        let Some(equals) = rest.find('=') else { return };
        let (key, behind) = rest.split_at_checked(equals).unwrap_or_default();
        // Words before a key are no fields; what a record says in words stands in `op`.
        let key = key.rsplit(' ').next().unwrap_or_default();
        let behind = behind.get(1..).unwrap_or_default();
        let closing = match behind.as_bytes().first() {
            Some(b'"') => Some(behind.get(1..).and_then(|inner| inner.find('"')).map(|end| end + 1)),
            // User space does not escape the quote: the last one ends the text.
            Some(b'\'') => Some(behind.rfind('\'').filter(|end| *end > 0)),
            Some(b'{') => Some(behind.find('}')),
            _ => None,
        };
        let (value, used) = match closing {
            Some(Some(end)) => {
                let inner = behind.get(1..end).unwrap_or_default();
                let value = if behind.starts_with('"') { Raw::Quoted(inner) } else { Raw::Nested(inner.trim()) };
                (value, end + 1)
            }
            _ => {
                let end = if words { words_end(behind) } else { behind.find([' ', '\u{1d}']).unwrap_or(behind.len()) };
                (Raw::Plain(behind.get(..end).unwrap_or_default().trim().trim_end_matches(',')), end)
            }
        };
        if !key.is_empty() {
            each(key, value);
        }
        rest = behind.get(used..).unwrap_or_default();
    }
}

fn field(kind: &str, key: &str, value: Raw<'_>, doc: &mut Document) {
    match value {
        Raw::Nested(inner) if key == "msg" => {
            // `op=…` and the rest; a text without pairs is the message itself.
            let mut any = false;
            fields(inner, true, &mut |key, value| {
                any = true;
                field(kind, key, value, doc);
            });
            if !any {
                doc.push_text("msg", inner);
            }
        }
        Raw::Plain(text) if ENCODED.contains(&key) => {
            let key = doc.keep(key);
            let value = decoded(text, doc);
            doc.push(key, Value::Text(value));
        }
        Raw::Plain(text) if key == "saddr" && kind == "SOCKADDR" => {
            doc.push_text(key, text);
            socket_address(text, doc);
        }
        value => {
            doc.push_text(key, value.text());
        }
    }
}

/// A text in hexadecimal, with zeros as blanks; anything else stays as it is. The kernel and libaudit write capitals, which keeps words
/// like `feed` from being decoded.
fn decoded(text: &str, doc: &mut Document) -> Span {
    let encoded = !text.bytes().any(|byte| byte.is_ascii_lowercase());
    match bytes(text).filter(|_| encoded) {
        Some(mut bytes) => {
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            for byte in &mut bytes {
                if *byte == 0 {
                    *byte = b' ';
                }
            }
            doc.compose(|out| out.push_str(&String::from_utf8_lossy(&bytes)))
        }
        None => doc.keep(text),
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    if text.len() < 2 || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.last()?)?)).collect()
}

/// `a0`, `a12`, `a1[3]`.
fn is_argument(key: &str) -> bool {
    argument(key).is_some()
}

/// The number of an argument, and of its piece.
fn argument(key: &str) -> Option<(u32, Option<u32>)> {
    let rest = key.strip_prefix('a')?;
    match rest.split_once('[') {
        Some((number, piece)) => Some((number.parse().ok()?, Some(piece.strip_suffix(']')?.parse().ok()?))),
        None => Some((rest.parse().ok()?, None)),
    }
}

/// Puts the pieces of arguments together and pushes them, and all of them as `argv`.
fn arguments(text: &str, doc: &mut Document, notes: &mut Vec<Diagnostic>) {
    let mut all: Vec<(u32, u32, String)> = Vec::new();
    let mut count = None;
    fields(text, false, &mut |key, value| {
        if key == "argc" {
            count = value.text().parse::<usize>().ok();
        }
        let Some((number, piece)) = argument(key) else { return };
        let text = match value {
            Raw::Plain(text) => {
                bytes(text).map_or_else(|| text.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
            }
            value => value.text().to_owned(),
        };
        all.push((number, piece.unwrap_or(0), text));
    });
    all.sort_by_key(|(number, piece, _)| (*number, *piece));
    let mut argv = String::new();
    let mut found = 0;
    for pieces in all.chunk_by(|(a, ..), (b, ..)| a == b) {
        let Some((number, ..)) = pieces.first() else { continue };
        let key = doc.compose(|out| {
            out.push('a');
            out.push_str(&number.to_string());
        });
        let whole = doc.compose(|out| pieces.iter().for_each(|(.., text)| out.push_str(text)));
        doc.push(key, Value::Text(whole));
        if found > 0 {
            argv.push(' ');
        }
        argv.push_str(doc.text(whole));
        found += 1;
    }
    let argv = doc.compose(|out| out.push_str(&argv));
    let key = doc.keep("argv");
    doc.push(key, Value::Text(argv));
    if let Some(count) = count.filter(|count| *count != found) {
        notes.push(Diagnostic::warning("auditd.arguments", format!("{found} of {count} arguments are there")));
    }
}

/// `avc:  denied  { read write } for  `: the verdict and the permissions; returns what is behind.
fn access_vector<'a>(body: &'a str, doc: &mut Document) -> &'a str {
    let Some((_, rest)) = body.split_once("avc:") else { return body };
    let rest = rest.trim_start();
    let Some((verdict, behind)) = rest.split_once(' ') else { return body };
    let Some((permissions, behind)) = behind.trim_start().strip_prefix('{').and_then(|behind| behind.split_once('}'))
    else {
        return body;
    };
    doc.push_text("seresult", verdict);
    doc.push_text("seperms", permissions.trim());
    let behind = behind.trim_start();
    behind.strip_prefix("for ").unwrap_or(behind)
}

/// Takes a `sockaddr` apart.
fn socket_address(text: &str, doc: &mut Document) {
    let Some(bytes) = bytes(text) else { return };
    let Some(family) = bytes.first_chunk::<2>() else { return };
    // The machine's byte order is not in the record; every family is below 256.
    let family = u16::from_le_bytes(*family).min(u16::from_be_bytes(*family));
    let port = bytes.get(2..4).and_then(|port| port.first_chunk::<2>()).map(|port| u16::from_be_bytes(*port));
    let name = match family {
        1 => "local",
        2 => "inet",
        10 => "inet6",
        16 => "netlink",
        17 => "packet",
        40 => "vsock",
        _ => "",
    };
    if name.is_empty() {
        doc.push_int("family", family.into());
    } else {
        doc.push_text("family", name);
    }
    let address = match family {
        2 => bytes
            .get(4..8)
            .and_then(|address| address.first_chunk::<4>())
            .map(|address| Ipv4Addr::from(*address).to_string()),
        10 => bytes
            .get(8..24)
            .and_then(|address| address.first_chunk::<16>())
            .map(|address| Ipv6Addr::from(*address).to_string()),
        _ => None,
    };
    if let (Some(address), Some(port)) = (address, port) {
        doc.push_text("addr", &address);
        doc.push_int("port", port.into());
    }
    if family == 1 {
        let path = bytes.get(2..).unwrap_or_default();
        // A zero at the beginning marks a name that is no file.
        let (mark, path) = path.strip_prefix(b"\0").map_or(("", path), |path| ("@", path));
        let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
        let path = format!("{mark}{}", String::from_utf8_lossy(path));
        if !path.is_empty() {
            doc.push_text("path", &path);
        }
    }
}
