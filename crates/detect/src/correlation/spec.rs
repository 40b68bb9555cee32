//! Correlations with their rules and fields as numbers of a set.

use std::collections::{BTreeSet, HashMap};

use watchfloor_sigma::{Bound, Correlation, CorrelationCondition, CorrelationKind, Logic, Order};

use crate::facts::FieldId;
use crate::ruleset::{RuleId, RuleSet};

/// Most correlations that stand on each other.
pub(super) const HEIGHT_MAX: usize = 32;

/// A correlation, with rules and fields as numbers.
#[derive(Debug)]
pub(super) struct Spec {
    pub rule: RuleId,
    /// What it is known by where it is remembered: a correlation that was changed is another one.
    pub identity: String,
    pub kind: CorrelationKind,
    /// For each place the rules that are called so.
    pub rules: Vec<Vec<RuleId>>,
    pub names: Vec<String>,
    /// The fields that the names of the group are to correlations that look at this one.
    pub outer: Vec<FieldId>,
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

/// Finds the rules and fields of a correlation.
pub(super) fn spec(set: &RuleSet, rule: RuleId, correlation: &Correlation) -> Result<Spec, String> {
    let find = |name: &String| match set.called(name) {
        [] => Err(format!("there is no rule `{name}` among those that are loaded")),
        found => Ok(found.to_vec()),
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
    let outer = correlation.group_by.iter().map(|name| field(name)).collect::<Result<Vec<_>, _>>()?;
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
    let meta = set.rules.get(rule.0 as usize).map(|rule| rule.meta.key()).unwrap_or_default();
    Ok(Spec {
        rule,
        identity: format!("{meta} {correlation:?}"),
        kind: correlation.kind,
        rules,
        names: correlation.group_by.clone(),
        outer,
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

/// Correlations that stand on themselves, and those that stand on too many, each on the next: neither can be used.
pub(super) fn unsound(specs: &[Spec]) -> (BTreeSet<RuleId>, BTreeSet<RuleId>) {
    let own: HashMap<RuleId, usize> = specs.iter().enumerate().map(|(at, spec)| (spec.rule, at)).collect();
    // On how many each one stands that is not settled yet, who stands on it, and how high.
    let mut open: Vec<usize> = vec![0; specs.len()];
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); specs.len()];
    for (at, spec) in specs.iter().enumerate() {
        let beneath: BTreeSet<usize> = spec.rules.iter().flatten().filter_map(|rule| own.get(rule).copied()).collect();
        if let Some(open) = open.get_mut(at) {
            *open = beneath.len();
        }
        for below in beneath {
            if let Some(above) = above.get_mut(below) {
                above.push(at);
            }
        }
    }
    let mut height: Vec<usize> = vec![1; specs.len()];
    let mut settled: Vec<usize> = (0..specs.len()).filter(|at| open.get(*at) == Some(&0)).collect();
    let mut next = 0;
    while let Some(at) = settled.get(next).copied() {
        next += 1;
        let reached = height.get(at).map_or(1, |height| height + 1);
        for up in above.get(at).into_iter().flatten() {
            if let (Some(height), Some(open)) = (height.get_mut(*up), open.get_mut(*up)) {
                *height = reached.max(*height);
                *open -= 1;
                if *open == 0 {
                    settled.push(*up);
                }
            }
        }
    }
    let pick = |is: &dyn Fn(usize) -> bool| {
        specs.iter().enumerate().filter(|(at, _)| is(*at)).map(|(_, spec)| spec.rule).collect()
    };
    let in_circle = |at: usize| open.get(at).is_some_and(|open| *open > 0);
    (pick(&in_circle), pick(&|at| !in_circle(at) && height.get(at).is_some_and(|height| *height > HEIGHT_MAX)))
}
