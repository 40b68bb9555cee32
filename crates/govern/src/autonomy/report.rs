//! What the machine would have done beside what people did.
//!
//! Counted over the choices that a cell still keeps; the totals say what was before. A share of agreements says little if people judged a few choices only,
//! or one person all of them, so both are told.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use watchfloor_model::action::Level;
use watchfloor_model::ids::PersonId;

use super::bound::{Share, lower};
use super::cell::{Cell, Choice, Judgement, Key, Shadow, Totals};
use super::drift::Tally;

/// How often people said what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Choices.
    pub choices: u64,
    /// Those with which a person agreed.
    pub agreed: u64,
    /// Those that a person changed.
    pub changed: u64,
    /// Those that a person overrode.
    pub overridden: u64,
    /// Those that a person reversed.
    pub reversed: u64,
    /// Those that nobody has judged.
    pub waiting: u64,
}

impl Row {
    fn add(&mut self, shadow: &Shadow) {
        self.choices += 1;
        let said = match shadow.judged.as_ref().map(|judged| judged.judgement) {
            Some(Judgement::Agree) => &mut self.agreed,
            Some(Judgement::Change) => &mut self.changed,
            Some(Judgement::Override) => &mut self.overridden,
            Some(Judgement::Reverse) => &mut self.reversed,
            None => &mut self.waiting,
        };
        *said += 1;
    }
}

/// What the machine would have done beside what people did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Where.
    pub key: Key,
    /// Choices to do something.
    pub act: Row,
    /// Choices to do nothing.
    pub leave: Row,
    /// By the level at which the machine stood, from 0 to 4.
    pub levels: BTreeMap<Level, Row>,
    /// How many choices each person judged.
    pub people: BTreeMap<PersonId, u64>,
    /// Choices with which a person did not agree, the oldest first.
    pub differences: Vec<Shadow>,
    /// All since the cell began.
    pub totals: Totals,
    /// Outcomes that count for the level.
    pub outcomes: Tally,
    /// At least this share of agreements.
    pub lower: Share,
}

impl Cell {
    /// What the machine would have done beside what people did.
    #[must_use]
    pub fn report(&self) -> Report {
        let outcomes = self.tally();
        let mut report = Report {
            key: self.key.clone(),
            act: Row::default(),
            leave: Row::default(),
            levels: BTreeMap::new(),
            people: BTreeMap::new(),
            differences: Vec::new(),
            totals: self.totals(),
            outcomes,
            lower: lower(outcomes.agreed, outcomes.failed),
        };
        for shadow in self.shadows() {
            let row = if shadow.would == Choice::Leave { &mut report.leave } else { &mut report.act };
            row.add(shadow);
            report.levels.entry(shadow.level).or_default().add(shadow);
            if let Some(judged) = &shadow.judged {
                *report.people.entry(judged.by.clone()).or_default() += 1;
                if judged.judgement != Judgement::Agree {
                    report.differences.push(shadow.clone());
                }
            }
        }
        report
    }
}

/// As a table for a terminal, without the single differences.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { tenant, verb, class, tier } = &self.key;
        writeln!(f, "{tenant}: {} for {class} on tier {}", verb.name(), u8::from(*tier))?;
        let head = ["would", "choices", "agreed", "changed", "overridden", "reversed", "waiting"];
        let [would, choices, agreed, changed, overridden, reversed, waiting] = head;
        writeln!(f, "{would:<8}{choices:>10}{agreed:>10}{changed:>10}{overridden:>12}{reversed:>10}{waiting:>10}")?;
        let levels = self.levels.iter().map(|(level, row)| (format!("level {}", u8::from(*level)), row));
        for (name, row) in [("act".to_owned(), &self.act), ("leave".to_owned(), &self.leave)].into_iter().chain(levels)
        {
            let Row { choices, agreed, changed, overridden, reversed, waiting } = row;
            writeln!(f, "{name:<8}{choices:>10}{agreed:>10}{changed:>10}{overridden:>12}{reversed:>10}{waiting:>10}")?;
        }
        let Tally { agreed, failed } = self.outcomes;
        let (people, buried) = (self.people.len(), self.totals.buried);
        writeln!(
            f,
            "counted: {agreed} agreed, {failed} not; at least {} agree; judged by {people} people",
            self.lower
        )?;
        writeln!(f, "never judged before they were pushed out: {buried} of {} choices", self.totals.recorded)
    }
}

#[cfg(test)]
mod tests {
    use watchfloor_model::action::{Tier, Verb};

    use super::super::cell::{Judged, ShadowId, Versions};
    use super::*;

    #[test]
    fn the_machine_beside_people() {
        let key = Key { tenant: "north".into(), verb: Verb::BlockDomain, class: "dns".into(), tier: Tier::Three };
        let mut cell = Cell::new(key);
        let act = Choice::Act { verb: Verb::BlockDomain, target: "domain:example.com".into() };
        let table = [
            (0, &act, Some((Judgement::Agree, "ann"))),
            (0, &act, Some((Judgement::Change, "ann"))),
            (1, &act, Some((Judgement::Override, "bob"))),
            (1, &Choice::Leave, Some((Judgement::Agree, "ann"))),
            (2, &act, Some((Judgement::Reverse, "bob"))),
            (2, &Choice::Leave, None),
        ];
        for (number, (level, would, judged)) in table.into_iter().enumerate() {
            let id = ShadowId(format!("c{number}"));
            let level = Level::ALL[level];
            let shadow = Shadow { id: id.clone(), at: 0, era: 0, level, would: would.clone(), judged: None };
            cell.record(shadow, &Versions::default()).unwrap();
            if let Some((judgement, by)) = judged {
                cell.judge(&id, Judged { judgement, by: by.into(), at: 1, did: Choice::Leave }).unwrap();
            }
        }
        let report = cell.report();
        let due = Row { choices: 4, agreed: 1, changed: 1, overridden: 1, reversed: 1, waiting: 0 };
        assert_eq!(report.act, due);
        assert_eq!(report.leave, Row { choices: 2, agreed: 1, waiting: 1, ..Row::default() });
        assert_eq!(report.people, [("ann".into(), 3), ("bob".into(), 2)].into());
        let names: Vec<&str> = report.differences.iter().map(|shadow| shadow.id.0.as_str()).collect();
        assert_eq!(names, ["c1", "c2", "c4"]);
        assert_eq!((report.outcomes, report.lower), (Tally { agreed: 2, failed: 3 }, lower(2, 3)));
        let due = "\
north: block_domain for dns on tier 3
would      choices    agreed   changed  overridden  reversed   waiting
act              4         1         1           1         1         0
leave            2         1         0           0         0         1
level 0          2         1         1           0         0         0
level 1          2         1         0           1         0         0
level 2          2         0         0           0         1         1
counted: 2 agreed, 3 not; at least LOWER agree; judged by 2 people
never judged before they were pushed out: 0 of 6 choices
";
        assert_eq!(report.to_string(), due.replace("LOWER", &report.lower.to_string()));
        assert_eq!(serde_json::from_str::<Report>(&serde_json::to_string(&report).unwrap()).unwrap(), report);
    }
}
