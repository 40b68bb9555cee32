//! The checks. Each says what it has to say, whatever the others do; none can loosen another.

mod budgets;
mod caps;
mod evidence;
mod halt;
mod identity;
mod invariants;
mod policy;
mod windows;

use crate::gate::Question;
use crate::limit::Reason;

/// Looks at a question and says what speaks against it.
pub(crate) type Check = fn(&Question<'_>, &mut Vec<Reason>);

/// All of them.
pub(crate) const ALL: [Check; 8] = [
    halt::check,
    identity::check,
    caps::check,
    policy::check,
    invariants::check,
    budgets::check,
    windows::check,
    evidence::check,
];
