//! The outside of a simulated world: systems that are called, each with its manners, some of which lie.

use std::collections::{BTreeMap, BTreeSet};

use watchfloor_govern::plan::Hash;
use watchfloor_model::action::{Idempotency, Verb};
use watchfloor_model::ids::EntityId;

use super::Random;
use crate::order::{Answer, Call, Reply};
use crate::saga::SETTLE_MS;

/// How a system behaves when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manners {
    /// It does what it says, and says what it does.
    Honest,
    /// It loses calls and answers, and takes its time.
    Flaky,
    /// It says anything. When it is asked what is there, it cannot lie.
    Hostile,
}

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// After how long it has its effect; none: it has none.
    pub lands: Option<i64>,
    /// It arrives a second time, so long after the first.
    pub again: Option<i64>,
    /// After how long it is answered, and what.
    pub answer: Option<(i64, Answer)>,
}

/// Everything that is called.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// What is in force: by what was done to what, the key of the call that did it.
    there: BTreeMap<(Verb, EntityId), Hash>,
    /// How often each key had an effect.
    pub effects: BTreeMap<Hash, u32>,
    /// Keys that keyed systems have seen.
    seen: BTreeSet<Hash>,
}

impl Outside {
    /// Somebody else did it before.
    pub fn is_done_by_others(&mut self, verb: Verb, target: &EntityId) {
        self.there.insert((verb, target.clone()), Hash([0; 32]));
    }

    /// Whether things are as a verb makes them.
    pub fn is_so(&self, verb: Verb, target: &EntityId) -> bool {
        match undone_by(verb) {
            Some(undone) => self.owner(undone, target).is_none(),
            None => self.owner(verb, target).is_some(),
        }
    }

    /// A person undid it.
    pub fn is_undone_by_hand(&mut self, verb: Verb, target: &EntityId) {
        self.there.remove(&(verb, target.clone()));
    }

    /// Whose call put it there.
    pub fn owner(&self, verb: Verb, target: &EntityId) -> Option<Hash> {
        self.there.get(&(verb, target.clone())).copied()
    }

    /// A call arrives.
    pub fn land(&mut self, call: &Call, done_by: Verb, declared: Idempotency) {
        if declared == Idempotency::Keyed && !self.seen.insert(call.key) {
            return;
        }
        let place = (undone_by(done_by).unwrap_or(done_by), call.target.clone());
        let is_new = match (call.act.undo || done_by.row().undoes, declared) {
            (true, _) => self.there.remove(&place).is_some(),
            // Done twice, it happens twice.
            (false, Idempotency::None) => {
                self.there.insert(place, call.key);
                true
            }
            (false, _) => {
                let is_new = !self.there.contains_key(&place);
                self.there.entry(place).or_insert(call.key);
                is_new
            }
        };
        if is_new {
            *self.effects.entry(call.key).or_insert(0) += 1;
        }
    }
}

/// What a verb undoes.
fn undone_by(verb: Verb) -> Option<Verb> {
    Verb::ALL.iter().copied().find(|other| other.row().inverse == Some(verb))
}

impl Manners {
    pub fn of(random: &mut Random) -> Self {
        match random.below(10) {
            0..5 => Self::Honest,
            5..8 => Self::Flaky,
            _ => Self::Hostile,
        }
    }

    /// What a call comes to.
    pub fn fate(self, declared: Idempotency, random: &mut Random, is_wild: bool) -> Fate {
        let soon = random.below(900) as i64 + 1;
        // Whatever a system does, it does within the time that it is held to.
        let late = random.below(SETTLE_MS as usize) as i64;
        // A call that comes twice is done twice where there is no key.
        let again = (declared == Idempotency::Keyed && is_wild && random.once_in(5)).then_some(late);
        let says = [Answer::Done, Answer::Refused, Answer::Broken];
        match self {
            Self::Honest if is_wild && random.once_in(20) => {
                Fate { lands: None, again: None, answer: Some((soon, Answer::Refused)) }
            }
            Self::Honest => Fate { lands: Some(soon), again, answer: Some((soon + 1, Answer::Done)) },
            Self::Flaky => Fate {
                lands: (!random.once_in(4)).then_some(if random.once_in(3) { late } else { soon }),
                again,
                answer: (!random.once_in(3))
                    .then_some((late, if random.once_in(2) { Answer::Broken } else { Answer::Done })),
            },
            Self::Hostile => Fate {
                lands: random.once_in(2).then_some(late),
                again,
                answer: (!random.once_in(3))
                    .then_some((soon, says.get(random.below(3)).copied().unwrap_or(Answer::Broken))),
            },
        }
    }

    /// What is said when somebody looks; none: nothing.
    pub fn look(self, is_there: bool, random: &mut Random) -> Option<Reply> {
        match self {
            Self::Honest => Some(Reply::Saw(Some(is_there))),
            Self::Flaky | Self::Hostile => match random.below(6) {
                0 => None,
                1 => Some(Reply::Saw(None)),
                _ => Some(Reply::Saw(Some(is_there))),
            },
        }
    }
}
