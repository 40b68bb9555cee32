//! Correlations: rules over the matches of rules.

use crate::condition;
use crate::finding::Finding;
use crate::logic::{Logic, Order};
use crate::meta::{text, texts};
use crate::yaml::{Node, Value};

/// Longest time span, in seconds: what has to be remembered is bounded (`sigma.timespan`).
pub const TIMESPAN_SECONDS_MAX: u64 = 366 * 86_400;
/// Most rules that one correlation refers to (`sigma.correlation`).
pub const RULES_MAX: usize = 256;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorrelationKind {
    /// How many events.
    EventCount,
    /// How many different values.
    ValueCount,
    /// All of the rules, in any order.
    Temporal,
    /// All of the rules, in this order.
    TemporalOrdered,
    /// The sum of a field.
    ValueSum,
    /// Its mean.
    ValueAvg,
    /// Its median.
    ValueMedian,
    /// A percentile of it.
    ValuePercentile,
}

impl CorrelationKind {
    const ALL: [(&str, Self); 8] = [
        ("event_count", Self::EventCount),
        ("value_count", Self::ValueCount),
        ("temporal", Self::Temporal),
        ("temporal_ordered", Self::TemporalOrdered),
        ("value_sum", Self::ValueSum),
        ("value_avg", Self::ValueAvg),
        ("value_median", Self::ValueMedian),
        ("value_percentile", Self::ValuePercentile),
    ];

    /// Whether a field's values are looked at.
    #[must_use]
    pub fn reads_field(self) -> bool {
        !matches!(self, Self::EventCount | Self::Temporal | Self::TemporalOrdered)
    }

    /// The word of Sigma.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// A bound of a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// How the figure stands to the number.
    pub order: Order,
    /// The number.
    pub number: f64,
}

/// When a correlation matches.
#[derive(Clone, Debug, PartialEq)]
pub enum CorrelationCondition {
    /// The figure keeps all of these bounds.
    Bounds(Vec<Bound>),
    /// Of the rules that matched in the time span, this holds: [`Logic::Search`] is a rule by its place in the list.
    Rules(Logic),
}

/// A rule over the matches of rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    /// What is looked at.
    pub kind: CorrelationKind,
    /// The rules, by id or name.
    pub rules: Vec<String>,
    /// Fields that make separate groups.
    pub group_by: Vec<String>,
    /// Names for fields that are called differently in the events of different rules: name, then rule and field.
    pub aliases: Vec<(String, Vec<(String, String)>)>,
    /// Seconds.
    pub timespan: u64,
    /// When it matches.
    pub condition: CorrelationCondition,
    /// The fields whose values are looked at.
    pub fields: Vec<String>,
    /// Which percentile.
    pub percentile: f64,
    /// Whether the rules it refers to are told by themselves as well.
    pub generate: bool,
}

/// Reads the `correlation` of a document.
pub(crate) fn read(document: &Node, node: &Node, findings: &mut Vec<Finding>) -> Option<Correlation> {
    let before = findings.len();
    let kind_word = text(node, "type", findings).unwrap_or_default();
    let kind = CorrelationKind::ALL.iter().find(|(word, _)| *word == kind_word).map(|(_, kind)| *kind);
    if kind.is_none() {
        let place = node.get("type").map_or(node.place, |kind| kind.place);
        let words: Vec<&str> = CorrelationKind::ALL.iter().map(|(word, _)| *word).collect();
        let finding = Finding::error("sigma.correlation", place, format!("`{kind_word}` is no type of correlation"));
        findings.push(finding.note(format!("there are: {}", words.join(", "))));
    }
    let rules = texts(node, "rules");
    if rules.is_empty() || rules.len() > RULES_MAX {
        let message = format!("a correlation refers to 1 to {RULES_MAX} rules, not {}", rules.len());
        findings.push(Finding::error("sigma.correlation", node.place, message).note("add `rules:` with ids or names"));
    }
    let timespan = timespan(node, findings);
    let kind = kind?;
    let (condition, fields, percentile) = condition(node, kind, &rules, findings);
    let aliases = node.get("aliases").map(Node::entries).unwrap_or_default();
    let aliases = aliases
        .iter()
        .map(|(name, places)| {
            let field = |(rule, field): &(crate::yaml::Key, Node)| Some((rule.text.clone(), field.text()?));
            (name.text.clone(), places.entries().iter().filter_map(field).collect())
        })
        .collect();
    for (name, places) in node.get("aliases").map(Node::entries).unwrap_or_default() {
        for (rule, _) in places.entries().iter().filter(|(rule, _)| !rules.contains(&rule.text)) {
            let message = format!(
                "the alias `{}` is for a rule `{}` that the correlation does not refer to",
                name.text, rule.text
            );
            findings.push(Finding::warning("sigma.alias", rule.place, message));
        }
    }
    let generate = |from: &Node| matches!(from.get("generate").map(|node| &node.value), Some(Value::Bool(true)));
    (findings.iter().skip(before).all(|finding| finding.grade != watchfloor_model::Grade::Error)).then(|| Correlation {
        kind,
        group_by: texts(node, "group-by"),
        rules,
        aliases,
        timespan: timespan.unwrap_or(1),
        condition: condition.unwrap_or(CorrelationCondition::Bounds(Vec::new())),
        fields,
        percentile,
        generate: generate(node) || generate(document),
    })
}

fn timespan(node: &Node, findings: &mut Vec<Finding>) -> Option<u64> {
    let Some(value) = node.get("timespan").or_else(|| node.get("timeframe")) else {
        let finding = Finding::error("sigma.timespan", node.place, "the correlation has no time span");
        findings.push(finding.note("add `timespan: 10m`"));
        return None;
    };
    let text = value.text().unwrap_or_default();
    let seconds = text.char_indices().next_back().and_then(|(at, unit)| {
        let number: u64 = text.get(..at)?.trim().parse().ok()?;
        let unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return None,
        };
        number.checked_mul(unit).filter(|seconds| (1..=TIMESPAN_SECONDS_MAX).contains(seconds))
    });
    if seconds.is_none() {
        let finding = Finding::error("sigma.timespan", value.place, format!("`{text}` is no time span"));
        findings.push(finding.note("a number and s, m, h or d, such as `90m`; at most a year"));
    }
    seconds
}

fn condition(
    node: &Node,
    kind: CorrelationKind,
    rules: &[String],
    findings: &mut Vec<Finding>,
) -> (Option<CorrelationCondition>, Vec<String>, f64) {
    let is_temporal = matches!(kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
    let Some(value) = node.get("condition") else {
        if is_temporal {
            let all = (0..rules.len()).map(Logic::Search).collect();
            return (Some(CorrelationCondition::Rules(Logic::All(all))), Vec::new(), 0.0);
        }
        let finding = Finding::error("sigma.condition", node.place, "the correlation has no condition");
        findings.push(finding.note("add `condition: {gte: 10}`"));
        return (None, Vec::new(), 0.0);
    };
    if let Some(text) = value.text() {
        if !is_temporal {
            findings.push(Finding::error(
                "sigma.condition",
                value.place,
                "only temporal correlations have a condition over rules",
            ));
            return (None, Vec::new(), 0.0);
        }
        let logic = condition::parse(&text, value.place, rules).map_err(|finding| findings.push(finding)).ok();
        return (logic.map(CorrelationCondition::Rules), Vec::new(), 0.0);
    }
    let mut bounds = Vec::new();
    let mut percentile = 50.0;
    for (key, number) in value.entries() {
        let parsed = number.text().and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
        match (key.text.as_str(), Order::parse(&key.text), parsed) {
            ("field", ..) => {}
            ("percentile", _, Some(number)) if (0.0..=100.0).contains(&number) => percentile = number,
            (_, Some(order), Some(number)) => bounds.push(Bound { order, number }),
            (_, Some(_), None) | ("percentile", ..) => {
                findings.push(Finding::error(
                    "sigma.condition",
                    number.place,
                    format!("`{}` takes a number", key.text),
                ));
            }
            (other, None, _) => {
                let finding =
                    Finding::error("sigma.condition", key.place, format!("`{other}` is nothing that a condition has"));
                findings.push(finding.note("there are: gt, gte, lt, lte, eq, neq, field, percentile"));
            }
        }
    }
    if bounds.is_empty() {
        findings.push(
            Finding::error("sigma.condition", value.place, "the condition has no bound").note("such as `gte: 10`"),
        );
    }
    let fields = texts(value, "field");
    if kind.reads_field() && fields.is_empty() {
        let finding =
            Finding::error("sigma.condition", value.place, format!("`{}` needs the field it looks at", kind.as_str()));
        findings.push(finding.note("add `field: ...` to the condition"));
    }
    (Some(CorrelationCondition::Bounds(bounds)), fields, percentile)
}
