//! When what may be done: change freezes, maintenance, declared tests, and the hours of those who answer for assets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use watchfloor_model::action::Verb;
use watchfloor_model::ids::EntityId;

/// What a window is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Nothing is changed: machines do nothing, people agree by two.
    Freeze,
    /// Work is being done: what looks like an attack may be it, so a person agrees.
    Maintenance,
    /// An attack is being played: a person agrees.
    Test,
}

/// A time with two ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Epoch milliseconds of its first moment.
    pub from: i64,
    /// Epoch milliseconds of the first moment after it.
    pub to: i64,
    /// Assets that it is about; none: all.
    #[serde(default)]
    pub assets: BTreeSet<EntityId>,
    /// Verbs that it is about; none: all that touch the work of assets.
    #[serde(default)]
    pub verbs: BTreeSet<Verb>,
}

/// Hours of a week, in the local time of some place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Assets that they are about.
    pub assets: BTreeSet<EntityId>,
    /// Minutes that local time is ahead of UTC.
    #[serde(default)]
    pub ahead: i32,
    /// Days of work: 1 is Monday, 7 Sunday.
    pub days: BTreeSet<u8>,
    /// First minute of the day.
    pub from: u16,
    /// First minute of the day after work.
    pub to: u16,
}

/// When what may be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Windows {
    /// Times with two ends.
    pub windows: Vec<Window>,
    /// Hours in which machines do not touch these assets alone, because somebody works with them.
    pub hours: Vec<Hours>,
}

const MINUTE: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

impl Window {
    /// Whether a moment is in it.
    #[must_use]
    pub fn holds(&self, now: i64) -> bool {
        self.from <= now && now < self.to
    }

    /// Whether it is about a verb done to an asset.
    #[must_use]
    pub fn concerns(&self, verb: Verb, asset: Option<&EntityId>) -> bool {
        let asset = self.assets.is_empty() || asset.is_some_and(|asset| self.assets.contains(asset));
        asset && if self.verbs.is_empty() { verb.row().touches } else { self.verbs.contains(&verb) }
    }
}

impl Hours {
    /// Whether somebody works at a moment.
    #[must_use]
    pub fn holds(&self, now: i64) -> bool {
        let minutes = now.div_euclid(MINUTE) + i64::from(self.ahead);
        // The first day of 1970 was a Thursday.
        let day = (minutes.div_euclid(DAY_MINUTES) + 3).rem_euclid(7) + 1;
        let minute = minutes.rem_euclid(DAY_MINUTES);
        let is_day = self.days.iter().any(|known| i64::from(*known) == day);
        is_day && i64::from(self.from) <= minute && minute < i64::from(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_two_ends() {
        let window = Window {
            name: "w".into(),
            purpose: Purpose::Freeze,
            from: 10,
            to: 20,
            assets: BTreeSet::new(),
            verbs: BTreeSet::new(),
        };
        assert_eq!([9, 10, 19, 20].map(|now| window.holds(now)), [false, true, true, false]);
        assert!(window.concerns(Verb::IsolateHost, None) && !window.concerns(Verb::Notify, None));
        let one = Window { assets: ["host:a".into()].into(), verbs: [Verb::Notify].into(), ..window };
        assert!(one.concerns(Verb::Notify, Some(&"host:a".into())));
        assert!(!one.concerns(Verb::Notify, Some(&"host:b".into())) && !one.concerns(Verb::Notify, None));
        assert!(!one.concerns(Verb::IsolateHost, Some(&"host:a".into())));
    }

    #[test]
    fn hours_are_local() {
        // 2026-03-02 is a Monday; 2026-03-02T00:00:00Z is 1772409600.
        let monday = 1_772_409_600_000_i64;
        let at = |day: i64, minute: i64| monday + (day * 1_440 + minute) * 60_000;
        let hours = Hours { assets: BTreeSet::new(), ahead: 60, days: (1..=5).collect(), from: 9 * 60, to: 17 * 60 };
        for (now, expected) in [
            (at(0, 8 * 60 - 1), false),
            (at(0, 8 * 60), true),
            (at(0, 16 * 60 - 1), true),
            (at(0, 16 * 60), false),
            (at(4, 12 * 60), true),
            (at(5, 12 * 60), false),
            (at(6, 12 * 60), false),
            (at(7, 12 * 60), true),
            (-1, false),
        ] {
            assert_eq!(hours.holds(now), expected, "{now}");
        }
        // Late on Sunday it is Monday further east.
        let east = Hours { ahead: 12 * 60, ..hours };
        assert!(east.holds(at(-1, 22 * 60)) && !east.holds(at(4, 22 * 60)));
    }
}
