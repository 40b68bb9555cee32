//! Whatever is put in, in whatever order: nothing can be done that too few have agreed to, or after its end.

use proptest::prelude::*;

use super::*;

const WHO: [&str; 8] = ["ann", "bob", "cyd", "gus", "pia", "ray", "sue", "tom"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Show(usize),
    Approve(usize, i64),
    Deny(usize),
    Revoke(usize),
    Edit,
    Expire,
    Wait(i64),
    Active(usize, bool),
    Role(usize, bool),
    Withdraw(usize, bool),
    Take,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..WHO.len();
    let step = prop_oneof![
        8 => (who.clone(), prop_oneof![Just(0), Just(60_000)]).prop_map(|(who, looked)| Step::Approve(who, looked)),
        4 => who.clone().prop_map(Step::Show),
        1 => who.clone().prop_map(Step::Deny),
        1 => who.clone().prop_map(Step::Revoke),
        1 => Just(Step::Edit),
        1 => Just(Step::Expire),
        2 => prop_oneof![Just(1), Just(15_000), Just(LIFETIME_MS / 2), Just(LIFETIME_MS)].prop_map(Step::Wait),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, is)| Step::Active(who, is)),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, is)| Step::Role(who, is)),
        2 => (who, any::<bool>()).prop_map(|(who, is)| Step::Withdraw(who, is)),
        1 => Just(Step::Take),
    ];
    prop::collection::vec(step, 0..40)
}

/// A request, a house around it, and a plain account of what happened, kept beside it.
struct Run {
    world: World,
    request: Request,
    records: Vec<Record>,
    now: i64,
    approved: BTreeSet<&'static str>,
    ended: bool,
}

impl Run {
    fn new(people: u8, roles: &[&str], decoy: bool) -> Self {
        let mut ask = ask(people, roles);
        if decoy {
            ask.matter = Matter::Decoy(Digest::of_bytes(b"plan"));
        }
        let records = vec![Request::handle_open(ask, OPENED).unwrap()];
        let request = Request::opened(&records[0]).unwrap();
        Self { world: World::new(), request, records, now: OPENED, approved: BTreeSet::new(), ended: false }
    }

    fn note(&mut self, record: Result<Record, Refusal>) -> bool {
        let Ok(record) = record else { return false };
        self.request.apply(&record).expect("what is handled applies");
        self.world.stamps.apply(&record);
        self.records.push(record);
        true
    }

    fn signed(&self, who: usize, what: What) -> Signed {
        signed(&self.request, WHO[who], what, self.now)
    }

    fn step(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::Show(who) => {
                let shown = self.request.ask().shown;
                let record = self.request.handle_show(&id(WHO[who]), &shown, &self.world.people(), now);
                self.note(record);
            }
            Step::Approve(who, looked) => {
                let signed = self.signed(who, What::Approve);
                let record = self.world.at(now, |moment| self.request.handle_approve(&signed, looked, moment));
                if self.note(record) {
                    self.approved.insert(WHO[who]);
                }
            }
            Step::Deny(who) => {
                let signed = self.signed(who, What::Deny);
                let record = self.world.at(now, |moment| self.request.handle_deny(&signed, moment));
                self.ended |= self.note(record);
            }
            Step::Revoke(who) => {
                let signed = self.signed(who, What::Revoke);
                let record = self.world.at(now, |moment| self.request.handle_revoke(&signed, moment));
                self.ended |= self.note(record);
            }
            Step::Edit => {
                let by = Actor::Machine { machine: "agent".into(), people: BTreeSet::new() };
                let record = self.request.handle_edit(&by, &Digest::of_bytes(b"edited"), now);
                self.ended |= self.note(record);
            }
            Step::Expire => {
                let record = self.request.handle_expire(now);
                self.note(record);
            }
            Step::Wait(ms) => self.now += ms,
            Step::Active(who, is) => self.world.person(WHO[who]).active = is,
            Step::Role(who, is) => {
                self.world.person(WHO[who]).roles = set(if is { &["approver", "owner"] } else { &[] })
            }
            Step::Withdraw(who, is) => self.world.person(WHO[who]).keys.values_mut().for_each(|key| key.revoked = is),
            Step::Take => {
                let record = take(&self.request, &self.world, now);
                self.ended |= self.note(record);
            }
        }
    }

    /// Whether it could be done now.
    fn can_be_taken(&self) -> bool {
        take(&self.request, &self.world, self.now).is_ok()
    }

    /// Who may be counted at most: approved, and now active, with the role, with a key, and no part in the asking.
    fn entitled(&self) -> Vec<&'static str> {
        let counts = |name: &&&str| {
            let person = &self.world.persons[&id(name)];
            person.active
                && person.roles.contains("approver")
                && person.keys.values().all(|key| !key.revoked)
                && !["ray", "gus"].contains(*name)
        };
        self.approved.iter().filter(counts).copied().collect()
    }

    fn check(&self, need: u8, roles: &[&str], decoy: bool) {
        let can = self.can_be_taken();
        let entitled = self.entitled();
        if can {
            assert!(!self.ended && self.now < OPENED + LIFETIME_MS && !decoy);
            assert!(entitled.len() >= usize::from(need), "{entitled:?}");
            for role in roles {
                let holds = |name: &&str| self.world.persons[&id(name)].roles.contains(*role);
                assert!(entitled.iter().any(holds), "{role}");
            }
        }
        // And it can be done if nothing is against it: nobody is marked by so few approvals.
        let open = !self.ended && self.now < OPENED + LIFETIME_MS && !decoy;
        assert_eq!(can, open && entitled.len() >= usize::from(need) && (roles.is_empty() || can));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_done_that_too_few_agree_to(
        steps in steps(),
        need in 1_u8..4,
        owner in any::<bool>(),
        decoy in prop::bool::weighted(0.1),
    ) {
        let roles: &[&str] = if owner { &["owner"] } else { &[] };
        let mut run = Run::new(need, roles, decoy);
        run.check(need, roles, decoy);
        for step in steps {
            run.step(step);
            run.check(need, roles, decoy);
        }
        // The same records give the same request, and the same habits.
        let json = serde_json::to_string(&run.records).unwrap();
        let records: Vec<Record> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(replay(&records).unwrap(), run.request);
        let mut stamps = Stamps::default();
        records.iter().for_each(|record| stamps.apply(record));
        prop_assert_eq!(stamps, run.world.stamps);
    }

    #[test]
    fn nothing_brings_back_what_has_ended(before in steps(), end in 0_usize..4, after in steps()) {
        let mut run = Run::new(1, &[], false);
        before.into_iter().for_each(|step| run.step(step));
        let end = [Step::Deny(1), Step::Revoke(1), Step::Edit, Step::Wait(LIFETIME_MS)][end];
        run.world.persons = World::new().persons;
        run.step(end);
        prop_assert!(!run.can_be_taken());
        for step in after {
            run.step(step);
            prop_assert!(!run.can_be_taken());
        }
        // With everyone back, with every role.
        run.world.persons = World::new().persons;
        for who in 0..WHO.len() {
            run.step(Step::Approve(who, 60_000));
            prop_assert!(!run.can_be_taken());
        }
    }

    #[test]
    fn less_never_does_more(steps in steps(), need in 1_u8..4, who in 0..WHO.len()) {
        let mut run = Run::new(need, &[], false);
        steps.into_iter().for_each(|step| run.step(step));
        let before = run.can_be_taken();
        for step in [Step::Role(who, false), Step::Withdraw(who, true), Step::Active(who, false), Step::Wait(1)] {
            run.step(step);
            prop_assert!(before || !run.can_be_taken());
        }
        // A stricter need of the gate at this moment permits no more.
        let plan = Digest::of_bytes(b"plan");
        let stricter = super::need(need + 1, &["owner"]);
        let taken = run.world.at(run.now, |moment| run.request.handle_take(&plan, &stricter, moment));
        prop_assert!(before || taken.is_err());
    }
}
