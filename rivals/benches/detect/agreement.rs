//! Which rules match a record in one engine only.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Map, Value, json};
use watchfloor_decode::Batch;
use watchfloor_detect::{RuleId, RuleSet};

use crate::ours::{Ours, Routes};
use crate::theirs::Rsigma;

/// Longest value of an example, in characters.
const SHOWN_MAX: usize = 400;

/// How many records a rule matches in one engine only, and the first of them.
#[derive(Clone, Copy, Default)]
struct Count(usize, usize);

/// Where engines differ on a rule.
#[derive(Default)]
struct Difference {
    /// Both look at the same fields.
    ours: Count,
    rsigma: Count,
    /// They differ because the taxonomy knows another place of a field: with it our engine matches, or no longer does.
    ours_by_other_names: Count,
    rsigma_by_other_names: Count,
}

/// Prints every difference, a line for each rule; and how often both agree.
pub fn print(ours: &Ours<'_>, own_names: &Ours<'_>, rsigma: &Rsigma, records: &Batch, routes: &Routes) -> Result<()> {
    let (with, without, theirs) =
        (matches(ours, records), matches(own_names, records), their_matches(&ours.set, rsigma, records, routes));
    let mut differences: BTreeMap<RuleId, Difference> = BTreeMap::new();
    let (mut both, mut alike, mut alike_by_own_names) = (0, 0, 0);
    for (at, ((with, without), theirs)) in with.iter().zip(&without).zip(&theirs).enumerate() {
        both += with.intersection(theirs).count();
        alike += usize::from(with == theirs);
        alike_by_own_names += usize::from(without == theirs);
        for rule in &(&(with | without) | theirs) {
            let is_in = (with.contains(rule), without.contains(rule), theirs.contains(rule));
            let count: fn(&mut Difference) -> &mut Count = match is_in {
                (_, true, false) => |found| &mut found.ours,
                (_, false, true) => |found| &mut found.rsigma,
                (true, false, false) => |found| &mut found.ours_by_other_names,
                (false, true, true) => |found| &mut found.rsigma_by_other_names,
                _ => continue,
            };
            count(differences.entry(*rule).or_default()).note(at);
        }
    }
    for (rule, difference) in &differences {
        crate::print(&told(&ours.set, *rule, difference, records))?;
    }
    let n = records.records.len();
    crate::figure("agreement.matches_of_both", both as f64, "", n)?;
    crate::figure("agreement.records_alike", alike as f64, "", n)?;
    crate::figure("agreement.records_alike_by_own_names", alike_by_own_names as f64, "", n)
}

impl Count {
    fn note(&mut self, at: usize) {
        if self.0 == 0 {
            self.1 = at;
        }
        self.0 += 1;
    }
}

fn matches(ours: &Ours<'_>, records: &Batch) -> Vec<BTreeSet<RuleId>> {
    let mut all = Vec::new();
    ours.run(records, |_, rules| all.push(rules.iter().copied().collect()));
    all
}

fn their_matches(set: &RuleSet, rsigma: &Rsigma, records: &Batch, routes: &Routes) -> Vec<BTreeSet<RuleId>> {
    let (numbers, mut all) = (crate::numbers(set), Vec::new());
    rsigma.run(records, routes, |_, found| {
        all.push(found.iter().filter_map(|one| numbers.get(one.header.rule_id.as_ref()?).copied()).collect());
    });
    all
}

fn told(set: &RuleSet, rule: RuleId, difference: &Difference, records: &Batch) -> Value {
    let about = set.rules.get(rule.0 as usize);
    let names: Vec<&String> = about
        .into_iter()
        .flat_map(|rule| &rule.fields)
        .filter_map(|field| set.fields().get(usize::from(field.0)))
        .collect();
    let side = |Count(count, at): Count| match count {
        0 => Value::Null,
        _ => json!({"records": count, "example": example(records, at, &names)}),
    };
    json!({
        "rule": about.and_then(|rule| rule.meta.id.clone()),
        "title": about.map(|rule| rule.meta.title.clone()),
        "only_ours": side(difference.ours),
        "only_rsigma": side(difference.rsigma),
        "only_ours_by_other_names": side(difference.ours_by_other_names),
        "only_rsigma_by_other_names": side(difference.rsigma_by_other_names),
    })
}

/// The values of some fields of a record.
fn example(records: &Batch, at: usize, names: &[&String]) -> Value {
    let text = records.records.get(at).map(|framed| records.raw(framed)).unwrap_or_default();
    let record: Map<String, Value> = serde_json::from_slice(text).unwrap_or_default();
    let short = |value: &Value| match value {
        Value::String(text) => Value::String(text.chars().take(SHOWN_MAX).collect()),
        other => other.clone(),
    };
    let fields = names.iter().map(|name| name.as_str()).chain(["Channel", "EventID"]);
    fields.filter_map(|name| Some((name.to_owned(), short(record.get(name)?)))).collect::<Map<_, _>>().into()
}
