//! `watchfloor bench govern`: one decision of the gate, without policy and with 1,001 Cedar policies, at 10,000 entities, a million counters of admission and
//! ten budgets. What admission says is said before; counting is measured by itself (`bench admission`), and here with what the gate looks up for it.
//!
//! A machine asks to isolate hosts, under their long names. It has 200 outcomes in the cell of each tier, four of them failures. Each decision is timed by
//! itself, five times.

use std::collections::BTreeMap;
use std::time::Instant;

use watchfloor_govern::autonomy::{self, Choice, Judgement, Key, Record, ShadowId, Versions};
use watchfloor_govern::budget::{About, Budget, BudgetParts};
use watchfloor_govern::inventory::{Asset, Parts};
use watchfloor_govern::plan::{Action, Hash, Plan, Principal};
use watchfloor_govern::policy::{Answer, Policy, Request};
use watchfloor_govern::state::{Evidence, Machine, Person, Sort, State, StateParts, TenantParts, Trust};
use watchfloor_govern::{Admitted, admit, decide};
use watchfloor_model::action::{Kind, Level, Tier, Verb};
use watchfloor_model::ids::TenantId;
use watchfloor_policy::{Policies, Source};

use super::figure;
use crate::decide::Book;

pub(super) const ENTITIES: usize = 10_000;
const COUNTERS: usize = 1_000_000;
const ASKED: usize = 20_000;
const POLICIES: usize = 1_001;
/// How often each decision is timed.
const RUNS: usize = 5;
/// Evidence of a case.
const CLAIMS: usize = 10;
/// Outcomes of the machine in each cell, of which every fiftieth is a failure.
const OUTCOMES: usize = 200;
/// 2026-03-02T12:00:00Z.
const NOW: i64 = 1_772_452_800_000;
/// When decisions are made: what filled the counters is no flood any more.
const LATER: i64 = NOW + 60_000;

/// Permits everything, at no cost.
pub(super) struct Open;

impl Policy for Open {
    fn ask(&self, _: &Request<'_>) -> Answer {
        Answer::Permit(Vec::new())
    }

    fn hash(&self) -> Hash {
        Hash([0; 32])
    }
}

/// Prints the figures.
pub fn run() -> anyhow::Result<()> {
    let mut state = state(ENTITIES)?;
    let mut number = 0;
    while state.admission.counters.len() < COUNTERS {
        admit(&plan(number, ENTITIES, "filler"), &mut state, NOW);
        number += 1;
    }
    figure("govern.counters", state.admission.counters.len() as f64, "keys", number)?;
    let (asked, times) = asked(&mut state, ENTITIES);
    print("govern.admit", times)?;
    print_both("govern.without_policy", measure(&asked, &state, &Open))?;
    let policies = read(super::questions::policies(POLICIES)?)?;
    let book = Book::of(&policies);
    print_both("govern.with_1001_policies", measure(&asked, &state, &book))
}

/// Policies of a measurement.
pub(super) fn read(text: String) -> anyhow::Result<Policies> {
    let (read, findings) = Policies::read(&[Source { name: "bench.cedar".to_owned(), text }]);
    read.ok_or_else(|| anyhow::anyhow!("the policies of the measurement are refused: {findings:?}"))
}

/// Plans with what admission says of them, and how long it took to say so.
pub(super) fn asked(state: &mut State, entities: usize) -> (Vec<(Plan, Vec<Admitted>)>, Vec<f64>) {
    let plans: Vec<Plan> = (0..ASKED).map(|number| plan(number * 7, entities, "triage")).collect();
    let admitted = |plan: Plan| {
        let start = Instant::now();
        let admitted = admit(&plan, state, LATER);
        let time = start.elapsed().as_secs_f64() * 1e6;
        ((plan, admitted), time)
    };
    plans.into_iter().map(admitted).unzip()
}

/// Microseconds of each decision: as they came, and the least of each, which is what it takes where nothing else wants the processor.
pub(super) fn measure(asked: &[(Plan, Vec<Admitted>)], state: &State, policy: &dyn Policy) -> [Vec<f64>; 2] {
    let time = |(plan, admitted): &(Plan, Vec<Admitted>)| {
        let start = Instant::now();
        std::hint::black_box(decide(std::hint::black_box(plan), state, policy, admitted, LATER));
        start.elapsed().as_secs_f64() * 1e6
    };
    let runs: Vec<Vec<f64>> = (0..RUNS).map(|_| asked.iter().map(time).collect()).collect();
    let mut least = vec![f64::INFINITY; asked.len()];
    for run in &runs {
        least.iter_mut().zip(run).for_each(|(least, time)| *least = least.min(*time));
    }
    [runs.concat(), least]
}

/// Median and 99th percentile.
pub(super) fn quantiles(mut times: Vec<f64>) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    [0.5, 0.99].map(|share| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN))
}

fn print_both(name: &str, [all, least]: [Vec<f64>; 2]) -> anyhow::Result<()> {
    print(name, all)?;
    print(&format!("{name}.least"), least)
}

fn print(name: &str, times: Vec<f64>) -> anyhow::Result<()> {
    let n = times.len();
    let [p50, p99] = quantiles(times);
    figure(&format!("{name}.p50"), p50, "µs", n)?;
    figure(&format!("{name}.p99"), p99, "µs", n)
}

/// A state with so many hosts, and as much evidence.
pub(super) fn state(entities: usize) -> anyhow::Result<State> {
    let tenant: TenantId = "tenant-1".into();
    let host = |number: usize| Asset {
        name: format!("host-{number}"),
        names: vec![
            format!("host-{number}.corp.local"),
            format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255),
        ],
        tier: Tier::ALL.get(number % 4).copied().unwrap_or_default(),
        ..Asset::default()
    };
    let assets = [(Kind::Host, (0..entities).map(host).collect())].into();
    let machine = |id: &str| {
        let machine = Machine {
            active: true,
            sort: Sort::Agent,
            tenants: [tenant.clone()].into(),
            supervisor: "anna".into(),
            versions: versions(),
        };
        (id.into(), machine)
    };
    let evidence = |number: usize| {
        let evidence = Evidence {
            tenant: tenant.clone(),
            case: format!("case-{}", number / CLAIMS).as_str().into(),
            source: format!("source-{}", number % 5),
            trust: Trust::Authenticated,
            instructs: false,
            soothes: false,
        };
        (format!("evidence-{number}").as_str().into(), evidence)
    };
    let budget = |number: usize| Budget {
        name: format!("budget-{number}"),
        about: About { verb: Verb::ALL.get(number).copied(), each_tenant: true, ..About::default() },
        window: 3_600_000,
        count: Some(1_000),
        percent: None,
    };
    let parts = StateParts {
        ledger: true,
        policy_verified: true,
        people: [("anna".into(), Person { active: true, roles: [].into(), tenants: [tenant.clone()].into() })].into(),
        machines: [machine("triage"), machine("filler")].into(),
        tenants: [(
            tenant.clone(),
            TenantParts {
                inventory: Parts { assets, ..Parts::default() },
                readiness: Level::HighStakes,
                ..TenantParts::default()
            },
        )]
        .into(),
        evidence: (0..entities).map(evidence).collect(),
        budgets: BudgetParts { budgets: (0..10).map(budget).collect(), ..BudgetParts::default() },
        autonomy: outcomes(&tenant)?,
        ..StateParts::default()
    };
    Ok(State::new(parts).0)
}

/// What is running.
fn versions() -> Versions {
    let one = || "2026-03-01".to_owned();
    Versions { model: one(), prompt: one(), rules: one(), policy: one() }
}

/// What the machine has done so far, and what people said of it.
fn outcomes(tenant: &TenantId) -> anyhow::Result<autonomy::State> {
    let mut state = autonomy::State::default();
    for tier in Tier::ALL {
        let key = Key { tenant: tenant.clone(), verb: Verb::IsolateHost, class: "credential_theft".into(), tier };
        for number in 0..OUTCOMES {
            let (key, id) = (key.clone(), ShadowId(number.to_string()));
            let (versions, level, would) = (versions(), Level::Approved, Choice::Leave);
            let chosen = Record::Chosen { key: key.clone(), id: id.clone(), versions, level, would };
            let judgement = if number % 50 == 7 { Judgement::Change } else { Judgement::Agree };
            let judged = Record::Judged { key, id, judgement, by: "anna".into(), did: Choice::Leave };
            for record in [chosen, judged] {
                state.apply(record, NOW).map_err(|refused| anyhow::anyhow!("an outcome is refused: {refused:?}"))?;
            }
        }
    }
    Ok(state)
}

fn plan(number: usize, entities: usize, machine: &str) -> Plan {
    let (case, host) = (number % (entities / CLAIMS), number % entities);
    // Fillers ask about what differs in name, so that each leaves a counter.
    let target =
        if machine == "filler" { format!("host:unknown-{number}") } else { format!("host:HOST-{host}.corp.local") };
    let action = Action { verb: "isolate_host".to_owned(), target, parameters: BTreeMap::new(), lease: Some(3_600) };
    Plan {
        id: format!("plan-{number}").as_str().into(),
        tenant: "tenant-1".into(),
        requester: Principal::Machine(machine.into()),
        alert_class: "credential_theft".into(),
        case: Some(format!("case-{case}").as_str().into()),
        actions: vec![action],
        evidence: vec![
            format!("evidence-{}", case * CLAIMS).as_str().into(),
            format!("evidence-{}", case * CLAIMS + 1).as_str().into(),
        ],
        reason: String::new(),
    }
}
