//! The figures of a run: what is reported, and what a later run is compared with.

use std::collections::BTreeMap;

use watchfloor_ocsf::{ClassId, Owner, Requirement, Schema};

use super::alarms::Alarm;
use super::gather::{Class, Quality, Skew, Source};
use super::observe::Kind;
use super::shape::KINDS;

/// Attributes that the engine makes of every event: they say nothing of the source.
const ENGINE_MADE: &[&str] = &["category_uid", "class_uid", "metadata", "observables", "type_uid"];
/// Late fields named for each source.
const LATE_FIELDS_SHOWN: usize = 20;
/// Records of a source from which on it makes sense to say that a field came late.
const LATE_RECORDS_MIN: u64 = 100;
/// A record's receipt is a clock only while the stream is live: receipts spread over at least this part of the events' time. A file
/// read afterwards is received all at once.
const LIVE_SPAN_MIN: f64 = 0.5;

/// What a run prints.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was measured.
    pub figures: Figures,
    /// What of it is not right.
    pub alarms: Vec<Alarm>,
}

/// What a run measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Records of all sources.
    pub records: u64,
    /// By name of the source.
    pub sources: Vec<SourceFigures>,
}

/// A code with its count and its commonest signatures.
pub type Codes = BTreeMap<String, (u64, Vec<(String, u64)>)>;

/// What was measured of a source. Counts are of records unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "docs/quality.md says what each figure is; the names are those of the JSON")]
pub struct SourceFigures {
    pub source: String,
    pub records: u64,
    pub failures: u64,
    pub failed_codes: Codes,
    pub codes: Codes,
    pub base_events: u64,
    pub fallbacks: u64,
    pub without_time: u64,
    pub clock: ClockFigures,
    pub disordered: u64,
    pub worst_disorder_ms: i64,
    pub duplicates: u64,
    pub duplicates_exact: bool,
    pub sequence: SequenceFigures,
    pub duplicate_keys: u64,
    pub oversize: u64,
    pub truncated: u64,
    pub silence: SilenceFigures,
    pub late_fields: Vec<String>,
    pub classes: Vec<ClassFigures>,
}

/// Against what a source's clock is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// No record has a time.
    #[default]
    None,
    /// The time at which the observer wrote the record.
    Observer,
    /// The receipt, of a stream that was read while it was written.
    Receipt,
    /// The receipt, of records that were read later: it only shows what lies in the future.
    Afterwards,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Observer, Self::Receipt, Self::Afterwards];

    /// The word of the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Observer => "observer",
            Self::Receipt => "receipt",
            Self::Afterwards => "afterwards",
        }
    }
}

/// The clock of a source: how much later than its time an event was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/quality.md says what each figure is; the names are those of the JSON")]
pub struct ClockFigures {
    pub basis: Basis,
    pub records: u64,
    pub p50_ms: i64,
    pub p99_ms: i64,
    pub negative: u64,
    pub whole_hours: u64,
    /// The commonest whole-hour difference.
    pub usual_hours: i64,
}

/// Counts of records that the source keeps itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/quality.md says what each figure is; the names are those of the JSON")]
pub struct SequenceFigures {
    pub series: u64,
    pub numbers: u64,
    pub missing: u64,
}

/// When a source was silent; seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/quality.md says what each figure is; the names are those of the JSON")]
pub struct SilenceFigures {
    pub moments: u64,
    /// From the first to the last event.
    pub span_s: i64,
    pub longest_s: i64,
    pub longest_from: i64,
    pub usual_s: i64,
    pub last: Option<i64>,
    /// The longest usual silence, as its mapping says; none where it says that silence means nothing, or says nothing.
    pub declared_s: Option<i64>,
    /// The mapping says that silence means nothing.
    pub means_nothing: bool,
    pub meaning: String,
}

/// What was measured of a class of a source.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "docs/quality.md says what each figure is; the names are those of the JSON")]
pub struct ClassFigures {
    pub class: String,
    pub records: u64,
    pub values: u64,
    pub unmapped: u64,
    pub members: u64,
    pub unknown_or_other: u64,
    /// Records that fill an attribute that the schema requires, or (`false`) recommends. With a dot: of an object of the event.
    pub fill: BTreeMap<String, (bool, u64)>,
    pub fields: BTreeMap<String, FieldFigures>,
    pub fields_complete: bool,
    pub hours: BTreeMap<i64, HourFigures>,
}

/// A field of a source's records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldFigures {
    /// Records that have it.
    pub records: u64,
    /// Records by kind of value.
    pub kinds: BTreeMap<String, u64>,
}

/// An hour of a class of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/quality.md says what each figure is; the names are those of the JSON")]
pub struct HourFigures {
    pub records: u64,
    pub failures: u64,
    pub base_events: u64,
    pub values: u64,
    pub unmapped: u64,
}

impl SourceFigures {
    /// Sums over the classes.
    #[must_use]
    pub fn total(&self, figure: impl Fn(&ClassFigures) -> u64) -> u64 {
        self.classes.iter().map(figure).sum()
    }

    /// Fill of the required (or recommended) attributes of the events themselves: filled and possible.
    #[must_use]
    pub fn filled(&self, required: bool) -> (u64, u64) {
        let mut sums = (0, 0);
        for class in &self.classes {
            for (_, (_, count)) in class.fill.iter().filter(|(name, fill)| fill.0 == required && !name.contains('.')) {
                sums = (sums.0 + count, sums.1 + class.records);
            }
        }
        sums
    }
}

impl Quality<'_> {
    /// The figures of everything seen.
    #[must_use]
    pub fn figures(mut self) -> Figures {
        self.settle();
        let mut sequences: BTreeMap<Kind, SequenceFigures> = BTreeMap::new();
        for numbers in self.sequences.values() {
            let owner = numbers.kinds.iter().max_by_key(|(_, records)| **records);
            let (Some((kind, _)), Some(missing)) = (owner, numbers.sequence.missing()) else { continue };
            let of_kind = sequences.entry(*kind).or_default();
            of_kind.series += 1;
            of_kind.numbers += numbers.sequence.numbers();
            of_kind.missing += missing;
        }
        let mut sources: Vec<SourceFigures> =
            self.sources.iter().map(|(kind, source)| self.source(*kind, source, sequences.remove(kind))).collect();
        sources.sort_by(|left, right| left.source.cmp(&right.source));
        Figures { records: self.records, sources }
    }

    fn source(&self, kind: Kind, source: &Source, sequence: Option<SequenceFigures>) -> SourceFigures {
        let pack = match kind {
            Kind::Pack(pack) => self.library.pack(pack),
            _ => None,
        };
        let name = match kind {
            Kind::Native => "ocsf",
            _ => pack.map_or(UNKNOWN, |pack| pack.kind.as_str()),
        };
        let gaps = source.presence.gaps();
        let declared = pack.and_then(|pack| pack.silence.as_ref());
        let silence = SilenceFigures {
            moments: gaps.moments,
            span_s: gaps.span,
            longest_s: gaps.longest,
            longest_from: gaps.longest_from,
            usual_s: gaps.usual,
            last: source.times.map(|(_, last)| last.div_euclid(1_000)),
            declared_s: declared.and_then(|silence| i64::try_from(silence.seconds?).ok()),
            means_nothing: declared.is_some_and(|silence| silence.seconds.is_none()),
            meaning: declared.map_or(String::new(), |silence| silence.meaning.clone()),
        };
        SourceFigures {
            source: name.to_owned(),
            records: source.records,
            failures: source.failures,
            failed_codes: source.failed_codes.commonest(),
            codes: source.codes.commonest(),
            base_events: source.base_events,
            fallbacks: source.fallbacks,
            without_time: source.timeless,
            clock: clock(source, gaps.span),
            disordered: source.disordered,
            worst_disorder_ms: source.worst_disorder,
            duplicates: source.duplicates,
            duplicates_exact: !source.hashes_full,
            sequence: sequence.unwrap_or_default(),
            duplicate_keys: source.duplicate_keys,
            oversize: source.oversize,
            truncated: source.truncated,
            silence,
            late_fields: late_fields(source),
            classes: source.classes.iter().map(|(id, class)| self.class(*id, class)).collect(),
        }
    }

    fn class(&self, id: ClassId, class: &Class) -> ClassFigures {
        let mut fields: BTreeMap<String, FieldFigures> = BTreeMap::new();
        for field in class.fields.values() {
            let figures = fields.entry(field.name.to_string()).or_default();
            figures.records += field.records;
            for (count, (_, word)) in field.kinds.iter().zip(KINDS).filter(|(count, _)| **count > 0) {
                *figures.kinds.entry(word.to_owned()).or_insert(0) += count;
            }
        }
        let hour = |hour: &super::gather::Hour| HourFigures {
            records: hour.records,
            failures: hour.failures,
            base_events: hour.base_events,
            values: hour.values,
            unmapped: hour.unused,
        };
        ClassFigures {
            class: self.library.schema.class_info(id).name.clone(),
            records: class.records,
            values: class.values,
            unmapped: class.unused,
            members: class.members,
            unknown_or_other: class.vague,
            fill: fill(self.library.schema, id, &class.filled),
            fields,
            fields_complete: !class.fields_full,
            hours: class.hours.iter().map(|(start, counts)| (*start, hour(counts))).collect(),
        }
    }
}

/// Name of the records that nothing recognises.
pub const UNKNOWN: &str = "unknown";

/// The figures of the clock by which most records can be measured.
fn clock(source: &Source, span_s: i64) -> ClockFigures {
    let by_observer = source.by_observer.spread.count > source.by_receipt.spread.count;
    let skew: &Skew = if by_observer { &source.by_observer } else { &source.by_receipt };
    let received_s = source.receipts.map_or(0, |(from, to)| to.saturating_sub(from)) / 1_000;
    let is_live = span_s > 0 && received_s as f64 >= span_s as f64 * LIVE_SPAN_MIN;
    let basis = match (skew.spread.count, by_observer, is_live) {
        (0, ..) => Basis::None,
        (_, true, _) => Basis::Observer,
        (_, false, true) => Basis::Receipt,
        (_, false, false) => Basis::Afterwards,
    };
    ClockFigures {
        basis,
        records: skew.spread.count,
        p50_ms: skew.spread.quantile(0.5).unwrap_or(0),
        p99_ms: skew.spread.quantile(0.99).unwrap_or(0),
        negative: skew.negative,
        whole_hours: skew.hours.values().sum(),
        usual_hours: skew.hours.iter().max_by_key(|(_, records)| **records).map_or(0, |(hours, _)| *hours),
    }
}

/// Fields that first stood in the second half of a source's records.
fn late_fields(source: &Source) -> Vec<String> {
    if source.records < LATE_RECORDS_MIN {
        return Vec::new();
    }
    let mut first: BTreeMap<&str, u64> = BTreeMap::new();
    for field in source.classes.values().flat_map(|class| class.fields.values()) {
        let known = first.entry(&field.name).or_insert(field.first);
        *known = field.first.min(*known);
    }
    let late = first.into_iter().filter(|(_, first)| *first > source.records / 2);
    late.map(|(name, _)| name.to_owned()).take(LATE_FIELDS_SHOWN).collect()
}

/// The attributes that the schema requires or recommends of a class, and those of its objects that were ever filled.
fn fill(schema: &Schema, id: ClassId, filled: &BTreeMap<String, u64>) -> BTreeMap<String, (bool, u64)> {
    let mut all = BTreeMap::new();
    for attr in schema.attrs(Owner::Class(id)) {
        let count = filled.get(&attr.name).copied().unwrap_or(0);
        let is_wanted = attr.requirement != Requirement::Optional && attr.profiles == 0;
        if is_wanted && !ENGINE_MADE.contains(&attr.name.as_str()) {
            all.insert(attr.name.clone(), (attr.requirement == Requirement::Required, count));
        }
        let Some(object) = attr.object.filter(|_| count > 0 && attr.name != "metadata") else { continue };
        for inner in
            schema.attrs(Owner::Object(object)).iter().filter(|inner| inner.requirement != Requirement::Optional)
        {
            let name = format!("{}.{}", attr.name, inner.name);
            if let Some(count) = filled.get(&name) {
                all.insert(name, (inner.requirement == Requirement::Required, *count));
            }
        }
    }
    all
}
