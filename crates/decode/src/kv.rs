//! `key=value` pairs.
//!
//! - A key is letters, digits and `_ . - @ : / [ ] $` up to `=`; pairs are separated by blanks, tabs, commas, semicolons or `|`.
//! - A value in `"` or `'` ends at the same quote; `\"` is a quote in it, and `\\` a backslash if every backslash in it is paired
//!   (otherwise they are those of a Windows path).
//! - A value without quotes ends at a blank, or at a separator behind which a new key stands. Words that are not a pair belong to the value
//!   before them (`msg=hello world user=a`), except short words of capitals, which are flags (`DF`, `SYN`): they become `true`.
//! - A line is in this format if it begins with a pair and has at least two.

use watchfloor_model::{Document, Span, Value};

use crate::{Scratch, twice};

/// Fewest pairs that make a line `key=value`.
const PAIRS_MIN: usize = 2;

pub(crate) fn decode(body: &str, doc: &mut Document, _scratch: &mut Scratch) -> bool {
    let body = body.trim();
    if !looks_like(body) {
        return false;
    }
    let Some(root) = doc.open_object("") else { return false };
    push_pairs(body, doc);
    doc.close(root);
    true
}

/// Reads `key=value` text into an object under a key. False, and nothing pushed, if there is no pair in it.
pub fn kv_into(doc: &mut Document, key: Span, text: &str) -> bool {
    if Pairs::new(text).next().is_none() {
        return false;
    }
    let Some(object) = doc.open(key, Value::Object) else { return false };
    push_pairs(text, doc);
    doc.close(object);
    twice::note_in(doc, object);
    true
}

/// Whether a text begins with a pair and has more of them.
pub(crate) fn looks_like(text: &str) -> bool {
    key_len(text).is_some()
        && Pairs::new(text).filter(|pair| !matches!(pair.value, Raw::Flag)).take(PAIRS_MIN).count() == PAIRS_MIN
}

pub(crate) fn push_pairs(text: &str, doc: &mut Document) {
    for pair in Pairs::new(text) {
        let key = doc.keep(pair.key);
        let value = match pair.value {
            Raw::Plain(value) => Value::Text(doc.keep(value)),
            Raw::Quoted(value) => Value::Text(unquoted(value, doc)),
            Raw::Flag => Value::Bool(true),
        };
        doc.push(key, value);
    }
}

/// One pair as it stands in the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub key: &'a str,
    pub value: Raw<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Raw<'a> {
    Plain(&'a str),
    /// Between quotes, escapes not resolved.
    Quoted(&'a str),
    Flag,
}

pub(crate) struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn skip_to(&mut self, at: usize) {
        self.rest = self.rest.get(at..).unwrap_or_default();
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        loop {
            self.rest = self.rest.trim_start_matches(is_separator);
            if self.rest.is_empty() {
                return None;
            }
            let Some(len) = key_len(self.rest) else {
                let len = self.rest.find(is_separator).unwrap_or(self.rest.len());
                let word = self.rest.get(..len).unwrap_or_default();
                self.skip_to(len);
                if is_flag(word) {
                    return Some(Pair { key: word, value: Raw::Flag });
                }
                continue;
            };
            let key = self.rest.get(..len).unwrap_or_default();
            self.skip_to(len + 1);
            return Some(Pair { key, value: self.value() });
        }
    }
}

impl<'a> Pairs<'a> {
    fn value(&mut self) -> Raw<'a> {
        if let Some(quote @ (b'"' | b'\'')) = self.rest.as_bytes().first().copied()
            && let Some(end) = quoted_end(self.rest, quote)
        {
            let value = self.rest.get(1..end).unwrap_or_default();
            self.skip_to(end + 1);
            return Raw::Quoted(value);
        }
        let len = plain_len(self.rest);
        let value = self.rest.get(..len).unwrap_or_default().trim_end_matches(is_separator);
        self.skip_to(len);
        Raw::Plain(value)
    }
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '\t' | ',' | ';' | '|' | '\r' | '\n' | '\u{1}')
}

/// Length of a key before `=`, if the text begins with one.
pub(crate) fn key_len(text: &str) -> Option<usize> {
    let is_part = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b':' | b'/' | b'[' | b']' | b'$')
    };
    let len = text.bytes().take_while(is_part).count();
    let first = text.bytes().next()?;
    let named = first.is_ascii_alphabetic() || matches!(first, b'_' | b'@' | b'$');
    (named && len <= 128 && text.as_bytes().get(len) == Some(&b'=')).then_some(len)
}

/// The closing quote, which must be followed by a separator or nothing.
fn quoted_end(text: &str, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    let mut last = None;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(quote, b'\\', rest)) {
        at += found;
        let next = bytes.get(at + 1).copied();
        if bytes.get(at) == Some(&b'\\') {
            // A backslash before the last quote is the end of a Windows path.
            if next == Some(quote) && bytes.get(at + 2).is_none_or(|byte| is_separator(char::from(*byte))) {
                last = last.or(Some(at + 1));
            }
            at += 2;
            continue;
        }
        if next.is_none_or(|byte| is_separator(char::from(byte)) || byte == b')' || byte == b']') {
            return Some(at);
        }
        at += 1;
    }
    last
}

/// Length of a value without quotes: up to where the next pair or flag begins.
fn plain_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let Some(rest) = text.get(at..) else { return text.len() };
        let Some(found) = rest.bytes().position(|byte| is_separator(char::from(byte))) else { return text.len() };
        let mut next = at + found;
        let separator = next;
        while bytes.get(next).is_some_and(|byte| is_separator(char::from(*byte))) {
            next += 1;
        }
        let behind = text.get(next..).unwrap_or_default();
        let word = behind.get(..behind.find(is_separator).unwrap_or(behind.len())).unwrap_or_default();
        if behind.is_empty()
            || key_len(behind).is_some()
            || (found > 0 && is_flag(word))
            || (at == 0 && found == 0 && is_flag(word))
        {
            return separator;
        }
        at = next;
    }
}

/// `DF`, `SYN`, `ACK`: a word that stands for itself.
fn is_flag(word: &str) -> bool {
    (2..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Resolves escapes: `\"`, and `\\` where every backslash has its partner.
pub(crate) fn unquoted(value: &str, doc: &mut Document) -> Span {
    if memchr::memchr(b'\\', value.as_bytes()).is_none() {
        return doc.keep(value);
    }
    let paired = all_paired(value);
    doc.compose(|out| {
        let mut characters = value.chars().peekable();
        while let Some(character) = characters.next() {
            if character == '\\' {
                match characters.peek() {
                    Some(quote @ ('"' | '\'')) => {
                        out.push(*quote);
                        characters.next();
                        continue;
                    }
                    Some('\\') if paired => {
                        characters.next();
                    }
                    _ => {}
                }
            }
            out.push(character);
        }
    })
}

fn all_paired(value: &str) -> bool {
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && !matches!(bytes.next(), Some(b'\\' | b'"' | b'\'')) {
            return false;
        }
    }
    // A UNC path begins with two that are one thing.
    !value.starts_with("\\\\") || value.starts_with("\\\\\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let mut doc = Document::new();
        doc.start(text);
        doc.open_object("").unwrap();
        push_pairs(text, &mut doc);
        doc.close(0);
        doc.seal();
        let show = |id| doc.str(id).map_or("true".to_owned(), str::to_owned);
        doc.children(0).map(|id| (doc.key(id).to_owned(), show(id))).collect()
    }

    #[test]
    fn pairs_are_taken_apart() {
        for (text, expected) in [
            ("a=1 b=2", &[("a", "1"), ("b", "2")][..]),
            ("a=1,b=2, c=3", &[("a", "1"), ("b", "2"), ("c", "3")]),
            ("groups=a,b,c x=1", &[("groups", "a,b,c"), ("x", "1")]),
            ("a=\"x y\" b='q \"r\"' c=\"say \\\"hi\\\"\"", &[("a", "x y"), ("b", "q \"r\""), ("c", "say \"hi\"")]),
            ("msg=hello big world user=a", &[("msg", "hello big world"), ("user", "a")]),
            (
                "OUT= MAC= SRC=1.2.3.4 ID=0 DF PROTO=TCP SYN",
                &[
                    ("OUT", ""),
                    ("MAC", ""),
                    ("SRC", "1.2.3.4"),
                    ("ID", "0"),
                    ("DF", "true"),
                    ("PROTO", "TCP"),
                    ("SYN", "true"),
                ],
            ),
            ("url=http://h/?a=b&c=d n=1", &[("url", "http://h/?a=b&c=d"), ("n", "1")]),
            (
                "path=\"C:\\Users\\a\" dir=\"C:\\\\b\\\\c\" unc=\"\\\\srv\\x\"",
                &[("path", "C:\\Users\\a"), ("dir", "C:\\b\\c"), ("unc", "\\\\srv\\x")],
            ),
            ("dir=\"C:\\tmp\\\" x=1", &[("dir", "C:\\tmp\\"), ("x", "1")]),
            ("a=\"unclosed b=1", &[("a", "\"unclosed"), ("b", "1")]),
            ("empty=\"\" x=", &[("empty", ""), ("x", "")]),
            ("=1 = a", &[]),
            ("", &[]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(pairs(text), expected, "{text}");
        }
    }

    #[test]
    fn a_line_is_kv_if_it_begins_with_a_pair_and_has_two() {
        for (text, expected) in [
            ("a=1 b=2", true),
            ("a=1", false),
            ("hello a=1 b=2", false),
            ("a=1 SYN", false),
            ("", false),
            ("1=2 3=4", false),
        ] {
            assert_eq!(looks_like(text), expected, "{text}");
        }
    }
}
