//! Answers of conditions.

use watchfloor_model::Value;

use super::Machine;
use crate::event::Val;
use crate::fields::Slot;
use crate::plan::{Cond, Kind, Order};

impl<'l> Machine<'l> {
    pub(super) fn holds(&mut self, cond: &'l Cond) -> bool {
        match cond {
            Cond::In(expr, keys) => self.evaluate(expr).is_some_and(|value| self.key(keys, value).is_some()),
            Cond::Same(left, right) => {
                let (left, right) = (self.evaluate(left), self.evaluate(right));
                self.same(left, right)
            }
            Cond::Order(left, right, order) => {
                let left = self.evaluate(left).and_then(|value| self.number(value));
                let right = self.evaluate(right).and_then(|value| self.number(value));
                let (Some(left), Some(right)) = (left, right) else { return false };
                match order {
                    Order::Less => left < right,
                    Order::LessOrEqual => left <= right,
                    Order::Greater => left > right,
                    Order::GreaterOrEqual => left >= right,
                }
            }
            Cond::Glob(expr, pattern) => self.tests(expr, |text| crate::patterns::glob(pattern, text)),
            Cond::Regex(expr, regex) => self.tests(expr, |text| regex.is_match(text)),
            Cond::InSet(_, set, number) => self.in_set(usize::from(*set), usize::from(*number)),
            Cond::InKeys(lookup, numbers) => {
                self.looked_up.get(usize::from(*lookup)).is_some_and(|found| numbers.contains(found))
            }
            Cond::Like(expr, pattern) => {
                let span = self.evaluate(expr).and_then(|value| self.text_span(value));
                span.is_some_and(|span| self.fit(pattern, span))
            }
            Cond::Has(expr) => self.evaluate(expr).is_some(),
            Cond::Is(expr, kind) => self.evaluate(expr).is_some_and(|value| self.is(value, *kind)),
            Cond::Format(format) => self.format == *format,
            Cond::All(all) => all.iter().all(|one| self.holds(one)),
            Cond::Any(any) => any.iter().any(|one| self.holds(one)),
            Cond::Not(inner) => !self.holds(inner),
        }
    }

    /// Whether an expression of a set fits its field; the whole set is asked once for each record.
    fn in_set(&mut self, set: usize, number: usize) -> bool {
        if let Some(Some(answer)) = self.answers.get(set) {
            return answer.matched(number);
        }
        let Some((slot, regexes)) = self.family.and_then(|family| family.sets.get(set)) else { return false };
        let value = self.asked_field(*slot).and_then(|value| self.scalar(value));
        let Some(span) = value.and_then(|value| self.text_span(value)) else { return false };
        let answer = regexes.matches(self.doc.text(span));
        let holds = answer.matched(number);
        if let Some(place) = self.answers.get_mut(set) {
            *place = Some(answer);
        }
        holds
    }

    /// A field for all plans: what means "no value" to one of them may mean one to another.
    pub(super) fn asked_field(&mut self, slot: Slot) -> Option<Val> {
        let absent = std::mem::take(&mut self.absent);
        let value = self.bound.get(slot).and_then(|node| self.node(node));
        self.absent = absent;
        value
    }

    fn tests(&mut self, expr: &'l crate::plan::Expr, test: impl Fn(&str) -> bool) -> bool {
        let Some(value) = self.evaluate(expr).and_then(|value| self.scalar(value)) else { return false };
        match self.text_of(value) {
            Some(text) => test(text),
            None => self.text_span(value).is_some_and(|span| test(self.doc.text(span))),
        }
    }

    fn same(&mut self, left: Option<Val>, right: Option<Val>) -> bool {
        match (left, right) {
            (Some(left), Some(right)) => {
                let (Some(left), Some(right)) = (self.text_span(left), self.text_span(right)) else { return false };
                self.doc.text(left) == self.doc.text(right)
            }
            (None, None) => true,
            _ => false,
        }
    }

    fn is(&self, value: Val, kind: Kind) -> bool {
        let found = match value {
            Val::Text(_) | Val::Const(_) => Kind::Text,
            Val::Int(_) | Val::Float(_) | Val::Number(_) | Val::Time(_) | Val::Member(_) => Kind::Number,
            Val::Bool(_) => Kind::Bool,
            Val::List(..) => Kind::List,
            Val::Node(id) => match self.doc.node(id).map(|node| node.value) {
                Some(Value::List) => Kind::List,
                _ => Kind::Object,
            },
        };
        found == kind
    }

    /// A value as a number, for comparing.
    pub(super) fn number(&mut self, value: Val) -> Option<f64> {
        match self.scalar(value)? {
            Val::Int(number) | Val::Time(number) | Val::Member(number) => Some(number as f64),
            Val::Float(number) => Some(number),
            Val::Bool(value) => Some(f64::from(u8::from(value))),
            other => {
                let text = self.text_of(other)?.trim();
                super::convert::int(text)
                    .map(|number| number as f64)
                    .or_else(|| text.parse().ok().filter(|n: &f64| n.is_finite()))
            }
        }
    }
}
