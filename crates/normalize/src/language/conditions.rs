//! Conditions.

use super::lexer::{Fault, Token};
use super::parser::Parser;
use super::syntax::{Compare, Condition, Expression, Literal};

impl Parser {
    /// `a or b`, `a and b`, `not a`, comparisons.
    pub(super) fn condition(&mut self) -> Result<Condition, Fault> {
        self.deeper(|parser| {
            let mut any = vec![parser.conjunction()?];
            while parser.skip_word("or") {
                any.push(parser.conjunction()?);
            }
            Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
        })
    }

    fn conjunction(&mut self) -> Result<Condition, Fault> {
        let mut all = vec![self.negation()?];
        while self.skip_word("and") {
            all.push(self.negation()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn negation(&mut self) -> Result<Condition, Fault> {
        if matches!(self.peek(), Token::Word(word) if word == "not") {
            self.take();
            return self.deeper(|parser| Ok(Condition::Not(Box::new(parser.negation()?))));
        }
        if *self.peek() == Token::Mark("(")
            && let Some(group) = self.group()?
        {
            return Ok(group);
        }
        self.comparison()
    }

    /// A bracket may hold a condition or a value: it is a condition if it reads as one and no operator follows.
    fn group(&mut self) -> Result<Option<Condition>, Fault> {
        let start = self.position();
        self.take();
        let inner = match self.condition() {
            Ok(inner) => inner,
            // Both readings failed: the condition's error is the one that helps, unless the value reading goes on.
            Err(fault) => {
                self.rewind(start);
                let value = self.operand();
                let is_value = value.is_ok() && !matches!(self.peek(), Token::Mark("{") | Token::End);
                self.rewind(start);
                return if is_value { Ok(None) } else { Err(fault) };
            }
        };
        if self.skip_mark(")") {
            return Ok(Some(inner));
        }
        self.rewind(start);
        Ok(None)
    }

    fn comparison(&mut self) -> Result<Condition, Fault> {
        if let Some(call) = self.predicate()? {
            return Ok(call);
        }
        let at = self.at();
        if *self.peek() == Token::Word("format".into()) && *self.peek_at(1) == Token::Mark("=") {
            self.take();
            self.take();
            return Ok(Condition::Format(self.text("a format in quotes")?, at));
        }
        let left = self.operand()?;
        let operators = [
            ("=", Compare::Equal),
            ("!=", Compare::Unequal),
            ("<", Compare::Less),
            ("<=", Compare::LessOrEqual),
            (">", Compare::Greater),
            (">=", Compare::GreaterOrEqual),
        ];
        for (mark, compare) in operators {
            if self.skip_mark(mark) {
                return Ok(Condition::Compare(compare, left, self.single()?));
            }
        }
        self.text_test(left)
    }

    fn text_test(&mut self, left: Expression) -> Result<Condition, Fault> {
        if self.skip_word("in") {
            return Ok(Condition::In(left, self.bracketed()?));
        }
        // `x not in (…)` reads naturally, so it is understood.
        if matches!(self.peek(), Token::Word(word) if word == "not") && *self.peek_at(1) == Token::Word("in".into()) {
            self.take();
            self.take();
            return Ok(Condition::Not(Box::new(Condition::In(left, self.bracketed()?))));
        }
        if self.skip_mark("~") {
            let globs = if *self.peek() == Token::Mark("(") { self.bracketed()? } else { vec![self.literal()?] };
            let mut any: Vec<_> = globs
                .into_iter()
                .filter_map(|glob| match glob {
                    Literal::Text(glob) => Some(Condition::Glob(left.clone(), glob)),
                    _ => None,
                })
                .collect();
            return Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) });
        }
        if self.skip_mark("=~") {
            let at = self.at();
            return Ok(Condition::Regex(left, self.text("a regular expression in quotes")?, at));
        }
        if self.skip_word("like") {
            let at = self.at();
            return Ok(Condition::Like(left, self.text("a pattern in quotes")?, at));
        }
        Err(self.expected(
            "a comparison (`=`, `!=`, `in`, `~`, `=~`, `like`, `<`, `>`); `has(x)` asks whether a field is there",
        ))
    }

    fn bracketed(&mut self) -> Result<Vec<Literal>, Fault> {
        self.expect_mark("(")?;
        self.skip_ends();
        let literals = self.literals()?;
        self.skip_ends();
        self.expect_mark(")")?;
        Ok(literals)
    }

    /// `has(x)` and `is(x, "list")`
    fn predicate(&mut self) -> Result<Option<Condition>, Fault> {
        let Token::Word(word) = self.peek().clone() else { return Ok(None) };
        if *self.peek_at(1) != Token::Mark("(") || (word != "has" && word != "is") {
            return Ok(None);
        }
        self.take();
        self.take();
        let value = self.expression()?;
        let condition = if word == "has" {
            Condition::Has(value)
        } else {
            self.expect_mark(",")?;
            let at = self.at();
            let kind = self.text("`\"list\"`, `\"object\"`, `\"text\"`, `\"number\"` or `\"bool\"`")?;
            Condition::Is(value, kind, at)
        };
        self.expect_mark(")")?;
        Ok(Some(condition))
    }
}
