//! Regular expressions of detection, gathered.
//!
//! Dozens of sources are told by how their lines look. Asking each expression by itself would read every line dozens of times; a set
//! of all that are asked of one field reads it once.

use regex::{Regex, RegexSet, RegexSetBuilder};

use super::Family;
use crate::fields::Slot;
use crate::plan::{Begin, Cond, Expr};

/// Fewest expressions that are worth a set.
const SET_MIN: usize = 3;
/// Largest compiled set, in bytes.
const SET_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Replaces the expressions in a family's detection by members of sets.
pub(super) fn gather(family: &mut Family) {
    let mut found: Vec<(Slot, Vec<String>)> = Vec::new();
    for cond in family.plans.iter().filter_map(|plan| plan.detect.as_ref()) {
        collect(cond, &mut found);
    }
    found.retain(|(_, patterns)| patterns.len() >= SET_MIN);
    for (slot, patterns) in found {
        let Ok(set) = RegexSetBuilder::new(&patterns).size_limit(SET_BYTES_MAX).build() else { continue };
        let number = family.sets.len() as u16;
        for cond in family.plans.iter_mut().filter_map(|plan| plan.detect.as_mut()) {
            replace(cond, slot, number, &set);
        }
        family.sets.push((slot, set));
    }
}

/// The field an expression is asked of, if it is a plain one.
fn plain_slot(expr: &Expr) -> Option<Slot> {
    match expr {
        Expr::Field(Begin::Slot(slot), walk) if walk.is_empty() => Some(*slot),
        _ => None,
    }
}

/// The pattern as it was compiled: with ASCII classes where that was possible.
fn pattern_of(regex: &Regex) -> String {
    let ascii = regex::RegexBuilder::new(regex.as_str()).unicode(false).build().is_ok();
    if ascii { format!("(?-u:{})", regex.as_str()) } else { regex.as_str().to_owned() }
}

fn collect(cond: &Cond, found: &mut Vec<(Slot, Vec<String>)>) {
    match cond {
        Cond::Regex(expr, regex) => {
            let Some(slot) = plain_slot(expr) else { return };
            let pattern = pattern_of(regex);
            match found.iter_mut().find(|(known, _)| *known == slot) {
                Some((_, patterns)) => patterns.push(pattern),
                None => found.push((slot, vec![pattern])),
            }
        }
        Cond::All(all) | Cond::Any(all) => all.iter().for_each(|one| collect(one, found)),
        Cond::Not(inner) => collect(inner, found),
        _ => {}
    }
}

fn replace(cond: &mut Cond, slot: Slot, set_number: u16, set: &RegexSet) {
    match cond {
        Cond::Regex(expr, regex) if plain_slot(expr) == Some(slot) => {
            let pattern = pattern_of(regex);
            if let Some(at) = set.patterns().iter().position(|known| *known == pattern) {
                *cond = Cond::InSet(set_number, at as u16);
            }
        }
        Cond::All(all) | Cond::Any(all) => all.iter_mut().for_each(|one| replace(one, slot, set_number, set)),
        Cond::Not(inner) => replace(inner, slot, set_number, set),
        _ => {}
    }
}
