//! The server's thread: takes in the feed, lets clients in, and tells each what stands.

use rialto_ouch::soup::LoginRejectCode;
use rialto_publisher::Tick;
use rialto_ring::spsc::Consumer;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::connection::{Connection, Wants};
use crate::door::Door;
use crate::limits::{BATCH, CONNECTIONS_MAX, LOOK, SNAPSHOTS_MAX};
use crate::snapshot::{Market, Snapshot};

/// Where the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where it listens; port 0 lets the system choose. By default 127.0.0.1:26406.
    pub listen: SocketAddr,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 26_406)),
        }
    }
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The socket.
    #[error("no GLIMPSE socket at {address}: {source}; is the address in use?")]
    Socket {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The thread.
    #[error("the system gives no thread for GLIMPSE: {0}")]
    Thread(std::io::Error),
}

/// What the server has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections that came.
    pub connections: u64,
    /// Snapshots told from their beginning on.
    pub told: u64,
    /// Snapshots made: fewer, where several came at one number.
    pub made: u64,
    /// Logins rejected.
    pub rejected: u64,
    /// Messages that were lost on the way to the server.
    pub gone: u64,
    /// The number behind the last message taken in.
    pub next: u64,
}

#[derive(Debug, Default)]
struct Cells([AtomicU64; 6]);

/// Reads the server's counters from any thread.
#[derive(Clone, Debug, Default)]
pub struct CountersHandle(Arc<Cells>);

impl CountersHandle {
    /// All of them as they stand, each by itself: they are not of one instant.
    #[must_use]
    pub fn read(&self) -> Counters {
        let [connections, told, made, rejected, gone, next] =
            [0, 1, 2, 3, 4, 5].map(|place: usize| self.0.0.get(place).map_or(0, |cell| cell.load(Ordering::Relaxed)));
        Counters {
            connections,
            told,
            made,
            rejected,
            gone,
            next,
        }
    }

    fn state(&self, counters: &Counters) {
        let Counters {
            connections,
            told,
            made,
            rejected,
            gone,
            next,
        } = *counters;
        let values = [connections, told, made, rejected, gone, next];
        self.0
            .0
            .iter()
            .zip(values)
            .for_each(|(cell, value)| cell.store(value, Ordering::Relaxed));
    }
}

/// The server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    counters: CountersHandle,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Opens the socket and starts the thread.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(config: Config, door: Box<dyn Door>, ring: Consumer<Tick>) -> Result<Self, StartError> {
        let failed = |source| StartError::Socket {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let counters = CountersHandle::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (stated, stopping) = (counters.clone(), Arc::clone(&stop));
        let body = move || {
            let serving = Serving {
                listener,
                door,
                ring,
                market: Market::default(),
                connections: Vec::new(),
                newest: None,
                tickets: 0,
                begun: Instant::now(),
                counters: Counters::default(),
            };
            rialto_ring::layout::beside_the_path();
            serving.run(&stated, &stopping);
        };
        let thread = std::thread::Builder::new()
            .name("glimpse".to_owned())
            .spawn(body)
            .map_err(StartError::Thread)?;
        Ok(Self {
            address,
            counters,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads its counters from any thread.
    #[must_use]
    pub fn counters(&self) -> CountersHandle {
        self.counters.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed.
            let _ = thread.join();
        }
    }
}

struct Serving {
    listener: TcpListener,
    door: Box<dyn Door>,
    ring: Consumer<Tick>,
    market: Market,
    connections: Vec<Connection>,
    /// The snapshot made last, for who comes at the same number.
    newest: Option<Rc<Snapshot>>,
    tickets: u64,
    begun: Instant,
    counters: Counters,
}

impl Serving {
    fn run(mut self, stated: &CountersHandle, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            let moved = self.follow() + self.accept() + self.hear_door() + self.serve();
            self.counters.gone = self.market.gone;
            self.counters.next = self.market.next();
            stated.state(&self.counters);
            if moved == 0 {
                std::thread::sleep(LOOK);
            }
        }
    }

    fn now_ns(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    fn follow(&mut self) -> usize {
        for taken in 0..BATCH {
            let Ok(tick) = self.ring.pop() else { return taken };
            self.market.take(&tick);
        }
        BATCH
    }

    fn accept(&mut self) -> usize {
        if self.connections.len() >= CONNECTIONS_MAX {
            return 0;
        }
        let Ok((stream, _)) = self.listener.accept() else {
            return 0;
        };
        self.counters.connections += 1;
        if stream.set_nonblocking(true).is_ok() && stream.set_nodelay(true).is_ok() {
            self.tickets += 1;
            let now_ns = self.now_ns();
            self.connections.push(Connection::new(stream, self.tickets, now_ns));
        }
        1
    }

    fn hear_door(&mut self) -> usize {
        let mut heard = 0;
        while let Some((ticket, granted)) = self.door.poll() {
            heard += 1;
            self.counters.rejected += u64::from(!granted);
            // Who asked may have gone.
            if let Some(one) = self.connections.iter_mut().find(|one| one.ticket == ticket) {
                one.answered(granted);
            }
        }
        heard
    }

    fn serve(&mut self) -> usize {
        let mut moved = 0;
        for place in 0..self.connections.len() {
            let now_ns = self.now_ns();
            let Some(connection) = self.connections.get_mut(place) else {
                break;
            };
            match connection.poll(now_ns) {
                Wants::Nothing(done) => moved += done,
                Wants::Check(login) => {
                    let (user, password) = (login.user.normalised(), login.password.normalised());
                    if self.door.ask(user.as_str(), password.as_str(), connection.ticket) {
                        connection.asked();
                        moved += 1;
                    }
                }
                Wants::Snapshot(login) => match self.snapshot() {
                    Turn::Wait => {}
                    Turn::None => {
                        self.counters.rejected += 1;
                        self.refuse(place);
                    }
                    Turn::Snapshot(snapshot) => {
                        moved += 1;
                        if let Some(connection) = self.connections.get_mut(place) {
                            connection.tell(&login, snapshot, now_ns);
                            let told = connection.snapshot().is_some();
                            self.counters.told += u64::from(told);
                            self.counters.rejected += u64::from(!told);
                        }
                    }
                },
            }
        }
        let now_ns = self.now_ns();
        self.connections.retain(|connection| !connection.is_over(now_ns));
        if self.connections.is_empty() {
            self.newest = None;
        }
        moved
    }

    fn refuse(&mut self, place: usize) {
        if let Some(connection) = self.connections.get_mut(place) {
            connection.refuse(LoginRejectCode::SessionNotAvailable);
        }
    }

    /// The books as they stand: made, or the same as somebody else's.
    fn snapshot(&mut self) -> Turn {
        let Some(session) = self.market.session() else {
            return Turn::None;
        };
        let next = self.market.next();
        if let Some(newest) = &self.newest
            && (newest.session, newest.next) == (session, next)
        {
            return Turn::Snapshot(Rc::clone(newest));
        }
        let mut held: Vec<*const Snapshot> = self
            .connections
            .iter()
            .filter_map(|one| one.snapshot().map(Rc::as_ptr))
            .collect();
        held.sort_unstable();
        held.dedup();
        if held.len() >= SNAPSHOTS_MAX {
            return Turn::Wait;
        }
        let Some(snapshot) = self.market.snapshot() else {
            return Turn::None;
        };
        self.counters.made += 1;
        self.newest = Some(Rc::clone(&snapshot));
        Turn::Snapshot(snapshot)
    }
}

enum Turn {
    /// Too many are held.
    Wait,
    /// There is no session, or not all of it.
    None,
    Snapshot(Rc<Snapshot>),
}
