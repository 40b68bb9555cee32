//! The head of a mapping file, and the lines of a names file.

use super::lexer::{Fault, Token};
use super::parser::Parser;
use super::syntax::{Columns, Mapping, NamePath, Names, Silence};

impl Parser {
    /// Reads a head directive, if one stands here.
    pub(super) fn directive(&mut self, mapping: &mut Mapping) -> Result<bool, Fault> {
        let Token::Word(word) = self.peek().clone() else { return Ok(false) };
        if matches!(self.peek_at(1), Token::Mark("." | "=" | "[]")) {
            return Ok(false);
        }
        let (start, at) = (self.position(), self.at());
        self.take();
        match word.as_str() {
            "source" => mapping.source = self.dotted("a kind such as `acme.door`")?,
            "title" => mapping.title = self.text("text in quotes")?,
            "vendor" => mapping.vendor = self.text("text in quotes")?,
            "product" => mapping.product = self.text("text in quotes")?,
            "format" => mapping.formats.extend(self.words_to_end("a format such as `json`")?),
            "names" => mapping.names.extend(self.words_to_end("the name of a names file")?),
            "absent" => mapping.absent.extend(self.texts_to_end()?),
            "detect" => mapping.detect.push(self.condition()?),
            "priority" => mapping.priority = self.whole_number()?,
            "silence" => mapping.silence = Some(self.silence()?),
            "columns" => mapping.columns.push(self.columns()?),
            "unwrap" => {
                while matches!(self.peek(), Token::Word(_) | Token::Quoted(_)) {
                    mapping.unwrap.push(self.word("a key")?);
                }
            }
            _ => {
                self.rewind(start);
                return Ok(false);
            }
        }
        if !self.skip(&Token::End) {
            return Err(self.expected("the end of the line"));
        }
        if mapping.body.is_empty() {
            return Ok(true);
        }
        Err(Fault::new(at, format!("`{word}` belongs to the head, before the first statement")))
    }

    fn whole_number(&mut self) -> Result<i64, Fault> {
        match self.take() {
            Token::Int(number) => Ok(number),
            _ => Err(self.expected("a whole number")),
        }
    }

    fn dotted(&mut self, what: &str) -> Result<String, Fault> {
        let mut name = self.word(what)?;
        while self.skip_mark(".") {
            name.push('.');
            name.push_str(&self.word(what)?);
        }
        Ok(name)
    }

    fn words_to_end(&mut self, what: &str) -> Result<Vec<(String, super::lexer::At)>, Fault> {
        let mut words = Vec::new();
        while *self.peek() != Token::End {
            let at = self.at();
            words.push((self.word(what)?, at));
            self.skip_mark(",");
        }
        if words.is_empty() { Err(self.expected(what)) } else { Ok(words) }
    }

    fn texts_to_end(&mut self) -> Result<Vec<String>, Fault> {
        let mut texts = Vec::new();
        while *self.peek() != Token::End {
            texts.push(self.text("text in quotes")?);
            self.skip_mark(",");
        }
        Ok(texts)
    }

    fn silence(&mut self) -> Result<Silence, Fault> {
        let at = self.at();
        let word = self.word("an interval such as `15m`, or `none`")?;
        let seconds = match word.as_str() {
            "none" => None,
            _ => Some(interval(&word).ok_or_else(|| {
                Fault::new(at, format!("`{word}` is no interval: write `30s`, `15m`, `4h` or `2d`, or `none`"))
            })?),
        };
        Ok(Silence { seconds, meaning: self.text("what silence means, in quotes")? })
    }

    fn columns(&mut self) -> Result<Columns, Fault> {
        let when =
            if *self.peek() == Token::Mark(":") || self.columns_follow() { None } else { Some(self.condition()?) };
        self.skip_mark(":");
        let names = self.words_to_end("a column name")?.into_iter().map(|(name, _)| name).collect();
        Ok(Columns { when, names })
    }

    /// `columns a, b, c` without a condition: a word and then a comma.
    fn columns_follow(&self) -> bool {
        matches!(self.peek(), Token::Word(_) | Token::Quoted(_)) && matches!(self.peek_at(1), Token::Mark(","))
    }

    /// One line of a names file.
    pub(super) fn names_line(&mut self, names: &mut Names) -> Result<(), Fault> {
        let (at, is_field) = (self.at(), matches!(self.peek_at(1), Token::Mark("=" | ".")));
        if self.skip_mark("*") {
            self.expect_mark("=")?;
            let paths = self.name_paths()?;
            if let Some(path) = paths.iter().find(|path| !matches!(path.last(), Some(None))) {
                let shown = show(path);
                return Err(Fault::new(at, format!("a path for other fields ends in `*`, `{shown}` does not")));
            }
            names.others.extend(paths);
        } else {
            let mut word = self.word("`names`, `applies`, `format`, or a field")?;
            while is_field && self.skip_mark(".") {
                word.push('.');
                word.push_str(&self.word("a name")?);
            }
            match word.as_str() {
                _ if is_field => {
                    self.expect_mark("=")?;
                    let paths = self.name_paths()?;
                    names.fields.push((word, paths));
                }
                "names" => names.name = self.dotted("a name")?,
                "applies" => names.applies = Some(self.condition()?),
                "format" => {
                    let at = self.at();
                    names.format = Some((self.word("a format")?, at));
                }
                _ => {
                    return Err(Fault::new(
                        at,
                        format!("`{word}` is none of `names`, `applies`, `format`, or a field with `=`"),
                    ));
                }
            }
        }
        if self.skip(&Token::End) { Ok(()) } else { Err(self.expected("the end of the line")) }
    }

    fn name_paths(&mut self) -> Result<Vec<NamePath>, Fault> {
        let mut paths = Vec::new();
        loop {
            let mut path = NamePath::new();
            loop {
                path.push(if self.skip_mark("*") { None } else { Some(self.word("a key or `*`")?) });
                if !self.skip_mark(".") {
                    break;
                }
            }
            paths.push(path);
            if !self.skip_mark(",") && !self.skip_mark("|") {
                return Ok(paths);
            }
        }
    }
}

fn show(path: &NamePath) -> String {
    path.iter().map(|key| key.as_deref().unwrap_or("*")).collect::<Vec<_>>().join(".")
}

/// `15m` in seconds.
fn interval(word: &str) -> Option<u64> {
    let (number, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds)
}
