//! `watchfloor bench govern`: one decision of the gate, without policy and with 1,001 Cedar policies, at 10,000 entities, a million counters of admission and
//! ten budgets. What admission says is measured by itself (`bench admission`), as it is said before.

use std::collections::BTreeMap;
use std::time::Instant;

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

const ENTITIES: usize = 10_000;
const COUNTERS: usize = 1_000_000;
const ASKED: usize = 20_000;
const POLICIES: usize = 1_001;
/// 2026-03-02T12:00:00Z.
const NOW: i64 = 1_772_452_800_000;

/// Permits everything, at no cost.
struct Open;

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
    let mut state = state();
    let mut number = 0;
    while state.admission.counters.len() < COUNTERS {
        admit(&plan(number, "filler"), &mut state, NOW);
        number += 1;
    }
    figure("govern.counters", state.admission.counters.len() as f64, "keys", number)?;
    let asked: Vec<(Plan, Vec<Admitted>)> = (0..ASKED)
        .map(|number| {
            let plan = plan(number * 7, "triage");
            let admitted = admit(&plan, &mut state, NOW + 60_000);
            (plan, admitted)
        })
        .collect();
    measure("govern.without_policy", &asked, &state, &Open)?;
    let source = Source { name: "bench.cedar".to_owned(), text: super::policy::policies(POLICIES)? };
    let (read, findings) = Policies::read(&[source]);
    let policies = read.ok_or_else(|| anyhow::anyhow!("the policies of the measurement are refused: {findings:?}"))?;
    let book = Book::of(&policies);
    measure("govern.with_1001_policies", &asked, &state, &book)
}

fn measure(name: &str, asked: &[(Plan, Vec<Admitted>)], state: &State, policy: &dyn Policy) -> anyhow::Result<()> {
    let mut times: Vec<f64> = asked
        .iter()
        .map(|(plan, admitted)| {
            let start = Instant::now();
            std::hint::black_box(decide(std::hint::black_box(plan), state, policy, admitted, NOW + 60_000));
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    for (share, what) in [(0.5, "p50"), (0.99, "p99")] {
        let time = times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        figure(&format!("{name}.{what}"), time, "µs", times.len())?;
    }
    Ok(())
}

fn state() -> State {
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
    let assets = [(Kind::Host, (0..ENTITIES).map(host).collect())].into();
    let machine = |id: &str| {
        let machine = Machine {
            active: true,
            sort: Sort::Agent,
            tenants: [tenant.clone()].into(),
            supervisor: "anna".into(),
            versions: watchfloor_govern::autonomy::Versions::default(),
        };
        (id.into(), machine)
    };
    let evidence = |number: usize| {
        let evidence = Evidence {
            tenant: tenant.clone(),
            case: format!("case-{}", number / 10).as_str().into(),
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
        evidence: (0..ENTITIES).map(evidence).collect(),
        budgets: BudgetParts { budgets: (0..10).map(budget).collect(), ..BudgetParts::default() },
        ..StateParts::default()
    };
    State::new(parts).0
}

fn plan(number: usize, machine: &str) -> Plan {
    let (case, host) = (number % (ENTITIES / 10), number % ENTITIES);
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
            format!("evidence-{}", case * 10).as_str().into(),
            format!("evidence-{}", case * 10 + 1).as_str().into(),
        ],
        reason: String::new(),
    }
}
