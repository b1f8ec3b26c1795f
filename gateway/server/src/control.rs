//! How the composition root asks a door to close, and learns that it has; or to close for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The handle of one door. All clones are one.
///
/// The order of a shutdown: [`close`](Self::close) every door, go on polling all stages until
/// [`is_closed`](Self::is_closed), and only then ask the stages to drain. A door needs the others to be told of its
/// sessions' ends.
#[derive(Clone, Debug, Default)]
pub struct DoorControl(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    closing: AtomicBool,
    closed: AtomicBool,
    suspended: AtomicBool,
}

impl DoorControl {
    /// Asks the door to accept and read nothing more, to say goodbye to every live session and to sequence its loss.
    pub fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
    }

    /// Asks the door to say goodbye to every live session and to sequence its loss, and to let nobody in until this is taken
    /// back. Who comes meanwhile waits in the system's queue.
    pub fn suspend(&self, suspended: bool) {
        self.0.suspended.store(suspended, Ordering::Release);
    }

    /// Whether nobody is connected any more and every loss was sequenced, released and followed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.0.closing.load(Ordering::Acquire)
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.0.suspended.load(Ordering::Acquire)
    }

    pub(crate) fn set_closed(&self) {
        self.0.closed.store(true, Ordering::Release);
    }
}
