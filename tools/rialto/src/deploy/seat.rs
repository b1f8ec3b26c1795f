//! Where an engine process is received, and what it says is taken.

use super::doors::Doors;
use super::feeds::Feeds;
use super::{Attached, Deployment, WINDOWS_MAX, build};
use rialto_engine::Testimony;
use rialto_engine::talk::{Cost, Introduction, PassedOver, Role, Testify, encode_brief};
use rialto_follow::{Engines, Seat};
use rialto_matching::CURRENT_RELEASE;
use rialto_model::SequenceNumber;
use rialto_ring::spsc::PushError;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Receives engines for a deployment.
pub(crate) struct Office(pub(crate) Arc<Deployment>);

impl Engines for Office {
    fn receive(&self, peer: SocketAddr, introduction: &[u8]) -> Result<(Box<dyn Seat>, Vec<u8>), String> {
        let introduction =
            Introduction::decode(introduction).map_err(|error| format!("its introduction cannot be read: {error}"))?;
        if introduction.role.is_door() {
            self.0.may_join(&introduction)?;
            return self.0.receive_edge::<Doors>(peer.ip().is_loopback(), &introduction);
        }
        if introduction.role.is_feed() {
            self.0.may_join(&introduction)?;
            return self.0.receive_edge::<Feeds>(peer.ip().is_loopback(), &introduction);
        }
        let (generation, brief) = self.0.receive(&introduction)?;
        let chair = Chair {
            deployment: Arc::clone(&self.0),
            role: introduction.role,
            build: introduction.build,
            generation,
        };
        Ok((Box::new(chair), encode_brief(&brief)))
    }
}

impl Deployment {
    /// What every process has to be.
    fn may_join(&self, introduction: &Introduction) -> Result<(), String> {
        let Introduction {
            table,
            release,
            ref name,
            ..
        } = *introduction;
        let own = build::flag_table();
        if self.is_stopping() {
            return Err("the exchange ends".to_owned());
        }
        if table != own {
            let (found, own) = (build::name(table), build::name(own));
            return Err(format!(
                "{name} has the flag table {found}, this exchange {own}: build it anew"
            ));
        }
        if release != CURRENT_RELEASE {
            return Err(format!("{name} has release {release}, this exchange {CURRENT_RELEASE}"));
        }
        Ok(())
    }

    /// Keeps a seat for it: under which number, and what it has to pass over.
    fn receive(&self, introduction: &Introduction) -> Result<(u64, Vec<PassedOver>), String> {
        let Introduction { role, build, .. } = *introduction;
        let joins = self.may_join(introduction);
        let mut state = self.state();
        let refused = match joins {
            Err(why) => Some(why),
            Ok(()) if role == Role::Candidate && state.green.is_some() => {
                Some("another engine is being compared already".to_owned())
            }
            Ok(()) => None,
        };
        if role == Role::Candidate && state.green.is_none() {
            state.candidate = build;
        }
        if let Some(why) = refused {
            if role == Role::Candidate && state.green.is_none() {
                state.farewell = Some(why.clone());
            }
            return Err(why);
        }
        state.generation += 1;
        let generation = state.generation;
        let attached = Attached {
            introduction: introduction.clone(),
            since: Instant::now(),
            taken: SequenceNumber(0),
            memory: None,
            generation,
        };
        let passed_over = state.ledger.passed_over.get(&build).cloned().unwrap_or_default();
        if role == Role::Baseline {
            state.baseline = Some(attached);
            return Ok((generation, passed_over));
        }
        // It is there before it is said so: what is still to come of another is of an older arrival.
        let begins = Testimony::Begins {
            generation: self.word.attach(),
            passed_over: state.ledger.not_compared(build),
        };
        let mut testimony = self.testimony.lock().unwrap_or_else(PoisonError::into_inner);
        if testimony.push(begins).is_err() {
            self.word.detach();
            return Err("what the engine before it said is still being compared: come again".to_owned());
        }
        state.green = Some(attached);
        state.farewell = None;
        Ok((generation, passed_over))
    }
}

struct Chair {
    deployment: Arc<Deployment>,
    role: Role,
    build: u64,
    generation: u64,
}

impl Seat for Chair {
    fn hear(&mut self, testimony: &[u8]) -> Result<bool, String> {
        let said = Testify::decode(testimony).map_err(|error| format!("its testimony cannot be read: {error}"))?;
        match said {
            Testify::Answers(answers) if self.role == Role::Candidate => {
                let mut ring = self.deployment.testimony.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(!matches!(
                    ring.push(Testimony::Answers(answers)),
                    Err(PushError::Full(_))
                ));
            }
            Testify::Answers(_) => return Err("nobody compares what a baseline says".to_owned()),
            Testify::Commands(_) | Testify::Opens { .. } | Testify::Tells { .. } | Testify::Said(_) => {
                return Err("an engine is no door and no feed".to_owned());
            }
            Testify::Costs(costs) => self.costs(&costs),
            Testify::Died { seq, instrument, words } => {
                self.deployment.state().farewell = Some(format!("crashed on {seq}: {words}"));
                let passed_over = self.deployment.pass_over(self.build, (seq, instrument));
                passed_over.map_err(|error| error.to_string())?;
            }
            Testify::Health { taken, memory } => self.health(taken, memory),
        }
        Ok(true)
    }
}

impl Chair {
    fn costs(&self, costs: &[Cost]) {
        let all = &mut self.deployment.state().costs;
        for cost in costs {
            let pair = all.entry(cost.window).or_default();
            match self.role {
                Role::Candidate => pair.0 = Some(cost.cpu_ns),
                _ => pair.1 = Some(cost.cpu_ns),
            }
        }
        while all.len() > WINDOWS_MAX {
            all.pop_first();
        }
    }

    fn health(&self, taken: SequenceNumber, memory: u64) {
        let mut state = self.deployment.state();
        let seat = match self.role {
            Role::Candidate => &mut state.green,
            _ => &mut state.baseline,
        };
        if let Some(attached) = seat.as_mut().filter(|one| one.generation == self.generation) {
            attached.taken = taken;
            attached.memory = Some((attached.memory.map_or(memory, |(first, _)| first), memory));
        }
    }
}

impl Drop for Chair {
    /// The connection is gone, and with it who was waited for.
    fn drop(&mut self) {
        let mut state = self.deployment.state();
        let is_mine = |seat: &Option<Attached>| seat.as_ref().is_some_and(|one| one.generation == self.generation);
        if is_mine(&state.baseline) {
            state.baseline = None;
        }
        if is_mine(&state.green) {
            self.deployment.word.detach();
            state.green = None;
            state
                .farewell
                .get_or_insert_with(|| "its connection is gone".to_owned());
        }
    }
}
