//! Which mapping a record is for.
//!
//! Every plan has a condition. Asking all of them of every record would cost more than mapping it, so the conditions that cannot
//! hold for a record with these keys at its root, and with these fields that detection knows the values of, are sorted out once
//! for all records that are alike in this.

use std::collections::HashMap;

use watchfloor_decode::Format;

use crate::compile::Family;
use crate::fields::{KeyId, Trie};
use crate::plan::{Begin, Cond, Expr};
use crate::run::NOT_AMONG;

/// Most root shapes remembered.
const SHAPES_MAX: usize = 8_192;

/// In place of a family's number: which families to ask.
const FAMILIES: u32 = u32::MAX;

/// Plans worth asking, by family, format and root keys; and families worth asking, by format and root keys.
#[derive(Debug, Default)]
pub struct Candidates {
    known: HashMap<Box<[u32]>, Box<[u16]>, foldhash::fast::FixedState>,
    shape: Vec<u32>,
}

impl Candidates {
    /// The plans of a family that may detect a record in this format with these root keys and these answers of the family's
    /// look-ups, in order of detection.
    pub fn of(
        &mut self,
        family: usize,
        families: &[Family],
        format: Format,
        root_keys: &[KeyId],
        answers: &[u32],
    ) -> &[u16] {
        self.shape.clear();
        self.shape.extend([family as u32, format as u32]);
        for (number, answer) in answers.iter().enumerate().filter(|(_, answer)| **answer != NOT_AMONG) {
            self.shape.extend([number as u32, *answer]);
        }
        // No key has this number.
        self.shape.push(KeyId::MAX);
        self.shape.extend_from_slice(root_keys);
        if self.known.len() >= SHAPES_MAX {
            self.known.clear();
        }
        if !self.known.contains_key(self.shape.as_slice()) {
            let found = families
                .get(family)
                .map(|family| worth_asking(family, &Known { format, root_keys, answers: Some(answers) }))
                .unwrap_or_default();
            self.known.insert(self.shape.as_slice().into(), found);
        }
        self.known.get(self.shape.as_slice()).map_or(&[], |plans| plans)
    }
}

impl Candidates {
    /// The families besides the plain one that may apply to a record in this format with these root keys.
    pub fn families(&mut self, gate: &Trie, families: &[Family], format: Format, root_keys: &[KeyId]) -> &[u16] {
        self.shape.clear();
        self.shape.extend([FAMILIES, format as u32]);
        self.shape.extend_from_slice(root_keys);
        if self.known.len() >= SHAPES_MAX {
            self.known.clear();
        }
        if !self.known.contains_key(self.shape.as_slice()) {
            self.known.insert(self.shape.as_slice().into(), may_apply(gate, families, format, root_keys));
        }
        self.known.get(self.shape.as_slice()).map_or(&[], |families| families)
    }
}

/// What is known of a record before its conditions are asked.
struct Known<'a> {
    format: Format,
    root_keys: &'a [KeyId],
    /// What the look-ups of the family found, if they were asked.
    answers: Option<&'a [u32]>,
}

fn may_apply(gate: &Trie, families: &[Family], format: Format, root_keys: &[KeyId]) -> Box<[u16]> {
    let known = Known { format, root_keys, answers: None };
    let is_row = matches!(format, Format::Csv | Format::Ssv);
    let numbered = families.iter().enumerate().skip(1);
    numbered
        // Names of columns are for rows, names of fields for everything else.
        .filter(|(_, family)| family.columns.is_empty() != is_row)
        .filter(|(_, family)| family.applies.as_ref().is_some_and(|cond| may_hold(cond, gate, &known)))
        .map(|(number, _)| number as u16)
        .collect()
}

fn worth_asking(family: &Family, known: &Known<'_>) -> Box<[u16]> {
    let plans = family.plans.iter().enumerate();
    plans
        .filter(|(_, plan)| plan.formats.contains(&known.format))
        .filter(|(_, plan)| plan.detect.as_ref().is_some_and(|cond| may_hold(cond, &family.trie, known)))
        .map(|(number, _)| number as u16)
        .collect()
}

fn may_hold(cond: &Cond, trie: &Trie, known: &Known<'_>) -> bool {
    let may_have = |expr: &Expr| may_have(expr, trie, known.root_keys);
    match cond {
        Cond::In(expr, _)
        | Cond::Glob(expr, _)
        | Cond::Regex(expr, _)
        | Cond::Like(expr, _)
        | Cond::Has(expr)
        | Cond::Is(expr, _) => may_have(expr),
        Cond::InKeys(lookup, numbers) => known
            .answers
            .is_none_or(|answers| answers.get(usize::from(*lookup)).is_some_and(|answer| numbers.contains(answer))),
        Cond::InSet(slot, ..) => trie.possible(*slot, known.root_keys),
        Cond::Order(left, right, _) => may_have(left) && may_have(right),
        Cond::Format(wanted) => *wanted == known.format,
        Cond::All(all) => all.iter().all(|one| may_hold(one, trie, known)),
        Cond::Any(any) => any.iter().any(|one| may_hold(one, trie, known)),
        Cond::Same(..) | Cond::Not(_) => true,
    }
}

fn may_have(expr: &Expr, trie: &Trie, keys: &[KeyId]) -> bool {
    match expr {
        Expr::Field(Begin::Slot(slot), _) => trie.possible(*slot, keys),
        Expr::First(all) => all.iter().any(|one| may_have(one, trie, keys)),
        Expr::Unless(inner, _) | Expr::If(inner, _) => may_have(inner, trie, keys),
        Expr::Table(table) => may_have(&table.on, trie, keys),
        Expr::Template(pieces) => pieces.iter().all(|piece| may_have(piece, trie, keys)),
        Expr::Call(_, arguments) => arguments.iter().all(|argument| may_have(argument, trie, keys)),
        _ => true,
    }
}
