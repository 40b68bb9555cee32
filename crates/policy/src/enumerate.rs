//! The check that always runs: every request of the grid is tried.
//!
//! It proves nothing beyond its grid, and needs nothing: no solver, no input, no time limit. What it finds is a request that shows it.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Authorizer, Effect, PolicySet};
use serde::Serialize;

use crate::ask::{ask_set, cedar};
use crate::finding::Finding;
use crate::grid::{self, Walked};
use crate::guard::{EVERYTHING, GUARDS, everything};
use crate::read::Policies;
use crate::request::Request;
use crate::slice::Slices;

/// What trying everything showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enumeration {
    /// How much was tried.
    pub walked: Walked,
    /// How many of the requests the set allows.
    pub allowed: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Tries every request of the grid on a set.
#[must_use]
pub fn enumerate(policies: &Policies) -> Enumeration {
    match Trial::new(policies) {
        Ok(mut trial) => {
            let walked = grid::walk(&[policies], |request| trial.request(request));
            Enumeration { walked, allowed: trial.allowed, findings: trial.findings() }
        }
        Err(error) => Enumeration {
            walked: Walked::default(),
            allowed: 0,
            findings: vec![Finding::error("policy_enumeration", error)],
        },
    }
}

/// First example and number of what was seen.
type Seen = BTreeMap<String, (Request, u64)>;

struct Trial<'a> {
    policies: &'a Policies,
    permits: Slices,
    /// The forbids; they are asked beside a permit of everything.
    forbids: Slices,
    everything: PolicySet,
    /// The written guards as permits: those that answer hold.
    written: PolicySet,
    keeper_of: BTreeMap<String, &'static str>,
    allowed: u64,
    deciding: BTreeSet<String>,
    broken: Seen,
    differs: Seen,
    failing: Seen,
    fault: Option<String>,
}

impl<'a> Trial<'a> {
    fn new(policies: &'a Policies) -> Result<Self, String> {
        let of = |effect| PolicySet::from_policies(policies.of_effect(effect).cloned()).map_err(|e| e.to_string());
        let written: Vec<_> = GUARDS.iter().map(|guard| guard.policy(Effect::Permit)).collect::<Result<_, _>>()?;
        let keeper_of = policies.whole.policies().filter_map(|policy| {
            let name = policy.annotation("guard")?;
            let guard = GUARDS.iter().find(|guard| guard.id == name)?;
            Some((policy.id().to_string(), guard.id))
        });
        Ok(Self {
            policies,
            permits: Slices::new(&policies.vocabulary, &of(Effect::Permit)?),
            forbids: Slices::new(&policies.vocabulary, &of(Effect::Forbid)?),
            everything: PolicySet::from_policies([everything()?]).map_err(|error| error.to_string())?,
            written: PolicySet::from_policies(written).map_err(|error| error.to_string())?,
            keeper_of: keeper_of.collect(),
            allowed: 0,
            deciding: BTreeSet::new(),
            broken: Seen::new(),
            differs: Seen::new(),
            failing: Seen::new(),
            fault: None,
        })
    }

    fn request(&mut self, request: &Request) {
        let built = request.check().map_err(|error| error.to_string());
        let built = built.and_then(|verb| Ok((verb, cedar(&self.policies.vocabulary, request, verb, None)?)));
        let (verb, (question, entities)) = match built {
            Ok(built) => built,
            Err(error) => {
                self.fault.get_or_insert(error);
                return;
            }
        };
        let authorizer = Authorizer::new();
        let mut failing = Vec::new();
        let mut matching = |set: &PolicySet| {
            let response = authorizer.is_authorized(&question, set, &entities);
            for cedar_policy::AuthorizationError::PolicyEvaluationError(error) in response.diagnostics().errors() {
                failing.push((error.policy_id().to_string(), error.inner().to_string()));
            }
            response.diagnostics().reason().map(ToString::to_string).collect::<BTreeSet<String>>()
        };
        let mut permits = BTreeSet::new();
        self.permits.of(request, verb).for_each(|set| permits.append(&mut matching(set)));
        let mut forbids = BTreeSet::new();
        self.forbids.of(request, verb).for_each(|set| forbids.append(&mut matching(set)));
        let open = matching(&self.everything).contains(EVERYTHING) && forbids.is_empty();
        let held = matching(&self.written);

        for (policy, error) in failing {
            count(&mut self.failing, &format!("{policy}\n{error}"), request);
        }
        for guard in GUARDS {
            let holds = held.contains(guard.id);
            let kept = forbids.iter().any(|id| self.keeper_of.get(id) == Some(&guard.id));
            if holds && open {
                count(&mut self.broken, guard.id, request);
            } else if holds != kept {
                count(&mut self.differs, guard.id, request);
            }
        }
        if forbids.is_empty() {
            self.allowed += u64::from(!permits.is_empty());
            self.deciding.append(&mut permits);
        } else {
            self.deciding.append(&mut forbids);
        }
    }

    fn findings(self) -> Vec<Finding> {
        let mut findings = self.policies.missing_guards();
        let missing = |id: &str| findings.iter().any(|finding: &Finding| finding.message.contains(&format!("`{id}`")));
        let mut more = Vec::new();
        for (id, (request, times)) in self.broken {
            let guard = GUARDS.iter().find(|guard| guard.id == id).map_or("", |guard| guard.sentence);
            let message = format!(
                "the guard `{id}` does not hold: nothing forbids {times} of the requests tried, so a permit could allow them ({guard})"
            );
            more.push(Finding::error("guard_broken", message).shown_by(request));
        }
        for (id, (request, times)) in self.differs {
            if missing(&id) {
                continue;
            }
            let message =
                format!("the forbids of guard `{id}` are not the written guard: {times} of the requests tried differ");
            more.push(Finding::error("guard_differs", message).shown_by(request));
        }
        for (what, (request, times)) in self.failing {
            let (policy, error) = what.split_once('\n').unwrap_or((&what, ""));
            let message = format!("`{policy}` cannot be evaluated for {times} of the requests tried: {error}");
            let place = self.policies.place(policy).cloned();
            more.push(Finding::error("policy_fails", message).of(policy).at(place).shown_by(request));
        }
        for id in self.policies.ids().filter(|id| !self.deciding.contains(*id)) {
            let message = format!("`{id}` decided none of the requests tried");
            let place = self.policies.place(id).cloned();
            more.push(Finding::warning("policy_idle", message).of(id).at(place));
        }
        if let Some(fault) = self.fault {
            more.push(Finding::error("policy_enumeration", format!("a request of the grid is none: {fault}")));
        }
        findings.append(&mut more);
        findings
    }
}

fn count(seen: &mut Seen, what: &str, request: &Request) {
    match seen.get_mut(what) {
        Some((_, times)) => *times += 1,
        None => {
            seen.insert(what.to_owned(), (request.clone(), 1));
        }
    }
}

/// Whether a request shows that a guard does not hold in a set: its condition holds, and no forbid matches.
///
/// # Errors
/// None that can be; Cedar's, if its syntax changes.
pub fn shows_broken(policies: &Policies, guard: &str, request: &Request) -> Result<bool, String> {
    let Some(guard) = GUARDS.iter().find(|known| known.id == guard) else {
        return Err(format!("there is no guard `{guard}`"));
    };
    let written = PolicySet::from_policies([guard.policy(Effect::Permit)?]).map_err(|error| error.to_string())?;
    let holds = ask_set(&policies.vocabulary, request, &written).allows();
    let open = ask_set(&policies.vocabulary, request, &policies.forbids_beside_everything()?).allows();
    Ok(holds && open)
}
