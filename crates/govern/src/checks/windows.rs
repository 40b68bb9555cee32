//! Freezes, maintenance, tests, and the hours of those who work with an asset.

use crate::gate::Question;
use crate::limit::{Limit, Reason};
use crate::window::Purpose;

pub(crate) fn check(question: &Question<'_>, reasons: &mut Vec<Reason>) {
    let Some(tenant) = question.tenant else { return };
    let is_machine = question.plan.requester.is_machine();
    for (step, row, target) in question.meant() {
        let asset = target.asset.as_ref();
        let windows = tenant.windows.windows.iter();
        for window in windows.filter(|window| window.holds(question.now) && window.concerns(row.verb, asset)) {
            let (code, limit, says) = match window.purpose {
                Purpose::Freeze if is_machine => ("window.freeze", Limit::Deny, "machines change nothing"),
                Purpose::Freeze => ("window.freeze", Limit::people(2), "two people agree to a change"),
                Purpose::Maintenance => {
                    ("window.maintenance", Limit::people(1), "work is being done, and may look like this")
                }
                Purpose::Test => ("window.test", Limit::people(1), "an attack is being played, and may look like this"),
            };
            reasons.push(step.reason(code, limit, format!("{}: {says}", window.name)));
        }
        let mut hours = tenant.windows.hours.iter();
        let works =
            hours.any(|hours| asset.is_some_and(|asset| hours.assets.contains(asset)) && hours.holds(question.now));
        if is_machine && row.touches && works {
            let says = format!("somebody works with {} now: a person agrees", target.id);
            reasons.push(step.reason("window.hours", Limit::people(1), says));
        }
    }
}
