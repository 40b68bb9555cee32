//! Promotion, demotion and what a cell goes through.

use ed25519_dalek::{Signer, SigningKey};
use watchfloor_model::action::Tier;

use super::super::bound::Share;
use super::super::cell::{REVERSAL_MS, Totals};
use super::super::standing::Mohsin;
use super::*;
use Judgement::{Agree, Change, Override, Reverse};
use Level::{Advisory, Approved, Conditional, HighStakes, Manual};

const DAY: i64 = 86_400_000;

fn key() -> Key {
    Key { tenant: "north".into(), verb: Verb::IsolateHost, class: "beacon".into(), tier: Tier::Two }
}

fn versions(model: &str) -> Versions {
    let one = || "1".to_owned();
    Versions { model: model.to_owned(), prompt: one(), rules: one(), policy: one() }
}

fn act() -> Choice {
    Choice::Act { verb: Verb::IsolateHost, target: "host:ws-7".into() }
}

/// A state, what was recorded, and a time that goes on.
struct House {
    state: State,
    records: Vec<(Record, i64)>,
    now: i64,
    choices: u64,
    model: &'static str,
    /// Whether refused records are seen to change nothing: a copy of the state for each.
    checked: bool,
}

impl House {
    fn new() -> Self {
        let mut house = Self {
            state: State::default(),
            records: Vec::new(),
            now: 400 * DAY,
            choices: 0,
            model: "a",
            checked: true,
        };
        for (person, pen, up_to) in [("ann", 1, HighStakes), ("bob", 2, Conditional)] {
            let key = Hex(SigningKey::from_bytes(&[pen; 32]).verifying_key().to_bytes());
            house.apply(Record::Entitled { tenant: "north".into(), person: person.into(), key, up_to }).unwrap();
        }
        house
    }

    fn apply(&mut self, record: Record) -> Result<(), Refused> {
        self.now += 1;
        let before = self.checked.then(|| self.state.clone());
        let result = self.state.apply(record.clone(), self.now);
        match &result {
            Ok(()) => self.records.push((record, self.now)),
            Err(_) => assert!(before.is_none_or(|before| before == self.state), "a refused record changes nothing"),
        }
        result
    }

    fn choose(&mut self) -> ShadowId {
        self.choices += 1;
        let id = ShadowId(format!("c{}", self.choices));
        let (versions, level) = (versions(self.model), self.level());
        self.apply(Record::Chosen { key: key(), id: id.clone(), versions, level, would: act() }).unwrap();
        id
    }

    fn judge(&mut self, id: &ShadowId, judgement: Judgement) -> Result<(), Refused> {
        self.apply(Record::Judged { key: key(), id: id.clone(), judgement, by: "cy".into(), did: act() })
    }

    fn outcomes(&mut self, count: usize, judgement: Judgement) {
        for _ in 0..count {
            let id = self.choose();
            self.judge(&id, judgement).unwrap();
        }
    }

    fn cell(&self) -> &Cell {
        self.state.cell(&key()).unwrap()
    }

    fn promotion(&self, by: &str, to: Level) -> Promotion {
        let cell = self.state.cell(&key());
        Promotion {
            key: key(),
            to,
            by: by.into(),
            versions: cell.and_then(|cell| cell.versions().cloned()),
            generation: cell.map_or(0, Cell::generation),
            at: self.now,
            reason: "it has earned it".to_owned(),
        }
    }

    fn promote(&mut self, by: &str, to: Level) -> Result<(), Refused> {
        self.apply(signed(self.promotion(by, to), if by == "ann" { 1 } else { 2 }))
    }

    fn standing(&self) -> Standing {
        self.state.standing(&key(), &conditions(&versions(self.model)), self.now)
    }

    fn level(&self) -> Level {
        self.standing().level
    }

    /// Level in force, level granted, and why it was last changed.
    fn is(&self) -> (Level, Level, Why) {
        (self.level(), self.cell().granted(), self.cell().moved().unwrap().why)
    }

    fn counts(&self) -> (u64, u64) {
        (self.cell().tally().agreed, self.cell().tally().failed)
    }
}

fn signed(promotion: Promotion, pen: u8) -> Record {
    let signature = Hex(SigningKey::from_bytes(&[pen; 32]).sign(&promotion.bytes()).to_bytes());
    Record::Promoted(Signed { promotion, signature })
}

fn conditions(running: &Versions) -> Conditions<'_> {
    let (half, all) = (Share::percent(50), Share::ALL);
    let mohsin = Mohsin { complexity: half, risk: half, trust: all, complexity_weight: half, risk_weight: half };
    Conditions { readiness: HighStakes, mohsin, running, ledger_reachable: true }
}

/// A house whose machine stands at a level.
fn at(level: Level) -> House {
    let mut house = House::new();
    house.outcomes(if level == HighStakes { 984 } else { 158 }, Agree);
    house.promote("ann", level).unwrap();
    assert_eq!(house.level(), level);
    house
}

#[test]
fn so_many_clean_outcomes_and_a_signature() {
    let mut house = House::new();
    assert_eq!(house.standing().level, Manual);
    house.promote("bob", Approved).unwrap();
    for (outcomes, level) in [(157, Approved), (158, Conditional), (983, Conditional), (984, HighStakes)] {
        house.outcomes(outcomes - usize::try_from(house.choices).unwrap(), Agree);
        assert_eq!(house.standing().earned.level, level, "{outcomes}");
        assert_eq!(house.level(), Approved, "nobody has promoted it");
    }
    assert_eq!(house.promote("ann", HighStakes), Ok(()));
    assert_eq!(house.is(), (HighStakes, HighStakes, Why::Granted));
    assert_eq!(
        (house.cell().grantor(), house.cell().moved().unwrap().by.as_ref()),
        (Some(&"ann".into()), Some(&"ann".into()))
    );
    let mut house = at(Conditional);
    assert_eq!(house.promote("ann", HighStakes), Err(Refused::NotEarned(Conditional)));
}

#[test]
fn a_promotion_is_refused() {
    let mut house = House::new();
    house.outcomes(157, Agree);
    assert_eq!(house.promote("ann", Conditional), Err(Refused::NotEarned(Approved)));
    house.outcomes(1, Agree);
    type Twist = fn(&mut Promotion);
    let table: [(&str, u8, Twist, Refused); 13] = [
        ("zoe", 1, |_| (), Refused::NoRight),
        ("ann", 1, |p| p.key.tenant = "south".into(), Refused::NoRight),
        ("bob", 2, |p| p.to = HighStakes, Refused::NoRight),
        ("ann", 2, |_| (), Refused::Signature),
        ("bob", 1, |_| (), Refused::Signature),
        ("ann", 1, |p| p.at -= 15 * 60_000, Refused::Expired),
        ("ann", 1, |p| p.at += 2, Refused::Expired),
        ("ann", 1, |p| p.generation += 1, Refused::Stale),
        ("ann", 1, |p| p.versions = Some(versions("b")), Refused::Stale),
        ("ann", 1, |p| p.versions = None, Refused::Stale),
        ("ann", 1, |p| p.to = Manual, Refused::NotHigher(Manual)),
        ("ann", 1, |p| p.reason.clear(), Refused::Name("a reason")),
        ("ann", 1, |p| p.to = HighStakes, Refused::NotEarned(Conditional)),
    ];
    for (number, (by, pen, twist, due)) in table.into_iter().enumerate() {
        let mut promotion = house.promotion(by, Conditional);
        twist(&mut promotion);
        assert_eq!(house.apply(signed(promotion, pen)), Err(due), "{number}");
    }
    let mut capped = house.promotion("ann", Conditional);
    (capped.key.tier, capped.versions) = (Tier::Zero, None);
    assert_eq!(house.apply(signed(capped, 1)), Err(Refused::AboveCap(Approved)));
    assert_eq!(house.cell().granted(), Manual);
    // The last moment, the furthest right, the highest level that the tier bears.
    let mut last = house.promotion("bob", Conditional);
    last.at = house.now + 1 - 15 * 60_000;
    assert_eq!(house.apply(signed(last, 2)), Ok(()));
    let mut zero = house.promotion("ann", Approved);
    (zero.key.tier, zero.versions, zero.generation) = (Tier::Zero, None, 0);
    assert_eq!(house.apply(signed(zero, 1)), Ok(()));
    house.apply(Record::Disentitled { tenant: "north".into(), person: "bob".into() }).unwrap();
    assert_eq!(house.cell().granted(), Conditional);
    assert_eq!(house.promote("bob", HighStakes), Err(Refused::NoRight));
    for (tenant, person) in [("north", "bob"), ("south", "ann")] {
        let gone = Record::Disentitled { tenant: tenant.into(), person: person.into() };
        assert_eq!(house.apply(gone), Err(Refused::NoRight));
    }
}

#[test]
fn a_signature_works_once() {
    let mut house = House::new();
    house.outcomes(158, Agree);
    let record = signed(house.promotion("ann", Conditional), 1);
    house.apply(record.clone()).unwrap();
    assert_eq!(house.apply(record.clone()), Err(Refused::Stale));
    house.apply(Record::Lowered { key: key(), to: Advisory, by: "cy".into() }).unwrap();
    assert_eq!(house.is(), (Advisory, Advisory, Why::Lowered));
    assert_eq!(house.cell().moved().unwrap().by, Some("cy".into()));
    assert_eq!(house.apply(record), Err(Refused::Stale));
    for to in [Advisory, Approved] {
        assert_eq!(house.apply(Record::Lowered { key: key(), to, by: "cy".into() }), Err(Refused::NotLower(Advisory)));
    }
}

#[test]
fn who_grants_may_not_approve_under_it() {
    let mut house = at(Conditional);
    assert_eq!(house.standing().grantor, Some("ann".into()));
    for (person, may) in [("ann", false), ("bob", true), ("cy", true)] {
        assert_eq!(house.state.may_approve(&key(), &person.into()), may, "{person}");
    }
    house.outcomes(1, Reverse);
    assert!(!house.state.may_approve(&key(), &"ann".into()), "what is left of the level is hers");
    let mut elsewhere = key();
    elsewhere.tier = Tier::Three;
    assert!(house.state.may_approve(&elsewhere, &"ann".into()));
}

#[test]
fn it_falls_by_itself_and_rises_never() {
    // Below the bar: one failure after 158 asks for 209 agreements.
    let mut house = at(Conditional);
    house.outcomes(1, Change);
    assert_eq!(house.is(), (Approved, Approved, Why::BelowBar));
    house.outcomes(50, Agree);
    assert_eq!(house.standing().earned.level, Approved);
    house.outcomes(1, Agree);
    assert_eq!((house.standing().earned.level, house.level()), (Conditional, Approved));
    house.promote("ann", Conditional).unwrap();
    assert_eq!(house.level(), Conditional);
    // From level 4 to 3 only, if that is what outcomes still bear.
    let mut house = at(HighStakes);
    house.outcomes(1, Override);
    assert_eq!(house.is(), (Conditional, Conditional, Why::BelowBar));
    assert_eq!(
        house.standing().granted.says,
        "lowered from level 4 to 3: outcomes do not reach the bar of more; only a person can raise it again"
    );
}

#[test]
fn a_reversal_counts_for_thirty_days() {
    let mut house = at(HighStakes);
    house.outcomes(1, Reverse);
    let reversed = house.now;
    assert_eq!(house.is(), (Approved, Approved, Why::Reversed));
    house.outcomes(300, Agree);
    assert_eq!(house.cell().earned(house.now), (Approved, Why::Reversed));
    for (after, level) in [(-DAY, Approved), (0, Approved), (REVERSAL_MS - 1, Approved), (REVERSAL_MS, HighStakes)] {
        assert_eq!(house.cell().earned(reversed + after).0, level, "{after}");
    }
    house.now = reversed + REVERSAL_MS - 2;
    assert_eq!(house.promote("ann", Conditional), Err(Refused::NotEarned(Approved)));
    house.promote("ann", Conditional).unwrap();
    assert_eq!(REVERSAL_MS, 2_592_000_000);
}

#[test]
fn an_agreement_can_become_a_reversal() {
    let mut house = at(Conditional);
    let (id, other, third) = (house.choose(), house.choose(), house.choose());
    house.judge(&id, Agree).unwrap();
    house.judge(&other, Override).unwrap();
    assert_eq!(house.counts(), (159, 1));
    for again in [Agree, Change, Override] {
        assert_eq!(house.judge(&id, again), Err(Refused::AlreadyJudged));
        assert_eq!(house.judge(&other, again), Err(Refused::AlreadyJudged));
    }
    house.judge(&id, Reverse).unwrap();
    assert_eq!(house.counts(), (158, 2));
    assert_eq!(house.judge(&id, Reverse), Err(Refused::AlreadyJudged));
    // It was a failure already: the reversal is no second one.
    house.judge(&other, Reverse).unwrap();
    assert_eq!((house.counts(), house.cell().earned(house.now)), ((158, 2), (Approved, Why::Reversed)));
    house.judge(&third, Change).unwrap();
    let due = Totals { recorded: 161, buried: 0, agreed: 158, changed: 1, overridden: 0, reversed: 2 };
    assert_eq!(house.cell().totals(), due);
    // Nobody agrees with what is not there; who reverses it is heard.
    let gone = ShadowId("gone".to_owned());
    assert_eq!(house.judge(&gone, Agree), Err(Refused::UnknownShadow));
    // The first is the fourth failure in a block: a drift, with which counting begins anew.
    for (judgement, failed) in [(Change, 0), (Override, 1), (Reverse, 2)] {
        house.judge(&gone, judgement).unwrap();
        assert_eq!(house.counts(), (0, failed));
    }
}

#[test]
fn another_version_is_shadow_again() {
    for (level, quarter, full) in [(Conditional, 40, 158), (HighStakes, 246, 984)] {
        let mut house = at(level);
        let old = house.choose();
        let judged = house.choose();
        house.judge(&judged, Agree).unwrap();
        house.model = "b";
        // At once, before anything of it is recorded.
        let standing = house.standing();
        assert_eq!((standing.level, standing.earned.code.as_str()), (Advisory, "autonomy.version_changed"));
        house.choose();
        assert_eq!(house.is(), (Advisory, Advisory, Why::VersionChanged));
        assert_eq!((house.counts(), house.cell().earned(house.now)), ((0, 0), (Advisory, Why::Reearning)));
        assert_eq!(house.promote("ann", Approved), Err(Refused::NotEarned(Advisory)));
        // What the old version did is an outcome of the old version, but a reversal.
        house.judge(&old, Agree).unwrap();
        assert_eq!(house.counts(), (0, 0));
        house.outcomes(39, Agree);
        assert_eq!(house.cell().earned(house.now).0, Advisory);
        house.outcomes(1, Agree);
        assert_eq!(house.cell().earned(house.now).0, Conditional);
        house.outcomes(quarter - 40, Agree);
        assert_eq!((house.cell().earned(house.now).0, house.level()), (level, Advisory));
        house.promote("ann", level).unwrap();
        assert_eq!(house.level(), level);
        house.judge(&judged, Reverse).unwrap();
        assert_eq!((house.counts(), house.is()), ((quarter as u64, 0), (Approved, Approved, Why::Reversed)));
        // Level 4 was never earned from level 3 at a quarter.
        house.now += REVERSAL_MS;
        let more = if level == Conditional { 983 - quarter } else { full - quarter };
        house.outcomes(more, Agree);
        assert_eq!(house.cell().earned(house.now).0, level);
    }
}

#[test]
fn trying_versions_until_one_is_lucky_does_not_pay() {
    let mut house = at(Conditional);
    house.model = "b";
    house.outcomes(39, Agree);
    house.model = "c";
    house.outcomes(157, Agree);
    assert_eq!(house.cell().earned(house.now).0, Approved, "b had not earned it again: c pays the full count");
    house.outcomes(1, Agree);
    assert_eq!(house.cell().earned(house.now).0, Conditional);
    house.model = "d";
    house.outcomes(40, Agree);
    assert_eq!(house.cell().earned(house.now).0, Conditional);
    house.model = "e";
    house.outcomes(40, Agree);
    assert_eq!(house.cell().earned(house.now).0, Conditional, "d had earned it again");
    assert!(house.cell().is_rebated(Conditional) && !house.cell().is_rebated(HighStakes));
    // A failure counts four times as well.
    house.outcomes(1, Override);
    assert_eq!(house.cell().earned(house.now).0, Approved);
    // A change of any of the four is a change; where nothing was earned, a person must grant level 2 again.
    for part in 0..4 {
        let mut house = House::new();
        house.outcomes(5, Agree);
        house.promote("ann", Approved).unwrap();
        let mut changed = versions("a");
        let texts = [&mut changed.model, &mut changed.prompt, &mut changed.rules, &mut changed.policy];
        texts.into_iter().nth(part).unwrap().push('x');
        let id = ShadowId("new".to_owned());
        house
            .apply(Record::Chosen { key: key(), id, versions: changed, level: Approved, would: Choice::Leave })
            .unwrap();
        assert_eq!((house.cell().granted(), house.counts()), (Advisory, (0, 0)), "{part}");
        assert_eq!(house.cell().earned(house.now), (Approved, Why::BelowBar));
    }
}

#[test]
fn drift_ends_what_was_earned() {
    // 0.05/(k(k+1)) for k = 23 full blocks is 9.1·10^-5: three failures in a block after 1,150 clean outcomes have a chance of 7.6·10^-5.
    let mut house = at(HighStakes);
    house.outcomes(1_150 - 984, Agree);
    house.outcomes(2, Change);
    assert_eq!(house.is(), (Conditional, Conditional, Why::BelowBar));
    assert_eq!(house.counts(), (1_150, 2));
    house.outcomes(1, Change);
    assert_eq!((house.is(), house.counts()), ((Approved, Approved, Why::Drift), (0, 0)));
    house.outcomes(157, Agree);
    assert_eq!(house.cell().earned(house.now).0, Approved);
    house.outcomes(1, Agree);
    assert_eq!(house.cell().earned(house.now).0, Conditional);
}

#[test]
fn drift_while_earning_again_asks_for_the_full_count() {
    let mut house = at(Conditional);
    house.model = "b";
    house.outcomes(35, Agree);
    house.outcomes(1, Override);
    house.outcomes(14, Agree);
    assert_eq!(house.cell().earned(house.now), (Advisory, Why::Reearning));
    house.outcomes(8, Override);
    assert_eq!(house.counts(), (0, 0));
    house.outcomes(157, Agree);
    assert_eq!(house.cell().earned(house.now), (Advisory, Why::Reearning));
    house.outcomes(1, Agree);
    assert_eq!(house.cell().earned(house.now).0, Conditional);
}

#[test]
fn what_is_not_seen_is_not_done_alone() {
    let mut house = at(Conditional);
    house.apply(Record::CoverageMissing { key: key() }).unwrap();
    assert_eq!(house.is(), (Approved, Approved, Why::CoverageMissing));
    assert_eq!(house.standing().earned.code, "autonomy.coverage_missing");
    assert_eq!(house.promote("ann", Conditional), Err(Refused::NotEarned(Approved)));
    house.apply(Record::CoverageRestored { key: key() }).unwrap();
    assert_eq!(
        (house.standing().earned.level, house.level()),
        (Conditional, Approved),
        "only a person can raise it again"
    );
    house.promote("ann", Conditional).unwrap();
    let mut elsewhere = key();
    elsewhere.class = "other".into();
    let restored = Record::CoverageRestored { key: elsewhere.clone() };
    assert_eq!(house.apply(restored), Err(Refused::UnknownCell));
    house.apply(Record::CoverageMissing { key: elsewhere.clone() }).unwrap();
    let standing = house.state.standing(&elsewhere, &conditions(&versions("a")), house.now);
    assert_eq!(standing.earned.code, "autonomy.coverage_missing", "also where nothing has happened yet");
}

#[test]
fn time_does_not_go_back() {
    let mut house = at(Conditional);
    house.outcomes(1, Reverse);
    let reversed = house.now;
    house.now = 0;
    house.outcomes(52, Agree);
    assert_eq!(house.cell().shadows().last().unwrap().at, reversed);
    assert_eq!(house.state.standing(&key(), &conditions(&versions("a")), 0).earned.code, "autonomy.reversed");
    house.now = reversed + REVERSAL_MS;
    house.promote("ann", Conditional).unwrap();
    assert_eq!(
        house.state.standing(&key(), &conditions(&versions("a")), 0).level,
        Conditional,
        "that was when it was promoted"
    );
}

#[test]
fn what_is_as_low_already_is_not_lowered() {
    let mut house = House::new();
    house.outcomes(5, Agree);
    house.promote("ann", Approved).unwrap();
    let (generation, moved) = (house.cell().generation(), house.cell().moved().cloned());
    // A reversal and missing coverage lower to level 2: it stands there, and what a person grants next follows on the same generation.
    house.outcomes(1, Reverse);
    house.apply(Record::CoverageMissing { key: key() }).unwrap();
    assert_eq!((house.cell().generation(), house.cell().moved().cloned()), (generation, moved));
}

mod limits;
