//! The decision function.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::names::Names;
use super::profile::{Counter, CustomRule, Hot, Profile, Rules, SCORE_MAX, SharedRule};
use super::record::{AnomalyDetail, Changes, Decision, Factor, Factors, PatternKey, Reason, Record, ThresholdConfig};
use super::request::{Context, History, NAME_BYTES_MAX, Request, ResourceClass, parts};

/// Counters as of before the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// What rule 1 counts in 60 s.
    pub flood: u16,
    /// Denials of the agent in 24 h.
    pub denials: u16,
    /// Requests of the pattern in 5 min.
    pub repeats: u16,
    /// The agent waits.
    pub cooldown_active: bool,
    /// The request's counters can be kept; where not, the request is denied.
    pub kept: bool,
    /// Name of the pattern.
    pub pattern_key: PatternKey,
    /// Of everyone, on this resource.
    pub resource: ScopeCounts,
    /// Of everyone, in this tenant.
    pub tenant: ScopeCounts,
    /// Of everyone, for this capability on targets of this shape.
    pub shape: ScopeCounts,
}

/// A shared counter as of before the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeCounts {
    /// Requests in 60 s.
    pub flood: u16,
    /// Denials by score in 24 h.
    pub denials: u16,
    /// Requests in 5 min.
    pub repeats: u16,
    /// Enough denials by score in the last 10 min, and the period is not over.
    pub hot: bool,
}

impl Counts {
    /// Nothing was counted yet.
    pub const NONE: Self = Self {
        flood: 0,
        denials: 0,
        repeats: 0,
        cooldown_active: false,
        kept: true,
        pattern_key: PatternKey([0; 16]),
        resource: ScopeCounts { flood: 0, denials: 0, repeats: 0, hot: false },
        tenant: ScopeCounts { flood: 0, denials: 0, repeats: 0, hot: false },
        shape: ScopeCounts { flood: 0, denials: 0, repeats: 0, hot: false },
    };
}

/// Decides a request. The record's timestamp is 0 and its changes are empty: the counters set them.
pub fn evaluate<'a>(profile: &'a Profile, request: &Request<'a>, counts: &Counts) -> Record<'a> {
    let rules = profile.rules();
    let capability = parts(request.capability);
    let mut reasons = refusals(profile, request, counts);
    reasons.add_if(capability.is_none(), Reason::CapabilityInvalid);
    let mut weighed = Weighed { detail: detail(rules, counts), ..Weighed::default() };
    let executed = !counts.cooldown_active && !reasons.has(Reason::ContextMissing);
    let factors = executed.then(|| weighed.factors(rules, capability.unwrap_or_default(), request, counts));
    let raw = factors.map(|factors| factors.sum());
    let score = raw.map(|raw| u8::try_from(raw).unwrap_or(SCORE_MAX).min(SCORE_MAX));
    let band = profile.band(request.autonomy_level).filter(|_| executed);
    if let (Some(score), Some(band)) = (score, band) {
        reasons.add_if(score > band.escalated_max, Reason::ScoreDenied);
        let approved = band.approved_max.is_some_and(|max| score <= max);
        reasons.add_if(!approved && score <= band.escalated_max, Reason::ScoreEscalated);
    }
    reasons.add_if(
        rules.base.unknown_escalates && weighed.applied.has(Factor::CapabilityUnknown),
        Reason::CapabilityUnknown,
    );
    let mut decision = if reasons.is_empty() { Decision::Approved } else { Decision::Escalated };
    if hot(rules, counts, Hot::Deny) || reasons.iter().any(|reason| reason.decision() == Decision::Denied) {
        decision = Decision::Denied;
    }
    Record {
        eval_id: Cow::Borrowed(request.eval_id),
        request_id: Cow::Borrowed(request.request_id),
        agent_id: Cow::Borrowed(request.agent_id),
        tenant: Cow::Borrowed(request.tenant),
        capability: Cow::Borrowed(request.capability),
        resource: Cow::Borrowed(request.resource),
        target_shape: Cow::Borrowed(request.target_shape),
        resource_class: request.resource_class,
        autonomy_level: request.autonomy_level,
        context: request.context,
        history: request.history,
        standing: request.standing,
        timestamp: 0,
        factors,
        rs_raw: raw,
        rs_final: score,
        decision,
        denied_reason: reasons.first().filter(|_| decision == Decision::Denied),
        reasons,
        threshold_config: band.map(|band| ThresholdConfig {
            approved_max: band.approved_max,
            escalated_max: band.escalated_max,
            autonomy_level: request.autonomy_level,
        }),
        factors_applied: weighed.applied,
        custom_applied: weighed.custom,
        anomaly_detail: weighed.detail,
        cooldown_active: counts.cooldown_active,
        counters_kept: counts.kept,
        changes: Changes::default(),
        policy_hash: Cow::Borrowed(&rules.policy_hash),
    }
}

/// Whether a counter that agents share is hot and asks for this.
fn hot(rules: &Rules, counts: &Counts, what: Hot) -> bool {
    let shared = &rules.shared;
    [(shared.resource, counts.resource), (shared.tenant, counts.tenant), (shared.shape, counts.shape)]
        .iter()
        .any(|(rule, counts)| counts.hot && rule.hot == what)
}

/// Reasons that need no score.
fn refusals(profile: &Profile, request: &Request<'_>, counts: &Counts) -> Names<Reason> {
    let mut reasons = Names::default();
    reasons.add_if(profile.band(request.autonomy_level).is_none(), Reason::Level0);
    reasons.add_if(counts.cooldown_active, Reason::Cooldown);
    reasons.add_if(!request.standing.policy_verified, Reason::PolicyUnverified);
    reasons.add_if(!request.standing.ledger_available, Reason::LedgerUnavailable);
    reasons.add_if(!request.standing.agent_registered, Reason::AgentUnregistered);
    reasons.add_if(!complete(&request.context, &request.history), Reason::ContextMissing);
    let named = |name: &str| (1..=NAME_BYTES_MAX).contains(&name.len());
    let names = [request.agent_id, request.tenant, request.capability, request.resource, request.target_shape];
    reasons.add_if(!names.into_iter().all(named), Reason::NameInvalid);
    reasons.add_if(!counts.kept, Reason::CountersFull);
    let rules = profile.rules();
    reasons.add_if(hot(rules, counts, Hot::Deny) || hot(rules, counts, Hot::Escalate), Reason::SharedCooldown);
    reasons
}

fn complete(context: &Context, history: &History) -> bool {
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
    context.iter().chain(&history).all(Option::is_some)
}

/// Which rules fire, on the agent's own counters or on shared ones.
fn detail(rules: &Rules, counts: &Counts) -> AnomalyDetail {
    let (anomaly, shared) = (&rules.anomaly, &rules.shared);
    let scopes = [(shared.resource, counts.resource), (shared.tenant, counts.tenant), (shared.shape, counts.shape)];
    let any = |fires: fn(&SharedRule, &ScopeCounts) -> bool| scopes.iter().any(|(rule, counts)| fires(rule, counts));
    AnomalyDetail {
        rule1_triggered: counts.flood > anomaly.flood.threshold
            || any(|rule, counts| rule.flood.is_some_and(|threshold| counts.flood > threshold)),
        rule1_count: counts.flood,
        rule1_threshold: anomaly.flood.threshold,
        rule2_triggered: counts.denials >= anomaly.denials.threshold
            || any(|rule, counts| rule.denials.is_some_and(|threshold| counts.denials >= threshold)),
        rule2_count: counts.denials,
        rule2_threshold: anomaly.denials.threshold,
        rule3_triggered: counts.repeats >= anomaly.repeats.threshold
            || any(|rule, counts| rule.repeats.is_some_and(|threshold| counts.repeats >= threshold)),
        rule3_count: counts.repeats,
        rule3_threshold: anomaly.repeats.threshold,
        pattern_key: counts.pattern_key,
        resource: counts.resource,
        tenant: counts.tenant,
        shape: counts.shape,
    }
}

/// Factors as they add up.
#[derive(Default)]
struct Weighed<'a> {
    applied: Names<Factor>,
    custom: Vec<Cow<'a, str>>,
    detail: AnomalyDetail,
}

impl<'a> Weighed<'a> {
    fn factors(
        &mut self,
        rules: &'a Rules,
        (domain, action): (&str, &str),
        request: &Request<'_>,
        counts: &Counts,
    ) -> Factors {
        let (base, known) = rules.base.of(domain, action);
        self.applied.add_if(!known, Factor::CapabilityUnknown);
        self.applied.add_if(request.resource_class == ResourceClass::Unclassified, Factor::ResourceUnclassified);
        Factors {
            base: base.into(),
            context: self.context(rules, &request.context),
            history: self.history(rules, &request.history),
            resource: rules.resource.of(request.resource_class).into(),
            anomaly: self.anomaly(rules, request, counts),
        }
    }

    /// The weight where it holds. Unknown does not come here: such a request is refused.
    fn points(&mut self, holds: bool, weight: u16, factor: Factor) -> u32 {
        self.applied.add_if(holds, factor);
        if holds { weight.into() } else { 0 }
    }

    fn context(&mut self, rules: &Rules, context: &Context) -> u32 {
        let (holds, weights) = (|flag: Option<bool>| flag.unwrap_or(true), &rules.context);
        self.points(holds(context.external_ip), weights.external_ip, Factor::ExternalIp)
            + self.points(holds(context.off_hours), weights.off_hours, Factor::OffHours)
            + self.points(holds(context.non_business_day), weights.non_business_day, Factor::NonBusinessDay)
            + self.points(holds(context.geo_outside), weights.geo_outside, Factor::GeoOutside)
            + self.points(holds(context.timestamp_drift), weights.timestamp_drift, Factor::TimestampDrift)
            + self.points(holds(context.untrusted_device), weights.untrusted_device, Factor::UntrustedDevice)
    }

    fn history(&mut self, rules: &Rules, history: &History) -> u32 {
        let (holds, weights) = (|flag: Option<bool>| flag.unwrap_or(true), &rules.history);
        let unresolved = holds(history.unresolved_escalations);
        self.points(holds(history.denial_rate_high), weights.denial_rate_high, Factor::DenialRateHigh)
            + self.points(unresolved, weights.unresolved_escalations, Factor::UnresolvedEscalations)
            + self.points(holds(history.recent_denial), weights.recent_denial, Factor::RecentDenial)
            + self.points(holds(history.freq_anomaly), weights.freq_anomaly, Factor::FreqAnomaly)
            + self.points(holds(history.amount_near_limit), weights.amount_near_limit, Factor::AmountNearLimit)
            + self.points(holds(history.no_history), weights.no_history, Factor::NoHistory)
    }

    fn anomaly(&mut self, rules: &'a Rules, request: &Request<'_>, counts: &Counts) -> u32 {
        let (anomaly, detail) = (&rules.anomaly, self.detail);
        let mut points = self.points(detail.rule1_triggered, anomaly.flood.weight, Factor::Rule1)
            + self.points(detail.rule2_triggered, anomaly.denials.weight, Factor::Rule2)
            + self.points(detail.rule3_triggered, anomaly.repeats.weight, Factor::Rule3);
        for rule in &rules.custom {
            if fires(rule, request, counts) {
                points += self.points(true, rule.weight, Factor::Custom);
                self.custom.push(Cow::Borrowed(&rule.name));
            }
        }
        points.min(anomaly.max.into())
    }
}

fn fires(rule: &CustomRule, request: &Request<'_>, counts: &Counts) -> bool {
    let count = match rule.counter {
        Counter::Flood => counts.flood,
        Counter::Denials => counts.denials,
        Counter::Repeats => counts.repeats,
        Counter::ResourceDenials => counts.resource.denials,
        Counter::TenantDenials => counts.tenant.denials,
        Counter::ShapeDenials => counts.shape.denials,
    };
    count >= rule.at_least && request.capability.starts_with(&rule.capability_prefix)
}
