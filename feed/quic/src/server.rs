//! The server's thread: takes in the feed, lets subscribers in, and gives each its turn.

use quinn::{AckFrequencyConfig, Endpoint, EndpointConfig, ServerConfig, TokioRuntime, TransportConfig, VarInt};
use rialto_itch::mold::Session;
use rialto_publisher::{HistoryAnswer, HistoryRequest, Tick};
use rialto_ring::spsc::{Consumer, Producer};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::certificate::Certificate;
use crate::config::{Config, StartError};
use crate::counters::{Counters, CountersHandle, SubscriberCounters};
use crate::door::{Door, Entitlement};
use crate::hub::Hub;
use crate::limits::{
    ACKNOWLEDGED_TOGETHER, BATCH, CONNECTIONS_MAX, HISTORY_WAITING_MAX, IDLE_TIME, LOG_MESSAGES_MAX, LOOK,
    RECEIVE_WINDOW, SEND_WINDOW, SNAPSHOTS_MAX, STREAMS_MAX, WAITING_MAX,
};
use crate::subscription::{Waiting, serve};
use crate::wake::{Wake, Wakes};

/// How often counters are stated.
const STATED_EVERY: Duration = Duration::from_millis(100);

/// What the server is fed by.
#[derive(Debug)]
pub struct FeedRings {
    /// The messages of the feed.
    pub messages: Consumer<Tick>,
    /// Where to ask for messages beyond memory, and where the answers come from, if anywhere.
    pub history: Option<(Producer<HistoryRequest>, Consumer<HistoryAnswer>)>,
}

impl From<Consumer<Tick>> for FeedRings {
    fn from(messages: Consumer<Tick>) -> Self {
        Self {
            messages,
            history: None,
        }
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
    pub fn start(
        config: Config,
        certificate: &Certificate,
        door: Box<dyn Door>,
        feed: impl Into<FeedRings>,
    ) -> Result<Self, StartError> {
        let FeedRings { messages, history } = feed.into();
        if !(1..=LOG_MESSAGES_MAX).contains(&config.lag_max) {
            return Err(StartError::Lag {
                lag_max: config.lag_max,
            });
        }
        let tls = certificate.server_config()?;
        let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls).map_err(|error| {
            crate::CertificateError::Unfit(rustls::Error::General(format!("no initial cipher suite: {error}")))
        })?;
        let mut quic = ServerConfig::with_crypto(Arc::new(crypto));
        quic.transport_config(Arc::new(transport()));
        quic.max_incoming(WAITING_MAX);
        let failed = |source| StartError::Socket {
            address: config.listen,
            source,
        };
        let socket = UdpSocket::bind(config.listen).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let counters = CountersHandle::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (stated, stopping) = (counters.clone(), Arc::clone(&stop));
        let body = move || {
            let local = LocalSet::new();
            local.block_on(&runtime, async move {
                let endpoint = Endpoint::new(EndpointConfig::default(), Some(quic), socket, Arc::new(TokioRuntime));
                // The socket is open; what else is asked of the system is within the runtime.
                if let Ok(endpoint) = endpoint {
                    let shared = Rc::new(Shared::new(config, door, history, stated, stopping));
                    run(shared, endpoint, messages).await;
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name("quic".to_owned())
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

    /// Says goodbye to everyone and waits for the thread.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a client can make the transport keep is bounded by these.
fn transport() -> TransportConfig {
    // Each acknowledgement costs this thread a datagram to read: as much as telling a packet. Who does not know the extension
    // is not asked, and acknowledges every other packet.
    let mut acknowledged = AckFrequencyConfig::default();
    acknowledged.ack_eliciting_threshold(VarInt::from_u32(ACKNOWLEDGED_TOGETHER));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .receive_window(VarInt::from_u32(2 * RECEIVE_WINDOW))
        .send_window(SEND_WINDOW)
        .ack_frequency_config(Some(acknowledged))
        .datagram_receive_buffer_size(None)
        .keep_alive_interval(Some(IDLE_TIME / 3))
        .max_idle_timeout(quinn::IdleTimeout::try_from(IDLE_TIME).ok());
    transport
}

/// What all tasks of the thread share. Nothing of it is borrowed across a wait.
pub(crate) struct Shared {
    pub(crate) hub: RefCell<Hub>,
    pub(crate) config: Config,
    wakes: RefCell<Wakes>,
    pub(crate) snapshots: Semaphore,
    door: RefCell<Box<dyn Door>>,
    questions: RefCell<BTreeMap<u64, oneshot::Sender<Option<Entitlement>>>>,
    asked: Notify,
    history: RefCell<Option<History>>,
    next: Cell<u64>,
    connections: Cell<usize>,
    waiting: Rc<Cell<usize>>,
    counters: RefCell<Counters>,
    subscribers: RefCell<BTreeMap<u64, SubscriberCounters>>,
    stated: CountersHandle,
    stop: Arc<AtomicBool>,
    begun: Instant,
}

impl Shared {
    fn new(
        config: Config,
        door: Box<dyn Door>,
        history: Option<(Producer<HistoryRequest>, Consumer<HistoryAnswer>)>,
        stated: CountersHandle,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            hub: RefCell::default(),
            config,
            wakes: RefCell::default(),
            snapshots: Semaphore::new(SNAPSHOTS_MAX),
            door: RefCell::new(door),
            questions: RefCell::default(),
            asked: Notify::new(),
            history: RefCell::new(history.map(|(ask, answers)| History {
                ask,
                answers,
                waiting: BTreeMap::new(),
            })),
            next: Cell::new(0),
            connections: Cell::new(0),
            waiting: Rc::default(),
            counters: RefCell::default(),
            subscribers: RefCell::default(),
            stated,
            stop,
            begun: Instant::now(),
        }
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Counters)) {
        count(&mut self.counters.borrow_mut());
    }

    pub(crate) fn waiting(&self) -> Waiting {
        self.waiting.set(self.waiting.get() + 1);
        Waiting(Rc::clone(&self.waiting))
    }

    fn number(&self) -> u64 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    pub(crate) fn enter(&self, counters: SubscriberCounters) -> (u64, Rc<Wake>) {
        let key = self.number();
        self.subscribers.borrow_mut().insert(key, counters);
        (key, self.wakes.borrow_mut().enter(key))
    }

    pub(crate) fn state(&self, key: u64, state: impl FnOnce(&mut SubscriberCounters)) {
        if let Some(counters) = self.subscribers.borrow_mut().get_mut(&key) {
            state(counters);
        }
    }

    pub(crate) fn leave(&self, key: u64) {
        self.subscribers.borrow_mut().remove(&key);
        self.wakes.borrow_mut().leave(key);
    }

    /// Whether a fault keeps this subscriber from being written to.
    pub(crate) fn is_stalled(&self, user: &str) -> bool {
        self.door.borrow_mut().is_stalled(user)
    }

    /// The port where somebody else tells this subscriber.
    pub(crate) fn elsewhere(&self, user: &str) -> Option<u16> {
        self.door.borrow_mut().elsewhere(user)
    }

    /// Whether it was told something wrong by somebody else.
    pub(crate) fn is_misled(&self, user: &str, session: Session, next: u64) -> bool {
        self.door.borrow_mut().is_misled(user, session, next)
    }

    /// Asks the door; `None` where it takes no question now.
    pub(crate) async fn ask(&self, user: &str, password: &str) -> Option<Option<Entitlement>> {
        let ticket = self.number();
        let (answer, answered) = oneshot::channel();
        if !self.door.borrow_mut().ask(user, password, ticket) {
            return None;
        }
        self.questions.borrow_mut().insert(ticket, answer);
        self.asked.notify_one();
        answered.await.ok()
    }

    /// Asks who has the journal for messages beyond memory; `None` where nobody does, or too many wait.
    pub(crate) async fn ask_history(&self, session: Session, first: u64, count: u16) -> Option<HistoryAnswer> {
        let ticket = self.number();
        let answered = {
            let history = &mut *self.history.borrow_mut();
            let history = history.as_mut()?;
            // Who gave up waiting makes room.
            history.waiting.retain(|_, waiting| !waiting.is_closed());
            let asked = HistoryRequest {
                ticket,
                session,
                first,
                count,
            };
            if history.waiting.len() >= HISTORY_WAITING_MAX || history.ask.push(asked).is_err() {
                return None;
            }
            let (answer, answered) = oneshot::channel();
            history.waiting.insert(ticket, answer);
            answered
        };
        self.asked.notify_one();
        answered.await.ok()
    }

    pub(crate) fn has_history(&self) -> bool {
        self.history.borrow().is_some()
    }

    /// Hands on what came; says whether anybody still waits.
    fn hear_history(&self) -> bool {
        let history = &mut *self.history.borrow_mut();
        let Some(history) = history else { return false };
        while let Ok(answer) = history.answers.pop() {
            if let Some(waiting) = history.waiting.remove(&answer.ticket) {
                // Who gave up waiting needs no answer.
                let _ = waiting.send(answer);
            }
        }
        !history.waiting.is_empty()
    }

    fn state_counters(&self) {
        let hub = self.hub.borrow();
        let mut counters = self.counters.borrow().clone();
        counters.messages = hub.messages;
        counters.gone = hub.gone;
        counters.sequence = hub.next().saturating_sub(1);
        counters.subscribers = self.subscribers.borrow().values().cloned().collect();
        self.stated.state(counters);
    }
}

/// Who waits for messages beyond memory.
struct History {
    ask: Producer<HistoryRequest>,
    answers: Consumer<HistoryAnswer>,
    waiting: BTreeMap<u64, oneshot::Sender<HistoryAnswer>>,
}

async fn run(shared: Rc<Shared>, endpoint: Endpoint, ring: Consumer<Tick>) {
    tokio::task::spawn_local(let_in(Rc::clone(&shared), endpoint.clone()));
    tokio::task::spawn_local(hear_door(Rc::clone(&shared)));
    pump(&shared, ring).await;
    shared.wakes.borrow().all();
    endpoint.close(VarInt::from_u32(4), b"the server stops");
    // The goodbyes are worth a moment, and no more.
    let _ = tokio::time::timeout(Duration::from_secs(1), endpoint.wait_idle()).await;
    shared.state_counters();
}

/// Takes the feed in until the server stops.
async fn pump(shared: &Shared, mut ring: Consumer<Tick>) {
    let mut stated = Instant::now();
    while !shared.is_stopping() {
        let mut moved = 0;
        {
            let hub = &mut shared.hub.borrow_mut();
            let whole = (hub.days(), hub.is_broken());
            while moved < BATCH
                && let Ok(tick) = ring.pop()
            {
                hub.take(&tick);
                moved += 1;
            }
            if whole != (hub.days(), hub.is_broken()) {
                shared.wakes.borrow().all();
            } else if moved > 0 {
                shared.wakes.borrow().changed(hub);
            }
        }
        if stated.elapsed() >= STATED_EVERY {
            shared.state_counters();
            stated = Instant::now();
        }
        if moved < BATCH {
            sleep(LOOK).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

async fn let_in(shared: Rc<Shared>, endpoint: Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        shared.count(|counters| counters.connections += 1);
        if shared.connections.get() >= CONNECTIONS_MAX || shared.waiting.get() >= WAITING_MAX {
            shared.count(|counters| counters.refused += 1);
            incoming.refuse();
            continue;
        }
        shared.connections.set(shared.connections.get() + 1);
        let shared = Rc::clone(&shared);
        tokio::task::spawn_local(async move {
            serve(Rc::clone(&shared), incoming).await;
            shared.connections.set(shared.connections.get() - 1);
        });
    }
}

/// Hands on the answers of the door and of who has the journal.
async fn hear_door(shared: Rc<Shared>) {
    loop {
        while let Some((ticket, answer)) = shared.door.borrow_mut().poll() {
            if let Some(waiting) = shared.questions.borrow_mut().remove(&ticket) {
                let _ = waiting.send(answer);
            }
        }
        if !shared.hear_history() && shared.questions.borrow().is_empty() {
            shared.asked.notified().await;
        } else {
            sleep(LOOK).await;
        }
    }
}
