//! `--quality`: observations into figures, figures into a table or JSON, beside those of an earlier run.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use watchfloor_intake::Placed;
use watchfloor_normalize::Library;
use watchfloor_normalize::quality::{Figures, Observation, Quality, Report, baseline, judge};

use super::options::{Options, Show};
use crate::{Ended, Usage};

/// Largest baseline, in bytes: a million fields take about this much.
const BASELINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The printer's side of `--quality`.
pub struct Measure<'l> {
    quality: Quality<'l>,
    baseline: Option<Figures>,
    as_json: bool,
}

impl<'l> Measure<'l> {
    /// Nothing, unless quality is asked for.
    pub fn new(library: &'l Library, options: &Options) -> anyhow::Result<Option<Self>> {
        if !options.show.is_quality() {
            return match options.baseline {
                Some(_) => Err(Usage("`--baseline` goes with `--quality`".into()).into()),
                None => Ok(None),
            };
        }
        let baseline = options.baseline.as_deref().map(read).transpose()?;
        Ok(Some(Self { quality: Quality::new(library), baseline, as_json: options.show == Show::QualityJson }))
    }

    /// Takes the observations of the next batch.
    pub fn batch(&mut self, input: &Arc<str>, observations: &[Observation]) {
        self.quality.begin_input(input);
        observations.iter().for_each(|observation| self.quality.add(observation));
    }

    /// Takes what is wrong with an input as a whole.
    pub fn trouble(&mut self, placed: &Placed) {
        self.quality.trouble(&placed.input, &placed.diagnostic);
    }

    /// Prints the report.
    pub fn finish(self, out: &mut dyn Write) -> anyhow::Result<Ended> {
        let figures = self.quality.figures();
        let alarms = judge(&figures, self.baseline.as_ref());
        let report = Report { figures, alarms };
        let text = if self.as_json { report.json() } else { report.table() };
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(if report.alarms.is_empty() { Ended::Fine } else { Ended::Findings })
    }
}

fn read(path: &Path) -> anyhow::Result<Figures> {
    let shown = path.display();
    let length = std::fs::metadata(path).with_context(|| format!("cannot read the baseline {shown}"))?.len();
    anyhow::ensure!(
        length <= BASELINE_BYTES_MAX,
        "the baseline {shown} has {length} bytes; it has at most {BASELINE_BYTES_MAX}"
    );
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the baseline {shown}"))?;
    baseline::read(&text).map_err(|problem| Usage(format!("{shown} is no baseline: {problem}")).into())
}
