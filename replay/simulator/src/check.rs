//! The checkers. They see what went in, what was told to the outside, and the disk; of the stages and the workload they know
//! nothing.
//!
//! | rule | says |
//! |---|---|
//! | `durable` | what is released stands on what a power loss would leave (in `memory`: on what was written) |
//! | `lost` | a start finds all that was ever told, unchanged |
//! | `phantom` | the journal holds nothing that was not sent, nothing twice, and each sender's commands in order |
//! | `dense` | numbers go up by one; every command has events and one last |
//! | `once` | no reference is accepted twice on a day |
//! | `time` | stamps never go back |
//! | `epoch` | epochs never go back, and what a fenced-off writer still tells was durable before |
//! | `hash` | live, recovered and replayed hashes are equal |
//! | `start` | no start is refused for damage |
//! | `stuck` | without faults everything comes out |
//! | `feed` | a message number means the same message for ever |

use crate::plan::CLIENTS;
use crate::venue::{Past, VENUE_INPUT, apply};
use rialto_journal::{Durability, MemDisk, Reader};
use rialto_matching::{EventHasher, Limits, Matching as _, reference};
use rialto_model::{Command, Epoch, Event, LossCause, Output, SequenceNumber, Sequenced, SessionId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub rule: &'static str,
    /// What was seen.
    pub what: String,
}

impl Violation {
    pub(crate) fn new(rule: &'static str, what: impl Into<String>) -> Self {
        Self {
            rule,
            what: what.into(),
        }
    }
}

fn ensure(holds: bool, rule: &'static str, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation::new(rule, what()))
    }
}

/// How the life before a start ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The process ended, in good order or not: what it wrote is there.
    Process,
    /// The power failed: what was not synced may be gone.
    Power,
}

/// What the outside knows.
pub(crate) struct Checker {
    durability: Durability,
    /// What was handed in, by epoch and input, in order.
    sent: BTreeMap<(Epoch, usize), Vec<Command>>,
    /// Everything that was ever told, in order, by what is now the stream.
    told: Vec<Output>,
    hasher: EventHasher,
    /// Follows the journal as a power loss would leave it.
    durable: Option<Reader<MemDisk>>,
    durable_up_to: SequenceNumber,
    /// What a writer that was taken over from told before, and may tell still.
    fenced: Option<(usize, usize)>,
}

impl Checker {
    pub(crate) fn new(durability: Durability) -> Self {
        Self {
            durability,
            sent: BTreeMap::new(),
            told: Vec::new(),
            hasher: EventHasher::default(),
            durable: None,
            durable_up_to: SequenceNumber(0),
            fenced: None,
        }
    }

    pub(crate) fn told(&self) -> &[Output] {
        &self.told
    }

    /// A command went into a ring.
    pub(crate) fn sent(&mut self, epoch: Epoch, input: usize, command: Command) {
        self.sent.entry((epoch, input)).or_default().push(command);
    }

    /// A door was shown an event.
    pub(crate) fn release(&mut self, disk: &MemDisk, output: &Output) -> Result<(), Violation> {
        self.stands(disk, &output.event)?;
        if let Some(before) = self.told.last() {
            follows(before, output)?;
        } else {
            ensure(output.event.seq.0 == 1, "dense", || format!("the first is {output:?}"))?;
        }
        self.hasher.update(&output.event);
        self.told.push(*output);
        Ok(())
    }

    /// What is released must already be where nothing can take it away.
    fn stands(&mut self, disk: &MemDisk, event: &Sequenced<Event>) -> Result<(), Violation> {
        let promised = match self.durability {
            Durability::Disk => disk.durable(),
            Durability::Memory => disk.clone(),
        };
        let broken = |why: String| Violation::new("durable", format!("{} was released, and {why}", event.seq));
        let reader = match &mut self.durable {
            Some(reader) => reader,
            none => none.insert(Reader::open(&promised).map_err(|error| broken(error.to_string()))?),
        };
        reader.set_limit(event.seq);
        while self.durable_up_to < event.seq {
            match reader.read() {
                Ok(Some(record)) => {
                    self.durable_up_to = record.seq;
                    let same = record.seq != event.seq || (record.stamp, record.epoch) == (event.stamp, event.epoch);
                    ensure(same, "durable", || format!("{event:?} was released for {record:?}"))?;
                }
                Ok(None) => return Err(broken(format!("the disk ends at {}", self.durable_up_to))),
                Err(error) => return Err(broken(error.to_string())),
            }
        }
        Ok(())
    }

    /// The process that told is stopped and another is about to take over.
    pub(crate) const fn fence(&mut self) {
        self.fenced = Some((self.told.len(), 0));
    }

    /// The start that fenced it off has read the journal: this is all that the old one may still tell.
    pub(crate) const fn fenced_by_told(&mut self) {
        if let Some((_, end)) = &mut self.fenced {
            *end = self.told.len();
        }
    }

    /// A door of a process that was taken over from was shown an event. It may be late, but must not be another's.
    pub(crate) fn release_of_fenced(&mut self, output: &Output) -> Result<(), Violation> {
        let Some((next, end)) = &mut self.fenced else {
            return Ok(());
        };
        let known = self.told.get(*next).filter(|_| next < end);
        ensure(known == Some(output), "epoch", || {
            format!("a writer that was taken over from released {output:?}; the stream has {known:?} there")
        })?;
        *next += 1;
        Ok(())
    }

    /// A start has read the journal.
    pub(crate) fn recovered(&mut self, past: &Past, ended: End) -> Result<(), Violation> {
        self.durable = None;
        self.durable_up_to = SequenceNumber(0);
        let promised = self.durability == Durability::Disk || ended == End::Process;
        let common = self
            .told
            .iter()
            .zip(&past.outputs)
            .take_while(|(told, found)| told == found);
        let common = common.count();
        let shorter = self.told.len().min(past.outputs.len());
        ensure(common == shorter, "lost", || {
            format!(
                "{:?} was told, a start finds {:?}",
                self.told[common], past.outputs[common]
            )
        })?;
        ensure(!promised || common == self.told.len(), "lost", || {
            format!("{:?} was told, a start finds nothing there", self.told[common])
        })?;
        self.told.clone_from(&past.outputs);
        self.hasher = EventHasher::default();
        past.outputs.iter().for_each(|output| self.hasher.update(&output.event));
        dense(&past.commands, &past.outputs)?;
        self.no_phantom(&past.commands)?;
        once(&past.outputs)
    }

    /// Of what each sender handed in, in each life, the journal holds a beginning.
    fn no_phantom(&self, commands: &[Sequenced<Command>]) -> Result<(), Violation> {
        let mut taken: BTreeMap<(Epoch, usize), usize> = BTreeMap::new();
        let mut cancel_only = false;
        for command in commands {
            // The sequencer's own: it says what is new, or nothing.
            if let Command::CancelOnly(c) = &command.body {
                ensure(c.on != cancel_only, "phantom", || {
                    format!("{command:?} says what stands")
                })?;
                cancel_only = c.on;
                continue;
            }
            let from = (command.epoch, input_of(&command.body));
            let count = taken.entry(from).or_default();
            let expected = self.sent.get(&from).and_then(|sent| sent.get(*count));
            ensure(expected == Some(&command.body), "phantom", || {
                format!(
                    "{command:?} stands in the journal, input {} had sent {expected:?}",
                    from.1
                )
            })?;
            *count += 1;
        }
        Ok(())
    }

    /// Everything has come out: the hash follower must have seen exactly what was told.
    pub(crate) fn hashes(&self, live: (rialto_model::EventHash, u64)) -> Result<(), Violation> {
        let told = (self.hasher.total(), self.told.len() as u64);
        ensure(live == told, "hash", || {
            format!("events: {live:?} by the follower, {told:?} as told")
        })
    }

    /// The naive engine must make the same of the journal, and come to the same state.
    pub(crate) fn reference(past: &Past) -> Result<(), Violation> {
        let mut engine = reference::Engine::new(Limits::default());
        let mut outputs = past.outputs.iter();
        for command in &past.commands {
            for output in apply(&mut engine, command) {
                let fast = outputs.next();
                ensure(fast == Some(&output), "hash", || {
                    format!("the reference says {output:?}, the engine {fast:?}")
                })?;
            }
        }
        ensure(engine.state_hash() == past.state_hash, "hash", || {
            "the engines differ in state".to_owned()
        })
    }
}

/// Which input a command comes by.
fn input_of(command: &Command) -> usize {
    let client = |session: SessionId| {
        let known = (1..=CLIENTS).contains(&u64::from(session.0));
        if known { session.0 as usize } else { VENUE_INPUT }
    };
    match command {
        Command::SessionLost(c) if c.cause == LossCause::Recovery => VENUE_INPUT,
        Command::SessionUp(c) => client(c.session),
        Command::SessionLost(c) => client(c.session),
        Command::Enter(c) => client(c.session),
        Command::Reduce(c) => client(c.session),
        Command::Cancel(c) => client(c.session),
        Command::Replace(c) => client(c.session),
        _ => VENUE_INPUT,
    }
}

/// Whether one event may stand behind another.
fn follows(before: &Output, output: &Output) -> Result<(), Violation> {
    let (last, next) = (&before.event, &output.event);
    let expected = if before.last { last.seq.next() } else { last.seq };
    ensure(next.seq == expected, "dense", || {
        format!("{output:?} follows on {before:?}")
    })?;
    ensure(next.stamp >= last.stamp, "time", || {
        format!("{output:?} follows on {before:?}")
    })?;
    ensure(next.epoch >= last.epoch, "epoch", || {
        format!("{output:?} follows on {before:?}")
    })
}

fn dense(commands: &[Sequenced<Command>], outputs: &[Output]) -> Result<(), Violation> {
    let mut stamp = Timestamp(0);
    for (seq, command) in (1..).zip(commands) {
        ensure(command.seq.0 == seq, "dense", || {
            format!("{command:?} stands where {seq} is next")
        })?;
        ensure(command.stamp >= stamp, "time", || {
            format!("{command:?} comes after {stamp}")
        })?;
        stamp = command.stamp;
    }
    for pair in outputs.windows(2) {
        follows(&pair[0], &pair[1])?;
    }
    let (last, ends) = (commands.last(), outputs.last());
    ensure(
        last.map(|command| command.seq) == ends.filter(|output| output.last).map(|output| output.event.seq),
        "dense",
        || format!("the journal ends with {last:?}, the events with {ends:?}"),
    )
}

fn once(outputs: &[Output]) -> Result<(), Violation> {
    let mut accepted = BTreeSet::new();
    for output in outputs {
        match &output.event.body {
            Event::DayStarted(_) => accepted.clear(),
            Event::Accepted(e) => ensure(accepted.insert((e.session, e.user_ref)), "once", || {
                format!("{output:?} had been accepted before")
            })?,
            _ => {}
        }
    }
    Ok(())
}
