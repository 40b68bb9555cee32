//! What is a leaf, and what is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use watchfloor_ledger::{
    Draft, KINDS, Kind, LEAF_BYTES_MAX, LeafError, Log, LogError, NAME_BYTES_MAX, SEQUENCE_MAX, TIME_MAX, read_draft,
    read_leaf,
};

const NAMES: (&str, &str, &str) = ("acme", "agent:triage", "ada");

fn detail(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn draft(names: (&str, &str, &str), time: i64, value: Value) -> Result<Draft, LeafError> {
    Draft::new(Kind::Decision, names, time, &detail(value))
}

/// The bytes of the first leaf of a log.
fn first(draft: &Draft) -> String {
    String::from_utf8(Log::default().append(draft).unwrap().bytes).unwrap()
}

#[test]
fn a_leaf_is_canonical() {
    let written = first(
        &draft(
            NAMES,
            1_767_225_600_000,
            json!({"z": [1, 2.50, -0.0, 1e-7], "a": "é\u{1}\"/", "\u{fb33}": null, "😀": true}),
        )
        .unwrap(),
    );
    let expected = "{\"accountable\":\"ada\",\"actor\":\"agent:triage\",\"detail\":{\"a\":\"é\\u0001\\\"/\",\"z\":[1,2.5,0,1e-7],\"😀\":true,\"\u{fb33}\":null},\"format\":1,\"kind\":\"decision\",\"sequence\":0,\"tenant\":\"acme\",\"tenant_sequence\":0,\"time\":1767225600000}";
    assert_eq!(written, expected);
    let leaf = read_leaf(written.as_bytes()).unwrap();
    assert_eq!(
        (leaf.kind, leaf.tenant.as_str(), leaf.actor.as_str(), leaf.accountable.as_str()),
        (Kind::Decision, "acme", "agent:triage", "ada")
    );
    assert_eq!((leaf.time, leaf.sequence, leaf.tenant_sequence), (1_767_225_600_000, 0, 0));
    assert_eq!(leaf.detail["a"], "é\u{1}\"/");
}

#[test]
fn kinds_are_closed() {
    let names: Vec<&str> = KINDS.iter().map(|(_, name)| *name).collect();
    let due = [
        "decision",
        "approval",
        "revocation",
        "intent",
        "started",
        "outcome",
        "undo",
        "halt",
        "resume",
        "drill",
        "promotion",
        "demotion",
        "policy",
        "suppression",
        "sign-in",
        "export",
        "query",
        "verdict",
        "shadow",
    ];
    assert_eq!(names, due);
    for (kind, name) in KINDS {
        assert_eq!((kind.as_str(), Kind::named(name)), (*name, Some(*kind)));
        let draft = Draft::new(*kind, NAMES, 0, &Map::new()).unwrap();
        assert_eq!(read_leaf(first(&draft).as_bytes()).unwrap().kind, *kind);
    }
    for stranger in ["", "Decision", "decisions", "note"] {
        assert_eq!(Kind::named(stranger), None);
    }
}

#[test]
fn drafts() {
    let good = json!({"kind": "halt", "tenant": "acme", "actor": "ada", "accountable": "ada", "time": 5, "detail": {"all": true}});
    let with = |name: &str, value: Value| {
        let mut members = detail(good.clone());
        members.insert(name.into(), value);
        Value::Object(members).to_string()
    };
    let without = |name: &str| {
        let mut members = detail(good.clone());
        members.remove(name);
        Value::Object(members).to_string()
    };
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    let table = [
        (good.to_string(), "ok"),
        (format!(" {good}\r\n"), "ok"),
        (with("detail", json!({})), "ok"),
        (with("detail", json!({"n": 9_007_199_254_740_991_u64, "m": -9_007_199_254_740_991_i64, "f": 1.5})), "ok"),
        (with("detail", json!({"n": 9_007_199_254_740_992_u64})), "leaf.json"),
        (with("detail", json!({"n": [-9_007_199_254_740_992_i64]})), "leaf.json"),
        (with("detail", json!([])), "leaf.member"),
        (with("detail", json!(null)), "leaf.member"),
        (with("kind", json!("note")), "leaf.kind"),
        (with("kind", json!(1)), "leaf.member"),
        (with("tenant", json!("")), "leaf.name"),
        (with("actor", json!("a\nb")), "leaf.name"),
        (with("accountable", json!(long)), "leaf.name"),
        (with("accountable", json!(null)), "leaf.member"),
        (with("time", json!(-1)), "leaf.time"),
        (with("time", json!(1.0)), "leaf.member"),
        (with("time", json!("5")), "leaf.member"),
        (with("sequence", json!(1)), "leaf.member"),
        (with("note", json!(1)), "leaf.member"),
        (without("kind"), "leaf.member"),
        (without("tenant"), "leaf.member"),
        (without("actor"), "leaf.member"),
        (without("accountable"), "leaf.member"),
        (without("time"), "leaf.member"),
        (without("detail"), "leaf.member"),
        (good.to_string().replace(r#""time":5"#, r#""time":5,"time":5"#), "leaf.json"),
        (good.to_string().replace(r#"{"all":true}"#, r#"{"a":{"b":1,"b":2}}"#), "leaf.json"),
        ("[]".into(), "leaf.json"),
        (String::new(), "leaf.json"),
        (format!("{good} 1"), "leaf.json"),
        (format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000)), "leaf.json"),
    ];
    for (text, expected) in table {
        let found = read_draft(text.as_bytes());
        assert_eq!(found.as_ref().map_or_else(LeafError::code, |_| "ok"), expected, "{text}: {found:?}");
    }
    assert_eq!(read_draft(with("note", json!(1)).as_bytes()), Err(LeafError::Member("note".into())));
    assert_eq!(read_draft(good.to_string().as_bytes()).unwrap().tenant(), "acme");
}

#[test]
fn limits() {
    for (time, is_good) in
        [(-1, false), (0, true), (1, true), (TIME_MAX - 1, true), (TIME_MAX, true), (TIME_MAX + 1, false)]
    {
        let expected = if is_good { None } else { Some(LeafError::Time) };
        assert_eq!(draft(NAMES, time, json!({})).err(), expected, "{time}");
    }
    for (bytes, is_good) in
        [(0, false), (1, true), (NAME_BYTES_MAX - 1, true), (NAME_BYTES_MAX, true), (NAME_BYTES_MAX + 1, false)]
    {
        let name = "n".repeat(bytes);
        for (names, member) in [
            ((name.as_str(), "b", "c"), "tenant"),
            (("a", name.as_str(), "c"), "actor"),
            (("a", "b", name.as_str()), "accountable"),
        ] {
            let expected = if is_good { None } else { Some(LeafError::Name(member)) };
            assert_eq!(draft(names, 0, json!({})).err(), expected, "{member} {bytes}");
        }
    }
    // The numbers of a leaf may grow to 16 digits each; a draft leaves room for them.
    let empty = first(&draft(NAMES, 0, json!({"t": ""})).unwrap()).len() - 2;
    for (bytes, is_good) in [(LEAF_BYTES_MAX - 1, true), (LEAF_BYTES_MAX, true), (LEAF_BYTES_MAX + 1, false)] {
        let text = "t".repeat(bytes - empty - 32);
        let expected = if is_good { None } else { Some(LeafError::TooLarge) };
        assert_eq!(draft(NAMES, 0, json!({"t": text})).err(), expected, "{bytes}");
    }
    let text = "t".repeat(LEAF_BYTES_MAX - empty - 30);
    assert_eq!(
        read_leaf(
            first(&draft(NAMES, 0, json!({"t": ""})).unwrap()).replace("\"\"", &format!("\"{text}\"")).as_bytes()
        ),
        Err(LeafError::TooLarge)
    );
    assert_eq!(read_leaf(&vec![b' '; LEAF_BYTES_MAX + 1]), Err(LeafError::TooLarge));
    assert!(matches!(read_leaf(&vec![b' '; LEAF_BYTES_MAX]), Err(LeafError::Json(_))));
    assert_eq!(SEQUENCE_MAX, 9_007_199_254_740_991);
    for (value, expected) in [
        (json!({"n": SEQUENCE_MAX + 1}), Some(LeafError::Number)),
        (json!({"n": 9_007_199_254_740_992.0}), Some(LeafError::Number)),
        (json!({"n": -1e300}), Some(LeafError::Number)),
        (json!({"n": [{"m": -(SEQUENCE_MAX as i64) - 1}]}), Some(LeafError::Number)),
        (json!({"n": SEQUENCE_MAX, "m": -(SEQUENCE_MAX as i64), "f": -9007199254740991.0}), None),
    ] {
        assert_eq!(draft(NAMES, 0, value).err(), expected);
    }
}

#[test]
fn only_the_canonical_form_is_a_leaf() {
    let good = first(&draft(NAMES, 5, json!({"a": 1, "b": "é"})).unwrap());
    assert!(read_leaf(good.as_bytes()).is_ok());
    let table = [
        (good.replace(":1,", ": 1,"), LeafError::Canonical),
        (good.replace("\"a\":1", "\"a\":1.0"), LeafError::Canonical),
        (good.replace('é', "\\u00e9"), LeafError::Canonical),
        (
            good.replace("\"format\":1,", "").replace("{\"accountable\"", "{\"format\":1,\"accountable\""),
            LeafError::Canonical,
        ),
        (good.replace("\"time\":5", "\"time\":5,\"z\":0"), LeafError::Canonical),
        (good.replace("\"format\":1", "\"format\":2"), LeafError::Member("format".into())),
        (good.replace("\"sequence\":0", "\"sequence\":-1"), LeafError::Member("sequence".into())),
        (
            good.replace("\"tenant_sequence\":0", "\"tenant_sequence\":null"),
            LeafError::Member("tenant_sequence".into()),
        ),
        (good.replace("decision", "decisions"), LeafError::Kind("decisions".into())),
        (good.replace("\"actor\":\"agent:triage\",", ""), LeafError::Member("actor".into())),
        (good.replace("\"accountable\":\"ada\",", ""), LeafError::Member("accountable".into())),
        (good.replace("\"tenant\":\"acme\"", "\"tenant\":\"\""), LeafError::Name("tenant")),
    ];
    for (text, expected) in table {
        assert_ne!(text, good);
        assert_eq!(read_leaf(text.as_bytes()), Err(expected), "{text}");
    }
}

#[test]
fn what_is_told() {
    let table = [
        (LeafError::Json("x".into()), "leaf.json", "no JSON object: x"),
        (LeafError::Member("m".into()), "leaf.member", "`m` is missing"),
        (LeafError::Kind("k\n".into()), "leaf.kind", "no kind `k\\n`"),
        (LeafError::Name("actor"), "leaf.name", "`actor` takes 1 to 256 bytes"),
        (LeafError::Time, "leaf.time", "253402300799999"),
        (LeafError::Number, "leaf.number", "write it as text"),
        (LeafError::TooLarge, "leaf.too_large", "more than 65535 bytes"),
        (LeafError::Canonical, "leaf.canonical", "RFC 8785"),
    ];
    for (error, code, text) in table {
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn numbers_of_leaves_and_of_tenants() {
    let mut log = Log::default();
    let tenants = ["a", "b", "a", "a", "c", "b"];
    let mut written = Vec::new();
    for (sequence, tenant) in (0..).zip(tenants) {
        let appended = log.append(&draft((tenant, "x", "y"), 0, json!({})).unwrap()).unwrap();
        assert_eq!(appended.sequence, sequence);
        written.push(appended.bytes);
    }
    let found: Vec<u64> = written.iter().map(|leaf| read_leaf(leaf).unwrap().tenant_sequence).collect();
    assert_eq!(found, [0, 0, 1, 2, 0, 1]);
    let counts: Vec<(&str, u64)> = log.tenants().iter().map(|(tenant, count)| (tenant.as_str(), *count)).collect();
    assert_eq!(counts, [("a", 3), ("b", 2), ("c", 1)]);
    // Taking them up again gives the same log; any other order is refused.
    let mut again = Log::default();
    for leaf in &written {
        again.take_up(leaf).unwrap();
    }
    assert_eq!(again, log);
    let mut other = Log::default();
    other.take_up(&written[0]).unwrap();
    assert_eq!(other.take_up(&written[2]).err(), Some(LogError::Sequence { due: 1, found: 2 }));
    assert_eq!(other.take_up(&written[0]).err(), Some(LogError::Sequence { due: 1, found: 0 }));
    let text = String::from_utf8(written[1].clone()).unwrap().replace("\"tenant_sequence\":0", "\"tenant_sequence\":1");
    let error = other.take_up(text.as_bytes()).unwrap_err();
    assert_eq!(error, LogError::TenantSequence { sequence: 1, due: 0, found: 1 });
    assert_eq!(other.take_up(b"{}").err(), Some(LogError::Leaf(LeafError::Member("format".into()))));
    assert_eq!(other.size(), 1);
    assert!(error.to_string().contains("leaf 1 is number 0 of its tenant"));
    assert_eq!(LogError::Sequence { due: 1, found: 2 }.to_string(), "leaf 1 says that it is leaf 2");
    assert_eq!(LogError::Leaf(LeafError::Canonical).to_string(), LeafError::Canonical.to_string());
    assert!(LogError::Full.to_string().contains("full"));
}

proptest! {
    /// What is read as a leaf is, byte for byte, what its parts are written as by the canonicalizer alone.
    #[test]
    fn a_leaf_is_its_canonical_form(tenant in "[^\\pC]{1,20}", actor in "[^\\pC]{1,20}", key in ".{0,8}", text in ".{0,40}", number in any::<f64>(), time in 0..=TIME_MAX) {
        let number = if number.abs() < 9e15 { number } else { 0.5 };
        let value = json!({key: text, "n": number, "o": {"b": [], "a": {}}});
        let draft = Draft::new(Kind::Query, (&tenant, &actor, "y"), time, &detail(value)).unwrap();
        let written = first(&draft);
        let value: Value = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(serde_json_canonicalizer::to_string(&value).unwrap(), written.clone());
        prop_assert_eq!(read_leaf(written.as_bytes()).unwrap().tenant, tenant);
    }

    #[test]
    fn any_bytes_are_a_leaf_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (read_leaf(&bytes), read_draft(&bytes));
    }
}
