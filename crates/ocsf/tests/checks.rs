//! The hand-written checks against the schema's regular expressions.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use proptest::prelude::*;
use regex::Regex;
use watchfloor_ocsf::Check;

fn expression(name: &str) -> Regex {
    let checks = include_str!("../schema/checks.tsv");
    let mut lines = checks.lines().filter_map(|line| line.split_once('\t'));
    let (_, text) = lines.rfind(|(check, _)| *check == name).unwrap();
    // A digit is one of ten here, as in the expressions of JSON Schema.
    Regex::new(&text.replace(r"\d", "[0-9]")).unwrap()
}

/// Texts that are nearly of the type: made from its own alphabet, or from a valid one with something cut out and put in.
fn texts(alphabet: &'static str, valid: &'static [&'static str]) -> impl Strategy<Value = String> {
    let of = |len: &str| prop::string::string_regex(&format!("[{alphabet}]{{{len}}}")).unwrap();
    let random = of("0,40");
    let spliced = (prop::sample::select(valid), any::<prop::sample::Index>(), 0..6_usize, of("0,3"));
    let spliced = spliced.prop_map(|(text, at, cut, put)| {
        let at = at.index(text.len() + 1);
        let end = (at + cut).min(text.len());
        format!("{}{put}{}", &text[..at], &text[end..])
    });
    prop_oneof![random, spliced]
}

fn agrees(name: &str, alphabet: &'static str, valid: &'static [&'static str]) {
    let (check, regex) = (Check::of(name).unwrap(), expression(name));
    for text in valid {
        assert!(check.accepts(text) && regex.is_match(text), "{name} {text}");
    }
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(20_000));
    let outcome = runner.run(&texts(alphabet, valid), |text| {
        prop_assert_eq!(check.accepts(&text), regex.is_match(&text), "{} {:?}", name, text);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn macs_agree() {
    agrees("mac", "0-9a-gA-G:.\\-", &["18:36:F3:98:4F:9A", "18-36-f3-98-4f-9a"]);
}

#[test]
fn emails_agree() {
    let valid = &["a@b.c", "john.doe+x@mail.example.com", "0_@-.-"];
    agrees("email", "a-c@.,()_+= !/*-", valid);
    agrees("email_plain", "a-c@.,()_+= !/*-", valid);
}

#[test]
fn uuids_agree() {
    agrees("uuid", "0-9a-fG\\-{}", &["0f8fad5b-d9cb-469f-a165-70867728950e", "{0F8FAD5B-D9CB-469F-A165-70867728950E}"]);
}

#[test]
fn datetimes_agree() {
    let valid = &["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456+01:00", "9999-99-99T99:99:99"];
    agrees("datetime", "0-9TtZz:+.\\- ", valid);
    agrees("datetime_upper", "0-9TtZz:+.\\- ", valid);
}

#[test]
fn bytestrings_agree() {
    agrees("bytestring", "A-C=+/_\\- ", &["", "QUI=", "QQ==", "QUJDRA==", "_-8="]);
}

#[test]
fn hostnames_agree() {
    agrees("hostname", "a-cA-C0-1._\\-", &["a", "mx.example.com", "a--b.c-d"]);
}

/// Stricter than the schema on purpose: whatever is taken, the schema takes too, and every real address is taken.
#[test]
fn addresses_are_a_part_of_the_schemas() {
    let (check, regex) = (Check::Ip, expression("ip"));
    let valid: &[&str] = &[
        "10.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "1::",
        "fe80::1%eth0",
        "2001:db8::8:800:200c:417a",
        "::ffff:1.2.3.4",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "64:ff9b::1.2.3.4",
        "1:2:3:4:5:6:1.2.3.4",
    ];
    for text in valid {
        assert!(check.accepts(text) && regex.is_match(text), "{text}");
    }
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(20_000));
    let near = texts("0-9a-fA-F:.%", valid);
    runner
        .run(&near, |text| {
            prop_assert!(!check.accepts(&text) || regex.is_match(&text), "{:?}", text);
            Ok(())
        })
        .unwrap();
    runner
        .run(&(any::<u128>(), any::<u32>()), |(six, four)| {
            let (six, four) = (std::net::Ipv6Addr::from(six).to_string(), std::net::Ipv4Addr::from(four).to_string());
            prop_assert!(check.accepts(&six) && regex.is_match(&six), "{}", six);
            prop_assert!(check.accepts(&four) && regex.is_match(&four), "{}", four);
            Ok(())
        })
        .unwrap();
}
