//! The framer's promises: any bytes in any chunking give the same records, nothing panics, and every kind of input is cut as it should be.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use proptest::prelude::*;
use watchfloor_decode::{Batch, Format, Framer, Scratch, Shape, candidates, decode};
use watchfloor_model::Document;

fn wrappers() -> Arc<[String]> {
    Arc::from(["Records".to_owned(), "value".to_owned(), "logEvents".to_owned()])
}

/// Everything there is to know of the records of an input.
fn records(input: &[u8], chunks: &mut dyn FnMut() -> usize) -> Vec<String> {
    let mut framer = Framer::new(wrappers());
    let mut batch = Batch::default();
    let mut rest = input;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(chunks().clamp(1, rest.len()));
        framer.feed(chunk, &mut batch);
        rest = behind;
    }
    framer.finish(&mut batch);
    let mut shown = Vec::new();
    for framed in &batch.records {
        let raw = String::from_utf8_lossy(batch.raw(framed));
        let context = framed.context.as_ref().map(|context| format!("{context:?}"));
        let codes: Vec<_> = framed.trouble.iter().map(|trouble| trouble.code).collect();
        shown.push(format!(
            "{:?} {:?} {raw:?} {} {} {} {codes:?} {context:?} {:?}",
            framed.shape, framed.lossy, framed.offset, framed.line, framed.original_len, framed.original_sha256
        ));
    }
    shown
}

fn decode_all(input: &[u8]) {
    let mut framer = Framer::new(wrappers());
    let mut batch = Batch::default();
    framer.feed(input, &mut batch);
    framer.finish(&mut batch);
    let (mut doc, mut notes, mut scratch) = (Document::new(), Vec::new(), Scratch::default());
    for framed in &batch.records {
        let raw = String::from_utf8_lossy(batch.raw(framed));
        let list = candidates(framed, &raw);
        assert_eq!(list.last(), Some(&Format::Text));
        for format in Format::ALL {
            let good = decode(format, framed, &raw, &mut doc, &mut notes, &mut scratch);
            assert_eq!(good, !doc.nodes().is_empty(), "{format:?} of {raw:?}");
            assert_eq!(doc.nodes().first().map_or(0, |node| node.end as usize), doc.nodes().len());
        }
    }
}

/// Pieces of which inputs are made: whole, broken, and glue.
const PIECES: &[&str] = &[
    "{\"a\":1}",
    "{\"a\":{\"b\":[1,2,{\"c\":\"x\"}]}}",
    "{\n  \"a\": 1,\n  \"b\": [\n 1\n ]\n}",
    "{\"cut\":\"abc",
    "{\"cut\":{\"x\":1,",
    "{\"cut\":",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "\\",
    "\n",
    "\n",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\0",
    "\u{1e}",
    "\u{1d}",
    "[{\"x\":1},{\"y\":2}]",
    "[\n{\"x\":1},\n{\"y\":2}\n]",
    "{\"Records\":[{\"e\":1},{\"e\":2}],\"n\":1}",
    "{\"owner\":\"o\",\"logEvents\":[{\"e\":1}]}",
    "{\"Records\":[]}",
    "{\"value\":[1,2]}",
    "{\"value\": [ {",
    "{\"resourceLogs\":[{\"resource\":{\"r\":1},\"scopeLogs\":[{\"scope\":{\"s\":1},\"logRecords\":[{\"l\":1},{\"l\":2}]}]}]}",
    "<34>1 2003-10-11T22:14:15.003Z h su - ID [a b=\"c\\]\"] m",
    "<13>Oct 11 22:14:15 h app[1]: text",
    "Oct  1 22:14:15 h app: {\"j\":1}",
    "12 <13>Oct 11\nx",
    "15 <13>a: b\nline 2",
    "<166>%ASA-6-302013: Built",
    "<189>29: r: *Mar  1 18:46:11.123 UTC: %SYS-5-X: c",
    "<",
    ">",
    "<Event>",
    "</Event>",
    "<Events>",
    "</Events>",
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "<Event xmlns=\"x\"><System><EventID>1</EventID></System><EventData><Data Name=\"a\">b</Data><Data>c&amp;d</Data></EventData></Event>",
    "<!-- c -->",
    "<ns:Event>x</ns:Event>",
    "type=SYSCALL msg=audit(1.000:1): a=1 exe=\"/x\"",
    "type=PATH msg=audit(1.000:1): name=2F61",
    "type=EXECVE msg=audit(1.000:2): argc=2 a0=\"a\" a1[0]=41 a1[1]=42",
    "type=EOE msg=audit(1.000:1): ",
    "node=n type=PROCTITLE msg=audit(9.000:3): proctitle=6100",
    "type=USER_AUTH msg=audit(1.0:4): msg='op=x acct=\"r\"'",
    "audit(",
    "saddr=0200",
    "a=1 b=\"x y\" c='z'",
    "CEF:0|a|b|c|d|e|f|x=1 y=a\\=b",
    "LEEF:2.0|a|b|c|d|^|x=1^y=2",
    "a,b,c\n1,2,3",
    "x,y,z\n\"1\n2\",3,4",
    "#Fields: a b c\n1 2 3",
    "#separator \\x09\n#fields\ta\tb\n#types\ttime\tset[int]\n1.5\t1,2",
    "version account-id interface-id srcaddr\n2 1 eni 1.2.3.4",
    "__CURSOR=x\nA=b\n\n",
    "__CURSOR=x\nBIN\n\u{3}\0\0\0\0\0\0\0a\nb\nC=d\n\n",
    "__REALTIME_TIMESTAMP=1",
    "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}",
    "\u{feff}",
    "é€😀",
    "1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200",
    "NaN",
    "1e999",
    "123456789012345678901234567890",
    "\\ud800",
    "plain text of some words and more words",
    "@cee: {\"a\":1}",
    "%",
    "=",
    "|",
    "'",
    "ElfFile\0",
    "ElfChnk\0",
];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_gives_the_same_records(input in input(), sizes in proptest::collection::vec(1_usize..40, 1..8)) {
        let whole = records(&input, &mut || usize::MAX);
        let mut next = sizes.iter().cycle();
        let pieces = records(&input, &mut || *next.next().unwrap());
        prop_assert_eq!(&whole, &pieces);
        let single = records(&input, &mut || 1);
        prop_assert_eq!(&whole, &single);
    }

    #[test]
    fn any_record_decodes_or_does_not(input in input()) {
        decode_all(&input);
    }

    #[test]
    fn any_bytes_do_not_panic(input in proptest::collection::vec(any::<u8>(), 0..600)) {
        decode_all(&input);
        let whole = records(&input, &mut || usize::MAX);
        prop_assert_eq!(whole, records(&input, &mut || 7));
    }

    #[test]
    fn utf16_is_the_same_text(input in "[ -~\n]{8,200}", big in any::<bool>()) {
        let mut bytes = if big { vec![0xFE, 0xFF] } else { vec![0xFF, 0xFE] };
        for unit in input.encode_utf16() {
            bytes.extend(if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
        }
        prop_assert_eq!(records(&bytes, &mut || usize::MAX), records(&bytes, &mut || 3));
    }
}

/// Shape and text of every record.
fn cut(input: &[u8]) -> Vec<(Shape, String)> {
    let mut framer = Framer::new(wrappers());
    let mut batch = Batch::default();
    framer.feed(input, &mut batch);
    framer.finish(&mut batch);
    batch.records.iter().map(|framed| (framed.shape, String::from_utf8_lossy(batch.raw(framed)).into_owned())).collect()
}

#[test]
fn inputs_are_cut_into_records() {
    use Shape::{Auditd, Json, Line, Row, Xml};
    type Case = (&'static str, &'static str, &'static [(Shape, &'static str)]);
    let cases: &[Case] = &[
        ("nothing", "", &[]),
        ("blank lines", "\n \r\n\t\n\n", &[]),
        ("lines", "a\nb\r\nc", &[(Line, "a"), (Line, "b"), (Line, "c")]),
        ("indentation stays", "Error: x\n   at y\n", &[(Line, "Error: x"), (Line, "   at y")]),
        ("zeros between", "a\n\0\0\0b\n", &[(Line, "a"), (Line, "b")]),
        ("byte order mark", "\u{feff}{\"a\":1}", &[(Json, "{\"a\":1}")]),
        (
            "mixed",
            "{\"a\":1}\nOct 11 22:14:15 h a: b\n{\"c\":2}\n",
            &[(Json, "{\"a\":1}"), (Line, "Oct 11 22:14:15 h a: b"), (Json, "{\"c\":2}")],
        ),
        (
            "concatenated",
            "{\"a\":1}{\"b\":\"}{\"} {\"c\":3}",
            &[(Json, "{\"a\":1}"), (Json, "{\"b\":\"}{\"}"), (Json, "{\"c\":3}")],
        ),
        ("record separators", "\u{1e}{\"a\":1}\n\u{1e}{\"b\":2}\n", &[(Json, "{\"a\":1}"), (Json, "{\"b\":2}")]),
        (
            "pretty",
            "{\n  \"a\": {\n    \"b\": \"}\"\n  }\n}\n{\n \"c\": 1\n}",
            &[(Json, "{\n  \"a\": {\n    \"b\": \"}\"\n  }\n}"), (Json, "{\n \"c\": 1\n}")],
        ),
        (
            "cut line, then good ones",
            "{\"a\":1,\"b\":\"x\n{\"c\":2}\n{\"d\":3}\n",
            &[(Line, "{\"a\":1,\"b\":\"x"), (Json, "{\"c\":2}"), (Json, "{\"d\":3}")],
        ),
        (
            "cut in an object",
            "{\"a\":1,\"b\":{\"x\":1\n{\"c\":2}\n",
            &[(Line, "{\"a\":1,\"b\":{\"x\":1"), (Json, "{\"c\":2}")],
        ),
        ("cut behind a comma", "{\"a\":1,\n{\"c\":2}\n", &[(Line, "{\"a\":1,"), (Json, "{\"c\":2}")]),
        ("cut behind a colon", "{\"a\":\n{\"c\":2}\n", &[(Line, "{\"a\":"), (Json, "{\"c\":2}")]),
        (
            "cut in a list",
            "{\"a\":[1,\n{\"c\":2}\n{\"d\":2}\n",
            &[(Line, "{\"a\":[1,"), (Json, "{\"c\":2}"), (Json, "{\"d\":2}")],
        ),
        (
            "pretty and cut",
            "{\n  \"a\": 1,\n  \"b\n{\"c\":2}\n",
            &[(Json, "{\n  \"a\": 1,\n  \"b"), (Json, "{\"c\":2}")],
        ),
        ("ends in an object", "{\"a\":1}\n{\"b\":", &[(Json, "{\"a\":1}"), (Line, "{\"b\":")]),
        ("text behind an object", "{\"a\":1} and\n{\"b\":2}\n", &[(Line, "{\"a\":1} and"), (Json, "{\"b\":2}")]),
        ("braces that are no JSON", "{x} y\n{ 'a': 1 }\n", &[(Line, "{x} y"), (Line, "{ 'a': 1 }")]),
        ("list", "[{\"a\":1},{\"b\":[{\"c\":1},{}]}]", &[(Json, "{\"a\":1}"), (Json, "{\"b\":[{\"c\":1},{}]}")]),
        ("list by line", "[\n{\"a\":1},\n{\"b\":2}\n]\nx\n", &[(Json, "{\"a\":1}"), (Json, "{\"b\":2}"), (Line, "x")]),
        (
            "pretty list",
            "[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": 2\n  }\n]\n",
            &[(Json, "{\n    \"a\": 1\n  }"), (Json, "{\n    \"b\": 2\n  }")],
        ),
        (
            "damaged element",
            "[\n{\"a\":1},\n{\"b\":\"x\n{\"c\":3}\n]\n",
            &[(Json, "{\"a\":1}"), (Line, "{\"b\":\"x"), (Json, "{\"c\":3}")],
        ),
        ("bracket that is text", "[Wed Oct 11] x\n", &[(Line, "[Wed Oct 11] x")]),
        (
            "wrapper",
            "{\"Records\":[{\"a\":1},{\"b\":2}],\"next\":[1]}\n{\"c\":3}",
            &[(Json, "{\"a\":1}"), (Json, "{\"b\":2}"), (Json, "{\"c\":3}")],
        ),
        (
            "wrapper in a list",
            "[{\"Records\":[{\"a\":1}]},{\"value\":[{\"b\":2}]}]",
            &[(Json, "{\"a\":1}"), (Json, "{\"b\":2}")],
        ),
        ("empty wrapper is a record", "{\"Records\":[]}\n", &[(Json, "{\"Records\":[]}")]),
        (
            "wrapper's key deeper down",
            "{\"x\":{\"Records\":[{\"a\":1}]}}\n",
            &[(Json, "{\"x\":{\"Records\":[{\"a\":1}]}}")],
        ),
        ("wrapper of no objects", "{\"value\":[1,2]}\n", &[(Json, "{\"value\":[1,2]}")]),
        (
            "counted syslog",
            "9 <13>a: b\n10 <13>c: d\ne\nf\n",
            &[(Line, "<13>a: b"), (Line, "<13>c: d\ne"), (Line, "f")],
        ),
        ("counted, but by line", "99 <13>a: b\n", &[(Line, "99 <13>a: b")]),
        (
            "audit",
            "type=A msg=audit(1.0:1): x=1\ntype=USER_AUTH msg=audit(1.0:2): y\nz\ntype=B msg=audit(1.0:1): x=2\ntype=EOE msg=audit(1.0:1): \n",
            &[
                (Auditd, "type=USER_AUTH msg=audit(1.0:2): y"),
                (Line, "z"),
                (Auditd, "type=A msg=audit(1.0:1): x=1\ntype=B msg=audit(1.0:1): x=2\ntype=EOE msg=audit(1.0:1): "),
            ],
        ),
        (
            "xml",
            "<?xml version=\"1.0\"?>\n<Events>\n<Event>\n<a/>\n</Event><Event>b</Event>\n</Events>\nx",
            &[(Xml, "<Event>\n<a/>\n</Event>"), (Xml, "<Event>b</Event>"), (Line, "x")],
        ),
        (
            "xml with a prefix",
            "<e:Events xmlns:e='x'><e:Event>1</e:Event></e:Events>",
            &[(Xml, "<e:Event>1</e:Event>")],
        ),
        (
            "unclosed xml",
            "<Event><EventID>1</EventID><Event>2</Event>\n",
            &[(Xml, "<Event><EventID>1</EventID>"), (Xml, "<Event>2</Event>")],
        ),
        ("unclosed xml before JSON", "<Event>\n<a>\n{\"b\":1}\n", &[(Xml, "<Event>\n<a>"), (Json, "{\"b\":1}")]),
        ("csv with names", "id,name,when\n1,a,2\n2,\"b\nc\",3\n", &[(Row, "1,a,2"), (Row, "2,\"b\nc\",3")]),
        ("csv with semicolons", "id;name;when\n1;a;2\n", &[(Row, "1;a;2")]),
        ("csv without names", "1,2,3\n4,5,6\n", &[(Line, "1,2,3"), (Line, "4,5,6")]),
        ("first line alone", "id,name,when\n", &[(Line, "id,name,when")]),
        ("first line is prose", "Well, hello, you\nnext line\n", &[(Line, "Well, hello, you"), (Line, "next line")]),
        ("flow log", "version account-id interface-id srcaddr\n2 123 eni-1 1.2.3.4\n", &[(Row, "2 123 eni-1 1.2.3.4")]),
        ("w3c", "#Version: 1.0\n#Fields: a b\n1 2\n#Fields: c d e\n3 4 5\n", &[(Row, "1 2"), (Row, "3 4 5")]),
        ("comment", "# hello\nx\n", &[(Line, "# hello"), (Line, "x")]),
        (
            "journal",
            "__CURSOR=s\nMESSAGE=hi\nA=1\nA=2\n\n__CURSOR=t\nM=x\n",
            &[
                (Json, "{\"A\":[\"1\",\"2\"],\"MESSAGE\":\"hi\",\"__CURSOR\":\"s\"}"),
                (Json, "{\"M\":\"x\",\"__CURSOR\":\"t\"}"),
            ],
        ),
        (
            "binary journal field",
            "__CURSOR=s\nMESSAGE\n\u{5}\0\0\0\0\0\0\0a\n\n\"b\nP=1\n\n",
            &[(Json, "{\"MESSAGE\":\"a\\n\\n\\\"b\",\"P\":\"1\",\"__CURSOR\":\"s\"}")],
        ),
    ];
    for (name, input, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(shape, text)| (*shape, (*text).to_owned())).collect();
        assert_eq!(cut(input.as_bytes()), expected, "{name}");
    }
}

#[test]
fn what_stands_behind_a_wrapped_list_is_said() {
    for (input, records, expected) in [
        ("{\"Records\":[{\"a\":1},{\"a\":2}]}\n", 2, vec![]),
        ("{\"Records\":[{\"a\":1},{\"a\":2}], \"next\": \"t1\"}\n", 2, vec![(28, "\"next\": \"t1\"")]),
        ("{\"Records\":[{\"a\":1}\n,{\"a\":2}]\n, \"n\": 2\n}\n", 2, vec![(29, "\"n\": 2")]),
        // Once for an input.
        ("{\"Records\":[{\"a\":1}],\"n\":1}\n{\"Records\":[{\"a\":2}],\"n\":2}\n", 2, vec![(20, "\"n\":1")]),
    ] {
        for size in [1, 7, 1000] {
            let (mut framer, mut batch) = (Framer::new(wrappers()), Batch::default());
            input.as_bytes().chunks(size).for_each(|chunk| framer.feed(chunk, &mut batch));
            framer.finish(&mut batch);
            assert_eq!(batch.records.len(), records, "{input}");
            let told: Vec<_> =
                batch.told.iter().map(|(told, at)| (*at, told.message.split("): ").nth(1).unwrap())).collect();
            assert_eq!(told.len(), expected.len(), "{input}");
            for ((at, shown), (place, text)) in told.iter().zip(&expected) {
                assert!(at == place && text.ends_with(shown), "{input}: {told:?}");
            }
        }
    }
}
