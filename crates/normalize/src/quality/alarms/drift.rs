//! Sources that changed what they write: judged beside an earlier run only.

use std::collections::{BTreeMap, BTreeSet};

use super::super::figures::{ClassFigures, FieldFigures, SourceFigures};
use super::{Alarm, Pair, REFERENCE_RECORDS_MIN, listed, percent, share};

/// Records in which a field should have stood, going by the earlier run, before its absence means something. Twenty misses in a row of
/// a field that is otherwise there are no chance.
const EXPECTED_MIN: f64 = 20.0;
/// Part of the expected records that may still have a field that is called gone: the last hosts of a fleet that was updated.
const GONE_LEFT_MAX: f64 = 0.02;
/// Records of the earlier run before "never seen" means something.
const NEW_REFERENCE_MIN: u64 = 100;
/// Part of the records that must have a new field or type: rarer ones come with rare events, not with a change of the source.
const NEW_SHARE_MIN: f64 = 0.01;
/// Fewest records with a new field.
const NEW_RECORDS_MIN: u64 = 10;
/// Fewest records with a new type: a type that was never seen is rarely chance.
const TYPE_RECORDS_MIN: u64 = 3;
/// Share of an earlier run's records that a class had, whose absence is an alarm. Rare classes are rare.
const CLASS_SHARE_MIN: f64 = 0.05;
/// Records of a class that should have come. More than for a field: what happens changes more than what is written about it.
const CLASS_EXPECTED_MIN: f64 = 50.0;
/// Rise of the share of values that no statement uses. The mix of events moves it by a percent or two.
const UNMAPPED_RISE: f64 = 0.05;
/// Drop of the share of events that fill an attribute. The mix of events within a class moves it by less.
const FILL_DROP: f64 = 0.2;
/// Smallest share of events with an attribute whose complete loss is an alarm.
const FILL_LOST_MIN: f64 = 0.05;
/// Rise of the share of enumeration values that say Unknown or Other.
const UNKNOWN_RISE: f64 = 0.05;

pub(super) fn judge(pair: &Pair<'_>, alarms: &mut Vec<Alarm>) {
    let Some(reference) = pair.reference else { return };
    fields(pair, reference, alarms);
    alarms.extend(classes(pair, reference));
    for class in &pair.now.classes {
        let known =
            reference.classes.iter().find(|known| known.class == class.class && known.records >= REFERENCE_RECORDS_MIN);
        let Some(known) = known.filter(|_| class.records >= REFERENCE_RECORDS_MIN) else { continue };
        let of_class = |alarm: Alarm| Alarm { class: Some(class.class.clone()), ..alarm };
        let found = [unmapped(pair, class, known), unknown(pair, class, known), fill(pair, class, known)];
        alarms.extend(found.into_iter().flatten().map(of_class));
    }
}

/// Classes that made a good part of the records and do not come any more.
fn classes(pair: &Pair<'_>, reference: &SourceFigures) -> Option<Alarm> {
    let mut gone = Vec::new();
    for class in &reference.classes {
        let usual = share(class.records, reference.records);
        let expected = usual * pair.now.records as f64;
        let measured = pair.now.classes.iter().find(|now| now.class == class.class).map_or(0, |now| now.records) as f64;
        if usual >= CLASS_SHARE_MIN && expected >= CLASS_EXPECTED_MIN && measured <= expected * GONE_LEFT_MAX {
            gone.push(class.class.as_str());
        }
    }
    (!gone.is_empty()).then(|| {
        let sentence = format!("events of class {} no longer come: the source writes them no more, or writes them so that the mapping does not know them", listed(&gone));
        pair.alarm("quality.class_gone", 0.0, gone.len() as f64, sentence)
    })
}

fn fields(pair: &Pair<'_>, reference: &SourceFigures, alarms: &mut Vec<Alarm>) {
    let (now, before) = (by_name(pair.now), by_name(reference));
    let changed = changed_types(&now, &before);
    let below_changed = |name: &str| parents(name).any(|parent| changed.contains_key(parent));
    let gone =
        topmost(gone(pair.now, reference, &now, &before).into_iter().filter(|name| !below_changed(name)).collect());
    let new =
        topmost(new(pair.now, reference, &now, &before).into_iter().filter(|name| !below_changed(name)).collect());
    if !gone.is_empty() {
        let sentence = format!("records no longer have {}", listed(&gone));
        alarms.push(pair.alarm("quality.field_gone", gone.len() as f64, 0.0, sentence));
    }
    if !new.is_empty() {
        let sentence = format!("records have {}, which no record of the earlier run had", listed(&new));
        alarms.push(pair.alarm("quality.field_new", new.len() as f64, 0.0, sentence));
    }
    if !changed.is_empty() {
        let described: Vec<String> = changed.iter().map(|(name, how)| format!("{name} ({how})")).collect();
        let sentence = format!(
            "values are of another type than before: {}",
            listed(&described.iter().map(String::as_str).collect::<Vec<_>>())
        );
        alarms.push(pair.alarm("quality.type_changed", changed.len() as f64, 0.0, sentence));
    }
}

type Fields<'a> = BTreeMap<&'a str, FieldFigures>;

/// The fields of all classes together: a field does not belong to a class.
fn by_name(source: &SourceFigures) -> Fields<'_> {
    let mut all: Fields<'_> = BTreeMap::new();
    for (name, field) in source.classes.iter().flat_map(|class| &class.fields) {
        let sum = all.entry(name).or_default();
        sum.records += field.records;
        for (kind, count) in &field.kinds {
            *sum.kinds.entry(kind.clone()).or_insert(0) += count;
        }
    }
    all
}

/// Fields that are not where the classes of this run had them before.
fn gone<'a>(now: &SourceFigures, reference: &SourceFigures, fields: &Fields<'_>, before: &Fields<'a>) -> Vec<&'a str> {
    let mut gone = Vec::new();
    for (name, field) in before {
        let in_class = |class: &ClassFigures| {
            let known = reference.classes.iter().find(|known| known.class == class.class);
            // A class that is new stands for those that the records were before.
            let usual = known.map_or_else(
                || share(field.records, reference.records),
                |known| share(known.fields.get(*name).map_or(0, |field| field.records), known.records),
            );
            usual * class.records as f64
        };
        let expected: f64 = now.classes.iter().map(in_class).sum();
        let measured = fields.get(name).map_or(0, |field| field.records) as f64;
        if expected >= EXPECTED_MIN && measured <= expected * GONE_LEFT_MAX {
            gone.push(*name);
        }
    }
    gone
}

fn new<'a>(now: &SourceFigures, reference: &SourceFigures, fields: &Fields<'a>, before: &Fields<'_>) -> Vec<&'a str> {
    if reference.records < NEW_REFERENCE_MIN || reference.classes.iter().any(|class| !class.fields_complete) {
        return Vec::new();
    }
    let is_new = |name: &&str, field: &FieldFigures| {
        let often = field.records >= NEW_RECORDS_MIN && share(field.records, now.records) >= NEW_SHARE_MIN;
        often && !before.contains_key(name)
    };
    fields.iter().filter(|(name, field)| is_new(name, field)).map(|(name, _)| *name).collect()
}

/// Fields with types that they never had, and how they changed.
fn changed_types<'a>(fields: &Fields<'a>, before: &Fields<'_>) -> BTreeMap<&'a str, String> {
    let mut changed = BTreeMap::new();
    for (name, field) in fields {
        let Some(known) = before.get(name).filter(|known| known.records >= REFERENCE_RECORDS_MIN) else { continue };
        let often = |count: u64| count >= TYPE_RECORDS_MIN && share(count, field.records) >= NEW_SHARE_MIN;
        let new = field.kinds.iter().find(|(kind, count)| often(**count) && !known.kinds.contains_key(*kind));
        let usual = known.kinds.iter().max_by_key(|(_, count)| **count);
        if let (Some((new, _)), Some((usual, _))) = (new, usual) {
            changed.insert(*name, format!("{usual} to {new}"));
        }
    }
    changed
}

/// `a.b` and `a` of `a.b.c`; `a` of `a[].b`
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.char_indices().filter(|(_, c)| *c == '.' || *c == '[').filter_map(|(at, _)| name.get(..at))
}

/// Names without those below another one of them.
fn topmost(names: Vec<&str>) -> Vec<&str> {
    let all: BTreeSet<&str> = names.iter().copied().collect();
    names.into_iter().filter(|name| !parents(name).any(|parent| all.contains(parent))).collect()
}

fn unmapped(pair: &Pair<'_>, class: &ClassFigures, known: &ClassFigures) -> Option<Alarm> {
    let (measured, expected) = (share(class.unmapped, class.values), share(known.unmapped, known.values));
    (measured - expected >= UNMAPPED_RISE).then(|| {
        let sentence = format!(
            "{} of the values in {} records stay unmapped; usual is {}",
            percent(measured),
            class.class,
            percent(expected)
        );
        pair.alarm("quality.unmapped_rise", measured, expected, sentence)
    })
}

fn unknown(pair: &Pair<'_>, class: &ClassFigures, known: &ClassFigures) -> Option<Alarm> {
    let (measured, expected) =
        (share(class.unknown_or_other, class.members), share(known.unknown_or_other, known.members));
    (measured - expected >= UNKNOWN_RISE).then(|| {
        let sentence = format!(
            "{} of the enumeration values in {} events say Unknown or Other; usual is {}",
            percent(measured),
            class.class,
            percent(expected)
        );
        pair.alarm("quality.unknown_rise", measured, expected, sentence)
    })
}

fn fill(pair: &Pair<'_>, class: &ClassFigures, known: &ClassFigures) -> Option<Alarm> {
    let mut dropped: Vec<(&str, f64, f64)> = Vec::new();
    for (name, (_, count)) in &known.fill {
        let expected = share(*count, known.records);
        let measured = share(class.fill.get(name).map_or(0, |fill| fill.1), class.records);
        let lost = expected >= FILL_LOST_MIN
            && expected * class.records as f64 >= EXPECTED_MIN
            && measured <= expected * GONE_LEFT_MAX;
        if expected - measured >= FILL_DROP || lost {
            dropped.push((name, measured, expected));
        }
    }
    let (name, measured, expected) =
        *dropped.iter().max_by(|left, right| (left.2 - left.1).total_cmp(&(right.2 - right.1)))?;
    let names = topmost(dropped.iter().map(|(name, ..)| *name).collect());
    let sentence = format!(
        "{} events fill {} less often: `{name}` {} where {} is usual",
        class.class,
        listed(&names),
        percent(measured),
        percent(expected)
    );
    Some(pair.alarm("quality.fill_drop", measured, expected, sentence))
}
