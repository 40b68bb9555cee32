//! The words of a request: who may ask, which verbs there are, on what.
//!
//! The same words stand in `schema.cedarschema`; a test keeps the two alike. A verb that is not here does not exist.

use serde::{Deserialize, Serialize};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PrincipalKind {
    /// A named human being.
    Person,
    /// A model that reasons.
    Agent,
    /// A detection rule with a response.
    Rule,
    /// A program with a key of its own.
    Api,
}

impl PrincipalKind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Person, Self::Agent, Self::Rule, Self::Api];

    /// The name, as in the schema.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::Agent => "Agent",
            Self::Rule => "Rule",
            Self::Api => "Api",
        }
    }

    /// Whether this is not a person.
    #[must_use]
    pub const fn is_machine(self) -> bool {
        !matches!(self, Self::Person)
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// What is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is what it is called")]
pub enum TargetKind {
    Host,
    Account,
    Address,
    Domain,
    FileHash,
    Process,
    File,
    Message,
    MailboxRule,
    Ticket,
    Case,
}

impl TargetKind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Host,
        Self::Account,
        Self::Address,
        Self::Domain,
        Self::FileHash,
        Self::Process,
        Self::File,
        Self::Message,
        Self::MailboxRule,
        Self::Ticket,
        Self::Case,
    ];

    /// The name, as in the schema.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "Host",
            Self::Account => "Account",
            Self::Address => "Address",
            Self::Domain => "Domain",
            Self::FileHash => "FileHash",
            Self::Process => "Process",
            Self::File => "File",
            Self::Message => "Message",
            Self::MailboxRule => "MailboxRule",
            Self::Ticket => "Ticket",
            Self::Case => "Case",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// One verb of the closed vocabulary, as far as policy knows it.
#[derive(Debug)]
pub struct Verb {
    /// Its name in policies and requests.
    pub name: &'static str,
    /// The groups that a policy may name instead.
    pub groups: &'static [&'static str],
    /// What it can be done to.
    pub kinds: &'static [TargetKind],
}

/// Groups that stand in another group.
pub const GROUPS: &[(&str, Option<&str>)] = &[
    ("effect", None),
    ("record", None),
    ("containment", Some("effect")),
    ("restoring", Some("effect")),
    ("irreversible", Some("effect")),
];

/// The closed vocabulary.
pub const VERBS: &[Verb] = &[
    Verb { name: "block_address", groups: &["containment"], kinds: &[TargetKind::Address] },
    Verb { name: "unblock_address", groups: &["restoring"], kinds: &[TargetKind::Address] },
    Verb { name: "block_domain", groups: &["containment"], kinds: &[TargetKind::Domain] },
    Verb { name: "unblock_domain", groups: &["restoring"], kinds: &[TargetKind::Domain] },
    Verb { name: "block_hash", groups: &["containment"], kinds: &[TargetKind::FileHash] },
    Verb { name: "unblock_hash", groups: &["restoring"], kinds: &[TargetKind::FileHash] },
    Verb { name: "isolate_host", groups: &["containment"], kinds: &[TargetKind::Host] },
    Verb { name: "release_host", groups: &["restoring"], kinds: &[TargetKind::Host] },
    Verb { name: "kill_process", groups: &["containment", "irreversible"], kinds: &[TargetKind::Process] },
    Verb { name: "quarantine_file", groups: &["containment"], kinds: &[TargetKind::File] },
    Verb { name: "restore_file", groups: &["restoring"], kinds: &[TargetKind::File] },
    Verb { name: "disable_account", groups: &["containment"], kinds: &[TargetKind::Account] },
    Verb { name: "enable_account", groups: &["restoring"], kinds: &[TargetKind::Account] },
    Verb { name: "revoke_sessions", groups: &["containment", "irreversible"], kinds: &[TargetKind::Account] },
    Verb { name: "reset_credential", groups: &["containment", "irreversible"], kinds: &[TargetKind::Account] },
    Verb { name: "remove_mailbox_rule", groups: &["containment"], kinds: &[TargetKind::MailboxRule] },
    Verb { name: "restore_mailbox_rule", groups: &["restoring"], kinds: &[TargetKind::MailboxRule] },
    Verb { name: "purge_message", groups: &["containment"], kinds: &[TargetKind::Message] },
    Verb { name: "restore_message", groups: &["restoring"], kinds: &[TargetKind::Message] },
    Verb { name: "open_ticket", groups: &["record"], kinds: &[TargetKind::Case] },
    Verb { name: "close_ticket", groups: &["record"], kinds: &[TargetKind::Ticket] },
    Verb { name: "notify", groups: &["record"], kinds: &[TargetKind::Account, TargetKind::Case] },
    Verb {
        name: "collect_evidence",
        groups: &["record"],
        kinds: &[
            TargetKind::Host,
            TargetKind::Account,
            TargetKind::Process,
            TargetKind::File,
            TargetKind::Message,
            TargetKind::MailboxRule,
        ],
    },
    Verb { name: "add_tag", groups: &["record"], kinds: TargetKind::ALL },
    Verb { name: "remove_tag", groups: &["record"], kinds: TargetKind::ALL },
    Verb { name: "close_case", groups: &["record"], kinds: &[TargetKind::Case] },
];

/// The place of a verb in the vocabulary.
#[must_use]
pub fn verb_named(name: &str) -> Option<(usize, &'static Verb)> {
    VERBS.iter().enumerate().find(|(_, verb)| verb.name == name)
}
