//! Whether a text is of its type.
//!
//! The checks agree with the schema's regular expressions (`schema/checks.tsv`; property tests compare them), with one exception:
//! [`Check::Ip`] is stricter. The schema's expression has an unescaped dot and so takes `1234567` for an address, and it allows blanks
//! around it. We take what is an address, of version 4 in four decimals or of version 6, with a zone or without.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::schema::{Schema, Type};

/// What a text must look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Anything.
    #[default]
    Any,
    /// An IP address.
    Ip,
    /// A hardware address, `18:36:F3:98:4F:9A`.
    Mac,
    /// An e-mail address.
    Email,
    /// An e-mail address, with fewer characters before the `@` (1.1).
    EmailPlain,
    /// Contains a UUID.
    Uuid,
    /// Date and time as of RFC 3339, the zone may be missing.
    Datetime,
    /// The same with `T` and `Z` in upper case (before 1.4).
    DatetimeUpper,
    /// Base64 of either alphabet, with padding; the schema's expression wants some.
    Bytestring,
    /// Labels of letters, digits and inner hyphens (before 1.4).
    Hostname,
}

impl Check {
    /// The check of a name in a table.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "" => Self::Any,
            "ip" => Self::Ip,
            "mac" => Self::Mac,
            "email" => Self::Email,
            "email_plain" => Self::EmailPlain,
            "uuid" => Self::Uuid,
            "datetime" => Self::Datetime,
            "datetime_upper" => Self::DatetimeUpper,
            "bytestring" => Self::Bytestring,
            "hostname" => Self::Hostname,
            _ => return None,
        })
    }

    /// Whether a text looks like it.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Ip => is_ip(text),
            Self::Mac => is_mac(text.as_bytes()),
            Self::Email => is_email(text, |c| c.is_ascii_alphanumeric() || b"!#$%&'*+,-./=?^_`{|}~".contains(&c)),
            Self::EmailPlain => is_email(text, |c| c.is_ascii_alphanumeric() || b"_.+-".contains(&c)),
            Self::Uuid => text.as_bytes().windows(36).any(is_uuid),
            Self::Datetime => is_datetime(text.as_bytes(), |c, upper| c.eq_ignore_ascii_case(&upper)),
            Self::DatetimeUpper => is_datetime(text.as_bytes(), |c, upper| c == upper),
            Self::Bytestring => {
                text.is_empty() || is_base64(text.as_bytes(), *b"+/") || is_base64(text.as_bytes(), *b"-_")
            }
            Self::Hostname => text.split('.').all(is_label),
        }
    }
}

/// Why a text is not of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeProblem {
    /// It does not look like one.
    NotA(Type),
    /// It has too many characters.
    TooLong {
        /// The most characters the type may have.
        limit: u32,
    },
}

impl fmt::Display for TypeProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotA(ty) => write!(out, "the text is not of type {ty}"),
            Self::TooLong { limit } => write!(out, "the text has more than {limit} characters"),
        }
    }
}

impl std::error::Error for TypeProblem {}

/// Whether a text is of a type, in OCSF 1.8. Types whose values are no texts accept anything.
pub fn check_text(ty: Type, text: &str) -> Result<(), TypeProblem> {
    Schema::v1_8().check_text(ty, text)
}

fn is_ip(text: &str) -> bool {
    if text.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let (address, zone) = text.split_once('%').unwrap_or((text, "zone"));
    let zone_fits = !zone.is_empty() && !zone.contains(|c: char| c.is_whitespace() || c.is_control());
    zone_fits && address.parse::<Ipv6Addr>().is_ok()
}

fn is_mac(text: &[u8]) -> bool {
    text.len() == 17
        && text
            .iter()
            .enumerate()
            .all(|(at, &c)| if at % 3 == 2 { c == b':' || c == b'-' } else { c.is_ascii_hexdigit() })
}

fn is_email(text: &str, is_local: impl Fn(u8) -> bool) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let Some((first, rest)) = domain.split_once('.') else { return false };
    let is_domain = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
    !local.is_empty()
        && !first.is_empty()
        && !rest.is_empty()
        && local.bytes().all(is_local)
        && first.bytes().all(is_domain)
        && rest.bytes().all(|c| is_domain(c) || c == b'.')
}

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, &c)| match at {
        8 | 13 | 18 | 23 => c == b'-',
        _ => c.is_ascii_hexdigit(),
    })
}

fn is_datetime(text: &[u8], is_letter: impl Fn(u8, u8) -> bool) -> bool {
    let Some((head, mut rest)) = text.split_at_checked(19) else { return false };
    let head_fits = head.iter().enumerate().all(|(at, &c)| match at {
        4 | 7 => c == b'-',
        10 => is_letter(c, b'T'),
        13 | 16 => c == b':',
        _ => c.is_ascii_digit(),
    });
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        rest = fraction.get(digits..).unwrap_or_default();
    }
    head_fits
        && match rest {
            [] => true,
            [zone] => is_letter(*zone, b'Z'),
            [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit),
            _ => false,
        }
}

fn is_base64(text: &[u8], extra: [u8; 2]) -> bool {
    let body = match text {
        [body @ .., b'=', b'='] | [body @ .., b'='] => body,
        _ => return false,
    };
    text.len().is_multiple_of(4) && body.iter().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

fn is_label(label: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
    !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_their_type() {
        let table = [
            (Type::Ip, "10.0.0.1", true),
            (Type::Ip, "fe80::1%eth0", true),
            (Type::Ip, "::ffff:10.0.0.1", true),
            (Type::Ip, "1234567", false),
            (Type::Ip, " 10.0.0.1", false),
            (Type::Ip, "10.0.0.01", false),
            (Type::Ip, "10.0.0.1:80", false),
            (Type::Ip, "fe80::1%", false),
            (Type::Ip, "", false),
            (Type::Mac, "18:36:F3:98:4F:9A", true),
            (Type::Mac, "18-36-f3-98-4f-9a", true),
            (Type::Mac, "1836.f398.4f9a", false),
            (Type::Email, "a.b+c@example.com", true),
            (Type::Email, "a@localhost", false),
            (Type::Email, "a@b@example.com", false),
            (Type::Uuid, "{0f8fad5b-d9cb-469f-a165-70867728950e}", true),
            (Type::Uuid, "0f8fad5b-d9cb-469f-a165-70867728950", false),
            (Type::Datetime, "2026-01-01T00:00:00Z", true),
            (Type::Datetime, "2026-01-01t00:00:00.123+01:00", true),
            (Type::Datetime, "2026-01-01T00:00:00", true),
            (Type::Datetime, "2026-01-01 00:00:00Z", false),
            (Type::Datetime, "2026-01-01T00:00:00.Z", false),
            (Type::Bytes, "", true),
            (Type::Bytes, "QUI=", true),
            (Type::Bytes, "QQ==", true),
            (Type::Bytes, "QUJD", false),
            (Type::Hostname, "_dmarc.example.com", true),
            (Type::String, "anything", true),
        ];
        for (ty, text, expected) in table {
            assert_eq!(check_text(ty, text).is_ok(), expected, "{ty} {text}");
        }
    }

    #[test]
    fn lengths_are_limited() {
        for (len, expected) in [(41, Ok(())), (42, Ok(())), (43, Err(TypeProblem::TooLong { limit: 42 }))] {
            assert_eq!(check_text(Type::Subnet, &"ä".repeat(len)), expected, "{len}");
        }
    }
}
