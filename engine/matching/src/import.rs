//! Whether an [`EngineState`] can be one: every rule that the engines rely on, checked before either takes it in.
//!
//! A snapshot comes from outside, so nothing of it is believed. What passes here can be built without a check.

mod places;

use crate::special::{
    are_sound_bands, are_sound_fees, are_sound_flags, are_sound_rules, are_sound_ticks, is_parent_name,
    is_sound_allocation,
};
use crate::state::{
    EngineState, FaultState, Guard, InstrumentState, OrderState, QuoterState, Rules, SessionState, Tally,
};
use crate::{CURRENT_RELEASE, registry};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use rialto_model::command::{AddFault, DefineInstrument, SetParent};
use rialto_model::limits::{
    FAULTS_MAX, LIVE_ORDERS_MAX, PARENTS_MAX, QUANTITY_MAX, QUOTE_FILLS_MAX, UNDONE_TRADES_MAX,
};
use rialto_model::{
    AccountId, BreakerLevel, FirmId, InstrumentId, OrderId, Phase, Price, PublicRef, QuoteLimits, RunawayLimits,
    SessionId, ShortSale, Side, Symbol, TimeInForce, UserRef,
};

/// Why a state cannot be one. The mend is the same for all: take another snapshot, or replay from the first command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Of the venue as a whole.
    #[error("engine state: {fault}; take another snapshot or replay from the first command")]
    Venue {
        /// What is wrong.
        fault: &'static str,
    },
    /// Of a firm, account, session or instrument.
    #[error("engine state: {what} {id}: {fault}; take another snapshot or replay from the first command")]
    Definition {
        /// Which kind.
        what: &'static str,
        /// Which one.
        id: u32,
        /// What is wrong.
        fault: &'static str,
    },
    /// Of an order.
    #[error("engine state: order {order}: {fault}; take another snapshot or replay from the first command")]
    Order {
        /// Which one.
        order: OrderId,
        /// What is wrong.
        fault: &'static str,
    },
}

/// Executed quantities in a snapshot stay below this, so that no number of later executions can overflow 64 bits: each
/// adds at most [`QUANTITY_MAX`](rialto_model::limits::QUANTITY_MAX), and 2^63 / 10^9 are more than nine thousand million.
const EXECUTED_MAX: u64 = 1 << 62;
/// Sequence numbers in a snapshot stay below this, so that counting on from them never ends.
const SEQUENCE_MAX: u64 = 1 << 62;
/// Public references and trades are counted in 48 bits; a snapshot leaves half of them.
const COUNT_MAX: u64 = 1 << 47;

impl EngineState {
    /// Checks everything that an engine relies on.
    ///
    /// # Errors
    /// [`ImportError`] that names the first contradiction.
    pub fn check(&self) -> Result<(), ImportError> {
        self.check_venue()?;
        let owners = self.check_members()?;
        let mut names = Names::default();
        for (at, listed) in self.instruments.iter().enumerate() {
            self.check_instrument(at, listed, &mut names)?;
            for (side, order) in listed.orders() {
                self.check_order(order, side, listed, &owners)
                    .map_err(|fault| ImportError::Order {
                        order: order.order_id,
                        fault,
                    })?;
                names.take(order, side, listed.definition.instrument);
            }
            places::check(listed)?;
        }
        names.check()
    }

    fn check_venue(&self) -> Result<(), ImportError> {
        first_fault(&[
            (self.release > CURRENT_RELEASE, "its release is newer than this build"),
            (
                self.live_orders_max > LIVE_ORDERS_MAX,
                "it allows more than LIVE_ORDERS_MAX orders",
            ),
            (
                self.live_orders() > self.live_orders_max as usize,
                "it holds more orders than it allows",
            ),
            (
                self.last_seq.0 > SEQUENCE_MAX,
                "its last sequence number is out of range",
            ),
            (
                self.undone.len() > UNDONE_TRADES_MAX || !self.undone.is_sorted_by(|one, other| one < other),
                "its undone trades are too many or out of order",
            ),
            (
                self.faults.len() > FAULTS_MAX || !self.faults.iter().all(|one| one.definition.is_sound()),
                "its faults are too many or not sound",
            ),
            (self.day_open && self.day.0 == 0, "a day is open and none was started"),
        ])
        .and_then(|()| are_sound_flags(&self.flags))
        .map_err(|fault| ImportError::Venue { fault })
    }

    fn check_runaways(&self, owners: &Owners) -> Result<(), ImportError> {
        let limited = |(firm, limits): &(FirmId, RunawayLimits)| {
            owners.firms.contains(firm) && limits.is_sound() && *limits != RunawayLimits::default()
        };
        let stated =
            |one: &SetParent| owners.firms.contains(&one.firm) && is_parent_name(&one.name) && !one.quantity.is_zero();
        first_fault(&[
            (
                !self.runaways.is_sorted_by(|one, other| one.0 < other.0) || !self.runaways.iter().all(limited),
                "what its firms may send is out of order or not allowed",
            ),
            (
                self.parents.len() > PARENTS_MAX
                    || !self.parents.iter().all(stated)
                    || !self
                        .parents
                        .is_sorted_by(|one, other| (one.firm, one.name) < (other.firm, other.name)),
                "its parents are too many, out of order or not allowed",
            ),
        ])
        .map_err(|fault| ImportError::Venue { fault })
    }

    fn check_members(&self) -> Result<Owners, ImportError> {
        let mut owners = Owners::default();
        for firm in &self.firms {
            let fault = first_fault(&[
                (!registry::is_firm(firm.definition.firm), "its id is out of range"),
                (
                    owners.firms.last() >= Some(&firm.definition.firm),
                    "stands out of order",
                ),
            ]);
            fault.map_err(|fault| ImportError::Definition {
                what: "firm",
                id: firm.definition.firm.0,
                fault,
            })?;
            owners.firms.insert(firm.definition.firm);
        }
        for account in &self.accounts {
            let last = owners.accounts.last_key_value().map(|(id, _)| *id);
            let fault = first_fault(&[
                (!registry::is_account(account.account), "its id is out of range"),
                (last >= Some(account.account), "stands out of order"),
                (!owners.firms.contains(&account.firm), "its firm is not defined"),
            ]);
            fault.map_err(|fault| ImportError::Definition {
                what: "account",
                id: account.account.0,
                fault,
            })?;
            owners.accounts.insert(account.account, account.firm);
        }
        for session in &self.sessions {
            let one = &session.definition;
            let last = owners.sessions.last_key_value().map(|(id, _)| *id);
            let fault = first_fault(&[
                (!registry::is_session(one.session), "its id is out of range"),
                (last >= Some(one.session), "stands out of order"),
                (
                    owners.accounts.get(&one.account) != Some(&one.firm),
                    "its account is not its firm's",
                ),
                (session.up && session.incarnation.0 == 0, "is up without an incarnation"),
            ]);
            fault.map_err(|fault| ImportError::Definition {
                what: "session",
                id: one.session.0,
                fault,
            })?;
            owners.sessions.insert(one.session, *session);
        }
        self.check_faults(&owners)?;
        self.check_quoters(&owners)?;
        self.check_runaways(&owners)?;
        let known = |firm| owners.firms.contains(&firm);
        if let Some(fault) = self.members.fault(known, &owners.accounts, self.instruments.len()) {
            return Err(ImportError::Venue { fault });
        }
        Ok(owners)
    }

    fn check_faults(&self, owners: &Owners) -> Result<(), ImportError> {
        let names = |at: usize| self.faults.iter().take(at).map(|one| one.definition.name);
        let sound = |(at, one): (usize, &FaultState)| {
            let AddFault {
                session,
                instrument,
                name,
                ..
            } = one.definition;
            let listed = self.instruments.get(usize::from(instrument.0).wrapping_sub(1));
            (session.0 == 0 || owners.sessions.contains_key(&session))
                && (instrument.0 == 0 || listed.is_some_and(|listed| listed.rules.is_some()))
                && !names(at).any(|other| other == name)
        };
        let all = self.faults.iter().enumerate().all(sound);
        first_fault(&[(!all, "its faults are about nobody or share a name")])
            .map_err(|fault| ImportError::Venue { fault })
    }

    fn check_quoters(&self, owners: &Owners) -> Result<(), ImportError> {
        let limited = |session: &SessionId| self.protections.iter().any(|(one, _)| one == session);
        let sound = |quoter: &QuoterState| {
            let listed = self.instruments.get(usize::from(quoter.instrument.0).wrapping_sub(1));
            limited(&quoter.session)
                && listed.is_some_and(|listed| listed.rules.is_some())
                && quoter.tripped == quoter.fills.is_empty()
                && quoter.fills.len() < QUOTE_FILLS_MAX
                && quoter.fills.iter().all(|fill| fill.quantity.0 <= QUANTITY_MAX)
        };
        let key = |quoter: &QuoterState| (quoter.instrument, quoter.session);
        first_fault(&[
            (
                !self.protections.is_sorted_by(|one, other| one.0 < other.0)
                    || !self.protections.iter().all(|(session, limits)| {
                        owners.sessions.contains_key(session) && *limits != QuoteLimits::default()
                    }),
                "its market-maker protection is out of order or nobody's",
            ),
            (
                !self.quoters.iter().all(sound) || !self.quoters.is_sorted_by(|one, other| key(one) < key(other)),
                "what is counted of its quotes is out of order or not allowed",
            ),
        ])
        .map_err(|fault| ImportError::Venue { fault })
    }

    fn check_instrument(&self, at: usize, listed: &InstrumentState, names: &mut Names) -> Result<(), ImportError> {
        let one = &listed.definition;
        let bids = listed.bids.iter().chain(&listed.hidden_bids).map(|order| order.price);
        let asks = listed.asks.iter().chain(&listed.hidden_asks).map(|order| order.price);
        let crossed = match (bids.max(), asks.min()) {
            (Some(bid), Some(ask)) => bid >= ask,
            _ => false,
        };
        first_fault(&[
            (usize::from(one.instrument.0) != at + 1, "ids are not dense from 1"),
            (!names.symbols.insert(one.symbol), "its symbol is another's"),
            (!registry::is_sound(one), "tick, lot or bounds contradict each other"),
            (
                listed.public_refs > COUNT_MAX || listed.trades > COUNT_MAX || listed.trades_at_open > listed.trades,
                "its counters are out of range",
            ),
            (
                crossed && matches!(listed.phase, Phase::Continuous | Phase::Closed),
                "its book is crossed",
            ),
            (
                listed.rules.is_none() && listed.phase != Phase::Continuous,
                "it has no rulebook and is in a phase",
            ),
            (
                listed.last_price.0 < 0 || listed.last_price > one.price_max,
                "its last price is not allowed",
            ),
            (
                listed.rules.is_some_and(|rules| !are_sound(one, &rules)),
                "its rules contradict its definition",
            ),
            (
                !self.is_sound_guard(listed),
                "what its price bounds go by contradicts them",
            ),
            (
                listed.rules.is_none() && listed.orders().any(|(_, order)| order.special.is_some()),
                "it has no rulebook and an order with instructions",
            ),
        ])
        .map_err(|fault| ImportError::Definition {
            what: "instrument",
            id: u32::from(one.instrument.0),
            fault,
        })
    }

    fn is_sound_guard(&self, listed: &InstrumentState) -> bool {
        let guard = &listed.guard;
        let Some(rules) = &listed.rules else {
            return *guard == Guard::default();
        };
        let price_max = listed.definition.price_max;
        let is_price = |price: Price| price.0 >= 0 && price <= price_max;
        let counted = |tally: &Tally| tally.count < COUNT_MAX && tally.sum / tally.count.max(1) <= price_max.0 as u64;
        let limits = rules.bands.limit > 0;
        let continuous = listed.phase == Phase::Continuous;
        let counting = guard.boundary.0 == 0 || (limits && continuous && self.day_open);
        let waiting = match listed.phase {
            Phase::Continuous => guard.limit.is_some() == (guard.deadline.0 > 0) && (limits || guard.limit.is_none()),
            Phase::VolatilityAuction => guard.limit.is_none(),
            _ => guard.limit.is_none() && guard.deadline.0 == 0,
        };
        let halted = self.breaker != BreakerLevel::None || !self.day_open;
        is_price(guard.reference)
            && is_price(guard.average)
            && (limits || guard.average.0 == 0)
            && guard.tallies.iter().all(counted)
            && counting
            && waiting
            && (guard.deadline.0 == 0 || !halted)
    }

    fn check_order(
        &self,
        order: &OrderState,
        side: Side,
        listed: &InstrumentState,
        owners: &Owners,
    ) -> Result<(), &'static str> {
        let rules = &listed.definition;
        let Some(session) = owners.sessions.get(&order.session) else {
            return Err("its session is not defined");
        };
        let on_tick = order.price.0 > 0 && order.price.0 % rules.tick.0 == 0;
        let on_lot = order.leaves.0 > 0 && order.leaves.0.is_multiple_of(rules.lot.0);
        let first_ref = PublicRef::new(rules.instrument, 1);
        let last_ref = PublicRef::new(rules.instrument, listed.public_refs);
        let named_today = self.day_open && order.user_ref.0 > 0 && order.user_ref <= session.last_user_ref;
        let firm = owners.accounts.get(&order.account);
        let quote = order.order_id.is_quote();
        first_fault(&[
            (
                order.order_id.command().0 == 0 || order.order_id.command() > self.last_seq,
                "its id is no command's number",
            ),
            (
                order.public_ref < first_ref || order.public_ref > last_ref,
                "its public reference was not given",
            ),
            (firm != Some(&session.definition.firm), "its account is not its firm's"),
            (
                (!on_tick || order.price > rules.price_max) && !places::is_unpriced(order),
                "its price is not allowed",
            ),
            (
                !on_lot || order.leaves > rules.quantity_max,
                "its quantity is not allowed",
            ),
            (
                order
                    .special
                    .is_some_and(|special| special.limit > rules.price_max || special.limit.0 % rules.tick.0 != 0),
                "its peg is not allowed",
            ),
            (order.executed.0 > EXECUTED_MAX, "its executed quantity is out of range"),
            (!order.tif.rests(), "its time in force does not rest"),
            (
                side == Side::Buy && order.short != ShortSale::None,
                "is a short-sale mark on a buy order",
            ),
            (
                order.carried && order.tif != TimeInForce::GoodTillCancel && !quote,
                "is a DAY order of an earlier day",
            ),
            (
                quote
                    && (!order.carried
                        || order.special.is_some()
                        || order.tif != TimeInForce::Day
                        || !self.day_open
                        || listed.rules.is_none()),
                "is a quote and more than that",
            ),
            (!order.carried && !named_today, "its user reference was not given today"),
        ])
    }
}

fn are_sound(one: &DefineInstrument, rules: &Rules) -> bool {
    let defined = registry::is_sound(one);
    defined
        && rules.version > 0
        && are_sound_rules(one, &rules.rulebook)
        && are_sound_ticks(one, &rules.ticks)
        && are_sound_bands(one, &rules.bands)
        && are_sound_fees(&rules.fees)
        && is_sound_allocation(one, &rules.allocation)
}

/// Who is defined.
#[derive(Default)]
struct Owners {
    firms: BTreeSet<FirmId>,
    accounts: BTreeMap<AccountId, FirmId>,
    sessions: BTreeMap<SessionId, SessionState>,
}

/// What may be there only once.
#[derive(Default)]
struct Names {
    symbols: BTreeSet<Symbol>,
    order_ids: Vec<OrderId>,
    public_refs: Vec<PublicRef>,
    user_refs: Vec<(SessionId, UserRef)>,
    quotes: Vec<(SessionId, InstrumentId, Side)>,
}

impl Names {
    fn take(&mut self, order: &OrderState, side: Side, instrument: InstrumentId) {
        if order.order_id.is_quote() {
            self.quotes.push((order.session, instrument, side));
        }
        self.order_ids.push(order.order_id);
        self.public_refs.push(order.public_ref);
        if !order.carried {
            self.user_refs.push((order.session, order.user_ref));
        }
    }

    fn check(mut self) -> Result<(), ImportError> {
        let twice = [
            (has_twice(&mut self.order_ids), "two orders have one order id"),
            (
                has_twice(&mut self.quotes),
                "two quotes of a session stand on one side of an instrument",
            ),
            (has_twice(&mut self.public_refs), "two orders have one public reference"),
            (
                has_twice(&mut self.user_refs),
                "two orders of a session have one user reference",
            ),
        ];
        first_fault(&twice).map_err(|fault| ImportError::Venue { fault })
    }
}

fn has_twice<T: Ord>(names: &mut [T]) -> bool {
    names.sort_unstable();
    names
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if one == other))
}

fn first_fault(checks: &[(bool, &'static str)]) -> Result<(), &'static str> {
    checks
        .iter()
        .find(|(broken, _)| *broken)
        .map_or(Ok(()), |(_, fault)| Err(*fault))
}
