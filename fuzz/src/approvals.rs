//! What passkeys answer, and signed statements of anybody.

use std::collections::BTreeSet;

use serde_json::Value;
use watchfloor_govern::approvals::{
    Assertion, AssertionError, Bytes, Digest, House, People, Public, Refusal, Relying, Signed,
};

/// The base point of P-256: a public key whose secret, 1, signs nothing here.
const POINT: [u8; 65] = [
    4, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03,
    0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
    0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce,
    0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];
const ORIGIN: &str = "https://example.org";
/// The challenge is 32 zero bytes, which are 43 letters A.
const CHALLENGE: [u8; 32] = [0; 32];

/// First byte 0 to 127: a signed statement as JSON. Else: two bytes that say how long the authenticator's part is, that part, up to 72 bytes of signature
/// as the low bits of the first byte say, and what the browser saw.
pub fn webauthn(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    if first < 128 {
        return statement(rest);
    }
    let Some((length, rest)) = rest.split_first_chunk::<2>() else { return };
    let (authenticator_data, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
    let (signature, client_data) = rest.split_at(usize::from(first & 127).min(72).min(rest.len()));
    let assertion = Assertion {
        key: "key".into(),
        authenticator_data: Bytes(authenticator_data.to_vec()),
        client_data: Bytes(client_data.to_vec()),
        signature: Bytes(signature.to_vec()),
    };
    let relying = Relying { id: "example.org".into(), origins: BTreeSet::from([ORIGIN.to_owned()]) };
    let public = Public::PasskeyP256(Bytes(POINT.to_vec()));
    let got = assertion.check(&Digest(CHALLENGE), &relying, &public);
    let again = assertion.verify(&Digest(CHALLENGE), &relying, &public, u32::MAX);
    assert_eq!(got.and(Err(AssertionError::Counter)), again, "nothing is above the highest counter");
    // The signature is looked at last: who gets there has everything else right, by another reading of it.
    if matches!(got, Ok(_) | Err(AssertionError::Signature)) {
        let seen: Value = serde_json::from_slice(client_data).expect("what was taken is JSON");
        assert_eq!(seen["type"], "webauthn.get");
        assert_eq!(seen["challenge"], "A".repeat(43));
        assert_eq!(seen["origin"], ORIGIN);
        assert!(seen["crossOrigin"] != Value::Bool(true) && seen["topOrigin"].is_null());
        assert_eq!(authenticator_data[..32], Digest::of_bytes(b"example.org").0);
        let flags = authenticator_data[32];
        assert_eq!((flags & 5, flags & 64), (5, 0));
        assert_eq!(flags & 128 != 0, authenticator_data.len() > 37);
    }
}

fn statement(json: &[u8]) {
    let Ok(signed) = serde_json::from_slice::<Signed>(json) else { return };
    let again = serde_json::to_string(&signed).expect("what was read is written");
    assert_eq!(serde_json::from_str::<Signed>(&again).expect("what was written is read"), signed);
    let bytes = signed.statement.canonical().expect("a statement has canonical bytes");
    let value: Value = serde_json::from_slice(&bytes).expect("canonical bytes are JSON");
    assert_eq!(value["type"], "watchfloor.approval.v1");
    assert_eq!(signed.statement.digest(), Some(Digest::of_bytes(&bytes)));
    let nobody = People::new(House::default(), Default::default()).expect("nobody is there twice");
    assert_eq!(signed.verify(&nobody, 0), Err(Refusal::PersonUnknown));
}
