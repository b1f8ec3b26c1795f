//! Who may come in: asked of whoever puts the exchange together.

/// Checks names and passwords. A question is answered later, under its ticket, so that the server never waits.
pub trait Door: Send {
    /// Asks. `false`: too many wait, nothing was asked; the server asks again.
    fn ask(&mut self, user: &str, password: &str, ticket: u64) -> bool;

    /// The next answer: its ticket, and whether name and password belong together.
    fn poll(&mut self) -> Option<(u64, bool)>;
}
