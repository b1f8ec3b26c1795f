//! The way into the sequencer: the command ring, and the few commands that must not be dropped when it is full.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rialto_model::Command;
use rialto_ring::spsc::{Producer, PushError};

use crate::counters::{Counters, add};
use crate::limits::COMMAND_ROOM;

/// Puts commands into the ring, in the order they are given.
///
/// Whoever takes in a message asks [`has_room`](Self::has_room) first and else leaves it where it is: a full ring is
/// back-pressure, never a reject. A connection can be lost at any time though; what has to be said then waits in `owed`
/// until there is room. So does what a message of quotes has
/// beyond the room. It is bounded by what one message and a session's coming and going make, for nothing is taken in while
/// anything is owed.
#[derive(Debug)]
pub(crate) struct Outlet {
    ring: Producer<Command>,
    owed: VecDeque<Command>,
    /// How many commands were given, around.
    pushed: u32,
    counters: Arc<Counters>,
}

impl Outlet {
    pub(crate) fn new(ring: Producer<Command>, counters: Arc<Counters>) -> Self {
        Self {
            ring,
            owed: VecDeque::new(),
            pushed: 0,
            counters,
        }
    }

    /// What its door counts.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Whether a message may be taken in: there is room for all that can come of it.
    pub(crate) fn has_room(&self) -> bool {
        // A ring smaller than that would never have room; one that is empty is as good as it gets.
        let wanted = COMMAND_ROOM.min(self.ring.buffer().capacity());
        self.owed.is_empty() && self.ring.slots() >= wanted
    }

    /// Sends a command, or keeps it as the next one to be sent.
    pub(crate) fn push(&mut self, command: impl Into<Command>) {
        let command = command.into();
        self.pushed = self.pushed.wrapping_add(1);
        if !self.owed.is_empty() {
            self.owed.push_back(command);
        } else if let Err(PushError::Full(command)) = self.ring.push(command) {
            self.owed.push_back(command);
        } else {
            add(&self.counters.commands, 1);
        }
    }

    /// Sends what is owed, as far as there is room; how many.
    pub(crate) fn flush(&mut self) -> usize {
        let mut sent = 0;
        while let Some(command) = self.owed.pop_front() {
            if let Err(PushError::Full(command)) = self.ring.push(command) {
                self.owed.push_front(command);
                break;
            }
            sent += 1;
        }
        add(&self.counters.commands, sent as u64);
        sent
    }

    /// How many commands were given so far; goes around.
    pub(crate) const fn pushed(&self) -> u32 {
        self.pushed
    }

    /// How many commands went into the ring so far.
    pub(crate) fn sent(&self) -> u64 {
        self.counters.commands.load(Ordering::Relaxed)
    }

    /// Whether nothing is owed.
    pub(crate) fn is_settled(&self) -> bool {
        self.owed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::SessionId;
    use rialto_model::command::{SessionLost, Tick};
    use rialto_ring::spsc::RingBuffer;

    #[test]
    fn what_is_owed_goes_first_and_nothing_is_taken_in_meanwhile() {
        let (producer, mut consumer) = RingBuffer::new(COMMAND_ROOM);
        let mut outlet = Outlet::new(producer, Arc::default());
        assert!(outlet.has_room());
        for _ in 0..COMMAND_ROOM {
            outlet.push(Tick {});
        }
        assert!(!outlet.has_room());
        let lost = |session| SessionLost {
            session: SessionId(session),
            ..SessionLost::default()
        };
        outlet.push(lost(1));
        outlet.push(lost(2));
        assert_eq!(outlet.flush(), 0);
        assert!(!outlet.is_settled());
        while consumer.pop().is_ok() {}
        assert!(!outlet.has_room(), "not while something is owed");
        outlet.push(lost(3));
        assert_eq!(outlet.flush(), 3);
        assert!(outlet.is_settled());
        for session in 1..=3 {
            assert_eq!(consumer.pop(), Ok(lost(session).into()));
        }
    }
}
