//! The market as the feed shows it, and what is said of it to who joins.

use rialto_conflate::{Conflation, Numbered};
use rialto_itch::mold::Session;
use rialto_itch::{Header, Message};
use rialto_ouch::soup::{SequenceNumber, SequencedStore};
use rialto_publisher::{Tick, TickKind};
use std::rc::Rc;

use crate::end::EndOfSnapshot;

/// Follows the feed. What it holds is what any subscriber could hold.
#[derive(Debug, Default)]
pub(crate) struct Market {
    books: Conflation,
    command: Vec<Numbered>,
    session: Option<Session>,
    /// The number behind the last whole command.
    next: u64,
    /// Messages of the session are missing: nothing can be said of it.
    broken: bool,
    time: Header,
    pub(crate) gone: u64,
}

impl Market {
    /// Takes in what the ring brought.
    pub(crate) fn take(&mut self, tick: &Tick) {
        match tick.kind {
            TickKind::Session => self.begin(tick),
            TickKind::Ended => {}
            TickKind::Gone { count } => {
                self.gone += count;
                self.broken = true;
            }
            TickKind::Message { .. } if self.broken => {}
            TickKind::Message { last } => self.message(tick, last),
        }
    }

    /// The session that a snapshot can be made of now.
    pub(crate) fn session(&self) -> Option<Session> {
        self.session.filter(|_| !self.broken)
    }

    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Between two commands: the books as they stand.
    pub(crate) fn snapshot(&self) -> Option<Rc<Snapshot>> {
        let mut snapshot = Snapshot {
            session: self.session()?,
            next: self.next,
            ends: Vec::new(),
            bytes: Vec::new(),
        };
        let market = self.books.market();
        let mut say = |message: &Message| {
            message.append_to(&mut snapshot.bytes);
            snapshot.ends.push(snapshot.bytes.len());
        };
        market.system().into_iter().for_each(&mut say);
        for locate in market.locates() {
            market.restate(locate, self.time, &mut say);
        }
        snapshot
            .bytes
            .extend_from_slice(&EndOfSnapshot { next: self.next }.to_bytes());
        snapshot.ends.push(snapshot.bytes.len());
        Some(Rc::new(snapshot))
    }

    fn begin(&mut self, tick: &Tick) {
        let mut name = [b' '; 10];
        name.iter_mut()
            .zip(tick.bytes())
            .for_each(|(place, byte)| *place = *byte);
        let session = Session(name);
        self.session = Some(session);
        (self.next, self.broken) = (1, false);
        self.command.clear();
        self.books.begin(session);
    }

    fn message(&mut self, tick: &Tick, last: bool) {
        // What the publisher wrote is ITCH.
        if let Ok(message) = Message::decode(tick.bytes()) {
            self.time = *message.header();
            self.command.push(Numbered {
                sequence: tick.sequence,
                message,
            });
        }
        if last {
            self.books.follow(&self.command);
            self.command.clear();
            self.next = tick.sequence + 1;
        }
    }
}

/// What is said to everybody who comes at one number.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) session: Session,
    pub(crate) next: u64,
    /// Where each message ends.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Snapshot {
    /// The number behind the last message.
    pub(crate) fn end(&self) -> u64 {
        self.ends.len() as u64 + 1
    }
}

/// A snapshot as a session asks for it.
pub(crate) struct Store<'a>(pub(crate) &'a Snapshot);

impl SequencedStore for Store<'_> {
    fn message(&mut self, number: SequenceNumber) -> Option<&[u8]> {
        let place = usize::try_from(number.get() - 1).ok()?;
        let end = *self.0.ends.get(place)?;
        let start = match place.checked_sub(1) {
            Some(before) => *self.0.ends.get(before)?,
            None => 0,
        };
        self.0.bytes.get(start..end)
    }
}
