//! Prepared defects, in a build with the feature `defects` alone: what a canary has to be stopped by.

use nix::time::{ClockId, clock_gettime};
use rialto_matching::{Engine, Matching as _};
use rialto_model::{Command, Event, EventSink, InstrumentId, Price, RejectReason, Sequenced};
use std::time::Duration;

/// What is wrong with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Defect {
    /// Nothing.
    Correct,
    /// Once in ten thousand commands the second in a queue trades before the first.
    TieBreak,
    /// A window of commands takes 15 % more thread CPU.
    Slow,
    /// Orders are rejected for another reason.
    RejectCode,
    /// 4 KB of every command are never given back.
    Leak,
    /// A command for instrument 7 is its last.
    Crash,
    /// An order at 123.45 is its last.
    Poison,
    /// A command for instrument 7 is its last, without a word.
    Abort,
    /// Behind its 20,000th command it does nothing more.
    Stuck,
    /// It was built with another table of flags.
    OldTable,
}

const TIE_EVERY: u64 = 10_000;
const STUCK_BEHIND: u64 = 20_000;
const LEAK_BYTES: usize = 4_096;
const SLOW_PERCENT: u64 = 15;
const SLOW_ROUNDS: u32 = 500;
const DEADLY: Price = Price(1_234_500);
const CRASHES_ON: InstrumentId = InstrumentId(7);

/// The defect at work.
#[derive(Clone)]
pub(super) struct Fault {
    defect: Defect,
    commands: u64,
    /// A wrong tie-break is due at the next chance.
    due: bool,
    leaked: Vec<Vec<u8>>,
}

impl Fault {
    pub(super) const fn new(defect: Defect) -> Self {
        Self {
            defect,
            commands: 0,
            due: false,
            leaked: Vec::new(),
        }
    }

    /// Whether a command is not simply the engine's.
    pub(super) const fn meddles(&self) -> bool {
        !matches!(self.defect, Defect::Correct | Defect::Slow | Defect::OldTable)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn apply(&mut self, engine: &mut Engine, command: &Sequenced<Command>, sink: &mut impl EventSink) {
        self.commands += 1;
        match self.defect {
            Defect::TieBreak => {
                self.due |= self.commands.is_multiple_of(TIE_EVERY);
                if self.due {
                    let mut events = Events(Vec::new());
                    engine.apply(command, &mut events);
                    self.due = !swap_two(&mut events.0);
                    return events.0.into_iter().for_each(|event| sink.emit(event));
                }
            }
            Defect::Leak => self.leaked.push(vec![1; LEAK_BYTES]),
            Defect::Crash if super::instrument(&command.body) == Some(CRASHES_ON) => {
                panic!("a prepared crash on instrument {CRASHES_ON}")
            }
            Defect::Abort if super::instrument(&command.body) == Some(CRASHES_ON) => std::process::abort(),
            Defect::Poison if matches!(&command.body, Command::Enter(order) if order.price == DEADLY) => {
                panic!("a prepared crash on a price of {DEADLY}")
            }
            Defect::Stuck if self.commands > STUCK_BEHIND => loop {
                std::thread::sleep(Duration::from_secs(1));
            },
            Defect::RejectCode => return engine.apply(command, &mut Recode(sink)),
            _ => {}
        }
        engine.apply(command, sink);
    }

    /// Behind a window that took so long.
    pub(super) fn rest(&self, cpu_ns: u64) {
        if self.defect == Defect::Slow {
            let end = thread_cpu_ns() + cpu_ns * SLOW_PERCENT / 100;
            // Plain work between looks at the clock, so that it is as many instructions more.
            while thread_cpu_ns() < end {
                for round in 0..SLOW_ROUNDS {
                    std::hint::black_box(round);
                }
            }
        }
    }

    pub(super) const fn is_of_an_old_table(&self) -> bool {
        matches!(self.defect, Defect::OldTable)
    }
}

/// Has an order trade with the second of a queue before the first; whether it traded with two of one price.
fn swap_two(events: &mut [Event]) -> bool {
    let of_one_price = |pair: &[Event]| match pair {
        [Event::Executed(first), Event::Executed(second)] => first.price == second.price,
        _ => false,
    };
    let found = events.windows(2).position(of_one_price);
    if let Some(at) = found {
        events.swap(at, at + 1);
    }
    found.is_some()
}

/// Keeps what comes of a command.
struct Events(Vec<Event>);

impl EventSink for Events {
    fn emit(&mut self, event: Event) {
        self.0.push(event);
    }
}

/// Says another reason.
struct Recode<'a, S>(&'a mut S);

impl<S: EventSink> EventSink for Recode<'_, S> {
    fn emit(&mut self, event: Event) {
        self.0.emit(match event {
            Event::Rejected(mut rejected) => {
                rejected.reason = match rejected.reason {
                    RejectReason::QuantityZero => RejectReason::PriceOffTick,
                    _ => RejectReason::QuantityZero,
                };
                rejected.into()
            }
            other => other,
        });
    }
}

fn thread_cpu_ns() -> u64 {
    let spec = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    spec.map_or(0, |spec| spec.tv_sec() as u64 * 1_000_000_000 + spec.tv_nsec() as u64)
}
