//! `watchfloor audit append`: leaves from standard input, for scripts and to try a ledger with.

use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;

use watchfloor_ledger::{Draft, LEAF_BYTES_MAX, read_draft};

use super::{due, help, open};
use crate::Ended;

/// Leaves that are made durable together.
const LEAVES_AT_ONCE: usize = 4_096;
/// Most bytes of a line: a leaf, in a form with more space.
const LINE_BYTES_MAX: u64 = 4 * LEAF_BYTES_MAX as u64;

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let mut folder = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return help(),
            Value(value) if folder.is_none() => folder = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let folder = due(folder, "`watchfloor audit append` takes the folder of a ledger")?;
    let ledger = open(&folder, &[])?;
    let mut input = std::io::stdin().lock();
    let (mut number, mut refused, mut drafts, mut line) = (0_u64, 0_u64, Vec::<Draft>::new(), Vec::new());
    let first = ledger.size();
    loop {
        line.clear();
        let read = (&mut input).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        number += 1;
        let is_cut = read as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n");
        if is_cut {
            refused += 1;
            crate::terminal::complain(&format!("line {number}: more than {LINE_BYTES_MAX} bytes (leaf.too_large)"));
            skip_line(&mut input)?;
        } else if !line.trim_ascii().is_empty() {
            match read_draft(&line) {
                Ok(draft) => drafts.push(draft),
                Err(error) => {
                    refused += 1;
                    crate::terminal::complain(&format!("line {number}: {error} ({})", error.code()));
                }
            }
        }
        if drafts.len() >= LEAVES_AT_ONCE || read == 0 {
            ledger.append_all(&drafts).map_err(|error| anyhow::anyhow!("{error} ({})", error.code()))?;
            drafts.clear();
        }
        if read == 0 {
            break;
        }
    }
    let size = ledger.size();
    crate::terminal::print(&format!(
        "{} leaves appended, {refused} lines refused; the ledger has {size}\n",
        size - first
    ))?;
    Ok(if refused > 0 { Ended::Findings } else { Ended::Fine })
}

fn skip_line(input: &mut impl std::io::BufRead) -> std::io::Result<()> {
    loop {
        let bytes = input.fill_buf()?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (used, is_end) = end.map_or((bytes.len(), bytes.is_empty()), |end| (end + 1, true));
        input.consume(used);
        if is_end {
            return Ok(());
        }
    }
}
