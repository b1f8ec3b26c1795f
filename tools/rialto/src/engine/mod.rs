//! `rialto engine`: an engine process of its own build on the stream of an exchange.
//!
//! It follows what is released, so it is a little behind the exchange, works out every command's events itself and says
//! them back; what it says is only compared, and nothing of it is ever sent to anybody else. A command that brings it down
//! is named with its last breath, and passed over by who comes next. While no exchange answers it tries again for
//! [`ORPHAN_MAX`], then ends: whoever wants it starts it anew.

mod brain;
pub(crate) mod breath;
pub(crate) mod count;
#[cfg(feature = "defects")]
mod defect;
mod meter;

use crate::deploy::build;
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result, bail, ensure};
use brain::Brain;
use breath::Breath;
use meter::Meter;
use rialto_engine::Hashes;
use rialto_engine::answers::{Answer, AnswersBuilder};
use rialto_engine::talk::{Introduction, PassedOver, Role, Testify, decode_brief, testify_answers};
use rialto_follow::wire::Stand;
use rialto_follow::{Follower, Key, News, Reason, Refused};
use rialto_model::{Command, Epoch, Event, EventSink, InstrumentId, Output, SequenceNumber, Sequenced};
use rialto_past::Snapshot;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest wait for news before the clock and Ctrl-C are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How often it says how it is.
const HEALTH: Duration = Duration::from_millis(250);
/// How long it looks for its exchange.
const ORPHAN_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the exchange lets itself be followed, see `--follow-listen`
    #[arg(long, value_name = "ADDR")]
    follow: SocketAddr,
    /// The exchange's key: its `follow.key`, or a copy that only you may read
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What people call it
    #[arg(long, default_value = "green")]
    name: String,
    /// To be measured against and never waited for: the old build once more
    #[arg(long)]
    baseline: bool,
    /// Apply the commands from the newest snapshot up to this one and end: under callgrind, to count their instructions
    #[arg(long, value_name = "SEQ", hide = true)]
    count_to: Option<u64>,
    /// What is wrong with it
    #[cfg(feature = "defects")]
    #[arg(long, value_name = "NAME", default_value = "correct")]
    defect: defect::Defect,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let key = Key::load(&args.key)?;
    let interrupt = Interrupt::listen()?;
    if let Some(to) = args.count_to {
        return count::run(args, key, to, &interrupt);
    }
    let left = breath::path(&args.key, &args.name);
    if let Some(unfinished) = breath::unfinished(&left, build::id()) {
        confess(args, unfinished, &interrupt)?;
    }
    let breath = Breath::open(&left, build::id());
    if let Err(error) = &breath {
        out::complain(format_args!(
            "{}: {error}; a command that ends this without a word will not be named",
            left.display()
        ));
    }
    let mut follower = Follower::new(args.follow, key, Stand::default(), Epoch(0), true);
    let mut mind = Mind::new(args, breath.ok());
    let mut connected = Instant::now();
    while !interrupt.is_set() {
        let news = follower.next(LOOK)?;
        match news {
            Some(News::Lost(Refused::Farewell(Reason::Ended, _))) => return Ok(()),
            Some(News::Lost(why)) => {
                out::complain(format_args!("behind {}: {why}; it is tried again", mind.last));
            }
            Some(news) => {
                connected = Instant::now();
                mind.take(news, &mut follower)?;
            }
            None => mind.breathe(&mut follower),
        }
        ensure!(
            connected.elapsed() < ORPHAN_MAX,
            "no exchange answered for {ORPHAN_MAX:?}"
        );
    }
    Ok(())
}

/// An engine of this build has ended in the middle of a command and without a word: says so for it, until the exchange has it
/// pass over that command.
fn confess(args: &Args, unfinished: PassedOver, interrupt: &Interrupt) -> Result<()> {
    let (seq, instrument) = unfinished;
    out::complain(format_args!(
        "the last one ended without a word on command {seq}: it is passed over"
    ));
    let died = Testify::Died {
        seq,
        instrument,
        words: "it ended without a word".to_owned(),
    };
    let introduction = Mind::new(args, None).introduction.encode();
    let begun = Instant::now();
    while !interrupt.is_set() {
        let key = Key::load(&args.key)?;
        let mut follower = Follower::new(args.follow, key, Stand::default(), Epoch(0), true);
        loop {
            ensure!(begun.elapsed() < ORPHAN_MAX, "no exchange answered for {ORPHAN_MAX:?}");
            match follower.next(LOOK)? {
                Some(News::Connected(_)) => {
                    follower.introduce(&introduction);
                    follower.flush();
                }
                Some(News::Briefed(brief)) => {
                    let known = decode_brief(&brief).context("the exchange's brief cannot be read")?;
                    if known.iter().any(|(one, _)| *one == seq) {
                        return Ok(());
                    }
                    follower.testify(&died.encode());
                    follower.flush();
                    break;
                }
                Some(News::Lost(_)) => break,
                _ => {}
            }
        }
        // Its seat is free once the exchange has seen it go.
        drop(follower);
        std::thread::sleep(LOOK);
    }
    bail!("interrupted")
}

/// The engine, what it has to say, and what it costs.
struct Mind {
    introduction: Introduction,
    brain: Brain,
    hashes: Hashes,
    meter: Meter,
    last: SequenceNumber,
    passed_over: BTreeSet<SequenceNumber>,
    briefed: bool,
    /// Commands that came before the brief.
    early: Vec<Sequenced<Command>>,
    answer: Answer,
    answers: AnswersBuilder,
    outputs: Vec<Output>,
    said: Instant,
    role: Role,
    breath: Option<Breath>,
}

impl Mind {
    fn new(args: &Args, breath: Option<Breath>) -> Self {
        let brain = Brain::of(args);
        let role = if args.baseline { Role::Baseline } else { Role::Candidate };
        Self {
            introduction: Introduction {
                role,
                build: build::id(),
                table: brain.flag_table(),
                release: rialto_matching::CURRENT_RELEASE,
                pid: std::process::id(),
                name: args.name.clone(),
            },
            meter: Meter::new(&brain),
            brain,
            hashes: Hashes::default(),
            last: SequenceNumber(0),
            passed_over: BTreeSet::new(),
            briefed: false,
            early: Vec::new(),
            answer: Answer::default(),
            answers: AnswersBuilder::default(),
            outputs: Vec::new(),
            said: Instant::now(),
            role,
            breath,
        }
    }

    fn take(&mut self, news: News, follower: &mut Follower) -> Result<()> {
        match news {
            News::Connected(welcome) => {
                ensure!(
                    welcome.snapshot_bytes > 0 || welcome.after == self.last,
                    "the exchange goes on behind {}, and this is at {}: start it again",
                    welcome.after,
                    self.last
                );
                self.briefed = false;
                self.answers = AnswersBuilder::default();
                follower.introduce(&self.introduction.encode());
                follower.flush();
            }
            News::Briefed(brief) => {
                let passed_over = decode_brief(&brief).context("the exchange's brief cannot be read")?;
                self.passed_over = passed_over.into_iter().map(|(seq, _)| seq).collect();
                self.briefed = true;
                for command in std::mem::take(&mut self.early) {
                    self.follow(&command, follower)?;
                }
                self.say(follower);
            }
            News::Snapshot { seq, bytes } => {
                let snapshot = Snapshot::decode(&bytes).with_context(|| format!("the exchange's snapshot at {seq}"))?;
                self.brain.import(&snapshot.state)?;
                self.meter = Meter::new(&self.brain);
                self.hashes = Hashes::resume(snapshot.hasher, snapshot.events, seq);
                self.last = seq;
            }
            News::Command(command) if self.briefed => self.follow(&command, follower)?,
            News::Command(command) => self.early.push(command),
            News::Frontier(_) => self.say(follower),
            News::Lost(_) => {}
        }
        Ok(())
    }

    /// Works out what comes of a command.
    fn follow(&mut self, command: &Sequenced<Command>, follower: &mut Follower) -> Result<()> {
        self.last = command.seq;
        self.outputs.clear();
        if !self.passed_over.contains(&command.seq) {
            self.risk(command, follower)?;
        }
        self.answer.seq = command.seq;
        self.answer.events.clear();
        let mut over = false;
        for output in &self.outputs {
            self.hashes.follow(output);
            self.answer.push(output, &mut over);
        }
        self.answer.total = self.hashes.total();
        if self.role == Role::Candidate {
            self.answers.push(&self.answer);
            if self.answers.is_full() {
                self.say(follower);
            }
        }
        if !self.passed_over.contains(&command.seq) {
            self.meter.take(command);
        }
        Ok(())
    }

    /// The one place where a command can bring it down.
    fn risk(&mut self, command: &Sequenced<Command>, follower: &mut Follower) -> Result<()> {
        let (brain, outputs) = (&mut self.brain, &mut self.outputs);
        if let Some(breath) = &self.breath {
            breath.take(command.seq, instrument(&command.body).unwrap_or_default());
        }
        let applied = catch_unwind(AssertUnwindSafe(|| {
            brain.apply(command, &mut Sink { command, outputs })
        }));
        if let Some(breath) = &self.breath {
            breath.rest();
        }
        let Err(panic) = applied else { return Ok(()) };
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without words");
        self.say(follower);
        let died = Testify::Died {
            seq: command.seq,
            instrument: instrument(&command.body).unwrap_or_default(),
            words: words.to_owned(),
        };
        follower.testify(&died.encode());
        follower.flush();
        bail!("command {} brought it down: {words}", command.seq)
    }

    /// Says everything that came of commands so far.
    fn say(&mut self, follower: &mut Follower) {
        if !self.answers.is_empty() {
            follower.testify(&testify_answers(&self.answers.finish()));
        }
        let costs = self.meter.costs();
        if !costs.is_empty() {
            follower.testify(&Testify::Costs(costs).encode());
        }
        self.breathe(follower);
        follower.flush();
    }

    /// Says now and then how it is.
    fn breathe(&mut self, follower: &mut Follower) {
        if self.briefed && self.said.elapsed() >= HEALTH {
            self.said = Instant::now();
            let memory = resident();
            follower.testify(
                &Testify::Health {
                    taken: self.last,
                    memory,
                }
                .encode(),
            );
        }
    }
}

/// The instrument that a command names.
pub(crate) fn instrument(command: &Command) -> Option<InstrumentId> {
    let of = match command {
        Command::Enter(c) => c.instrument,
        Command::EnterSpecial(c) => c.instrument,
        Command::Refuse(c) => c.instrument,
        Command::SetPhase(c) => c.instrument,
        Command::SetRulebook(c) => c.instrument,
        Command::SetTicks(c) => c.instrument,
        Command::SetBands(c) => c.instrument,
        Command::SetFees(c) => c.instrument,
        Command::SetAllocation(c) => c.instrument,
        Command::MassCancel(c) => c.instrument,
        Command::CancelQuotes(c) => c.instrument,
        Command::BustTrade(c) => c.instrument,
        Command::CorrectTrade(c) => c.instrument,
        _ => return None,
    };
    Some(of)
}

/// Bytes of memory that this process holds; zero where the system does not say.
pub(crate) fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    resident.unwrap_or_default() * 4_096
}

/// Puts a command's envelope around its events.
struct Sink<'a> {
    command: &'a Sequenced<Command>,
    outputs: &'a mut Vec<Output>,
}

impl EventSink for Sink<'_> {
    fn emit(&mut self, event: Event) {
        let Sequenced { seq, stamp, epoch, .. } = *self.command;
        self.outputs.push(Output {
            event: Sequenced {
                seq,
                stamp,
                epoch,
                body: event,
            },
            last: false,
        });
    }
}
