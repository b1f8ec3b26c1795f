//! Two engines on one stream: what the stream says of it. Every engine says it again as it stands.
//!
//! None of it is part of an engine's state: both engines hold all of that, and who waits for whom is the release gate's to
//! know. A build is named by the 64-bit xxh3 of its executable.

use crate::codec::composite;
use crate::command::{CutOver, Judge, Quarantine, Route};
use crate::event::{CutOverSet, Event, Judged, Quarantined, Routed};
use crate::ids::{InstrumentId, SequenceNumber};

composite! {
    /// A cut-over: where the word that events wait for changes.
    Cut {
        /// Which build's word.
        build: u64,
        /// The build of the exchange itself, which holds the books all the while.
        standing: u64,
        /// The last command whose events are released as before; this one where it names an earlier one.
        after: SequenceNumber,
        /// Whether that word is waited for from there on, or no more.
        green: bool,
    }
}

composite! {
    /// Where an instrument's events take their way.
    Way {
        /// Which build's word.
        build: u64,
        /// Which instrument; zero: all of them.
        instrument: InstrumentId,
        /// Whether that word is waited for, or no more.
        candidate: bool,
    }
}

composite! {
    /// A verdict and its numbers.
    Finding {
        /// Which build.
        build: u64,
        /// At which step, in percent of the instruments; zero: in front of the first percentage.
        step: u8,
        /// Whether it goes on.
        passed: bool,
        /// Commands whose events were compared.
        compared: u64,
        /// Pairs of cost windows.
        windows: u32,
        /// The median ratio of its cost to that of the old build, in millionths; zero: not measured.
        ratio_ppm: u32,
        /// How likely such a difference is by chance, in thousand millionths.
        p_ppb: u32,
        /// Bytes that it holds beyond what the old build does.
        memory: u64,
    }
}

composite! {
    /// A command that brought a build down.
    Poison {
        /// Which build.
        build: u64,
        /// The command.
        seq: SequenceNumber,
        /// Its instrument; zero: none.
        instrument: InstrumentId,
    }
}

impl From<CutOver> for Event {
    fn from(CutOver { cut, why }: CutOver) -> Self {
        CutOverSet { cut, why }.into()
    }
}

impl From<Route> for Event {
    fn from(Route { way, why }: Route) -> Self {
        Routed { way, why }.into()
    }
}

impl From<Judge> for Event {
    fn from(Judge { finding, why }: Judge) -> Self {
        Judged { finding, why }.into()
    }
}

impl From<Quarantine> for Event {
    fn from(Quarantine { poison }: Quarantine) -> Self {
        Quarantined { poison }.into()
    }
}
