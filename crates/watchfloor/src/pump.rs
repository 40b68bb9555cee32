//! Inputs through worker threads, in order: one thread reads, some work, this one takes what they made.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use watchfloor_decode::Batch;
use watchfloor_intake::{Input, Placed, read_inputs};

/// Bytes of records in one batch.
const BATCH_BYTES: usize = 256 * 1024;
/// Batches that wait for each worker.
const QUEUE: usize = 2;

/// What comes out.
pub enum Done<T> {
    /// Something about an input.
    Trouble(Placed),
    /// What a worker made of a batch; in the order of the batches.
    Piece(T),
    /// Nothing more is waiting at the moment.
    Idle,
}

/// One batch on its way.
struct Task {
    number: u64,
    input: Arc<str>,
    batch: Batch,
}

enum Sent<T> {
    Trouble(Placed),
    Piece(u64, T),
}

/// Reads inputs, makes a worker for each thread, and gives what comes out to `take` until that fails.
pub fn pump<T: Send, W: FnMut(&Arc<str>, &Batch) -> T>(
    inputs: &[Input],
    wrappers: Arc<[String]>,
    jobs: usize,
    worker: impl Fn() -> W + Sync,
    take: impl FnMut(Done<T>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (to_workers, tasks) = bounded::<Task>(jobs * QUEUE);
    let (to_taker, done) = bounded::<Sent<T>>(jobs * QUEUE);
    std::thread::scope(|scope| {
        let for_reader = to_taker.clone();
        let reader = scope.spawn(move || read(inputs, wrappers, to_workers, for_reader));
        for _ in 0..jobs {
            let (tasks, to_taker, worker) = (tasks.clone(), to_taker.clone(), &worker);
            scope.spawn(move || work(worker(), &tasks, &to_taker));
        }
        // Only the workers' ends stay open: taking ends when they do.
        drop((tasks, to_taker));
        let ended = in_order(&done, take);
        // A reader waiting for a full queue sees the closed channel and stops.
        drop(done);
        let _ = reader.join();
        ended
    })
}

#[expect(clippy::needless_pass_by_value, reason = "dropping its ends tells the others that the reader is done")]
fn read<T>(inputs: &[Input], wrappers: Arc<[String]>, to_workers: Sender<Task>, to_taker: Sender<Sent<T>>) {
    let mut number = 0;
    let mut sink = |input: Arc<str>, batch: Batch| {
        let task = Task { number, input, batch };
        number += 1;
        if to_workers.send(task).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let mut trouble = |placed: Placed| {
        // The taker being gone means that the run is over.
        let _ = to_taker.send(Sent::Trouble(placed));
    };
    read_inputs(inputs, wrappers, BATCH_BYTES, &mut sink, &mut trouble);
}

fn work<T, W: FnMut(&Arc<str>, &Batch) -> T>(mut worker: W, tasks: &Receiver<Task>, to_taker: &Sender<Sent<T>>) {
    for task in tasks {
        let piece = worker(&task.input, &task.batch);
        if to_taker.send(Sent::Piece(task.number, piece)).is_err() {
            return;
        }
    }
}

fn in_order<T>(done: &Receiver<Sent<T>>, mut take: impl FnMut(Done<T>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for sent in done {
        match sent {
            Sent::Trouble(placed) => take(Done::Trouble(placed))?,
            Sent::Piece(number, piece) => {
                waiting.insert(number, piece);
            }
        }
        while let Some(piece) = waiting.remove(&next) {
            take(Done::Piece(piece))?;
            next += 1;
        }
        if done.is_empty() {
            take(Done::Idle)?;
        }
    }
    Ok(())
}
