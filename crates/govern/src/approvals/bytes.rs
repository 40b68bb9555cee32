//! Bytes, and how they are written.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Bytes, written in base64url without padding.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(&text).map(Self).map_err(|_| D::Error::custom("not base64url without padding"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Digest;
    use super::*;

    #[test]
    fn bytes_are_written_in_one_way_only() {
        let digest = Digest::of_bytes(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((digest.to_string(), format!("{digest:?}")), (text.to_owned(), text.to_owned()));
        let json = format!("\"{text}\"");
        assert_eq!(serde_json::to_string(&digest).unwrap(), json);
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        for wrong in [&text[..62], &text.to_uppercase(), &format!("{text}00"), &format!("{}g", &text[..63]), ""] {
            assert!(serde_json::from_str::<Digest>(&format!("\"{wrong}\"")).is_err(), "{wrong}");
        }
        let bytes = Bytes(vec![0xfb, 0xff]);
        assert_eq!((serde_json::to_string(&bytes).unwrap(), format!("{bytes:?}")), ("\"-_8\"".into(), "-_8".into()));
        assert_eq!(serde_json::from_str::<Bytes>("\"-_8\"").unwrap(), bytes);
        assert!(serde_json::from_str::<Digest>("1").is_err() && serde_json::from_str::<Bytes>("1").is_err());
        for wrong in ["+/8", "-_8=", "-_9", "-_8 "] {
            assert!(serde_json::from_str::<Bytes>(&format!("\"{wrong}\"")).is_err(), "{wrong}");
        }
    }
}
