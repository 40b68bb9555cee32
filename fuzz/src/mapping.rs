//! Mapping files of anybody.

use watchfloor_normalize::{Clock, Engine, Library, Options, SourceFile};

use super::events::{self, RECEIVED};

/// A record that many mappings find something in.
const RECORD: &[u8] = br#"{"time":"2024-01-02T03:04:05Z","user":"a","src":"192.0.2.1","port":443,"list":[{"n":1},{"n":"x"}],"raw":"k=v a=b","name":"C:\\x\\y.exe","code":5,"ok":true,"ratio":1.5,"class_uid":"3"}"#;

/// Text of a mapping; behind the first zero byte the record it is tried on.
pub fn mapping_language(data: &[u8]) {
    let (text, record) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, RECORD),
    };
    let text = String::from_utf8_lossy(text);
    let file = SourceFile { file: "fuzz/mapping.wfm".into(), text: text.clone().into_owned() };
    let names = [SourceFile { file: "fuzz/names.wfn".into(), text: text.clone().into_owned() }];
    let (library, faults) = Library::compile(std::slice::from_ref(&file), &names);
    let lines = text.lines().count().max(1) as u32;
    for fault in &faults {
        assert!((1..=lines + 1).contains(&fault.line), "line {} of {lines}: {}", fault.line, fault.shown);
        assert!(fault.shown.contains(&fault.file), "a fault does not name its file: {}", fault.shown);
        assert!(fault.shown.len() > fault.file.len() + 4, "a fault says nothing: {}", fault.shown);
    }
    if library.packs.is_empty() {
        assert!(!faults.is_empty(), "a mapping that is not there and no fault");
        return;
    }
    let clock = Clock { received: RECEIVED, zone: jiff::tz::TimeZone::UTC };
    for raw in [true, false] {
        let mut engine = Engine::new(&library, Options { clock: clock.clone(), raw, source: None });
        events::normalized(&mut engine, record, raw);
    }
    let source = library.kind(&library.packs[0].kind);
    let mut engine = Engine::new(&library, Options { clock, raw: true, source });
    events::normalized(&mut engine, record, true);
}
