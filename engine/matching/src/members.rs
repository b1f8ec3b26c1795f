//! What is kept of members beyond their definitions, as canonical data: pre-trade limits and what is counted for them, fee
//! tiers, the directory of the member store, users, services, budgets.

mod check;
mod office;
mod risk;

pub(crate) use office::Office;
pub(crate) use risk::Ledger;

use crate::state_bytes::{StateBytesError, get_list, put, put_list};
use alloc::vec::Vec;
use rialto_model::codec::{DecodeError, Decoder, Field};
use rialto_model::command::SetUser;
use rialto_model::{
    AccountId, Budgets, FeeTier, FirmId, InstrumentId, OrderKind, Price, Quantity, RiskLimits, Service, ShardId, Side,
    Text, Timestamp,
};

/// Lists are in order of id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MembersState {
    /// Firms and accounts with limits.
    pub gauges: Vec<Gauge>,
    /// Fee tiers other than the whole fees.
    pub tiers: Vec<(FirmId, FeeTier)>,
    /// The version of the directory of the member store; zero before the first entry.
    pub directory: u32,
    /// Its entries.
    pub shards: Vec<Placed>,
    /// Users, as they were last set.
    pub users: Vec<SetUser>,
    /// Services other than the pool.
    pub services: Vec<(FirmId, Service)>,
    /// Budgets of messages, where a firm has any.
    pub budgets: Vec<(FirmId, Budgets)>,
}

/// The limits of a firm or account, and what is counted for them since they were set. What stands is not in it: the books
/// say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauge {
    /// Which firm.
    pub firm: FirmId,
    /// Which account of it; zero: the firm as a whole.
    pub account: AccountId,
    /// The limits.
    pub limits: RiskLimits,
    /// What was paid today for what was bought, less what was received for what was sold, in price units.
    pub paid: i128,
    /// What is held of each instrument, where it is not zero; sold short below zero.
    pub positions: Vec<(InstrumentId, i64)>,
    /// Orders that the duplicate-order guard goes by, oldest first.
    pub recent: Vec<Recent>,
}

/// An order that was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// When.
    pub stamp: Timestamp,
    /// What.
    pub order: Likeness,
}

/// What makes two orders alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likeness {
    /// On which instrument.
    pub instrument: InstrumentId,
    /// On which side.
    pub side: Side,
    /// Limit or market.
    pub kind: OrderKind,
    /// At which price; zero for a market order.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
}

/// An entry of the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Which firm.
    pub firm: FirmId,
    /// Which account of it; zero: the firm as a whole.
    pub account: AccountId,
    /// Where it is kept.
    pub shard: ShardId,
}

pub(crate) fn put_members(out: &mut Vec<u8>, members: &MembersState) {
    put_list(out, &members.gauges, |out, gauge| {
        put(out, &gauge.firm);
        put(out, &gauge.account);
        put(out, &gauge.limits);
        put(out, &gauge.paid);
        put_list(out, &gauge.positions, |out, (instrument, position)| {
            put(out, instrument);
            put(out, position);
        });
        put_list(out, &gauge.recent, |out, recent| {
            put(out, &recent.stamp);
            put(out, &recent.order.instrument);
            put(out, &recent.order.side);
            put(out, &recent.order.kind);
            put(out, &recent.order.price);
            put(out, &recent.order.quantity);
        });
    });
    put_list(out, &members.tiers, |out, (firm, tier)| {
        put(out, firm);
        put(out, tier);
    });
    put(out, &members.directory);
    put_list(out, &members.shards, |out, placed| {
        put(out, &placed.firm);
        put(out, &placed.account);
        put(out, &placed.shard);
    });
    put_list(out, &members.users, |out, one| {
        put(out, &one.user);
        put(out, &one.firm);
        put(out, &one.account);
        put(out, &one.role);
        put(out, &(one.name.as_bytes().len() as u8));
        out.extend_from_slice(one.name.as_bytes());
    });
    put_list(out, &members.services, |out, (firm, service)| {
        put(out, firm);
        put(out, service);
    });
}

pub(crate) fn get_members(input: &mut Decoder<'_>) -> Result<MembersState, StateBytesError> {
    Ok(MembersState {
        gauges: get_list(input, |input| {
            Ok(Gauge {
                firm: Field::get(input)?,
                account: Field::get(input)?,
                limits: Field::get(input)?,
                paid: Field::get(input)?,
                positions: get_list(input, |input| Ok((Field::get(input)?, Field::get(input)?)))?,
                recent: get_list(input, |input| {
                    Ok(Recent {
                        stamp: Field::get(input)?,
                        order: Likeness {
                            instrument: Field::get(input)?,
                            side: Field::get(input)?,
                            kind: Field::get(input)?,
                            price: Field::get(input)?,
                            quantity: Field::get(input)?,
                        },
                    })
                })?,
            })
        })?,
        tiers: get_list(input, |input| Ok((Field::get(input)?, Field::get(input)?)))?,
        directory: Field::get(input)?,
        shards: get_list(input, |input| {
            Ok(Placed {
                firm: Field::get(input)?,
                account: Field::get(input)?,
                shard: Field::get(input)?,
            })
        })?,
        users: get_list(input, |input| {
            Ok(SetUser {
                user: Field::get(input)?,
                firm: Field::get(input)?,
                account: Field::get(input)?,
                role: Field::get(input)?,
                name: {
                    let len = usize::from(u8::get(input)?);
                    let bytes = input.take(len)?;
                    Text::new(bytes).ok_or(DecodeError::TextTooLong { len })?
                },
            })
        })?,
        services: get_list(input, |input| Ok((Field::get(input)?, Field::get(input)?)))?,
        budgets: Vec::new(),
    })
}
