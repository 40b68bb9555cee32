//! Requests: what they are bound to, and when they end.

use super::*;

#[test]
fn what_can_be_asked() {
    type Change = fn(&mut Ask);
    let cases: [(Change, Result<(), Refusal>); 16] = [
        (|_| (), Ok(())),
        (|ask| ask.need.people = 0, Err(Refusal::Ask)),
        (|ask| ask.need.people = 1, Ok(())),
        (|ask| ask.need.people = PEOPLE_MAX - 1, Ok(())),
        (|ask| ask.need.people = PEOPLE_MAX, Ok(())),
        (|ask| ask.need.people = PEOPLE_MAX + 1, Err(Refusal::Ask)),
        (|ask| ask.request = RequestId::from(""), Err(Refusal::Ask)),
        (|ask| ask.role = "two words".into(), Err(Refusal::Ask)),
        (|ask| ask.need.roles = set(&["owner", "\n"]), Err(Refusal::Ask)),
        (|ask| ask.need.roles = set(&["owner"]), Ok(())),
        (|ask| ask.lifetime_ms = LIFETIME_MS_MIN - 1, Err(Refusal::Lifetime)),
        (|ask| ask.lifetime_ms = LIFETIME_MS_MIN, Ok(())),
        (|ask| ask.lifetime_ms = LIFETIME_MS_MIN + 1, Ok(())),
        (|ask| ask.lifetime_ms = LIFETIME_MS_MAX - 1, Ok(())),
        (|ask| ask.lifetime_ms = LIFETIME_MS_MAX, Ok(())),
        (|ask| ask.lifetime_ms = LIFETIME_MS_MAX + 1, Err(Refusal::Lifetime)),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        let mut ask = ask(2, &[]);
        change(&mut ask);
        assert_eq!(Request::handle_open(ask, OPENED).map(|_| ()), expected, "{number}");
    }
    let last = TIME_MS_MAX - LIFETIME_MS;
    for (now, good) in [(-1, false), (0, true), (1, true), (last - 1, true), (last, true), (last + 1, false)] {
        let expected = if good { None } else { Some(Refusal::Time) };
        assert_eq!(Request::handle_open(ask(1, &[]), now).err(), expected, "{now}");
    }
    assert_eq!((LIFETIME_MS, SIGN_IN_AGE_MS_MAX), (900_000, 300_000));
    // What is left out is what the house does.
    let mut json = serde_json::to_value(ask(1, &[])).unwrap();
    for field in ["role", "grantors", "lifetime_ms"] {
        json.as_object_mut().unwrap().remove(field);
    }
    let read: Ask = serde_json::from_value(json).unwrap();
    assert_eq!((&read.role[..], read.lifetime_ms, read.grantors.len()), ("approver", 900_000, 0));
}

#[test]
fn it_is_shown_once_to_each_as_it_stands() {
    let (world, mut request) =
        (World::new(), Request::opened(&Request::handle_open(ask(1, &[]), OPENED).unwrap()).unwrap());
    let people = world.people();
    let shown = request.ask().shown;
    let show =
        |request: &Request, name: &str, shown: &Digest| request.handle_show(&id(name), shown, &people, OPENED + 1);
    assert_eq!(show(&request, "out", &shown), Err(Refusal::PersonInactive));
    assert_eq!(show(&request, "zoe", &shown), Err(Refusal::PersonUnknown));
    assert_eq!(show(&request, "ann", &Digest::of_bytes(b"other")), Err(Refusal::ShownOther));
    assert_eq!(request.handle_show(&id("ann"), &shown, &people, OPENED - 1), Err(Refusal::ClockBack));
    request.apply(&show(&request, "ann", &shown).unwrap()).unwrap();
    assert_eq!((request.shown_at(&id("ann")), request.shown_at(&id("bob"))), (Some(OPENED + 1), None));
    assert_eq!(show(&request, "ann", &shown), Err(Refusal::AlreadyShown));
    let mut world = World::new();
    assert_eq!(approve(&mut request, &mut world, "bob", LOOKED), Err(Refusal::NotShown));
    assert!(approve(&mut request, &mut world, "ann", LOOKED).is_ok());
}

#[test]
fn it_is_shown_to_a_bounded_number() {
    let mut request = open(ask(1, &[]));
    let mut world = World::new();
    let has = request.shown_count();
    for number in 0..=SHOWN_MAX - has {
        let name = format!("p{number}");
        world.persons.insert(id(&name), Person { active: true, ..Person::default() });
    }
    let people = world.people();
    let shown = request.ask().shown;
    for number in 0..=SHOWN_MAX - has {
        let record = request.handle_show(&id(&format!("p{number}")), &shown, &people, OPENED);
        if number < SHOWN_MAX - has {
            request.apply(&record.unwrap()).unwrap();
        } else {
            assert_eq!((record, request.shown_count()), (Err(Refusal::ShownFull), SHOWN_MAX));
        }
    }
}

#[test]
fn who_may_approve() {
    for (name, expected) in [
        ("ann", None),
        ("pia", None),
        ("pod", None),
        ("sue", None),
        ("ray", Some(Refusal::Requester)),
        ("gus", Some(Refusal::Grantor)),
        ("tom", Some(Refusal::Role)),
        ("out", Some(Refusal::PersonInactive)),
        ("zoe", Some(Refusal::PersonUnknown)),
    ] {
        let mut request = open(ask(1, &[]));
        let got = approve(&mut request, &mut World::new(), name, LOOKED).err();
        assert_eq!(got, expected, "{name}");
        if got.is_none() {
            assert_eq!(approve(&mut request, &mut World::new(), name, LOOKED), Err(Refusal::AlreadyApproved));
        }
    }
    // People behind a machine are those who ask.
    let mut ask = ask(1, &[]);
    ask.requester = Actor::Machine { machine: "agent-7".into(), people: set(&["ann", "ray"]) };
    let mut request = open(ask);
    assert_eq!(approve(&mut request, &mut World::new(), "ann", LOOKED), Err(Refusal::Requester));
    assert!(approve(&mut request, &mut World::new(), "bob", LOOKED).is_ok());
}

#[test]
fn a_statement_is_about_this_request_young_and_has_a_reason() {
    type Change = fn(&mut Statement);
    let letters = |count: usize| "é".repeat(count);
    let cases: Vec<(Change, Result<(), Refusal>)> = vec![
        (|_| (), Ok(())),
        (|it| it.what = What::Deny, Err(Refusal::Statement)),
        (|it| it.what = What::Revoke, Err(Refusal::Statement)),
        (|it| it.request = RequestId::from("r-2"), Err(Refusal::Statement)),
        (|it| it.nonce = Digest::of_bytes(b"x"), Err(Refusal::Statement)),
        (|it| it.plan = Digest::of_bytes(b"x"), Err(Refusal::Statement)),
        (|it| it.decision = Digest::of_bytes(b"x"), Err(Refusal::Statement)),
        (|it| it.shown = Digest::of_bytes(b"x"), Err(Refusal::Statement)),
        (|it| it.time = LOOKED + 1, Err(Refusal::StatementTime)),
        (|it| it.time = OPENED, Ok(())),
        (|it| it.time = OPENED + 1, Ok(())),
        (|it| it.time = OPENED - 1, Err(Refusal::StatementTime)),
    ];
    let try_it = |statement: Statement, now: i64| {
        let (world, request) = (World::new(), open(ask(1, &[])));
        let signed = sign(statement);
        world.at(now, |moment| request.handle_approve(&signed, i64::MAX, moment)).map(|_| ())
    };
    let request = open(ask(1, &[]));
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        let mut statement = statement(&request, "ann", What::Approve, LOOKED);
        change(&mut statement);
        assert_eq!(try_it(statement, LOOKED), expected, "{number}");
    }
    for (age, good) in
        [(STATEMENT_AGE_MS_MAX - 1, true), (STATEMENT_AGE_MS_MAX, true), (STATEMENT_AGE_MS_MAX + 1, false)]
    {
        let now = OPENED + STATEMENT_AGE_MS_MAX + 10;
        let expected = if good { Ok(()) } else { Err(Refusal::StatementTime) };
        assert_eq!(try_it(statement(&request, "ann", What::Approve, now - age), now), expected, "{age}");
    }
    for (reason, good) in [
        (String::new(), false),
        (letters(REASON_CHARS_MIN - 1), false),
        (letters(REASON_CHARS_MIN), true),
        (letters(REASON_CHARS_MIN + 1), true),
        (format!("   {}   ", letters(REASON_CHARS_MIN - 1)), false),
        (" ".repeat(REASON_CHARS_MIN), false),
        (letters(REASON_CHARS_MAX - 1), true),
        (letters(REASON_CHARS_MAX), true),
        (letters(REASON_CHARS_MAX + 1), false),
        (format!("{}{}", letters(REASON_CHARS_MIN), " ".repeat(REASON_CHARS_MAX)), false),
    ] {
        let expected = if good { Ok(()) } else { Err(Refusal::Reason) };
        let statement = Statement { reason: reason.clone(), ..statement(&request, "ann", What::Approve, LOOKED) };
        assert_eq!(try_it(statement, LOOKED), expected, "{reason}");
    }
}

#[test]
fn an_approval_says_how_long_it_was_looked_at() {
    let (world, request) = (World::new(), open(ask(1, &[])));
    let signed = signed(&request, "ann", What::Approve, LOOKED);
    let shown_for = LOOKED - OPENED;
    let dwell = world.rules.dwell_ms;
    for (looked, counted) in [
        (i64::MIN, 0),
        (-1, 0),
        (0, 0),
        (dwell - 1, dwell - 1),
        (dwell, dwell),
        (shown_for, shown_for),
        (shown_for + 1, shown_for),
        (i64::MAX, shown_for),
    ] {
        let record = world.at(LOOKED, |moment| request.handle_approve(&signed, looked, moment)).unwrap();
        let Happened::Approved(vote) = record.what else { panic!("an approval") };
        assert_eq!((vote.dwell_ms, vote.hurried, vote.decoy), (counted, counted < dwell, false), "{looked}");
        assert_eq!(
            (vote.roles, vote.marks, vote.signed),
            (set(&["approver", "owner"]), BTreeSet::new(), signed.clone())
        );
    }
}

#[test]
fn approvals_are_bounded_in_number() {
    let mut world = World::new();
    let mut request = open(ask(1, &[]));
    let shown = request.ask().shown;
    for number in 0..=VOTES_MAX {
        let name = format!("p{number}");
        let public = Public::Ed25519(point_of_ed25519(&ed25519(&name)));
        let keys = BTreeMap::from([(KeyId(format!("key-{name}")), Key { public, revoked: false, counter: 0 })]);
        world.persons.insert(id(&name), Person { active: true, roles: set(&["approver"]), keys });
        let record = request.handle_show(&id(&name), &shown, &world.people(), OPENED).unwrap();
        request.apply(&record).unwrap();
    }
    for number in 0..=VOTES_MAX {
        let got = approve(&mut request, &mut world, &format!("p{number}"), LOOKED).err();
        assert_eq!(got, (number == VOTES_MAX).then_some(Refusal::VotesFull), "{number}");
    }
}
