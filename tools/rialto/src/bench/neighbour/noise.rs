//! A firm that sends far more than it may, on one thread: whatever becomes of a connection, it comes again by its next session.

use super::Way;
use super::venue::{NOISY, PASSWORD, SYMBOL, noisy_session};
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use anyhow::{Context as _, Result};
use rialto_ouch::messages::{
    AccountQuery, Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, Outbound, Price,
    Quantity, Side, Symbol, TimeInForce, UserRefNum,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Between two looks at all connections, where there is nothing to send.
const TICK: Duration = Duration::from_micros(500);
/// Orders that one look hands to a connection; more would make it deaf for too long.
const AT_ONCE: u64 = 1_000;
/// What is sent in this time is sent at once, at its end.
const BURST: Duration = Duration::from_millis(50);
/// What was not sent for so long is not made up for.
const BEHIND_MAX: Duration = Duration::from_millis(100);
/// Between two attempts to come in.
const AGAIN: Duration = Duration::from_millis(50);
/// Orders of a huge book, and how long it is built at most before its connection is dropped.
const BOOK: u64 = 200_000;
const BOOK_TIME: Duration = Duration::from_millis(1_000);
/// A book's levels.
const LEVELS: u64 = 4_000;
/// For how long a connection whose orders are of no use is waited for at the end.
const LAST: Duration = Duration::from_millis(200);

/// What a noisy firm did, and what it was told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Orders or questions that went out.
    pub(super) asked: u64,
    pub(super) accepted: u64,
    /// Of these, those that were accepted before it was stopped.
    pub(super) in_time: u64,
    pub(super) logons: u64,
    /// Connections that the exchange ended.
    pub(super) put_out: u64,
    /// Refusals, by what is told.
    pub(super) told: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn words(&self) -> BTreeMap<String, u64> {
        let own = [
            ("asked", self.asked),
            ("accepted", self.accepted),
            ("logons", self.logons),
            ("put out", self.put_out),
        ];
        let own = own.into_iter().map(|(word, count)| (word.to_owned(), count));
        own.chain(self.told.iter().map(|(word, count)| (format!("told: {word}"), *count)))
            .collect()
    }
}

/// How it goes on.
#[derive(Clone, Copy)]
struct Plan {
    /// Orders a second of a connection.
    rate: u64,
    symbol: Symbol,
    /// The connection is dropped and made again when its book is built.
    drops: bool,
    /// Who is put out comes again by the firm's next session; otherwise by its own.
    rotates: bool,
}

/// One connection.
struct Connection {
    seat: usize,
    client: Option<OuchClient>,
    /// The next reference, once it is in.
    next: Option<u32>,
    /// Since when it is in, or has tried to be.
    since: Instant,
    /// Orders that were sent since then.
    sent: u64,
    /// Orders that were sent, or whose time is over.
    past: u64,
    /// Whether it was in at any time.
    was_in: bool,
}

/// Makes noise until it is stopped. `begun` is raised when each connection was in.
pub(super) fn make(way: Way, door: SocketAddr, limit: u32, stop: &AtomicBool, begun: &AtomicU64) -> Result<Tally> {
    let limit = u64::from(limit);
    let (connections, rate, symbol) = match way {
        Way::Ten => (1, 10 * limit, SYMBOL),
        Way::Sessions => (NOISY, limit, SYMBOL),
        // By as many sessions as it has, so that one core's worth of sending is not what bounds it.
        Way::Rejects => (NOISY, 100 * limit / NOISY as u64, "NONE"),
        Way::Hundred | Way::Book | Way::Http => (1, 100 * limit, SYMBOL),
    };
    let plan = Plan {
        rate,
        symbol: Symbol::new(symbol).context("the symbol")?,
        drops: way == Way::Book,
        rotates: connections == 1,
    };
    let mut connections: Vec<Connection> = (0..connections).map(Connection::away).collect();
    let mut tally = Tally::default();
    let mut stopped: Option<Instant> = None;
    loop {
        if stop.load(Ordering::Relaxed) {
            let since = *stopped.get_or_insert_with(|| {
                tally.in_time = tally.accepted;
                Instant::now()
            });
            // What was asked is answered, so that it is counted.
            if since.elapsed() > LAST {
                return Ok(tally);
            }
        }
        let mut busy = false;
        for connection in &mut connections {
            busy |= connection.turn(&plan, door, stopped.is_some(), &mut tally)?;
        }
        if connections.iter().all(|connection| connection.was_in) {
            begun.store(1, Ordering::Relaxed);
        }
        if !busy {
            std::thread::sleep(TICK);
        }
    }
}

impl Connection {
    fn away(seat: usize) -> Self {
        Self {
            seat,
            client: None,
            next: None,
            since: Instant::now(),
            sent: 0,
            past: 0,
            was_in: false,
        }
    }

    /// Reads what came and sends what is due. Whether there was anything to do.
    fn turn(&mut self, plan: &Plan, door: SocketAddr, stopped: bool, tally: &mut Tally) -> Result<bool> {
        let Some(client) = &mut self.client else {
            if !stopped && self.since.elapsed() > AGAIN {
                self.since = Instant::now();
                let login = login_for_new(&noisy_session(self.seat), PASSWORD)?;
                self.client = Some(OuchClient::connect(door, login)?);
                tally.logons += 1;
            }
            return Ok(false);
        };
        let (mut inside, mut next, mut over) = (false, None, false);
        let came = client.poll(&mut |event| match event {
            OuchEvent::LoggedIn(_) => inside = true,
            OuchEvent::Message(Outbound::AccountQueryResponse(answer)) => next = Some(answer.next_user_ref.0),
            OuchEvent::Message(Outbound::OrderAccepted(_)) => tally.accepted += 1,
            OuchEvent::Message(Outbound::OrderRejected(why)) => {
                *tally.told.entry(format!("{:?}", why.reason)).or_default() += 1;
            }
            OuchEvent::Message(_) => {}
            OuchEvent::Closed(_) => over = true,
        })?;
        if inside {
            client.send(AccountQuery {})?;
        }
        if let Some(next) = next {
            (self.next, self.since, self.sent, self.past) = (Some(next), Instant::now(), 0, 0);
            self.was_in = true;
        }
        if over {
            tally.put_out += u64::from(self.next.is_some());
            self.leave(plan);
            return Ok(true);
        }
        if stopped {
            return Ok(came > 0);
        }
        let queued = self.send(plan)?;
        tally.asked += queued;
        if plan.drops && self.next.is_some() && (self.sent >= BOOK || self.since.elapsed() > BOOK_TIME) {
            self.leave(plan);
        }
        Ok(came > 0 || queued > 0)
    }

    fn leave(&mut self, plan: &Plan) {
        let seat = if plan.rotates {
            (self.seat + 1) % NOISY
        } else {
            self.seat
        };
        *self = Self {
            was_in: self.was_in,
            ..Self::away(seat)
        };
    }

    /// Sends what is due, as far as the connection takes it.
    fn send(&mut self, plan: &Plan) -> Result<u64> {
        let (Some(client), Some(next)) = (&mut self.client, &mut self.next) else {
            return Ok(0);
        };
        let bursts = self.since.elapsed().as_nanos() / BURST.as_nanos();
        let owed = (bursts as f64 * BURST.as_secs_f64() * plan.rate as f64) as u64;
        let most = (BEHIND_MAX.as_secs_f64() * plan.rate as f64) as u64;
        self.past = self.past.max(owed.saturating_sub(most));
        let due = owed.saturating_sub(self.past).min(AT_ONCE);
        let mut queued = 0;
        while queued < due && client.queue(order(*next, plan.symbol)).is_ok() {
            *next += 1;
            queued += 1;
        }
        self.sent += queued;
        self.past += queued;
        Ok(queued)
    }
}

/// Rests far below whatever else there is.
fn order(user_ref: u32, symbol: Symbol) -> EnterOrder<'static> {
    EnterOrder {
        user_ref: UserRefNum(user_ref),
        side: Side::Buy,
        quantity: Quantity(100),
        symbol,
        price: Price(10_000 + u64::from(user_ref) % LEVELS * 100),
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Principal,
        inter_market_sweep: InterMarketSweep::NotEligible,
        cross_type: CrossType::Continuous,
        cl_ord_id: ClOrdId::BLANK,
        appendage: Appendage::EMPTY,
    }
}
