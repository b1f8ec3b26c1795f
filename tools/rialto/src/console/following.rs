//! One member's stream of executions: from the member store, for as long as its key opens what it opened.

use super::members::{keyring, refusal};
use crate::exchange::store::StoreDesk;
use rialto_members::{Firm, Scoped};
use rialto_model::Actor;
use rialto_web::{Executions, Refusal};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Streams of one key at a time; one more is refused with 429.
const STREAMS_OF_KEY_MAX: usize = 4;
/// Rows that are told at once.
const ROWS_MAX: usize = 200;
/// Between two looks whether the key still stands.
const KEY_LOOK: Duration = Duration::from_secs(1);

/// How many streams each key has; a key without any is not in it.
pub(super) type Followers = Arc<Mutex<BTreeMap<Actor, usize>>>;

/// One of them.
pub(super) struct Following {
    place: Place,
    desk: Arc<StoreDesk>,
    keys: PathBuf,
    who: Scoped<Firm>,
    after: u64,
    looked: Instant,
}

/// Given back when it is dropped.
struct Place {
    followers: Followers,
    actor: Actor,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = followers.get_mut(&self.actor) {
            *count -= 1;
            if *count == 0 {
                followers.remove(&self.actor);
            }
        }
    }
}

impl Following {
    pub(super) fn new(
        followers: &Followers,
        desk: Arc<StoreDesk>,
        keys: PathBuf,
        actor: Actor,
        who: Scoped<Firm>,
        after: u64,
    ) -> Result<Self, Refusal> {
        let mut counted = followers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counted.entry(actor).or_default();
        if *count >= STREAMS_OF_KEY_MAX {
            return Err(refusal(
                429,
                "this key has as many streams open as it may, 4",
                "close one",
            ));
        }
        *count += 1;
        drop(counted);
        Ok(Self {
            place: Place {
                followers: Arc::clone(followers),
                actor,
            },
            desk,
            keys,
            who,
            after,
            looked: Instant::now(),
        })
    }
}

impl Executions for Following {
    fn news(&self) -> watch::Receiver<u64> {
        self.desk.news()
    }

    fn next(&mut self) -> Result<(String, bool), Refusal> {
        if self.looked.elapsed() >= KEY_LOOK {
            self.looked = Instant::now();
            if !keyring(&self.keys)?.stands(&self.place.actor.to_string(), &self.who) {
                return Err(refusal(401, "this key was taken out", "ask the venue for a key"));
            }
        }
        let told = self.desk.read().executions(&self.who, self.after, ROWS_MAX);
        if let Some(last) = told.rows.last() {
            self.after = last.number;
        }
        let has_any = !told.rows.is_empty();
        Ok((serde_json::to_string(&told).unwrap_or_default(), has_any))
    }
}
