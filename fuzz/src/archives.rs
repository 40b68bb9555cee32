//! Archives, through a file as a user gives it.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use watchfloor_decode::Batch;
use watchfloor_intake::{Input, Placed, read_inputs};
use watchfloor_model::Grade;
use watchfloor_model::limits::{UNPACK_RATIO_MAX, UNPACKED_FREE_BYTES};

use super::framing::wrappers;

/// Every reason to say that an archive was not read whole.
const STOPPED: [&str; 10] = [
    "archive.bomb",
    "archive.damaged",
    "archive.encrypted",
    "archive.nested",
    "archive.too_large",
    "archive.too_many_members",
    "archive.truncated",
    "archive.unsupported",
    "input.unreadable",
    "input.not_a_log",
];

/// A file that is gone when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(bytes: &[u8]) -> Self {
        let name = format!("watchfloor-fuzz-{}-{:?}", std::process::id(), std::thread::current().id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What was read, and what was said.
#[derive(Debug, Default)]
struct Taken {
    records: Vec<Vec<u8>>,
    told: Vec<Placed>,
    bytes: u64,
}

impl Taken {
    fn says(&self, codes: &[&str]) -> bool {
        self.told.iter().any(|placed| codes.contains(&placed.diagnostic.code))
    }
}

fn take(bytes: &[u8]) -> Taken {
    let file = Scratch::new(bytes);
    let mut taken = Taken::default();
    let mut told = Vec::new();
    let mut sink = |_: Arc<str>, batch: Batch| {
        for framed in &batch.records {
            taken.bytes += framed.original_len;
            // Enough to compare; a bomb may have many.
            if taken.records.len() < 10_000 {
                taken.records.push(batch.raw(framed).to_vec());
            }
        }
        ControlFlow::Continue(())
    };
    read_inputs(&[Input::Path(file.0.clone())], wrappers(), 1 << 16, &mut sink, &mut |placed| told.push(placed));
    taken.told = told;
    taken
}

/// The first byte says how the rest is packed, if at all.
pub fn archives(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    match kind % 4 {
        0 => any(body),
        1 => packed(body, 1),
        2 => packed(body, 2),
        _ => cut(body, usize::from(*kind)),
    }
}

/// Bytes as they are.
fn any(body: &[u8]) {
    let taken = take(body);
    assert!(
        taken.bytes <= UNPACKED_FREE_BYTES.max(UNPACK_RATIO_MAX * body.len() as u64) + (1 << 24),
        "{} bytes came out",
        taken.bytes
    );
    assert!(!taken.records.is_empty() || !taken.told.is_empty(), "bytes vanish without a word");
    for placed in &taken.told {
        assert!(!placed.input.contains('\n'), "a name with a line end");
        assert!(!placed.diagnostic.message.is_empty());
    }
}

/// Packed so many times: the records are those of the bytes themselves.
fn packed(body: &[u8], times: usize) {
    let plain = take(body);
    if plain.says(&STOPPED) || body.starts_with(&[0x1F, 0x8B]) || body.starts_with(b"PK") {
        return;
    }
    let mut bytes = body.to_vec();
    for _ in 0..times {
        bytes = gzip(&bytes);
    }
    let unpacked = take(&bytes);
    assert_eq!(plain.records, unpacked.records, "packing changes the records");
    assert!(!unpacked.says(&STOPPED), "{:?}", unpacked.told);
}

/// Packed and cut: what comes is a beginning of what would have come, and the cut is said.
fn cut(body: &[u8], place: usize) {
    let bytes = gzip(body);
    let len = (bytes.len() - 1) * (place + 1) / 256;
    let taken = take(&bytes[..len]);
    let is_packed = len >= 2;
    let told = taken.told.iter().any(|placed| placed.diagnostic.grade == Grade::Error);
    assert!(!is_packed || told, "{len} of {} bytes, and nothing is said: {:?}", bytes.len(), taken.told);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}
