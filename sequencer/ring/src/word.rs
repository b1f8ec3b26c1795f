//! The word of a second engine on the same stream: what who compares tells the release gate, and the gate tells back.
//!
//! A [`Word`] is a handful of cells, all clones are one. Who compares says [`agree`](Word::agree) or
//! [`differ`](Word::differ); the gate asks [`stand`](Word::stand) for events that wait for it. Nothing in here blocks, and
//! nothing in here is part of any output.

use rialto_model::{InstrumentId, SequenceNumber};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Returns kept for who asks; what comes beyond is counted alone. Every instrument of a venue fits.
pub const RETURNS_MAX: usize = 65_536;

/// Where the other engine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Nobody to wait for: there is none, or it has differed.
    Nobody,
    /// Its events are here and equal up to this command.
    Agreed(SequenceNumber),
}

/// The first difference between both engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Under which command.
    pub seq: SequenceNumber,
    /// The how manieth event of it, from zero.
    pub index: usize,
    /// The standing engine's event; `None` where it has no more.
    pub blue: Option<String>,
    /// The other engine's; `None` where it has no more.
    pub green: Option<String>,
}

/// An instrument whose events waited longer than the bound and wait no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Which; zero: all of them.
    pub instrument: InstrumentId,
    /// The command that waited.
    pub seq: SequenceNumber,
}

/// The cells.
#[derive(Clone, Debug)]
pub struct Word(Arc<Cells>);

#[derive(Debug)]
struct Cells {
    attached: AtomicBool,
    generation: AtomicU64,
    differs: AtomicBool,
    agreed: AtomicU64,
    compared: AtomicU64,
    missed: AtomicU64,
    bound_ns: AtomicU64,
    longest_ns: AtomicU64,
    silences: AtomicU64,
    released: AtomicU64,
    switched: AtomicU64,
    switches: AtomicU64,
    difference: Mutex<Option<Difference>>,
    returned: Mutex<Vec<Returned>>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commands whose events were compared and equal.
    pub compared: u64,
    /// Commands that could not be compared: who compares no longer had the standing engine's events.
    pub missed: u64,
    /// Instruments that returned because the other engine was silent.
    pub silences: u64,
    /// The longest that an event waited for its word.
    pub longest_ns: u64,
    /// Events released by its word.
    pub released: u64,
}

impl Word {
    /// Nobody's, with a bound of silence.
    #[must_use]
    pub fn new(bound: Duration) -> Self {
        Self(Arc::new(Cells {
            attached: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            differs: AtomicBool::new(false),
            agreed: AtomicU64::new(0),
            compared: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            bound_ns: AtomicU64::new(u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX)),
            longest_ns: AtomicU64::new(0),
            silences: AtomicU64::new(0),
            released: AtomicU64::new(0),
            switched: AtomicU64::new(0),
            switches: AtomicU64::new(0),
            difference: Mutex::new(None),
            returned: Mutex::new(Vec::new()),
        }))
    }

    /// An engine has come: what was known of another is void. Gives the number of this arrival.
    pub fn attach(&self) -> u64 {
        let cells = &self.0;
        for cell in [
            &cells.agreed,
            &cells.compared,
            &cells.missed,
            &cells.longest_ns,
            &cells.silences,
            &cells.released,
        ] {
            cell.store(0, Ordering::Relaxed);
        }
        *lock(&cells.difference) = None;
        lock(&cells.returned).clear();
        cells.differs.store(false, Ordering::Relaxed);
        let generation = cells.generation.fetch_add(1, Ordering::AcqRel) + 1;
        cells.attached.store(true, Ordering::Release);
        generation
    }

    /// The number of the last arrival.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// It is gone.
    pub fn detach(&self) {
        self.0.attached.store(false, Ordering::Release);
    }

    /// Whether one is there, be it of another opinion.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.0.attached.load(Ordering::Acquire)
    }

    /// Its events are equal up to here.
    pub fn agree(&self, seq: SequenceNumber) {
        self.0.compared.fetch_add(1, Ordering::Relaxed);
        self.0.agreed.store(seq.0, Ordering::Release);
    }

    /// A command could not be compared.
    pub fn miss(&self) {
        self.0.missed.fetch_add(1, Ordering::Relaxed);
    }

    /// Its events differ: nobody waits for it any more. The first difference stays.
    pub fn differ(&self, difference: Difference) {
        lock(&self.0.difference).get_or_insert(difference);
        self.0.differs.store(true, Ordering::Release);
    }

    /// Where it stands.
    #[must_use]
    #[inline]
    pub fn stand(&self) -> Stand {
        if self.0.differs.load(Ordering::Acquire) || !self.is_attached() {
            return Stand::Nobody;
        }
        Stand::Agreed(SequenceNumber(self.0.agreed.load(Ordering::Acquire)))
    }

    /// The last command whose events were found equal; zero where none was.
    #[must_use]
    pub fn agreed(&self) -> SequenceNumber {
        SequenceNumber(self.0.agreed.load(Ordering::Acquire))
    }

    /// The first difference.
    #[must_use]
    pub fn difference(&self) -> Option<Difference> {
        lock(&self.0.difference).clone()
    }

    /// How long an event may wait.
    #[must_use]
    pub fn bound(&self) -> Duration {
        Duration::from_nanos(self.0.bound_ns.load(Ordering::Relaxed))
    }

    /// Changes it.
    pub fn set_bound(&self, bound: Duration) {
        let bound = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
        self.0.bound_ns.store(bound, Ordering::Relaxed);
    }

    /// An event has waited this long and is released by its word.
    pub fn waited(&self, wait: Duration) {
        let wait = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        self.0.longest_ns.fetch_max(wait, Ordering::Relaxed);
    }

    /// An event is released by its word.
    pub fn release(&self) {
        self.0.released.fetch_add(1, Ordering::Relaxed);
    }

    /// An instrument does not wait any more.
    pub fn give_back(&self, returned: Returned) {
        self.0.silences.fetch_add(1, Ordering::Relaxed);
        let mut all = lock(&self.0.returned);
        if all.len() < RETURNS_MAX {
            all.push(returned);
        }
    }

    /// What has returned since this was last asked.
    #[must_use]
    pub fn take_returned(&self) -> Vec<Returned> {
        std::mem::take(&mut lock(&self.0.returned))
    }

    /// The gate has passed this command, which changed who waits.
    pub fn switch(&self, seq: SequenceNumber) {
        self.0.switched.store(seq.0, Ordering::Release);
        self.0.switches.fetch_add(1, Ordering::Release);
    }

    /// How many such commands the gate has passed.
    #[must_use]
    pub fn switches(&self) -> u64 {
        self.0.switches.load(Ordering::Acquire)
    }

    /// The last command that changed who waits, as the gate has passed it.
    #[must_use]
    pub fn switched(&self) -> SequenceNumber {
        SequenceNumber(self.0.switched.load(Ordering::Acquire))
    }

    /// What is counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        Counts {
            compared: read(&self.0.compared),
            missed: read(&self.0.missed),
            silences: read(&self.0.silences),
            longest_ns: read(&self.0.longest_ns),
            released: read(&self.0.released),
        }
    }
}

fn lock<T>(cell: &Mutex<T>) -> MutexGuard<'_, T> {
    cell.lock().unwrap_or_else(PoisonError::into_inner)
}
