//! Running a set of rules over records.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use watchfloor_model::{Document, Span, Value};

use crate::budget::{Budget, Suspensions, Watch, has, mark};
use crate::facts::{Fact, Facts, FieldId};
use crate::index::{PredicateId, Scratch};
use crate::ruleset::{Code, Compiled, Lazy, RuleId, RuleSet};
use crate::source::{EventSource, SourceId};
use crate::tests_of_values::{part_of_time, refers};

/// Most values whose answers are remembered.
const REMEMBERED_MAX: usize = 32_768;
/// Longest value that is remembered, in bytes.
const REMEMBERED_BYTES_MAX: usize = 256;
/// Hashes of values that were seen once.
const SEEN: usize = 16_384;
/// Most combinations of log sources that are remembered.
const SOURCES_MAX: usize = 65_536;
/// Number of the field of keywords among remembered values.
const KEYWORDS: u16 = u16::MAX;

/// The rules of one combination of log sources.
#[derive(Debug)]
struct Bucket {
    /// One bit for each rule.
    rules: Box<[u64]>,
    /// Those that are evaluated for every record.
    always: Box<[u32]>,
    /// One bit for each field.
    fields: Box<[u64]>,
    keywords: Keywords,
    any: bool,
}

/// Which records have values that are worth asking for keywords.
#[derive(Debug)]
enum Keywords {
    /// None: no rule asks.
    None,
    /// All.
    Every,
    /// Those whose text has one of these pieces. Numbers are looked at as well if one could be in them.
    With { pieces: AhoCorasick, numbers: bool },
}

type Remembered = HashMap<Box<[u8]>, Box<[PredicateId]>, foldhash::fast::FixedState>;

/// Runs a set of rules over one record after another; a worker thread has one.
#[derive(Debug)]
pub struct Engine {
    set: Arc<RuleSet>,
    sources: HashMap<EventSource, SourceId>,
    buckets: Vec<Arc<Bucket>>,
    /// Number of the first bucket: numbers are not given twice.
    first: u32,
    remembered: Remembered,
    /// Hashes of values that were seen once: a value is remembered when it comes again.
    seen: Vec<u64>,
    key: Vec<u8>,
    scratch: Scratch,
    answers: Vec<PredicateId>,
    yes: Vec<u32>,
    trues: Vec<PredicateId>,
    led: Vec<u32>,
    memo: Vec<(u32, bool)>,
    memo_generation: u32,
    generation: u32,
    matches: Vec<RuleId>,
    watch: Watch,
}

impl Engine {
    /// An engine for a set, whose rules take the time they need.
    #[must_use]
    pub fn new(set: Arc<RuleSet>) -> Self {
        Self::with(set, None, Arc::default())
    }

    /// An engine that suspends rules which take more time than they may.
    #[must_use]
    pub fn with(set: Arc<RuleSet>, budget: Option<Budget>, suspended: Arc<Suspensions>) -> Self {
        let searches = set.rules.iter().map(|rule| rule.searches.len()).max().unwrap_or(0);
        Self {
            yes: vec![0; set.questions()],
            led: vec![0; set.rules.len()],
            memo: vec![(0, false); searches],
            watch: Watch::new(&set, budget, suspended),
            set,
            sources: HashMap::new(),
            buckets: Vec::new(),
            first: 0,
            remembered: Remembered::default(),
            seen: vec![0; SEEN],
            key: Vec::new(),
            scratch: Scratch::default(),
            answers: Vec::new(),
            trues: Vec::new(),
            memo_generation: 0,
            generation: 0,
            matches: Vec::new(),
        }
    }

    /// The set.
    #[must_use]
    pub fn set(&self) -> &Arc<RuleSet> {
        &self.set
    }

    /// The number of a combination of log sources.
    pub fn source(&mut self, source: &EventSource) -> SourceId {
        if let Some(known) = self.sources.get(source) {
            return *known;
        }
        if self.buckets.len() >= SOURCES_MAX {
            self.sources.clear();
            self.first = self.first.wrapping_add(self.buckets.len() as u32);
            self.buckets.clear();
        }
        let id = SourceId(self.first.wrapping_add(self.buckets.len() as u32));
        self.buckets.push(Arc::new(bucket(&self.set, source)));
        self.sources.insert(source.clone(), id);
        id
    }

    fn bucket(&self, source: SourceId) -> Option<&Arc<Bucket>> {
        self.buckets.get(source.0.wrapping_sub(self.first) as usize)
    }

    /// Whether the number of a log source still stands for one.
    #[must_use]
    pub fn knows(&self, source: SourceId) -> bool {
        self.bucket(source).is_some()
    }

    /// The rules for a log source.
    #[must_use]
    pub fn rules_of(&self, source: SourceId) -> Vec<RuleId> {
        let Some(bucket) = self.bucket(source) else { return Vec::new() };
        (0..self.set.rules.len()).filter(|at| has(&bucket.rules, *at)).map(|at| RuleId(at as u32)).collect()
    }

    /// Whether any rule is for a log source.
    #[must_use]
    pub fn is_asked(&self, source: SourceId) -> bool {
        self.bucket(source).is_some_and(|bucket| bucket.any)
    }

    /// Whether the rules for a log source ask about a field.
    #[must_use]
    pub fn asks(&self, source: SourceId, field: FieldId) -> bool {
        self.bucket(source).is_some_and(|bucket| has(&bucket.fields, usize::from(field.0)))
    }

    /// The rules that match a record, in order of their numbers. A record that is a `line` of text is itself one of the values that keywords
    /// are looked for in.
    pub fn evaluate(&mut self, source: SourceId, doc: &Document, facts: &Facts, line: bool) -> &[RuleId] {
        self.matches.clear();
        let Some(bucket) = self.bucket(source).map(Arc::clone) else { return &[] };
        if !bucket.any {
            return &[];
        }
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.yes.fill(0);
            self.led.fill(0);
            self.generation = 1;
        }
        let set = Arc::clone(&self.set);
        if self.watch.begin(&set, doc.all_text().len()) {
            // Values were answered without the questions of suspended rules.
            self.remembered.clear();
        }
        self.trues.clear();
        for (field, fact) in facts.all() {
            if has(&bucket.fields, usize::from(field.0)) {
                self.ask(field.0, *fact, doc);
            }
        }
        match &bucket.keywords {
            Keywords::None => {}
            Keywords::With { pieces, numbers } if !self.may_have(pieces, *numbers, doc) => {}
            Keywords::With { .. } | Keywords::Every => self.ask_everything(doc, line),
        }
        for (question, took) in self.scratch.times.drain(..) {
            self.watch.asked(&set, question, took);
        }
        let trues = std::mem::take(&mut self.trues);
        for rule in trues.iter().filter_map(|answer| set.triggers.get(*answer as usize)).flatten() {
            let at = *rule as usize;
            if !has(&bucket.rules, at) {
                continue;
            }
            if let Some(led) = self.led.get_mut(at).filter(|led| **led != self.generation) {
                *led = self.generation;
                self.run(&set, *rule, doc, facts);
            }
        }
        self.trues = trues;
        for rule in &bucket.always {
            self.run(&set, *rule, doc, facts);
        }
        self.matches.sort_unstable();
        &self.matches
    }

    /// Whether a piece is in the record: all its texts stand in one buffer.
    fn may_have(&mut self, pieces: &AhoCorasick, numbers: bool, doc: &Document) -> bool {
        let text = self.scratch.lowered(doc.all_text());
        if numbers {
            for node in doc.nodes() {
                let fact = match node.value {
                    Value::Int(number) => Fact::Int(number),
                    Value::Float(number) => Fact::Float(number),
                    Value::Bool(value) => Fact::Bool(value),
                    _ => continue,
                };
                if let Some(value) = fact.text(doc) {
                    text.push('\n');
                    text.push_str(&value);
                }
            }
        }
        pieces.is_match(text.as_str())
    }

    /// Keywords: every value of the record, and the line it is if it is one.
    fn ask_everything(&mut self, doc: &Document, line: bool) {
        for node in doc.nodes() {
            let fact = match node.value {
                Value::Text(span) | Value::Number(span) => Fact::Text(span),
                Value::Int(number) => Fact::Int(number),
                Value::Float(number) => Fact::Float(number),
                Value::Bool(value) => Fact::Bool(value),
                Value::Null | Value::List | Value::Object => continue,
            };
            self.ask(KEYWORDS, fact, doc);
        }
        if line {
            let len = doc.raw().len() as u32;
            self.ask(KEYWORDS, Fact::Text(Span { start: 0, len }), doc);
        }
    }

    /// Asks a value all questions of its field.
    fn ask(&mut self, field: u16, fact: Fact, doc: &Document) {
        self.answers.clear();
        let remember = self.write_key(field, fact, doc) && self.watch.is_whole();
        if remember && let Some(known) = self.remembered.get(self.key.as_slice()) {
            self.answers.extend_from_slice(known);
        } else {
            let index = match field {
                KEYWORDS => &self.set.keywords,
                field => match self.set.indexes.get(usize::from(field)) {
                    Some(index) => index,
                    None => return,
                },
            };
            index.answer(fact, doc, &self.watch, &mut self.scratch, &mut self.answers);
            if remember && self.comes_again() {
                if self.remembered.len() >= REMEMBERED_MAX {
                    self.remembered.clear();
                }
                self.remembered.insert(self.key.as_slice().into(), self.answers.as_slice().into());
            }
        }
        for answer in &self.answers {
            if let Some(yes) = self.yes.get_mut(*answer as usize).filter(|yes| **yes != self.generation) {
                *yes = self.generation;
                self.trues.push(*answer);
            }
        }
    }

    /// Whether the value was seen before, not long ago.
    fn comes_again(&mut self) -> bool {
        let hash = foldhash::fast::FixedState::default().hash_one(self.key.as_slice());
        self.seen.get_mut(hash as usize % SEEN).is_some_and(|seen| std::mem::replace(seen, hash) == hash)
    }

    /// The key of a value among those remembered; false if it is not worth it.
    fn write_key(&mut self, field: u16, fact: Fact, doc: &Document) -> bool {
        self.key.clear();
        self.key.extend_from_slice(&field.to_le_bytes());
        match fact {
            Fact::Text(span) if span.len as usize > REMEMBERED_BYTES_MAX => return false,
            Fact::Text(span) => {
                self.key.push(0);
                self.key.extend_from_slice(doc.text(span).as_bytes());
            }
            Fact::Int(number) => {
                self.key.push(1);
                self.key.extend_from_slice(&number.to_le_bytes());
            }
            Fact::Float(number) => {
                self.key.push(2);
                self.key.extend_from_slice(&number.to_bits().to_le_bytes());
            }
            Fact::Bool(value) => self.key.push(3 + u8::from(value)),
            Fact::Null | Fact::Other => return false,
        }
        true
    }

    fn run(&mut self, set: &RuleSet, number: u32, doc: &Document, facts: &Facts) {
        let Some(rule) = set.rules.get(number as usize) else { return };
        if self.watch.is_off(number) {
            return;
        }
        let since = self.watch.clock();
        self.memo_generation = self.memo_generation.wrapping_add(1);
        if self.memo_generation == 0 {
            self.memo.fill((0, false));
            self.memo_generation = 1;
        }
        if self.holds(set, rule, &rule.condition, doc, facts) {
            self.matches.push(RuleId(number));
        }
        self.watch.ran(set, number, since);
    }

    fn holds(&mut self, set: &RuleSet, rule: &Compiled, code: &Code, doc: &Document, facts: &Facts) -> bool {
        match code {
            Code::All(all) => all.iter().all(|one| self.holds(set, rule, one, doc, facts)),
            Code::Any(any) => any.iter().any(|one| self.holds(set, rule, one, doc, facts)),
            Code::Not(inner) => !self.holds(set, rule, inner, doc, facts),
            Code::Ask(id) => self.yes.get(*id as usize) == Some(&self.generation),
            Code::Lazy(number) => set.lazies.get(*number as usize).is_some_and(|lazy| answer(lazy, doc, facts)),
            Code::Search(number) => {
                let at = *number as usize;
                if let Some((generation, known)) = self.memo.get(at)
                    && *generation == self.memo_generation
                {
                    return *known;
                }
                let holds = rule.searches.get(at).is_some_and(|code| self.holds(set, rule, code, doc, facts));
                if let Some(memo) = self.memo.get_mut(at) {
                    *memo = (self.memo_generation, holds);
                }
                holds
            }
        }
    }
}

fn answer(lazy: &Lazy, doc: &Document, facts: &Facts) -> bool {
    match lazy {
        Lazy::Null(field) => facts.of(*field).all(|fact| fact == Fact::Null),
        Lazy::Exists(field) => facts.has(*field),
        Lazy::Field(field, other, reference) => refers(facts, doc, *field, *other, reference),
        Lazy::Time(field, part, order, number) => {
            facts.of(*field).any(|fact| part_of_time(fact, doc, *part).is_some_and(|found| order.holds(found, *number)))
        }
    }
}

fn bucket(set: &RuleSet, source: &EventSource) -> Bucket {
    let mut rules = vec![0_u64; set.rules.len().div_ceil(64)];
    let mut fields = vec![0_u64; set.fields().len().div_ceil(64)];
    let (mut always, mut keywords, mut any) = (Vec::new(), BTreeSet::new(), false);
    // Correlations look at fields of records that no rule may ask about.
    for rule in set.rules.iter().filter(|rule| rule.correlation.is_some()) {
        rule.fields.iter().for_each(|field| mark(&mut fields, usize::from(field.0)));
    }
    for id in set.rules_for(source) {
        let Some(rule) = set.rules.get(id.0 as usize) else { continue };
        any = true;
        mark(&mut rules, id.0 as usize);
        rule.fields.iter().for_each(|field| mark(&mut fields, usize::from(field.0)));
        keywords.extend(rule.keywords.iter().copied());
        if rule.always {
            always.push(id.0);
        }
    }
    let keywords = gate(set, &keywords);
    Bucket { rules: rules.into(), always: always.into(), fields: fields.into(), keywords, any }
}

/// What leads to keywords.
fn gate(set: &RuleSet, keywords: &BTreeSet<PredicateId>) -> Keywords {
    if keywords.is_empty() {
        return Keywords::None;
    }
    let mut pieces = BTreeSet::new();
    for keyword in keywords {
        match set.keyword_pieces.get(keyword) {
            Some(some) if !some.is_empty() => pieces.extend(some),
            _ => return Keywords::Every,
        }
    }
    let in_number = |piece: &&String| piece.bytes().all(|byte| b"0123456789+-.aefilnrstu".contains(&byte));
    let numbers = pieces.iter().any(in_number);
    // What is too large for one automaton is asked without.
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(pieces)
        .map_or(Keywords::Every, |pieces| Keywords::With { pieces, numbers })
}
