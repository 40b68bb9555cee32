//! What is wrong with a world when all is quiet.

use super::{KEY, World};
use crate::record::{Act, Came, Fault, Record};

impl World {
    /// What is wrong when all is quiet.
    pub(super) fn judge(&mut self) {
        let mut findings = Vec::new();
        for (key, count) in &self.outside.effects {
            if *count > 1 {
                findings.push(format!("an effect happened {count} times: {key}"));
            }
        }
        self.survived.effects = self.outside.effects.values().map(|count| u64::from(*count)).sum();
        for running in &self.plans {
            let Some(approved) = running.sealed.clone().open(KEY) else { continue };
            let is_given_up = running.log.iter().any(gives_up);
            for token in approved.tokens() {
                let is_ours = self.outside.owner(token.verb, &token.target) == Some(token.id);
                let (did, undid) = (last(&running.log, token.action, false), last(&running.log, token.action, true));
                let is_undone = matches!(undid, Some(Came::Succeeded { .. } | Came::AlreadySo));
                self.survived.undone += u64::from(is_undone);
                let says_not = matches!(did, None | Some(Came::AlreadySo | Came::Failed(_)));
                if is_ours && says_not {
                    findings
                        .push(format!("an effect is there of which the records say {did:?}: {}", token.verb.name()));
                }
                if is_ours && is_undone {
                    findings.push(format!("an effect is there that the records call undone: {}", token.verb.name()));
                }
                // What has a lease ends, and so does all of a plan that was given up, if it can be undone.
                let may_stay = token.inverse.is_none() || token.lease.is_none() && !is_given_up;
                let is_open = matches!(undid, Some(Came::Unknown(_) | Came::Failed(Fault::StillThere)));
                if matches!(did, Some(Came::Succeeded { .. })) && !may_stay && !is_undone && !is_open {
                    findings.push(format!("an effect did not end: {}", token.verb.name()));
                }
            }
        }
        self.survived.findings.extend(findings);
    }
}

/// Whether a plan is not carried on with: something of it failed, nobody knows, or a person wants it undone.
fn gives_up(record: &Record) -> bool {
    match record {
        Record::Came { act, came, .. } => !act.undo && matches!(came, Came::Failed(_) | Came::Unknown(_)),
        Record::Recalled { .. } => true,
        Record::Intent { .. } | Record::Started { .. } | Record::Resolved { .. } => false,
    }
}

/// What the records say last of an act.
fn last(log: &[Record], step: usize, undo: bool) -> Option<Came> {
    let wanted = Act { step, undo };
    log.iter().rev().find_map(|record| match record {
        Record::Came { act, came, .. } if *act == wanted => Some(came.clone()),
        Record::Resolved { act, is_there, .. } if *act == wanted => Some(match *is_there != undo {
            true => Came::Succeeded { verified: true },
            false => Came::Failed(if undo { Fault::StillThere } else { Fault::NotThere }),
        }),
        _ => None,
    })
}
