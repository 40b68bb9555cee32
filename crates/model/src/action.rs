//! The closed vocabulary of actions.
//!
//! A verb that is not in [`TABLE`] does not exist. There is none that stops telemetry. Each row says what the verb is done to, which parameters it takes,
//! what undoes it, how long it may last, what happens if it is done twice, and up to which level of autonomy it may be done to an asset of each tier.

use serde::{Deserialize, Serialize};

mod table;

pub use table::TABLE;

/// Longest lease of any verb, in seconds: 30 days.
pub const LEASE_SECONDS_MAX: u32 = 30 * 86_400;
/// Longest text of a parameter, in bytes.
pub const PARAMETER_BYTES_MAX: usize = 256;

macro_rules! verbs {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// What can be done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Verb {
            $(#[doc = $name] $variant,)*
        }

        impl Verb {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// How it is written.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

verbs! {
    BlockAddress = "block_address",
    UnblockAddress = "unblock_address",
    BlockDomain = "block_domain",
    UnblockDomain = "unblock_domain",
    BlockHash = "block_hash",
    UnblockHash = "unblock_hash",
    IsolateHost = "isolate_host",
    ReleaseHost = "release_host",
    KillProcess = "kill_process",
    QuarantineFile = "quarantine_file",
    RestoreFile = "restore_file",
    DisableAccount = "disable_account",
    EnableAccount = "enable_account",
    RevokeSessions = "revoke_sessions",
    ResetCredential = "reset_credential",
    RemoveMailboxRule = "remove_mailbox_rule",
    RestoreMailboxRule = "restore_mailbox_rule",
    PurgeMessage = "purge_message",
    RestoreMessage = "restore_message",
    OpenTicket = "open_ticket",
    CloseTicket = "close_ticket",
    Notify = "notify",
    CollectEvidence = "collect_evidence",
    AddTag = "add_tag",
    RemoveTag = "remove_tag",
    CloseCase = "close_case",
}

impl Verb {
    /// The verb with a name, exactly as it is written.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|verb| verb.name() == name)
    }

    /// What there is to know of it.
    #[must_use]
    pub fn row(self) -> &'static Row {
        // A test sees to it that every verb has its row, at its number.
        TABLE.get(self as usize).unwrap_or(&table::NOTHING)
    }
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A machine.
    Host,
    /// An account of a person or a service.
    Account,
    /// A network address.
    Address,
    /// A domain name.
    Domain,
    /// The SHA-256 of a file.
    Hash,
    /// A file on a host.
    File,
    /// A process on a host.
    Process,
    /// A rule of a mailbox.
    MailboxRule,
    /// A message in a mailbox.
    Message,
    /// A ticket.
    Ticket,
    /// Somebody to tell.
    Recipient,
    /// A case.
    Case,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Host,
        Self::Account,
        Self::Address,
        Self::Domain,
        Self::Hash,
        Self::File,
        Self::Process,
        Self::MailboxRule,
        Self::Message,
        Self::Ticket,
        Self::Recipient,
        Self::Case,
    ];

    /// Whether it is something whose work others depend on, or may: it has a tier.
    #[must_use]
    pub fn is_asset(self) -> bool {
        !matches!(self, Self::Ticket | Self::Recipient | Self::Case)
    }

    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Account => "account",
            Self::Address => "address",
            Self::Domain => "domain",
            Self::Hash => "hash",
            Self::File => "file",
            Self::Process => "process",
            Self::MailboxRule => "mailbox_rule",
            Self::Message => "message",
            Self::Ticket => "ticket",
            Self::Recipient => "recipient",
            Self::Case => "case",
        }
    }
}

/// How far a machine may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Level {
    /// People do it.
    #[default]
    Manual,
    /// The machine advises.
    Advisory,
    /// The machine does it when people have approved.
    Approved,
    /// The machine does it alone, within its bounds.
    Conditional,
    /// The machine does alone what is at high stakes too.
    HighStakes,
}

impl Level {
    /// All of them, the lowest first.
    pub const ALL: [Self; 5] = [Self::Manual, Self::Advisory, Self::Approved, Self::Conditional, Self::HighStakes];
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level as Self
    }
}

impl TryFrom<u8> for Level {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .ok_or_else(|| format!("there is no level {number}: there are 0 to 4"))
    }
}

/// How much depends on an asset: 0 the most. What is not known is of tier 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Tier {
    /// The house stands on it, or nobody knows what it is.
    #[default]
    Zero,
    /// Many depend on it.
    One,
    /// Some depend on it.
    Two,
    /// One person depends on it.
    Three,
}

impl Tier {
    /// All of them, the most protected first.
    pub const ALL: [Self; 4] = [Self::Zero, Self::One, Self::Two, Self::Three];
}

impl From<Tier> for u8 {
    fn from(tier: Tier) -> Self {
        tier as Self
    }
}

impl TryFrom<u8> for Tier {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .ok_or_else(|| format!("there is no tier {number}: there are 0 to 3"))
    }
}

/// What happens if a call to the outside is made a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idempotency {
    /// The call has a key, and the second one with it does nothing.
    Keyed,
    /// It can be asked whether it was done.
    Queryable,
    /// It is done twice, and nobody can ask: after a crash in between nobody knows.
    None,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number from, to.
    Number(i64, i64),
    /// A text of at most so many bytes.
    Text(usize),
    /// Yes or no.
    Flag,
}

/// A parameter of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub sort: Sort,
    /// Whether it must be there.
    pub needed: bool,
}

/// What there is to know of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The verb.
    pub verb: Verb,
    /// What it is done to.
    pub kind: Kind,
    /// What it takes besides.
    pub parameters: &'static [Parameter],
    /// What undoes it; none: it cannot be undone.
    pub inverse: Option<Verb>,
    /// Whether it only undoes another one.
    pub undoes: bool,
    /// Longest time after which it undoes itself, in seconds; 0: it lasts for as long as its inverse is not done, or has no lasting effect.
    pub lease_max: u32,
    /// What its class of connectors is held to at least.
    pub idempotency: Idempotency,
    /// Whether an asset's work is touched: not so for what only looks, writes down or tells.
    pub touches: bool,
    /// Up to which level it may be done, by tier.
    pub caps: [Level; 4],
    /// From which level on a machine may do it alone, by tier; none: never.
    pub alone: [Option<Level>; 4],
    /// How many people must approve where one asks, besides the one who asks, by tier.
    pub quorum: [u8; 4],
    /// OpenC2: action and target.
    pub openc2: (&'static str, &'static str),
}

impl Row {
    /// Whether what it does can be taken back.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        self.inverse.is_some() || self.undoes || !self.touches
    }

    /// Up to which level it may be done to something of a tier.
    #[must_use]
    pub fn cap(&self, tier: Tier) -> Level {
        self.caps.get(tier as usize).copied().unwrap_or_default()
    }

    /// From which level on a machine may do it alone to something of a tier.
    #[must_use]
    pub fn alone(&self, tier: Tier) -> Option<Level> {
        self.alone.get(tier as usize).copied().flatten()
    }

    /// How many people must approve it.
    #[must_use]
    pub fn quorum(&self, tier: Tier) -> u8 {
        self.quorum.get(tier as usize).copied().unwrap_or(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_its_row() {
        assert_eq!(TABLE.len(), Verb::ALL.len());
        for (number, verb) in Verb::ALL.iter().enumerate() {
            assert_eq!((*verb as usize, verb.row().verb, Verb::parse(verb.name())), (number, *verb, Some(*verb)));
            assert_eq!(serde_json::to_string(verb).unwrap(), format!("\"{}\"", verb.name()));
        }
        for name in ["stop_service", "disable_logging", "shutdown", "Isolate_Host", "isolate_host ", ""] {
            assert_eq!(Verb::parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_table_keeps_its_own_rules() {
        for row in &TABLE {
            let verb = row.verb.name();
            if let Some(inverse) = row.inverse {
                assert!(inverse.row().undoes && inverse.row().kind == row.kind, "{verb}");
            }
            // What undoes is undone by what it undoes, by nobody else; it has no lease.
            assert!(!row.undoes || row.inverse.is_none() && row.lease_max == 0, "{verb}");
            assert!(row.lease_max <= LEASE_SECONDS_MAX, "{verb}");
            for tier in Tier::ALL {
                assert!(row.is_reversible() || row.cap(tier) <= Level::Approved, "{verb}: cannot be undone");
                assert!(
                    row.alone(tier).is_none_or(|alone| alone >= Level::Conditional && alone <= row.cap(tier)),
                    "{verb}"
                );
                // Less depends on it, so no more is asked for.
                assert!(row.cap(tier) >= row.cap(Tier::Zero) && row.quorum(tier) <= row.quorum(Tier::Zero), "{verb}");
            }
            assert!(row.kind.is_asset() || !row.touches, "{verb}");
            if row.kind.is_asset() {
                assert_eq!((row.alone(Tier::Zero), row.quorum(Tier::Zero)), (None, 2), "{verb}");
                assert!(row.cap(Tier::Zero) <= Level::Approved, "{verb}");
            }
            let mut names: Vec<&str> = row.parameters.iter().map(|parameter| parameter.name).collect();
            names.dedup();
            assert_eq!(names.len(), row.parameters.len(), "{verb}");
        }
    }
}
