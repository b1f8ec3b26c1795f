//! What is due at a time of the stream: orders that stand until a date.
//!
//! Timers fire before the command whose stamp has reached them, in order of (deadline, instrument, order id), so that
//! they depend on nothing but the stream (DESIGN 4).

use crate::engine::Engine;
use rialto_model::{CancelReason, EventSink, InstrumentId, OrderId, Timestamp};

impl Engine {
    /// Fires every timer due at or before the stamp of the command that is about to be applied.
    #[cold]
    pub(crate) fn fire_timers(&mut self, sink: &mut impl EventSink) {
        while let Some((deadline, _, order_id)) = self.timers.first().copied() {
            if deadline > self.last_stamp {
                break;
            }
            // Its own timer goes with the order.
            let handle = self.order_ids.get(order_id.0);
            self.end(handle, CancelReason::Expired, sink);
        }
        self.set_next_timer();
    }

    pub(crate) fn set_timer(&mut self, deadline: Timestamp, instrument: InstrumentId, order_id: OrderId) {
        if deadline.0 != 0 {
            self.timers.insert((deadline, instrument, order_id));
            self.set_next_timer();
        }
    }

    pub(crate) fn unset_timer(&mut self, deadline: Timestamp, instrument: InstrumentId, order_id: OrderId) {
        if deadline.0 != 0 {
            self.timers.remove(&(deadline, instrument, order_id));
            self.set_next_timer();
        }
    }

    fn set_next_timer(&mut self) {
        self.next_timer = self.timers.first().map_or(Timestamp(u64::MAX), |timer| timer.0);
    }
}
