//! What the development exchange trades, who is in it, and how to join in.

use crate::agents::{AgentInstrument, AgentsConfig, MESSAGES_PER_SECOND, Role, Seat, SeatDoor};
use crate::config::{
    Config, DoorConfig, FIX_PORT, FeedConfig, FirmConfig, FixConfig, GLIMPSE_PORT, GlimpseConfig, HTTP_PORT,
    InstrumentConfig, OUCH_PORT, PortsConfig, QUIC_PORT, QuicConfig, REREQUEST_PORT, SessionConfig,
};
use crate::console::Seat as ConsoleSeat;
use crate::exchange::Controls;
use anyhow::{Context as _, Result};
use rialto_members::Password;
use rialto_model::{Price, Quantity, Symbol};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

/// The beginnings of the firms' session names.
const STEMS: [&str; 2] = ["alpha", "beta"];
/// What the agents take the instruments to be worth when they begin, in units of 0.0001.
const OPENING_PRICES: [(&str, i64); 3] = [("ACME", 1_000_000), ("BOLT", 250_000), ("COGS", 400_000)];

/// The session that the console's order ticket trades by; it is of the first firm.
const CONSOLE_SESSION: &str = "alphaw";

/// What a journal of the development exchange may take of a laptop's disk.
const JOURNAL_BYTES_MAX: u64 = 4 << 30;

/// Everybody's password in the development exchange.
pub(super) const PASSWORD: &str = "rialto";

/// Three instruments, two firms, and a session for every hand and every agent.
pub(super) fn config(data: &Path, agents: usize) -> Result<Config> {
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
    // Whoever tries things out on a laptop mistypes.
    config.logon_guard = false;
    config.ouch = DoorConfig {
        listen: free_tcp(OUCH_PORT),
    };
    config.fix = FixConfig {
        listen: free_tcp(FIX_PORT),
        ..FixConfig::default()
    };
    config.feed = free_feed();
    config.quic = Some(free_quic());
    config.glimpse = Some(GlimpseConfig {
        listen: free_tcp(GLIMPSE_PORT),
    });
    Ok(config)
}

/// A firm with two OUCH sessions and a FIX session for people, of which only the second loses its DAY orders with its
/// connection, and one session for each of its agents: every third comes
/// by FIX.
fn firm(name: &str, mpid: &str, stem: &str, agents: usize) -> FirmConfig {
    let session = SessionConfig::new;
    let mut sessions = vec![
        session(format!("{stem}1"), "ouch", false),
        session(format!("{stem}2"), "ouch", true),
        session(stem.to_uppercase(), "fix", false),
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

/// The session name of a firm's `number`-th agent, and whether it comes by FIX.
fn agent(stem: &str, number: usize) -> (String, bool) {
    let initial = stem.chars().next().unwrap_or('x');
    (format!("{initial}bot{number}"), number.is_multiple_of(3))
}

pub(super) fn password() -> Result<Password> {
    Ok(Password::new(PASSWORD.as_bytes())?)
}

/// The agents, in turn of one firm and the other.
pub(super) fn agents(controls: &Controls, count: usize, seed: u64) -> Result<AgentsConfig> {
    let addresses = &controls.addresses;
    let seats = (0..count).map(|index| {
        let (session, by_fix) = agent(STEMS[index % 2], index / 2 + 1);
        let door = if by_fix {
            SeatDoor::Fix {
                address: addresses.fix,
                comp_id: FixConfig::default().comp_id,
            }
        } else {
            SeatDoor::Ouch(addresses.ouch)
        };
        Seat {
            role: Role::of(index),
            door,
            session,
            password: PASSWORD.to_owned(),
        }
    });
    let instruments = OPENING_PRICES.iter().map(|(symbol, opening)| {
        let symbol = Symbol::new(symbol).context("a symbol of the development exchange is none")?;
        Ok(AgentInstrument {
            symbol,
            opening: Price(*opening),
            tick: Price(100),
            lot: Quantity(100),
        })
    });
    Ok(AgentsConfig {
        seed,
        instruments: instruments.collect::<Result<_>>()?,
        seats: seats.collect(),
        feed: addresses.feed,
        messages_per_second: MESSAGES_PER_SECOND,
    })
}

/// Where the console answers.
pub(super) fn console_address() -> SocketAddr {
    free_tcp(HTTP_PORT)
}

/// Who its order ticket is.
pub(super) fn console_seat() -> ConsoleSeat {
    ConsoleSeat {
        user: CONSOLE_SESSION.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

/// The documented port, or a free one where somebody has it.
fn free_tcp(port: u16) -> SocketAddr {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let free = TcpListener::bind(wanted).is_ok();
    SocketAddr::from((Ipv4Addr::LOCALHOST, if free { port } else { 0 }))
}

/// The documented ports where the re-request port is free: two exchanges must not send into one group. Port 0 on a line
/// takes the number of the re-request port, which nobody else has.
fn free_feed() -> FeedConfig {
    let mut feed = FeedConfig::default();
    if UdpSocket::bind((Ipv4Addr::LOCALHOST, REREQUEST_PORT)).is_err() {
        feed.rerequest.set_port(0);
        feed.line_a.set_port(0);
        feed.line_b.set_port(0);
    }
    feed
}

/// The documented port, or a free one where somebody has it.
fn free_quic() -> QuicConfig {
    let mut quic = QuicConfig::default();
    if UdpSocket::bind((Ipv4Addr::LOCALHOST, QUIC_PORT)).is_err() {
        quic.listen.set_port(0);
    }
    quic
}
