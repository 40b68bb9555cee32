//! Clocks that went wrong.

use super::super::figures::{Basis, ClockFigures, UNKNOWN};
use super::super::gather::{HOUR_MS, is_whole_hours};
use super::{Alarm, Pair, duration, percent, share};

/// Fewest events by which a clock is judged: fewer may be one late delivery.
const EVENTS_MIN: u64 = 20;
/// Share of events a whole number of hours off, above the usual one. By chance it is 5 % where delays are spread over hours.
const WHOLE_HOURS_RISE: f64 = 0.2;
/// Share of events observed before they happened, above the usual one.
const NEGATIVE_RISE: f64 = 0.05;
/// Milliseconds that the median may move. Clocks kept by NTP differ by less than a second, deliveries by a few.
const MEDIAN_MOVE_MS: i64 = 60_000;

pub(super) fn judge(pair: &Pair<'_>) -> Option<Alarm> {
    let clock = &pair.now.clock;
    if clock.records < EVENTS_MIN || pair.now.source == UNKNOWN {
        return None;
    }
    let same = |known: &&ClockFigures| known.basis == clock.basis && known.records >= EVENTS_MIN;
    let reference = pair.reference.map(|reference| &reference.clock).filter(same);
    if matches!(clock.basis, Basis::Observer | Basis::Receipt) {
        if let Some(alarm) = reference.and_then(|reference| moved(pair, reference)) {
            return Some(alarm);
        }
        let expected = reference.map_or(0.0, |known| share(known.whole_hours, known.records));
        let measured = share(clock.whole_hours, clock.records);
        if clock.whole_hours >= EVENTS_MIN && measured - expected >= WHOLE_HOURS_RISE {
            let sentence = format!(
                "{} of the events are a whole number of hours off, most by {} h: a clock or log without a time zone, or with a wrong one",
                percent(measured),
                clock.usual_hours
            );
            return Some(pair.alarm("quality.clock_shift", measured, expected, sentence));
        }
    }
    let expected = reference.map_or(0.0, |known| share(known.negative, known.records));
    let measured = share(clock.negative, clock.records);
    (clock.negative >= EVENTS_MIN && measured - expected >= NEGATIVE_RISE).then(|| {
        let sentence = format!(
            "{} of the events have a time after they were observed: the clock of the source is ahead",
            percent(measured)
        );
        pair.alarm("quality.clock_skew", measured, expected, sentence)
    })
}

/// Whether the median moved, and whether by whole hours.
fn moved(pair: &Pair<'_>, reference: &ClockFigures) -> Option<Alarm> {
    let clock = &pair.now.clock;
    let by = clock.p50_ms.saturating_sub(reference.p50_ms);
    let way = if by > 0 { "behind" } else { "ahead" };
    if is_whole_hours(by) {
        let hours = by.saturating_add(by.signum() * HOUR_MS / 2) / HOUR_MS;
        let sentence = format!(
            "event times are {} h {way} of where they were: a time zone changed, or is read wrongly",
            hours.abs()
        );
        return Some(pair.alarm(
            "quality.clock_shift",
            clock.p50_ms as f64 / 1e3,
            reference.p50_ms as f64 / 1e3,
            sentence,
        ));
    }
    let usual_spread = reference.p99_ms.saturating_sub(reference.p50_ms);
    (by.abs() >= MEDIAN_MOVE_MS.max(usual_spread)).then(|| {
        let sentence = format!("event times are {} {way} of where they were: the clock of the source is wrong, or its records are delivered with another delay", duration(by.abs() / 1_000));
        pair.alarm("quality.clock_skew", clock.p50_ms as f64 / 1e3, reference.p50_ms as f64 / 1e3, sentence)
    })
}
