//! Events to ITCH messages: what the public may see of each, and nothing of who is behind it but where attribution was asked for.
//!
//! | event | message |
//! |---|---|
//! | `DayStarted` | `S` `O`, `S` `S`, `V`; `S` `Q` behind the last event of the same command, as the directory and the carried orders come first |
//! | `DayEnded` | `S` `M`, `S` `E`, `S` `C` |
//! | `InstrumentListed` | `R`, `H`, `Y` without a price test |
//! | `Accepted` or `Quoted` that rests, `Booked`, `Restated` with what it shows | `A`, or `F` with attribution |
//! | `Executed` | `E` of the resting order; `P` where it was hidden |
//! | `Reduced` that removes something shown | `X` |
//! | `Cancelled` that rested | `D` |
//! | `Replaced` that keeps its reference | `X` of the difference, or nothing |
//! | `Replaced` that rests under a new one | `U` |
//! | `Replaced` that does not rest | `D`; executions and `Booked` follow |
//! | `Replaced` of an order that was not shown | `A` or `F` where it rests, nothing otherwise |
//! | `Executed` in an uncross | `C`, not printable, of each order that was shown |
//! | `PhaseChanged` | `H`; `J` behind that of a volatility auction where the instrument has a collar |
//! | `BandsSet` in a volatility auction | `J` of the collar from then on |
//! | `Indicative` | `I` |
//! | `Uncrossed` | `Q` |
//! | `CircuitBroken` at a level | `W`, and `H` of each instrument, halted by it |
//! | `CircuitBroken` at none | `H` of each instrument as its phase has it |
//! | `TradeBusted` | `B` |
//! | `TradeCorrected` | `B`, and `P` of the trade in its place |
//! | any other; any outside of a trading day | nothing |
//!
//! Attribution is ITCH's: a `U` keeps that of the order it replaces. Why `V` and `Y` say what they say: `feed/itch/SPEC.md`,
//! "What the publisher sends".

use rialto_itch::codes::{
    Authenticity, BreachedLevel, CrossType, EventCode, FinancialStatus, Flag, ImbalanceDirection, IssueClassification,
    LuldTier, MarketCategory, PriceVariation, RegShoAction, Reserved, TradingState, YesNo,
};
use rialto_itch::values::{LeverageFactor, Seconds};
use rialto_itch::{
    AddOrder, AddOrderAttributed, BrokenTrade, CrossTrade, Encode, Header, IssueSubType, LuldAuctionCollar,
    MatchNumber, MwcbDeclineLevels, MwcbStatus, NetOrderImbalance, OrderCancel, OrderDelete, OrderExecuted,
    OrderExecutedWithPrice, OrderReference, OrderReplace, Price8, RegShoRestriction, Side, StockDirectory, StockLocate,
    StockTradingAction, SystemEvent, TimeOfDay, TotalShares, TrackingNumber, Trade, TradingReason,
};
use rialto_model::event::{
    BandsSet, Event, Executed, Indicative, InstrumentListed, LimitStateChanged, PhaseChanged, Replaced, TradeCorrected,
    Uncrossed,
};
use rialto_model::{BreakerLevel, InstrumentId, Mpid, Output, Phase, Price, PublicRef, Quantity, Timestamp, TradeId};

use crate::collar::Carried;
use crate::directory::{Directory, Listing, State, shares};

/// The reference of an order that the feed did not know.
const UNSEEN: PublicRef = PublicRef(0);
/// The levels of the market-wide circuit breaker, of an index that closed at 100 the day before: 7, 13 and 20 per cent below
/// (NYSE Rule 7.12).
const DECLINE_LEVELS: [Price8; 3] = [Price8(9_300_000_000), Price8(8_700_000_000), Price8(8_000_000_000)];

/// Where the messages go.
pub(crate) trait Messages {
    /// Takes one message.
    fn put(&mut self, message: &impl Encode);
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Translator {
    directory: Directory,
    /// From when the open day counts its nanoseconds; `None` between days.
    midnight: Option<Timestamp>,
    /// The directory of the day is being told, and market hours begin behind it.
    opening: bool,
    breaker: Option<BreachedLevel>,
    instruments_refused: u64,
    events_left_out: u64,
}

/// The event is about an instrument that is not on the feed, or states a value that its definition rules out.
struct NotOnFeed;

impl Translator {
    /// One that knows what instruments have from the days before.
    pub(crate) fn carrying(carried: impl IntoIterator<Item = Carried>) -> Self {
        let mut translator = Self::default();
        for one in carried {
            translator.directory.set_collar(one.instrument, one.collar);
        }
        translator
    }

    /// Gives `out` the messages that the output comes to, in order.
    #[inline]
    pub(crate) fn translate(&mut self, output: &Output, out: &mut impl Messages) {
        let stamp = output.event.stamp;
        let left_out = match self.order(stamp, &output.event.body, out) {
            Some(Ok(())) => false,
            Some(Err(NotOnFeed)) => true,
            None => self.rest(stamp, &output.event.body, out).is_err(),
        };
        self.events_left_out += u64::from(left_out);
        if self.opening && output.last {
            self.opening = false;
            self.system(stamp, EventCode::StartOfMarketHours, out);
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

    /// What is about an instrument, while a day is open.
    fn on(&self, stamp: Timestamp, instrument: InstrumentId) -> Result<Option<Subject<'_>>, NotOnFeed> {
        match self.midnight {
            Some(midnight) => self.in_day(stamp, midnight, instrument).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn in_day(
        &self,
        stamp: Timestamp,
        midnight: Timestamp,
        instrument: InstrumentId,
    ) -> Result<Subject<'_>, NotOnFeed> {
        let listing = self.directory.get(instrument).ok_or(NotOnFeed)?;
        let header = header(instrument, stamp, midnight);
        Ok(Subject { header, listing })
    }

    /// What the event of an order comes to; `None` for what [`rest`](Self::rest) is for. Nearly all events of a day pass here.
    #[inline]
    fn order(&self, stamp: Timestamp, event: &Event, out: &mut impl Messages) -> Option<Result<(), NotOnFeed>> {
        let midnight = self.midnight?;
        let on = |instrument| self.in_day(stamp, midnight, instrument);
        // All that join a book go on together below.
        let (instrument, order, side, quantity, price, mpid) = match event {
            Event::Accepted(e) if e.rests => (e.instrument, e.public_ref, e.side, e.quantity, e.price, e.mpid),
            Event::Booked(e) => (e.instrument, e.public_ref, e.side, e.quantity, e.price, e.mpid),
            Event::Quoted(e) if e.rests => {
                let mpid = Mpid::default();
                (e.instrument, e.public_ref, e.side, e.quantity, e.price, mpid)
            }
            Event::Restated(e) if !e.shown.is_zero() => (e.instrument, e.public_ref, e.side, e.shown, e.price, e.mpid),
            Event::Executed(e) => {
                return Some(on(e.instrument).and_then(|on| on.executed(e, out)));
            }
            Event::Cancelled(e) if e.rested => {
                return Some(on(e.instrument).map(|on| on.deleted(e.public_ref, out)));
            }
            Event::Reduced(e) if !e.removed_shown.is_zero() => {
                return Some(on(e.instrument).and_then(|on| on.reduced(e.public_ref, e.removed_shown, out)));
            }
            Event::Replaced(e) if e.public_ref == e.old_public_ref => {
                let removed = e.old_quantity.saturating_sub(e.quantity);
                if removed.is_zero() {
                    return Some(Ok(()));
                }
                return Some(on(e.instrument).and_then(|on| on.reduced(e.public_ref, removed, out)));
            }
            Event::Replaced(e) if e.old_public_ref != UNSEEN => {
                return Some(on(e.instrument).and_then(|on| on.replaced(e, out)));
            }
            Event::Replaced(e) if e.rests => (e.instrument, e.public_ref, e.side, e.quantity, e.price, e.mpid),
            Event::Accepted(_)
            | Event::Quoted(_)
            | Event::Restated(_)
            | Event::Cancelled(_)
            | Event::Reduced(_)
            | Event::Replaced(_) => return Some(Ok(())),
            _ => return None,
        };
        Some(on(instrument).and_then(|on| on.added(order, side, quantity, price, mpid, out)))
    }

    /// What is seldom.
    #[inline(never)]
    fn rest(&mut self, stamp: Timestamp, event: &Event, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        match event {
            Event::DayStarted(started) => {
                self.midnight = Some(started.midnight);
                self.opening = true;
                self.system(stamp, EventCode::StartOfMessages, out);
                self.system(stamp, EventCode::StartOfSystemHours, out);
                let [level_1, level_2, level_3] = DECLINE_LEVELS;
                out.put(&MwcbDeclineLevels {
                    header: header(InstrumentId(0), stamp, started.midnight),
                    level_1,
                    level_2,
                    level_3,
                });
            }
            Event::DayEnded(_) => {
                self.system(stamp, EventCode::EndOfMarketHours, out);
                self.system(stamp, EventCode::EndOfSystemHours, out);
                self.system(stamp, EventCode::EndOfMessages, out);
                self.midnight = None;
            }
            Event::InstrumentListed(listed) => self.list(stamp, listed, out),
            Event::CircuitBroken(broken) => self.circuit(stamp, broken.level, out),
            Event::PhaseChanged(e) => return self.phase(stamp, e, out),
            Event::BandsSet(e) => return self.bands(stamp, e, out),
            Event::LimitStateChanged(e) => self.limit(e),
            Event::Uncrossed(e) => return self.uncrossed(stamp, e, out),
            Event::Indicative(e) => {
                if let Some(on) = self.on(stamp, e.instrument)? {
                    return on.indicative(e, out);
                }
            }
            Event::TradeBusted(e) => {
                if let Some(on) = self.on(stamp, e.instrument)? {
                    on.busted(e.deal.trade, out);
                }
            }
            Event::TradeCorrected(e) => return self.corrected(stamp, e, out),
            _ => {}
        }
        Ok(())
    }

    fn system(&self, stamp: Timestamp, event: EventCode, out: &mut impl Messages) {
        if let Some(midnight) = self.midnight {
            let header = header(InstrumentId(0), stamp, midnight);
            out.put(&SystemEvent { header, event });
        }
    }

    fn list(&mut self, stamp: Timestamp, listed: &InstrumentListed, out: &mut impl Messages) {
        let Some(listing) = self.directory.list(listed) else {
            self.instruments_refused += 1;
            return;
        };
        if let Some(midnight) = self.midnight {
            let header = header(listed.instrument, stamp, midnight);
            let on = Subject { header, listing };
            on.entry(out);
            on.state(self.breaker, out);
            on.short_sale(out);
        }
    }

    /// The market-wide circuit breaker: its level, and what may be done in each instrument. ITCH has no other word for its end.
    fn circuit(&mut self, stamp: Timestamp, level: BreakerLevel, out: &mut impl Messages) {
        self.breaker = match level {
            BreakerLevel::None => None,
            BreakerLevel::One => Some(BreachedLevel::Level1),
            BreakerLevel::Two => Some(BreachedLevel::Level2),
            BreakerLevel::Three => Some(BreachedLevel::Level3),
        };
        let Some(midnight) = self.midnight else { return };
        if let Some(breached) = self.breaker {
            let header = header(InstrumentId(0), stamp, midnight);
            out.put(&MwcbStatus { header, breached });
        }
        // Of a day that is still to be listed the listing tells.
        if self.opening {
            return;
        }
        for (instrument, listing) in self.directory.iter() {
            let header = header(instrument, stamp, midnight);
            Subject { header, listing }.state(self.breaker, out);
        }
    }

    fn phase(&mut self, stamp: Timestamp, e: &PhaseChanged, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        if let Some(listing) = self.directory.get_mut(e.instrument) {
            listing.state = state_in(e.phase, listing.state.is_at_limit);
        }
        let Some(on) = self.on(stamp, e.instrument)? else {
            return Ok(());
        };
        on.state(self.breaker, out);
        self.collar(&on, e.instrument, out)
    }

    fn limit(&mut self, e: &LimitStateChanged) {
        if let Some(listing) = self.directory.get_mut(e.instrument) {
            listing.state.is_at_limit = e.entered;
        }
    }

    fn bands(&mut self, stamp: Timestamp, e: &BandsSet, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        let mut collar = self.directory.collar(e.instrument);
        collar.set(&e.bands);
        self.directory.set_collar(e.instrument, collar);
        // Rules of an instrument that is not on the feed are no loss to it.
        match self.on(stamp, e.instrument) {
            Ok(Some(on)) => self.collar(&on, e.instrument, out),
            _ => Ok(()),
        }
    }

    /// The prices between which a paused instrument reopens.
    fn collar(&self, on: &Subject<'_>, instrument: InstrumentId, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        let collar = self.directory.collar(instrument);
        match collar.prices(on.listing).filter(|_| on.listing.state.is_paused) {
            Some((low, high)) => on.collar(collar.reference, low, high, out),
            None => Ok(()),
        }
    }

    fn uncrossed(&mut self, stamp: Timestamp, e: &Uncrossed, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        let mut collar = self.directory.collar(e.instrument);
        collar.refer_to(e.price);
        self.directory.set_collar(e.instrument, collar);
        match self.on(stamp, e.instrument)? {
            Some(on) => on.uncrossed(e, out),
            None => Ok(()),
        }
    }

    fn corrected(&self, stamp: Timestamp, e: &TradeCorrected, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        let Some(on) = self.on(stamp, e.instrument)? else {
            return Ok(());
        };
        on.busted(e.deal.trade, out);
        on.traded(e.quantity, e.price, e.trade, out)
    }
}

/// What may be done in a phase, and why, in the words of ITCH 5.0 (Stock Trading Action, reasons).
fn state_in(phase: Phase, is_at_limit: bool) -> State {
    let (trading, reason) = match phase {
        Phase::Continuous => (TradingState::Trading, *b"    "),
        Phase::PreOpen | Phase::OpeningAuction | Phase::ClosingAuction => (TradingState::QuotationOnly, *b"    "),
        // Volatility trading pause: because a limit state lasted too long, or for another reason.
        Phase::VolatilityAuction if is_at_limit => (TradingState::Paused, *b"LUDP"),
        Phase::VolatilityAuction => (TradingState::Paused, *b"M   "),
        Phase::Halt | Phase::Closed | Phase::Suspended | Phase::Delisted => (TradingState::Halted, *b"    "),
    };
    State {
        trading,
        reason: TradingReason(reason),
        is_at_limit: false,
        is_paused: phase == Phase::VolatilityAuction,
    }
}

/// What a message about an order is made with.
struct Subject<'a> {
    header: Header,
    listing: &'a Listing,
}

impl Subject<'_> {
    #[inline]
    fn added(
        &self,
        order: PublicRef,
        side: rialto_model::Side,
        quantity: Quantity,
        price: Price,
        mpid: Mpid,
        out: &mut impl Messages,
    ) -> Result<(), NotOnFeed> {
        let header = self.header;
        let reference = reference(order);
        let side = match side {
            rialto_model::Side::Buy => Side::Buy,
            rialto_model::Side::Sell => Side::Sell,
        };
        let shares = shares(quantity).ok_or(NotOnFeed)?;
        let stock = self.listing.stock;
        let price = self.listing.price(price).ok_or(NotOnFeed)?;
        if mpid == Mpid::default() {
            out.put(&AddOrder {
                header,
                reference,
                side,
                shares,
                stock,
                price,
            });
        } else {
            out.put(&AddOrderAttributed {
                header,
                reference,
                side,
                shares,
                stock,
                price,
                attribution: rialto_itch::Mpid(mpid.0),
            });
        }
        Ok(())
    }

    #[inline]
    fn executed(&self, e: &Executed, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        if e.cross {
            return self.crossed(e, out);
        }
        if e.maker_hidden {
            return self.traded(e.quantity, e.price, e.trade, out);
        }
        out.put(&OrderExecuted {
            header: self.header,
            reference: reference(e.maker_public_ref),
            shares: shares(e.quantity).ok_or(NotOnFeed)?,
            match_number: MatchNumber(e.trade.0),
        });
        Ok(())
    }

    /// A trade with an order that no one saw: against the buy side, as on feeds of today (ITCH 5.0, Trade Message).
    #[inline(never)]
    fn traded(
        &self,
        quantity: Quantity,
        price: Price,
        trade: TradeId,
        out: &mut impl Messages,
    ) -> Result<(), NotOnFeed> {
        out.put(&Trade {
            header: self.header,
            reference: OrderReference(0),
            side: Side::Buy,
            shares: shares(quantity).ok_or(NotOnFeed)?,
            stock: self.listing.stock,
            price: self.listing.price(price).ok_or(NotOnFeed)?,
            match_number: MatchNumber(trade.0),
        });
        Ok(())
    }

    fn busted(&self, trade: TradeId, out: &mut impl Messages) {
        out.put(&BrokenTrade {
            header: self.header,
            match_number: MatchNumber(trade.0),
        });
    }

    /// An execution of an uncross: of each order that was shown, at the price of the uncross, which its own message counts.
    #[inline(never)]
    fn crossed(&self, e: &Executed, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        let shown = [
            (e.maker_public_ref, !e.maker_hidden),
            (e.taker_public_ref, e.taker_public_ref != UNSEEN),
        ];
        for (order, _) in shown.into_iter().filter(|(_, shown)| *shown) {
            out.put(&OrderExecutedWithPrice {
                header: self.header,
                reference: reference(order),
                shares: shares(e.quantity).ok_or(NotOnFeed)?,
                match_number: MatchNumber(e.trade.0),
                printable: YesNo::No,
                price: self.listing.price(e.price).ok_or(NotOnFeed)?,
            });
        }
        Ok(())
    }

    /// The far price, which only orders for the auction would make, is not told apart from the near price.
    fn indicative(&self, e: &Indicative, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        let price = |price| self.listing.price(price).ok_or(NotOnFeed);
        let direction = match e.side {
            _ if e.volume.is_zero() => ImbalanceDirection::InsufficientOrders,
            _ if e.imbalance.is_zero() => ImbalanceDirection::None,
            rialto_model::Side::Buy => ImbalanceDirection::Buy,
            rialto_model::Side::Sell => ImbalanceDirection::Sell,
        };
        out.put(&NetOrderImbalance {
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
        });
        Ok(())
    }

    fn uncrossed(&self, e: &Uncrossed, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        out.put(&CrossTrade {
            header: self.header,
            shares: TotalShares(e.volume.0),
            stock: self.listing.stock,
            price: self.listing.price(e.price).ok_or(NotOnFeed)?,
            match_number: MatchNumber(e.trade.0),
            cross_type: cross_type(e.phase),
        });
        Ok(())
    }

    #[inline]
    fn reduced(&self, order: PublicRef, removed: Quantity, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        out.put(&OrderCancel {
            header: self.header,
            reference: reference(order),
            shares: shares(removed).ok_or(NotOnFeed)?,
        });
        Ok(())
    }

    #[inline]
    fn replaced(&self, e: &Replaced, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        if !e.rests {
            self.deleted(e.old_public_ref, out);
            return Ok(());
        }
        out.put(&OrderReplace {
            header: self.header,
            original_reference: reference(e.old_public_ref),
            new_reference: reference(e.public_ref),
            shares: shares(e.quantity).ok_or(NotOnFeed)?,
            price: self.listing.price(e.price).ok_or(NotOnFeed)?,
        });
        Ok(())
    }

    #[inline]
    fn deleted(&self, order: PublicRef, out: &mut impl Messages) {
        out.put(&OrderDelete {
            header: self.header,
            reference: reference(order),
        });
    }

    /// A Stock Directory entry; what Rialto's instruments do not have is not stated.
    fn entry(&self, out: &mut impl Messages) {
        let listing = self.listing;
        out.put(&StockDirectory {
            header: self.header,
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
        });
    }

    /// What may be done in the instrument: nothing while the market is halted as a whole.
    fn state(&self, breaker: Option<BreachedLevel>, out: &mut impl Messages) {
        let own = &self.listing.state;
        let (state, reason) = match breaker {
            None => (own.trading, own.reason),
            Some(BreachedLevel::Level1) => (TradingState::Halted, TradingReason(*b"MWC1")),
            Some(BreachedLevel::Level2) => (TradingState::Halted, TradingReason(*b"MWC2")),
            Some(BreachedLevel::Level3) => (TradingState::Halted, TradingReason(*b"MWC3")),
        };
        out.put(&StockTradingAction {
            header: self.header,
            stock: self.listing.stock,
            state,
            reserved: Reserved,
            reason,
        });
    }

    /// The rulebook has no price test for short sales: none is ever restricted.
    fn short_sale(&self, out: &mut impl Messages) {
        out.put(&RegShoRestriction {
            header: self.header,
            stock: self.listing.stock,
            action: RegShoAction::NoTest,
        });
    }

    /// The auction behind a pause is not extended: it ends by its time or by the venue's command.
    fn collar(&self, reference: Price, low: Price, high: Price, out: &mut impl Messages) -> Result<(), NotOnFeed> {
        let price = |price| self.listing.price(price).ok_or(NotOnFeed);
        out.put(&LuldAuctionCollar {
            header: self.header,
            stock: self.listing.stock,
            reference_price: price(reference)?,
            upper_price: price(high)?,
            lower_price: price(low)?,
            extension: Seconds(0),
        });
        Ok(())
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
