//! The journal: every sequenced command, in order, on disk, and nothing else.
//!
//! What may be released, what a restart finds and what a replay reads is decided here. `SPEC.md` beside this crate holds
//! the byte tables.
//!
//! - [`recover`] takes the directory for itself, claims the next epoch, checks every byte, cuts what a crash tore off
//!   above the highest durable mark and stops at any other damage.
//! - [`Recovered::into_writer`] opens a segment of the new epoch and gives a [`Writer`] (the sequencer's thread: one
//!   write a commit block, never an fsync), a [`Syncer`] (another thread: fdatasync, and segments made ahead) and through
//!   either a [`Frontier`] (the release gate's: up to where events may leave).
//! - [`Reader`] streams the records back and trusts no byte; [`verify`] reports; [`repair_cut`] cuts knowingly.
//!
//! ```
//! use rialto_journal::{Config, MemDisk, Reader, recover};
//! use rialto_model::{Command, SequenceNumber, Sequenced, Timestamp, VenueId, command::Tick};
//!
//! let disk = MemDisk::new();
//! let recovered = recover(&disk, VenueId(1))?;
//! let (mut writer, mut syncer) = recovered.into_writer(Config::default())?;
//! writer.append(&Sequenced {
//!     seq: writer.next_seq(),
//!     stamp: Timestamp(1),
//!     epoch: writer.epoch(),
//!     body: Command::Tick(Tick {}),
//! })?;
//! writer.commit()?;
//! assert_eq!(writer.frontier().released_up_to().1, SequenceNumber(0));
//! syncer.poll();
//! assert_eq!(writer.frontier().released_up_to().1, SequenceNumber(1));
//!
//! disk.crash();
//! assert_eq!(recover(&disk, VenueId(1))?.recovery().last_seq, SequenceNumber(1));
//! assert_eq!(Reader::open(&disk)?.count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate never reads a clock, opens a socket, or hands out a record whose whole commit block is not sound. The disk is
//! a type parameter: [`OsDisk`], or [`MemDisk`] which can crash, fail and fill up. `unsafe` lives in `crc` and
//! in `disk/map`.

mod block;
mod config;
mod crc;
mod cut;
mod damage;
pub mod disk;
mod fence;
#[cfg(test)]
mod forged;
pub mod format;
mod frontier;
pub mod limits;
mod lineup;
mod reader;
mod record;
mod recover;
mod repair;
pub mod retention;
mod scan;
mod syncer;
mod verify;
mod window;
mod writer;

pub use config::{Config, ConfigError, Durability};
pub use damage::{Damage, Defect, ReadError};
pub use disk::{Disk, DiskError, LockError, MemDisk, OsDisk};
pub use frontier::{Failure, Frontier};
pub use reader::Reader;
pub use recover::{Cut, OpenError, RecoverError, Recovered, Recovery, recover};
pub use repair::{Repair, RepairError, repair_cut};
pub use syncer::Syncer;
pub use verify::{Report, verify};
pub use writer::{AppendError, Closed, CommitError, Room, Writer};
