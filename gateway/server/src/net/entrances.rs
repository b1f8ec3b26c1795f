//! Where a door listens: its own port, and one for each firm that is served apart. Each has its own bound, so that a crowd
//! before one keeps nobody out at another.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use rialto_model::FirmId;

use crate::limits::PORT_CONNECTIONS_MAX;

/// Tokens from here up are entrances', counted down from the highest; connections have their slots.
const LOWEST: usize = usize::MAX >> 1;
const HIGHEST: usize = usize::MAX - 1;

/// Which entrance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EntranceId(usize);

#[derive(Debug)]
struct Entrance {
    /// Whose; `None`: everybody's.
    firm: Option<FirmId>,
    /// Gone once nobody is to be accepted any more.
    listener: Option<TcpListener>,
    address: SocketAddr,
    /// It may have connections to accept.
    knocking: bool,
    /// Connections that came by it and are still there.
    inside: usize,
    most: usize,
}

/// The entrances; the door's own is the first. A firm's stays in the table when it is closed, for the connections that came by
/// it, and is used again: there are no more than firms.
#[derive(Debug)]
pub(crate) struct Entrances(Vec<Entrance>);

impl Entrances {
    /// The door's own.
    pub(crate) fn open(registry: &Registry, address: SocketAddr, most: usize) -> io::Result<Self> {
        let mut entrances = Self(Vec::new());
        entrances.add(registry, None, address, most)?;
        Ok(entrances)
    }

    fn add(
        &mut self,
        registry: &Registry,
        firm: Option<FirmId>,
        address: SocketAddr,
        most: usize,
    ) -> io::Result<SocketAddr> {
        let mut listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let known = self.0.iter().position(|one| firm.is_some() && one.firm == firm);
        let index = known.unwrap_or(self.0.len());
        let token = Token(HIGHEST - index);
        registry.register(&mut listener, token, Interest::READABLE)?;
        match self.0.get_mut(index) {
            Some(entrance) => {
                entrance.listener = Some(listener);
                entrance.address = address;
                entrance.knocking = false;
            }
            None => self.0.push(Entrance {
                firm,
                listener: Some(listener),
                address,
                knocking: false,
                inside: 0,
                most,
            }),
        }
        Ok(address)
    }

    /// Opens a firm's, or says where it is open.
    pub(crate) fn open_for(&mut self, registry: &Registry, firm: FirmId, at: SocketAddr) -> io::Result<SocketAddr> {
        let open = |one: &&Entrance| one.firm == Some(firm) && one.listener.is_some();
        match self.0.iter().find(open) {
            Some(entrance) => Ok(entrance.address),
            None => self.add(registry, Some(firm), at, PORT_CONNECTIONS_MAX),
        }
    }

    /// Closes a firm's; who came by it stays.
    pub(crate) fn close_for(&mut self, firm: FirmId) {
        let of_firm = self.0.iter_mut().filter(|one| one.firm == Some(firm));
        of_firm.for_each(|one| one.listener = None);
    }

    /// Closes all of them.
    pub(crate) fn close(&mut self) {
        self.0.iter_mut().for_each(|one| one.listener = None);
    }

    /// Where the door's own is, or was.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.0.first().map(|one| one.address)
    }

    /// Whether the token is an entrance's, which then may have somebody before it.
    pub(crate) fn knocks(&mut self, token: Token) -> bool {
        if token.0 < LOWEST {
            return false;
        }
        if let Some(entrance) = self.0.get_mut(HIGHEST - token.0) {
            entrance.knocking = true;
        }
        true
    }

    /// Those where somebody may wait.
    pub(crate) fn knocking(&self, from: usize) -> Option<EntranceId> {
        let waiting = self.0.iter().skip(from).position(|one| one.knocking);
        waiting.map(|index| EntranceId(from + index))
    }

    /// The next who waits there.
    pub(crate) fn accept(&mut self, id: EntranceId) -> Option<(TcpStream, SocketAddr)> {
        let entrance = self.0.get_mut(id.0)?;
        loop {
            let Some(listener) = &entrance.listener else {
                entrance.knocking = false;
                return None;
            };
            match listener.accept() {
                Ok(accepted) => return Some(accepted),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nobody waits, or the system is out of descriptors: the next arrival is announced again.
                Err(error) => {
                    entrance.knocking = error.kind() != ErrorKind::WouldBlock;
                    return None;
                }
            }
        }
    }

    /// Whose it is, where one more may come in by it; counted as inside then.
    pub(crate) fn admit(&mut self, id: EntranceId) -> Option<Option<FirmId>> {
        let entrance = self.0.get_mut(id.0).filter(|one| one.inside < one.most)?;
        entrance.inside += 1;
        Some(entrance.firm)
    }

    /// One who came in by it is gone.
    pub(crate) fn leave(&mut self, id: EntranceId) {
        if let Some(entrance) = self.0.get_mut(id.0) {
            entrance.inside = entrance.inside.saturating_sub(1);
        }
    }
}

impl EntranceId {
    /// The index behind it.
    pub(crate) const fn next(self) -> usize {
        self.0 + 1
    }
}
