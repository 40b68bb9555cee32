//! Sources that say nothing for longer than they should.

use super::super::figures::SourceFigures;
use super::{Alarm, Pair, duration};

/// Moments with events from which on a source is expected to go on. Fewer are a sample, not a stream.
const MOMENTS_MIN: u64 = 20;
/// Moments from which on an earlier run shows what silence is usual.
const REFERENCE_MOMENTS_MIN: u64 = 100;
/// Times the usual (p99) silence. Traffic is bursty: one silence in a hundred is longer than usual, some by much.
const USUAL_FACTOR: i64 = 10;
/// Times the longest silence of the earlier run, which may not have seen a quiet night.
const LONGEST_FACTOR: i64 = 2;
/// Times the time that a source's records cover otherwise. A longer silence stands between files of different days that were
/// read in one run: it says nothing of the source.
const COVERED_FACTOR: i64 = 100;
/// Seconds of silence that are never called long by comparison alone: a busy source pauses when its host restarts.
const COMPARED_MIN_S: i64 = 15 * 60;

pub(super) fn judge(pair: &Pair<'_>, end: Option<i64>) -> Option<Alarm> {
    let silence = &pair.now.silence;
    if silence.moments < MOMENTS_MIN || silence.means_nothing {
        return None;
    }
    let at_end = silence.last.zip(end).map_or(0, |(last, end)| end.saturating_sub(last));
    let longest = silence.longest_s.max(at_end);
    let covered = match at_end >= silence.longest_s {
        true => silence.span_s,
        false => silence.span_s.saturating_sub(silence.longest_s),
    };
    if longest > covered.saturating_mul(COVERED_FACTOR) {
        return None;
    }
    let reference =
        pair.reference.map(|reference| &reference.silence).filter(|known| known.moments >= REFERENCE_MOMENTS_MIN);
    let compared = reference.map(|known| {
        (known.usual_s.saturating_mul(USUAL_FACTOR))
            .max(known.longest_s.saturating_mul(LONGEST_FACTOR))
            .max(COMPARED_MIN_S)
    });
    // A silence that the earlier run had as well is known, even if it is longer than the mapping says.
    let declared = silence.declared_s.map(|declared| declared.max(reference.map_or(0, |known| known.longest_s)));
    let expected = [declared, compared].into_iter().flatten().min()?;
    (longest > expected).then(|| {
        let place = match at_end >= silence.longest_s {
            true => "until the end of the stream, while others went on".to_owned(),
            false => format!("from {}", moment(silence.longest_from)),
        };
        let meaning = if silence.meaning.is_empty() {
            String::new()
        } else {
            format!(". What the source's mapping says: {}", silence.meaning)
        };
        let sentence =
            format!("nothing came for {} {place}; at most {} is usual{meaning}", duration(longest), duration(expected));
        pair.alarm("quality.silence", longest as f64, expected as f64, sentence)
    })
}

/// A source of the earlier run of which nothing came at all.
pub(super) fn never_came(reference: &SourceFigures) -> Option<Alarm> {
    let silence = &reference.silence;
    if silence.moments < MOMENTS_MIN || silence.means_nothing {
        return None;
    }
    Some(Alarm {
        code: "quality.silence",
        source: reference.source.clone(),
        class: None,
        measured: 0.0,
        expected: reference.records as f64,
        sentence: format!(
            "no record came; the earlier run had {}. What the source's mapping says: {}",
            reference.records, silence.meaning
        ),
    })
}

fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
