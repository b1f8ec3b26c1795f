//! Who is to look again, and when: a subscriber that waits is left alone until there is something for it.
//!
//! Each look costs a turn of a task and a timer, whether or not anything comes of it. Who is told of a book every 10 ms must
//! not pay for what changes in between.

use std::cell::Cell;
use std::rc::Rc;
use tokio::sync::Notify;

use crate::hub::Hub;
use rialto_conflate::SubscriberId;

/// What a subscriber that waits wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Anything.
    Change,
    /// That something waits for it: a trade or a status is told at once.
    Told(SubscriberId),
}

/// One subscriber's place.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    notify: Notify,
    /// Nothing while it is at work: it looks again by itself.
    until: Cell<Option<Until>>,
}

impl Wake {
    /// Waits. The caller stops waiting when its time has come.
    pub(crate) async fn wait(&self, until: Until) {
        self.until.set(Some(until));
        self.notify.notified().await;
    }

    /// It is at work again.
    pub(crate) fn at_work(&self) {
        self.until.set(None);
    }
}

/// Everyone's.
#[derive(Debug, Default)]
pub(crate) struct Wakes(Vec<(u64, Rc<Wake>)>);

impl Wakes {
    pub(crate) fn enter(&mut self, key: u64) -> Rc<Wake> {
        let wake = Rc::<Wake>::default();
        self.0.push((key, Rc::clone(&wake)));
        wake
    }

    pub(crate) fn leave(&mut self, key: u64) {
        self.0.retain(|(one, _)| *one != key);
    }

    /// The feed has moved.
    pub(crate) fn changed(&self, hub: &mut Hub) {
        for (_, wake) in &self.0 {
            let heard = match wake.until.get() {
                None => false,
                Some(Until::Change) => true,
                Some(Until::Told(id)) => hub
                    .conflation
                    .subscriber(id)
                    .is_none_or(|(one, _)| one.waiting_bytes() > 0),
            };
            if heard {
                wake.notify.notify_one();
            }
        }
    }

    /// Everyone is to look, whatever for.
    pub(crate) fn all(&self) {
        for (_, wake) in &self.0 {
            wake.notify.notify_one();
        }
    }
}
