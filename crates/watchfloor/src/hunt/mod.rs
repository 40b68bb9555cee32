//! `watchfloor hunt`: rules over files, for a person who wants to know what happened.

mod exceptions;
mod options;
mod output;
mod report;
mod show;
mod work;

use std::collections::{BTreeSet, HashMap};
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use watchfloor_decode::Batch;
use watchfloor_detect::{Correlator, Detection, Hit, RuleId, Settings};
use watchfloor_model::Grade;
use watchfloor_sigma::{Document, Level};

use self::exceptions::Exceptions;
use self::options::Options;
use self::output::{Output, Patient};
use self::work::{Correlated, Piece, Sight, Worker};
use crate::Ended;
use crate::arguments::{Ask, check_source};
use crate::detection::correlator;
use crate::pump::{Done, pump};
use crate::rules::load::{rules, taxonomy};

/// Most matches that are kept to be sorted and shown.
const SIGHTS_MAX: usize = 1_000_000;
/// Most bytes of them.
const SIGHTS_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Most records of a correlation's match that are named.
const PLACES_MAX: usize = 100;
/// How often progress is written.
const PROGRESS: Duration = Duration::from_millis(250);

/// What a hunt found.
#[derive(Debug, Default)]
pub struct Found {
    /// Matches, if they are not written as they are found.
    pub sights: Vec<Sight>,
    /// How many there are, and the highest level among them.
    pub matches: u64,
    pub highest: Option<Level>,
    /// Matches that were not kept.
    pub dropped: u64,
    /// Matches that correlations did not see, as there was no room.
    pub unseen: u64,
    /// Bytes of what is kept.
    bytes: usize,
    /// Records with a list of which only the first elements were looked at one by one.
    pub cut: u64,
    /// Rules that were run.
    pub rules: u64,
    /// Correlations that cannot be used.
    pub unusable: u64,
    /// Records that matched and are not of the time that was asked for.
    pub outside: u64,
    /// Codes that were told of an input.
    told: BTreeSet<(Arc<str>, &'static str)>,
    /// Records read.
    pub records: u64,
    /// Records that could not be read as what they should be.
    pub unreadable: u64,
    /// Records by kind.
    pub kinds: std::collections::BTreeMap<String, u64>,
    /// Matches that an exception took away, by its number.
    pub excepted: Vec<u64>,
    /// Matches that correlations gave up for room: each may be a miss.
    pub evicted: u64,
    /// Matches that correlations did not see, because the record names no time.
    pub untimed: u64,
    /// Rules that took too long, and were not run any more.
    pub suspended: BTreeSet<(RuleId, bool)>,
    /// Inputs that could not be read.
    pub troubled: u64,
}

impl Found {
    /// How many rules are not run any more, over long records at least.
    pub fn suspended_rules(&self) -> u64 {
        self.suspended.iter().map(|(rule, _)| rule).collect::<BTreeSet<_>>().len() as u64
    }

    /// Counts matches.
    fn count(&mut self, sights: &[Sight], detection: &Detection) {
        self.matches += sights.len() as u64;
        let highest = sights.iter().map(|sight| show::level_of(show::rule_of(sight, detection))).max();
        self.highest = self.highest.max(highest);
    }

    /// Takes what came of a batch.
    fn take(&mut self, mut piece: Piece, hits: &mut Vec<(Hit, Sight)>, progress: &mut Progress) {
        self.records += piece.records;
        let room = piece.sights.iter().take_while(|sight| {
            self.bytes += sight.bytes();
            self.bytes <= SIGHTS_BYTES_MAX
        });
        let room = room.count().min(SIGHTS_MAX.saturating_sub(self.sights.len()));
        self.dropped += piece.sights.len().saturating_sub(room) as u64;
        piece.sights.truncate(room);
        self.sights.append(&mut piece.sights);
        // Numbers of records count through all batches.
        piece.hits.iter_mut().for_each(|(hit, _)| hit.id += self.records - piece.records);
        let room = if self.bytes <= SIGHTS_BYTES_MAX { SIGHTS_MAX.saturating_sub(hits.len()) } else { 0 };
        self.bytes += piece.hits.iter().take(room).map(|(hit, sight)| hit.bytes() + sight.bytes()).sum::<usize>();
        self.unseen += piece.hits.len().saturating_sub(room) as u64;
        piece.hits.truncate(room);
        hits.append(&mut piece.hits);
        self.unreadable += piece.unreadable;
        self.untimed += piece.untimed;
        self.outside += piece.outside;
        self.cut += piece.cut;
        for (code, placed) in piece.troubles {
            if self.told.insert((Arc::clone(&placed.input), code)) {
                progress.clear();
                crate::normalize::tell(&placed);
            }
        }
        for (kind, count) in piece.kinds {
            *self.kinds.entry(kind).or_insert(0) += count;
        }
        for (all, more) in self.excepted.iter_mut().zip(&piece.excepted) {
            *all += more;
        }
    }

    /// Tells at once which rules are not run any more.
    fn note_suspended(&mut self, detection: &Detection, progress: &mut Progress) {
        for (rule, how) in detection.suspended.all() {
            if !self.suspended.insert((rule, how.long_only)) {
                continue;
            }
            let title = detection.set.rules.get(rule.0 as usize).map_or("", |rule| rule.meta.title.as_str());
            let records = if how.long_only { "long records" } else { "records" };
            progress.clear();
            crate::terminal::say(&format!(
                "error[detect.rule_suspended]: {title}: took about {:.1} s more than it may and is not run over {records} any more since about record {}: \
                 what it would have found is missing. `--rule-budget` gives rules more time\n",
                how.over.as_secs_f64(),
                self.records
            ));
        }
    }
}

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    let options = match options::parse(parser)? {
        Ask::Help => {
            crate::terminal::print(crate::help::HUNT)?;
            return Ok(Ended::Fine);
        }
        Ask::Run(options) => *options,
    };
    let (library, faults) = crate::packs::library(options.packs.as_deref())?;
    for fault in &faults {
        crate::terminal::complain(&format!("this source cannot be used until its mapping is right: {fault}\n"));
    }
    check_source(&library, options.source.as_deref())?;
    let loaded = rules(&options.rules, &options.language)?;
    loaded.tell(false);
    let idle = crate::detection::idle_filters(&loaded.documents);
    idle.iter().for_each(|told| crate::terminal::say(&told.line()));
    let doubles = crate::detection::doubles(loaded.documents.iter().map(|document| (document, ""))).len();
    if doubles > 0 {
        crate::terminal::say(&format!(
            "warning[sigma.duplicate_id]: {doubles} ids are those of several rules, and their matches come several times: `watchfloor rules check` names them\n"
        ));
    }
    let mut documents = wanted(loaded.documents, &options);
    anyhow::ensure!(
        !documents.is_empty(),
        crate::Usage("no rule is left: see --level, --status, --rule, --tag".into())
    );
    let exceptions = options.exceptions.as_deref().map(Exceptions::read).transpose()?.unwrap_or_default();
    documents.extend(exceptions.rules());
    let detection = Arc::new(Detection::new(&library, &documents, taxonomy(), options.budget)?);
    // A file that cannot be written is better known before the hunt than after it.
    let output = options.output.as_deref().map(|path| Output::create(path, &options.inputs)).transpose()?;
    let found = search(&library, &detection, &exceptions, &options)?;
    let ended = show::show(&found, &detection, &exceptions, &options, output)?;
    let whole = faults.is_empty()
        && idle.is_empty()
        && found.suspended.is_empty()
        && found.unusable == 0
        && found.evicted == 0
        && found.dropped == 0
        && found.unseen == 0
        && found.cut == 0;
    Ok(if whole { ended } else { Ended::Findings })
}

/// The rules that are asked for, and those whose matches they are about.
fn wanted(documents: Vec<Document>, options: &Options) -> Vec<Document> {
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, document) in documents.iter().enumerate() {
        document.meta().names().for_each(|name| named.entry(name).or_default().push(number));
    }
    let is_wanted = |document: &Document| matches!(document, Document::Filter(_)) || options.wants(document.meta());
    let mut kept = vec![false; documents.len()];
    let mut open: Vec<usize> = (0..documents.len()).filter(|at| documents.get(*at).is_some_and(is_wanted)).collect();
    while let Some(at) = open.pop() {
        let Some(kept) = kept.get_mut(at).filter(|kept| !**kept) else { continue };
        *kept = true;
        if let Some(Document::Correlation(correlation)) = documents.get(at) {
            let rules = &correlation.1.rules;
            open.extend(rules.iter().filter_map(|name| named.get(name.as_str())).flatten());
        }
    }
    documents.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(document, _)| document).collect()
}

fn search(
    library: &watchfloor_normalize::Library,
    detection: &Arc<Detection>,
    exceptions: &Exceptions,
    options: &Options,
) -> anyhow::Result<Found> {
    let rules = detection.set.rules.len() - exceptions.rules().count();
    let mut found = Found { excepted: vec![0; exceptions.len()], rules: rules as u64, ..Found::default() };
    let mut progress = Progress::new();
    // Everything is sorted before it is correlated: nothing comes late.
    let (mut correlator, told) = correlator(&detection.set, Settings { lateness: 0, ..Settings::default() });
    told.iter().for_each(|told| crate::terminal::say(&told.line()));
    found.unusable = told.len() as u64;
    let rules = (0..detection.set.rules.len() as u32).map(RuleId).filter(|rule| correlator.looks_at(*rule)).collect();
    let correlated = Correlated { rules, fields: correlator.fields() };
    let mut hits: Vec<(Hit, Sight)> = Vec::new();
    let streams = options.streams();
    let worker = || {
        let mut worker = Worker::new(library, detection, exceptions, &correlated, options);
        move |input: &Arc<str>, batch: &Batch| worker.batch(input, batch)
    };
    let mut out = std::io::BufWriter::new(Patient::new(options.fail_on.is_some()));
    pump(&options.inputs, library.wrappers.clone().into(), options.jobs, worker, |done| {
        match done {
            Done::Trouble(placed) => {
                progress.clear();
                found.troubled += u64::from(placed.diagnostic.grade == Grade::Error);
                crate::normalize::tell(&placed);
            }
            Done::Piece(mut piece) => {
                found.count(&piece.sights, detection);
                if streams {
                    show::lines(&mut out, &piece.sights, detection)?;
                    piece.sights.clear();
                }
                found.take(piece, &mut hits, &mut progress);
                found.note_suspended(detection, &mut progress);
                progress.write(&found);
            }
            Done::Idle => std::io::Write::flush(&mut out)?,
        }
        Ok(())
    })?;
    std::io::Write::flush(&mut out)?;
    progress.clear();
    let mut more = correlate(&mut correlator, hits);
    more.retain(|sight| {
        let Some(rule) = detection.set.rules.get(sight.rule.0 as usize) else { return false };
        let is_told = !rule.silent && options.wants(&rule.meta);
        let hidden_by = exceptions.hiding(&sight.excepting, &rule.meta);
        if let Some(count) = hidden_by.filter(|_| is_told).and_then(|number| found.excepted.get_mut(number)) {
            *count += 1;
        }
        is_told && hidden_by.is_some() == options.preview
    });
    found.count(&more, detection);
    if streams {
        show::lines(&mut out, &more, detection)?;
        std::io::Write::flush(&mut out)?;
        more.clear();
    }
    found.sights.append(&mut more);
    found.evicted = correlator.evicted;
    // Without a time last, and otherwise in order.
    found.sights.sort_by_key(|sight| (sight.time.is_none(), sight.time));
    Ok(found)
}

/// The matches of correlations: each is shown as the last of the matches that it is made of.
fn correlate(correlator: &mut Correlator, mut hits: Vec<(Hit, Sight)>) -> Vec<Sight> {
    hits.sort_by_key(|(hit, _)| hit.time);
    let mut found = Vec::new();
    let mut by_record: HashMap<u64, Sight> = HashMap::new();
    for (hit, sight) in hits {
        by_record.insert(hit.id, sight);
        correlator.handle(hit, &mut found);
    }
    correlator.finish(&mut found);
    let sight = |one: &watchfloor_detect::Correlated| {
        let ids = &one.records.ids;
        let last = ids.last().and_then(|id| by_record.get(id))?;
        // An exception covers it if it covers every record that it is made of.
        let covers = |number: &usize| {
            let covered = |id: &u64| by_record.get(id).is_some_and(|sight| sight.excepting.contains(number));
            !one.records.more && ids.iter().all(covered)
        };
        let excepting = last.excepting.iter().copied().filter(covers).collect();
        let mut values = one.group.clone();
        values.push(("matches".to_owned(), one.matches.to_string()));
        values.push(("since".to_owned(), show::shown_time(Some(one.from))));
        let records = ids.iter().filter_map(|id| by_record.get(id));
        let made_of = records.take(PLACES_MAX).map(|sight| sight.place()).collect();
        Some(Sight { rule: one.rule, time: Some(one.to), values, made_of, excepting, ..last.clone() })
    };
    found.iter().filter_map(sight).collect()
}

/// A line on a terminal that says how far the hunt is.
struct Progress {
    wanted: bool,
    shown: bool,
    last: Instant,
}

impl Progress {
    fn new() -> Self {
        Self { wanted: std::io::stderr().is_terminal(), shown: false, last: Instant::now() }
    }

    fn write(&mut self, found: &Found) {
        if self.wanted && self.last.elapsed() >= PROGRESS {
            self.last = Instant::now();
            self.shown = true;
            crate::terminal::draw(&format!("\r\x1b[K{} records, {} matches", found.records, found.matches));
        }
    }

    fn clear(&mut self) {
        if self.shown {
            self.shown = false;
            crate::terminal::draw("\r\x1b[K");
        }
    }
}
