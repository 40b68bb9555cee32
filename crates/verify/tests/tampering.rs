//! What was done to a log of 10,000 leaves is found, and where, given one earlier checkpoint.
//!
//! Leaves are sampled; `WATCHFLOOR_ALL_LEAVES=1` tries every one of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod plain;

use plain::{Files, ORIGIN, bundles, leaf, leaves, log, sign, signed, tiles, verifier};
use watchfloor_verify::{Finding, Report, What, verify};

const SIZE: usize = 10_000;
const EARLIER: usize = 6_000;

struct Case {
    leaves: Vec<Vec<u8>>,
    files: Files,
    earlier: Vec<u8>,
}

impl Case {
    fn new() -> Self {
        let leaves = leaves(SIZE);
        Self { files: log(&leaves), earlier: signed(&leaves[..EARLIER]), leaves }
    }

    fn check(&self, files: &Files) -> Report {
        verify(files, &[&self.earlier], &[verifier(ORIGIN, 1)])
    }

    /// Bundles of other leaves, everything else as it was.
    fn with_bundles(&self, leaves: &[Vec<u8>]) -> Files {
        let mut files = self.files.clone();
        files.retain(|path, _| !path.starts_with("tile/entries/"));
        files.extend(bundles(leaves));
        files
    }

    /// Bundles and tiles of other leaves; the checkpoint as it was.
    fn with_tiles(&self, leaves: &[Vec<u8>]) -> Files {
        let mut files = bundles(leaves);
        files.extend(tiles(leaves));
        files.insert("checkpoint".into(), self.files["checkpoint"].clone());
        files
    }
}

fn short(findings: &[Finding]) -> Vec<(What, u64, u64)> {
    findings.iter().map(|finding| (finding.what, finding.from, finding.to)).collect()
}

/// Leaves at the ends of the log, of tiles and of the earlier checkpoint, and some between; or all.
fn samples() -> Vec<usize> {
    if std::env::var_os("WATCHFLOOR_ALL_LEAVES").is_some() {
        return (0..SIZE).collect();
    }
    let mut samples = vec![0, 1, 255, 256, 257, 5_887, 5_888, 5_999, 6_000, 6_001, 9_982, 9_983, 9_984, 9_998, 9_999];
    samples.extend((0..SIZE).step_by(613));
    samples.sort_unstable();
    samples.dedup();
    samples
}

#[test]
fn an_untouched_log_is_whole() {
    let case = Case::new();
    let report = case.check(&case.files);
    assert_eq!(report, Report { findings: vec![], size: Some(10_000), proven: 10_000, outside: 1 });
    // It says so without an earlier checkpoint too, and that there was none.
    let report = verify(&case.files, &[], &[verifier(ORIGIN, 1)]);
    assert_eq!(report, Report { findings: vec![], size: Some(10_000), proven: 10_000, outside: 0 });
}

#[test]
fn logs_of_every_size_are_whole() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 66_000] {
        let leaves = leaves(size);
        let files = log(&leaves);
        for earlier in [0, 1, size / 2, size / 256 * 256, size] {
            let earlier = signed(&leaves[..earlier.min(size)]);
            let report = verify(&files, &[&earlier], &[verifier(ORIGIN, 1)]);
            let size = size as u64;
            assert_eq!(report, Report { findings: vec![], size: Some(size), proven: size, outside: 1 }, "{size}");
        }
    }
}

#[test]
fn a_changed_leaf_is_named() {
    let case = Case::new();
    for at in samples() {
        let mut leaves = case.leaves.clone();
        leaves[at][3] ^= 1;
        let found = short(&case.check(&case.with_bundles(&leaves)).findings);
        assert_eq!(found, [(What::LeafChanged, at as u64, at as u64 + 1)], "{at}");
    }
}

#[test]
fn a_deleted_leaf_is_named() {
    let case = Case::new();
    for at in samples() {
        let mut leaves = case.leaves.clone();
        leaves.remove(at);
        let mut files = case.with_bundles(&leaves);
        let last = files.remove("tile/entries/039.p/15").unwrap();
        files.insert("tile/entries/039.p/16".into(), last);
        let found = short(&case.check(&files).findings);
        assert_eq!(found, [(What::LeafMissing, at as u64, at as u64 + 1)], "{at}");
    }
}

#[test]
fn an_inserted_leaf_is_named() {
    let case = Case::new();
    for at in samples() {
        let mut leaves = case.leaves.clone();
        leaves.insert(at, b"never signed".to_vec());
        let mut files = case.with_bundles(&leaves);
        let last = files.remove("tile/entries/039.p/17").unwrap();
        files.insert("tile/entries/039.p/16".into(), last);
        let found = short(&case.check(&files).findings);
        assert_eq!(found, [(What::LeafInserted, at as u64, at as u64)], "{at}");
    }
}

#[test]
fn leaves_that_changed_places_are_named() {
    let case = Case::new();
    for at in samples() {
        for other in [(at + 1) % SIZE, (at + 2) % SIZE, (at + 700) % SIZE, SIZE - 1 - at] {
            if at == other {
                continue;
            }
            let mut leaves = case.leaves.clone();
            leaves.swap(at, other);
            let found = short(&case.check(&case.with_bundles(&leaves)).findings);
            let mut due = [at as u64, other as u64];
            due.sort_unstable();
            assert!(found.iter().all(|(what, _, _)| *what == What::LeafMoved), "{at} {other}: {found:?}");
            let named: Vec<u64> = found.iter().map(|(_, from, _)| *from).collect();
            let is_next = due[0] + 1 == due[1];
            assert!(named == due || is_next && named == [due[0]], "{at} {other}: {found:?}");
        }
    }
}

#[test]
fn a_leaf_that_was_put_elsewhere_is_named() {
    let case = Case::new();
    for (from, to) in [(0, 9_999), (9_999, 0), (300, 5_000), (5_000, 300), (257, 256)] {
        let mut leaves = case.leaves.clone();
        let leaf = leaves.remove(from);
        leaves.insert(to, leaf);
        let found = short(&case.check(&case.with_bundles(&leaves)).findings);
        assert!(found.iter().all(|(what, _, _)| *what == What::LeafMoved), "{from} {to}: {found:?}");
        // Of two neighbours that changed places, either one may be the one that was moved.
        let named = [from, if from.abs_diff(to) == 1 { to } else { from }]
            .map(|at| (What::LeafMoved, at as u64, at as u64 + 1));
        assert!(named.iter().any(|named| found.contains(named)), "{from} {to}: {found:?}");
        assert!(found.len() <= 2, "{from} {to}: {found:?}");
    }
}

#[test]
fn any_byte_of_any_file_is_found_and_its_place() {
    let case = Case::new();
    for (path, bytes) in &case.files {
        let step = if bytes.len() < 400 { 1 } else { bytes.len() / 7 };
        for at in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
            let mut files = case.files.clone();
            files.get_mut(path).unwrap()[at] ^= 0x20;
            let findings = case.check(&files).findings;
            assert!(!findings.is_empty(), "{path} {at}");
            let index: u64 = path.split('/').nth(2).map_or(0, |name| name[..3].parse().unwrap());
            let tile = index * 256..(index + 1) * 256;
            let is_located = |finding: &Finding| match path.split('/').nth(1) {
                Some("entries") => {
                    let is_of_leaf = matches!(
                        finding.what,
                        What::LeafChanged | What::LeafMissing | What::LeafInserted | What::BundleDamaged
                    );
                    is_of_leaf && tile.contains(&finding.from) && finding.to <= tile.end
                }
                Some("0") => {
                    finding.what == What::TileChanged
                        && finding.from == tile.start + at as u64 / 32
                        && finding.to == finding.from + 1
                }
                Some(_) => {
                    finding.what == What::TileChanged
                        && finding.from == at as u64 / 32 * 256
                        && finding.to == finding.from + 256
                }
                None => finding.what == What::CheckpointRefused,
            };
            assert!(findings.iter().all(is_located), "{path} {at}: {:?}", short(&findings));
        }
    }
}

#[test]
fn every_byte_of_an_entry_and_its_length_is_found() {
    let case = Case::new();
    let path = "tile/entries/007";
    let length = leaf(7 * 256).len();
    for at in 0..2 * (2 + length) {
        for bit in [0, 5, 7] {
            let mut files = case.files.clone();
            files.get_mut(path).unwrap()[at] ^= 1 << bit;
            let findings = case.check(&files).findings;
            let first = 7 * 256 + (at / (2 + length)) as u64;
            let is_named = |finding: &&Finding| finding.from == first && finding.what != What::BundleDamaged;
            assert!(findings.iter().any(|finding| is_named(&finding)), "{at}: {:?}", short(&findings));
            let is_before = |finding: &Finding| finding.from < first && finding.what != What::BundleDamaged;
            assert!(!findings.iter().any(is_before), "{at}: {:?}", short(&findings));
        }
    }
}

#[test]
fn a_missing_file_is_found() {
    let case = Case::new();
    for path in case.files.keys() {
        let mut files = case.files.clone();
        files.remove(path);
        let report = case.check(&files);
        let index: u64 = path.split('/').nth(2).map_or(0, |name| name[..3].parse().unwrap());
        let to = (index * 256 + 256).min(10_000);
        let due = match path.split('/').nth(1) {
            Some("entries") => (What::LeafMissing, index * 256, to),
            Some("0") => (What::TileMissing, index * 256, to),
            Some(_) => (What::TileMissing, 0, 39 * 256),
            None => (What::CheckpointRefused, 0, 0),
        };
        assert_eq!(short(&report.findings), [due], "{path}");
        // Everything but the checkpoint can be made up for.
        assert_eq!(report.proven, if path == "checkpoint" { 6_000 } else { 10_000 }, "{path}");
    }
}

#[test]
fn a_log_that_was_cut_off_is_found() {
    let case = Case::new();
    for kept in [0, 1, 255, 256, 5_999, 6_000, 6_001, 9_984, 9_999] {
        // Files cut off, the checkpoint as it was.
        let files = case.with_tiles(&case.leaves[..kept]);
        let report = case.check(&files);
        let found = short(&report.findings);
        let gone = (What::LeafMissing, kept as u64, 10_000);
        let rest = if kept < EARLIER { (What::Unproven, 0, 6_000) } else { (What::Unproven, 6_000, 10_000) };
        let mut due = [rest, gone];
        due.sort_by_key(|(what, from, _)| (*from, *what));
        assert_eq!(found, due, "{kept}");
        // Cut back to a state that was signed once.
        let report = case.check(&log(&case.leaves[..kept]));
        if kept < EARLIER {
            assert_eq!(short(&report.findings), [(What::RolledBack, kept as u64, 6_000)], "{kept}");
        } else {
            // The checkpoint that was kept is older than that: this cannot be seen.
            assert_eq!(report.findings, [], "{kept}");
        }
        let unseen = verify(&log(&case.leaves[..kept]), &[], &[verifier(ORIGIN, 1)]);
        assert_eq!((unseen.findings, unseen.outside), (vec![], 0));
    }
}

#[test]
fn a_rewritten_log_that_nobody_signed_is_found() {
    let case = Case::new();
    for at in samples() {
        let mut leaves = case.leaves.clone();
        leaves[at][3] ^= 1;
        let found = short(&case.check(&case.with_tiles(&leaves)).findings);
        // All hashes were replaced: the checkpoints are the only witnesses.
        let due = if at < EARLIER { (What::Unproven, 0, 6_000) } else { (What::Unproven, 6_000, 10_000) };
        assert_eq!(found, [due], "{at}");
    }
}

#[test]
fn a_fork_is_found() {
    let case = Case::new();
    for at in [0, 1, 255, 256, 3_000, 5_887, 5_888, 5_999] {
        let mut leaves = case.leaves.clone();
        leaves[at][3] ^= 1;
        // Rewritten and signed again by whoever has the key.
        let report = case.check(&log(&leaves));
        assert_eq!(short(&report.findings), [(What::Forked, 0, 6_000)], "{at}");
        // A checkpoint more narrows it down.
        let kept: Vec<Vec<u8>> = [2_000, 256, 6_000].iter().map(|size| signed(&case.leaves[..*size])).collect();
        let kept: Vec<&[u8]> = kept.iter().map(Vec::as_slice).collect();
        let found = short(&verify(&log(&leaves), &kept, &[verifier(ORIGIN, 1)]).findings);
        let due: &[(What, u64, u64)] = match at {
            0..256 => &[(What::Forked, 0, 256), (What::Forked, 0, 2_000), (What::Forked, 0, 6_000)],
            256..2_000 => &[(What::Forked, 256, 2_000), (What::Forked, 256, 6_000)],
            _ => &[(What::Forked, 2_000, 6_000)],
        };
        assert_eq!(found, due, "{at}");
    }
    // Two logs of one size.
    let mut leaves = case.leaves.clone();
    leaves[9_000][3] ^= 1;
    let report = verify(&log(&leaves), &[&case.files["checkpoint"], &case.earlier], &[verifier(ORIGIN, 1)]);
    assert_eq!(short(&report.findings), [(What::Forked, 6_000, 10_000)]);
    // After the earlier checkpoint it may be anything that was signed.
    assert_eq!(case.check(&log(&leaves)).findings, []);
}

#[test]
fn what_is_wrong_in_a_tile_does_not_hide_what_is_wrong_in_another() {
    let case = Case::new();
    let mut files = case.files.clone();
    files.get_mut("tile/0/003").unwrap()[64] ^= 1;
    files.get_mut("tile/1/000.p/39").unwrap()[32 * 20] ^= 1;
    files.get_mut("tile/entries/005").unwrap()[9] ^= 1;
    files.remove("tile/0/030");
    let found = short(&case.check(&files).findings);
    let due = [
        (What::TileChanged, 3 * 256 + 2, 3 * 256 + 3),
        (What::LeafChanged, 5 * 256, 5 * 256 + 1),
        (What::TileChanged, 20 * 256, 21 * 256),
        (What::TileMissing, 30 * 256, 31 * 256),
    ];
    assert_eq!(found, due);
}

#[test]
fn leaves_and_their_tile_replaced_together_are_found_by_the_tile_above() {
    let case = Case::new();
    for at in [5 * 256, 5 * 256 + 255] {
        let mut leaves = case.leaves.clone();
        leaves[at][3] ^= 1;
        let (bundles, tiles) = (bundles(&leaves), tiles(&leaves));
        let mut files = case.files.clone();
        for (path, from) in [("tile/entries/005", &bundles), ("tile/0/005", &tiles)] {
            files.insert(path.into(), from[path].clone());
        }
        let found = short(&case.check(&files).findings);
        assert_eq!(found, [(What::LeafChanged, 5 * 256, 6 * 256)], "{at}");
    }
}

#[test]
fn partial_tiles_of_other_sizes_are_looked_at() {
    let case = Case::new();
    let mut files = case.files.clone();
    let older = log(&case.leaves[..9_990]);
    let newer = log(&leaves(10_005));
    let paths = [
        ("tile/entries/039.p/6", &older, What::BundleDamaged),
        ("tile/0/039.p/6", &older, What::TileChanged),
        ("tile/entries/039.p/21", &newer, What::BundleDamaged),
        ("tile/0/039.p/21", &newer, What::TileChanged),
    ];
    for (path, from, _) in &paths {
        files.insert((*path).to_owned(), from[*path].clone());
    }
    assert_eq!(case.check(&files).findings, []);
    for (path, _, what) in paths {
        let mut files = files.clone();
        files.get_mut(path).unwrap()[40] ^= 1;
        let wide: u64 = path.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(short(&case.check(&files).findings), [(what, 9_984, 9_984 + wide)], "{path}");
        // One that is shorter than its name says.
        files.get_mut(path).unwrap().truncate(32);
        assert_eq!(short(&case.check(&files).findings), [(what, 9_984, 9_984 + wide)], "{path}");
    }
    let mut files = case.files.clone();
    let upper = log(&case.leaves[..5_200])["tile/1/000.p/20"].clone();
    files.insert("tile/1/000.p/20".into(), upper);
    assert_eq!(case.check(&files).findings, []);
    files.get_mut("tile/1/000.p/20").unwrap()[0] ^= 1;
    assert_eq!(short(&case.check(&files).findings), [(What::TileChanged, 0, 20 * 256)]);
}

#[test]
fn a_log_that_grew_after_its_checkpoint_is_whole() {
    let case = Case::new();
    // Partial tiles of a size that was signed are kept until the full ones are there.
    let mut files = log(&leaves(12_000));
    files.extend(case.files.clone());
    files.remove("tile/0/039.p/16");
    files.remove("tile/entries/039.p/16");
    let report = case.check(&files);
    assert_eq!((report.findings, report.proven), (vec![], 10_000));
}

#[test]
fn upper_levels_are_looked_at() {
    let all = leaves(66_000);
    let files = log(&all);
    let earlier = signed(&all[..300]);
    let check = |files: &Files| short(&verify(files, &[&earlier], &[verifier(ORIGIN, 1)]).findings);
    assert_eq!(check(&files), []);
    let table = [
        ("tile/2/000.p/1", 0, (What::TileChanged, 0, 65_536)),
        ("tile/1/001.p/1", 31, (What::TileChanged, 65_536, 65_792)),
        ("tile/1/000", 255 * 32, (What::TileChanged, 65_280, 65_536)),
        ("tile/0/256", 0, (What::TileChanged, 65_536, 65_537)),
        ("tile/0/257.p/208", 0, (What::TileChanged, 65_792, 65_793)),
    ];
    for (path, at, due) in table {
        let mut files = files.clone();
        files.get_mut(path).unwrap()[at] ^= 1;
        assert_eq!(check(&files), [due], "{path}");
        files.get_mut(path).unwrap().pop();
        assert_eq!(check(&files)[0].0, What::TileMissing, "{path}");
    }
}

#[test]
fn checkpoints_of_others_do_not_count() {
    let case = Case::new();
    let key = [verifier(ORIGIN, 1)];
    // Of another key, of no key, of another log that the same person keeps.
    let text = plain::checkpoint(&case.leaves[..EARLIER]).text();
    let other = text.replace(ORIGIN, "log.example/other");
    for (note, outside) in
        [(sign(&text, ORIGIN, 2), 0), (text.clone(), 0), (sign(&text, "other", 1), 0), (sign(&text, ORIGIN, 1), 1)]
    {
        let report = verify(&case.files, &[note.as_bytes()], &key);
        assert_eq!(report.outside, outside, "{note}");
        let refused = [(What::CheckpointRefused, 0, 0)];
        assert_eq!(short(&report.findings), &refused[outside..], "{note}");
    }
    let keys = [verifier(ORIGIN, 1), verifier("log.example/other", 1)];
    let report = verify(&case.files, &[sign(&other, "log.example/other", 1).as_bytes()], &keys);
    assert_eq!((short(&report.findings), report.outside), (vec![(What::OriginDiffers, 0, 0)], 0));
    // A log without a checkpoint that counts is judged by those that were kept.
    let mut files = case.files.clone();
    files.insert("checkpoint".into(), sign(&text, ORIGIN, 2).into_bytes());
    let report = case.check(&files);
    assert_eq!(
        (short(&report.findings), report.proven, report.size),
        (vec![(What::CheckpointRefused, 0, 0)], 6_000, None)
    );
    // And without any, nothing is proven.
    let report = verify(&files, &[], &key);
    assert_eq!((short(&report.findings), report.proven), (vec![(What::CheckpointRefused, 0, 0)], 0));
}

#[test]
fn sizes_that_nobody_can_have_end_soon() {
    for size in [1 << 20, u64::MAX / 2, u64::MAX - 300, u64::MAX] {
        let text = format!("{ORIGIN}\n{size}\n{}\n", "A".repeat(43) + "=");
        let mut files = Files::new();
        files.insert("checkpoint".into(), sign(&text, ORIGIN, 1).into_bytes());
        let report = verify(&files, &[], &[verifier(ORIGIN, 1)]);
        assert_eq!(short(&report.findings), [(What::LeafMissing, 0, size)]);
        assert_eq!(report.proven, 0);
        // Some leaves are there.
        files.extend(bundles(&leaves(700)));
        let report = verify(&files, &[&signed(&leaves(600))], &[verifier(ORIGIN, 1)]);
        assert_eq!(report.proven, 600);
        assert!(short(&report.findings).contains(&(What::LeafMissing, 700, size)), "{:?}", report.findings);
    }
}

#[test]
fn findings_are_limited() {
    let all = leaves(1_300);
    let mut broken = all.clone();
    (0..1_300).step_by(1).for_each(|at| broken[at][3] ^= 1);
    let mut files = tiles(&all);
    files.insert("checkpoint".into(), signed(&all));
    files.extend(bundles(&broken));
    let report = verify(&files, &[], &[verifier(ORIGIN, 1)]);
    assert_eq!(short(&report.findings), [(What::LeafChanged, 0, 1_300)]);
    for (count, is_all) in [(999, true), (1_000, true), (1_001, false)] {
        let all = leaves(2 * count);
        let mut broken = all.clone();
        (0..2 * count).step_by(2).for_each(|at| broken[at][3] ^= 1);
        let mut files = tiles(&all);
        files.insert("checkpoint".into(), signed(&all));
        files.extend(bundles(&broken));
        let findings = verify(&files, &[], &[verifier(ORIGIN, 1)]).findings;
        assert_eq!(findings.len(), count.min(1_000));
        assert_eq!(findings.last().unwrap().what == What::NotAllListed, !is_all);
    }
}
