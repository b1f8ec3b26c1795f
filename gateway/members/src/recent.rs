//! Passwords that were right a moment ago, so that a reconnect does not wait for Argon2id.
//!
//! What is kept is a keyed MAC of name and password under a key that this process drew and never writes down. It says
//! nothing without the key, and is gone with the process.

use std::collections::BTreeMap;

use argon2::password_hash::rand_core::{OsRng, RngCore};
use blake3::Hash;

use crate::password::Password;

/// The MAC of the last right password of each session. Bounded by the sessions of the credentials: only a name that is
/// there was ever right.
pub(crate) struct Recent {
    key: [u8; 32],
    macs: BTreeMap<String, Hash>,
}

impl Recent {
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        OsRng.fill_bytes(&mut key);
        Self {
            key,
            macs: BTreeMap::new(),
        }
    }

    /// Notes that this password was right.
    pub(crate) fn remember(&mut self, name: &str, password: &Password) {
        let mac = self.mac(name, password);
        self.macs.insert(name.to_owned(), mac);
    }

    /// Whether this password was right before. `false` means: not known, ask Argon2id.
    pub(crate) fn knows(&self, name: &str, password: &Password) -> bool {
        // `Hash` compares in constant time.
        self.macs.get(name).is_some_and(|mac| *mac == self.mac(name, password))
    }

    /// The zero byte divides name and password: no name holds one.
    fn mac(&self, name: &str, password: &Password) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(name.as_bytes()).update(&[0]).update(password.as_bytes());
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_pair_is_known_and_only_under_its_key() {
        let (right, wrong) = (Password::new(b"right").unwrap(), Password::new(b"wrong").unwrap());
        let mut recent = Recent::new();
        assert!(!recent.knows("A", &right));
        recent.remember("A", &right);
        assert!(recent.knows("A", &right));
        assert!(!recent.knows("A", &wrong) && !recent.knows("B", &right));
        let other = Recent::new();
        assert_ne!(
            other.mac("A", &right),
            recent.mac("A", &right),
            "each process draws its key"
        );
    }
}
