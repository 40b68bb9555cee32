//! Packs are complete: a mapping that says what silence means, samples, and for each sample the events it must become; a rule that
//! somebody owns, with records that must match and records that must not.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Findings;
use crate::goldens::{golden_of, kinds, samples_of};
use crate::place::{files, relative, root};

pub fn check() -> Result<Findings> {
    let mut findings = Findings::new();
    for folder in kinds()? {
        findings.extend(check_kind(&folder)?);
    }
    for file in rules()? {
        findings.extend(check_rule(&file)?);
    }
    Ok(findings)
}

/// What every rule of ours says, at the beginning of a line.
const DUE: [&str; 11] = [
    "title: ",
    "id: ",
    "status: ",
    "description: ",
    "tags:",
    "falsepositives:",
    "level: ",
    "watchfloor:",
    "    owner: ",
    "    volume: ",
    "    response: ",
];
/// What a rule's matches lead to.
const RESPONSES: [&str; 4] = ["observe", "investigate", "contain-host", "contain-account"];

/// Files of rules, without their fixtures.
fn rules() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for area in std::fs::read_dir(root().join("packs/rules"))? {
        found.extend(files(&area?.path())?);
    }
    found.retain(|file| !file.to_string_lossy().ends_with(".test.yml"));
    Ok(found)
}

fn check_rule(file: &Path) -> Result<Findings> {
    let place = relative(file);
    let text = std::fs::read_to_string(file)?;
    let mut findings = Findings::new();
    for (number, document) in text.split("\n---\n").enumerate() {
        for due in DUE.iter().filter(|due| !document.lines().any(|line| line.starts_with(**due))) {
            findings.push(format!("{place}: document {} has no `{}`", number + 1, due.trim()));
        }
        let response = document.lines().find_map(|line| line.strip_prefix("    response: ")).unwrap_or_default();
        if !RESPONSES.contains(&response) {
            findings.push(format!("{place}: `response: {response}` is none of {}", RESPONSES.join(", ")));
        }
    }
    let fixtures = std::fs::read_to_string(file.with_extension("test.yml")).unwrap_or_default();
    for due in ["match:", "pass:"] {
        if !fixtures.lines().any(|line| line.starts_with(due)) {
            findings.push(format!("{place} has no fixtures under `{due}`"));
        }
    }
    Ok(findings)
}

fn check_kind(folder: &Path) -> Result<Findings> {
    let (place, kind) = (relative(folder), folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default());
    let mut findings = Findings::new();
    match std::fs::read_to_string(folder.join("mapping.wfm")) {
        Ok(mapping) => {
            let values = |word: &str| -> Vec<String> {
                let lines = mapping.lines().filter_map(|line| line.trim().strip_prefix(word)?.strip_prefix(' '));
                lines.map(|value| value.trim().to_owned()).collect()
            };
            if values("silence").is_empty() {
                findings.push(format!("{place}/mapping.wfm does not say what silence means"));
            }
            if values("source").first().is_none_or(|source| source.split('#').next().unwrap_or_default().trim() != kind)
            {
                findings.push(format!("{place}/mapping.wfm is not of `source {kind}`"));
            }
        }
        Err(error) => findings.push(format!("{place}/mapping.wfm: {error}")),
    }
    let samples = samples_of(folder)?;
    if samples.is_empty() {
        findings.push(format!("{place} has no sample"));
    }
    let due: Vec<_> = samples.iter().map(|sample| golden_of(folder, sample)).collect();
    for golden in due.iter().filter(|golden| !golden.exists()) {
        findings.push(format!("{} is missing: `cargo xtask goldens` writes it", relative(golden)));
    }
    let goldens = folder.join("golden");
    if goldens.exists() {
        for golden in files(&goldens)?.iter().filter(|golden| !due.contains(golden)) {
            findings.push(format!("{} has no sample", relative(golden)));
        }
    }
    Ok(findings)
}
