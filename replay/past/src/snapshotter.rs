//! A follower of a live journal that says every so many commands that a snapshot is due.
//!
//! It has an engine of its own, on a thread of its own, and reads the journal up to the frontier: the exchange's engine is
//! neither asked nor slowed down. It begins at the newest snapshot that is one of this journal.

use crate::Snapshots;
use crate::limits::FOLLOW_COMMANDS_PER_STEP;
use crate::snapshot::Snapshot;
use crate::stream::{PastError, Stream, Visit};
use rialto_journal::{Disk, Frontier};
use rialto_model::SequenceNumber;
use std::num::NonZeroU64;

/// Follows one journal.
pub struct Snapshotter<D: Disk> {
    visit: Visit<D>,
    frontier: Frontier,
    every: NonZeroU64,
    /// The number behind which the next one is due.
    due: SequenceNumber,
}

impl<D: Disk> Snapshotter<D> {
    /// Begins at the newest of `snapshots` that is one of this journal, or with the first command.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn begin(
        journal: D,
        every: NonZeroU64,
        frontier: Frontier,
        snapshots: Snapshots<D>,
    ) -> Result<Self, PastError> {
        let (_, safe) = frontier.released_up_to();
        let stream = Stream {
            journal,
            snapshots: Some(snapshots),
            limit: Some(safe),
            replay_max: u64::MAX,
        };
        let visit = stream.near(safe)?;
        let due = next_due(visit.past.seq(), every);
        Ok(Self {
            visit,
            frontier,
            every,
            due,
        })
    }

    /// Follows a bounded piece and says how many commands it took, none where it stands at the frontier, and whether it
    /// stopped because a snapshot is due here.
    ///
    /// # Errors
    /// [`PastError`]: it cannot go on.
    pub fn step(&mut self) -> Result<(usize, bool), PastError> {
        let (_, safe) = self.frontier.released_up_to();
        self.visit.reach(safe, true);
        for taken in 0..FOLLOW_COMMANDS_PER_STEP {
            let Some(command) = self.visit.read()? else {
                return Ok((taken, false));
            };
            self.visit.past.apply(&command);
            if self.visit.past.seq() >= self.due {
                self.due = next_due(self.visit.past.seq(), self.every);
                return Ok((taken + 1, true));
            }
        }
        Ok((FOLLOW_COMMANDS_PER_STEP, false))
    }

    /// A snapshot of where it stands; `None` before the first command.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.visit.past.snapshot()
    }

    /// Where it stands.
    #[must_use]
    pub fn seq(&self) -> SequenceNumber {
        self.visit.past.seq()
    }
}

/// The next multiple: two runs take theirs behind the same commands.
fn next_due(seq: SequenceNumber, every: NonZeroU64) -> SequenceNumber {
    SequenceNumber((seq.0 / every + 1).saturating_mul(every.get()))
}
