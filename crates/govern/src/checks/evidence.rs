//! What the plan rests on.
//!
//! All that is known of the case counts, not what the plan chooses to name: to leave evidence out makes a plan no stronger. Text that a stranger may have
//! written can take away that a machine acts alone; it can give nothing.

use std::collections::BTreeSet;

use watchfloor_model::action::{Tier, Verb};
use watchfloor_model::ids::EvidenceId;

use crate::gate::Question;
use crate::limit::{Limit, Reason};
use crate::state::{Evidence, OfCase, Trust};

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let plan = question.plan;
    let is_machine = plan.requester.is_machine();
    let ids: BTreeSet<&EvidenceId> = plan.evidence.iter().collect();
    let mut claims = Vec::new();
    for id in ids {
        let found = question.state.evidence.get(id).filter(|evidence| evidence.tenant == plan.tenant);
        match found {
            None => {
                let says = format!("there is no evidence {id}");
                reasons.push(Question::reason("evidence.unresolved", Limit::Deny, says));
            }
            Some(evidence) if plan.case.as_ref() != Some(&evidence.case) => {
                let says = format!("evidence {id} is of another case");
                reasons.push(Question::reason("evidence.other_case", Limit::Deny, says));
            }
            Some(evidence) => claims.push(evidence),
        }
    }
    rests_on_nothing(question, &claims, reasons);
    rests_on_little(question, &claims, reasons);
    if is_machine {
        alone(question, reasons);
    }
}

fn rests_on_nothing(question: &Question<'_>, claims: &[&Evidence], reasons: &mut Vec<Reason>) {
    let touches = question.meant().any(|(_, row, _)| row.touches);
    if claims.is_empty() && (touches || question.plan.requester.is_machine()) {
        let says = "the plan rests on no evidence".to_owned();
        reasons.push(Question::reason("evidence.none", Limit::Deny, says));
    }
}

/// One source that anybody can write to moves nothing that many depend on.
fn rests_on_little(question: &Question<'_>, claims: &[&Evidence], reasons: &mut Vec<Reason>) {
    let sources: BTreeSet<&str> = claims.iter().map(|evidence| evidence.source.as_str()).collect();
    let best = claims.iter().map(|evidence| evidence.trust).max();
    if sources.len() > 1 || best > Some(Trust::Unauthenticated) {
        return;
    }
    for (step, row, target) in question.meant() {
        if row.kind.is_asset() && target.tier <= Tier::One && (row.touches || question.plan.requester.is_machine()) {
            let says = format!("one source that anybody can write to is not enough for tier {}", u8::from(target.tier));
            reasons.push(step.reason("evidence.weak", Limit::Deny, says));
        }
    }
}

/// What takes away that a machine acts alone.
fn alone(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let mut tell = |code: &str, says: &str| {
        reasons.push(Question::reason(code, Limit::people(1), format!("{says}: a person agrees")));
    };
    let case = of_case(question);
    if case.trust == Some(Trust::Unauthenticated) {
        tell("evidence.untrusted", "some of the evidence could be anybody's");
    }
    if case.instructs {
        tell("evidence.instructs", "text in the evidence looks like an instruction");
    }
    let is_covered = question.tenant.is_some_and(|tenant| {
        let mut assets = question.meant().filter_map(|(_, _, target)| target.asset.as_ref());
        !tenant.degraded && !assets.any(|asset| tenant.uncovered.contains(asset))
    });
    if !is_covered {
        tell("evidence.coverage", "telemetry is missing where the plan acts");
    }
    let closes = question.meant().any(|(_, row, _)| row.verb == Verb::CloseCase || row.undoes);
    if closes && case.soothes {
        tell(
            "evidence.soothes",
            "the verdict is milder when text in the evidence is read, and the milder one does not count",
        );
    }
}

/// All that is known of the plan's case.
fn of_case(question: &Question<'_>) -> OfCase {
    let cases = question.state.by_case.get(&question.plan.tenant);
    let of_case = question.plan.case.as_ref().and_then(|case| cases?.get(case));
    of_case.copied().unwrap_or_default()
}

/// The lowest trust of all that is known of the case.
pub(crate) fn trust(question: &Question<'_>) -> Trust {
    of_case(question).trust.unwrap_or(Trust::Unauthenticated)
}
