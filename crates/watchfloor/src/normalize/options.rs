//! Options of `watchfloor normalize`.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lexopt::ValueExt as _;
use watchfloor_intake::Input;
use watchfloor_ocsf::Version;

use crate::Usage;
use crate::arguments::{self, Ask};

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Events.
    Events,
    /// Which line made what.
    Explanation,
    /// Entities.
    Entities,
    /// Quality as a table.
    QualityTable,
    /// Quality as JSON.
    QualityJson,
}

impl Show {
    /// Whether quality is measured.
    pub fn is_quality(self) -> bool {
        matches!(self, Self::QualityTable | Self::QualityJson)
    }
}

/// The options.
#[derive(Debug)]
pub struct Options {
    pub inputs: Vec<Input>,
    pub source: Option<String>,
    pub packs: Option<PathBuf>,
    pub show: Show,
    /// Quality JSON of an earlier run.
    pub baseline: Option<PathBuf>,
    pub version: Version,
    pub raw: bool,
    /// Epoch milliseconds; none: the clock.
    pub received: Option<i64>,
    pub zone: TimeZone,
    pub jobs: usize,
    pub list_sources: bool,
}

/// Reads the command line.
pub fn parse(parser: &mut lexopt::Parser) -> anyhow::Result<Ask<Options>> {
    use lexopt::prelude::{Long, Short, Value};
    let mut options = Options {
        inputs: Vec::new(),
        source: None,
        packs: None,
        show: Show::Events,
        baseline: None,
        version: Version::V1_8,
        raw: true,
        received: None,
        zone: TimeZone::UTC,
        jobs: arguments::default_jobs(),
        list_sources: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Ask::Help),
            Long("source") => options.source = arguments::source(parser)?,
            Long("sources") => options.list_sources = true,
            Long("packs") => options.packs = Some(PathBuf::from(parser.value()?)),
            Long("explain") => options.show = Show::Explanation,
            Long("entities") => options.show = Show::Entities,
            Long("quality") => {
                options.show = match parser.optional_value() {
                    None => Show::QualityTable,
                    Some(value) if value == "json" => Show::QualityJson,
                    Some(value) if value == "table" => Show::QualityTable,
                    Some(value) => {
                        return Err(Usage(format!(
                            "`--quality={}`: there are `table` and `json`",
                            value.to_string_lossy()
                        ))
                        .into());
                    }
                };
            }
            Long("baseline") => options.baseline = Some(PathBuf::from(parser.value()?)),
            Long("ocsf-version") => options.version = version(&parser.value()?.string()?)?,
            Long("no-raw") => options.raw = false,
            Long("received") => options.received = Some(received(&parser.value()?.string()?)?),
            Long("tz") => options.zone = arguments::zone(parser)?,
            Long("jobs") => options.jobs = arguments::jobs(parser)?,
            Value(file) if file == "-" => options.inputs.push(Input::Stdin),
            Value(file) => options.inputs.push(Input::Path(PathBuf::from(file))),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.inputs.is_empty() {
        options.inputs.push(Input::Stdin);
    }
    Ok(Ask::Run(Box::new(options)))
}

fn version(text: &str) -> anyhow::Result<Version> {
    Version::ALL
        .into_iter()
        .find(|version| version.as_str() == text || version.as_str().strip_suffix(".0") == Some(text))
        .ok_or_else(|| Usage(format!("OCSF version `{text}` is not known: there are 1.1.0, 1.3.0 and 1.8.0")).into())
}

fn received(text: &str) -> anyhow::Result<i64> {
    let stamp: Result<Timestamp, _> = text.parse();
    stamp
        .map(Timestamp::as_millisecond)
        .map_err(|_| Usage(format!("`--received {text}` is no time: write it as 2026-01-31T12:00:00Z")).into())
}
