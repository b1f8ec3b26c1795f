//! Releases and definitions: who and what there is.

use crate::CURRENT_RELEASE;
use crate::book::Book;
use crate::engine::{Engine, Session};
use crate::special::FirmRules;
use alloc::vec::Vec;
use rialto_model::command::{DefineAccount, DefineFirm, DefineInstrument, DefineSession, Release};
use rialto_model::event::{AccountDefined, CommandRejected, FirmDefined, InstrumentListed, Released, SessionDefined};
use rialto_model::{Event, RejectReason};

impl Engine {
    /// DESIGN 4, releases: behaviour never goes back, and never to one that this build does not have. A stream is one
    /// venue's.
    #[cold]
    pub(crate) fn begin_release(&mut self, c: &Release) -> Event {
        let begun = self.release.0 > 0;
        let known = c.release.0 > 0 && c.release <= CURRENT_RELEASE;
        if !known || c.release < self.release || (begun && c.venue != self.venue) {
            return rejected(Release::SCHEMA);
        }
        self.venue = c.venue;
        self.release = c.release;
        Released {
            venue: c.venue,
            release: c.release,
        }
        .into()
    }

    /// DESIGN 4: instruments are dense from 1 (ITCH stock locate), each symbol once.
    #[cold]
    pub(crate) fn define_instrument(&mut self, c: &DefineInstrument) -> Event {
        if !self.registry.admits_instrument(c) {
            return rejected(DefineInstrument::SCHEMA);
        }
        self.add_instrument(c);
        listed(c, self.day_open)
    }

    /// DESIGN 4: a firm is the tenant; zero is the venue itself.
    #[cold]
    pub(crate) fn define_firm(&mut self, c: &DefineFirm) -> Event {
        if !self.registry.admits_firm(c) {
            return rejected(DefineFirm::SCHEMA);
        }
        self.add_firm(c);
        FirmDefined {
            firm: c.firm,
            mpid: c.mpid,
            name: c.name,
        }
        .into()
    }

    /// FIX 1 (Account): an account is of one firm.
    #[cold]
    pub(crate) fn define_account(&mut self, c: &DefineAccount) -> Event {
        if !self.registry.admits_account(c) {
            return rejected(DefineAccount::SCHEMA);
        }
        self.add_account(c);
        AccountDefined {
            account: c.account,
            firm: c.firm,
        }
        .into()
    }

    /// DESIGN 4: a session is of one firm, and its account is that firm's.
    #[cold]
    pub(crate) fn define_session(&mut self, c: &DefineSession) -> Event {
        if !self.registry.admits_session(c) {
            return rejected(DefineSession::SCHEMA);
        }
        self.add_session(c);
        let DefineSession {
            session,
            firm,
            account,
            door,
            name,
        } = *c;
        SessionDefined {
            session,
            firm,
            account,
            door,
            name,
        }
        .into()
    }

    pub(crate) fn add_instrument(&mut self, one: &DefineInstrument) {
        self.registry.add_instrument(*one);
        self.books.push(Book::new(one, &mut self.rungs));
    }

    pub(crate) fn add_firm(&mut self, one: &DefineFirm) {
        self.registry.firms.insert(one.firm, *one);
        *at(&mut self.mpids, one.firm.0) = one.mpid;
        *at(&mut self.firms, one.firm.0) = FirmRules::default();
    }

    pub(crate) fn add_account(&mut self, one: &DefineAccount) {
        self.registry.accounts.insert(one.account, *one);
        *at(&mut self.accounts, one.account.0) = one.firm;
    }

    pub(crate) fn add_session(&mut self, one: &DefineSession) {
        self.registry.sessions.insert(one.session, *one);
        let session = at(&mut self.sessions, one.session.0);
        *session = Session {
            defined: true,
            firm: one.firm,
            account: one.account,
            ..Session::default()
        };
        self.flags.add_session(one.session, one.firm);
        self.mark_sessions(one.firm);
    }
}

/// The place of an id in a table by id, which grows to it. Ids are bounded by `limits.rs`.
fn at<T: Clone + Default>(table: &mut Vec<T>, id: u32) -> &mut T {
    let at = id as usize;
    if table.len() <= at {
        table.resize(at + 1, T::default());
    }
    &mut table[at]
}

/// The directory entry of an instrument (ITCH `R`).
pub(crate) fn listed(one: &DefineInstrument, trading: bool) -> Event {
    let DefineInstrument {
        instrument,
        symbol,
        scale,
        tick,
        price_max,
        lot,
        quantity_max,
    } = *one;
    InstrumentListed {
        instrument,
        symbol,
        scale,
        tick,
        price_max,
        lot,
        quantity_max,
        trading,
    }
    .into()
}

fn rejected(schema: u16) -> Event {
    CommandRejected {
        schema,
        reason: RejectReason::BadDefinition,
    }
    .into()
}
