//! A window of one group: its matches, and whether the condition of the correlation holds of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use watchfloor_sigma::{CorrelationCondition, CorrelationKind, Logic};

use super::Records;
use super::spec::Spec;

/// What one event is in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub time: i64,
    pub id: u64,
    /// What it is made of, if it is a match of another correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Box<Records>>,
    /// Places of the rules that matched.
    pub places: Vec<u16>,
    /// Values of the fields that the correlation looks at; several if a field has several.
    pub values: Vec<Vec<String>>,
}

impl Entry {
    fn bytes(&self) -> usize {
        let values = self.values.iter().map(|values| {
            size_of::<Vec<String>>() + values.iter().map(|value| size_of::<String>() + value.len()).sum::<usize>()
        });
        let records = self.records.as_ref().map_or(0, |records| size_of::<Records>() + records.ids.len() * 8);
        size_of::<Slot>() + self.places.len() * 2 + values.sum::<usize>() + records
    }
}

#[derive(Debug)]
struct Slot {
    entry: Entry,
    /// The numbers that it brings.
    numbers: Vec<f64>,
    /// How many of the things that count no later entry says.
    last_to_say: usize,
}

/// How often something is among the entries, and the last of them.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    count: u32,
    last: u64,
}

/// What an entry says that others may say too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matters {
    /// Each entry counts.
    Each,
    /// The combinations of values that are there.
    Values,
    /// The rules that are there.
    Rules,
    /// The rules that are there, and their order.
    Order,
}

/// The matches of a group that count now.
#[derive(Debug)]
pub(super) struct Window {
    /// The values of the group, as they were spelled first.
    pub shown: Vec<String>,
    /// Matches up to this time are not counted: the correlation has just matched.
    pub quiet_until: Option<i64>,
    /// About how much memory it takes.
    pub bytes: usize,
    matters: Matters,
    slots: BTreeMap<u64, Slot>,
    next: u64,
    values: BTreeMap<Vec<String>, Said>,
    places: BTreeMap<u16, Said>,
    /// Entries that can be given up and nothing is lost.
    spare: BTreeSet<u64>,
    /// How many entries of the same rules came one after the other, at last, and behind which time.
    run: usize,
    run_after: i64,
}

impl Window {
    pub fn of(spec: &Spec, shown: Vec<String>, entries: Vec<Entry>, quiet_until: Option<i64>) -> Self {
        let matters = match spec.kind {
            CorrelationKind::ValueCount => Matters::Values,
            CorrelationKind::Temporal => Matters::Rules,
            CorrelationKind::TemporalOrdered => Matters::Order,
            CorrelationKind::EventCount
            | CorrelationKind::ValueSum
            | CorrelationKind::ValueAvg
            | CorrelationKind::ValueMedian
            | CorrelationKind::ValuePercentile => Matters::Each,
        };
        // A group is known by its values twice.
        let bytes =
            size_of::<Self>() + shown.iter().map(|value| 2 * (size_of::<String>() + value.len())).sum::<usize>();
        let mut window = Self {
            shown,
            quiet_until,
            bytes,
            matters,
            slots: BTreeMap::new(),
            next: 0,
            values: BTreeMap::new(),
            places: BTreeMap::new(),
            spare: BTreeSet::new(),
            run: 0,
            run_after: i64::MIN,
        };
        entries.into_iter().for_each(|entry| window.push(entry));
        window
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// The entries, the oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.slots.values().map(|slot| &slot.entry)
    }

    pub fn push(&mut self, entry: Entry) {
        let number = self.next;
        self.next += 1;
        let firsts: BTreeSet<&String> = entry.values.iter().filter_map(|values| values.first()).collect();
        let numbers = firsts.into_iter().filter_map(|text| text.trim().parse().ok());
        let numbers = numbers.filter(|number: &f64| number.is_finite()).collect();
        let other = self.entries().next_back().filter(|last| last.places != entry.places).map(|last| last.time);
        if let Some(time) = other {
            (self.run_after, self.run) = (time, 0);
        }
        // Which of those of one time came first is not known: what is of the time of the one before is not of the run.
        self.run += usize::from(entry.time > self.run_after);
        let mut said: Vec<u64> = Vec::new();
        let mut say = |known: &mut Said, matters: bool| {
            if matters && known.count > 0 && known.last != number {
                said.push(known.last);
            }
            let is_new = known.last != number || known.count == 0;
            *known = Said { count: known.count + 1, last: number };
            usize::from(is_new)
        };
        let values: usize = entry
            .values
            .iter()
            .map(|values| say(self.values.entry(values.clone()).or_default(), self.matters == Matters::Values))
            .sum();
        let places: usize = entry
            .places
            .iter()
            .map(|place| say(self.places.entry(*place).or_default(), self.matters == Matters::Rules))
            .sum();
        let last_to_say = match self.matters {
            Matters::Values => values,
            Matters::Rules => places,
            Matters::Each | Matters::Order => 1,
        };
        for before in said {
            if let Some(slot) = self.slots.get_mut(&before) {
                slot.last_to_say -= 1;
                if slot.last_to_say == 0 {
                    self.spare.insert(before);
                }
            }
        }
        if last_to_say == 0 {
            self.spare.insert(number);
        }
        self.bytes += entry.bytes();
        let rules = entry.places.len();
        self.slots.insert(number, Slot { entry, numbers, last_to_say });
        // Of entries of the same rules, one after the other, an order needs as many as there are rules, and the last ones do.
        if self.matters == Matters::Order
            && self.run > rules
            && let Some((before, _)) = self.slots.iter().rev().nth(rules)
        {
            self.spare.insert(*before);
        }
    }

    pub fn pop(&mut self) {
        if let Some(first) = self.slots.keys().next() {
            self.remove(*first);
        }
    }

    /// Gives up one entry to make room: one without which nothing is lost, where there is one. Tells whether something was lost.
    pub fn make_room(&mut self) -> bool {
        // The first stays: the window may begin with it.
        let first = self.slots.keys().next().copied();
        let spare = self.spare.iter().find(|number| Some(**number) != first).copied();
        match spare {
            Some(number) => self.remove(number),
            None => self.pop(),
        }
        spare.is_none()
    }

    fn remove(&mut self, number: u64) {
        self.spare.remove(&number);
        let Some(Slot { entry, .. }) = self.slots.remove(&number) else { return };
        self.bytes -= entry.bytes();
        entry.values.iter().for_each(|values| less(&mut self.values, values));
        entry.places.iter().for_each(|place| less(&mut self.places, place));
    }

    /// Takes all entries out.
    pub fn take(&mut self) -> Vec<Entry> {
        self.values.clear();
        self.places.clear();
        self.spare.clear();
        (self.run, self.run_after) = (0, i64::MIN);
        let entries: Vec<Entry> = std::mem::take(&mut self.slots).into_values().map(|slot| slot.entry).collect();
        self.bytes -= entries.iter().map(Entry::bytes).sum::<usize>();
        entries
    }

    /// The last time at which the window says something about what comes.
    pub fn over(&self, spec: &Spec) -> i64 {
        let from = if spec.slides { self.entries().next_back() } else { self.entries().next() };
        let ends = from.map(|entry| entry.time.saturating_add(spec.span));
        ends.max(self.quiet_until).unwrap_or(i64::MIN)
    }

    /// Whether the condition holds.
    pub fn holds(&self, spec: &Spec) -> bool {
        let bounds = match &spec.condition {
            CorrelationCondition::Rules(logic) => {
                let ordered = || spec.kind != CorrelationKind::TemporalOrdered || self.in_order();
                return rules_hold(logic, &self.places) && ordered();
            }
            CorrelationCondition::Bounds(bounds) => bounds,
        };
        let figure = match spec.kind {
            CorrelationKind::EventCount => Some(self.slots.len() as f64),
            CorrelationKind::ValueCount => Some(self.values.len() as f64),
            CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => Some(self.places.len() as f64),
            CorrelationKind::ValueSum => Some(self.numbers().sum()),
            CorrelationKind::ValueAvg => {
                let numbers: Vec<f64> = self.numbers().collect();
                (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
            }
            CorrelationKind::ValueMedian => percentile(self.numbers().collect(), 50.0),
            CorrelationKind::ValuePercentile => percentile(self.numbers().collect(), spec.percentile),
        };
        figure.is_some_and(|figure| bounds.iter().all(|bound| bound.order.holds(figure, bound.number)))
            && (spec.kind != CorrelationKind::TemporalOrdered || self.in_order())
    }

    /// Whether different events matched the rules that are there, in the order of the correlation; events of one time in any.
    fn in_order(&self) -> bool {
        let wanted: Vec<u16> = self.places.keys().copied().collect();
        let (mut done, mut slot): (usize, Vec<&Entry>) = (0, Vec::new());
        let mut entries = self.entries().peekable();
        while let Some(entry) = entries.next() {
            slot.push(entry);
            // Which of those of one time came first is not known.
            if entries.peek().is_some_and(|next| next.time == entry.time) {
                continue;
            }
            done += longest(wanted.get(done..).unwrap_or_default(), &slot);
            slot.clear();
            if done == wanted.len() {
                return true;
            }
        }
        done == wanted.len()
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        self.slots.values().flat_map(|slot| &slot.numbers).copied()
    }
}

/// For how many of the rules, from the first, there is an entry each.
fn longest(wanted: &[u16], entries: &[&Entry]) -> usize {
    if let [only] = entries {
        return usize::from(wanted.first().is_some_and(|place| only.places.contains(place)));
    }
    let mut taken: Vec<Option<usize>> = vec![None; entries.len()];
    let found = (0..wanted.len()).take_while(|place| find(wanted, entries, *place, &mut taken, &mut BTreeSet::new()));
    found.count()
}

/// Finds an entry for a rule; another rule that has it may take another one.
fn find(
    wanted: &[u16],
    entries: &[&Entry],
    place: usize,
    taken: &mut [Option<usize>],
    asked: &mut BTreeSet<usize>,
) -> bool {
    let Some(rule) = wanted.get(place) else { return false };
    for (at, _) in entries.iter().enumerate().filter(|(_, entry)| entry.places.contains(rule)) {
        if !asked.insert(at) {
            continue;
        }
        let holder = taken.get(at).copied().flatten();
        if holder.is_none_or(|holder| find(wanted, entries, holder, taken, asked)) {
            if let Some(taken) = taken.get_mut(at) {
                *taken = Some(place);
            }
            return true;
        }
    }
    false
}

fn less<K: Ord>(counts: &mut BTreeMap<K, Said>, key: &K) {
    if let Some(said) = counts.get_mut(key) {
        said.count -= 1;
        if said.count == 0 {
            counts.remove(key);
        }
    }
}

fn rules_hold(logic: &Logic, there: &BTreeMap<u16, Said>) -> bool {
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
