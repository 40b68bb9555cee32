//! Hashes, keys, signatures and seeds as text: two lower-case hexadecimal digits a byte.

use std::fmt;

use serde::{Deserialize, Serialize};

/// So many bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> From<Hex<N>> for String {
    fn from(hex: Hex<N>) -> Self {
        hex.to_string()
    }
}

impl<const N: usize> TryFrom<String> for Hex<N> {
    type Error = String;

    /// Capitals are refused: the same bytes have one text.
    fn try_from(text: String) -> Result<Self, String> {
        let mut bytes = [0; N];
        match base16ct::lower::decode(&text, &mut bytes) {
            Ok(read) if read.len() == N => Ok(Self(bytes)),
            _ => Err(format!("not {N} bytes in lower-case hexadecimal digits")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_have_one_text() {
        let bytes = Hex([0, 0x9f, 0xa0, 0xff]);
        assert_eq!(serde_json::to_string(&bytes).unwrap(), "\"009fa0ff\"");
        assert_eq!(format!("{bytes} {bytes:?}"), "009fa0ff 009fa0ff");
        for (text, due) in [
            ("009fa0ff", Some([0, 0x9f, 0xa0, 0xff])),
            ("009FA0FF", None),
            ("009fa0f", None),
            ("009fa0", None),
            ("009fa0ff00", None),
            ("009fa0fg", None),
            ("009fa0g0", None),
            ("009fa0f/", None),
            ("009fa0f:", None),
            ("009fa0f`", None),
            ("", None),
        ] {
            let read = Hex::<4>::try_from(text.to_owned());
            assert_eq!(read.clone().ok().map(|hex| hex.0), due, "{text}");
            assert!(due.is_some() || read.unwrap_err() == "not 4 bytes in lower-case hexadecimal digits");
        }
    }
}
