//! The engine of an engine process: this build's own, or with the feature `defects` one with something wrong.

use super::Args;
#[cfg(feature = "defects")]
use super::defect::Fault;
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
    /// What the arguments name, before the first command.
    pub(super) fn of(_args: &Args) -> Self {
        Self {
            engine: Engine::new(Limits::default()),
            #[cfg(feature = "defects")]
            fault: Fault::new(_args.defect),
        }
    }

    /// Goes on from a state.
    pub(super) fn import(&mut self, state: &EngineState) -> Result<()> {
        self.engine = Engine::import(state)?;
        Ok(())
    }

    pub(super) fn apply(&mut self, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        #[cfg(feature = "defects")]
        if self.fault.meddles() {
            return self.fault.apply(&mut self.engine, command, sink);
        }
        plain(&mut self.engine, command, sink);
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

/// A function by itself, so that a build with defects does not differ from the ordinary one by what is put inline.
#[inline(never)]
fn plain(engine: &mut Engine, command: &Sequenced<Command>, sink: &mut impl EventSink) {
    engine.apply(command, sink);
}
