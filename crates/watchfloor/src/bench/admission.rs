//! How long one admission takes with a million counters.
//!
//! Names are written just before each stretch is timed, as those of a request that just came in: what is measured is the decision,
//! with its hashes and its visits to the counters in memory, and not the reading of a list of requests. The same is measured with a hundredth of the
//! counters, which the processor's caches hold: the difference is waiting for memory.

use std::time::Instant;

use watchfloor_admission::counters::{Counters, Limits};
use watchfloor_admission::risk::{Context, Decision, History, Profile, Request, ResourceClass, Standing};

use super::figure;

/// Patterns that are asked for, of as many agents and resources as follow from it.
const PATTERNS: u64 = 600_000;
/// Of how many patterns each agent, and of how many each resource, is one.
const PATTERNS_OF_AGENT: u64 = 6;
const PATTERNS_OF_RESOURCE: u64 = 2;
/// By how much fewer there are in the second measurement.
const FEWER: u64 = 100;
const TENANTS: u64 = 50;
/// Decisions that are timed one by one.
const TIMED: u64 = 1_000_000;
/// Requests whose names are written at once.
const STRETCH: u64 = 256;
/// From one stretch to the next, in milliseconds: all of it lies within the five minutes that a pattern counts.
const STEP_MS: i64 = 25;
const CAPABILITIES: [&str; 4] = ["data.read", "data.write", "financial.payment", "infrastructure.restart"];
const SHAPES: [&str; 4] = ["host", "account", "file", "address"];

/// Prints the figures.
pub fn run() -> anyhow::Result<()> {
    let keys = measure("admission", PATTERNS, STEP_MS)?;
    anyhow::ensure!(keys >= 1_000_000, "{keys} counters");
    // Time goes faster as there are fewer, so that each counts as many within its windows.
    measure("admission.few", PATTERNS / FEWER, STEP_MS * FEWER as i64)?;
    figure("admission.clock", clock(), "ns", TIMED as usize)
}

/// Measures with so many patterns; gives how many counters that makes.
fn measure(name: &str, patterns: u64, step: i64) -> anyhow::Result<usize> {
    let profile = Profile::spec();
    let mut counters = Counters::new(Limits::default(), [7; 16])?;
    let mut now = 1_767_225_600_000;
    for start in (0..patterns).step_by(STRETCH as usize) {
        now += step;
        for names in (start..(start + STRETCH).min(patterns)).map(|pattern| Names::of(pattern, patterns)) {
            counters.admit(&profile, &names.request(), now);
        }
    }
    let keys = counters.len();
    let (mut single, mut stretches, mut approved) = (Vec::new(), Vec::new(), 0_u64);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..TIMED / STRETCH {
        let names: Vec<Names> = (0..STRETCH)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                Names::of((random >> 33) % patterns, patterns)
            })
            .collect();
        // Every other stretch is timed as a whole, without a clock between the decisions.
        let one_by_one = round % 2 == 0;
        now += step;
        let whole = Instant::now();
        for names in &names {
            let start = one_by_one.then(Instant::now);
            let record = counters.admit(&profile, &names.request(), now);
            single.extend(start.map(|start| start.elapsed().as_nanos() as u64));
            approved += u64::from(record.decision == Decision::Approved);
        }
        if !one_by_one {
            stretches.push(whole.elapsed().as_nanos() as u64 / STRETCH);
        }
    }
    anyhow::ensure!(counters.len() == keys, "{keys} counters, then {}", counters.len());
    single.sort_unstable();
    stretches.sort_unstable();
    let at =
        |list: &[u64], share: f64| list.get((list.len() as f64 * share) as usize).copied().unwrap_or_default() as f64;
    figure(&format!("{name}.counters"), keys as f64, "keys", keys)?;
    figure(&format!("{name}.approved"), approved as f64 / TIMED as f64, "ratio", TIMED as usize)?;
    figure(&format!("{name}.admit_p50"), at(&single, 0.5), "ns", single.len())?;
    figure(&format!("{name}.admit_p99"), at(&single, 0.99), "ns", single.len())?;
    figure(&format!("{name}.admit_mean_p50"), at(&stretches, 0.5), "ns", stretches.len())?;
    Ok(keys)
}

/// What reading the clock adds to a decision that is timed by itself.
fn clock() -> f64 {
    let mut read: Vec<u64> = (0..TIMED).map(|_| Instant::now().elapsed().as_nanos() as u64).collect();
    read.sort_unstable();
    read.get(read.len() / 2).copied().unwrap_or_default() as f64
}

/// Names of one request.
struct Names {
    agent: String,
    tenant: String,
    resource: String,
    capability: String,
    shape: &'static str,
}

impl Names {
    /// The names of a pattern; agents and resources are spread over all of them.
    fn of(pattern: u64, patterns: u64) -> Self {
        let (agents, resources) = (patterns / PATTERNS_OF_AGENT, patterns / PATTERNS_OF_RESOURCE);
        let spread = pattern.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let (agent, resource) = (pattern % agents, if pattern < resources { pattern } else { spread % resources });
        let pick =
            |list: &[&'static str], place: u64| list.get(place as usize % list.len()).copied().unwrap_or_default();
        Self {
            agent: format!("acp:agent:org.example:agent-{agent:06}"),
            tenant: format!("tenant-{:02}", resource % TENANTS),
            resource: format!("org.example/assets/{resource:08}"),
            capability: format!("acp:cap:{}", pick(&CAPABILITIES, pattern / 7)),
            shape: pick(&SHAPES, resource),
        }
    }

    fn request(&self) -> Request<'_> {
        Request {
            eval_id: "eval-1",
            request_id: "request-1",
            agent_id: &self.agent,
            tenant: &self.tenant,
            capability: &self.capability,
            resource: &self.resource,
            target_shape: self.shape,
            resource_class: ResourceClass::Internal,
            autonomy_level: 3,
            context: Context::CALM,
            history: History::CLEAN,
            standing: Standing::GOOD,
        }
    }
}
