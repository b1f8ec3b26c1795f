//! Who listens: a subscriber of the judge's at the exchange's own feed, at the candidate's and at the baseline's, so that what is
//! compared is what really leaves.
//!
//! One thread while a candidate is there, nicer than the path of an order. It compares and measures; what follows from it is
//! [`feeds`](super::feeds)' to do.

use super::Deployment;
use super::attention::Attention;
use super::compare::{Comparison, Heard, Wrong};
use crate::exchange::PROBE;
use rialto_itch::mold::{Packet, Session};
use rialto_quic::frames::{Login, Mode, ServerFrame, Start};
use rialto_quic::{Client, Reactor, Trust};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often it looks.
const LOOK: Duration = Duration::from_micros(500);
/// How long a feed may refuse to be heard, and how often it is tried.
const JOIN_MAX: Duration = Duration::from_secs(30);
const JOIN_AGAIN: Duration = Duration::from_millis(50);
/// How many times it may have been read too late itself, of all feeds together: it goes on behind what it has.
const RESUMED_MAX: u32 = 16;
const NOT_READ: &str = "it was not read in time";

/// Where the exchange's own feed is, and how the judge comes in.
#[derive(Clone, Debug)]
pub(crate) struct OwnFeed {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: PathBuf,
    /// The judge's password, of this process's own making.
    pub(crate) secret: String,
    /// What a feed in another process has to know, as JSON.
    pub(crate) settings: String,
}

/// Listens until the candidate of this arrival is gone, or wrong.
pub(super) fn spawn(deployment: &Arc<Deployment>, generation: u64) -> std::io::Result<()> {
    let deployment = Arc::clone(deployment);
    let thread = std::thread::Builder::new().name("feed judge".to_owned());
    thread.spawn(move || {
        rialto_ring::layout::beside_the_path();
        let wrong = Listener::new(&deployment).and_then(|mut listener| {
            while deployment.listens_to(generation) {
                if listener.turn(&deployment)? == 0 {
                    std::thread::sleep(LOOK);
                }
            }
            Ok(())
        });
        if let Err(wrong) = wrong {
            deployment.feed_is_wrong(generation, &wrong);
        }
    })?;
    Ok(())
}

/// One subscriber of the judge's, and since when it has tried to be one.
#[derive(Default)]
struct Ear {
    client: Option<Client>,
    port: Option<u16>,
    tried: Option<(Duration, Duration)>,
}

struct Listener {
    reactor: Reactor,
    trust: Trust,
    feed: OwnFeed,
    own: Client,
    ears: [Ear; 2],
    comparison: Comparison,
    resumed: u32,
    /// Its clock: what nobody looked at is no silence and no delay of anybody's.
    attention: Attention,
}

impl Listener {
    fn new(deployment: &Deployment) -> Result<Self, Wrong> {
        let missing = |why: &dyn std::fmt::Display| Wrong::missing(format!("missing data: own feed: {why}"));
        let feed = deployment.own_feed().map_err(|error| missing(&error))?.clone();
        let pem = std::fs::read_to_string(&feed.certificate).map_err(|error| missing(&error))?;
        let name = "localhost".to_owned();
        let trust = Trust { pem, name };
        let reactor = Reactor::new().map_err(|error| missing(&error))?;
        let login = login(&feed, Start::Snapshot);
        let own = Client::connect_on(&reactor, here(feed.address.ip(), feed.address.port()), &trust, &login);
        Ok(Self {
            own: own.map_err(|error| missing(&error))?,
            reactor,
            trust,
            feed,
            ears: <[Ear; 2]>::default(),
            comparison: Comparison::default(),
            resumed: 0,
            attention: Attention::begin(),
        })
    }

    /// Takes in what has come and compares it. Returns how much that was.
    fn turn(&mut self, deployment: &Deployment) -> Result<usize, Wrong> {
        self.reactor.turn();
        let now = self.attention.look();
        let now_ns = now.as_nanos() as u64;
        let comparison = &mut self.comparison;
        let mut ended = false;
        let polled = self.own.ready(&mut |frame| match frame {
            ServerFrame::SnapshotBegins { session, number } => comparison.begin(session, number + 1),
            // What comes behind that is no full depth.
            ServerFrame::Mode { full: false, .. } => ended = true,
            frame if !ended => each(frame, now_ns, |heard| comparison.own(heard)),
            _ => {}
        });
        let own = |why: &dyn std::fmt::Display| Wrong::missing(format!("missing data: own feed: {why}"));
        let mut moved = polled.map_err(|error| own(&error))?;
        if ended {
            let behind = self.comparison.told().map(|(session, number)| (session, number + 1));
            self.own = self
                .resume(self.feed.address.port(), behind)
                .map_err(|error| own(&error))?;
        }
        for place in 0..self.ears.len() {
            self.attend(deployment, place, now)?;
            moved += self.hear(place, now_ns).or_else(|wrong| match place {
                0 => Err(wrong),
                // Without a measure there is no verdict of cost: that is found when it is judged.
                _ => {
                    self.comparison.leave(place);
                    self.ears[place].client = None;
                    Ok(0)
                }
            })?;
            let windows = self.comparison.take_windows(place);
            let heard = (self.comparison.compared(place), &windows[..]);
            deployment.heard(place, heard, self.comparison.told());
        }
        self.comparison.forget();
        Ok(moved)
    }

    /// Comes in where a feed has come, and leaves one that has gone.
    fn attend(&mut self, deployment: &Deployment, place: usize, now: Duration) -> Result<(), Wrong> {
        let port = deployment.port_of(place);
        let ear = &mut self.ears[place];
        if ear.port != port {
            *ear = Ear { port, ..Ear::default() };
            self.comparison.leave(place);
        }
        let Some(port) = port.filter(|_| ear.client.is_none()) else {
            return Ok(());
        };
        let since = match ear.tried {
            Some((_, last)) if now - last < JOIN_AGAIN => return Ok(()),
            Some((since, _)) => since,
            None => now,
        };
        ear.tried = Some((since, now));
        let Some((session, next)) = self.comparison.join(place) else {
            return Ok(());
        };
        let login = login(&self.feed, Start::At { session, next });
        let there = here(self.feed.address.ip(), port);
        match Client::connect_on(&self.reactor, there, &self.trust, &login) {
            Ok(client) => ear.client = Some(client),
            Err(error) => {
                self.comparison.leave(place);
                if now - since > JOIN_MAX && place == 0 {
                    return Err(Wrong::missing(format!("missing data: {error}")));
                }
            }
        }
        Ok(())
    }

    fn hear(&mut self, place: usize, now_ns: u64) -> Result<usize, Wrong> {
        let Some(client) = &mut self.ears[place].client else {
            return Ok(0);
        };
        let comparison = &mut self.comparison;
        let mut ended = false;
        let polled = client.ready(&mut |frame| match frame {
            ServerFrame::Mode { full: false, .. } => ended = true,
            frame if !ended => each(frame, now_ns, |heard| comparison.other(place, heard)),
            _ => {}
        });
        // What came before the end may say more than the end.
        comparison.compare(place, now_ns)?;
        let missing = |error: &dyn std::fmt::Display| Wrong::missing(format!("missing data: {error}"));
        let moved = polled.map_err(|error| missing(&error))?;
        if let Some(port) = self.ears[place].port.filter(|_| ended) {
            let behind = self.comparison.wanted(place);
            let client = self.resume(port, behind).map_err(|error| missing(&error))?;
            self.ears[place].client = Some(client);
        }
        Ok(moved)
    }

    /// Comes in again at a feed that it has read too late, behind what it has heard: the machine may be slow, and nothing is left out.
    fn resume(&mut self, port: u16, behind: Option<(Session, u64)>) -> Result<Client, String> {
        self.resumed += 1;
        let (session, next) = behind.filter(|_| self.resumed <= RESUMED_MAX).ok_or(NOT_READ)?;
        let login = login(&self.feed, Start::At { session, next });
        let there = here(self.feed.address.ip(), port);
        Client::connect_on(&self.reactor, there, &self.trust, &login).map_err(|error| error.to_string())
    }
}

/// The messages of a packet.
fn each(frame: ServerFrame<'_>, at_ns: u64, mut take: impl FnMut(Heard)) {
    let ServerFrame::Packet(bytes) = frame else { return };
    let Ok(packet) = Packet::parse(bytes) else {
        // Of no session, and so equal to nothing.
        return take(Heard {
            session: Session([0; 10]),
            number: 0,
            bytes: bytes.to_vec(),
            at_ns,
        });
    };
    for (number, bytes) in packet.blocks() {
        take(Heard {
            session: packet.session(),
            number: number.0,
            bytes: bytes.to_vec(),
            at_ns,
        });
    }
}

fn login(feed: &OwnFeed, start: Start) -> Login {
    Login {
        user: PROBE.to_owned(),
        password: feed.secret.clone(),
        mode: Mode::Full,
        start,
        stocks: Vec::new(),
    }
}

/// A socket that is bound to every address is at this machine's own.
const fn here(ip: IpAddr, port: u16) -> SocketAddr {
    let ip = match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, port)
}
