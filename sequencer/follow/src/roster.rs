//! Which processes are with the exchange, and which of them have another flag table.
//!
//! SEC release 34-70694: one of eight servers had not got the new code, nobody was told, and the flag was turned on. So who
//! comes with another table is refused at the door, and is remembered by its name until it comes with the right one, or until
//! somebody says that it is gone for good: as long as there is one, no flag is to be turned on.

use crate::limits::ROSTER_MAX;
use rialto_model::flags::table_hash;
use rialto_model::limits::TEXT_MAX;
use rialto_model::{TableHash, Text};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What a process says of itself at the door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its name: what it is, and of which build. The same process has the same name when it comes again.
    pub name: Text,
    /// The hash of its flag table.
    pub table: TableHash,
}

impl Process {
    /// A process of this build; of a longer name as much as fits.
    #[must_use]
    pub fn this(name: &str) -> Self {
        let name = name.as_bytes();
        let name = name.get(..TEXT_MAX).unwrap_or(name);
        Self {
            name: Text::new(name).unwrap_or_default(),
            table: table_hash(),
        }
    }
}

/// A process that was refused because of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// What it says of itself.
    pub process: Process,
    /// Where it came from the last time; `None`: to an exchange that was started again since.
    pub peer: Option<SocketAddr>,
}

/// Those who were refused, by name.
#[derive(Debug, Default)]
pub struct Roster {
    stale: BTreeMap<Text, Stale>,
    /// One more than are remembered was refused.
    over: bool,
}

impl Roster {
    /// A process was refused; whether that is news. At [`ROSTER_MAX`] it is counted and not named.
    pub fn refuse(&mut self, stale: Stale) -> bool {
        let name = stale.process.name;
        if self.stale.len() >= ROSTER_MAX && !self.stale.contains_key(&name) {
            return !core::mem::replace(&mut self.over, true);
        }
        let before = self.stale.insert(name, stale);
        before.is_none_or(|before| before.process != stale.process)
    }

    /// A process of this name has come with the right table; whether it was refused before.
    pub fn admit(&mut self, name: &Text) -> bool {
        self.stale.remove(name).is_some()
    }

    /// Somebody says that a process is gone for good; an empty name: every one is. Gives those of the name that were refused.
    pub fn forget(&mut self, name: &Text) -> Vec<Text> {
        if name.is_empty() {
            self.over = false;
            return core::mem::take(&mut self.stale).into_keys().collect();
        }
        self.stale
            .remove_entry(name)
            .map(|(name, _)| name)
            .into_iter()
            .collect()
    }

    /// Who was refused.
    pub fn stale(&self) -> impl Iterator<Item = &Stale> {
        self.stale.values()
    }

    /// Whether more were refused than can be named.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }
}
