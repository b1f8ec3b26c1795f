//! The stage: follow, send, keep the lines alive, answer.

use rialto_model::{Clock, Monotonic, Output};
use rialto_publisher::{HistoryAnswer, HistoryRequest, Publisher, Tick};
use rialto_ring::broadcast::Reader;
use rialto_ring::spsc::{Consumer, Producer};
use rialto_ring::{FaultBoard, FaultSight, Pen, Stage};
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;

use crate::config::{Config, StartError};
use crate::counters::{Cells, CountersHandle};
use crate::gaps::{self, Gaps};
use crate::history::History;
use crate::lines::Lines;
use crate::progress::Progress;
use crate::rerequest::Rerequest;
use crate::tap::Tap;

/// Events followed in one poll at most. Where so many waited there may be more, and a packet that is not full waits for the next
/// poll to fill it.
const BATCH: usize = 1_024;

/// Follows the released stream and sends it as the feed.
///
/// Before it goes live it is given what was released before the start by [`replay`](Self::replay), which sends nothing.
/// Then [`poll`](Stage::poll), over and over:
///
/// 1. follows up to 1,024 events; full packets leave at once, what is left over leaves when no more events wait or when it has
///    waited for [`Config::flush_ns`] beyond that, and the end of a day leaves before the next begins;
/// 2. sends a heartbeat after a time of silence, or an end of session after a day's end;
/// 3. serves up to 32 requests and packets of answers.
///
/// Its clock is for silence and budgets alone. It must run by itself: on a clock that moves only with the stream there
/// would be no heartbeat behind the last message.
#[derive(Debug)]
pub struct FeedStage<C> {
    events: Reader<Output>,
    feed: Feed,
    rerequest: Rerequest,
    clock: C,
    progress: Progress,
    taps: Vec<Tap>,
    faults: FaultSight,
    marks: Option<Pen>,
}

impl<C: Clock> FeedStage<C> {
    /// Opens the sockets. Nothing is sent yet.
    ///
    /// # Errors
    /// [`StartError`] for a configuration that cannot be kept, or where the system refuses a socket.
    pub fn new(config: &Config, events: Reader<Output>, clock: C) -> Result<Self, StartError> {
        config.check()?;
        let mut publisher = Publisher::new(config.publisher)?;
        publisher.touch();
        let rerequest = Rerequest::open(config)?;
        let lines = Lines::open(
            config.lines(rerequest.address())?,
            config.interface,
            config.ttl,
            config.segmented,
        )?;
        Ok(Self {
            events,
            feed: Feed {
                publisher,
                lines,
                counters: Arc::default(),
                packet: Vec::with_capacity(config.publisher.datagram_max),
                heartbeat_ns: config.heartbeat_ns,
                end_of_session_count: config.end_of_session_count,
                ends_left: 0,
                spoke: None,
                flush_ns: config.flush_ns,
                held: None,
            },
            rerequest,
            clock,
            progress: Progress::default(),
            taps: Vec::new(),
            faults: FaultSight::none(),
            marks: None,
        })
    }

    /// Writes when it was how far: the last command whose messages are all with the lines.
    pub fn set_marks(&mut self, pen: Pen) {
        self.marks = Some(pen);
    }

    /// Sees what is broken on purpose.
    pub fn set_faults(&mut self, board: FaultBoard) {
        self.faults = FaultSight::new(board, gaps::KINDS);
    }

    /// Copies the messages of whole commands into a ring for who tells them further. A full ring makes nobody wait: the
    /// messages are in memory, and are copied when there is room again. Call it before [`replay`](Self::replay), once for each.
    pub fn tap(&mut self, ring: Producer<Tick>) {
        self.taps.push(Tap::new(ring));
    }

    /// From now on requests for what has gone from memory go to `ask`, and what comes from `answers` goes to who asked, by the
    /// same budgets. At most [`HISTORY_WAITING_MAX`](crate::HISTORY_WAITING_MAX) wait at one time.
    pub fn history(&mut self, ask: Producer<HistoryRequest>, answers: Consumer<HistoryAnswer>) {
        self.rerequest.set_history(History::new(ask, answers));
    }

    /// Takes in an output that was released before the start: numbered and kept for the asking, and not sent.
    pub fn replay(&mut self, output: &Output) {
        if Tap::minds(output) {
            for tap in &mut self.taps {
                tap.follow(output, &self.feed.publisher);
            }
        }
        self.feed.replay(output);
        self.feed.show_publisher();
        // Whoever reads the ring runs already, and before the start there is time to wait for it.
        for tap in &mut self.taps {
            tap.copy_waiting(&self.feed.publisher);
        }
        self.progress.set(self.feed.publisher.last_command());
    }

    /// The group and port of line A.
    #[must_use]
    pub const fn line_a(&self) -> SocketAddrV4 {
        self.feed.lines.group_a()
    }

    /// The group and port of line B, if there is one.
    #[must_use]
    pub fn line_b(&self) -> Option<SocketAddrV4> {
        self.feed.lines.group_b()
    }

    /// Where requests come in.
    #[must_use]
    pub const fn rerequest(&self) -> SocketAddr {
        self.rerequest.address()
    }

    /// Reads the counters, also while the stage runs on another thread.
    #[must_use]
    pub fn counters(&self) -> CountersHandle {
        CountersHandle(Arc::clone(&self.feed.counters))
    }

    /// Shows how far the feed is, also while the stage runs on another thread.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// The publisher, for questions between polls.
    #[must_use]
    pub const fn publisher(&self) -> &Publisher {
        &self.feed.publisher
    }
}

impl<C: Clock + Send> Stage for FeedStage<C> {
    fn name(&self) -> &'static str {
        "feed"
    }

    fn poll(&mut self) -> usize {
        let now = self.clock.monotonic();
        if self.faults.look() {
            self.feed.lines.set_gaps(Gaps::of(&self.faults));
        }
        let feed = &mut self.feed;
        let taps = &mut self.taps;
        let followed = self.events.poll(BATCH, |output| {
            if Tap::minds(output) {
                for tap in &mut *taps {
                    tap.follow(output, &feed.publisher);
                }
            }
            feed.follow(output, now);
            true
        });
        if followed == BATCH {
            feed.held.get_or_insert(now);
        } else if followed > 0 || feed.held.is_some() {
            feed.flush_due(now);
            feed.show_publisher();
            if feed.held.is_none() {
                let last = feed.publisher.last_command();
                self.progress.set(last);
                if let Some(pen) = &mut self.marks {
                    pen.note(last.0);
                }
            }
        }
        feed.keep_alive(now);
        let copied: usize = taps.iter_mut().map(|tap| tap.copy(&feed.publisher)).sum();
        followed + copied + self.rerequest.poll(now, &feed.publisher, &feed.counters)
    }

    fn is_drained(&self) -> bool {
        self.events.is_drained() && self.rerequest.is_idle() && self.feed.held.is_none()
    }
}

/// The publisher with the lines.
#[derive(Debug)]
struct Feed {
    publisher: Publisher,
    lines: Lines,
    counters: Arc<Cells>,
    packet: Vec<u8>,
    heartbeat_ns: u64,
    end_of_session_count: u32,
    /// End-of-session packets still to be sent after the day that ended last.
    ends_left: u32,
    /// When something was last sent; at first nothing was.
    spoke: Option<Monotonic>,
    flush_ns: u64,
    /// Since when messages wait for their packet to fill.
    held: Option<Monotonic>,
}

impl Feed {
    fn replay(&mut self, output: &Output) {
        let was_open = self.publisher.is_open();
        self.publisher.follow(output);
        self.publisher.skip_unsent();
        if was_open && !self.publisher.is_open() {
            self.ends_left = self.end_of_session_count;
        }
    }

    #[inline]
    fn follow(&mut self, output: &Output, now: Monotonic) {
        let was_open = self.publisher.is_open();
        self.publisher.follow(output);
        self.send_packets(false, now);
        if was_open && !self.publisher.is_open() {
            self.flush(now);
            self.ends_left = self.end_of_session_count;
            self.send_end_of_session(now);
        }
    }

    /// Sends what is left over, full packet or not.
    fn flush(&mut self, now: Monotonic) {
        self.send_packets(true, now);
        self.lines.flush(&self.counters);
        self.held = None;
    }

    /// Sends what is left over if it has waited long enough.
    fn flush_due(&mut self, now: Monotonic) {
        let since = *self.held.get_or_insert(now);
        if self.publisher.unsent() == 0 || now.0.saturating_sub(since.0) >= self.flush_ns {
            self.flush(now);
        } else if self.lines.is_segmented() {
            // What has filled its packet waits for nothing more.
            self.lines.flush(&self.counters);
        }
    }

    #[inline]
    fn send_packets(&mut self, flush: bool, now: Monotonic) {
        while let Some(count) = self.publisher.poll_packet(flush, &mut self.packet) {
            self.lines.send(&self.packet, &self.counters);
            self.counters.packets.add(1);
            self.counters.messages.add(count.into());
            self.spoke = Some(now);
            // Those that had waited are in the packet.
            self.held = None;
        }
    }

    /// Sends a packet without messages if nothing was sent for a while.
    fn keep_alive(&mut self, now: Monotonic) {
        let silent = |spoke: Monotonic| now.0.saturating_sub(spoke.0) >= self.heartbeat_ns;
        if !self.spoke.is_none_or(silent) {
            return;
        }
        if let Some(heartbeat) = self.publisher.heartbeat() {
            self.lines.send(&heartbeat, &self.counters);
            self.lines.flush(&self.counters);
            self.counters.heartbeats.add(1);
            self.spoke = Some(now);
        } else {
            self.send_end_of_session(now);
        }
    }

    fn send_end_of_session(&mut self, now: Monotonic) {
        let Some(left) = self.ends_left.checked_sub(1) else {
            return;
        };
        if let Some(end) = self.publisher.end_of_session() {
            self.ends_left = left;
            self.lines.send(&end, &self.counters);
            self.lines.flush(&self.counters);
            self.counters.ends_of_session.add(1);
            self.spoke = Some(now);
        }
    }

    fn show_publisher(&self) {
        let counted = self.publisher.counters();
        self.counters.instruments_refused.set(counted.instruments_refused);
        self.counters.events_left_out.set(counted.events_left_out);
    }
}
