//! Right sides.

use super::lexer::{At, Fault, Token};
use super::parser::Parser;
use super::syntax::{Condition, Expression, Field, Literal, Origin, Piece, Step};

impl Parser {
    /// A whole right side: alternatives with `|`, tables allowed.
    pub(super) fn expression(&mut self) -> Result<Expression, Fault> {
        self.deeper(|parser| parser.alternatives(true))
    }

    /// What stands before a block: no table, because `{` opens the block.
    pub(super) fn operand_or_alternatives(&mut self) -> Result<Expression, Fault> {
        self.deeper(|parser| parser.alternatives(false))
    }

    /// A single value before a block or in a condition.
    pub(super) fn operand(&mut self) -> Result<Expression, Fault> {
        self.deeper(|parser| parser.alternatives(false))
    }

    /// One value without alternatives: what stands right of a comparison.
    pub(super) fn single(&mut self) -> Result<Expression, Fault> {
        self.deeper(|parser| parser.primary(false))
    }

    fn alternatives(&mut self, tables: bool) -> Result<Expression, Fault> {
        let mut all = vec![self.qualified(tables)?];
        while self.skip_mark("|") {
            all.push(self.qualified(tables)?);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Expression::First(all),
        })
    }

    /// A value with `unless` and `if` behind it.
    fn qualified(&mut self, tables: bool) -> Result<Expression, Fault> {
        let mut value = self.primary(tables)?;
        loop {
            if tables && *self.peek() == Token::Mark("{") {
                value = self.table(value)?;
            } else if self.skip_word("unless") {
                // `x unless has(y)` reads naturally, so it is understood.
                if matches!(self.peek(), Token::Word(word) if word == "has" || word == "is")
                    && *self.peek_at(1) == Token::Mark("(")
                {
                    let unwanted = Condition::Not(Box::new(self.condition()?));
                    value = Expression::If(Box::new(value), Box::new(unwanted));
                    continue;
                }
                value = Expression::Unless(Box::new(value), self.unless_list()?);
            } else if self.skip_word("if") {
                value = Expression::If(Box::new(value), Box::new(self.condition()?));
            } else {
                return Ok(value);
            }
        }
    }

    /// `"a", "b"`: goes on only while a constant follows the comma, so that it may stand in an argument list.
    fn unless_list(&mut self) -> Result<Vec<Literal>, Fault> {
        let parens = self.skip_mark("(");
        let mut list = vec![self.literal()?];
        while *self.peek() == Token::Mark(",")
            && (parens || matches!(self.peek_at(1), Token::Text(_) | Token::Int(_) | Token::Float(_)))
        {
            self.take();
            list.push(self.literal()?);
        }
        if parens {
            self.expect_mark(")")?;
        }
        Ok(list)
    }

    fn primary(&mut self, tables: bool) -> Result<Expression, Fault> {
        let at = self.at();
        match self.peek().clone() {
            Token::Text(text) => {
                self.take();
                template(&text, at)
            }
            Token::Int(_) | Token::Float(_) => Ok(Expression::Literal(self.literal()?)),
            Token::Member(name) => {
                self.take();
                Ok(Expression::Member(name, at))
            }
            Token::Mark("(") => {
                self.take();
                let inner = self.expression()?;
                self.expect_mark(")")?;
                Ok(inner)
            }
            Token::Word(word) if *self.peek_at(1) == Token::Mark("(") => self.call(word, at),
            Token::Word(word) if (word == "true" || word == "false") && *self.peek_at(1) != Token::Mark(".") => {
                Ok(Expression::Literal(self.literal()?))
            }
            Token::Word(_) | Token::Quoted(_) | Token::Capture(_) | Token::Local(_) | Token::Mark(".") => {
                Ok(Expression::Field(self.field()?))
            }
            _ => Err(self.expected(if tables { "a value" } else { "a value before `{`" })),
        }
    }

    fn call(&mut self, name: String, at: At) -> Result<Expression, Fault> {
        self.take();
        self.take();
        let mut arguments = Vec::new();
        self.skip_ends();
        while !self.skip_mark(")") {
            let is_regex = name == "regex" && arguments.len() == 1;
            match self.peek().clone() {
                // Braces of a regular expression are no template; doubled ones are understood as well.
                Token::Text(pattern) if is_regex => {
                    self.take();
                    arguments.push(Expression::Literal(Literal::Text(pattern.replace("{{", "{").replace("}}", "}"))));
                }
                _ => arguments.push(self.expression()?),
            }
            self.skip_ends();
            if !self.skip_mark(",") && *self.peek() != Token::Mark(")") {
                return Err(self.expected("`,` or `)`"));
            }
        }
        Ok(Expression::Call { name, at, arguments })
    }

    fn table(&mut self, on: Expression) -> Result<Expression, Fault> {
        self.take();
        let mut arms = Vec::new();
        let mut otherwise = None;
        loop {
            self.skip_ends();
            if self.skip_mark("}") {
                return Ok(Expression::Table { on: Box::new(on), arms, otherwise });
            }
            if self.skip_word("else") {
                self.expect_mark("=>")?;
                otherwise = Some(Box::new(self.expression()?));
            } else {
                let keys = self.literals()?;
                self.expect_mark("=>")?;
                arms.push((keys, self.expression()?));
            }
            self.skip_mark(",");
            if !matches!(self.peek(), Token::End | Token::Mark("}")) {
                return Err(self.expected("`;`, a new line or `}` after a line of the table"));
            }
        }
    }

    /// `a.b[0].c`, `%x`, `$x.y`, `.`, `.b`
    pub(super) fn field(&mut self) -> Result<Field, Fault> {
        let at = self.at();
        let mut steps = Vec::new();
        let origin = match self.take() {
            Token::Word(key) | Token::Quoted(key) => {
                steps.push(Step::Key(key));
                Origin::Record
            }
            Token::Capture(name) => Origin::Capture(name),
            Token::Local(name) => Origin::Local(name),
            Token::Mark(".") => {
                if let Token::Word(key) | Token::Quoted(key) = self.peek().clone() {
                    // `x = .` at the end of a line, or `.` before an operator word, is the element itself.
                    if !matches!(key.as_str(), "unless" | "if" | "and" | "or" | "in" | "like") {
                        self.take();
                        steps.push(Step::Key(key));
                    }
                }
                Origin::Element
            }
            _ => {
                self.rewind(self.position() - 1);
                return Err(self.expected("a field"));
            }
        };
        loop {
            if self.skip_mark(".") {
                match self.take() {
                    Token::Word(key) | Token::Quoted(key) => steps.push(Step::Key(key)),
                    Token::Int(number) => steps.push(Step::Key(number.to_string())),
                    _ => {
                        self.rewind(self.position() - 1);
                        return Err(self.expected("a key after `.`"));
                    }
                }
            } else if self.skip_mark("[") {
                steps.push(match self.take() {
                    Token::Int(index) => Step::Index(index),
                    Token::Mark("*") => Step::All,
                    _ => return Err(Fault::new(at, "in `[…]` stands a number or `*`")),
                });
                self.expect_mark("]")?;
            } else if *self.peek() == Token::Mark("[]") {
                return Err(Fault::new(self.at(), "`[]` belongs to targets; all elements of a field are `[*]`"));
            } else {
                return Ok(Field { at, origin, steps });
            }
        }
    }
}

/// A string: a constant, or a template where it has braces.
fn template(text: &str, at: At) -> Result<Expression, Fault> {
    if !text.contains(['{', '}']) {
        return Ok(Expression::Literal(Literal::Text(text.to_owned())));
    }
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at_brace) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at_brace);
        plain.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            plain.push(if from.starts_with('{') { '{' } else { '}' });
            rest = after;
            continue;
        }
        let Some((inside, after)) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            return Err(Fault::new(at, "a brace in a string is written `{{` or `}}`; `{field}` stands for a field"));
        };
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        let mut parser = Parser::new(inside).map_err(|fault| Fault::new(at, fault.message))?;
        let value =
            parser.expression().map_err(|fault| Fault::new(at, format!("in `{{{inside}}}`: {}", fault.message)))?;
        pieces.push(Piece::Value(value));
        rest = after;
    }
    plain.push_str(rest);
    if pieces.is_empty() {
        return Ok(Expression::Literal(Literal::Text(plain)));
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(Expression::Template(pieces))
}
