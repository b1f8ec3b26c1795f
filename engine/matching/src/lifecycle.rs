//! Trading days and sessions: what begins, ends, is carried over and is lost.

use crate::definitions::listed;
use crate::engine::{Engine, VENUE, ignored};
use rialto_model::command::{CancelOnly, SessionLost, SessionNote, SessionUp, StartOfDay};
use rialto_model::event::{
    CancelOnlyChanged, DayEnded, DayStarted, Restated, SessionClosed, SessionNoted, SessionOpened,
};
use rialto_model::{
    CancelReason, Event, EventSink, IgnoreReason, Incarnation, InstrumentId, LossCause, MsgSeqNum, Phase, Policy,
    Price, Quantity, RejectReason, TimeInForce, UserRef,
};

impl Engine {
    /// DESIGN 4, the trading day: references begin again (OUCH 5.0, UserRefNum), the directory is said again (ITCH `R`), and
    /// every order carried over is stated again (FIX 150 = D, restated) in its unchanged place.
    #[cold]
    pub(crate) fn start_of_day(&mut self, c: &StartOfDay, sink: &mut impl EventSink) {
        if self.day_open || c.day <= self.day {
            return sink.emit(out_of_place());
        }
        self.day = c.day;
        self.midnight = c.midnight;
        self.day_open = true;
        self.undone.clear();
        for book in &mut self.books {
            book.trades_at_open = book.trades;
        }
        for session in &mut self.sessions {
            session.last_user_ref = UserRef(0);
        }
        sink.emit(
            DayStarted {
                day: c.day,
                midnight: c.midnight,
            }
            .into(),
        );
        self.lift_breaker(sink);
        for (one, book) in self.registry.instruments.values().zip(&self.books) {
            sink.emit(listed(one, book.phase() == Phase::Continuous));
        }
        self.leaving.clear();
        for book in 0..self.books.len() {
            self.collect(book);
        }
        for at in 0..self.leaving.len() {
            let (_, handle) = self.leaving[at];
            sink.emit(self.restated(handle));
            Self::instruct(&self.orders[handle], self.instructions(handle), sink);
        }
        for at in 0..self.books.len() {
            self.start_guard(at, self.last_stamp, sink);
        }
        self.conclude_all(sink);
    }

    /// FIX 59 = 0 (Day) and 1 (Good Till Cancel): DAY orders expire, GTC orders keep their place, order id and public
    /// reference, and lose the name that their client gave them for the day.
    #[cold]
    pub(crate) fn end_of_day(&mut self, sink: &mut impl EventSink) {
        if !self.day_open {
            return sink.emit(out_of_place());
        }
        for book in 0..self.books.len() {
            self.expire(book, sink);
        }
        for session in &mut self.sessions {
            session.names.clear();
        }
        self.quoters.clear();
        self.runaways.parents.clear();
        for at in 0..self.books.len() {
            self.stop_guard(at);
        }
        self.day_open = false;
        sink.emit(DayEnded { day: self.day }.into());
        self.conclude_all(sink);
    }

    /// Expires the DAY orders of a book and marks the others as carried.
    fn expire(&mut self, book: usize, sink: &mut impl EventSink) {
        self.leaving.clear();
        self.collect(book);
        for at in 0..self.leaving.len() {
            let (_, handle) = self.leaving[at];
            if self.orders[handle].tif == TimeInForce::Day {
                self.end(handle, CancelReason::DayEnded, sink);
            } else {
                self.orders[handle].carried = true;
            }
        }
    }

    fn restated(&self, handle: u32) -> Event {
        let order = &self.orders[handle];
        Restated {
            session: order.session(),
            user_ref: order.user_ref,
            order_id: order.order_id,
            public_ref: order.public_ref,
            firm: order.firm(),
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            price: Price(i64::from(self.price_of(handle))),
            leaves: Quantity(u64::from(self.open(handle))),
            executed: Quantity(order.executed),
            mpid: self.mpid(order.firm(), order.policy),
            shown: Quantity(u64::from(self.shown(handle))),
        }
        .into()
    }

    /// DESIGN 4, incarnations: each connection has a higher one than the last (SoupBinTCP login, FIX 35 = A).
    #[cold]
    pub(crate) fn session_opens(&mut self, c: &SessionUp) -> Event {
        let SessionUp {
            session: id,
            incarnation,
            inbound,
            reset,
        } = *c;
        match self.sessions.get_mut(id.0 as usize) {
            Some(session) if session.defined && session.up.0 == 0 && incarnation > session.last_incarnation => {
                session.up = incarnation;
                session.last_incarnation = incarnation;
                SessionOpened {
                    session: id,
                    incarnation,
                    inbound,
                    reset,
                }
                .into()
            }
            _ => ignored(id, inbound, IgnoreReason::OutOfPlace).into(),
        }
    }

    /// Cancel on disconnect, as venues offer it: DAY orders whose policy asks for it go, in the order they were entered;
    /// GTC orders stay (PROTOCOLS 6).
    #[cold]
    pub(crate) fn session_lost(&mut self, c: &SessionLost, sink: &mut impl EventSink) {
        let SessionLost {
            session: id,
            incarnation,
            cause,
        } = *c;
        if self.session_up(id, incarnation).is_err() {
            return sink.emit(ignored(id, MsgSeqNum(0), IgnoreReason::OutOfPlace).into());
        }
        let session = &mut self.sessions[id.0 as usize];
        session.up = Incarnation(0);
        sink.emit(
            SessionClosed {
                session: id,
                incarnation,
                cause,
            }
            .into(),
        );

        if cause == LossCause::Forked {
            return;
        }
        // A DAY order was named today, so its session's table of names has all of them.
        self.leaving.clear();
        for handle in session.names.iter() {
            let order = &self.orders[handle];
            if order.tif == TimeInForce::Day && order.policy.has(Policy::CANCEL_ON_DISCONNECT) {
                self.leaving.push((order.order_id, handle));
            }
        }
        self.leaving.sort_unstable();
        self.end_leaving(CancelReason::SessionLost, sink);
        self.collect_quotes(id, InstrumentId(0));
        self.end_leaving(CancelReason::SessionLost, sink);
        self.conclude_all(sink);
    }

    /// DESIGN 4, session state is in the stream: a session-level message takes its outbound number here.
    pub(crate) fn session_note(&self, c: &SessionNote) -> Event {
        let SessionNote {
            session,
            incarnation,
            inbound,
            what,
        } = *c;
        if session != VENUE && self.session_up(session, incarnation).is_err() {
            return ignored(session, inbound, IgnoreReason::SessionNotUp).into();
        }
        SessionNoted {
            session,
            incarnation,
            inbound,
            what,
        }
        .into()
    }

    /// DESIGN 6, the disk's reserve: what is left of the journal's room is for cancels.
    #[cold]
    pub(crate) fn set_cancel_only(&mut self, c: CancelOnly) -> Event {
        if self.cancel_only == c.on {
            return ignored(VENUE, MsgSeqNum(0), IgnoreReason::Superfluous).into();
        }
        self.cancel_only = c.on;
        CancelOnlyChanged { on: c.on }.into()
    }

    /// Whether new orders are taken at all, of anybody.
    #[inline]
    pub(crate) fn judge_open(&self) -> Result<(), RejectReason> {
        if self.day_open & !self.cancel_only {
            Ok(())
        } else if self.day_open {
            Err(RejectReason::CancelOnly)
        } else {
            Err(RejectReason::MarketClosed)
        }
    }
}

fn out_of_place() -> Event {
    ignored(VENUE, MsgSeqNum(0), IgnoreReason::OutOfPlace).into()
}
