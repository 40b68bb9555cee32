//! Mapping files to plans.
//!
//! Everything a mapping says is checked here against the schema: attributes, members of enumerations, functions, patterns.
//! What compiles can only fail on a record's content, never on the mapping.

mod conditions;
mod expressions;
mod scope;
mod sets;
mod statements;

pub(crate) use statements::canonical_int;

use std::collections::HashMap;

use regex::RegexSet;
use watchfloor_decode::Format;
use watchfloor_ocsf::Schema;

use crate::fields::{KeyTable, Slot, Trie};
use crate::language::syntax::{Columns, Condition, Mapping, Names};
use crate::language::{Fault, parse_mapping, parse_names};
use crate::paths::{PathId, Paths};
use crate::plan::{Cond, ConstId, Keys, Pack, PackId, Plan};
use scope::Scope;

/// A mapping or names file as text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name, for messages.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// An error in one of the files, ready to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackFault {
    /// The file.
    pub file: String,
    /// Line.
    pub line: u32,
    /// The message with the line it is about.
    pub shown: String,
}

impl std::fmt::Display for PackFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::error::Error for PackFault {}

/// Constant texts, with their JSON form.
#[derive(Debug, Default)]
pub struct Consts {
    ids: HashMap<Box<str>, ConstId>,
    texts: Vec<(Box<str>, Box<str>)>,
}

impl Consts {
    /// Interns a text.
    pub fn intern(&mut self, text: &str) -> ConstId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = ConstId(self.texts.len() as u32);
        let mut json = String::new();
        crate::json::write_str(&mut json, text);
        self.texts.push((text.into(), json.into()));
        self.ids.insert(text.into(), id);
        id
    }

    /// The text.
    #[must_use]
    pub fn text(&self, id: ConstId) -> &str {
        self.texts.get(id.0 as usize).map_or("", |(text, _)| text)
    }

    /// The text as JSON, with quotes.
    #[must_use]
    pub fn json(&self, id: ConstId) -> &str {
        self.texts.get(id.0 as usize).map_or("\"\"", |(_, json)| json)
    }
}

/// Mappings that see records the same way.
#[derive(Debug)]
pub struct Family {
    /// When it applies; `None` for the plain family.
    pub applies: Option<Cond>,
    /// The format its records have.
    pub format: Option<Format>,
    /// Its names, if it has any.
    pub names: Option<Names>,
    /// Names of the positions `c1`, `c2`, … if it gives them names.
    pub columns: Vec<String>,
    /// Its fields.
    pub trie: Trie,
    /// Its plans, in order of detection.
    pub plans: Vec<Plan>,
    /// What detection asks of texts, gathered by field.
    pub sets: Vec<(Slot, RegexSet)>,
    /// What detection compares texts and numbers with, gathered by field.
    pub lookups: Vec<(Slot, Keys)>,
}

/// All packs, compiled. It does not change while records flow.
#[derive(Debug)]
pub struct Library {
    /// The schema events are made for.
    pub schema: &'static Schema,
    /// Keys of records.
    pub keys: KeyTable,
    /// Attribute paths.
    pub paths: Paths,
    /// Constant texts.
    pub consts: Consts,
    /// Packs by number.
    pub packs: Vec<Pack>,
    /// Families: the plain one first.
    pub families: Vec<Family>,
    /// Keys whose lists are the records.
    pub wrappers: Vec<String>,
    /// Paths that the engine itself sets.
    pub known: KnownPaths,
    /// Constants that the engine itself uses.
    pub words: Words,
    /// The fields that decide which families are asked: bound for every record.
    pub gate: Trie,
    /// Slot of `class_uid` in the gate: a record that is an OCSF event already.
    pub class_uid: Slot,
    /// Slot of `MESSAGE` in the gate: journald writes it as a list of bytes where it is no clean text.
    pub journal_message: Slot,
}

/// Paths that the engine itself sets.
#[derive(Clone, Copy, Debug)]
pub struct KnownPaths {
    /// `time`
    pub time: PathId,
    /// `metadata.original_time`
    pub original_time: PathId,
    /// `metadata.labels`
    pub labels: PathId,
    /// `metadata.product.name`
    pub product: PathId,
    /// `metadata.product.vendor_name`
    pub vendor: PathId,
}

/// Constants that the engine itself uses.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the constant of its name")]
pub struct Words {
    pub unknown: ConstId,
    pub time_missing: ConstId,
    pub time_unreadable: ConstId,
    pub time_absurd: ConstId,
}

impl Library {
    /// Compiles mappings and names. A later mapping of the same kind replaces the earlier. What cannot be used is left out and
    /// told: one broken mapping does not stop the other sources.
    #[must_use]
    pub fn compile(mappings: &[SourceFile], names: &[SourceFile]) -> (Self, Vec<PackFault>) {
        let mut faults = Vec::new();
        let names = names
            .iter()
            .filter_map(|source| keep(parse_names(&source.text).map(|n| (n, source)), source, &mut faults))
            .collect::<Vec<_>>();
        let mut parsed: Vec<(Mapping, &SourceFile)> = Vec::new();
        for source in mappings {
            let Some(mapping) = keep(parse_mapping(&source.text).and_then(checked_head), source, &mut faults) else {
                continue;
            };
            parsed.retain(|(earlier, _)| earlier.source != mapping.source);
            parsed.push((mapping, source));
        }
        parsed.sort_by(|(a, _), (b, _)| b.priority.cmp(&a.priority).then_with(|| a.source.cmp(&b.source)));
        let mut builder = Builder::new();
        builder.add_families(&names, &mut faults);
        for (mapping, source) in &parsed {
            if let Err(fault) = builder.add(mapping, source, &names) {
                builder.forget_last();
                faults.push(shown(&fault, source));
            }
        }
        builder.library.families.iter_mut().for_each(sets::gather);
        for (number, family) in builder.library.families.iter_mut().enumerate() {
            family.trie.number = number as u32 + 1;
        }
        (builder.library, faults)
    }

    /// What is known of a pack.
    #[must_use]
    pub fn pack(&self, id: PackId) -> Option<&Pack> {
        self.packs.get(usize::from(id.0))
    }

    /// The pack of a kind.
    #[must_use]
    pub fn kind(&self, kind: &str) -> Option<PackId> {
        self.packs.iter().position(|pack| pack.kind == kind).map(|at| PackId(at as u16))
    }
}

fn keep<T>(result: Result<T, Fault>, source: &SourceFile, faults: &mut Vec<PackFault>) -> Option<T> {
    result.map_err(|fault| faults.push(shown(&fault, source))).ok()
}

fn shown(fault: &Fault, source: &SourceFile) -> PackFault {
    PackFault { file: source.file.clone(), line: fault.at.line, shown: fault.render(&source.file, &source.text) }
}

fn checked_head(mapping: Mapping) -> Result<Mapping, Fault> {
    let first = crate::language::at_start();
    if mapping.source.is_empty() {
        return Err(Fault::new(first, "a mapping begins with `source KIND`, such as `source acme.door`"));
    }
    if mapping.formats.is_empty() {
        return Err(Fault::new(first, "a mapping says the format of its records, such as `format json`"));
    }
    for (format, at) in &mapping.formats {
        format_of(format, *at)?;
    }
    Ok(mapping)
}

fn format_of(name: &str, at: crate::language::At) -> Result<Format, Fault> {
    Format::parse(name).ok_or_else(|| {
        let all = Format::ALL.iter().map(|format| format.as_str()).collect::<Vec<_>>().join("`, `");
        Fault::new(at, format!("`{name}` is no format: there are `{all}`"))
    })
}

struct Builder {
    library: Library,
}

impl Builder {
    fn new() -> Self {
        let schema = Schema::v1_8();
        let plain = Family {
            applies: None,
            format: None,
            names: None,
            columns: Vec::new(),
            trie: Trie::default(),
            plans: Vec::new(),
            sets: Vec::new(),
            lookups: Vec::new(),
        };
        let (mut keys, mut paths, mut consts) = (KeyTable::default(), Paths::new(schema), Consts::default());
        let mut gate = Trie::default();
        let class_uid = gate.slot(&mut keys, None, &["class_uid".to_owned()]);
        let journal_message = gate.slot(&mut keys, None, &["MESSAGE".to_owned()]);
        let base = schema.class("base_event").unwrap_or_default();
        // A test proves that the schema has these.
        let mut path = |steps: &[&str]| paths.intern(base, steps).unwrap_or(PathId(u16::MAX));
        let known = KnownPaths {
            time: path(&["time"]),
            original_time: path(&["metadata", "original_time"]),
            labels: path(&["metadata", "labels"]),
            product: path(&["metadata", "product", "name"]),
            vendor: path(&["metadata", "product", "vendor_name"]),
        };
        let words = Words {
            unknown: consts.intern("Unknown"),
            time_missing: consts.intern("time:missing"),
            time_unreadable: consts.intern("time:unreadable"),
            time_absurd: consts.intern("time:absurd"),
        };
        let library = Library {
            schema,
            keys,
            paths,
            consts,
            known,
            words,
            gate,
            class_uid,
            journal_message,
            packs: Vec::new(),
            families: vec![plain],
            wrappers: Vec::new(),
        };
        Self { library }
    }

    fn add_families(&mut self, names: &[(Names, &SourceFile)], faults: &mut Vec<PackFault>) {
        for (names, source) in names {
            if let Err(fault) = self.add_family(names) {
                faults.push(shown(&fault, source));
            }
        }
    }

    fn add_family(&mut self, names: &Names) -> Result<(), Fault> {
        let Some(applies) = &names.applies else {
            return Err(Fault::new(crate::language::at_start(), "a names file says `applies COND`"));
        };
        let format = names.format.as_ref().map(|(format, at)| format_of(format, *at)).transpose()?;
        // `applies` looks at the record as it is, so it is bound like a plain field.
        let gate = std::mem::take(&mut self.library.gate);
        let mut scope = Scope::new(&mut self.library, gate, None, &[]);
        let cond = scope.condition(applies);
        self.library.gate = scope.into_trie();
        self.library.families.push(Family {
            applies: Some(cond?),
            format,
            names: Some(names.clone()),
            columns: Vec::new(),
            trie: Trie::default(),
            plans: Vec::new(),
            sets: Vec::new(),
            lookups: Vec::new(),
        });
        Ok(())
    }

    fn add(&mut self, mapping: &Mapping, source: &SourceFile, names: &[(Names, &SourceFile)]) -> Result<(), Fault> {
        let pack = PackId(self.library.packs.len() as u16);
        let vendor = self.library.consts.intern(&mapping.vendor);
        let product = self.library.consts.intern(&mapping.product);
        self.library.packs.push(Pack {
            kind: mapping.source.clone(),
            title: mapping.title.clone(),
            file: source.file.clone(),
            vendor,
            product,
            silence: mapping.silence.clone(),
            priority: mapping.priority,
        });
        for wrapper in &mapping.unwrap {
            if !self.library.wrappers.contains(wrapper) {
                self.library.wrappers.push(wrapper.clone());
            }
        }
        if mapping.formats.iter().any(|(format, _)| format != "winevent") {
            self.add_plan(0, mapping, pack, None)?;
        }
        for (wanted, at) in &mapping.names {
            let Some(index) = names.iter().position(|(names, _)| names.name == *wanted) else {
                return Err(Fault::new(*at, format!("there is no names file `{wanted}`")));
            };
            let names = names.get(index).map(|(names, _)| names);
            self.add_plan(index + 1, mapping, pack, names)?;
        }
        for columns in &mapping.columns {
            let names = names_of_columns(columns);
            self.add_columns(columns, &names)?;
            let family = self.library.families.len() - 1;
            self.add_plan(family, mapping, pack, Some(&names))?;
        }
        Ok(())
    }

    /// Takes the plans of a pack that could not be compiled whole out again.
    fn forget_last(&mut self) {
        self.library.packs.pop();
        let gone = PackId(self.library.packs.len() as u16);
        for family in &mut self.library.families {
            family.plans.retain(|plan| plan.pack != gone);
        }
    }

    fn add_columns(&mut self, columns: &Columns, names: &Names) -> Result<(), Fault> {
        let at_least = Condition::Has(crate::language::syntax::Expression::Field(crate::language::plain_field("c1")));
        let applies = match &columns.when {
            Some(condition) => Condition::All(vec![at_least, condition.clone()]),
            None => at_least,
        };
        let names = Names { applies: Some(applies), ..names.clone() };
        self.add_family(&names)?;
        if let Some(family) = self.library.families.last_mut() {
            family.columns = columns.names.clone();
        }
        Ok(())
    }

    fn add_plan(&mut self, family: usize, mapping: &Mapping, pack: PackId, names: Option<&Names>) -> Result<(), Fault> {
        let trie =
            self.library.families.get_mut(family).map(|family| std::mem::take(&mut family.trie)).unwrap_or_default();
        let mut scope = Scope::new(&mut self.library, trie, names, &mapping.body);
        let plan = scope.plan(mapping, pack);
        let trie = scope.into_trie();
        if let Some(family) = self.library.families.get_mut(family) {
            family.trie = trie;
            family.plans.push(plan?);
        }
        Ok(())
    }
}

/// The positions' names as a names file would say them: `src = c8, src`, and everything else where it stands.
fn names_of_columns(columns: &Columns) -> Names {
    let field = |(i, name): (usize, &String)| {
        let position = vec![Some(format!("c{}", i + 1))];
        (name.clone(), vec![position, vec![Some(name.clone())]])
    };
    let fields = columns.names.iter().enumerate().filter(|(_, name)| *name != "_").map(field).collect();
    Names { fields, others: vec![vec![None]], ..Names::default() }
}
