//! Arguments that several commands take.

use jiff::tz::TimeZone;
use watchfloor_normalize::Library;

use crate::Usage;

/// What a command was asked for.
#[derive(Debug)]
pub enum Ask<Options> {
    /// `--help`
    Help,
    /// To run.
    Run(Box<Options>),
}

/// How many worker threads there are if nobody says.
pub fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The value of `--jobs`.
pub fn jobs(parser: &mut lexopt::Parser) -> anyhow::Result<usize> {
    use lexopt::ValueExt as _;
    let jobs = parser.value()?.parse()?;
    anyhow::ensure!((1..=1_024).contains(&jobs), Usage("`--jobs` takes 1 to 1024".into()));
    Ok(jobs)
}

/// The value of `--tz`.
pub fn zone(parser: &mut lexopt::Parser) -> anyhow::Result<TimeZone> {
    use lexopt::ValueExt as _;
    let name = parser.value()?.string()?;
    TimeZone::get(&name)
        .map_err(|_| Usage(format!("`--tz {name}` is no time zone: write it as Europe/Berlin or UTC")).into())
}

/// The value of `--source`; none if the kind is to be found out.
pub fn source(parser: &mut lexopt::Parser) -> anyhow::Result<Option<String>> {
    use lexopt::ValueExt as _;
    Ok(Some(parser.value()?.string()?).filter(|kind| kind != "auto"))
}

/// Fails if the kind that was asked for does not exist, naming near ones.
pub fn check_source(library: &Library, source: Option<&str>) -> anyhow::Result<()> {
    let Some(wanted) = source.filter(|wanted| library.kind(wanted).is_none()) else { return Ok(()) };
    let tail = wanted.rsplit('.').next().unwrap_or(wanted);
    let near: Vec<&str> =
        library.packs.iter().map(|pack| pack.kind.as_str()).filter(|kind| kind.contains(tail)).take(6).collect();
    let hint = if near.is_empty() {
        "`watchfloor normalize --sources` lists them all".to_owned()
    } else {
        format!("there is {}", near.join(", "))
    };
    Err(Usage(format!("there is no source `{wanted}`; {hint}")).into())
}
