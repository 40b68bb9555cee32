//! What was acknowledged is there again: after a crash at every step, after every failure, after a kill; and damage is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod simulated;

use std::io::ErrorKind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Map;
use simulated::Simulated;
use watchfloor_ledger::{Draft, Kind, Signer, read_leaf};
use watchfloor_store::{AppendError, Disk, Folder, LedgerFiles, OpenError, Settings};
use watchfloor_verify::{Tiles, bundle_path, split_bundle, verify};

/// The smallest journal there is, so that few leaves fill several.
const SETTINGS: Settings = Settings { journal_leaves: 256 };
/// What a crash may leave behind, tried at each step.
const SEEDS: u64 = 4;

fn signer() -> Signer {
    Signer::new("log.example/ledger", &[7; 32]).unwrap()
}

fn draft(number: u64) -> Draft {
    let tenant = if number.is_multiple_of(3) { "acme" } else { "beta" };
    Draft::new(Kind::Query, (tenant, "ada", "ada"), number as i64, &Map::new()).unwrap()
}

fn open<D: Disk>(disk: D) -> Result<LedgerFiles<D>, OpenError> {
    LedgerFiles::open(disk, &[signer().verifier().clone()], SETTINGS)
}

/// What a run was told to be durable.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    leaves: u64,
    checkpoints: Vec<String>,
}

/// Opens, appends, signs, until it is done or something fails.
fn run(disk: &Simulated, told: &mut Told) -> Result<(), String> {
    let ledger = open(disk.clone()).map_err(|error| error.to_string())?;
    assert!(ledger.size() >= told.leaves, "{} of {} leaves are there", ledger.size(), told.leaves);
    told.leaves = ledger.size();
    for size in [3, 200, 256, 300, 513, 700, 1_100] {
        let next = ledger.size();
        let drafts: Vec<Draft> = (next..size).map(draft).collect();
        if !drafts.is_empty() {
            told.leaves = ledger.append_all(&drafts).map_err(|error| error.to_string())?.end;
        }
        if [200, 300, 700].contains(&size) {
            told.checkpoints.push(ledger.checkpoint(&signer()).map_err(|error| error.to_string())?);
        }
    }
    Ok(())
}

/// The ledger opens, has what was acknowledged, goes on, and verifies against every checkpoint that was handed out.
fn recover(disk: Simulated, told: &Told, what: &str) {
    let ledger = open(disk.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let size = ledger.size();
    assert!(size >= told.leaves, "{what}: {size} of {} leaves", told.leaves);
    assert_eq!(ledger.append(&draft(size)), Ok(size), "{what}");
    ledger.checkpoint(&signer()).unwrap();
    let outside: Vec<&[u8]> = told.checkpoints.iter().map(String::as_bytes).collect();
    let report = verify(&disk, &outside, &[signer().verifier().clone()]);
    assert_eq!((report.findings, report.proven), (vec![], size + 1), "{what}");
    // Every leaf is the one that was appended.
    for index in 0..(size + 1).div_ceil(256) {
        let full = disk.tile(&bundle_path(index, 256));
        let bytes = full.or_else(|| disk.tile(&bundle_path(index, (size + 1) % 256))).unwrap();
        for (number, entry) in (index * 256..).zip(split_bundle(&bytes).0) {
            assert_eq!(read_leaf(entry).unwrap().time, number as i64, "{what}");
        }
    }
}

#[test]
fn a_crash_at_every_step_loses_nothing_that_was_acknowledged() {
    let all = Simulated::default();
    run(&all, &mut Told::default()).unwrap();
    assert!(all.steps() > 100, "{}", all.steps());
    for step in 0..all.steps() {
        let disk = Simulated::default();
        disk.crash_at(step);
        let mut told = Told::default();
        let _ = run(&disk, &mut told);
        assert!(disk.is_down());
        for seed in 0..SEEDS {
            recover(disk.after_crash(seed), &told, &format!("step {step}, seed {seed}"));
        }
        recover(disk.after_kill(), &told, &format!("step {step}, killed"));
    }
}

#[test]
fn a_crash_while_it_recovers_loses_nothing_either() {
    let first = Simulated::default();
    run(&first, &mut Told::default()).unwrap();
    for step in (0..first.steps()).step_by(7) {
        let disk = Simulated::default();
        disk.crash_at(step);
        let mut told = Told::default();
        let _ = run(&disk, &mut told);
        for again in 0..24 {
            let disk = disk.after_crash(again);
            disk.crash_at(again as usize);
            let mut told = told.clone();
            let _ = run(&disk, &mut told);
            recover(disk.after_crash(again + 1), &told, &format!("step {step}, then {again}"));
        }
    }
}

#[test]
fn every_failure_is_told_and_breaks_the_ledger_until_it_is_opened_again() {
    let all = Simulated::default();
    run(&all, &mut Told::default()).unwrap();
    let codes = [
        (ErrorKind::StorageFull, "ledger.disk_full"),
        (ErrorKind::QuotaExceeded, "ledger.disk_full"),
        (ErrorKind::ReadOnlyFilesystem, "ledger.read_only"),
        (ErrorKind::Other, "ledger.write_failed"),
    ];
    for step in 0..all.steps() {
        let (kind, code) = codes[step % codes.len()];
        let disk = Simulated::default();
        disk.fail_at(step, kind);
        let Ok(ledger) = open(disk.clone()) else {
            recover(disk.after_kill(), &Told::default(), &format!("step {step}"));
            continue;
        };
        let mut told = Told::default();
        let mut broken: Option<AppendError> = None;
        for size in [3, 200, 256, 300, 513, 700, 1_100] {
            let drafts: Vec<Draft> = (told.leaves..size).map(draft).collect();
            let result = ledger.append_all(&drafts).and_then(|range| {
                told.leaves = range.end;
                if size < 800 { ledger.checkpoint(&signer()).map(|note| told.checkpoints.push(note)) } else { Ok(()) }
            });
            match (&broken, result) {
                (None, Ok(())) => {}
                (None, Err(error)) => {
                    assert_eq!(error.code(), code, "step {step}: {error}");
                    assert!(error.to_string().contains("nothing more is taken"), "{error}");
                    broken = Some(error);
                }
                (Some(due), result) => {
                    assert_eq!(result.as_ref(), Err(due), "step {step}");
                    assert_eq!(ledger.submit(&draft(0)).as_ref(), Err(due));
                    assert_eq!(ledger.checkpoint(&signer()).as_ref(), Err(due));
                }
            }
        }
        drop(ledger);
        recover(disk.after_kill(), &told, &format!("step {step}, {kind:?}"));
        // What a failed sync did not make durable is gone when the machine stops; nothing of it had been acknowledged.
        recover(disk.after_crash(step as u64), &told, &format!("step {step}, {kind:?}, crash"));
    }
}

/// A ledger of 700 leaves with checkpoints at 200, 300 and 700, and 40 leaves after that.
fn kept() -> Simulated {
    let disk = Simulated::default();
    let ledger = open(disk.clone()).unwrap();
    for size in [200, 300, 700] {
        let next = ledger.size();
        ledger.append_all(&(next..size).map(draft).collect::<Vec<_>>()).unwrap();
        ledger.checkpoint(&signer()).unwrap();
    }
    ledger.append_all(&(700..740).map(draft).collect::<Vec<_>>()).unwrap();
    disk.after_kill()
}

#[test]
fn damage_is_refused_and_changes_nothing() {
    let disk = kept();
    assert_eq!(open(disk.after_kill()).unwrap().size(), 740);
    let journal = disk.paths().into_iter().find(|path| path.starts_with("journal/0")).unwrap();
    assert_eq!(journal, "journal/00000000000000000512");
    let read = ["tile/entries/000", "tile/entries/001", "tile/0/000", "tile/0/001", "checkpoint", journal.as_str()];
    for path in read {
        let length = disk.tile(path).unwrap().len();
        for at in (0..length).step_by((length / 50).max(1)) {
            let damaged = disk.after_kill();
            damaged.write_file(path, |bytes| bytes[at] ^= 4);
            let before = damaged.steps();
            // A mark, and the zero bytes after it, hold no leaf; the other mark still counts them.
            let is_mark = path == journal && (16..48).contains(&at);
            match open(damaged.clone()) {
                Ok(ledger) => assert!(is_mark && ledger.size() == 740, "{path} {at}"),
                Err(error) => {
                    assert!(!is_mark, "{path} {at}: {error}");
                    assert!(matches!(error.code(), "ledger.damaged" | "ledger.checkpoint_refused"), "{error}");
                    assert_eq!(damaged.steps(), before, "{path} {at}");
                }
            }
        }
        let damaged = disk.after_kill();
        damaged.remove_file(path);
        match open(damaged) {
            Ok(ledger) => assert!(path == "checkpoint" && ledger.size() == 740),
            Err(error) => assert_eq!(error.code(), "ledger.damaged", "{path}"),
        }
        for cut in [1, 30, 200] {
            let damaged = disk.after_kill();
            damaged.write_file(path, |bytes| bytes.truncate(bytes.len().saturating_sub(cut)));
            assert!(open(damaged).is_err(), "{path} without {cut}");
        }
    }
    // What follows the last acknowledged leaf was never acknowledged.
    let torn = disk.after_kill();
    torn.write_file(&journal, |bytes| bytes.extend([0, 200, 1, 2, 3]));
    assert_eq!(open(torn).unwrap().size(), 740);
    // A checkpoint of somebody else's.
    let other = Signer::new("log.example/ledger", &[8; 32]).unwrap();
    let error = LedgerFiles::open(disk.after_kill(), &[other.verifier().clone()], SETTINGS).err().unwrap();
    assert_eq!(error.code(), "ledger.checkpoint_refused");
}

#[test]
fn a_tile_that_is_another_one_is_not_overwritten() {
    let disk = kept();
    let ledger = open(disk.clone()).unwrap();
    let next = ledger.size();
    ledger.append_all(&(next..767).map(draft).collect::<Vec<_>>()).unwrap();
    // Somebody else's file stands where the next full tile is due.
    let mut file = disk.create("tile/0/002").unwrap();
    disk.append(&mut file, b"another").unwrap();
    ledger.append(&draft(767)).unwrap();
    let error = ledger.checkpoint(&signer()).unwrap_err();
    assert!(error.to_string().contains("tile/0/002 is another one"), "{error}");
    assert_eq!(disk.tile("tile/0/002").unwrap(), b"another");
}

#[test]
fn partial_tiles_go_when_the_full_one_is_there() {
    let disk = kept();
    assert!(disk.paths().iter().all(|path| !path.contains("/000.p/") || path.starts_with("tile/1")));
    assert!(disk.paths().contains(&"tile/entries/002.p/188".to_owned()));
    let ledger = open(disk.clone()).unwrap();
    ledger.append_all(&(740..1_100).map(draft).collect::<Vec<_>>()).unwrap();
    ledger.checkpoint(&signer()).unwrap();
    assert!(disk.paths().iter().all(|path| !path.contains("/002.p/")), "{:?}", disk.paths());
    let journals: Vec<String> = disk.paths().into_iter().filter(|path| path.starts_with("journal/")).collect();
    assert_eq!(journals, ["journal/00000000000000001024"]);
}

#[test]
fn many_appenders_share_syncs() {
    let disk = Simulated::default();
    let ledger = open(disk.clone()).unwrap();
    let (next, told) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut mine = Vec::new();
                while next.fetch_add(1, Ordering::Relaxed) < 200 {
                    // Several in flight, so that a sync has something to share.
                    let several: Vec<u64> = (0..5).map(|_| ledger.submit(&draft(0)).unwrap()).collect();
                    several.iter().for_each(|sequence| ledger.wait(*sequence).unwrap());
                    assert!(ledger.size() > *several.last().unwrap());
                    mine.extend(several);
                }
                told.lock().unwrap().extend(mine);
            });
        }
    });
    let mut told = told.into_inner().unwrap();
    told.sort_unstable();
    assert_eq!(told, (0..1_000).collect::<Vec<_>>());
    ledger.checkpoint(&signer()).unwrap();
    let report = verify(&disk, &[], &[signer().verifier().clone()]);
    assert_eq!((report.findings, report.proven), (vec![], 1_000));
    assert_eq!(ledger.append_all(&[]), Ok(1_000..1_000));
    assert_eq!(ledger.head("x").size, 1_000);
}

#[test]
fn a_folder_of_the_machine() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("deep/ledger");
    let note = {
        let ledger = open(Folder::writing(&home).unwrap()).unwrap();
        assert_eq!(Folder::writing(&home).unwrap_err().kind(), ErrorKind::ResourceBusy);
        ledger.append_all(&(0..1_000).map(draft).collect::<Vec<_>>()).unwrap();
        let note = ledger.checkpoint(&signer()).unwrap();
        ledger.append(&draft(1_000)).unwrap();
        note
    };
    let ledger = open(Folder::writing(&home).unwrap()).unwrap();
    assert_eq!(ledger.size(), 1_001);
    ledger.checkpoint(&signer()).unwrap();
    let report = verify(&Folder::reading(&home), &[note.as_bytes()], &[signer().verifier().clone()]);
    assert_eq!((report.findings, report.proven), (vec![], 1_001));
    drop(ledger);
    // Tiles without a journal are no ledger that can go on.
    std::fs::remove_dir_all(home.join("journal")).unwrap();
    assert_eq!(open(Folder::writing(&home).unwrap()).err().unwrap().code(), "ledger.damaged");
}
