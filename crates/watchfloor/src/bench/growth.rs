//! `watchfloor bench detect --growth`: the time of a record against the number of rules.

use std::sync::Arc;

use watchfloor_detect::Detection;
use watchfloor_normalize::Library;
use watchfloor_sigma::{Document, Logic, Part, Test};

use super::{Set, figure, measure};
use crate::rules::load::taxonomy;

/// Numbers of rules that are measured; and all of them, and ten times as many.
const SIZES: [usize; 3] = [10, 100, 1_000];
/// How many rules are made of each for the largest set.
const VARIANTS: usize = 10;

/// Measures sets of growing size: smaller ones are taken evenly from all rules, the largest has nine variants of each rule besides, which look for other
/// texts in the same fields.
pub fn run(library: &Library, set: &Set, documents: &[Document]) -> anyhow::Result<()> {
    let rules: Vec<&Document> = documents.iter().filter(|document| matches!(document, Document::Rule(_))).collect();
    let sizes = SIZES.into_iter().filter(|size| *size < rules.len());
    let sets = sizes.map(|size| {
        (0..size).filter_map(|at| rules.get(at * rules.len() / size)).map(|rule| (*rule).clone()).collect::<Vec<_>>()
    });
    for some in sets.chain([rules.iter().map(|rule| (*rule).clone()).collect()]) {
        time(library, set, &some)?;
    }
    let many = (0..VARIANTS).flat_map(|number| rules.iter().map(move |rule| variant(rule, number)));
    time(library, set, &many.collect::<Vec<_>>())
}

fn time(library: &Library, set: &Set, documents: &[Document]) -> anyhow::Result<()> {
    let detection = Arc::new(Detection::new(library, documents, taxonomy(), None)?);
    let seconds = measure(|| super::detect::pass(library, &detection, set));
    figure("detect.microseconds_per_event", seconds * 1e6 / set.records as f64, "us", documents.len())
}

/// A rule that looks for other texts.
fn variant(document: &Document, number: usize) -> Document {
    let mut document = document.clone();
    if let Document::Rule(rule) = &mut document
        && number > 0
    {
        rule.searches.iter_mut().for_each(|search| change(search, number));
    }
    document
}

fn change(logic: &mut Logic, number: usize) {
    match logic {
        Logic::All(all) | Logic::Any(all) => all.iter_mut().for_each(|one| change(one, number)),
        Logic::Not(inner) => change(inner, number),
        Logic::Is(predicate) => {
            if let Test::Text(pattern) = &mut predicate.test {
                for part in &mut pattern.parts {
                    if let Part::Text(text) = part {
                        text.insert_str(text.floor_char_boundary(text.len() / 2), &number.to_string());
                    }
                }
            }
        }
        Logic::Search(_) => {}
    }
}
