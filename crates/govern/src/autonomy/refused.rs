//! Why a record was not taken. The state is then as it was.

use std::fmt;

use watchfloor_model::action::Level;

/// Why a record was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// More cells than [`super::CELLS_MAX`].
    TooManyCells,
    /// More holders of the right to promote than [`super::PROMOTERS_MAX`].
    TooManyPromoters,
    /// A name or reason of no byte, or of more than [`super::NAME_BYTES_MAX`].
    Name(&'static str),
    /// More agreements than [`super::OUTCOMES_MAX`].
    TooManyOutcomes,
    /// An agreement with something that was not recorded, or no longer is.
    UnknownShadow,
    /// The machine's choice has this name already.
    KnownShadow,
    /// Somebody has judged it already.
    AlreadyJudged,
    /// There is no such cell.
    UnknownCell,
    /// The person does not hold the right to promote, or not so far.
    NoRight,
    /// The key is none.
    Key,
    /// The signature is not that of this person for these words.
    Signature,
    /// Signed too long ago, or in the future.
    Expired,
    /// The cell has changed since it was signed.
    Stale,
    /// The level is not above what is granted.
    NotHigher(Level),
    /// The level is not below what is granted.
    NotLower(Level),
    /// The verb may not be done at this level to something of this tier.
    AboveCap(Level),
    /// Outcomes have not earned it.
    NotEarned(Level),
    /// The week is not one that can be promised.
    Week,
    /// A seed was promised for this week already.
    AlreadyPromised,
    /// More weeks wait for their review than [`super::closed::WEEKS_MAX`].
    TooManyWeeks,
    /// No seed was promised for this week.
    NoPromise,
    /// More cases closed in a week than [`super::closed::CASES_MAX`].
    TooManyCases,
    /// The case was closed in this week already.
    AlreadyClosed,
    /// The week is not over.
    NotOver,
    /// The seed is not the one that was promised.
    Seed,
    /// The cases of this week were drawn already.
    AlreadyDrawn,
    /// The case does not wait for a review.
    NotWaiting,
}

impl Refused {
    /// What programs know it by; it does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooManyCells => "autonomy.too_many_cells",
            Self::TooManyPromoters => "autonomy.too_many_promoters",
            Self::Name(_) => "autonomy.name",
            Self::TooManyOutcomes => "autonomy.too_many_outcomes",
            Self::UnknownShadow => "autonomy.unknown_shadow",
            Self::KnownShadow => "autonomy.known_shadow",
            Self::AlreadyJudged => "autonomy.already_judged",
            Self::UnknownCell => "autonomy.unknown_cell",
            Self::NoRight => "autonomy.no_right",
            Self::Key => "autonomy.key",
            Self::Signature => "autonomy.signature",
            Self::Expired => "autonomy.expired",
            Self::Stale => "autonomy.stale",
            Self::NotHigher(_) => "autonomy.not_higher",
            Self::NotLower(_) => "autonomy.not_lower",
            Self::AboveCap(_) => "autonomy.above_cap",
            Self::NotEarned(_) => "autonomy.not_earned",
            Self::Week => "autonomy.week",
            Self::AlreadyPromised => "autonomy.already_promised",
            Self::TooManyWeeks => "autonomy.too_many_weeks",
            Self::NoPromise => "autonomy.no_promise",
            Self::TooManyCases => "autonomy.too_many_cases",
            Self::AlreadyClosed => "autonomy.already_closed",
            Self::NotOver => "autonomy.not_over",
            Self::Seed => "autonomy.seed",
            Self::AlreadyDrawn => "autonomy.already_drawn",
            Self::NotWaiting => "autonomy.not_waiting",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::TooManyCells => "there are too many cells of autonomy",
            Self::TooManyPromoters => "too many people hold the right to promote",
            Self::Name(what) => return write!(f, "{what} must have 1 to {} bytes", super::NAME_BYTES_MAX),
            Self::TooManyOutcomes => "the cell has too many outcomes",
            Self::UnknownShadow => "nothing is recorded under this name with which a person could agree",
            Self::KnownShadow => "a choice of the machine is recorded under this name already",
            Self::AlreadyJudged => "a person has judged it already",
            Self::UnknownCell => "there is no such cell of autonomy",
            Self::NoRight => "the person does not hold the right to promote so far",
            Self::Key => "these bytes are no key",
            Self::Signature => "the signature is not that of this person for these words",
            Self::Expired => "it was signed too long ago or in the future",
            Self::Stale => "the cell has changed since it was signed",
            Self::NotHigher(now) => return write!(f, "level {} is granted already", u8::from(*now)),
            Self::NotLower(now) => return write!(f, "only level {} is granted", u8::from(*now)),
            Self::AboveCap(cap) => return write!(f, "the verb may not go above level {} here", u8::from(*cap)),
            Self::NotEarned(earned) => return write!(f, "outcomes have earned level {} only", u8::from(*earned)),
            Self::Week => "a seed can be promised for this week and the next one only",
            Self::AlreadyPromised => "a seed was promised for this week already",
            Self::TooManyWeeks => "too many weeks wait for their review",
            Self::NoPromise => "no seed was promised for this week",
            Self::TooManyCases => "too many cases were closed in this week",
            Self::AlreadyClosed => "the case was closed in this week already",
            Self::NotOver => "the week is not over",
            Self::Seed => "the seed is not the one that was promised",
            Self::AlreadyDrawn => "the cases of this week were drawn already",
            Self::NotWaiting => "the case does not wait for a review",
        };
        f.write_str(text)
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_sentences() {
        let two = Level::Approved;
        for (refused, code, says) in [
            (Refused::Name("a tenant"), "autonomy.name", "a tenant must have 1 to 256 bytes"),
            (Refused::NotHigher(two), "autonomy.not_higher", "level 2 is granted already"),
            (Refused::NotLower(two), "autonomy.not_lower", "only level 2 is granted"),
            (Refused::AboveCap(two), "autonomy.above_cap", "the verb may not go above level 2 here"),
            (Refused::NotEarned(two), "autonomy.not_earned", "outcomes have earned level 2 only"),
            (Refused::Seed, "autonomy.seed", "the seed is not the one that was promised"),
            (Refused::TooManyCells, "autonomy.too_many_cells", "there are too many cells of autonomy"),
            (Refused::TooManyPromoters, "autonomy.too_many_promoters", "too many people hold the right to promote"),
            (Refused::TooManyOutcomes, "autonomy.too_many_outcomes", "the cell has too many outcomes"),
            (
                Refused::UnknownShadow,
                "autonomy.unknown_shadow",
                "nothing is recorded under this name with which a person could agree",
            ),
            (
                Refused::KnownShadow,
                "autonomy.known_shadow",
                "a choice of the machine is recorded under this name already",
            ),
            (Refused::AlreadyJudged, "autonomy.already_judged", "a person has judged it already"),
            (Refused::UnknownCell, "autonomy.unknown_cell", "there is no such cell of autonomy"),
            (Refused::NoRight, "autonomy.no_right", "the person does not hold the right to promote so far"),
            (Refused::Key, "autonomy.key", "these bytes are no key"),
            (Refused::Signature, "autonomy.signature", "the signature is not that of this person for these words"),
            (Refused::Expired, "autonomy.expired", "it was signed too long ago or in the future"),
            (Refused::Stale, "autonomy.stale", "the cell has changed since it was signed"),
            (Refused::Week, "autonomy.week", "a seed can be promised for this week and the next one only"),
            (Refused::AlreadyPromised, "autonomy.already_promised", "a seed was promised for this week already"),
            (Refused::TooManyWeeks, "autonomy.too_many_weeks", "too many weeks wait for their review"),
            (Refused::NoPromise, "autonomy.no_promise", "no seed was promised for this week"),
            (Refused::TooManyCases, "autonomy.too_many_cases", "too many cases were closed in this week"),
            (Refused::AlreadyClosed, "autonomy.already_closed", "the case was closed in this week already"),
            (Refused::NotOver, "autonomy.not_over", "the week is not over"),
            (Refused::AlreadyDrawn, "autonomy.already_drawn", "the cases of this week were drawn already"),
            (Refused::NotWaiting, "autonomy.not_waiting", "the case does not wait for a review"),
        ] {
            assert_eq!((refused.code(), refused.to_string().as_str()), (code, says));
        }
    }
}
