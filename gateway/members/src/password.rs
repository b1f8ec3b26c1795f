//! Passwords: the form in which they are compared, and the hash in which they are kept.
//!
//! The hash is Argon2id with 19,456 KiB of memory, two passes and one lane (the first choice of the OWASP password
//! storage guide), in PHC form. It costs some 20 ms, so it is never computed on a thread that serves orders.

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{self, Output, PasswordHash, PasswordHasher, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// The longest password in bytes, spaces around it not counted.
pub const PASSWORD_MAX: usize = 128;

/// Memory of one hash in KiB.
const MEMORY_KIB: u32 = 19_456;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// The most memory that a hash in a file may ask for, in KiB; a larger one is no hash of ours, and would be a way to
/// make the exchange run out of memory.
const MEMORY_KIB_MAX: u32 = 1 << 20;
/// The most passes that a hash in a file may ask for.
const PASSES_MAX: u32 = 16;

/// A password as it is compared: without the spaces around it, in ASCII upper case, for every door.
///
/// SoupBinTCP pads passwords with spaces and compares them without case; one credentials file serves all doors, so the
/// others follow it. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Vec<u8>);

/// Why bytes are no password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing but spaces.
    #[error("the password is blank: give at least one character")]
    Blank,
    /// More than [`PASSWORD_MAX`] bytes.
    #[error("the password has {length} bytes: give at most PASSWORD_MAX ({PASSWORD_MAX})")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

impl Password {
    /// The comparable form of what a person or a client gave.
    ///
    /// # Errors
    /// [`PasswordError`] where it is blank or longer than [`PASSWORD_MAX`].
    pub fn new(given: &[u8]) -> Result<Self, PasswordError> {
        let trimmed = given.trim_ascii();
        match trimmed.len() {
            0 => Err(PasswordError::Blank),
            length if length > PASSWORD_MAX => Err(PasswordError::TooLong { length }),
            _ => Ok(Self(trimmed.to_ascii_uppercase())),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its hash in PHC form, with a fresh salt from the system.
    pub(crate) fn hash(&self) -> Result<String, password_hash::Error> {
        let salt = SaltString::generate(&mut OsRng);
        Ok(hasher()?.hash_password(&self.0, &salt)?.to_string())
    }

    /// Whether this password gave that hash. The comparison takes the same time wherever they differ.
    pub(crate) fn matches(&self, phc: &str, room: &mut Room) -> bool {
        let Ok(stated) = PasswordHash::new(phc) else {
            return false;
        };
        let given = stated.hash.is_some().then(|| self.output(&stated, room));
        given.is_some_and(|given| given.ok() == stated.hash)
    }

    /// What comes of it under a hash's own parameters and salt.
    fn output(&self, stated: &PasswordHash<'_>, room: &mut Room) -> password_hash::Result<Output> {
        let version = stated.version.map(Version::try_from).transpose()?;
        let params = Params::try_from(stated)?;
        let blocks = params.block_count();
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let hasher = Argon2::new(
            Algorithm::try_from(stated.algorithm)?,
            version.unwrap_or_default(),
            params,
        );
        let mut salt = [0; Salt::MAX_LENGTH];
        let salt = stated
            .salt
            .ok_or(password_hash::Error::Password)?
            .decode_b64(&mut salt)?;
        let memory = room.of(blocks);
        let output = Output::init_with(length, |out| {
            Ok(hasher.hash_password_into_with_memory(&self.0, salt, out, memory)?)
        });
        room.shrink();
        output
    }
}

/// Where hashes are worked out, one behind the other: some twenty megabytes that are kept, because to take them anew for each
/// and to give them back costs every thread of the process.
#[derive(Default)]
pub(crate) struct Room(Vec<Block>);

impl Room {
    fn of(&mut self, blocks: usize) -> &mut [Block] {
        if self.0.len() < blocks {
            self.0.resize(blocks, Block::default());
        }
        &mut self.0
    }

    /// What is beyond a hash of ours is not kept.
    fn shrink(&mut self) {
        if self.0.len() > MEMORY_KIB as usize {
            self.0 = Vec::new();
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(not shown)")
    }
}

fn hasher() -> password_hash::Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// What is wrong with a hash that stands in a file; `None` where nothing is.
pub(crate) fn fault_of(phc: &str) -> Option<&'static str> {
    let Ok(hash) = PasswordHash::new(phc) else {
        return Some("it is not in PHC form");
    };
    if hash.algorithm != argon2::ARGON2ID_IDENT {
        return Some("it is not of the algorithm argon2id");
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Some("its salt or its value is missing");
    }
    match Params::try_from(&hash) {
        Ok(params) if params.m_cost() <= MEMORY_KIB_MAX && params.t_cost() <= PASSES_MAX => None,
        Ok(_) => Some("it asks for more than 1 GiB of memory or 16 passes"),
        Err(_) => Some("its parameters are not those of Argon2"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_compared_without_case_and_padding() {
        let hash = Password::new(b" Open Sesame  ").unwrap().hash().unwrap();
        let mut room = Room::default();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(fault_of(&hash), None);
        for (given, matches) in [
            (&b"Open Sesame"[..], true),
            (b"OPEN SESAME     ", true),
            (b"open sesame", true),
            (b"opensesame", false),
            (b"open sesam", false),
            (b"open sesame!", false),
        ] {
            assert_eq!(
                Password::new(given).unwrap().matches(&hash, &mut room),
                matches,
                "{}",
                given.escape_ascii()
            );
        }
    }

    #[test]
    fn a_hash_of_other_parameters_is_worked_out_under_its_own() {
        let mut room = Room::default();
        let (right, wrong) = (Password::new(b"right").unwrap(), Password::new(b"wrong").unwrap());
        for (memory, passes, version) in [
            (64, 1, Version::V0x13),
            (32, 3, Version::V0x10),
            (20_000, 1, Version::V0x13),
        ] {
            let params = Params::new(memory, passes, 1, Some(24)).unwrap();
            let salt = SaltString::generate(&mut OsRng);
            let hasher = Argon2::new(Algorithm::Argon2id, version, params);
            let phc = hasher.hash_password(right.as_bytes(), &salt).unwrap().to_string();
            assert!(right.matches(&phc, &mut room), "{phc}");
            assert!(!wrong.matches(&phc, &mut room), "{phc}");
        }
        assert!(room.0.is_empty(), "what was more than ours is given back");
        for none in ["", "hunter2", "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ"] {
            assert!(!right.matches(none, &mut room), "{none}");
        }
    }

    #[test]
    fn what_is_no_password_is_named() {
        assert_eq!(Password::new(b"   "), Err(PasswordError::Blank));
        assert_eq!(Password::new(&[b'x'; 129]), Err(PasswordError::TooLong { length: 129 }));
        assert!(Password::new(&[b'x'; 128]).is_ok());
        assert_eq!(
            format!("{:?}", Password::new(b"hunter2").unwrap()),
            "Password(not shown)"
        );
    }

    #[test]
    fn a_bad_hash_is_named() {
        for (phc, fault) in [
            ("", "PHC form"),
            ("hunter2", "PHC form"),
            ("$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", "argon2id"),
            ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ", "missing"),
            ("$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", "1 GiB"),
        ] {
            assert!(
                fault_of(phc).unwrap_or_default().contains(fault),
                "{phc}: {:?}",
                fault_of(phc)
            );
        }
    }
}
