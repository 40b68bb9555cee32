//! `watchfloor rules coverage`: which techniques rules look for, in which data, whether they are tested, and which rules are blind.
//!
//! A rule is blind if no record that is recognised is of its log source; with `--data`, if no record of that data is, or if none of its fields
//! occurs there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchfloor_decode::Batch;
use watchfloor_detect::ruleset::Compiled;
use watchfloor_detect::{Detection, FieldId, Reader, RuleId};
use watchfloor_intake::{Input, Placed, read_inputs};
use watchfloor_normalize::json::write_str;
use watchfloor_normalize::{Clock, Engine, Library, Options};
use watchfloor_sigma::{LogSource, Options as RuleOptions};

use super::load::{Loaded, placeholders, rules, taxonomy};
use crate::{Ended, Usage};

/// What is known of a rule.
struct Row<'d> {
    rule: &'d Compiled,
    tested: bool,
    /// Why it cannot match anything.
    blind: Option<String>,
}

/// What was seen of data: for each rule how many records were of its log source, and their fields.
#[derive(Default)]
struct Seen {
    records: BTreeMap<RuleId, u64>,
    fields: BTreeMap<RuleId, BTreeSet<FieldId>>,
}

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::ValueExt as _;
    use lexopt::prelude::{Long, Short, Value};
    let (mut paths, mut data, mut format) = (Vec::new(), Vec::new(), "table".to_owned());
    let (mut packs, mut options) = (None, RuleOptions::default());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                crate::terminal::print(crate::help::RULES)?;
                return Ok(Ended::Fine);
            }
            Long("format") => format = parser.value()?.string()?,
            Long("data") => data.push(Input::Path(PathBuf::from(parser.value()?))),
            Long("packs") => packs = Some(PathBuf::from(parser.value()?)),
            Long("placeholders") => options.placeholders = placeholders(&PathBuf::from(parser.value()?))?,
            Value(path) => paths.push(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    anyhow::ensure!(
        ["table", "json", "navigator"].contains(&format.as_str()),
        Usage(format!("`--format {format}`: there are table, json, navigator"))
    );
    let (library, _) = crate::packs::library(packs.as_deref())?;
    let loaded = rules(&paths, &options)?;
    loaded.tell(false);
    let taxonomy = taxonomy();
    let fed = taxonomy.fed();
    let detection = Arc::new(Detection::new(&library, &loaded.documents, taxonomy, None)?);
    let mut unread = 0;
    let seen = (!data.is_empty()).then(|| look(&library, &detection, &data, &mut unread));
    let tested = tested(&loaded);
    let row = |(number, rule): (usize, &Compiled)| match (&seen, &rule.correlation) {
        (_, Some(_)) => None,
        (Some(seen), None) => blind_in(&detection, seen, RuleId(number as u32), rule),
        (None, None) => {
            (!is_fed(&rule.source, &fed)).then(|| "no record that is recognised is of its log source".to_owned())
        }
    };
    let mut blind: Vec<Option<String>> = detection.set.rules.iter().enumerate().map(row).collect();
    blind_together(&detection, &mut blind);
    let rows: Vec<Row<'_>> = detection
        .set
        .rules
        .iter()
        .zip(blind)
        .map(|(rule, blind)| Row { rule, tested: tested.contains(rule.meta.key()), blind })
        .collect();
    crate::terminal::print(&match format.as_str() {
        "json" => json(&rows),
        "navigator" => navigator(&rows),
        _ => crate::terminal::plain(&table(&rows)),
    })?;
    Ok(if unread > 0 || loaded.refused > 0 { Ended::Findings } else { Ended::Fine })
}

/// Correlations are blind if all the rules that they are about are.
fn blind_together(detection: &Detection, blind: &mut [Option<String>]) {
    loop {
        let before = blind.iter().flatten().count();
        for (number, rule) in detection.set.rules.iter().enumerate() {
            let Some(correlation) = &rule.correlation else { continue };
            let is_blind = |name: &String| {
                let mut rules = detection.set.called(name).iter();
                rules.all(|rule| blind.get(rule.0 as usize).is_some_and(Option::is_some))
            };
            if correlation.rules.iter().all(is_blind)
                && let Some(blind) = blind.get_mut(number)
            {
                *blind = Some("the rules that it is about are blind, or missing".to_owned());
            }
        }
        if blind.iter().flatten().count() == before {
            return;
        }
    }
}

/// Rules whose file has fixtures beside it; of the built-in ones all, as the tests of the project see to it.
fn tested(loaded: &Loaded) -> BTreeSet<String> {
    let documents = loaded.documents.iter().zip(&loaded.from);
    let has = |from: &usize| {
        let path = loaded.files.get(*from).map(|file| Path::new(&file.path));
        path.is_some_and(|path| !path.exists() || path.with_extension("test.yml").exists())
    };
    documents.filter(|(_, from)| has(from)).map(|(document, _)| document.meta().key().to_owned()).collect()
}

/// Whether entries of the taxonomy together name everything that a log source names.
fn is_fed(source: &LogSource, fed: &[watchfloor_detect::EventSource]) -> bool {
    let product = |one: &watchfloor_detect::EventSource| {
        source.product.as_ref().is_none_or(|product| one.products.contains(product))
    };
    let service = source
        .service
        .as_ref()
        .is_none_or(|service| fed.iter().any(|one| product(one) && one.services.contains(service)));
    let category = source
        .category
        .as_ref()
        .is_none_or(|category| fed.iter().any(|one| product(one) && one.categories.contains(category)));
    service && category && fed.iter().any(product)
}

/// Looks through data for log sources and fields.
fn look(library: &Library, detection: &Arc<Detection>, inputs: &[Input], unread: &mut usize) -> Seen {
    let clock = Clock { received: jiff::Timestamp::now().as_millisecond(), zone: jiff::tz::TimeZone::UTC };
    let mut engine = Engine::new(library, Options { clock, raw: true, source: None });
    let mut reader = Reader::new(Arc::clone(detection));
    let mut by_source: BTreeMap<u32, (u64, BTreeSet<FieldId>)> = BTreeMap::new();
    let mut sink = |_: Arc<str>, batch: Batch| {
        for framed in &batch.records {
            let outcome = engine.examine(framed, batch.raw(framed));
            // What matches is nothing here: the facts and the log source are.
            reader.read(&mut engine, &outcome);
            let source = reader.source(&engine.machine.doc, &outcome);
            let (count, fields) = by_source.entry(source.0).or_default();
            *count += 1;
            fields.extend(reader.facts.all().iter().map(|(field, _)| *field));
        }
        ControlFlow::Continue(())
    };
    let mut trouble = |placed: Placed| {
        *unread += usize::from(placed.diagnostic.grade == watchfloor_model::Grade::Error);
        crate::normalize::tell(&placed);
    };
    read_inputs(inputs, library.wrappers.clone().into(), 1 << 18, &mut sink, &mut trouble);
    let mut seen = Seen::default();
    for (source, (count, fields)) in by_source {
        for rule in reader.engine.rules_of(watchfloor_detect::SourceId(source)) {
            *seen.records.entry(rule).or_insert(0) += count;
            seen.fields.entry(rule).or_default().extend(fields.iter().copied());
        }
    }
    seen
}

fn blind_in(detection: &Detection, seen: &Seen, id: RuleId, rule: &Compiled) -> Option<String> {
    if seen.records.get(&id).is_none_or(|count| *count == 0) {
        return Some("no record of the data is of its log source".to_owned());
    }
    let there = |field: &FieldId| seen.fields.get(&id).is_some_and(|fields| fields.contains(field));
    if rule.asks_keywords() || rule.fields.is_empty() || rule.fields.iter().any(there) {
        return None;
    }
    let names: Vec<&str> = rule
        .fields
        .iter()
        .filter_map(|field| detection.set.fields().get(usize::from(field.0)))
        .map(String::as_str)
        .collect();
    Some(format!("none of its fields occurs in the data: {}", names.join(", ")))
}

fn source_of(rule: &Compiled) -> String {
    if rule.correlation.is_some() {
        return "correlation".to_owned();
    }
    let LogSource { category, product, service } = &rule.source;
    [product, service, category].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/")
}

/// Rules by technique and data source.
fn cells<'r, 'd>(rows: &'r [Row<'d>]) -> BTreeMap<String, BTreeMap<String, Vec<&'r Row<'d>>>> {
    let mut cells: BTreeMap<String, BTreeMap<String, Vec<&Row<'_>>>> = BTreeMap::new();
    for row in rows {
        let mut techniques: Vec<String> = row.rule.meta.techniques().collect();
        if techniques.is_empty() {
            techniques.push("none".to_owned());
        }
        for technique in techniques {
            cells.entry(technique).or_default().entry(source_of(row.rule)).or_default().push(row);
        }
    }
    cells
}

fn table(rows: &[Row<'_>]) -> String {
    let mut out =
        format!("{:<12}{:<44}{:>6}{:>8}{:>7}  {}\n", "technique", "data source", "rules", "tested", "blind", "name");
    for (technique, sources) in cells(rows) {
        for (source, rows) in sources {
            let tested = rows.iter().filter(|row| row.tested).count();
            let blind = rows.iter().filter(|row| row.blind.is_some()).count();
            let name = crate::attack::name(&technique).unwrap_or_default();
            let line = format!("{technique:<12}{source:<44}{:>6}{tested:>8}{blind:>7}  {name}", rows.len());
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    let blind: Vec<&Row<'_>> = rows.iter().filter(|row| row.blind.is_some()).collect();
    let techniques = cells(rows).keys().filter(|technique| *technique != "none").count();
    let _ = writeln!(out, "\n{} rules, {techniques} techniques, {} rules are blind", rows.len(), blind.len());
    let mut reasons: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for row in &blind {
        *reasons.entry((source_of(row.rule), row.blind.as_deref().unwrap_or_default())).or_insert(0) += 1;
    }
    for ((source, reason), count) in reasons {
        let _ = writeln!(out, "{count:>6}  {source}: {reason}");
    }
    out
}

fn json(rows: &[Row<'_>]) -> String {
    let mut out = String::new();
    for row in rows {
        out.push_str("{\"rule\":");
        write_str(&mut out, &row.rule.meta.title);
        out.push_str(",\"rule_id\":");
        write_str(&mut out, row.rule.meta.id.as_deref().unwrap_or_default());
        out.push_str(",\"source\":");
        write_str(&mut out, &source_of(row.rule));
        out.push_str(",\"techniques\":[");
        for (at, technique) in row.rule.meta.techniques().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_str(&mut out, &technique);
        }
        let _ = write!(out, "],\"tested\":{},\"blind\":", row.tested);
        match &row.blind {
            Some(reason) => write_str(&mut out, reason),
            None => out.push_str("null"),
        }
        out.push_str("}\n");
    }
    out
}

/// A layer for ATT&CK's Navigator: the score of a technique is the number of its rules that are not blind.
fn navigator(rows: &[Row<'_>]) -> String {
    let mut out = String::from(
        "{\"name\":\"Watchfloor rules\",\"versions\":{\"layer\":\"4.5\"},\"domain\":\"enterprise-attack\",\"gradient\":{\"colors\":[\"#ffffff\",\"#2a6fb0\"],\
         \"minValue\":0,\"maxValue\":5},\"techniques\":[",
    );
    let mut first = true;
    for (technique, sources) in cells(rows).iter().filter(|(technique, _)| *technique != "none") {
        let all: Vec<&&Row<'_>> = sources.values().flatten().collect();
        let (seeing, tested) =
            (all.iter().filter(|row| row.blind.is_none()).count(), all.iter().filter(|row| row.tested).count());
        if !first {
            out.push(',');
        }
        first = false;
        let names: Vec<&str> = sources.keys().map(String::as_str).collect();
        out.push_str("{\"techniqueID\":");
        write_str(&mut out, technique);
        let _ = write!(out, ",\"score\":{seeing},\"comment\":");
        write_str(&mut out, &format!("{} rules, {tested} tested, {seeing} fed; data: {}", all.len(), names.join(", ")));
        out.push('}');
    }
    out.push_str("]}\n");
    out
}
