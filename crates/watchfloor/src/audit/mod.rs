//! `watchfloor audit`: the ledger from a terminal, without a server.

mod append;
mod autonomy;
mod boundary;
mod export;
mod key;
mod replay;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use watchfloor_ledger::Signer;
use watchfloor_store::{Folder, LedgerFiles, OpenError, Settings};
use watchfloor_verify::VerifierKey;

use crate::{Ended, Usage};

/// Most bytes of a key, a checkpoint or a line that is read.
const SMALL_BYTES_MAX: u64 = 64 * 1024;

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    match parser.next()? {
        Some(Value(command)) => match command.to_str() {
            Some("verify") => verify::run(parser),
            Some("checkpoint") => checkpoint(parser),
            Some("export") => export::run(parser),
            Some("append") => append::run(parser),
            Some("key") => key::run(parser),
            Some("boundary") => boundary::run(parser),
            Some("autonomy") => autonomy::run(parser),
            Some("replay") => replay::run(parser),
            _ => Err(Usage(format!(
                "there is no `watchfloor audit {}`: there are verify, checkpoint, export, append, key, replay, autonomy, boundary",
                command.to_string_lossy()
            ))
            .into()),
        },
        None | Some(Long("help") | Short('h')) => help(),
        Some(other) => Err(other.unexpected().into()),
    }
}

fn help() -> anyhow::Result<Ended> {
    crate::terminal::print(crate::help::AUDIT)?;
    Ok(Ended::Fine)
}

/// `watchfloor audit checkpoint DIR --key-file FILE`
fn checkpoint(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let (mut folder, mut key) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return help(),
            Long("key-file") => key = Some(PathBuf::from(parser.value()?)),
            Value(value) if folder.is_none() => folder = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let folder = due(folder, "`watchfloor audit checkpoint` takes the folder of a ledger")?;
    let Some(key) = key else {
        let note = small(&folder.join("checkpoint")).context("there is no checkpoint yet: --key-file signs one")?;
        crate::terminal::print(&String::from_utf8_lossy(&note))?;
        return Ok(Ended::Fine);
    };
    let signer = signer(&key)?;
    existing(&folder)?;
    let ledger = open(&folder, std::slice::from_ref(signer.verifier()))?;
    crate::terminal::print(&ledger.checkpoint(&signer)?)?;
    Ok(Ended::Fine)
}

/// What an argument must be there for.
fn due<T>(value: Option<T>, what: &str) -> anyhow::Result<T> {
    value.ok_or_else(|| Usage(what.to_owned()).into())
}

/// Fails if there is no ledger: to ask after one must not make one.
fn existing(folder: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(folder.join("journal").is_dir(), "{} is no ledger that can be written to", folder.display());
    Ok(())
}

/// A ledger, or what was exported of one, to read from; fails if there is none.
fn reading(folder: &Path) -> anyhow::Result<Folder> {
    let is_one = folder.join("journal").is_dir() || folder.join("checkpoint").is_file();
    anyhow::ensure!(is_one, "{} is no folder of a ledger", folder.display());
    Ok(Folder::reading(folder))
}

/// Opens a ledger for writing.
pub fn open(folder: &Path, keys: &[VerifierKey]) -> anyhow::Result<LedgerFiles<Folder>> {
    let disk = Folder::writing(folder).map_err(OpenError::Io);
    let ledger = disk.and_then(|disk| LedgerFiles::open(disk, keys, Settings::default()));
    ledger.map_err(|error| anyhow::anyhow!("{}: {error} ({})", folder.display(), error.code()))
}

/// A file that cannot be large.
fn small(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(SMALL_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(bytes.len() as u64 <= SMALL_BYTES_MAX, "{} has more than {SMALL_BYTES_MAX} bytes", path.display());
    Ok(bytes)
}

fn signer(path: &Path) -> anyhow::Result<Signer> {
    let text = String::from_utf8(small(path)?).ok().with_context(|| format!("{} is no signing key", path.display()))?;
    Signer::parse(&text).with_context(|| format!("cannot use {}", path.display()))
}

/// A verifier key as it is written, or the file that it stands in.
fn verifier(text: &str) -> anyhow::Result<VerifierKey> {
    let key = match VerifierKey::parse(text) {
        Ok(key) => Ok(key),
        Err(_) if Path::new(text).is_file() => {
            VerifierKey::parse(String::from_utf8_lossy(&small(Path::new(text))?).trim_end())
        }
        Err(error) => Err(error),
    };
    key.map_err(|error| Usage(format!("--key {text}: {error}")).into())
}
