//! Text to tokens. A newline is a token unless a round or square bracket is open, or the line obviously goes on.

use std::fmt;

/// Where a token or statement begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// An error in a mapping file: a user's mistake, with a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: At,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Fault {
    /// An error at a place.
    pub fn new(at: At, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// The error with the line it is about, for a terminal.
    #[must_use]
    pub fn render(&self, file: &str, text: &str) -> String {
        let line = text.lines().nth(self.at.line.saturating_sub(1) as usize).unwrap_or("");
        let number = self.at.line.to_string();
        let gap = " ".repeat(number.len());
        let indent = " ".repeat(self.at.column.saturating_sub(1) as usize);
        format!(
            "{}\n{gap} --> {file}:{}:{}\n{gap} |\n{number} | {line}\n{gap} | {indent}^",
            self.message, self.at.line, self.at.column
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.at.line, self.at.column, self.message)
    }
}

impl std::error::Error for Fault {}

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A bare word.
    Word(String),
    /// A name in backticks.
    Quoted(String),
    /// A string.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// `%name`
    Capture(String),
    /// `$name`
    Local(String),
    /// `@Member`
    Member(String),
    /// Punctuation, as written.
    Mark(&'static str),
    /// End of a statement: a newline or `;`.
    End,
    /// End of the file.
    Eof,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Quoted(name) => write!(f, "`{name}` in backticks"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Capture(name) => write!(f, "%{name}"),
            Self::Local(name) => write!(f, "${name}"),
            Self::Member(name) => write!(f, "@{name}"),
            Self::Mark(mark) => write!(f, "`{mark}`"),
            Self::End => write!(f, "the end of the line"),
            Self::Eof => write!(f, "the end of the file"),
        }
    }
}

/// Longest first, so that `=>` is not read as `=`.
const MARKS: &[&str] = &[
    "=>", "=~", "!=", "<=", ">=", "->", "[]", "=", "<", ">", "~", "|", ":", ",", "(", ")", "[", "]", "{", "}", ".", "*",
];

struct Lexer<'a> {
    text: &'a str,
    at: At,
    open: usize,
    tokens: Vec<(Token, At)>,
}

/// Splits a mapping file into tokens.
pub fn tokens(text: &str) -> Result<Vec<(Token, At)>, Fault> {
    let mut lexer = Lexer { text, at: At { line: 1, column: 1 }, open: 0, tokens: Vec::new() };
    while let Some(next) = lexer.text.chars().next() {
        lexer.step(next)?;
    }
    let at = lexer.at;
    lexer.tokens.push((Token::End, at));
    lexer.tokens.push((Token::Eof, at));
    Ok(join_lines(lexer.tokens))
}

/// Drops the newlines of statements that go on: after a comma or operator, before `|`, `and`, `or`.
fn join_lines(tokens: Vec<(Token, At)>) -> Vec<(Token, At)> {
    let goes_on_after = |token: &Token| {
        matches!(token, Token::Mark("," | "|" | "=" | "!=" | "=>" | "~" | "=~" | ":"))
            || matches!(token, Token::Word(word) if word == "and" || word == "or" || word == "not")
    };
    let goes_on_before = |token: &Token| {
        matches!(token, Token::Mark("|")) || matches!(token, Token::Word(word) if word == "and" || word == "or")
    };
    let mut joined: Vec<(Token, At)> = Vec::with_capacity(tokens.len());
    for (token, at) in tokens {
        if goes_on_before(&token) {
            while matches!(joined.last(), Some((Token::End, _))) {
                joined.pop();
            }
        }
        if token == Token::End && joined.last().is_none_or(|(last, _)| *last == Token::End || goes_on_after(last)) {
            continue;
        }
        joined.push((token, at));
    }
    joined
}

impl Lexer<'_> {
    fn step(&mut self, next: char) -> Result<(), Fault> {
        match next {
            '\n' => {
                if self.open == 0 {
                    self.push(Token::End);
                }
                self.eat(1);
            }
            ';' => {
                self.push(Token::End);
                self.eat(1);
            }
            '#' => self.eat(self.text.find('\n').unwrap_or(self.text.len())),
            '"' => return self.string(),
            '`' => return self.quoted(),
            '%' | '$' | '@' => return self.sigil(next),
            c if c.is_whitespace() => self.eat(c.len_utf8()),
            c if c.is_ascii_digit() => return self.number(),
            '-' if self.text.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) => {
                return self.number();
            }
            c if is_word(c) && c != '-' && c != '/' => {
                let len = word_len(self.text);
                let word = self.text.get(..len).unwrap_or_default().to_owned();
                self.push(Token::Word(word));
                self.eat(len);
            }
            _ => return self.mark(),
        }
        Ok(())
    }

    fn push(&mut self, token: Token) {
        self.tokens.push((token, self.at));
    }

    fn eat(&mut self, bytes: usize) {
        let (eaten, rest) = self.text.split_at_checked(bytes).unwrap_or((self.text, ""));
        for c in eaten.chars() {
            if c == '\n' {
                self.at = At { line: self.at.line + 1, column: 1 };
            } else {
                self.at.column += 1;
            }
        }
        self.text = rest;
    }

    fn mark(&mut self) -> Result<(), Fault> {
        let Some(mark) = MARKS.iter().find(|mark| self.text.starts_with(**mark)) else {
            let odd = self.text.chars().next().unwrap_or(' ');
            return Err(Fault::new(self.at, format!("`{odd}` has no meaning here")));
        };
        match *mark {
            "(" | "[" => self.open += 1,
            ")" | "]" => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.push(Token::Mark(mark));
        self.eat(mark.len());
        Ok(())
    }

    fn sigil(&mut self, sigil: char) -> Result<(), Fault> {
        let len = word_len(self.text.get(1..).unwrap_or_default());
        let name = self.text.get(1..=len).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(Fault::new(self.at, format!("a name must follow `{sigil}`")));
        }
        self.push(match sigil {
            '%' => Token::Capture(name),
            '$' => Token::Local(name),
            _ => Token::Member(name),
        });
        self.eat(len + 1);
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let len = self
            .text
            .char_indices()
            .find(|&(i, c)| !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || (c == '-' && i == 0)))
            .map_or(self.text.len(), |(i, _)| i);
        let written = self.text.get(..len).unwrap_or_default();
        let hex = written.strip_prefix("0x").or_else(|| written.strip_prefix("0X"));
        let token = match hex {
            Some(digits) => i64::from_str_radix(digits, 16).ok().map(Token::Int),
            None => written.parse().ok().map(Token::Int).or_else(|| float(written)),
        };
        // A word may begin with a digit (`5xx`, `7z`): what is no number is one.
        let token = token.unwrap_or_else(|| Token::Word(written.to_owned()));
        if matches!(token, Token::Word(ref word) if !word.chars().all(is_word)) {
            return Err(Fault::new(self.at, format!("`{written}` is no number")));
        }
        self.push(token);
        self.eat(len);
        Ok(())
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.text.char_indices().skip(1);
        loop {
            match chars.next() {
                None | Some((_, '\n')) => return Err(Fault::new(start, "this string has no closing quote")),
                Some((i, '"')) => {
                    self.push(Token::Text(text));
                    self.eat(i + 1);
                    return Ok(());
                }
                Some((_, '\\')) => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    // A backslash before anything else stands for itself, so that regular expressions read as they are.
                    Some((_, c)) => {
                        text.push('\\');
                        text.push(c);
                    }
                    None => return Err(Fault::new(start, "this string has no closing quote")),
                },
                Some((_, c)) => text.push(c),
            }
        }
    }

    fn quoted(&mut self) -> Result<(), Fault> {
        let rest = self.text.get(1..).unwrap_or_default();
        let Some(len) = rest.find(['`', '\n']).filter(|&len| rest.as_bytes().get(len) == Some(&b'`')) else {
            return Err(Fault::new(self.at, "this name has no closing backtick"));
        };
        let name = rest.get(..len).unwrap_or_default().to_owned();
        self.push(Token::Quoted(name));
        self.eat(len + 2);
        Ok(())
    }
}

fn float(written: &str) -> Option<Token> {
    written.parse().ok().filter(|_| written.contains('.')).map(Token::Float)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-' || c == '/'
}

/// A word goes on over `-` and `/` only if a letter or digit follows, so that `a->b` is three tokens.
fn word_len(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        let inner = c == '-' || c == '/';
        let next_is_letter = chars.peek().is_some_and(|&(_, next)| next.is_alphanumeric() || next == '_');
        if !is_word(c) || (inner && !next_is_letter) {
            return i;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match tokens(text) {
            Ok(tokens) => tokens.iter().map(|(token, _)| format!("{token}")).collect::<Vec<_>>().join(" "),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn tokens_are_read_as_written() {
        for (text, expected) in [
            ("a.b-c = 0x3e7", "`a` `.` `b-c` `=` 999 the end of the line the end of the file"),
            ("each x->y", "`each` `x` `->` `y` the end of the line the end of the file"),
            ("a = b\n  | c", "`a` `=` `b` `|` `c` the end of the line the end of the file"),
            ("f(a,\n b)", "`f` `(` `a` `,` `b` `)` the end of the line the end of the file"),
            ("`id.orig_h` @Ok %x $y", "`id.orig_h` in backticks @Ok %x $y the end of the line the end of the file"),
            ("\"a\\d\\\"\"", "\"a\\d\"\" the end of the line the end of the file"),
            ("a \"b", "line 1, column 3: this string has no closing quote"),
            ("a\n ^", "line 2, column 2: `^` has no meaning here"),
            ("win/reg_key", "`win/reg_key` the end of the line the end of the file"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
