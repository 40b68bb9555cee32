//! What a worker notes of a record for its quality: compact, without the record's content.

use std::sync::Arc;

use watchfloor_model::{Diagnostic, Grade, Value};
use watchfloor_ocsf::ClassId;

use super::shape::{Shape, Shapes, Values};
use super::tally::signature;
use crate::compile::Library;
use crate::engine::{Engine, Outcome};
use crate::event::Val;
use crate::layout::Layout;
use crate::paths::PathId;
use crate::plan::PackId;
use crate::run::{Machine, TimeState};

/// Whose record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Of a pack.
    Pack(PackId),
    /// An OCSF event already.
    Native,
    /// Nothing recognises it.
    Unknown,
}

/// A diagnostic without what is particular to the record.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) code: &'static str,
    pub(super) grade: Grade,
    pub(super) signature: Box<str>,
    /// The text ended before the record did.
    pub(super) cut: bool,
}

/// A record's number in the count of its host and log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered {
    pub(super) number: i64,
    /// The log has a name, so that records of several kinds in it share one count.
    pub(super) log_named: bool,
}

/// One record, as far as quality goes.
#[derive(Clone, Debug)]
pub struct Observation {
    pub(super) kind: Kind,
    pub(super) class: ClassId,
    pub(super) is_base: bool,
    pub(super) layout: Option<Arc<Layout>>,
    pub(super) shape: Arc<Shape>,
    pub(super) findings: Vec<Finding>,
    /// Its own time, if it has a usable one.
    pub(super) time: Option<i64>,
    /// When the observer wrote it.
    pub(super) logged: Option<i64>,
    pub(super) received: i64,
    pub(super) values: Values,
    /// Attributes that are members of enumerations, and how many of them say Unknown or Other.
    pub(super) members: u32,
    pub(super) vague: u32,
    pub(super) hash: u64,
    /// Host and log.
    pub(super) series: u64,
    pub(super) numbered: Option<Numbered>,
}

/// Makes observations; a worker has one beside its engine.
#[derive(Debug)]
pub struct Observer<'l> {
    library: &'l Library,
    shapes: Shapes,
    logged: Vec<PathId>,
    sequence: Vec<PathId>,
    host: Vec<PathId>,
    log: Vec<PathId>,
}

impl<'l> Observer<'l> {
    /// An observer of events made with a library.
    #[must_use]
    pub fn new(library: &'l Library) -> Self {
        let ids = |wanted: &str| -> Vec<PathId> {
            let all = (0..library.paths.len()).filter_map(|at| u16::try_from(at).ok()).map(PathId);
            all.filter(|id| library.paths.text(*id) == wanted).collect()
        };
        Self {
            library,
            shapes: Shapes::default(),
            logged: ids("metadata.logged_time"),
            sequence: ids("metadata.sequence"),
            host: ids("device.hostname"),
            log: ids("metadata.log_name"),
        }
    }

    /// The observation of the record that the engine has just normalised.
    pub fn observe(&mut self, engine: &Engine<'l>, outcome: &Outcome) -> Observation {
        let machine = &engine.machine;
        let kind = match outcome.pack {
            Some(pack) => Kind::Pack(pack),
            None if outcome.native => Kind::Native,
            None => Kind::Unknown,
        };
        let (shape, values) = self.shapes.of(machine);
        let (members, vague) = members(machine);
        let log = self.value(machine, &self.log);
        Observation {
            kind,
            class: outcome.class,
            is_base: self.library.schema.class_info(outcome.class).uid == 0,
            layout: engine.shape().filter(|_| !outcome.native),
            shape,
            findings: machine.diagnostics.iter().map(finding).collect(),
            time: if outcome.native { native_time(machine) } else { self.time(machine) },
            logged: self.value(machine, &self.logged).and_then(number),
            received: machine.clock.received,
            values,
            members,
            vague,
            hash: outcome.hash.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default(),
            series: self.series(machine, log),
            numbered: self
                .value(machine, &self.sequence)
                .and_then(number)
                .map(|number| Numbered { number, log_named: log.is_some() }),
        }
    }

    fn time(&self, machine: &Machine<'_>) -> Option<i64> {
        let entry = machine.entry(self.library.known.time).filter(|_| machine.time_state == TimeState::Known)?;
        number(entry.value)
    }

    fn value(&self, machine: &Machine<'_>, ids: &[PathId]) -> Option<Val> {
        ids.iter().find_map(|id| machine.entry(*id)).map(|entry| entry.value)
    }

    fn series(&self, machine: &Machine<'_>, log: Option<Val>) -> u64 {
        use std::hash::BuildHasher as _;
        let text = |value: Option<Val>| match value {
            Some(Val::Text(span)) => machine.doc.text(span),
            Some(Val::Const(id)) => self.library.consts.text(id),
            _ => "",
        };
        foldhash::fast::FixedState::default().hash_one((text(self.value(machine, &self.host)), text(log)))
    }
}

fn number(value: Val) -> Option<i64> {
    match value {
        Val::Time(number) | Val::Int(number) => Some(number),
        _ => None,
    }
}

fn native_time(machine: &Machine<'_>) -> Option<i64> {
    match machine.doc.node(machine.doc.child(0, "time")?)?.value {
        Value::Int(time) => Some(time),
        _ => None,
    }
}

/// Members of enumerations, and how many of them say Unknown (0) or Other (99).
fn members(machine: &Machine<'_>) -> (u32, u32) {
    let (mut all, mut vague) = (0, 0);
    for entry in machine.entries.iter().filter(|entry| entry.enumeration.is_some()) {
        if let Val::Member(member) | Val::Int(member) = entry.value {
            all += 1;
            vague += u32::from(member == 0 || member == 99);
        }
    }
    (all, vague)
}

fn finding(diagnostic: &Diagnostic) -> Finding {
    Finding {
        code: diagnostic.code,
        grade: diagnostic.grade,
        signature: signature(&diagnostic.message),
        cut: CUT.contains(&diagnostic.code) || (diagnostic.code == "json.syntax" && is_cut(&diagnostic.message)),
    }
}

/// Codes that say that something ended too early.
pub(super) const CUT: &[&str] = &["evtx.truncated", "archive.truncated", "xml.unclosed"];

/// Whether a JSON text broke off; the decoder says so in its message.
fn is_cut(message: &str) -> bool {
    message.starts_with("ends within")
}
