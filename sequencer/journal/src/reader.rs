//! Streams the records of a journal and trusts no byte of it.
//!
//! One commit block at a time is read, checked as a whole and only then handed out, so that memory is bounded and no
//! record of a torn block is ever seen. The reader stops at the first byte that is not as it must be and says which and
//! why; it never skips. It writes nothing and needs no lock.
//!
//! A follower of a live journal sets a limit ([`Reader::set_limit`]) to the [`Frontier`](crate::Frontier) before it reads
//! on: behind the frontier the writer is still at work. Without a limit the reader goes to the end, and what stands there
//! must be zeros.

use crate::block::{Fault, Place, order};
use crate::damage::{Damage, Defect, ReadError};
use crate::disk::{Access, Disk, DiskError, DiskFile};
use crate::format::{
    BLOCK_HEADER, BLOCK_MARKER, BlockHeader, ChainHash, FOOTER, FOOTER_MARKER, SEGMENT_HEADER, Seed, SegmentHeader,
    SegmentId,
};
use crate::limits::SEGMENT_BYTES_MAX;
use crate::lineup::{Lineup, Segment};
use crate::scan::{self, Survey};
use crate::window::Window;
use rialto_model::{Command, Epoch, SequenceNumber, Sequenced, TradingDay, VenueId};

/// Streams the records of a journal.
#[derive(Debug)]
pub struct Reader<D: Disk> {
    disk: D,
    lineup: Lineup,
    open: Option<Open<D::File>>,
    place: Place,
    /// Where the block that was read last begins.
    before: Place,
    block: Vec<Sequenced<Command>>,
    handed_out: usize,
    from: SequenceNumber,
    limit: Option<SequenceNumber>,
    failed: bool,
}

/// The segment being read.
#[derive(Debug)]
struct Open<F> {
    index: usize,
    name: String,
    seed: Seed,
    header: SegmentHeader,
    window: Window<F>,
}

/// What a step found.
enum Step {
    /// A block, perhaps an idle mark.
    Block,
    /// The next segment.
    Segment,
    /// The footer.
    Footer,
    /// Nothing more, for now.
    End,
}

impl<D: Disk> Reader<D> {
    /// From the first record of the journal's life.
    ///
    /// # Errors
    /// As [`Reader::open_at`].
    pub fn open(disk: &D) -> Result<Self, ReadError> {
        Self::open_at(disk, SequenceNumber(1))
    }

    /// From the record `from`: seeks to its segment by the headers, and checks from there on.
    ///
    /// # Errors
    /// [`ReadError::TooOld`] when the journal begins later; else what is wrong with its directory.
    pub fn open_at(disk: &D, from: SequenceNumber) -> Result<Self, ReadError> {
        let mut reader = Self::over(disk)?;
        reader.from = from;
        if let Some(oldest) = reader.lineup.segments.first()
            && oldest.first_seq > from
        {
            return Err(ReadError::TooOld {
                place: disk.place(),
                wanted: from,
                first: oldest.first_seq,
            });
        }
        let holds = |segment: &Segment| segment.header.is_ok() && segment.first_seq <= from;
        let index = reader.lineup.segments.iter().rposition(holds);
        reader.begin(index.unwrap_or(0))?;
        Ok(reader)
    }

    /// From the oldest record there is.
    pub(crate) fn open_oldest(disk: &D) -> Result<Self, ReadError> {
        Self::over(disk)
    }

    fn over(disk: &D) -> Result<Self, ReadError> {
        Ok(Self {
            disk: disk.clone(),
            lineup: Lineup::read(disk)?,
            open: None,
            place: Place::GENESIS,
            before: Place::GENESIS,
            block: Vec::new(),
            handed_out: 0,
            from: SequenceNumber(0),
            limit: None,
            failed: false,
        })
    }

    /// Goes no further than `up_to` until told otherwise; up to there every record must be.
    pub const fn set_limit(&mut self, up_to: SequenceNumber) {
        self.limit = Some(up_to);
    }

    /// The next record; `None` at the limit or at the end, from where a later call goes on if more has come.
    ///
    /// # Errors
    /// [`ReadError`]: the same again at every further call.
    pub fn read(&mut self) -> Result<Option<Sequenced<Command>>, ReadError> {
        loop {
            while let Some(record) = self.block.get(self.handed_out) {
                if self.limit.is_some_and(|limit| record.seq > limit) {
                    return Ok(None);
                }
                self.handed_out += 1;
                if record.seq >= self.from {
                    return Ok(Some(*record));
                }
            }
            if !self.read_block()? {
                return Ok(None);
            }
        }
    }

    /// The records at hand: what is left of a commit block, or the whole of the next one. Those that [`read`](Self::read) would
    /// give one by one, in place, and again until they are [consumed](Self::consume), as with [`BufRead`](std::io::BufRead).
    /// None at the limit or at the end, from where a later call goes on if more has come.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn fill(&mut self) -> Result<&[Sequenced<Command>], ReadError> {
        loop {
            // Numbers rise by one in a block: both ends are found by counting.
            let first = self.block.first().map_or(0, |record| record.seq.0);
            let place = |seq: u64| usize::try_from(seq.saturating_sub(first)).unwrap_or(usize::MAX);
            let behind = self.limit.map_or(u64::MAX, |limit| limit.0.saturating_add(1));
            let end = self.block.len().min(place(behind));
            self.handed_out = self.handed_out.max(place(self.from.0)).min(self.block.len());
            if self.handed_out < end || end < self.block.len() || !self.read_block()? {
                return Ok(self.block.get(self.handed_out..end).unwrap_or_default());
            }
        }
    }

    /// Goes on behind the first `count` records at hand.
    pub const fn consume(&mut self, count: usize) {
        self.handed_out = self.handed_out.saturating_add(count);
    }

    /// Whose journal it is; `None` while it holds nothing.
    #[must_use]
    pub fn venue(&self) -> Option<VenueId> {
        self.open.as_ref().map(|open| open.header.venue)
    }

    /// The chain hash behind the last block read.
    #[must_use]
    pub const fn chain(&self) -> ChainHash {
        self.place.chain
    }

    /// The epoch of the last segment read.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.place.epoch
    }

    /// The trading day in force behind the last block read; zero before the first.
    #[must_use]
    pub const fn day(&self) -> TradingDay {
        self.place.day
    }

    /// What is known behind the last sound block.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// What was known before the block that was read last.
    pub(crate) const fn before(&self) -> &Place {
        &self.before
    }

    pub(crate) const fn lineup(&self) -> &Lineup {
        &self.lineup
    }

    /// The segment being read, by its index in the lineup.
    pub(crate) fn segment(&self) -> Option<usize> {
        self.open.as_ref().map(|open| open.index)
    }

    /// The records of the block that was read last.
    pub(crate) fn block(&self) -> &[Sequenced<Command>] {
        &self.block
    }

    /// Reads on to the next block, idle marks included; whether there was one.
    pub(crate) fn read_block(&mut self) -> Result<bool, ReadError> {
        self.block.clear();
        self.handed_out = 0;
        loop {
            if self.limit.is_some_and(|limit| self.place.next_seq > limit) {
                return Ok(false);
            }
            match self.step_afresh()? {
                Step::Block => return Ok(true),
                Step::Segment | Step::Footer => {}
                Step::End => return Ok(false),
            }
        }
    }

    /// One step. What was read ahead may have been written since: nothing is wrong or over before it was read again.
    fn step_afresh(&mut self) -> Result<Step, ReadError> {
        let step = self.step();
        match (&step, &mut self.open) {
            (Ok(Step::End) | Err(ReadError::Damage(_)), Some(open)) if !open.window.is_fresh(self.place.offset) => {
                open.window.forget();
                self.block.clear();
                self.step()
            }
            _ => step,
        }
    }

    fn step(&mut self) -> Result<Step, ReadError> {
        let Some(open) = &mut self.open else {
            if self.lineup.segments.is_empty() {
                self.lineup = Lineup::read(&self.disk)?;
            }
            return if self.lineup.segments.is_empty() {
                self.end()
            } else {
                self.begin(0)?;
                Ok(Step::Segment)
            };
        };
        let index = open.index + 1;
        let successor = self.lineup.segments.get(index).copied();
        if let Some(next) = successor
            && next.name.epoch > open.header.epoch
            && next.first_seq <= self.place.next_seq
        {
            // A take-over: what the old epoch holds behind this point is never read. Idle marks before the point are part
            // of the chain that the new header states.
            let joins = next.header.map_or(true, |header| header.chain == self.place.chain);
            if joins || !open.idle_mark_follows(&self.place)? {
                return self.enter(index).map(|()| Step::Segment);
            }
        }
        if self.place.sealed {
            return match successor {
                Some(_) => self.enter(index).map(|()| Step::Segment),
                None => self.end(),
            };
        }
        let offset = self.place.offset;
        let bytes = open
            .window
            .view(offset, BLOCK_HEADER)
            .map_err(DiskError::of("read", &open.name))?;
        if bytes.starts_with(&BLOCK_MARKER) {
            self.take_block().map(|()| Step::Block)
        } else if bytes.starts_with(&FOOTER_MARKER) {
            self.take_footer().map(|()| Step::Footer)
        } else if bytes.iter().any(|byte| *byte != 0) {
            let cut = bytes.len() < BLOCK_MARKER.len();
            Err(self.damage(if cut { Defect::BlockCut } else { Defect::BlockMarker }))
        } else {
            match successor {
                // Only a take-over ends a segment without a footer.
                Some(next) if next.name.epoch > self.place.epoch => self.enter(index).map(|()| Step::Segment),
                Some(_) => Err(self.damage(Defect::BlockMissing)),
                None => self.end(),
            }
        }
    }

    /// Nothing follows in the segment: a segment may have come since, or this is the end of the journal.
    fn end(&mut self) -> Result<Step, ReadError> {
        let fresh = Lineup::read(&self.disk)?;
        if let Some(open) = &mut self.open {
            let here = self.lineup.segments.get(open.index).map(|here| here.name);
            let index = fresh.segments.iter().position(|s| Some(s.name) == here);
            let Some(index) = index else {
                return Err(self.damage(Defect::BlockMissing));
            };
            open.index = index;
            self.lineup = fresh;
            // What was read ahead is older than the directory.
            open.window.forget();
            if self.lineup.segments.len() > index + 1 {
                return Ok(Step::Segment);
            }
        } else {
            self.lineup = fresh;
        }
        if self.limit.is_some() {
            // Asked for because the frontier says that it is there.
            return Err(self.damage(Defect::BlockMissing));
        }
        self.check_tail()?;
        Ok(Step::End)
    }

    /// Behind the end of the journal stand zeros, in the last segment and in the spares.
    fn check_tail(&self) -> Result<(), ReadError> {
        if let Some(open) = &self.open {
            let file = open.window.file();
            let refused = |error| DiskError::of("read", &open.name)(error);
            let tail = scan::survey(file, open.seed, self.place.offset).map_err(refused)?;
            self.check_zeros(&open.name, &tail)?;
            let len = file.len().map_err(refused)?;
            let made = open.header.segment_bytes;
            if len < made && !self.place.sealed {
                return Err(self.damage(Defect::FileShort { len, made }));
            }
        }
        for name in &self.lineup.behind {
            let text = name.to_string();
            let tail = self
                .disk
                .open(&text, Access::Read)
                .and_then(|file| scan::survey(&file, name.seed(), 0))
                .map_err(DiskError::of("read", &text))?;
            self.check_zeros(&text, &tail)?;
        }
        Ok(())
    }

    fn check_zeros(&self, file: &str, tail: &Survey) -> Result<(), ReadError> {
        let Some(extent) = &tail.nonzero else {
            return Ok(());
        };
        let defect = tail.first_block.map_or(Defect::Garbage, |block| Defect::Hole {
            first_seq: block.first_seq,
        });
        Err(ReadError::Damage(Damage {
            file: file.to_owned(),
            offset: extent.start,
            seq: self.place.next_seq,
            defect,
        }))
    }

    /// Begins with a segment whose header is taken as it stands.
    fn begin(&mut self, index: usize) -> Result<(), ReadError> {
        let Some(Segment { header, first_seq, .. }) = self.lineup.segments.get(index) else {
            return Ok(());
        };
        self.place.next_seq = *first_seq;
        if let Ok(header) = header {
            self.place = Place {
                next_seq: header.first_seq,
                last_stamp: header.last_stamp,
                day: header.day,
                epoch: header.previous_epoch,
                chain: header.chain,
                ..Place::GENESIS
            };
        }
        self.enter(index)
    }

    /// Goes over to a segment, whose header must say what has been read before.
    fn enter(&mut self, index: usize) -> Result<(), ReadError> {
        let Some(segment) = self.lineup.segments.get(index).copied() else {
            return Ok(());
        };
        let name = segment.name.to_string();
        let wrong = |place: &Place, defect| {
            Err(ReadError::Damage(Damage {
                file: name.clone(),
                offset: 0,
                seq: place.next_seq,
                defect,
            }))
        };
        let place = &self.place;
        if let Some(open) = &self.open {
            let id = SegmentId(open.header.id.0 + 1);
            if segment.name.id != id {
                return wrong(place, Defect::SegmentMissing { id });
            }
        }
        let header = match segment.header {
            Ok(header) => header,
            Err(defect) => return wrong(place, defect),
        };
        if let Some(defect) = order(place.next_seq, header.first_seq) {
            return wrong(place, defect);
        }
        if header.chain != place.chain {
            return wrong(
                place,
                Defect::Chain {
                    stated: header.chain,
                    computed: place.chain,
                },
            );
        }
        if header.header_bytes as usize != SEGMENT_HEADER || header.segment_bytes > SEGMENT_BYTES_MAX {
            return wrong(place, Defect::HeaderBounds);
        }
        let venue = self.venue().unwrap_or(header.venue);
        if header.venue != venue {
            let defect = Defect::Venue {
                found: header.venue,
                expected: venue,
            };
            return wrong(place, defect);
        }
        let restated = [
            ("epoch", header.previous_epoch != place.epoch),
            ("stamp", header.last_stamp != place.last_stamp),
            ("trading day", header.day != place.day),
            ("mark", header.mark.up_to >= header.first_seq),
        ];
        if let Some((what, _)) = restated.into_iter().find(|(_, differs)| *differs) {
            return wrong(place, Defect::Restated { what });
        }
        let file = self
            .disk
            .open(&name, Access::Read)
            .map_err(DiskError::of("open", &name))?;
        self.place = self.place.in_segment(&header);
        self.open = Some(Open {
            index,
            name,
            seed: header.seed(),
            header,
            window: Window::new(file),
        });
        Ok(())
    }

    /// Checks a block whole and takes its records.
    fn take_block(&mut self) -> Result<(), ReadError> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        self.before = self.place;
        let place = &mut self.place;
        let offset = place.offset;
        let refused = |error| DiskError::of("read", &open.name)(error);
        let bytes = open.window.view(offset, BLOCK_HEADER).map_err(refused)?;
        let taken = match place.header(bytes, open.seed) {
            Ok(header) => {
                let length = header.length as usize;
                let bytes = open.window.view(offset, length).map_err(refused)?;
                place.take_block(&header, bytes, open.seed, &mut self.block)
            }
            Err(fault) => Err(fault),
        };
        taken.map_err(|fault| {
            self.block.clear();
            self.fault(fault)
        })
    }

    fn take_footer(&mut self) -> Result<(), ReadError> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let bytes = open
            .window
            .view(self.place.offset, FOOTER)
            .map_err(DiskError::of("read", &open.name))?;
        let taken = self.place.take_footer(bytes, open.seed);
        taken.map_err(|fault| self.fault(fault))
    }

    fn fault(&self, fault: Fault) -> ReadError {
        let Fault { at, seq, defect } = fault;
        ReadError::Damage(Damage {
            file: self
                .open
                .as_ref()
                .map_or_else(|| self.disk.place(), |open| open.name.clone()),
            offset: self.place.offset + at as u64,
            seq,
            defect,
        })
    }

    /// At the place where the next block must be.
    fn damage(&self, defect: Defect) -> ReadError {
        self.fault(Fault {
            at: 0,
            seq: self.place.next_seq,
            defect,
        })
    }
}

impl<F: DiskFile> Open<F> {
    /// Whether a sound block without records stands here.
    fn idle_mark_follows(&mut self, place: &Place) -> Result<bool, DiskError> {
        let bytes = self
            .window
            .view(place.offset, BLOCK_HEADER)
            .map_err(DiskError::of("read", &self.name))?;
        Ok(BlockHeader::decode(bytes, self.seed).is_ok_and(|header| header.count == 0))
    }
}

/// Ends behind the first error.
impl<D: Disk> Iterator for Reader<D> {
    type Item = Result<Sequenced<Command>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.read().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}
