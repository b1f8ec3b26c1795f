//! A resting order as the fast engine keeps it: one cache line.

use crate::pool::NONE;
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
    /// A slot of the pool that no order has had yet.
    pub(crate) const fn blank() -> Self {
        Self {
            order_id: OrderId(0),
            public_ref: PublicRef(0),
            executed: 0,
            leaves: 0,
            level: NONE,
            next: NONE,
            prev: NONE,
            user_ref: UserRef(0),
            account: AccountId(0),
            session: 0,
            firm: 0,
            instrument: InstrumentId(0),
            policy: Policy::NONE,
            side: Side::Buy,
            tif: TimeInForce::Day,
            short: ShortSale::None,
            carried: false,
            extra: NONE,
        }
    }

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
            rested,
            ..self.cancelled_by((Incarnation(0), MsgSeqNum(0), &Text::EMPTY), reason)
        }
    }

    /// The event of the end of a resting order that a request asked for, which came like this.
    #[inline(always)]
    pub(crate) const fn cancelled_by(&self, asked: (Incarnation, MsgSeqNum, &Text), reason: CancelReason) -> Cancelled {
        let (incarnation, inbound, client_id) = asked;
        Cancelled {
            session: self.session(),
            incarnation,
            inbound,
            user_ref: self.user_ref,
            order_id: self.order_id,
            public_ref: self.public_ref,
            instrument: self.instrument,
            side: self.side,
            removed: self.leaves(),
            reason,
            rested: true,
            client_id: *client_id,
        }
    }
}
