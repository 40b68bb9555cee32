//! Records and events as facts for rules.
//!
//! A [`Binding`] says for a set of rules where their fields stand in records of every family of names; it is made once. A [`Reader`] takes the
//! facts out of one record after another and runs the rules over them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use watchfloor_decode::Format;
use watchfloor_model::{Document, NodeId, Value};
use watchfloor_normalize::event::Val;
use watchfloor_normalize::fields::{Bound, KeyIds, KeyTable, Slot, Trie};
use watchfloor_normalize::paths::PathId;
use watchfloor_normalize::run::Machine;
use watchfloor_normalize::shapes::Shapes;
use watchfloor_normalize::{Engine as Examiner, Library, Outcome, PackId};
use watchfloor_sigma::Pattern;
use watchfloor_sigma::pattern::lower;

use crate::correlation::Hit;
use crate::engine::Engine;
use crate::facts::{Fact, Facts, FieldId};
use crate::ruleset::{RuleId, RuleSet};
use crate::source::{EventSource, SourceId};
use crate::taxonomy::{Elsewhere, Taxonomy};

/// Most combinations of deciding values that are remembered.
const KNOWN_MAX: usize = 32_768;
/// Most elements of a list that are looked at.
const ELEMENTS_MAX: usize = 4_096;

/// Where a field is taken from if the record has none of its name.
#[derive(Clone, Copy, Debug)]
enum Instead {
    Field(FieldId),
    Attribute(PathId),
}

/// Fields, and the places where each may be found instead.
type StandIns = Arc<[(FieldId, Vec<Instead>)]>;

/// How records of one kind are told apart.
#[derive(Debug, Default)]
struct Kind {
    name: String,
    /// Numbers of the entries that may apply.
    entries: Vec<usize>,
    /// The fields that decide.
    deciding: Vec<FieldId>,
}

/// Where the fields of a set of rules stand.
#[derive(Debug)]
pub struct Binding {
    keys: KeyTable,
    /// A trie for each family of the library, with one slot for each field of the set.
    tries: Vec<Trie>,
    /// By number of pack; the last is for records of no kind.
    kinds: Vec<Kind>,
    taxonomy: Taxonomy,
    attributes: HashMap<String, PathId>,
    deciding: HashMap<String, FieldId>,
}

impl Binding {
    /// The names that the set must have fields for, besides those of its rules.
    #[must_use]
    pub fn fields(taxonomy: &Taxonomy) -> Vec<String> {
        taxonomy.record_fields().map(str::to_owned).collect()
    }

    /// Binds a set to a library.
    #[must_use]
    pub fn new(set: &RuleSet, library: &Library, taxonomy: Taxonomy) -> Self {
        let mut keys = KeyTable::default();
        let trie = |family: &watchfloor_normalize::compile::Family| {
            let mut trie = Trie::default();
            for name in set.fields() {
                let steps: Vec<String> = name.split('.').map(str::to_owned).collect();
                let whole = vec![name.clone()];
                let spellings = if steps.len() > 1 { vec![whole, steps] } else { vec![whole] };
                trie.slot_of(&mut keys, family.names.as_ref(), &spellings);
            }
            trie
        };
        let mut tries: Vec<Trie> = library.families.iter().map(trie).collect();
        for (number, trie) in tries.iter_mut().enumerate() {
            trie.number = number as u32;
        }
        let deciding: HashMap<String, FieldId> =
            taxonomy.record_fields().filter_map(|name| Some((name.to_owned(), set.field(name)?))).collect();
        let kind = |name: Option<&str>| {
            let mut kind = Kind { name: name.unwrap_or_default().to_owned(), ..Kind::default() };
            for (number, entry) in taxonomy.sources.iter().enumerate() {
                if entry.is_for(name.unwrap_or_default()) {
                    kind.entries.push(number);
                    kind.deciding.extend(entry.fields.iter().filter_map(|(name, _)| deciding.get(name)));
                }
            }
            kind.deciding.sort_unstable();
            kind.deciding.dedup();
            kind
        };
        let kinds = library.packs.iter().map(|pack| kind(Some(&pack.kind))).chain([kind(None)]).collect();
        let attributes = (0..library.paths.len())
            .map(|number| PathId(number as u16))
            .map(|id| (library.paths.text(id).to_owned(), id))
            .collect();
        Self { keys, tries, kinds, taxonomy, attributes, deciding }
    }
}

/// Takes facts out of records and runs rules over them; a worker thread has one.
#[derive(Debug)]
pub struct Reader<'b> {
    binding: &'b Binding,
    /// Runs the rules.
    pub engine: Engine,
    /// The last record's facts.
    pub facts: Facts,
    bound: Bound,
    ids: KeyIds,
    known: HashMap<Box<[u8]>, SourceId, foldhash::fast::FixedState>,
    instead: HashMap<(SourceId, usize), StandIns>,
    key: Vec<u8>,
    values: Vec<Val>,
    objects: Vec<(FieldId, NodeId)>,
    further: Vec<(Slot, NodeId)>,
}

impl<'b> Reader<'b> {
    /// A reader.
    #[must_use]
    pub fn new(binding: &'b Binding, set: Arc<RuleSet>) -> Self {
        Self {
            binding,
            engine: Engine::new(set),
            facts: Facts::default(),
            bound: Bound::of_every_element(),
            ids: KeyIds::default(),
            known: HashMap::default(),
            instead: HashMap::new(),
            key: Vec::new(),
            values: Vec::new(),
            objects: Vec::new(),
            further: Vec::new(),
        }
    }

    /// The rules that match the record that was examined. Its mapping is run if a field may be found in the event only.
    pub fn read(&mut self, examined: &mut Examiner<'_>, outcome: &Outcome) -> &[RuleId] {
        self.bind(&examined.machine.doc, outcome.family, &examined.shapes);
        let source = self.source(&examined.machine.doc, outcome.pack);
        if !self.engine.is_asked(source) {
            return &[];
        }
        let number = outcome.pack.map_or(self.binding.kinds.len() - 1, |pack| usize::from(pack.0));
        self.stand_in(examined, source, number);
        let machine = &examined.machine;
        let is_line = !matches!(machine.format, Format::Json | Format::Winevent);
        self.engine.evaluate(source, &machine.doc, &self.facts, is_line)
    }

    /// A match of the last record, for correlations that look at these fields.
    #[must_use]
    pub fn hit(&self, rule: RuleId, time: i64, id: u64, fields: &BTreeSet<FieldId>, doc: &Document) -> Hit {
        let value = |field: &FieldId| {
            let text = self.facts.of(*field).find_map(|fact| fact.text(doc))?;
            Some((field.0, text.into_owned()))
        };
        Hit { rule: rule.0, time, id, values: fields.iter().filter_map(value).collect() }
    }

    /// The facts of a record's own fields.
    fn bind(&mut self, doc: &Document, family: usize, shapes: &Shapes) {
        self.facts.clear();
        let Some(trie) = self.binding.tries.get(family) else { return };
        self.ids.clear();
        self.bound.bind(trie, &self.binding.keys, &mut self.ids, doc, shapes);
        self.further.clear();
        self.further.extend(self.bound.further());
        self.further.sort_by_key(|(slot, node)| (*slot, *node));
        for slot in self.bound.filled() {
            if let Some(node) = self.bound.get(*slot) {
                add(&mut self.facts, doc, FieldId(slot.0), node);
            }
            let from = self.further.partition_point(|(known, _)| known < slot);
            for (_, node) in self.further.iter().skip(from).take_while(|(known, _)| known == slot) {
                add(&mut self.facts, doc, FieldId(slot.0), *node);
            }
        }
    }

    /// The log sources of the record whose facts were taken.
    pub fn source(&mut self, doc: &Document, pack: Option<PackId>) -> SourceId {
        let number = pack.map_or(self.binding.kinds.len() - 1, |pack| usize::from(pack.0));
        let Some(kind) = self.binding.kinds.get(number) else { return self.engine.source(&EventSource::default()) };
        self.key.clear();
        self.key.extend_from_slice(&(number as u16).to_le_bytes());
        for field in &kind.deciding {
            if let Some(text) = self.facts.of(*field).next().and_then(|fact| fact.text(doc)) {
                self.key.extend_from_slice(text.as_bytes());
            }
            self.key.push(0);
        }
        if let Some(known) = self.known.get(self.key.as_slice()) {
            return *known;
        }
        let mut source = EventSource::default();
        for number in &kind.entries {
            let Some(entry) = self.binding.taxonomy.sources.get(*number) else { continue };
            if entry.fields.iter().all(|(name, values)| self.is_one_of(doc, name, values)) {
                entry.add_to(&mut source);
            }
        }
        let id = self.engine.source(&source);
        self.instead.entry((id, number)).or_insert_with(|| instead(self.binding, &self.engine, id, number, &source));
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(self.key.as_slice().into(), id);
        id
    }

    fn is_one_of(&self, doc: &Document, name: &str, values: &[Pattern]) -> bool {
        let Some(field) = self.binding.deciding.get(name) else { return false };
        self.facts.of(*field).filter_map(|fact| fact.text(doc)).any(|text| {
            let text = lower(&text);
            values.iter().any(|pattern| pattern.fits(&text))
        })
    }

    /// Facts of fields that the record has under another name, or the event that was made of it.
    fn stand_in(&mut self, examined: &mut Examiner<'_>, source: SourceId, kind: usize) {
        let instead = self.instead.get(&(source, kind)).map(Arc::clone);
        for (field, places) in instead.iter().flat_map(|all| all.iter()) {
            if self.facts.has_value(*field) {
                continue;
            }
            let had = self.facts.has(*field);
            self.facts.forget(*field);
            for place in places {
                match place {
                    Instead::Field(other) => {
                        let facts: Vec<Fact> = self.facts.of(*other).collect();
                        facts.into_iter().for_each(|fact| self.facts.add(*field, fact));
                    }
                    Instead::Attribute(path) => {
                        examined.map();
                        self.attribute(&mut examined.machine, *field, *path);
                    }
                }
                if self.facts.has_value(*field) {
                    break;
                }
            }
            if had && !self.facts.has(*field) {
                self.facts.add(*field, Fact::Other);
            }
        }
        self.write_objects(&mut examined.machine, source);
    }

    /// What has no value but members is the JSON text of them: rules look for pieces of it.
    fn write_objects(&mut self, machine: &mut Machine<'_>, source: SourceId) {
        self.objects.clear();
        let objects = self.bound.filled().iter().map(|slot| (FieldId(slot.0), self.bound.get(*slot)));
        self.objects.extend(objects.filter_map(|(field, node)| {
            let is_object = self.facts.of(field).all(|fact| fact == Fact::Other) && self.engine.asks(source, field);
            is_object.then_some((field, node?))
        }));
        for (field, node) in &self.objects {
            if let Some(span) = machine.written(Val::Node(*node)) {
                self.facts.forget(*field);
                self.facts.add(*field, Fact::Text(span));
            }
        }
    }

    fn attribute(&mut self, machine: &mut Machine<'_>, field: FieldId, path: PathId) {
        self.values.clear();
        machine.attribute_values(path, &mut self.values);
        for value in std::mem::take(&mut self.values) {
            match value {
                Val::Int(number) | Val::Time(number) | Val::Member(number) => self.facts.add(field, Fact::Int(number)),
                Val::Float(number) => self.facts.add(field, Fact::Float(number)),
                Val::Bool(value) => self.facts.add(field, Fact::Bool(value)),
                Val::Node(node) => add(&mut self.facts, &machine.doc, field, node),
                Val::Text(_) | Val::Const(_) | Val::Number(_) | Val::List(..) => {
                    if let Some(span) = machine.written(value) {
                        self.facts.add(field, Fact::Text(span));
                    }
                }
            }
        }
    }
}

/// The places where the fields that rules for a log source ask about may be found instead.
fn instead(binding: &Binding, engine: &Engine, id: SourceId, kind: usize, source: &EventSource) -> StandIns {
    let mut found: Vec<(FieldId, Vec<Instead>)> = Vec::new();
    for entry in binding.taxonomy.fields.iter().filter(|entry| entry.is_for(source)) {
        let spelled = binding.kinds.get(kind).is_some_and(|kind| entry.is_spelled_by(&kind.name));
        for (name, places) in &entry.names {
            let Some(field) = binding.deciding.get(name).filter(|field| engine.asks(id, **field)) else { continue };
            let places = places.iter().filter_map(|place| match place {
                Elsewhere::Field(name) => binding.deciding.get(name).copied().map(Instead::Field),
                Elsewhere::Attribute(_) if spelled => None,
                Elsewhere::Attribute(path) => binding.attributes.get(path).copied().map(Instead::Attribute),
            });
            match found.iter_mut().find(|(known, _)| known == field) {
                Some((_, all)) => all.extend(places),
                None => found.push((*field, places.collect())),
            }
        }
    }
    found.into()
}

/// The facts of a node: of a list its elements, of an element of XML its text.
fn add(facts: &mut Facts, doc: &Document, field: FieldId, node: NodeId) {
    let Some(value) = doc.node(node).map(|node| node.value) else { return };
    let fact = match value {
        Value::Null => Fact::Null,
        Value::Bool(value) => Fact::Bool(value),
        Value::Int(number) => Fact::Int(number),
        Value::Float(number) => Fact::Float(number),
        Value::Text(span) | Value::Number(span) => Fact::Text(span),
        Value::Object => match doc.child(node, "#text") {
            Some(text) => return add(facts, doc, field, text),
            None => Fact::Other,
        },
        Value::List => {
            let mut any = false;
            for child in doc.children(node).take(ELEMENTS_MAX) {
                if !matches!(doc.node(child).map(|node| node.value), Some(Value::List | Value::Object | Value::Null)) {
                    any = true;
                    add(facts, doc, field, child);
                }
            }
            if any {
                return;
            }
            Fact::Other
        }
    };
    facts.add(field, fact);
}
