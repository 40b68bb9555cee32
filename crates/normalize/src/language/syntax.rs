//! The syntax tree of a mapping or names file.

use super::lexer::At;

/// A whole mapping file.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// Kind, such as `windows.sysmon`.
    pub source: String,
    /// What it is, for people.
    pub title: String,
    /// `metadata.product.vendor_name`
    pub vendor: String,
    /// `metadata.product.name`
    pub product: String,
    /// Names of formats.
    pub formats: Vec<(String, At)>,
    /// Names files that this mapping understands.
    pub names: Vec<(String, At)>,
    /// Texts that mean "no value".
    pub absent: Vec<String>,
    /// Alternatives of detection.
    pub detect: Vec<Condition>,
    /// Order of detection.
    pub priority: i64,
    /// The usual longest interval, and what silence means.
    pub silence: Option<Silence>,
    /// Names for columns.
    pub columns: Vec<Columns>,
    /// Wrapper keys.
    pub unwrap: Vec<String>,
    /// Statements.
    pub body: Vec<Statement>,
}

/// What a source's silence means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Seconds; none where silence says nothing.
    pub seconds: Option<u64>,
    /// For people.
    pub meaning: String,
}

/// Names for the positions of a row without a header.
#[derive(Clone, Debug)]
pub struct Columns {
    /// On `c1`, `c2`, …
    pub when: Option<Condition>,
    /// Names; `_` leaves a position as it is.
    pub names: Vec<String>,
}

/// A whole names file.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Its name.
    pub name: String,
    /// When it applies.
    pub applies: Option<Condition>,
    /// The format that a record has by it.
    pub format: Option<(String, At)>,
    /// Name and the paths where it may stand.
    pub fields: Vec<(String, Vec<NamePath>)>,
    /// Paths that end in `*`: where other fields are looked for.
    pub others: Vec<NamePath>,
}

/// A path of a names file: keys, `None` for `*`.
pub type NamePath = Vec<Option<String>>;

/// A statement and where it stands.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Where.
    pub at: At,
    /// What.
    pub kind: StatementKind,
}

/// A block of statements.
pub type Block = Vec<Statement>;

/// The statements.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `class name : Activity`
    Class {
        /// Schema name.
        name: String,
        /// Caption of the activity.
        activity: Option<String>,
    },
    /// `target = expression`
    Set {
        /// Left side.
        target: Target,
        /// Right side.
        value: Expression,
    },
    /// `let name = expression`
    Let {
        /// Name.
        name: String,
        /// Value.
        value: Expression,
    },
    /// `when … else when … else …`
    When {
        /// Conditions and blocks in order.
        arms: Vec<(Condition, Block)>,
        /// Otherwise.
        otherwise: Block,
    },
    /// `switch expression { keys { … } }`
    Switch {
        /// What is compared.
        on: Expression,
        /// Keys and blocks.
        arms: Vec<(Vec<Literal>, Block)>,
        /// Otherwise.
        otherwise: Block,
    },
    /// `match expression { patterns { … } }`
    Match {
        /// What is read.
        on: Expression,
        /// Patterns and blocks.
        arms: Vec<(Vec<(String, At)>, Block)>,
        /// Otherwise.
        otherwise: Block,
    },
    /// `each list -> target { … }`
    Each {
        /// The list.
        list: Expression,
        /// Array the objects go to.
        target: Target,
        /// Statements with relative targets.
        body: Block,
    },
    /// `add target { … }`
    Add {
        /// Array the object goes to.
        target: Target,
        /// Statements with relative targets.
        body: Block,
    },
    /// `expand field as json`
    Expand {
        /// The field.
        field: Field,
        /// `json` or `kv`
        format: String,
    },
    /// `unclassified "reason"`
    Unclassified(String),
}

/// An attribute path on the left side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub at: At,
    /// Attribute names, and whether `[]` follows.
    pub steps: Vec<(String, bool)>,
}

/// Where a field path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The record.
    Record,
    /// `%name`
    Capture(String),
    /// `$name`
    Local(String),
    /// `.`, the element of `each`.
    Element,
}

/// One step of a field path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key.
    Key(String),
    /// `[n]`
    Index(i64),
    /// `[*]`
    All,
}

/// A field path on the right side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where.
    pub at: At,
    /// Where the path begins.
    pub origin: Origin,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A constant in lists, tables and switches.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A string or bare word.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A fraction.
    Float(f64),
    /// `true`, `false`
    Bool(bool),
}

/// Right sides.
#[derive(Clone, Debug)]
pub enum Expression {
    /// A field.
    Field(Field),
    /// A constant.
    Literal(Literal),
    /// `@Member`
    Member(String, At),
    /// `a | b`
    First(Vec<Expression>),
    /// `x unless "v"`
    Unless(Box<Expression>, Vec<Literal>),
    /// `x if COND`
    If(Box<Expression>, Box<Condition>),
    /// `x { k => v; else => w }`
    Table {
        /// What is looked up.
        on: Box<Expression>,
        /// Keys and values.
        arms: Vec<(Vec<Literal>, Expression)>,
        /// Otherwise.
        otherwise: Option<Box<Expression>>,
    },
    /// `"{a}\\{b}"`
    Template(Vec<Piece>),
    /// `function(…)`
    Call {
        /// Name.
        name: String,
        /// Where.
        at: At,
        /// Arguments.
        arguments: Vec<Expression>,
    },
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Text.
    Text(String),
    /// A value.
    Value(Expression),
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Conditions.
#[derive(Clone, Debug)]
pub enum Condition {
    /// `x = v`
    Compare(Compare, Expression, Expression),
    /// `x in (…)`
    In(Expression, Vec<Literal>),
    /// `x ~ "glob"`
    Glob(Expression, String),
    /// `x =~ "regex"`
    Regex(Expression, String, At),
    /// `has(x)`
    Has(Expression),
    /// `is(x, "list")`
    Is(Expression, String, At),
    /// `x like "pattern"`
    Like(Expression, String, At),
    /// `format = "json"`
    Format(String, At),
    /// `a and b`
    All(Vec<Condition>),
    /// `a or b`
    Any(Vec<Condition>),
    /// `not a`
    Not(Box<Condition>),
}
