//! The written guards: what no set of policies may let happen.
//!
//! Each is a condition in Cedar, written here once, apart from any set. A set keeps a guard by forbids that carry its name
//! (`@guard("…")`). Before a set is activated three things are shown of each guard:
//!
//! * with a permit of everything beside the set's real forbids, nothing under the condition is allowed: so no permit, written now or
//!   later, can open it;
//! * the forbids that carry the guard's name match exactly where the condition holds: they are the guard, not more and not less;
//! * no policy fails to evaluate, since Cedar skips a forbid that does.

use std::str::FromStr;

use cedar_policy::{Effect, Policy, PolicyId, PolicySet};

use crate::finding::Finding;
use crate::read::Policies;
use crate::request::BOUNDS;

/// One written guard.
#[derive(Debug)]
pub struct Guard {
    /// Its name in `@guard("…")`.
    pub id: &'static str,
    /// What it says, for a person.
    pub sentence: &'static str,
    /// When it forbids, in Cedar.
    pub condition: &'static str,
}

/// Tags of what the watch itself stands on.
pub const PROTECTED_TAGS: &[&str] = &["telemetry", "identity_provider", "management_plane"];

/// All written guards.
pub const GUARDS: &[Guard] = &[
    Guard {
        id: "protected",
        sentence: "no agent, rule or API client touches telemetry, an identity provider or the management plane, or sets or \
                   takes such a tag",
        condition: "!(principal is Person) && \
                    (resource.tags.containsAny([\"telemetry\", \"identity_provider\", \"management_plane\"]) || \
                    [\"telemetry\", \"identity_provider\", \"management_plane\"].contains(context.tag))",
    },
    Guard {
        id: "tier-zero",
        sentence: "nothing on tier 0 is changed without asking: levels 3 and 4 end above it",
        condition: "action in Action::\"effect\" && resource.tier == 0 && context.level >= 3",
    },
    Guard {
        id: "irreversible",
        sentence: "what cannot be undone is not done without asking: levels 3 and 4 do not hold for it",
        condition: "action in Action::\"irreversible\" && context.level >= 3",
    },
    Guard {
        id: "hearsay",
        sentence: "no agent, rule or API client changes tier 0 or 1 on unauthenticated evidence",
        condition: "!(principal is Person) && action in Action::\"effect\" && resource.tier <= 1 && context.trust == 0",
    },
    Guard {
        id: "tenant-wall",
        sentence: "nobody touches what belongs to a tenant that they do not serve",
        condition: "!(resource in principal.tenants)",
    },
];

/// The id of the permit of everything, in the sets below; no policy of a set can have it, since ids have no capitals.
pub const EVERYTHING: &str = "EVERYTHING";

impl Guard {
    /// The guard as a policy: `permit` to ask where it holds, `forbid` to compare with.
    ///
    /// # Errors
    /// Cedar's, if the condition does not parse; a test shows that all do.
    pub fn policy(&self, effect: Effect) -> Result<Policy, String> {
        let word = if effect == Effect::Permit { "permit" } else { "forbid" };
        parse(self.id, &format!("{word} (principal, action, resource) when {{ {} }};", self.condition))
    }
}

/// A permit of everything.
///
/// # Errors
/// None that can be; Cedar's, if its syntax changes.
pub fn everything() -> Result<Policy, String> {
    parse(EVERYTHING, "permit (principal, action, resource);")
}

/// The bounds of all numbers, as a condition in Cedar.
#[must_use]
pub fn bounds() -> String {
    let parts: Vec<String> =
        BOUNDS.iter().map(|(name, least, most)| format!("{name} >= {least} && {name} <= {most}")).collect();
    parts.join(" && ")
}

/// A policy that looks at nothing outside of the bounds: a proof about it speaks of requests that can be.
///
/// # Errors
/// Cedar's, if the policy has no JSON form.
pub fn within_bounds(policy: &Policy) -> Result<Policy, String> {
    let bound = parse("bounds", &format!("permit (principal, action, resource) when {{ {} }};", bounds()))?;
    let mut json = policy.to_json().map_err(|error| error.to_string())?;
    let condition = bound.to_json().map_err(|error| error.to_string())?;
    let condition = condition.pointer("/conditions/0").cloned().ok_or("bounds have no condition")?;
    let conditions =
        json.get_mut("conditions").and_then(|list| list.as_array_mut()).ok_or("a policy has no conditions")?;
    // First: Cedar looks at conditions in their order and stops at the first that does not hold.
    conditions.insert(0, condition);
    Policy::from_json(Some(policy.id().clone()), json).map_err(|error| error.to_string())
}

impl Policies {
    /// The policies of one effect.
    pub(crate) fn of_effect(&self, effect: Effect) -> impl Iterator<Item = &Policy> {
        self.whole.policies().filter(move |policy| policy.effect() == effect)
    }

    /// The real forbids beside a permit of everything.
    ///
    /// # Errors
    /// None that can be: ids are unique.
    pub fn forbids_beside_everything(&self) -> Result<PolicySet, String> {
        self.beside_everything(|_| true)
    }

    /// The forbids that carry a guard's name, beside a permit of everything.
    ///
    /// # Errors
    /// None that can be: ids are unique.
    pub fn keepers_beside_everything(&self, guard: &Guard) -> Result<PolicySet, String> {
        self.beside_everything(|policy| policy.annotation("guard") == Some(guard.id))
    }

    fn beside_everything(&self, takes: impl Fn(&Policy) -> bool) -> Result<PolicySet, String> {
        let forbids = self.of_effect(Effect::Forbid).filter(|policy| takes(policy)).cloned();
        PolicySet::from_policies(forbids.chain([everything()?])).map_err(|error| error.to_string())
    }

    /// Guards that no forbid of this set carries the name of.
    #[must_use]
    pub fn missing_guards(&self) -> Vec<Finding> {
        let kept = |guard: &&Guard| !self.whole.policies().any(|policy| policy.annotation("guard") == Some(guard.id));
        let missing = GUARDS.iter().filter(kept).map(|guard| {
            Finding::error("guard_missing", format!("no forbid keeps the guard `{}`: {}", guard.id, guard.sentence))
                .note(format!(
                    "@guard(\"{}\") forbid (principal, action, resource) when {{ {} }};",
                    guard.id, guard.condition
                ))
        });
        missing.collect()
    }
}

fn parse(id: &str, text: &str) -> Result<Policy, String> {
    let policy = Policy::from_str(text).map_err(|error| error.to_string())?;
    Ok(policy.new_id(PolicyId::new(id)))
}

#[cfg(test)]
mod tests {
    use cedar_policy::{ValidationMode, Validator};

    use super::*;
    use crate::schema::Vocabulary;

    #[test]
    fn guards_fit_the_schema_also_within_bounds() {
        let validator = Validator::new(Vocabulary::new().unwrap().schema);
        for guard in GUARDS {
            for effect in [Effect::Permit, Effect::Forbid] {
                let policy = within_bounds(&guard.policy(effect).unwrap()).unwrap();
                let result = validator.validate(&PolicySet::from_policies([policy]).unwrap(), ValidationMode::Strict);
                assert!(result.validation_passed(), "{}: {result}", guard.id);
            }
        }
        for tag in PROTECTED_TAGS {
            assert_eq!(GUARDS[0].condition.matches(tag).count(), 2, "{tag}");
        }
    }
}
