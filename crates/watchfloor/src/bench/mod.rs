//! `watchfloor bench`: the project's own measurements, one JSON line a figure.

mod admission;
mod autonomy;
mod detect;
mod gate_growth;
mod govern;
mod growth;
mod ledger;
mod policy;
mod questions;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use watchfloor_decode::{Batch, Framer, Shape};
use watchfloor_intake::{Input, read_inputs};
use watchfloor_normalize::{Clock, Engine, Library, Options};

use crate::{Ended, Usage};

/// Most bytes of records that are measured; more would only measure the memory bus.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// Runs of each measurement; the median counts.
const RUNS: usize = 5;

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let mut files = Vec::new();
    let mut rules = Vec::new();
    let (mut name, mut growth, mut plot) = (None, false, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                crate::terminal::print(crate::help::BENCH)?;
                return Ok(Ended::Fine);
            }
            Long("growth") => growth = true,
            Long("plot") => plot = Some(PathBuf::from(parser.value()?)),
            Long("rules") => rules.push(PathBuf::from(parser.value()?)),
            Value(value) if name.is_none() => name = Some(value),
            Value(value) => files.push(Input::Path(PathBuf::from(value))),
            other => return Err(other.unexpected().into()),
        }
    }
    let name = name.unwrap_or_default();
    if name == "policy" {
        policy::run()?;
        return Ok(Ended::Fine);
    }
    if name == "ledger" {
        let under = match files.as_slice() {
            [] => PathBuf::from("."),
            [Input::Path(folder)] => folder.clone(),
            _ => return Err(Usage("`watchfloor bench ledger` takes one folder".into()).into()),
        };
        ledger::run(&under)?;
        return Ok(Ended::Fine);
    }
    if name == "autonomy" {
        autonomy::run(plot.as_deref())?;
        return Ok(Ended::Fine);
    }
    if name == "govern" {
        if growth {
            gate_growth::run(plot.as_deref())?
        } else {
            govern::run()?
        }
        return Ok(Ended::Fine);
    }
    if name == "admission" {
        admission::run()?;
        return Ok(Ended::Fine);
    }
    if name != "normalize" && name != "detect" {
        let names = "normalize, detect, admission, autonomy, govern, ledger or policy";
        return Err(Usage(format!("`watchfloor bench` takes the name of a measurement: {names}")).into());
    }
    if files.is_empty() {
        return Err(Usage(format!("`watchfloor bench {}` takes the files to measure on", name.display())).into());
    }
    let (library, _) = crate::packs::library(None)?;
    let set = Set::read(&library, &files);
    anyhow::ensure!(set.records > 0, "no records in these files");
    if name == "detect" {
        detect::run(&library, &set, &rules, growth)?;
    } else {
        normalize(&library, &set)?;
    }
    Ok(Ended::Fine)
}

/// Records in memory.
struct Set {
    batches: Vec<Batch>,
    records: usize,
    bytes: usize,
}

impl Set {
    fn read(library: &Library, files: &[Input]) -> Self {
        let mut set = Self { batches: Vec::new(), records: 0, bytes: 0 };
        let mut sink = |_: Arc<str>, batch: Batch| {
            set.records += batch.records.len();
            set.bytes += batch.bytes.len();
            set.batches.push(batch);
            if set.bytes < BYTES_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        read_inputs(files, library.wrappers.clone().into(), 1 << 18, &mut sink, &mut |_| {});
        set
    }

    /// Texts of the records that are JSON.
    fn json(&self) -> Vec<&[u8]> {
        let records = self.batches.iter().flat_map(|batch| batch.records.iter().map(move |framed| (batch, framed)));
        records
            .filter(|(_, framed)| matches!(framed.shape, Shape::Json | Shape::Evtx))
            .map(|(batch, framed)| batch.raw(framed))
            .collect()
    }
}

fn normalize(library: &Library, set: &Set) -> anyhow::Result<()> {
    let per_second = |seconds: f64, count: usize| count as f64 / seconds;
    let all = measure(|| pass(library, set, |_| true));
    figure("normalize.events_per_core", per_second(all, set.records), "events/s", set.records)?;
    figure("normalize.bytes_per_core", per_second(all, set.bytes) / 1e6, "MB/s", set.bytes)?;
    let framing = measure(|| frame(library, set));
    figure("normalize.framing", per_second(framing, set.bytes) / 1e6, "MB/s", set.bytes)?;
    let json = set.json();
    if json.is_empty() {
        return Ok(());
    }
    let ours = measure(|| pass(library, set, |shape| matches!(shape, Shape::Json | Shape::Evtx)));
    figure("normalize.json_events_per_core", per_second(ours, json.len()), "events/s", json.len())?;
    let sonic = measure(|| json.iter().filter(|text| sonic_rs::from_slice::<sonic_rs::Value>(text).is_ok()).count());
    figure("bare.sonic_rs", per_second(sonic, json.len()), "events/s", json.len())?;
    let serde =
        measure(|| json.iter().filter(|text| serde_json::from_slice::<serde_json::Value>(text).is_ok()).count());
    figure("bare.serde_json", per_second(serde, json.len()), "events/s", json.len())?;
    figure("normalize.share_of_sonic_rs", sonic / ours, "ratio", json.len())?;
    rivals(&json, ours)?;
    Ok(())
}

#[cfg(feature = "rivals")]
fn rivals(json: &[&[u8]], ours: f64) -> anyhow::Result<()> {
    // It parses in place: the copy it needs is made outside of the clock.
    let mut buffers = simd_json::Buffers::default();
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let mut copies: Vec<Vec<u8>> = json.iter().map(|text| text.to_vec()).collect();
            let start = Instant::now();
            let parsed =
                copies.iter_mut().filter_map(|text| simd_json::to_tape_with_buffers(text, &mut buffers).ok()).count();
            std::hint::black_box(parsed);
            start.elapsed().as_secs_f64()
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    let simd = runs.get(RUNS / 2).copied().unwrap_or(f64::NAN);
    figure("bare.simd_json_tape", json.len() as f64 / simd, "events/s", json.len())?;
    figure("normalize.share_of_simd_json", simd / ours, "ratio", json.len())
}

#[cfg(not(feature = "rivals"))]
fn rivals(_: &[&[u8]], _: f64) -> anyhow::Result<()> {
    Ok(())
}

/// Median seconds of several runs, after one that warms up.
fn measure(mut work: impl FnMut() -> usize) -> f64 {
    std::hint::black_box(work());
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed().as_secs_f64()
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    runs.get(RUNS / 2).copied().unwrap_or(f64::NAN)
}

/// Normalises all records of some shapes on this thread; the events are written to memory.
fn pass(library: &Library, set: &Set, wanted: impl Fn(Shape) -> bool) -> usize {
    let clock = Clock { received: 1_767_225_600_000, zone: jiff::tz::TimeZone::UTC };
    let mut engine = Engine::new(library, Options { clock, raw: true, source: None });
    let mut out = Vec::new();
    let mut written = 0;
    for batch in &set.batches {
        out.clear();
        for framed in batch.records.iter().filter(|framed| wanted(framed.shape)) {
            engine.normalize(framed, batch.raw(framed), &mut out);
            out.push(b'\n');
        }
        written += out.len();
    }
    written
}

/// Frames the same bytes again, as one stream of lines.
fn frame(library: &Library, set: &Set) -> usize {
    let mut framer = Framer::new(library.wrappers.clone().into());
    let mut batch = Batch::default();
    let mut records = 0;
    for piece in &set.batches {
        batch.clear();
        framer.feed(&piece.bytes, &mut batch);
        records += batch.records.len();
    }
    framer.finish(&mut batch);
    records + batch.records.len()
}

fn figure(name: &str, value: f64, unit: &str, n: usize) -> anyhow::Result<()> {
    let value = if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") };
    Ok(crate::terminal::print(&format!("{{\"name\":\"{name}\",\"value\":{value},\"unit\":\"{unit}\",\"n\":{n}}}\n"))?)
}
