//! From recorded operations to commands of one session, and from events back to whether each did what the record says.

use anyhow::{Context as _, Result, bail};
use rialto_model::command::{Enter, Reduce, Replace};
use rialto_model::{
    Capacity, Command, Event, Incarnation, InstrumentId, MsgSeqNum, OrderKind, Output, Policy, Price, Quantity,
    SessionId, ShortSale, Side, Target, Text, TimeInForce, UserRef,
};
use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;

/// One operation of a record that names its orders by `Id`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operation<Id> {
    Add {
        id: Id,
        side: Side,
        price: Price,
        quantity: Quantity,
    },
    Reduce {
        id: Id,
        by: Quantity,
    },
    Delete {
        id: Id,
    },
    /// The order goes on under another name, behind the others at its price.
    Replace {
        id: Id,
        new: Id,
        price: Price,
        quantity: Quantity,
    },
    /// Somebody on `side` trades exactly `quantity` at `price` against order `maker`.
    Take {
        side: Side,
        price: Price,
        quantity: Quantity,
        maker: Id,
    },
    /// The book now equals this row, counted from 1.
    Row(usize),
}

impl<Id> Operation<Id> {
    /// The same under other names.
    pub(crate) fn rename<New>(self, name: impl Fn(Id) -> New) -> Operation<New> {
        match self {
            Self::Add {
                id,
                side,
                price,
                quantity,
            } => Operation::Add {
                id: name(id),
                side,
                price,
                quantity,
            },
            Self::Reduce { id, by } => Operation::Reduce { id: name(id), by },
            Self::Delete { id } => Operation::Delete { id: name(id) },
            Self::Replace {
                id,
                new,
                price,
                quantity,
            } => Operation::Replace {
                id: name(id),
                new: name(new),
                price,
                quantity,
            },
            Self::Take {
                side,
                price,
                quantity,
                maker,
            } => Operation::Take {
                side,
                price,
                quantity,
                maker: name(maker),
            },
            Self::Row(row) => Operation::Row(row),
        }
    }
}

/// How the session names, sends and judges orders.
pub(crate) struct Flow<Id> {
    session: SessionId,
    incarnation: Incarnation,
    last_ref: u32,
    /// Live orders of the record by its id. Ids may repeat, so each add gets a fresh reference.
    live: HashMap<Id, Open>,
    /// What operations not yet answered must come to, by reference.
    expected: HashMap<UserRef, Expected>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    user_ref: UserRef,
    quantity: Quantity,
}

#[derive(Clone, Copy, Debug)]
enum Expected {
    /// An add that must not trade.
    Rest,
    /// A take that must trade all of `left` against `maker`.
    Fill {
        maker: UserRef,
        left: Quantity,
        wrong: bool,
    },
}

/// What was not as the record says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verdict {
    /// Takes that did not fill exactly their quantity against exactly their order.
    pub(crate) wrong_fills: u64,
    /// Adds that traded.
    pub(crate) crossing_adds: u64,
    /// Commands that the engine refused or ignored.
    pub(crate) refused: u64,
}

impl<Id: Clone + Display + Eq + Hash> Flow<Id> {
    pub(crate) fn new(session: SessionId, incarnation: Incarnation) -> Self {
        Self {
            session,
            incarnation,
            last_ref: 0,
            live: HashMap::new(),
            expected: HashMap::new(),
            verdict: Verdict::default(),
        }
    }

    /// The command of one operation on an instrument.
    ///
    /// # Errors
    /// The record names an order that is not live, or adds one that is.
    pub(crate) fn command(&mut self, instrument: InstrumentId, operation: Operation<Id>) -> Result<Command> {
        match operation {
            Operation::Add {
                id,
                side,
                price,
                quantity,
            } => {
                let user_ref = self.next_ref();
                self.expected.insert(user_ref, Expected::Rest);
                if self.live.insert(id.clone(), Open { user_ref, quantity }).is_some() {
                    bail!("the record adds order {id} while it is live");
                }
                Ok(self.enter(instrument, user_ref, side, TimeInForce::Day, price, quantity))
            }
            Operation::Take {
                side,
                price,
                quantity,
                maker,
            } => {
                let user_ref = self.next_ref();
                let open = self
                    .live
                    .get_mut(&maker)
                    .with_context(|| format!("the record takes unknown order {maker}"))?;
                let fill = Expected::Fill {
                    maker: open.user_ref,
                    left: quantity,
                    wrong: false,
                };
                self.expected.insert(user_ref, fill);
                open.quantity = open.quantity.saturating_sub(quantity);
                if open.quantity.is_zero() {
                    self.live.remove(&maker);
                }
                Ok(self.enter(
                    instrument,
                    user_ref,
                    side,
                    TimeInForce::ImmediateOrCancel,
                    price,
                    quantity,
                ))
            }
            Operation::Reduce { id, by } => {
                let open = self
                    .live
                    .get_mut(&id)
                    .with_context(|| format!("the record reduces unknown order {id}"))?;
                open.quantity = open.quantity.saturating_sub(by);
                let Open { user_ref, quantity } = *open;
                if quantity.is_zero() {
                    self.live.remove(&id);
                }
                Ok(self.reduce(user_ref, quantity))
            }
            Operation::Delete { id } => {
                let open = self
                    .live
                    .remove(&id)
                    .with_context(|| format!("the record deletes unknown order {id}"))?;
                Ok(self.reduce(open.user_ref, Quantity::ZERO))
            }
            Operation::Replace {
                id,
                new,
                price,
                quantity,
            } => {
                let old = self
                    .live
                    .remove(&id)
                    .with_context(|| format!("the record replaces unknown order {id}"))?;
                let user_ref = self.next_ref();
                self.expected.insert(user_ref, Expected::Rest);
                if self.live.insert(new.clone(), Open { user_ref, quantity }).is_some() {
                    bail!("the record adds order {new} while it is live");
                }
                Ok(Command::Replace(Replace {
                    session: self.session,
                    incarnation: self.incarnation,
                    inbound: MsgSeqNum(0),
                    target: Target::UserRef(old.user_ref),
                    user_ref,
                    kind: OrderKind::Limit,
                    tif: TimeInForce::Day,
                    policy: Policy::NONE,
                    price,
                    quantity,
                    client_id: Text::EMPTY,
                }))
            }
            Operation::Row(row) => bail!("row {row} is no command"),
        }
    }

    /// Takes note of what came of the commands.
    pub(crate) fn follow(&mut self, output: &Output) {
        match output.event.body {
            Event::Executed(e) => match self.expected.get_mut(&e.taker_user_ref) {
                Some(Expected::Fill { maker, left, wrong }) => {
                    *wrong |= e.maker_user_ref != *maker || e.quantity > *left;
                    *left = left.saturating_sub(e.quantity);
                }
                _ => self.verdict.crossing_adds += 1,
            },
            Event::Rejected(_) | Event::ChangeRejected(_) | Event::Ignored(_) | Event::CommandRejected(_) => {
                self.verdict.refused += 1;
            }
            _ => {}
        }
    }

    /// Settles every operation so far: all of them are answered now.
    pub(crate) fn settle(&mut self) {
        for (_, expected) in self.expected.drain() {
            if let Expected::Fill { left, wrong, .. } = expected {
                self.verdict.wrong_fills += u64::from(wrong || !left.is_zero());
            }
        }
    }

    pub(crate) const fn verdict(&self) -> Verdict {
        self.verdict
    }

    fn next_ref(&mut self) -> UserRef {
        self.last_ref += 1;
        UserRef(self.last_ref)
    }

    fn enter(
        &self,
        instrument: InstrumentId,
        user_ref: UserRef,
        side: Side,
        tif: TimeInForce,
        price: Price,
        quantity: Quantity,
    ) -> Command {
        Command::Enter(Enter {
            session: self.session,
            incarnation: self.incarnation,
            inbound: MsgSeqNum(0),
            user_ref,
            account: Default::default(),
            instrument,
            side,
            kind: OrderKind::Limit,
            tif,
            short: ShortSale::None,
            capacity: Capacity::Unspecified,
            policy: Policy::NONE,
            price,
            quantity,
            client_id: Text::EMPTY,
        })
    }

    /// The tape's quantities are what is left, so they do not count executions.
    fn reduce(&self, user_ref: UserRef, quantity: Quantity) -> Command {
        Command::Reduce(Reduce {
            session: self.session,
            incarnation: self.incarnation,
            inbound: MsgSeqNum(0),
            target: Target::UserRef(user_ref),
            short: ShortSale::None,
            remark: false,
            policy: Policy::NONE,
            quantity,
            client_id: Text::EMPTY,
        })
    }
}
