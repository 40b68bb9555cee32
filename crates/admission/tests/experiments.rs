//! The experiments that the protocol's author published, run again, and what shared counters change.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it counted"
)]

use watchfloor_admission::bar::{Alert, Monitor, Mutation, probe};
use watchfloor_admission::counters::{Counters, Limits};
use watchfloor_admission::risk::{
    Context, Counts, Decision, History, Hot, Profile, Reason, Record, Request, ResourceClass, Rules, Shared, Standing,
    evaluate, shape,
};

const START: i64 = 1_767_225_600_000;

/// The published weights with the counters of agents alone.
fn per_agent_only(profile: &Profile) -> Profile {
    Profile::new(Rules { shared: Shared::default(), ..profile.rules().clone() }).unwrap()
}

fn counters() -> Counters {
    Counters::new(Limits { scopes: 10_000, patterns: 10_000 }, [9; 16]).unwrap()
}

/// A request that scores 35 + 15 = 50 at first, and 80 with rules 2 and 3.
fn transfer<'a>(agent: &'a str, resource: &'a str) -> Request<'a> {
    Request {
        eval_id: "eval",
        request_id: "request",
        agent_id: agent,
        tenant: "tenant",
        capability: "acp:cap:financial.payment",
        resource,
        target_shape: "account",
        resource_class: ResourceClass::Sensitive,
        autonomy_level: 2,
        context: Context::CALM,
        history: History::CLEAN,
        standing: Standing::GOOD,
    }
}

/// A request that the score denies at once.
fn hopeless<'a>(agent: &'a str, capability: &'a str, resource: &'a str) -> Request<'a> {
    let context = Context { external_ip: Some(true), ..Context::CALM };
    Request { capability, context, resource_class: ResourceClass::Restricted, ..transfer(agent, resource) }
}

/// Whether a request was tried freely: decided by the score, and not by a cooldown.
fn free_denial(record: &Record<'_>) -> bool {
    let waits = record.reasons.has(Reason::Cooldown) || record.reasons.has(Reason::SharedCooldown);
    record.decision == Decision::Denied && !waits
}

/// Exp1: an agent that goes on after its denials. Published: 495 of 500 blocked after 5 requests, from a request that is denied at
/// once; the contract (evaluate, then count) blocks 497 after 3.
#[test]
fn cooldown_evasion_is_blocked_after_three() {
    let (profile, mut counters) = (per_agent_only(&Profile::go()), counters());
    let request = hopeless("agent", "acp:cap:financial.transfer", "account/1");
    let mut blocked = 0;
    for number in 0..500 {
        let record = counters.admit(&profile, &request, START + number);
        assert_eq!(record.decision, Decision::Denied);
        assert_eq!(record.cooldown_active, number >= 3, "request {number}");
        blocked += usize::from(record.cooldown_active);
    }
    println!("Exp1: {blocked} of 500 blocked");
    assert_eq!(blocked, 497);
}

/// Times of the free denials that N agents get, one request a second in turn, over an hour.
fn collude(profile: &Profile, agents: usize, capabilities: usize, resources: usize) -> Vec<i64> {
    let mut counters = counters();
    let names: Vec<String> = (0..agents.max(resources)).map(|number| format!("name-{number}")).collect();
    let asked = ["acp:cap:financial.transfer", "acp:cap:infrastructure.delete", "acp:cap:agent.revoke"];
    let mut free = Vec::new();
    for number in 0..3600 {
        let request = hopeless(&names[number % agents], asked[number % capabilities], &names[number % resources]);
        let now = START + number as i64 * 1000;
        if free_denial(&counters.admit(profile, &request, now)) {
            free.push(now);
        }
    }
    free
}

/// Exp2: N agents that take turns. Published: 3N free denials, and then N more whenever their cooldowns end. With shared counters whatever N agents get, one agent could have had:
/// a single one that asks at exactly these times is never in its cooldown.
#[test]
fn many_agents_get_no_more_free_tries_than_one() {
    let profile = Profile::spec();
    let alone = per_agent_only(&profile);
    let mut published = Vec::new();
    for agents in [1, 2, 5, 20, 100] {
        published.push(collude(&alone, agents, 1, 1).len());
        for (capabilities, resources) in [(1, 1), (3, 1), (1, 100), (3, 100)] {
            let ours = collude(&profile, agents, capabilities, resources);
            let mut counters = counters();
            let request = hopeless("agent", "acp:cap:financial.transfer", "account/1");
            let one = ours.iter().filter(|now| free_denial(&counters.admit(&alone, &request, **now))).count();
            println!(
                "Exp2: {agents} agents, {capabilities} capabilities, {resources} resources: {} free in an hour, one agent {one}",
                ours.len()
            );
            assert_eq!(ours.len(), one, "{agents} agents");
        }
    }
    println!("Exp2, counters of agents alone: {published:?} free denials");
    assert_eq!(published, [14, 28, 70, 280, 1400], "three each at once, then one more for each period of 300 s");
    let at_once = [1, 2, 5, 20, 100].map(|agents| (collude_once(&alone, agents), collude_once(&profile, agents)));
    println!("Exp2 in one second, published and ours: {at_once:?}");
    assert_eq!(at_once, [(3, 3), (6, 3), (15, 3), (60, 3), (300, 3)]);
}

/// Free denials of N agents with three requests each, in one second.
fn collude_once(profile: &Profile, agents: usize) -> usize {
    let mut counters = counters();
    let names: Vec<String> = (0..agents).map(|number| format!("agent-{number}")).collect();
    let ask =
        |name: &String| free_denial(&counters.admit(profile, &hopeless(name, "acp:cap:agent.revoke", name), START));
    names.iter().cycle().take(3 * agents).map(ask).filter(|free| *free).count()
}

/// Exp13: N agents that each ask for the same harmless thing. Published: 2N and more pass before anyone notices.
#[test]
fn a_coordinated_window_is_noticed_across_agents() {
    let request = |name| Request { capability: "acp:cap:data.write", ..transfer(name, "ledger/1") };
    let names: Vec<String> = (0..10).map(|number| format!("agent-{number}")).collect();
    let approved = |profile: &Profile| {
        let mut counters = counters();
        let asked = names.iter().cycle().take(40);
        asked.filter(|name| counters.admit(profile, &request(name), START).decision == Decision::Approved).count()
    };
    let (alone, shared) = (approved(&per_agent_only(&Profile::spec())), approved(&Profile::spec()));
    println!("Exp13: {alone} approved with counters of agents alone, {shared} with shared ones, 3 of one agent");
    assert_eq!((alone, shared), (30, 3));
}

/// Exp4: the same request again and again. Published: 3 escalated, 3 denied, 4 blocked of 10.
#[test]
fn a_request_that_is_repeated_is_escalated_denied_and_blocked() {
    let profile = per_agent_only(&Profile::spec());
    let mut counters = counters();
    let request = Request {
        history: History { denial_rate_high: Some(true), ..History::CLEAN },
        ..transfer("agent", "account/1")
    };
    let outcome: Vec<_> = (0..10)
        .map(|number| {
            let record = counters.admit(&profile, &request, START + number);
            (record.decision, record.cooldown_active)
        })
        .collect();
    let count = |wanted| outcome.iter().filter(|outcome| **outcome == wanted).count();
    let counted =
        [count((Decision::Escalated, false)), count((Decision::Denied, false)), count((Decision::Denied, true))];
    println!("Exp4: {counted:?} escalated, denied, blocked");
    assert_eq!(counted, [3, 3, 4]);
}

/// Exp4, second part: payloads that differ in a number are other patterns, and have one shape.
#[test]
fn near_identical_requests_are_caught_by_their_shape() {
    let run = |profile: &Profile| {
        let mut counters = counters();
        let mut first = None;
        for number in 0..30 {
            let resource = format!("account/{number}");
            let shape = shape(&resource);
            let request = Request { target_shape: &shape, autonomy_level: 3, ..transfer("agent", &resource) };
            // Slow enough for rule 1.
            let record = counters.admit(profile, &request, START + number * 7000);
            if record.anomaly_detail.rule3_triggered && first.is_none() {
                first = Some(number);
            }
        }
        first
    };
    let (published, ours) = (run(&per_agent_only(&Profile::spec())), run(&Profile::spec()));
    println!("near-identical: rule 3 fires at {published:?} with exact patterns, at {ours:?} with shapes");
    assert_eq!((published, ours), (None, Some(10)));
}

/// Exp5: 500 requests with and without memory. Published: 2 of 500 against 500 of 500; the author's loop counts before it decides,
/// the contract after, so it is 3.
#[test]
fn memory_makes_the_difference() {
    let profile = per_agent_only(&Profile::go());
    let request = Request {
        capability: "acp:cap:financial.payment",
        resource_class: ResourceClass::Public,
        history: History { no_history: Some(false), ..History::CLEAN },
        ..transfer("agent", "account/1")
    };
    let stateless =
        (0..500).filter(|_| evaluate(&profile, &request, &Counts::NONE).decision == Decision::Approved).count();
    let mut counters = counters();
    let mut outcome = [0; 4];
    for _ in 0..500 {
        let record = counters.admit(&profile, &request, START);
        outcome[if record.cooldown_active { 3 } else { record.decision as usize }] += 1;
    }
    println!("Exp5: {stateless} of 500 without memory; approved, escalated, denied, blocked with it: {outcome:?}");
    assert_eq!((stateless, outcome), (500, [3, 8, 3, 486]));
}

/// Exp6 and 7: other traffic of the agent raises the score under RISK-2.0 (50 to 70), and not where rule 1 counts the pattern.
#[test]
fn unrelated_traffic_counts_only_where_rule_1_counts_the_agent() {
    let run = |profile: &Profile| {
        let mut counters = counters();
        let others: Vec<String> = (0..11).map(|number| format!("report/{number}")).collect();
        for other in &others {
            let request = Request {
                capability: "acp:cap:data.read",
                resource_class: ResourceClass::Public,
                ..transfer("agent", other)
            };
            counters.admit(profile, &request, START);
        }
        counters.admit(profile, &transfer("agent", "account/1"), START).rs_final
    };
    let (agent, pattern) = (run(&per_agent_only(&Profile::spec())), run(&per_agent_only(&Profile::go())));
    println!("Exp6 and 7: {agent:?} where rule 1 counts the agent, {pattern:?} where it counts the pattern");
    assert_eq!((agent, pattern), (Some(70), Some(50)));
}

/// Exp9: enforcement that is not exercised any more, and probes that show that it still works.
#[test]
fn probes_show_that_the_boundary_still_bites() {
    let profile = Profile::spec();
    let harmless = Request {
        capability: "acp:cap:data.read",
        resource_class: ResourceClass::Public,
        ..transfer("agent", "report/1")
    };
    let (harmful, mut monitor) = (transfer("agent", "account/1"), Monitor::new(100).unwrap());
    let mut drift = None;
    for batch in 0..8 {
        for number in 0..20 {
            let restricted = number * 10 < (14 - batch * 2_i32).max(0) * 10;
            let request = if restricted { &harmful } else { &harmless };
            monitor.observe(evaluate(&profile, request, &Counts::NONE).decision);
        }
        if drift.is_none() && monitor.alert() == Some(Alert::Drift) {
            drift = Some(batch);
        }
    }
    (0..100).for_each(|_| monitor.observe(evaluate(&profile, &harmless, &Counts::NONE).decision));
    assert_eq!((monitor.permille(), monitor.alert()), (Some(0), Some(Alert::Threshold)));
    assert!(drift.is_some(), "the drift is told before the threshold");
    let probed = probe(&profile, &harmless, &Counts::NONE);
    println!("Exp9: {probed:?}, drift told at batch {drift:?}");
    assert!(probed.bites() && probed.monotone());
    let said = probed.probes.map(|probe| (probe.mutation, probe.decision, probe.score));
    assert_eq!(
        said,
        [
            (Mutation::Structural, Decision::Denied, Some(100)),
            (Mutation::Behavioural, Decision::Denied, Some(85)),
            (Mutation::Temporal, Decision::Escalated, Some(55)),
        ]
    );
    let blind = Profile::new(Rules {
        bands: [watchfloor_admission::risk::Band { approved_max: Some(100), escalated_max: 100 }; 4],
        ..profile.rules().clone()
    });
    assert!(!probe(&blind.unwrap(), &harmless, &Counts::NONE).bites(), "a policy that approves everything is told");
}

/// One agent that misbehaves cannot stop the others: a hot tenant sends to people what it would have approved.
#[test]
fn a_hot_tenant_asks_people_and_a_strict_one_denies() {
    for (hot, expected) in [(Hot::Escalate, Decision::Escalated), (Hot::Deny, Decision::Denied)] {
        let mut rules = Profile::spec().rules().clone();
        rules.shared.tenant.hot = hot;
        let profile = Profile::new(rules).unwrap();
        let mut counters = counters();
        for number in 0..3 {
            counters.admit(&profile, &hopeless("rogue", "acp:cap:agent.revoke", "agent/1"), START + number);
        }
        let calm = Request {
            capability: "acp:cap:data.read",
            resource_class: ResourceClass::Public,
            ..transfer("good", "report/1")
        };
        let record = counters.admit(&profile, &calm, START + 10);
        assert_eq!((record.decision, record.rs_final), (expected, Some(0)));
        let other = Request { tenant: "other", ..calm };
        assert_eq!(counters.admit(&profile, &other, START + 10).decision, Decision::Approved);
        assert_eq!(counters.admit(&profile, &calm, START + 300_001).decision, expected);
        let after = counters.admit(&profile, &calm, START + 300_002);
        assert_eq!(after.decision, Decision::Approved, "the period is over");
        let again = counters.admit(&profile, &calm, START + 300_003);
        assert_eq!(again.decision, expected, "the three still count, and start it again");
        assert_eq!(counters.admit(&profile, &calm, START + 1_000_000).decision, Decision::Approved);
    }
}
