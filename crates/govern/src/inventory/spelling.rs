//! One spelling for all of a name.

use std::net::{IpAddr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization as _;
use watchfloor_model::action::Kind;

/// A name as all its spellings are written.
pub(super) fn spelled(kind: Kind, name: &str) -> String {
    let name = name.trim();
    // Plain letters are composed already.
    let composed = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        name.nfkc().flat_map(char::to_lowercase).collect::<String>()
    };
    match kind {
        // Machines' accounts end with a dollar, shares begin with backslashes, whole names end with a dot.
        Kind::Host => composed.trim_start_matches('\\').trim_end_matches(['.', '$']).to_owned(),
        Kind::Domain => composed.trim_end_matches('.').to_owned(),
        Kind::Account => composed.replace('/', "\\"),
        _ => composed,
    }
}

/// An address; one of version 4 in one of version 6 is the former.
pub(super) fn address(name: &str) -> Option<IpAddr> {
    let name = name.trim();
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let address: IpAddr = name.parse().ok()?;
    Some(address.to_canonical())
}

/// Whether no stranger can have an address.
pub(super) fn is_of_nobody(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || first == 0
                || first >= 240
                // Shared by providers and their customers (RFC 6598).
                || first == 100 && (64..128).contains(&second)
        }
        IpAddr::V6(address) => !is_global(address),
    }
}

/// 2000::/3 is what is given out; of it, addresses that hold others of version 4 could be anybody's.
fn is_global(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_given_out = first & 0xe000 == 0x2000;
    let is_tunnel = first == 0x2002 || first == 0x2001 && second == 0;
    is_given_out && !is_tunnel
}

/// A domain, then what it stands in, and so on.
pub(super) fn labels(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |part| part.split_once('.').map(|(_, rest)| rest))
}

/// Whether a name is a domain that somebody can have: labels of letters, digits and hyphens, at least two.
pub(super) fn domain_is_whole(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label) && address(domain).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        for (kind, name, expected) in [
            (Kind::Host, " DC-01.Corp.Local. ", "dc-01.corp.local"),
            (Kind::Host, "\\\\DC-01", "dc-01"),
            (Kind::Host, "DC-01$", "dc-01"),
            (Kind::Host, "ＤＣ－01", "dc-01"),
            (Kind::Account, "ACME/Bob", "acme\\bob"),
            (Kind::Domain, "Example.COM.", "example.com"),
        ] {
            assert_eq!(spelled(kind, name), expected, "{name}");
        }
    }

    #[test]
    fn domains_are_whole() {
        let long = |label: usize, last: usize| format!("{0}.{0}.{0}.{1}", "a".repeat(label), "b".repeat(last));
        for (domain, expected) in [
            ("example.org".to_owned(), true),
            ("a-b.example".to_owned(), true),
            ("_dmarc.example".to_owned(), true),
            ("a1.2b".to_owned(), true),
            ("a b.example".to_owned(), false),
            ("*.example".to_owned(), false),
            ("\u{fc}.example".to_owned(), false),
            ("example".to_owned(), false),
            ("a..example".to_owned(), false),
            (".example".to_owned(), false),
            ("10.0.0.5".to_owned(), false),
            (long(63, 61), true),
            (long(63, 62), false),
            (long(62, 1), true),
            (long(64, 1), false),
            (format!("{}.{}", "a".repeat(62), "b".repeat(63)), true),
            (format!("{}.{}", "a".repeat(62), "b".repeat(64)), false),
        ] {
            assert_eq!(domain_is_whole(&domain), expected, "{domain}");
        }
    }

    #[test]
    fn addresses_of_nobody_are_known() {
        for (text, expected) in [
            ("203.0.113.9", false),
            ("::ffff:203.0.113.9", false),
            ("10.0.0.5", true),
            ("::ffff:10.0.0.5", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("127.0.0.1", true),
            ("0.0.0.0", true),
            ("240.0.0.1", true),
            ("255.255.255.255", true),
            ("224.0.0.1", true),
            ("169.254.1.1", true),
            ("[2a00:1450::1]", false),
            ("fe80::1", true),
            ("fd00::1", true),
            ("::1", true),
            ("2002:0a00:0005::", true),
            ("2001:0:4136:e378::1", true),
            ("2001:db8::1", false),
            ("ff02::1", true),
        ] {
            assert_eq!(is_of_nobody(address(text).unwrap()), expected, "{text}");
        }
        for text in ["010.0.0.5", "0x0a000005", "167772165", "10.0.0.5/32", "10.0.0", ""] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
