//! The second opinion on events: the JSON Schemas of PyPI's `ocsf-json-schema`, run by `xtask/oracle/validate.py`.
//!
//! - `oracle FILE…` validates JSON lines.
//! - `oracle --agree` makes valid events of every class of every version, and mutants of them, and compares what the house's own
//!   validator and the JSON Schemas say of each, and of what events of 1.8 become when they are exported. They must say the same.
//!
//! Needs `python3` with `venv`, and once the package registry: the packages go to `target/oracle-venv`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use watchfloor_ocsf::{ProblemKind, Schema, Version, export, specimen, validate};

use crate::mutants::{Dice, mutate};
use crate::place::{output, program, root, run, target};
use crate::reading::read;

const PACKAGES: [&str; 2] = ["ocsf-json-schema==1.2.0", "jsonschema-rs==0.60.3"];
/// Specimens of each class, and mutants of each specimen, that `--agree` makes.
const SPECIMENS: u64 = 12;
const MUTANTS: u64 = 20;
/// Disagreements that are printed.
const SHOWN: usize = 20;

/// `oracle [--agree] FILE…`
pub fn oracle(mut args: lexopt::Parser) -> Result<()> {
    let (mut agree, mut files) = (false, Vec::new());
    while let Some(arg) = args.next()? {
        match arg {
            lexopt::Arg::Long("agree") => agree = true,
            lexopt::Arg::Value(file) => files.push(std::path::absolute(PathBuf::from(file))?),
            other => return Err(other.unexpected().into()),
        }
    }
    if !agree && files.is_empty() {
        bail!("usage: cargo xtask oracle FILE.jsonl… | cargo xtask oracle --agree");
    }
    let python = python()?;
    if !files.is_empty() {
        run(program(&python).arg(script()).args(files))?;
    }
    if agree { agreement(&python) } else { Ok(()) }
}

/// Every golden against the official JSON Schemas. Skipped, which is said, where the packages cannot be installed.
pub fn goldens() -> Result<()> {
    let python = match python() {
        Ok(python) => python,
        Err(error) => {
            println!("   skipped: {error:#}");
            return Ok(());
        }
    };
    let mut files = Vec::new();
    for kind in std::fs::read_dir(root().join("packs/sources"))? {
        let Ok(goldens) = std::fs::read_dir(kind?.path().join("golden")) else { continue };
        for golden in goldens {
            files.push(golden?.path());
        }
    }
    files.sort();
    run(program(&python).arg(script()).args(files))
}

fn script() -> PathBuf {
    root().join("xtask/oracle/validate.py")
}

/// The virtual environment's interpreter; made where it is missing.
fn python() -> Result<PathBuf> {
    let home = target().join("oracle-venv");
    environment(&home, Path::new("python3"), &PACKAGES)?;
    Ok(home.join("bin/python"))
}

/// Makes a virtual environment with these packages, where it is missing.
pub fn environment(home: &Path, interpreter: &Path, packages: &[&str]) -> Result<()> {
    let marker = home.join("packages");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    eprintln!("making {} ({})", home.display(), packages.join(", "));
    run(program(interpreter).args(["-m", "venv"]).arg(home))
        .context("python3 with venv is needed (Debian: python3-venv)")?;
    let mut install = program(home.join("bin/python"));
    run(install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(&marker, wanted).with_context(|| format!("cannot write {}", marker.display()))
}

fn agreement(python: &Path) -> Result<()> {
    let mut disagreements = 0;
    for version in Version::ALL {
        let mut lines = events(Schema::version(version))?;
        lines.extend(exports(version)?);
        let folder = target().join("oracle");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.jsonl", version.as_str()));
        let mut file = std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        file.write_all(lines.join("\n").as_bytes())?;
        disagreements += compare(python, version, &path, &lines)?;
    }
    if disagreements > 0 {
        bail!("{disagreements} disagreements");
    }
    Ok(())
}

fn events(schema: &Schema) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (id, class) in schema.classes() {
        for seed in 0..SPECIMENS {
            let text = specimen(schema, id, seed);
            let event: Value = serde_json::from_str(&text)?;
            lines.push(text);
            for mutant in 0..MUTANTS {
                let mut dice = Dice::new(u64::from(class.uid) * 1_000 + seed * MUTANTS + mutant);
                let mut event = event.clone();
                mutate(&mut event, &mut dice);
                lines.push(event.to_string());
            }
        }
    }
    Ok(lines)
}

/// Events of the version that events are made as, and mutants of them, exported to this one. Every export must be valid; only a mutant
/// may be refused.
fn exports(to: Version) -> Result<Vec<String>> {
    let (from, to) = (Schema::v1_8(), Schema::version(to));
    let events = events(from)?;
    let (mut lines, mut refused) = (Vec::new(), 0);
    for event in &events {
        let (doc, mut line) = (read(event)?, String::new());
        let outcome = export(from, to, &doc, &mut line, &mut Vec::new());
        if outcome.is_err() && validate(from, &doc).is_empty() {
            bail!("a valid event cannot be exported: {event}");
        }
        if outcome.is_err() {
            refused += 1;
            continue;
        }
        if let Some(problem) = validate(to, &read(&line)?).first() {
            bail!("an export is not valid: {problem}\n{event}\n{line}");
        }
        lines.push(line);
    }
    println!("{}: {} exports, {refused} mutants refused", to.version_text(), lines.len());
    Ok(lines)
}

/// Prints where the two differ, and gives the number of events of which they do.
fn compare(python: &Path, version: Version, path: &Path, lines: &[String]) -> Result<usize> {
    let mut command = program(python);
    command.arg("-c").arg("import runpy, sys; sys.argv = sys.argv[1:]\ntry: runpy.run_path(sys.argv[0], run_name='__main__')\nexcept SystemExit: pass");
    let verdicts = output(command.arg(script()).arg("--each").arg(path))?;
    let (mut differ, mut invalid, mut seen) = (0, 0, 0);
    for (line, verdict) in lines.iter().zip(verdicts.lines()) {
        seen += 1;
        let verdict: Value = serde_json::from_str(verdict).context("the oracle's answer is no JSON")?;
        let theirs = verdict.get("valid") == Some(&Value::Bool(true));
        let problems = validate(Schema::version(version), &read(line)?);
        let counted = |kind: ProblemKind| kind.is_structural() || kind == ProblemKind::Version;
        let mine = !problems.iter().any(|problem| counted(problem.what));
        invalid += usize::from(!theirs);
        if mine != theirs {
            differ += 1;
            if differ <= SHOWN {
                let why = verdict.get("why").and_then(Value::as_str).unwrap_or("valid");
                let first = problems.iter().find(|problem| counted(problem.what)).map(ToString::to_string);
                println!("line {seen}: ours: {}; theirs: {why}", first.as_deref().unwrap_or("valid"));
            }
        }
    }
    if seen != lines.len() {
        bail!("the oracle answered to {seen} of {} events", lines.len());
    }
    println!("{}: {seen} events, {invalid} invalid, {differ} disagreements", version.as_str());
    Ok(differ)
}
