//! Who and what there is, as the stream says: instruments, firms, sessions, the trading day.

use std::collections::{BTreeMap, HashMap};

use foldhash::HashMap as FastMap;
use rialto_model::event::{InstrumentListed, SessionDefined};
use rialto_model::{
    Door, Event, FirmId, InstrumentId, Mpid, Price, PriceScale, Quantity, SessionId, Symbol, Text, Timestamp,
    TradingDay, VenueId,
};

/// An instrument as far as a door needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instrument {
    pub(crate) symbol: Symbol,
    pub(crate) scale: PriceScale,
    pub(crate) tick: Price,
    pub(crate) price_max: Price,
    pub(crate) lot: Quantity,
    pub(crate) quantity_max: Quantity,
}

/// The trading day that is open, or the last one that was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day {
    pub(crate) date: TradingDay,
    pub(crate) midnight: Timestamp,
    pub(crate) open: bool,
}

/// What the stream has defined so far. Its tables are bounded by the ids that the engine takes.
#[derive(Debug)]
pub(crate) struct Directory {
    door: Door,
    pub(crate) venue: VenueId,
    pub(crate) day: Option<Day>,
    /// In order, so that lists of them are the same every time.
    instruments: BTreeMap<InstrumentId, Instrument>,
    by_symbol: FastMap<Symbol, InstrumentId>,
    firms: FastMap<FirmId, Mpid>,
    /// What each session of this door logs on as, and whose it is.
    names: FastMap<SessionId, (Text, FirmId)>,
    /// Whoever knocks chooses the key, so it is hashed with care.
    by_name: HashMap<Vec<u8>, SessionId>,
}

impl Directory {
    /// Nothing is defined yet. Of sessions, only those that come through `door` are kept.
    pub(crate) fn new(door: Door) -> Self {
        Self {
            door,
            venue: VenueId::default(),
            day: None,
            instruments: BTreeMap::new(),
            by_symbol: FastMap::default(),
            firms: FastMap::default(),
            names: FastMap::default(),
            by_name: HashMap::new(),
        }
    }

    /// Takes in one event.
    pub(crate) fn follow(&mut self, event: &Event) {
        match event {
            Event::Released(e) => self.venue = e.venue,
            Event::InstrumentListed(e) => self.list(e),
            Event::FirmDefined(e) => {
                self.firms.insert(e.firm, e.mpid);
            }
            Event::SessionDefined(e) if e.door == self.door => self.define(e),
            Event::DayStarted(e) => {
                self.day = Some(Day {
                    date: e.day,
                    midnight: e.midnight,
                    open: true,
                });
            }
            Event::DayEnded(_) => {
                if let Some(day) = &mut self.day {
                    day.open = false;
                }
            }
            _ => {}
        }
    }

    fn list(&mut self, listed: &InstrumentListed) {
        let instrument = Instrument {
            symbol: listed.symbol,
            scale: listed.scale,
            tick: listed.tick,
            price_max: listed.price_max,
            lot: listed.lot,
            quantity_max: listed.quantity_max,
        };
        self.instruments.insert(listed.instrument, instrument);
        self.by_symbol.insert(listed.symbol, listed.instrument);
    }

    fn define(&mut self, defined: &SessionDefined) {
        self.names.insert(defined.session, (defined.name, defined.firm));
        self.by_name.insert(compared(defined.name.as_bytes()), defined.session);
    }

    pub(crate) fn instrument(&self, id: InstrumentId) -> Option<Instrument> {
        self.instruments.get(&id).copied()
    }

    /// All of them, in order of their ids.
    pub(crate) fn instruments(&self) -> impl Iterator<Item = Instrument> + '_ {
        self.instruments.values().copied()
    }

    pub(crate) fn by_symbol(&self, symbol: Symbol) -> Option<(InstrumentId, Instrument)> {
        let id = *self.by_symbol.get(&symbol)?;
        Some((id, self.instrument(id)?))
    }

    /// The name of a session; `None` where it is not of this door.
    pub(crate) fn name_of(&self, id: SessionId) -> Option<Text> {
        self.names.get(&id).map(|(name, _)| *name)
    }

    /// The firm of a session; `None` where it is not of this door.
    pub(crate) fn firm_of(&self, id: SessionId) -> Option<FirmId> {
        self.names.get(&id).map(|(_, firm)| *firm)
    }

    /// The session that logs on under this name; names are compared without case and without the spaces around them.
    pub(crate) fn by_name(&self, name: &[u8]) -> Option<SessionId> {
        self.by_name.get(&compared(name)).copied()
    }

    /// The market participant identifier of a firm.
    pub(crate) fn mpid(&self, firm: FirmId) -> Mpid {
        self.firms.get(&firm).copied().unwrap_or_default()
    }
}

fn compared(name: &[u8]) -> Vec<u8> {
    name.trim_ascii().to_ascii_uppercase()
}
