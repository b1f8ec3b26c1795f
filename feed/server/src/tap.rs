//! A copy of the feed's messages for who tells them further, by a ring that nobody waits for.
//!
//! The publisher's memory is the buffer: what finds no room in the ring is copied later. Only what has gone from memory by
//! then, or whose day is over, is lost to the tap, and it says so.

use rialto_itch::mold::{SequenceNumber, Session};
use rialto_model::{Event, Output};
use rialto_publisher::{Publisher, Tick};
use rialto_ring::spsc::Producer;
use std::time::Duration;

/// How often and how long a recovery waits for room in the ring before it leaves the tap behind.
const WAIT: Duration = Duration::from_micros(200);
const WAITS_MAX: usize = 50_000;
/// Messages copied at once.
const BATCH: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Tap {
    ring: Producer<Tick>,
    session: Option<Session>,
    next: SequenceNumber,
    /// Said of the session that it is over.
    ended: bool,
    /// Messages of a session before that could not be copied, and not said yet.
    left_behind: u64,
}

impl Tap {
    pub(crate) const fn new(ring: Producer<Tick>) -> Self {
        Self {
            ring,
            session: None,
            next: SequenceNumber::FIRST,
            ended: false,
            left_behind: 0,
        }
    }

    /// Whether an output is one of those to [`follow`](Self::follow).
    #[inline]
    pub(crate) const fn minds(output: &Output) -> bool {
        matches!(output.event.body, Event::DayStarted(_))
    }

    /// Before the publisher follows an output: a new day clears its memory, so what is left of the old one is copied first.
    pub(crate) fn follow(&mut self, output: &Output, publisher: &Publisher) {
        if Self::minds(output) {
            while self.copy(publisher) > 0 {}
            // Nobody is waited for: what found no room is lost to the tap.
            self.left_behind += behind(publisher).saturating_sub(self.next.0);
        }
    }

    /// Copies as much as there is room for. Returns how many messages.
    pub(crate) fn copy(&mut self, publisher: &Publisher) -> usize {
        let Some(session) = publisher.session() else { return 0 };
        if self.session != Some(session) {
            if self.left_behind > 0 {
                if self.ring.push(Tick::gone(self.next.0, self.left_behind)).is_err() {
                    return 0;
                }
                self.left_behind = 0;
            }
            if self.ring.push(Tick::session(session)).is_err() {
                return 0;
            }
            (self.session, self.next, self.ended) = (Some(session), SequenceNumber::FIRST, false);
        }
        let before = self.next;
        let mut room = self.ring.slots().min(BATCH);
        let ring = &mut self.ring;
        self.next = publisher.copy(self.next, |tick| {
            let pushed = room > 0 && ring.push(tick).is_ok();
            room = room.saturating_sub(1);
            pushed
        });
        let over = !publisher.is_open() && self.next == publisher.next_sequence();
        if over && !self.ended && self.ring.push(Tick::ended(self.next.0)).is_ok() {
            self.ended = true;
        }
        self.next.since(before) as usize
    }

    /// Copies everything, waiting for room a bounded time.
    pub(crate) fn copy_waiting(&mut self, publisher: &Publisher) {
        for _ in 0..WAITS_MAX {
            self.copy(publisher);
            if self.ring.is_abandoned() || self.next.0 >= behind(publisher) {
                return;
            }
            if self.ring.is_full() {
                std::thread::sleep(WAIT);
            }
        }
    }
}

/// The number behind the last whole command.
fn behind(publisher: &Publisher) -> u64 {
    publisher.last_sequence_of_command().map_or(0, |last| last.0 + 1)
}
