//! `watchfloor audit key`: makes a signing key.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use lexopt::ValueExt as _;
use watchfloor_ledger::Signer;

use super::{due, help};
use crate::{Ended, Usage};

/// Runs the command: the signing key goes to a new file that only its owner can read, the verifier key to standard output.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short};
    let (mut name, mut output) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return help(),
            Long("name") => name = Some(parser.value()?.string()?),
            Long("output") => output = Some(PathBuf::from(parser.value()?)),
            other => return Err(other.unexpected().into()),
        }
    }
    let what = "`watchfloor audit key` takes --name ORIGIN and --output FILE";
    let (name, output) = (due(name, what)?, due(output, what)?);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("the machine gives no random numbers: {error}"))?;
    let signer = Signer::new(&name, &seed).map_err(|error| Usage(format!("--name {name}: {error}")))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&output).with_context(|| format!("cannot make {}", output.display()))?;
    writeln!(file, "{}", signer.secret()).and_then(|()| file.sync_all())?;
    crate::terminal::print(&format!("{}\n", signer.verifier()))?;
    Ok(Ended::Fine)
}
