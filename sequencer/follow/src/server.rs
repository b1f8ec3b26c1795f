//! The exchange's side over TCP: one thread that accepts, and one for each follower.
//!
//! A follower's thread reads the journal's files up to the frontier and writes one frame at a time. It holds no lock that
//! a stage takes and no place in any ring: a follower that does not read is behind in the journal, and after
//! [`STALL_MAX`] cut off.

use crate::key::{Key, random};
use crate::limits::{FOLLOWERS_MAX, HANDSHAKE_MAX, SNAPSHOT_PART_BYTES, STALL_MAX};
use crate::roster::{Process, Roster, Stale};
use crate::server_session::{Begin, ServerSession, Told};
use crate::wire::{Hello, Reason, RecordsBuilder, Stand};
use rialto_journal::{Disk, Frontier, ReadError, Reader};
use rialto_model::{Monotonic, SequenceNumber, TableHash, Text, VenueId};
use std::io::{ErrorKind, Read as _, Result as IoResult, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often an idle thread looks.
const LOOK: Duration = Duration::from_millis(2);
/// How often a thread looks that serves an engine: somebody may wait for what it says.
const ENGINE_LOOK: Duration = Duration::from_micros(200);
/// How long a follower may take to read the rest when the exchange ends.
const ENDING_MAX: Duration = Duration::from_secs(5);
/// Bytes read from a follower at once.
const READ_BYTES: usize = 64 * 1024;

/// What is followed.
pub struct Source<D: Disk> {
    /// Whose stream.
    pub venue: VenueId,
    /// Its journal.
    pub journal: D,
    /// What is released.
    pub frontier: Frontier,
    /// The newest snapshot that is one of this journal, behind a command no later than the given one: its number and file.
    pub snapshot: NewestSnapshot,
    /// The flag table that every process must have.
    pub table: TableHash,
    /// Is told of each process that is refused because of its table, once until it is remembered no more.
    pub refused: OnRefused,
    /// Who was refused before the exchange was started again, and has not come with the right table since.
    pub stale: Vec<Process>,
    /// Is told of each process that was refused and has come with the right table.
    pub admitted: OnAdmitted,
    /// Who receives followers that are engines; `None` declines them.
    pub engines: Option<Arc<dyn Engines>>,
}

/// Receives engines.
pub trait Engines: Send + Sync {
    /// An engine introduces itself. Gives it a seat and the first thing to say to it.
    ///
    /// # Errors
    /// Why it may not join, for people: the connection ends with it.
    fn receive(&self, peer: SocketAddr, introduction: &[u8]) -> Result<(Box<dyn Seat>, Vec<u8>), String>;
}

/// Where one engine is heard, until dropped.
pub trait Seat: Send {
    /// Takes what the engine says of commands. `Ok(false)`: there is no room for it now, and it is offered again; no more
    /// is read from the engine before.
    ///
    /// # Errors
    /// Why it may not stay, for people.
    fn hear(&mut self, testimony: &[u8]) -> Result<bool, String>;
}

/// Gives the number and the file of a snapshot behind a command no later than the given one.
pub type NewestSnapshot = Box<dyn Fn(SequenceNumber) -> Option<(SequenceNumber, Vec<u8>)> + Send + Sync>;

/// Is told of a process with another flag table.
pub type OnRefused = Box<dyn Fn(Stale) + Send + Sync>;

/// Is told of a process that was refused and is no more.
pub type OnAdmitted = Box<dyn Fn(Process) + Send + Sync>;

/// Why a follower cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// How one follower stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerStatus {
    /// Where it connects from.
    pub peer: SocketAddr,
    /// The last command that was written to it.
    pub sent: SequenceNumber,
    /// The last command that it says it has.
    pub taken: SequenceNumber,
    /// What it says of itself; `None` until it has proved that it has the key.
    pub process: Option<Process>,
}

/// Serves until dropped.
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    statuses: Statuses,
    thread: Option<JoinHandle<()>>,
}

type Statuses = Arc<Mutex<Known>>;

/// Who is there, and who was refused.
#[derive(Debug, Default)]
struct Known {
    statuses: Vec<(u64, FollowerStatus)>,
    roster: Roster,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn open<D: Disk>(address: SocketAddr, key: Key, source: Source<D>) -> IoResult<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let statuses = Statuses::default();
        for process in &source.stale {
            let stale = Stale {
                process: *process,
                peer: None,
            };
            lock(&statuses).roster.refuse(stale);
        }
        let accepting = Accepting {
            listener,
            key,
            source: Arc::new(source),
            stop: Arc::clone(&stop),
            statuses: Arc::clone(&statuses),
        };
        let thread = std::thread::Builder::new().name("follow".to_owned());
        Ok(Self {
            address,
            stop,
            statuses,
            thread: Some(thread.spawn(move || accepting.run())?),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How each follower stands.
    #[must_use]
    pub fn statuses(&self) -> Statused {
        Statused(Arc::clone(&self.statuses))
    }
}

/// Where the followers' standing can be asked for.
#[derive(Clone, Debug)]
pub struct Statused(Statuses);

impl Statused {
    /// How each follower stands now.
    #[must_use]
    pub fn read(&self) -> Vec<FollowerStatus> {
        lock(&self.0).statuses.iter().map(|(_, status)| *status).collect()
    }

    /// Who was refused because of its flag table, and has not come with the right one since; and whether there are more.
    #[must_use]
    pub fn stale(&self) -> (Vec<Stale>, bool) {
        let known = lock(&self.0);
        (known.roster.stale().copied().collect(), known.roster.is_over())
    }

    /// Somebody says that a refused process is gone for good, with an empty name that all are; who was.
    #[must_use]
    pub fn forget(&self, name: &Text) -> Vec<Text> {
        lock(&self.0).roster.forget(name)
    }
}

impl Drop for Server {
    /// Every follower that reads gets everything that is released by now, and a farewell.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Accepting<D: Disk> {
    listener: TcpListener,
    key: Key,
    source: Arc<Source<D>>,
    stop: Arc<AtomicBool>,
    statuses: Statuses,
}

impl<D: Disk> Accepting<D> {
    fn run(self) {
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        let next = AtomicU64::new(0);
        while !self.stop.load(Ordering::Acquire) {
            threads.retain(|thread| !thread.is_finished());
            match self.listener.accept() {
                Ok((stream, peer)) if threads.len() < FOLLOWERS_MAX => {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    threads.extend(self.serve(id, stream, peer));
                }
                Ok((stream, _)) => turn_away(stream, self.key.clone()),
                Err(_) => std::thread::sleep(LOOK),
            }
        }
        for thread in threads {
            let _ = thread.join();
        }
    }

    fn serve(&self, id: u64, stream: TcpStream, peer: SocketAddr) -> Option<JoinHandle<()>> {
        let (key, source, stop) = (self.key.clone(), Arc::clone(&self.source), Arc::clone(&self.stop));
        let statuses = Arc::clone(&self.statuses);
        let serving = move || {
            let none = SequenceNumber(0);
            let status = FollowerStatus {
                peer,
                sent: none,
                taken: none,
                process: None,
            };
            lock(&statuses).statuses.push((id, status));
            let _gone = Gone(id, Arc::clone(&statuses));
            // What went wrong is said to the follower where it can be: nobody else is concerned.
            if let Ok(mut serving) = Serving::begin(stream, peer, key, &source) {
                let _ = serving.run(&stop, |report| report.note(id, peer, &statuses, &source));
            }
        };
        let thread = std::thread::Builder::new().name("follower".to_owned());
        thread.spawn(serving).ok()
    }
}

/// What a serving thread has to say of its follower.
enum Report {
    /// How far it is.
    Stands(SequenceNumber, SequenceNumber),
    /// Who it is, and that it may come in.
    Admitted(Process),
    /// That it may not.
    Refused(Process),
}

impl Report {
    fn note<D: Disk>(self, id: u64, peer: SocketAddr, known: &Statuses, source: &Source<D>) {
        let mut known = lock(known);
        let Known { statuses, roster } = &mut *known;
        let status = statuses.iter_mut().find(|(one, _)| *one == id);
        match (self, status) {
            (Self::Stands(sent, taken), Some((_, status))) => (status.sent, status.taken) = (sent, taken),
            (Self::Admitted(process), Some((_, status))) => {
                status.process = Some(process);
                if roster.admit(&process.name) {
                    (source.admitted)(process);
                }
            }
            (Self::Refused(process), _) => {
                let stale = Stale {
                    process,
                    peer: Some(peer),
                };
                if roster.refuse(stale) {
                    (source.refused)(stale);
                }
            }
            _ => {}
        }
    }
}

fn lock(statuses: &Statuses) -> std::sync::MutexGuard<'_, Known> {
    statuses.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a follower off the list, however its thread ends.
struct Gone(u64, Statuses);

impl Drop for Gone {
    fn drop(&mut self) {
        lock(&self.1).statuses.retain(|(id, _)| *id != self.0);
    }
}

fn turn_away(mut stream: TcpStream, key: Key) {
    let mut session = ServerSession::new(key, [0; 16], Monotonic(0));
    session.output().clear();
    let text = format!("FOLLOWERS_MAX ({FOLLOWERS_MAX}) follow already");
    session.farewell(Reason::Full, &text);
    let _ = stream.set_nonblocking(true);
    let _ = stream.write(session.output());
}

/// What still goes out in front of the records.
#[derive(Default)]
struct Snapshot {
    bytes: Vec<u8>,
    sent: usize,
}

struct Serving<'a, D: Disk> {
    stream: TcpStream,
    session: ServerSession,
    source: &'a Source<D>,
    begun: Instant,
    /// The journal, once the follower has said where to begin.
    reader: Option<Reader<D>>,
    snapshot: Snapshot,
    records: RecordsBuilder,
    sent: SequenceNumber,
    /// When the socket last took something, or nothing waited for it.
    moved: Instant,
    peer: SocketAddr,
    seat: Option<Box<dyn Seat>>,
    /// What the seat had no room for.
    unheard: Option<Vec<u8>>,
}

impl<'a, D: Disk> Serving<'a, D> {
    fn begin(stream: TcpStream, peer: SocketAddr, key: Key, source: &'a Source<D>) -> Result<Self, SourceError> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let nonce = random()?;
        Ok(Self {
            stream,
            session: ServerSession::new(key, nonce, Monotonic(0)),
            source,
            begun: Instant::now(),
            reader: None,
            snapshot: Snapshot::default(),
            records: RecordsBuilder::new(),
            sent: SequenceNumber(0),
            moved: Instant::now(),
            peer,
            seat: None,
            unheard: None,
        })
    }

    fn now(&self) -> Monotonic {
        Monotonic(self.begun.elapsed().as_nanos() as u64)
    }

    fn run(&mut self, stop: &AtomicBool, report: impl Fn(Report)) -> Result<(), SourceError> {
        let mut ending = None;
        loop {
            // Read before the frontier: what is released by then is still sent.
            if stop.load(Ordering::Acquire) {
                ending.get_or_insert_with(Instant::now);
            }
            let heard = match self.hear(&report) {
                Ok(Some(heard)) => heard,
                // The follower has gone, or has been told why.
                Ok(None) => return self.flush(),
                Err(error) => return self.fail(error),
            };
            let mut moved = self.write()? + heard;
            if self.session.output().is_empty() {
                match self.fill() {
                    Ok(filled) => moved += filled,
                    Err(error) => return self.fail(error),
                }
            }
            report(Report::Stands(self.sent, self.session.taken()));
            if self.moved.elapsed() > STALL_MAX {
                self.session.farewell(Reason::Stalled, "it took nothing for STALL_MAX");
                return self.flush();
            }
            if self.reader.is_none() && self.begun.elapsed() > HANDSHAKE_MAX {
                self.session
                    .farewell(Reason::Protocol, "no handshake within HANDSHAKE_MAX");
                return self.flush();
            }
            let done = moved == 0 && self.session.output().is_empty();
            if ending.is_some_and(|since| done || since.elapsed() > ENDING_MAX) {
                self.session.farewell(Reason::Ended, "the exchange ended in good order");
                return self.flush();
            }
            if moved == 0 {
                std::thread::sleep(if self.seat.is_some() { ENGINE_LOOK } else { LOOK });
            }
        }
    }

    /// Lets an engine's seat take what was said; whether the conversation goes on.
    fn seat(&mut self) -> bool {
        let now = self.now();
        while let Some(told) = self.unheard.take().map(Told::Testified).or_else(|| self.session.told()) {
            let refused = match (told, &mut self.seat) {
                (Told::Introduced(introduction), None) => {
                    let engines = self.source.engines.as_ref();
                    let received = engines.map(|engines| engines.receive(self.peer, &introduction));
                    match received.unwrap_or_else(|| Err("this exchange takes no engines".to_owned())) {
                        Ok((seat, brief)) => {
                            self.seat = Some(seat);
                            self.session.brief(now, &brief);
                            continue;
                        }
                        Err(why) => why,
                    }
                }
                (Told::Testified(testimony), Some(seat)) => match seat.hear(&testimony) {
                    Ok(true) => continue,
                    Ok(false) => {
                        self.unheard = Some(testimony);
                        return true;
                    }
                    Err(why) => why,
                },
                _ => "an engine introduces itself once, and first".to_owned(),
            };
            self.session.farewell(Reason::Declined, &refused);
            return false;
        }
        true
    }

    /// Takes what came; `None` when the conversation is over.
    fn hear(&mut self, report: impl Fn(Report)) -> Result<Option<usize>, SourceError> {
        if !self.seat() {
            return Ok(None);
        }
        if self.unheard.is_some() {
            return Ok(Some(0));
        }
        let mut bytes = [0; READ_BYTES];
        let came = match self.stream.read(&mut bytes) {
            Ok(0) => return Ok(None),
            Ok(came) => came,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Err(error) => return Err(error.into()),
        };
        let now = self.now();
        let (epoch, frontier) = self.source.frontier.released_up_to();
        if self.session.tick(now, epoch, frontier).is_err() {
            return Ok(None);
        }
        match self.session.handle_bytes(now, bytes.get(..came).unwrap_or_default()) {
            Ok(None) => Ok(Some(came)),
            Ok(Some(hello)) => Ok(self.answer(&hello, report)?.then_some(came)),
            Err(_) => Ok(None),
        }
    }

    /// Finds where the follower begins; whether there is such a place.
    fn answer(&mut self, hello: &Hello, report: impl Fn(Report)) -> Result<bool, SourceError> {
        let (epoch, frontier) = self.source.frontier.released_up_to();
        let mut after = hello.after.seq;
        let mut refuse = |reason, text: &str| {
            self.session.farewell(reason, text);
            Ok(false)
        };
        let (own, wanted) = (hello.process.table, self.source.table);
        if own != wanted {
            report(Report::Refused(hello.process));
            let text = format!(
                "its flag table is {own}, and this exchange's is {wanted}: no flag can be turned on while it is there; start it \
                 from the build of the exchange"
            );
            return refuse(Reason::OtherTable, &text);
        }
        report(Report::Admitted(hello.process));
        if after > frontier {
            let text = format!("it has {after} commands, and {frontier} are released");
            return refuse(Reason::Ahead, &text);
        }
        let snapshot = hello.snapshot.then(|| (self.source.snapshot)(frontier)).flatten();
        let mut reader = match snapshot.filter(|(seq, _)| *seq > after) {
            Some((seq, bytes)) => {
                after = seq;
                self.snapshot = Snapshot { bytes, sent: 0 };
                Reader::open_at(&self.source.journal, seq.next())?
            }
            None => match Reader::open_at(&self.source.journal, SequenceNumber(after.0.max(1))) {
                Ok(reader) => reader,
                Err(error @ ReadError::TooOld { .. }) => return refuse(Reason::TooOld, &error.to_string()),
                Err(error) => return Err(error.into()),
            },
        };
        reader.set_limit(frontier);
        if after.0 > 0 && self.snapshot.bytes.is_empty() {
            let own = reader.read()?.map(|record| Stand::behind(&record));
            if own != Some(hello.after) {
                let text = format!("its command {after} is another than this stream's");
                return refuse(Reason::OtherStream, &text);
            }
        }
        self.session.welcome(&Begin {
            venue: self.source.venue,
            epoch,
            after,
            frontier,
            snapshot_bytes: self.snapshot.bytes.len() as u64,
        });
        self.sent = after;
        self.reader = Some(reader);
        Ok(true)
    }

    /// The next frame, if there is something to say.
    fn fill(&mut self) -> Result<usize, SourceError> {
        let now = self.now();
        let part = self.snapshot.bytes.get(self.snapshot.sent..).unwrap_or_default();
        if !part.is_empty() {
            let part = part.get(..SNAPSHOT_PART_BYTES).unwrap_or(part);
            self.snapshot.sent += part.len();
            self.session.snapshot_part(now, part);
            return Ok(1);
        }
        self.snapshot = Snapshot::default();
        let Some(reader) = &mut self.reader else {
            return Ok(0);
        };
        let (_, frontier) = self.source.frontier.released_up_to();
        reader.set_limit(frontier);
        while !self.records.is_full() {
            let Some(command) = reader.read()? else { break };
            self.sent = command.seq;
            self.records.push(&command);
        }
        if self.records.is_empty() {
            return Ok(0);
        }
        self.session.records(now, &mut self.records, frontier);
        Ok(1)
    }

    fn write(&mut self) -> Result<usize, SourceError> {
        let out = self.session.output();
        if out.is_empty() {
            self.moved = Instant::now();
            return Ok(0);
        }
        match self.stream.write(out) {
            Ok(took) => {
                out.drain(..took);
                self.moved = Instant::now();
                Ok(took)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    fn fail(&mut self, error: SourceError) -> Result<(), SourceError> {
        if let SourceError::Read(error) = &error {
            self.session.farewell(Reason::Failed, &error.to_string());
            self.flush()?;
        }
        Err(error)
    }

    /// Writes the rest, a bounded while.
    fn flush(&mut self) -> Result<(), SourceError> {
        self.stream.set_nonblocking(false)?;
        self.stream.set_write_timeout(Some(Duration::from_secs(1)))?;
        let out = std::mem::take(self.session.output());
        self.stream.write_all(&out)?;
        // What the follower said meanwhile must not turn the end into a reset that takes the farewell with it.
        self.stream.shutdown(std::net::Shutdown::Write)?;
        self.stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        let _ = self.stream.read(&mut [0; READ_BYTES]);
        Ok(())
    }
}
