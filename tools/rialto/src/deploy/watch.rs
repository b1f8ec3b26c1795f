//! Looks after whoever is compared, and acts at once: on a difference, a silence or a death the stream says that nobody
//! waits any more. The gate has stopped waiting by itself before that.

use super::{Deployment, build, cut_over, route};
use anyhow::Result;
use rialto_model::{Finding, InstrumentId, SequenceNumber};
use rialto_ring::word::Returned;
use std::sync::Arc;
use std::time::Duration;

/// How often it looks while an engine is there, and while none is.
const LOOK: Duration = Duration::from_millis(2);
const IDLE_LOOK: Duration = Duration::from_millis(20);

/// Begins.
pub(super) fn spawn(deployment: &Arc<Deployment>) -> Result<()> {
    let watched = Arc::downgrade(deployment);
    let thread = std::thread::Builder::new().name("deployment".to_owned());
    thread.spawn(move || {
        let mut told = None;
        while let Some(deployment) = watched.upgrade() {
            if deployment.is_stopping() {
                return;
            }
            // A stream that takes nothing more ends the exchange, and this with it.
            let _ = deployment.look(&mut told);
            let busy = deployment.word.is_attached();
            drop(deployment);
            std::thread::sleep(if busy { LOOK } else { IDLE_LOOK });
        }
    })?;
    Ok(())
}

impl Deployment {
    /// `told`: the difference that was acted on already, by its build and command.
    fn look(&self, told: &mut Option<(u64, SequenceNumber)>) -> Result<()> {
        for returned in self.word.take_returned() {
            self.silent(returned)?;
        }
        let (green, waits, canary) = {
            let state = self.state();
            let green = state.green.as_ref().map(|green| green.introduction.build);
            let waits = state.ledger.live.is_some() || !state.ledger.routed.is_empty();
            let canary = state.canary.as_ref().is_some_and(super::canary::Run::is_running);
            (green, waits, canary)
        };
        // A canary's driver sees the same as soon, and its judge says more of it.
        if canary {
            return Ok(());
        }
        if let (Some(build), Some(found)) = (green, self.word.difference()) {
            if *told != Some((build, found.seq)) {
                *told = Some((build, found.seq));
                let why = format!("differs at {}", found.seq);
                if waits {
                    self.roll_back(&why)?;
                }
                // A canary's judge has said it already.
                if self.state().ledger.wrong.contains_key(&build) {
                    return Ok(());
                }
                let compared = self.word.counts().compared;
                let finding = Finding {
                    build,
                    compared,
                    ..Finding::default()
                };
                self.record(finding, &why)?;
            }
        } else if green.is_none() && waits {
            let why = self.state().farewell.clone().unwrap_or_else(|| "it is gone".to_owned());
            self.roll_back(&why)?;
        }
        Ok(())
    }

    /// What was silent for too long is not waited for any more: that is counted, and no verdict.
    fn silent(&self, returned: Returned) -> Result<()> {
        let why = format!("silent at {}", returned.seq);
        let (live, routed_to) = {
            let mut state = self.state();
            state.silences += 1;
            (state.ledger.live, state.ledger.routed_to)
        };
        let command = match (returned.instrument, live) {
            (InstrumentId(0), Some(build)) => cut_over(build, SequenceNumber(0), false, &why),
            (InstrumentId(0), None) => return Ok(()),
            (instrument, _) => route(routed_to, instrument, false, &why),
        };
        self.switch(&[command])?;
        let said = serde_json::json!({
            "silent": returned.instrument.0,
            "build": build::name(live.unwrap_or(routed_to)),
            "seq": returned.seq.0,
        });
        self.state().returned = Some(said);
        Ok(())
    }
}
