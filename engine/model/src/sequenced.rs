//! The envelope the sequencer stamps.

use crate::command::{Command, Tick};
use crate::event::{Event, Ticked};
use crate::ids::{Epoch, SequenceNumber};
use crate::time::Timestamp;

/// A body with the number, the time and the epoch that the sequencer gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequenced<T> {
    /// The global number, dense from 1. Events carry the number of the command that caused them.
    pub seq: SequenceNumber,
    /// Venue time; never less than that of the number before.
    pub stamp: Timestamp,
    /// The writer's fencing number; part of no hash.
    pub epoch: Epoch,
    /// What was sequenced.
    pub body: T,
}

impl Command {
    /// What a command is read over.
    pub(crate) const BLANK: Self = Self::Tick(Tick {});
}

impl Event {
    /// What an event is read over.
    pub(crate) const BLANK: Self = Self::Ticked(Ticked {});
}

/// One event on its way to those who follow the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The event under its command's number.
    pub event: Sequenced<Event>,
    /// Whether it is the last one of its command. Every command has at least one event, so this also marks progress.
    pub last: bool,
}

/// Where the engine puts what came of a command.
pub trait EventSink {
    /// Takes one event. Called in order, at least once a command.
    fn emit(&mut self, event: Event);
}
