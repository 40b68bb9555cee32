//! A leaf: one thing that happened, as canonical JSON (RFC 8785) of at most 65,535 bytes, which is what an entry bundle can hold.
//!
//! | member | is |
//! |---|---|
//! | `accountable` | the person who answers for it, or who granted the level under which it ran; 1 to 256 bytes |
//! | `actor` | who did it: a person, an agent, the kernel; 1 to 256 bytes |
//! | `detail` | an object; what it holds depends on the kind, and large evidence stands in it by hash |
//! | `format` | 1 |
//! | `kind` | one of [`KINDS`]; any other is refused |
//! | `sequence` | the number of the leaf in the log, from 0 |
//! | `tenant` | whose it is; 1 to 256 bytes |
//! | `tenant_sequence` | the number of the leaf among those of its tenant, from 0: a tenant that is shown its own leaves sees a gap |
//! | `time` | milliseconds since 1970 as the writer's clock had it, 0 to the end of 9999; the order is that of `sequence` |
//!
//! No other member, no control character in a name, no number beyond ±(2^53 − 1) anywhere.

use std::fmt;

use serde_json::{Map, Value};

use crate::strict::{INTEGER_MAX, Strict, is_safe};

/// Most bytes of a leaf.
pub const LEAF_BYTES_MAX: usize = 65_535;
/// Most bytes of the names of tenants, actors and persons.
pub const NAME_BYTES_MAX: usize = 256;
/// The largest number of a leaf.
pub const SEQUENCE_MAX: u64 = INTEGER_MAX;
/// The latest time: the end of the year 9999, in milliseconds.
pub const TIME_MAX: i64 = 253_402_300_799_999;
/// Bytes that a number of a leaf can take.
const SEQUENCE_DIGITS_MAX: usize = 16;

macro_rules! kinds {
    ($($kind:ident $text:literal $says:literal)*) => {
        /// What a leaf is about. There are no others.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $says] $kind,)*
        }

        /// All kinds, as leaves name them.
        pub const KINDS: &[(Kind, &str)] = &[$((Kind::$kind, $text),)*];

        impl Kind {
            /// The name in a leaf.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $text,)*
                }
            }
        }
    };
}

kinds! {
    Decision "decision" "What the gate said of a plan, with every reason."
    Approval "approval" "A person's signature over a plan's hash, or their refusal."
    Revocation "revocation" "An approval was taken back."
    Intent "intent" "An effect is about to be asked for."
    Started "started" "The connector was called."
    Outcome "outcome" "What came of an effect, verified or unknown."
    Undo "undo" "An effect was taken back, by a person or at the end of its lease."
    Halt "halt" "A kill switch was set."
    Resume "resume" "A kill switch was lifted."
    Drill "drill" "A halt was rehearsed."
    Promotion "promotion" "A person granted a level of autonomy."
    Demotion "demotion" "A level was lost."
    Policy "policy" "A version of the policy was signed or activated."
    Suppression "suppression" "Alerts are not shown, until when and why."
    SignIn "sign-in" "Somebody signed in, or failed to."
    Export "export" "Data left the system."
    Query "query" "Somebody looked at data."
    Verdict "verdict" "What a case was found to be."
    Shadow "shadow" "What the machine would have done."
}

impl Kind {
    /// The kind of this name.
    pub fn named(text: &str) -> Option<Self> {
        KINDS.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind)
    }
}

/// Why something cannot be a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeafError {
    /// It is no JSON object, or has a member twice.
    Json(String),
    /// A member is missing, is of the wrong type, or should not be there.
    Member(String),
    /// There is no such kind.
    Kind(String),
    /// A name is empty, too long, or has control characters.
    Name(&'static str),
    /// The time is before 1970 or after 9999.
    Time,
    /// A number is beyond ±(2^53 − 1).
    Number,
    /// It has more than `LEAF_BYTES_MAX` bytes.
    TooLarge,
    /// It is JSON, but not in canonical form.
    Canonical,
}

impl LeafError {
    /// The code that scripts may depend on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "leaf.json",
            Self::Member(_) => "leaf.member",
            Self::Kind(_) => "leaf.kind",
            Self::Name(_) => "leaf.name",
            Self::Time => "leaf.time",
            Self::Number => "leaf.number",
            Self::TooLarge => "leaf.too_large",
            Self::Canonical => "leaf.canonical",
        }
    }
}

impl fmt::Display for LeafError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "no JSON object: {error}"),
            Self::Member(name) => write!(f, "`{name}` is missing, of another type, or not a member of a leaf"),
            Self::Kind(kind) => write!(f, "there is no kind `{}`", kind.escape_debug()),
            Self::Name(name) => write!(f, "`{name}` takes 1 to {NAME_BYTES_MAX} bytes without control characters"),
            Self::Time => write!(f, "`time` takes milliseconds from 0 to {TIME_MAX}"),
            Self::Number => write!(f, "a number is beyond {INTEGER_MAX}: write it as text"),
            Self::TooLarge => {
                write!(f, "more than {LEAF_BYTES_MAX} bytes: keep what is large elsewhere, and its hash here")
            }
            Self::Canonical => write!(f, "not in the canonical form of RFC 8785"),
        }
    }
}

impl std::error::Error for LeafError {}

/// A leaf that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// What it is about.
    pub kind: Kind,
    /// Whose it is.
    pub tenant: String,
    /// Who did it.
    pub actor: String,
    /// Who answers for it.
    pub accountable: String,
    /// Milliseconds since 1970.
    pub time: i64,
    /// Its number in the log.
    pub sequence: u64,
    /// Its number among the leaves of its tenant.
    pub tenant_sequence: u64,
    /// What the kind needs.
    pub detail: Map<String, Value>,
}

/// A leaf that has no numbers yet. It is checked and written once, outside of any lock; numbers are put in when it is appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    tenant: String,
    /// Up to the value of `sequence`.
    head: String,
    /// From there to the value of `tenant_sequence`.
    middle: String,
    /// From there to the end.
    tail: String,
}

impl Draft {
    /// A leaf of this kind.
    pub fn new(
        kind: Kind,
        (tenant, actor, accountable): (&str, &str, &str),
        time: i64,
        detail: &Map<String, Value>,
    ) -> Result<Self, LeafError> {
        for (member, name) in [("tenant", tenant), ("actor", actor), ("accountable", accountable)] {
            if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
                return Err(LeafError::Name(member));
            }
        }
        if !(0..=TIME_MAX).contains(&time) {
            return Err(LeafError::Time);
        }
        if !detail.values().all(is_safe) {
            return Err(LeafError::Number);
        }
        let canonical = |error: serde_json::Error| LeafError::Json(error.to_string());
        let detail = serde_json_canonicalizer::to_string(detail).map_err(canonical)?;
        let text = |text: &str| serde_json_canonicalizer::to_string(&text).map_err(canonical);
        let (accountable, actor, written) = (text(accountable)?, text(actor)?, text(tenant)?);
        let draft = Self {
            tenant: tenant.to_owned(),
            head: format!(
                r#"{{"accountable":{accountable},"actor":{actor},"detail":{detail},"format":1,"kind":"{}","sequence":"#,
                kind.as_str()
            ),
            middle: format!(r#","tenant":{written},"tenant_sequence":"#),
            tail: format!(r#","time":{time}}}"#),
        };
        let bytes = draft.head.len() + draft.middle.len() + draft.tail.len() + 2 * SEQUENCE_DIGITS_MAX;
        if bytes > LEAF_BYTES_MAX { Err(LeafError::TooLarge) } else { Ok(draft) }
    }

    /// Whose it is.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The leaf with its numbers.
    pub(crate) fn seal(&self, sequence: u64, tenant_sequence: u64) -> Vec<u8> {
        format!("{}{sequence}{}{tenant_sequence}{}", self.head, self.middle, self.tail).into_bytes()
    }
}

/// Reads a draft: a JSON object with `kind`, `tenant`, `actor`, `accountable`, `time` and `detail`, in any form.
pub fn read_draft(json: &[u8]) -> Result<Draft, LeafError> {
    let members = object(json)?;
    if let Some(stranger) = members.keys().find(|name| !DRAFT.contains(&name.as_str())) {
        return Err(LeafError::Member(stranger.clone()));
    }
    let kind = kind(&members)?;
    let names = (text(&members, "tenant")?, text(&members, "actor")?, text(&members, "accountable")?);
    Draft::new(kind, names, time(&members)?, detail(&members)?)
}

/// Reads a leaf; it must be in the canonical form.
pub fn read_leaf(bytes: &[u8]) -> Result<Leaf, LeafError> {
    if bytes.len() > LEAF_BYTES_MAX {
        return Err(LeafError::TooLarge);
    }
    let members = object(bytes)?;
    let number = |name: &str| match members.get(name).and_then(Value::as_u64) {
        Some(number) => Ok(number),
        None => Err(LeafError::Member(name.to_owned())),
    };
    if number("format")? != 1 {
        return Err(LeafError::Member("format".to_owned()));
    }
    let leaf = Leaf {
        kind: kind(&members)?,
        tenant: text(&members, "tenant")?.to_owned(),
        actor: text(&members, "actor")?.to_owned(),
        accountable: text(&members, "accountable")?.to_owned(),
        time: time(&members)?,
        sequence: number("sequence")?,
        tenant_sequence: number("tenant_sequence")?,
        detail: detail(&members)?.clone(),
    };
    // Writing it again finds all else: a member too many, whitespace, another order, another way to write a number.
    let names = (leaf.tenant.as_str(), leaf.actor.as_str(), leaf.accountable.as_str());
    let draft = Draft::new(leaf.kind, names, leaf.time, &leaf.detail)?;
    if draft.seal(leaf.sequence, leaf.tenant_sequence) == bytes { Ok(leaf) } else { Err(LeafError::Canonical) }
}

/// The members of a draft.
const DRAFT: [&str; 6] = ["kind", "tenant", "actor", "accountable", "time", "detail"];

fn object(json: &[u8]) -> Result<Map<String, Value>, LeafError> {
    match serde_json::from_slice(json) {
        Ok(Strict(Value::Object(members))) => Ok(members),
        Ok(_) => Err(LeafError::Json("something else stands there".to_owned())),
        Err(error) => Err(LeafError::Json(error.to_string())),
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<&'m str, LeafError> {
    members.get(name).and_then(Value::as_str).ok_or_else(|| LeafError::Member(name.to_owned()))
}

fn kind(members: &Map<String, Value>) -> Result<Kind, LeafError> {
    let name = text(members, "kind")?;
    Kind::named(name).ok_or_else(|| LeafError::Kind(name.to_owned()))
}

fn time(members: &Map<String, Value>) -> Result<i64, LeafError> {
    members.get("time").and_then(Value::as_i64).ok_or_else(|| LeafError::Member("time".to_owned()))
}

fn detail(members: &Map<String, Value>) -> Result<&Map<String, Value>, LeafError> {
    members.get("detail").and_then(Value::as_object).ok_or_else(|| LeafError::Member("detail".to_owned()))
}
