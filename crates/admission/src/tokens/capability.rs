//! Capability tokens (CT-1.0): who may do what on which resource, said by an issuer that is trusted.
//!
//! The specification's text and its vectors name the members differently; both are read, one form per token:
//!
//! | text (CT-1.0) | vectors (1.1) | |
//! |---|---|---|
//! | `iss` | `issuer` | who signed |
//! | `sub` | `sub` | who may |
//! | `cap` | `action_set` | what: 1 to 64 texts |
//! | `res` | `resource` | on what |
//! | `exp`, `iat` | `exp`, optional `iat` | seconds; valid through `exp`; `iat` at most 300 s ahead |
//! | `nonce` | `nonce` | 128 bits at least, any text of 16 characters or more |
//! | `jti` | `jti` | what a revocation names; without one it names the nonce |
//! | `parent_hash` | – | hash of the token that this one is derived from |
//! | `sig` | `signature` | |

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::json::{text, texts, whole};
use super::signature::{VerifyingKey, hash_text, verified};
use super::{Refused, faults};

/// How far ahead of the verifier's clock a token may be issued, in seconds.
pub const ISSUED_AHEAD_SECONDS_MAX: i64 = 300;
/// Most actions of a token.
pub const ACTIONS_MAX: usize = 64;
/// Shortest nonce, in characters.
pub const NONCE_CHARACTERS_MIN: usize = 16;

faults! {
    /// Why a capability token is refused.
    CapabilityFault {
        Malformed = "MALFORMED_INPUT", "a member is missing or of the wrong kind";
        Version = "UNSUPPORTED_VERSION", "the version is neither 1.0 nor 1.1";
        Issuer = "UNTRUSTED_ISSUER", "nobody trusts the issuer";
        Signature = "INVALID_SIGNATURE", "the signature is not the issuer's";
        Expired = "EXPIRED", "the token has expired";
        IssuedAhead = "ISSUED_IN_FUTURE", "the token was issued after now";
        Revoked = "REVOKED", "the token was revoked";
        Scope = "ACCESS_DENIED", "the token grants more than the one it is derived from";
        Depth = "DELEGATION_DEPTH", "the token may be passed on further than the one it is derived from";
        Parent = "PARENT_MISMATCH", "the token names another parent";
    }
}

/// Whom a verifier trusts, what was revoked, and the time.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Keys of trusted issuers.
    pub issuers: BTreeMap<String, VerifyingKey>,
    /// Ids of revoked tokens.
    pub revoked: BTreeSet<String>,
    /// Epoch seconds.
    pub now: i64,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Who signed.
    pub issuer: String,
    /// Who may.
    pub subject: String,
    /// What.
    pub actions: BTreeSet<String>,
    /// On what.
    pub resource: String,
    /// Valid through this second.
    pub expires: i64,
    /// What a revocation names.
    pub id: String,
    /// How often it may be passed on; 0 where it may not.
    pub depth_max: u64,
    /// Hash of the token that it is derived from.
    pub parent_hash: Option<String>,
}

impl Capability {
    /// Whether it grants an action on a resource. Names are compared as they are: no patterns.
    pub fn grants(&self, action: &str, resource: &str) -> bool {
        self.actions.contains(action) && self.resource == resource
    }
}

/// Verifies a token.
pub fn verify(token: &Value, trust: &Trust) -> Result<Capability, Refused<CapabilityFault>> {
    let version = text(token, "ver").ok_or(Refused::one(CapabilityFault::Malformed))?;
    if version != "1.0" && version != "1.1" {
        return Err(Refused::one(CapabilityFault::Version));
    }
    let form = Form::of(token).ok_or(Refused::one(CapabilityFault::Malformed))?;
    let capability = form.read(token).ok_or(Refused::one(CapabilityFault::Malformed))?;
    let mut faults = Vec::new();
    match trust.issuers.get(&capability.issuer) {
        None => faults.push(CapabilityFault::Issuer),
        Some(key) if !verified(key, token, form.signature) => faults.push(CapabilityFault::Signature),
        Some(_) => {}
    }
    if trust.now > capability.expires {
        faults.push(CapabilityFault::Expired);
    }
    if whole(token, "iat").is_some_and(|issued| issued > trust.now.saturating_add(ISSUED_AHEAD_SECONDS_MAX)) {
        faults.push(CapabilityFault::IssuedAhead);
    }
    if trust.revoked.contains(&capability.id) {
        faults.push(CapabilityFault::Revoked);
    }
    Refused::unless(capability, faults)
}

/// Verifies a token that is derived from another: it must be of the parent, and grant no more, no longer and no deeper.
pub fn verify_derived(parent: &Value, child: &Value, trust: &Trust) -> Result<Capability, Refused<CapabilityFault>> {
    let above = verify(parent, trust)?;
    let below = verify(child, trust)?;
    let mut faults = Vec::new();
    if below.parent_hash.is_none() || below.parent_hash != hash_text(parent) {
        faults.push(CapabilityFault::Parent);
    }
    if !below.actions.is_subset(&above.actions) || below.resource != above.resource || below.expires > above.expires {
        faults.push(CapabilityFault::Scope);
    }
    if below.depth_max >= above.depth_max {
        faults.push(CapabilityFault::Depth);
    }
    Refused::unless(below, faults)
}

/// How a token names its members.
struct Form {
    issuer: &'static str,
    actions: &'static str,
    resource: &'static str,
    signature: &'static str,
    delegation: &'static str,
}

const OF_TEXT: Form = Form { issuer: "iss", actions: "cap", resource: "res", signature: "sig", delegation: "deleg" };
const OF_VECTORS: Form = Form {
    issuer: "issuer",
    actions: "action_set",
    resource: "resource",
    signature: "signature",
    delegation: "delegation",
};

impl Form {
    /// The form of a token; `None` where it mixes both, which would let two readers see two tokens.
    fn of(token: &Value) -> Option<&'static Self> {
        let uses = |form: &Self| {
            [form.issuer, form.actions, form.resource, form.signature, form.delegation]
                .iter()
                .any(|name| token.get(name).is_some())
        };
        match (uses(&OF_TEXT), uses(&OF_VECTORS)) {
            (true, false) => Some(&OF_TEXT),
            (false, true) => Some(&OF_VECTORS),
            _ => None,
        }
    }

    fn read(&self, token: &Value) -> Option<Capability> {
        let nonce = text(token, "nonce").filter(|nonce| nonce.chars().count() >= NONCE_CHARACTERS_MIN)?;
        let actions = texts(token, self.actions).filter(|actions| (1..=ACTIONS_MAX).contains(&actions.len()))?;
        if token.get("iat").is_some_and(|issued| !issued.is_i64()) || text(token, self.signature).is_none() {
            return None;
        }
        let depth = match token.get(self.delegation) {
            None => 0,
            Some(delegation) => delegation.get("max_depth")?.as_u64()?,
        };
        let parent_hash = match token.get("parent_hash") {
            None | Some(Value::Null) => None,
            Some(hash) => Some(hash.as_str()?.to_owned()),
        };
        Some(Capability {
            issuer: text(token, self.issuer)?.to_owned(),
            subject: text(token, "sub")?.to_owned(),
            actions: actions.into_iter().map(str::to_owned).collect(),
            resource: text(token, self.resource)?.to_owned(),
            expires: whole(token, "exp")?,
            id: text(token, "jti").unwrap_or(nonce).to_owned(),
            depth_max: depth,
            parent_hash,
        })
    }
}
