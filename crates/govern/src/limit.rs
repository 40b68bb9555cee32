//! What checks say: how far a plan may go, and why.
//!
//! Limits are ordered from the mildest to the strictest, and two of them meet in one that is as strict as both. Meeting is all that checks can do to each
//! other, so the order in which they are made does not matter, and none can loosen what another has said.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Who must agree before something is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Need {
    /// How many different people, besides the one who asks.
    pub people: u8,
    /// Roles of which each must be held by one of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
}

/// How far a plan may go.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Limit {
    /// It may be done.
    #[default]
    Allow,
    /// It may be done when people have agreed.
    People(Need),
    /// It may not be done.
    Deny,
}

impl Limit {
    /// It may be done when so many people have agreed.
    #[must_use]
    pub fn people(people: u8) -> Self {
        if people == 0 { Self::Allow } else { Self::People(Need { people, roles: BTreeSet::new() }) }
    }

    /// What is as strict as both.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        match (self, other) {
            (Self::Deny, _) | (_, Self::Deny) => Self::Deny,
            (Self::Allow, limit) | (limit, Self::Allow) => limit,
            (Self::People(one), Self::People(mut other)) => {
                other.people = other.people.max(one.people);
                other.roles.extend(one.roles);
                Self::People(other)
            }
        }
    }

    /// Whether this permits nothing that another one does not permit.
    #[must_use]
    pub fn is_as_strict_as(&self, other: &Self) -> bool {
        self.clone().meet(other.clone()) == *self
    }
}

/// A word, as it also stands in JSON, and how many people.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allow"),
            Self::People(need) => write!(f, "people {}", need.people),
            Self::Deny => f.write_str("deny"),
        }
    }
}

/// Why a check says what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// What programs know it by; it does not change.
    pub code: String,
    /// What it comes to.
    pub limit: Limit,
    /// Number of the action in the plan, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<usize>,
    /// A sentence for a person.
    pub says: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Vec<Limit> {
        let need = |people, roles: &[&str]| {
            Limit::People(Need { people, roles: roles.iter().map(|role| (*role).to_owned()).collect() })
        };
        vec![
            Limit::Allow,
            need(1, &[]),
            need(2, &[]),
            need(1, &["owner"]),
            need(2, &["approver", "owner"]),
            Limit::Deny,
        ]
    }

    #[test]
    fn meeting_is_a_semilattice() {
        for a in limits() {
            assert_eq!(a.clone().meet(a.clone()), a);
            assert!(Limit::Deny.is_as_strict_as(&a) && a.is_as_strict_as(&Limit::Allow));
            for b in limits() {
                let both = a.clone().meet(b.clone());
                assert_eq!(both, b.clone().meet(a.clone()));
                assert!(both.is_as_strict_as(&a) && both.is_as_strict_as(&b), "{a:?} {b:?}");
                for c in limits() {
                    assert_eq!(both.clone().meet(c.clone()), a.clone().meet(b.clone().meet(c)));
                }
            }
        }
        assert!(!Limit::people(1).is_as_strict_as(&Limit::people(2)));
        assert_eq!(Limit::people(0), Limit::Allow);
    }
}
