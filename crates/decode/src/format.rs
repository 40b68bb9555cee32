//! The names of the shapes a record can have.

/// What a record looks like before it is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// A JSON object or list.
    Json,
    /// A line with an RFC 3164 or RFC 5424 header around plain text.
    Syslog,
    /// Any other line.
    Text,
    /// `key=value key="quoted value"`.
    Kv,
    /// `ArcSight` common event format.
    Cef,
    /// IBM log event extended format.
    Leef,
    /// Comma-separated values.
    Csv,
    /// Space-separated values.
    Ssv,
    /// W3C extended log format (`#Fields:`).
    W3c,
    /// Zeek's tab-separated logs.
    Zeek,
    /// A Linux audit event.
    Auditd,
    /// A Windows event.
    Winevent,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 12] = [
        Self::Json,
        Self::Syslog,
        Self::Text,
        Self::Kv,
        Self::Cef,
        Self::Leef,
        Self::Csv,
        Self::Ssv,
        Self::W3c,
        Self::Zeek,
        Self::Auditd,
        Self::Winevent,
    ];

    /// The word a mapping uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Syslog => "syslog",
            Self::Text => "text",
            Self::Kv => "kv",
            Self::Cef => "cef",
            Self::Leef => "leef",
            Self::Csv => "csv",
            Self::Ssv => "ssv",
            Self::W3c => "w3c",
            Self::Zeek => "zeek",
            Self::Auditd => "auditd",
            Self::Winevent => "winevent",
        }
    }

    /// The format with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.as_str()), Some(format));
        }
        assert_eq!(Format::parse("xml"), None);
    }
}
