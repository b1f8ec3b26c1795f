//! After the trade: what it costs, and how it is undone.

use crate::book::Book;
use crate::engine::Engine;
use rialto_model::command::{BustTrade, CorrectTrade, SetFees};
use rialto_model::deal::{FEE_RATE_MAX, FEE_UNIT_MAX};
use rialto_model::event::{CommandRejected, FeesSet, TradeBusted, TradeCorrected};
use rialto_model::limits::UNDONE_TRADES_MAX;
use rialto_model::{
    Deal, Event, Fees, InstrumentId, Money, OrderKind, Price, Quantity, Rate, RejectReason, Side, TradeId,
};

use super::rules::refused;

/// Millionths of a worth in price units, over hundredths of a price unit.
const RATE_OVER_MONEY: i128 = 10_000;

/// Whether fees are in range.
pub(crate) fn are_sound_fees(fees: &Fees) -> bool {
    let units = [fees.maker_unit, fees.taker_unit, fees.cross_unit];
    let rates = [fees.maker_rate, fees.taker_rate, fees.cross_rate];
    units.iter().all(|unit| unit.0.abs_diff(0) <= FEE_UNIT_MAX as u64)
        && rates.iter().all(|rate| rate.0.abs_diff(0) <= FEE_RATE_MAX as u64)
}

impl Engine {
    /// Maker-taker fees of an instrument: see [`Fees`] for the rounding.
    #[cold]
    pub(crate) fn set_fees(&mut self, c: &SetFees) -> Event {
        let version = self.version(c.instrument);
        if version == 0 || c.version != version + 1 || !are_sound_fees(&c.fees) {
            return refused(SetFees::SCHEMA);
        }
        let special = self.special_book(usize::from(c.instrument.0) - 1);
        special.version = c.version;
        special.fees = c.fees;
        FeesSet {
            instrument: c.instrument,
            version: c.version,
            fees: c.fees,
        }
        .into()
    }

    /// Nasdaq Rule 11890, NYSE Rule 7.10: a clearly erroneous execution is null and void, and an event says so that undoes it.
    #[cold]
    pub(crate) fn bust_trade(&mut self, c: &BustTrade) -> Event {
        let at = match self.judge_undoing(c.instrument, &c.deal) {
            Ok(at) => at,
            Err(reason) => return rejected(BustTrade::SCHEMA, reason),
        };
        self.undone.insert(c.deal.trade);
        TradeBusted {
            instrument: self.books[at].instrument,
            deal: c.deal,
        }
        .into()
    }

    /// As [`Engine::bust_trade`], with another trade in its place.
    #[cold]
    pub(crate) fn correct_trade(&mut self, c: &CorrectTrade) -> Event {
        let judged = self.judge_undoing(c.instrument, &c.deal).and_then(|at| {
            self.books[at].terms(Side::Buy, OrderKind::Limit, c.price, c.quantity)?;
            Ok(at)
        });
        let at = match judged {
            Ok(at) => at,
            Err(reason) => return rejected(CorrectTrade::SCHEMA, reason),
        };
        self.undone.insert(c.deal.trade);
        let book = &mut self.books[at];
        let (maker_fee, taker_fee) = book.fees(c.price, c.quantity, c.deal.cross);
        TradeCorrected {
            instrument: c.instrument,
            deal: c.deal,
            trade: book.next_trade(),
            price: c.price,
            quantity: c.quantity,
            maker_fee,
            taker_fee,
        }
        .into()
    }

    fn judge_undoing(&self, instrument: InstrumentId, deal: &Deal) -> Result<usize, RejectReason> {
        if !self.day_open {
            return Err(RejectReason::MarketClosed);
        }
        let book = self.book(instrument).ok_or(RejectReason::UnknownInstrument)?;
        let first = TradeId::new(instrument, book.trades_at_open + 1);
        let last = TradeId::new(instrument, book.trades);
        if deal.trade < first || deal.trade > last {
            return Err(RejectReason::UnknownTrade);
        }
        if self.undone.contains(&deal.trade) {
            return Err(RejectReason::TradeUndone);
        }
        if self.undone.len() >= UNDONE_TRADES_MAX {
            return Err(RejectReason::TooManyUndone);
        }
        let sessions = [deal.maker_session, deal.taker_session];
        if !sessions.iter().all(|id| self.registry.sessions.contains_key(id)) {
            return Err(RejectReason::UnknownSession);
        }
        Ok(usize::from(instrument.0) - 1)
    }
}

impl Book {
    /// What the maker and the taker of a trade pay.
    pub(super) fn fees(&self, price: Price, quantity: Quantity, cross: bool) -> (Money, Money) {
        let Some(special) = &self.special else {
            return (Money(0), Money(0));
        };
        let fees = &special.fees;
        let fee = |unit, rate| fee(unit, rate, price, quantity);
        if cross {
            let each = fee(fees.cross_unit, fees.cross_rate);
            return (each, each);
        }
        (
            fee(fees.maker_unit, fees.maker_rate),
            fee(fees.taker_unit, fees.taker_rate),
        )
    }
}

/// Within 64 bits: at most 10^9 units at 10^9, and a hundredth of 2 * 10^18.
fn fee(unit: Money, rate: Rate, price: Price, quantity: Quantity) -> Money {
    let quantity = quantity.0 as i64;
    let worth = i128::from(price.0) * i128::from(quantity) * i128::from(rate.0);
    let rounded = (worth.abs() + RATE_OVER_MONEY / 2) / RATE_OVER_MONEY * worth.signum();
    Money(unit.0 * quantity + rounded as i64)
}

fn rejected(schema: u16, reason: RejectReason) -> Event {
    CommandRejected { schema, reason }.into()
}
