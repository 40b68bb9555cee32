//! Modifiers: `CommandLine|contains|all`.
//!
//! They are applied from left to right. Some change values (encodings, dashes, placeholders), some how a value is compared, and `all` and `neq`
//! how the answers of several values are joined.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::condition::single_or;
use crate::detection::gather;
use crate::effort::{FILE_TEXT_BYTES_MAX, Reading};
use crate::finding::{Finding, Place};
use crate::logic::{FieldReference, Logic, Network, Order, Predicate, Test, TimePart};
use crate::pattern::{Part, Pattern};
use crate::variants::{VARIANT_BYTES_MAX, VARIANTS_MAX, bytes, dashes, expanded, too_many};
use crate::yaml::{Node, Value};

/// Largest compiled regular expression, in bytes (`sigma.regex`).
pub const REGEX_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most `?` in a value: each is tried at every place of what it is compared with.
pub const ONES_MAX: usize = 100;

/// All that there are, for the note of a misspelt one.
const ALL: [&str; 31] = [
    "all",
    "base64",
    "base64offset",
    "cased",
    "cidr",
    "contains",
    "day",
    "endswith",
    "exists",
    "expand",
    "fieldref",
    "gt",
    "gte",
    "hour",
    "i",
    "lt",
    "lte",
    "m",
    "minute",
    "month",
    "neq",
    "re",
    "s",
    "startswith",
    "utf16",
    "utf16be",
    "utf16le",
    "week",
    "wide",
    "windash",
    "year",
];

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Text,
    Regex,
    Cidr,
    Exists,
    Field,
    Order(Order),
}

/// The modifiers of a key, read.
#[derive(Clone, Debug)]
pub(crate) struct Modifiers {
    compare: Compare,
    time: Option<TimePart>,
    open_start: bool,
    open_end: bool,
    cased: bool,
    all: bool,
    negated: bool,
    flags: String,
    changes: Vec<Change>,
}

/// What changes a value, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Base64,
    Base64Offset,
    Utf16Le,
    Utf16Be,
    Utf16,
    Dash,
    Expand,
    OpenStart,
    OpenEnd,
}

impl Modifiers {
    /// Reads the words behind a field's name.
    pub(crate) fn read(words: &[&str], place: Place) -> Result<Self, Finding> {
        let mut modifiers = Self {
            compare: Compare::Text,
            time: None,
            open_start: false,
            open_end: false,
            cased: false,
            all: false,
            negated: false,
            flags: String::new(),
            changes: Vec::new(),
        };
        for word in words {
            modifiers.add(word, place)?;
        }
        modifiers.fit_together(words, place)?;
        Ok(modifiers)
    }

    fn add(&mut self, word: &str, place: Place) -> Result<(), Finding> {
        match word {
            "all" => self.all = true,
            "neq" => self.negated = true,
            "cased" => self.cased = true,
            "contains" => self.changes.extend([Change::OpenStart, Change::OpenEnd]),
            "startswith" => self.changes.push(Change::OpenEnd),
            "endswith" => self.changes.push(Change::OpenStart),
            "base64" => self.changes.push(Change::Base64),
            "base64offset" => self.changes.push(Change::Base64Offset),
            "wide" | "utf16le" => self.changes.push(Change::Utf16Le),
            "utf16be" => self.changes.push(Change::Utf16Be),
            "utf16" => self.changes.push(Change::Utf16),
            "windash" => self.changes.push(Change::Dash),
            "expand" => self.changes.push(Change::Expand),
            "re" => self.compare_as(Compare::Regex, place)?,
            "cidr" => self.compare_as(Compare::Cidr, place)?,
            "exists" => self.compare_as(Compare::Exists, place)?,
            "fieldref" => self.compare_as(Compare::Field, place)?,
            "i" | "m" | "s" if self.compare == Compare::Regex => self.flags.push_str(word),
            "i" | "m" | "s" => {
                return Err(Finding::error(
                    "sigma.modifier",
                    place,
                    format!("`{word}` is a flag of `re` and stands behind it"),
                ));
            }
            "lt" | "lte" | "gt" | "gte" => {
                let order = Order::parse(word).unwrap_or(Order::Equal);
                self.compare_as(Compare::Order(order), place)?;
            }
            "minute" => self.time = Some(TimePart::Minute),
            "hour" => self.time = Some(TimePart::Hour),
            "day" => self.time = Some(TimePart::Day),
            "week" => self.time = Some(TimePart::Week),
            "month" => self.time = Some(TimePart::Month),
            "year" => self.time = Some(TimePart::Year),
            other => {
                let near = ALL.iter().find(|known| known.eq_ignore_ascii_case(other) || near(known, other));
                let note = match near {
                    Some(near) => format!("is `{near}` meant?"),
                    None => "the modifiers are: all, base64, base64offset, cased, cidr, contains, day, endswith, exists, expand, \
                             fieldref, gt, gte, hour, lt, lte, minute, month, neq, re (with i, m, s), startswith, utf16, utf16be, \
                             utf16le, week, wide, windash, year"
                        .to_owned(),
                };
                return Err(Finding::error("sigma.modifier", place, format!("`{other}` is no modifier")).note(note));
            }
        }
        Ok(())
    }

    fn compare_as(&mut self, compare: Compare, place: Place) -> Result<(), Finding> {
        if self.compare != Compare::Text {
            return Err(Finding::error("sigma.modifier", place, "two of the modifiers say how the value is compared"));
        }
        self.compare = compare;
        Ok(())
    }

    /// Whether the modifiers can stand together.
    fn fit_together(&mut self, words: &[&str], place: Place) -> Result<(), Finding> {
        let wrong = |message: &str| Err(Finding::error("sigma.modifier", place, message.to_owned()));
        let opens = |change: &Change| matches!(change, Change::OpenStart | Change::OpenEnd);
        let encodes = self.changes.iter().any(|change| !opens(change) && *change != Change::Expand);
        self.open_start = self.changes.contains(&Change::OpenStart);
        self.open_end = self.changes.contains(&Change::OpenEnd);
        if self.changes.contains(&Change::Expand) && self.compare != Compare::Text {
            return wrong("placeholders are texts: `expand` has no place beside what compares otherwise");
        }
        match self.compare {
            Compare::Text if self.time.is_some() && (encodes || self.open_start || self.open_end || self.cased) => {
                return wrong("a part of a time is a number: modifiers of texts have no place there");
            }
            Compare::Text => {}
            Compare::Field if encodes => return wrong("a reference to a field cannot be encoded"),
            Compare::Field => {}
            Compare::Regex if encodes || self.cased => {
                return wrong("a regular expression cannot be encoded; its case is decided by `re|i`");
            }
            // `re|contains` is what some rules say; an expression matches anywhere in any case.
            Compare::Regex => {}
            _ if encodes || self.open_start || self.open_end || self.cased => {
                let last = words.last().unwrap_or(&"");
                return wrong(&format!("modifiers of texts have no place beside `{last}`"));
            }
            _ => {}
        }
        if self.time.is_some() && !matches!(self.compare, Compare::Text | Compare::Order(_)) {
            return wrong("a part of a time is a number: it can be compared with lt, lte, gt, gte");
        }
        let encodings =
            self.changes.iter().filter(|change| matches!(change, Change::Base64 | Change::Base64Offset)).count();
        if encodings > 1 {
            return wrong("a value is encoded with Base64 once");
        }
        Ok(())
    }

    /// Whether the values are joined with AND.
    pub(crate) fn is_all(&self) -> bool {
        self.all
    }

    /// What a field with these values must be.
    pub(crate) fn logic(&self, field: Option<&str>, values: &Node, reading: &Reading<'_>) -> Result<Logic, Finding> {
        let items = match &values.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(values),
        };
        let answer = |item: &Node| {
            let predicate = |test| Logic::Is(Predicate { field: field.map(str::to_owned), test });
            let tests = self.tests(field.is_none(), item, reading)?;
            Ok(match (self.compare, &item.value) {
                (Compare::Exists, Value::Bool(false)) => Logic::Not(Box::new(predicate(Test::Exists))),
                _ => single_or(tests.into_iter().map(predicate).collect(), Logic::Any),
            })
        };
        let answers = gather(items.iter().map(answer), values.place)?;
        let joined = single_or(answers, if self.all && !self.negated { Logic::All } else { Logic::Any });
        Ok(if self.negated { Logic::Not(Box::new(joined)) } else { joined })
    }

    fn tests(&self, is_keyword: bool, item: &Node, reading: &Reading<'_>) -> Result<Vec<Test>, Finding> {
        let place = item.place;
        let wrong = |code, message: String| Finding::error(code, place, message);
        if matches!(item.value, Value::List(_) | Value::Map(_)) {
            let message = format!("a value is {}; values are texts, numbers, truth values or null", item.kind());
            return Err(wrong("sigma.value", message));
        }
        if let Some(part) = self.time {
            let order = match self.compare {
                Compare::Order(order) => order,
                _ => Order::Equal,
            };
            let number = item.text().and_then(|text| text.parse().ok());
            let number = number.ok_or_else(|| wrong("sigma.value", "a part of a time is a whole number".to_owned()))?;
            return Ok(vec![Test::Time(part, order, number)]);
        }
        let text = item.text();
        Ok(match self.compare {
            Compare::Text => return self.texts(is_keyword, item, reading),
            Compare::Exists => match item.value {
                Value::Bool(_) => vec![Test::Exists],
                _ => return Err(wrong("sigma.value", format!("`exists` is true or false, not {}", item.kind()))),
            },
            Compare::Order(order) => {
                let number = text.and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
                let number = number.ok_or_else(|| {
                    wrong("sigma.value", format!("numbers are compared, and this is {}", item.kind()))
                })?;
                vec![Test::Order(order, number.to_bits())]
            }
            Compare::Cidr => {
                let text = text.unwrap_or_default();
                let network = Network::parse(&text).ok_or_else(|| {
                    wrong("sigma.cidr", format!("`{text}` is no network")).note("such as 10.0.0.0/8 or fe80::/10")
                })?;
                vec![Test::Cidr(network)]
            }
            Compare::Field => {
                let field =
                    text.ok_or_else(|| wrong("sigma.value", format!("a field's name is a text, not {}", item.kind())))?;
                let (open_start, open_end, cased) = (self.open_start, self.open_end, self.cased);
                vec![Test::Field(FieldReference { field, open_start, open_end, cased })]
            }
            Compare::Regex => {
                let text =
                    text.ok_or_else(|| wrong("sigma.value", format!("an expression is a text, not {}", item.kind())))?;
                let flags = if self.flags.is_empty() { String::new() } else { format!("(?{})", self.flags) };
                let regex = format!("{flags}{text}");
                if let Err(why) = reading.compile(&regex, REGEX_BYTES_MAX) {
                    return Err(wrong("sigma.regex", format!("the regular expression cannot be used: {why}"))
                        .note("expressions run in linear time: there is no look-around and no back reference"));
                }
                vec![Test::Regex(regex)]
            }
        })
    }

    /// Values that are compared as texts, and those that are none. A keyword may stand anywhere, if it does not say where.
    fn texts(&self, is_keyword: bool, item: &Node, reading: &Reading<'_>) -> Result<Vec<Test>, Finding> {
        if self.changes.is_empty() {
            match &item.value {
                Value::Null => return Ok(vec![Test::Null]),
                Value::Int(number, text) if *text == number.to_string() => return Ok(vec![Test::Int(*number)]),
                Value::Float(number, _) => return Ok(vec![Test::Float(number.to_bits())]),
                Value::Bool(value) => return Ok(vec![Test::Bool(*value)]),
                _ => {}
            }
        }
        let Some(text) = item.text() else {
            let message = "null has no text to change or to compare";
            return Err(Finding::error("sigma.value", item.place, message)
                .note("`field: null` asks whether the field is empty"));
        };
        // What a placeholder stands for is changed as if it had been written.
        let mut values = match self.changes.contains(&Change::Expand) {
            true => expanded(&text, reading.options, item.place)?,
            false => vec![Pattern::parse(&text)],
        };
        if values.iter().flat_map(|value| &value.parts).filter(|part| **part == Part::One).count() > ONES_MAX {
            let message = format!("the value has more than {ONES_MAX} `?`");
            return Err(Finding::error("sigma.value", item.place, message)
                .note("`*` stands for any number of characters, and `re` can count them"));
        }
        for (at, change) in self.changes.iter().enumerate() {
            let wide = |before: &Change| matches!(before, Change::Utf16 | Change::Utf16Le | Change::Utf16Be);
            let is_bytes = self.changes.iter().take(at).any(wide);
            let (mut changed, mut size) = (Vec::new(), 0);
            for value in values {
                let from = changed.len();
                self.change(*change, value, is_bytes, &mut changed, item.place)?;
                size += changed.iter().skip(from).map(bytes).sum::<usize>();
                if changed.len() > VARIANTS_MAX || size > VARIANT_BYTES_MAX {
                    return Err(too_many(item.place));
                }
            }
            values = changed;
        }
        let size = values.iter().map(|value| bytes(value) + size_of::<Pattern>()).sum();
        if !reading.takes_bytes(size) {
            let message = format!(
                "the texts that the file looks for have more than {FILE_TEXT_BYTES_MAX} bytes, with all variants"
            );
            return Err(Finding::error("sigma.too_many_values", item.place, message));
        }
        Ok(values
            .into_iter()
            .map(|mut pattern| {
                if is_keyword
                    && !self.changes.iter().any(|change| matches!(change, Change::OpenStart | Change::OpenEnd))
                {
                    pattern.open_start();
                    pattern.open_end();
                }
                pattern.cased = self.cased || self.encodes();
                if !pattern.cased {
                    pattern.ignore_case();
                }
                Test::Text(pattern)
            })
            .collect())
    }

    /// Base64 has upper and lower case that mean different things.
    fn encodes(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Base64 | Change::Base64Offset))
    }

    fn change(
        &self,
        change: Change,
        mut value: Pattern,
        is_bytes: bool,
        out: &mut Vec<Pattern>,
        place: Place,
    ) -> Result<(), Finding> {
        let plain = |value: &Pattern| {
            value.as_plain().map(str::to_owned).ok_or_else(|| {
                Finding::error("sigma.value", place, "what is encoded must have no wildcards").note(
                    "put `contains` behind the encoding, and write wildcards that are meant as such with a backslash",
                )
            })
        };
        match change {
            Change::OpenStart => {
                value.open_start();
                out.push(value);
            }
            Change::OpenEnd => {
                value.open_end();
                out.push(value);
            }
            Change::Base64 => out.push(Pattern::plain(&STANDARD.encode(bytes_of(&plain(&value)?, is_bytes)))),
            Change::Base64Offset => out.extend(shifted(&bytes_of(&plain(&value)?, is_bytes))),
            Change::Utf16Le => out.push(wide(&plain(&value)?, u16::to_le_bytes, false)),
            Change::Utf16Be => out.push(wide(&plain(&value)?, u16::to_be_bytes, false)),
            Change::Utf16 => out.push(wide(&plain(&value)?, u16::to_le_bytes, true)),
            Change::Dash => out.extend(dashes(&value).ok_or_else(|| too_many(place))?),
            Change::Expand => out.push(value),
        }
        Ok(())
    }
}

/// Whether two words differ by little.
fn near(known: &str, word: &str) -> bool {
    let letters = |text: &str| {
        let mut letters: Vec<u8> = text.to_ascii_lowercase().into_bytes();
        letters.sort_unstable();
        letters
    };
    word.len() > 3
        && (known.starts_with(word) || word.starts_with(known) && known.len() > 3 || letters(known) == letters(word))
}

/// Bytes as characters, so that what is no text can be encoded further: characters up to U+00FF that came from bytes stand for them.
fn wide(text: &str, order: fn(u16) -> [u8; 2], mark: bool) -> Pattern {
    let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    let chars: String = units.flat_map(order).map(char::from).collect();
    let mut pattern = Pattern::plain(&chars);
    pattern.cased = true;
    pattern
}

/// The bytes of a text; of one that [`wide`] made, those it stands for.
fn bytes_of(text: &str, is_bytes: bool) -> Vec<u8> {
    if is_bytes {
        return text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    }
    text.as_bytes().to_vec()
}

/// What stays the same of a text's Base64 when 0, 1 or 2 bytes stand before it.
fn shifted(bytes: &[u8]) -> impl Iterator<Item = Pattern> {
    let bytes = bytes.to_vec();
    (0..3_usize).map(move |offset| {
        let moved: Vec<u8> = std::iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
        let encoded = STANDARD.encode(&moved);
        // Characters that also depend on what stands before or behind.
        let start = [0, 2, 3].get(offset).copied().unwrap_or(0);
        let end = encoded.len() - [0, 3, 2].get(moved.len() % 3).copied().unwrap_or(0);
        Pattern::plain(encoded.get(start..end).unwrap_or_default())
    })
}
