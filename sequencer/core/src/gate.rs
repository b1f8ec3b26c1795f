//! The release gate.

use rialto_journal::Frontier;
use rialto_model::{Epoch, Output};
use rialto_ring::Stage;
use rialto_ring::broadcast::Gate;

/// Events looked at in one poll at most.
const BATCH: usize = 1024;

/// Lets events out of the ring once their command is safe by the configured rule.
#[derive(Debug)]
pub struct ReleaseGate {
    events: Gate<Output>,
    frontier: Frontier,
    epoch: Epoch,
}

impl ReleaseGate {
    /// A gate for the writer of `epoch`: events of any other epoch stay inside.
    #[must_use]
    pub const fn new(events: Gate<Output>, frontier: Frontier, epoch: Epoch) -> Self {
        Self {
            events,
            frontier,
            epoch,
        }
    }
}

impl Stage for ReleaseGate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn poll(&mut self) -> usize {
        let (epoch, safe) = self.frontier.released_up_to();
        if epoch != self.epoch {
            return 0;
        }
        self.events
            .poll(BATCH, |output| output.event.seq <= safe && output.event.epoch == epoch)
    }

    fn is_drained(&self) -> bool {
        self.events.is_drained()
    }
}
