//! The release gate.

use crate::hold::Hold;
use crate::slow::SlowDisk;
use rialto_journal::Frontier;
use rialto_model::{Epoch, Output};
use rialto_ring::broadcast::Gate;
use rialto_ring::{FaultBoard, Pen, Stage, Word};

/// Events looked at in one poll at most.
const BATCH: usize = 1024;

/// Lets events out of the ring once their command is safe by the configured rule.
#[derive(Debug)]
pub struct ReleaseGate {
    events: Gate<Output>,
    frontier: Frontier,
    epoch: Epoch,
    hold: Option<Hold>,
    slow: Option<SlowDisk>,
    marks: Option<Pen>,
}

impl ReleaseGate {
    /// A gate for the writer of `epoch`: events of any other epoch stay inside.
    #[must_use]
    pub const fn new(events: Gate<Output>, frontier: Frontier, epoch: Epoch) -> Self {
        Self {
            events,
            frontier,
            epoch,
            hold: None,
            slow: None,
            marks: None,
        }
    }

    /// Writes when it was how far: the last command of which it let an event out.
    #[must_use]
    pub fn marking(self, pen: Pen) -> Self {
        Self {
            marks: Some(pen),
            ..self
        }
    }

    /// Also waits for the word of another engine, where the stream says so.
    #[must_use]
    pub fn heeding(self, word: Word) -> Self {
        Self {
            hold: Some(Hold::new(word)),
            ..self
        }
    }
}

impl ReleaseGate {
    /// Sees what is written late where a fault says that the disk is slow; `monotonic` is the local time in nanoseconds.
    #[must_use]
    pub fn slowed(self, board: FaultBoard, monotonic: Box<dyn Fn() -> u64 + Send>) -> Self {
        Self {
            slow: Some(SlowDisk::new(board, monotonic)),
            ..self
        }
    }
}

impl Stage for ReleaseGate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn poll(&mut self) -> usize {
        let (epoch, released) = self.frontier.released_up_to();
        if epoch != self.epoch {
            return 0;
        }
        let safe = match &mut self.slow {
            None => released,
            Some(slow) => slow.seen(released),
        };
        let is_safe = |output: &Output| output.event.seq <= safe && output.event.epoch == epoch;
        let marks = &mut self.marks;
        let last = |output: &Output| {
            if let Some(pen) = marks {
                pen.note(output.event.seq.0);
            }
        };
        match &mut self.hold {
            None => self.events.poll_telling(BATCH, is_safe, last),
            Some(hold) => {
                hold.note_safe(safe);
                let admits = |output: &Output| is_safe(output) && hold.admits(output);
                self.events.poll_telling(BATCH, admits, last)
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.events.is_drained()
    }
}
