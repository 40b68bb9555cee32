//! Patterns: literal text with captures, such as `Accepted {method} for {user} from {ip:ip} port {port:int} {proto}`.
//!
//! A space fits one or more blanks. `{x}` takes the shortest text up to what follows it: the whole run of literals up to the next
//! capture. There is no backtracking into earlier captures, so the work is at most the text times one run of literals.

use std::net::IpAddr;

/// What a capture may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// Shortest text up to what follows, not empty.
    Any,
    /// The same, or nothing.
    Maybe,
    /// Digits, with a sign.
    Int,
    /// An IP address.
    Ip,
    /// No blanks.
    Word,
    /// Up to an unescaped quote.
    Quoted,
    /// All that is left.
    Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Text as it is.
    Text(Box<str>),
    /// One or more blanks.
    Blanks,
    /// A capture: its number in the mapping, if it has a name.
    Capture(Option<u8>, Hold),
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Box<[Part]>,
}

impl Pattern {
    /// Compiles a pattern; `number` gives a capture name its number.
    pub fn compile(pattern: &str, mut number: impl FnMut(&str) -> Option<u8>) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = pattern;
        while let Some(next) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                plain.push(next);
                rest = after;
            } else if next == '{' {
                let (inside, after) = rest.get(1..).and_then(|r| r.split_once('}')).ok_or("a `{` has no `}`")?;
                flush(&mut plain, &mut parts);
                parts.push(capture(inside, &mut number)?);
                rest = after;
            } else if next == '}' {
                return Err("a `}` has no `{`; a brace as text is written `}}`".into());
            } else if next == ' ' || next == '\t' {
                flush(&mut plain, &mut parts);
                if parts.last() != Some(&Part::Blanks) {
                    parts.push(Part::Blanks);
                }
                rest = rest.get(1..).unwrap_or_default();
            } else {
                plain.push(next);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
        }
        flush(&mut plain, &mut parts);
        // `{x}{:rest}`: the capture is a word, and what follows it is the rest.
        for i in 1..parts.len() {
            if let (Some(Part::Capture(_, Hold::Rest)), Some(Part::Capture(_, hold @ Hold::Any))) =
                (parts.get(i).cloned(), parts.get_mut(i - 1))
            {
                *hold = Hold::Word;
            }
        }
        for pair in parts.windows(2) {
            if let [Part::Capture(_, Hold::Any | Hold::Maybe), Part::Capture(..)] = pair {
                return Err("two captures stand side by side: text must stand between them, or the first be `{x:int}`, `{x:ip}`, `{x:word}`".into());
            }
        }
        Ok(Self { parts: parts.into() })
    }

    /// Fits the pattern to a whole text; on a fit, `captured` gets each named capture's number and byte range.
    pub fn fit(&self, text: &str, captured: &mut Vec<(u8, usize, usize)>) -> bool {
        captured.clear();
        let mut at = 0;
        for (i, part) in self.parts.iter().enumerate() {
            let rest = text.get(at..).unwrap_or_default();
            match part {
                Part::Text(literal) => {
                    if !rest.starts_with(&**literal) {
                        return false;
                    }
                    at += literal.len();
                }
                Part::Blanks => {
                    let blanks = blanks(rest);
                    // At the very end a pattern's blank may be missing: trailing blanks are often trimmed on the way.
                    if blanks == 0 && !(rest.is_empty() && self.only_optional_after(i)) {
                        return false;
                    }
                    at += blanks;
                }
                Part::Capture(number, hold) => {
                    let Some(len) = self.hold(*hold, rest, i) else { return false };
                    if let Some(number) = number {
                        captured.push((*number, at, at + len));
                    }
                    at += len;
                }
            }
        }
        at == text.len()
    }

    fn only_optional_after(&self, i: usize) -> bool {
        let after = self.parts.get(i + 1..).unwrap_or_default();
        after.iter().all(|part| matches!(part, Part::Capture(_, Hold::Rest | Hold::Maybe) | Part::Blanks))
    }

    /// Length of what a capture takes of `rest`.
    fn hold(&self, hold: Hold, rest: &str, i: usize) -> Option<usize> {
        let taken = match hold {
            Hold::Rest => Some(rest.len()),
            Hold::Int => {
                let sign = usize::from(rest.starts_with(['-', '+']));
                let digits = rest.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
                (digits > 0).then_some(sign + digits)
            }
            Hold::Ip => {
                let len = rest.bytes().take_while(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'%')).count();
                // An address may be followed by a colon or full stop of the sentence.
                (0..=len.min(2)).map(|cut| len - cut).find(|&len| is_ip(rest.get(..len).unwrap_or_default()))
            }
            Hold::Word => {
                let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let word = self.next_literal(i, rest).map_or(word, |literal| literal.min(word));
                (word > 0).then_some(word)
            }
            Hold::Quoted => Some(quoted(rest)),
            Hold::Any | Hold::Maybe => self.shortest(rest, i),
        }?;
        (taken > 0 || matches!(hold, Hold::Maybe | Hold::Rest | Hold::Quoted)).then_some(taken)
    }

    /// Where the literal behind part `i` stands next, if a literal follows it at once.
    fn next_literal(&self, i: usize, rest: &str) -> Option<usize> {
        match self.parts.get(i + 1) {
            Some(Part::Text(literal)) => rest.find(&**literal),
            _ => None,
        }
    }

    /// Length of the shortest text before a place where all literals up to the next capture stand.
    fn shortest(&self, rest: &str, i: usize) -> Option<usize> {
        let run = self.literals_after(i);
        let is_last = i + 1 + run.len() == self.parts.len();
        let may_end = self.only_optional_after(i + run.len());
        let first = match run.first() {
            None => return is_last.then_some(rest.len()),
            Some(Part::Text(literal)) => Some(&**literal),
            Some(_) => None,
        };
        let mut from = 0;
        loop {
            let behind = rest.get(from..)?;
            let found = match first {
                Some(literal) => behind.find(literal),
                None => behind.find([' ', '\t']),
            };
            let Some(found) = found else {
                // Trailing blanks may have been trimmed on the way.
                return (first.is_none() && self.only_optional_after(i + 1)).then_some(rest.len());
            };
            let at = from + found;
            let end = run_length(run, rest.get(at..)?, may_end);
            if end.is_some_and(|end| !is_last || at + end == rest.len()) {
                return Some(at);
            }
            from = at + rest.get(at..)?.chars().next().map_or(1, char::len_utf8);
        }
    }

    /// The literal parts between part `i` and the next capture.
    fn literals_after(&self, i: usize) -> &[Part] {
        let after = self.parts.get(i + 1..).unwrap_or_default();
        let len = after.iter().take_while(|part| !matches!(part, Part::Capture(..))).count();
        after.get(..len).unwrap_or_default()
    }
}

/// How much of a text a run of literals takes, if it stands there.
fn run_length(run: &[Part], text: &str, may_end: bool) -> Option<usize> {
    let mut at = 0;
    for part in run {
        let rest = text.get(at..)?;
        match part {
            Part::Text(literal) if rest.starts_with(&**literal) => at += literal.len(),
            Part::Blanks if blanks(rest) > 0 => at += blanks(rest),
            // Trailing blanks may have been trimmed on the way.
            Part::Blanks if rest.is_empty() && may_end => {}
            _ => return None,
        }
    }
    Some(at)
}

fn flush(plain: &mut String, parts: &mut Vec<Part>) {
    if !plain.is_empty() {
        parts.push(Part::Text(std::mem::take(plain).into()));
    }
}

fn capture(inside: &str, number: &mut impl FnMut(&str) -> Option<u8>) -> Result<Part, String> {
    let (name, kind) = inside.split_once(':').map_or((inside, ""), |(name, kind)| (name, kind));
    let (name, maybe) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
    let hold = match (kind, maybe) {
        ("", false) => Hold::Any,
        ("" | "any", true) => Hold::Maybe,
        ("any", false) => Hold::Any,
        ("int", false) => Hold::Int,
        ("ip", false) => Hold::Ip,
        ("word", false) => Hold::Word,
        ("quoted", false) => Hold::Quoted,
        ("rest", _) => Hold::Rest,
        _ => return Err(format!("`{{{inside}}}`: a capture is `int`, `ip`, `word`, `quoted` or `rest`")),
    };
    if name.is_empty() {
        return Ok(Part::Capture(None, hold));
    }
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(format!(
            "`{{{inside}}}`: a capture's name has letters, digits and `_`; a brace as text is written `{{{{`"
        ));
    }
    Ok(Part::Capture(Some(number(name).ok_or("too many captures in one mapping")?), hold))
}

fn blanks(text: &str) -> usize {
    text.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i,
            _ => {}
        }
    }
    text.len()
}

/// Whether a text is an IP address (an IPv6 zone may follow).
#[must_use]
pub fn is_ip(text: &str) -> bool {
    let bare = text.split_once('%').map_or(text, |(bare, _)| bare);
    bare.len() >= 2 && bare.parse::<IpAddr>().is_ok()
}

/// Fits a wildcard (`*` any text, `?` one character) to a whole text; ASCII case does not matter.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_p, star_t)) = star else { return false };
                star = Some((star_p, star_t + 1));
                p = star_p + 1;
                t = star_t + 1;
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str, text: &str) -> String {
        let mut names = Vec::new();
        let compiled = Pattern::compile(pattern, |name| {
            names.push(name.to_owned());
            Some(names.len() as u8 - 1)
        });
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(fault) => return fault,
        };
        let mut captured = Vec::new();
        if !compiled.fit(text, &mut captured) {
            return "no".into();
        }
        captured
            .iter()
            .map(|(n, a, b)| format!("{}={}", names[*n as usize], &text[*a..*b]))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn patterns_take_what_they_say() {
        for (pattern, text, expected) in [
            (
                "for {user} from {ip:ip} port {port:int} {p}",
                "for bob from 192.0.2.1 port 22 ssh2",
                "user=bob ip=192.0.2.1 port=22 p=ssh2",
            ),
            ("for {user} from {ip:ip}", "for a from b from 192.0.2.1", "no"),
            ("{a}: {b:rest}", "x: ", "a=x b="),
            ("{a}: {b:rest}", "x:", "a=x b="),
            ("{ip:ip}: ok", "2001:db8::1: ok", "ip=2001:db8::1"),
            ("\"{q:quoted}\" {n:int}", "\"a \\\" b\" 7", "q=a \\\" b n=7"),
            ("{a?},{b}", ",x", "a= b=x"),
            ("a {} c", "a   b c", ""),
            ("user {u:word}({id:int})", "user root(0)", "u=root id=0"),
            (
                "{a}{b}",
                "xy",
                "two captures stand side by side: text must stand between them, or the first be `{x:int}`, `{x:ip}`, `{x:word}`",
            ),
            ("by {a}{:rest}", "by root at 5", "a=root"),
            ("{{{x}}}", "{1}", "x=1"),
            ("{a} by (uid={u:int})", "root by x by (uid=0)", "a=root by x u=0"),
        ] {
            assert_eq!(shown(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn globs_ignore_case() {
        for (pattern, text, fits) in [
            ("Get*", "getitem", true),
            ("*user*", "AddUserToGroup", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("a*b*c", "aXXbYYd", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} on {text}");
        }
    }
}
