//! What a rule may cost.
//!
//! Automata serve all rules together; what one rule alone causes is the regular expressions and patterns that are asked of whole values, and its
//! condition. These are timed for some records, for all long ones, and for all that follow one that took long. What counts is time that was measured, and
//! no single measurement is enough: a machine that does something else for a moment has no rule suspended. Every record earns a rule a little time, a long one more: nobody can have a rule
//! suspended by sending long records that it reads at an ordinary pace. A rule that has used up what it earned and a reserve besides is suspended, for long
//! records only if it was those: it is not run any more until a person resumes it. All engines that share [`Suspensions`] suspend together.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::index::PredicateId;
use crate::ruleset::{RuleId, RuleSet};

/// Of how many records one is timed.
const SAMPLE: u64 = 16;
/// So many records are timed after one that took long, and at the beginning.
const CLOSELY: u32 = 64;
/// Records with more text than this are all timed.
const LONG_BYTES: usize = 64 * 1024;
/// Text of a record that earns a rule its time once.
pub const EARNING_BYTES: usize = 4 * 1024;
/// What takes less is not counted.
const NOTICED: Duration = Duration::from_micros(2);

/// How much time a rule may take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Time since some moment; it never goes back.
    pub clock: fn() -> Duration,
    /// What every record earns it for each [`EARNING_BYTES`] of text that it has, or a part of them.
    pub per_record: Duration,
    /// What it may take besides.
    pub reserve: Duration,
}

impl Budget {
    /// What is enough for every rule that is written with care.
    #[must_use]
    pub fn ample(clock: fn() -> Duration) -> Self {
        Self { clock, per_record: Duration::from_micros(100), reserve: Duration::from_secs(1) }
    }
}

/// How a rule is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// The time that it had taken beyond what it had earned.
    pub over: Duration,
    /// It still runs over records that are not long.
    pub long_only: bool,
}

/// Rules that are suspended.
#[derive(Debug, Default)]
pub struct Suspensions {
    rules: Mutex<BTreeMap<RuleId, Suspension>>,
    /// Grows with every change.
    generation: AtomicU32,
}

impl Suspensions {
    /// The rules that are suspended.
    #[must_use]
    pub fn all(&self) -> BTreeMap<RuleId, Suspension> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Suspends a rule. One that is suspended for long records may be for all.
    pub fn suspend(&self, rule: RuleId, suspension: Suspension) {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let known = rules.entry(rule).or_insert(suspension);
        if known.long_only && !suspension.long_only {
            *known = suspension;
        }
        drop(rules);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Lets a rule run again.
    pub fn resume(&self, rule: RuleId) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).remove(&rule);
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// Keeps the time of one engine's rules.
#[derive(Debug)]
pub(crate) struct Watch {
    budget: Option<Budget>,
    shared: Arc<Suspensions>,
    generation: u32,
    changed: bool,
    records: u64,
    /// How often the records so far have earned every rule its time.
    earning: u64,
    /// How many records to come are timed.
    closely: u32,
    /// Whether the record at hand is timed.
    timed: bool,
    /// What rules took beyond what they earned, in nanoseconds, up to a record.
    debts: HashMap<(u32, bool), (u64, u64)>,
    is_long: bool,
    /// For records that are not long, and for those that are.
    off: [Off; 2],
}

/// What is not run.
#[derive(Debug, Default)]
struct Off {
    any: bool,
    /// One bit for each rule.
    rules: Box<[u64]>,
    /// One bit for each question that only such rules ask.
    questions: Box<[u64]>,
}

impl Watch {
    pub fn new(set: &RuleSet, budget: Option<Budget>, shared: Arc<Suspensions>) -> Self {
        Self {
            budget,
            shared,
            generation: 0,
            changed: false,
            records: 0,
            earning: 0,
            closely: CLOSELY,
            timed: false,
            debts: HashMap::new(),
            is_long: false,
            off: [Off::new(set), Off::new(set)],
        }
    }

    /// Another record begins. Tells whether rules were suspended or resumed since the last one.
    pub fn begin(&mut self, set: &RuleSet, bytes: usize) -> bool {
        self.records += 1;
        self.earning += bytes.div_ceil(EARNING_BYTES).max(1) as u64;
        self.is_long = bytes > LONG_BYTES;
        let now = self.is_long || self.closely > 0 || self.records.is_multiple_of(SAMPLE);
        self.timed = now && self.budget.is_some();
        self.closely = self.closely.saturating_sub(1);
        if self.shared.generation.load(Ordering::Acquire) != self.generation {
            self.take_over(set);
        }
        std::mem::take(&mut self.changed)
    }

    fn now_off(&self) -> &Off {
        let [short, long] = &self.off;
        if self.is_long { long } else { short }
    }

    /// Whether a rule is not run over the record at hand.
    pub fn is_off(&self, rule: u32) -> bool {
        has(&self.now_off().rules, rule as usize)
    }

    /// Whether a question is not asked of the record at hand.
    pub fn is_unasked(&self, question: PredicateId) -> bool {
        has(&self.now_off().questions, question as usize)
    }

    /// Whether answers are those of all records: they may be remembered.
    pub fn is_whole(&self) -> bool {
        !self.is_long || !self.now_off().any
    }

    /// The time, if the record is timed.
    pub fn clock(&self) -> Option<Duration> {
        self.budget.filter(|_| self.timed).map(|budget| (budget.clock)())
    }

    /// The time since then, if the record is timed.
    pub fn since(&self, then: Option<Duration>) -> Option<Duration> {
        Some(self.clock()?.saturating_sub(then?))
    }

    /// A question took this long: all rules that ask it owe it.
    pub fn asked(&mut self, set: &RuleSet, question: PredicateId, took: Duration) {
        if took >= NOTICED {
            for rule in set.askers(question) {
                self.owe(set, *rule, took);
            }
        }
    }

    /// A rule's condition took this long.
    pub fn ran(&mut self, set: &RuleSet, rule: u32, since: Option<Duration>) {
        if let Some(took) = self.since(since).filter(|took| *took >= NOTICED) {
            self.owe(set, rule, took);
        }
    }

    fn owe(&mut self, set: &RuleSet, rule: u32, took: Duration) {
        let Some(budget) = self.budget.filter(|_| self.timed) else { return };
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (debt, at) = self.debts.entry((rule, self.is_long)).or_insert((0, self.earning));
        let earned = nanos(budget.per_record).saturating_mul(self.earning - *at);
        *debt = debt.saturating_sub(earned).saturating_add(nanos(took.min(budget.reserve * 2 / 3)));
        *at = self.earning;
        if *debt > nanos(budget.per_record) {
            self.closely = CLOSELY;
        }
        if *debt > nanos(budget.reserve) {
            let suspension = Suspension { over: Duration::from_nanos(*debt), long_only: self.is_long };
            self.debts.remove(&(rule, self.is_long));
            self.shared.suspend(RuleId(rule), suspension);
            self.take_over(set);
        }
    }

    /// Takes over what is suspended.
    fn take_over(&mut self, set: &RuleSet) {
        self.generation = self.shared.generation.load(Ordering::Acquire);
        self.changed = true;
        let all = self.shared.all();
        let [short, long] = &mut self.off;
        short.put(set, all.iter().filter(|(_, how)| !how.long_only).map(|(rule, _)| *rule).collect());
        long.put(set, all.keys().copied().collect());
    }
}

impl Off {
    fn new(set: &RuleSet) -> Self {
        let bits = |count: usize| vec![0; count.div_ceil(64)].into();
        Self { any: false, rules: bits(set.rules.len()), questions: bits(set.questions()) }
    }

    fn put(&mut self, set: &RuleSet, off: Vec<RuleId>) {
        self.any = !off.is_empty();
        self.rules.fill(0);
        self.questions.fill(0);
        off.iter().for_each(|rule| mark(&mut self.rules, rule.0 as usize));
        for question in off.iter().flat_map(|rule| set.questions_of(*rule)) {
            if set.askers(question).iter().all(|asker| has(&self.rules, *asker as usize)) {
                mark(&mut self.questions, question as usize);
            }
        }
    }
}

/// Sets a bit.
pub(crate) fn mark(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

/// Whether a bit is set.
pub(crate) fn has(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}
