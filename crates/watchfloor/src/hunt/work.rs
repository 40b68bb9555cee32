//! What a worker thread does with a batch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use watchfloor_decode::{Batch, Framed};
use watchfloor_detect::{Detection, FieldId, Hit, Reader, RuleId};
use watchfloor_intake::Placed;
use watchfloor_model::Grade;
use watchfloor_normalize::entities::{Kind, entities};
use watchfloor_normalize::paths::PathId;
use watchfloor_normalize::{Clock, Engine, Library, Options as Wish, PackId};

use super::exceptions::Exceptions;
use super::options::Options;

/// Most values of a match that are shown.
const VALUES_MAX: usize = 12;
/// Longest value that is shown, in bytes.
const VALUE_BYTES_MAX: usize = 4_096;
/// Longest part of a record that is shown, in bytes.
const RECORD_BYTES_MAX: usize = 4_096;

/// How a source names a record: what is written, and the attribute of the event. Windows calls them Channel, EventID and EventRecordID.
pub const NAMES: [(&str, &str); 3] =
    [("log", "metadata.log_name"), ("event_id", "metadata.event_code"), ("record_id", "metadata.sequence")];

/// A rule that matched a record.
#[derive(Clone, Debug)]
pub struct Sight {
    pub rule: RuleId,
    /// Epoch milliseconds, if the record names its time.
    pub time: Option<i64>,
    pub host: String,
    pub user: String,
    pub kind: String,
    /// What its source calls the record: [`NAMES`].
    pub names: [String; 3],
    pub input: Arc<str>,
    pub line: u64,
    pub offset: u64,
    /// The fields that the rule looks at, and their values.
    pub values: Vec<(String, String)>,
    /// The beginning of the record.
    pub record: Arc<str>,
    /// Of a correlation: the first of the records that it is made of.
    pub made_of: Vec<Place>,
    /// Numbers of the exceptions that the record is covered by.
    pub excepting: Vec<usize>,
}

/// Where a record stands.
#[derive(Clone, Debug)]
pub struct Place {
    pub time: Option<i64>,
    pub host: String,
    pub input: Arc<str>,
    pub line: u64,
}

impl Sight {
    /// Where its record stands.
    pub fn place(&self) -> Place {
        Place { time: self.time, host: self.host.clone(), input: Arc::clone(&self.input), line: self.line }
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        let values = self.values.iter().map(|(name, value)| name.len() + value.len() + size_of::<(String, String)>());
        size_of::<Self>()
            + self.host.len()
            + self.user.len()
            + self.kind.len()
            + self.names.iter().map(String::len).sum::<usize>()
            + self.record.len()
            + values.sum::<usize>()
    }
}

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Piece {
    pub sights: Vec<Sight>,
    /// Matches that correlations look at, with what is shown of them.
    pub hits: Vec<(Hit, Sight)>,
    /// Matches that they do not see, because the record names no time.
    pub untimed: u64,
    pub records: u64,
    pub unreadable: u64,
    pub kinds: BTreeMap<String, u64>,
    pub excepted: Vec<u64>,
    /// Records with a list that was not looked at whole.
    pub cut: u64,
    /// Records that matched and are not of the time that was asked for.
    pub outside: u64,
    /// What there is to say of the records' input: each code once.
    pub troubles: BTreeMap<&'static str, Placed>,
}

/// One worker.
pub struct Worker<'l> {
    library: &'l Library,
    detection: &'l Arc<Detection>,
    exceptions: &'l Exceptions,
    options: &'l Options,
    engine: Engine<'l>,
    reader: Reader,
    matches: Vec<RuleId>,
    correlated: &'l Correlated,
    /// Where the names of records are.
    paths: [Vec<PathId>; 3],
}

/// What correlations look at.
#[derive(Debug, Default)]
pub struct Correlated {
    pub rules: BTreeSet<RuleId>,
    pub fields: BTreeSet<FieldId>,
}

impl<'l> Worker<'l> {
    pub fn new(
        library: &'l Library,
        detection: &'l Arc<Detection>,
        exceptions: &'l Exceptions,
        correlated: &'l Correlated,
        options: &'l Options,
    ) -> Self {
        let clock = Clock { received: jiff::Timestamp::now().as_millisecond(), zone: options.zone.clone() };
        let source = options.source.as_deref().and_then(|kind| library.kind(kind));
        Self {
            library,
            detection,
            exceptions,
            options,
            engine: Engine::new(library, Wish { clock, raw: true, source }),
            reader: Reader::new(Arc::clone(detection)),
            matches: Vec::new(),
            correlated,
            paths: NAMES.map(|(_, attribute)| library.paths.named(attribute).collect()),
        }
    }

    /// Runs the rules over a batch.
    pub fn batch(&mut self, input: &Arc<str>, batch: &Batch) -> Piece {
        let mut piece = Piece { excepted: vec![0; self.exceptions.len()], ..Piece::default() };
        let mut kinds: BTreeMap<(Option<PackId>, bool), u64> = BTreeMap::new();
        for framed in &batch.records {
            let raw = batch.raw(framed);
            let outcome = self.engine.examine(framed, raw);
            piece.records += 1;
            *kinds.entry((outcome.pack, outcome.native)).or_insert(0) += 1;
            self.note_trouble(input, framed, &mut piece);
            self.matches.clear();
            self.matches.extend_from_slice(self.reader.read(&mut self.engine, &outcome));
            piece.cut += u64::from(self.reader.is_cut());
            if self.matches.is_empty() {
                continue;
            }
            self.engine.map();
            let time = self.engine.machine.event_time();
            if self.options.from.is_some_and(|from| time.is_none_or(|time| time < from))
                || self.options.to.is_some_and(|to| time.is_none_or(|time| time >= to))
            {
                piece.outside += 1;
                continue;
            }
            let kind = kind_of(self.library, outcome.pack, outcome.native);
            let about = Sight {
                rule: RuleId(0),
                time,
                host: self.named(Kind::Host),
                user: self.named(Kind::User),
                kind: kind.to_owned(),
                names: self.names(),
                input: Arc::clone(input),
                line: framed.line,
                offset: framed.offset,
                values: Vec::new(),
                record: cut(&String::from_utf8_lossy(raw), RECORD_BYTES_MAX).into(),
                made_of: Vec::new(),
                excepting: Vec::new(),
            };
            self.sights(&about, &mut piece);
        }
        for ((pack, native), count) in kinds {
            let kind = kind_of(self.library, pack, native);
            *piece.kinds.entry(kind.to_owned()).or_insert(0) += count;
        }
        piece
    }

    /// What could not be read of a record, or around it.
    fn note_trouble(&self, input: &Arc<str>, framed: &Framed, piece: &mut Piece) {
        let own = self.engine.diagnostics().iter().filter(|told| told.grade == Grade::Error);
        piece.unreadable += u64::from(own.clone().next().is_some());
        for told in framed.trouble.iter().chain(own) {
            let placed = || Placed { diagnostic: told.clone(), input: Arc::clone(input), offset: Some(framed.offset) };
            piece.troubles.entry(told.code).or_insert_with(placed);
        }
    }

    /// The matches of a record that no exception takes away.
    fn sights(&self, about: &Sight, piece: &mut Piece) {
        let set = &self.detection.set;
        let rule = |id: &RuleId| set.rules.get(id.0 as usize);
        let excepting: Vec<usize> = self.matches.iter().filter_map(|id| self.exceptions.number(set, *id)).collect();
        for id in &self.matches {
            let Some(compiled) = rule(id).filter(|_| self.exceptions.number(set, *id).is_none()) else { continue };
            let told = !compiled.silent && self.options.wants(&compiled.meta);
            let hidden_by = self.exceptions.hiding(&excepting, &compiled.meta);
            if let Some(count) = hidden_by.filter(|_| told).and_then(|number| piece.excepted.get_mut(number)) {
                *count += 1;
            }
            if hidden_by.is_some() && !self.options.preview {
                continue;
            }
            let doc = &self.engine.machine.doc;
            let mut values = Vec::new();
            for field in &compiled.fields {
                let name = set.fields().get(usize::from(field.0)).map_or("", String::as_str);
                for text in self.reader.facts.of(*field).filter_map(|fact| fact.text(doc)).take(3) {
                    if values.len() < VALUES_MAX {
                        values.push((name.to_owned(), cut(&text, VALUE_BYTES_MAX)));
                    }
                }
            }
            let sight = Sight { rule: *id, values, excepting: excepting.clone(), ..about.clone() };
            let correlated = self.correlated.rules.contains(id);
            piece.untimed += u64::from(correlated && about.time.is_none());
            if let Some(time) = about.time.filter(|_| correlated) {
                let hit = self.reader.hit(*id, time, piece.records, &self.correlated.fields, doc);
                piece.hits.push((hit, sight.clone()));
            }
            if told && hidden_by.is_some() == self.options.preview {
                piece.sights.push(sight);
            }
        }
    }

    /// What the source of the record calls it.
    fn names(&mut self) -> [String; 3] {
        let machine = &mut self.engine.machine;
        self.paths.each_ref().map(|paths| {
            let mut values = Vec::new();
            paths.iter().for_each(|path| machine.attribute_values(*path, &mut values));
            let span = values.first().and_then(|value| machine.written(*value));
            span.map(|span| machine.doc.text(span).to_owned()).unwrap_or_default()
        })
    }

    /// What people call the first entity of a kind; who did it before whom it was done to.
    fn named(&self, kind: Kind) -> String {
        let mut all = entities(&self.engine.machine);
        all.retain(|entity| entity.kind == kind);
        let observer = kind == Kind::Host;
        all.sort_by_key(|entity| {
            let is_observer = entity.role == watchfloor_normalize::entities::Role::Observer;
            (if observer { !is_observer } else { is_observer }, entity.role)
        });
        all.into_iter().next().map(|entity| entity.name).unwrap_or_default()
    }
}

fn kind_of(library: &Library, pack: Option<PackId>, native: bool) -> &str {
    match pack.and_then(|pack| library.pack(pack)) {
        Some(pack) => &pack.kind,
        None if native => "ocsf",
        None => "unknown",
    }
}

/// The beginning of a text; what is cut is marked.
fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let kept = text.get(..text.floor_char_boundary(bytes)).unwrap_or_default();
    format!("{kept}… ({} bytes)", text.len())
}
