//! What an exchange is configured with: `rialto.toml` for `serve`, made in code for `up`.

use crate::console::members::QUESTIONS_PER_SECOND;
use anyhow::{Context as _, Result, bail, ensure};
use rialto_model::limits::{INSTRUMENT_MAX, PRICE_MAX, QUANTITY_MAX};
use rialto_model::{Mpid, Price, Symbol, Text};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The whole of it. Unknown keys are refused, so that a misspelt one does not pass for a default.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where journal and credentials live.
    pub(crate) data: PathBuf,
    /// `memory` or `disk`.
    #[serde(default = "default_durability")]
    pub(crate) durability: String,
    /// `one`, `two`, `per-core` or `auto`.
    #[serde(default = "default_layout")]
    pub(crate) layout: String,
    /// `spin`, `yield` or `park`.
    #[serde(default = "default_idle")]
    pub(crate) idle: String,
    /// Bytes of a journal segment.
    #[serde(default = "default_segment_bytes")]
    pub(crate) segment_bytes: u64,
    /// Bytes that all journal segments together may take: at the cap only cancels are taken, as on a full disk; without it, as
    /// much as the disk has.
    #[serde(default)]
    pub(crate) journal_bytes_max: Option<u64>,
    /// What leaves the journal's folder for an archive; without it everything stays.
    #[serde(default)]
    pub(crate) retention: Option<RetentionConfig>,
    /// A snapshot is taken every so many commands; 0: none.
    #[serde(default = "default_snapshot_every")]
    pub(crate) snapshot_every: u64,
    /// The venue's id; stated in the journal's first command.
    #[serde(default = "default_venue")]
    pub(crate) venue: u32,
    /// Nanoseconds that the venue's clock stands behind the machine's: a market that was forked goes on from its own time.
    #[serde(default)]
    pub(crate) clock_behind_ns: u64,
    /// Whether five bad logons in a minute close the doors to their address.
    #[serde(default = "default_true")]
    pub(crate) logon_guard: bool,
    /// Connections of each door at a time.
    #[serde(default = "default_connections_max")]
    pub(crate) connections_max: usize,
    #[serde(default)]
    pub(crate) ouch: DoorConfig,
    #[serde(default)]
    pub(crate) fix: FixConfig,
    #[serde(default)]
    pub(crate) feed: FeedConfig,
    /// The feed over QUIC; without it there is none.
    #[serde(default)]
    pub(crate) quic: Option<QuicConfig>,
    /// GLIMPSE snapshots of the feed; without it there are none.
    #[serde(default)]
    pub(crate) glimpse: Option<GlimpseConfig>,
    /// The HTTP gateway; without it there is none.
    #[serde(default)]
    pub(crate) http: Option<HttpConfig>,
    /// The stream for other processes; without it none can follow.
    #[serde(default)]
    pub(crate) follow: Option<FollowConfig>,
    /// Milliseconds that an event waits for another engine's word at most; without it 20, and 500 on fewer than four cores.
    #[serde(default)]
    pub(crate) candidate_wait_ms: Option<u64>,
    #[serde(default, rename = "instrument")]
    pub(crate) instruments: Vec<InstrumentConfig>,
    #[serde(default, rename = "firm")]
    pub(crate) firms: Vec<FirmConfig>,
}

fn default_durability() -> String {
    "disk".to_owned()
}
fn default_layout() -> String {
    "auto".to_owned()
}
fn default_idle() -> String {
    "park".to_owned()
}
const fn default_segment_bytes() -> u64 {
    64 << 20
}
const fn default_snapshot_every() -> u64 {
    1_000_000
}
const fn default_venue() -> u32 {
    1
}
const fn default_connections_max() -> usize {
    rialto_gateway::limits::CONNECTIONS_MAX
}

/// A door.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DoorConfig {
    /// Where it listens; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
}

impl Default for DoorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, OUCH_PORT)),
        }
    }
}

/// The FIX door.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FixConfig {
    /// Where it listens; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
    /// What clients name as TargetCompID.
    #[serde(default = "default_comp_id")]
    pub(crate) comp_id: String,
}

fn default_comp_id() -> String {
    "RIALTO".to_owned()
}

impl Default for FixConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, FIX_PORT)),
            comp_id: default_comp_id(),
        }
    }
}

/// The feed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FeedConfig {
    /// Multicast group and port of line A.
    pub(crate) line_a: SocketAddrV4,
    /// Multicast group and port of line B.
    pub(crate) line_b: SocketAddrV4,
    /// The interface that packets leave by, named by its address.
    pub(crate) interface: Ipv4Addr,
    /// How many routers a packet may pass; 0 stays on this machine.
    pub(crate) ttl: u32,
    /// Where requests for missed messages are taken.
    pub(crate) rerequest: SocketAddr,
    /// Who may ask.
    pub(crate) entitled: Vec<Ipv4Addr>,
    /// Whether packets that come at once are sent by one call where the kernel cuts them apart.
    pub(crate) segmented: bool,
    /// How long messages may wait for their packet to fill; 0: not beyond the batch they came in.
    pub(crate) flush_us: u64,
    /// Bytes for the day's messages in memory; what goes beyond is made again from the journal for who asks.
    pub(crate) memory_bytes: usize,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            line_a: SocketAddrV4::new(Ipv4Addr::new(239, 192, 77, 1), LINE_A_PORT),
            line_b: SocketAddrV4::new(Ipv4Addr::new(239, 192, 77, 2), LINE_B_PORT),
            interface: Ipv4Addr::LOCALHOST,
            ttl: 0,
            rerequest: SocketAddr::from((Ipv4Addr::LOCALHOST, REREQUEST_PORT)),
            entitled: vec![Ipv4Addr::LOCALHOST],
            segmented: false,
            flush_us: 0,
            memory_bytes: rialto_publisher::Config::default().store_bytes_max,
        }
    }
}

/// The feed over QUIC.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QuicConfig {
    /// Where it listens; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
    /// The certificate chain, PEM; by default `quic-cert.pem` in the data folder, made there on the first start where neither
    /// it nor the key is there.
    pub(crate) certificate: Option<PathBuf>,
    /// Its key, PEM; by default `quic-key.pem` in the data folder.
    pub(crate) key: Option<PathBuf>,
    /// Seconds that a subscriber may leave unread what it is told before it is cut.
    pub(crate) stale_seconds: u64,
    /// Messages that a subscriber of full depth may be behind before it is conflated.
    pub(crate) lag_max: usize,
}

impl QuicConfig {
    /// Where certificate and key are, of an exchange with this data folder.
    pub(crate) fn files(&self, data: &Path) -> (PathBuf, PathBuf) {
        let or = |given: &Option<PathBuf>, name| {
            let path = given.clone().unwrap_or_else(|| data.join(name));
            std::path::absolute(&path).unwrap_or(path)
        };
        (or(&self.certificate, "quic-cert.pem"), or(&self.key, "quic-key.pem"))
    }
}

impl Default for QuicConfig {
    fn default() -> Self {
        let quic = rialto_quic::Config::default();
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, QUIC_PORT)),
            certificate: None,
            key: None,
            stale_seconds: quic.stale_max.as_secs(),
            lag_max: quic.lag_max,
        }
    }
}

/// GLIMPSE snapshots.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GlimpseConfig {
    /// Where the server listens; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
}

impl Default for GlimpseConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, GLIMPSE_PORT)),
        }
    }
}

/// The HTTP gateway. It comes in at the OUCH door like any member, by sessions of its own: their passwords are made anew at
/// each start, so that nobody else has them and the credentials file need not.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpConfig {
    /// Where it listens; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
    /// Gateways side by side, 1 to 4; all but the first have ports that the system chooses.
    pub(crate) gateways: u8,
    /// Questions of one key in a second, 0 for any number; twice as many at once after a rest.
    pub(crate) questions_per_second: u32,
    /// The OUCH session of the console's order ticket; without one the console enters no orders.
    pub(crate) desk: Option<String>,
    /// The OUCH sessions that orders over HTTP come by, one of each firm that enters some.
    pub(crate) sessions: Vec<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, HTTP_PORT)),
            gateways: 1,
            questions_per_second: QUESTIONS_PER_SECOND,
            desk: None,
            sessions: Vec::new(),
        }
    }
}

impl HttpConfig {
    /// The sessions that are its own.
    pub(crate) fn own(&self) -> impl Iterator<Item = &String> {
        self.desk.iter().chain(&self.sessions)
    }

    fn check(&self, firms: &[FirmConfig]) -> Result<()> {
        ensure!((1..=4).contains(&self.gateways), "http.gateways is not 1 to 4");
        let (mut named, mut served) = (Vec::new(), Vec::new());
        for name in self.own() {
            let firm = firms.iter().find(|firm| {
                let mut sessions = firm.sessions.iter();
                sessions.any(|session| session.name == *name && session.door == "ouch")
            });
            let firm = firm.with_context(|| {
                format!("http names session {name:?}, which is no OUCH session of any firm: add it to one")
            })?;
            ensure!(!named.contains(&name), "http names session {name:?} twice");
            named.push(name);
            if self.sessions.contains(name) {
                ensure!(
                    !served.contains(&&firm.name),
                    "http has two sessions of firm {:?}: one is enough for all of its keys",
                    firm.name
                );
                served.push(&firm.name);
            }
        }
        Ok(())
    }
}

/// The stream for other processes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FollowConfig {
    /// Where followers come; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
    /// The key that followers must have; by default `follow.key` in the data folder, made there where it is not.
    pub(crate) key: Option<PathBuf>,
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, FOLLOW_PORT)),
            key: None,
        }
    }
}

/// What leaves the journal's folder: segments of trading days that are over, behind which two snapshots are. Nothing is lost by
/// it, the archive is read with the journal.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetentionConfig {
    /// Where they go; a folder of their own.
    pub(crate) archive: PathBuf,
    /// When they are older than so many days.
    pub(crate) days: Option<u32>,
    /// While all of them take more bytes; of use with a `journal_bytes_max` above it.
    pub(crate) bytes: Option<u64>,
}

/// The documented ports. `up` falls back to free ones where they are taken.
pub(crate) const OUCH_PORT: u16 = 26_400;
pub(crate) const FIX_PORT: u16 = 26_401;
pub(crate) const REREQUEST_PORT: u16 = 26_402;
pub(crate) const QUIC_PORT: u16 = 26_403;
pub(crate) const HTTP_PORT: u16 = 26_404;
pub(crate) const GLIMPSE_PORT: u16 = 26_406;
pub(crate) const FOLLOW_PORT: u16 = 26_405;
pub(crate) const LINE_A_PORT: u16 = 26_411;
pub(crate) const LINE_B_PORT: u16 = 26_412;

/// An instrument, in the default price scale of four decimals.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstrumentConfig {
    /// Up to eight characters.
    pub(crate) symbol: String,
    /// As a decimal.
    #[serde(default = "default_tick")]
    pub(crate) tick: Decimal,
    #[serde(default = "default_price_max")]
    pub(crate) price_max: Decimal,
    #[serde(default = "default_lot")]
    pub(crate) lot: u64,
    #[serde(default = "default_quantity_max")]
    pub(crate) quantity_max: u64,
    /// The rulebook that it is given where it has none: `"full"`, or a table as `rialto operate rules` takes it. Without
    /// one it offers plain limit and market orders. Once it has one, `rialto operate rules` changes it.
    #[serde(default)]
    pub(crate) rulebook: Option<serde_json::Value>,
}

fn default_tick() -> Decimal {
    Decimal::new(1, 2)
}
fn default_price_max() -> Decimal {
    Decimal::new(PRICE_MAX, 4)
}
const fn default_lot() -> u64 {
    1
}
const fn default_quantity_max() -> u64 {
    999_999
}

/// A member firm with one account.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirmConfig {
    /// What people call it.
    pub(crate) name: String,
    /// Up to four characters.
    pub(crate) mpid: String,
    /// The symbols it may see over QUIC; none for all.
    #[serde(default)]
    pub(crate) market_data: Vec<String>,
    /// Where it logs on while it is served apart (`rialto member serve FIRM bridge`).
    #[serde(default)]
    pub(crate) ports: PortsConfig,
    #[serde(default, rename = "session")]
    pub(crate) sessions: Vec<SessionConfig>,
}

/// A firm's own ports; what is left out the system picks, on the door's own address.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PortsConfig {
    pub(crate) ouch: Option<SocketAddr>,
    pub(crate) fix: Option<SocketAddr>,
}

/// One of its sessions. The password is in the credentials file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionConfig {
    /// What it logs on as: OUCH user name (at most 6 characters) or FIX SenderCompID.
    pub(crate) name: String,
    /// `ouch` or `fix`.
    pub(crate) door: String,
    /// Whether its DAY orders are cancelled when it is lost.
    #[serde(default = "default_true")]
    pub(crate) cancel_on_disconnect: bool,
    /// How long after a loss it is not let in again; a logout in good order is no loss.
    #[serde(default)]
    pub(crate) reconnect_after_seconds: u32,
    /// Orders and replaces a second, 0 for any number, and how many at once.
    #[serde(default)]
    pub(crate) orders_per_second: u32,
    #[serde(default)]
    pub(crate) orders_burst: u32,
    /// Cancels a second, 0 for any number, and how many at once.
    #[serde(default)]
    pub(crate) cancels_per_second: u32,
    #[serde(default)]
    pub(crate) cancels_burst: u32,
    /// FIX: it is told of every order of its firm, whoever sent it, and sends none.
    #[serde(default)]
    pub(crate) drop_copy: bool,
    /// FIX: every Logon restarts both numbers, whether it asks for that or not; nothing of before is said again.
    #[serde(default)]
    pub(crate) reset_on_logon: bool,
    /// FIX: its name is enough to log on. For benches that cannot send a password, on a door that nobody else reaches.
    #[serde(default)]
    pub(crate) no_password: bool,
}

impl SessionConfig {
    /// A session without limits.
    pub(crate) fn new(name: String, door: &str, cancel_on_disconnect: bool) -> Self {
        Self {
            name,
            door: door.to_owned(),
            cancel_on_disconnect,
            reconnect_after_seconds: 0,
            orders_per_second: 0,
            orders_burst: 0,
            cancels_per_second: 0,
            cancels_burst: 0,
            drop_copy: false,
            reset_on_logon: false,
            no_password: false,
        }
    }

    fn check(&self) -> Result<()> {
        ensure!(
            self.door == "fix" || !(self.drop_copy || self.reset_on_logon || self.no_password),
            "drop_copy, reset_on_logon and no_password are of FIX sessions"
        );
        Ok(())
    }
}

const fn default_true() -> bool {
    true
}

impl Config {
    /// Reads a file; relative paths in it are relative to the file.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        let mut config: Self = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        if let Some(folder) = path.parent() {
            config.data = folder.join(&config.data);
            if let Some(retention) = &mut config.retention {
                retention.archive = folder.join(&retention.archive);
            }
            if let Some(quic) = &mut config.quic {
                let paths = [&mut quic.certificate, &mut quic.key];
                paths.into_iter().flatten().for_each(|path| *path = folder.join(&*path));
            }
            if let Some(key) = config.follow.as_mut().and_then(|follow| follow.key.as_mut()) {
                *key = folder.join(&*key);
            }
        }
        config.check().with_context(|| format!("in {}", path.display()))?;
        Ok(config)
    }

    /// What a door in another process has to know.
    pub(crate) fn of_doors(&self) -> Self {
        Self {
            data: std::path::absolute(&self.data).unwrap_or_else(|_| self.data.clone()),
            instruments: Vec::new(),
            quic: None,
            glimpse: None,
            http: None,
            follow: None,
            ..self.clone()
        }
    }

    /// What a feed in another process has to know: it listens beside the exchange's own, and shows the same certificate.
    pub(crate) fn of_feeds(&self) -> Self {
        let doors = self.of_doors();
        let quic = self.quic.as_ref().map(|quic| {
            let (certificate, key) = quic.files(&doors.data);
            QuicConfig {
                listen: SocketAddr::new(quic.listen.ip(), 0),
                certificate: Some(certificate),
                key: Some(key),
                ..quic.clone()
            }
        });
        Self { quic, ..doors }
    }

    /// Lets followers come to `listen`, wherever the file said.
    pub(crate) fn follow_at(&mut self, listen: Option<SocketAddr>) {
        if let Some(listen) = listen {
            self.follow.get_or_insert_default().listen = listen;
        }
    }

    /// How long an event waits for another engine's word at most.
    pub(crate) fn candidate_wait(&self) -> Duration {
        let few = std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 4);
        Duration::from_millis(self.candidate_wait_ms.unwrap_or(if few { 500 } else { 20 }))
    }

    /// Whether everything in it can be.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(
            self.instruments.len() <= usize::from(INSTRUMENT_MAX),
            "more than {INSTRUMENT_MAX} instruments"
        );
        for instrument in &self.instruments {
            instrument
                .check()
                .with_context(|| format!("instrument {:?}", instrument.symbol))?;
        }
        if let Some(retention) = &self.retention {
            ensure!(
                retention.days.is_some() || retention.bytes.is_some(),
                "retention says where segments go and not which: give days or bytes"
            );
            ensure!(
                self.snapshot_every > 0,
                "a segment leaves behind two snapshots, and with snapshot_every = 0 there are none"
            );
        }
        let mut names = Vec::new();
        for firm in &self.firms {
            ensure!(
                Mpid::new(&firm.mpid).is_some(),
                "firm {:?}: mpid {:?} is not 1 to 4 letters",
                firm.name,
                firm.mpid
            );
            ensure!(
                Text::new(firm.name.as_bytes()).is_some(),
                "firm {:?}: the name is too long",
                firm.name
            );
            for symbol in &firm.market_data {
                ensure!(
                    Symbol::new(symbol).is_some(),
                    "firm {:?}: market_data names {symbol:?}, which is no symbol",
                    firm.name
                );
            }
            for session in &firm.sessions {
                let longest = match session.door.as_str() {
                    "ouch" => 6,
                    "fix" => rialto_model::limits::TEXT_MAX,
                    other => bail!(
                        "session {:?}: no door is called {other:?}: use ouch or fix",
                        session.name
                    ),
                };
                let length = session.name.len();
                ensure!(
                    (1..=longest).contains(&length),
                    "session {:?}: give 1 to {longest} characters",
                    session.name
                );
                ensure!(
                    !names.contains(&&session.name),
                    "session {:?} is there twice",
                    session.name
                );
                session.check().with_context(|| format!("session {:?}", session.name))?;
                names.push(&session.name);
            }
        }
        if let Some(http) = &self.http {
            http.check(&self.firms)?;
        }
        Ok(())
    }
}

impl InstrumentConfig {
    /// An instrument with the default terms.
    pub(crate) fn new(symbol: &str) -> Self {
        Self {
            symbol: symbol.to_owned(),
            tick: default_tick(),
            price_max: default_price_max(),
            lot: default_lot(),
            quantity_max: default_quantity_max(),
            rulebook: None,
        }
    }

    fn check(&self) -> Result<()> {
        ensure!(
            Symbol::new(&self.symbol).is_some(),
            "the symbol is not 1 to 8 printable characters without a space"
        );
        let price_max = price(self.price_max)?;
        let tick = price(self.tick)?;
        ensure!(
            tick.0 > 0 && tick <= price_max,
            "tick {} is not between 0.0001 and price_max",
            self.tick
        );
        ensure!(price_max.0 <= PRICE_MAX, "price_max is over {}", default_price_max());
        ensure!(self.lot > 0, "the lot is zero");
        ensure!(
            (1..=QUANTITY_MAX).contains(&self.quantity_max),
            "quantity_max is not between 1 and {QUANTITY_MAX}"
        );
        Ok(())
    }
}

/// A decimal in the default scale, exactly.
pub(crate) fn price(decimal: Decimal) -> Result<Price> {
    let scaled = decimal.checked_mul(Decimal::from(10_000)).filter(Decimal::is_integer);
    let units = scaled.and_then(|units| units.to_i64());
    units
        .map(Price)
        .with_context(|| format!("{decimal} is no multiple of 0.0001 in range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        data = "d"
        [[instrument]]
        symbol = "ACME"
        [[firm]]
        name = "Alpha"
        mpid = "ALFA"
        [[firm.session]]
        name = "alpha1"
        door = "ouch"
    "#;

    #[test]
    fn the_sample_can_be_served() {
        let sample: Config = toml::from_str(include_str!("../../docs/rialto.toml")).unwrap();
        sample.check().unwrap();
        assert_eq!(sample.http.unwrap().own().collect::<Vec<_>>(), ["alphaw", "alphah"]);
    }

    #[test]
    fn a_short_file_is_enough_and_a_wrong_one_is_named() {
        let config: Config = toml::from_str(GOOD).unwrap();
        config.check().unwrap();
        assert_eq!(price(config.instruments[0].tick).unwrap(), Price(100));
        for (from, to, complaint) in [
            ("\"ACME\"", "\"TOOLONGNAME\"", "symbol"),
            ("\"ALFA\"", "\"ALPHA\"", "mpid"),
            ("\"ouch\"", "\"pigeon\"", "pigeon"),
            ("\"alpha1\"", "\"alpha-one\"", "1 to 6"),
            ("symbol", "tick = 0.00001\nsymbol", "0.0001"),
            ("symbol", "lot = 0\nsymbol", "lot"),
        ] {
            let config: Config = toml::from_str(&GOOD.replacen(from, to, 1)).unwrap();
            let error = format!("{:#}", config.check().unwrap_err());
            assert!(error.contains(complaint), "{error}");
        }
        for (http, complaint) in [
            ("sessions = [\"nobody\"]", "no OUCH session"),
            ("gateways = 5", "1 to 4"),
            ("desk = \"alpha1\"\nsessions = [\"alpha1\"]", "twice"),
            ("desk = \"alpha1\"", ""),
            ("", ""),
        ] {
            let config: Config = toml::from_str(&format!("{GOOD}\n[http]\n{http}")).unwrap();
            let error = config
                .check()
                .map_or_else(|error| format!("{error:#}"), |()| String::new());
            assert!(
                error.contains(complaint) && error.is_empty() == complaint.is_empty(),
                "{http}: {error}"
            );
        }
        assert!(toml::from_str::<Config>(&format!("colour = 1\n{GOOD}")).is_err());
    }
}
