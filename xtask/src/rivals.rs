//! `rivals`: our engines beside others. For Sigma rules, on rules and records of the user's: speed first, then where they differ. For policies, on sets and
//! questions that are made: first whether they agree, then speed.

use anyhow::{Result, ensure};

use crate::place::{cargo, run};

/// `rivals --rules DIR… FILE…`, `rivals policy`
pub fn rivals(mut args: lexopt::Parser) -> Result<()> {
    let here = std::env::current_dir()?;
    let words: Vec<_> = args.raw_args()?.collect();
    if words.first().is_some_and(|word| word == "policy") {
        ensure!(words.len() == 1, "`rivals policy` takes nothing else");
        return run(&mut cargo(&["run", "--release", "--manifest-path", "rivals/policy/Cargo.toml"]));
    }
    let mut command = cargo(&["bench", "--manifest-path", "rivals/Cargo.toml", "--bench", "detect", "--"]);
    for word in words {
        // Options stay; paths are the user's, and cargo runs at the root.
        if word == "--rules" {
            command.arg(word);
        } else {
            command.arg(here.join(word));
        }
    }
    run(&mut command)
}
