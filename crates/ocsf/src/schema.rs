//! What the schema says: classes, objects, attributes, types. Loaded once from an embedded table.

use std::fmt;
use std::sync::OnceLock;

use crate::check::{Check, TypeProblem};
use crate::enumeration::Enumeration;
use crate::table::{self, TableError};

/// A version of the schema that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 1.1.0.
    V1_1,
    /// 1.3.0.
    V1_3,
    /// 1.8.0: what events are made as.
    V1_8,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V1_1, Self::V1_3, Self::V1_8];

    /// As `metadata.version` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_1 => "1.1.0",
            Self::V1_3 => "1.3.0",
            Self::V1_8 => "1.8.0",
        }
    }

    /// The version that a person means by `1.8` or `1.8.0`.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| {
            version.as_str() == text || version.as_str().strip_suffix(".0").is_some_and(|short| short == text)
        })
    }

    fn table(self) -> &'static str {
        match self {
            Self::V1_1 => include_str!("../schema/1.1.0.tsv"),
            Self::V1_3 => include_str!("../schema/1.3.0.tsv"),
            Self::V1_8 => include_str!("../schema/1.8.0.tsv"),
        }
    }
}

/// Index of a class in its schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub(crate) u16);

/// Index of an object in its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub(crate) u16);

/// Index of an enumeration in its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnumId(pub(crate) u16);

/// What has attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A class.
    Class(ClassId),
    /// An object.
    Object(ObjectId),
}

/// The kind of value an attribute has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the schema's own")]
pub enum Type {
    String,
    Integer,
    Long,
    Float,
    Boolean,
    Timestamp,
    Json,
    Object,
    Ip,
    Mac,
    Email,
    Url,
    Hostname,
    Port,
    Uuid,
    Datetime,
    Bytes,
    Subnet,
    FileName,
    FilePath,
    FileHash,
    ProcessName,
    Username,
    ResourceUid,
    RegKeyPath,
}

impl Type {
    /// Every type, in the order of their facts.
    pub const ALL: [Self; 25] = [
        Self::String,
        Self::Integer,
        Self::Long,
        Self::Float,
        Self::Boolean,
        Self::Timestamp,
        Self::Json,
        Self::Object,
        Self::Ip,
        Self::Mac,
        Self::Email,
        Self::Url,
        Self::Hostname,
        Self::Port,
        Self::Uuid,
        Self::Datetime,
        Self::Bytes,
        Self::Subnet,
        Self::FileName,
        Self::FilePath,
        Self::FileHash,
        Self::ProcessName,
        Self::Username,
        Self::ResourceUid,
        Self::RegKeyPath,
    ];

    /// The schema's name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string_t",
            Self::Integer => "integer_t",
            Self::Long => "long_t",
            Self::Float => "float_t",
            Self::Boolean => "boolean_t",
            Self::Timestamp => "timestamp_t",
            Self::Json => "json_t",
            Self::Object => "object_t",
            Self::Ip => "ip_t",
            Self::Mac => "mac_t",
            Self::Email => "email_t",
            Self::Url => "url_t",
            Self::Hostname => "hostname_t",
            Self::Port => "port_t",
            Self::Uuid => "uuid_t",
            Self::Datetime => "datetime_t",
            Self::Bytes => "bytestring_t",
            Self::Subnet => "subnet_t",
            Self::FileName => "file_name_t",
            Self::FilePath => "file_path_t",
            Self::FileHash => "file_hash_t",
            Self::ProcessName => "process_name_t",
            Self::Username => "username_t",
            Self::ResourceUid => "resource_uid_t",
            Self::RegKeyPath => "reg_key_path_t",
        }
    }

    /// The type of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }

    /// Whether values are whole numbers.
    #[must_use]
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Integer | Self::Long | Self::Timestamp | Self::Port)
    }

    /// Whether values are texts.
    #[must_use]
    pub fn is_text(self) -> bool {
        !self.is_integer() && !matches!(self, Self::Float | Self::Boolean | Self::Json | Self::Object)
    }
}

/// What a version says of a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeFacts {
    /// What texts must look like.
    pub check: Check,
    /// Most characters of a text.
    pub max_len: Option<u32>,
    /// Least and greatest number.
    pub range: Option<(i64, i64)>,
    /// The observable type id, 0 if values are no observables.
    pub observable: u8,
}

/// How much an attribute is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the schema's own")]
pub enum Requirement {
    Optional,
    Recommended,
    Required,
}

/// A rule over several attributes of a class or object. A name may be a path with dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// At least one of these must be there.
    AtLeastOne(Vec<String>),
    /// Exactly one of these must be there.
    JustOne(Vec<String>),
}

/// An attribute of a class or object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attr {
    /// The key in the event.
    pub name: String,
    /// The kind of value.
    pub ty: Type,
    /// Whether the value is a list of them.
    pub is_array: bool,
    /// How much it is wanted.
    pub requirement: Requirement,
    /// The object, for [`Type::Object`].
    pub object: Option<ObjectId>,
    /// The members, if values are enumerated.
    pub enumeration: Option<EnumId>,
    /// The attribute that holds the caption of this one's value.
    pub sibling: Option<String>,
    /// The profiles that bring the attribute, a bit each in the order of [`Schema::profile_names`]; 0 if it is always there.
    pub profiles: u32,
    /// The observable type id: the attribute's own, else its type's, 0 if it is none.
    pub observable: u8,
    /// Whether the schema advises against it.
    pub deprecated: bool,
}

/// A class of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The name, with its extension: `authentication`, `win/registry_key_activity`.
    pub name: String,
    /// The name for people: `Authentication`.
    pub caption: String,
    /// `class_uid`.
    pub uid: u32,
    /// `category_uid`.
    pub category_uid: u32,
    /// `category_name`: the category's name for people.
    pub category_name: String,
    /// The attributes, by name.
    pub attrs: Vec<Attr>,
    /// Rules over several attributes.
    pub constraints: Vec<Constraint>,
    /// The profiles that apply to the class.
    pub profiles: u32,
    /// Whether the schema advises against it.
    pub deprecated: bool,
}

/// An object: a group of attributes inside a class or another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The name, with its extension: `process`, `win/reg_key`.
    pub name: String,
    /// The name for people.
    pub caption: String,
    /// The attributes, by name. None at all: the object takes anything.
    pub attrs: Vec<Attr>,
    /// Rules over several attributes.
    pub constraints: Vec<Constraint>,
    /// The observable type id, 0 if it is none.
    pub observable: u8,
    /// Whether the schema advises against it.
    pub deprecated: bool,
}

/// One version of the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub(crate) version: String,
    pub(crate) profiles: Vec<String>,
    pub(crate) types: Vec<TypeFacts>,
    pub(crate) enumerations: Vec<Enumeration>,
    /// By name.
    pub(crate) classes: Vec<Class>,
    /// By name.
    pub(crate) objects: Vec<Object>,
    /// By uid.
    pub(crate) uids: Vec<(u32, ClassId)>,
    /// The captions of observable types by id.
    pub(crate) observables: Vec<String>,
}

impl Schema {
    /// OCSF 1.8.0: what events are made as.
    #[must_use]
    pub fn v1_8() -> &'static Self {
        Self::version(Version::V1_8)
    }

    /// A built-in version. A test proves that every embedded table parses.
    #[must_use]
    pub fn version(version: Version) -> &'static Self {
        static V1_1: OnceLock<Schema> = OnceLock::new();
        static V1_3: OnceLock<Schema> = OnceLock::new();
        static V1_8: OnceLock<Schema> = OnceLock::new();
        let cell = match version {
            Version::V1_1 => &V1_1,
            Version::V1_3 => &V1_3,
            Version::V1_8 => &V1_8,
        };
        cell.get_or_init(|| Self::parse(version.table()).unwrap_or_default())
    }

    /// Reads a table; [`table`] has its format.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        table::parse(text)
    }

    /// The version, as `metadata.version` has it.
    #[must_use]
    pub fn version_text(&self) -> &str {
        &self.version
    }

    /// The class of a name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<ClassId> {
        let at = self.classes.binary_search_by(|class| class.name.as_str().cmp(name)).ok()?;
        Some(ClassId(at as u16))
    }

    /// The class of a `class_uid`.
    #[must_use]
    pub fn class_by_uid(&self, uid: u32) -> Option<ClassId> {
        let at = self.uids.binary_search_by_key(&uid, |entry| entry.0).ok()?;
        self.uids.get(at).map(|entry| entry.1)
    }

    /// What is known of a class. Ids of another schema give an arbitrary class.
    #[must_use]
    pub fn class_info(&self, id: ClassId) -> &Class {
        static NONE: Class = Class {
            name: String::new(),
            caption: String::new(),
            uid: 0,
            category_uid: 0,
            category_name: String::new(),
            attrs: Vec::new(),
            constraints: Vec::new(),
            profiles: 0,
            deprecated: false,
        };
        self.classes.get(usize::from(id.0)).unwrap_or(&NONE)
    }

    /// Every class, by name.
    pub fn classes(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        self.classes.iter().enumerate().map(|(at, class)| (ClassId(at as u16), class))
    }

    /// The object of a name.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<ObjectId> {
        let at = self.objects.binary_search_by(|object| object.name.as_str().cmp(name)).ok()?;
        Some(ObjectId(at as u16))
    }

    /// What is known of an object. Ids of another schema give an arbitrary object.
    #[must_use]
    pub fn object_info(&self, id: ObjectId) -> &Object {
        static NONE: Object = Object {
            name: String::new(),
            caption: String::new(),
            attrs: Vec::new(),
            constraints: Vec::new(),
            observable: 0,
            deprecated: false,
        };
        self.objects.get(usize::from(id.0)).unwrap_or(&NONE)
    }

    /// Every object, by name.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectId, &Object)> {
        self.objects.iter().enumerate().map(|(at, object)| (ObjectId(at as u16), object))
    }

    /// The attributes of a class or object, by name.
    #[must_use]
    pub fn attrs(&self, owner: Owner) -> &[Attr] {
        match owner {
            Owner::Class(id) => &self.class_info(id).attrs,
            Owner::Object(id) => &self.object_info(id).attrs,
        }
    }

    /// The rules over several attributes of a class or object.
    #[must_use]
    pub fn constraints(&self, owner: Owner) -> &[Constraint] {
        match owner {
            Owner::Class(id) => &self.class_info(id).constraints,
            Owner::Object(id) => &self.object_info(id).constraints,
        }
    }

    /// The name of a class or object.
    #[must_use]
    pub fn owner_name(&self, owner: Owner) -> &str {
        match owner {
            Owner::Class(id) => &self.class_info(id).name,
            Owner::Object(id) => &self.object_info(id).name,
        }
    }

    /// One attribute of a class or object.
    #[must_use]
    pub fn attr(&self, owner: Owner, name: &str) -> Option<&Attr> {
        let attrs = self.attrs(owner);
        let at = attrs.binary_search_by(|attr| attr.name.as_str().cmp(name)).ok()?;
        attrs.get(at)
    }

    /// An enumeration. Ids of another schema give an arbitrary enumeration.
    #[must_use]
    pub fn enumeration(&self, id: EnumId) -> &Enumeration {
        static NONE: OnceLock<Enumeration> = OnceLock::new();
        self.enumerations.get(usize::from(id.0)).unwrap_or_else(|| NONE.get_or_init(Enumeration::default))
    }

    /// The profiles, in the order of the bits of [`Attr::profiles`].
    #[must_use]
    pub fn profile_names(&self) -> &[String] {
        &self.profiles
    }

    /// The bit of a profile.
    #[must_use]
    pub fn profile_bit(&self, name: &str) -> Option<u32> {
        let at = self.profiles.iter().position(|profile| profile == name)?;
        Some(1 << at)
    }

    /// The names of the profiles of a mask, in order.
    pub fn profiles_of(&self, mask: u32) -> impl Iterator<Item = &str> {
        self.profiles.iter().enumerate().filter(move |(at, _)| mask & (1 << at) != 0).map(|(_, name)| name.as_str())
    }

    /// The caption of an observable type, empty if there is none.
    #[must_use]
    pub fn observable_name(&self, id: u8) -> &str {
        self.observables.get(usize::from(id)).map_or("", String::as_str)
    }

    /// What this version says of a type.
    #[must_use]
    pub fn type_facts(&self, ty: Type) -> TypeFacts {
        self.types.get(ty as usize).copied().unwrap_or_default()
    }

    /// Whether a text is of a type, in this version.
    pub fn check_text(&self, ty: Type, text: &str) -> Result<(), TypeProblem> {
        let facts = self.type_facts(ty);
        if let Some(limit) = facts.max_len
            && text.len() > limit as usize
            && text.chars().count() > limit as usize
        {
            return Err(TypeProblem::TooLong { limit });
        }
        if facts.check.accepts(text) { Ok(()) } else { Err(TypeProblem::NotA(ty)) }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
