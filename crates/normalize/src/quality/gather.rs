//! Observations added up, in the order of the records.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use watchfloor_model::{Diagnostic, Grade};
use watchfloor_ocsf::ClassId;

use super::observe::{CUT, Finding, Kind, Observation};
use super::presence::Presence;
use super::sequence::Sequence;
use super::shape::{KINDS, Shape};
use super::spread::Spread;
use super::tally::{Tally, signature};
use super::{FIELDS_MAX, HASHES_MAX, HOURS_MAX, INPUTS_MAX, SERIES_MAX, SHAPES_WAITING_MAX};
use crate::compile::Library;
use crate::layout::Layout;
use crate::paths::Paths;

/// Records of one kind before one that nothing recognises, from which on that one is taken for a damaged record of that kind.
const SOLE_MIN: u64 = 10;
/// Milliseconds that an event may lie behind the latest of its stream without being out of order.
const ORDER_TOLERANCE_MS: i64 = 1_000;
/// Milliseconds that an event's time may lie behind its receipt without being called negative: clocks and whole seconds differ by that.
const NEGATIVE_TOLERANCE_MS: i64 = 2_000;
/// Milliseconds around a whole hour that count as one.
const HOUR_TOLERANCE_MS: i64 = 90_000;
/// Zones reach 14 hours from Greenwich; a larger difference is no zone.
pub(super) const ZONE_HOURS_MAX: i64 = 14;
/// Milliseconds that an event may lie after its receipt and still say when the stream ends.
const FUTURE_TOLERANCE_MS: i64 = 120_000;
pub(super) const HOUR_MS: i64 = 3_600_000;

/// Codes that say that a record could not be read as what it should be, besides all errors.
const FAILURES: &[&str] = &[
    "auditd.arguments",
    "cef.header",
    "json.envelope",
    "json.scalar",
    "leef.header",
    "map.expand",
    "record.binary",
    "row.columns",
    "source.mismatch",
    "source.unknown",
    "text.invalid_utf8",
];

/// Everything seen so far.
#[derive(Debug)]
pub struct Quality<'l> {
    pub(super) library: &'l Library,
    pub(super) sources: BTreeMap<Kind, Source>,
    pub(super) sequences: BTreeMap<(u64, Option<Kind>), Numbers>,
    /// The latest time of each stream of the current input.
    latest: BTreeMap<(Kind, u64), i64>,
    hashes: HashSet<u64, foldhash::fast::FixedState>,
    pub(super) records: u64,
    inputs: BTreeMap<Arc<str>, Sole>,
    current: Sole,
    current_name: Option<Arc<str>>,
    /// What was wrong with inputs as a whole.
    troubles: Vec<(Arc<str>, Finding)>,
    fields: usize,
    hours: usize,
}

/// Whose records an input has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sole {
    #[default]
    None,
    Of(Kind, u64),
    Mixed,
}

/// A count that a host keeps of a log's records.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) sequence: Sequence,
    /// Records by kind: the kind with the most answers for what is missing.
    pub(super) kinds: BTreeMap<Kind, u64>,
}

/// Differences of two clocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Skew {
    pub(super) spread: Spread,
    pub(super) negative: u64,
    /// Records by whole hours of difference, other than none.
    pub(super) hours: BTreeMap<i64, u64>,
}

/// What is counted of a kind.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) records: u64,
    pub(super) failures: u64,
    pub(super) failed_codes: Tally,
    pub(super) codes: Tally,
    pub(super) base_events: u64,
    pub(super) fallbacks: u64,
    pub(super) timeless: u64,
    pub(super) by_observer: Skew,
    pub(super) by_receipt: Skew,
    pub(super) receipts: Option<(i64, i64)>,
    /// First and last plausible event time.
    pub(super) times: Option<(i64, i64)>,
    pub(super) presence: Presence,
    pub(super) disordered: u64,
    pub(super) worst_disorder: i64,
    pub(super) duplicates: u64,
    pub(super) hashes_full: bool,
    pub(super) duplicate_keys: u64,
    pub(super) oversize: u64,
    pub(super) truncated: u64,
    pub(super) classes: BTreeMap<ClassId, Class>,
}

/// What is counted of a class of a kind.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) records: u64,
    pub(super) values: u64,
    pub(super) unused: u64,
    pub(super) members: u64,
    pub(super) vague: u64,
    /// Records by attribute that they fill: of the event, and of the objects in it.
    pub(super) filled: BTreeMap<String, u64>,
    pub(super) fields: BTreeMap<u64, FieldCount>,
    pub(super) fields_full: bool,
    pub(super) hours: BTreeMap<i64, Hour>,
    layouts: Waiting<Layout>,
    shapes: Waiting<Shape>,
}

/// A field of a class's records.
#[derive(Clone, Debug)]
pub(super) struct FieldCount {
    pub(super) name: Arc<str>,
    pub(super) records: u64,
    /// Records by kind of value, in the order of [`KINDS`].
    pub(super) kinds: [u64; KINDS.len()],
    /// Number of the source's record in which it first stood.
    pub(super) first: u64,
}

/// What is counted of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hour {
    pub(super) records: u64,
    pub(super) failures: u64,
    pub(super) base_events: u64,
    pub(super) values: u64,
    pub(super) unused: u64,
}

/// Counts of shared things by their address; they are added up when there are many, and at the end.
#[derive(Debug)]
struct Waiting<T>(BTreeMap<usize, (Arc<T>, u64, u64)>);

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Waiting<T> {
    fn add(&mut self, thing: &Arc<T>, record: u64) {
        let slot = self.0.entry(Arc::as_ptr(thing) as usize).or_insert_with(|| (Arc::clone(thing), 0, record));
        slot.1 += 1;
    }

    fn is_full(&self) -> bool {
        self.0.len() >= SHAPES_WAITING_MAX
    }

    /// What waits, in the order in which it came.
    fn take(&mut self) -> Vec<(Arc<T>, u64, u64)> {
        let mut all: Vec<_> = std::mem::take(&mut self.0).into_values().collect();
        all.sort_by_key(|(_, _, first)| *first);
        all
    }
}

impl<'l> Quality<'l> {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(library: &'l Library) -> Self {
        Self {
            library,
            sources: BTreeMap::new(),
            sequences: BTreeMap::new(),
            latest: BTreeMap::new(),
            hashes: HashSet::default(),
            records: 0,
            inputs: BTreeMap::new(),
            current: Sole::None,
            current_name: None,
            troubles: Vec::new(),
            fields: 0,
            hours: 0,
        }
    }

    /// Says that the observations that follow are of this input. Each input is a stream of its own: order is judged within it.
    pub fn begin_input(&mut self, name: &Arc<str>) {
        if self.current_name.as_ref() == Some(name) {
            return;
        }
        self.keep_input();
        self.latest.clear();
        self.current = Sole::None;
        self.current_name = Some(Arc::clone(name));
    }

    fn keep_input(&mut self) {
        if let Some(name) = self.current_name.take()
            && self.inputs.len() < INPUTS_MAX
        {
            self.inputs.insert(name, self.current);
        }
    }

    /// Notes what is wrong with an input as a whole.
    pub fn trouble(&mut self, input: &Arc<str>, diagnostic: &Diagnostic) {
        if self.troubles.len() < INPUTS_MAX {
            let cut = CUT.contains(&diagnostic.code);
            let finding = Finding {
                code: diagnostic.code,
                grade: diagnostic.grade,
                signature: signature(&diagnostic.message),
                cut,
            };
            self.troubles.push((Arc::clone(input), finding));
        }
    }

    /// Adds the next record.
    pub fn add(&mut self, seen: &Observation) {
        self.records += 1;
        let kind = self.owner(seen);
        let failed = is_failure(seen);
        let is_copy = self.is_copy(kind, seen.hash);
        let source = self.sources.entry(kind).or_default();
        source.count(seen, failed, is_copy);
        if kind == seen.kind && kind != Kind::Unknown {
            let ordinal = source.records;
            source.classes.entry(seen.class).or_default().count(seen, ordinal, &mut self.fields, &self.library.paths);
        }
        self.count_hour(kind, seen, failed);
        if !is_copy && seen.kind == kind {
            self.follow(kind, seen);
        }
    }

    /// Whose record it is: one that nothing recognises, in an input of one kind, is taken for a damaged record of that kind.
    fn owner(&mut self, seen: &Observation) -> Kind {
        let (kind, current) = match (seen.kind, self.current) {
            (Kind::Unknown, Sole::Of(kind, count)) if count >= SOLE_MIN => (kind, Sole::Of(kind, count)),
            (Kind::Unknown, current) => (Kind::Unknown, current),
            (kind, Sole::None) => (kind, Sole::Of(kind, 1)),
            (kind, Sole::Of(known, count)) if kind == known => (kind, Sole::Of(kind, count + 1)),
            (kind, _) => (kind, Sole::Mixed),
        };
        self.current = current;
        kind
    }

    fn is_copy(&mut self, kind: Kind, hash: u64) -> bool {
        if self.hashes.len() < HASHES_MAX {
            return !self.hashes.insert(hash);
        }
        self.sources.entry(kind).or_default().hashes_full = true;
        self.hashes.contains(&hash)
    }

    fn count_hour(&mut self, kind: Kind, seen: &Observation, failed: bool) {
        let class = self.sources.entry(kind).or_default().classes.entry(seen.class).or_default();
        let start = seen.time.unwrap_or(seen.received).div_euclid(HOUR_MS);
        if !class.hours.contains_key(&start) {
            if self.hours >= HOURS_MAX {
                return;
            }
            self.hours += 1;
        }
        let hour = class.hours.entry(start).or_default();
        hour.records += 1;
        hour.failures += u64::from(failed);
        hour.base_events += u64::from(is_base(seen));
        hour.values += u64::from(seen.values.all);
        hour.unused += u64::from(seen.values.unused);
    }

    /// Follows the stream that the record belongs to: its order and its numbers.
    fn follow(&mut self, kind: Kind, seen: &Observation) {
        if let Some(time) = seen.time {
            let full = self.latest.len() >= SERIES_MAX;
            match self.latest.get_mut(&(kind, seen.series)) {
                Some(latest) => {
                    let behind = latest.saturating_sub(time);
                    *latest = time.max(*latest);
                    if behind > ORDER_TOLERANCE_MS
                        && let Some(source) = self.sources.get_mut(&kind)
                    {
                        source.disordered += 1;
                        source.worst_disorder = source.worst_disorder.max(behind);
                    }
                }
                None if !full => {
                    self.latest.insert((kind, seen.series), time);
                }
                None => {}
            }
        }
        if let Some(numbered) = seen.numbered {
            let key = (seen.series, (!numbered.log_named).then_some(kind));
            if self.sequences.len() < SERIES_MAX || self.sequences.contains_key(&key) {
                let numbers = self.sequences.entry(key).or_default();
                numbers.sequence.add(numbered.number);
                *numbers.kinds.entry(kind).or_insert(0) += 1;
            }
        }
    }

    /// The kind of all records of an input, or of all members of an archive.
    fn kind_of_input(&self, name: &Arc<str>) -> Kind {
        let from = (Bound::Included(name), Bound::Unbounded);
        let inside =
            |member: &str| member.strip_prefix(&**name).is_some_and(|rest| rest.is_empty() || rest.starts_with('!'));
        let members = self.inputs.range::<Arc<str>, _>(from).take_while(|(member, _)| member.starts_with(&**name));
        let mut kinds = members.filter(|(member, _)| inside(member)).filter_map(|(_, sole)| match sole {
            Sole::None => None,
            Sole::Of(kind, _) => Some(*kind),
            Sole::Mixed => Some(Kind::Unknown),
        });
        let Some(first) = kinds.next() else { return Kind::Unknown };
        if kinds.all(|kind| kind == first) { first } else { Kind::Unknown }
    }

    /// Adds up everything that waits, before figures are made.
    pub(super) fn settle(&mut self) {
        self.keep_input();
        for (input, finding) in std::mem::take(&mut self.troubles) {
            let kind = self.kind_of_input(&input);
            let source = self.sources.entry(kind).or_default();
            source.truncated += u64::from(finding.cut);
            source.oversize += u64::from(finding.code == OVERSIZE);
            source.codes.add(finding.code, &finding.signature);
        }
        for class in self.sources.values_mut().flat_map(|source| source.classes.values_mut()) {
            class.settle_layouts(&self.library.paths);
            class.settle_shapes(&mut self.fields);
        }
    }
}

const OVERSIZE: &str = "record.oversize";
const DUPLICATE_KEY: &str = "json.duplicate_key";

fn is_cut(seen: &Observation) -> bool {
    seen.findings.iter().any(|finding| finding.cut)
}

/// Records that are cut or too long have figures of their own.
fn is_failure(seen: &Observation) -> bool {
    let failed = seen.findings.iter().any(|finding| finding.grade == Grade::Error || FAILURES.contains(&finding.code));
    failed && !is_cut(seen) && !seen.findings.iter().any(|finding| finding.code == OVERSIZE)
}

fn is_base(seen: &Observation) -> bool {
    matches!(seen.kind, Kind::Pack(_)) && seen.is_base
}

impl Source {
    fn count(&mut self, seen: &Observation, failed: bool, is_copy: bool) {
        self.records += 1;
        self.failures += u64::from(failed);
        self.duplicates += u64::from(is_copy);
        self.truncated += u64::from(is_cut(seen));
        let has = |code: &str| seen.findings.iter().any(|finding| finding.code == code);
        self.oversize += u64::from(has(OVERSIZE));
        self.duplicate_keys += u64::from(has(DUPLICATE_KEY));
        for finding in &seen.findings {
            let is_reason = failed && (finding.grade == Grade::Error || FAILURES.contains(&finding.code));
            let tally = if is_reason { &mut self.failed_codes } else { &mut self.codes };
            tally.add(finding.code, &finding.signature);
        }
        let recognised = seen.kind != Kind::Unknown;
        self.base_events += u64::from(recognised && is_base(seen));
        self.fallbacks += u64::from(recognised && (has("ocsf.incomplete_class") || has("map.no_class")));
        self.timeless += u64::from(recognised && seen.time.is_none());
        if let Some(time) = seen.time
            && !is_copy
        {
            self.place_in_time(seen, time);
        }
    }

    fn place_in_time(&mut self, seen: &Observation, time: i64) {
        let until = seen.received;
        self.receipts = Some(self.receipts.map_or((until, until), |(from, to)| (from.min(until), to.max(until))));
        if time <= until.saturating_add(FUTURE_TOLERANCE_MS) {
            self.times = Some(self.times.map_or((time, time), |(from, to)| (from.min(time), to.max(time))));
        }
        self.presence.add(time);
        match seen.logged {
            Some(logged) => self.by_observer.add(logged.saturating_sub(time)),
            None => self.by_receipt.add(until.saturating_sub(time)),
        }
    }
}

impl Skew {
    fn add(&mut self, millis: i64) {
        self.spread.add(millis);
        self.negative += u64::from(millis < -NEGATIVE_TOLERANCE_MS);
        let hours = nearest_hours(millis);
        if hours != 0 && is_whole_hours(millis) {
            *self.hours.entry(hours).or_insert(0) += 1;
        }
    }
}

fn nearest_hours(millis: i64) -> i64 {
    millis.saturating_add(HOUR_MS / 2).div_euclid(HOUR_MS)
}

/// Whether a difference is a whole number of hours that two zones may differ by.
pub(super) fn is_whole_hours(millis: i64) -> bool {
    let hours = nearest_hours(millis);
    let rest = millis.saturating_sub(hours.saturating_mul(HOUR_MS));
    hours != 0 && hours.abs() <= ZONE_HOURS_MAX && rest.abs() <= HOUR_TOLERANCE_MS
}

impl Class {
    fn count(&mut self, seen: &Observation, record: u64, fields: &mut usize, paths: &Paths) {
        self.records += 1;
        self.values += u64::from(seen.values.all);
        self.unused += u64::from(seen.values.unused);
        self.members += u64::from(seen.members);
        self.vague += u64::from(seen.vague);
        if let Some(layout) = &seen.layout {
            self.layouts.add(layout, record);
            if self.layouts.is_full() {
                self.settle_layouts(paths);
            }
        }
        self.shapes.add(&seen.shape, record);
        if self.shapes.is_full() {
            self.settle_shapes(fields);
        }
    }

    fn settle_layouts(&mut self, paths: &Paths) {
        for (layout, count, _) in self.layouts.take() {
            let mut names = BTreeSet::new();
            for path in layout.filled.iter().filter_map(|id| paths.get(*id)) {
                let mut steps = path.steps.iter().map(|(name, _)| name.as_str());
                let Some(outer) = steps.next() else { continue };
                names.insert(outer.to_owned());
                names.extend(steps.next().map(|inner| format!("{outer}.{inner}")));
            }
            for name in names {
                *self.filled.entry(name).or_insert(0) += count;
            }
        }
    }

    fn settle_shapes(&mut self, fields: &mut usize) {
        for (shape, count, first) in self.shapes.take() {
            for field in &shape.fields {
                if !self.fields.contains_key(&field.id) {
                    if *fields >= FIELDS_MAX {
                        self.fields_full = true;
                        continue;
                    }
                    *fields += 1;
                }
                let fresh = || FieldCount { name: Arc::clone(&field.name), records: 0, kinds: [0; KINDS.len()], first };
                let known = self.fields.entry(field.id).or_insert_with(fresh);
                known.records += count;
                known.first = known.first.min(first);
                for (slot, (bit, _)) in known.kinds.iter_mut().zip(KINDS) {
                    *slot += if field.kinds & bit != 0 { count } else { 0 };
                }
            }
        }
    }
}
