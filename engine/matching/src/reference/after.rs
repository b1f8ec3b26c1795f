//! After the trade in the naive engine: fees, busts and corrections.

use super::rules::is_on_definition_tick;
use super::{Engine, broken};
use crate::state::InstrumentState;
use rialto_model::command::{BustTrade, CorrectTrade, SetAllocation, SetFees};
use rialto_model::event::{AllocationSet, CommandRejected, FeesSet, TradeBusted, TradeCorrected};
use rialto_model::limits::UNDONE_TRADES_MAX;
use rialto_model::{
    AllocationRule, Deal, Event, InstrumentId, Money, Part, Price, Quantity, Rate, RejectReason, TradeId,
};

impl Engine {
    pub(super) fn set_fees(&mut self, c: &SetFees) -> Event {
        let units = [c.fees.maker_unit.0, c.fees.taker_unit.0, c.fees.cross_unit.0];
        let rates = [c.fees.maker_rate.0, c.fees.taker_rate.0, c.fees.cross_rate.0];
        let fits = units.iter().all(|unit| (-1_000_000_000..=1_000_000_000).contains(unit))
            && rates.iter().all(|rate| (-10_000..=10_000).contains(rate));
        match self.listed_mut(c.instrument).and_then(|listed| listed.rules.as_mut()) {
            Some(rules) if fits && c.version == rules.version + 1 => {
                rules.version = c.version;
                rules.fees = c.fees;
                FeesSet {
                    instrument: c.instrument,
                    version: c.version,
                    fees: c.fees,
                }
                .into()
            }
            _ => broken(SetFees::SCHEMA),
        }
    }

    pub(super) fn set_allocation(&mut self, c: &SetAllocation) -> Event {
        let Some(listed) = self.listed_mut(c.instrument) else {
            return broken(SetAllocation::SCHEMA);
        };
        let (one, new) = (listed.definition, c.allocation);
        let bad = |part: Part| !u64::from(part.0).is_multiple_of(one.lot.0) || u64::from(part.0) > one.quantity_max.0;
        let useless = match new.rule {
            AllocationRule::Fifo => new.minimum.0 != 0 || new.top_max.0 != 0 || new.fifo_percent != 0,
            AllocationRule::ProRata => new.top_max.0 != 0 || new.fifo_percent != 0,
            AllocationRule::TopProRata => new.fifo_percent != 0,
            AllocationRule::Split => new.top_max.0 != 0 || new.fifo_percent > 100,
        };
        match &mut listed.rules {
            Some(rules) if !useless && !bad(new.minimum) && !bad(new.top_max) && c.version == rules.version + 1 => {
                rules.version = c.version;
                rules.allocation = new;
                AllocationSet {
                    instrument: c.instrument,
                    version: c.version,
                    allocation: new,
                }
                .into()
            }
            _ => broken(SetAllocation::SCHEMA),
        }
    }

    pub(super) fn bust_trade(&mut self, c: &BustTrade) -> Event {
        if let Some(reason) = self.not_undone(c.instrument, &c.deal) {
            return refused(BustTrade::SCHEMA, reason);
        }
        self.undo(c.deal.trade);
        TradeBusted {
            instrument: c.instrument,
            deal: c.deal,
        }
        .into()
    }

    pub(super) fn correct_trade(&mut self, c: &CorrectTrade) -> Event {
        if let Some(reason) = self.not_undone(c.instrument, &c.deal) {
            return refused(CorrectTrade::SCHEMA, reason);
        }
        let Some(listed) = self.listed_mut(c.instrument) else {
            return refused(CorrectTrade::SCHEMA, RejectReason::UnknownInstrument);
        };
        let one = listed.definition;
        let faults = [
            (c.quantity.0 == 0, RejectReason::QuantityZero),
            (c.quantity > one.quantity_max, RejectReason::QuantityTooLarge),
            (!c.quantity.0.is_multiple_of(one.lot.0), RejectReason::QuantityOffLot),
            (c.price.0 < 1 || c.price > one.price_max, RejectReason::PriceOutOfRange),
            (!is_on_definition_tick(&one, c.price), RejectReason::PriceOffTick),
        ];
        if let Some((_, reason)) = faults.into_iter().find(|(broken, _)| *broken) {
            return refused(CorrectTrade::SCHEMA, reason);
        }
        listed.trades += 1;
        let trade = TradeId::new(c.instrument, listed.trades);
        let (maker_fee, taker_fee) = fees(listed, c.price, c.quantity, c.deal.cross);
        self.undo(c.deal.trade);
        TradeCorrected {
            instrument: c.instrument,
            deal: c.deal,
            trade,
            price: c.price,
            quantity: c.quantity,
            maker_fee,
            taker_fee,
        }
        .into()
    }

    fn undo(&mut self, trade: TradeId) {
        self.state.undone.push(trade);
        self.state.undone.sort_unstable();
    }

    /// Why a trade may not be undone.
    fn not_undone(&self, instrument: InstrumentId, deal: &Deal) -> Option<RejectReason> {
        if !self.state.day_open {
            return Some(RejectReason::MarketClosed);
        }
        let Some(listed) = self.listed(instrument) else {
            return Some(RejectReason::UnknownInstrument);
        };
        let mut today = listed.trades_at_open + 1..=listed.trades;
        if !today.any(|count| TradeId::new(instrument, count) == deal.trade) {
            return Some(RejectReason::UnknownTrade);
        }
        if self.state.undone.contains(&deal.trade) {
            return Some(RejectReason::TradeUndone);
        }
        if self.state.undone.len() == UNDONE_TRADES_MAX {
            return Some(RejectReason::TooManyUndone);
        }
        let strangers = [deal.maker_session, deal.taker_session];
        let mut strangers = strangers.into_iter().filter(|id| self.session(*id).is_none());
        strangers.next().map(|_| RejectReason::UnknownSession)
    }
}

/// What maker and taker pay.
pub(super) fn fees(listed: &InstrumentState, price: Price, quantity: Quantity, cross: bool) -> (Money, Money) {
    let Some(rules) = &listed.rules else {
        return (Money(0), Money(0));
    };
    let one = |unit: Money, rate: Rate| -> Money {
        // In millionths, then hundredths: halves go away from zero.
        let worth = i128::from(price.0) * i128::from(quantity.0) * i128::from(rate.0);
        let (whole, rest) = (worth / 10_000, worth % 10_000);
        let away = if rest * 2 >= 10_000 {
            1
        } else if rest * 2 <= -10_000 {
            -1
        } else {
            0
        };
        let by_unit = i128::from(unit.0) * i128::from(quantity.0);
        Money((by_unit + whole + away) as i64)
    };
    let asked = rules.fees;
    match cross {
        true => (
            one(asked.cross_unit, asked.cross_rate),
            one(asked.cross_unit, asked.cross_rate),
        ),
        false => (
            one(asked.maker_unit, asked.maker_rate),
            one(asked.taker_unit, asked.taker_rate),
        ),
    }
}

fn refused(schema: u16, reason: RejectReason) -> Event {
    CommandRejected { schema, reason }.into()
}
