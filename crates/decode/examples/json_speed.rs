//! Speed of reading JSON lines onto the tape, beside the parser alone: `cargo run --release --example json_speed FILE`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement reads a file and a clock"
)]

use std::time::Instant;

use watchfloor_decode::{Format, Framed, Scratch, Shape, decode};
use watchfloor_model::Document;

fn main() {
    let path = std::env::args().nth(1).expect("a file of JSON lines");
    let text = std::fs::read_to_string(path).expect("readable");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('{')).collect();
    let bytes: usize = lines.iter().map(|line| line.len()).sum();
    let framed = Framed {
        start: 0,
        len: 0,
        offset: 0,
        line: 1,
        shape: Shape::Json,
        context: None,
        trouble: Vec::new(),
        lossy: false,
        original_sha256: None,
        original_len: 0,
    };
    for round in 0..3 {
        let start = Instant::now();
        let good = lines.iter().filter(|line| sonic_rs::from_slice::<sonic_rs::Value>(line.as_bytes()).is_ok()).count();
        let value = start.elapsed().as_secs_f64();
        let (mut doc, mut notes, mut scratch) = (Document::new(), Vec::new(), Scratch::default());
        let start = Instant::now();
        let mut tape_good = 0;
        let mut nodes = 0;
        for line in &lines {
            notes.clear();
            tape_good += usize::from(decode(Format::Json, &framed, line, &mut doc, &mut notes, &mut scratch));
            nodes += doc.nodes().len();
        }
        let tape = start.elapsed().as_secs_f64();
        let rate = |seconds: f64| bytes as f64 / seconds / 1e6;
        println!(
            "round {round}: {} lines, {bytes} bytes, {nodes} nodes; Value {:.0} MB/s ({good} good), tape {:.0} MB/s ({tape_good} good), tape/Value {:.2}",
            lines.len(),
            rate(value),
            rate(tape),
            value / tape
        );
    }
}
