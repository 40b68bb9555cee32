//! Sizes: a function fits a screen, a file five hundred lines. `xtask/ratchet.txt` lists the exceptions, and may only shrink:
//!
//! ```text
//! file PATH LINES
//! fn PATH NAME LINES
//! ```
//!
//! An exception that grew, or that is no longer needed, is a finding; one that shrank is lowered by `cargo xtask tidy --shrink`.
//! Functions that are tests may be longer: they are tables.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use syn::visit::{self, Visit};

use super::Findings;
use super::source::{Source, sources};
use crate::place::root;

/// Most lines of a function, from its signature to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Most lines of a file.
const FILE_LINES_MAX: usize = 500;

const LIST: &str = "xtask/ratchet.txt";

/// Lines by what is too long: `file PATH` or `fn PATH NAME`.
type Sizes = BTreeMap<String, usize>;

pub fn check() -> Result<Findings> {
    Ok(compare(&too_long(&sources()?), &exceptions()?))
}

/// Writes the exceptions anew, none higher than before, none added.
pub fn shrink() -> Result<()> {
    let (found, listed) = (too_long(&sources()?), exceptions()?);
    let mut text = String::from("# Exceptions from the sizes in xtask/src/tidy/ratchet.rs. They may only shrink.\n");
    for (what, limit) in &listed {
        if let Some(lines) = found.get(what) {
            text.push_str(&format!("{what} {}\n", lines.min(limit)));
        }
    }
    std::fs::write(root().join(LIST), text).with_context(|| format!("cannot write {LIST}"))
}

fn compare(found: &Sizes, listed: &Sizes) -> Findings {
    let mut findings = Findings::new();
    for (what, lines) in found {
        match listed.get(what) {
            None => findings.push(format!(
                "{what} has {lines} lines (a function may have {FUNCTION_LINES_MAX}, a file {FILE_LINES_MAX})"
            )),
            Some(limit) if lines > limit => findings.push(format!("{what} has grown from {limit} to {lines} lines")),
            Some(limit) if lines < limit => {
                findings.push(format!(
                    "{what} has shrunk from {limit} to {lines} lines: `cargo xtask tidy --shrink` notes it"
                ));
            }
            Some(_) => {}
        }
    }
    let stale = listed.keys().filter(|what| !found.contains_key(*what));
    findings.extend(
        stale.map(|what| format!("{LIST} excepts {what}, which needs it no longer: `cargo xtask tidy --shrink`")),
    );
    findings
}

fn exceptions() -> Result<Sizes> {
    let text = std::fs::read_to_string(root().join(LIST)).unwrap_or_default();
    let mut listed = Sizes::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((what, lines)) = line.rsplit_once(' ') else { bail!("{LIST}: `{line}` is no exception") };
        let lines = lines.parse().with_context(|| format!("{LIST}: `{line}` does not end with a number"))?;
        listed.insert(what.to_owned(), lines);
    }
    Ok(listed)
}

fn too_long(sources: &[Source]) -> Sizes {
    let mut found = Sizes::new();
    for source in sources {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            found.insert(format!("file {}", source.path), lines);
        }
        let mut functions = Functions { path: &source.path, found: &mut found };
        functions.visit_file(&source.syntax);
    }
    found
}

struct Functions<'s> {
    path: &'s str,
    found: &'s mut Sizes,
}

impl Functions<'_> {
    fn function(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, block: &syn::Block) {
        let is_test = attributes.iter().any(|attribute| attribute.path().is_ident("test"));
        let end = block.brace_token.span.close().end().line;
        let lines = end + 1 - signature.fn_token.span.start().line.min(end);
        if lines > FUNCTION_LINES_MAX && !is_test {
            let size = self.found.entry(format!("fn {} {}", self.path, signature.ident)).or_default();
            *size = lines.max(*size);
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, &item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(text: &str) -> Sizes {
        let syntax = syn::parse_file(text).unwrap();
        too_long(&[Source { path: "a.rs".into(), text: text.into(), syntax }])
    }

    #[test]
    fn functions_are_limited() {
        for (lines, is_long) in
            [(FUNCTION_LINES_MAX - 1, false), (FUNCTION_LINES_MAX, false), (FUNCTION_LINES_MAX + 1, true)]
        {
            let body = "let a = 1;\n".repeat(lines - 2);
            let text = format!("/// Docs do not count.\nfn long() {{\n{body}}}\n");
            assert_eq!(sizes(&text).contains_key("fn a.rs long"), is_long, "{lines}");
            assert!(sizes(&format!("#[test]\n{text}")).is_empty());
        }
    }

    #[test]
    fn files_are_limited() {
        for (lines, is_long) in [(FILE_LINES_MAX - 1, false), (FILE_LINES_MAX, false), (FILE_LINES_MAX + 1, true)] {
            assert_eq!(sizes(&"//\n".repeat(lines)).contains_key("file a.rs"), is_long, "{lines}");
        }
    }

    #[test]
    fn exceptions_only_shrink() {
        let sizes =
            |lines: Option<usize>| -> Sizes { lines.map(|lines| ("file a".to_owned(), lines)).into_iter().collect() };
        let table = [
            (None, None, 0),
            (Some(510), Some(510), 0),
            (Some(510), None, 1),
            (Some(511), Some(510), 1),
            (Some(509), Some(510), 1),
            (None, Some(510), 1),
        ];
        for (found, listed, expected) in table {
            assert_eq!(compare(&sizes(found), &sizes(listed)).len(), expected, "{found:?} {listed:?}");
        }
    }
}
