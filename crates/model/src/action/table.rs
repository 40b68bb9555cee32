//! The rows.

use super::{Idempotency, Kind, Level, Parameter, Row, Sort, Verb};

use Idempotency::{Keyed, None as Once, Queryable};
use Level::{Advisory, Approved, Conditional, HighStakes};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

/// What a verb without a row would be: nothing that may be done.
pub const NOTHING: Row = Row {
    verb: Verb::CloseCase,
    kind: Kind::Case,
    parameters: &[],
    inverse: None,
    undoes: false,
    lease_max: 0,
    idempotency: Once,
    touches: true,
    caps: [Level::Manual; 4],
    alone: [None; 4],
    quorum: [2; 4],
    openc2: ("", ""),
};

/// What touches the work of assets and can be undone.
const CONTAINS: Row = Row {
    touches: true,
    caps: [Approved, HighStakes, HighStakes, HighStakes],
    alone: [None, Some(HighStakes), Some(Conditional), Some(Conditional)],
    quorum: [2, 1, 0, 0],
    idempotency: Queryable,
    ..NOTHING
};

/// What takes a containment back: as careful, as an attacker would like it too.
const RELEASES: Row = Row { undoes: true, ..CONTAINS };

/// What cannot be undone.
const FOR_GOOD: Row = Row {
    touches: true,
    caps: [Advisory, Approved, Approved, Approved],
    alone: [None; 4],
    quorum: [2, 2, 1, 1],
    idempotency: Queryable,
    ..NOTHING
};

/// What only looks at an asset, or changes what is known of it: memory has secrets in it, and tags protect.
const LOOKS: Row = Row {
    caps: [Approved, HighStakes, HighStakes, HighStakes],
    alone: [None, Some(Conditional), Some(Conditional), Some(Conditional)],
    quorum: [2, 0, 0, 0],
    ..TELLS
};

/// What writes down or tells, and is done to no asset.
const TELLS: Row = Row {
    touches: false,
    caps: [HighStakes; 4],
    alone: [Some(Conditional); 4],
    quorum: [0; 4],
    idempotency: Keyed,
    ..NOTHING
};

const fn needed(name: &'static str, sort: Sort) -> Parameter {
    Parameter { name, sort, needed: true }
}

const fn optional(name: &'static str, sort: Sort) -> Parameter {
    Parameter { name, sort, needed: false }
}

const DIRECTION: Parameter = optional("direction", Sort::Choice(&["both", "inbound", "outbound"]));
const TAG: Parameter = needed("tag", Sort::Text(64));

/// All verbs, in the order of [`Verb::ALL`].
pub static TABLE: [Row; 26] = [
    Row {
        verb: Verb::BlockAddress,
        kind: Kind::Address,
        parameters: &[DIRECTION],
        inverse: Some(Verb::UnblockAddress),
        lease_max: 30 * DAY,
        openc2: ("deny", "ipv4_net"),
        ..CONTAINS
    },
    Row {
        verb: Verb::UnblockAddress,
        kind: Kind::Address,
        parameters: &[DIRECTION],
        openc2: ("allow", "ipv4_net"),
        ..RELEASES
    },
    Row {
        verb: Verb::BlockDomain,
        kind: Kind::Domain,
        inverse: Some(Verb::UnblockDomain),
        lease_max: 30 * DAY,
        openc2: ("deny", "domain_name"),
        ..CONTAINS
    },
    Row { verb: Verb::UnblockDomain, kind: Kind::Domain, openc2: ("allow", "domain_name"), ..RELEASES },
    Row {
        verb: Verb::BlockHash,
        kind: Kind::Hash,
        inverse: Some(Verb::UnblockHash),
        lease_max: 30 * DAY,
        openc2: ("deny", "file"),
        ..CONTAINS
    },
    Row { verb: Verb::UnblockHash, kind: Kind::Hash, openc2: ("allow", "file"), ..RELEASES },
    Row {
        verb: Verb::IsolateHost,
        kind: Kind::Host,
        parameters: &[optional("keep_channel", Sort::Flag)],
        inverse: Some(Verb::ReleaseHost),
        lease_max: 3 * DAY,
        openc2: ("contain", "device"),
        ..CONTAINS
    },
    Row { verb: Verb::ReleaseHost, kind: Kind::Host, openc2: ("restore", "device"), ..RELEASES },
    Row {
        verb: Verb::KillProcess,
        kind: Kind::Process,
        parameters: &[optional("children", Sort::Flag)],
        openc2: ("stop", "process"),
        ..FOR_GOOD
    },
    Row {
        verb: Verb::QuarantineFile,
        kind: Kind::File,
        inverse: Some(Verb::RestoreFile),
        lease_max: 30 * DAY,
        openc2: ("contain", "file"),
        ..CONTAINS
    },
    Row { verb: Verb::RestoreFile, kind: Kind::File, openc2: ("restore", "file"), ..RELEASES },
    Row {
        verb: Verb::DisableAccount,
        kind: Kind::Account,
        inverse: Some(Verb::EnableAccount),
        lease_max: 7 * DAY,
        openc2: ("contain", "account"),
        ..CONTAINS
    },
    Row { verb: Verb::EnableAccount, kind: Kind::Account, openc2: ("restore", "account"), ..RELEASES },
    Row { verb: Verb::RevokeSessions, kind: Kind::Account, openc2: ("stop", "account"), ..FOR_GOOD },
    Row {
        verb: Verb::ResetCredential,
        kind: Kind::Account,
        parameters: &[optional("credential", Sort::Choice(&["password", "key", "token"]))],
        idempotency: Once,
        openc2: ("update", "account"),
        ..FOR_GOOD
    },
    Row {
        verb: Verb::RemoveMailboxRule,
        kind: Kind::MailboxRule,
        inverse: Some(Verb::RestoreMailboxRule),
        lease_max: 30 * DAY,
        openc2: ("delete", "mailbox_rule"),
        ..CONTAINS
    },
    Row { verb: Verb::RestoreMailboxRule, kind: Kind::MailboxRule, openc2: ("restore", "mailbox_rule"), ..RELEASES },
    Row {
        verb: Verb::PurgeMessage,
        kind: Kind::Message,
        inverse: Some(Verb::RestoreMessage),
        lease_max: 14 * DAY,
        openc2: ("delete", "email_message"),
        ..CONTAINS
    },
    Row { verb: Verb::RestoreMessage, kind: Kind::Message, openc2: ("restore", "email_message"), ..RELEASES },
    Row {
        verb: Verb::OpenTicket,
        kind: Kind::Ticket,
        parameters: &[needed("summary", Sort::Text(256)), optional("priority", Sort::Number(1, 5))],
        inverse: Some(Verb::CloseTicket),
        openc2: ("create", "ticket"),
        ..TELLS
    },
    Row { verb: Verb::CloseTicket, kind: Kind::Ticket, undoes: true, openc2: ("cancel", "ticket"), ..TELLS },
    Row {
        verb: Verb::Notify,
        kind: Kind::Recipient,
        parameters: &[needed("text", Sort::Text(256))],
        openc2: ("notify", "recipient"),
        ..TELLS
    },
    Row {
        verb: Verb::CollectEvidence,
        kind: Kind::Host,
        parameters: &[needed("what", Sort::Choice(&["processes", "connections", "memory", "files", "logs"]))],
        openc2: ("investigate", "device"),
        ..LOOKS
    },
    Row {
        verb: Verb::AddTag,
        kind: Kind::Host,
        parameters: &[TAG],
        inverse: Some(Verb::RemoveTag),
        openc2: ("set", "device"),
        ..LOOKS
    },
    Row {
        verb: Verb::RemoveTag,
        kind: Kind::Host,
        parameters: &[TAG],
        undoes: true,
        openc2: ("delete", "device"),
        ..LOOKS
    },
    Row { verb: Verb::CloseCase, kind: Kind::Case, openc2: ("cancel", "case"), ..TELLS },
];
