//! What one value becomes: every combination of dashes, every value of a placeholder.

use crate::finding::{Finding, Place};
use crate::pattern::{Part, Pattern};
use crate::read::Options;

/// Most values that one becomes by dashes and placeholders (`sigma.too_many_values`).
pub const VARIANTS_MAX: usize = 4_096;
/// Most bytes of what one value becomes by modifiers (`sigma.too_many_values`).
pub const VARIANT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Every combination of dashes for the dashes at the beginning of words; none if they are too many.
pub(crate) fn dashes(value: &Pattern) -> Option<Vec<Pattern>> {
    const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut variants = vec![Pattern { parts: Vec::new(), cased: value.cased }];
    let mut before: Option<char> = None;
    for part in &value.parts {
        let Part::Text(text) = part else {
            variants.iter_mut().for_each(|variant| variant.push(part.clone()));
            before = None;
            continue;
        };
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let begins_word =
                DASHES.contains(&c) && !before.is_some_and(is_word) && chars.peek().copied().is_some_and(is_word);
            before = Some(c);
            if !begins_word {
                variants.iter_mut().for_each(|variant| variant.push_char(c));
                continue;
            }
            // All of them will be as long as the value, about.
            let many = variants.len() * DASHES.len();
            if many > VARIANTS_MAX || many * bytes(value) > VARIANT_BYTES_MAX {
                return None;
            }
            let with = |variant: &Pattern| {
                DASHES.map(|dash| {
                    let mut variant = variant.clone();
                    variant.push_char(dash);
                    variant
                })
            };
            variants = variants.iter().flat_map(with).collect();
        }
    }
    Some(variants)
}

/// Bytes of the texts of a pattern.
pub(crate) fn bytes(pattern: &Pattern) -> usize {
    let text = |part: &Part| match part {
        Part::Text(text) => text.len(),
        Part::Any | Part::One => 1,
    };
    pattern.parts.iter().map(text).sum()
}

pub(crate) fn too_many(place: Place) -> Finding {
    let message = format!("the value becomes more than {VARIANTS_MAX}, or more than {VARIANT_BYTES_MAX} bytes in all");
    Finding::error("sigma.too_many_values", place, message)
}

/// A text with `%name%`s in it, with each value that the name stands for.
pub(crate) fn expanded(text: &str, options: &Options, place: Place) -> Result<Vec<Pattern>, Finding> {
    // A percent sign that is meant as such has a backslash before it.
    const PERCENT: &str = "\u{E000}";
    let hidden = text.replace("\\%", PERCENT);
    let mut texts = vec![String::new()];
    let mut rest = hidden.as_str();
    while let Some((before, behind)) = rest.split_once('%') {
        let Some((name, after)) = behind.split_once('%').filter(|(name, _)| is_name(name)) else {
            texts.iter_mut().for_each(|text| text.push_str(&format!("{before}%")));
            rest = behind;
            continue;
        };
        let Some(values) = options.placeholders.get(name) else {
            let finding =
                Finding::error("sigma.placeholder", place, format!("nothing says what `%{name}%` stands for"));
            return Err(finding.note(format!("give its values with --placeholders: a YAML file with `{name}: [...]`")));
        };
        if values.is_empty() {
            let message = format!("`%{name}%` stands for nothing: its list is empty");
            return Err(Finding::error("sigma.placeholder", place, message));
        }
        // What is behind will stand in each of them.
        let many = texts.len().saturating_mul(values.len());
        let new: usize = values.iter().map(|value| value.len() + before.len() + after.len()).sum();
        let old: usize = texts.iter().map(String::len).sum();
        let size = new.saturating_mul(texts.len()).saturating_add(old.saturating_mul(values.len()));
        if many > VARIANTS_MAX || size > VARIANT_BYTES_MAX {
            return Err(too_many(place));
        }
        let with = |text: &String| values.iter().map(|value| format!("{text}{before}{value}")).collect::<Vec<_>>();
        texts = texts.iter().flat_map(with).collect();
        rest = after;
    }
    Ok(texts.into_iter().map(|text| Pattern::parse(&format!("{text}{rest}").replace(PERCENT, "%"))).collect())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
