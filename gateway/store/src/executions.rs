//! What a firm is told of its orders, numbered, so that who lost the connection goes on behind the last number it has.
//!
//! A number is a count over the released stream from its first command on: whoever follows the stream gives the same one, so
//! it holds for every gateway and after a restart. A firm's whole is numbered from 1; so is each account for who may see that one alone.

use crate::account::side_name;
use crate::limits::EXECUTIONS_MAX;
use crate::router::Change;
use rialto_model::{
    AccountId, Event, InstrumentId, OrderId, Price, Quantity, SequenceNumber, SessionId, Timestamp, UserRef,
};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// One change of an order, or why there was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Execution {
    /// Its number, without a gap.
    pub number: u64,
    /// The command that caused it.
    pub seq: u64,
    /// When, venue time in ns.
    pub stamp_ns: u64,
    /// `"accepted"`, `"replaced"`, `"reduced"`, `"cancelled"`, `"executed"`, `"undone"`, `"rejected"` or `"change_rejected"`.
    pub what: &'static str,
    /// The account.
    pub account: u32,
    /// Whose.
    pub session: u32,
    /// The client's name of the order.
    pub user_ref: u32,
    /// The venue's name of it; zero where there is none.
    pub order: u64,
    /// What; zero where it is not said.
    pub instrument: u16,
    /// `"buy"` or `"sell"`; none where it is not said.
    pub side: Option<&'static str>,
    /// At which price, in price units.
    pub price: i64,
    /// How much: asked for, open after a replace, taken off, or traded.
    pub quantity: u64,
    /// What is open from here on.
    pub leaves: u64,
    /// The trade.
    pub trade: Option<u64>,
    /// Why it was cancelled or refused.
    pub reason: Option<String>,
    /// The client's id bytes, those that are not printed escaped.
    pub client_id: String,
}

/// Executions behind a number, as far as they are still there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// In order.
    pub rows: Vec<Execution>,
    /// Executions behind the number that was asked for and before the first row are forgotten: from where to where.
    pub missed: Option<(u64, u64)>,
    /// The last number given so far.
    pub last: u64,
}

/// The newest of a firm.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    last: u64,
    last_of: BTreeMap<AccountId, u64>,
    /// With its number among its account's.
    kept: VecDeque<(u64, Execution)>,
}

impl Log {
    pub(crate) fn take(&mut self, seq: SequenceNumber, stamp: Timestamp, account: AccountId, change: &Change) {
        let Some(mut told) = of(change) else { return };
        self.last += 1;
        let of_account = self.last_of.entry(account).or_default();
        *of_account += 1;
        told.number = self.last;
        told.seq = seq.0;
        told.stamp_ns = stamp.0;
        told.account = account.0;
        if self.kept.len() >= EXECUTIONS_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back((*of_account, told));
    }

    /// The last number given.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// Behind a number, by the count of the account where it is one alone.
    pub(crate) fn told(&self, account: Option<AccountId>, after: u64, most: usize) -> Told {
        let Some(account) = account else {
            let first = self.kept.front().map_or(self.last + 1, |(_, first)| first.number);
            let skip = usize::try_from(after.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
            let rows = self.kept.iter().skip(skip).take(most).map(|(_, one)| one.clone());
            return told(rows.collect(), after, self.last);
        };
        let own = self.kept.iter().filter(|(_, one)| one.account == account.0);
        let rows = own.filter(|(number, _)| *number > after).take(most);
        let rows = rows.map(|(number, one)| Execution {
            number: *number,
            ..one.clone()
        });
        told(rows.collect(), after, self.last_of.get(&account).copied().unwrap_or(0))
    }
}

fn told(rows: Vec<Execution>, after: u64, last: u64) -> Told {
    let first = rows.first().map_or(last + 1, |row| row.number);
    let next = after.saturating_add(1);
    let missed = (next < first).then(|| (next, first - 1));
    Told { rows, missed, last }
}

/// The fields that all have; the rest is said by who calls.
fn order(
    what: &'static str,
    (session, user_ref, order): (SessionId, UserRef, OrderId),
    instrument: InstrumentId,
    price: Price,
    (quantity, leaves): (Quantity, Quantity),
) -> Execution {
    Execution {
        number: 0,
        seq: 0,
        stamp_ns: 0,
        what,
        account: 0,
        session: session.0,
        user_ref: user_ref.0,
        order: order.0,
        instrument: instrument.0,
        side: None,
        price: price.0,
        quantity: quantity.0,
        leaves: leaves.0,
        trade: None,
        reason: None,
        client_id: String::new(),
    }
}

fn of(change: &Change) -> Option<Execution> {
    let none = (Quantity(0), Quantity(0));
    Some(match change {
        Change::Event(Event::Accepted(e)) => Execution {
            side: Some(side_name(e.side)),
            client_id: e.client_id.to_string(),
            ..order(
                "accepted",
                (e.session, e.user_ref, e.order_id),
                e.instrument,
                e.price,
                (e.quantity, e.quantity),
            )
        },
        Change::Event(Event::Quoted(e)) => Execution {
            side: Some(side_name(e.side)),
            ..order(
                "accepted",
                (e.session, e.user_ref, e.order_id),
                e.instrument,
                e.price,
                (e.quantity, e.quantity),
            )
        },
        Change::Event(Event::Replaced(e)) => Execution {
            side: Some(side_name(e.side)),
            client_id: e.client_id.to_string(),
            ..order(
                "replaced",
                (e.session, e.user_ref, e.order_id),
                e.instrument,
                e.price,
                (e.quantity, e.quantity),
            )
        },
        Change::Event(Event::Reduced(e)) => Execution {
            side: Some(side_name(e.side)),
            client_id: e.client_id.to_string(),
            ..order(
                "reduced",
                (e.session, e.user_ref, e.order_id),
                e.instrument,
                Price(0),
                (e.removed, e.leaves),
            )
        },
        Change::Event(Event::Cancelled(e)) => Execution {
            side: Some(side_name(e.side)),
            reason: Some(format!("{:?}", e.reason)),
            client_id: e.client_id.to_string(),
            ..order(
                "cancelled",
                (e.session, e.user_ref, e.order_id),
                e.instrument,
                Price(0),
                (e.removed, Quantity(0)),
            )
        },
        Change::Event(Event::Rejected(e)) => Execution {
            side: Some(side_name(e.side)),
            reason: Some(e.reason.text().to_owned()),
            client_id: e.client_id.to_string(),
            ..order(
                "rejected",
                (e.session, e.user_ref, OrderId(0)),
                e.instrument,
                e.price,
                (e.quantity, Quantity(0)),
            )
        },
        Change::Event(Event::ChangeRejected(e)) => Execution {
            reason: Some(e.reason.text().to_owned()),
            client_id: e.client_id.to_string(),
            ..order(
                "change_rejected",
                (e.session, e.user_ref, OrderId(0)),
                InstrumentId(0),
                Price(0),
                none,
            )
        },
        Change::Event(_) => return None,
        Change::Traded { leg, leaves } => Execution {
            side: Some(side_name(leg.side)),
            trade: Some(leg.trade.0),
            ..order(
                "executed",
                (leg.session, leg.user_ref, leg.order),
                leg.instrument,
                leg.price,
                (leg.quantity, leaves.unwrap_or_default()),
            )
        },
        Change::Undone { leg } => Execution {
            side: Some(side_name(leg.side)),
            trade: Some(leg.trade.0),
            ..order(
                "undone",
                (leg.session, leg.user_ref, leg.order),
                leg.instrument,
                leg.price,
                (leg.quantity, Quantity(0)),
            )
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::event::Rejected;

    fn rejected(log: &mut Log, account: u32) {
        let change = Change::Event(Rejected::default().into());
        log.take(SequenceNumber(1), Timestamp(1), AccountId(account), &change);
    }

    fn numbers(told: &Told) -> Vec<u64> {
        told.rows.iter().map(|row| row.number).collect()
    }

    #[test]
    fn an_account_has_numbers_of_its_own_and_the_firm_those_of_all() {
        let mut log = Log::default();
        for account in [7, 8, 7, 7] {
            rejected(&mut log, account);
        }
        assert_eq!(numbers(&log.told(None, 0, 10)), [1, 2, 3, 4]);
        assert_eq!(numbers(&log.told(None, 2, 1)), [3]);
        assert_eq!(numbers(&log.told(Some(AccountId(7)), 1, 10)), [2, 3]);
        assert_eq!(log.told(Some(AccountId(8)), 0, 10).last, 1);
        assert_eq!(log.told(None, u64::MAX, 10).rows, []);
    }

    #[test]
    fn what_was_forgotten_is_said_to_be_missing() {
        let mut log = Log::default();
        for _ in 0..EXECUTIONS_MAX + 5 {
            rejected(&mut log, 7);
        }
        let told = log.told(None, 2, 1);
        assert_eq!((told.missed, numbers(&told)), (Some((3, 5)), vec![6]));
        assert_eq!(log.told(Some(AccountId(7)), 0, 1).missed, Some((1, 5)));
        assert_eq!(log.told(None, 5, 1).missed, None);
    }
}
