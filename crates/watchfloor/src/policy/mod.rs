//! `watchfloor policy`: what those who write policies want.

mod check;
mod diff;
pub mod load;
mod table;

use std::path::PathBuf;

use watchfloor_policy_proof::{ProofError, Solver};

use crate::{Ended, Usage};

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    match parser.next()? {
        Some(Value(command)) => {
            let Some(options) = Options::read(parser)? else {
                crate::terminal::print(crate::help::POLICY)?;
                return Ok(Ended::Fine);
            };
            match command.to_str() {
                Some("check") => check::run(&options),
                Some("test") => table::run(&options),
                Some("diff") => diff::run(&options),
                _ => Err(Usage(format!(
                    "there is no `watchfloor policy {}`: there are check, test, diff",
                    command.to_string_lossy()
                ))
                .into()),
            }
        }
        None | Some(Long("help") | Short('h')) => {
            crate::terminal::print(crate::help::POLICY)?;
            Ok(Ended::Fine)
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

/// What the person at the command line said.
struct Options {
    paths: Vec<PathBuf>,
    json: bool,
    /// Without a proof there is no answer.
    prove: bool,
    solver: PathBuf,
    past: Option<PathBuf>,
}

impl Options {
    /// None if help was asked for.
    fn read(parser: &mut lexopt::Parser) -> anyhow::Result<Option<Self>> {
        use lexopt::prelude::{Long, Short, Value};
        let mut options =
            Self { paths: Vec::new(), json: false, prove: false, solver: PathBuf::from("cvc5"), past: None };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(None),
                Long("json") => options.json = true,
                Long("prove") => options.prove = true,
                Long("solver") => options.solver = PathBuf::from(parser.value()?),
                Long("past") => options.past = Some(PathBuf::from(parser.value()?)),
                Value(path) => options.paths.push(PathBuf::from(path)),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(options))
    }

    /// The solver, or why there is none.
    fn solver(&self) -> Result<Solver, ProofError> {
        Solver::at(&self.solver)
    }

    /// The paths, at least one.
    fn sets(&self, command: &str) -> anyhow::Result<&[PathBuf]> {
        if self.past.is_some() && command != "diff" {
            return Err(Usage("--past is for `watchfloor policy diff`".to_owned()).into());
        }
        if self.paths.is_empty() {
            return Err(Usage(format!("`watchfloor policy {command}` takes a folder of policies, or a file")).into());
        }
        Ok(&self.paths)
    }
}
