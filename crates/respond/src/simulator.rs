//! Worlds made of a seed, in which plans are carried out while everything goes wrong: the house crashes at every place, calls and answers are lost, late or
//! come twice, connectors lie, clocks jump, people halt things and recall plans.
//!
//! Of each world it is judged that no effect happened twice, that none happened without a start that was durable before and a plan that was approved, that
//! none is there of which the records say that it is not, that nothing was called while things were halted or after its time, and that what had
//! a lease ended, and all of what was given up.
//! The same seed makes the same world.

mod harness;
mod judge;
mod outside;
mod scene;
mod survived;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use watchfloor_govern::Sealed;
use watchfloor_govern::Token;
use watchfloor_model::action::Idempotency;

pub use self::harness::{crash_at_every_record, fail_at_every_step, run_every_step_twice};
use self::outside::{Fate, Manners, Outside};
pub use self::survived::Survived;
use crate::order::{Call, Moment, Order, Reply};
use crate::record::{Act, Record};
use crate::saga::Saga;

/// Most rounds of a world: more would be one that does not come to rest.
const ROUNDS_MAX: usize = 20_000;
/// Most turns that a plan makes in a round.
const TURNS_MAX: usize = 100;
/// Most crashes and most halts of a world that nothing in it called for.
const CRASHES_MAX: u64 = 40;
const HALTS_MAX: u64 = 10;
/// Longest time of a world, in milliseconds: 400 days.
const WORLD_MS_MAX: i64 = 400 * 86_400_000;
const MINUTE: i64 = 60_000;

/// Numbers that look random, and are the same for the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, below: usize) -> usize {
        (self.next() % below.max(1) as u64) as usize
    }

    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// One plan of a world.
struct Running {
    sealed: Sealed,
    declared: Vec<Idempotency>,
    manners: Vec<Manners>,
    /// What is durable.
    log: Vec<Record>,
    saga: Option<Saga>,
    waits: Waits,
}

/// What a plan waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Nothing,
    Steady(i64),
    Wall(i64),
    Halt,
    Person(Act),
    Rest,
}

/// What is under way.
enum Event {
    Land { plan: usize, call: Call },
    Look { plan: usize, call: Call },
    Answer { plan: usize, number: u64, reply: Reply },
}

/// What goes wrong in a world, and when.
#[derive(Clone, Copy, Debug)]
enum Chaos {
    /// Anything, at any time.
    Everything,
    /// The house crashes at one record, before or behind which it is durable.
    Crash { at: u64, before: bool },
    /// One call ends so.
    Fail { at: u64, fate: Fate },
    /// Every call arrives twice, and every answer too.
    Twice,
}

pub(crate) struct World {
    random: Random,
    chaos: Chaos,
    writes: u64,
    /// True milliseconds since the beginning.
    time: i64,
    /// When the house started last, and how often it did.
    started: i64,
    starts: u64,
    /// How far the wall clock is from the true time.
    wall: i64,
    halted: bool,
    outside: Outside,
    plans: Vec<Running>,
    post: BTreeMap<(i64, u64), Event>,
    posted: u64,
    survived: Survived,
}

/// The key with which what is kept is sealed.
const KEY: &[u8] = b"simulated";

/// Runs a world.
#[must_use]
pub fn run(seed: u64) -> Survived {
    scene::world(seed).ended()
}

impl World {
    /// Goes on until everything is at rest.
    fn ended(mut self) -> Survived {
        let mut rounds = 0;
        while self.round() {
            rounds += 1;
            if rounds > ROUNDS_MAX {
                self.survived.findings.push("the world does not come to rest".to_owned());
                break;
            }
        }
        self.judge();
        self.survived.records = self.writes;
        self.survived
    }

    fn now(&self) -> Moment {
        Moment { wall: self.time.saturating_add(self.wall), steady: self.time - self.started }
    }

    fn send(&mut self, after: i64, event: Event) {
        self.posted += 1;
        self.post.insert((self.time.saturating_add(after), self.posted), event);
    }

    /// Everything that can go on does; tells whether anything is still to come.
    fn round(&mut self) -> bool {
        if matches!(self.chaos, Chaos::Everything) {
            self.incident();
        }
        for plan in 0..self.plans.len() {
            let mut turns = 0;
            while self.turn(plan) {
                turns += 1;
                if turns > TURNS_MAX {
                    self.survived.findings.push("a plan does not come to rest".to_owned());
                    return false;
                }
            }
        }
        self.pass()
    }

    /// Things that nobody ordered.
    fn incident(&mut self) {
        if self.random.once_in(60) && self.survived.crashes < CRASHES_MAX {
            self.crash();
        }
        if self.random.once_in(80) {
            self.survived.jumps += 1;
            let by = self.random.below(2 * 3_600_000) as i64;
            self.wall += if self.random.once_in(2) { by } else { -by };
        }
        if !self.halted && self.random.once_in(100) && self.survived.halts < HALTS_MAX {
            self.halted = true;
            self.survived.halts += 1;
        } else if self.halted && self.random.once_in(10) {
            self.halted = false;
        }
        if self.random.once_in(150) {
            let plan = self.random.below(self.plans.len());
            let now = self.now();
            let recall = self.plans.get(plan).and_then(|running| running.saga.as_ref()?.recall("b2".into(), now.wall));
            if let Some(record) = recall {
                self.write(plan, record);
            }
        }
    }

    fn crash(&mut self) {
        self.survived.crashes += 1;
        self.starts += 1;
        self.started = self.time;
        self.plans.iter_mut().for_each(|running| (running.saga, running.waits) = (None, Waits::Nothing));
    }

    /// Whether the house crashes at the record at hand, before or behind that it is durable.
    fn crashes(&mut self, is_before: bool) -> bool {
        match self.chaos {
            Chaos::Everything => self.random.once_in(100),
            Chaos::Crash { at, before } => at == self.writes && before == is_before && self.survived.crashes == 0,
            Chaos::Fail { .. } | Chaos::Twice => false,
        }
    }

    /// Makes something durable, or crashes before or behind that.
    fn write(&mut self, plan: usize, record: Record) {
        self.writes += 1;
        if self.crashes(true) {
            return self.crash();
        }
        let Some(running) = self.plans.get_mut(plan) else { return };
        running.log.push(record.clone());
        if self.crashes(false) {
            return self.crash();
        }
        // A halt comes at any moment: also between a start and its call.
        if matches!(self.chaos, Chaos::Everything) && self.random.once_in(150) {
            self.survived.halts += u64::from(!self.halted);
            self.halted = true;
        }
        let Some(running) = self.plans.get_mut(plan) else { return };
        if let Some(saga) = &mut running.saga {
            saga.apply(&record);
        }
        running.waits = Waits::Nothing;
    }

    /// One step of one plan; tells whether it made one.
    fn turn(&mut self, plan: usize) -> bool {
        let (now, halted, first) = (self.now(), self.halted, self.starts << 32);
        let Some(running) = self.plans.get_mut(plan) else { return false };
        let is_waiting = match running.waits {
            Waits::Nothing => false,
            Waits::Steady(until) => now.steady < until,
            Waits::Wall(until) => now.wall < until,
            Waits::Halt => halted,
            Waits::Person(_) | Waits::Rest => true,
        };
        if is_waiting {
            return false;
        }
        if running.saga.is_none() {
            let Some(approved) = running.sealed.clone().open(KEY) else {
                self.survived.findings.push("a plan does not come back from its seal".to_owned());
                return false;
            };
            let declared = running.declared.clone();
            let of = |token: &Token| declared.get(token.action).copied().unwrap_or(Idempotency::None);
            running.saga = Some(Saga::recovered(approved, &of, &running.log, first));
        }
        let Some(saga) = &mut running.saga else { return false };
        let order = saga.poll(now, halted);
        running.waits = match &order {
            Order::Pause(until) => Waits::Steady(*until),
            Order::Until(until) => Waits::Wall(*until),
            Order::Halted => Waits::Halt,
            Order::Person(act) => Waits::Person(*act),
            Order::Rest => Waits::Rest,
            Order::Write(_) | Order::Do(_) | Order::Look(_) => Waits::Nothing,
        };
        match order {
            Order::Write(record) => self.write(plan, record),
            Order::Do(call) => self.call(plan, call, now),
            Order::Look(call) => {
                self.survived.looks += 1;
                let after = self.random.below(500) as i64;
                self.send(after, Event::Look { plan, call });
            }
            _ => {}
        }
        true
    }

    fn call(&mut self, plan: usize, call: Call, now: Moment) {
        self.survived.calls += 1;
        let Some(running) = self.plans.get(plan) else { return };
        let is_started =
            running.log.iter().any(|record| matches!(record, Record::Started { act, .. } if *act == call.act));
        let declared = running.declared.get(call.act.step).copied().unwrap_or(Idempotency::None);
        let manners = running.manners.get(call.act.step).copied().unwrap_or(Manners::Hostile);
        let token = running.saga.as_ref().and_then(|saga| saga.plan().tokens().get(call.act.step));
        let is_over = !call.act.undo && token.is_none_or(|token| now.wall >= token.expires);
        for (is_wrong, what) in [
            (!is_started, "a connector was called before that was durable"),
            (self.halted, "a connector was called while things were halted"),
            (is_over, "a connector was called after the time to begin"),
        ] {
            if is_wrong {
                self.survived.findings.push(what.to_owned());
            }
        }
        let fate = match self.chaos {
            Chaos::Fail { at, fate } if at == self.survived.calls => fate,
            _ => manners.fate(declared, &mut self.random, matches!(self.chaos, Chaos::Everything)),
        };
        let number = call.number;
        // A call that comes twice is done twice where there is no key: nobody can help that.
        let twice = matches!(self.chaos, Chaos::Twice) && declared == Idempotency::Keyed;
        let again = fate.again.or(fate.lands.filter(|_| twice));
        for after in [fate.lands, fate.lands.and(again)].into_iter().flatten() {
            self.send(after, Event::Land { plan, call: call.clone() });
        }
        match fate.answer {
            Some((after, answer)) => {
                let is_true = matches!(answer, crate::order::Answer::Done) == fate.lands.is_some();
                self.survived.lies += u64::from(!is_true);
                self.answer(plan, number, Reply::Did(answer), after);
            }
            None => self.survived.lost += 1,
        }
    }

    /// An answer, sometimes twice, sometimes very late.
    fn answer(&mut self, plan: usize, number: u64, reply: Reply, after: i64) {
        if matches!(self.chaos, Chaos::Twice) {
            self.send(after, Event::Answer { plan, number, reply });
        }
        if self.random.once_in(10) {
            let much_later = self.random.below(10 * MINUTE as usize) as i64;
            self.send(much_later, Event::Answer { plan, number, reply });
        }
        self.send(after, Event::Answer { plan, number, reply });
    }

    /// Time goes on to what comes next; tells whether anything does.
    fn pass(&mut self) -> bool {
        let (now, wall) = (self.now(), self.wall);
        let of = |waits: Waits| match waits {
            Waits::Steady(until) => Some(self.time + (until - now.steady).max(0)),
            Waits::Wall(until) => Some(until.saturating_sub(wall)),
            Waits::Nothing => Some(self.time),
            Waits::Halt | Waits::Person(_) | Waits::Rest => None,
        };
        let first_wait = self.plans.iter().filter_map(|running| of(running.waits)).min();
        let first_post = self.post.first_key_value().map(|((time, _), _)| *time);
        let Some(next) = first_wait.into_iter().chain(first_post).min() else { return self.people() };
        self.time = self.time.max(next);
        while let Some(entry) = self.post.first_entry().filter(|entry| entry.key().0 <= self.time) {
            let event = entry.remove();
            self.happen(event);
        }
        self.time < WORLD_MS_MAX
    }

    /// Nothing goes on by itself any more: people lift the halt, or say how things stand.
    fn people(&mut self) -> bool {
        let mut goes_on = std::mem::take(&mut self.halted);
        for plan in 0..self.plans.len() {
            let now = self.now();
            let Some(running) = self.plans.get(plan) else { continue };
            let (Waits::Person(act), Some(saga)) = (running.waits, &running.saga) else { continue };
            let Some(token) = saga.plan().tokens().get(act.step) else { continue };
            let is_there = self.outside.is_so(token.verb, &token.target);
            // What a person cannot undo either they leave.
            let record = saga.resolve(act, is_there && !act.undo, "b1".into(), now.wall);
            if let Some(record) = record {
                self.survived.people += 1;
                goes_on = true;
                if act.undo && is_there {
                    self.outside.is_undone_by_hand(token.verb, &token.target.clone());
                }
                self.write(plan, record);
            }
        }
        goes_on || self.plans.iter().any(|running| running.saga.is_none())
    }

    fn happen(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Land { plan, call } => {
                let Some(running) = self.plans.get(plan) else { return };
                let declared = running.declared.get(call.act.step).copied().unwrap_or(Idempotency::None);
                let Some(approved) = running.sealed.clone().open(KEY) else { return };
                let Some(token) = approved.tokens().get(call.act.step) else { return };
                self.outside.land(&call, token.verb, declared);
            }
            Event::Look { plan, call } => {
                let Some(running) = self.plans.get(plan) else { return };
                let step = call.act.step;
                let manners = running.manners.get(step).copied().unwrap_or(Manners::Hostile);
                let is_there = self.outside.is_so(call.verb, &call.target);
                let reply = match running.declared.get(step) {
                    None | Some(Idempotency::None) => Some(Reply::CannotLook),
                    Some(_) => manners.look(is_there, &mut self.random),
                };
                let after = self.random.below(500) as i64;
                match reply {
                    Some(reply) => self.answer(plan, call.number, reply, after),
                    None => self.survived.lost += 1,
                }
            }
            Event::Answer { plan, number, reply } => {
                if let Some(running) = self.plans.get_mut(plan)
                    && let Some(saga) = &mut running.saga
                {
                    saga.handle(number, reply, now);
                    if matches!(running.waits, Waits::Steady(_)) {
                        running.waits = Waits::Nothing;
                    }
                }
            }
        }
    }
}
