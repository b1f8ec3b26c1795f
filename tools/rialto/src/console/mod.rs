//! What stands behind the HTTP gateway: the market as pictures, a desk that enters orders, the past, and
//! the office that answers for members and operates the venue.
//!
//! Each is a member or a follower like any other: pictures are made of the feed's packets, the desk logs in at the OUCH
//! door, the archive reads the journal. Nothing here can hold up a stage.

mod archive;
mod desk;
pub(crate) mod members;
mod office;
mod picture;

use crate::exchange::Controls;
use anyhow::{Context as _, Result};
use rialto_ring::Stop;
use rialto_web::{Key, Server, Services};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Who the desk is at the OUCH door.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// The console while it is open.
pub(crate) struct Console {
    server: Server,
    key: Key,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
}

impl Console {
    /// Opens it.
    pub(crate) fn open(listen: SocketAddr, controls: &Controls, data: &Path, seat: Seat) -> Result<Self> {
        let stop = Stop::new();
        let (pictures, following) = picture::follow(controls, stop.clone())?;
        let (desk, orders, trading) = desk::open(controls.addresses.ouch, seat, stop.clone())?;
        let archive = archive::Archive::new(data, controls.progress.clone());
        let key = new_key()?;
        let (ouch, fix, feed) = (
            Arc::clone(&controls.ouch),
            Arc::clone(&controls.fix),
            controls.feed.clone(),
        );
        let services = Services {
            pictures,
            orders,
            desk: Arc::new(desk),
            archive: Arc::new(archive),
            office: Arc::new(office::Office(Arc::clone(&controls.world))),
            members: Arc::new(members::Counter::new(
                Arc::clone(&controls.world),
                data.join(members::KEYS),
            )),
            metrics: Arc::new(move || picture::metrics(&ouch.read(), &fix.read(), &feed)),
        };
        let server = Server::start(listen, key.clone(), services)?;
        Ok(Self {
            server,
            key,
            stop,
            threads: vec![following, trading],
        })
    }

    /// Where it answers.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The console's address with the key behind the hash: a browser keeps that part to itself.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/#key={}", self.address(), self.key.reveal())
    }

    /// Closes it; the desk logs out.
    pub(crate) fn close(self) {
        drop(self.server);
        self.stop.drain();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// 128 random bits in hexadecimal.
fn new_key() -> Result<Key> {
    let mut bytes = [0; 16];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Key::new(&text).context("a key of 32 digits is one")
}
