//! What the venue takes, by the room that its journal has.
//!
//! | the journal's room | what is taken |
//! |---|---|
//! | whole | everything |
//! | low: the disk refuses a segment of the reserve | cancels and reductions: the stream says so by [`CancelOnly`] |
//! | spent: no reserve, and little left of the segment being written | nobody: doors are asked to say goodbye, whose session losses take the last part |
//!
//! The way back begins only where the reserve is whole again, so that a disk at its limit does not make the venue change its
//! mind with every segment. What finds no room at all waits in the sequencer: nothing is lost.

use rialto_journal::Room;
use rialto_journal::format::SegmentId;
use rialto_model::command::CancelOnly;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What the venue takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Standing {
    /// Everything.
    #[default]
    Open = 0,
    /// Cancels and reductions alone.
    CancelOnly = 1,
    /// Nothing: sessions are to be closed until there is room.
    Closed = 2,
}

/// Where it can be asked for. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct StandingHandle(Arc<AtomicU8>);

impl StandingHandle {
    /// What the venue takes now.
    #[must_use]
    pub fn read(&self) -> Standing {
        match self.0.load(Ordering::Acquire) {
            0 => Standing::Open,
            1 => Standing::CancelOnly,
            _ => Standing::Closed,
        }
    }

    fn set(&self, standing: Standing) {
        self.0.store(standing as u8, Ordering::Release);
    }
}

/// Watches the room between batches.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The segment at the last look: a rotation takes from the reserve.
    segment: Option<SegmentId>,
    /// The reserve was not whole at the last look.
    looking: bool,
    /// What the stream says.
    cancel_only: bool,
    shown: StandingHandle,
}

impl Watch {
    /// Of a stream that says so far whether cancels are taken alone.
    pub(crate) fn new(cancel_only: bool) -> Self {
        let shown = StandingHandle::default();
        if cancel_only {
            shown.set(Standing::CancelOnly);
        }
        Self {
            segment: None,
            looking: true,
            cancel_only,
            shown,
        }
    }

    pub(crate) fn handle(&self) -> StandingHandle {
        self.shown.clone()
    }

    /// Whether a look is worth its while: one comparison where nothing has changed.
    #[inline]
    pub(crate) fn is_due(&mut self, segment: SegmentId) -> bool {
        if self.segment != Some(segment) {
            self.segment = Some(segment);
            self.looking = true;
        }
        self.looking
    }

    /// What has to be sequenced for this room, if anything.
    #[cold]
    pub(crate) fn look(&mut self, room: Room) -> Option<CancelOnly> {
        let before = self.shown.read();
        let now = match room {
            Room::Whole => Standing::Open,
            Room::Making => before,
            Room::Low => before.max_of(Standing::CancelOnly),
            Room::Spent => Standing::Closed,
        };
        self.shown.set(now);
        self.looking = room != Room::Whole || self.cancel_only;
        let on = now != Standing::Open;
        (on != self.cancel_only).then_some(CancelOnly { on })
    }

    /// The stream says so now.
    pub(crate) const fn sequenced(&mut self, command: CancelOnly) {
        self.cancel_only = command.on;
    }
}

impl Standing {
    fn max_of(self, other: Self) -> Self {
        if self as u8 >= other as u8 { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_at_low_water_and_ends_with_a_whole_reserve() {
        let mut watch = Watch::new(false);
        let handle = watch.handle();
        let segment = SegmentId(1);
        for (room, command, standing) in [
            (Room::Making, None, Standing::Open),
            (Room::Whole, None, Standing::Open),
            (Room::Making, None, Standing::Open),
            (Room::Low, Some(true), Standing::CancelOnly),
            (Room::Making, None, Standing::CancelOnly),
            (Room::Low, None, Standing::CancelOnly),
            (Room::Spent, None, Standing::Closed),
            (Room::Low, None, Standing::Closed),
            (Room::Making, None, Standing::Closed),
            (Room::Whole, Some(false), Standing::Open),
            (Room::Whole, None, Standing::Open),
        ] {
            let wanted = watch.look(room);
            assert_eq!(wanted.map(|command| command.on), command, "{room:?}");
            if let Some(command) = wanted {
                // Until it is in the stream it is asked for at every look.
                assert!(watch.is_due(segment));
                assert_eq!(watch.look(room), wanted);
                watch.sequenced(command);
            }
            assert_eq!(handle.read(), standing, "{room:?}");
        }
        watch.look(Room::Whole);
        assert!(
            !watch.is_due(segment),
            "nothing is looked at while the reserve is whole"
        );
        assert!(watch.is_due(SegmentId(2)), "but behind a rotation");
    }

    #[test]
    fn a_stream_that_ended_so_goes_on_so() {
        let mut watch = Watch::new(true);
        assert_eq!(watch.handle().read(), Standing::CancelOnly);
        assert_eq!(watch.look(Room::Making), None);
        assert_eq!(watch.look(Room::Whole), Some(CancelOnly { on: false }));
    }
}
