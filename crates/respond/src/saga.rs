//! One plan, carried out.
//!
//! Each act goes `waiting → intent → started → succeeded | already so | failed | unknown`. Intent and start are durable before the connector is called, so
//! that after a crash an act without a start was certainly not called, and one with a start perhaps was. What then happens depends on what the connector
//! declares:
//!
//! | declared | after a call without an answer |
//! |---|---|
//! | keyed | it is called again with the same key, at most [`ATTEMPTS_MAX`] times |
//! | queryable | after [`SETTLE_MS`] it is asked whether the effect is there; it is never called again |
//! | none | nobody knows: a person looks, and it is never called again |
//!
//! Before an act its effect is looked for: what is there already is not ours, and is not undone. After it, it is looked for too: an answer alone counts only
//! where nobody can look. Steps follow each other, so the first is done and verified before the second begins. When one fails, or nobody knows, those before
//! it are undone, the last first. What has a lease is undone at its end.
//!
//! While things are halted no connector is called, to do or to undo; asking goes on.

use std::collections::BTreeMap;

use watchfloor_govern::plan::Hash;
use watchfloor_govern::{ApprovedPlan, Token};
use watchfloor_model::action::Idempotency;
use watchfloor_model::ids::PersonId;

use crate::order::{Answer, Call, Moment, Order, Reply, Standing};
use crate::record::{Act, Came, Fault, Record};

/// Most calls of a keyed connector for one act.
pub const ATTEMPTS_MAX: u32 = 5;
/// Most times that an effect is looked for before nobody knows.
pub const LOOKS_MAX: u32 = 5;
/// How long an answer is waited for, in milliseconds.
pub const ANSWER_MS: i64 = 30_000;
/// How long a call without an answer may still have its effect, in milliseconds: connectors are held to it.
pub const SETTLE_MS: i64 = 120_000;
/// How long is waited between two looks, or two calls, in milliseconds.
pub const PAUSE_MS: i64 = 5_000;

/// What is being waited for; it is lost in a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flight {
    Doing,
    Looking,
}

/// What is known of the connector since the last start of the house; lost in a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phone {
    /// It may have been called before, or not.
    #[default]
    Unclear,
    /// The start was just written: nobody was called.
    Ready,
    /// It said this; none: nothing.
    Said(Option<Answer>),
}

/// What a look has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    There,
    Absent,
    /// Nobody can look.
    Blind,
    /// It was looked so often that it is given up.
    Nothing,
}

/// The act at hand, as far as it is known since the last start of the house.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hand {
    act: Option<Act>,
    phone: Phone,
    seen: Option<Seen>,
    /// When that was asked: what came after it was not seen.
    asked_at: i64,
    /// How often the effect was not as it should be, and how often nobody could say.
    looks: u32,
    blanks: u32,
    /// Nothing before this moment of the steady clock.
    not_before: i64,
    /// A call without an answer has its effect before this moment or not at all.
    settled_at: Option<i64>,
    /// The question that an answer is waited for, its number, and since when.
    flight: Option<(Flight, u64, i64)>,
}

/// One plan, carried out.
#[derive(Clone, Debug)]
pub struct Saga {
    plan: ApprovedPlan,
    /// What the connectors of each step declare.
    declared: Vec<Idempotency>,
    acts: BTreeMap<Act, Standing>,
    /// Not all of it is done any more: something failed, or a person wants it undone.
    abandoned: bool,
    recalled: bool,
    hand: Hand,
    next_number: u64,
    /// Time does not go back.
    latest: i64,
}

impl Saga {
    /// Begins. What connectors declare can only be less than what their verbs are held to.
    #[must_use]
    pub fn new(plan: ApprovedPlan, declared: &dyn Fn(&Token) -> Idempotency) -> Self {
        let weaker = |token: &Token| declared(token).max(token.idempotency());
        let declared = plan.tokens().iter().map(weaker).collect();
        Self {
            plan,
            declared,
            acts: BTreeMap::new(),
            abandoned: false,
            recalled: false,
            hand: Hand::default(),
            next_number: 0,
            latest: i64::MIN,
        }
    }

    /// Goes on after a start of the house, from what was written. Answers to questions from before are not waited for.
    #[must_use]
    pub fn recovered(
        plan: ApprovedPlan,
        declared: &dyn Fn(&Token) -> Idempotency,
        records: &[Record],
        first_number: u64,
    ) -> Self {
        let mut saga = Self::new(plan, declared);
        saga.next_number = first_number;
        records.iter().for_each(|record| saga.apply(record));
        saga.hand = Hand::default();
        saga
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &ApprovedPlan {
        &self.plan
    }

    /// How an act stands.
    #[must_use]
    pub fn standing(&self, act: Act) -> &Standing {
        self.acts.get(&act).unwrap_or(&Standing::Waiting)
    }

    /// Takes what was written and is durable.
    pub fn apply(&mut self, record: &Record) {
        self.latest = self.latest.max(record.at());
        let (act, standing) = match record {
            Record::Intent { act, .. } => (act, Standing::Intended),
            Record::Started { act, attempt, at } => {
                // What was seen before the first call still says what was there before it.
                let seen = self.hand.seen.filter(|_| *attempt == 1);
                self.hand = Hand { act: Some(*act), phone: Phone::Ready, seen, ..Hand::default() };
                (act, Standing::Started { attempts: *attempt, at: *at })
            }
            Record::Came { act, came, at, .. } => {
                let went_wrong = matches!(came, Came::Failed(_) | Came::Unknown(_));
                self.abandoned |= went_wrong && !act.undo;
                (act, Standing::Settled { came: came.clone(), at: *at })
            }
            Record::Resolved { act, is_there, at, .. } => {
                let came = match *is_there != act.undo {
                    true => Came::Succeeded { verified: true },
                    false => Came::Failed(if act.undo { Fault::StillThere } else { Fault::NotThere }),
                };
                (act, Standing::Settled { came, at: *at })
            }
            Record::Recalled { .. } => {
                (self.abandoned, self.recalled) = (true, true);
                return;
            }
        };
        self.acts.insert(*act, standing);
    }

    /// What a person who has looked says of an act that nobody knew about.
    #[must_use]
    pub fn resolve(&self, act: Act, is_there: bool, by: PersonId, now: i64) -> Option<Record> {
        is_open(self.standing(act)).then_some(Record::Resolved { act, is_there, by, at: now.max(self.latest) })
    }

    /// A person wants all of it undone.
    #[must_use]
    pub fn recall(&self, by: PersonId, now: i64) -> Option<Record> {
        (!self.recalled).then_some(Record::Recalled { by, at: now.max(self.latest) })
    }

    /// What is to be done next.
    pub fn poll(&mut self, now: Moment, halted: bool) -> Order {
        let now = self.at(now);
        let act = match self.next(now.wall) {
            Next::Act(act) => act,
            Next::Until(until) => return Order::Until(until),
            Next::Person(act) => return Order::Person(act),
            Next::Rest => return Order::Rest,
        };
        if self.hand.act != Some(act) {
            // What was seen to be there may have been somebody else's, and our call still to come: nothing is undone before it cannot come any more.
            let not_before = if act.undo { now.steady.saturating_add(SETTLE_MS) } else { 0 };
            self.hand = Hand { act: Some(act), not_before, ..Hand::default() };
        }
        if let Some((flight, _, since)) = self.hand.flight {
            let until = since.saturating_add(ANSWER_MS);
            if now.steady < until {
                return Order::Pause(until);
            }
            self.landed((flight, since), None, now);
        }
        if now.steady < self.hand.not_before {
            return Order::Pause(self.hand.not_before);
        }
        match *self.standing(act) {
            Standing::Waiting => self.waiting(act, now, halted),
            Standing::Intended => self.intended(act, now, halted),
            Standing::Started { attempts, .. } => self.started(act, attempts, now, halted),
            Standing::Settled { .. } => Order::Rest,
        }
    }

    /// Takes what a connector says. An answer to a question that is not waited for any more changes nothing.
    pub fn handle(&mut self, number: u64, reply: Reply, now: Moment) {
        let now = self.at(now);
        let Some((flight, waited, since)) = self.hand.flight else { return };
        let fits = matches!(
            (flight, reply),
            (Flight::Doing, Reply::Did(_)) | (Flight::Looking, Reply::Saw(_) | Reply::CannotLook)
        );
        if waited == number && fits {
            self.landed((flight, since), Some(reply), now);
        }
    }

    /// A moment that is not before another one.
    fn at(&mut self, now: Moment) -> Moment {
        self.latest = self.latest.max(now.wall);
        Moment { wall: self.latest, ..now }
    }

    fn landed(&mut self, (flight, since): (Flight, i64), reply: Option<Reply>, now: Moment) {
        let hand = &mut self.hand;
        (hand.flight, hand.asked_at) = (None, since);
        match (flight, reply) {
            (Flight::Doing, Some(Reply::Did(answer))) => hand.phone = Phone::Said(Some(answer)),
            (Flight::Doing, _) => hand.phone = Phone::Said(None),
            (Flight::Looking, Some(Reply::Saw(Some(is_there)))) => {
                hand.seen = Some(if is_there { Seen::There } else { Seen::Absent });
            }
            (Flight::Looking, Some(Reply::CannotLook)) => hand.seen = Some(Seen::Blind),
            (Flight::Looking, _) => {
                hand.blanks += 1;
                hand.seen = (hand.blanks >= LOOKS_MAX).then_some(Seen::Nothing);
                hand.not_before = now.steady.saturating_add(PAUSE_MS);
            }
        }
        if flight == Flight::Doing {
            (hand.seen, hand.blanks) = (None, 0);
            hand.settled_at = Some(now.steady.saturating_add(SETTLE_MS));
            if hand.phone != Phone::Said(Some(Answer::Done)) {
                hand.not_before = now.steady.saturating_add(PAUSE_MS);
            }
        }
    }

    fn waiting(&mut self, act: Act, now: Moment, halted: bool) -> Order {
        if self.is_over(act, now) {
            return self.came(act, Came::Failed(Fault::Expired), now);
        }
        match self.hand.seen {
            None => self.look(act, now),
            Some(seen) if seen == wanted(act) => self.came(act, Came::AlreadySo, now),
            Some(_) if halted => self.halted(),
            Some(_) => Order::Write(Record::Intent { act, at: now.wall }),
        }
    }

    /// Nothing goes on while things are halted, and that may be long: what was seen before says nothing after it.
    fn halted(&mut self) -> Order {
        self.hand.seen = None;
        Order::Halted
    }

    fn intended(&mut self, act: Act, now: Moment, halted: bool) -> Order {
        match (self.may_not_begin(act, now), self.hand.seen) {
            (Some(fault), _) => self.came(act, Came::Failed(fault), now),
            // Nobody was called: what is there is not ours.
            (None, None) => self.look(act, now),
            (None, Some(seen)) if seen == wanted(act) => self.came(act, Came::AlreadySo, now),
            (None, Some(_)) if halted => self.halted(),
            (None, Some(_)) => Order::Write(Record::Started { act, attempt: 1, at: now.wall }),
        }
    }

    fn started(&mut self, act: Act, attempts: u32, now: Moment, halted: bool) -> Order {
        match self.hand.phone {
            Phone::Ready => match self.may_not_begin(act, now) {
                // Nobody was called, this time and before.
                Some(fault) if attempts == 1 => self.came(act, Came::Failed(fault), now),
                Some(_) => {
                    self.hand.phone = Phone::Unclear;
                    Order::Pause(now.steady)
                }
                None if halted && attempts == 1 => self.halted(),
                None if halted => Order::Halted,
                // Nobody was called before this start, so what is there now is not ours.
                None if attempts == 1 && self.hand.seen.is_none() => self.look(act, now),
                None if attempts == 1 && self.hand.seen == Some(wanted(act)) => self.came(act, Came::AlreadySo, now),
                None => self.question(act, Flight::Doing, now).map_or(Order::Rest, Order::Do),
            },
            Phone::Said(Some(said @ (Answer::Done | Answer::Refused))) => self.conclude(act, Some(said), now),
            Phone::Said(Some(Answer::Broken) | None) | Phone::Unclear => self.unclear(act, attempts, now, halted),
        }
    }

    /// The connector may have been called, and what it did is not known.
    fn unclear(&mut self, act: Act, attempts: u32, now: Moment, halted: bool) -> Order {
        let declared = self.declared.get(act.step).copied().unwrap_or(Idempotency::None);
        if declared == Idempotency::None {
            return self.came(act, Came::Unknown(Fault::NoAnswer), now);
        }
        let again = declared == Idempotency::Keyed && attempts < ATTEMPTS_MAX && self.may_not_begin(act, now).is_none();
        match again {
            true if halted => Order::Halted,
            true => Order::Write(Record::Started { act, attempt: attempts + 1, at: now.wall }),
            false => self.conclude(act, None, now),
        }
    }

    /// The effect is looked for until it is there, or until it cannot come any more.
    fn conclude(&mut self, act: Act, said: Option<Answer>, now: Moment) -> Order {
        let settled_at = *self.hand.settled_at.get_or_insert(now.steady.saturating_add(SETTLE_MS));
        match self.hand.seen {
            None => self.look(act, now),
            Some(seen) if seen == wanted(act) => self.came(act, Came::Succeeded { verified: true }, now),
            // That something was undone is not believed: a person looks.
            Some(Seen::Blind) if said == Some(Answer::Done) && !act.undo => {
                self.came(act, Came::Succeeded { verified: false }, now)
            }
            Some(Seen::Blind | Seen::Nothing) => self.came(act, Came::Unknown(Fault::CannotTell), now),
            // An answer may take its time: what counts is when it was looked.
            Some(_) if self.hand.asked_at < settled_at => {
                let hand = &mut self.hand;
                (hand.seen, hand.looks) = (None, hand.looks + 1);
                let soon = now.steady.saturating_add(PAUSE_MS);
                hand.not_before = if hand.looks < LOOKS_MAX { soon.min(settled_at) } else { settled_at };
                Order::Pause(hand.not_before)
            }
            Some(_) if act.undo => self.came(act, Came::Failed(Fault::StillThere), now),
            Some(_) if said == Some(Answer::Refused) => self.came(act, Came::Failed(Fault::Refused), now),
            Some(_) => self.came(act, Came::Failed(Fault::NotThere), now),
        }
    }

    fn came(&self, act: Act, came: Came, now: Moment) -> Order {
        Order::Write(Record::Came { act, came, accountable: self.plan.accountable().clone(), at: now.wall })
    }

    fn look(&mut self, act: Act, now: Moment) -> Order {
        self.question(act, Flight::Looking, now).map_or(Order::Rest, Order::Look)
    }

    fn question(&mut self, act: Act, flight: Flight, now: Moment) -> Option<Call> {
        let token = self.plan.tokens().get(act.step)?;
        let number = self.next_number;
        self.next_number += 1;
        self.hand.flight = Some((flight, number, now.steady));
        let is_undone = act.undo && flight == Flight::Doing;
        Some(Call {
            number,
            act,
            key: if act.undo { Hash::of(&(token.id, "undo")) } else { token.id },
            verb: if is_undone { token.inverse? } else { token.verb },
            target: token.target.clone(),
            parameters: token.parameters.clone(),
        })
    }

    /// Whether the time to begin is over. To undo there is always time.
    fn is_over(&self, act: Act, now: Moment) -> bool {
        !act.undo && self.plan.tokens().get(act.step).is_none_or(|token| now.wall >= token.expires)
    }

    /// Why an act must not begin that has not begun.
    fn may_not_begin(&self, act: Act, now: Moment) -> Option<Fault> {
        match (self.is_over(act, now), self.recalled && !act.undo) {
            (_, true) => Some(Fault::Recalled),
            (true, false) => Some(Fault::Expired),
            (false, false) => None,
        }
    }

    /// Acts of which a person must say how they stand.
    pub fn open(&self) -> impl Iterator<Item = Act> + '_ {
        self.acts.iter().filter(|(_, standing)| is_open(standing)).map(|(act, _)| *act)
    }

    fn next(&self, now: i64) -> Next {
        let begun =
            |(_, standing): &(&Act, &Standing)| matches!(standing, Standing::Intended | Standing::Started { .. });
        if let Some((act, _)) = self.acts.iter().find(begun) {
            return Next::Act(*act);
        }
        let mut wait: Option<i64> = None;
        for (step, token) in self.plan.tokens().iter().enumerate().rev() {
            let (act, undo) = (Act { step, undo: false }, Act { step, undo: true });
            let Standing::Settled { came: Came::Succeeded { .. }, at } = self.standing(act) else { continue };
            if token.inverse.is_none() || matches!(self.standing(undo), Standing::Settled { .. }) {
                continue;
            }
            let ends = token.lease.map(|lease| at.saturating_add(lease));
            if self.abandoned || ends.is_some_and(|ends| ends <= now) {
                return Next::Act(undo);
            }
            wait = wait.into_iter().chain(ends).min();
        }
        let steps = (0..self.plan.tokens().len()).map(|step| Act { step, undo: false });
        let to_do = steps.filter(|_| !self.abandoned).find(|act| *self.standing(*act) == Standing::Waiting);
        match (to_do, wait, self.open().next()) {
            (Some(act), ..) => Next::Act(act),
            (None, Some(until), _) => Next::Until(until),
            (None, None, Some(act)) => Next::Person(act),
            (None, None, None) => Next::Rest,
        }
    }
}

/// What a look shows when an act has had its effect.
fn wanted(act: Act) -> Seen {
    if act.undo { Seen::Absent } else { Seen::There }
}

fn is_open(standing: &Standing) -> bool {
    matches!(standing, Standing::Settled { came: Came::Unknown(_) | Came::Failed(Fault::StillThere), .. })
}

/// Which act is next.
enum Next {
    Act(Act),
    Until(i64),
    Person(Act),
    Rest,
}
