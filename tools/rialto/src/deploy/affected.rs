//! Who and what a candidate has reached that is taken back: sessions or subscribers, their firms, instruments, and between which
//! commands. By name as far as names are kept; how many they are is recorded in the stream (`Recall`).

use super::{Deployment, text};
use rialto_model::command::Recall;
use rialto_model::{InstrumentId, Reach, SequenceNumber, SessionId};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Names kept of each; of more it is known how many came.
const KEPT_MAX: usize = 1_024;
/// Names said of each; the rest are counted.
const NAMED_MAX: usize = 50;

/// What sort of candidate it is, as the stream says it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Engine = 1,
    Door = 2,
    Feed = 3,
}

/// Some of one sort, each once.
#[derive(Clone, Debug)]
pub(super) struct Roll<T> {
    pub(super) kept: BTreeSet<T>,
    more: u64,
}

impl<T> Default for Roll<T> {
    fn default() -> Self {
        Self {
            kept: BTreeSet::new(),
            more: 0,
        }
    }
}

impl<T: Ord> Roll<T> {
    pub(super) fn add(&mut self, one: T) {
        if self.kept.len() < KEPT_MAX {
            self.kept.insert(one);
        } else if !self.kept.contains(&one) {
            self.more += 1;
        }
    }

    /// How many; those beyond [`KEPT_MAX`] once for each time that they came.
    fn count(&self) -> u64 {
        self.kept.len() as u64 + self.more
    }
}

impl<T: Ord> FromIterator<T> for Roll<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut roll = Self::default();
        all.into_iter().for_each(|one| roll.add(one));
        roll
    }
}

/// Whom a door or a feed has reached since its share began.
#[derive(Clone, Debug, Default)]
pub(super) struct Reached {
    /// Sessions of a door.
    pub(super) sessions: Roll<SessionId>,
    /// Subscribers of a feed, and their firms.
    pub(super) subscribers: Roll<String>,
    pub(super) firms: Roll<String>,
    /// Of orders that came in by a door.
    pub(super) instruments: Roll<InstrumentId>,
    /// The last command before the first of them came.
    pub(super) since: Option<SequenceNumber>,
}

/// All of it by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Affected {
    /// Sessions, or subscribers.
    pub(super) sessions: Roll<String>,
    pub(super) firms: Roll<String>,
    pub(super) instruments: Roll<String>,
    pub(super) after: SequenceNumber,
    pub(super) up_to: SequenceNumber,
}

impl Affected {
    /// For people and programs.
    pub(super) fn line(&self) -> Value {
        let named = |roll: &Roll<String>| roll.kept.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>();
        let more = |roll: &Roll<String>| roll.count() - roll.kept.len().min(NAMED_MAX) as u64;
        json!({
            "sessions": named(&self.sessions),
            "more_sessions": more(&self.sessions),
            "firms": named(&self.firms),
            "more_firms": more(&self.firms),
            "instruments": named(&self.instruments),
            "more_instruments": more(&self.instruments),
            "after": self.after.0,
            "up_to": self.up_to.0,
        })
    }

    fn reach(&self, kind: Kind, build: u64) -> Reach {
        let count = |roll: &Roll<String>| u32::try_from(roll.count()).unwrap_or(u32::MAX);
        Reach {
            build,
            kind: kind as u8,
            sessions: count(&self.sessions),
            firms: count(&self.firms),
            instruments: count(&self.instruments),
            after: self.after,
            up_to: self.up_to,
        }
    }
}

impl Deployment {
    /// What is released.
    pub(super) fn released(&self) -> SequenceNumber {
        let place = self.place.get();
        place.map_or(SequenceNumber(0), |place| place.frontier.released_up_to().1)
    }

    /// Whom a door has reached, by name.
    pub(super) fn affected_at_door(&self, reached: &Reached, up_to: SequenceNumber) -> Affected {
        let names = self.names();
        let session = |id: &SessionId| names.sessions.get(id);
        let firms = reached.sessions.kept.iter().filter_map(session);
        let symbol = |id: &InstrumentId| names.symbols.get(id).cloned().unwrap_or_else(|| id.0.to_string());
        let name = |id: &SessionId| session(id).map_or_else(|| id.0.to_string(), |(name, _)| name.clone());
        let mut sessions: Roll<String> = reached.sessions.kept.iter().map(name).collect();
        sessions.more = reached.sessions.more;
        Affected {
            sessions,
            firms: firms.map(|(_, firm)| firm.clone()).collect(),
            instruments: reached.instruments.kept.iter().map(symbol).collect(),
            after: reached.since.unwrap_or(up_to),
            up_to,
        }
    }

    /// Whom a feed has reached: each of them was told of every instrument.
    pub(super) fn affected_at_feed(&self, reached: &Reached, up_to: SequenceNumber) -> Affected {
        let anybody = reached.since.is_some();
        let symbols = self.names().symbols.into_values();
        Affected {
            sessions: reached.subscribers.clone(),
            firms: reached.firms.clone(),
            instruments: symbols.filter(|_| anybody).collect(),
            after: reached.since.unwrap_or(up_to),
            up_to,
        }
    }

    /// Puts how many they are into the stream.
    pub(super) fn recall(&self, kind: Kind, build: u64, affected: &Affected, why: &str) -> anyhow::Result<()> {
        let reach = affected.reach(kind, build);
        self.venue.sequence(Recall { reach, why: text(why) }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_named_is_counted() {
        let names = (0..2_000).map(|at| format!("s{at:04}"));
        let affected = Affected {
            sessions: names.collect(),
            firms: ["ALFA".to_owned()].into_iter().collect(),
            after: SequenceNumber(7),
            up_to: SequenceNumber(9),
            ..Affected::default()
        };
        let line = affected.line();
        assert_eq!(line["sessions"].as_array().map(Vec::len), Some(NAMED_MAX));
        assert_eq!(line["more_sessions"], 2_000 - NAMED_MAX as u64);
        assert_eq!((&line["firms"][0], &line["more_firms"]), (&json!("ALFA"), &json!(0)));
        let reach = affected.reach(Kind::Feed, 5);
        assert_eq!(
            (reach.kind, reach.sessions, reach.firms, reach.instruments),
            (3, 2_000, 1, 0)
        );
        assert_eq!((reach.after.0, reach.up_to.0), (7, 9));
    }
}
