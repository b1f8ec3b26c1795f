//! A resting order as the fast engine keeps it: one cache line.

use rialto_model::event::Cancelled;
use rialto_model::{
    AccountId, CancelReason, FirmId, Incarnation, InstrumentId, MsgSeqNum, OrderId, Policy, PublicRef, Quantity,
    SessionId, ShortSale, Side, Text, TimeInForce, UserRef,
};

/// An order, resting or on its way in. Narrow fields hold what `limits.rs` allows: a quantity of 10^9 fits 32 bits;
/// firms and sessions end at 65,535. Its price is that of its level.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Order {
    pub(crate) order_id: OrderId,
    pub(crate) public_ref: PublicRef,
    /// Executed so far in the chain. 64 bits: replaces may renew a chain without end.
    pub(crate) executed: u64,
    pub(crate) leaves: u32,
    /// The level it rests in.
    pub(crate) level: u32,
    /// The order behind it in the queue.
    pub(crate) next: u32,
    /// The order before it in the queue.
    pub(crate) prev: u32,
    pub(crate) user_ref: UserRef,
    pub(crate) account: AccountId,
    pub(crate) session: u16,
    pub(crate) firm: u16,
    pub(crate) instrument: InstrumentId,
    pub(crate) policy: Policy,
    pub(crate) side: Side,
    pub(crate) tif: TimeInForce,
    pub(crate) short: ShortSale,
    /// Came on an earlier day: its user reference names nothing today.
    pub(crate) carried: bool,
    /// What else it asks for ([`crate::special::Extra`]), or `NONE` for a plain order.
    pub(crate) extra: u32,
}

const _: () = assert!(size_of::<Order>() == 64, "one order, one cache line");

impl Order {
    /// Whose.
    #[inline]
    pub(crate) const fn session(&self) -> SessionId {
        SessionId(self.session as u32)
    }

    /// Its firm.
    #[inline]
    pub(crate) const fn firm(&self) -> FirmId {
        FirmId(self.firm as u32)
    }

    /// What is open.
    #[inline]
    pub(crate) const fn leaves(&self) -> Quantity {
        Quantity(self.leaves as u64)
    }

    /// The event of its end when nobody asked for it.
    #[inline]
    pub(crate) const fn cancelled(&self, reason: CancelReason, rested: bool) -> Cancelled {
        Cancelled {
            session: self.session(),
            incarnation: Incarnation(0),
            inbound: MsgSeqNum(0),
            user_ref: self.user_ref,
            order_id: self.order_id,
            public_ref: self.public_ref,
            instrument: self.instrument,
            side: self.side,
            removed: self.leaves(),
            reason,
            rested,
            client_id: Text::EMPTY,
        }
    }
}
