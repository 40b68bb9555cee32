//! The requests that are tried one by one: every verb × target kind × tier × principal kind × tag, and what the policies speak of.
//!
//! First the plain grid: all verbs, all kinds of target that they can be done to, all kinds of principal, tiers 0 to 3, no tag, each
//! protected tag and one of no meaning, levels 0 to 4, unauthenticated and own evidence; and the same again for a principal that does
//! not serve the tenant, at level 2. Then, for each policy, the combinations of the values that it compares fields with
//! ([`crate::literals`]), on an ordinary target, on one of tier 0 at level 3, on
//! one with all protected tags, and on one of a tenant that the principal does not serve.

use std::ops::ControlFlow;

use cedar_policy::Policy;

use crate::guard::PROTECTED_TAGS;
use crate::literals::{Given, Values, give, values};
use crate::read::Policies;
use crate::request::{Circumstances, Principal, Request, Target};
use crate::slice::{lets_principal, lets_verb};
use crate::vocabulary::{PrincipalKind, TargetKind, VERBS, Verb};

/// Requests that are tried at most; a report says if there were more.
pub const MAX_REQUESTS: u64 = 1_000_000;
/// Combinations of values that are tried for one policy, verb and kinds at most.
pub const MAX_COMBINATIONS: usize = 512;

/// What a walk over the grid saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Walked {
    /// Requests that were tried.
    pub requests: u64,
    /// Whether there were more: a limit was met.
    pub cut: bool,
}

/// Walks over all requests that are worth trying on these sets.
pub(crate) fn walk(sets: &[&Policies], mut visit: impl FnMut(&Request)) -> Walked {
    let mut walked = Walked::default();
    let mut each = |request: &Request| {
        if walked.requests >= MAX_REQUESTS {
            return ControlFlow::Break(());
        }
        walked.requests += 1;
        visit(request);
        ControlFlow::Continue(())
    };
    let mut cut = plain(&mut each).is_break();
    for set in sets {
        for policy in set.whole.policies() {
            cut |= spoken_of(set, policy, &mut each);
        }
    }
    Walked { cut, ..walked }
}

/// A request of this shape; everything that is not said is ordinary.
pub(crate) fn ordinary(principal: PrincipalKind, verb: &Verb, kind: TargetKind) -> Request {
    Request {
        principal: Principal {
            kind: principal,
            id: "somebody".to_owned(),
            roles: Vec::new(),
            tenants: vec!["ours".to_owned()],
        },
        verb: verb.name.to_owned(),
        target: Target {
            kind,
            id: "something".to_owned(),
            tenant: "ours".to_owned(),
            tier: 2,
            tags: Vec::new(),
            owner: String::new(),
            site: String::new(),
        },
        circumstances: Circumstances {
            level: 2,
            risk: 30,
            alert_class: String::new(),
            trust: 2,
            hour: 12,
            targets: 1,
            lease_minutes: 60,
            tag: String::new(),
        },
    }
}

fn shapes() -> impl Iterator<Item = (PrincipalKind, usize, &'static Verb, TargetKind)> {
    PrincipalKind::ALL.iter().flat_map(|principal| {
        VERBS
            .iter()
            .enumerate()
            .flat_map(move |(place, verb)| verb.kinds.iter().map(move |kind| (*principal, place, verb, *kind)))
    })
}

fn plain(each: &mut impl FnMut(&Request) -> ControlFlow<()>) -> ControlFlow<()> {
    let tags = PROTECTED_TAGS.iter().copied().chain(["something_else"]).map(Some).chain([None]);
    for (principal, _, verb, kind) in shapes() {
        for tier in 0..=3 {
            for tag in tags.clone() {
                let mut request = ordinary(principal, verb, kind);
                request.target.tier = tier;
                request.target.tags = tag.iter().map(|tag| (*tag).to_owned()).collect();
                if verb.name.ends_with("_tag") {
                    request.circumstances.tag = "something_else".to_owned();
                }
                for (level, trust) in (0..=4).flat_map(|level| [(level, 0), (level, 2)]) {
                    request.circumstances.level = level;
                    request.circumstances.trust = trust;
                    each(&request)?;
                }
                (request.circumstances.level, request.circumstances.trust) = (2, 2);
                request.principal.tenants.clear();
                each(&request)?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// What a policy's own values are tried with: tier, level, whether the tags are protected, whether the tenant is served.
const OTHERWISE: [(i64, i64, bool, bool); 4] =
    [(0, 3, false, true), (2, 2, false, true), (2, 2, true, true), (2, 2, false, false)];

/// Tries what one policy speaks of; whether a limit was met.
fn spoken_of(set: &Policies, policy: &Policy, each: &mut impl FnMut(&Request) -> ControlFlow<()>) -> bool {
    let values = values(policy);
    if values.is_empty() {
        return false;
    }
    let (combinations, mut cut) = combinations(&values);
    let scoped = |principal, place| lets_principal(policy, principal) && lets_verb(&set.vocabulary, policy, place);
    for (principal, _, verb, kind) in shapes().filter(|(principal, place, _, _)| scoped(*principal, *place)) {
        for (tier, level, protected, serves) in OTHERWISE {
            let mut start = ordinary(principal, verb, kind);
            start.target.tier = tier;
            start.circumstances.level = level;
            if protected {
                start.target.tags = PROTECTED_TAGS.iter().map(|tag| (*tag).to_owned()).collect();
            }
            if !serves {
                start.principal.tenants.clear();
            }
            for combination in &combinations {
                let mut request = start.clone();
                for (field, given) in combination {
                    cut |= !give(&mut request, field, given);
                }
                if each(&request).is_break() {
                    return true;
                }
            }
        }
    }
    cut
}

/// All combinations of one value, or none, for each field; and whether there were too many.
fn combinations(values: &Values) -> (Vec<Vec<(&'static str, Given)>>, bool) {
    let mut all: Vec<Vec<(&'static str, Given)>> = vec![Vec::new()];
    let mut cut = false;
    for (field, givens) in values {
        let mut more = Vec::new();
        for combination in &all {
            for given in givens {
                let mut longer = combination.clone();
                longer.push((*field, given.clone()));
                more.push(longer);
            }
        }
        // Those with the new field go first: if the list is cut, the later fields are still tried.
        more.append(&mut all);
        cut |= more.len() > MAX_COMBINATIONS;
        more.truncate(MAX_COMBINATIONS);
        all = more;
    }
    (all, cut)
}
