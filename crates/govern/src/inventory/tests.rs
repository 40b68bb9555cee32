//! Names of targets, under all their spellings, and what is told of an inventory that cannot be right.

use super::*;

fn inventory() -> Inventory {
    let parts = r#"{
        "assets": {
            "host": [
                {"name": "dc-01", "names": ["dc-01.corp.local", "10.0.0.5", "CORP-DC"], "tier": 0, "tags": ["identity_provider"]},
                {"name": "ws-17", "names": ["ws-17.corp.local", "10.0.1.17"], "tier": 3},
                {"name": "web-1", "names": ["shared"], "tier": 2},
                {"name": "web-2", "names": ["shared", "198.51.100.7"], "tier": 1}
            ],
            "account": [{"name": "bob@example.com", "names": ["CORP\\bob"], "tier": 2}],
            "domain": [{"name": "login.example.net", "tier": 0}, {"name": "example.com", "tier": 1}],
            "process": [{"name": "ws-17/edr.exe", "tier": 0, "tags": ["telemetry"]}]
        }
    }"#;
    let (inventory, told) = Inventory::new(serde_json::from_str(parts).unwrap());
    assert_eq!(told, Vec::<String>::new());
    inventory
}

#[test]
fn targets_have_one_name_and_are_protected() {
    let inventory = inventory();
    for (target, expected) in [
        ("host:dc-01", "host:dc-01 0 known"),
        ("host: DC-01.Corp.Local. ", "host:dc-01 0 known"),
        ("host:10.0.0.5", "host:dc-01 0 known"),
        ("host:::ffff:10.0.0.5", "host:dc-01 0 known"),
        ("host:corp-dc", "host:dc-01 0 known"),
        ("host:DC-01$", "host:dc-01 0 known"),
        ("host:ws-17", "host:ws-17 3 known"),
        ("host:ｗｓ-17", "host:ws-17 3 known"),
        // Whoever is not known is most protected: another domain, another script, a name of two.
        ("host:ws-17.evil.example", "host:ws-17.evil.example 0 unknown"),
        ("host:wѕ-17", "host:wѕ-17 0 unknown"),
        ("host:shared", "host:shared 0 unknown"),
        ("host:010.0.1.17", "host:010.0.1.17 0 unknown"),
        ("account:corp/BOB", "account:bob@example.com 2 known"),
        ("account:domain-admin", "account:domain-admin 0 unknown"),
        ("address:203.0.113.9", "address:203.0.113.9 3 unknown"),
        ("address:::ffff:203.0.113.9", "address:203.0.113.9 3 unknown"),
        ("address:198.51.100.7", "address:198.51.100.7 1 known"),
        ("address:10.9.9.9", "address:10.9.9.9 0 unknown"),
        ("address:0.0.0.0/0", "address:0.0.0.0/0 0 unknown"),
        ("domain:evil.example", "domain:evil.example 3 unknown"),
        ("domain:a.Login.Example.net", "domain:a.login.example.net 0 known"),
        ("domain:example.net", "domain:example.net 0 known"),
        ("domain:net", "domain:net 0 unknown"),
        ("domain:mail.example.com", "domain:mail.example.com 1 known"),
        ("domain:10.0.0.5", "domain:10.0.0.5 0 unknown"),
        ("process:WS-17.corp.local/4711", "process:ws-17/4711 3 known"),
        ("process:ws-17/EDR.exe", "process:ws-17/edr.exe 0 known"),
        ("process:ws-17", "process:ws-17/ 0 known"),
        ("file:nowhere/C:\\a.exe", "file:nowhere/c:\\a.exe 0 unknown"),
        ("message:bob@example.com/17", "message:bob@example.com/17 2 known"),
        ("ticket:17", "ticket:17 3 unknown"),
        ("hash:abc", "hash:abc 0 unknown"),
        ("host:", "Name"),
        ("host:a\u{200b}b", "Name"),
        ("host:a\nb", "Name"),
        ("server:a", "Kind"),
        ("Host:a", "Kind"),
        ("dc-01", "Kind"),
    ] {
        let found = match inventory.resolve(target) {
            Ok(found) => {
                let known = if found.asset.is_some() { "known" } else { "unknown" };
                format!("{} {} {known}", found.id, u8::from(found.tier))
            }
            Err(why) => format!("{why:?}"),
        };
        assert_eq!(found, expected, "{target}");
    }
    let hash = format!("hash:{}", "A1".repeat(32));
    assert_eq!(inventory.resolve(&hash).map(|found| found.tier), Ok(Tier::Two));
}

#[test]
fn what_stands_above_several_domains_is_as_protected_as_the_most_protected() {
    for tiers in [[2, 0, 1, 0], [0, 2, 1, 0], [1, 2, 0, 0]] {
        let domain = |(name, tier): (&str, u8)| format!(r#"{{"name": "{name}.example.org", "tier": {tier}}}"#);
        let domains: Vec<String> = ["a", "b", "c", "d"].into_iter().zip(tiers).map(domain).collect();
        let parts = format!(r#"{{"assets": {{"domain": [{}]}}}}"#, domains.join(","));
        let (inventory, _) = Inventory::new(serde_json::from_str(&parts).unwrap());
        let found = inventory.resolve("domain:example.org").unwrap();
        // Of several that are as protected, the first by its name.
        let first = ["a", "b", "c"][tiers.iter().position(|tier| *tier == 0).unwrap()];
        let asset = EntityId(format!("domain:{first}.example.org"));
        assert_eq!((found.tier, found.asset), (Tier::Zero, Some(asset)), "{tiers:?}");
    }
}

#[test]
fn one_name_resolves_to_itself() {
    let inventory = inventory();
    for (id, _, asset) in inventory.assets() {
        let found = inventory.resolve(id.as_str()).unwrap();
        assert_eq!((&found.id, found.tier), (id, asset.tier));
    }
    assert_eq!(inventory.hosts(), 4);
}

#[test]
fn what_cannot_be_right_is_told() {
    let parts = r#"{
        "assets": {"host": [{"name": "a"}, {"name": "A."}, {"name": ""}]},
        "paths": [{"name": "p", "members": ["host:a", "host:b"], "least": 1}, {"name": "q", "members": ["host:a"], "least": 2},
                  {"name": "r", "members": ["host:a"], "least": 1}]
    }"#;
    let (inventory, told) = Inventory::new(serde_json::from_str(parts).unwrap());
    assert_eq!((told.len(), inventory.paths().len()), (4, 3));
    for (least, good) in [(0, false), (1, true), (2, true), (3, false)] {
        let paths = format!(r#"{{"name": "p", "members": ["host:a", "host:b"], "least": {least}}}"#);
        let parts = format!(r#"{{"assets": {{"host": [{{"name": "a"}}, {{"name": "b"}}]}}, "paths": [{paths}]}}"#);
        let (_, told) = Inventory::new(serde_json::from_str(&parts).unwrap());
        assert_eq!(told.is_empty(), good, "{least}: {told:?}");
    }
}

#[test]
fn what_is_one_too_many_is_told() {
    let parts = r#"{"assets": {"host": [{"name": "a"}, {"name": "b"}], "account": [{"name": "c"}]}}"#;
    for (most, kept) in [(2, 2), (3, 3), (4, 3)] {
        let (inventory, told) = Inventory::bounded(serde_json::from_str(parts).unwrap(), most);
        assert_eq!((inventory.assets().count(), told.len(), inventory.hosts()), (kept, 3 - kept, 2), "{most}");
    }
}

#[test]
fn a_name_of_two_is_the_name_of_none() {
    let hash = "ab".repeat(32);
    let two = "cd".repeat(32);
    let parts = format!(
        r#"{{"assets": {{
            "host": [{{"name": "a", "names": ["198.51.100.1", "198.51.100.2", "198.51.100.2"], "tier": 3}},
                     {{"name": "b", "names": ["198.51.100.1"], "tier": 3}}],
            "domain": [{{"name": "a.example", "names": ["www.example.org"], "tier": 2}},
                       {{"name": "b.example", "names": ["www.example.org"], "tier": 2}}],
            "hash": [{{"name": "tool", "names": ["{hash}", "{two}"], "tier": 1}}, {{"name": "other", "names": ["{two}"], "tier": 1}}]
        }}}}"#
    );
    let (inventory, _) = Inventory::new(serde_json::from_str(&parts).unwrap());
    for (target, tier, asset) in [
        ("host:198.51.100.1".to_owned(), Tier::Zero, None),
        ("address:198.51.100.1".to_owned(), Tier::Zero, None),
        // Said twice of the same it is still one.
        ("host:198.51.100.2".to_owned(), Tier::Three, Some("host:a")),
        ("address:198.51.100.2".to_owned(), Tier::Three, Some("host:a")),
        ("host:198.51.100.3".to_owned(), Tier::Zero, None),
        ("domain:www.example.org".to_owned(), Tier::Zero, None),
        ("domain:a.www.example.org".to_owned(), Tier::Zero, None),
        (format!("hash:{hash}"), Tier::One, Some("hash:tool")),
        (format!("hash:{two}"), Tier::Zero, None),
        (format!("hash:{}", "ef".repeat(32)), Tier::Two, None),
        (format!("hash:{}g", "e".repeat(63)), Tier::Zero, None),
        (format!("hash:{}", "e".repeat(63)), Tier::Zero, None),
    ] {
        let found = inventory.resolve(&target).unwrap();
        assert_eq!((found.tier, found.asset.as_ref().map(EntityId::as_str)), (tier, asset), "{target}");
    }
    for hidden in [
        '\u{ad}',
        '\u{200b}',
        '\u{200f}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{206f}',
        '\u{feff}',
        '\u{e0000}',
        '\u{e007f}',
    ] {
        assert_eq!(inventory.resolve(&format!("host:a{hidden}b")), Err(NoTarget::Name), "{hidden:?}");
    }
    for seen in ['\u{ac}', '\u{ae}', '\u{2010}', '\u{2070}'] {
        assert!(inventory.resolve(&format!("host:a{seen}b")).is_ok(), "{seen:?}");
    }
}

#[test]
fn the_outside_is_as_protected_as_the_house_says() {
    let parts = r#"{"outside": {"address": 2, "domain": 1, "hash": 3}}"#;
    let (inventory, _) = Inventory::new(serde_json::from_str(parts).unwrap());
    for (target, tier) in [
        ("address:203.0.113.9".to_owned(), Tier::Two),
        ("domain:evil.example".to_owned(), Tier::One),
        (format!("hash:{}", "ab".repeat(32)), Tier::Three),
        // Not what no stranger can have.
        ("address:10.0.0.1".to_owned(), Tier::Zero),
        ("domain:local".to_owned(), Tier::Zero),
    ] {
        assert_eq!(inventory.resolve(&target).map(|found| found.tier), Ok(tier), "{target}");
    }
}
