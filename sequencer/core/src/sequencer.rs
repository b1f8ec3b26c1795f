//! Takes commands from the doors in turn, numbers and stamps them, journals them and hands them to the engine.

use crate::room::{StandingHandle, Watch};
use rialto_journal::{AppendError, CommitError, Disk, Writer};
use rialto_model::{Clock, Command, Epoch, FaultKind, SequenceNumber, Sequenced, Timestamp};
use rialto_ring::spsc::{Consumer, Producer};
use rialto_ring::{FaultBoard, FaultSight, Origin, Pen, Stage, Stop};

/// Where the stream stands and how it goes on.
#[derive(Clone, Copy, Debug)]
pub struct SequencerConfig {
    /// Commands in one batch at most: one clock read, one commit block, one write.
    pub batch: usize,
    /// The last number of the stream so far; zero for a new one.
    pub last_seq: SequenceNumber,
    /// The last stamp of the stream so far: time does not go back, also across restarts.
    pub last_stamp: Timestamp,
    /// This writer's fencing number.
    pub epoch: Epoch,
    /// Whether the stream so far ends with cancels taken alone.
    pub cancel_only: bool,
}

/// The stage.
pub struct Sequencer<C, D: Disk> {
    config: SequencerConfig,
    inputs: Vec<Consumer<Command>>,
    /// The input that is asked first, so that none starves.
    turn: usize,
    engine: Producer<Sequenced<Command>>,
    journal: Writer<D>,
    clock: C,
    stop: Stop,
    watch: Watch,
    faults: FaultSight,
    /// What the clock is ahead by on purpose, in nanoseconds.
    step_ns: i64,
    marks: Option<Marks>,
}

/// Where it writes when it was how far, and what it has taken of each input so far.
struct Marks {
    sequenced: Pen<Origin>,
    /// Where a written block is a safe one.
    written: Option<Pen>,
    taken: Vec<u64>,
    /// When the batch began, by the pen's counter.
    at: u64,
}

impl Marks {
    /// Commands up to `upto` are this input's, so many of them.
    #[inline]
    fn took(&mut self, input: usize, count: u64, upto: SequenceNumber) {
        let Some(taken) = self.taken.get_mut(input) else { return };
        *taken += count;
        let of = Origin {
            input: Some(input as u32),
            taken: *taken,
        };
        self.sequenced.note_of(upto.0, self.at, of);
    }

    /// The last of a batch's own commands, which came by no input.
    fn own(&mut self, upto: SequenceNumber) {
        let of = Origin { input: None, taken: 0 };
        self.sequenced.note_of(upto.0, self.at, of);
    }
}

impl<C: Clock, D: Disk> Sequencer<C, D> {
    /// A sequencer that goes on behind `config.last_seq`. A journal that fails stops the exchange through `stop`.
    #[must_use]
    pub fn new(
        config: SequencerConfig,
        inputs: Vec<Consumer<Command>>,
        engine: Producer<Sequenced<Command>>,
        journal: Writer<D>,
        clock: C,
        stop: Stop,
    ) -> Self {
        Self {
            config,
            inputs,
            turn: 0,
            engine,
            journal,
            clock,
            stop,
            watch: Watch::new(config.cancel_only),
            faults: FaultSight::none(),
            step_ns: 0,
            marks: None,
        }
    }

    /// Writes when it was how far: one mark for each input of a batch, and one in `written` behind each block, where a block that
    /// is written is safe.
    #[must_use]
    pub fn marking(self, sequenced: Pen<Origin>, written: Option<Pen>) -> Self {
        let marks = Marks {
            sequenced,
            written,
            taken: vec![0; self.inputs.len()],
            at: 0,
        };
        Self {
            marks: Some(marks),
            ..self
        }
    }

    /// Steps its clock as the faults say that stand.
    #[must_use]
    pub fn with_faults(self, board: FaultBoard) -> Self {
        Self {
            faults: FaultSight::new(board, &[FaultKind::ClockStep]),
            ..self
        }
    }

    /// The clock, stepped.
    #[inline]
    fn now(&mut self) -> Timestamp {
        if self.faults.look() {
            let steps = self.faults.faults().iter().map(|one| one.fault.step_ns());
            self.step_ns = steps.fold(0, i64::saturating_add);
            self.faults.faults().iter().for_each(|one| one.strike());
        }
        Timestamp(self.clock.now().0.saturating_add_signed(self.step_ns))
    }

    /// The last number given.
    #[must_use]
    pub const fn last_seq(&self) -> SequenceNumber {
        self.config.last_seq
    }

    /// What the venue takes, by the room that the journal has.
    #[must_use]
    pub fn standing(&self) -> StandingHandle {
        self.watch.handle()
    }

    /// The journal, for questions between polls.
    pub const fn journal(&self) -> &Writer<D> {
        &self.journal
    }

    /// Whether a command waits that the engine has no room for.
    #[must_use]
    pub fn is_held_up(&self) -> bool {
        self.engine.slots() == 0 && !self.inputs.iter().all(Consumer::is_empty)
    }

    /// The journal, to seal it in the end.
    pub fn into_journal(self) -> Writer<D> {
        self.journal
    }

    /// Numbers, stamps, journals and passes on one command. The engine runs ahead of the durable frontier; the gate
    /// holds back what comes of it.
    fn sequence(&mut self, stamp: Timestamp, command: Command) -> Result<(), AppendError> {
        let seq = self.config.last_seq.next();
        let sequenced = Sequenced {
            seq,
            stamp,
            epoch: self.config.epoch,
            body: command,
        };
        self.journal.append(&sequenced)?;
        self.config.last_seq = seq;
        self.config.last_stamp = stamp;
        if self.engine.push(sequenced).is_err() {
            unreachable!("room was counted before the batch began, and nobody else pushes");
        }
        Ok(())
    }

    /// Takes up to `room` commands, a share from each input in turn, as far as the commit block holds them.
    fn take(&mut self, room: usize) -> Result<usize, AppendError> {
        if room == 0 {
            return Ok(0);
        }
        let change = if self.watch.is_due(self.journal.segment()) {
            self.watch.look(self.journal.room())
        } else {
            None
        };
        if change.is_none() && self.inputs.iter().all(Consumer::is_empty) {
            return Ok(0);
        }
        let stamp = self.now().max(self.config.last_stamp);
        if let Some(marks) = &mut self.marks {
            marks.at = marks.sequenced.now();
        }
        let share = room.div_ceil(self.inputs.len());
        let mut taken = 0;
        if let Some(change) = change {
            self.sequence(stamp, change.into())?;
            self.watch.sequenced(change);
            taken += 1;
            if let Some(marks) = &mut self.marks {
                marks.own(self.config.last_seq);
            }
        }
        for offset in 0..self.inputs.len() {
            let index = (self.turn + offset) % self.inputs.len();
            let before = taken;
            for _ in 0..share.min(room - taken) {
                if self.journal.is_full() {
                    self.mark(index, taken - before);
                    return Ok(taken);
                }
                let Ok(command) = self.inputs[index].pop() else { break };
                self.sequence(stamp, command)?;
                taken += 1;
            }
            self.mark(index, taken - before);
        }
        self.turn = (self.turn + 1) % self.inputs.len();
        Ok(taken)
    }

    /// So many of the newest commands came by this input.
    #[inline]
    fn mark(&mut self, input: usize, count: usize) {
        if count > 0
            && let Some(marks) = &mut self.marks
        {
            marks.took(input, count as u64, self.config.last_seq);
        }
    }

    /// Writes what waits.
    fn commit(&mut self) -> Result<(), CommitError> {
        let written = self.journal.commit()?;
        if let Some(pen) = self.marks.as_mut().and_then(|marks| marks.written.as_mut()) {
            pen.note(written.0);
        }
        Ok(())
    }

    /// One batch: what an earlier commit left waiting goes first, and nothing new is taken before it is written.
    fn batch(&mut self) -> Result<usize, Trouble> {
        if self.journal.pending() > 0 {
            // Where they wait for room, the doors are to know of it.
            self.watch.look(self.journal.room());
            self.commit()?;
        }
        let taken = self.take(self.engine.slots().min(self.config.batch))?;
        if taken > 0 {
            self.commit()?;
        } else {
            self.journal.mark(self.clock.monotonic())?;
        }
        Ok(taken)
    }
}

/// Why a batch did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl<C: Clock + Send, D: Disk> Stage for Sequencer<C, D>
where
    Writer<D>: Send,
{
    fn name(&self) -> &'static str {
        "sequencer"
    }

    /// A full ring towards the engine, or a journal whose next segment is still being made, takes nothing from the doors:
    /// back-pressure, never a reject.
    fn poll(&mut self) -> usize {
        match self.batch() {
            Ok(taken) => taken,
            Err(Trouble::Commit(CommitError::NoSegment { .. })) => 0,
            Err(trouble) => {
                self.stop
                    .fail(format!("the journal failed, nothing more is released: {trouble}"));
                0
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.journal.pending() == 0 && self.inputs.iter().all(Consumer::is_empty)
    }
}
