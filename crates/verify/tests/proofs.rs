//! Inclusion and consistency, against proofs made by the recursive definitions of RFC 6962.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod plain;

use plain::{leaf_hashes, leaves, tree_hash};
use watchfloor_verify::{
    Finding, Hash, PROOF_HASHES_MAX, ProofError, What, empty_root, verify_consistency, verify_inclusion,
};

fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// PATH(m, D[n]).
fn path(index: usize, hashes: &[Hash]) -> Vec<Hash> {
    if hashes.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = hashes.split_at(split(hashes.len()));
    let (mut found, other) =
        if index < left.len() { (path(index, left), right) } else { (path(index - left.len(), right), left) };
    found.push(tree_hash(other));
    found
}

/// SUBPROOF(m, D[n], b).
fn subproof(old: usize, hashes: &[Hash], is_known: bool) -> Vec<Hash> {
    if old == hashes.len() {
        return if is_known { Vec::new() } else { vec![tree_hash(hashes)] };
    }
    let (left, right) = hashes.split_at(split(hashes.len()));
    let (mut found, other) = if old <= left.len() {
        (subproof(old, left, is_known), right)
    } else {
        (subproof(old - left.len(), right, false), left)
    };
    found.push(tree_hash(other));
    found
}

#[test]
fn every_leaf_of_every_small_tree() {
    let hashes = leaf_hashes(&leaves(40));
    for size in 1..=hashes.len() {
        let root = tree_hash(&hashes[..size]);
        for index in 0..size {
            let proof = path(index, &hashes[..size]);
            let check = |index: usize, size: usize, leaf: &Hash, proof: &[Hash], root: &Hash| {
                verify_inclusion(index as u64, size as u64, leaf, proof, root)
            };
            assert_eq!(check(index, size, &hashes[index], &proof, &root), Ok(()), "{index} of {size}");
            assert!(check(index, size, &[9; 32], &proof, &root).is_err());
            assert_eq!(check(index, size, &hashes[index], &proof, &[9; 32]), Err(ProofError::Root));
            assert_eq!(check(size, size, &hashes[index], &proof, &root), Err(ProofError::Range));
            for other in (0..size).filter(|other| *other != index) {
                assert!(check(other, size, &hashes[index], &proof, &root).is_err(), "{index} as {other} of {size}");
            }
            let longer = [&proof[..], &[[9; 32]]].concat();
            assert_eq!(check(index, size, &hashes[index], &longer, &root), Err(ProofError::Length));
            for at in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[at][31] ^= 1;
                assert_eq!(check(index, size, &hashes[index], &wrong, &root), Err(ProofError::Root));
            }
            if let Some((_, shorter)) = proof.split_last() {
                assert_eq!(check(index, size, &hashes[index], shorter, &root), Err(ProofError::Length));
            }
        }
    }
    assert_eq!(verify_inclusion(0, 0, &[0; 32], &[], &empty_root()), Err(ProofError::Range));
}

#[test]
fn every_pair_of_small_trees() {
    let hashes = leaf_hashes(&leaves(40));
    let roots: Vec<Hash> = (0..=hashes.len()).map(|size| tree_hash(&hashes[..size])).collect();
    for size in 1..=hashes.len() {
        for old in 1..=size {
            let proof = subproof(old, &hashes[..size], true);
            let check = |old: usize, old_root: &Hash, root: &Hash, proof: &[Hash]| {
                verify_consistency((old as u64, old_root), (size as u64, root), proof)
            };
            assert_eq!(check(old, &roots[old], &roots[size], &proof), Ok(()), "{old} to {size}");
            assert_eq!(check(old, &[9; 32], &roots[size], &proof), Err(ProofError::Root), "{old} to {size}");
            assert_eq!(check(old, &roots[old], &[9; 32], &proof), Err(ProofError::Root), "{old} to {size}");
            let longer = [&proof[..], &[[9; 32]]].concat();
            assert_eq!(check(old, &roots[old], &roots[size], &longer), Err(ProofError::Length), "{old} to {size}");
            if let Some((_, shorter)) = proof.split_last() {
                assert_eq!(check(old, &roots[old], &roots[size], shorter), Err(ProofError::Length), "{old} to {size}");
            }
            for at in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[at][0] ^= 1;
                assert!(check(old, &roots[old], &roots[size], &wrong).is_err(), "{old} to {size}: {at}");
            }
            for other in (1..size).filter(|other| *other != old) {
                assert!(check(other, &roots[old], &roots[size], &proof).is_err(), "{old} as {other} to {size}");
            }
        }
        let check =
            |old_root: &Hash, proof: &[Hash]| verify_consistency((0, old_root), (size as u64, &roots[size]), proof);
        assert_eq!(check(&empty_root(), &[]), Ok(()));
        assert_eq!(check(&roots[size], &[]), Err(ProofError::Root));
        assert_eq!(check(&empty_root(), &[[9; 32]]), Err(ProofError::Length));
        let larger = (size as u64 + 1, &roots[size]);
        assert_eq!(verify_consistency(larger, (size as u64, &roots[size]), &[]), Err(ProofError::Range));
    }
    assert_eq!(verify_consistency((0, &empty_root()), (0, &empty_root()), &[]), Ok(()));
    assert_eq!(verify_consistency((0, &empty_root()), (0, &[9; 32]), &[]), Ok(()), "nothing is said of the larger one");
}

#[test]
fn sizes_at_the_end_of_numbers() {
    let proof = vec![[1; 32]; PROOF_HASHES_MAX];
    for (index, size) in [(0, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 63, u64::MAX), (5, 1 << 63)] {
        for count in [0, 1, 63, 64, 65, PROOF_HASHES_MAX] {
            assert!(verify_inclusion(index, size, &[0; 32], &proof[..count], &[0; 32]).is_err());
            assert!(verify_consistency((index, &[0; 32]), (size, &[1; 32]), &proof[..count]).is_err());
        }
    }
}

#[test]
fn what_is_told() {
    assert!(ProofError::Range.to_string().contains("not within"));
    let finding = |what, from, to| Finding { what, from, to, place: "here".into() }.to_string();
    let table = [
        (finding(What::LeafChanged, 7, 8), "leaf 7: changed (here)"),
        (finding(What::LeafMissing, 7, 10), "leaves 7 to 9: missing (here)"),
        (finding(What::LeafInserted, 7, 7), "leaf 7: something that was not signed stands before this leaf (here)"),
        (finding(What::CheckpointRefused, 0, 0), "the checkpoint does not count (here)"),
    ];
    for (found, expected) in table {
        assert_eq!(found, expected);
    }
    let codes = [
        (What::CheckpointRefused, "ledger.checkpoint_refused"),
        (What::OriginDiffers, "ledger.origin_differs"),
        (What::RolledBack, "ledger.rolled_back"),
        (What::Forked, "ledger.forked"),
        (What::Unproven, "ledger.unproven"),
        (What::LeafChanged, "ledger.leaf_changed"),
        (What::LeafMissing, "ledger.leaf_missing"),
        (What::LeafInserted, "ledger.leaf_inserted"),
        (What::LeafMoved, "ledger.leaf_moved"),
        (What::BundleDamaged, "ledger.bundle_damaged"),
        (What::TileChanged, "ledger.tile_changed"),
        (What::TileMissing, "ledger.tile_missing"),
        (What::NotAllListed, "ledger.not_all_listed"),
    ];
    for (what, code) in codes {
        assert_eq!(what.code(), code);
    }
}
