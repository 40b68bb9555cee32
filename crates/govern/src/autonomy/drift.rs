//! Whether a cell does worse than it did: the last outcomes against those before.
//!
//! **The test.** Outcomes are cut into blocks of [`WINDOW`]. If nothing has changed, all orders of the same outcomes are equally likely, whatever the
//! chance of a failure is; so, of F failures in N outcomes, the number in the last block is hypergeometric. The alarm is raised when so many as were
//! seen, or more, have a chance of at most `ALPHA / (k (k+1))` in block k (Fisher's exact test, one-sided). The sum of these over all k is
//! [`ALPHA`]: a cell that never changes is ever alarmed with a chance of 5 % at most, with no end to the looking and without knowing its rate.
//!
//! **No waiting for the end of a block.** After each failure the rest of the block is taken to be agreements; the more failures, the smaller the chance.
//! If that is an alarm then the block's end will be one too, so it is raised at once and costs nothing of the 5 %.
//!
//! The chance is a ratio of sums of products, made with `+ × ÷` alone: the same bits everywhere.

use serde::{Deserialize, Serialize};

/// Outcomes in a block.
pub const WINDOW: u64 = 50;
/// Share of unchanging cells that are ever alarmed, at most.
pub const ALPHA: f64 = 0.05;

/// Agreements and failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Where the person agreed.
    pub agreed: u64,
    /// Where the person did not.
    pub failed: u64,
}

impl Tally {
    /// Both.
    #[must_use]
    pub fn outcomes(self) -> u64 {
        self.agreed.saturating_add(self.failed)
    }
}

/// Outcomes in their order, as far as the test needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Those of full blocks.
    before: Tally,
    /// Those of the block that is being filled.
    block: Tally,
    /// Full blocks.
    blocks: u64,
}

impl Course {
    /// All outcomes.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally {
            agreed: self.before.agreed.saturating_add(self.block.agreed),
            failed: self.before.failed.saturating_add(self.block.failed),
        }
    }

    /// Adds one; whether it is an alarm.
    pub fn add(&mut self, agreed: bool) -> bool {
        let count = if agreed { &mut self.block.agreed } else { &mut self.block.failed };
        *count = count.saturating_add(1);
        let alarm = !agreed && self.is_alarm();
        if self.block.outcomes() >= WINDOW {
            self.before = self.tally();
            self.block = Tally::default();
            self.blocks = self.blocks.saturating_add(1);
        }
        alarm
    }

    /// Takes an agreement back, which turned out to be none; the failure is added as an outcome of now.
    pub fn take_back(&mut self) {
        let from = if self.block.agreed > 0 { &mut self.block.agreed } else { &mut self.before.agreed };
        *from = from.saturating_sub(1);
    }

    /// Whether the block, if all the rest of it were agreements, has too many failures.
    fn is_alarm(&self) -> bool {
        let k = self.blocks as f64;
        self.blocks > 0 && tail(self.before, self.block.failed) <= ALPHA / (k * (k + 1.0))
    }
}

/// Chance that at least so many of all failures are in the last block, if all orders are equally likely.
fn tail(before: Tally, failed: u64) -> f64 {
    let failures = before.failed.saturating_add(failed);
    let agreements = before.agreed.saturating_add(WINDOW.saturating_sub(failed));
    let (window, all, agreed) = (WINDOW as f64, failures as f64, agreements as f64);
    // Weights of j failures in the block, C(F, j) C(N−F, W−j), each made from the one before; the first that is possible is set to 1.
    let (mut weight, mut sum, mut above) = (1.0_f64, 0.0_f64, 0.0_f64);
    for j in WINDOW.saturating_sub(agreements)..=failures.min(WINDOW) {
        sum += weight;
        if j >= failed {
            above += weight;
        }
        let j = j as f64;
        weight *= (all - j) * (window - j) / ((j + 1.0) * (agreed - window + j + 1.0));
        if weight > LARGE {
            (weight, sum, above) = (weight / LARGE, sum / LARGE, above / LARGE);
        }
    }
    above / sum
}

/// Weights are made smaller together beyond this, so that none is ever infinite: one step multiplies by less than 10^21.
const LARGE: f64 = 1e200;

#[cfg(test)]
mod tests {
    use super::*;

    /// By counting with exact numbers: the chance as a fraction.
    fn exact(before: Tally, failed: u64) -> f64 {
        let choose = |n: u64, k: u64| -> f64 {
            if k > n { 0.0 } else { (0..k).map(|i| (n - i) as f64 / (k - i) as f64).product() }
        };
        let failures = before.failed + failed;
        let all = before.outcomes() + WINDOW;
        let of = |j: u64| choose(failures, j) * choose(all - failures, WINDOW - j) / choose(all, WINDOW);
        (failed..=WINDOW.min(failures)).map(of).sum()
    }

    #[test]
    fn the_chance_is_hypergeometric() {
        for agreed in [0, 1, 10, 49, 50, 51, 100, 950] {
            for before in [0, 1, 2, 10, 49, 50, 51, 200] {
                for failed in 0..=WINDOW {
                    let before = Tally { agreed, failed: before };
                    let (ours, due) = (tail(before, failed), exact(before, failed));
                    assert!((ours - due).abs() <= 1e-10 * due, "{before:?} {failed}: {ours} {due}");
                }
            }
        }
        // Two places of a hundred, one in the last fifty and at least one: 1 − C(50,2)/C(100,2).
        assert!((tail(Tally { agreed: 49, failed: 1 }, 1) - (1.0 - 1225.0 / 4950.0)).abs() < 1e-12);
    }

    #[test]
    fn no_number_is_too_large() {
        for agreed in [0, 1, 25, 1_000_000_000, u64::MAX] {
            for failed in [0, 1, 1_000_000_000, u64::MAX] {
                for block in [0, 1, 25, 50] {
                    let chance = tail(Tally { agreed, failed }, block);
                    assert!((0.0..=1.0).contains(&chance), "{agreed} {failed} {block}: {chance}");
                }
            }
        }
        assert!(tail(Tally { agreed: 50, failed: 1_000_000_000 }, 50) > 0.99);
        assert!(tail(Tally { agreed: 1_000_000_000, failed: 0 }, 2) < 1e-14);
        // Where the weights are made smaller at the last step, and those before count: of F failures in N outcomes all fifty, F/N · (F−1)/(N−1) · …
        for (agreed, failures) in
            [(1_000_000_u64, 11_000_000_000_u64), (1_000_000, 12_000_000_000), (50_000, 550_000_000)]
        {
            let all = (agreed + failures) as f64;
            let due: f64 = (0..WINDOW).map(|i| (failures as f64 - i as f64) / (all - i as f64)).product();
            let found = tail(Tally { agreed, failed: failures - WINDOW }, WINDOW);
            assert!((found - due).abs() < 1e-9, "{agreed} {failures}: {found} {due}");
        }
    }

    #[test]
    fn more_failures_are_never_likelier() {
        // That is why the alarm need not wait for the end of the block.
        for agreed in [50, 100, 990, 10_000] {
            for before in [0, 1, 10, 500] {
                for failed in 1..=WINDOW {
                    let before = Tally { agreed, failed: before };
                    assert!(tail(before, failed) <= tail(before, failed - 1), "{before:?} {failed}");
                }
            }
        }
    }

    /// Adds outcomes of which each letter is one: `+` fifty agreements, `-` a failure.
    fn course(text: &str) -> (Course, Vec<usize>) {
        let (mut course, mut alarms) = (Course::default(), Vec::new());
        for (at, letter) in text.chars().enumerate() {
            let outcomes = if letter == '+' { WINDOW } else { 1 };
            for _ in 0..outcomes {
                if course.add(letter == '+') {
                    alarms.push(at);
                }
            }
        }
        (course, alarms)
    }

    #[test]
    fn alarms() {
        // No history: nothing to compare with. After one clean block the sixth failure is one (0.0133 ≤ 0.05/2), the fifth is not (0.0281).
        assert_eq!(course("--------------------").1, [0_usize; 0]);
        assert_eq!(course("+------").1, [6]);
        assert_eq!(course("+-----").1, [0_usize; 0]);
        // With a long history fewer are enough: 0.05/(20·21) is 1.19·10^-4, two have a chance of 2.2·10^-3, three of 1.02·10^-4.
        assert_eq!(course("++++++++++++++++++++--").1, [0_usize; 0]);
        assert_eq!(course("++++++++++++++++++++---").1, [22]);
        // 0.05/(40·41) is 3.05·10^-5: two have a chance of 5.8·10^-4, three of 1.37·10^-5.
        let long = "+".repeat(40);
        assert_eq!(course(&format!("{long}--")).1, [0_usize; 0]);
        assert_eq!(course(&format!("{long}---")).1, [42]);
    }

    #[test]
    fn blocks_are_full_at_fifty() {
        let (full, _) = course("+");
        let due = Course { before: Tally { agreed: 50, failed: 0 }, block: Tally::default(), blocks: 1 };
        assert_eq!(full, due);
        let mut course = Course::default();
        for _ in 0..49 {
            assert!(!course.add(true));
        }
        assert_eq!((course.blocks, course.block.outcomes(), course.tally().outcomes()), (0, 49, 49));
        course.add(false);
        assert_eq!((course.blocks, course.before, course.tally()), (1, Tally { agreed: 49, failed: 1 }, course.before));
    }

    #[test]
    fn an_agreement_is_taken_back() {
        let mut course = course("+").0;
        course.add(true);
        for (before, block) in [(50, 0), (49, 0)] {
            course.take_back();
            assert_eq!((course.before.agreed, course.block.agreed), (before, block));
            assert_eq!(course.tally().outcomes(), before + block);
        }
    }
}
