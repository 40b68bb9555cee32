//! Whether the boundary is still exercised: the BAR monitor and counterfactual probes.
//!
//! BAR is the share of decisions that were escalated or denied among the last `window`, in permille. A system that approves
//! everything may be well behaved or blind; the monitor tells that nobody knows. Probes then ask the same decision function about
//! the same request made worse, to show that the boundary still bites. They count nowhere and allow nothing.
//!
//! | alert | when |
//! |---|---|
//! | threshold | BAR < 50 ‰ |
//! | drift | BAR of the newer half − BAR of the older half < −100 ‰; not told beside a threshold alert |
//!
//! There is no alert before the window is full.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::risk::{
    Counts, DENIALS_COUNTED_MAX, Decision, Profile, REQUESTS_COUNTED_MAX, Request, ResourceClass, evaluate,
};

/// Decisions of the usual window.
pub const WINDOW: usize = 100;
/// Longest window.
pub const WINDOW_MAX: usize = 10_000;
/// Below this BAR there is a threshold alert, in permille.
pub const THRESHOLD_PERMILLE: i64 = 50;
/// Below this difference of the halves there is a drift alert, in permille.
pub const DRIFT_PERMILLE: i64 = -100;

/// The last decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct Monitor {
    window: usize,
    /// Whether each decision was escalated or denied, oldest first.
    restricted: VecDeque<bool>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    window: usize,
    restricted: VecDeque<bool>,
}

/// What the monitor tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alert {
    /// Hardly anything is held back.
    Threshold,
    /// Much less is held back than before.
    Drift,
}

/// Why there is no such monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowError;

impl fmt::Display for WindowError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a window has 2 to {WINDOW_MAX} decisions, an even number")
    }
}

impl std::error::Error for WindowError {}

impl Monitor {
    /// A monitor over an even number of decisions.
    pub fn new(window: usize) -> Result<Self, WindowError> {
        if !window.is_multiple_of(2) || !(2..=WINDOW_MAX).contains(&window) {
            return Err(WindowError);
        }
        Ok(Self { window, restricted: VecDeque::with_capacity(window) })
    }

    /// Takes in a decision.
    pub fn observe(&mut self, decision: Decision) {
        if self.restricted.len() == self.window {
            self.restricted.pop_front();
        }
        self.restricted.push_back(decision != Decision::Approved);
    }

    /// The share of what was escalated or denied, in permille; `None` before anything was decided.
    pub fn permille(&self) -> Option<i64> {
        share(self.restricted.iter(), self.restricted.len())
    }

    /// BAR of the newer half minus that of the older; `None` before the window is full.
    pub fn drift(&self) -> Option<i64> {
        let half = self.window / 2;
        let full = self.restricted.len() == self.window;
        let older = share(self.restricted.iter().take(half), half)?;
        let newer = share(self.restricted.iter().skip(half), half)?;
        full.then_some(newer - older)
    }

    /// What there is to tell.
    pub fn alert(&self) -> Option<Alert> {
        let drift = self.drift()?;
        if self.permille()? < THRESHOLD_PERMILLE {
            return Some(Alert::Threshold);
        }
        (drift < DRIFT_PERMILLE).then_some(Alert::Drift)
    }
}

fn share<'b>(decisions: impl Iterator<Item = &'b bool>, of: usize) -> Option<i64> {
    let restricted = decisions.filter(|restricted| **restricted).count() as i64;
    (restricted * 1000).checked_div(of as i64)
}

impl From<Monitor> for Saved {
    fn from(Monitor { window, restricted }: Monitor) -> Self {
        Self { window, restricted }
    }
}

impl TryFrom<Saved> for Monitor {
    type Error = WindowError;

    fn try_from(saved: Saved) -> Result<Self, WindowError> {
        let monitor = Self::new(saved.window)?;
        if saved.restricted.len() > saved.window {
            return Err(WindowError);
        }
        Ok(Self { restricted: saved.restricted, ..monitor })
    }
}

/// How a probe makes a request worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mutation {
    /// On the most delicate class of target, from a strange device at a strange place.
    Structural,
    /// By an agent whose every counter is above every threshold.
    Behavioural,
    /// At night, on a holiday, with a clock that is wrong.
    Temporal,
}

/// What the decision function says of a request made worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// How.
    pub mutation: Mutation,
    /// What it says.
    pub decision: Decision,
    /// The score, where there is one.
    pub score: Option<u8>,
}

/// The probes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// What it says of the request itself.
    pub actual: Decision,
    /// What it says of each mutation.
    pub probes: [Probe; 3],
}

impl Probed {
    /// Whether any mutation is held back: the boundary bites.
    pub fn bites(&self) -> bool {
        self.probes.iter().any(|probe| probe.decision != Decision::Approved)
    }

    /// Whether no mutation is treated more mildly than the request itself, as it must be.
    pub fn monotone(&self) -> bool {
        self.probes.iter().all(|probe| probe.decision >= self.actual)
    }
}

/// Asks the decision function about a request made worse in three ways.
pub fn probe(profile: &Profile, request: &Request<'_>, counts: &Counts) -> Probed {
    let ask = |mutation| {
        let (request, counts) = mutated(mutation, request, counts);
        let record = evaluate(profile, &request, &counts);
        Probe { mutation, decision: record.decision, score: record.rs_final }
    };
    let probes = [Mutation::Structural, Mutation::Behavioural, Mutation::Temporal].map(ask);
    Probed { actual: evaluate(profile, request, counts).decision, probes }
}

fn mutated<'a>(mutation: Mutation, request: &Request<'a>, counts: &Counts) -> (Request<'a>, Counts) {
    let (mut request, mut counts) = (*request, *counts);
    match mutation {
        Mutation::Structural => {
            request.resource_class = ResourceClass::Restricted;
            request.context.external_ip = Some(true);
            request.context.geo_outside = Some(true);
            request.context.untrusted_device = Some(true);
        }
        Mutation::Behavioural => {
            counts.flood = REQUESTS_COUNTED_MAX;
            counts.repeats = REQUESTS_COUNTED_MAX;
            counts.denials = DENIALS_COUNTED_MAX;
            request.history.recent_denial = Some(true);
            request.history.denial_rate_high = Some(true);
        }
        Mutation::Temporal => {
            request.context.off_hours = Some(true);
            request.context.non_business_day = Some(true);
            request.context.timestamp_drift = Some(true);
        }
    }
    (request, counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(window: usize, decisions: &[(usize, Decision)]) -> Monitor {
        let mut monitor = Monitor::new(window).unwrap();
        for (count, decision) in decisions {
            (0..*count).for_each(|_| monitor.observe(*decision));
        }
        monitor
    }

    /// So many decisions of each kind, in turn.
    type Run = &'static [(usize, Decision)];

    #[test]
    fn alerts_come_at_their_bounds() {
        use Decision::{Approved, Denied, Escalated};
        let table: [(Run, Option<i64>, Option<Alert>); 9] = [
            (&[], None, None),
            (&[(99, Approved)], Some(0), None),
            (&[(100, Approved)], Some(0), Some(Alert::Threshold)),
            (&[(96, Approved), (4, Denied)], Some(40), Some(Alert::Threshold)),
            (&[(95, Approved), (5, Denied)], Some(50), None),
            // Older half 10 of 50, newer 5: −100 ‰ is at the bound, 4 of 50 below it.
            (&[(10, Escalated), (40, Approved), (5, Denied), (45, Approved)], Some(150), None),
            (&[(10, Escalated), (40, Approved), (4, Denied), (46, Approved)], Some(140), Some(Alert::Drift)),
            (&[(4, Denied), (96, Approved)], Some(40), Some(Alert::Threshold)),
            (&[(500, Approved), (100, Denied)], Some(1000), None),
        ];
        for (decisions, permille, alert) in table {
            let monitor = fed(WINDOW, decisions);
            assert_eq!((monitor.permille(), monitor.alert()), (permille, alert), "{decisions:?}");
            let saved = serde_json::to_string(&monitor).unwrap();
            assert_eq!(serde_json::from_str::<Monitor>(&saved).unwrap(), monitor);
        }
        assert_eq!(fed(4, &[(2, Denied), (2, Approved)]).drift(), Some(-1000));
        assert_eq!(fed(4, &[(3, Denied)]).drift(), None);
    }

    #[test]
    fn windows_have_limits() {
        for (window, sound) in
            [(0, false), (1, false), (2, true), (3, false), (9_999, false), (10_000, true), (10_002, false)]
        {
            assert_eq!(Monitor::new(window).is_ok(), sound, "{window}");
        }
        assert!(serde_json::from_str::<Monitor>(r#"{"window":2,"restricted":[true,true]}"#).is_ok());
        assert!(serde_json::from_str::<Monitor>(r#"{"window":2,"restricted":[true,true,true]}"#).is_err());
    }
}
