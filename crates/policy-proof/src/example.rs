//! The solver's example becomes a request that a person can read and that can be asked again.

use cedar_policy::{Entities, EntityUid, EvalResult};
use cedar_policy_symcc::Env;
use watchfloor_policy::vocabulary::{PrincipalKind, TargetKind};
use watchfloor_policy::{Circumstances, Principal, Request, Target};

/// A tenant that the solver gave no name: its target belongs to none.
const NOBODYS: &str = "nobody's";

/// The request, and whether it is the solver's own: a target of several tenants is none that a request can have.
pub(crate) fn request(env: &Env) -> Option<(Request, bool)> {
    let (who, action, what) = (env.request.principal()?, env.request.action()?, env.request.resource()?);
    let context = env.request.context()?;
    let number = |name: &str| match context.get(name) {
        Some(EvalResult::Long(number)) => Some(number),
        _ => None,
    };
    let text = |name: &str| match context.get(name) {
        Some(EvalResult::String(text)) => Some(text),
        _ => None,
    };
    let tenants = above(&env.entities, what, "Tenant");
    let target = env.entities.get(what)?;
    let attribute = |name: &str| target.attr(name).and_then(Result::ok);
    let tier = match attribute("tier")? {
        EvalResult::Long(tier) => tier,
        _ => return None,
    };
    let principal = Principal {
        kind: PrincipalKind::named(who.type_name().basename())?,
        id: name(who, "somebody"),
        roles: above(&env.entities, who, "Role"),
        tenants: texts(&env.entities.get(who)?.attr("tenants")?.ok()?),
    };
    let target = Target {
        kind: TargetKind::named(what.type_name().basename())?,
        id: name(what, "something"),
        tenant: tenants.first().cloned().unwrap_or_else(|| NOBODYS.to_owned()),
        tier,
        tags: texts(&attribute("tags")?),
        owner: texts(&attribute("owner")?).concat(),
        site: texts(&attribute("site")?).concat(),
    };
    let circumstances = Circumstances {
        level: number("level")?,
        risk: number("risk")?,
        alert_class: text("alert_class")?,
        trust: number("trust")?,
        hour: number("hour")?,
        targets: number("targets")?,
        lease_minutes: number("lease_minutes")?,
        tag: text("tag")?,
    };
    let verb = action.id().unescaped().to_owned();
    Some((Request { principal, verb, target, circumstances }, tenants.len() <= 1))
}

/// An id, or a name for one that the solver left empty.
fn name(uid: &EntityUid, otherwise: &str) -> String {
    let id = uid.id().unescaped();
    if id.is_empty() { otherwise.to_owned() } else { id.to_owned() }
}

fn above(entities: &Entities, uid: &EntityUid, kind: &str) -> Vec<String> {
    let mut ids: Vec<String> = entities
        .ancestors(uid)
        .into_iter()
        .flatten()
        .filter(|group| group.type_name().basename() == kind)
        .map(|group| name(group, "nameless"))
        .collect();
    ids.sort();
    ids
}

fn texts(value: &EvalResult) -> Vec<String> {
    match value {
        EvalResult::String(text) => vec![text.clone()],
        EvalResult::EntityUid(uid) => vec![name(uid, "nameless")],
        EvalResult::Set(set) => set.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
