//! Correlations as tables of timelines: in order, late, out of order, with little room, and across a restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use watchfloor_detect::{Correlated, Correlator, FieldId, Hit, RuleId, RuleSet, Settings, State};
use watchfloor_sigma::{Options, read};

const RULES: &str = "
title: a
name: a
logsource: {product: p}
detection: {s: {A: 1}, condition: s}
---
title: b
name: b
logsource: {product: p}
detection: {s: {A: 2}, condition: s}
---
title: c
name: c
logsource: {product: p}
detection: {s: {A: 3}, condition: s}
";

fn set(correlations: &str) -> RuleSet {
    let read = read(&format!("{RULES}---\n{correlations}"), &Options::default());
    assert_eq!(read.refused, 0, "{:?}", read.findings);
    RuleSet::compile(&read.documents, &[]).unwrap()
}

/// `a10 U=x B=5`: rule a at second 10, with values.
fn hit(set: &RuleSet, id: usize, text: &str) -> Hit {
    let mut words = text.split(' ');
    let (rule, second) = words.next().unwrap().split_at(1);
    let rule = set.rules.iter().position(|known| known.meta.name.as_deref() == Some(rule)).unwrap();
    let field = |name: &str| -> Option<FieldId> { set.field(name) };
    let values = words.filter_map(|word| {
        let (name, value) = word.split_once('=').unwrap();
        Some((field(name)?, value.to_owned()))
    });
    Hit {
        rule: RuleId(rule as u32),
        time: second.parse::<i64>().unwrap() * 1_000,
        id: id as u64,
        values: values.collect(),
        records: None,
    }
}

/// What came out: seconds from and to, and the group.
fn shown(found: &[Correlated], set: &RuleSet) -> String {
    let one = |one: &Correlated| {
        let group: Vec<&str> = one.group.iter().map(|(_, value)| value.as_str()).collect();
        let title = &set.rules[one.rule.0 as usize].meta.title;
        format!("{title}:{}-{}[{}]", one.from / 1_000, one.to / 1_000, group.join(","))
    };
    found.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn run(set: &RuleSet, hits: &[&str], settings: Settings) -> (String, u64, u64) {
    let (mut correlator, unusable) = Correlator::new(set, settings);
    assert!(unusable.is_empty(), "{unusable:?}");
    let mut found = Vec::new();
    for (id, text) in hits.iter().enumerate() {
        correlator.handle(hit(set, id, text), &mut found);
        // Stopping and going on changes nothing.
        let kept = serde_json::to_string(&correlator.state(set)).unwrap();
        let (mut other, _) = Correlator::new(set, settings);
        assert_eq!(other.restore(set, serde_json::from_str::<State>(&kept).unwrap()), 0);
        assert_eq!(other.state(set), correlator.state(set));
        correlator = other;
    }
    correlator.finish(&mut found);
    (shown(&found, set), correlator.late, correlator.evicted)
}

fn check(correlation: &str, timelines: &[(&str, &str)]) {
    let set = set(&format!("title: C\n{correlation}"));
    for (timeline, expected) in timelines {
        let hits: Vec<&str> = timeline.split(", ").collect();
        assert_eq!(run(&set, &hits, Settings::default()).0, *expected, "{timeline}");
        // All came within the bound: their order of arrival is nothing to what comes out.
        let mut reversed = hits.clone();
        reversed.reverse();
        let patient = Settings { lateness: 1_000_000_000, ..Settings::default() };
        assert_eq!(run(&set, &reversed, patient).0, *expected, "reversed: {timeline}");
    }
}

#[test]
fn counts() {
    check(
        "correlation: {type: event_count, rules: [a], group-by: [U], timespan: 10s, condition: {gte: 3}}",
        &[
            ("a1 U=x, a2 U=x, a3 U=x", "C:1-3[x]"),
            ("a1 U=x, a2 U=y, a3 U=x", ""),
            ("a1 U=x, a6 U=x, a11 U=x", "C:1-11[x]"),
            ("a1 U=x, a6 U=x, a12 U=x", ""),
            ("a1 U=x, a6 U=x, a12 U=x, a13 U=x", "C:6-13[x]"),
            // One match for a burst, the next when it goes on after the time span.
            ("a1 U=x, a2 U=x, a3 U=x, a4 U=x, a5 U=x, a6 U=x", "C:1-3[x]"),
            ("a1 U=x, a2 U=x, a3 U=x, a20 U=x, a21 U=x, a22 U=x", "C:1-3[x] C:20-22[x]"),
            // Case is nothing to a group; it is shown as it came first.
            ("a1 U=Adam, a2 U=ADAM, a3 U=adam", "C:1-3[Adam]"),
            // Without a value there is no group.
            ("a1, a2, a3", ""),
        ],
    );
    check(
        "correlation: {type: event_count, rules: [a, b], timespan: 10s, condition: {gt: 1, lte: 3}}",
        &[
            // A bound above is known when the window is over.
            ("a1, b2", "C:1-2[]"),
            ("a1, b2, a3, b4", ""),
            ("a1, b30, a31", "C:30-31[]"),
        ],
    );
    check(
        "correlation: {type: event_count, rules: [a], timespan: 10s, condition: {eq: 2}}",
        &[("a1, a2", "C:1-2[]"), ("a1, a2, a3", ""), ("a1, a2, a30, a31", "C:1-2[] C:30-31[]")],
    );
}

#[test]
fn values() {
    check(
        "correlation: {type: value_count, rules: [a], group-by: [U], timespan: 10s, condition: {field: B, gte: 2}}",
        &[
            ("a1 U=x B=1, a2 U=x B=1, a3 U=x B=2", "C:1-3[x]"),
            ("a1 U=x B=1, a2 U=x B=1", ""),
            ("a1 U=x B=k, a2 U=x B=K", ""),
            ("a1 U=x B=1, a2 U=y B=2", ""),
        ],
    );
    check(
        "correlation: {type: value_count, rules: [a], timespan: 10s, condition: {field: [B, D], gte: 2}}",
        &[("a1 B=1 D=1, a2 B=1 D=2", "C:1-2[]"), ("a1 B=1 D=1, a2 B=1 D=1", ""), ("a1 B=1, a2 D=2", "")],
    );
    check(
        "correlation: {type: value_sum, rules: [a], timespan: 10s, condition: {field: B, gt: 10}}",
        &[("a1 B=6, a2 B=5", "C:1-2[]"), ("a1 B=6, a2 B=x, a3 B=4", ""), ("a1 B=6, a15 B=6", "")],
    );
    check(
        "correlation: {type: value_avg, rules: [a], timespan: 10s, condition: {field: B, gt: 10}}",
        &[("a1 B=100, a2 B=1, a3 B=1", "C:1-3[]"), ("a1 B=12, a2 B=1", "")],
    );
    check(
        "correlation: {type: value_median, rules: [a], timespan: 10s, condition: {field: B, lt: 3}}",
        &[("a1 B=1, a2 B=2, a3 B=100", "C:1-3[]"), ("a1 B=1, a2 B=5, a3 B=100", "")],
    );
    check(
        "correlation: {type: value_percentile, rules: [a], timespan: 10s, condition: {field: B, percentile: 90, gte: 90}}",
        &[("a1 B=0, a2 B=100, a3 B=100", "C:1-3[]"), ("a1 B=0, a2 B=50, a3 B=60", "")],
    );
}

#[test]
fn several_rules() {
    check(
        "correlation: {type: temporal, rules: [a, b], group-by: [U], timespan: 10s}",
        &[
            ("a1 U=x, b5 U=x", "C:1-5[x]"),
            ("b1 U=x, a5 U=x", "C:1-5[x]"),
            ("a1 U=x, b5 U=y", ""),
            ("a1 U=x, b12 U=x", ""),
            ("a1 U=x, a8 U=x, b12 U=x", "C:8-12[x]"),
        ],
    );
    check(
        "correlation: {type: temporal_ordered, rules: [a, b, c], timespan: 10s}",
        &[
            ("a1, b2, c3", "C:1-3[]"),
            ("a1, c2, b3", ""),
            ("a1, c2, b3, c4", "C:1-4[]"),
            ("b1, a2, b3, c4", "C:1-4[]"),
            ("a1, b2, c12", ""),
        ],
    );
    check(
        "correlation: {type: temporal, rules: [a, b, c], timespan: 10s, condition: {gte: 2}}",
        &[("a1, b2", "C:1-2[]"), ("a1, a2", "")],
    );
    check(
        "correlation: {type: temporal, rules: [a, b, c], timespan: 10s, condition: a and (b or c)}",
        &[("a1, c2", "C:1-2[]"), ("b1, c2", "")],
    );
    check(
        "correlation: {type: temporal, rules: [a, b], timespan: 10s, condition: a and not b}",
        &[("a1, a2", "C:1-2[]"), ("a1, b5", ""), ("a1, b30", "C:1-1[]")],
    );
    check(
        "correlation: {type: temporal, rules: [a, b], group-by: [ip], timespan: 10s, aliases: {ip: {a: S, b: D}}}",
        &[("a1 S=1 D=9, b2 S=8 D=1", "C:1-2[1]"), ("a1 S=1 D=9, b2 S=1 D=8", "")],
    );
}

#[test]
fn correlations_of_correlations() {
    let chain = "title: many\nname: m\ncorrelation: {type: event_count, rules: [a], group-by: [U], timespan: 10s, condition: {gte: 3}}\n\
                 ---\ntitle: C\ncorrelation: {type: temporal_ordered, rules: [m, b], group-by: [U], timespan: 60s}\n";
    let set = set(chain);
    let hits = ["a1 U=x", "a2 U=x", "a3 U=x", "b20 U=x", "b21 U=y"];
    assert_eq!(run(&set, &hits, Settings::default()).0, "many:1-3[x] C:3-20[x]");
    let silent: Vec<bool> = set.rules.iter().map(|rule| rule.silent).collect();
    assert_eq!(silent, [true, true, false, true, false]);
}

#[test]
fn fields_with_several_values() {
    check(
        "correlation: {type: event_count, rules: [a], group-by: [U], timespan: 10s, condition: {gte: 2}}",
        &[("a1 U=x U=y, a2 U=y U=z", "C:1-2[y]"), ("a1 U=x U=x, a2 U=z", "")],
    );
    check(
        "correlation: {type: value_count, rules: [a], group-by: [U], timespan: 10s, condition: {field: B, gte: 3}}",
        &[("a1 U=x B=1 B=2, a2 U=x B=3", "C:1-2[x]"), ("a1 U=x B=1 B=2, a2 U=x B=2", "")],
    );
    check(
        "correlation: {type: value_sum, rules: [a], timespan: 10s, condition: {field: B, gt: 10}}",
        &[("a1 B=6 B=5", "C:1-1[]"), ("a1 B=6 B=6", "")],
    );
    let set = set(
        "title: C\ncorrelation: {type: event_count, rules: [a], group-by: [U], timespan: 9s, condition: {gte: 2}}\n",
    );
    let many: String = std::iter::once("a1".to_owned()).chain((0..66).map(|n| format!(" U={n}"))).collect();
    assert_eq!(run(&set, &[&many], Settings::default()), (String::new(), 0, 2));
}

#[test]
fn what_one_event_matches_counts_once_though_nothing_comes_late() {
    let set = set("title: C\ncorrelation: {type: event_count, rules: [a, b], timespan: 10s, condition: {gte: 2}}\n");
    let (mut correlator, _) = Correlator::new(&set, Settings { lateness: 0, ..Settings::default() });
    let mut found = Vec::new();
    for (id, text) in [(1, "a1"), (1, "b1"), (2, "a3"), (2, "b3")] {
        correlator.handle(hit(&set, id, text), &mut found);
    }
    correlator.finish(&mut found);
    assert_eq!(found.iter().map(|one| one.records.ids.clone()).collect::<Vec<_>>(), [vec![1, 2]]);
}

/// What came out after each match, before all windows are ended.
fn step_by_step(set: &RuleSet, hits: &[&str]) -> Vec<String> {
    let (mut correlator, _) = Correlator::new(set, Settings { lateness: 5_000, ..Settings::default() });
    let step = |(id, text): (usize, &&str)| {
        let mut found = Vec::new();
        correlator.handle(hit(set, id, text), &mut found);
        shown(&found, set)
    };
    hits.iter().enumerate().map(step).collect()
}

#[test]
fn windows_end_though_their_group_is_silent() {
    let few = "title: few\nname: f\ncorrelation: {type: event_count, rules: [a], group-by: [U], timespan: 10s, condition: {lt: 3}, generate: true}\n";
    let set = set(&format!(
        "{few}---\ntitle: C\ncorrelation: {{type: temporal_ordered, rules: [f, b], group-by: [U], timespan: 60s}}\n"
    ));
    let hits = ["a1 U=x", "a11 U=y", "b12 U=x", "b17 U=x", "b18 U=x", "b40 U=z"];
    // The window of x is over at 11; that is known when all that comes is later, and from then it counts for the other.
    assert_eq!(step_by_step(&set, &hits), ["", "", "", "few:1-1[x] C:11-12[x]", "", "few:11-11[y]"]);
}

#[test]
fn what_is_remembered_outlives_other_rules() {
    let text =
        "title: C\ncorrelation: {type: event_count, rules: [a], group-by: [U], timespan: 100s, condition: {gte: 3}}\n";
    let (old, new) = (
        set(text),
        set(&format!(
            "title: first\nname: n\nlogsource: {{product: p}}\ndetection: {{s: {{Z: 1}}, condition: s}}\n---\n{text}"
        )),
    );
    let patient = Settings { lateness: 10_000, ..Settings::default() };
    let (mut correlator, _) = Correlator::new(&old, patient);
    let mut found = Vec::new();
    for (id, text) in ["a1 U=x", "a20 U=x"].iter().enumerate() {
        correlator.handle(hit(&old, id, text), &mut found);
    }
    let state = correlator.state(&old);
    let (mut other, _) = Correlator::new(&new, patient);
    assert_eq!(other.restore(&new, state.clone()), 0);
    other.handle(hit(&new, 2, "a30 U=x"), &mut found);
    other.finish(&mut found);
    assert_eq!(shown(&found, &new), "C:1-30[x]");
    // A correlation that was changed begins anew, and what it knew is counted.
    let changed = set(&text.replace("gte: 3", "gte: 2"));
    let (mut other, _) = Correlator::new(&changed, patient);
    assert_eq!(other.restore(&changed, state), 1);
}

#[test]
fn an_event_of_the_future_does_not_make_others_late() {
    let set = set("title: C\ncorrelation: {type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}}\n");
    let (mut correlator, _) = Correlator::new(&set, Settings { lateness: 1_000, ..Settings::default() });
    let mut found = Vec::new();
    for (id, (now, text)) in [(1, "a1"), (1, "a4000000000"), (3, "a2"), (4, "a3"), (5, "a4")].iter().enumerate() {
        correlator.set_now(now * 1_000);
        correlator.handle(hit(&set, id, text), &mut found);
    }
    correlator.finish(&mut found);
    assert_eq!((shown(&found, &set).as_str(), correlator.late), ("C:1-2[]", 0));
}

#[test]
fn what_is_late_or_too_much_is_counted() {
    let set = set(
        "title: C\ncorrelation: {type: event_count, rules: [a], group-by: [U], timespan: 100s, condition: {gte: 3}}\n",
    );
    let bound = Settings { lateness: 10_000, ..Settings::default() };
    assert_eq!(run(&set, &["a1 U=x", "a20 U=x", "a10 U=x"], bound), ("C:1-20[x]".to_owned(), 0, 0));
    assert_eq!(run(&set, &["a1 U=x", "a20 U=x", "a9 U=x"], bound), (String::new(), 1, 0));
    let small = Settings { groups: 2, ..Settings::default() };
    assert_eq!(run(&set, &["a1 U=x", "a2 U=y", "a3 U=z", "a4 U=x", "a5 U=x"], small), (String::new(), 0, 2));
    // More than there is room for cannot be counted, and says so.
    let short = Settings { entries: 3, ..Settings::default() };
    assert_eq!(run(&set, &["a1 U=x", "a2 U=x"], short), (String::new(), 0, 0));
    for (kind, lost) in [
        ("{type: event_count, rules: [a], timespan: 100s, condition: {lt: 3}}", 1),
        ("{type: value_sum, rules: [a], timespan: 100s, condition: {field: B, gte: 100}}", 1),
        ("{type: value_count, rules: [a], timespan: 100s, condition: {field: B, lt: 3}}", 1),
    ] {
        let counts = self::set(&format!("title: C\ncorrelation: {kind}\n"));
        let (_, _, evicted) = run(&counts, &["a1 B=1", "a2 B=2", "a3 B=3", "a4 B=4"], short);
        assert_eq!(evicted, lost, "{kind}");
    }
    // Long values take the room of all.
    let few = Settings { bytes: 100_000, ..Settings::default() };
    let hits: Vec<String> = (0..200).map(|n| format!("a{n} U={n}{}", "x".repeat(1_000))).collect();
    let (_, _, evicted) = run(&set, &hits.iter().map(String::as_str).collect::<Vec<_>>(), few);
    assert!((50..190).contains(&evicted), "{evicted}");
}

#[test]
fn what_several_rules_are_called_means_all_of_them() {
    let set = set("title: other\nname: a\nlogsource: {product: p}\ndetection: {s: {A: 9}, condition: s}\n---\n\
         title: C\ncorrelation: {type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}}\n");
    assert!(set.rules.iter().filter(|rule| rule.meta.name.as_deref() == Some("a")).all(|rule| rule.silent));
    let (mut correlator, _) = Correlator::new(&set, Settings::default());
    let mut found = Vec::new();
    for (id, rule) in set.called("a").iter().enumerate() {
        correlator.handle(Hit { rule: *rule, ..hit(&set, id, "a1") }, &mut found);
    }
    correlator.finish(&mut found);
    assert_eq!(shown(&found, &set), "C:1-1[]");
}

#[test]
fn correlations_of_correlations_know_groups_and_records() {
    let set = set(
        "title: I\nname: i\ncorrelation: {type: event_count, rules: [a, b], aliases: {who: {a: U, b: V}}, group-by: [who], timespan: 10s, condition: {gte: 2}}\n---\n\
         title: O\ncorrelation: {type: event_count, rules: [i], group-by: [who], timespan: 100s, condition: {gte: 2}}\n",
    );
    let hits = ["a1 U=x", "b2 V=x", "a20 U=y", "a30 U=x", "b31 V=x"];
    assert_eq!(run(&set, &hits, Settings::default()).0, "I:1-2[x] I:30-31[x] O:2-31[x]");
    let (mut correlator, _) = Correlator::new(&set, Settings::default());
    let mut found = Vec::new();
    hits.iter().enumerate().for_each(|(id, text)| correlator.handle(hit(&set, id, text), &mut found));
    correlator.finish(&mut found);
    let outer: Vec<_> = found.iter().filter(|one| set.rules[one.rule.0 as usize].meta.title == "O").collect();
    assert_eq!((outer[0].matches, &outer[0].records.ids, outer[0].records.more), (2, &vec![0, 1, 3, 4], false));
}

#[test]
fn a_flood_of_the_same_hides_nothing() {
    let short = Settings { entries: 5, ..Settings::default() };
    for (correlation, hits) in [
        ("{type: value_count, rules: [a], timespan: 1h, condition: {field: B, gte: 3}}", "a1 B=1, F B=2, a90 B=3"),
        ("{type: temporal_ordered, rules: [a, b, c], timespan: 1h}", "a1, G, c90"),
        ("{type: temporal, rules: [a, b, c], timespan: 1h}", "c1, G, a90"),
        // What was said first is not in the window any more at the end.
        ("{type: temporal, rules: [a, b, c], timespan: 60s}", "b1, a31, G, c90"),
    ] {
        let set = set(&format!("title: C\ncorrelation: {correlation}\n"));
        let flood = |name: &str, more: &str| {
            (10..60).map(|second| format!("{name}{second}{more}")).collect::<Vec<_>>().join(", ")
        };
        let hits = hits.replace("F B=2", &flood("a", " B=2")).replace('G', &flood("b", ""));
        let (found, late, evicted) = run(&set, &hits.split(", ").collect::<Vec<_>>(), short);
        let from = if correlation.contains("60s") { 31 } else { 1 };
        assert_eq!((found, late, evicted), (format!("C:{from}-90[]"), 0, 0), "{correlation}");
    }
    // An order that was there is found behind a flood of its first rule.
    let ordered = set("title: C\ncorrelation: {type: temporal_ordered, rules: [a, b, c], timespan: 1h}\n");
    let flood = (10..60).map(|second| format!("a{second}"));
    let hits: Vec<String> =
        ["b1", "a2", "b3"].map(str::to_owned).into_iter().chain(flood).chain(["c90".to_owned()]).collect();
    let hits: Vec<&str> = hits.iter().map(String::as_str).collect();
    assert_eq!(run(&ordered, &hits, short), ("C:1-90[]".to_owned(), 0, 0));
    // More than is kept cannot be counted.
    let set = set("title: C\ncorrelation: {type: event_count, rules: [a], timespan: 1h, condition: {gte: 6}}\n");
    let (_, unusable) = Correlator::new(&set, short);
    assert_eq!(unusable.len(), 1);
}

#[test]
fn what_refers_to_nothing_or_itself_is_refused() {
    for (correlations, expected) in [
        ("title: C\ncorrelation: {type: temporal, rules: [a, zzz], timespan: 10s}\n", vec!["sigma.unknown_rule"]),
        (
            "title: C\nname: c1\ncorrelation: {type: event_count, rules: [c1], timespan: 10s, condition: {gte: 1}}\n",
            vec!["sigma.correlation_cycle"],
        ),
        (
            "title: C\nname: c1\ncorrelation: {type: temporal, rules: [a, c2], timespan: 10s}\n---\ntitle: D\nname: c2\ncorrelation: {type: temporal, rules: [b, c1], timespan: 10s}\n",
            vec!["sigma.correlation_cycle", "sigma.correlation_cycle"],
        ),
    ] {
        let set = set(correlations);
        let (_, unusable) = Correlator::new(&set, Settings::default());
        let codes: Vec<&str> = unusable.iter().map(|(_, finding)| finding.code).collect();
        assert_eq!(codes, expected, "{correlations}");
    }
    // A tower of correlations is too high from some height on.
    let link = |n: usize| {
        let below = if n == 0 { "a".to_owned() } else { format!("c{}", n - 1) };
        format!(
            "title: C{n}\nname: c{n}\ncorrelation: {{type: event_count, rules: [{below}], timespan: 1s, condition: {{gte: 1}}}}\n"
        )
    };
    let set = set(&(0..1_000).map(link).collect::<Vec<_>>().join("---\n"));
    let (mut correlator, unusable) = Correlator::new(&set, Settings::default());
    assert_eq!(unusable.len(), 1_000 - 32);
    assert!(unusable.iter().all(|(_, finding)| finding.code == "sigma.correlation"));
    let mut found = Vec::new();
    correlator.handle(hit(&set, 0, "a1"), &mut found);
    correlator.finish(&mut found);
    assert_eq!(found.len(), 32);
}
