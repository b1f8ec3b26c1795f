//! Firms that are served apart (`Service::Bridge`): each has a port of its own at every door, with its own bound of
//! connections, opened and closed while everybody trades.
//!
//! A session's orders, numbers and messages are the door's and stay where they are: what changes is by which port its firm
//! logs on. Who is on stays on; whoever logs on next does so by the port that holds then, and goes on from the message it
//! has. While a firm has a port, the door's own is closed to its sessions, and a firm's port to everybody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rialto_model::event::ServiceSet;
use rialto_model::{FirmId, Service, SessionId};

use crate::floor::Floor;
use crate::net::Hub;

/// The ports that firms have now, by firm and door, for whoever tells them; shared by the doors.
#[derive(Clone, Debug, Default)]
pub struct FirmPorts(Arc<Mutex<BTreeMap<(FirmId, &'static str), SocketAddr>>>);

impl FirmPorts {
    /// Where a firm logs on at a door (`ouch` or `fix`), if it has a port of its own there.
    #[must_use]
    pub fn of(&self, firm: FirmId, door: &str) -> Option<SocketAddr> {
        let ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = ports.iter().filter(|((of, at), _)| *of == firm && *at == door);
        found.next().map(|(_, address)| *address)
    }

    fn set(&self, firm: FirmId, door: &'static str, address: Option<SocketAddr>) {
        let mut ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match address {
            Some(address) => ports.insert((firm, door), address),
            None => ports.remove(&(firm, door)),
        };
    }
}

/// Who is to have a port at this door, and who has one.
#[derive(Debug, Default)]
pub(crate) struct Bridges {
    shown: FirmPorts,
    wanted: BTreeSet<FirmId>,
    open: BTreeSet<FirmId>,
    changed: bool,
}

impl Bridges {
    pub(crate) fn new(shown: FirmPorts) -> Self {
        Self {
            shown,
            ..Self::default()
        }
    }

    /// The stream says how a firm is served.
    pub(crate) fn follow(&mut self, event: &ServiceSet) {
        self.changed |= match event.service {
            Service::Bridge => self.wanted.insert(event.firm),
            Service::Pool => self.wanted.remove(&event.firm),
        };
    }

    /// Whether ports are to be opened or closed.
    pub(crate) const fn is_changed(&self) -> bool {
        self.changed
    }
}

/// Opens and closes what the stream asks for. A port that cannot be opened is said; its firm goes on using the door's own.
#[cold]
pub(crate) fn fit<S>(floor: &mut Floor, hub: &mut Hub<S>) {
    floor.bridges.changed = false;
    let firms: BTreeSet<FirmId> = floor.bridges.wanted.union(&floor.bridges.open).copied().collect();
    for firm in firms {
        let wanted = floor.bridges.wanted.contains(&firm);
        if wanted == floor.bridges.open.contains(&firm) {
            continue;
        }
        let mpid = floor.directory.mpid(firm);
        if !wanted {
            hub.close_port(firm);
            floor.bridges.open.remove(&firm);
            floor.bridges.shown.set(firm, floor.name, None);
            floor
                .say
                .line(|| format!("{}: {mpid} has no port of its own any more", floor.name));
            continue;
        }
        let any = SocketAddr::new(hub.address().ip(), 0);
        let at = floor.config.ports.get(&mpid.to_string()).copied().unwrap_or(any);
        match hub.open_port(firm, at) {
            Ok(address) => {
                floor.bridges.open.insert(firm);
                floor.bridges.shown.set(firm, floor.name, Some(address));
                floor
                    .say
                    .line(|| format!("{}: {mpid} has a port of its own: {address}", floor.name));
            }
            Err(error) => floor.say.line(|| {
                format!(
                    "{}: no port of its own for {mpid}: cannot listen on {at}: {error}; it goes on by the door's own",
                    floor.name
                )
            }),
        }
    }
}

impl Floor {
    /// Why a session may not log on by the port that its connection came by (`None`: the door's own).
    pub(crate) fn wrong_port(&self, session: SessionId, by: Option<FirmId>) -> Option<&'static str> {
        let firm = self.directory.firm_of(session);
        match by {
            Some(_) if by != firm => Some("this port is not its firm's: use the door's own"),
            None if firm.is_some_and(|firm| self.bridges.open.contains(&firm)) => {
                Some("its firm has a port of its own: use that one")
            }
            _ => None,
        }
    }
}
