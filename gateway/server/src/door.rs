//! A door as a stage: the duty cycle that both protocols share.
//!
//! # One poll
//! 1. What is owed to the ring goes into it.
//! 2. Released events are followed: everything a member is told comes from here, live as on recovery.
//! 3. The verifier's answers reach those who wait for them.
//! 4. The firms whose connections have something to do are served, a turn each: bytes in, messages to commands, logged
//!    messages out.
//! 5. The sockets are looked at, without waiting, and those that something came to are served: what members are told does not
//!    wait for the look. A door where nothing happens looks less often, so that the other on its thread does not pay for it.
//!    The few that something comes to all the time are read with every look, and the system is asked for the others less often.
//!
//! # What it must never do
//! Wait for anything; take in a message that may find no room in the command ring; tell a member anything that was not
//! released; keep a message for a slow connection outside of its session's log.

use std::net::{SocketAddr, TcpStream};

use crossbeam_channel::Receiver;
use rialto_model::{Clock, Door, Lane, Output, SessionId, Timestamp};
use rialto_ring::broadcast::Reader;
use rialto_ring::{FaultSight, Pen};

use crate::control::DoorControl;
use crate::counters::{add, set};
use crate::faults;
use crate::floor::{Floor, Moment};
use crate::front::{Front, Handed, Knock};
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

    /// Whose a connection will be, by its first bytes.
    fn knock(bytes: &[u8]) -> Knock;

    /// Takes in one released event. On recovery nobody is connected, and nothing else differs.
    fn follow(&mut self, output: &Output, floor: &mut Floor, hub: &mut Hub<Self::Session>);

    /// Hashes what every session is told, from the first event on.
    fn transcribe(&mut self) {}

    /// The hash over what every session was told so far, if it is known.
    fn transcript(&self) -> Option<u64> {
        None
    }

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
    /// When the wall clock was last read.
    read_at: Option<Moment>,
    next_sweep_ns: u64,
    /// The sockets are not looked at before.
    next_look_ns: u64,
    /// Until then they are looked at by every poll.
    lively_until_ns: u64,
    /// Where some are read with every poll, the system is not asked for the others before.
    next_ask_ns: u64,
    faults: FaultSight,
    /// Where connections of other processes go.
    front: Option<Box<dyn Front>>,
    /// Connections that another process has accepted.
    adopted: Option<Receiver<TcpStream>>,
    /// Windows of commands with the hash of what all sessions were told by their ends, where that is wanted.
    transcripts: Option<Vec<(u64, u64)>>,
    marks: Option<Pen>,
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
            read_at: None,
            next_sweep_ns: 0,
            next_look_ns: 0,
            lively_until_ns: 0,
            next_ask_ns: 0,
            faults: FaultSight::none(),
            front: None,
            adopted: None,
            transcripts: None,
            marks: None,
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

    /// Writes when the poll began that sent how many commands.
    pub(crate) fn set_marks(&mut self, pen: Pen) {
        self.marks = Some(pen);
    }

    /// Has somewhere to give connections away to.
    pub(crate) fn set_front(&mut self, front: Box<dyn Front>) {
        self.front = Some(front);
    }

    /// Listens no more, and serves what comes by here instead.
    pub(crate) fn adopt(&mut self, adopted: Receiver<TcpStream>) {
        self.hub.stop_listening();
        self.adopted = Some(adopted);
    }

    /// Hashes what sessions are told, from here on: before the first event, so that two processes have the same.
    pub(crate) fn transcribe(&mut self) {
        self.protocol.transcribe();
        self.transcripts = Some(Vec::new());
    }

    /// The windows of commands since this was last asked, each with the hash of what all sessions were told by its end.
    pub(crate) fn take_transcripts(&mut self) -> Vec<(u64, u64)> {
        self.transcripts.as_mut().map(std::mem::take).unwrap_or_default()
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
        self.floor.turned = false;
    }

    pub(crate) fn poll(&mut self) -> usize {
        let before_ns = self.floor.now.monotonic_ns;
        let now_ns = self.clock.monotonic().0;
        self.floor.now = self.moment(now_ns);
        self.hub.begin_poll(now_ns);
        let mut moved = self.floor.outlet.flush();
        self.heed_control();
        if self.faults.look() {
            self.hub.queue_all();
            self.hub.each(|connection| connection.refit = true);
        }
        moved += self.follow();
        if std::mem::take(&mut self.floor.turned)
            && let Some(front) = &mut self.front
        {
            front.turned();
        }
        if self.floor.bridges.is_changed() && !self.control.is_closing() {
            ports::fit(&mut self.floor, &mut self.hub);
        }
        moved += self.pass_answers();
        moved += self.serve();
        // A clock that stands, as in tests, spares nobody anything.
        if now_ns >= self.next_look_ns || now_ns == before_ns {
            if self.hub.look_at_hot(&mut self.scratch) {
                self.lively_until_ns = now_ns.saturating_add(limits::LIVELY_NS);
            }
            if !self.hub.has_hot() || now_ns >= self.next_ask_ns || now_ns == before_ns {
                self.next_ask_ns = now_ns.saturating_add(limits::LOOK_NS);
                moved += self.look();
                self.hub.cool(now_ns);
            }
            moved += self.serve();
        }
        if let Some(pen) = &mut self.marks {
            pen.note_at(self.floor.outlet.sent(), now_ns);
        }
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

    /// Both times. The wall clock is read now and then, and goes on with the other between: a read of it costs a poll as much as
    /// all else that it does where nothing happens.
    fn moment(&mut self, monotonic_ns: u64) -> Moment {
        if let Some(read) = self.read_at
            && let Some(since_ns) = monotonic_ns.checked_sub(read.monotonic_ns)
            && since_ns < limits::WALL_NS
        {
            let wall = Timestamp(read.wall.0.saturating_add(since_ns));
            return Moment { monotonic_ns, wall };
        }
        let wall = self.clock.now();
        *self.read_at.insert(Moment { monotonic_ns, wall })
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
            transcripts,
            ..
        } = self;
        outputs.poll(limits::EVENTS_PER_POLL, |output| {
            floor.follow(output);
            protocol.follow(output, floor, hub);
            if let Some(transcripts) = transcripts
                && output.last
                && output.event.seq.0 % limits::TRANSCRIPT_WINDOW == limits::TRANSCRIPT_WINDOW - 1
                && transcripts.len() < limits::TRANSCRIPTS_MAX
                && let Some(hash) = protocol.transcript()
            {
                transcripts.push((output.event.seq.0 / limits::TRANSCRIPT_WINDOW, hash));
            }
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
            protocol,
            floor,
            hub,
            adopted,
            ..
        } = self;
        let mut arrivals = hub.look(|_| protocol.greet(floor));
        if let Some(adopted) = adopted
            && !floor.is_closing()
        {
            for stream in adopted.try_iter().take(limits::ACCEPTS_PER_POLL) {
                hub.adopt(stream, |_| protocol.greet(floor), &mut arrivals);
            }
        }
        let now_ns = floor.now.monotonic_ns;
        if arrivals.any {
            self.lively_until_ns = now_ns.saturating_add(limits::LIVELY_NS);
        } else if now_ns >= self.lively_until_ns {
            self.next_look_ns = now_ns.saturating_add(limits::LOOK_NS);
        }
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
        if now_ns >= self.next_sweep_ns {
            self.next_sweep_ns = now_ns.saturating_add(limits::TIMER_SWEEP_NS);
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

    /// Whether a connection of which nothing was read is to be another process's. One that may still be stays fresh.
    fn give_away(&mut self, connection: &mut Connection<P::Session>) -> bool {
        let handed = match (&mut self.front, self.floor.lane) {
            (Some(front), Some(lane)) => hand::<P>(connection, front.as_mut(), &lane, &self.floor, &mut self.scratch),
            _ => Some(Handed::Own),
        };
        match handed {
            None => return false,
            Some(Handed::Away) => {
                self.floor.count(|c| &c.handed);
                return true;
            }
            Some(Handed::NotTaken) => self.floor.count(|c| &c.not_handed),
            Some(Handed::Own) => {}
        }
        connection.fresh = false;
        connection.link.unpeek();
        false
    }

    fn serve_one(&mut self, mut connection: Box<Connection<P::Session>>) -> usize {
        if connection.fresh && self.give_away(&mut connection) {
            self.hub.remove(*connection);
            return 1;
        }
        let floor = &mut self.floor;
        let now = floor.now;
        // Between two messages, so that none is cut apart.
        if connection.refit && connection.session.output(now).is_empty() {
            refit(&mut connection, floor.door, &self.faults);
        }
        let Connection {
            id,
            link,
            session,
            fresh,
            ..
        } = &mut *connection;
        let id: ConnectionId = *id;

        let read = if *fresh {
            0
        } else if floor.outlet.has_room() {
            link.read(&mut self.scratch, |bytes| session.handle_bytes(now, bytes))
        } else {
            if link.has_input() {
                floor.count(|c| &c.held_back);
            }
            0
        };
        if read > 0 {
            link.note_came(now.monotonic_ns);
            add(&floor.counters.bytes_in, read as u64);
        }
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

/// Looks at whose a connection will be and hands it over where it is another process's; `None` while it has not said.
#[cold]
fn hand<P: Protocol>(
    connection: &mut Connection<P::Session>,
    front: &mut dyn Front,
    lane: &Lane,
    floor: &Floor,
    scratch: &mut [u8; limits::READ_BYTES],
) -> Option<Handed> {
    let Some(bytes) = connection.link.peek(scratch) else {
        return Some(Handed::Own);
    };
    let name = match P::knock(bytes) {
        Knock::Name(name) => name,
        // So long a beginning that names nobody is none.
        Knock::Unclear if bytes.len() < limits::KNOCK_BYTES_MAX => return None,
        Knock::Unclear | Knock::Nobody => return Some(Handed::Own),
    };
    // One that is here still is refused here.
    let session = floor.directory.by_name(&name).filter(|one| !floor.roster.is_here(*one));
    let Some(session) = session else {
        return Some(Handed::Own);
    };
    let firm = floor.directory.firm_of(session).unwrap_or_default();
    Some(front.hand(lane, session, firm, connection.link.socket()))
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
