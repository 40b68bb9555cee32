//! Numbers as text: where they stand, and whether a double keeps them.
//!
//! A double keeps a number if its shortest text has the same significant digits and the same exponent: `1.10` and `1.1` are the same
//! number, `0.1000000000000000055` and `12345678901234567890.5` are not what the double says.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

/// Whether a double says the same number as a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exactness {
    /// The same number.
    Same,
    /// Digits would be lost.
    Loses,
}

/// Compares a number's text with the double it was read as.
pub(crate) fn exactness(text: &str, value: f64) -> Exactness {
    let bytes = text.as_bytes();
    let whole = !bytes.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    if whole {
        return Exactness::Loses;
    }
    // Where doubles stand closer than the decimals of this many digits, no two of these decimals share one.
    if let Some(step) = decimal_step(bytes)
        && f64::from_bits(value.abs().to_bits() + 1) - value.abs() < step
    {
        return Exactness::Same;
    }
    let mut shortest = Shortest::default();
    if write!(shortest, "{value:e}").is_err() {
        return Exactness::Loses;
    }
    if significant(text).is_some_and(|text| Some(text) == significant(shortest.as_str())) {
        Exactness::Same
    } else {
        Exactness::Loses
    }
}

/// The distance of two decimals with as many digits behind the point, for texts without an exponent.
fn decimal_step(text: &[u8]) -> Option<f64> {
    const STEPS: [f64; 17] =
        [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16];
    if text.len() > 24 || text.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return None;
    }
    let fraction = text.iter().rev().position(|byte| *byte == b'.')?;
    STEPS.get(fraction).copied()
}

/// Room for the shortest text of a double in scientific notation, which is at most 24 bytes.
#[derive(Default)]
struct Shortest {
    bytes: [u8; 32],
    len: usize,
}

impl Shortest {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for Shortest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Significant digits (no zeros at either end) and the power of ten of the first one.
#[derive(Debug)]
struct Significant<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    power: i64,
}

impl PartialEq for Significant<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.negative == other.negative && self.power == other.power && self.digits().eq(other.digits())
    }
}

impl Significant<'_> {
    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.bytes().chain(self.fraction.bytes())
    }
}

fn significant(text: &str) -> Option<Significant<'_>> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() {
        let digits = fraction.trim_start_matches('0');
        let power = exponent - 1 - (fraction.len() - digits.len()) as i64;
        let power = if digits.is_empty() { 0 } else { power };
        return Some(Significant { negative, whole: "", fraction: digits, power });
    }
    let power = exponent + whole.len() as i64 - 1;
    let whole = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
    Some(Significant { negative, whole, fraction, power })
}

/// The `n`th number token (from 1) of a JSON text behind byte `from`, which is not inside a text.
pub(crate) fn nth(text: &str, from: usize, n: u32) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut left = n;
    loop {
        match *bytes.get(at)? {
            b'"' => at = skip_text(bytes, at + 1)?,
            b'-' | b'0'..=b'9' => {
                let end = number_end(bytes, at);
                left = left.checked_sub(1)?;
                if left == 0 {
                    return Some(at..end);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
}

fn number_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    at + rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len())
}

/// The byte behind a text whose first byte is `at`.
fn skip_text(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// Puts quotes around the numbers that are too large for a double, so that a parser which refuses them keeps their digits.
pub(crate) fn quote_infinite(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut from, mut copied) = (0, 0);
    while let Some(found) = nth(text, from, 1) {
        from = found.end;
        let number = text.get(found.clone()).filter(|number| is_json(number));
        if number.and_then(|number| number.parse::<f64>().ok()).is_some_and(f64::is_infinite) {
            out.push_str(text.get(copied..found.start).unwrap_or_default());
            out.push('"');
            out.push_str(text.get(found.clone()).unwrap_or_default());
            out.push('"');
            copied = found.end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Whether JSON writes numbers like this: no leading zero, digits on both sides of the point.
pub(crate) fn is_json(number: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && digits(fraction) && digits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_keep_what_they_can() {
        for (text, expected) in [
            ("1.5", Exactness::Same),
            ("1.50", Exactness::Same),
            ("-0.25", Exactness::Same),
            ("1591367999.305988", Exactness::Same),
            ("1591367999.3059881234", Exactness::Loses),
            ("0.1000000000000000055", Exactness::Loses),
            ("100e-2", Exactness::Same),
            ("1E5", Exactness::Same),
            ("1.0e+2", Exactness::Same),
            ("123456789012345678901", Exactness::Loses),
            ("0.0000000000000000000", Exactness::Same),
            ("12345678901234567890.5", Exactness::Loses),
            ("1e-400", Exactness::Loses),
        ] {
            assert_eq!(exactness(text, text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_found_between_texts() {
        let text = r#"{"a":1,"b\"2":[2.5,-3e4],"c":"4"}, 5"#;
        for (n, expected) in [(1, "1"), (2, "2.5"), (3, "-3e4"), (4, "5")] {
            assert_eq!(&text[nth(text, 0, n).unwrap()], expected);
        }
        assert_eq!(nth(text, 0, 5), None);
        assert_eq!(nth("\"open 1", 0, 1), None);
    }

    #[test]
    fn infinite_numbers_are_quoted() {
        assert_eq!(
            quote_infinite(r#"{"a":1e999,"b":-1e999,"c":"1e999"}"#),
            r#"{"a":"1e999","b":"-1e999","c":"1e999"}"#
        );
        for same in ["[1e9]", "[01e999]", "[1.e999]", "[-01e999]"] {
            assert_eq!(quote_infinite(same), same);
        }
    }
}
