//! What a person signs to let a machine go further.
//!
//! **What is signed** (Ed25519, no hash before it): the line `watchfloor/promotion/1`, a line feed, and then, without anything between: tenant, name of
//! the verb and alert class as texts; tier and level as a byte each; the person as a text; model, prompt, rules and policy as texts (all empty if the
//! cell has no version yet); generation of the cell as 8 bytes; time as 8 bytes; the reason as a text. A text is 4 bytes of length and its UTF-8; numbers
//! have their highest byte first. No two promotions have the same bytes, so a signature is for one.
//!
//! **Once.** Every change of what is granted gives the cell a new generation, so a signed promotion works once, and not again after a demotion. It is
//! void after [`VALID_MS`].

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use watchfloor_model::action::Level;
use watchfloor_model::ids::PersonId;

use super::cell::{Key, Versions};
use super::refused::Refused;
use crate::hex::Hex;

/// How long a signed promotion is good for, in milliseconds: 15 minutes.
pub const VALID_MS: i64 = 15 * 60_000;
/// What stands before it, so that nothing else that a person signs can be taken for a promotion.
const CONTEXT: &[u8] = b"watchfloor/promotion/1\n";

/// A level that a person gives to a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// To which cell.
    pub key: Key,
    /// Which level.
    pub to: Level,
    /// Who.
    pub by: PersonId,
    /// Of what is running there; none, if nothing has been recorded yet.
    pub versions: Option<Versions>,
    /// Generation of the cell that the person saw.
    pub generation: u64,
    /// When it was signed, in milliseconds since 1970.
    pub at: i64,
    /// Why.
    pub reason: String,
}

impl Promotion {
    /// What is signed.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = CONTEXT.to_vec();
        text(&mut bytes, self.key.tenant.as_str());
        text(&mut bytes, self.key.verb.name());
        text(&mut bytes, self.key.class.as_str());
        bytes.extend([u8::from(self.key.tier), u8::from(self.to)]);
        text(&mut bytes, self.by.as_str());
        let none = Versions::default();
        let versions = self.versions.as_ref().unwrap_or(&none);
        for version in [&versions.model, &versions.prompt, &versions.rules, &versions.policy] {
            text(&mut bytes, version);
        }
        bytes.extend(self.generation.to_be_bytes());
        bytes.extend(self.at.to_be_bytes());
        text(&mut bytes, &self.reason);
        bytes
    }
}

/// Adds a text: 4 bytes of length, highest first, and its UTF-8.
pub(super) fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(text.as_bytes());
}

/// A promotion and the signature under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What was signed.
    pub promotion: Promotion,
    /// The signature.
    pub signature: Hex<64>,
}

impl Signed {
    /// Whether the holder of a key has signed it. Keys and signatures that fit more than one message are refused.
    ///
    /// # Errors
    /// If the key is none, or the signature is not its.
    pub fn verify(&self, key: &Hex<32>) -> Result<(), Refused> {
        let key = VerifyingKey::from_bytes(&key.0).map_err(|_| Refused::Key)?;
        let signature = Signature::from_bytes(&self.signature.0);
        key.verify_strict(&self.promotion.bytes(), &signature).map_err(|_| Refused::Signature)
    }
}

/// Whether what was signed then is still good now.
pub(super) fn is_valid(signed: i64, now: i64) -> bool {
    now.checked_sub(signed).is_some_and(|age| (0..=VALID_MS).contains(&age))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use watchfloor_model::action::{Tier, Verb};

    use super::*;

    fn promotion() -> Promotion {
        let text = |text: &str| text.to_owned();
        Promotion {
            key: Key { tenant: "t".into(), verb: Verb::Notify, class: "phish".into(), tier: Tier::Two },
            to: Level::Conditional,
            by: "ann".into(),
            versions: Some(Versions { model: text("m"), prompt: text("p"), rules: text("r"), policy: text("o") }),
            generation: 0x0102,
            at: -2,
            reason: text("ö"),
        }
    }

    #[test]
    fn the_signed_bytes_are_as_written_above() {
        let mut due = b"watchfloor/promotion/1\n".to_vec();
        due.extend(b"\0\0\0\x01t\0\0\0\x06notify\0\0\0\x05phish\x02\x03\0\0\0\x03ann");
        due.extend(b"\0\0\0\x01m\0\0\0\x01p\0\0\0\x01r\0\0\0\x01o");
        due.extend(b"\0\0\0\0\0\0\x01\x02\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\x02\xc3\xb6");
        assert_eq!(promotion().bytes(), due);
    }

    #[test]
    fn a_signature_is_for_one_promotion_of_one_person() {
        let pen = SigningKey::from_bytes(&[7; 32]);
        let key = Hex(pen.verifying_key().to_bytes());
        let sign = |promotion: Promotion| Signed { signature: Hex(pen.sign(&promotion.bytes()).to_bytes()), promotion };
        let good = sign(promotion());
        assert_eq!(good.verify(&key), Ok(()));
        let other = Hex(SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes());
        assert_eq!(good.verify(&other), Err(Refused::Signature));
        let changes: [fn(&mut Promotion); 13] = [
            |p| p.key.tenant = "u".into(),
            |p| p.key.verb = Verb::AddTag,
            |p| p.key.class = "phis".into(),
            |p| p.key.tier = Tier::Three,
            |p| p.to = Level::HighStakes,
            |p| p.by = "bob".into(),
            |p| p.versions = None,
            |p| p.versions.as_mut().unwrap().model = "n".into(),
            |p| p.versions.as_mut().unwrap().policy = "n".into(),
            |p| p.generation += 1,
            |p| p.at += 1,
            |p| p.reason = "o".into(),
            |p| {
                p.key.tenant = "t\0\0\0\x06notify".into();
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = good.clone();
            change(&mut changed.promotion);
            assert_eq!(changed.verify(&key), Err(Refused::Signature), "{number}");
        }
        // A point that is not on the curve, and one of small order, under which signatures of anything exist.
        assert_eq!(good.verify(&Hex([2; 32])), Err(Refused::Key));
        let mut weak = [0; 32];
        weak[0] = 1;
        assert_eq!(good.verify(&Hex(weak)), Err(Refused::Signature));
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Signed>(&text).unwrap(), good);
    }

    #[test]
    fn it_is_good_for_fifteen_minutes() {
        for (signed, now, good) in [
            (0, 0, true),
            (0, 899_999, true),
            (0, 900_000, true),
            (0, 900_001, false),
            (1, 0, false),
            (i64::MIN, i64::MAX, false),
        ] {
            assert_eq!(is_valid(signed, now), good, "{signed} {now}");
        }
    }
}
