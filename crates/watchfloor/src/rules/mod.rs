//! `watchfloor rules`: what rule writers want.

mod check;
mod coverage;
mod fixtures;
pub mod load;

use crate::{Ended, Usage};

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    match parser.next()? {
        Some(Value(command)) => match command.to_str() {
            Some("check") => check::run(parser),
            Some("coverage") => coverage::run(parser),
            Some("test") => fixtures::run(parser),
            _ => Err(Usage(format!(
                "there is no `watchfloor rules {}`: there are check, coverage, test",
                command.to_string_lossy()
            ))
            .into()),
        },
        None | Some(Long("help") | Short('h')) => {
            crate::terminal::print(crate::help::RULES)?;
            Ok(Ended::Fine)
        }
        Some(other) => Err(other.unexpected().into()),
    }
}
