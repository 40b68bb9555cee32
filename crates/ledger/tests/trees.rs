//! Tiles, checkpoints and proofs, checked by our verifier and by implementations of others (`tlog_tiles`, `signed_note`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use serde_json::Map;
use tlog_tiles::TileReader;
use watchfloor_ledger::{
    Draft, ExportError, Kind, Log, ProveError, Signer, SignerError, check_export, consistency, export_head,
    export_line, inclusion, read_leaf,
};
use watchfloor_verify::{
    Checkpoint, CheckpointError, Frontier, Hash, NoteError, ORIGIN_BYTES_MAX, ProofError, Tiles, leaf_hash, verify,
    verify_consistency, verify_inclusion,
};

const ORIGIN: &str = "log.example/ledger";

fn signer() -> Signer {
    Signer::new(ORIGIN, &[7; 32]).unwrap()
}

struct Made {
    log: Log,
    files: BTreeMap<String, Vec<u8>>,
    leaves: Vec<Vec<u8>>,
}

impl Made {
    /// The root over the first leaves.
    fn root(&self, size: u64) -> Hash {
        let hashes: Vec<Hash> = self.leaves[..size as usize].iter().map(|leaf| leaf_hash(leaf)).collect();
        Frontier::root_of(&hashes)
    }
}

/// A log of two tenants; every third leaf is of the second one.
fn made(size: u64) -> Made {
    let mut made = Made { log: Log::default(), files: BTreeMap::new(), leaves: Vec::new() };
    for number in 0..size {
        let tenant = if number % 3 == 2 { "beta" } else { "acme" };
        let draft = Draft::new(Kind::Query, (tenant, "ada", "ada"), number as i64, &Map::new()).unwrap();
        let appended = made.log.append(&draft).unwrap();
        assert_eq!(appended.hash, leaf_hash(&appended.bytes));
        made.leaves.push(appended.bytes);
        made.files.extend(appended.full.into_iter().map(|tile| (tile.path, tile.bytes)));
    }
    made.files.extend(made.log.partial().into_iter().map(|tile| (tile.path, tile.bytes)));
    let note = signer().sign(&made.log.checkpoint(ORIGIN));
    made.files.insert("checkpoint".into(), note.into_bytes());
    made
}

#[test]
fn logs_of_every_size_verify() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513, 1_000, 65_536, 65_793] {
        let made = made(size);
        let report = verify(&made.files, &[], &[signer().verifier().clone()]);
        assert_eq!((report.findings, report.proven), (vec![], size), "{size}");
        assert_eq!(made.log.size(), size);
    }
}

#[test]
fn there_are_the_files_of_the_specification_and_no_others() {
    // 70,000 leaves: 273 full tiles of level 0 and one of 112, one full of level 1 and one of 17, one of 1 of level 2.
    let made = made(70_000);
    let mut expected: Vec<String> = (0..273).map(|index| format!("tile/0/{index:03}")).collect();
    expected.extend((0..273).map(|index| format!("tile/entries/{index:03}")));
    for path in
        ["tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "checkpoint"]
    {
        expected.push(path.into());
    }
    expected.sort();
    assert_eq!(made.files.keys().cloned().collect::<Vec<_>>(), expected);
}

#[test]
fn proofs_of_small_trees() {
    let all = made(600);
    for size in [1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, 600] {
        let root = &all.root(size as u64);
        let files = made(size as u64).files;
        for index in (0..size).filter(|index| index % 37 == 0 || index + 2 > size || *index == 255 || *index == 256) {
            let proof = inclusion(&files, index as u64, size as u64).unwrap();
            let leaf = leaf_hash(&all.leaves[index]);
            assert_eq!(verify_inclusion(index as u64, size as u64, &leaf, &proof, root), Ok(()), "{index} of {size}");
        }
        for old in (0..=size).filter(|old| old % 29 == 0 || old + 2 > size || old.is_power_of_two()) {
            let proof = consistency(&files, old as u64, size as u64).unwrap();
            let (old, size) = ((old as u64, &all.root(old as u64)), (size as u64, root));
            assert_eq!(verify_consistency(old, size, &proof), Ok(()), "{old:?} to {size:?}");
        }
        assert_eq!(inclusion(&files, size as u64, size as u64), Err(ProveError::Range));
        assert_eq!(consistency(&files, size as u64 + 1, size as u64), Err(ProveError::Range));
    }
}

#[test]
fn proofs_over_three_levels_of_tiles() {
    let all = made(66_100);
    let size = 66_100;
    for index in [0, 1, 255, 256, 65_279, 65_280, 65_535, 65_536, 65_791, 65_792, 66_099] {
        let proof = inclusion(&all.files, index, size).unwrap();
        let leaf = leaf_hash(&all.leaves[index as usize]);
        assert_eq!(verify_inclusion(index, size, &leaf, &proof, &all.root(66_100)), Ok(()), "{index}");
    }
    for old in [1, 255, 256, 257, 32_768, 65_535, 65_536, 65_537, 65_792, 66_000, 66_100] {
        let proof = consistency(&all.files, old, size).unwrap();
        let roots = (&all.root(old), &all.root(66_100));
        assert_eq!(verify_consistency((old, roots.0), (size, roots.1), &proof), Ok(()), "{old}");
    }
    // A proof in a tree that ended earlier can be read from the tiles that grew since.
    let proof = inclusion(&all.files, 1_000, 51_200).unwrap();
    let leaf = leaf_hash(&all.leaves[1_000]);
    assert_eq!(verify_inclusion(1_000, 51_200, &leaf, &proof, &all.root(51_200)), Ok(()));
    // Without a tile that is needed there is none.
    let mut files = all.files.clone();
    files.remove("tile/0/003");
    assert_eq!(inclusion(&files, 1_000, size), Err(ProveError::Tile("tile/0/003".into())));
    files.insert("tile/0/003".into(), vec![0; 8_191]);
    assert_eq!(inclusion(&files, 1_000, size), Err(ProveError::Tile("tile/0/003".into())));
    assert!(ProveError::Tile("tile/0/003".into()).to_string().starts_with("tile/0/003 is missing"));
    assert!(ProveError::Range.to_string().contains("not within"));
    // Sizes that nobody has end at once.
    for size in [u64::MAX, 1 << 63, (1 << 63) + 1] {
        assert!(matches!(inclusion(&files, 0, size), Err(ProveError::Tile(_))));
        assert!(matches!(consistency(&files, 5, size), Err(ProveError::Tile(_))));
    }
}

/// Our tiles, read by the implementation of others.
struct Theirs<'f>(&'f BTreeMap<String, Vec<u8>>);

impl TileReader for Theirs<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // Their paths name the height, and full tiles alike.
        let path = |tile: &tlog_tiles::Tile| {
            watchfloor_verify::tile_path(tile.level().into(), tile.level_index(), tile.width().into())
        };
        Ok(tiles.iter().map(|tile| self.0.tile(&path(tile)).unwrap()).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn others_read_our_checkpoints_and_tiles_and_believe_our_proofs() {
    use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};
    for size in [1_u64, 255, 256, 257, 1_000, 66_100] {
        let all = made(size);
        let note = Note::from_bytes(&all.files["checkpoint"]).unwrap();
        let key = StandardVerifier::new(&signer().verifier().to_string()).unwrap();
        let (known, unknown) = note.verify(&VerifierList::new(vec![Box::new(key)])).unwrap();
        assert_eq!((known.len(), unknown.len()), (1, 0));
        let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, size));
        let root = *checkpoint.hash();
        assert_eq!(root.0, all.root(size));
        let theirs = Theirs(&all.files);
        let reader = tlog_tiles::TileHashReader::new(size, root, &theirs);
        for index in [0, size / 3, size / 2, size - 1] {
            let leaf = tlog_tiles::record_hash(&all.leaves[index as usize]);
            assert_eq!(leaf.0, leaf_hash(&all.leaves[index as usize]));
            let ours = inclusion(&all.files, index, size).unwrap();
            let proof: Vec<_> = ours.iter().map(|hash| tlog_tiles::Hash(*hash)).collect();
            tlog_tiles::check_record(&proof, size, root, index, leaf).unwrap();
            assert_eq!(tlog_tiles::prove_record(size, index, &reader).unwrap(), proof, "{index} of {size}");
            let old = index + 1;
            let proof: Vec<_> =
                consistency(&all.files, old, size).unwrap().iter().map(|hash| tlog_tiles::Hash(*hash)).collect();
            let old_root = tlog_tiles::Hash(all.root(old));
            tlog_tiles::check_tree(&proof, size, root, old, old_root).unwrap();
        }
    }
    // They read our signing key, and sign what we sign.
    let all = made(3);
    let theirs = StandardSigner::new(&signer().secret()).unwrap();
    let mut note = Note::new(all.log.checkpoint(ORIGIN).text().as_bytes(), &[]).unwrap();
    note.add_sigs(&[&theirs]).unwrap();
    assert_eq!(note.to_bytes(), all.files["checkpoint"]);
}

#[test]
fn signing_keys() {
    let secret = signer().secret();
    let again = Signer::parse(&format!("{secret}\n")).unwrap();
    assert_eq!((again.name(), again.verifier()), (ORIGIN, signer().verifier()));
    assert!(!format!("{again:?}").contains("7, 7") && format!("{again:?}").contains(ORIGIN));
    let id = secret.split('+').nth(3).unwrap();
    let table = [
        (secret.replace("PRIVATE+KEY+", ""), SignerError::Malformed),
        (secret.replace(id, "00000000"), SignerError::Id),
        (secret.replace(ORIGIN, "other"), SignerError::Id),
        (secret[..secret.len() - 4].to_owned(), SignerError::Malformed),
        (format!("{secret}!"), SignerError::Malformed),
        ("PRIVATE+KEY+a+00000000".into(), SignerError::Malformed),
        ("PRIVATE+KEY+a+00000000+".into(), SignerError::Malformed),
        (secret.replace("+AQcH", "+AgcH"), SignerError::Malformed),
    ];
    for (text, expected) in table {
        assert_ne!(text, secret);
        assert_eq!(Signer::parse(&text).err(), Some(expected), "{text}");
        assert!(!expected.to_string().is_empty());
    }
    for (bytes, is_good) in
        [(0, false), (1, true), (ORIGIN_BYTES_MAX - 1, true), (ORIGIN_BYTES_MAX, true), (ORIGIN_BYTES_MAX + 1, false)]
    {
        let found = Signer::new(&"n".repeat(bytes), &[1; 32]);
        assert_eq!(found.is_ok(), is_good, "{bytes}");
        if let Err(error) = found {
            assert!(error.to_string().contains("256 bytes"), "{error}");
        }
    }
    assert!(SignerError::Id.to_string().contains("id of the signing key"));
    assert!(SignerError::Malformed.to_string().contains("PRIVATE+KEY+name"));
}

fn export(all: &Made, tenant: &str) -> Vec<String> {
    let size = all.log.size();
    let mine = (0..size).filter(|index| read_leaf(&all.leaves[*index as usize]).unwrap().tenant == tenant);
    let lines: Vec<String> = mine
        .map(|index| {
            let leaf = String::from_utf8(all.leaves[index as usize].clone()).unwrap();
            export_line(index, &leaf, &inclusion(&all.files, index, size).unwrap())
        })
        .collect();
    let note = String::from_utf8(all.files["checkpoint"].clone()).unwrap();
    let mut out = vec![export_head(tenant, lines.len() as u64, &note)];
    out.extend(lines);
    out
}

#[test]
fn what_a_tenant_takes_away_proves_itself() {
    let all = made(700);
    let keys = [signer().verifier().clone()];
    let check = |lines: &[String]| check_export(lines.iter().map(String::as_str), &keys);
    let lines = export(&all, "beta");
    assert_eq!(lines.len(), 234);
    let (checkpoint, wrong) = check(&lines);
    assert_eq!((checkpoint, wrong), (Some(all.log.checkpoint(ORIGIN)), vec![]));
    assert_eq!(check(&export(&all, "nobody")).1, []);
    let changed = |at: usize, from: &str, to: &str| {
        let mut lines = lines.clone();
        lines[at] = lines[at].replace(from, to);
        assert_ne!(lines[at], export(&all, "beta")[at]);
        check(&lines).1
    };
    assert_eq!(
        changed(1, "query", "verdict"),
        [ExportError::Proof(2, ProofError::Root), ExportError::Gap { due: 0, found: 1 }]
    );
    assert_eq!(changed(2, "\"index\":5", "\"index\":4")[0], ExportError::Proof(4, ProofError::Root));
    assert_eq!(changed(2, "\"index\":5", "\"index\":700")[0], ExportError::Proof(700, ProofError::Range));
    assert_eq!(changed(3, "\"proof\":[", "\"proof\":[7,")[0], ExportError::Line(4));
    assert_eq!(changed(3, "\"proof\"", "\"prof\"")[0], ExportError::Line(4));
    assert_eq!(changed(0, "\"leaves\":233", "\"leaves\":232"), [ExportError::Count { due: 232, found: 233 }]);
    assert_eq!(changed(0, "export/1", "export/2"), [ExportError::Head]);
    assert_eq!(changed(0, ORIGIN, "other"), [ExportError::Checkpoint(CheckpointError::Note(NoteError::Unsigned))]);
    assert_eq!(changed(0, "beta", "acme").len(), 233);
    assert_eq!(changed(0, "beta", "acme")[0], ExportError::Place(2));
    let mut gap = lines.clone();
    gap.remove(5);
    assert_eq!(check(&gap).1, [ExportError::Gap { due: 4, found: 5 }, ExportError::Count { due: 233, found: 232 }]);
    let mut foreign = lines.clone();
    foreign.insert(1, export(&all, "acme")[1].clone());
    assert_eq!(check(&foreign).1, [ExportError::Place(0), ExportError::Count { due: 233, found: 234 }]);
    assert_eq!(check(&[]).1, [ExportError::Head]);
    // An entry that is in the log and is no leaf.
    let entry = b"{}";
    let root = leaf_hash(entry);
    let note = signer().sign(&Checkpoint { origin: ORIGIN.into(), size: 1, root });
    let (_, wrong) = check(&[export_head("t", 1, &note), export_line(0, "{}", &[])]);
    assert!(matches!(wrong.as_slice(), [ExportError::Leaf(0, _)]), "{wrong:?}");
    // A leaf that is in the log at another place than it says.
    let leaf = &all.leaves[3];
    let moved = signer().sign(&Checkpoint { origin: ORIGIN.into(), size: 1, root: leaf_hash(leaf) });
    let (_, wrong) = check(&[export_head("acme", 1, &moved), export_line(0, std::str::from_utf8(leaf).unwrap(), &[])]);
    assert_eq!(wrong, [ExportError::Place(0)]);
    // Proofs of any length are read up to a limit.
    for (count, expected) in [(127, ProofError::Length), (128, ProofError::Length)] {
        let (_, wrong) = check(&[export_head("t", 1, &note), export_line(0, "{}", &vec![[0; 32]; count])]);
        assert_eq!(wrong, [ExportError::Proof(0, expected)]);
    }
    let (_, wrong) = check(&[export_head("t", 1, &note), export_line(0, "{}", &vec![[0; 32]; 129])]);
    assert_eq!(wrong, [ExportError::Line(2)]);
}

#[test]
fn what_is_told_of_exports() {
    let table = [
        (ExportError::Head, "line 1: this is no export"),
        (ExportError::Checkpoint(CheckpointError::Origin), "line 1: the key"),
        (ExportError::Line(3), "line 3: "),
        (ExportError::Leaf(3, watchfloor_ledger::LeafError::Canonical), "leaf 3: not in the canonical"),
        (ExportError::Proof(3, ProofError::Root), "leaf 3: the proof leads"),
        (ExportError::Place(3), "leaf 3: it is of another tenant"),
        (ExportError::Gap { due: 1, found: 2 }, "number 1 of the tenant's leaves is due, and number 2"),
        (ExportError::Count { due: 1, found: 2 }, "1 leaves are due, and 2 are there"),
    ];
    for (error, text) in table {
        assert!(error.to_string().starts_with(text), "{error}");
    }
}
