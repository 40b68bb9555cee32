//! `watchfloor normalize`: reads inputs, hands batches of records to worker threads, prints their output in order.

mod options;
mod output;
mod quality;
mod work;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write as _};
use std::ops::ControlFlow;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use watchfloor_decode::Batch;
use watchfloor_intake::{Placed, read_inputs};
use watchfloor_normalize::Library;

use self::options::{Ask, Options};
use self::output::Output;
use self::quality::Measure;
use self::work::{Done, Worker};
use crate::Ended;

/// Bytes of records in one batch.
const BATCH_BYTES: usize = 256 * 1024;
/// Batches that wait for each worker.
const QUEUE: usize = 2;

/// One batch on its way.
struct Task {
    number: u64,
    input: Arc<str>,
    batch: Batch,
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
    options.check_source(&library)?;
    let ended = pump(&library, &options)?;
    Ok(if faults.is_empty() { ended } else { Ended::Findings })
}

/// Reader thread, workers, and this thread printing.
fn pump(library: &Library, options: &Options) -> anyhow::Result<Ended> {
    let measure = Measure::new(library, options)?;
    let wrappers: Arc<[String]> = library.wrappers.clone().into();
    let (to_workers, tasks) = bounded::<Task>(options.jobs * QUEUE);
    let (to_printer, done) = bounded::<Done>(options.jobs * QUEUE);
    std::thread::scope(|scope| {
        let for_reader = to_printer.clone();
        let reader = scope.spawn(move || read(options, wrappers, to_workers, for_reader));
        for _ in 0..options.jobs {
            let (tasks, to_printer) = (tasks.clone(), to_printer.clone());
            scope.spawn(move || work(library, options, &tasks, &to_printer));
        }
        // Only the workers' ends stay open: printing ends when they do.
        drop((tasks, to_printer));
        let ended = print(measure, &done);
        // A reader waiting for a full queue sees the closed channel and stops.
        drop(done);
        let _ = reader.join();
        ended
    })
}

#[expect(clippy::needless_pass_by_value, reason = "dropping its ends tells the others that the reader is done")]
fn read(options: &Options, wrappers: Arc<[String]>, to_workers: Sender<Task>, to_printer: Sender<Done>) {
    let mut number = 0;
    let mut sink = |input: Arc<str>, batch: Batch| {
        let task = Task { number, input, batch };
        number += 1;
        if to_workers.send(task).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let mut trouble = |placed: Placed| {
        // The printer being gone means that the run is over.
        let _ = to_printer.send(Done::Trouble(placed));
    };
    read_inputs(&options.inputs, wrappers, BATCH_BYTES, &mut sink, &mut trouble);
}

fn work(library: &Library, options: &Options, tasks: &Receiver<Task>, to_printer: &Sender<Done>) {
    let mut worker = Worker::new(library, options);
    for task in tasks {
        let piece = worker.batch(&task.input, &task.batch);
        if to_printer.send(Done::Piece(task.number, Box::new(piece))).is_err() {
            return;
        }
    }
}

/// Prints pieces in the order of their batches.
fn print(measure: Option<Measure<'_>>, done: &Receiver<Done>) -> anyhow::Result<Ended> {
    let mut output = Output::new(measure);
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    for piece in done {
        match piece {
            Done::Trouble(placed) => output.trouble(&placed)?,
            Done::Piece(number, piece) => {
                waiting.insert(number, piece);
            }
        }
        while let Some(piece) = waiting.remove(&next) {
            out.write_all(&piece.events)?;
            output.piece(*piece)?;
            next += 1;
        }
        if done.is_empty() {
            out.flush()?;
        }
    }
    out.flush()?;
    output.finish(&mut out)
}
