//! The release gate.

use crate::hold::Hold;
use rialto_journal::Frontier;
use rialto_model::{Epoch, Output};
use rialto_ring::broadcast::Gate;
use rialto_ring::{Stage, Word};

/// Events looked at in one poll at most.
const BATCH: usize = 1024;

/// Lets events out of the ring once their command is safe by the configured rule.
#[derive(Debug)]
pub struct ReleaseGate {
    events: Gate<Output>,
    frontier: Frontier,
    epoch: Epoch,
    hold: Option<Hold>,
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

impl Stage for ReleaseGate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn poll(&mut self) -> usize {
        let (epoch, released) = self.frontier.released_up_to();
        if epoch != self.epoch {
            return 0;
        }
        let safe = |output: &Output| output.event.seq <= released && output.event.epoch == epoch;
        match &mut self.hold {
            None => self.events.poll(BATCH, safe),
            Some(hold) => {
                hold.note_safe(released);
                self.events.poll(BATCH, |output| safe(output) && hold.admits(output))
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.events.is_drained()
    }
}
