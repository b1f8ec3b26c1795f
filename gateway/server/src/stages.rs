//! The two stages, as the composition root builds them.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use crossbeam_channel::Receiver;
use rialto_fix::Version;
use rialto_fix::dictionary::{Dictionaries, DictionaryError, UserDefinedFields, Validator};
use rialto_members::Desk;
use rialto_model::{Clock, Command, Door, Output};
use rialto_ring::broadcast::Reader;
use rialto_ring::spsc::Producer;
use rialto_ring::{FaultBoard, FaultSight, Pen, Stage};

use crate::budget::FirmBudgets;
use crate::config::{FixConfig, OuchConfig};
use crate::control::DoorControl;
use crate::counters::Counters;
use crate::door::DoorStage;
use crate::fix::Fix;
use crate::floor::Floor;
use crate::front::Front;
use crate::net::Hub;
use crate::ouch::Ouch;
use crate::outlet::Outlet;
use crate::ports::FirmPorts;
use crate::say::Say;

/// What a door is connected to.
#[derive(Debug)]
pub struct Parts<C> {
    /// Its time.
    pub clock: C,
    /// Its way into the sequencer.
    pub commands: Producer<Command>,
    /// Released events.
    pub outputs: Reader<Output>,
    /// What firms may ask for, by all doors.
    pub budgets: FirmBudgets,
    /// Where it shows the ports that firms have of their own.
    pub ports: FirmPorts,
    /// Where it asks about passwords.
    pub desk: Desk,
    /// Where it says things to people.
    pub say: Say,
}

/// Why a door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The address cannot be listened on.
    #[error("{door} cannot listen on {address}: {source}; choose a free port, or 0 for any")]
    Listen {
        /// Which door.
        door: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The dictionary that is part of this build is broken.
    #[error("the FIX dictionary of this build cannot be read: {0}; build it anew from a clean copy")]
    Dictionary(#[from] DictionaryError),
}

/// A door's stage around its protocol. The types differ, the duty cycle is one.
macro_rules! door {
    ($(#[$doc:meta])* $Name:ident, $Protocol:ty, $name:literal) => {
        $(#[$doc])*
        pub struct $Name<C>(DoorStage<$Protocol, C>);

        impl<C: Clock> $Name<C> {
            /// Takes in one event of the journal's past. To be called for all of them before the first poll; nobody is
            /// connected then, and no command is sent.
            pub fn replay(&mut self, output: &Output) {
                self.0.replay(output);
            }

            /// Where it listens; the port is the one that the system chose where 0 was asked for.
            #[must_use]
            pub fn address(&self) -> SocketAddr {
                self.0.address()
            }

            /// The handle that closes it.
            #[must_use]
            pub fn control(&self) -> DoorControl {
                self.0.control()
            }

            /// Sees what is broken on purpose.
            pub fn set_faults(&mut self, board: FaultBoard) {
                self.0.set_faults(FaultSight::new(board, crate::faults::KINDS));
            }

            /// Writes when it was how far: how many commands it has sent, and when the poll began that took them in, by the
            /// door's clock.
            pub fn set_marks(&mut self, pen: Pen) {
                self.0.set_marks(pen);
            }

            /// Has somewhere to give connections away to.
            pub fn set_front(&mut self, front: Box<dyn Front>) {
                self.0.set_front(front);
            }

            /// Listens no more, and serves the connections that come by here: another process has accepted them.
            pub fn adopt(&mut self, adopted: Receiver<TcpStream>) {
                self.0.adopt(adopted);
            }

            /// Hashes what sessions are told: to be called before the first event, so that two processes of one stream have the
            /// same. Of FIX, the application messages that follow from events, by their order: administrative messages and answers that
            /// are said once are the connection's.
            pub fn transcribe(&mut self) {
                self.0.transcribe();
            }

            /// Windows of [`TRANSCRIPT_WINDOW`](crate::limits::TRANSCRIPT_WINDOW) commands since this was last asked, each with
            /// the hash of what all sessions were told by its end.
            pub fn take_transcripts(&mut self) -> Vec<(u64, u64)> {
                self.0.take_transcripts()
            }

            /// What it counts.
            #[must_use]
            pub fn counters(&self) -> Arc<Counters> {
                Arc::clone(&self.0.floor().counters)
            }
        }

        impl<C: Clock + Send> Stage for $Name<C> {
            fn name(&self) -> &'static str {
                $name
            }

            fn poll(&mut self) -> usize {
                self.0.poll()
            }

            fn is_drained(&self) -> bool {
                self.0.is_drained()
            }
        }

        impl<C> std::fmt::Debug for $Name<C> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($Name)).finish_non_exhaustive()
            }
        }
    };
}

door! {
    /// OUCH 5.0 over SoupBinTCP.
    OuchDoor, Ouch, "ouch"
}

const OUCH: &str = "ouch";

door! {
    /// FIX 4.2, 4.4 and 5.0 SP2; the Logon says which.
    FixDoor, Fix, "fix"
}

const FIX: &str = "fix";

impl<C: Clock> FixDoor<C> {
    /// Opens the door: connections wait from here on, and are served from the first poll on.
    ///
    /// # Errors
    /// [`DoorError::Listen`] where the address is taken or not ours.
    pub fn open(config: FixConfig, parts: Parts<C>) -> Result<Self, DoorError> {
        let validators = [Version::Fix44, Version::Fix42, Version::Fix50Sp2].map(|version| {
            let dictionaries = Dictionaries::load(version)?;
            Ok((version, Validator::new(dictionaries, UserDefinedFields::Accept)))
        });
        let validators = validators.into_iter().collect::<Result<Vec<_>, DictionaryError>>()?;
        let hub = listen(FIX, config.door.listen, config.door.connections_max)?;
        let outlet = Outlet::new(parts.commands, Arc::default());
        let floor = Floor::new(
            Door::Fix,
            FIX,
            config.door,
            outlet,
            (parts.budgets, parts.ports),
            parts.desk,
            parts.say,
        );
        let protocol = Fix::new(&config.comp_id, validators);
        Ok(Self(DoorStage::new(protocol, floor, hub, parts.outputs, parts.clock)))
    }
}

impl<C: Clock> OuchDoor<C> {
    /// Opens the door: connections wait from here on, and are served from the first poll on.
    ///
    /// # Errors
    /// [`DoorError::Listen`] where the address is taken or not ours.
    pub fn open(config: OuchConfig, parts: Parts<C>) -> Result<Self, DoorError> {
        let hub = listen(OUCH, config.door.listen, config.door.connections_max)?;
        let outlet = Outlet::new(parts.commands, Arc::default());
        let floor = Floor::new(
            Door::Ouch,
            OUCH,
            config.door,
            outlet,
            (parts.budgets, parts.ports),
            parts.desk,
            parts.say,
        );
        Ok(Self(DoorStage::new(
            Ouch::new(config.soup),
            floor,
            hub,
            parts.outputs,
            parts.clock,
        )))
    }
}

fn listen<S>(door: &'static str, address: SocketAddr, connections_max: usize) -> Result<Hub<S>, DoorError> {
    Hub::listen(address, connections_max).map_err(|source| DoorError::Listen { door, address, source })
}
