//! The mapping language end to end: a mapping, records, and the events they become.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use watchfloor_decode::{Batch, Framer};
use watchfloor_model::Document;
use watchfloor_normalize::{Clock, Engine, Library, Options, SourceFile};
use watchfloor_ocsf::{Schema, validate};

const RECEIVED: i64 = 1_767_225_600_000;

fn library(mapping: &str) -> Result<Library, String> {
    let file = SourceFile { file: "test.wfm".into(), text: mapping.into() };
    let names = "names n\napplies has(wrap.data)\nformat json\nkind = wrap.kind\n* = wrap.data.*, *\n";
    let names = SourceFile { file: "n.wfn".into(), text: names.into() };
    let (library, faults) = Library::compile(&[file], &[names]);
    if faults.is_empty() {
        Ok(library)
    } else {
        Err(faults.iter().map(|f| f.shown.clone()).collect::<Vec<_>>().join("\n"))
    }
}

fn options() -> Options {
    let clock = Clock { received: RECEIVED, zone: jiff::tz::TimeZone::UTC };
    Options { clock, raw: false, source: None }
}

/// Events and diagnostics of a text; every event must validate.
fn normalize(library: &Library, text: &str) -> (Vec<serde_json::Value>, Vec<String>) {
    let mut batch = Batch::default();
    let mut framer = Framer::new(library.wrappers.clone().into());
    framer.feed(text.as_bytes(), &mut batch);
    framer.finish(&mut batch);
    let mut engine = Engine::new(library, options());
    let (mut events, mut told) = (Vec::new(), Vec::new());
    for framed in &batch.records {
        let mut out = Vec::new();
        engine.normalize(framed, batch.raw(framed), &mut out);
        let out = String::from_utf8(out).unwrap();
        let mut doc = Document::new();
        doc.start(&out);
        doc.seal();
        watchfloor_decode::json_into(&mut doc, watchfloor_model::Span::default(), &out).unwrap();
        let problems = validate(Schema::v1_8(), &doc);
        assert!(problems.is_empty(), "{problems:?}\n{out}");
        events.push(serde_json::from_str(&out).unwrap());
        told.extend(engine.diagnostics().iter().map(|d| d.code.to_owned()));
    }
    (events, told)
}

fn head(body: &str) -> String {
    format!("source t.t\nvendor \"V\"\nproduct \"P\"\nformat json\nabsent \"-\"\ndetect has(kind)\n{body}")
}

fn get<'a>(event: &'a serde_json::Value, path: &str) -> &'a serde_json::Value {
    event.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&serde_json::Value::Null)
}

#[test]
fn statements_do_what_the_language_says() {
    let door = "class authentication : Logon\nseverity_id = @Informational\ntime = at\nservice.name = \"door\"\nuser.name = who\n";
    let record = r#"{"kind":"x","at":"2025-10-11T22:14:15Z","who":"bob","n":"7","list":[{"k":"a","v":1},{"k":"b","v":2}],"s":"k1=v1;k2=v2","url":"https://u@example.com:8443/p?q=1","ip":"192.0.2.1:80","j":"{\"in\":{\"x\":5}}","text":"Failed password for root from 192.0.2.9 port 22 ssh2","e":"-"}"#;
    for (body, path, expected) in [
        ("", "type_uid", "300201"),
        ("", "activity_name", "\"Logon\""),
        ("", "time", "1760220855000"),
        ("", "metadata.original_time", "\"2025-10-11T22:14:15Z\""),
        ("", "metadata.product.name", "\"P\""),
        ("", "unmapped.n", "\"7\""),
        ("", "unmapped.e", "null"),
        ("status_id = n { 7 => @Failure; else => @Success }", "status", "\"Failure\""),
        ("status_id = n", "status", "\"7\""),
        ("status_id = n", "status_id", "99"),
        ("user.uid = e | \"none\"", "user.uid", "\"none\""),
        ("user.uid = who unless \"bob\"", "user.uid", "null"),
        ("user.uid = who if n = 7", "user.uid", "\"bob\""),
        ("user.uid = \"{who}/{n}\"", "user.uid", "\"bob/7\""),
        ("src_endpoint.ip = ip_of(ip)\nsrc_endpoint.port = port_of(ip)", "src_endpoint.port", "80"),
        ("each list -> user.groups { name = .k; uid = .v }", "user.groups.1.name", "\"b\""),
        ("each list -> user.groups { name = .k; uid = .v }", "user.groups.1.uid", "\"2\""),
        ("each list -> user.groups { name = .k }", "unmapped.list.0.v", "1"),
        ("each pairs(s, \";\", \"=\") -> user.groups { name = .key; uid = .value }", "user.groups.1.uid", "\"v2\""),
        ("each split(s, \";\") -> user.groups { name = . }", "user.groups.0.name", "\"k1=v1\""),
        ("add user.groups { name = who }\nadd user.groups { name = e }", "user.groups", "[{\"name\":\"bob\"}]"),
        ("metadata.labels[] = list[*].k", "metadata.labels", "[\"a\",\"b\"]"),
        ("metadata.labels[] = \"x\"\nmetadata.labels[] = \"y\"", "metadata.labels", "[\"x\",\"y\"]"),
        ("expand j as json\nuser.uid = j.in.x", "user.uid", "\"5\""),
        ("user.uid = url_host(url)", "user.uid", "\"example.com\""),
        (
            "match text { \"Failed password for {u} from {a:ip} port {p:int} {x}\" { user.name = %u; src_endpoint.ip = %a; src_endpoint.port = %p } }",
            "user.name",
            "\"root\"",
        ),
        (
            "match text { \"Failed password for {u} from {a:ip} port {p:int} {x}\" { user.name = %u } }",
            "unmapped.p",
            "\"22\"",
        ),
        ("when n > 6 and has(list) { status_id = @Failure } else { status_id = @Success }", "status_id", "2"),
        ("switch who { \"alice\" { status_id = @Success } \"b*\" { status_id = @Failure } }", "status_id", "2"),
        ("let g = list[1].k\nuser.uid = $g", "user.uid", "\"b\""),
        ("user.uid = lookup(list, \"k\", \"b\", \"v\")", "user.uid", "\"2\""),
        ("user.uid = item(split(s, \";\"), -1)", "user.uid", "\"k2=v2\""),
        ("user.uid = join(list[*].k, \"+\")", "user.uid", "\"a+b\""),
        ("user.uid = regex(text, \"port (\\d+)\")", "user.uid", "\"22\""),
        ("user.uid = upper(who)", "user.uid", "\"BOB\""),
        ("count = count(list)", "count", "2"),
        ("duration = mul(n, 1000)", "duration", "7000"),
        ("src_endpoint.ip = who", "unmapped.who", "null"),
        ("device.hostname = \"h\"", "device.type_id", "0"),
        ("device.hostname = \"h\"", "device.type", "\"Unknown\""),
        ("device.hostname = \"h\"", "metadata.profiles", "[\"host\"]"),
    ] {
        let library = library(&head(&format!("{door}{body}"))).unwrap();
        let (events, _) = normalize(&library, record);
        assert_eq!(get(&events[0], path).to_string(), expected, "{body}: {path}\n{}", events[0]);
    }
}

#[test]
fn names_bring_shapes_together() {
    let mapping =
        head("names n\nclass authentication : Logon\nseverity_id = @Low\nservice.name = kind\nuser.name = who\n");
    let library = library(&mapping).unwrap();
    for record in [r#"{"kind":"a","who":"bob"}"#, r#"{"wrap":{"kind":"a","data":{"who":"bob"}}}"#] {
        let (events, _) = normalize(&library, record);
        assert_eq!(
            (get(&events[0], "user.name"), get(&events[0], "service.name")),
            (&"bob".into(), &"a".into()),
            "{}",
            events[0]
        );
    }
}

#[test]
fn what_is_incomplete_is_said_and_kept() {
    for (body, record, class, codes) in [
        (
            "class authentication : Logon\nservice.name = kind\n",
            r#"{"kind":"a"}"#,
            0,
            "time.missing ocsf.incomplete_class",
        ),
        (
            "class authentication : Logon\nservice.name = kind\nuser.name = who\ntime = t",
            r#"{"kind":"a","who":"b","t":"soon"}"#,
            3002,
            "time.unreadable",
        ),
        (
            "class authentication : Logon\nservice.name = kind\nuser.name = who\ntime = t",
            r#"{"kind":"a","who":"b","t":1}"#,
            3002,
            "time.absurd",
        ),
        (
            "class authentication : Logon\nservice.name = kind\nuser.name = who\nsrc_endpoint.ip = t",
            r#"{"kind":"a","who":"b","t":"x"}"#,
            3002,
            "map.type time.missing",
        ),
        ("unclassified \"it says nothing\"", r#"{"kind":"a"}"#, 0, "time.missing map.unclassified"),
        ("class base_event", r#"{"other":"a"}"#, 0, "source.unknown time.missing"),
        (
            "class authentication : Logon\nservice.name = kind\nuser.name = who\nuser.program.name = \"x\"\nsession.issuer = w",
            r#"{"kind":"a","who":"b","kind":"c"}"#,
            3002,
            "json.duplicate_key time.missing",
        ),
    ] {
        let body = body.replace("user.program.name = \"x\"\n", "");
        let library = library(&head(&body)).unwrap();
        let (events, told) = normalize(&library, record);
        assert_eq!(
            (get(&events[0], "class_uid").as_i64(), told.join(" ").as_str()),
            (Some(class), codes),
            "{body}\n{}",
            events[0]
        );
    }
}

#[test]
fn mistakes_are_shown_with_their_line() {
    for (body, expected) in [
        ("user.name = x", "object base_event has no attribute"),
        ("class authentication : Login", "`activity_id` has no member `@Login`; it has"),
        ("class authentification", "there is no class `authentification`; there is `authentication`"),
        ("class authentication\nstatus_id = @Great", "`status_id` has no member `@Great`"),
        ("class authentication\nuser = x", "`user` is an object (user): set its attributes"),
        ("class authentication\nuser.name = wrong(x)", "there is no function `wrong`"),
        ("class authentication\nuser.name = lower(x, y)", "`lower` takes 1 arguments, not 2"),
        ("class authentication\nuser.name = %x", "no pattern before this captures `%x`"),
        ("class authentication\nuser.name = \"{x\"", "a brace in a string"),
        ("class authentication\neach x -> user { name = . }", "fill an array of objects"),
        ("when x { class authentication }", "expected a comparison"),
        ("class authentication\nuser.name =", "expected a value"),
        ("names nope", "there is no names file `nope`"),
    ] {
        let shown = library(&head(body)).map(|_| ()).unwrap_err();
        let found = shown.contains(expected)
            || (expected.starts_with("object base_event") && shown.contains("class base_event has no attribute"));
        assert!(found, "{body}\n{shown}");
        assert!(shown.contains("--> test.wfm:"), "{shown}");
    }
}

#[test]
fn where_a_list_is_does_not_reach_the_next_record() {
    let body = "class dns_activity : Query\nseverity_id = @Informational\ntime = at\nquery.hostname = \"h\"\nsrc_endpoint.ip = \"192.0.2.1\"\neach list -> answers { rdata = .; ttl = item(more, $index) }\n";
    let library = library(&head(body)).unwrap();
    let record =
        |list: &str| format!("{{\"kind\":\"x\",\"at\":\"2025-10-11T22:14:15Z\",\"list\":{list},\"more\":[7,8]}}\n");
    let (events, _) = normalize(&library, &[record("[\"a\",\"b\"]"), record("\"c\"")].concat());
    assert_eq!(get(&events[0], "answers.1.ttl"), 8, "{}", events[0]);
    assert_eq!(get(&events[1], "answers.0.ttl"), 7, "{}", events[1]);
}

#[test]
fn lists_are_limited() {
    let most = watchfloor_model::limits::LIST_ELEMENTS_MAX;
    let body = "class dns_activity : Query\nseverity_id = @Informational\ntime = at\nquery.hostname = \"h\"\nsrc_endpoint.ip = \"192.0.2.1\"\neach list -> answers { rdata = . }\n";
    let library = library(&head(body)).unwrap();
    for (count, kept, rest) in [(most - 1, most - 1, 0), (most, most, 0), (most + 1, most, 1)] {
        let list: Vec<String> = (0..count).map(|at| format!("\"a{at}\"")).collect();
        let record = format!("{{\"kind\":\"x\",\"at\":\"2025-10-11T22:14:15Z\",\"list\":[{}]}}\n", list.join(","));
        let (events, told) = normalize(&library, &record);
        assert_eq!(get(&events[0], "answers").as_array().unwrap().len(), kept);
        assert_eq!(
            get(&events[0], "unmapped.list").as_array().map_or(0, Vec::len),
            rest,
            "what did not fit stays in `unmapped`"
        );
        assert_eq!(told.iter().filter(|code| *code == "map.list_too_long").count(), rest);
    }
}

#[test]
fn numbers_beyond_64_bits_stay_exact_and_out_of_integers() {
    let body = "class authentication : Logon\nseverity_id = @Informational\ntime = at\nuser.name = \"u\"\nservice.name = \"s\"\ncount = n\n";
    let library = library(&head(body)).unwrap();
    let digits = "88888888888888888888888888888888";
    for (number, count, fits) in
        [("7", "7", true), ("9223372036854775807", "9223372036854775807", true), (digits, "null", false)]
    {
        let record = format!("{{\"kind\":\"x\",\"at\":\"2025-10-11T22:14:15Z\",\"n\":{number}}}\n");
        let (events, told) = normalize(&library, &record);
        assert_eq!(get(&events[0], "count").to_string(), count);
        assert_eq!(get(&events[0], "unmapped.n").is_null(), fits, "{}", events[0]);
        assert_eq!(told.contains(&"map.type".to_owned()), !fits, "{told:?}");
    }
}

#[test]
fn what_a_mapping_calls_absent_is_kept_of_records_that_are_not_its_own() {
    let library = library(&head("class base_event : Other\nseverity_id = @Informational\n")).unwrap();
    let (events, told) = normalize(&library, "{\"other\":\"-\"}\n");
    assert_eq!(get(&events[0], "unmapped.other"), "-", "{told:?}");
}
