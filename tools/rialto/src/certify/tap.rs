//! The wire between the client under test and the venue: everything passes through it, is noted, and may get lost.
//!
//! A client connects to the tap's address, which stays the same when the venue is killed and comes back elsewhere.

use super::case::{Door, From, Lose};
use super::frame::{Frame, Names};
use anyhow::{Context as _, Result};
use rialto_fix::message::Framer as FixFramer;
use rialto_ouch::soup::Framer as SoupFramer;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Messages noted in one case; a client that sends more has failed it.
const NOTED_MAX: usize = 20_000;
/// Connections at a time; one more is closed at once.
const CONNECTIONS_MAX: usize = 8;
/// How often the tap looks for connections.
const LOOK: Duration = Duration::from_millis(10);

/// The tap of one door.
pub(super) struct Tap {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What pumps and judge have in common.
pub(super) struct Shared {
    door: Door,
    wire: Mutex<Wire>,
    changed: Condvar,
}

/// The state of the wire.
#[derive(Default)]
pub(super) struct Wire {
    /// Where the venue is, while it is.
    venue: Option<SocketAddr>,
    /// Everything that passed in this case, in order.
    pub(super) noted: Vec<Frame>,
    /// What a client does at no time and did.
    pub(super) offence: Option<String>,
    losses: Vec<Lose>,
    open: Vec<TcpStream>,
    numbers: Numbering,
    closing: bool,
}

impl Tap {
    pub(super) fn open(door: Door, listen: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            door,
            wire: Mutex::default(),
            changed: Condvar::new(),
        });
        let mine = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("tap".to_owned());
        let thread = thread.spawn(move || accept(&listener, &mine))?;
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins a case: what was noted is forgotten.
    pub(super) fn begin(&self, venue: SocketAddr) {
        self.cut();
        let mut wire = self.shared.lock();
        let open = std::mem::take(&mut wire.open);
        *wire = Wire {
            venue: Some(venue),
            open,
            ..Wire::default()
        };
    }

    /// Where the venue is from now on; nowhere: whoever connects is turned away.
    pub(super) fn venue(&self, venue: Option<SocketAddr>) {
        self.shared.lock().venue = venue;
    }

    /// The next such message does not arrive.
    pub(super) fn lose(&self, lose: Lose) {
        self.shared.lock().losses.push(lose);
    }

    /// Every connection breaks.
    pub(super) fn cut(&self) {
        for stream in self.shared.lock().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// The wire as it is now.
    pub(super) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.shared.lock()
    }

    /// Waits until something happens, but no longer than `most`.
    pub(super) fn wait<'a>(&self, wire: MutexGuard<'a, Wire>, most: Duration) -> MutexGuard<'a, Wire> {
        let waited = self.shared.changed.wait_timeout(wire, most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.cut();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a message is to get lost; then it is marked so.
    fn loses(&self, frame: &mut Frame) -> bool {
        let mut wire = self.lock();
        let mut names = Names::new();
        let losing = wire
            .losses
            .iter()
            .position(|lose| lose.from == frame.from && frame.fits(&lose.message, &mut names));
        if let Some(index) = losing {
            wire.losses.remove(index);
            frame.lost = true;
        }
        frame.lost
    }

    fn note(&self, frame: Frame) {
        let mut wire = self.lock();
        if self.door == Door::Fix
            && frame.from == From::Client
            && let Some(offence) = wire.numbers.take(&frame)
        {
            wire.offence.get_or_insert(offence);
        }
        if wire.noted.len() < NOTED_MAX {
            wire.noted.push(frame);
        } else {
            wire.offence
                .get_or_insert(format!("more than {NOTED_MAX} messages passed in one case"));
        }
        self.changed.notify_all();
    }

    /// Carries a message and notes it. What the venue says is noted when it is on its way, so that a connection that is cut
    /// next has carried it.
    fn carry(&self, mut frame: Frame, write: impl FnOnce() -> bool) -> bool {
        let lost = self.loses(&mut frame);
        if frame.from == From::Client {
            self.note(frame);
            return lost || write();
        }
        let written = lost || write();
        self.note(frame);
        written
    }

    fn offend(&self, offence: String) {
        self.lock().offence.get_or_insert(offence);
        self.changed.notify_all();
    }
}

/// How the client numbers its FIX messages: new ones count up by one, and only a Logon may leave numbers out, for what was
/// never sent while it was away.
#[derive(Debug, Default)]
struct Numbering {
    next: Option<u64>,
}

impl Numbering {
    fn take(&mut self, frame: &Frame) -> Option<String> {
        let Some(Ok(number)) = frame.get("34").map(str::parse::<u64>) else {
            return Some(format!("without a MsgSeqNum(34): {frame}"));
        };
        if frame.get("43") == Some("Y") || frame.kind == "4" {
            return None;
        }
        let logon = frame.kind == "A";
        let reset = logon && frame.get("141") == Some("Y");
        let next = self.next.filter(|_| !reset);
        self.next = Some(number.saturating_add(1));
        match next {
            Some(next) if number < next => Some(format!("a new message under the used number {number}: {frame}")),
            Some(next) if number > next && !logon => Some(format!(
                "a new message under number {number} where {next} follows: {frame}"
            )),
            _ => None,
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        {
            let wire = shared.lock();
            if wire.closing {
                return;
            }
        }
        match listener.accept() {
            Ok((client, _)) => {
                // A client that is turned away comes again.
                let _ = join(client, shared);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}

fn join(client: TcpStream, shared: &Arc<Shared>) -> Result<()> {
    client.set_nonblocking(false)?;
    client.set_nodelay(true)?;
    let venue = shared.lock().venue.context("no venue")?;
    let venue = TcpStream::connect(venue)?;
    venue.set_nodelay(true)?;
    {
        let mut wire = shared.lock();
        // Those that ended by themselves make room.
        wire.open.retain(|stream| stream.peer_addr().is_ok());
        anyhow::ensure!(wire.open.len() < 2 * CONNECTIONS_MAX, "too many connections");
        wire.open.push(client.try_clone()?);
        wire.open.push(venue.try_clone()?);
    }
    for (from, source, sink) in [
        (From::Client, client.try_clone()?, venue.try_clone()?),
        (From::Venue, venue, client),
    ] {
        let shared = Arc::clone(shared);
        let thread = std::thread::Builder::new().name("pump".to_owned());
        thread.spawn(move || pump(from, source, sink, &shared))?;
    }
    Ok(())
}

/// Carries one direction until either end is gone.
fn pump(from: From, mut source: TcpStream, mut sink: TcpStream, shared: &Shared) {
    let mut cut = Cutter::new(shared.door);
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = source.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        let passed = cut.feed(bytes, &mut |frame| match frame {
            Ok((frame, bytes)) => shared.carry(read(shared.door, from, frame), || sink.write_all(bytes).is_ok()),
            Err(garbled) => {
                if from == From::Client {
                    shared.offend(format!("bytes that are no message: {garbled}"));
                }
                // A door closes on it as well.
                shared.door == Door::Fix
            }
        });
        if !passed {
            break;
        }
    }
    let _ = source.shutdown(Shutdown::Both);
    let _ = sink.shutdown(Shutdown::Both);
    shared.changed.notify_all();
}

fn read(door: Door, from: From, bytes: &[u8]) -> Frame {
    match door {
        Door::Fix => Frame::fix(from, bytes),
        Door::Ouch => Frame::soup(from, bytes),
    }
}

/// Bytes to messages.
enum Cutter {
    Fix(FixFramer),
    Soup(SoupFramer),
}

/// A message as it is read, and the bytes that it is on the wire.
type Cut<'a> = Result<(&'a [u8], &'a [u8]), String>;

impl Cutter {
    fn new(door: Door) -> Self {
        match door {
            Door::Fix => Self::Fix(FixFramer::new()),
            Door::Ouch => Self::Soup(SoupFramer::new(u16::MAX)),
        }
    }

    /// Hands every whole message on, until `take` has enough.
    fn feed(&mut self, mut bytes: &[u8], take: &mut impl FnMut(Cut<'_>) -> bool) -> bool {
        while !bytes.is_empty() {
            let fed = match self {
                Self::Fix(framer) => framer.feed(bytes),
                Self::Soup(framer) => framer.feed(bytes),
            };
            bytes = bytes.get(fed..).unwrap_or_default();
            let mut taken = 0;
            match self {
                Self::Fix(framer) => {
                    while let Some(frame) = framer.next_frame() {
                        taken += 1;
                        let going = match frame {
                            Ok(place) => {
                                let frame = framer.frame(place);
                                take(Ok((frame, frame)))
                            }
                            Err(garbled) => take(Err(garbled.to_string())),
                        };
                        if !going {
                            return false;
                        }
                    }
                }
                Self::Soup(framer) => loop {
                    taken += 1;
                    match framer.next_packet() {
                        Ok(None) => break,
                        Ok(Some(packet)) => {
                            let length = (packet.len() as u16).to_be_bytes();
                            let whole = [&length, packet].concat();
                            if !take(Ok((packet, &whole))) {
                                return false;
                            }
                        }
                        Err(error) => {
                            take(Err(error.to_string()));
                            return false;
                        }
                    }
                },
            }
            if fed == 0 && taken == 0 {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_logon_leaves_numbers_out() {
        let mut numbers = Numbering::default();
        let mut take = |text: &str| numbers.take(&Frame::fix(From::Client, text.replace('|', "\x01").as_bytes()));
        assert_eq!(take("35=A|34=1|"), None);
        assert_eq!(take("35=D|34=2|"), None);
        assert_eq!(take("35=D|34=2|43=Y|"), None);
        assert_eq!(take("35=4|34=1|36=3|123=Y|"), None);
        assert_eq!(take("35=A|34=5|"), None);
        assert!(take("35=D|34=7|").unwrap().contains("where 6 follows"));
        assert!(take("35=D|34=7|").unwrap().contains("used number 7"));
        assert_eq!(take("35=A|34=1|141=Y|"), None);
        assert!(take("35=0|").unwrap().contains("without"));
    }
}
