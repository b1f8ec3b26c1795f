//! Where stages are put together: with doors on threads ([`Exchange`]), or without on one ([`pipeline`]).

pub(crate) mod core;
pub(crate) mod followers;
mod glimpse;
mod history;
pub(crate) mod pipeline;
pub(crate) mod quic;
mod runaway;
pub(crate) mod stages;
pub(crate) mod store;
mod threads;

use self::core::{Core, DOOR_RING, EVENT_RING, Ended, INPUT_RING, JournalConfig, Rebuilt};
use self::followers::{FollowAddress, Followers};
use crate::announce::Sent;
use crate::ask::World;
use crate::config::{Config, FeedConfig as FeedSettings};
use crate::definitions;
use crate::deploy::{Deployment, OwnFeed, Reception};
use crate::edge::Edge;
use crate::retention;
use anyhow::{Context as _, Result, bail, ensure};
use crossbeam_channel::Receiver;
pub(crate) use quic::PROBE;
use rialto_client::FeedAddresses;
use rialto_feed::{Config as FeedConfig, CountersHandle as FeedCounters, FeedStage, Progress};
use rialto_gateway::{
    Counters as DoorCounters, DoorConfig, DoorControl, FirmBudgets, FirmPorts, FixConfig, FixDoor, GuardConfig,
    OuchConfig, OuchDoor, Parts, Rate, Say, SessionSettings, Throttles,
};
use rialto_journal::Frontier;
use rialto_members::Verifier;
use rialto_model::{Actor, Clock, Command, Output, SequenceNumber, Text, TradingDay, VenueId};
use rialto_ring::broadcast::{Reader, broadcast};
use rialto_ring::spsc::{Producer, RingBuffer};
use rialto_ring::{FaultBoard, Idle, Layout, Stop, SystemClock};
use rialto_sequencer::{Standing, StandingHandle};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Operator's commands that wait for the controlling thread; one more is refused.
const OPERATIONS: usize = 64;
/// Lines for people between the doors and the terminal; more are lost and counted.
const LINES: usize = 256;
/// How long the opening commands may take to become safe.
const OPENING_MAX: Duration = Duration::from_secs(30);
/// The longest sleep of a parked thread.
const PARK_MAX: Duration = Duration::from_micros(500);

/// Where everything is to be found once the exchange is open.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) ouch: SocketAddr,
    pub(crate) fix: SocketAddr,
    /// What FIX clients name as TargetCompID.
    pub(crate) fix_comp_id: String,
    pub(crate) feed: FeedAddresses,
    pub(crate) quic: Option<quic::QuicAddress>,
    pub(crate) glimpse: Option<SocketAddr>,
    pub(crate) follow: Option<FollowAddress>,
}

/// An exchange that is open and not running yet.
pub(crate) struct Exchange {
    core: Core<SystemClock>,
    ouch: OuchDoor<SystemClock>,
    fix: FixDoor<SystemClock>,
    feed: FeedStage<SystemClock>,
    quic: Option<rialto_quic::Server>,
    glimpse: Option<rialto_glimpse::Server>,
    controls: Controls,
    layout: Layout,
    idle: Idle,
    followers: Followers,
    _verifier: Verifier,
}

/// What the controlling thread holds while the stages run on theirs.
pub(crate) struct Controls {
    venue: Venue,
    deployment: Arc<Deployment>,
    doors: [DoorControl; 2],
    room: RoomWatch,
    pub(crate) stop: Stop,
    pub(crate) addresses: Addresses,
    pub(crate) ouch: Arc<DoorCounters>,
    pub(crate) fix: Arc<DoorCounters>,
    pub(crate) feed: FeedCounters,
    /// How far the feed is.
    pub(crate) progress: Progress,
    /// What the doors have to say to people.
    pub(crate) lines: Receiver<String>,
    operations: Receiver<Command>,
    /// Answers questions about this exchange.
    pub(crate) world: Arc<World>,
    /// What the QUIC server counts.
    pub(crate) quic: Option<rialto_quic::CountersHandle>,
    /// The day that is open.
    pub(crate) day: TradingDay,
    /// What recovery had to say, if anything.
    pub(crate) recovered: Option<String>,
    /// The last of the opening commands.
    opening: SequenceNumber,
}

/// The way of the venue's own commands into the stream, for the threads that have some; all clones are one.
#[derive(Clone)]
pub(crate) struct Venue {
    ring: Arc<Mutex<Producer<Command>>>,
    stop: Stop,
}

impl Venue {
    /// Whether there was room for it.
    pub(crate) fn fits(&self, command: Command) -> bool {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.push(command).is_ok()
    }

    /// They are few: waits for room.
    pub(crate) fn sequence(&self, command: Command) -> Result<()> {
        while !self.fits(command) {
            if let Some(failure) = self.stop.failure() {
                bail!("{failure}");
            }
            std::thread::sleep(PARK_MAX);
        }
        Ok(())
    }
}

/// What the venue takes by its journal's room, as the doors were last told.
struct RoomWatch {
    standing: StandingHandle,
    frontier: Frontier,
    told: Standing,
}

impl Controls {
    /// Closes the doors for as long as the journal has no room for what comes by them, and says what changed.
    pub(crate) fn heed_room(&mut self) -> Option<String> {
        let now = self.room.standing.read();
        let before = std::mem::replace(&mut self.room.told, now);
        if now == before {
            return None;
        }
        for door in &self.doors {
            door.suspend(now == Standing::Closed);
        }
        let why = self.room.frontier.reserve_problem().unwrap_or_default();
        Some(match now {
            Standing::Open => "the journal's reserve is whole again: everything is taken".to_owned(),
            Standing::CancelOnly => format!("the journal runs out of room, only cancels are taken: {why}"),
            Standing::Closed => format!("the journal has no room left, sessions are closed until there is: {why}"),
        })
    }

    /// Ends the open day and opens `today`, where that is a later one.
    pub(crate) fn roll_to(&mut self, today: TradingDay) -> Result<()> {
        if today > self.day {
            let start = rialto_model::command::StartOfDay {
                day: today,
                midnight: today.midnight_utc(),
            };
            self.sequence(rialto_model::command::EndOfDay {}.into())?;
            self.sequence(start.into())?;
            self.day = today;
        }
        Ok(())
    }

    /// Sequences what operators have asked for.
    pub(crate) fn operate(&mut self) -> Result<()> {
        while let Ok(command) = self.operations.try_recv() {
            self.sequence(command)?;
        }
        Ok(())
    }

    /// Sequences an act of the venue's own under a name and a reason, as an operator's is.
    pub(crate) fn act(&self, command: Command, who: &str, why: &str) -> Result<()> {
        let actor = Actor::new(who).context("this is no name of who acts")?;
        let why = Text::new(why.as_bytes()).context("the reason is too long")?;
        self.sequence(command.act(actor, why).into())?;
        self.sequence(command)
    }

    fn sequence(&self, command: Command) -> Result<()> {
        self.venue.sequence(command)
    }

    /// Waits until the opening commands are safe: who is told that the exchange is open may ask for what they define. Where
    /// they do not become safe in time the exchange goes on, and those who ask are told what is missing.
    fn await_opening(&self) {
        let begun = Instant::now();
        let is_open = || self.room.frontier.released_up_to().1 >= self.opening;
        while !is_open() && self.stop.failure().is_none() && begun.elapsed() < OPENING_MAX {
            std::thread::sleep(PARK_MAX);
        }
    }

    /// Ends what follows beside the stages and waits for them in turn, then says goodbye to every session and waits until the stream knows of it.
    fn close_doors(&self) {
        self.deployment.close();
        for door in &self.doors {
            door.close();
        }
        while self.stop.failure().is_none() && !self.doors.iter().all(DoorControl::is_closed) {
            std::thread::sleep(PARK_MAX);
        }
    }
}

impl Exchange {
    /// Recovers what is there, opens the doors, and leaves the opening commands in the first ring: the loss of every
    /// session that was up, what the configuration defines anew, and `today`.
    pub(crate) fn open(config: &Config, verifier: Verifier, today: TradingDay) -> Result<Self> {
        let stop = Stop::new();
        let clock = SystemClock::behind(config.clock_behind_ns);
        let venue = VenueId(config.venue);
        let layout: Layout = config.layout.parse()?;
        let idle = idle(&config.idle)?;
        let mut journal = JournalConfig::new(&config.data, venue, &config.durability, config.segment_bytes)?;
        journal.journal.bytes_max = config.journal_bytes_max;
        if let Some(retention) = &config.retention {
            retention::prepare(&config.data, retention)?;
        }
        let (say, lines) = Say::channel(LINES);
        let (operate, operations) = crossbeam_channel::bounded(OPERATIONS);

        let (event_in, gate, readers) = broadcast(EVENT_RING, 4);
        let [ouch_reader, fix_reader, feed_reader, hash_reader] = <[Reader<Output>; 4]>::try_from(readers)
            .ok()
            .context("four readers were asked for")?;
        let (venue_in, venue_out) = RingBuffer::new(INPUT_RING);
        let venue_in = Venue {
            ring: Arc::new(Mutex::new(venue_in)),
            stop: stop.clone(),
        };
        let bound = config.candidate_wait();
        let (deployment, testimony) = Deployment::new(venue_in.clone(), bound);
        let (ouch_in, ouch_out) = RingBuffer::new(DOOR_RING);
        let (fix_in, fix_out) = RingBuffer::new(DOOR_RING);

        let (budgets, ports) = (FirmBudgets::default(), FirmPorts::default());
        let parts = |commands, outputs| Parts {
            clock,
            budgets: budgets.clone(),
            ports: ports.clone(),
            commands,
            outputs,
            desk: verifier.desk(),
            say: say.clone(),
        };
        let mut ouch = OuchDoor::open(ouch_config(config), parts(ouch_in, ouch_reader))?;
        let mut fix = FixDoor::open(fix_config(config), parts(fix_in, fix_reader))?;
        ouch.set_front(Box::new(Reception(Arc::clone(&deployment))));
        fix.set_front(Box::new(Reception(Arc::clone(&deployment))));
        let heartbeat_ms = Edge::open(&config.data)?.count("feed.heartbeat-ms");
        let feed_config = FeedConfig {
            heartbeat_ns: heartbeat_ms * 1_000_000,
            ..feed_config(&config.feed)
        };
        let mut feed = FeedStage::new(&feed_config, feed_reader, clock)?;

        let (asking, feed_desk) = history::desk();
        feed.history(asking.0, asking.1);
        let (asking, quic_desk) = history::desk();
        let faults = FaultBoard::default();
        ouch.set_faults(faults.clone());
        fix.set_faults(faults.clone());
        feed.set_faults(faults.clone());
        let who = quic::Who {
            secret: secret()?,
            sends_on: Some(Arc::clone(&deployment)),
            faults: faults.clone(),
        };
        let secret = who.secret.clone();
        let quic = quic::open(config, &verifier, &mut feed, asking, who)?;
        let (quic, quic_address) = quic.unzip();
        if let Some(quic) = &quic_address {
            let config = config.of_feeds();
            deployment.has_own_feed(OwnFeed {
                address: quic.address,
                certificate: quic.certificate.clone(),
                secret: secret.clone(),
                settings: serde_json::to_string(&crate::feed::Brief { config, secret })?,
            })?;
        }
        let glimpse = glimpse::open(config, &verifier, &mut feed)?;

        let rebuilt = Rebuilt::open(&journal, |output| {
            ouch.replay(output);
            fix.replay(output);
            feed.replay(output);
            deployment.replay(output);
        })?;
        let (pens, stage_thread) = stages::open(clock, rebuilt.recovery().last_seq);
        let [of_ouch, of_fix] = pens.doors;
        ouch.set_marks(of_ouch);
        fix.set_marks(of_fix);
        feed.set_marks(pens.feed);
        let state = rebuilt.state();
        crate::ask::fault::show(&faults, &state);
        let recovered = recovery_line(&rebuilt);
        let mut opening = rebuilt.recovery().last_seq;
        let defined = definitions::opening(&state, config, today)?;
        for command in deployment.opening().into_iter().chain(defined) {
            opening = opening.next();
            ensure!(
                venue_in.fits(command),
                "the configuration defines more than one ring of commands holds"
            );
        }
        let inputs = vec![venue_out, ouch_out, fix_out];
        let other = Some((deployment.word(), testimony));
        let core = Core::assemble(rebuilt, inputs, (event_in, gate, hash_reader), clock, &stop, other)?
            .with_faults(&faults)
            .marking(pens.core);
        let standing = core.sequencer.standing();
        let followers = Followers::start(
            config,
            (&core.frontier, &standing),
            (faults, operate, ports.clone()),
            stage_thread,
            vec![feed_desk, quic_desk],
            &deployment,
            &say,
        )?;
        let addresses = Addresses {
            follow: followers.follow().cloned(),
            ouch: ouch.address(),
            fix: fix.address(),
            fix_comp_id: config.fix.comp_id.clone(),
            feed: feed_addresses(&feed, config.feed.interface),
            quic: quic_address,
            glimpse: glimpse.as_ref().map(rialto_glimpse::Server::address),
        };
        let controls = Controls {
            venue: venue_in,
            deployment,
            doors: [ouch.control(), fix.control()],
            room: RoomWatch {
                standing,
                frontier: core.frontier.clone(),
                told: Standing::Open,
            },
            stop: stop.clone(),
            addresses,
            ouch: ouch.counters(),
            fix: fix.counters(),
            feed: feed.counters(),
            progress: feed.progress(),
            lines,
            operations,
            world: followers.world(),
            quic: quic.as_ref().map(rialto_quic::Server::counters),
            day: today.max(state.day),
            recovered,
            opening,
        };
        Ok(Self {
            core,
            ouch,
            fix,
            feed,
            quic,
            glimpse,
            controls,
            layout,
            idle,
            followers,
            _verifier: verifier,
        })
    }

    /// Runs the stages on their threads while `control` runs on this one; when it returns, closes the doors, drains every
    /// ring, seals the journal and says where it all ended.
    pub(crate) fn run(mut self, control: impl FnOnce(&mut Controls) -> Result<()>) -> Result<(Ended, Sent)> {
        let stages = threads::Stages {
            ouch: &mut self.ouch,
            fix: &mut self.fix,
            core: &mut self.core,
            feed: &mut self.feed,
        };
        let controls = &mut self.controls;
        let stop = controls.stop.clone();
        let controlled = threads::run(stages, self.layout, self.idle, &stop, || {
            controls.await_opening();
            let controlled = control(controls);
            // What was asked for while it looked elsewhere, as the record of a process that was refused.
            let controlled = controlled.and_then(|value| controls.operate().map(|()| value));
            controls.close_doors();
            controlled
        });
        // Whatever was released is in the journal, so that who follows it outside can have all of it before it ends.
        drop(self.followers);
        drop(self.glimpse);
        if let Some(quic) = &mut self.quic {
            quic.stop();
        }
        if let Some(failure) = stop.failure() {
            bail!("{failure}");
        }
        controlled?;
        let sent = Sent {
            soup_packets: self.controls.ouch.read().frames_out,
            fix_messages: self.controls.fix.read().frames_out,
            mold_packets: datagrams(&self.controls.feed),
        };
        Ok((self.core.close()?, sent))
    }
}

/// MoldUDP64 datagrams that left: both lines and the answers to requests.
pub(crate) fn datagrams(feed: &FeedCounters) -> u64 {
    let counters = feed.read();
    counters.datagrams_a + counters.datagrams_b + counters.answers
}

fn recovery_line(rebuilt: &Rebuilt) -> Option<String> {
    let recovery = rebuilt.recovery();
    let cut = recovery.cut.as_ref().map(ToString::to_string);
    (recovery.last_seq.0 > 0).then(|| {
        let found = format!("recovered up to sequence number {}", recovery.last_seq);
        cut.map_or(found.clone(), |cut| format!("{found}; {cut}"))
    })
}

fn idle(name: &str) -> Result<Idle> {
    match name {
        "spin" => Ok(Idle::Spin),
        "yield" => Ok(Idle::Yield),
        "park" => Ok(Idle::Park { max: PARK_MAX }),
        other => bail!("no idle strategy is called {other:?}: use spin, yield or park"),
    }
}

/// Today in UTC.
pub(crate) fn today() -> TradingDay {
    TradingDay::of(SystemClock::new().now())
}

pub(crate) fn ouch_config(config: &Config) -> OuchConfig {
    let mut ouch = OuchConfig::new(config.ouch.listen);
    settings(config, "ouch", &mut ouch.door);
    ouch
}

pub(crate) fn fix_config(config: &Config) -> FixConfig {
    let mut fix = FixConfig::new(config.fix.listen);
    fix.comp_id.clone_from(&config.fix.comp_id);
    settings(config, "fix", &mut fix.door);
    fix
}

/// What holds for each session that comes by this door.
fn settings(config: &Config, name: &str, door: &mut DoorConfig) {
    door.guard = config.logon_guard.then(GuardConfig::default);
    door.connections_max = config.connections_max;
    for firm in &config.firms {
        let own = if name == "ouch" {
            firm.ports.ouch
        } else {
            firm.ports.fix
        };
        door.ports.extend(own.map(|at| (firm.mpid.clone(), at)));
    }
    let sessions = config
        .firms
        .iter()
        .flat_map(|firm| &firm.sessions)
        .filter(|session| session.door == name);
    for session in sessions {
        let own = SessionSettings {
            cancel_on_disconnect: session.cancel_on_disconnect,
            reconnect_after_ns: u64::from(session.reconnect_after_seconds) * 1_000_000_000,
            throttles: Throttles {
                orders: Rate {
                    per_second: session.orders_per_second,
                    burst: session.orders_burst,
                },
                cancels: Rate {
                    per_second: session.cancels_per_second,
                    burst: session.cancels_burst,
                },
            },
            drop_copy: session.drop_copy,
            reset_on_logon: session.reset_on_logon,
            no_password: session.no_password,
        };
        door.settings.insert(session.name.clone(), own);
    }
}

/// Packet size and memory of whoever makes the feed's messages.
pub(crate) fn publisher_config(settings: &FeedSettings) -> rialto_publisher::Config {
    rialto_publisher::Config {
        store_bytes_max: settings.memory_bytes,
        ..rialto_publisher::Config::default()
    }
}

/// A password that nobody can guess.
fn secret() -> Result<String> {
    let mut bytes = [0; 16];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn feed_config(settings: &FeedSettings) -> FeedConfig {
    FeedConfig {
        line_a: settings.line_a,
        line_b: Some(settings.line_b),
        interface: settings.interface,
        ttl: settings.ttl,
        rerequest: settings.rerequest,
        entitled: settings.entitled.iter().copied().map(Into::into).collect(),
        segmented: settings.segmented,
        flush_ns: settings.flush_us.saturating_mul(1_000),
        publisher: publisher_config(settings),
        ..FeedConfig::default()
    }
}

fn feed_addresses<C: Clock>(feed: &FeedStage<C>, interface: Ipv4Addr) -> FeedAddresses {
    FeedAddresses {
        line_a: feed.line_a(),
        line_b: feed.line_b(),
        rerequest: Some(feed.rerequest()),
        interface,
    }
}
