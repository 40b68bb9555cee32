//! How far a machine may go with a verb and an asset, whatever it has earned, and how many people agree to what touches the most protected.

use watchfloor_model::action::{Level, Tier, Verb};

use crate::gate::Question;
use crate::inventory::tags;
use crate::limit::{Limit, Reason};
use crate::plan::Value;

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let is_machine = question.plan.requester.is_machine();
    for (step, row, target) in question.meant() {
        let cap = cap(question, row.verb, target.tier);
        let (verb, tier) = (row.verb.name(), u8::from(target.tier));
        if is_machine && cap < Level::Approved {
            let says = format!("{verb} at tier {tier} is nothing for machines: a person may ask for it");
            reasons.push(step.reason("cap.people_only", Limit::Deny, says));
        }
        if row.kind.is_asset() && (target.tier == Tier::Zero || !row.is_reversible()) {
            let people = row.quorum(target.tier).max(if target.tier == Tier::Zero { 2 } else { 1 });
            let why = if row.is_reversible() { "at tier 0" } else { "cannot be undone" };
            let says = format!("{verb} {why}: {people} people agree");
            reasons.push(step.reason("cap.people", Limit::people(people), says));
        }
        let tag = step.action.parameters.get("tag");
        if matches!(row.verb, Verb::AddTag | Verb::RemoveTag)
            && matches!(tag, Some(Value::Text(tag)) if is_protective(tag))
        {
            let says = "a tag that protects is added or taken away by two people".to_owned();
            reasons.push(step.reason("cap.protective_tag", Limit::people(2), says));
        }
    }
}

/// Up to which level a verb may be done to assets of a tier.
pub(crate) fn cap(question: &Question<'_>, verb: Verb, tier: Tier) -> Level {
    let lower = question.state.caps.iter().filter(|cap| cap.verb == verb && tier <= cap.tier).map(|cap| cap.level);
    lower.fold(verb.row().cap(tier), Ord::min)
}

fn is_protective(tag: &str) -> bool {
    [tags::TELEMETRY, tags::IDENTITY_PROVIDER, tags::MANAGEMENT_PLANE, tags::RESPONSE_CHANNEL]
        .contains(&tag.trim().to_lowercase().as_str())
}
