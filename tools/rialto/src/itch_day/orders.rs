//! What the messages of an ITCH day say of displayed orders.

use crate::recorded::Operation;
use rialto_itch::{Message, OrderReference, Price4, Shares, Side as ItchSide};
use rialto_model::{Price, Quantity, Side};
use std::collections::HashMap;

/// A displayed order of the file.
#[derive(Clone, Copy, Debug)]
struct Shown {
    side: ItchSide,
    price: Price4,
    shares: u32,
}

/// The displayed orders so far, by the file's references.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    shown: HashMap<OrderReference, Shown>,
    /// Messages about orders that the file does not show entering.
    pub(crate) left_out: u64,
    /// Executions at another price than the order's own.
    pub(crate) repriced: u64,
}

impl Orders {
    /// What a message says of them; `None`: nothing.
    pub(crate) fn operation(&mut self, message: &Message) -> Option<Operation<u64>> {
        match message {
            Message::AddOrder(m) => self.add(m.reference, m.side, m.shares, m.price),
            Message::AddOrderAttributed(m) => self.add(m.reference, m.side, m.shares, m.price),
            Message::OrderExecuted(m) => {
                let shown = self.less(m.reference, m.shares)?;
                Some(Operation::Take {
                    side: side(shown.side).opposite(),
                    price: price(shown.price),
                    quantity: quantity(m.shares),
                    maker: m.reference.0,
                })
            }
            Message::OrderExecutedWithPrice(m) => {
                self.less(m.reference, m.shares)?;
                self.repriced += 1;
                Some(Operation::Reduce {
                    id: m.reference.0,
                    by: quantity(m.shares),
                })
            }
            Message::OrderCancel(m) => {
                self.less(m.reference, m.shares)?;
                Some(Operation::Reduce {
                    id: m.reference.0,
                    by: quantity(m.shares),
                })
            }
            Message::OrderDelete(m) => {
                self.known(m.reference)?;
                self.shown.remove(&m.reference);
                Some(Operation::Delete { id: m.reference.0 })
            }
            Message::OrderReplace(m) => {
                let old = self.known(m.original_reference)?;
                self.shown.remove(&m.original_reference);
                let new = Shown {
                    side: old.side,
                    price: m.price,
                    shares: m.shares.0,
                };
                self.shown.insert(m.new_reference, new);
                Some(Operation::Replace {
                    id: m.original_reference.0,
                    new: m.new_reference.0,
                    price: price(m.price),
                    quantity: quantity(m.shares),
                })
            }
            _ => None,
        }
    }

    fn add(&mut self, reference: OrderReference, of: ItchSide, shares: Shares, at: Price4) -> Option<Operation<u64>> {
        let shown = Shown {
            side: of,
            price: at,
            shares: shares.0,
        };
        self.shown.insert(reference, shown);
        Some(Operation::Add {
            id: reference.0,
            side: side(of),
            price: price(at),
            quantity: quantity(shares),
        })
    }

    fn known(&mut self, reference: OrderReference) -> Option<Shown> {
        let known = self.shown.get(&reference).copied();
        self.left_out += u64::from(known.is_none());
        known
    }

    /// The order, of which so many shares go.
    fn less(&mut self, reference: OrderReference, shares: Shares) -> Option<Shown> {
        let shown = self.known(reference)?;
        if shown.shares <= shares.0 {
            self.shown.remove(&reference);
        } else if let Some(order) = self.shown.get_mut(&reference) {
            order.shares -= shares.0;
        }
        Some(shown)
    }
}

fn side(of: ItchSide) -> Side {
    match of {
        ItchSide::Buy => Side::Buy,
        ItchSide::Sell => Side::Sell,
    }
}

pub(super) fn price(of: Price4) -> Price {
    Price(i64::from(of.units()))
}

fn quantity(of: Shares) -> Quantity {
    Quantity(u64::from(of.0))
}
