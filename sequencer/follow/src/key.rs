//! The key that both ends hold, and what is made of it.

use std::fs::{self, OpenOptions};
use std::io::{Error as IoError, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// 32 secret bytes. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// 16 bytes that were never used before.
pub type Nonce = [u8; 16];

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error(
        "the follower's key {}: {source}; copy the file of the exchange's data folder, or start the exchange so that it makes one",
        .path.display()
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: IoError,
    },
    /// The file is open to others.
    #[error("the follower's key {} is open to others: chmod 600 it", .path.display())]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("the follower's key {} is not 64 hexadecimal digits: copy it again from the exchange's data folder", .path.display())]
    Format {
        /// Which file.
        path: PathBuf,
    },
}

impl Key {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a key file: 64 hexadecimal digits, readable by its owner alone.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let mode = fs::metadata(path).map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: path.to_owned() });
        }
        let text = fs::read_to_string(path).map_err(io)?;
        parse(text.trim())
            .map(Self)
            .ok_or(KeyError::Format { path: path.to_owned() })
    }

    /// Reads a key file, or where there is none makes one with a fresh key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load_or_make(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let fresh = random::<32>().map_err(io)?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match made {
            Ok(mut file) => {
                let digits: String = fresh.iter().map(|byte| format!("{byte:02x}")).collect();
                writeln!(file, "{digits}").and_then(|()| file.sync_all()).map_err(io)?;
                Ok(Self(fresh))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(io(error)),
        }
    }

    /// The keys of one connection.
    pub(crate) fn session(&self, server: &Nonce, follower: &Nonce) -> SessionKey {
        let mut kdf = blake3::Hasher::new_derive_key("rialto follow 1 session");
        kdf.update(&self.0).update(server).update(follower);
        SessionKey(*kdf.finalize().as_bytes())
    }
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What both ends derive from the key and their nonces.
#[derive(Clone)]
pub(crate) struct SessionKey([u8; 32]);

impl SessionKey {
    /// Proof that who made `body` has the key.
    pub(crate) fn proof(&self, role: &str, body: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.0);
        mac.update(role.as_bytes()).update(body);
        mac.finalize()
    }

    /// The tags of one direction.
    pub(crate) fn tags(&self, context: &str) -> Tags {
        Tags {
            key: blake3::derive_key(context, &self.0),
            next: 0,
        }
    }
}

/// Bytes of a tag.
pub(crate) const TAG: usize = 16;

/// Numbers the tagged frames of one direction.
#[derive(Clone)]
pub(crate) struct Tags {
    key: [u8; 32],
    next: u64,
}

impl Tags {
    /// The tag of the next frame, kind and body.
    pub(crate) fn next(&mut self, frame: &[u8]) -> [u8; TAG] {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        mac.update(&self.next.to_le_bytes()).update(frame);
        self.next += 1;
        let mut tag = [0; TAG];
        mac.finalize_xof().fill(&mut tag);
        tag
    }

    /// Whether this is the tag of the next frame; takes equally long wherever they differ.
    pub(crate) fn holds(&mut self, frame: &[u8], tag: &[u8]) -> bool {
        let expected = self.next(frame);
        let differing = expected
            .iter()
            .zip(tag)
            .fold(0, |differing, (a, b)| differing | (a ^ b));
        tag.len() == TAG && differing == 0
    }
}

/// Bytes that nobody can guess, from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], IoError> {
    let mut bytes = [0; N];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn parse(digits: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}
