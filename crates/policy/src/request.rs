//! What is asked: a principal, a verb, a target, the circumstances.
//!
//! As JSON, all fields are required and no other is allowed:
//! `{"principal": {"kind": "Agent", "id": "…", "roles": […], "tenants": […]}, "verb": "isolate_host", "target": {"kind": "Host",
//! "id": "…", "tenant": "…", "tier": 2, "tags": […], "owner": "…", "site": "…"}, "circumstances": {"level": 2, "risk": 40,
//! "alert_class": "…", "trust": 2, "hour": 14, "targets": 1, "lease_minutes": 60, "tag": ""}}`

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vocabulary::{PrincipalKind, TargetKind, verb_named};

/// Bytes of one name, tag, owner, site, class.
pub const MAX_TEXT: usize = 256;
/// Roles of a principal.
pub const MAX_ROLES: usize = 64;
/// Tenants that a principal serves.
pub const MAX_TENANTS: usize = 1024;
/// Tags of a target.
pub const MAX_TAGS: usize = 64;

/// The bounds of each number that a policy can ask for: where it stands in a policy, least, most.
///
/// A request outside of them is refused before any policy sees it, so proofs may take them for granted.
pub const BOUNDS: &[(&str, i64, i64)] = &[
    ("resource.tier", 0, 3),
    ("context.level", 0, 4),
    ("context.risk", 0, 100),
    ("context.trust", 0, 3),
    ("context.hour", 0, 23),
    ("context.targets", 1, 100_000),
    ("context.lease_minutes", 0, 525_600),
];

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Person, agent, rule or API client.
    pub kind: PrincipalKind,
    /// Its id.
    pub id: String,
    /// The roles that it holds.
    pub roles: Vec<String>,
    /// The tenants that it serves.
    pub tenants: Vec<String>,
}

/// What is acted on, as the inventory has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Its canonical id.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// 0 (most protected) to 3.
    pub tier: i64,
    /// Tags of the inventory.
    pub tags: Vec<String>,
    /// Person or team that answers for it, or empty.
    pub owner: String,
    /// Where it stands, or empty.
    pub site: String,
}

/// Under which circumstances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// Autonomy level of the plan, 0 to 4.
    pub level: i64,
    /// Risk score of admission, 0 to 100.
    pub risk: i64,
    /// Class of the alert that began it, or empty.
    pub alert_class: String,
    /// Trust of the weakest evidence: 0 unauthenticated, 1 authenticated, 2 ours, 3 a person's.
    pub trust: i64,
    /// Hour of day where the owner is, 0 to 23.
    pub hour: i64,
    /// Targets of the whole plan, 1 to 100,000.
    pub targets: i64,
    /// Minutes until it undoes itself, 0 to 525,600; 0 is never.
    pub lease_minutes: i64,
    /// The tag that `add_tag` or `remove_tag` is about, or empty.
    pub tag: String,
}

/// One question to the policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// Which verb of the vocabulary.
    pub verb: String,
    /// On what.
    pub target: Target,
    /// Under which circumstances.
    pub circumstances: Circumstances,
}

/// Why a request is refused before any policy sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The verb is not in the vocabulary.
    #[error("there is no verb `{0}`")]
    UnknownVerb(String),
    /// The verb cannot be done to this.
    #[error("`{verb}` cannot be done to a target of kind {}", kind.name())]
    WrongKind {
        /// The verb.
        verb: String,
        /// What it was asked for.
        kind: TargetKind,
    },
    /// A number is outside of its bounds.
    #[error("`{name}` is {value}, not {least} to {most}")]
    OutOfBounds {
        /// Where it stands in a policy.
        name: &'static str,
        /// What it is.
        value: i64,
        /// The least that it may be.
        least: i64,
        /// The most that it may be.
        most: i64,
    },
    /// A text or list is too long.
    #[error("`{name}` has {length}, more than {most}")]
    TooLong {
        /// Which.
        name: &'static str,
        /// Bytes or entries.
        length: usize,
        /// How many it may have.
        most: usize,
    },
    /// A name is missing.
    #[error("`{0}` is empty")]
    Empty(&'static str),
}

impl RequestError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownVerb(_) => "unknown_verb",
            Self::WrongKind { .. } => "wrong_kind_of_target",
            Self::OutOfBounds { .. } => "out_of_bounds",
            Self::TooLong { .. } => "too_long",
            Self::Empty(_) => "empty_name",
        }
    }
}

impl Request {
    /// Checks everything that policies take for granted; answers the verb's place in the vocabulary.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<usize, RequestError> {
        let Some((place, verb)) = verb_named(&self.verb) else {
            return Err(RequestError::UnknownVerb(self.verb.chars().take(MAX_TEXT).collect()));
        };
        if !verb.kinds.contains(&self.target.kind) {
            return Err(RequestError::WrongKind { verb: self.verb.clone(), kind: self.target.kind });
        }
        self.check_numbers()?;
        self.check_texts()?;
        Ok(place)
    }

    /// The value of a number by its name in [`BOUNDS`].
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        let asked = &self.circumstances;
        Some(match name {
            "resource.tier" => self.target.tier,
            "context.level" => asked.level,
            "context.risk" => asked.risk,
            "context.trust" => asked.trust,
            "context.hour" => asked.hour,
            "context.targets" => asked.targets,
            "context.lease_minutes" => asked.lease_minutes,
            _ => return None,
        })
    }

    fn check_numbers(&self) -> Result<(), RequestError> {
        for &(name, least, most) in BOUNDS {
            // A bound without a number is a fault of this crate; it refuses rather than passes.
            let value = self.number(name).unwrap_or(i64::MIN);
            if value < least || value > most {
                return Err(RequestError::OutOfBounds { name, value, least, most });
            }
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), RequestError> {
        let (principal, target, asked) = (&self.principal, &self.target, &self.circumstances);
        for (name, text) in
            [("principal.id", &principal.id), ("resource.id", &target.id), ("resource.tenant", &target.tenant)]
        {
            if text.is_empty() {
                return Err(RequestError::Empty(name));
            }
        }
        let lists = [
            ("principal.roles", &principal.roles, MAX_ROLES),
            ("principal.tenants", &principal.tenants, MAX_TENANTS),
            ("resource.tags", &target.tags, MAX_TAGS),
        ];
        for (name, list, most) in lists {
            at_most(name, list.len(), most)?;
            for text in list {
                at_most(name, text.len(), MAX_TEXT)?;
            }
        }
        for (name, text) in [
            ("principal.id", &principal.id),
            ("resource.id", &target.id),
            ("resource.tenant", &target.tenant),
            ("resource.owner", &target.owner),
            ("resource.site", &target.site),
            ("context.alert_class", &asked.alert_class),
            ("context.tag", &asked.tag),
        ] {
            at_most(name, text.len(), MAX_TEXT)?;
        }
        Ok(())
    }
}

fn at_most(name: &'static str, length: usize, most: usize) -> Result<(), RequestError> {
    if length > most { Err(RequestError::TooLong { name, length, most }) } else { Ok(()) }
}

/// A request as a sentence for a person.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { principal, verb, target, circumstances } = self;
        write!(f, "{} {:?} ", principal.kind.name(), principal.id)?;
        if !principal.roles.is_empty() {
            write!(f, "({}) ", principal.roles.join(", "))?;
        }
        write!(f, "of tenants [{}] asks at level {} ", principal.tenants.join(", "), circumstances.level)?;
        write!(f, "for {verb} on {} {:?} of tenant {:?}", target.kind.name(), target.id, target.tenant)?;
        write!(f, ", tier {}, tags [{}]", target.tier, target.tags.join(", "))?;
        for (name, text) in [
            ("owner", &target.owner),
            ("site", &target.site),
            ("alert class", &circumstances.alert_class),
            ("tag", &circumstances.tag),
        ] {
            if !text.is_empty() {
                write!(f, ", {name} {text:?}")?;
            }
        }
        write!(f, "; risk {}, trust {}, ", circumstances.risk, circumstances.trust)?;
        write!(f, "hour {}, {} targets, ", circumstances.hour, circumstances.targets)?;
        write!(f, "lease {} min", circumstances.lease_minutes)
    }
}
