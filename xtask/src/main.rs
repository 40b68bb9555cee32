//! The house's own tools and checks: `cargo xtask COMMAND`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod demo;
mod fuzz;
mod goldens;
mod ledger_oracle;
mod mutants;
mod ocsf_table;
mod oracle;
mod place;
#[path = "../../crates/ocsf/src/reading.rs"]
mod reading;
mod rivals;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
usage: cargo xtask COMMAND

  demo                                  build the release binary and normalise the bundled samples
  test                                  every check: format, lints, tidy, licences, goldens, tests
  tidy [--shrink]                       crate graph, sizes, docs, links, packs; --shrink lowers the exceptions from the sizes
  goldens [--check] [KIND…]             write (or compare) the events that the packs' samples become
  oracle FILE.jsonl…                    validate events with the official JSON Schemas (python3)
  oracle --agree                        compare our validator with the official JSON Schemas on made events
  ledger-oracle                         have another implementation (PyPI) check a ledger of ours
  ocsf-table --schema FILE --out FILE   make a table of facts from a compiled OCSF schema
  judge [PAIRS]                         compare the compiled rules with a judge of obvious code (10,000,000 pairs of rule and event)
  fuzz [TARGET] [SECONDS]               run the fuzz targets (all, 60 seconds each)
  rivals --rules DIR… FILE…             our Sigma engine beside others: speed, and where they differ
  rivals policy                         our policies beside another engine: whether they agree, and speed
  doctor                                say what this machine lacks for the above

example: cargo xtask ocsf-table --schema ocsf-1.8.0.json --out crates/ocsf/schema/1.8.0.tsv
";

fn main() -> ExitCode {
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Result<()> {
    let mut args = lexopt::Parser::from_env();
    let Some(lexopt::Arg::Value(command)) = args.next()? else {
        print!("{HELP}");
        return Ok(());
    };
    match command.to_str() {
        Some("demo") => demo::demo(args),
        Some("test") => test::test(args),
        Some("tidy") => tidy::tidy(args),
        Some("goldens") => goldens::goldens(args),
        Some("oracle") => oracle::oracle(args),
        Some("ledger-oracle") => ledger_oracle::ledger_oracle(args),
        Some("ocsf-table") => ocsf_table::ocsf_table(args),
        Some("judge") => judge(args),
        Some("fuzz") => fuzz::fuzz(args),
        Some("rivals") => rivals::rivals(args),
        Some("doctor") => test::doctor(args),
        _ => bail!("unknown command {}; `cargo xtask --help` lists them", command.display()),
    }
}

/// `judge`
fn judge(mut args: lexopt::Parser) -> Result<()> {
    let pairs = match args.next()? {
        Some(lexopt::Arg::Value(pairs)) => pairs.to_string_lossy().into_owned(),
        Some(other) => return Err(other.unexpected().into()),
        None => "10000000".to_owned(),
    };
    let arguments = ["test", "--package", "watchfloor-detect", "--test", "judge", "--", "--nocapture"];
    place::run(place::cargo(&arguments).env("WATCHFLOOR_PAIRS", pairs))
}
