//! Files, directories, archives, and what is wrong with them.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fs;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use watchfloor_intake::{Input, read_inputs};
use zip::write::SimpleFileOptions;

type Found = (Vec<(String, String)>, Vec<(String, &'static str)>);

/// Records as (input, text) and diagnostics as (input, code), names relative to the directory.
fn read(root: &Path, inputs: &[&str]) -> Found {
    let inputs: Vec<Input> = inputs.iter().map(|name| Input::Path(root.join(name))).collect();
    let relative = |name: &str| name.replace(&format!("{}/", root.display()), "");
    let (mut records, mut codes) = (Vec::new(), Vec::new());
    read_inputs(
        &inputs,
        Arc::from(["Records".to_owned()]),
        1 << 18,
        &mut |name, batch| {
            for framed in &batch.records {
                records.push((relative(&name), String::from_utf8_lossy(batch.raw(framed)).into_owned()));
            }
            ControlFlow::Continue(())
        },
        &mut |placed| codes.push((relative(&placed.input), placed.diagnostic.code)),
    );
    (records, codes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn pairs<T: Copy>(list: &[(&str, T)]) -> Vec<(String, T)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// One file with these bytes.
fn check(name: &str, bytes: &[u8], records: &[(&str, &str)], codes: &[(&str, &'static str)]) {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join(name), bytes).unwrap();
    let (found, found_codes) = read(root.path(), &[name]);
    let found: Vec<(&str, &str)> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(found, records, "{name}");
    assert_eq!(found_codes, pairs(codes), "{name}");
}

#[test]
fn files_and_archives() {
    check("plain", b"a\nb\n", &[("plain", "a"), ("plain", "b")], &[]);
    check("empty", b"", &[], &[("empty", "input.empty")]);
    check("one.gz", &gzip(b"a\n"), &[("one.gz", "a")], &[]);
    check("misnamed.log", &gzip(b"a\n"), &[("misnamed.log", "a")], &[]);
    check("two.gz", &[gzip(b"a\nb"), gzip(b"c\n")].concat(), &[("two.gz", "a"), ("two.gz", "bc")], &[]);
    check("a.zst", &zstd(b"a\n"), &[("a.zst", "a")], &[]);
    let skippable = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let frames = [&zstd(b"a\n"), &skippable[..], &zstd(b"b\n")].concat();
    check("two.zst", &frames, &[("two.zst", "a"), ("two.zst", "b")], &[]);
    check("skip.zst", &[&skippable[..], &zstd(b"b\n")].concat(), &[("skip.zst", "b")], &[]);
    let members = zip(&[("x/a.log", b"a\n"), ("b.log", b"b\n"), ("c.log", b"")]);
    check("m.zip", &members, &[("m.zip!x/a.log", "a"), ("m.zip!b.log", "b")], &[("m.zip!c.log", "input.empty")]);
    check("gz.zip", &zip(&[("a.gz", &gzip(b"a\n"))]), &[("gz.zip!a.gz", "a")], &[]);
    check("zip.zip", &zip(&[("i.zip", &zip(&[("a", b"a\n")]))]), &[("zip.zip!i.zip!a", "a")], &[]);
    check("empty.gz", &gzip(b""), &[], &[("empty.gz", "input.empty")]);
    check("empty.zip", &zip(&[]), &[], &[("empty.zip", "input.empty")]);
}

#[test]
fn what_is_no_log_is_named() {
    check("a.bz2", b"BZh91AY&SY", &[], &[("a.bz2", "input.not_a_log")]);
    check("a.png", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", &[], &[("a.png", "input.not_a_log")]);
    let mut tar = vec![0; 1024];
    tar[..5].copy_from_slice(b"a.log");
    tar[257..262].copy_from_slice(b"ustar");
    check("a.tar.gz", &gzip(&tar), &[], &[("a.tar.gz", "input.not_a_log")]);
    let members = zip(&[("a.pcap", b"\xD4\xC3\xB2\xA1\x02\0\x04\0"), ("b.log", b"b\n")]);
    check("m.zip", &members, &[("m.zip!b.log", "b")], &[("m.zip!a.pcap", "input.not_a_log")]);
}

#[test]
fn errors_behind_the_first_bytes_are_said() {
    // A frame of two bytes, then what is no frame.
    let cut = [&[0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x04, 0x11, 0, 0, b'a', b'\n'][..], &[0; 8]].concat();
    check("behind.zst", &cut, &[("behind.zst", "a")], &[("behind.zst", "archive.damaged")]);
}

#[test]
fn archives_that_are_damaged() {
    let lines: String = (0..10_000).map(|at| format!("line number {at}\n")).collect();
    let whole = gzip(lines.as_bytes());
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("cut.gz"), &whole[..whole.len() / 2]).unwrap();
    let (records, codes) = read(root.path(), &["cut.gz"]);
    assert!(records.len() > 10, "{}", records.len());
    assert_eq!(codes, pairs(&[("cut.gz", "archive.truncated")]));

    let mut wrong = gzip(b"some text\n");
    let at = wrong.len() - 8;
    wrong[at] ^= 1;
    check("crc.gz", &wrong, &[("crc.gz", "some text")], &[("crc.gz", "archive.damaged")]);

    let whole = zstd(lines.as_bytes());
    fs::write(root.path().join("cut.zst"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(read(root.path(), &["cut.zst"]).1.len(), 1);

    let members = zip(&[("a", b"a\n"), ("b", b"b\n")]);
    let cut = &members[..members.len() - 30];
    check("cut.zip", cut, &[("cut.zip!a", "a"), ("cut.zip!b", "b")], &[("cut.zip", "archive.damaged")]);
}

#[test]
fn names_that_lead_away_are_only_names() {
    let members = zip(&[("../../etc/passwd", b"a\n"), ("/abs", b"b\n"), ("C:\\x", b"c\n"), ("fine..log", b"d\n")]);
    let slip = "archive.member_name";
    check(
        "slip.zip",
        &members,
        &[
            ("slip.zip!../../etc/passwd", "a"),
            ("slip.zip!/abs", "b"),
            ("slip.zip!C:\\x", "c"),
            ("slip.zip!fine..log", "d"),
        ],
        &[("slip.zip!../../etc/passwd", slip), ("slip.zip!/abs", slip), ("slip.zip!C:\\x", slip)],
    );
}

#[test]
fn bombs_are_stopped() {
    let zeros = vec![b'\n'; 1 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..200 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    check("bomb.gz", &bomb, &[], &[("bomb.gz", "archive.bomb")]);
    // One inside the other: the outermost bytes count.
    check("nested.gz", &gzip(&bomb), &[], &[("nested.gz", "archive.bomb")]);
    check("bomb.zip", &zip(&[("a", &bomb), ("b", b"b\n")]), &[("bomb.zip!b", "b")], &[("bomb.zip!a", "archive.bomb")]);
    // A little that expands much is fine.
    check("small.gz", &gzip(&zeros), &[], &[("small.gz", "input.empty")]);
    check("blank", b" \n\n\0\0", &[], &[("blank", "input.empty")]);
}

#[test]
fn nesting_is_limited() {
    let mut packed = b"a\n".to_vec();
    for depth in 1..=5 {
        packed = gzip(&packed);
        let fits = depth <= watchfloor_model::limits::ARCHIVE_DEPTH_MAX;
        let records: &[(&str, &str)] = if fits { &[("n.gz", "a")] } else { &[] };
        let codes: &[(&str, &'static str)] = if fits { &[] } else { &[("n.gz", "archive.nested")] };
        check("n.gz", &packed, records, codes);
    }
}

#[test]
fn members_are_limited() {
    let most = watchfloor_model::limits::ARCHIVE_MEMBERS_MAX;
    for (count, read_count, codes_count) in [(most - 1, most - 1, 0), (most, most, 0), (most + 1, most, 1)] {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for at in 0..count {
            writer.start_file(at.to_string(), options).unwrap();
            writer.write_all(b"a\n").unwrap();
        }
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("m.zip"), writer.finish().unwrap().into_inner()).unwrap();
        let (records, codes) = read(root.path(), &["m.zip"]);
        assert_eq!(records.len(), read_count);
        assert_eq!(codes, vec![("m.zip".to_owned(), "archive.too_many_members"); codes_count]);
    }
}

#[test]
fn directories_are_walked_in_order() {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in [("d/b.log", "b\n"), ("d/a.log", "a\n"), ("d/c/x.log", "x\n"), ("d/z", "z\n")] {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir(root.path().join("d/empty")).unwrap();
    std::os::unix::fs::symlink(root.path().join("d"), root.path().join("d/loop")).unwrap();
    // Above where it began: what lies beside the directory is not meant.
    std::os::unix::fs::symlink(root.path(), root.path().join("d/up")).unwrap();
    let (records, codes) = read(root.path(), &["d", "missing"]);
    let names: Vec<_> = records.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["d/a.log", "d/b.log", "d/c/x.log", "d/z"]);
    let expected = pairs(&[
        ("d/empty", "input.empty"),
        ("d/loop", "input.symlink_loop"),
        ("d/up", "input.symlink_loop"),
        ("missing", "input.missing"),
    ]);
    assert_eq!(codes, expected);
}

#[test]
fn deep_directories_are_left_out() {
    let root = tempfile::tempdir().unwrap();
    let most = watchfloor_model::limits::DIRECTORY_DEPTH_MAX;
    for (depth, fits) in [(most - 1, true), (most, true), (most + 1, false)] {
        let top = format!("t{depth}");
        let path: PathBuf = std::iter::once(top.as_str()).chain(std::iter::repeat_n("d", depth - 1)).collect();
        let path = root.path().join(path);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("f"), "x\n").unwrap();
        let (records, codes) = read(root.path(), &[&top]);
        assert_eq!(records.len() == 1, fits, "depth {depth}");
        assert_eq!(codes.iter().any(|(_, code)| *code == "input.too_deep"), !fits);
    }
}

#[test]
fn a_file_that_changes_is_said() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("f");
    fs::write(&path, "a\n".repeat(1_000_000)).unwrap();
    let mut codes = Vec::new();
    let mut left = 3;
    read_inputs(
        &[Input::Path(path.clone())],
        Arc::from([]),
        1 << 18,
        &mut |_, _| {
            if left > 0 {
                fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more\n").unwrap();
                left -= 1;
            }
            ControlFlow::Continue(())
        },
        &mut |placed| codes.push(placed.diagnostic.code),
    );
    assert_eq!(codes, ["input.changed"]);
}

#[test]
fn the_sink_can_stop_everything() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        fs::write(root.path().join(name), "line\n".repeat(1_000_000)).unwrap();
    }
    let mut batches = 0;
    let inputs = ["a", "b"].map(|name| Input::Path(root.path().join(name)));
    let mut sink = |_, _| {
        batches += 1;
        if batches == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    read_inputs(&inputs, Arc::from([]), 1 << 16, &mut sink, &mut |_| {});
    assert_eq!(batches, 3);
}

#[test]
fn batches_are_about_as_large_as_wanted() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("f");
    fs::write(&path, "a line of text\n".repeat(500_000)).unwrap();
    let mut sizes = Vec::new();
    let mut sink = |_, batch: watchfloor_decode::Batch| {
        sizes.push(batch.bytes.len());
        ControlFlow::Continue(())
    };
    read_inputs(&[Input::Path(path)], Arc::from([]), 1 << 18, &mut sink, &mut |_| {});
    let (last, rest) = sizes.split_last().unwrap();
    assert!(rest.iter().all(|size| (1 << 18..1 << 19).contains(size)), "{sizes:?}");
    assert!(*last > 0);
    assert_eq!(sizes.iter().sum::<usize>(), 14 * 500_000);
}
