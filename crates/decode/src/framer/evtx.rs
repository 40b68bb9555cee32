//! Windows event log files.
//!
//! A file is a header of 4096 bytes (`ElfFile\0`; its size stands at byte 40, its flags at byte 120: 1 dirty, 2 full) and chunks of 65536 bytes
//! (`ElfChnk\0`), each of which can be read by itself. A chunk is a header of 512 bytes and records in binary XML; it is rendered to JSON
//! text as `evtx_dump` does, attributes under `#attributes`.
//!
//! Whatever is damaged costs itself: a chunk that cannot be read is a record with `evtx.chunk`, a record that cannot be read one with
//! `evtx.record`. A checksum that does not match is a warning on the chunk's first record, as files copied from a running machine have
//! such chunks. A cut chunk is read as far as it goes. Chunks of zeros are unused.

use std::borrow::Cow;
use std::sync::Arc;

use ::evtx::{EvtxChunkData, ParserSettings};
use sha2::{Digest, Sha256};
use watchfloor_model::Diagnostic;

use crate::frame::{Batch, Framed, Shape};

pub(super) const FILE_MAGIC: &[u8] = b"ElfFile\0";
pub(super) const CHUNK_MAGIC: &[u8] = b"ElfChnk\0";
const FILE_HEADER_BYTES: usize = 4096;
const CHUNK_BYTES: usize = 65536;
const CHUNK_HEADER_BYTES: usize = 512;
/// Where the header of a chunk has its tables of strings and templates.
const CHUNK_TABLES: std::ops::Range<usize> = 128..CHUNK_HEADER_BYTES;
/// Bytes of the header of a record before its binary XML, and of the copy of its size behind it.
const RECORD_EXTRA_BYTES: u64 = 28;
/// Bytes of a damaged chunk that are shown.
const SHOWN_BYTES: usize = 256;

/// The chunks of a file.
#[derive(Default)]
pub(super) struct Chunks {
    raw: Vec<u8>,
    offset: u64,
    begun: bool,
    pending: Vec<Diagnostic>,
    settings: Option<Arc<ParserSettings>>,
}

impl Chunks {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8], end: bool, out: &mut Batch) {
        self.raw.extend_from_slice(bytes);
        if !self.begun {
            if self.raw.len() < FILE_HEADER_BYTES && !end {
                return;
            }
            self.file_header(out);
        }
        let mut at = 0;
        while let Some(chunk) = self.raw.get(at..at + CHUNK_BYTES) {
            let chunk = chunk.to_vec();
            self.chunk(chunk, CHUNK_BYTES, self.offset + at as u64, out);
            at += CHUNK_BYTES;
        }
        self.raw.drain(..at);
        self.offset += at as u64;
        if end && !self.raw.is_empty() {
            let mut chunk = std::mem::take(&mut self.raw);
            let len = chunk.len();
            let message = format!("the file ends after {len} of the {CHUNK_BYTES} bytes of its last chunk");
            self.pending.push(Diagnostic::warning("evtx.truncated", message));
            chunk.resize(CHUNK_BYTES, 0);
            self.chunk(chunk, len, self.offset, out);
        }
    }

    fn file_header(&mut self, out: &mut Batch) {
        self.begun = true;
        if !self.raw.starts_with(FILE_MAGIC) {
            return;
        }
        if self.raw.len() < FILE_HEADER_BYTES {
            let raw = std::mem::take(&mut self.raw);
            let error = Diagnostic::error("evtx.truncated", "the file ends within its header");
            self.damaged(error, &raw, raw.len(), 0, 0, out);
            return;
        }
        let word = |at: usize| self.raw.get(at..at + 4).and_then(|bytes| bytes.first_chunk::<4>()).copied();
        if word(120).is_some_and(|flags| u32::from_le_bytes(flags) & 1 != 0) {
            let message = "the log was not closed: its last records may be missing";
            self.pending.push(Diagnostic::note("evtx.dirty", message));
        }
        let size = word(40).map_or(FILE_HEADER_BYTES, |size| u32::from_le_bytes(size) as usize & 0xFFFF);
        let size = if (128..=FILE_HEADER_BYTES).contains(&size) { size } else { FILE_HEADER_BYTES };
        self.raw.drain(..size);
        self.offset = size as u64;
    }

    /// Reads one chunk, of which `len` bytes are from the file.
    fn chunk(&mut self, data: Vec<u8>, len: usize, offset: u64, out: &mut Batch) {
        if data.iter().take(CHUNK_HEADER_BYTES).all(|byte| *byte == 0) {
            return;
        }
        let settings = Arc::clone(self.settings.get_or_insert_with(|| Arc::new(ParserSettings::new().indent(false))));
        let mut parsed = match EvtxChunkData::new(data.clone(), false) {
            Ok(parsed) => parsed,
            Err(error) => return self.damaged(unreadable(&error), &data, len, offset, 0, out),
        };
        if len == CHUNK_BYTES && !parsed.validate_checksum() {
            self.pending.push(Diagnostic::warning(
                "evtx.chunk",
                format!("the checksum of the chunk at byte {offset} does not match"),
            ));
        }
        let mut untabled;
        let chunk = match parsed.parse(Arc::clone(&settings)) {
            Ok(chunk) => Ok(chunk),
            // The tables are only a shorter way to what the records say themselves.
            Err(error) => {
                untabled = EvtxChunkData::new(without_tables(&data), false);
                match &mut untabled {
                    Ok(bare) => bare.parse(settings).inspect(|_| self.pending.push(tables_unreadable(&error))),
                    Err(_) => Err(error),
                }
            }
        };
        let mut chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => return self.damaged(unreadable(&error), &data, len, offset, 0, out),
        };
        let mut read = CHUNK_HEADER_BYTES;
        for record in chunk.iter() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    // Where it ends is not known: the rest of the chunk is shown and hashed.
                    let error = Diagnostic::error("evtx.record", sentence(&error));
                    let rest = data.get(read..len).unwrap_or_default();
                    self.damaged(error, rest, rest.len(), offset + read as u64, 0, out);
                    continue;
                }
            };
            let start = record.binxml_offset.saturating_sub(RECORD_EXTRA_BYTES - 4);
            let (number, size) = (record.event_record_id, u64::from(record.binxml_size) + RECORD_EXTRA_BYTES);
            read = start.saturating_add(size) as usize;
            match record.into_json_bytes() {
                Ok(json) => match String::from_utf8_lossy(&json.data) {
                    Cow::Borrowed(json) => self.emit(json.as_bytes(), Shape::Evtx, offset + start, number, size, out),
                    // Binary XML that is damaged within a text can come out as something that is none.
                    Cow::Owned(json) => {
                        let message = "the record's text is damaged: what is no text was replaced";
                        self.pending.push(Diagnostic::warning("evtx.record", message));
                        self.emit(json.as_bytes(), Shape::Evtx, offset + start, number, size, out);
                        if let Some(record) = out.records.last_mut() {
                            record.lossy = true;
                        }
                    }
                },
                Err(error) => {
                    let error = Diagnostic::error("evtx.record", sentence(&error));
                    let raw = data.get(start as usize..).unwrap_or_default();
                    let raw = raw.get(..raw.len().min(size as usize)).unwrap_or_default();
                    self.damaged(error, raw, raw.len(), offset + start, number, out);
                }
            }
        }
    }

    fn emit(&mut self, bytes: &[u8], shape: Shape, offset: u64, number: u64, size: u64, out: &mut Batch) {
        let start = out.bytes.len() as u32;
        out.bytes.extend_from_slice(bytes);
        out.records.push(Framed {
            start,
            len: bytes.len() as u32,
            offset,
            line: number,
            shape,
            context: None,
            trouble: std::mem::take(&mut self.pending),
            lossy: shape == Shape::Binary,
            original_sha256: None,
            original_len: size,
        });
    }

    /// Hands over what cannot be read: its beginning, and its hash.
    fn damaged(&mut self, error: Diagnostic, data: &[u8], len: usize, offset: u64, number: u64, out: &mut Batch) {
        self.pending.push(error);
        let data = data.get(..len.min(data.len())).unwrap_or_default();
        let shown = String::from_utf8_lossy(data.get(..data.len().min(SHOWN_BYTES)).unwrap_or_default());
        self.emit(shown.as_bytes(), Shape::Binary, offset, number, len as u64, out);
        if !data.is_empty()
            && let Some(record) = out.records.last_mut()
        {
            record.original_sha256 = Some(Sha256::digest(data).into());
        }
    }
}

/// A chunk whose header names no strings and no templates.
fn without_tables(chunk: &[u8]) -> Vec<u8> {
    let mut bare = chunk.to_vec();
    if let Some(tables) = bare.get_mut(CHUNK_TABLES) {
        tables.fill(0);
    }
    bare
}

fn tables_unreadable(error: &dyn std::error::Error) -> Diagnostic {
    let problem = sentence(error);
    Diagnostic::warning("evtx.chunk", format!("the chunk is read without the tables of its header: {problem}"))
}

fn unreadable(error: &dyn std::error::Error) -> Diagnostic {
    Diagnostic::error("evtx.chunk", sentence(error))
}

/// An error and its causes, in lower case.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text.truncate(text.floor_char_boundary(400));
    text.to_ascii_lowercase()
}
