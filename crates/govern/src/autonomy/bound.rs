//! The bounds that hold however often they are looked at.
//!
//! With s agreements and f failures, the lower bound is the smallest p with `B(1+s, 1+f) ≤ p^s (1−p)^f / α`, and α = 0.05. The left side over the
//! likelihood is a test martingale of the true p, so by Ville's inequality it ever reaches 1/α with a chance of α at most: whoever looks after each
//! outcome, and stops when it suits him, is wrong about the bound in at most 5 % of all histories.
//!
//! **The same bits everywhere.** A decision must replay to the same bytes years later on another machine. The standard library's `ln` is that of the
//! machine's C library, and those differ in the last bit. Here only `+ − × ÷` of IEEE 754, which are exact to the last bit by that standard, and `log` and
//! `log1p` of the crate `libm` are used, which are Rust made of the same four and use no instruction of a particular processor. What is asked and
//! answered are whole numbers, parts of 10^12 ([`Share`]), rounded to the careful side: a lower bound down, an upper bound up.
//!
//! **No ln-gamma.** `ln B` as a sum of ln-gammas loses its digits: at 10^9 outcomes each is 2·10^10, right to 4·10^-6, and the sum decides about a number
//! near 3. With Stirling's formula the large parts cancel on paper. With n = s + f, q = s/n, and δ(k) = ln k! − (½ ln 2πk + k ln k − k):
//!
//! ```text
//! ln (B / likelihood) = ½ ln(2π s f / n) + δ(s) + δ(f) − δ(n) − ln(n+1) + s ln(q/p) + f ln((1−q)/(1−p))
//! ```
//!
//! and both ratios are 1 plus a fraction whose numerator, s·10^12 − n·p, is taken in whole numbers. The error stays below 10^-9 where the next outcome
//! changes the sum by 10^-8 or more, so the bound never falls with an agreement and never rises with a failure, without a tolerance.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Share of all histories in which a bound may ever be wrong.
pub const ALPHA: f64 = 0.05;
/// ln(1/α): where the evidence against a p is enough.
const ENOUGH: f64 = 2.995_732_273_553_991;
/// Parts that a whole has.
const WHOLE: u64 = 1_000_000_000_000;
const TWO_PI: f64 = std::f64::consts::TAU;

/// A share of a whole, or a probability, in parts of 10^12.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Share(u64);

impl Share {
    /// Nothing of it.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const ALL: Self = Self(WHOLE);

    /// So many hundredths, at most all.
    #[must_use]
    pub const fn percent(hundredths: u8) -> Self {
        match hundredths {
            0..100 => Self(hundredths as u64 * (WHOLE / 100)),
            _ => Self::ALL,
        }
    }

    /// So many millionths, at most all.
    #[must_use]
    pub const fn millionths(millionths: u32) -> Self {
        match millionths {
            0..1_000_000 => Self(millionths as u64 * (WHOLE / 1_000_000)),
            _ => Self::ALL,
        }
    }

    /// Parts of 10^12.
    #[must_use]
    pub const fn parts(self) -> u64 {
        self.0
    }

    /// What is left of the whole.
    #[must_use]
    pub const fn rest(self) -> Self {
        Self(WHOLE.saturating_sub(self.0))
    }
}

impl TryFrom<u64> for Share {
    type Error = String;

    fn try_from(parts: u64) -> Result<Self, String> {
        if parts > WHOLE {
            return Err(format!("{parts} is more than all: a share has at most {WHOLE} parts"));
        }
        Ok(Self(parts))
    }
}

impl From<Share> for u64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

/// As a decimal number of up to twelve digits, without zeros at its end.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mut part, mut digits) = (self.0 / WHOLE, self.0 % WHOLE, 12);
        if part == 0 {
            return write!(f, "{whole}");
        }
        while part % 10 == 0 {
            (part, digits) = (part / 10, digits - 1);
        }
        write!(f, "{whole}.{part:0digits$}")
    }
}

/// What is known of the chance of an agreement: at least so much, after so many agreements and failures.
#[must_use]
pub fn lower(agreed: u64, failed: u64) -> Share {
    let outcomes = u128::from(agreed) + u128::from(failed);
    // The largest share that the outcomes speak against is between these, and not above what was seen.
    let mut low = 0;
    let seen = (u128::from(agreed) * u128::from(WHOLE)).checked_div(outcomes).unwrap_or(0);
    let mut high = u64::try_from(seen).unwrap_or(0);
    while low < high {
        let middle = high - (high - low) / 2;
        if evidence(agreed, failed, middle) >= ENOUGH { low = middle } else { high = middle - 1 }
    }
    Share(low)
}

/// What is known of the chance of a failure: at most so much.
#[must_use]
pub fn upper(agreed: u64, failed: u64) -> Share {
    lower(agreed, failed).rest()
}

/// Whether the lower bound reaches a bar: the same as `lower(agreed, failed) >= bar`, at a fortieth of the cost.
#[must_use]
pub fn reaches(agreed: u64, failed: u64, bar: Share) -> bool {
    let outcomes = u128::from(agreed) + u128::from(failed);
    let above = u128::from(agreed) * u128::from(WHOLE) >= outcomes * u128::from(bar.0);
    bar.0 == 0 || (above && evidence(agreed, failed, bar.0) >= ENOUGH)
}

/// The fewest agreements with which the lower bound reaches a bar after so many failures; none if more than `most` are needed.
#[must_use]
pub fn needed(failed: u64, bar: Share, most: u64) -> Option<u64> {
    if !reaches(most, failed, bar) {
        return None;
    }
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if reaches(middle, failed, bar) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

/// ln of the mixture over the likelihood at p = parts / 10^12: how much the outcomes speak against p.
fn evidence(agreed: u64, failed: u64, parts: u64) -> f64 {
    let outcomes = u128::from(agreed) + u128::from(failed);
    let (p, rest) = (u128::from(parts), u128::from(WHOLE.saturating_sub(parts)));
    let (s, f, n) = (agreed as f64, failed as f64, outcomes as f64);
    // q − p, times n and 10^12; both products are below 2^105.
    let ahead = (u128::from(agreed) * u128::from(WHOLE)).cast_signed() - (outcomes * p).cast_signed();
    let mut sum = -libm::log1p(n);
    if agreed > 0 {
        sum += s * libm::log1p(ahead as f64 / (outcomes * p) as f64);
    }
    if failed > 0 {
        sum += f * libm::log1p(-(ahead as f64) / (outcomes * rest) as f64);
    }
    if agreed > 0 && failed > 0 {
        sum += 0.5 * libm::log(TWO_PI * s * (f / n)) + stirling(agreed) + stirling(failed) - stirling(outcomes as u64);
    }
    sum
}

/// δ(k) for 1 to 15, where the series is too short.
const STIRLING: [f64; 15] = [
    0.081_061_466_795_327_26,
    0.041_340_695_955_409_29,
    0.027_677_925_684_998_34,
    0.020_790_672_103_765_093,
    0.016_644_691_189_821_193,
    0.013_876_128_823_070_748,
    0.011_896_709_945_891_77,
    0.010_411_265_261_972_096,
    0.009_255_462_182_712_733,
    0.008_330_563_433_362_87,
    0.007_573_675_487_951_841,
    0.006_942_840_107_209_53,
    0.006_408_994_188_004_207,
    0.005_951_370_112_758_848,
    0.005_554_733_551_962_801,
];

/// δ(k) = ln k! − (½ ln 2πk + k ln k − k), for k of at least 1.
fn stirling(k: u64) -> f64 {
    let at = usize::try_from(k).ok().and_then(|k| k.checked_sub(1));
    if let Some(exact) = at.and_then(|at| STIRLING.get(at)) {
        return *exact;
    }
    let k = k as f64;
    let square = k * k;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / k
}

#[cfg(test)]
mod tests;
