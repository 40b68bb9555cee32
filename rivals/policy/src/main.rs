//! Our policies beside `regorus`, which evaluates OPA's language: the same sets, the same questions, in one run. One JSON line a figure.
//!
//! First both answer every question, and each answer is compared: what is said, and the ids of all policies that say it.

// What `watchfloor bench policy` measures with.
#[path = "../../../crates/watchfloor/src/bench/questions.rs"]
mod questions;
mod rego;

use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use watchfloor_policy::{Policies, Request, Source};

use crate::rego::{Asked, Engine, Form};

/// Numbers of policies in a set.
const SIZES: [usize; 3] = [11, 101, 1_001];
/// What is slow is asked fewer questions: so many take about as long as 20,000 of what is fast.
const FEW: usize = 500;

fn main() -> Result<()> {
    let requests = questions::requests();
    let inputs = requests.iter().map(rego::input).collect::<Result<Vec<_>>>()?;
    // Ours builds this inside of the clock, the other engine gets it ready.
    time("policy.regorus.input", requests.iter(), rego::input)?;
    for size in SIZES {
        let text = questions::policies(size)?;
        let (ours, findings) = Policies::read(&[Source { name: "bench.cedar".to_owned(), text }]);
        let ours = ours.with_context(|| format!("our policies are refused: {findings:?}"))?;
        let allowed = requests.iter().filter(|request| ours.ask(request).allows()).count();
        figure(&format!("policy.{size}.allowed"), allowed as f64 / requests.len() as f64, "share", requests.len())?;
        time(&format!("policy.{size}.ours"), requests.iter(), |request| Ok(ours.ask(request).allows()))?;
        let few = requests.iter().take(FEW);
        time(&format!("policy.{size}.cedar"), few, |request| Ok(ours.ask_whole(request).allows()))?;
        for (form, questions) in [(Form::Rules, FEW), (Form::Tables, requests.len())] {
            for engine in [Engine::Interpreter, Engine::Machine] {
                let name = format!("policy.{size}.regorus.{}.{}", form.name(), engine.name());
                let mut asked = Asked::new(&questions::more(size), form, engine).with_context(|| name.clone())?;
                agree(&name, &ours, &mut asked, &requests, &inputs)?;
                time(&name, inputs.iter().take(questions), |input| asked.ask(input))?;
            }
        }
    }
    Ok(())
}

/// Compares answers, and fails if one differs.
fn agree(
    name: &str,
    ours: &Policies,
    asked: &mut Asked,
    requests: &[Request],
    inputs: &[regorus::Value],
) -> Result<()> {
    for (request, input) in requests.iter().zip(inputs) {
        let we = ours.ask(request);
        let we = json!({"verdict": we.verdict, "policies": we.policies});
        let they = serde_json::to_value(asked.ask(input)?)?;
        ensure!(we == they, "{name}: answers differ: {we} and {they} to: {request}");
    }
    figure(&format!("{name}.agree"), 1.0, "share", requests.len())
}

/// Median and 99th percentile of questions that are timed one by one, after each was asked once.
fn time<Q, A>(
    name: &str,
    questions: impl Iterator<Item = Q> + Clone,
    mut ask: impl FnMut(Q) -> Result<A>,
) -> Result<()> {
    for question in questions.clone() {
        std::hint::black_box(ask(question)?);
    }
    let mut times = Vec::new();
    for question in questions {
        let start = Instant::now();
        let answer = ask(std::hint::black_box(question));
        times.push(start.elapsed().as_secs_f64() * 1e6);
        std::hint::black_box(answer?);
    }
    times.sort_by(f64::total_cmp);
    for (share, what) in [(0.5, "p50"), (0.99, "p99")] {
        let at = times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        figure(&format!("{name}.{what}"), at, "µs", times.len())?;
    }
    Ok(())
}

fn figure(name: &str, value: f64, unit: &str, n: usize) -> Result<()> {
    let value = if value >= 100.0 { value.round() } else { (value * 1000.0).round() / 1000.0 };
    let line = json!({"name": name, "value": value, "unit": unit, "n": n});
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
