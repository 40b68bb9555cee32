//! Writing JSON text.

use std::fmt::Write as _;

/// Bytes that a JSON string cannot hold as they are: controls, the quote, the backslash.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 0x20 {
        table[i] = true;
        i += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[0x7f] = true;
    table
};

/// Appends a text as a JSON string.
pub fn write_str(out: &mut String, text: &str) {
    out.push('"');
    write_inner(out, text);
    out.push('"');
}

/// Appends a text as the inside of a JSON string.
pub fn write_inner(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = special(rest.as_bytes()) {
        let (clean, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(clean);
        let Some(byte) = from.bytes().next() else { return };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
        rest = from.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The first byte that must be escaped: eight bytes at a time, then one by one.
fn special(bytes: &[u8]) -> Option<usize> {
    let mut chunks = bytes.chunks_exact(8);
    let mut at = 0;
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
        if has_special(word) {
            break;
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| SPECIAL.get(usize::from(*byte)).copied().unwrap_or(true)).map(|found| at + found)
}

/// Whether one of eight bytes is under 0x20, a quote, a backslash or 0x7f (may be true for none of them, never false for one).
fn has_special(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let under_space = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let delete = zero(word ^ (ONES * 0x7f));
    (under_space | quote | backslash | delete) != 0
}

/// Appends a whole number.
pub fn write_int(out: &mut String, number: i64) {
    let mut buffer = itoa::Buffer::new();
    out.push_str(buffer.format(number));
}

/// Appends a number with a fraction; what JSON cannot hold becomes `null`.
pub fn write_float(out: &mut String, number: f64) {
    if number.is_finite() {
        // Writing to a string cannot fail.
        let _ = write!(out, "{number:?}");
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
    fn every_byte_is_escaped_when_it_must_be() {
        for c in (0..=0x17f_u32).filter_map(char::from_u32) {
            for before in 0..10 {
                let text = format!("{}{c}tail", "x".repeat(before));
                let mut out = String::new();
                write_str(&mut out, &text);
                assert!(!out.trim_matches('"').bytes().any(|b| b < 0x20), "{c:?}");
                let inner = out.get(1..out.len() - 1).unwrap();
                let escaped = matches!(c, '"' | '\\') || (c as u32) < 0x20 || c as u32 == 0x7f;
                assert_eq!(inner.contains('\\'), escaped, "{c:?} after {before}");
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
