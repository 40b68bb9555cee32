//! Machines that earn, are promoted and fall, in a rehearsal.

use anyhow::Context as _;
use ed25519_dalek::Signer as _;
use watchfloor_govern::autonomy::{self, Choice, Hex, Key, Promotion, ShadowId};
use watchfloor_govern::plan::{Plan, Principal};
use watchfloor_kernel::Refused;
use watchfloor_model::ids::MachineId;

use super::book::pen;
use super::script::{Cell, What};
use super::stage::{Came, Stage};

impl Stage {
    pub(super) fn autonomy(&mut self, what: &What) -> anyhow::Result<Came> {
        let refused = |what: String, result: Result<(), Refused>| Ok(Came::of(what, result));
        match what {
            What::Judge { cell, machine, times, judgement, by } => {
                let versions = self.kernel.state().machines.get(machine).map(|machine| machine.versions.clone());
                let versions = versions.with_context(|| format!("there is no machine `{machine}`"))?;
                let mut result = Ok(());
                for _ in 0..*times {
                    self.choices += 1;
                    let (key, id) = (key(cell), ShadowId(format!("choice-{}", self.choices)));
                    let level =
                        self.kernel.state().autonomy.cell(&key).map_or_else(Default::default, |cell| cell.granted());
                    let chosen = autonomy::Record::Chosen {
                        key: key.clone(),
                        id: id.clone(),
                        versions: versions.clone(),
                        level,
                        would: Choice::Leave,
                    };
                    let judged =
                        autonomy::Record::Judged { key, id, judgement: *judgement, by: by.clone(), did: Choice::Leave };
                    result = result
                        .and_then(|()| self.kernel.autonomy(chosen, self.now, &mut self.ledger))
                        .and_then(|()| self.kernel.autonomy(judged, self.now, &mut self.ledger));
                }
                refused(format!("{by} judges {machine} on {}, {times} times", cell.verb.name()), result)
            }
            What::Entitle { tenant, person, up_to } => {
                let key = Hex(pen(person).verifying_key().to_bytes());
                let record =
                    autonomy::Record::Entitled { tenant: tenant.clone(), person: person.clone(), key, up_to: *up_to };
                let result = self.kernel.autonomy(record, self.now, &mut self.ledger);
                refused(format!("{person} may promote up to level {}", u8::from(*up_to)), result)
            }
            What::Promote { cell, to, by, reason } => {
                let key = key(cell);
                let known = self.kernel.state().autonomy.cell(&key);
                let promotion = Promotion {
                    versions: known.and_then(|cell| cell.versions().cloned()),
                    generation: known.map_or(0, |cell| cell.generation()),
                    key,
                    to: *to,
                    by: by.clone(),
                    at: self.now,
                    reason: reason.clone(),
                };
                let signature = Hex(pen(by).sign(&promotion.bytes()).to_bytes());
                let record = autonomy::Record::Promoted(autonomy::Signed { promotion, signature });
                let result = self.kernel.autonomy(record, self.now, &mut self.ledger);
                refused(format!("{by} promotes to level {} on {}", u8::from(*to), cell.verb.name()), result)
            }
            What::Standing { cell, machine } => Ok(self.level(cell, machine)),
            _ => anyhow::bail!("nothing about autonomy"),
        }
    }

    /// How far a machine stands, as the gate sees it.
    fn level(&self, cell: &Cell, machine: &MachineId) -> Came {
        let plan = Plan {
            id: "standing".into(),
            tenant: cell.tenant.clone(),
            requester: Principal::Machine(machine.clone()),
            alert_class: cell.class.clone(),
            case: None,
            actions: Vec::new(),
            evidence: Vec::new(),
            reason: String::new(),
        };
        let what = format!("where {machine} stands on {}", cell.verb.name());
        match self.kernel.state().standing(&plan, cell.verb, cell.tier, self.now) {
            None => Came::new(what, "kernel.nobody"),
            Some(standing) => Came {
                told: standing.parts().iter().map(|part| format!("{} {}", u8::from(part.level), part.says)).collect(),
                codes: standing.parts().iter().map(|part| part.code.clone()).collect(),
                ..Came::new(what, format!("level {}", u8::from(standing.level)))
            },
        }
    }
}

fn key(cell: &Cell) -> Key {
    Key { tenant: cell.tenant.clone(), verb: cell.verb, class: cell.class.clone(), tier: cell.tier }
}
