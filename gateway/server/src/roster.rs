//! Which sessions are up, and on which connection. Holds the rule that a session comes up once and is lost once.
//!
//! Two things meet here: what the stream says (up or down, the last incarnation) and what this door has asked of it and
//! not heard back (coming up, going). Only the stream's part is the same after a restart.

use foldhash::HashMap;
use rialto_model::{Incarnation, SessionId};

use crate::net::ConnectionId;

/// What this door does with a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing.
    #[default]
    Free,
    /// Its coming up is on the way, for this connection.
    Coming(ConnectionId),
    /// It is up on this connection.
    Held(ConnectionId),
    /// Its loss is on the way; it was this connection's.
    Going(ConnectionId),
}

#[derive(Clone, Copy, Debug, Default)]
struct Presence {
    /// As the stream says.
    up: bool,
    /// The last one, as the stream says.
    incarnation: Incarnation,
    place: Place,
}

/// The sessions of one door. Bounded by the sessions that the stream defines: only those are asked for.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    presences: HashMap<SessionId, Presence>,
    up: u64,
}

impl Roster {
    /// Begins to bring a session up for a connection: the incarnation to ask for, or `None` where the session is up, coming
    /// up or going.
    pub(crate) fn begin(&mut self, session: SessionId, connection: ConnectionId) -> Option<Incarnation> {
        let presence = self.presences.entry(session).or_default();
        if presence.up || presence.place != Place::Free {
            return None;
        }
        presence.place = Place::Coming(connection);
        Some(Incarnation(presence.incarnation.0.saturating_add(1)))
    }

    /// The stream says that a session is up. Gives the connection that waits for it.
    pub(crate) fn opened(&mut self, session: SessionId, incarnation: Incarnation) -> Option<ConnectionId> {
        let presence = self.presences.entry(session).or_default();
        self.up += u64::from(!presence.up);
        presence.up = true;
        presence.incarnation = incarnation;
        match presence.place {
            Place::Coming(connection) => {
                presence.place = Place::Held(connection);
                Some(connection)
            }
            _ => None,
        }
    }

    /// The stream ignored something of a session. Where its coming up was on the way that was it: gives the connection
    /// that waits in vain.
    pub(crate) fn ignored(&mut self, session: SessionId) -> Option<ConnectionId> {
        let presence = self.presences.get_mut(&session).filter(|presence| !presence.up)?;
        match core::mem::take(&mut presence.place) {
            Place::Coming(connection) => Some(connection),
            _ => None,
        }
    }

    /// The stream says that a session is down. Gives the connection that has it, or had.
    pub(crate) fn closed(&mut self, session: SessionId) -> Option<ConnectionId> {
        let presence = self.presences.entry(session).or_default();
        self.up -= u64::from(presence.up);
        presence.up = false;
        match core::mem::take(&mut presence.place) {
            Place::Held(connection) | Place::Going(connection) => Some(connection),
            _ => None,
        }
    }

    /// A connection gives its session up: the incarnation whose loss is to be sequenced, or `None` where that was done or
    /// the session is not this connection's.
    pub(crate) fn leave(&mut self, session: SessionId, connection: ConnectionId) -> Option<Incarnation> {
        let presence = self.presences.get_mut(&session)?;
        let incarnation = match presence.place {
            Place::Coming(holder) if holder == connection => Incarnation(presence.incarnation.0.saturating_add(1)),
            Place::Held(holder) if holder == connection => presence.incarnation,
            _ => return None,
        };
        presence.place = Place::Going(connection);
        Some(incarnation)
    }

    /// Whether the session is up on this connection, or its loss is on the way from there.
    pub(crate) fn is_with(&self, session: SessionId, connection: ConnectionId) -> bool {
        let place = self.presences.get(&session).map(|presence| presence.place);
        place == Some(Place::Held(connection)) || place == Some(Place::Going(connection))
    }

    /// The connection of a session that is up here.
    pub(crate) fn holder(&self, session: SessionId) -> Option<ConnectionId> {
        match self.presences.get(&session)?.place {
            Place::Held(connection) => Some(connection),
            _ => None,
        }
    }

    /// Whether this door has, or is about to have, or is giving up the session.
    pub(crate) fn is_here(&self, session: SessionId) -> bool {
        let place = self.presences.get(&session).map(|presence| presence.place);
        place.is_some_and(|place| place != Place::Free)
    }

    /// The incarnation of a session that is up on this very connection.
    pub(crate) fn held(&self, session: SessionId, connection: ConnectionId) -> Option<Incarnation> {
        let presence = self.presences.get(&session)?;
        (presence.place == Place::Held(connection)).then_some(presence.incarnation)
    }

    /// Whether the session is on its way down: its loss was asked for here, or is for the recovery to sequence.
    pub(crate) fn is_going(&self, session: SessionId) -> bool {
        self.presences
            .get(&session)
            .is_some_and(|presence| match presence.place {
                Place::Going(_) => true,
                Place::Free => presence.up,
                Place::Coming(_) | Place::Held(_) => false,
            })
    }

    /// How many sessions are up, as the stream says.
    pub(crate) fn up(&self) -> u64 {
        self.up
    }

    /// Whether this door waits for nothing to come or go.
    pub(crate) fn is_settled(&self) -> bool {
        self.presences.values().all(|presence| presence.place == Place::Free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: SessionId = SessionId(7);

    fn connection(slot: u32) -> ConnectionId {
        ConnectionId { slot, generation: 1 }
    }

    #[test]
    fn a_session_comes_up_once_and_is_lost_once() {
        let (one, two) = (connection(1), connection(2));
        let mut roster = Roster::default();
        assert_eq!(roster.begin(S, one), Some(Incarnation(1)));
        assert_eq!(roster.begin(S, two), None, "coming up already");
        assert_eq!(roster.opened(S, Incarnation(1)), Some(one));
        assert_eq!(roster.begin(S, two), None, "up already");
        assert_eq!(roster.leave(S, two), None, "not its session");
        assert_eq!(roster.leave(S, one), Some(Incarnation(1)));
        assert_eq!(roster.leave(S, one), None, "lost already");
        assert_eq!(roster.begin(S, two), None, "not down yet");
        assert!(roster.is_with(S, one) && roster.is_going(S) && !roster.is_settled());
        assert_eq!(roster.closed(S), Some(one));
        assert!(!roster.is_with(S, one) && !roster.is_going(S));
        assert_eq!(roster.begin(S, two), Some(Incarnation(2)));
    }

    #[test]
    fn a_connection_lost_while_its_session_comes_up_is_lost_once() {
        let one = connection(1);
        let mut roster = Roster::default();
        assert_eq!(roster.begin(S, one), Some(Incarnation(1)));
        assert_eq!(roster.leave(S, one), Some(Incarnation(1)));
        assert_eq!(roster.opened(S, Incarnation(1)), None);
        assert_eq!(roster.leave(S, one), None);
        assert_eq!(roster.closed(S), Some(one));
        assert!(roster.is_settled() && roster.up() == 0);
    }

    #[test]
    fn what_others_do_to_a_session_reaches_its_connection() {
        let one = connection(1);
        let mut roster = Roster::default();
        roster.begin(S, one);
        assert_eq!(roster.ignored(S), Some(one), "the stream would not have it up");
        assert_eq!(roster.ignored(S), None);
        roster.begin(S, one);
        roster.opened(S, Incarnation(1));
        assert_eq!(
            roster.ignored(S),
            None,
            "what is ignored of a session that is up does not end it"
        );
        assert_eq!(roster.holder(S), Some(one));
        assert_eq!(roster.closed(S), Some(one));
    }

    #[test]
    fn recovery_takes_up_and_incarnation_from_the_stream_alone() {
        let mut roster = Roster::default();
        assert_eq!(roster.opened(S, Incarnation(41)), None);
        assert_eq!(roster.begin(S, connection(1)), None, "still up in the stream");
        assert!(roster.is_going(S));
        assert_eq!(roster.closed(S), None);
        assert_eq!(roster.begin(S, connection(1)), Some(Incarnation(42)));
    }
}
