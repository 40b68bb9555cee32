//! SIGN-1.0: Ed25519 over SHA-256 of the canonical JSON (RFC 8785) of the object without its signature's member.
//!
//! The member is left out, not emptied. Signatures are base64url without padding, 64 bytes. Verification is the strict one: keys
//! of small order and signatures that are not in canonical form are refused.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use ed25519_dalek::{SigningKey, VerifyingKey};

/// SHA-256 over the canonical JSON of an object without some of its members; `None` where it is no object or has no canonical form.
pub fn digest(object: &Value, without: &[&str]) -> Option<[u8; 32]> {
    let members = object.as_object()?;
    let rest: serde_json::Map<String, Value> = members
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    hash(&Value::Object(rest))
}

/// SHA-256 over the canonical JSON of any value.
pub fn hash(value: &Value) -> Option<[u8; 32]> {
    let text = serde_json_canonicalizer::to_vec(value).ok()?;
    Some(Sha256::digest(text).into())
}

/// `action_parameters_hash` and `parent_hash`: base64url without padding of [`hash`].
pub fn hash_text(value: &Value) -> Option<String> {
    hash(value).map(|hash| URL_SAFE_NO_PAD.encode(hash))
}

/// The signature's text for an object, or `None` where it has no canonical form.
pub fn sign(key: &SigningKey, object: &Value, member: &str) -> Option<String> {
    let digest = digest(object, &[member])?;
    Some(URL_SAFE_NO_PAD.encode(key.sign(&digest).to_bytes()))
}

/// Whether the object's member is a signature of it by this key.
pub fn verified(key: &VerifyingKey, object: &Value, member: &str) -> bool {
    let signed = || {
        let text = object.get(member)?.as_str()?;
        let bytes: [u8; 64] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let digest = digest(object, &[member])?;
        key.verify_strict(&digest, &Signature::from_bytes(&bytes)).ok()
    };
    signed().is_some()
}

/// A key as base64url text without padding.
pub fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

/// The Ed25519 key that a `did:key:z6Mk…` says: base58 of 0xED 0x01 and the key.
pub fn did_key(did: &str) -> Option<VerifyingKey> {
    let bytes = bs58::decode(did.strip_prefix("did:key:z")?).into_vec().ok()?;
    let key: [u8; 32] = bytes.strip_prefix(&[0xED, 0x01])?.try_into().ok()?;
    VerifyingKey::from_bytes(&key).ok()
}

/// AgentID: base58 of SHA-256 of the public key.
pub fn agent_id(key: &VerifyingKey) -> String {
    bs58::encode(Sha256::digest(key.as_bytes())).into_string()
}

/// Base64url with padding, which only the ledger's hashes have.
pub(crate) fn padded(hash: [u8; 32]) -> String {
    URL_SAFE.encode(hash)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let mut object = json!({"b": 1, "a": [0.15, 1e21, "é"], "sig": "old"});
        object["sig"] = sign(&key, &object, "sig").unwrap().into();
        assert!(verified(&key.verifying_key(), &object, "sig"));
        assert!(!verified(&SigningKey::from_bytes(&[4; 32]).verifying_key(), &object, "sig"));
        assert!(!verified(&key.verifying_key(), &object, "signature"));
        let table = [("b", json!(2)), ("sig", json!("")), ("sig", json!(7)), ("c", json!(null))];
        for (member, value) in table {
            let mut changed = object.clone();
            changed[member] = value;
            assert!(!verified(&key.verifying_key(), &changed, "sig"), "{member}");
        }
        assert!(!verified(&key.verifying_key(), &json!([1]), "sig"));
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        // The neutral element: without the strict check it "signs" every message with R = identity and s = 0.
        let mut identity = [0; 32];
        identity[0] = 1;
        let weak = VerifyingKey::from_bytes(&identity).unwrap();
        let mut signature = [0; 64];
        signature[0] = 1;
        let object = json!({"a": 1, "sig": URL_SAFE_NO_PAD.encode(signature)});
        assert!(!verified(&weak, &object, "sig"));
    }

    #[test]
    fn keys_are_read_in_their_two_forms() {
        let text = "BGRjGlZ7f9Q5edQ0e2nen4My_V-sHdeOnsxxYVOPQEc";
        let did = "did:key:z6MkekQTaq7vjX7Vdy6pxabbjgkauuzprRGbBWNAXDs1NZdQ";
        assert_eq!(public_key(text), did_key(did));
        assert!(public_key(text).is_some());
        for wrong in ["", "did:key:z", "did:key:z6Mk", "did:example:agent-alice", "did:key:z0OIl"] {
            assert_eq!(did_key(wrong), None, "{wrong}");
            assert_eq!(public_key(wrong), None, "{wrong}");
        }
        assert_eq!(agent_id(&public_key(text).unwrap()).len(), 44);
    }

    #[test]
    fn canonical_json_is_that_of_rfc_8785() {
        let value: Value = serde_json::from_str(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
                "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
        )
        .unwrap();
        let expected = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
                        \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(serde_json_canonicalizer::to_string(&value).unwrap(), expected);
    }
}
