//! How numbers are spread: counts in buckets that grow by 0.2 %, so that any percentile is right to 0.1 % in bounded memory.

use std::collections::BTreeMap;

/// Each bucket's upper end over its lower end. 64 bits of milliseconds make at most 22,000 buckets.
const GROWTH: f64 = 1.002;

/// Milliseconds of either sign.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    /// By bucket; negative numbers in negative buckets, zero in 0.
    buckets: BTreeMap<i32, u64>,
    pub(super) count: u64,
}

impl Spread {
    pub(super) fn add(&mut self, millis: i64) {
        *self.buckets.entry(bucket(millis)).or_insert(0) += 1;
        self.count += 1;
    }

    /// The number that this part of all is not above.
    pub(super) fn quantile(&self, part: f64) -> Option<i64> {
        let wanted = ((self.count as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in &self.buckets {
            seen += count;
            if seen >= wanted {
                return Some(middle(*bucket));
            }
        }
        None
    }
}

fn bucket(millis: i64) -> i32 {
    if millis == 0 {
        return 0;
    }
    let size = ((millis.unsigned_abs() as f64).ln() / GROWTH.ln()).floor() as i32 + 1;
    if millis < 0 { -size } else { size }
}

fn middle(bucket: i32) -> i64 {
    if bucket == 0 {
        return 0;
    }
    let size = GROWTH.powf(f64::from(bucket.abs()) - 0.5).round() as i64;
    if bucket < 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_close() {
        let mut spread = Spread::default();
        assert_eq!(spread.quantile(0.5), None);
        (-1_000..=99_000).for_each(|n| spread.add(n * 10));
        for (part, expected) in [(0.0, -10_000), (0.01, 0), (0.5, 490_000), (0.99, 980_000), (1.0, 990_000)] {
            let found = spread.quantile(part).unwrap();
            assert!((found - expected).abs() <= 10 + expected.abs() / 500, "{part}: {found}");
        }
    }

    #[test]
    fn the_largest_numbers_have_a_bucket() {
        for n in [i64::MIN, -1, 0, 1, i64::MAX] {
            let mut spread = Spread::default();
            spread.add(n);
            let found = spread.quantile(0.5).unwrap();
            assert_eq!(found.signum(), n.signum());
            assert!(spread.buckets.keys().all(|bucket| bucket.abs() < 22_500));
        }
    }
}
