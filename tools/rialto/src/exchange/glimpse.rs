//! GLIMPSE snapshots beside the stages: a thread of its own behind a bounded ring, for the members' sessions.

use crate::config::Config;
use anyhow::Result;
use rialto_feed::FeedStage;
use rialto_glimpse::{Config as ServerConfig, Door, Server};
use rialto_members::{Desk, Password, Ticket, Verifier};
use rialto_model::Clock;
use rialto_ring::spsc::RingBuffer;

/// Messages between the feed and the thread; what finds no room stays in the feed's memory.
const RING: usize = 16_384;

/// Opens the server where the configuration wants one, and taps the feed for it.
pub(super) fn open<C: Clock>(config: &Config, verifier: &Verifier, feed: &mut FeedStage<C>) -> Result<Option<Server>> {
    let Some(glimpse) = &config.glimpse else {
        return Ok(None);
    };
    let (ring, taken) = RingBuffer::new(RING);
    let server = ServerConfig { listen: glimpse.listen };
    let server = Server::start(server, Box::new(Members(verifier.desk())), taken)?;
    feed.tap(ring);
    Ok(Some(server))
}

/// The members' sessions as the other doors know them. The lines tell everybody everything, so a snapshot does too.
struct Members(Desk);

impl Door for Members {
    fn ask(&mut self, user: &str, password: &str, ticket: u64) -> bool {
        // A blank password is no password, and is answered like a wrong one.
        let password = Password::new(password.as_bytes()).or_else(|_| Password::new(b"\0"));
        password.is_ok_and(|password| self.0.ask(user.as_bytes(), password, Ticket(ticket)).is_ok())
    }

    fn poll(&mut self) -> Option<(u64, bool)> {
        let answer = self.0.poll()?;
        Some((answer.ticket.0, answer.granted))
    }
}
