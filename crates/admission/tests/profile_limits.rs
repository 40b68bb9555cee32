//! Rules out of range are no profile: every limit at limit - 1, limit and limit + 1, made and read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it counted"
)]

use watchfloor_admission::risk::{Band, Counter, CustomRule, Profile, Rules};

type Set = fn(&mut Rules, u16);

const REQUESTS: [Set; 4] = [
    |rules, value| rules.anomaly.flood.threshold = value,
    |rules, value| rules.anomaly.repeats.threshold = value,
    |rules, value| rules.shared.resource.flood = Some(value),
    |rules, value| rules.shared.shape.repeats = Some(value),
];
const DENIALS: [Set; 4] = [
    |rules, value| rules.anomaly.denials.threshold = value,
    |rules, value| rules.cooldown.trigger_denials = value,
    |rules, value| rules.shared.tenant.denials = Some(value),
    |rules, value| rules.shared.shape.hot_denials = Some(value),
];
const WEIGHTS: [Set; 10] = [
    |rules, value| rules.base.unknown = value,
    |rules, value| rules.base.domains = [("x".to_owned(), value)].into(),
    |rules, value| rules.base.actions = [("x".to_owned(), value)].into(),
    |rules, value| rules.base.exact = [("x".to_owned(), [("y".to_owned(), value)].into())].into(),
    |rules, value| rules.context.untrusted_device = value,
    |rules, value| rules.history.no_history = value,
    |rules, value| rules.resource.restricted = value,
    |rules, value| rules.anomaly.flood.weight = value,
    |rules, value| rules.anomaly.max = value,
    |rules, value| rules.anomaly.repeats.weight = value,
];

fn check(what: &str, sound: bool, change: impl Fn(&mut Rules)) {
    let mut rules = Profile::spec().rules().clone();
    change(&mut rules);
    let shown = format!("{what}: {rules:?}");
    let text = serde_json::to_string(&rules).unwrap();
    let result = Profile::new(rules);
    assert_eq!(result.is_ok(), sound, "{shown}");
    assert_eq!(serde_json::from_str::<Profile>(&text).is_ok(), sound, "read: {shown}");
    if let Err(error) = result {
        assert!(error.to_string().contains("is out of range"), "{error}");
    }
}

#[test]
fn thresholds_and_weights_have_limits() {
    for set in REQUESTS {
        for (value, sound) in [(0, false), (1, true), (14, true), (15, false)] {
            check("requests", sound, |rules| set(rules, value));
        }
    }
    for set in DENIALS {
        for (value, sound) in [(0, false), (1, true), (7, true), (8, true), (9, false)] {
            check("denials", sound, |rules| set(rules, value));
        }
    }
    for set in WEIGHTS {
        for (value, sound) in [(999, true), (1000, true), (1001, false)] {
            check("weight", sound, |rules| set(rules, value));
        }
    }
}

#[test]
fn cooldowns_and_bands_have_limits() {
    for (period, sound) in [(0, false), (1, true), (86_399, true), (86_400, true), (86_401, false)] {
        check("period", sound, |rules| rules.cooldown.period_seconds = period);
    }
    for (approved_max, escalated_max, sound) in
        [(Some(5), 5, true), (Some(6), 5, false), (None, 100, true), (None, 101, false)]
    {
        check("band", sound, |rules| rules.bands[3] = Band { approved_max, escalated_max });
    }
}

#[test]
fn custom_rules_have_limits() {
    let rule = CustomRule {
        name: "F_anom_custom_x".to_owned(),
        counter: Counter::Flood,
        at_least: 1,
        capability_prefix: String::new(),
        weight: 1,
    };
    for (count, sound) in [(15, true), (16, true), (17, false)] {
        check("custom rules", sound, |rules| rules.custom = vec![rule.clone(); count]);
    }
    for (name, counter, at_least, weight, sound) in [
        ("F_anom_custom_x", Counter::Flood, 14, 1000, true),
        ("F_anom_custom_x", Counter::Flood, 15, 1, false),
        ("F_anom_custom_x", Counter::Repeats, 14, 1, true),
        ("F_anom_custom_x", Counter::TenantDenials, 8, 1, true),
        ("F_anom_custom_x", Counter::TenantDenials, 9, 1, false),
        ("F_anom_custom_x", Counter::Flood, 1, 1001, false),
        ("F_anom_custom_", Counter::Flood, 1, 1, false),
        ("rule1", Counter::Flood, 1, 1, false),
    ] {
        let rule = CustomRule { name: name.to_owned(), counter, at_least, weight, ..rule.clone() };
        check(name, sound, |rules| rules.custom = vec![rule.clone()]);
    }
}
