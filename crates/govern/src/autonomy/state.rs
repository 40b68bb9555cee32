//! All cells, and the records that make them.
//!
//! A state is made by its records alone: the same records with the same times give the same state, so it can be made again from the ledger. A record
//! that is refused changes nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use watchfloor_model::action::{Level, Verb};
use watchfloor_model::ids::{PersonId, TenantId};

use super::cell::{Cell, Choice, Judged, Judgement, Key, Shadow, ShadowId, Versions, Why};
use super::closed::{Closed, ClosedBy, Event};
use super::promotion::{Promotion, Signed, is_valid};
use super::refused::Refused;
use super::standing::{Conditions, Levels, Standing};
use crate::hex::Hex;

/// Cells of all tenants.
pub const CELLS_MAX: usize = 100_000;
/// Holders of the right to promote, of all tenants.
pub const PROMOTERS_MAX: usize = 10_000;
/// Longest name or reason, in bytes.
pub const NAME_BYTES_MAX: usize = 256;

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "record")]
pub enum Record {
    /// The machine has chosen. At every level, and before a person's choice is known.
    Chosen {
        /// Where.
        key: Key,
        /// Name of the choice.
        id: ShadowId,
        /// What was running.
        versions: Versions,
        /// At which level the machine stood.
        level: Level,
        /// What it would do, or did.
        would: Choice,
    },
    /// A person has judged a choice.
    Judged {
        /// Where.
        key: Key,
        /// Which choice.
        id: ShadowId,
        /// What the person says of it.
        judgement: Judgement,
        /// Who.
        by: PersonId,
        /// What the person did.
        did: Choice,
    },
    /// A person lets the machine go further.
    Promoted(Signed),
    /// A person lets it go less far. That needs no signature.
    Lowered {
        /// Where.
        key: Key,
        /// To which level.
        to: Level,
        /// Who.
        by: PersonId,
    },
    /// What must be seen to judge the machine is not seen.
    CoverageMissing {
        /// Where.
        key: Key,
    },
    /// It is seen again. What was granted stays lowered.
    CoverageRestored {
        /// Where.
        key: Key,
    },
    /// A person has got the right to promote.
    Entitled {
        /// At which tenant.
        tenant: TenantId,
        /// Who.
        person: PersonId,
        /// The person's Ed25519 key.
        key: Hex<32>,
        /// Up to which level.
        up_to: Level,
    },
    /// A person has lost the right to promote. What was granted stays.
    Disentitled {
        /// At which tenant.
        tenant: TenantId,
        /// Who.
        person: PersonId,
    },
    /// Something about cases that were closed without a person.
    Review(Event),
}

/// The right to promote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoter {
    /// The person's Ed25519 key.
    pub key: Hex<32>,
    /// Up to which level.
    pub up_to: Level,
}

/// All cells of all tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    #[serde(with = "as_list")]
    cells: BTreeMap<Key, Cell>,
    promoters: BTreeMap<TenantId, BTreeMap<PersonId, Promoter>>,
    closed: BTreeMap<TenantId, Closed>,
    /// Time of the latest record: time does not go back.
    latest: Option<i64>,
}

impl State {
    /// A cell in which something has happened.
    #[must_use]
    pub fn cell(&self, key: &Key) -> Option<&Cell> {
        self.cells.get(key)
    }

    /// All cells in which something has happened.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.values()
    }

    /// What was closed at a tenant without a person.
    #[must_use]
    pub fn closed(&self, tenant: &TenantId) -> Option<&Closed> {
        self.closed.get(tenant)
    }

    /// How far a machine may go; where nothing has happened, too.
    #[must_use]
    pub fn standing(&self, key: &Key, conditions: &Conditions<'_>, now: i64) -> Standing {
        self.levels(key.clone(), conditions, now).standing()
    }

    /// The same without words.
    #[must_use]
    pub fn levels(&self, key: Key, conditions: &Conditions<'_>, now: i64) -> Levels<'_> {
        let now = self.latest.map_or(now, |latest| latest.max(now));
        let cell = self.cell(&key).map_or_else(|| Cow::Owned(Cell::new(key)), Cow::Borrowed);
        Cell::levels(cell, conditions, now)
    }

    /// Whether a person may approve something in a cell: not who granted its level.
    #[must_use]
    pub fn may_approve(&self, key: &Key, person: &PersonId) -> bool {
        self.cell(key).and_then(Cell::grantor) != Some(person)
    }

    /// Takes a record of now, in milliseconds since 1970.
    ///
    /// # Errors
    /// If it cannot be; nothing is changed then.
    pub fn apply(&mut self, record: Record, now: i64) -> Result<(), Refused> {
        let now = self.latest.map_or(now, |latest| latest.max(now));
        self.take(record, now)?;
        self.latest = Some(now);
        Ok(())
    }

    fn take(&mut self, record: Record, now: i64) -> Result<(), Refused> {
        match record {
            Record::Chosen { key, id, versions, level, would } => {
                named("a choice", &id.0)?;
                chosen(&would)?;
                for version in [&versions.model, &versions.prompt, &versions.rules, &versions.policy] {
                    named("a version", version)?;
                }
                let shadow = Shadow { id, at: now, era: 0, level, would, judged: None };
                self.cell_mut(key)?.record(shadow, &versions)
            }
            Record::Judged { key, id, judgement, by, did } => {
                named("a person", by.as_str())?;
                chosen(&did)?;
                self.known(&key)?.judge(&id, Judged { judgement, by, at: now, did })
            }
            Record::Promoted(signed) => self.promote(signed, now),
            Record::Lowered { key, to, by } => {
                named("a person", by.as_str())?;
                let cell = self.known(&key)?;
                if to >= cell.granted {
                    return Err(Refused::NotLower(cell.granted));
                }
                cell.grant(to, Why::Lowered, Some(by), now);
                Ok(())
            }
            Record::CoverageMissing { key } => {
                let cell = self.cell_mut(key)?;
                cell.coverage_missing = true;
                cell.demote(Level::Approved, Why::CoverageMissing, now);
                Ok(())
            }
            Record::CoverageRestored { key } => {
                self.known(&key)?.coverage_missing = false;
                Ok(())
            }
            Record::Entitled { tenant, person, key, up_to } => self.entitle(tenant, person, Promoter { key, up_to }),
            Record::Disentitled { tenant, person } => {
                let people = self.promoters.get_mut(&tenant).ok_or(Refused::NoRight)?;
                people.remove(&person).map(drop).ok_or(Refused::NoRight)
            }
            Record::Review(event) => self.review(event, now),
        }
    }

    fn promote(&mut self, signed: Signed, now: i64) -> Result<(), Refused> {
        let promotion = &signed.promotion;
        named("a reason", &promotion.reason)?;
        let people = self.promoters.get(&promotion.key.tenant).ok_or(Refused::NoRight)?;
        let right = people.get(&promotion.by).ok_or(Refused::NoRight)?;
        signed.verify(&right.key)?;
        if promotion.to > right.up_to {
            return Err(Refused::NoRight);
        }
        if !is_valid(promotion.at, now) {
            return Err(Refused::Expired);
        }
        let fresh = Cell::new(promotion.key.clone());
        let cell = self.cells.get(&promotion.key).unwrap_or(&fresh);
        if promotion.generation != cell.generation || promotion.versions != cell.versions {
            return Err(Refused::Stale);
        }
        if promotion.to <= cell.granted {
            return Err(Refused::NotHigher(cell.granted));
        }
        let cap = promotion.key.verb.row().cap(promotion.key.tier);
        if promotion.to > cap {
            return Err(Refused::AboveCap(cap));
        }
        let (earned, _) = cell.earned(now);
        if promotion.to > earned {
            return Err(Refused::NotEarned(earned));
        }
        let Promotion { key, to, by, .. } = signed.promotion;
        let cell = self.cell_mut(key)?;
        cell.grant(to, Why::Granted, Some(by.clone()), now);
        cell.grantor = Some(by);
        Ok(())
    }

    fn entitle(&mut self, tenant: TenantId, person: PersonId, right: Promoter) -> Result<(), Refused> {
        named("a tenant", tenant.as_str())?;
        named("a person", person.as_str())?;
        let known = self.promoters.get(&tenant).is_some_and(|people| people.contains_key(&person));
        if !known && self.promoters.values().map(BTreeMap::len).sum::<usize>() >= PROMOTERS_MAX {
            return Err(Refused::TooManyPromoters);
        }
        self.promoters.entry(tenant).or_default().insert(person, right);
        Ok(())
    }

    fn review(&mut self, event: Event, now: i64) -> Result<(), Refused> {
        match event {
            Event::Promised { tenant, week, promise } => {
                named("a tenant", tenant.as_str())?;
                // Tenants are bounded by their cells: nothing is promised to one that has none.
                if !self.cells.keys().any(|key| key.tenant == tenant) {
                    return Err(Refused::UnknownCell);
                }
                self.closed.entry(tenant).or_default().promise(week, promise, now)
            }
            Event::Closed { tenant, class, tier, case } => {
                named("a case", case.as_str())?;
                let key = Key { tenant, verb: Verb::CloseCase, class, tier };
                let era = self.known(&key)?.era();
                let closed = self.closed.get_mut(&key.tenant).ok_or(Refused::NoPromise)?;
                closed.close(case, ClosedBy { class: key.class, tier, era }, now)
            }
            Event::Drawn { tenant, week, seed } => {
                self.closed.get_mut(&tenant).ok_or(Refused::NoPromise)?.draw(&tenant, week, &seed, now)
            }
            Event::Reviewed { tenant, week, case, by, missed } => {
                named("a person", by.as_str())?;
                let closed = self.closed.get_mut(&tenant).ok_or(Refused::NotWaiting)?;
                let ClosedBy { class, tier, era } = closed.review(week, &case, missed)?;
                let key = Key { tenant, verb: Verb::CloseCase, class, tier };
                self.known(&key)?.review(missed, era, now);
                Ok(())
            }
        }
    }

    /// A cell in which something has happened.
    fn known(&mut self, key: &Key) -> Result<&mut Cell, Refused> {
        self.cells.get_mut(key).ok_or(Refused::UnknownCell)
    }

    /// A cell, a new one if nothing has happened in it.
    fn cell_mut(&mut self, key: Key) -> Result<&mut Cell, Refused> {
        if !self.cells.contains_key(&key) {
            named("a tenant", key.tenant.as_str())?;
            named("a class of alerts", key.class.as_str())?;
            if self.cells.len() >= CELLS_MAX {
                return Err(Refused::TooManyCells);
            }
        }
        Ok(self.cells.entry(key).or_insert_with_key(|key| Cell::new(key.clone())))
    }
}

fn named(what: &'static str, name: &str) -> Result<(), Refused> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX { Err(Refused::Name(what)) } else { Ok(()) }
}

fn chosen(choice: &Choice) -> Result<(), Refused> {
    match choice {
        Choice::Leave => Ok(()),
        Choice::Act { target, .. } => named("a target", target.as_str()),
    }
}

/// Cells as a list: the keys of a map are texts in JSON.
mod as_list {
    use std::collections::BTreeMap;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Cell, Key};

    pub fn serialize<S: Serializer>(cells: &BTreeMap<Key, Cell>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(cells.values())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Key, Cell>, D::Error> {
        let mut cells = BTreeMap::new();
        for cell in Vec::<Cell>::deserialize(deserializer)? {
            if cells.insert(cell.key().clone(), cell).is_some() {
                return Err(D::Error::custom("a cell of autonomy stands there twice"));
            }
        }
        Ok(cells)
    }
}

#[cfg(test)]
mod tests;
