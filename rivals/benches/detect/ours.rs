//! Our engine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use watchfloor_decode::Batch;
use watchfloor_detect::{Detection, Reader, RuleId, RuleSet, Taxonomy};
use watchfloor_normalize::{Clock, Engine, Library, Options, SourceFile};
use watchfloor_sigma::Document;

/// Rules, bound to the records of a library.
pub struct Ours<'l> {
    library: &'l Library,
    pub set: Arc<RuleSet>,
    detection: Arc<Detection>,
}

/// What is known of each record before the clock runs.
pub struct Routes {
    /// Number of the combination of log sources that each record is of.
    pub of: Vec<usize>,
    /// The rules for each combination.
    pub rules: Vec<Vec<RuleId>>,
}

impl<'l> Ours<'l> {
    /// With all names that the taxonomy knows of a field, or with the field's own alone.
    pub fn new(library: &'l Library, rules: &[Document], other_names: bool) -> Result<Self> {
        let mut taxonomy = Taxonomy::default();
        for file in packs("taxonomy", "yml")? {
            let sources = file.text.split("\nfields:").next().unwrap_or_default();
            let findings = taxonomy.add(if other_names { &file.text } else { sources });
            anyhow::ensure!(findings.is_empty(), "{}: {findings:?}", file.file);
        }
        let detection = Arc::new(Detection::new(library, rules, taxonomy, None)?);
        Ok(Self { library, set: Arc::clone(&detection.set), detection })
    }

    /// Reads every record and gives what matches it to `each`.
    pub fn run(&self, records: &Batch, mut each: impl FnMut(usize, &[RuleId])) {
        let (mut engine, mut reader) = self.start();
        for (at, framed) in records.records.iter().enumerate() {
            let outcome = engine.examine(framed, records.raw(framed));
            each(at, reader.read(&mut engine, &outcome));
        }
    }

    /// The log sources of every record.
    pub fn routes(&self, records: &Batch) -> Routes {
        let (mut engine, mut reader) = self.start();
        let (mut routes, mut known) = (Routes { of: Vec::new(), rules: Vec::new() }, HashMap::new());
        for framed in &records.records {
            let outcome = engine.examine(framed, records.raw(framed));
            reader.read(&mut engine, &outcome);
            let source = reader.source(&engine.machine.doc, &outcome);
            let number = *known.entry(source).or_insert_with(|| {
                routes.rules.push(reader.engine.rules_of(source));
                routes.rules.len() - 1
            });
            routes.of.push(number);
        }
        routes
    }

    fn start(&self) -> (Engine<'l>, Reader) {
        let clock = Clock { received: 1_767_225_600_000, zone: jiff::tz::TimeZone::UTC };
        let engine = Engine::new(self.library, Options { clock, raw: true, source: None });
        (engine, Reader::new(Arc::clone(&self.detection)))
    }
}

/// The mappings and names of the project.
pub fn library() -> Result<Library> {
    let (library, faults) = Library::compile(&packs("sources", "wfm")?, &packs("names", "wfn")?);
    anyhow::ensure!(faults.is_empty(), "a mapping cannot be used");
    Ok(library)
}

fn packs(folder: &str, ending: &str) -> Result<Vec<SourceFile>> {
    let read = |file: PathBuf| Ok(SourceFile { text: text(&file)?, file: file.display().to_string() });
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs").join(folder), ending)?.into_iter().map(read).collect()
}

/// The text of a file.
pub fn text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The files under a folder whose names end so, in order.
pub fn files(path: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let (mut found, mut left) = (Vec::new(), vec![path.to_owned()]);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
            left.extend(entries.flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|end| end == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
