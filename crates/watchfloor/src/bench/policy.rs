//! `watchfloor bench policy`: one question to the policies, with few and many of them.
//!
//! The sets are the shipped guards (7 policies), 4 permits, and then for every ten more: five that name one of 100 tenants, three that
//! name a verb alone, two that name one of 40 roles; half of each forbid. Targets are 10,000 over the 100 tenants, principals 400. Asked
//! are 20,000 requests in an order that is the same each time. Each question is timed by itself, from the request as a value to the answer.

use std::fmt::Write as _;
use std::time::Instant;

use watchfloor_policy::vocabulary::{PrincipalKind, VERBS};
use watchfloor_policy::{Circumstances, Policies, Principal, Request, Source, Target};

use super::figure;

const GUARDS: &str = include_str!("../../../../packs/policies/msp/guards.cedar");
const TARGETS: usize = 10_000;
const TENANTS: u64 = 100;
const ROLES: u64 = 40;
const PRINCIPALS: u64 = 400;
const ASKED: usize = 20_000;

/// Prints the figures.
pub fn run() -> anyhow::Result<()> {
    let mut numbers = Numbers(7);
    let targets: Vec<Target> = (0..TARGETS).map(|place| target(&mut numbers, place)).collect();
    let requests: Vec<Request> = (0..ASKED).filter_map(|_| request(&mut numbers, &targets)).collect();
    for size in [11, 101, 1_001] {
        let source = Source { name: "bench.cedar".to_owned(), text: policies(size)? };
        let start = Instant::now();
        let (read, findings) = Policies::read(&[source]);
        let seconds = start.elapsed().as_secs_f64();
        let set = read.ok_or_else(|| anyhow::anyhow!("the policies of the measurement are refused: {findings:?}"))?;
        figure(&format!("policy.{size}.read"), seconds * 1e3, "ms", size)?;
        let allowed = requests.iter().filter(|request| set.ask(request).allows()).count();
        figure(&format!("policy.{size}.allowed"), allowed as f64 / requests.len() as f64, "share", requests.len())?;
        let (p50, p99) = quantiles(&requests, |request| set.ask(request).allows());
        figure(&format!("policy.{size}.sliced.p50"), p50, "µs", requests.len())?;
        figure(&format!("policy.{size}.sliced.p99"), p99, "µs", requests.len())?;
        // The whole set is slow: a part of the requests is enough to know how slow.
        let part = requests.get(..2_000).unwrap_or(&requests);
        let (p50, p99) = quantiles(part, |request| set.ask_whole(request).allows());
        figure(&format!("policy.{size}.whole.p50"), p50, "µs", part.len())?;
        figure(&format!("policy.{size}.whole.p99"), p99, "µs", part.len())?;
    }
    Ok(())
}

/// Median and 99th percentile in microseconds.
fn quantiles(requests: &[Request], ask: impl Fn(&Request) -> bool) -> (f64, f64) {
    let mut times: Vec<f64> = requests
        .iter()
        .map(|request| {
            let start = Instant::now();
            std::hint::black_box(ask(std::hint::black_box(request)));
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    (at(0.5), at(0.99))
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len() as u64) as usize)
    }
}

fn target(numbers: &mut Numbers, place: usize) -> Target {
    let kinds = watchfloor_policy::vocabulary::TargetKind::ALL;
    let kind = kinds.get(place % kinds.len()).copied().unwrap_or(watchfloor_policy::vocabulary::TargetKind::Host);
    let tags = ["telemetry", "identity_provider", "laptop", "server", "finance"];
    Target {
        kind,
        id: format!("target-{place}"),
        tenant: format!("tenant-{}", numbers.below(TENANTS)),
        tier: numbers.below(4) as i64,
        tags: (0..numbers.below(3)).filter_map(|_| numbers.one_of(&tags)).map(|tag| (*tag).to_owned()).collect(),
        owner: format!("team-{}", numbers.below(20)),
        site: format!("site-{}", numbers.below(20)),
    }
}

fn request(numbers: &mut Numbers, targets: &[Target]) -> Option<Request> {
    let target = numbers.one_of(targets)?.clone();
    let fitting: Vec<&str> =
        VERBS.iter().filter(|verb| verb.kinds.contains(&target.kind)).map(|verb| verb.name).collect();
    let verb = (*numbers.one_of(&fitting)?).to_owned();
    // Nine of ten serve the tenant.
    let mut tenants: Vec<String> = (0..3).map(|_| format!("tenant-{}", numbers.below(TENANTS))).collect();
    if numbers.below(10) > 0 {
        tenants.push(target.tenant.clone());
    }
    let principal = Principal {
        kind: *numbers.one_of(PrincipalKind::ALL)?,
        id: format!("principal-{}", numbers.below(PRINCIPALS)),
        roles: (0..2).map(|_| format!("role-{}", numbers.below(ROLES))).collect(),
        tenants,
    };
    let circumstances = Circumstances {
        level: numbers.below(5) as i64,
        risk: numbers.below(101) as i64,
        alert_class: format!("class-{}", numbers.below(30)),
        trust: numbers.below(4) as i64,
        hour: numbers.below(24) as i64,
        targets: 1 + numbers.below(20) as i64,
        lease_minutes: numbers.below(600) as i64,
        tag: String::new(),
    };
    Some(Request { principal, verb, target, circumstances })
}

/// A set of this many policies.
pub(super) fn policies(size: usize) -> anyhow::Result<String> {
    let mut text = GUARDS.to_owned();
    let shipped = GUARDS.matches("@id(").count();
    for (place, who) in PrincipalKind::ALL.iter().map(|kind| kind.name()).enumerate() {
        write!(text, "@id(\"base-{place}\") @why(\"base\") permit (principal is {who}, action, resource) ")?;
        writeln!(text, "when {{ resource.tier >= 1 && context.risk <= 80 }};")?;
    }
    let mut numbers = Numbers(11);
    for place in shipped + PrincipalKind::ALL.len()..size {
        let word = if numbers.below(2) == 0 { "permit" } else { "forbid" };
        let verb = numbers.one_of(VERBS).map_or("", |verb| verb.name);
        let (who, what) = match place % 10 {
            0..=4 => ("principal".to_owned(), format!("resource in Tenant::\"tenant-{}\"", numbers.below(TENANTS))),
            5..=7 => ("principal".to_owned(), "resource".to_owned()),
            _ => (format!("principal in Role::\"role-{}\"", numbers.below(ROLES)), "resource".to_owned()),
        };
        write!(text, "@id(\"more-{place}\") @why(\"more\") {word} ({who}, action == Action::\"{verb}\", {what}) ")?;
        writeln!(
            text,
            "when {{ resource.site == \"site-{}\" && context.hour < {} && context.targets <= {} }};",
            numbers.below(20),
            numbers.below(24) + 1,
            numbers.below(20) + 1
        )?;
    }
    Ok(text)
}
