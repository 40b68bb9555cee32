//! What an auditor may be handed: notes, keys, tiles, proofs, leaves, exports.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Map;
use watchfloor_ledger::{Draft, Kind, Log, Signer, check_export, read_draft, read_leaf};
use watchfloor_verify::{
    Checkpoint, Hash, Note, VerifierKey, split_bundle, tile_hashes, verify, verify_consistency, verify_inclusion,
};

/// A ledger of 300 leaves, to damage.
struct Made {
    files: BTreeMap<String, Vec<u8>>,
    keys: [VerifierKey; 1],
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let signer = Signer::new("fuzz.example/ledger", &[7; 32]).unwrap();
        let (mut log, mut files) = (Log::default(), BTreeMap::new());
        for time in 0..300 {
            let draft = Draft::new(Kind::Query, ("acme", "ada", "ada"), time, &Map::new()).unwrap();
            files.extend(log.append(&draft).unwrap().full.into_iter().map(|tile| (tile.path, tile.bytes)));
        }
        files.extend(log.partial().into_iter().map(|tile| (tile.path, tile.bytes)));
        files.insert("checkpoint".into(), signer.sign(&log.checkpoint(signer.name())).into_bytes());
        Made { files, keys: [signer.verifier().clone()] }
    })
}

/// The first byte says what the rest is.
pub fn checkpoint(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    match kind % 6 {
        0 => note(body),
        1 => key(body),
        2 => tiles(body),
        3 => damaged(body),
        4 => proofs(body),
        _ => leaves(body),
    }
}

fn note(body: &[u8]) {
    let made = made();
    if let Ok(note) = Note::parse(body) {
        assert!(body.starts_with(note.text.as_bytes()) && note.text.ends_with('\n'));
    }
    if let Ok(checkpoint) = Checkpoint::signed(body, &made.keys) {
        // Nobody else has the key: only what it signed counts.
        let due = Checkpoint::unsigned(&made.files["checkpoint"]).unwrap();
        assert_eq!(checkpoint, due);
    }
    if let Ok(checkpoint) = Checkpoint::unsigned(body) {
        let text = checkpoint.text();
        assert!(body.starts_with(text.as_bytes()), "there is one way to write a checkpoint: {text:?}");
        // Any size may stand there.
        let mut files = made.files.clone();
        files.remove("checkpoint");
        let _ = watchfloor_verify::compare(&files, Some(checkpoint), &[]);
    }
}

fn key(body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    if let Ok(key) = VerifierKey::parse(&text) {
        assert_eq!(key.to_string(), text, "there is one way to write a key");
    }
    if let Ok(signer) = Signer::parse(&text) {
        assert_eq!(signer.secret(), text.trim_end());
    }
}

fn tiles(body: &[u8]) {
    let (entries, is_whole) = split_bundle(body);
    let mut joined = Vec::new();
    for entry in entries {
        joined.extend((entry.len() as u16).to_be_bytes());
        joined.extend(entry);
    }
    assert!(body.starts_with(&joined) && is_whole == (joined.len() == body.len()));
    if let Some(hashes) = tile_hashes(body) {
        assert_eq!(hashes.concat(), body);
    }
}

/// One file of a ledger is replaced: if it is another one now, that is found.
fn damaged(body: &[u8]) {
    let Some((which, body)) = body.split_first() else { return };
    let made = made();
    let path = made.files.keys().nth(usize::from(*which) % made.files.len()).unwrap();
    let mut files = made.files.clone();
    let old = files.insert(path.clone(), body.to_vec()).unwrap();
    let report = verify(&files, &[&made.files["checkpoint"]], &made.keys);
    assert_eq!(report.findings.is_empty(), old == body, "{path}: {:?}", report.findings);
    assert_eq!(report.proven, 300, "one file is not enough to hide the rest");
}

fn proofs(body: &[u8]) {
    let numbers = body.as_chunks::<8>().0;
    let [index, size, ..] = numbers else { return };
    let (index, size) = (u64::from_be_bytes(*index), u64::from_be_bytes(*size));
    let hashes: Vec<Hash> = body[16..].as_chunks::<32>().0.to_vec();
    let (leaf, root) = ([1; 32], [2; 32]);
    // Whoever finds a proof for these has broken SHA-256.
    assert!(verify_inclusion(index, size, &leaf, &hashes, &root).is_err());
    assert!(index == 0 || verify_consistency((index, &leaf), (size, &root), &hashes).is_err());
}

fn leaves(body: &[u8]) {
    if let Ok(leaf) = read_leaf(body) {
        assert!(!leaf.tenant.is_empty());
    }
    if let Ok(draft) = read_draft(body) {
        let appended = Log::default().append(&draft).unwrap();
        let leaf = read_leaf(&appended.bytes).expect("what is written as a leaf is read as one");
        assert_eq!((leaf.tenant.as_str(), leaf.sequence), (draft.tenant(), 0));
    }
    let text = String::from_utf8_lossy(body);
    let (checkpoint, wrong) = check_export(text.lines(), &made().keys);
    assert!(checkpoint.is_some() || !wrong.is_empty());
}
