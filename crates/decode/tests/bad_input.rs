//! Bad input: each kind costs itself, says so with a code, and the records around it come through.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use watchfloor_decode::{Batch, Framed, Framer, Shape};
use watchfloor_model::limits::RECORD_BYTES_MAX;

fn framer() -> Framer {
    Framer::new(Arc::from(["Records".to_owned()]))
}

/// Feeds a sequence of pieces and hands every record to `each`, keeping nothing.
fn stream(pieces: impl Iterator<Item = Vec<u8>>, each: &mut dyn FnMut(&Framed, &[u8])) {
    let (mut framer, mut batch) = (framer(), Batch::default());
    let mut hand_over = |batch: &mut Batch| {
        for framed in &batch.records {
            each(framed, batch.raw(framed));
        }
        batch.clear();
    };
    for piece in pieces {
        framer.feed(&piece, &mut batch);
        hand_over(&mut batch);
    }
    framer.finish(&mut batch);
    hand_over(&mut batch);
}

/// Kept bytes, whole length and codes of every record.
fn lengths(input: &[u8]) -> Vec<(usize, u64, Vec<&'static str>)> {
    let mut found = Vec::new();
    stream(input.chunks(100_000).map(<[u8]>::to_vec), &mut |framed, raw| {
        let codes = framed.trouble.iter().map(|trouble| trouble.code).collect();
        found.push((raw.len(), framed.original_len, codes));
    });
    found
}

#[test]
fn a_record_may_be_as_long_as_the_limit() {
    for (len, codes) in
        [(RECORD_BYTES_MAX - 1, &[][..]), (RECORD_BYTES_MAX, &[]), (RECORD_BYTES_MAX + 1, &["record.oversize"])]
    {
        let kept = if codes.is_empty() { len } else { 64 * 1024 };
        let line = format!("{}\nnext\n", "x".repeat(len));
        assert_eq!(lengths(line.as_bytes()), [(kept, len as u64, codes.to_vec()), (4, 4, vec![])], "line of {len}");
        let object = format!("{{\"a\":\"{}\"}}\nnext\n", "x".repeat(len - 8));
        assert_eq!(lengths(object.as_bytes()), [(kept, len as u64, codes.to_vec()), (4, 4, vec![])], "object of {len}");
        let xml = format!("<Event>{}</Event>\nnext\n", "x".repeat(len - 15));
        assert_eq!(lengths(xml.as_bytes()), [(kept, len as u64, codes.to_vec()), (4, 4, vec![])], "element of {len}");
        let pretty = format!("{{\n \"a\": \"{}\"\n}}\nnext\n", "x".repeat(len - 12));
        let found = lengths(pretty.as_bytes());
        assert_eq!(found.len(), 2, "pretty object of {len}");
        assert_eq!(found[0].2, codes, "pretty object of {len}");
    }
}

#[test]
fn a_line_of_100_megabytes_is_one_record() {
    let pieces = (0..1000).map(|_| vec![b'y'; 100_000]);
    let pieces = std::iter::once(b"before\n".to_vec()).chain(pieces).chain(std::iter::once(b"\nafter\n".to_vec()));
    let mut found = Vec::new();
    stream(pieces, &mut |framed, raw| {
        found.push((raw.len(), framed.offset, framed.line, framed.original_len, framed.original_sha256.is_some()));
    });
    assert_eq!(found, [(6, 0, 1, 6, false), (65536, 7, 2, 100_000_000, true), (5, 100_000_008, 3, 5, false)]);
}

#[test]
fn the_hash_of_a_cut_record_is_that_of_the_whole() {
    let mut hash = None;
    stream([vec![b'a'; 20_000_000]].into_iter(), &mut |framed, _| hash = framed.original_sha256);
    let hash: String = hash.unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    use sha2::Digest;
    let expected: String =
        sha2::Sha256::digest(vec![b'a'; 20_000_000]).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, expected);
}

#[test]
fn an_unclosed_brace_does_not_eat_the_file() {
    let mut input = b"{\"a\":[{\"b\":\n".to_vec();
    for at in 0..100_000 {
        input.extend_from_slice(format!("{{\"n\":{at}}}\n").as_bytes());
    }
    let mut good = 0;
    stream(input.chunks(65536).map(<[u8]>::to_vec), &mut |framed, _| good += usize::from(framed.shape == Shape::Json));
    assert_eq!(good, 100_000);
}

#[test]
fn garbage_is_one_record() {
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut input = b"first line\n".to_vec();
    input.extend_from_slice(&[1, 2, 3, 4]);
    input.extend((0..1_000_000).map(|_| random()));
    let mut found = Vec::new();
    stream(input.chunks(5000).map(<[u8]>::to_vec), &mut |framed, raw| {
        let codes: Vec<_> = framed.trouble.iter().map(|trouble| trouble.code).collect();
        assert!(std::str::from_utf8(raw).is_ok() || framed.shape != Shape::Binary);
        found.push((framed.shape, codes, framed.original_len));
    });
    assert_eq!(found[0].0, Shape::Line);
    assert_eq!((found[1].0, found[1].1.as_slice()), (Shape::Binary, &["record.binary"][..]));
    assert!(found.len() < 20, "{} records", found.len());
}

#[test]
fn utf16_is_transcoded() {
    let text = "{\"a\":\"é😀\"}\r\nOct 11 22:14:15 h a: b\r\n";
    for (mark, big) in [(&[0xFF, 0xFE][..], false), (&[0xFE, 0xFF], true), (&[], false), (&[], true)] {
        let mut bytes = mark.to_vec();
        for unit in text.encode_utf16() {
            bytes.extend(if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
        }
        let mut found = Vec::new();
        stream(bytes.chunks(3).map(<[u8]>::to_vec), &mut |framed, raw| {
            let codes: Vec<_> = framed.trouble.iter().map(|trouble| trouble.code).collect();
            found.push((
                String::from_utf8(raw.to_vec()).unwrap(),
                framed.offset - mark.len() as u64,
                framed.lossy,
                codes,
            ));
        });
        let first = ("{\"a\":\"é😀\"}".to_owned(), 0, false, vec!["text.utf16"]);
        assert_eq!(found, [first, ("Oct 11 22:14:15 h a: b".to_owned(), 26, false, vec![])]);
    }
}

#[test]
fn half_a_character_of_utf16_is_said() {
    let mut bytes = vec![0xFF, 0xFE];
    for unit in [u16::from(b'a'), 0xD800, u16::from(b'b'), u16::from(b'\n'), u16::from(b'c'), u16::from(b'd')] {
        bytes.extend(unit.to_le_bytes());
    }
    let mut found = Vec::new();
    stream([bytes].into_iter(), &mut |framed, _| found.push(framed.lossy));
    assert_eq!(found, [true, false]);
}

#[test]
fn deep_nesting_costs_one_line() {
    for deep in ["{\"a\":".repeat(100_000), "[{".repeat(50_000), "{\"a\":[".repeat(1000)] {
        let input = format!("{{\"x\":1}}\n{deep}\n{{\"y\":2}}\n");
        let mut good = Vec::new();
        stream([input.into_bytes()].into_iter(), &mut |_, raw| good.push(String::from_utf8_lossy(raw).into_owned()));
        assert_eq!(good.first().unwrap(), "{\"x\":1}");
        assert_eq!(good.last().unwrap(), "{\"y\":2}");
        assert!(good.len() <= 4, "{} records", good.len());
    }
}

#[test]
fn damaged_event_logs_say_what_is_lost() {
    let mut header = b"ElfFile\0".to_vec();
    header.resize(4096, 0);
    header[40..42].copy_from_slice(&4096_u16.to_le_bytes());
    let chunk = |magic: &[u8]| {
        let mut chunk = magic.to_vec();
        chunk.resize(65536, 0);
        chunk
    };
    let mut dirty = header.clone();
    dirty[120] = 1;
    for (name, input, expected) in [
        ("header only", header.clone(), vec![]),
        ("cut header", header[..100].to_vec(), vec!["evtx.truncated"]),
        ("unused chunk", [header.clone(), chunk(b"")].concat(), vec![]),
        ("no chunk", [header.clone(), chunk(b"garbage!")].concat(), vec!["evtx.chunk"]),
        ("dirty and damaged", [dirty, chunk(b"garbage!")].concat(), vec!["evtx.dirty", "evtx.chunk"]),
        ("cut chunk", [header.clone(), b"garbage!".to_vec()].concat(), vec!["evtx.truncated", "evtx.chunk"]),
        ("bare chunk", [b"ElfChnk\0".to_vec(), vec![7; 65528]].concat(), vec!["evtx.chunk", "evtx.record"]),
    ] {
        let mut codes = Vec::new();
        stream(input.chunks(1000).map(<[u8]>::to_vec), &mut |framed, _| {
            codes.extend(framed.trouble.iter().map(|trouble| trouble.code))
        });
        assert_eq!(codes, expected, "{name}");
    }
}

/// An element of binary XML with text or children, at a position of its chunk.
fn element(out: &mut Vec<u8>, name: &str, content: &mut dyn FnMut(&mut Vec<u8>)) {
    out.push(0x01);
    let size_at = out.len();
    out.extend(0_u32.to_le_bytes());
    let name_at = out.len() as u32 + 4;
    out.extend(name_at.to_le_bytes());
    out.extend([0; 4]);
    out.extend(
        name.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(65599).wrapping_add(byte.into())).to_le_bytes()[..2]
            .iter(),
    );
    out.extend((name.len() as u16).to_le_bytes());
    out.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    out.extend([0, 0]);
    out.push(0x02);
    content(out);
    out.push(0x04);
    let size = (out.len() - size_at - 4) as u32;
    out[size_at..size_at + 4].copy_from_slice(&size.to_le_bytes());
}

/// A chunk of our own making, with one event for every text.
fn event_chunk(texts: &[&str]) -> Vec<u8> {
    let mut out = b"ElfChnk\0".to_vec();
    out.resize(512, 0);
    let mut last = 512;
    for (at, text) in texts.iter().enumerate() {
        last = out.len();
        out.extend([0x2A, 0x2A, 0, 0, 0, 0, 0, 0]);
        out.extend((at as u64 + 1).to_le_bytes());
        out.extend(132_539_328_000_000_000_u64.to_le_bytes());
        out.extend([0x0F, 1, 1, 0]);
        element(&mut out, "Event", &mut |out| {
            element(out, "EventData", &mut |out| {
                element(out, "Note", &mut |out| {
                    out.extend([0x05, 0x01]);
                    out.extend((text.encode_utf16().count() as u16).to_le_bytes());
                    out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
                });
            });
        });
        out.push(0);
        let size = (out.len() - last + 4) as u32;
        out.extend(size.to_le_bytes());
        out[last + 4..last + 8].copy_from_slice(&size.to_le_bytes());
    }
    let count = texts.len() as u64;
    for (at, value) in [(8, 1), (16, count), (24, 1), (32, count)] {
        out[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
    }
    // No checksums (4 at byte 120), so that the test can damage what it likes.
    let free = out.len() as u32;
    for (at, value) in [(40, 128), (44, last as u32), (48, free), (120, 4)] {
        out[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    out.resize(65536, 0);
    out
}

#[test]
fn event_logs_are_read_around_the_damage() {
    let whole = event_chunk(&["one", "two \u{1F600}", "three"]);
    let mut damaged = whole.clone();
    let second = 512 + u32::from_le_bytes(whole[516..520].try_into().unwrap()) as usize;
    damaged[second..second + 4].copy_from_slice(b"XXXX");
    let texts = |input: &[u8]| {
        let mut found = Vec::new();
        stream(input.chunks(777).map(<[u8]>::to_vec), &mut |framed, raw| {
            let codes: Vec<_> = framed.trouble.iter().map(|trouble| trouble.code).collect();
            let raw = String::from_utf8(raw.to_vec()).unwrap();
            found.push(if framed.shape == Shape::Evtx {
                format!("{} {raw}", framed.line)
            } else {
                format!("{codes:?}")
            });
        });
        found
    };
    let one = r#"1 {"Event":{"EventData":{"Note":"one"}}}"#;
    let two = "2 {\"Event\":{\"EventData\":{\"Note\":\"two \u{1F600}\"}}}";
    let three = r#"3 {"Event":{"EventData":{"Note":"three"}}}"#;
    assert_eq!(texts(&whole), [one, two, three]);
    assert_eq!(texts(&damaged), [one, r#"["evtx.record"]"#, three]);
    assert_eq!(texts(&[whole.clone(), b"garbage!".repeat(8192), whole.clone()].concat()).len(), 7);
    // Cut in the third record: the first two are there.
    let cut = second + u32::from_le_bytes(whole[second + 4..second + 8].try_into().unwrap()) as usize + 20;
    assert_eq!(texts(&whole[..cut])[..2], [one, two]);
}
