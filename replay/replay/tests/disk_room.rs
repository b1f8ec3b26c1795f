//! A disk that fills up under load, and has room again: what is taken becomes less in two steps, nothing that was sent is
//! lost, and everything is taken again.

mod venue;

use rialto_journal::{Durability, MemDisk};
use rialto_model::command::{Cancel, Enter};
use rialto_model::*;
use rialto_sequencer::Standing;
use std::collections::BTreeMap;
use venue::{Venue, opening};

/// Polls within which a disk that refused is asked again, and a little more.
const POLLS: usize = 3_000;

/// A member that sends without a pause: orders that rest, and now and then a cancel of one that does.
struct Member {
    sent: u32,
    entered: u32,
}

impl Member {
    fn command(&self) -> Command {
        let inbound = MsgSeqNum(self.sent + 1);
        if self.sent % 4 == 3 {
            Cancel {
                session: SessionId(1),
                incarnation: Incarnation(1),
                inbound,
                target: Target::UserRef(UserRef(self.sent / 4 + 1)),
                ..Default::default()
            }
            .into()
        } else {
            Enter {
                session: SessionId(1),
                incarnation: Incarnation(1),
                inbound,
                user_ref: UserRef(self.entered + 1),
                instrument: InstrumentId(1),
                side: Side::Buy,
                kind: OrderKind::Limit,
                price: Price(100 + i64::from(self.sent % 7)),
                quantity: Quantity(10),
                ..Default::default()
            }
            .into()
        }
    }

    /// As much as the ring takes.
    fn press(&mut self, venue: &mut Venue<MemDisk>) {
        loop {
            let command = self.command();
            if !venue.offer(command) {
                return;
            }
            self.sent += 1;
            self.entered += u32::from(matches!(command, Command::Enter(_)));
        }
    }
}

/// Goes on under load until something holds.
fn until(venue: &mut Venue<MemDisk>, member: &mut Member, what: &str, holds: impl Fn(&Venue<MemDisk>) -> bool) {
    for _ in 0..POLLS {
        if holds(venue) {
            return;
        }
        member.press(venue);
        venue.poll();
        assert_eq!(venue.failure(), None);
    }
    panic!("{what} did not come about");
}

fn count(outputs: &[Output]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for output in outputs {
        let what = match &output.event.body {
            Event::Rejected(e) if e.reason == RejectReason::CancelOnly => "refused",
            Event::CancelOnlyChanged(e) if e.on => "begins",
            Event::CancelOnlyChanged(_) => "ends",
            other => other.name(),
        };
        *counts.entry(what).or_default() += 1;
    }
    counts
}

#[test]
fn a_disk_that_fills_up_under_load_takes_cancels_then_nothing_and_comes_back() {
    for durability in [Durability::Memory, Durability::Disk] {
        let disk = MemDisk::new();
        let mut venue = Venue::open(&disk, durability).unwrap();
        venue.play(&opening()).unwrap();
        let mut member = Member { sent: 0, entered: 0 };
        until(&mut venue, &mut member, "a thousand orders", |venue| {
            venue.last_seq().0 > 1_000
        });
        assert_eq!(venue.standing(), Standing::Open);
        disk.set_room(Some(disk.used()));

        until(&mut venue, &mut member, "cancels only", |venue| {
            venue.standing() == Standing::CancelOnly
        });
        let low = venue.last_seq();
        until(&mut venue, &mut member, "no room at all", |venue| {
            venue.standing() == Standing::Closed
        });
        let spent = venue.last_seq();
        until(&mut venue, &mut member, "records that wait", |venue| {
            venue.waiting() > 0
        });
        let full = venue.last_seq();
        // Low water leaves a segment of the reserve and more; behind the point where sessions are closed there is still some.
        assert!(spent.0 - low.0 >= 30, "{low} to {spent}");
        assert!(full > spent);
        let told = venue.released();
        for _ in 0..POLLS {
            member.press(&mut venue);
            venue.poll();
        }
        assert_eq!(venue.last_seq(), full, "what waits, waits");
        assert_eq!(venue.failure(), None);
        let counts = count(&venue.released());
        assert_eq!((counts["begins"], counts.get("ends")), (1, None));
        assert!(counts["refused"] > 0 && counts["Cancelled"] > 0, "{counts:?}");

        disk.set_room(None);
        until(&mut venue, &mut member, "the way back", |venue| {
            venue.standing() == Standing::Open && venue.last_seq() > full
        });
        let back = venue.last_seq();
        until(&mut venue, &mut member, "orders behind it", |venue| {
            venue.last_seq().0 > back.0 + 200
        });
        while venue.poll() > 0 {}
        let outputs = venue.released();
        assert_eq!(outputs[..told.len()], told, "nothing that was told has changed");
        let counts = count(&outputs);
        assert_eq!((counts["begins"], counts["ends"]), (1, 1), "one way there and one back");
        let answered = outputs.iter().filter_map(|output| match &output.event.body {
            Event::Accepted(e) => Some(e.user_ref.0),
            Event::Rejected(e) => Some(e.user_ref.0),
            _ => None,
        });
        let answered: Vec<u32> = answered.collect();
        let expected: Vec<u32> = (1..=member.entered).collect();
        assert_eq!(answered, expected, "every order has one answer, in order");
        let last = venue.last_seq();
        let live = venue.close().unwrap();
        let again = Venue::open(&disk, durability).unwrap();
        assert_eq!((again.last_seq(), again.released()), (last, live.outputs));
        println!("{durability:?}: low water at {low}, closed at {spent}, full at {full}, back by {back}: {counts:?}");
    }
}

#[test]
fn a_start_in_the_middle_goes_on_taking_cancels_alone() {
    let disk = MemDisk::new();
    let mut venue = Venue::open(&disk, Durability::Disk).unwrap();
    venue.play(&opening()).unwrap();
    let mut member = Member { sent: 0, entered: 0 };
    until(&mut venue, &mut member, "a whole reserve", |venue| {
        venue.last_seq().0 > 1_000
    });
    disk.set_room(Some(disk.used()));
    until(&mut venue, &mut member, "cancels only", |venue| {
        venue.standing() == Standing::CancelOnly
    });
    while venue.poll() > 0 {}
    drop(venue);
    disk.crash();
    // A start needs one segment; then the disk is full again.
    disk.set_room(Some(disk.used() + 4_096));
    let mut venue = Venue::open(&disk, Durability::Disk).unwrap();
    assert_eq!(venue.standing(), Standing::CancelOnly);
    let before = venue.released().len();
    while venue.poll() > 0 {}
    assert!(venue.offer(member.command()));
    while venue.poll() > 0 {}
    let outputs = venue.released();
    assert!(
        matches!(&outputs[before..], [only] if matches!(&only.event.body, Event::Rejected(e) if e.reason == RejectReason::CancelOnly)),
        "{:?}",
        &outputs[before..]
    );
}
