//! The five levels and what they say.

use watchfloor_model::action::{Tier, Verb};

use super::super::cell::Key;
use super::*;

fn cell(verb: Verb, tier: Tier) -> Cell {
    let mut cell = Cell::new(Key { tenant: "north".into(), verb, class: "beacon".into(), tier });
    cell.granted = Level::HighStakes;
    cell
}

fn mohsin(complexity: u8, risk: u8, trust: u8) -> Mohsin {
    let (half, share) = (Share::percent(50), Share::percent);
    Mohsin {
        complexity: share(complexity),
        risk: share(risk),
        trust: share(trust),
        complexity_weight: half,
        risk_weight: half,
    }
}

/// What nobody has named.
static UNNAMED: Versions =
    Versions { model: String::new(), prompt: String::new(), rules: String::new(), policy: String::new() };

fn conditions() -> Conditions<'static> {
    Conditions { readiness: Level::HighStakes, mohsin: mohsin(0, 0, 100), running: &UNNAMED, ledger_reachable: true }
}

#[test]
fn mohsins_measure() {
    for (complexity, risk, trust, autonomy, level) in [
        (0, 0, 0, 100, 4),
        (100, 100, 100, 100, 4),
        (100, 100, 0, 0, 0),
        (100, 100, 19, 19, 0),
        (100, 100, 20, 20, 1),
        (100, 100, 39, 39, 1),
        (100, 100, 40, 40, 2),
        (100, 100, 59, 59, 2),
        (100, 100, 60, 60, 3),
        (100, 100, 79, 79, 3),
        (100, 100, 80, 80, 4),
        (100, 0, 0, 50, 2),
        (0, 100, 0, 50, 2),
        (100, 0, 80, 90, 4),
        (40, 80, 50, 70, 3),
    ] {
        let measured = mohsin(complexity, risk, trust);
        let due = (Share::percent(autonomy), Level::ALL[level]);
        assert_eq!((measured.autonomy(), measured.ceiling()), due, "{complexity} {risk} {trust}");
    }
    // Rounded down, and weights of more than 1 take no more than all.
    let thin = Mohsin { risk: Share::try_from(1).unwrap(), ..mohsin(0, 0, 0) };
    assert_eq!(thin.autonomy().parts(), Share::ALL.parts() - 1);
    let heavy = Mohsin { complexity_weight: Share::ALL, risk_weight: Share::ALL, ..mohsin(100, 100, 0) };
    assert_eq!((heavy.autonomy(), heavy.ceiling()), (Share::NONE, Level::Manual));
    let uneven =
        Mohsin { complexity_weight: Share::percent(25), risk_weight: Share::percent(75), ..mohsin(40, 80, 50) };
    assert_eq!(uneven.autonomy(), Share::percent(65));
}

#[test]
fn the_least_of_five_is_the_level() {
    type Twist = fn(&mut Cell, &mut Conditions<'_>);
    // What is changed, the level, and the five: granted, earned, readiness, hard cap, Mohsin.
    let table: [(Twist, u8, [u8; 5]); 6] = [
        (|_, _| (), 2, [4, 2, 4, 4, 4]),
        (|cell, _| cell.granted = Level::Advisory, 1, [1, 2, 4, 4, 4]),
        (|_, conditions| conditions.readiness = Level::Manual, 0, [4, 2, 0, 4, 4]),
        (|cell, _| cell.key.verb = Verb::ResetCredential, 2, [4, 2, 4, 2, 4]),
        (|_, conditions| conditions.mohsin = mohsin(100, 100, 20), 1, [4, 2, 4, 4, 1]),
        (|_, conditions| conditions.ledger_reachable = false, 0, [4, 0, 4, 4, 4]),
    ];
    for (number, (twist, level, due)) in table.into_iter().enumerate() {
        let (mut cell, mut conditions) = (cell(Verb::IsolateHost, Tier::Two), conditions());
        twist(&mut cell, &mut conditions);
        let standing = cell.standing(&conditions, 0);
        let parts = standing.parts().map(|part| u8::from(part.level));
        assert_eq!((u8::from(standing.level), parts), (level, due), "{number}");
    }
    let capped = cell(Verb::ResetCredential, Tier::Zero).standing(&conditions(), 0);
    assert_eq!((capped.level, capped.hard_cap.level), (Level::Advisory, Level::Advisory));
}

#[test]
fn each_part_says_why() {
    let mut cell = cell(Verb::IsolateHost, Tier::Zero);
    cell.granted = Level::Manual;
    let mut conditions = Conditions { mohsin: mohsin(100, 50, 40), ..conditions() };
    let say = |cell: &Cell, conditions: &Conditions<'_>| {
        cell.standing(conditions, 0).parts().map(|part| format!("{}: {}", part.code, part.says))
    };
    let due = [
        "autonomy.granted: nobody has granted more than level 0",
        "autonomy.below_bar: level 2: outcomes do not reach the bar of more; 0 agreements and 0 failures, lower bound 0",
        "autonomy.readiness: the house is ready for level 4",
        "autonomy.hard_cap: isolate_host is never done above level 2 on tier 0",
        "autonomy.mohsin: the task bears level 2: A is 0.55",
    ];
    assert_eq!(say(&cell, &conditions), due);
    cell.grantor = Some("ann".into());
    cell.grant(Level::Approved, Why::Granted, None, 0);
    assert_eq!(say(&cell, &conditions)[0], "autonomy.granted: ann granted level 2");
    // Granted again, it is not lowered.
    cell.grant(Level::Approved, Why::Granted, None, 0);
    assert_eq!(say(&cell, &conditions)[0], "autonomy.granted: ann granted level 2");
    cell.grant(Level::Manual, Why::Lowered, None, 0);
    let lowered = "lowered from level 2 to 0: a person lowered it; only a person can raise it again";
    assert_eq!(say(&cell, &conditions)[0], format!("autonomy.granted: {lowered}"));
    conditions.ledger_reachable = false;
    let due = "autonomy.ledger_unreachable: level 0: what is done cannot be recorded; 0 agreements and 0 failures, lower bound 0";
    assert_eq!(say(&cell, &conditions)[1], due);
    let standing = cell.standing(&conditions, 0);
    assert_eq!(
        (standing.grantor, standing.outcomes, standing.lower),
        (Some("ann".into()), Tally::default(), Share::NONE)
    );
}

#[test]
fn reasons_have_codes_and_words() {
    let all = [
        Why::Granted,
        Why::Lowered,
        Why::Earned,
        Why::BelowBar,
        Why::Reversed,
        Why::Drift,
        Why::CoverageMissing,
        Why::VersionChanged,
        Why::Reearning,
        Why::LedgerUnreachable,
    ];
    let codes = all.map(|why| format!("\"{}\"", why.code()));
    assert_eq!(codes, all.map(|why| serde_json::to_string(&why).unwrap()));
    let mut words = all.map(Why::says).to_vec();
    words.sort_unstable();
    words.dedup();
    assert!(words.len() == all.len() && words.iter().all(|words| words.len() > 10));
}
