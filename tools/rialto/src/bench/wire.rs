//! `rialto bench wire`: how long does an order take over a socket, from its last byte out to its acknowledgement's last byte in,
//! and how much of that is the socket's own?
//!
//! The load: orders that rest, one instrument, a fixed number of them outstanding. The exchange is a process of its own: doors,
//! journal in mode memory, engine and multicast lines on two threads, which is what the floor has, or with `--whole` all that
//! `rialto up` has beside the path. Rounds of it alternate with rounds of a bare TCP echo whose messages
//! have the size of order and acknowledgement, and the exchange is stopped (SIGSTOP) while the echo has its core. With more
//! than one outstanding a floor is measured too: the echo with a toy book, a written file and one datagram a batch around it.
//! Not inside: encoding the orders, which is done before a round begins.

mod served;

use self::served::{FIX_USER, OUCH_USER, PASSWORD, Served};
use crate::ouch_client::login_for_new;
use crate::out;
use crate::tcp::{Connection, Reading};
use anyhow::{Context as _, Result, bail, ensure};
use rialto_fix::client::{Client, ClientConfig, ClientEvent, Credentials};
use rialto_fix::message::FieldWriter;
use rialto_fix::{Monotonic, MsgType, Now, TimePrecision, UtcTimestamp, Version, tags};
use rialto_ouch::messages::{
    Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, Price, Quantity, Side, Symbol,
    TimeInForce, UserRefNum,
};
use rialto_ouch::soup::{ClientEvent as SoupEvent, ClientSession, SoupConfig};
use rialto_ring::layout::Cores;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long anything may take that is not measured; only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Prices that the orders are spread over.
const PRICES: u64 = 1_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which door
    #[arg(long, value_enum, default_value_t = Door::Ouch)]
    door: Door,
    /// Orders sent and not yet acknowledged
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4_096))]
    outstanding: u64,
    /// Orders in a round; by default 2,000, or 20,000 with more than one outstanding
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    orders: Option<u64>,
    /// Rounds of the exchange, each after one of the echo
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// Measure against this echo, which sends back what it gets, instead of one of ours
    #[arg(long, value_name = "HOST:PORT")]
    connect: Option<SocketAddr>,
    /// How the exchange's threads wait
    #[arg(long, default_value = "spin", value_parser = crate::choices::IDLES)]
    idle: String,
    /// With all that `rialto up` has beside the path of an order: console, QUIC, GLIMPSE
    #[arg(long)]
    whole: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Door {
    Ouch,
    Fix,
}

#[derive(Debug, Serialize)]
struct Summary {
    door: &'static str,
    /// Whether the exchange had its console, QUIC and GLIMPSE.
    whole: bool,
    outstanding: u64,
    orders: u64,
    rounds: u64,
    order_bytes: usize,
    ack_bytes: usize,
    p50_us: f64,
    p99_us: f64,
    echo_p50_us: f64,
    echo_p99_us: f64,
    /// Order to acknowledgement over the echo's, at the median.
    ratio_p50: f64,
    /// The median of the rounds.
    orders_per_second: u64,
    echo_per_second: u64,
    /// The echo with a toy book, a written file and a datagram a batch; null with one outstanding.
    floor_per_second: Option<u64>,
    /// The exchange's rate over the floor's.
    ratio_floor: Option<f64>,
    cores: usize,
}

/// How orders are said and acknowledgements are seen.
trait Wire {
    /// Appends the next order.
    fn order(&mut self, out: &mut Vec<u8>);
    /// Takes in bytes and says how many orders they acknowledge.
    fn acks(&mut self, bytes: &[u8]) -> Result<usize>;
}

pub(crate) fn run(args: Args) -> Result<()> {
    let cores = Cores::read();
    let orders = args
        .orders
        .unwrap_or(if args.outstanding == 1 { 2_000 } else { 20_000 });
    let outstanding = args.outstanding as usize;
    let bar = out::progress(args.rounds, "rounds", args.json);
    let exchange = Served::start(&args.idle, args.whole)?;
    let (mut stream, mut wire, order_bytes, ack_bytes) = log_on(args.door, &exchange)?;
    exchange.pause()?;
    let (echo, mut echo_stream) = echo(&args, order_bytes, ack_bytes, false)?;
    let floor = if outstanding > 1 && args.connect.is_none() {
        Some(self::echo(&args, order_bytes, ack_bytes, true)?)
    } else {
        None
    };
    // The exchange's orders are on the first core, its feed and sync on the second; the client is with those, and says so last,
    // because whoever it starts may run where it may. A system that refuses costs precision.
    let _ = cores.pin(1.min(cores.count().saturating_sub(1)));
    let echo_ack = if args.connect.is_some() { order_bytes } else { ack_bytes };
    let mut blank = Blank {
        order_bytes,
        ack_bytes: echo_ack,
        left: 0,
    };
    let (mut by_exchange, mut by_echo, mut by_floor) = (Samples::default(), Samples::default(), Samples::default());
    let (mut floor, mut floor_stream) = floor.unzip();
    for round in 0..=args.rounds {
        // The first round of each warms and does not count.
        let counts = round > 0;
        echo.resume();
        by_echo.take(round_of(&mut echo_stream, &mut blank, orders, outstanding)?, counts);
        echo.pause();
        if let (Some(floor), Some(stream)) = (&mut floor, &mut floor_stream) {
            floor.resume();
            by_floor.take(round_of(stream, &mut blank, orders, outstanding)?, counts);
            floor.pause();
        }
        exchange.resume()?;
        by_exchange.take(round_of(&mut stream, &mut *wire, orders, outstanding)?, counts);
        exchange.pause()?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    exchange.resume()?;
    let floor_per_second = floor.is_some().then(|| by_floor.rate());
    let summary = Summary {
        door: if args.door == Door::Ouch { "ouch" } else { "fix" },
        whole: args.whole,
        outstanding: args.outstanding,
        orders,
        rounds: args.rounds,
        order_bytes,
        ack_bytes,
        p50_us: by_exchange.percentile(50),
        p99_us: by_exchange.percentile(99),
        echo_p50_us: by_echo.percentile(50),
        echo_p99_us: by_echo.percentile(99),
        ratio_p50: rounded(by_exchange.percentile(50) / by_echo.percentile(50).max(0.001)),
        orders_per_second: by_exchange.rate(),
        echo_per_second: by_echo.rate(),
        floor_per_second,
        ratio_floor: floor_per_second.map(|floor| rounded(by_exchange.rate() as f64 / floor.max(1) as f64)),
        cores: cores.count(),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// What the rounds of one side came to.
#[derive(Default)]
struct Samples {
    latencies_ns: Vec<u64>,
    rates: Vec<u64>,
}

impl Samples {
    fn take(&mut self, (latencies_ns, elapsed): (Vec<u64>, Duration), counts: bool) {
        if counts {
            let rate = latencies_ns.len() as f64 / elapsed.as_secs_f64().max(1e-9);
            self.rates.push(rate as u64);
            self.latencies_ns.extend(latencies_ns);
            self.latencies_ns.sort_unstable();
        }
    }

    fn percentile(&self, hundredths: usize) -> f64 {
        let at = self.latencies_ns.len() * hundredths / 100;
        let at = at.min(self.latencies_ns.len().saturating_sub(1));
        rounded(self.latencies_ns.get(at).copied().unwrap_or_default() as f64 / 1_000.0)
    }

    fn rate(&self) -> u64 {
        let mut rates = self.rates.clone();
        rates.sort_unstable();
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    }
}

/// Sends orders, so many outstanding, and times each until it is acknowledged. The client never sleeps.
fn round_of(
    stream: &mut TcpStream,
    wire: &mut dyn Wire,
    orders: u64,
    outstanding: usize,
) -> Result<(Vec<u64>, Duration)> {
    let orders = orders as usize;
    let mut latencies_ns = Vec::with_capacity(orders);
    let mut waiting: VecDeque<Instant> = VecDeque::with_capacity(outstanding);
    let (mut sent, mut read) = (0, [0_u8; 64 * 1024]);
    // All orders, and where each begins and the last one ends.
    let (mut out, mut places) = (Vec::new(), vec![0]);
    for _ in 0..orders {
        wire.order(&mut out);
        places.push(out.len());
    }
    let begun = Instant::now();
    while latencies_ns.len() < orders {
        // Filled up when half is acknowledged, so that orders go out several at a time.
        if sent < orders && waiting.len() <= outstanding / 2 {
            let count = (outstanding - waiting.len()).min(orders - sent);
            let place = |order: usize| places.get(order).copied().unwrap_or_default();
            let bytes = out.get(place(sent)..place(sent + count)).unwrap_or_default();
            let now = Instant::now();
            write_all(stream, bytes)?;
            waiting.extend(std::iter::repeat_n(now, count));
            sent += count;
        }
        match stream.read(&mut read) {
            Ok(0) => bail!("the other end closed the connection"),
            Ok(count) => {
                let acks = wire.acks(read.get(..count).unwrap_or_default())?;
                let now = Instant::now();
                for _ in 0..acks {
                    let at = waiting.pop_front().context("more acknowledgements than orders")?;
                    latencies_ns.push(now.duration_since(at).as_nanos() as u64);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
            Err(error) => return Err(error.into()),
        }
        ensure!(begun.elapsed() < PATIENCE, "a round takes more than {PATIENCE:?}");
    }
    Ok((latencies_ns, begun.elapsed()))
}

fn write_all(stream: &mut TcpStream, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

// --- How orders are said ---

type LoggedOn = (TcpStream, Box<dyn Wire>, usize, usize);

/// Logs on and sends one order, to see how long order and acknowledgement are.
fn log_on(door: Door, exchange: &Served) -> Result<LoggedOn> {
    let (mut stream, mut wire): (TcpStream, Box<dyn Wire>) = match door {
        Door::Ouch => {
            let (stream, wire) = OuchWire::log_on(exchange.ouch())?;
            (stream, Box::new(wire))
        }
        Door::Fix => {
            let (stream, wire) = FixWire::log_on(exchange.fix())?;
            (stream, Box::new(wire))
        }
    };
    let mut order = Vec::new();
    wire.order(&mut order);
    write_all(&mut stream, &order)?;
    let (mut read, mut got, begun) = ([0; 4096], 0, Instant::now());
    loop {
        match stream.read(&mut read) {
            Ok(0) => bail!("the exchange closed the connection"),
            Ok(count) => {
                got += count;
                if wire.acks(read.get(..count).unwrap_or_default())? > 0 {
                    return Ok((stream, wire, order.len(), got));
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(error) => return Err(error.into()),
        }
        ensure!(begun.elapsed() < PATIENCE, "the first order was not acknowledged");
    }
}

/// OUCH orders in SoupBinTCP packets; what changes in them is written in place.
struct OuchWire {
    packet: Vec<u8>,
    reference: u32,
    read: Vec<u8>,
}

impl OuchWire {
    fn log_on(address: SocketAddr) -> Result<(TcpStream, Self)> {
        let mut connection = Connection::open("OUCH", address)?;
        let login = login_for_new(OUCH_USER, PASSWORD)?;
        let begun = Instant::now();
        let now_ns = || begun.elapsed().as_nanos() as u64;
        let mut session = ClientSession::new(SoupConfig::default(), login, now_ns());
        let (mut left, mut in_) = (Vec::new(), false);
        while !in_ {
            let reading = connection.read(&mut left);
            let taken = session.handle_bytes(now_ns(), &left);
            left.drain(..taken);
            while let Some(event) = session.poll_event() {
                in_ |= matches!(event, SoupEvent::LoggedIn(_));
            }
            let count = connection.write(session.poll_output());
            session.handle_sent(now_ns(), count);
            ensure!(
                reading == Reading::Open && begun.elapsed() < PATIENCE,
                "the OUCH login was refused"
            );
        }
        let mut packet = vec![0, 48, b'U'];
        order(1).encode(&mut packet);
        let wire = Self {
            packet,
            reference: 0,
            read: left,
        };
        Ok((connection.into_stream(), wire))
    }
}

fn order(reference: u32) -> EnterOrder<'static> {
    EnterOrder {
        user_ref: UserRefNum(reference),
        side: Side::Buy,
        quantity: Quantity(100),
        symbol: Symbol::new("ACME").unwrap_or(Symbol::BLANK),
        price: Price(100_000 + u64::from(reference) % PRICES * 100),
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Principal,
        inter_market_sweep: InterMarketSweep::NotEligible,
        cross_type: CrossType::Continuous,
        cl_ord_id: ClOrdId::BLANK,
        appendage: Appendage::EMPTY,
    }
}

impl Wire for OuchWire {
    fn order(&mut self, out: &mut Vec<u8>) {
        self.reference += 1;
        self.packet.truncate(3);
        order(self.reference).encode(&mut self.packet);
        out.extend_from_slice(&self.packet);
    }

    fn acks(&mut self, bytes: &[u8]) -> Result<usize> {
        self.read.extend_from_slice(bytes);
        let (mut at, mut acks) = (0, 0);
        while let Some(&[high, low, kind]) = self.read.get(at..at + 3) {
            let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
            let Some(packet) = self.read.get(at + 3..end) else {
                break;
            };
            match (kind, packet.first()) {
                (b'S', Some(b'A')) => acks += 1,
                (b'S', Some(b'S')) | (b'H', _) => {}
                _ => bail!("not an acknowledgement: {}", packet.escape_ascii()),
            }
            at = end;
        }
        self.read.drain(..at);
        Ok(acks)
    }
}

/// FIX 4.4 orders.
struct FixWire {
    client: Client,
    number: u64,
    body: Vec<u8>,
    read: Vec<u8>,
    time: Now,
}

impl FixWire {
    fn log_on(address: SocketAddr) -> Result<(TcpStream, Self)> {
        let mut connection = Connection::open("FIX", address)?;
        let config = ClientConfig {
            credentials: Some(Credentials {
                username: FIX_USER.into(),
                password: PASSWORD.into(),
            }),
            reset_numbers: true,
            ..ClientConfig::new(Version::Fix44, FIX_USER, "RIALTO")
        };
        let utc = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
        let time = Now {
            monotonic: Monotonic(0),
            utc: UtcTimestamp(utc),
        };
        let mut client = Client::new(config, time);
        client.logon(time);
        let (begun, mut left) = (Instant::now(), Vec::new());
        while !client.is_logged_on() {
            let count = connection.write(client.transmit());
            client.transmitted(count);
            let reading = connection.read(&mut left);
            let taken = client.handle_bytes(&left);
            left.drain(..taken);
            while let Some(event) = client.poll_event(time) {
                ensure!(!matches!(event, ClientEvent::LoggedOut(_)), "the FIX Logon was refused");
            }
            ensure!(
                reading == Reading::Open && begun.elapsed() < PATIENCE,
                "the FIX Logon was refused"
            );
        }
        let wire = Self {
            client,
            number: 0,
            body: Vec::new(),
            read: left,
            time,
        };
        Ok((connection.into_stream(), wire))
    }
}

impl Wire for FixWire {
    fn order(&mut self, out: &mut Vec<u8>) {
        self.number += 1;
        self.body.clear();
        FieldWriter::new(&mut self.body)
            .text(tags::CL_ORD_ID, &format!("b{:07}", self.number))
            .unsigned(tags::ORDER_QTY, 100)
            .character(tags::ORD_TYPE, b'2')
            .decimal(tags::PRICE, 100_000 + (self.number % PRICES * 100) as i64, 4)
            .character(tags::SIDE, b'1')
            .text(tags::SYMBOL, "ACME")
            .character(tags::TIME_IN_FORCE, b'0')
            .timestamp(tags::TRANSACT_TIME, self.time.utc, TimePrecision::Milliseconds);
        self.client.send(self.time, MsgType::NEW_ORDER_SINGLE, &self.body);
        let bytes = self.client.transmit();
        out.extend_from_slice(bytes);
        let count = bytes.len();
        self.client.transmitted(count);
    }

    fn acks(&mut self, bytes: &[u8]) -> Result<usize> {
        self.read.extend_from_slice(bytes);
        let (mut at, mut acks) = (0, 0);
        while let Some(frame) = self.read.get(at..).filter(|frame| !frame.is_empty()) {
            // `8=FIX.4.4|9=n|`, then n bytes, then `10=nnn|`.
            let Some(length_at) = frame.iter().position(|&byte| byte == 1).map(|soh| soh + 3) else {
                break;
            };
            let Some(digits) = frame
                .get(length_at..)
                .and_then(|rest| rest.iter().position(|&byte| byte == 1))
            else {
                break;
            };
            let length = frame.get(length_at..length_at + digits).unwrap_or_default();
            let length = rialto_fix::message::parse_unsigned(length).context("no FIX message")? as usize;
            let body_at = length_at + digits + 1;
            let Some(body) = frame.get(body_at..body_at + length + 7) else {
                break;
            };
            match body.get(3..5) {
                Some(b"8\x01") => acks += 1,
                Some(b"0\x01" | b"1\x01") => {}
                _ => bail!("not an acknowledgement: {}", body.escape_ascii()),
            }
            at += body_at + length + 7;
        }
        self.read.drain(..at);
        Ok(acks)
    }
}

// --- The echo ---

/// Messages of the size of orders and acknowledgements, without contents.
struct Blank {
    order_bytes: usize,
    ack_bytes: usize,
    left: usize,
}

impl Wire for Blank {
    fn order(&mut self, out: &mut Vec<u8>) {
        out.resize(out.len() + self.order_bytes, b'x');
    }

    fn acks(&mut self, bytes: &[u8]) -> Result<usize> {
        self.left += bytes.len();
        let acks = self.left / self.ack_bytes;
        self.left %= self.ack_bytes;
        Ok(acks)
    }
}

/// A thread of ours that sends an acknowledgement for each order, and waits without work while it is paused.
struct Echo(Arc<AtomicBool>);

impl Echo {
    fn resume(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn pause(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The work that an exchange cannot do without, in its cheapest form.
struct Work {
    book: BTreeMap<(u64, u64), [u8; 32]>,
    journal: std::fs::File,
    feed: UdpSocket,
    count: u64,
}

fn echo(args: &Args, order_bytes: usize, ack_bytes: usize, works: bool) -> Result<(Echo, TcpStream)> {
    let runs = Arc::new(AtomicBool::new(false));
    let address = match args.connect.filter(|_| !works) {
        Some(address) => address,
        None => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?;
            let work = if works {
                let feed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                feed.connect((Ipv4Addr::new(239, 192, 77, 9), address.port()))?;
                Some(Work {
                    book: BTreeMap::new(),
                    journal: tempfile::tempfile()?,
                    feed,
                    count: 0,
                })
            } else {
                None
            };
            let mine = Arc::clone(&runs);
            let thread = std::thread::Builder::new().name("echo".to_owned());
            thread.spawn(move || serve(&listener, &mine, order_bytes, ack_bytes, work))?;
            address
        }
    };
    let stream = TcpStream::connect(address).with_context(|| format!("no echo answers at {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok((Echo(runs), stream))
}

/// Serves one connection until it ends, on the core that the exchange has when it is not stopped.
fn serve(listener: &TcpListener, runs: &AtomicBool, order_bytes: usize, ack_bytes: usize, mut work: Option<Work>) {
    let _ = Cores::read().pin(0);
    let Ok((mut stream, _)) = listener.accept() else { return };
    if stream.set_nodelay(true).is_err() || stream.set_nonblocking(true).is_err() {
        return;
    }
    let (mut read, mut left, acks) = ([0; 64 * 1024], 0, vec![b'y'; 4_096 * ack_bytes]);
    loop {
        if !runs.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_micros(200));
            continue;
        }
        match stream.read(&mut read) {
            Ok(0) => return,
            Ok(count) => {
                left += count;
                let orders = left / order_bytes;
                left %= order_bytes;
                let bytes = read.get(..count).unwrap_or_default();
                if let Some(work) = &mut work
                    && work.take(orders, bytes).is_err()
                {
                    return;
                }
                let answer = acks.get(..orders * ack_bytes).unwrap_or_default();
                if write_all(&mut stream, answer).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
            Err(_) => return,
        }
    }
}

impl Work {
    fn take(&mut self, orders: usize, bytes: &[u8]) -> std::io::Result<()> {
        for _ in 0..orders {
            self.count += 1;
            self.book.insert((self.count % PRICES, self.count), [0; 32]);
        }
        self.journal.write_all(bytes)?;
        // A multicast group that nobody listens to takes the datagram all the same.
        let _ = self.feed.send(bytes.get(..bytes.len().min(1_400)).unwrap_or_default());
        Ok(())
    }
}
