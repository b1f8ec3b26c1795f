//! A person's orders: entered at the OUCH door by one session, like anyone's.
//!
//! One thread owns the connection. A lost one is made again, from the next message on, so that what came of its orders
//! meanwhile is told; until then orders are refused with the reason.

use super::Seat;
use super::ahead::Ahead;
use super::ticket::{Terms, no_connection, refusal, side_word};
use crate::order::words;
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use crate::refusals::mend;
use anyhow::Result;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rialto_ouch::messages::{AccountQuery, CancelOrder, ClOrdId, OrderState, Outbound, Quantity, UserRefNum};
use rialto_ouch::soup::LoginRequest;
use rialto_ring::Stop;
use rialto_web::{Refusal, Ticket};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the exchange may take for its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at the connection.
const LOOK: Duration = Duration::from_millis(5);
/// Between two attempts to log in.
const AGAIN: Duration = Duration::from_millis(500);
/// Requests that wait for the thread; one more is refused.
const WAITING_MAX: usize = 64;
/// Orders that are shown; the oldest that are over go first, then the oldest.
const ORDERS_MAX: usize = 100;

type Reply = Sender<Result<String, Refusal>>;

/// A wish on its way to the thread.
enum Wish {
    Enter(Ticket, Reply),
    Cancel(u32, Reply),
}

/// The side that the gateway calls.
pub(super) struct Desk {
    wishes: Sender<Wish>,
}

/// An order as it is shown.
#[derive(Clone, Debug, Serialize)]
struct Own {
    /// Who entered it.
    session: String,
    /// The session's name of it.
    order: u32,
    symbol: String,
    side: &'static str,
    quantity: u32,
    /// None: at any price.
    price: Option<Decimal>,
    open: u32,
    /// Displayed shares before it at its price; none where it does not rest on the feed.
    ahead: Option<u64>,
    /// What the feed calls it while it lives.
    #[serde(skip)]
    reference: Option<u64>,
    executed: u32,
    /// `sent`, `live`, `filled`, `cancelled` or `rejected`.
    state: &'static str,
    reason: Option<String>,
}

/// Starts the thread.
pub(super) fn open(
    door: SocketAddr,
    seat: Seat,
    ahead: Arc<Ahead>,
    stop: Stop,
) -> Result<(Desk, watch::Receiver<Arc<str>>, JoinHandle<()>)> {
    let (wishes, received) = bounded(WAITING_MAX);
    let (shown, orders) = watch::channel(Arc::from("[]"));
    let mut trader = Trader {
        door,
        seat,
        client: None,
        came_in: false,
        again: None,
        next: None,
        tried: None,
        orders: BTreeMap::new(),
        replies: BTreeMap::new(),
        ahead,
        shown,
    };
    let thread = Builder::new().name("desk".to_owned()).spawn(move || {
        rialto_ring::layout::beside_the_path();
        while !stop.is_set() {
            trader.look(&received);
        }
        if let Some(client) = &mut trader.client {
            client.logout();
            let _ = client.wait(LOOK, &mut |_| {});
        }
    })?;
    Ok((Desk { wishes }, orders, thread))
}

impl Desk {
    fn ask(&self, wish: impl FnOnce(Reply) -> Wish) -> Result<String, Refusal> {
        let (reply, answer) = bounded(1);
        if self.wishes.try_send(wish(reply)).is_err() {
            return Err(refusal(503, "the desk has too much to do", "try again in a moment"));
        }
        answer.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            Err(refusal(
                504,
                format!("the exchange did not answer within {} s", PATIENCE.as_secs()),
                "look at the order list: a cancel of an order that is over is not answered",
            ))
        })
    }
}

/// Where there is no desk.
pub(super) struct Closed;

/// Its orders.
pub(super) fn no_orders() -> watch::Receiver<Arc<str>> {
    watch::channel(Arc::from("[]")).1
}

impl Closed {
    fn refuse() -> Refusal {
        refusal(
            403,
            "this gateway has no desk",
            "name one of the venue's OUCH sessions as http.desk in the configuration, or use another door",
        )
    }
}

impl rialto_web::Desk for Closed {
    fn enter(&self, _: &Ticket) -> Result<String, Refusal> {
        Err(Self::refuse())
    }

    fn cancel(&self, _: u32) -> Result<String, Refusal> {
        Err(Self::refuse())
    }
}

impl rialto_web::Desk for Desk {
    fn enter(&self, ticket: &Ticket) -> Result<String, Refusal> {
        let ticket = ticket.clone();
        self.ask(|reply| Wish::Enter(ticket, reply))
    }

    fn cancel(&self, order: u32) -> Result<String, Refusal> {
        self.ask(|reply| Wish::Cancel(order, reply))
    }
}

/// The thread's side.
struct Trader {
    door: SocketAddr,
    seat: Seat,
    client: Option<OuchClient>,
    /// Whether this connection was let in.
    came_in: bool,
    /// How to go on where the last one broke off; on another day there is nothing to go on with, and this is refused once.
    again: Option<LoginRequest>,
    /// The number of the next order, once the exchange has told.
    next: Option<u32>,
    tried: Option<Instant>,
    orders: BTreeMap<u32, Own>,
    /// Who waits for the first word about which order.
    replies: BTreeMap<u32, Reply>,
    ahead: Arc<Ahead>,
    shown: watch::Sender<Arc<str>>,
}

impl Trader {
    fn look(&mut self, wishes: &Receiver<Wish>) {
        self.connect();
        match wishes.recv_timeout(LOOK) {
            Ok(Wish::Enter(ticket, reply)) => self.enter(&ticket, reply),
            Ok(Wish::Cancel(order, reply)) => self.cancel(order, reply),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
        }
        self.hear();
    }

    fn connect(&mut self) {
        if self.client.is_some() || self.tried.is_some_and(|at| at.elapsed() < AGAIN) {
            return;
        }
        self.tried = Some(Instant::now());
        let login = self
            .again
            .map_or_else(|| login_for_new(&self.seat.user, &self.seat.password), Ok);
        self.came_in = false;
        self.client = login.and_then(|login| OuchClient::connect(self.door, login)).ok();
    }

    fn hear(&mut self) {
        let Some(client) = &mut self.client else { return };
        let mut logged_in = false;
        let mut closed = false;
        let mut heard = Vec::new();
        let polled = client.poll(&mut |event| match event {
            OuchEvent::LoggedIn(_) => logged_in = true,
            OuchEvent::Closed(_) => closed = true,
            OuchEvent::Message(message) => heard.extend(Heard::of(&message)),
        });
        if logged_in {
            self.came_in = true;
            closed |= client.send(AccountQuery {}).is_err();
        }
        closed |= polled.is_err();
        if closed {
            self.again = self.came_in.then(|| client.resume());
        }
        let changed = !heard.is_empty();
        for word in heard {
            self.take(word);
        }
        if closed {
            self.client = None;
            self.next = None;
            for reply in std::mem::take(&mut self.replies).into_values() {
                let _ = reply.send(Err(no_connection()));
            }
        }
        if changed {
            let living = self.orders.values().filter(|own| own.open > 0);
            self.ahead.want(living.filter_map(|own| own.reference));
        }
        if changed || self.ahead.take_news() {
            self.show();
        }
    }

    fn enter(&mut self, ticket: &Ticket, reply: Reply) {
        let entered = self.send(ticket);
        match entered {
            Ok(order) => {
                self.replies.insert(order, reply);
                self.show();
            }
            Err(refusal) => {
                let _ = reply.send(Err(refusal));
            }
        }
    }

    fn send(&mut self, ticket: &Ticket) -> Result<u32, Refusal> {
        let (Some(client), Some(next)) = (&mut self.client, self.next) else {
            return Err(no_connection());
        };
        let terms = Terms::of(ticket)?;
        terms.send(client, UserRefNum(next), ClOrdId::BLANK)?;
        self.next = Some(next + 1);
        self.make_room();
        let own = Own {
            session: self.seat.user.clone(),
            order: next,
            symbol: ticket.symbol.clone(),
            side: side_word(terms.side),
            quantity: ticket.quantity,
            price: terms.limit.map(|(decimal, _)| decimal),
            open: ticket.quantity,
            ahead: None,
            reference: None,
            executed: 0,
            state: "sent",
            reason: None,
        };
        self.orders.insert(next, own);
        Ok(next)
    }

    fn cancel(&mut self, order: u32, reply: Reply) {
        let is_live = self.orders.get(&order).is_some_and(|own| own.open > 0);
        let sent = match &mut self.client {
            _ if !is_live => Err(refusal(404, format!("order {order} is not live"), "see the order list")),
            None => Err(no_connection()),
            Some(client) => {
                let cancel = CancelOrder {
                    user_ref: UserRefNum(order),
                    quantity: Quantity(0),
                };
                client.send(cancel).map_err(|_| no_connection())
            }
        };
        match sent {
            Ok(()) => {
                self.replies.insert(order, reply);
            }
            Err(refusal) => {
                let _ = reply.send(Err(refusal));
            }
        }
    }

    fn make_room(&mut self) {
        if self.orders.len() >= ORDERS_MAX {
            let over = self.orders.values().find(|own| own.open == 0);
            let goes = over.or_else(|| self.orders.values().next()).map(|own| own.order);
            goes.and_then(|order| self.orders.remove(&order));
        }
    }

    fn take(&mut self, word: Heard) {
        let Heard { order, what } = word;
        if let What::Next(next) = what {
            self.next = Some(next);
            return;
        }
        let Some(own) = self.orders.get_mut(&order) else { return };
        let mut mend = "";
        match what {
            What::Accepted { live, reference } => {
                own.reference = Some(reference);
                own.state = if live { "live" } else { "cancelled" };
                own.open = if live { own.quantity } else { 0 };
            }
            What::Executed { quantity } => {
                own.open = own.open.saturating_sub(quantity);
                own.executed += quantity;
                if own.open == 0 {
                    own.state = "filled";
                }
            }
            What::Cancelled { quantity, reason } => {
                own.open = own.open.saturating_sub(quantity);
                own.reason = Some(reason);
                if own.open == 0 {
                    own.state = "cancelled";
                }
            }
            What::Rejected { reason, mend: told } => {
                mend = told;
                own.open = 0;
                own.state = "rejected";
                own.reason = Some(reason);
            }
            What::Broken { trade } => own.reason = Some(format!("the exchange has undone trade {trade}")),
            What::Moved { reference } => {
                own.reference = Some(reference);
                return;
            }
            What::Next(_) => {}
        }
        if let Some(reply) = self.replies.remove(&order) {
            let answer = match (&own.reason, own.state) {
                (Some(reason), "rejected") => {
                    Err(refusal(422, format!("the exchange rejected the order: {reason}"), mend))
                }
                _ => Ok(serde_json::to_string(own).unwrap_or_default()),
            };
            let _ = reply.send(answer);
        }
    }

    fn show(&mut self) {
        for own in self.orders.values_mut() {
            let living = own.reference.filter(|_| own.open > 0);
            own.ahead = living.and_then(|reference| self.ahead.of(reference));
        }
        let orders: Vec<&Own> = self.orders.values().collect();
        let text = serde_json::to_string(&orders).unwrap_or_default();
        self.shown.send_replace(text.into());
    }
}

/// A word of the exchange about an order.
struct Heard {
    order: u32,
    what: What,
}

enum What {
    Next(u32),
    Accepted { live: bool, reference: u64 },
    Moved { reference: u64 },
    Executed { quantity: u32 },
    Cancelled { quantity: u32, reason: String },
    Rejected { reason: String, mend: &'static str },
    Broken { trade: u64 },
}

impl Heard {
    fn of(message: &Outbound<'_>) -> Option<Self> {
        let (order, what) = match message {
            Outbound::AccountQueryResponse(m) => (0, What::Next(m.next_user_ref.0)),
            Outbound::OrderAccepted(m) => {
                let live = m.order_state == OrderState::Live;
                let reference = m.order_reference.0;
                (m.user_ref.0, What::Accepted { live, reference })
            }
            Outbound::OrderPriorityUpdate(m) => {
                let reference = m.order_reference.0;
                (m.user_ref.0, What::Moved { reference })
            }
            Outbound::OrderRestated(m) => {
                let reference = m.appendage.options().ok()?.secondary_order_reference?.0;
                (m.user_ref.0, What::Moved { reference })
            }
            Outbound::OrderExecuted(m) => {
                let quantity = m.quantity.0;
                (m.user_ref.0, What::Executed { quantity })
            }
            Outbound::OrderCanceled(m) => {
                let reason = words(&format!("{:?}", m.reason));
                let quantity = m.quantity.0;
                (m.user_ref.0, What::Cancelled { quantity, reason })
            }
            Outbound::OrderRejected(m) => {
                let reason = words(&format!("{:?}", m.reason));
                let mend = mend(m.reason);
                (m.user_ref.0, What::Rejected { reason, mend })
            }
            Outbound::BrokenTrade(m) => (
                m.user_ref.0,
                What::Broken {
                    trade: m.match_number.0,
                },
            ),
            _ => return None,
        };
        Some(Self { order, what })
    }
}
