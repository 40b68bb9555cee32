//! A log made the plain way, straight from the definitions, for tests to damage.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use watchfloor_verify::{Checkpoint, Hash, VerifierKey, key_id};

pub type Files = BTreeMap<String, Vec<u8>>;

pub const ORIGIN: &str = "log.example/ledger";

pub fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn verifier(name: &str, seed: u8) -> VerifierKey {
    VerifierKey::new(name, signing_key(seed).verifying_key().as_bytes()).unwrap()
}

pub fn hash(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// The tree hash of RFC 6962, over hashes of one height.
pub fn tree_hash(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => hash(&[]),
        [one] => *one,
        many => {
            let left = many.len().next_power_of_two() / 2;
            hash(&[&[1], &tree_hash(&many[..left]), &tree_hash(&many[left..])])
        }
    }
}

pub fn leaf_hashes(leaves: &[Vec<u8>]) -> Vec<Hash> {
    leaves.iter().map(|leaf| hash(&[&[0], leaf])).collect()
}

pub fn leaf(number: usize) -> Vec<u8> {
    format!(r#"{{"kind":"decision","sequence":{number},"tenant":"acme"}}"#).into_bytes()
}

pub fn leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(leaf).collect()
}

pub fn checkpoint(leaves: &[Vec<u8>]) -> Checkpoint {
    Checkpoint { origin: ORIGIN.into(), size: leaves.len() as u64, root: tree_hash(&leaf_hashes(leaves)) }
}

pub fn sign(text: &str, name: &str, seed: u8) -> String {
    let key = signing_key(seed);
    let mut bytes = key_id(name, key.verifying_key().as_bytes()).to_vec();
    bytes.extend(key.sign(text.as_bytes()).to_bytes());
    format!("{text}\n— {name} {}\n", STANDARD.encode(bytes))
}

pub fn signed(leaves: &[Vec<u8>]) -> Vec<u8> {
    sign(&checkpoint(leaves).text(), ORIGIN, 1).into_bytes()
}

fn name(kind: &str, index: usize, width: usize) -> String {
    // Enough for a million tiles of a level.
    let number = if index < 1000 { format!("{index:03}") } else { format!("x{:03}/{:03}", index / 1000, index % 1000) };
    if width == 256 { format!("tile/{kind}/{number}") } else { format!("tile/{kind}/{number}.p/{width}") }
}

/// Bundles only.
pub fn bundles(leaves: &[Vec<u8>]) -> Files {
    let mut files = Files::new();
    for (index, part) in leaves.chunks(256).enumerate() {
        let mut bytes = Vec::new();
        for leaf in part {
            bytes.extend((leaf.len() as u16).to_be_bytes());
            bytes.extend(leaf);
        }
        files.insert(name("entries", index, part.len()), bytes);
    }
    files
}

/// Tiles only.
pub fn tiles(leaves: &[Vec<u8>]) -> Files {
    let mut files = Files::new();
    let mut hashes = leaf_hashes(leaves);
    for level in 0.. {
        if hashes.is_empty() {
            return files;
        }
        for (index, part) in hashes.chunks(256).enumerate() {
            files.insert(name(&level.to_string(), index, part.len()), part.concat());
        }
        hashes = hashes.chunks_exact(256).map(tree_hash).collect();
    }
    files
}

/// A whole log with its signed checkpoint.
pub fn log(leaves: &[Vec<u8>]) -> Files {
    let mut files = bundles(leaves);
    files.extend(tiles(leaves));
    files.insert("checkpoint".into(), signed(leaves));
    files
}
