//! Answers: slices change nothing, errors deny, limits hold.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a failing test may stop anywhere; tables are written out; what is skipped is said"
)]

use proptest::prelude::*;
use watchfloor_policy::vocabulary::{PrincipalKind, TargetKind, VERBS};
use watchfloor_policy::{
    BOUNDS, Circumstances, MAX_ROLES, MAX_TAGS, MAX_TENANTS, MAX_TEXT, Policies, Principal, Request, Source, Target,
    Verdict,
};

fn read(text: &str) -> Policies {
    let (policies, findings) = Policies::read(&[Source { name: "test.cedar".to_owned(), text: text.to_owned() }]);
    policies.unwrap_or_else(|| panic!("{findings:#?}\n{text}"))
}

fn request(verb: &str, kind: TargetKind) -> Request {
    Request {
        principal: Principal { kind: PrincipalKind::Agent, id: "p1".into(), roles: vec![], tenants: vec!["t1".into()] },
        verb: verb.to_owned(),
        target: Target {
            kind,
            id: "x1".into(),
            tenant: "t1".into(),
            tier: 2,
            tags: vec![],
            owner: String::new(),
            site: String::new(),
        },
        circumstances: Circumstances {
            level: 2,
            risk: 10,
            alert_class: String::new(),
            trust: 2,
            hour: 3,
            targets: 1,
            lease_minutes: 5,
            tag: String::new(),
        },
    }
}

/// Names so few that requests and scopes meet often.
fn name(letter: char) -> impl Strategy<Value = String> {
    (1..=3).prop_map(move |n| format!("{letter}{n}"))
}

/// Any scope that Cedar has, with conditions that hold, do not hold, or fail.
fn policy() -> impl Strategy<Value = String> {
    let who = prop_oneof![
        Just("principal".to_owned()),
        prop::sample::select(PrincipalKind::ALL).prop_map(|kind| format!("principal is {}", kind.name())),
        (prop::sample::select(PrincipalKind::ALL), name('r'))
            .prop_map(|(kind, role)| format!("principal is {} in Role::\"{role}\"", kind.name())),
        name('r').prop_map(|role| format!("principal in Role::\"{role}\"")),
        (prop::sample::select(PrincipalKind::ALL), name('p'))
            .prop_map(|(kind, id)| format!("principal == {}::\"{id}\"", kind.name())),
    ];
    let verb = prop_oneof![
        Just("action".to_owned()),
        Just("action in Action::\"effect\"".to_owned()),
        Just("action in [Action::\"record\", Action::\"isolate_host\"]".to_owned()),
        Just("action == Action::\"add_tag\"".to_owned()),
        Just("action in Action::\"irreversible\"".to_owned()),
    ];
    // Add_tag fits every kind of target; the other scopes name no kind that a verb could not fit.
    let what = prop_oneof![
        Just("resource".to_owned()),
        name('t').prop_map(|tenant| format!("resource in Tenant::\"{tenant}\"")),
        name('t').prop_map(|tenant| format!("resource is Host in Tenant::\"{tenant}\"")),
        name('x').prop_map(|id| format!("resource == Host::\"{id}\"")),
        name('x').prop_map(|id| format!("resource in Account::\"{id}\"")),
    ];
    let when = prop_oneof![
        Just(String::new()),
        Just(" when { resource.tier >= 2 }".to_owned()),
        Just(" when { context.level == 3 || resource.tags.contains(\"telemetry\") }".to_owned()),
        Just(" unless { resource in principal.tenants }".to_owned()),
        Just(" when { context.hour * 600000000000000000 >= 0 }".to_owned()),
    ];
    let word = prop_oneof![Just("permit"), Just("forbid")];
    (word, who, verb, what, when)
        .prop_map(|(word, who, verb, what, when)| format!("{word} ({who}, {verb}, {what}){when};"))
}

fn any_request() -> impl Strategy<Value = Request> {
    let shapes: Vec<(&str, TargetKind)> =
        VERBS.iter().flat_map(|verb| verb.kinds.iter().map(|kind| (verb.name, *kind))).collect();
    let principal = (
        prop::sample::select(PrincipalKind::ALL),
        name('p'),
        prop::collection::vec(name('r'), 0..3),
        prop::collection::vec(name('t'), 0..3),
    );
    let target = (name('x'), name('t'), 0..=3i64, prop::bool::ANY);
    (prop::sample::select(shapes), principal, target, 0..=4i64, 0..=23i64).prop_map(
        |(shape, principal, target, level, hour)| {
            let mut request = request(shape.0, shape.1);
            (request.principal.kind, request.principal.id, request.principal.roles, request.principal.tenants) =
                principal;
            (request.target.id, request.target.tenant, request.target.tier) = (target.0, target.1, target.2);
            request.target.tags = if target.3 { vec!["telemetry".to_owned()] } else { vec![] };
            (request.circumstances.level, request.circumstances.hour) = (level, hour);
            request
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// The answer of the slices is that of the whole set: verdict, deciding policies, errors.
    #[test]
    fn slicing_never_changes_an_answer(
        policies in prop::collection::vec(policy(), 1..40),
        requests in prop::collection::vec(any_request(), 30),
    ) {
        // Scopes that no request can meet are refused by the schema, rightly: those policies are left out here.
        let text = |policies: &[(usize, &String)]| -> String {
            policies.iter().map(|(place, policy)| format!("@id(\"p{place}\") @why(\"test\") {policy}\n")).collect()
        };
        let all: Vec<(usize, &String)> = policies.iter().enumerate().collect();
        let (_, findings) = Policies::read(&[Source { name: "t".to_owned(), text: text(&all) }]);
        let refused: Vec<String> = findings.into_iter().filter(|f| f.is_error()).filter_map(|f| f.policy).collect();
        let kept: Vec<(usize, &String)> = all.into_iter().filter(|(place, _)| !refused.contains(&format!("p{place}"))).collect();
        let set = read(&text(&kept));
        for request in &requests {
            prop_assert_eq!(set.ask(request), set.ask_whole(request), "{}", request);
        }
    }
}

const PERMIT: &str = "@id(\"all\") @why(\"all\") permit (principal, action, resource);\n";

/// Cedar skips a forbid that fails; here it denies, also beside a permit, and so does a permit that fails.
#[test]
fn an_error_denies() {
    for word in ["forbid", "permit"] {
        let fails = format!(
            "{PERMIT}@id(\"fails\") @why(\"overflow\") {word} (principal, action, resource)\nwhen {{ context.hour * 4000000000000000000 > 0 }};"
        );
        let set = read(&fails);
        let mut asked = request("isolate_host", TargetKind::Host);
        let answer = set.ask(&asked);
        assert_eq!(answer.verdict, Verdict::Error);
        assert_eq!(answer.errors.len(), 1);
        assert_eq!(answer.errors[0].0, "fails");
        assert!(answer.errors[0].1.contains("overflow"), "{}", answer.errors[0].1);
        // Where it can be evaluated it means what it says.
        asked.circumstances.hour = 1;
        assert_eq!(set.ask(&asked).verdict, if word == "forbid" { Verdict::Forbid } else { Verdict::Allow });
    }
}

#[test]
fn verdicts_name_who_decides() {
    let no = "@id(\"no-hosts\") @why(\"no\") forbid (principal, action, resource is Host);\n";
    let table: &[(&str, &str, TargetKind, Verdict, &[&str])] = &[
        (PERMIT, "isolate_host", TargetKind::Host, Verdict::Allow, &["all"]),
        (&format!("{PERMIT}{no}"), "isolate_host", TargetKind::Host, Verdict::Forbid, &["no-hosts"]),
        (&format!("{PERMIT}{no}"), "block_domain", TargetKind::Domain, Verdict::Allow, &["all"]),
        (no, "block_domain", TargetKind::Domain, Verdict::NoPermit, &[]),
        (no, "isolate_host", TargetKind::Host, Verdict::Forbid, &["no-hosts"]),
        ("", "isolate_host", TargetKind::Host, Verdict::NoPermit, &[]),
    ];
    for (text, verb, kind, verdict, by) in table {
        let answer = read(text).ask(&request(verb, *kind));
        assert_eq!(
            (answer.verdict, answer.policies.iter().map(String::as_str).collect::<Vec<_>>()),
            (*verdict, by.to_vec()),
            "{text}"
        );
    }
}

/// What is no request is refused before any policy sees it, whatever is permitted.
#[test]
fn every_limit_at_and_beside_it() {
    let set = read(PERMIT);
    let verdict = |change: &dyn Fn(&mut Request)| {
        let mut asked = request("isolate_host", TargetKind::Host);
        change(&mut asked);
        let (sliced, whole) = (set.ask(&asked), set.ask_whole(&asked));
        assert_eq!(sliced, whole);
        sliced.verdict
    };
    for (name, least, most) in BOUNDS {
        for (value, expected) in [
            (least - 1, Verdict::Error),
            (*least, Verdict::Allow),
            (least + 1, Verdict::Allow),
            (most - 1, Verdict::Allow),
            (*most, Verdict::Allow),
            (most + 1, Verdict::Error),
        ] {
            let found = verdict(&|asked| match *name {
                "resource.tier" => asked.target.tier = value,
                "context.level" => asked.circumstances.level = value,
                "context.risk" => asked.circumstances.risk = value,
                "context.trust" => asked.circumstances.trust = value,
                "context.hour" => asked.circumstances.hour = value,
                "context.targets" => asked.circumstances.targets = value,
                "context.lease_minutes" => asked.circumstances.lease_minutes = value,
                other => panic!("{other}"),
            });
            assert_eq!(found, expected, "{name} {value}");
        }
    }
    type Change<'a> = &'a dyn Fn(&mut Request, usize);
    let lists: &[(&str, usize, Change)] = &[
        ("roles", MAX_ROLES, &|asked, n| asked.principal.roles = (0..n).map(|n| n.to_string()).collect()),
        ("tenants", MAX_TENANTS, &|asked, n| asked.principal.tenants = (0..n).map(|n| n.to_string()).collect()),
        ("tags", MAX_TAGS, &|asked, n| asked.target.tags = (0..n).map(|n| n.to_string()).collect()),
        ("id", MAX_TEXT, &|asked, n| asked.principal.id = "x".repeat(n)),
        ("target", MAX_TEXT, &|asked, n| asked.target.id = "x".repeat(n)),
        ("tenant", MAX_TEXT, &|asked, n| asked.target.tenant = "x".repeat(n)),
        ("owner", MAX_TEXT, &|asked, n| asked.target.owner = "x".repeat(n)),
        ("site", MAX_TEXT, &|asked, n| asked.target.site = "x".repeat(n)),
        ("class", MAX_TEXT, &|asked, n| asked.circumstances.alert_class = "x".repeat(n)),
        ("tag", MAX_TEXT, &|asked, n| asked.circumstances.tag = "x".repeat(n)),
        ("role", MAX_TEXT, &|asked, n| asked.principal.roles = vec!["x".repeat(n)]),
    ];
    for (name, most, change) in lists {
        for (n, expected) in [(most - 1, Verdict::Allow), (*most, Verdict::Allow), (most + 1, Verdict::Error)] {
            assert_eq!(verdict(&|asked| change(asked, n)), expected, "{name} {n}");
        }
    }
    let none: &[(&str, &dyn Fn(&mut Request))] = &[
        ("empty id", &|asked| asked.principal.id.clear()),
        ("empty target", &|asked| asked.target.id.clear()),
        ("empty tenant", &|asked| asked.target.tenant.clear()),
        ("verb", &|asked| asked.verb = "stop_telemetry".to_owned()),
        ("a group", &|asked| asked.verb = "effect".to_owned()),
        ("kind", &|asked| asked.target.kind = TargetKind::Account),
    ];
    for (name, change) in none {
        assert_eq!(verdict(*change), Verdict::Error, "{name}");
    }
}

#[test]
fn requests_as_json_say_everything_and_nothing_else() {
    let asked = request("isolate_host", TargetKind::Host);
    let json = serde_json::to_value(&asked).unwrap();
    assert_eq!(serde_json::from_value::<Request>(json.clone()).unwrap(), asked);
    for pointer in ["/principal/kind", "/verb", "/target/tier", "/circumstances/tag"] {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut less = json.clone();
        less.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        assert!(serde_json::from_value::<Request>(less).is_err(), "{pointer}");
        let mut more = json.clone();
        more.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert("more".to_owned(), 1.into());
        assert!(serde_json::from_value::<Request>(more).is_err(), "{pointer}");
    }
}
