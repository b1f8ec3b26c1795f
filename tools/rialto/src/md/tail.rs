//! `rialto md tail`: a subscriber that knows nothing but the packets.

use super::line::{Clock, Line, decimal};
use super::quic::{self, Mode, QuicArgs, Via};
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use rialto_client::{FeedAddresses, FeedClient, Glimpse, GlimpseLogin};
use rialto_itch::mold::{SequenceNumber, Session};
use rialto_itch::{Message, StockLocate};
use rialto_subscriber::{Book, Books, Config, Counters, Delivery, Level, Start};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

/// Displayed orders that are followed at most.
const ORDERS_MAX: usize = 1 << 22;
/// How long one look at the sockets waits.
const LOOK: Duration = Duration::from_millis(100);
/// How long a snapshot may take.
const SNAPSHOT_TIME: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How it comes: by the multicast lines, or over QUIC
    #[arg(long, value_enum, default_value_t = Via::Multicast)]
    via: Via,
    #[command(flatten)]
    quic: QuicArgs,
    /// Multicast group and port of line A
    #[arg(long, value_name = "GROUP:PORT", required_if_eq("via", "multicast"), value_parser = crate::choices::group)]
    group: Option<SocketAddrV4>,
    /// Multicast group and port of line B: what one line loses the other may bring
    #[arg(long, value_name = "GROUP:PORT", value_parser = crate::choices::group)]
    group_b: Option<SocketAddrV4>,
    /// The re-request server; without it what was lost stays lost
    #[arg(long, value_name = "HOST:PORT", value_parser = crate::choices::address)]
    rerequest: Option<SocketAddr>,
    /// The interface to join on, by its address
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST)]
    interface: Ipv4Addr,
    /// The GLIMPSE server; with it the books are taken as they stand, and taken again where messages are lost for good
    #[arg(long, value_name = "HOST:PORT", value_parser = crate::choices::address)]
    glimpse: Option<SocketAddr>,
    /// Where to begin: by a snapshot, with the day's first message, or with the first packet that comes; auto takes the first
    /// of these that can be had
    #[arg(long, value_enum, default_value_t = Join::Auto)]
    join: Join,
    /// The same as --join live
    #[arg(long, conflicts_with = "join")]
    live: bool,
    /// Instead of messages, print the best N levels of a book when they change
    #[arg(long, value_name = "N")]
    levels: Option<usize>,
    /// Stop after so many messages
    #[arg(long, value_name = "N")]
    messages: Option<u64>,
    /// Stop after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Print one JSON object a line, and the summary as the last one
    #[arg(long)]
    json: bool,
}

/// Where a tail begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Join {
    Auto,
    Glimpse,
    Beginning,
    Live,
}

impl Args {
    fn join(&self) -> Join {
        match self.join {
            _ if self.live => Join::Live,
            Join::Auto if self.glimpse.is_some() => Join::Glimpse,
            Join::Auto if self.rerequest.is_some() => Join::Beginning,
            Join::Auto => Join::Live,
            join => join,
        }
    }

    /// Where snapshots are to be had, if they are wanted.
    fn snapshots(&self) -> Result<Option<Glimpse>> {
        if self.join() != Join::Glimpse {
            return Ok(None);
        }
        let server = self.glimpse.context("--join glimpse needs --glimpse HOST:PORT")?;
        let (user, password) = self
            .quic
            .credentials()
            .context("--glimpse needs --user and --password")?;
        let login = GlimpseLogin { user, password };
        Ok(Some(Glimpse { server, login }))
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let deadline = args
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let is_late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let Some(line_a) = args.group.filter(|_| args.via == Via::Multicast) else {
        let until = || interrupt.is_set() || out::is_closed() || is_late();
        return quic::tail(&args.quic, args.levels, args.messages, args.json, until);
    };
    ensure!(
        args.quic.mode == Mode::Full,
        "the multicast lines carry full depth alone: for less add --via quic"
    );
    let addresses = FeedAddresses {
        line_a,
        line_b: args.group_b,
        rerequest: args.rerequest,
        interface: args.interface,
    };
    let snapshots = args.snapshots()?;
    let mut tail = Tail::new(args.levels, args.messages);
    let mut print = |said: &Said<'_>| {
        if args.json {
            out::json_line(said);
        } else {
            out::say(format_args!("{said}"));
        }
    };
    let config = Config::default();
    let mut client = match &snapshots {
        Some(glimpse) => FeedClient::join_by_snapshot(addresses, config, glimpse, SNAPSHOT_TIME, &mut |delivery| {
            tail.take(delivery, &mut print);
        })?,
        None if args.join() == Join::Beginning => FeedClient::join(addresses)?,
        None => FeedClient::join_at(addresses, config, Start::Live)?,
    };
    while !interrupt.is_set() && !out::is_closed() && !tail.is_full() && !is_late() {
        client.poll(LOOK, &mut |delivery| tail.take(delivery, &mut print))?;
        if let Some(glimpse) = snapshots.as_ref().filter(|_| tail.is_astray()) {
            client.rejoin(config, glimpse, SNAPSHOT_TIME, &mut |delivery| {
                tail.take(delivery, &mut print);
            })?;
        }
    }
    let summary = tail.summary(&client.counters(), client.position());
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

/// What a tail prints.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Said<'a> {
    Message(&'a Line),
    Book(&'a BookLine),
    Session(&'a SessionLine),
}

/// Price and shares of the best levels, best first.
type Side = Vec<(Decimal, u64)>;

/// The best levels of a book after a message.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct BookLine {
    #[serde(rename = "type")]
    kind: &'static str,
    seq: u64,
    time_ns: u64,
    symbol: Option<String>,
    bids: Side,
    asks: Side,
}

/// What became of the stream of messages.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum SessionLine {
    SessionStarted { session: String },
    Lost { first: u64, count: u64 },
    SessionEnded { next: u64 },
}

impl std::fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(line) => line.fmt(f),
            Self::Book(line) => {
                let symbol = line.symbol.as_deref().unwrap_or("-");
                write!(f, "{:>9}  {}  {symbol:<8} ", line.seq, Clock(line.time_ns))?;
                for (price, shares) in line.bids.iter().rev() {
                    write!(f, " {shares} {price}")?;
                }
                f.write_str(" |")?;
                for (price, shares) in &line.asks {
                    write!(f, " {price} {shares}")?;
                }
                Ok(())
            }
            Self::Session(SessionLine::SessionStarted { session }) => write!(f, "session {session} begins"),
            Self::Session(SessionLine::Lost { first, count }) => {
                write!(
                    f,
                    "lost: {count} messages from {first} on; the books are wrong from here on"
                )
            }
            Self::Session(SessionLine::SessionEnded { next }) => write!(f, "the session ends before {next}"),
        }
    }
}

/// The last line.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    summary: bool,
    /// Datagrams of any kind: both lines and answers.
    packets: u64,
    messages: u64,
    gaps: u64,
    /// Messages shown to be missing.
    missing: u64,
    /// Messages asked for, again and again included.
    requested: u64,
    /// Messages that were missing and came after all.
    recovered: u64,
    lost: u64,
    duplicates: u64,
    malformed: u64,
    /// Messages that no book could take.
    refused: u64,
    session: Option<String>,
    last_seq: u64,
    instruments: Vec<Best>,
}

/// The best of a book.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Best {
    symbol: Option<String>,
    bid: Option<Decimal>,
    bid_shares: u64,
    ask: Option<Decimal>,
    ask_shares: u64,
}

/// What the tail has seen.
pub(super) struct Tail {
    books: Books,
    levels: Option<usize>,
    /// The levels printed last.
    printed: BTreeMap<StockLocate, (Side, Side)>,
    messages: u64,
    messages_max: Option<u64>,
    undecodable: u64,
    last_seq: u64,
    /// Messages were lost for good since the session began or was stated anew.
    astray: bool,
}

impl Tail {
    pub(super) fn new(levels: Option<usize>, messages_max: Option<u64>) -> Self {
        Self {
            books: Books::new(ORDERS_MAX),
            levels,
            printed: BTreeMap::new(),
            messages: 0,
            messages_max,
            undecodable: 0,
            last_seq: 0,
            astray: false,
        }
    }

    fn is_astray(&self) -> bool {
        self.astray
    }

    pub(super) fn is_full(&self) -> bool {
        self.messages_max.is_some_and(|max| self.messages >= max)
    }

    pub(super) fn take(&mut self, delivery: Delivery<'_>, print: &mut impl FnMut(&Said<'_>)) {
        // The rest of a packet beyond the number asked for is not looked at.
        if self.is_full() {
            return;
        }
        let line = match delivery {
            Delivery::Message { sequence, bytes } => return self.message(sequence.0, bytes, print),
            Delivery::SessionStarted(session) => {
                self.books.clear();
                self.printed.clear();
                self.astray = false;
                SessionLine::SessionStarted {
                    session: text(&session.0),
                }
            }
            Delivery::Lost { first, count } => {
                self.astray = true;
                SessionLine::Lost { first: first.0, count }
            }
            Delivery::SessionEnded { next } => SessionLine::SessionEnded { next: next.0 },
        };
        print(&Said::Session(&line));
    }

    fn message(&mut self, seq: u64, bytes: &[u8], print: &mut impl FnMut(&Said<'_>)) {
        self.messages += 1;
        self.last_seq = seq;
        let Ok(message) = Message::decode(bytes) else {
            self.undecodable += 1;
            return;
        };
        // A refused message leaves the books as they were, and is counted there.
        let changed = self.books.apply(&message).ok().flatten();
        let locate = message.header().locate;
        match (self.levels, changed) {
            (None, _) => print(&Said::Message(&Line::new(seq, &message, self.books.book(locate)))),
            (Some(levels), Some(locate)) => self.book(seq, message.header().timestamp.ns(), locate, levels, print),
            (Some(_), None) => {}
        }
    }

    fn book(&mut self, seq: u64, time_ns: u64, locate: StockLocate, levels: usize, print: &mut impl FnMut(&Said<'_>)) {
        let Some(book) = self.books.book(locate) else { return };
        let top = (best(book.bids(), levels), best(book.asks(), levels));
        if self.printed.get(&locate) != Some(&top) {
            self.printed.insert(locate, top.clone());
            let (bids, asks) = top;
            print(&Said::Book(&BookLine {
                kind: "book",
                seq,
                time_ns,
                symbol: symbol(book),
                bids,
                asks,
            }));
        }
    }

    pub(super) fn summary(&self, counters: &Counters, position: Option<(Session, SequenceNumber)>) -> Summary {
        let instruments = self.books.iter().map(|(_, book)| {
            let (bid, ask) = (book.bids().next(), book.asks().next());
            let shares = |level: Option<Level>| level.map_or(0, |level| level.shares.0);
            let price = |level: Option<Level>| level.map(|level| decimal(level.price));
            let (bid_shares, ask_shares) = (shares(bid), shares(ask));
            Best {
                symbol: symbol(book),
                bid: price(bid),
                bid_shares,
                ask: price(ask),
                ask_shares,
            }
        });
        Summary {
            summary: true,
            packets: counters.packets_a + counters.packets_b + counters.packets_recovery,
            messages: self.messages,
            gaps: counters.gaps,
            missing: counters.missing,
            requested: counters.requested,
            recovered: counters.missing.saturating_sub(counters.lost),
            lost: counters.lost,
            duplicates: counters.duplicates,
            malformed: counters.malformed + self.undecodable,
            refused: self.books.counters().refused,
            session: position.map(|(session, _)| text(&session.0)),
            last_seq: self.last_seq,
            instruments: instruments.collect(),
        }
    }
}

fn best(side: impl Iterator<Item = Level>, levels: usize) -> Side {
    side.take(levels)
        .map(|level| (decimal(level.price), level.shares.0))
        .collect()
}

fn symbol(book: &Book) -> Option<String> {
    book.stock().and_then(|stock| stock.as_str().map(str::to_owned))
}

/// A padded name as text.
pub(super) fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_itch::{AddOrder, Header, OrderDelete, OrderReference, Price4, Shares, Side as OrderSide, Stock};

    fn play(levels: Option<usize>, messages_max: Option<u64>) -> Vec<String> {
        let header = Header {
            locate: StockLocate(3),
            ..Header::default()
        };
        let add = |reference, side, units| {
            let (reference, shares, stock) = (OrderReference(reference), Shares(100), Stock::new("ACME").unwrap());
            AddOrder {
                header,
                reference,
                side,
                shares,
                stock,
                price: Price4::new(units).unwrap(),
            }
            .into()
        };
        let script: [Message; 5] = [
            add(1, OrderSide::Buy, 10_000),
            add(2, OrderSide::Sell, 10_200),
            add(3, OrderSide::Buy, 9_900),
            OrderDelete {
                header,
                reference: OrderReference(9),
            }
            .into(),
            OrderDelete {
                header,
                reference: OrderReference(1),
            }
            .into(),
        ];
        let mut tail = Tail::new(levels, messages_max);
        let mut said = Vec::new();
        let mut print = |line: &Said<'_>| said.push(format!("{line}").split_whitespace().collect::<Vec<_>>().join(" "));
        tail.take(Delivery::SessionStarted(Session::new("DAY1").unwrap()), &mut print);
        for (sequence, message) in (1..).zip(script) {
            let mut bytes = Vec::new();
            message.append_to(&mut bytes);
            tail.take(
                Delivery::Message {
                    sequence: SequenceNumber(sequence),
                    bytes: &bytes,
                },
                &mut print,
            );
        }
        tail.take(
            Delivery::Lost {
                first: SequenceNumber(6),
                count: 2,
            },
            &mut print,
        );
        tail.take(
            Delivery::SessionEnded {
                next: SequenceNumber(8),
            },
            &mut print,
        );
        assert_eq!(tail.books.counters().refused, u64::from(messages_max.is_none()));
        said
    }

    #[test]
    fn a_line_for_each_change_of_the_best_levels() {
        let expected = [
            "session DAY1 begins",
            "1 00:00:00.000000000 ACME 100 1.0000 |",
            "2 00:00:00.000000000 ACME 100 1.0000 | 1.0200 100",
            "5 00:00:00.000000000 ACME 100 0.9900 | 1.0200 100",
            "lost: 2 messages from 6 on; the books are wrong from here on",
            "the session ends before 8",
        ];
        assert_eq!(play(Some(1), None), expected);
        assert_eq!(
            play(Some(2), None).len(),
            expected.len() + 1,
            "with two levels the third message shows as well"
        );
    }

    #[test]
    fn a_line_for_each_message_up_to_the_bound() {
        let lines = play(None, Some(2));
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[2], "2 00:00:00.000000000 ACME A add sell 100 @ 1.0200 order 2");
    }
}
