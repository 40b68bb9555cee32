//! What is written: links lead somewhere, commands that are named exist, a change has its fragment.

use std::path::Path;

use anyhow::{Context, Result};

use super::Findings;
use crate::place::{files, output, program, relative, root, target};
use crate::test::test_binary;

struct Page {
    path: String,
    text: String,
}

/// Every Markdown page of ours.
fn pages() -> Result<Vec<Page>> {
    let mut found = Vec::new();
    for path in files(&root())?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let path = relative(&path);
        // Samples are what other programs wrote.
        if !path.contains("/samples/") {
            found.push(Page { path, text });
        }
    }
    Ok(found)
}

pub fn links() -> Result<Findings> {
    let mut findings = Findings::new();
    for page in pages()? {
        let folder = root().join(&page.path);
        let folder = folder.parent().unwrap_or(Path::new("."));
        for (line, link) in links_of(&page.text) {
            if !folder.join(&link).exists() {
                findings.push(format!("{}:{line}: there is no {link}", page.path));
            }
        }
    }
    Ok(findings)
}

/// The files a page links to, with their line.
fn links_of(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, prose) in prose_lines(text) {
        for part in prose.split("](").skip(1) {
            let link = part.split([')', '#', ' ']).next().unwrap_or_default();
            if !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:") {
                found.push((line, link.to_owned()));
            }
        }
    }
    found
}

/// Lines outside of fenced code, with what stands in backticks left out.
fn prose_lines(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.push((at + 1, line.split('`').step_by(2).collect::<Vec<_>>().join("`")));
        }
    }
    found
}

pub fn commands() -> Result<Findings> {
    let mut named = Vec::new();
    for page in pages()? {
        named.extend(commands_of(&page.text).into_iter().map(|(line, word)| (format!("{}:{line}", page.path), word)));
    }
    if named.is_empty() {
        return Ok(Findings::new());
    }
    test_binary()?;
    let help = output(program(target().join("debug/watchfloor")).arg("--help"))?;
    let known: Vec<&str> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let unbuilt = named.into_iter().filter(|(_, word)| !known.contains(&word.as_str()));
    Ok(unbuilt.map(|(place, word)| format!("{place}: `watchfloor {word}` is not in `watchfloor --help`")).collect())
}

/// The subcommands that a page names in code, with their line.
fn commands_of(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let code: Vec<&str> = if fenced { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for code in code {
            for (start, _) in code.match_indices("watchfloor ") {
                let before = code.get(..start).unwrap_or_default();
                let is_program = before.is_empty() || before.ends_with([' ', '/', '$', '(']);
                let word: String = code
                    .get(start + "watchfloor ".len()..)
                    .unwrap_or_default()
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                    .collect();
                if is_program && !word.is_empty() && !word.starts_with('-') {
                    found.push((at + 1, word));
                }
            }
        }
    }
    found
}

pub fn changelog() -> Result<Findings> {
    let folder = root().join("changelog.d");
    let fragments = if folder.exists() { files(&folder)? } else { Vec::new() };
    let mut findings = Findings::new();
    let mut count = 0;
    for path in fragments.iter().filter(|path| path.extension().is_some_and(|end| end == "md")) {
        count += 1;
        if std::fs::read_to_string(path).is_ok_and(|text| text.trim().is_empty()) {
            findings.push(format!("{} is empty", relative(path)));
        }
    }
    if count == 0 {
        findings.push("changelog.d has no fragment (`changelog.d/NAME.md`, a sentence for users)".into());
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found() {
        let table: [(&str, &[&str]); 5] = [
            ("see [a](docs/a.md#part) and [b](../b.md)", &["docs/a.md", "../b.md"]),
            ("[c](https://example.com) [d](#part) [e](mailto:x@y.z)", &[]),
            ("`[f](none.md)`", &[]),
            ("```\n[g](none.md)\n```\n[h](h.md)", &["h.md"]),
            ("no link (a.md)", &[]),
        ];
        for (text, expected) in table {
            let found: Vec<String> = links_of(text).into_iter().map(|(_, link)| link).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn commands_are_found() {
        let table: [(&str, &[&str]); 6] = [
            ("run `watchfloor normalize FILE`", &["normalize"]),
            ("run watchfloor nothing", &[]),
            (
                "```\n$ target/release/watchfloor bench normalize\nwatchfloor hunt x | watchfloor up\n```",
                &["bench", "hunt", "up"],
            ),
            ("`watchfloor --help`", &[]),
            ("`cargo run -p watchfloor -- x`", &[]),
            ("`/etc/watchfloor conf`", &["conf"]),
        ];
        for (text, expected) in table {
            let found: Vec<String> = commands_of(text).into_iter().map(|(_, word)| word).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
