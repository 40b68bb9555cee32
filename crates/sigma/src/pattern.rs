//! Texts with wildcards.
//!
//! `*` is any text and `?` one character; a backslash before one of them, or before a backslash, takes its meaning away. A backslash before
//! anything else is itself. So `\*` is a star, `\\*` a backslash and then any text, `\\\*` a backslash and a star, and `C:\Windows` what it
//! looks like; `\\` is one backslash, as is `\`.

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// This text.
    Text(String),
    /// Any text, also none.
    Any,
    /// One character.
    One,
}

/// A text with wildcards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pattern {
    /// Pieces; no two texts stand side by side, no two [`Part::Any`] either.
    pub parts: Vec<Part>,
    /// Whether case matters. If it does not, the texts are in lower case already.
    pub cased: bool,
}

impl Pattern {
    /// Reads a text with wildcards and escapes.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut pattern = Self { parts: Vec::new(), cased: true };
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '*' => pattern.push(Part::Any),
                '?' => pattern.push(Part::One),
                '\\' => match chars.peek() {
                    Some('*' | '?' | '\\') => pattern.push_char(chars.next().unwrap_or('\\')),
                    _ => pattern.push_char('\\'),
                },
                other => pattern.push_char(other),
            }
        }
        pattern
    }

    /// A text without wildcards.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        let parts = if text.is_empty() { Vec::new() } else { vec![Part::Text(text.to_owned())] };
        Self { parts, cased: true }
    }

    /// The text, if there are no wildcards in it.
    #[must_use]
    pub fn as_plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Any text may stand before it.
    pub fn open_start(&mut self) {
        if self.parts.first() != Some(&Part::Any) {
            self.parts.insert(0, Part::Any);
        }
    }

    /// Any text may stand behind it.
    pub fn open_end(&mut self) {
        self.push(Part::Any);
    }

    /// Case does not matter.
    pub fn ignore_case(&mut self) {
        self.cased = false;
        for part in &mut self.parts {
            if let Part::Text(text) = part {
                *text = lower(text);
            }
        }
    }

    /// Adds a piece.
    pub fn push(&mut self, part: Part) {
        match (self.parts.last_mut(), part) {
            (Some(Part::Any), Part::Any) => {}
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (_, part) => self.parts.push(part),
        }
    }

    /// Adds a character.
    pub fn push_char(&mut self, c: char) {
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => self.parts.push(Part::Text(c.to_string())),
        }
    }

    /// Whether a text fits as a whole. If case does not matter, the text must be in lower case already.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        fits(&self.parts, text)
    }
}

/// A text in lower case, character by character, whatever stands beside it: so a piece of a text is the same piece in lower case.
#[must_use]
pub fn lower(text: &str) -> String {
    let mut lowered = String::with_capacity(text.len());
    lower_into(text, &mut lowered);
    lowered
}

/// Appends a text in lower case, as [`lower`] writes it.
pub fn lower_into(text: &str, lowered: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let (plain, other) = rest.split_at_checked(ascii_bytes(rest)).unwrap_or((rest, ""));
        let from = lowered.len();
        lowered.push_str(plain);
        if let Some(added) = lowered.get_mut(from..) {
            added.make_ascii_lowercase();
        }
        let mut chars = other.chars();
        lowered.extend(chars.next().into_iter().flat_map(char::to_lowercase));
        rest = chars.as_str();
    }
}

/// How many bytes of ASCII a text begins with.
fn ascii_bytes(text: &str) -> usize {
    const STEP: usize = 64;
    if text.is_ascii() {
        return text.len();
    }
    let whole = STEP * text.as_bytes().chunks_exact(STEP).take_while(|chunk| chunk.is_ascii()).count();
    let rest = text.bytes().skip(whole).take_while(u8::is_ascii).count();
    whole + rest
}

/// Fits pieces from the left, going back to the last [`Part::Any`] only: what stands before it fits at its first place or nowhere.
fn fits(parts: &[Part], text: &str) -> bool {
    let (mut at, mut rest) = (0, text);
    let mut again: Option<(usize, &str)> = None;
    loop {
        let next = match parts.get(at) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Part::Any) if at + 1 == parts.len() => return true,
            Some(Part::Any) => {
                again = Some((at + 1, rest));
                Some(rest)
            }
            Some(Part::One) => rest.chars().next().and_then(|c| rest.get(c.len_utf8()..)),
            Some(Part::Text(wanted)) => rest.strip_prefix(wanted.as_str()),
        };
        if let Some(next) = next {
            rest = next;
            at += 1;
            continue;
        }
        // One character more for the last star.
        let Some((behind, from)) = again else { return false };
        let Some(from) = from.chars().next().and_then(|c| from.get(c.len_utf8()..)) else { return false };
        again = Some((behind, from));
        (at, rest) = (behind, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_the_specification() {
        let text = |text: &str| Part::Text(text.to_owned());
        for (source, expected) in [
            ("a*b?c", vec![text("a"), Part::Any, text("b"), Part::One, text("c")]),
            (r"\*", vec![text("*")]),
            (r"\\*", vec![text("\\"), Part::Any]),
            (r"\\\*", vec![text(r"\*")]),
            (r"C:\Windows\System32", vec![text(r"C:\Windows\System32")]),
            (r"\\server", vec![text(r"\server")]),
            (r"\\\\server", vec![text(r"\\server")]),
            (r"\\\server", vec![text(r"\\server")]),
            ("a**b", vec![text("a"), Part::Any, text("b")]),
            ("", vec![]),
            ("tail\\", vec![text("tail\\")]),
        ] {
            assert_eq!(Pattern::parse(source).parts, expected, "{source}");
        }
    }

    #[test]
    fn lower_case_is_that_of_each_character() {
        let long = format!("{}Ä{}ß", "A".repeat(130), "Bc".repeat(40));
        for text in ["", "ABC", "ÄB", "aÖ", "ΣΑΣ", "İK", &long] {
            let due: String = text.chars().flat_map(char::to_lowercase).collect();
            assert_eq!(lower(text), due, "{text}");
        }
    }

    #[test]
    fn patterns_fit() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("*b*", "abc", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "ü", true),
            ("??", "ü", false),
            ("*ab", "aab", true),
            ("*a?c*", "xxabcxx", true),
            (r"*\cmd.exe", r"c:\windows\cmd.exe", true),
        ] {
            assert_eq!(Pattern::parse(pattern).fits(text), expected, "{pattern} on {text}");
        }
    }
}
