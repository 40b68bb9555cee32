//! Which log sources a record is of, and where the fields of rules are found in it: data, read from YAML.
//!
//! ```yaml
//! sources:
//!   - kind: windows.sysmon            # kinds of records, `*` is a wildcard; without it any kind
//!     fields: {EventID: [1]}          # fields of the record, one of these values each
//!     product: windows
//!     service: sysmon
//!     category: process_creation
//! fields:
//!   - product: windows                # for records of this log source
//!     category: process_creation
//!     spelled_by: windows.sysmon      # kinds of records that have these fields themselves: attributes of the event add nothing
//!     names:
//!       Image: [NewProcessName, 'ocsf:process.file.path']
//! events:
//!   - fields: {'ocsf:metadata.log_name': Security}   # OCSF events that come in as such with one of these values each
//!     kind: windows.security                         # count as made of records of this kind
//! ```
//! All entries of `sources` that apply to a record count. A field of a rule is looked for under its own name first; then at the places that
//! `names` gives: other fields of the record, and attributes of the event that was made of it. The first that has a value counts.
//!
//! An OCSF event that comes in as such counts as made of a record of the kind that `events` names, or of the only kind with its vendor and product, or of
//! none; entries of `sources` with the kind `ocsf` are for all of them. Its attributes are where they would be if it had been made here, and what it has
//! under `unmapped` counts as fields of the record.

use watchfloor_sigma::yaml::{self, Node, Value};
use watchfloor_sigma::{Finding, Pattern};

use crate::source::EventSource;

/// Where else a field may be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Another field of the record.
    Field(String),
    /// An attribute of the event.
    Attribute(String),
}

/// A log source, and the records that are of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceEntry {
    kinds: Vec<Pattern>,
    pub(crate) fields: Vec<(String, Vec<Pattern>)>,
    product: Option<String>,
    service: Option<String>,
    category: Option<String>,
}

/// Names of fields for records of a log source.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldEntry {
    products: Vec<String>,
    services: Vec<String>,
    categories: Vec<String>,
    spelled_by: Vec<Pattern>,
    pub(crate) names: Vec<(String, Vec<Elsewhere>)>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Taxonomy {
    pub(crate) sources: Vec<SourceEntry>,
    pub(crate) fields: Vec<FieldEntry>,
    /// Kinds of OCSF events that come in as such, by their fields.
    pub(crate) events: Vec<SourceEntry>,
}

/// What stands before the path of an attribute.
pub(crate) const ATTRIBUTE: &str = "ocsf:";
/// The kind of OCSF events that come in as such.
pub(crate) const EVENT_KIND: &str = "ocsf";

impl Taxonomy {
    /// Adds the entries of a file.
    pub fn add(&mut self, text: &str) -> Vec<Finding> {
        let (documents, mut findings) = yaml::documents(text);
        for document in &documents {
            for (key, value) in document.entries() {
                match key.text.as_str() {
                    "sources" => {
                        self.sources.extend(value.items().iter().filter_map(|item| source(item, &mut findings)))
                    }
                    "fields" => self.fields.extend(value.items().iter().filter_map(|item| fields(item, &mut findings))),
                    "events" => self.events.extend(value.items().iter().filter_map(|item| source(item, &mut findings))),
                    other => findings.push(unknown(other, key.place, "sources, fields, events")),
                }
            }
        }
        findings
    }

    /// Names of all record fields that decide or stand in for others.
    pub(crate) fn record_fields(&self) -> impl Iterator<Item = &str> {
        let all = self.sources.iter().chain(&self.events);
        let deciding = all.flat_map(|entry| entry.fields.iter().map(|(name, _)| name.as_str()));
        let others = self.fields.iter().flat_map(|entry| &entry.names).flat_map(|(name, places)| {
            let elsewhere = places.iter().filter_map(|place| match place {
                Elsewhere::Field(name) => Some(name.as_str()),
                Elsewhere::Attribute(_) => None,
            });
            std::iter::once(name.as_str()).chain(elsewhere)
        });
        deciding.chain(others)
    }

    /// Paths of all attributes of events that stand in for fields.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        let places = self.fields.iter().flat_map(|entry| &entry.names).flat_map(|(_, places)| places);
        places.filter_map(|place| match place {
            Elsewhere::Attribute(path) => Some(path.as_str()),
            Elsewhere::Field(_) => None,
        })
    }

    /// The log sources that rules of this taxonomy can be fed from: what all entries together name.
    #[must_use]
    pub fn fed(&self) -> Vec<EventSource> {
        let one = |word: &Option<String>| word.iter().cloned().collect();
        let entry = |entry: &SourceEntry| EventSource {
            products: one(&entry.product),
            services: one(&entry.service),
            categories: one(&entry.category),
        };
        self.sources.iter().map(entry).collect()
    }
}

impl SourceEntry {
    /// The kind, if it names one without wildcards.
    pub(crate) fn kind(&self) -> Option<&str> {
        self.kinds.first().and_then(Pattern::as_plain)
    }

    pub(crate) fn is_for(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|pattern| pattern.fits(kind))
    }

    pub(crate) fn add_to(&self, source: &mut EventSource) {
        let add = |all: &mut Vec<String>, word: &Option<String>| {
            all.extend(word.iter().filter(|word| !all.contains(word)).cloned().collect::<Vec<_>>());
        };
        add(&mut source.products, &self.product);
        add(&mut source.services, &self.service);
        add(&mut source.categories, &self.category);
    }
}

impl FieldEntry {
    /// Whether records of a kind have these fields themselves.
    pub(crate) fn is_spelled_by(&self, kind: &str) -> bool {
        self.spelled_by.iter().any(|pattern| pattern.fits(kind))
    }

    pub(crate) fn is_for(&self, source: &EventSource) -> bool {
        let any =
            |wanted: &[String], there: &[String]| wanted.is_empty() || wanted.iter().any(|word| there.contains(word));
        any(&self.products, &source.products)
            && any(&self.services, &source.services)
            && any(&self.categories, &source.categories)
    }
}

fn unknown(word: &str, place: watchfloor_sigma::Place, all: &str) -> Finding {
    Finding::error("taxonomy.key", place, format!("`{word}` is no key here")).note(format!("there are: {all}"))
}

fn words(node: &Node) -> Vec<String> {
    node.items().iter().filter_map(Node::text).collect()
}

fn patterns(node: &Node) -> Vec<Pattern> {
    let pattern = |text: &String| {
        // Names have backslashes and slashes, and only stars as wildcards.
        let mut pattern = Pattern::parse(&text.replace('\\', "\\\\"));
        pattern.ignore_case();
        pattern
    };
    words(node).iter().map(pattern).collect()
}

fn source(node: &Node, findings: &mut Vec<Finding>) -> Option<SourceEntry> {
    let mut entry = SourceEntry::default();
    for (key, value) in node.entries() {
        match key.text.as_str() {
            "kind" => entry.kinds = patterns(value),
            "fields" => {
                entry.fields =
                    value.entries().iter().map(|(name, values)| (name.text.clone(), patterns(values))).collect()
            }
            "product" => entry.product = value.text(),
            "service" => entry.service = value.text(),
            "category" => entry.category = value.text(),
            other => findings.push(unknown(other, key.place, "kind, fields, product, service, category")),
        }
    }
    if entry.kinds.is_empty() && entry.fields.is_empty() {
        findings.push(Finding::error(
            "taxonomy.source",
            node.place,
            "the log source is of no record: give `kind` or `fields`",
        ));
        return None;
    }
    Some(entry)
}

fn fields(node: &Node, findings: &mut Vec<Finding>) -> Option<FieldEntry> {
    let mut entry = FieldEntry::default();
    for (key, value) in node.entries() {
        match key.text.as_str() {
            "product" => entry.products = words(value),
            "service" => entry.services = words(value),
            "category" => entry.categories = words(value),
            "spelled_by" => entry.spelled_by = patterns(value),
            "names" if matches!(value.value, Value::Map(_)) => {
                for (name, places) in value.entries() {
                    let place = |text: String| match text.strip_prefix(ATTRIBUTE) {
                        Some(path) => Elsewhere::Attribute(path.to_owned()),
                        None => Elsewhere::Field(text),
                    };
                    entry.names.push((name.text.clone(), words(places).into_iter().map(place).collect()));
                }
            }
            other => findings.push(unknown(other, key.place, "product, service, category, spelled_by, names (a map)")),
        }
    }
    Some(entry)
}
