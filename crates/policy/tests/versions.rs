//! Versions: two different people, over these very policies, after the version before.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a failing test may stop anywhere; tables are written out; what is skipped is said"
)]

use ed25519_dalek::{Signer as _, SigningKey};
use watchfloor_policy::vocabulary::PrincipalKind;
use watchfloor_policy::{Activation, Policies, Signer, Source, Version};

const TEXT: &str = "// all\n@id(\"all\") @why(\"all\")\npermit (principal, action, resource);\n";

fn read(files: &[(&str, &str)]) -> Policies {
    let sources: Vec<Source> =
        files.iter().map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() }).collect();
    Policies::read(&sources).0.unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn signers() -> Vec<Signer> {
    let one = |id: &str, kind, may_activate, seed: u8| Signer {
        id: id.to_owned(),
        kind,
        may_activate,
        key: key(seed).verifying_key().to_bytes(),
    };
    vec![
        one("anna", PrincipalKind::Person, true, 1),
        one("ben", PrincipalKind::Person, true, 2),
        one("anna-again", PrincipalKind::Person, true, 1),
        one("carl", PrincipalKind::Person, false, 3),
        one("robot", PrincipalKind::Agent, true, 4),
        one("double", PrincipalKind::Person, true, 5),
        one("double", PrincipalKind::Person, true, 6),
    ]
}

fn signed(version: &Version, person: &str, seed: u8) -> Activation {
    let signature = key(seed).sign(&version.signed_bytes(person, 1_000)).to_bytes();
    let signature = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    Activation { person: person.to_owned(), at: 1_000, signature }
}

fn version(policies: &Policies, before: Option<&Version>, people: &[(&str, u8)]) -> Version {
    let mut version = Version {
        number: before.map_or(1, |before| before.number + 1),
        hash: policies.hash(),
        parent: before.map(Version::own_hash),
        author: "anna".to_owned(),
        activations: vec![],
    };
    version.activations = people.iter().map(|(person, seed)| signed(&version, person, *seed)).collect();
    version
}

#[test]
fn two_different_people_activate() {
    let policies = read(&[("a.cedar", TEXT)]);
    let table: &[(&[(&str, u8)], Option<&str>)] = &[
        (&[("anna", 1), ("ben", 2)], None),
        (&[("ben", 2), ("anna", 1)], None),
        (&[], Some("version_signatures")),
        (&[("anna", 1)], Some("version_signatures")),
        (&[("anna", 1), ("ben", 2), ("anna", 1)], Some("version_signatures")),
        (&[("anna", 1), ("anna", 1)], Some("version_same_person")),
        (&[("anna", 1), ("anna-again", 1)], Some("version_same_person")),
        (&[("anna", 1), ("ben", 1)], Some("version_bad_signature")),
        (&[("anna", 1), ("carl", 3)], Some("version_no_right")),
        (&[("robot", 4), ("anna", 1)], Some("version_machine")),
        (&[("anna", 1), ("nobody", 9)], Some("version_unknown_person")),
        (&[("anna", 1), ("double", 5)], Some("version_unknown_person")),
    ];
    for (people, expected) in table {
        let found = version(&policies, None, people).verify(&policies, None, &signers());
        assert_eq!(found.as_ref().err().map(|error| error.code()), *expected, "{people:?}");
    }
}

#[test]
fn every_field_is_signed() {
    let policies = read(&[("a.cedar", TEXT)]);
    let first = version(&policies, None, &[("anna", 1), ("ben", 2)]);
    let second = version(&policies, Some(&first), &[("anna", 1), ("ben", 2)]);
    assert_eq!(second.verify(&policies, Some(&first), &signers()), Ok(()));
    let table: &[(&str, &dyn Fn(&mut Version), &str)] = &[
        ("author", &|v| v.author = "eve".to_owned(), "version_bad_signature"),
        ("time", &|v| v.activations[1].at += 1, "version_bad_signature"),
        ("signature", &|v| v.activations[0].signature.replace_range(0..2, "zz"), "version_bad_signature"),
        ("short signature", &|v| v.activations[0].signature.truncate(126), "version_bad_signature"),
        (
            "swapped",
            &|v| {
                let (a, b) = v.activations.split_at_mut(1);
                std::mem::swap(&mut a[0].signature, &mut b[0].signature);
            },
            "version_bad_signature",
        ),
        ("number", &|v| v.number += 1, "version_not_next"),
        ("parent", &|v| v.parent = None, "version_not_next"),
        ("other parent", &|v| v.parent = Some(v.hash), "version_not_next"),
        ("hash", &|v| v.hash = v.own_hash(), "version_other_policies"),
    ];
    for (name, change, code) in table {
        let mut other = second.clone();
        change(&mut other);
        assert_eq!(other.verify(&policies, Some(&first), &signers()).unwrap_err().code(), *code, "{name}");
    }
    // A version is no start of its own, and no successor of another.
    assert_eq!(second.verify(&policies, None, &signers()).unwrap_err().code(), "version_not_next");
    assert_eq!(first.verify(&policies, Some(&first), &signers()).unwrap_err().code(), "version_not_next");
    let json = serde_json::to_string(&second).unwrap();
    assert_eq!(serde_json::from_str::<Version>(&json).unwrap(), second);
}

/// What people read is what is hashed: text, comments, names of files; not their order, nor the ends of lines.
#[test]
fn the_hash_is_of_the_text() {
    let hash = |files: &[(&str, &str)]| read(files).hash();
    let more = TEXT.replace("\"all\"", "\"more\"");
    let base = hash(&[("a.cedar", TEXT), ("b.cedar", &more)]);
    assert_eq!(base, hash(&[("b.cedar", &more), ("a.cedar", TEXT)]));
    assert_eq!(base, hash(&[("a.cedar", &TEXT.replace('\n', "\r\n")), ("b.cedar", &more)]));
    for other in [
        vec![("a.cedar", TEXT)],
        vec![("a.cedar", TEXT), ("c.cedar", &more)],
        vec![("a.cedar", &TEXT.replace("// all", "// All")), ("b.cedar", &more)],
        vec![("b.cedar", TEXT), ("a.cedar", &more)],
    ] {
        assert_ne!(base, hash(&other), "{other:?}");
    }
}
