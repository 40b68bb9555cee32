//! The verdict over a stored log.

use crate::checkpoint::Checkpoint;
use crate::finding::{FINDINGS_MAX, Finding, What};
use crate::hash::{Frontier, Hash};
use crate::locate::{BUNDLES_MAX, Dirty, locate};
use crate::note::VerifierKey;
use crate::survey::{Bundle, Survey, View, root};
use crate::tiles::{TILE_WIDTH, Tiles, bundle_path, split_bundle, tile_hashes, tile_path, width};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is wrong, in the order of leaves.
    pub findings: Vec<Finding>,
    /// Leaves that the log's own checkpoint counts.
    pub size: Option<u64>,
    /// Leaves that lead to a checkpoint: the root over the first so many was signed.
    pub proven: u64,
    /// Checkpoints from outside of the log that count. Without one, a log that was cut back to an older state looks whole.
    pub outside: usize,
}

impl Report {
    fn push(&mut self, what: What, from: u64, to: u64, place: impl Into<String>) {
        self.findings.push(Finding { what, from, to, place: place.into() });
    }
}

/// Checks a log whose checkpoint, and others of it that were kept elsewhere, must be signed by one of these keys.
pub fn verify(tiles: &dyn Tiles, outside: &[&[u8]], keys: &[VerifierKey]) -> Report {
    let mut report = Report::default();
    let own = tiles.tile("checkpoint").unwrap_or_default();
    let own = Checkpoint::signed(&own, keys)
        .map_err(|error| report.push(What::CheckpointRefused, 0, 0, format!("checkpoint: {error}")));
    let mut known = Vec::new();
    for (at, note) in outside.iter().enumerate() {
        match Checkpoint::signed(note, keys) {
            Ok(checkpoint) => known.push(checkpoint),
            Err(error) => report.push(What::CheckpointRefused, 0, 0, format!("given checkpoint {}: {error}", at + 1)),
        }
    }
    let refused = std::mem::take(&mut report.findings);
    let mut report = compare(tiles, own.ok(), &known);
    report.findings.splice(0..0, refused);
    report
}

/// Checks a log against checkpoints that the caller believes: the log's own one, and others that were kept elsewhere.
pub fn compare(tiles: &dyn Tiles, own: Option<Checkpoint>, outside: &[Checkpoint]) -> Report {
    let mut report = Report { size: own.as_ref().map(|own| own.size), ..Report::default() };
    let Some(origin) = own.iter().chain(outside).next().map(|checkpoint| checkpoint.origin.clone()) else {
        return report;
    };
    let mut checkpoints: Vec<(String, Checkpoint)> = Vec::new();
    for (at, checkpoint) in outside.iter().enumerate() {
        let label = format!("given checkpoint {}", at + 1);
        if checkpoint.origin != origin {
            report.push(What::OriginDiffers, 0, 0, format!("{label}: {}", checkpoint.origin));
            continue;
        }
        report.outside += 1;
        match report.size.filter(|size| *size < checkpoint.size) {
            Some(size) => report.push(What::RolledBack, size, checkpoint.size, label),
            None => checkpoints.push((label, checkpoint.clone())),
        }
    }
    checkpoints.extend(own.map(|own| ("checkpoint".to_owned(), own)));
    checkpoints.sort_by_key(|(_, checkpoint)| checkpoint.size);
    let size = checkpoints.last().map_or(0, |(_, checkpoint)| checkpoint.size);
    let survey = Survey::new(tiles, size, checkpoints.iter().map(|(_, checkpoint)| checkpoint.size));
    missing(&survey, &mut report);
    checkpoints.retain(|(_, checkpoint)| checkpoint.size <= survey.reached);
    judge(&survey, &checkpoints, &mut report);
    report.findings.sort_by_key(|finding| (finding.from, finding.what, finding.to));
    if report.findings.len() > FINDINGS_MAX {
        report.findings.truncate(FINDINGS_MAX - 1);
        report.push(What::NotAllListed, 0, 0, format!("more than {FINDINGS_MAX}"));
    }
    report
}

/// Bundles that are not there: the log was cut off, or has holes.
fn missing(survey: &Survey, report: &mut Report) {
    let end = survey.size.min(survey.reached);
    let mut holes: Vec<(u64, u64)> = Vec::new();
    let mut hole = |from: u64, to: u64| match holes.last_mut() {
        Some((_, last)) if *last == from => *last = to,
        _ => holes.push((from, to)),
    };
    for index in 0..end.div_ceil(TILE_WIDTH) {
        let due = width(0, index, survey.size);
        let is_known = survey.rows.get(index as usize).is_some_and(|row| row.entries.is_some());
        let start = index * TILE_WIDTH;
        if !is_known && survey.bundle(index, due).is_none() && start + due <= end {
            hole(start + survey.held(index), start + due);
        }
    }
    if survey.reached < survey.size {
        hole(survey.reached, survey.size);
    }
    for (from, to) in holes {
        report.push(
            What::LeafMissing,
            from,
            to,
            bundle_path(from / TILE_WIDTH, width(0, from / TILE_WIDTH, survey.size)),
        );
    }
}

/// What is proven: the hashes over full tiles, and of the leaves after them, that lead to a signed root.
struct Proven {
    parents: Vec<Hash>,
    edge: Vec<Hash>,
    size: u64,
}

fn judge(survey: &Survey, checkpoints: &[(String, Checkpoint)], report: &mut Report) {
    let led = |(at, (_, checkpoint)): (usize, &(String, Checkpoint))| Some((at, prove(survey, checkpoint)?));
    let Some((at, proven)) = checkpoints.iter().enumerate().rev().find_map(led) else {
        // The smallest one says most: what is wrong stands before its end.
        if let Some((label, checkpoint)) = checkpoints.first() {
            report.push(What::Unproven, 0, checkpoint.size, label.clone());
        }
        return;
    };
    report.proven = proven.size;
    let mut held = 0;
    for (_, (label, checkpoint)) in checkpoints.iter().enumerate().filter(|(other, _)| *other != at) {
        if checkpoint.size > proven.size {
            report.push(What::Unproven, proven.size, checkpoint.size, label.clone());
        } else if root_at(survey, &proven, checkpoint.size) == Some(checkpoint.root) {
            held = checkpoint.size;
        } else {
            report.push(What::Forked, held, checkpoint.size, label.clone());
        }
    }
    leaves(survey, &proven, report);
    upper(survey, &proven, report);
    if proven.size == survey.size {
        partial(survey, &proven, report);
    }
}

/// The hashes that lead to this checkpoint, in the first view that does.
fn prove(survey: &Survey, checkpoint: &Checkpoint) -> Option<Proven> {
    let size = checkpoint.size;
    let edges = match survey.cuts.get(&size) {
        Some(cut) => [cut.stored.clone(), cut.entries.clone()],
        None => [Some(Vec::new()), None],
    };
    for view in View::ALL {
        let Some(parents) = survey.parents(view, size) else { continue };
        for edge in edges.iter().flatten() {
            if root(&parents, edge) == checkpoint.root {
                return Some(Proven { parents, edge: edge.clone(), size });
            }
        }
    }
    None
}

/// The root over the first leaves of what is proven.
fn root_at(survey: &Survey, proven: &Proven, size: u64) -> Option<Hash> {
    let full = (size / TILE_WIDTH) as usize;
    let parents = proven.parents.get(..full)?;
    let edge = match (size % TILE_WIDTH) as usize {
        0 => Vec::new(),
        count => proven_leaves(survey, proven, full as u64)?.get(..count)?.to_vec(),
    };
    Some(root(parents, &edge))
}

/// The proven hashes of the leaves of a tile: out of the tile, or out of the entries, whichever leads to what is proven.
fn proven_leaves(survey: &Survey, proven: &Proven, index: u64) -> Option<Vec<Hash>> {
    let Some(parent) = proven.parents.get(index as usize) else { return Some(proven.edge.clone()) };
    let stored = survey.hashes(0, index, TILE_WIDTH);
    let entries = || survey.bundle(index, TILE_WIDTH).map(|bundle| bundle.hashes);
    let leads = |hashes: &Vec<Hash>| hashes.len() as u64 == TILE_WIDTH && Frontier::root_of(hashes) == *parent;
    stored.filter(leads).or_else(|| entries().filter(leads))
}

/// Finds bundles and tiles of level 0 that are not what is proven, and the leaves in them.
fn leaves(survey: &Survey, proven: &Proven, report: &mut Report) {
    let (mut dirty, mut is_cut) = (Vec::new(), false);
    for index in 0..proven.size.div_ceil(TILE_WIDTH) {
        let row = survey.rows.get(index as usize).filter(|_| (index as usize) < proven.parents.len());
        let is_clean = row.is_some_and(|row| {
            let parent = proven.parents.get(index as usize).copied();
            row.stored == parent && row.entries == parent
        });
        if is_clean {
            continue;
        }
        let due = width(0, index, proven.size);
        let (from, to) = (index * TILE_WIDTH, index * TILE_WIDTH + due);
        let Some(hashes) = proven_leaves(survey, proven, index) else {
            report.push(What::LeafChanged, from, to, bundle_path(index, due));
            continue;
        };
        tile(survey, (0, index), &hashes, report);
        // What is missing altogether was told.
        let Some(Bundle { hashes: mut found, is_whole }) = survey.bundle(index, width(0, index, survey.size).min(due))
        else {
            continue;
        };
        if survey.size > proven.size && due < TILE_WIDTH {
            found.truncate(hashes.len());
        }
        if found != hashes || !is_whole {
            is_cut |= dirty.len() == BUNDLES_MAX;
            if !is_cut {
                dirty.push(Dirty { index, proven: hashes, found, is_whole });
            }
        }
    }
    report.findings.extend(locate(&dirty, is_cut));
    if is_cut {
        report.push(What::NotAllListed, 0, 0, format!("more than {BUNDLES_MAX} bundles are wrong"));
    }
}

/// Compares a stored tile with hashes that are proven.
fn tile(survey: &Survey, (level, index): (u32, u64), hashes: &[Hash], report: &mut Report) {
    let span = TILE_WIDTH.saturating_pow(level);
    let start = (index * TILE_WIDTH).saturating_mul(span);
    let place = tile_path(level, index, hashes.len() as u64);
    let Some(found) = survey.hashes(level, index, hashes.len() as u64) else {
        let to = start.saturating_add(span.saturating_mul(hashes.len() as u64));
        return report.push(What::TileMissing, start, to, place);
    };
    for (from, _) in (start..).step_by(span as usize).zip(hashes.iter().zip(&found)).filter(|(_, (due, is))| due != is)
    {
        report.push(What::TileChanged, from, from.saturating_add(span), place.clone());
    }
}

/// Compares the tiles above level 0.
fn upper(survey: &Survey, proven: &Proven, report: &mut Report) {
    let (mut level, mut hashes) = (1, proven.parents.clone());
    while !hashes.is_empty() {
        let mut above = Vec::new();
        for (index, part) in (0..).zip(hashes.chunks(TILE_WIDTH as usize)) {
            tile(survey, (level, index), part, report);
            if part.len() as u64 == TILE_WIDTH {
                above.push(Frontier::root_of(part));
            }
        }
        (level, hashes) = (level + 1, above);
    }
}

/// Partial tiles of other sizes that stand beside those of this one: a checkpoint was made there once, or will be.
fn partial(survey: &Survey, proven: &Proven, report: &mut Report) {
    let index = proven.size / TILE_WIDTH;
    let start = index * TILE_WIDTH;
    for wide in 1..TILE_WIDTH {
        let place = bundle_path(index, wide);
        let to = start + wide;
        if let Some(bytes) = survey.bytes(&place) {
            let (entries, is_whole) = split_bundle(&bytes);
            let hashes: Vec<Hash> = entries.into_iter().map(crate::hash::leaf_hash).collect();
            let is_due = hashes.len() as u64 == wide && is_whole && agree(&hashes, &proven.edge);
            // The one of this size was compared leaf by leaf.
            if !is_due && wide != proven.edge.len() as u64 {
                report.push(What::BundleDamaged, start, to, place);
            }
        }
    }
    let (mut level, mut hashes, mut index) = (0, proven.edge.clone(), index);
    let mut all = proven.parents.clone();
    loop {
        let span = TILE_WIDTH.saturating_pow(level);
        for wide in (1..TILE_WIDTH).filter(|wide| *wide != hashes.len() as u64) {
            let place = tile_path(level, index, wide);
            let Some(bytes) = survey.bytes(&place) else { continue };
            let found = tile_hashes(&bytes).filter(|found| found.len() as u64 == wide && agree(found, &hashes));
            if found.is_none() {
                let from = (index * TILE_WIDTH).saturating_mul(span);
                report.push(What::TileChanged, from, from.saturating_add(wide.saturating_mul(span)), place);
            }
        }
        if all.is_empty() {
            break;
        }
        let full = all.len() / TILE_WIDTH as usize;
        hashes = all.get(full * TILE_WIDTH as usize..).unwrap_or_default().to_vec();
        all = all.chunks_exact(TILE_WIDTH as usize).map(Frontier::root_of).collect();
        (level, index) = (level + 1, full as u64);
    }
}

/// Whether the shorter of two lists begins the longer one.
fn agree(left: &[Hash], right: &[Hash]) -> bool {
    left.iter().zip(right).all(|(left, right)| left == right)
}
