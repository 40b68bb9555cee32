//! How much may be done within some time, by whom and to whom.
//!
//! A budget counts targets: a plan on ten hosts takes ten. What counts is what was given out to be done, from the moment that it was. Windows slide, and
//! the moment at which one begins belongs to it. Used budgets are kept for as long as the longest window; there is a bound to how many, and beyond it
//! nothing is given out, as nobody could say any more how much was.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use watchfloor_model::action::{Tier, Verb};
use watchfloor_model::ids::TenantId;

use crate::plan::Principal;

/// Longest window of a budget, in milliseconds: 31 days.
pub const WINDOW_MS_MAX: i64 = 31 * 86_400_000;
/// Most uses that are remembered of one kind (`budget.unknown`).
pub const USES_MAX: usize = 100_000;

/// What a budget is about; what is not said is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// A tenant.
    pub tenant: Option<TenantId>,
    /// A verb.
    pub verb: Option<Verb>,
    /// Assets of this tier, or of one that is as protected or more.
    pub tier: Option<Tier>,
    /// Each requester has it for itself.
    pub each_requester: bool,
    /// Each tenant has it for itself.
    pub each_tenant: bool,
}

/// A budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// What it is called.
    pub name: String,
    /// What it is about.
    #[serde(default)]
    pub about: About,
    /// Within how many milliseconds.
    pub window: i64,
    /// How many targets at most.
    #[serde(default)]
    pub count: Option<u64>,
    /// How many of a hundred of the tenant's hosts at most; of a few hosts, one.
    #[serde(default)]
    pub percent: Option<u8>,
}

/// What was given out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Use {
    /// For whom.
    pub tenant: TenantId,
    /// What.
    pub verb: Verb,
    /// To what.
    pub tier: Tier,
    /// Who asked.
    pub requester: Principal,
}

/// Budgets, and what was used of them, as they are written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetParts {
    /// Budgets.
    pub budgets: Vec<Budget>,
    /// When what was given out, the earliest first.
    #[serde(with = "pairs")]
    pub uses: BTreeMap<Use, VecDeque<i64>>,
}

/// Who shares a budget: a requester, a tenant, or everybody.
type Sharers = (Option<Principal>, Option<TenantId>);

/// Budgets, and what was used of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budgets {
    parts: BudgetParts,
    /// For each budget when it was used, by those who share it.
    used: Vec<BTreeMap<Sharers, VecDeque<i64>>>,
}

/// Uses as a list: keys of JSON are texts.
mod pairs {
    use super::{BTreeMap, Use, VecDeque};
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(uses: &BTreeMap<Use, VecDeque<i64>>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(uses)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Use, VecDeque<i64>>, D::Error> {
        let mut uses: Vec<(Use, VecDeque<i64>)> = Vec::deserialize(deserializer)?;
        uses.iter_mut().for_each(|(_, times)| times.make_contiguous().sort_unstable());
        Ok(uses.into_iter().collect())
    }
}

/// A budget that is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short<'b> {
    /// The budget.
    pub budget: &'b Budget,
    /// What was used of it.
    pub used: u64,
    /// What is asked for.
    pub asked: u64,
    /// What it has; none if nobody can say.
    pub has: Option<u64>,
}

impl Budgets {
    /// Budgets as they are written.
    #[must_use]
    pub fn new(parts: BudgetParts) -> Self {
        let used = vec![BTreeMap::new(); parts.budgets.len()];
        let mut budgets = Self { parts: BudgetParts { uses: BTreeMap::new(), ..parts }, used };
        for (one, times) in parts.uses {
            times.iter().for_each(|time| budgets.take(&one, 1, *time));
        }
        budgets
    }

    /// As they are written.
    #[must_use]
    pub fn parts(&self) -> &BudgetParts {
        &self.parts
    }

    /// Budgets that are not enough for what is asked: uses, and how many of each.
    #[must_use]
    pub fn short<'b>(&'b self, asked: &BTreeMap<Use, u64>, hosts: usize, now: i64) -> Vec<Short<'b>> {
        let mut short = Vec::new();
        for (budget, used) in self.parts.budgets.iter().zip(&self.used) {
            // All that is asked comes of one plan, which has one requester and one tenant.
            let mine: u64 = asked.iter().filter(|(one, _)| budget.is_about(one)).map(|(_, count)| count).sum();
            let Some((first, _)) = asked.first_key_value().filter(|_| mine > 0) else { continue };
            let times = used.get(&budget.sharers(first));
            let from = now.saturating_sub(budget.span());
            let used = times.map_or(0, |times| (times.len() - times.partition_point(|time| *time < from)) as u64);
            let is_known = times.is_none_or(|times| times.len() < USES_MAX);
            let has = budget.has(hosts);
            if !is_known || used.saturating_add(mine) > has {
                short.push(Short { budget, used, asked: mine, has: is_known.then_some(has) });
            }
        }
        short
    }

    /// Takes what was given out.
    pub fn take(&mut self, one: &Use, count: u64, now: i64) {
        put(self.parts.uses.entry(one.clone()).or_default(), count, now, WINDOW_MS_MAX);
        for (budget, used) in self.parts.budgets.iter().zip(&mut self.used).filter(|(budget, _)| budget.is_about(one)) {
            put(used.entry(budget.sharers(one)).or_default(), count, now, budget.span());
        }
    }
}

/// Remembers a moment so many times, and forgets those that no window reaches any more.
fn put(times: &mut VecDeque<i64>, count: u64, now: i64, span: i64) {
    while times.front().is_some_and(|time| *time < now.saturating_sub(span)) {
        times.pop_front();
    }
    let room = USES_MAX.saturating_sub(times.len());
    let at = times.partition_point(|time| *time <= now);
    for _ in 0..usize::try_from(count).unwrap_or(usize::MAX).min(room) {
        times.insert(at, now);
    }
}

impl Budget {
    fn span(&self) -> i64 {
        self.window.clamp(0, WINDOW_MS_MAX)
    }

    fn sharers(&self, one: &Use) -> Sharers {
        let by_tenant = self.about.each_tenant || self.percent.is_some();
        (self.about.each_requester.then(|| one.requester.clone()), by_tenant.then(|| one.tenant.clone()))
    }

    fn is_about(&self, one: &Use) -> bool {
        let About { tenant, verb, tier, .. } = &self.about;
        tenant.as_ref().is_none_or(|tenant| *tenant == one.tenant)
            && verb.is_none_or(|verb| verb == one.verb)
            && tier.is_none_or(|tier| one.tier <= tier)
            // Nothing is short of what only looks and tells, unless somebody says so.
            && (verb.is_some() || one.verb.row().touches)
    }

    fn has(&self, hosts: usize) -> u64 {
        let share = self.percent.map(|percent| (hosts as u64 * u64::from(percent) / 100).max(1));
        [self.count, share].into_iter().flatten().min().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn one(tenant: &str, verb: Verb, tier: u8, who: &str) -> Use {
        let requester = Principal::Machine(who.into());
        Use { tenant: tenant.into(), verb, tier: Tier::try_from(tier).unwrap(), requester }
    }

    fn budgets(text: &str) -> Budgets {
        Budgets::new(serde_json::from_str(&format!("{{\"budgets\": [{text}]}}")).unwrap())
    }

    fn is_short(budgets: &Budgets, asked: &Use, count: u64, hosts: usize, now: i64) -> bool {
        !budgets.short(&[(asked.clone(), count)].into(), hosts, now).is_empty()
    }

    #[test]
    fn windows_slide() {
        let mut budgets = budgets(r#"{"name": "b", "window": 3600000, "count": 2}"#);
        let isolate = one("t", Verb::IsolateHost, 3, "m");
        budgets.take(&isolate, 1, 0);
        for (count, now, expected) in
            [(1, 10, false), (2, 10, true), (2, HOUR, true), (2, HOUR + 1, false), (3, HOUR + 1, true), (0, 10, false)]
        {
            assert_eq!(is_short(&budgets, &isolate, count, 10, now), expected, "{count} {now}");
        }
        // What only tells takes nothing, and what was used comes back whole from JSON.
        assert!(!is_short(&budgets, &one("t", Verb::Notify, 3, "m"), 100, 10, 0));
        budgets.take(&isolate, 1, -5);
        let again = Budgets::new(serde_json::from_str(&serde_json::to_string(budgets.parts()).unwrap()).unwrap());
        assert_eq!(again, budgets);
        assert_eq!(again.parts().uses[&isolate], [-5, 0]);
    }

    #[test]
    fn the_moment_at_which_a_window_begins_belongs_to_it() {
        let mut budgets = budgets(r#"{"name": "b", "window": 1000, "count": 2}"#);
        let isolate = one("t", Verb::IsolateHost, 3, "m");
        budgets.take(&isolate, 1, 0);
        budgets.take(&isolate, 1, 1_000);
        for (now, expected) in [(1_000, true), (1_001, false)] {
            assert_eq!(is_short(&budgets, &isolate, 1, 10, now), expected, "{now}");
        }
        // What is used up, and more, holds up nobody who asks for nothing of it.
        budgets.take(&isolate, 5, 1_000);
        assert!(!is_short(&budgets, &one("t", Verb::Notify, 3, "m"), 1, 10, 1_000));
    }

    #[test]
    fn budgets_are_about_something() {
        for (about, expected) in [
            (r#"{}"#, [true, true, true, true, true]),
            (r#"{"tenant": "t"}"#, [true, false, true, true, true]),
            (r#"{"each_tenant": true}"#, [true, false, true, true, true]),
            (r#"{"each_requester": true}"#, [true, true, false, true, true]),
            (r#"{"verb": "isolate_host"}"#, [true, true, true, false, true]),
            (r#"{"tier": 2}"#, [true, true, true, true, false]),
        ] {
            let mut budgets = budgets(&format!(r#"{{"name": "b", "window": 1000, "count": 1, "about": {about}}}"#));
            budgets.take(&one("t", Verb::IsolateHost, 2, "m"), 1, 0);
            let asked = [
                one("t", Verb::IsolateHost, 2, "m"),
                one("u", Verb::IsolateHost, 2, "m"),
                one("t", Verb::IsolateHost, 2, "n"),
                one("t", Verb::BlockAddress, 2, "m"),
                one("t", Verb::IsolateHost, 3, "m"),
            ];
            assert_eq!(asked.map(|asked| is_short(&budgets, &asked, 1, 10, 0)), expected, "{about}");
        }
    }

    #[test]
    fn shares_of_the_fleet_are_at_least_one() {
        let budgets = budgets(r#"{"name": "b", "window": 1000, "percent": 5}"#);
        let isolate = one("t", Verb::IsolateHost, 3, "m");
        for (hosts, count, expected) in
            [(0, 1, false), (0, 2, true), (39, 1, false), (39, 2, true), (40, 2, false), (40, 3, true)]
        {
            assert_eq!(is_short(&budgets, &isolate, count, hosts, 0), expected, "{hosts} {count}");
        }
        assert!(is_short(&self::budgets(r#"{"name": "b", "window": 1000}"#), &isolate, 1, 10, 0), "nothing is given");
    }

    #[test]
    fn what_nobody_can_count_is_not_given_out() {
        let mut budgets = budgets(r#"{"name": "b", "window": 1000, "count": 1000000}"#);
        let isolate = one("t", Verb::IsolateHost, 3, "m");
        budgets.take(&isolate, USES_MAX as u64 - 1, 0);
        assert!(!is_short(&budgets, &isolate, 1, 10, 0));
        budgets.take(&isolate, 5, 0);
        assert_eq!(budgets.parts().uses[&isolate].len(), USES_MAX);
        assert_eq!(budgets.short(&[(isolate.clone(), 1)].into(), 10, 0)[0].has, None);
        budgets.take(&isolate, 1, WINDOW_MS_MAX + 1);
        assert_eq!(budgets.parts().uses[&isolate].len(), 1);
    }
}
