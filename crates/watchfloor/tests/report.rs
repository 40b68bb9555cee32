//! The report of a hunt: what is hostile stays text, what is left out is said, and the page allows only its own script and style.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>]]>\u{202e}\u{7}&lt;";

fn report(name: &str, records: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let quoted = EVIL.replace('\u{7}', "").replace('\'', "''");
    let rule = format!(
        "title: 'Evil {quoted}'\nid: 6b1f8f6c-3a1b-4f39-8f0a-0d5c4f0f5a11\nlevel: high\ndescription: '{quoted}'\nauthor: '{quoted}'\n\
         references: ['javascript:alert(1)', 'https://example.com/{quoted}']\nfalsepositives: ['{quoted}']\ntags: [attack.t1490, attack.impact]\n\
         logsource: {{product: windows, category: process_creation}}\ndetection: {{s: {{Image|endswith: evil.exe}}, condition: s}}\n"
    );
    let (rules, log, out) = (folder.join("rules.yml"), folder.join("<b>records.log"), folder.join("report.html"));
    fs::write(&rules, rule).unwrap();
    fs::write(&log, records).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_watchfloor"))
        .args(["hunt", "--format", "html", "--rules"])
        .arg(&rules)
        .arg("--output")
        .arg(&out)
        .arg(&log)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(out).unwrap()
}

fn record(number: usize) -> String {
    let text = |text: &str| serde_json::to_string(text).unwrap();
    format!(
        "{{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"SourceName\":\"Microsoft-Windows-Sysmon\",\"EventID\":1,\"Computer\":{0},\
         \"UtcTime\":\"2026-03-02 10:15:02.123\",\"Image\":\"C:\\\\evil.exe\",\"CommandLine\":{0},\"User\":{0},\"N\":{number}}}\n",
        text(EVIL)
    )
}

#[test]
fn what_is_hostile_stays_text() {
    let page = report("hostile", &record(1));
    assert!(page.contains("Evil &lt;script&gt;"), "the rule is shown");
    for text in ["<script>alert", "<img", "onerror=alert(2)>]]", "<b>records", "\u{202e}", "\u{7}"] {
        assert!(!page.contains(text), "{text:?} came through");
    }
    assert!(!page.to_lowercase().contains("href=\"javascript:"));
    assert_eq!(page.matches("<script").count(), 1);
}

#[test]
fn nothing_found_is_said() {
    let page = report("nothing", "{\"a\":1}\n");
    assert!(page.contains("</html>") && page.to_lowercase().contains("no match"), "{}", &page[page.len() - 2_000..]);
}

#[test]
fn what_is_left_out_is_said() {
    let records: String = (0..5_010).map(record).collect();
    let page = report("many", &records);
    assert!(page.contains("5,000") && page.contains("5,010") && page.contains("--format csv"), "the rest is not said");
}

/// Base64 of a hash.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .map(|chunk| {
            let all = chunk.iter().enumerate().fold(0_u32, |all, (at, byte)| all | u32::from(*byte) << (16 - 8 * at));
            let digit = |at: usize| char::from(DIGITS[(all >> (18 - 6 * at)) as usize & 63]);
            (0..4).map(|at| if at <= chunk.len() { digit(at) } else { '=' }).collect::<String>()
        })
        .collect()
}

#[test]
fn only_its_own_script_and_style_may_run() {
    let page = report("policy", &record(1));
    for tag in ["script", "style"] {
        let start = page.find(&format!("<{tag}>")).unwrap() + tag.len() + 2;
        let inside = &page[start..start + page[start..].find(&format!("</{tag}>")).unwrap()];
        let hash = base64(&Sha256::digest(inside.as_bytes()));
        assert!(page.contains(&format!("{tag}-src 'sha256-{hash}'")), "the page does not allow its {tag}: {hash}");
    }
    assert!(page.contains("default-src 'none'") && !page.contains(" style=\""));
}
