//! `watchfloor bench detect`: rules over records, beside a bare parse of the same records.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use watchfloor_detect::{Budget, Detection, Reader};
use watchfloor_normalize::{Clock, Engine, Library, Options};

use super::{RUNS, Set, figure, measure};
use crate::rules::load::{rules, taxonomy};

/// Measures loading and running.
pub fn run(library: &Library, set: &Set, paths: &[PathBuf], growth: bool) -> anyhow::Result<()> {
    if growth {
        let loaded = rules(paths, &watchfloor_sigma::Options::default())?;
        return super::growth::run(library, set, &loaded.documents);
    }
    let before = resident();
    let start = Instant::now();
    let loaded = rules(paths, &watchfloor_sigma::Options::default())?;
    let detection =
        Arc::new(Detection::new(library, &loaded.documents, taxonomy(), Some(Budget::ample(crate::detection::clock)))?);
    let seconds = start.elapsed().as_secs_f64();
    let count = loaded.documents.len();
    drop(loaded);
    figure("detect.load_and_compile", seconds, "s", count)?;
    if let (Some(before), Some(after)) = (before, resident()) {
        figure("detect.memory_of_rules", after.saturating_sub(before) as f64 / 1e6, "MB", count)?;
    }
    figure("detect.questions", detection.set.questions() as f64, "", count)?;
    let matches = pass(library, &detection, set);
    figure("detect.matches", matches as f64, "", set.records)?;
    let ours = measure(|| pass(library, &detection, set));
    figure("detect.events_per_core", set.records as f64 / ours, "events/s", set.records)?;
    figure("detect.bytes_per_core", set.bytes as f64 / ours / 1e6, "MB/s", set.bytes)?;
    let json = set.json();
    if json.len() == set.records {
        let sonic =
            measure(|| json.iter().filter(|text| sonic_rs::from_slice::<sonic_rs::Value>(text).is_ok()).count());
        figure("bare.sonic_rs", json.len() as f64 / sonic, "events/s", json.len())?;
        figure("detect.share_of_sonic_rs", sonic / ours, "ratio", json.len())?;
    }
    figure("detect.runs", RUNS as f64, "", set.records)
}

/// Reads every record and runs the rules over it, on this thread.
pub fn pass(library: &Library, detection: &Arc<Detection>, set: &Set) -> usize {
    let clock = Clock { received: 1_767_225_600_000, zone: jiff::tz::TimeZone::UTC };
    let mut engine = Engine::new(library, Options { clock, raw: true, source: None });
    let mut reader = Reader::new(Arc::clone(detection));
    let mut matches = 0;
    for batch in &set.batches {
        for framed in &batch.records {
            let outcome = engine.examine(framed, batch.raw(framed));
            matches += reader.read(&mut engine, &outcome).len();
        }
    }
    matches
}

/// Bytes of memory that are in use, where the system says so.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
