//! `tidy`: what the house demands of itself and no compiler checks. Each check gives its findings as lines; none means tidy.

mod crates;
mod packs;
mod prose;
mod ratchet;
mod source;

use anyhow::{Result, bail};

type Findings = Vec<String>;
type Check = fn() -> Result<Findings>;

/// `tidy [--shrink]`
pub fn tidy(mut args: lexopt::Parser) -> Result<()> {
    let mut shrink = false;
    while let Some(arg) = args.next()? {
        match arg {
            lexopt::Arg::Long("shrink") => shrink = true,
            other => return Err(other.unexpected().into()),
        }
    }
    if shrink {
        return ratchet::shrink();
    }
    check()
}

/// Every check; prints what they find.
pub fn check() -> Result<()> {
    let checks: [(&str, Check); 8] = [
        ("crate graph", crates::graph),
        ("dependencies", crates::dependencies),
        ("sizes", ratchet::check),
        ("sources", source::check),
        ("links", prose::links),
        ("commands", prose::commands),
        ("changelog", prose::changelog),
        ("packs", packs::check),
    ];
    let mut count = 0;
    for (name, check) in checks {
        // A check that cannot run must not hide what the others find.
        let findings = check().unwrap_or_else(|error| vec![format!("{error:#}")]);
        for finding in &findings {
            eprintln!("{name}: {finding}");
        }
        count += findings.len();
    }
    if count > 0 {
        bail!("tidy: {count} findings");
    }
    println!("tidy: 8 checks, nothing found");
    Ok(())
}
