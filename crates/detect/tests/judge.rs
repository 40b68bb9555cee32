//! The compiled engine against a judge that evaluates rules in the most obvious way: no difference on random rules and random events.
//!
//! `WATCHFLOOR_PAIRS` sets how many pairs of rule and event are compared; `cargo xtask judge` compares ten million.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use watchfloor_detect::{Engine, EventSource, Fact, Facts, RuleSet};
use watchfloor_model::{Document, Value};
use watchfloor_sigma::logic::{FieldReference, TimePart};
use watchfloor_sigma::{Document as RuleDocument, Logic, Options, Part, Pattern, Predicate, Rule, Test, read};

/// A value of an event.
#[derive(Clone, Debug, PartialEq)]
enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

type Event = Vec<(String, Vec<Scalar>)>;

// --- the judge ---

fn text(value: &Scalar) -> Option<String> {
    match value {
        Scalar::Null => None,
        Scalar::Bool(value) => Some(value.to_string()),
        Scalar::Int(number) => Some(number.to_string()),
        Scalar::Float(number) => Some(number.to_string()),
        Scalar::Text(text) => Some(text.clone()),
    }
}

fn fold(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Wildcards by trying everything.
fn fits(parts: &[Part], text: &[char]) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((Part::Any, rest)) => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
        Some((Part::One, rest)) => !text.is_empty() && fits(rest, &text[1..]),
        Some((Part::Text(wanted), rest)) => {
            let wanted: Vec<char> = wanted.chars().collect();
            text.starts_with(&wanted) && fits(rest, &text[wanted.len()..])
        }
    }
}

fn matches_pattern(pattern: &Pattern, value: &str) -> bool {
    let value: Vec<char> = if pattern.cased { value.chars().collect() } else { fold(value) };
    fits(&pattern.parts, &value)
}

fn refers(value: &str, other: &str, reference: &FieldReference) -> bool {
    let cut = |text: &str| -> Vec<char> { if reference.cased { text.chars().collect() } else { fold(text) } };
    let (value, other) = (cut(value), cut(other));
    match (reference.open_start, reference.open_end) {
        (false, false) => value == other,
        (false, true) => value.starts_with(&other),
        (true, false) => value.ends_with(&other),
        (true, true) => other.is_empty() || value.windows(other.len()).any(|window| window == other),
    }
}

fn hour(value: &Scalar) -> Option<i64> {
    match value {
        Scalar::Text(text) => (text.len() >= 19 && text.starts_with("20")).then(|| text[11..13].parse().ok())?,
        Scalar::Int(seconds) => Some(seconds.rem_euclid(86_400) / 3_600),
        _ => None,
    }
}

fn is(test: &Test, value: &Scalar, event: &Event) -> bool {
    let Some(as_text) = text(value) else { return false };
    let number = match value {
        Scalar::Int(number) => Some(*number as f64),
        Scalar::Float(number) => Some(*number),
        Scalar::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    match test {
        Test::Text(pattern) => matches_pattern(pattern, &as_text),
        Test::Int(wanted) => match value {
            Scalar::Int(number) => number == wanted,
            Scalar::Float(number) => *number == *wanted as f64,
            Scalar::Text(text) => *text == wanted.to_string(),
            _ => false,
        },
        Test::Float(bits) => match value {
            Scalar::Int(number) => *number as f64 == f64::from_bits(*bits),
            Scalar::Float(number) => *number == f64::from_bits(*bits),
            Scalar::Text(text) => text.parse() == Ok(f64::from_bits(*bits)),
            _ => false,
        },
        Test::Bool(wanted) => as_text.eq_ignore_ascii_case(&wanted.to_string()),
        Test::Regex(regex) => regex::Regex::new(regex).unwrap().is_match(&as_text),
        Test::Cidr(network) => as_text.trim().parse().is_ok_and(|address| network.has(address)),
        Test::Order(order, bits) => number.is_some_and(|number| order.holds(number, f64::from_bits(*bits))),
        Test::Field(reference) => {
            let others = event.iter().filter(|(name, _)| *name == reference.field).flat_map(|(_, values)| values);
            others.filter_map(text).any(|other| refers(&as_text, &other, reference))
        }
        Test::Time(TimePart::Hour, order, wanted) => hour(value).is_some_and(|hour| order.holds(hour, *wanted)),
        Test::Time(..) | Test::Null | Test::Exists => panic!("not asked of values here"),
    }
}

fn judge(logic: &Logic, searches: &[Logic], event: &Event) -> bool {
    match logic {
        Logic::All(all) => all.iter().all(|one| judge(one, searches, event)),
        Logic::Any(any) => any.iter().any(|one| judge(one, searches, event)),
        Logic::Not(inner) => !judge(inner, searches, event),
        Logic::Search(number) => judge(&searches[*number], searches, event),
        Logic::Is(Predicate { field: None, test }) => {
            event.iter().flat_map(|(_, values)| values).any(|value| is(test, value, event))
        }
        Logic::Is(Predicate { field: Some(field), test }) => {
            let values: Vec<&Scalar> =
                event.iter().filter(|(name, _)| name == field).flat_map(|(_, values)| values).collect();
            match test {
                Test::Null => values.iter().all(|value| **value == Scalar::Null),
                Test::Exists => event.iter().any(|(name, _)| name == field),
                test => values.iter().any(|value| is(test, value, event)),
            }
        }
    }
}

// --- random rules and events ---

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }

    fn pick<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.next(all.len())]
    }
}

const FIELDS: [&str; 6] = ["A", "B", "C", "D.e", "F", "G"];
const PIECES: [&str; 20] = [
    "a", "b", "ab", "ba", "\\", "C:\\", "x.exe", "-", "/f", " ", "Ä", "ß", "Σ", "1", "10", "cmd", "CMD", "İ", "'", "%",
];
const WHOLE: [&str; 12] = [
    "10",
    "1.5",
    "true",
    "",
    "10.1.2.3",
    "::ffff:10.1.2.3",
    "2026-03-02 13:15:00",
    "fe80::1",
    "-5",
    "1e3",
    "FALSE",
    " 10 ",
];

fn word(random: &mut Random) -> String {
    (0..1 + random.next(4)).map(|_| random.pick(&PIECES)).collect()
}

fn event(random: &mut Random) -> Event {
    let mut event = Event::new();
    for field in FIELDS {
        let count = match random.next(8) {
            0 | 1 => continue,
            2 => 2,
            _ => 1,
        };
        let value = |random: &mut Random| match random.next(12) {
            0 => Scalar::Null,
            1 => Scalar::Bool(random.next(2) == 0),
            2 => Scalar::Int([10, 1, -5, 0][random.next(4)]),
            3 => Scalar::Float([1.5, 10.0, 0.25][random.next(3)]),
            4 | 5 => Scalar::Text(random.pick(&WHOLE).to_owned()),
            _ => Scalar::Text(word(random)),
        };
        event.push((field.to_owned(), (0..count).map(|_| value(random)).collect()));
    }
    event
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn item(random: &mut Random) -> String {
    let field = random.pick(&FIELDS);
    let wild = |random: &mut Random| {
        let mut text = word(random);
        for _ in 0..random.next(3) {
            let at = text.char_indices().map(|(at, _)| at).nth(random.next(text.chars().count())).unwrap();
            text.insert_str(at, ["*", "?", "\\*", "\\\\*"][random.next(4)]);
        }
        quoted(&text)
    };
    let list = |random: &mut Random, value: &dyn Fn(&mut Random) -> String| {
        let values: Vec<String> = (0..1 + random.next(3)).map(|_| value(random)).collect();
        format!("[{}]", values.join(", "))
    };
    match random.next(20) {
        0 => format!("{field}: null"),
        1 => format!("{field}|exists: {}", random.next(2) == 0),
        2 => format!("{field}|re: {}", quoted(["^a.*b", "(?i)cmd", "x\\.exe$", "[0-9]+", "a|Ä", "^$"][random.next(6)])),
        3 => format!("{field}|re|i: {}", quoted(["CMD", "^AB", "ß|σ"][random.next(3)])),
        4 => format!("{field}|cidr: [10.0.0.0/8, 'fe80::/10']"),
        5 => format!("{field}|{}: {}", ["lt", "lte", "gt", "gte"][random.next(4)], ["10", "1.5", "0"][random.next(3)]),
        6 => format!("{field}|fieldref: {}", random.pick(&FIELDS)),
        7 => format!(
            "{field}|fieldref|{}: {}",
            ["startswith", "endswith", "contains"][random.next(3)],
            random.pick(&FIELDS)
        ),
        8 => format!("{field}|hour|gte: 12"),
        9 => format!("{field}: {}", ["10", "1.5", "true", "-5"][random.next(4)]),
        10 => format!("{field}|neq: {}", list(random, &wild)),
        11 => format!("{field}|cased: {}", list(random, &wild)),
        12 => format!("{field}|contains|cased: {}", list(random, &wild)),
        13 => format!("{field}|contains|all: {}", list(random, &wild)),
        14 => format!("{field}|startswith: {}", list(random, &wild)),
        15 => format!("{field}|endswith: {}", list(random, &wild)),
        16 => format!("{field}|windash|contains: ['-a', '/f']"),
        17 | 18 => format!("{field}|contains: {}", list(random, &wild)),
        _ => format!("{field}: {}", list(random, &wild)),
    }
}

fn search(random: &mut Random) -> String {
    let map = |random: &mut Random| {
        let mut items: Vec<String> = (0..1 + random.next(3)).map(|_| item(random)).collect();
        items.sort_by_key(|item| item.split(':').next().unwrap().to_owned());
        items.dedup_by_key(|item| item.split(':').next().unwrap().to_owned());
        format!("{{{}}}", items.join(", "))
    };
    match random.next(6) {
        0 => format!("[{}, {}]", quoted(&word(random)), quoted(&word(random))),
        1 => format!("[{}, {}]", map(random), map(random)),
        2 => format!("{{'|all': [{}, {}]}}", quoted(&word(random)), quoted(&word(random))),
        _ => map(random),
    }
}

fn rule(random: &mut Random) -> Option<Rule> {
    let conditions = [
        "s1",
        "s1 and s2",
        "s1 or s2",
        "s1 and not s2",
        "not s1",
        "1 of s*",
        "all of s*",
        "2 of s*",
        "s1 and not 1 of s2*",
        "(s1 or s2) and s3",
        "not (s1 and s2)",
        "s1 or not s3",
    ];
    let text = format!(
        "title: t\nlogsource: {{product: p}}\ndetection:\n  s1: {}\n  s2: {}\n  s3: {}\n  condition: {}\n",
        search(random),
        search(random),
        search(random),
        random.pick(&conditions)
    );
    let read = read(&text, &Options::default());
    match read.documents.into_iter().next() {
        Some(RuleDocument::Rule(rule)) => Some(*rule),
        _ => {
            let refused = read.findings.iter().any(|finding| finding.code.starts_with("sigma."));
            assert!(refused, "{text}");
            None
        }
    }
}

/// The event as a document and facts.
fn facts(event: &Event, set: &RuleSet, doc: &mut Document, facts: &mut Facts) {
    doc.start("");
    facts.clear();
    let root = doc.open_object("").unwrap();
    let mut list = Vec::new();
    for (name, values) in event {
        for value in values {
            let fact = match value {
                Scalar::Null => (doc.keep(name), Value::Null, Fact::Null),
                Scalar::Bool(value) => (doc.keep(name), Value::Bool(*value), Fact::Bool(*value)),
                Scalar::Int(number) => (doc.keep(name), Value::Int(*number), Fact::Int(*number)),
                Scalar::Float(number) => (doc.keep(name), Value::Float(*number), Fact::Float(*number)),
                Scalar::Text(text) => {
                    let span = doc.keep(text);
                    (doc.keep(name), Value::Text(span), Fact::Text(span))
                }
            };
            doc.push(fact.0, fact.1);
            list.push((name, fact.2));
        }
    }
    doc.close(root);
    doc.seal();
    for (name, fact) in list {
        if let Some(field) = set.field(name) {
            facts.add(field, fact);
        }
    }
}

#[test]
fn the_engine_and_the_judge_agree() {
    let pairs: usize = std::env::var("WATCHFLOOR_PAIRS").ok().and_then(|pairs| pairs.parse().ok()).unwrap_or(200_000);
    let (mut compared, mut matched, mut seed) = (0, 0, 0_u64);
    while compared < pairs {
        seed += 1;
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let rules: Vec<Rule> = (0..150).filter_map(|_| rule(&mut random)).collect();
        let documents: Vec<RuleDocument> =
            rules.iter().cloned().map(|rule| RuleDocument::Rule(Box::new(rule))).collect();
        let set = Arc::new(RuleSet::compile(&documents, &[]).unwrap());
        let mut engine = Engine::new(Arc::clone(&set));
        let source = engine.source(&EventSource { products: vec!["p".into()], ..EventSource::default() });
        let (mut doc, mut known) = (Document::new(), Facts::default());
        for _ in 0..150 {
            let event = event(&mut random);
            facts(&event, &set, &mut doc, &mut known);
            let found: Vec<usize> =
                engine.evaluate(source, &doc, &known, false).iter().map(|id| id.0 as usize).collect();
            let due: Vec<usize> =
                (0..rules.len()).filter(|at| judge(&rules[*at].condition, &rules[*at].searches, &event)).collect();
            if found != due {
                let at = (0..rules.len()).find(|at| found.contains(at) != due.contains(at)).unwrap();
                panic!(
                    "seed {seed}: the engine says {}, the judge {}\n{event:?}\n{:#?}",
                    found.contains(&at),
                    due.contains(&at),
                    rules[at]
                );
            }
            compared += rules.len();
            matched += due.len();
        }
    }
    eprintln!("{compared} pairs, {matched} matches, no difference");
    assert!(matched * 100 > compared && matched * 100 < compared * 90, "too few or too many matches to mean anything");
}
