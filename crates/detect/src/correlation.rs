//! Correlations: rules over the matches of rules.
//!
//! Matches are put in order of their times first: one that comes later than a newer one waits up to [`Settings::lateness`]; one that comes later than
//! that is not counted, and is counted as such. What comes out is what would come out if all had come in order.
//!
//! A **window** of a group of matches (those with the same values in the `group-by` fields) is as long as the time span of the correlation.
//! Where more can only help (`gte` and `gt` of counts and sums, rules that must all be there) the window slides, and the correlation matches as soon as
//! its condition holds. Everything else (`lt`, `eq`, means, percentiles, a rule that must not be there) is known when a window is over: it begins
//! with the first match of the group, and the next begins behind it. After a match the group is quiet for one time span.
//!
//! Matches without a value in a `group-by` field belong to no group. State is bounded; what is given up is counted, as it may be a miss.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use watchfloor_sigma::{Bound, Correlation, CorrelationCondition, CorrelationKind, Finding, Logic, Order};

use crate::facts::FieldId;
use crate::ruleset::{RuleId, RuleSet};

/// What correlations are held to.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a match waits for earlier ones, in milliseconds.
    pub lateness: i64,
    /// Most groups of all correlations together.
    pub groups: usize,
    /// Most matches of one group.
    pub entries: usize,
    /// Most matches that wait.
    pub waiting: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lateness: 60_000, groups: 100_000, entries: 10_000, waiting: 100_000 }
    }
}

/// A match of a rule, as far as correlations need it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Number of the rule.
    pub rule: u32,
    /// Epoch milliseconds.
    pub time: i64,
    /// What the caller knows it by.
    pub id: u64,
    /// Values of the fields that correlations look at.
    pub values: Vec<(u16, String)>,
}

/// A match of a correlation.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlated {
    /// The correlation.
    pub rule: RuleId,
    /// Time of the first match in the window.
    pub from: i64,
    /// Time of the last.
    pub to: i64,
    /// The matches.
    pub ids: Vec<u64>,
    /// Fields of the group and their values.
    pub group: Vec<(String, String)>,
}

/// A correlation, with rules and fields as numbers.
#[derive(Debug)]
struct Spec {
    rule: RuleId,
    kind: CorrelationKind,
    rules: Vec<RuleId>,
    names: Vec<String>,
    /// For each rule the fields of the group.
    keys: Vec<Vec<FieldId>>,
    fields: Vec<FieldId>,
    span: i64,
    condition: CorrelationCondition,
    percentile: f64,
    slides: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    time: i64,
    id: u64,
    /// Places of the rules that matched.
    places: Vec<u16>,
    values: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Group {
    entries: Vec<Entry>,
    quiet_until: Option<i64>,
}

/// What correlations remember: a value that can be kept and taken up again with the same rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    groups: Vec<(u32, Vec<String>, Group)>,
    waiting: Vec<Hit>,
    newest: Option<i64>,
    /// Matches that came too late to be counted.
    pub late: u64,
    /// Matches and groups that were given up for room: each may be a miss.
    pub evicted: u64,
}

/// Runs correlations over matches.
#[derive(Debug)]
pub struct Correlator {
    specs: Vec<Spec>,
    by_rule: HashMap<u32, Vec<(usize, u16)>>,
    settings: Settings,
    groups: BTreeMap<(u32, Vec<String>), Group>,
    waiting: BTreeMap<(i64, u64, u32), Hit>,
    newest: Option<i64>,
    /// Matches that came too late to be counted.
    pub late: u64,
    /// Matches and groups that were given up for room.
    pub evicted: u64,
}

/// Places of the rules of a correlation that one event matched, and the values that the correlation looks at.
type Places = (Vec<u16>, Option<Vec<String>>);

/// Why correlations cannot be used: their number, and what to say.
pub type Unusable = (RuleId, Finding);

impl Correlator {
    /// The correlations of a set. Those that refer to rules that are not there, or to themselves, are left out and told.
    #[must_use]
    pub fn new(set: &RuleSet, settings: Settings) -> (Self, Vec<Unusable>) {
        let mut unusable = Vec::new();
        let mut specs = Vec::new();
        for (number, rule) in set.rules.iter().enumerate() {
            let Some(correlation) = &rule.correlation else { continue };
            let id = RuleId(number as u32);
            match spec(set, id, correlation) {
                Ok(spec) => specs.push(spec),
                Err(message) => unusable.push((id, Finding::error("sigma.unknown_rule", rule.meta.place, message))),
            }
        }
        let cyclic = cyclic(&specs);
        for spec in specs.iter().filter(|spec| cyclic.contains(&spec.rule)) {
            let place = set.rules.get(spec.rule.0 as usize).map(|rule| rule.meta.place).unwrap_or_default();
            let message = "the correlation refers to itself";
            unusable.push((spec.rule, Finding::error("sigma.correlation_cycle", place, message)));
        }
        specs.retain(|spec| !cyclic.contains(&spec.rule));
        let mut by_rule: HashMap<u32, Vec<(usize, u16)>> = HashMap::new();
        for (number, spec) in specs.iter().enumerate() {
            for (place, rule) in spec.rules.iter().enumerate() {
                by_rule.entry(rule.0).or_default().push((number, place as u16));
            }
        }
        let correlator = Self {
            specs,
            by_rule,
            settings,
            groups: BTreeMap::new(),
            waiting: BTreeMap::new(),
            newest: None,
            late: 0,
            evicted: 0,
        };
        (correlator, unusable)
    }

    /// Whether a rule's matches are looked at.
    #[must_use]
    pub fn looks_at(&self, rule: RuleId) -> bool {
        self.by_rule.contains_key(&rule.0)
    }

    /// The fields whose values a match must bring.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<FieldId> {
        self.specs.iter().flat_map(|spec| spec.keys.iter().flatten().chain(&spec.fields)).copied().collect()
    }

    /// Takes matches of rules that came at one time for one event.
    pub fn handle(&mut self, hit: Hit, found: &mut Vec<Correlated>) {
        let newest = self.newest.map_or(hit.time, |newest| newest.max(hit.time));
        self.newest = Some(newest);
        if hit.time < newest - self.settings.lateness {
            self.late += 1;
            return;
        }
        self.waiting.insert((hit.time, hit.id, hit.rule), hit);
        self.release(newest - self.settings.lateness, found);
        while self.waiting.len() > self.settings.waiting {
            // The oldest is counted before its time.
            if let Some((_, hit)) = self.waiting.pop_first() {
                self.count(&[hit], found);
            }
        }
    }

    /// Everything came: counts what waits and ends all windows.
    pub fn finish(&mut self, found: &mut Vec<Correlated>) {
        self.release(i64::MAX, found);
        let all: Vec<(u32, Vec<String>)> = self.groups.keys().cloned().collect();
        for key in all {
            self.close(&key, i64::MAX, found);
        }
    }

    /// What is remembered.
    #[must_use]
    pub fn state(&self) -> State {
        State {
            groups: self.groups.iter().map(|((spec, key), group)| (*spec, key.clone(), group.clone())).collect(),
            waiting: self.waiting.values().cloned().collect(),
            newest: self.newest,
            late: self.late,
            evicted: self.evicted,
        }
    }

    /// Goes on from what was remembered with the same rules.
    pub fn restore(&mut self, state: State) {
        self.groups = state.groups.into_iter().map(|(spec, key, group)| ((spec, key), group)).collect();
        self.waiting = state.waiting.into_iter().map(|hit| ((hit.time, hit.id, hit.rule), hit)).collect();
        (self.newest, self.late, self.evicted) = (state.newest, state.late, state.evicted);
    }

    /// Counts what waited long enough. What one event matched is counted together.
    fn release(&mut self, until: i64, found: &mut Vec<Correlated>) {
        while let Some(((time, id, _), _)) = self.waiting.first_key_value().filter(|((time, ..), _)| *time <= until) {
            let (time, id) = (*time, *id);
            let mut hits = Vec::new();
            while let Some(first) =
                self.waiting.first_entry().filter(|first| (first.key().0, first.key().1) == (time, id))
            {
                hits.push(first.remove());
            }
            self.count(&hits, found);
        }
    }

    /// Counts the matches of one event, and what comes of them.
    fn count(&mut self, hits: &[Hit], found: &mut Vec<Correlated>) {
        let mut places: BTreeMap<(usize, Vec<String>), Places> = BTreeMap::new();
        for hit in hits {
            for (number, place) in self.by_rule.get(&hit.rule).into_iter().flatten() {
                let Some(spec) = self.specs.get(*number) else { continue };
                let value = |field: &FieldId| {
                    hit.values.iter().find(|(known, _)| *known == field.0).map(|(_, text)| text.clone())
                };
                let keys = spec.keys.get(usize::from(*place)).map(Vec::as_slice).unwrap_or_default();
                let Some(key) = keys.iter().map(value).collect::<Option<Vec<_>>>() else { continue };
                let values = spec.fields.iter().map(value).collect::<Option<Vec<_>>>();
                let known = places.entry((*number, key)).or_insert((Vec::new(), values));
                known.0.push(*place);
            }
        }
        let Some(first) = hits.first() else { return };
        let from = found.len();
        for ((number, key), (places, values)) in places {
            let entry = Entry { time: first.time, id: first.id, places, values };
            self.enter(number, key, entry, found);
        }
        // A correlation that matches is a match for others.
        for correlated in found.get(from..).unwrap_or_default().to_vec() {
            if let Some(hit) =
                self.specs.iter().find(|spec| spec.rule == correlated.rule).map(|spec| hit_of(&correlated, spec))
            {
                self.count(&[hit], found);
            }
        }
    }

    fn enter(&mut self, number: usize, key: Vec<String>, entry: Entry, found: &mut Vec<Correlated>) {
        let time = entry.time;
        let key = (number as u32, key);
        let Some((span, slides)) = self.specs.get(number).map(|spec| (spec.span, spec.slides)) else { return };
        if !slides {
            self.close(&key, time, found);
        }
        if !self.groups.contains_key(&key) && self.groups.len() >= self.settings.groups {
            self.evict();
        }
        let group = self.groups.entry(key.clone()).or_default();
        if group.quiet_until.is_some_and(|until| time <= until) {
            return;
        }
        group.quiet_until = None;
        if slides {
            group.entries.retain(|entry| entry.time >= time - span);
        }
        if group.entries.len() >= self.settings.entries {
            group.entries.remove(0);
            self.evicted += 1;
        }
        group.entries.push(entry);
        if slides {
            self.match_now(&key, found);
        }
    }

    /// Gives the group up whose last match is the oldest.
    fn evict(&mut self) {
        let last = |group: &Group| group.entries.last().map(|entry| entry.time).or(group.quiet_until);
        let oldest = self.groups.iter().min_by_key(|(_, group)| last(group)).map(|(key, _)| key.clone());
        if let Some(group) = oldest.and_then(|key| self.groups.remove(&key)) {
            self.evicted += group.entries.len() as u64;
        }
    }

    /// Ends the windows of a group that are over at a time.
    fn close(&mut self, key: &(u32, Vec<String>), now: i64, found: &mut Vec<Correlated>) {
        let Some(spec) = self.specs.get(key.0 as usize) else { return };
        let Some(group) = self.groups.get(key) else { return };
        let is_over = group.entries.first().is_some_and(|first| now > first.time.saturating_add(spec.span));
        if !is_over || spec.slides {
            return;
        }
        self.match_now(key, found);
        if let Some(group) = self.groups.get_mut(key) {
            group.entries.clear();
        }
    }

    fn match_now(&mut self, key: &(u32, Vec<String>), found: &mut Vec<Correlated>) {
        let Some(spec) = self.specs.get(key.0 as usize) else { return };
        let Some(group) = self.groups.get_mut(key).filter(|group| holds(spec, &group.entries)) else { return };
        let times = || group.entries.iter().map(|entry| entry.time);
        let (from, to) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
        let ids = group.entries.iter().map(|entry| entry.id).collect();
        let names = spec.names.iter().cloned().zip(key.1.iter().cloned()).collect();
        found.push(Correlated { rule: spec.rule, from, to, ids, group: names });
        group.entries.clear();
        group.quiet_until = Some(to.saturating_add(spec.span));
    }
}

/// A correlation's match as one for other correlations: its values are those of its group.
fn hit_of(correlated: &Correlated, spec: &Spec) -> Hit {
    let fields = spec.keys.iter().flat_map(|keys| keys.iter().zip(&correlated.group));
    let mut values: Vec<(u16, String)> = fields.map(|(field, (_, value))| (field.0, value.clone())).collect();
    values.sort();
    values.dedup();
    Hit { rule: correlated.rule.0, time: correlated.to, id: correlated.ids.last().copied().unwrap_or_default(), values }
}

fn spec(set: &RuleSet, rule: RuleId, correlation: &Correlation) -> Result<Spec, String> {
    let find = |name: &String| {
        let found = set
            .rules
            .iter()
            .position(|rule| rule.meta.id.as_ref() == Some(name) || rule.meta.name.as_ref() == Some(name));
        found
            .map(|at| RuleId(at as u32))
            .ok_or_else(|| format!("there is no rule `{name}` among those that are loaded"))
    };
    let rules = correlation.rules.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let field = |name: &str| set.field(name).ok_or_else(|| format!("there is no field `{name}`"));
    let key = |rule: &String| -> Result<Vec<FieldId>, String> {
        let name = |name: &String| {
            let alias = correlation.aliases.iter().find(|(alias, _)| alias == name);
            let own =
                alias.and_then(|(_, places)| places.iter().find(|(of, _)| of == rule)).map(|(_, field)| field.as_str());
            field(own.unwrap_or(name))
        };
        correlation.group_by.iter().map(name).collect()
    };
    let keys = correlation.rules.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let fields = correlation.fields.iter().map(|name| field(name)).collect::<Result<Vec<_>, _>>()?;
    let grows =
        |bounds: &[Bound]| bounds.iter().all(|bound| matches!(bound.order, Order::Greater | Order::GreaterOrEqual));
    let slides = match (&correlation.condition, correlation.kind) {
        (CorrelationCondition::Rules(logic), _) => !negates(logic),
        (
            CorrelationCondition::Bounds(bounds),
            CorrelationKind::EventCount
            | CorrelationKind::ValueCount
            | CorrelationKind::ValueSum
            | CorrelationKind::Temporal
            | CorrelationKind::TemporalOrdered,
        ) => grows(bounds),
        (CorrelationCondition::Bounds(_), _) => false,
    };
    Ok(Spec {
        rule,
        kind: correlation.kind,
        rules,
        names: correlation.group_by.clone(),
        keys,
        fields,
        span: correlation.timespan as i64 * 1_000,
        condition: correlation.condition.clone(),
        percentile: correlation.percentile,
        slides,
    })
}

fn negates(logic: &Logic) -> bool {
    match logic {
        Logic::All(all) | Logic::Any(all) => all.iter().any(negates),
        Logic::Not(_) => true,
        Logic::Search(_) | Logic::Is(_) => false,
    }
}

/// Correlations from which following references leads back to them, or to others that do so.
fn cyclic(specs: &[Spec]) -> BTreeSet<RuleId> {
    let own: BTreeSet<RuleId> = specs.iter().map(|spec| spec.rule).collect();
    let mut settled: BTreeSet<RuleId> = BTreeSet::new();
    loop {
        let before = settled.len();
        for spec in specs {
            if spec.rules.iter().all(|rule| !own.contains(rule) || settled.contains(rule)) {
                settled.insert(spec.rule);
            }
        }
        if settled.len() == before {
            return own.difference(&settled).copied().collect();
        }
    }
}

/// Whether the condition holds of a window.
fn holds(spec: &Spec, entries: &[Entry]) -> bool {
    let bounds = match &spec.condition {
        CorrelationCondition::Rules(logic) => {
            let there: BTreeSet<u16> = entries.iter().flat_map(|entry| entry.places.iter().copied()).collect();
            let ordered = spec.kind != CorrelationKind::TemporalOrdered || in_order(spec, entries, &there);
            return rules_hold(logic, &there) && ordered;
        }
        CorrelationCondition::Bounds(bounds) => bounds,
    };
    let figure = match spec.kind {
        CorrelationKind::EventCount => Some(entries.len() as f64),
        CorrelationKind::ValueCount => {
            let different: BTreeSet<&Vec<String>> = entries.iter().filter_map(|entry| entry.values.as_ref()).collect();
            Some(different.len() as f64)
        }
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
            let there: BTreeSet<u16> = entries.iter().flat_map(|entry| entry.places.iter().copied()).collect();
            let ordered = spec.kind == CorrelationKind::Temporal || in_order(spec, entries, &there);
            ordered.then_some(there.len() as f64)
        }
        CorrelationKind::ValueSum => Some(numbers(entries).iter().sum()),
        CorrelationKind::ValueAvg => {
            let numbers = numbers(entries);
            (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
        }
        CorrelationKind::ValueMedian => percentile(numbers(entries), 50.0),
        CorrelationKind::ValuePercentile => percentile(numbers(entries), spec.percentile),
    };
    figure.is_some_and(|figure| bounds.iter().all(|bound| bound.order.holds(figure, bound.number)))
}

fn rules_hold(logic: &Logic, there: &BTreeSet<u16>) -> bool {
    match logic {
        Logic::All(all) => all.iter().all(|one| rules_hold(one, there)),
        Logic::Any(any) => any.iter().any(|one| rules_hold(one, there)),
        Logic::Not(inner) => !rules_hold(inner, there),
        Logic::Search(place) => there.contains(&(*place as u16)),
        Logic::Is(_) => false,
    }
}

/// Whether different events matched the rules that are there, in the order of the correlation.
fn in_order(spec: &Spec, entries: &[Entry], there: &BTreeSet<u16>) -> bool {
    let mut wanted = (0..spec.rules.len() as u16).filter(|place| there.contains(place)).peekable();
    for entry in entries {
        if wanted.peek().is_some_and(|place| entry.places.contains(place)) {
            wanted.next();
        }
    }
    wanted.peek().is_none()
}

fn numbers(entries: &[Entry]) -> Vec<f64> {
    let values = entries.iter().filter_map(|entry| entry.values.as_ref()?.first()?.trim().parse().ok());
    values.filter(|number: &f64| number.is_finite()).collect()
}

/// A percentile between the two nearest numbers.
fn percentile(mut numbers: Vec<f64>, percent: f64) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len().checked_sub(1)?;
    let at = percent / 100.0 * last as f64;
    let below = at.floor() as usize;
    let (low, high) = (numbers.get(below)?, numbers.get((below + 1).min(last))?);
    Some(low + (high - low) * (at - below as f64))
}
