//! Plans: what somebody wants to be done.
//!
//! A plan is bound by its hash: SHA-256 over its canonical JSON (RFC 8785). Whoever changes anything about it has another plan.

mod canonical;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use watchfloor_model::ids::{AlertClass, CaseId, EvidenceId, MachineId, PersonId, PlanId, TenantId};

use crate::hex::Hex;

/// Most actions of a plan (`plan.too_large`).
pub const ACTIONS_MAX: usize = 1_000;
/// Most claims of a plan (`plan.too_large`).
pub const CLAIMS_MAX: usize = 1_000;
/// Longest name of anything in a plan, in bytes (`plan.too_large`).
pub const NAME_BYTES_MAX: usize = 512;
/// Largest number of a parameter: 2^53 − 1.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;
/// Longest reason, in bytes (`plan.too_large`).
pub const REASON_BYTES_MAX: usize = 4_096;

/// SHA-256 of something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Of a value's canonical JSON.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        // Plans and decisions have text keys and finite numbers: they can always be written.
        Self::of_bytes(&serde_json_canonicalizer::to_vec(value).unwrap_or_default())
    }

    /// Of bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&Hex(self.0), f)
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Hex::deserialize(deserializer).map(|Hex(bytes)| Self(bytes))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// A named person.
    Person(PersonId),
    /// Something that is none.
    Machine(MachineId),
}

impl Principal {
    /// Whether it is no person.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        matches!(self, Self::Machine(_))
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => write!(f, "{id}"),
            Self::Machine(id) => write!(f, "{id}"),
        }
    }
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number, up to `NUMBER_MAX` both ways: canonical JSON writes no larger one exactly, and two plans would have one hash.
    Number(#[serde(deserialize_with = "exact")] i64),
    /// A text.
    Text(String),
}

fn exact<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = i64::deserialize(deserializer)?;
    if number.unsigned_abs() <= NUMBER_MAX {
        Ok(number)
    } else {
        Err(serde::de::Error::custom("a number is too large"))
    }
}

/// One verb on one target, as somebody wrote it: nothing of it is known to be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Name of the verb.
    pub verb: String,
    /// Kind and name of the target, in any spelling: `host:ws-17`.
    pub target: String,
    /// Parameters of the verb.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
    /// After how many seconds it undoes itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<u32>,
}

/// What somebody wants to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its name.
    pub id: PlanId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who asks.
    pub requester: Principal,
    /// What kind of alert it answers.
    pub alert_class: AlertClass,
    /// The case that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// What to do, in this order.
    pub actions: Vec<Action>,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceId>,
    /// Why, in words. No check reads it.
    #[serde(default)]
    pub reason: String,
}

impl Plan {
    /// What it is bound by.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash(Sha256::digest(canonical::bytes(self)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_bound_by_all_that_it_says() {
        let text = r#"{"id":"p","tenant":"t","requester":{"machine":"m"},"alert_class":"c",
            "actions":[{"verb":"isolate_host","target":"host:a","lease":60,"parameters":{"keep_channel":true}}]}"#;
        let plan: Plan = serde_json::from_str(text).unwrap();
        // Spelled otherwise, it is the same.
        let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(plan.hash(), again.hash());
        let other = |from: &str, to: &str| serde_json::from_str::<Plan>(&text.replace(from, to)).unwrap().hash();
        for (from, to) in [
            ("\"p\"", "\"q\""),
            ("\"t\"", "\"u\""),
            ("machine", "person"),
            ("host:a", "host:b"),
            ("60", "61"),
            ("true", "false"),
        ] {
            assert_ne!(other(from, to), plan.hash(), "{from} {to}");
        }
        assert!(serde_json::from_str::<Plan>(&text.replace("\"id\"", "\"force\":true,\"id\"")).is_err());
    }

    #[test]
    fn numbers_that_canonical_json_cannot_tell_apart_are_refused() {
        for (number, taken) in [
            ("9007199254740991", true),
            ("-9007199254740991", true),
            ("9007199254740992", false),
            ("-9007199254740992", false),
        ] {
            let read = serde_json::from_str::<Value>(number);
            assert_eq!(read.is_ok_and(|read| matches!(read, Value::Number(_))), taken, "{number}");
        }
    }

    #[test]
    fn hashes_have_one_spelling() {
        let hash = Hash::of(&1);
        let text = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<Hash>(&text).unwrap(), hash);
        for wrong in [text.to_uppercase(), text.replacen('"', "\"0", 1), "\"\"".to_owned(), text.replace('a', "+")] {
            assert!(wrong == text || serde_json::from_str::<Hash>(&wrong).is_err(), "{wrong}");
        }
    }
}
