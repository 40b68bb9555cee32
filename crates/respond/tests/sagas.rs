//! What a saga orders, step by step. Each row is a plan, what its connectors declare, and a script: what happens, and what is ordered then.
//!
//! | in a script | is |
//! |---|---|
//! | `did done`, `saw yes`, `saw nothing`, `cannot look` | the connector answers the last question |
//! | `stale …` | it answers the question before |
//! | `after N` | N milliseconds go by; `wall N`: the clock that people set jumps |
//! | `halt`, `lift`, `crash`, `recall` | things are halted, or not any more; the house crashes; a person wants all undone |
//! | `resolve A yes` | a person has looked: the effect of an act is there |
//! | all else | what is ordered now; a write is made durable at once. `1u` is the undoing of action 1 |

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod house;

use watchfloor_govern::plan::Hash;
use watchfloor_model::action::Idempotency::{Keyed, None as Once, Queryable};
use watchfloor_model::action::Verb;
use watchfloor_respond::{Act, Came, Fault, Record, Standing};

use house::{BEGIN, play, play_all};

const HOST: &[&str] = &["isolate 1 3600"];
const TICKET: &[&str] = &["ticket 1"];
const NOTE: &[&str] = &["notify 1"];

/// A first act that is done and verified.
const DONE_0: &str = "look 0; saw no; intent 0; start 0 1; do 0; did done; look 0; saw yes; came 0 verified;";

#[test]
fn an_act_and_its_undoing() {
    play_all(&[
        (NOTE, Keyed, &format!("{DONE_0} rest; rest")),
        (TICKET, Keyed, &format!("{DONE_0} rest")),
        // What has a lease is undone at its end, when our own call cannot come any more.
        (
            HOST,
            Queryable,
            &format!(
                "{DONE_0} until 3600000; after 3599999; until 1; after 1; pause 120000; after 119999; pause 1; after 1; look 0u; saw yes;
                 intent 0u; start 0u 1; do 0u; did done; look 0u; saw no; came 0u verified; rest"
            ),
        ),
        // What is there already is not ours, and is not undone; what is gone already needs no undoing.
        (HOST, Queryable, "look 0; saw yes; came 0 already so; rest; recall; rest"),
        (
            HOST,
            Queryable,
            &format!("{DONE_0} after 3600000; pause 120000; after 120000; look 0u; saw no; came 0u already so; rest"),
        ),
        // Steps follow each other, and each lease has its own end.
        (
            &["isolate 1 600", "isolate 2 300"],
            Queryable,
            &format!(
                "{DONE_0} look 1; saw no; intent 1; start 1 1; do 1; did done; look 1; saw yes; after 1; came 1 verified; until 300000;
                 after 300000; pause 120000; after 120000; look 1u; saw no; came 1u already so; until 179999; after 179998; until 1;
                 after 1; pause 120000; after 120000; look 0u; saw no; came 0u already so; rest"
            ),
        ),
        (&["isolate 1 300", "isolate 2 600"], Queryable, &format!("{DONE_0} look 1; saw yes; came 1 already so; until 300000")),
    ]);
}

#[test]
fn no_answer() {
    let begun = "look 0; saw no; intent 0; start 0 1; do 0;";
    let lost = "pause 30000; after 29999; pause 1; after 1; pause 5000; after 4999; pause 1; after 1;";
    let again = |attempt: u32| format!("did broken; pause 5000; after 5000; start 0 {attempt}; do 0;");
    let five: String = (2..=5).map(again).collect();
    let four_looks = "look 0; saw no; pause 5000; after 5000;".repeat(4);
    play_all(&[
        // It is looked for, less and less often, until it cannot come any more.
        (
            HOST,
            Queryable,
            &format!(
                "{begun} {lost} {four_looks} look 0; saw no; pause 95000; after 94999; pause 1; after 1; look 0; saw no; came 0 failed NotThere; rest"
            ),
        ),
        (
            HOST,
            Queryable,
            &format!(
                "{begun} {lost} look 0; saw no; pause 5000; after 5000; look 0; saw yes; came 0 verified; until 3600000"
            ),
        ),
        (
            HOST,
            Queryable,
            &format!(
                "{begun} did broken; after 119999; look 0; saw no; pause 1; after 1; look 0; saw yes; came 0 verified"
            ),
        ),
        (
            HOST,
            Queryable,
            &format!(
                "{begun} did refused; pause 5000; after 116000; look 0; saw no; pause 4000; after 4000; look 0; saw no; came 0 failed Refused"
            ),
        ),
        (HOST, Queryable, &format!("{begun} did done; after 120000; look 0; saw no; came 0 failed NotThere")),
        // What was looked at before that counts for nothing, however late the answer comes, or is read.
        (
            HOST,
            Queryable,
            &format!(
                "{begun} did refused; after 119999; look 0; after 1; saw no; pause 0; look 0; saw yes; came 0 verified"
            ),
        ),
        (
            HOST,
            Queryable,
            &format!(
                "{begun} did refused; after 5000; look 0; saw no; after 600000; pause -485000; look 0; saw no; came 0 failed Refused"
            ),
        ),
        // A keyed one is called again, at most five times.
        (NOTE, Keyed, &format!("{begun} {lost} start 0 2; do 0; did done; look 0; saw yes; came 0 verified")),
        (NOTE, Keyed, &format!("{begun} {five} did broken; pause 5000; after 5000; look 0; saw yes; came 0 verified")),
        // Where nobody can ask nobody knows.
        (NOTE, Once, &format!("{begun} {lost} came 0 unknown NoAnswer; person 0; resolve 0 no; rest")),
        (
            TICKET,
            Once,
            &format!(
                "{begun} did broken; after 5000; came 0 unknown NoAnswer; person 0; resolve 0 yes; pause 120000; after 120000; look 0u"
            ),
        ),
        (NOTE, Once, &format!("{begun} did done; look 0; cannot look; came 0 unverified; rest")),
        (
            NOTE,
            Once,
            &format!("{begun} did refused; after 5000; look 0; cannot look; came 0 unknown CannotTell; person 0"),
        ),
        // No connector is better than what its verb is held to.
        (HOST, Keyed, &format!("{begun} {lost} look 0")),
    ]);
}

#[test]
fn looks_without_an_answer() {
    let blank = "look 0; saw nothing; pause 5000; after 5000;";
    let (four, begun) = (blank.repeat(4), "look 0; saw no; intent 0; start 0 1; do 0; did done;");
    play_all(&[
        (HOST, Queryable, &format!("{four} look 0; saw nothing; pause 5000; after 5000; intent 0")),
        (HOST, Queryable, &format!("{four} look 0; saw yes; came 0 already so")),
        (
            HOST,
            Queryable,
            &format!("{begun} {four} look 0; saw nothing; pause 5000; after 5000; came 0 unknown CannotTell; person 0"),
        ),
        (HOST, Queryable, &format!("{begun} {four} look 0; saw yes; came 0 verified")),
        (
            HOST,
            Queryable,
            "look 0; pause 30000; after 30000; pause 5000; after 4999; pause 1; after 1; look 0; stale saw yes; pause 30000; saw no; intent 0",
        ),
        // What does not answer the question changes nothing; nor does an answer after that.
        (
            HOST,
            Queryable,
            "look 0; did done; pause 30000; saw no; saw yes; intent 0; start 0 1; do 0; saw yes; cannot look; pause 30000; did done; did broken; look 0",
        ),
    ]);
}

#[test]
fn halted() {
    play_all(&[
        (
            HOST,
            Queryable,
            "halt; look 0; saw no; halted; lift; look 0; saw no; intent 0; halt; halted; lift; look 0; saw no; start 0 1; halt; halted; lift; look 0; saw no;
             do 0; halt; did done; look 0; saw yes; came 0 verified; after 3600000; pause 120000; after 120000; look 0u; saw yes; halted; lift; look 0u; saw yes;
             intent 0u; halt; halted",
        ),
        // What somebody else has done during a halt is not ours, wherever it came in between.
        (HOST, Queryable, "halt; look 0; saw no; halted; lift; look 0; saw yes; came 0 already so; rest"),
        (HOST, Queryable, "look 0; saw no; intent 0; halt; halted; lift; look 0; saw yes; came 0 already so; rest"),
        (HOST, Queryable, "look 0; saw no; intent 0; start 0 1; halt; halted; lift; look 0; saw yes; came 0 already so; rest"),
        (HOST, Queryable, "look 0; halt; saw yes; came 0 already so"),
        (NOTE, Keyed, "look 0; saw no; intent 0; start 0 1; do 0; halt; did broken; after 5000; halted; lift; start 0 2; halt; halted; lift; do 0"),
    ]);
}

#[test]
fn the_time_to_begin() {
    let looked = "look 0; saw no;";
    play_all(&[
        (HOST, Queryable, "after 299999; look 0"),
        (HOST, Queryable, "after 300000; came 0 failed Expired; rest"),
        (HOST, Queryable, &format!("{looked} after 299999; intent 0; start 0 1; do 0")),
        (HOST, Queryable, &format!("{looked} after 300000; came 0 failed Expired; rest")),
        (HOST, Queryable, &format!("{looked} intent 0; after 300000; came 0 failed Expired; rest")),
        (HOST, Queryable, &format!("{looked} intent 0; start 0 1; after 300000; came 0 failed Expired; rest")),
        // Somebody may have been called the time before.
        (
            NOTE,
            Keyed,
            &format!(
                "{looked} intent 0; start 0 1; do 0; did broken; after 5000; start 0 2; after 300000; pause 0; look 0; saw yes; came 0 verified"
            ),
        ),
        (NOTE, Keyed, &format!("{looked} intent 0; start 0 1; do 0; after 290000; did broken; after 10000; look 0")),
        // Time does not go back, neither after a start of the house.
        (HOST, Queryable, "wall 300000; wall -300000; look 0"),
        (HOST, Queryable, "look 0; saw no; wall 300000; halt; came 0 failed Expired"),
        (HOST, Queryable, "look 0; wall 300000; saw no; wall -300000; came 0 failed Expired"),
        (
            HOST,
            Queryable,
            "look 0; saw no; wall 299999; intent 0; wall -900000; start 0 1; crash; wall -5; look 0; saw yes; came 0 verified",
        ),
    ]);
}

#[test]
fn crashes() {
    let begun = "look 0; saw no; intent 0; start 0 1; do 0;";
    play_all(&[
        (
            HOST,
            Queryable,
            "look 0; crash; look 0; stale saw no; pause 30000; saw no; crash; look 0; saw no; intent 0; crash; look 0; saw no; start 0 1",
        ),
        // From the start on it may have been called.
        (NOTE, Keyed, "look 0; saw no; intent 0; start 0 1; crash; start 0 2; crash; start 0 3; do 0"),
        (
            HOST,
            Queryable,
            "look 0; saw no; intent 0; start 0 1; crash; look 0; saw no; pause 5000; after 120000; look 0; saw no; came 0 failed NotThere",
        ),
        (NOTE, Once, "look 0; saw no; intent 0; start 0 1; crash; came 0 unknown NoAnswer"),
        (
            NOTE,
            Keyed,
            &format!("{begun} crash; did done; start 0 2; do 0; did done; look 0; saw yes; crash; start 0 3"),
        ),
        (
            HOST,
            Queryable,
            &format!("{DONE_0} crash; until 3600000; after 3600000; pause 120000; after 119999; crash; pause 120000"),
        ),
        (
            HOST,
            Queryable,
            &format!(
                "{begun} crash; recall; crash; look 0; saw no; pause 5000; after 120000; look 0; saw no; came 0 failed NotThere; rest"
            ),
        ),
    ]);
}

#[test]
fn what_fails_is_undone() {
    let second = "look 1; saw no; intent 1; start 1 1; do 1;";
    let undone = |step: usize| {
        format!(
            "pause 120000; after 120000; look {step}u; saw yes; intent {step}u; start {step}u 1; do {step}u; did done; look {step}u; saw no; came {step}u verified;"
        )
    };
    let there = "pause 120000; after 120000; look 0u; saw yes; intent 0u; start 0u 1; do 0u; did refused; after 120000; look 0u; saw yes; came 0u failed StillThere;";
    play_all(&[
        // The last first; nothing that comes after is begun.
        (
            &["ticket 1", "isolate 1 3600", "notify 1"],
            Queryable,
            &format!(
                "{DONE_0} {second} did done; look 1; saw yes; came 1 verified; look 2; saw no; intent 2; start 2 1; do 2; did refused; after 120000; look 2; saw no; came 2 failed Refused; {} {} rest",
                undone(1),
                undone(0)
            ),
        ),
        (
            &["ticket 1", "notify 1", "notify 2"],
            Queryable,
            &format!(
                "{DONE_0} {second} did done; after 120000; look 1; saw no; came 1 failed NotThere; {} rest",
                undone(0)
            ),
        ),
        // What nobody knows is for a person, when the rest is undone; what cannot be undone stays.
        (
            &["ticket 1", "notify 1"],
            Once,
            &format!(
                "{DONE_0} {second} did broken; after 5000; came 1 unknown NoAnswer; pause 120000; after 120000; look 0u; cannot look; intent 0u; start 0u 1; do 0u; did done; look 0u; cannot look; came 0u unknown CannotTell; person 0u; resolve 0u yes; person 0u; resolve 0u no; person 1; resolve 1 yes; rest"
            ),
        ),
        (
            &["notify 1", "isolate 1 3600"],
            Queryable,
            &format!("{DONE_0} {second} did done; look 1; saw yes; came 1 verified; recall; {} rest", undone(1)),
        ),
        (
            &["notify 1", "isolate 1 3600"],
            Queryable,
            &format!("{DONE_0} {second} did done; after 120000; look 1; saw no; came 1 failed NotThere; rest"),
        ),
        // An effect that stays after its lease does not end what comes after it.
        (&["isolate 1 1", "notify 1"], Queryable, &format!("{} after 1000; {there} look 1", DONE_0)),
        (&["isolate 1 1"], Queryable, &format!("{DONE_0} after 1000; {there} person 0u; resolve 0u no; rest")),
        // A lease that still runs goes before a person.
        (
            &["isolate 1 600", "isolate 2 1"],
            Queryable,
            &format!(
                "{DONE_0} look 1; saw no; intent 1; start 1 1; do 1; did done; look 1; saw yes; came 1 verified; after 1000; {} until 359000",
                there.replace("0u", "1u")
            ),
        ),
        // There is always time to undo, and an undoing is not called off.
        (HOST, Queryable, &format!("{DONE_0} after 400000; recall; {} rest", undone(0))),
        (
            TICKET,
            Keyed,
            &format!(
                "{DONE_0} recall; pause 120000; after 120000; look 0u; saw yes; intent 0u; start 0u 1; do 0u; did broken; after 5000; start 0u 2; do 0u; did done; look 0u; saw no; came 0u verified; rest"
            ),
        ),
        (
            TICKET,
            Keyed,
            &format!("{DONE_0} recall; pause 120000; after 120000; look 0u; saw no; came 0u already so; rest"),
        ),
        (
            TICKET,
            Keyed,
            &format!(
                "{DONE_0} recall; pause 120000; after 120000; look 0u; saw yes; intent 0u; start 0u 1; crash; pause 120000; after 120000; start 0u 2"
            ),
        ),
    ]);
}

#[test]
fn recalled() {
    play_all(&[
        (HOST, Queryable, "recall; rest"),
        (HOST, Queryable, "look 0; saw no; recall; rest"),
        (HOST, Queryable, "look 0; saw no; intent 0; recall; came 0 failed Recalled; rest"),
        (HOST, Queryable, "look 0; saw no; intent 0; recall; after 300000; came 0 failed Recalled"),
        (HOST, Queryable, "look 0; saw no; intent 0; start 0 1; recall; halt; came 0 failed Recalled; rest"),
        (
            NOTE,
            Keyed,
            "look 0; saw no; intent 0; start 0 1; do 0; recall; did broken; after 5000; look 0; saw yes; came 0 verified; rest",
        ),
        (
            NOTE,
            Keyed,
            "look 0; saw no; intent 0; start 0 1; do 0; did broken; after 5000; start 0 2; recall; pause 0; look 0",
        ),
    ]);
}

/// What is asked of a connector: the key of the token, or one of its own to undo; the verb of the plan when it looks.
#[test]
fn calls() {
    let house = play(
        HOST,
        Queryable,
        &format!(
            "{DONE_0} recall; after 1; pause 120000; after 120000; look 0u; saw yes; intent 0u; start 0u 1; do 0u; crash; after 1; pause 120000; after 120000; look 0u"
        ),
    );
    let token = &house.plan.tokens()[0];
    let undoing = Hash::of(&(token.id, "undo"));
    let (does, undoes) = (Act { step: 0, undo: false }, Act { step: 0, undo: true });
    let found: Vec<_> = house.asked.iter().map(|call| (call.number, call.act, call.verb, call.key)).collect();
    let (isolate, release) = (Verb::IsolateHost, Verb::ReleaseHost);
    assert_eq!(
        found,
        [
            (0, does, isolate, token.id),
            (1, does, isolate, token.id),
            (2, does, isolate, token.id),
            (3, undoes, isolate, undoing),
            (4, undoes, release, undoing),
            (1_005, undoes, isolate, undoing),
        ]
    );
    assert!(house.asked.iter().all(|call| call.target.as_str() == "host:ws-1" && call.parameters.is_empty()));
    let house = play(NOTE, Keyed, "look 0");
    assert_eq!(house.asked[0].parameters, house.plan.tokens()[0].parameters);
    assert_eq!(house.asked[0].parameters.len(), 1);
    assert_eq!(house.saga.plan(), &house.plan);
}

#[test]
fn how_acts_stand() {
    let (does, undoes) = (Act { step: 0, undo: false }, Act { step: 0, undo: true });
    let settled = |came: Came, at: i64| Standing::Settled { came, at: BEGIN + at };
    let begun = "look 0; saw no; intent 0; start 0 1; do 0;";
    let there = "did broken; after 5000; came 0 unknown NoAnswer;";
    let stays = format!(
        "{DONE_0} recall; pause 120000; after 120000; look 0u; saw yes; intent 0u; start 0u 1; do 0u; did done; after 120000; look 0u; saw yes; came 0u failed StillThere;"
    );
    let (yes, still) = (Came::Succeeded { verified: true }, Came::Failed(Fault::StillThere));
    for (actions, declared, script, act, standing, is_open) in [
        (NOTE, Keyed, "look 0; saw no".to_owned(), does, Standing::Waiting, false),
        (NOTE, Keyed, "look 0; saw no; after 3; intent 0".to_owned(), does, Standing::Intended, false),
        (
            NOTE,
            Keyed,
            "look 0; saw no; intent 0; after 3; start 0 1".to_owned(),
            does,
            Standing::Started { attempts: 1, at: BEGIN + 3 },
            false,
        ),
        (
            NOTE,
            Keyed,
            format!("{begun} did broken; after 5000; start 0 2"),
            does,
            Standing::Started { attempts: 2, at: BEGIN + 5_000 },
            false,
        ),
        (NOTE, Keyed, DONE_0.to_owned(), does, settled(yes.clone(), 0), false),
        (NOTE, Once, format!("{begun} {there}"), does, settled(Came::Unknown(Fault::NoAnswer), 5_000), true),
        (NOTE, Once, format!("{begun} {there} after 1; resolve 0 yes"), does, settled(yes.clone(), 5_001), false),
        (
            NOTE,
            Once,
            format!("{begun} {there} resolve 0 no"),
            does,
            settled(Came::Failed(Fault::NotThere), 5_000),
            false,
        ),
        (TICKET, Queryable, stays.clone(), undoes, settled(still.clone(), 240_000), true),
        (TICKET, Queryable, format!("{stays} resolve 0u yes"), undoes, settled(still, 240_000), true),
        (TICKET, Queryable, format!("{stays} resolve 0u no"), undoes, settled(yes, 240_000), false),
    ] {
        let house = play(actions, declared, &script);
        assert_eq!(house.saga.standing(act), &standing, "{script}");
        let open: Vec<Act> = house.saga.open().collect();
        assert_eq!(open, if is_open { vec![act] } else { vec![] }, "{script}");
        // A person says how an act stands that nobody knows about, and of no other.
        assert_eq!(house.saga.resolve(act, true, "bea".into(), BEGIN).is_some(), is_open, "{script}");
    }
    // All is undone once.
    let house = play(NOTE, Keyed, "look 0; after 5; pause 29995; recall");
    assert_eq!(house.log, [Record::Recalled { by: "bea".into(), at: BEGIN + 5 }]);
    assert_eq!(house.saga.recall("bea".into(), BEGIN), None);
    // What a person says is not written as before what was written.
    let house = play(NOTE, Once, &format!("{begun} {there}"));
    let record = house.saga.resolve(does, true, "bea".into(), BEGIN).unwrap();
    assert_eq!((record.at(), house.saga.recall("bea".into(), 0).unwrap().at()), (BEGIN + 5_000, BEGIN + 5_000));
}
