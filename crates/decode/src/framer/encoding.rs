//! What the input's first bytes say of its encoding.
//!
//! | first bytes | is |
//! |---|---|
//! | `EF BB BF` | UTF-8, the mark is dropped |
//! | `FF FE`, `FE FF` | UTF-16, little or big end first |
//! | four times a character and a zero, or the other way round | UTF-16 without a mark |
//! | `ElfFile\0`, `ElfChnk\0` | EVTX |
//!
//! UTF-16 is transcoded piece by piece and noted as `text.utf16`; what is no UTF-16 becomes U+FFFD, and the record is lossy.

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};
use watchfloor_model::Diagnostic;

use super::{Framer, evtx};
use crate::frame::Batch;

/// Bytes that are looked at.
const LOOK_BYTES: usize = 8;
/// Bytes that are transcoded at once.
const PIECE_BYTES: usize = 16 * 1024;

/// How bytes become text.
pub(super) enum Encoding {
    /// Not decided: the bytes so far.
    Unknown(Vec<u8>),
    Utf8,
    Utf16(Box<Decoder>),
    Evtx(Box<evtx::Chunks>),
}

impl Default for Encoding {
    fn default() -> Self {
        Self::Unknown(Vec::new())
    }
}

impl Framer {
    /// Takes bytes in, decides on the encoding, runs on.
    pub(super) fn take(&mut self, chunk: &[u8], end: bool, out: &mut Batch) {
        if let Encoding::Unknown(head) = &mut self.encoding {
            head.extend_from_slice(chunk);
            if head.len() < LOOK_BYTES && !end {
                return;
            }
            let head = std::mem::take(head);
            let skipped = self.decide(&head);
            return self.decoded(head.get(skipped..).unwrap_or_default(), end, out);
        }
        self.decoded(chunk, end, out);
    }

    /// Sets the encoding and returns the length of the mark.
    fn decide(&mut self, head: &[u8]) -> usize {
        let (encoding, mark) = match head {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
            [0xFF, 0xFE, ..] => (utf16(UTF_16LE), 2),
            [0xFE, 0xFF, ..] => (utf16(UTF_16BE), 2),
            _ if head.starts_with(evtx::FILE_MAGIC) || head.starts_with(evtx::CHUNK_MAGIC) => {
                (Encoding::Evtx(Box::default()), 0)
            }
            [a, 0, b, 0, c, 0, d, 0, ..] if [a, b, c, d].iter().all(|byte| is_text(**byte)) => (utf16(UTF_16LE), 0),
            [0, a, 0, b, 0, c, 0, d, ..] if [a, b, c, d].iter().all(|byte| is_text(**byte)) => (utf16(UTF_16BE), 0),
            _ => (Encoding::Utf8, 0),
        };
        if matches!(encoding, Encoding::Utf16(_)) {
            self.buffer.utf16 = true;
            self.pending.push(Diagnostic::note("text.utf16", "the input is UTF-16 and was transcoded"));
        }
        self.encoding = encoding;
        self.buffer.offset = mark as u64;
        mark
    }

    fn decoded(&mut self, chunk: &[u8], end: bool, out: &mut Batch) {
        match &mut self.encoding {
            Encoding::Evtx(chunks) => chunks.feed(chunk, end, out),
            Encoding::Utf16(_) => {
                let mut rest = chunk;
                loop {
                    let (piece, behind) = rest.split_at_checked(PIECE_BYTES).unwrap_or((rest, &[]));
                    let last = behind.is_empty();
                    self.transcode(piece, last && end);
                    self.run(last && end, out);
                    if last {
                        return;
                    }
                    rest = behind;
                }
            }
            _ => {
                self.buffer.tail().extend_from_slice(chunk);
                self.run(end, out);
            }
        }
    }

    fn transcode(&mut self, piece: &[u8], last: bool) {
        let Encoding::Utf16(decoder) = &mut self.encoding else { return };
        let room = decoder.max_utf8_buffer_length(piece.len()).unwrap_or(PIECE_BYTES * 4);
        let tail = self.buffer.tail();
        let before = tail.len();
        tail.resize(before + room, 0);
        let target = tail.get_mut(before..).unwrap_or_default();
        let (_, _, written, _) = decoder.decode_to_utf8(piece, target, last);
        tail.truncate(before + written);
    }
}

fn utf16(encoding: &'static encoding_rs::Encoding) -> Encoding {
    Encoding::Utf16(Box::new(encoding.new_decoder_without_bom_handling()))
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
