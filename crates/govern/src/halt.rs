//! What is stopped. One person stops something, at once; two lift it.
//!
//! Who drives what is carried out asks [`Halts::stopping`] before each step, and the gate looks at all halts. A drill is a halt like any other: it stops what it names, and says
//! that it is a drill.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use watchfloor_model::action::Verb;
use watchfloor_model::ids::{MachineId, PersonId, TenantId};

use crate::plan::Principal;

/// How long the first of two who lift a halt waits for the second, in milliseconds: 15 minutes.
pub const LIFT_MS: i64 = 15 * 60_000;
/// Longest reason, in bytes (`halt.reason`).
pub const REASON_BYTES_MAX: usize = 1_024;
/// Most halts at a time (`halt.too_many`): beyond that, stop everything.
pub const HALTS_MAX: usize = 10_000;

/// What is stopped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    Everything,
    /// A tenant.
    Tenant(TenantId),
    /// A machine.
    Machine(MachineId),
    /// A verb.
    Verb(Verb),
}

/// Something that is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halt {
    /// What.
    pub scope: Scope,
    /// Who stopped it.
    pub by: PersonId,
    /// Why.
    pub reason: String,
    /// Epoch milliseconds.
    pub at: i64,
    /// It is a drill.
    #[serde(default)]
    pub drill: bool,
    /// The first who wants to lift it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifting: Option<(PersonId, i64)>,
}

/// What happened, for the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Something was stopped.
    Set(Halt),
    /// One person wants to lift a halt.
    Lifting {
        /// What is stopped.
        scope: Scope,
        /// Who.
        by: PersonId,
        /// Epoch milliseconds.
        at: i64,
    },
    /// A halt was lifted.
    Lifted {
        /// What was stopped.
        scope: Scope,
        /// The two who lifted it.
        by: [PersonId; 2],
        /// For how many milliseconds it was stopped.
        after: i64,
        /// Epoch milliseconds.
        at: i64,
    },
}

/// Why a halt is not set or lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no reason, or one that is too long.
    Reason,
    /// There are too many.
    TooMany,
    /// It is stopped already; who stopped it first counts.
    Already,
    /// It is not stopped.
    NotStopped,
    /// The same person twice are not two.
    SamePerson,
}

impl Refused {
    /// What programs know it by.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Reason => "halt.reason",
            Self::TooMany => "halt.too_many",
            Self::Already => "halt.already",
            Self::NotStopped => "halt.not_stopped",
            Self::SamePerson => "halt.same_person",
        }
    }
}

/// What is stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Halt>", into = "Vec<Halt>")]
pub struct Halts(BTreeMap<Scope, Halt>);

impl From<Vec<Halt>> for Halts {
    fn from(halts: Vec<Halt>) -> Self {
        Self(halts.into_iter().map(|halt| (halt.scope.clone(), halt)).collect())
    }
}

impl From<Halts> for Vec<Halt> {
    fn from(halts: Halts) -> Self {
        halts.0.into_values().collect()
    }
}

impl Halts {
    /// What is stopped.
    pub fn all(&self) -> impl Iterator<Item = &Halt> {
        self.0.values()
    }

    /// A halt of exactly this.
    #[must_use]
    pub fn of(&self, scope: &Scope) -> Option<&Halt> {
        self.0.get(scope)
    }

    /// The first halt that stops a verb which somebody wants for a tenant.
    #[must_use]
    pub fn stopping(&self, tenant: &TenantId, requester: &Principal, verb: Verb) -> Option<&Halt> {
        if self.0.is_empty() {
            return None;
        }
        let machine = match requester {
            Principal::Machine(id) => self.of(&Scope::Machine(id.clone())),
            Principal::Person(_) => None,
        };
        self.of(&Scope::Everything)
            .or_else(|| self.of(&Scope::Tenant(tenant.clone())))
            .or(machine)
            .or_else(|| self.of(&Scope::Verb(verb)))
    }

    /// A person stops something.
    ///
    /// # Errors
    ///
    /// There is no reason, or it is stopped already, or too much is.
    pub fn set(&mut self, halt: Halt) -> Result<Record, Refused> {
        if halt.reason.trim().is_empty() || halt.reason.len() > REASON_BYTES_MAX {
            return Err(Refused::Reason);
        }
        if self.0.contains_key(&halt.scope) {
            return Err(Refused::Already);
        }
        // That everything is stopped there is always room for.
        if self.0.len() >= HALTS_MAX && halt.scope != Scope::Everything {
            return Err(Refused::TooMany);
        }
        let halt = Halt { lifting: None, ..halt };
        self.0.insert(halt.scope.clone(), halt.clone());
        Ok(Record::Set(halt))
    }

    /// A person lifts a halt; the first of two only says so.
    ///
    /// # Errors
    ///
    /// It is not stopped, or it is the same person again.
    pub fn lift(&mut self, scope: &Scope, by: PersonId, now: i64) -> Result<Record, Refused> {
        let halt = self.0.get_mut(scope).ok_or(Refused::NotStopped)?;
        let first = halt.lifting.take().filter(|(_, at)| now.saturating_sub(*at) < LIFT_MS && *at <= now);
        match first {
            Some((first, at)) if first == by => {
                halt.lifting = Some((first, at));
                Err(Refused::SamePerson)
            }
            Some((first, _)) => {
                let after = now.saturating_sub(halt.at);
                self.0.remove(scope);
                Ok(Record::Lifted { scope: scope.clone(), by: [first, by], after, at: now })
            }
            None => {
                halt.lifting = Some((by.clone(), now));
                Ok(Record::Lifting { scope: scope.clone(), by, at: now })
            }
        }
    }

    /// Takes what happened, as it was written.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Set(halt) => {
                self.0.insert(halt.scope.clone(), halt.clone());
            }
            Record::Lifting { scope, by, at } => {
                if let Some(halt) = self.0.get_mut(scope) {
                    halt.lifting = Some((by.clone(), *at));
                }
            }
            Record::Lifted { scope, .. } => {
                self.0.remove(scope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halt(scope: Scope, reason: &str) -> Halt {
        Halt { scope, by: "anna".into(), reason: reason.to_owned(), at: 0, drill: false, lifting: None }
    }

    #[test]
    fn one_stops_and_two_lift() {
        let (mut halts, mut again) = (Halts::default(), Halts::default());
        let scope = Scope::Verb(Verb::IsolateHost);
        let mut records = vec![halts.set(halt(scope.clone(), "a drill")).unwrap()];
        for (by, now, expected) in [
            ("anna", 10, Ok("lifting")),
            ("anna", 20, Err(Refused::SamePerson)),
            // The first waited too long, and so did what she said.
            ("bob", 10 + LIFT_MS, Ok("lifting")),
            ("bob", 10 + 2 * LIFT_MS - 1, Err(Refused::SamePerson)),
            // A clock that went back proves nothing.
            ("anna", 5, Ok("lifting")),
            ("bob", 4 + LIFT_MS, Ok("lifted")),
            ("carl", 5 + LIFT_MS, Err(Refused::NotStopped)),
        ] {
            let found = halts.lift(&scope, by.into(), now);
            let shown = found.as_ref().map_err(|refused| *refused).map(|record| match record {
                Record::Lifted { by, .. } => {
                    assert_ne!(by[0], by[1]);
                    "lifted"
                }
                _ => "lifting",
            });
            assert_eq!(shown, expected, "{by} {now}");
            records.extend(found);
        }
        assert!(halts.all().next().is_none());
        let all_but_the_last = records.len() - 1;
        records.iter().take(all_but_the_last).for_each(|record| again.apply(record));
        assert_eq!(again.of(&scope).and_then(|halt| halt.lifting.clone()), Some(("anna".into(), 5)));
        records.iter().skip(all_but_the_last).for_each(|record| again.apply(record));
        assert_eq!(again, halts);
    }

    #[test]
    fn who_stops_something_cannot_have_lifted_half_of_it() {
        let mut halts = Halts::default();
        let ready = Halt { lifting: Some(("bob".into(), 0)), ..halt(Scope::Everything, "a drill") };
        halts.set(ready).unwrap();
        assert_eq!(halts.of(&Scope::Everything).unwrap().lifting, None);
        assert!(matches!(halts.lift(&Scope::Everything, "anna".into(), 1), Ok(Record::Lifting { .. })));
    }

    #[test]
    fn records_of_what_is_not_stopped_change_nothing() {
        let mut halts = Halts::from(vec![halt(Scope::Everything, "a drill")]);
        let before = halts.clone();
        let scope = Scope::Verb(Verb::Notify);
        halts.apply(&Record::Lifting { scope: scope.clone(), by: "anna".into(), at: 1 });
        halts.apply(&Record::Lifted { scope, by: ["anna".into(), "bob".into()], after: 1, at: 1 });
        assert_eq!(halts, before);
    }

    #[test]
    fn what_is_stopped_is_found() {
        let (tenant, machine) = ("t".into(), Principal::Machine("m".into()));
        let person = Principal::Person("m".into());
        for (scope, requester, verb, expected) in [
            (Scope::Everything, &person, Verb::Notify, true),
            (Scope::Tenant("t".into()), &person, Verb::Notify, true),
            (Scope::Tenant("u".into()), &machine, Verb::Notify, false),
            (Scope::Machine("m".into()), &machine, Verb::Notify, true),
            (Scope::Machine("m".into()), &person, Verb::Notify, false),
            (Scope::Verb(Verb::Notify), &person, Verb::Notify, true),
            (Scope::Verb(Verb::Notify), &person, Verb::AddTag, false),
        ] {
            let halts = Halts::from(vec![halt(scope.clone(), "r")]);
            assert_eq!(halts.stopping(&tenant, requester, verb).is_some(), expected, "{scope:?} {requester}");
        }
        assert!(Halts::default().stopping(&tenant, &machine, Verb::Notify).is_none());
    }

    #[test]
    fn halts_are_limited() {
        let mut halts = Halts::default();
        let long = "x".repeat(REASON_BYTES_MAX);
        assert_eq!(halts.set(halt(Scope::Verb(Verb::Notify), " ")), Err(Refused::Reason));
        assert_eq!(halts.set(halt(Scope::Verb(Verb::Notify), &format!("{long}x"))), Err(Refused::Reason));
        assert!(halts.set(halt(Scope::Verb(Verb::Notify), &long)).is_ok());
        assert_eq!(halts.set(halt(Scope::Verb(Verb::Notify), "r")), Err(Refused::Already));
        for number in 1..HALTS_MAX {
            assert!(halts.set(halt(Scope::Tenant(TenantId(number.to_string())), "r")).is_ok());
        }
        assert_eq!(halts.set(halt(Scope::Machine("m".into()), "r")), Err(Refused::TooMany));
        assert!(halts.set(halt(Scope::Everything, "r")).is_ok());
        let codes = [Refused::Reason, Refused::TooMany, Refused::Already, Refused::NotStopped, Refused::SamePerson];
        assert!(codes.iter().all(|refused| refused.code().starts_with("halt.")));
        let text = serde_json::to_string(&halts).unwrap();
        assert_eq!(serde_json::from_str::<Halts>(&text).unwrap(), halts);
    }
}
