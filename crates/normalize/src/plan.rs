//! A compiled mapping: what runs for every record.
//!
//! Fields of the record are slots (see [`crate::fields`]), attributes are path numbers, names of values are small numbers,
//! constants stand in one table. Nothing is looked up by name while records flow, except below elements of lists.

use std::collections::HashMap;

use regex::Regex;
use watchfloor_decode::Format;
use watchfloor_ocsf::{ClassId, EnumId};

use crate::fields::Slot;
use crate::language::syntax::Silence;
use crate::paths::PathId;
use crate::patterns::Pattern;

/// Number of a constant text of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConstId(pub u32);

/// One mapping, compiled for one family of names.
#[derive(Debug)]
pub struct Plan {
    /// Number of its pack.
    pub pack: PackId,
    /// Formats it reads.
    pub formats: Vec<Format>,
    /// Texts that mean "no value".
    pub absent: Vec<Box<str>>,
    /// Detection, as one condition.
    pub detect: Option<Cond>,
    /// What to do.
    pub ops: Vec<Op>,
    /// Number of `let` names.
    pub locals: usize,
    /// Names of captures.
    pub captures: Vec<String>,
}

/// Number of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackId(pub u16);

/// What is known of a pack besides its plans.
#[derive(Debug)]
pub struct Pack {
    /// Its kind.
    pub kind: String,
    /// What it is, for people.
    pub title: String,
    /// File the mapping came from.
    pub file: String,
    /// `metadata.product.vendor_name`
    pub vendor: ConstId,
    /// `metadata.product.name`
    pub product: ConstId,
    /// What its silence means.
    pub silence: Option<Silence>,
    /// Order of detection.
    pub priority: i64,
}

/// A statement.
#[derive(Debug)]
pub enum Op {
    /// Chooses class and activity.
    Class {
        /// The class.
        class: ClassId,
        /// `activity_id` and its member.
        activity: Option<(PathId, i64, EnumId)>,
        /// Line in the mapping.
        line: u32,
    },
    /// Sets an attribute.
    Set(Box<Set>),
    /// Names a value.
    Let(u8, Expr),
    /// First block whose condition holds.
    When(Vec<(Cond, Vec<Op>)>, Vec<Op>),
    /// Block by value.
    Switch(Expr, Keys, Vec<Vec<Op>>, Vec<Op>),
    /// Block by the first pattern that fits.
    Match(Expr, Vec<(Pattern, u32)>, Vec<Vec<Op>>, Vec<Op>),
    /// One object per element.
    Each(Expr, Nest, Vec<Op>),
    /// One object.
    Add(Nest, Vec<Op>),
    /// Reads a text as structure.
    Expand(Slot, Embedded),
    /// Says why a record stays a base event.
    Unclassified(ConstId),
}

/// How an embedded text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Embedded {
    /// JSON
    Json,
    /// key=value
    Kv,
}

/// An assignment.
#[derive(Debug)]
pub struct Set {
    /// What is set.
    pub path: PathId,
    /// Members, if it is an enumeration.
    pub enumeration: Option<EnumId>,
    /// Where new elements are appended: which array of the path, and the path of that array.
    pub append: Option<(u8, PathId)>,
    /// Right side.
    pub value: Expr,
    /// Line in the mapping.
    pub line: u32,
}

/// Where `each` and `add` put their objects.
#[derive(Clone, Copy, Debug)]
pub struct Nest {
    /// The array.
    pub path: PathId,
    /// Which array of the path it is: its index goes there.
    pub depth: u8,
    /// The block reads the record: if nothing of what it reads is there, the object is not either.
    pub needs_source: bool,
    /// Line in the mapping.
    pub line: u32,
}

/// Where a field path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A field of the record.
    Slot(Slot),
    /// What a pattern captured.
    Capture(u8),
    /// What `let` named.
    Local(u8),
    /// The element of `each`.
    Element,
    /// `$index`: the number of the element of `each`, from 0.
    Index,
}

/// A step that is walked while records flow.
#[derive(Debug)]
pub enum Walk {
    /// A key.
    Key(Box<str>),
    /// An element.
    Index(i64),
    /// All elements.
    All,
}

/// A right side.
#[derive(Debug)]
pub enum Expr {
    /// A field.
    Field(Begin, Box<[Walk]>),
    /// A constant text.
    Text(ConstId),
    /// A number.
    Int(i64),
    /// A fraction.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A member of the enumeration it is assigned to.
    Member(i64),
    /// The first that has a value.
    First(Box<[Expr]>),
    /// Nothing, if it is one of these.
    Unless(Box<Expr>, Box<Keys>),
    /// Nothing, unless it holds.
    If(Box<Expr>, Box<Cond>),
    /// Looked up.
    Table(Box<Table>),
    /// Composed.
    Template(Box<[Expr]>),
    /// Computed.
    Call(Function, Box<[Expr]>),
}

/// A table expression.
#[derive(Debug)]
pub struct Table {
    /// What is looked up.
    pub on: Expr,
    /// Keys to numbers of values.
    pub keys: Keys,
    /// Values.
    pub values: Vec<Expr>,
    /// Otherwise.
    pub otherwise: Option<Expr>,
}

/// Constants to numbers: whole numbers and texts by hash, then wildcards in order.
#[derive(Debug, Default)]
pub struct Keys {
    /// Numbers, and texts that are numbers.
    pub ints: HashMap<i64, u32, foldhash::fast::FixedState>,
    /// Texts; in lower case where case does not matter.
    pub texts: HashMap<Box<str>, u32, foldhash::fast::FixedState>,
    /// Wildcards.
    pub globs: Vec<(Box<str>, u32)>,
    /// Whether case matters for `texts`.
    pub exact_case: bool,
}

/// A condition.
#[derive(Debug)]
pub enum Cond {
    /// `x = constant`, `x in (…)`
    In(Expr, Box<Keys>),
    /// `x = y` of two computed values.
    Same(Expr, Expr),
    /// Order of two numbers.
    Order(Expr, Expr, Order),
    /// Wildcard.
    Glob(Expr, Box<str>),
    /// Regular expression.
    Regex(Expr, Box<Regex>),
    /// One of the regular expressions that detection asks of one field, all answered in one pass: number of the set, number in it.
    InSet(Slot, u16, u16),
    /// Some of the constants that detection compares one field with, which is looked up once among all of them: number of the look-up, the
    /// numbers of these constants.
    InKeys(u16, Box<[u32]>),
    /// Pattern.
    Like(Expr, Box<Pattern>),
    /// Has a value.
    Has(Expr),
    /// Is of a kind.
    Is(Expr, Kind),
    /// The record came in this format.
    Format(Format),
    /// All of these.
    All(Box<[Cond]>),
    /// Any of these.
    Any(Box<[Cond]>),
    /// Not this.
    Not(Box<Cond>),
}

/// Orders of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// List.
    List,
    /// Object.
    Object,
    /// Text.
    Text,
    /// Number.
    Number,
    /// Truth value.
    Bool,
}

/// Functions; `docs/mapping.md` says what each does.
#[derive(Debug)]
#[expect(missing_docs, reason = "each variant is the function of that name in docs/mapping.md")]
pub enum Function {
    Lower,
    Upper,
    Trim,
    Basename,
    Dirname,
    Before,
    After,
    AfterLast,
    BeforeLast,
    Split,
    Item,
    Join,
    Count,
    Pairs,
    Lookup,
    Regex(Box<Regex>),
    Ip,
    NotIp,
    IpOf,
    PortOf,
    UrlHost,
    UrlPath,
    UrlQuery,
    UrlScheme,
    UrlPort,
    Hex,
    Base64,
    Int,
    Add,
    Sub,
    Mul,
    Div,
    Time,
    Epoch,
    Filetime,
    Domain,
    Account,
    Json,
    XmlText,
}
