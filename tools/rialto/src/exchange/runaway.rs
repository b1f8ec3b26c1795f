//! The runaway guard: a follower that watches what firms send, and has a firm that passes a limit killed by a command.
//!
//! Until limits are stated it only looks at what kinds of commands come. From the first of them on it has an engine of its own
//! and watches the released events, also those from before a restart: a trip that was found and not sequenced is found again.

use super::core::journal_folder;
use crate::ask::World;
use anyhow::Result;
use crossbeam_channel::Sender;
use rialto_gateway::Say;
use rialto_journal::{Frontier, OsDisk, Reader};
use rialto_matching::RunawayWatch;
use rialto_model::{Command, FirmId, SequenceNumber};
use rialto_past::Visit;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long it sleeps where it stands at the frontier.
const LOOK: Duration = Duration::from_millis(5);
/// Commands that are looked at before anything else is.
const STEP: usize = 10_000;

/// What the thread has.
pub(super) struct RunawayThread {
    journal: OsDisk,
    frontier: Frontier,
    world: Arc<World>,
    operations: Sender<Command>,
    say: Say,
    stop: Arc<AtomicBool>,
}

impl RunawayThread {
    pub(super) fn new(
        data: &Path,
        frontier: Frontier,
        world: Arc<World>,
        operations: Sender<Command>,
        say: Say,
        stop: Arc<AtomicBool>,
    ) -> Result<Self> {
        Ok(Self {
            journal: OsDisk::open_dir(&journal_folder(data))?,
            frontier,
            world,
            operations,
            say,
            stop,
        })
    }

    pub(super) fn run(&self) {
        rialto_ring::layout::beside_the_path();
        if let Err(error) = self.follow() {
            self.say
                .line(|| format!("the runaway guard has ended, the exchange goes on: {error:#}"));
        }
    }

    fn follow(&self) -> Result<()> {
        let Some(first) = self.first_limits()? else {
            return Ok(());
        };
        let stream = self.world.stream()?;
        let mut visit = match first.0.checked_sub(1).filter(|before| *before > 0) {
            Some(before) => stream.at(Some(SequenceNumber(before)))?,
            None => stream.near(SequenceNumber(0))?,
        };
        let mut watch = RunawayWatch::default();
        let mut told = BTreeMap::new();
        while !self.stop.load(Ordering::Relaxed) {
            let taken = self.step(&mut visit, &mut watch)?;
            if taken == STEP {
                continue;
            }
            // Everything that is released is known: what is pending has not been sequenced.
            self.tell(&watch, &mut told);
            if taken == 0 {
                std::thread::sleep(LOOK);
            }
        }
        Ok(())
    }

    /// The first command that states a limit or a parent.
    fn first_limits(&self) -> Result<Option<SequenceNumber>> {
        let mut reader = None;
        while !self.stop.load(Ordering::Relaxed) {
            let (_, safe) = self.frontier.released_up_to();
            let reader = match &mut reader {
                Some(reader) => reader,
                // A journal that begins later has lost them.
                None if safe.0 == 0 => {
                    std::thread::sleep(LOOK);
                    continue;
                }
                None => reader.insert(Reader::open(&self.journal)?),
            };
            reader.set_limit(safe);
            let mut taken = 0;
            while taken < STEP
                && let Some(command) = reader.read()?
            {
                taken += 1;
                if matches!(command.body, Command::SetRunawayLimits(_) | Command::SetParent(_)) {
                    return Ok(Some(command.seq));
                }
            }
            if taken == 0 {
                std::thread::sleep(LOOK);
            }
        }
        Ok(None)
    }

    fn step(&self, visit: &mut Visit<OsDisk>, watch: &mut RunawayWatch) -> Result<usize> {
        visit.reach(self.frontier.released_up_to().1, true);
        for taken in 0..STEP {
            let Some(command) = visit.read()? else {
                return Ok(taken);
            };
            for output in visit.past.apply(&command) {
                watch.follow(&output.event);
            }
        }
        Ok(STEP)
    }

    /// Has each trip sequenced once; where there is no room for it now, with the next look.
    fn tell(&self, watch: &RunawayWatch, told: &mut BTreeMap<FirmId, SequenceNumber>) {
        for found in watch.pending() {
            let trip = found.trip;
            if told.get(&trip.firm) != Some(&trip.judged) && self.operations.try_send((*found).into()).is_ok() {
                told.insert(trip.firm, trip.judged);
                self.say.line(|| {
                    format!(
                        "firm {} has run away: {:?} {} over {} by command {}; it is killed",
                        trip.firm, trip.cause, trip.measured, trip.limit, trip.judged
                    )
                });
            }
        }
    }
}
