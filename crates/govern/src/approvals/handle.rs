//! What inputs come to. Each gives the record of it, and changes nothing.

use watchfloor_model::ids::PersonId;

use super::{
    Actor, Digest, Happened, Matter, Moment, People, Phase, REASON_CHARS_MAX, REASON_CHARS_MIN, Record, Refusal,
    Request, SHOWN_MAX, STATEMENT_AGE_MS_MAX, Signed, Statement, Stop, VOTES_MAX, Vote, What, habit::Given,
};
use crate::Need;

impl Request {
    /// The request is shown to a person, as it stands.
    ///
    /// # Errors
    /// Why it cannot be; see [`Refusal`].
    pub fn handle_show(&self, person: &PersonId, shown: &Digest, people: &People, now: i64) -> Result<Record, Refusal> {
        self.open_at(now)?;
        people.active(person)?;
        if *shown != self.ask().shown {
            return Err(Refusal::ShownOther);
        }
        if self.shown_at(person).is_some() {
            return Err(Refusal::AlreadyShown);
        }
        if self.shown_count() >= SHOWN_MAX {
            return Err(Refusal::ShownFull);
        }
        Ok(self.record(now, Happened::Shown { person: person.clone(), shown: *shown }))
    }

    /// A person approves. `looked_ms`: how long the console says that the evidence was before their eyes; it counts for no more than the time since it was shown.
    ///
    /// # Errors
    /// Why it does not count; see [`Refusal`].
    pub fn handle_approve(&self, signed: &Signed, looked_ms: i64, moment: &Moment<'_>) -> Result<Record, Refusal> {
        let Moment { people, stamps, rules, now } = *moment;
        self.open_at(now)?;
        self.check_statement(&signed.statement, What::Approve, now)?;
        let id = &signed.statement.person;
        self.may_approve(id, people)?;
        let shown = self.shown_at(id).ok_or(Refusal::NotShown)?;
        if self.has_vote_of(id) {
            return Err(Refusal::AlreadyApproved);
        }
        if self.votes().count() >= VOTES_MAX {
            return Err(Refusal::VotesFull);
        }
        if stamps.is_throttled(id, rules, now) {
            return Err(Refusal::Throttled);
        }
        let counter = signed.verify(people, now)?;
        let roles = people.active(id)?.roles.clone();
        let dwell_ms = looked_ms.clamp(0, now.saturating_sub(shown).max(0));
        let (hurried, decoy) = (dwell_ms < rules.dwell_ms, self.ask().matter.is_decoy());
        let marks = stamps.marks_after(id, Given { at: now, dwell_ms, hurried }, decoy, rules);
        let vote = Vote { signed: signed.clone(), counter, roles, dwell_ms, hurried, decoy, marks };
        Ok(self.record(now, Happened::Approved(Box::new(vote))))
    }

    /// A person denies the request, which ends it. Everyone who holds the role may, who asks and who granted too: stopping is never barred.
    ///
    /// # Errors
    /// Why it does not count; see [`Refusal`].
    pub fn handle_deny(&self, signed: &Signed, moment: &Moment<'_>) -> Result<Record, Refusal> {
        let (now, stop) = self.check_stop(signed, What::Deny, moment)?;
        Ok(self.record(now, Happened::Denied(Box::new(stop))))
    }

    /// A person takes back what was approved, which ends the request. Who approved may, and who asks, and everyone who holds the role.
    ///
    /// # Errors
    /// Why it does not count; see [`Refusal`].
    pub fn handle_revoke(&self, signed: &Signed, moment: &Moment<'_>) -> Result<Record, Refusal> {
        let (now, stop) = self.check_stop(signed, What::Revoke, moment)?;
        Ok(self.record(now, Happened::Revoked(Box::new(stop))))
    }

    /// The plan was edited, which ends the request.
    ///
    /// # Errors
    /// [`Refusal::NotEdited`], or that the request has ended before.
    pub fn handle_edit(&self, by: &Actor, plan: &Digest, now: i64) -> Result<Record, Refusal> {
        let now = now.max(self.last());
        self.open_at(now)?;
        if plan == self.ask().matter.plan() {
            return Err(Refusal::NotEdited);
        }
        Ok(self.record(now, Happened::Edited { by: by.clone(), plan: *plan }))
    }

    /// The time of the request is over.
    ///
    /// # Errors
    /// [`Refusal::NotExpired`], or that the request has ended before.
    pub fn handle_expire(&self, now: i64) -> Result<Record, Refusal> {
        match self.open_at(now.max(self.last())) {
            Ok(()) => Err(Refusal::NotExpired),
            Err(Refusal::Expired) if self.phase() == Phase::Open => Ok(self.record(now, Happened::Expired)),
            Err(refusal) => Err(refusal),
        }
    }

    /// The plan is taken to be done, if it is the one that was approved, and enough people who may approve it agree, now. `need`: who must agree as the gate
    /// sees it now; what it asked for before holds as well.
    ///
    /// # Errors
    /// Why it must not be done; see [`Refusal`].
    pub fn handle_take(&self, plan: &Digest, need: &Need, moment: &Moment<'_>) -> Result<Record, Refusal> {
        self.open_at(moment.now)?;
        match &self.ask().matter {
            Matter::Decoy(_) => return Err(Refusal::Decoy),
            Matter::Plan(approved) if approved != plan => return Err(Refusal::PlanChanged),
            Matter::Plan(_) => {}
        }
        let taken = self.count(need, moment)?;
        Ok(self.record(moment.now, Happened::Taken(taken)))
    }

    /// Whether the request is open at a time.
    pub(super) fn open_at(&self, now: i64) -> Result<(), Refusal> {
        match self.phase() {
            Phase::Denied => Err(Refusal::Denied),
            Phase::Revoked => Err(Refusal::Revoked),
            Phase::Edited => Err(Refusal::Edited),
            Phase::Expired => Err(Refusal::Expired),
            Phase::Taken => Err(Refusal::AlreadyTaken),
            Phase::Open if now < self.last() => Err(Refusal::ClockBack),
            Phase::Open if now >= self.expires() => Err(Refusal::Expired),
            Phase::Open => Ok(()),
        }
    }

    /// Whether a person may approve this request at all.
    pub(super) fn may_approve(&self, id: &PersonId, people: &People) -> Result<(), Refusal> {
        let person = people.active(id)?;
        if self.ask().requester.is(id) {
            return Err(Refusal::Requester);
        }
        if self.ask().grantors.contains(id) {
            return Err(Refusal::Grantor);
        }
        if person.roles.contains(&self.ask().role) { Ok(()) } else { Err(Refusal::Role) }
    }

    /// Whether a statement is about this request as it stands.
    pub(super) fn is_about(&self, statement: &Statement, what: What) -> bool {
        let ask = self.ask();
        statement.what == what
            && statement.request == ask.request
            && statement.nonce == ask.nonce
            && statement.plan == *ask.matter.plan()
            && statement.decision == ask.decision
            && statement.shown == ask.shown
    }

    fn check_statement(&self, statement: &Statement, what: What, now: i64) -> Result<(), Refusal> {
        if !self.is_about(statement, what) {
            return Err(Refusal::Statement);
        }
        let oldest = now.saturating_sub(STATEMENT_AGE_MS_MAX).max(self.opened_at());
        if !(oldest..=now).contains(&statement.time) {
            return Err(Refusal::StatementTime);
        }
        let long = statement.reason.chars().count() <= REASON_CHARS_MAX;
        if long && statement.reason.trim().chars().count() >= REASON_CHARS_MIN { Ok(()) } else { Err(Refusal::Reason) }
    }

    /// Stopping waits for no clock: one that is behind is taken to be where the last record was.
    fn check_stop(&self, signed: &Signed, what: What, moment: &Moment<'_>) -> Result<(i64, Stop), Refusal> {
        let now = moment.now.max(self.last());
        self.open_at(now)?;
        self.check_statement(&signed.statement, what, now)?;
        let id = &signed.statement.person;
        let person = moment.people.active(id)?;
        let takes_back = what == What::Revoke && (self.has_vote_of(id) || self.ask().requester.is(id));
        if !takes_back && !person.roles.contains(&self.ask().role) {
            return Err(Refusal::Outsider);
        }
        let counter = signed.verify(moment.people, now)?;
        Ok((now, Stop { signed: signed.clone(), counter, decoy: self.ask().matter.is_decoy() }))
    }
}
