//! How one person approves: what a rubber stamp looks like in numbers.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::stamps::{DECOY_MEMORY_MS, GIVEN_MAX, HOUR_MS, Mark, Rules};

/// An approval that a person gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// How long they had looked, in milliseconds.
    pub dwell_ms: i64,
    /// Whether that was too short.
    pub hurried: bool,
}

/// How a person approves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habit {
    /// Their last approvals, the oldest first; at most [`GIVEN_MAX`].
    pub given: VecDeque<Given>,
    /// Approvals since they last denied anything.
    pub run: u32,
    /// When they last approved decoys, the oldest first; at most [`GIVEN_MAX`].
    pub decoys_approved: VecDeque<i64>,
    /// How many decoys they have denied.
    pub decoys_denied: u32,
    /// How many requests they have approved, ever.
    pub approved: u32,
    /// How many requests they have denied, ever.
    pub denied: u32,
}

impl Habit {
    /// They approve once more.
    pub fn approve(&mut self, given: Given, decoy: bool) {
        push(&mut self.given, given);
        self.run = self.run.saturating_add(1);
        self.approved = self.approved.saturating_add(1);
        if decoy {
            push(&mut self.decoys_approved, given.at);
        }
    }

    /// They deny something.
    pub fn deny(&mut self, decoy: bool) {
        self.run = 0;
        self.denied = self.denied.saturating_add(1);
        self.decoys_denied = self.decoys_denied.saturating_add(u32::from(decoy));
    }

    /// Approvals of the last hour.
    #[must_use]
    pub fn in_hour(&self, now: i64) -> usize {
        self.given.iter().filter(|given| now.saturating_sub(given.at) < HOUR_MS).count()
    }

    /// How many of the last approvals were hurried.
    #[must_use]
    pub fn hurried(&self, window: usize) -> usize {
        self.given.iter().rev().take(window).filter(|given| given.hurried).count()
    }

    /// How long they look, in milliseconds: the median of the last approvals, the lower of two. None: they never approved.
    #[must_use]
    pub fn dwell_median_ms(&self, window: usize) -> Option<i64> {
        let mut dwells: Vec<i64> = self.given.iter().rev().take(window).map(|given| given.dwell_ms).collect();
        dwells.sort_unstable();
        dwells.get(dwells.len().checked_sub(1)? / 2).copied()
    }

    /// Why their approvals need a second person.
    #[must_use]
    pub fn marks(&self, rules: &Rules, now: i64) -> BTreeSet<Mark> {
        let decoys = self.decoys_approved.iter().filter(|at| now.saturating_sub(**at) < DECOY_MEMORY_MS).count();
        let past = [
            (Mark::Hurried, self.hurried(rules.window) > rules.hurried_max),
            (Mark::Run, self.run > rules.run_max),
            (Mark::Rate, self.in_hour(now) > rules.rate_max),
            (Mark::Decoy, decoys > rules.decoys_max),
        ];
        past.into_iter().filter_map(|(mark, is)| is.then_some(mark)).collect()
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    list.push_back(item);
    if list.len() > GIVEN_MAX {
        list.pop_front();
    }
}
