//! Orders of members over HTTP: each firm has a session of its own at the OUCH door for them, and a thread that holds it.
//!
//! The session is opened by the first wish. Nothing of an order is kept here but which wish was answered how ([`table`]), and that
//! is read from the exchange's messages anew wherever it is not known: so a retry finds its first answer after a lost answer, a lost
//! connection, and a restart of gateway or exchange.

mod table;
mod thread;

use self::table::WishId;
use self::thread::{Door, Told, What, Wish};
use super::Seat;
use super::ticket::{self, refusal};
use crate::ask::World;
use crossbeam_channel::{Sender, bounded};
use rialto_members::{Firm, Scoped};
use rialto_model::{AccountId, Actor, FirmId, Role};
use rialto_ring::Stop;
use rialto_web::{Answered, Deed, Refusal};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the exchange may take for its answer, a login included.
const PATIENCE: Duration = Duration::from_secs(20);
/// Wishes of one firm that wait for its thread; one more is refused with 503.
const WAITING_MAX: usize = 64;

/// The sessions of firms, and who is in.
pub(super) struct Trade {
    door: SocketAddr,
    seats: Vec<Seat>,
    world: Arc<World>,
    stop: Stop,
    desks: Mutex<Desks>,
}

/// At most one of each seat.
#[derive(Default)]
struct Desks {
    /// Whose each seat is, once the stream was asked.
    owners: Option<Vec<(FirmId, AccountId)>>,
    open: Vec<(usize, Sender<Wish>)>,
    threads: Vec<JoinHandle<()>>,
}

impl Trade {
    pub(super) fn new(door: SocketAddr, seats: Vec<Seat>, world: Arc<World>, stop: Stop) -> Self {
        Self {
            door,
            seats,
            world,
            stop,
            desks: Mutex::default(),
        }
    }

    /// Does what a trader wishes, and waits for the exchange's first word.
    pub(super) fn carry_out(&self, who: Actor, scope: &Scoped<Firm>, deed: &Deed) -> Result<Answered, Refusal> {
        if scope.role() != Role::Trader {
            return Err(refusal(
                403,
                "this key's role enters, changes and cancels no orders",
                "use a key of the role trader",
            ));
        }
        let name = who.to_string();
        let wish = |key: &str, asked: &str| WishId::new(&name, key, asked);
        let (id, what) = match deed {
            Deed::Place { ticket, key } => {
                let asked = serde_json::to_string(ticket).unwrap_or_default();
                let what = What::Place(ticket::Terms::of(ticket)?);
                (Some(wish(key, &format!("place {asked}"))), what)
            }
            Deed::Replace { order, change, key } => {
                let asked = serde_json::to_string(change).unwrap_or_default();
                let what = What::Replace {
                    order: *order,
                    terms: ticket::Terms::of_change(change)?,
                };
                (Some(wish(key, &format!("replace {order} {asked}"))), what)
            }
            Deed::Cancel { order } => (None, What::Cancel(*order)),
            Deed::Limit(_) | Deed::Kill(_) => {
                return Err(refusal(
                    404,
                    "limits are no order",
                    "change them at /api/v1/member/limits",
                ));
            }
        };
        let desk = self.desk(scope)?;
        let (reply, answer) = bounded::<Told>(1);
        let until = Instant::now() + PATIENCE;
        if desk.try_send(Wish { id, what, reply, until }).is_err() {
            return Err(refusal(
                503,
                "the firm's session has too much to do",
                "try again in a moment, with the same idempotency key",
            ));
        }
        answer.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            Err(refusal(
                504,
                format!("the exchange did not answer within {} s", PATIENCE.as_secs()),
                "send it again with the same idempotency key: it is not carried out twice",
            ))
        })
    }

    fn desk(&self, scope: &Scoped<Firm>) -> Result<Sender<Wish>, Refusal> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let owners = match &desks.owners {
            Some(owners) => owners,
            None => {
                let owners = self.owners().map_err(|error| {
                    refusal(
                        503,
                        format!("whose sessions there are is not known: {error:#}"),
                        "try again in a moment",
                    )
                })?;
                desks.owners.insert(owners)
            }
        };
        let is_own = |(firm, account): &(FirmId, AccountId)| {
            *firm == scope.firm() && scope.account().is_none_or(|own| own == *account)
        };
        let Some(seat) = owners.iter().position(is_own) else {
            return Err(refusal(
                403,
                "the firm, or this account of it, has no session for orders over HTTP",
                "use another door, or let the venue give it one",
            ));
        };
        if let Some((_, desk)) = desks.open.iter().find(|(of, _)| *of == seat) {
            return Ok(desk.clone());
        }
        let (wishes, received) = bounded(WAITING_MAX);
        let door = Door::new(self.door, self.seats[seat].clone());
        let stop = self.stop.clone();
        let builder = std::thread::Builder::new().name("member desk".to_owned());
        let thread = builder
            .spawn(move || {
                rialto_ring::layout::beside_the_path();
                door.run(&received, &stop);
            })
            .map_err(|error| refusal(503, format!("no thread for the firm's session: {error}"), "try again"))?;
        desks.threads.push(thread);
        desks.open.push((seat, wishes.clone()));
        Ok(wishes)
    }

    /// Whose each seat is, as the stream says; nobody's where it does not know the session.
    fn owners(&self) -> anyhow::Result<Vec<(FirmId, AccountId)>> {
        let state = self.world.stream()?.at(None)?.past.state();
        let owner = |seat: &Seat| {
            let mut sessions = state.sessions.iter().map(|one| &one.definition);
            let own = sessions.find(|one| one.name.as_bytes().eq_ignore_ascii_case(seat.user.as_bytes()));
            own.map_or_else(Default::default, |own| (own.firm, own.account))
        };
        Ok(self.seats.iter().map(owner).collect())
    }

    /// Waits for the threads, which end with their stop.
    pub(super) fn close(&self) {
        let threads = {
            let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
            desks.open.clear();
            std::mem::take(&mut desks.threads)
        };
        for thread in threads {
            let _ = thread.join();
        }
    }
}
