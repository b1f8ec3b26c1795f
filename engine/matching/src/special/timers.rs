//! What is due at a time of the stream: orders that stand until a date, and what [`super::guard`] waits for, which has
//! order id zero.
//!
//! Timers fire before the command whose stamp has reached them, in order of (deadline, instrument, order id), so that
//! they depend on nothing but the stream (DESIGN 4).

use crate::engine::Engine;
use rialto_model::{CancelReason, Command, EventSink, InstrumentId, OrderId, Sequenced, Timestamp};

impl Engine {
    /// Fires every timer due at or before the stamp of the command that is about to be applied.
    pub(crate) fn fire_timers(&mut self, sink: &mut impl EventSink) {
        while let Some((deadline, instrument, order_id)) = self.timers.first().copied() {
            if deadline > self.last_stamp {
                break;
            }
            if order_id.0 == 0 {
                self.fire_guard(usize::from(instrument.0) - 1, deadline, sink);
                continue;
            }
            // Its own timer goes with the order.
            let handle = self.order_ids.get(order_id.0);
            self.end(handle, CancelReason::Expired, sink);
        }
        self.watch();
    }

    /// A command at whose stamp something is due. What that does to limit states and auctions is said behind the command.
    #[cold]
    #[inline(never)]
    pub(crate) fn apply_watched(&mut self, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        self.deferred = true;
        self.fire_timers(sink);
        self.conclude_all(sink);
        self.dispatch(command, sink);
        self.deferred = false;
        self.conclude_all(sink);
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

    /// From which stamp on commands are watched: from the first deadline.
    pub(crate) fn watch(&mut self) {
        self.watched_from = self.timers.first().map_or(Timestamp(u64::MAX), |timer| timer.0);
    }
}
