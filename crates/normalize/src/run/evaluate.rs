//! Values of expressions.

use watchfloor_model::{NodeId, Span, Value};

use super::{Machine, Touch};
use crate::event::Val;
use crate::plan::{Begin, Expr, Keys, Walk};

impl<'l> Machine<'l> {
    /// The value of an expression, if it has one. What it read is appended to `touched`; alternatives that were not taken leave
    /// nothing there.
    pub(super) fn evaluate(&mut self, expr: &'l Expr) -> Option<Val> {
        match expr {
            Expr::Field(begin, walk) => self.field(*begin, walk),
            Expr::Text(id) => Some(Val::Const(*id)),
            Expr::Int(number) => Some(Val::Int(*number)),
            Expr::Float(number) => Some(Val::Float(*number)),
            Expr::Bool(value) => Some(Val::Bool(*value)),
            Expr::Member(member) => Some(Val::Member(*member)),
            Expr::First(all) => all.iter().find_map(|one| self.attempt(one)),
            Expr::Unless(inner, keys) => {
                let value = self.evaluate(inner)?;
                self.key(keys, value).is_none().then_some(value)
            }
            Expr::If(inner, cond) => {
                if self.asks(cond) {
                    self.evaluate(inner)
                } else {
                    None
                }
            }
            Expr::Table(table) => {
                let looked_up = self.evaluate(&table.on);
                let number = looked_up.and_then(|value| self.key(&table.keys, value));
                match number.and_then(|number| table.values.get(number as usize)) {
                    Some(value) => self.evaluate(value),
                    // `else` needs something to look up: a field that is not there has no value.
                    None => {
                        looked_up?;
                        self.evaluate(table.otherwise.as_ref()?)
                    }
                }
            }
            Expr::Template(pieces) => self.template(pieces),
            Expr::Call(function, arguments) => self.call(function, arguments),
        }
    }

    /// A value; if there is none, nothing counts as read.
    pub(super) fn attempt(&mut self, expr: &'l Expr) -> Option<Val> {
        let mark = self.touched.len();
        let value = self.evaluate(expr);
        if value.is_none() {
            self.touched.truncate(mark);
        }
        value
    }

    fn field(&mut self, begin: Begin, walk: &'l [Walk]) -> Option<Val> {
        let value = match begin {
            Begin::Slot(slot) => {
                let node = self.bound.get(slot)?;
                if walk.is_empty() {
                    return self.node(node);
                }
                Val::Node(node)
            }
            Begin::Capture(number) => {
                let captured = (*self.captures.get(usize::from(number))?)?;
                self.touched.push(Touch::Capture(number));
                captured.value
            }
            Begin::Local(number) => {
                let (value, start, end) = (*self.locals.get(usize::from(number))?)?;
                // Of an object that was named only the part that is read counts as used.
                if walk.is_empty() || !matches!(value, Val::Node(_)) {
                    self.touch_again(start, end);
                }
                value
            }
            Begin::Index => return Some(Val::Int(i64::from(self.index))),
            Begin::Element => {
                let (value, start, end) = self.element?;
                self.touch_again(start, end);
                value
            }
        };
        match value {
            Val::Node(node) => self.walk(node, walk),
            Val::List(start, len) if !walk.is_empty() => self.walk_list(start, len, walk),
            _ if !walk.is_empty() => None,
            plain => self.present(plain),
        }
    }

    fn touch_again(&mut self, start: u32, end: u32) {
        self.touched.extend(self.local_touches.get(start as usize..end as usize).unwrap_or_default());
    }

    fn walk_list(&mut self, start: u32, len: u32, walk: &'l [Walk]) -> Option<Val> {
        let at = match walk.first()? {
            Walk::Index(index) => index_of(*index, len as usize)? as u32,
            Walk::Key(_) => 0,
            Walk::All => return (walk.len() == 1).then_some(Val::List(start, len)),
        };
        let item = self.lists.get((start + at) as usize).copied().filter(|_| at < len)?;
        let rest = if matches!(walk.first(), Some(Walk::Key(_))) { walk } else { walk.get(1..)? };
        match item {
            Val::Node(node) => self.walk(node, rest),
            other => rest.is_empty().then_some(other),
        }
    }

    fn walk(&mut self, mut node: NodeId, walk: &'l [Walk]) -> Option<Val> {
        for (i, step) in walk.iter().enumerate() {
            node = match step {
                Walk::Key(key) => self.member_of(node, key)?,
                Walk::Index(index) => self.element_of(node, *index)?,
                Walk::All => return self.walk_all(node, walk.get(i + 1..).unwrap_or_default()),
            };
        }
        self.node(node)
    }

    /// `a[*].b`: all values, as a list.
    fn walk_all(&mut self, list: NodeId, rest: &'l [Walk]) -> Option<Val> {
        let children: Vec<NodeId> = match self.doc.node(list)?.value {
            Value::List => self.doc.children(list).collect(),
            _ => vec![list],
        };
        let mut values = Vec::with_capacity(children.len());
        for child in children {
            match self.walk(child, rest) {
                Some(Val::List(start, len)) => {
                    values.extend_from_slice(self.lists.get(start as usize..(start + len) as usize)?)
                }
                Some(value) => values.push(value),
                None => {}
            }
        }
        self.list(values)
    }

    /// A list of computed values; an empty one is no value.
    pub(super) fn list(&mut self, values: Vec<Val>) -> Option<Val> {
        if values.is_empty() {
            return None;
        }
        let start = self.lists.len() as u32;
        self.lists.extend_from_slice(&values);
        Some(Val::List(start, values.len() as u32))
    }

    /// The member of an object; of a list, that of its first element. A text that was read as structure is that structure.
    fn member_of(&self, node: NodeId, key: &str) -> Option<NodeId> {
        let node = self.structure_of(node);
        match self.doc.node(node)?.value {
            Value::Object => self.doc.child(node, key),
            Value::List => {
                let first = self.doc.children(node).next()?;
                self.doc.child(self.structure_of(first), key)
            }
            _ => None,
        }
    }

    fn element_of(&self, node: NodeId, index: i64) -> Option<NodeId> {
        match self.doc.node(node)?.value {
            Value::List => {
                let len = self.doc.children(node).count();
                self.doc.children(node).nth(index_of(index, len)?)
            }
            // A single value where a list is usual is a list of one.
            _ => (index == 0 || index == -1).then_some(node),
        }
    }

    /// The value of a node, if it has one.
    pub(super) fn node(&mut self, id: NodeId) -> Option<Val> {
        let node = self.doc.node(id)?;
        let value = match node.value {
            Value::Null => return None,
            Value::Bool(value) => Val::Bool(value),
            Value::Int(number) => Val::Int(number),
            Value::Float(number) => Val::Float(number),
            Value::Number(span) => Val::Number(span),
            Value::Text(span) => {
                if !self.says_something(span) {
                    return None;
                }
                Val::Text(span)
            }
            Value::List | Value::Object => {
                if node.end == id + 1 {
                    return None;
                }
                Val::Node(id)
            }
        };
        self.touched.push(Touch::Node(id));
        Some(value)
    }

    fn says_something(&self, span: Span) -> bool {
        let text = self.doc.text(span);
        !text.is_empty() && !self.absent.iter().any(|absent| **absent == *text)
    }

    fn present(&self, value: Val) -> Option<Val> {
        match value {
            Val::Text(span) if !self.says_something(span) => None,
            other => Some(other),
        }
    }

    /// The number that a value has among keys.
    pub(super) fn key(&mut self, keys: &Keys, value: Val) -> Option<u32> {
        let value = self.scalar(value)?;
        let text: &str = match value {
            Val::Int(number) => {
                let found = keys.ints.get(&number).copied();
                return found.or_else(|| {
                    keys.globs
                        .iter()
                        .find(|(glob, _)| crate::patterns::glob(glob, &number.to_string()))
                        .map(|(_, n)| *n)
                });
            }
            Val::Bool(true) => "true",
            Val::Bool(false) => "false",
            Val::Float(number) => return keys.texts.get(number.to_string().as_str()).copied(),
            other => self.text_of(other)?,
        };
        if let Some(number) = crate::compile::canonical_int(text) {
            return keys.ints.get(&number).copied().or_else(|| glob_of(keys, text));
        }
        let found = if keys.exact_case || !text.bytes().any(|b| b.is_ascii_uppercase()) {
            keys.texts.get(text).copied()
        } else {
            keys.texts.get(text.to_ascii_lowercase().as_str()).copied()
        };
        found.or_else(|| glob_of(keys, text))
    }

    /// Where a list stands for a single value, it is its first.
    pub(super) fn scalar(&mut self, value: Val) -> Option<Val> {
        match value {
            Val::List(start, len) => self.lists.get(start as usize).copied().filter(|_| len > 0),
            Val::Node(id) if self.doc.node(id)?.value == Value::List => {
                let first = self.doc.children(id).next()?;
                let mark = self.touched.len();
                let value = self.node(first);
                self.touched.truncate(mark);
                value
            }
            other => Some(other),
        }
    }

    /// The text of a text value.
    pub(super) fn text_of(&self, value: Val) -> Option<&str> {
        match value {
            Val::Text(span) | Val::Number(span) => Some(self.doc.text(span)),
            Val::Const(id) => Some(self.library.consts.text(id)),
            _ => None,
        }
    }

    /// The text of any value as a span of the document: what is not there as text is written there.
    pub(super) fn text_span(&mut self, value: Val) -> Option<Span> {
        let value = self.scalar(value)?;
        Some(match value {
            Val::Text(span) | Val::Number(span) => span,
            Val::Const(id) => {
                let text = self.library.consts.text(id);
                self.doc.compose(|out| out.push_str(text))
            }
            Val::Int(number) | Val::Time(number) | Val::Member(number) => {
                self.doc.compose(|out| crate::json::write_int(out, number))
            }
            Val::Float(number) => self.doc.compose(|out| crate::json::write_float(out, number)),
            Val::Bool(value) => self.doc.compose(|out| out.push_str(if value { "true" } else { "false" })),
            Val::Node(id) => self.json_text(id),
            Val::List(..) => return None,
        })
    }

    /// A list or object as JSON text.
    pub(super) fn json_text(&mut self, id: NodeId) -> Span {
        let mut text = String::new();
        crate::tape::write_node(&mut text, &self.doc, id);
        self.doc.compose(|out| out.push_str(&text))
    }

    fn template(&mut self, pieces: &'l [Expr]) -> Option<Val> {
        let mut spans = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let value = self.evaluate(piece)?;
            spans.push(self.text_span(value)?);
        }
        let span = self.doc.compose(|out| {
            for span in spans {
                let start = span.start as usize;
                out.extend_from_within(start..start + span.len as usize);
            }
        });
        Some(Val::Text(span))
    }
}

fn glob_of(keys: &Keys, text: &str) -> Option<u32> {
    keys.globs.iter().find(|(glob, _)| crate::patterns::glob(glob, text)).map(|(_, number)| *number)
}

/// `-1` is the last.
pub(super) fn index_of(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { len.checked_sub(usize::try_from(-index).ok()?)? } else { usize::try_from(index).ok()? };
    (at < len).then_some(at)
}
