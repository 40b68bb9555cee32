//! The two shipped profiles, as numbers. `docs/acp-deviations.md` says where they contradict each other.

use std::collections::BTreeMap;

use super::profile::{
    Anomaly, Band, Base, ContextWeights, Cooldown, CountRule, FloodCounts, HistoryWeights, Hot, ResourceWeights, Rules,
    SCORE_MAX, Shared, SharedRule,
};

/// CAP-REG-1.0: what each capability of the register weighs.
const REGISTER: &[(&str, &[(&str, u16)])] = &[
    (
        "financial",
        &[
            ("read", 0),
            ("write", 10),
            ("payment", 35),
            ("transfer", 40),
            ("approve", 25),
            ("cancel", 15),
            ("report", 5),
        ],
    ),
    ("identity", &[("read", 0), ("verify", 5), ("create", 20), ("modify", 20), ("revoke", 30), ("delegate", 25)]),
    (
        "infrastructure",
        &[("read", 0), ("deploy", 30), ("modify", 25), ("scale", 20), ("delete", 55), ("restart", 15), ("monitor", 0)],
    ),
    (
        "data",
        &[
            ("read", 0),
            ("write", 10),
            ("delete", 30),
            ("export", 25),
            ("import", 15),
            ("classify", 10),
            ("anonymize", 15),
            ("notify", 5),
        ],
    ),
    ("communication", &[("internal", 0), ("external", 20), ("broadcast", 25), ("webhook", 15), ("notify", 5)]),
    ("agent", &[("register", 20), ("read", 0), ("modify", 25), ("suspend", 30), ("revoke", 40), ("delegate", 20)]),
    ("audit", &[("read", 5), ("query", 5), ("export", 20), ("verify", 5)]),
];

pub(super) fn spec() -> Rules {
    Rules {
        name: "acp-risk-2.0-spec".to_owned(),
        policy_hash: String::new(),
        base: Base {
            exact: REGISTER.iter().map(|(domain, actions)| ((*domain).to_owned(), weights(actions))).collect(),
            domains: BTreeMap::new(),
            actions: weights(&[("monitor", 0)]),
            unknown: 40,
            unknown_escalates: true,
        },
        context: ContextWeights {
            external_ip: 20,
            off_hours: 15,
            non_business_day: 10,
            geo_outside: 25,
            timestamp_drift: 30,
            untrusted_device: 10,
        },
        history: HistoryWeights {
            denial_rate_high: 15,
            unresolved_escalations: 10,
            recent_denial: 20,
            freq_anomaly: 15,
            amount_near_limit: 20,
            no_history: 10,
        },
        resource: ResourceWeights { public: 0, internal: 5, sensitive: 15, critical: 30, restricted: 45 },
        anomaly: anomaly(FloodCounts::Agent),
        cooldown: Cooldown { trigger_denials: 3, period_seconds: 300 },
        bands: [band(19, SCORE_MAX), band(39, 69), band(59, 79), band(79, 89)],
        shared: shared(),
        custom: Vec::new(),
    }
}

pub(super) fn go() -> Rules {
    let never = Band { approved_max: None, escalated_max: 69 };
    Rules {
        name: "acp-risk-go-1.30".to_owned(),
        base: Base {
            exact: [("data".to_owned(), weights(&[("read", 0), ("write", 10)]))].into(),
            domains: weights(&[("financial", 35), ("admin", 60)]),
            actions: weights(&[("monitor", 0)]),
            unknown: 20,
            unknown_escalates: false,
        },
        context: ContextWeights {
            external_ip: 20,
            off_hours: 15,
            non_business_day: 10,
            geo_outside: 15,
            timestamp_drift: 10,
            untrusted_device: 10,
        },
        history: HistoryWeights {
            denial_rate_high: 15,
            unresolved_escalations: 10,
            recent_denial: 20,
            freq_anomaly: 15,
            amount_near_limit: 10,
            no_history: 5,
        },
        resource: ResourceWeights { public: 0, internal: 0, sensitive: 15, critical: 0, restricted: 45 },
        anomaly: anomaly(FloodCounts::Pattern),
        bands: [never, band(39, 69), band(39, 69), band(39, 69)],
        ..spec()
    }
}

fn anomaly(flood_counts: FloodCounts) -> Anomaly {
    Anomaly {
        flood_counts,
        flood: CountRule { threshold: 10, weight: 20 },
        denials: CountRule { threshold: 3, weight: 15 },
        repeats: CountRule { threshold: 3, weight: 15 },
        max: 50,
    }
}

/// Ours, in both profiles. A tenant is busy when nothing is wrong: only denials make it hot. Three requests for one capability on
/// targets of one shape are usual in an incident, ten in five minutes are a sweep.
fn shared() -> Shared {
    let resource =
        SharedRule { flood: Some(10), denials: Some(3), repeats: Some(3), hot_denials: Some(3), hot: Hot::Escalate };
    Shared {
        resource,
        tenant: SharedRule { flood: None, denials: None, repeats: None, ..resource },
        shape: SharedRule { repeats: Some(10), ..resource },
    }
}

fn band(approved_max: u8, escalated_max: u8) -> Band {
    Band { approved_max: Some(approved_max), escalated_max }
}

fn weights(list: &[(&str, u16)]) -> BTreeMap<String, u16> {
    list.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect()
}
