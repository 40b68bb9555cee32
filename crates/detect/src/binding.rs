//! Where the fields of a set of rules stand in the records of a library, and which log sources those are of.

use std::collections::HashMap;

use watchfloor_model::Document;
use watchfloor_normalize::Library;
use watchfloor_normalize::fields::{KeyTable, Trie};
use watchfloor_normalize::language::syntax::Names;
use watchfloor_normalize::paths::PathId;
use watchfloor_sigma::pattern::lower;

use crate::facts::{Facts, FieldId};
use crate::ruleset::RuleSet;
use crate::source::EventSource;
use crate::taxonomy::{ATTRIBUTE, EVENT_KIND, Elsewhere, SourceEntry, Taxonomy};

/// Where a field is taken from if the record has none of its name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instead {
    Field(FieldId),
    Attribute(PathId),
}

/// Fields, and the places where each may be found instead.
pub(crate) type StandIns = Box<[(FieldId, Vec<Instead>)]>;

/// How records of one kind are told apart.
#[derive(Debug, Default)]
pub(crate) struct Kind {
    name: String,
    /// Whether they are OCSF events that came in as such.
    pub is_event: bool,
    /// Numbers of the entries that may apply.
    pub entries: Vec<usize>,
    /// The fields that decide.
    pub deciding: Vec<FieldId>,
    /// Where those may be found instead.
    pub instead: StandIns,
}

/// Where the fields of a set of rules stand.
#[derive(Debug)]
pub struct Binding {
    pub(crate) keys: KeyTable,
    /// A trie for each family of the library, with one slot for each field of the set.
    pub(crate) tries: Vec<Trie>,
    /// By number of pack, then for records of no kind; then the same for OCSF events that came in as such.
    pub(crate) kinds: Vec<Kind>,
    /// Kinds by vendor and product, of those that share them with no other.
    products: HashMap<(String, String), usize>,
    pub(crate) taxonomy: Taxonomy,
    attributes: HashMap<String, PathId>,
    /// The fields of the taxonomy.
    fields: HashMap<String, FieldId>,
}

/// Attributes that tell what an event was made by.
const VENDOR: &str = "ocsf:metadata.product.vendor_name";
const PRODUCT: &str = "ocsf:metadata.product.name";

impl Binding {
    /// The names that the set must have fields for, besides those of its rules.
    #[must_use]
    pub fn fields(taxonomy: &Taxonomy) -> Vec<String> {
        let attributes = taxonomy.attributes().map(|path| format!("{ATTRIBUTE}{path}"));
        let own = [VENDOR, PRODUCT].map(str::to_owned);
        taxonomy.record_fields().map(str::to_owned).chain(attributes).chain(own).collect()
    }

    /// Binds a set to a library.
    #[must_use]
    pub fn new(set: &RuleSet, library: &Library, taxonomy: Taxonomy) -> Self {
        let mut keys = KeyTable::default();
        let mut tries: Vec<Trie> =
            library.families.iter().map(|family| trie(&mut keys, family.names.as_ref(), set)).collect();
        for (number, trie) in tries.iter_mut().enumerate() {
            trie.number = number as u32;
        }
        let fields = Self::fields(&taxonomy).into_iter().filter_map(|name| Some((set.field(&name)?, name)));
        let attributes = library.paths.ids().map(|id| (library.paths.text(id).to_owned(), id)).collect();
        let mut products: HashMap<(String, String), Option<usize>> = HashMap::new();
        for (number, pack) in library.packs.iter().enumerate() {
            let text = |id| library.consts.text(id).to_owned();
            let known = products.entry((text(pack.vendor), text(pack.product)));
            known.and_modify(|only| *only = None).or_insert(Some(number));
        }
        let mut binding = Self {
            keys,
            tries,
            kinds: Vec::new(),
            products: products.into_iter().filter_map(|(product, only)| Some((product, only?))).collect(),
            fields: fields.map(|(field, name)| (name, field)).collect(),
            taxonomy,
            attributes,
        };
        let names = || library.packs.iter().map(|pack| pack.kind.as_str()).chain([""]);
        let records = names().map(|name| binding.kind(name, false));
        let kinds = records.chain(names().map(|name| binding.kind(name, true))).collect();
        binding.kinds = kinds;
        binding
    }

    fn kind(&self, name: &str, is_event: bool) -> Kind {
        let mut kind = Kind { name: name.to_owned(), is_event, ..Kind::default() };
        for (number, entry) in self.taxonomy.sources.iter().enumerate() {
            if entry.is_for(name) || is_event && entry.is_for(EVENT_KIND) {
                kind.entries.push(number);
                kind.deciding.extend(entry.fields.iter().filter_map(|(name, _)| self.fields.get(name)));
            }
        }
        kind.deciding.sort_unstable();
        kind.deciding.dedup();
        if is_event {
            let mut source = EventSource::default();
            let entries = kind.entries.iter().filter_map(|number| self.taxonomy.sources.get(*number));
            entries.for_each(|entry| entry.add_to(&mut source));
            kind.instead = instead(self, &kind, &source, &|field| kind.deciding.contains(&field));
        }
        kind
    }

    /// The number of the kind of records that an OCSF event counts as made of.
    pub(crate) fn event_kind(&self, doc: &Document, facts: &Facts) -> usize {
        let text = |name: &str| {
            let field = self.fields.get(name)?;
            facts.of(*field).find_map(|fact| fact.text(doc)).map(std::borrow::Cow::into_owned)
        };
        let records = self.kinds.len() / 2;
        let named = self.taxonomy.events.iter().find(|entry| self.applies(entry, doc, facts)).and_then(|entry| {
            let name = entry.kind()?;
            self.kinds.iter().take(records).position(|kind| kind.name == name)
        });
        let made_by = || self.products.get(&(text(VENDOR)?, text(PRODUCT)?)).copied();
        records + named.or_else(made_by).unwrap_or(records - 1)
    }

    /// Whether a record has the fields that an entry asks for.
    pub(crate) fn applies(&self, entry: &SourceEntry, doc: &Document, facts: &Facts) -> bool {
        entry.fields.iter().all(|(name, values)| {
            let Some(field) = self.fields.get(name) else { return false };
            facts.of(*field).filter_map(|fact| fact.text(doc)).any(|text| {
                let text = lower(&text);
                values.iter().any(|pattern| pattern.fits(&text))
            })
        })
    }
}

/// The places of all fields of a set in records with some names; in those with names of their own, also those of OCSF events.
fn trie(keys: &mut KeyTable, names: Option<&Names>, set: &RuleSet) -> Trie {
    let mut trie = Trie::default();
    for name in set.fields() {
        let attribute = name.strip_prefix(ATTRIBUTE);
        let own = attribute.unwrap_or(name);
        let steps: Vec<String> = own.split('.').map(str::to_owned).collect();
        let mut spellings = match attribute {
            None => vec![vec![name.clone()]],
            Some(_) => Vec::new(),
        };
        if attribute.is_some() || steps.len() > 1 {
            spellings.push(steps);
        }
        if names.is_none() {
            spellings.push(vec!["unmapped".to_owned(), own.to_owned()]);
        }
        if names.is_some() && attribute.is_some() {
            // Slots are numbered as fields are.
            spellings.clear();
        }
        trie.slot_of(keys, names, &spellings);
    }
    trie
}

/// The places where fields that somebody asks about may be found instead in records of a kind.
pub(crate) fn instead(
    binding: &Binding,
    kind: &Kind,
    source: &EventSource,
    is_asked: &dyn Fn(FieldId) -> bool,
) -> StandIns {
    let mut found: Vec<(FieldId, Vec<Instead>)> = Vec::new();
    for entry in binding.taxonomy.fields.iter().filter(|entry| entry.is_for(source)) {
        let spelled = entry.is_spelled_by(&kind.name);
        for (name, places) in &entry.names {
            let Some(field) = binding.fields.get(name).filter(|field| is_asked(**field)) else { continue };
            let places = places.iter().filter_map(|place| match place {
                Elsewhere::Field(name) => binding.fields.get(name).copied().map(Instead::Field),
                Elsewhere::Attribute(path) if kind.is_event => {
                    binding.fields.get(&format!("{ATTRIBUTE}{path}")).copied().map(Instead::Field)
                }
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
