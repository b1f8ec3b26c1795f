//! A follower of a live journal that takes a snapshot every so many commands.
//!
//! It has an engine of its own on a thread of its own and reads the journal up to the frontier: the exchange's engine is
//! neither asked nor slowed down. Where the disk refuses a snapshot it says so and goes on: the journal has everything.

use crate::limits::FOLLOW_COMMANDS_PER_STEP;
use crate::store::StoreError;
use crate::stream::{PastError, Stream, Visit};
use crate::{Snapshot, Snapshots};
use rialto_journal::{Disk, Frontier};
use rialto_model::SequenceNumber;
use std::num::NonZeroU64;

/// Follows one journal.
pub struct Snapshotter<D: Disk> {
    visit: Visit<D>,
    snapshots: Snapshots<D>,
    frontier: Frontier,
    every: NonZeroU64,
    /// The number behind which the next one is due.
    due: SequenceNumber,
}

impl<D: Disk> Snapshotter<D> {
    /// Begins at the newest snapshot that is one of this journal, or with the first command.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn begin(
        journal: D,
        snapshots: Snapshots<D>,
        frontier: Frontier,
        every: NonZeroU64,
    ) -> Result<Self, PastError> {
        let (_, safe) = frontier.released_up_to();
        let stream = Stream {
            journal,
            snapshots: Some(snapshots.clone()),
            limit: Some(safe),
            replay_max: u64::MAX,
        };
        let visit = stream.near(safe)?;
        let due = next_due(visit.past.seq(), every);
        Ok(Self {
            visit,
            snapshots,
            frontier,
            every,
            due,
        })
    }

    /// Follows a bounded piece and says how many commands it took: none where it stands at the frontier.
    ///
    /// # Errors
    /// [`PastError`]: it cannot go on. A snapshot that could not be written is in the inner result.
    pub fn step(&mut self) -> Result<(usize, Option<Result<SequenceNumber, StoreError>>), PastError> {
        let (_, safe) = self.frontier.released_up_to();
        self.visit.reach(safe, true);
        for taken in 0..FOLLOW_COMMANDS_PER_STEP {
            let Some(command) = self.visit.read()? else {
                return Ok((taken, None));
            };
            self.visit.past.apply(&command);
            if self.visit.past.seq() >= self.due {
                self.due = next_due(self.visit.past.seq(), self.every);
                return Ok((taken + 1, self.take()));
            }
        }
        Ok((FOLLOW_COMMANDS_PER_STEP, None))
    }

    /// Takes one where it stands; `None` before the first command.
    pub fn take(&mut self) -> Option<Result<SequenceNumber, StoreError>> {
        let snapshot: Snapshot = self.visit.past.snapshot()?;
        Some(self.snapshots.take(&snapshot).map(|()| snapshot.seq))
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
