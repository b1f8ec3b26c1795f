//! Messages that came before their turn: a ring of places, one for each number from the next one on.
//!
//! It never grows: a number beyond the ring has no place, and the receiver drops the message. Places keep their memory
//! when emptied, so that nothing is allocated once each has held a message.

use alloc::vec::Vec;

use rialto_itch::mold::SequenceNumber;

#[derive(Clone, Debug)]
pub(crate) struct Reorder {
    places: Vec<Place>,
    held: usize,
}

#[derive(Clone, Debug, Default)]
struct Place {
    sequence: Option<SequenceNumber>,
    message: Vec<u8>,
}

impl Reorder {
    /// A ring of `size` places, at least one.
    pub(crate) fn new(size: usize) -> Self {
        let mut places = Vec::new();
        places.resize_with(size.max(1), Place::default);
        Self { places, held: 0 }
    }

    /// How many numbers from the next one on have a place.
    pub(crate) const fn size(&self) -> u64 {
        self.places.len() as u64
    }

    const fn index(&self, sequence: SequenceNumber) -> usize {
        (sequence.0 % self.size()) as usize
    }

    /// Whether this message is held.
    #[inline]
    pub(crate) fn holds(&self, sequence: SequenceNumber) -> bool {
        self.held > 0
            && self
                .places
                .get(self.index(sequence))
                .is_some_and(|place| place.sequence == Some(sequence))
    }

    /// Holds a message whose number is less than [`size`](Self::size) ahead of the next one.
    pub(crate) fn hold(&mut self, sequence: SequenceNumber, message: &[u8]) {
        let index = self.index(sequence);
        if let Some(place) = self.places.get_mut(index) {
            debug_assert_eq!(place.sequence, None, "two numbers of one window share a place");
            place.sequence = Some(sequence);
            place.message.clear();
            place.message.extend_from_slice(message);
            self.held += 1;
        }
    }

    /// Gives a message back and empties its place.
    #[inline]
    pub(crate) fn take(&mut self, sequence: SequenceNumber) -> Option<&[u8]> {
        if !self.holds(sequence) {
            return None;
        }
        let index = self.index(sequence);
        let place = self.places.get_mut(index)?;
        place.sequence = None;
        self.held -= 1;
        Some(&place.message)
    }

    /// The first held number from `from` on and before `end`.
    pub(crate) fn first_held(&self, from: SequenceNumber, end: SequenceNumber) -> Option<SequenceNumber> {
        let reach = end.since(from).min(self.size());
        (0..reach)
            .filter_map(|ahead| from.checked_add(ahead))
            .find(|&sequence| self.holds(sequence))
    }

    /// The first number from `from` on and before `end` that is not held.
    pub(crate) fn first_missing(&self, from: SequenceNumber, end: SequenceNumber) -> Option<SequenceNumber> {
        let mut sequence = from;
        while sequence < end {
            if !self.holds(sequence) {
                return Some(sequence);
            }
            sequence = sequence.checked_add(1)?;
        }
        None
    }
}
