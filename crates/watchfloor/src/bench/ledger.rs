//! `watchfloor bench ledger`: durable leaves a second, verified leaves a second, and the time of a proof.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use watchfloor_ledger::{Draft, Kind, Signer, inclusion};
use watchfloor_store::{Folder, LedgerFiles, Settings};
use watchfloor_verify::verify;

use super::figure;

/// How long leaves are appended for each figure.
const SECONDS: u64 = 5;
/// Leaves that an appender has in flight where it may have several: an action of a plan leaves about as many.
const IN_FLIGHT: usize = 64;
/// Threads that append.
const APPENDERS: [(usize, usize, &str); 4] = [
    (1, 1, "ledger.durable_leaves.1_appender"),
    (8, 1, "ledger.durable_leaves.8_appenders"),
    (8, IN_FLIGHT, "ledger.durable_leaves.8_appenders_64_in_flight"),
    (64, IN_FLIGHT, "ledger.durable_leaves.64_appenders_64_in_flight"),
];
/// Proofs that are timed.
const PROOFS: u64 = 1_000;

/// Runs the measurement in a folder of its own under this one, and takes it away.
pub fn run(under: &Path) -> anyhow::Result<()> {
    let home = under.join(format!("watchfloor-bench-ledger-{}", std::process::id()));
    std::fs::create_dir(&home).with_context(|| format!("cannot make {}", home.display()))?;
    let result = all(&home);
    std::fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
    result
}

fn all(home: &Path) -> anyhow::Result<()> {
    let signer = Signer::new("bench.example/ledger", &[1; 32])?;
    let mut largest: (u64, PathBuf) = (0, PathBuf::new());
    for (at, (appenders, in_flight, name)) in APPENDERS.into_iter().enumerate() {
        let folder = home.join(at.to_string());
        let ledger = LedgerFiles::open(Folder::writing(&folder)?, &[], Settings::default())?;
        let seconds = append(&ledger, appenders, in_flight)?;
        let size = ledger.size();
        figure(name, size as f64 / seconds, "leaves/s", size as usize)?;
        ledger.checkpoint(&signer)?;
        if size > largest.0 {
            largest = (size, folder);
        }
    }
    let (size, folder) = largest;
    let disk = Folder::reading(&folder);
    let start = Instant::now();
    let report = verify(&disk, &[], std::slice::from_ref(signer.verifier()));
    anyhow::ensure!(
        report.findings.is_empty() && report.proven == size,
        "the ledger does not verify: {:?}",
        report.findings
    );
    figure("ledger.verify", size as f64 / start.elapsed().as_secs_f64(), "leaves/s", size as usize)?;
    let start = Instant::now();
    for number in 0..PROOFS {
        inclusion(&disk, number * 7_919 % size, size)?;
    }
    let each = start.elapsed().as_secs_f64() / PROOFS as f64;
    figure("ledger.inclusion_proof", each * 1e6, "us", PROOFS as usize)?;
    let start = Instant::now();
    LedgerFiles::open(Folder::writing(&folder)?, &[], Settings::default())?;
    figure("ledger.open", size as f64 / start.elapsed().as_secs_f64(), "leaves/s", size as usize)
}

/// Appends for a while with several threads; gives the seconds until all was durable.
fn append(ledger: &LedgerFiles<Folder>, appenders: usize, in_flight: usize) -> anyhow::Result<f64> {
    let (start, failed) = (Instant::now(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for appender in 0..appenders {
            let failed = &failed;
            scope.spawn(move || {
                if one(ledger, appender, in_flight, start + Duration::from_secs(SECONDS)).is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    anyhow::ensure!(failed.load(Ordering::Relaxed) == 0, "an appender failed");
    Ok(start.elapsed().as_secs_f64())
}

fn one(ledger: &LedgerFiles<Folder>, appender: usize, in_flight: usize, end: Instant) -> anyhow::Result<()> {
    let detail = serde_json::json!({
        "plan": "5b0f1c0e9a7d4c52b6a3f3c9d1e8a7b40f6d2c1b9e8a7f6d5c4b3a2918070605",
        "verb": "isolate-host", "target": "host:7d1c5f2e", "tier": 2, "level": 2,
        "reasons": ["policy.permits", "admission.score", "budget.left", "evidence.resolves"],
    });
    let detail = detail.as_object().cloned().unwrap_or_default();
    let (tenant, actor) = (format!("tenant-{}", appender % 16), format!("agent:triage-{appender}"));
    let mut time = 1_767_225_600_000;
    while Instant::now() < end {
        let mut last = None;
        for _ in 0..in_flight {
            time += 1;
            let draft = Draft::new(Kind::Decision, (&tenant, &actor, "person:ada"), time, &detail)?;
            last = Some(ledger.submit(&draft)?);
        }
        if let Some(last) = last {
            ledger.wait(last)?;
        }
    }
    Ok(())
}
