//! All questions of one field, answered together.
//!
//! Whole values are looked up by hash. Pieces of text (of `contains`, `startswith`, `endswith`, the longest piece of every other pattern, the
//! literals that a regular expression needs) stand in one automaton that reads a value in lower case once; where a piece is found, what is
//! left of its question is asked. Numbers, networks and expressions without literals are asked one by one.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use daachorse::DoubleArrayAhoCorasick;
use daachorse::errors::DaachorseError;
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use watchfloor_model::Document;
use watchfloor_sigma::logic::{Network, Order};
use watchfloor_sigma::pattern::{lower, lower_into};
use watchfloor_sigma::{Part, Pattern, Test};

use crate::budget::Watch;
use crate::facts::Fact;
use crate::tests_of_values::{address, number};

/// Number of a question in a rule set.
pub type PredicateId = u32;

/// Shortest literal of an expression that is worth looking for first.
const LITERAL_BYTES_MIN: usize = 3;
/// Largest cache of one expression, in bytes.
const REGEX_CACHE_BYTES_MAX: usize = 256 * 1024;
/// Most literals of one expression.
const LITERALS_MAX: usize = 64;

type ByText = HashMap<Box<str>, Vec<PredicateId>, foldhash::fast::FixedState>;

/// What is left to ask where a piece of text was found.
#[derive(Clone, Copy, Debug)]
enum Left {
    /// Nothing.
    Nothing(PredicateId),
    /// It must be at the start.
    Start(PredicateId),
    /// It must be at the end.
    End(PredicateId),
    /// This is asked of the whole value.
    Ask(u32),
}

/// A question to a whole value.
#[derive(Debug)]
enum Asked {
    Pattern(Pattern),
    /// Compiled when it is asked first: most wait for a literal that never comes.
    Regex(Box<str>, OnceLock<Option<Regex>>),
}

/// Finds all pieces of one field at once.
struct Automaton(DoubleArrayAhoCorasick<u32>);

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an automaton of {} states", self.0.num_states())
    }
}

/// The questions of one field.
#[derive(Debug, Default)]
pub struct FieldIndex {
    exact: ByText,
    exact_cased: ByText,
    ints: HashMap<i64, Vec<PredicateId>, foldhash::fast::FixedState>,
    floats: Vec<(f64, PredicateId)>,
    bools: Vec<(bool, PredicateId)>,
    any: Vec<PredicateId>,
    orders: Vec<(Order, f64, PredicateId)>,
    networks: Vec<(Network, PredicateId)>,
    asked: Vec<(Asked, PredicateId)>,
    /// Of those, the ones that no piece of text leads to.
    unled: Vec<u32>,
    pieces: Vec<String>,
    left: Vec<Vec<Left>>,
    known: HashMap<String, usize, foldhash::fast::FixedState>,
    automaton: Option<Automaton>,
}

/// Buffers of asking, reused.
#[derive(Debug, Default)]
pub struct Scratch {
    lower: String,
    ask: Vec<u32>,
    /// Questions to whole values, and how long each took.
    pub times: Vec<(PredicateId, Duration)>,
}

impl Scratch {
    /// A text in lower case.
    pub fn lowered(&mut self, text: &str) -> &mut String {
        self.lower.clear();
        lower_into(text, &mut self.lower);
        &mut self.lower
    }
}

impl FieldIndex {
    /// Adds a question; false if it is none that a value alone answers.
    pub fn add(&mut self, test: &Test, id: PredicateId) -> bool {
        match test {
            Test::Text(pattern) => self.add_pattern(pattern, id),
            Test::Int(number) => self.ints.entry(*number).or_default().push(id),
            Test::Float(bits) => self.floats.push((f64::from_bits(*bits), id)),
            Test::Bool(value) => self.bools.push((*value, id)),
            Test::Order(order, bits) => self.orders.push((*order, f64::from_bits(*bits), id)),
            Test::Cidr(network) => self.networks.push((*network, id)),
            Test::Regex(regex) => self.add_regex(regex, id),
            Test::Null | Test::Exists | Test::Field(_) | Test::Time(..) => return false,
        }
        true
    }

    fn add_pattern(&mut self, pattern: &Pattern, id: PredicateId) {
        if let Some(text) = pattern.as_plain() {
            let exact = if pattern.cased { &mut self.exact_cased } else { &mut self.exact };
            return exact.entry(text.into()).or_default().push(id);
        }
        let left = match pattern.parts.as_slice() {
            [Part::Any] => return self.any.push(id),
            [Part::Any, Part::Text(_), Part::Any] if !pattern.cased => Some(Left::Nothing(id)),
            [Part::Text(_), Part::Any] if !pattern.cased => Some(Left::Start(id)),
            [Part::Any, Part::Text(_)] if !pattern.cased => Some(Left::End(id)),
            _ => None,
        };
        let left = left.unwrap_or_else(|| self.ask(Asked::Pattern(pattern.clone()), id));
        self.lead(longest(pattern).into_iter().collect(), left);
    }

    fn add_regex(&mut self, text: &str, id: PredicateId) {
        let left = self.ask(Asked::Regex(text.into(), OnceLock::new()), id);
        self.lead(needed(text), left);
    }

    fn ask(&mut self, asked: Asked, id: PredicateId) -> Left {
        self.asked.push((asked, id));
        Left::Ask(self.asked.len() as u32 - 1)
    }

    /// The pieces of which one must be found before something is asked; none if it is always asked.
    fn lead(&mut self, pieces: Vec<String>, left: Left) {
        if pieces.is_empty()
            && let Left::Ask(number) = left
        {
            return self.unled.push(number);
        }
        for piece in pieces {
            let next = self.pieces.len();
            let number = *self.known.entry(piece.clone()).or_insert(next);
            if number == next {
                self.pieces.push(piece);
                self.left.push(Vec::new());
            }
            if let Some(all) = self.left.get_mut(number) {
                all.push(left);
            }
        }
    }

    /// Makes the automaton. No question is added after that.
    ///
    /// # Errors
    ///
    /// If the automaton would be too large.
    pub fn finish(&mut self) -> Result<(), DaachorseError> {
        self.known = HashMap::default();
        let pieces = std::mem::take(&mut self.pieces);
        if !pieces.is_empty() {
            self.automaton = Some(Automaton(DoubleArrayAhoCorasick::new(&pieces)?));
        }
        Ok(())
    }

    /// Bytes that the index takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.automaton.as_ref().map_or(0, |automaton| automaton.0.heap_bytes())
    }

    /// Appends the questions that a value answers with yes; in order, each once.
    pub(crate) fn answer(
        &self,
        fact: Fact,
        doc: &Document,
        watch: &Watch,
        scratch: &mut Scratch,
        yes: &mut Vec<PredicateId>,
    ) {
        match fact {
            Fact::Text(span) => {
                let text = doc.text(span);
                self.answer_text(text, watch, scratch, yes);
                if text.len() < 40 {
                    self.answer_text_as_other(text, yes);
                }
            }
            Fact::Int(value) => {
                yes.extend(self.ints.get(&value).into_iter().flatten());
                yes.extend(self.floats.iter().filter(|(wanted, _)| *wanted == value as f64).map(|(_, id)| *id));
            }
            Fact::Float(value) => {
                yes.extend(self.floats.iter().filter(|(wanted, _)| *wanted == value).map(|(_, id)| *id));
                if value.fract() == 0.0 && value.abs() < 9e15 {
                    yes.extend(self.ints.get(&(value as i64)).into_iter().flatten());
                }
            }
            Fact::Bool(value) => {
                yes.extend(self.bools.iter().filter(|(wanted, _)| *wanted == value).map(|(_, id)| *id));
            }
            Fact::Null | Fact::Other => return,
        }
        if !matches!(fact, Fact::Text(_))
            && let Some(text) = fact.text(doc)
        {
            self.answer_text(&text, watch, scratch, yes);
        }
        if !self.orders.is_empty()
            && let Some(number) = number(fact, doc)
        {
            yes.extend(self.orders.iter().filter(|(order, to, _)| order.holds(number, *to)).map(|(.., id)| *id));
        }
        if !self.networks.is_empty()
            && let Some(address) = address(fact, doc)
        {
            yes.extend(self.networks.iter().filter(|(network, _)| network.has(address)).map(|(_, id)| *id));
        }
        yes.sort_unstable();
        yes.dedup();
    }

    /// Questions for numbers and truth values, of a text that reads as one.
    fn answer_text_as_other(&self, text: &str, yes: &mut Vec<PredicateId>) {
        if !self.ints.is_empty()
            && let Ok(number) = text.parse::<i64>()
            && number.to_string() == text
        {
            yes.extend(self.ints.get(&number).into_iter().flatten());
        }
        if !self.floats.is_empty()
            && let Ok(number) = text.parse::<f64>()
        {
            yes.extend(self.floats.iter().filter(|(wanted, _)| *wanted == number).map(|(_, id)| *id));
        }
        if !self.bools.is_empty() {
            let value = |wanted: bool| if wanted { "true" } else { "false" };
            let is = |wanted: bool| text.eq_ignore_ascii_case(value(wanted));
            yes.extend(self.bools.iter().filter(|(wanted, _)| is(*wanted)).map(|(_, id)| *id));
        }
    }

    fn answer_text(&self, text: &str, watch: &Watch, scratch: &mut Scratch, yes: &mut Vec<PredicateId>) {
        let Scratch { lower: lowered, ask, times } = scratch;
        lowered.clear();
        lower_into(text, lowered);
        yes.extend(&self.any);
        if !self.exact.is_empty() {
            yes.extend(self.exact.get(lowered.as_str()).into_iter().flatten());
        }
        if !self.exact_cased.is_empty() {
            yes.extend(self.exact_cased.get(text).into_iter().flatten());
        }
        ask.clear();
        ask.extend(&self.unled);
        if let Some(automaton) = &self.automaton {
            for found in automaton.0.find_overlapping_iter(lowered.as_str()) {
                for left in self.left.get(found.value() as usize).into_iter().flatten() {
                    match left {
                        Left::Nothing(id) => yes.push(*id),
                        Left::Start(id) if found.start() == 0 => yes.push(*id),
                        Left::End(id) if found.end() == lowered.len() => yes.push(*id),
                        Left::Start(_) | Left::End(_) => {}
                        Left::Ask(number) => ask.push(*number),
                    }
                }
            }
        }
        ask.sort_unstable();
        ask.dedup();
        for number in ask.iter() {
            let asked = self.asked.get(*number as usize).filter(|(_, id)| !watch.is_unasked(*id));
            let Some((asked, id)) = asked else { continue };
            if let Asked::Regex(source, regex) = asked {
                // What is done once is no rule's pace.
                regex.get_or_init(|| compile(source));
            }
            let since = watch.clock();
            let is = match asked {
                Asked::Pattern(pattern) if pattern.cased => pattern.fits(text),
                Asked::Pattern(pattern) => pattern.fits(lowered),
                // The rule was read with this expression, so it compiles.
                Asked::Regex(_, regex) => {
                    regex.get().and_then(Option::as_ref).is_some_and(|regex| regex.is_match(text))
                }
            };
            times.extend(watch.since(since).map(|took| (*id, took)));
            if is {
                yes.push(*id);
            }
        }
    }
}

/// Compiles an expression of a rule. Every thread that asks it has a cache of its own: a small one, as there may be thousands of expressions.
fn compile(source: &str) -> Option<Regex> {
    RegexBuilder::new(source).dfa_size_limit(REGEX_CACHE_BYTES_MAX).build().ok()
}

/// Texts in lower case of which one is in every text that answers a question with yes; none if that is not known.
#[must_use]
pub fn pieces(test: &Test) -> Vec<String> {
    match test {
        Test::Text(pattern) => longest(pattern).into_iter().collect(),
        Test::Regex(regex) => needed(regex),
        _ => Vec::new(),
    }
}

/// The longest text of a pattern, in lower case.
fn longest(pattern: &Pattern) -> Option<String> {
    let texts = pattern.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text),
        Part::Any | Part::One => None,
    });
    texts.max_by_key(|text| text.len()).map(|text| lower(text))
}

/// Texts in lower case of which one is in every match of an expression; none if that is not known.
fn needed(regex: &str) -> Vec<String> {
    let Ok(hir) = regex_syntax::Parser::new().parse(regex) else { return Vec::new() };
    let useful = |kind: ExtractKind| -> Option<Vec<String>> {
        let mut extractor = Extractor::new();
        extractor.kind(kind).limit_total(LITERALS_MAX * 4);
        let literals = extractor.extract(&hir);
        let mut texts: Vec<String> = literals
            .literals()?
            .iter()
            .map(|literal| std::str::from_utf8(literal.as_bytes()).ok().filter(|text| text.is_ascii()).map(lower))
            .collect::<Option<_>>()?;
        texts.sort_unstable();
        texts.dedup();
        let long = texts.iter().all(|text| text.len() >= LITERAL_BYTES_MIN);
        (long && !texts.is_empty() && texts.len() <= LITERALS_MAX).then_some(texts)
    };
    let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min().unwrap_or(0);
    let found = [ExtractKind::Prefix, ExtractKind::Suffix].into_iter().filter_map(useful);
    found.max_by_key(shortest).unwrap_or_default()
}
