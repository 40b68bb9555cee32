//! The crate graph against the arrows of `ARCHITECTURE.md`, and `docs/dependencies.md` against the manifests.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::place::{cargo, output, root};

/// What each room may use. An arrow that is not here is not allowed, and neither is a room.
const ARROWS: [(&str, &[&str]); 18] = [
    ("watchfloor-model", &[]),
    ("watchfloor-ocsf", &["watchfloor-model"]),
    ("watchfloor-decode", &["watchfloor-model"]),
    ("watchfloor-normalize", &["watchfloor-model", "watchfloor-ocsf", "watchfloor-decode"]),
    ("watchfloor-sigma", &["watchfloor-model"]),
    ("watchfloor-detect", &["watchfloor-model", "watchfloor-decode", "watchfloor-normalize", "watchfloor-sigma"]),
    ("watchfloor-intake", &["watchfloor-model", "watchfloor-decode"]),
    ("watchfloor-admission", &[]),
    ("watchfloor-govern", &["watchfloor-model", "watchfloor-admission"]),
    ("watchfloor-policy", &[]),
    ("watchfloor-policy-proof", &["watchfloor-policy"]),
    ("watchfloor-respond", &["watchfloor-model", "watchfloor-govern"]),
    ("watchfloor-verify", &[]),
    ("watchfloor-ledger", &["watchfloor-verify"]),
    ("watchfloor-store", &["watchfloor-ledger", "watchfloor-verify"]),
    ("watchfloor-kernel", &["watchfloor-model", "watchfloor-govern", "watchfloor-respond", "watchfloor-ledger"]),
    (
        "watchfloor",
        &[
            "watchfloor-kernel",
            "watchfloor-admission",
            "watchfloor-govern",
            "watchfloor-policy",
            "watchfloor-policy-proof",
            "watchfloor-respond",
            "watchfloor-verify",
            "watchfloor-ledger",
            "watchfloor-store",
            "watchfloor-model",
            "watchfloor-ocsf",
            "watchfloor-decode",
            "watchfloor-normalize",
            "watchfloor-sigma",
            "watchfloor-detect",
            "watchfloor-intake",
        ],
    ),
    ("xtask", &["watchfloor-model", "watchfloor-ocsf"]),
];

/// Rooms above the line: no input, no output, no clock. Their `clippy.toml` bans it.
const PURE: [&str; 13] = [
    "model",
    "ocsf",
    "decode",
    "normalize",
    "sigma",
    "detect",
    "admission",
    "govern",
    "kernel",
    "policy",
    "respond",
    "ledger",
    "verify",
];

pub fn graph() -> Result<Findings> {
    let mut findings = Findings::new();
    for package in packages()? {
        let name = text(&package, "name");
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == name) else {
            findings.push(format!("{name} is not in the list of rooms (xtask/src/tidy/crates.rs)"));
            continue;
        };
        for dependency in list(&package, "dependencies") {
            let to = text(dependency, "name");
            if is_own(dependency) && !allowed.contains(&to) {
                findings.push(format!("{name} must not use {to}"));
            }
        }
    }
    let due = std::fs::read_to_string(root().join("crates/model/clippy.toml")).context("crates/model/clippy.toml")?;
    for room in PURE {
        let path = root().join(format!("crates/{room}"));
        if path.exists() && !std::fs::read_to_string(path.join("clippy.toml")).is_ok_and(|found| found == due) {
            findings.push(format!(
                "crates/{room}/clippy.toml is not that of crates/model: a pure room bans clocks and files"
            ));
        }
    }
    Ok(findings)
}

pub fn dependencies() -> Result<Findings> {
    let path = "docs/dependencies.md";
    let document = std::fs::read_to_string(root().join(path)).with_context(|| format!("{path} is missing"))?;
    let listed: BTreeSet<String> = document.lines().filter_map(first_cell).collect();
    let mut used = BTreeSet::new();
    for package in packages()? {
        let external = list(&package, "dependencies").filter(|dependency| !is_own(dependency));
        used.extend(external.map(|dependency| text(dependency, "name").to_owned()));
    }
    let missing = used.difference(&listed).map(|name| format!("{path} has no line for {name}"));
    let stale = listed.difference(&used).map(|name| format!("{path} has a line for {name}, which nothing uses"));
    Ok(missing.chain(stale).collect())
}

/// The crate's name of a table row: it stands in backticks.
fn first_cell(line: &str) -> Option<String> {
    let name = line.strip_prefix('|')?.split('|').next()?.trim().strip_prefix('`')?.strip_suffix('`')?;
    Some(name.to_owned())
}

fn packages() -> Result<Vec<Value>> {
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is no JSON")?;
    Ok(list(&metadata, "packages").cloned().collect())
}

/// A dependency by path has no registry.
fn is_own(dependency: &Value) -> bool {
    dependency.get("source").is_none_or(Value::is_null)
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_to_earlier_rooms_only() {
        for (at, (room, allowed)) in ARROWS.iter().enumerate() {
            for to in *allowed {
                assert!(ARROWS[..at].iter().any(|(earlier, _)| earlier == to), "{room} → {to}");
            }
        }
    }

    #[test]
    fn rows_name_their_crate() {
        let table = [
            ("| `serde` | reads | x | 1 s |", Some("serde")),
            ("| crate | why |", None),
            ("|---|---|", None),
            ("text with `serde`", None),
        ];
        for (line, expected) in table {
            assert_eq!(first_cell(line).as_deref(), expected, "{line}");
        }
    }
}
