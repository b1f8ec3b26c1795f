//! Who and what is defined, in full: what the engine needs to say again or to carry in a snapshot, off the order path.

use alloc::collections::{BTreeMap, BTreeSet};
use rialto_model::command::{DefineAccount, DefineFirm, DefineInstrument, DefineSession};
use rialto_model::limits::{ACCOUNT_MAX, FIRM_MAX, PRICE_MAX, QUANTITY_MAX, SESSION_MAX};
use rialto_model::{AccountId, FirmId, InstrumentId, SessionId, Symbol};

/// The definitions by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    pub(crate) firms: BTreeMap<FirmId, DefineFirm>,
    pub(crate) accounts: BTreeMap<AccountId, DefineAccount>,
    pub(crate) sessions: BTreeMap<SessionId, DefineSession>,
    pub(crate) instruments: BTreeMap<InstrumentId, DefineInstrument>,
    symbols: BTreeSet<Symbol>,
}

impl Registry {
    /// Whether this firm may be defined now.
    pub(crate) fn admits_firm(&self, one: &DefineFirm) -> bool {
        is_firm(one.firm) && !self.firms.contains_key(&one.firm)
    }

    /// Whether this account may be defined now.
    pub(crate) fn admits_account(&self, one: &DefineAccount) -> bool {
        is_account(one.account) && !self.accounts.contains_key(&one.account) && self.firms.contains_key(&one.firm)
    }

    /// Whether this session may be defined now.
    pub(crate) fn admits_session(&self, one: &DefineSession) -> bool {
        let account = self.accounts.get(&one.account);
        is_session(one.session)
            && !self.sessions.contains_key(&one.session)
            && account.is_some_and(|account| account.firm == one.firm)
    }

    /// Whether this instrument may be defined now.
    pub(crate) fn admits_instrument(&self, one: &DefineInstrument) -> bool {
        usize::from(one.instrument.0) == self.instruments.len() + 1
            && !self.symbols.contains(&one.symbol)
            && is_sound(one)
    }

    /// Takes in an instrument that [`Registry::admits_instrument`].
    pub(crate) fn add_instrument(&mut self, one: DefineInstrument) {
        self.symbols.insert(one.symbol);
        self.instruments.insert(one.instrument, one);
    }
}

/// A member's id: zero is the venue itself.
pub(crate) fn is_firm(id: FirmId) -> bool {
    (1..=FIRM_MAX).contains(&id.0)
}

/// Zero stands for the account of the session.
pub(crate) fn is_account(id: AccountId) -> bool {
    (1..=ACCOUNT_MAX).contains(&id.0)
}

/// A member's session: zero is the venue itself.
pub(crate) fn is_session(id: SessionId) -> bool {
    (1..=SESSION_MAX).contains(&id.0)
}

/// Whether an order could ever be valid on it: one tick is a price, one lot a quantity.
pub(crate) fn is_sound(one: &DefineInstrument) -> bool {
    let priced = one.tick.0 > 0 && one.tick <= one.price_max && one.price_max.0 <= PRICE_MAX;
    let sized = one.lot.0 > 0 && one.lot <= one.quantity_max && one.quantity_max.0 <= QUANTITY_MAX;
    priced && sized
}
