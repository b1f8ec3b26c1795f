//! Does what blocks, on another thread than the writer's: fdatasync, and the making of segments ahead.
//!
//! In `disk` one fdatasync covers everything that was written since the last, and then the frontier moves there. In
//! `memory` only segments that are full are synced. Both modes need [`Syncer::poll`] called, for the segments ahead; with
//! writer and syncer polled by one thread everything is the same, only slower.
//!
//! After a failed fdatasync, or when another epoch has taken the journal, it has failed for good.

use crate::config::{Config, Durability};
use crate::disk::{Disk, DiskError, DiskFile};
use crate::fence::Fence;
use crate::format::SegmentId;
use crate::frontier::{Failure, Frontier, Shared};
use crate::limits::{FILL_BYTES_PER_POLL, RESERVE_BACKOFF_POLLS_MAX};
use crate::lineup::Name;
use crate::retention::bytes_here;
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::sync::Arc;

/// A segment made ahead: zeros, on the disk, under its name.
pub(crate) struct Spare<F> {
    pub(crate) name: Name,
    pub(crate) file: Arc<F>,
}

impl<F> Clone for Spare<F> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            file: Arc::clone(&self.file),
        }
    }
}

/// Syncs, and makes segments ahead.
pub struct Syncer<D: Disk> {
    disk: D,
    shared: Arc<Shared>,
    config: Config,
    fence: Arc<Fence<D::File>>,
    /// Keeps everyone else out until writer and syncer are both gone: the writer cannot move without the syncer.
    _lock: Arc<D::Lock>,
    /// From the oldest segment that is not synced to the last one made, in order; bounded by the reserve.
    segments: VecDeque<Spare<D::File>>,
    making: Option<Making<D::File>>,
    next_id: SegmentId,
    ready: Sender<Spare<D::File>>,
    synced_writes: u64,
    backoff: Backoff,
}

/// A segment being filled with zeros.
struct Making<F> {
    file: F,
    filled: u64,
}

/// How many polls to leave a disk in peace that refused a segment.
#[derive(Default)]
struct Backoff {
    left: u32,
    next: u32,
}

impl<D: Disk> Syncer<D> {
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of a writer's other half, made in one place"
    )]
    pub(crate) fn new(
        disk: D,
        shared: Arc<Shared>,
        config: Config,
        fence: Arc<Fence<D::File>>,
        lock: Arc<D::Lock>,
        name: Name,
        file: Arc<D::File>,
        ready: Sender<Spare<D::File>>,
    ) -> Self {
        Self {
            disk,
            shared,
            config,
            fence,
            _lock: lock,
            segments: VecDeque::from([Spare { name, file }]),
            making: None,
            next_id: SegmentId(name.id.0 + 1),
            ready,
            synced_writes: 0,
            backoff: Backoff::default(),
        }
    }

    /// A bounded piece of work: at most one round of fdatasync and one piece of a coming segment. Returns how many
    /// records became safe, plus one where a piece was made; zero when there was nothing to do, and after a failure.
    pub fn poll(&mut self) -> usize {
        if self.shared.failure().is_some() {
            return 0;
        }
        match self.sync(self.config.durability) {
            Ok(synced) => synced + self.prepare(),
            Err(failure) => {
                self.shared.fail(failure);
                0
            }
        }
    }

    /// Whether nothing that was written waits to become safe.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.shared.failure().is_some() || self.shared.progress().0 == self.synced_writes
    }

    /// Why nothing more is released, if so.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.shared.failure()
    }

    /// Up to where events may leave.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        Frontier(Arc::clone(&self.shared))
    }

    /// One round of fdatasync and nothing else: for who measures it. [`poll`](Self::poll) makes segments, too.
    ///
    /// # Errors
    /// [`Failure`], for good.
    pub fn sync_now(&mut self) -> Result<(), Failure> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure.clone());
        }
        self.sync(self.config.durability)
            .map(drop)
            .inspect_err(|failure| self.shared.fail(failure.clone()))
    }

    /// Everything that was written, in either mode.
    pub(crate) fn sync_all(&mut self) -> Result<(), Failure> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure.clone());
        }
        self.synced_writes = 0;
        self.sync(Durability::Disk)
            .map(drop)
            .inspect_err(|failure| self.shared.fail(failure.clone()))
    }

    fn sync(&mut self, durability: Durability) -> Result<usize, Failure> {
        let (writes, written, current) = self.shared.progress();
        if writes == self.synced_writes {
            return Ok(0);
        }
        while let Some(segment) = self.segments.front() {
            let full = segment.name.id.0 < current;
            if full || durability == Durability::Disk {
                segment.file.sync_data().map_err(|error| Failure::Sync {
                    file: segment.name.to_string(),
                    cause: error.to_string(),
                })?;
            }
            if !full {
                break;
            }
            self.segments.pop_front();
        }
        self.fence.check(self.shared.epoch)?;
        self.synced_writes = writes;
        if self.shared.durability == Durability::Memory {
            return Ok(0);
        }
        let before = self.shared.released();
        self.shared.release(written);
        Ok((written.0 - before.0) as usize)
    }

    /// Makes a piece of a coming segment, if the reserve is not full. A disk that refuses is asked again later, ever more
    /// seldom: it is no failure until the writer needs the segment.
    fn prepare(&mut self) -> usize {
        if self.ready.is_full() || self.backoff.waits() {
            return 0;
        }
        match self.make_piece() {
            Ok(()) => {
                self.backoff = Backoff::default();
                self.shared.set_reserve_problem(None);
                1
            }
            Err(error) => {
                self.backoff.refused();
                self.shared.set_reserve_problem(Some(error.to_string()));
                0
            }
        }
    }

    /// Makes a whole segment, unless the reserve is full.
    pub(crate) fn prepare_now(&mut self) -> Result<(), DiskError> {
        let ready = self.ready.len();
        while self.ready.len() == ready && !self.ready.is_full() {
            self.make_piece()?;
        }
        Ok(())
    }

    /// Whether the configured cap leaves room for another segment.
    fn check_cap(&self, name: Name) -> Result<(), DiskError> {
        let Some(most) = self.config.bytes_max else {
            return Ok(());
        };
        let names = self.disk.list().map_err(DiskError::of("list", &self.disk.place()))?;
        let segments = names.iter().filter(|name| Name::parse(name).is_some());
        // What has left for the archive takes no room here.
        let taken: u64 = segments.filter_map(|name| bytes_here(&self.disk, name)).sum();
        if taken + self.config.segment_bytes <= most {
            return Ok(());
        }
        let why = format!("all segments may take {most} bytes and take {taken}");
        Err(DiskError::of("make", &name.to_string())(Error::new(
            ErrorKind::QuotaExceeded,
            why,
        )))
    }

    fn make_piece(&mut self) -> Result<(), DiskError> {
        let name = Name {
            id: self.next_id,
            epoch: self.shared.epoch,
        };
        let mut making = match self.making.take() {
            Some(making) => making,
            None => {
                self.check_cap(name)?;
                Making::begin(&self.disk, name)?
            }
        };
        if let Err(error) = making.fill(self.config.segment_bytes) {
            // Zeros that may not be on the disk are no segment: it is made anew.
            let _ = self.disk.remove(&name.to_string());
            return Err(DiskError::of("fill", &name.to_string())(error));
        }
        if making.filled < self.config.segment_bytes {
            self.making = Some(making);
            return Ok(());
        }
        if let Err(error) = self.disk.sync_dir() {
            let _ = self.disk.remove(&name.to_string());
            return Err(DiskError::of("sync", &self.disk.place())(error));
        }
        let file = Arc::new(making.finish(&self.config));
        let spare = Spare {
            name,
            file: Arc::clone(&file),
        };
        self.segments.push_back(Spare { name, file });
        self.next_id = SegmentId(name.id.0 + 1);
        // There was room, and nobody else sends; without a receiver the writer is gone and needs none.
        let _ = self.ready.try_send(spare);
        Ok(())
    }
}

impl<F: DiskFile> Making<F> {
    fn begin<D: Disk<File = F>>(disk: &D, name: Name) -> Result<Self, DiskError> {
        let text = name.to_string();
        let file = match disk.create(&text) {
            // Our own epoch's and not in use: an attempt that failed and could not be removed then.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                disk.remove(&text).and_then(|()| disk.create(&text))
            }
            created => created,
        };
        let file = file.map_err(DiskError::of("create", &text))?;
        Ok(Self { file, filled: 0 })
    }

    /// Writes and syncs a piece of zeros.
    fn fill(&mut self, segment_bytes: u64) -> Result<(), Error> {
        let piece = (segment_bytes - self.filled).min(FILL_BYTES_PER_POLL as u64);
        self.file.write_all_at(self.filled, &vec![0; piece as usize])?;
        self.file.sync_data()?;
        self.filled += piece;
        Ok(())
    }

    /// The segment, ready for the writer. Where a write is safe that has only reached the system, it need not be a call to it.
    fn finish(self, config: &Config) -> F {
        let mut file = self.file;
        if config.durability == Durability::Memory {
            file.keep_at_hand(config.segment_bytes);
        }
        file
    }
}

impl Backoff {
    fn waits(&mut self) -> bool {
        let waits = self.left > 0;
        self.left = self.left.saturating_sub(1);
        waits
    }

    fn refused(&mut self) {
        self.next = (self.next * 2).clamp(1, RESERVE_BACKOFF_POLLS_MAX);
        self.left = self.next;
    }
}

/// Makes the first segment of an epoch, whole, for `header` to be written into.
pub(crate) fn make_segment<D: Disk>(disk: &D, name: Name, config: &Config) -> Result<D::File, DiskError> {
    let mut making = Making::begin(disk, name)?;
    while making.filled < config.segment_bytes {
        making
            .fill(config.segment_bytes)
            .map_err(DiskError::of("fill", &name.to_string()))?;
    }
    Ok(making.finish(config))
}
