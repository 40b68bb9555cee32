//! The journal: a file that leaves are appended to before they are acknowledged.
//!
//! | offset | bytes | is |
//! |---|---|---|
//! | 0 | 8 | `WFLEDGE1` |
//! | 8 | 8 | the number of its first leaf, a multiple of 256, big-endian |
//! | 16 | 16 | mark: leaves of the log that were durable, big-endian, and the first 8 bytes of the hash of these 8 bytes |
//! | 32 | 16 | another mark; they are written in turn, the larger one counts |
//! | 48 | 16 | zero |
//! | 64 | … | records: length (16 bits, big-endian), the first 8 bytes of the leaf's hash, the leaf |
//!
//! A mark is written after the sync it tells of, so it never says too much; the next sync makes it durable. A record that is cut short or
//! does not hash to what it says ends the journal: it was being written when the machine stopped. If a mark or a checkpoint counts that leaf,
//! it had been acknowledged, and the journal is damaged.

use watchfloor_verify::{Hash, leaf_hash};

/// What a journal begins with.
const MAGIC: [u8; 8] = *b"WFLEDGE1";
/// Bytes before the first record.
pub(super) const HEAD_BYTES: usize = 64;
/// Where the marks stand.
const MARKS: [u64; 2] = [16, 32];

/// The head of a journal, with one mark.
pub(super) fn head(first: u64, durable: u64) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.extend_from_slice(&MAGIC);
    head.extend_from_slice(&first.to_be_bytes());
    head.extend_from_slice(&mark(durable));
    head.resize(HEAD_BYTES, 0);
    head
}

/// A mark: so many leaves are durable.
fn mark(durable: u64) -> [u8; 16] {
    let count = durable.to_be_bytes();
    let mut mark = [0; 16];
    mark.iter_mut().zip(count.iter().chain(&leaf_hash(&count))).for_each(|(to, from)| *to = *from);
    mark
}

/// The next mark, and where it is to be written.
pub(super) fn next_mark(turn: u64, durable: u64) -> (u64, [u8; 16]) {
    (if turn.is_multiple_of(2) { MARKS[0] } else { MARKS[1] }, mark(durable))
}

/// Writes the record of a leaf.
pub(super) fn record(out: &mut Vec<u8>, leaf: &[u8], hash: &Hash) {
    let length = u16::try_from(leaf.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend(hash.iter().take(8));
    out.extend_from_slice(leaf);
}

/// A journal that was read.
pub(super) struct Journal<'j> {
    /// The number of its first leaf.
    pub first: u64,
    /// Leaves of the log that were durable, as far as its marks tell.
    pub durable: u64,
    /// The leaves up to the first one that is not whole.
    pub leaves: Vec<&'j [u8]>,
    /// Bytes of their records.
    pub bytes: usize,
}

/// Reads a journal; none if its head is none.
pub(super) fn read(bytes: &[u8]) -> Option<Journal<'_>> {
    let (head, records) = bytes.split_at_checked(HEAD_BYTES)?;
    let rest = head.strip_prefix(&MAGIC)?;
    let (first, rest) = rest.split_first_chunk::<8>()?;
    let (marks, zero) = rest.split_at_checked(32)?;
    if zero.iter().any(|byte| *byte != 0) {
        return None;
    }
    let marks = marks.as_chunks::<16>().0.iter().filter_map(|found| {
        let durable = u64::from_be_bytes(*found.first_chunk::<8>()?);
        (mark(durable) == *found).then_some(durable)
    });
    let (mut leaves, mut rest) = (Vec::new(), records);
    while let Some((leaf, after)) = split_record(rest) {
        leaves.push(leaf);
        rest = after;
    }
    let bytes = records.len() - rest.len();
    Some(Journal { first: u64::from_be_bytes(*first), durable: marks.max().unwrap_or(0), leaves, bytes })
}

fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (hash, rest) = rest.split_first_chunk::<8>()?;
    let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    (!leaf.is_empty() && leaf_hash(leaf).starts_with(hash)).then_some((leaf, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(leaves: &[&[u8]]) -> Vec<u8> {
        let mut bytes = head(256, 7);
        leaves.iter().for_each(|leaf| record(&mut bytes, leaf, &leaf_hash(leaf)));
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = journal(&[b"one", b"two"]);
        let found = read(&bytes).unwrap();
        assert_eq!((found.first, found.durable, found.leaves, found.bytes), (256, 7, vec![&b"one"[..], b"two"], 26));
    }

    #[test]
    fn it_ends_where_a_record_is_not_whole() {
        let whole = journal(&[b"one", b"two"]);
        for cut in HEAD_BYTES..whole.len() {
            let leaves = read(&whole[..cut]).unwrap().leaves.len();
            assert_eq!(leaves, (cut - HEAD_BYTES) / 13, "{cut}");
        }
        for at in HEAD_BYTES..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert_eq!(read(&damaged).unwrap().leaves.len(), (at - HEAD_BYTES) / 13, "{at}");
        }
        // A file that was made longer before it was written.
        let mut longer = whole.clone();
        longer.resize(whole.len() + 100, 0);
        assert_eq!(read(&longer).unwrap().leaves.len(), 2);
    }

    #[test]
    fn a_damaged_head_is_none_and_a_damaged_mark_does_not_count() {
        let whole = journal(&[b"one"]);
        for at in 0..HEAD_BYTES {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            let found = read(&damaged);
            match at {
                0..8 | 48..64 => assert!(found.is_none(), "{at}"),
                8..16 => assert_ne!(found.unwrap().first, 256),
                16..32 => assert_eq!(found.unwrap().durable, 0, "{at}"),
                _ => assert_eq!(found.unwrap().durable, 7, "{at}"),
            }
        }
        assert!(read(&whole[..HEAD_BYTES - 1]).is_none());
    }

    #[test]
    fn the_larger_mark_counts() {
        let mut bytes = journal(&[]);
        for (turn, durable, expected) in [(1, 9, 9), (0, 8, 9), (2, 12, 12), (3, 11, 12)] {
            let (at, mark) = next_mark(turn, durable);
            bytes[at as usize..][..16].copy_from_slice(&mark);
            assert_eq!(read(&bytes).unwrap().durable, expected);
        }
    }
}
