//! Who may come in, and what they may see: asked of whoever puts the exchange together.

use rialto_conflate::Interest;
use rialto_itch::mold::Session;

/// What a subscriber may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    /// Its firm.
    pub firm: String,
    /// The instruments its firm may see.
    pub instruments: Interest,
}

/// Checks names and passwords. A question is answered later, under its ticket, so that the server never waits.
pub trait Door: Send {
    /// Asks. `false`: too many wait, nothing was asked.
    fn ask(&mut self, user: &str, password: &str, ticket: u64) -> bool;

    /// The next answer: its ticket, and the entitlement where name and password belong together.
    fn poll(&mut self) -> Option<(u64, Option<Entitlement>)>;

    /// The port of the process of this machine that tells this subscriber, where it is another.
    fn elsewhere(&mut self, _user: &str) -> Option<u16> {
        None
    }

    /// Whether this subscriber, which asks for what follows from `next` on, was told something wrong by another process before
    /// that number: it is told a snapshot instead.
    fn is_misled(&mut self, _user: &str, _session: Session, _next: u64) -> bool {
        false
    }

    /// Whether this subscriber is not to be written to for now: a fault on purpose.
    fn is_stalled(&mut self, _user: &str) -> bool {
        false
    }
}
