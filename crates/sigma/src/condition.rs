//! Conditions: `selection and not 1 of filter_*`.
//!
//! ```text
//! or    = and ("or" and)*
//! and   = not ("and" not)*
//! not   = "not" not | one
//! one   = "(" or ")" | ("all" | "any" | "one" | number) "of" ("them" | pattern) | name
//! ```
//! `them` is every search whose name does not begin with `_`; a pattern has `*`. Words of the grammar are read in any case.

use std::collections::HashMap;

use crate::finding::{Finding, Place};
use crate::logic::Logic;
use crate::pattern::Pattern;

/// Longest condition, in bytes (`sigma.condition_too_large`).
pub const CONDITION_BYTES_MAX: usize = 64 * 1024;
/// Most words of a condition (`sigma.condition_too_large`).
pub const WORDS_MAX: usize = 4_096;
/// Most searches of a condition where `of` is written out (`sigma.condition_too_large`).
pub const PARTS_MAX: usize = 16_384;
/// Deepest nesting of brackets and `not` (`sigma.condition_too_large`).
pub const DEPTH_MAX: usize = 64;

/// Reads a condition over searches with these names.
///
/// # Errors
///
/// What is wrong with it, and where.
pub fn parse(text: &str, place: Place, names: &[String]) -> Result<Logic, Finding> {
    let too_large = |what: String| {
        Finding::error("sigma.condition_too_large", place, what).note("several small rules are faster than a large one")
    };
    if text.len() > CONDITION_BYTES_MAX {
        return Err(too_large(format!("the condition has {} bytes; at most {CONDITION_BYTES_MAX}", text.len())));
    }
    let words = words(text);
    if words.len() > WORDS_MAX {
        return Err(too_large(format!("the condition has {} words; at most {WORDS_MAX}", words.len())));
    }
    let mut numbers = HashMap::with_capacity(names.len());
    for (number, name) in names.iter().enumerate() {
        numbers.entry(name.as_str()).or_insert(number);
    }
    let mut parser = Parser { words: &words, at: 0, depth: 0, parts: 0, names, numbers, place };
    let logic = parser.any()?;
    match parser.peek() {
        None => Ok(logic),
        Some(word) => Err(parser.unexpected(word)),
    }
}

/// A word and the character it begins at.
struct Word<'a> {
    text: &'a str,
    at: usize,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().enumerate().peekable();
    while let Some((at, (start, c))) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut end = start + c.len_utf8();
        if !matches!(c, '(' | ')' | '|') {
            while let Some((_, (next, c))) = chars.peek().copied() {
                if c.is_whitespace() || matches!(c, '(' | ')' | '|') {
                    break;
                }
                end = next + c.len_utf8();
                chars.next();
            }
        }
        words.push(Word { text: text.get(start..end).unwrap_or_default(), at });
    }
    words
}

struct Parser<'a> {
    words: &'a [Word<'a>],
    at: usize,
    depth: usize,
    /// How many searches stand where `of` is written out.
    parts: usize,
    names: &'a [String],
    numbers: HashMap<&'a str, usize>,
    place: Place,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Word<'a>> {
        self.words.get(self.at)
    }

    fn is_next(&self, word: &str) -> bool {
        self.peek().is_some_and(|next| next.text.eq_ignore_ascii_case(word))
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.is_next(word);
        self.at += usize::from(is_next);
        is_next
    }

    /// Where a word stands. What YAML folds or escapes is no longer where it was: then it is the whole condition.
    fn place_of(&self, word: &Word<'_>) -> Place {
        Place { column: self.place.column + word.at as u32, len: word.text.chars().count() as u32, ..self.place }
    }

    fn unexpected(&self, word: &Word<'_>) -> Finding {
        let place = self.place_of(word);
        if word.text == "|" {
            return Finding::error("sigma.aggregation", place, "aggregations in conditions are no part of Sigma any more")
                .note("write a correlation: `correlation: {type: event_count, rules: [...], group-by: [...], timespan: 5m, condition: {gte: 5}}`");
        }
        Finding::error("sigma.condition", place, format!("`{}` is not expected here", word.text)).note(
            "searches are joined with `and`, `or`, `not` and brackets; `1 of name*` and `all of name*` take several",
        )
    }

    fn any(&mut self) -> Result<Logic, Finding> {
        let mut all = vec![self.all()?];
        while self.takes("or") {
            all.push(self.all()?);
        }
        Ok(single_or(all, Logic::Any))
    }

    fn all(&mut self) -> Result<Logic, Finding> {
        let mut all = vec![self.not()?];
        while self.takes("and") {
            all.push(self.not()?);
        }
        Ok(single_or(all, Logic::All))
    }

    fn not(&mut self) -> Result<Logic, Finding> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let message = format!("brackets and `not` are nested more than {DEPTH_MAX} deep");
            return Err(Finding::error("sigma.condition_too_large", self.place, message));
        }
        let logic = if self.takes("not") { Logic::Not(Box::new(self.not()?)) } else { self.one()? };
        self.depth -= 1;
        Ok(logic)
    }

    fn one(&mut self) -> Result<Logic, Finding> {
        let Some(word) = self.peek() else {
            let what = if self.words.is_empty() { "the condition is empty" } else { "the condition ends too early" };
            return Err(Finding::error("sigma.condition", self.place, what));
        };
        if word.text == "(" {
            self.at += 1;
            let logic = self.any()?;
            return if self.takes(")") {
                Ok(logic)
            } else {
                Err(Finding::error("sigma.condition", self.place_of(word), "the bracket is not closed"))
            };
        }
        if self.words.get(self.at + 1).is_some_and(|next| next.text.eq_ignore_ascii_case("of")) {
            return self.several(word);
        }
        if matches!(word.text, ")" | "|") || ["and", "or", "of"].iter().any(|w| word.text.eq_ignore_ascii_case(w)) {
            return Err(self.unexpected(word));
        }
        self.at += 1;
        match self.numbers.get(word.text) {
            Some(number) => Ok(Logic::Search(*number)),
            None => Err(self.unknown(word)),
        }
    }

    fn unknown(&self, word: &Word<'_>) -> Finding {
        let finding =
            Finding::error("sigma.unknown_search", self.place_of(word), format!("there is no search `{}`", word.text));
        if word.text.contains('*') {
            return finding.note(format!("write `1 of {0}` or `all of {0}`", word.text));
        }
        let near = self.names.iter().find(|name| name.eq_ignore_ascii_case(word.text));
        match near {
            Some(near) => finding.note(format!("names are case-sensitive: there is `{near}`")),
            None => finding.note(format!("there are: {}", shown(self.names))),
        }
    }

    /// `1 of them`, `all of selection*`
    fn several(&mut self, quantity: &Word<'_>) -> Result<Logic, Finding> {
        self.at += 2;
        let Some(which) = self.peek() else {
            let finding = Finding::error("sigma.condition", self.place_of(quantity), "`of` names no searches");
            return Err(finding.note("write `1 of them`, or `1 of selection*`"));
        };
        self.at += 1;
        let pattern = Pattern::parse(which.text);
        let them = which.text.eq_ignore_ascii_case("them");
        let chosen: Vec<usize> = (0..self.names.len())
            .filter(|number| {
                self.names
                    .get(*number)
                    .is_some_and(|name| if them { !name.starts_with('_') } else { pattern.fits(name) })
            })
            .collect();
        if chosen.is_empty() {
            let finding = Finding::error(
                "sigma.unknown_search",
                self.place_of(which),
                format!("`{}` names no search", which.text),
            );
            return Err(finding.note(format!("there are: {}", shown(self.names))));
        }
        self.parts += chosen.len();
        if self.parts > PARTS_MAX {
            let message = format!("the condition has more than {PARTS_MAX} parts when `of` is written out");
            return Err(Finding::error("sigma.condition_too_large", self.place_of(quantity), message));
        }
        let searches: Vec<Logic> = chosen.iter().copied().map(Logic::Search).collect();
        let lower = quantity.text.to_ascii_lowercase();
        match lower.as_str() {
            "all" => Ok(single_or(searches, Logic::All)),
            "1" | "any" | "one" => Ok(single_or(searches, Logic::Any)),
            _ => match lower.parse::<usize>() {
                Ok(least) if least > 1 => self.at_least(least, &chosen, quantity),
                _ => Err(Finding::error(
                    "sigma.condition",
                    self.place_of(quantity),
                    format!("`{}` is no quantity", quantity.text),
                )
                .note("a quantity is `1`, `all`, or a number")),
            },
        }
    }

    /// `2 of selection*`, written out. It grows fast, so it is limited.
    fn at_least(&mut self, least: usize, chosen: &[usize], quantity: &Word<'_>) -> Result<Logic, Finding> {
        if least > chosen.len() {
            let message = format!("`{} of` has only {} searches to choose from", quantity.text, chosen.len());
            return Err(Finding::error("sigma.condition", self.place_of(quantity), message));
        }
        let more = |many: usize, round: usize| many.saturating_mul(chosen.len() - round) / (round + 1);
        let many = (0..least).fold(1, more);
        self.parts = self.parts.saturating_add(many.saturating_mul(least));
        if self.parts > PARTS_MAX {
            let message = format!("`{} of` {} searches are too many combinations", quantity.text, chosen.len());
            return Err(Finding::error("sigma.condition_too_large", self.place_of(quantity), message));
        }
        let mut choices: Vec<Vec<usize>> = vec![Vec::new()];
        for _ in 0..least {
            let mut longer = Vec::new();
            for choice in &choices {
                let from = choice.last().map_or(0, |last| last + 1);
                longer
                    .extend((from..chosen.len()).map(|next| choice.iter().copied().chain([next]).collect::<Vec<_>>()));
            }
            choices = longer;
        }
        let all = |choice: &Vec<usize>| {
            Logic::All(choice.iter().filter_map(|at| chosen.get(*at).copied()).map(Logic::Search).collect())
        };
        Ok(single_or(choices.iter().map(all).collect(), Logic::Any))
    }
}

fn shown(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
    if names.len() > 8 {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

/// One alone stands for itself.
pub(crate) fn single_or(mut all: Vec<Logic>, join: fn(Vec<Logic>) -> Logic) -> Logic {
    match all.pop() {
        Some(only) if all.is_empty() => only,
        Some(last) => {
            all.push(last);
            join(all)
        }
        None => join(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(logic: &Logic) -> String {
        let list = |all: &[Logic], word: &str| format!("({})", all.iter().map(shown).collect::<Vec<_>>().join(word));
        match logic {
            Logic::All(all) => list(all, " & "),
            Logic::Any(all) => list(all, " | "),
            Logic::Not(inner) => format!("!{}", shown(inner)),
            Logic::Search(number) => number.to_string(),
            Logic::Is(_) => "?".to_owned(),
        }
    }

    #[test]
    fn conditions_are_read() {
        let names: Vec<String> = ["sel", "sel_b", "filter_a", "filter_b", "_hidden"].map(str::to_owned).to_vec();
        for (text, expected) in [
            ("sel", "0"),
            ("sel and sel_b or filter_a", "((0 & 1) | 2)"),
            ("sel and not (filter_a or filter_b)", "(0 & !(2 | 3))"),
            ("not not sel", "!!0"),
            ("1 of them", "(0 | 1 | 2 | 3)"),
            ("all of sel*", "(0 & 1)"),
            ("any of filter_*", "(2 | 3)"),
            ("2 of them", "((0 & 1) | (0 & 2) | (0 & 3) | (1 & 2) | (1 & 3) | (2 & 3))"),
            ("sel AND NOT 1 OF filter_*", "(0 & !(2 | 3))"),
            ("all of *_b and _hidden", "((1 & 3) & 4)"),
            ("(sel)and(sel_b)", "(0 & 1)"),
            ("", "sigma.condition"),
            ("sel and", "sigma.condition"),
            ("(sel", "sigma.condition"),
            ("sel)", "sigma.condition"),
            ("sel sel_b", "sigma.condition"),
            ("Sel", "sigma.unknown_search"),
            ("sel*", "sigma.unknown_search"),
            ("1 of x*", "sigma.unknown_search"),
            ("1 of", "sigma.condition"),
            ("0 of them", "sigma.condition"),
            ("9 of them", "sigma.condition"),
            ("sel | count() > 5", "sigma.aggregation"),
        ] {
            let found = parse(text, Place::default(), &names).map_or_else(|f| f.code.to_owned(), |logic| shown(&logic));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn conditions_are_limited() {
        let names = vec!["s".to_owned()];
        let code = |text: &str| parse(text, Place::default(), &names).map_err(|finding| finding.code).err();
        assert_eq!(code(&vec!["s"; 2_000].join(" or ")), None);
        assert_eq!(code(&vec!["s"; 100_000].join(" or ")), Some("sigma.condition_too_large"));
        assert_eq!(code(&vec!["s"; WORDS_MAX].join(" or ")), Some("sigma.condition_too_large"));
        assert_eq!(code(&format!("{}s", "not ".repeat(DEPTH_MAX - 1))), None);
        assert_eq!(code(&format!("{}s", "not ".repeat(DEPTH_MAX))), Some("sigma.condition_too_large"));
        assert_eq!(code(&format!("{}s", "(".repeat(4_000))), Some("sigma.condition_too_large"));
    }
}
