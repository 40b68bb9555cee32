//! Reading: findings with codes and places, limits, tables, and what a change changes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a failing test may stop anywhere; tables are written out; what is skipped is said"
)]

use watchfloor_policy::{
    MAX_ID, MAX_POLICIES, MAX_TEXT_BYTES, Past, Policies, Source, Table, TableError, Verdict, Way, differences,
    enumerate, preview,
};

fn read(text: &str) -> (Option<Policies>, Vec<String>) {
    let (policies, findings) = Policies::read(&[Source { name: "a.cedar".to_owned(), text: text.to_owned() }]);
    let told = findings.iter().map(|finding| {
        let place = finding.place.as_ref().map(|place| format!("{}:{}", place.line, place.column));
        format!("{} {}", finding.code, place.unwrap_or_default())
    });
    (policies, told.collect())
}

const HEAD: &str = "@id(\"a\") @why(\"w\") ";

#[test]
fn names_of_files_are_names_and_stand_there_once() {
    let named = |names: &[&str]| {
        let source = |name: &&str| Source { name: (*name).to_owned(), text: String::new() };
        let (policies, findings) = Policies::read(&names.iter().map(source).collect::<Vec<_>>());
        assert_eq!(policies.is_none(), !findings.is_empty());
        findings.first().map(|finding| finding.code)
    };
    for (names, code) in [
        (&["a.cedar", "b.cedar"][..], None),
        (&["a.cedar", "a.cedar"], Some("policy_file_name")),
        (&["a\nfile 0 b"], Some("policy_file_name")),
        (&[""], Some("policy_file_name")),
    ] {
        assert_eq!(named(names), code, "{names:?}");
    }
}

#[test]
fn files_come_out_of_the_canonical_text_again() {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let policy = |id: &str| format!("@id(\"{id}\") @why(\"w\") permit (principal, action, resource);");
    let files =
        [source("b file 3 x.cedar", &format!("{}\r\n// file 1 a\r\n", policy("b"))), source("a.cedar", &policy("a"))];
    let policies = Policies::read(&files).0.unwrap();
    let text = policies.canonical_text();
    let again = Policies::read(&Policies::files_of(&text).unwrap()).0.unwrap();
    assert_eq!((again.hash(), again.ids().collect::<Vec<_>>()), (policies.hash(), policies.ids().collect()));
    for wrong in [
        text.replace("policies 1", "policies 2"),
        text.replace("schema ", "schema 1"),
        text.replacen("entity", "entitY", 1),
        format!("{text}x"),
        format!("{text}file 9 c\n"),
        text[..text.len() - 1].to_owned(),
    ] {
        assert_ne!(wrong, text);
        assert_eq!(Policies::files_of(&wrong), None);
    }
}

#[test]
fn findings_have_codes_and_places() {
    let table: &[(&str, &[&str])] = &[
        ("permit (principal, action, resource);", &["policy_without_why 1:1", "policy_id 1:1"]),
        ("\n  @id(\"A\") @why(\"w\") permit (principal, action, resource);", &["policy_id 2:3"]),
        ("@id(\"a\") @why(\" \") permit (principal, action, resource);", &["policy_without_why 1:1"]),
        (&format!("{HEAD}permit (principal, action, resource)"), &["policy_syntax 1:56"]),
        (&format!("{HEAD}permit (principal == ?principal, action, resource);"), &["policy_template 1:1"]),
        (&format!("{HEAD}permit (principal, action, resource)\nwhen {{ resource.teir == 1 }};"), &["policy_type 2:8"]),
        (
            &format!("{HEAD}permit (principal, action, resource)\nwhen {{ resource.tier == \"1\" }};"),
            &["policy_type 2:8"],
        ),
        (&format!("{HEAD}permit (principal, action == Action::\"stop_telemetry\", resource);"), &["policy_type 1:49"]),
        (&format!("{HEAD}@guard(\"protected\") permit (principal, action, resource);"), &["policy_guard_permits 1:1"]),
        (&format!("{HEAD}@guard(\"other\") forbid (principal, action, resource);"), &["policy_guard_unknown 1:1"]),
        (&format!("{HEAD}@advice(\"x\") forbid (principal, action, resource);"), &["policy_annotation 1:1"]),
        (
            &format!("{HEAD}permit (principal, action, resource);\n{HEAD}permit (principal, action, resource);"),
            &["policy_id_twice 2:1"],
        ),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let (policies, mut found) = read(text);
        assert!(policies.is_none(), "{text}");
        // A type error may be told with what follows from it; the first is what the table says.
        found.truncate(expected.len());
        if found != *expected {
            wrong.push(format!("{text}\n  expected {expected:?}, is {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What can never match is told, and no error: the proof and the tables say the rest.
#[test]
fn what_can_never_match_is_a_warning() {
    let text = format!("{HEAD}permit (principal, action == Action::\"kill_process\", resource is Host);");
    let (policies, found) = read(&text);
    assert!(policies.is_some(), "{found:?}");
    assert!(!found.is_empty() && found.iter().all(|told| told == "policy_doubtful 1:1"), "{found:?}");
}

#[test]
fn limits_of_a_set() {
    for (length, fits) in [(MAX_ID - 1, true), (MAX_ID, true), (MAX_ID + 1, false)] {
        let text = format!("@id(\"{}\") @why(\"w\") permit (principal, action, resource);", "a".repeat(length));
        assert_eq!(read(&text).0.is_some(), fits, "id of {length}");
    }
    for (bytes, fits) in [(MAX_TEXT_BYTES - 1, true), (MAX_TEXT_BYTES, true), (MAX_TEXT_BYTES + 1, false)] {
        let policy = format!("{HEAD}permit (principal, action, resource);//");
        let text = format!("{policy}{}", "x".repeat(bytes - policy.len()));
        let (policies, found) = read(&text);
        assert_eq!((policies.is_some(), found.is_empty()), (fits, fits), "{bytes} bytes: {found:?}");
    }
    for (count, fits) in [(MAX_POLICIES - 1, true), (MAX_POLICIES, true), (MAX_POLICIES + 1, false)] {
        let one = |n: usize| {
            format!(
                "@id(\"p{n}\") @why(\"w\") permit (principal is Api, action == Action::\"close_case\", resource);\n"
            )
        };
        let (policies, found) = read(&(0..count).map(one).collect::<String>());
        assert_eq!(policies.is_some(), fits, "{count} policies: {found:?}");
        assert_eq!(found.first().map_or("", String::as_str), if fits { "" } else { "policy_too_many " });
    }
}

/// A set without guards is a set, and is not kept by anything.
#[test]
fn a_set_without_guards_is_found_out() {
    let set = read(&format!("{HEAD}permit (principal, action, resource);")).0.unwrap();
    let shown = enumerate(&set);
    let count = |code: &str| shown.findings.iter().filter(|finding| finding.code == code).count();
    assert_eq!(
        (count("guard_missing"), count("guard_broken"), shown.findings.len()),
        (5, 5, 10),
        "{:#?}",
        shown.findings
    );
    for finding in shown.findings.iter().filter(|finding| finding.code == "guard_broken") {
        let request = finding.example.as_ref().unwrap();
        assert_eq!(set.ask(request).verdict, Verdict::Allow, "{request}");
    }
}

#[test]
fn a_change_is_seen_on_the_grid_and_in_the_past() {
    let text = |most: u32| {
        format!(
            "{HEAD}permit (principal is Agent, action == Action::\"isolate_host\", resource)\nwhen {{ context.risk <= {most} && resource.site == \"lab\" }};"
        )
    };
    let (old, new) = (read(&text(60)).0.unwrap(), read(&text(61)).0.unwrap());
    let (walked, found) = differences(&old, &new);
    assert!(!walked.cut && walked.requests > 40_000);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].way, found[0].verb.as_str()), (Way::NewlyAllowed, "isolate_host"));
    assert_eq!(found[0].example.circumstances.risk, 61);
    assert_eq!(differences(&new, &old).1[0].way, Way::NewlyDenied);
    assert_eq!(differences(&old, &old).1, []);

    let past = Past { request: found[0].example.clone(), answer: old.ask(&found[0].example) };
    let changed = preview(&new, &[past.clone(), past.clone()]);
    assert_eq!(
        changed.iter().map(|change| (change.place, change.decision)).collect::<Vec<_>>(),
        [(0, true), (1, true)]
    );
    assert_eq!(preview(&old, &[past]), []);
}

#[test]
fn tables_are_read_strictly() {
    let usual = r#"{"principal":{"kind":"Api","id":"a","roles":[],"tenants":["t"]},"verb":"notify","target":{"kind":"Case","id":"c","tenant":"t","tier":2,"tags":[],"owner":"","site":""},"circumstances":{"level":0,"risk":0,"alert_class":"","trust":0,"hour":0,"targets":1,"lease_minutes":0,"tag":""}}"#;
    let table = |tests: &str| Table::read(&format!("{{\"usual\":{usual},\"tests\":[{tests}]}}"));
    let one = r#"{"name":"n","request":{"target":{"tier":1}},"expect":"allow","by":["a"]}"#;
    let read_one = table(one).unwrap();
    assert_eq!((read_one.tests[0].request.target.tier, read_one.tests[0].request.target.id.as_str()), (1, "c"));
    assert!(matches!(table(&format!("{one},{one}")), Err(TableError::Name(_))));
    assert!(matches!(table(""), Err(TableError::Count(0))));
    assert!(matches!(table(&one.replace("tier", "teir")), Err(TableError::Request { .. })));
    assert!(matches!(table(&one.replace("\"allow\"", "\"yes\"")), Err(TableError::Json(_))));
    let set = read(&format!("{HEAD}permit (principal, action, resource);")).0.unwrap();
    assert_eq!(read_one.run(&set).0, []);
    assert_eq!(table(&one.replace("allow", "forbid")).unwrap().run(&set).0.len(), 1);
    assert_eq!(table(&one.replace("[\"a\"]", "[]")).unwrap().run(&set).0.len(), 1);
}
