//! What a rule asks of an event.

use std::net::IpAddr;

use crate::pattern::Pattern;

/// A condition over an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logic {
    /// All hold; of none, yes.
    All(Vec<Logic>),
    /// One holds; of none, no.
    Any(Vec<Logic>),
    /// It does not hold.
    Not(Box<Logic>),
    /// A search of the rule, by its number.
    Search(usize),
    /// A question to the event.
    Is(Predicate),
}

/// A question to one field, or to all of them.
///
/// A field may have several values (a list): the question is true if it is true of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Predicate {
    /// The field; none for a keyword, which is asked of every text of the event.
    pub field: Option<String>,
    /// The question.
    pub test: Test,
}

/// Questions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Test {
    /// The value as text fits. A number is the text of its digits, a truth value `true` or `false`.
    Text(Pattern),
    /// The value is this number, or the text of it.
    Int(i64),
    /// The value is this number (the bits of a float), or a text that reads as it.
    Float(u64),
    /// The value is this truth value, or the text of it.
    Bool(bool),
    /// The field is not there, or null.
    Null,
    /// The field is there, whatever its value.
    Exists,
    /// The value as text has a match of this regular expression.
    Regex(String),
    /// The value is an address in this network.
    Cidr(Network),
    /// The value is a number, and stands so to this one (the bits of a float).
    Order(Order, u64),
    /// The value stands so to that of another field.
    Field(FieldReference),
    /// A part of the value, a time, stands so to a number.
    Time(TimePart, Order, i64),
}

/// A comparison with another field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldReference {
    /// The other field.
    pub field: String,
    /// Any text may stand before its value.
    pub open_start: bool,
    /// Any text may stand behind its value.
    pub open_end: bool,
    /// Whether case matters.
    pub cased: bool,
}

/// How numbers stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Order {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    /// Whether two numbers stand so.
    #[must_use]
    pub fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }

    /// The order of a word of Sigma.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Equal,
            "neq" => Self::Unequal,
            "lt" => Self::Less,
            "lte" => Self::LessOrEqual,
            "gt" => Self::Greater,
            "gte" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// Parts of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum TimePart {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A network of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    bits: u128,
    prefix: u8,
    is_v6: bool,
}

impl Network {
    /// Reads `10.0.0.0/8`; an address alone is a network of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let longest = if address.is_ipv6() { 128 } else { 32 };
        let prefix: u8 = match prefix {
            Some(prefix) => prefix.trim().parse().ok().filter(|prefix| *prefix <= longest)?,
            None => longest,
        };
        let is_v6 = address.is_ipv6();
        Some(Self { bits: bits(address) & mask(is_v6, prefix), prefix, is_v6 })
    }

    /// Whether an address is in it. An IPv4 address written as an IPv6 one is what it stands for.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let address = if self.is_v6 { address } else { address.to_canonical() };
        address.is_ipv6() == self.is_v6 && bits(address) & mask(self.is_v6, self.prefix) == self.bits
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn mask(is_v6: bool, prefix: u8) -> u128 {
    let host = u32::from(if is_v6 { 128 - prefix } else { 32 - prefix });
    u128::MAX.checked_shl(host).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_their_addresses() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("fe80::/10", "fe80::1", true),
            ("fe80::/10", "fec0::1", false),
            ("::/0", "2001:db8::1", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.has(address.parse().unwrap()), expected, "{network:?} {address}");
        }
        for wrong in ["10.0.0.0/33", "10.0.0/8", "x", "::/129", "10.0.0.0/", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
