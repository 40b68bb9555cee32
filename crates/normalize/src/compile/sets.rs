//! What detection asks of fields, gathered.
//!
//! Dozens of sources are told by how their lines look. Asking each expression by itself would read every line dozens of times; a set
//! of all that are asked of one field reads it once. As many are told by a field that is one of some constants, such as the provider of a
//! Windows event: the field is looked up once among the constants of all sources.

use regex::{Regex, RegexSet, RegexSetBuilder};

use super::Family;
use crate::fields::Slot;
use crate::plan::{Begin, Cond, Expr, Keys};

/// Fewest expressions that are worth a set.
const SET_MIN: usize = 3;
/// Largest compiled set, in bytes.
const SET_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Replaces what a family's detection asks by members of sets and look-ups.
pub(super) fn gather(family: &mut Family) {
    gather_expressions(family);
    let Family { plans, lookups, .. } = family;
    for plan in plans {
        let absent = &plan.absent;
        if let Some(cond) = &mut plan.detect {
            gather_constants(cond, absent, lookups);
        }
    }
}

fn gather_constants(cond: &mut Cond, absent: &[Box<str>], lookups: &mut Vec<(Slot, Keys)>) {
    let (expr, keys) = match cond {
        Cond::In(expr, keys) => (expr, keys),
        Cond::All(all) | Cond::Any(all) => {
            return all.iter_mut().for_each(|one| gather_constants(one, absent, lookups));
        }
        Cond::Not(inner) => return gather_constants(inner, absent, lookups),
        _ => return,
    };
    // A text that means "no value" to this mapping means one to others.
    let is_absent = |text: &str| absent.iter().any(|absent| absent.eq_ignore_ascii_case(text));
    let is_plain = keys.globs.is_empty()
        && !keys.texts.keys().any(|text| is_absent(text))
        && !keys.ints.keys().any(|int| is_absent(&int.to_string()));
    let Some(slot) = plain_slot(expr).filter(|_| is_plain) else { return };
    let known = lookups.iter().position(|(known, all)| *known == slot && all.exact_case == keys.exact_case);
    let number = known.unwrap_or_else(|| {
        lookups.push((slot, Keys { exact_case: keys.exact_case, ..Keys::default() }));
        lookups.len() - 1
    });
    let Some((_, all)) = lookups.get_mut(number) else { return };
    let mut texts: Vec<_> = keys.texts.keys().collect();
    let mut ints: Vec<_> = keys.ints.keys().collect();
    texts.sort_unstable();
    ints.sort_unstable();
    let mut numbers = Vec::new();
    for text in texts {
        let next = (all.ints.len() + all.texts.len()) as u32;
        numbers.push(*all.texts.entry(text.clone()).or_insert(next));
    }
    for int in ints {
        let next = (all.ints.len() + all.texts.len()) as u32;
        numbers.push(*all.ints.entry(*int).or_insert(next));
    }
    *cond = Cond::InKeys(number as u16, numbers.into());
}

/// Replaces the regular expressions by members of sets.
fn gather_expressions(family: &mut Family) {
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
                *cond = Cond::InSet(slot, set_number, at as u16);
            }
        }
        Cond::All(all) | Cond::Any(all) => all.iter_mut().for_each(|one| replace(one, slot, set_number, set)),
        Cond::Not(inner) => replace(inner, slot, set_number, set),
        _ => {}
    }
}
