//! The questions.

use std::future::Future;

use cedar_policy::{Effect, Policy, PolicyId, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use serde::Serialize;
use watchfloor_policy::guard::{GUARDS, Guard, everything, within_bounds};
use watchfloor_policy::{Difference, Finding, Policies, shows_broken};

use crate::example;
use crate::solver::{ProofError, Solver};

/// What was proved of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Which solver answered.
    pub solver: String,
    /// How many questions it was asked.
    pub questions: u64,
    /// What does not hold, with a request that shows it; empty is a proof.
    pub findings: Vec<Finding>,
}

/// What was proved of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DifferenceProof {
    /// Which solver answered.
    pub solver: String,
    /// How many questions it was asked.
    pub questions: u64,
    /// One for each kind of principal, verb and kind of target where decisions differ; empty: no decision differs.
    pub differences: Vec<Difference>,
    /// Kinds where decisions differ only on what no request can be: a target of several tenants.
    pub beyond: Vec<String>,
}

/// Proves what the module's head says, or shows what does not hold.
///
/// # Errors
/// There is no solver, or it gave no answer; then nothing is proved.
pub fn prove(policies: &Policies, solver: &Solver) -> Result<Proof, ProofError> {
    block_on(async {
        let mut asked = Asked::new(policies.schema(), solver)?;
        let mut findings = asked.guards(policies).await?;
        let whole = bounded(policies.set())?;
        for id in policies.ids() {
            let Some(policy) = whole.policy(&PolicyId::new(id)) else { continue };
            for found in asked.policy(&whole, policy).await? {
                findings.push(found.of(id).at(policies.place(id).cloned()));
            }
        }
        Ok(Proof { solver: solver.version().to_owned(), questions: asked.questions, findings })
    })
}

/// Proves which decisions a change of policies changes, for every request that there can be.
///
/// # Errors
/// There is no solver, or it gave no answer; then nothing is proved.
pub fn prove_differences(old: &Policies, new: &Policies, solver: &Solver) -> Result<DifferenceProof, ProofError> {
    block_on(async {
        let mut asked = Asked::new(old.schema(), solver)?;
        let (before, after) = (bounded(old.set())?, bounded(new.set())?);
        let (mut differences, mut beyond) = (Vec::new(), Vec::new());
        for env in asked.environments.clone() {
            let (before, after) = (asked.compile(&before, &env)?, asked.compile(&after, &env)?);
            for (one, other) in [(&after, &before), (&before, &after)] {
                let answer = asked.compiler.check_implies_with_counterexample_opt(one, other).await;
                let Some(shown) = asked.answer(answer, &env)? else { continue };
                let found = example::request(&shown)
                    .and_then(|(request, _)| Difference::between(&request, old.ask(&request), new.ask(&request)));
                match found {
                    Some(difference) => differences.push(difference),
                    None => beyond.push(kinds(&env)),
                }
            }
        }
        differences
            .sort_by(|a, b| (a.way, a.principal, &a.verb, a.target).cmp(&(b.way, b.principal, &b.verb, b.target)));
        beyond.sort();
        beyond.dedup();
        Ok(DifferenceProof { solver: solver.version().to_owned(), questions: asked.questions, differences, beyond })
    })
}

struct Asked<'a> {
    schema: &'a Schema,
    compiler: CedarSymCompiler<LocalSolver>,
    environments: Vec<RequestEnv>,
    questions: u64,
}

impl<'a> Asked<'a> {
    fn new(schema: &'a Schema, solver: &Solver) -> Result<Self, ProofError> {
        let mut environments: Vec<RequestEnv> = schema.request_envs().collect();
        environments.sort_by_key(kinds);
        Ok(Self { schema, compiler: solver.start()?, environments, questions: 0 })
    }

    /// The written guards hold, and the forbids of their names are them.
    async fn guards(&mut self, policies: &Policies) -> Result<Vec<Finding>, ProofError> {
        let mut findings = policies.missing_guards();
        let missing = |guard: &Guard| findings.iter().any(|found| found.message.contains(&format!("`{}`", guard.id)));
        let mut open: Vec<Written> = Vec::new();
        for guard in GUARDS {
            open.push(Written::new(policies, guard, missing(guard))?);
        }
        let forbids = bounded(&policies.forbids_beside_everything().map_err(ProofError::Question)?)?;
        let mut conditions = unbroken(&open)?;
        for env in self.environments.clone() {
            let (forbids, all) = (self.compile(&forbids, &env)?, self.compile(&conditions, &env)?);
            // All guards in one question; each by itself only where they do not all hold.
            let answer = self.compiler.check_disjoint_opt(&forbids, &all).await;
            let all_hold = self.answer(answer, &env)?;
            for written in &mut open {
                let found = match all_hold {
                    false => self.guard_holds(policies, written, &forbids, &env).await?,
                    true => None,
                };
                let found = match found {
                    None => self.guard_is_written(written, &env).await?,
                    broken => broken,
                };
                // Broken is worse than different, and replaces it.
                written.found = found.or(written.found.take());
            }
            if !all_hold {
                // What is broken once is not asked about again: each such question has an answer to be found.
                conditions = unbroken(&open)?;
            }
        }
        findings.extend(open.into_iter().filter_map(|written| written.found));
        Ok(findings)
    }

    /// No request under the condition is allowed by the real forbids beside a permit of everything.
    async fn guard_holds(
        &mut self,
        policies: &Policies,
        written: &Written,
        forbids: &CompiledPolicySet,
        env: &RequestEnv,
    ) -> Result<Option<Finding>, ProofError> {
        let guard = written.guard;
        if written.is_broken() {
            return Ok(None);
        }
        let condition = self.compile(&written.condition, env)?;
        let answer = self.compiler.check_disjoint_with_counterexample_opt(forbids, &condition).await;
        let Some(shown) = self.answer(answer, env)? else { return Ok(None) };
        let message = format!(
            "the guard `{}` does not hold for {}: nothing forbids a request, so a permit could allow it ({})",
            guard.id,
            kinds(env),
            guard.sentence
        );
        Ok(Some(with_example(Finding::error("guard_broken", message), &shown, |request| {
            shows_broken(policies, guard.id, request).unwrap_or(false)
        })))
    }

    /// The forbids of the guard's name are the written guard.
    async fn guard_is_written(&mut self, written: &Written, env: &RequestEnv) -> Result<Option<Finding>, ProofError> {
        if written.missing || written.found.is_some() {
            return Ok(None);
        }
        let (keepers, forbid) = (self.compile(&written.keepers, env)?, self.compile(&written.forbid, env)?);
        let answer = self.compiler.check_equivalent_with_counterexample_opt(&keepers, &forbid).await;
        let Some(shown) = self.answer(answer, env)? else { return Ok(None) };
        let message =
            format!("the forbids of guard `{}` are not the written guard for {}", written.guard.id, kinds(env));
        Ok(Some(with_example(Finding::error("guard_differs", message), &shown, |_| true)))
    }

    /// A policy never fails, and decides something.
    async fn policy(&mut self, whole: &PolicySet, policy: &Policy) -> Result<Vec<Finding>, ProofError> {
        let mut findings = Vec::new();
        let mut decides = false;
        let beside = if policy.effect() == Effect::Permit { Some(beside_forbids(whole, policy)?) } else { None };
        let mut environments: Vec<RequestEnv> = policy.get_valid_request_envs(self.schema).collect();
        environments.sort_by_key(kinds);
        for env in environments {
            let compiled = CompiledPolicy::compile(policy, &env, self.schema)
                .map_err(|error| ProofError::Question(error.to_string()))?;
            if findings.is_empty() {
                let answer = self.compiler.check_never_errors_with_counterexample_opt(&compiled).await;
                if let Some(shown) = self.answer(answer, &env)? {
                    let message = format!("`{}` cannot be evaluated for some {}", policy.id(), kinds(&env));
                    findings.push(with_example(Finding::error("policy_fails", message), &shown, |_| true));
                }
            }
            if !decides {
                let answer = match &beside {
                    Some(set) => {
                        let set = self.compile(set, &env)?;
                        self.compiler.check_always_denies_opt(&set).await
                    }
                    None => self.compiler.check_never_matches_opt(&compiled).await,
                };
                decides = !self.answer(answer, &env)?;
            }
        }
        if !decides {
            let what = if beside.is_some() { "allows nothing that is not forbidden" } else { "matches nothing" };
            findings.push(Finding::error("policy_dead", format!("`{}` {what}", policy.id())));
        }
        Ok(findings)
    }

    fn compile(&self, set: &PolicySet, env: &RequestEnv) -> Result<CompiledPolicySet, ProofError> {
        CompiledPolicySet::compile(set, env, self.schema).map_err(|error| ProofError::Question(error.to_string()))
    }

    fn answer<T>(
        &mut self,
        answer: Result<T, cedar_policy_symcc::err::Error>,
        env: &RequestEnv,
    ) -> Result<T, ProofError> {
        self.questions += 1;
        answer.map_err(|error| ProofError::NoAnswer { about: kinds(env), source: Box::new(error) })
    }
}

/// One written guard beside what a set has for it; all within bounds.
struct Written {
    guard: &'static Guard,
    /// The guard as a permit: what must not be allowed.
    condition: PolicySet,
    /// The guard as a forbid, beside a permit of everything.
    forbid: PolicySet,
    /// The forbids of its name, beside a permit of everything.
    keepers: PolicySet,
    /// Whether no forbid has its name, which is told already.
    missing: bool,
    found: Option<Finding>,
}

impl Written {
    fn is_broken(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.code == "guard_broken")
    }

    fn new(policies: &Policies, guard: &'static Guard, missing: bool) -> Result<Self, ProofError> {
        let question = ProofError::Question;
        let set = |policies: Vec<Policy>| {
            let set = PolicySet::from_policies(policies).map_err(|error| question(error.to_string()))?;
            bounded(&set)
        };
        Ok(Self {
            guard,
            condition: set(vec![guard.policy(Effect::Permit).map_err(question)?])?,
            forbid: set(vec![guard.policy(Effect::Forbid).map_err(question)?, everything().map_err(question)?])?,
            keepers: bounded(&policies.keepers_beside_everything(guard).map_err(question)?)?,
            missing,
            found: None,
        })
    }
}

/// The conditions of all guards that are not known to be broken, as permits.
fn unbroken(guards: &[Written]) -> Result<PolicySet, ProofError> {
    let conditions = guards.iter().filter(|written| !written.is_broken()).flat_map(|one| one.condition.policies());
    PolicySet::from_policies(conditions.cloned()).map_err(|error| ProofError::Question(error.to_string()))
}

/// A finding with the solver's request, and whether asking it again shows the same.
fn with_example(finding: Finding, shown: &Env, shows: impl Fn(&watchfloor_policy::Request) -> bool) -> Finding {
    match example::request(shown) {
        Some((request, true)) if shows(&request) => finding.shown_by(request),
        Some((request, _)) => finding
            .note("the solver's own request has a target of several tenants, or of none, which a request cannot; it is near this one")
            .shown_by(request),
        None => finding.note(shown.to_string()),
    }
}

fn kinds(env: &RequestEnv) -> String {
    format!("{} · {} · {}", env.principal(), env.action().id().unescaped(), env.resource())
}

/// Every policy of a set, looking at nothing outside of the bounds.
fn bounded(set: &PolicySet) -> Result<PolicySet, ProofError> {
    let mut policies = Vec::new();
    for policy in set.policies() {
        policies.push(within_bounds(policy).map_err(ProofError::Question)?);
    }
    PolicySet::from_policies(policies).map_err(|error| ProofError::Question(error.to_string()))
}

fn beside_forbids(whole: &PolicySet, permit: &Policy) -> Result<PolicySet, ProofError> {
    let forbids = whole.policies().filter(|policy| policy.effect() == Effect::Forbid);
    PolicySet::from_policies(forbids.chain([permit]).cloned()).map_err(|error| ProofError::Question(error.to_string()))
}

fn block_on<T>(future: impl Future<Output = Result<T, ProofError>>) -> Result<T, ProofError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ProofError::Start)?.block_on(future)
}
