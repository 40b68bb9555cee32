//! Options of `watchfloor normalize`.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lexopt::ValueExt as _;
use watchfloor_intake::Input;
use watchfloor_normalize::Library;
use watchfloor_ocsf::Version;

use crate::Usage;

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

/// What was asked for.
#[derive(Debug)]
pub enum Ask {
    /// `--help`
    Help,
    /// To run.
    Run(Box<Options>),
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

impl Options {
    /// Fails if the kind that was asked for does not exist, naming near ones.
    pub fn check_source(&self, library: &Library) -> anyhow::Result<()> {
        let Some(wanted) = &self.source else { return Ok(()) };
        if library.kind(wanted).is_some() {
            return Ok(());
        }
        let tail = wanted.rsplit('.').next().unwrap_or(wanted);
        let near: Vec<&str> =
            library.packs.iter().map(|pack| pack.kind.as_str()).filter(|kind| kind.contains(tail)).take(6).collect();
        let hint = if near.is_empty() {
            "`--sources` lists them all".to_owned()
        } else {
            format!("there is {}", near.join(", "))
        };
        Err(Usage(format!("there is no source `{wanted}`; {hint}")).into())
    }
}

/// Reads the command line.
pub fn parse(parser: &mut lexopt::Parser) -> anyhow::Result<Ask> {
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
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        list_sources: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Ask::Help),
            Long("source") => options.source = Some(parser.value()?.string()?).filter(|kind| kind != "auto"),
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
            Long("tz") => options.zone = zone(&parser.value()?.string()?)?,
            Long("jobs") => {
                options.jobs = parser.value()?.parse()?;
                if options.jobs == 0 || options.jobs > 1_024 {
                    return Err(Usage("`--jobs` takes 1 to 1024".into()).into());
                }
            }
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

fn zone(text: &str) -> anyhow::Result<TimeZone> {
    TimeZone::get(text)
        .map_err(|_| Usage(format!("`--tz {text}` is no time zone: write it as Europe/Berlin or UTC")).into())
}
