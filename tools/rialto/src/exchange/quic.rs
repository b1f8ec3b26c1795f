//! The feed over QUIC beside the stages: a thread of its own behind a bounded ring, and who may come in.

use super::history::Asking;
use crate::config::Config;
use crate::deploy::Deployment;
use anyhow::Result;
use rialto_conflate::Interest;
use rialto_feed::FeedStage;
use rialto_itch::Stock;
use rialto_itch::mold::Session;
use rialto_members::{Desk, Password, Ticket, Verifier};
use rialto_model::{Clock, FaultKind};
use rialto_publisher::Tick;
use rialto_quic::{Certificate, Config as ServerConfig, Door, Entitlement, FeedRings, Server};
use rialto_ring::faults::{FaultBoard, FaultSight, StandingFault};
use rialto_ring::spsc::{Consumer, Producer, RingBuffer};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Messages between the feed and the QUIC thread; what finds no room stays in the feed's memory.
pub(crate) const RING: usize = 16_384;
/// The name of the judge of feeds, which is no session.
pub(crate) const PROBE: &str = "~judge";

/// Where the server is, and what it is known by.
#[derive(Clone, Debug)]
pub(crate) struct QuicAddress {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: PathBuf,
}

/// Who is let in beside the members, and who sends them on.
pub(crate) struct Who {
    /// The password of the judge of feeds, who may see everything: of the exchange's own making, and told to nobody else.
    pub(crate) secret: String,
    /// Asked whether another process tells a subscriber.
    pub(crate) sends_on: Option<Arc<Deployment>>,
    pub(crate) faults: FaultBoard,
}

/// A ring for the feed's messages.
pub(crate) fn ring() -> (Producer<Tick>, Consumer<Tick>) {
    RingBuffer::new(RING)
}

/// Opens the server where the configuration wants one, and taps the feed for it.
pub(super) fn open<C: Clock>(
    config: &Config,
    verifier: &Verifier,
    feed: &mut FeedStage<C>,
    history: Asking,
    who: Who,
) -> Result<Option<(Server, QuicAddress)>> {
    let (ring, taken) = ring();
    let served = serve(config, verifier, (taken, Some(history)), who)?;
    if served.is_some() {
        feed.tap(ring);
    }
    Ok(served)
}

/// Opens the server where the configuration wants one.
pub(crate) fn serve(
    config: &Config,
    verifier: &Verifier,
    (messages, history): (Consumer<Tick>, Option<Asking>),
    who: Who,
) -> Result<Option<(Server, QuicAddress)>> {
    let Some(quic) = &config.quic else { return Ok(None) };
    std::fs::create_dir_all(&config.data)?;
    let (certificate, key) = quic.files(&config.data);
    let shown = Certificate::load_or_make(&certificate, &key)?;
    let server = ServerConfig {
        listen: quic.listen,
        stale_max: Duration::from_secs(quic.stale_seconds),
        lag_max: quic.lag_max,
    };
    let rings = FeedRings { messages, history };
    let server = Server::start(server, &shown, Box::new(Members::new(config, verifier, who)), rings)?;
    let address = QuicAddress {
        address: server.address(),
        certificate,
    };
    Ok(Some((server, address)))
}

/// The members' sessions as the other doors know them: the same names, passwords and firms.
struct Members {
    desk: Desk,
    entitlements: BTreeMap<String, Entitlement>,
    /// Who asked under which ticket.
    asked: BTreeMap<u64, String>,
    faults: FaultSight,
    secret: String,
    sends_on: Option<Arc<Deployment>>,
    /// Tickets of the judge, which nobody has to be asked about.
    judges: VecDeque<u64>,
}

impl Members {
    fn new(config: &Config, verifier: &Verifier, who: Who) -> Self {
        let mut entitlements = BTreeMap::new();
        for firm in &config.firms {
            let stocks = firm.market_data.iter().filter_map(|symbol| Stock::new(symbol).ok());
            let instruments = match firm.market_data.is_empty() {
                true => Interest::All,
                false => Interest::Stocks(stocks.collect()),
            };
            for session in &firm.sessions {
                let entitlement = Entitlement {
                    firm: firm.name.clone(),
                    instruments: instruments.clone(),
                };
                entitlements.insert(session.name.to_ascii_uppercase(), entitlement);
            }
        }
        Self {
            desk: verifier.desk(),
            entitlements,
            asked: BTreeMap::new(),
            faults: FaultSight::new(who.faults, &[FaultKind::StalledSubscriber]),
            secret: who.secret,
            sends_on: who.sends_on,
            judges: VecDeque::new(),
        }
    }
}

impl Door for Members {
    fn ask(&mut self, user: &str, password: &str, ticket: u64) -> bool {
        if user == PROBE && password == self.secret {
            self.judges.push_back(ticket);
            return true;
        }
        // A blank password is no password, and is answered like a wrong one.
        let password = Password::new(password.as_bytes()).or_else(|_| Password::new(b"\0"));
        let Ok(password) = password else { return false };
        if self.desk.ask(user.as_bytes(), password, Ticket(ticket)).is_err() {
            return false;
        }
        self.asked.insert(ticket, user.to_ascii_uppercase());
        true
    }

    fn poll(&mut self) -> Option<(u64, Option<Entitlement>)> {
        if let Some(ticket) = self.judges.pop_front() {
            let entitlement = Entitlement {
                firm: PROBE.to_owned(),
                instruments: Interest::All,
            };
            return Some((ticket, Some(entitlement)));
        }
        let answer = self.desk.poll()?;
        let user = self.asked.remove(&answer.ticket.0);
        let entitlement = user
            .filter(|_| answer.granted)
            .and_then(|user| self.entitlements.get(&user));
        Some((answer.ticket.0, entitlement.cloned()))
    }

    fn elsewhere(&mut self, user: &str) -> Option<u16> {
        let deployment = self.sends_on.as_ref()?;
        let user = user.to_ascii_uppercase();
        let firm = &self.entitlements.get(&user)?.firm;
        deployment.tells_elsewhere(&user, firm)
    }

    fn is_misled(&mut self, user: &str, session: Session, next: u64) -> bool {
        let user = user.to_ascii_uppercase();
        let deployment = self.sends_on.as_ref();
        deployment.is_some_and(|one| one.is_misled(&user, session, next))
    }

    fn is_stalled(&mut self, user: &str) -> bool {
        self.faults.look();
        let is_of = |one: &&StandingFault| {
            one.session.is_empty() || one.session.as_bytes().eq_ignore_ascii_case(user.as_bytes())
        };
        let stalled = self.faults.faults().iter().find(is_of);
        stalled.inspect(|one| one.strike()).is_some()
    }
}
