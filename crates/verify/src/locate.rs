//! Which leaf: what stands in the bundles, beside what was signed.
//!
//! A bundle whose entries do not hash to what is proven is compared leaf by leaf. An entry that was signed for another place was moved, or
//! what is before it was taken out or put in; an entry that was never signed is a changed leaf where one is missing, and an inserted one
//! where none is. So one deletion is one finding, though every leaf after it stands elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::finding::{Finding, What};
use crate::hash::Hash;
use crate::tiles::{TILE_WIDTH, bundle_path};

/// Most bundles that are compared leaf by leaf: a million leaves.
pub(crate) const BUNDLES_MAX: usize = 4_096;

/// A bundle that is not what was signed.
pub(crate) struct Dirty {
    pub index: u64,
    /// The hashes that are proven.
    pub proven: Vec<Hash>,
    /// The hashes of what stands there; none of a bundle that is missing.
    pub found: Vec<Hash>,
    pub is_whole: bool,
}

impl Dirty {
    fn start(&self) -> u64 {
        self.index * TILE_WIDTH
    }

    fn end(&self) -> u64 {
        self.start() + self.proven.len() as u64
    }

    fn place(&self) -> String {
        bundle_path(self.index, self.proven.len() as u64)
    }
}

/// Says which leaves of these bundles are wrong. `is_cut`: there are more such bundles, so what seems to be missing at the end may stand there.
pub(crate) fn locate(dirty: &[Dirty], is_cut: bool) -> Vec<Finding> {
    let places: BTreeMap<Hash, u64> =
        dirty.iter().flat_map(|bundle| bundle.proven.iter().copied().zip(bundle.start()..)).collect();
    let standing: BTreeSet<u64> =
        dirty.iter().flat_map(|bundle| &bundle.found).filter_map(|hash| places.get(hash).copied()).collect();
    let mut findings = Vec::new();
    for bundle in dirty.iter().filter(|bundle| !bundle.is_whole) {
        let (from, to) = (bundle.start(), bundle.end());
        findings.push(Finding { what: What::BundleDamaged, from, to, place: bundle.place() });
    }
    for run in dirty.chunk_by(|left, right| left.index + 1 == right.index) {
        let mut walk = Walk {
            places: &places,
            standing: &standing,
            run,
            due: 0,
            strange: 0,
            seen: BTreeSet::new(),
            findings: &mut findings,
        };
        walk.run(is_cut);
    }
    findings
}

struct Walk<'w> {
    places: &'w BTreeMap<Hash, u64>,
    /// The signed leaves that stand anywhere.
    standing: &'w BTreeSet<u64>,
    run: &'w [Dirty],
    /// The leaf that is due next.
    due: u64,
    /// Entries since the last known one that were never signed.
    strange: u64,
    /// The signed leaves that stood in their place.
    seen: BTreeSet<u64>,
    findings: &'w mut Vec<Finding>,
}

impl Walk<'_> {
    fn run(&mut self, is_cut: bool) {
        let start = self.run.first().map_or(0, Dirty::start);
        let end = self.run.last().map_or(0, Dirty::end);
        self.due = start;
        for hash in self.run.iter().flat_map(|bundle| &bundle.found) {
            match self.places.get(hash) {
                None => self.strange += 1,
                Some(&leaf) => self.known(leaf, start..end),
            }
        }
        if !is_cut || self.strange > 0 {
            self.settle(end);
        }
    }

    /// A signed leaf stands here.
    fn known(&mut self, leaf: u64, run: Range<u64>) {
        if self.seen.contains(&leaf) {
            // A copy.
            self.strange += 1;
        } else if leaf < self.due || !run.contains(&leaf) {
            // Its own place was passed, or is elsewhere: it was told there, or is told now.
            self.push(What::LeafMoved, leaf, leaf + 1);
        } else if leaf > self.due + 1 && self.strange == 0 && self.standing.contains(&self.due) {
            // Two changed places: this one is early, and the due one stands somewhere else.
            self.push(What::LeafMoved, leaf, leaf + 1);
            self.push(What::LeafMoved, self.due, self.due + 1);
            self.due += 1;
        } else {
            self.settle(leaf);
            self.due = leaf + 1;
            self.seen.insert(leaf);
        }
    }

    /// What is due before this leaf did not come.
    fn settle(&mut self, leaf: u64) {
        let absent: Vec<u64> = (self.due..leaf).filter(|due| !self.standing.contains(due)).collect();
        for moved in (self.due..leaf).filter(|due| self.standing.contains(due)) {
            self.push(What::LeafMoved, moved, moved + 1);
        }
        let changed = absent.len().min(usize::try_from(self.strange).unwrap_or(usize::MAX));
        let (changed, missing) = absent.split_at_checked(changed).unwrap_or_default();
        self.push_all(What::LeafChanged, changed);
        self.push_all(What::LeafMissing, missing);
        if self.strange > changed.len() as u64 {
            let before = absent.first().copied().unwrap_or(leaf);
            self.push(What::LeafInserted, before, before);
        }
        self.due = leaf;
        self.strange = 0;
    }

    /// One finding for each range of leaves without a gap.
    fn push_all(&mut self, what: What, leaves: &[u64]) {
        for range in leaves.chunk_by(|left, right| left + 1 == *right) {
            if let (Some(first), Some(last)) = (range.first(), range.last()) {
                self.push(what, *first, last + 1);
            }
        }
    }

    fn push(&mut self, what: What, from: u64, to: u64) {
        let bundle = self.run.iter().find(|bundle| bundle.end() > from).or(self.run.last());
        let place = bundle.map(Dirty::place).unwrap_or_default();
        let finding = Finding { what, from, to, place };
        let is_told = |known: &Finding| known.what == what && known.from == from && known.to == to;
        if !self.findings.iter().rev().take(TILE_WIDTH as usize).any(is_told) {
            self.findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves 256 and on are 1 to 5; what stands there instead is told. Where there are more bundles than are compared, what seems to be missing at the end
    /// may stand in one of them.
    #[test]
    fn what_stands_in_a_bundle_instead() {
        let hashes = |bytes: &[u8]| -> Vec<Hash> { bytes.iter().map(|byte| [*byte; 32]).collect() };
        let (changed, missing, inserted) = (What::LeafChanged, What::LeafMissing, What::LeafInserted);
        let moved = |leaf: u64| (What::LeafMoved, leaf, leaf + 1);
        for (found, whole, cut) in [
            (&[1, 2, 3, 4, 5][..], vec![], vec![]),
            (&[1, 2], vec![(missing, 258, 261)], vec![]),
            (
                &[1, 2, 9],
                vec![(changed, 258, 259), (missing, 259, 261)],
                vec![(changed, 258, 259), (missing, 259, 261)],
            ),
            (&[1, 9, 3, 4], vec![(changed, 257, 258), (missing, 260, 261)], vec![(changed, 257, 258)]),
            // A copy; and leaves that stand early, one after the other.
            (&[1, 2, 2, 3, 4, 5], vec![(inserted, 258, 258)], vec![(inserted, 258, 258)]),
            (
                &[4, 5, 3, 1, 2],
                vec![moved(259), moved(256), moved(260), moved(257)],
                vec![moved(259), moved(256), moved(260), moved(257)],
            ),
            (&[1, 9, 2], vec![(inserted, 257, 257), (missing, 258, 261)], vec![(inserted, 257, 257)]),
        ] {
            for (is_cut, due) in [(false, whole), (true, cut)] {
                let dirty = Dirty { index: 1, proven: hashes(&[1, 2, 3, 4, 5]), found: hashes(found), is_whole: true };
                let findings = locate(&[dirty], is_cut);
                let short: Vec<_> = findings.iter().map(|finding| (finding.what, finding.from, finding.to)).collect();
                assert_eq!(short, due, "{found:?} {is_cut}");
            }
        }
    }
    /// The bundle in which a leaf should stand is named, the last one where there is none after it.
    #[test]
    fn the_bundle_of_a_leaf_is_named() {
        let full: Vec<Hash> = (0..=255).map(|byte| [byte; 32]).collect();
        let last: Vec<Hash> = [1, 2, 3].map(|byte| [byte, 7, byte].repeat(11)[..32].try_into().unwrap()).to_vec();
        for (at, place) in [(0, "tile/entries/001"), (255, "tile/entries/001"), (256, "tile/entries/002.p/3")] {
            let mut found = [full.clone(), last.clone()].concat();
            found[at][5] ^= 1;
            let (first, second) = found.split_at(256);
            let dirty = |index: u64, proven: &[Hash], found: &[Hash]| Dirty {
                index,
                proven: proven.to_vec(),
                found: found.to_vec(),
                is_whole: true,
            };
            let findings = locate(&[dirty(1, &full, first), dirty(2, &last, second)], false);
            let from = 256 + at as u64;
            assert_eq!(findings, [Finding { what: What::LeafChanged, from, to: from + 1, place: place.to_owned() }]);
        }
    }
}
