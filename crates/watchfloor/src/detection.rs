//! What detection needs from the outside: the clock, and somebody to tell what cannot be used.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use watchfloor_detect::{Correlator, RuleSet, Settings};
use watchfloor_model::Grade;
use watchfloor_sigma::Document;

/// Time since this process asked first.
pub fn clock() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

/// What is to say of rules that concern each other.
#[derive(Clone, Debug)]
pub struct Remark {
    pub grade: Grade,
    pub code: &'static str,
    pub message: String,
}

impl Remark {
    /// For people.
    pub fn line(&self) -> String {
        format!("{}[{}]: {}\n", self.grade.as_str(), self.code, self.message)
    }
}

/// What is to say of ids that several documents have: `files` are those that they stand in.
pub fn doubles<'d>(documents: impl Iterator<Item = (&'d Document, &'d str)>) -> Vec<Remark> {
    let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (document, file) in documents {
        if let Some(id) = &document.meta().id {
            known.entry(id).or_default().push(file);
        }
    }
    let several = known.iter().filter(|(_, files)| files.len() > 1);
    let remark = |(id, files): (&&str, &Vec<&str>)| {
        let message = format!("the id {id} is that of several rules: {}", files.join(", "));
        Remark { grade: Grade::Warning, code: "sigma.duplicate_id", message }
    };
    several.map(remark).collect()
}

/// What is to say of filters that name rules which are not there.
pub fn idle_filters(documents: &[Document]) -> Vec<Remark> {
    let rules = documents.iter().filter(|document| matches!(document, Document::Rule(_)));
    let names: HashSet<&String> = rules.flat_map(|document| document.meta().names()).collect();
    let filters = documents.iter().filter_map(|document| match document {
        Document::Filter(filter) => Some(filter),
        Document::Rule(_) | Document::Correlation(_) => None,
    });
    let idle = filters.flat_map(|filter| {
        let missing = filter.rules.iter().filter(|name| !names.contains(name));
        missing.map(|name| {
            let title = &filter.meta.title;
            let message = format!(
                "{title}: there is no rule `{name}` among those that are loaded: the filter takes nothing of it away"
            );
            Remark { grade: Grade::Error, code: "sigma.unknown_rule", message }
        })
    });
    idle.collect()
}

/// The correlations of a set, and what is to say of those that cannot be used.
pub fn correlator(set: &RuleSet, settings: Settings) -> (Correlator, Vec<Remark>) {
    let (correlator, unusable) = Correlator::new(set, settings);
    let told = unusable.iter().map(|(rule, finding)| {
        let title = set.rules.get(rule.0 as usize).map_or("", |rule| rule.meta.title.as_str());
        Remark { grade: Grade::Error, code: finding.code, message: format!("{title}: {}", finding.message) }
    });
    let told = told.collect();
    (correlator, told)
}
