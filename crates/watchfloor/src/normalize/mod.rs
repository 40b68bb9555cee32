//! `watchfloor normalize`: reads inputs, hands batches of records to worker threads, prints their output in order.

mod options;
mod output;
mod quality;
mod work;

use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;

use watchfloor_decode::Batch;
use watchfloor_normalize::Library;

use self::options::Options;
use self::output::Output;
use self::quality::Measure;
use self::work::Worker;
use crate::Ended;
use crate::arguments::{Ask, check_source};
use crate::pump::{Done, pump};

/// Tells what is wrong with an input.
pub fn tell(placed: &watchfloor_intake::Placed) {
    let mut line = String::new();
    output::write_told(&mut line, &placed.diagnostic, &placed.input, None, placed.offset, None);
    crate::terminal::say(&line);
}

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    let options = match options::parse(parser)? {
        Ask::Help => {
            crate::terminal::print(crate::help::NORMALIZE)?;
            return Ok(Ended::Fine);
        }
        Ask::Run(options) => *options,
    };
    let (library, faults) = crate::packs::library(options.packs.as_deref())?;
    for fault in &faults {
        crate::terminal::complain(&format!("this source cannot be used until its mapping is right: {fault}\n"));
    }
    if options.list_sources {
        output::list_sources(&library)?;
        return Ok(if faults.is_empty() { Ended::Fine } else { Ended::Findings });
    }
    check_source(&library, options.source.as_deref())?;
    let ended = print(&library, &options)?;
    Ok(if faults.is_empty() { ended } else { Ended::Findings })
}

fn print(library: &Library, options: &Options) -> anyhow::Result<Ended> {
    let mut output = Output::new(Measure::new(library, options)?);
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let worker = || {
        let mut worker = Worker::new(library, options);
        move |input: &Arc<str>, batch: &Batch| Box::new(worker.batch(input, batch))
    };
    pump(&options.inputs, library.wrappers.clone().into(), options.jobs, worker, |done| {
        match done {
            Done::Trouble(placed) => output.trouble(&placed)?,
            Done::Piece(piece) => {
                out.write_all(&piece.events)?;
                output.piece(*piece)?;
            }
            Done::Idle => out.flush()?,
        }
        Ok(())
    })?;
    out.flush()?;
    output.finish(&mut out)
}
