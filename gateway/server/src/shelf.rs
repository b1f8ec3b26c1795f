//! Items in numbered places that are never moved: a table that doubles keeps its door waiting while all that it holds is copied,
//! and each item comes into memory that was touched before no more than once.

/// Items of a piece.
const PIECE: usize = 1_024;

/// A growing array of pieces.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    pieces: Vec<Vec<T>>,
    len: u32,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Shelf<T> {
    /// How many items there are: the next one's place.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Puts an item behind all others and gives its place. Whoever fills a shelf bounds it, far below 2^32.
    pub(crate) fn push(&mut self, item: T) -> u32 {
        let place = self.len;
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(item),
            _ => {
                // The first may be the only one, of a session that does little.
                let room = if self.pieces.is_empty() { 4 } else { PIECE };
                let mut piece = Vec::with_capacity(room);
                piece.push(item);
                self.pieces.push(piece);
            }
        }
        self.len += 1;
        place
    }

    pub(crate) fn get(&self, place: u32) -> Option<&T> {
        let place = place as usize;
        self.pieces.get(place / PIECE)?.get(place % PIECE)
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let place = place as usize;
        self.pieces.get_mut(place / PIECE)?.get_mut(place % PIECE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_stays_at_its_place() {
        let mut shelf = Shelf::default();
        let places: Vec<u32> = (0..3_000_u32).map(|item| shelf.push(item * 7)).collect();
        assert_eq!((places, shelf.len()), ((0..3_000).collect(), 3_000));
        if let Some(item) = shelf.get_mut(2_047) {
            *item = 1;
        }
        for place in 0..3_000 {
            let expected = if place == 2_047 { 1 } else { place * 7 };
            assert_eq!(shelf.get(place), Some(&expected));
        }
        assert_eq!((shelf.get(3_000), shelf.get(u32::MAX)), (None, None));
    }
}
