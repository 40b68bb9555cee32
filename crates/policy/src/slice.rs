//! Which policies a request has to be asked of.
//!
//! Cedar looks at every policy of a set. Most cannot match: their scope names another verb, another kind of principal, another tenant,
//! another target, another role. So the set is cut once, when it is read, by what the scope says:
//!
//! * for each verb and kind of principal that the scope lets through,
//! * under the narrowest name that the scope gives: one target, one tenant, one principal, one role, or nothing.
//!
//! A request is asked of the few cuts that its own names lead to. A cut may hold policies that do not match; it never lacks one that
//! could, because a scope that does not hold can neither match nor fail: only scopes are used, never conditions.

use std::collections::BTreeMap;

use cedar_policy::{ActionConstraint, EntityUid, Policy, PolicySet, PrincipalConstraint, ResourceConstraint};

use crate::request::Request;
use crate::schema::Vocabulary;
use crate::vocabulary::{PrincipalKind, VERBS};

/// The narrowest name in a policy's scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Narrow {
    Nothing,
    Target(String),
    Tenant(String),
    Principal(String),
    Role(String),
}

/// The policies of one verb and kind of principal.
#[derive(Clone, Debug, Default)]
struct Cut {
    of_all: PolicySet,
    of_target: BTreeMap<String, PolicySet>,
    of_tenant: BTreeMap<String, PolicySet>,
    of_principal: BTreeMap<String, PolicySet>,
    of_role: BTreeMap<String, PolicySet>,
}

/// A set, cut.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slices {
    /// By place of the verb times kinds of principals plus kind.
    cuts: Vec<Cut>,
}

impl Slices {
    /// Cuts a set.
    pub fn new(vocabulary: &Vocabulary, whole: &PolicySet) -> Self {
        let mut cuts = vec![Cut::default(); VERBS.len() * PrincipalKind::ALL.len()];
        for policy in whole.policies() {
            // Without its text: a policy stands in many cuts, and none of them prints it.
            let lean = Policy::from(policy.as_ref().clone());
            let narrow = narrow(policy);
            for (place, cut) in cuts.iter_mut().enumerate() {
                let verb = place / PrincipalKind::ALL.len();
                let kind = PrincipalKind::ALL.get(place % PrincipalKind::ALL.len());
                if kind.is_some_and(|kind| lets_principal(policy, *kind)) && lets_verb(vocabulary, policy, verb) {
                    cut.add(&narrow, lean.clone());
                }
            }
        }
        Self { cuts }
    }

    /// The sets that a request has to be asked of; `verb` is its verb's place.
    pub fn of<'a>(&'a self, request: &'a Request, verb: usize) -> impl Iterator<Item = &'a PolicySet> {
        let cut = self.cuts.get(verb * PrincipalKind::ALL.len() + request.principal.kind as usize);
        cut.into_iter().flat_map(|cut| {
            let named = [
                cut.of_target.get(&request.target.id),
                cut.of_tenant.get(&request.target.tenant),
                cut.of_principal.get(&request.principal.id),
            ];
            let roles = request.principal.roles.iter().enumerate().filter_map(|(place, role)| {
                // A role that is named twice is asked once.
                let earlier = request.principal.roles.get(..place).unwrap_or_default();
                if earlier.contains(role) { None } else { cut.of_role.get(role) }
            });
            std::iter::once(&cut.of_all).chain(named.into_iter().flatten()).chain(roles)
        })
    }
}

impl Cut {
    fn add(&mut self, narrow: &Narrow, policy: Policy) {
        let set = match narrow {
            Narrow::Nothing => &mut self.of_all,
            Narrow::Target(id) => self.of_target.entry(id.clone()).or_default(),
            Narrow::Tenant(id) => self.of_tenant.entry(id.clone()).or_default(),
            Narrow::Principal(id) => self.of_principal.entry(id.clone()).or_default(),
            Narrow::Role(id) => self.of_role.entry(id.clone()).or_default(),
        };
        // Ids are unique in the whole set, and all policies are static: neither refusal of `add` can be.
        let added = set.add(policy);
        debug_assert!(added.is_ok(), "a policy was lost from a cut");
    }
}

fn narrow(policy: &Policy) -> Narrow {
    let id = |uid: &EntityUid| uid.id().unescaped().to_owned();
    match policy.resource_constraint() {
        ResourceConstraint::Eq(uid) => return Narrow::Target(id(&uid)),
        ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid) => {
            // `in` holds of the thing itself too.
            let tenant = uid.type_name().basename() == "Tenant";
            return if tenant { Narrow::Tenant(id(&uid)) } else { Narrow::Target(id(&uid)) };
        }
        ResourceConstraint::Any | ResourceConstraint::Is(_) => {}
    }
    match policy.principal_constraint() {
        PrincipalConstraint::Eq(uid) => Narrow::Principal(id(&uid)),
        PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) => {
            if uid.type_name().basename() == "Role" {
                Narrow::Role(id(&uid))
            } else {
                Narrow::Principal(id(&uid))
            }
        }
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => Narrow::Nothing,
    }
}

pub(crate) fn lets_principal(policy: &Policy, kind: PrincipalKind) -> bool {
    match policy.principal_constraint() {
        PrincipalConstraint::Is(name) | PrincipalConstraint::IsIn(name, _) => name.basename() == kind.name(),
        PrincipalConstraint::Eq(uid) => uid.type_name().basename() == kind.name(),
        PrincipalConstraint::Any | PrincipalConstraint::In(_) => true,
    }
}

pub(crate) fn lets_verb(vocabulary: &Vocabulary, policy: &Policy, verb: usize) -> bool {
    let Some((uid, entity)) = vocabulary.verb(verb) else { return true };
    let is_in = |group: &EntityUid| group == uid || entity.as_ref().ancestors().any(|a| a == group.as_ref());
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *uid,
        ActionConstraint::In(named) => named.iter().any(is_in),
    }
}
