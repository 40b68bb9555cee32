//! Rules that are swapped while records flow, and rules that take too long.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use watchfloor_decode::{Batch, Framer};
use watchfloor_detect::{
    Budget, Detection, Engine, EventSource, Fact, Facts, Live, Reader, RuleId, RuleSet, Suspension, Suspensions,
    Taxonomy,
};
use watchfloor_model::{Document, Value};
use watchfloor_normalize::{Clock, Engine as Examiner, Library, Options, SourceFile};
use watchfloor_sigma::{Options as Language, read};

fn library() -> Library {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let file =
        |path: &str| SourceFile { text: std::fs::read_to_string(folder.join(path)).unwrap(), file: path.to_owned() };
    let (library, faults) =
        Library::compile(&[file("sources/windows.sysmon/mapping.wfm")], &[file("names/winevent.wfn")]);
    assert!(faults.is_empty(), "{faults:?}");
    library
}

/// Two rules of which one matches each record, known by their titles.
fn detection(library: &Library, number: usize) -> Arc<Detection> {
    let rule = |word: &str| {
        format!(
            "title: {word} {number}\nlogsource: {{product: windows}}\ndetection: {{s: {{CommandLine|contains: {word}}}, condition: s}}\n"
        )
    };
    // The numbers of rules change with every set.
    let texts = if number.is_multiple_of(2) { [rule("even"), rule("odd")] } else { [rule("odd"), rule("even")] };
    let documents = read(&texts.join("---\n"), &Language::default()).documents;
    let mut taxonomy = Taxonomy::default();
    assert_eq!(taxonomy.add("sources: [{kind: '*', product: windows}]"), vec![]);
    Arc::new(Detection::new(library, &documents, taxonomy, None).unwrap())
}

#[test]
fn no_record_is_lost_or_read_twice_when_rules_change() {
    const RECORDS: usize = 20_000;
    let library = library();
    let sets: Vec<Arc<Detection>> = (0..8).map(|number| detection(&library, number)).collect();
    let live = Live::new(Arc::clone(&sets[0]));
    let (done, changes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let text: String = (0..RECORDS)
        .map(|number| {
            let word = if number.is_multiple_of(2) { "even" } else { "odd" };
            format!(
                "{{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"CommandLine\":\"{word} {number}\"}}\n"
            )
        })
        .collect();
    let mut framer = Framer::new(library.wrappers.clone().into());
    let mut batch = Batch::default();
    framer.feed(text.as_bytes(), &mut batch);
    framer.finish(&mut batch);
    assert_eq!(batch.records.len(), RECORDS);
    let work = || {
        let clock = Clock { received: 1_795_000_000_000, zone: jiff::tz::TimeZone::UTC };
        let mut examiner = Examiner::new(&library, Options { clock, raw: true, source: None });
        let mut reader = Reader::new(live.current());
        for (number, framed) in batch.records.iter().enumerate() {
            if reader.follow(&live) {
                changes.fetch_add(1, Ordering::Relaxed);
            }
            let outcome = examiner.examine(framed, batch.raw(framed));
            let found = reader.read(&mut examiner, &outcome).to_vec();
            let titles: Vec<&str> = found
                .iter()
                .map(|id| reader.detection().set.rules[id.0 as usize].meta.title.split(' ').next().unwrap())
                .collect();
            assert_eq!(titles, [if number.is_multiple_of(2) { "even" } else { "odd" }], "record {number}");
        }
    };
    std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        let swapper = scope.spawn(|| {
            for set in sets.iter().cycle().skip(1) {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                live.swap(Arc::clone(set));
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        for worker in workers {
            worker.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        swapper.join().unwrap();
    });
    let changes = changes.load(Ordering::Relaxed);
    assert!(changes > 20, "the rules changed {changes} times only");
    // What is put there last is what the next record is read with.
    let mut reader = Reader::new(live.current());
    let last = detection(&library, 7);
    live.swap(Arc::clone(&last));
    assert!(reader.follow(&live));
    assert!(Arc::ptr_eq(reader.detection(), &last));
    assert!(!reader.follow(&live));
}

const SLOW: &str = r"
title: slow
logsource: {product: p}
detection: {s: {F|re: '[a-z]+!'}, condition: s}
---
title: slow with a filter
logsource: {product: p}
detection: {s: {F|re: '[a-z]+!'}, n: {F|contains: never}, condition: s and not n}
---
title: fast
logsource: {product: p}
detection: {s: {F|endswith: '!'}, condition: s}
";

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Everything that is timed takes a millisecond.
fn clock() -> Duration {
    let (calls, stall) = STALL.get();
    STALL.set((calls.saturating_sub(1), if calls == 1 { Duration::ZERO } else { stall }));
    NOW.set(NOW.get() + Duration::from_millis(1) + if calls == 1 { stall } else { Duration::ZERO });
    NOW.get()
}

thread_local! {
    /// At which call from now on time jumps, and how far.
    static STALL: Cell<(u32, Duration)> = const { Cell::new((0, Duration::ZERO)) };
}

fn slow() -> Arc<RuleSet> {
    let read = read(SLOW, &Language::default());
    assert_eq!(read.refused, 0, "{:?}", read.findings);
    Arc::new(RuleSet::compile(&read.documents, &[]).unwrap())
}

struct Bench {
    set: Arc<RuleSet>,
    doc: Document,
    facts: Facts,
}

impl Bench {
    fn run(&mut self, engine: &mut Engine, text: &str) -> Vec<String> {
        let source = engine.source(&EventSource { products: vec!["p".into()], ..EventSource::default() });
        self.doc.start("");
        let root = self.doc.open_object("").unwrap();
        let (key, span) = (self.doc.keep("F"), self.doc.keep(text));
        self.doc.push(key, Value::Text(span));
        self.doc.close(root);
        self.doc.seal();
        self.facts.clear();
        self.facts.add(self.set.field("F").unwrap(), Fact::Text(span));
        let found = engine.evaluate(source, &self.doc, &self.facts, false);
        found.iter().map(|id| self.set.rules[id.0 as usize].meta.title.clone()).collect()
    }
}

#[test]
fn a_rule_that_takes_too_long_is_suspended_until_it_is_resumed() {
    let set = slow();
    // A question and a condition take two milliseconds of a record, a condition alone takes one.
    let budget = Budget { clock, per_record: Duration::from_micros(60), reserve: Duration::from_millis(20) };
    let shared = Arc::new(Suspensions::default());
    let mut engine = Engine::with(Arc::clone(&set), Some(budget), Arc::clone(&shared));
    let mut bench = Bench { set: Arc::clone(&set), doc: Document::new(), facts: Facts::default() };
    // Long records are all timed.
    let long = |number: usize| format!("{}{number} word!", "word ".repeat(20_000));
    for number in 0..37 {
        assert_eq!(bench.run(&mut engine, &long(number)), ["slow", "slow with a filter", "fast"], "{number}");
    }
    assert!(shared.all().is_empty());
    for number in 0..3 {
        bench.run(&mut engine, &long(number));
    }
    let suspended: Vec<u32> = shared.all().keys().map(|rule| rule.0).collect();
    assert_eq!(suspended, [0, 1], "both rules ask it, and only they");
    assert_eq!(bench.run(&mut engine, &long(7)), ["fast"]);
    // Long records do not take the others away from a rule.
    assert_eq!(bench.run(&mut engine, "another!"), ["slow", "slow with a filter", "fast"]);
    for rule in [RuleId(0), RuleId(1)] {
        shared.suspend(rule, Suspension { over: Duration::ZERO, long_only: false });
    }
    assert_eq!(bench.run(&mut engine, "another!"), ["fast"]);
    // Another engine does not run them either, and the first does again when it may.
    let mut other = Engine::with(Arc::clone(&set), Some(budget), Arc::clone(&shared));
    for text in ["other!", "other!", "other!"] {
        assert_eq!(bench.run(&mut other, text), ["fast"]);
    }
    shared.resume(RuleId(0));
    assert_eq!(bench.run(&mut other, "other!"), ["slow", "fast"]);
    assert_eq!(bench.run(&mut engine, "another!"), ["slow", "fast"]);
}

#[test]
fn of_short_records_some_are_timed_for_all() {
    let set = slow();
    let mut bench = Bench { set: Arc::clone(&set), doc: Document::new(), facts: Facts::default() };
    let mut run = |per_record: u64| {
        let shared = Arc::new(Suspensions::default());
        let budget =
            Budget { clock, per_record: Duration::from_micros(per_record), reserve: Duration::from_millis(50) };
        let mut engine = Engine::with(Arc::clone(&set), Some(budget), Arc::clone(&shared));
        for number in 0..2_000 {
            bench.run(&mut engine, &format!("{number} word!"));
        }
        shared.all().len()
    };
    assert_eq!((run(1_900), run(2_100)), (2, 0));
}

#[test]
fn a_moment_of_something_else_suspends_nothing() {
    let set = slow();
    let budget = Budget { clock, per_record: Duration::from_millis(10), reserve: Duration::from_secs(1) };
    let shared = Arc::new(Suspensions::default());
    let mut engine = Engine::with(Arc::clone(&set), Some(budget), Arc::clone(&shared));
    let mut bench = Bench { set, doc: Document::new(), facts: Facts::default() };
    for number in 0..4_000 {
        // Time stands still for the rules now and then, also while they are timed.
        if number % 200 == 0 {
            STALL.set((2, Duration::from_secs(30)));
        }
        bench.run(&mut engine, &format!("{number} word!"));
    }
    assert_eq!(shared.all().len(), 0);
    // It is another matter if it happens at once again.
    for number in 0..20 {
        STALL.set((2, Duration::from_secs(30)));
        bench.run(&mut engine, &format!("{number} more!"));
    }
    assert_ne!(shared.all().len(), 0);
}

#[test]
fn rules_may_take_what_they_need_without_a_budget() {
    let set = slow();
    let mut engine = Engine::new(Arc::clone(&set));
    let mut bench = Bench { set, doc: Document::new(), facts: Facts::default() };
    for number in 0..200 {
        assert_eq!(bench.run(&mut engine, &format!("{number} word!")), ["slow", "slow with a filter", "fast"]);
    }
}
