//! Matches counted: by level, host, rule and technique.

use std::collections::{BTreeMap, BTreeSet};
use watchfloor_detect::Detection;

use jiff::Timestamp;
use watchfloor_sigma::{Level, Meta};

use crate::hunt::Found;
use crate::hunt::show::{level_of, rule_of};

/// Tactics in the order in which an intrusion goes. Names that ATT&CK gave up are still in rules.
const TACTICS: [(&str, &str); 16] = [
    ("reconnaissance", "Reconnaissance"),
    ("resource-development", "Resource Development"),
    ("initial-access", "Initial Access"),
    ("execution", "Execution"),
    ("persistence", "Persistence"),
    ("privilege-escalation", "Privilege Escalation"),
    ("stealth", "Stealth"),
    ("defense-evasion", "Defense Evasion"),
    ("defense-impairment", "Defense Impairment"),
    ("credential-access", "Credential Access"),
    ("discovery", "Discovery"),
    ("lateral-movement", "Lateral Movement"),
    ("collection", "Collection"),
    ("command-and-control", "Command and Control"),
    ("exfiltration", "Exfiltration"),
    ("impact", "Impact"),
];

/// Number of matches of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels([u64; Level::ALL.len()]);

impl Levels {
    /// Counts more of a level.
    pub fn add(&mut self, level: Level, more: u64) {
        if let Some(count) = self.0.get_mut(level as usize) {
            *count += more;
        }
    }

    /// How many of a level.
    pub fn of(&self, level: Level) -> u64 {
        self.0.get(level as usize).copied().unwrap_or(0)
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The highest level there is one of.
    pub fn highest(&self) -> Option<Level> {
        Level::ALL.into_iter().rev().find(|level| self.of(*level) > 0)
    }

    /// What the worst comes first by.
    fn weight(&self) -> [u64; Level::ALL.len()] {
        let mut weight = self.0;
        weight.reverse();
        weight
    }
}

/// From the first to the last time, if there is any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span(Option<(Timestamp, Timestamp)>);

impl Span {
    fn add(&mut self, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.0 = Some(self.0.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        }
    }

    /// The first and the last time.
    pub fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        self.0
    }
}

/// What a host has.
#[derive(Debug, Default)]
pub struct Host<'f> {
    pub name: &'f str,
    pub levels: Levels,
    pub span: Span,
    pub rules: BTreeMap<u32, u64>,
    pub users: BTreeMap<&'f str, u64>,
}

/// A rule that matched.
#[derive(Debug)]
pub struct Rule<'f> {
    pub number: u32,
    pub meta: &'f Meta,
    pub level: Level,
    pub count: u64,
    pub span: Span,
    pub hosts: BTreeMap<&'f str, u64>,
}

impl<'f> Rule<'f> {
    /// Its hosts that have a name.
    pub fn named_hosts(&self) -> impl Iterator<Item = &'f str> {
        self.hosts.keys().copied().filter(|host| !host.is_empty())
    }
}

/// A technique, or a tactic as a whole.
#[derive(Debug, Default)]
pub struct Technique<'f> {
    pub levels: Levels,
    pub hosts: BTreeSet<&'f str>,
    /// Indices of rules, the worst first.
    pub rules: BTreeSet<usize>,
}

/// A tactic and the techniques that rules name together with it.
#[derive(Debug)]
pub struct Tactic<'f> {
    pub name: &'static str,
    pub all: Technique<'f>,
    /// By id; what names none is under the empty one.
    pub techniques: BTreeMap<String, Technique<'f>>,
}

/// Everything counted.
#[derive(Debug)]
pub struct Tally<'f> {
    pub levels: Levels,
    pub span: Span,
    /// Matches without time.
    pub timeless: u64,
    /// Hosts, the worst first. The empty one stands for none.
    pub hosts: Vec<Host<'f>>,
    /// Rules, the worst first.
    pub rules: Vec<Rule<'f>>,
}

/// The time of a match, if it is one.
pub fn time_of(time: Option<i64>) -> Option<Timestamp> {
    time.and_then(|millis| Timestamp::from_millisecond(millis).ok())
}

impl<'f> Tally<'f> {
    /// Counts.
    pub fn new(found: &'f Found, detection: &'f Detection) -> Self {
        let (mut levels, mut span, mut timeless) = (Levels::default(), Span::default(), 0);
        let mut hosts: BTreeMap<&str, Host<'f>> = BTreeMap::new();
        let mut rules: BTreeMap<u32, Rule<'f>> = BTreeMap::new();
        for sight in &found.sights {
            let Some(compiled) = rule_of(sight, detection) else { continue };
            let (level, time, number) = (level_of(Some(compiled)), time_of(sight.time), sight.rule.0);
            levels.add(level, 1);
            span.add(time);
            timeless += u64::from(time.is_none());
            let host = hosts.entry(&sight.host).or_default();
            host.name = &sight.host;
            host.levels.add(level, 1);
            host.span.add(time);
            *host.rules.entry(number).or_insert(0) += 1;
            if !sight.user.is_empty() {
                *host.users.entry(&sight.user).or_insert(0) += 1;
            }
            let rule = rules.entry(number).or_insert_with(|| Rule {
                number,
                meta: &compiled.meta,
                level,
                count: 0,
                span: Span::default(),
                hosts: BTreeMap::new(),
            });
            rule.count += 1;
            rule.span.add(time);
            *rule.hosts.entry(&sight.host).or_insert(0) += 1;
        }
        let mut hosts: Vec<_> = hosts.into_values().collect();
        hosts.sort_by(|a, b| b.levels.weight().cmp(&a.levels.weight()).then_with(|| a.name.cmp(b.name)));
        let mut rules: Vec<_> = rules.into_values().collect();
        rules.sort_by(|a, b| (b.level, b.count, &a.meta.title).cmp(&(a.level, a.count, &b.meta.title)));
        Self { levels, span, timeless, hosts, rules }
    }

    /// Hosts that have a name.
    pub fn named_hosts(&self) -> u64 {
        self.hosts.iter().filter(|host| !host.name.is_empty()).count() as u64
    }

    /// Tactics in their order, with techniques, and at last what names no tactic. Rules that name neither are in none.
    pub fn tactics(&self, detection: &Detection) -> Vec<Tactic<'f>> {
        let (last, usage) = (TACTICS.len(), Usage::new(detection));
        let mut by_tactic: BTreeMap<usize, Tactic<'f>> = BTreeMap::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let techniques: BTreeSet<String> = rule.meta.techniques().map(|id| id.to_uppercase()).collect();
            let mut places = tactics_of(rule.meta);
            if places.is_empty() && !techniques.is_empty() {
                places.insert(last);
            }
            for place in places.iter().copied() {
                let name = TACTICS.get(place).map_or("No tactic named", |(_, name)| *name);
                let new = || Tactic { name, all: Technique::default(), techniques: BTreeMap::new() };
                let tactic = by_tactic.entry(place).or_insert_with(new);
                tactic.all.add(index, rule);
                for id in usage.of_tactic(place, &places, &techniques) {
                    tactic.techniques.entry(id.to_owned()).or_default().add(index, rule);
                }
            }
        }
        by_tactic.into_values().collect()
    }
}

impl<'f> Technique<'f> {
    fn add(&mut self, index: usize, rule: &Rule<'f>) {
        self.levels.add(rule.level, rule.count);
        self.hosts.extend(rule.named_hosts());
        self.rules.insert(index);
    }
}

/// How many of all rules name a technique, without its part, together with a tactic.
struct Usage(BTreeMap<String, BTreeMap<usize, u64>>);

impl Usage {
    fn new(detection: &Detection) -> Self {
        let mut counts: BTreeMap<String, BTreeMap<usize, u64>> = BTreeMap::new();
        for rule in &detection.set.rules {
            let places = tactics_of(&rule.meta);
            let techniques: BTreeSet<String> = rule.meta.techniques().map(|id| whole(&id).to_uppercase()).collect();
            for id in techniques {
                let count = counts.entry(id).or_default();
                for place in &places {
                    *count.entry(*place).or_insert(0) += 1;
                }
            }
        }
        Self(counts)
    }

    /// Whether the rules that name a technique name the tactic at least half as often as any other.
    fn is_usual(&self, id: &str, place: usize) -> bool {
        let Some(counts) = self.0.get(whole(id)) else { return false };
        let most = counts.values().max().copied().unwrap_or(0);
        counts.get(&place).is_some_and(|count| count * 2 >= most)
    }

    /// The techniques of a rule that stand under one of its tactics. Rules do not say which of their techniques serves which of
    /// their tactics; what most rules say together tells. Nothing that a rule names is lost: a technique that is usual under none of its tactics
    /// stands under all, and a tactic that is left without has all.
    fn of_tactic<'t>(&self, place: usize, places: &BTreeSet<usize>, techniques: &'t BTreeSet<String>) -> Vec<&'t str> {
        let is_here = |id: &&String| self.is_usual(id, place) || !places.iter().any(|place| self.is_usual(id, *place));
        let mut here: Vec<&str> = techniques.iter().filter(is_here).map(String::as_str).collect();
        if here.is_empty() {
            here.extend(techniques.iter().map(String::as_str));
        }
        if here.is_empty() {
            here.push("");
        }
        here
    }
}

/// A technique without its part: `T1059` of `T1059.001`.
fn whole(id: &str) -> &str {
    id.split_once('.').map_or(id, |(whole, _)| whole)
}

/// Places in [`TACTICS`] of the tactics that a rule names.
fn tactics_of(meta: &Meta) -> BTreeSet<usize> {
    let place = |tag: &String| {
        let word = tag.strip_prefix("attack.")?.replace('_', "-");
        TACTICS.iter().position(|(tactic, _)| *tactic == word)
    };
    meta.tags.iter().filter_map(place).collect()
}

/// Those there are most of, most first.
pub fn most<K: Copy + Ord>(counts: &BTreeMap<K, u64>, number: usize) -> Vec<K> {
    let mut all: Vec<(K, u64)> = counts.iter().map(|(key, count)| (*key, *count)).collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.into_iter().take(number).map(|(key, _)| key).collect()
}
