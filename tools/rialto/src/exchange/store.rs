//! The member store's follower: a thread that reads the journal up to the frontier and keeps what firms may ask for.
//!
//! No stage waits for it. Who asks takes the store for reading; a move's flip alone waits, for what was built for it.

use anyhow::{Result, bail};
use rialto_journal::{Frontier, OsDisk};
use rialto_model::{Event, Output, SequenceNumber};
use rialto_past::{Stream, Visit};
use rialto_store::{Part, Store};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the follower sleeps that stands at the frontier.
const LOOK: Duration = Duration::from_millis(10);
/// Commands that are taken at once: readers wait no longer than for these.
const COMMANDS_AT_ONCE: usize = 256;
/// How long a flip waits for what is built for it. Beyond it the accounts go over as they are kept.
const PART_MAX: Duration = Duration::from_secs(60);

/// The store, and what is expected for it.
#[derive(Default)]
pub(crate) struct StoreDesk {
    store: RwLock<Store>,
    /// The version of the directory that a move is about to make, and where its part comes from.
    expected: Mutex<Option<(u32, Receiver<Part>)>>,
    problem: Mutex<Option<String>>,
    /// The command behind which the store stands, for who waits for more.
    news: watch::Sender<u64>,
}

impl StoreDesk {
    /// The store as it stands.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever it has taken events.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Says that the entry of this version waits for a part; one move at a time.
    pub(crate) fn expect(&self, version: u32, part: Receiver<Part>) -> Result<()> {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        if expected.is_some() {
            bail!("a firm is being moved already: try again when it is over");
        }
        *expected = Some((version, part));
        Ok(())
    }

    /// Nothing is expected any more.
    pub(crate) fn forget(&self) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What went wrong last, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it stands at a command; whether it does.
    pub(crate) fn reached(&self, seq: SequenceNumber, most: Duration) -> bool {
        let begun = Instant::now();
        while self.read().seq() < seq {
            if begun.elapsed() > most {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }

    fn complain(&self, line: String) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    fn part(&self, output: &Output) -> Option<Part> {
        let Event::ShardSet(set) = &output.event.body else {
            return None;
        };
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, part) = expected.take_if(|(version, _)| *version == set.version)?;
        drop(expected);
        let part = part.recv_timeout(PART_MAX).ok();
        if part.is_none() {
            self.complain(format!(
                "nothing was built for directory version {} in time",
                set.version
            ));
        }
        part
    }

    /// Takes events; a flip that a part is expected for waits for it, with nobody kept from reading.
    pub(crate) fn take(&self, outputs: &[Output]) {
        for output in outputs {
            let part = self.part(output);
            let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
            let flipped = match part {
                Some(part) => store.flip(output, part),
                None => {
                    store.take(output);
                    Ok(())
                }
            };
            drop(store);
            if let Err(error) = flipped {
                self.complain(error.to_string());
            }
        }
        if let Some(last) = outputs.last() {
            self.news.send_replace(last.event.seq.0);
        }
    }
}

/// The thread.
pub(super) struct StoreThread {
    pub(super) journal: OsDisk,
    pub(super) frontier: Frontier,
    pub(super) desk: Arc<StoreDesk>,
    pub(super) stop: Arc<AtomicBool>,
}

impl StoreThread {
    pub(super) fn run(&self) {
        rialto_ring::layout::beside_the_path();
        if let Err(error) = self.follow() {
            self.desk.complain(format!(
                "the member store follows no more, the exchange goes on: {error:#}"
            ));
        }
    }

    fn follow(&self) -> Result<()> {
        let mut visit = from_the_first(self.journal.clone(), true)?;
        let mut outputs = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            visit.reach(self.frontier.released_up_to().1, true);
            outputs.clear();
            for _ in 0..COMMANDS_AT_ONCE {
                let Some(command) = visit.read()? else { break };
                outputs.extend_from_slice(visit.past.apply(&command));
            }
            self.desk.take(&outputs);
            if outputs.is_empty() {
                std::thread::sleep(LOOK);
            }
        }
        Ok(())
    }
}

/// A journal from its first command on; where its writer is at work nothing before [`Visit::reach`] says up to where.
pub(crate) fn from_the_first(journal: OsDisk, live: bool) -> Result<Visit<OsDisk>> {
    let stream = Stream {
        journal,
        snapshots: None,
        limit: live.then_some(SequenceNumber(0)),
        replay_max: u64::MAX,
    };
    Ok(stream.near(SequenceNumber(u64::MAX))?)
}
