//! How far a machine may go in a cell now: the least of five, each of them told.

use serde::{Deserialize, Serialize};
use watchfloor_model::action::Level;
use watchfloor_model::ids::PersonId;

use super::bound::{Share, lower};
use super::cell::{Cell, Versions, Why};
use super::drift::Tally;

/// What Mohsin's A must reach for levels 1 to 4: fifths.
pub const MOHSIN_BARS: [(Share, Level); 4] = [
    (Share::percent(80), Level::HighStakes),
    (Share::percent(60), Level::Conditional),
    (Share::percent(40), Level::Approved),
    (Share::percent(20), Level::Advisory),
];

/// Mohsin's measure of how much autonomy a task bears: A = 1 − (λ₁ C + λ₂ R)(1 − T).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mohsin {
    /// C: how complex it is.
    pub complexity: Share,
    /// R: how much is at risk.
    pub risk: Share,
    /// T: how far the machine is trusted.
    pub trust: Share,
    /// λ₁: what complexity weighs.
    pub complexity_weight: Share,
    /// λ₂: what risk weighs.
    pub risk_weight: Share,
}

impl Mohsin {
    /// A, rounded down. Weights of more than 1 together may take all of it, never more.
    #[must_use]
    pub fn autonomy(&self) -> Share {
        let parts = |share: Share| u128::from(share.parts());
        let whole = parts(Share::ALL);
        // Each product has 10^12 squared, and the last one cubed: 2·10^36, which 128 bits hold.
        let burden =
            parts(self.complexity_weight) * parts(self.complexity) + parts(self.risk_weight) * parts(self.risk);
        let taken = (burden * parts(self.trust.rest())).div_ceil(whole * whole);
        Share::try_from(u64::try_from(taken).unwrap_or(u64::MAX)).unwrap_or(Share::ALL).rest()
    }

    /// The level that it allows at most.
    #[must_use]
    pub fn ceiling(&self) -> Level {
        let autonomy = self.autonomy();
        MOHSIN_BARS.iter().find(|(bar, _)| autonomy >= *bar).map_or(Level::Manual, |(_, level)| *level)
    }
}

/// What is the case outside of the cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// How far the house is ready for it.
    pub readiness: Level,
    /// What the task bears.
    pub mohsin: Mohsin,
    /// What is running now.
    pub running: Versions,
    /// Whether what is done can be recorded.
    pub ledger_reachable: bool,
}

/// One of the five.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Up to which level.
    pub level: Level,
    /// What programs know it by; it does not change.
    pub code: String,
    /// A sentence for a person.
    pub says: String,
}

/// How far a machine may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The least of the five.
    pub level: Level,
    /// What a person granted.
    pub granted: Part,
    /// What outcomes have earned.
    pub earned: Part,
    /// How far the house is ready.
    pub readiness: Part,
    /// How far the verb may ever go there.
    pub hard_cap: Part,
    /// What the task bears.
    pub mohsin: Part,
    /// Who granted it: may not approve under it, and answers for what is done under it alone.
    pub grantor: Option<PersonId>,
    /// Outcomes that count.
    pub outcomes: Tally,
    /// At least this share of agreements.
    pub lower: Share,
}

impl Standing {
    /// The five, in the order in which they are told.
    #[must_use]
    pub fn parts(&self) -> [&Part; 5] {
        [&self.granted, &self.earned, &self.readiness, &self.hard_cap, &self.mohsin]
    }
}

impl Cell {
    /// How far the machine may go now.
    #[must_use]
    pub fn standing(&self, conditions: &Conditions, now: i64) -> Standing {
        let part = |level: Level, code: &str, says: String| Part { level, code: format!("autonomy.{code}"), says };
        let granted = part(self.granted, "granted", self.says_granted());
        let (level, why) = self.earned_under(conditions, now);
        let earned = part(level, why.code(), self.says_earned(level, why));
        let readiness = part(
            conditions.readiness,
            "readiness",
            format!("the house is ready for level {}", u8::from(conditions.readiness)),
        );
        let cap = self.key.verb.row().cap(self.key.tier);
        let hard_cap = part(
            cap,
            "hard_cap",
            format!(
                "{} is never done above level {} on tier {}",
                self.key.verb.name(),
                u8::from(cap),
                u8::from(self.key.tier)
            ),
        );
        let bears = conditions.mohsin.ceiling();
        let says = format!("the task bears level {}: A is {}", u8::from(bears), conditions.mohsin.autonomy());
        let mohsin = part(bears, "mohsin", says);
        let level = granted.level.min(earned.level).min(readiness.level).min(hard_cap.level).min(mohsin.level);
        let (grantor, outcomes) = (self.grantor.clone(), self.tally());
        let lower = lower(outcomes.agreed, outcomes.failed);
        Standing { level, granted, earned, readiness, hard_cap, mohsin, grantor, outcomes, lower }
    }

    fn earned_under(&self, conditions: &Conditions, now: i64) -> (Level, Why) {
        if !conditions.ledger_reachable {
            (Level::Manual, Why::LedgerUnreachable)
        } else if self.versions.as_ref().is_some_and(|versions| *versions != conditions.running) {
            // What is running has not been recorded yet: it has earned nothing.
            (Level::Advisory, Why::VersionChanged)
        } else {
            self.earned(now)
        }
    }

    fn says_granted(&self) -> String {
        let level = u8::from(self.granted);
        match (self.moved(), self.grantor()) {
            (Some(moved), _) if moved.to < moved.from => {
                let from = u8::from(moved.from);
                format!("lowered from level {from} to {level}: {}; only a person can raise it again", moved.why.says())
            }
            (_, Some(grantor)) => format!("{grantor} granted level {level}"),
            (_, None) => format!("nobody has granted more than level {level}"),
        }
    }

    fn says_earned(&self, level: Level, why: Why) -> String {
        let tally = self.tally();
        format!(
            "level {}: {}; {} agreements and {} failures, lower bound {}",
            u8::from(level),
            why.says(),
            tally.agreed,
            tally.failed,
            lower(tally.agreed, tally.failed)
        )
    }
}

impl Why {
    /// What programs know it by, after `autonomy.`; it does not change.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Lowered => "lowered",
            Self::Earned => "earned",
            Self::BelowBar => "below_bar",
            Self::Reversed => "reversed",
            Self::Drift => "drift",
            Self::CoverageMissing => "coverage_missing",
            Self::VersionChanged => "version_changed",
            Self::Reearning => "reearning",
            Self::LedgerUnreachable => "ledger_unreachable",
        }
    }

    /// A piece of a sentence for a person.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Granted => "a person granted it",
            Self::Lowered => "a person lowered it",
            Self::Earned => "outcomes reach the highest bar",
            Self::BelowBar => "outcomes do not reach the bar of more",
            Self::Reversed => "a person took back what had been done",
            Self::Drift => "the last outcomes are worse than those before",
            Self::CoverageMissing => "what must be seen is not seen",
            Self::VersionChanged => "model, prompt, rules or policy have changed",
            Self::Reearning => "what is running has not earned again what the version before it had",
            Self::LedgerUnreachable => "what is done cannot be recorded",
        }
    }
}

#[cfg(test)]
mod tests;
