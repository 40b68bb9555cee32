//! A cell of autonomy: one verb, for one class of alerts, on assets of one tier, at one tenant.
//!
//! At every level the machine's choice is recorded before a person's is known ([`Shadow`]); what the person says of it is an outcome. The last
//! [`SHADOWS_MAX`] are kept, the ledger has all. One that is pushed out before anybody judged it is counted, and can bring no agreement any more, only a
//! failure: a machine gains nothing by burying its choices.
//!
//! What is granted falls without anybody, and never rises without a person: also when what made it fall has passed.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use watchfloor_model::action::{Level, Tier, Verb};
use watchfloor_model::ids::{AlertClass, EntityId, PersonId, TenantId};

use super::bound::{Share, lower, reaches};
use super::drift::{Course, Tally};
use super::refused::Refused;

/// Choices of the machine that a cell keeps.
pub const SHADOWS_MAX: usize = 1_000;
/// Agreements that a cell counts.
pub const OUTCOMES_MAX: u64 = 1_000_000_000;
/// What the lower bound must reach for level 3.
pub const BAR_CONDITIONAL: Share = Share::percent(95);
/// What the lower bound must reach for level 4.
pub const BAR_HIGH_STAKES: Share = Share::percent(99);
/// How long after a reversal nobody may promote above level 2, in milliseconds: 30 days.
pub const REVERSAL_MS: i64 = 30 * 86_400_000;
/// As how many an outcome counts after a change of version, up to the level that the version before had earned.
pub const REEARN_WEIGHT: u64 = 4;

/// Which cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Whose.
    pub tenant: TenantId,
    /// What is done.
    pub verb: Verb,
    /// On what grounds.
    pub class: AlertClass,
    /// To what.
    pub tier: Tier,
}

/// What is running: a change of any of them is another machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Of the model.
    pub model: String,
    /// Of the prompt.
    pub prompt: String,
    /// Of the rules.
    pub rules: String,
    /// Of the policy.
    pub policy: String,
}

/// Name of a recorded choice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShadowId(pub String);

/// What somebody would do, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "choice")]
pub enum Choice {
    /// Nothing.
    Leave,
    /// This.
    Act {
        /// What.
        verb: Verb,
        /// To what.
        target: EntityId,
    },
}

/// What a person says of the machine's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// The same.
    Agree,
    /// Nearly: something about it was changed.
    Change,
    /// Something else was done, or nothing.
    Override,
    /// It had taken effect, and was taken back.
    Reverse,
}

/// A person's word on a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What it is.
    pub judgement: Judgement,
    /// Whose.
    pub by: PersonId,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What the person did.
    pub did: Choice,
}

/// What the machine would have done, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// Its name.
    pub id: ShadowId,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Era of the cell in which it was made.
    pub era: u64,
    /// At which level the machine stood.
    pub level: Level,
    /// What it would do.
    pub would: Choice,
    /// What a person said of it.
    pub judged: Option<Judged>,
}

/// How often what was said, since the cell began. A judgement that was changed counts as what it became.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Choices recorded.
    pub recorded: u64,
    /// Choices that nobody judged before they were pushed out.
    pub buried: u64,
    /// Agreements.
    pub agreed: u64,
    /// Changes.
    pub changed: u64,
    /// Overrides.
    pub overridden: u64,
    /// Reversals.
    pub reversed: u64,
}

/// Why a level is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A person gave it.
    Granted,
    /// A person lowered it.
    Lowered,
    /// Outcomes reach its bar.
    Earned,
    /// Outcomes do not reach the bar of more.
    BelowBar,
    /// A person took back what had been done.
    Reversed,
    /// The last outcomes are worse than those before.
    Drift,
    /// What must be seen is not seen.
    CoverageMissing,
    /// Something else is running than what earned it.
    VersionChanged,
    /// What is running has not earned again what the version before it had.
    Reearning,
    /// What is done cannot be recorded.
    LedgerUnreachable,
}

/// A change of what is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// From which level.
    pub from: Level,
    /// To which.
    pub to: Level,
    /// Why.
    pub why: Why,
    /// Who; nobody: it fell by itself.
    pub by: Option<PersonId>,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// What outcomes come to. It is made when one is counted, and not when somebody asks: asking is what happens often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Worth {
    /// At least this share of agreements.
    lower: Share,
    /// The highest level whose bar is reached.
    level: Level,
}

impl Default for Worth {
    /// Of no outcomes.
    fn default() -> Self {
        Self { lower: Share::NONE, level: Level::Approved }
    }
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Cell {
    pub(super) key: Key,
    pub(super) granted: Level,
    pub(super) grantor: Option<PersonId>,
    pub(super) generation: u64,
    pub(super) versions: Option<Versions>,
    /// Number of the stretch of outcomes that count together: a change of version or a drift ends it.
    era: u64,
    course: Course,
    /// Up to which level outcomes count four times: what the version before had earned.
    rebate: Option<Level>,
    /// Whether that has yet to be earned again.
    reearning: bool,
    reversed: Option<i64>,
    pub(super) coverage_missing: bool,
    shadows: VecDeque<Shadow>,
    totals: Totals,
    moved: Option<Moved>,
    /// It follows from the rest, and is not written.
    #[serde(skip)]
    worth: Worth,
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut cell = Self::deserialize(deserializer)?;
        cell.weigh();
        Ok(cell)
    }
}

impl Cell {
    /// A cell in which nothing has happened: people do everything.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self {
            key,
            granted: Level::Manual,
            grantor: None,
            generation: 0,
            versions: None,
            era: 0,
            course: Course::default(),
            rebate: None,
            reearning: false,
            reversed: None,
            coverage_missing: false,
            shadows: VecDeque::new(),
            totals: Totals::default(),
            moved: None,
            worth: Worth::default(),
        }
    }

    /// Which one it is.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What a person has granted, and demotions have left of it.
    #[must_use]
    pub fn granted(&self) -> Level {
        self.granted
    }

    /// Who granted it: may not approve under it, and answers for what is done under it alone.
    #[must_use]
    pub fn grantor(&self) -> Option<&PersonId> {
        self.grantor.as_ref()
    }

    /// Number of changes of what is granted: a promotion names the one it follows on.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What was running last.
    #[must_use]
    pub fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }

    /// Outcomes that count now.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.course.tally()
    }

    /// Number of the stretch of outcomes that count together.
    #[must_use]
    pub fn era(&self) -> u64 {
        self.era
    }

    /// How often what was said, since the cell began.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The last change of what is granted.
    #[must_use]
    pub fn moved(&self) -> Option<&Moved> {
        self.moved.as_ref()
    }

    /// Choices that are kept, the oldest first.
    pub fn shadows(&self) -> impl Iterator<Item = &Shadow> {
        self.shadows.iter()
    }

    /// Up to which level it may be granted now by what came of it, and why not more.
    #[must_use]
    pub fn earned(&self, now: i64) -> (Level, Why) {
        let recent = |at: i64| now.saturating_sub(at) < REVERSAL_MS;
        if self.reearning {
            (Level::Advisory, Why::Reearning)
        } else if self.coverage_missing {
            (Level::Approved, Why::CoverageMissing)
        } else if self.reversed.is_some_and(recent) {
            (Level::Approved, Why::Reversed)
        } else {
            let level = self.worth.level;
            (level, if level == Level::HighStakes { Why::Earned } else { Why::BelowBar })
        }
    }

    /// Whether outcomes count four times for a level.
    #[must_use]
    pub fn is_rebated(&self, level: Level) -> bool {
        self.rebate.is_some_and(|rebate| rebate >= level)
    }

    /// At least this share of agreements, as far as outcomes say.
    #[must_use]
    pub fn lower(&self) -> Share {
        self.worth.lower
    }

    /// Says anew what outcomes come to; whatever changes the course, or as how many an outcome counts, ends with it.
    fn weigh(&mut self) {
        let Tally { agreed, failed } = self.tally();
        self.worth = Worth { lower: lower(agreed, failed), level: self.counted() };
    }

    /// The highest level whose bar outcomes reach.
    fn counted(&self) -> Level {
        let tally = self.tally();
        let reached = |level: Level, bar: Share| {
            let weight = if self.is_rebated(level) { REEARN_WEIGHT } else { 1 };
            reaches(tally.agreed.saturating_mul(weight), tally.failed.saturating_mul(weight), bar)
        };
        if reached(Level::HighStakes, BAR_HIGH_STAKES) {
            Level::HighStakes
        } else if reached(Level::Conditional, BAR_CONDITIONAL) {
            Level::Conditional
        } else {
            Level::Approved
        }
    }

    /// Records the machine's choice.
    pub(super) fn record(&mut self, shadow: Shadow, versions: &Versions) -> Result<(), Refused> {
        if self.shadows.iter().any(|known| known.id == shadow.id) {
            return Err(Refused::KnownShadow);
        }
        self.run(versions, shadow.at);
        if self.shadows.len() >= SHADOWS_MAX && self.shadows.pop_front().is_some_and(|old| old.judged.is_none()) {
            self.totals.buried += 1;
        }
        self.totals.recorded += 1;
        self.shadows.push_back(Shadow { era: self.era, ..shadow });
        Ok(())
    }

    /// Takes note of what is running.
    fn run(&mut self, versions: &Versions, now: i64) {
        if self.versions.as_ref() == Some(versions) {
            return;
        }
        if self.versions.is_some() {
            // Whoever changes again before it is earned again pays the full count: trying versions until one is lucky does not pay.
            let had = if self.reearning { Level::Approved } else { self.worth.level };
            self.reearning = had > Level::Approved;
            self.rebate = self.reearning.then_some(had);
            self.begin_era();
            self.demote(Level::Advisory, Why::VersionChanged, now);
        }
        self.versions = Some(versions.clone());
    }

    /// Records what a person says of a choice.
    pub(super) fn judge(&mut self, id: &ShadowId, judged: Judged) -> Result<(), Refused> {
        let (judgement, now, era) = (judged.judgement, judged.at, self.era);
        if judgement == Judgement::Agree && self.tally().agreed >= OUTCOMES_MAX {
            return Err(Refused::TooManyOutcomes);
        }
        // The newest are judged first, mostly.
        let Some(shadow) = self.shadows.iter_mut().rev().find(|shadow| shadow.id == *id) else {
            if judgement == Judgement::Agree {
                return Err(Refused::UnknownShadow);
            }
            self.count(judgement, now);
            return Ok(());
        };
        let before = shadow.judged.as_ref().map(|judged| judged.judgement);
        let current = shadow.era == era;
        if before.is_some() && (judgement != Judgement::Reverse || before == Some(Judgement::Reverse)) {
            return Err(Refused::AlreadyJudged);
        }
        shadow.judged = Some(judged);
        if let Some(before) = before {
            let total = self.total(before);
            *total = total.saturating_sub(1);
        }
        match before {
            None if current => self.count(judgement, now),
            Some(Judgement::Agree) if current => {
                self.course.take_back();
                self.count(judgement, now);
            }
            // It is an outcome of a version that is gone, or was a failure already; a reversal is one all the same.
            _ => self.note(judgement, now),
        }
        Ok(())
    }

    /// Records what the review of a closed case found, which was closed in an era.
    pub(super) fn review(&mut self, missed: bool, era: u64, now: i64) {
        let judgement = if missed { Judgement::Reverse } else { Judgement::Agree };
        let full = !missed && self.tally().agreed >= OUTCOMES_MAX;
        if era == self.era && !full { self.count(judgement, now) } else { self.note(judgement, now) }
    }

    /// Counts an outcome of now.
    fn count(&mut self, judgement: Judgement, now: i64) {
        self.note(judgement, now);
        if self.course.add(judgement == Judgement::Agree) {
            self.begin_era();
            self.rebate = None;
            self.demote(Level::Approved, Why::Drift, now);
        }
        self.weigh();
        let level = self.worth.level;
        self.reearning &= level == Level::Approved;
        self.demote(level, Why::BelowBar, now);
    }

    /// Counts it in the totals; a reversal is also one of the cell.
    fn note(&mut self, judgement: Judgement, now: i64) {
        let total = self.total(judgement);
        *total = total.saturating_add(1);
        if judgement == Judgement::Reverse {
            self.reversed = Some(self.reversed.map_or(now, |before| before.max(now)));
            self.demote(Level::Approved, Why::Reversed, now);
        }
    }

    fn total(&mut self, judgement: Judgement) -> &mut u64 {
        match judgement {
            Judgement::Agree => &mut self.totals.agreed,
            Judgement::Change => &mut self.totals.changed,
            Judgement::Override => &mut self.totals.overridden,
            Judgement::Reverse => &mut self.totals.reversed,
        }
    }

    /// Outcomes so far say nothing of what comes.
    fn begin_era(&mut self) {
        self.era += 1;
        self.course = Course::default();
        self.worth = Worth::default();
    }

    /// Lowers what is granted, if it is above.
    pub(super) fn demote(&mut self, to: Level, why: Why, now: i64) {
        if self.granted > to {
            self.grant(to, why, None, now);
        }
    }

    /// Changes what is granted.
    pub(super) fn grant(&mut self, to: Level, why: Why, by: Option<PersonId>, now: i64) {
        self.moved = Some(Moved { from: self.granted, to, why, by, at: now });
        self.granted = to;
        self.generation += 1;
    }
}
