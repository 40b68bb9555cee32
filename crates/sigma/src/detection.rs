//! The searches of a rule: maps, lists and keywords.

use crate::condition::{self, single_or};
use crate::effort::{FILE_ITEMS_MAX, Reading};
use crate::finding::{Finding, Place};
use crate::logic::{Logic, Predicate, Test};
use crate::modifiers::Modifiers;
use crate::pattern::Pattern;
use crate::yaml::{Key, Node, Value};

/// Most questions of one rule, as it is written out (`sigma.too_many_values`).
pub const PREDICATES_MAX: usize = 50_000;

/// Longest name of a field, in bytes, and most parts of it (`sigma.value`).
pub const FIELD_BYTES_MAX: usize = 1_024;
pub const FIELD_STEPS_MAX: usize = 32;

/// Searches and the condition over them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Detection {
    /// Names of the searches.
    pub names: Vec<String>,
    /// What they ask.
    pub searches: Vec<Logic>,
    /// The condition; several are joined with OR.
    pub condition: Option<Logic>,
}

/// Reads the searches of a map, all keys but those of `without`.
pub(crate) fn read(node: &Node, without: &[&str], reading: &Reading<'_>, findings: &mut Vec<Finding>) -> Detection {
    let mut detection = Detection::default();
    if !matches!(node.value, Value::Map(_)) {
        let message = format!("the detection is {}; it is a map of searches and a condition", node.kind());
        findings.push(Finding::error("sigma.detection", node.place, message));
        return detection;
    }
    let mut predicates = 0;
    for (key, value) in node.entries() {
        if key.text == "condition" || without.contains(&key.text.as_str()) {
            continue;
        }
        let read = search(value, reading);
        predicates += read.as_ref().map_or(0, count);
        if predicates > PREDICATES_MAX {
            findings.push(too_many(node.place));
            return detection;
        }
        match read {
            Ok(logic) => {
                detection.names.push(key.text.clone());
                detection.searches.push(logic);
            }
            Err(finding) => {
                findings.push(finding);
                // The condition may name it: that it cannot be read is said already.
                detection.names.push(key.text.clone());
                detection.searches.push(Logic::Any(Vec::new()));
            }
        }
    }
    if detection.names.is_empty() {
        findings.push(Finding::error("sigma.detection", node.place, "there are no searches"));
        return detection;
    }
    detection.condition = conditions(node, &detection.names, reading, findings);
    detection
}

fn conditions(node: &Node, names: &[String], reading: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<Logic> {
    let Some(condition) = node.get("condition") else {
        let finding = Finding::error("sigma.condition", node.place, "there is no condition");
        findings.push(finding.note("add `condition: ...`, such as `condition: selection`"));
        return None;
    };
    let mut all = Vec::new();
    for item in condition.items() {
        let Some(text) = item.text() else {
            findings.push(Finding::error(
                "sigma.condition",
                item.place,
                format!("a condition is a text, not {}", item.kind()),
            ));
            continue;
        };
        if !reading.takes_steps(text.len() / 2 * names.len().max(1)) {
            let message = "the conditions of the file have too many words for so many searches";
            findings.push(Finding::error("sigma.condition_too_large", item.place, message));
            return None;
        }
        match condition::parse(&text, item.place, names) {
            Ok(logic) => all.push(logic),
            Err(finding) => findings.push(finding),
        }
    }
    if all.is_empty() && condition.items().is_empty() {
        findings.push(Finding::error("sigma.condition", condition.place, "the condition is empty"));
    }
    (!all.is_empty()).then(|| single_or(all, Logic::Any))
}

fn too_many(place: Place) -> Finding {
    Finding::error("sigma.too_many_values", place, format!("the rule asks more than {PREDICATES_MAX} questions"))
}

/// Gathers parts as long as they do not ask too many questions together.
pub(crate) fn gather(parts: impl Iterator<Item = Result<Logic, Finding>>, place: Place) -> Result<Vec<Logic>, Finding> {
    let mut questions = 0;
    let counted = parts.map(|part| {
        let part = part?;
        questions += count(&part);
        if questions > PREDICATES_MAX { Err(too_many(place)) } else { Ok(part) }
    });
    counted.collect()
}

/// How many questions there are.
pub(crate) fn count(logic: &Logic) -> usize {
    match logic {
        Logic::All(all) | Logic::Any(all) => all.iter().map(count).sum(),
        Logic::Not(inner) => count(inner),
        Logic::Search(_) => 0,
        Logic::Is(_) => 1,
    }
}

/// Whether a question of keywords is none that one value alone answers.
fn needs_field(logic: &Logic) -> bool {
    match logic {
        Logic::All(all) | Logic::Any(all) => all.iter().any(needs_field),
        Logic::Not(inner) => needs_field(inner),
        Logic::Search(_) => false,
        Logic::Is(predicate) => {
            matches!(predicate.test, Test::Null | Test::Exists | Test::Field(_) | Test::Time(..))
        }
    }
}

/// A search: a map asks all of its fields, a list one of its elements; what is neither is a keyword.
///
/// # Errors
///
/// What is wrong with it.
pub fn search(node: &Node, reading: &Reading<'_>) -> Result<Logic, Finding> {
    match &node.value {
        Value::Map(entries) if entries.is_empty() => {
            Err(Finding::error("sigma.detection", node.place, "the search is empty: it would match every event"))
        }
        Value::Map(entries) => {
            let all = entries.iter().map(|(key, value)| item(key, value, reading));
            Ok(single_or(gather(all, node.place)?, Logic::All))
        }
        Value::List(items) if items.is_empty() => {
            Err(Finding::error("sigma.detection", node.place, "the list is empty: it would match no event"))
        }
        Value::List(items) => {
            let any = items.iter().map(|item| search(item, reading));
            Ok(single_or(gather(any, node.place)?, Logic::Any))
        }
        _ => keyword(node),
    }
}

/// A text that is looked for in every value of the event.
fn keyword(node: &Node) -> Result<Logic, Finding> {
    let Some(text) = node.text().filter(|text| !text.is_empty()) else {
        return Err(Finding::error("sigma.value", node.place, "a keyword is a text that is not empty"));
    };
    let mut pattern = Pattern::parse(&text);
    pattern.open_start();
    pattern.open_end();
    pattern.ignore_case();
    Ok(Logic::Is(Predicate { field: None, test: Test::Text(pattern) }))
}

/// `field|modifiers: values`
fn item(key: &Key, values: &Node, reading: &Reading<'_>) -> Result<Logic, Finding> {
    let mut words = key.text.split('|');
    let field = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    if field.len() > FIELD_BYTES_MAX || field.split('.').count() > FIELD_STEPS_MAX {
        let message = format!("a field's name has at most {FIELD_BYTES_MAX} bytes and {FIELD_STEPS_MAX} parts");
        return Err(Finding::error("sigma.value", key.place, message));
    }
    if !reading.takes_item() {
        let message = format!("the searches of the file have more than {FILE_ITEMS_MAX} fields with values");
        return Err(Finding::error("sigma.too_many_values", key.place, message));
    }
    let modifiers = Modifiers::read(&words, key.place)?;
    if let Value::List(items) = &values.value
        && items.is_empty()
    {
        let message = format!("`{}` has an empty list: it would match no event", key.text);
        return Err(Finding::error("sigma.value", values.place, message));
    }
    if field.is_empty() {
        let logic = keywords(&modifiers, &words, values, reading)?;
        if needs_field(&logic) {
            let message = format!("`{}` asks about a field and names none", key.text);
            return Err(Finding::error("sigma.modifier", key.place, message));
        }
        return Ok(logic);
    }
    modifiers.logic(Some(field), values, reading)
}

/// `'|all': [...]`: keywords that must all be there; with other modifiers they are compared so, and found anywhere.
fn keywords(modifiers: &Modifiers, words: &[&str], values: &Node, reading: &Reading<'_>) -> Result<Logic, Finding> {
    if words.iter().any(|word| *word != "all") {
        return modifiers.logic(None, values, reading);
    }
    let all: Result<Vec<Logic>, Finding> = values.items().iter().map(keyword).collect();
    Ok(single_or(all?, if modifiers.is_all() { Logic::All } else { Logic::Any }))
}
