//! From an order as people write it to OUCH's terms.

use crate::order::price;
use crate::ouch_client::OuchClient;
use rialto_ouch::messages::{
    Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, Options, PostOnly, Price, Quantity,
    ReplaceOrder, Side, Symbol, TimeInForce, UserRefNum,
};
use rialto_web::{Change, Refusal, Ticket};
use rust_decimal::Decimal;

/// What an order asks for, judged as far as it can be without the exchange.
pub(super) struct Terms {
    pub(super) side: Side,
    /// None: at any price.
    pub(super) limit: Option<(Decimal, Price)>,
    quantity: Quantity,
    symbol: Symbol,
    time_in_force: TimeInForce,
    cross_type: CrossType,
    display: Display,
    options: Options,
}

pub(super) fn refusal(status: u16, detail: impl Into<String>, mend: &str) -> Refusal {
    Refusal {
        status,
        detail: detail.into(),
        mend: mend.to_owned(),
    }
}

pub(super) fn no_connection() -> Refusal {
    refusal(
        503,
        "the desk is not logged in at the exchange",
        "try again in a moment; see whether another session uses its name",
    )
}

fn bad(detail: String) -> Refusal {
    refusal(422, detail, "correct the order and send it again")
}

/// A quantity that an order may have.
fn quantity(quantity: u32) -> Result<Quantity, Refusal> {
    let quantity = Quantity(quantity);
    if quantity.is_enterable() {
        return Ok(quantity);
    }
    Err(bad(format!("the quantity is not between 1 and {}", Quantity::MAX.0)))
}

/// A limit as a decimal, exactly.
fn limit(text: &str) -> Result<(Decimal, Price), Refusal> {
    let decimal: Decimal = text
        .parse()
        .map_err(|_| bad(format!("the price {text:?} is no decimal")))?;
    Ok((decimal, price(decimal).map_err(|error| bad(format!("{error:#}")))?))
}

impl Terms {
    pub(super) fn of(ticket: &Ticket) -> Result<Self, Refusal> {
        let side = match ticket.side.as_str() {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            "sell_short" => Side::SellShort,
            "sell_short_exempt" => Side::SellShortExempt,
            other => {
                let known = "buy, sell, sell_short or sell_short_exempt";
                return Err(bad(format!("no side is called {other:?}: use {known}")));
            }
        };
        let at_once = TimeInForce::ImmediateOrCancel;
        let (time_in_force, cross_type) = match ticket.tif.as_str() {
            "day" => (TimeInForce::Day, CrossType::Continuous),
            "ioc" | "fok" => (at_once, CrossType::Continuous),
            "open" => (TimeInForce::Day, CrossType::Opening),
            "close" => (TimeInForce::Day, CrossType::Closing),
            other => {
                let known = "day, ioc, fok, open or close";
                return Err(bad(format!("no time in force is called {other:?}: use {known}")));
            }
        };
        if ticket.tif == "fok" && ticket.minimum.is_some() {
            return Err(bad("fok is all of it: leave the minimum out".to_owned()));
        }
        let quantity = quantity(ticket.quantity)?;
        let limit = ticket.price.as_deref().map(limit).transpose()?;
        let symbol = Symbol::new(&ticket.symbol).map_err(|error| bad(format!("the symbol: {error}")))?;
        let minimum = if ticket.tif == "fok" {
            Some(ticket.quantity)
        } else {
            ticket.minimum
        };
        Ok(Self {
            side,
            limit,
            quantity,
            symbol,
            time_in_force,
            cross_type,
            display: if ticket.hidden {
                Display::Hidden
            } else {
                Display::Visible
            },
            options: Options {
                min_quantity: minimum.map(Quantity),
                max_floor: ticket.display.map(Quantity),
                post_only: ticket.post_only.then_some(PostOnly::PostOnly),
                ..Options::NONE
            },
        })
    }

    /// What a replacement asks for: the symbol and side are those of its order.
    pub(super) fn of_change(change: &Change) -> Result<Self, Refusal> {
        let Change {
            quantity,
            price,
            post_only,
            hidden,
            display,
        } = change;
        Self::of(&Ticket {
            symbol: String::new(),
            side: "buy".to_owned(),
            quantity: *quantity,
            price: price.clone(),
            tif: "day".to_owned(),
            post_only: *post_only,
            hidden: *hidden,
            display: *display,
            minimum: None,
        })
    }

    /// Sends them as a replacement of an order.
    pub(super) fn replace(
        &self,
        client: &mut OuchClient,
        orig_user_ref: UserRefNum,
        user_ref: UserRefNum,
        cl_ord_id: ClOrdId,
    ) -> Result<(), Refusal> {
        let options = self.options.to_appendage();
        let replace = ReplaceOrder {
            orig_user_ref,
            user_ref,
            quantity: self.quantity,
            price: self.limit.map_or(Price::MARKET, |(_, price)| price),
            time_in_force: self.time_in_force,
            display: self.display,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cl_ord_id,
            appendage: options.as_appendage(),
        };
        client.send(replace).map_err(|_| no_connection())
    }

    /// Sends the order under a reference and a client's identifier.
    pub(super) fn send(
        &self,
        client: &mut OuchClient,
        user_ref: UserRefNum,
        cl_ord_id: ClOrdId,
    ) -> Result<(), Refusal> {
        let options = self.options.to_appendage();
        let order = EnterOrder {
            user_ref,
            side: self.side,
            quantity: self.quantity,
            symbol: self.symbol,
            price: self.limit.map_or(Price::MARKET, |(_, price)| price),
            time_in_force: self.time_in_force,
            display: self.display,
            capacity: Capacity::Principal,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: self.cross_type,
            cl_ord_id,
            appendage: options.as_appendage(),
        };
        client.send(order).map_err(|_| no_connection())
    }
}

pub(super) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
        Side::SellShort => "sell_short",
        Side::SellShortExempt => "sell_short_exempt",
    }
}
