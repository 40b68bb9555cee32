//! The mapping language as text: tokens, syntax tree, parser. It knows neither schema nor events; `docs/mapping.md` is its
//! specification. Every error names line and column, and [`Fault::render`] shows the line.

mod conditions;
mod expressions;
mod head;
mod lexer;
mod parser;
pub mod syntax;

pub use lexer::{At, Fault};
pub use parser::{parse_mapping, parse_names};

/// The first place of a file, for what is missing as a whole.
#[must_use]
pub fn at_start() -> At {
    At { line: 1, column: 1 }
}

/// A field of the record with a single key.
#[must_use]
pub fn plain_field(key: &str) -> syntax::Field {
    syntax::Field { at: at_start(), origin: syntax::Origin::Record, steps: vec![syntax::Step::Key(key.to_owned())] }
}
