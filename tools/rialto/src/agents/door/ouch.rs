//! A line to the OUCH door.

use super::super::Seat;
use super::super::desk::OpenOrder;
use super::super::trader::Intent;
use super::{News, OrderNumber, Report};
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use anyhow::Result;
use rialto_model::{Price, Quantity, Side, Symbol};
use rialto_ouch::messages::{
    self as ouch, AccountQuery, Appendage, CancelOrder, Capacity, ClOrdId, CrossType, Display, EnterOrder,
    InterMarketSweep, OrderState, Outbound, ReplaceOrder, TimeInForce, UserRefNum,
};
use rialto_ouch::soup::{LoginRequest, SessionName};
use std::net::SocketAddr;

/// A session at the OUCH door, over all its connections.
#[derive(Debug)]
pub(super) struct OuchLine {
    address: SocketAddr,
    /// The login of a first connection; the reason where there can be none.
    first: Result<LoginRequest, String>,
    /// The login that goes on where the last connection ended.
    resume: Option<LoginRequest>,
    client: Option<OuchClient>,
    /// Whether this connection's login was accepted.
    logged_in: bool,
    /// The day's session, by its name.
    session: Option<SessionName>,
    next: u32,
    symbols: Vec<Symbol>,
}

impl OuchLine {
    pub(super) fn new(address: SocketAddr, seat: &Seat, symbols: Vec<Symbol>) -> Self {
        let first = login_for_new(&seat.session, &seat.password).map_err(|error| format!("{error:#}"));
        Self {
            address,
            first,
            resume: None,
            client: None,
            logged_in: false,
            session: None,
            next: 1,
            symbols,
        }
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.client.is_some()
    }

    pub(super) fn connect(&mut self) -> Result<()> {
        let first = || self.first.clone().map_err(anyhow::Error::msg);
        let login = self.resume.map_or_else(first, Ok)?;
        self.client = Some(OuchClient::connect(self.address, login)?);
        self.logged_in = false;
        Ok(())
    }

    /// A login that was refused is not tried again: the next one begins anew.
    pub(super) fn drop_connection(&mut self) {
        if let Some(client) = self.client.take() {
            self.resume = self.logged_in.then(|| client.resume());
            if !self.logged_in {
                self.session = None;
            }
        }
    }

    pub(super) fn poll(&mut self, news: &mut Vec<News>) -> Result<()> {
        let Some(client) = &mut self.client else { return Ok(()) };
        let (session, next, symbols) = (&mut self.session, &mut self.next, &self.symbols);
        let was_logged_in = self.logged_in;
        let logged_in = &mut self.logged_in;
        client.poll(&mut |event| match event {
            OuchEvent::LoggedIn(accepted) => {
                *logged_in = true;
                if *session != Some(accepted.session) {
                    *session = Some(accepted.session);
                    *next = 1;
                    news.push(News::Fresh);
                }
            }
            OuchEvent::Message(Outbound::AccountQueryResponse(answer)) => {
                *next = (*next).max(answer.next_user_ref.0);
                news.push(News::Ready);
            }
            OuchEvent::Message(message) => news.extend(report(&message, symbols).map(News::Of)),
            OuchEvent::Closed(_) => news.push(News::Lost),
        })?;
        if *logged_in && !was_logged_in {
            client.send(AccountQuery {})?;
        }
        Ok(())
    }

    /// Sends it and gives the number it goes by, where that is a new one.
    pub(super) fn send(&mut self, intent: Intent, target: Option<OpenOrder>) -> Option<OrderNumber> {
        let client = self.client.as_mut()?;
        let user_ref = UserRefNum(self.next);
        let (sent, takes_number) = match intent {
            Intent::Enter {
                instrument,
                side,
                price,
                quantity,
                immediate,
            } => {
                let order = EnterOrder {
                    user_ref,
                    side: match side {
                        Side::Buy => ouch::Side::Buy,
                        Side::Sell => ouch::Side::Sell,
                    },
                    quantity: shares(quantity)?,
                    symbol: ouch::Symbol::from_wire(self.symbols.get(instrument)?.0).ok()?,
                    price: wire_price(price)?,
                    time_in_force: if immediate {
                        TimeInForce::ImmediateOrCancel
                    } else {
                        TimeInForce::Day
                    },
                    display: Display::Visible,
                    capacity: Capacity::Principal,
                    inter_market_sweep: InterMarketSweep::NotEligible,
                    cross_type: CrossType::Continuous,
                    cl_ord_id: ClOrdId::BLANK,
                    appendage: Appendage::EMPTY,
                };
                (client.send(order), true)
            }
            Intent::Replace { number, price } => {
                let target = target?;
                let replacement = ReplaceOrder {
                    orig_user_ref: UserRefNum(number.0),
                    user_ref,
                    quantity: shares(Quantity(target.open.0.checked_add(target.traded.0)?))?,
                    price: wire_price(price)?,
                    time_in_force: TimeInForce::Day,
                    display: Display::Visible,
                    inter_market_sweep: InterMarketSweep::NotEligible,
                    cl_ord_id: ClOrdId::BLANK,
                    appendage: Appendage::EMPTY,
                };
                (client.send(replacement), true)
            }
            Intent::Cancel { number } => {
                let cancel = CancelOrder {
                    user_ref: UserRefNum(number.0),
                    quantity: ouch::Quantity(0),
                };
                (client.send(cancel), false)
            }
        };
        sent.ok()?;
        if takes_number {
            self.next = self.next.checked_add(1)?;
        }
        Some(OrderNumber(user_ref.0))
    }

    pub(super) fn logout(&mut self) {
        if let Some(client) = &mut self.client {
            client.logout();
        }
    }
}

fn shares(quantity: Quantity) -> Option<ouch::Quantity> {
    u32::try_from(quantity.0)
        .ok()
        .map(ouch::Quantity)
        .filter(|quantity| quantity.is_enterable())
}

fn wire_price(price: Price) -> Option<ouch::Price> {
    u64::try_from(price.0)
        .ok()
        .map(ouch::Price)
        .filter(|price| price.is_limit())
}

/// What a message says of an order; nothing where it is about none, or about an instrument the agent does not trade.
fn report(message: &Outbound<'_>, symbols: &[Symbol]) -> Option<Report> {
    let number = |user_ref: UserRefNum| OrderNumber(user_ref.0);
    let open = |quantity: ouch::Quantity| Quantity(u64::from(quantity.0));
    let instrument = |symbol: ouch::Symbol| symbols.iter().position(|known| known.0 == symbol.to_wire());
    let side = |side| if side == ouch::Side::Buy { Side::Buy } else { Side::Sell };
    let standing = |user_ref, state, symbol, order_side, price: ouch::Price, quantity| match state {
        OrderState::Dead => Some(Report::Gone {
            number: number(user_ref),
        }),
        OrderState::Live => Some(Report::Standing {
            number: number(user_ref),
            instrument: instrument(symbol)?,
            side: side(order_side),
            price: Price(i64::try_from(price.0).ok()?),
            open: open(quantity),
        }),
    };
    match message {
        Outbound::OrderAccepted(m) => standing(m.user_ref, m.order_state, m.symbol, m.side, m.price, m.quantity),
        Outbound::OrderReplaced(m) => standing(m.user_ref, m.order_state, m.symbol, m.side, m.price, m.quantity),
        Outbound::OrderExecuted(m) => Some(Report::Executed {
            number: number(m.user_ref),
            quantity: open(m.quantity),
        }),
        Outbound::OrderCanceled(m) => Some(Report::Reduced {
            number: number(m.user_ref),
            quantity: open(m.quantity),
        }),
        Outbound::AiqCanceled(m) => Some(Report::Reduced {
            number: number(m.user_ref),
            quantity: open(m.decrement_shares),
        }),
        Outbound::OrderRejected(m) => Some(Report::Refused {
            number: number(m.user_ref),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_ouch::messages::{
        AcceptedDisplay, CancelReason, LiquidityFlag, MatchNumber, OrderAccepted, OrderCanceled, OrderExecuted,
        OrderReference, OrderRejected, OrderReplaced, RejectReason, SystemEvent, Timestamp,
    };

    #[test]
    fn messages_become_reports() {
        let symbols = [Symbol::new("ACME").unwrap(), Symbol::new("BOLT").unwrap()];
        let timestamp = Timestamp(1);
        let user_ref = UserRefNum(7);
        let number = OrderNumber(7);
        let accepted = |symbol: &str, order_state| {
            Outbound::from(OrderAccepted {
                timestamp,
                user_ref,
                side: ouch::Side::Sell,
                quantity: ouch::Quantity(300),
                symbol: ouch::Symbol::new(symbol).unwrap(),
                price: ouch::Price(1_234_500),
                time_in_force: TimeInForce::Day,
                display: AcceptedDisplay::Visible,
                order_reference: OrderReference(1),
                capacity: Capacity::Principal,
                inter_market_sweep: InterMarketSweep::NotEligible,
                cross_type: CrossType::Continuous,
                order_state,
                cl_ord_id: ClOrdId::BLANK,
                appendage: Appendage::EMPTY,
            })
        };
        let replaced = OrderReplaced {
            timestamp,
            orig_user_ref: UserRefNum(6),
            user_ref,
            side: ouch::Side::Buy,
            quantity: ouch::Quantity(200),
            symbol: ouch::Symbol::new("ACME").unwrap(),
            price: ouch::Price(10_000),
            time_in_force: TimeInForce::Day,
            display: AcceptedDisplay::Visible,
            order_reference: OrderReference(2),
            capacity: Capacity::Principal,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            order_state: OrderState::Live,
            cl_ord_id: ClOrdId::BLANK,
            appendage: Appendage::EMPTY,
        };
        let executed = OrderExecuted {
            timestamp,
            user_ref,
            quantity: ouch::Quantity(100),
            price: ouch::Price(10_000),
            liquidity_flag: LiquidityFlag::Added,
            match_number: MatchNumber(1),
            appendage: Appendage::EMPTY,
        };
        let cancelled = OrderCanceled {
            timestamp,
            user_ref,
            quantity: ouch::Quantity(40),
            reason: CancelReason::UserRequested,
        };
        let rejected = OrderRejected {
            timestamp,
            user_ref,
            reason: RejectReason::InvalidPrice,
            cl_ord_id: ClOrdId::BLANK,
        };
        let event = SystemEvent {
            timestamp,
            event_code: ouch::EventCode::StartOfDay,
        };
        let standing = |instrument, side, price, open| {
            let (price, open) = (Price(price), Quantity(open));
            Some(Report::Standing {
                number,
                instrument,
                side,
                price,
                open,
            })
        };
        let table = [
            (
                accepted("BOLT", OrderState::Live),
                standing(1, Side::Sell, 1_234_500, 300),
            ),
            (accepted("BOLT", OrderState::Dead), Some(Report::Gone { number })),
            (accepted("OTHER", OrderState::Live), None),
            (replaced.into(), standing(0, Side::Buy, 10_000, 200)),
            (
                executed.into(),
                Some(Report::Executed {
                    number,
                    quantity: Quantity(100),
                }),
            ),
            (
                cancelled.into(),
                Some(Report::Reduced {
                    number,
                    quantity: Quantity(40),
                }),
            ),
            (rejected.into(), Some(Report::Refused { number })),
            (event.into(), None),
        ];
        for (message, expected) in table {
            assert_eq!(report(&message, &symbols), expected, "{message:?}");
        }
    }

    #[test]
    fn what_ouch_cannot_say_is_not_sent() {
        assert_eq!(shares(Quantity(0)), None);
        assert_eq!(shares(Quantity(1_000_000)), None);
        assert_eq!(shares(Quantity(999_999)), Some(ouch::Quantity(999_999)));
        assert_eq!((wire_price(Price(-1)), wire_price(Price(0))), (None, None));
        assert_eq!(wire_price(Price(2_000_000_000)), None);
        assert_eq!(wire_price(Price(1)), Some(ouch::Price(1)));
    }
}
