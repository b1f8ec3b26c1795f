//! Options with few values, so that help lists them, shells complete them and a misspelt one is told the nearest.

use crate::up::scenario::SCENARIOS;
use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use rialto_ring::Layout;
use std::ffi::OsStr;
use std::net::{SocketAddr, SocketAddrV4, ToSocketAddrs as _};

/// What makes an event safe to release.
pub(crate) const DURABILITIES: [&str; 2] = ["memory", "disk"];
/// How stages are laid onto threads.
pub(crate) const LAYOUTS: [&str; 4] = ["auto", "one", "two", "per-core"];
/// What an idle thread does.
pub(crate) const IDLES: [&str; 3] = ["park", "yield", "spin"];

/// A layout by its name.
pub(crate) fn layout() -> impl TypedValueParser<Value = Layout> {
    PossibleValuesParser::new(LAYOUTS).try_map(|name| name.parse::<Layout>())
}

/// Where something listens, by number or by name.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let shape = || "write it as HOST:PORT, such as 127.0.0.1:26400".to_owned();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(shape)?;
    let port: u16 = port.parse().map_err(|_| shape())?;
    let found = (host, port).to_socket_addrs();
    let mut found: Vec<SocketAddr> = found
        .map_err(|error| format!("no host is called {host:?}: {error}"))?
        .collect();
    // What listens on a laptop does so by IPv4.
    found.sort_by_key(SocketAddr::is_ipv6);
    found.first().copied().ok_or_else(shape)
}

/// A multicast group and its port.
pub(crate) fn group(text: &str) -> Result<SocketAddrV4, String> {
    let group = text
        .parse::<SocketAddrV4>()
        .ok()
        .filter(|group| group.ip().is_multicast());
    group.ok_or_else(|| {
        "write it as GROUP:PORT, such as 239.192.77.1:26411: groups are 224.0.0.0 to 239.255.255.255".to_owned()
    })
}

/// Names of ready markets. Any other text is for who opens it to judge: a recorded day has a name of its own.
#[derive(Clone)]
pub(crate) struct Scenarios {
    /// Whether a recorded day is one, too.
    pub(crate) days: bool,
}

impl TypedValueParser for Scenarios {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let day = PossibleValue::new("day:FILE")
            .help("a recorded day, a LOBSTER tape or an ITCH 5.0 file, as --with-me FILE");
        let ready = SCENARIOS.iter().map(|one| PossibleValue::new(one.name).help(one.says));
        Some(Box::new(ready.chain(self.days.then_some(day))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_offered_is_taken() {
        for name in LAYOUTS {
            assert!(name.parse::<Layout>().is_ok(), "{name}");
        }
        assert_eq!(address("127.0.0.1:26400").unwrap().port(), 26_400);
        assert!(address("localhost:26400").unwrap().ip().is_loopback());
        assert!(address("26400").is_err() && address("localhost").is_err() && address("localhost:x").is_err());
        assert!(group("239.192.77.1:26411").is_ok() && group("127.0.0.1:26411").is_err());
        assert!(
            Scenarios { days: true }
                .possible_values()
                .is_some_and(|all| all.count() == SCENARIOS.len() + 1)
        );
    }
}
