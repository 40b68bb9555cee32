//! The 65 RISK-2.0 vectors under the profile of the specification, the 5 sequences under that of the reference implementation,
//! and each under the other's.

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

use serde_json::Value;
use vectors::Vectors;
use watchfloor_admission::counters::{Counters, Limits};
use watchfloor_admission::risk::{
    Context, Counts, Decision, History, Profile, Reason, Record, Request, ResourceClass, Rules, Standing, evaluate,
};

/// Members that a sequence leaves out are false there; the engine itself refuses a request that leaves one out.
fn flag(object: &Value, name: &str) -> Option<bool> {
    Some(object.get(name).and_then(Value::as_bool).unwrap_or(false))
}

fn context(input: &Value) -> Context {
    let of = |name| flag(&input["context"], name);
    Context {
        external_ip: of("external_ip"),
        off_hours: of("off_hours"),
        non_business_day: of("non_business_day"),
        geo_outside: of("geo_outside"),
        timestamp_drift: of("timestamp_drift"),
        untrusted_device: of("untrusted_device"),
    }
}

fn history(input: &Value) -> History {
    let of = |name| flag(&input["history"], name);
    History {
        denial_rate_high: of("denial_rate_high"),
        unresolved_escalations: of("unresolved_escalations"),
        recent_denial: of("recent_denial"),
        freq_anomaly: of("freq_anomaly"),
        amount_near_limit: of("amount_near_limit"),
        no_history: of("no_history"),
    }
}

fn request(input: &Value, level: u8) -> Request<'_> {
    Request {
        eval_id: "eval",
        request_id: "request",
        agent_id: input["agent_id"].as_str().unwrap(),
        tenant: "tenant",
        capability: input["capability"].as_str().unwrap(),
        resource: input["resource"].as_str().unwrap(),
        target_shape: input["resource"].as_str().unwrap(),
        resource_class: serde_json::from_value::<ResourceClass>(input["resource_class"].clone()).unwrap(),
        autonomy_level: level,
        context: context(input),
        history: history(input),
        standing: Standing::GOOD,
    }
}

fn number(object: &Value, name: &str) -> u16 {
    object[name].as_u64().unwrap() as u16
}

/// The profile with a vector's parameters.
fn with_policy(profile: &Profile, policy: &Value) -> Profile {
    let mut rules: Rules = profile.rules().clone();
    rules.anomaly.flood.threshold = number(policy, "anomaly_rule1_threshold_n");
    rules.anomaly.denials.threshold = number(policy, "anomaly_rule2_threshold_x");
    rules.anomaly.repeats.threshold = number(policy, "anomaly_rule3_threshold_y");
    rules.cooldown.trigger_denials = number(policy, "cooldown_trigger_denials");
    rules.cooldown.period_seconds = number(policy, "cooldown_period_seconds").into();
    rules.policy_hash = policy["policy_hash"].as_str().unwrap().to_owned();
    // The vectors give the thresholds of level 2 at every level; those of the level itself are meant.
    assert_eq!((number(policy, "approved_max"), number(policy, "escalated_max")), (39, 69));
    Profile::new(rules).unwrap()
}

/// What differs between a record and what a vector expects.
fn differs(record: &Record<'_>, expected: &Value) -> Option<String> {
    let found = serde_json::to_value(record).unwrap();
    let mut faults = Vec::new();
    // Where the function was not executed the record has nulls, and the vectors zeros.
    let or_zero = |value: &Value| if value.is_null() { Value::from(0) } else { value.clone() };
    for (name, points) in expected["factors"].as_object().unwrap() {
        if or_zero(&found["factors"][name]) != *points {
            faults.push(format!("{name} {} not {points}", found["factors"][name]));
        }
    }
    for name in ["rs_raw", "rs_final", "decision"] {
        if or_zero(&found[name]) != expected[name] {
            faults.push(format!("{name} {} not {}", found[name], expected[name]));
        }
    }
    for (name, fired) in expected["anomaly_detail"].as_object().unwrap() {
        if found["anomaly_detail"][name] != *fired {
            faults.push(format!("{name} is {}", found["anomaly_detail"][name]));
        }
    }
    if let Some(reason) = expected.get("denied_reason")
        && found["denied_reason"] != *reason
    {
        faults.push(format!("reason {} not {reason}", found["denied_reason"]));
    }
    (!faults.is_empty()).then(|| faults.join(", "))
}

fn single(vectors: &Vectors, profile: &Profile) -> (usize, usize) {
    let files = vectors.read("risk-2.0", "TS-RISK2");
    let mut passed = 0;
    for (name, vector) in &files {
        let (input, policy) = (&vector["input"], &vector["policy"]);
        let profile = with_policy(profile, policy);
        let anomaly = &input["anomaly"];
        let counts = Counts {
            flood: number(anomaly, "rule1_count"),
            denials: number(anomaly, "rule2_count"),
            repeats: number(anomaly, "rule3_count"),
            cooldown_active: anomaly["cooldown_active"].as_bool().unwrap(),
            ..Counts::NONE
        };
        let record = evaluate(&profile, &request(input, number(policy, "autonomy_level") as u8), &counts);
        assert!(record.recomputes(&profile), "{name}");
        match differs(&record, &vector["expected"]) {
            None => passed += 1,
            Some(faults) => println!("{}: {name}: {faults}", profile.rules().name),
        }
    }
    (passed, files.len())
}

fn sequences(vectors: &Vectors, profile: &Profile) -> (usize, usize) {
    let files = vectors.read("sequence", "");
    let mut passed = 0;
    for (name, vector) in &files {
        let mut counters = Counters::new(Limits { scopes: 100, patterns: 100 }, [1; 16]).unwrap();
        let mut faults = Vec::new();
        for (number, step) in vector["steps"].as_array().unwrap().iter().enumerate() {
            let now = 1_700_000_000_000 + number as i64 * 100;
            let record = counters.admit(profile, &request(step, 2), now);
            let expected = &step["expected"];
            let decision: Decision = serde_json::from_value(expected["decision"].clone()).unwrap();
            let reason: Option<Reason> = serde_json::from_value(expected["denied_reason"].clone()).unwrap();
            let score = expected["risk_score"].as_u64();
            let reason_fits = reason.is_none() || record.denied_reason == reason;
            if record.decision != decision || !reason_fits || score.is_some() && record.rs_final.map(u64::from) != score
            {
                faults.push(format!("step {}: {:?} {:?}", number + 1, record.decision, record.rs_final));
            }
        }
        match faults.is_empty() {
            true => passed += 1,
            false => println!("{}: {name}: {}", profile.rules().name, faults.join(", ")),
        }
    }
    (passed, files.len())
}

#[test]
fn each_suite_passes_under_its_own_profile() {
    let Some(vectors) = Vectors::unpack() else { return };
    let risk = single(&vectors, &Profile::spec());
    let sequence = sequences(&vectors, &Profile::go());
    println!(
        "RISK-2.0 under acp-risk-2.0-spec: {} of {}; sequences under acp-risk-go-1.30: {} of {}",
        risk.0, risk.1, sequence.0, sequence.1
    );
    assert_eq!((risk, sequence), ((65, 65), (5, 5)));
}

/// The contradiction of the source, measured: no table of weights passes both.
#[test]
fn neither_profile_passes_the_other_suite() {
    let Some(vectors) = Vectors::unpack() else { return };
    let (risk, sequence) = (single(&vectors, &Profile::go()), sequences(&vectors, &Profile::spec()));
    println!(
        "RISK-2.0 under acp-risk-go-1.30: {} of {}; sequences under acp-risk-2.0-spec: {} of {}",
        risk.0, risk.1, sequence.0, sequence.1
    );
    assert_eq!((risk, sequence), ((48, 65), (3, 5)));
}
