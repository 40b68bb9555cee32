//! What must stay reachable after the plan: what tells what happens, what says who is who, the way by which actions are done, and every path that somebody
//! declared. An asset is lost with whatever it needs; what needs one of several is lost with the last of them.

use std::collections::BTreeSet;

use watchfloor_model::action::{Kind, Verb};
use watchfloor_model::ids::EntityId;

use crate::gate::Question;
use crate::inventory::{Asset, Inventory, tags};
use crate::limit::{Limit, Reason};

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let Some(tenant) = question.tenant else { return };
    let inventory = &tenant.inventory;
    let taken: BTreeSet<&EntityId> = question
        .meant()
        .filter(|(step, row, target)| takes_down(row.verb, target.asset.as_ref(), step.asset))
        .filter_map(|(_, _, target)| target.asset.as_ref())
        .collect();
    if taken.is_empty() {
        return;
    }
    let before = tenant.effects.iter().filter(|effect| {
        let asset = effect.asset.as_ref();
        takes_down(effect.verb, asset, asset.and_then(|asset| inventory.asset(asset)))
    });
    let before = inventory.lost(&before.filter_map(|effect| effect.asset.as_ref()).collect());
    let mut all = before.clone();
    all.extend(taken);
    let after = inventory.lost(&all);
    let new: BTreeSet<&EntityId> = after.difference(&before).copied().collect();
    let mut declared = BTreeSet::new();
    for path in inventory.paths() {
        declared.extend(&path.members);
        let left = path.members.iter().filter(|id| inventory.asset(id).is_some() && !after.contains(id)).count();
        if left < path.least && path.members.iter().any(|id| new.contains(id)) {
            let says = format!("{} would have {left} of the {} that it needs: {}", path.name, path.least, names(&new));
            reasons.push(Question::reason("world.path", Limit::Deny, says));
        }
    }
    for id in new.iter().filter(|id| !declared.contains(*id)) {
        let Some(asset) = inventory.asset(id) else { continue };
        for (tag, code, what) in [
            (tags::TELEMETRY, "world.telemetry", "what happens there would not be told any more"),
            (tags::IDENTITY_PROVIDER, "world.identity", "nobody could say any more who is who"),
            (tags::RESPONSE_CHANNEL, "world.channel", "what is done could not be undone any more"),
        ] {
            if asset.tags.contains(tag) {
                reasons.push(Question::reason(code, Limit::Deny, format!("{id} would be lost: {what}")));
            }
        }
    }
}

fn names(ids: &BTreeSet<&EntityId>) -> String {
    const SHOWN_MAX: usize = 8;
    let shown: Vec<&str> = ids.iter().take(SHOWN_MAX).map(|id| id.as_str()).collect();
    let more = if ids.len() > SHOWN_MAX { " and others" } else { "" };
    format!("{} would be lost{more}", shown.join(", "))
}

/// Whether a verb takes an asset down.
fn takes_down(verb: Verb, id: Option<&EntityId>, asset: Option<&Asset>) -> bool {
    let is_itself =
        |kind: Kind| id.is_some_and(|id| id.as_str().split_once(':').is_some_and(|(of, _)| of == kind.name()));
    let protects = asset.is_some_and(|asset| {
        [tags::TELEMETRY, tags::IDENTITY_PROVIDER, tags::RESPONSE_CHANNEL].iter().any(|tag| asset.tags.contains(*tag))
    });
    match verb {
        Verb::IsolateHost | Verb::DisableAccount | Verb::BlockAddress | Verb::BlockDomain | Verb::BlockHash => true,
        // A process or a file that is none of those that are known may be the one that matters.
        Verb::KillProcess => is_itself(Kind::Process) || protects,
        Verb::QuarantineFile => is_itself(Kind::File) || protects,
        Verb::ResetCredential | Verb::RevokeSessions => protects,
        _ => false,
    }
}

impl Inventory {
    /// Everything that is lost with some assets.
    pub(crate) fn lost<'i>(&'i self, taken: &BTreeSet<&'i EntityId>) -> BTreeSet<&'i EntityId> {
        let mut lost = taken.clone();
        let mut open: Vec<&EntityId> = taken.iter().copied().collect();
        while let Some(id) = open.pop() {
            for above in self.needed_by(id) {
                let needs = self.asset(above).map(|asset| asset.needs.as_slice()).unwrap_or_default();
                let is_lost = needs.iter().any(|one_of| one_of.iter().all(|need| lost.contains(need)));
                if is_lost && lost.insert(above) {
                    open.push(above);
                }
            }
        }
        lost
    }
}
