//! Lines that say what the columns of the lines below them are.
//!
//! | line | is |
//! |---|---|
//! | `#Fields: date time …` | W3C; may change in the middle of a file. Names separated by commas mean rows separated by commas |
//! | `#separator \x09`, `#fields…`, `#types…`, `#path…`, `#unset_field…` | Zeek |
//! | `version account-id interface-id srcaddr …` | AWS flow log, separated by blanks |
//! | the first line, if it is at least [`COLUMNS_MIN`] different names and the second line has as many fields | csv, with `,`, `;` or a tab |
//! | `#TYPE …`, `sep=;` in the first line | spreadsheets' hints, skipped |
//!
//! A line with less than half the fields is not a row of the header but a line like any other.

use std::sync::Arc;

use super::{Framer, Step, trim_line};
use crate::Format;
use crate::frame::{Batch, Context, Zeek};

/// Fewest columns that make a first line a header.
const COLUMNS_MIN: usize = 3;
/// Longest name of a column.
const NAME_BYTES_MAX: usize = 64;
/// How far the second line may reach to confirm a header.
const CONFIRM_BYTES_MAX: usize = 1024 * 1024;
/// W3C directives other than `#Fields:`.
const W3C_DIRECTIVES: [&str; 8] =
    ["#Version:", "#Software:", "#Date:", "#Remark:", "#Start-Date:", "#End-Date:", "#Log-type:", "#Copyright:"];

impl Framer {
    /// A line that begins with `#`.
    pub(super) fn directive(&mut self, end: bool, out: &mut Batch) -> Step {
        let found = self.buffer.line_end();
        let rest = self.buffer.rest();
        let line_end = match found {
            Some(line_end) => line_end,
            None if end => rest.len(),
            // No directive is this long.
            None if rest.len() > CONFIRM_BYTES_MAX => return self.line(end, out),
            None => return Step::More,
        };
        if line_end > CONFIRM_BYTES_MAX {
            return self.line(end, out);
        }
        let line = String::from_utf8_lossy(trim_line(rest.get(..line_end).unwrap_or_default())).into_owned();
        let consumed = (line_end + 1).min(rest.len());
        let under = self.header.as_ref().map(|header| header.format);
        let known = if let Some(names) = line.strip_prefix("#Fields:") {
            self.header = Some(Arc::new(w3c(names)));
            true
        } else {
            self.zeek_directive(&line)
                || W3C_DIRECTIVES.iter().any(|word| line.starts_with(word))
                || matches!(under, Some(Format::W3c | Format::Zeek))
                || (self.first && line.starts_with("#TYPE "))
        };
        if !known {
            return self.line(end, out);
        }
        self.buffer.consume(consumed);
        Step::Again
    }

    fn zeek_directive(&mut self, line: &str) -> bool {
        if let Some(separator) = line.strip_prefix("#separator ") {
            let mut context = Context::header(Format::Zeek, separator_byte(separator), Vec::new());
            context.zeek = Some(Zeek {
                set_separator: ",".to_owned(),
                empty: "(empty)".to_owned(),
                unset: "-".to_owned(),
                ..Zeek::default()
            });
            self.header = Some(Arc::new(context));
            return true;
        }
        let Some(header) = self.header.as_mut().filter(|header| header.format == Format::Zeek) else { return false };
        let context = Arc::make_mut(header);
        let separator = char::from(context.separator);
        let (name, value) = line.split_once(separator).unwrap_or((line, ""));
        let Some(zeek) = &mut context.zeek else { return false };
        let list = || value.split(separator).map(str::to_owned).collect();
        match name {
            "#set_separator" if !value.is_empty() => value.clone_into(&mut zeek.set_separator),
            "#empty_field" => value.clone_into(&mut zeek.empty),
            "#unset_field" => value.clone_into(&mut zeek.unset),
            "#path" => value.clone_into(&mut zeek.path),
            "#types" => zeek.types = list(),
            "#fields" => context.columns = list(),
            _ => {}
        }
        true
    }

    /// Whether the first line (of `len` bytes, `consumed` with its end) is a header of names.
    pub(super) fn column_names(&mut self, len: usize, consumed: usize, end: bool) -> Option<Step> {
        let rest = self.buffer.rest();
        let line = std::str::from_utf8(rest.get(..len)?).ok()?;
        if line.len() == 5 && line.starts_with("sep=") {
            self.buffer.consume(consumed);
            return Some(Step::Again);
        }
        if let Some(columns) = flow_log(line) {
            self.header = Some(Arc::new(Context::header(Format::Ssv, b' ', columns)));
            self.first = false;
            self.buffer.consume(consumed);
            return Some(Step::Again);
        }
        let (separator, columns) = [b',', b';', b'\t'].into_iter().find_map(|by| Some((by, names(line, by)?)))?;
        let behind = rest.get(consumed..).unwrap_or_default();
        let second = match memchr::memchr(b'\n', behind) {
            Some(line_end) => behind.get(..line_end).unwrap_or_default(),
            None if end => behind,
            None if behind.len() > CONFIRM_BYTES_MAX => return None,
            None => return Some(Step::More),
        };
        let fields = fields(trim_line(second), separator);
        let confirmed = match fields {
            Fields::Whole(count) => count == columns.len(),
            Fields::Open(count) => count <= columns.len() && count > 1,
        };
        if second.len() > CONFIRM_BYTES_MAX || !confirmed {
            return None;
        }
        self.header = Some(Arc::new(Context::header(Format::Csv, separator, columns)));
        self.first = false;
        self.buffer.consume(consumed);
        Some(Step::Again)
    }
}

fn w3c(names: &str) -> Context {
    let names = names.trim();
    let (separator, names): (u8, Vec<String>) = if names.contains(',') {
        (b',', names.split(',').map(|name| name.trim().to_owned()).collect())
    } else {
        (b' ', names.split_ascii_whitespace().map(str::to_owned).collect())
    };
    Context::header(Format::W3c, separator, names)
}

/// `\x09`, or the character itself.
fn separator_byte(text: &str) -> u8 {
    let code = text.trim().strip_prefix("\\x").and_then(|code| u8::from_str_radix(code, 16).ok());
    code.or_else(|| text.bytes().next()).filter(u8::is_ascii).unwrap_or(b'\t')
}

/// The header line of an AWS flow log, in whatever order its fields were chosen.
fn flow_log(line: &str) -> Option<Vec<String>> {
    const CERTAIN: [&str; 3] = ["account-id", "interface-id", "srcaddr"];
    let is_name =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let sure =
        words.len() >= 4 && words.iter().all(|word| is_name(word)) && words.iter().any(|word| CERTAIN.contains(word));
    sure.then(|| words.into_iter().map(str::to_owned).collect())
}

/// The line's fields, if all of them are different names.
fn names(line: &str, separator: u8) -> Option<Vec<String>> {
    let count = memchr::memchr_iter(separator, line.as_bytes()).count() + 1;
    if count < COLUMNS_MIN {
        return None;
    }
    let mut names: Vec<String> = Vec::with_capacity(count);
    for field in line.split(char::from(separator)) {
        let field = field.trim();
        let name = field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field);
        if !is_name(name) {
            return None;
        }
        names.push(name.to_owned());
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    let twice = sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    (!twice).then_some(names)
}

fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '@' | '#'));
    let is_part = |part: char| {
        part.is_alphanumeric()
            || matches!(part, '_' | '-' | '.' | ' ' | '/' | '(' | ')' | '[' | ']' | ':' | '@' | '#' | '%')
    };
    starts && name.len() <= NAME_BYTES_MAX && name.chars().all(is_part)
}

enum Fields {
    Whole(usize),
    /// The line ends inside quotes.
    Open(usize),
}

/// Number of fields of a line.
fn fields(line: &[u8], separator: u8) -> Fields {
    let (mut count, mut quoted) = (1, false);
    for byte in line {
        quoted ^= *byte == b'"';
        count += usize::from(!quoted && *byte == separator);
    }
    if quoted { Fields::Open(count) } else { Fields::Whole(count) }
}
