//! Rubber stamps: measured, tried with decoys, and not left alone.
//!
//! A decoy is a request about a plan that must be refused. It looks like any other, is marked in the ledger, and can never be taken. Who approves one has not
//! looked. Whether the next request is to have a decoy beside it is decided by the SHA-256 of `watchfloor.decoy.v1`, a secret seed and the number of the
//! request, so that nobody can foretell it and an auditor can check it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use watchfloor_model::ids::PersonId;

use super::{Habit, Happened, Record, Refusal, habit::Given};

/// An hour, in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// How long an approved decoy is held against a person, in milliseconds: 90 days.
pub const DECOY_MEMORY_MS: i64 = 90 * 86_400_000;
/// Approvals, and approved decoys, that are remembered of a person.
pub const GIVEN_MAX: usize = 1_000;
/// Longest time that a rule may ask people to look, in milliseconds: 10 minutes.
pub const DWELL_MS_MAX: i64 = 600_000;
/// Longest run that a rule may allow.
pub const RUN_MAX: u32 = 10_000;
/// Most decoys, of 10,000 requests.
pub const DECOY_RATE_MAX: u16 = 2_000;

/// What makes a person's approvals need a second one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenRules", deny_unknown_fields)]
pub struct Rules {
    /// Who looks for less than so many milliseconds is in a hurry.
    pub dwell_ms: i64,
    /// Of so many last approvals …
    pub window: usize,
    /// … so many may be hurried.
    pub hurried_max: usize,
    /// So many approvals may follow each other without a denial.
    pub run_max: u32,
    /// So many approvals an hour.
    pub rate_max: usize,
    /// So many decoys may be approved in 90 days.
    pub decoys_max: usize,
    /// After so many approvals in an hour there is no further one.
    pub throttle: usize,
    /// How many decoys there are to 10,000 requests.
    pub decoy_rate: u16,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            dwell_ms: 10_000,
            window: 20,
            hurried_max: 5,
            run_max: 50,
            rate_max: 12,
            decoys_max: 0,
            throttle: 30,
            decoy_rate: 200,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRules {
    dwell_ms: i64,
    window: usize,
    hurried_max: usize,
    run_max: u32,
    rate_max: usize,
    decoys_max: usize,
    throttle: usize,
    decoy_rate: u16,
}

impl TryFrom<WrittenRules> for Rules {
    type Error = Refusal;

    fn try_from(written: WrittenRules) -> Result<Self, Refusal> {
        let WrittenRules { dwell_ms, window, hurried_max, run_max, rate_max, decoys_max, throttle, decoy_rate } =
            written;
        let rules = Self { dwell_ms, window, hurried_max, run_max, rate_max, decoys_max, throttle, decoy_rate };
        rules.check().map(|()| rules)
    }
}

impl Rules {
    /// Whether every number is in its range, so that none of them turns a measure off by being too large to be reached.
    ///
    /// # Errors
    /// [`Refusal::Rules`].
    pub fn check(&self) -> Result<(), Refusal> {
        let good = (0..=DWELL_MS_MAX).contains(&self.dwell_ms)
            && (1..=GIVEN_MAX).contains(&self.window)
            && self.hurried_max < self.window
            && self.run_max <= RUN_MAX
            && self.rate_max < GIVEN_MAX
            && self.decoys_max < GIVEN_MAX
            && (1..=GIVEN_MAX).contains(&self.throttle)
            && self.decoy_rate <= DECOY_RATE_MAX;
        if good { Ok(()) } else { Err(Refusal::Rules) }
    }
}

/// Why a person's approvals need a second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Too many were given without looking long enough.
    Hurried,
    /// They have approved for too long without denying anything.
    Run,
    /// They approve too often.
    Rate,
    /// They approved a decoy.
    Decoy,
}

/// How each person approves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    persons: BTreeMap<PersonId, Habit>,
}

impl Stamps {
    /// Takes in what happened.
    pub fn apply(&mut self, record: &Record) {
        match &record.what {
            Happened::Approved(vote) => {
                let given = Given { at: record.at, dwell_ms: vote.dwell_ms, hurried: vote.hurried };
                self.persons.entry(vote.person().clone()).or_default().approve(given, vote.decoy);
            }
            Happened::Denied(stop) => {
                self.persons.entry(stop.signed.statement.person.clone()).or_default().deny(stop.decoy);
            }
            _ => {}
        }
    }

    /// How a person approves. None: they never did, nor denied.
    #[must_use]
    pub fn habit(&self, person: &PersonId) -> Option<&Habit> {
        self.persons.get(person)
    }

    /// Why a person's approvals need a second one.
    #[must_use]
    pub fn marks(&self, person: &PersonId, rules: &Rules, now: i64) -> BTreeSet<Mark> {
        self.habit(person).map(|habit| habit.marks(rules, now)).unwrap_or_default()
    }

    /// Why they would need one if they approved this too.
    #[must_use]
    pub(super) fn marks_after(&self, person: &PersonId, given: Given, decoy: bool, rules: &Rules) -> BTreeSet<Mark> {
        let mut habit = self.habit(person).cloned().unwrap_or_default();
        habit.approve(given, decoy);
        habit.marks(rules, given.at)
    }

    /// Whether a person has approved so much in the last hour that they must wait.
    #[must_use]
    pub fn is_throttled(&self, person: &PersonId, rules: &Rules, now: i64) -> bool {
        self.habit(person).is_some_and(|habit| habit.in_hour(now) >= rules.throttle)
    }
}

/// Whether the request with a number gets a decoy beside it.
#[must_use]
pub fn decoy_due(seed: &[u8; 32], number: u64, rules: &Rules) -> bool {
    let mut hasher = Sha256::new();
    hasher.update(b"watchfloor.decoy.v1");
    hasher.update(seed);
    hasher.update(number.to_be_bytes());
    let hash: [u8; 32] = hasher.finalize().into();
    // The rest of dividing 2⁶⁴ by 10,000 is even to one part in 10¹⁵.
    let [a, b, c, d, e, f, g, h, ..] = hash;
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) % 10_000 < u64::from(rules.decoy_rate)
}
