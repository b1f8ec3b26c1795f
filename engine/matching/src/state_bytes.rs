//! The canonical bytes of an [`EngineState`]: what snapshots store and the state hash is taken over.
//!
//! | part | bytes |
//! |---|---|
//! | magic | `RIALTOES` |
//! | version | u16, 9; 8 where there are no budgets, 7 where there are no flags, runaway limits, parents and faults either: what there is none of is left out |
//! | venue, release | u32, u32 |
//! | last sequence number, last stamp | u64, u64 |
//! | live orders allowed | u32 |
//! | day, its midnight, how it stands | u32, u64, u8: 1 where the day is open, and 2 more where cancels are taken alone |
//! | halt of the market | u8 |
//! | protections | u32 count, then each: session (u32), limits |
//! | quoters | u32 count, then each: instrument (u16), session (u32), tripped (bool), trades: u32 count, then each stamp (u64), side (u8), quantity (u64) |
//! | undone trades | u32 count, then each (u64) |
//! | firms | u32 count, then each: definition, self-trade prevention (u8), killed (bool) |
//! | accounts | u32 count, then each as a definition |
//! | sessions | u32 count, then each: definition, up (bool), incarnation (u32), last user reference (u32) |
//! | instruments | u32 count, then each: definition, public references (u64), trades (u64), trades of earlier days (u64), last price (i64), rules, phase (u8), outlook, guard, bids, asks, hidden bids, hidden asks, aside |
//! | members | gauges: u32 count, then each: firm, account (u32, u32), limits, paid (i128), positions: u32 count, then each instrument (u16), position (i64), recent orders: u32 count, then each stamp (u64), instrument (u16), side, kind (u8, u8), price (i64), quantity (u64); fee tiers: u32 count, then each firm (u32), tier; directory version (u32); its entries: u32 count, then each firm, account (u32, u32), shard (u16); users: u32 count, then each user, firm, account (u32 each), role (u8), name (u8 length, bytes); services: u32 count, then each firm (u32), service (u8) |
//! | rules | bool, then where there are some: version (u32), rulebook, tick sizes, price bounds, fees, allocation |
//! | bids and the other queues | u32 count, then each order: the fields of [`OrderState`] in order, 57 bytes, and whether it is special (bool); then where it is: the fields of [`Special`] in order |
//! | outlook | price (i64), volume (u64), imbalance (u64), side (u8) |
//! | guard | reference, average (i64, i64), ten tallies (sum u64, count u64), boundary (u64), whether there is a limit state (bool) and its side (u8), deadline (u64) |
//! | aside | u32 count, then each: side (u8), order |
//! | flags | u32 count, then each: number (u16), retired (bool), rules: u32 count, then each target (u8), id (u32), value (u8), since (u64) |
//! | runaway limits | u32 count, then each: firm (u32), limits |
//! | parents | u32 count, then each as a definition |
//! | faults | u32 count, then each: definition, phase before (u8) |
//! | budgets | u32 count, then each: firm (u32), budgets |
//!
//! A definition is its command: schema (u16), block length (u16), length of block and text (u16), block, text. All
//! integers are little-endian. The bytes change by a new version, never in
//! place, and a state that has nothing of a version keeps the bytes of the one before: hashes of old streams stay. Reading never takes more memory than
//! the bytes there are, and says what is wrong with them; whether the state makes sense is judged by the import.

use crate::members::{get_members, put_members};
use crate::state::{
    Aside, EngineState, FaultState, Fill, FirmState, FlagState, Guard, InstrumentState, OrderState, Outlook,
    QuoterState, Rules, SessionState, Special,
};
use alloc::vec::Vec;
use rialto_model::Command;
use rialto_model::codec::{DecodeError, Decoder, Encoder, Field};
use rialto_model::flags::Rule;
use rialto_model::limits::MESSAGE_BYTES_MAX;

const MAGIC: [u8; 8] = *b"RIALTOES";
const VERSION: u16 = 9;
/// Without budgets.
const UNMETERED_VERSION: u16 = 8;
/// Without flags, runaway limits, parents and faults, either.
const PLAIN_VERSION: u16 = 7;

/// Why bytes are not an engine state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateBytesError {
    /// Another kind of file.
    #[error("these bytes do not begin with RIALTOES: give an engine snapshot")]
    NotAState,
    /// A version this build does not have.
    #[error("engine state version {version} is unknown: read it with the build that wrote it")]
    UnknownVersion {
        /// The version.
        version: u16,
    },
    /// A definition of another kind than the list it stands in.
    #[error("schema {schema} stands in a list of other definitions: the snapshot is damaged, take another")]
    WrongDefinition {
        /// Its schema id.
        schema: u16,
    },
    /// Cut short, an unknown value, or bytes left over.
    #[error("engine state: {0}")]
    Field(#[from] DecodeError),
}

impl EngineState {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024 + self.live_orders() * OrderState::BYTES);
        out.extend_from_slice(&MAGIC);
        let metered = !self.members.budgets.is_empty();
        let plain = !metered
            && self.flags.is_empty()
            && self.runaways.is_empty()
            && self.parents.is_empty()
            && self.faults.is_empty();
        let version = match (plain, metered) {
            (true, _) => PLAIN_VERSION,
            (false, false) => UNMETERED_VERSION,
            (false, true) => VERSION,
        };
        put(&mut out, &version);
        put(&mut out, &self.venue);
        put(&mut out, &self.release);
        put(&mut out, &self.last_seq);
        put(&mut out, &self.last_stamp);
        put(&mut out, &self.live_orders_max);
        put(&mut out, &self.day);
        put(&mut out, &self.midnight);
        put(&mut out, &(u8::from(self.day_open) | u8::from(self.cancel_only) << 1));
        put(&mut out, &self.breaker);
        put_list(&mut out, &self.protections, |out, (session, limits)| {
            put(out, session);
            put(out, limits);
        });
        put_list(&mut out, &self.quoters, |out, quoter| {
            put(out, &quoter.instrument);
            put(out, &quoter.session);
            put(out, &quoter.tripped);
            put_list(out, &quoter.fills, |out, fill| {
                put(out, &fill.stamp);
                put(out, &fill.side);
                put(out, &fill.quantity);
            });
        });
        put_list(&mut out, &self.undone, put);
        put_list(&mut out, &self.firms, |out, firm| {
            put_definition(out, &firm.definition.into());
            put(out, &firm.self_trade);
            put(out, &firm.killed);
        });
        put_list(&mut out, &self.accounts, |out, account| {
            put_definition(out, &(*account).into())
        });
        put_list(&mut out, &self.sessions, |out, session| {
            put_definition(out, &session.definition.into());
            put(out, &session.up);
            put(out, &session.incarnation);
            put(out, &session.last_user_ref);
        });
        put_list(&mut out, &self.instruments, |out, listed| {
            put_definition(out, &listed.definition.into());
            put(out, &listed.public_refs);
            put(out, &listed.trades);
            put(out, &listed.trades_at_open);
            put(out, &listed.last_price);
            put_rules(out, listed.rules.as_ref());
            put(out, &listed.phase);
            put(out, &listed.outlook.price);
            put(out, &listed.outlook.volume);
            put(out, &listed.outlook.imbalance);
            put(out, &listed.outlook.side);
            put_guard(out, &listed.guard);
            for orders in [&listed.bids, &listed.asks, &listed.hidden_bids, &listed.hidden_asks] {
                put_list(out, orders, put_order);
            }
            put_list(out, &listed.aside, |out, one| {
                put(out, &one.side);
                put_order(out, &one.order);
            });
        });
        put_members(&mut out, &self.members);
        if plain {
            return out;
        }
        put_list(&mut out, &self.flags, |out, flag| {
            put(out, &flag.number);
            put(out, &flag.retired);
            put_list(out, &flag.rules, |out, rule| {
                put(out, &rule.target);
                put(out, &rule.id);
                put(out, &rule.value);
                put(out, &rule.since);
            });
        });
        put_list(&mut out, &self.runaways, |out, (firm, limits)| {
            put(out, firm);
            put(out, limits);
        });
        put_list(&mut out, &self.parents, |out, parent| {
            put_definition(out, &(*parent).into())
        });
        put_list(&mut out, &self.faults, |out, fault| {
            put_definition(out, &fault.definition.into());
            put(out, &fault.before);
        });
        if metered {
            put_list(&mut out, &self.members.budgets, |out, (firm, budgets)| {
                put(out, firm);
                put(out, budgets);
            });
        }
        out
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`StateBytesError`] that says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateBytesError> {
        let input = &mut Decoder::new(bytes);
        if input.take(MAGIC.len()) != Ok(&MAGIC[..]) {
            return Err(StateBytesError::NotAState);
        }
        let (plain, metered) = match u16::get(input)? {
            PLAIN_VERSION => (true, false),
            UNMETERED_VERSION => (false, false),
            VERSION => (false, true),
            version => return Err(StateBytesError::UnknownVersion { version }),
        };
        let (venue, release) = (Field::get(input)?, Field::get(input)?);
        let (last_seq, last_stamp) = (Field::get(input)?, Field::get(input)?);
        let live_orders_max = Field::get(input)?;
        let (day, midnight) = (Field::get(input)?, Field::get(input)?);
        let (day_open, cancel_only) = match u8::get(input)? {
            stands @ 0..=3 => (stands & 1 != 0, stands & 2 != 0),
            value => {
                return Err(DecodeError::UnknownValue {
                    kind: "day's standing",
                    value,
                }
                .into());
            }
        };
        let mut state = Self {
            venue,
            release,
            last_seq,
            last_stamp,
            live_orders_max,
            day,
            midnight,
            day_open,
            cancel_only,
            breaker: Field::get(input)?,
            protections: get_list(input, |input| Ok((Field::get(input)?, Field::get(input)?)))?,
            quoters: get_list(input, |input| {
                Ok(QuoterState {
                    instrument: Field::get(input)?,
                    session: Field::get(input)?,
                    tripped: Field::get(input)?,
                    fills: get_list(input, |input| {
                        Ok(Fill {
                            stamp: Field::get(input)?,
                            side: Field::get(input)?,
                            quantity: Field::get(input)?,
                        })
                    })?,
                })
            })?,
            undone: get_list(input, |input| Ok(Field::get(input)?))?,
            flags: Vec::new(),
            runaways: Vec::new(),
            parents: Vec::new(),
            faults: Vec::new(),
            firms: get_list(input, |input| match get_definition(input)? {
                Command::DefineFirm(definition) => Ok(FirmState {
                    definition,
                    self_trade: Field::get(input)?,
                    killed: Field::get(input)?,
                }),
                other => Err(wrong(&other)),
            })?,
            accounts: get_list(input, |input| match get_definition(input)? {
                Command::DefineAccount(account) => Ok(account),
                other => Err(wrong(&other)),
            })?,
            sessions: get_list(input, |input| match get_definition(input)? {
                Command::DefineSession(definition) => Ok(SessionState {
                    definition,
                    up: Field::get(input)?,
                    incarnation: Field::get(input)?,
                    last_user_ref: Field::get(input)?,
                }),
                other => Err(wrong(&other)),
            })?,
            instruments: get_list(input, |input| match get_definition(input)? {
                Command::DefineInstrument(definition) => Ok(InstrumentState {
                    definition,
                    public_refs: Field::get(input)?,
                    trades: Field::get(input)?,
                    trades_at_open: Field::get(input)?,
                    last_price: Field::get(input)?,
                    rules: get_rules(input)?,
                    phase: Field::get(input)?,
                    outlook: Outlook {
                        price: Field::get(input)?,
                        volume: Field::get(input)?,
                        imbalance: Field::get(input)?,
                        side: Field::get(input)?,
                    },
                    guard: get_guard(input)?,
                    bids: get_list(input, get_order)?,
                    asks: get_list(input, get_order)?,
                    hidden_bids: get_list(input, get_order)?,
                    hidden_asks: get_list(input, get_order)?,
                    aside: get_list(input, |input| {
                        Ok(Aside {
                            side: Field::get(input)?,
                            order: get_order(input)?,
                        })
                    })?,
                }),
                other => Err(wrong(&other)),
            })?,
            members: get_members(input)?,
        };
        if !plain {
            state.flags = get_list(input, |input| {
                Ok(FlagState {
                    number: Field::get(input)?,
                    retired: Field::get(input)?,
                    rules: get_list(input, |input| {
                        Ok(Rule {
                            target: Field::get(input)?,
                            id: Field::get(input)?,
                            value: Field::get(input)?,
                            since: Field::get(input)?,
                        })
                    })?,
                })
            })?;
            state.runaways = get_list(input, |input| Ok((Field::get(input)?, Field::get(input)?)))?;
            state.parents = get_list(input, |input| match get_definition(input)? {
                Command::SetParent(parent) => Ok(parent),
                other => Err(wrong(&other)),
            })?;
            state.faults = get_list(input, |input| match get_definition(input)? {
                Command::AddFault(definition) => Ok(FaultState {
                    definition,
                    before: Field::get(input)?,
                }),
                other => Err(wrong(&other)),
            })?;
        }
        if metered {
            state.members.budgets = get_list(input, |input| Ok((Field::get(input)?, Field::get(input)?)))?;
        }
        match input.remaining() {
            0 => Ok(state),
            extra => Err(DecodeError::Trailing { extra }.into()),
        }
    }
}

impl OrderState {
    /// Bytes of one plain order.
    const BYTES: usize = 58;
}

fn put_order(out: &mut Vec<u8>, order: &OrderState) {
    put(out, &order.order_id);
    put(out, &order.public_ref);
    put(out, &order.session);
    put(out, &order.user_ref);
    put(out, &order.carried);
    put(out, &order.account);
    put(out, &order.price);
    put(out, &order.leaves);
    put(out, &order.executed);
    put(out, &order.tif);
    put(out, &order.short);
    put(out, &order.policy);
    put(out, &order.special.is_some());
    if let Some(special) = &order.special {
        put(out, &special.kind);
        put(out, &special.instructions);
        put(out, &special.reserve);
        put(out, &special.trigger);
        put(out, &special.waits);
        put(out, &special.limit);
    }
}

fn put_rules(out: &mut Vec<u8>, rules: Option<&Rules>) {
    put(out, &rules.is_some());
    if let Some(rules) = rules {
        put(out, &rules.version);
        put(out, &rules.rulebook);
        put(out, &rules.ticks);
        put(out, &rules.bands);
        put(out, &rules.fees);
        put(out, &rules.allocation);
    }
}

fn get_rules(input: &mut Decoder<'_>) -> Result<Option<Rules>, StateBytesError> {
    if !bool::get(input)? {
        return Ok(None);
    }
    Ok(Some(Rules {
        version: Field::get(input)?,
        rulebook: Field::get(input)?,
        ticks: Field::get(input)?,
        bands: Field::get(input)?,
        fees: Field::get(input)?,
        allocation: Field::get(input)?,
    }))
}

fn put_guard(out: &mut Vec<u8>, guard: &Guard) {
    put(out, &guard.reference);
    put(out, &guard.average);
    for tally in &guard.tallies {
        put(out, &tally.sum);
        put(out, &tally.count);
    }
    put(out, &guard.boundary);
    put(out, &guard.limit.is_some());
    if let Some(side) = &guard.limit {
        put(out, side);
    }
    put(out, &guard.deadline);
}

fn get_guard(input: &mut Decoder<'_>) -> Result<Guard, StateBytesError> {
    let mut guard = Guard {
        reference: Field::get(input)?,
        average: Field::get(input)?,
        ..Guard::default()
    };
    for tally in &mut guard.tallies {
        tally.sum = Field::get(input)?;
        tally.count = Field::get(input)?;
    }
    guard.boundary = Field::get(input)?;
    guard.limit = if bool::get(input)? {
        Some(Field::get(input)?)
    } else {
        None
    };
    guard.deadline = Field::get(input)?;
    Ok(guard)
}

fn get_order(input: &mut Decoder<'_>) -> Result<OrderState, StateBytesError> {
    Ok(OrderState {
        order_id: Field::get(input)?,
        public_ref: Field::get(input)?,
        session: Field::get(input)?,
        user_ref: Field::get(input)?,
        carried: Field::get(input)?,
        account: Field::get(input)?,
        price: Field::get(input)?,
        leaves: Field::get(input)?,
        executed: Field::get(input)?,
        tif: Field::get(input)?,
        short: Field::get(input)?,
        policy: Field::get(input)?,
        special: if bool::get(input)? {
            Some(Special {
                kind: Field::get(input)?,
                instructions: Field::get(input)?,
                reserve: Field::get(input)?,
                trigger: Field::get(input)?,
                waits: Field::get(input)?,
                limit: Field::get(input)?,
            })
        } else {
            None
        },
    })
}

fn put_definition(out: &mut Vec<u8>, definition: &Command) {
    let mut bytes = [0; MESSAGE_BYTES_MAX];
    let mut encoder = Encoder::new(&mut bytes);
    definition.encode(&mut encoder);
    let len = encoder.len();
    put(out, &definition.schema());
    put(out, &(definition.block_len() as u16));
    put(out, &(len as u16));
    out.extend(bytes.iter().take(len));
}

fn get_definition(input: &mut Decoder<'_>) -> Result<Command, StateBytesError> {
    let schema = u16::get(input)?;
    let block_len = u16::get(input)?;
    let len = u16::get(input)?;
    let bytes = input.take(usize::from(len))?;
    Ok(Command::decode(schema, usize::from(block_len), bytes)?)
}

fn wrong(definition: &Command) -> StateBytesError {
    StateBytesError::WrongDefinition {
        schema: definition.schema(),
    }
}

pub(crate) fn put_list<T>(out: &mut Vec<u8>, list: &[T], mut put_one: impl FnMut(&mut Vec<u8>, &T)) {
    put(out, &(list.len() as u32));
    for one in list {
        put_one(out, one);
    }
}

/// The list grows with the elements that are really there: a damaged count reserves nothing.
pub(crate) fn get_list<T>(
    input: &mut Decoder<'_>,
    mut get_one: impl FnMut(&mut Decoder<'_>) -> Result<T, StateBytesError>,
) -> Result<Vec<T>, StateBytesError> {
    let count = u32::get(input)?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(get_one(input)?);
    }
    Ok(list)
}

pub(crate) fn put<T: Field>(out: &mut Vec<u8>, field: &T) {
    let at = out.len();
    out.resize(at + T::SIZE, 0);
    if let Some(room) = out.get_mut(at..) {
        field.put(&mut Encoder::new(room));
    }
}
