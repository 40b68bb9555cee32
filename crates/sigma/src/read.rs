//! Files of rules.

use std::collections::BTreeMap;

use watchfloor_model::Grade;

use crate::correlation::{self, Correlation};
use crate::detection;
use crate::effort::Reading;
use crate::finding::Finding;
use crate::lint;
use crate::logic::Logic;
use crate::meta::{self, LogSource, Meta};
use crate::yaml::{self, Key, Node, Value};

/// What rules are read with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What `%name%` stands for in values with `expand`.
    pub placeholders: BTreeMap<String, Vec<String>>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What it says of itself.
    pub meta: Meta,
    /// Where its events come from.
    pub source: LogSource,
    /// Names of its searches.
    pub names: Vec<String>,
    /// What they ask, by number.
    pub searches: Vec<Logic>,
    /// When it matches, over the searches.
    pub condition: Logic,
}

/// A filter: takes away matches of other rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// What it says of itself.
    pub meta: Meta,
    /// The log source of the rules it is for.
    pub source: LogSource,
    /// The rules, by id or name; none for all rules of its log source.
    pub rules: Vec<String>,
    /// What its searches ask, by number.
    pub searches: Vec<Logic>,
    /// A match of a rule stays one if this holds.
    pub keeps: Logic,
}

/// What a document is.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A rule.
    Rule(Box<Rule>),
    /// A rule over matches of rules.
    Correlation(Box<(Meta, Correlation)>),
    /// A filter.
    Filter(Box<Filter>),
}

impl Document {
    /// What it says of itself.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        match self {
            Self::Rule(rule) => &rule.meta,
            Self::Correlation(correlation) => &correlation.0,
            Self::Filter(filter) => &filter.meta,
        }
    }

    /// How many questions it asks.
    fn questions(&self) -> usize {
        match self {
            Self::Rule(rule) => rule.searches.iter().map(detection::count).sum(),
            Self::Filter(filter) => filter.searches.iter().map(detection::count).sum(),
            Self::Correlation(_) => 0,
        }
    }
}

/// Most bytes of all documents of a file, with what `action: global` and `repeat` give them (`sigma.too_large`).
pub const MERGED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most questions of all documents of a file (`sigma.too_many_values`).
pub const FILE_PREDICATES_MAX: usize = 250_000;

/// What is in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// Documents that can be used.
    pub documents: Vec<Document>,
    /// How many could not be.
    pub refused: usize,
    /// What there is to say, in order of place.
    pub findings: Vec<Finding>,
}

/// Reads a file.
#[must_use]
pub fn read(text: &str, options: &Options) -> Read {
    let (documents, mut findings) = yaml::documents(text);
    let mut read = Read { refused: usize::from(!findings.is_empty()), ..Read::default() };
    let mut collection = Collection::default();
    let (mut questions, mut merged_bytes, reading) = (0, 0, Reading::new(options));
    for document in documents {
        if questions > FILE_PREDICATES_MAX {
            let message = format!("the documents before this one ask more than {FILE_PREDICATES_MAX} questions");
            let finding = Finding::error("sigma.too_many_values", document.place, message);
            findings.push(finding.note("put the rules into several files"));
            read.refused += 1;
            break;
        }
        if document.value == Value::Null {
            continue;
        }
        let mut told = Vec::new();
        let document = match collection.complete(document, &mut told) {
            Some(document) => document,
            None => {
                read.refused += usize::from(told.iter().any(|finding| finding.grade == Grade::Error));
                findings.extend(told);
                continue;
            }
        };
        merged_bytes += if collection.used { document.bytes() } else { 0 };
        if merged_bytes > MERGED_BYTES_MAX {
            let message = format!(
                "the documents of the file have more than {MERGED_BYTES_MAX} bytes, with what `action` gives them"
            );
            findings.push(Finding::error("sigma.too_large", document.place, message));
            read.refused += 1;
            break;
        }
        let done = one(&document, &reading, &mut told);
        let is_refused = told.iter().any(|finding| finding.grade == Grade::Error);
        match done {
            Some(done) if !is_refused => {
                questions += done.questions();
                read.documents.push(done);
            }
            _ => read.refused += 1,
        }
        findings.extend(told);
    }
    if read.documents.is_empty() && findings.is_empty() && !collection.used {
        findings.push(Finding::error("sigma.empty", yaml::START, "there is no rule in this file"));
        read.refused = 1;
    }
    // YAML counts carriage returns alone as line ends; nobody else does.
    let last = text.lines().count().max(1) as u32;
    findings.iter_mut().for_each(|finding| finding.place.line = finding.place.line.min(last));
    findings.sort_by_key(|finding| finding.place);
    read.findings = findings;
    read
}

fn one(document: &Node, reading: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<Document> {
    if !matches!(document.value, Value::Map(_)) {
        let message = format!("the document is {}; a rule is a map", document.kind());
        findings.push(Finding::error("sigma.document", document.place, message));
        return None;
    }
    let meta = meta::read(document, findings);
    lint::meta(document, &meta, findings);
    if let Some(node) = document.get("correlation") {
        let correlation = correlation::read(document, node, findings)?;
        return Some(Document::Correlation(Box::new((meta, correlation))));
    }
    if let Some(node) = document.get("filter") {
        return filter(document, node, meta, reading, findings);
    }
    let source = meta::log_source(document, findings);
    let Some(node) = document.get("detection") else {
        let finding = Finding::error("sigma.detection", document.place, "the rule has no detection");
        findings.push(finding.note("a document has `detection`, `correlation` or `filter`"));
        return None;
    };
    let detection = detection::read(node, &["timeframe"], reading, findings);
    if let Some((key, _)) = node.entries().iter().find(|(key, _)| key.text == "timeframe") {
        let finding = Finding::warning(
            "sigma.timeframe",
            key.place,
            "`timeframe` belongs to aggregations, which are no part of Sigma any more",
        );
        findings.push(finding.note("write a correlation with `timespan`"));
    }
    lint::detection(node, &detection, findings);
    let condition = detection.condition?;
    Some(Document::Rule(Box::new(Rule {
        meta,
        source,
        names: detection.names,
        searches: detection.searches,
        condition,
    })))
}

fn filter(
    document: &Node,
    node: &Node,
    meta: Meta,
    reading: &Reading<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Document> {
    let source = meta::log_source(document, findings);
    let mut rules = meta::texts(node, "rules");
    match node.get("rules") {
        None => findings.push(
            Finding::error("sigma.filter", node.place, "the filter names no rules")
                .note("add `rules:` with ids or names, or `any`"),
        ),
        Some(_) if rules.iter().any(|rule| rule == "any") => rules.clear(),
        Some(named) if rules.is_empty() => {
            findings.push(Finding::error("sigma.filter", named.place, "the list of rules is empty"));
        }
        Some(_) => {}
    }
    let detection = detection::read(node, &["rules"], reading, findings);
    // What a filter describes is taken away; one that says `not …` describes what stays.
    let condition = detection.condition?;
    let keeps = if says_what_stays(&condition) { condition } else { Logic::Not(Box::new(condition)) };
    Some(Document::Filter(Box::new(Filter { meta, source, rules, searches: detection.searches, keeps })))
}

/// Whether all that a condition says is negated.
fn says_what_stays(condition: &Logic) -> bool {
    match condition {
        Logic::Not(inner) => !says_what_stays(inner),
        Logic::All(all) | Logic::Any(all) => all.iter().all(says_what_stays),
        Logic::Search(_) | Logic::Is(_) => false,
    }
}

/// Documents of one file that go together: `action: global` gives what all that follow have.
#[derive(Default)]
struct Collection {
    global: Option<Node>,
    last: Option<Node>,
    used: bool,
}

impl Collection {
    fn complete(&mut self, document: Node, findings: &mut Vec<Finding>) -> Option<Node> {
        let action = document.get("action").and_then(Node::text);
        let place = document.get("action").map_or(document.place, |action| action.place);
        let over = |base: &Option<Node>, document: Node| match base {
            Some(base) => merged(base, &document),
            None => document,
        };
        let document = match action.as_deref() {
            None => over(&self.global, document),
            Some("global") => {
                self.used = true;
                self.global = Some(over(&self.global, document));
                return None;
            }
            Some("reset") => {
                self.used = true;
                self.global = None;
                document
            }
            Some("repeat") => {
                if self.last.is_none() {
                    findings.push(Finding::error("sigma.action", place, "there is no document before this to repeat"));
                    return None;
                }
                over(&self.last, document)
            }
            Some(other) => {
                let finding = Finding::error("sigma.action", place, format!("`{other}` is no action"));
                findings.push(finding.note("there are: global, reset, repeat"));
                return None;
            }
        };
        self.last = Some(document.clone());
        Some(document)
    }
}

/// A document over another: its own keys count, maps are merged.
fn merged(base: &Node, over: &Node) -> Node {
    let (Value::Map(below), Value::Map(above)) = (&base.value, &over.value) else { return over.clone() };
    let mut entries: Vec<(Key, Node)> = below.iter().filter(|(key, _)| key.text != "action").cloned().collect();
    for (key, value) in above {
        match entries.iter_mut().find(|(known, _)| known.text == key.text) {
            Some((known, place)) => {
                *place = merged(place, value);
                known.place = key.place;
            }
            None => entries.push((key.clone(), value.clone())),
        }
    }
    Node { place: over.place, value: Value::Map(entries) }
}
