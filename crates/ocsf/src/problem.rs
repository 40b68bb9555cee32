//! What is wrong with an event.

use std::fmt;

/// Most problems that are reported of one event; an event with more is not worth reading further.
pub const PROBLEMS_MAX: usize = 1_000;

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// `class_uid` is missing or no class of this version.
    UnknownClass,
    /// The class or object has no such attribute.
    UnknownAttribute,
    /// The attribute belongs to a profile that `metadata.profiles` does not list.
    ProfileNotListed,
    /// `metadata.profiles` lists a profile that this version does not have.
    UnknownProfile,
    /// A required attribute is not there.
    MissingRequired,
    /// The value is of another JSON type.
    WrongType,
    /// A list where one value is due, or the other way round.
    ListShape,
    /// The number or text is not a member of the attribute's enumeration.
    NotAMember,
    /// The text does not look like its type, or is too long.
    BadText,
    /// The number is outside of its type's range.
    OutOfRange,
    /// A rule over several attributes does not hold.
    Constraint,
    /// `type_uid` is not `class_uid * 100 + activity_id`.
    TypeUid,
    /// `metadata.version` is another version.
    Version,
    /// A text beside an enumerated number is not the number's caption.
    Sibling,
    /// A key stands twice in one object.
    DuplicateKey,
}

impl ProblemKind {
    /// The stable word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownClass => "unknown_class",
            Self::UnknownAttribute => "unknown_attribute",
            Self::ProfileNotListed => "profile_not_listed",
            Self::UnknownProfile => "unknown_profile",
            Self::MissingRequired => "missing_required",
            Self::WrongType => "wrong_type",
            Self::ListShape => "list_shape",
            Self::NotAMember => "not_a_member",
            Self::BadText => "bad_text",
            Self::OutOfRange => "out_of_range",
            Self::Constraint => "constraint",
            Self::TypeUid => "type_uid",
            Self::Version => "version",
            Self::Sibling => "sibling",
            Self::DuplicateKey => "duplicate_key",
        }
    }

    /// Whether the official JSON Schemas can say the same; the other rules stand in the schema's prose.
    #[must_use]
    pub fn is_structural(self) -> bool {
        !matches!(self, Self::UnknownProfile | Self::TypeUid | Self::Version | Self::Sibling | Self::DuplicateKey)
    }
}

/// One thing that is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `actor.user.type_id`, `observables[2].name`.
    pub path: String,
    /// The event's class by name; empty if it is unknown.
    pub class: String,
    /// What kind of problem it is.
    pub what: ProblemKind,
    /// Lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: {}: {}", self.class, self.path, self.what.as_str(), self.message)
    }
}

/// A place in an event, linked to the place it is in, so that a path is written only where something is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) inside: Option<&'p Place<'p>>,
    pub(crate) key: &'p str,
    pub(crate) element: Option<usize>,
}

impl<'p> Place<'p> {
    pub(crate) const ROOT: Place<'static> = Place { inside: None, key: "", element: None };

    pub(crate) fn member(&'p self, key: &'p str) -> Self {
        Self { inside: Some(self), key, element: None }
    }

    pub(crate) fn element(&'p self, at: usize) -> Self {
        Self { inside: Some(self), key: "", element: Some(at) }
    }

    pub(crate) fn path(&self) -> String {
        let mut path = self.inside.map(Place::path).unwrap_or_default();
        match self.element {
            Some(at) => path.push_str(&format!("[{at}]")),
            None if path.is_empty() => path.push_str(self.key),
            None => {
                path.push('.');
                path.push_str(self.key);
            }
        }
        path
    }
}
