//! Lists the built-in packs, so that they are compiled into the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    // The folder of this build, not of the one that compiled the script: target folders are shared.
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let packs = Path::new(&here).join("../../packs");
    println!("cargo::rerun-if-changed={}", packs.join("sources").display());
    println!("cargo::rerun-if-changed={}", packs.join("names").display());
    println!("cargo::rerun-if-changed={}", packs.join("rules").display());
    println!("cargo::rerun-if-changed={}", packs.join("taxonomy").display());
    let mut code = String::new();
    let mut rules = Vec::new();
    for area in entries(&packs.join("rules")) {
        println!("cargo::rerun-if-changed={}", area.display());
        rules.extend(
            with_ending(&area, "yml").into_iter().filter(|file| !file.to_string_lossy().ends_with(".test.yml")),
        );
    }
    for (name, files) in [
        ("MAPPINGS", mappings(&packs)),
        ("NAMES", with_ending(&packs.join("names"), "wfn")),
        ("RULES", rules),
        ("TAXONOMY", with_ending(&packs.join("taxonomy"), "yml")),
    ] {
        if files.is_empty() {
            println!("cargo::error=no packs in {}: the checkout is not whole", packs.display());
        }
        list(&mut code, name, &files);
    }
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap_or_default()).join("packs.rs");
    if let Err(error) = std::fs::write(&out, code) {
        println!("cargo::error=cannot write {}: {error}", out.display());
    }
}

fn list(code: &mut String, name: &str, files: &[PathBuf]) {
    let _ = writeln!(code, "/// Name and text.\npub const {name}: &[(&str, &str)] = &[");
    for file in files {
        let shown = file.to_string_lossy();
        let short = shown.split("/packs/").last().unwrap_or(&shown);
        println!("cargo::rerun-if-changed={shown}");
        let _ = writeln!(code, "    (\"packs/{short}\", include_str!({shown:?})),");
    }
    code.push_str("];\n");
}

fn mappings(packs: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        entries(&packs.join("sources")).into_iter().map(|kind| kind.join("mapping.wfm")).collect();
    found.retain(|file| file.is_file());
    found
}

fn with_ending(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = entries(dir);
    found.retain(|file| file.extension().is_some_and(|e| e == ending));
    found
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    found.sort();
    found
}
