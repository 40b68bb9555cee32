//! The 73 signed vectors. `docs/acp-deviations.md` has a row for every place where the source needs help.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it counted"
)]

mod vectors;

use std::collections::BTreeMap;

use serde_json::Value;
use vectors::Vectors;
use watchfloor_admission::tokens::capability::{self, Trust};
use watchfloor_admission::tokens::execution::{self, Consumed};
use watchfloor_admission::tokens::handshake::{self, Challenges};
use watchfloor_admission::tokens::signature::{SigningKey, VerifyingKey, did_key, public_key, sign};
use watchfloor_admission::tokens::{Coded, Refused, delegation, ledger_view, policy_context, provenance, reputation};

/// Constants that the vectors of PCTX and PROV are checked against and that stand in no vector.
const PCTX_EXECUTION: &str = "et-pctx-test-0000-0000-0001";
const PCTX_POLICY: &str = "373f4248f70c22b101858873f511dd4e6cd1584310e994f233ef6a3bbe546005";
const PROV_EXECUTIONS: [&str; 2] = ["et-prov-test-0000-0000-0001", "et-prov-test-0000-0000-0002"];

/// Codes that were found, the first one first.
type Codes = Vec<&'static str>;

fn codes<T, C: Coded>(result: Result<T, Refused<C>>) -> Codes {
    result.err().iter().flat_map(Refused::faults).map(Coded::code).collect()
}

fn text<'v>(object: &'v Value, name: &str) -> &'v str {
    object[name].as_str().unwrap()
}

fn institution(vector: &Value) -> VerifyingKey {
    let name =
        if vector["input"].get("issuer_public_key").is_some() { "issuer_public_key" } else { "institution_public_key" };
    public_key(text(&vector["input"], name)).unwrap()
}

fn trust(context: &Value) -> Trust {
    let texts =
        |name: &str| context[name].as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned());
    Trust {
        issuers: texts("trusted_issuers").map(|did| (did.clone(), did_key(&did).unwrap())).collect(),
        revoked: texts("revocation_list").collect(),
        now: context["current_time"].as_i64().unwrap(),
    }
}

fn core(vector: &Value) -> Codes {
    codes(capability::verify(&vector["input"]["capability"], &trust(&vector["context"])))
}

/// The capability's own signature is over the placeholder, and checks; the delegation's signature is the placeholder (caveat 1).
fn dcma(vector: &Value) -> Codes {
    let token = &vector["input"]["capability"];
    let signed = codes(capability::verify(token, &trust(&vector["context"])));
    let registry = serde_json::from_value(vector["context"]["delegation_registry"].clone()).unwrap();
    let delegated = codes(delegation::check(token, &registry));
    signed.into_iter().chain(delegated).collect()
}

/// The capability token in it is a copy whose signature is another token's (caveat 2): only the proof counts.
fn hp(vector: &Value) -> Codes {
    let (input, context) = (&vector["input"], &vector["context"]);
    let mut challenges = Challenges::default();
    for (id, challenge) in context["challenge_registry"].as_object().unwrap() {
        assert!(challenges.insert(id, serde_json::from_value(challenge.clone()).unwrap()));
    }
    let keys: BTreeMap<String, VerifyingKey> = context["agent_registry"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(agent, entry)| Some((agent.clone(), public_key(entry["public_key"].as_str()?)?)))
        .collect();
    let request = &input["request"];
    let bound = handshake::Bound {
        method: text(request, "method"),
        path: text(request, "path"),
        body_hash: text(request, "body_hash"),
        subject: text(&input["capability"], "sub"),
    };
    let now = context["current_time"].as_i64().unwrap();
    codes(challenges.verify(&input["pop_token"], &bound, &keys, now))
}

/// NEG-004 says in the token that it was used, which is no part of what was signed (caveat 4): it is used up before.
fn exec(vector: &Value) -> Codes {
    let (input, key) = (&vector["input"], institution(vector));
    let mut token = input["token"].clone();
    let state = token.as_object_mut().unwrap().remove("_test_state");
    let expect = |member: &str, own: &str| input.get(member).unwrap_or(&token[own]).as_str().unwrap().to_owned();
    let (agent, resource) = (expect("expected_agent_id", "agent_id"), expect("expected_resource", "resource"));
    let parameters = expect("expected_params_hash", "action_parameters_hash");
    let expected = execution::Expected { agent_id: &agent, resource: &resource, parameters_hash: &parameters };
    let now = input["verify_at"].as_i64().unwrap();
    let mut consumed = Consumed::default();
    if state.is_some() {
        consumed.consume(&token, &expected, &key, now).unwrap();
    }
    codes(consumed.consume(&token, &expected, &key, now))
}

fn ledger(vector: &Value) -> Codes {
    let events = vector["input"]["events"].as_array().unwrap();
    ledger_view::verify(events, &institution(vector)).iter().map(|located| located.fault.code()).collect()
}

/// Step 2 of a chain is signed by the first agent, whose seed the documentation gives; the execution's id is not in the vector.
fn prov(vector: &Value) -> Codes {
    let (input, key) = (&vector["input"], institution(vector));
    let seed: [u8; 32] = std::array::from_fn(|place| place as u8 + 1);
    let agent = SigningKey::from_bytes(&seed).verifying_key();
    let delegators = [("org.bank.institution", key), ("agent.bank.controller", agent)];
    let delegators = delegators.map(|(name, key)| (name.to_owned(), key)).into();
    let id = text(&vector["meta"], "id");
    let bound = provenance::Bound {
        execution_id: PROV_EXECUTIONS[usize::from(id == "TS-PROV-POS-002")],
        expires_at: input["et_expires_at"].as_i64().unwrap(),
        now: input["verify_at"].as_i64().unwrap(),
    };
    codes(provenance::verify(&input["provenance"], &bound, &key, &delegators))
}

fn pctx(vector: &Value) -> Codes {
    let input = &vector["input"];
    let bound = policy_context::Bound {
        execution_id: PCTX_EXECUTION,
        issued_at: input["et_issued_at"].as_i64().unwrap(),
        expires_at: input["et_expires_at"].as_i64().unwrap(),
        policy_hash: PCTX_POLICY,
        freshness_max: input["verifier_config"]["delta_max_allowed"].as_i64().unwrap(),
    };
    codes(policy_context::verify(&input["snapshot"], &bound, &institution(vector)))
}

fn rep(vector: &Value) -> Codes {
    let now = vector["context"]["current_time"].as_i64().unwrap();
    codes(reputation::verify(&vector["input"]["snapshot"], &institution(vector), now))
}

/// Whether the codes are what a vector expects: the first, and for the ledger one of them (caveat 5).
fn fits(family: &str, expected: &Value, codes: &[&str]) -> bool {
    let Some(code) = expected["error_code"].as_str() else {
        return expected["decision"] == "VALID" && codes.is_empty();
    };
    let refused = expected["decision"] != "VALID";
    refused && if family == "LEDGER" { codes.contains(&code) } else { codes.first() == Some(&code) }
}

#[test]
fn all_signed_vectors_give_their_codes() {
    let Some(vectors) = Vectors::unpack() else { return };
    type Check = fn(&Value) -> Codes;
    let families: [(&str, usize, Check); 8] = [
        ("CORE", 8, core),
        ("DCMA", 4, dcma),
        ("HP", 10, hp),
        ("EXEC", 9, exec),
        ("LEDGER", 11, ledger),
        ("PROV", 9, prov),
        ("PCTX", 13, pctx),
        ("REP", 9, rep),
    ];
    let mut passed = 0;
    for (family, count, check) in families {
        let files = vectors.read("", &format!("TS-{family}-"));
        assert_eq!(files.len(), count, "{family}");
        let fitting = files.iter().filter(|(name, vector)| {
            let codes = check(vector);
            let fits = fits(family, &vector["expected"], &codes);
            if !fits {
                println!("{name}: {codes:?}, expected {}", vector["expected"]);
            }
            fits
        });
        let fitting = fitting.count();
        println!("{family}: {fitting} of {count}");
        passed += fitting;
    }
    println!("signed: {passed} of 73");
    assert_eq!(passed, 73);
}

/// The DCMA vector with the signature that the placeholder stands for: the documentation gives the seeds. It then passes the whole
/// verification, and the vector as it is does not.
#[test]
fn a_delegation_signed_again_passes_the_whole_verification() {
    let Some(vectors) = Vectors::unpack() else { return };
    let seed = |text: &str| {
        let bytes: Vec<u8> =
            (0..64).step_by(2).map(|place| u8::from_str_radix(&text[place..place + 2], 16).unwrap()).collect();
        SigningKey::from_bytes(&bytes.try_into().unwrap())
    };
    let alice = seed("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4d0bd6d8");
    let files = vectors.read("", "TS-DCMA-POS-001");
    let vector = &files[0].1;
    let registry = serde_json::from_value(vector["context"]["delegation_registry"].clone()).unwrap();
    let mut token = vector["input"]["capability"].clone();
    let unsigned = codes(delegation::verify(&token, &registry, &alice.verifying_key()));
    assert_eq!(unsigned, ["INVALID_SIGNATURE"]);
    let signature = sign(&alice, &token["delegation"], "delegation_signature").unwrap();
    token["delegation"]["delegation_signature"] = signature.into();
    assert_eq!(codes(delegation::verify(&token, &registry, &alice.verifying_key())), Codes::new());
    let institution = seed("9d61b19deffd59985ba34a442fa1c54cd044c9c565b66f2699171d66c9682252");
    let trust = trust(&vector["context"]);
    assert_eq!(
        codes(capability::verify(&token, &trust)),
        ["INVALID_SIGNATURE"],
        "the delegation is signed over as well"
    );
    token["signature"] = sign(&institution, &token, "signature").unwrap().into();
    assert_eq!(codes(capability::verify(&token, &trust)), Codes::new());
}
