//! Which questions must be answered yes for a rule to match.
//!
//! A rule that is an AND needs all of its parts: the best of them is enough to look at. One that is an OR needs one of its parts: all of them
//! must be looked at. What is negated needs nothing to be true. So every rule either has a set of questions of which one must be true, or it
//! must be evaluated for every record.

use crate::ruleset::Code;

/// The questions of which one must be true, and what it costs to look at them: how often other rules ask them too.
#[must_use]
pub fn access(code: &Code, searches: &[Code], asked: &dyn Fn(u32) -> u32) -> Option<(Vec<u32>, u64)> {
    match code {
        Code::Ask(id) => Some((vec![*id], u64::from(asked(*id)))),
        Code::Lazy(_) | Code::Not(_) => None,
        Code::Search(number) => searches.get(*number as usize).and_then(|code| access(code, searches, asked)),
        Code::All(all) => all.iter().filter_map(|one| access(one, searches, asked)).min_by_key(|(_, cost)| *cost),
        Code::Any(any) => {
            let (mut questions, mut cost) = (Vec::new(), 0);
            for one in any {
                let (more, dearer) = access(one, searches, asked)?;
                questions.extend(more);
                cost += dearer;
            }
            questions.sort_unstable();
            questions.dedup();
            Some((questions, cost))
        }
    }
}
