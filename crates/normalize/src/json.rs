//! Writing JSON text, to a string or, where it must be fast, to bytes.

use sonic_rs::format::{CompactFormatter, Formatter as _};

/// What JSON is written to.
pub trait Sink {
    /// Appends text as it is.
    fn push_str(&mut self, text: &str);
    /// Appends an ASCII character as it is.
    fn push(&mut self, ascii: char);
    /// Appends a text as a JSON string, without the quotes around it.
    fn push_escaped(&mut self, text: &str);
    /// How long it is.
    fn len(&self) -> usize;
    /// Whether nothing is in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Forgets everything behind a length.
    fn truncate(&mut self, len: usize);
    /// The last byte.
    fn last_byte(&self) -> Option<u8>;
}

impl Sink for String {
    fn push_str(&mut self, text: &str) {
        Self::push_str(self, text);
    }
    fn push(&mut self, ascii: char) {
        Self::push(self, ascii);
    }
    fn push_escaped(&mut self, text: &str) {
        escape(self, text);
    }
    fn len(&self) -> usize {
        Self::len(self)
    }
    fn truncate(&mut self, len: usize) {
        Self::truncate(self, len);
    }
    fn last_byte(&self) -> Option<u8> {
        self.as_bytes().last().copied()
    }
}

impl Sink for Vec<u8> {
    fn push_str(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }
    fn push(&mut self, ascii: char) {
        Self::push(self, ascii as u8);
    }
    fn push_escaped(&mut self, text: &str) {
        // Writing to memory cannot fail.
        let _ = CompactFormatter.write_string_fast(self, text, false);
    }
    fn len(&self) -> usize {
        Self::len(self)
    }
    fn truncate(&mut self, len: usize) {
        Self::truncate(self, len);
    }
    fn last_byte(&self) -> Option<u8> {
        self.last().copied()
    }
}

/// Appends a text as a JSON string.
pub fn write_str(out: &mut impl Sink, text: &str) {
    out.push('"');
    out.push_escaped(text);
    out.push('"');
}

/// Appends a text as the inside of a JSON string.
pub fn write_inner(out: &mut impl Sink, text: &str) {
    out.push_escaped(text);
}

fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        let (clean, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(clean);
        let Some(byte) = from.bytes().next() else { return };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => out.push_str(&format!("\\u{byte:04x}")),
        }
        rest = from.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Appends a whole number.
pub fn write_int(out: &mut impl Sink, number: i64) {
    let mut buffer = itoa::Buffer::new();
    out.push_str(buffer.format(number));
}

/// Appends a number with a fraction; what JSON cannot hold becomes `null`.
pub fn write_float(out: &mut impl Sink, number: f64) {
    if number.is_finite() {
        out.push_str(&format!("{number:?}"));
    } else {
        out.push_str("null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_as_json() {
        for (text, expected) in [
            ("plain", "\"plain\""),
            ("C:\\Windows\\System32\\cmd.exe", "\"C:\\\\Windows\\\\System32\\\\cmd.exe\""),
            ("a \"b\"\n\t\r\u{1}", "\"a \\\"b\\\"\\n\\t\\r\\u0001\""),
            ("grüße \u{10348} and more text behind", "\"grüße \u{10348} and more text behind\""),
            ("", "\"\""),
            ("1234567\"", "\"1234567\\\"\""),
            ("12345678\"", "\"12345678\\\"\""),
        ] {
            let mut out = String::new();
            write_str(&mut out, text);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn both_sinks_write_the_same() {
        for c in (0..=0x17f_u32).filter_map(char::from_u32) {
            for before in 0..40 {
                let text = format!("{}{c}tail", "x".repeat(before));
                let (mut string, mut bytes) = (String::new(), Vec::new());
                write_str(&mut string, &text);
                write_str(&mut bytes, &text);
                assert_eq!(string.as_bytes(), bytes, "{c:?}");
                assert!(!string.bytes().any(|b| b < 0x20), "{c:?}");
                let escaped = matches!(c, '"' | '\\') || (c as u32) < 0x20;
                assert_eq!(string.contains('\\'), escaped, "{c:?} after {before}");
            }
        }
    }

    #[test]
    fn floats_read_back() {
        for (number, expected) in [(1.5, "1.5"), (1.0, "1.0"), (1e300, "1e300"), (f64::NAN, "null")] {
            let mut out = String::new();
            write_float(&mut out, number);
            assert_eq!(out, expected);
        }
    }
}
