//! Conditions.

use super::format_of;
use super::scope::Scope;
use crate::language::Fault;
use crate::language::syntax::{Compare, Condition, Expression, Literal};
use crate::plan::{Cond, Keys, Kind, Order};

impl Scope<'_> {
    pub(super) fn condition(&mut self, condition: &Condition) -> Result<Cond, Fault> {
        Ok(match condition {
            Condition::Compare(compare, left, right) => self.comparison(*compare, left, right)?,
            Condition::In(value, literals) => Cond::In(self.expression(value, None)?, Box::new(exact(literals))),
            Condition::Glob(value, pattern) => Cond::Glob(self.expression(value, None)?, pattern.as_str().into()),
            Condition::Regex(value, pattern, at) => {
                let regex = self.regex(pattern, *at)?;
                Cond::Regex(self.expression(value, None)?, Box::new(regex))
            }
            Condition::Has(value) => Cond::Has(self.expression(value, None)?),
            Condition::Is(value, kind, at) => {
                let kind = match kind.as_str() {
                    "list" => Kind::List,
                    "object" => Kind::Object,
                    "text" => Kind::Text,
                    "number" => Kind::Number,
                    "bool" => Kind::Bool,
                    other => {
                        let message = format!("`{other}` is no kind: there are list, object, text, number, bool");
                        return Err(Fault::new(*at, message));
                    }
                };
                Cond::Is(self.expression(value, None)?, kind)
            }
            Condition::Like(value, pattern, at) => {
                let pattern = self.pattern(pattern, *at)?;
                Cond::Like(self.expression(value, None)?, Box::new(pattern))
            }
            Condition::Format(format, at) => Cond::Format(format_of(format, *at)?),
            Condition::All(all) => Cond::All(self.conditions(all)?),
            Condition::Any(any) => Cond::Any(self.conditions(any)?),
            Condition::Not(inner) => Cond::Not(Box::new(self.condition(inner)?)),
        })
    }

    fn conditions(&mut self, all: &[Condition]) -> Result<Box<[Cond]>, Fault> {
        all.iter().map(|one| self.condition(one)).collect()
    }

    fn comparison(&mut self, compare: Compare, left: &Expression, right: &Expression) -> Result<Cond, Fault> {
        let order = match compare {
            Compare::Equal | Compare::Unequal => {
                let equal = match (literal(left), literal(right)) {
                    (_, Some(right)) => Cond::In(self.expression(left, None)?, Box::new(exact(&[right]))),
                    (Some(left), None) => Cond::In(self.expression(right, None)?, Box::new(exact(&[left]))),
                    (None, None) => Cond::Same(self.expression(left, None)?, self.expression(right, None)?),
                };
                return Ok(if compare == Compare::Equal { equal } else { Cond::Not(Box::new(equal)) });
            }
            Compare::Less => Order::Less,
            Compare::LessOrEqual => Order::LessOrEqual,
            Compare::Greater => Order::Greater,
            Compare::GreaterOrEqual => Order::GreaterOrEqual,
        };
        Ok(Cond::Order(self.expression(left, None)?, self.expression(right, None)?, order))
    }
}

fn literal(expression: &Expression) -> Option<Literal> {
    match expression {
        Expression::Literal(literal) => Some(literal.clone()),
        Expression::Member(caption, _) => Some(Literal::Text(caption.clone())),
        _ => None,
    }
}

/// Constants to compare with as they are: a `*` is no wildcard here.
fn exact(literals: &[Literal]) -> Keys {
    let mut keys = Keys { exact_case: true, ..Keys::default() };
    for literal in literals {
        match literal {
            Literal::Text(text) if text.contains('*') => {
                keys.texts.insert(text.as_str().into(), 0);
            }
            other => keys.add(other, 0),
        }
    }
    keys
}
