//! `test`: every check there is, in the order in which they fail fastest. The same here and in CI (`.ci/run`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::place::{cargo, is_installed, program, run, target};
use crate::{goldens, ledger_oracle, oracle, tidy};

/// Closing lines of the test run that are printed again at the very end.
const CLOSING_LINES: usize = 12;

/// A tool that the checks need beyond the toolchain.
struct Tool {
    /// The subcommand of cargo.
    name: &'static str,
    package: &'static str,
    why: &'static str,
}

const NEXTEST: Tool = Tool { name: "nextest", package: "cargo-nextest", why: "runs the tests" };
const DENY: Tool = Tool { name: "deny", package: "cargo-deny", why: "checks licences, bans and sources" };

/// `test`
pub fn test(mut args: lexopt::Parser) -> Result<()> {
    if let Some(arg) = args.next()? {
        return Err(arg.unexpected().into());
    }
    step("toolchain", toolchain)?;
    step("format", || {
        run(&mut cargo(&["fmt", "--all", "--check"]))?;
        // Workspaces of their own.
        run(&mut cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))?;
        run(&mut cargo(&["fmt", "--manifest-path", "rivals/Cargo.toml", "--all", "--check"]))
    })?;
    step("lints", || run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])))?;
    step("build", test_binary)?;
    step("tidy", tidy::check)?;
    step("licences, bans, sources", deny)?;
    step("goldens", goldens_with_test_binary)?;
    step("goldens against the official JSON Schemas", oracle::goldens)?;
    step("a ledger against another implementation", || ledger_oracle::check(&target().join("debug/watchfloor")))?;
    step("solver", solver)?;
    let mut closing = Vec::new();
    step("tests", || {
        closing = nextest()?;
        Ok(())
    })?;
    println!("── all passed");
    for line in closing {
        println!("{line}");
    }
    Ok(())
}

fn step(name: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("── {name}");
    let start = Instant::now();
    check().with_context(|| format!("{name} failed"))?;
    println!("   {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn toolchain() -> Result<()> {
    for (component, args) in [("rustfmt", ["fmt", "--version"]), ("clippy", ["clippy", "--version"])] {
        if !is_installed(&mut cargo(&args)) {
            bail!("{component} is missing: `rustup component add {component}`");
        }
    }
    ready(&NEXTEST)
}

/// Sees to it that a tool is there; installs it beside what is built if it is not.
fn ready(tool: &Tool) -> Result<()> {
    if is_installed(&mut with_tools(cargo(&[tool.name, "--version"]))) {
        return Ok(());
    }
    println!("   {} is missing ({}); installing it to {}", tool.package, tool.why, target().join("tools").display());
    let mut install = cargo(&["install", "--locked", "--quiet", tool.package, "--root"]);
    run(install.arg(target().join("tools")))
        .with_context(|| format!("install it with `cargo install --locked {}`", tool.package))
}

/// The solver that proves policies, from Debian where that works. Tests that need it say so if it is not there.
fn solver() -> Result<()> {
    let is_there = || is_installed(program("cvc5").arg("--version"));
    if is_there() {
        return Ok(());
    }
    println!("   cvc5 is missing (proves policies); trying `apt-get install cvc5`");
    for args in [&["update", "--quiet"][..], &["install", "--yes", "--quiet", "cvc5"]] {
        // Whether it worked is seen below: without a network, Debian or the right to, it does not.
        let _ = program("apt-get").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
    if !is_there() {
        println!("   skipped: cvc5 cannot be installed here; nothing is proved of policies in this run");
    }
    Ok(())
}

/// The command with the tools that were installed here on its path.
fn with_tools(mut command: Command) -> Command {
    let mut folders = vec![target().join("tools/bin")];
    folders.extend(std::env::var_os("PATH").iter().flat_map(|path| std::env::split_paths(path).collect::<Vec<_>>()));
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    command
}

/// Needs no network once the tool is there; without network and tool it is skipped, which is said.
fn deny() -> Result<()> {
    if let Err(error) = ready(&DENY) {
        println!("   skipped: {error:#}");
        return Ok(());
    }
    // It looks at crates for other machines too, which a build does not fetch.
    if let Err(error) = run(&mut cargo(&["fetch", "--quiet"])) {
        println!("   skipped: {error:#}");
        return Ok(());
    }
    run(&mut with_tools(cargo(&["deny", "--offline", "--log-level", "error", "check", "licenses", "bans", "sources"])))
}

/// Builds all tests and the binary that they use, as `nextest` will: to build one package by itself would compile most dependencies twice, as each selection of
/// packages has its own features of them.
pub fn test_binary() -> Result<()> {
    run(&mut cargo(&["test", "--quiet", "--workspace", "--no-run"]))
}

/// With the binary of the tests: the release build would take longer than all tests.
fn goldens_with_test_binary() -> Result<()> {
    goldens::each(&target().join("debug/watchfloor"), &[], true)
}

/// Runs every test, fuzz corpora among them; gives the closing lines of the run.
fn nextest() -> Result<Vec<String>> {
    let color = if std::io::IsTerminal::is_terminal(&std::io::stdout()) { "always" } else { "never" };
    let mut command = with_tools(cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--color", color]));
    let mut child = command.stderr(Stdio::piped()).spawn().context("cannot run cargo nextest")?;
    let mut closing = Vec::new();
    let mut at_summary = false;
    if let Some(stream) = child.stderr.take() {
        for line in BufReader::new(stream).lines() {
            let line = line.context("cannot read what cargo nextest says")?;
            eprintln!("{line}");
            at_summary |= line.contains("Summary [") || line.contains("Summary\u{1b}");
            if at_summary && closing.len() < CLOSING_LINES {
                closing.push(line);
            }
        }
    }
    std::io::stdout().flush()?;
    if !child.wait()?.success() {
        bail!("cargo nextest found failures; one again: `cargo nextest run NAME`");
    }
    Ok(closing)
}

/// Whether the machine has what the house needs; for people who come new to it.
pub fn doctor(mut args: lexopt::Parser) -> Result<()> {
    if let Some(arg) = args.next()? {
        return Err(arg.unexpected().into());
    }
    let table = [
        ("rustc", "--version", "the compiler", "https://rustup.rs"),
        ("cc", "--version", "compiles C parts of dependencies", "Debian: apt install build-essential"),
        ("python3", "--version", "`xtask oracle` only", "Debian: apt install python3-venv"),
        ("cvc5", "--version", "proofs of policies only", "Debian: apt install cvc5"),
    ];
    for (name, arg, why, how) in table {
        let found = is_installed(program(name).arg(arg));
        println!(
            "{:8} {name}: {why}{}",
            if found { "found" } else { "missing" },
            if found { String::new() } else { format!("; {how}") }
        );
    }
    for tool in [&NEXTEST, &DENY] {
        let found = is_installed(&mut with_tools(cargo(&[tool.name, "--version"])));
        let how = format!("; cargo install --locked {}", tool.package);
        println!(
            "{:8} {}: {}{}",
            if found { "found" } else { "missing" },
            tool.package,
            tool.why,
            if found { "" } else { &how }
        );
    }
    Ok(())
}
