//! The faults that stand, as the edges of the venue see them.
//!
//! Whoever hears from the stream which faults stand puts them on the [`FaultBoard`]. An edge holds a [`FaultSight`] of the
//! kinds that are its own; where nothing has changed a look costs one load and one branch. What strikes is decided by each
//! fault's seed, at the edge.

use rialto_model::command::AddFault;
use rialto_model::limits::FAULTS_MAX;
use rialto_model::{FaultKind, Text};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All faults that stand. Copies show the same.
#[derive(Clone, Debug, Default)]
pub struct FaultBoard(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    version: AtomicU64,
    faults: Mutex<Vec<StandingFault>>,
}

/// A fault that stands, and how often it has struck since this process knows of it.
#[derive(Clone, Debug)]
pub struct StandingFault {
    /// As it was added.
    pub fault: AddFault,
    /// What the session is called that it is about; empty: none or all.
    pub session: Text,
    struck: Arc<AtomicU64>,
}

impl StandingFault {
    /// Counts one strike.
    pub fn strike(&self) {
        self.struck.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has struck.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.struck.load(Ordering::Relaxed)
    }
}

impl FaultBoard {
    /// These stand from now on, at most [`FAULTS_MAX`] of them; what stood already goes on counting.
    pub fn set(&self, faults: impl IntoIterator<Item = (AddFault, Text)>) {
        let mut standing = self.lock();
        let before = std::mem::take(&mut *standing);
        standing.extend(faults.into_iter().take(FAULTS_MAX).map(|(fault, session)| {
            let known = before.iter().find(|one| one.fault == fault);
            known.cloned().unwrap_or_else(|| StandingFault {
                fault,
                session,
                struck: Arc::default(),
            })
        }));
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// Those that stand.
    #[must_use]
    pub fn read(&self) -> Vec<StandingFault> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<StandingFault>> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one edge sees of the board: the kinds that it has to do with.
#[derive(Clone, Debug)]
pub struct FaultSight {
    board: FaultBoard,
    kinds: &'static [FaultKind],
    seen: u64,
    faults: Vec<StandingFault>,
}

impl FaultSight {
    /// Sees these kinds, and none of them before the first look.
    #[must_use]
    pub fn new(board: FaultBoard, kinds: &'static [FaultKind]) -> Self {
        Self {
            board,
            kinds,
            seen: 0,
            faults: Vec::new(),
        }
    }

    /// Sees nothing, ever.
    #[must_use]
    pub fn none() -> Self {
        Self::new(FaultBoard::default(), &[])
    }

    /// Looks, and says whether anything has changed since the last look.
    #[inline]
    pub fn look(&mut self) -> bool {
        let version = self.board.0.version.load(Ordering::Acquire);
        version != self.seen && self.refresh(version)
    }

    #[cold]
    fn refresh(&mut self, version: u64) -> bool {
        self.seen = version;
        self.faults = self.board.read();
        self.faults.retain(|one| self.kinds.contains(&one.fault.kind));
        true
    }

    /// Those that stood at the last look.
    #[must_use]
    pub fn faults(&self) -> &[StandingFault] {
        &self.faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_sees_its_kinds_and_counts_go_on() {
        let board = FaultBoard::default();
        let mut sight = FaultSight::new(board.clone(), &[FaultKind::SlowDisk]);
        assert!(!sight.look());
        let fault = |kind, seed| {
            let fault = AddFault {
                kind,
                seed,
                ..AddFault::default()
            };
            (fault, Text::EMPTY)
        };
        board.set([fault(FaultKind::SlowDisk, 1), fault(FaultKind::Drop, 2)]);
        assert!(sight.look() && !sight.look());
        assert_eq!(sight.faults().len(), 1);
        sight.faults()[0].strike();
        board.set([fault(FaultKind::SlowDisk, 1), fault(FaultKind::SlowDisk, 3)]);
        assert!(sight.look());
        let struck: Vec<u64> = sight.faults().iter().map(StandingFault::struck).collect();
        assert_eq!(struck, [1, 0]);
        board.set([]);
        assert!(sight.look() && sight.faults().is_empty());
    }
}
