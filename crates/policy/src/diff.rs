//! What a change of policies changes: on past requests, and on every request of the grid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ask::Answer;
use crate::grid::{self, Walked};
use crate::read::Policies;
use crate::request::Request;
use crate::vocabulary::{PrincipalKind, TargetKind};

/// A request that was answered before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub answer: Answer,
}

/// One past request that would be answered otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its place in the list of past requests, from 0.
    pub place: usize,
    /// What was answered.
    pub before: Answer,
    /// What would be answered.
    pub after: Answer,
    /// Whether what may be done changes, and not only why.
    pub decision: bool,
}

/// Which way a decision changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It was denied and will be allowed.
    NewlyAllowed,
    /// It was allowed and will be denied.
    NewlyDenied,
}

/// Decisions that change for one kind of principal, verb and kind of target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which way.
    pub way: Way,
    /// Who asks.
    pub principal: PrincipalKind,
    /// For what.
    pub verb: String,
    /// On what.
    pub target: TargetKind,
    /// How many of the requests tried; 0 if a solver found it.
    pub times: u64,
    /// One of them.
    pub example: Request,
    /// What the old set says of it.
    pub before: Answer,
    /// What the new set says of it.
    pub after: Answer,
}

/// What would have changed.
#[must_use]
pub fn preview(new: &Policies, past: &[Past]) -> Vec<Changed> {
    let changed = past.iter().enumerate().filter_map(|(place, past)| {
        let after = new.ask(&past.request);
        let decision = after.allows() != past.answer.allows();
        (after != past.answer).then(|| Changed { place, before: past.answer.clone(), after, decision })
    });
    changed.collect()
}

/// Decisions that differ on the grid of both sets, grouped, with an example each.
#[must_use]
pub fn differences(old: &Policies, new: &Policies) -> (Walked, Vec<Difference>) {
    let mut found: BTreeMap<_, Difference> = BTreeMap::new();
    let walked = grid::walk(&[old, new], |request| {
        let (before, after) = (old.ask(request), new.ask(request));
        if let Some(difference) = Difference::between(request, before, after) {
            let key = (difference.way, difference.principal, difference.verb.clone(), difference.target);
            found.entry(key).or_insert(difference).times += 1;
        }
    });
    (walked, found.into_values().collect())
}

impl Difference {
    /// The difference that two answers to a request make, if one allows and the other does not.
    #[must_use]
    pub fn between(request: &Request, before: Answer, after: Answer) -> Option<Self> {
        let way = match (before.allows(), after.allows()) {
            (false, true) => Way::NewlyAllowed,
            (true, false) => Way::NewlyDenied,
            _ => return None,
        };
        Some(Self {
            way,
            principal: request.principal.kind,
            verb: request.verb.clone(),
            target: request.target.kind,
            times: 0,
            example: request.clone(),
            before,
            after,
        })
    }
}
