//! `watchfloor rules check`: the linter.

use std::path::PathBuf;

use watchfloor_model::Grade;
use watchfloor_normalize::json::{write_int, write_str};
use watchfloor_sigma::{Document, Options};

use super::load::{Loaded, placeholders, rules};
use crate::Ended;
use crate::detection::Remark;

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
    let together = together(&loaded)?;
    let count_of = |grade| loaded.count(grade) + together.iter().filter(|told: &&Remark| told.grade == grade).count();
    if json {
        crate::terminal::print(&lines(&loaded, &together))?;
    } else {
        loaded.tell(true);
        together.iter().for_each(|told| crate::terminal::say(&told.line()));
        let count = |is: fn(&Document) -> bool| loaded.documents.iter().filter(|document| is(document)).count();
        crate::terminal::print(&format!(
            "{} files: {} rules, {} correlations, {} filters; {} refused; {errors} errors, {warnings} warnings\n",
            loaded.files.len(),
            count(|document| matches!(document, Document::Rule(_))),
            count(|document| matches!(document, Document::Correlation(_))),
            count(|document| matches!(document, Document::Filter(_))),
            loaded.refused,
            errors = count_of(Grade::Error),
            warnings = count_of(Grade::Warning),
        ))?;
    }
    let is_bad = loaded.refused > 0 || count_of(Grade::Error) > 0 || strict && count_of(Grade::Warning) > 0;
    Ok(if is_bad { Ended::Findings } else { Ended::Fine })
}

/// What is to say of rules that concern each other.
fn together(loaded: &Loaded) -> anyhow::Result<Vec<Remark>> {
    let set = watchfloor_detect::RuleSet::compile(&loaded.documents, &[])?;
    let (_, mut told) = crate::detection::correlator(&set, watchfloor_detect::Settings::default());
    told.extend(crate::detection::idle_filters(&loaded.documents));
    let file = |from: &usize| loaded.files.get(*from).map_or("", |file| file.path.as_str());
    let documents = loaded.documents.iter().zip(loaded.from.iter().map(file));
    told.extend(crate::detection::doubles(documents));
    Ok(told)
}

fn lines(loaded: &Loaded, together: &[Remark]) -> String {
    let mut out = String::new();
    for file in &loaded.files {
        for finding in &file.findings {
            begin(&mut out, finding.grade, finding.code, &finding.message);
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
    for told in together {
        begin(&mut out, told.grade, told.code, &told.message);
        out.push_str("}\n");
    }
    out
}

fn begin(out: &mut String, grade: Grade, code: &str, message: &str) {
    out.push_str("{\"code\":");
    write_str(out, code);
    out.push_str(",\"grade\":");
    write_str(out, grade.as_str());
    out.push_str(",\"message\":");
    write_str(out, message);
}
