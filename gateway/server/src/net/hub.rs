//! The entrances and their connections in numbered slots, and which of them have something to do.

use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use rialto_model::FirmId;

use super::entrances::{EntranceId, Entrances};
use super::link::Link;
use super::turns::{FlowId, Turn, Turns};
use crate::budget::FirmBudget;
use crate::faults::BadLine;
use crate::limits::{ACCEPTS_PER_POLL, HOT_MAX, READ_BYTES};

/// A connection for as long as the process runs: a slot is used again, its generation never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// A connection and the protocol's state of it.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    pub(crate) id: ConnectionId,
    pub(crate) link: Link,
    pub(crate) session: S,
    entrance: EntranceId,
    /// By whose port it came; `None`: by the door's own.
    pub(crate) by: Option<FirmId>,
    /// What stands between the two where faults are about them.
    pub(crate) line: Option<Box<BadLine>>,
    /// That is to be looked at: other faults stand than before, or the session has just come.
    pub(crate) refit: bool,
    /// Nothing of it was read yet, and whose it is may still be another process.
    pub(crate) fresh: bool,
}

#[derive(Debug)]
struct Slot<S> {
    generation: u32,
    /// It waits for a turn.
    queued: bool,
    /// Whose turn that is.
    flow: FlowId,
    /// Boxed, so that serving a connection moves a pointer.
    connection: Option<Box<Connection<S>>>,
}

impl<S> Slot<S> {
    const fn empty() -> Self {
        Self {
            generation: 0,
            queued: false,
            flow: FlowId::STRANGERS,
            connection: None,
        }
    }
}

/// What one look at the sockets brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrivals {
    pub(crate) accepted: u64,
    pub(crate) turned_away: u64,
    /// Something has happened to a socket, whatever it was.
    pub(crate) any: bool,
}

/// The sockets of one door.
#[derive(Debug)]
pub(crate) struct Hub<S> {
    poll: Poll,
    events: Events,
    entrances: Entrances,
    address: SocketAddr,
    /// Some entrance may have connections to accept.
    knocking: bool,
    /// Nobody is accepted for now.
    paused: bool,
    /// As many as the door's own port has; firms' ports add theirs when they are used.
    slots: Vec<Slot<S>>,
    free: Vec<u32>,
    /// Slots that have something to do, each once.
    turns: Turns,
    /// Slots whose connections the system does not watch, because they are read with every poll; at most [`HOT_MAX`].
    hot: Vec<u32>,
}

impl<S> Hub<S> {
    /// Listens. At most `connections_max` connections are held at a time by this port.
    pub(crate) fn listen(address: SocketAddr, connections_max: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let entrances = Entrances::open(poll.registry(), address, connections_max)?;
        let connections_max = u32::try_from(connections_max).unwrap_or(u32::MAX);
        Ok(Self {
            poll,
            events: Events::with_capacity(256),
            address: entrances.address().unwrap_or(address),
            entrances,
            knocking: false,
            paused: false,
            slots: (0..connections_max).map(|_| Slot::empty()).collect(),
            free: (0..connections_max).rev().collect(),
            turns: Turns::new(),
            hot: Vec::with_capacity(HOT_MAX),
        })
    }

    /// Where it listens, or has listened.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens for a firm alone as well.
    pub(crate) fn open_port(&mut self, firm: FirmId, at: SocketAddr) -> io::Result<SocketAddr> {
        self.entrances.open_for(self.poll.registry(), firm, at)
    }

    /// Listens for it no more; who came by it stays.
    pub(crate) fn close_port(&mut self, firm: FirmId) {
        self.entrances.close_for(firm);
    }

    /// How many are connected.
    pub(crate) fn connections(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Accepts nobody, or everybody again who has come meanwhile.
    pub(crate) const fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Accepts nobody any more.
    pub(crate) fn stop_listening(&mut self) {
        self.entrances.close();
    }

    /// Asks the system, without waiting, what has happened to the sockets; those it happened to are queued. New
    /// connections get their state from `greet`.
    pub(crate) fn look(&mut self, mut greet: impl FnMut(SocketAddr) -> S) -> Arrivals {
        // An interrupted or failed look shows nothing; the next one shows it.
        if self.poll.poll(&mut self.events, Some(Duration::ZERO)).is_err() {
            return Arrivals::default();
        }
        for event in &self.events {
            if self.entrances.knocks(event.token()) {
                self.knocking = true;
            } else if let Some(slot) = self.slots.get_mut(event.token().0)
                && let Some(connection) = &mut slot.connection
            {
                connection.link.set_ready(event);
                if !slot.queued {
                    slot.queued = true;
                    self.turns.push(slot.flow, event.token().0 as u32);
                }
            }
        }
        let mut arrivals = Arrivals {
            any: !self.events.is_empty() || self.knocking,
            ..Arrivals::default()
        };
        if self.knocking && !self.paused {
            self.accept(&mut arrivals, &mut greet);
        }
        arrivals
    }

    /// Whether some connections are not watched by the system.
    pub(crate) fn has_hot(&self) -> bool {
        !self.hot.is_empty()
    }

    /// Reads those that the system does not watch, and queues those with something to do. Whether bytes came, or an end.
    pub(crate) fn look_at_hot(&mut self, scratch: &mut [u8; READ_BYTES]) -> bool {
        let mut any = false;
        for number in &self.hot {
            if let Some(slot) = self.slots.get_mut(*number as usize)
                && let Some(connection) = &mut slot.connection
                && connection.link.try_read(scratch)
            {
                any = true;
                if !slot.queued {
                    slot.queued = true;
                    self.turns.push(slot.flow, *number);
                }
            }
        }
        any
    }

    /// Has the system watch no more what it is better to read with every poll: a busy connection costs two calls to the system
    /// for each read while it is watched, and whoever sends to it pays for waking nobody.
    fn heat(&mut self, connection: &mut Connection<S>) {
        connection.link.reset_heat();
        if self.hot.len() < HOT_MAX
            && !self.hot.contains(&connection.id.slot)
            && self.poll.registry().deregister(&mut connection.link.stream).is_ok()
        {
            self.hot.push(connection.id.slot);
        }
    }

    /// Has the system watch again those of which nothing came for a while. What came meanwhile it shows at the next look.
    pub(crate) fn cool(&mut self, now_ns: u64) {
        let Self {
            hot,
            slots,
            poll,
            turns,
            ..
        } = self;
        hot.retain(|number| {
            let Some(slot) = slots.get_mut(*number as usize) else {
                return false;
            };
            let Some(connection) = &mut slot.connection else {
                return false;
            };
            if !connection.link.has_cooled(now_ns) {
                return true;
            }
            let interest = Interest::READABLE | Interest::WRITABLE;
            let token = Token(*number as usize);
            if poll
                .registry()
                .register(&mut connection.link.stream, token, interest)
                .is_err()
            {
                // Nobody would hear of it again: it is over, and whose it is is told so.
                connection.link.give_up();
                if !slot.queued {
                    slot.queued = true;
                    turns.push(slot.flow, *number);
                }
            }
            false
        });
    }

    fn accept(&mut self, arrivals: &mut Arrivals, greet: &mut impl FnMut(SocketAddr) -> S) {
        let mut from = 0;
        while let Some(entrance) = self.entrances.knocking(from) {
            from = entrance.next();
            for _ in 0..ACCEPTS_PER_POLL {
                let Some((stream, peer)) = self.entrances.accept(entrance) else {
                    break;
                };
                match self.entrances.admit(entrance) {
                    Some(firm) if self.seat(stream, (entrance, firm), peer, greet) => arrivals.accepted += 1,
                    Some(_) => {
                        self.entrances.leave(entrance);
                        arrivals.turned_away += 1;
                    }
                    None => arrivals.turned_away += 1,
                }
            }
        }
        self.knocking = self.entrances.knocking(0).is_some();
    }

    /// Takes in a connection that another process accepted, as one that came by the door's own port.
    pub(crate) fn adopt(
        &mut self,
        stream: net::TcpStream,
        mut greet: impl FnMut(SocketAddr) -> S,
        arrivals: &mut Arrivals,
    ) {
        let own = EntranceId::default();
        let Some(by) = self.entrances.admit(own) else {
            arrivals.turned_away += 1;
            return;
        };
        let seated = match (stream.peer_addr(), stream.set_nonblocking(true)) {
            (Ok(peer), Ok(())) => self.seat(TcpStream::from_std(stream), (own, by), peer, &mut greet),
            // It has gone on the way.
            _ => false,
        };
        if seated {
            arrivals.accepted += 1;
        } else {
            self.entrances.leave(own);
            arrivals.turned_away += 1;
        }
    }

    /// Gives a connection a slot; `false` where the system does not watch it.
    fn seat(
        &mut self,
        mut stream: TcpStream,
        (entrance, by): (EntranceId, Option<FirmId>),
        peer: SocketAddr,
        greet: &mut impl FnMut(SocketAddr) -> S,
    ) -> bool {
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::empty());
            self.slots.len() as u32 - 1
        });
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self
            .poll
            .registry()
            .register(&mut stream, Token(number as usize), interest);
        let Some(slot) = self.slots.get_mut(number as usize).filter(|_| registered.is_ok()) else {
            self.free.push(number);
            return false;
        };
        slot.generation = slot.generation.wrapping_add(1);
        slot.flow = FlowId::STRANGERS;
        let id = ConnectionId {
            slot: number,
            generation: slot.generation,
        };
        slot.connection = Some(Box::new(Connection {
            id,
            link: Link::new(stream, peer),
            session: greet(peer),
            entrance,
            by,
            line: None,
            refit: true,
            fresh: true,
        }));
        self.queue(id);
        true
    }

    /// Whether this connection is still there.
    fn slot(&mut self, id: ConnectionId) -> Option<&mut Slot<S>> {
        self.slots
            .get_mut(id.slot as usize)
            .filter(|slot| slot.generation == id.generation)
    }

    /// The connection, if it is still there.
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection<S>> {
        self.slot(id)?.connection.as_deref_mut()
    }

    /// Notes that a connection has something to do.
    pub(crate) fn queue(&mut self, id: ConnectionId) {
        if let Some(slot) = self.slot(id)
            && !slot.queued
        {
            slot.queued = true;
            let flow = slot.flow;
            self.turns.push(flow, id.slot);
        }
    }

    /// Whether it is known whose turns this connection comes in.
    pub(crate) fn has_flow(&mut self, id: ConnectionId) -> bool {
        self.slot(id).is_none_or(|slot| slot.flow != FlowId::STRANGERS)
    }

    /// From the next time on it comes in its firm's turns.
    pub(crate) fn set_flow(&mut self, id: ConnectionId, firm: FirmId, budget: impl FnOnce() -> Arc<FirmBudget>) {
        let flow = self.turns.flow_of(firm, budget);
        if let Some(slot) = self.slot(id) {
            slot.flow = flow;
        }
    }

    /// Shows every connection.
    pub(crate) fn each(&mut self, mut show: impl FnMut(&mut Connection<S>)) {
        let connections = self.slots.iter_mut().filter_map(|slot| slot.connection.as_deref_mut());
        connections.for_each(&mut show);
    }

    /// Notes that every connection may have something to do.
    pub(crate) fn queue_all(&mut self) {
        for (number, slot) in (0u32..).zip(&mut self.slots) {
            if slot.connection.is_some() && !slot.queued {
                slot.queued = true;
                self.turns.push(slot.flow, number);
            }
        }
    }

    /// A poll begins.
    pub(crate) const fn begin_poll(&mut self, now_ns: u64) {
        self.turns.begin_poll(now_ns);
    }

    /// How many firms have something to do.
    pub(crate) fn turns(&self) -> usize {
        self.turns.due()
    }

    /// Begins the next firm's turn. End it by [`end_turn`](Self::end_turn).
    pub(crate) fn begin_turn(&mut self) -> Option<Turn> {
        self.turns.begin()
    }

    /// Ends it.
    pub(crate) fn end_turn(&mut self, turn: Turn) {
        self.turns.end(turn);
    }

    /// Takes the turn's next connection that has something to do out of its slot. Give it back by
    /// [`put_back`](Self::put_back) or let it go by [`remove`](Self::remove).
    pub(crate) fn take(&mut self, turn: &mut Turn) -> Option<Box<Connection<S>>> {
        while let Some(number) = self.turns.next(turn) {
            if let Some(connection) = self.take_slot(number) {
                return Some(connection);
            }
        }
        None
    }

    /// The same, whosever turn it is.
    pub(crate) fn take_any(&mut self) -> Option<Box<Connection<S>>> {
        while let Some(number) = self.turns.pop() {
            if let Some(connection) = self.take_slot(number) {
                return Some(connection);
            }
        }
        None
    }

    fn take_slot(&mut self, number: u32) -> Option<Box<Connection<S>>> {
        let slot = self.slots.get_mut(number as usize)?;
        slot.queued = false;
        slot.connection.take()
    }

    /// Puts a connection back into its slot.
    pub(crate) fn put_back(&mut self, mut connection: Box<Connection<S>>) {
        if connection.link.is_hot() {
            self.heat(&mut connection);
        }
        if let Some(slot) = self.slot(connection.id) {
            slot.connection = Some(connection);
        }
    }

    /// Closes a connection that was taken out, and frees its slot. Where another process has the socket too, it is open there.
    pub(crate) fn remove(&mut self, mut connection: Connection<S>) {
        match self.hot.iter().position(|number| *number == connection.id.slot) {
            Some(at) => _ = self.hot.swap_remove(at),
            None => _ = self.poll.registry().deregister(&mut connection.link.stream),
        }
        self.entrances.leave(connection.entrance);
        if let Some(slot) = self.slot(connection.id) {
            // Whoever still names this connection finds nothing.
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(connection.id.slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{HOT_NS, HOT_READS};
    use std::io::Write as _;
    use std::net::TcpStream;
    use std::time::Instant;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Reads what has come, of whomever; how much.
    fn serve(hub: &mut Hub<()>, now_ns: u64) -> usize {
        let (mut scratch, mut all) = ([0; READ_BYTES], 0);
        while let Some(mut connection) = hub.take_any() {
            connection.fresh = false;
            let read = connection.link.read(&mut scratch, <[u8]>::len);
            if read > 0 {
                connection.link.note_came(now_ns);
            }
            hub.put_back(connection);
            all += read;
        }
        all
    }

    /// A byte that is sent comes, by `look`.
    fn comes(client: &mut TcpStream, hub: &mut Hub<()>, now_ns: u64, mut look: impl FnMut(&mut Hub<()>)) {
        client.write_all(b"x").unwrap();
        let begun = Instant::now();
        loop {
            look(hub);
            if serve(hub, now_ns) == 1 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "it never came");
        }
    }

    #[test]
    fn a_busy_connection_is_read_unasked_and_heard_of_again_when_it_has_rested() {
        let mut hub = Hub::listen("127.0.0.1:0".parse().unwrap(), 4).unwrap();
        let mut client = TcpStream::connect(hub.address()).unwrap();
        let ask = |hub: &mut Hub<()>| _ = hub.look(|_| ());
        let mut scratch = [0; READ_BYTES];
        let mut now_ns = 1_000_000_000;
        for _ in 0..3 {
            assert!(!hub.has_hot());
            for _ in 0..=HOT_READS {
                now_ns += 1_000;
                comes(&mut client, &mut hub, now_ns, ask);
            }
            assert!(hub.has_hot(), "{HOT_READS} reads one soon behind the other");
            now_ns += 1_000;
            comes(&mut client, &mut hub, now_ns, |hub| _ = hub.look_at_hot(&mut scratch));
            hub.cool(now_ns + HOT_NS - 1);
            assert!(hub.has_hot());
            // What came while nobody looked is not lost.
            now_ns += HOT_NS;
            client.write_all(b"y").unwrap();
            hub.cool(now_ns);
            assert!(!hub.has_hot());
            let begun = Instant::now();
            loop {
                ask(&mut hub);
                if serve(&mut hub, now_ns) == 1 {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "it never came");
            }
            now_ns += HOT_NS;
        }
        for _ in 0..=HOT_READS {
            now_ns += 1_000;
            comes(&mut client, &mut hub, now_ns, ask);
        }
        // One that ends while it is hot frees its place there too.
        drop(client);
        let begun = Instant::now();
        while !hub.look_at_hot(&mut scratch) {
            assert!(begun.elapsed() < PATIENCE, "its end is never seen");
        }
        let gone = hub.take_any().unwrap();
        hub.remove(*gone);
        assert!(!hub.has_hot());
        assert_eq!(hub.connections(), 0);
    }
}
