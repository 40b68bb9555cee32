//! The binary: command line and wiring, nothing else.

mod arguments;
mod attack;
mod audit;
mod bench;
mod decide;
mod detection;
mod help;
mod hunt;
mod normalize;
mod packs;
mod policy;
mod pump;
mod rehearse;
mod rules;
mod simulate;
mod terminal;

use std::process::ExitCode;

/// How a run of a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    /// Nothing to report.
    Fine,
    /// Findings or failures.
    Findings,
    /// What was asked for is not verified.
    CannotVerify,
    /// Refused by policy.
    Refused,
}

/// An error of the person at the command line.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn main() -> ExitCode {
    let mut parser = lexopt::Parser::from_env();
    match run(&mut parser) {
        Ok(Ended::Fine) => ExitCode::SUCCESS,
        Ok(Ended::Findings) => ExitCode::from(1),
        Ok(Ended::Refused) => ExitCode::from(3),
        Ok(Ended::CannotVerify) => ExitCode::from(4),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<Usage>() || error.is::<lexopt::Error>() => {
            terminal::complain(&format!("{error:#}\n\n`watchfloor --help` shows what there is"));
            ExitCode::from(2)
        }
        Err(error) => {
            terminal::complain(&format!("{error:#}"));
            ExitCode::from(1)
        }
    }
}

fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    match parser.next()? {
        None | Some(Long("help") | Short('h')) => terminal::print(help::TOP)?,
        Some(Long("version") | Short('V')) => terminal::print(concat!("watchfloor ", env!("CARGO_PKG_VERSION"), "\n"))?,
        Some(Value(command)) => match command.to_str() {
            Some("normalize") => return normalize::run(parser),
            Some("hunt") => return hunt::run(parser),
            Some("rules") => return rules::run(parser),
            Some("decide") => return decide::run(parser),
            Some("rehearse") => return rehearse::run(parser),
            Some("simulate") => return simulate::run(parser),
            Some("audit") => return audit::run(parser),
            Some("policy") => return policy::run(parser),
            Some("bench") => return bench::run(parser),
            Some("help") => terminal::print(help::TOP)?,
            _ => return Err(Usage(format!("there is no command `{}`", command.to_string_lossy())).into()),
        },
        Some(other) => return Err(other.unexpected().into()),
    }
    Ok(Ended::Fine)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}
