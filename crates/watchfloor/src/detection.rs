//! What detection needs from the outside: the clock, and somebody to tell what cannot be used.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use watchfloor_detect::{Correlator, RuleSet, Settings};

/// Time since this process asked first.
pub fn clock() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
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
