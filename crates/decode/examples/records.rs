//! Shows what the framer and the decoders make of a file: `cargo run --example records FILE`.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::expect_used, reason = "a look at a file")]

use std::sync::Arc;

use watchfloor_decode::{Batch, Framer, Scratch, candidates, decode};
use watchfloor_model::{Document, NodeId, Value};

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let bytes = std::fs::read(path).expect("readable");
    let mut framer = Framer::new(Arc::from(["Records".to_owned(), "value".to_owned(), "logEvents".to_owned()]));
    let mut batch = Batch::default();
    let (mut doc, mut scratch) = (Document::new(), Scratch::default());
    for chunk in bytes.chunks(65536) {
        framer.feed(chunk, &mut batch);
        show(&mut batch, &mut doc, &mut scratch);
    }
    framer.finish(&mut batch);
    show(&mut batch, &mut doc, &mut scratch);
}

fn show(batch: &mut Batch, doc: &mut Document, scratch: &mut Scratch) {
    for framed in &batch.records {
        let raw = String::from_utf8_lossy(batch.raw(framed));
        let mut notes = framed.trouble.clone();
        let list = candidates(framed, &raw);
        let format = list.iter().find(|format| decode(**format, framed, &raw, doc, &mut notes, scratch));
        let mut text = String::new();
        write(doc, 0, &mut text);
        println!("{}:{} {:?} {:?} of {:?} {text}", framed.offset, framed.line, framed.shape, format, &*list);
        for note in notes {
            println!("    {}: {} {}", note.grade.as_str(), note.code, note.message);
        }
    }
    batch.clear();
}

fn write(doc: &Document, id: NodeId, out: &mut String) {
    let Some(node) = doc.node(id) else { return };
    match node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&value.to_string()),
        Value::Number(span) => out.push_str(doc.text(span)),
        Value::Text(span) => out.push_str(&format!("{:?}", doc.text(span))),
        Value::List | Value::Object => {
            let list = node.value == Value::List;
            out.push(if list { '[' } else { '{' });
            for (at, child) in doc.children(id).enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if !list {
                    out.push_str(&format!("{}:", doc.key(child)));
                }
                write(doc, child, out);
            }
            out.push(if list { ']' } else { '}' });
        }
    }
}
