//! What a rule writer should know of a rule that can be used.

use std::collections::HashSet;

use crate::detection::Detection;
use crate::finding::Finding;
use crate::logic::Logic;
use crate::meta::Meta;
use crate::yaml::{Node, Value};

/// Longest title.
const TITLE_CHARS_MAX: usize = 256;

/// What is said of a rule's words about itself.
pub(crate) fn meta(document: &Node, meta: &Meta, findings: &mut Vec<Finding>) {
    let place = |key: &str| document.get(key).map_or(document.place, |node| node.place);
    let mut warn = |code, key: &str, message: String, note: &str| {
        let finding = Finding::warning(code, place(key), message);
        findings.push(if note.is_empty() { finding } else { finding.note(note) });
    };
    if meta.title.chars().count() > TITLE_CHARS_MAX {
        warn("sigma.title", "title", format!("the title has more than {TITLE_CHARS_MAX} characters"), "");
    }
    match &meta.id {
        None => warn(
            "sigma.id",
            "title",
            "the rule has no id".into(),
            "add `id:` with a random UUID: matches, exceptions and correlations refer to it",
        ),
        Some(id) if !is_uuid(id) => warn("sigma.id", "id", format!("`{id}` is no UUID"), ""),
        Some(_) => {}
    }
    for (key, value) in [("date", &meta.date), ("modified", &meta.modified)] {
        if !value.is_empty() && !is_date(value) {
            warn("sigma.date", key, format!("`{value}` is no date"), "write YYYY-MM-DD");
        }
    }
    for related in document.get("related").map(Node::items).unwrap_or_default() {
        let kind = related.get("type").and_then(Node::text).unwrap_or_default();
        if !["derived", "obsolete", "obsoletes", "merged", "renamed", "similar", "correlation"].contains(&kind.as_str())
        {
            findings.push(
                Finding::warning("sigma.related", related.place, format!("`{kind}` is no relation"))
                    .note("there are: derived, obsolete, merged, renamed, similar"),
            );
        }
    }
    for tag in document.get("tags").map(Node::items).unwrap_or_default() {
        let text = tag.text().unwrap_or_default();
        if !is_tag(&text) {
            findings.push(
                Finding::warning("sigma.tag", tag.place, format!("`{text}` is no tag"))
                    .note("a tag is `namespace.word` in lower case, such as attack.t1059.001 or cve.2024-1234"),
            );
        }
    }
}

/// What is said of searches and conditions.
pub(crate) fn detection(node: &Node, detection: &Detection, findings: &mut Vec<Finding>) {
    let mut used = vec![false; detection.names.len()];
    if let Some(condition) = &detection.condition {
        mark(condition, &mut used);
        let unused = detection.names.iter().zip(&used).filter(|(_, used)| !**used).map(|(name, _)| name.as_str());
        let unused: HashSet<&str> = unused.collect();
        for (key, _) in node.entries().iter().filter(|(key, _)| unused.contains(key.text.as_str())) {
            let message = format!("the condition does not use the search `{}`", key.text);
            findings.push(Finding::warning("sigma.unused_search", key.place, message));
        }
    }
    for (_, value) in node.entries() {
        search(value, findings);
    }
}

fn mark(logic: &Logic, used: &mut [bool]) {
    match logic {
        Logic::All(all) | Logic::Any(all) => all.iter().for_each(|one| mark(one, used)),
        Logic::Not(inner) => mark(inner, used),
        Logic::Search(number) => {
            if let Some(used) = used.get_mut(*number) {
                *used = true;
            }
        }
        Logic::Is(_) => {}
    }
}

fn search(node: &Node, findings: &mut Vec<Finding>) {
    if let Value::List(items) = &node.value {
        return items.iter().for_each(|item| search(item, findings));
    }
    for (key, value) in node.entries() {
        let words: Vec<&str> = key.text.split('|').skip(1).collect();
        let is_single = !matches!(&value.value, Value::List(items) if items.len() > 1);
        if words.contains(&"all") && is_single {
            let finding =
                Finding::warning("sigma.all_of_one", key.place, "`all` joins several values, and there is one");
            findings.push(finding.note("leave `all` out; to ask a field twice, make a second search"));
        }
        if let Value::List(items) = &value.value {
            if items.len() > 1 && items.iter().any(|item| item.value == Value::Null) {
                let finding = Finding::warning("sigma.null_in_list", value.place, "null is no value among others");
                findings.push(finding.note("make a search of its own for the empty field"));
            }
            let mut seen: Vec<String> = Vec::new();
            for item in items {
                let text = item.text().unwrap_or_default().to_lowercase();
                let cased = words.iter().any(|word| ["cased", "re", "base64", "base64offset"].contains(word));
                if !text.is_empty() && seen.contains(&text) && !cased {
                    findings.push(Finding::warning(
                        "sigma.duplicate_value",
                        item.place,
                        "the value stands in the list before",
                    ));
                }
                // Lists are short; a very long one is not looked at for this.
                if seen.len() < 512 {
                    seen.push(text);
                }
            }
        }
        for item in value.items() {
            let text = item.text().unwrap_or_default();
            wildcards(&words, &text, item, findings);
        }
    }
}

/// Wildcards that a modifier says better, or that do nothing.
fn wildcards(words: &[&str], text: &str, item: &Node, findings: &mut Vec<Finding>) {
    let opens = words.iter().any(|word| ["contains", "startswith", "endswith"].contains(word));
    if words.contains(&"re") {
        if text.starts_with(".*") || text.ends_with(".*") {
            let finding =
                Finding::warning("sigma.open_regex", item.place, "`.*` at an end of an expression does nothing");
            findings.push(finding.note("an expression is found anywhere in the value"));
        }
        return;
    }
    if opens && text.len() > 1 && text.starts_with('*') && text.ends_with('*') {
        findings.push(Finding::warning(
            "sigma.wildcard",
            item.place,
            "the wildcards at the ends are there by the modifier already",
        ));
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_date(text: &str) -> bool {
    let groups: Vec<&str> = text.split(['-', '/']).collect();
    let number = |at: usize| groups.get(at).and_then(|group| group.parse::<u32>().ok());
    groups.iter().map(|group| group.len()).eq([4, 2, 2])
        && number(1).is_some_and(|month| (1..=12).contains(&month))
        && number(2).is_some_and(|day| (1..=31).contains(&day))
}

fn is_tag(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    text.split_once('.').is_some_and(|(space, word)| !space.is_empty() && !word.is_empty()) && text.chars().all(allowed)
}
