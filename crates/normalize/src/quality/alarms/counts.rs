//! Records that are not as they should be, by count and share.

use super::super::figures::{SourceFigures, UNKNOWN};
use super::{Alarm, Pair, percent, share};

/// Fewest such records that are worth an alarm. One odd line in a log is not news.
const RECORDS_MIN: u64 = 5;
/// Share of records that cannot be read, above the usual one. A healthy source has none; 1 % is a writer or transport that damages records.
const FAILURES_RISE: f64 = 0.01;
/// Share of records without a class of their own, above the usual one. New kinds of events come one by one; 5 % is a mapping that no longer fits.
const BASE_EVENTS_RISE: f64 = 0.05;
/// Share of records without a usable time, above the usual one, for the same reason.
const TIMELESS_RISE: f64 = 0.05;
/// Share of copies, above the usual one. Text logs with whole seconds repeat a line now and then, well under 2 %.
const DUPLICATES_RISE: f64 = 0.02;
/// Fewest copies: ten repeated lines are still a burst of one program.
const DUPLICATES_MIN: u64 = 10;
/// Share of records with a key that stands twice, above the usual one. A serialiser does it always or never.
const DUPLICATE_KEYS_RISE: f64 = 0.01;
/// Share of events out of order, above the usual one. Several writers of one log overtake each other a little.
const DISORDER_RISE: f64 = 0.02;
/// Share of events out of order that is too much without a reference: then the stream as a whole is not in order.
const DISORDER_ALONE: f64 = 0.2;
/// Rise of the share of missing numbers where some were missing before.
const MISSING_RISE: f64 = 0.001;

pub(super) fn judge(pair: &Pair<'_>, alarms: &mut Vec<Alarm>) {
    alarms.extend(failures(pair));
    alarms.extend(base_events(pair));
    alarms.extend(timeless(pair));
    alarms.extend(duplicates(pair));
    alarms.extend(duplicate_keys(pair));
    alarms.extend(cut(pair));
    alarms.extend(oversize(pair));
    alarms.extend(disorder(pair));
    alarms.extend(sequence(pair));
}

/// What to say of the share of an earlier run, if there is one.
fn usual_is(pair: &Pair<'_>, share: f64) -> String {
    pair.reference.map_or(String::new(), |_| format!("; usual is {}", percent(share)))
}

/// The share of an earlier run; 0 without one.
fn usual(pair: &Pair<'_>, figure: impl Fn(&SourceFigures) -> u64) -> f64 {
    pair.reference.map_or(0.0, |reference| share(figure(reference), reference.records))
}

fn failures(pair: &Pair<'_>) -> Option<Alarm> {
    let now = pair.now;
    // What nothing recognises has no source of its own to be a share of.
    let is_unknown = now.source == UNKNOWN;
    let all = if is_unknown { pair.stream } else { now.records };
    let measured = share(now.failures, all);
    let expected = match pair.reference {
        Some(reference) if is_unknown => share(reference.failures, pair.earlier_stream),
        _ => usual(pair, |source| source.failures),
    };
    if now.failures < RECORDS_MIN || measured - expected < FAILURES_RISE {
        return None;
    }
    let commonest = now.failed_codes.iter().max_by_key(|(_, (count, _))| *count);
    let most = commonest.map_or(String::new(), |(code, (_, signatures))| {
        let wording = signatures.first().map_or(String::new(), |(text, _)| format!(" ({text})"));
        format!(", most often {code}{wording}")
    });
    let sentence = match is_unknown {
        true => format!(
            "{} of all {all} records ({}) are of no source that is known here{most}{}",
            now.failures,
            percent(measured),
            usual_is(pair, expected)
        ),
        false => format!(
            "{} of {all} records ({}) could not be read{most}{}",
            now.failures,
            percent(measured),
            usual_is(pair, expected)
        ),
    };
    Some(pair.alarm("quality.parse_failures", measured, expected, sentence))
}

fn base_events(pair: &Pair<'_>) -> Option<Alarm> {
    let now = pair.now;
    // Some kinds have base events by design, so without a reference only those count that should have become something else.
    let count = if pair.reference.is_some() { now.base_events } else { now.fallbacks };
    let (measured, expected) = (share(count, now.records), usual(pair, |source| source.base_events));
    (count >= RECORDS_MIN && measured - expected >= BASE_EVENTS_RISE).then(|| {
        let sentence = format!(
            "{count} of {} records ({}) only became base events{}. The mapping no longer fits what the source writes",
            now.records,
            percent(measured),
            usual_is(pair, expected)
        );
        pair.alarm("quality.base_events", measured, expected, sentence)
    })
}

fn timeless(pair: &Pair<'_>) -> Option<Alarm> {
    let reference = pair.reference?;
    let now = pair.now;
    let (measured, expected) = (share(now.without_time, now.records), share(reference.without_time, reference.records));
    (now.without_time >= RECORDS_MIN && measured - expected >= TIMELESS_RISE).then(|| {
        let sentence = format!(
            "{} of {} records ({}) have no usable time of their own{}",
            now.without_time,
            now.records,
            percent(measured),
            usual_is(pair, expected)
        );
        pair.alarm("quality.time_missing", measured, expected, sentence)
    })
}

fn duplicates(pair: &Pair<'_>) -> Option<Alarm> {
    let now = pair.now;
    let (measured, expected) = (share(now.duplicates, now.records), usual(pair, |source| source.duplicates));
    (now.duplicates >= DUPLICATES_MIN && measured - expected >= DUPLICATES_RISE).then(|| {
        let at_least = if now.duplicates_exact { "" } else { "at least " };
        let sentence = format!(
            "{at_least}{} of {} records ({}) are copies of records that came before{}",
            now.duplicates,
            now.records,
            percent(measured),
            usual_is(pair, expected)
        );
        pair.alarm("quality.duplicates", measured, expected, sentence)
    })
}

fn duplicate_keys(pair: &Pair<'_>) -> Option<Alarm> {
    let now = pair.now;
    let (measured, expected) = (share(now.duplicate_keys, now.records), usual(pair, |source| source.duplicate_keys));
    (now.duplicate_keys >= RECORDS_MIN && measured - expected >= DUPLICATE_KEYS_RISE).then(|| {
        let sentence = format!(
            "{} of {} records ({}) have a key twice in one object, so that readers may differ about its value{}",
            now.duplicate_keys,
            now.records,
            percent(measured),
            usual_is(pair, expected)
        );
        pair.alarm("quality.duplicate_keys", measured, expected, sentence)
    })
}

fn cut(pair: &Pair<'_>) -> Option<Alarm> {
    let expected = usual(pair, |source| source.truncated);
    let measured = share(pair.now.truncated, pair.now.records);
    (pair.now.truncated > 0 && measured > expected).then(|| {
        let sentence = format!("{} records or inputs end too early: what was cut off is lost", pair.now.truncated);
        pair.alarm("quality.truncated", pair.now.truncated as f64, expected * pair.now.records as f64, sentence)
    })
}

fn oversize(pair: &Pair<'_>) -> Option<Alarm> {
    let expected = usual(pair, |source| source.oversize);
    let measured = share(pair.now.oversize, pair.now.records);
    (pair.now.oversize > 0 && measured > expected).then(|| {
        let sentence = format!(
            "{} records are longer than a record may be; only their hash and size were kept",
            pair.now.oversize
        );
        pair.alarm("quality.oversize", pair.now.oversize as f64, expected * pair.now.records as f64, sentence)
    })
}

fn disorder(pair: &Pair<'_>) -> Option<Alarm> {
    let now = pair.now;
    let (measured, expected) = (share(now.disordered, now.records), usual(pair, |source| source.disordered));
    let rise = if pair.reference.is_some() { DISORDER_RISE } else { DISORDER_ALONE };
    (now.disordered >= RECORDS_MIN && measured - expected >= rise).then(|| {
        let worst = super::duration(now.worst_disorder_ms / 1_000);
        let sentence = format!(
            "{} of {} events ({}) come after later ones of the same host and log, at worst {worst} late{}",
            now.disordered,
            now.records,
            percent(measured),
            usual_is(pair, expected)
        );
        pair.alarm("quality.disorder", measured, expected, sentence)
    })
}

fn sequence(pair: &Pair<'_>) -> Option<Alarm> {
    let part =
        |source: &SourceFigures| share(source.sequence.missing, source.sequence.missing + source.sequence.numbers);
    let (missing, measured) = (pair.now.sequence.missing, part(pair.now));
    let expected = pair.reference.map_or(0.0, part);
    let is_more = expected == 0.0 || measured - expected >= MISSING_RISE;
    (missing > 0 && is_more).then(|| {
        let sentence = format!("{missing} record numbers never came ({}, in {} series of numbers that the source itself gives): records were lost, filtered, or removed", percent(measured), pair.now.sequence.series);
        pair.alarm("quality.sequence_gap", missing as f64, expected * (missing + pair.now.sequence.numbers) as f64, sentence)
    })
}
