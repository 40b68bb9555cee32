//! A house that plays scripts: a saga, its connectors, its clocks, and what is durable.
use serde_json::{Value, json};
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::policy::{Answer as Says, Policy, Request};
use watchfloor_govern::state::State;
use watchfloor_govern::{ApprovedPlan, Token};
use watchfloor_model::action::Idempotency;
use watchfloor_respond::{Act, Answer, Call, Came, Moment, Order, Record, Reply, Saga};

/// 2026-03-02T12:00:00Z.
pub const BEGIN: i64 = 1_772_452_800_000;

struct Permits;

impl Policy for Permits {
    fn ask(&self, _: &Request<'_>) -> Says {
        Says::Permit(Vec::new())
    }

    fn hash(&self) -> Hash {
        Hash([0; 32])
    }
}

/// A plan: `isolate N S`, a host for some seconds; `ticket N`; `notify N`, which cannot be undone.
fn plan(actions: &[&str]) -> ApprovedPlan {
    let action = |text: &&str| {
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            ["isolate", name, lease] => {
                json!({"verb": "isolate_host", "target": format!("host:ws-{name}"), "lease": lease.parse::<u32>().unwrap()})
            }
            ["ticket", name] => {
                json!({"verb": "open_ticket", "target": format!("ticket:{name}"), "parameters": {"summary": "s"}})
            }
            ["notify", name] => {
                json!({"verb": "notify", "target": format!("recipient:{name}"), "parameters": {"text": "t"}})
            }
            _ => panic!("{text}"),
        }
    };
    let actions: Vec<Value> = actions.iter().map(action).collect();
    let plan = json!({
        "id": "p", "tenant": "t", "requester": {"person": "anna"}, "alert_class": "c", "case": "c", "actions": actions,
        "evidence": ["e"],
    });
    let hosts: Vec<Value> = (0..3).map(|number| json!({"name": format!("ws-{number}"), "tier": 3})).collect();
    let state = json!({
        "ledger": true, "policy_verified": true, "people": {"anna": {"active": true, "tenants": ["t"]}},
        "tenants": {"t": {"inventory": {"assets": {"host": hosts}}}},
        "evidence": {"e": {"tenant": "t", "case": "c", "source": "edr", "trust": "attested"}},
    });
    let plan: Plan = serde_json::from_value(plan).unwrap();
    let (mut state, _) = State::new(serde_json::from_value(state).unwrap());
    ApprovedPlan::new(plan, None, &mut state, &Permits, &[], BEGIN).unwrap()
}

/// A saga, its clocks and what is durable of it.
pub struct House {
    pub plan: ApprovedPlan,
    declared: Idempotency,
    pub saga: Saga,
    pub log: Vec<Record>,
    steady: i64,
    wall: i64,
    /// The latest moment that was seen or written: nothing is written as before it.
    latest: i64,
    halted: bool,
    pub asked: Vec<Call>,
}

impl House {
    fn new(actions: &[&str], declared: Idempotency) -> Self {
        let plan = plan(actions);
        let saga = Saga::new(plan.clone(), &|_: &Token| declared);
        let latest = i64::MIN;
        Self { plan, declared, saga, log: vec![], steady: 7, wall: BEGIN, latest, halted: false, asked: vec![] }
    }

    fn now(&mut self) -> Moment {
        self.latest = self.latest.max(self.wall);
        Moment { wall: self.wall, steady: self.steady }
    }

    fn write(&mut self, record: Record) {
        assert_eq!(record.at(), self.latest, "{record:?}");
        self.saga.apply(&record);
        self.log.push(record);
    }

    fn order(&mut self) -> String {
        let (now, halted) = (self.now(), self.halted);
        match self.saga.poll(now, halted) {
            Order::Write(record) => {
                let text = written(&record);
                self.write(record);
                text
            }
            Order::Do(call) => {
                let text = format!("do {}", named(call.act));
                self.asked.push(call);
                text
            }
            Order::Look(call) => {
                let text = format!("look {}", named(call.act));
                self.asked.push(call);
                text
            }
            Order::Pause(until) => format!("pause {}", until - self.steady),
            Order::Until(until) => format!("until {}", until - self.latest),
            Order::Halted => "halted".to_owned(),
            Order::Person(act) => format!("person {}", named(act)),
            Order::Rest => "rest".to_owned(),
        }
    }

    /// Does a line of a script; gives what was ordered instead of what should have been.
    fn line(&mut self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["stale", words @ ..] => self.answer(words, 2),
            ["did" | "saw" | "cannot", ..] => self.answer(&words, 1),
            ["after", time] => {
                let time: i64 = time.parse().unwrap();
                (self.steady, self.wall) = (self.steady + time, self.wall + time);
            }
            ["wall", time] => self.wall += time.parse::<i64>().unwrap(),
            ["halt"] => self.halted = true,
            ["lift"] => self.halted = false,
            ["crash"] => {
                let (declared, first) = (self.declared, 1_000 + self.asked.len() as u64);
                self.saga = Saga::recovered(self.plan.clone(), &|_: &Token| declared, &self.log, first);
                self.latest = self.log.iter().map(Record::at).max().unwrap_or(i64::MIN);
            }
            ["recall"] => {
                let wall = self.now().wall;
                let record = self.saga.recall("bea".into(), wall).unwrap();
                self.write(record);
            }
            ["resolve", act, is_there] => {
                let (act, is_there, wall) = (act_of(act), *is_there == "yes", self.now().wall);
                let record = self.saga.resolve(act, is_there, "bea".into(), wall).unwrap();
                assert_eq!(record, Record::Resolved { act, is_there, by: "bea".into(), at: self.latest });
                self.write(record);
            }
            _ => return Some(self.order()).filter(|found| found != line),
        }
        None
    }

    fn answer(&mut self, words: &[&str], back: usize) {
        let reply = match words {
            ["did", "done"] => Reply::Did(Answer::Done),
            ["did", "refused"] => Reply::Did(Answer::Refused),
            ["did", "broken"] => Reply::Did(Answer::Broken),
            ["saw", "yes"] => Reply::Saw(Some(true)),
            ["saw", "no"] => Reply::Saw(Some(false)),
            ["saw", "nothing"] => Reply::Saw(None),
            ["cannot", "look"] => Reply::CannotLook,
            _ => panic!("{words:?}"),
        };
        let (number, now) = (self.asked[self.asked.len() - back].number, self.now());
        self.saga.handle(number, reply, now);
    }
}

fn named(act: Act) -> String {
    format!("{}{}", act.step, if act.undo { "u" } else { "" })
}

fn act_of(name: &str) -> Act {
    Act { step: name.trim_end_matches('u').parse().unwrap(), undo: name.ends_with('u') }
}

fn written(record: &Record) -> String {
    match record {
        Record::Intent { act, .. } => format!("intent {}", named(*act)),
        Record::Started { act, attempt, .. } => format!("start {} {attempt}", named(*act)),
        Record::Came { act, came, accountable, .. } => {
            assert_eq!(accountable.as_str(), "anna");
            let came = match came {
                Came::Succeeded { verified: true } => "verified".to_owned(),
                Came::Succeeded { verified: false } => "unverified".to_owned(),
                Came::AlreadySo => "already so".to_owned(),
                Came::Failed(fault) => format!("failed {fault:?}"),
                Came::Unknown(fault) => format!("unknown {fault:?}"),
            };
            format!("came {} {came}", named(*act))
        }
        Record::Resolved { .. } | Record::Recalled { .. } => panic!("nobody orders that: {record:?}"),
    }
}

/// Plays a script.
pub fn play(actions: &[&str], declared: Idempotency, script: &str) -> House {
    let mut house = House::new(actions, declared);
    let lines: Vec<&str> = script.split(';').map(str::trim).filter(|line| !line.is_empty()).collect();
    for (number, line) in lines.iter().enumerate() {
        if let Some(found) = house.line(line) {
            panic!("{actions:?} {declared:?}\n{}\n… due: {line}\n… found: {found}", lines[..number].join("; "));
        }
    }
    house
}

pub fn play_all(table: &[(&[&str], Idempotency, &str)]) {
    table.iter().for_each(|(actions, declared, script)| _ = play(actions, *declared, script));
}
