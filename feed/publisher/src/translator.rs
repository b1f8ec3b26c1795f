//! Events to ITCH messages: what the public may see of each, and nothing of who is behind it but where attribution was asked for.
//!
//! | event | message |
//! |---|---|
//! | `DayStarted` | `S` `O`, `S` `S`; `S` `Q` behind the last event of the same command, as the directory and the carried orders come first |
//! | `DayEnded` | `S` `M`, `S` `E`, `S` `C` |
//! | `InstrumentListed` | `R`, `H` |
//! | `Accepted` or `Quoted` that rests, `Booked`, `Restated` with what it shows | `A`, or `F` with attribution |
//! | `Executed` | `E` of the resting order; `P` where it was hidden |
//! | `Reduced` that removes something shown | `X` |
//! | `Cancelled` that rested | `D` |
//! | `Replaced` that keeps its reference | `X` of the difference, or nothing |
//! | `Replaced` that rests under a new one | `U` |
//! | `Replaced` that does not rest | `D`; executions and `Booked` follow |
//! | `Replaced` of an order that was not shown | `A` or `F` where it rests, nothing otherwise |
//! | `Executed` in an uncross | `C`, not printable, of each order that was shown |
//! | `PhaseChanged` | `H` |
//! | `Indicative` | `I` |
//! | `Uncrossed` | `Q` |
//! | `CircuitBroken` at a level | `W` |
//! | `TradeBusted` | `B` |
//! | `TradeCorrected` | `B`, and `P` of the trade in its place |
//! | any other; any outside of a trading day | nothing |
//!
//! Attribution is ITCH's: a `U` keeps that of the order it replaces.

use rialto_itch::codes::{
    Authenticity, BreachedLevel, CrossType, EventCode, FinancialStatus, Flag, ImbalanceDirection, IssueClassification,
    LuldTier, MarketCategory, PriceVariation, Reserved, TradingState, YesNo,
};
use rialto_itch::values::LeverageFactor;
use rialto_itch::{
    AddOrder, AddOrderAttributed, BrokenTrade, CrossTrade, Header, IssueSubType, MatchNumber, Message, MwcbStatus,
    NetOrderImbalance, OrderCancel, OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReference, OrderReplace,
    Side, StockDirectory, StockLocate, StockTradingAction, SystemEvent, TimeOfDay, TotalShares, TrackingNumber, Trade,
    TradingReason,
};
use rialto_model::event::{Event, Executed, Indicative, InstrumentListed, Uncrossed};
use rialto_model::{BreakerLevel, InstrumentId, Mpid, Output, Phase, Price, PublicRef, Quantity, Timestamp, TradeId};

use crate::directory::{Directory, Listing, shares};

/// The reference of an order that the feed did not know.
const UNSEEN: PublicRef = PublicRef(0);

#[derive(Clone, Debug, Default)]
pub(crate) struct Translator {
    directory: Directory,
    /// From when the open day counts its nanoseconds; `None` between days.
    midnight: Option<Timestamp>,
    /// The directory of the day is being told, and market hours begin behind it.
    opening: bool,
    instruments_refused: u64,
    events_left_out: u64,
}

/// The event is about an instrument that is not on the feed, or states a value that its definition rules out.
struct NotOnFeed;

impl Translator {
    /// Gives `emit` the messages that the output comes to, in order.
    #[inline]
    pub(crate) fn translate(&mut self, output: &Output, emit: &mut impl FnMut(Message)) {
        let stamp = output.event.stamp;
        match &output.event.body {
            Event::DayStarted(started) => {
                self.midnight = Some(started.midnight);
                self.opening = true;
                self.system(stamp, EventCode::StartOfMessages, emit);
                self.system(stamp, EventCode::StartOfSystemHours, emit);
            }
            Event::DayEnded(_) => {
                self.system(stamp, EventCode::EndOfMarketHours, emit);
                self.system(stamp, EventCode::EndOfSystemHours, emit);
                self.system(stamp, EventCode::EndOfMessages, emit);
                self.midnight = None;
            }
            Event::InstrumentListed(listed) => self.list(stamp, listed, emit),
            Event::TradeCorrected(e) => {
                let made = [
                    self.on(stamp, e.instrument, |subject| Ok(subject.busted(e.deal.trade))),
                    self.on(stamp, e.instrument, |subject| {
                        subject.traded(e.quantity, e.price, e.trade)
                    }),
                ];
                for message in made {
                    match message {
                        Ok(message) => message.into_iter().for_each(&mut *emit),
                        Err(NotOnFeed) => self.events_left_out += 1,
                    }
                }
            }
            Event::CircuitBroken(broken) => self.broken(stamp, broken.level, emit),
            Event::Executed(e) if e.cross => self.crossed(stamp, e, emit),
            event => match self.order(stamp, event) {
                Ok(message) => message.into_iter().for_each(&mut *emit),
                Err(NotOnFeed) => self.events_left_out += 1,
            },
        }
        if output.last && self.opening {
            self.opening = false;
            self.system(stamp, EventCode::StartOfMarketHours, emit);
        }
    }

    /// Whether a trading day is open.
    pub(crate) const fn is_open(&self) -> bool {
        self.midnight.is_some()
    }

    pub(crate) const fn instruments_refused(&self) -> u64 {
        self.instruments_refused
    }

    pub(crate) const fn events_left_out(&self) -> u64 {
        self.events_left_out
    }

    fn system(&self, stamp: Timestamp, event: EventCode, emit: &mut impl FnMut(Message)) {
        if let Some(midnight) = self.midnight {
            let header = header(InstrumentId(0), stamp, midnight);
            emit(SystemEvent { header, event }.into());
        }
    }

    /// The market-wide circuit breaker; ITCH has no word for its end, which each instrument's next state tells.
    fn broken(&self, stamp: Timestamp, level: BreakerLevel, emit: &mut impl FnMut(Message)) {
        let breached = match level {
            BreakerLevel::None => return,
            BreakerLevel::One => BreachedLevel::Level1,
            BreakerLevel::Two => BreachedLevel::Level2,
            BreakerLevel::Three => BreachedLevel::Level3,
        };
        if let Some(midnight) = self.midnight {
            let header = header(InstrumentId(0), stamp, midnight);
            emit(MwcbStatus { header, breached }.into());
        }
    }

    /// An execution of an uncross: of each order that was shown, at the price of the uncross, which its own message counts.
    fn crossed(&mut self, stamp: Timestamp, e: &Executed, emit: &mut impl FnMut(Message)) {
        let shown = [
            (e.maker_public_ref, !e.maker_hidden),
            (e.taker_public_ref, e.taker_public_ref != UNSEEN),
        ];
        for (order, _) in shown.into_iter().filter(|(_, shown)| *shown) {
            match self.on(stamp, e.instrument, |subject| subject.executed_at(order, e)) {
                Ok(message) => message.into_iter().for_each(&mut *emit),
                Err(NotOnFeed) => self.events_left_out += 1,
            }
        }
    }

    /// Makes a message about an instrument, while a day is open.
    fn on(
        &self,
        stamp: Timestamp,
        instrument: InstrumentId,
        make: impl FnOnce(&Subject<'_>) -> Result<Message, NotOnFeed>,
    ) -> Result<Option<Message>, NotOnFeed> {
        let Some(midnight) = self.midnight else {
            return Ok(None);
        };
        let listing = self.directory.get(instrument).ok_or(NotOnFeed)?;
        let header = header(instrument, stamp, midnight);
        make(&Subject { header, listing }).map(Some)
    }

    fn list(&mut self, stamp: Timestamp, listed: &InstrumentListed, emit: &mut impl FnMut(Message)) {
        let Some(listing) = self.directory.list(listed) else {
            self.instruments_refused += 1;
            return;
        };
        if let Some(midnight) = self.midnight {
            let header = header(listed.instrument, stamp, midnight);
            emit(directory_entry(header, listing));
            emit(trading_action(header, listing, listed.trading));
        }
    }

    /// What an order's event comes to: one message at most.
    #[inline]
    fn order(&self, stamp: Timestamp, event: &Event) -> Result<Option<Message>, NotOnFeed> {
        let Some(midnight) = self.midnight else {
            return Ok(None);
        };
        let on = |instrument| match self.directory.get(instrument) {
            Some(listing) => Ok(Subject {
                header: header(instrument, stamp, midnight),
                listing,
            }),
            None => Err(NotOnFeed),
        };
        let message = match event {
            Event::Accepted(e) if e.rests => {
                on(e.instrument)?.added(e.public_ref, e.side, e.quantity, e.price, e.mpid)?
            }
            Event::Quoted(e) if e.rests => {
                on(e.instrument)?.added(e.public_ref, e.side, e.quantity, e.price, Mpid::default())?
            }
            Event::Booked(e) => on(e.instrument)?.added(e.public_ref, e.side, e.quantity, e.price, e.mpid)?,
            Event::Restated(e) if !e.shown.is_zero() => {
                on(e.instrument)?.added(e.public_ref, e.side, e.shown, e.price, e.mpid)?
            }
            Event::Executed(e) if e.maker_hidden => on(e.instrument)?.traded(e.quantity, e.price, e.trade)?,
            Event::Executed(e) => on(e.instrument)?.executed(e.maker_public_ref, e.quantity, e.trade)?,
            Event::Reduced(e) if !e.removed_shown.is_zero() => {
                on(e.instrument)?.reduced(e.public_ref, e.removed_shown)?
            }
            Event::Cancelled(e) if e.rested => on(e.instrument)?.deleted(e.public_ref),
            Event::Replaced(e) if e.public_ref == e.old_public_ref => {
                let removed = e.old_quantity.saturating_sub(e.quantity);
                if removed.is_zero() {
                    return Ok(None);
                }
                on(e.instrument)?.reduced(e.public_ref, removed)?
            }
            Event::Replaced(e) if e.rests && e.old_public_ref == UNSEEN => {
                on(e.instrument)?.added(e.public_ref, e.side, e.quantity, e.price, e.mpid)?
            }
            Event::Replaced(e) if e.rests => {
                on(e.instrument)?.replaced(e.old_public_ref, e.public_ref, e.quantity, e.price)?
            }
            Event::Replaced(e) if e.old_public_ref == UNSEEN => return Ok(None),
            Event::Replaced(e) => on(e.instrument)?.deleted(e.old_public_ref),
            Event::PhaseChanged(e) => on(e.instrument)?.phase(e.phase),
            Event::Indicative(e) => on(e.instrument)?.indicative(e)?,
            Event::TradeBusted(e) => on(e.instrument)?.busted(e.deal.trade),
            Event::Uncrossed(e) => on(e.instrument)?.uncrossed(e)?,
            _ => return Ok(None),
        };
        Ok(Some(message))
    }
}

/// What a message about an order is made with.
struct Subject<'a> {
    header: Header,
    listing: &'a Listing,
}

impl Subject<'_> {
    fn added(
        &self,
        order: PublicRef,
        side: rialto_model::Side,
        quantity: Quantity,
        price: Price,
        mpid: Mpid,
    ) -> Result<Message, NotOnFeed> {
        let header = self.header;
        let reference = reference(order);
        let side = match side {
            rialto_model::Side::Buy => Side::Buy,
            rialto_model::Side::Sell => Side::Sell,
        };
        let shares = shares(quantity).ok_or(NotOnFeed)?;
        let stock = self.listing.stock;
        let price = self.listing.price(price).ok_or(NotOnFeed)?;
        Ok(if mpid == Mpid::default() {
            AddOrder {
                header,
                reference,
                side,
                shares,
                stock,
                price,
            }
            .into()
        } else {
            AddOrderAttributed {
                header,
                reference,
                side,
                shares,
                stock,
                price,
                attribution: rialto_itch::Mpid(mpid.0),
            }
            .into()
        })
    }

    fn executed(&self, order: PublicRef, quantity: Quantity, trade: TradeId) -> Result<Message, NotOnFeed> {
        Ok(OrderExecuted {
            header: self.header,
            reference: reference(order),
            shares: shares(quantity).ok_or(NotOnFeed)?,
            match_number: MatchNumber(trade.0),
        }
        .into())
    }

    /// A trade with an order that no one saw: against the buy side, as on feeds of today (ITCH 5.0, Trade Message).
    fn traded(&self, quantity: Quantity, price: Price, trade: TradeId) -> Result<Message, NotOnFeed> {
        Ok(Trade {
            header: self.header,
            reference: OrderReference(0),
            side: Side::Buy,
            shares: shares(quantity).ok_or(NotOnFeed)?,
            stock: self.listing.stock,
            price: self.listing.price(price).ok_or(NotOnFeed)?,
            match_number: MatchNumber(trade.0),
        }
        .into())
    }

    fn busted(&self, trade: TradeId) -> Message {
        BrokenTrade {
            header: self.header,
            match_number: MatchNumber(trade.0),
        }
        .into()
    }

    fn executed_at(&self, order: PublicRef, e: &Executed) -> Result<Message, NotOnFeed> {
        Ok(OrderExecutedWithPrice {
            header: self.header,
            reference: reference(order),
            shares: shares(e.quantity).ok_or(NotOnFeed)?,
            match_number: MatchNumber(e.trade.0),
            printable: YesNo::No,
            price: self.listing.price(e.price).ok_or(NotOnFeed)?,
        }
        .into())
    }

    fn phase(&self, phase: Phase) -> Message {
        let state = match phase {
            Phase::Continuous => TradingState::Trading,
            Phase::PreOpen | Phase::OpeningAuction | Phase::ClosingAuction => TradingState::QuotationOnly,
            Phase::VolatilityAuction => TradingState::Paused,
            Phase::Halt | Phase::Closed | Phase::Suspended | Phase::Delisted => TradingState::Halted,
        };
        state_of(self.header, self.listing, state)
    }

    /// The far price, which only orders for the auction would make, is not told apart from the near price.
    fn indicative(&self, e: &Indicative) -> Result<Message, NotOnFeed> {
        let price = |price| self.listing.price(price).ok_or(NotOnFeed);
        let direction = match e.side {
            _ if e.volume.is_zero() => ImbalanceDirection::InsufficientOrders,
            _ if e.imbalance.is_zero() => ImbalanceDirection::None,
            rialto_model::Side::Buy => ImbalanceDirection::Buy,
            rialto_model::Side::Sell => ImbalanceDirection::Sell,
        };
        Ok(NetOrderImbalance {
            header: self.header,
            paired_shares: TotalShares(e.volume.0),
            imbalance_shares: TotalShares(e.imbalance.0),
            direction,
            stock: self.listing.stock,
            far_price: price(e.price)?,
            near_price: price(e.price)?,
            reference_price: price(e.reference)?,
            cross_type: cross_type(e.phase),
            variation: variation(e.price, e.reference),
        }
        .into())
    }

    fn uncrossed(&self, e: &Uncrossed) -> Result<Message, NotOnFeed> {
        Ok(CrossTrade {
            header: self.header,
            shares: TotalShares(e.volume.0),
            stock: self.listing.stock,
            price: self.listing.price(e.price).ok_or(NotOnFeed)?,
            match_number: MatchNumber(e.trade.0),
            cross_type: cross_type(e.phase),
        }
        .into())
    }

    fn reduced(&self, order: PublicRef, removed: Quantity) -> Result<Message, NotOnFeed> {
        Ok(OrderCancel {
            header: self.header,
            reference: reference(order),
            shares: shares(removed).ok_or(NotOnFeed)?,
        }
        .into())
    }

    fn replaced(&self, old: PublicRef, new: PublicRef, quantity: Quantity, price: Price) -> Result<Message, NotOnFeed> {
        Ok(OrderReplace {
            header: self.header,
            original_reference: reference(old),
            new_reference: reference(new),
            shares: shares(quantity).ok_or(NotOnFeed)?,
            price: self.listing.price(price).ok_or(NotOnFeed)?,
        }
        .into())
    }

    fn deleted(&self, order: PublicRef) -> Message {
        OrderDelete {
            header: self.header,
            reference: reference(order),
        }
        .into()
    }
}

/// What every message begins with. A day left open for more than the three days that 48 bits count stands still there.
#[inline]
fn header(instrument: InstrumentId, stamp: Timestamp, midnight: Timestamp) -> Header {
    Header {
        locate: StockLocate(instrument.0),
        tracking: TrackingNumber(0),
        timestamp: TimeOfDay::new(stamp.since(midnight)).unwrap_or(TimeOfDay::MAX),
    }
}

#[inline]
const fn reference(order: PublicRef) -> OrderReference {
    OrderReference(order.0)
}

/// A Stock Directory entry; what Rialto's instruments do not have is not stated.
fn directory_entry(header: Header, listing: &Listing) -> Message {
    StockDirectory {
        header,
        stock: listing.stock,
        market_category: MarketCategory::NotAvailable,
        financial_status: FinancialStatus::NotAvailable,
        round_lot_size: listing.lot,
        round_lots_only: if listing.lot.0 > 1 { YesNo::Yes } else { YesNo::No },
        issue_classification: IssueClassification::CommonStock,
        issue_sub_type: IssueSubType(*b"Z "),
        authenticity: Authenticity::Live,
        short_sale_threshold: Flag::NotAvailable,
        ipo: Flag::NotAvailable,
        luld_tier: LuldTier::NotAvailable,
        etp: Flag::NotAvailable,
        etp_leverage_factor: LeverageFactor(0),
        inverse: YesNo::No,
    }
    .into()
}

/// Which cross ends a phase.
const fn cross_type(phase: Phase) -> CrossType {
    match phase {
        Phase::PreOpen | Phase::OpeningAuction => CrossType::Opening,
        Phase::ClosingAuction => CrossType::Closing,
        _ => CrossType::Halted,
    }
}

/// How far a price is from the reference, in whole percent; nothing to say without one of them.
fn variation(price: Price, reference: Price) -> PriceVariation {
    let away = price.0.abs_diff(reference.0).saturating_mul(100);
    let steps = [
        PriceVariation::Below1,
        PriceVariation::From1,
        PriceVariation::From2,
        PriceVariation::From3,
        PriceVariation::From4,
        PriceVariation::From5,
        PriceVariation::From6,
        PriceVariation::From7,
        PriceVariation::From8,
        PriceVariation::From9,
        PriceVariation::From10,
        PriceVariation::From20,
        PriceVariation::From30,
    ];
    let percent = match away.checked_div(reference.0.unsigned_abs()) {
        Some(percent) if price.0 > 0 => percent as usize,
        _ => return PriceVariation::NotAvailable,
    };
    let step = if percent < 10 { percent } else { 9 + percent / 10 };
    steps.get(step).copied().unwrap_or(PriceVariation::From30)
}

fn trading_action(header: Header, listing: &Listing, trading: bool) -> Message {
    let state = if trading {
        TradingState::Trading
    } else {
        TradingState::Halted
    };
    state_of(header, listing, state)
}

fn state_of(header: Header, listing: &Listing, state: TradingState) -> Message {
    StockTradingAction {
        header,
        stock: listing.stock,
        state,
        reserved: Reserved,
        reason: TradingReason::default(),
    }
    .into()
}
