//! An earlier run's figures, read back from its JSON.

use std::collections::BTreeMap;
use std::fmt;

use watchfloor_model::{Document, NodeId, Span, Value};

use super::figures::{
    Basis, ClassFigures, ClockFigures, FieldFigures, Figures, SequenceFigures, SilenceFigures, SourceFigures,
};
use super::json::VERSION;

/// Why a text is no baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is not JSON; what is wrong with it.
    Json(String),
    /// It is JSON, but not what `--quality=json` prints.
    NotQuality,
    /// It is of a version that this one does not know.
    Version(i64),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(problem) => write!(f, "it is not JSON: {problem}"),
            Self::NotQuality => f.write_str("it is not what `--quality=json` prints: it has no `quality` number"),
            Self::Version(version) => {
                write!(f, "it is of version {version} of the format; this program reads version {VERSION}")
            }
        }
    }
}

impl std::error::Error for Unusable {}

/// Reads figures. What judging does not compare (codes, hours) is not read back.
///
/// # Errors
/// The text is not JSON, or not the JSON of a quality report.
pub fn read(text: &str) -> Result<Figures, Unusable> {
    let mut doc = Document::new();
    doc.start(text);
    watchfloor_decode::json_into(&mut doc, Span::default(), text)
        .map_err(|problem| Unusable::Json(problem.message.into_owned()))?;
    doc.seal();
    let root = At { doc: &doc, node: 0 };
    match root.get("quality").and_then(At::number) {
        None => return Err(Unusable::NotQuality),
        Some(VERSION) => {}
        Some(version) => return Err(Unusable::Version(version)),
    }
    let sources = root.get("sources").map_or_else(Vec::new, |list| list.children().map(source).collect());
    Ok(Figures { records: root.count("records"), sources })
}

#[derive(Clone, Copy)]
struct At<'a> {
    doc: &'a Document,
    node: NodeId,
}

impl<'a> At<'a> {
    fn get(self, key: &str) -> Option<Self> {
        Some(Self { doc: self.doc, node: self.doc.child(self.node, key)? })
    }

    fn children(self) -> impl Iterator<Item = Self> + 'a {
        self.doc.children(self.node).map(move |node| Self { doc: self.doc, node })
    }

    fn key(self) -> String {
        self.doc.key(self.node).to_owned()
    }

    fn number(self) -> Option<i64> {
        match self.doc.node(self.node)?.value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    fn int(self, key: &str) -> i64 {
        self.get(key).and_then(At::number).unwrap_or(0)
    }

    fn count(self, key: &str) -> u64 {
        u64::try_from(self.int(key)).unwrap_or(0)
    }

    fn text(self, key: &str) -> String {
        self.get(key).and_then(|at| at.doc.str(at.node)).unwrap_or_default().to_owned()
    }

    fn is(self, key: &str) -> bool {
        self.get(key).and_then(|at| at.doc.node(at.node)).is_some_and(|node| node.value == Value::Bool(true))
    }
}

fn source(at: At<'_>) -> SourceFigures {
    let (clock, sequence, silence) = (at.get("clock"), at.get("sequence"), at.get("silence"));
    SourceFigures {
        source: at.text("source"),
        records: at.count("records"),
        failures: at.count("failures"),
        base_events: at.count("base_events"),
        fallbacks: at.count("fallbacks"),
        without_time: at.count("without_time"),
        clock: clock.map(read_clock).unwrap_or_default(),
        disordered: at.count("disordered"),
        worst_disorder_ms: at.int("worst_disorder_ms"),
        duplicates: at.count("duplicates"),
        duplicates_exact: at.is("duplicates_exact"),
        sequence: sequence.map_or_else(SequenceFigures::default, |at| SequenceFigures {
            series: at.count("series"),
            numbers: at.count("numbers"),
            missing: at.count("missing"),
        }),
        duplicate_keys: at.count("duplicate_keys"),
        oversize: at.count("oversize"),
        truncated: at.count("truncated"),
        silence: silence.map(read_silence).unwrap_or_default(),
        classes: at.get("classes").map_or_else(Vec::new, |list| list.children().map(class).collect()),
        ..SourceFigures::default()
    }
}

fn read_clock(at: At<'_>) -> ClockFigures {
    let word = at.text("basis");
    ClockFigures {
        basis: Basis::ALL.into_iter().find(|basis| basis.as_str() == word).unwrap_or_default(),
        records: at.count("records"),
        p50_ms: at.int("p50_ms"),
        p99_ms: at.int("p99_ms"),
        negative: at.count("negative"),
        whole_hours: at.count("whole_hours"),
        usual_hours: at.int("usual_hours"),
    }
}

fn read_silence(at: At<'_>) -> SilenceFigures {
    SilenceFigures {
        moments: at.count("moments"),
        span_s: at.int("span_s"),
        longest_s: at.int("longest_s"),
        longest_from: at.int("longest_from"),
        usual_s: at.int("usual_s"),
        last: at.get("last").and_then(At::number),
        declared_s: at.get("declared_s").and_then(At::number),
        means_nothing: at.is("means_nothing"),
        meaning: at.text("meaning"),
    }
}

fn class(at: At<'_>) -> ClassFigures {
    let mut fill = BTreeMap::new();
    for (word, required) in [("required", true), ("recommended", false)] {
        let wanted = at.get("fill").and_then(|fill| fill.get(word));
        for attribute in wanted.into_iter().flat_map(At::children) {
            fill.insert(
                attribute.key(),
                (required, attribute.number().and_then(|count| u64::try_from(count).ok()).unwrap_or(0)),
            );
        }
    }
    let fields =
        at.get("fields").into_iter().flat_map(At::children).map(|field| (field.key(), read_field(field))).collect();
    ClassFigures {
        class: at.text("class"),
        records: at.count("records"),
        values: at.count("values"),
        unmapped: at.count("unmapped"),
        members: at.count("members"),
        unknown_or_other: at.count("unknown_or_other"),
        fill,
        fields,
        fields_complete: at.is("fields_complete"),
        hours: BTreeMap::new(),
    }
}

fn read_field(at: At<'_>) -> FieldFigures {
    let kinds = at.children().filter(|child| child.key() != "records");
    let counted = kinds.filter_map(|child| Some((child.key(), u64::try_from(child.number()?).ok()?)));
    FieldFigures { records: at.count("records"), kinds: counted.collect() }
}
