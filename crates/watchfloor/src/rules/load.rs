//! Rule files: those compiled in, or those of the user's files and folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use watchfloor_detect::Taxonomy;
use watchfloor_model::Grade;
use watchfloor_sigma::yaml::{self, FILE_BYTES_MAX};
use watchfloor_sigma::{Document, Finding, Options, read};

/// Most findings of a file that are told.
const TOLD_MAX: usize = 100;
/// Most rule files that are read.
const FILES_MAX: usize = 1_000_000;
/// Deepest folder that is looked into.
const FOLDERS_DEPTH_MAX: usize = 32;

/// A rule file.
#[derive(Debug)]
pub struct RuleFile {
    /// Its path.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What there is to say of it.
    pub findings: Vec<Finding>,
}

/// Rules with the files they are from.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Rules, correlations and filters.
    pub documents: Vec<Document>,
    /// The file of each of them, by number.
    pub from: Vec<usize>,
    /// Files.
    pub files: Vec<RuleFile>,
    /// Documents that cannot be used.
    pub refused: usize,
}

impl Loaded {
    fn add(&mut self, path: String, text: String, options: &Options) {
        let read = read(&text, options);
        self.from.extend(read.documents.iter().map(|_| self.files.len()));
        self.documents.extend(read.documents);
        self.refused += read.refused;
        self.files.push(RuleFile { path, text, findings: read.findings });
    }

    /// Tells on standard error what cannot be used, and what else there is to say if `all`.
    pub fn tell(&self, all: bool) {
        for file in &self.files {
            let told = || file.findings.iter().filter(|finding| all || finding.grade == Grade::Error);
            for finding in told().take(TOLD_MAX) {
                crate::terminal::say(&finding.render(&file.path, &file.text));
            }
            let more = told().count().saturating_sub(TOLD_MAX);
            if more > 0 {
                crate::terminal::say(&format!("and {more} more in {}\n", file.path));
            }
        }
    }

    /// How many findings are of a grade.
    pub fn count(&self, grade: Grade) -> usize {
        self.files.iter().flat_map(|file| &file.findings).filter(|finding| finding.grade == grade).count()
    }
}

/// The rules of files and folders, or those compiled in if there are none.
pub fn rules(paths: &[PathBuf], options: &Options) -> anyhow::Result<Loaded> {
    let mut loaded = Loaded::default();
    if paths.is_empty() {
        for (path, text) in crate::packs::built_in_rules() {
            loaded.add((*path).to_owned(), (*text).to_owned(), options);
        }
        return Ok(loaded);
    }
    for path in paths {
        let mut files = Vec::new();
        rule_files(path, 0, &mut files)?;
        anyhow::ensure!(!files.is_empty(), "no rule files (*.yml, *.yaml) in {}", path.display());
        for file in files {
            let shown = file.display().to_string();
            let length = std::fs::metadata(&file).with_context(|| format!("cannot read {shown}"))?.len();
            if length > FILE_BYTES_MAX as u64 {
                let message = format!("the file has {length} bytes; a rule file has at most {FILE_BYTES_MAX}");
                let findings = vec![Finding::error("sigma.too_large", yaml::START, message)];
                loaded.refused += 1;
                loaded.files.push(RuleFile { path: shown, text: String::new(), findings });
                continue;
            }
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read {shown}"))?;
            loaded.add(shown, String::from_utf8_lossy(&bytes).into_owned(), options);
        }
    }
    Ok(loaded)
}

/// Rule files under a path, in order of their names. Fixtures stand beside rules and are none.
fn rule_files(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let about = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if about.is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    anyhow::ensure!(depth < FOLDERS_DEPTH_MAX, "{} is too deep in folders", path.display());
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    inside.sort();
    for path in inside {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_rule = (name.ends_with(".yml") || name.ends_with(".yaml")) && !name.ends_with(".test.yml");
        if path.is_dir() && !path.is_symlink() {
            rule_files(&path, depth + 1, found)?;
        } else if is_rule && path.is_file() {
            found.push(path);
        }
        anyhow::ensure!(found.len() <= FILES_MAX, "more than {FILES_MAX} rule files");
    }
    Ok(())
}

/// What placeholders stand for: a YAML file of names and values.
pub fn placeholders(file: &Path) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let (documents, findings) = yaml::documents(&text);
    if let Some(finding) = findings.first() {
        anyhow::bail!("{}", finding.render(&shown, &text));
    }
    let entries = documents.iter().flat_map(yaml::Node::entries);
    let values = |node: &yaml::Node| node.items().iter().filter_map(yaml::Node::text).collect();
    Ok(entries.map(|(name, node)| (name.text.clone(), values(node))).collect())
}

/// The taxonomy that is compiled in.
pub fn taxonomy() -> Taxonomy {
    let mut taxonomy = Taxonomy::default();
    for (file, text) in crate::packs::built_in_taxonomy() {
        for finding in taxonomy.add(text) {
            crate::terminal::say(&finding.render(file, text));
        }
    }
    taxonomy
}
