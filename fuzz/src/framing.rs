//! Cutting bytes into records.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use watchfloor_decode::{Batch, Context, Framer, Shape};
use watchfloor_model::limits::RECORD_BYTES_MAX;

/// Everything that is said of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub raw: Vec<u8>,
    pub offset: u64,
    pub line: u64,
    pub shape: Shape,
    pub context: Option<Context>,
    pub trouble: Vec<(&'static str, String)>,
    pub lossy: bool,
    pub whole: Option<[u8; 32]>,
    pub len: u64,
}

/// Keys of wrappers, as packs name them.
pub fn wrappers() -> Arc<[String]> {
    ["Records", "records", "value", "resourceLogs"].map(str::to_owned).into()
}

/// The records of an input that comes in these pieces.
pub fn records<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut framer = Framer::new(wrappers());
    let mut batch = Batch::default();
    let mut found = Vec::new();
    for piece in pieces {
        framer.feed(piece, &mut batch);
        gather(&mut batch, &mut found);
    }
    framer.finish(&mut batch);
    gather(&mut batch, &mut found);
    found
}

fn gather(batch: &mut Batch, found: &mut Vec<Seen>) {
    for framed in &batch.records {
        assert!(framed.start as usize + framed.len as usize <= batch.bytes.len(), "a record outside of its batch");
        found.push(Seen {
            raw: batch.raw(framed).to_vec(),
            offset: framed.offset,
            line: framed.line,
            shape: framed.shape,
            context: framed.context.as_deref().cloned(),
            trouble: framed.trouble.iter().map(|told| (told.code, told.message.to_string())).collect(),
            lossy: framed.lossy,
            whole: framed.original_sha256,
            len: framed.original_len,
        });
    }
    batch.clear();
}

/// Pieces of changing length, by a seed.
fn pieces(input: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(seed) | 1;
    let mut rest = input;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let longest = [3, 17, 400, 5_000][(state >> 28) as usize & 3];
        let len = (1 + (state >> 8) as usize % longest).min(rest.len());
        let (piece, behind) = rest.split_at(len);
        rest = behind;
        Some(piece)
    })
}

/// The first byte chooses the chunking, the rest is the input.
pub fn frame(data: &[u8]) {
    let Some((seed, input)) = data.split_first() else { return };
    check(*seed, input);
}

/// The records of the input, however it is chunked.
fn check(seed: u8, input: &[u8]) -> Vec<Seen> {
    let found = records(std::iter::once(input));
    let chunked = records(pieces(input, seed));
    assert_eq!(found, chunked, "chunking changes the records");
    if input.len() <= 1_024 {
        assert_eq!(found, records(input.chunks(1)), "single bytes change the records");
    }
    let is_evtx = input.starts_with(b"ElfFile\0") || input.starts_with(b"ElfChnk\0");
    let transcoded = found.iter().any(|seen| seen.trouble.iter().any(|(code, _)| *code == "text.utf16"));
    let mut total = 0;
    for seen in &found {
        assert!(seen.raw.len() <= RECORD_BYTES_MAX, "a record of {} bytes", seen.raw.len());
        assert!(seen.offset <= input.len() as u64, "a record behind the end of the input");
        assert!(seen.line >= 1 || is_evtx, "lines count from 1");
        total += seen.raw.len();
        if !is_evtx && !transcoded {
            in_place(seen, input);
        }
    }
    assert!(is_evtx || total <= 8 * input.len() + 64, "{total} bytes out of {}", input.len());
    found
}

/// A record that is a piece of the input stands there, and one that was cut has the hash of the whole.
fn in_place(seen: &Seen, input: &[u8]) {
    let start = seen.offset as usize;
    if seen.shape == Shape::Json && input.get(start..).is_some_and(|rest| rest.starts_with(b"__")) {
        // A block of the journal, written as JSON.
        return;
    }
    match seen.shape {
        Shape::Line | Shape::Json | Shape::Row | Shape::Xml if seen.whole.is_none() && !seen.lossy => {
            let there = input.get(start..start + seen.raw.len());
            assert_eq!(there, Some(&seen.raw[..]), "the record is not what stands at its place");
            assert_eq!(seen.len, seen.raw.len() as u64);
        }
        Shape::Line | Shape::Binary => {
            let whole = input.get(start..start + seen.len as usize).expect("a cut record lies in the input");
            if let Some(hash) = seen.whole {
                assert_eq!(hash[..], Sha256::digest(whole)[..], "the hash is not that of the whole record");
            }
        }
        _ => {}
    }
}

/// Blocks of `journalctl -o export`: an odd first byte puts the beginning of one before the rest.
pub fn journal_export(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    let start: &[u8] = if kind % 2 == 1 { b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1700000000000000\n" } else { b"" };
    let mut input = [start, body].concat();
    let before = check(*kind, &input).len();
    // A block that is closed must not swallow the one behind it.
    input.extend_from_slice(b"\n\n\n{\"after\":1}\n");
    let after = records(std::iter::once(&input[..]));
    assert!(after.len() >= before.min(1), "records vanish when more follow");
}

/// Event logs: an even first byte takes the rest as the file, an odd one as records in a chunk whose header is right.
pub fn evtx(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    if kind % 2 == 0 {
        let input = [if kind % 4 == 0 { &b"ElfFile\0"[..] } else { b"ElfChnk\0" }, body].concat();
        check(*kind, &input);
        return;
    }
    let chunk = event_chunk(body);
    let alone = check(*kind, &chunk);
    let twice = records(std::iter::once(&[&chunk[..], &chunk[..]].concat()[..]));
    let is_event = |seen: &&Seen| seen.shape == Shape::Evtx;
    let (once, both) = (alone.iter().filter(is_event).count(), twice.iter().filter(is_event).count());
    assert_eq!(2 * once, both, "a chunk changes how the next one is read");
}

/// A chunk of 64 KiB around records, without checksums.
fn event_chunk(records: &[u8]) -> Vec<u8> {
    let mut out = b"ElfChnk\0".to_vec();
    out.resize(512, 0);
    out.extend_from_slice(&records[..records.len().min(65_536 - 512)]);
    let free = out.len() as u32;
    for (at, value) in [(8, 1), (16, 100), (24, 1), (32, 100)] {
        out[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
    }
    for (at, value) in [(40, 128), (44, 512), (48, free), (120, 4)] {
        out[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    out.resize(65_536, 0);
    out
}

/// UTF-16: a first byte below 4 takes the rest as units, the others as text that must read the same in UTF-16 as in UTF-8.
pub fn utf16(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    if *kind < 4 {
        let mark: &[u8] = if kind % 2 == 0 { &[0xFF, 0xFE] } else { &[0xFE, 0xFF] };
        check(*kind, &[mark, body].concat());
        return;
    }
    let text = String::from_utf8_lossy(body);
    if text.contains(['\0', '\u{fffd}']) || text.starts_with('\u{feff}') || text.is_empty() {
        return;
    }
    let big = kind % 2 == 1;
    let mut wide = if big { vec![0xFE, 0xFF] } else { vec![0xFF, 0xFE] };
    wide.extend(text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }));
    let narrow = records(std::iter::once(text.as_bytes()));
    let wide = check(*kind, &wide);
    let raws = |seen: &[Seen]| seen.iter().map(|seen| (seen.raw.clone(), seen.line, seen.shape)).collect::<Vec<_>>();
    assert_eq!(raws(&narrow), raws(&wide), "UTF-16 reads differently from UTF-8");
    for (narrow, wide) in narrow.iter().zip(&wide) {
        let before = String::from_utf8_lossy(&text.as_bytes()[..narrow.offset as usize]);
        assert_eq!(wide.offset, 2 + 2 * before.encode_utf16().count() as u64, "the place in UTF-16");
        assert!(!wide.lossy || wide.shape == Shape::Binary, "nothing of it was lost");
    }
}
