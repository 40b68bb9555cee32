//! Codes of diagnostics, counted with what their messages have in common.

use std::collections::BTreeMap;

use super::{SIGNATURE_CHARS, SIGNATURES_MAX, SIGNATURES_SHOWN};

/// Counts by code and signature.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<&'static str, u64>,
    signatures: BTreeMap<(&'static str, Box<str>), u64>,
}

impl Tally {
    pub(super) fn add(&mut self, code: &'static str, signature: &str) {
        *self.counts.entry(code).or_insert(0) += 1;
        let full = self.signatures.len() >= SIGNATURES_MAX;
        let key = (code, Box::from(signature));
        match self.signatures.get_mut(&key) {
            Some(count) => *count += 1,
            None if !full => {
                self.signatures.insert(key, 1);
            }
            // The code is counted; one more wording of it is not kept.
            None => {}
        }
    }

    /// Every code with its count and its commonest signatures.
    pub(super) fn commonest(&self) -> BTreeMap<String, (u64, Vec<(String, u64)>)> {
        let mut all = BTreeMap::new();
        for (code, count) in &self.counts {
            let of_code = self.signatures.iter().filter(|((known, _), _)| known == code);
            let mut signatures: Vec<(String, u64)> =
                of_code.map(|((_, text), count)| (text.to_string(), *count)).collect();
            signatures.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
            signatures.truncate(SIGNATURES_SHOWN);
            all.insert((*code).to_owned(), (*count, signatures));
        }
        all
    }
}

/// A message without what differs from record to record: `#` for numbers, `…` for what is quoted.
pub(super) fn signature(message: &str) -> Box<str> {
    let mut out = String::with_capacity(message.len().min(SIGNATURE_CHARS));
    let mut chars = message.chars().peekable();
    let mut written = 0;
    while let Some(c) = chars.next() {
        if written >= SIGNATURE_CHARS {
            out.push('…');
            break;
        }
        written += 1;
        if c.is_ascii_digit() {
            while chars.next_if(char::is_ascii_digit).is_some() {}
            out.push('#');
        } else if c == '"' || c == '`' {
            // A quote that is never closed runs to the end.
            chars.by_ref().find(|other| *other == c);
            out.extend([c, '…', c]);
        } else {
            out.push(c);
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_drop_what_differs() {
        for (message, expected) in [
            ("expected a comma at byte 1234", "expected a comma at byte #"),
            ("it begins `abc 12`, then 7", "it begins `…`, then #"),
            ("2 keys stand twice, first \"a\\", "# keys stand twice, first \"…\""),
            ("", ""),
        ] {
            assert_eq!(&*signature(message), expected);
        }
        assert_eq!(signature(&"x".repeat(500)).chars().count(), SIGNATURE_CHARS + 1);
    }

    #[test]
    fn signatures_are_limited() {
        for count in [SIGNATURES_MAX - 1, SIGNATURES_MAX, SIGNATURES_MAX + 1] {
            let mut tally = Tally::default();
            (0..count).for_each(|n| tally.add("a.b", &"x".repeat(n)));
            tally.add("a.b", "x");
            assert!(tally.signatures.len() <= SIGNATURES_MAX);
            let (all, signatures) = tally.commonest().remove("a.b").unwrap();
            assert_eq!((all, signatures.first()), (count as u64 + 1, Some(&("x".to_owned(), 2))));
        }
    }
}
