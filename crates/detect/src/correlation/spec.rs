//! Correlations with their rules and fields as numbers of a set.

use std::collections::BTreeSet;

use watchfloor_sigma::{Bound, Correlation, CorrelationCondition, CorrelationKind, Logic, Meta, Order};

use crate::facts::FieldId;
use crate::ruleset::{RuleId, RuleSet};

/// A correlation, with rules and fields as numbers.
#[derive(Debug)]
pub(super) struct Spec {
    pub rule: RuleId,
    /// What it is known by where it is remembered: a correlation that was changed is another one.
    pub identity: String,
    pub kind: CorrelationKind,
    pub rules: Vec<RuleId>,
    pub names: Vec<String>,
    /// For each rule the fields of the group.
    pub keys: Vec<Vec<FieldId>>,
    pub fields: Vec<FieldId>,
    pub span: i64,
    pub condition: CorrelationCondition,
    pub percentile: f64,
    pub slides: bool,
}

impl Spec {
    /// How many matches it takes at least.
    pub fn least(&self) -> f64 {
        let CorrelationCondition::Bounds(bounds) = &self.condition else { return 0.0 };
        let counts = matches!(self.kind, CorrelationKind::EventCount | CorrelationKind::ValueCount);
        let below = bounds
            .iter()
            .filter(|bound| counts && matches!(bound.order, Order::Greater | Order::GreaterOrEqual | Order::Equal));
        below.map(|bound| bound.number).fold(0.0, f64::max)
    }
}

/// What a rule is known by where it is remembered.
pub(super) fn name(meta: &Meta) -> &str {
    meta.id.as_ref().or(meta.name.as_ref()).unwrap_or(&meta.title)
}

/// Finds the rules and fields of a correlation.
pub(super) fn spec(set: &RuleSet, rule: RuleId, correlation: &Correlation) -> Result<Spec, String> {
    let find = |name: &String| {
        let found = set
            .rules
            .iter()
            .position(|rule| rule.meta.id.as_ref() == Some(name) || rule.meta.name.as_ref() == Some(name));
        found
            .map(|at| RuleId(at as u32))
            .ok_or_else(|| format!("there is no rule `{name}` among those that are loaded"))
    };
    let rules = correlation.rules.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let field = |name: &str| set.field(name).ok_or_else(|| format!("there is no field `{name}`"));
    let key = |rule: &String| -> Result<Vec<FieldId>, String> {
        let name = |name: &String| {
            let alias = correlation.aliases.iter().find(|(alias, _)| alias == name);
            let own =
                alias.and_then(|(_, places)| places.iter().find(|(of, _)| of == rule)).map(|(_, field)| field.as_str());
            field(own.unwrap_or(name))
        };
        correlation.group_by.iter().map(name).collect()
    };
    let keys = correlation.rules.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let fields = correlation.fields.iter().map(|name| field(name)).collect::<Result<Vec<_>, _>>()?;
    let grows =
        |bounds: &[Bound]| bounds.iter().all(|bound| matches!(bound.order, Order::Greater | Order::GreaterOrEqual));
    let slides = match (&correlation.condition, correlation.kind) {
        (CorrelationCondition::Rules(logic), _) => !negates(logic),
        (
            CorrelationCondition::Bounds(bounds),
            CorrelationKind::EventCount
            | CorrelationKind::ValueCount
            | CorrelationKind::ValueSum
            | CorrelationKind::Temporal
            | CorrelationKind::TemporalOrdered,
        ) => grows(bounds),
        (CorrelationCondition::Bounds(_), _) => false,
    };
    let meta = set.rules.get(rule.0 as usize).map(|rule| name(&rule.meta)).unwrap_or_default();
    Ok(Spec {
        rule,
        identity: format!("{meta} {correlation:?}"),
        kind: correlation.kind,
        rules,
        names: correlation.group_by.clone(),
        keys,
        fields,
        span: correlation.timespan as i64 * 1_000,
        condition: correlation.condition.clone(),
        percentile: correlation.percentile,
        slides,
    })
}

fn negates(logic: &Logic) -> bool {
    match logic {
        Logic::All(all) | Logic::Any(all) => all.iter().any(negates),
        Logic::Not(_) => true,
        Logic::Search(_) | Logic::Is(_) => false,
    }
}

/// Correlations from which following references leads back to them, or to others that do so.
pub(super) fn cyclic(specs: &[Spec]) -> BTreeSet<RuleId> {
    let own: BTreeSet<RuleId> = specs.iter().map(|spec| spec.rule).collect();
    let mut settled: BTreeSet<RuleId> = BTreeSet::new();
    loop {
        let before = settled.len();
        for spec in specs {
            if spec.rules.iter().all(|rule| !own.contains(rule) || settled.contains(rule)) {
                settled.insert(spec.rule);
            }
        }
        if settled.len() == before {
            return own.difference(&settled).copied().collect();
        }
    }
}
