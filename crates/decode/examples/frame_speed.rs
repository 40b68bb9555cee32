//! Speed of cutting a file into records, and of decoding them: `cargo run --release --example frame_speed FILE`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement reads a file and a clock"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use watchfloor_decode::{Batch, Framer, Scratch, candidates, decode};
use watchfloor_model::Document;

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let bytes = std::fs::read(path).expect("readable");
    for _ in 0..2 {
        let mut framer = Framer::new(Arc::from(["Records".to_owned(), "value".to_owned(), "logEvents".to_owned()]));
        let mut batch = Batch::default();
        let (mut doc, mut notes, mut scratch) = (Document::new(), Vec::new(), Scratch::default());
        let (mut framing, mut decoding, mut records) = (Duration::ZERO, Duration::ZERO, 0);
        let mut chunks = bytes.chunks(128 * 1024).peekable();
        while let Some(chunk) = chunks.next() {
            let start = Instant::now();
            framer.feed(chunk, &mut batch);
            if chunks.peek().is_none() {
                framer.finish(&mut batch);
            }
            framing += start.elapsed();
            let start = Instant::now();
            for framed in &batch.records {
                let raw = String::from_utf8_lossy(batch.raw(framed));
                notes.clear();
                let list = candidates(framed, &raw);
                list.iter().find(|format| decode(**format, framed, &raw, &mut doc, &mut notes, &mut scratch));
            }
            decoding += start.elapsed();
            records += batch.records.len();
            batch.clear();
        }
        let rate = |time: Duration| bytes.len() as f64 / time.as_secs_f64() / 1e6;
        println!("{records} records; framing {:.0} MB/s, decoding {:.0} MB/s", rate(framing), rate(decoding));
    }
}
