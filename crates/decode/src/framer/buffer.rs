//! Bytes that are not part of a record yet, and where they stand in the input.

/// Consumed bytes that are kept before the rest is moved to the front.
const COMPACT_BYTES: usize = 256 * 1024;

/// A queue of bytes with positions.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    at: usize,
    /// Bytes of the rest that have been searched for a line end in vain.
    searched: usize,
    /// Position in the input of the first byte of the rest.
    pub offset: u64,
    /// Line of the first byte of the rest, from 1.
    pub line: u64,
    /// The text was UTF-16: every unit took two bytes of the input.
    pub utf16: bool,
}

impl Buffer {
    /// What has not been consumed.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Where new bytes go.
    pub fn tail(&mut self) -> &mut Vec<u8> {
        if self.at >= self.bytes.len() {
            self.bytes.clear();
            self.at = 0;
        } else if self.at > COMPACT_BYTES {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        &mut self.bytes
    }

    /// Bytes of the input that the first `n` bytes of the rest stood for.
    pub fn input_len(&self, n: usize) -> u64 {
        if !self.utf16 {
            return n as u64;
        }
        let text = self.rest().get(..n).unwrap_or_default();
        let units: usize = text.iter().map(|byte| usize::from(byte & 0xC0 != 0x80) + usize::from(*byte >= 0xF0)).sum();
        2 * units as u64
    }

    /// Position in the input of byte `n` of the rest, and its line.
    pub fn place(&self, n: usize) -> (u64, u64) {
        if n == 0 {
            return (self.offset, self.line);
        }
        let before = self.rest().get(..n).unwrap_or_default();
        (self.offset + self.input_len(n), self.line + memchr::memchr_iter(b'\n', before).count() as u64)
    }

    /// Drops the first `n` bytes of the rest.
    pub fn consume(&mut self, n: usize) {
        (self.offset, self.line) = self.place(n);
        self.at += n;
        // What was searched in vain stays searched, and a line end that was found stays found.
        self.searched = self.searched.saturating_sub(n);
    }

    /// Index of the first line end of the rest. Bytes are searched once, however often this is asked.
    pub fn line_end(&mut self) -> Option<usize> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = memchr::memchr(b'\n', rest.get(self.searched..).unwrap_or_default());
        match found {
            Some(found) => {
                self.searched += found;
                Some(self.searched)
            }
            None => {
                self.searched = rest.len();
                None
            }
        }
    }
}
