//! Packs are complete: a mapping that says what silence means, samples, and for each sample the events it must become.

use std::path::Path;

use anyhow::Result;

use super::Findings;
use crate::goldens::{golden_of, kinds, samples_of};
use crate::place::{files, relative};

pub fn check() -> Result<Findings> {
    let mut findings = Findings::new();
    for folder in kinds()? {
        findings.extend(check_kind(&folder)?);
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
