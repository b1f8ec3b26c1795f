//! Where a publisher stands, without what it remembers.

use rialto_itch::mold::{self, Session};
use rialto_model::{Epoch, SequenceNumber, VenueId};

use crate::collar::Carried;
use crate::translator::Translator;

/// Where a publisher stood between two commands: enough to go on from there in the same words and numbers
/// ([`Publisher::resume`](crate::Publisher::resume)). Places share what they have in common and are cheap to keep.
#[derive(Clone, Debug)]
pub struct Place {
    pub(crate) translator: Translator,
    pub(crate) session: Option<Session>,
    pub(crate) next: mold::SequenceNumber,
    pub(crate) venue: VenueId,
    pub(crate) epoch: Epoch,
    pub(crate) last_command: SequenceNumber,
}

impl Place {
    /// Before the first day of a venue's stream that is followed, with what its instruments have from before.
    #[must_use]
    pub fn before_a_day(venue: VenueId, carried: impl IntoIterator<Item = Carried>) -> Self {
        Self {
            translator: Translator::carrying(carried),
            session: None,
            next: mold::SequenceNumber::FIRST,
            venue,
            epoch: Epoch(0),
            last_command: SequenceNumber(0),
        }
    }

    /// The number that the next message got.
    #[must_use]
    pub const fn next_sequence(&self) -> mold::SequenceNumber {
        self.next
    }
}
