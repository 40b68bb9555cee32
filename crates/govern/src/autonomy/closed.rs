//! Cases that were closed without a person: some of them are looked at again.
//!
//! Of the cases closed in a week (Monday to Sunday, UTC), at least [`SHARE`] and at least [`LEAST`] (all, if there are fewer) go to a person who is
//! told the case and nothing of what the machine said of it.
//!
//! **Nobody chooses.** Before a case is closed in a week, the SHA-256 of a seed is recorded ([`promise`]). The seed itself is recorded when the week is over,
//! and the cases with the smallest [`rank`] are drawn. While it closes cases the machine does not know the seed, so it cannot name or order them so that
//! its errors are left out; when the seed is known the cases stand in the ledger; and who keeps the seed cannot take another one then. Without a
//! promise nothing is closed without a person.
//!
//! **Misses.** A threat in a closed case is a failure; the bound is [`upper`] over all reviews. A case whose review is not there [`REVIEW_MS`] after the
//! week counts as missed until it is, and so does each that would have been drawn in a week whose seed is not shown: not looking makes the figure worse.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use watchfloor_model::action::Tier;
use watchfloor_model::ids::{AlertClass, CaseId, PersonId, TenantId};

use super::bound::{Share, upper};
use super::promotion::text;
use super::refused::Refused;
use crate::hex::Hex;

/// Share of the cases of a week that is looked at again, at least, in percent.
pub const SHARE: usize = 2;
/// Cases of a week that are looked at again, at least.
pub const LEAST: usize = 20;
/// Cases of a tenant that are closed without a person in a week, at most.
pub const CASES_MAX: usize = 100_000;
/// Weeks of a tenant whose review is open, at most; beyond it no seed can be promised, and so nothing be closed.
pub const WEEKS_MAX: usize = 8;
/// How long after the end of the week a review may take, in milliseconds: 7 days.
pub const REVIEW_MS: i64 = WEEK_MS;
/// A week, in milliseconds.
const WEEK_MS: i64 = 7 * 86_400_000;
/// From the first Monday to the first of January 1970, a Thursday, in milliseconds.
const MONDAY_MS: i64 = 3 * 86_400_000;

/// Number of the week that a time is in; week 0 has the first of January 1970 in it.
#[must_use]
pub fn week(at: i64) -> i64 {
    at.saturating_add(MONDAY_MS).div_euclid(WEEK_MS)
}

/// When a week is over, in milliseconds since 1970.
#[must_use]
pub fn end(week: i64) -> i64 {
    week.saturating_add(1).saturating_mul(WEEK_MS).saturating_sub(MONDAY_MS)
}

/// What is recorded of a seed before it is shown: SHA-256 of `watchfloor/seed/1`, a line feed and the seed.
#[must_use]
pub fn promise(seed: &Hex<32>) -> Hex<32> {
    Hex(Sha256::new().chain_update(b"watchfloor/seed/1\n").chain_update(seed.0).finalize().into())
}

/// Where a case stands in the draw: SHA-256 of `watchfloor/review/1`, a line feed, the seed, the tenant as 4 bytes of length (highest first) and text, the
/// week as 8 bytes (highest first), and the case as the tenant.
#[must_use]
pub fn rank(seed: &Hex<32>, tenant: &TenantId, week: i64, case: &CaseId) -> [u8; 32] {
    let mut bytes = b"watchfloor/review/1\n".to_vec();
    bytes.extend(seed.0);
    text(&mut bytes, tenant.as_str());
    bytes.extend(week.to_be_bytes());
    text(&mut bytes, case.as_str());
    Sha256::digest(&bytes).into()
}

/// How many of so many cases are looked at again.
#[must_use]
pub fn due(cases: usize) -> usize {
    cases.saturating_mul(SHARE).div_ceil(100).max(LEAST).min(cases)
}

/// What happens to cases that are closed without a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A seed is promised.
    Promised {
        /// By which tenant.
        tenant: TenantId,
        /// For which week.
        week: i64,
        /// Its hash.
        promise: Hex<32>,
    },
    /// A case was closed.
    Closed {
        /// Whose.
        tenant: TenantId,
        /// Class of its alerts.
        class: AlertClass,
        /// Tier of what it is about.
        tier: Tier,
        /// Which.
        case: CaseId,
    },
    /// A seed is shown, and cases are drawn.
    Drawn {
        /// At which tenant.
        tenant: TenantId,
        /// Of which week.
        week: i64,
        /// The seed.
        seed: Hex<32>,
    },
    /// A person has looked at a case again. It is an outcome of the cell that closed it: an agreement, or a reversal.
    Reviewed {
        /// At which tenant.
        tenant: TenantId,
        /// In which week it was closed.
        week: i64,
        /// Which.
        case: CaseId,
        /// Who.
        by: PersonId,
        /// Whether it was a threat.
        missed: bool,
    },
}

/// Which cell closed a case, and in which of its eras.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedBy {
    /// Class of its alerts.
    pub class: AlertClass,
    /// Tier of what it is about.
    pub tier: Tier,
    /// Era of the cell.
    pub era: u64,
}

/// A week that is not done with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Week {
    promised: Hex<32>,
    /// Until the draw all that were closed, then those that wait for their review.
    cases: BTreeMap<CaseId, ClosedBy>,
    drawn: bool,
}

/// What was closed at a tenant without a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    weeks: BTreeMap<i64, Week>,
    closed: u64,
    reviewed: u64,
    missed: u64,
}

/// What stands beside every figure about cases closed without a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// Closed.
    pub closed: u64,
    /// Looked at again.
    pub reviewed: u64,
    /// Of these, threats.
    pub missed: u64,
    /// Drawn, and not looked at yet.
    pub waiting: u64,
    /// Not looked at though it was time: counted as threats in the bound.
    pub overdue: u64,
    /// At most this share of the closed ones were threats.
    pub upper: Share,
}

impl Closed {
    /// Records the hash of a seed for this week or the next one.
    pub(super) fn promise(&mut self, number: i64, promised: Hex<32>, now: i64) -> Result<(), Refused> {
        if number < week(now) || number > week(now).saturating_add(1) {
            return Err(Refused::Week);
        }
        if self.weeks.contains_key(&number) {
            return Err(Refused::AlreadyPromised);
        }
        // Of weeks in which nothing was closed nothing is left to do.
        self.weeks.retain(|before, open| *before >= week(now) || !open.cases.is_empty());
        if self.weeks.len() >= WEEKS_MAX {
            return Err(Refused::TooManyWeeks);
        }
        self.weeks.insert(number, Week { promised, cases: BTreeMap::new(), drawn: false });
        Ok(())
    }

    /// Records a case that was closed without a person now.
    pub(super) fn close(&mut self, case: CaseId, by: ClosedBy, now: i64) -> Result<(), Refused> {
        let open = self.weeks.get_mut(&week(now)).ok_or(Refused::NoPromise)?;
        if open.cases.contains_key(&case) {
            return Err(Refused::AlreadyClosed);
        }
        if open.cases.len() >= CASES_MAX {
            return Err(Refused::TooManyCases);
        }
        open.cases.insert(case, by);
        self.closed = self.closed.saturating_add(1);
        Ok(())
    }

    /// Shows the seed of a week that is over, and draws.
    pub(super) fn draw(&mut self, tenant: &TenantId, number: i64, seed: &Hex<32>, now: i64) -> Result<(), Refused> {
        let open = self.weeks.get_mut(&number).ok_or(Refused::NoPromise)?;
        if number >= week(now) {
            return Err(Refused::NotOver);
        }
        if open.drawn {
            return Err(Refused::AlreadyDrawn);
        }
        if promise(seed) != open.promised {
            return Err(Refused::Seed);
        }
        let mut cases: Vec<_> = std::mem::take(&mut open.cases).into_iter().collect();
        cases.sort_by_cached_key(|(case, _)| rank(seed, tenant, number, case));
        cases.truncate(due(cases.len()));
        open.cases = cases.into_iter().collect();
        open.drawn = true;
        self.forget(number);
        Ok(())
    }

    /// Records what a person found in a case; which cell had closed it.
    pub(super) fn review(&mut self, number: i64, case: &CaseId, missed: bool) -> Result<ClosedBy, Refused> {
        let open = self.weeks.get_mut(&number).filter(|open| open.drawn).ok_or(Refused::NotWaiting)?;
        let by = open.cases.remove(case).ok_or(Refused::NotWaiting)?;
        self.reviewed = self.reviewed.saturating_add(1);
        self.missed = self.missed.saturating_add(u64::from(missed));
        self.forget(number);
        Ok(by)
    }

    /// A week that was drawn is forgotten when all that was drawn has been looked at.
    fn forget(&mut self, number: i64) {
        if self.weeks.get(&number).is_some_and(|open| open.cases.is_empty()) {
            self.weeks.remove(&number);
        }
    }

    /// Cases that wait for their review, with their weeks: all that the person who looks at them is told.
    pub fn to_review(&self) -> impl Iterator<Item = (i64, &CaseId)> {
        let drawn = self.weeks.iter().filter(|(_, open)| open.drawn);
        drawn.flat_map(|(number, open)| open.cases.keys().map(|case| (*number, case)))
    }

    /// What stands beside every figure about cases closed without a person.
    #[must_use]
    pub fn figure(&self, now: i64) -> Figure {
        let late = |number: i64| now >= end(number).saturating_add(REVIEW_MS);
        let count = |of: &dyn Fn(i64, &Week) -> bool| -> u64 {
            let weeks = self.weeks.iter().filter(|(number, open)| of(**number, open));
            weeks.map(|(_, open)| if open.drawn { open.cases.len() } else { due(open.cases.len()) } as u64).sum()
        };
        let (waiting, overdue) = (count(&|_, open| open.drawn), count(&|number, _| late(number)));
        let (closed, reviewed, missed) = (self.closed, self.reviewed, self.missed);
        let upper = upper(reviewed.saturating_sub(missed), missed.saturating_add(overdue));
        Figure { closed, reviewed, missed, waiting, overdue, upper }
    }
}

#[cfg(test)]
mod tests;
