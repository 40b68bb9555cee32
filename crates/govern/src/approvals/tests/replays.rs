//! Records make the request again.

use super::*;

/// A history with everything in it, up to the taking.
fn history() -> (World, Vec<Record>, Request) {
    let mut world = World::new();
    let mut records = vec![Request::handle_open(ask(2, &["owner"]), OPENED).unwrap()];
    let mut request = Request::opened(&records[0]).unwrap();
    for name in ["ann", "pia", "sue"] {
        let record = request
            .handle_show(&id(name), &request.ask().shown, &world.people(), LOOKED + records.len() as i64)
            .unwrap();
        request.apply(&record).unwrap();
        records.push(record);
        let record = approve(&mut request, &mut world, name, LOOKED + records.len() as i64);
        // Records come in the order of their times.
        match record {
            Ok(record) => records.push(record),
            Err(refusal) => panic!("{refusal}"),
        }
        if name != "sue" {
            world.stamps.apply(records.last().unwrap());
        }
        request = replay(&records).unwrap();
    }
    let record = take(&request, &world, LOOKED + 100).unwrap();
    request.apply(&record).unwrap();
    records.push(record);
    (world, records, request)
}

#[test]
fn the_same_records_give_the_same_request() {
    let (_, records, request) = history();
    let json = serde_json::to_string(&records).unwrap();
    let read: Vec<Record> = serde_json::from_str(&json).unwrap();
    assert_eq!((serde_json::to_string(&read).unwrap(), &read), (json, &records));
    assert_eq!(replay(&read).unwrap(), request);
    let json = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<Request>(&json).unwrap(), request);
    // Each is the bytes that RFC 8785 makes of it, once and again.
    let bytes =
        |records: &[Record]| records.iter().map(|it| serde_json_canonicalizer::to_vec(it).unwrap()).collect::<Vec<_>>();
    assert_eq!(bytes(&read), bytes(&records));
}

#[test]
fn records_follow_from_each_other() {
    let (_, records, _) = history();
    assert_eq!(replay(&[]), Err(Refusal::RecordOrder));
    for cut in 1..records.len() {
        assert!(replay(&records[..cut]).is_ok());
        // One is missing, one comes twice, one was changed.
        let mut missing = records.clone();
        missing.remove(cut - 1);
        assert_eq!(replay(&missing), Err(Refusal::RecordOrder), "{cut}");
        let mut twice = records.clone();
        twice.insert(cut, records[cut - 1].clone());
        assert_eq!(replay(&twice), Err(Refusal::RecordOrder), "{cut}");
        let changes: [fn(&mut Record); 5] = [
            |it| it.request = RequestId::from("r-2"),
            |it| it.number += 1,
            |it| it.at -= 1_000_000,
            |it| it.at += LIFETIME_MS,
            |it| it.what = Happened::Expired,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = records.clone();
            change(&mut changed[cut]);
            assert_eq!(replay(&changed), Err(Refusal::RecordOrder), "{cut} {number}");
        }
    }
    let mut wrong = records[0].clone();
    wrong.number = 1;
    assert_eq!(Request::opened(&wrong), Err(Refusal::RecordOrder));
    let mut wrong = records[0].clone();
    let Happened::Opened(ask) = &mut wrong.what else { panic!("opened") };
    ask.need.people = 0;
    assert_eq!(Request::opened(&wrong), Err(Refusal::RecordOrder));
}

#[test]
fn no_record_tells_what_could_not_have_been() {
    let mut world = World::new();
    let mut open = open(ask(2, &[]));
    let vote = |name: &str, decoy: bool, what: What| {
        let signed = signed(&super::open(ask(2, &[])), name, what, LOOKED);
        let (roles, marks) = (BTreeSet::new(), BTreeSet::new());
        Happened::Approved(Box::new(Vote { signed, counter: 0, roles, dwell_ms: 0, hurried: false, decoy, marks }))
    };
    let stop = |name: &str, what: What| {
        Box::new(Stop { signed: signed(&super::open(ask(2, &[])), name, what, LOOKED), counter: 0, decoy: false })
    };
    approve(&mut open, &mut world, "ann", LOOKED).unwrap();
    approve(&mut open, &mut world, "bob", LOOKED).unwrap();
    let plan = Digest::of_bytes(b"plan");
    let other = Digest::of_bytes(b"other");
    let taken = |plan: Digest, people: u8, names: &[&str]| {
        Happened::Taken(Taken { plan, need: need(people, &[]), people: set(names) })
    };
    let by = || Actor::Person { person: id("ann") };
    for (number, (what, good)) in [
        (Happened::Opened(Box::new(ask(2, &[]))), false),
        (Happened::Shown { person: id("zoe"), shown: Digest::of_bytes(b"shown") }, true),
        (Happened::Shown { person: id("zoe"), shown: other }, false),
        (Happened::Shown { person: id("ann"), shown: Digest::of_bytes(b"shown") }, false),
        (vote("cyd", false, What::Approve), true),
        (vote("cyd", true, What::Approve), false),
        (vote("cyd", false, What::Deny), false),
        (vote("ann", false, What::Approve), false),
        (vote("ray", false, What::Approve), false),
        (vote("gus", false, What::Approve), false),
        (Happened::Denied(stop("cyd", What::Deny)), true),
        (Happened::Denied(stop("cyd", What::Revoke)), false),
        (Happened::Revoked(stop("cyd", What::Revoke)), true),
        (Happened::Revoked(stop("cyd", What::Deny)), false),
        (Happened::Edited { by: by(), plan: other }, true),
        (Happened::Edited { by: by(), plan }, false),
        (Happened::Expired, false),
        (taken(plan, 2, &["ann", "bob"]), true),
        (taken(other, 2, &["ann", "bob"]), false),
        (taken(plan, 2, &["ann"]), false),
        (taken(plan, 3, &["ann", "bob"]), false),
        (taken(plan, 1, &["ann", "bob"]), false),
        (taken(plan, 2, &["ann", "cyd"]), false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut request = open.clone();
        let record = request.record(LOOKED, what);
        assert_eq!(request.apply(&record).is_ok(), good, "{number}");
        assert_eq!(request == open, !good, "{number}: a record that does not fit changes nothing");
        if !matches!(record.what, Happened::Taken(_)) {
            assert_eq!(open.clone().take(&record), Err(Refusal::RecordOrder), "{number}");
        }
    }
    // Its end is recorded when it has come, nothing else is then.
    let record = |at: i64, what: Happened| open.record(at, what);
    let end = open.expires();
    for (at, what, good) in [
        (end - 1, Happened::Expired, false),
        (end, Happened::Expired, true),
        (end - 1, taken(plan, 2, &["ann", "bob"]), true),
        (end, taken(plan, 2, &["ann", "bob"]), false),
    ] {
        assert_eq!(open.clone().apply(&record(at, what)).is_ok(), good, "{at}");
    }
}

#[test]
fn nothing_follows_on_the_end() {
    let (_, _, taken) = history();
    let by = Actor::Person { person: id("ann") };
    for what in [
        Happened::Shown { person: id("zoe"), shown: Digest::of_bytes(b"shown") },
        Happened::Edited { by, plan: Digest::of_bytes(b"other") },
    ] {
        let mut request = taken.clone();
        // Its number and time are right, and it would fit a request that is open.
        let record = request.record(LOOKED + 200, what);
        assert_eq!((request.apply(&record), &request), (Err(Refusal::RecordOrder), &taken));
    }
}
