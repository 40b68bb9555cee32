//! What each format yields, as tables: a record, the format that is expected to be the best that fits, and the document.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use watchfloor_decode::{Batch, Format, Framer, Scratch, candidates, decode, json_into, kv_into};
use watchfloor_model::limits::DEPTH_MAX;
use watchfloor_model::{Document, NodeId, Span, Value};

/// The document as JSON with unquoted keys.
fn write(doc: &Document, id: NodeId, out: &mut String) {
    let Some(node) = doc.node(id) else { return };
    match node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&format!("{value:?}f")),
        Value::Number(span) => out.push_str(&format!("{}n", doc.text(span))),
        Value::Text(span) => out.push_str(&format!("{:?}", doc.text(span))),
        Value::List | Value::Object => {
            let list = node.value == Value::List;
            out.push(if list { '[' } else { '{' });
            for (at, child) in doc.children(id).enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                if !list {
                    out.push_str(&format!("{}: ", doc.key(child)));
                }
                write(doc, child, out);
            }
            out.push(if list { ']' } else { '}' });
        }
    }
}

/// Every record of an input: its format, its document, and the codes of what was wrong.
fn read(input: &str) -> Vec<(Format, String, Vec<&'static str>)> {
    let mut framer = Framer::new(Arc::from(["Records".to_owned(), "logEvents".to_owned()]));
    let mut batch = Batch::default();
    framer.feed(input.as_bytes(), &mut batch);
    framer.finish(&mut batch);
    let (mut doc, mut scratch) = (Document::new(), Scratch::default());
    let mut found = Vec::new();
    for framed in &batch.records {
        let raw = std::str::from_utf8(batch.raw(framed)).unwrap();
        let mut notes = framed.trouble.clone();
        let list = candidates(framed, raw);
        let format =
            list.iter().find(|format| decode(**format, framed, raw, &mut doc, &mut notes, &mut scratch)).unwrap();
        let mut text = String::new();
        write(&doc, 0, &mut text);
        found.push((*format, text, notes.iter().map(|note| note.code).collect()));
    }
    found
}

fn check(cases: &[(&str, Format, &str)]) {
    for (input, format, expected) in cases {
        let found = read(input);
        let first = &found[0];
        assert_eq!((first.0, first.1.as_str()), (*format, *expected), "{input}");
    }
}

fn check_codes(cases: &[(&str, &[&str])]) {
    for (input, expected) in cases {
        let codes: Vec<&str> = read(input).into_iter().flat_map(|(.., codes)| codes).collect();
        assert_eq!(&codes, expected, "{input}");
    }
}

#[test]
fn json() {
    check(&[
        (r#"{"a":1,"b":"x","c":[true,null,-2],"d":{}}"#, Format::Json, r#"{a: 1, b: "x", c: [true, null, -2], d: {}}"#),
        (r#"{"a\n":"x\ty\u00e9\ud83d\ude00\/"}"#, Format::Json, "{a\n: \"x\\tyé😀/\"}"),
        (
            r#"{"i":9223372036854775807,"j":-9223372036854775808,"k":18446744073709551615}"#,
            Format::Json,
            "{i: 9223372036854775807, j: -9223372036854775808, k: 18446744073709551615n}",
        ),
        (
            r#"{"big":123456789012345678901234567890,"neg":-123456789012345678901}"#,
            Format::Json,
            "{big: 123456789012345678901234567890n, neg: -123456789012345678901n}",
        ),
        (
            r#"{"f":1.5,"t":1591367999.305988,"x":0.1000000000000000055,"e":1e3}"#,
            Format::Json,
            "{f: 1.5f, t: 1591367999.305988f, x: 0.1000000000000000055n, e: 1000.0f}",
        ),
        (
            r#"{"e\u0041":[1,2.25,18446744073709551616],"s":"1","z":[0.10000000000000000001]}"#,
            Format::Json,
            r#"{eA: [1, 2.25f, 18446744073709551616n], s: "1", z: [0.10000000000000000001n]}"#,
        ),
        (r#"{"a":1,"a":2}"#, Format::Json, "{a: 1, a: 2}"),
        (r#"[{"a":1}]"#, Format::Json, "{a: 1}"),
        ("[[1],2]", Format::Json, "[[1], 2]"),
        (r#"{"l":"\ud800 half"}"#, Format::Json, "{l: \"\u{fffd} half\"}"),
        (r#"{"huge":1e999,"x":1}"#, Format::Json, r#"{huge: "1e999", x: 1}"#),
        (
            r#"<13>Oct 11 22:14:15 h app: @cee: {"a":1}"#,
            Format::Json,
            r#"{a: 1, syslog: {facility: 1, severity: 5, timestamp: "Oct 11 22:14:15", hostname: "h", app: "app"}}"#,
        ),
        (r#"{"owner":"o","logEvents":[{"id":"1"}]}"#, Format::Json, r#"{id: "1", envelope: {owner: "o"}}"#),
        (
            r#"{"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[{"scope":{"name":"s"},"logRecords":[{"body":1}]}]}]}"#,
            Format::Json,
            r#"{body: 1, resource: {attributes: []}, scope: {name: "s"}}"#,
        ),
    ]);
    check_codes(&[
        (r#"{"a":1,"b":{"a":2}}"#, &[]),
        (r#"{"a":1,"b":2,"a":3}"#, &["json.duplicate_key"]),
        (r#"{"a":NaN}"#, &["json.syntax"]),
        (r#"{"a":-Infinity}"#, &["json.syntax"]),
        (r#"{"a":1,}"#, &["json.syntax"]),
        (r#"{"a":[1,]}"#, &["json.syntax"]),
        (r#"{"a":1} x"#, &["json.syntax"]),
        (r#"{"a":"cut"#, &["json.syntax"]),
        (r#"{"a":01}"#, &["json.syntax"]),
        (r#"{"l":"\ud800"}"#, &["json.surrogate"]),
    ]);
}

#[test]
fn json_says_where() {
    for (input, words) in [
        (r#"{"a":NaN}"#, "NaN is not JSON"),
        (r#"{"a": Infinity}"#, "Infinity is not JSON"),
        (r#"{"a":1,}"#, "byte 7"),
        (r#"{"a":{"b":1}"#, "ends within a value"),
    ] {
        let mut doc = Document::new();
        doc.start("");
        let error = json_into(&mut doc, Span::default(), input).unwrap_err();
        assert!(error.message.contains(words), "{input}: {}", error.message);
        assert!(doc.nodes().is_empty());
    }
}

#[test]
fn many_duplicates_are_found() {
    for count in [2, 50, 96, 97, 500] {
        let members: Vec<String> = (0..count).map(|at| format!("\"key{at}\":{at}")).collect();
        assert_eq!(read(&format!("{{{}}}", members.join(",")))[0].2, [""; 0], "{count} different keys");
        let twice = format!("{{{},\"key1\":0}}", members.join(","));
        assert_eq!(read(&twice)[0].2, ["json.duplicate_key"], "{count} keys and one again");
    }
}

#[test]
fn depth_and_size_are_limited() {
    // The root is one level.
    for (depth, codes) in [
        (DEPTH_MAX - 1, &[][..]),
        (DEPTH_MAX, &[]),
        (DEPTH_MAX + 1, &["record.too_deep"]),
        (100_000, &["record.too_deep"]),
    ] {
        let lists = depth - 1;
        let input = format!("{{\"a\":{}1{}}}", "[".repeat(lists), "]".repeat(lists));
        let found = read(&input);
        assert_eq!(found[0].2, codes, "depth {depth}");
    }
    let most = watchfloor_model::limits::NODES_MAX - 2;
    for (count, codes) in [(most - 1, &[][..]), (most, &[]), (most + 1, &["record.too_many_values"])] {
        let input = format!("{{\"a\":[{}1]}}", "1,".repeat(count - 1));
        assert_eq!(read(&input)[0].2, codes, "{count} values");
    }
}

#[test]
fn text_in_a_field_expands() {
    let mut doc = Document::new();
    doc.start("raw");
    doc.open_object("").unwrap();
    doc.close(0);
    doc.seal();
    let key = doc.keep("k");
    json_into(&mut doc, key, r#"{"a":[1,{"b":"c\n"}],"n":123456789012345678901}"#).unwrap();
    assert!(kv_into(&mut doc, key, "x=1 y=\"2 3\""));
    assert!(!kv_into(&mut doc, key, "nothing"));
    for (id, expected) in [(1, "{a: [1, {b: \"c\\n\"}], n: 123456789012345678901n}"), (7, "{x: \"1\", y: \"2 3\"}")] {
        let mut text = String::new();
        write(&doc, id, &mut text);
        assert_eq!(text, expected);
    }
}

#[test]
fn syslog() {
    let header = |rest: &str| format!("{{message: \"text\", syslog: {{{rest}}}}}");
    let cases: &[(&str, &str)] = &[
        (
            "Oct 11 22:14:15 web1 sshd[4711]: text",
            r#"timestamp: "Oct 11 22:14:15", hostname: "web1", app: "sshd", procid: "4711""#,
        ),
        ("Oct  1 22:14:15 web1 sudo:   text", r#"timestamp: "Oct  1 22:14:15", hostname: "web1", app: "sudo""#),
        (
            "<13>Oct 11 22:14:15 web1 app: text",
            r#"facility: 1, severity: 5, timestamp: "Oct 11 22:14:15", hostname: "web1", app: "app""#,
        ),
        (
            "<13>Oct 11 22:14:15 app[1]: text",
            r#"facility: 1, severity: 5, timestamp: "Oct 11 22:14:15", app: "app", procid: "1""#,
        ),
        (
            "Oct 11 2023 22:14:15.123 web1 app: text",
            r#"timestamp: "Oct 11 2023 22:14:15.123", hostname: "web1", app: "app""#,
        ),
        ("2023 Oct 11 22:14:15 web1 app: text", r#"timestamp: "2023 Oct 11 22:14:15", hostname: "web1", app: "app""#),
        (
            "2023-10-11T22:14:15.123456+02:00 web1 postfix/smtpd[9]: text",
            r#"timestamp: "2023-10-11T22:14:15.123456+02:00", hostname: "web1", app: "postfix/smtpd", procid: "9""#,
        ),
        ("2023-10-11T22:14:15Z web1 app: text", r#"timestamp: "2023-10-11T22:14:15Z", hostname: "web1", app: "app""#),
        (
            "\u{feff}<13>Oct 11 22:14:15 web1 app: text",
            r#"facility: 1, severity: 5, timestamp: "Oct 11 22:14:15", hostname: "web1", app: "app""#,
        ),
        (
            "36 <13>Oct 11 22:14:15 web1 app: text\n",
            r#"facility: 1, severity: 5, timestamp: "Oct 11 22:14:15", hostname: "web1", app: "app""#,
        ),
        (
            "99 <13>Oct 11 22:14:15 web1 app: text\n",
            r#"facility: 1, severity: 5, timestamp: "Oct 11 22:14:15", hostname: "web1", app: "app""#,
        ),
        ("<13>app: text", r#"facility: 1, severity: 5, app: "app""#),
        ("<13>web1 app[2]: text", r#"facility: 1, severity: 5, hostname: "web1", app: "app", procid: "2""#),
        ("<13>text", "facility: 1, severity: 5"),
        (
            "<166>Oct 11 2023 22:14:15: %ASA-6-302013: text",
            r#"facility: 20, severity: 6, timestamp: "Oct 11 2023 22:14:15", app: "%ASA-6-302013""#,
        ),
        (
            "<166>Oct 11 2023 22:14:15 fw1 : %ASA-6-302013: text",
            r#"facility: 20, severity: 6, timestamp: "Oct 11 2023 22:14:15", hostname: "fw1", app: "%ASA-6-302013""#,
        ),
        (
            "Oct 11 22:14:15 fw1 %ASA-6-302013: text",
            r#"timestamp: "Oct 11 22:14:15", hostname: "fw1", app: "%ASA-6-302013""#,
        ),
        (
            "<166>:Oct 11 22:14:15 UTC: %ASA-session-6-302013: text",
            r#"facility: 20, severity: 6, timestamp: "Oct 11 22:14:15 UTC", app: "%ASA-session-6-302013""#,
        ),
        ("<166>%ASA-6-302013: text", r#"facility: 20, severity: 6, app: "%ASA-6-302013""#),
        (
            "<189>29: rtr1: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: text",
            r#"facility: 23, severity: 5, timestamp: "Mar  1 18:46:11.123 UTC", hostname: "rtr1", app: "%SYS-5-CONFIG_I""#,
        ),
        (
            "<189>29: *Mar  1 18:46:11: %SYS-5-CONFIG_I: text",
            r#"facility: 23, severity: 5, timestamp: "Mar  1 18:46:11", app: "%SYS-5-CONFIG_I""#,
        ),
        (
            "<34>1 2003-10-11T22:14:15.003Z host su - ID47 - \u{feff}text",
            r#"facility: 4, severity: 2, timestamp: "2003-10-11T22:14:15.003Z", hostname: "host", app: "su", msgid: "ID47""#,
        ),
        (
            r#"<165>1 2003-10-11T22:14:15.003Z host app 99 ID47 [ex@1 a="1" b="x\"y\]z\\"][two c="3"] text"#,
            r#"facility: 20, severity: 5, timestamp: "2003-10-11T22:14:15.003Z", hostname: "host", app: "app", procid: "99", msgid: "ID47", sd: {ex@1: {a: "1", b: "x\"y]z\\"}, two: {c: "3"}}"#,
        ),
        ("<34>1 - - - - - - text", "facility: 4, severity: 2"),
        (
            "<134>1 1563249630.774247467 ap1 text",
            r#"facility: 16, severity: 6, timestamp: "1563249630.774247467", hostname: "ap1""#,
        ),
        ("Oct 11 22:14:15 host kernel:[12.5] text", ""),
    ];
    for (input, expected) in cases.iter().filter(|(_, expected)| !expected.is_empty()) {
        let found = read(input);
        assert_eq!((found[0].0, found[0].1.as_str()), (Format::Syslog, header(expected).as_str()), "{input}");
    }
    for input in [
        "2023-10-11 22:14:15 ERROR main: boom",
        "<999>x",
        "<13",
        "Octopus 11",
        "hello",
        "2023-10-11T22:14:15Z starting up now",
        "<b>bold</b>",
    ] {
        assert_eq!(read(input)[0].0, Format::Text, "{input}");
    }
}

#[test]
fn what_is_inside_syslog() {
    let around = r#"syslog: {facility: 1, severity: 5, timestamp: "Oct 11 22:14:15", hostname: "h"}"#;
    for (body, format, expected) in [
        (
            "CEF:0|V|P|1|2|N|5|src=1.2.3.4",
            Format::Cef,
            r#"cef: {version: "0", vendor: "V", product: "P", device_version: "1", signature: "2", name: "N", severity: "5"}, src: "1.2.3.4""#,
        ),
        (
            "LEEF:1.0|V|P|1|2|a=b\tc=d e",
            Format::Leef,
            r#"leef: {version: "1.0", vendor: "V", product: "P", product_version: "1", event_id: "2"}, a: "b", c: "d e""#,
        ),
        ("date=2023-10-11 devname=\"f w\"", Format::Kv, r#"date: "2023-10-11", devname: "f w""#),
        (
            "1,2023/10/11 22:14:15,001,TRAFFIC,\"x,y\"",
            Format::Csv,
            r#"c1: "1", c2: "2023/10/11 22:14:15", c3: "001", c4: "TRAFFIC", c5: "x,y""#,
        ),
        ("{\"a\":1}", Format::Json, "a: 1"),
    ] {
        let found = read(&format!("<13>Oct 11 22:14:15 h {body}"));
        assert_eq!((found[0].0, found[0].1.as_str()), (format, format!("{{{expected}, {around}}}").as_str()), "{body}");
    }
}

#[test]
fn cef_and_leef() {
    check(&[
        (
            r"CEF:0|Sec\|ur|P\\x|1.0|100|bad \| thing|10|src=10.0.0.1 msg=two words\=x\nline act= request=http://a/?x=1&y=2 cs1Label=L cs1=a b",
            Format::Cef,
            "{cef: {version: \"0\", vendor: \"Sec|ur\", product: \"P\\\\x\", device_version: \"1.0\", signature: \"100\", name: \"bad | thing\", severity: \"10\"}, src: \"10.0.0.1\", msg: \"two words=x\\nline\", act: \"\", request: \"http://a/?x=1&y=2\", cs1Label: \"L\", cs1: \"a b\"}",
        ),
        (
            "CEF:0|a|b|c|d|e|f",
            Format::Cef,
            r#"{cef: {version: "0", vendor: "a", product: "b", device_version: "c", signature: "d", name: "e", severity: "f"}}"#,
        ),
        (
            "LEEF:2.0|a|b|c|d|x5E|u=1^v=2 3",
            Format::Leef,
            r#"{leef: {version: "2.0", vendor: "a", product: "b", product_version: "c", event_id: "d"}, u: "1", v: "2 3"}"#,
        ),
        (
            "LEEF:2.0|a|b|c|d|u=1\tv=2",
            Format::Leef,
            r#"{leef: {version: "2.0", vendor: "a", product: "b", product_version: "c", event_id: "d"}, u: "1", v: "2"}"#,
        ),
    ]);
    check_codes(&[("CEF:0|a|b|c", &["cef.header"]), ("LEEF:1.0|a|b", &["leef.header"])]);
}

#[test]
fn rows() {
    check(&[
        ("id,name,note\n1,\"a \"\"q\"\", b\",\n", Format::Csv, r#"{id: "1", name: "a \"q\", b", note: ""}"#),
        ("1,2,3,4,5", Format::Csv, r#"{c1: "1", c2: "2", c3: "3", c4: "4", c5: "5"}"#),
        (
            r#"1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "GET /\"x\" HTTP/1.0" 200 23  "-""#,
            Format::Ssv,
            r#"{c1: "1.2.3.4", c2: "-", c3: "bob", c4: "10/Oct/2000:13:55:36 -0700", c5: "GET /\"x\" HTTP/1.0", c6: "200", c7: "23", c8: "-"}"#,
        ),
        (
            "version account-id interface-id srcaddr\n2 123 eni 1.1.1.1",
            Format::Ssv,
            r#"{version: "2", account-id: "123", interface-id: "eni", srcaddr: "1.1.1.1"}"#,
        ),
        (
            "#Fields: date cs-uri-stem cs(User-Agent)\n2023-01-01 /a -",
            Format::W3c,
            r#"{date: "2023-01-01", cs-uri-stem: "/a", cs(User-Agent): "-"}"#,
        ),
        ("#Fields: date ua\n2023-01-01\ta b", Format::W3c, r#"{date: "2023-01-01", ua: "a b"}"#),
        (
            "#Fields: date-time,client,note\n2023,\"a,b\",",
            Format::W3c,
            r#"{date-time: "2023", client: "a,b", note: ""}"#,
        ),
        (
            "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tok\ttags\tn\tnone\n#types\ttime\taddr\tport\tbool\tset[string]\tvector[count]\tset[int]\n1591367999.305988\t1.2.3.4\t80\tT\ta,b\t1,2\t(empty)\n",
            Format::Zeek,
            r#"{_path: "conn", ts: 1591367999.305988f, id.orig_h: "1.2.3.4", id.orig_p: 80, ok: true, tags: ["a", "b"], n: [1, 2], none: []}"#,
        ),
    ]);
    check_codes(&[("id,name,note\n1,2,3\n1,2\n", &["row.columns"]), ("#Fields: a b\n1 2 3\n", &["row.columns"])]);
}

#[test]
fn auditd() {
    check(&[
        (
            "node=w type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e exit=-13 a0=7fff comm=\"cat\" exe=2F62696E2F6120622F63 key=(null)\u{1d}ARCH=x86_64 UID=\"root\"\ntype=CWD msg=audit(1364481363.243:24287): cwd=\"/\"",
            Format::Auditd,
            r#"{serial: 24287, timestamp: "1364481363.243", node: "w", types: ["SYSCALL"], SYSCALL: {arch: "c000003e", exit: "-13", a0: "7fff", comm: "cat", exe: "/bin/a b/c", key: "(null)", enriched: {arch: "x86_64", uid: "root"}}}"#,
        ),
        (
            "type=EXECVE msg=audit(1.0:5): argc=3 a0=\"sh\" a1_len=4 a1[0]=6120 a1[1]=\"b\" a2=\"c\"\ntype=PROCTITLE msg=audit(1.0:5): proctitle=7368006120",
            Format::Auditd,
            r#"{serial: 5, timestamp: "1.0", types: ["EXECVE", "PROCTITLE"], EXECVE: {argc: "3", a1_len: "4", a0: "sh", a1: "a b", a2: "c", argv: "sh a b c"}, PROCTITLE: {proctitle: "sh a "}}"#,
        ),
        (
            "type=PATH msg=audit(1.0:6): item=0 name=\"/a\"\ntype=PATH msg=audit(1.0:6): item=1 name=2F62\ntype=EOE msg=audit(1.0:6): ",
            Format::Auditd,
            r#"{serial: 6, timestamp: "1.0", types: ["PATH", "PATH", "EOE"], EOE: {}, PATH: [{item: "0", name: "/a"}, {item: "1", name: "/b"}]}"#,
        ),
        (
            "type=SOCKADDR msg=audit(1.0:7): saddr=0200003508080808000000000000 SADDR={ saddr_fam=inet laddr=8.8.8.8 lport=53 }",
            Format::Auditd,
            r#"{serial: 7, timestamp: "1.0", types: ["SOCKADDR"], SOCKADDR: {saddr: "0200003508080808000000000000", family: "inet", addr: "8.8.8.8", port: 53, SADDR: "saddr_fam=inet laddr=8.8.8.8 lport=53"}}"#,
        ),
        (
            "type=SOCKADDR msg=audit(1.0:8): saddr=01002F72756E2F78",
            Format::Auditd,
            r#"{serial: 8, timestamp: "1.0", types: ["SOCKADDR"], SOCKADDR: {saddr: "01002F72756E2F78", family: "local", path: "/run/x"}}"#,
        ),
        (
            "type=SOCKADDR msg=audit(1.0:8): saddr=0A0000500000000020010DB800000000000000000000000100000000",
            Format::Auditd,
            r#"{serial: 8, timestamp: "1.0", types: ["SOCKADDR"], SOCKADDR: {saddr: "0A0000500000000020010DB800000000000000000000000100000000", family: "inet6", addr: "2001:db8::1", port: 80}}"#,
        ),
        (
            "type=USER_CMD msg=audit(1.0:9): pid=1 uid=0 msg='cwd=\"/\" cmd=6C73202D6C exe=\"/usr/bin/sudo\" res=success'\u{1d}UID=\"root\"",
            Format::Auditd,
            r#"{serial: 9, timestamp: "1.0", types: ["USER_CMD"], USER_CMD: {pid: "1", uid: "0", cwd: "/", cmd: "ls -l", exe: "/usr/bin/sudo", res: "success", enriched: {uid: "root"}}}"#,
        ),
        (
            "Oct 11 22:14:15 h kernel: audit: type=1400 audit(1.0:10): avc:  denied  { read write } for  pid=3 comm=\"x\" permissive=0",
            Format::Auditd,
            r#"{serial: 10, timestamp: "1.0", types: ["AVC"], AVC: {seresult: "denied", seperms: "read write", pid: "3", comm: "x", permissive: "0"}, syslog: {timestamp: "Oct 11 22:14:15", hostname: "h", app: "kernel"}}"#,
        ),
    ]);
    check(&[(
        "type=SYSCALL msg=audit(1.0:11): comm=feed exe=2F64 acct=2822",
        Format::Auditd,
        r#"{serial: 11, timestamp: "1.0", types: ["SYSCALL"], SYSCALL: {comm: "feed", exe: "/d", acct: "(\""}}"#,
    )]);
    check_codes(&[("type=EXECVE msg=audit(1.0:5): argc=3 a0=\"sh\"", &["auditd.arguments"])]);
}

#[test]
fn winevent() {
    check(&[
        (
            "<Event xmlns='http://x'><System><Provider Name='P &amp; Q' Guid='{1}'/><EventID Qualifiers='16384'>4624</EventID><Level>0</Level><Keywords>0x80</Keywords><Correlation/><Security UserID='S-1'/></System><EventData><Data Name='A'>x &lt; &#65;</Data><Data Name='B'/><Data>one</Data><Data>two</Data></EventData><RenderingInfo Culture='en'><Message>hi\nthere</Message></RenderingInfo></Event>",
            Format::Winevent,
            "{Event: {#attributes: {xmlns: \"http://x\"}, System: {Provider: {#attributes: {Name: \"P & Q\", Guid: \"{1}\"}}, EventID: {#attributes: {Qualifiers: 16384}, #text: 4624}, Level: 0, Keywords: \"0x80\", Correlation: null, Security: {#attributes: {UserID: \"S-1\"}}}, EventData: {A: \"x < A\", B: null, Data: [\"one\", \"two\"]}, RenderingInfo: {#attributes: {Culture: \"en\"}, Message: \"hi\\nthere\"}}}",
        ),
        (
            "<Event><EventData><Data>only</Data></EventData></Event>",
            Format::Winevent,
            r#"{Event: {EventData: {Data: ["only"]}}}"#,
        ),
        (
            "<Event><UserData><X xmlns='y'><a>1</a><a>2</a><b><![CDATA[<c>]]></b></X></UserData></Event>",
            Format::Winevent,
            r#"{Event: {UserData: {X: {#attributes: {xmlns: "y"}, a: "1", a_1: "2", b: "<c>"}}}}"#,
        ),
        (
            "<e:Event xmlns:e='x'><e:System><e:EventID>1</e:EventID></e:System></e:Event>",
            Format::Winevent,
            r#"{Event: {#attributes: {e: "x"}, System: {EventID: 1}}}"#,
        ),
        ("<Event><a>&unknown; &amp;</a></Event>", Format::Winevent, r#"{Event: {a: "&unknown; &"}}"#),
    ]);
    check_codes(&[
        ("<!DOCTYPE x [<!ENTITY a \"b\">]>\n<Event>&a;</Event>", &["xml.dtd"]),
        ("<Event><a></b></Event>", &["xml.syntax"]),
        ("<Event><a>", &["xml.unclosed", "xml.syntax"]),
    ]);
    let deep = format!("<Event>{}{}</Event>", "<a>".repeat(5000), "</a>".repeat(5000));
    check_codes(&[(&deep, &["record.too_deep"])]);
}
