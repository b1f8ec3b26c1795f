//! What stands behind the HTTP gateway: the market as pictures, a desk that enters orders, the past, and
//! the office that answers for members and operates the venue.
//!
//! Each is a member or a follower like any other: pictures are made of the feed's packets, the desk logs in at the OUCH
//! door, the archive reads the journal. Nothing here can hold up a stage.

mod ahead;
mod archive;
mod desk;
mod following;
mod health;
pub(crate) mod members;
mod office;
mod picture;
mod places;
mod ticket;
mod trade;

use self::trade::Trade;
use crate::edge::Edge;
use crate::exchange::Controls;
use anyhow::{Context as _, Result};
use rialto_ring::Stop;
use rialto_web::{Health, Key, Refusal, Server, Services, Ticket};
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

/// In whose name the gateway enters orders: the console's ticket, if it has one, and each firm's programs.
pub(crate) struct Hands {
    pub(crate) desk: Option<Seat>,
    pub(crate) firms: Vec<Seat>,
}

/// The console while it is open.
pub(crate) struct Console {
    servers: Vec<Server>,
    key: Key,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
    trade: Arc<Trade>,
}

impl Console {
    /// Opens it, with so many gateways side by side: all show and do the same. A key may ask `questions` a
    /// second, 0 for any number.
    pub(crate) fn open(
        listen: SocketAddr,
        controls: &Controls,
        data: &Path,
        hands: Hands,
        gateways: u8,
        questions: u32,
    ) -> Result<Self> {
        let stop = Stop::new();
        let watch = Arc::new(health::Watch::new(
            Arc::clone(&controls.world),
            controls.progress.clone(),
        ));
        let ahead = Arc::new(ahead::Ahead::default());
        let (pictures, following) = picture::follow(controls, Arc::clone(&watch), Arc::clone(&ahead), stop.clone())?;
        let mut threads = vec![following];
        let (desk, orders): (Arc<dyn rialto_web::Desk>, _) = match hands.desk {
            Some(seat) => {
                let (desk, orders, trading) = desk::open(controls.addresses.ouch, seat, ahead, stop.clone())?;
                threads.push(trading);
                (Arc::new(desk), orders)
            }
            None => (Arc::new(desk::Closed), desk::no_orders()),
        };
        let archive = archive::Archive::new(data, controls.progress.clone());
        let key = new_key()?;
        let (ouch, fix, feed) = (
            Arc::clone(&controls.ouch),
            Arc::clone(&controls.fix),
            controls.feed.clone(),
        );
        let edge = Arc::new(Edge::open(data)?);
        let trade = Arc::new(Trade::new(
            controls.addresses.ouch,
            hands.firms,
            Arc::clone(&controls.world),
            stop.clone(),
        ));
        let services = Services {
            flags: edge.provider(),
            pictures,
            orders,
            desk: Arc::new(Gated { desk, edge }),
            archive: Arc::new(archive),
            office: Arc::new(office::Office(Arc::clone(&controls.world))),
            members: Arc::new(members::Counter::new(
                Arc::clone(&controls.world),
                data.join(members::KEYS),
                Arc::clone(&trade),
                questions,
            )),
            health: {
                let watch = Arc::clone(&watch);
                Arc::new(move || Health {
                    followers: watch.look(),
                })
            },
            firm_metrics: {
                let watch = Arc::clone(&watch);
                Arc::new(move || watch.firms())
            },
            stages: {
                let world = Arc::clone(&controls.world);
                Arc::new(move || {
                    let report = world.stages().map(|stages| stages.report());
                    report.unwrap_or_default().to_string()
                })
            },
            metrics: {
                let world = Arc::clone(&controls.world);
                Arc::new(move || {
                    let mut text = picture::metrics(&ouch.read(), &fix.read(), &feed);
                    watch.metrics(&mut text);
                    if let Some(stages) = world.stages() {
                        stages.metrics(&mut text);
                    }
                    text
                })
            },
        };
        let mut servers = vec![Server::start(listen, key.clone(), services.clone())?];
        for _ in 1..gateways {
            let free = SocketAddr::new(listen.ip(), 0);
            servers.push(Server::start(free, key.clone(), services.clone())?);
        }
        Ok(Self {
            servers,
            key,
            stop,
            threads,
            trade,
        })
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.servers[0].address()
    }

    /// Where each of its gateways answers, the first one first.
    pub(crate) fn gateways(&self) -> Vec<String> {
        self.servers.iter().map(|server| server.address().to_string()).collect()
    }

    /// The console's address with the key behind the hash: a browser keeps that part to itself.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/#key={}", self.address(), self.key.reveal())
    }

    /// Closes it; the desk logs out.
    pub(crate) fn close(self) {
        drop(self.servers);
        self.stop.drain();
        self.trade.close();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// The desk, where it takes orders: cancels it takes in any case.
struct Gated {
    desk: Arc<dyn rialto_web::Desk>,
    edge: Arc<Edge>,
}

impl rialto_web::Desk for Gated {
    fn enter(&self, ticket: &Ticket) -> Result<String, Refusal> {
        if self.edge.is_on("console.order-entry") {
            return self.desk.enter(ticket);
        }
        Err(Refusal {
            status: 403,
            detail: "the desk takes no orders: the flag console.order-entry is off".to_owned(),
            mend: format!("use another door, or change {} in the data folder", crate::edge::FILE),
        })
    }

    fn cancel(&self, order: u32) -> Result<String, Refusal> {
        self.desk.cancel(order)
    }
}

/// 128 random bits in hexadecimal.
fn new_key() -> Result<Key> {
    let mut bytes = [0; 16];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Key::new(&text).context("a key of 32 digits is one")
}
