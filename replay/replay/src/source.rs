//! Where recorded commands come from.

use rialto_journal::{Disk, ReadError, Reader};
use rialto_model::{Command, Sequenced};

/// Recorded commands, in order, some at a time and in place: see [`Reader::fill`].
pub trait Source: Send {
    /// Why there are no more.
    type Error: Send;

    /// Those at hand, none at the end; again the same until they are consumed.
    ///
    /// # Errors
    /// Why there are no more.
    fn fill(&mut self) -> Result<&[Sequenced<Command>], Self::Error>;

    /// Goes on behind the first `count` of those at hand.
    fn consume(&mut self, count: usize);
}

impl<D: Disk> Source for Reader<D>
where
    Self: Send,
{
    type Error = ReadError;

    fn fill(&mut self) -> Result<&[Sequenced<Command>], ReadError> {
        Self::fill(self)
    }

    fn consume(&mut self, count: usize) {
        Self::consume(self, count);
    }
}
