//! Decompression under caps. The only module that may touch a decompressor.
//!
//! Of everything that comes out, [`Cap`] counts the bytes per layer: more than [`UNPACKED_BYTES_MAX`] is `archive.too_large`; more than
//! [`UNPACK_RATIO_MAX`] times the **outermost** packed bytes, once [`UNPACKED_FREE_BYTES`] are out, is `archive.bomb`. Counting against the
//! outermost input is what stops archives in archives and zip members that share their bytes.
//!
//! | first bytes | is |
//! |---|---|
//! | `1F 8B` | gzip (RFC 1952), one or more members |
//! | `28 B5 2F FD`, `5x 2A 4D 18` | Zstandard (RFC 8878), one or more frames, windows up to [`ZSTD_WINDOW_BYTES_MAX`] |
//! | `PK 03 04`, `PK 05 06` | zip, stored or deflated |
//!
//! Other packings are named by [`crate::foreign`].
//!
//! Members of a zip archive are streams here, never files, so a name cannot lead anywhere; one that tries (`..`, an absolute path) is
//! noted as `archive.member_name`. An archive whose list of members is damaged is read from its beginning, member by member.
#![allow(clippy::disallowed_types, reason = "this is the module that caps them")]

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::ops::ControlFlow;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use watchfloor_model::Diagnostic;
use watchfloor_model::limits::{UNPACK_RATIO_MAX, UNPACKED_BYTES_MAX, UNPACKED_FREE_BYTES};
use zip::ZipArchive;
use zip::read::ZipFile;

/// Bytes that tell a packing.
pub(crate) const HEAD_BYTES: usize = 8;
/// Largest window of a Zstandard frame, in bytes: what one frame may hold in memory.
const ZSTD_WINDOW_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    Zip,
}

impl Packing {
    /// What the first bytes say.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1F, 0x8B, ..] => Some(Self::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstd),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ => None,
        }
    }
}

/// Bounds what comes out of archives.
#[derive(Clone)]
pub(crate) struct Cap {
    /// Bytes of the outermost input: of the file, or so far.
    packed: Rc<Cell<u64>>,
    /// Bytes out of this layer.
    unpacked: Rc<Cell<u64>>,
}

impl Cap {
    /// An input whose length is known.
    pub fn known(packed: u64) -> Self {
        Self { packed: Rc::new(Cell::new(packed)), unpacked: Rc::default() }
    }

    /// An input that is counted as it comes.
    pub fn counted() -> Self {
        Self::known(0)
    }

    /// Counts the outermost input.
    pub fn count<R: Read>(&self, reader: R) -> Counted<R> {
        Counted { reader, packed: Rc::clone(&self.packed) }
    }

    /// The cap of one archive.
    pub fn layer(&self) -> Self {
        Self { packed: Rc::clone(&self.packed), unpacked: Rc::default() }
    }

    fn add(&self, bytes: usize) -> io::Result<()> {
        let unpacked = self.unpacked.get() + bytes as u64;
        self.unpacked.set(unpacked);
        if unpacked > UNPACKED_BYTES_MAX {
            return Err(io::Error::other(Limit::TooLarge));
        }
        let most = self.packed.get().saturating_mul(UNPACK_RATIO_MAX);
        if unpacked > UNPACKED_FREE_BYTES && unpacked > most {
            return Err(io::Error::other(Limit::Bomb));
        }
        Ok(())
    }
}

/// The outermost input.
pub(crate) struct Counted<R> {
    reader: R,
    packed: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.packed.set(self.packed.get() + read as u64);
        Ok(read)
    }
}

/// Why unpacking was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Bomb,
    TooLarge,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bomb => write!(f, "the archive expands more than {UNPACK_RATIO_MAX} times: unpacking was stopped"),
            Self::TooLarge => {
                write!(f, "the archive expands to more than {UNPACKED_BYTES_MAX} bytes: unpacking was stopped")
            }
        }
    }
}

impl std::error::Error for Limit {}

/// What an error while reading means.
pub(crate) fn diagnose(error: &io::Error, in_archive: bool) -> Diagnostic {
    let limit = error.get_ref().and_then(|inner| inner.downcast_ref::<Limit>());
    let message = error.to_string().to_lowercase();
    match limit {
        Some(Limit::Bomb) => Diagnostic::error("archive.bomb", message),
        Some(Limit::TooLarge) => Diagnostic::error("archive.too_large", message),
        None if in_archive && error.kind() == io::ErrorKind::UnexpectedEof => {
            Diagnostic::error("archive.truncated", "the archive ends too early: what came before was read")
        }
        None if in_archive => Diagnostic::error("archive.damaged", message),
        None => Diagnostic::error("input.unreadable", message),
    }
}

/// A reader whose bytes are counted against a cap. Once it has failed it fails the same way again, as not every decompressor does:
/// whoever looks at the first bytes may leave the error to who reads on.
struct Capped<R> {
    reader: R,
    cap: Cap,
    failed: Option<Failure>,
}

/// An error that can be given again.
struct Failure {
    kind: io::ErrorKind,
    limit: Option<Limit>,
    message: String,
}

impl Failure {
    fn error(&self) -> io::Error {
        match self.limit {
            Some(limit) => io::Error::other(limit),
            None => io::Error::new(self.kind, self.message.clone()),
        }
    }
}

impl<R: Read> Capped<R> {
    fn new(reader: R, cap: Cap) -> Self {
        Self { reader, cap, failed: None }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = &self.failed {
            return Err(failure.error());
        }
        let outcome = self.reader.read(buffer).and_then(|read| self.cap.add(read).map(|()| read));
        if let Err(error) = &outcome
            && error.kind() != io::ErrorKind::Interrupted
        {
            let limit = error.get_ref().and_then(|inner| inner.downcast_ref::<Limit>()).copied();
            self.failed = Some(Failure { kind: error.kind(), limit, message: error.to_string() });
        }
        outcome
    }
}

/// The bytes in a gzip stream.
pub(crate) fn gzip<'a>(reader: &'a mut dyn Read, cap: Cap) -> impl Read + 'a {
    Capped::new(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, reader)), cap)
}

/// The bytes in a Zstandard stream.
pub(crate) fn zstd<'a>(reader: &'a mut dyn Read, cap: Cap) -> impl Read + 'a {
    let reader = BufReader::with_capacity(64 * 1024, reader);
    Capped::new(Frames { state: Frame::Between(reader) }, cap)
}

/// Zstandard frames, one after the other.
struct Frames<R: Read> {
    state: Frame<R>,
}

enum Frame<R: Read> {
    Between(BufReader<R>),
    Inside(Box<StreamingDecoder<BufReader<R>, ruzstd::decoding::FrameDecoder>>),
    Over,
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, Frame::Over) {
                Frame::Over => return Ok(0),
                Frame::Between(mut reader) => {
                    if reader.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    self.state = next_frame(reader)?;
                }
                Frame::Inside(mut decoder) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 || buffer.is_empty() {
                        self.state = Frame::Inside(decoder);
                        return Ok(read);
                    }
                    let (reader, decoder) = decoder.into_parts();
                    let stored = decoder.get_checksum_from_data();
                    if stored.is_some() && stored != decoder.get_calculated_checksum() {
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "the checksum of a frame does not match",
                        ));
                    }
                    self.state = Frame::Between(reader);
                }
            }
        }
    }
}

/// Enters the next frame; one that is to be skipped (RFC 8878, 3.1.2) is skipped.
fn next_frame<R: Read>(mut reader: BufReader<R>) -> io::Result<Frame<R>> {
    let mut head = [0; 8];
    let magic = reader.fill_buf()?;
    if matches!(magic, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..]) {
        reader.read_exact(&mut head)?;
        let [.., a, b, c, d] = head;
        let len = u64::from(u32::from_le_bytes([a, b, c, d]));
        let skipped = io::copy(&mut reader.by_ref().take(len), &mut io::sink())?;
        if skipped < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok(Frame::Between(reader));
    }
    let decoder = StreamingDecoder::new_with_max_window_size(reader, ZSTD_WINDOW_BYTES_MAX);
    decoder
        .map(|decoder| Frame::Inside(Box::new(decoder)))
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

/// A member of a zip archive.
pub(crate) struct Member<'a> {
    pub name: String,
    pub trouble: Vec<Diagnostic>,
    /// Nothing, if it cannot be read.
    pub reader: Option<&'a mut dyn Read>,
}

/// Calls for every file in a zip archive.
pub(crate) fn zip(
    mut reader: impl Read + Seek,
    cap: Cap,
    each: &mut dyn FnMut(Member<'_>) -> ControlFlow<()>,
) -> Result<(), Diagnostic> {
    let mut archive = match ZipArchive::new(&mut reader) {
        Ok(archive) => archive,
        Err(error) => {
            let list = Diagnostic::error(
                "archive.damaged",
                format!("the list of members cannot be read: {error}").to_lowercase(),
            );
            reader.rewind().map_err(|error| diagnose(&error, true))?;
            return members_in_order(&mut reader, &cap, each).and(Err(list));
        }
    };
    for index in 0..archive.len() {
        let name = archive.name_for_index(index).and_then(Result::ok).map(Cow::into_owned).unwrap_or_default();
        let flow = match archive.by_index(index) {
            Ok(file) if file.is_dir() => continue,
            Ok(file) => member(file, &cap, each),
            Err(error) => {
                let message = error.to_string().to_lowercase();
                let code = if message.contains("password") { "archive.encrypted" } else { "archive.unsupported" };
                each(Member { name: shown(&name), trouble: vec![Diagnostic::error(code, message)], reader: None })
            }
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads the members of an archive without its list.
fn members_in_order(
    reader: &mut impl Read,
    cap: &Cap,
    each: &mut dyn FnMut(Member<'_>) -> ControlFlow<()>,
) -> Result<(), Diagnostic> {
    // The list, or damage, ends the members.
    while let Ok(Some(file)) = zip::read::read_zipfile_from_stream(reader) {
        if !file.is_dir() && member(file, cap, each).is_break() {
            break;
        }
    }
    Ok(())
}

fn member<R: Read + ?Sized>(
    file: ZipFile<'_, R>,
    cap: &Cap,
    each: &mut dyn FnMut(Member<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let name = String::from_utf8_lossy(file.name_raw()).into_owned();
    let mut trouble = Vec::new();
    if leads_away(&name) {
        let message = "the member's name leads out of the archive: it is only a name here";
        trouble.push(Diagnostic::warning("archive.member_name", message));
    }
    let mut reader = Capped::new(file, cap.clone());
    each(Member { name: shown(&name), trouble, reader: Some(&mut reader) })
}

/// Whether a name would leave the place where an archive is unpacked.
fn leads_away(name: &str) -> bool {
    name.starts_with(['/', '\\']) || name.get(1..2) == Some(":") || name.split(['/', '\\']).any(|part| part == "..")
}

/// A name without control characters.
fn shown(name: &str) -> String {
    name.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte more, where `out` bytes are out of an input of `packed` bytes.
    fn check(packed: u64, out: u64, expected: Option<Limit>) {
        let cap = Cap::known(packed);
        cap.unpacked.set(out - 1);
        let limit = cap.add(1).err().and_then(|error| error.get_ref()?.downcast_ref::<Limit>().copied());
        assert_eq!(limit, expected, "{out} bytes out of {packed}");
    }

    #[test]
    fn what_comes_out_is_limited() {
        for (over, expected) in [(0, None), (1, None), (2, Some(Limit::TooLarge))] {
            check(UNPACKED_BYTES_MAX, UNPACKED_BYTES_MAX - 1 + over, expected);
        }
        let most = 1_000_000 * UNPACK_RATIO_MAX;
        for (over, expected) in [(0, None), (1, None), (2, Some(Limit::Bomb))] {
            check(1_000_000, most - 1 + over, expected);
            check(1, UNPACKED_FREE_BYTES - 1 + over, expected);
        }
    }
}
