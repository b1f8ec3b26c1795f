//! Prepared defects of a feed, in a build with the feature `defects` alone: what its judge has to stop.
//!
//! They stand between what the feed has made and what it tells.

use rialto_publisher::{Tick, TickKind};
use rialto_ring::spsc::{Consumer, Producer, PushError, RingBuffer};
use std::time::Duration;

/// What is wrong with a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Defect {
    /// Nothing.
    Correct,
    /// One message has another last byte.
    Wrong,
    /// One message is left out.
    Gap,
    /// A turn with commands takes half as much thread CPU again.
    Dear,
    /// Messages come 20 ms late.
    Late,
    /// It does nothing more.
    Stuck,
    /// It ends.
    Crash,
}

/// Messages told before it goes wrong, since its judge has come in.
const BEHIND: u64 = 200;
const DEAR_PERCENT: u64 = 50;
const LATE: Duration = Duration::from_millis(20);

/// The defect at work.
pub(super) struct Fault {
    defect: Defect,
    made: Consumer<Tick>,
    told: Producer<Tick>,
    waiting: Option<Tick>,
    live: u64,
}

impl Fault {
    /// Between what is made and who tells it.
    pub(super) fn between(defect: Defect, made: Consumer<Tick>, room: usize) -> (Self, Consumer<Tick>) {
        let (told, taken) = RingBuffer::new(room);
        let fault = Self {
            defect,
            made,
            told,
            waiting: None,
            live: 0,
        };
        (fault, taken)
    }

    /// Hands on what was made.
    pub(super) fn pump(&mut self, live: bool) {
        loop {
            let Some(tick) = self.waiting.take().or_else(|| {
                let tick = self.made.pop().ok()?;
                self.spoil(tick, live)
            }) else {
                return;
            };
            if let Err(PushError::Full(tick)) = self.told.push(tick) {
                self.waiting = Some(tick);
                return;
            }
        }
    }

    fn spoil(&mut self, tick: Tick, live: bool) -> Option<Tick> {
        let TickKind::Message { last } = tick.kind else {
            return Some(tick);
        };
        self.live += u64::from(live);
        if self.live != BEHIND {
            return Some(tick);
        }
        match self.defect {
            Defect::Wrong => {
                let mut bytes = tick.bytes().to_vec();
                if let Some(byte) = bytes.last_mut() {
                    *byte ^= 1;
                }
                Some(Tick::message(tick.sequence, &bytes, last))
            }
            Defect::Gap => self.made.pop().ok(),
            Defect::Stuck => loop {
                std::thread::sleep(Duration::from_secs(1));
            },
            Defect::Crash => panic!("a prepared crash of a feed"),
            _ => Some(tick),
        }
    }

    /// Behind a turn with commands that took so long.
    pub(super) fn turn(&self, cpu_ns: u64) {
        match self.defect {
            Defect::Dear => {
                let end = crate::door::cost::thread_cpu_ns() + cpu_ns * DEAR_PERCENT / 100;
                while crate::door::cost::thread_cpu_ns() < end {
                    std::hint::spin_loop();
                }
            }
            Defect::Late => std::thread::sleep(LATE),
            _ => {}
        }
    }
}
