//! Promises, draws and reviews of closed cases.

use std::collections::BTreeSet;

use watchfloor_model::action::{Level, Verb};

use super::super::cell::{Choice, Key, ShadowId, Versions};
use super::super::state::{Record, State};
use super::*;

const DAY: i64 = 86_400_000;
/// A Monday, 2026-01-05.
const MONDAY: i64 = 20_458 * DAY;
const SEED: Hex<32> = Hex([9; 32]);

fn tenant() -> TenantId {
    "north".into()
}

fn key() -> Key {
    Key { tenant: tenant(), verb: Verb::CloseCase, class: "spam".into(), tier: Tier::Three }
}

/// A state that has promised a seed for the week of [`MONDAY`].
fn promised() -> State {
    let mut state = State::default();
    let one = || "1".to_owned();
    let versions = Versions { model: one(), prompt: one(), rules: one(), policy: one() };
    let id = ShadowId(one());
    let chosen = Record::Chosen { key: key(), id, versions, level: Level::Manual, would: Choice::Leave };
    state.apply(chosen, MONDAY).unwrap();
    promise_for(&mut state, week(MONDAY), MONDAY).unwrap();
    state
}

fn promise_for(state: &mut State, week: i64, now: i64) -> Result<(), Refused> {
    state.apply(Record::Review(Event::Promised { tenant: tenant(), week, promise: promise(&SEED) }), now)
}

fn close(state: &mut State, case: &str, now: i64) -> Result<(), Refused> {
    let Key { tenant, class, tier, .. } = key();
    state.apply(Record::Review(Event::Closed { tenant, class, tier, case: case.into() }), now)
}

fn draw(state: &mut State, number: i64, seed: Hex<32>, now: i64) -> Result<(), Refused> {
    state.apply(Record::Review(Event::Drawn { tenant: tenant(), week: number, seed }), now)
}

fn review(state: &mut State, case: &str, missed: bool, now: i64) -> Result<(), Refused> {
    let (week, by) = (week(MONDAY), "cy".into());
    state.apply(Record::Review(Event::Reviewed { tenant: tenant(), week, case: case.into(), by, missed }), now)
}

fn figure(state: &State, now: i64) -> Figure {
    state.closed(&tenant()).unwrap().figure(now)
}

fn waiting(state: &State) -> Vec<String> {
    state.closed(&tenant()).unwrap().to_review().map(|(_, case)| case.0.clone()).collect()
}

#[test]
fn weeks_begin_on_monday() {
    for (at, number) in [
        (0, 0),
        (-3 * DAY, 0),
        (-3 * DAY - 1, -1),
        (4 * DAY - 1, 0),
        (4 * DAY, 1),
        (MONDAY - 1, 2_922),
        (MONDAY, 2_923),
        (i64::MAX, 15_250_284_452),
    ] {
        assert_eq!(week(at), number, "{at}");
    }
    assert_eq!((end(0), end(2_922), week(end(2_923))), (4 * DAY, MONDAY, 2_924));
}

#[test]
fn at_least_two_percent_and_at_least_twenty() {
    for (cases, least) in [
        (0, 0),
        (1, 1),
        (19, 19),
        (20, 20),
        (21, 20),
        (1_000, 20),
        (1_001, 21),
        (1_050, 21),
        (1_051, 22),
        (CASES_MAX, 2_000),
        (usize::MAX, usize::MAX.div_ceil(100)),
    ] {
        assert_eq!(due(cases), least, "{cases}");
    }
}

#[test]
fn hashes_are_as_written_above() {
    let sha = |bytes: &[u8]| <[u8; 32]>::from(Sha256::digest(bytes));
    let seed = [9; 32];
    assert_eq!(promise(&SEED).0, sha(&[b"watchfloor/seed/1\n".as_slice(), &seed].concat()));
    let rest: &[u8] = b"\0\0\0\x05north\0\0\0\0\0\0\x0b\x6b\0\0\0\x02c1";
    let due = sha(&[b"watchfloor/review/1\n".as_slice(), &seed, rest].concat());
    assert_eq!(rank(&SEED, &tenant(), 2_923, &"c1".into()), due);
}

#[test]
fn the_seed_decides_who_is_looked_at() {
    let mut drawn = BTreeSet::new();
    for seed in 0..3_u8 {
        let seed = Hex([seed; 32]);
        let mut state = promised();
        let event = Event::Promised { tenant: tenant(), week: week(MONDAY) + 1, promise: promise(&seed) };
        state.apply(Record::Review(event), MONDAY).unwrap();
        for case in 0..1_200 {
            close(&mut state, &format!("c{case}"), MONDAY + 7 * DAY).unwrap();
        }
        let over = MONDAY + 14 * DAY;
        draw(&mut state, week(MONDAY) + 1, seed, over).unwrap();
        let cases = waiting(&state);
        assert_eq!(cases.len(), 24);
        let rank_of = |case: &str| rank(&seed, &tenant(), week(MONDAY) + 1, &case.into());
        let last = cases.iter().map(|case| rank_of(case)).max().unwrap();
        assert_eq!((0..1_200).filter(|case| rank_of(&format!("c{case}")) <= last).count(), 24);
        drawn.insert(cases);
    }
    assert_eq!(drawn.len(), 3);
}

#[test]
fn no_promise_no_closing_and_no_other_seed() {
    let mut state = promised();
    let (now, over) = (MONDAY + DAY, MONDAY + 7 * DAY);
    let number = week(MONDAY);
    for (week, due) in [
        (number - 1, Err(Refused::Week)),
        (number, Err(Refused::AlreadyPromised)),
        (number + 1, Ok(())),
        (number + 2, Err(Refused::Week)),
    ] {
        assert_eq!(promise_for(&mut state, week, now), due, "{week}");
    }
    assert_eq!(close(&mut state, "c1", now), Ok(()));
    assert_eq!(close(&mut state, "c1", now), Err(Refused::AlreadyClosed));
    assert_eq!(review(&mut state, "c1", false, now), Err(Refused::NotWaiting), "it may be drawn, nobody knows");
    assert!(waiting(&state).is_empty());
    assert_eq!(draw(&mut state, number, SEED, over - 1), Err(Refused::NotOver));
    assert_eq!(draw(&mut state, number, Hex([8; 32]), over), Err(Refused::Seed));
    assert_eq!(draw(&mut state, number - 1, SEED, over), Err(Refused::NoPromise));
    assert_eq!(draw(&mut state, number, SEED, over), Ok(()));
    assert_eq!(draw(&mut state, number, SEED, over), Err(Refused::AlreadyDrawn));
    assert_eq!(review(&mut state, "c2", false, over), Err(Refused::NotWaiting));
    assert_eq!(review(&mut state, "c1", false, over), Ok(()));
    assert_eq!(review(&mut state, "c1", true, over), Err(Refused::NotWaiting));
    assert_eq!(draw(&mut state, number, SEED, over), Err(Refused::NoPromise), "the week is done with");
    assert_eq!(close(&mut state, "c1", over), Ok(()), "another week");
    assert_eq!(close(&mut state, "c2", over + 7 * DAY), Err(Refused::NoPromise));
    let mut nobody = State::default();
    assert_eq!(promise_for(&mut nobody, number, MONDAY), Err(Refused::UnknownCell));
    assert_eq!(close(&mut nobody, "c1", MONDAY), Err(Refused::UnknownCell));
    assert_eq!(draw(&mut nobody, number, SEED, over), Err(Refused::NoPromise));
    assert_eq!(review(&mut nobody, "c1", false, over), Err(Refused::NotWaiting));
    for (case, due) in [(String::new(), false), ("x".repeat(256), true), ("x".repeat(257), false)] {
        let due = if due { Ok(()) } else { Err(Refused::Name("a case")) };
        assert_eq!(close(&mut promised(), &case, MONDAY), due, "{}", case.len());
    }
}

#[test]
fn a_review_is_an_outcome_of_the_cell() {
    let mut state = promised();
    for case in 0..30 {
        close(&mut state, &format!("c{case:02}"), MONDAY).unwrap();
    }
    let over = MONDAY + 7 * DAY;
    draw(&mut state, week(MONDAY), SEED, over).unwrap();
    let cases = waiting(&state);
    assert_eq!(cases.len(), 20);
    for (number, case) in cases.iter().enumerate() {
        review(&mut state, case, number == 3, over).unwrap();
        let tally = state.cell(&key()).unwrap().tally();
        assert_eq!((tally.agreed, tally.failed), if number < 3 { (number as u64 + 1, 0) } else { (number as u64, 1) });
    }
    assert_eq!(state.cell(&key()).unwrap().earned(over).1, super::super::Why::Reversed);
    let figure = figure(&state, over);
    assert_eq!(figure, Figure { closed: 30, reviewed: 20, missed: 1, waiting: 0, overdue: 0, upper: upper(19, 1) });
}

#[test]
fn what_an_older_version_closed_is_no_outcome_of_the_newer() {
    let mut state = promised();
    for case in ["c1", "c2"] {
        close(&mut state, case, MONDAY).unwrap();
    }
    let one = || "1".to_owned();
    let versions = Versions { model: "2".to_owned(), prompt: one(), rules: one(), policy: one() };
    let id = ShadowId("2".to_owned());
    let chosen = Record::Chosen { key: key(), id, versions, level: Level::Manual, would: Choice::Leave };
    state.apply(chosen, MONDAY).unwrap();
    let over = MONDAY + 7 * DAY;
    draw(&mut state, week(MONDAY), SEED, over).unwrap();
    review(&mut state, "c1", false, over).unwrap();
    review(&mut state, "c2", true, over).unwrap();
    let cell = state.cell(&key()).unwrap();
    assert_eq!((cell.tally().outcomes(), cell.totals().agreed, cell.totals().reversed), (0, 1, 1));
    assert_eq!(cell.earned(over).1, super::super::Why::Reversed, "a miss is one all the same");
}

#[test]
fn not_looking_makes_the_figure_worse() {
    let mut state = promised();
    for case in 0..1_100 {
        close(&mut state, &format!("c{case}"), MONDAY).unwrap();
    }
    let number = week(MONDAY);
    let late = end(number) + REVIEW_MS;
    assert_eq!(late, MONDAY + 14 * DAY);
    let at = |reviewed, waiting, overdue, upper| Figure { closed: 1_100, reviewed, missed: 0, waiting, overdue, upper };
    assert_eq!(figure(&state, late - 1), at(0, 0, 0, Share::ALL));
    assert_eq!(figure(&state, late), at(0, 0, 22, Share::ALL), "the seed was not shown");
    draw(&mut state, number, SEED, late).unwrap();
    let cases = waiting(&state);
    for case in cases.iter().skip(2) {
        review(&mut state, case, false, late).unwrap();
    }
    assert_eq!(figure(&state, late - 1), at(20, 2, 0, upper(20, 0)));
    assert_eq!(figure(&state, late), at(20, 2, 2, upper(20, 2)));
    assert!(upper(20, 2) > upper(20, 0));
    // 150 clean reviews: at most 5.2 % of all that was closed were threats.
    assert!(upper(150, 0) < Share::millionths(52_100) && upper(150, 0) > Share::millionths(52_000));
}

#[test]
fn weeks_and_cases_are_bounded() {
    let mut state = promised();
    let first = week(MONDAY);
    let monday = |number: i64| MONDAY + 7 * DAY * number;
    let weeks = i64::try_from(WEEKS_MAX).unwrap();
    close(&mut state, "c", MONDAY).unwrap();
    for number in 1..weeks {
        assert_eq!(promise_for(&mut state, first + number, monday(number)), Ok(()), "{number}");
        // Nothing is closed in the third: it is forgotten.
        if number != 3 {
            close(&mut state, "c", monday(number)).unwrap();
        }
    }
    assert_eq!(promise_for(&mut state, first + weeks, monday(weeks)), Ok(()));
    close(&mut state, "c", monday(weeks)).unwrap();
    assert_eq!(promise_for(&mut state, first + weeks + 1, monday(weeks + 1)), Err(Refused::TooManyWeeks));
    assert_eq!(close(&mut state, "c", monday(weeks + 1)), Err(Refused::NoPromise));
    draw(&mut state, first, SEED, monday(weeks)).unwrap();
    review(&mut state, "c", false, monday(weeks)).unwrap();
    assert_eq!(promise_for(&mut state, first + weeks + 1, monday(weeks + 1)), Ok(()));

    let mut closed = Closed::default();
    closed.promise(first, promise(&SEED), MONDAY).unwrap();
    let by = ClosedBy { class: "spam".into(), tier: Tier::Three, era: 0 };
    for case in 0..CASES_MAX {
        assert_eq!(closed.close(CaseId(format!("c{case}")), by.clone(), MONDAY), Ok(()), "{case}");
    }
    assert_eq!(closed.close("c".into(), by, MONDAY), Err(Refused::TooManyCases));
    assert_eq!(closed.figure(MONDAY).closed, CASES_MAX as u64);
}

#[test]
fn a_review_that_finds_nothing_is_not_counted_beyond_the_bound() {
    use super::super::cell::OUTCOMES_MAX;
    for (count, missed, counted) in [
        (OUTCOMES_MAX - 1, false, (OUTCOMES_MAX, 0)),
        (OUTCOMES_MAX, false, (OUTCOMES_MAX, 0)),
        (OUTCOMES_MAX, true, (OUTCOMES_MAX, 1)),
    ] {
        let mut state = promised();
        close(&mut state, "c1", MONDAY).unwrap();
        let text = serde_json::to_string(&state).unwrap();
        let many = text.replace(r#""before":{"agreed":0,"#, &format!(r#""before":{{"agreed":{count},"#));
        assert_ne!(many, text);
        let mut state: State = serde_json::from_str(&many).unwrap();
        let over = MONDAY + 7 * DAY;
        draw(&mut state, week(MONDAY), SEED, over).unwrap();
        review(&mut state, "c1", missed, over).unwrap();
        let cell = state.cell(&key()).unwrap();
        assert_eq!((cell.tally().agreed, cell.tally().failed), counted, "{count} {missed}");
        assert_eq!(cell.totals().agreed + cell.totals().reversed, 1, "it is told all the same");
    }
}

#[test]
fn what_this_version_closed_is_an_outcome_of_it() {
    let mut state = promised();
    let one = || "1".to_owned();
    let versions = Versions { model: "2".to_owned(), prompt: one(), rules: one(), policy: one() };
    let id = ShadowId("2".to_owned());
    let chosen = Record::Chosen { key: key(), id, versions, level: Level::Manual, would: Choice::Leave };
    state.apply(chosen, MONDAY).unwrap();
    assert_eq!(state.cell(&key()).unwrap().era(), 1);
    close(&mut state, "c1", MONDAY).unwrap();
    let over = MONDAY + 7 * DAY;
    draw(&mut state, week(MONDAY), SEED, over).unwrap();
    review(&mut state, "c1", false, over).unwrap();
    assert_eq!(state.cell(&key()).unwrap().tally().agreed, 1);
}
