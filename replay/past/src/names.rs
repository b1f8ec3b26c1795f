//! Who is who, for people: names of sessions, firms and instruments as the stream defines them.

use rialto_matching::EngineState;
use rialto_model::{Event, FirmId, InstrumentId, Mpid, Price, PriceScale, SessionId, Symbol};
use std::collections::BTreeMap;

/// Names so far. At most as many as there are ids, which the model bounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    sessions: BTreeMap<SessionId, String>,
    firms: BTreeMap<FirmId, Mpid>,
    instruments: BTreeMap<InstrumentId, (Symbol, PriceScale)>,
}

impl Names {
    /// Those that a state has.
    pub(crate) fn of(state: &EngineState) -> Self {
        let sessions = state.sessions.iter().map(|one| &one.definition);
        let instruments = state.instruments.iter().map(|one| &one.definition);
        Self {
            sessions: sessions.map(|one| (one.session, one.name.to_string())).collect(),
            firms: state
                .firms
                .iter()
                .map(|one| (one.definition.firm, one.definition.mpid))
                .collect(),
            instruments: instruments
                .map(|one| (one.instrument, (one.symbol, one.scale)))
                .collect(),
        }
    }

    /// Learns what an event defines.
    pub(crate) fn learn(&mut self, event: &Event) {
        match event {
            Event::SessionDefined(e) => {
                self.sessions.insert(e.session, e.name.to_string());
            }
            Event::FirmDefined(e) => {
                self.firms.insert(e.firm, e.mpid);
            }
            Event::InstrumentListed(e) => {
                self.instruments.insert(e.instrument, (e.symbol, e.scale));
            }
            _ => {}
        }
    }

    /// What a session logs on as; the venue for the venue's own.
    pub(crate) fn session(&self, id: SessionId) -> String {
        match self.sessions.get(&id) {
            _ if id.0 == 0 => "the venue".to_owned(),
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("session {id}"),
        }
    }

    /// A firm's identifier.
    pub(crate) fn firm(&self, id: FirmId) -> String {
        self.firms
            .get(&id)
            .map_or_else(|| format!("firm {id}"), Mpid::to_string)
    }

    pub(crate) fn symbol(&self, id: InstrumentId) -> String {
        self.instruments
            .get(&id)
            .map_or_else(|| format!("instrument {id}"), |(symbol, _)| symbol.to_string())
    }

    /// A price as a decimal, in its instrument's scale.
    pub(crate) fn price(&self, id: InstrumentId, price: Price) -> String {
        let scale = self
            .instruments
            .get(&id)
            .map_or(PriceScale::DEFAULT, |(_, scale)| *scale);
        decimal(price, scale)
    }
}

/// A price with as many decimals as its scale has.
pub(crate) fn decimal(price: Price, scale: PriceScale) -> String {
    let decimals = usize::from(scale.0.min(18));
    let unit = 10u64.pow(decimals as u32);
    let magnitude = price.0.unsigned_abs();
    let sign = if price.0 < 0 { "-" } else { "" };
    match decimals {
        0 => format!("{sign}{magnitude}"),
        _ => format!("{sign}{}.{:0decimals$}", magnitude / unit, magnitude % unit),
    }
}
