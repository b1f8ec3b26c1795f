//! A door as a stage: the duty cycle that both protocols share.
//!
//! # One poll
//! 1. What is owed to the ring goes into it.
//! 2. Released events are followed: everything a member is told comes from here, live as on recovery.
//! 3. The verifier's answers reach those who wait for them.
//! 4. The sockets are looked at, without waiting.
//! 5. The firms whose connections have something to do are served, a turn each: bytes in, messages to commands, logged
//!    messages out.
//!
//! # What it must never do
//! Wait for anything; take in a message that may find no room in the command ring; tell a member anything that was not
//! released; keep a message for a slow connection outside of its session's log.

use std::net::SocketAddr;

use rialto_model::{Clock, Door, Output, SessionId};
use rialto_ring::FaultSight;
use rialto_ring::broadcast::Reader;

use crate::control::DoorControl;
use crate::counters::{add, set};
use crate::faults;
use crate::floor::{Floor, Moment};
use crate::limits;
use crate::net::{Connection, ConnectionId, Hub};
use crate::ports;

/// The protocol's state of one connection: bytes in, bytes out.
pub(crate) trait Peer: Send {
    /// Takes bytes, as many as there is room for, and says how many.
    fn handle_bytes(&mut self, now: Moment, bytes: &[u8]) -> usize;
    /// Does what is due.
    fn handle_timer(&mut self, now: Moment);
    /// The connection is gone, and every message that came was taken.
    fn handle_disconnect(&mut self);
    /// Bytes for the connection.
    fn output(&mut self, now: Moment) -> &[u8];
    /// The connection took the first `count` of them. Frames that are out in full are told to `sent` by type.
    fn handle_sent(&mut self, now: Moment, count: usize, sent: impl FnMut(u8));
    /// The session that it is, once it is in.
    fn member(&self) -> Option<SessionId>;
    /// Nothing more comes of it but its output.
    fn is_over(&self) -> bool;
}

/// What a protocol makes of connections and events.
pub(crate) trait Protocol: Send {
    /// Its state of one connection.
    type Session: Peer;

    /// The state of a connection that was just accepted.
    fn greet(&self, floor: &Floor) -> Self::Session;

    /// Takes in one released event. On recovery nobody is connected, and nothing else differs.
    fn follow(&mut self, output: &Output, floor: &mut Floor, hub: &mut Hub<Self::Session>);

    /// The verifier has answered.
    fn checked(&mut self, connection: &mut Connection<Self::Session>, granted: bool, floor: &mut Floor);

    /// Turns what came in into commands while the ring has room, and hands over what is logged. `true`: there is more to
    /// do than one call may.
    fn work(&mut self, connection: &mut Connection<Self::Session>, floor: &mut Floor, settled: bool) -> bool;

    /// Says goodbye to a connection, because the door closes.
    fn dismiss(&mut self, connection: &mut Connection<Self::Session>, floor: &mut Floor);

    /// The connection is about to be dropped.
    fn gone(&mut self, connection: &mut Connection<Self::Session>, floor: &mut Floor);
}

/// A stage that serves one protocol.
pub(crate) struct DoorStage<P: Protocol, C> {
    protocol: P,
    floor: Floor,
    hub: Hub<P::Session>,
    outputs: Reader<Output>,
    clock: C,
    control: DoorControl,
    next_sweep_ns: u64,
    faults: FaultSight,
    scratch: Box<[u8; limits::READ_BYTES]>,
}

impl<P: Protocol, C: Clock> DoorStage<P, C> {
    pub(crate) fn new(protocol: P, floor: Floor, hub: Hub<P::Session>, outputs: Reader<Output>, clock: C) -> Self {
        Self {
            protocol,
            floor,
            hub,
            outputs,
            clock,
            control: DoorControl::default(),
            next_sweep_ns: 0,
            faults: FaultSight::none(),
            scratch: Box::new([0; limits::READ_BYTES]),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.hub.address()
    }

    pub(crate) fn control(&self) -> DoorControl {
        self.control.clone()
    }

    /// Sees what is broken on purpose.
    pub(crate) fn set_faults(&mut self, faults: FaultSight) {
        self.faults = faults;
    }

    pub(crate) fn floor(&self) -> &Floor {
        &self.floor
    }

    /// Takes in one event of the past, before anybody is connected.
    pub(crate) fn replay(&mut self, output: &Output) {
        self.floor.replaying = true;
        self.floor.follow(output);
        self.protocol.follow(output, &mut self.floor, &mut self.hub);
        self.floor.replaying = false;
    }

    pub(crate) fn poll(&mut self) -> usize {
        self.floor.now = Moment {
            monotonic_ns: self.clock.monotonic().0,
            wall: self.clock.now(),
        };
        let mut moved = self.floor.outlet.flush();
        self.heed_control();
        if self.faults.look() {
            self.hub.queue_all();
            self.hub.each(|connection| connection.refit = true);
        }
        moved += self.follow();
        if self.floor.bridges.is_changed() && !self.control.is_closing() {
            ports::fit(&mut self.floor, &mut self.hub);
        }
        moved += self.pass_answers();
        moved += self.look();
        moved += self.serve();
        self.floor.count_sessions();
        if self.control.is_closing()
            && self.hub.connections() == 0
            && self.floor.is_settled()
            && self.outputs.is_drained()
        {
            self.control.set_closed();
        }
        moved
    }

    pub(crate) fn is_drained(&self) -> bool {
        let closing = self.control.is_closing();
        self.outputs.is_drained() && self.floor.outlet.is_settled() && (!closing || self.control.is_closed())
    }

    fn follow(&mut self) -> usize {
        let Self {
            protocol,
            floor,
            hub,
            outputs,
            ..
        } = self;
        outputs.poll(limits::EVENTS_PER_POLL, |output| {
            floor.follow(output);
            protocol.follow(output, floor, hub);
            true
        })
    }

    fn pass_answers(&mut self) -> usize {
        let mut passed = 0;
        while let Some((id, granted)) = self.floor.answer() {
            // Who has left meanwhile needs no answer.
            if let Some(connection) = self.hub.get_mut(id) {
                self.protocol.checked(connection, granted, &mut self.floor);
                self.hub.queue(id);
            }
            passed += 1;
        }
        passed
    }

    fn look(&mut self) -> usize {
        let Self {
            protocol, floor, hub, ..
        } = self;
        let arrivals = hub.look(|_| protocol.greet(floor));
        let counters = &floor.counters;
        add(&counters.accepted, arrivals.accepted);
        if arrivals.turned_away > 0 {
            add(&counters.turned_away, arrivals.turned_away);
            floor.say.line(|| {
                let (name, most) = (floor.name, floor.config.connections_max);
                format!(
                    "{name}: {} turned away: connections_max ({most}) are open",
                    arrivals.turned_away
                )
            });
        }
        if floor.now.monotonic_ns >= self.next_sweep_ns {
            self.next_sweep_ns = floor.now.monotonic_ns.saturating_add(limits::TIMER_SWEEP_NS);
            hub.queue_all();
        }
        set(&counters.connections, hub.connections() as u64);
        arrivals.accepted as usize
    }

    /// Serves the firms that have something to do now, a turn each.
    fn serve(&mut self) -> usize {
        let mut moved = 0;
        let sent = self.floor.outlet.sent();
        for _ in 0..self.hub.turns() {
            let Some(mut turn) = self.hub.begin_turn() else {
                break;
            };
            while let Some(connection) = self.hub.take(&mut turn) {
                self.floor.allowance = turn.allowance();
                self.floor.taken = 0;
                let pushed = self.floor.outlet.pushed();
                moved += self.serve_one(connection);
                let commands = self.floor.outlet.pushed().wrapping_sub(pushed);
                turn.charge(self.floor.taken.max(commands));
            }
            self.hub.end_turn(turn);
        }
        moved + (self.floor.outlet.sent() - sent) as usize
    }

    fn serve_one(&mut self, mut connection: Box<Connection<P::Session>>) -> usize {
        let floor = &mut self.floor;
        let now = floor.now;
        // Between two messages, so that none is cut apart.
        if connection.refit && connection.session.output(now).is_empty() {
            refit(&mut connection, floor.door, &self.faults);
        }
        let Connection { id, link, session, .. } = &mut *connection;
        let id: ConnectionId = *id;

        let read = if floor.outlet.has_room() {
            link.read(&mut self.scratch, |bytes| session.handle_bytes(now, bytes))
        } else {
            if link.has_input() {
                floor.count(|c| &c.held_back);
            }
            0
        };
        add(&floor.counters.bytes_in, read as u64);
        session.handle_timer(now);

        let settled = self.outputs.is_drained();
        let mut more = self.protocol.work(&mut connection, floor, settled);
        if !more && connection.link.is_exhausted() && !connection.session.is_over() {
            connection.session.handle_disconnect();
            more = self.protocol.work(&mut connection, floor, settled);
        }

        let Connection {
            link, session, line, ..
        } = &mut *connection;
        let counters = &floor.counters;
        let (taken, written) = match line {
            None => {
                let written = link.write(now.monotonic_ns, session.output(now));
                (written, written)
            }
            Some(line) => {
                let taken = line.take(now.monotonic_ns, session.output(now));
                let written = link.write(now.monotonic_ns, line.due(now.monotonic_ns));
                line.written(written);
                (taken, written)
            }
        };
        session.handle_sent(now, taken, |kind| counters.frame_out(kind));
        add(&counters.bytes_out, written as u64);
        let is_cut = line.as_ref().is_some_and(|line| line.is_cut());
        if link.is_stalled(now.monotonic_ns) || is_cut {
            session.handle_disconnect();
        }

        let on_its_way = line.as_ref().is_some_and(|line| !line.is_empty());
        let unsent = !session.output(now).is_empty() || on_its_way;
        let given_up = is_cut || link.is_exhausted() || link.is_stalled(now.monotonic_ns) || floor.is_closing_late();
        if session.is_over() && (!unsent || given_up) {
            self.protocol.gone(&mut connection, floor);
            self.hub.remove(*connection);
        } else {
            let again = more || link.has_input() || on_its_way;
            let member = session.member();
            self.hub.put_back(connection);
            if let Some(session) = member
                && !self.hub.has_flow(id)
                && let Some(firm) = floor.directory.firm_of(session)
            {
                self.hub.set_flow(id, firm, || floor.budgets.of(firm));
            }
            if again {
                self.hub.queue(id);
            }
        }
        usize::from(read > 0) + usize::from(written > 0)
    }

    /// Closes, for good or for a while, and opens again.
    fn heed_control(&mut self) {
        let for_good = self.control.is_closing();
        let away = for_good || self.control.is_suspended();
        if for_good {
            self.hub.stop_listening();
        }
        if away && !self.floor.is_closing() {
            self.dismiss_all();
        } else if !away && self.floor.is_closing() && self.hub.connections() == 0 {
            self.floor.closing_since_ns = None;
            self.hub.pause(false);
        }
    }

    fn dismiss_all(&mut self) {
        self.floor.closing_since_ns = Some(self.floor.now.monotonic_ns);
        self.hub.pause(true);
        self.hub.queue_all();
        let mut dismissed = Vec::new();
        while let Some(mut connection) = self.hub.take_any() {
            self.protocol.dismiss(&mut connection, &mut self.floor);
            dismissed.push(connection);
        }
        for connection in dismissed {
            let id = connection.id;
            self.hub.put_back(connection);
            self.hub.queue(id);
        }
    }
}

/// Puts a line of the faults that stand between a session and its connection, or takes one away that has nothing more to do.
#[cold]
fn refit<S: Peer>(connection: &mut Connection<S>, door: Door, faults: &FaultSight) {
    let member = connection.session.member();
    // Who has not come in yet is looked at again.
    connection.refit = member.is_none() && !faults.faults().is_empty();
    match &mut connection.line {
        None => connection.line = faults::line_of(door, member, faults),
        Some(line) => {
            line.fit(member, faults);
            if !line.is_faulty() && line.is_empty() {
                connection.line = None;
            } else {
                connection.refit |= !line.is_faulty();
            }
        }
    }
}
