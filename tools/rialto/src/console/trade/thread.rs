//! One firm's session at the OUCH door, and the thread that holds it.
//!
//! # How it comes in
//! It logs in twice. The first login asks for what is beyond the last message, and is told that message's number; the second asks for
//! everything that it has not read yet. Only when it has read up to that number does it take wishes: until then it cannot know
//! which of them the exchange has had. A new day begins with an empty table.
//!
//! # How it knows that nothing came
//! The exchange does not answer a change of an order that is over. So behind each wish goes an account query, which is always
//! answered, and in order: where its answer comes first the wish came to nothing.

use super::super::Seat;
use super::super::ticket::{Terms, no_connection, refusal, side_word};
use super::table::{Found, Said, Table, WishId};
use crate::order::words;
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use crate::refusals::mend;
use anyhow::Result;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rialto_ouch::messages::{
    AccountQuery, CancelOrder, ClOrdId, OrderState, Outbound, Price, Quantity, Side, Symbol, UserRefNum,
};
use rialto_ouch::soup::{LoginAccepted, RequestedSequence, SequenceNumber, SessionName};
use rialto_ring::Stop;
use rialto_web::{Answered, Refusal};
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Between two looks at the connection.
const LOOK: Duration = Duration::from_millis(2);
/// Between two attempts to log in.
const AGAIN: Duration = Duration::from_millis(500);
/// Wishes that are sent and not answered; the next waits in the queue before the thread.
const SENT_MAX: usize = 64;

pub(super) type Told = Result<Answered, Refusal>;

/// What is wished.
pub(super) enum What {
    Place(Terms),
    Replace { order: u32, terms: Terms },
    Cancel(u32),
}

/// A wish on its way to the thread. A cancel has no identifier: it may be said twice.
pub(super) struct Wish {
    pub(super) id: Option<WishId>,
    pub(super) what: What,
    pub(super) reply: Sender<Told>,
    /// Nobody waits for the answer any more.
    pub(super) until: Instant,
}

enum Stage {
    Away,
    /// Asks which number the next message has.
    Asking,
    /// Has been told, and leaves.
    Leaving {
        up_to: u64,
    },
    /// Reads what it missed, up to that number.
    Reading {
        up_to: u64,
    },
    In,
}

/// A wish that was sent, of which the account query behind it will say that it is over.
struct Sent {
    /// The reference of the order it makes or cancels.
    user_ref: u32,
    is_cancel: bool,
}

pub(super) struct Door {
    address: SocketAddr,
    seat: Seat,
    client: Option<OuchClient>,
    stage: Stage,
    tried: Option<Instant>,
    /// The day's session, and the number of the next message of it.
    day: Option<SessionName>,
    next_message: u64,
    /// Where it is known, the reference of the next order.
    next: Option<u32>,
    table: Table,
    sent: VecDeque<Sent>,
    /// Who waits for which new order, and for which order's cancel.
    waiting: BTreeMap<(bool, u32), Vec<Sender<Told>>>,
}

impl Door {
    pub(super) fn new(address: SocketAddr, seat: Seat) -> Self {
        Self {
            address,
            seat,
            client: None,
            stage: Stage::Away,
            tried: None,
            day: None,
            next_message: 1,
            next: None,
            table: Table::default(),
            sent: VecDeque::new(),
            waiting: BTreeMap::new(),
        }
    }

    pub(super) fn run(mut self, wishes: &Receiver<Wish>, stop: &Stop) {
        while !stop.is_set() {
            self.connect();
            let is_ready = self.next.is_some() && self.sent.len() < SENT_MAX;
            if is_ready {
                match wishes.recv_timeout(LOOK) {
                    Ok(wish) if Instant::now() < wish.until => self.take(wish),
                    Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            } else {
                std::thread::sleep(LOOK);
            }
            self.hear();
        }
        if let Some(client) = &mut self.client {
            client.logout();
            let _ = client.wait(AGAIN, &mut |_| {});
        }
    }

    fn connect(&mut self) {
        if self.client.is_some() || self.tried.is_some_and(|at| at.elapsed() < AGAIN) {
            return;
        }
        self.tried = Some(Instant::now());
        let reading = matches!(self.stage, Stage::Reading { .. });
        let login = login_for_new(&self.seat.user, &self.seat.password).map(|mut login| {
            if reading {
                let from = SequenceNumber::new(self.next_message).unwrap_or(SequenceNumber::FIRST);
                login.sequence = RequestedSequence::From(from);
            }
            login
        });
        self.client = login.and_then(|login| OuchClient::connect(self.address, login)).ok();
        if self.client.is_some() && !reading {
            self.stage = Stage::Asking;
        }
    }

    fn hear(&mut self) {
        let Some(client) = &mut self.client else { return };
        let mut admitted = None;
        let mut closed = false;
        let mut heard = Vec::new();
        let polled = client.poll(&mut |event| match event {
            OuchEvent::LoggedIn(accepted) => admitted = Some(accepted),
            OuchEvent::Closed(_) => closed = true,
            OuchEvent::Message(message) => heard.push(Heard::of(&message)),
        });
        if let Some(accepted) = admitted {
            closed |= !self.admitted(accepted);
        }
        if !matches!(self.stage, Stage::Leaving { .. }) {
            for word in heard {
                self.next_message += 1;
                self.word(word);
            }
        }
        if let Stage::Reading { up_to } = self.stage
            && self.next_message >= up_to
        {
            self.stage = Stage::In;
            closed |= self.query().is_err();
        }
        if closed || polled.is_err() {
            self.lost();
        }
    }

    /// Whether the connection is of use.
    fn admitted(&mut self, accepted: LoginAccepted) -> bool {
        let next = accepted.next.get();
        match self.stage {
            Stage::Asking => {
                if self.day != Some(accepted.session) {
                    self.day = Some(accepted.session);
                    self.next_message = 1;
                    self.table = Table::default();
                }
                if next > self.next_message {
                    self.stage = Stage::Leaving { up_to: next };
                    if let Some(client) = &mut self.client {
                        client.logout();
                    }
                } else {
                    self.stage = Stage::Reading { up_to: next };
                }
                true
            }
            // Between the two another day has begun: from the beginning.
            _ if self.day != Some(accepted.session) || next != self.next_message => {
                self.stage = Stage::Away;
                false
            }
            _ => true,
        }
    }

    fn query(&mut self) -> Result<()> {
        match &mut self.client {
            Some(client) => client.send(AccountQuery {}),
            None => Ok(()),
        }
    }

    /// Those who wait are told to ask again: what came in is known when the session's messages have been read.
    fn lost(&mut self) {
        self.client = None;
        self.next = None;
        self.sent.clear();
        self.table.forget_sent();
        self.stage = match self.stage {
            Stage::Leaving { up_to } => Stage::Reading { up_to },
            _ => Stage::Away,
        };
        for reply in std::mem::take(&mut self.waiting).into_values().flatten() {
            let _ = reply.send(Err(refusal(
                503,
                "the session was lost before the answer came",
                "send it again with the same idempotency key: it is not carried out twice",
            )));
        }
    }

    fn take(&mut self, wish: Wish) {
        let Wish { id, what, reply, .. } = wish;
        let found = id.map_or(Found::New, |id| self.table.find(id));
        match found {
            Found::New => {}
            Found::Said(said) => {
                let _ = reply.send(answered(said, true));
                return;
            }
            Found::Sent(user_ref) => {
                self.waiting.entry((false, user_ref)).or_default().push(reply);
                return;
            }
            Found::Other => {
                let _ = reply.send(Err(refusal(
                    422,
                    "this idempotency key was used for something else",
                    "use a new key for a new wish, and the same key only to send the same wish again",
                )));
                return;
            }
            Found::Full => {
                let _ = reply.send(Err(refusal(
                    503,
                    "the firm's session has had KEYS_MAX (65536) idempotency keys today, and forgets none of them",
                    "use another door, or wait for the next trading day",
                )));
                return;
            }
        }
        match self.send(id, &what) {
            Ok(waits_for) => self.waiting.entry(waits_for).or_default().push(reply),
            Err(refusal) => {
                let _ = reply.send(Err(refusal));
            }
        }
    }

    fn send(&mut self, id: Option<WishId>, what: &What) -> Result<(bool, u32), Refusal> {
        let (Some(client), Some(next)) = (&mut self.client, self.next) else {
            return Err(no_connection());
        };
        let name = id.map_or(ClOrdId::BLANK, WishId::cl_ord_id);
        let user_ref = match what {
            What::Place(terms) => {
                terms.send(client, UserRefNum(next), name)?;
                next
            }
            What::Replace { order, terms } => {
                terms.replace(client, UserRefNum(*order), UserRefNum(next), name)?;
                next
            }
            What::Cancel(order) => {
                let cancel = CancelOrder {
                    user_ref: UserRefNum(*order),
                    quantity: Quantity(0),
                };
                client.send(cancel).map_err(|_| no_connection())?;
                *order
            }
        };
        let is_cancel = matches!(what, What::Cancel(_));
        if let Some(id) = id {
            self.table.sent(id, user_ref);
            self.next = next.checked_add(1);
        }
        self.sent.push_back(Sent { user_ref, is_cancel });
        // Where it cannot be sent the connection is over, and said to be so by the next look.
        let _ = self.query();
        Ok((is_cancel, user_ref))
    }

    fn word(&mut self, word: Heard) {
        match word {
            Heard::Query { next } => {
                // Those of the past are answers to who was here before.
                if !matches!(self.stage, Stage::In) {
                    return;
                }
                match self.sent.pop_front() {
                    None => self.next = Some(next),
                    Some(Sent { user_ref, is_cancel }) => self.came_to_nothing(user_ref, is_cancel, next),
                }
            }
            Heard::First { id, user_ref, said } => {
                match id {
                    Some(id) => self.table.said(id, user_ref, &said),
                    // Over its rate only the last of a run has its identifier.
                    None => self.table.forget(user_ref),
                }
                self.tell(false, user_ref, &said);
            }
            Heard::Cancel { user_ref, said } => self.tell(true, user_ref, &said),
            Heard::Nothing => {}
        }
    }

    fn came_to_nothing(&mut self, user_ref: u32, is_cancel: bool, next: u32) {
        if !self.waiting.contains_key(&(is_cancel, user_ref)) {
            return;
        }
        if !is_cancel {
            self.table.forget(user_ref);
            // An order that was taken for one of before: somebody else has used the session.
            self.next = self.next.map(|own| own.max(next));
        }
        self.tell(
            is_cancel,
            user_ref,
            &Err(refusal(
                409,
                "the order is over, or the session has entered none of this reference",
                "see the order list at /api/v1/member/orders",
            )),
        );
    }

    fn tell(&mut self, is_cancel: bool, user_ref: u32, said: &Said) {
        for reply in self.waiting.remove(&(is_cancel, user_ref)).unwrap_or_default() {
            let _ = reply.send(answered(said.clone(), false));
        }
    }
}

fn answered(said: Said, again: bool) -> Told {
    said.map(|body| Answered { body, again })
}

/// A message of the exchange, as far as it answers a wish.
enum Heard {
    Query {
        next: u32,
    },
    First {
        id: Option<WishId>,
        user_ref: u32,
        said: Said,
    },
    Cancel {
        user_ref: u32,
        said: Said,
    },
    Nothing,
}

impl Heard {
    /// What is said follows from the message alone, so that it is the same whenever it is read.
    fn of(message: &Outbound<'_>) -> Self {
        match message {
            Outbound::AccountQueryResponse(m) => Self::Query {
                next: m.next_user_ref.0,
            },
            Outbound::OrderAccepted(m) => Self::First {
                id: WishId::of(m.cl_ord_id),
                user_ref: m.user_ref.0,
                said: Ok(stands(
                    None,
                    m.user_ref,
                    m.symbol,
                    m.side,
                    m.quantity,
                    m.price,
                    m.order_state,
                )),
            },
            Outbound::OrderReplaced(m) => Self::First {
                id: WishId::of(m.cl_ord_id),
                user_ref: m.user_ref.0,
                said: Ok(stands(
                    Some(m.orig_user_ref),
                    m.user_ref,
                    m.symbol,
                    m.side,
                    m.quantity,
                    m.price,
                    m.order_state,
                )),
            },
            Outbound::OrderRejected(m) => Self::First {
                id: WishId::of(m.cl_ord_id),
                user_ref: m.user_ref.0,
                said: Err(refusal(
                    422,
                    format!("the exchange rejected the order: {}", words(&format!("{:?}", m.reason))),
                    mend(m.reason),
                )),
            },
            Outbound::OrderCanceled(m) => Self::Cancel {
                user_ref: m.user_ref.0,
                said: Ok(json!({
                    "user_ref": m.user_ref.0,
                    "state": "cancelled",
                    "cancelled": m.quantity.0,
                    "reason": words(&format!("{:?}", m.reason)),
                })
                .to_string()),
            },
            Outbound::CancelReject(m) => Self::Cancel {
                user_ref: m.user_ref.0,
                said: Err(refusal(
                    409,
                    "the order cannot be cancelled now",
                    "try again when its auction is over",
                )),
            },
            _ => Self::Nothing,
        }
    }
}

fn stands(
    replaces: Option<UserRefNum>,
    user_ref: UserRefNum,
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    price: Price,
    state: OrderState,
) -> String {
    let limit = price.is_limit().then(|| {
        let units = i64::try_from(price.0).unwrap_or(i64::MAX);
        Decimal::new(units, 4).to_string()
    });
    json!({
        "user_ref": user_ref.0,
        "replaces": replaces.map(|order| order.0),
        "symbol": symbol.as_str(),
        "side": side_word(side),
        "quantity": quantity.0,
        "price": limit,
        "state": if state == OrderState::Live { "accepted" } else { "over" },
    })
    .to_string()
}
