//! The credentials file: TOML, readable by its owner only.
//!
//! ```toml
//! [sessions]
//! ALPHA1 = "$argon2id$v=19$m=19456,t=2,p=1$..."
//! ```
//!
//! A name stands for one session of the exchange and is compared without case. The file holds no password.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::password::{Password, fault_of};

/// The longest name in bytes: the width of a session's name in the stream.
pub const NAME_MAX: usize = 39;
/// The most sessions in one file.
pub const SESSIONS_MAX: usize = 65_535;
/// The largest file that is read, in bytes: room for [`SESSIONS_MAX`] names with their hashes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Why credentials cannot be read, changed or written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read or written.
    #[error("credentials file {path}: {source}; check that the folder exists and is yours")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a file already.
    #[error("credentials file {path} exists already: add to it, or remove it first")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others may read or write the file.
    #[error("credentials file {path} has mode {mode:03o}: nobody but its owner may read it; run chmod 600 {path}")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is too large to be one of ours.
    #[error("credentials file {path} has {length} bytes, more than {FILE_BYTES_MAX}: is it the right file?")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        length: u64,
    },
    /// The file is not TOML of the right shape.
    #[error("credentials file {path}: {reason}; it has one table [sessions] of NAME = \"hash\" lines")]
    Format {
        /// The file.
        path: PathBuf,
        /// Where and what, without any value of the file.
        reason: String,
    },
    /// A name that no session can have.
    #[error("session name {name:?}: use 1 to NAME_MAX ({NAME_MAX}) letters, digits, '-', '_' or '.'")]
    BadName {
        /// The name.
        name: String,
    },
    /// A name that stands twice, case not regarded.
    #[error("session name {name:?} is there already (names are compared without case): use another or remove it first")]
    NameTaken {
        /// The name in upper case.
        name: String,
    },
    /// A hash that cannot be checked against.
    #[error("the hash of session {name:?} cannot be used: {fault}; set its password again")]
    BadHash {
        /// The session.
        name: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// More sessions than [`SESSIONS_MAX`].
    #[error("more than SESSIONS_MAX ({SESSIONS_MAX}) sessions: remove some")]
    TooMany,
    /// The system gave no salt.
    #[error("the password cannot be hashed: {reason}; check that the system's random source works")]
    Hash {
        /// What the hasher said.
        reason: String,
    },
}

/// The hash of each session's password, by name in ASCII upper case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    hashes: BTreeMap<String, String>,
}

/// The file as serde sees it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sessions: BTreeMap<String, String>,
}

impl Credentials {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`CredentialsError`] names the file, and the line or session that is wrong; no error shows a hash.
    pub fn load(path: &Path) -> Result<Self, CredentialsError> {
        let io = |source| CredentialsError::Io {
            path: path.to_owned(),
            source,
        };
        let metadata = std::fs::metadata(path).map_err(io)?;
        refuse_open(path, &metadata)?;
        if metadata.len() > FILE_BYTES_MAX {
            return Err(CredentialsError::TooLarge {
                path: path.to_owned(),
                length: metadata.len(),
            });
        }
        let text = std::fs::read_to_string(path).map_err(io)?;
        let file: File = toml::from_str(&text).map_err(|error| CredentialsError::Format {
            path: path.to_owned(),
            reason: reason_of(&error, &text),
        })?;
        let mut credentials = Self::new();
        for (name, hash) in file.sessions {
            let name = credentials.free_name(&name)?;
            if let Some(fault) = fault_of(&hash) {
                return Err(CredentialsError::BadHash { name, fault });
            }
            credentials.hashes.insert(name, hash);
        }
        Ok(credentials)
    }

    /// Writes a new file; one that exists is left as it is.
    ///
    /// # Errors
    /// [`CredentialsError::Exists`], or [`CredentialsError::Io`] with what the system said.
    pub fn create(&self, path: &Path) -> Result<(), CredentialsError> {
        write_new(path, &self.to_toml()).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => CredentialsError::Exists { path: path.to_owned() },
            _ => CredentialsError::Io {
                path: path.to_owned(),
                source,
            },
        })
    }

    /// Puts these credentials in the place of the file: it is the old one or the new one at any moment, and never open to
    /// others.
    ///
    /// # Errors
    /// [`CredentialsError::Io`] with what the system said.
    pub fn save(&self, path: &Path) -> Result<(), CredentialsError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let replaced = match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => write_new(&beside, &self.to_toml()).and_then(|()| std::fs::rename(&beside, path)),
        };
        replaced.map_err(|source| CredentialsError::Io {
            path: path.to_owned(),
            source,
        })
    }

    /// Adds a session. This takes some 20 ms of a core.
    ///
    /// # Errors
    /// [`CredentialsError`] where the name cannot be one, is taken, or there is no room for it.
    pub fn add(&mut self, name: &str, password: &Password) -> Result<(), CredentialsError> {
        let name = self.free_name(name)?;
        let hash = password.hash().map_err(|error| CredentialsError::Hash {
            reason: error.to_string(),
        })?;
        self.hashes.insert(name, hash);
        Ok(())
    }

    /// Takes over the sessions of others; one that is in both has their password.
    pub fn extend(&mut self, others: Self) {
        self.hashes.extend(others.hashes);
    }

    /// Takes a session out; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        self.hashes.remove(&normalised(name.as_bytes())).is_some()
    }

    /// Whether the session is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.hashes.contains_key(&normalised(name.as_bytes()))
    }

    /// The names, in upper case and in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.hashes.keys().map(String::as_str)
    }

    /// The hash of a session, by its normalised name.
    pub(crate) fn hash_of(&self, name: &str) -> Option<&str> {
        self.hashes.get(name).map(String::as_str)
    }

    /// The name in upper case, where it can be added.
    fn free_name(&self, name: &str) -> Result<String, CredentialsError> {
        let permitted = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(permitted) {
            return Err(CredentialsError::BadName { name: name.to_owned() });
        }
        let name = normalised(name.as_bytes());
        if self.hashes.contains_key(&name) {
            return Err(CredentialsError::NameTaken { name });
        }
        if self.hashes.len() >= SESSIONS_MAX {
            return Err(CredentialsError::TooMany);
        }
        Ok(name)
    }

    /// By hand, for it is two kinds of lines: names and PHC strings hold nothing that TOML would have to escape.
    fn to_toml(&self) -> String {
        let mut text =
            String::from("# Who may log on. One Argon2id hash per session; no password stands here.\n[sessions]\n");
        for (name, hash) in &self.hashes {
            text.push_str(&format!("\"{name}\" = \"{hash}\"\n"));
        }
        text
    }
}

/// Names only: a hash is nobody's business.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The form in which names are compared: without the spaces around them, in ASCII upper case. A byte that is not ASCII
/// is no part of any name, and stays one that is not.
pub(crate) fn normalised(name: &[u8]) -> String {
    String::from_utf8_lossy(name.trim_ascii()).to_ascii_uppercase()
}

/// What TOML has against the text, and in which line, without quoting the line.
fn reason_of(error: &toml::de::Error, text: &str) -> String {
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, error.message()),
        None => error.message().to_owned(),
    }
}

#[cfg(unix)]
fn refuse_open(path: &Path, metadata: &std::fs::Metadata) -> Result<(), CredentialsError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(CredentialsError::TooOpen {
            path: path.to_owned(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn refuse_open(_: &Path, _: &std::fs::Metadata) -> Result<(), CredentialsError> {
    Ok(())
}

/// Writes a file that did not exist, from its first moment open to its owner only.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
