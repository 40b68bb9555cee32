//! Right sides.

use super::scope::Scope;
use crate::language::syntax::{Expression, Field, Literal, Origin, Piece, Step};
use crate::language::{At, Fault};
use crate::plan::{Begin, Expr, Function, Keys, Table, Walk};

impl Scope<'_> {
    /// Compiles a right side; `target` is the attribute it goes to, for `@Member`.
    pub(super) fn expression(&mut self, expression: &Expression, target: Option<&[&str]>) -> Result<Expr, Fault> {
        Ok(match expression {
            Expression::Field(field) => self.field(field)?,
            Expression::Literal(Literal::Text(text)) => self.constant(text),
            Expression::Literal(Literal::Int(number)) => Expr::Int(*number),
            Expression::Literal(Literal::Float(number)) => Expr::Float(*number),
            Expression::Literal(Literal::Bool(value)) => Expr::Bool(*value),
            Expression::Member(caption, at) => match target {
                Some(steps) => self.enum_member(steps, caption, *at)?,
                // In a `let` the enumeration is not known yet: the caption is looked up where it is assigned.
                None => self.constant(caption),
            },
            Expression::First(all) => {
                let all: Result<Vec<_>, Fault> = all.iter().map(|one| self.expression(one, target)).collect();
                Expr::First(all?.into())
            }
            Expression::Unless(value, literals) => {
                let mut keys = Keys { exact_case: true, ..Keys::default() };
                literals.iter().for_each(|literal| keys.add(literal, 0));
                Expr::Unless(Box::new(self.expression(value, target)?), Box::new(keys))
            }
            Expression::If(value, condition) => {
                let value = self.expression(value, target)?;
                Expr::If(Box::new(value), Box::new(self.condition(condition)?))
            }
            Expression::Table { on, arms, otherwise } => {
                let on = self.expression(on, None)?;
                let mut table = Table { on, keys: Keys::default(), values: Vec::new(), otherwise: None };
                for (number, (literals, value)) in arms.iter().enumerate() {
                    literals.iter().for_each(|literal| table.keys.add(literal, number as u32));
                    table.values.push(self.expression(value, target)?);
                }
                table.otherwise = otherwise.as_deref().map(|value| self.expression(value, target)).transpose()?;
                Expr::Table(Box::new(table))
            }
            Expression::Template(pieces) => {
                let pieces: Result<Vec<_>, Fault> = pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Text(text) => Ok(self.constant(text)),
                        Piece::Value(value) => self.expression(value, None),
                    })
                    .collect();
                Expr::Template(pieces?.into())
            }
            Expression::Call { name, at, arguments } => self.call(name, *at, arguments, target)?,
        })
    }

    fn enum_member(&mut self, steps: &[&str], caption: &str, at: At) -> Result<Expr, Fault> {
        if let Ok((_, leaf)) = self.attribute(steps, at)
            && let Some(id) = leaf.enumeration
            && self.library.schema.enumeration(id).is_text()
        {
            let enumeration = self.library.schema.enumeration(id);
            let Some(text) = enumeration.text_by_caption(caption).map(str::to_owned) else {
                return Err(Fault::new(at, format!("`{}` has no member `@{caption}`", steps.join("."))));
            };
            return Ok(self.constant(&text));
        }
        Ok(Expr::Member(self.member(steps, caption, at)?.0))
    }

    fn field(&mut self, field: &Field) -> Result<Expr, Fault> {
        let mut steps = field.steps.iter().peekable();
        let begin = match &field.origin {
            Origin::Record => {
                let mut path = Vec::new();
                while let Some(Step::Key(key)) = steps.peek() {
                    path.push(key.clone());
                    steps.next();
                }
                Begin::Slot(self.slot(&path))
            }
            Origin::Capture(name) => match self.captures.iter().position(|known| known == name) {
                Some(number) => Begin::Capture(number as u8),
                None => return Err(Fault::new(field.at, format!("no pattern before this captures `%{name}`"))),
            },
            Origin::Local(name) if name == "index" && self.in_element && !self.locals.contains(name) => Begin::Index,
            Origin::Local(name) => match self.locals.iter().position(|known| known == name) {
                Some(number) => Begin::Local(number as u8),
                None => return Err(Fault::new(field.at, format!("no `let` before this names `${name}`"))),
            },
            Origin::Element if self.in_element => Begin::Element,
            Origin::Element => {
                return Err(Fault::new(field.at, "`.` is the element of `each`, and this is not inside one"));
            }
        };
        let walk = steps.map(|step| match step {
            Step::Key(key) => Walk::Key(key.as_str().into()),
            Step::Index(index) => Walk::Index(*index),
            Step::All => Walk::All,
        });
        Ok(Expr::Field(begin, walk.collect()))
    }

    fn call(&mut self, name: &str, at: At, arguments: &[Expression], target: Option<&[&str]>) -> Result<Expr, Fault> {
        let Some((_, fewest, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name).copied() else {
            let all = FUNCTIONS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ");
            return Err(Fault::new(at, format!("there is no function `{name}`; there are {all}")));
        };
        if arguments.len() < fewest || arguments.len() > most {
            let wanted = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
            return Err(Fault::new(at, format!("`{name}` takes {wanted} arguments, not {}", arguments.len())));
        }
        if name == "regex" {
            let Some(Expression::Literal(Literal::Text(pattern))) = arguments.get(1) else {
                return Err(Fault::new(at, "the second argument of `regex` is a string"));
            };
            let regex = self.regex(pattern, at)?;
            let value = arguments.first().map(|value| self.expression(value, None)).transpose()?;
            return Ok(Expr::Call(Function::Regex(Box::new(regex)), value.into_iter().collect()));
        }
        let compiled: Result<Vec<_>, Fault> = arguments.iter().map(|value| self.expression(value, target)).collect();
        let function = function(name).ok_or_else(|| Fault::new(at, format!("there is no function `{name}`")))?;
        Ok(Expr::Call(function, compiled?.into()))
    }

    pub(super) fn regex(&self, pattern: &str, at: At) -> Result<regex::Regex, Fault> {
        // `\\d`, `\\w`, `\\b` mean ASCII, which logs are written in and which is several times faster; a pattern that then could match
        // half a character (`.`, `[^,]`) is read with Unicode.
        let build = |unicode| regex::RegexBuilder::new(pattern).unicode(unicode).size_limit(REGEX_BYTES_MAX).build();
        build(false)
            .or_else(|_| build(true))
            .map_err(|error| Fault::new(at, format!("this regular expression cannot be read: {error}")))
    }
}

/// Largest compiled regular expression, in bytes.
const REGEX_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Name, fewest and most arguments.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("lower", 1, 1),
    ("upper", 1, 1),
    ("trim", 1, 2),
    ("basename", 1, 1),
    ("dirname", 1, 1),
    ("before", 2, 2),
    ("after", 2, 2),
    ("after_last", 2, 2),
    ("before_last", 2, 2),
    ("split", 2, 2),
    ("item", 2, 2),
    ("join", 2, 2),
    ("count", 1, 1),
    ("pairs", 1, 3),
    ("lookup", 4, 4),
    ("regex", 2, 2),
    ("ip", 1, 1),
    ("not_ip", 1, 1),
    ("ip_of", 1, 1),
    ("port_of", 1, 1),
    ("url_host", 1, 1),
    ("url_path", 1, 1),
    ("url_query", 1, 1),
    ("url_scheme", 1, 1),
    ("url_port", 1, 1),
    ("hex", 1, 1),
    ("base64", 1, 1),
    ("int", 1, 1),
    ("add", 2, 2),
    ("sub", 2, 2),
    ("mul", 2, 2),
    ("div", 2, 2),
    ("time", 1, 2),
    ("epoch", 2, 2),
    ("filetime", 1, 1),
    ("domain", 1, 1),
    ("account", 1, 1),
    ("json", 1, 1),
    ("xml_text", 1, 1),
];

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "lower" => Function::Lower,
        "upper" => Function::Upper,
        "trim" => Function::Trim,
        "basename" => Function::Basename,
        "dirname" => Function::Dirname,
        "before" => Function::Before,
        "after" => Function::After,
        "after_last" => Function::AfterLast,
        "before_last" => Function::BeforeLast,
        "split" => Function::Split,
        "item" => Function::Item,
        "join" => Function::Join,
        "count" => Function::Count,
        "pairs" => Function::Pairs,
        "lookup" => Function::Lookup,
        "ip" => Function::Ip,
        "not_ip" => Function::NotIp,
        "ip_of" => Function::IpOf,
        "port_of" => Function::PortOf,
        "url_host" => Function::UrlHost,
        "url_path" => Function::UrlPath,
        "url_query" => Function::UrlQuery,
        "url_scheme" => Function::UrlScheme,
        "url_port" => Function::UrlPort,
        "hex" => Function::Hex,
        "base64" => Function::Base64,
        "int" => Function::Int,
        "add" => Function::Add,
        "sub" => Function::Sub,
        "mul" => Function::Mul,
        "div" => Function::Div,
        "time" => Function::Time,
        "epoch" => Function::Epoch,
        "filetime" => Function::Filetime,
        "domain" => Function::Domain,
        "account" => Function::Account,
        "json" => Function::Json,
        "xml_text" => Function::XmlText,
        _ => return None,
    })
}
