//! Running a plan over a bound record.
//!
//! The [`Machine`] holds the record's document and everything that is made of it. It is reused from record to record and
//! allocates nothing once its buffers have grown. Evaluating an expression leaves the fields it read in `touched`; when
//! the value is assigned they count as used, and what no assignment used ends up under `unmapped`.

mod assign;
mod conditions;
mod convert;
mod evaluate;
mod explain;
mod functions;
mod urls;

pub use explain::Explained;
use watchfloor_decode::Format;
use watchfloor_model::limits::LIST_ELEMENTS_MAX;
use watchfloor_model::{Diagnostic, Document, NodeId, Span, Value};
use watchfloor_ocsf::ClassId;

use crate::compile::{Family, Library};
use crate::event::{Entry, Val};
use crate::fields::{Bound, Slot, Trie};
use crate::paths::{Indices, PathId};
use crate::plan::{ConstId, Embedded, Expr, Nest, Op, Plan};
use crate::times::Clock;

/// Something an expression read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    Node(NodeId),
    Capture(u8),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Captured {
    value: Val,
    used: bool,
}

/// A field is none of the constants that detection compares it with.
pub const NOT_AMONG: u32 = u32::MAX;

/// How the record's time was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeState {
    /// The record names none.
    #[default]
    Missing,
    /// The record names one that cannot be read.
    Unreadable,
    /// The record names one that cannot be its time.
    Absurd,
    /// The record's own time.
    Known,
}

/// A text of the record that was read as structure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expansion {
    pub(crate) text: NodeId,
    pub(crate) root: NodeId,
}

/// Everything made of one record.
#[derive(Debug)]
pub struct Machine<'l> {
    pub(crate) library: &'l Library,
    /// The record.
    pub doc: Document,
    /// Its fields.
    pub bound: Bound,
    /// The event's attributes.
    pub entries: Vec<Entry>,
    /// Its class, once chosen.
    pub class: Option<ClassId>,
    /// Why the mapping leaves it a base event.
    pub unclassified: Option<ConstId>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// How the time was found.
    pub time_state: TimeState,
    /// Format of the record.
    pub format: Format,
    /// When it was received, and the zone of times without one.
    pub clock: Clock,
    pub(crate) absent: &'l [Box<str>],
    pub(crate) used: Vec<bool>,
    pub(crate) expansions: Vec<Expansion>,
    pub(crate) captures: Vec<Option<Captured>>,
    pub(crate) capture_names: &'l [String],
    locals: Vec<Option<(Val, u32, u32)>>,
    local_touches: Vec<Touch>,
    lists: Vec<Val>,
    touched: Vec<Touch>,
    element: Option<(Val, u32, u32)>,
    indices: Indices,
    nested: u8,
    /// Assignments of values that came from the record.
    sourced: u32,
    /// Index of the element that `each` is at.
    index: u32,
    first_of_element: usize,
    counters: Vec<(PathId, Indices, u32)>,
    latest: Vec<(u32, u32)>,
    generation: u32,
    fitted: Vec<(u8, usize, usize)>,
    /// The family whose plans are asked, and what its sets answered for this record.
    family: Option<&'l Family>,
    answers: Vec<Option<regex::SetMatches>>,
    looked_up: Vec<u32>,
    /// The text that a time was last read from by a function.
    time_text: Option<Span>,
}

impl<'l> Machine<'l> {
    /// A machine for a library.
    #[must_use]
    pub fn new(library: &'l Library, clock: Clock) -> Self {
        Self {
            library,
            doc: Document::new(),
            bound: Bound::default(),
            entries: Vec::new(),
            class: None,
            unclassified: None,
            diagnostics: Vec::new(),
            time_state: TimeState::Missing,
            format: Format::Text,
            clock,
            absent: &[],
            used: Vec::new(),
            expansions: Vec::new(),
            captures: Vec::new(),
            capture_names: &[],
            locals: Vec::new(),
            local_touches: Vec::new(),
            lists: Vec::new(),
            touched: Vec::new(),
            element: None,
            indices: Indices::default(),
            nested: 0,
            sourced: 0,
            index: 0,
            first_of_element: 0,
            counters: Vec::new(),
            latest: vec![(0, 0); library.paths.len()],
            generation: 0,
            fitted: Vec::new(),
            family: None,
            answers: Vec::new(),
            looked_up: Vec::new(),
            time_text: None,
        }
    }

    /// Forgets the last record, keeping buffers. The document is the caller's to fill.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.class = None;
        self.unclassified = None;
        self.diagnostics.clear();
        self.time_state = TimeState::Missing;
        self.expansions.clear();
        self.captures.clear();
        self.capture_names = &[];
        self.locals.clear();
        self.local_touches.clear();
        self.lists.clear();
        self.touched.clear();
        self.element = None;
        self.indices = Indices::default();
        self.nested = 0;
        self.first_of_element = 0;
        self.counters.clear();
        self.used.clear();
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.latest.fill((0, 0));
            self.generation = 1;
        }
    }

    /// Begins to ask the plans of a family about the bound record.
    pub fn ask_family(&mut self, family: &'l Family) {
        self.family = Some(family);
        self.answers.clear();
        self.answers.resize(family.sets.len(), None);
        self.looked_up.clear();
        for (slot, keys) in &family.lookups {
            let found = self.asked_field(*slot).and_then(|value| self.key(keys, value));
            self.looked_up.push(found.unwrap_or(NOT_AMONG));
        }
        self.touched.clear();
    }

    /// What the family's look-ups found: the number of a constant each, or [`NOT_AMONG`].
    #[must_use]
    pub fn looked_up(&self) -> &[u32] {
        &self.looked_up
    }

    /// Whether a plan is for the bound record.
    pub fn detects(&mut self, plan: &'l Plan) -> bool {
        self.absent = &plan.absent;
        let holds = plan.detect.as_ref().is_some_and(|cond| self.holds(cond));
        self.touched.clear();
        holds
    }

    /// The answer of a condition that belongs to no plan.
    pub fn answers(&mut self, cond: &'l crate::plan::Cond) -> bool {
        self.absent = &[];
        let holds = self.holds(cond);
        self.touched.clear();
        holds
    }

    /// Runs a plan over the bound record.
    pub fn run(&mut self, plan: &'l Plan, trie: &Trie) {
        self.absent = &plan.absent;
        self.prepare(plan);
        self.used.resize(self.doc.nodes().len(), false);
        self.block(&plan.ops, trie);
    }

    fn prepare(&mut self, plan: &'l Plan) {
        self.captures.clear();
        self.captures.resize(plan.captures.len(), None);
        self.capture_names = &plan.captures;
        self.locals.clear();
        self.locals.resize(plan.locals, None);
    }

    fn block(&mut self, ops: &'l [Op], trie: &Trie) {
        for op in ops {
            self.op(op, trie);
        }
    }

    fn op(&mut self, op: &'l Op, trie: &Trie) {
        match op {
            Op::Set(set) => self.set(set),
            Op::Class { class, activity, line } => {
                self.class = Some(*class);
                if let Some((path, member, enumeration)) = activity {
                    let value = Val::Member(*member);
                    self.put(Entry {
                        path: *path,
                        enumeration: Some(*enumeration),
                        line: *line,
                        indices: Indices::default(),
                        value,
                    });
                }
            }
            Op::Let(number, expr) => self.bind_local(*number, expr),
            Op::When(arms, otherwise) => {
                let arm = arms.iter().find(|(cond, _)| self.asks(cond));
                self.block(arm.map_or(otherwise, |(_, ops)| ops), trie);
            }
            Op::Switch(on, keys, blocks, otherwise) => {
                let mark = self.touched.len();
                let value = self.evaluate(on);
                self.touched.truncate(mark);
                let number = value.and_then(|value| self.key(keys, value));
                self.block(number.and_then(|number| blocks.get(number as usize)).unwrap_or(otherwise), trie);
            }
            Op::Match(on, patterns, blocks, otherwise) => {
                let number = self.fit_first(on, patterns);
                self.block(number.and_then(|number| blocks.get(number as usize)).unwrap_or(otherwise), trie);
            }
            Op::Each(list, nest, ops) => self.each(list, *nest, ops, trie),
            Op::Add(nest, ops) => {
                self.nest(*nest, self.element, ops, trie);
            }
            Op::Expand(slot, embedded) => self.expand(*slot, *embedded, trie),
            Op::Unclassified(reason) => self.unclassified = Some(*reason),
        }
    }

    /// A condition's answer; what it reads is not used by it.
    fn asks(&mut self, cond: &'l crate::plan::Cond) -> bool {
        let mark = self.touched.len();
        let holds = self.holds(cond);
        self.touched.truncate(mark);
        holds
    }

    fn bind_local(&mut self, number: u8, expr: &'l Expr) {
        let mark = self.touched.len();
        let value = self.evaluate(expr);
        let start = self.local_touches.len() as u32;
        self.local_touches.extend(self.touched.drain(mark..));
        let end = self.local_touches.len() as u32;
        if let (Some(place), Some(value)) = (self.locals.get_mut(usize::from(number)), value) {
            *place = Some((value, start, end));
        }
    }

    fn fit_first(&mut self, on: &'l Expr, patterns: &'l [(crate::patterns::Pattern, u32)]) -> Option<u32> {
        let mark = self.touched.len();
        let value = self.evaluate(on);
        let found = value.and_then(|value| {
            let span = self.text_span(value)?;
            patterns.iter().find(|(pattern, _)| self.fit(pattern, span)).map(|(_, number)| *number)
        });
        // The text is used as far as its captures are: they are listed one by one.
        if found.is_some() {
            let touched: Vec<Touch> = self.touched.drain(mark..).collect();
            self.mark_used(&touched);
        }
        self.touched.truncate(mark);
        found
    }

    /// Fits a pattern to a text and keeps its captures.
    fn fit(&mut self, pattern: &crate::patterns::Pattern, span: Span) -> bool {
        let mut fitted = std::mem::take(&mut self.fitted);
        let fits = pattern.fit(self.doc.text(span), &mut fitted);
        if fits {
            for (number, from, to) in &fitted {
                let part = Span { start: span.start + *from as u32, len: (to - from) as u32 };
                if let Some(place) = self.captures.get_mut(usize::from(*number)) {
                    *place = Some(Captured { value: Val::Text(part), used: false });
                }
            }
        }
        self.fitted = fitted;
        fits
    }

    fn each(&mut self, list: &'l Expr, nest: Nest, ops: &'l [Op], trie: &Trie) {
        let mark = self.touched.len();
        let Some(value) = self.evaluate(list) else {
            self.touched.truncate(mark);
            return;
        };
        let start = self.local_touches.len() as u32;
        // Elements of a list of the record are used one by one; computed elements use what they were computed from.
        let computed = matches!(value, Val::List(..) | Val::Text(_));
        if computed {
            self.local_touches.extend(self.touched.get(mark..).unwrap_or_default());
        }
        self.touched.truncate(mark);
        let end = self.local_touches.len() as u32;
        // An inner list must not change where the outer one is, nor one record where the next one begins.
        let outer = std::mem::take(&mut self.index);
        match value {
            Val::List(from, len) => {
                for at in from..from + len {
                    self.index = at - from;
                    let Some(item) = self.lists.get(at as usize).copied() else { break };
                    self.nest(nest, Some((item, start, end)), ops, trie);
                }
            }
            Val::Node(id) if matches!(self.doc.node(id).map(|node| node.value), Some(Value::List)) => {
                let mut child = id + 1;
                let stop = self.doc.node(id).map_or(0, |node| node.end);
                let mut index = 0;
                while child < stop {
                    self.index = index;
                    index += 1;
                    self.nest(nest, Some((Val::Node(child), 0, 0)), ops, trie);
                    child = self.doc.node(child).map_or(stop, |node| node.end);
                }
            }
            // A single value where a list is usual is a list of one.
            single => self.nest(nest, Some((single, start, end)), ops, trie),
        }
        self.index = outer;
    }

    /// One object of an array: runs the block with the array's next index; an object that nothing was put into is not there.
    fn nest(&mut self, nest: Nest, element: Option<(Val, u32, u32)>, ops: &'l [Op], trie: &Trie) {
        let prefix = self.indices.above(nest.depth);
        let counter = self.counter(nest.path, prefix);
        let index = self.counters.get(counter).map_or(0, |(.., next)| *next);
        if index as usize >= LIST_ELEMENTS_MAX {
            self.note_long_list(nest.path);
            return;
        }
        let outer = (self.indices, self.nested, self.first_of_element, self.element, self.sourced);
        self.indices = prefix.with(nest.depth, index);
        self.nested = nest.depth + 1;
        self.first_of_element = self.entries.len();
        self.element = element;
        let before = self.entries.len();
        self.sourced = 0;
        self.block(ops, trie);
        if nest.needs_source && self.sourced == 0 {
            // Constants around a value that is not there say nothing.
            self.entries.truncate(before);
        }
        if self.entries.len() > before
            && let Some((.., next)) = self.counters.get_mut(counter)
        {
            *next = (*next).max(index + 1);
        }
        let sourced = self.sourced;
        (self.indices, self.nested, self.first_of_element, self.element, self.sourced) = outer;
        self.sourced += sourced;
    }

    fn note_long_list(&mut self, path: PathId) {
        if !self.diagnostics.iter().any(|known| known.code == "map.list_too_long") {
            let text = format!(
                "`{}` has more than {LIST_ELEMENTS_MAX} elements; the rest stays in `unmapped`",
                self.library.paths.text(path)
            );
            self.diagnostics.push(Diagnostic::warning("map.list_too_long", text));
        }
    }

    fn counter(&mut self, path: PathId, prefix: Indices) -> usize {
        if let Some(at) = self.counters.iter().position(|(known, at, _)| *known == path && *at == prefix) {
            return at;
        }
        self.counters.push((path, prefix, 0));
        self.counters.len() - 1
    }

    fn expand(&mut self, slot: Slot, embedded: Embedded, trie: &Trie) {
        let Some(node) = self.bound.get(slot) else { return };
        let Some(Value::Text(span)) = self.doc.node(node).map(|node| node.value) else { return };
        let text = self.doc.text(span).to_owned();
        if text.trim().is_empty() {
            return;
        }
        let root = self.doc.nodes().len() as NodeId;
        let key = self.doc.node(node).map(|node| node.key).unwrap_or_default();
        let read = match embedded {
            Embedded::Json => watchfloor_decode::json_into(&mut self.doc, key, &text).map_err(|problem| {
                Diagnostic::warning(
                    "map.expand",
                    format!("the text of a field could not be read as JSON: {}", problem.message),
                )
            }),
            Embedded::Kv => match watchfloor_decode::kv_into(&mut self.doc, key, &text) {
                true => Ok(()),
                false => Err(Diagnostic::warning("map.expand", "the text of a field could not be read as key=value")),
            },
        };
        match read {
            Ok(()) if self.doc.node(root).is_some() => {
                self.used.resize(self.doc.nodes().len(), false);
                self.expansions.push(Expansion { text: node, root });
                self.bound.bind_embedded(trie, &self.library.keys, &self.doc, slot, root);
            }
            Ok(()) => {}
            Err(problem) => self.diagnostics.push(problem),
        }
    }

    pub(crate) fn mark_used(&mut self, touches: &[Touch]) {
        for touch in touches {
            match touch {
                Touch::Node(node) => {
                    if let Some(used) = self.used.get_mut(*node as usize) {
                        *used = true;
                    }
                }
                Touch::Capture(number) => {
                    if let Some(Some(captured)) = self.captures.get_mut(usize::from(*number)) {
                        captured.used = true;
                    }
                }
            }
        }
    }

    /// The structure that a text was read as, or the node itself.
    pub(crate) fn structure_of(&self, node: NodeId) -> NodeId {
        self.expansions.iter().find(|expansion| expansion.text == node).map_or(node, |expansion| expansion.root)
    }

    /// The items of a computed list.
    pub(crate) fn items_of(&self, start: u32, len: u32) -> &[Val] {
        self.lists.get(start as usize..(start + len) as usize).unwrap_or_default()
    }

    /// What patterns captured and no assignment used.
    pub(crate) fn unused_captures(&self) -> impl Iterator<Item = (&'l str, Val)> + '_ {
        let names = self.capture_names;
        self.captures.iter().zip(names).filter_map(|(captured, name)| {
            let captured = captured.as_ref().filter(|captured| !captured.used)?;
            let says = self
                .text_of(captured.value)
                .is_some_and(|text| !text.is_empty() && !self.absent.iter().any(|a| **a == *text));
            says.then_some((name.as_str(), captured.value))
        })
    }
}
