//! Numbers that a source gives its records one after the other: which of them never came.
//!
//! Numbers may come in any order and more than once. They are kept as runs without holes, at most [`super::RUNS_MAX`] of them.

use std::collections::BTreeMap;

use super::RUNS_MAX;

/// Numbers between two records that mean a new count, not missing records: a log that was cleared, a machine that was set up anew.
const JUMP: i64 = 100_000;
/// Fewest numbers that show whether something counts by one.
const NUMBERS_MIN: u64 = 20;
/// Share of steps by one from which on a field is a count of records. Below it the number counts something else (packets, bytes, records of
/// a log of which this is a part), and holes mean nothing.
const STEPS_BY_ONE_MIN: f64 = 0.8;

#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    /// First and last number of each run.
    runs: BTreeMap<i64, i64>,
    numbers: u64,
    settled_holes: u64,
    settled_missing: u64,
}

impl Sequence {
    pub(super) fn add(&mut self, number: i64) {
        let below = self.runs.range(..=number).next_back().map(|(from, to)| (*from, *to));
        if below.is_some_and(|(_, to)| number <= to) {
            return;
        }
        self.numbers += 1;
        let Some(next) = number.checked_add(1) else { return };
        // The run above grows down to this number, the run below up to it; a number that fills a hole joins both.
        let end = self.runs.remove(&next).unwrap_or(number);
        match below {
            Some((from, to)) if to.checked_add(1) == Some(number) => self.runs.insert(from, end),
            _ => self.runs.insert(number, end),
        };
        if self.runs.len() > RUNS_MAX {
            self.settle();
        }
    }

    /// Joins the lowest two runs and keeps what lies between them as missing.
    fn settle(&mut self) {
        let mut lowest = self.runs.iter().take(2).map(|(from, to)| (*from, *to));
        let (Some((from, to)), Some((next, end))) = (lowest.next(), lowest.next()) else { return };
        self.settled_holes += 1;
        self.settled_missing += hole(to, next);
        self.runs.remove(&next);
        self.runs.insert(from, end);
    }

    /// How many numbers came.
    pub(super) fn numbers(&self) -> u64 {
        self.numbers
    }

    /// How many never came; none if the number does not count records, or these are only excerpts.
    pub(super) fn missing(&self) -> Option<u64> {
        let runs = self.runs.len() as u64 + self.settled_holes;
        let by_one = self.numbers.saturating_sub(runs) as f64;
        let steps = self.numbers.saturating_sub(1) as f64;
        if self.numbers < NUMBERS_MIN || by_one < steps * STEPS_BY_ONE_MIN {
            return None;
        }
        let holes = self.runs.values().zip(self.runs.keys().skip(1)).map(|(to, from)| hole(*to, *from));
        // Where more is missing than came, these are excerpts of a log, not the log.
        Some(self.settled_missing + holes.sum::<u64>()).filter(|missing| *missing <= self.numbers)
    }
}

/// The numbers between two runs.
fn hole(to: i64, from: i64) -> u64 {
    let between = from.saturating_sub(to).saturating_sub(1);
    if between > JUMP { 0 } else { between as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(numbers: impl IntoIterator<Item = i64>) -> Option<u64> {
        let mut sequence = Sequence::default();
        numbers.into_iter().for_each(|number| sequence.add(number));
        sequence.missing()
    }

    #[test]
    fn holes_are_counted_in_any_order() {
        assert_eq!(missing(1..=100), Some(0));
        assert_eq!(missing((1..=100).rev()), Some(0));
        assert_eq!(missing((1..=100).chain(1..=100)), Some(0));
        assert_eq!(missing((1..=100).filter(|n| n % 25 != 1)), Some(3));
        assert_eq!(missing((1..=100).filter(|n| n % 25 != 1).chain([26])), Some(2));
        assert_eq!(missing((1..=50).chain(151..=200)), Some(100));
        assert_eq!(missing((1..=50).chain(152..=201)), None, "excerpts");
        assert_eq!(missing(1..=19), None, "too few");
        assert_eq!(missing((1..=1_000).map(|n| n * 7)), None, "does not count by one");
        assert_eq!(missing((1..=50).chain(50 + JUMP + 1..=50 + JUMP + 50)), None, "excerpts");
        assert_eq!(missing((1..=50).chain(50 + JUMP + 2..=50 + JUMP + 50)), Some(0), "a new count");
        assert_eq!(missing((0..30).map(|n| i64::MAX - n).chain((0..30).map(|n| i64::MIN + n))), Some(0));
    }

    #[test]
    fn runs_are_limited() {
        for runs in [RUNS_MAX - 1, RUNS_MAX, RUNS_MAX + 1, 3 * RUNS_MAX] {
            let mut sequence = Sequence::default();
            (0..runs as i64 * 10).filter(|n| n % 10 != 9).for_each(|n| sequence.add(n));
            assert!(sequence.runs.len() <= RUNS_MAX);
            assert_eq!(sequence.missing(), Some(runs as u64 - 1), "{runs}");
        }
    }
}
