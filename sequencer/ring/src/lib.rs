//! What stages share, so that no stage names another: bounded rings, the duty cycle and the clock.
//!
//! - Commands travel door to sequencer, sequencer to engine in single-producer single-consumer rings ([`spsc`]).
//! - Events travel from the engine to everyone in one broadcast ring ([`broadcast`]): written once, released by the gate,
//!   read in place by each follower.
//! - A [`Stage`] is a struct with a bounded unit of work; [`run`] gives stages a thread and idles by [`Idle`].
//! - Where a second engine is on the stream, who compares and the gate share a [`Word`].
//! - What is broken on purpose stands on a [`FaultBoard`], where each edge sees its own.
//! - When a stage was how far it writes with a [`Pen`], in [`Ticks`], for who measures beside the path.
//!
//! `unsafe` lives in [`broadcast`], and in [`ticks`] for one instruction.

pub mod broadcast;
pub mod clock;
pub mod faults;
pub mod layout;
pub mod marks;
pub mod stage;
pub mod ticks;
pub mod word;

pub use clock::{SystemClock, VirtualClock};
pub use faults::{FaultBoard, FaultSight};
pub use layout::Layout;
pub use marks::{Mark, Origin, Pen, pen};
pub use stage::{Idle, Stage, Stop, run};
pub use ticks::{Scale, Ticks};
pub use word::Word;

/// Single-producer single-consumer rings. A push into a full ring gives the value back: the producer keeps it and stops
/// reading its own input, which is back-pressure and never a reject.
pub mod spsc {
    pub use rtrb::{Consumer, Producer, PushError, RingBuffer};
}
