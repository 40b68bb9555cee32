//! How a log is stored: C2SP tlog-tiles.
//!
//! - `tile/<L>/<N>` holds the 256 hashes of height 8·L from number 256·N on, 32 bytes each; `tile/<L>/<N>.p/<W>` the first W of them, where
//!   there are no more yet. L is 0 to 7; there is a tile for each level that has a hash.
//! - `tile/entries/<N>` (`….p/<W>`) holds the entries of the same leaves as `tile/0/<N>`: each a big-endian length of 16 bits, then so many
//!   bytes.
//! - N is written in groups of three digits, all but the last with an `x` before them: 1234067 is `x001/x234/067`.
//! - `checkpoint` is the signed note that says how many leaves count, and their root.

use std::collections::BTreeMap;

use crate::hash::{HASH_BYTES, Hash};

/// Hashes of a full tile.
pub const TILE_WIDTH: u64 = 256;
/// Levels of the tree in a tile.
pub const TILE_HEIGHT: u32 = 8;
/// The highest level of tiles that a size of 64 bits can need.
pub const LEVEL_MAX: u32 = 7;
/// Most entries that are read of a bundle: one too many would do to see that it is not what it should be, and twice as many to say where.
const BUNDLE_ENTRIES_MAX: usize = 512;

/// Where the bytes of a log come from. Nothing that it gives is trusted.
pub trait Tiles {
    /// The bytes at this path, such as `tile/0/x001/234.p/7` or `checkpoint`; none if there are none.
    fn tile(&self, path: &str) -> Option<Vec<u8>>;
}

impl Tiles for BTreeMap<String, Vec<u8>> {
    fn tile(&self, path: &str) -> Option<Vec<u8>> {
        self.get(path).cloned()
    }
}

/// How many hashes of the tile at this level and index a tree of this size has, at most 256.
pub fn width(level: u32, index: u64, size: u64) -> u64 {
    let all = size.checked_shr(TILE_HEIGHT * level).unwrap_or(0);
    all.saturating_sub(index.saturating_mul(TILE_WIDTH)).min(TILE_WIDTH)
}

/// The path of a tile with so many hashes.
pub fn tile_path(level: u32, index: u64, width: u64) -> String {
    path(&level.to_string(), index, width)
}

/// The path of the bundle of entries that belongs to a tile of level 0.
pub fn bundle_path(index: u64, width: u64) -> String {
    path("entries", index, width)
}

fn path(kind: &str, index: u64, width: u64) -> String {
    let mut number = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        number = format!("x{:03}/{number}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH { format!("tile/{kind}/{number}.p/{width}") } else { format!("tile/{kind}/{number}") }
}

/// The hashes of a tile; none if its length is not a number of hashes.
pub fn tile_hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    (rest.is_empty() && hashes.len() as u64 <= TILE_WIDTH).then(|| hashes.to_vec())
}

/// The entries of a bundle, and whether they are all there is in it: the bytes may end within an entry, or hold too many.
pub fn split_bundle(bytes: &[u8]) -> (Vec<&[u8]>, bool) {
    let (mut entries, mut rest) = (Vec::new(), bytes);
    while entries.len() < BUNDLE_ENTRIES_MAX {
        let Some((length, after)) = rest.split_first_chunk::<2>() else { break };
        let Some((entry, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))) else { break };
        entries.push(entry);
        rest = after;
    }
    (entries, rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let table = [
            (tile_path(0, 0, 256), "tile/0/000"),
            (tile_path(0, 0, 255), "tile/0/000.p/255"),
            (tile_path(1, 999, 1), "tile/1/999.p/1"),
            (tile_path(7, 1_000, 256), "tile/7/x001/000"),
            (tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067"),
            (bundle_path(1_234_067, 8), "tile/entries/x001/x234/067.p/8"),
            (bundle_path(u64::MAX, 256), "tile/entries/x018/x446/x744/x073/x709/x551/615"),
        ];
        for (found, expected) in table {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn widths() {
        // The example of the specification: 70,000 leaves.
        let table = [
            (0, 272, 70_000, 256),
            (0, 273, 70_000, 112),
            (0, 274, 70_000, 0),
            (1, 0, 70_000, 256),
            (1, 1, 70_000, 17),
            (2, 0, 70_000, 1),
            (3, 0, 70_000, 0),
            (0, 0, 256, 256),
            (1, 0, 256, 1),
            (0, 0, 0, 0),
            (7, 0, u64::MAX, 255),
            (8, 0, u64::MAX, 0),
            (0, u64::MAX, u64::MAX, 0),
        ];
        for (level, index, size, expected) in table {
            assert_eq!(width(level, index, size), expected, "{level} {index} {size}");
        }
    }

    #[test]
    fn tiles_are_whole_hashes() {
        for (bytes, expected) in
            [(0, Some(0)), (31, None), (32, Some(1)), (33, None), (8_160, Some(255)), (8_192, Some(256)), (8_224, None)]
        {
            assert_eq!(tile_hashes(&vec![0; bytes]).map(|hashes| hashes.len()), expected, "{bytes}");
        }
    }

    #[test]
    fn bundles_are_split() {
        type Case = (&'static [u8], &'static [&'static [u8]], bool);
        let table: [Case; 7] = [
            (b"", &[], true),
            (b"\0", &[], false),
            (b"\0\0", &[b""], true),
            (b"\0\x01a\0\x02bc", &[b"a", b"bc"], true),
            (b"\0\x01a\0\x03bc", &[b"a"], false),
            (b"\x01\0a", &[], false),
            (b"\0\x01a\0", &[b"a"], false),
        ];
        for (bytes, entries, whole) in table {
            let (found, is_whole) = split_bundle(bytes);
            assert_eq!((found.as_slice(), is_whole), (entries, whole), "{bytes:?}");
        }
        for (count, read, whole) in [(511, 511, true), (512, 512, true), (513, 512, false)] {
            let bytes = vec![0; 2 * count];
            let (found, is_whole) = split_bundle(&bytes);
            assert_eq!((found.len(), is_whole), (read, whole), "{count}");
        }
    }
}
