//! What is asked, and what the caller knows about it.

use serde::{Deserialize, Serialize};

/// Longest name of an agent, tenant, capability, resource or shape, in bytes; a longer one is refused.
pub const NAME_BYTES_MAX: usize = 1024;
/// Highest autonomy level; a higher number is refused as level 0 is.
pub const LEVEL_MAX: u8 = 4;

/// A request of an agent. Texts are borrowed: nothing is copied to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Id of this evaluation, given by the caller (the core draws no random numbers).
    pub eval_id: &'a str,
    /// Id of the request.
    pub request_id: &'a str,
    /// Who asks.
    pub agent_id: &'a str,
    /// Whose assets are touched.
    pub tenant: &'a str,
    /// `acp:cap:DOMAIN.ACTION`.
    pub capability: &'a str,
    /// Canonical id of the target.
    pub resource: &'a str,
    /// What kind of target it is, the same for targets that differ in name only.
    pub target_shape: &'a str,
    /// How delicate the target is.
    pub resource_class: ResourceClass,
    /// 0 to 4.
    pub autonomy_level: u8,
    /// Circumstances of the request.
    pub context: Context,
    /// The agent's past, as the caller knows it.
    pub history: History,
    /// What must hold before anything is weighed.
    pub standing: Standing,
}

/// How delicate a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceClass {
    /// Open to all.
    Public,
    /// For the house.
    Internal,
    /// Harm if it leaks or stops.
    Sensitive,
    /// The house stands still without it.
    Critical,
    /// For few named people.
    Restricted,
    /// Nobody has said: weighed as sensitive (RISK-003).
    Unclassified,
}

/// Circumstances of a request. A missing one (`None`) refuses the request (RISK-004).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// From outside of the house's networks.
    pub external_ip: Option<bool>,
    /// Outside of working hours.
    pub off_hours: Option<bool>,
    /// On a weekend or holiday.
    pub non_business_day: Option<bool>,
    /// From a place where nobody of ours is.
    pub geo_outside: Option<bool>,
    /// The request's clock is more than 300 s off.
    pub timestamp_drift: Option<bool>,
    /// From a device that is not ours.
    pub untrusted_device: Option<bool>,
}

/// The agent's past. A missing one (`None`) refuses the request (RISK-004).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// More than 10 % of its requests were denied.
    pub denial_rate_high: Option<bool>,
    /// Escalations of it are open.
    pub unresolved_escalations: Option<bool>,
    /// Denied in the last 30 minutes.
    pub recent_denial: Option<bool>,
    /// More than three standard deviations above its usual rate.
    pub freq_anomaly: Option<bool>,
    /// Above 80 % of its limit.
    pub amount_near_limit: Option<bool>,
    /// It has none.
    pub no_history: Option<bool>,
}

impl Context {
    /// Every circumstance known, and none of them holds.
    pub const CALM: Self = Self {
        external_ip: Some(false),
        off_hours: Some(false),
        non_business_day: Some(false),
        geo_outside: Some(false),
        timestamp_drift: Some(false),
        untrusted_device: Some(false),
    };
}

impl History {
    /// Everything known, and nothing against the agent.
    pub const CLEAN: Self = Self {
        denial_rate_high: Some(false),
        unresolved_escalations: Some(false),
        recent_denial: Some(false),
        freq_anomaly: Some(false),
        amount_near_limit: Some(false),
        no_history: Some(false),
    };
}

/// What must hold before anything is weighed. The default is that nothing holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The agent is registered and authenticated (else RISK-001).
    pub agent_registered: bool,
    /// The ledger can take the record (else RISK-008).
    pub ledger_available: bool,
    /// The policy's hash was verified (else RISK-009).
    pub policy_verified: bool,
}

impl Standing {
    /// All of it holds.
    pub const GOOD: Self = Self { agent_registered: true, ledger_available: true, policy_verified: true };
}

/// Domain and action of `acp:cap:DOMAIN.ACTION`, or `None` where it is not of that form.
pub fn parts(capability: &str) -> Option<(&str, &str)> {
    let name = capability.strip_prefix("acp:cap:")?;
    let (domain, action) = name.split_once('.')?;
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (word(domain) && word(action)).then_some((domain, action))
}

/// What remains of a resource's name when numbers and identifiers are taken out: targets that differ in these only have one shape.
///
/// A run of letters and digits with a digit in it becomes `#`; letters become small. A caller that knows the kind of a target says
/// that instead.
pub fn shape(resource: &str) -> String {
    let mut out = String::with_capacity(resource.len());
    for piece in resource.split_inclusive(|letter: char| !letter.is_alphanumeric()) {
        let word = piece.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        if word.chars().any(char::is_numeric) {
            out.push('#');
        } else {
            out.extend(word.chars().flat_map(char::to_lowercase));
        }
        out.push_str(piece.get(word.len()..).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_a_domain_and_an_action() {
        let table: [(&str, Option<(&str, &str)>); 8] = [
            ("acp:cap:data.read", Some(("data", "read"))),
            ("acp:cap:host.isolate_2", Some(("host", "isolate_2"))),
            ("data.read", None),
            ("acp:cap:data", None),
            ("acp:cap:.read", None),
            ("acp:cap:data.", None),
            ("acp:cap:data.read.all", None),
            ("acp:cap:da ta.read", None),
        ];
        for (capability, expected) in table {
            assert_eq!(parts(capability), expected, "{capability}");
        }
    }

    #[test]
    fn shapes_lose_numbers_and_identifiers() {
        let table = [
            ("res://corp/Payments/0012", "res://corp/payments/#"),
            ("host/ws-17.corp.local", "host/ws-#.corp.local"),
            ("user/a1b2-c3d4", "user/#-#"),
            ("plain", "plain"),
            ("", ""),
            ("//", "//"),
        ];
        for (resource, expected) in table {
            assert_eq!(shape(resource), expected, "{resource}");
        }
    }
}
