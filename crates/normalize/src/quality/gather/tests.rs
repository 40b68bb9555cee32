//! Tests of the gatherer.

use super::*;
use crate::quality::observe::Numbered;
use crate::quality::shape::{Field, Values};
use watchfloor_model::Diagnostic;

fn library() -> Library {
    Library::compile(&[], &[]).0
}

fn record(number: u64) -> Observation {
    Observation {
        kind: Kind::Native,
        class: ClassId::default(),
        is_base: false,
        layout: None,
        shape: Arc::default(),
        findings: Vec::new(),
        time: Some(1_772_438_400_000),
        logged: None,
        received: 1_772_438_400_000,
        values: Values::default(),
        members: 0,
        vague: 0,
        hash: number,
        series: number,
        numbered: Some(Numbered { number: number as i64, log_named: false }),
    }
}

fn source(quality: &Quality<'_>) -> (u64, u64, bool) {
    let source = &quality.sources[&Kind::Native];
    (source.records, source.duplicates, source.hashes_full)
}

#[test]
fn hashes_are_limited_and_it_is_said() {
    let library = library();
    let mut quality = Quality::new(&library);
    quality.hashes.extend(0..HASHES_MAX as u64 - 1);
    let new = HASHES_MAX as u64;
    for (hash, expected) in
        [(new, (1, 0, false)), (new, (2, 1, true)), (new + 1, (3, 1, true)), (new + 1, (4, 1, true)), (5, (5, 2, true))]
    {
        quality.add(&record(hash));
        assert_eq!(source(&quality), expected, "{hash}");
    }
    assert_eq!(quality.hashes.len(), HASHES_MAX);
}

#[test]
fn series_fields_and_hours_are_limited() {
    let library = library();
    let mut quality = Quality::new(&library);
    for number in 0..SERIES_MAX as u64 + 1 {
        quality.add(&record(number));
    }
    assert_eq!((quality.sequences.len(), quality.latest.len()), (SERIES_MAX, SERIES_MAX));

    for (before, complete) in [(FIELDS_MAX - 2, true), (FIELDS_MAX - 1, true), (FIELDS_MAX, false)] {
        let mut quality = Quality::new(&library);
        quality.fields = before;
        let field = Field { id: 1, kinds: 1, name: "a".into() };
        quality.add(&Observation { shape: Arc::new(Shape { fields: vec![field] }), ..record(0) });
        assert_eq!(quality.figures().sources[0].classes[0].fields_complete, complete, "{before}");
    }

    for (before, hours) in [(HOURS_MAX - 1, 1), (HOURS_MAX, 0)] {
        let mut quality = Quality::new(&library);
        quality.hours = before;
        quality.add(&record(0));
        assert_eq!(quality.figures().sources[0].classes[0].hours.len(), hours, "{before}");
    }
}

#[test]
fn shapes_that_wait_are_added_up_when_there_are_many() {
    let library = library();
    let mut quality = Quality::new(&library);
    let count = SHAPES_WAITING_MAX as u64 * 2 + 1;
    for number in 0..count {
        let field = Field { id: 1, kinds: 1, name: "a".into() };
        quality.add(&Observation { shape: Arc::new(Shape { fields: vec![field] }), ..record(number) });
    }
    let figures = quality.figures();
    assert_eq!(figures.sources[0].classes[0].fields["a"].records, count);
}

#[test]
fn what_is_wrong_with_an_input_is_told_of_its_source() {
    let library = library();
    for (inputs, expected) in [
        (vec![("a.zip!x", Kind::Native)], "ocsf"),
        (vec![("a.zip", Kind::Native)], "ocsf"),
        (vec![("a.zip!x", Kind::Native), ("a.zip!y", Kind::Native)], "ocsf"),
        (vec![("a.zip!x", Kind::Native), ("a.zip!y", Kind::Pack(crate::PackId(0)))], "unknown"),
        (vec![("a.zippy", Kind::Native)], "unknown"),
        (vec![], "unknown"),
    ] {
        let mut quality = Quality::new(&library);
        quality.trouble(&Arc::from("a.zip"), &Diagnostic::error("archive.truncated", "it ends"));
        for (name, kind) in &inputs {
            quality.begin_input(&Arc::from(*name));
            quality.add(&Observation { kind: *kind, ..record(0) });
        }
        let cut: Vec<String> = quality
            .figures()
            .sources
            .into_iter()
            .filter(|source| source.truncated == 1)
            .map(|source| source.source)
            .collect();
        assert_eq!(cut, [expected], "{inputs:?}");
    }
}
