//! What in the figures is not right: by itself, or beside an earlier run.
//!
//! Some things are wrong whatever was usual before: missing numbers, silence, copies, cut records. Others need a reference: a share of
//! unmapped values is only bad when it rises. Each threshold is a constant that says why it is what it is.

mod clock;
mod counts;
mod drift;
mod silence;

use std::collections::BTreeMap;

use super::figures::{Figures, SourceFigures, UNKNOWN};

/// Fewest records of a source (or class) in an earlier run that make it a reference. With fewer, one record is 2 % and more.
pub const REFERENCE_RECORDS_MIN: u64 = 50;
/// Names listed in one sentence; a person reads five and opens the JSON for the rest.
const NAMES_SHOWN: usize = 5;

/// Something that is not right.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Stable code, `quality.what`.
    pub code: &'static str,
    /// The source.
    pub source: String,
    /// The class, if only one is concerned.
    pub class: Option<String>,
    /// What was measured: a share, a count or seconds, as the sentence says.
    pub measured: f64,
    /// What it should be, in the same unit.
    pub expected: f64,
    /// For a person.
    pub sentence: String,
}

/// Judges the figures of a run, beside those of an earlier one if there is one.
#[must_use]
pub fn judge(now: &Figures, earlier: Option<&Figures>) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let references: BTreeMap<&str, &SourceFigures> = earlier
        .into_iter()
        .flat_map(|figures| &figures.sources)
        .map(|source| (source.source.as_str(), source))
        .collect();
    let pairs: Vec<Pair<'_>> = now
        .sources
        .iter()
        .map(|source| {
            let reference = references
                .get(source.source.as_str())
                .copied()
                .filter(|source| source.records >= REFERENCE_RECORDS_MIN);
            Pair {
                now: source,
                reference,
                stream: now.records,
                earlier_stream: earlier.map_or(0, |figures| figures.records),
            }
        })
        .collect();
    let clocks: Vec<Option<Alarm>> = pairs.iter().map(clock::judge).collect();
    let trusted = pairs.iter().zip(&clocks).filter(|(_, alarm)| alarm.is_none()).map(|(pair, _)| pair.now);
    let end = trusted.filter_map(|source| source.silence.last).max();
    for (pair, clock) in pairs.iter().zip(clocks) {
        counts::judge(pair, &mut alarms);
        if pair.now.source == UNKNOWN {
            continue;
        }
        drift::judge(pair, &mut alarms);
        // Where a clock is wrong, the times of its events do not say when the source was silent.
        match clock {
            Some(alarm) => alarms.push(alarm),
            None => alarms.extend(silence::judge(pair, end)),
        }
    }
    let stayed_away = |source: &&SourceFigures| now.sources.iter().all(|known| known.source != source.source);
    alarms.extend(references.values().copied().filter(stayed_away).filter_map(silence::never_came));
    alarms.sort_by(|left, right| left.source.cmp(&right.source));
    alarms
}

/// A source now, and in the earlier run if it can be compared.
#[derive(Clone, Copy)]
struct Pair<'a> {
    now: &'a SourceFigures,
    reference: Option<&'a SourceFigures>,
    /// Records of all sources, now and then.
    stream: u64,
    earlier_stream: u64,
}

impl Pair<'_> {
    fn alarm(&self, code: &'static str, measured: f64, expected: f64, sentence: String) -> Alarm {
        Alarm { code, source: self.now.source.clone(), class: None, measured, expected, sentence }
    }
}

fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// `3.2 %`
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p > 0.0 && p < 0.1 => "under 0.1 %".to_owned(),
        p => format!("{p:.1} %"),
    }
}

/// `2 h 5 min`
pub(super) fn duration(seconds: i64) -> String {
    let (sign, s) = if seconds < 0 { ("-", seconds.unsigned_abs()) } else { ("", seconds.unsigned_abs()) };
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{sign}{large} {unit}"),
        _ => format!("{sign}{large} {unit} {small} {part}"),
    };
    match s {
        0..60 => format!("{sign}{s} s"),
        60..3_600 => two(s / 60, "min", s % 60, "s"),
        3_600..86_400 => two(s / 3_600, "h", s % 3_600 / 60, "min"),
        _ => two(s / 86_400, "d", s % 86_400 / 3_600, "h"),
    }
}

/// ``` `a`, `b` and 3 more ```
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES_SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (seconds, expected) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_725, "1 h 2 min"), (90_000, "1 d 1 h"), (-7_200, "-2 h")]
        {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn nothing_is_wrong_with_nothing() {
        assert_eq!(judge(&Figures::default(), None), []);
        assert_eq!(judge(&Figures::default(), Some(&Figures::default())), []);
    }
}
