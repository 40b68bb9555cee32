//! RISK-2.0: the score of a request, in whole numbers.
//!
//! ```text
//! RS = min(100, B(capability) + F_ctx + F_hist + F_res + F_anom)
//! ```
//!
//! [`evaluate`] is a pure function of a [`Profile`], a [`Request`] and [`Counts`]. Every check runs and every reason is reported;
//! the decision is the most restrictive of them, so the order of checks does not matter to it. `denied_reason` names the first
//! reason in the order of [`Reason`]. All factors only add: more of anything never makes a decision milder.

mod evaluate;
mod names;
mod profile;
mod record;
mod request;
mod shipped;

pub use evaluate::{Counts, ScopeCounts, evaluate};
pub use names::{Named, Names};
pub use profile::{
    Anomaly, Band, Base, COOLDOWN_SECONDS_MAX, CUSTOM_PREFIX, CUSTOM_RULES_MAX, ContextWeights, Cooldown, CountRule,
    Counter, CustomRule, DENIALS_COUNTED_MAX, FloodCounts, HistoryWeights, Hot, Profile, ProfileError,
    REQUESTS_COUNTED_MAX, ResourceWeights, Rules, SCORE_MAX, Shared, SharedRule, WEIGHT_MAX,
};
pub use record::{
    AnomalyDetail, Changes, Decision, Factor, Factors, PatternKey, Reason, Record, Scope, StateChange, ThresholdConfig,
};
pub use request::{Context, History, LEVEL_MAX, NAME_BYTES_MAX, Request, ResourceClass, Standing, parts, shape};
