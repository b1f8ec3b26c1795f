//! The feed over QUIC beside the stages: a thread of its own behind a bounded ring, and who may come in.

use super::history::Asking;
use crate::config::{Config, QuicConfig};
use anyhow::Result;
use rialto_conflate::Interest;
use rialto_feed::FeedStage;
use rialto_itch::Stock;
use rialto_members::{Desk, Password, Ticket, Verifier};
use rialto_model::{Clock, FaultKind};
use rialto_quic::{Certificate, Config as ServerConfig, Door, Entitlement, FeedRings, Server};
use rialto_ring::faults::{FaultBoard, FaultSight, StandingFault};
use rialto_ring::spsc::RingBuffer;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Messages between the feed and the QUIC thread; what finds no room stays in the feed's memory.
const RING: usize = 16_384;

/// Where the server is, and what it is known by.
#[derive(Clone, Debug)]
pub(crate) struct QuicAddress {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: PathBuf,
}

/// Opens the server where the configuration wants one, and taps the feed for it.
pub(super) fn open<C: Clock>(
    config: &Config,
    verifier: &Verifier,
    feed: &mut FeedStage<C>,
    history: Asking,
    faults: &FaultBoard,
) -> Result<Option<(Server, QuicAddress)>> {
    let Some(quic) = &config.quic else { return Ok(None) };
    let QuicConfig {
        listen,
        certificate,
        key,
        stale_seconds,
        lag_max,
    } = quic;
    std::fs::create_dir_all(&config.data)?;
    let certificate = certificate.clone().unwrap_or_else(|| config.data.join("quic-cert.pem"));
    let key = key.clone().unwrap_or_else(|| config.data.join("quic-key.pem"));
    let shown = Certificate::load_or_make(&certificate, &key)?;
    let (ring, taken) = RingBuffer::new(RING);
    let server = ServerConfig {
        listen: *listen,
        stale_max: Duration::from_secs(*stale_seconds),
        lag_max: *lag_max,
    };
    let server = {
        let rings = FeedRings {
            messages: taken,
            history: Some(history),
        };
        Server::start(server, &shown, Box::new(Members::new(config, verifier, faults)), rings)?
    };
    feed.tap(ring);
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
}

impl Members {
    fn new(config: &Config, verifier: &Verifier, faults: &FaultBoard) -> Self {
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
            faults: FaultSight::new(faults.clone(), &[FaultKind::StalledSubscriber]),
        }
    }
}

impl Door for Members {
    fn ask(&mut self, user: &str, password: &str, ticket: u64) -> bool {
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
        let answer = self.desk.poll()?;
        let user = self.asked.remove(&answer.ticket.0);
        let entitlement = user
            .filter(|_| answer.granted)
            .and_then(|user| self.entitlements.get(&user));
        Some((answer.ticket.0, entitlement.cloned()))
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
