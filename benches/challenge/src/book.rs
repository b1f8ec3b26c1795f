//! From messages to commands, from events to reports.

use crate::names::Names;
use crate::reports::{Cancel, Modify, NewOrder, Outlet, Report, ReportType};
use rialto_matching::{CURRENT_RELEASE, Engine, Limits, Matching};
use rialto_model::command::{
    self, DefineAccount, DefineFirm, DefineInstrument, DefineSession, Enter, Release, Replace, SessionUp, StartOfDay,
};
use rialto_model::limits::{PRICE_MAX, QUANTITY_MAX};
use rialto_model::{
    AccountId, Command, Door, Epoch, Event, EventSink, FirmId, Incarnation, InstrumentId, OrderKind, Policy, Price,
    PriceScale, Quantity, SequenceNumber, Sequenced, SessionId, Side, Symbol, Target, TimeInForce, Timestamp,
    TradingDay, UserRef, VenueId,
};

const INSTRUMENT: InstrumentId = InstrumentId(1);
const SESSION: SessionId = SessionId(1);
const INCARNATION: Incarnation = Incarnation(1);
/// Ids that have a place before the first message: a run of the challenge enters a million orders.
const IDS: usize = 1 << 20;

/// One instrument, one member, every order of the harness.
#[derive(Debug)]
pub struct Book<O> {
    engine: Engine,
    names: Names,
    outlet: O,
    seq: SequenceNumber,
    user_ref: UserRef,
}

impl<O: Outlet> Book<O> {
    /// An empty book on an open day, whose reports go to `outlet`.
    #[must_use]
    pub fn new(outlet: O) -> Self {
        let limits = Limits {
            orders_reserved: IDS as u32,
            ..Limits::default()
        };
        let mut book = Self {
            engine: Engine::new(limits),
            names: Names::with_capacity(IDS),
            outlet,
            seq: SequenceNumber(0),
            user_ref: UserRef(0),
        };
        for command in opening() {
            let command = book.sequence(command);
            book.engine.apply(&command, &mut Opening);
        }
        book
    }

    /// Where the reports went.
    pub const fn outlet(&self) -> &O {
        &self.outlet
    }

    /// A new order: an ack, a trade for each fill, and a cancel ack for what is left of an immediate-or-cancel order.
    #[inline]
    pub fn on_new_order(&mut self, order: &NewOrder) {
        self.user_ref.0 += 1;
        let tif = match order.ioc {
            0 => TimeInForce::Day,
            _ => TimeInForce::ImmediateOrCancel,
        };
        let enter = Enter {
            session: SESSION,
            incarnation: INCARNATION,
            user_ref: self.user_ref,
            instrument: INSTRUMENT,
            side: side(order.side),
            kind: OrderKind::Limit,
            tif,
            price: Price(order.price_ticks),
            quantity: Quantity(order.quantity.into()),
            ..Enter::default()
        };
        let command = self.sequence(enter.into());
        let named = order.ioc == 0;
        if named {
            self.names.name(order.order_id, self.user_ref, order.price_ticks);
        }
        self.engine.apply(
            &command,
            &mut Sink {
                names: &self.names,
                outlet: &mut self.outlet,
                sequence_number: order.sequence_number,
                order_id: order.order_id,
                price_ticks: order.price_ticks,
                modifies: false,
            },
        );
    }

    /// A cancel: an ack, or a reject where no such order rests.
    #[inline]
    pub fn on_cancel(&mut self, cancel: &Cancel) {
        let named = self.names.get(cancel.order_id);
        let command = command::Cancel {
            session: SESSION,
            incarnation: INCARNATION,
            target: Target::UserRef(named.user_ref()),
            ..command::Cancel::default()
        };
        let command = self.sequence(command.into());
        self.engine.apply(
            &command,
            &mut Sink {
                names: &self.names,
                outlet: &mut self.outlet,
                sequence_number: cancel.sequence_number,
                order_id: cancel.order_id,
                price_ticks: named.price(),
                modifies: false,
            },
        );
    }

    /// A modify: a trade for each fill and an ack, or a reject where no such order rests.
    #[inline]
    pub fn on_modify(&mut self, modify: &Modify) {
        self.user_ref.0 += 1;
        let named = self.names.get(modify.order_id);
        let replace = Replace {
            session: SESSION,
            incarnation: INCARNATION,
            target: Target::UserRef(named.user_ref()),
            user_ref: self.user_ref,
            kind: OrderKind::Limit,
            tif: TimeInForce::Day,
            policy: Policy::NONE,
            price: Price(modify.new_price_ticks),
            quantity: Quantity(modify.new_quantity.into()),
            ..Replace::default()
        };
        let command = self.sequence(replace.into());
        self.names.name(modify.order_id, self.user_ref, modify.new_price_ticks);
        self.engine.apply(
            &command,
            &mut Sink {
                names: &self.names,
                outlet: &mut self.outlet,
                sequence_number: modify.sequence_number,
                order_id: modify.order_id,
                price_ticks: modify.new_price_ticks,
                modifies: true,
            },
        );
    }

    /// The best price of a side, if an order rests there.
    #[must_use]
    pub fn best(&self, of: Side) -> Option<i64> {
        let mut levels = self.engine.depth(INSTRUMENT, of, 1);
        levels.next().map(|(price, _)| price.0)
    }

    /// What rests at a price.
    #[must_use]
    pub fn depth_at(&self, of: Side, price_ticks: i64) -> u64 {
        let mut levels = self.engine.depth(INSTRUMENT, of, usize::MAX);
        let level = levels.find(|(price, _)| price.0 == price_ticks);
        level.map_or(0, |(_, quantity)| quantity.0)
    }

    #[inline]
    fn sequence(&mut self, body: Command) -> Sequenced<Command> {
        self.seq = self.seq.next();
        Sequenced {
            seq: self.seq,
            stamp: Timestamp(self.seq.0),
            epoch: Epoch(1),
            body,
        }
    }
}

/// The side of the ABI's number.
#[inline]
#[must_use]
pub const fn side(number: u8) -> Side {
    match number {
        0 => Side::Buy,
        _ => Side::Sell,
    }
}

/// The ABI's number of a side.
#[inline]
const fn side_number(side: Side) -> u8 {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

/// Turns the events of one message into its reports.
struct Sink<'a, O> {
    names: &'a Names,
    outlet: &'a mut O,
    sequence_number: u64,
    order_id: u64,
    price_ticks: i64,
    /// Whether the message was a modify: an event that only says no is the same for both.
    modifies: bool,
}

impl<O: Outlet> Sink<'_, O> {
    #[inline]
    fn report(&mut self, kind: ReportType, side: Side, quantity: Quantity) {
        self.outlet.push(&Report {
            kind: kind as u8,
            side: side_number(side),
            sequence_number: self.sequence_number,
            order_id: self.order_id,
            price_ticks: self.price_ticks,
            quantity: quantity.0 as u32,
            ..Report::default()
        });
    }
}

impl<O: Outlet> EventSink for Sink<'_, O> {
    /// Inlined into each place that emits, an event is never built: a report needs a few of its fields.
    #[inline(always)]
    fn emit(&mut self, event: Event) {
        match event {
            Event::Accepted(e) => self.report(ReportType::OrderAck, e.side, e.quantity),
            Event::Replaced(e) => self.report(ReportType::ModifyAck, e.side, e.quantity),
            Event::Cancelled(e) => self.report(ReportType::CancelAck, e.side, e.removed),
            Event::Executed(e) => self.outlet.push(&Report {
                kind: ReportType::Trade as u8,
                side: side_number(e.aggressor),
                sequence_number: self.sequence_number,
                order_id: self.order_id,
                price_ticks: e.price.0,
                quantity: e.quantity.0 as u32,
                maker_order_id: self.names.client(e.maker_user_ref),
                taker_order_id: self.order_id,
                ..Report::default()
            }),
            Event::Rejected(_) | Event::ChangeRejected(_) => {
                let kind = if self.modifies {
                    ReportType::ModifyReject
                } else {
                    ReportType::CancelReject
                };
                self.report(kind, Side::Buy, Quantity(0));
            }
            _ => {}
        }
    }
}

/// Nobody is told how the day began.
struct Opening;

impl EventSink for Opening {
    fn emit(&mut self, event: Event) {
        assert!(
            !matches!(event, Event::CommandRejected(_) | Event::Ignored(_)),
            "the opening is sound: {event:?}"
        );
    }
}

/// A venue with one instrument and one member on its first day. One tick is one unit of a price.
fn opening() -> [Command; 7] {
    let (firm, account) = (FirmId(1), AccountId(1));
    [
        Release {
            venue: VenueId(1),
            release: CURRENT_RELEASE,
        }
        .into(),
        DefineFirm {
            firm,
            ..DefineFirm::default()
        }
        .into(),
        DefineAccount { account, firm }.into(),
        DefineSession {
            session: SESSION,
            firm,
            account,
            door: Door::Ouch,
            ..DefineSession::default()
        }
        .into(),
        DefineInstrument {
            instrument: INSTRUMENT,
            symbol: Symbol::new("BOOK").unwrap_or_default(),
            scale: PriceScale::DEFAULT,
            tick: Price(1),
            price_max: Price(PRICE_MAX),
            lot: Quantity(1),
            quantity_max: Quantity(QUANTITY_MAX),
        }
        .into(),
        StartOfDay {
            day: TradingDay(1),
            midnight: Timestamp(0),
        }
        .into(),
        SessionUp {
            session: SESSION,
            incarnation: INCARNATION,
            ..SessionUp::default()
        }
        .into(),
    ]
}
