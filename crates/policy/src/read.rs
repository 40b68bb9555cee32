//! Policy files become a set, or findings.
//!
//! A policy is one statement of Cedar with two annotations that this house asks for: `@id("…")`, a stable name of lower-case letters,
//! digits, `-`, `_` and `.`, once in a set; and `@why("…")`, the sentence that a person reads when the policy decides. A `forbid` may
//! carry `@guard("…")`: it is then part of how this set keeps that written guard (see [`crate::guard`]). Other annotations are refused,
//! since a misspelt one would be silence. Templates are refused: a set says all it says.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Effect, Policy, PolicyId, PolicySet, ValidationMode, Validator};
use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::guard::GUARDS;
use crate::schema::Vocabulary;
use crate::slice::Slices;

/// Policies of one set.
pub const MAX_POLICIES: usize = 10_000;
/// Bytes of all files of one set.
pub const MAX_TEXT_BYTES: usize = 8 << 20;
/// Bytes of an id.
pub const MAX_ID: usize = 64;

/// One file of policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is called in findings, and in the hash of the set.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A set that fits the schema, ready to be asked.
#[derive(Clone, Debug)]
pub struct Policies {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) whole: PolicySet,
    pub(crate) slices: Slices,
    pub(crate) sources: Vec<Source>,
    pub(crate) places: BTreeMap<String, Place>,
}

impl Policies {
    /// Reads files; a set with an error is not a set.
    #[must_use]
    pub fn read(sources: &[Source]) -> (Option<Self>, Vec<Finding>) {
        let mut findings = Vec::new();
        let vocabulary = match Vocabulary::new() {
            Ok(vocabulary) => vocabulary,
            Err(error) => return (None, vec![Finding::error("policy_schema", error)]),
        };
        let bytes: usize = sources.iter().map(|source| source.text.len()).sum();
        if bytes > MAX_TEXT_BYTES {
            let message = format!("{bytes} bytes of policies, more than {MAX_TEXT_BYTES}");
            return (None, vec![Finding::error("policy_text_too_long", message)]);
        }
        let mut names = BTreeSet::new();
        for Source { name, .. } in sources {
            // Names stand in what is hashed and signed, each on a line.
            if name.is_empty() || name.contains(char::is_control) || !names.insert(name) {
                let message = format!("`{}` is no name of a file here, or is there twice", name.escape_debug());
                return (None, vec![Finding::error("policy_file_name", message)]);
            }
        }
        let mut gathered = Gathered::default();
        for source in sources {
            gathered.file(source, &mut findings);
        }
        let Gathered { whole, places } = gathered;
        if whole.num_of_policies() > MAX_POLICIES {
            let message = format!("{} policies, more than {MAX_POLICIES}", whole.num_of_policies());
            findings.push(Finding::error("policy_too_many", message));
        } else {
            validate(&vocabulary, &whole, &places, sources, &mut findings);
        }
        if findings.iter().any(Finding::is_error) {
            return (None, findings);
        }
        let slices = Slices::new(&vocabulary, &whole);
        let mut sources = sources.to_vec();
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        (Some(Self { vocabulary, whole, slices, sources, places }), findings)
    }

    /// The ids of all policies, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The whole set, as Cedar knows it.
    #[must_use]
    pub const fn set(&self) -> &PolicySet {
        &self.whole
    }

    /// The schema, as Cedar knows it.
    #[must_use]
    pub const fn schema(&self) -> &cedar_policy::Schema {
        &self.vocabulary.schema
    }

    /// Where a policy stands.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<&Place> {
        self.places.get(id)
    }

    /// The sentence that a policy gives for itself.
    #[must_use]
    pub fn why(&self, id: &str) -> Option<&str> {
        self.whole.annotation(&PolicyId::new(id), "why")
    }
}

/// What files gave so far.
#[derive(Default)]
struct Gathered {
    whole: PolicySet,
    places: BTreeMap<String, Place>,
}

impl Gathered {
    fn file(&mut self, source: &Source, findings: &mut Vec<Finding>) {
        let set: PolicySet = match source.text.parse() {
            Ok(set) => set,
            Err(errors) => {
                let errors: cedar_policy::ParseErrors = errors;
                findings.extend(errors.iter().map(|error| {
                    let place = label(error).map(|(start, length)| in_source(source, start, length));
                    with_help(Finding::error("policy_syntax", error.to_string()).at(place), error)
                }));
                return;
            }
        };
        for template in set.templates() {
            let message = "a template is no policy: write out what it stands for";
            let place = template.as_ref().loc().map(|loc| in_source(source, loc.start(), loc.end() - loc.start()));
            findings.push(Finding::error("policy_template", message).at(place));
        }
        let mut policies: Vec<&Policy> = set.policies().collect();
        policies.sort_by_key(|policy| policy.as_ref().loc().map(|loc| loc.start()));
        for policy in policies {
            let place = policy.as_ref().loc().map(|loc| in_source(source, loc.start(), loc.end() - loc.start()));
            self.policy(policy, place.unwrap_or_else(|| in_source(source, 0, 0)), findings);
        }
    }

    fn policy(&mut self, policy: &Policy, place: Place, findings: &mut Vec<Finding>) {
        let mut refuse = |code, message: String, note: &str| {
            findings.push(Finding::error(code, message).at(Some(place.clone())).note(note));
        };
        for (name, value) in sorted_annotations(policy) {
            match name {
                "id" | "why" => {}
                "guard" if policy.effect() == Effect::Permit => refuse(
                    "policy_guard_permits",
                    "a permit cannot keep a guard".to_owned(),
                    "a guard is kept by forbids alone",
                ),
                "guard" if GUARDS.iter().any(|guard| guard.id == value) => {}
                "guard" => refuse(
                    "policy_guard_unknown",
                    format!("there is no guard `{value}`"),
                    "docs/policy.md lists the written guards",
                ),
                _ => refuse("policy_annotation", format!("`@{name}` means nothing here"), "@id, @why or @guard"),
            }
        }
        if policy.annotation("why").is_none_or(|why| why.trim().is_empty()) {
            refuse(
                "policy_without_why",
                "a policy says why".to_owned(),
                "add @why(\"one sentence for the person who is refused or let through\")",
            );
        }
        let id = policy.annotation("id").unwrap_or_default();
        if !is_id(id) {
            refuse(
                "policy_id",
                format!("`{id}` is not the id of a policy"),
                "add @id(\"…\"): lower-case letters, digits, `-`, `_` and `.`, at most 64",
            );
            return;
        }
        if let Some(first) = self.places.get(id) {
            let note = format!("the other is at {}:{}", first.file, first.line);
            refuse("policy_id_twice", format!("the id `{id}` is taken"), &note);
            return;
        }
        match self.whole.add(policy.new_id(PolicyId::new(id))) {
            Ok(()) => {
                self.places.insert(id.to_owned(), place);
            }
            Err(error) => refuse("policy_id_twice", error.to_string(), "give it another id"),
        }
    }
}

/// Annotations in the order of their names, so that findings have one order.
fn sorted_annotations(policy: &Policy) -> BTreeSet<(&str, &str)> {
    policy.annotations().collect()
}

fn is_id(id: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_.".contains(&c);
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(allowed)
}

fn in_source(source: &Source, start: usize, length: usize) -> Place {
    Place::in_text(&source.name, &source.text, start, length)
}

/// The first span that a diagnostic of Cedar names.
fn label(diagnostic: &dyn Diagnostic) -> Option<(usize, usize)> {
    let label = diagnostic.labels()?.next()?;
    Some((label.offset(), label.len()))
}

fn with_help(finding: Finding, diagnostic: &dyn Diagnostic) -> Finding {
    match diagnostic.help() {
        Some(help) => finding.note(help.to_string()),
        None => finding,
    }
}

/// Strict validation of all policies at once.
fn validate(
    vocabulary: &Vocabulary,
    whole: &PolicySet,
    places: &BTreeMap<String, Place>,
    sources: &[Source],
    findings: &mut Vec<Finding>,
) {
    let result = Validator::new(vocabulary.schema.clone()).validate(whole, ValidationMode::Strict);
    let mut found: Vec<Finding> = Vec::new();
    let mut tell = |finding: Finding, id: &PolicyId, diagnostic: &dyn Diagnostic| {
        let id: &str = id.as_ref();
        let own = places.get(id);
        let inside = own.and_then(|own| {
            let source = sources.iter().find(|source| source.name == own.file)?;
            let (start, length) = label(diagnostic)?;
            Some(in_source(source, start, length))
        });
        found.push(with_help(finding.at(inside.or_else(|| own.cloned())).of(id), diagnostic));
    };
    for error in result.validation_errors() {
        tell(Finding::error("policy_type", error.to_string()), error.policy_id(), error);
    }
    for warning in result.validation_warnings() {
        tell(Finding::warning("policy_doubtful", warning.to_string()), warning.policy_id(), warning);
    }
    found.sort_by(|a, b| (a.severity, &a.place, &a.message).cmp(&(b.severity, &b.place, &b.message)));
    found.dedup();
    findings.append(&mut found);
}
