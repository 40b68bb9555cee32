//! Directories in which nobody counts twice.

use super::*;

fn directory(change: impl FnOnce(&mut World)) -> bool {
    let mut world = World::new();
    change(&mut world);
    let people = People::new(world.house.clone(), world.persons.clone());
    if let Ok(people) = &people {
        let json = serde_json::to_string(people).unwrap();
        assert_eq!(&serde_json::from_str::<People>(&json).unwrap(), people);
    }
    people.map_err(|refusal| assert_eq!(refusal, Refusal::Directory)).is_ok()
}

fn add(world: &mut World, name: &str) {
    world.persons.insert(id(name), Person::default());
}

#[test]
fn nobody_is_there_twice() {
    assert!(directory(|_| ()));
    for (name, good) in [
        ("Zoe", true),
        ("Ann", false),
        ("", false),
        ("z oe", false),
        ("zoe\u{a0}", false),
        ("zo\u{7}e", false),
        (&"z".repeat(NAME_BYTES_MAX - 1), true),
        (&"z".repeat(NAME_BYTES_MAX), true),
        (&"z".repeat(NAME_BYTES_MAX + 1), false),
    ] {
        assert_eq!(directory(|world| add(world, name)), good, "{name}");
    }
    // One key is of one person, and once, under whatever id.
    for (to, name) in [("bob", "key-bob-2"), ("ann", "key-ann-2")] {
        let shared =
            Key { public: Public::PasskeyEd25519(point_of_ed25519(&ed25519("ann"))), revoked: true, counter: 0 };
        assert!(!directory(|world| drop(world.person(to).keys.insert(name.into(), shared))), "{to}");
    }
    assert!(!directory(|world| drop(world.house.sign_in.insert("two".into(), point_of_ed25519(&ed25519("ann"))))));
    assert!(!directory(|world| drop(world.house.sign_in.insert("two".into(), point_of_ed25519(&ed25519("house"))))));
    assert!(!directory(|world| drop(world.house.sign_in.insert("".into(), point_of_ed25519(&ed25519("new"))))));
    assert!(!directory(|world| drop(world.house.sign_in.insert("two".into(), Bytes(vec![1; 31])))));
    assert!(!directory(|world| world.person("ann").roles = set(&["a role"])));
    let key = Key { public: Public::Ed25519(point_of_ed25519(&ed25519("new"))), revoked: false, counter: 0 };
    assert!(!directory(|world| drop(world.person("ann").keys.insert("a key".into(), key.clone()))));
    assert!(directory(|world| drop(world.person("ann").keys.insert("a-key".into(), key))));
    assert!(
        serde_json::from_str::<People>(
            "{\"house\":{\"relying\":{\"id\":\"x\",\"origins\":[]}},\"persons\":{\"\":{\"active\":true}}}"
        )
        .is_err()
    );
}

#[test]
fn a_public_key_has_one_form() {
    let p = p256("new");
    let long = point_of_p256(&p).0;
    let short = p.verifying_key().to_sec1_point(true).as_bytes().to_vec();
    let edwards = point_of_ed25519(&ed25519("new")).0;
    let mut off = long.clone();
    off[64] ^= 1;
    let mut neutral = vec![0; 32];
    neutral[0] = 1;
    for (public, good) in [
        (Public::PasskeyP256(Bytes(long.clone())), true),
        (Public::PasskeyP256(Bytes(short)), false),
        (Public::PasskeyP256(Bytes(off)), false),
        (Public::PasskeyP256(Bytes(vec![])), false),
        (Public::PasskeyEd25519(Bytes(edwards.clone())), true),
        (Public::Ed25519(Bytes(edwards.clone())), true),
        (Public::Ed25519(Bytes(edwards[..31].to_vec())), false),
        (Public::PasskeyEd25519(Bytes(long)), false),
        // A point of small order: signatures under it hold for anybody.
        (Public::Ed25519(Bytes(neutral.clone())), false),
        (Public::PasskeyEd25519(Bytes(neutral)), false),
    ] {
        let key = Key { public: public.clone(), revoked: false, counter: 0 };
        let is = directory(|world| drop(world.person("sue").keys.insert("new".into(), key)));
        assert_eq!(is, good, "{public:?}");
    }
}

#[test]
fn a_house_is_bounded() {
    for (count, good) in [(KEYS_MAX - 1, true), (KEYS_MAX, true), (KEYS_MAX + 1, false)] {
        let key = |number: usize| {
            let public = Public::Ed25519(point_of_ed25519(&ed25519(&number.to_string())));
            (KeyId(number.to_string()), Key { public, revoked: false, counter: 0 })
        };
        assert_eq!(directory(|world| world.person("ann").keys = (0..count).map(key).collect()), good, "{count} keys");
        let roles = (0..count).map(|number| number.to_string());
        assert_eq!(directory(|world| world.person("ann").roles = roles.collect()), good, "{count} roles");
        let sign_in =
            (0..count).map(|number| (KeyId(number.to_string()), point_of_ed25519(&ed25519(&number.to_string()))));
        assert_eq!(directory(|world| world.house.sign_in = sign_in.collect()), good, "{count} keys for signing in");
    }
    for (count, good) in [(PERSONS_MAX - 1, true), (PERSONS_MAX, true), (PERSONS_MAX + 1, false)] {
        let persons = (0..count).map(|number| (PersonId(number.to_string()), Person::default())).collect();
        assert_eq!(People::new(House::default(), persons).is_ok(), good, "{count}");
    }
}

#[test]
fn counters_are_remembered() {
    let mut request = open(ask(1, &[]));
    let mut people = World::new().people();
    let counter = |people: &People, name: &str| people.active(&id(name)).unwrap().keys.values().next().unwrap().counter;
    for (what, told, kept) in [(What::Approve, 7, 7), (What::Approve, 3, 7), (What::Deny, 8, 8), (What::Revoke, 9, 9)] {
        let statement = statement(&request, "pia", what, LOOKED);
        let proof = Proof::Passkey(Answer::to(&statement).of("pia"));
        let signed = Signed { statement, proof };
        let happened = match what {
            What::Approve => Happened::Approved(Box::new(Vote {
                signed,
                counter: told,
                roles: BTreeSet::new(),
                dwell_ms: 0,
                hurried: false,
                decoy: false,
                marks: BTreeSet::new(),
            })),
            What::Deny => Happened::Denied(Box::new(Stop { signed, counter: told, decoy: false })),
            What::Revoke => Happened::Revoked(Box::new(Stop { signed, counter: told, decoy: false })),
        };
        people.apply(&request.record(LOOKED, happened));
        assert_eq!((counter(&people, "pia"), counter(&people, "pod")), (kept, 0), "{what:?}");
    }
    // An assertion of before does not hold any more; the next one does.
    let mut world = World::new();
    world.key("pia").counter = 9;
    assert_eq!(approve(&mut request, &mut world, "pia", LOOKED), Err(Refusal::Assertion(AssertionError::Counter)));
    people.apply(&request.record(LOOKED, Happened::Expired));
    assert_eq!(counter(&people, "pia"), 9);
    assert_eq!(people.active(&id("out")).err(), Some(Refusal::PersonInactive));
    assert_eq!(people.active(&id("zoe")).err(), Some(Refusal::PersonUnknown));
}

#[test]
fn the_counter_of_nobody_is_not_remembered() {
    let request = open(ask(1, &[]));
    let before = World::new().people();
    let changes: [fn(&mut Signed); 2] = [
        |signed| signed.statement.person = id("zoe"),
        |signed| {
            let Proof::Passkey(assertion) = &mut signed.proof else { panic!("a passkey") };
            assertion.key = "key-zoe".into();
        },
    ];
    for change in changes {
        let mut signed = signed(&request, "pia", What::Deny, LOOKED);
        change(&mut signed);
        let mut people = before.clone();
        let stop = Stop { signed, counter: 9, decoy: false };
        people.apply(&request.record(LOOKED, Happened::Denied(Box::new(stop))));
        assert_eq!(people, before);
    }
}
