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

use foldhash::HashMap;
use rialto_model::command::Refuse;
use rialto_model::event::{Accepted, Replaced, TradeBusted, TradeCorrected};
use rialto_model::{
    Event, Incarnation, Instructions, LossCause, OrderId, Output, Quantity, SessionId, Timestamp, UserRef,
};
use rialto_ouch::messages::{AccountQuery, Addressee, EventCode, Timestamp as SinceMidnight};
use rialto_ouch::soup::{CloseReason, LoginRequest, ServerEvent, ServerSession, SoupConfig};

use super::account::{Account, Sequenced};
use super::connection::{Connection as Peer, OverRate, Stage};
use super::login::TurnedAway;
use super::orders::{Inward, Sender, read, text};
use crate::directory::Day;
use crate::door::Protocol;
use crate::floor::Floor;
use crate::front::{Knock, soup_user};
use crate::limits::{FAREWELL_NS, PULLS_PER_SERVICE};
use crate::net::{Connection, Hub};
use crate::throttle::Verdict;
use crate::transcript::Transcript;

pub(crate) struct Ouch {
    soup: SoupConfig,
    /// In order, so that those who leave together do so in the same order every time.
    pub(super) accounts: BTreeMap<SessionId, Account>,
    /// An order that stands or stands anew, until the next event tells what it asks for.
    held: Option<Event>,
    /// Whose the live orders with instructions are: a reserve's next part does not say.
    reserves: HashMap<OrderId, SessionId>,
    /// What sessions are told is hashed.
    transcribes: bool,
}

/// What came of a connection that is not a message taken in.
enum Next {
    /// Nothing more.
    Nothing,
    /// It is not read now.
    Stopped,
    /// There may be more, when there is room or its turn comes again.
    Later,
    Login(LoginRequest),
    Closed(CloseReason),
    /// A message for which its session is lost.
    Broken(SessionId, String),
}

impl Ouch {
    pub(crate) fn new(soup: SoupConfig) -> Self {
        Self {
            soup,
            accounts: BTreeMap::new(),
            held: None,
            reserves: HashMap::default(),
            transcribes: false,
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

    /// What comes next of a connection, behind the messages of a member that is in: those are taken in, as far as they may be.
    fn next(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor, taken: &mut usize) -> Next {
        let now = floor.stream_time();
        let Peer {
            soup, stage, over_rate, ..
        } = &mut connection.session;
        let session = match *stage {
            Stage::In { session, .. } => Some(session),
            _ => None,
        };
        let mut account = session.and_then(|session| self.accounts.get_mut(&session));
        // None once its loss is on the way.
        let sender = session.zip(account.as_ref()).and_then(|(session, account)| {
            Some(Sender {
                session,
                incarnation: floor.roster.held(session, connection.id)?,
                policy: account.settings.policy(),
                firm: account.firm,
            })
        });
        loop {
            // The end of a session never has to wait.
            if soup.closed().is_none() {
                if account.as_ref().is_some_and(|account| account.throttle.is_stopped(now)) {
                    return Next::Stopped;
                }
                // Nothing is parsed unless there is room for its command.
                if *taken == floor.allowance || !floor.outlet.has_room() {
                    return Next::Later;
                }
            }
            *taken += 1;
            match soup.poll_event() {
                None => return Next::Nothing,
                Some(ServerEvent::Login(login)) => return Next::Login(login),
                Some(ServerEvent::Closed(reason)) => return Next::Closed(reason),
                Some(ServerEvent::Message(bytes)) => {
                    floor.taken += 1;
                    // What comes after the goodbye is dropped: the session is down, and its orders would be refused.
                    let Some(account) = &mut account else { continue };
                    floor.count(|c| &c.frames_in);
                    if let Some(sender) = &sender
                        && let Err(error) = Self::message(sender, account, now, bytes, over_rate, floor)
                    {
                        return Next::Broken(sender.session, error);
                    }
                }
            }
        }
    }

    /// One message of a member that is in.
    #[inline]
    fn message(
        sender: &Sender,
        account: &mut Account,
        now: Timestamp,
        bytes: &[u8],
        over_rate: &mut Option<OverRate>,
        floor: &mut Floor,
    ) -> Result<(), String> {
        let addressee = Addressee::of(bytes);
        let new = addressee.filter(|new| account.refs.is_next(UserRef(new.user_ref.0)));
        let verdict = match new {
            Some(_) => account.throttle.order(now, &account.budget),
            None if bytes.first() == Some(&AccountQuery::TYPE) => account.throttle.late_question(now, &account.budget),
            None => account.throttle.cancel(now, &account.budget),
        };
        match (verdict, new) {
            (Verdict::Lose, _) => return Err("it went on sending over its rate".to_owned()),
            (Verdict::Refuse(reason), Some(new)) => {
                floor.count(|c| &c.throttled);
                let user_ref = UserRef(new.user_ref.0);
                account.refs.refuse(user_ref);
                match over_rate {
                    Some(run) if run.reason == reason && run.last.0.checked_add(1) == Some(user_ref.0) => {
                        run.count += 1;
                        run.last = user_ref;
                        run.client_id = new.cl_ord_id;
                    }
                    _ => {
                        Self::refuse_over_rate(sender.session, sender.incarnation, over_rate.take(), floor);
                        *over_rate = Some(OverRate {
                            count: 1,
                            last: user_ref,
                            reason,
                            client_id: new.cl_ord_id,
                        });
                    }
                }
                return Ok(());
            }
            _ => Self::refuse_over_rate(sender.session, sender.incarnation, over_rate.take(), floor),
        }
        match read(bytes, addressee, sender, &floor.directory, &mut account.refs) {
            Inward::Command(command) => floor.outlet.push(command),
            Inward::Resent => {}
            Inward::Broken(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// Refuses a run of references in the stream: one record.
    fn refuse_over_rate(session: SessionId, incarnation: Incarnation, run: Option<OverRate>, floor: &mut Floor) {
        if let Some(run) = run {
            floor.outlet.push(Refuse {
                session,
                incarnation,
                user_ref: run.last,
                quantity: Quantity(u64::from(run.count)),
                reason: run.reason,
                client_id: text(run.client_id),
                ..Refuse::default()
            });
        }
    }

    /// The run that a connection leaves open is refused too, while the session is up.
    fn settle_over_rate(&self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        let run = connection.session.over_rate.take();
        if let Some(session) = connection.session.session()
            && let Some(incarnation) = floor.roster.held(session, connection.id)
        {
            Self::refuse_over_rate(session, incarnation, run, floor);
        }
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

    /// Answers an order or a replacement, known whole.
    fn tell_order(
        &mut self,
        event: &Event,
        at: SinceMidnight,
        asked: &Instructions,
        floor: &Floor,
        hub: &mut Hub<Peer>,
    ) {
        let symbol = |instrument| {
            floor
                .directory
                .instrument(instrument)
                .map(|listed| listed.symbol)
                .unwrap_or_default()
        };
        match event {
            Event::Accepted(e) => self.tell(e.session, floor, hub, |account| {
                account.tell_accepted(at, e, symbol(e.instrument), asked);
            }),
            Event::Replaced(e) => self.tell(e.session, floor, hub, |account| {
                account.tell_replaced(at, e, symbol(e.instrument), asked);
            }),
            _ => {}
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

    fn knock(bytes: &[u8]) -> Knock {
        soup_user(bytes)
    }

    fn transcribe(&mut self) {
        self.transcribes = true;
        let all = self.accounts.values_mut();
        all.for_each(|account| account.transcript = Some(Transcript::EMPTY));
    }

    fn transcript(&self) -> Option<u64> {
        let all = self.accounts.iter();
        let all = all.map(|(session, account)| (*session, account.transcript));
        self.transcribes.then(|| Transcript::over(all))
    }

    fn follow(&mut self, output: &Output, floor: &mut Floor, hub: &mut Hub<Peer>) {
        let stamp = output.event.stamp;
        let day = floor.directory.day;
        let at = day.map_or(SinceMidnight(0), |day| since_midnight(stamp, &day));
        if let Some(held) = self.held.take() {
            let asked = match (&held, &output.event.body) {
                (Event::Accepted(Accepted { order_id, .. }), Event::Instructed(e)) if e.order_id == *order_id => {
                    Some(e)
                }
                (Event::Replaced(Replaced { order_id, .. }), Event::Instructed(e)) if e.order_id == *order_id => {
                    Some(e)
                }
                _ => None,
            };
            if let Some(e) = asked.filter(|e| self.accounts.contains_key(&e.session)) {
                self.reserves.insert(e.order_id, e.session);
            }
            let asked = asked.map_or(Instructions::NONE, |e| e.instructions);
            self.tell_order(&held, at, &asked, floor, hub);
        }
        match &output.event.body {
            Event::SessionDefined(e) if floor.directory.name_of(e.session).is_some() => {
                let date = day.map_or_else(Default::default, |day| day.date);
                let settings = floor.config.settings_of(e.name.as_bytes());
                let mut account = Account::new(
                    (e.firm, floor.budgets.of(e.firm)),
                    settings,
                    floor.config.log_bytes_max,
                    date,
                );
                account.transcript = self.transcribes.then_some(Transcript::EMPTY);
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
            // What such an order asks for beside its terms comes as the next event, and its answer states that too.
            Event::Accepted(_) | Event::Replaced(_) if !output.last => self.held = Some(output.event.body),
            event @ (Event::Accepted(_) | Event::Replaced(_)) => {
                self.tell_order(event, at, &Instructions::NONE, floor, hub);
            }
            Event::Booked(e) => {
                if let Some(session) = self.reserves.get(&e.order_id).copied() {
                    self.tell(session, floor, hub, |account| account.tell_booked(at, e));
                }
            }
            Event::Pegged(e) => self.tell(e.session, floor, hub, |account| account.tell_pegged(at, e)),
            Event::Reduced(e) => self.tell(e.session, floor, hub, |account| account.tell_reduced(at, e)),
            Event::Cancelled(e) => {
                self.reserves.remove(&e.order_id);
                self.tell(e.session, floor, hub, |account| account.tell_cancelled(at, e));
            }
            Event::Executed(e) => {
                self.tell(e.maker_session, floor, hub, |account| account.tell_maker(at, e));
                self.tell(e.taker_session, floor, hub, |account| account.tell_taker(at, e));
                for (order_id, leaves) in [(e.maker, e.maker_leaves), (e.taker, e.taker_leaves)] {
                    if leaves.is_zero() && !self.reserves.is_empty() {
                        self.reserves.remove(&order_id);
                    }
                }
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
                floor.bad_logon(connection.link.peer());
                let turned = TurnedAway::not_authorised("unknown name or wrong password");
                self.turn_away(connection, user.as_str(), &turned, floor);
            }
        }
    }

    fn work(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor, settled: bool) -> bool {
        self.bring_up(connection, floor);
        let mut more = matches!(connection.session.stage, Stage::Granted { .. });
        let mut taken = 0;
        loop {
            match self.next(connection, floor, &mut taken) {
                Next::Nothing | Next::Stopped => break,
                Next::Later => {
                    more = true;
                    break;
                }
                Next::Login(login) => self.login(connection, login, floor),
                Next::Broken(session, error) => {
                    floor.count(|c| &c.protocol_errors);
                    floor.say.line(|| {
                        let peer = connection.link.peer();
                        format!("{}: {} from {peer}: {error}", floor.name, floor.name_of(session))
                    });
                    floor.lose(session, connection.id, LossCause::ProtocolError);
                    connection.session.soup.close();
                }
                Next::Closed(reason) => {
                    self.over(connection, reason, floor);
                    return false;
                }
            }
        }
        self.settle_over_rate(connection, floor);
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
