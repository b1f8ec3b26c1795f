//! What the development exchange trades, who is in it, and how to join in.

use super::scenario::Scenario;
use crate::agents::{AgentInstrument, AgentsConfig, Climate, MESSAGES_PER_SECOND, Role, Seat, SeatDoor};
use crate::config::{
    Config, DoorConfig, FIX_PORT, FeedConfig, FirmConfig, FixConfig, GLIMPSE_PORT, GlimpseConfig, HTTP_PORT,
    InstrumentConfig, OUCH_PORT, PortsConfig, QUIC_PORT, QuicConfig, REREQUEST_PORT, SessionConfig,
};
use crate::console::{Hands, Seat as ConsoleSeat};
use crate::exchange::Controls;
use anyhow::{Context as _, Result};
use rialto_members::Password;
use rialto_model::{Price, Quantity, Symbol};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

/// The beginnings of the firms' session names.
const STEMS: [&str; 2] = ["alpha", "beta"];
/// What the agents take the instruments to be worth when they begin, in units of 0.0001.
pub(super) const OPENING_PRICES: [(&str, i64); 3] = [("ACME", 1_000_000), ("BOLT", 250_000), ("COGS", 400_000)];

/// The session that the console's order ticket trades by; it is of the first firm.
const CONSOLE_SESSION: &str = "alphaw";

/// What a journal of the development exchange may take of a laptop's disk.
const JOURNAL_BYTES_MAX: u64 = 4 << 30;

/// Everybody's password in the development exchange.
pub(super) const PASSWORD: &str = "rialto";

/// What there is to trade and who is in it: three instruments, two firms, and a session for every hand and every agent.
pub(super) fn market(data: &Path, agents: usize) -> Result<Config> {
    let mut config: Config = toml::from_str("data = \"\"")?;
    config.data = data.to_owned();
    config.journal_bytes_max = Some(JOURNAL_BYTES_MAX);
    config.instruments = OPENING_PRICES
        .iter()
        .map(|(symbol, _)| InstrumentConfig {
            rulebook: Some("full".into()),
            ..InstrumentConfig::new(symbol)
        })
        .collect();
    config.firms = vec![
        firm("Alpha Securities", "ALFA", STEMS[0], agents.div_ceil(2)),
        firm("Beta Trading", "BETA", STEMS[1], agents / 2),
    ];
    let console = SessionConfig::new(CONSOLE_SESSION.to_owned(), "ouch", true);
    config.firms[0].sessions.push(console);
    Ok(config)
}

/// The whole exchange, at these addresses or free ones.
pub(super) fn config(data: &Path, agents: usize, ports: &Ports) -> Result<Config> {
    let mut config = market(data, agents)?;
    // Whoever tries things out on a laptop mistypes.
    config.logon_guard = false;
    config.ouch = DoorConfig {
        listen: free_tcp(ports.ouch),
    };
    config.fix = FixConfig {
        listen: free_tcp(ports.fix),
        ..FixConfig::default()
    };
    config.feed = free_feed(ports.rerequest);
    config.quic = Some(free_quic(ports.quic));
    config.glimpse = Some(GlimpseConfig {
        listen: free_tcp(ports.glimpse),
    });
    Ok(config)
}

/// A firm with two OUCH sessions and a FIX session for people, of which only the second loses its DAY orders with its
/// connection, a session for orders over HTTP, and one session for each of its agents: every third comes
/// by FIX.
fn firm(name: &str, mpid: &str, stem: &str, agents: usize) -> FirmConfig {
    let session = SessionConfig::new;
    let mut sessions = vec![
        session(format!("{stem}1"), "ouch", false),
        session(format!("{stem}2"), "ouch", true),
        session(stem.to_uppercase(), "fix", false),
        session(web(stem), "ouch", false),
    ];
    sessions.extend((1..=agents).map(|number| {
        let (name, by_fix) = agent(stem, number);
        session(name, if by_fix { "fix" } else { "ouch" }, true)
    }));
    FirmConfig {
        name: name.to_owned(),
        mpid: mpid.to_owned(),
        market_data: Vec::new(),
        ports: PortsConfig::default(),
        sessions,
    }
}

/// The session that a firm's orders over HTTP come by. They outlive its connection: nobody who sends them holds one.
fn web(stem: &str) -> String {
    format!("{stem}h")
}

/// The session name of a firm's `number`-th agent, and whether it comes by FIX.
fn agent(stem: &str, number: usize) -> (String, bool) {
    let initial = stem.chars().next().unwrap_or('x');
    (format!("{initial}bot{number}"), number.is_multiple_of(3))
}

pub(super) fn password() -> Result<Password> {
    Ok(Password::new(PASSWORD.as_bytes())?)
}

/// The session of the agent at a place, where they come in turn of one firm and the other.
pub(super) fn agent_session(index: usize) -> String {
    agent(STEMS[index % 2], index / 2 + 1).0
}

/// The ports that an exchange looks for first; 0 lets the system choose.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) ouch: u16,
    pub(crate) fix: u16,
    pub(crate) rerequest: u16,
    pub(crate) quic: u16,
    pub(crate) http: u16,
    pub(crate) glimpse: u16,
}

impl Ports {
    /// The documented ones.
    pub(super) const DOCUMENTED: Self = Self {
        ouch: OUCH_PORT,
        fix: FIX_PORT,
        rerequest: REREQUEST_PORT,
        quic: QUIC_PORT,
        http: HTTP_PORT,
        glimpse: GLIMPSE_PORT,
    };
    /// Whatever the system picks.
    pub(crate) const ANY: Self = Self {
        ouch: 0,
        fix: 0,
        rerequest: 0,
        quic: 0,
        http: 0,
        glimpse: 0,
    };
}

/// Whether the agents know an instrument of this name.
pub(crate) fn agents_trade(symbol: &str) -> bool {
    OPENING_PRICES.iter().any(|(known, _)| *known == symbol)
}

/// What the agents trade.
pub(super) fn agent_instruments() -> Result<Vec<AgentInstrument>> {
    let instruments = OPENING_PRICES.iter().map(|(symbol, opening)| {
        let symbol = Symbol::new(symbol).context("a symbol of the development exchange is none")?;
        Ok(AgentInstrument {
            symbol,
            opening: Price(*opening),
            tick: Price(100),
            lot: Quantity(100),
        })
    });
    instruments.collect()
}

/// The agents, in turn of one firm and the other: those of a scenario, or a mixture that makes a market with any number.
pub(super) fn agents(
    controls: &Controls,
    count: usize,
    seed: u64,
    scenario: Option<&Scenario>,
    liquidity: f64,
) -> Result<AgentsConfig> {
    let state = controls.world.stream()?.at(None)?.past.state();
    let listed = |symbol| state.instruments.iter().any(|one| one.definition.symbol == symbol);
    let addresses = &controls.addresses;
    let seats = (0..count).map(|index| {
        let (session, by_fix) = agent(STEMS[index % 2], index / 2 + 1);
        let door = if by_fix {
            SeatDoor::Fix {
                address: addresses.fix,
                comp_id: addresses.fix_comp_id.clone(),
            }
        } else {
            SeatDoor::Ouch(addresses.ouch)
        };
        Seat {
            role: scenario.map_or_else(|| Role::of(index), |scenario| scenario.role(index)),
            door,
            session,
            password: PASSWORD.to_owned(),
        }
    });
    let usual = Climate {
        liquidity,
        ..Climate::default()
    };
    Ok(AgentsConfig {
        seed,
        instruments: agent_instruments()?
            .into_iter()
            .filter(|one| listed(one.symbol))
            .collect(),
        seats: seats.collect(),
        feed: addresses.feed,
        messages_per_second: scenario.map_or(MESSAGES_PER_SECOND, Scenario::messages_per_second),
        climate: scenario.map_or(usual, |scenario| scenario.climate(liquidity)),
    })
}

/// Where the console answers.
pub(super) fn console_address(ports: &Ports) -> SocketAddr {
    free_tcp(ports.http)
}

/// Who the console's order ticket is, and who the firms are for their orders over HTTP.
pub(super) fn hands() -> Hands {
    let seat = |user: String| ConsoleSeat {
        user,
        password: PASSWORD.to_owned(),
    };
    Hands {
        desk: Some(seat(CONSOLE_SESSION.to_owned())),
        firms: STEMS.iter().map(|stem| seat(web(stem))).collect(),
    }
}

/// This port, or a free one where somebody has it.
fn free_tcp(port: u16) -> SocketAddr {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let free = TcpListener::bind(wanted).is_ok();
    SocketAddr::from((Ipv4Addr::LOCALHOST, if free { port } else { 0 }))
}

/// The documented ports where the re-request port is free: two exchanges must not send into one group. Port 0 on a line
/// takes the number of the re-request port, which nobody else has.
fn free_feed(port: u16) -> FeedConfig {
    let mut feed = FeedConfig::default();
    let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    if !free || port != REREQUEST_PORT {
        feed.rerequest.set_port(if free { port } else { 0 });
        feed.line_a.set_port(0);
        feed.line_b.set_port(0);
    }
    feed
}

/// This port, or a free one where somebody has it.
fn free_quic(port: u16) -> QuicConfig {
    let mut quic = QuicConfig::default();
    let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    quic.listen.set_port(if free { port } else { 0 });
    quic
}
