//! What the stream says of one FIX session: its numbers, its messages of the day, its names. Filled by released events alone,
//! hence the same after a restart; only while somebody is connected do numbers and messages stand in the connection's
//! session, which counts in the same way.

use std::sync::Arc;

use rialto_fix::session::{MessageStore, SentMessage};
use rialto_fix::{MsgSeqNum, MsgType, UtcTimestamp};
use rialto_model::Timestamp;

use super::connection::Connection;
use super::names::Names;
use super::quotes::Quoting;
use super::store::Store;
use crate::budget::FirmBudget;
use crate::config::SessionSettings;
use crate::floor::Moment;
use crate::net::{ConnectionId, Hub};
use crate::throttle::Throttle;
use crate::transcript::Transcript;

#[derive(Debug)]
pub(super) struct Account {
    pub(super) settings: SessionSettings,
    pub(super) throttle: Throttle,
    pub(super) budget: Arc<FirmBudget>,
    pub(super) line: Line,
    pub(super) names: Names,
    pub(super) quoting: Quoting,
    /// The number expected from the peer, as far as the stream or the last connection tells.
    pub(super) expected: MsgSeqNum,
    /// The hash of the application messages that the stream had it told, and how many they were, where that is wanted. Answers
    /// that are said once are not among them, nor is anything that dates a message.
    pub(super) told: Option<(Transcript, u64)>,
}

/// Where the outbound number and the messages are.
#[derive(Debug)]
pub(super) enum Line {
    /// Nobody is connected.
    Idle(Idle),
    /// In the session of this connection.
    On(ConnectionId),
}

#[derive(Debug)]
pub(super) struct Idle {
    pub(super) next: MsgSeqNum,
    pub(super) store: Store,
}

impl Idle {
    fn new(bytes_max: usize) -> Self {
        Self {
            next: MsgSeqNum::FIRST,
            store: Store::new(bytes_max),
        }
    }

    /// Both numbers restart.
    pub(super) fn restart(&mut self) {
        self.next = MsgSeqNum::FIRST;
        self.store.clear();
    }

    /// A message without a copy takes a number.
    pub(super) fn skip(&mut self) {
        self.next = self.next.next();
    }
}

impl Account {
    pub(super) fn new(budget: Arc<FirmBudget>, settings: SessionSettings, bytes_max: usize) -> Self {
        Self {
            settings,
            budget,
            throttle: Throttle::new(settings.throttles),
            line: Line::Idle(Idle::new(bytes_max)),
            names: Names::default(),
            quoting: Quoting::default(),
            expected: MsgSeqNum::FIRST,
            told: None,
        }
    }

    /// The stream has seen the peer's message of this number; 0 where it states none.
    pub(super) fn heard(&mut self, inbound: rialto_model::MsgSeqNum) {
        self.expected = self.expected.max(MsgSeqNum(u64::from(inbound.0)).next());
    }

    /// Numbers and keeps an application message, and sends it where somebody is connected. It is dated by the stream, so
    /// that a copy of it after a restart states the same time.
    pub(super) fn send(
        &mut self,
        hub: &mut Hub<Connection>,
        now: Moment,
        stamp: Timestamp,
        msg_type: MsgType<'_>,
        body: &[u8],
    ) {
        if let Some((told, count)) = &mut self.told {
            *count += 1;
            told.add(*count, msg_type.0, body);
        }
        match &mut self.line {
            Line::Idle(idle) => {
                let message = SentMessage {
                    msg_type,
                    sending_time: UtcTimestamp(stamp.0),
                    header: b"",
                    body,
                };
                idle.store.record(idle.next, message);
                idle.skip();
            }
            Line::On(id) => {
                if let Some(connection) = hub.get_mut(*id) {
                    connection.session.send(now, stamp, msg_type, b"", body);
                }
                hub.queue(*id);
            }
        }
    }

    /// The same for a message that is not said again: the peer that asks for it gets a gap fill.
    pub(super) fn send_once(
        &mut self,
        hub: &mut Hub<Connection>,
        now: Moment,
        stamp: Timestamp,
        msg_type: MsgType<'_>,
        header: &[u8],
        body: &[u8],
    ) {
        match &mut self.line {
            Line::Idle(idle) => idle.skip(),
            Line::On(id) => {
                if let Some(connection) = hub.get_mut(*id) {
                    connection.session.send_once(now, stamp, msg_type, header, body);
                }
                hub.queue(*id);
            }
        }
    }

    /// A message that nobody can say any more has its number. Only ever of the past.
    pub(super) fn skip(&mut self) {
        if let Line::Idle(idle) = &mut self.line {
            idle.skip();
        }
    }

    /// The line comes back from the connection that has it; what it had not sent can be asked for again.
    pub(super) fn hang_up(&mut self, connection: &mut Connection, bytes_max: usize) {
        let next_inbound = connection.next_inbound();
        if let Some((next, store)) = connection.hang_up() {
            self.line = Line::Idle(Idle { next, store });
            self.expected = next_inbound;
        } else if let Line::On(_) = self.line {
            // Never: whoever has the line has a session that was let in.
            self.line = Line::Idle(Idle::new(bytes_max));
        }
    }
}
