//! Weights, thresholds and limits: the part of the signed policy that admission reads.
//!
//! A [`Profile`] is made from [`Rules`] and cannot hold numbers that the counters could not honour: a threshold above what a
//! window keeps would never be reached, which would loosen.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::request::{LEVEL_MAX, ResourceClass};
use super::shipped;

/// Most requests that a window counts; thresholds on requests lie below.
pub const REQUESTS_COUNTED_MAX: u16 = 15;
/// Most denials that a window counts; thresholds on denials are at most this.
pub const DENIALS_COUNTED_MAX: u16 = 8;
/// Largest weight, in points of risk.
pub const WEIGHT_MAX: u16 = 1000;
/// Longest cooldown, in seconds.
pub const COOLDOWN_SECONDS_MAX: u32 = 86_400;
/// Most custom rules of a profile.
pub const CUSTOM_RULES_MAX: usize = 16;
/// Highest score.
pub const SCORE_MAX: u8 = 100;
/// What every custom rule's name starts with.
pub const CUSTOM_PREFIX: &str = "F_anom_custom_";

/// Weights and limits that were checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Rules", into = "Rules")]
pub struct Profile(Rules);

/// Weights and limits, as a policy writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Name of the profile.
    pub name: String,
    /// Hash of the signed policy that this is a part of; every record names it.
    pub policy_hash: String,
    /// What a capability weighs.
    pub base: Base,
    /// What circumstances weigh.
    pub context: ContextWeights,
    /// What the agent's past weighs.
    pub history: HistoryWeights,
    /// What the target weighs.
    pub resource: ResourceWeights,
    /// What counters weigh.
    pub anomaly: Anomaly,
    /// When an agent has to wait.
    pub cooldown: Cooldown,
    /// Thresholds of levels 1 to 4.
    pub bands: [Band; LEVEL_MAX as usize],
    /// Counters that all agents share.
    pub shared: Shared,
    /// Further rules of an institution; they only add.
    #[serde(default)]
    pub custom: Vec<CustomRule>,
}

/// What a capability weighs: the first that fits of name, domain, action, else unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Domain, then action.
    pub exact: BTreeMap<String, BTreeMap<String, u16>>,
    /// Any action of a domain.
    pub domains: BTreeMap<String, u16>,
    /// An action in any domain.
    pub actions: BTreeMap<String, u16>,
    /// A capability that nothing here names.
    pub unknown: u16,
    /// Whether a capability that nothing here names goes to a person at least.
    pub unknown_escalates: bool,
}

/// What circumstances weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named as the members of `Context`")]
pub struct ContextWeights {
    pub external_ip: u16,
    pub off_hours: u16,
    pub non_business_day: u16,
    pub geo_outside: u16,
    pub timestamp_drift: u16,
    pub untrusted_device: u16,
}

/// What the agent's past weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named as the members of `History`")]
pub struct HistoryWeights {
    pub denial_rate_high: u16,
    pub unresolved_escalations: u16,
    pub recent_denial: u16,
    pub freq_anomaly: u16,
    pub amount_near_limit: u16,
    pub no_history: u16,
}

/// What the target weighs. One that nobody has classified weighs what a sensitive one does (RISK-003).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named as the variants of `ResourceClass`")]
pub struct ResourceWeights {
    pub public: u16,
    pub internal: u16,
    pub sensitive: u16,
    pub critical: u16,
    pub restricted: u16,
}

impl ResourceWeights {
    /// What a class weighs.
    pub fn of(&self, class: ResourceClass) -> u16 {
        match class {
            ResourceClass::Public => self.public,
            ResourceClass::Internal => self.internal,
            ResourceClass::Sensitive | ResourceClass::Unclassified => self.sensitive,
            ResourceClass::Critical => self.critical,
            ResourceClass::Restricted => self.restricted,
        }
    }
}

/// Rules 1 to 3 over counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// What rule 1 counts.
    pub flood_counts: FloodCounts,
    /// Rule 1: more requests in 60 s than this.
    pub flood: CountRule,
    /// Rule 2: this many denials of the agent in 24 h.
    pub denials: CountRule,
    /// Rule 3: this many requests of one pattern in 5 min.
    pub repeats: CountRule,
    /// Most points of all rules together.
    pub max: u16,
}

/// What rule 1 counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FloodCounts {
    /// All requests of the agent (RISK-2.0).
    Agent,
    /// Requests of the same pattern (RISK-3.0 and the reference implementation).
    Pattern,
}

/// A threshold on a counter, and the points for reaching it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "said by the type")]
pub struct CountRule {
    pub threshold: u16,
    pub weight: u16,
}

/// When an agent has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cooldown {
    /// Denials in 10 min that start it.
    pub trigger_denials: u16,
    /// How long it lasts.
    pub period_seconds: u32,
}

/// Thresholds of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Highest score that is approved; `None` approves nothing.
    pub approved_max: Option<u8>,
    /// Highest score that goes to a person; above it is denied.
    pub escalated_max: u8,
}

/// Counters that all agents share, so that many agents get no more tries than one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// Requests on one resource.
    pub resource: SharedRule,
    /// Requests in one tenant.
    pub tenant: SharedRule,
    /// Requests of one capability on targets of one shape, in one tenant.
    pub shape: SharedRule,
}

/// Thresholds of a shared counter; `None` does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedRule {
    /// Rule 1 fires above this many requests in 60 s.
    pub flood: Option<u16>,
    /// Rule 2 fires at this many denials in 24 h.
    pub denials: Option<u16>,
    /// Rule 3 fires at this many requests in 5 min.
    pub repeats: Option<u16>,
    /// Denials by score in 10 min that make the counter hot for the cooldown's period.
    pub hot_denials: Option<u16>,
    /// What a hot counter does.
    pub hot: Hot,
}

/// What a hot shared counter does to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hot {
    /// Nothing is approved without a person. An agent that misbehaves cannot stop the others' work, only its being unattended.
    #[default]
    Escalate,
    /// Everything is denied.
    Deny,
}

/// A rule of an institution: points for a counter that reaches a threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomRule {
    /// `F_anom_custom_` and the institution.
    pub name: String,
    /// What is counted.
    pub counter: Counter,
    /// Fires at this count.
    pub at_least: u16,
    /// Only for capabilities that start with this.
    #[serde(default)]
    pub capability_prefix: String,
    /// Points.
    pub weight: u16,
}

/// What a custom rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// What rule 1 counts.
    Flood,
    /// Denials of the agent in 24 h.
    Denials,
    /// Requests of the pattern in 5 min.
    Repeats,
    /// Denials by score on the resource in 24 h.
    ResourceDenials,
    /// Denials by score in the tenant in 24 h.
    TenantDenials,
    /// Denials by score of the capability on the shape in 24 h.
    ShapeDenials,
}

impl Profile {
    /// The weights of the specification's text and of its 65 vectors, `acp-risk-2.0-spec`.
    pub fn spec() -> Self {
        Self(shipped::spec())
    }

    /// The weights of the reference implementation and of its sequences, `acp-risk-go-1.30`.
    pub fn go() -> Self {
        Self(shipped::go())
    }

    /// Checks rules.
    pub fn new(rules: Rules) -> Result<Self, ProfileError> {
        check(&rules)?;
        Ok(Self(rules))
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.0
    }

    /// The thresholds of a level; `None` for level 0 and for levels that do not exist, which are denied.
    pub fn band(&self, level: u8) -> Option<Band> {
        self.0.bands.get(usize::from(level.checked_sub(1)?)).copied()
    }
}

impl Base {
    /// What a capability weighs, and whether it is known.
    pub fn of(&self, domain: &str, action: &str) -> (u16, bool) {
        let exact = self.exact.get(domain).and_then(|actions| actions.get(action));
        let known = exact.or_else(|| self.domains.get(domain)).or_else(|| self.actions.get(action));
        known.map_or((self.unknown, false), |weight| (*weight, true))
    }
}

impl TryFrom<Rules> for Profile {
    type Error = ProfileError;

    fn try_from(rules: Rules) -> Result<Self, ProfileError> {
        Self::new(rules)
    }
}

impl From<Profile> for Rules {
    fn from(profile: Profile) -> Self {
        profile.0
    }
}

/// Why rules are no profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    /// The member that is at fault.
    pub member: String,
    /// What it may be.
    pub allowed: &'static str,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` is out of range: {}", self.member, self.allowed)
    }
}

impl std::error::Error for ProfileError {}

fn check(rules: &Rules) -> Result<(), ProfileError> {
    check_weights(rules)?;
    let anomaly = &rules.anomaly;
    requests("anomaly.flood.threshold", Some(anomaly.flood.threshold))?;
    denials("anomaly.denials.threshold", Some(anomaly.denials.threshold))?;
    requests("anomaly.repeats.threshold", Some(anomaly.repeats.threshold))?;
    denials("cooldown.trigger_denials", Some(rules.cooldown.trigger_denials))?;
    let period = (1..=COOLDOWN_SECONDS_MAX).contains(&rules.cooldown.period_seconds);
    require(period, "cooldown.period_seconds", "1 to 86400")?;
    let shared = [("resource", rules.shared.resource), ("tenant", rules.shared.tenant), ("shape", rules.shared.shape)];
    for (name, rule) in shared {
        requests(&format!("shared.{name}.flood"), rule.flood)?;
        denials(&format!("shared.{name}.denials"), rule.denials)?;
        requests(&format!("shared.{name}.repeats"), rule.repeats)?;
        denials(&format!("shared.{name}.hot_denials"), rule.hot_denials)?;
    }
    for (level, band) in (1..).zip(&rules.bands) {
        let ordered = band.approved_max.is_none_or(|approved| approved <= band.escalated_max);
        require(ordered && band.escalated_max <= SCORE_MAX, &format!("bands of level {level}"), "0 to 100, in order")?;
    }
    check_custom(&rules.custom)
}

fn check_custom(custom: &[CustomRule]) -> Result<(), ProfileError> {
    require(custom.len() <= CUSTOM_RULES_MAX, "custom", "at most 16 rules")?;
    for rule in custom {
        let institution = rule.name.strip_prefix(CUSTOM_PREFIX).unwrap_or_default();
        require(!institution.is_empty(), &rule.name, "`F_anom_custom_` and an institution")?;
        let limited = match rule.counter {
            Counter::Flood | Counter::Repeats => requests(&rule.name, Some(rule.at_least)),
            _ => denials(&rule.name, Some(rule.at_least)),
        };
        limited?;
    }
    Ok(())
}

fn check_weights(rules: &Rules) -> Result<(), ProfileError> {
    let (context, history, resource) = (&rules.context, &rules.history, &rules.resource);
    let exact = rules.base.exact.values().flat_map(BTreeMap::values);
    let base = exact.chain(rules.base.domains.values()).chain(rules.base.actions.values()).chain([&rules.base.unknown]);
    let context = [
        context.external_ip,
        context.off_hours,
        context.non_business_day,
        context.geo_outside,
        context.timestamp_drift,
        context.untrusted_device,
    ];
    let history = [
        history.denial_rate_high,
        history.unresolved_escalations,
        history.recent_denial,
        history.freq_anomaly,
        history.amount_near_limit,
        history.no_history,
    ];
    let resource = [resource.public, resource.internal, resource.sensitive, resource.critical, resource.restricted];
    let anomaly = &rules.anomaly;
    let anomaly = [anomaly.flood.weight, anomaly.denials.weight, anomaly.repeats.weight, anomaly.max];
    let custom = rules.custom.iter().map(|rule| &rule.weight);
    for (name, in_range) in [
        ("base", base.copied().all(allowed)),
        ("context", context.into_iter().all(allowed)),
        ("history", history.into_iter().all(allowed)),
        ("resource", resource.into_iter().all(allowed)),
        ("anomaly", anomaly.into_iter().all(allowed)),
        ("custom", custom.copied().all(allowed)),
    ] {
        require(in_range, name, "weights of 0 to 1000")?;
    }
    Ok(())
}

fn allowed(weight: u16) -> bool {
    weight <= WEIGHT_MAX
}

fn requests(member: &str, threshold: Option<u16>) -> Result<(), ProfileError> {
    let in_range = threshold.is_none_or(|count| (1..REQUESTS_COUNTED_MAX).contains(&count));
    require(in_range, member, "1 to 14 requests")
}

fn denials(member: &str, threshold: Option<u16>) -> Result<(), ProfileError> {
    require(threshold.is_none_or(|count| (1..=DENIALS_COUNTED_MAX).contains(&count)), member, "1 to 8 denials")
}

fn require(holds: bool, member: &str, allowed: &'static str) -> Result<(), ProfileError> {
    if holds { Ok(()) } else { Err(ProfileError { member: member.to_owned(), allowed }) }
}
