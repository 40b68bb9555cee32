//! A request for approval: what may happen to it, and what it comes to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use watchfloor_model::ids::{MachineId, PersonId, TenantId};

use super::{
    Digest, Happened, LIFETIME_MS, LIFETIME_MS_MAX, LIFETIME_MS_MIN, PEOPLE_MAX, People, ROLE_APPROVER, Record,
    Refusal, Rules, Stamps, Taken, Vote, people::is_name,
};
use crate::Need;

/// Id of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub String);

impl From<&str> for RequestId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Who does something: a person, or a machine that people stand behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person.
    Person {
        /// Who.
        person: PersonId,
    },
    /// A machine.
    Machine {
        /// Which.
        machine: MachineId,
        /// People at whose word it acts: none of them can approve what it asks for.
        #[serde(default)]
        people: BTreeSet<PersonId>,
    },
}

impl Actor {
    /// Whether this is a person, or acts at their word.
    #[must_use]
    pub fn is(&self, id: &PersonId) -> bool {
        match self {
            Self::Person { person } => person == id,
            Self::Machine { people, .. } => people.contains(id),
        }
    }
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "plan", rename_all = "snake_case")]
pub enum Matter {
    /// A plan, by its hash.
    Plan(Digest),
    /// A plan that must be refused, by its hash. It can never be taken.
    Decoy(Digest),
}

impl Matter {
    /// Hash of the plan, which people are shown alike.
    #[must_use]
    pub fn plan(&self) -> &Digest {
        match self {
            Self::Plan(plan) | Self::Decoy(plan) => plan,
        }
    }

    /// Whether it is a decoy.
    #[must_use]
    pub fn is_decoy(&self) -> bool {
        matches!(self, Self::Decoy(_))
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Id of the request.
    pub request: RequestId,
    /// For whom.
    pub tenant: TenantId,
    /// About what.
    pub matter: Matter,
    /// Hash of the decision that asks.
    pub decision: Digest,
    /// Hash of what people are shown.
    pub shown: Digest,
    /// Random bytes of this request alone.
    pub nonce: Digest,
    /// Who must agree.
    pub need: Need,
    /// What each of them holds.
    #[serde(default = "approver")]
    pub role: String,
    /// Who asks.
    pub requester: Actor,
    /// Who granted the level of autonomy under which it is asked.
    #[serde(default)]
    pub grantors: BTreeSet<PersonId>,
    /// How long the request lives, in milliseconds.
    #[serde(default = "lifetime")]
    pub lifetime_ms: i64,
}

fn approver() -> String {
    ROLE_APPROVER.to_owned()
}

fn lifetime() -> i64 {
    LIFETIME_MS
}

impl Ask {
    fn check(&self) -> Result<(), Refusal> {
        let names = [&self.request.0, &self.role];
        let good = (1..=PEOPLE_MAX).contains(&self.need.people)
            && names.into_iter().chain(&self.need.roles).all(|name| is_name(name));
        if !good {
            return Err(Refusal::Ask);
        }
        let lives = (LIFETIME_MS_MIN..=LIFETIME_MS_MAX).contains(&self.lifetime_ms);
        if lives { Ok(()) } else { Err(Refusal::Lifetime) }
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It can be approved, and taken when enough have.
    Open,
    /// Somebody denied it.
    Denied,
    /// Somebody took back what was approved.
    Revoked,
    /// The plan was edited.
    Edited,
    /// Its time was over.
    Expired,
    /// It was taken to be done.
    Taken,
}

/// Everything that counts at one moment, besides the request itself.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// People as they are now.
    pub people: &'a People,
    /// How they have approved so far.
    pub stamps: &'a Stamps,
    /// What is held against them.
    pub rules: &'a Rules,
    /// The time, in milliseconds since 1970.
    pub now: i64,
}

/// A request for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    ask: Ask,
    opened: i64,
    phase: Phase,
    shown: BTreeMap<PersonId, i64>,
    votes: BTreeMap<PersonId, Vote>,
    /// Number of the next record, and time of the last.
    next: u32,
    last: i64,
}

/// The right to do a plan once. Only taking a request whose plan is no decoy makes one, and it cannot be copied or read from a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    request: RequestId,
    taken: Taken,
}

impl Ticket {
    /// Of which request.
    #[must_use]
    pub fn request(&self) -> &RequestId {
        &self.request
    }

    /// Which plan, and who agreed to it.
    #[must_use]
    pub fn taken(&self) -> &Taken {
        &self.taken
    }
}

/// The request that records tell of.
///
/// # Errors
/// [`Refusal::RecordOrder`]: they do not follow from each other.
pub fn replay(records: &[Record]) -> Result<Request, Refusal> {
    let (first, rest) = records.split_first().ok_or(Refusal::RecordOrder)?;
    let mut request = Request::opened(first)?;
    for record in rest {
        request.apply(record)?;
    }
    Ok(request)
}

impl Request {
    /// Asks for approval.
    ///
    /// # Errors
    /// [`Refusal::Ask`], [`Refusal::Lifetime`], [`Refusal::Time`].
    pub fn handle_open(ask: Ask, now: i64) -> Result<Record, Refusal> {
        ask.check()?;
        if !(0..=super::TIME_MS_MAX - ask.lifetime_ms).contains(&now) {
            return Err(Refusal::Time);
        }
        Ok(Record { request: ask.request.clone(), number: 0, at: now, what: Happened::Opened(Box::new(ask)) })
    }

    /// The request that a record opens.
    ///
    /// # Errors
    /// [`Refusal::RecordOrder`]: the record opens none, or one that could not be asked for.
    pub fn opened(record: &Record) -> Result<Self, Refusal> {
        let Happened::Opened(ask) = &record.what else { return Err(Refusal::RecordOrder) };
        if Self::handle_open((**ask).clone(), record.at).as_ref() != Ok(record) {
            return Err(Refusal::RecordOrder);
        }
        Ok(Self {
            ask: (**ask).clone(),
            opened: record.at,
            phase: Phase::Open,
            shown: BTreeMap::new(),
            votes: BTreeMap::new(),
            next: 1,
            last: record.at,
        })
    }

    /// What is asked for.
    #[must_use]
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Where it stands, as far as it is recorded: see [`Request::expires`] too.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// From when on it is expired, in milliseconds since 1970.
    #[must_use]
    pub fn expires(&self) -> i64 {
        self.opened.saturating_add(self.ask.lifetime_ms)
    }

    /// Approvals so far, whether they still count or not.
    pub fn votes(&self) -> impl Iterator<Item = &Vote> {
        self.votes.values()
    }

    /// When it was shown to a person.
    #[must_use]
    pub fn shown_at(&self, person: &PersonId) -> Option<i64> {
        self.shown.get(person).copied()
    }

    pub(super) fn last(&self) -> i64 {
        self.last
    }

    pub(super) fn opened_at(&self) -> i64 {
        self.opened
    }

    pub(super) fn shown_count(&self) -> usize {
        self.shown.len()
    }

    pub(super) fn has_vote_of(&self, person: &PersonId) -> bool {
        self.votes.contains_key(person)
    }

    pub(super) fn record(&self, at: i64, what: Happened) -> Record {
        Record { request: self.ask.request.clone(), number: self.next, at, what }
    }

    /// Makes the change that a record tells. Records of [`Request::handle_approve`] and its likes do, in the order in which they were made.
    ///
    /// # Errors
    /// [`Refusal::RecordOrder`]: it is not the next record of this request; nothing has changed.
    pub fn apply(&mut self, record: &Record) -> Result<(), Refusal> {
        let fits = record.request == self.ask.request
            && record.number == self.next
            && record.at >= self.last
            && self.phase == Phase::Open
            && (record.at >= self.expires()) == (record.what == Happened::Expired)
            && self.fits(&record.what);
        if !fits {
            return Err(Refusal::RecordOrder);
        }
        match &record.what {
            Happened::Opened(_) => {}
            Happened::Shown { person, .. } => {
                self.shown.insert(person.clone(), record.at);
            }
            Happened::Approved(vote) => {
                self.votes.insert(vote.person().clone(), (**vote).clone());
            }
            Happened::Denied(_) => self.phase = Phase::Denied,
            Happened::Revoked(_) => self.phase = Phase::Revoked,
            Happened::Edited { .. } => self.phase = Phase::Edited,
            Happened::Expired => self.phase = Phase::Expired,
            Happened::Taken(_) => self.phase = Phase::Taken,
        }
        self.next = self.next.saturating_add(1);
        self.last = record.at;
        Ok(())
    }

    /// Whether a record can be about this request at all, whatever else it takes to make one.
    fn fits(&self, what: &Happened) -> bool {
        let barred = |person: &PersonId| self.ask.requester.is(person) || self.ask.grantors.contains(person);
        match what {
            Happened::Opened(_) => false,
            Happened::Shown { person, shown } => *shown == self.ask.shown && !self.shown.contains_key(person),
            Happened::Approved(vote) => {
                let statement = &vote.signed.statement;
                self.is_about(statement, super::What::Approve)
                    && !barred(&statement.person)
                    && !self.votes.contains_key(&statement.person)
                    && vote.decoy == self.ask.matter.is_decoy()
            }
            Happened::Denied(stop) => self.is_about(&stop.signed.statement, super::What::Deny),
            Happened::Revoked(stop) => self.is_about(&stop.signed.statement, super::What::Revoke),
            Happened::Edited { plan, .. } => plan != self.ask.matter.plan(),
            Happened::Expired => true,
            Happened::Taken(taken) => self.ask.matter == Matter::Plan(taken.plan) && self.enough(taken),
        }
    }

    fn enough(&self, taken: &Taken) -> bool {
        taken.people.len() >= usize::from(taken.need.people)
            && taken.need.people >= self.ask.need.people
            && taken.people.iter().all(|person| self.votes.contains_key(person))
    }

    /// Applies the record of taking, and gives the right to do the plan.
    ///
    /// # Errors
    /// [`Refusal::RecordOrder`]: it is another record, or not the next.
    pub fn take(&mut self, record: &Record) -> Result<Ticket, Refusal> {
        let Happened::Taken(taken) = &record.what else { return Err(Refusal::RecordOrder) };
        self.apply(record)?;
        Ok(Ticket { request: self.ask.request.clone(), taken: taken.clone() })
    }
}
