//! A window of one group: its matches, and whether the condition of the correlation holds of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use watchfloor_sigma::{CorrelationCondition, CorrelationKind, Logic};

use super::spec::Spec;

/// What one event is in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub time: i64,
    pub id: u64,
    /// Places of the rules that matched.
    pub places: Vec<u16>,
    /// Values of the fields that the correlation looks at; several if a field has several.
    pub values: Vec<Vec<String>>,
}

/// The matches of a group that count now.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The values of the group, as they were spelled first.
    pub shown: Vec<String>,
    pub entries: VecDeque<Entry>,
    /// The numbers that each of them brings.
    numbers: VecDeque<Vec<f64>>,
    /// Matches up to this time are not counted: the correlation has just matched.
    pub quiet_until: Option<i64>,
    /// How often each combination of values, and each rule, is among the entries.
    values: BTreeMap<Vec<String>, u32>,
    places: BTreeMap<u16, u32>,
}

impl Window {
    pub fn of(shown: Vec<String>, entries: Vec<Entry>, quiet_until: Option<i64>) -> Self {
        let mut window = Self { shown, quiet_until, ..Self::default() };
        entries.into_iter().for_each(|entry| window.push(entry));
        window
    }

    pub fn push(&mut self, entry: Entry) {
        entry.values.iter().for_each(|values| *self.values.entry(values.clone()).or_insert(0) += 1);
        entry.places.iter().for_each(|place| *self.places.entry(*place).or_insert(0) += 1);
        let firsts: BTreeSet<&String> = entry.values.iter().filter_map(|values| values.first()).collect();
        let numbers = firsts.into_iter().filter_map(|text| text.trim().parse().ok());
        self.numbers.push_back(numbers.filter(|number: &f64| number.is_finite()).collect());
        self.entries.push_back(entry);
    }

    pub fn pop(&mut self) {
        self.remove(0);
    }

    /// Gives up one entry to make room: one that others say the same as, where that is possible and enough for the kind of correlation. Tells whether
    /// something was lost.
    pub fn make_room(&mut self, kind: CorrelationKind) -> bool {
        let by_kind =
            matches!(kind, CorrelationKind::ValueCount | CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
        let is_said = |entry: &Entry| {
            entry.places.iter().all(|place| self.places.get(place).is_some_and(|count| *count > 1))
                && entry.values.iter().all(|values| self.values.get(values).is_some_and(|count| *count > 1))
        };
        // The first stays: it may be what an order begins with.
        let at = self.entries.iter().skip(1).position(is_said).filter(|_| by_kind);
        match at {
            Some(at) => self.remove(at + 1),
            None => self.pop(),
        }
        at.is_none()
    }

    fn remove(&mut self, at: usize) {
        self.numbers.remove(at);
        let Some(entry) = self.entries.remove(at) else { return };
        entry.values.iter().for_each(|values| less(&mut self.values, values));
        entry.places.iter().for_each(|place| less(&mut self.places, place));
    }

    /// Takes all entries out.
    pub fn take(&mut self) -> VecDeque<Entry> {
        self.values.clear();
        self.places.clear();
        self.numbers.clear();
        std::mem::take(&mut self.entries)
    }

    /// The last time at which the window says something about what comes.
    pub fn over(&self, spec: &Spec) -> i64 {
        let from = if spec.slides { self.entries.back() } else { self.entries.front() };
        let ends = from.map(|entry| entry.time.saturating_add(spec.span));
        ends.max(self.quiet_until).unwrap_or(i64::MIN)
    }

    /// Whether the condition holds.
    pub fn holds(&self, spec: &Spec) -> bool {
        let bounds = match &spec.condition {
            CorrelationCondition::Rules(logic) => {
                let ordered = spec.kind != CorrelationKind::TemporalOrdered || self.in_order();
                return ordered && rules_hold(logic, &self.places);
            }
            CorrelationCondition::Bounds(bounds) => bounds,
        };
        let figure = match spec.kind {
            CorrelationKind::EventCount => Some(self.entries.len() as f64),
            CorrelationKind::ValueCount => Some(self.values.len() as f64),
            CorrelationKind::Temporal => Some(self.places.len() as f64),
            CorrelationKind::TemporalOrdered => self.in_order().then_some(self.places.len() as f64),
            CorrelationKind::ValueSum => Some(self.numbers.iter().flatten().sum()),
            CorrelationKind::ValueAvg => {
                let numbers = self.numbers();
                (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
            }
            CorrelationKind::ValueMedian => percentile(self.numbers(), 50.0),
            CorrelationKind::ValuePercentile => percentile(self.numbers(), spec.percentile),
        };
        figure.is_some_and(|figure| bounds.iter().all(|bound| bound.order.holds(figure, bound.number)))
    }

    /// Whether different events matched the rules that are there, in the order of the correlation; events of one time in any.
    fn in_order(&self) -> bool {
        let mut wanted = self.places.keys().peekable();
        let entries: Vec<&Entry> = self.entries.iter().collect();
        for slot in entries.chunk_by(|a, b| a.time == b.time) {
            // Which of them came first is not known.
            let mut left: Vec<&&Entry> = slot.iter().collect();
            while let Some(at) =
                wanted.peek().and_then(|place| left.iter().position(|entry| entry.places.contains(place)))
            {
                left.swap_remove(at);
                wanted.next();
            }
        }
        wanted.peek().is_none()
    }

    fn numbers(&self) -> Vec<f64> {
        self.numbers.iter().flatten().copied().collect()
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn rules_hold(logic: &Logic, there: &BTreeMap<u16, u32>) -> bool {
    match logic {
        Logic::All(all) => all.iter().all(|one| rules_hold(one, there)),
        Logic::Any(any) => any.iter().any(|one| rules_hold(one, there)),
        Logic::Not(inner) => !rules_hold(inner, there),
        Logic::Search(place) => there.contains_key(&(*place as u16)),
        Logic::Is(_) => false,
    }
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
