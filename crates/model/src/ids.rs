//! Names of nouns, each a type of its own: a person cannot be given where a host is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A customer, or the house itself.
    TenantId,
    /// A named person.
    PersonId,
    /// Something that acts without being a person: an agent, a rule, a client of the interface.
    MachineId,
    /// A canonical entity: its kind, a colon, and what the inventory calls it.
    EntityId,
    /// A case.
    CaseId,
    /// A plan.
    PlanId,
    /// A piece of evidence.
    EvidenceId,
    /// What a number of alerts have in common: what a cell of autonomy is about.
    AlertClass,
}
