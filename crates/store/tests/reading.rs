//! Leaves are read as they were appended, and what a leaf names is there whenever the leaf is.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod simulated;

use serde_json::{Map, Value};
use simulated::Simulated;
use watchfloor_ledger::{Draft, Kind, Signer, read_leaf};
use watchfloor_store::{Disk, LedgerFiles, PIECES, Settings, leaves, piece};

const SETTINGS: Settings = Settings { journal_leaves: 256 };

fn open(disk: &Simulated) -> Result<LedgerFiles<Simulated>, String> {
    LedgerFiles::open(disk.clone(), &[], SETTINGS).map_err(|error| error.to_string())
}

fn draft(detail: &Map<String, Value>, time: u64) -> Draft {
    Draft::new(Kind::Decision, ("acme", "ada", "ada"), time as i64, detail).unwrap()
}

/// The times of all leaves, which are their numbers; and how many that is.
fn read(disk: &Simulated) -> u64 {
    let mut count = 0;
    for leaf in leaves(disk).unwrap() {
        let (number, bytes) = leaf.unwrap();
        let leaf = read_leaf(&bytes).unwrap();
        assert_eq!((number, leaf.sequence, leaf.time), (count, count, count as i64));
        count += 1;
    }
    count
}

#[test]
fn leaves_are_read_wherever_they_stand() {
    let disk = Simulated::default();
    let signer = Signer::new("log.example/ledger", &[7; 32]).unwrap();
    assert_eq!(read(&disk), 0);
    for size in [1, 255, 256, 257, 511, 512, 513, 800, 1_100] {
        let ledger = open(&disk).unwrap();
        let drafts: Vec<Draft> = (ledger.size()..size).map(|number| draft(&Map::new(), number)).collect();
        ledger.append_all(&drafts).unwrap();
        assert_eq!(read(&disk), size, "open");
        if size % 2 == 1 {
            ledger.checkpoint(&signer).unwrap();
            assert_eq!(read(&disk), size, "signed");
        }
    }
    // An export has no journal: what the checkpoint counts is read, of full bundles and of the last one.
    open(&disk).unwrap().checkpoint(&signer).unwrap();
    for name in disk.list("journal").unwrap() {
        disk.remove(&format!("journal/{name}")).unwrap();
    }
    assert_eq!(read(&disk), 1_100);
    // A bundle that is missing ends it, once, with an error.
    disk.remove("tile/entries/002").unwrap();
    let told: Vec<bool> = leaves(&disk).unwrap().map(|leaf| leaf.is_ok()).collect();
    assert_eq!((told.len(), told.last()), (513, Some(&false)));
}

/// Keeps a piece and appends the leaf that names it, again and again.
fn run(disk: &Simulated) -> Result<(), String> {
    for number in 0..4_u64 {
        let ledger = open(disk)?;
        let text = format!("piece {}", number / 2);
        let names = ledger.keep(&[text.as_bytes(), b"common"]).map_err(|error| error.to_string())?;
        let digits: String = names[0].iter().map(|byte| format!("{byte:02x}")).collect();
        let detail = Map::from_iter([("piece".to_owned(), Value::String(digits))]);
        ledger.append(&draft(&detail, ledger.size())).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[test]
fn a_leaf_that_is_there_has_what_it_names_whenever_the_machine_stopped() {
    let all = Simulated::default();
    run(&all).unwrap();
    assert!(all.steps() > 40, "{}", all.steps());
    let mut named = 0;
    for step in 0..all.steps() {
        let disk = Simulated::default();
        disk.crash_at(step);
        let _ = run(&disk);
        for seed in 0..4 {
            let disk = disk.after_crash(seed);
            drop(open(&disk).unwrap());
            for leaf in leaves(&disk).unwrap() {
                let leaf = read_leaf(&leaf.unwrap().1).unwrap();
                let digits = leaf.detail["piece"].as_str().unwrap();
                let hash = std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap());
                let text = piece(&disk, &hash).unwrap().unwrap_or_else(|| panic!("step {step}, seed {seed}: {digits}"));
                assert_eq!(text, format!("piece {}", leaf.sequence / 2).as_bytes(), "step {step}, seed {seed}");
                named += 1;
            }
            // And the house goes on.
            run(&disk).unwrap();
        }
    }
    assert!(named > 100, "{named}");
}

#[test]
fn a_piece_is_kept_once_and_a_changed_one_is_told() {
    let disk = Simulated::default();
    let ledger = open(&disk).unwrap();
    let first = ledger.keep(&[b"one"]).unwrap();
    let steps = disk.steps();
    assert_eq!(ledger.keep(&[b"one"]).unwrap(), first);
    assert!(disk.steps() <= steps + 2, "nothing is written again");
    let digits: String = first[0].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    let path = format!("{PIECES}/76/{digits}");
    let mut file = disk.create(&path).unwrap();
    disk.append(&mut file, b"two").unwrap();
    assert_eq!(ledger.keep(&[b"one"]).unwrap_err().code(), "ledger.write_failed");
    // The log itself is whole.
    assert_eq!(ledger.append(&draft(&Map::new(), 0)), Ok(0));
}
