//! Text of records, rules and file names on its way into the page. All of it is hostile: this is the only way in.

use std::fmt::{self, Display, Formatter, Write as _};

/// Longest text of one line, in characters.
const LINE_CHARS_MAX: usize = 400;

/// Text for an element or an attribute: what HTML would read is escaped, what could not be seen is shown.
#[derive(Clone, Copy, Debug)]
pub struct Text<'t> {
    text: &'t str,
    chars_max: usize,
    block: bool,
}

impl<'t> Text<'t> {
    /// One line.
    pub fn line(text: &'t str) -> Self {
        Self { text, chars_max: LINE_CHARS_MAX, block: false }
    }

    /// Several lines, of at most so many characters. Line ends and tabs stay what they are.
    pub fn block(text: &'t str, chars_max: usize) -> Self {
        Self { text: text.trim_end(), chars_max, block: true }
    }
}

impl Display for Text<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let (shown, is_cut) = match self.text.char_indices().nth(self.chars_max) {
            Some((end, _)) => (self.text.get(..end).unwrap_or_default(), true),
            None => (self.text, false),
        };
        let mut plain_from = 0;
        for (at, c) in shown.char_indices() {
            if !is_special(c) || self.block && matches!(c, '\n' | '\t') {
                continue;
            }
            out.write_str(shown.get(plain_from..at).unwrap_or_default())?;
            plain_from = at + c.len_utf8();
            let ends_line = c == '\r' && shown.get(plain_from..).is_some_and(|rest| rest.starts_with('\n'));
            if !(self.block && ends_line) {
                write_special(c, out)?;
            }
        }
        out.write_str(shown.get(plain_from..).unwrap_or_default())?;
        if is_cut { out.write_char('…') } else { Ok(()) }
    }
}

/// Whether a character is not written as it is.
fn is_special(c: char) -> bool {
    match c {
        '&' | '<' | '>' | '"' | '\'' | '`' => true,
        ' '..='~' => false,
        _ => c.is_control() || is_unseen(c),
    }
}

/// Characters that turn the text around them about, or take no room: with them, a name looks like another one.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

fn write_special(c: char, out: &mut Formatter<'_>) -> fmt::Result {
    match c {
        '&' => out.write_str("&amp;"),
        '<' => out.write_str("&lt;"),
        '>' => out.write_str("&gt;"),
        '"' => out.write_str("&quot;"),
        '\'' => out.write_str("&#39;"),
        '`' => out.write_str("&#96;"),
        _ => write!(out, "⟨U+{:04X}⟩", u32::from(c)),
    }
}

/// An address that may become a link: one of the web, in characters that look like no others.
pub fn is_link(address: &str) -> bool {
    let lower = address.get(..8).map(str::to_ascii_lowercase).unwrap_or_default();
    (lower.starts_with("https://") || lower.starts_with("http://"))
        && address.len() <= LINE_CHARS_MAX
        && address.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A number with its thousands apart.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub u64);

impl Display for Number {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.write_char(',')?;
            }
            out.write_char(digit)?;
        }
        Ok(())
    }
}

/// A number of things.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64, pub &'static str, pub &'static str);

impl Display for Count {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self(number, one, many) = *self;
        write!(out, "{} {}", Number(number), if number == 1 { one } else { many })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let check = |text: &str, line: &str| assert_eq!(Text::line(text).to_string(), line, "{text:?}");
        check("", "");
        check("plain — Ünïcode", "plain — Ünïcode");
        check("<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
        check("\" onload=`x` &amp;", "&quot; onload=&#96;x&#96; &amp;amp;");
        check("a\r\n\tb\0\u{1b}[2J\u{7f}\u{85}", "a⟨U+000D⟩⟨U+000A⟩⟨U+0009⟩b⟨U+0000⟩⟨U+001B⟩[2J⟨U+007F⟩⟨U+0085⟩");
        check("exe.\u{202e}gpj\u{2066}\u{200b}\u{e0041}", "exe.⟨U+202E⟩gpj⟨U+2066⟩⟨U+200B⟩⟨U+E0041⟩");
        check(&"ä".repeat(400), &"ä".repeat(400));
        check(&"ä".repeat(401), &("ä".repeat(400) + "…"));
        assert_eq!(Text::block("a\r\n\tb\rc\u{202e}\n\n", 99).to_string(), "a\n\tb⟨U+000D⟩c⟨U+202E⟩");
    }

    #[test]
    fn only_addresses_of_the_web_are_links() {
        for (address, is) in [
            ("https://example.com/a?b=c&d", true),
            ("HTTP://example.com", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            (" https://example.com", false),
            ("https://example.com/a b", false),
            ("https://ex\u{202e}ample.com", false),
            ("https://exаmple.com", false),
            ("http:/", false),
            ("", false),
        ] {
            assert_eq!(is_link(address), is, "{address}");
        }
    }

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(Number(number).to_string(), shown);
        }
        assert_eq!(Count(1, "match", "matches").to_string(), "1 match");
    }
}
