//! The evaluation record: what was decided and everything needed to decide it again.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::evaluate::{Counts, ScopeCounts, evaluate};
use super::names::{Named, Names};
use super::profile::{Profile, Rules};
use super::request::{Context, History, Request, ResourceClass, Standing};

/// What admission says; the later one is the more restrictive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Decision {
    /// May run without a person.
    Approved,
    /// A person decides.
    Escalated,
    /// Does not run.
    Denied,
}

/// Why a request was denied or sent to a person, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// RISK-006: level 0, or a level that does not exist.
    Level0,
    /// RISK-007: the agent waits.
    Cooldown,
    /// RISK-009: the policy's hash could not be verified.
    PolicyUnverified,
    /// RISK-008: the ledger cannot take the record.
    LedgerUnavailable,
    /// RISK-001: the agent is not registered.
    AgentUnregistered,
    /// RISK-002: no capability of the form `acp:cap:DOMAIN.ACTION`.
    CapabilityInvalid,
    /// RISK-004: a circumstance or a part of the history is missing.
    ContextMissing,
    /// A name is empty or longer than the limit.
    NameInvalid,
    /// The counters of the request cannot be kept: the store is full.
    CountersFull,
    /// A counter that agents share is hot.
    SharedCooldown,
    /// RISK-005: the score lies above what the level lets through.
    ScoreDenied,
    /// The score lies above what the level approves alone.
    ScoreEscalated,
    /// The capability is well formed, and unknown to the profile.
    CapabilityUnknown,
}

impl Named for Reason {
    const ALL: &'static [Self] = &[
        Self::Level0,
        Self::Cooldown,
        Self::PolicyUnverified,
        Self::LedgerUnavailable,
        Self::AgentUnregistered,
        Self::CapabilityInvalid,
        Self::ContextMissing,
        Self::NameInvalid,
        Self::CountersFull,
        Self::SharedCooldown,
        Self::ScoreDenied,
        Self::ScoreEscalated,
        Self::CapabilityUnknown,
    ];

    fn place(self) -> u32 {
        self as u32
    }

    fn name(self) -> &'static str {
        match self {
            Self::Level0 => "AUTONOMY_LEVEL_0",
            Self::Cooldown => "COOLDOWN_ACTIVE",
            Self::PolicyUnverified => "POLICY_UNVERIFIED",
            Self::LedgerUnavailable => "LEDGER_UNAVAILABLE",
            Self::AgentUnregistered => "AGENT_UNREGISTERED",
            Self::CapabilityInvalid => "CAPABILITY_INVALID",
            Self::ContextMissing => "CONTEXT_MISSING",
            Self::NameInvalid => "NAME_INVALID",
            Self::CountersFull => "COUNTERS_FULL",
            Self::SharedCooldown => "SHARED_COOLDOWN",
            Self::ScoreDenied => "SCORE_DENIED",
            Self::ScoreEscalated => "SCORE_ESCALATED",
            Self::CapabilityUnknown => "CAPABILITY_UNKNOWN",
        }
    }
}

impl Reason {
    /// The specification's code, where it has one.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::AgentUnregistered => Some("RISK-001"),
            Self::CapabilityInvalid => Some("RISK-002"),
            Self::ContextMissing => Some("RISK-004"),
            Self::ScoreDenied => Some("RISK-005"),
            Self::Level0 => Some("RISK-006"),
            Self::Cooldown => Some("RISK-007"),
            Self::LedgerUnavailable => Some("RISK-008"),
            Self::PolicyUnverified => Some("RISK-009"),
            _ => None,
        }
    }

    /// The most that a request with this reason can get.
    pub fn decision(self) -> Decision {
        match self {
            Self::ScoreEscalated | Self::CapabilityUnknown | Self::SharedCooldown => Decision::Escalated,
            _ => Decision::Denied,
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let reason = Self::ALL.iter().copied().find(|reason| reason.name() == name);
        reason.ok_or_else(|| serde::de::Error::custom(format!("unknown reason `{name}`")))
    }
}

/// What added points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the members of `Context`, `History` and `AnomalyDetail`")]
pub enum Factor {
    ExternalIp,
    OffHours,
    NonBusinessDay,
    GeoOutside,
    TimestampDrift,
    UntrustedDevice,
    DenialRateHigh,
    UnresolvedEscalations,
    RecentDenial,
    FreqAnomaly,
    AmountNearLimit,
    NoHistory,
    ResourceUnclassified,
    CapabilityUnknown,
    Rule1,
    Rule2,
    Rule3,
    Custom,
}

impl Named for Factor {
    const ALL: &'static [Self] = &[
        Self::ExternalIp,
        Self::OffHours,
        Self::NonBusinessDay,
        Self::GeoOutside,
        Self::TimestampDrift,
        Self::UntrustedDevice,
        Self::DenialRateHigh,
        Self::UnresolvedEscalations,
        Self::RecentDenial,
        Self::FreqAnomaly,
        Self::AmountNearLimit,
        Self::NoHistory,
        Self::ResourceUnclassified,
        Self::CapabilityUnknown,
        Self::Rule1,
        Self::Rule2,
        Self::Rule3,
        Self::Custom,
    ];

    fn place(self) -> u32 {
        self as u32
    }

    fn name(self) -> &'static str {
        match self {
            Self::ExternalIp => "external_ip",
            Self::OffHours => "off_hours",
            Self::NonBusinessDay => "non_business_day",
            Self::GeoOutside => "geo_outside",
            Self::TimestampDrift => "timestamp_drift",
            Self::UntrustedDevice => "untrusted_device",
            Self::DenialRateHigh => "denial_rate_high",
            Self::UnresolvedEscalations => "unresolved_escalations",
            Self::RecentDenial => "recent_denial",
            Self::FreqAnomaly => "freq_anomaly",
            Self::AmountNearLimit => "amount_near_limit",
            Self::NoHistory => "no_history",
            Self::ResourceUnclassified => "resource_unclassified",
            Self::CapabilityUnknown => "capability_unknown",
            Self::Rule1 => "f_anom_rule1",
            Self::Rule2 => "f_anom_rule2",
            Self::Rule3 => "f_anom_rule3",
            Self::Custom => "f_anom_custom",
        }
    }
}

/// Points by factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the five terms of the formula")]
pub struct Factors {
    pub base: u32,
    pub context: u32,
    pub history: u32,
    pub resource: u32,
    pub anomaly: u32,
}

impl Factors {
    /// The score before it is capped.
    pub fn sum(&self) -> u32 {
        self.base + self.context + self.history + self.resource + self.anomaly
    }
}

/// Thresholds that the score was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in `Band`")]
pub struct ThresholdConfig {
    pub approved_max: Option<u8>,
    pub escalated_max: u8,
    pub autonomy_level: u8,
}

/// Rules 1 to 3: counts as of before this request, thresholds of the agent's own counters, and who fired. A count stops at what a
/// window keeps, which lies above every threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said by the type")]
pub struct AnomalyDetail {
    pub rule1_triggered: bool,
    pub rule1_count: u16,
    pub rule1_threshold: u16,
    pub rule2_triggered: bool,
    pub rule2_count: u16,
    pub rule2_threshold: u16,
    pub rule3_triggered: bool,
    pub rule3_count: u16,
    pub rule3_threshold: u16,
    pub pattern_key: PatternKey,
    pub resource: ScopeCounts,
    pub tenant: ScopeCounts,
    pub shape: ScopeCounts,
}

/// First 16 bytes of SHA-256 over `agent_id|capability|resource`, written as 32 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct PatternKey(pub [u8; 16]);

impl fmt::Debug for PatternKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Serialize for PatternKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:?}"))
    }
}

impl<'de> Deserialize<'de> for PatternKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hexadecimal = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let key = u128::from_str_radix(&text, 16).ok().filter(|_| hexadecimal);
        key.map(|key| Self(key.to_be_bytes())).ok_or_else(|| serde::de::Error::custom("no 32 hexadecimal digits"))
    }
}

/// Whose counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The agent's own.
    Agent,
    /// Of everyone who asks for one resource.
    Resource,
    /// Of everyone in one tenant.
    Tenant,
    /// Of everyone who asks for one capability on targets of one shape.
    Shape,
}

impl Named for Scope {
    const ALL: &'static [Self] = &[Self::Agent, Self::Resource, Self::Tenant, Self::Shape];

    fn place(self) -> u32 {
        self as u32
    }

    fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Resource => "resource",
            Self::Tenant => "tenant",
            Self::Shape => "shape",
        }
    }
}

impl Scope {
    /// Denials in 10 min that start a cooldown, where any do.
    pub fn trigger(self, rules: &Rules) -> Option<u16> {
        match self {
            Self::Agent => Some(rules.cooldown.trigger_denials),
            Self::Resource => rules.shared.resource.hot_denials,
            Self::Tenant => rules.shared.tenant.hot_denials,
            Self::Shape => rules.shared.shape.hot_denials,
        }
    }
}

/// Cooldowns that this request found over, and that it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Over since the last request.
    pub left: Names<Scope>,
    /// Started by this request.
    pub entered: Names<Scope>,
    /// When those that were started end, epoch milliseconds.
    pub until: i64,
}

/// An `AGENT_STATE_CHANGE` of the ledger; other scopes than the agent's are ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateChange<'r> {
    /// Whose.
    pub scope: Scope,
    /// `ACTIVE` or `COOLDOWN`.
    pub previous_status: &'static str,
    /// `COOLDOWN` or `ACTIVE`.
    pub new_status: &'static str,
    /// End of the cooldown, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// What started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triggered_by: Option<String>,
    /// The policy in force.
    pub policy_hash: &'r str,
}

/// The record of one evaluation. It must be kept for every decision; with the profile it can be computed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<'a> {
    /// Id of the evaluation.
    #[serde(borrow)]
    pub eval_id: Cow<'a, str>,
    /// Id of the request.
    #[serde(borrow)]
    pub request_id: Cow<'a, str>,
    /// Who asked.
    #[serde(borrow)]
    pub agent_id: Cow<'a, str>,
    /// Whose assets.
    #[serde(borrow)]
    pub tenant: Cow<'a, str>,
    /// What for.
    #[serde(borrow)]
    pub capability: Cow<'a, str>,
    /// On what.
    #[serde(borrow)]
    pub resource: Cow<'a, str>,
    /// Of what shape.
    #[serde(borrow)]
    pub target_shape: Cow<'a, str>,
    /// How delicate.
    pub resource_class: ResourceClass,
    /// At which level.
    pub autonomy_level: u8,
    /// Circumstances.
    pub context: Context,
    /// The past.
    pub history: History,
    /// What held.
    pub standing: Standing,
    /// Epoch milliseconds.
    pub timestamp: i64,
    /// `None` where the function was not executed.
    pub factors: Option<Factors>,
    /// Sum of the factors.
    pub rs_raw: Option<u32>,
    /// The score, 100 at most.
    pub rs_final: Option<u8>,
    /// What was decided.
    pub decision: Decision,
    /// The first reason of a denial.
    pub denied_reason: Option<Reason>,
    /// Every reason.
    pub reasons: Names<Reason>,
    /// `None` where the function was not executed or the level has none.
    pub threshold_config: Option<ThresholdConfig>,
    /// What added points.
    pub factors_applied: Names<Factor>,
    /// Custom rules that added points.
    pub custom_applied: Vec<Cow<'a, str>>,
    /// Rules 1 to 3.
    pub anomaly_detail: AnomalyDetail,
    /// Whether the agent waits.
    pub cooldown_active: bool,
    /// Whether the counters of this request could be kept.
    pub counters_kept: bool,
    /// Cooldowns that ended or began.
    pub changes: Changes,
    /// The policy in force.
    #[serde(borrow)]
    pub policy_hash: Cow<'a, str>,
}

impl Record<'_> {
    /// Whether the profile gives this record again: what a third party with ledger and signed policy checks.
    pub fn recomputes(&self, profile: &Profile) -> bool {
        let mut again = evaluate(profile, &self.request(), &self.counts());
        again.timestamp = self.timestamp;
        again.changes = self.changes;
        again == *self
    }

    /// Ledger events of the cooldowns that ended or began, under the profile that decided.
    pub fn state_changes(&self, profile: &Profile) -> impl Iterator<Item = StateChange<'_>> {
        let rules = profile.rules();
        let policy_hash = &*self.policy_hash;
        let left = self.changes.left.iter().map(move |scope| StateChange {
            scope,
            previous_status: "COOLDOWN",
            new_status: "ACTIVE",
            until: None,
            triggered_by: None,
            policy_hash,
        });
        let entered = self.changes.entered.iter().map(move |scope| StateChange {
            scope,
            previous_status: "ACTIVE",
            new_status: "COOLDOWN",
            until: Some(self.changes.until),
            triggered_by: scope.trigger(rules).map(|denials| format!("{denials}_DENIED_in_10min")),
            policy_hash,
        });
        left.chain(entered)
    }

    fn request(&self) -> Request<'_> {
        Request {
            eval_id: &self.eval_id,
            request_id: &self.request_id,
            agent_id: &self.agent_id,
            tenant: &self.tenant,
            capability: &self.capability,
            resource: &self.resource,
            target_shape: &self.target_shape,
            resource_class: self.resource_class,
            autonomy_level: self.autonomy_level,
            context: self.context,
            history: self.history,
            standing: self.standing,
        }
    }

    fn counts(&self) -> Counts {
        let detail = &self.anomaly_detail;
        Counts {
            flood: detail.rule1_count,
            denials: detail.rule2_count,
            repeats: detail.rule3_count,
            cooldown_active: self.cooldown_active,
            kept: self.counters_kept,
            pattern_key: detail.pattern_key,
            resource: detail.resource,
            tenant: detail.tenant,
            shape: detail.shape,
        }
    }
}
