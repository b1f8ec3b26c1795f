//! What is valid under the rules of an instrument, said in the order of the checks.

use crate::book::Book;
use crate::engine::Engine;
use crate::pool::NONE;
use rialto_model::command::EnterSpecial;
use rialto_model::{
    AccountId, AuctionOnly, BreakerLevel, FirmId, Handling, Instructions, Offers, OrderKind, Phase, Price, Quantity,
    RejectReason, ShortSale, Side, TimeInForce, Timestamp,
};

use super::{index, is_pegged};

/// What an order wants, new or replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) side: Side,
    pub(super) kind: OrderKind,
    pub(super) tif: TimeInForce,
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) instructions: Instructions,
}

impl Wish {
    /// Whether it may ever stand in the venue.
    pub(super) fn could_stand(&self, phase: Phase) -> bool {
        let set_aside = self.instructions.trigger.0 != 0 || self.instructions.auction != AuctionOnly::Any;
        set_aside || phase.is_call() || (self.kind == OrderKind::Limit && self.tif.rests())
    }
}

impl Engine {
    /// A new order: who it is for, then whether the firm may, then the order itself. Gives its price, which a post-only
    /// order may have slid to.
    pub(super) fn judge_special(
        &self,
        c: &EnterSpecial,
        firm: FirmId,
        account: AccountId,
    ) -> Result<u32, RejectReason> {
        self.judge_faults(c.session)?;
        self.judge_open()?;
        if self.book(c.instrument).is_none() {
            return Err(RejectReason::UnknownInstrument);
        }
        if c.account.0 != 0 && self.accounts.get(account.0 as usize) != Some(&firm) {
            return Err(RejectReason::UnknownAccount);
        }
        if c.side == Side::Buy && c.short != ShortSale::None {
            return Err(RejectReason::ShortSaleOnBuy);
        }
        let wish = Wish {
            side: c.side,
            kind: c.kind,
            tif: c.tif,
            price: c.price,
            quantity: c.quantity,
            instructions: c.instructions,
        };
        let price = self.judge_wish(usize::from(c.instrument.0) - 1, firm, &wish)?;
        let phase = self.books[usize::from(c.instrument.0) - 1].phase();
        if wish.could_stand(phase) && self.orders.live() >= self.live_orders_max as usize {
            return Err(RejectReason::BookFull);
        }
        Ok(price)
    }

    /// The order itself, new or as a replace wants it.
    pub(super) fn judge_wish(&self, at: usize, firm: FirmId, wish: &Wish) -> Result<u32, RejectReason> {
        if self.firm_rules(firm).killed {
            return Err(RejectReason::FirmKilled);
        }
        if self.breaker != BreakerLevel::None {
            return Err(RejectReason::CircuitBroken);
        }
        let book = &self.books[at];
        book.judge_offer(wish)?;
        judge_conflict(wish)?;
        judge_phase(book.phase(), wish)?;
        book.judge_quantities(wish)?;
        let price = book.judge_price(wish)?;
        if wish.kind == OrderKind::Limit && !book.is_within(wish.side, price) {
            return Err(RejectReason::PriceOutsideBands);
        }
        book.judge_trigger(wish)?;
        if wish.instructions.expires != Timestamp(0) && wish.instructions.expires <= self.last_stamp {
            return Err(RejectReason::ExpiryInvalid);
        }
        self.judge_post_only(at, wish, price)
    }

    /// Post-only: FIX 18 = 6; OUCH 5.0 option 12. Hidden orders of the other side count: it must not trade with those either.
    fn judge_post_only(&self, at: usize, wish: &Wish, price: u32) -> Result<u32, RejectReason> {
        let handling = wish.instructions.handling;
        if !handling.has(Handling::POST_ONLY) {
            return Ok(price);
        }
        let book = &self.books[at];
        let Some(best) = self.best_price(at, wish.side.opposite()) else {
            return Ok(price);
        };
        let crosses = match wish.side {
            Side::Buy => price >= best,
            Side::Sell => price <= best,
        };
        if !crosses {
            return Ok(price);
        }
        let slid = match wish.side {
            Side::Buy => book.price_below(best),
            Side::Sell => book.price_above(best),
        };
        match slid {
            Some(slid) if handling.has(Handling::SLIDE) => Ok(slid),
            _ => Err(RejectReason::PostOnlyWouldTrade),
        }
    }

    /// The best price of a side, displayed or hidden.
    pub(super) fn best_price(&self, at: usize, side: Side) -> Option<u32> {
        let book = &self.books[at];
        let displayed = book.side(side);
        let hidden = book.special.as_ref().map(|special| &special.hidden[index(side)]);
        let best = match hidden {
            Some(hidden) if hidden.best_rank < displayed.best_rank => hidden.best,
            _ => displayed.best,
        };
        (best != NONE).then(|| self.rungs.levels[best].price)
    }
}

impl Book {
    /// What the rulebook leaves out is refused with a reason of its own.
    fn judge_offer(&self, wish: &Wish) -> Result<(), RejectReason> {
        let offers = self.rules().offers;
        if wish.instructions.handling.has(Handling::DISCRETION) {
            return Err(RejectReason::DiscretionNotOffered);
        }
        let Instructions {
            handling,
            auction,
            display,
            minimum,
            trigger,
            expires,
            ..
        } = wish.instructions;
        let stop = trigger.0 != 0;
        let kind = match wish.kind {
            _ if handling.has(Handling::TRAILING) => Offers::TRAILING_STOP,
            OrderKind::Limit if stop => Offers::STOP_LIMIT,
            OrderKind::Market if stop => Offers::STOP,
            OrderKind::Limit => Offers::LIMIT,
            OrderKind::Market => Offers::MARKET,
        };
        if !offers.has(kind) {
            return Err(RejectReason::TypeNotOffered);
        }
        let lifetime = match wish.tif {
            _ if auction == AuctionOnly::Opening => Offers::AT_THE_OPENING,
            _ if auction == AuctionOnly::Closing => Offers::AT_THE_CLOSE,
            TimeInForce::Day => Offers::DAY,
            TimeInForce::GoodTillCancel if expires.0 != 0 => Offers::GOOD_TILL_DATE,
            TimeInForce::GoodTillCancel => Offers::GOOD_TILL_CANCEL,
            TimeInForce::ImmediateOrCancel => Offers::IMMEDIATE_OR_CANCEL,
            TimeInForce::FillOrKill => Offers::FILL_OR_KILL,
        };
        if !offers.has(lifetime) {
            return Err(RejectReason::LifetimeNotOffered);
        }
        let mut needed = Offers::NONE;
        if handling.has(Handling::POST_ONLY) {
            needed = needed.with(Offers::POST_ONLY);
        }
        if handling.has(Handling::SLIDE) {
            needed = needed.with(Offers::SLIDE);
        }
        if handling.has(Handling::HIDDEN) {
            needed = needed.with(Offers::HIDDEN);
        }
        if handling.has(Handling::PEG_PRIMARY) {
            needed = needed.with(Offers::PEG_PRIMARY);
        }
        if handling.has(Handling::PEG_MIDPOINT) {
            needed = needed.with(Offers::PEG_MIDPOINT);
        }
        if !display.is_zero() {
            needed = needed.with(Offers::ICEBERG);
        }
        if !minimum.is_zero() {
            needed = needed.with(Offers::MINIMUM);
        }
        // Without a rulebook nothing of an order may be special.
        let plain_book = self.special.is_none() && !wish.instructions.is_none();
        if plain_book || !offers.has(needed) || !Handling::ALL.has(handling) {
            return Err(RejectReason::InstructionNotOffered);
        }
        Ok(())
    }

    /// FIX 38, 111 and 110 in lots.
    fn judge_quantities(&self, wish: &Wish) -> Result<(), RejectReason> {
        let rules = self.rules();
        let quantity = wish.quantity;
        let in_lots = |quantity: Quantity| quantity.0.is_multiple_of(rules.lot.0);
        if quantity.is_zero() {
            return Err(RejectReason::QuantityZero);
        }
        if quantity > rules.quantity_max {
            return Err(RejectReason::QuantityTooLarge);
        }
        if !in_lots(quantity) {
            return Err(RejectReason::QuantityOffLot);
        }
        if quantity < rules.quantity_min {
            return Err(RejectReason::QuantityTooSmall);
        }
        let Instructions { display, minimum, .. } = wish.instructions;
        if display.quantity() > quantity || !in_lots(display.quantity()) {
            return Err(RejectReason::DisplayInvalid);
        }
        if minimum.quantity() > quantity || !in_lots(minimum.quantity()) {
            return Err(RejectReason::MinimumInvalid);
        }
        Ok(())
    }

    /// FIX 44 on the tick size of its price; zero for a market order.
    fn judge_price(&self, wish: &Wish) -> Result<u32, RejectReason> {
        if wish.kind == OrderKind::Market {
            return Ok(0);
        }
        self.checked_price(wish.price).map_err(|reason| match reason {
            PriceFault::Range => RejectReason::PriceOutOfRange,
            PriceFault::Tick => RejectReason::PriceOffTick,
        })
    }

    fn checked_price(&self, price: Price) -> Result<u32, PriceFault> {
        if price.0 <= 0 || price.0 > i64::from(self.price_max) {
            return Err(PriceFault::Range);
        }
        let price = price.0 as u32;
        if price.is_multiple_of(self.tick_at(price)) {
            Ok(price)
        } else {
            Err(PriceFault::Tick)
        }
    }

    /// FIX 99: a price of the instrument. A trailing distance is a number of its smallest ticks, and needs a trade to follow.
    fn judge_trigger(&self, wish: &Wish) -> Result<(), RejectReason> {
        let Instructions { trigger, handling, .. } = wish.instructions;
        if trigger.0 == 0 {
            return Ok(());
        }
        let valid = if handling.has(Handling::TRAILING) {
            let on_tick = trigger.0 > 0 && trigger.0 % i64::from(self.tick) == 0;
            on_tick && trigger.0 <= i64::from(self.price_max) && self.last_price > 0
        } else {
            self.checked_price(trigger).is_ok()
        };
        if valid {
            Ok(())
        } else {
            Err(RejectReason::TriggerInvalid)
        }
    }

    /// The highest valid price below one.
    pub(super) fn price_below(&self, price: u32) -> Option<u32> {
        let below = price.checked_sub(1)?;
        let tick = self.tick_at(below);
        let slid = below / tick * tick;
        (slid > 0).then_some(slid)
    }

    /// The lowest valid price above one.
    pub(super) fn price_above(&self, price: u32) -> Option<u32> {
        let tick = self.tick_at(price);
        let slid = (price / tick + 1) * tick;
        (slid <= self.price_max).then_some(slid)
    }
}

enum PriceFault {
    Range,
    Tick,
}

/// Whether the phase takes the order: while orders are collected, none that has to trade or not to trade at once; for the
/// opening auction, none but before and in it.
fn judge_phase(phase: Phase, wish: &Wish) -> Result<(), RejectReason> {
    let Instructions {
        handling,
        auction,
        minimum,
        ..
    } = wish.instructions;
    let at_once =
        !wish.tif.rests() || !minimum.is_zero() || handling.has(Handling::POST_ONLY) || is_pegged(&wish.instructions);
    let too_late = auction == AuctionOnly::Opening && !matches!(phase, Phase::PreOpen | Phase::OpeningAuction);
    if !phase.takes_orders() || (phase.is_call() && at_once) || too_late {
        return Err(RejectReason::NotInThisPhase);
    }
    Ok(())
}

/// Instructions that cannot be followed together. Post-only and hidden orders, icebergs and stops have to be able to rest;
/// a stop judges nothing but its price on entry; an expiry is that of an order which has no other end.
fn judge_conflict(wish: &Wish) -> Result<(), RejectReason> {
    let Instructions {
        handling,
        auction,
        display,
        minimum,
        trigger,
        expires,
        ..
    } = wish.instructions;
    let rests = wish.kind == OrderKind::Limit && wish.tif.rests();
    let stop = trigger.0 != 0;
    let post_only = handling.has(Handling::POST_ONLY);
    let pegged = is_pegged(&wish.instructions);
    let twice = handling.has(Handling::PEG_PRIMARY) && handling.has(Handling::PEG_MIDPOINT);
    let conflict = (post_only && (!rests || stop || !minimum.is_zero()))
        || (pegged && (!handling.has(Handling::HIDDEN) || twice || post_only || stop || !minimum.is_zero()))
        || (handling.has(Handling::SLIDE) && !post_only)
        || (handling.has(Handling::HIDDEN) && (!rests || !display.is_zero()))
        || (!display.is_zero() && !rests)
        || (handling.has(Handling::TRAILING) && (!stop || wish.kind == OrderKind::Limit))
        || (stop && (!wish.tif.rests() || !minimum.is_zero()))
        || (!minimum.is_zero() && wish.tif == TimeInForce::FillOrKill)
        || (expires.0 != 0 && wish.tif != TimeInForce::GoodTillCancel)
        || (auction != AuctionOnly::Any
            && (wish.tif != TimeInForce::Day
                || stop
                || !handling.is_empty()
                || !display.is_zero()
                || !minimum.is_zero()));
    if conflict {
        Err(RejectReason::InstructionConflict)
    } else {
        Ok(())
    }
}
