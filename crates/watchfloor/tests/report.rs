//! `watchfloor hunt --format html` through the real binary: hostile texts stay texts, the policy of the page fits the page, and what is left out is said.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};

/// Everything that ends or begins something in HTML, and what turns the text around it about.
const HOSTILE: &str = "</td></script></style></title>--><script>alert(1)</script><img src=x onerror=alert(2)>\" onfocus='x' `y` ]]> &lt; \u{202e}\u{2066}\u{200b}\u{85}\u{1b}[2J";
/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "br", "input", "!DOCTYPE"];
const ELEMENTS: &str = "html head title style body header main footer nav section article h1 h2 h3 p a ul li dl dt dd div span b i strong code pre \
    time bdi table caption thead tbody tr th td details summary form label input select option button svg desc g rect line text script meta br !DOCTYPE";
const ATTRIBUTES: &str = "html lang charset http-equiv content name class id href rel dir datetime role scope hidden value type for tabindex title \
    autocomplete spellcheck viewBox x y x1 x2 y1 y2 width height data-l data-h data-r data-host data-rule aria-label aria-labelledby aria-hidden";

const LOGON_RULES: &str = "
title: Failed logon
level: low
logsource: {product: linux, service: sshd}
detection: {selection: ['Failed password'], condition: selection}
---
title: Root logged on
level: critical
tags: [attack.initial-access, attack.t1078.003]
logsource: {product: linux, service: sshd}
detection: {selection: ['Accepted password for root'], condition: selection}
";

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The page about a file of records.
fn page(name: &str, rules: &str, file: &str, records: &str, more: &[&str]) -> String {
    let folder = scratch(name);
    let (rules_file, records_file) = (folder.join("rules.yml"), folder.join(file));
    fs::write(&rules_file, rules).unwrap();
    fs::write(&records_file, records).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor"));
    command.args(["hunt", "--format", "html", "--rules"]).arg(&rules_file).args(more).arg(&records_file);
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to}")).0
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().chain([0, 0].iter()).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let digit = |at: usize| char::from(DIGITS[bits >> (18 - 6 * at) & 63]);
        (0..4).map(|at| if at <= three.len() { digit(at) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// Reads a page as a browser would, strictly: known elements with known attributes, each closed, links to nowhere else, and no
/// character that cannot be seen.
fn check(page: &str) {
    let unseen = |c: &char| {
        c.is_control() && *c != '\n' && *c != '\t'
            || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    assert_eq!(page.chars().find(unseen), None);
    let (mut open, mut rest) = (Vec::new(), page);
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{before}");
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop(),
                Some(name),
                "…{}",
                &before[before.floor_char_boundary(before.len().saturating_sub(200))..]
            );
            continue;
        }
        let (name, attributes) = tag.trim_end_matches('/').split_once([' ', '\n']).unwrap_or((tag, ""));
        assert!(ELEMENTS.split_whitespace().any(|known| known == name), "<{tag}>");
        check_attributes(attributes);
        if name == "style" || name == "script" {
            rest = rest.split_once(&format!("</{name}>")).expect("it ends").1;
        } else if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(page.matches("<script").count(), 1);
}

fn check_attributes(mut attributes: &str) {
    while !attributes.trim_start().is_empty() {
        attributes = attributes.trim_start();
        let end = attributes.find([' ', '=']).unwrap_or(attributes.len());
        let name = &attributes[..end];
        assert!(ATTRIBUTES.split_whitespace().any(|known| known == name), "{attributes}");
        attributes = &attributes[end..];
        let Some(quoted) = attributes.strip_prefix("=\"") else { continue };
        let (value, after) = quoted.split_once('"').expect("a quote ends");
        attributes = after;
        assert!(name != "href" || ["#", "https://", "http://"].iter().any(|start| value.starts_with(start)), "{value}");
        assert!(after.is_empty() || after.starts_with([' ', '\n']), "{after}");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let rule = json!({
        "title": format!("Rule {HOSTILE}"), "id": format!("id {HOSTILE}"), "level": "high", "status": "test",
        "description": format!("What\n{HOSTILE}"), "author": HOSTILE, "date": HOSTILE, "license": HOSTILE,
        "references": ["javascript:alert(3)", "JavaScript:alert(4)", "data:text/html,<script>", HOSTILE, " https://blank.example",
            format!("https://example.com/{HOSTILE}"), "https://example.com/\"><script>alert(5)</script>", "https://example.com/?a=1&b='2'"],
        "falsepositives": [HOSTILE],
        "tags": ["attack.execution", "attack.t1059.001", format!("attack.t1{HOSTILE}"), HOSTILE, "attack.t1059.001/../../x"],
        "logsource": {"product": "windows", "category": "process_creation"},
        "detection": {"selection": {"Image|endswith": "vssadmin.exe", "CommandLine|contains": "script"}, "condition": "selection"},
    });
    let record = json!({
        "Channel": "Microsoft-Windows-Sysmon/Operational", "SourceName": "Microsoft-Windows-Sysmon", "EventID": 1,
        "Computer": format!("host {HOSTILE}"), "UtcTime": "2026-03-02 10:15:02.123", "User": format!("ACME\\{HOSTILE}"),
        "Image": format!("C:\\{HOSTILE}\\vssadmin.exe"), "CommandLine": HOSTILE,
    });
    let file = "a\"'><img src=x onerror=alert(6)>\u{202e}&amp;.log";
    let page = page("hostile", &rule.to_string(), file, &format!("{record}\n"), &[]);
    check(&page);
    // Nothing is lost either.
    let shown = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;&quot; onfocus=&#39;x&#39; &#96;y&#96; ]]&gt; &amp;lt; ⟨U+202E⟩⟨U+2066⟩⟨U+200B⟩⟨U+0085⟩⟨U+001B⟩[2J";
    assert!(page.matches(shown).count() > 12, "{}", page.matches(shown).count());
    assert!(page.contains("a&quot;&#39;&gt;&lt;img src=x onerror=alert(6)&gt;⟨U+202E⟩&amp;amp;.log</bdi>:1"), "{page}");
    assert!(page.contains(
        "<a href=\"https://attack.mitre.org/techniques/T1059/001/\" rel=\"noopener noreferrer\">T1059.001</a>"
    ));
    assert!(page.contains("href=\"https://example.com/?a=1&amp;b=&#39;2&#39;\""));
    let links = page.matches("href=\"http").count();
    // The technique, and two references: one with its quotes escaped.
    assert_eq!(links, 3, "{page}");
}

#[test]
fn the_policy_names_the_style_and_the_script_of_the_page() {
    let page = page("policy", LOGON_RULES, "empty.log", "", &[]);
    let policy = between(&page, "<meta http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let hash = |text: &str| format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())));
    let (style, script) = (between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>"));
    let right = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    );
    assert_eq!(policy, right, "correct the hashes in src/hunt/report.rs");
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert_eq!(["", "f", "fo", "foo"].map(|text| base64(text.as_bytes())), ["", "Zg==", "Zm8=", "Zm9v"]);
}

#[test]
fn no_matches_make_a_page_too() {
    let line = "Mar  2 10:15:04 web01 sshd[1]: Connection closed by 192.0.2.7 port 50022\n";
    let page_of = |name: &str, records: &str| page(name, LOGON_RULES, "auth.log", records, &[]);
    let some = page_of("quiet", line);
    check(&some);
    assert!(
        some.contains("No rule matched any of 1 record.") && some.contains("It does not say that nothing happened"),
        "{some}"
    );
    let none = page_of("nothing", "");
    check(&none);
    assert!(none.contains("No rule matched any of 0 records.") && none.contains("Nothing was read"), "{none}");
}

#[test]
fn what_is_left_out_is_said_and_the_worst_stays() {
    let mut records = String::new();
    for number in 0..5_003 {
        let (minute, second) = (number / 60 % 60, number % 60);
        let hour = 8 + number / 3_600;
        records.push_str(&format!(
            "Mar  2 {hour:02}:{minute:02}:{second:02} web01 sshd[1]: Failed password for root from 192.0.2.7 port 50022 ssh2\n"
        ));
    }
    for _ in 0..2 {
        records.push_str("Mar  2 11:00:00 web01 sshd[1]: Accepted password for root from 192.0.2.7 port 50023 ssh2\n");
    }
    let page = page("cap", LOGON_RULES, "auth.log", &records, &[]);
    check(&page);
    assert!(page.contains("<strong>5 matches are left out:</strong>") && page.contains("--format csv"), "{page}");
    assert!(page.contains("<strong>5,005 matches</strong> of 2 rules on 1 host between"), "{page}");
    let rows = page.split_once("<tbody id=\"rows\"").unwrap().1;
    assert_eq!(rows.matches("<tr ").count(), 5_000);
    assert_eq!(rows.matches(">Root logged on<").count(), 2);
    assert!(page.contains("the highest level is <b class=\"l critical\">critical</b>"));
}

#[test]
fn times_are_of_the_zone_and_may_be_missing() {
    let record = |time: &str| {
        format!(
            "{{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"SourceName\":\"Microsoft-Windows-Sysmon\",\"EventID\":1,\"Computer\":\"ws01\",{time}\"Image\":\"C:\\\\a.exe\"}}\n"
        )
    };
    let rules = "{title: A, logsource: {product: windows, category: process_creation}, detection: {a: {Image|endswith: a.exe}, condition: a}}";
    let timed = record("\"@timestamp\":\"2026-03-02T23:15:02.123Z\",");
    let both = page("zone", rules, "a.log", &(timed + &record("")), &["--tz", "Europe/Berlin"]);
    check(&both);
    assert!(
        both.contains(">2026-03-03 00:15:02.123 +01:00</time>") && both.contains("Times are Europe/Berlin."),
        "{both}"
    );
    assert!(both.contains("1 match has no time and cannot be drawn.") && both.contains(">no time</td>"), "{both}");
    assert!(both.contains("No rule that matched names a technique"), "{both}");
    let timeless = page("timeless", rules, "a.log", &record(""), &[]);
    check(&timeless);
    assert!(timeless.contains("none of them with a time") && !timeless.contains("<svg"), "{timeless}");
}
