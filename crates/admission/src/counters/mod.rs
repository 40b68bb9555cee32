//! What was asked and denied lately, and [`Counters::admit`], which decides and counts in one step.
//!
//! # Counted
//!
//! | key | requests | denials |
//! |---|---|---|
//! | agent | 60 s, 5 min | 10 min, 24 h: all of them |
//! | tenant and resource; tenant; tenant, capability and shape | 60 s, 5 min | 10 min, 24 h: those by score |
//! | pattern: agent, capability, resource | 60 s, 5 min | – |
//!
//! Windows slide and take in their cutoff: `t >= now - w`. A window keeps the newest 15 requests or 8 denials; the thresholds of a
//! profile lie below, so a rule fires exactly when the true count says so.
//!
//! # The contract (ACR-1.0: evaluate, then count)
//!
//! ```text
//! decide on the counters as of before the request
//! count the request for the agent, the pattern and the shared scopes
//! count the denial for the agent, whatever denied it
//! count the denial for the shared scopes, if the score denied it and no scope was hot
//! start the agent's cooldown, if none runs and there were enough denials in 10 min; likewise the shared scopes'
//! ```
//!
//! All of it is one call with `&mut self`: no second request can see the counters in between. Denials by a cooldown count for the
//! agent, so that one that hammers gets a single try after each period, and not for the shared scopes, which it would else keep hot
//! for the others.
//! A request of an agent that is not registered is denied and counts nowhere: names that anyone can invent must not fill the store.
//!
//! # Time and room
//!
//! Time does not run backwards: a request that is older than one before it counts as if it came at the same time. Times are kept as
//! ticks of 32 bits, milliseconds since an origin that moves along every three weeks. When the store has no room for a request's counters, the request is denied (`COUNTERS_FULL`): a counter that still says something is
//! never forgotten. State saved and restored decides the same.

mod table;
mod window;

use std::fmt;
use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher13;

use crate::risk::{
    Changes, Counts, DENIALS_COUNTED_MAX, Decision, FloodCounts, PatternKey, Profile, REQUESTS_COUNTED_MAX, Reason,
    Record, Request, Rules, Scope, ScopeCounts, evaluate,
};
use table::{Place, Saved, State, Table};
use window::Window;

/// Window of rule 1, in milliseconds.
pub const FLOOD_MS: u32 = 60_000;
/// Window of rule 3, in milliseconds.
pub const REPEATS_MS: u32 = 5 * 60_000;
/// Window of the denials that start a cooldown, in milliseconds.
pub const COOLDOWN_WINDOW_MS: u32 = 10 * 60_000;
/// Window of rule 2, in milliseconds.
pub const DENIALS_MS: u32 = 24 * 3_600_000;
/// Ticks between the origin and now when the origin is set: longer than every window, so that nothing that counts is cut off.
const ORIGIN_BEFORE_MS: u32 = 2 * DENIALS_MS;
/// The origin moves along when now is this many ticks after it.
const ORIGIN_AFTER_MS: i64 = 1 << 31;
/// Most keys that a limit may allow.
pub const KEYS_MAX: u32 = 16_000_000;

/// Keys that there is room for; there are two slots a key, see `table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Agents, resources, tenants and shapes together; a key takes 272 bytes.
    pub scopes: u32,
    /// Patterns; a key takes 144 bytes.
    pub patterns: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { scopes: 1_000_000, patterns: 1_000_000 }
    }
}

/// The counters of everyone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "SavedCounters", into = "SavedCounters")]
pub struct Counters {
    limits: Limits,
    /// Keys the hash of names, so that nobody can choose names that collide.
    seed: [u8; 16],
    /// Epoch milliseconds of tick 0.
    origin: i64,
    /// The latest tick that was seen.
    latest: u32,
    scopes: Table<ScopeState>,
    patterns: Table<PatternState>,
}

/// Counters as they are saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedCounters {
    limits: Limits,
    seed: [u8; 16],
    origin: i64,
    latest: u32,
    scopes: Vec<Saved<ScopeState>>,
    patterns: Vec<Saved<PatternState>>,
}

/// Two cache lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[repr(align(64))]
struct ScopeState {
    requests: Window<{ REQUESTS_COUNTED_MAX as usize }>,
    denials: Window<{ DENIALS_COUNTED_MAX as usize }>,
    /// End of the cooldown; `None` where none was started since the last one was found over.
    until: Option<u32>,
}

/// One cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[repr(align(64))]
struct PatternState {
    requests: Window<{ REQUESTS_COUNTED_MAX as usize }>,
}

impl State for ScopeState {
    fn spent(&self, now: u32) -> bool {
        let old = |last: Option<u32>, window: u32| last.is_none_or(|last| last < now.saturating_sub(window));
        old(self.denials.last(), DENIALS_MS)
            && old(self.requests.last(), REPEATS_MS)
            && self.until.is_none_or(|until| until <= now)
    }

    fn newest(&self) -> u32 {
        self.requests.last().max(self.denials.last()).unwrap_or_default()
    }

    fn rebase(&mut self, by: u32) {
        self.requests.rebase(by);
        self.denials.rebase(by);
        self.until = self.until.map(|until| until.saturating_sub(by));
    }

    fn touch(&self) -> u32 {
        self.requests.touch() ^ self.denials.touch()
    }
}

impl State for PatternState {
    fn spent(&self, now: u32) -> bool {
        self.requests.last().is_none_or(|last| last < now.saturating_sub(REPEATS_MS))
    }

    fn newest(&self) -> u32 {
        self.requests.last().unwrap_or_default()
    }

    fn rebase(&mut self, by: u32) {
        self.requests.rebase(by);
    }

    fn touch(&self) -> u32 {
        self.requests.touch()
    }
}

/// Why counters cannot be made or restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountersError(&'static str);

impl fmt::Display for CountersError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for CountersError {}

/// The slots of a request's scopes.
type Places = [(Scope, Option<Place>); 4];

impl Default for Counters {
    /// Empty counters with room for [`Limits::default`], and a seed that everybody knows: for trying things out.
    fn default() -> Self {
        let limits = Limits::default();
        let (scopes, patterns) = (Table::new(limits.scopes), Table::new(limits.patterns));
        Self { limits, seed: [0; 16], origin: i64::MIN, latest: 0, scopes, patterns }
    }
}

impl Counters {
    /// Empty counters. The seed is secret and drawn once, by the caller.
    pub fn new(limits: Limits, seed: [u8; 16]) -> Result<Self, CountersError> {
        if limits.scopes > KEYS_MAX || limits.patterns > KEYS_MAX {
            return Err(CountersError("limits of counters are at most 16000000 keys"));
        }
        let (scopes, patterns) = (Table::new(limits.scopes), Table::new(limits.patterns));
        Ok(Self { limits, seed, origin: i64::MIN, latest: 0, scopes, patterns })
    }

    /// Decides a request and counts it, in one step.
    pub fn admit<'a>(&mut self, profile: &'a Profile, request: &Request<'a>, now: i64) -> Record<'a> {
        if !request.standing.agent_registered {
            let counts = Counts { pattern_key: pattern_key(request), ..Counts::NONE };
            return Record { timestamp: now, ..evaluate(profile, request, &counts) };
        }
        self.advance(now);
        let (places, counts) = self.count_request(profile.rules(), request);
        let mut record = evaluate(profile, request, &counts);
        record.timestamp = now;
        record.changes = self.count_denial(profile.rules(), &places, &record);
        record
    }

    /// Keys that are kept: scopes and patterns.
    pub fn len(&self) -> usize {
        self.scopes.len() + self.patterns.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets the tick of now, and moves the origin along where it lies too far back.
    fn advance(&mut self, now: i64) {
        let mut tick = now.saturating_sub(self.origin);
        if tick >= ORIGIN_AFTER_MS {
            let by = tick - i64::from(ORIGIN_BEFORE_MS);
            // Further than any tick: all of them move to the origin.
            let ticks = u32::try_from(by).unwrap_or(u32::MAX);
            self.scopes.rebase(ticks);
            self.patterns.rebase(ticks);
            self.latest = self.latest.saturating_sub(ticks);
            self.origin = now.saturating_sub(i64::from(ORIGIN_BEFORE_MS));
            tick = now.saturating_sub(self.origin);
        }
        self.latest = self.latest.max(u32::try_from(tick).unwrap_or(0));
    }

    /// Epoch milliseconds of a tick.
    fn time(&self, tick: u32) -> i64 {
        self.origin.saturating_add(tick.into())
    }

    /// Counts as of before the request, which is then counted. A slot is counted in before the next one is looked for: making room
    /// for that one must not free it.
    fn count_request(&mut self, rules: &Rules, request: &Request<'_>) -> (Places, Counts) {
        let now = self.latest;
        let since = |window: u32| now.saturating_sub(window);
        let keys = scope_keys(self.seed, request);
        let pattern_key = pattern_key(request);
        let PatternKey([a, b, c, d, e, f, g, h, ..]) = pattern_key;
        let pattern = tag(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
        // What costs time is waiting for memory: all tags come at the same time, and then all slots, while none is written. To compute the
        // pattern's hash in between would make its tags come later, and save nothing.
        let tags = keys.iter().fold(0, |all, (_, tag)| all ^ self.scopes.fetch(*tag));
        std::hint::black_box(tags ^ self.patterns.fetch(pattern));
        let slots = keys.iter().fold(0, |all, (_, tag)| all ^ self.scopes.touch(*tag));
        std::hint::black_box(slots ^ self.patterns.touch(pattern));
        let mut counts = Counts { pattern_key, ..Counts::NONE };
        let place = self.patterns.place(pattern, now);
        let mut pattern_flood = 0;
        match place.and_then(|place| self.patterns.get_mut(place)) {
            None => counts.kept = false,
            Some(state) => {
                pattern_flood = state.requests.since(since(FLOOD_MS));
                counts.repeats = state.requests.since(since(REPEATS_MS));
                state.requests.push(now);
            }
        }
        let places = keys.map(|(scope, key)| {
            let place = self.scopes.place(key, now);
            let Some(state) = place.and_then(|place| self.scopes.get_mut(place)) else {
                counts.kept = false;
                return (scope, None);
            };
            let before = ScopeCounts {
                flood: state.requests.since(since(FLOOD_MS)),
                denials: state.denials.since(since(DENIALS_MS)),
                repeats: state.requests.since(since(REPEATS_MS)),
                hot: state.until.is_some_and(|until| now < until),
            };
            state.requests.push(now);
            match scope {
                Scope::Agent => {
                    counts.cooldown_active = before.hot;
                    counts.denials = before.denials;
                    counts.flood = match rules.anomaly.flood_counts {
                        FloodCounts::Agent => before.flood,
                        FloodCounts::Pattern => pattern_flood,
                    };
                }
                Scope::Resource => counts.resource = before,
                Scope::Tenant => counts.tenant = before,
                Scope::Shape => counts.shape = before,
            }
            (scope, place)
        });
        (places, counts)
    }

    /// Counts a denial, and ends and starts cooldowns.
    fn count_denial(&mut self, rules: &Rules, places: &Places, record: &Record<'_>) -> Changes {
        let now = self.latest;
        let until = now.saturating_add(rules.cooldown.period_seconds.saturating_mul(1000));
        let mut changes = Changes::default();
        let denied = record.decision == Decision::Denied;
        let by_score = record.reasons.has(Reason::ScoreDenied) && !record.reasons.has(Reason::SharedCooldown);
        for (scope, place) in *places {
            let Some(state) = place.and_then(|place| self.scopes.get_mut(place)) else { continue };
            let counted = if scope == Scope::Agent { denied } else { by_score };
            if counted {
                state.denials.push(now);
            }
            if state.until.is_some_and(|until| until <= now) {
                state.until = None;
                changes.left.add(scope);
            }
            let recent = state.denials.since(now.saturating_sub(COOLDOWN_WINDOW_MS));
            if state.until.is_none() && scope.trigger(rules).is_some_and(|trigger| recent >= trigger) {
                state.until = Some(until);
                changes.entered.add(scope);
            }
        }
        if !changes.entered.is_empty() {
            changes.until = self.time(until);
        }
        changes
    }
}

/// Name of the pattern: agent, capability and resource.
pub fn pattern_key(request: &Request<'_>) -> PatternKey {
    let mut hash = Sha256::new();
    hash.update(request.agent_id);
    hash.update("|");
    hash.update(request.capability);
    hash.update("|");
    hash.update(request.resource);
    let mut key = PatternKey::default();
    key.0.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    key
}

/// Keys of the four scopes. SipHash-1-3 is fixed by its specification: a saved key is found by every later version.
fn scope_keys(seed: [u8; 16], request: &Request<'_>) -> [(Scope, u64); 4] {
    let start = SipHasher13::new_with_key(&seed);
    let hash = |scope: u8, within: u64, name: &str| {
        let mut hasher = start;
        hasher.write_u64(within);
        hasher.write(name.as_bytes());
        hasher.write_u8(scope);
        hasher.finish()
    };
    let tenant = hash(1, 0, request.tenant);
    let shape = hash(4, hash(3, tenant, request.capability), request.target_shape);
    let keys = [hash(0, 0, request.agent_id), hash(2, tenant, request.resource), tenant, shape];
    let [agent, resource, tenant, shape] = keys.map(tag);
    [(Scope::Agent, agent), (Scope::Resource, resource), (Scope::Tenant, tenant), (Scope::Shape, shape)]
}

/// A hash as a tag: none is 0.
fn tag(hash: u64) -> u64 {
    hash.max(1)
}

impl From<Counters> for SavedCounters {
    fn from(counters: Counters) -> Self {
        let Counters { limits, seed, origin, latest, scopes, patterns } = counters;
        Self { limits, seed, origin, latest, scopes: scopes.save(), patterns: patterns.save() }
    }
}

impl TryFrom<SavedCounters> for Counters {
    type Error = CountersError;

    fn try_from(saved: SavedCounters) -> Result<Self, CountersError> {
        let SavedCounters { limits, seed, origin, latest, scopes, patterns } = saved;
        let empty = Self::new(limits, seed)?;
        let scopes = Table::restore(scopes, limits.scopes, latest).map_err(CountersError)?;
        let patterns = Table::restore(patterns, limits.patterns, latest).map_err(CountersError)?;
        Ok(Self { origin, latest, scopes, patterns, ..empty })
    }
}
