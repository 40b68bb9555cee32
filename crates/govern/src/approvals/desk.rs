//! Where several people and machines act on one request at a time.
//!
//! One at a time decides; its record is written to the ledger, and only then it counts: if it cannot be written, nothing has happened. Who stops (denies, revokes, edits)
//! is looked at first, and from then on nobody can take the plan, even who was waiting longer: a revocation wins over every take that is not yet recorded. A stop
//! that could not be written keeps the plan from being taken all the same, until it is written or the request expires.

use std::{error, fmt};

use watchfloor_model::ids::PersonId;

use super::{Actor, Digest, Moment, People, Record, Refusal, Request, Signed, Ticket};
use crate::Need;

/// What one at a time can have. Tests put a mutex here that tries every order of threads.
pub trait Exclusive<T> {
    /// Does something with it, alone. None: somebody broke off in the middle, so that nobody knows what it is.
    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R>;
}

impl<T> Exclusive<T> for std::sync::Mutex<T> {
    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.lock().ok().map(|mut held| work(&mut held))
    }
}

/// Why nothing came of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskError<E> {
    /// It is refused.
    Refused(Refusal),
    /// It could not be written to the ledger.
    NotWritten(E),
    /// Somebody broke off in the middle.
    Broken,
}

impl<E> DeskError<E> {
    /// What programs know it by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::NotWritten(_) => "approvals.not_written",
            Self::Broken => "approvals.broken",
        }
    }
}

impl<E> From<Refusal> for DeskError<E> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: fmt::Display> fmt::Display for DeskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotWritten(error) => write!(f, "the ledger could not be written: {error}"),
            Self::Broken => f.write_str("the request was left in the middle of a change"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> error::Error for DeskError<E> {}

/// A request that several act on.
#[derive(Debug)]
pub struct Desk<R, S> {
    request: R,
    /// How many stops are on their way, or could not be written.
    stops: S,
}

impl<R: Exclusive<Request>, S: Exclusive<u32>> Desk<R, S> {
    /// A desk for a request; `stops` begins with 0.
    pub fn new(request: R, stops: S) -> Self {
        Self { request, stops }
    }

    /// The request as it is.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        self.request.with(|request| request.clone())
    }

    /// See [`Request::handle_show`].
    ///
    /// # Errors
    /// Why nothing came of it.
    pub fn show<E>(
        &self,
        person: &PersonId,
        shown: &Digest,
        people: &People,
        now: i64,
        write: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<Record, DeskError<E>> {
        self.decide(|request| request.handle_show(person, shown, people, now), write)
    }

    /// See [`Request::handle_approve`].
    ///
    /// # Errors
    /// Why nothing came of it.
    pub fn approve<E>(
        &self,
        signed: &Signed,
        looked_ms: i64,
        moment: &Moment<'_>,
        write: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<Record, DeskError<E>> {
        self.decide(|request| request.handle_approve(signed, looked_ms, moment), write)
    }

    /// See [`Request::handle_expire`].
    ///
    /// # Errors
    /// Why nothing came of it.
    pub fn expire<E>(&self, now: i64, write: impl FnOnce(&Record) -> Result<(), E>) -> Result<Record, DeskError<E>> {
        self.decide(|request| request.handle_expire(now), write)
    }

    /// See [`Request::handle_deny`].
    ///
    /// # Errors
    /// Why nothing came of it.
    pub fn deny<E>(
        &self,
        signed: &Signed,
        moment: &Moment<'_>,
        write: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<Record, DeskError<E>> {
        self.stop(|request| request.handle_deny(signed, moment), write)
    }

    /// See [`Request::handle_revoke`].
    ///
    /// # Errors
    /// Why nothing came of it.
    pub fn revoke<E>(
        &self,
        signed: &Signed,
        moment: &Moment<'_>,
        write: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<Record, DeskError<E>> {
        self.stop(|request| request.handle_revoke(signed, moment), write)
    }

    /// See [`Request::handle_edit`].
    ///
    /// # Errors
    /// Why nothing came of it.
    pub fn edit<E>(
        &self,
        by: &Actor,
        plan: &Digest,
        now: i64,
        write: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<Record, DeskError<E>> {
        self.stop(|request| request.handle_edit(by, plan, now), write)
    }

    /// See [`Request::handle_take`]. Gives the right to do the plan, once.
    ///
    /// # Errors
    /// Why it must not be done.
    pub fn take<E>(
        &self,
        plan: &Digest,
        need: &Need,
        moment: &Moment<'_>,
        write: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<(Record, Ticket), DeskError<E>> {
        self.alone(|request| {
            let record = request.handle_take(plan, need, moment)?;
            let mut next = request.clone();
            let ticket = next.take(&record)?;
            // Nobody begins to stop between the look and the record.
            let written = self.stops.with(|stops| match *stops {
                0 => write(&record).map_err(DeskError::NotWritten),
                _ => Err(Refusal::StopWaits.into()),
            });
            written.ok_or(DeskError::Broken)??;
            *request = next;
            Ok((record, ticket))
        })
    }

    fn decide<E>(
        &self,
        handle: impl FnOnce(&Request) -> Result<Record, Refusal>,
        write: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<Record, DeskError<E>> {
        self.alone(|request| {
            let record = handle(request)?;
            let mut next = request.clone();
            next.apply(&record)?;
            write(&record).map_err(DeskError::NotWritten)?;
            *request = next;
            Ok(record)
        })
    }

    /// A stop that would be refused keeps nobody from anything, so it is tried first.
    fn stop<E>(
        &self,
        handle: impl Fn(&Request) -> Result<Record, Refusal>,
        write: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<Record, DeskError<E>> {
        self.alone(|request| handle(request).map_err(DeskError::Refused))?;
        self.stops.with(|stops| *stops = stops.saturating_add(1)).ok_or(DeskError::Broken)?;
        let done = self.decide(handle, write);
        if !matches!(done, Err(DeskError::NotWritten(_))) {
            self.stops.with(|stops| *stops = stops.saturating_sub(1)).ok_or(DeskError::Broken)?;
        }
        done
    }

    fn alone<T, E>(&self, work: impl FnOnce(&mut Request) -> Result<T, DeskError<E>>) -> Result<T, DeskError<E>> {
        self.request.with(work).ok_or(DeskError::Broken)?
    }
}
