//! The keys of programs and people over HTTP: TOML, readable by its owner only.
//!
//! ```toml
//! [keys.desk1]
//! verifier = "5b0c..."   # of the secret, in hexadecimal
//! role = "trader"
//! firm = 1
//! account = 0            # zero: the whole firm
//! ```
//!
//! The file holds no secret but what verifies one: the SHA-256 of `rialto-key:` and the secret. A request is signed with that
//! as key (HMAC-SHA256), so whoever can read the file can sign: hence mode 0600.

use crate::scope::{Firm, Operator, Scoped};
use rialto_model::{AccountId, Actor, FirmId, Role};
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Keys of one file.
pub const KEYS_MAX: usize = 10_000;
/// The longest name of a key: that of an actor in the stream.
pub const KEY_NAME_MAX: usize = 16;
const CONTEXT: &str = "rialto-key:";

/// Why keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a file of keys.
    #[error("keys: {0}; each is a table [keys.NAME] with verifier, role, firm and account")]
    Format(String),
    /// A name that no key can have.
    #[error("key name {name:?}: use 1 to KEY_NAME_MAX ({KEY_NAME_MAX}) letters, digits, '-' or '_', and each once")]
    Name {
        /// The name.
        name: String,
    },
    /// A role and a firm that do not go together.
    #[error("key {name:?}: an operator's firm is 0, any other's is not")]
    Scope {
        /// The name.
        name: String,
    },
    /// More than [`KEYS_MAX`].
    #[error("more than KEYS_MAX ({KEYS_MAX}) keys: remove some")]
    TooMany,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyRole {
    /// Look.
    ReadOnly,
    /// Enter and cancel orders too.
    Trader,
    /// Set limits of the firm too.
    Risk,
    /// Run the venue.
    Operator,
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Self {
        match role {
            KeyRole::ReadOnly => Self::ReadOnly,
            KeyRole::Trader => Self::Trader,
            KeyRole::Risk => Self::Risk,
            KeyRole::Operator => Self::Operator,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    verifier: String,
    role: KeyRole,
    firm: u32,
    #[serde(default)]
    account: u32,
}

/// The keys by name.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyring {
    keys: BTreeMap<String, Entry>,
}

/// Who has proved to have a key.
#[derive(Clone, Debug)]
pub enum Admitted {
    /// Somebody of a firm.
    Member(Actor, Scoped<Firm>),
    /// Somebody of the venue.
    Operator(Operator),
}

impl Keyring {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads and checks a file's text.
    ///
    /// # Errors
    /// [`KeyError`]; no error shows a verifier.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let keys: Self = toml::from_str(text).map_err(|error| KeyError::Format(error.message().to_owned()))?;
        if keys.keys.len() > KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        for (name, entry) in &keys.keys {
            check(name, entry.role, entry.firm)?;
            if bytes_of(&entry.verifier).is_none() {
                return Err(KeyError::Format(format!(
                    "the verifier of key {name:?} is not 64 hexadecimal digits"
                )));
            }
        }
        Ok(keys)
    }

    /// The text of the file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let head = "# Keys of the HTTP gateway: what verifies each secret. No secret stands here, but who reads this can sign.\n";
        format!("{head}{}", toml::to_string(self).unwrap_or_default())
    }

    /// Adds a key; the secret is not kept.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn add(
        &mut self,
        name: &str,
        secret: &str,
        role: KeyRole,
        firm: FirmId,
        account: AccountId,
    ) -> Result<(), KeyError> {
        check(name, role, firm.0)?;
        if self.keys.contains_key(name) {
            return Err(KeyError::Name { name: name.to_owned() });
        }
        if self.keys.len() >= KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        let entry = Entry {
            verifier: hex(&verifier(secret)),
            role,
            firm: firm.0,
            account: account.0,
        };
        self.keys.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Takes a key out; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        self.keys.remove(name).is_some()
    }

    /// Whether a key is still for what it was admitted to.
    #[must_use]
    pub fn stands(&self, name: &str, scope: &Scoped<Firm>) -> bool {
        let now = self.keys.get(name).and_then(|entry| entry.admitted(name));
        matches!(now, Some(Admitted::Member(_, now)) if now == *scope)
    }

    /// The names with their roles, firms and accounts.
    pub fn list(&self) -> impl Iterator<Item = (&str, KeyRole, FirmId, AccountId)> {
        let keys = self.keys.iter();
        keys.map(|(name, entry)| (name.as_str(), entry.role, FirmId(entry.firm), AccountId(entry.account)))
    }

    /// Who shows the secret of a key.
    #[must_use]
    pub fn admit(&self, name: &str, secret: &str) -> Option<Admitted> {
        let entry = self.keys.get(name)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes_of(&entry.verifier)?);
        // Compared by their signatures of nothing, in constant time.
        let shown = hmac::Key::new(hmac::HMAC_SHA256, &verifier(secret));
        hmac::verify(&key, b"", hmac::sign(&shown, b"").as_ref()).ok()?;
        entry.admitted(name)
    }

    /// Who has signed these bytes with a key.
    #[must_use]
    pub fn admit_signed(&self, name: &str, signed: &[u8], signature: &str) -> Option<Admitted> {
        let entry = self.keys.get(name)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes_of(&entry.verifier)?);
        hmac::verify(&key, signed, &bytes_of(signature)?).ok()?;
        entry.admitted(name)
    }
}

impl Entry {
    fn admitted(&self, name: &str) -> Option<Admitted> {
        let actor = Actor::new(name)?;
        Some(match self.role {
            KeyRole::Operator => Admitted::Operator(Operator::of_the_files(actor)),
            role => Admitted::Member(
                actor,
                Scoped::new(FirmId(self.firm), AccountId(self.account), role.into()),
            ),
        })
    }
}

/// Names only.
impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

/// The signature of some bytes by a secret, in hexadecimal: what a client sends.
#[must_use]
pub fn sign(secret: &str, signed: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &verifier(secret));
    hex(hmac::sign(&key, signed).as_ref())
}

fn verifier(secret: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, format!("{CONTEXT}{secret}").as_bytes())
        .as_ref()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The 32 bytes of 64 hexadecimal digits.
fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn check(name: &str, role: KeyRole, firm: u32) -> Result<(), KeyError> {
    let permitted = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || name.len() > KEY_NAME_MAX || !name.bytes().all(permitted) {
        return Err(KeyError::Name { name: name.to_owned() });
    }
    if (role == KeyRole::Operator) != (firm == 0) {
        return Err(KeyError::Scope { name: name.to_owned() });
    }
    Ok(())
}
