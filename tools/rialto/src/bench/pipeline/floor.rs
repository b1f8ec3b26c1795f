//! What an exchange cannot be faster than: a bare echo, and a server that does everything an exchange does around its book
//! except to be one. Each is a thread that yields when nobody asks.

use anyhow::{Context as _, Result, ensure};
use rialto_ouch::messages::{
    AccountQueryResponse, EnterOrder, Inbound, OrderAccepted, OrderReference, OrderState, Timestamp, UserRefNum,
};
use rialto_ouch::soup::{SequenceNumber, ServerEvent, ServerSession, SessionName, SoupConfig};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

/// Bytes of an order on the wire, and of its answer.
const REQUEST: usize = 50;
const ANSWER: usize = 67;
/// Bytes that the journal keeps of an order, about.
const RECORD: usize = 96;
/// A file that is written before it is measured.
const FILE_BYTES: u64 = 64 << 20;
/// What a datagram holds.
const DATAGRAM: usize = 1_400;

/// A prewritten file that goes round.
struct Log {
    file: File,
    at: u64,
    sync: bool,
}

impl Log {
    fn open(path: &Path, sync: bool) -> Result<Self> {
        let file = File::create(path)?;
        let piece = vec![0; 1 << 20];
        for at in (0..FILE_BYTES).step_by(piece.len()) {
            file.write_all_at(&piece, at)?;
        }
        file.sync_all()?;
        Ok(Self { file, at: 0, sync })
    }

    fn keep(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.at + bytes.len() as u64 > FILE_BYTES {
            self.at = 0;
        }
        self.file.write_all_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        if self.sync { self.file.sync_data() } else { Ok(()) }
    }
}

/// A thread that serves one connection until this is dropped.
struct Served {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn start(serve: impl FnOnce(TcpStream, &AtomicBool) -> Result<()> + Send + 'static) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let serving = move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Ok((stream, _)) = listener.accept() {
                    let ready = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
                    if ready.is_ok() {
                        // Who measures notices by what does not come.
                        let _ = serve(stream, &stopped);
                    }
                    return;
                }
                std::thread::yield_now();
            }
        };
        let thread = std::thread::Builder::new().name("limit".to_owned());
        Ok(Self {
            address,
            stop,
            thread: Some(thread.spawn(serving)?),
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What has come, without waiting; `None` at the end.
fn read(stream: &mut TcpStream, into: &mut [u8]) -> Result<Option<usize>> {
    match stream.read(into) {
        Ok(0) => Ok(None),
        Ok(came) => Ok(Some(came)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            std::thread::yield_now();
            Ok(Some(0))
        }
        Err(error) => Err(error.into()),
    }
}

/// The bare echo.
pub(super) struct Echo(Served);

impl Echo {
    pub(super) fn start(folder: &Path, disk: bool) -> Result<Self> {
        let mut log = if disk {
            Some(Log::open(&folder.join("echo"), true)?)
        } else {
            None
        };
        Ok(Self(Served::start(move |mut stream, stop| {
            let (mut buffer, mut have) = ([0; REQUEST], 0);
            while !stop.load(Ordering::Relaxed) {
                let Some(came) = read(&mut stream, buffer.get_mut(have..).unwrap_or_default())? else {
                    return Ok(());
                };
                have += came;
                if have == REQUEST {
                    have = 0;
                    if let Some(log) = &mut log {
                        log.keep(&[1; RECORD])?;
                    }
                    stream.write_all(&[1; ANSWER])?;
                }
            }
            Ok(())
        })?))
    }

    pub(super) fn connect(&self) -> Result<Echoing> {
        let stream = TcpStream::connect(self.0.address).context("the echo does not answer")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Echoing(stream))
    }
}

/// The asking end of the echo: polls as the exchange's client does.
pub(super) struct Echoing(TcpStream);

impl Echoing {
    pub(super) fn one_by_one(&mut self, count: u32) -> Result<Vec<u64>> {
        let mut samples = Vec::with_capacity(count as usize);
        let mut buffer = [0; ANSWER];
        for _ in 0..count {
            let begun = Instant::now();
            self.0.write_all(&[1; REQUEST])?;
            let mut have = 0;
            while have < ANSWER {
                let room = buffer.get_mut(have..).unwrap_or_default();
                have += read(&mut self.0, room)?.context("the echo closed")?;
                ensure!(begun.elapsed() < super::PATIENCE, "the echo did not answer");
            }
            samples.push(begun.elapsed().as_nanos() as u64);
        }
        Ok(samples)
    }
}

/// The toy exchange.
pub(super) struct Floor(Served);

impl Floor {
    pub(super) fn start(folder: &Path, disk: bool) -> Result<Self> {
        let log = Log::open(&folder.join("floor"), disk)?;
        let feed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        feed.set_multicast_ttl_v4(0)?;
        Ok(Self(Served::start(move |stream, stop| {
            Toy {
                stream,
                session: ServerSession::new(SoupConfig::default(), 0),
                log,
                feed,
                book: BTreeMap::new(),
                next: SequenceNumber::FIRST,
                begun: Instant::now(),
            }
            .serve(stop)
        })?))
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.0.address
    }
}

struct Toy {
    stream: TcpStream,
    session: ServerSession,
    log: Log,
    feed: UdpSocket,
    /// Quantity by price.
    book: BTreeMap<u64, u64>,
    next: SequenceNumber,
    begun: Instant,
}

impl Toy {
    fn serve(&mut self, stop: &AtomicBool) -> Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        let mut pending: Vec<u8> = Vec::new();
        let group = (Ipv4Addr::new(239, 192, 77, 9), self.feed.local_addr()?.port());
        while !stop.load(Ordering::Relaxed) {
            let Some(came) = read(&mut self.stream, &mut buffer)? else {
                return Ok(());
            };
            pending.extend_from_slice(buffer.get(..came).unwrap_or_default());
            let answers = self.take(&mut pending)?;
            if !answers.is_empty() {
                self.log.keep(&vec![1; answers.len() * RECORD])?;
                for packet in vec![1; answers.len() * 38].chunks(DATAGRAM) {
                    // A machine without a way to the group pays for the call all the same.
                    let _ = self.feed.send_to(packet, group);
                }
                for answer in answers {
                    self.session.send_sequenced(self.next, &answer)?;
                    self.next = self.next.next();
                }
            }
            // Heartbeats are part of the work, too.
            self.session.handle_timer(self.begun.elapsed().as_nanos() as u64);
            self.flush()?;
        }
        Ok(())
    }

    /// The answers to the orders that have come whole.
    fn take(&mut self, pending: &mut Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let mut answers = Vec::new();
        loop {
            let now = self.begun.elapsed().as_nanos() as u64;
            let taken = self.session.handle_bytes(now, pending);
            pending.drain(..taken);
            let mut polled = 0;
            while let Some(event) = self.session.poll_event() {
                polled += 1;
                match event {
                    ServerEvent::Login(_) => {
                        self.session.accept(SessionName::new("FLOOR")?, self.next)?;
                    }
                    ServerEvent::Message(message) => match Inbound::decode(message)? {
                        Inbound::EnterOrder(order) => {
                            *self.book.entry(order.price.0).or_default() += u64::from(order.quantity.0);
                            // An acknowledgement of the order, as many bytes as the exchange's.
                            let mut answer = Vec::with_capacity(64);
                            acknowledge(&order).encode(&mut answer);
                            answers.push(answer);
                        }
                        Inbound::AccountQuery(_) => {
                            let mut answer = Vec::new();
                            AccountQueryResponse {
                                timestamp: Timestamp(0),
                                next_user_ref: UserRefNum(1),
                            }
                            .encode(&mut answer);
                            answers.push(answer);
                        }
                        _ => {}
                    },
                    ServerEvent::Closed(_) => return Ok(answers),
                }
            }
            if (taken == 0 && polled == 0) || pending.is_empty() {
                return Ok(answers);
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        loop {
            let output = self.session.poll_output();
            if output.is_empty() {
                return Ok(());
            }
            match self.stream.write(output) {
                Ok(took) => {
                    let now = self.begun.elapsed().as_nanos() as u64;
                    self.session.handle_sent(now, took);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    std::thread::yield_now();
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

const fn acknowledge<'a>(order: &EnterOrder<'a>) -> OrderAccepted<'a> {
    OrderAccepted {
        timestamp: Timestamp(0),
        user_ref: order.user_ref,
        side: order.side,
        quantity: order.quantity,
        symbol: order.symbol,
        price: order.price,
        time_in_force: order.time_in_force,
        display: rialto_ouch::messages::AcceptedDisplay::Visible,
        order_reference: OrderReference(1),
        capacity: order.capacity,
        inter_market_sweep: order.inter_market_sweep,
        cross_type: order.cross_type,
        order_state: OrderState::Live,
        cl_ord_id: order.cl_ord_id,
        appendage: order.appendage,
    }
}
