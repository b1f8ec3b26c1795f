//! A venue's feed as a function of its released events.

use alloc::vec::Vec;

use rialto_itch::Encode;
use rialto_itch::mold::{self, HEADER_LEN, Header, Request, Session};
use rialto_model::{Epoch, Event, Output, SequenceNumber, VenueId};

use crate::config::{Config, ConfigError};
use crate::counters::Counters;
use crate::downstream::{Absent, Downstream};
use crate::place::Place;
use crate::session::session_name;
use crate::store::Store;
use crate::tick::Tick;
use crate::translator::{Messages, Translator};

/// Follows released events and makes the feed's packets.
///
/// - In: [`follow`](Self::follow), every released output in order, live as in recovery.
/// - Out: [`poll_packet`](Self::poll_packet) after each, until it gives nothing; at the end of a batch with `flush`.
///   [`heartbeat`](Self::heartbeat) and [`end_of_session`](Self::end_of_session) when nothing else was sent for a while.
///   [`answer`](Self::answer) for who missed something. After a recovery [`skip_unsent`](Self::skip_unsent): what was
///   released before the restart is there for the asking and is not sent again.
/// - Getters: everything else.
///
/// A trading day is one MoldUDP64 session ([`session_name`]), its messages numbered from 1. Nothing between two days is on
/// the feed. Memory is bounded by [`Config::store_bytes_max`], and 80 bytes for each instrument.
#[derive(Clone, Debug)]
pub struct Publisher {
    translator: Translator,
    downstream: Downstream,
    venue: VenueId,
    epoch: Epoch,
    last_command: SequenceNumber,
    /// The number behind the last message of the last whole command.
    command_end: mold::SequenceNumber,
    messages: u64,
    stale_epochs: u64,
}

/// Messages on their way into the feed, counted.
struct Numbering<'a> {
    downstream: &'a mut Downstream,
    messages: &'a mut u64,
}

impl Messages for Numbering<'_> {
    #[inline]
    fn put(&mut self, message: &impl Encode) {
        self.downstream.push(message);
        *self.messages += 1;
    }
}

impl Publisher {
    /// A publisher that has followed nothing.
    ///
    /// # Errors
    /// [`ConfigError`] for bounds that cannot be kept.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let Config {
            datagram_max,
            store_bytes_max,
        } = config.check()?;
        Ok(Self {
            translator: Translator::default(),
            downstream: Downstream::new(datagram_max, Store::new(store_bytes_max)),
            venue: VenueId(0),
            epoch: Epoch(0),
            last_command: SequenceNumber(0),
            command_end: mold::SequenceNumber::FIRST,
            messages: 0,
            stale_epochs: 0,
        })
    }

    /// A publisher that goes on from a place, and has no message from before it.
    ///
    /// # Errors
    /// [`ConfigError`] for bounds that cannot be kept.
    pub fn resume(config: Config, place: &Place) -> Result<Self, ConfigError> {
        let mut publisher = Self::new(config)?;
        publisher.downstream.resume(place.session, place.next);
        Ok(Self {
            translator: place.translator.clone(),
            venue: place.venue,
            epoch: place.epoch,
            last_command: place.last_command,
            command_end: place.next,
            ..publisher
        })
    }

    /// Touches the memory for the day's messages, so that the system has given all of it before it is needed: a page that is
    /// touched for the first time while the feed is told costs a microsecond.
    pub fn touch(&mut self) {
        self.downstream.touch();
    }

    /// Where it stands. Between two commands alone.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            translator: self.translator.clone(),
            session: self.downstream.session(),
            next: self.downstream.next(),
            venue: self.venue,
            epoch: self.epoch,
            last_command: self.last_command,
        }
    }

    /// Takes in the next released event. One of an older epoch than the newest seen is counted and not followed.
    #[inline]
    pub fn follow(&mut self, output: &Output) {
        let event = &output.event;
        if event.epoch < self.epoch {
            self.stale_epochs += 1;
            return;
        }
        self.epoch = event.epoch;
        if matches!(event.body, Event::Released(_) | Event::DayStarted(_)) {
            self.begin(&event.body);
        }
        let Self {
            translator,
            downstream,
            messages,
            ..
        } = self;
        translator.translate(output, &mut Numbering { downstream, messages });
        if output.last {
            self.last_command = event.seq;
            if self.command_end != self.downstream.next() {
                self.downstream.end_command();
                self.command_end = self.downstream.next();
            }
        }
    }

    /// A venue's name, or a day's session.
    #[cold]
    fn begin(&mut self, event: &Event) {
        match event {
            Event::Released(released) => self.venue = released.venue,
            Event::DayStarted(started) => {
                self.downstream.begin(session_name(self.venue, started.day));
                self.command_end = self.downstream.next();
            }
            _ => {}
        }
    }

    /// Writes the next packet of messages that were in none yet into `packet`, over what it held, and says how many there
    /// are. `None`, with `packet` of no use, while they do not fill one; with `flush`, only when there are none.
    #[inline]
    pub fn poll_packet(&mut self, flush: bool, packet: &mut Vec<u8>) -> Option<u16> {
        self.downstream.poll_packet(flush, packet)
    }

    /// Messages that were in no packet yet.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.downstream.next().since(self.downstream.unsent())
    }

    /// Takes all messages so far as sent, as they were before a restart.
    pub fn skip_unsent(&mut self) {
        self.downstream.skip_unsent();
    }

    /// The packet that says, while a day is open, which message comes next.
    #[must_use]
    pub fn heartbeat(&self) -> Option<[u8; HEADER_LEN]> {
        let session = self.session().filter(|_| self.is_open())?;
        Some(Header::heartbeat(session, self.downstream.unsent()).to_bytes())
    }

    /// The packet that says, from the end of a day until the next begins, that the session is over and before which
    /// number it ended.
    #[must_use]
    pub fn end_of_session(&self) -> Option<[u8; HEADER_LEN]> {
        let session = self.session().filter(|_| !self.is_open())?;
        Some(Header::end_of_session(session, self.downstream.unsent()).to_bytes())
    }

    /// Writes a packet of the messages asked for into `packet`, over what it held, and says how many there are: as many
    /// as were asked for, as fit one packet, as have been sent, and at most `count_max`. For the rest ask again.
    ///
    /// # Errors
    /// [`Absent`], with `packet` of no use: the first message asked for cannot be had.
    pub fn answer(&self, request: &Request, count_max: u16, packet: &mut Vec<u8>) -> Result<u16, Absent> {
        self.downstream.answer(request, count_max, packet)
    }

    /// Appends the blocks of messages from `first` on to `blocks`, at most `count_max` and whether they were sent or not, and
    /// says how many; none where the first is not there.
    pub fn blocks(&self, first: mold::SequenceNumber, count_max: u16, blocks: &mut Vec<u8>) -> u16 {
        self.downstream.blocks(first, count_max, blocks)
    }

    /// The oldest number that is still in memory; that of the next message where none is.
    #[must_use]
    pub fn floor(&self) -> mold::SequenceNumber {
        self.downstream.floor()
    }

    /// Copies messages of whole commands from `next` on into `push`, as long as it takes them, whether they were sent or not,
    /// and says where to go on. What has gone from memory is skipped and said as one [`Tick`] of kind
    /// [`Gone`](crate::TickKind::Gone).
    pub fn copy(&self, mut next: mold::SequenceNumber, mut push: impl FnMut(Tick) -> bool) -> mold::SequenceNumber {
        let floor = self.downstream.floor();
        if next < floor {
            if !push(Tick::gone(next.0, floor.since(next))) {
                return next;
            }
            next = floor;
        }
        let end = self.command_end;
        self.downstream.visit(next, |sequence, bytes, last| {
            let taken = sequence < end && push(Tick::message(sequence.0, bytes, last));
            if taken {
                next = mold::SequenceNumber(sequence.0 + 1);
            }
            taken
        });
        next
    }

    /// The session of the open day, or of the last one; `None` before the first.
    #[must_use]
    pub const fn session(&self) -> Option<Session> {
        self.downstream.session()
    }

    /// Whether a trading day is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.translator.is_open()
    }

    /// The number that the next message gets.
    #[must_use]
    pub const fn next_sequence(&self) -> mold::SequenceNumber {
        self.downstream.next()
    }

    /// The number of the last message of the last command whose events have all been followed: where a book may be
    /// stated. `None` before the session's first.
    #[must_use]
    pub fn last_sequence_of_command(&self) -> Option<mold::SequenceNumber> {
        (self.command_end > mold::SequenceNumber::FIRST).then(|| mold::SequenceNumber(self.command_end.0 - 1))
    }

    /// The last command whose events have all been followed; zero before the first.
    #[must_use]
    pub const fn last_command(&self) -> SequenceNumber {
        self.last_command
    }

    /// What was counted since the publisher was made.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        Counters {
            messages: self.messages,
            instruments_refused: self.translator.instruments_refused(),
            events_left_out: self.translator.events_left_out(),
            stale_epochs: self.stale_epochs,
            unsent_dropped: self.downstream.unsent_dropped(),
        }
    }
}
