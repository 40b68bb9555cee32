//! What a person signs.

use serde::{Deserialize, Serialize};
use watchfloor_model::ids::PersonId;

use super::{Digest, RequestId};

/// What a person says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It may be done.
    Approve,
    /// It must not be done.
    Deny,
    /// What was approved is taken back.
    Revoke,
}

/// What a person signs: one answer to one request, about one plan, as it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// What is said.
    pub what: What,
    /// Of which request.
    pub request: RequestId,
    /// What cannot be foretold of the request, so that nothing can be signed ahead of it.
    pub nonce: Digest,
    /// Hash of the plan.
    pub plan: Digest,
    /// Hash of the decision that asked.
    pub decision: Digest,
    /// Hash of what the person was shown.
    pub shown: Digest,
    /// Who says it.
    pub person: PersonId,
    /// Why.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// The statement with the mark of its kind: a signature under it is good for nothing else.
#[derive(Serialize)]
struct Marked<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    statement: &'a Statement,
}

impl Statement {
    /// The bytes that are signed: canonical JSON. None: it cannot be written, which no statement of ours is.
    #[must_use]
    pub fn canonical(&self) -> Option<Vec<u8>> {
        serde_json_canonicalizer::to_vec(&Marked { r#type: "watchfloor.approval.v1", statement: self }).ok()
    }

    /// Their SHA-256: the challenge of a passkey.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.canonical().map(|bytes| Digest::of_bytes(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_bytes_are_canonical() {
        let statement = Statement {
            what: What::Approve,
            request: RequestId::from("r-1"),
            nonce: Digest([1; 32]),
            plan: Digest([2; 32]),
            decision: Digest([3; 32]),
            shown: Digest([4; 32]),
            person: PersonId::from("ann"),
            reason: "saw \"it\"\u{7f}\u{1}\u{20ac}".into(),
            time: super::super::TIME_MS_MAX,
        };
        let of = |byte: &str| byte.repeat(32);
        let expected = format!(
            "{{\"decision\":\"{}\",\"nonce\":\"{}\",\"person\":\"ann\",\"plan\":\"{}\",\"reason\":\"saw \\\"it\\\"\u{7f}\\u0001\u{20ac}\",\
             \"request\":\"r-1\",\"shown\":\"{}\",\"time\":253402300799999,\"type\":\"watchfloor.approval.v1\",\"what\":\"approve\"}}",
            of("03"),
            of("01"),
            of("02"),
            of("04")
        );
        assert_eq!(String::from_utf8(statement.canonical().unwrap()).unwrap(), expected);
        assert_eq!(statement.digest(), Some(Digest::of_bytes(expected.as_bytes())));
        // Serde's own JSON of the statement is read back; a field too many is not.
        let json = serde_json::to_string(&statement).unwrap();
        assert_eq!(serde_json::from_str::<Statement>(&json).unwrap(), statement);
        assert!(serde_json::from_str::<Statement>(&json.replacen('{', "{\"x\":1,", 1)).is_err());
    }
}
