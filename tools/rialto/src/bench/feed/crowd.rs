//! The QUIC thread: its CPU time for so many subscribers, told everything or conflated, and by tick rate.

use super::load::Course;
use crate::bench::timing::rounded;
use anyhow::{Context as _, Result, bail};
use rialto_conflate::wire::Message;
use rialto_conflate::{Depth, Interest, Pace};
use rialto_itch::mold::{Packet, SequenceNumber, Session};
use rialto_itch::{Message as Itch, OrderCancel};
use rialto_publisher::{Publisher, Tick, TickKind};
use rialto_quic::frames::{Login, Mode, ServerFrame, Start};
use rialto_quic::{Certificate, Client, Config, Door, Entitlement, Reactor, Server, SubscriberCounters, Trust};
use rialto_ring::spsc::{Producer, PushError, RingBuffer};
use serde::Serialize;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Messages of the ring between the feed and the server.
const RING: usize = 1 << 15;
/// Messages told before the measurement.
const PRELUDE: usize = 12_000;
/// Bytes told to all subscribers of one measurement together, roughly.
const BYTES: usize = 32 << 20;
/// How long a measurement may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// The conflated subscribers' interval.
const INTERVAL: Duration = Duration::from_millis(10);
/// Between two looks at sockets that had nothing.
const IDLE: Duration = Duration::from_micros(100);
/// How long each tick rate is kept up.
const PACED_TIME: Duration = Duration::from_secs(2);

/// What telling costs.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Told {
    mode: &'static str,
    subscribers: usize,
    messages: u64,
    /// From the first connection to the last accepted login, one after another.
    join_ms: u64,
    /// CPU time of the QUIC thread for 1,000 messages of the feed and one subscriber.
    cpu_us_per_1000_messages_per_subscriber: f64,
    /// The same for 1,200 bytes told.
    cpu_us_per_1200_bytes: f64,
    bytes_per_subscriber: u64,
}

/// What conflation costs at a tick rate.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Paced {
    /// `book`: executions come as cancellations, so that the book moves and nobody trades. `trades`: as it was, and each trade is
    /// told at once with the book before it and behind it.
    flow: &'static str,
    messages_per_second: u64,
    /// What came of it on this machine.
    told_per_second: u64,
    subscribers: usize,
    /// CPU time in a second for a subscriber, what the server takes without any taken off.
    cpu_us_per_second_per_subscriber: f64,
    /// What it was told in a second: levels, trades and statuses.
    keys_per_second_per_subscriber: u64,
    cpu_us_per_key: f64,
    bytes_per_second_per_subscriber: u64,
}

/// From the lowest tick rate to the highest, times how much.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Growth {
    flow: &'static str,
    messages: f64,
    keys: f64,
    cpu: f64,
    /// CPU time for a subscriber and a message more, if all of the growth were the messages' and none the keys'.
    cpu_ns_per_message_at_most: f64,
}

/// How conflation's cost grows between the first and the last of these, which are of one flow.
pub(super) fn growth(paced: &[Paced]) -> Option<Growth> {
    let (first, last) = (paced.first()?, paced.last()?);
    let times = |of: fn(&Paced) -> f64| rounded(of(last) / of(first).max(1.0));
    let more = last.told_per_second.saturating_sub(first.told_per_second).max(1);
    let cpu_us = last.cpu_us_per_second_per_subscriber - first.cpu_us_per_second_per_subscriber;
    Some(Growth {
        flow: last.flow,
        messages: times(|one| one.told_per_second as f64),
        keys: times(|one| one.keys_per_second_per_subscriber as f64),
        cpu: times(|one| one.cpu_us_per_second_per_subscriber),
        cpu_ns_per_message_at_most: rounded(cpu_us * 1_000.0 / more as f64),
    })
}

struct Everyone(VecDeque<u64>);

impl Door for Everyone {
    fn ask(&mut self, _: &str, _: &str, ticket: u64) -> bool {
        self.0.push_back(ticket);
        true
    }

    fn poll(&mut self) -> Option<(u64, Option<Entitlement>)> {
        let entitlement = Entitlement {
            firm: "BENCH".to_owned(),
            instruments: Interest::All,
        };
        Some((self.0.pop_front()?, Some(entitlement)))
    }
}

/// A server, its ring, and who listens.
pub(super) struct Crowd {
    server: Server,
    ring: Producer<Tick>,
    trust: Trust,
    /// All who listen share it: none of them is idle while another one is read.
    reactor: Reactor,
    pub(super) clients: Vec<Listener>,
    ticks: Vec<Tick>,
    next: usize,
}

pub(super) struct Listener {
    pub(super) client: Client,
    told: u64,
    bytes: u64,
    /// Of the conflated feed: levels, trades and statuses.
    keys: u64,
}

impl Listener {
    const fn new(client: Client) -> Self {
        Self {
            client,
            told: 0,
            bytes: 0,
            keys: 0,
        }
    }

    /// Everything up to this number was told.
    pub(super) const fn told(&self) -> u64 {
        self.told
    }

    /// Reads what the last turn of the reactor brought. Whether there was anything.
    pub(super) fn read(&mut self) -> Result<bool> {
        let (told, bytes, keys) = (&mut self.told, &mut self.bytes, &mut self.keys);
        let frames = self.client.ready(&mut |frame| match frame {
            ServerFrame::Packet(packet) => {
                *bytes += packet.len() as u64;
                if let Ok(packet) = Packet::parse(packet) {
                    *told = (*told).max(packet.end().0 - 1);
                }
            }
            ServerFrame::SnapshotMessage(message) => *bytes += message.len() as u64,
            ServerFrame::SnapshotEnds { next } => *told = (*told).max(next - 1),
            ServerFrame::Conflated(message) => {
                *bytes += message.len() as u64;
                // Updates and positions state how far they go.
                match Message::decode(message) {
                    Ok(Message::Update(update)) => {
                        *keys += update.levels.len() as u64;
                        *told = (*told).max(update.range.last);
                    }
                    Ok(Message::Trade(_) | Message::Passed(_)) => *keys += 1,
                    Ok(Message::Position(last)) => *told = (*told).max(last),
                    _ => {}
                }
            }
            _ => {}
        })?;
        Ok(frames > 0)
    }
}

impl Crowd {
    pub(super) fn open(course: &Course) -> Result<Self> {
        let certificate = Certificate::development()?;
        let trust = Trust {
            pem: certificate.chain_pem().to_owned(),
            name: "localhost".to_owned(),
        };
        let (ring, taken) = RingBuffer::new(RING);
        let config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            lag_max: rialto_quic::limits::LOG_MESSAGES_MAX,
            ..Config::default()
        };
        let server = Server::start(config, &certificate, Box::new(Everyone(VecDeque::new())), taken)?;
        Ok(Self {
            server,
            ring,
            trust,
            reactor: Reactor::new()?,
            clients: Vec::new(),
            ticks: ticks(course)?,
            next: 0,
        })
    }

    /// So many join, one after another; those that are there already go on reading. How long it took.
    pub(super) fn join(&mut self, subscribers: usize, conflated: bool) -> Result<Duration> {
        let begun = Instant::now();
        for _ in 0..subscribers {
            let client = Client::connect_on(
                &self.reactor,
                self.server.address(),
                &self.trust,
                &Self::login("bench", conflated),
            )?;
            self.clients.push(Listener::new(client));
            self.read()?;
        }
        Ok(begun.elapsed())
    }

    /// One more, of full depth, who is not among those that are read, and keeps its connection up itself.
    pub(super) fn another(&self, user: &str) -> Result<Listener> {
        let login = Self::login(user, false);
        Ok(Listener::new(Client::connect(
            self.server.address(),
            &self.trust,
            &login,
        )?))
    }

    /// Everybody reads what has come. Whether there was anything.
    pub(super) fn read(&mut self) -> Result<bool> {
        self.reactor.turn();
        let mut any = false;
        for one in &mut self.clients {
            any |= one.read()?;
        }
        Ok(any)
    }

    /// Where to log in, and how, for who does it again and again.
    pub(super) fn entrance(&self, user: &str) -> (SocketAddr, Trust, Login) {
        (self.server.address(), self.trust.clone(), Self::login(user, false))
    }

    fn login(user: &str, conflated: bool) -> Login {
        let mode = match conflated {
            false => Mode::Full,
            true => Mode::Conflated {
                depth: Depth::Levels(10),
                pace: Pace::Interval {
                    ns: INTERVAL.as_nanos() as u64,
                },
            },
        };
        Login {
            user: user.to_owned(),
            password: "bench".to_owned(),
            mode,
            start: Start::Snapshot,
            stocks: Vec::new(),
        }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(super) fn session(&self) -> Session {
        let named = self.ticks.iter().find(|tick| tick.kind == TickKind::Session);
        let name = named.and_then(|tick| tick.bytes().try_into().ok());
        Session(name.unwrap_or([b' '; 10]))
    }

    pub(super) fn subscribers(&self) -> Vec<SubscriberCounters> {
        self.server.counters().read().subscribers
    }

    /// Tells the server of so many messages more, whole commands. Says how many there were.
    pub(super) fn tell(&mut self, messages: usize) -> Result<usize> {
        let begun = Instant::now();
        let mut told = 0;
        while let Some(tick) = self.ticks.get(self.next) {
            let ends = !matches!(tick.kind, TickKind::Message { last: false });
            let mut tick = *tick;
            while let Err(PushError::Full(back)) = self.ring.push(tick) {
                if begun.elapsed() > PATIENCE {
                    bail!("the QUIC server takes nothing in");
                }
                tick = back;
                std::thread::sleep(Duration::from_micros(100));
            }
            self.next += 1;
            told += 1;
            if told >= messages && ends {
                break;
            }
        }
        Ok(told)
    }

    /// The number of the last message told.
    pub(super) fn last(&self) -> u64 {
        self.next
            .checked_sub(1)
            .and_then(|at| self.ticks.get(at))
            .map_or(0, |tick| tick.sequence)
    }

    /// Until everybody was told of everything.
    pub(super) fn read_all(&mut self) -> Result<()> {
        let begun = Instant::now();
        let last = self.last();
        while self.clients.iter().any(|one| one.told < last) || self.server.counters().read().sequence < last {
            if begun.elapsed() > PATIENCE {
                let least = self.clients.iter().map(|one| one.told).min();
                bail!("a QUIC subscriber was told up to {least:?} of {last} and no further");
            }
            if !self.read()? {
                std::thread::sleep(IDLE);
            }
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.clients.iter().map(|one| one.bytes).sum()
    }

    fn keys(&self) -> u64 {
        self.clients.iter().map(|one| one.keys).sum()
    }

    /// Nobody trades: what was executed is cancelled.
    fn without_trades(mut self) -> Self {
        for tick in &mut self.ticks {
            let (header, reference, shares) = match Itch::decode(tick.bytes()) {
                Ok(Itch::OrderExecuted(m)) => (m.header, m.reference, m.shares),
                Ok(Itch::OrderExecutedWithPrice(m)) => (m.header, m.reference, m.shares),
                _ => continue,
            };
            let (mut bytes, last) = (Vec::new(), tick.kind == TickKind::Message { last: true });
            let cancel = OrderCancel {
                header,
                reference,
                shares,
            };
            Itch::from(cancel).append_to(&mut bytes);
            *tick = Tick::message(tick.sequence, &bytes, last);
        }
        self
    }
}

/// The feed's messages as they come to the server.
fn ticks(course: &Course) -> Result<Vec<Tick>> {
    let mut publisher = Publisher::new(rialto_publisher::Config::default())?;
    let mut ticks = Vec::new();
    let mut next = SequenceNumber::FIRST;
    let mut session = None;
    for output in &course.outputs {
        publisher.follow(output);
        if publisher.session() != session {
            session = publisher.session();
            ticks.extend(session.map(Tick::session));
        }
        if output.last {
            next = publisher.copy(next, |tick| {
                ticks.push(tick);
                true
            });
        }
    }
    Ok(ticks)
}

/// CPU time so far of this process's QUIC thread, in nanoseconds.
fn quic_cpu_ns() -> Result<u64> {
    for task in std::fs::read_dir("/proc/self/task").context("this system tells no thread's CPU time")? {
        let path = task?.path();
        // Threads come and go while one looks.
        let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.trim() == "quic" {
            let spent = std::fs::read_to_string(path.join("schedstat"))?;
            let spent = spent.split_whitespace().next().context("an empty schedstat")?;
            return Ok(spent.parse()?);
        }
    }
    bail!("the QUIC thread is not there")
}

/// Joins so many and tells them of as much as is reasonable.
pub(super) fn told(course: &Course, subscribers: usize, conflated: bool) -> Result<Told> {
    let mut crowd = Crowd::open(course)?;
    crowd.tell(PRELUDE)?;
    let joined = crowd.join(subscribers, conflated)?;
    crowd.tell(1)?;
    crowd.read_all()?;
    let (cpu, bytes) = (quic_cpu_ns()?, crowd.bytes());
    let wanted = (BYTES / 40 / subscribers).clamp(2_000, 100_000);
    let mut messages = 0;
    while messages < wanted {
        let told = crowd.tell(500)?;
        if told == 0 {
            break;
        }
        messages += told;
        crowd.read()?;
    }
    crowd.read_all()?;
    let (cpu, bytes) = (quic_cpu_ns()? - cpu, crowd.bytes() - bytes);
    let each = cpu as f64 / 1_000.0 / subscribers as f64;
    Ok(Told {
        mode: if conflated { "conflated" } else { "full" },
        subscribers,
        messages: messages as u64,
        join_ms: joined.as_millis() as u64,
        cpu_us_per_1000_messages_per_subscriber: rounded(each * 1_000.0 / messages.max(1) as f64),
        cpu_us_per_1200_bytes: rounded(cpu as f64 / 1_000.0 * 1_200.0 / bytes.max(1) as f64),
        bytes_per_subscriber: bytes / subscribers as u64,
    })
}

/// Eight conflated subscribers at a tick rate, beside none at the same.
pub(super) fn paced(course: &Course, messages_per_second: u64, trades: bool) -> Result<Paced> {
    const SUBSCRIBERS: usize = 8;
    let mut spent = [0.0; 2];
    let (mut rate, mut bytes, mut keys) = (0.0, 0.0, 0.0);
    for (place, subscribers) in [0, SUBSCRIBERS].into_iter().enumerate() {
        let mut crowd = Crowd::open(course)?;
        if !trades {
            crowd = crowd.without_trades();
        }
        crowd.tell(PRELUDE)?;
        crowd.join(subscribers, true)?;
        crowd.tell(1)?;
        crowd.read_all()?;
        let (cpu, before, begun) = (quic_cpu_ns()?, (crowd.bytes(), crowd.keys()), Instant::now());
        let mut told = 0;
        while begun.elapsed() < PACED_TIME {
            let due = (begun.elapsed().as_secs_f64() * messages_per_second as f64) as u64;
            if due > told {
                told += crowd.tell((due - told) as usize)? as u64;
            }
            crowd.read()?;
            std::thread::sleep(Duration::from_millis(1));
        }
        let seconds = begun.elapsed().as_secs_f64();
        if let Some(spent) = spent.get_mut(place) {
            *spent = (quic_cpu_ns()? - cpu) as f64 / 1_000.0 / seconds;
        }
        rate = told as f64 / seconds;
        bytes = (crowd.bytes() - before.0) as f64 / seconds / SUBSCRIBERS as f64;
        keys = (crowd.keys() - before.1) as f64 / seconds / SUBSCRIBERS as f64;
    }
    let cpu_us = (spent[1] - spent[0]) / SUBSCRIBERS as f64;
    Ok(Paced {
        flow: if trades { "trades" } else { "book" },
        messages_per_second,
        told_per_second: rate as u64,
        subscribers: SUBSCRIBERS,
        cpu_us_per_second_per_subscriber: rounded(cpu_us),
        keys_per_second_per_subscriber: keys as u64,
        cpu_us_per_key: rounded(cpu_us / keys.max(1.0)),
        bytes_per_second_per_subscriber: bytes as u64,
    })
}
