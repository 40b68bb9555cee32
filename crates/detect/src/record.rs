//! Records and events as facts for rules.
//!
//! A [`Reader`] takes the facts out of one record after another, where a [`Binding`](crate::Binding) says that they stand, and runs the rules over them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use watchfloor_decode::Format;
use watchfloor_model::limits::LIST_ELEMENTS_MAX;
use watchfloor_model::{Document, NodeId, Value};
use watchfloor_normalize::event::Val;
use watchfloor_normalize::fields::{Bound, KeyIds, Slot};
use watchfloor_normalize::paths::PathId;
use watchfloor_normalize::run::Machine;
use watchfloor_normalize::shapes::Shapes;
use watchfloor_normalize::{Engine as Examiner, Outcome, sha256};

use watchfloor_sigma::pattern::lower;

use crate::binding::{Instead, StandIns, instead};
use crate::correlation::{COMBINATIONS_MAX, Hit};
use crate::engine::Engine;
use crate::facts::{Fact, Facts, FieldId};
use crate::live::{Detection, Live};
use crate::ruleset::RuleId;
use crate::source::{EventSource, SourceId};

/// Most combinations of deciding values that are remembered.
const KNOWN_MAX: usize = 32_768;
/// Longest value that correlations remember as it is, in bytes.
const REMEMBERED_BYTES_MAX: usize = 1_024;
/// Longest combination of deciding values that is remembered, in bytes.
const KNOWN_BYTES_MAX: usize = 1_024;

/// What is known of the records of one combination of log sources and one kind.
#[derive(Clone, Copy, Debug)]
struct Known {
    source: SourceId,
    /// Number of the stand-ins.
    instead: usize,
}

/// Takes facts out of records and runs rules over them; a worker thread has one.
#[derive(Debug)]
pub struct Reader {
    detection: Arc<Detection>,
    /// The generation of the rules, if they were taken up from where they change.
    generation: Option<u64>,
    /// Runs the rules.
    pub engine: Engine,
    /// The last record's facts.
    pub facts: Facts,
    bound: Bound,
    ids: KeyIds,
    known: HashMap<Box<[u8]>, Known, foldhash::fast::FixedState>,
    by_source: HashMap<(SourceId, usize), Known>,
    instead: Vec<StandIns>,
    key: Vec<u8>,
    values: Vec<Val>,
    objects: Vec<(FieldId, NodeId)>,
    further: Vec<(Slot, NodeId)>,
    cut: bool,
}

impl Reader {
    /// A reader.
    #[must_use]
    pub fn new(detection: Arc<Detection>) -> Self {
        let Detection { set, budget, suspended, .. } = &*detection;
        Self {
            engine: Engine::with(Arc::clone(set), *budget, Arc::clone(suspended)),
            detection,
            generation: None,
            facts: Facts::default(),
            bound: Bound::of_every_element(),
            ids: KeyIds::default(),
            known: HashMap::default(),
            by_source: HashMap::new(),
            instead: Vec::new(),
            key: Vec::new(),
            values: Vec::new(),
            objects: Vec::new(),
            further: Vec::new(),
            cut: false,
        }
    }

    /// Whether the last record has a list with more elements than are looked at one by one.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut || self.bound.is_cut()
    }

    /// The rules that are run.
    #[must_use]
    pub fn detection(&self) -> &Arc<Detection> {
        &self.detection
    }

    /// Takes up the rules of now if they are others than those it has. To be called between records; numbers of rules mean others after that.
    pub fn follow(&mut self, live: &Live) -> bool {
        let generation = Some(live.generation());
        if generation == self.generation {
            return false;
        }
        *self = Self { generation, ..Self::new(live.current()) };
        true
    }

    /// The rules that match the record that was examined. Its mapping is run if a field may be found in the event only.
    pub fn read(&mut self, examined: &mut Examiner<'_>, outcome: &Outcome) -> &[RuleId] {
        self.bind(&examined.machine.doc, outcome.family, &examined.shapes);
        let known = self.known(&examined.machine.doc, outcome);
        let source = known.source;
        if !self.engine.is_asked(source) {
            return &[];
        }
        self.stand_in(examined, known);
        self.write_objects(&mut examined.machine, source);
        let machine = &examined.machine;
        let is_line = !matches!(machine.format, Format::Json | Format::Winevent);
        self.engine.evaluate(source, &machine.doc, &self.facts, is_line)
    }

    /// A match of the last record, for correlations that look at these fields.
    #[must_use]
    pub fn hit(&self, rule: RuleId, time: i64, id: u64, fields: &BTreeSet<FieldId>, doc: &Document) -> Hit {
        // More values than combinations of them are looked at.
        let values = fields.iter().flat_map(|field| {
            let all = self.facts.of(*field).take(COMBINATIONS_MAX + 1);
            all.filter_map(|fact| Some((*field, shortened(&fact.text(doc)?))))
        });
        Hit { rule, time, id, values: values.collect(), records: None }
    }

    /// The facts of a record's own fields.
    fn bind(&mut self, doc: &Document, family: usize, shapes: &Shapes) {
        self.facts.clear();
        self.cut = false;
        let Some(trie) = self.detection.binding.tries.get(family) else { return };
        self.ids.clear();
        self.bound.bind(trie, &self.detection.binding.keys, &mut self.ids, doc, shapes);
        self.further.clear();
        self.further.extend(self.bound.further());
        self.further.sort_by_key(|(slot, node)| (*slot, *node));
        self.objects.clear();
        for slot in self.bound.filled() {
            let field = FieldId(slot.0);
            if let Some(node) = self.bound.get(*slot)
                && add(&mut self.facts, doc, field, node)
            {
                self.cut |= is_long(doc, node);
                self.objects.push((field, node));
            }
            if self.further.is_empty() {
                continue;
            }
            let from = self.further.partition_point(|(known, _)| known < slot);
            for (_, node) in self.further.iter().skip(from).take_while(|(known, _)| known == slot) {
                if add(&mut self.facts, doc, field, *node) {
                    self.cut |= is_long(doc, *node);
                    self.objects.push((field, *node));
                }
            }
        }
    }

    /// The log sources of the record whose facts were taken.
    pub fn source(&mut self, doc: &Document, outcome: &Outcome) -> SourceId {
        self.known(doc, outcome).source
    }

    fn known(&mut self, doc: &Document, outcome: &Outcome) -> Known {
        let Self { detection, facts, key, .. } = self;
        let binding = &detection.binding;
        let last = binding.kinds.len() / 2 - 1;
        let number = match outcome.native {
            true => binding.event_kind(doc, facts),
            false => outcome.pack.map_or(last, |pack| usize::from(pack.0).min(last)),
        };
        let Some(kind) = binding.kinds.get(number) else { return Known { source: SourceId(0), instead: 0 } };
        for (field, places) in kind.instead.iter().filter(|_| kind.is_event) {
            stand_in(facts, *field, places, |_, _| ());
        }
        key.clear();
        key.extend_from_slice(&(number as u16).to_le_bytes());
        for field in &kind.deciding {
            for text in facts.of(*field).filter_map(|fact| fact.text(doc)) {
                key.extend_from_slice(&(text.len() as u32).to_le_bytes());
                key.extend_from_slice(text.as_bytes());
            }
            // No value is as long as this: here ends the field.
            key.extend_from_slice(&u32::MAX.to_le_bytes());
        }
        if let Some(known) = self.known.get(self.key.as_slice()).filter(|known| self.engine.knows(known.source)) {
            return *known;
        }
        let known = self.find(doc, number);
        if self.key.len() <= KNOWN_BYTES_MAX {
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(self.key.as_slice().into(), known);
        }
        known
    }

    /// Finds the log sources of a record of a kind.
    fn find(&mut self, doc: &Document, number: usize) -> Known {
        let binding = &self.detection.binding;
        let mut source = EventSource::default();
        let kind = binding.kinds.get(number);
        let entries = kind.map(|kind| kind.entries.as_slice()).unwrap_or_default();
        for entry in entries.iter().filter_map(|number| binding.taxonomy.sources.get(*number)) {
            if binding.applies(entry, doc, &self.facts) {
                entry.add_to(&mut source);
            }
        }
        let id = self.engine.source(&source);
        if let Some(known) = self.by_source.get(&(id, number)) {
            return *known;
        }
        if self.instead.len() >= KNOWN_MAX {
            self.instead.clear();
            self.by_source.clear();
            self.known.clear();
        }
        let known = Known { source: id, instead: self.instead.len() };
        let engine = &self.engine;
        self.instead.push(
            kind.map(|kind| instead(binding, kind, &source, &|field| engine.asks(id, field))).unwrap_or_default(),
        );
        self.by_source.insert((id, number), known);
        known
    }

    /// Facts of fields that the record has under another name, or the event that was made of it.
    fn stand_in(&mut self, examined: &mut Examiner<'_>, known: Known) {
        let Self { facts, values, instead, .. } = self;
        for (field, places) in instead.get(known.instead).iter().flat_map(|all| all.iter()) {
            stand_in(facts, *field, places, |facts, path| {
                examined.map();
                attribute(facts, values, &mut examined.machine, *field, path);
            });
        }
    }

    /// What has members is the JSON text of them: rules look for pieces of it.
    fn write_objects(&mut self, machine: &mut Machine<'_>, source: SourceId) {
        for (field, node) in &self.objects {
            if self.engine.asks(source, *field)
                && let Some(span) = machine.written(Val::Node(*node))
            {
                if self.facts.of(*field).all(|fact| fact == Fact::Other) {
                    self.facts.forget(*field);
                }
                self.facts.add(*field, Fact::Text(span));
            }
        }
    }
}

/// A value as correlations remember it: of a long one the beginning and a hash.
fn shortened(text: &str) -> String {
    if text.len() <= REMEMBERED_BYTES_MAX {
        return text.to_owned();
    }
    let begin = text.get(..text.floor_char_boundary(REMEMBERED_BYTES_MAX / 2)).unwrap_or_default();
    // Case is nothing to groups.
    format!("{begin}… ({} bytes, SHA-256 {})", text.len(), sha256(lower(text).as_bytes()))
}

/// Fills a field that has no value from the first of some places that has one.
fn stand_in(facts: &mut Facts, field: FieldId, places: &[Instead], mut attribute: impl FnMut(&mut Facts, PathId)) {
    if facts.has_value(field) {
        return;
    }
    let own = facts.of(field).next();
    for place in places {
        facts.forget(field);
        match place {
            Instead::Field(other) => facts.copy(*other, field),
            Instead::Attribute(path) => attribute(facts, *path),
        }
        if facts.has_value(field) {
            return;
        }
    }
    // Nothing is better than what the record has itself: null, an empty text or an object.
    if let Some(own) = own {
        facts.forget(field);
        facts.add(field, own);
    }
}

/// The facts of an attribute of the event.
fn attribute(facts: &mut Facts, values: &mut Vec<Val>, machine: &mut Machine<'_>, field: FieldId, path: PathId) {
    values.clear();
    machine.attribute_values(path, values);
    for value in values.drain(..) {
        match value {
            Val::Int(number) | Val::Time(number) | Val::Member(number) => facts.add(field, Fact::Int(number)),
            Val::Float(number) => facts.add(field, Fact::Float(number)),
            Val::Bool(value) => facts.add(field, Fact::Bool(value)),
            Val::Node(node) => {
                add(facts, &machine.doc, field, node);
            }
            Val::Text(_) | Val::Const(_) | Val::Number(_) | Val::List(..) => {
                if let Some(span) = machine.written(value) {
                    facts.add(field, Fact::Text(span));
                }
            }
        }
    }
}

/// Whether a node is a list with more elements than are looked at.
fn is_long(doc: &Document, node: NodeId) -> bool {
    doc.node(node).is_some_and(|node| node.value == Value::List) && doc.children(node).nth(LIST_ELEMENTS_MAX).is_some()
}

/// Adds the facts of a node: of a list its elements, of an element of XML its text. Tells whether there is more in it than these facts say.
fn add(facts: &mut Facts, doc: &Document, field: FieldId, node: NodeId) -> bool {
    let value = doc.node(node).map_or(Value::Null, |node| node.value);
    let (fact, more) = match value {
        Value::Null => (Fact::Null, false),
        Value::Bool(value) => (Fact::Bool(value), false),
        Value::Int(number) => (Fact::Int(number), false),
        Value::Float(number) => (Fact::Float(number), false),
        Value::Text(span) | Value::Number(span) => (Fact::Text(span), false),
        Value::Object => match doc.child(node, "#text") {
            Some(text) => return add(facts, doc, field, text),
            None => (Fact::Other, true),
        },
        Value::List => {
            let (mut any, mut more) = (false, false);
            for (number, child) in doc.children(node).enumerate() {
                if number == LIST_ELEMENTS_MAX {
                    more = true;
                    break;
                }
                match doc.node(child).map_or(Value::Null, |node| node.value) {
                    Value::Null => continue,
                    Value::List if doc.children(child).next().is_none() => continue,
                    Value::Object if doc.child(child, "#text").is_none() => {
                        more = true;
                        continue;
                    }
                    _ => any = true,
                }
                more |= add(facts, doc, field, child);
            }
            match any {
                true => return more,
                false => (Fact::Other, true),
            }
        }
    };
    facts.add(field, fact);
    more
}
