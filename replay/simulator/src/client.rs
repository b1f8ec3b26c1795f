//! A member and its door in one: what was sent, what was answered, what is sent again. It knows only what it was told.

use crate::plan::Wish;
use rialto_model::command::{Cancel, Enter, Reduce, Replace, SessionLost, SessionUp};
use rialto_model::{
    Capacity, Command, Event, Incarnation, InstrumentId, LossCause, MsgSeqNum, OrderKind, Output, Policy, Price,
    Quantity, SessionId, Target, TimeInForce, UserRef,
};

/// One client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    session: SessionId,
    incarnation: Incarnation,
    /// Whether it was told that it is up.
    up: bool,
    next_ref: UserRef,
    /// Every submission has one of its own, also when it is sent again: it tells two submissions apart.
    inbound: MsgSeqNum,
    /// Orders that it believes to be open, by its own name of today.
    open: Vec<UserRef>,
    /// Orders without an answer.
    unanswered: Vec<Enter>,
    /// Those of them that were sent more than once.
    resent: Vec<UserRef>,
}

/// What an answer was, where it is of interest to the list of rare paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    ResendTaken,
    ResendIgnored,
    Other,
}

impl Client {
    pub(crate) fn new(index: u64) -> Self {
        Self {
            session: SessionId(index as u32 + 1),
            incarnation: Incarnation(0),
            up: false,
            next_ref: UserRef(1),
            inbound: MsgSeqNum(0),
            open: Vec::new(),
            unanswered: Vec::new(),
            resent: Vec::new(),
        }
    }

    fn number(&mut self) -> MsgSeqNum {
        self.inbound.0 += 1;
        self.inbound
    }

    pub(crate) fn connect(&mut self) -> Command {
        self.incarnation.0 += 1;
        SessionUp {
            session: self.session,
            incarnation: self.incarnation,
            inbound: self.number(),
            reset: false,
        }
        .into()
    }

    pub(crate) fn disconnect(&mut self) -> Command {
        self.up = false;
        SessionLost {
            session: self.session,
            incarnation: self.incarnation,
            cause: LossCause::Disconnected,
        }
        .into()
    }

    /// The command for a wish; none where there is nothing to change.
    pub(crate) fn command(&mut self, wish: Wish) -> Option<Command> {
        let (session, incarnation) = (self.session, self.incarnation);
        let target = |open: &[UserRef], pick: u64| {
            let index = pick.checked_rem(open.len() as u64)? as usize;
            open.get(index).copied().map(Target::UserRef)
        };
        let command = match wish {
            Wish::Enter {
                instrument,
                side,
                tif,
                price,
                quantity,
            } => {
                let enter = Enter {
                    session,
                    incarnation,
                    inbound: self.number(),
                    user_ref: self.take_ref(),
                    instrument: InstrumentId(instrument),
                    side,
                    kind: OrderKind::Limit,
                    tif,
                    capacity: Capacity::Principal,
                    policy: Policy::CANCEL_ON_DISCONNECT,
                    price: Price(price),
                    quantity: Quantity(quantity),
                    ..Enter::default()
                };
                self.unanswered.push(enter);
                enter.into()
            }
            Wish::Cancel { pick } => Cancel {
                session,
                incarnation,
                target: target(&self.open, pick)?,
                inbound: self.number(),
                ..Cancel::default()
            }
            .into(),
            Wish::Reduce { pick, quantity } => Reduce {
                session,
                incarnation,
                target: target(&self.open, pick)?,
                inbound: self.number(),
                quantity: Quantity(quantity),
                ..Reduce::default()
            }
            .into(),
            Wish::Replace { pick, price, quantity } => Replace {
                session,
                incarnation,
                target: target(&self.open, pick)?,
                inbound: self.number(),
                user_ref: self.take_ref(),
                kind: OrderKind::Limit,
                tif: TimeInForce::Day,
                price: Price(price),
                quantity: Quantity(quantity),
                ..Replace::default()
            }
            .into(),
        };
        Some(command)
    }

    const fn take_ref(&mut self) -> UserRef {
        let taken = self.next_ref;
        self.next_ref.0 += 1;
        taken
    }

    /// The oldest order that nobody has answered, under this connection and another number.
    pub(crate) fn resend(&mut self) -> Option<Command> {
        let inbound = self.number();
        let incarnation = self.incarnation;
        let enter = self.unanswered.first_mut()?;
        enter.inbound = inbound;
        enter.incarnation = incarnation;
        self.resent.push(enter.user_ref);
        Some((*enter).into())
    }

    /// The exchange is gone and comes again: everything of the day is told again.
    pub(crate) fn reconnect(&mut self, outputs: &[Output]) {
        self.open.clear();
        outputs.iter().for_each(|output| _ = self.take(output));
        self.up = false;
    }

    /// Takes an answer, live or sent again after a restart.
    pub(crate) fn take(&mut self, output: &Output) -> Answer {
        let own = self.session;
        let mine = |session: SessionId| session == own;
        match output.event.body {
            // References go on rising over the days; names of yesterday name nothing today.
            Event::DayStarted(_) => self.open.clear(),
            Event::SessionOpened(e) if mine(e.session) => self.up = true,
            Event::SessionClosed(e) if mine(e.session) => self.up = false,
            Event::Accepted(e) if mine(e.session) => {
                self.open.push(e.user_ref);
                return self.answered(e.user_ref, Answer::ResendTaken);
            }
            Event::Rejected(e) if mine(e.session) => {
                self.answered(e.user_ref, Answer::Other);
            }
            Event::Replaced(e) if mine(e.session) => {
                self.gone(e.old_user_ref);
                self.open.push(e.user_ref);
            }
            Event::Cancelled(e) if mine(e.session) => self.gone(e.user_ref),
            Event::Executed(e) => {
                if mine(e.maker_session) && e.maker_leaves.0 == 0 {
                    self.gone(e.maker_user_ref);
                }
                if mine(e.taker_session) && e.taker_leaves.0 == 0 {
                    self.gone(e.taker_user_ref);
                }
            }
            Event::Ignored(e) if mine(e.session) && self.unanswered.iter().any(|one| one.inbound == e.inbound) => {
                self.unanswered.retain(|one| one.inbound != e.inbound);
                return Answer::ResendIgnored;
            }
            _ => {}
        }
        Answer::Other
    }

    fn answered(&mut self, user_ref: UserRef, if_resent: Answer) -> Answer {
        let before = self.unanswered.len();
        self.unanswered.retain(|one| one.user_ref != user_ref);
        if self.unanswered.len() < before && self.resent.contains(&user_ref) {
            if_resent
        } else {
            Answer::Other
        }
    }

    fn gone(&mut self, user_ref: UserRef) {
        self.open.retain(|one| *one != user_ref);
    }

    /// Whether it was told that it is logged on.
    pub(crate) const fn is_up(&self) -> bool {
        self.up
    }
}
