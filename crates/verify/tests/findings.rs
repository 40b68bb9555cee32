//! What is told of a finding: which leaves, what of them, and in which file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod plain;

use plain::{ORIGIN, bundles, leaves, log, verifier};
use watchfloor_verify::{Finding, What, verify};

#[test]
fn the_file_is_named() {
    let good = leaves(1_000);
    for (at, place) in
        [(0, "tile/entries/000"), (255, "tile/entries/000"), (256, "tile/entries/001"), (999, "tile/entries/003.p/232")]
    {
        let mut changed = good.clone();
        changed[at][3] ^= 1;
        let mut files = log(&good);
        files.extend(bundles(&changed));
        let findings = verify(&files, &[], &[verifier(ORIGIN, 1)]).findings;
        let (from, place) = (at as u64, place.to_owned());
        assert_eq!(findings, [Finding { what: What::LeafChanged, from, to: from + 1, place }]);
    }
}

#[test]
fn what_is_told() {
    for (what, from, to, due) in [
        (What::CheckpointRefused, 0, 0, "the checkpoint does not count (p)"),
        (What::OriginDiffers, 0, 0, "the checkpoint is of another log (p)"),
        (What::RolledBack, 5, 9, "leaves 5 to 8: leaves that an earlier checkpoint counts are gone (p)"),
        (
            What::Forked,
            5,
            6,
            "leaf 5: the log leads to its newest checkpoint but not to an earlier one: these leaves were rewritten (p)",
        ),
        (What::Unproven, 5, 7, "leaves 5 to 6: these leaves do not lead to the checkpoint (p)"),
        (What::LeafChanged, 5, 6, "leaf 5: changed (p)"),
        (What::LeafMissing, 5, 7, "leaves 5 to 6: missing (p)"),
        (What::LeafInserted, 5, 5, "leaf 5: something that was not signed stands before this leaf (p)"),
        (What::LeafInserted, 0, 0, "leaf 0: something that was not signed stands before this leaf (p)"),
        (What::LeafMoved, 5, 6, "leaf 5: moved to another place (p)"),
        (What::BundleDamaged, 0, 256, "leaves 0 to 255: the bundle of these leaves is damaged (p)"),
        (What::TileChanged, 5, 6, "leaf 5: the tile over these leaves has wrong hashes (p)"),
        (What::TileMissing, 5, 6, "leaf 5: the tile over these leaves is missing or damaged (p)"),
        (What::NotAllListed, 0, 0, "there is more wrong than is listed here (p)"),
        // Nothing that is told is told as before it begins.
        (What::LeafMissing, 5, 4, "missing (p)"),
    ] {
        assert_eq!(Finding { what, from, to, place: "p".into() }.to_string(), due);
    }
}
