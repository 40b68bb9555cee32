//! Whether the simulator would tell: worlds that are tampered with, and what is found then.

use watchfloor_model::action::Verb;

use watchfloor_govern::plan::Hash;
use watchfloor_model::ids::EntityId;

use super::*;
use crate::order::Answer;
use crate::record::{Came, Fault};

/// A quiet world at its end: a domain that was blocked and a host that was isolated until their leases ended, and a ticket that stays.
fn quiet() -> World {
    let mut world = scene::with(Verb::IsolateHost, Idempotency::Queryable, Chaos::Crash { at: 0, before: true });
    for _ in 0..1_000 {
        if !world.round() {
            break;
        }
    }
    world
}

/// What is found in a quiet world that was tampered with.
fn found(tamper: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = quiet();
    tamper(&mut world);
    world.judge();
    world.survived.findings
}

fn came(step: usize, undo: bool, came: Came) -> Record {
    Record::Came { act: Act { step, undo }, came, accountable: "anna".into(), at: 0 }
}

fn resolved(step: usize, undo: bool, is_there: bool) -> Record {
    Record::Resolved { act: Act { step, undo }, is_there, by: "b1".into(), at: 0 }
}

fn is_of(record: &Record, step: usize, undo: bool) -> bool {
    matches!(record, Record::Came { act, .. } if *act == Act { step, undo })
}

#[test]
fn numbers_are_those_of_splitmix64() {
    for (seed, due) in [
        (0, [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F]),
        (1_234_567, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]),
    ] {
        let mut random = Random(seed);
        assert_eq!([random.next(), random.next(), random.next()], due);
    }
    let mut random = Random(1);
    let mut counts = [0_u32; 3];
    for _ in 0..3_000 {
        counts[random.below(3)] += 1;
    }
    assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    assert_eq!((random.below(0), random.below(1)), (0, 0));
    let once = (0..3_000).filter(|_| random.once_in(10)).count();
    assert!((250..350).contains(&once), "{once}");
}

#[test]
fn records_that_say_other_than_what_is_there_are_found() {
    let stays = "an effect did not end: block_domain";
    let nothing: Vec<&str> = Vec::new();
    let failed = || Came::Failed(Fault::Refused);
    let last_of = |step: usize, undo: bool, record: Option<Record>| {
        found(|world| {
            let log = &mut world.plans[0].log;
            log.retain(|old| !is_of(old, step, undo));
            log.extend(record);
        })
    };
    for (step, undo, record, due) in [
        (2, true, None, nothing.clone()),
        // The ticket is there.
        (2, false, None, vec!["an effect is there of which the records say None: open_ticket"]),
        (
            2,
            false,
            Some(came(2, false, Came::AlreadySo)),
            vec!["an effect is there of which the records say Some(AlreadySo): open_ticket"],
        ),
        (
            2,
            false,
            Some(came(2, false, failed())),
            vec!["an effect is there of which the records say Some(Failed(Refused)): open_ticket"],
        ),
        (
            2,
            false,
            Some(resolved(2, false, false)),
            vec!["an effect is there of which the records say Some(Failed(NotThere)): open_ticket"],
        ),
        (2, false, Some(came(2, false, Came::Unknown(Fault::NoAnswer))), nothing.clone()),
        (2, false, Some(resolved(2, false, true)), nothing.clone()),
        (
            2,
            true,
            Some(came(2, true, Came::Succeeded { verified: true })),
            vec!["an effect is there that the records call undone: open_ticket"],
        ),
        (
            2,
            true,
            Some(came(2, true, Came::AlreadySo)),
            vec!["an effect is there that the records call undone: open_ticket"],
        ),
        (2, true, Some(resolved(2, true, false)), vec!["an effect is there that the records call undone: open_ticket"]),
        (2, true, Some(came(2, true, failed())), nothing.clone()),
        // The domain is not blocked any more.
        (0, false, None, nothing.clone()),
        (0, true, None, vec![stays]),
        (0, true, Some(came(0, true, failed())), vec![stays]),
        (0, true, Some(came(0, true, Came::Failed(Fault::StillThere))), nothing.clone()),
        (0, true, Some(came(0, true, Came::Unknown(Fault::NoAnswer))), nothing.clone()),
        (0, true, Some(resolved(0, true, true)), nothing.clone()),
        (0, true, Some(resolved(0, true, false)), nothing),
        // Nothing of a plan that was given up stays that can be undone.
        (3, false, Some(Record::Recalled { by: "b1".into(), at: 0 }), vec!["an effect did not end: open_ticket"]),
        (3, false, Some(came(3, false, failed())), vec!["an effect did not end: open_ticket"]),
        (3, false, Some(came(3, false, Came::Unknown(Fault::NoAnswer))), vec!["an effect did not end: open_ticket"]),
        (3, true, Some(came(3, true, failed())), vec![]),
        (3, false, Some(came(3, false, Came::AlreadySo)), vec![]),
        (3, false, Some(resolved(3, false, false)), vec![]),
    ] {
        let text = format!("{step} {undo} {record:?}");
        assert_eq!(last_of(step, undo, record), due, "{text}");
    }
}

#[test]
fn what_a_quiet_world_went_through() {
    let mut world = quiet();
    world.judge();
    let Survived { plans, refused, calls, looks, effects, undone, crashes, lost, lies, jumps, halts, people, .. } =
        world.survived.clone();
    assert_eq!((plans, refused, calls, looks, effects, undone), (1, 0, 5, 10, 5, 2));
    assert_eq!((crashes, lost, lies, jumps, halts, people), (0, 0, 0, 0, 0, 0));
    assert_eq!((world.writes, world.survived.findings), (15, vec![]));
    // A key that had its effect once more is told; one that had none is not.
    for (count, due) in
        [(0, None), (1, None), (2, Some("an effect happened 2 times: ")), (3, Some("an effect happened 3 times: "))]
    {
        let findings = found(|world| _ = world.outside.effects.insert(Hash([7; 32]), count));
        let due: Vec<String> = due.map(|due| format!("{due}{}", Hash([7; 32]))).into_iter().collect();
        assert_eq!(findings, due);
    }
    // A seal that does not fit.
    let mut world = quiet();
    let sealed = world.plans[0].sealed.clone().open(KEY).unwrap().seal(b"other");
    (world.plans[0].sealed, world.plans[0].saga, world.plans[0].waits) = (sealed, None, Waits::Nothing);
    assert!(!world.turn(0));
    assert_eq!(world.survived.findings, ["a plan does not come back from its seal"]);
}

#[test]
fn calls_that_must_not_be_are_found() {
    let early = || scene::with(Verb::IsolateHost, Idempotency::Queryable, Chaos::Twice);
    let call = |world: &World, undo: bool| {
        let token = world.plans[0].sealed.clone().open(KEY).unwrap().tokens()[0].clone();
        let (verb, target, act) = (token.verb, token.target, Act { step: 0, undo });
        Call { number: 0, act, key: token.id, verb, target, parameters: token.parameters }
    };
    let before = "a connector was called before that was durable";
    let (halted, after) =
        ("a connector was called while things were halted", "a connector was called after the time to begin");
    let tokens_good_for = 300_000;
    for (is_started, is_halted, undo, time, due) in [
        (true, false, false, 0, vec![]),
        (true, false, false, tokens_good_for - 1, vec![]),
        (true, false, false, tokens_good_for, vec![after]),
        (true, false, true, tokens_good_for, vec![]),
        (false, false, false, 0, vec![before]),
        (true, true, false, 0, vec![halted]),
        (false, true, false, tokens_good_for, vec![before, halted, after]),
    ] {
        let mut world = early();
        assert!(world.turn(0), "its saga begins");
        let call = call(&world, undo);
        if is_started {
            world.plans[0].log.push(Record::Started { act: call.act, attempt: 1, at: 0 });
        } else {
            let act = Act { step: 0, undo: !undo };
            world.plans[0].log.push(Record::Started { act, attempt: 1, at: 0 });
        }
        (world.halted, world.time) = (is_halted, time);
        let now = world.now();
        world.call(0, call, now);
        assert_eq!(world.survived.findings, due);
        assert_eq!(world.survived.calls, 1);
    }
}

#[test]
fn the_steady_clock_begins_anew_at_each_start() {
    let mut world = quiet();
    (world.time, world.wall) = (500, 1_000);
    assert_eq!(world.now(), Moment { wall: 1_500, steady: 500 });
    world.crash();
    assert_eq!((world.now(), world.starts), (Moment { wall: 1_500, steady: 0 }, 1));
    world.time = 503;
    assert_eq!(world.now(), Moment { wall: 1_503, steady: 3 });
}

#[test]
fn a_crash_comes_before_or_behind_a_record_and_once() {
    let record = || Record::Recalled { by: "b1".into(), at: 0 };
    for (at, before, durable, crashes) in
        [(1, true, [0, 1], [1, 1]), (1, false, [1, 2], [1, 1]), (2, true, [1, 1], [0, 1]), (2, false, [1, 2], [0, 1])]
    {
        let mut world = scene::with(Verb::IsolateHost, Idempotency::Queryable, Chaos::Crash { at, before });
        let found = [(); 2].map(|()| {
            world.write(0, record());
            (world.plans[0].log.len(), world.survived.crashes)
        });
        assert_eq!(found, [(durable[0], crashes[0]), (durable[1], crashes[1])], "{at} {before}");
    }
}

#[test]
fn what_nobody_ordered_has_an_end() {
    let mut world = scene::world(3);
    (0..20_000).for_each(|_| world.incident());
    assert_eq!((world.survived.crashes, world.survived.halts, world.halted), (40, 10, false));
    assert!((200..300).contains(&world.survived.jumps), "{}", world.survived.jumps);
    // Clocks jump both ways, and not far.
    assert!(world.wall.abs_diff(1_772_452_800_000) < 100 * 3_600_000, "{}", world.wall);
}

/// Answers to questions from before a crash are not taken for others.
#[test]
fn questions_have_numbers_of_their_own_after_each_start() {
    let mut world = scene::with(Verb::IsolateHost, Idempotency::Queryable, Chaos::Twice);
    for starts in [0_u64, 1, 2, 3] {
        assert!(world.turn(0));
        let asked = world.post.pop_first().map(|(_, event)| event);
        let Some(Event::Look { call, .. }) = asked else { panic!("a look comes first") };
        assert_eq!(call.number, starts * 4_294_967_296);
        world.crash();
    }
}

#[test]
fn what_calls_come_to() {
    let target: EntityId = "host:h".into();
    let (isolate, release, ticket) = (Verb::IsolateHost, Verb::ReleaseHost, Verb::OpenTicket);
    let call = |verb: Verb, undo: bool, key: u8| {
        let (act, target, parameters) = (Act { step: 0, undo }, target.clone(), BTreeMap::new());
        Call { number: 0, act, key: Hash([key; 32]), verb, target, parameters }
    };
    let (keyed, asked, once) = (Idempotency::Keyed, Idempotency::Queryable, Idempotency::None);
    // What lands, with what was asked for; then whose it is, and how often each key had an effect.
    for (declared, lands, owner, effects) in [
        (asked, vec![], None, vec![]),
        (asked, vec![(isolate, call(isolate, false, 1))], Some(1), vec![(1, 1)]),
        (asked, vec![(isolate, call(isolate, false, 1)), (isolate, call(isolate, false, 2))], Some(1), vec![(1, 1)]),
        (once, vec![(isolate, call(isolate, false, 1)), (isolate, call(isolate, false, 1))], Some(1), vec![(1, 2)]),
        (
            once,
            vec![(isolate, call(isolate, false, 1)), (isolate, call(isolate, false, 2))],
            Some(2),
            vec![(1, 1), (2, 1)],
        ),
        (
            keyed,
            vec![
                (isolate, call(isolate, false, 1)),
                (isolate, call(release, true, 2)),
                (isolate, call(isolate, false, 1)),
            ],
            None,
            vec![(1, 1), (2, 1)],
        ),
        (
            asked,
            vec![
                (isolate, call(isolate, false, 1)),
                (isolate, call(release, true, 2)),
                (isolate, call(release, true, 2)),
            ],
            None,
            vec![(1, 1), (2, 1)],
        ),
        (asked, vec![(isolate, call(release, true, 2))], None, vec![]),
        // A verb that only undoes takes back what another one did.
        (
            asked,
            vec![(isolate, call(isolate, false, 1)), (release, call(release, false, 2))],
            None,
            vec![(1, 1), (2, 1)],
        ),
        (asked, vec![(ticket, call(ticket, false, 1))], None, vec![(1, 1)]),
    ] {
        let mut outside = Outside::default();
        lands.iter().for_each(|(done_by, call)| outside.land(call, *done_by, declared));
        let text = format!("{declared:?} {lands:?}");
        assert_eq!(outside.owner(isolate, &target), owner.map(|key| Hash([key; 32])), "{text}");
        assert_eq!(outside.is_so(isolate, &target), owner.is_some(), "{text}");
        assert_eq!(outside.is_so(release, &target), owner.is_none(), "{text}");
        let found: Vec<(u8, u32)> = outside.effects.iter().map(|(key, count)| (key.0[0], *count)).collect();
        assert_eq!(found, effects, "{text}");
    }
    let mut outside = Outside::default();
    outside.is_done_by_others(isolate, &target);
    assert_eq!((outside.owner(isolate, &target), outside.is_so(release, &target)), (Some(Hash([0; 32])), false));
    outside.is_undone_by_hand(isolate, &target);
    assert_eq!((outside.owner(isolate, &target), outside.effects.len()), (None, 0));
}

/// Each harness, for a verb between two others: 5 calls and 15 records in a run without anything wrong.
#[test]
fn harnesses_go_through_every_step() {
    let (host, note) = (Verb::IsolateHost, Verb::Notify);
    let (keyed, asked, once) = (Idempotency::Keyed, Idempotency::Queryable, Idempotency::None);
    let fail = fail_at_every_step as fn(Verb, Idempotency) -> Survived;
    let (twice, crash) = (run_every_step_twice, crash_at_every_record);
    for (name, harness, verb, declared, due) in [
        ("fail", fail, host, asked, [61, 0, 851, 281, 762, 261, 110, 0, 15, 25, 0, 0, 8]),
        ("twice", twice, host, asked, [2, 0, 30, 10, 20, 10, 4, 0, 0, 0, 0, 0, 0]),
        ("twice without a key", twice, host, once, [2, 0, 34, 10, 20, 10, 4, 0, 0, 0, 0, 0, 4]),
        ("twice with a key", twice, note, keyed, [2, 0, 24, 8, 16, 8, 2, 0, 0, 0, 0, 0, 0]),
        ("crash", crash, host, asked, [31, 0, 464, 144, 343, 144, 59, 30, 0, 0, 0, 0, 2]),
    ] {
        let all = harness(verb, declared);
        assert_eq!((all.counts().map(|(_, count)| count), all.findings), (due, vec![]), "{name}");
    }
}

#[test]
fn a_world_ends() {
    // One thing comes in each round; then nobody has anything to do.
    for (rounds, is_long) in [(ROUNDS_MAX - 1, false), (ROUNDS_MAX, false), (ROUNDS_MAX + 1, true)] {
        let mut world = quiet();
        for after in 1..=rounds as i64 {
            world.send(after, Event::Answer { plan: 7, number: 0, reply: Reply::Did(Answer::Done) });
        }
        let due: &[&str] = if is_long { &["the world does not come to rest"] } else { &[] };
        assert_eq!(world.ended().findings, due, "{rounds}");
    }
    // A plan with that many acts that may have been begun writes what came of each, and then waits for a person.
    for (turns, is_long) in [(TURNS_MAX - 1, false), (TURNS_MAX, false), (TURNS_MAX + 1, true)] {
        let mut world = quiet();
        let running = &mut world.plans[0];
        (running.saga, running.waits) = (None, Waits::Nothing);
        let started = |step| Record::Started { act: Act { step, undo: false }, attempt: 1, at: 0 };
        running.log = (10..9 + turns).map(started).collect();
        world.round();
        let due: &[&str] = if is_long { &["a plan does not come to rest"] } else { &[] };
        assert_eq!(world.survived.findings, due, "{turns}");
    }
    // Time ends after 400 days.
    for (time, goes_on) in [(34_559_999_999, true), (34_560_000_000, false), (34_560_000_001, false)] {
        let mut world = quiet();
        let after = time - world.time;
        world.send(after, Event::Answer { plan: 7, number: 0, reply: Reply::Did(Answer::Done) });
        assert_eq!((world.pass(), world.time), (goes_on, time));
    }
}

/// A seed that somebody reports is the same world for who looks into it. When worlds are changed on purpose, these figures change.
#[test]
fn a_seed_is_the_same_world_everywhere() {
    let mut all = Survived::default();
    (0..60).for_each(|seed| all.add(&run(seed)));
    let due = [
        ("plans carried out", 80),
        ("plans refused", 73),
        ("records", 518),
        ("calls", 154),
        ("looks", 593),
        ("effects", 109),
        ("undone", 36),
        ("crashes", 41),
        ("answers lost", 74),
        ("answers untrue", 22),
        ("jumps of the clock", 22),
        ("halts", 21),
        ("left to people", 33),
    ];
    assert_eq!(all.counts(), due);
}
