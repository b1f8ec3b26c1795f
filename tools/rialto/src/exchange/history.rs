//! The feed's messages beyond memory: a thread that makes them again from the journal for whoever asks.

use rialto_gateway::Say;
use rialto_journal::OsDisk;
use rialto_past::FeedHistory;
use rialto_publisher::{HistoryAnswer, HistoryRequest};
use rialto_ring::spsc::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the thread sleeps when nobody asks.
const LOOK: Duration = Duration::from_millis(2);
/// Room in the rings: as many as one asks for at one time.
const RING: usize = 16;

/// Where one asks, and hears.
pub(super) type Asking = (Producer<HistoryRequest>, Consumer<HistoryAnswer>);

/// The other end.
pub(super) struct Desk {
    asked: Consumer<HistoryRequest>,
    answers: Producer<HistoryAnswer>,
}

/// Both ends.
pub(super) fn desk() -> (Asking, Desk) {
    let (ask, asked) = RingBuffer::new(RING);
    let (answers, answered) = RingBuffer::new(RING);
    ((ask, answered), Desk { asked, answers })
}

/// Serves the desks in turn, one request at a time.
pub(super) struct HistoryThread {
    pub(super) desks: Vec<Desk>,
    pub(super) history: FeedHistory<OsDisk>,
    pub(super) say: Say,
    pub(super) stop: Arc<AtomicBool>,
}

impl HistoryThread {
    pub(super) fn run(mut self) {
        rialto_ring::layout::beside_the_path();
        while !self.is_stopping() {
            let mut served = 0;
            for place in 0..self.desks.len() {
                served += usize::from(self.serve(place));
            }
            if served == 0 {
                std::thread::sleep(LOOK);
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn serve(&mut self, place: usize) -> bool {
        let Some(desk) = self.desks.get_mut(place) else {
            return false;
        };
        let Ok(request) = desk.asked.pop() else { return false };
        let HistoryRequest {
            ticket,
            session,
            first,
            count,
        } = request;
        let mut blocks = Vec::new();
        let stop = &self.stop;
        let give_up = || stop.load(Ordering::Relaxed);
        let found = self.history.find(session, first, count, &mut blocks, give_up);
        let count = found.unwrap_or_else(|error| {
            self.say.line(|| {
                format!("messages of the feed from {first} on cannot be made again, whoever asks gets none: {error}")
            });
            blocks.clear();
            0
        });
        // There is room for as many as may wait.
        let _ = desk.answers.push(HistoryAnswer { ticket, count, blocks });
        true
    }
}
