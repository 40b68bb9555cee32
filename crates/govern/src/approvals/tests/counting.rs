//! Whose approvals count, and how many it takes.

use super::*;

/// A request that these have approved.
fn approved(ask: Ask, names: &[&str]) -> (World, Request) {
    let (mut world, mut request) = (World::new(), open(ask));
    for name in names {
        approve(&mut request, &mut world, name, LOOKED).unwrap();
    }
    (world, request)
}

#[test]
fn a_quorum_is_of_distinct_people() {
    for (people, names, expected) in [
        (1, &[][..], Err(Refusal::Quorum)),
        (1, &["ann"], Ok(vec!["ann"])),
        (2, &["ann"], Err(Refusal::Quorum)),
        (2, &["pia", "ann"], Ok(vec!["ann", "pia"])),
        (2, &["ann", "bob", "sue"], Ok(vec!["ann", "bob", "sue"])),
        (3, &["ann", "bob"], Err(Refusal::Quorum)),
    ] {
        let (world, request) = approved(ask(people, &[]), names);
        let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
        assert_eq!(taken(&request, &world, LOOKED), expected, "{people} {names:?}");
    }
}

#[test]
fn everyone_is_looked_at_again_when_it_is_taken() {
    type Change = fn(&mut World);
    let changes: [(&str, Change); 10] = [
        ("another key", |world| world.key("bob").public = Public::Ed25519(point_of_ed25519(&ed25519("new")))),
        ("another sign-in key", |world| {
            world.house.sign_in.insert("house".into(), point_of_ed25519(&ed25519("new")));
        }),
        ("left", |world| world.person("bob").active = false),
        ("gone", |world| drop(world.persons.remove(&id("bob")))),
        ("role", |world| world.person("bob").roles.clear()),
        ("key withdrawn", |world| world.key("bob").revoked = true),
        ("key gone", |world| world.person("bob").keys.clear()),
        ("sign-in key gone", |world| world.house.sign_in.clear()),
        ("left too", |world| world.person("sue").active = false),
        ("role too", |world| world.person("sue").roles.clear()),
    ];
    for (name, change) in changes {
        let (mut world, request) = approved(ask(2, &[]), &["bob", "sue"]);
        assert_eq!(taken(&request, &world, LOOKED), Ok(vec!["bob".to_owned(), "sue".into()]), "{name}");
        change(&mut world);
        assert_eq!(taken(&request, &world, LOOKED), Err(Refusal::Quorum), "{name}");
    }
    // Enough others: who does not count any more is left out.
    let (mut world, request) = approved(ask(2, &[]), &["ann", "bob", "sue"]);
    world.person("bob").active = false;
    assert_eq!(taken(&request, &world, LOOKED), Ok(vec!["ann".to_owned(), "sue".into()]));
}

#[test]
fn roles_are_held_then_and_now() {
    let (world, request) = approved(ask(2, &["owner"]), &["ann", "bob"]);
    assert!(taken(&request, &world, LOOKED).is_ok());
    let (mut world, request) = approved(ask(2, &["owner"]), &["cyd", "bob"]);
    assert_eq!(taken(&request, &world, LOOKED), Err(Refusal::RoleMissing));
    // Bob becomes an owner after he approved: he did not approve as one.
    world.person("bob").roles = set(&["approver", "owner"]);
    assert_eq!(taken(&request, &world, LOOKED), Err(Refusal::RoleMissing));
    let (mut world, request) = approved(ask(2, &["owner"]), &["ann", "bob"]);
    world.person("ann").roles = set(&["approver"]);
    assert_eq!(taken(&request, &world, LOOKED), Err(Refusal::RoleMissing));
    world.person("bob").roles = set(&["approver", "owner"]);
    assert_eq!(taken(&request, &world, LOOKED), Err(Refusal::RoleMissing), "held by one then, by another now");
    let (world, request) = approved(ask(2, &["owner", "medic"]), &["ann", "bob"]);
    assert_eq!(taken(&request, &world, LOOKED), Err(Refusal::RoleMissing));
}

#[test]
fn what_the_gate_needs_now_is_added_to_what_it_needed() {
    let (world, request) = approved(ask(1, &[]), &["cyd", "bob"]);
    let try_it = |now: &Need| {
        let record = world.at(LOOKED, |moment| request.handle_take(request.ask().matter.plan(), now, moment))?;
        let Happened::Taken(taken) = record.what else { panic!("taken") };
        Ok(taken.need)
    };
    assert_eq!(try_it(&need(0, &[])), Ok(need(1, &[])));
    assert_eq!(try_it(&need(2, &[])), Ok(need(2, &[])));
    assert_eq!(try_it(&need(3, &[])), Err(Refusal::Quorum));
    assert_eq!(try_it(&need(1, &["owner"])), Err(Refusal::RoleMissing));
    assert_eq!(try_it(&need(1, &["approver"])), Ok(need(1, &["approver"])));
    let (world, request) = approved(ask(2, &["owner"]), &["ann"]);
    let record = world.at(LOOKED, |moment| request.handle_take(request.ask().matter.plan(), &need(1, &[]), moment));
    assert_eq!(record, Err(Refusal::Quorum));
}

#[test]
fn only_the_plan_that_was_approved_is_taken() {
    let (world, mut request) = approved(ask(1, &[]), &["ann"]);
    let other = Digest::of_bytes(b"another plan");
    let record = world.at(LOOKED, |moment| request.handle_take(&other, &need(0, &[]), moment));
    assert_eq!(record, Err(Refusal::PlanChanged));
    let record = take(&request, &world, LOOKED).unwrap();
    let ticket = request.take(&record).unwrap();
    assert_eq!((ticket.request(), ticket.taken().plan), (&RequestId::from("r-1"), Digest::of_bytes(b"plan")));
    assert_eq!(ticket.taken().people, set(&["ann"]));
    assert_eq!(request.phase(), Phase::Taken);
    // Once.
    assert_eq!(take(&request, &world, LOOKED), Err(Refusal::AlreadyTaken));
    assert_eq!(request.take(&record), Err(Refusal::RecordOrder));
}

#[test]
fn a_decoy_is_never_taken() {
    let decoy = Ask { matter: Matter::Decoy(Digest::of_bytes(b"plan")), ..ask(1, &[]) };
    let (world, mut request) = approved(decoy, &["ann", "bob", "sue"]);
    assert!(request.votes().all(|vote| vote.decoy));
    assert_eq!(take(&request, &world, LOOKED), Err(Refusal::Decoy));
    // Nor by a record that somebody made up.
    let made_up = Taken { plan: Digest::of_bytes(b"plan"), need: need(1, &[]), people: set(&["ann", "bob"]) };
    let record = request.record(LOOKED, Happened::Taken(made_up.clone()));
    assert_eq!(request.take(&record), Err(Refusal::RecordOrder));
    let (_, mut request) = approved(ask(1, &[]), &["ann", "bob", "sue"]);
    let record = request.record(LOOKED, Happened::Taken(made_up));
    assert!(request.take(&record).is_ok(), "the same of a plan");
}

#[test]
fn a_rubber_stamp_needs_a_second_person() {
    let mark = |world: &mut World, name: &str| {
        let mut request = open(Ask { matter: Matter::Decoy(Digest::of_bytes(b"bad")), ..ask(1, &[]) });
        let record = approve(&mut request, world, name, LOOKED).unwrap();
        world.stamps.apply(&record);
    };
    let marks: BTreeSet<Mark> = [Mark::Decoy].into();
    for (people, marked, names, expected) in [
        (1, &[][..], &["ann"][..], Ok(1)),
        (1, &["ann"], &["ann"], Err(Refusal::Quorum)),
        (1, &["ann"], &["ann", "bob"], Ok(2)),
        (1, &["ann"], &["bob"], Ok(1)),
        (1, &["ann", "bob"], &["ann", "bob"], Err(Refusal::Unseconded)),
        (1, &["ann", "bob"], &["ann", "bob", "sue"], Ok(2)),
        (2, &["ann"], &["ann", "bob"], Err(Refusal::Quorum)),
        (2, &["ann"], &["ann", "bob", "sue"], Ok(3)),
        (2, &["ann", "bob", "sue"], &["ann", "bob", "sue"], Err(Refusal::Unseconded)),
    ] {
        let (mut world, mut request) = (World::new(), open(ask(people, &[])));
        for name in marked {
            mark(&mut world, name);
        }
        for name in names {
            let record = approve(&mut request, &mut world, name, LOOKED).unwrap();
            let Happened::Approved(vote) = record.what else { panic!("an approval") };
            assert_eq!(vote.marks == marks, marked.contains(name), "{name}");
        }
        let got = take(&request, &world, LOOKED).map(|record| match record.what {
            Happened::Taken(taken) => taken.need.people,
            _ => 0,
        });
        assert_eq!(got, expected, "{people} {marked:?} {names:?}");
        // What was held against them when they approved stays so.
        world.stamps = Stamps::default();
        assert_eq!(take(&request, &world, LOOKED).is_ok(), expected.is_ok(), "{people} {marked:?} {names:?}");
    }
    // Held against them since they approved.
    let (mut world, mut request) = (World::new(), open(ask(1, &[])));
    approve(&mut request, &mut world, "ann", LOOKED).unwrap();
    assert!(take(&request, &world, LOOKED).is_ok());
    mark(&mut world, "ann");
    assert_eq!(take(&request, &world, LOOKED), Err(Refusal::Quorum));
}

#[test]
fn approvals_that_somebody_made_up_do_not_count() {
    let (world, request) = approved(ask(2, &[]), &["pia", "bob"]);
    assert!(take(&request, &world, LOOKED).is_ok());
    let json = serde_json::to_value(&request).unwrap();
    let changes: [(&str, &str, serde_json::Value); 4] = [
        ("pia", "/signed/statement/reason", "never said this".into()),
        ("pia", "/signed/statement/what", "deny".into()),
        ("bob", "/signed/statement/person", "cyd".into()),
        ("bob", "/signed/proof/signature", "AAAA".into()),
    ];
    for (name, field, value) in changes {
        let mut json = json.clone();
        *json.pointer_mut(&format!("/votes/{name}{field}")).unwrap() = value;
        let made_up: Request = serde_json::from_value(json).unwrap();
        assert_eq!(take(&made_up, &world, LOOKED), Err(Refusal::Quorum), "{name} {field}");
    }
    // A vote for another request, well signed.
    let other = open(Ask { nonce: Digest::of_bytes(b"other"), ..ask(2, &[]) });
    let mut json = json;
    *json.pointer_mut("/votes/bob/signed").unwrap() =
        serde_json::to_value(signed(&other, "bob", What::Approve, LOOKED)).unwrap();
    let moved: Request = serde_json::from_value(json).unwrap();
    assert_eq!(take(&moved, &world, LOOKED), Err(Refusal::Quorum));
}

#[test]
fn a_passkey_that_has_moved_on_still_counts() {
    let (mut world, mut request) = (World::new(), open(ask(1, &[])));
    let statement = statement(&request, "pia", What::Approve, LOOKED);
    let proof = Proof::Passkey(Answer { counter: 7, ..Answer::to(&statement) }.of("pia"));
    let signed = Signed { statement, proof };
    let record = world.at(LOOKED, |moment| request.handle_approve(&signed, i64::MAX, moment)).unwrap();
    request.apply(&record).unwrap();
    world.key("pia").counter = 9;
    assert_eq!(taken(&request, &world, LOOKED), Ok(vec!["pia".to_owned()]));
    world.key("pia").revoked = true;
    assert_eq!(taken(&request, &world, LOOKED), Err(Refusal::Quorum));
}
