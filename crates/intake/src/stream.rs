//! From bytes to batches.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::ops::ControlFlow;
use std::sync::Arc;

use watchfloor_decode::{Batch, Framer};
use watchfloor_model::Diagnostic;
use watchfloor_model::limits::{ARCHIVE_DEPTH_MAX, ARCHIVE_MEMBERS_MAX};

use crate::foreign::{self, Foreign};
use crate::unpack::{self, Cap, Packing};
use crate::{Placed, Sink};

/// Bytes that are read at once.
const READ_BYTES: usize = 128 * 1024;
/// Largest zip archive that is not a file: it must be held in memory, as its list of members stands at its end.
const HELD_ZIP_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Where everything goes.
pub(crate) struct Session<'a> {
    pub wrappers: Arc<[String]>,
    pub batch_bytes: usize,
    pub sink: Sink<'a>,
    pub trouble: &'a mut dyn FnMut(Placed),
}

/// Where a stream of bytes comes from.
#[derive(Clone)]
struct Source {
    name: Arc<str>,
    /// Archives around it.
    depth: usize,
    /// Hand over what one read gave.
    live: bool,
    cap: Cap,
}

impl Session<'_> {
    /// Says something about an input as a whole.
    pub fn say(&mut self, name: &str, diagnostic: Diagnostic) {
        self.place(&Arc::from(name), diagnostic, None);
    }

    fn place(&mut self, input: &Arc<str>, diagnostic: Diagnostic, offset: Option<u64>) {
        (self.trouble)(Placed { diagnostic, input: Arc::clone(input), offset });
    }

    /// Reads a file of this length.
    pub fn file(&mut self, name: &str, mut file: File, len: u64) -> ControlFlow<()> {
        let source = Source { name: Arc::from(name), depth: 0, live: false, cap: Cap::known(len) };
        let head = match head_of(&mut file).and_then(|head| file.rewind().map(|()| head)) {
            Ok(head) => head,
            Err(error) => return self.failed(&source, &error, 0),
        };
        if Packing::of(&head) == Some(Packing::Zip) {
            return self.zip(BufReader::new(file), &source);
        }
        self.any(&head, &mut file, &source)
    }

    /// Reads what cannot be read twice.
    pub fn unseekable(&mut self, name: &str, reader: impl Read) -> ControlFlow<()> {
        let cap = Cap::counted();
        let mut reader = cap.count(reader);
        let source = Source { name: Arc::from(name), depth: 0, live: true, cap };
        match head_of(&mut reader) {
            Ok(head) if head.is_empty() => {
                self.say(name, Diagnostic::note("input.empty", "there is nothing to read"));
                ControlFlow::Continue(())
            }
            Ok(head) => self.any(&head, &mut Cursor::new(head.clone()).chain(reader), &source),
            Err(error) => self.failed(&source, &error, 0),
        }
    }

    /// Reads a stream that begins with `head`, unpacking what is packed.
    fn any(&mut self, head: &[u8], reader: &mut dyn Read, source: &Source) -> ControlFlow<()> {
        if let Some(foreign) = Foreign::of(head) {
            let message = format!("this is {}, not a log: {}", foreign.name, foreign.advice);
            self.place(&source.name, Diagnostic::error("input.not_a_log", message), Some(0));
            return ControlFlow::Continue(());
        }
        let Some(packing) = Packing::of(head) else { return self.records(reader, source) };
        if source.depth >= ARCHIVE_DEPTH_MAX {
            let message = format!("archives in archives deeper than {ARCHIVE_DEPTH_MAX} are left out");
            self.place(&source.name, Diagnostic::error("archive.nested", message), None);
            return ControlFlow::Continue(());
        }
        match packing {
            Packing::Gzip => self.unpacked(&mut unpack::gzip(reader, source.cap.layer()), source),
            Packing::Zstd => self.unpacked(&mut unpack::zstd(reader, source.cap.layer()), source),
            Packing::Zip => self.held_zip(reader, source),
        }
    }

    /// Reads what came out of an archive.
    fn unpacked(&mut self, reader: &mut dyn Read, around: &Source) -> ControlFlow<()> {
        let source = Source { depth: around.depth + 1, ..around.clone() };
        match head_of(reader) {
            Ok(head) if head.is_empty() => {
                self.place(&source.name, Diagnostic::note("input.empty", "there is nothing in the archive"), None);
                ControlFlow::Continue(())
            }
            Ok(head) => self.any(&head, &mut Cursor::new(head.clone()).chain(reader), &source),
            Err(error) => self.failed(&source, &error, 0),
        }
    }

    fn held_zip(&mut self, reader: &mut dyn Read, source: &Source) -> ControlFlow<()> {
        let mut held = Vec::new();
        let read = reader.take(HELD_ZIP_BYTES_MAX + 1).read_to_end(&mut held);
        if let Err(error) = read {
            // What has come may still have whole members.
            self.failed(source, &error, held.len() as u64)?;
        }
        if held.len() as u64 > HELD_ZIP_BYTES_MAX {
            let message = format!("a zip archive of more than {HELD_ZIP_BYTES_MAX} bytes must be given as a file");
            self.place(&source.name, Diagnostic::error("archive.too_large", message), None);
            return ControlFlow::Continue(());
        }
        self.zip(Cursor::new(held), source)
    }

    fn zip(&mut self, reader: impl Read + Seek, around: &Source) -> ControlFlow<()> {
        let mut count = 0;
        let mut flow = ControlFlow::Continue(());
        let outcome = unpack::zip(reader, around.cap.layer(), &mut |member| {
            count += 1;
            if count > ARCHIVE_MEMBERS_MAX {
                let message = format!("only the first {ARCHIVE_MEMBERS_MAX} members are read");
                self.place(&around.name, Diagnostic::error("archive.too_many_members", message), None);
                return ControlFlow::Break(());
            }
            let name: Arc<str> = Arc::from(format!("{}!{}", around.name, member.name));
            for diagnostic in member.trouble {
                self.place(&name, diagnostic, None);
            }
            if let Some(reader) = member.reader {
                flow = self.unpacked(reader, &Source { name, ..around.clone() });
            }
            flow
        });
        match outcome {
            Err(diagnostic) => self.place(&around.name, diagnostic, None),
            Ok(()) if count == 0 => {
                self.place(&around.name, Diagnostic::note("input.empty", "there is no file in the archive"), None);
            }
            Ok(()) => {}
        }
        flow
    }

    /// Cuts a stream into records.
    fn records(&mut self, reader: &mut dyn Read, source: &Source) -> ControlFlow<()> {
        let mut framer = Framer::new(Arc::clone(&self.wrappers));
        let mut batch = Batch::default();
        let mut buffer = vec![0; READ_BYTES];
        let (mut offset, mut is_told) = (0, false);
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    is_told = true;
                    self.failed(source, &error, offset)?;
                    break;
                }
            };
            offset += read as u64;
            framer.feed(buffer.get(..read).unwrap_or_default(), &mut batch);
            self.tell(&mut batch, source);
            if batch.bytes.len() >= self.batch_bytes || (source.live && !batch.records.is_empty()) {
                is_told |= !batch.records.is_empty();
                self.hand_over(&mut batch, source)?;
            }
        }
        framer.finish(&mut batch);
        self.tell(&mut batch, source);
        if !batch.records.is_empty() {
            return self.hand_over(&mut batch, source);
        }
        if !is_told {
            // Blank lines, zeros, a header without rows: nothing is left out without a word.
            let message = format!("there is no record in its {offset} bytes");
            self.place(&source.name, Diagnostic::note("input.empty", message), None);
        }
        ControlFlow::Continue(())
    }

    /// What the framer says of the input between records.
    fn tell(&mut self, batch: &mut Batch, source: &Source) {
        for (diagnostic, offset) in batch.told.drain(..) {
            self.place(&source.name, diagnostic, Some(offset));
        }
    }

    fn hand_over(&mut self, batch: &mut Batch, source: &Source) -> ControlFlow<()> {
        let room = if source.live { 0 } else { self.batch_bytes.min(READ_BYTES * 8) };
        let next = Batch { bytes: Vec::with_capacity(room), ..Batch::default() };
        (self.sink)(Arc::clone(&source.name), std::mem::replace(batch, next))
    }

    fn failed(&mut self, source: &Source, error: &io::Error, offset: u64) -> ControlFlow<()> {
        self.place(&source.name, unpack::diagnose(error, source.depth > 0), Some(offset));
        ControlFlow::Continue(())
    }
}

/// The first bytes of a stream: enough to tell a packing, and more if they come with the same read. Nobody waits for them: a stream
/// may be slow.
fn head_of<R: Read + ?Sized>(reader: &mut R) -> io::Result<Vec<u8>> {
    let mut head = vec![0; foreign::LOOK_BYTES];
    let mut len = 0;
    while len < unpack::HEAD_BYTES {
        let Some(room) = head.get_mut(len..) else { break };
        match reader.read(room) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A few bytes that came before the error are still worth reading; the error comes again.
            Err(_) if len > 0 => break,
            Err(error) => return Err(error),
        }
    }
    head.truncate(len);
    Ok(head)
}
