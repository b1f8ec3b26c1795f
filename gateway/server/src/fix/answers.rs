//! From an event to the FIX messages that members are sent.
//!
//! Each function makes one message and hands it to its session's account, where it takes its number; so what a member is
//! told, and under which number, follows from the stream alone.

use rialto_fix::MsgType;
use rialto_model::event::{
    Accepted, Cancelled, ChangeRejected, Executed, Instructed, Pegged, Reduced, Rejected, Replaced, Restated, Triggered,
};
use rialto_model::{
    CancelReason, Event, FirmId, InstrumentId, MsgSeqNum, OrderId, Quantity, RejectReason, SequenceNumber, SessionId,
    Target, Text, Timestamp,
};

use super::codes::{ExecType, LastLiquidity, OrdStatus, RestatementReason, ending};
use super::connection::Connection as Peer;
use super::order_table::Order;
use super::protocol::Fix;
use super::reports::{Context, ExecIds, Last, Meant, Report, write_cancel_reject, write_mass_cancel, write_rejected};
use crate::floor::Floor;
use crate::net::Hub;

/// Where and when an event happened.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) seq: SequenceNumber,
    pub(super) stamp: Timestamp,
}

/// An order whose report waits until it is known whole.
#[derive(Clone, Copy)]
pub(super) struct Told {
    order_id: OrderId,
    exec_type: ExecType,
    asked: Option<(Text, Text)>,
}

/// One side of a trade.
pub(super) struct TradeSide {
    pub(super) order_id: OrderId,
    pub(super) leaves: Quantity,
    pub(super) liquidity: LastLiquidity,
}

impl Fix {
    pub(super) fn report(&mut self, order: &Order, report: &Report<'_>, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let context = context(&mut self.exec_ids, order.instrument, at, floor).0;
        self.body.clear();
        report.write(order, &context, &mut self.body);
        let copies = self.drop_copies.get(&order.firm).map_or(&[][..], Vec::as_slice);
        for session in [order.session].iter().chain(copies) {
            if let Some(account) = self.accounts.get_mut(session) {
                account.send(hub, floor.now, at.stamp, MsgType::EXECUTION_REPORT, &self.body);
            }
        }
    }

    /// Whether anybody at this door is told of the orders of this session.
    fn is_told_of(&self, session: SessionId, firm: FirmId) -> bool {
        self.accounts.contains_key(&session) || self.drop_copies.contains_key(&firm)
    }

    pub(super) fn accepted(&mut self, event: &Accepted) {
        if !self.is_told_of(event.session, event.firm) {
            return;
        }
        if let Some(account) = self.accounts.get_mut(&event.session) {
            account.heard(event.inbound);
            account
                .names
                .told(event.client_id, event.user_ref, event.instrument, Some(event.order_id));
        }
        self.orders.insert(event.order_id, Order::accepted(event));
        self.told = Some(Told {
            order_id: event.order_id,
            exec_type: ExecType::New,
            asked: None,
        });
    }

    pub(super) fn replaced(&mut self, event: &Replaced) {
        let Some(order) = self.orders.get_mut(&event.order_id) else {
            return;
        };
        if let Some(account) = self.accounts.get_mut(&event.session) {
            account.heard(event.inbound);
            account
                .names
                .told(event.client_id, event.user_ref, event.instrument, Some(event.order_id));
        }
        let asked = Some((event.client_id, order.client_id));
        order.replaced(event);
        self.told = Some(Told {
            order_id: event.order_id,
            exec_type: ExecType::Replaced,
            asked,
        });
    }

    /// Instructions come behind the event of the order that they belong to, and its report states them.
    pub(super) fn instructed(&mut self, event: &Instructed) {
        if let Some(order) = self.orders.get_mut(&event.order_id) {
            order.instructions = event.instructions;
        }
    }

    /// Reports the order that stands or stands anew, once it is known whole. `event`: what comes next in the stream, if it
    /// is part of the same command.
    pub(super) fn report_told(&mut self, event: Option<&Event>, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(told) = self.told else {
            return;
        };
        // Its instructions, and where a peg stands, are part of it.
        let of = match event {
            Some(Event::Instructed(e)) => Some(e.order_id),
            Some(Event::Pegged(e)) => Some(e.order_id),
            _ => None,
        };
        if of == Some(told.order_id) {
            return;
        }
        self.told = None;
        if let Some(order) = self.orders.get(&told.order_id).copied() {
            let report = Report {
                asked: told.asked,
                ..Report::of(told.exec_type, order.status())
            };
            self.report(&order, &report, at, floor, hub);
        }
    }

    /// A stop order has become live.
    pub(super) fn triggered(&mut self, event: &Triggered, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(order) = self.orders.get_mut(&event.order_id) else {
            return;
        };
        order.triggered(event);
        let order = *order;
        let report = Report {
            restatement: Some(RestatementReason::MarketOption),
            text: "the stop price was reached",
            ..Report::of(ExecType::Triggered, order.status())
        };
        self.report(&order, &report, at, floor, hub);
    }

    /// A peg has a price, or another one. Said with the order where that has just been told.
    pub(super) fn pegged(&mut self, event: &Pegged, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(order) = self.orders.get_mut(&event.order_id) else {
            return;
        };
        order.pegged = event.price;
        let order = *order;
        if self.told.is_some_and(|told| told.order_id == event.order_id) {
            return;
        }
        let report = Report {
            restatement: Some(RestatementReason::Repricing),
            text: if event.price.0 == 0 {
                "there is no price to follow: it stands aside"
            } else {
                "its price follows the market"
            },
            ..Report::of(ExecType::Restated, order.status())
        };
        self.report(&order, &report, at, floor, hub);
    }

    /// Tells what became of a mass cancel. What it asked for is not in the stream: after a restart the report keeps its
    /// number, and nothing else.
    pub(super) fn mass_cancelled(
        &mut self,
        (session, inbound, client_id): (SessionId, MsgSeqNum, Text),
        outcome: Result<u32, RejectReason>,
        at: At,
        floor: &Floor,
        hub: &mut Hub<Peer>,
    ) {
        let Some(account) = self.accounts.get_mut(&session) else {
            return;
        };
        account.heard(inbound);
        if outcome.is_err_and(is_of_the_past) {
            return;
        }
        account.names.request(client_id, true);
        if outcome.is_err() {
            floor.count_reject();
        }
        let context = context(&mut self.exec_ids, InstrumentId(0), at, floor).0;
        let Some(asked) = account.names.mass_cancel_of(client_id) else {
            return account.skip();
        };
        self.body.clear();
        write_mass_cancel(client_id, asked, outcome, &context, &mut self.body);
        let kind = MsgType::ORDER_MASS_CANCEL_REPORT;
        account.send_once(hub, floor.now, at.stamp, kind, b"", &self.body);
    }

    /// No FIX message reduces: the exchange's staff has.
    pub(super) fn reduced(&mut self, event: &Reduced, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(order) = self.orders.get_mut(&event.order_id) else {
            return;
        };
        order.leaves = event.leaves;
        order.short = event.short;
        let order = *order;
        // The answer to the quotes that asked for it says so.
        if order.order_id.is_quote() && self.is_quoting(event.session) {
            return;
        }
        let report = Report {
            restatement: Some(RestatementReason::PartialDecline),
            text: "reduced by the exchange",
            ..Report::of(ExecType::Restated, order.status())
        };
        self.report(&order, &report, at, floor, hub);
    }

    pub(super) fn cancelled(&mut self, event: &Cancelled, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(order) = self.orders.remove(&event.order_id) else {
            return;
        };
        let by_owner = event.incarnation.0 != 0;
        let wished = matches!(event.reason, CancelReason::Requested | CancelReason::Requoted);
        // The answer to the quotes, or the cancel of quotes, says that they are gone.
        let quietly = order.order_id.is_quote() && wished && self.is_quoting(event.session);
        if order.executed.quantity > 0 || order.undone > 0 {
            self.ended.keep(order, ending(event.reason, by_owner).1);
        }
        if quietly {
            return;
        }
        let (exec_type, status, text) = ending(event.reason, by_owner);
        if let Some(account) = self.accounts.get_mut(&event.session) {
            if by_owner {
                account.heard(event.inbound);
                account.names.request(event.client_id, true);
            }
            if !order.order_id.is_quote() {
                account.names.ended(event.order_id, order.ended(status));
            }
        }
        let asked = (by_owner && !event.client_id.is_empty()).then_some((event.client_id, order.client_id));
        let report = Report {
            asked,
            text,
            ..Report::of(exec_type, status)
        };
        self.report(&order, &report, at, floor, hub);
    }

    pub(super) fn traded(&mut self, side: &TradeSide, event: &Executed, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(order) = self.orders.get_mut(&side.order_id) else {
            return;
        };
        order.executed.add(event.quantity, event.price);
        order.leaves = side.leaves;
        let order = *order;
        if side.leaves.is_zero() {
            self.orders.remove(&side.order_id);
            self.ended.keep(order, OrdStatus::Filled);
            if let Some(account) = self.accounts.get_mut(&order.session)
                && !order.order_id.is_quote()
            {
                account.names.ended(side.order_id, order.ended(OrdStatus::Filled));
            }
        }
        let report = Report {
            last: Some(Last {
                quantity: event.quantity,
                price: event.price,
                liquidity: side.liquidity,
                trade: event.trade,
            }),
            ..Report::of(ExecType::Trade, order.status())
        };
        self.report(&order, &report, at, floor, hub);
    }

    /// A carried order stands again under its last name, at the beginning of the day's numbers.
    pub(super) fn restated(&mut self, event: &Restated, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(order) = self.orders.get(&event.order_id).copied() else {
            return;
        };
        if let Some(account) = self.accounts.get_mut(&order.session) {
            account.names.carried(order.client_id, event.order_id);
        }
        let report = Report {
            restatement: Some(RestatementReason::Renewal),
            ..Report::of(ExecType::Restated, order.status())
        };
        self.report(&order, &report, at, floor, hub);
    }

    pub(super) fn rejected(&mut self, event: &Rejected, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(account) = self.accounts.get_mut(&event.session) else {
            return;
        };
        account.heard(event.inbound);
        if is_of_the_past(event.reason) {
            return;
        }
        if event.user_ref.0 == 0 {
            account.names.request(event.client_id, true);
        } else {
            account
                .names
                .told(event.client_id, event.user_ref, event.instrument, None);
        }
        floor.count_reject();
        let (context, known) = context(&mut self.exec_ids, event.instrument, at, floor);
        self.body.clear();
        write_rejected(event, &context, known, &mut self.body);
        account.send(hub, floor.now, at.stamp, MsgType::EXECUTION_REPORT, &self.body);
    }

    pub(super) fn change_rejected(&mut self, event: &ChangeRejected, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(account) = self.accounts.get_mut(&event.session) else {
            return;
        };
        account.heard(event.inbound);
        if is_of_the_past(event.reason) {
            return;
        }
        let mut event = *event;
        let names = &mut account.names;
        // The door gave it no target because its own name was used before.
        if event.target == Target::default() && names.is_told(event.client_id) {
            event.reason = RejectReason::DuplicateClientId;
        }
        if event.user_ref.0 == 0 {
            names.request(event.client_id, true);
        } else {
            names.told(event.client_id, event.user_ref, InstrumentId(0), None);
        }
        let order_id = match event.target {
            Target::OrderId(order_id) => Some(order_id),
            Target::UserRef(user_ref) => names.reference(user_ref).and_then(|reference| reference.order_id),
        };
        let live = order_id
            .and_then(|id| self.orders.get(&id))
            .map(|order| (order.status(), order.client_id));
        let known = live.or_else(|| {
            let ended = names.ending_of(order_id?)?;
            Some((ended.status, ended.client_id))
        });
        let named = match event.target {
            Target::UserRef(user_ref) => names.reference(user_ref).map(|reference| reference.client_id),
            Target::OrderId(_) => known.map(|(_, client_id)| client_id),
        };
        let meant = Meant {
            order_id,
            client_id: named,
            status: known.map_or(OrdStatus::Rejected, |(status, _)| status),
        };
        floor.count_reject();
        self.body.clear();
        write_cancel_reject(&event, &meant, at.stamp, &mut self.body);
        account.send(hub, floor.now, at.stamp, MsgType::ORDER_CANCEL_REJECT, &self.body);
    }
}

/// The instrument's words, and whether it is known.
pub(super) fn context(exec_ids: &mut ExecIds, instrument: InstrumentId, at: At, floor: &Floor) -> (Context, bool) {
    let listed = floor.directory.instrument(instrument);
    let context = Context {
        exec_id: exec_ids.next(at.seq),
        time: at.stamp,
        symbol: listed.map(|listed| listed.symbol).unwrap_or_default(),
        scale: listed.map(|listed| listed.scale).unwrap_or_default(),
    };
    (context, listed.is_some())
}

/// The connection that asked is gone, so there is nobody to tell; the peer's next one is asked for what is missing.
pub(super) fn is_of_the_past(reason: RejectReason) -> bool {
    matches!(reason, RejectReason::UnknownSession | RejectReason::SessionNotUp)
}
