//! Denials, revocations and edits.

use super::*;

fn stop(request: &Request, world: &World, name: &str, what: What, now: i64) -> Result<Record, Refusal> {
    let signed = signed(request, name, what, now.max(LOOKED));
    world.at(now, |moment| match what {
        What::Deny => request.handle_deny(&signed, moment),
        _ => request.handle_revoke(&signed, moment),
    })
}

/// Everything that can be tried.
fn tries(request: &Request, world: &World, now: i64) -> Vec<Result<Record, Refusal>> {
    let approve = signed(request, "bob", What::Approve, now);
    let by = Actor::Machine { machine: "agent".into(), people: BTreeSet::new() };
    vec![
        world.at(now, |moment| request.handle_approve(&approve, 0, moment)),
        request.handle_show(&id("bob"), &request.ask().shown, &world.people(), now),
        stop(request, world, "ann", What::Deny, now),
        stop(request, world, "ann", What::Revoke, now),
        request.handle_edit(&by, &Digest::of_bytes(b"edited"), now),
        take(request, world, now),
    ]
}

#[test]
fn who_may_stop() {
    let outsider = Err(Refusal::Outsider);
    for (name, denies, revokes) in [
        ("bob", Ok(()), Ok(())),
        ("pia", Ok(()), Ok(())),
        ("ray", outsider, Ok(())),
        ("gus", Ok(()), Ok(())),
        ("tom", outsider, outsider),
        ("ann", outsider, Ok(())),
        ("out", Err(Refusal::PersonInactive), Err(Refusal::PersonInactive)),
    ] {
        let (mut world, mut request) = (World::new(), open(ask(1, &[])));
        approve(&mut request, &mut world, "ann", LOOKED).unwrap();
        // Ann has lost the role since, Ray never had it.
        world.person("ann").roles.clear();
        world.person("ray").roles.clear();
        assert_eq!(stop(&request, &world, name, What::Deny, LOOKED).map(|_| ()), denies, "{name}");
        assert_eq!(stop(&request, &world, name, What::Revoke, LOOKED).map(|_| ()), revokes, "{name}");
    }
}

#[test]
fn a_stop_is_signed_like_everything_else() {
    let (world, request) = (World::new(), open(ask(1, &[])));
    for what in [What::Deny, What::Revoke] {
        let other = if what == What::Deny { What::Revoke } else { What::Deny };
        let handle = |signed: &Signed| {
            world.at(LOOKED, |moment| match what {
                What::Deny => request.handle_deny(signed, moment),
                _ => request.handle_revoke(signed, moment),
            })
        };
        assert_eq!(handle(&signed(&request, "ann", other, LOOKED)), Err(Refusal::Statement));
        let mut wrong = signed(&request, "ann", what, LOOKED);
        wrong.statement.reason.push('!');
        assert_eq!(handle(&wrong), Err(Refusal::Signature));
        let short = Statement { reason: "no".into(), ..statement(&request, "ann", what, LOOKED) };
        assert_eq!(handle(&sign(short)), Err(Refusal::Reason));
        let statement = statement(&request, "pia", what, LOOKED);
        let proof = Proof::Passkey(Answer { counter: 4, ..Answer::to(&statement) }.of("pia"));
        let record = handle(&Signed { statement, proof }).unwrap();
        let (Happened::Denied(stop) | Happened::Revoked(stop)) = record.what else { panic!("a stop") };
        assert_eq!((stop.counter, stop.decoy), (4, false));
    }
}

#[test]
fn what_has_ended_stays_so() {
    let (mut world, mut open) = (World::new(), open(ask(1, &[])));
    approve(&mut open, &mut world, "ann", LOOKED).unwrap();
    let by = Actor::Person { person: id("tom") };
    let ends = [
        (stop(&open, &world, "bob", What::Deny, LOOKED), Phase::Denied, Refusal::Denied),
        (stop(&open, &world, "bob", What::Revoke, LOOKED), Phase::Revoked, Refusal::Revoked),
        (open.handle_edit(&by, &Digest::of_bytes(b"edited"), LOOKED), Phase::Edited, Refusal::Edited),
        (open.handle_expire(OPENED + LIFETIME_MS), Phase::Expired, Refusal::Expired),
        (take(&open, &world, LOOKED), Phase::Taken, Refusal::AlreadyTaken),
    ];
    for (record, phase, refusal) in ends {
        let mut request = open.clone();
        request.apply(&record.unwrap()).unwrap();
        assert_eq!(request.phase(), phase);
        for now in [LOOKED, OPENED + LIFETIME_MS - 1, OPENED + LIFETIME_MS] {
            let mut got = tries(&request, &world, now);
            got.push(request.handle_expire(now));
            assert!(got.iter().all(|tried| *tried == Err(refusal)), "{phase:?} {got:?}");
        }
    }
    assert_eq!(open.handle_edit(&by, open.ask().matter.plan(), LOOKED), Err(Refusal::NotEdited));
}

#[test]
fn a_request_ends_with_its_time() {
    for lifetime in [LIFETIME_MS_MIN, LIFETIME_MS, LIFETIME_MS_MAX] {
        let (mut world, mut request) = (World::new(), open(Ask { lifetime_ms: lifetime, ..ask(1, &[]) }));
        approve(&mut request, &mut world, "ann", LOOKED).unwrap();
        let end = OPENED + lifetime;
        assert_eq!(request.expires(), end);
        for (now, open) in [(end - 1, true), (end, false), (end + 1, false), (i64::MAX, false)] {
            assert_eq!(take(&request, &world, now).err(), (!open).then_some(Refusal::Expired), "{now}");
            let expired = request.handle_expire(now);
            assert_eq!(expired.err(), open.then_some(Refusal::NotExpired), "{now}");
        }
        assert!(tries(&request, &world, end).iter().all(|tried| *tried == Err(Refusal::Expired)));
        assert_eq!(request.handle_expire(i64::MIN), Err(Refusal::NotExpired));
    }
}

#[test]
fn a_clock_that_goes_back_keeps_from_doing_and_not_from_stopping() {
    let (mut world, mut request) = (World::new(), open(ask(1, &[])));
    approve(&mut request, &mut world, "ann", LOOKED).unwrap();
    for (now, good) in [(LOOKED - 1, false), (LOOKED, true), (LOOKED + 1, true)] {
        assert_eq!(take(&request, &world, now).err(), (!good).then_some(Refusal::ClockBack), "{now}");
        for what in [What::Deny, What::Revoke] {
            let record = stop(&request, &world, "bob", what, now).unwrap();
            assert_eq!(record.at, now.max(LOOKED));
            assert!(request.clone().apply(&record).is_ok());
        }
        let by = Actor::Person { person: id("bob") };
        let record = request.handle_edit(&by, &Digest::of_bytes(b"edited"), now).unwrap();
        assert_eq!((record.at, request.clone().apply(&record)), (now.max(LOOKED), Ok(())));
    }
    let early = signed(&request, "bob", What::Approve, LOOKED);
    assert_eq!(world.at(LOOKED - 1, |moment| request.handle_approve(&early, 0, moment)), Err(Refusal::ClockBack));
}
