//! What is due at a time of the stream: orders that stand until a date.
//!
//! Timers fire before the command whose stamp has reached them, in order of (deadline, instrument, order id), so that
//! they depend on nothing but the stream (DESIGN 4).

use crate::engine::Engine;
use rialto_model::{CancelReason, Command, EventSink, InstrumentId, OrderId, Sequenced, Timestamp};

impl Engine {
    /// Fires every timer due at or before the stamp of the command that is about to be applied.
    fn fire_timers(&mut self, sink: &mut impl EventSink) {
        while let Some((deadline, _, order_id)) = self.timers.first().copied() {
            if deadline > self.last_stamp {
                break;
            }
            // Its own timer goes with the order.
            let handle = self.order_ids.get(order_id.0);
            self.end(handle, CancelReason::Expired, sink);
        }
        self.watch();
    }

    /// A command at whose stamp something is due, or while an auction runs.
    #[cold]
    #[inline(never)]
    pub(crate) fn apply_watched(&mut self, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        self.fire_timers(sink);
        self.dispatch(command, sink);
        if self.auctions == 0 {
            return;
        }
        for at in 0..self.books.len() {
            if self.books[at].phase().is_indicative() {
                self.publish(at, sink);
            }
        }
    }

    pub(crate) fn set_timer(&mut self, deadline: Timestamp, instrument: InstrumentId, order_id: OrderId) {
        if deadline.0 != 0 {
            self.timers.insert((deadline, instrument, order_id));
            self.watch();
        }
    }

    pub(crate) fn unset_timer(&mut self, deadline: Timestamp, instrument: InstrumentId, order_id: OrderId) {
        if deadline.0 != 0 {
            self.timers.remove(&(deadline, instrument, order_id));
            self.watch();
        }
    }

    /// From which stamp on commands are watched: from the first deadline; always, while an auction runs.
    pub(crate) fn watch(&mut self) {
        let deadline = self.timers.first().map_or(Timestamp(u64::MAX), |timer| timer.0);
        self.watched_from = if self.auctions > 0 { Timestamp(0) } else { deadline };
    }
}
