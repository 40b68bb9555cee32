//! Our Sigma engine beside `rsigma-eval` and `sigma-rust`: how fast each is, and where they differ. One JSON line a figure.

mod agreement;
mod event;
mod ours;
mod records;
mod theirs;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use rsigma_parser::SigmaRule;
use serde_json::json;
use watchfloor_decode::Batch;
use watchfloor_detect::{RuleId, RuleSet};
use watchfloor_sigma::Document;

use crate::ours::{Ours, Routes};
use crate::theirs::{Rsigma, Settings};

/// Runs of each measurement; the median counts.
const RUNS: usize = 5;
/// Records that `sigma-rust` is measured on: it takes milliseconds for one.
const SAMPLE: usize = 300;

/// As its documents have it, and then the fastest that was found, alone and with each of its optional filters.
const SETTINGS: [Settings; 5] = [
    Settings { name: "as_documented", own_events: true, ..BEST_OF_ONE },
    BEST_OF_ONE,
    BEST,
    Settings { name: "engine_a_source_bloom", bloom: true, ..BEST },
    Settings { name: "engine_a_source_cross_rule", cross_rule: true, ..BEST },
];
const BEST_OF_ONE: Settings = Settings { name: "one_engine", split: false, ..BEST };
const BEST: Settings =
    Settings { name: "engine_a_source", own_events: false, split: true, bloom: false, cross_rule: false };

fn main() -> Result<()> {
    let (rules, files) = arguments()?;
    let texts = rules.iter().map(|path| ours::files(path, "yml")).collect::<Result<Vec<_>>>()?;
    let texts = texts.iter().flatten().map(|file| ours::text(file)).collect::<Result<Vec<_>>>()?;
    let read = |text: &String| watchfloor_sigma::read(text, &watchfloor_sigma::Options::default()).documents;
    let documents: Vec<Document> = texts.iter().flat_map(read).collect();
    let library = ours::library()?;
    let records = records::read(&library, &files);
    let ours = Ours::new(&library, &documents, true)?;
    let own_names = Ours::new(&library, &documents, false)?;
    let routes = ours.routes(&records);
    let numbers = numbers(&ours.set);
    let theirs = parsed(&texts, &numbers);
    figure("rules.ours", ours.set.rules.len() as f64, "", texts.len())?;
    figure("rules.rsigma", (theirs.len() - Rsigma::refused(&theirs)) as f64, "", texts.len())?;
    figure("records.log_sources", routes.rules.len() as f64, "", records.records.len())?;
    speed(&ours, &theirs, &records, &routes)?;
    let old = texts.iter().filter_map(|text| {
        let rule = sigma_rust::rule_from_yaml(text).ok()?;
        Some((*numbers.get(rule.id.as_ref()?)?, rule))
    });
    sample(&old.collect(), &records, &routes)?;
    agreement::print(&ours, &own_names, &Rsigma::new(&theirs, &ours.set, &routes, BEST), &records, &routes)
}

/// Rules and files.
fn arguments() -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    use lexopt::prelude::{Long, Value};
    let (mut rules, mut files) = (Vec::new(), Vec::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            // `cargo bench` says so.
            Long("bench") => {}
            Long("rules") => rules.push(PathBuf::from(parser.value()?)),
            Value(file) => files.push(PathBuf::from(file)),
            other => return Err(other.unexpected().into()),
        }
    }
    anyhow::ensure!(!rules.is_empty() && !files.is_empty(), "name rules and records: --rules DIR... FILES...");
    Ok((rules, files))
}

/// Numbers of our rules by their ids.
fn numbers(set: &RuleSet) -> HashMap<String, RuleId> {
    let numbered = set.rules.iter().enumerate();
    numbered.filter_map(|(at, rule)| Some((rule.meta.id.clone()?, RuleId(at as u32)))).collect()
}

/// The rules as `rsigma-parser` reads them, with our numbers.
fn parsed(texts: &[String], numbers: &HashMap<String, RuleId>) -> Vec<(RuleId, SigmaRule)> {
    let rules = texts.iter().filter_map(|text| rsigma_parser::parse_sigma_yaml(text).ok()).flat_map(|all| all.rules);
    rules.filter_map(|rule| Some((*numbers.get(rule.id.as_ref()?)?, rule))).collect()
}

fn speed(ours: &Ours<'_>, rules: &[(RuleId, SigmaRule)], records: &Batch, routes: &Routes) -> Result<()> {
    let n = records.records.len();
    let parses = |text: &[u8]| sonic_rs::from_slice::<sonic_rs::Value>(text).is_ok();
    let bare = measure(|| records.records.iter().filter(|framed| parses(records.raw(framed))).count());
    figure("bare.sonic_rs", n as f64 / bare.0, "events/s", n)?;
    let we = measure(|| {
        let mut matches = 0;
        ours.run(records, |_, rules| matches += rules.len());
        matches
    });
    figure("ours.events_per_core", n as f64 / we.0, "events/s", n)?;
    figure("ours.matches", we.1 as f64, "", n)?;
    for settings in SETTINGS {
        let rsigma = Rsigma::new(rules, &ours.set, routes, settings);
        let they = measure(|| {
            let mut matches = 0;
            rsigma.run(records, routes, |_, found| matches += found.len());
            matches
        });
        figure(&format!("rsigma.{}", settings.name), n as f64 / they.0, "events/s", n)?;
        figure(&format!("rsigma.{}.matches", settings.name), they.1 as f64, "", n)?;
        figure(&format!("ours_to_rsigma.{}", settings.name), they.0 / we.0, "ratio", n)?;
    }
    Ok(())
}

fn sample(rules: &HashMap<RuleId, sigma_rust::Rule>, records: &Batch, routes: &Routes) -> Result<()> {
    figure("rules.sigma_rust", rules.len() as f64, "", rules.len())?;
    let step = records.records.len().div_ceil(SAMPLE);
    let n = records.records.len().div_ceil(step);
    let they = measure(|| theirs::sigma_rust(rules, records, routes, step));
    figure("sigma_rust.events_per_core", n as f64 / they.0, "events/s", n)?;
    figure("sigma_rust.matches", they.1 as f64, "", n)
}

/// Median seconds of several runs, after one that warms up, and what the work gave.
fn measure(mut work: impl FnMut() -> usize) -> (f64, usize) {
    let result = std::hint::black_box(work());
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed().as_secs_f64()
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    (runs.get(RUNS / 2).copied().unwrap_or(f64::NAN), result)
}

fn figure(name: &str, value: f64, unit: &str, n: usize) -> Result<()> {
    let value = if value >= 100.0 { value.round() } else { (value * 1000.0).round() / 1000.0 };
    print(&json!({"name": name, "value": value, "unit": unit, "n": n}))
}

fn print(line: &serde_json::Value) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
