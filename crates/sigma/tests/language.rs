//! The language as tables: what modifiers ask of an event, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, reads files and looks at the clock"
)]

use watchfloor_model::Grade;
use watchfloor_sigma::{CorrelationCondition, Document, Logic, Options, Part, Pattern, Predicate, Read, Test, read};

const HEAD: &str = "title: t\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\nlogsource: {product: windows}\n";

fn options() -> Options {
    let names = vec!["adm_*".to_owned(), "root".to_owned()];
    Options { placeholders: [("Admins".to_owned(), names)].into_iter().collect() }
}

fn pattern(pattern: &Pattern) -> String {
    let parts = pattern.parts.iter().map(|part| match part {
        Part::Text(text) => text.replace('\0', "␀"),
        Part::Any => "*".to_owned(),
        Part::One => "?".to_owned(),
    });
    format!("{}{}", if pattern.cased { "=" } else { "~" }, parts.collect::<String>())
}

fn shown(logic: &Logic, searches: &[Logic]) -> String {
    let list = |all: &[Logic], word: &str| {
        format!("({})", all.iter().map(|one| shown(one, searches)).collect::<Vec<_>>().join(word))
    };
    match logic {
        Logic::All(all) => list(all, " & "),
        Logic::Any(all) => list(all, " | "),
        Logic::Not(inner) => format!("!{}", shown(inner, searches)),
        Logic::Search(number) => shown(&searches[*number], searches),
        Logic::Is(Predicate { field, test }) => {
            let test = match test {
                Test::Text(text) => pattern(text),
                Test::Int(number) => number.to_string(),
                Test::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
                Test::Bool(value) => value.to_string(),
                Test::Null => "null".to_owned(),
                Test::Exists => "exists".to_owned(),
                Test::Regex(regex) => format!("/{regex}/"),
                Test::Cidr(_) => "cidr".to_owned(),
                Test::Order(order, bits) => format!("{order:?} {:?}", f64::from_bits(*bits)),
                Test::Field(other) => format!("ref {other:?}"),
                Test::Time(part, order, number) => format!("{part:?} {order:?} {number}"),
            };
            format!("{}:{test}", field.as_deref().unwrap_or(""))
        }
    }
}

/// The logic of a rule, or the code of what refuses it.
fn check(detection: &str) -> String {
    let read = read(&format!("{HEAD}detection:\n{detection}\n"), &options());
    match read.documents.first() {
        Some(Document::Rule(rule)) => shown(&rule.condition, &rule.searches),
        _ => read.findings.iter().find(|finding| finding.grade == Grade::Error).unwrap().code.to_owned(),
    }
}

/// The logic of one field.
fn field(text: &str) -> String {
    check(&format!(" s:\n  {text}\n condition: s"))
}

#[test]
fn modifiers_say_what_is_asked() {
    for (text, expected) in [
        ("A: x", "A:~x"),
        ("A: 'X*Y?'", "A:~x*y?"),
        ("A: 5", "A:5"),
        ("A: '5'", "A:~5"),
        ("A: 1.5", "A:1.5"),
        ("A: true", "A:true"),
        ("A: null", "A:null"),
        ("A:", "A:null"),
        ("A: ''", "A:~"),
        ("A: [x, 5]", "(A:~x | A:5)"),
        ("A|contains: X", "A:~*x*"),
        ("A|contains: '*X*'", "A:~*x*"),
        ("A|startswith: X", "A:~x*"),
        ("A|endswith: '\\X'", "A:~*\\x"),
        ("A|contains|cased: X", "A:=*X*"),
        ("A|contains|all: [x, y]", "(A:~*x* & A:~*y*)"),
        ("A|contains: 5", "A:~*5*"),
        ("A|neq: x", "!A:~x"),
        ("A|neq: [x, y]", "!(A:~x | A:~y)"),
        ("A|re: '^a.*b$'", "A:/^a.*b$/"),
        ("A|re|i|s: 'a.b'", "A:/(?is)a.b/"),
        ("A|re: 'a(?=b)'", "sigma.regex"),
        ("A|re: '(a{1000}){1000}'", "sigma.regex"),
        ("A|re: '('", "sigma.regex"),
        ("A|cidr: 10.0.0.0/8", "A:cidr"),
        ("A|cidr: 10.0.0.0/99", "sigma.cidr"),
        ("A|gte: 5", "A:GreaterOrEqual 5.0"),
        ("A|lt: '1.5'", "A:Less 1.5"),
        ("A|lt: x", "sigma.value"),
        ("A|exists: true", "A:exists"),
        ("A|exists: false", "!A:exists"),
        ("A|exists: 1", "sigma.value"),
        ("A|base64: foobar", "A:=Zm9vYmFy"),
        ("A|base64|contains: foo", "A:=*Zm9v*"),
        ("A|base64offset|contains: 'http://'", "(A:=*aHR0cDovL* | A:=*h0dHA6Ly* | A:=*odHRwOi8v*)"),
        ("A|wide|base64: cmd", "A:=YwBtAGQA"),
        ("A|utf16be|base64: cmd", "A:=AGMAbQBk"),
        ("A|utf16|base64: cmd", "A:=//5jAG0AZAA="),
        ("A|wide: cmd", "A:~c␀m␀d␀"),
        ("A|base64: 'a*b'", "sigma.value"),
        ("A|windash|contains: ' -f x'", "(A:~* -f x* | A:~* /f x* | A:~* –f x* | A:~* —f x* | A:~* ―f x*)"),
        ("A|windash: 'a-b'", "A:~a-b"),
        ("A|fieldref: B", "A:ref FieldReference { field: \"B\", open_start: false, open_end: false, cased: false }"),
        (
            "A|fieldref|neq: B",
            "!A:ref FieldReference { field: \"B\", open_start: false, open_end: false, cased: false }",
        ),
        ("A|expand: '%Admins%'", "(A:~adm_* | A:~root)"),
        ("A|contains|expand: 'x%Admins%'", "(A:~*xadm_* | A:~*xroot*)"),
        ("A|expand|contains: 'x%Admins%'", "(A:~*xadm_* | A:~*xroot*)"),
        ("A|expand: '\\%Admins%'", "A:~%admins%"),
        ("A: '%Admins%'", "A:~%admins%"),
        ("A|expand: '%Nobody%'", "sigma.placeholder"),
        ("A|hour: 3", "A:Hour Equal 3"),
        ("A|hour|gte: 22", "A:Hour GreaterOrEqual 22"),
        ("A|contian: x", "sigma.modifier"),
        ("A|i: x", "sigma.modifier"),
        ("A|re|cidr: x", "sigma.modifier"),
        ("A|re|expand: '%Admins%'", "sigma.modifier"),
        ("A|cidr|expand: '%Admins%'", "sigma.modifier"),
        ("A|wide|base64: '中'", "A:=LU4="),
        ("'|fieldref': B", "sigma.modifier"),
        ("'|exists': true", "sigma.modifier"),
        ("'|hour|gte': 3", "sigma.modifier"),
        ("'|contains': null", "sigma.value"),
        ("A|contains: null", "sigma.value"),
        ("A: []", "sigma.value"),
        ("A: [[x]]", "sigma.value"),
        ("A: {b: c}", "sigma.value"),
        ("'|all': [X, y]", "(:~*x* & :~*y*)"),
        ("'|re': 'x'", ":/x/"),
    ] {
        assert_eq!(field(text), expected, "{text}");
    }
}

#[test]
fn searches_are_maps_lists_and_keywords() {
    for (detection, expected) in [
        (" s: {A: 1, B: 2}\n condition: s", "(A:1 & B:2)"),
        (" s: [{A: 1}, {B: 2, C: 3}]\n condition: s", "(A:1 | (B:2 & C:3))"),
        (" s: [one, 'Two*']\n condition: s", "(:~*one* | :~*two*)"),
        (" s: [one, {A: 1}]\n condition: s", "(:~*one* | A:1)"),
        (" s: [[one, two], [{A: 1}]]\n condition: s", "((:~*one* | :~*two*) | A:1)"),
        (" s: one\n condition: s", ":~*one*"),
        (" s: {A: 1}\n f: {B: 2}\n condition: [s, s and not f]", "(A:1 | (A:1 & !B:2))"),
        (" s: {}\n condition: s", "sigma.detection"),
        (" s: []\n condition: s", "sigma.detection"),
        (" s: {A: 1}", "sigma.condition"),
        (" s: {A: 1}\n condition:", "sigma.condition"),
        (" condition: s", "sigma.detection"),
        (" s: {A: 1}\n condition: s | count() by B > 5", "sigma.aggregation"),
    ] {
        assert_eq!(check(detection), expected, "{detection}");
    }
}

fn codes(read: &Read) -> Vec<&'static str> {
    read.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn documents_are_told_apart() {
    let rule = |name: &str| {
        format!(
            "title: {name}\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\nname: {name}\nlogsource: {{product: windows}}\ndetection: {{s: {{A: 1}}, condition: s}}\n"
        )
    };
    let correlation = "title: c\nid: 929a690e-bef0-4204-a928-ef5e620d6fc0\ncorrelation:\n  type: event_count\n  rules: [a, b]\n  group-by: [User]\n  timespan: 10m\n  condition: {gte: 10, lt: 20}\n  generate: true\n";
    let filter = "title: f\nid: 929a690e-bef0-4204-a928-ef5e620d6fc1\nlogsource: {product: windows}\nfilter:\n  rules: [a]\n  selection: {User|startswith: adm_}\n  condition: selection\n";
    let read = read(&[rule("a").as_str(), correlation, filter].join("---\n"), &Options::default());
    assert_eq!((codes(&read), read.documents.len()), (vec![], 3));
    let Document::Correlation(correlation) = &read.documents[1] else { panic!() };
    let (_, correlation) = &**correlation;
    assert_eq!((correlation.timespan, correlation.generate, correlation.rules.len()), (600, true, 2));
    assert!(matches!(&correlation.condition, CorrelationCondition::Bounds(bounds) if bounds.len() == 2));
    let Document::Filter(filter) = &read.documents[2] else { panic!() };
    assert_eq!(shown(&filter.keeps, &filter.searches), "!User:~adm_*");
}

#[test]
fn correlations_are_checked() {
    let check = |body: &str| {
        let text = format!("title: c\nid: 929a690e-bef0-4204-a928-ef5e620d6fc0\ncorrelation:\n{body}\n");
        codes(&read(&text, &Options::default()))
    };
    let none: Vec<&str> = Vec::new();
    for (body, expected) in [
        ("  {type: temporal, rules: [a, b], group-by: [U], timespan: 5m}", none.clone()),
        ("  {type: temporal_ordered, rules: [a, b], timespan: 5m, condition: a and not b}", none.clone()),
        ("  {type: value_percentile, rules: [a], timespan: 1d, condition: {field: B, percentile: 95, gt: 5}}", none),
        ("  {type: value_count, rules: [a], timespan: 1d, condition: {gt: 5}}", vec!["sigma.condition"]),
        ("  {type: event_count, rules: [a], timespan: 1d}", vec!["sigma.condition"]),
        (
            "  {type: event_count, rules: [a], timespan: 1d, condition: {gte: x}}",
            vec!["sigma.condition", "sigma.condition"],
        ),
        ("  {type: event_count, rules: [a], timespan: 1y, condition: {gte: 1}}", vec!["sigma.timespan"]),
        ("  {type: event_count, rules: [a], timespan: 999d, condition: {gte: 1}}", vec!["sigma.timespan"]),
        ("  {type: event_count, rules: [a], timespan: 0s, condition: {gte: 1}}", vec!["sigma.timespan"]),
        ("  {type: count, rules: [a], timespan: 1d, condition: {gte: 1}}", vec!["sigma.correlation"]),
        ("  {type: event_count, timespan: 1d, condition: {gte: 1}}", vec!["sigma.correlation"]),
        ("  {type: temporal, rules: [a], timespan: 1d, condition: c}", vec!["sigma.unknown_search"]),
    ] {
        assert_eq!(check(body), expected, "{body}");
    }
}

#[test]
fn what_several_documents_share_is_in_each() {
    let text = "action: global\ntitle: t\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\nlogsource: {product: windows}\ndetection: {s: {A: 1}}\n\
                ---\ndetection: {condition: s}\n---\naction: repeat\ndetection: {s: {A: 2}}\n---\naction: reset\ntitle: u\n";
    let read = read(text, &Options::default());
    let found: Vec<_> = read
        .documents
        .iter()
        .map(|document| match document {
            Document::Rule(rule) => shown(&rule.condition, &rule.searches),
            _ => String::new(),
        })
        .collect();
    // Nothing to repeat, and an action that is none.
    let wrong = watchfloor_sigma::read("action: repeat\ntitle: t\n---\naction: all\n", &Options::default());
    assert_eq!((codes(&wrong), wrong.refused), (vec!["sigma.action", "sigma.action"], 2));
    assert_eq!(found, ["A:1", "A:2"]);
    assert_eq!(read.refused, 1);
}

#[test]
fn writers_are_told() {
    for (text, expected) in [
        ("title: t\nlogsource: {product: a}\ndetection: {s: {A: 1}, condition: s}\n", vec!["sigma.id"]),
        (
            &format!("{HEAD}status: new\nlevel: mid\ndate: 1.1.2024\ndetection: {{s: {{A: 1}}, condition: s}}\n"),
            vec!["sigma.word", "sigma.word", "sigma.date"],
        ),
        (
            &format!("{HEAD}tags: [T1059]\ndetection: {{s: {{A: 1}}, t: {{A: 2}}, condition: s}}\n"),
            vec!["sigma.tag", "sigma.unused_search"],
        ),
        (
            &format!("{HEAD}detection: {{s: {{A|contains|all: x, B: [1, null]}}, condition: s}}\n"),
            vec!["sigma.all_of_one", "sigma.null_in_list"],
        ),
        (
            &format!("{HEAD}detection: {{s: {{A|contains: '*x*', B|re: '.*x'}}, condition: s}}\n"),
            vec!["sigma.wildcard", "sigma.open_regex"],
        ),
        ("- a\n", vec!["sigma.document"]),
        ("", vec!["sigma.empty"]),
        ("title: [a]\n", vec!["sigma.title", "sigma.type", "sigma.id", "sigma.logsource", "sigma.detection"]),
    ] {
        let mut found = codes(&read(text, &Options::default()));
        let mut expected = expected;
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn hostile_files_cost_little() {
    let regexes: Vec<String> = (0..400).map(|n| format!("'\\w{{{},60}}x{n}'", n % 30 + 1)).collect();
    let small: Vec<String> = (0..501).map(|n| format!("'a.{{8}}x{n}'")).collect();
    let dashes: Vec<String> = (0..15_000).map(|n| format!("A{n}|windash|contains: ' -a -b -c -d x'")).collect();
    let many = (0..60_000).map(|n| format!("v{n}")).collect::<Vec<_>>().join(",");
    for (text, expected) in [
        (format!("{HEAD}detection: {{s: {{A: [{many}]}}, condition: s}}\n"), "sigma.too_many_values"),
        (
            format!("{HEAD}detection: {{s: {{A: 1}}, condition: '{}'}}\n", vec!["s"; 100_000].join(" or ")),
            "sigma.condition_too_large",
        ),
        (
            format!("{HEAD}detection: {{s: {{A|windash: '{}'}}, condition: s}}\n", "-a ".repeat(500)),
            "sigma.too_many_values",
        ),
        (
            format!(
                "{HEAD}detection: {{s: {{A|re: '((((.{{1,100}}){{1,100}}){{1,100}}){{1,100}})'}}, condition: s}}\n"
            ),
            "sigma.regex",
        ),
        // Many that are small enough each.
        (format!("{HEAD}detection: {{s: {{A|re: [{}]}}, condition: s}}\n", regexes.join(",")), "sigma.regex"),
        (format!("{HEAD}detection: {{s: {{A|re: [{}]}}, condition: s}}\n", small.join(",")), "sigma.regex"),
        (format!("{HEAD}detection: {{s: {{A: '*{}'}}, condition: s}}\n", "a?".repeat(101)), "sigma.value"),
        // A few variants of a long value, and a few characters made longer and longer.
        (
            format!(
                "{HEAD}detection: {{s: {{A|windash: '{}{}'}}, condition: s}}\n",
                "-a ".repeat(3),
                "x".repeat(900_000)
            ),
            "sigma.too_many_values",
        ),
        (
            format!("{HEAD}detection: {{s: {{A|{}: abc}}, condition: s}}\n", vec!["wide"; 40].join("|")),
            "sigma.too_many_values",
        ),
        (format!("{HEAD}detection: {{s: {{{}}}, condition: s}}\n", dashes.join(", ")), "sigma.too_many_values"),
    ] {
        let start = std::time::Instant::now();
        let read = read(&text, &Options::default());
        assert!(codes(&read).contains(&expected), "{expected}: {:?}", codes(&read));
        assert!(read.documents.is_empty());
        // A second where programs are built to be fast.
        assert!(start.elapsed().as_secs() < 5, "{expected}: {:?}", start.elapsed());
    }
    // Of many documents with many questions, the first are read.
    let document = format!("{HEAD}detection: {{s: {{{}}}, condition: s}}\n", dashes[..70].join(", "));
    let read = read(&vec![document; 30].join("---\n"), &Options::default());
    assert_eq!(codes(&read).last(), Some(&"sigma.too_many_values"));
    assert!((2..15).contains(&read.documents.len()), "{}", read.documents.len());
}
