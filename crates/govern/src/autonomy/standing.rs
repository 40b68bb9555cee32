//! How far a machine may go in a cell now: the least of five, each of them told.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use watchfloor_model::action::Level;
use watchfloor_model::ids::PersonId;

use super::bound::Share;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions<'c> {
    /// How far the house is ready for it.
    pub readiness: Level,
    /// What the task bears.
    pub mohsin: Mohsin,
    /// What is running now.
    pub running: &'c Versions,
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

/// The five levels, and where they come from. Nothing is written before somebody asks for words: most only ask for the level.
#[derive(Clone, Debug)]
pub struct Levels<'s> {
    cell: Cow<'s, Cell>,
    granted: Level,
    earned: (Level, Why),
    readiness: Level,
    hard_cap: Level,
    mohsin: (Level, Share),
}

/// Which of the five.
#[derive(Clone, Copy)]
enum One {
    Granted,
    Earned,
    Readiness,
    HardCap,
    Mohsin,
}

impl One {
    const ALL: [Self; 5] = [Self::Granted, Self::Earned, Self::Readiness, Self::HardCap, Self::Mohsin];
}

/// What one of the five says.
struct Sentence<'l>(&'l Levels<'l>, One);

impl Levels<'_> {
    /// The least of the five.
    #[must_use]
    pub fn level(&self) -> Level {
        self.granted.min(self.earned.0).min(self.readiness).min(self.hard_cap).min(self.mohsin.0)
    }

    /// Who granted it: may not approve under it, and answers for what is done under it alone.
    #[must_use]
    pub fn grantor(&self) -> Option<&PersonId> {
        self.cell.grantor()
    }

    /// All of it in words.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let part = |one: One, level: Level, code: &str| Part {
            level,
            code: format!("autonomy.{code}"),
            says: Sentence(self, one).to_string(),
        };
        let (earned, why) = self.earned;
        Standing {
            level: self.level(),
            granted: part(One::Granted, self.granted, "granted"),
            earned: part(One::Earned, earned, why.code()),
            readiness: part(One::Readiness, self.readiness, "readiness"),
            hard_cap: part(One::HardCap, self.hard_cap, "hard_cap"),
            mohsin: part(One::Mohsin, self.mohsin.0, "mohsin"),
            grantor: self.cell.grantor.clone(),
            outcomes: self.cell.tally(),
            lower: self.cell.lower(),
        }
    }
}

/// The five sentences, in the order in which they are told.
impl fmt::Display for Levels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in One::ALL.into_iter().enumerate() {
            let between = if at > 0 { "; " } else { "" };
            write!(f, "{between}{}", Sentence(self, one))?;
        }
        Ok(())
    }
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(levels, one) = self;
        let cell = &levels.cell;
        match one {
            One::Granted => cell.says_granted(f),
            One::Earned => {
                let (tally, (level, why)) = (cell.tally(), levels.earned);
                let Tally { agreed, failed } = tally;
                let (level, why, lower) = (u8::from(level), why.says(), cell.lower());
                write!(f, "level {level}: {why}; {agreed} agreements and {failed} failures, lower bound {lower}")
            }
            One::Readiness => write!(f, "the house is ready for level {}", u8::from(levels.readiness)),
            One::HardCap => {
                let (verb, tier) = (cell.key.verb.name(), u8::from(cell.key.tier));
                write!(f, "{verb} is never done above level {} on tier {tier}", u8::from(levels.hard_cap))
            }
            One::Mohsin => {
                let (level, autonomy) = levels.mohsin;
                write!(f, "the task bears level {}: A is {autonomy}", u8::from(level))
            }
        }
    }
}

impl Cell {
    /// How far the machine may go now.
    #[must_use]
    pub fn standing(&self, conditions: &Conditions<'_>, now: i64) -> Standing {
        Self::levels(Cow::Borrowed(self), conditions, now).standing()
    }

    /// The same without words.
    pub(super) fn levels<'s>(cell: Cow<'s, Self>, conditions: &Conditions<'_>, now: i64) -> Levels<'s> {
        Levels {
            granted: cell.granted,
            earned: cell.earned_under(conditions, now),
            readiness: conditions.readiness,
            hard_cap: cell.key.verb.row().cap(cell.key.tier),
            mohsin: (conditions.mohsin.ceiling(), conditions.mohsin.autonomy()),
            cell,
        }
    }

    fn earned_under(&self, conditions: &Conditions<'_>, now: i64) -> (Level, Why) {
        if !conditions.ledger_reachable {
            (Level::Manual, Why::LedgerUnreachable)
        } else if self.versions.as_ref().is_some_and(|versions| versions != conditions.running) {
            // What is running has not been recorded yet: it has earned nothing.
            (Level::Advisory, Why::VersionChanged)
        } else {
            self.earned(now)
        }
    }

    fn says_granted(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = u8::from(self.granted);
        match (self.moved(), self.grantor()) {
            (Some(moved), _) if moved.to < moved.from => {
                let (from, why) = (u8::from(moved.from), moved.why.says());
                write!(f, "lowered from level {from} to {level}: {why}; only a person can raise it again")
            }
            (_, Some(grantor)) => write!(f, "{grantor} granted level {level}"),
            (_, None) => write!(f, "nobody has granted more than level {level}"),
        }
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
