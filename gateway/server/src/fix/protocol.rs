//! The FIX door's protocol: logons, messages in, events out, the end of a day and of the door.
//!
//! # Numbers
//! Whatever takes an outbound MsgSeqNum passes through the stream first: an application message as the event that it
//! reports, an administrative one as a `SessionNote`. It gets its number where the event comes back, so the numbers are a
//! function of the stream. The Logon's answer takes its number at `SessionOpened`.
//!
//! # A logon
//! The verifier is asked; granted, `SessionUp` is sequenced; at its `SessionOpened` the Logon is answered. Whoever may not
//! come in is disconnected without a word, as FIX wants it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rialto_fix::dictionary::Validator;
use rialto_fix::message::{Message, write_reversed_route};
use rialto_fix::session::{
    BusinessRejectReason, DisconnectReason, Event as FixEvent, LogonRequest, SessionConfig, write_business_reject,
};
use rialto_fix::{MsgType, Version};
use rialto_model::command::SessionNote;
use rialto_model::event::{SessionNoted, SessionOpened};
use rialto_model::{Event, FirmId, LossCause, MsgSeqNum, Output, SessionId};

use super::account::{Account, Line};
use super::answers::{At, Told, TradeSide};
use super::codes::{
    ANSWERS_PER_NOTE, LastLiquidity, NOTE_ANSWERS, NOTE_MARKET, NOTE_RELOGON, NOTE_RESET, answers_of, note_of,
};
use super::connection::{Connection as Peer, Logon, OverRate, PENDING_ANSWERS, Pending, Stage, fix_now};
use super::dialect::translate;
use super::order_table::{OrderTable, is_pegged};
use super::orders::{self, Inward, Sender};
use super::quotes::{QuotesAtHand, Quoting};
use super::reports::ExecIds;
use super::undone::EndedOrders;
use crate::depth::Depth;
use crate::door::Protocol;
use crate::floor::Floor;
use crate::front::{Knock, fix_sender};
use crate::limits::LOGON_TIMEOUT_NS;
use crate::net::{Connection, ConnectionId, Hub};
use crate::throttle::Verdict;
use crate::transcript::Transcript;

pub(crate) struct Fix {
    /// The versions spoken; the first rules until a Logon has chosen.
    versions: Arc<[SessionConfig]>,
    /// TargetCompID(56) of every client.
    comp_id: Vec<u8>,
    /// In order, so that those who leave together do so in the same order every time.
    pub(super) accounts: BTreeMap<SessionId, Account>,
    pub(super) orders: OrderTable,
    pub(super) exec_ids: ExecIds,
    /// Of which the report is to come.
    pub(super) told: Option<Told>,
    /// Whose quotes the events at hand are about.
    pub(super) quotes_at_hand: Option<QuotesAtHand>,
    pub(super) ended: EndedOrders,
    pub(super) depth: Depth,
    /// Sessions that are told of every order of a firm.
    pub(super) drop_copies: BTreeMap<FirmId, Vec<SessionId>>,
    /// Sessions that want news of the market.
    pub(super) interested: BTreeSet<SessionId>,
    /// Reused for every body.
    pub(super) body: Vec<u8>,
    /// What sessions are told is hashed.
    transcribes: bool,
}

/// What the session says that its owner must act on, without what it borrows.
enum Step {
    Logon(Logon, LogonAsk),
    Message(Inward),
    Reject(String, Pending),
    Note(u8),
    /// The message is over the session's rate.
    OverRate(OverRate),
    /// So many were that the session ends.
    PutOut,
    Over(DisconnectReason),
    Nothing,
}

enum LogonAsk {
    /// The first of its connection, with its password.
    First(Vec<u8>),
    /// The first of a session whose name is enough.
    Open,
    /// One inside the session.
    Again,
    /// It may not be answered.
    Refuse(&'static str),
}

impl Fix {
    /// The door for clients of these versions, each with the check of its messages.
    pub(crate) fn new(comp_id: &str, versions: impl IntoIterator<Item = (Version, Validator)>) -> Self {
        let profile = |(version, validator)| SessionConfig {
            validator: Some(Arc::new(validator)),
            translate: Some(translate),
            logon_timeout_ns: LOGON_TIMEOUT_NS,
            ..SessionConfig::new(version)
        };
        Self {
            versions: versions.into_iter().map(profile).collect(),
            comp_id: comp_id.as_bytes().to_vec(),
            accounts: BTreeMap::new(),
            orders: OrderTable::default(),
            exec_ids: ExecIds::default(),
            told: None,
            quotes_at_hand: None,
            ended: EndedOrders::default(),
            depth: Depth::default(),
            drop_copies: BTreeMap::new(),
            interested: BTreeSet::new(),
            body: Vec::new(),
            transcribes: false,
        }
    }

    // --- In: what the session tells ---

    /// What an event of the session comes to; it may not act, for the event borrows the session.
    fn step(&mut self, event: &FixEvent<'_>, session: Option<SessionId>, id: ConnectionId, floor: &Floor) -> Step {
        match event {
            FixEvent::Logon(request) => {
                let (logon, ask) = self.read_logon(request, floor);
                Step::Logon(logon, ask)
            }
            FixEvent::Application(message) => {
                floor.count(|c| &c.frames_in);
                match self.judge(message, session, floor) {
                    Verdict::Pass => {}
                    Verdict::Refuse(reason) => return Step::OverRate(OverRate::of(message, reason)),
                    Verdict::Lose => return Step::PutOut,
                }
                match self.read(message, session, id, floor) {
                    Inward::Refused(reason, text) => {
                        let (mut header, mut body) = (Vec::new(), Vec::new());
                        write_reversed_route(message, &mut header);
                        write_business_reject(message, reason, &text, &mut body);
                        let msg_type = MsgType::BUSINESS_MESSAGE_REJECT;
                        Step::Reject(text, Pending::Message { msg_type, header, body })
                    }
                    inward => Step::Message(inward),
                }
            }
            FixEvent::AdminWanted(kind) => Step::Note(note_of(*kind)),
            FixEvent::Rejected(message) => {
                floor.say.line(|| {
                    let text = message.get(rialto_fix::tags::TEXT).unwrap_or_default();
                    let name = session.map_or_else(String::new, |session| floor.name_of(session));
                    format!(
                        "{}: {name} rejected a message of ours: {}",
                        floor.name,
                        text.escape_ascii()
                    )
                });
                Step::Nothing
            }
            FixEvent::Garbled(garbled) => {
                floor.count(|c| &c.protocol_errors);
                floor
                    .say
                    .line(|| format!("{}: garbled message ignored: {garbled}", floor.name));
                Step::Nothing
            }
            FixEvent::Disconnect(reason) => Step::Over(*reason),
        }
    }

    fn read_logon(&self, request: &LogonRequest<'_>, floor: &Floor) -> (Logon, LogonAsk) {
        let name = request.sender_comp_id();
        let inbound = request.message().msg_seq_num().map_or(0, |number| number.0);
        let logon = Logon {
            name: name.to_vec(),
            inbound: u32::try_from(inbound).unwrap_or(0),
            reset: request.resets_numbers() || (floor.config.settings_of(name).reset_on_logon && !request.is_relogon()),
        };
        let ask = if logon.inbound == 0 {
            LogonAsk::Refuse("MsgSeqNum(34) is 0 or beyond 32 bits: count from 1")
        } else if request.is_relogon() {
            LogonAsk::Again
        } else if request.target_comp_id() != self.comp_id {
            LogonAsk::Refuse("TargetCompID(56) is not the CompID that the venue states when it opens")
        } else if request.username().is_some_and(|user| !user.eq_ignore_ascii_case(name)) {
            LogonAsk::Refuse("Username(553) is not SenderCompID(49)")
        } else if floor.config.settings_of(name).no_password {
            LogonAsk::Open
        } else {
            request
                .password()
                .map_or(LogonAsk::Refuse("Password(554) is missing"), |password| {
                    LogonAsk::First(password.to_vec())
                })
        };
        (logon, ask)
    }

    fn read(&mut self, message: &Message<'_>, session: Option<SessionId>, id: ConnectionId, floor: &Floor) -> Inward {
        // Only who is in sends application messages; what comes after the session's end is dropped.
        let Some((session, incarnation)) = session.and_then(|session| Some((session, floor.roster.held(session, id)?)))
        else {
            return Inward::Known;
        };
        let Some(account) = self.accounts.get_mut(&session) else {
            return Inward::Known;
        };
        if account.settings.drop_copy {
            let text = "a drop copy is told of its firm's orders and asks for nothing".to_owned();
            return Inward::Refused(BusinessRejectReason::NotAuthorized, text);
        }
        let number = message.msg_seq_num().map_or(0, |number| number.0);
        let sender = Sender {
            session,
            incarnation,
            policy: account.settings.policy(),
            inbound: MsgSeqNum(u32::try_from(number).unwrap_or(u32::MAX)),
        };
        let mut context = orders::Context {
            directory: &floor.directory,
            names: &mut account.names,
            quoting: &mut account.quoting,
            orders: &self.orders,
        };
        orders::read(message, &sender, &mut context)
    }

    fn act(&mut self, step: Step, connection: &mut Connection<Peer>, floor: &mut Floor) {
        match step {
            Step::Logon(logon, LogonAsk::Refuse(why)) => {
                floor.bad_logon(connection.link.peer());
                self.refuse(connection, &logon.name, why, floor);
            }
            Step::Logon(logon, LogonAsk::First(password)) => {
                match floor.check(connection.id, connection.link.peer(), &logon.name, &password) {
                    Ok(()) => connection.session.stage = Stage::Checking(logon),
                    Err(why) => self.refuse(connection, &logon.name, &why, floor),
                }
            }
            Step::Logon(logon, LogonAsk::Open) => {
                connection.session.stage = Stage::Checking(logon);
                self.checked(connection, true, floor);
            }
            Step::Logon(logon, LogonAsk::Again) => {
                let what = if logon.reset { NOTE_RESET } else { NOTE_RELOGON };
                self.note(what, logon.inbound, connection, floor);
            }
            Step::Message(Inward::Command(command)) => floor.outlet.push(command),
            Step::Message(Inward::Commands(commands)) => {
                for command in commands {
                    floor.outlet.push(command);
                }
            }
            Step::Message(inward) => self.answer(inward, connection),
            Step::Nothing => {}
            Step::Reject(text, reject) => {
                floor.count(|c| &c.rejects);
                floor.say.line(|| {
                    format!(
                        "{}: message from {} refused: {text}",
                        floor.name,
                        connection.link.peer()
                    )
                });
                connection.session.answers.push_back(reject);
            }
            Step::OverRate(refused) => {
                floor.count(|c| &c.throttled);
                connection.session.over_rate(refused);
            }
            Step::PutOut => {
                floor.count(|c| &c.protocol_errors);
                let why = "it went on sending over its rate";
                self.over(connection, LossCause::ProtocolError, why, floor);
            }
            Step::Note(what) => self.note(what, taken(&connection.session), connection, floor),
            Step::Over(reason) => {
                let cause = loss_cause(reason);
                if cause == LossCause::ProtocolError {
                    floor.count(|c| &c.protocol_errors);
                }
                self.over(connection, cause, &reason.to_string(), floor);
            }
        }
    }

    /// What of a session's and its firm's budget the message takes. Cancels have one of their own.
    fn judge(&mut self, message: &Message<'_>, session: Option<SessionId>, floor: &Floor) -> Verdict {
        let Some(account) = session.and_then(|session| self.accounts.get_mut(&session)) else {
            return Verdict::Pass;
        };
        let now = floor.stream_time();
        match message.msg_type() {
            MsgType::ORDER_CANCEL_REQUEST | MsgType::ORDER_MASS_CANCEL_REQUEST | MsgType::QUOTE_CANCEL => {
                account.throttle.cancel(now, &account.budget)
            }
            MsgType::NEW_ORDER_SINGLE | MsgType::ORDER_CANCEL_REPLACE_REQUEST | MsgType::MASS_QUOTE => {
                account.throttle.order(now, &account.budget)
            }
            _ => account.throttle.question(now, &account.budget),
        }
    }

    /// Whether the connection's session is not read now.
    fn is_stopped(&self, connection: &Connection<Peer>, floor: &Floor) -> bool {
        let account = connection
            .session
            .session()
            .and_then(|session| self.accounts.get(&session));
        account.is_some_and(|account| account.throttle.is_stopped(floor.stream_time()))
    }

    /// Sequences that answers take their numbers, as far as there is room.
    fn number_answers(&self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        if !matches!(connection.session.stage, Stage::In { .. }) {
            return;
        }
        while floor.outlet.has_room()
            && let Some(next) = connection.session.answers.get(connection.session.asked)
        {
            let count = (connection.session.answers.len() - connection.session.asked).min(ANSWERS_PER_NOTE);
            let what = if count == 1 {
                next.note()
            } else {
                NOTE_ANSWERS | count as u8
            };
            connection.session.asked += count;
            self.note(what, taken(&connection.session), connection, floor);
        }
        if !connection.session.interests.asked && connection.session.interests.has_news() && floor.outlet.has_room() {
            connection.session.interests.asked = true;
            self.note(NOTE_MARKET, 0, connection, floor);
        }
    }

    /// Sequences that a session-level message takes its number.
    fn note(&self, what: u8, inbound: u32, connection: &Connection<Peer>, floor: &mut Floor) {
        if let Some(session) = connection.session.session()
            && let Some(incarnation) = floor.roster.held(session, connection.id)
        {
            floor.outlet.push(SessionNote {
                session,
                incarnation,
                inbound: MsgSeqNum(inbound),
                what,
            });
        }
    }

    // --- Coming and going ---

    fn refuse(&self, connection: &mut Connection<Peer>, name: &[u8], why: &str, floor: &Floor) {
        floor.refused(connection.link.peer(), name, why);
        if let Some(fix) = &mut connection.session.fix {
            // Its end comes as an event.
            let _ = fix.refuse_logon();
        }
        connection.session.stage = Stage::Stranger;
    }

    /// Lets a member that may come in do so, as soon as its connection before has left.
    fn bring_up(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        let Stage::Granted { session, logon } = &connection.session.stage else {
            return;
        };
        let (session, logon) = (*session, logon.clone());
        if floor.is_closing() {
            return self.refuse(connection, &logon.name, "the door closes", floor);
        }
        if floor.roster.is_going(session) {
            return;
        }
        if let Some(why) = floor.wrong_port(session, connection.by) {
            return self.refuse(connection, &logon.name, why, floor);
        }
        let account = self.accounts.get(&session);
        if account.is_some_and(|account| floor.must_wait(session, &account.settings)) {
            let why = "it was lost a moment ago: wait for reconnect_after";
            return self.refuse(connection, &logon.name, why, floor);
        }
        let expected = if logon.reset {
            1
        } else {
            account.map_or(0, |account| account.expected.0)
        };
        // A Logon ahead of its turn is asked about; it does not say that what is missing came.
        let in_turn = u64::from(logon.inbound) == expected;
        let inbound = MsgSeqNum(if in_turn { logon.inbound } else { 0 });
        if floor.bring_up(session, connection.id, inbound, logon.reset) {
            connection.session.stage = Stage::Coming { session };
        } else {
            self.refuse(
                connection,
                &logon.name,
                "it is logged on already, and that connection lives on",
                floor,
            );
        }
    }

    /// The connection ends: sequences its session's loss, once, and leaves the rest to the socket.
    fn over(&self, connection: &mut Connection<Peer>, cause: LossCause, why: &str, floor: &mut Floor) {
        let cause = if connection.session.dismissed {
            LossCause::Shutdown
        } else {
            cause
        };
        let session = connection.session.session();
        floor.say.line(|| {
            let who = session.map_or_else(|| "nobody".to_owned(), |session| floor.name_of(session));
            format!("{}: {who} from {} is gone: {why}", floor.name, connection.link.peer())
        });
        if let Some(session) = session {
            floor.lose(session, connection.id, cause);
        }
        connection.session.stage = Stage::Done;
    }

    /// The exchange says Logout; the session ends when the peer has answered, or has not in time.
    fn log_out(connection: &mut Connection<Peer>, text: &str) {
        connection.session.dismissed = true;
        if let Some(fix) = &mut connection.session.fix {
            fix.logout(text);
        }
    }

    /// Takes the line back from the connection that has it, if one has.
    fn hang_up(account: &mut Account, hub: &mut Hub<Peer>, bytes_max: usize) {
        if let Line::On(id) = account.line
            && let Some(connection) = hub.get_mut(id)
        {
            account.hang_up(&mut connection.session, bytes_max);
            hub.queue(id);
        }
    }

    fn opened(&mut self, event: &SessionOpened, at: At, floor: &mut Floor, hub: &mut Hub<Peer>) {
        let Some(account) = self.accounts.get_mut(&event.session) else {
            return;
        };
        let waiting = floor.roster.opened(event.session, event.incarnation);
        let bytes_max = floor.config.log_bytes_max;
        // The connection before may still have bytes to write; the session is another's now.
        Self::hang_up(account, hub, bytes_max);
        if event.reset {
            account.expected = rialto_fix::MsgSeqNum::FIRST;
            if let Line::Idle(idle) = &mut account.line {
                idle.restart();
            }
        }
        let expected = account.expected;
        account.heard(event.inbound);
        if let Some(id) = waiting
            && let Some(connection) = hub.get_mut(id)
            && let Some(fix) = &mut connection.session.fix
            && let Line::Idle(idle) = std::mem::replace(&mut account.line, Line::On(id))
        {
            let now = fix_now(floor.now.dated(at.stamp));
            connection.session.stage = Stage::In { session: event.session };
            connection.session.held = Some(event.session);
            let accepted = fix.accept_logon(now, expected, idle.next, idle.store);
            debug_assert!(accepted.is_ok(), "a Logon that waits is answered once");
            fix.release_admin(now);
            hub.queue(id);
        } else if let Line::Idle(idle) = &mut account.line {
            idle.skip();
        }
    }

    fn noted(&mut self, event: &SessionNoted, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(account) = self.accounts.get_mut(&event.session) else {
            return;
        };
        if event.what == NOTE_RESET {
            account.expected = rialto_fix::MsgSeqNum::FIRST;
        }
        account.heard(event.inbound);
        let answers = answers_of(event.what);
        let id = match &mut account.line {
            Line::Idle(idle) => {
                if event.what == NOTE_RESET {
                    idle.restart();
                }
                return (0..answers.unwrap_or(1)).for_each(|_| idle.skip());
            }
            Line::On(id) => *id,
        };
        if let Some(count) = answers {
            return self.tell_answers(event.session, event.what, count, at, floor, hub);
        }
        if let Some(connection) = hub.get_mut(id)
            && let Some(fix) = &mut connection.session.fix
        {
            let now = floor.now.dated(at.stamp);
            if matches!(event.what, NOTE_RELOGON | NOTE_RESET) {
                let accepted = fix.accept_relogon(fix_now(now));
                debug_assert!(accepted.is_ok(), "one note for each Logon inside the session");
            }
            let number = fix.release_admin(fix_now(now));
            debug_assert!(number.is_some(), "one note for each administrative message");
            hub.queue(id);
        }
    }

    fn begin_day(&mut self, floor: &mut Floor, hub: &mut Hub<Peer>) {
        for (session, account) in &mut self.accounts {
            // Who is still here has not answered yesterday's Logout.
            if let Line::On(id) = account.line {
                floor.lose(*session, id, LossCause::Shutdown);
            }
            Self::hang_up(account, hub, floor.config.log_bytes_max);
            if let Line::Idle(idle) = &mut account.line {
                idle.restart();
            }
            account.names.begin_day();
            account.quoting = Quoting::default();
            account.expected = rialto_fix::MsgSeqNum::FIRST;
        }
    }

    fn end_day(&mut self, hub: &mut Hub<Peer>) {
        for account in self.accounts.values() {
            if let Line::On(id) = account.line
                && let Some(connection) = hub.get_mut(id)
            {
                Self::log_out(connection, "the trading day has ended: numbers restart with the next");
                hub.queue(id);
            }
        }
    }
}

impl Protocol for Fix {
    type Session = Peer;

    fn greet(&self, floor: &Floor) -> Peer {
        Peer::new(Arc::clone(&self.versions), floor.now)
    }

    fn knock(bytes: &[u8]) -> Knock {
        fix_sender(bytes)
    }

    fn transcribe(&mut self) {
        self.transcribes = true;
        let all = self.accounts.values_mut();
        all.for_each(|account| account.told = Some((Transcript::EMPTY, 0)));
    }

    fn transcript(&self) -> Option<u64> {
        let all = self.accounts.iter();
        let all = all.map(|(session, account)| (*session, account.told.map(|(told, _)| told)));
        self.transcribes.then(|| Transcript::over(all))
    }

    fn follow(&mut self, output: &Output, floor: &mut Floor, hub: &mut Hub<Peer>) {
        let at = At {
            seq: output.event.seq,
            stamp: output.event.stamp,
        };
        self.report_told(Some(&output.event.body), at, floor, hub);
        self.follow_market(&output.event.body, at.stamp, hub);
        match &output.event.body {
            Event::SessionDefined(e) if floor.directory.name_of(e.session).is_some() => {
                let settings = floor.config.settings_of(e.name.as_bytes());
                if settings.drop_copy {
                    self.drop_copies.entry(e.firm).or_default().push(e.session);
                }
                let mut account = Account::new(floor.budgets.of(e.firm), settings, floor.config.log_bytes_max);
                account.told = self.transcribes.then_some((Transcript::EMPTY, 0));
                self.accounts.insert(e.session, account);
            }
            Event::DayStarted(_) => {
                self.ended.clear();
                self.begin_day(floor, hub);
            }
            Event::DayEnded(_) => self.end_day(hub),
            Event::SessionOpened(e) => self.opened(e, at, floor, hub),
            Event::SessionClosed(e) if self.accounts.contains_key(&e.session) => {
                self.interested.remove(&e.session);
                if let Some(account) = self.accounts.get_mut(&e.session) {
                    account.quoting.forget_answer();
                }
                // Who still held it was put out by somebody else; the session can say nothing any more.
                if let Some(id) = floor.roster.closed(e.session)
                    && let Some(connection) = hub.get_mut(id)
                {
                    connection.session.stage = Stage::Done;
                    hub.queue(id);
                }
            }
            Event::Ignored(e) => {
                if let Some(account) = self.accounts.get_mut(&e.session) {
                    account.heard(e.inbound);
                    if let Some(id) = floor.roster.ignored(e.session)
                        && let Some(connection) = hub.get_mut(id)
                    {
                        let name = floor.name_of(e.session);
                        self.refuse(
                            connection,
                            name.as_bytes(),
                            "the exchange did not take the session up",
                            floor,
                        );
                        hub.queue(id);
                    }
                }
            }
            Event::SessionNoted(e) => self.noted(e, at, floor, hub),
            Event::Accepted(e) => self.accepted(e),
            Event::Replaced(e) => self.replaced(e),
            Event::Instructed(e) => self.instructed(e),
            Event::Triggered(e) => self.triggered(e, at, floor, hub),
            Event::MassCancelled(e) => {
                let asked = (e.session, e.inbound, e.client_id);
                self.mass_cancelled(asked, Ok(e.cancelled), at, floor, hub);
            }
            Event::MassCancelRejected(e) => {
                let asked = (e.session, e.inbound, e.client_id);
                self.mass_cancelled(asked, Err(e.reason), at, floor, hub);
            }
            Event::Reduced(e) => self.reduced(e, at, floor, hub),
            Event::Cancelled(e) => self.cancelled(e, at, floor, hub),
            Event::Executed(e) => {
                let maker = TradeSide {
                    order_id: e.maker,
                    leaves: e.maker_leaves,
                    liquidity: LastLiquidity::Added,
                };
                let taker = TradeSide {
                    order_id: e.taker,
                    leaves: e.taker_leaves,
                    liquidity: LastLiquidity::Removed,
                };
                self.traded(&maker, e, at, floor, hub);
                self.traded(&taker, e, at, floor, hub);
            }
            Event::Rejected(e) => self.rejected(e, at, floor, hub),
            Event::ChangeRejected(e) => self.change_rejected(e, at, floor, hub),
            Event::Restated(e) => self.restated(e, at, floor, hub),
            Event::Pegged(e) => self.pegged(e, at, floor, hub),
            Event::MassQuoted(e) => self.mass_quoted(e),
            Event::MassQuoteRejected(e) => self.mass_quote_rejected(e),
            Event::QuoteRejected(e) => self.quote_rejected(e),
            Event::Quoted(e) => self.quoted(e),
            Event::QuotesCancelled(e) => self.quotes_cancelled(e),
            Event::ProtectionTripped(e) => self.protection_tripped(e, at, floor, hub),
            Event::TradeBusted(e) => self.trade_busted(e, at, floor, hub),
            Event::TradeCorrected(e) => self.trade_corrected(e, at, floor, hub),
            _ => {}
        }
        let whole = match &output.event.body {
            Event::Instructed(e) => !is_pegged(&e.instructions),
            Event::Pegged(_) => true,
            _ => output.last,
        };
        if whole || output.last {
            self.report_told(None, at, floor, hub);
        }
        if output.last {
            self.quotes_told(at, floor, hub);
        }
    }

    fn checked(&mut self, connection: &mut Connection<Peer>, granted: bool, floor: &mut Floor) {
        let Stage::Checking(logon) = &connection.session.stage else {
            return;
        };
        let logon = logon.clone();
        match floor.directory.by_name(&logon.name).filter(|_| granted) {
            Some(session) => {
                connection.session.stage = Stage::Granted { session, logon };
                self.bring_up(connection, floor);
            }
            None => {
                floor.bad_logon(connection.link.peer());
                self.refuse(connection, &logon.name, "unknown name or wrong password", floor);
            }
        }
    }

    fn work(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor, _: bool) -> bool {
        self.bring_up(connection, floor);
        for taken in 0.. {
            if connection.session.stage == Stage::Done {
                return false;
            }
            if self.is_stopped(connection, floor) {
                break;
            }
            self.number_answers(connection, floor);
            if connection.session.answers.len() >= PENDING_ANSWERS {
                break;
            }
            if taken == floor.allowance || !floor.outlet.has_room() {
                return true;
            }
            let session = connection.session.session();
            let Some(fix) = &mut connection.session.fix else {
                return false;
            };
            let Some(event) = fix.poll_event(fix_now(floor.now)) else {
                break;
            };
            floor.taken += 1;
            let step = self.step(&event, session, connection.id, floor);
            if !matches!(step, Step::OverRate(_)) {
                connection.session.tell_over_rate();
            }
            self.act(step, connection, floor);
        }
        // The refusals of a run are one answer.
        connection.session.tell_over_rate();
        self.number_answers(connection, floor);
        if connection.session.lost {
            self.over(connection, LossCause::Disconnected, "the connection was closed", floor);
        }
        matches!(connection.session.stage, Stage::Granted { .. })
    }

    fn dismiss(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        match connection.session.stage {
            Stage::In { .. } => Self::log_out(connection, "the exchange closes: log on again later"),
            Stage::Done => {}
            _ => self.over(connection, LossCause::Shutdown, "the door closes", floor),
        }
    }

    fn gone(&mut self, connection: &mut Connection<Peer>, floor: &mut Floor) {
        let id = connection.id;
        let has_line = |account: &&mut Account| matches!(account.line, Line::On(holder) if holder == id);
        let account = connection
            .session
            .held
            .and_then(|session| self.accounts.get_mut(&session));
        if let Some(account) = account.filter(has_line) {
            account.hang_up(&mut connection.session, floor.config.log_bytes_max);
        }
    }
}

/// The number of the last message that was taken in its turn.
fn taken(peer: &Peer) -> u32 {
    u32::try_from(peer.next_inbound().0.saturating_sub(1)).unwrap_or(u32::MAX)
}

fn loss_cause(reason: DisconnectReason) -> LossCause {
    match reason {
        DisconnectReason::LoggedOut | DisconnectReason::LogoutTimeout => LossCause::Logout,
        DisconnectReason::Silence | DisconnectReason::LogonTimeout => LossCause::Silent,
        DisconnectReason::TransmitFull | DisconnectReason::LogonRefused => LossCause::Disconnected,
        DisconnectReason::GarbledLogon(_) | DisconnectReason::InvalidLogon(_) | DisconnectReason::MsgSeqNumTooLow => {
            LossCause::ProtocolError
        }
    }
}
