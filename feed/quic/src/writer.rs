//! What one subscriber is told, piece by piece: full depth, the conflated feed, and the ways between them.

use rialto_conflate::{Depth, Interest, Pace, Settings, SettingsError, SubscriberId};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::counters::SubscriberCounters;
use crate::frames::{Mode, Reason, Start, mode};
use crate::hub::Hub;
use crate::limits::{HEARTBEAT, LOOK, RETURN_AFTER};
use crate::wake::Until;

/// Decides what is written next. It never writes: the bytes go into a buffer of the caller's, who takes his time.
#[derive(Debug)]
pub(crate) struct Writer {
    interest: Interest,
    state: State,
    day: u64,
    /// When anything was last written.
    spoke: Instant,
    end_said: bool,
    spare: Vec<u8>,
    demotions: u64,
    returns: u64,
    memory_max: usize,
}

#[derive(Debug)]
enum State {
    /// A snapshot comes next, for this reason.
    Snapshot(Reason),
    Full {
        cursor: u64,
    },
    Conflated {
        id: SubscriberId,
        /// As asked, and not to be moved.
        asked: bool,
        /// Since when it has been current.
        current: Option<Instant>,
    },
}

/// What comes of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Write what is in the buffer, then look again.
    Write,
    /// Nothing now; look again when this is so, or after this time.
    Wait(Duration, Until),
    /// A snapshot is to be made: ask for a place first.
    Snapshot,
    /// The subscription is over.
    Cut(&'static str),
}

/// Why there is no writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WriterError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("the number asked for is not there: no longer, not yet, or of another session; start with a snapshot")]
    Number,
}

impl Writer {
    pub(crate) fn new(
        hub: &mut Hub,
        asked: Mode,
        start: Start,
        interest: Interest,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<Self, WriterError> {
        let state = match (asked, start) {
            (Mode::Full, Start::Snapshot) => State::Snapshot(Reason::Asked),
            (Mode::Full, Start::At { session, next }) => {
                if hub.session() != Some(session) || next < hub.first() || next > hub.next() {
                    return Err(WriterError::Number);
                }
                mode(out, true, Reason::Asked, next.saturating_sub(1));
                State::Full { cursor: next }
            }
            (Mode::Conflated { depth, pace }, _) => {
                let id = join(hub, depth, pace, &interest)?;
                mode(out, false, Reason::Asked, hub.next().saturating_sub(1));
                State::Conflated {
                    id,
                    asked: true,
                    current: None,
                }
            }
        };
        Ok(Self {
            interest,
            state,
            day: hub.days(),
            spoke: now,
            end_said: false,
            spare: Vec::new(),
            demotions: 0,
            returns: 0,
            memory_max: 0,
        })
    }

    /// Puts what is to be written next into `out`, which is empty.
    pub(crate) fn look(
        &mut self,
        hub: &mut Hub,
        config: &Config,
        now: Instant,
        now_ns: u64,
        out: &mut Vec<u8>,
    ) -> Look {
        if hub.is_broken() {
            return Look::Cut("messages were lost on the way to this server; come again when the next session begins");
        }
        let look = match self.state {
            State::Snapshot(_) => return Look::Snapshot,
            State::Full { cursor } => self.full(hub, config, cursor, now, out),
            State::Conflated { id, asked, current } => self.conflated(hub, id, asked, current, now, now_ns, out),
        };
        if look == Look::Write {
            self.spoke = now;
        }
        self.memory_max = self.memory_max.max(self.memory(hub) + out.capacity());
        look
    }

    /// Makes the snapshot that was asked for a place.
    pub(crate) fn snapshot(&mut self, hub: &Hub, out: &mut Vec<u8>) {
        let State::Snapshot(reason) = self.state else { return };
        self.day = hub.days();
        mode(out, true, reason, hub.next().saturating_sub(1));
        hub.snapshot(&self.interest, out);
        self.state = State::Full { cursor: hub.next() };
    }

    fn full(&mut self, hub: &mut Hub, config: &Config, mut cursor: u64, now: Instant, out: &mut Vec<u8>) -> Look {
        if self.day != hub.days() {
            if self.day > 0 && cursor != hub.previous_next() {
                return Look::Cut("the session ended before you had read it; come again");
            }
            (self.day, self.end_said, cursor) = (hub.days(), false, 1);
        }
        let behind = hub.next().saturating_sub(cursor);
        if behind > config.lag_max as u64 || cursor < hub.first() {
            return self.demote(hub, cursor, out);
        }
        let next = hub.packets_for_all(cursor, &self.interest, out);
        self.state = State::Full { cursor: next };
        if next == cursor && hub.is_ended() && !self.end_said {
            self.end_said = true;
            hub.heartbeat(out);
        }
        if out.is_empty() && now.duration_since(self.spoke) >= HEARTBEAT {
            hub.heartbeat(out);
        }
        if out.is_empty() {
            Look::Wait(HEARTBEAT, Until::Change)
        } else {
            Look::Write
        }
    }

    /// From full depth to the conflated feed.
    fn demote(&mut self, hub: &mut Hub, cursor: u64, out: &mut Vec<u8>) -> Look {
        match join(hub, Depth::Full, Pace::WhenSlow, &self.interest) {
            Ok(id) => {
                self.demotions += 1;
                mode(out, false, Reason::Slow, cursor.saturating_sub(1));
                self.state = State::Conflated {
                    id,
                    asked: false,
                    current: None,
                };
                Look::Write
            }
            Err(_) => Look::Cut("you fell behind and cannot be conflated"),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one state, and two clocks")]
    fn conflated(
        &mut self,
        hub: &mut Hub,
        id: SubscriberId,
        asked: bool,
        current: Option<Instant>,
        now: Instant,
        now_ns: u64,
        out: &mut Vec<u8>,
    ) -> Look {
        self.day = hub.days();
        let Some((conflator, market)) = hub.conflation.subscriber(id) else {
            return Look::Cut("the subscription is over");
        };
        conflator.poll(market, now_ns);
        if conflator.take(&mut self.spare) {
            std::mem::swap(out, &mut self.spare);
            return Look::Write;
        }
        let since = conflator.is_current(market).then(|| current.unwrap_or(now));
        let mut wait = HEARTBEAT;
        if now.duration_since(self.spoke) >= HEARTBEAT && conflator.mark(market) && conflator.take(out) {
            return Look::Write;
        }
        let mut until = Until::Change;
        if let Some(due_ns) = conflator.due_ns(market, now_ns) {
            // What changes until then is told then; what is told at once waits in its outbox.
            wait = wait.min(Duration::from_nanos(due_ns.saturating_sub(now_ns)).max(LOOK));
            until = Until::Told(id);
        }
        if let Some(since) = since.filter(|_| !asked) {
            let left = RETURN_AFTER.saturating_sub(now.duration_since(since));
            if left.is_zero() {
                hub.conflation.leave(id);
                self.returns += 1;
                self.state = State::Snapshot(Reason::Current);
                return Look::Snapshot;
            }
            wait = wait.min(left);
        }
        self.state = State::Conflated {
            id,
            asked,
            current: since,
        };
        Look::Wait(wait, until)
    }

    /// Whoever is gone is told nothing more.
    pub(crate) fn leave(&self, hub: &mut Hub) {
        if let State::Conflated { id, .. } = self.state {
            hub.conflation.leave(id);
        }
    }

    fn memory(&self, hub: &mut Hub) -> usize {
        let conflator = match self.state {
            State::Conflated { id, .. } => hub.conflation.subscriber(id).map_or(0, |(one, _)| one.memory_bytes()),
            _ => 0,
        };
        conflator + self.spare.capacity()
    }

    /// What is known of the subscriber.
    pub(crate) fn counters(&self, hub: &mut Hub) -> SubscriberCounters {
        let memory = self.memory(hub);
        let (full, behind, conflated) = match self.state {
            State::Snapshot(_) => (true, 0, rialto_conflate::Counters::default()),
            State::Full { cursor } => (
                true,
                hub.next().saturating_sub(cursor),
                rialto_conflate::Counters::default(),
            ),
            State::Conflated { id, .. } => {
                let counters = hub.conflation.subscriber(id).map(|(one, _)| *one.counters());
                (false, 0, counters.unwrap_or_default())
            }
        };
        SubscriberCounters {
            full,
            behind,
            memory_bytes: memory as u64,
            memory_bytes_max: self.memory_max.max(memory) as u64,
            demotions: self.demotions,
            returns: self.returns,
            conflated,
            ..SubscriberCounters::default()
        }
    }
}

fn join(hub: &mut Hub, depth: Depth, pace: Pace, interest: &Interest) -> Result<SubscriberId, SettingsError> {
    hub.conflation.join(Settings {
        depth,
        pace,
        interest: interest.clone(),
        ..Settings::default()
    })
}
