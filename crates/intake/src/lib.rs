//! Files, directories, archives and standard input to batches of records.
//!
//! - Directories are walked in order of name ([`walk`]).
//! - `.gz`, `.zst` and `.zip` are recognised by their first bytes, also inside each other, and unpacked under caps ([`unpack`]). Nothing
//!   is ever written to disk.
//! - What is no log at all (packet captures, programs, images, other archives) is named and left out ([`foreign`]).
//! - What comes out is cut into records by [`watchfloor_decode::Framer`] and handed over in batches of about the wanted size; from standard input
//!   and pipes whatever one read gave, so that a stream flows ([`stream`]).
//!
//! Nothing stops at a bad input: what cannot be read is said with a code, and the next one follows.

mod foreign;
mod stream;
mod unpack;
mod walk;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use watchfloor_decode::Batch;
use watchfloor_model::Diagnostic;

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file or a directory.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// A diagnostic and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What was found.
    pub diagnostic: Diagnostic,
    /// The input's name, `archive.zip!member` inside archives.
    pub input: Arc<str>,
    /// Byte in the input.
    pub offset: Option<u64>,
}

/// Takes a batch and the name of the input it is from; breaks to stop reading.
pub type Sink<'a> = &'a mut dyn FnMut(Arc<str>, Batch) -> ControlFlow<()>;

/// Reads all inputs, one after the other. The elements of the top-level lists named by `wrappers` are records of their own. Batches have
/// about `batch_bytes` bytes of records.
pub fn read_inputs(
    inputs: &[Input],
    wrappers: Arc<[String]>,
    batch_bytes: usize,
    sink: Sink<'_>,
    trouble: &mut dyn FnMut(Placed),
) {
    let mut session = stream::Session { wrappers, batch_bytes, sink, trouble };
    for input in inputs {
        let flow = match input {
            Input::Path(path) => walk::path(path, &mut session),
            Input::Stdin => session.unseekable("-", std::io::stdin().lock()),
        };
        if flow.is_break() {
            return;
        }
    }
}
