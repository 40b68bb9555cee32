//! Execution tokens (EXEC-1.0): one action, once, soon.
//!
//! `ver` 1.0, `et_id`, `agent_id`, `authorization_id`, `capability`, `resource`, `action_parameters_hash`, `issued_at`,
//! `expires_at`, `used`, `sig`. The target system verifies and uses the token up in one step ([`Consumed::consume`]).
//!
//! | class | longest validity |
//! |---|---|
//! | `infrastructure.delete` | 30 s |
//! | `financial.*` | 60 s |
//! | `infrastructure.deploy` | 120 s |
//! | `*.read` | 300 s |
//! | other | 120 s |
//!
//! A used token's id is kept until 60 s after the token's end, when its end alone refuses it; time does not run backwards here, so
//! that a clock set back cannot bring a used token to life. EXEC-008 and EXEC-009 are ours, see `docs/acp-deviations.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::json::{text, whole};
use super::signature::{SigningKey, VerifyingKey, sign, verified};
use super::{Refused, faults};
use crate::risk::parts;

/// Longest validity of any token, in seconds.
pub const VALID_SECONDS_MAX: i64 = 300;
/// How far ahead of the verifier's clock a token may be issued, in seconds.
pub const ISSUED_AHEAD_SECONDS_MAX: i64 = 5;
/// How long after its end a used token's id is kept, in seconds.
pub const KEPT_AFTER_END_SECONDS: i64 = 60;
/// Most ids of used tokens; when they are all needed no further token is accepted.
pub const CONSUMED_MAX: usize = 1_000_000;

faults! {
    /// Why an execution token is refused.
    ExecutionFault {
        Version = "EXEC-001", "the version is not 1.0";
        Signature = "EXEC-002", "the signature is not the institution's";
        Expired = "EXEC-003", "the token is not valid now";
        Used = "EXEC-004", "the token was used";
        Agent = "EXEC-005", "the token is another agent's";
        Resource = "EXEC-006", "the token is for another resource";
        Parameters = "EXEC-007", "the token is for other parameters";
        Malformed = "EXEC-008", "a member is missing, of the wrong kind, or the token is valid for longer than its class may be";
        Full = "EXEC-009", "no further used token can be remembered";
    }
}

/// What the target is about to do.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who.
    pub agent_id: &'a str,
    /// On what.
    pub resource: &'a str,
    /// With what, as [`super::signature::hash_text`].
    pub parameters_hash: &'a str,
}

/// What an institution grants.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Id of the token, given by the caller, used for one token only.
    pub id: &'a str,
    /// Decision that grants it.
    pub authorization_id: &'a str,
    /// What.
    pub capability: &'a str,
    /// By whom, on what, with what.
    pub expected: Expected<'a>,
}

/// Longest validity of a token for a capability, in seconds.
pub fn valid_seconds(capability: &str) -> i64 {
    match parts(capability) {
        Some(("infrastructure", "delete")) => 30,
        Some(("financial", _)) => 60,
        Some(("infrastructure", "deploy")) => 120,
        Some((_, "read")) => VALID_SECONDS_MAX,
        _ => 120,
    }
}

/// A signed token, valid as long as its class may be. `None` where a text cannot be signed.
pub fn issue(key: &SigningKey, grant: &Grant<'_>, now: i64) -> Option<Value> {
    let mut token = json!({
        "ver": "1.0",
        "et_id": grant.id,
        "agent_id": grant.expected.agent_id,
        "authorization_id": grant.authorization_id,
        "capability": grant.capability,
        "resource": grant.expected.resource,
        "action_parameters_hash": grant.expected.parameters_hash,
        "issued_at": now,
        "expires_at": now.checked_add(valid_seconds(grant.capability))?,
        "used": false,
    });
    let signature = sign(key, &token, "sig")?;
    token.as_object_mut()?.insert("sig".to_owned(), Value::String(signature));
    Some(token)
}

/// Ids of used tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumed {
    /// End of each token.
    ids: BTreeMap<String, i64>,
    latest: i64,
    capacity: usize,
}

impl Default for Consumed {
    fn default() -> Self {
        Self::with_capacity(CONSUMED_MAX)
    }
}

impl Consumed {
    /// Room for this many ids, [`CONSUMED_MAX`] at most.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { ids: BTreeMap::new(), latest: i64::MIN, capacity: capacity.min(CONSUMED_MAX) }
    }

    /// Verifies a token and uses it up, in one step: it is never accepted again.
    pub fn consume(
        &mut self,
        token: &Value,
        expected: &Expected<'_>,
        key: &VerifyingKey,
        now: i64,
    ) -> Result<(), Refused<ExecutionFault>> {
        self.latest = self.latest.max(now);
        let read = Token::of(token).ok_or(Refused::one(ExecutionFault::Malformed))?;
        let mut faults = read.faults(expected, self.latest);
        if !verified(key, token, "sig") {
            faults.push(ExecutionFault::Signature);
        }
        if read.used || self.ids.contains_key(read.id) {
            faults.push(ExecutionFault::Used);
        }
        let (id, end) = (read.id.to_owned(), read.expires_at);
        Refused::unless((), faults)?;
        if self.ids.len() >= self.capacity {
            let latest = self.latest;
            self.ids.retain(|_, end| end.saturating_add(KEPT_AFTER_END_SECONDS) >= latest);
        }
        if self.ids.len() >= self.capacity {
            return Err(Refused::one(ExecutionFault::Full));
        }
        self.ids.insert(id, end);
        Ok(())
    }

    /// How many ids are kept.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

struct Token<'v> {
    version: &'v str,
    id: &'v str,
    agent_id: &'v str,
    capability: &'v str,
    resource: &'v str,
    parameters_hash: &'v str,
    issued_at: i64,
    expires_at: i64,
    used: bool,
}

impl<'v> Token<'v> {
    fn of(token: &'v Value) -> Option<Self> {
        text(token, "authorization_id")?;
        Some(Self {
            version: text(token, "ver")?,
            id: text(token, "et_id")?,
            agent_id: text(token, "agent_id")?,
            capability: text(token, "capability")?,
            resource: text(token, "resource")?,
            parameters_hash: text(token, "action_parameters_hash")?,
            issued_at: whole(token, "issued_at")?,
            expires_at: whole(token, "expires_at")?,
            used: token.get("used")?.as_bool()?,
        })
    }

    fn faults(&self, expected: &Expected<'_>, now: i64) -> Vec<ExecutionFault> {
        let mut faults = Vec::new();
        let mut require = |holds: bool, fault| {
            if !holds {
                faults.push(fault);
            }
        };
        require(self.version == "1.0", ExecutionFault::Version);
        let begun = self.issued_at <= now.saturating_add(ISSUED_AHEAD_SECONDS_MAX);
        require(begun && now <= self.expires_at, ExecutionFault::Expired);
        let valid = self.expires_at.checked_sub(self.issued_at);
        let in_class = valid.is_some_and(|valid| (0..=valid_seconds(self.capability)).contains(&valid));
        require(in_class, ExecutionFault::Malformed);
        require(self.agent_id == expected.agent_id, ExecutionFault::Agent);
        require(self.resource == expected.resource, ExecutionFault::Resource);
        require(self.parameters_hash == expected.parameters_hash, ExecutionFault::Parameters);
        faults
    }
}
