//! The judge of the feed: a subscriber on the multicast group that uses nothing but packets, and is told out of band only
//! at which MoldUDP64 number the book must equal which row.

use super::files::{BookRows, Level};
use anyhow::{Context as _, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use rialto_client::{FeedAddresses, FeedClient};
use rialto_itch::{Message, StockLocate};
use rialto_model::{Price, Quantity};
use rialto_subscriber::{Book, Books, Delivery};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Rows told ahead at most; beyond it the telling waits, which slows the ingest and nobody else. It also keeps a burst
/// within what a socket of the system's default size holds.
const TOLD_MAX: usize = 128;
/// Orders the judge holds at most.
const ORDERS_MAX: usize = 1 << 20;
/// How long the judge waits for packets that do not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A row of the book file that holds once the feed has said everything up to `sequence`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) row: usize,
    /// The MoldUDP64 number of the last message before the row.
    pub(super) sequence: u64,
}

/// What the subscriber found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    pub(super) rows_equal: u64,
    pub(super) gaps: u64,
    pub(super) messages: u64,
    pub(super) malformed: u64,
}

/// A running judge.
pub(super) struct Judge {
    pub(super) tell: Sender<Told>,
    thread: JoinHandle<Result<Found>>,
}

impl Judge {
    /// Joins the groups, then judges on a thread of its own until it is told no more.
    pub(super) fn start(addresses: FeedAddresses, instrument: StockLocate, rows: Arc<BookRows>) -> Result<Self> {
        let client = FeedClient::join(addresses).context("the judge cannot join the feed")?;
        let (tell, told) = bounded(TOLD_MAX);
        let bench = Bench {
            rows,
            told,
            next: None,
            due: VecDeque::new(),
            instrument,
            books: Books::new(ORDERS_MAX),
            found: Found::default(),
        };
        let thread = std::thread::Builder::new()
            .name("judge".to_owned())
            .spawn(move || bench.sit(client))?;
        Ok(Self { tell, thread })
    }

    /// Whether it has come to its end.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Tells it that there is no more, keeps `alive` going while it finishes, and takes its verdict.
    pub(super) fn finish(self, mut alive: impl FnMut()) -> Result<Found> {
        drop(self.tell);
        while !self.thread.is_finished() {
            alive();
        }
        self.thread.join().map_err(|_| anyhow::anyhow!("the judge panicked"))?
    }
}

struct Bench {
    rows: Arc<BookRows>,
    told: Receiver<Told>,
    next: Option<Told>,
    /// Messages that came before it was known whether a row ends between them.
    due: VecDeque<(u64, Message)>,
    instrument: StockLocate,
    books: Books,
    found: Found,
}

impl Bench {
    fn sit(mut self, mut client: FeedClient) -> Result<Found> {
        let mut applied = 0;
        let mut last_progress = Instant::now();
        loop {
            let due = &mut self.due;
            client.poll(Duration::from_millis(1), &mut |delivery| {
                if let Delivery::Message { sequence, bytes } = delivery
                    && let Ok(message) = Message::decode(bytes)
                {
                    due.push_back((sequence.0, message));
                }
            })?;
            let before = applied;
            let all_told = self.work(&mut applied);
            if applied != before {
                last_progress = Instant::now();
            }
            if all_told || last_progress.elapsed() > PATIENCE {
                let counters = client.counters();
                self.found.gaps = counters.gaps;
                self.found.malformed = counters.malformed;
                self.found.messages = counters.messages;
                return Ok(self.found);
            }
        }
    }

    /// Applies messages up to the next told row, compares, and goes on. Whether every row was told and judged.
    fn work(&mut self, applied: &mut u64) -> bool {
        loop {
            if self.next.is_none() {
                self.next = match self.told.try_recv() {
                    Ok(told) => Some(told),
                    Err(crossbeam_channel::TryRecvError::Empty) => return false,
                    Err(crossbeam_channel::TryRecvError::Disconnected) => return true,
                };
            }
            let Some(told) = self.next else { return false };
            while *applied < told.sequence {
                let Some((sequence, message)) = self.due.pop_front() else {
                    return false;
                };
                // A refused message leaves the books as they were, and the rows from there on unequal.
                let _ = self.books.apply(&message);
                *applied = sequence;
            }
            self.found.rows_equal += u64::from(*applied == told.sequence && self.equals(told.row));
            self.next = None;
        }
    }

    fn equals(&self, row: usize) -> bool {
        let levels = self.rows.levels();
        let Some(book) = self.books.book(self.instrument) else {
            return false;
        };
        let (asks, bids) = (top(Book::asks(book), levels), top(Book::bids(book), levels));
        self.rows.equals(row, &asks, &bids)
    }
}

fn top(side: impl Iterator<Item = rialto_subscriber::Level>, levels: usize) -> Vec<Level> {
    side.take(levels)
        .map(|level| Level {
            price: Price(i64::from(level.price.units())),
            quantity: Quantity(level.shares.0),
        })
        .collect()
}
