//! Whether every order of an instrument stands where one like it may stand.

use super::ImportError;
use crate::special::is_pegged;
use crate::state::{InstrumentState, OrderState, Special};
use rialto_model::{AuctionOnly, Handling, OrderId, OrderKind, Price, Side};

/// Checks the order of each queue, and what instructions have to do with a place.
pub(super) fn check(listed: &InstrumentState) -> Result<(), ImportError> {
    let queues = [
        (Side::Buy, false, &listed.bids),
        (Side::Sell, false, &listed.asks),
        (Side::Buy, true, &listed.hidden_bids),
        (Side::Sell, true, &listed.hidden_asks),
    ];
    for (side, hidden, queue) in queues {
        if let Some(pair) = queue.windows(2).find(|pair| !in_order(pair, side)) {
            return Err(out_of_order(pair.last()));
        }
        for order in queue {
            check_queued(order, hidden).map_err(|fault| of(order, fault))?;
        }
    }
    for one in &listed.aside {
        check_aside(&one.order).map_err(|fault| of(&one.order, fault))?;
    }
    let refs = listed.aside.windows(2);
    match refs
        .into_iter()
        .find(|pair| matches!(pair, [one, other] if one.order.public_ref >= other.order.public_ref))
    {
        Some(pair) => Err(out_of_order(pair.last().map(|one| &one.order))),
        None => Ok(()),
    }
}

/// Whether an order may have no price: a pegged order, a market order, or a stop order that becomes one.
pub(super) fn is_unpriced(order: &OrderState) -> bool {
    let market = |special: &Special| special.kind == OrderKind::Market;
    order.price == Price(0) && (order.special.as_ref().is_some_and(market) || is_pegged(&order.instructions()))
}

fn check_queued(order: &OrderState, hidden: bool) -> Result<(), &'static str> {
    let asked = order.instructions();
    if asked.handling.has(Handling::HIDDEN) != hidden {
        return Err("a hidden order stands with the displayed ones, or the other way round");
    }
    let Some(special) = &order.special else {
        return Ok(());
    };
    if special.kind != OrderKind::Limit || asked.trigger.0 != 0 || special.trigger.0 != 0 || special.waits {
        return Err("a stop or market order stands in a queue, or one that waits");
    }
    if order.price == Price(0) {
        return Err("stands in a queue without a price");
    }
    check_special(order, special)
}

fn check_aside(order: &OrderState) -> Result<(), &'static str> {
    let Some(special) = &order.special else {
        return Err("stands aside and is no stop, market or closing order");
    };
    let stop = special.instructions.trigger.0 > 0 && !special.waits;
    let waits = special.waits && special.instructions.auction == AuctionOnly::Closing && special.trigger.0 == 0;
    let market = special.kind == OrderKind::Market && special.trigger.0 == 0;
    let pegged = is_pegged(&special.instructions) && order.price == Price(0) && special.trigger.0 == 0;
    if special.reserve.0 != 0
        || !(stop || (special.instructions.trigger.0 == 0 && (waits || ((market || pegged) && !special.waits))))
    {
        return Err("stands aside and is no stop, market or closing order");
    }
    check_special(order, special)
}

fn check_special(order: &OrderState, special: &Special) -> Result<(), &'static str> {
    let pegged = is_pegged(&special.instructions);
    let hidden = special.instructions.handling.has(Handling::HIDDEN);
    if pegged != (special.limit.0 > 0)
        || (pegged && (!hidden || special.kind != OrderKind::Limit || special.instructions.auction != AuctionOnly::Any))
        || !(0..=i64::from(u32::MAX)).contains(&special.limit.0)
    {
        return Err("its peg is not allowed");
    }
    let display = special.instructions.display.0;
    let limit = i64::from(u32::MAX);
    if special.instructions.is_none() && special.kind == OrderKind::Limit {
        return Err("is special and asks for nothing");
    }
    if special.trigger.0.abs() > limit || special.instructions.trigger.0.abs() > limit {
        return Err("its stop price is out of range");
    }
    // What is displayed of an iceberg is at most its display, and all of it where there is no reserve.
    let displayed = order.leaves.0.checked_sub(special.reserve.0);
    match displayed {
        Some(1..) if special.reserve.0 == 0 || display > 0 => {}
        _ => return Err("its reserve is not allowed"),
    }
    Ok(())
}

/// Better price first; at one price the older public reference.
fn in_order(pair: &[OrderState], side: Side) -> bool {
    let [first, second] = pair else { return true };
    if first.price == second.price {
        return first.public_ref < second.public_ref;
    }
    (first.price > second.price) == (side == Side::Buy)
}

fn out_of_order(order: Option<&OrderState>) -> ImportError {
    ImportError::Order {
        order: order.map_or(OrderId(0), |order| order.order_id),
        fault: "stands out of price-time order",
    }
}

fn of(order: &OrderState, fault: &'static str) -> ImportError {
    ImportError::Order {
        order: order.order_id,
        fault,
    }
}
