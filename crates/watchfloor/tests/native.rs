//! OCSF events through the real binary: what validates passes unchanged, what does not becomes a base event that says why.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

fn normalize(input: &str) -> (String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_watchfloor"))
        .args(["normalize", "--received", "2026-03-03T00:00:00Z", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A logon, as this program writes it.
fn event() -> String {
    normalize("Mar  2 10:15:02 web01 sshd[1234]: Accepted password for alice from 192.0.2.7 port 50022 ssh2\n").0
}

#[test]
fn a_valid_event_passes_unchanged() {
    let event = event();
    assert_eq!(normalize(&event), (event.clone(), String::new()));
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&event).unwrap()).unwrap();
    let (out, told) = normalize(&pretty);
    assert_eq!((out.lines().count(), told.as_str()), (1, ""));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), serde_json::from_str::<Value>(&event).unwrap());
}

#[test]
fn an_unknown_version_is_passed_on_as_the_newest() {
    let mut event: Value = serde_json::from_str(&event()).unwrap();
    event["metadata"]["version"] = "1.5.0".into();
    // A decoy before the event's own metadata.
    event["unmapped"] = serde_json::json!({"a": {"metadata": {"version": "1.5.0"}}});
    let (out, told) = normalize(&format!("{event}\n"));
    assert!(told.contains("\"ocsf.version\""), "{told}");
    event["metadata"]["version"] = "1.8.0".into();
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), event);
}

#[test]
fn an_invalid_event_becomes_a_base_event() {
    let mut wrong: Value = serde_json::from_str(&event()).unwrap();
    wrong["severity_id"] = "high".into();
    // Readers differ on which of two keys stands.
    let twice = event().replace("\"class_uid\":3002", "\"class_uid\":3002,\"class_uid\":3002");
    for (input, reason) in [(format!("{wrong}\n"), "severity_id"), (twice, "stands twice")] {
        let (out, told) = normalize(&input);
        assert!(told.contains("\"ocsf.invalid\"") && told.contains(reason), "{told}");
        let out: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&out["class_uid"], out["raw_data"].as_str()), (&Value::from(0), Some(input.trim())));
    }
}
