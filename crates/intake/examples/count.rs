//! Counts what is in inputs: records by shape and best format, diagnostics by code: `cargo run --release --example count PATH… | -`.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a look at inputs, with a clock")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use watchfloor_decode::{Scratch, candidates, decode};
use watchfloor_intake::{Input, read_inputs};
use watchfloor_model::Document;

fn main() {
    let inputs: Vec<Input> = std::env::args()
        .skip(1)
        .map(|name| if name == "-" { Input::Stdin } else { Input::Path(name.into()) })
        .collect();
    let (mut doc, mut scratch) = (Document::new(), Scratch::default());
    let mut shapes: BTreeMap<String, u64> = BTreeMap::new();
    let mut codes: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let (mut records, mut bytes) = (0_u64, 0_u64);
    let mut placed_codes = Vec::new();
    let start = Instant::now();
    read_inputs(
        &inputs,
        Arc::from(["Records".to_owned(), "value".to_owned(), "logEvents".to_owned()]),
        1 << 18,
        &mut |name, batch| {
            for framed in &batch.records {
                let raw = String::from_utf8_lossy(batch.raw(framed));
                let mut notes = framed.trouble.clone();
                let list = candidates(framed, &raw);
                let best =
                    list.iter().find(|format| decode(**format, framed, &raw, &mut doc, &mut notes, &mut scratch));
                *shapes.entry(format!("{:?} {:?}", framed.shape, best)).or_default() += 1;
                for note in notes {
                    let first = || (0, format!("{name}:{} {}", framed.line, note.message));
                    codes.entry(note.code.to_owned()).or_insert_with(first).0 += 1;
                }
                records += 1;
                bytes += raw.len() as u64;
            }
            ControlFlow::Continue(())
        },
        &mut |placed| placed_codes.push(placed),
    );
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{records} records, {bytes} bytes, {:.0} records/s, {:.0} MB/s",
        records as f64 / seconds,
        bytes as f64 / seconds / 1e6
    );
    println!("{shapes:#?}");
    println!("{codes:#?}");
    for placed in placed_codes.iter().take(20) {
        println!("{} {} {}", placed.input, placed.diagnostic.code, placed.diagnostic.message);
    }
}
