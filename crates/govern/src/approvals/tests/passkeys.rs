//! Passkeys: what is looked at of an assertion.

use super::*;

const VERIFY: fn(&Assertion, &Digest, u32) -> Result<u32, AssertionError> = |assertion, challenge, counter| {
    let relying = World::new().house.relying;
    assertion.verify(challenge, &relying, &Public::PasskeyP256(point_of_p256(&p256("pia"))), counter)
};

fn challenge() -> Digest {
    Digest::of_bytes(b"challenge")
}

#[test]
fn what_an_assertion_must_be() {
    use AssertionError as E;
    type Change = fn(&mut Answer);
    let replaced = |from: &'static str, to: &'static str| (from, to);
    // What the browser saw.
    for (change, expected) in [
        (replaced("", ""), Ok(0)),
        (replaced(",\"crossOrigin\":false", ""), Ok(0)),
        (replaced("\"crossOrigin\":false", "\"crossOrigin\":false,\"more\":[{}]"), Ok(0)),
        (replaced("\"crossOrigin\":false", "\"crossOrigin\":true"), Err(E::Framed)),
        (replaced("\"crossOrigin\":false", "\"topOrigin\":\"https://example.org\""), Err(E::Framed)),
        (replaced("webauthn.get", "webauthn.create"), Err(E::Kind)),
        (replaced("webauthn.get", "payment.get"), Err(E::Kind)),
        (replaced("https://example.org", "https://example.org.evil"), Err(E::Origin)),
        (replaced("https://example.org", "http://example.org"), Err(E::Origin)),
        (replaced("https://example.org", "https://EXAMPLE.org"), Err(E::Origin)),
        (replaced("\",\"origin", "=\",\"origin"), Err(E::Challenge)),
        (replaced("\"challenge\":\"", "\"challenge\":\"A"), Err(E::Challenge)),
        (replaced("{\"type\"", "{\"type\":\"webauthn.get\",\"type\""), Err(E::ClientData)),
        (replaced("{\"type\"", "\u{feff}{\"type\""), Err(E::ClientData)),
        (replaced("\"crossOrigin\":false}", "\"crossOrigin\":false}x"), Err(E::ClientData)),
        (replaced("\"origin\"", "\"from\""), Err(E::ClientData)),
        (replaced("{\"type\"", "{\"more\":\"\\ud800\",\"type\""), Err(E::ClientData)),
        (replaced("{\"type\"", "{\"topOrigin\":null,\"type\""), Ok(0)),
        (replaced("{\"type\"", "{\"topOrigin\":1,\"type\""), Err(E::Framed)),
    ] {
        let mut answer = Answer::to_challenge(challenge());
        answer.client_data = answer.client_data.replacen(change.0, change.1, 1);
        assert_eq!(VERIFY(&answer.of("pia"), &challenge(), 0), expected, "{change:?}");
    }
    // What the authenticator says.
    let changes: [(Change, Result<u32, E>); 14] = [
        (|_| (), Ok(0)),
        (|answer| answer.flags = 5 | 8, Ok(0)),
        (|answer| answer.flags = 5 | 8 | 16, Ok(0)),
        (|answer| answer.flags = 5 | 16, Err(E::AuthenticatorData)),
        (|answer| answer.flags = 4, Err(E::NotPresent)),
        (|answer| answer.flags = 0, Err(E::NotPresent)),
        (|answer| answer.flags = 1, Err(E::NotVerified)),
        (|answer| (answer.flags, answer.tail) = (5 | 64, vec![0; 20]), Err(E::AuthenticatorData)),
        (|answer| answer.flags = 5 | 64, Err(E::AuthenticatorData)),
        (|answer| (answer.flags, answer.tail) = (5 | 128, vec![0xa0]), Ok(0)),
        (|answer| answer.flags = 5 | 128, Err(E::AuthenticatorData)),
        (|answer| answer.tail = vec![0xa0], Err(E::AuthenticatorData)),
        (|answer| answer.party = Digest::of_bytes(b"example.com"), Err(E::RelyingParty)),
        (|answer| answer.counter = 0x0102_0304, Ok(0x0102_0304)),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        let mut answer = Answer::to_challenge(challenge());
        change(&mut answer);
        assert_eq!(VERIFY(&answer.of("pia"), &challenge(), 0), expected, "{number}");
    }
}

#[test]
fn what_a_browser_saw_is_text() {
    let answer = Answer::to_challenge(challenge());
    let mut assertion = answer.of("pia");
    let at = answer.client_data.len() - 1;
    for (more, expected) in
        [(&b",\"x\":\"\xc3\xa9\"}"[..], AssertionError::Signature), (b",\"x\":\"\xff\"}", AssertionError::ClientData)]
    {
        assertion.client_data = Bytes([&answer.client_data.as_bytes()[..at], more].concat());
        assert_eq!(VERIFY(&assertion, &challenge(), 0), Err(expected));
    }
}

#[test]
fn the_counter_goes_up_or_is_not_kept() {
    for (before, now, good) in [
        (0, 0, true),
        (0, 1, true),
        (1, 2, true),
        (1, 1, false),
        (2, 1, false),
        (1, 0, false),
        (u32::MAX - 1, u32::MAX, true),
        (u32::MAX, u32::MAX, false),
    ] {
        let answer = Answer { counter: now, ..Answer::to_challenge(challenge()) };
        let expected = if good { Ok(now) } else { Err(AssertionError::Counter) };
        assert_eq!(VERIFY(&answer.of("pia"), &challenge(), before), expected, "{before} {now}");
    }
}

#[test]
fn every_signed_byte_counts() {
    let good = Answer { tail: vec![0xa0], flags: 5 | 128, counter: 7, ..Answer::to_challenge(challenge()) }.of("pia");
    assert_eq!(VERIFY(&good, &challenge(), 6), Ok(7));
    let parts: [fn(&mut Assertion) -> &mut Bytes; 3] =
        [|it| &mut it.authenticator_data, |it| &mut it.client_data, |it| &mut it.signature];
    for part in parts {
        for at in 0..part(&mut good.clone()).0.len() {
            let mut wrong = good.clone();
            part(&mut wrong).0[at] ^= 1;
            assert!(VERIFY(&wrong, &challenge(), 0).is_err(), "{at}");
            let mut cut = good.clone();
            part(&mut cut).0.truncate(at);
            assert!(VERIFY(&cut, &challenge(), 0).is_err(), "{at}");
        }
        let mut longer = good.clone();
        part(&mut longer).0.push(0);
        assert!(VERIFY(&longer, &challenge(), 0).is_err());
    }
    // The key of another, and other kinds of key.
    let relying = World::new().house.relying;
    let other = point_of_p256(&p256("other"));
    let edwards = point_of_ed25519(&ed25519("pia"));
    for public in [Public::PasskeyP256(other), Public::PasskeyEd25519(edwards.clone()), Public::Ed25519(edwards)] {
        assert_eq!(good.verify(&challenge(), &relying, &public, 0), Err(AssertionError::Signature), "{public:?}");
    }
    // An Ed25519 key that is no passkey does not answer as one.
    let pod = Answer::to_challenge(challenge()).of("pod");
    let point = point_of_ed25519(&ed25519("pod"));
    assert_eq!(pod.verify(&challenge(), &relying, &Public::PasskeyEd25519(point.clone()), 0), Ok(0));
    assert_eq!(pod.verify(&challenge(), &relying, &Public::Ed25519(point), 0), Err(AssertionError::Signature));
}

#[test]
fn both_forms_of_an_ecdsa_signature_are_taken() {
    let low = Answer::to_challenge(challenge()).of("pia");
    let signature = p256::ecdsa::Signature::from_der(&low.signature.0).unwrap();
    let high = p256::ecdsa::Signature::from_scalars(*signature.r(), -*signature.s()).unwrap();
    assert_ne!(signature, high);
    let mut other = low.clone();
    other.signature = Bytes(high.to_der().as_bytes().to_vec());
    assert_eq!((VERIFY(&low, &challenge(), 0), VERIFY(&other, &challenge(), 0)), (Ok(0), Ok(0)));
    // Not as bare numbers, which is what no authenticator sends.
    other.signature = Bytes(signature.to_bytes().to_vec());
    assert_eq!(VERIFY(&other, &challenge(), 0), Err(AssertionError::Signature));
}

#[test]
fn sizes_of_an_assertion_are_bounded() {
    for (over, expected) in [(0, Ok(0)), (1, Err(AssertionError::TooLarge))] {
        let mut answer = Answer::to_challenge(challenge());
        let pad = CLIENT_DATA_BYTES_MAX + over - answer.client_data.len();
        answer.client_data = format!("{}{}", " ".repeat(pad), answer.client_data);
        assert_eq!(VERIFY(&answer.of("pia"), &challenge(), 0), expected);
        let mut answer = Answer { flags: 5 | 128, ..Answer::to_challenge(challenge()) };
        answer.tail = vec![0; AUTHENTICATOR_DATA_BYTES_MAX + over - 37];
        assert_eq!(VERIFY(&answer.of("pia"), &challenge(), 0), expected);
    }
}

fn hex(text: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(text).unwrap()
}

/// The examples of the specification, section 16: made again from their keys and challenges, they have the published signatures.
#[test]
fn the_examples_of_the_specification_hold() {
    use AssertionError as E;
    // Name, secret key, challenge, flags, whether a page of others framed it, what the extra data is, signature, what comes of it here.
    let examples = [
        (
            "none.ES256",
            "6e68e7a58484a3264f66b77f5d6dc5bc36a47085b615c9727ab334e8c369c2ee",
            "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
            (0x19, false, ""),
            "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd38\
             0221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
            Err(E::NotVerified),
        ),
        (
            "packed-self.ES256",
            "b4bbfa5d68e1693b6ef5a19a0e60ef7ee2cbcac81f7fec7006ac3a21e0c5116a",
            "4478a10b1352348dd160c1353b0d469b5db19eb91c27f7dfa6fed39fe26af20b",
            (0x09, false, "gTb53rz6EhSWomXGzimC1Q"),
            "304402203310b9431903c401f1be2bdc8d23a4007682dbbddcf846994947b7f465daf840\
             02204e94dd00047b316061b3b99772b7efd95994a83ef584b3b6b825ea3550251b66",
            Err(E::NotVerified),
        ),
        (
            "none.ES256.crossOrigin",
            "96c940e769bd9f1237c119f144fa61a4d56af0b3289685ae2bef7fb89620623d",
            "876aa517ba83fdee65fcffdbca4c84eeae5d54f8041a1fc85c991e5bbb273137",
            (0x05, true, "92pcTVD0Aby-q4dtmj6efg"),
            "3046022100eb12fcf23b12764c0f122e22371fab92e283879fd798f38ee1841c951b6e40e7\
             022100c76237ff9db77b3c56f30837cda6a09acfa2e915544e609c0733b1184036d1cf",
            Err(E::Framed),
        ),
        (
            "none.ES256.long-credential-id",
            "6fd2149bb5f1597fe549b138794bde61893b2dc32ca316de65f04808dac211dc",
            "ef1deba56dce48f674a447ccf63b9599258ce87648e5c396f2ef0ca1da460e3b",
            (0x0d, false, ""),
            "304502203ecef83fb12a0cae7841055f9f87103a99fd14b424194bbf06c4623d3ee6e3fd\
             022100d2ace346db262b1374a6b70faa51f518a42ddca13a4125ce6f5052a75bac9fb6",
            Ok(0),
        ),
    ];
    for (name, secret, challenge, (flags, framed, extra), signature, expected) in examples {
        let challenge = Digest(hex(challenge).try_into().unwrap());
        let (assertion, bytes) = example(challenge, flags, framed, extra, &hex(signature));
        let key = p256::ecdsa::SigningKey::from_slice(&hex(secret)).unwrap();
        let made: p256::ecdsa::Signature = key.sign(&bytes);
        assert_eq!(made.to_der().as_bytes(), hex(signature), "{name}");
        check_example(name, &assertion, challenge, &Public::PasskeyP256(point_of_p256(&key)), expected);
    }
    // Ed25519 makes the same signature each time.
    let key: [u8; 32] = hex("971f38c0f73aaf0c5a614eb5e26430ae1ea0ed13e4f425d96e9662349340b0b3").try_into().unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&key);
    let challenge = hex("895957e01c633a698348a2d8a31a54b7db27e8c1c43b2080d79ae2190267bfd2");
    let signature = hex("f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cf\
         dfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b");
    let challenge = Digest(challenge.try_into().unwrap());
    let (assertion, bytes) = example(challenge, 1, false, "", &signature);
    assert_eq!(key.sign(&bytes).to_bytes().to_vec(), signature);
    let public = Public::PasskeyEd25519(point_of_ed25519(&key));
    check_example("packed.EdDSA", &assertion, challenge, &public, Err(E::NotVerified));
}

/// The assertion of an example, and the bytes that are signed.
fn example(challenge: Digest, flags: u8, framed: bool, extra: &str, signature: &[u8]) -> (Assertion, Vec<u8>) {
    let mut answer = Answer { flags, ..Answer::to_challenge(challenge) };
    let tail = if extra.is_empty() {
        format!("{framed}}}")
    } else {
        let text = "clientDataJSON may be extended with additional fields in the future, such as this: ";
        format!("{framed},\"extraData\":\"{text}{extra}\"}}")
    };
    answer.client_data = answer.client_data.replace("false}", &tail);
    let mut assertion = answer.of("pia");
    assertion.signature = Bytes(signature.to_vec());
    (assertion, [&answer.authenticator_data()[..], &Digest::of_bytes(answer.client_data.as_bytes()).0].concat())
}

fn check_example(
    name: &str,
    assertion: &Assertion,
    challenge: Digest,
    public: &Public,
    expected: Result<u32, AssertionError>,
) {
    let relying = World::new().house.relying;
    assert_eq!(assertion.verify(&challenge, &relying, public, 0), expected, "{name}");
    // Those that are refused are so for what they say, not for their signature.
    assert!(assertion.is_signed_by(public), "{name}");
}
