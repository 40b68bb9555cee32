//! Decoding records, format by format.

use std::cell::RefCell;

use watchfloor_decode::{Batch, Format, Framed, Framer, Scratch, decode};
use watchfloor_model::{Diagnostic, Document, NodeId, Span, Value};
use watchfloor_normalize::tape::write_node;

use super::framing::wrappers;

thread_local! {
    /// Buffers that have seen many records.
    static USED: RefCell<(Document, Scratch)> = RefCell::default();
}

/// Lines with RFC 3164 and RFC 5424 headers.
pub fn syslog(data: &[u8]) {
    const STARTS: [&str; 6] = [
        "",
        "<34>Oct 11 22:14:15 ",
        "<165>1 2003-10-11T22:14:15.003Z ",
        "Oct 11 22:14:15 host ",
        "<34>1 - - - - - ",
        "2024-01-02T03:04:05+01:00 ",
    ];
    started(data, &STARTS, &[Format::Syslog, Format::Text]);
}

/// Key=value, CEF and LEEF.
pub fn kv_cef_leef(data: &[u8]) {
    const STARTS: [&str; 7] = [
        "",
        "CEF:0|v|p|1|id|name|5|",
        "LEEF:1.0|v|p|1|id|",
        "LEEF:2.0|v|p|1|id|^|",
        "LEEF:2.0|v|p|1|id|x09|",
        "<34>Oct 11 22:14:15 h CEF:1|",
        "date=2024-01-01 time=00:00:00 devname=\"x\" ",
    ];
    started(data, &STARTS, &[Format::Kv, Format::Cef, Format::Leef]);
}

/// Rows under a header, and rows without one.
pub fn rows(data: &[u8]) {
    const STARTS: [&str; 7] = [
        "",
        "#Software: IIS\n#Fields: date time c-ip cs-uri-stem sc-status\n",
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tset\tn\n#types\ttime\tstring\taddr\tset[string]\tcount\n",
        "timestamp,user,\"a, b\",action\n",
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n",
        "#separator \\x2c\n#fields,a,b\n#types,vector[double],bool\n",
        "a\tb\tc\td\n",
    ];
    started(data, &STARTS, &[Format::Csv, Format::Ssv, Format::W3c, Format::Zeek]);
}

/// Linux audit.
pub fn auditd(data: &[u8]) {
    const STARTS: [&str; 4] = [
        "",
        "type=SYSCALL msg=audit(1700000000.123:45): ",
        "type=EXECVE msg=audit(1700000000.123:45): argc=2 ",
        "node=h type=PATH msg=audit(1700000000.123:45): item=0 name=2F746D70\ntype=PROCTITLE msg=audit(1700000000.123:45): proctitle=",
    ];
    started(data, &STARTS, &[Format::Auditd]);
}

/// Windows events as XML.
pub fn winevent_xml(data: &[u8]) {
    const STARTS: [&str; 4] = [
        "",
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><EventID>1</EventID></System><EventData>",
        "<Events><Event><System>",
        "<?xml version=\"1.0\"?><Event><UserData><a:b xmlns:a='x'>",
    ];
    started(data, &STARTS, &[Format::Winevent]);
}

/// The first byte picks what stands before the rest.
fn started(data: &[u8], starts: &[&str], formats: &[Format]) {
    let Some((kind, body)) = data.split_first() else { return };
    let start = starts[usize::from(*kind) % starts.len()];
    let input = [start.as_bytes(), body].concat();
    let mut batch = Batch::default();
    let mut framer = Framer::new(wrappers());
    framer.feed(&input, &mut batch);
    framer.finish(&mut batch);
    for framed in &batch.records {
        let raw = String::from_utf8_lossy(batch.raw(framed));
        for format in formats {
            decoded(*format, framed, &raw);
        }
    }
}

/// Decodes with new and with used buffers.
fn decoded(format: Format, framed: &Framed, raw: &str) {
    let (mut doc, mut scratch) = (Document::new(), Scratch::default());
    let new = decode_into(format, framed, raw, &mut doc, &mut scratch);
    if new.is_some() {
        well_formed(&doc);
    }
    let used = USED.with_borrow_mut(|(doc, scratch)| decode_into(format, framed, raw, doc, scratch));
    assert_eq!(new, used, "used buffers change what is decoded as {format:?}");
}

/// What the document says as JSON, and what was wrong; nothing if the record is not in the format.
fn decode_into(
    format: Format,
    framed: &Framed,
    raw: &str,
    doc: &mut Document,
    scratch: &mut Scratch,
) -> Option<(String, Vec<Diagnostic>)> {
    let mut notes = Vec::new();
    if !decode(format, framed, raw, doc, &mut notes, scratch) {
        assert!(doc.nodes().is_empty(), "a record that is not in the format leaves nothing");
        return None;
    }
    assert_eq!(doc.raw(), raw, "the record's text is kept");
    for told in &notes {
        assert!(told.code.contains('.') && !told.message.is_empty() && !told.message.contains('\n'), "{told:?}");
    }
    let mut text = String::new();
    write_node(&mut text, doc, 0);
    Some((text, notes))
}

/// Subtrees nest, spans lie in the text, and what is written is JSON that reads back.
pub fn well_formed(doc: &Document) {
    let count = doc.nodes().len() as NodeId;
    assert!(count > 0, "a decoded record has a root");
    let spanned = |span: Span| assert_eq!(doc.text(span).len(), span.len as usize, "a span outside of the text");
    let mut open: Vec<NodeId> = Vec::new();
    for (id, node) in doc.nodes().iter().enumerate() {
        let id = id as NodeId;
        assert!(node.end > id && node.end <= count, "node {id} ends at {}", node.end);
        while open.last().is_some_and(|end| *end <= id) {
            open.pop();
        }
        assert!(open.last().is_none_or(|end| node.end <= *end), "node {id} ends behind what it is in");
        spanned(node.key);
        match node.value {
            Value::Text(span) | Value::Number(span) => spanned(span),
            Value::List | Value::Object => open.push(node.end),
            _ => assert_eq!(node.end, id + 1),
        }
    }
    let mut text = String::new();
    write_node(&mut text, doc, 0);
    assert!(is_json(&text), "what is written is no JSON: {text}");
    let mut again = Document::new();
    again.start(&text);
    again.seal();
    watchfloor_decode::json_into(&mut again, Span::default(), &text).expect("what is written reads back");
    let mut second = String::new();
    write_node(&mut second, &again, 0);
    assert_eq!(text, second, "what is written reads back as something else");
}

/// Whether a text is JSON, as `serde_json` has it: of any depth, with any number.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
