//! Options of `watchfloor hunt`.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lexopt::ValueExt as _;
use watchfloor_detect::Budget;
use watchfloor_intake::Input;
use watchfloor_sigma::{Level, Meta, Status};

use super::show::shown_time;
use crate::Usage;
use crate::arguments::{self, Ask};
use crate::detection::clock;

/// How matches are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines for a terminal.
    Table,
    /// One JSON object a match.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// One page, with everything in it.
    Html,
}

/// The options.
#[derive(Debug)]
pub struct Options {
    pub inputs: Vec<Input>,
    pub rules: Vec<PathBuf>,
    pub language: watchfloor_sigma::Options,
    pub packs: Option<PathBuf>,
    pub source: Option<String>,
    pub exceptions: Option<PathBuf>,
    pub preview: bool,
    /// How much time a rule may take.
    pub budget: Option<Budget>,
    pub format: Format,
    pub output: Option<PathBuf>,
    pub stats: bool,
    pub level: Option<Level>,
    pub status: Vec<Status>,
    pub named: Vec<String>,
    pub tags: Vec<String>,
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub fail_on: Option<Level>,
    pub zone: TimeZone,
    pub jobs: usize,
}

impl Options {
    /// What nobody said otherwise.
    fn new() -> Self {
        Self {
            inputs: Vec::new(),
            rules: Vec::new(),
            language: watchfloor_sigma::Options::default(),
            packs: None,
            source: None,
            exceptions: None,
            preview: false,
            budget: Some(Budget::ample(clock)),
            format: Format::Table,
            output: None,
            stats: false,
            level: None,
            status: Vec::new(),
            named: Vec::new(),
            tags: Vec::new(),
            from: None,
            to: None,
            fail_on: None,
            zone: TimeZone::UTC,
            jobs: arguments::default_jobs(),
        }
    }

    /// Whether the matches of a rule are to be told.
    pub fn wants(&self, meta: &Meta) -> bool {
        let level = meta.level.unwrap_or(Level::Medium);
        let status = meta.status.unwrap_or(Status::Test);
        let status = if self.status.is_empty() {
            !matches!(status, Status::Deprecated | Status::Unsupported)
        } else {
            self.status.contains(&status)
        };
        let lower = meta.title.to_lowercase();
        let named = |wanted: &String| meta.key().eq_ignore_ascii_case(wanted) || lower.contains(&wanted.to_lowercase());
        let tagged = |wanted: &String| meta.tags.iter().any(|tag| tag.to_lowercase().contains(&wanted.to_lowercase()));
        self.level.is_none_or(|least| level >= least)
            && status
            && (self.named.is_empty() || self.named.iter().any(named))
            && (self.tags.is_empty() || self.tags.iter().any(tagged))
    }

    /// Whether matches are written as they are found, and not kept.
    pub fn streams(&self) -> bool {
        self.format == Format::Jsonl && self.output.is_none() && !self.stats
    }

    /// What was asked for besides the inputs, for the reader of a report.
    pub fn asked(&self) -> Vec<String> {
        let mut asked: Vec<String> =
            self.level.iter().map(|level| format!("level {} and above", level.as_str())).collect();
        let paths = |what: &str, paths: &[PathBuf]| -> Vec<String> {
            paths.iter().map(|path| format!("{what} {}", path.display())).collect()
        };
        asked.extend(self.status.iter().map(|status| format!("status {}", status.as_str())));
        asked.extend(self.named.iter().map(|named| format!("rules called {named}")));
        asked.extend(self.tags.iter().map(|tag| format!("rules with the tag {tag}")));
        asked.extend(self.from.map(|from| format!("from {}", shown_time(Some(from)))));
        asked.extend(self.to.map(|to| format!("before {}", shown_time(Some(to)))));
        asked.extend(self.source.iter().map(|kind| format!("every record read as {kind}")));
        asked.extend(paths("rules of", &self.rules));
        asked.extend(paths("exceptions of", self.exceptions.as_slice()));
        asked.extend(self.preview.then(|| "only what the exceptions would hide".to_owned()));
        asked
    }
}

/// Reads the command line.
pub fn parse(parser: &mut lexopt::Parser) -> anyhow::Result<Ask<Options>> {
    use lexopt::prelude::{Long, Short, Value};
    let mut options = Options::new();
    let (mut from, mut to) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Ask::Help),
            Long("rules") => options.rules.push(PathBuf::from(parser.value()?)),
            Long("placeholders") => {
                options.language.placeholders = crate::rules::load::placeholders(&PathBuf::from(parser.value()?))?;
            }
            Long("packs") => options.packs = Some(PathBuf::from(parser.value()?)),
            Long("source") => options.source = arguments::source(parser)?,
            Long("exceptions") => options.exceptions = Some(PathBuf::from(parser.value()?)),
            Long("rule-budget") => options.budget = budget(&parser.value()?.string()?)?,
            Long("preview") => options.preview = true,
            Long("format") => options.format = format(&parser.value()?.string()?)?,
            Long("output") | Short('o') => options.output = Some(PathBuf::from(parser.value()?)),
            Long("stats") => options.stats = true,
            Long("level") => options.level = Some(level(&parser.value()?.string()?)?),
            Long("status") => options.status.push(status(&parser.value()?.string()?)?),
            Long("rule") => options.named.push(parser.value()?.string()?),
            Long("tag") => options.tags.push(parser.value()?.string()?),
            Long("from") => from = Some(parser.value()?.string()?),
            Long("to") => to = Some(parser.value()?.string()?),
            Long("fail-on") => options.fail_on = Some(level(&parser.value()?.string()?)?),
            Long("tz") => options.zone = arguments::zone(parser)?,
            Long("jobs") => options.jobs = arguments::jobs(parser)?,
            Value(file) if file == "-" => options.inputs.push(Input::Stdin),
            Value(file) => options.inputs.push(Input::Path(PathBuf::from(file))),
            other => return Err(other.unexpected().into()),
        }
    }
    options.from = from.map(|text| time("--from", &text, &options.zone)).transpose()?;
    options.to = to.map(|text| time("--to", &text, &options.zone)).transpose()?;
    if options.inputs.is_empty() {
        options.inputs.push(Input::Stdin);
    }
    if options.stats && options.format != Format::Table {
        return Err(Usage("`--stats` is a table: it goes with no other `--format`".into()).into());
    }
    if let (Some(from), Some(to)) = (options.from, options.to)
        && from >= to
    {
        return Err(Usage("`--from` is not before `--to`: no record is of that time".into()).into());
    }
    if options.preview && options.exceptions.is_none() {
        return Err(Usage("`--preview` goes with `--exceptions`".into()).into());
    }
    Ok(Ask::Run(Box::new(options)))
}

fn budget(word: &str) -> anyhow::Result<Option<Budget>> {
    if word == "off" {
        return Ok(None);
    }
    let micros = word.parse().ok().filter(|micros| (1..=1_000_000).contains(micros)).ok_or_else(|| {
        Usage(format!("`--rule-budget {word}`: write microseconds for each record, 1 to 1000000, or `off`"))
    })?;
    Ok(Some(Budget { per_record: Duration::from_micros(micros), ..Budget::ample(clock) }))
}

fn format(word: &str) -> anyhow::Result<Format> {
    Ok(match word {
        "table" => Format::Table,
        "jsonl" => Format::Jsonl,
        "csv" => Format::Csv,
        "html" => Format::Html,
        _ => return Err(Usage(format!("`--format {word}`: there are table, jsonl, csv, html")).into()),
    })
}

fn level(word: &str) -> anyhow::Result<Level> {
    let all = Level::ALL.map(Level::as_str).join(", ");
    Level::parse(word).ok_or_else(|| Usage(format!("`{word}` is no level: there are {all}")).into())
}

fn status(word: &str) -> anyhow::Result<Status> {
    let all = Status::ALL.map(Status::as_str).join(", ");
    Status::parse(word).ok_or_else(|| Usage(format!("`{word}` is no status: there are {all}")).into())
}

fn time(option: &str, text: &str, zone: &TimeZone) -> anyhow::Result<i64> {
    let stamp: Option<Timestamp> = text.parse().ok();
    // A day is also the time at which it begins.
    let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(zone.clone()).ok().map(|time| time.timestamp());
    stamp.or_else(local).map(Timestamp::as_millisecond).ok_or_else(|| {
        Usage(format!(
            "`{option} {text}` is no time: write it as 2026-01-31T12:00:00Z, or as 2026-01-31T12:00 or 2026-01-31 for the zone of --tz"
        ))
        .into()
    })
}
