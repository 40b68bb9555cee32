//! What a decision was made of, kept so that it can be made again.
//!
//! The gate is a function: plan, state, policy, what admission said, and the time. A leaf of the ledger names them by hash, and each is kept under its hash
//! as a *piece*. Years later the pieces are fetched, the gate is asked again, and the same bytes must come out.
//!
//! | member of the leaf's detail | is |
//! |---|---|
//! | `codes` | the codes of all reasons, each once |
//! | `decision` | SHA-256 of the decision's canonical JSON, which is a piece |
//! | `gate` | [`GATE`]: which gate decided |
//! | `limit` | `allow`, `people 2` or `deny` |
//! | `plan`, `plan_id` | SHA-256 of the plan's canonical JSON, which is a piece; and its name |
//! | `policy` | what the policies are known by: SHA-256 of their canonical text, which is a piece |
//! | `state` | SHA-256 of the state's frame, which is a piece |
//!
//! **The frame** of a state is JSON in which a value stands as `{"is": value}`, as `{"at": hash}` of the piece that holds its JSON, or, down to the members of
//! a tenant, as `{"of": {name: …}}`. So what did not change between two decisions, such as an inventory, is kept once. What the gate does not look at is left
//! out: other tenants and their evidence, other plans that were done, and the counters of admission; what those said stands in the decision.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use watchfloor_model::ids::PersonId;

use crate::gate::Decision;
use crate::plan::{Hash, Plan};
use crate::state::{State, StateParts};

/// The gate as it is now. It is raised whenever the same inputs give another decision, so that a decision of an older one is not taken for a wrong one.
pub const GATE: u64 = 1;
/// Longest JSON that stands in the frame itself, in bytes; what is longer is a piece.
const INLINE_BYTES_MAX: usize = 256;
/// How deep the frame goes: the state, its tenants, the members of a tenant.
const DEPTH: usize = 3;

/// A decision, and what it was made of, as they are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// For the leaf.
    pub detail: Map<String, Value>,
    /// Who answers for it, as far as anybody does.
    pub accountable: Option<PersonId>,
    /// What is kept under its hash.
    pub pieces: BTreeMap<Hash, Vec<u8>>,
}

impl Kept {
    /// Of a decision. `state` is what the gate looked at, `policy` the text that the policies are known by.
    ///
    /// # Errors
    ///
    /// The policies are known by something else than this text.
    pub fn of(plan: &Plan, state: &State, policy: &str, decision: &Decision) -> Result<Self, KeepError> {
        let mut pieces = Pieces::default();
        if pieces.add(policy.as_bytes().to_vec()) != decision.policy_hash {
            return Err(KeepError::Policy);
        }
        let (plan_hash, decision_hash) = (pieces.canonical(plan)?, pieces.canonical(decision)?);
        if plan_hash != decision.plan_hash {
            return Err(KeepError::Plan);
        }
        let seen = serde_json::to_value(state.parts_for(plan)).map_err(|_| KeepError::State)?;
        let frame = pieces.frame(seen, DEPTH);
        let framed = pieces.add(frame.to_string().into_bytes());
        let codes: BTreeSet<&str> = decision.reasons.iter().map(|reason| reason.code.as_str()).collect();
        let names = Names {
            codes: codes.into_iter().map(str::to_owned).collect(),
            decision: decision_hash,
            gate: GATE,
            limit: decision.limit.to_string(),
            plan: plan_hash,
            plan_id: plan.id.to_string(),
            policy: decision.policy_hash,
            state: framed,
        };
        let detail = match serde_json::to_value(names) {
            Ok(Value::Object(detail)) => detail,
            _ => return Err(KeepError::State),
        };
        Ok(Self { detail, accountable: decision.accountable(plan, &state.machines), pieces: pieces.0 })
    }
}

/// Why a decision cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepError {
    /// The policies are known by something else.
    Policy,
    /// The decision is of another plan.
    Plan,
    /// The state cannot be written.
    State,
}

impl std::fmt::Display for KeepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Policy => "the policies are known by something else than their text",
            Self::Plan => "the decision is of another plan",
            Self::State => "the state cannot be written",
        })
    }
}

impl std::error::Error for KeepError {}

#[derive(Default)]
struct Pieces(BTreeMap<Hash, Vec<u8>>);

impl Pieces {
    fn add(&mut self, bytes: Vec<u8>) -> Hash {
        let hash = Hash::of_bytes(&bytes);
        self.0.insert(hash, bytes);
        hash
    }

    fn canonical(&mut self, value: &impl Serialize) -> Result<Hash, KeepError> {
        Ok(self.add(serde_json_canonicalizer::to_vec(value).map_err(|_| KeepError::State)?))
    }

    fn frame(&mut self, value: Value, depth: usize) -> Value {
        let one = |name: &str, value: Value| Value::Object(Map::from_iter([(name.to_owned(), value)]));
        match value {
            Value::Object(members) if depth > 0 => {
                let framed = members.into_iter().map(|(name, value)| (name, self.frame(value, depth - 1)));
                one("of", Value::Object(framed.collect()))
            }
            other => {
                let text = other.to_string();
                if text.len() <= INLINE_BYTES_MAX {
                    return one("is", other);
                }
                one("at", Value::String(self.add(text.into_bytes()).to_string()))
            }
        }
    }
}

/// What a leaf says of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// The codes of all reasons.
    pub codes: Vec<String>,
    /// Of the decision.
    pub decision: Hash,
    /// Which gate decided.
    pub gate: u64,
    /// How far the plan may go.
    pub limit: String,
    /// Of the plan.
    pub plan: Hash,
    /// Its name.
    pub plan_id: String,
    /// Of the policies.
    pub policy: Hash,
    /// Of the state's frame.
    pub state: Hash,
}

/// A decision of the past, and all that it was made of.
#[derive(Clone, Debug)]
pub struct Recalled {
    /// What was asked for.
    pub plan: Plan,
    /// What the gate knew.
    pub state: State,
    /// The text of the policies.
    pub policy: String,
    /// What it said.
    pub decision: Decision,
}

/// Why a decision cannot be made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The leaf does not name what is needed.
    Leaf(String),
    /// A piece is not there.
    Missing(Hash),
    /// What is kept under a hash has another one.
    Changed(Hash),
    /// A piece is not what it should be.
    Unreadable(Hash, String),
}

impl Lost {
    /// What programs know it by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Leaf(_) => "replay.leaf",
            Self::Missing(_) => "replay.missing",
            Self::Changed(_) => "replay.changed",
            Self::Unreadable(..) => "replay.unreadable",
        }
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Leaf(error) => write!(f, "the leaf does not name what the decision was made of: {error}"),
            Self::Missing(hash) => write!(f, "what it was made of is not kept: {hash}"),
            Self::Changed(hash) => write!(f, "what is kept as {hash} was changed"),
            Self::Unreadable(hash, error) => write!(f, "what is kept as {hash} cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Lost {}

impl Names {
    /// Of a leaf's detail.
    ///
    /// # Errors
    ///
    /// It is not that of a decision.
    pub fn read(detail: &Map<String, Value>) -> Result<Self, Lost> {
        Self::deserialize(detail).map_err(|error| Lost::Leaf(error.to_string()))
    }

    /// Fetches what the decision was made of.
    ///
    /// # Errors
    ///
    /// Something of it is not there, or is not what it was.
    pub fn recall(&self, fetch: &dyn Fn(&Hash) -> Option<Vec<u8>>) -> Result<Recalled, Lost> {
        let piece = |hash: &Hash| {
            let bytes = fetch(hash).ok_or(Lost::Missing(*hash))?;
            if Hash::of_bytes(&bytes) == *hash { Ok(bytes) } else { Err(Lost::Changed(*hash)) }
        };
        let policy = String::from_utf8(piece(&self.policy)?)
            .map_err(|error| Lost::Unreadable(self.policy, error.to_string()))?;
        let frame: Value = read(&self.state, &piece(&self.state)?)?;
        let parts = join(frame, DEPTH, &piece).map_err(|lost| match lost {
            Broken::Lost(lost) => lost,
            Broken::Frame => Lost::Unreadable(self.state, "it is no frame of a state".to_owned()),
        })?;
        let parts: StateParts =
            serde_json::from_value(parts).map_err(|error| Lost::Unreadable(self.state, error.to_string()))?;
        Ok(Recalled {
            plan: read(&self.plan, &piece(&self.plan)?)?,
            state: State::new(parts).0,
            policy,
            decision: read(&self.decision, &piece(&self.decision)?)?,
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(hash: &Hash, bytes: &[u8]) -> Result<T, Lost> {
    serde_json::from_slice(bytes).map_err(|error| Lost::Unreadable(*hash, error.to_string()))
}

enum Broken {
    Lost(Lost),
    Frame,
}

/// A framed value, whole again.
fn join(frame: Value, depth: usize, piece: &dyn Fn(&Hash) -> Result<Vec<u8>, Lost>) -> Result<Value, Broken> {
    let Value::Object(members) = frame else { return Err(Broken::Frame) };
    let mut members = members.into_iter();
    let (Some((how, value)), None) = (members.next(), members.next()) else { return Err(Broken::Frame) };
    match (how.as_str(), value) {
        ("is", value) => Ok(value),
        ("at", value) => {
            let hash = Hash::deserialize(&value).map_err(|_| Broken::Frame)?;
            let bytes = piece(&hash).map_err(Broken::Lost)?;
            read(&hash, &bytes).map_err(Broken::Lost)
        }
        ("of", Value::Object(members)) if depth > 0 => {
            let joined = members.into_iter().map(|(name, frame)| Ok((name, join(frame, depth - 1, piece)?)));
            joined.collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        _ => Err(Broken::Frame),
    }
}
