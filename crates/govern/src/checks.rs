//! The checks. Each says what it has to say, whatever the others do; none can loosen another.

mod admission;
mod budgets;
mod caps;
mod evidence;
mod halt;
mod identity;
mod invariants;
mod level;
mod policy;
mod windows;

use crate::gate::Question;
use crate::limit::Reason;

/// Looks at a question and says what speaks against it.
pub(crate) type Check = fn(&Question<'_>, &mut Vec<Reason>);

/// All of them.
pub(crate) const ALL: [Check; 10] = [
    halt::check,
    identity::check,
    caps::check,
    policy::check,
    invariants::check,
    budgets::check,
    windows::check,
    evidence::check,
    admission::check,
    level::check,
];
