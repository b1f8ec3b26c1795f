//! Market data over QUIC: full depth or conflated, as the server tells it, every checksum verified.

use super::line::{Clock, decimal};
use super::tail::{Said, Tail, text};
use crate::out;
use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use rialto_conflate::{Books, Depth, Pace, Told};
use rialto_itch::mold::{Packet, SequenceNumber, Session};
use rialto_itch::{Price4, Side, Stock, StockLocate};
use rialto_quic::frames::{Login, Mode as LoginMode, Reason, ServerFrame, Start};
use rialto_quic::{Client, Trust};
use rialto_subscriber::{Counters, Delivery};
use rust_decimal::Decimal;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How long one look at the connection waits.
const LOOK: Duration = Duration::from_millis(100);

/// How market data comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Via {
    Multicast,
    Quic,
}

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    Full,
    Conflated,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct QuicArgs {
    /// Every message, or books and trades as they can be taken
    #[arg(long, value_enum, default_value_t = Mode::Full)]
    pub(super) mode: Mode,
    /// The QUIC server
    #[arg(long, value_name = "HOST:PORT", required_if_eq("via", "quic"), value_parser = crate::choices::address)]
    quic: Option<SocketAddr>,
    /// The server's certificate, PEM
    #[arg(long, value_name = "FILE", required_if_eq("via", "quic"))]
    cert: Option<PathBuf>,
    /// The name in the server's certificate
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    server_name: String,
    /// The session to log in as
    #[arg(long, value_name = "NAME", required_if_eq("via", "quic"))]
    user: Option<String>,
    /// Its password
    #[arg(long, value_name = "TEXT", required_if_eq("via", "quic"))]
    password: Option<String>,
    /// Conflated: levels a side; all without it
    #[arg(long, value_name = "N")]
    depth: Option<u16>,
    /// Conflated: a book no more often than this; without it and --budget only when slow
    #[arg(long, value_name = "N", conflicts_with = "budget")]
    interval_ms: Option<u64>,
    /// Conflated: bytes a second
    #[arg(long, value_name = "BYTES")]
    budget: Option<u64>,
    /// Only these instruments, with commas between
    #[arg(long, value_name = "SYMBOLS", value_delimiter = ',')]
    symbols: Vec<String>,
}

impl QuicArgs {
    /// Who logs in, where both name and password are given.
    pub(super) fn credentials(&self) -> Option<(String, String)> {
        self.user.clone().zip(self.password.clone())
    }

    /// Connects and logs in.
    pub(super) fn connect(&self) -> Result<Client> {
        let missing = "--via quic needs --quic, --cert, --user and --password";
        let cert = self.cert.as_ref().context(missing)?;
        let pem = std::fs::read_to_string(cert)
            .with_context(|| format!("cannot read the server's certificate {}", cert.display()))?;
        let name = self.server_name.clone();
        let pace = match (self.interval_ms, self.budget) {
            (Some(ms), _) => Pace::Interval {
                ns: ms.saturating_mul(1_000_000),
            },
            (None, Some(bytes_per_second)) => Pace::Budget { bytes_per_second },
            (None, None) => Pace::WhenSlow,
        };
        let mode = match self.mode {
            Mode::Full => LoginMode::Full,
            Mode::Conflated => LoginMode::Conflated {
                depth: self.depth.map_or(Depth::Full, Depth::Levels),
                pace,
            },
        };
        let symbol = |symbol: &String| Stock::new(symbol).with_context(|| format!("{symbol:?} is no symbol"));
        let login = Login {
            user: self.user.clone().context(missing)?,
            password: self.password.clone().context(missing)?,
            mode,
            start: Start::Snapshot,
            stocks: self.symbols.iter().map(symbol).collect::<Result<_>>()?,
        };
        Ok(Client::connect(
            self.quic.context(missing)?,
            &Trust { pem, name },
            &login,
        )?)
    }
}

/// What a conflated line says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    SessionStarted {
        session: String,
    },
    Book {
        first: u64,
        last: u64,
        conflated: bool,
        symbol: String,
        bids: Vec<(Decimal, u64)>,
        asks: Vec<(Decimal, u64)>,
    },
    Trade {
        seq: u64,
        time_ns: u64,
        symbol: String,
        side: Option<&'static str>,
        shares: u64,
        price: Decimal,
        match_number: u64,
        printable: bool,
    },
    Snapshot {
        first: u64,
        last: u64,
        symbol: String,
        cause: &'static str,
        missed_first: u64,
        missed_last: u64,
        missed_trades: u64,
        missed_volume: u64,
        missed_others: u64,
    },
    Passed {
        first: u64,
        last: u64,
        symbol: String,
        itch: char,
    },
    Mode {
        mode: &'static str,
        reason: char,
        number: u64,
    },
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SessionStarted { session } => write!(f, "session {session} begins"),
            Self::Book {
                first,
                last,
                conflated,
                symbol,
                bids,
                asks,
            } => {
                let mark = if *conflated { '*' } else { ' ' };
                write!(f, "{first:>9}..{last:<9}{mark} {symbol:<8} ")?;
                bids.iter()
                    .rev()
                    .try_for_each(|(price, shares)| write!(f, " {shares} {price}"))?;
                f.write_str(" |")?;
                asks.iter()
                    .try_for_each(|(price, shares)| write!(f, " {price} {shares}"))
            }
            Self::Trade {
                seq,
                time_ns,
                symbol,
                shares,
                price,
                ..
            } => write!(f, "{seq:>9}  {}  {symbol:<8} trade {shares} @ {price}", Clock(*time_ns)),
            Self::Snapshot {
                last,
                symbol,
                cause,
                missed_trades,
                missed_volume,
                ..
            } => write!(
                f,
                "{last:>9}  {symbol:<8} {cause}: {missed_trades} trades of {missed_volume} shares were not told"
            ),
            Self::Passed { last, symbol, itch, .. } => write!(f, "{last:>9}  {symbol:<8} {itch}"),
            Self::Mode { mode, reason, number } => write!(f, "{number:>9}  {mode} from here on ({reason})"),
        }
    }
}

/// The last line of a conflated tail.
#[derive(Debug, Default, Serialize)]
pub(super) struct ConflatedSummary {
    pub(super) summary: bool,
    /// Frames of any kind, and their bytes.
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) updates: u64,
    pub(super) conflated: u64,
    pub(super) trades: u64,
    pub(super) snapshots: u64,
    pub(super) resyncs: u64,
    pub(super) missed_trades: u64,
    pub(super) missed_volume: u64,
    /// Checksums that were compared and found equal.
    pub(super) verified: u64,
    /// Full-depth messages, before or after.
    pub(super) full_messages: u64,
    pub(super) last_seq: u64,
    pub(super) mode: &'static str,
    /// How often it was moved to another mode than it asked for, and back.
    pub(super) moved: u64,
    pub(super) session: Option<String>,
}

/// What is followed over QUIC, whatever it is.
pub(super) struct Follower {
    books: Books,
    pub(super) tail: Tail,
    levels: usize,
    pub(super) summary: ConflatedSummary,
    session: Option<Session>,
    snapshot: u64,
    complaint: Option<String>,
}

impl Follower {
    pub(super) fn new(levels: Option<usize>, messages_max: Option<u64>) -> Self {
        Self {
            books: Books::new(),
            tail: Tail::new(levels, messages_max),
            levels: levels.unwrap_or(usize::MAX),
            summary: ConflatedSummary {
                summary: true,
                ..ConflatedSummary::default()
            },
            session: None,
            snapshot: 0,
            complaint: None,
        }
    }

    /// Takes a frame; what there is to say is said by `full` or `conflated`.
    fn take(&mut self, frame: ServerFrame<'_>, full: &mut impl FnMut(&Said<'_>), conflated: &mut impl FnMut(&Line)) {
        self.summary.messages += 1;
        self.summary.bytes += match frame {
            ServerFrame::Packet(bytes) | ServerFrame::SnapshotMessage(bytes) | ServerFrame::Conflated(bytes) => {
                bytes.len() as u64
            }
            _ => 0,
        };
        match frame {
            ServerFrame::Mode { full, reason, number } => {
                self.summary.moved += u64::from(reason != Reason::Asked as u8);
                self.summary.mode = if full { "full" } else { "conflated" };
                let mode = self.summary.mode;
                let reason = char::from(reason);
                conflated(&Line::Mode { mode, reason, number });
            }
            ServerFrame::Packet(packet) => match Packet::parse(packet) {
                Ok(packet) => {
                    if self.session != Some(packet.session()) {
                        self.session = Some(packet.session());
                        self.tail.take(Delivery::SessionStarted(packet.session()), full);
                    }
                    // What a firm may not see has its number and no bytes.
                    for (sequence, bytes) in packet.blocks().filter(|(_, bytes)| !bytes.is_empty()) {
                        self.summary.full_messages += 1;
                        self.tail.take(Delivery::Message { sequence, bytes }, full);
                    }
                    self.summary.last_seq = packet.end().0.saturating_sub(1);
                }
                Err(error) => self.complaint = Some(error.to_string()),
            },
            ServerFrame::SnapshotBegins { session, number } => {
                (self.session, self.snapshot) = (Some(session), number);
                self.tail.take(Delivery::SessionStarted(session), full);
            }
            ServerFrame::SnapshotMessage(bytes) => {
                let sequence = SequenceNumber(self.snapshot);
                self.tail.take(Delivery::Message { sequence, bytes }, full);
            }
            ServerFrame::SnapshotEnds { next } => self.summary.last_seq = next.saturating_sub(1),
            ServerFrame::Conflated(bytes) => self.conflated(bytes, conflated),
            ServerFrame::Cut(why) => self.complaint = Some(String::from_utf8_lossy(why).into_owned()),
            _ => {}
        }
    }

    fn conflated(&mut self, bytes: &[u8], say: &mut impl FnMut(&Line)) {
        let told = match self.books.apply(bytes) {
            Ok(told) => told,
            Err(error) => {
                self.complaint = Some(error.to_string());
                return;
            }
        };
        let summary = &mut self.summary;
        let symbol = |locate: StockLocate| {
            let book = self.books.get(locate);
            book.map_or_else(String::new, |book| text(&book.stock().0))
        };
        match told {
            Told::Session(session) => {
                self.session = Some(session);
                let session = text(&session.0);
                say(&Line::SessionStarted { session });
            }
            Told::Book {
                locate,
                range,
                conflated,
            } => {
                summary.updates += 1;
                summary.conflated += u64::from(conflated);
                summary.verified += 1;
                summary.last_seq = summary.last_seq.max(range.last);
                let Some(book) = self.books.get(locate).filter(|_| locate.0 != 0) else {
                    return;
                };
                let side = |side| {
                    let levels = book.levels(side).take(self.levels);
                    levels.map(|(price, shares)| (units(price), shares)).collect()
                };
                say(&Line::Book {
                    first: range.first,
                    last: range.last,
                    conflated,
                    symbol: symbol(locate),
                    bids: side(Side::Buy),
                    asks: side(Side::Sell),
                });
            }
            Told::Trade(trade) => {
                summary.trades += 1;
                say(&Line::Trade {
                    seq: trade.number,
                    time_ns: trade.time_ns,
                    symbol: symbol(trade.locate),
                    side: trade.side.map(|side| if side == Side::Buy { "buy" } else { "sell" }),
                    shares: trade.shares,
                    price: units(trade.price),
                    match_number: trade.match_number,
                    printable: trade.printable,
                });
            }
            Told::Snapshot(snapshot) => {
                use rialto_conflate::wire::Cause;
                let missed = snapshot.missed;
                summary.snapshots += 1;
                summary.resyncs += u64::from(snapshot.cause != Cause::Join);
                summary.missed_trades += missed.trades;
                summary.missed_volume += missed.volume;
                say(&Line::Snapshot {
                    first: snapshot.range.first,
                    last: snapshot.range.last,
                    symbol: text(&snapshot.stock.0),
                    cause: match snapshot.cause {
                        Cause::Join => "join",
                        Cause::Resync => "resync",
                        Cause::Abandoned => "abandoned",
                    },
                    missed_first: missed.first,
                    missed_last: missed.last,
                    missed_trades: missed.trades,
                    missed_volume: missed.volume,
                    missed_others: missed.others,
                });
            }
            Told::Passed(passed) => say(&Line::Passed {
                first: passed.range.first,
                last: passed.range.last,
                symbol: symbol(passed.locate),
                itch: passed.itch.first().copied().map_or(' ', char::from),
            }),
            Told::Position(last) => summary.last_seq = last,
            Told::Part => {}
        }
    }

    /// Polls once, and says why no more is to be had, if that is so.
    pub(super) fn poll(
        &mut self,
        client: &mut Client,
        full: &mut impl FnMut(&Said<'_>),
        conflated: &mut impl FnMut(&Line),
    ) -> Result<()> {
        let polled = client.poll(LOOK, &mut |frame| self.take(frame, full, conflated));
        if let Some(complaint) = self.complaint.take() {
            bail!("{complaint}");
        }
        polled?;
        self.summary.session = self.session.map(|session| text(&session.0));
        Ok(())
    }

    /// Polls without a word.
    pub(super) fn poll_quietly(&mut self, client: &mut Client) -> Result<()> {
        self.poll(client, &mut |_| {}, &mut |_| {})
    }
}

/// `rialto md tail --via quic`.
pub(super) fn tail(
    args: &QuicArgs,
    levels: Option<usize>,
    messages_max: Option<u64>,
    json: bool,
    is_over: impl Fn() -> bool,
) -> Result<()> {
    let mut client = args.connect()?;
    let mut follower = Follower::new(levels, messages_max);
    let mut full = |said: &Said<'_>| say(json, said);
    let mut conflated = |line: &Line| say(json, line);
    let is_enough = |follower: &Follower| messages_max.is_some_and(|max| follower.summary.updates >= max);
    while !is_over() && !follower.tail.is_full() && !is_enough(&follower) {
        follower.poll(&mut client, &mut full, &mut conflated)?;
    }
    if args.mode == Mode::Full {
        let position = follower
            .session
            .map(|session| (session, SequenceNumber(follower.summary.last_seq + 1)));
        say_pairs(json, &follower.tail.summary(&Counters::default(), position));
    } else {
        say_pairs(json, &follower.summary);
    }
    Ok(())
}

fn say(json: bool, value: &(impl Serialize + std::fmt::Display)) {
    if json {
        out::json_line(value);
    } else {
        out::say(format_args!("{value}"));
    }
}

pub(super) fn say_pairs(json: bool, value: &impl Serialize) {
    if json {
        out::json_line(value);
    } else {
        out::say(format_args!("{}", out::pairs(value)));
    }
}

fn units(price: u32) -> Decimal {
    decimal(Price4::new(price.into()).unwrap_or(Price4::MAX))
}
