//! Proofs of statements, and who may give which.

use super::*;

fn verify(world: &World, signed: &Signed, now: i64) -> Result<u32, Refusal> {
    signed.verify(&world.people(), now)
}

#[test]
fn each_proof_holds_and_is_bound_to_its_statement() {
    let (world, request) = (World::new(), open(ask(1, &[])));
    for name in ["ann", "pia", "pod", "sue"] {
        let good = signed(&request, name, What::Approve, LOOKED);
        assert_eq!(verify(&world, &good, LOOKED), Ok(0), "{name}");
        let json = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Signed>(&json).unwrap(), good, "{name}");
        let other = Digest::of_bytes(b"other");
        let changes: [fn(&mut Statement, Digest); 9] = [
            |it, _| it.what = What::Deny,
            |it, _| it.request = RequestId::from("r-2"),
            |it, other| it.nonce = other,
            |it, other| it.plan = other,
            |it, other| it.decision = other,
            |it, other| it.shown = other,
            |it, _| it.reason.push('!'),
            |it, _| it.time += 1,
            |it, _| it.person = id("bob"),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut wrong = good.clone();
            change(&mut wrong.statement, other);
            assert!(verify(&world, &wrong, LOOKED).is_err(), "{name} {number}");
        }
    }
}

#[test]
fn who_has_a_passkey_uses_it() {
    let (mut world, request) = (World::new(), open(ask(1, &[])));
    let statement = statement(&request, "pia", What::Approve, LOOKED);
    let signed_in = Signed { proof: Proof::SignIn(sign_in(&statement, LOOKED)), statement };
    assert_eq!(verify(&world, &signed_in, LOOKED), Err(Refusal::PasskeyNeeded));
    // Ann enrols a passkey: her other key does not do any more.
    let passkey = Key { public: Public::PasskeyP256(point_of_p256(&p256("ann"))), revoked: false, counter: 0 };
    world.person("ann").keys.insert("passkey".into(), passkey);
    let ann = signed(&request, "ann", What::Approve, LOOKED);
    assert_eq!(verify(&world, &ann, LOOKED), Err(Refusal::PasskeyNeeded));
    // Withdrawn passkeys are none.
    world.person("ann").keys.get_mut(&KeyId::from("passkey")).unwrap().revoked = true;
    assert_eq!(verify(&world, &ann, LOOKED), Ok(0));
    world.key("pia").revoked = true;
    assert_eq!(verify(&world, &signed_in, LOOKED), Ok(0));
}

#[test]
fn keys_are_known_enrolled_and_not_withdrawn() {
    let request = open(ask(1, &[]));
    type Change = fn(&mut World, &mut Signed);
    let cases: [(&str, Change, Refusal); 10] = [
        ("ann", |world, _| world.key("ann").revoked = true, Refusal::KeyRevoked),
        ("ann", |world, _| world.person("ann").keys.clear(), Refusal::KeyUnknown),
        ("ann", |world, _| world.person("ann").active = false, Refusal::PersonInactive),
        ("ann", |world, _| drop(world.persons.remove(&id("ann"))), Refusal::PersonUnknown),
        (
            "ann",
            |world, _| world.person("ann").keys = world.person("bob").keys.split_off(&"".into()),
            Refusal::KeyUnknown,
        ),
        (
            "pia",
            |world, signed| {
                // Signed with what is hers, said to be what is Pod's.
                let Proof::Passkey(assertion) = &mut signed.proof else { panic!("a passkey") };
                assertion.key = "key-pod".into();
                world.person("pod").active = true;
            },
            Refusal::KeyUnknown,
        ),
        (
            "pia",
            |world, _| {
                let other =
                    Key { public: Public::PasskeyP256(point_of_p256(&p256("new"))), revoked: false, counter: 0 };
                *world.key("pia") = other;
            },
            Refusal::Assertion(AssertionError::Signature),
        ),
        ("sue", |world, _| world.house.sign_in.clear(), Refusal::KeyUnknown),
        (
            "sue",
            |world, _| {
                world.house.sign_in.insert("house".into(), point_of_ed25519(&ed25519("new")));
            },
            Refusal::Signature,
        ),
        (
            "ann",
            |_, signed| {
                let assertion = Answer::to(&signed.statement).of("ann");
                signed.proof = Proof::Ed25519 { key: "key-ann".into(), signature: assertion.signature };
            },
            Refusal::Signature,
        ),
    ];
    for (number, (name, change, expected)) in cases.into_iter().enumerate() {
        let (mut world, mut signed) = (World::new(), signed(&request, name, What::Approve, LOOKED));
        change(&mut world, &mut signed);
        assert_eq!(verify(&world, &signed, LOOKED), Err(expected), "{number}");
    }
    // A key for statements is no passkey, and the other way round.
    let mut world = World::new();
    let statement = statement(&request, "ann", What::Approve, LOOKED);
    let proof = Proof::Passkey(Answer::to(&statement).of("ann"));
    let ann = Signed { statement, proof };
    assert_eq!(verify(&world, &ann, LOOKED), Err(Refusal::Assertion(AssertionError::Signature)));
    world.key("ann").public = Public::PasskeyEd25519(point_of_ed25519(&ed25519("ann")));
    assert_eq!(verify(&world, &signed(&request, "ann", What::Approve, LOOKED), LOOKED), Err(Refusal::PasskeyNeeded));
}

#[test]
fn a_sign_in_is_young_and_for_one_statement() {
    let (world, request) = (World::new(), open(ask(1, &[])));
    let sue = statement(&request, "sue", What::Approve, LOOKED);
    let with = |sign_in: SignIn| Signed { statement: sue.clone(), proof: Proof::SignIn(sign_in) };
    let good = with(sign_in(&sue, LOOKED));
    for (age, expected) in [
        (-1, Err(Refusal::SignInOld)),
        (0, Ok(0)),
        (1, Ok(0)),
        (SIGN_IN_AGE_MS_MAX - 1, Ok(0)),
        (SIGN_IN_AGE_MS_MAX, Ok(0)),
        (SIGN_IN_AGE_MS_MAX + 1, Err(Refusal::SignInOld)),
    ] {
        assert_eq!(verify(&world, &good, LOOKED + age), expected, "{age}");
    }
    assert_eq!(verify(&world, &with(sign_in(&sue, TIME_MS_MAX)), LOOKED), Err(Refusal::SignInOld));
    let changes: [fn(&mut SignIn); 3] = [|it| it.at += 1, |it| it.method.push('!'), |it| it.signature.0[0] ^= 1];
    for change in changes {
        let mut wrong = sign_in(&sue, LOOKED);
        change(&mut wrong);
        assert_eq!(verify(&world, &with(wrong), LOOKED), Err(Refusal::Signature));
    }
    // Somebody else's, or one for another statement.
    let deny = statement(&request, "sue", What::Deny, LOOKED);
    let ann = statement(&request, "ann", What::Approve, LOOKED);
    for other in [deny, ann] {
        assert_eq!(verify(&world, &with(sign_in(&other, LOOKED)), LOOKED), Err(Refusal::Signature));
    }
    let bytes = sign_in(&sue, 5).canonical(&id("sue"), Digest([0; 32])).unwrap();
    let zeros = "0".repeat(64);
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        format!(
            "{{\"at\":5,\"key\":\"house\",\"method\":\"password and code\",\"person\":\"sue\",\"statement\":\"{zeros}\",\
             \"type\":\"watchfloor.sign-in.v1\"}}"
        )
    );
}

#[test]
fn what_was_taken_holds_for_as_long_as_the_person_is_there() {
    let (mut world, request) = (World::new(), open(ask(1, &[])));
    for name in ["ann", "pia", "pod", "sue"] {
        let good = signed(&request, name, What::Approve, LOOKED);
        assert!(good.still_holds(&world.people()), "{name}");
        world.person(name).active = false;
        assert!(!good.still_holds(&world.people()), "{name} has left");
        world.persons.remove(&id(name));
        assert!(!good.still_holds(&world.people()), "{name} is not known");
    }
}
