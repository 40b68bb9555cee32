//! What detection needs from the outside: the clock, and somebody to tell what cannot be used.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use watchfloor_detect::{Correlator, RuleSet, Settings};
use watchfloor_sigma::Document;

/// Time since this process asked first.
pub fn clock() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

/// What is to say of filters that name rules which are not there.
pub fn idle_filters(documents: &[Document]) -> Vec<String> {
    let rules = documents.iter().filter(|document| matches!(document, Document::Rule(_)));
    let names: HashSet<&String> = rules
        .flat_map(|document| {
            let meta = document.meta();
            meta.id.iter().chain(&meta.name)
        })
        .collect();
    let filters = documents.iter().filter_map(|document| match document {
        Document::Filter(filter) => Some(filter),
        Document::Rule(_) | Document::Correlation(_) => None,
    });
    let idle = filters.flat_map(|filter| {
        let missing = filter.rules.iter().filter(|name| !names.contains(name));
        missing.map(|name| {
            let title = &filter.meta.title;
            format!("error[sigma.unknown_rule]: {title}: there is no rule `{name}` among those that are loaded: the filter takes nothing of it away\n")
        })
    });
    idle.collect()
}

/// The correlations of a set, and what is to say of those that cannot be used.
pub fn correlator(set: &RuleSet, settings: Settings) -> (Correlator, Vec<String>) {
    let (correlator, unusable) = Correlator::new(set, settings);
    let told = unusable.iter().map(|(rule, finding)| {
        let title = set.rules.get(rule.0 as usize).map_or("", |rule| rule.meta.title.as_str());
        format!("error[{}]: {title}: {}\n", finding.code, finding.message)
    });
    let told = told.collect();
    (correlator, told)
}
