//! Limits as the documents name them, written out: a test that reckons with the constant itself moves with it.

use watchfloor_govern::{approvals, approved, autonomy, budget, halt, plan};

#[test]
fn times_are_what_the_documents_say() {
    for (name, found, milliseconds) in [
        ("a token", approved::TOKEN_MS, 300_000),
        ("the window of a budget", budget::WINDOW_MS_MAX, 2_678_400_000),
        ("the wait for the second who lifts a halt", halt::LIFT_MS, 900_000),
        ("a request, if nobody says", approvals::LIFETIME_MS, 900_000),
        ("a request, at least", approvals::LIFETIME_MS_MIN, 60_000),
        ("a request, at most", approvals::LIFETIME_MS_MAX, 86_400_000),
        ("a statement", approvals::STATEMENT_AGE_MS_MAX, 300_000),
        ("a sign-in", approvals::SIGN_IN_AGE_MS_MAX, 300_000),
        ("an hour", approvals::HOUR_MS, 3_600_000),
        ("an approved decoy", approvals::DECOY_MEMORY_MS, 7_776_000_000),
        ("a signed promotion", autonomy::promotion::VALID_MS, 900_000),
        ("a reversal", autonomy::cell::REVERSAL_MS, 2_592_000_000),
        ("a review", autonomy::closed::REVIEW_MS, 604_800_000),
    ] {
        assert_eq!(found, milliseconds, "{name}");
    }
}

#[test]
fn numbers_are_those_that_json_writes_exactly() {
    assert_eq!(plan::NUMBER_MAX, 9_007_199_254_740_991);
    for (number, good) in [
        ("9007199254740990", true),
        ("9007199254740991", true),
        ("9007199254740992", false),
        ("-9007199254740991", true),
        ("-9007199254740992", false),
    ] {
        assert_eq!(serde_json::from_str::<plan::Value>(number).is_ok(), good, "{number}");
    }
}
