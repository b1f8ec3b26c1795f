//! The QUIC thread: its CPU time for so many subscribers, told everything or conflated, and by tick rate.

use super::load::Course;
use crate::bench::timing::rounded;
use anyhow::{Context as _, Result, bail};
use rialto_conflate::{Depth, Interest, Pace};
use rialto_itch::mold::{Packet, SequenceNumber, Session};
use rialto_publisher::{Publisher, Tick, TickKind};
use rialto_quic::frames::{Login, Mode, ServerFrame, Start};
use rialto_quic::{Certificate, Client, Config, Door, Entitlement, Server, SubscriberCounters, Trust};
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
/// How long each tick rate is kept up.
const PACED_TIME: Duration = Duration::from_secs(2);

/// What telling costs.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Told {
    mode: &'static str,
    subscribers: usize,
    messages: u64,
    /// CPU time of the QUIC thread for 1,000 messages of the feed and one subscriber.
    cpu_us_per_1000_messages_per_subscriber: f64,
    /// The same for 1,200 bytes told.
    cpu_us_per_1200_bytes: f64,
    bytes_per_subscriber: u64,
}

/// What conflation costs at a tick rate.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Paced {
    messages_per_second: u64,
    subscribers: usize,
    /// CPU time in a second for a subscriber, what the server takes without any taken off.
    cpu_us_per_second_per_subscriber: f64,
    bytes_per_second_per_subscriber: u64,
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
    pub(super) clients: Vec<Listener>,
    ticks: Vec<Tick>,
    next: usize,
}

pub(super) struct Listener {
    pub(super) client: Client,
    told: u64,
    bytes: u64,
}

impl Listener {
    /// Everything up to this number was told.
    pub(super) const fn told(&self) -> u64 {
        self.told
    }

    pub(super) fn poll(&mut self, time: Duration) -> Result<()> {
        let (told, bytes) = (&mut self.told, &mut self.bytes);
        self.client.poll(time, &mut |frame| match frame {
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
                // `U` and `H` state how far they go.
                let at = match message.first() {
                    Some(b'U') => 12,
                    Some(b'H') => 1,
                    _ => return,
                };
                let number = message.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
                *told = (*told).max(number.map_or(0, u64::from_be_bytes));
            }
            _ => {}
        })?;
        Ok(())
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
            clients: Vec::new(),
            ticks: ticks(course)?,
            next: 0,
        })
    }

    pub(super) fn join(&mut self, conflated: bool) -> Result<()> {
        let listener = self.listener("bench", conflated)?;
        self.clients.push(listener);
        Ok(())
    }

    /// One more, of full depth, who is not among those that are read.
    pub(super) fn another(&self, user: &str) -> Result<Listener> {
        self.listener(user, false)
    }

    /// Where to log in, and how, for who does it again and again.
    pub(super) fn entrance(&self, user: &str) -> (SocketAddr, Trust, Login) {
        (self.server.address(), self.trust.clone(), Self::login(user, false))
    }

    fn listener(&self, user: &str, conflated: bool) -> Result<Listener> {
        let login = Self::login(user, conflated);
        let client = Client::connect(self.server.address(), &self.trust, &login)?;
        Ok(Listener {
            client,
            told: 0,
            bytes: 0,
        })
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
            if self.clients.is_empty() {
                std::thread::sleep(Duration::from_millis(1));
            }
            for one in self.clients.iter_mut().filter(|one| one.told < last) {
                one.poll(Duration::from_micros(200))?;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.clients.iter().map(|one| one.bytes).sum()
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
    for _ in 0..subscribers {
        crowd.join(conflated)?;
        // Whoever came before must not be idle for long.
        for one in &mut crowd.clients {
            one.poll(Duration::ZERO)?;
        }
    }
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
        for one in &mut crowd.clients {
            one.poll(Duration::ZERO)?;
        }
    }
    crowd.read_all()?;
    let (cpu, bytes) = (quic_cpu_ns()? - cpu, crowd.bytes() - bytes);
    let each = cpu as f64 / 1_000.0 / subscribers as f64;
    Ok(Told {
        mode: if conflated { "conflated" } else { "full" },
        subscribers,
        messages: messages as u64,
        cpu_us_per_1000_messages_per_subscriber: rounded(each * 1_000.0 / messages.max(1) as f64),
        cpu_us_per_1200_bytes: rounded(cpu as f64 / 1_000.0 * 1_200.0 / bytes.max(1) as f64),
        bytes_per_subscriber: bytes / subscribers as u64,
    })
}

/// Eight conflated subscribers at a tick rate, beside none at the same.
pub(super) fn paced(course: &Course, messages_per_second: u64) -> Result<Paced> {
    const SUBSCRIBERS: usize = 8;
    let mut spent = [0.0; 2];
    let mut bytes = 0;
    for (place, subscribers) in [0, SUBSCRIBERS].into_iter().enumerate() {
        let mut crowd = Crowd::open(course)?;
        crowd.tell(PRELUDE)?;
        for _ in 0..subscribers {
            crowd.join(true)?;
        }
        crowd.tell(1)?;
        crowd.read_all()?;
        let (cpu, before, begun) = (quic_cpu_ns()?, crowd.bytes(), Instant::now());
        let mut told = 0;
        while begun.elapsed() < PACED_TIME {
            let due = (begun.elapsed().as_secs_f64() * messages_per_second as f64) as u64;
            if due > told {
                told += crowd.tell((due - told) as usize)? as u64;
            }
            for one in &mut crowd.clients {
                one.poll(Duration::ZERO)?;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let seconds = begun.elapsed().as_secs_f64();
        if let Some(spent) = spent.get_mut(place) {
            *spent = (quic_cpu_ns()? - cpu) as f64 / 1_000.0 / seconds;
        }
        bytes = ((crowd.bytes() - before) as f64 / seconds) as u64;
    }
    Ok(Paced {
        messages_per_second,
        subscribers: SUBSCRIBERS,
        cpu_us_per_second_per_subscriber: rounded((spent[1] - spent[0]) / SUBSCRIBERS as f64),
        bytes_per_second_per_subscriber: bytes / SUBSCRIBERS as u64,
    })
}
