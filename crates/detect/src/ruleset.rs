//! Rules compiled together.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use watchfloor_sigma::logic::{FieldReference, Order, TimePart};
use watchfloor_sigma::{Correlation, Document as RuleDocument, Filter, LogSource, Logic, Meta, Predicate, Rule, Test};

use crate::access::access;
use crate::correlation::{Correlator, Settings};
use crate::facts::FieldId;
use crate::index::{FieldIndex, PredicateId, pieces};
use crate::source::EventSource;

/// Number of a rule in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u32);

/// Most different questions of a set.
pub const PREDICATES_MAX: usize = 4_000_000;
/// Most fields of a set.
pub const FIELDS_MAX: usize = 60_000;

/// The rules are more than one set can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge(String);

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TooLarge {}

/// A condition, compiled.
#[derive(Clone, Debug)]
pub enum Code {
    /// All hold.
    All(Box<[Code]>),
    /// One holds.
    Any(Box<[Code]>),
    /// It does not hold.
    Not(Box<Code>),
    /// A search of the rule.
    Search(u32),
    /// A question that the index of its field answers.
    Ask(PredicateId),
    /// A question that is asked when it is needed.
    Lazy(u32),
}

/// Questions that are not answered by one value alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lazy {
    /// The field is not there, or null.
    Null(FieldId),
    /// The field is there.
    Exists(FieldId),
    /// It stands so to another field.
    Field(FieldId, FieldId, FieldReference),
    /// A part of a time stands so to a number.
    Time(FieldId, TimePart, Order, i64),
}

/// A rule, compiled.
#[derive(Debug)]
pub struct Compiled {
    /// What it says of itself.
    pub meta: Meta,
    /// Its log source.
    pub source: LogSource,
    /// Its searches.
    pub(crate) searches: Box<[Code]>,
    /// When it matches.
    pub(crate) condition: Code,
    /// Its fields.
    pub fields: Vec<FieldId>,
    /// The questions that it asks all values of a record.
    pub(crate) keywords: Vec<PredicateId>,
    /// It is over the matches of rules, not over records.
    pub correlation: Option<Correlation>,
    /// It is there for a correlation, and its own matches are not told.
    pub silent: bool,
    /// It must be evaluated for every record of its log source.
    pub(crate) always: bool,
}

impl Compiled {
    /// Whether it asks all values of a record.
    #[must_use]
    pub fn asks_keywords(&self) -> bool {
        !self.keywords.is_empty()
    }
}

/// Rules compiled together. A set does not change; another one takes its place.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// Rules by number.
    pub rules: Vec<Compiled>,
    fields: Vec<String>,
    by_field: HashMap<String, FieldId>,
    by_name: HashMap<String, Vec<RuleId>>,
    pub(crate) indexes: Vec<FieldIndex>,
    /// Questions to all values.
    pub(crate) keywords: FieldIndex,
    /// For each of them, pieces of text of which one is in every value that answers it with yes; none if that is not known.
    pub(crate) keyword_pieces: HashMap<PredicateId, Vec<String>>,
    pub(crate) lazies: Vec<Lazy>,
    predicates: HashMap<Predicate, u32>,
    known_lazies: HashMap<Lazy, u32>,
    /// For each question the rules that it may make match.
    pub(crate) triggers: Vec<Box<[u32]>>,
    /// For each question the rules that ask it, once somebody wants to know.
    askers: OnceLock<Vec<Box<[u32]>>>,
}

impl RuleSet {
    /// Compiles rules, with filters applied. A correlation has a number among the rules; records are nothing to it. `fields` are known besides those that rules ask about.
    ///
    /// # Errors
    ///
    /// The rules ask more than [`PREDICATES_MAX`] questions, or ask about more than [`FIELDS_MAX`] fields.
    pub fn compile(documents: &[RuleDocument], fields: &[String]) -> Result<Self, TooLarge> {
        let mut set = Self::default();
        let filters: Vec<&Filter> = documents
            .iter()
            .filter_map(|document| match document {
                RuleDocument::Filter(filter) => Some(&**filter),
                _ => None,
            })
            .collect();
        for document in documents {
            match document {
                RuleDocument::Rule(rule) => set.add(rule, &filters),
                RuleDocument::Correlation(correlation) => set.add_correlation(&correlation.0, &correlation.1),
                RuleDocument::Filter(_) => continue,
            }
            let rule = RuleId(set.rules.len() as u32 - 1);
            for name in document.meta().names() {
                set.by_name.entry(name.clone()).or_default().push(rule);
            }
            set.check_size()?;
        }
        set.silence();
        for field in fields {
            set.field_or_new(field);
        }
        set.check_size()?;
        set.finish()?;
        Ok(set)
    }

    /// The rules that a correlation means by a name.
    #[must_use]
    pub fn called(&self, name: &str) -> &[RuleId] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn check_size(&self) -> Result<(), TooLarge> {
        let (questions, fields) = (self.predicates.len() + self.lazies.len(), self.fields.len());
        if questions > PREDICATES_MAX {
            return Err(TooLarge(format!("the rules ask more than {PREDICATES_MAX} different questions")));
        }
        if fields > FIELDS_MAX {
            return Err(TooLarge(format!("the rules ask about more than {FIELDS_MAX} fields")));
        }
        Ok(())
    }

    fn add(&mut self, rule: &Rule, filters: &[&Filter]) {
        let mut adding = Adding { set: self, fields: Vec::new(), keywords: Vec::new(), base: 0 };
        let mut searches: Vec<Code> = rule.searches.iter().map(|search| adding.code(search)).collect();
        let mut condition = adding.code(&rule.condition);
        let mut kept = Vec::new();
        for filter in filters.iter().filter(|filter| is_for(filter, rule)) {
            adding.base = searches.len() as u32;
            let theirs: Vec<Code> = filter.searches.iter().map(|search| adding.code(search)).collect();
            let keeps = adding.code(&filter.keeps);
            searches.extend(theirs);
            kept.push(keeps);
        }
        if !kept.is_empty() {
            kept.insert(0, condition);
            condition = Code::All(kept.into());
        }
        let (mut fields, keywords) = (adding.fields, adding.keywords);
        fields.sort_unstable();
        fields.dedup();
        self.rules.push(Compiled {
            meta: rule.meta.clone(),
            source: rule.source.clone(),
            searches: searches.into(),
            condition,
            fields,
            keywords,
            correlation: None,
            silent: false,
            always: false,
        });
    }

    fn add_correlation(&mut self, meta: &Meta, correlation: &Correlation) {
        let aliased = correlation.aliases.iter().flat_map(|(_, places)| places.iter().map(|(_, field)| field));
        let names = correlation.group_by.iter().chain(&correlation.fields).chain(aliased);
        let fields = names.map(|name| self.field_or_new(name)).collect();
        self.rules.push(Compiled {
            meta: meta.clone(),
            source: LogSource::default(),
            searches: Box::default(),
            condition: Code::Any(Box::default()),
            fields,
            keywords: Vec::new(),
            correlation: Some(correlation.clone()),
            silent: false,
            always: false,
        });
    }

    /// Rules that a correlation refers to are told only if it says so. One that cannot be used takes nothing away.
    fn silence(&mut self) {
        let unusable: BTreeSet<u32> =
            Correlator::new(self, Settings::default()).1.into_iter().map(|(rule, _)| rule.0).collect();
        let usable = self.rules.iter().zip(0..).filter(|(_, number)| !unusable.contains(number));
        let correlations: Vec<Correlation> = usable.filter_map(|(rule, _)| rule.correlation.clone()).collect();
        let mut generated = BTreeSet::new();
        for correlation in &correlations {
            for rule in correlation.rules.iter().flat_map(|name| self.by_name.get(name)).flatten() {
                if let Some(rule) = self.rules.get_mut(rule.0 as usize) {
                    rule.silent = true;
                }
                if correlation.generate {
                    generated.insert(*rule);
                }
            }
        }
        for rule in generated {
            if let Some(rule) = self.rules.get_mut(rule.0 as usize) {
                rule.silent = false;
            }
        }
    }

    /// Chooses the questions that lead to each rule, and makes the indexes.
    fn finish(&mut self) -> Result<(), TooLarge> {
        let mut asked = vec![0_u32; self.predicates.len()];
        for rule in &self.rules {
            rule.searches.iter().for_each(|search| count(search, &mut asked));
        }
        let mut triggers: Vec<Vec<u32>> = vec![Vec::new(); self.predicates.len()];
        for (number, rule) in self.rules.iter_mut().enumerate() {
            let found = access(&rule.condition, &rule.searches, &|id| asked.get(id as usize).copied().unwrap_or(1));
            match found {
                Some((questions, _)) => {
                    for question in questions {
                        if let Some(rules) = triggers.get_mut(question as usize) {
                            rules.push(number as u32);
                        }
                    }
                }
                None => rule.always = true,
            }
        }
        self.triggers = triggers.into_iter().map(Into::into).collect();
        self.predicates = HashMap::new();
        self.known_lazies = HashMap::new();
        let too_large = |error| TooLarge(format!("the texts of the rules do not fit: {error}"));
        self.indexes.iter_mut().chain([&mut self.keywords]).try_for_each(FieldIndex::finish).map_err(too_large)
    }

    /// The fields that rules ask about, by number.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// The number of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<FieldId> {
        self.by_field.get(name).copied()
    }

    /// The number of a field, new if rules do not ask about it: correlations may.
    fn field_or_new(&mut self, name: &str) -> FieldId {
        if let Some(known) = self.by_field.get(name) {
            return *known;
        }
        let id = FieldId(self.fields.len() as u16);
        self.fields.push(name.to_owned());
        self.by_field.insert(name.to_owned(), id);
        self.indexes.push(FieldIndex::default());
        id
    }

    /// How many different questions there are.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.triggers.len()
    }

    /// The questions that a rule asks of values.
    pub(crate) fn questions_of(&self, rule: RuleId) -> BTreeSet<PredicateId> {
        let mut questions = BTreeSet::new();
        if let Some(rule) = self.rules.get(rule.0 as usize) {
            // Filters ask in the condition.
            rule.searches.iter().chain([&rule.condition]).for_each(|code| gather(code, &mut questions));
        }
        questions
    }

    /// The rules that ask a question.
    pub(crate) fn askers(&self, question: PredicateId) -> &[u32] {
        let askers = self.askers.get_or_init(|| {
            let mut askers = vec![Vec::new(); self.questions()];
            for rule in 0..self.rules.len() as u32 {
                for question in self.questions_of(RuleId(rule)) {
                    if let Some(rules) = askers.get_mut(question as usize) {
                        rules.push(rule);
                    }
                }
            }
            askers.into_iter().map(Vec::into).collect()
        });
        askers.get(question as usize).map(AsRef::as_ref).unwrap_or_default()
    }

    /// Bytes of the automata.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.indexes.iter().chain([&self.keywords]).map(FieldIndex::bytes).sum()
    }

    /// The rules that are for a log source.
    pub fn rules_for<'s>(&'s self, source: &'s EventSource) -> impl Iterator<Item = RuleId> + 's {
        let rules = self.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| rule.correlation.is_none() && source.is(&rule.source))
            .map(|(number, _)| RuleId(number as u32))
    }
}

fn is_for(filter: &Filter, rule: &Rule) -> bool {
    let part = |mine: &Option<String>, its: &Option<String>| mine.is_none() || mine == its;
    let same_source = part(&filter.source.product, &rule.source.product)
        && part(&filter.source.category, &rule.source.category)
        && part(&filter.source.service, &rule.source.service);
    same_source && (filter.rules.is_empty() || filter.rules.iter().any(|name| rule.meta.is_called(name)))
}

fn gather(code: &Code, questions: &mut BTreeSet<PredicateId>) {
    match code {
        Code::All(all) | Code::Any(all) => all.iter().for_each(|one| gather(one, questions)),
        Code::Not(inner) => gather(inner, questions),
        Code::Ask(id) => {
            questions.insert(*id);
        }
        Code::Search(_) | Code::Lazy(_) => {}
    }
}

fn count(code: &Code, asked: &mut [u32]) {
    match code {
        Code::All(all) | Code::Any(all) => all.iter().for_each(|one| count(one, asked)),
        Code::Not(inner) => count(inner, asked),
        Code::Ask(id) => {
            if let Some(asked) = asked.get_mut(*id as usize) {
                *asked += 1;
            }
        }
        Code::Search(_) | Code::Lazy(_) => {}
    }
}

/// A rule that is being compiled.
struct Adding<'s> {
    set: &'s mut RuleSet,
    fields: Vec<FieldId>,
    keywords: Vec<PredicateId>,
    /// Number of the first search of what is being compiled.
    base: u32,
}

impl Adding<'_> {
    fn code(&mut self, logic: &Logic) -> Code {
        match logic {
            Logic::All(all) => Code::All(all.iter().map(|one| self.code(one)).collect()),
            Logic::Any(any) => Code::Any(any.iter().map(|one| self.code(one)).collect()),
            Logic::Not(inner) => Code::Not(Box::new(self.code(inner))),
            Logic::Search(number) => Code::Search(self.base + *number as u32),
            Logic::Is(predicate) => self.question(predicate),
        }
    }

    fn field(&mut self, name: &str) -> FieldId {
        let field = self.set.field_or_new(name);
        self.fields.push(field);
        field
    }

    fn question(&mut self, predicate: &Predicate) -> Code {
        let Some(name) = &predicate.field else {
            let id = self.asked(predicate, None);
            self.keywords.push(id);
            self.set.keyword_pieces.entry(id).or_insert_with(|| pieces(&predicate.test));
            return Code::Ask(id);
        };
        let field = self.field(name);
        let lazy = match &predicate.test {
            Test::Null => Lazy::Null(field),
            Test::Exists => Lazy::Exists(field),
            Test::Field(reference) => Lazy::Field(field, self.field(&reference.field), reference.clone()),
            Test::Time(part, order, number) => Lazy::Time(field, *part, *order, *number),
            _ => return Code::Ask(self.asked(predicate, Some(field))),
        };
        let next = self.set.lazies.len() as u32;
        let number = *self.set.known_lazies.entry(lazy.clone()).or_insert(next);
        if number == next {
            self.set.lazies.push(lazy);
        }
        Code::Lazy(number)
    }

    fn asked(&mut self, predicate: &Predicate, field: Option<FieldId>) -> PredicateId {
        let next = self.set.predicates.len() as u32;
        let id = *self.set.predicates.entry(predicate.clone()).or_insert(next);
        if id == next {
            let index = match field {
                Some(field) => self.set.indexes.get_mut(usize::from(field.0)),
                None => Some(&mut self.set.keywords),
            };
            // Of all values, only those that one value answers can be asked.
            let answers = index.is_some_and(|index| index.add(&predicate.test, id));
            debug_assert!(answers, "a question that no index answers");
        }
        id
    }
}
