//! A map from the texts that a client chooses. It only grows, up to its owner's bound, and is dropped as a whole.
//!
//! A day has a million names, and each is looked for before it is put in: so what is looked through is small, a hash and a place
//! for each, and the names stand apart, one behind the other. The hash is keyed, for the client chooses what is hashed; it
//! is kept, so that a table that doubles hashes nothing again.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};

use rialto_model::Text;

use crate::shelf::Shelf;

#[derive(Debug)]
pub(super) struct NameTable<V> {
    keys: RandomState,
    /// By hash, the place of the first name that has it.
    first: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    names: Shelf<Entry<V>>,
}

#[derive(Debug)]
struct Entry<V> {
    name: Text,
    value: V,
    /// The place of the next name with the same hash, if there is one.
    next: Option<u32>,
}

impl<V> Default for NameTable<V> {
    fn default() -> Self {
        Self {
            keys: RandomState::new(),
            first: HashMap::default(),
            names: Shelf::default(),
        }
    }
}

impl<V> NameTable<V> {
    pub(super) const fn len(&self) -> usize {
        self.names.len() as usize
    }

    pub(super) fn get(&self, name: Text) -> Option<&V> {
        let place = self.place(self.hash(name), name).ok()?;
        self.names.get(place).map(|entry| &entry.value)
    }

    pub(super) fn get_mut(&mut self, name: Text) -> Option<&mut V> {
        let place = self.place(self.hash(name), name).ok()?;
        self.names.get_mut(place).map(|entry| &mut entry.value)
    }

    /// Puts a value in, in the place of the one before where the name has one.
    pub(super) fn insert(&mut self, name: Text, value: V) {
        self.insert_hashed(self.hash(name), name, value);
    }

    fn insert_hashed(&mut self, hash: u64, name: Text, value: V) {
        match self.place(hash, name) {
            Ok(place) => {
                if let Some(entry) = self.names.get_mut(place) {
                    entry.value = value;
                }
            }
            Err(last) => {
                let entry = Entry {
                    name,
                    value,
                    next: None,
                };
                let place = self.names.push(entry);
                match last.and_then(|last| self.names.get_mut(last)) {
                    Some(last) => last.next = Some(place),
                    None => _ = self.first.insert(hash, place),
                }
            }
        }
    }

    fn hash(&self, name: Text) -> u64 {
        self.keys.hash_one(name)
    }

    /// Where the name stands; else the last of those with its hash, if there is any.
    fn place(&self, hash: u64, name: Text) -> Result<u32, Option<u32>> {
        let mut last = None;
        let mut at = self.first.get(&hash).copied();
        while let Some(place) = at {
            let Some(entry) = self.names.get(place) else { break };
            if entry.name == name {
                return Ok(place);
            }
            last = Some(place);
            at = entry.next;
        }
        Err(last)
    }
}

/// What is a hash already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only ever a u64, and never by this way.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u32) -> Text {
        Text::new(format!("order {number}").as_bytes()).unwrap()
    }

    #[test]
    fn it_is_a_map() {
        let mut table = NameTable::default();
        for number in 0..5_000 {
            assert_eq!(table.get(name(number)), None);
            table.insert(name(number), number);
        }
        for number in (0..5_000).step_by(3) {
            table.insert(name(number), number + 1);
        }
        if let Some(value) = table.get_mut(name(4)) {
            *value = 0;
        }
        for number in 0..5_000 {
            let expected = if number == 4 {
                0
            } else {
                number + u32::from(number % 3 == 0)
            };
            assert_eq!(table.get(name(number)), Some(&expected));
        }
        assert_eq!((table.len(), table.get(Text::EMPTY)), (5_000, None));
    }

    #[test]
    fn names_of_one_hash_are_told_apart() {
        let mut table = NameTable::default();
        for number in 0..10 {
            table.insert_hashed(u64::from(number % 2), name(number), number);
        }
        table.insert_hashed(1, name(7), 70);
        for number in 0..10 {
            let place = table.place(u64::from(number % 2), name(number)).unwrap();
            let expected = if number == 7 { 70 } else { number };
            assert_eq!(table.names.get(place).map(|entry| entry.value), Some(expected));
        }
        assert_eq!(table.len(), 10);
        assert!(table.place(0, name(1)).is_err() && table.place(2, name(1)) == Err(None));
    }
}
