//! Handshake (HP-1.0): proof that the caller holds the agent's key, bound to one request.
//!
//! The verifier hands out a challenge of 128 bits, good for 30 s and for one use. The proof repeats it with the request's method,
//! path and body hash, signed by the agent. All checks run; see `docs/acp-deviations.md` for the order of codes, and for HP-005,
//! 012, 013 and 015, whose meaning the public text does not give.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{text, whole};
use super::signature::{VerifyingKey, verified};
use super::{Refused, faults};

/// How long a challenge is good for, in seconds.
pub const CHALLENGE_SECONDS: i64 = 30;
/// Most challenges that are open at once.
pub const CHALLENGES_MAX: usize = 100_000;

faults! {
    /// Why a proof of possession is refused.
    HandshakeFault {
        Missing = "HP-004", "there is no proof";
        Malformed = "HP-005", "a member is missing or of the wrong kind";
        Version = "HP-006", "the version is not 1.0";
        ChallengeUnknown = "HP-007", "the challenge is not open";
        ChallengeValue = "HP-008", "the proof repeats another challenge";
        Signature = "HP-009", "the signature is not the agent's";
        Agent = "HP-010", "the proof is another agent's";
        Late = "HP-011", "the challenge was over";
        Method = "HP-012", "the proof is for another method";
        Path = "HP-013", "the proof is for another path";
        Body = "HP-014", "the proof is for another body";
        KeyUnknown = "HP-015", "the agent has no registered key";
    }
}

/// An open challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// For whom.
    pub agent_id: String,
    /// 16 random bytes as base64url.
    pub challenge: String,
    /// Epoch seconds.
    pub issued_at: i64,
    /// Epoch seconds.
    pub expires_at: i64,
}

/// The request that the proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// With no query.
    pub path: &'a str,
    /// Base64url of SHA-256 of the body as it came.
    pub body_hash: &'a str,
    /// Subject of the capability token that is used.
    pub subject: &'a str,
}

/// Challenges that are open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenges {
    open: BTreeMap<String, Challenge>,
    latest: i64,
}

impl Challenges {
    /// Opens a challenge from 16 random bytes; `None` where too many are open or the id is taken.
    pub fn issue(&mut self, id: &str, bytes: [u8; 16], agent_id: &str, now: i64) -> Option<Challenge> {
        self.latest = self.latest.max(now);
        if self.open.len() >= CHALLENGES_MAX {
            let latest = self.latest;
            self.open.retain(|_, challenge| challenge.expires_at >= latest);
        }
        let challenge = Challenge {
            agent_id: agent_id.to_owned(),
            challenge: URL_SAFE_NO_PAD.encode(bytes),
            issued_at: now,
            expires_at: now.saturating_add(CHALLENGE_SECONDS),
        };
        self.insert(id, challenge.clone()).then_some(challenge)
    }

    /// Takes in a challenge that was opened elsewhere; `false` where too many are open or the id is taken.
    pub fn insert(&mut self, id: &str, challenge: Challenge) -> bool {
        if self.open.len() >= CHALLENGES_MAX || self.open.contains_key(id) {
            return false;
        }
        self.open.insert(id.to_owned(), challenge);
        true
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Verifies a proof and uses its challenge up. A proof that is refused leaves the challenge open: its id is no secret, and
    /// nobody shall use up another's.
    pub fn verify(
        &mut self,
        proof: &Value,
        bound: &Bound<'_>,
        keys: &BTreeMap<String, VerifyingKey>,
        now: i64,
    ) -> Result<(), Refused<HandshakeFault>> {
        self.latest = self.latest.max(now);
        if proof.is_null() {
            return Err(Refused::one(HandshakeFault::Missing));
        }
        let proof_of = Proof::of(proof).ok_or(Refused::one(HandshakeFault::Malformed))?;
        let mut faults = proof_of.faults(self.open.get(proof_of.challenge_id), bound, self.latest);
        match keys.get(proof_of.agent_id) {
            None => faults.push(HandshakeFault::KeyUnknown),
            Some(key) if !verified(key, proof, "sig") => faults.push(HandshakeFault::Signature),
            Some(_) => {}
        }
        let id = proof_of.challenge_id;
        Refused::unless((), faults)?;
        self.open.remove(id);
        Ok(())
    }
}

struct Proof<'v> {
    version: &'v str,
    agent_id: &'v str,
    challenge_id: &'v str,
    challenge: &'v str,
    issued_at: i64,
    method: &'v str,
    path: &'v str,
    body_hash: &'v str,
}

impl<'v> Proof<'v> {
    fn of(proof: &'v Value) -> Option<Self> {
        Some(Self {
            version: text(proof, "ver")?,
            agent_id: text(proof, "agent_id")?,
            challenge_id: text(proof, "challenge_id")?,
            challenge: text(proof, "challenge")?,
            issued_at: whole(proof, "issued_at")?,
            method: text(proof, "request_method")?,
            path: text(proof, "request_path")?,
            body_hash: text(proof, "request_body_hash")?,
        })
    }

    /// Everything but the signature.
    fn faults(&self, challenge: Option<&Challenge>, bound: &Bound<'_>, now: i64) -> Vec<HandshakeFault> {
        let mut faults = Vec::new();
        let mut require = |holds: bool, fault| {
            if !holds {
                faults.push(fault);
            }
        };
        require(self.version == "1.0", HandshakeFault::Version);
        require(challenge.is_some(), HandshakeFault::ChallengeUnknown);
        if let Some(challenge) = challenge {
            require(self.challenge == challenge.challenge, HandshakeFault::ChallengeValue);
            require(self.agent_id == challenge.agent_id, HandshakeFault::Agent);
            let open = challenge.issued_at..=challenge.expires_at;
            require(open.contains(&self.issued_at) && now <= challenge.expires_at, HandshakeFault::Late);
        }
        require(self.agent_id == bound.subject, HandshakeFault::Agent);
        require(self.method == bound.method, HandshakeFault::Method);
        require(self.path == bound.path, HandshakeFault::Path);
        require(self.body_hash == bound.body_hash, HandshakeFault::Body);
        faults
    }
}
