//! What policies are measured with: sets of them, and questions. `rivals/policy` asks the same of another engine.
//!
//! The sets are the shipped guards (7 policies), 4 permits, and then for every ten more: five that name one of 100 tenants, three that
//! name a verb alone, two that name one of 40 roles; half of each forbid. Targets are 10,000 over the 100 tenants, principals 400. Asked
//! are 20,000 requests in an order that is the same each time.

use std::fmt::Write as _;

use watchfloor_policy::vocabulary::{PrincipalKind, TargetKind, VERBS};
use watchfloor_policy::{Circumstances, Principal, Request, Target};

const GUARDS: &str = include_str!("../../../../packs/policies/msp/guards.cedar");
const TARGETS: usize = 10_000;
const TENANTS: u64 = 100;
const ROLES: u64 = 40;
const PRINCIPALS: u64 = 400;
const ASKED: usize = 20_000;

/// What is asked.
pub fn requests() -> Vec<Request> {
    let mut numbers = Numbers(7);
    let targets: Vec<Target> = (0..TARGETS).map(|place| target(&mut numbers, place)).collect();
    (0..ASKED).filter_map(|_| request(&mut numbers, &targets)).collect()
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
    let kind = TargetKind::ALL.get(place % TargetKind::ALL.len()).copied().unwrap_or(TargetKind::Host);
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

/// Whom or what one of the many policies names besides its verb.
pub enum Named {
    /// A tenant, of the target.
    Tenant(String),
    /// Nothing.
    Nothing,
    /// A role, of who asks.
    Role(String),
}

/// One of the many policies.
pub struct More {
    /// Its id.
    pub id: String,
    /// What it does: `permit` or `forbid`.
    pub word: &'static str,
    /// Of this verb.
    pub verb: &'static str,
    /// And of this.
    pub named: Named,
    /// Where the target stands.
    pub site: String,
    /// Before this hour.
    pub before: u64,
    /// With so many targets at most.
    pub targets: u64,
}

/// Ids of the permits that all sets have, and of whom they are: above tier 0, and up to a risk of 80.
pub fn base() -> impl Iterator<Item = (String, &'static str)> {
    PrincipalKind::ALL.iter().enumerate().map(|(place, kind)| (format!("base-{place}"), kind.name()))
}

/// What a set of this many policies has besides guards and base.
pub fn more(size: usize) -> Vec<More> {
    let mut numbers = Numbers(11);
    let first = GUARDS.matches("@id(").count() + PrincipalKind::ALL.len();
    let one = |place: usize| {
        let word = if numbers.below(2) == 0 { "permit" } else { "forbid" };
        let verb = numbers.one_of(VERBS).map_or("", |verb| verb.name);
        let named = match place % 10 {
            0..=4 => Named::Tenant(format!("tenant-{}", numbers.below(TENANTS))),
            5..=7 => Named::Nothing,
            _ => Named::Role(format!("role-{}", numbers.below(ROLES))),
        };
        let site = format!("site-{}", numbers.below(20));
        let (before, targets) = (numbers.below(24) + 1, numbers.below(20) + 1);
        More { id: format!("more-{place}"), word, verb, named, site, before, targets }
    };
    (first..size).map(one).collect()
}

/// A set of this many policies in Cedar.
pub fn policies(size: usize) -> Result<String, std::fmt::Error> {
    let mut text = GUARDS.to_owned();
    for (id, who) in base() {
        write!(text, "@id(\"{id}\") @why(\"base\") permit (principal is {who}, action, resource) ")?;
        writeln!(text, "when {{ resource.tier >= 1 && context.risk <= 80 }};")?;
    }
    for More { id, word, verb, named, site, before, targets } in more(size) {
        let (who, what) = match named {
            Named::Tenant(tenant) => ("principal".to_owned(), format!("resource in Tenant::\"{tenant}\"")),
            Named::Nothing => ("principal".to_owned(), "resource".to_owned()),
            Named::Role(role) => (format!("principal in Role::\"{role}\""), "resource".to_owned()),
        };
        write!(text, "@id(\"{id}\") @why(\"more\") {word} ({who}, action == Action::\"{verb}\", {what}) ")?;
        write!(text, "when {{ resource.site == \"{site}\" && context.hour < {before} ")?;
        writeln!(text, "&& context.targets <= {targets} }};")?;
    }
    Ok(text)
}
