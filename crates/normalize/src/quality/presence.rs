//! When a source had events: moments of its time, whatever their order.
//!
//! Moments are seconds at first. When there are more than [`super::MOMENTS_MAX`] their width doubles, so a silence is found to
//! about one part in eight thousand of the time covered.

use std::collections::BTreeSet;

use super::MOMENTS_MAX;

#[derive(Clone, Debug)]
pub(super) struct Presence {
    width: i64,
    moments: BTreeSet<i64>,
}

impl Default for Presence {
    fn default() -> Self {
        Self { width: 1, moments: BTreeSet::new() }
    }
}

/// Silences of a source, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps {
    /// How many moments had events.
    pub(super) moments: u64,
    /// From the first to the last moment.
    pub(super) span: i64,
    pub(super) longest: i64,
    /// Where the longest began: epoch seconds.
    pub(super) longest_from: i64,
    /// 99 of 100 silences are no longer.
    pub(super) usual: i64,
}

impl Presence {
    pub(super) fn add(&mut self, millis: i64) {
        self.moments.insert(millis.div_euclid(1_000).div_euclid(self.width));
        while self.moments.len() > MOMENTS_MAX {
            self.width = self.width.saturating_mul(2);
            self.moments = self.moments.iter().map(|moment| moment.div_euclid(2)).collect();
        }
    }

    pub(super) fn gaps(&self) -> Gaps {
        let mut lengths = Vec::with_capacity(self.moments.len());
        let mut found = Gaps { moments: self.moments.len() as u64, ..Gaps::default() };
        for (from, to) in self.moments.iter().zip(self.moments.iter().skip(1)) {
            let length = to.saturating_sub(*from).saturating_mul(self.width);
            if length > found.longest {
                (found.longest, found.longest_from) = (length, from.saturating_mul(self.width));
            }
            lengths.push(length);
        }
        if let (Some(first), Some(last)) = (self.moments.first(), self.moments.last()) {
            found.span = last.saturating_sub(*first).saturating_mul(self.width);
        }
        lengths.sort_unstable();
        let at = (lengths.len() * 99).div_ceil(100).saturating_sub(1);
        found.usual = lengths.get(at).copied().unwrap_or(0);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_are_found_in_any_order() {
        for (seconds, expected) in [
            (vec![], (0, 0)),
            (vec![5], (0, 0)),
            (vec![0, 10, 20, 500, 30], (470, 470)),
            (vec![500, 0, 20, 10, 30], (470, 470)),
            (vec![7, 7, 8, 9], (1, 1)),
        ] {
            let mut presence = Presence::default();
            seconds.iter().for_each(|second| presence.add(second * 1_000));
            let gaps = presence.gaps();
            assert_eq!((gaps.longest, gaps.usual), expected, "{seconds:?}");
        }
    }

    #[test]
    fn moments_are_limited() {
        for count in [MOMENTS_MAX as i64 - 1, MOMENTS_MAX as i64, MOMENTS_MAX as i64 + 1] {
            let mut presence = Presence::default();
            (0..count).for_each(|second| presence.add(second * 1_000));
            presence.add((count + 5_000) * 1_000);
            assert!(presence.moments.len() <= MOMENTS_MAX, "{count}");
            assert!((5_000..=5_004).contains(&presence.gaps().longest), "{count}: {:?}", presence.gaps());
        }
    }
}
