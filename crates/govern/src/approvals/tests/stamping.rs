//! Habits of those who approve, and what is held against them.

use super::*;

fn given(at: i64, hurried: bool) -> Given {
    Given { at, dwell_ms: if hurried { 0 } else { 20_000 }, hurried }
}

fn marks(habit: &Habit, now: i64) -> Vec<Mark> {
    habit.marks(&Rules::default(), now).into_iter().collect()
}

#[test]
fn each_threshold_is_passed_and_not_before() {
    let rules = Rules::default();
    // Hurried: more than 5 of the last 20.
    for (hurried, calm, expected) in [(5, 0, false), (6, 0, true), (6, 14, true), (6, 15, false), (7, 14, true)] {
        let mut habit = Habit::default();
        for number in 0..hurried + calm {
            habit.approve(given(number * HOUR_MS, number < hurried), false);
        }
        assert_eq!(marks(&habit, 100 * HOUR_MS).contains(&Mark::Hurried), expected, "{hurried} {calm}");
    }
    // Run: more than 50 without a denial.
    for (count, expected) in [(49, false), (50, false), (51, true)] {
        let mut habit = Habit::default();
        (0..count).for_each(|number| habit.approve(given(number * HOUR_MS, false), false));
        assert_eq!(marks(&habit, 100 * HOUR_MS), if expected { vec![Mark::Run] } else { vec![] }, "{count}");
        habit.deny(false);
        assert_eq!((marks(&habit, 100 * HOUR_MS), habit.run), (vec![], 0));
    }
    // Rate: more than 12 an hour; who gave 30 waits.
    for (count, mark, wait) in [
        (11, false, false),
        (12, false, false),
        (13, true, false),
        (29, true, false),
        (30, true, true),
        (31, true, true),
    ] {
        let mut stamps = Stamps::default();
        let mut request = open(ask(1, &[]));
        let record = approve(&mut request, &mut World::new(), "ann", LOOKED).unwrap();
        (0..count).for_each(|_| stamps.apply(&record));
        for (now, counts) in
            [(LOOKED, true), (LOOKED + HOUR_MS - 1, true), (LOOKED + HOUR_MS, false), (LOOKED - 1, true)]
        {
            assert_eq!(stamps.marks(&id("ann"), &rules, now).contains(&Mark::Rate), mark && counts, "{count} {now}");
            assert_eq!(stamps.is_throttled(&id("ann"), &rules, now), wait && counts, "{count} {now}");
        }
        assert!(
            !stamps.is_throttled(&id("bob"), &rules, LOOKED) && stamps.marks(&id("bob"), &rules, LOOKED).is_empty()
        );
    }
    // Decoys: any in 90 days.
    let mut habit = Habit::default();
    habit.approve(given(0, false), true);
    for (now, expected) in [(0, true), (DECOY_MEMORY_MS - 1, true), (DECOY_MEMORY_MS, false)] {
        assert_eq!(marks(&habit, now).contains(&Mark::Decoy), expected, "{now}");
    }
    let two = Rules { decoys_max: 1, ..Rules::default() };
    assert!(habit.marks(&two, 0).is_empty());
    habit.approve(given(0, false), true);
    assert!(habit.marks(&two, 0).contains(&Mark::Decoy));
}

#[test]
fn who_approves_too_much_waits() {
    let mut world = World::new();
    world.rules.throttle = 2;
    for (number, expected) in [(0, None), (1, None), (2, Some(Refusal::Throttled))] {
        let mut request = open(Ask { request: RequestId(format!("r-{number}")), ..ask(1, &[]) });
        let got = approve(&mut request, &mut world, "ann", LOOKED);
        assert_eq!(got.as_ref().err(), expected.as_ref());
        // Who must wait can stop all the same.
        let deny = signed(&request, "ann", What::Deny, LOOKED);
        assert!(world.at(LOOKED, |moment| request.handle_deny(&deny, moment)).is_ok());
        if let Ok(record) = got {
            world.stamps.apply(&record);
        }
    }
    assert_eq!(approve(&mut open(ask(1, &[])), &mut world, "bob", LOOKED).err(), None);
}

#[test]
fn the_approval_that_passes_the_threshold_is_marked_itself() {
    let mut world = World::new();
    world.rules.rate_max = 1;
    for expected in [vec![], vec![Mark::Rate]] {
        let mut request = open(ask(1, &[]));
        let record = approve(&mut request, &mut world, "ann", LOOKED).unwrap();
        world.stamps.apply(&record);
        let Happened::Approved(vote) = &record.what else { panic!("an approval") };
        assert_eq!(vote.marks.iter().copied().collect::<Vec<_>>(), expected);
    }
    let mut decoy = open(Ask { matter: Matter::Decoy(Digest::of_bytes(b"bad")), ..ask(1, &[]) });
    let record = approve(&mut decoy, &mut World::new(), "bob", LOOKED).unwrap();
    let Happened::Approved(vote) = &record.what else { panic!("an approval") };
    assert_eq!((vote.decoy, vote.marks.clone()), (true, [Mark::Decoy].into()));
}

#[test]
fn habits_are_counted() {
    let mut stamps = Stamps::default();
    let mut world = World::new();
    let decoy = Ask { matter: Matter::Decoy(Digest::of_bytes(b"bad")), ..ask(1, &[]) };
    for (ask, looked) in [(ask(1, &[]), 12_000), (decoy.clone(), 4_000), (ask(1, &[]), 9_000), (ask(1, &[]), 30_000)] {
        let request = open(ask);
        let signed = signed(&request, "ann", What::Approve, LOOKED);
        stamps.apply(&world.at(LOOKED, |moment| request.handle_approve(&signed, looked, moment)).unwrap());
    }
    let habit = stamps.habit(&id("ann")).unwrap();
    assert_eq!((habit.approved, habit.denied, habit.run, habit.decoys_denied), (4, 0, 4, 0));
    assert_eq!(habit.decoys_approved, [LOOKED]);
    assert_eq!((habit.hurried(20), habit.hurried(2), habit.hurried(1), habit.hurried(0)), (2, 1, 0, 0));
    let median = |window| habit.dwell_median_ms(window);
    assert_eq!(
        (median(20), median(3), median(2), median(1), median(0)),
        (Some(9_000), Some(9_000), Some(9_000), Some(30_000), None)
    );
    assert_eq!(habit.in_hour(LOOKED), 4);
    for (ask, denied, caught) in [(ask(1, &[]), 1, 0), (decoy, 2, 1)] {
        let request = open(ask);
        let deny = signed(&request, "ann", What::Deny, LOOKED);
        stamps.apply(&world.at(LOOKED, |moment| request.handle_deny(&deny, moment)).unwrap());
        let habit = stamps.habit(&id("ann")).unwrap();
        assert_eq!((habit.denied, habit.decoys_denied, habit.run), (denied, caught, 0));
    }
    // Nothing else counts, and it is read as it was written.
    let request = open(ask(1, &[]));
    let before = stamps.clone();
    let revoke = signed(&request, "bob", What::Revoke, LOOKED);
    stamps.apply(&world.at(LOOKED, |moment| request.handle_revoke(&revoke, moment)).unwrap());
    stamps.apply(&request.record(LOOKED, Happened::Expired));
    assert_eq!(stamps, before);
    assert_eq!(serde_json::from_str::<Stamps>(&serde_json::to_string(&stamps).unwrap()).unwrap(), stamps);
    world.stamps = stamps;
    assert_eq!(world.stamps.habit(&id("bob")), None);
}

#[test]
fn what_is_remembered_is_bounded() {
    for (count, kept) in [(GIVEN_MAX - 1, GIVEN_MAX - 1), (GIVEN_MAX, GIVEN_MAX), (GIVEN_MAX + 1, GIVEN_MAX)] {
        let mut habit = Habit::default();
        (0..count).for_each(|number| habit.approve(given(number as i64, false), true));
        assert_eq!((habit.given.len(), habit.decoys_approved.len(), habit.approved), (kept, kept, count as u32));
        assert_eq!(habit.given.back().map(|given| given.at), Some(count as i64 - 1));
    }
}

#[test]
fn rules_are_in_their_ranges() {
    type Change = fn(&mut Rules);
    let cases: [(Change, bool); 24] = [
        (|_| (), true),
        (|it| it.dwell_ms = -1, false),
        (|it| it.dwell_ms = 0, true),
        (|it| it.dwell_ms = DWELL_MS_MAX, true),
        (|it| it.dwell_ms = DWELL_MS_MAX + 1, false),
        (|it| (it.window, it.hurried_max) = (0, 0), false),
        (|it| (it.window, it.hurried_max) = (1, 0), true),
        (|it| it.window = GIVEN_MAX, true),
        (|it| it.window = GIVEN_MAX + 1, false),
        (|it| it.hurried_max = it.window - 1, true),
        (|it| it.hurried_max = it.window, false),
        (|it| it.run_max = RUN_MAX, true),
        (|it| it.run_max = RUN_MAX + 1, false),
        (|it| it.rate_max = GIVEN_MAX - 1, true),
        (|it| it.rate_max = GIVEN_MAX, false),
        (|it| it.decoys_max = GIVEN_MAX - 1, true),
        (|it| it.decoys_max = GIVEN_MAX, false),
        (|it| it.throttle = 0, false),
        (|it| it.throttle = 1, true),
        (|it| it.throttle = GIVEN_MAX, true),
        (|it| it.throttle = GIVEN_MAX + 1, false),
        (|it| it.decoy_rate = 0, true),
        (|it| it.decoy_rate = DECOY_RATE_MAX, true),
        (|it| it.decoy_rate = DECOY_RATE_MAX + 1, false),
    ];
    for (number, (change, good)) in cases.into_iter().enumerate() {
        let mut rules = Rules::default();
        change(&mut rules);
        assert_eq!(rules.check(), if good { Ok(()) } else { Err(Refusal::Rules) }, "{number}");
        let read = serde_json::from_str::<Rules>(&serde_json::to_string(&rules).unwrap());
        assert_eq!(read.ok(), good.then_some(rules), "{number}");
    }
}

#[test]
fn decoys_come_at_their_rate_and_as_the_seed_says() {
    let due = |seed: u8, rate: u16| {
        let rules = Rules { decoy_rate: rate, ..Rules::default() };
        (0..4_000).filter(|number| decoy_due(&[seed; 32], *number, &rules)).collect::<Vec<u64>>()
    };
    assert_eq!((due(1, 0), due(1, 200) == due(2, 200)), (vec![], false));
    for rate in [20, 200, 2_000] {
        // Within four standard deviations of what the rate says.
        let (count, mean) = (due(3, rate).len() as f64, f64::from(rate) * 0.4);
        assert!((count - mean).abs() <= 4.0 * mean.sqrt(), "{rate}: {count}");
    }
    // What is due at a low rate is due at a higher one, and an auditor finds the same: the hash by itself.
    let often = due(3, 2_000);
    assert!(due(3, 200).iter().all(|number| often.binary_search(number).is_ok()));
    let hash = Digest::of_bytes(&[b"watchfloor.decoy.v1".as_slice(), &[9; 32], &77_u64.to_be_bytes()].concat());
    let expected = u64::from_be_bytes(hash.0[..8].try_into().unwrap()) % 10_000;
    for (rate, is) in [(expected as u16, false), (expected as u16 + 1, true)] {
        assert_eq!(decoy_due(&[9; 32], 77, &Rules { decoy_rate: rate, ..Rules::default() }), is);
    }
}
