//! The ledger as ACP writes it (LEDGER-1.3): an export view. The ledger of record is another (Merkle tiles); this is what an ACP
//! verifier reads.
//!
//! ```text
//! {ver, event_id, event_type, sequence, timestamp, institution_id, prev_hash, payload, hash, sig}
//! hash = base64url with padding of SHA-256 of the canonical JSON without hash and sig
//! sig  = over everything but sig, so the hash as well
//! ```
//!
//! `sequence` starts at 1 with `LEDGER_GENESIS`, whose `prev_hash` is 32 zero bytes. A verifier reports every fault of every event
//! and repairs nothing. LEDGER-001, 007, 009 and 011 are ours, see `docs/acp-deviations.md`.

use serde_json::{Value, json};

use super::json::{text, whole};
use super::signature::{SigningKey, VerifyingKey, digest, padded, sign, verified};
use super::{Coded, faults};

/// Version of the format.
pub const VERSION: &str = "1.3";
/// Types of events: those of the text, then those that only the reference implementation has.
pub const EVENT_TYPES: [&str; 18] = [
    "LEDGER_GENESIS",
    "AUTHORIZATION",
    "RISK_EVALUATION",
    "REVOCATION",
    "TOKEN_ISSUED",
    "EXECUTION_TOKEN_ISSUED",
    "EXECUTION_TOKEN_CONSUMED",
    "AGENT_REGISTERED",
    "AGENT_STATE_CHANGE",
    "ESCALATION_CREATED",
    "ESCALATION_RESOLVED",
    "LIABILITY_RECORD",
    "POLICY_SNAPSHOT_CREATED",
    "REPUTATION_UPDATED",
    "CROSS_ORG_ACK",
    "PROVENANCE",
    "POLICY_SNAPSHOT",
    "GOVERNANCE",
];

faults! {
    /// What is wrong with an event.
    LedgerFault {
        Malformed = "LEDGER-001", "a member is missing or of the wrong kind";
        Signature = "LEDGER-002", "the signature is not the institution's";
        Hash = "LEDGER-003", "the hash is not that of the event";
        Previous = "LEDGER-004", "the event does not follow the one before it";
        Sequence = "LEDGER-005", "the numbers have a gap";
        Time = "LEDGER-006", "the time goes back";
        Version = "LEDGER-007", "the version is not 1.3";
        EventType = "LEDGER-008", "the type of event is not known";
        Institution = "LEDGER-009", "the event is another institution's";
        Payload = "LEDGER-010", "the payload lacks `policy_snapshot_ref`";
        Genesis = "LEDGER-011", "the ledger does not start with its genesis, or has two";
        SignatureMissing = "LEDGER-012", "there is no signature";
    }
}

/// A fault and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Place in the list, from 0.
    pub index: usize,
    /// What is wrong there.
    pub fault: LedgerFault,
}

impl std::fmt::Display for Located {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "event {}: {}: {}", self.index, self.fault.code(), self.fault.sentence())
    }
}

/// An event to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id, given by the caller.
    pub id: String,
    /// One of [`EVENT_TYPES`].
    pub event_type: String,
    /// Epoch seconds.
    pub timestamp: i64,
    /// What happened.
    pub payload: Value,
}

/// Writes events as a signed chain; the first must be the genesis. The chain verifies, or its faults are returned.
pub fn export(events: &[Event], institution: &str, key: &SigningKey) -> Result<Vec<Value>, Vec<Located>> {
    let mut previous = padded([0; 32]);
    let mut chain = Vec::with_capacity(events.len());
    for (event, sequence) in events.iter().zip(1_u64..) {
        let object = json!({
            "ver": VERSION,
            "event_id": event.id,
            "event_type": event.event_type,
            "sequence": sequence,
            "timestamp": event.timestamp,
            "institution_id": institution,
            "prev_hash": previous,
            "payload": event.payload,
        });
        let (object, hash) =
            sealed(object, key).ok_or_else(|| vec![Located { index: chain.len(), fault: LedgerFault::Malformed }])?;
        previous = hash;
        chain.push(object);
    }
    match verify(&chain, &key.verifying_key()) {
        faults if faults.is_empty() => Ok(chain),
        faults => Err(faults),
    }
}

/// An event with its hash and signature, and the hash.
fn sealed(mut object: Value, key: &SigningKey) -> Option<(Value, String)> {
    let hash = padded(digest(&object, &["hash", "sig"])?);
    object.as_object_mut()?.insert("hash".to_owned(), Value::String(hash.clone()));
    let signature = sign(key, &object, "sig")?;
    object.as_object_mut()?.insert("sig".to_owned(), Value::String(signature));
    Some((object, hash))
}

/// Every fault of a chain, in its order; an empty list of events is no ledger.
pub fn verify(events: &[Value], institution: &VerifyingKey) -> Vec<Located> {
    let mut located = Vec::new();
    if events.is_empty() {
        located.push(Located { index: 0, fault: LedgerFault::Genesis });
    }
    let mut before: Option<&Value> = None;
    for (index, event) in events.iter().enumerate() {
        let faults = own_faults(event, institution).into_iter().chain(order_faults(before, event));
        located.extend(faults.map(|fault| Located { index, fault }));
        before = Some(event);
    }
    located
}

/// Faults of an event by itself.
fn own_faults(event: &Value, institution: &VerifyingKey) -> Vec<LedgerFault> {
    let mut faults = Vec::new();
    let mut require = |holds: bool, fault| {
        if !holds {
            faults.push(fault);
        }
    };
    let payload = event.get("payload").filter(|payload| payload.is_object());
    let named = ["event_id", "institution_id", "hash"].iter().all(|name| text(event, name).is_some());
    require(named && payload.is_some(), LedgerFault::Malformed);
    match text(event, "sig") {
        None => require(false, LedgerFault::SignatureMissing),
        Some(_) => require(verified(institution, event, "sig"), LedgerFault::Signature),
    }
    let hash = digest(event, &["hash", "sig"]).map(padded);
    require(hash.is_some() && hash.as_deref() == text(event, "hash"), LedgerFault::Hash);
    require(text(event, "ver") == Some(VERSION), LedgerFault::Version);
    let event_type = text(event, "event_type").unwrap_or_default();
    require(EVENT_TYPES.contains(&event_type), LedgerFault::EventType);
    if matches!(event_type, "AUTHORIZATION" | "RISK_EVALUATION") {
        require(payload.is_some_and(|payload| text(payload, "policy_snapshot_ref").is_some()), LedgerFault::Payload);
    }
    faults
}

/// Faults of an event against the one before it.
fn order_faults(before: Option<&Value>, event: &Value) -> Vec<LedgerFault> {
    let mut faults = Vec::new();
    let mut require = |holds: bool, fault| {
        if !holds {
            faults.push(fault);
        }
    };
    let genesis = text(event, "event_type") == Some("LEDGER_GENESIS");
    require(genesis == before.is_none(), LedgerFault::Genesis);
    let zero = padded([0; 32]);
    let previous = before.map_or(Some(zero.as_str()), |before| text(before, "hash"));
    require(previous.is_some() && text(event, "prev_hash") == previous, LedgerFault::Previous);
    let number = before.map_or(Some(0), |before| whole(before, "sequence")).and_then(|number| number.checked_add(1));
    require(number.is_some() && whole(event, "sequence") == number, LedgerFault::Sequence);
    let earliest = before.map_or(Some(i64::MIN), |before| whole(before, "timestamp"));
    require(earliest.is_some() && whole(event, "timestamp") >= earliest, LedgerFault::Time);
    if let Some(before) = before {
        require(text(before, "institution_id") == text(event, "institution_id"), LedgerFault::Institution);
    }
    faults
}
