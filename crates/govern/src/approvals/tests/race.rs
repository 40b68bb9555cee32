//! Every order of threads that can be tried: nothing is done after it was revoked, nothing is done twice, nothing is done with too few.

use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::{
    sync::{Arc, Mutex},
    thread,
};

use super::*;

/// A mutex of the model checker.
struct Tried<T>(Mutex<T>);

impl<T> Exclusive<T> for Tried<T> {
    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.lock().ok().map(|mut held| work(&mut held))
    }
}

/// Stops that write into a log when the first one begins.
struct Logged {
    stops: Mutex<u32>,
    log: Arc<Mutex<Vec<&'static str>>>,
}

impl Exclusive<u32> for Logged {
    fn with<R>(&self, work: impl FnOnce(&mut u32) -> R) -> Option<R> {
        let mut stops = self.stops.lock().ok()?;
        let before = *stops;
        let done = work(&mut stops);
        if before == 0 && *stops == 1 {
            self.log.lock().unwrap().push("stopping");
        }
        Some(done)
    }
}

type Outcome<T> = Result<T, DeskError<String>>;

/// What all threads share.
struct Table {
    desk: Desk<Tried<Request>, Logged>,
    ledger: Mutex<Vec<Record>>,
    log: Arc<Mutex<Vec<&'static str>>>,
    world: World,
    people: People,
    approve: Signed,
    revoke: Signed,
}

impl Table {
    /// Two must agree; Ann has.
    fn new() -> Self {
        let mut world = World::new();
        let mut ledger = vec![Request::handle_open(ask(2, &[]), OPENED).unwrap()];
        let mut request = Request::opened(&ledger[0]).unwrap();
        for name in ["ann", "bob"] {
            let record = request.handle_show(&id(name), &Digest::of_bytes(b"shown"), &world.people(), OPENED).unwrap();
            request.apply(&record).unwrap();
            ledger.push(record);
        }
        ledger.push(approve(&mut request, &mut world, "ann", LOOKED).unwrap());
        let sign = |name: &str, what: What| signed(&request, name, what, LOOKED);
        let (approve, revoke) = (sign("bob", What::Approve), sign("cyd", What::Revoke));
        let log = Arc::new(Mutex::new(Vec::new()));
        let stops = Logged { stops: Mutex::new(0), log: log.clone() };
        Self {
            desk: Desk::new(Tried(Mutex::new(request)), stops),
            ledger: Mutex::new(ledger),
            log,
            people: world.people(),
            world,
            approve,
            revoke,
        }
    }

    fn write(&self, record: &Record) -> Result<(), String> {
        if matches!(record.what, Happened::Taken(_)) {
            self.log.lock().unwrap().push("taken");
        }
        self.ledger.lock().unwrap().push(record.clone());
        Ok(())
    }

    fn moment(&self, now: i64) -> Moment<'_> {
        Moment { people: &self.people, stamps: &self.world.stamps, rules: &self.world.rules, now }
    }

    fn approve(&self) -> Outcome<Record> {
        self.desk.approve(&self.approve, i64::MAX, &self.moment(LOOKED), |record| self.write(record))
    }

    fn revoke(&self) -> Outcome<Record> {
        self.desk.revoke(&self.revoke, &self.moment(LOOKED), |record| self.write(record))
    }

    fn expire(&self) -> Outcome<Record> {
        self.desk.expire(OPENED + LIFETIME_MS, |record| self.write(record))
    }

    fn take(&self) -> Outcome<Ticket> {
        let plan = Digest::of_bytes(b"plan");
        let done = self.desk.take(&plan, &need(2, &[]), &self.moment(LOOKED), |record| self.write(record));
        done.map(|(_, ticket)| ticket)
    }

    /// What must be true however it went.
    fn check(&self, revoked: &Outcome<Record>, expired: &Outcome<Record>, takes: &[Outcome<Ticket>], seen: &Seen) {
        let tickets: Vec<&Ticket> = takes.iter().filter_map(|taken| taken.as_ref().ok()).collect();
        assert!(tickets.len() <= 1, "done twice");
        assert!(tickets.is_empty() || revoked.is_err() && expired.is_err(), "done and revoked, or expired");
        assert!(tickets.iter().all(|ticket| ticket.taken().people.len() >= 2), "done by too few");
        assert!(revoked.is_err() || expired.is_err(), "ended twice");
        let log = self.log.lock().unwrap();
        let stopping = log.iter().position(|what| *what == "stopping");
        let taken = log.iter().position(|what| *what == "taken");
        assert!(stopping.is_none() || taken.is_none_or(|taken| Some(taken) < stopping), "done after a stop began");
        assert_eq!(taken.is_some(), tickets.len() == 1, "recorded and not done, or done and not recorded");
        assert_eq!(replay(&self.ledger.lock().unwrap()).unwrap(), self.desk.request().unwrap());
        seen.count(!tickets.is_empty(), revoked.is_ok(), takes);
    }
}

/// How often each outcome was seen: a model in which nothing ever happens proves nothing.
#[derive(Default)]
struct Seen {
    taken: AtomicUsize,
    revoked: AtomicUsize,
    waited: AtomicUsize,
}

impl Seen {
    fn count(&self, taken: bool, revoked: bool, takes: &[Outcome<Ticket>]) {
        let waits = takes.contains(&Err(DeskError::Refused(Refusal::StopWaits)));
        for (counter, is) in [(&self.taken, taken), (&self.revoked, revoked), (&self.waited, waits)] {
            counter.fetch_add(usize::from(is), Ordering::Relaxed);
        }
    }

    fn check(&self) {
        let seen = [&self.taken, &self.revoked, &self.waited].map(|counter| counter.load(Ordering::Relaxed));
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }
}

/// Approval, revocation, expiry and two that take, at once.
fn all_at_once(seen: &Seen) {
    let table = Arc::new(Table::new());
    let start = |work: fn(&Table) -> Outcome<Ticket>| {
        let table = table.clone();
        thread::spawn(move || work(&table))
    };
    let takes = [start(Table::take), start(Table::take)];
    let others = [Table::approve, Table::revoke, Table::expire].map(|work| {
        let table = table.clone();
        thread::spawn(move || work(&table))
    });
    let takes = takes.map(|thread| thread.join().unwrap());
    let [_, revoked, expired] = others.map(|thread| thread.join().unwrap());
    table.check(&revoked, &expired, &takes, seen);
}

#[test]
fn random_orders() {
    let seen = Arc::new(Seen::default());
    let counts = seen.clone();
    shuttle::check_random(move || all_at_once(&counts), 2_000);
    seen.check();
}

#[test]
fn orders_with_few_switches() {
    let seen = Arc::new(Seen::default());
    let counts = seen.clone();
    shuttle::check_pct(move || all_at_once(&counts), 2_000, 4);
    seen.check();
}

/// Every order there is of a revocation and one who takes, when enough have approved.
#[test]
fn all_orders_of_two() {
    let seen = Arc::new(Seen::default());
    let counts = seen.clone();
    let orders = Arc::new(AtomicUsize::new(0));
    let tried = orders.clone();
    shuttle::check_dfs(
        move || {
            tried.fetch_add(1, Ordering::Relaxed);
            let table = Arc::new(Table::new());
            table.approve().unwrap();
            let (one, two) = (table.clone(), table.clone());
            let revoke = thread::spawn(move || one.revoke());
            let take = thread::spawn(move || two.take());
            let (revoked, taken) = (revoke.join().unwrap(), take.join().unwrap());
            let never = Err(DeskError::Refused(Refusal::NotExpired));
            // One of them, and never neither.
            assert!(revoked.is_ok() != taken.is_ok());
            table.check(&revoked, &never, &[taken], &counts);
        },
        Some(20_000),
    );
    seen.check();
    let orders = orders.load(Ordering::Relaxed);
    assert!(orders < 20_000, "not all were tried");
}
