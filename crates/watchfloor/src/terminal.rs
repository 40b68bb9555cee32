//! What goes to the terminal: data to standard output, everything else to standard error.

use std::io::{self, Write as _};

/// Writes text to standard output.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes to standard error. If even that fails, nobody is there to be told.
pub fn say(text: &str) {
    let _ = io::stderr().lock().write_all(plain(text).as_bytes());
}

/// Writes to standard error what moves the cursor.
pub fn draw(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Text of a rule, a record or a file on a terminal: what would move the cursor or turn the line around is shown instead.
pub fn plain(text: &str) -> String {
    let is_safe = |c: char| {
        matches!(c, '\n' | '\t')
            || !c.is_control()
                && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_safe(c) { c } else { '\u{fffd}' }).collect()
}

/// Writes an error to standard error. If even that fails, nobody is there to be told.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "error: {}", plain(text));
}
