//! What both doors stand on, and what their protocols reach for: who there is, who is up, the way in, the time.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rialto_members::{Desk, Password, Ticket};
use rialto_model::command::{SessionLost, SessionUp};
use rialto_model::{Door, Event, Lane, LossCause, MsgSeqNum, Output, SessionId, Timestamp};

use crate::budget::FirmBudgets;
use crate::config::{DoorConfig, SessionSettings};
use crate::counters::{Counters, add, set};
use crate::directory::Directory;
use crate::guard::Guard;
use crate::limits::{FAREWELL_NS, QUANTUM};
use crate::net::ConnectionId;
use crate::outlet::Outlet;
use crate::ports::{Bridges, FirmPorts};
use crate::roster::Roster;
use crate::say::Say;

/// Both times, read once a poll.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment {
    /// For timers.
    pub(crate) monotonic_ns: u64,
    /// For what is written on messages.
    pub(crate) wall: Timestamp,
}

impl Moment {
    /// The same for timers, and dated by the stream.
    pub(crate) const fn dated(self, stamp: Timestamp) -> Self {
        Self { wall: stamp, ..self }
    }
}

/// The parts of a door that do not depend on its protocol.
pub(crate) struct Floor {
    pub(crate) door: Door,
    pub(crate) name: &'static str,
    pub(crate) config: DoorConfig,
    pub(crate) directory: Directory,
    pub(crate) roster: Roster,
    pub(crate) outlet: Outlet,
    pub(crate) budgets: FirmBudgets,
    pub(crate) bridges: Bridges,
    pub(crate) counters: Arc<Counters>,
    pub(crate) say: Say,
    pub(crate) now: Moment,
    /// Since when the door is closing: nobody comes in any more.
    pub(crate) closing_since_ns: Option<u64>,
    /// Whose connections another process serves, as the stream says.
    pub(crate) lane: Option<Lane>,
    /// That has just changed.
    pub(crate) turned: bool,
    /// The events at hand are of the past.
    pub(crate) replaying: bool,
    /// How many messages the connection at hand may have taken in.
    pub(crate) allowance: usize,
    /// How many were.
    pub(crate) taken: u32,
    desk: Desk,
    guard: Guard,
    /// When sessions were last lost, by the stream.
    lost: HashMap<SessionId, Timestamp>,
    /// The last stamp of the stream.
    stamp: Timestamp,
}

impl Floor {
    pub(crate) fn new(
        door: Door,
        name: &'static str,
        config: DoorConfig,
        outlet: Outlet,
        (budgets, ports): (FirmBudgets, FirmPorts),
        desk: Desk,
        say: Say,
    ) -> Self {
        Self {
            door,
            name,
            guard: Guard::new(config.guard),
            lost: HashMap::new(),
            stamp: Timestamp(0),
            config,
            directory: Directory::new(door),
            roster: Roster::default(),
            counters: outlet.counters(),
            outlet,
            budgets,
            bridges: Bridges::new(ports),
            say,
            now: Moment::default(),
            closing_since_ns: None,
            lane: None,
            turned: false,
            replaying: false,
            allowance: QUANTUM as usize,
            taken: 0,
            desk,
        }
    }

    /// Takes in what every door wants to know of an event. Comings and goings of sessions are the protocol's to take.
    pub(crate) fn follow(&mut self, output: &Output) {
        self.directory.follow(&output.event.body);
        self.stamp = output.event.stamp;
        match &output.event.body {
            Event::BudgetsSet(e) => self.budgets.follow((output.event.seq, self.stamp), e),
            Event::ServiceSet(e) => self.bridges.follow(e),
            _ => {}
        }
        if let Event::DoorRouted(e) = &output.event.body
            && e.lane.door == self.door
        {
            self.turned = true;
            self.lane = (e.lane.share > 0 || e.lane.baseline > 0).then_some(e.lane);
        }
        if let Event::SessionClosed(e) = &output.event.body
            && self.directory.name_of(e.session).is_some()
        {
            if matches!(e.cause, LossCause::Logout | LossCause::Shutdown) {
                self.lost.remove(&e.session);
            } else {
                self.lost.insert(e.session, self.stamp);
            }
        }
    }

    /// The time of the stream as far as it is known here: what limits are judged by.
    pub(crate) fn stream_time(&self) -> Timestamp {
        self.now.wall.max(self.stamp)
    }

    /// Whether a session has to wait after its loss.
    pub(crate) fn must_wait(&self, session: SessionId, settings: &SessionSettings) -> bool {
        let since = |lost: &Timestamp| self.stream_time().0.saturating_sub(lost.0);
        self.lost
            .get(&session)
            .is_some_and(|lost| since(lost) < settings.reconnect_after_ns)
    }

    /// Counts a bad logon.
    pub(crate) fn bad_logon(&mut self, peer: SocketAddr) {
        self.guard.count(peer.ip(), self.now.monotonic_ns);
    }

    /// The session's name, for people.
    pub(crate) fn name_of(&self, session: SessionId) -> String {
        match self.directory.name_of(session) {
            Some(name) => name.to_string(),
            None => format!("session {session}"),
        }
    }

    /// Asks whether name and password belong together; the answer comes to the connection. `Err` says why nobody was asked.
    /// From an address that sent bad ones only who was right before is asked about, which costs no hash.
    pub(crate) fn check(
        &mut self,
        connection: ConnectionId,
        peer: SocketAddr,
        name: &[u8],
        password: &[u8],
    ) -> Result<(), String> {
        let password = Password::new(password).map_err(|error| error.to_string())?;
        if self.guard.is_closed(peer.ip(), self.now.monotonic_ns) && !self.desk.knows(name, &password) {
            self.count(|c| &c.logons_barred);
            return Err("too many bad logons from this address: wait a minute".to_owned());
        }
        let ticket = Ticket(u64::from(connection.generation) << 32 | u64::from(connection.slot));
        self.desk.ask(name, password, ticket).map_err(|error| error.to_string())
    }

    /// The next answer of the verifier: whose, and whether they may come in.
    pub(crate) fn answer(&mut self) -> Option<(ConnectionId, bool)> {
        let answer = self.desk.poll()?;
        let connection = ConnectionId {
            slot: answer.ticket.0 as u32,
            generation: (answer.ticket.0 >> 32) as u32,
        };
        Some((connection, answer.granted))
    }

    /// Sequences that a session comes up for a connection; `false` where it is up already, coming up or going.
    pub(crate) fn bring_up(
        &mut self,
        session: SessionId,
        connection: ConnectionId,
        inbound: MsgSeqNum,
        reset: bool,
    ) -> bool {
        let Some(incarnation) = self.roster.begin(session, connection) else {
            return false;
        };
        self.outlet.push(SessionUp {
            session,
            incarnation,
            inbound,
            reset,
        });
        true
    }

    /// Sequences the loss of a connection's session, once.
    pub(crate) fn lose(&mut self, session: SessionId, connection: ConnectionId, cause: LossCause) {
        if let Some(incarnation) = self.roster.leave(session, connection) {
            self.outlet.push(SessionLost {
                session,
                incarnation,
                cause,
            });
        }
    }

    /// Counts and says that a login was refused.
    pub(crate) fn refused(&self, peer: SocketAddr, name: &[u8], why: &str) {
        add(&self.counters.logins_refused, 1);
        self.say.line(|| {
            format!(
                "{}: login of {:?} from {peer} refused: {why}",
                self.name,
                name.escape_ascii().to_string()
            )
        });
    }

    /// Counts one of something.
    pub(crate) fn count(&self, counter: impl FnOnce(&Counters) -> &AtomicU64) {
        add(counter(&self.counters), 1);
    }

    /// Whether the door is closing.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing_since_ns.is_some()
    }

    /// Whether the door has been closing for so long that whoever has not read their last bytes does without.
    pub(crate) fn is_closing_late(&self) -> bool {
        let since = |since_ns| self.now.monotonic_ns.saturating_sub(since_ns);
        self.closing_since_ns
            .is_some_and(|since_ns| since(since_ns) >= 2 * FAREWELL_NS)
    }

    /// Counts an answer that says no; those of the past were counted then.
    pub(crate) fn count_reject(&self) {
        if !self.replaying {
            self.count(|c| &c.rejects);
        }
    }

    /// States how many sessions are up.
    pub(crate) fn count_sessions(&self) {
        set(&self.counters.sessions_up, self.roster.up());
    }

    /// Whether nothing that this door has asked for is still to come back.
    pub(crate) fn is_settled(&self) -> bool {
        self.outlet.is_settled() && self.roster.is_settled()
    }
}
