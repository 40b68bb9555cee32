//! Packs: those compiled in, and those of the user's folder on top.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use watchfloor_model::limits::MAPPING_BYTES_MAX;
use watchfloor_normalize::{Library, PackFault, SourceFile};

mod built_in {
    include!(concat!(env!("OUT_DIR"), "/packs.rs"));
}

/// Numbers and names of ATT&CK techniques.
pub const TECHNIQUES: &str = include_str!("../../../packs/attack/techniques.tsv");

/// The built-in rules: file and text.
pub fn built_in_rules() -> &'static [(&'static str, &'static str)] {
    built_in::RULES
}

/// The built-in taxonomy: file and text.
pub fn built_in_taxonomy() -> &'static [(&'static str, &'static str)] {
    built_in::TAXONOMY
}

/// Compiles the built-in packs and those of a folder: `DIR/<kind>/mapping.wfm`, `DIR/names/*.wfn` or `DIR/../names/*.wfn`.
///
/// A mapping that cannot be used is left out and told; the sources of all others go on.
pub fn library(folder: Option<&Path>) -> anyhow::Result<(Library, Vec<PackFault>)> {
    let own = |list: &[(&str, &str)]| -> Vec<SourceFile> {
        list.iter().map(|(file, text)| SourceFile { file: (*file).to_owned(), text: (*text).to_owned() }).collect()
    };
    let (mut mappings, mut names) = (own(built_in::MAPPINGS), own(built_in::NAMES));
    if let Some(folder) = folder {
        let mut any = false;
        for kind in sorted(folder)? {
            let mapping = kind.join("mapping.wfm");
            if mapping.is_file() {
                let theirs = read(&mapping)?;
                any = true;
                mappings.retain(|known| folder_name(&known.file) != folder_name(&theirs.file));
                mappings.push(theirs);
            }
        }
        for folder in [folder.join("names"), folder.join("../names")] {
            if folder.is_dir() {
                for file in sorted(&folder)?.iter().filter(|file| file.extension().is_some_and(|e| e == "wfn")) {
                    let theirs = read(file)?;
                    any = true;
                    let same = |known: &SourceFile| file_name(&known.file) == file_name(&theirs.file);
                    names.retain(|known| !same(known));
                    names.push(theirs);
                }
            }
        }
        anyhow::ensure!(any, "no packs in {0}: a pack is {0}/<kind>/mapping.wfm{1}", folder.display(), hint(folder));
    }
    Ok(Library::compile(&mappings, &names))
}

/// What was probably meant, if the folder is one kind's own.
fn hint(folder: &Path) -> String {
    let above = folder.parent().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    match above {
        Some(above) if folder.join("mapping.wfm").is_file() => {
            format!("; {} is one pack: name the folder that holds it, {}", folder.display(), above.display())
        }
        _ => String::new(),
    }
}

/// `acme.door` of `my-packs/acme.door/mapping.wfm`
fn folder_name(path: &str) -> &str {
    path.rsplit('/').nth(1).unwrap_or(path)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn sorted(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the packs folder {}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> anyhow::Result<SourceFile> {
    let shown = file.display().to_string();
    let length = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?.len();
    anyhow::ensure!(
        length <= MAPPING_BYTES_MAX as u64,
        "{shown} has {length} bytes; a mapping has at most {MAPPING_BYTES_MAX}"
    );
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    Ok(SourceFile { file: shown, text })
}
