//! The engines of others.

use std::collections::HashMap;

use rsigma_eval::EvaluationResult;
use rsigma_eval::event::{Event, JsonEvent};
use rsigma_parser::{LogSource, SigmaRule};
use watchfloor_decode::Batch;
use watchfloor_detect::{RuleId, RuleSet};

use crate::event::Record;
use crate::ours::Routes;

/// How `rsigma-eval` is used.
#[derive(Clone, Copy)]
pub struct Settings {
    pub name: &'static str,
    /// Its own type for events, out of `serde_json`; else [`Record`].
    pub own_events: bool,
    /// An engine for each combination of log sources, with the rules for it and no others; else one that is told the log source.
    pub split: bool,
    pub bloom: bool,
    pub cross_rule: bool,
}

/// `rsigma-eval`, set up.
pub struct Rsigma {
    settings: Settings,
    engines: Vec<rsigma_eval::Engine>,
    /// With one engine for all: the log source of each combination.
    sources: Vec<LogSource>,
}

impl Rsigma {
    pub fn new(rules: &[(RuleId, SigmaRule)], set: &RuleSet, routes: &Routes, settings: Settings) -> Self {
        let engine = |rules: Vec<&SigmaRule>| {
            let mut engine = rsigma_eval::Engine::new();
            engine.set_bloom_prefilter(settings.bloom);
            engine.set_cross_rule_ac(settings.cross_rule);
            engine.add_rules(rules);
            engine
        };
        if !settings.split {
            let sources = routes.rules.iter().map(|rules| log_source(set, rules)).collect();
            return Self { settings, engines: vec![engine(rules.iter().map(|(_, rule)| rule).collect())], sources };
        }
        let chosen = |wanted: &Vec<RuleId>| {
            engine(rules.iter().filter(|(id, _)| wanted.binary_search(id).is_ok()).map(|(_, rule)| rule).collect())
        };
        Self { settings, engines: routes.rules.iter().map(chosen).collect(), sources: Vec::new() }
    }

    /// How many rules could not be compiled.
    pub fn refused(rules: &[(RuleId, SigmaRule)]) -> usize {
        rsigma_eval::Engine::new().add_rules(rules.iter().map(|(_, rule)| rule)).len()
    }

    /// Parses every record and gives what matches it to `each`.
    pub fn run(&self, records: &Batch, routes: &Routes, mut each: impl FnMut(usize, &[EvaluationResult])) {
        for (at, (framed, route)) in records.records.iter().zip(&routes.of).enumerate() {
            let text = records.raw(framed);
            let found = if self.settings.own_events {
                serde_json::from_slice(text).map(|value| self.evaluate(*route, &JsonEvent::borrow(&value))).ok()
            } else {
                sonic_rs::from_slice(text).map(|value| self.evaluate(*route, &Record(value))).ok()
            };
            each(at, &found.unwrap_or_default());
        }
    }

    fn evaluate(&self, route: usize, event: &impl Event) -> Vec<EvaluationResult> {
        let found = match self.sources.get(route) {
            Some(source) => self.engines.first().map(|engine| engine.evaluate_with_logsource(event, source)),
            None => self.engines.get(route).map(|engine| engine.evaluate(event)),
        };
        found.unwrap_or_default()
    }
}

/// `rsigma-eval` takes one category, product and service of a record: those that most of the rules for it name.
fn log_source(set: &RuleSet, rules: &[RuleId]) -> LogSource {
    let most = |part: fn(&watchfloor_sigma::LogSource) -> &Option<String>| {
        let mut counts: HashMap<&String, usize> = HashMap::new();
        for word in rules.iter().filter_map(|id| part(&set.rules.get(id.0 as usize)?.source).as_ref()) {
            *counts.entry(word).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(word, count)| (*count, *word)).map(|(word, _)| word.clone())
    };
    LogSource {
        category: most(|source| &source.category),
        product: most(|source| &source.product),
        service: most(|source| &source.service),
        ..LogSource::default()
    }
}

/// `sigma-rust` on every so-many-th record: it asks one rule after another, and gets those for the record's log sources.
pub fn sigma_rust(rules: &HashMap<RuleId, sigma_rust::Rule>, records: &Batch, routes: &Routes, step: usize) -> usize {
    let mut matches = 0;
    for (framed, route) in records.records.iter().zip(&routes.of).step_by(step) {
        let Some(event) =
            str::from_utf8(records.raw(framed)).ok().and_then(|text| sigma_rust::event_from_json(text).ok())
        else {
            continue;
        };
        let due = routes.rules.get(*route).into_iter().flatten().filter_map(|id| rules.get(id));
        matches += due.filter(|rule| rule.is_match(&event)).count();
    }
    matches
}
