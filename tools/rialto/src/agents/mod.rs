//! Background agents: market makers, noise and momentum traders that trade through the real doors like anyone else.
//!
//! One thread for all of them. It sends no more than it is told to each second, has a bounded number of requests under way
//! and sleeps in between. What an agent decides is a function of the seed and of what it sees; what it sees comes from the
//! feed and from its own session, never from inside the exchange.

mod crash;
mod desk;
mod dice;
mod door;
mod hawkes;
mod maker;
mod market;
mod momentum;
mod noise;
mod queue;
mod rehearsal;
mod trader;

use desk::Desk;
use door::Line;
use market::Market;
pub(crate) use rehearsal::{Cast, Rehearsal, Show};
use rialto_client::{FeedAddresses, FeedClient};
use rialto_model::{Price, Quantity, Symbol};
use rialto_ring::Stop;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
pub(crate) use trader::Role;
use trader::Trader;

/// The agents of a market.
#[derive(Clone, Debug)]
pub(crate) struct AgentsConfig {
    /// What they do is a function of this and of what they see.
    pub(crate) seed: u64,
    /// What they trade.
    pub(crate) instruments: Vec<AgentInstrument>,
    /// Who they are.
    pub(crate) seats: Vec<Seat>,
    /// Where they see the market.
    pub(crate) feed: FeedAddresses,
    /// Messages that all of them together send in a second at most.
    pub(crate) messages_per_second: u32,
    /// What kind of market they make.
    pub(crate) climate: Climate,
}

/// What kind of market it is, for all of its agents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Climate {
    /// How much is displayed, as a multiple of the usual; the less it is, the further apart the makers quote.
    pub(crate) liquidity: f64,
    /// How often clustered takers and queue-reactive traders come, as a multiple of the usual.
    pub(crate) pace: f64,
    /// The longest step of a maker's opinion in a tenth of a second, in sixteenths of a tick.
    pub(crate) restless: u32,
}

impl Default for Climate {
    fn default() -> Self {
        Self {
            liquidity: 1.0,
            pace: 1.0,
            restless: 8,
        }
    }
}

/// What [`AgentsConfig::messages_per_second`] is where nobody says otherwise.
pub(crate) const MESSAGES_PER_SECOND: u32 = 300;

/// An instrument that agents trade.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgentInstrument {
    pub(crate) symbol: Symbol,
    /// What it is worth in the beginning, in units of 0.0001.
    pub(crate) opening: Price,
    pub(crate) tick: Price,
    /// The quantity they trade multiples of: 100 is usual, whatever the exchange allows.
    pub(crate) lot: Quantity,
}

/// One agent.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) role: Role,
    pub(crate) door: SeatDoor,
    /// The session's name: OUCH user name, or FIX SenderCompID and user name.
    pub(crate) session: String,
    pub(crate) password: String,
}

/// The door an agent goes through.
#[derive(Clone, Debug)]
pub(crate) enum SeatDoor {
    Ouch(SocketAddr),
    Fix {
        address: SocketAddr,
        /// TargetCompID.
        comp_id: String,
    },
}

/// What the agents did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AgentsReport {
    /// Requests sent.
    pub(crate) sent: u64,
    /// Orders and replacements accepted.
    pub(crate) accepted: u64,
    /// Executions of their orders.
    pub(crate) executions: u64,
    /// Requests refused.
    pub(crate) refused: u64,
    /// Requests that nothing came of in time.
    pub(crate) unanswered: u64,
    /// Connections lost or refused.
    pub(crate) reconnects: u64,
    /// Messages of the feed that they saw.
    pub(crate) feed_messages: u64,
}

/// How long the thread sleeps between two looks.
const TICK: Duration = Duration::from_millis(2);
/// How often opinions change.
const STEP_NS: u64 = 100_000_000;
/// How far behind its rate the pacer may catch up: a fraction of a second's messages.
const BURST_DIVISOR: u64 = 20;
/// Between two attempts to join the feed.
const REJOIN: Duration = Duration::from_secs(1);

/// Lets the agents trade on a thread of their own until `stop` is set.
///
/// # Panics
/// Where the system has no more threads.
pub(crate) fn spawn(config: AgentsConfig, stop: Stop) -> JoinHandle<AgentsReport> {
    std::thread::Builder::new()
        .name("agents".to_owned())
        .spawn(move || Floor::new(&config).run(&stop))
        .expect("the system refuses one more thread: raise its limit on threads")
}

struct Agent {
    trader: Trader,
    desk: Desk,
    line: Line,
}

/// All agents, and what they see.
struct Floor {
    instruments: Vec<AgentInstrument>,
    agents: Vec<Agent>,
    market: Market,
    addresses: FeedAddresses,
    feed: Option<FeedClient>,
    /// When the feed was last tried to be joined.
    tried: Option<Instant>,
    /// Whose turn it is.
    turn: usize,
    pacer: Pacer,
    steps: u64,
    sent: u64,
    start: Instant,
}

impl Floor {
    fn new(config: &AgentsConfig) -> Self {
        let instruments = config.instruments.clone();
        let agents = config.seats.iter().enumerate().map(|(index, seat)| Agent {
            trader: Trader::new(seat.role, config.seed, index, &instruments, config.climate),
            desk: Desk::new(instruments.len()),
            line: Line::new(seat, &instruments),
        });
        Self {
            agents: agents.collect(),
            market: Market::new(&instruments),
            instruments,
            addresses: config.feed,
            feed: None,
            tried: None,
            turn: 0,
            pacer: Pacer::new(config.messages_per_second),
            steps: 0,
            sent: 0,
            start: Instant::now(),
        }
    }

    fn run(mut self, stop: &Stop) -> AgentsReport {
        while !stop.is_set() {
            self.look();
            let now_ns = self.now_ns();
            for agent in &mut self.agents {
                agent.line.poll(now_ns, &mut agent.desk);
                agent.desk.expire(now_ns);
            }
            self.step(now_ns);
            self.act(now_ns);
            std::thread::sleep(TICK);
        }
        for agent in &mut self.agents {
            agent.line.close();
        }
        self.report()
    }

    /// Sees what the feed has delivered. A feed that cannot be joined or breaks is joined again later: the agents go on
    /// with what they know.
    fn look(&mut self) {
        let due = self.tried.is_none_or(|tried| tried.elapsed() >= REJOIN);
        if self.feed.is_none() && due {
            self.tried = Some(Instant::now());
            self.feed = FeedClient::join(self.addresses).ok();
        }
        let market = &mut self.market;
        if let Some(feed) = &mut self.feed
            && feed
                .poll(Duration::ZERO, &mut |delivery| market.handle(delivery))
                .is_err()
        {
            self.feed = None;
        }
    }

    /// Lets opinions change as time goes by.
    fn step(&mut self, now_ns: u64) {
        if now_ns / STEP_NS > self.steps {
            self.steps = now_ns / STEP_NS;
            for agent in &mut self.agents {
                agent.trader.step(&self.instruments, self.market.quotes(), &agent.desk);
            }
        }
    }

    /// Gives the agents turns, one after the other, until the rate is used up or none of them wants anything.
    fn act(&mut self, now_ns: u64) {
        let mut idle = 0;
        while idle < self.agents.len() && self.pacer.may_send(now_ns) {
            self.turn = (self.turn + 1) % self.agents.len();
            idle += 1;
            let Some(agent) = self.agents.get_mut(self.turn) else {
                return;
            };
            if !agent.line.is_ready() || !agent.desk.may_ask() {
                continue;
            }
            let intent = agent
                .trader
                .decide(&self.instruments, self.market.quotes(), &agent.desk, now_ns);
            if intent.is_some_and(|intent| agent.line.send(intent, now_ns, &mut agent.desk)) {
                self.pacer.sent();
                self.sent += 1;
                idle = 0;
            }
        }
    }

    fn report(&self) -> AgentsReport {
        let feed_messages = self.feed.as_ref().map_or(0, |feed| feed.counters().messages);
        let mut report = AgentsReport {
            sent: self.sent,
            feed_messages,
            ..AgentsReport::default()
        };
        for agent in &self.agents {
            let tally = agent.desk.tally();
            report.accepted += tally.accepted;
            report.executions += tally.executions;
            report.refused += tally.refused;
            report.unanswered += tally.unanswered;
            report.reconnects += agent.line.reconnects();
        }
        report
    }

    fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

/// Spreads messages evenly over time.
#[derive(Debug)]
struct Pacer {
    interval_ns: u64,
    burst: u64,
    /// When the next message may be sent.
    next_ns: u64,
}

impl Pacer {
    fn new(per_second: u32) -> Self {
        let per_second = u64::from(per_second.max(1));
        Self {
            interval_ns: 1_000_000_000 / per_second,
            burst: (per_second / BURST_DIVISOR).max(1),
            next_ns: 0,
        }
    }

    /// Whether a message may be sent now. Time in which nothing was sent is made up for only as far as the burst goes.
    fn may_send(&mut self, now_ns: u64) -> bool {
        let earliest_ns = now_ns.saturating_sub(self.burst.saturating_mul(self.interval_ns));
        self.next_ns = self.next_ns.max(earliest_ns);
        now_ns >= self.next_ns
    }

    fn sent(&mut self) {
        self.next_ns = self.next_ns.saturating_add(self.interval_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use rialto_itch::{Header, Message, Stock};

    /// Two instruments with a tick of 0.01 at 1.00.
    pub(super) fn instruments() -> [AgentInstrument; 2] {
        ["ACME", "BOLT"].map(|symbol| AgentInstrument {
            symbol: Symbol::new(symbol).unwrap(),
            opening: Price(10_000),
            tick: Price(100),
            lot: Quantity(100),
        })
    }

    /// A directory message that names an instrument's number, made from the bytes of the format's own table.
    pub(super) fn directory(header: Header, stock: Stock) -> Message {
        let mut bytes = vec![b'R'];
        bytes.extend(header.locate.0.to_be_bytes());
        bytes.extend([0; 8]);
        bytes.extend(stock.0);
        bytes.extend(b"QN");
        bytes.extend(100_u32.to_be_bytes());
        bytes.extend(b"NCZ PNN1N");
        bytes.extend(0_u32.to_be_bytes());
        bytes.push(b'N');
        Message::decode(&bytes).unwrap()
    }

    #[test]
    fn the_pacer_keeps_the_rate_and_makes_up_little() {
        let mut pacer = Pacer::new(100);
        let sent_by = |pacer: &mut Pacer, now_ns: u64| {
            let mut sent = 0;
            while pacer.may_send(now_ns) {
                pacer.sent();
                sent += 1;
            }
            sent
        };
        let second = 1_000_000_000;
        assert_eq!(sent_by(&mut pacer, 0), 1);
        assert_eq!(sent_by(&mut pacer, 9_999_999), 0);
        assert_eq!(sent_by(&mut pacer, 10_000_000), 1);
        assert_eq!(
            sent_by(&mut pacer, 60 * second),
            6,
            "a twentieth of a second's messages and this one"
        );
        let total: u64 = (1..=500)
            .map(|tick| sent_by(&mut pacer, 60 * second + tick * 2_000_000))
            .sum();
        assert_eq!(total, 100);
    }

    #[test]
    fn equal_seeds_and_sights_give_equal_decisions() {
        let instruments = instruments();
        let quote = |bid| market::Quote {
            bid: Some(Price(bid)),
            ask: Some(Price(bid + 200)),
            last: None,
            ..market::Quote::default()
        };
        let decisions = |seed| {
            let desk = Desk::new(2);
            let mut traders: Vec<Trader> = (0..5)
                .map(|index| Trader::new(Role::of(index), seed, index, &instruments, Climate::default()))
                .collect();
            let mut all = Vec::new();
            for round in 0..50 {
                let quotes = [quote(9_900 + round % 7 * 100), quote(9_900)];
                for trader in &mut traders {
                    trader.step(&instruments, &quotes, &desk);
                    all.push(trader.decide(&instruments, &quotes, &desk, 0));
                }
            }
            all
        };
        assert_eq!(decisions(1), decisions(1));
        assert_ne!(decisions(1), decisions(2));
    }

    #[test]
    fn any_number_of_agents_is_a_market() {
        let roles: Vec<Role> = (0..5).map(Role::of).collect();
        use Role::{MarketMaker, Momentum, Noise};
        assert_eq!(roles, [MarketMaker, Noise, MarketMaker, Momentum, Noise]);
    }
}
