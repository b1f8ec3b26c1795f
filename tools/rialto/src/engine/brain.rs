//! The engine of an engine process: this build's own, or with the feature `defects` one with something wrong.

#[cfg(feature = "defects")]
use super::defect::{Defect, Fault};
use crate::deploy::build;
use anyhow::Result;
use rialto_matching::{Engine, EngineState, Limits, Matching as _};
use rialto_model::{Command, EventSink, Sequenced};

#[derive(Clone)]
pub(super) struct Brain {
    engine: Engine,
    #[cfg(feature = "defects")]
    fault: Fault,
}

impl Brain {
    #[cfg(not(feature = "defects"))]
    pub(super) fn new() -> Self {
        Self {
            engine: Engine::new(Limits::default()),
        }
    }

    #[cfg(feature = "defects")]
    pub(super) fn new(defect: Defect) -> Self {
        Self {
            engine: Engine::new(Limits::default()),
            fault: Fault::new(defect),
        }
    }

    /// Goes on from a state.
    pub(super) fn import(&mut self, state: &EngineState) -> Result<()> {
        self.engine = Engine::import(state)?;
        Ok(())
    }

    #[cfg(not(feature = "defects"))]
    pub(super) fn apply(&mut self, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        self.engine.apply(command, sink);
    }

    #[cfg(feature = "defects")]
    pub(super) fn apply(&mut self, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        self.fault.apply(&mut self.engine, command, sink);
    }

    /// Behind a window of commands that took so long.
    pub(super) fn rest(&mut self, _cpu_ns: u64) {
        #[cfg(feature = "defects")]
        self.fault.rest(_cpu_ns);
    }

    /// The hash of its table of flags.
    pub(super) fn flag_table(&self) -> u64 {
        #[cfg(feature = "defects")]
        if self.fault.is_of_an_old_table() {
            return !build::flag_table();
        }
        build::flag_table()
    }
}
