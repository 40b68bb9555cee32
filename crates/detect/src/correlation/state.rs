//! What correlations remember, as a value that can be kept.
//!
//! Rules, correlations and fields are remembered by their names: another set of rules may take it up. What belongs to a correlation that is not
//! there any more, or was changed, is dropped and counted.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::window::{Entry, Window};
use super::{Correlator, Hit, Key, Records};
use crate::facts::FieldId;
use crate::ruleset::{RuleId, RuleSet};

/// What correlations remember.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    correlations: Vec<String>,
    groups: Vec<Group>,
    waiting: Vec<Waiting>,
    newest: Option<i64>,
    /// Matches that came too late to be counted.
    pub late: u64,
    /// Matches that were given up for room: each may be a miss.
    pub evicted: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Group {
    /// Number of its correlation.
    correlation: usize,
    key: Vec<String>,
    shown: Vec<String>,
    entries: Vec<Entry>,
    quiet_until: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Waiting {
    rule: String,
    time: i64,
    id: u64,
    values: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    records: Option<Box<Records>>,
}

impl Correlator {
    /// What is remembered.
    #[must_use]
    pub fn state(&self, set: &RuleSet) -> State {
        let group = |(key, window): (&Key, &Window)| Group {
            correlation: key.0,
            key: key.1.clone(),
            shown: window.shown.clone(),
            entries: window.entries().cloned().collect(),
            quiet_until: window.quiet_until,
        };
        let field =
            |(field, value): &(FieldId, String)| Some((set.fields().get(usize::from(field.0))?.clone(), value.clone()));
        let waiting = |hit: &Hit| Waiting {
            rule: set.rules.get(hit.rule.0 as usize).map(|rule| rule.meta.key().to_owned()).unwrap_or_default(),
            time: hit.time,
            id: hit.id,
            values: hit.values.iter().filter_map(field).collect(),
            records: hit.records.clone(),
        };
        State {
            correlations: self.specs.iter().map(|spec| spec.identity.clone()).collect(),
            groups: self.groups.iter().map(group).collect(),
            waiting: self.waiting.values().map(waiting).collect(),
            newest: self.newest,
            late: self.late,
            evicted: self.evicted,
        }
    }

    /// Goes on from what was remembered. What the rules of now have no use for comes back as a number of matches.
    pub fn restore(&mut self, set: &RuleSet, state: State) -> u64 {
        let mut dropped = 0;
        (self.newest, self.late, self.evicted) = (state.newest, state.late, state.evicted);
        self.groups.clear();
        self.waiting.clear();
        self.bytes = 0;
        self.over.clear();
        for group in state.groups {
            let identity = state.correlations.get(group.correlation);
            match self.specs.iter().enumerate().find(|(_, spec)| Some(&spec.identity) == identity) {
                Some((number, spec)) => {
                    let window = Window::of(spec, group.shown, group.entries, group.quiet_until);
                    self.put((number, group.key).into(), window);
                }
                None => dropped += group.entries.len() as u64,
            }
        }
        let mut rules: HashMap<&str, RuleId> = HashMap::new();
        for (number, rule) in set.rules.iter().enumerate() {
            rules.entry(rule.meta.key()).or_insert(RuleId(number as u32));
        }
        for waiting in state.waiting {
            let known = rules.get(waiting.rule.as_str()).copied();
            let Some(rule) = known.filter(|rule| self.looks_at(*rule)) else {
                dropped += 1;
                continue;
            };
            let values = waiting.values.into_iter().filter_map(|(name, value)| Some((set.field(&name)?, value)));
            let hit =
                Hit { rule, time: waiting.time, id: waiting.id, values: values.collect(), records: waiting.records };
            self.wait(hit);
        }
        dropped
    }
}
