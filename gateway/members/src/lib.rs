//! Who may log on: the credentials file and its verifier.
//!
//! - [`Credentials`]: the file, one Argon2id hash for each session name.
//! - [`Keyring`]: the keys of the HTTP gateway, each with its role and its firm.
//! - [`Scoped`]: in whose name somebody asks, which only a proof gives.
//! - [`Verifier`]: one thread that checks passwords, and the [`Desk`] at which a door asks it.
//!
//! A password lives here only while it is hashed. It is never kept, logged, or part of an error, and it never enters the
//! sequenced stream: a replay knows who logged on, not with what.
#![forbid(unsafe_code)]

mod credentials;
mod keyring;
mod password;
mod recent;
mod scope;
mod verifier;

pub use credentials::{Credentials, CredentialsError, NAME_MAX, SESSIONS_MAX};
pub use keyring::{Admitted, KEY_NAME_MAX, KEYS_MAX, KeyError, KeyRole, Keyring, sign};
pub use password::{PASSWORD_MAX, Password, PasswordError};
pub use scope::{Audit, Firm, Operator, Scoped};
pub use verifier::{Answer, Busy, Desk, Ticket, Verifier, WAITING_MAX};
