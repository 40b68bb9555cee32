//! `rivals`: our Sigma engine beside others, on rules and records of the user's. Speed first, then where they differ.

use anyhow::Result;

use crate::place::{cargo, run};

/// `rivals --rules DIR… FILE…`
pub fn rivals(mut args: lexopt::Parser) -> Result<()> {
    let here = std::env::current_dir()?;
    let mut command = cargo(&["bench", "--manifest-path", "rivals/Cargo.toml", "--bench", "detect", "--"]);
    for word in args.raw_args()? {
        // Options stay; paths are the user's, and cargo runs at the root.
        if word == "--rules" {
            command.arg(word);
        } else {
            command.arg(here.join(word));
        }
    }
    run(&mut command)
}
