//! `watchfloor bench policy`: one question to the policies, with few and many of them.
//!
//! Each question is timed by itself, from the request as a value to the answer.

use std::time::Instant;

use watchfloor_policy::{Policies, Request, Source};

use super::figure;
use super::questions::{policies, requests};

/// Prints the figures.
pub fn run() -> anyhow::Result<()> {
    let requests = requests();
    for size in [11, 101, 1_001] {
        let source = Source { name: "bench.cedar".to_owned(), text: policies(size)? };
        let start = Instant::now();
        let (read, findings) = Policies::read(&[source]);
        let seconds = start.elapsed().as_secs_f64();
        let set = read.ok_or_else(|| anyhow::anyhow!("the policies of the measurement are refused: {findings:?}"))?;
        figure(&format!("policy.{size}.read"), seconds * 1e3, "ms", size)?;
        let allowed = requests.iter().filter(|request| set.ask(request).allows()).count();
        figure(&format!("policy.{size}.allowed"), allowed as f64 / requests.len() as f64, "share", requests.len())?;
        let (p50, p99) = quantiles(&requests, |request| set.ask(request).allows());
        figure(&format!("policy.{size}.sliced.p50"), p50, "µs", requests.len())?;
        figure(&format!("policy.{size}.sliced.p99"), p99, "µs", requests.len())?;
        // The whole set is slow: a part of the requests is enough to know how slow.
        let part = requests.get(..2_000).unwrap_or(&requests);
        let (p50, p99) = quantiles(part, |request| set.ask_whole(request).allows());
        figure(&format!("policy.{size}.whole.p50"), p50, "µs", part.len())?;
        figure(&format!("policy.{size}.whole.p99"), p99, "µs", part.len())?;
    }
    Ok(())
}

/// Median and 99th percentile in microseconds.
fn quantiles(requests: &[Request], ask: impl Fn(&Request) -> bool) -> (f64, f64) {
    let mut times: Vec<f64> = requests
        .iter()
        .map(|request| {
            let start = Instant::now();
            std::hint::black_box(ask(std::hint::black_box(request)));
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    (at(0.5), at(0.99))
}
