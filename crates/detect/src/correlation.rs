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
//! Windows end when no match can come any more that would count in them, whether or not another one comes. A correlation's match counts for other
//! correlations from when it is known: at its last match if the window slides, at the end of the window otherwise.
//!
//! Case is nothing to groups and to the number of different values, as it is nothing to rules; a group is shown as it was spelled first.
//!
//! Matches without a value in a `group-by` field belong to no group; those with several values belong to several. State is bounded; what is given up
//! is counted, as it may be a miss.

mod spec;
mod state;
mod window;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use watchfloor_sigma::Finding;
use watchfloor_sigma::pattern::lower;

use self::spec::{HEIGHT_MAX, Spec, spec, unsound};
pub use self::state::State;
use self::window::{Entry, Window};
use crate::facts::FieldId;
use crate::ruleset::{RuleId, RuleSet};

/// Most groups that one match belongs to, and most combinations of values that it brings, if its fields have several values.
pub(crate) const COMBINATIONS_MAX: usize = 64;

/// Most records that a correlation's match names to other correlations: the last ones.
const RECORDS_MAX: usize = 1_000;

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
    /// Most bytes of all of them, about.
    pub bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lateness: 60_000, groups: 100_000, entries: 10_000, waiting: 100_000, bytes: 256 << 20 }
    }
}

/// A match of a rule, as far as correlations need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The rule.
    pub rule: RuleId,
    /// Epoch milliseconds.
    pub time: i64,
    /// What the caller knows it by.
    pub id: u64,
    /// Values of the fields that correlations look at; a field may have several.
    pub values: Vec<(FieldId, String)>,
    /// What it is made of, if it is a match of a correlation.
    pub records: Option<Box<Records>>,
}

impl Hit {
    /// About how much memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let values = self.values.iter().map(|(_, value)| size_of::<(FieldId, String)>() + value.len());
        let records = self.records.as_ref().map_or(0, |records| size_of::<Records>() + records.ids.len() * 8);
        size_of::<Self>() + values.sum::<usize>() + records
    }
}

/// The matches of rules that a match of a correlation is made of, all the way down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Records {
    /// What the caller knows them by.
    pub ids: Vec<u64>,
    /// There are more.
    pub more: bool,
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
    /// How many matches are in the window.
    pub matches: usize,
    /// The matches of rules that these are made of.
    pub records: Records,
    /// Fields of the group and their values.
    pub group: Vec<(String, String)>,
}

/// A correlation by number, and the values of a group.
type Key = Arc<(usize, Vec<String>)>;

/// Runs correlations over matches.
#[derive(Debug)]
pub struct Correlator {
    specs: Vec<Spec>,
    by_rule: HashMap<RuleId, Vec<(usize, u16)>>,
    settings: Settings,
    groups: BTreeMap<Key, Window>,
    /// Groups by the last time at which they say something.
    over: BTreeSet<(i64, Key)>,
    waiting: BTreeMap<(i64, u64, RuleId), Hit>,
    /// About how many bytes groups and waiting matches take.
    bytes: usize,
    newest: Option<i64>,
    /// Matches from later than this are taken as from then.
    latest: i64,
    /// Matches that came too late to be counted.
    pub late: u64,
    /// Matches that were given up for room: each may be a miss.
    pub evicted: u64,
}

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
                Ok(spec) if spec.least() > settings.entries as f64 => {
                    let message =
                        format!("the correlation asks for more than {} matches, which are not kept", settings.entries);
                    unusable.push((id, Finding::error("sigma.correlation", rule.meta.place, message)));
                }
                Ok(spec) => specs.push(spec),
                Err(message) => unusable.push((id, Finding::error("sigma.unknown_rule", rule.meta.place, message))),
            }
        }
        let (cyclic, high) = unsound(&specs);
        let place = |rule: RuleId| set.rules.get(rule.0 as usize).map(|rule| rule.meta.place).unwrap_or_default();
        for rule in &cyclic {
            let message = "the correlation refers to itself";
            unusable.push((*rule, Finding::error("sigma.correlation_cycle", place(*rule), message)));
        }
        for rule in &high {
            let message = format!("the correlation stands on more than {HEIGHT_MAX} others, each on the next");
            unusable.push((*rule, Finding::error("sigma.correlation", place(*rule), message)));
        }
        specs.retain(|spec| !cyclic.contains(&spec.rule) && !high.contains(&spec.rule));
        let mut by_rule: HashMap<RuleId, Vec<(usize, u16)>> = HashMap::new();
        for (number, spec) in specs.iter().enumerate() {
            for (place, rules) in spec.rules.iter().enumerate() {
                for rule in rules {
                    by_rule.entry(*rule).or_default().push((number, place as u16));
                }
            }
        }
        let correlator = Self {
            specs,
            by_rule,
            settings,
            groups: BTreeMap::new(),
            over: BTreeSet::new(),
            waiting: BTreeMap::new(),
            bytes: 0,
            newest: None,
            latest: i64::MAX,
            late: 0,
            evicted: 0,
        };
        (correlator, unusable)
    }

    /// Whether a rule's matches are looked at.
    #[must_use]
    pub fn looks_at(&self, rule: RuleId) -> bool {
        self.by_rule.contains_key(&rule)
    }

    /// The fields whose values a match must bring.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<FieldId> {
        self.specs.iter().flat_map(|spec| spec.keys.iter().flatten().chain(&spec.fields)).copied().collect()
    }

    /// Tells what time it is where events come in as they happen: no event is from later than that, whatever it says of itself, and one that says so
    /// must not make all others late.
    pub fn set_now(&mut self, now: i64) {
        self.latest = now;
    }

    /// Takes a match of a rule.
    pub fn handle(&mut self, mut hit: Hit, found: &mut Vec<Correlated>) {
        hit.time = hit.time.min(self.latest);
        let newest = self.newest.map_or(hit.time, |newest| newest.max(hit.time));
        self.newest = Some(newest);
        let due = newest.saturating_sub(self.settings.lateness);
        if hit.time < due {
            self.late += 1;
            return;
        }
        if self.looks_at(hit.rule) {
            self.wait(hit);
        }
        // What else the newest event matched is still to come, also if nothing comes late.
        self.release(due.min(newest.saturating_sub(1)), found);
        while self.waiting.len() > self.settings.waiting || self.bytes > self.settings.bytes {
            // The oldest is counted before its time.
            let Some((_, hit)) = self.waiting.pop_first() else { break };
            self.bytes -= hit.bytes();
            self.count(&[hit], found);
        }
    }

    /// Keeps a match until what comes before it is there.
    fn wait(&mut self, hit: Hit) {
        self.bytes += hit.bytes();
        if let Some(same) = self.waiting.insert((hit.time, hit.id, hit.rule), hit) {
            self.bytes -= same.bytes();
        }
    }

    /// Everything came: counts what waits and ends all windows.
    pub fn finish(&mut self, found: &mut Vec<Correlated>) {
        self.release(i64::MAX, found);
    }

    /// Counts what waited long enough, and ends the windows that are over. What one event matched is counted together.
    fn release(&mut self, until: i64, found: &mut Vec<Correlated>) {
        while let Some(((time, id, _), _)) = self.waiting.first_key_value().filter(|((time, ..), _)| *time <= until) {
            let (time, id) = (*time, *id);
            let mut hits = Vec::new();
            while let Some(first) =
                self.waiting.first_entry().filter(|first| (first.key().0, first.key().1) == (time, id))
            {
                hits.push(first.remove());
            }
            self.bytes -= hits.iter().map(Hit::bytes).sum::<usize>();
            self.count(&hits, found);
        }
        self.end(until, found);
    }

    /// Ends the windows that are over before a time.
    fn end(&mut self, now: i64, found: &mut Vec<Correlated>) {
        while self.over.first().is_some_and(|(over, _)| *over < now) {
            let Some((over, key)) = self.over.pop_first() else { return };
            let Some(mut window) = self.groups.remove(&key) else { continue };
            self.bytes -= window.bytes;
            let slides = self.specs.get(key.0).is_none_or(|spec| spec.slides);
            if !slides && let Some(correlated) = self.matched(&key, &mut window) {
                let number = key.0;
                self.put(key, window);
                self.tell(number, correlated, over, found);
            }
        }
    }

    /// Keeps a group.
    fn put(&mut self, key: Key, window: Window) {
        let Some(spec) = self.specs.get(key.0) else { return };
        self.bytes += window.bytes;
        self.over.insert((window.over(spec), Arc::clone(&key)));
        self.groups.insert(key, window);
    }

    /// Takes a group out.
    fn take(&mut self, key: &Key) -> Option<Window> {
        let window = self.groups.remove(key)?;
        self.bytes -= window.bytes;
        if let Some(spec) = self.specs.get(key.0) {
            self.over.remove(&(window.over(spec), Arc::clone(key)));
        }
        Some(window)
    }

    /// Counts the matches of one event, and what comes of them.
    fn count(&mut self, hits: &[Hit], found: &mut Vec<Correlated>) {
        let Some(first) = hits.first() else { return };
        self.end(first.time, found);
        let mut entries: BTreeMap<(usize, Vec<String>), (Vec<String>, Entry)> = BTreeMap::new();
        for hit in hits {
            for (number, place) in self.by_rule.get(&hit.rule).into_iter().flatten() {
                let Some(spec) = self.specs.get(*number) else { continue };
                let keys = spec.keys.get(usize::from(*place)).map(Vec::as_slice).unwrap_or_default();
                let (keys, left) = combinations(hit, keys);
                self.evicted += left;
                for shown in keys {
                    let (_, entry) = entries.entry((*number, folded(&shown))).or_insert_with(|| {
                        let values =
                            if spec.fields.is_empty() { Vec::new() } else { combinations(hit, &spec.fields).0 };
                        let values = values.iter().map(|values| folded(values)).collect();
                        let (time, id, records) = (first.time, first.id, first.records.clone());
                        (shown, Entry { time, id, records, places: Vec::new(), values })
                    });
                    entry.places.push(*place);
                }
            }
        }
        for (key, (shown, entry)) in entries {
            self.enter(key.into(), shown, entry, found);
        }
    }

    fn enter(&mut self, key: Key, shown: Vec<String>, entry: Entry, found: &mut Vec<Correlated>) {
        let (time, number) = (entry.time, key.0);
        if !self.groups.contains_key(&key) {
            self.make_room();
        }
        let known = self.take(&key);
        let Some(spec) = self.specs.get(number) else { return };
        let (span, slides) = (spec.span, spec.slides);
        let mut window = known.unwrap_or_else(|| Window::of(spec, shown, Vec::new(), None));
        if window.quiet_until.is_some_and(|until| time <= until) {
            return self.put(key, window);
        }
        window.quiet_until = None;
        while slides && window.entries().next().is_some_and(|entry| entry.time < time.saturating_sub(span)) {
            window.pop();
        }
        if window.len() >= self.settings.entries {
            self.evicted += u64::from(window.make_room());
        }
        window.push(entry);
        let correlated = if slides { self.matched(&key, &mut window) } else { None };
        self.put(key, window);
        if let Some(correlated) = correlated {
            self.tell(number, correlated, time, found);
        }
    }

    /// Gives up the groups that would be over first, if there is no room for another one.
    fn make_room(&mut self) {
        while self.groups.len() >= self.settings.groups || self.bytes > self.settings.bytes {
            let Some((_, key)) = self.over.pop_first() else { return };
            let Some(window) = self.groups.remove(&key) else { continue };
            self.bytes -= window.bytes;
            self.evicted += window.len() as u64;
        }
    }

    /// The match of a group, if its condition holds. The group is quiet after that.
    fn matched(&self, key: &Key, window: &mut Window) -> Option<Correlated> {
        let spec = self.specs.get(key.0).filter(|spec| window.holds(spec))?;
        let entries = window.take();
        let (from, to) = (entries.first()?.time, entries.last()?.time);
        window.quiet_until = Some(to.saturating_add(spec.span));
        let (matches, records) = (entries.len(), all_records(&entries));
        let group = spec.names.iter().cloned().zip(window.shown.iter().cloned()).collect();
        Some(Correlated { rule: spec.rule, from, to, matches, records, group })
    }

    /// A match of a correlation comes out; it is a match for others at the time when it is known.
    fn tell(&mut self, number: usize, correlated: Correlated, known: i64, found: &mut Vec<Correlated>) {
        let hit = self.specs.get(number).map(|spec| hit_of(&correlated, spec, known));
        found.push(correlated);
        if let Some(hit) = hit.filter(|hit| self.looks_at(hit.rule)) {
            self.count(&[hit], found);
        }
    }
}

fn folded(values: &[String]) -> Vec<String> {
    values.iter().map(|value| lower(value)).collect()
}

/// All combinations of the values that a match has in some fields, none if it has none in one of them; and how many were too many.
fn combinations(hit: &Hit, fields: &[FieldId]) -> (Vec<Vec<String>>, u64) {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    let mut left = 0;
    for field in fields {
        let values = hit.values.iter().filter(|(known, _)| known == field).map(|(_, text)| text);
        let values: BTreeSet<&String> = values.collect();
        let with = |before: &Vec<String>| {
            let before = before.clone();
            values.iter().map(move |value| [before.as_slice(), &[(*value).clone()]].concat())
        };
        left += (all.len() * values.len()).saturating_sub(COMBINATIONS_MAX) as u64;
        all = all.iter().flat_map(with).take(COMBINATIONS_MAX).collect();
    }
    (all, left)
}

/// The matches of rules that entries are made of, each once.
fn all_records(entries: &[Entry]) -> Records {
    let mut all = Records::default();
    let mut known = BTreeSet::new();
    for entry in entries {
        let ids = entry.records.as_ref().map_or(std::slice::from_ref(&entry.id), |records| &records.ids);
        all.more |= entry.records.as_ref().is_some_and(|records| records.more);
        all.ids.extend(ids.iter().copied().filter(|id| known.insert(*id)));
    }
    all
}

/// A correlation's match as one for other correlations: its values are those of its group.
fn hit_of(correlated: &Correlated, spec: &Spec, time: i64) -> Hit {
    let fields = spec.keys.iter().chain([&spec.outer]).flat_map(|keys| keys.iter().zip(&correlated.group));
    let mut values: Vec<(FieldId, String)> = fields.map(|(field, (_, value))| (*field, value.clone())).collect();
    values.sort();
    values.dedup();
    let id = correlated.records.ids.last().copied().unwrap_or_default();
    let ids: Vec<u64> = correlated.records.ids.iter().rev().take(RECORDS_MAX).rev().copied().collect();
    let more = correlated.records.more || ids.len() < correlated.records.ids.len();
    Hit { rule: correlated.rule, time, id, values, records: Some(Box::new(Records { ids, more })) }
}
