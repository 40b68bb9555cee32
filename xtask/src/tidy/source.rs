//! What every source file must have: module docs, names of the domain, a reason for each lint it switches off.

use std::path::Path;

use anyhow::{Context, Result};
use syn::visit::{self, Visit};

use super::Findings;
use crate::place::{files, relative, root};

/// Words that name no thing of the domain.
const BANNED: [&str; 4] = ["util", "helper", "manager", "common"];
/// Marks of work left undone.
const UNDONE: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// A source file, parsed.
pub struct Source {
    pub path: String,
    pub text: String,
    pub syntax: syn::File,
}

/// Every Rust source of the repository.
pub fn sources() -> Result<Vec<Source>> {
    let mut found = Vec::new();
    for folder in ["crates", "xtask", "fuzz", "rivals"] {
        let folder = root().join(folder);
        if !folder.exists() {
            continue;
        }
        for path in files(&folder)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let path = relative(&path);
            let syntax = syn::parse_file(&text).with_context(|| format!("{path} is no Rust"))?;
            found.push(Source { path, text, syntax });
        }
    }
    Ok(found)
}

pub fn check() -> Result<Findings> {
    Ok(sources()?.iter().flat_map(check_source).collect())
}

fn check_source(source: &Source) -> Findings {
    let mut findings = Findings::new();
    let path = &source.path;
    let first = source.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//! ")) {
        findings.push(format!("{path}: no module docs (`//! …` at its top)"));
    }
    let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(word) = banned_in(&stem) {
        findings.push(format!("{path}: `{word}` names no thing of the domain"));
    }
    for (at, line) in source.text.lines().enumerate() {
        let comment = line.split_once("//").map_or("", |(_, comment)| comment);
        if let Some(word) =
            UNDONE.iter().find(|word| comment.split_whitespace().any(|part| part.trim_end_matches(':') == **word))
        {
            findings.push(format!("{path}:{}: {word} belongs into an issue", at + 1));
        }
    }
    let mut names = Names { path, findings };
    names.visit_file(&source.syntax);
    names.findings
}

/// The banned word in a name of either case style.
fn banned_in(name: &str) -> Option<&'static str> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if (c == '_' || c.is_uppercase()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    let is_it = |banned: &str| words.iter().any(|word| word == banned || word.strip_suffix('s') == Some(banned));
    BANNED.into_iter().find(|banned| is_it(banned))
}

struct Names<'s> {
    path: &'s str,
    findings: Findings,
}

impl Names<'_> {
    fn name(&mut self, ident: &syn::Ident) {
        if let Some(word) = banned_in(&ident.to_string()) {
            let line = ident.span().start().line;
            self.findings.push(format!("{}:{line}: {ident}: `{word}` names no thing of the domain", self.path));
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let is_switch = attribute.path().is_ident("allow") || attribute.path().is_ident("expect");
        if is_switch
            && !matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().contains("reason ="))
        {
            let line = attribute.pound_token.span.start().line;
            self.findings.push(format!("{}:{line}: a lint is switched off without `reason = \"…\"`", self.path));
        }
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Enum(item) => self.name(&item.ident),
            syn::Item::Fn(item) => self.name(&item.sig.ident),
            syn::Item::Mod(item) => self.name(&item.ident),
            syn::Item::Struct(item) => self.name(&item.ident),
            syn::Item::Trait(item) => self.name(&item.ident),
            syn::Item::Type(item) => self.name(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.name(&item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_words() {
        let table = [
            ("string_util", Some("util")),
            ("TaskManager", Some("manager")),
            ("helpers", Some("helper")),
            ("common", Some("common")),
            ("uncommon", None),
            ("utilisation", None),
            ("parse", None),
        ];
        for (name, expected) in table {
            assert_eq!(banned_in(name), expected, "{name}");
        }
    }

    #[test]
    fn findings_name_their_place() {
        let check = |text: &str, expected: &[&str]| {
            let source = Source { path: "a.rs".into(), text: text.into(), syntax: syn::parse_file(text).unwrap() };
            assert_eq!(check_source(&source), expected, "{text}");
        };
        check("//! Docs.\nfn parse() {}\n", &[]);
        check("fn parse() {}\n", &["a.rs: no module docs (`//! …` at its top)"]);
        check(
            "//! Docs.\n#[allow(dead_code)]\nfn a() {}\n",
            &["a.rs:2: a lint is switched off without `reason = \"…\"`"],
        );
        check("//! Docs.\n#[allow(dead_code, reason = \"x\")]\nfn a() {}\n", &[]);
        check("//! Docs.\nstruct FileHelper;\n", &["a.rs:2: FileHelper: `helper` names no thing of the domain"]);
        let [undone, ..] = UNDONE;
        check(&format!("//! Docs.\n// {undone}: more\n"), &[&format!("a.rs:2: {undone} belongs into an issue")]);
    }
}
