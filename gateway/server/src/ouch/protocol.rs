//! The OUCH door's protocol: logins, messages in, events out, the end of a day and of the door.
//!
//! # A login
//! Login Request; the verifier is asked; granted, `SessionUp` is sequenced; at its `SessionOpened` the login is accepted.
//! At every step whoever may not come in is told why not, as far as SoupBinTCP has a code for it.
//!
//! # An end
//! Whatever ends a connection, its session's loss is sequenced once. Where the exchange ends it (the day or the door
//! closes), the connection stays until it has every message, those that the loss caused included, and gets the end of
//! session.

use std::collections::BTreeMap;

use rialto_model::event::{TradeBusted, TradeCorrected};
use rialto_model::{Event, LossCause, Output, SessionId, Timestamp};
use rialto_ouch::messages::{EventCode, Timestamp as SinceMidnight};
use rialto_ouch::soup::{CloseReason, ServerEvent, ServerSession, SoupConfig};

use super::account::{Account, Sequenced};
use super::connection::{Connection as Peer, Stage};
use super::login::TurnedAway;
use super::orders::{Inward, Sender, read};
use crate::directory::Day;
use crate::door::Protocol;
use crate::floor::Floor;
use crate::limits::{FAREWELL_NS, MESSAGES_PER_SERVICE, PULLS_PER_SERVICE};
use crate::net::{Connection, ConnectionId, Hub};

pub(crate) struct Ouch {
    soup: SoupConfig,
    /// In order, so that those who leave together do so in the same order every time.
    pub(super) accounts: BTreeMap<SessionId, Account>,
}

impl Ouch {
    pub(crate) fn new(soup: SoupConfig) -> Self {
        Self {
            soup,
            accounts: BTreeMap::new(),
        }
    }

    /// The exchange ends this session: its loss is sequenced, and the connection leaves when it has been told everything.
    pub(super) fn retire(&self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        if let Stage::In { session, date } = connection.session.stage {
            floor.lose(session, connection.id, LossCause::Shutdown);
            connection.session.stage = Stage::Leaving {
                session,
                date,
                since_ns: floor.now.monotonic_ns,
            };
        }
    }

    /// The day is over: everyone who is in leaves.
    fn retire_all(&self, floor: &mut Floor, hub: &mut Hub<Peer>) {
        for session in self.accounts.keys() {
            if let Some(id) = floor.roster.holder(*session)
                && let Some(connection) = hub.get_mut(id)
            {
                self.retire(connection, floor);
                hub.queue(id);
            }
        }
    }

    /// One message of a member that is in.
    fn message(&mut self, id: ConnectionId, session: SessionId, bytes: &[u8], floor: &mut Floor) -> Result<(), String> {
        floor.count(|c| &c.frames_in);
        let (Some(incarnation), Some(account)) = (floor.roster.held(session, id), self.accounts.get_mut(&session))
        else {
            return Ok(());
        };
        let sender = Sender {
            session,
            incarnation,
            policy: account.policy,
            firm: account.firm,
        };
        match read(bytes, &sender, &floor.directory, &mut account.refs) {
            Inward::Command(command) => floor.outlet.push(command),
            Inward::Resent => {}
            Inward::Broken(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// Hands logged messages to the connection, and ends it when it is leaving and has them all. `true`: there is more to
    /// do.
    fn hand_over(&self, connection: &mut Connection<Peer>, floor: &mut Floor, settled: bool) -> bool {
        let (id, peer) = (connection.id, &mut connection.session);
        let (session, date, leaving_since_ns) = match peer.stage {
            Stage::In { session, date } => (session, date, None),
            Stage::Leaving {
                session,
                date,
                since_ns,
            } => (session, date, Some(since_ns)),
            _ => return false,
        };
        let is_late = |since_ns: u64| floor.now.monotonic_ns.saturating_sub(since_ns) >= FAREWELL_NS;
        let log = self.accounts.get(&session).and_then(|account| account.log_of(date));
        let Some(log) = log.filter(|_| !leaving_since_ns.is_some_and(is_late)) else {
            peer.soup.close();
            return true;
        };
        let Some(next) = peer.soup.next_wanted() else {
            return false;
        };
        if next.get() < log.first() {
            let name = floor.name_of(session);
            let text = format!("{name} reads too slowly: message {next} is no longer kept");
            floor.say.line(|| format!("{}: {text}", floor.name));
            floor.lose(session, id, LossCause::Disconnected);
            peer.soup.close();
            return true;
        }
        match peer.soup.pull(&mut Sequenced(log), PULLS_PER_SERVICE) {
            Ok(PULLS_PER_SERVICE) => true,
            Ok(_) if leaving_since_ns.is_none() => false,
            Ok(_) => {
                let has_all = peer.soup.next_wanted().is_some_and(|next| next.get() == log.next());
                if has_all && settled && !floor.roster.is_with(session, id) {
                    // It is logged in, so it can be told.
                    let _ = peer.soup.end_session();
                }
                true
            }
            Err(error) => {
                // A message of ours that no packet holds: a broken invariant, and better one connection than the door.
                floor
                    .say
                    .line(|| format!("{}: {}: {error}", floor.name, floor.name_of(session)));
                peer.soup.close();
                true
            }
        }
    }

    /// The SoupBinTCP session is over: sequences the loss, once, and leaves the rest to the socket.
    fn over(&self, connection: &mut Connection<Peer>, reason: CloseReason, floor: &mut Floor) {
        let cause = loss_cause(reason);
        if cause == LossCause::ProtocolError {
            floor.count(|c| &c.protocol_errors);
        }
        let session = connection.session.session();
        floor.say.line(|| {
            let who = session.map_or_else(|| "nobody".to_owned(), |session| floor.name_of(session));
            format!(
                "{}: {who} from {} is gone: {reason}",
                floor.name,
                connection.link.peer()
            )
        });
        if let Some(session) = session {
            floor.lose(session, connection.id, cause);
        }
        connection.session.stage = Stage::Done;
    }

    /// What an event makes this session's member read, and whose connection has something to do now.
    fn tell(&mut self, session: SessionId, floor: &Floor, hub: &mut Hub<Peer>, tell: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts.get_mut(&session) {
            tell(account);
            if let Some(connection) = floor.roster.holder(session) {
                hub.queue(connection);
            }
        }
    }

    /// Begins the day of a session.
    fn begin_day(account: &mut Account, day: &Day, stamp: Timestamp) {
        account.begin_day(day.date);
        account.tell_day(since_midnight(stamp, day), EventCode::StartOfDay);
    }
}

impl Protocol for Ouch {
    type Session = Peer;

    fn greet(&self, floor: &Floor) -> Peer {
        Peer::new(ServerSession::new(self.soup, floor.now.monotonic_ns))
    }

    fn follow(&mut self, output: &Output, floor: &mut Floor, hub: &mut Hub<Peer>) {
        let stamp = output.event.stamp;
        let day = floor.directory.day;
        let at = day.map_or(SinceMidnight(0), |day| since_midnight(stamp, &day));
        match &output.event.body {
            Event::SessionDefined(e) if floor.directory.name_of(e.session).is_some() => {
                let date = day.map_or_else(Default::default, |day| day.date);
                let policy = floor.config.policy_of(e.name.as_bytes());
                let mut account = Account::new(e.firm, policy, floor.config.log_bytes_max, date);
                if let Some(day) = day.filter(|day| day.open) {
                    Self::begin_day(&mut account, &day, stamp);
                }
                self.accounts.insert(e.session, account);
            }
            Event::DayStarted(_) => {
                if let Some(day) = day {
                    self.accounts
                        .values_mut()
                        .for_each(|account| Self::begin_day(account, &day, stamp));
                }
            }
            Event::DayEnded(_) => {
                self.accounts
                    .values_mut()
                    .for_each(|account| account.tell_day(at, EventCode::EndOfDay));
                self.retire_all(floor, hub);
            }
            Event::SessionOpened(e) => {
                if let Some(id) = self
                    .accounts
                    .get(&e.session)
                    .and_then(|_| floor.roster.opened(e.session, e.incarnation))
                    && let Some(connection) = hub.get_mut(id)
                {
                    self.opened(connection, floor);
                    hub.queue(id);
                }
            }
            Event::SessionClosed(e) if self.accounts.contains_key(&e.session) => {
                // Who is still in was put out by somebody else: an operator, or the recovery.
                if let Some(id) = floor.roster.closed(e.session)
                    && let Some(connection) = hub.get_mut(id)
                {
                    if let Stage::In { session, date } = connection.session.stage {
                        let since_ns = floor.now.monotonic_ns;
                        connection.session.stage = Stage::Leaving {
                            session,
                            date,
                            since_ns,
                        };
                    }
                    hub.queue(id);
                }
            }
            Event::Ignored(e) if self.accounts.contains_key(&e.session) => {
                if let Some(id) = floor.roster.ignored(e.session)
                    && let Some(connection) = hub.get_mut(id)
                {
                    let turned = TurnedAway::not_available("the exchange did not take the session up");
                    self.turn_away(connection, &floor.name_of(e.session), &turned, floor);
                    hub.queue(id);
                }
            }
            Event::SessionNoted(e) => self.tell(e.session, floor, hub, |account| account.tell_noted(at, e)),
            Event::Accepted(e) => {
                let symbol = floor
                    .directory
                    .instrument(e.instrument)
                    .map(|listed| listed.symbol)
                    .unwrap_or_default();
                self.tell(e.session, floor, hub, |account| account.tell_accepted(at, e, symbol));
            }
            Event::Replaced(e) => {
                let symbol = floor
                    .directory
                    .instrument(e.instrument)
                    .map(|listed| listed.symbol)
                    .unwrap_or_default();
                self.tell(e.session, floor, hub, |account| account.tell_replaced(at, e, symbol));
            }
            Event::Reduced(e) => self.tell(e.session, floor, hub, |account| account.tell_reduced(at, e)),
            Event::Cancelled(e) => self.tell(e.session, floor, hub, |account| account.tell_cancelled(at, e)),
            Event::Executed(e) => {
                self.tell(e.maker_session, floor, hub, |account| account.tell_maker(at, e));
                self.tell(e.taker_session, floor, hub, |account| account.tell_taker(at, e));
            }
            Event::TradeBusted(TradeBusted { deal, .. }) | Event::TradeCorrected(TradeCorrected { deal, .. }) => {
                for (session, order) in [
                    (deal.maker_session, deal.maker_user_ref),
                    (deal.taker_session, deal.taker_user_ref),
                ] {
                    self.tell(session, floor, hub, |account| account.tell_broken(at, deal, order));
                }
            }
            Event::Rejected(e) => {
                let mut told = false;
                self.tell(e.session, floor, hub, |account| told = account.tell_rejected(at, e));
                if told {
                    floor.count_reject();
                }
            }
            Event::ChangeRejected(e) => {
                let mut told = false;
                self.tell(e.session, floor, hub, |account| {
                    told = account.tell_change_rejected(at, e)
                });
                if told {
                    floor.count_reject();
                }
            }
            _ => {}
        }
    }

    fn checked(&mut self, connection: &mut Connection<Peer>, granted: bool, floor: &mut Floor) {
        let Stage::Checking(login) = connection.session.stage else {
            return;
        };
        let user = login.user.normalised();
        let session = floor.directory.by_name(user.as_str().as_bytes()).filter(|_| granted);
        match session {
            Some(session) => {
                connection.session.stage = Stage::Granted { session, login };
                self.bring_up(connection, floor);
            }
            None => {
                let turned = TurnedAway::not_authorised("unknown name or wrong password");
                self.turn_away(connection, user.as_str(), &turned, floor);
            }
        }
    }

    fn work(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor, settled: bool) -> bool {
        self.bring_up(connection, floor);
        let mut more = matches!(connection.session.stage, Stage::Granted { .. });
        for taken in 0.. {
            // Nothing is parsed unless there is room for its command; the end of a session never has to wait.
            if connection.session.soup.closed().is_none() && (taken == MESSAGES_PER_SERVICE || !floor.outlet.has_room())
            {
                more = true;
                break;
            }
            let stage = connection.session.stage;
            match connection.session.soup.poll_event() {
                None => break,
                Some(ServerEvent::Login(login)) => self.login(connection, login, floor),
                Some(ServerEvent::Message(bytes)) => {
                    // What comes after the goodbye is dropped: the session is down, and its orders would be refused.
                    let Stage::In { session, .. } = stage else {
                        continue;
                    };
                    if let Err(error) = self.message(connection.id, session, bytes, floor) {
                        floor.count(|c| &c.protocol_errors);
                        floor.say.line(|| {
                            let peer = connection.link.peer();
                            format!("{}: {} from {peer}: {error}", floor.name, floor.name_of(session))
                        });
                        floor.lose(session, connection.id, LossCause::ProtocolError);
                        connection.session.soup.close();
                    }
                }
                Some(ServerEvent::Closed(reason)) => {
                    self.over(connection, reason, floor);
                    return false;
                }
            }
        }
        self.hand_over(connection, floor, settled) || more
    }

    fn dismiss(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        match connection.session.stage {
            Stage::In { .. } => self.retire(connection, floor),
            Stage::Leaving { .. } | Stage::Done => {}
            Stage::Stranger | Stage::Checking(_) | Stage::Granted { .. } | Stage::Coming { .. } => {
                connection.session.soup.close();
            }
        }
    }

    fn gone(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        if let Some(session) = connection.session.session() {
            floor.lose(session, connection.id, LossCause::Disconnected);
        }
    }
}

fn since_midnight(stamp: Timestamp, day: &Day) -> SinceMidnight {
    SinceMidnight(stamp.since(day.midnight))
}

fn loss_cause(reason: CloseReason) -> LossCause {
    match reason {
        CloseReason::Logout => LossCause::Logout,
        CloseReason::Silence | CloseReason::LoginTimeout => LossCause::Silent,
        CloseReason::Disconnected | CloseReason::LoginRejected(_) => LossCause::Disconnected,
        CloseReason::EndOfSession | CloseReason::ClosedHere => LossCause::Shutdown,
        CloseReason::NotLoggedIn
        | CloseReason::SecondLogin
        | CloseReason::OutOfPlace { .. }
        | CloseReason::BadPacket(_) => LossCause::ProtocolError,
    }
}
