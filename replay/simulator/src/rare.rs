//! Paths that a run must reach now and then: a simulation that never gets there proves nothing about them.

macro_rules! rare {
    ($($(#[doc = $text:literal])+ $path:ident = $name:literal,)+) => {
        /// A path that only an accident or a full queue leads to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum RarePath { $($(#[doc = $text])+ $path,)+ }

        impl RarePath {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$path,)+];

            /// What people call it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$path => $name,)+ }
            }
        }
    };
}

rare! {
    /// A client's ring was full, and it kept its command.
    InputRingFull = "input ring full",
    /// The sequencer had input and took none, as the engine's ring was full.
    EngineRingFull = "engine ring full",
    /// Events did not fit the ring and waited in the engine stage.
    EventsSpilled = "events spilled",
    /// A segment was sealed and the next one begun.
    Rotated = "segment rotated",
    /// A commit waited for a segment.
    WaitedForSegment = "commit waited for a segment",
    /// The disk had no room for a segment.
    DiskFull = "disk full while a segment was made",
    /// Such a wait ended and nothing had been lost.
    DiskFullResumed = "went on after a full disk",
    /// The reserve could not be made, and cancels were taken alone.
    CancelOnlyBegan = "cancels only",
    /// The reserve was whole again, and everything was taken.
    CancelOnlyEnded = "end of cancels only",
    /// An order was refused meanwhile.
    CancelOnlyRefused = "order refused while cancels only",
    /// A start went on taking cancels alone.
    CancelOnlyResumed = "start with cancels only",
    /// A start found no room and was refused.
    StartRefusedFull = "start refused on a full disk",
    /// A start was refused by a disk that failed.
    StartRefusedDisk = "start refused by a failing disk",
    /// A write failed and stopped the exchange.
    WriteFailed = "failed write stopped the exchange",
    /// A write took a part and was finished by another.
    ShortWriteFinished = "short write finished",
    /// An fsync failed and stopped the exchange.
    SyncFailed = "failed fsync stopped the exchange",
    /// Records were written while an fsync was under way.
    WrittenDuringSync = "written during an fsync",
    /// The power failed while records were written and not synced.
    PowerLossUnsynced = "power loss with unsynced records",
    /// A recovery cut a torn end off.
    TornEndCut = "recovery cut a torn end",
    /// The power failed in a recovery.
    PowerLossInRecovery = "power loss in a recovery",
    /// A killed process left records that had not been released.
    KilledUnreleased = "killed with unreleased records",
    /// The wall clock went back and the next stamp did not.
    StampHeld = "stamp held after the clock went back",
    /// An idle mark was written.
    IdleMark = "idle mark",
    /// A second writer was refused.
    SecondWriterRefused = "second writer refused",
    /// Another took the journal over from a stopped process.
    TakenOver = "journal taken over",
    /// The stopped one ran on and found itself fenced off.
    FencedOff = "fenced writer stopped",
    /// The stopped one wrote before it found out.
    FencedWrote = "fenced writer wrote in vain",
    /// A session was up at the crash, and its loss was sequenced first.
    SessionLostInRecovery = "session lost in a recovery",
    /// A client sent an order again that had been taken.
    ResendIgnored = "resend ignored",
    /// A client sent an order again that had been lost unanswered, and it was taken.
    ResendTaken = "resend taken",
    /// A stalled follower filled the ring of events.
    FollowerStalled = "stalled follower filled the ring",
}

/// How often each was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RarePaths([u64; RarePath::ALL.len()]);

impl Default for RarePaths {
    fn default() -> Self {
        Self([0; RarePath::ALL.len()])
    }
}

impl RarePaths {
    pub(crate) const fn reach(&mut self, path: RarePath) {
        self.0[path as usize] += 1;
    }

    /// How often this one was.
    #[must_use]
    pub const fn count(&self, path: RarePath) -> u64 {
        self.0[path as usize]
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// Those never reached.
    pub fn missed(&self) -> impl Iterator<Item = RarePath> + '_ {
        RarePath::ALL.iter().copied().filter(|path| self.count(*path) == 0)
    }
}
