//! A request that several hold at once.

use std::{cell::Cell, sync::Mutex};

use super::*;

type StdDesk = Desk<Mutex<Request>, Mutex<u32>>;

fn desk(request: Request) -> StdDesk {
    Desk::new(Mutex::new(request), Mutex::new(0))
}

fn write(_: &Record) -> Result<(), String> {
    Ok(())
}

fn full(_: &Record) -> Result<(), String> {
    Err("the disk is full".into())
}

/// Takes, and says how often it was written.
fn take_at(desk: &StdDesk, world: &World) -> (Result<Ticket, DeskError<String>>, u32) {
    let written = Cell::new(0);
    let plan = Digest::of_bytes(b"plan");
    let taken = world.at(LOOKED, |moment| {
        desk.take(&plan, &need(1, &[]), moment, |_| {
            written.set(written.get() + 1);
            Ok(())
        })
    });
    (taken.map(|(_, ticket)| ticket), written.get())
}

#[test]
fn everything_goes_over_the_desk_and_is_written_first() {
    let (world, people) = (World::new(), World::new().people());
    let desk = desk(Request::opened(&Request::handle_open(ask(1, &[]), OPENED).unwrap()).unwrap());
    let shown = Digest::of_bytes(b"shown");
    let before = desk.request().unwrap();
    // What cannot be written has not happened.
    assert_eq!(
        desk.show(&id("ann"), &shown, &people, OPENED, full),
        Err(DeskError::NotWritten("the disk is full".into()))
    );
    assert_eq!(desk.request().unwrap(), before);
    let record = desk.show(&id("ann"), &shown, &people, OPENED, write).unwrap();
    assert!(matches!(record.what, Happened::Shown { .. }));
    let ann = signed(&before, "ann", What::Approve, LOOKED);
    let approve = |write: fn(&Record) -> Result<(), String>| {
        world.at(LOOKED, |moment| desk.approve(&ann, i64::MAX, moment, write))
    };
    assert!(approve(full).is_err());
    assert!(matches!(approve(write).unwrap().what, Happened::Approved(_)));
    assert_eq!(approve(write), Err(DeskError::Refused(Refusal::AlreadyApproved)));
    assert_eq!(desk.expire(LOOKED, write), Err(DeskError::Refused(Refusal::NotExpired)));
    let plan = Digest::of_bytes(b"plan");
    let not_written = world.at(LOOKED, |moment| desk.take(&plan, &need(1, &[]), moment, full));
    assert_eq!(not_written, Err(DeskError::NotWritten("the disk is full".into())));
    let (ticket, written) = take_at(&desk, &world);
    assert_eq!((ticket.unwrap().taken().people.clone(), written), (set(&["ann"]), 1));
    assert_eq!(take_at(&desk, &world), (Err(DeskError::Refused(Refusal::AlreadyTaken)), 0));
    assert_eq!(desk.request().unwrap().phase(), Phase::Taken);
}

#[test]
fn each_stop_ends_the_request() {
    for (number, phase) in [Phase::Denied, Phase::Revoked, Phase::Edited, Phase::Expired].into_iter().enumerate() {
        let (mut world, mut request) = (World::new(), open(ask(1, &[])));
        approve(&mut request, &mut world, "ann", LOOKED).unwrap();
        let desk = desk(request.clone());
        let (deny, revoke) =
            (signed(&request, "bob", What::Deny, LOOKED), signed(&request, "bob", What::Revoke, LOOKED));
        let by = Actor::Person { person: id("bob") };
        world
            .at(LOOKED, |moment| match number {
                0 => desk.deny(&deny, moment, write),
                1 => desk.revoke(&revoke, moment, write),
                2 => desk.edit(&by, &Digest::of_bytes(b"edited"), LOOKED, write),
                _ => desk.expire(OPENED + LIFETIME_MS, write),
            })
            .unwrap();
        assert_eq!(desk.request().unwrap().phase(), phase);
        assert!(take_at(&desk, &world).0.is_err());
    }
}

#[test]
fn a_stop_that_could_not_be_written_still_stops() {
    let (mut world, mut request) = (World::new(), open(ask(1, &[])));
    approve(&mut request, &mut world, "ann", LOOKED).unwrap();
    let desk = desk(request.clone());
    // One that is refused does not, however often it comes.
    let wrong = Signed {
        statement: statement(&request, "bob", What::Revoke, LOOKED),
        ..signed(&request, "tom", What::Revoke, LOOKED)
    };
    for _ in 0..3 {
        assert!(world.at(LOOKED, |moment| desk.revoke(&wrong, moment, write)).is_err());
    }
    assert!(take_at(&desks::desk(request.clone()), &world).0.is_ok());
    assert_eq!(desk.request().unwrap(), request);
    let revoke = signed(&request, "bob", What::Revoke, LOOKED);
    assert!(world.at(LOOKED, |moment| desk.revoke(&revoke, moment, full)).is_err());
    assert_eq!(
        (desk.request().unwrap(), take_at(&desk, &world)),
        (request, (Err(DeskError::Refused(Refusal::StopWaits)), 0))
    );
    assert!(world.at(LOOKED, |moment| desk.revoke(&revoke, moment, write)).is_ok());
    assert_eq!(take_at(&desk, &world), (Err(DeskError::Refused(Refusal::Revoked)), 0));
}

/// Nobody can have it.
struct Never;

impl<T> Exclusive<T> for Never {
    fn with<R>(&self, _: impl FnOnce(&mut T) -> R) -> Option<R> {
        None
    }
}

#[test]
fn what_was_left_in_the_middle_is_not_used() {
    let (mut world, mut request) = (World::new(), open(ask(1, &[])));
    approve(&mut request, &mut world, "ann", LOOKED).unwrap();
    let revoke = signed(&request, "bob", What::Revoke, LOOKED);
    let plan = Digest::of_bytes(b"plan");
    let never: Desk<Never, Never> = Desk::new(Never, Never);
    assert_eq!(never.request(), None);
    assert_eq!(never.expire(LOOKED, write), Err(DeskError::Broken));
    let stops: Desk<Mutex<Request>, Never> = Desk::new(Mutex::new(request.clone()), Never);
    assert_eq!(world.at(LOOKED, |moment| stops.revoke(&revoke, moment, write)), Err(DeskError::Broken));
    assert_eq!(
        world.at(LOOKED, |moment| stops.take(&plan, &need(1, &[]), moment, write)).err(),
        Some(DeskError::Broken)
    );
    // A thread that breaks off while it writes.
    let desk = desk(request);
    std::thread::scope(|scope| {
        let broken =
            scope.spawn(|| desk.expire(OPENED + LIFETIME_MS, |_| -> Result<(), String> { panic!("broken off") }));
        assert!(broken.join().is_err());
    });
    assert_eq!(take_at(&desk, &world), (Err(DeskError::Broken), 0));
}

#[test]
fn errors_of_the_desk_have_codes() {
    for (error, code, text) in [
        (DeskError::Refused(Refusal::Quorum), "approvals.quorum", Refusal::Quorum.to_string()),
        (
            DeskError::NotWritten("full".to_owned()),
            "approvals.not_written",
            "the ledger could not be written: full".into(),
        ),
        (DeskError::Broken, "approvals.broken", "the request was left in the middle of a change".into()),
    ] {
        assert_eq!((error.code(), error.to_string()), (code, text));
    }
}
