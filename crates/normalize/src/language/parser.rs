//! Tokens to syntax tree: the cursor and the statements. Heads are in [`super::head`], expressions in
//! [`super::expressions`], conditions in [`super::conditions`].

use super::lexer::{At, Fault, Token, tokens};
use super::syntax::{Block, Literal, Mapping, Names, Origin, Statement, StatementKind, Step, Target};

/// Nested blocks and expressions may go this deep.
const NESTING_MAX: usize = 64;

/// Reads a mapping file.
pub fn parse_mapping(text: &str) -> Result<Mapping, Fault> {
    let mut parser = Parser::new(text)?;
    let mut mapping = Mapping { priority: 50, ..Mapping::default() };
    while !parser.at_end_of_file() {
        if parser.skip(&Token::End) || parser.directive(&mut mapping)? {
            continue;
        }
        let statement = parser.statement()?;
        mapping.body.push(statement);
    }
    Ok(mapping)
}

/// Reads a names file.
pub fn parse_names(text: &str) -> Result<Names, Fault> {
    let mut parser = Parser::new(text)?;
    let mut names = Names::default();
    while !parser.at_end_of_file() {
        if !parser.skip(&Token::End) {
            parser.names_line(&mut names)?;
        }
    }
    Ok(names)
}

pub(super) struct Parser {
    tokens: Vec<(Token, At)>,
    next: usize,
    nesting: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Result<Self, Fault> {
        Ok(Self { tokens: tokens(text)?, next: 0, nesting: 0 })
    }

    pub(super) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens.get(self.next + ahead).map_or(&Token::Eof, |(token, _)| token)
    }

    pub(super) fn at(&self) -> At {
        self.at_ahead(0)
    }

    fn at_ahead(&self, ahead: usize) -> At {
        self.tokens.get(self.next + ahead).or(self.tokens.last()).map_or(At::default(), |(_, at)| *at)
    }

    pub(super) fn position(&self) -> usize {
        self.next
    }

    pub(super) fn rewind(&mut self, position: usize) {
        self.next = position;
    }

    pub(super) fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    pub(super) fn skip(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        self.next += usize::from(found);
        found
    }

    pub(super) fn skip_mark(&mut self, mark: &'static str) -> bool {
        self.skip(&Token::Mark(mark))
    }

    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if found == word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn skip_ends(&mut self) {
        while self.skip(&Token::End) {}
    }

    pub(super) fn expect_mark(&mut self, mark: &'static str) -> Result<(), Fault> {
        if self.skip_mark(mark) { Ok(()) } else { Err(self.expected(&format!("`{mark}`"))) }
    }

    pub(super) fn expected(&self, what: &str) -> Fault {
        Fault::new(self.at(), format!("expected {what}, found {}", self.peek()))
    }

    pub(super) fn at_end_of_file(&self) -> bool {
        *self.peek() == Token::Eof
    }

    pub(super) fn word(&mut self, what: &str) -> Result<String, Fault> {
        match self.take() {
            Token::Word(word) | Token::Quoted(word) => Ok(word),
            _ => {
                self.next -= 1;
                Err(self.expected(what))
            }
        }
    }

    pub(super) fn text(&mut self, what: &str) -> Result<String, Fault> {
        match self.take() {
            Token::Text(text) => Ok(text),
            _ => {
                self.next -= 1;
                Err(self.expected(what))
            }
        }
    }

    /// Runs a part of the parser one level deeper, and refuses files that nest without end.
    pub(super) fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(Fault::new(self.at(), format!("nested more than {NESTING_MAX} deep")));
        }
        let parsed = part(self);
        self.nesting -= 1;
        parsed
    }

    fn statement(&mut self) -> Result<Statement, Fault> {
        let at = self.at();
        let keyword = match self.peek() {
            Token::Word(word) => word.clone(),
            Token::Quoted(_) => String::new(),
            _ => return Err(self.expected("a statement")),
        };
        // `class.x = …` is an attribute that happens to be called like a statement; `each .x -> …` is not.
        let adjacent = self.at_ahead(1).column == at.column + keyword.chars().count() as u32;
        let is_target =
            matches!(self.peek_at(1), Token::Mark("=" | "[]")) || (*self.peek_at(1) == Token::Mark(".") && adjacent);
        let kind = match keyword.as_str() {
            _ if is_target => self.set()?,
            "class" => self.class()?,
            "let" => self.binding()?,
            "when" => self.deeper(Self::when)?,
            "switch" => self.deeper(Self::switch)?,
            "match" => self.deeper(Self::match_text)?,
            "each" => self.deeper(Self::each)?,
            "add" => self.deeper(Self::add)?,
            "expand" => self.expand()?,
            "unclassified" => {
                self.take();
                StatementKind::Unclassified(self.text("the reason in quotes")?)
            }
            _ => self.set()?,
        };
        if !matches!(self.peek(), Token::Mark("}")) && !self.skip(&Token::End) {
            return Err(self.expected("the end of the statement"));
        }
        Ok(Statement { at, kind })
    }

    fn set(&mut self) -> Result<StatementKind, Fault> {
        let target = self.target()?;
        self.expect_mark("=")?;
        Ok(StatementKind::Set { target, value: self.expression()? })
    }

    fn class(&mut self) -> Result<StatementKind, Fault> {
        self.take();
        let name = self.word("a class name such as `authentication`")?;
        let activity = match self.skip_mark(":") {
            false => None,
            true => match self.take() {
                Token::Word(word) | Token::Member(word) => Some(word),
                _ => return Err(self.expected("an activity such as `Logon`")),
            },
        };
        Ok(StatementKind::Class { name, activity })
    }

    fn binding(&mut self) -> Result<StatementKind, Fault> {
        self.take();
        let name = match self.take() {
            Token::Word(name) | Token::Local(name) => name,
            _ => return Err(self.expected("a name")),
        };
        self.expect_mark("=")?;
        Ok(StatementKind::Let { name, value: self.expression()? })
    }

    fn when(&mut self) -> Result<StatementKind, Fault> {
        let mut arms = Vec::new();
        let mut otherwise = Block::new();
        loop {
            self.take();
            let condition = self.condition()?;
            arms.push((condition, self.block()?));
            if !self.skip_else() {
                break;
            }
            if !matches!(self.peek(), Token::Word(word) if word == "when") {
                otherwise = self.block()?;
                break;
            }
        }
        Ok(StatementKind::When { arms, otherwise })
    }

    fn skip_else(&mut self) -> bool {
        let here = self.position();
        self.skip_ends();
        let found = self.skip_word("else");
        if !found {
            self.rewind(here);
        }
        found
    }

    fn switch(&mut self) -> Result<StatementKind, Fault> {
        self.take();
        let on = self.operand()?;
        let mut arms = Vec::new();
        let otherwise = self.arms(|parser| {
            let keys = parser.literals()?;
            arms.push((keys, parser.block()?));
            Ok(())
        })?;
        Ok(StatementKind::Switch { on, arms, otherwise })
    }

    fn match_text(&mut self) -> Result<StatementKind, Fault> {
        self.take();
        let on = self.operand()?;
        let mut arms = Vec::new();
        let otherwise = self.arms(|parser| {
            let mut patterns = Vec::new();
            loop {
                let at = parser.at();
                patterns.push((parser.text("a pattern in quotes, or `else`")?, at));
                if !parser.skip_mark(",") {
                    break;
                }
            }
            arms.push((patterns, parser.block()?));
            Ok(())
        })?;
        Ok(StatementKind::Match { on, arms, otherwise })
    }

    /// `{ arm arm else { … } }`
    fn arms(&mut self, mut arm: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<Block, Fault> {
        self.expect_mark("{")?;
        let mut otherwise = Block::new();
        loop {
            self.skip_ends();
            if self.skip_mark("}") {
                return Ok(otherwise);
            }
            if self.skip_word("else") {
                otherwise = self.block()?;
            } else {
                arm(self)?;
            }
        }
    }

    fn each(&mut self) -> Result<StatementKind, Fault> {
        self.take();
        let list = self.operand_or_alternatives()?;
        self.expect_mark("->")?;
        let target = self.target()?;
        Ok(StatementKind::Each { list, target, body: self.block()? })
    }

    fn add(&mut self) -> Result<StatementKind, Fault> {
        self.take();
        let target = self.target()?;
        Ok(StatementKind::Add { target, body: self.block()? })
    }

    fn expand(&mut self) -> Result<StatementKind, Fault> {
        self.take();
        let field = self.field()?;
        if field.origin != Origin::Record || field.steps.iter().any(|step| !matches!(step, Step::Key(_))) {
            return Err(Fault::new(field.at, "`expand` takes a field of the record, without `[…]`, `%` or `$`"));
        }
        if !self.skip_word("as") {
            return Err(self.expected("`as json` or `as kv`"));
        }
        let at = self.at();
        let format = self.word("`json` or `kv`")?;
        if format != "json" && format != "kv" {
            return Err(Fault::new(at, "`expand` reads `as json` or `as kv`"));
        }
        Ok(StatementKind::Expand { field, format })
    }

    pub(super) fn block(&mut self) -> Result<Block, Fault> {
        self.expect_mark("{")?;
        let mut block = Block::new();
        loop {
            self.skip_ends();
            if self.skip_mark("}") {
                return Ok(block);
            }
            if self.at_end_of_file() {
                return Err(self.expected("`}`"));
            }
            block.push(self.statement()?);
        }
    }

    fn target(&mut self) -> Result<Target, Fault> {
        let at = self.at();
        let mut steps = Vec::new();
        loop {
            let name = self.word("an attribute")?;
            steps.push((name, self.skip_mark("[]")));
            if !self.skip_mark(".") {
                return Ok(Target { at, steps });
            }
        }
    }

    /// One or more constants with commas between them.
    pub(super) fn literals(&mut self) -> Result<Vec<Literal>, Fault> {
        let mut literals = vec![self.literal()?];
        while self.skip_mark(",") {
            self.skip_ends();
            literals.push(self.literal()?);
        }
        Ok(literals)
    }

    pub(super) fn literal(&mut self) -> Result<Literal, Fault> {
        let literal = match self.peek() {
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Int(number) => Literal::Int(*number),
            Token::Float(number) => Literal::Float(*number),
            Token::Word(word) if word == "true" || word == "false" => Literal::Bool(word == "true"),
            Token::Word(word) => Literal::Text(word.clone()),
            _ => return Err(self.expected("a constant (text in quotes, a number, `true` or `false`)")),
        };
        self.take();
        Ok(literal)
    }
}
