//! Logins at the OUCH door, step by step; at each step whoever may not come in is told so.

use rialto_model::{MsgSeqNum, SessionId};
use rialto_ouch::soup::{LoginRejectCode, LoginRequest, SequenceNumber, SessionName};

use super::connection::{Connection as Peer, Stage};
use super::protocol::Ouch;
use crate::directory::Day;
use crate::floor::Floor;
use crate::net::Connection;

/// Why a login is turned away.
pub(super) struct TurnedAway {
    code: LoginRejectCode,
    why: String,
}

impl TurnedAway {
    pub(super) fn not_available(why: impl Into<String>) -> Self {
        Self {
            code: LoginRejectCode::SessionNotAvailable,
            why: why.into(),
        }
    }

    pub(super) fn not_authorised(why: impl Into<String>) -> Self {
        Self {
            code: LoginRejectCode::NotAuthorised,
            why: why.into(),
        }
    }
}

impl Ouch {
    /// The session's name and the number from which on this login is served.
    fn admission(
        &self,
        session: SessionId,
        login: &LoginRequest,
        floor: &Floor,
    ) -> Result<(SessionName, Day, SequenceNumber), TurnedAway> {
        if floor.is_closing() {
            return Err(TurnedAway::not_available("the door closes"));
        }
        let (Some(day), Some(account)) = (floor.directory.day, self.accounts.get(&session)) else {
            return Err(TurnedAway::not_available("no trading day has begun"));
        };
        let name = session_name(floor, &day);
        if login.session.is_some_and(|wanted| wanted != name) {
            return Err(TurnedAway::not_available(format!(
                "the session is {name}: ask for it or leave it blank"
            )));
        }
        let next = SequenceNumber::new(account.log.next()).unwrap_or(SequenceNumber::FIRST);
        let first = login.sequence.resolve(next);
        if first.get() < account.log.first() {
            let why = format!(
                "message {first} is no longer kept: the oldest is {}",
                account.log.first()
            );
            return Err(TurnedAway::not_available(why));
        }
        Ok((name, day, first))
    }

    pub(super) fn turn_away(&self, connection: &mut Connection<Peer>, user: &str, turned: &TurnedAway, floor: &Floor) {
        floor.refused(connection.link.peer(), user.as_bytes(), &turned.why);
        // The client may have gone meanwhile, and then needs no answer.
        let _ = connection.session.soup.reject(turned.code);
        if let Stage::Checking(_) | Stage::Granted { .. } = connection.session.stage {
            connection.session.stage = Stage::Stranger;
        }
    }

    /// A client wants to log in.
    pub(super) fn login(&self, connection: &mut Connection<Peer>, login: LoginRequest, floor: &mut Floor) {
        let user = login.user.normalised();
        match floor.check(
            connection.id,
            connection.link.peer(),
            user.as_str().as_bytes(),
            login.password.normalised().as_str().as_bytes(),
        ) {
            Ok(()) => connection.session.stage = Stage::Checking(login),
            Err(why) => self.turn_away(connection, user.as_str(), &TurnedAway::not_authorised(why), floor),
        }
    }

    /// Lets a member that may come in do so, as soon as its connection before has left.
    pub(super) fn bring_up(&self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        let Stage::Granted { session, login } = connection.session.stage else {
            return;
        };
        if floor.roster.is_going(session) {
            return;
        }
        let waits = self
            .accounts
            .get(&session)
            .is_some_and(|account| floor.must_wait(session, &account.settings));
        let wrong_port = floor.wrong_port(session, connection.by);
        let decided = self.admission(session, &login, floor).and_then(|_| {
            if let Some(why) = wrong_port {
                return Err(TurnedAway::not_available(why));
            }
            if waits {
                let why = "it was lost a moment ago: wait for reconnect_after";
                return Err(TurnedAway::not_available(why));
            }
            if floor.bring_up(session, connection.id, MsgSeqNum(0), false) {
                Ok(())
            } else {
                Err(TurnedAway::not_available(
                    "it is logged in already, and that connection lives on",
                ))
            }
        });
        match decided {
            Ok(()) => connection.session.stage = Stage::Coming { session, login },
            Err(turned) => {
                let user = login.user.normalised();
                self.turn_away(connection, user.as_str(), &turned, floor);
            }
        }
    }

    /// The session is up: lets its connection in.
    pub(super) fn opened(&self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        let Stage::Coming { session, login } = connection.session.stage else {
            return;
        };
        match self.admission(session, &login, floor) {
            Ok((name, day, first)) => {
                // Where the client has gone meanwhile, its end is on its way and ends the session.
                let _ = connection.session.soup.accept(name, first);
                connection.session.stage = Stage::In {
                    session,
                    date: day.date,
                };
                if !day.open {
                    self.retire(connection, floor);
                }
            }
            Err(turned) => {
                let user = login.user.normalised();
                self.turn_away(connection, user.as_str(), &turned, floor);
            }
        }
    }
}

/// The name of a day's SoupBinTCP session: two digits of the venue, then the date as yyyymmdd, as on the feed.
fn session_name(floor: &Floor, day: &Day) -> SessionName {
    let (year, month, date) = day.date.civil();
    let name = format!("{:02}{year:04}{month:02}{date:02}", floor.directory.venue.0 % 100);
    SessionName::new(&name).unwrap_or(SessionName::BLANK)
}
