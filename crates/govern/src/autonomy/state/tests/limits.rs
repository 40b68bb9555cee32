//! Limits, replay, and what holds of any records.

use proptest::prelude::*;

use super::super::super::cell::{OUTCOMES_MAX, SHADOWS_MAX};
use super::*;

#[test]
fn the_last_choices_are_kept() {
    let mut house = House::new();
    let first = house.choose();
    let second = house.choose();
    house.judge(&second, Agree).unwrap();
    for _ in 2..SHADOWS_MAX - 1 {
        house.choose();
    }
    assert_eq!((house.cell().shadows().count(), house.cell().totals().buried), (SHADOWS_MAX - 1, 0));
    house.choose();
    assert_eq!((house.cell().shadows().count(), house.cell().totals().buried), (SHADOWS_MAX, 0));
    house.choose();
    assert_eq!((house.cell().shadows().count(), house.cell().totals().buried), (SHADOWS_MAX, 1));
    assert_eq!(house.judge(&first, Agree), Err(Refused::UnknownShadow));
    house.choose();
    assert_eq!(house.cell().totals().buried, 1, "somebody had judged the second");
    let again = Record::Chosen {
        key: key(),
        id: ShadowId("c900".to_owned()),
        versions: versions("b"),
        level: Manual,
        would: Choice::Leave,
    };
    assert_eq!(house.apply(again), Err(Refused::KnownShadow));
    assert_eq!(house.cell().totals().recorded, SHADOWS_MAX as u64 + 2);
    let shadow = house.cell().shadows().next().unwrap();
    assert_eq!((shadow.id.0.as_str(), shadow.level, &shadow.would, &shadow.judged), ("c3", Manual, &act(), &None));
}

#[test]
fn names_have_a_length() {
    let long = |bytes: usize| "x".repeat(bytes);
    for (bytes, good) in [(0, false), (1, true), (255, true), (256, true), (257, false)] {
        let name = long(bytes);
        let mut house = House::new();
        let id = house.choose();
        let other = |change: &dyn Fn(&mut Key)| {
            let mut key = key();
            change(&mut key);
            Record::CoverageMissing { key }
        };
        let chosen = |id: &str, model: &str, target: &str| Record::Chosen {
            key: key(),
            id: ShadowId(id.to_owned()),
            versions: versions(model),
            level: Manual,
            would: Choice::Act { verb: Verb::Notify, target: target.into() },
        };
        let judged = |by: &str, target: &str| Record::Judged {
            key: key(),
            id: id.clone(),
            judgement: Reverse,
            by: by.into(),
            did: Choice::Act { verb: Verb::Notify, target: target.into() },
        };
        let entitled = |tenant: &str, person: &str| Record::Entitled {
            tenant: tenant.into(),
            person: person.into(),
            key: Hex([0; 32]),
            up_to: Manual,
        };
        let records = [
            ("a tenant", other(&|key| key.tenant = name.as_str().into())),
            ("a class of alerts", other(&|key| key.class = name.as_str().into())),
            ("a choice", chosen(&name, "a", "t")),
            ("a version", chosen("i", &name, "t")),
            ("a target", chosen("j", "a", &name)),
            ("a person", judged(&name, "t")),
            ("a target", judged("cy", &name)),
            ("a tenant", entitled(&name, "p")),
            ("a person", entitled("t", &name)),
        ];
        for (what, record) in records {
            let due = if good { Ok(()) } else { Err(Refused::Name(what)) };
            let mut one = House { state: house.state.clone(), records: Vec::new(), ..House::new() };
            assert_eq!(one.apply(record.clone()), due, "{bytes} {record:?}");
        }
        if good {
            house.promote("ann", Approved).unwrap();
        }
        let lowered = house.apply(Record::Lowered { key: key(), to: Manual, by: name.as_str().into() });
        assert_eq!(lowered, if good { Ok(()) } else { Err(Refused::Name("a person")) });
    }
}

#[test]
fn what_has_no_place_is_not_taken() {
    let nobody = || "x".repeat(NAME_BYTES_MAX + 1);
    let mut elsewhere = key();
    elsewhere.class = "other".into();
    let mut nameless = key();
    nameless.tenant = nobody().as_str().into();
    let (id, would) = (ShadowId("c".to_owned()), Choice::Leave);
    let chosen = |key: &Key| Record::Chosen {
        key: key.clone(),
        id: id.clone(),
        versions: versions("a"),
        level: Manual,
        would: would.clone(),
    };
    let judged = Record::Judged {
        key: elsewhere.clone(),
        id: id.clone(),
        judgement: Agree,
        by: "cy".into(),
        did: would.clone(),
    };
    let (week, tenant) = (0, || TenantId::from("north"));
    let promised = Event::Promised { tenant: nobody().as_str().into(), week, promise: Hex([0; 32]) };
    let case = || "c1".into();
    let closed = |key: &Key| Event::Closed {
        tenant: key.tenant.clone(),
        class: key.class.clone(),
        tier: key.tier,
        case: case(),
    };
    let reviewed =
        Event::Reviewed { tenant: tenant(), week, case: case(), by: nobody().as_str().into(), missed: false };
    let mut close = key();
    close.verb = Verb::CloseCase;
    let mut house = House::new();
    for (record, due) in [
        (chosen(&nameless), Err(Refused::Name("a tenant"))),
        (judged, Err(Refused::UnknownCell)),
        (Record::Review(promised), Err(Refused::Name("a tenant"))),
        (Record::Review(closed(&close)), Err(Refused::UnknownCell)),
        (chosen(&close), Ok(())),
        (Record::Review(closed(&close)), Err(Refused::NoPromise)),
        (Record::Review(reviewed), Err(Refused::Name("a person"))),
    ] {
        assert_eq!(house.apply(record.clone()), due, "{record:?}");
    }
}

#[test]
fn cells_and_promoters_are_bounded() {
    let mut state = State::default();
    let cell = |number: usize| {
        let mut key = key();
        key.class = format!("{number}").as_str().into();
        Record::CoverageMissing { key }
    };
    for number in 0..CELLS_MAX {
        assert_eq!(state.apply(cell(number), 0), Ok(()), "{number}");
    }
    assert_eq!(state.apply(cell(CELLS_MAX), 0), Err(Refused::TooManyCells));
    assert_eq!((state.apply(cell(7), 0), state.cells().count()), (Ok(()), CELLS_MAX));
    let right = |number: usize| Record::Entitled {
        tenant: format!("t{}", number % 7).as_str().into(),
        person: format!("p{number}").as_str().into(),
        key: Hex([1; 32]),
        up_to: Approved,
    };
    for number in 0..PROMOTERS_MAX {
        assert_eq!(state.entitle_record(right(number)), Ok(()), "{number}");
    }
    assert_eq!(state.entitle_record(right(PROMOTERS_MAX)), Err(Refused::TooManyPromoters));
    assert_eq!(state.entitle_record(right(7)), Ok(()), "a new key for somebody");
}

impl State {
    fn entitle_record(&mut self, record: Record) -> Result<(), Refused> {
        self.apply(record, 0)
    }
}

#[test]
fn outcomes_are_bounded() {
    let mut house = at(Conditional);
    let text = serde_json::to_string(&house.state).unwrap();
    for (count, due) in [
        (OUTCOMES_MAX - 1, Ok(())),
        (OUTCOMES_MAX, Err(Refused::TooManyOutcomes)),
        (OUTCOMES_MAX + 1, Err(Refused::TooManyOutcomes)),
    ] {
        let before = text.replace(r#""before":{"agreed":150,"#, &format!(r#""before":{{"agreed":{},"#, count - 8));
        assert_ne!(before, text);
        house.state = serde_json::from_str(&before).unwrap();
        assert_eq!(house.counts(), (count, 0));
        let id = house.choose();
        assert_eq!(house.judge(&id, Agree), due, "{count}");
        assert_eq!(house.judge(&id, Reverse), Ok(()), "a failure is always heard");
    }
}

#[test]
fn the_records_make_the_state_again() {
    let mut house = at(HighStakes);
    house.outcomes(3, Change);
    house.model = "b";
    house.outcomes(60, Agree);
    house.outcomes(9, Reverse);
    house.apply(Record::CoverageMissing { key: key() }).unwrap();
    let text = serde_json::to_string(&house.state).unwrap();
    let mut again = State::default();
    for (number, (record, at)) in house.records.iter().enumerate() {
        let record = serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap();
        again.apply(record, *at).unwrap();
        if number % 97 == 0 {
            again = serde_json::from_str(&serde_json::to_string(&again).unwrap()).unwrap();
        }
    }
    assert_eq!(again, house.state);
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
    let mut twice: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cell = twice["cells"][0].clone();
    twice["cells"].as_array_mut().unwrap().push(cell);
    let error = serde_json::from_value::<State>(twice).unwrap_err();
    assert_eq!(error.to_string(), "a cell of autonomy stands there twice");
}

/// One thing that happens: chosen and judged, a version, coverage, a promotion, or time.
fn happenings() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0..12_u8, any::<u8>()), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_people_raise_it_and_every_part_is_a_ceiling(happenings in happenings()) {
        let mut house = House { checked: false, ..House::new() };
        for (what, number) in happenings {
            let before = house.state.cell(&key()).map_or(Manual, Cell::granted);
            let level = Level::ALL[usize::from(number) % 5];
            let mut promoted = false;
            match what {
                0..=4 => house.outcomes(usize::from(number), Agree),
                5 => house.outcomes(1, [Change, Override, Reverse][usize::from(number) % 3]),
                6 => house.model = ["a", "b"][usize::from(number) % 2],
                7 => drop(house.apply(if number > 99 { Record::CoverageRestored { key: key() } } else { Record::CoverageMissing { key: key() } })),
                8..=9 => promoted = house.promote("ann", level).is_ok(),
                10 => drop(house.apply(Record::Lowered { key: key(), to: level, by: "cy".into() })),
                _ => house.now += i64::from(number) * DAY / 4,
            }
            let after = house.state.cell(&key()).map_or(Manual, Cell::granted);
            prop_assert!(promoted == (after > before), "{what} {number}: {before:?} {after:?}");
            let standing = house.standing();
            let least = standing.parts().into_iter().map(|part| part.level).min().unwrap();
            prop_assert_eq!(standing.level, least);
            if standing.level >= Conditional {
                prop_assert!(standing.grantor.is_some());
                prop_assert!(house.cell().is_rebated(standing.level) || standing.lower >= Share::percent(95));
            }
        }
    }
}
