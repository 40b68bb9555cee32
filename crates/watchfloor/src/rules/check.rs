//! `watchfloor rules check`: the linter.

use std::collections::BTreeMap;
use std::path::PathBuf;

use watchfloor_model::Grade;
use watchfloor_normalize::json::{write_int, write_str};
use watchfloor_sigma::{Document, Options};

use super::load::{Loaded, placeholders, rules};
use crate::Ended;

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let (mut paths, mut json, mut strict) = (Vec::new(), false, false);
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                crate::terminal::print(crate::help::RULES)?;
                return Ok(Ended::Fine);
            }
            Long("json") => json = true,
            Long("strict") => strict = true,
            Long("placeholders") => options.placeholders = placeholders(&PathBuf::from(parser.value()?))?,
            Value(path) => paths.push(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let loaded = rules(&paths, &options)?;
    let doubles = doubles(&loaded);
    let together = together(&loaded)?;
    if json {
        crate::terminal::print(&lines(&loaded))?;
    } else {
        loaded.tell(true);
        doubles.iter().chain(&together).for_each(|told| crate::terminal::say(told));
        let (errors, warnings) = (loaded.count(Grade::Error), loaded.count(Grade::Warning));
        let count = |is: fn(&Document) -> bool| loaded.documents.iter().filter(|document| is(document)).count();
        crate::terminal::print(&format!(
            "{} files: {} rules, {} correlations, {} filters; {} refused; {errors} errors, {warnings} warnings\n",
            loaded.files.len(),
            count(|document| matches!(document, Document::Rule(_))),
            count(|document| matches!(document, Document::Correlation(_))),
            count(|document| matches!(document, Document::Filter(_))),
            loaded.refused,
            errors = errors + together.len(),
            warnings = warnings + doubles.len(),
        ))?;
    }
    let is_bad = loaded.refused > 0
        || !together.is_empty()
        || strict && (loaded.count(Grade::Warning) > 0 || !doubles.is_empty());
    Ok(if is_bad { Ended::Findings } else { Ended::Fine })
}

/// What is wrong with rules that refer to each other.
fn together(loaded: &Loaded) -> anyhow::Result<Vec<String>> {
    let set = watchfloor_detect::RuleSet::compile(&loaded.documents, &[])?;
    let (_, mut told) = crate::detection::correlator(&set, watchfloor_detect::Settings::default());
    told.extend(crate::detection::idle_filters(&loaded.documents));
    Ok(told)
}

/// Ids that several documents have.
fn doubles(loaded: &Loaded) -> Vec<String> {
    let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (document, from) in loaded.documents.iter().zip(&loaded.from) {
        if let (Some(id), Some(file)) = (&document.meta().id, loaded.files.get(*from)) {
            known.entry(id).or_default().push(&file.path);
        }
    }
    let several = known.iter().filter(|(_, files)| files.len() > 1);
    several
        .map(|(id, files)| {
            format!("warning[sigma.duplicate_id]: the id {id} is that of several rules: {}\n", files.join(", "))
        })
        .collect()
}

fn lines(loaded: &Loaded) -> String {
    let mut out = String::new();
    for file in &loaded.files {
        for finding in &file.findings {
            out.push_str("{\"code\":");
            write_str(&mut out, finding.code);
            out.push_str(",\"grade\":");
            write_str(&mut out, finding.grade.as_str());
            out.push_str(",\"message\":");
            write_str(&mut out, &finding.message);
            if let Some(note) = &finding.note {
                out.push_str(",\"note\":");
                write_str(&mut out, note);
            }
            out.push_str(",\"file\":");
            write_str(&mut out, &file.path);
            for (key, number) in
                [("line", finding.place.line), ("column", finding.place.column), ("length", finding.place.len)]
            {
                out.push_str(&format!(",\"{key}\":"));
                write_int(&mut out, i64::from(number));
            }
            out.push_str("}\n");
        }
    }
    out
}
