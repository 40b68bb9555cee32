//! Where a rehearsal takes place: the kernel, its clock, and what answers it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha256};
use watchfloor_govern::approvals::{Bytes, Digest, Proof, Rules, Signed, Statement, What as Say};
use watchfloor_govern::halt::Halt;
use watchfloor_govern::plan::{Hash, Plan};
use watchfloor_govern::state::{State, StateParts};
use watchfloor_govern::{Decision, Limit, Need};
use watchfloor_kernel::{Kernel, Refused};
use watchfloor_model::ids::{PersonId, PlanId};
use watchfloor_policy::{Activation, Policies, Signer, Version};
use watchfloor_respond::{Act, Came as Done, Moment, Order, Standing};

use super::book::{Ledger, Outside, Owned, key_id, pen, people};
use super::script::{Script, What, Word};
use crate::policy::load;

/// Most turns of one plan in one step: more would be one that does not come to rest.
const TURNS_MAX: usize = 10_000;

/// What came of a step.
pub struct Came {
    /// What happened.
    pub what: String,
    /// The answer: a word, or the code of a refusal.
    pub answer: String,
    /// Codes that stand beside it.
    pub codes: Vec<String>,
    /// More, for people.
    pub told: Vec<String>,
}

impl Came {
    pub(super) fn new(what: String, answer: impl Into<String>) -> Self {
        Self { what, answer: answer.into(), codes: Vec::new(), told: Vec::new() }
    }

    pub(super) fn of(what: String, result: Result<(), Refused>) -> Self {
        match result {
            Ok(()) => Self::new(what, "ok"),
            Err(refused) => Self {
                answer: refused.code().to_owned(),
                told: vec![refused.to_string()],
                codes: match &refused {
                    Refused::Denied(decision) => codes(decision),
                    _ => Vec::new(),
                },
                what,
            },
        }
    }

    /// Whether it is what was expected; if nothing was, whether it is no refusal.
    pub fn meets(&self, expected: Option<&str>) -> bool {
        let Some(expected) = expected else { return !self.answer.contains('.') };
        let rest = expected.strip_prefix(self.answer.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            && rest.unwrap_or_default().split_whitespace().all(|code| self.codes.iter().any(|known| known == code))
    }
}

pub struct Stage {
    pub(super) kernel: Kernel,
    pub(super) ledger: Ledger,
    /// From where paths of the script are meant.
    folder: PathBuf,
    pub(super) now: i64,
    start: i64,
    roles: BTreeMap<PersonId, std::collections::BTreeSet<String>>,
    /// Plans by the names that the script gives them.
    plans: BTreeMap<PlanId, Hash>,
    outside: BTreeMap<Hash, Outside>,
    version: Option<Version>,
    pub(super) choices: u64,
}

impl Stage {
    pub fn new(script: &Script, folder: PathBuf, ledger: Option<&Path>) -> anyhow::Result<Self> {
        let parts: StateParts = crate::decide::read(&folder.join(&script.state))?;
        let (state, told) = State::new(parts);
        told.iter().for_each(|told| crate::terminal::say(&format!("warning: {told}\n")));
        let policies = usable(&folder.join(&script.policy))?;
        let now = crate::decide::time(&script.start)?;
        Ok(Self {
            kernel: Kernel::new(state, Box::new(Owned(policies)), people(&script.people)?, Rules::default()),
            ledger: Ledger::new(ledger)?,
            folder,
            now,
            start: now,
            roles: script.people.clone(),
            plans: BTreeMap::new(),
            outside: BTreeMap::new(),
            version: None,
            choices: 0,
        })
    }

    pub fn now(&self) -> i64 {
        self.now
    }

    pub fn leaves(&self) -> u64 {
        self.ledger.leaves
    }

    /// Lets time pass, then does what the step says.
    pub fn play(&mut self, after: i64, what: &What) -> anyhow::Result<Came> {
        self.pass(self.now + after * 1_000)?;
        Ok(match what {
            What::Propose(plan) => self.propose(plan, None),
            What::Decoy { plan, people } => self.propose(plan, Some(Need { people: *people, ..Need::default() })),
            What::Show { plan, to } => {
                let hash = self.plan(plan)?;
                let shown =
                    to.iter().try_for_each(|person| self.kernel.show(&hash, person, self.now, &mut self.ledger));
                let names: Vec<&str> = to.iter().map(PersonId::as_str).collect();
                Came::of(format!("{plan} is shown to {}", names.join(", ")), shown)
            }
            What::Approve(word) => self.say(Say::Approve, word)?,
            What::Deny(word) => self.say(Say::Deny, word)?,
            What::Revoke(word) => self.say(Say::Revoke, word)?,
            What::CarryOut { .. } | What::Wait {} | What::Resolve { .. } | What::Recall { .. } => self.carried(what)?,
            What::Halt { .. } | What::Lift { .. } => self.halted(what)?,
            What::Judge { .. } | What::Entitle { .. } | What::Promote { .. } | What::Standing { .. } => {
                self.autonomy(what)?
            }
            What::Activate { policy, author, by } => self.activate(policy, author, by)?,
            What::People(changes) => {
                for (person, roles) in changes {
                    match roles {
                        Some(roles) => self.roles.insert(person.clone(), roles.clone()),
                        None => self.roles.remove(person),
                    };
                }
                self.kernel.set_people(people(&self.roles)?);
                Came::new("people change".to_owned(), "ok")
            }
            What::Ledger(is_reachable) => {
                self.ledger.is_reachable = *is_reachable;
                self.kernel.learn().ledger = *is_reachable;
                Came::new(format!("the ledger can{} be written", if *is_reachable { "" } else { "not" }), "ok")
            }
        })
    }

    /// Something about how a plan is carried out.
    fn carried(&mut self, what: &What) -> anyhow::Result<Came> {
        Ok(match what {
            What::CarryOut { plan, connector } => {
                let hash = self.plan(plan)?;
                let begun = self.kernel.begin(&hash, &|token| token.idempotency(), self.now, &mut self.ledger);
                let what = format!("{plan} is carried out");
                match begun {
                    Err(refused) => Came::of(what, Err(refused)),
                    Ok(()) => {
                        self.outside.insert(hash, Outside::new(*connector));
                        self.standing_of(what, &hash)?
                    }
                }
            }
            What::Wait {} => {
                let mut came = Came::new("time passes".to_owned(), "ok");
                for hash in self.outside.keys().copied().collect::<Vec<_>>() {
                    let one = self.standing_of(String::new(), &hash)?;
                    came.codes.push(one.answer.clone());
                    came.told.push(format!("{}: {}; {}", self.name(&hash), one.answer, one.told.join("; ")));
                }
                came
            }
            What::Resolve { plan, step, undo, there, by } => {
                let (hash, act) = (self.plan(plan)?, Act { step: *step, undo: *undo });
                let result = self.kernel.resolve(&hash, act, *there, by, self.now, &mut self.ledger);
                let what =
                    format!("{by} says of step {step} of {plan}: {}", if *there { "there" } else { "not there" });
                self.after(what, &hash, result)?
            }
            What::Recall { plan, by } => {
                let hash = self.plan(plan)?;
                let result = self.kernel.recall(&hash, by, self.now, &mut self.ledger);
                self.after(format!("{by} wants {plan} undone"), &hash, result)?
            }
            _ => anyhow::bail!("nothing about carrying out"),
        })
    }

    fn halted(&mut self, what: &What) -> anyhow::Result<Came> {
        Ok(match what {
            What::Halt { scope, by, reason, drill } => {
                let halt = Halt {
                    scope: scope.clone(),
                    by: by.clone(),
                    reason: reason.clone(),
                    at: self.now,
                    drill: *drill,
                    lifting: None,
                };
                let what = format!("{by} stops {}{}", shown(scope), if *drill { ", as a drill" } else { "" });
                Came::of(what, self.kernel.halt(halt, &mut self.ledger))
            }
            What::Lift { scope, by } => {
                let what = format!("{by} lifts the halt of {}", shown(scope));
                match self.kernel.lift(scope, by, self.now, &mut self.ledger) {
                    Ok(is_lifted) => Came::new(what, if is_lifted { "lifted" } else { "waits for another" }),
                    Err(refused) => Came::of(what, Err(refused)),
                }
            }
            _ => anyhow::bail!("nothing about halts"),
        })
    }

    fn plan(&self, name: &PlanId) -> anyhow::Result<Hash> {
        self.plans.get(name).copied().with_context(|| format!("no plan `{name}` was proposed"))
    }

    fn name(&self, hash: &Hash) -> String {
        let named = self.plans.iter().find(|(_, known)| *known == hash);
        named.map_or_else(|| hash.to_string(), |(name, _)| name.to_string())
    }

    fn propose(&mut self, plan: &Plan, decoy: Option<Need>) -> Came {
        let what =
            format!("{} {} {}", plan.requester, if decoy.is_some() { "seems to ask for" } else { "asks for" }, plan.id);
        let hash = plan.hash();
        // Nobody must foretell a nonce; in a rehearsal everybody may, and it is the same each time.
        let nonce = Digest(Sha256::digest(format!("watchfloor rehearsal {hash} {}", self.now)).into());
        let answer = match decoy {
            Some(need) => self.kernel.decoy(plan.clone(), need, nonce, self.now, &mut self.ledger),
            None => self.kernel.propose(plan.clone(), nonce, self.now, &mut self.ledger),
        };
        match answer {
            Err(refused) => Came::of(what, Err(refused)),
            Ok(answer) => {
                self.plans.insert(plan.id.clone(), hash);
                let told = answer.decision.reasons.iter().filter(|reason| reason.limit != Limit::Allow);
                Came {
                    answer: answer.decision.limit.to_string(),
                    codes: codes(&answer.decision),
                    told: told.map(|reason| format!("{}: {}", reason.code, reason.says)).collect(),
                    what,
                }
            }
        }
    }

    fn say(&mut self, say: Say, word: &Word) -> anyhow::Result<Came> {
        let hash = self.plan(&word.plan)?;
        let request = self.kernel.request(&hash).with_context(|| format!("nobody is asked about `{}`", word.plan))?;
        let ask = request.ask();
        let statement = Statement {
            what: say,
            request: ask.request.clone(),
            nonce: ask.nonce,
            plan: *ask.matter.plan(),
            decision: ask.decision,
            shown: ask.shown,
            person: word.by.clone(),
            reason: word.reason.clone(),
            time: self.now,
        };
        let bytes = statement.canonical().context("the statement cannot be written")?;
        let signature = Bytes(pen(word.key_of.as_ref().unwrap_or(&word.by)).sign(&bytes).to_bytes().to_vec());
        let signed = Signed { statement, proof: Proof::Ed25519 { key: key_id(&word.by), signature } };
        let (kernel, ledger, now) = (&mut self.kernel, &mut self.ledger, self.now);
        let (verb, result) = match say {
            Say::Approve => ("approves", kernel.approve(&hash, &signed, word.looked * 1_000, now, ledger)),
            Say::Deny => ("denies", kernel.deny(&hash, &signed, now, ledger)),
            Say::Revoke => ("takes back", kernel.revoke(&hash, &signed, now, ledger)),
        };
        Ok(Came::of(format!("{} {verb} {}", word.by, word.plan), result))
    }

    fn activate(&mut self, path: &Path, author: &str, by: &[PersonId]) -> anyhow::Result<Came> {
        let policies = usable(&self.folder.join(path))?;
        let before = self.version.as_ref();
        let mut version = Version {
            number: before.map_or(1, |before| before.number + 1),
            hash: policies.hash(),
            parent: before.map(Version::own_hash),
            author: author.to_owned(),
            activations: Vec::new(),
        };
        for person in by {
            let bytes = version.signed_bytes(person.as_str(), self.now);
            let signature = pen(person).sign(&bytes).to_bytes();
            let signature = signature.iter().map(|byte| format!("{byte:02x}")).collect();
            version.activations.push(Activation { person: person.to_string(), at: self.now, signature });
        }
        let signer = |(id, roles): (&PersonId, &std::collections::BTreeSet<String>)| Signer {
            id: id.to_string(),
            kind: watchfloor_policy::vocabulary::PrincipalKind::Person,
            may_activate: roles.contains("policy"),
            key: pen(id).verifying_key().to_bytes(),
        };
        let signers: Vec<Signer> = self.roles.iter().map(signer).collect();
        let what = format!("version {} of the policies, by {author}", version.number);
        if let Err(error) = version.verify(&policies, before, &signers) {
            return Ok(Came { told: vec![error.to_string()], ..Came::new(what, format!("policy.{}", error.code())) });
        }
        let first = by.first().cloned().unwrap_or_default();
        let result = self.kernel.activate(Box::new(Owned(policies)), &version, &first, self.now, &mut self.ledger);
        if result.is_ok() {
            self.version = Some(version);
        }
        Ok(Came::of(what, result))
    }

    /// What came of something that a person did to a plan, and how it stands then.
    fn after(&mut self, what: String, hash: &Hash, result: Result<(), Refused>) -> anyhow::Result<Came> {
        match result {
            Ok(()) => self.standing_of(what, hash),
            Err(refused) => Ok(Came::of(what, Err(refused))),
        }
    }

    /// Lets time pass until then, while plans are carried out.
    fn pass(&mut self, until: i64) -> anyhow::Result<()> {
        for hash in self.outside.keys().copied().collect::<Vec<_>>() {
            // Each plan lives its own way to then: they do not meet.
            let back = self.now;
            // A ledger that cannot be written stops it; the next step is told so.
            let _ = self.carry(&hash, until)?;
            self.now = back;
        }
        self.now = until;
        Ok(())
    }

    fn moment(&self) -> Moment {
        Moment { wall: self.now, steady: self.now - self.start }
    }

    /// Carries a plan on until nothing is to be done before then; gives what it waits for.
    fn carry(&mut self, hash: &Hash, until: i64) -> anyhow::Result<Result<Order, Refused>> {
        for _ in 0..TURNS_MAX {
            let order = match self.kernel.poll(hash, self.moment(), &mut self.ledger) {
                Ok(order) => order,
                Err(refused) => return Ok(Err(refused)),
            };
            if let Some((number, reply)) = self.outside.get_mut(hash).and_then(|outside| outside.reply(&order)) {
                let heard = self.kernel.hear(hash, number, reply, self.moment());
                heard.map_err(|refused| anyhow::anyhow!("{refused}"))?;
                continue;
            }
            let next = match &order {
                Order::Pause(steady) => self.start + steady,
                Order::Until(wall) => *wall,
                // What is not answered is waited for.
                Order::Do(_) | Order::Look(_) => self.now + 1_000,
                Order::Write(_) => self.now,
                Order::Halted | Order::Person(_) | Order::Rest => return Ok(Ok(order)),
            };
            if next > until {
                return Ok(Ok(order));
            }
            self.now = next.max(self.now);
        }
        anyhow::bail!("a plan does not come to rest")
    }

    /// Carries a plan on as far as it goes without waiting for its lease, and says how it stands.
    fn standing_of(&mut self, what: String, hash: &Hash) -> anyhow::Result<Came> {
        // As long as it takes to learn that nobody answers.
        let patience = self.now + 1_000_000;
        let order = self.carry(hash, self.now).and_then(|first| match first {
            Ok(Order::Pause(_) | Order::Do(_) | Order::Look(_)) => self.carry(hash, patience),
            other => Ok(other),
        })?;
        let order = match order {
            Ok(order) => order,
            Err(refused) => return Ok(Came::of(what, Err(refused))),
        };
        let answer = match order {
            Order::Until(_) => "leased",
            Order::Halted => "halted",
            Order::Person(_) => "person",
            Order::Rest => "rest",
            _ => "under way",
        };
        let mut came = Came::new(what, answer);
        let Some(saga) = self.kernel.saga(hash) else { return Ok(came) };
        for (step, token) in saga.plan().tokens().iter().enumerate() {
            for undo in [false, true] {
                let Standing::Settled { came: done, .. } = saga.standing(Act { step, undo }) else { continue };
                let how = match done {
                    Done::Succeeded { verified: true } => "done and seen".to_owned(),
                    Done::Succeeded { verified: false } => "done, and nobody can look".to_owned(),
                    Done::AlreadySo => "was so already".to_owned(),
                    Done::Failed(fault) => format!("failed: {fault:?}"),
                    Done::Unknown(fault) => format!("nobody knows: {fault:?}"),
                };
                let back = if undo { " back" } else { "" };
                came.told.push(format!("{} {}{back}: {how}", token.verb.name(), token.target));
            }
        }
        let (calls, there) = self.outside.get(hash).map_or((0, 0), Outside::shown);
        came.told.push(format!("{calls} calls, {there} effects there; {} answers for it", saga.plan().accountable()));
        Ok(came)
    }
}

fn usable(path: &Path) -> anyhow::Result<Policies> {
    let set = load::set(path)?;
    set.usable();
    set.policies.with_context(|| format!("{}: these policies cannot be used", path.display()))
}

fn codes(decision: &Decision) -> Vec<String> {
    decision.reasons.iter().map(|reason| reason.code.clone()).collect()
}

fn shown(scope: &watchfloor_govern::halt::Scope) -> String {
    use watchfloor_govern::halt::Scope;
    match scope {
        Scope::Everything => "everything".to_owned(),
        Scope::Tenant(id) => format!("tenant {id}"),
        Scope::Machine(id) => format!("machine {id}"),
        Scope::Verb(verb) => verb.name().to_owned(),
    }
}
