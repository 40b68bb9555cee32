//! Correlations against a judge that looks at each group alone, with all its matches before it, in the most obvious way: no difference on random
//! correlations and random timelines, in whatever order these arrive within the bound, and with a restart at any time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use watchfloor_detect::{Correlated, Correlator, Hit, RuleId, RuleSet, Settings};
use watchfloor_sigma::{Options, read};

/// A match of rule `a`, `b` or `c`.
#[derive(Clone, Debug)]
struct Seen {
    rule: usize,
    time: i64,
    id: u64,
    user: Vec<String>,
    number: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Events,
    Values,
    Sum,
    Average,
    Median,
    Together,
    Ordered,
}

/// What is asked of a window, and the text of it.
#[derive(Clone, Debug)]
struct Asked {
    kind: Kind,
    grouped: bool,
    rules: usize,
    span: i64,
    order: &'static str,
    number: f64,
}

impl Asked {
    fn text(&self) -> String {
        let kind = match self.kind {
            Kind::Events => "event_count",
            Kind::Values => "value_count",
            Kind::Sum => "value_sum",
            Kind::Average => "value_avg",
            Kind::Median => "value_median",
            Kind::Together => "temporal",
            Kind::Ordered => "temporal_ordered",
        };
        let field = if matches!(self.kind, Kind::Events | Kind::Together | Kind::Ordered) { "" } else { "field: N, " };
        let group = if self.grouped { "group-by: [U], " } else { "" };
        let rules = &["a", "b", "c"][..self.rules];
        format!(
            "title: C\ncorrelation: {{type: {kind}, rules: [{}], {group}timespan: {}s, condition: {{{field}{}: {}}}}}\n",
            rules.join(", "),
            self.span / 1_000,
            self.order,
            self.number
        )
    }

    /// Whether it holds of these matches, in order, each event once.
    fn holds(&self, window: &[Event]) -> bool {
        let rules: BTreeSet<usize> = window.iter().flat_map(|event| event.rules.iter().copied()).collect();
        let numbers = || -> Vec<f64> {
            let all = window.iter().flat_map(|event| event.numbers.iter().collect::<BTreeSet<_>>());
            all.filter_map(|text| text.parse().ok()).collect()
        };
        let in_order = || chosen(&rules.iter().copied().collect::<Vec<_>>(), window, &mut Vec::new());
        let figure = match self.kind {
            Kind::Events => window.len() as f64,
            Kind::Values => window.iter().flat_map(|event| &event.numbers).collect::<BTreeSet<_>>().len() as f64,
            Kind::Sum => numbers().iter().sum(),
            Kind::Average | Kind::Median if numbers().is_empty() => return false,
            Kind::Average => numbers().iter().sum::<f64>() / numbers().len() as f64,
            Kind::Median => {
                let mut all = numbers();
                all.sort_by(f64::total_cmp);
                let half = (all.len() - 1) / 2;
                if all.len().is_multiple_of(2) { f64::midpoint(all[half], all[half + 1]) } else { all[half] }
            }
            Kind::Ordered if !in_order() => return false,
            Kind::Together | Kind::Ordered => rules.len() as f64,
        };
        match self.order {
            "gte" => figure >= self.number,
            "gt" => figure > self.number,
            "lte" => figure <= self.number,
            "lt" => figure < self.number,
            _ => figure == self.number,
        }
    }

    fn slides(&self) -> bool {
        self.order.starts_with('g') && !matches!(self.kind, Kind::Average | Kind::Median)
    }
}

/// Whether some choice of different events, none before the one taken last, has all rules in their order.
fn chosen(wanted: &[usize], window: &[Event], taken: &mut Vec<usize>) -> bool {
    let Some((next, rest)) = wanted.split_first() else { return true };
    let time = taken.last().map_or(i64::MIN, |last| window[*last].time);
    (0..window.len()).any(|at| {
        let fits = !taken.contains(&at) && window[at].time >= time && window[at].rules.contains(next);
        if !fits {
            return false;
        }
        taken.push(at);
        let found = chosen(rest, window, taken);
        taken.pop();
        found
    })
}

/// What one event is to a group.
#[derive(Clone, Debug)]
struct Event {
    time: i64,
    id: u64,
    rules: BTreeSet<usize>,
    numbers: Vec<String>,
}

type Told = (i64, i64, Vec<u64>, Vec<String>);

fn judge(asked: &Asked, all: &[Seen]) -> Vec<Told> {
    let mut groups: BTreeMap<Vec<String>, Vec<Event>> = BTreeMap::new();
    let mut sorted: Vec<&Seen> = all.iter().filter(|seen| seen.rule < asked.rules).collect();
    sorted.sort_by_key(|seen| (seen.time, seen.id, seen.rule));
    for seen in sorted {
        let keys: BTreeSet<Vec<String>> =
            if asked.grouped { seen.user.iter().map(|user| vec![user.clone()]).collect() } else { [vec![]].into() };
        for key in keys {
            let events = groups.entry(key).or_default();
            match events.last_mut().filter(|last| last.id == seen.id) {
                Some(last) => {
                    last.rules.insert(seen.rule);
                }
                None => {
                    let (rules, numbers) = ([seen.rule].into(), seen.number.clone());
                    events.push(Event { time: seen.time, id: seen.id, rules, numbers });
                }
            }
        }
    }
    let mut told = Vec::new();
    for (key, events) in groups {
        let mut quiet = i64::MIN;
        // Where the window begins, of those that do not slide.
        let mut from = 0;
        let mut tell = |window: &[Event], quiet: &mut i64| {
            let last = window[window.len() - 1].time;
            *quiet = last + asked.span;
            told.push((window[0].time, last, window.iter().map(|event| event.id).collect(), key.clone()));
        };
        for at in 0..events.len() {
            let counted: Vec<Event> = events[from..=at].iter().filter(|event| event.time > quiet).cloned().collect();
            let Some(newest) = counted.last().filter(|newest| newest.id == events[at].id) else { continue };
            if asked.slides() {
                let window: Vec<Event> =
                    counted.iter().filter(|event| event.time >= newest.time - asked.span).cloned().collect();
                if asked.holds(&window) {
                    tell(&window, &mut quiet);
                }
                continue;
            }
            let end = counted[0].time + asked.span;
            if events.get(at + 1).is_some_and(|next| next.time <= end) {
                continue;
            }
            if asked.holds(&counted) {
                tell(&counted, &mut quiet);
            }
            from = at + 1;
        }
    }
    told.sort();
    told
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.next(all.len())]
    }
}

fn asked(random: &mut Random) -> Asked {
    let kinds = [Kind::Events, Kind::Values, Kind::Sum, Kind::Average, Kind::Median, Kind::Together, Kind::Ordered];
    let kind = random.pick(&kinds);
    let several = matches!(kind, Kind::Together | Kind::Ordered);
    Asked {
        kind,
        grouped: random.next(3) > 0,
        rules: if several { 2 + random.next(2) } else { 1 + random.next(3) },
        span: 1_000 * (1 + random.next(12) as i64),
        order: random.pick(&["gte", "gte", "gt", "lte", "lt", "eq"]),
        number: if several { 2.0 } else { 1.0 + random.next(5) as f64 },
    }
}

fn timeline(random: &mut Random) -> Vec<Seen> {
    let mut all = Vec::new();
    for id in 0..20 + random.next(30) as u64 {
        let time = 500 * random.next(120) as i64;
        let some = |random: &mut Random, words: &[&str]| -> Vec<String> {
            (0..random.pick(&[0, 1, 1, 1, 1, 2])).map(|_| random.pick(words).to_owned()).collect()
        };
        let (user, number) = (some(random, &["x", "y"]), some(random, &["1", "2", "3", "4", "none"]));
        for rule in 0..3 {
            if random.next(2) == 0 {
                all.push(Seen { rule, time, id, user: user.clone(), number: number.clone() });
            }
        }
    }
    all
}

/// What the correlation says, and how much it gave up for room.
fn run(text: &str, all: &[Seen], entries: usize, random: &mut Random) -> (Vec<Told>, u64) {
    let rules = ["a", "b", "c"].map(|name| {
        format!(
            "title: {name}\nname: {name}\nlogsource: {{product: p}}\ndetection: {{s: {{A: 1}}, condition: s}}\n---\n"
        )
    });
    let read = read(&(rules.concat() + text), &Options::default());
    assert_eq!(read.refused, 0, "{text}: {:?}", read.findings);
    let set = RuleSet::compile(&read.documents, &[]).unwrap();
    // All may come in any order: the bound is as long as the timeline.
    let settings = Settings { lateness: 60_000, entries, ..Settings::default() };
    let (mut correlator, _) = Correlator::new(&set, settings);
    let mut order: Vec<&Seen> = all.iter().collect();
    for at in (1..order.len()).rev() {
        order.swap(at, random.next(at + 1));
    }
    let mut found: Vec<Correlated> = Vec::new();
    for seen in order {
        let values = [("U", &seen.user), ("N", &seen.number)].into_iter().flat_map(|(name, values)| {
            set.field(name).into_iter().flat_map(|field| values.iter().map(move |value| (field, value.clone())))
        });
        let hit = Hit {
            rule: RuleId(seen.rule as u32),
            time: seen.time,
            id: seen.id,
            values: values.collect(),
            records: None,
        };
        correlator.handle(hit, &mut found);
        if random.next(20) == 0 {
            let state = serde_json::to_string(&correlator.state(&set)).unwrap();
            correlator = Correlator::new(&set, settings).0;
            assert_eq!(correlator.restore(&set, serde_json::from_str(&state).unwrap()), 0);
        }
    }
    correlator.finish(&mut found);
    assert_eq!(correlator.late, 0);
    let told =
        |one: Correlated| (one.from, one.to, one.records.ids, one.group.into_iter().map(|(_, value)| value).collect());
    let mut told: Vec<Told> = found.into_iter().map(told).collect();
    told.sort();
    (told, correlator.evicted)
}

#[test]
fn correlations_and_the_judge_agree() {
    let (mut matches, mut silent, mut spared, mut given_up) = (0, 0, 0, 0);
    for seed in 0..6_000_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (asked, all) = (asked(&mut random), timeline(&mut random));
        let due = judge(&asked, &all);
        let (found, evicted) = run(&asked.text(), &all, Settings::default().entries, &mut random);
        assert_eq!((&found, evicted), (&due, 0), "seed {seed}: {}{all:#?}", asked.text());
        // With little room, what it does not find is what it says to have given up. It need not know all matches, but when and of whom.
        let (found_so, evicted) = run(&asked.text(), &all, 5 + random.next(3), &mut random);
        let what = |all: &[Told]| all.iter().map(|(_, to, _, group)| (*to, group.clone())).collect::<Vec<_>>();
        assert!(
            evicted > 0 || what(&found_so) == what(&due),
            "seed {seed}: {}{all:#?}\n{found_so:?}\n{due:?}",
            asked.text()
        );
        let room = [Kind::Values, Kind::Together, Kind::Ordered].contains(&asked.kind);
        spared += usize::from(room && evicted == 0 && found_so != found);
        given_up += usize::from(evicted > 0);
        matches += found.len();
        silent += usize::from(found.is_empty());
    }
    eprintln!(
        "{matches} matches, {silent} timelines without one, no difference; with little room {spared} do without what others say too, {given_up} give something up"
    );
    assert!(spared > 50 && given_up > 100, "{spared} {given_up}");
    assert!(matches > 10_000 && silent > 200, "{matches} matches, {silent} timelines without one");
}
