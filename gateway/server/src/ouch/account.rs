//! What the stream says of one OUCH session: its messages of the day and of the day before, its references, its orders'
//! capacities. Filled by released events alone, hence the same after a restart.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;
use rialto_model::limits::USER_REF_JUMP_MAX;
use rialto_model::{Capacity, FirmId, OrderId, Price, PublicRef, RejectReason, TradingDay, UserRef};
use rialto_ouch::soup::{SequenceNumber, SequencedStore};

use crate::budget::FirmBudget;
use crate::config::SessionSettings;
use crate::message_log::MessageLog;
use crate::throttle::Throttle;
use crate::transcript::Transcript;

#[derive(Debug)]
pub(super) struct Account {
    pub(super) firm: FirmId,
    pub(super) settings: SessionSettings,
    pub(super) throttle: Throttle,
    pub(super) budget: Arc<FirmBudget>,
    pub(super) log: MessageLog,
    /// The log of the day before, for connections that have not read to its end.
    last_log: MessageLog,
    /// The day of `log`.
    date: TradingDay,
    pub(super) refs: References,
    pub(super) capacities: Capacities,
    /// Live orders with instructions.
    pub(super) special: HashMap<OrderId, Special>,
    /// The hash of everything that it was told, where that is wanted.
    pub(super) transcript: Option<Transcript>,
}

/// The capacities of live orders: an Order Replaced states it, the event does not.
///
/// A member has one in nearly all of its orders, and whoever has them all in one table pays a cache miss an order. So only
/// what differs from the first is kept; bounded by the engine's live orders.
#[derive(Debug, Default)]
pub(super) struct Capacities {
    usual: Option<Capacity>,
    others: HashMap<OrderId, Capacity>,
}

impl Capacities {
    pub(super) fn insert(&mut self, order: OrderId, capacity: Capacity) {
        if *self.usual.get_or_insert(capacity) != capacity {
            self.others.insert(order, capacity);
        }
    }

    pub(super) fn get(&self, order: OrderId) -> Capacity {
        let other = self.others.get(&order).copied();
        other.or(self.usual).unwrap_or_default()
    }

    fn remove(&mut self, order: OrderId) {
        if !self.others.is_empty() {
            self.others.remove(&order);
        }
    }
}

/// What is known of an order with instructions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Special {
    pub(super) user_ref: UserRef,
    /// Its reference on the feed, as its owner was last told.
    pub(super) public_ref: PublicRef,
    pub(super) price: Price,
}

impl Account {
    pub(super) fn new(
        (firm, budget): (FirmId, Arc<FirmBudget>),
        settings: SessionSettings,
        log_bytes_max: usize,
        date: TradingDay,
    ) -> Self {
        Self {
            firm,
            budget,
            settings,
            throttle: Throttle::new(settings.throttles),
            log: MessageLog::new(log_bytes_max),
            last_log: MessageLog::new(log_bytes_max),
            date,
            refs: References::default(),
            capacities: Capacities::default(),
            special: HashMap::default(),
            transcript: None,
        }
    }

    /// An order lives no more.
    pub(super) fn forget(&mut self, order: OrderId) {
        self.capacities.remove(order);
        if !self.special.is_empty() {
            self.special.remove(&order);
        }
    }

    /// A day begins: numbers and references count from 1 again.
    pub(super) fn begin_day(&mut self, date: TradingDay) {
        std::mem::swap(&mut self.log, &mut self.last_log);
        self.log.restart();
        self.date = date;
        self.refs = References::default();
    }

    /// The log that a connection of this day reads; `None` where it is gone.
    pub(super) fn log_of(&self, date: TradingDay) -> Option<&MessageLog> {
        if date == self.date {
            Some(&self.log)
        } else if date < self.date && self.last_log.next() > 1 {
            Some(&self.last_log)
        } else {
            None
        }
    }
}

/// A log as SoupBinTCP reads it.
pub(super) struct Sequenced<'a>(pub(super) &'a MessageLog);

impl SequencedStore for Sequenced<'_> {
    fn message(&mut self, number: SequenceNumber) -> Option<&[u8]> {
        self.0.get(number.get())
    }
}

/// Which UserRefNums are used up today (OUCH 5.0, section 1.3).
///
/// The engine counts those of the orders it saw. A reference that this door refused is used up as well, and the engine does
/// not know it; so the door drops what comes at or below the highest it refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct References {
    /// The highest that the engine has used up, as events tell.
    used: u32,
    /// The highest that this door has refused.
    refused: u32,
    /// Those of orders that were sent with instructions today.
    special: BTreeSet<u32>,
}

impl References {
    /// An order is sent with instructions, or stands with some.
    pub(super) fn note_special(&mut self, user_ref: UserRef) {
        self.special.insert(user_ref.0);
    }

    /// Whether the order of this name was sent with instructions.
    pub(super) fn is_special(&self, user_ref: UserRef) -> bool {
        self.special.contains(&user_ref.0)
    }

    /// An event used this reference up.
    pub(super) fn use_up(&mut self, user_ref: UserRef) {
        self.used = self.used.max(user_ref.0);
    }

    /// This door refuses it, or an event says that it did.
    pub(super) fn refuse(&mut self, user_ref: UserRef) {
        self.refused = self.refused.max(user_ref.0);
    }

    /// A reject event names this reference.
    pub(super) fn rejected(&mut self, user_ref: UserRef, reason: RejectReason) {
        match reason {
            RejectReason::UnknownSession | RejectReason::SessionNotUp | RejectReason::UserRefJump => {}
            RejectReason::NotSupported | RejectReason::OverRate | RejectReason::FirmOverRate => self.refuse(user_ref),
            _ => self.use_up(user_ref),
        }
    }

    /// Whether it is a resend of something, or of less.
    pub(super) fn is_resent(&self, user_ref: UserRef) -> bool {
        user_ref.0 <= self.refused
    }

    /// Whether it is neither a resend of what is known here nor a jump.
    pub(super) fn is_next(&self, user_ref: UserRef) -> bool {
        user_ref.0 >= self.next() && !self.is_jump(user_ref)
    }

    /// Whether it lies so far above all others that it must not use up those between.
    pub(super) fn is_jump(&self, user_ref: UserRef) -> bool {
        user_ref.0 > self.used.max(self.refused).saturating_add(USER_REF_JUMP_MAX)
    }

    /// The lowest that may be used next.
    pub(super) fn next(&self) -> u32 {
        self.used.max(self.refused).saturating_add(1)
    }
}
