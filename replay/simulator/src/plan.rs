//! What happens in a run, drawn from its seed before it begins: a list, so that a failure can be made smaller by leaving
//! steps out.

use crate::random::Random;
use rialto_journal::Durability;
use rialto_model::{Side, TimeInForce};

/// Clients, each with a session and a ring of its own.
pub(crate) const CLIENTS: u64 = 3;
/// Instruments they trade.
pub(crate) const INSTRUMENTS: u64 = 2;
/// Steps of a run at most.
const STEPS_MAX: u64 = 420;
const STEPS_MIN: u64 = 60;

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was drawn from.
    pub seed: u64,
    pub(crate) durability: Durability,
    pub(crate) segment_bytes: u64,
    pub(crate) batch: usize,
    pub(crate) input_ring: usize,
    pub(crate) engine_ring: usize,
    pub(crate) event_ring: usize,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// A part of the exchange that is given a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Numbers, stamps and journals.
    Sequencer,
    /// Syncs, and makes segments ahead.
    Syncer,
    /// Matches.
    Engine,
    /// Releases.
    Gate,
    /// The members' doors read what was released.
    Door,
    /// The feed reads it.
    Feed,
    /// The hashes take it in.
    Hash,
}

/// In the order of the flow, with the sync last, as by a thread that is always late.
pub(crate) const TURNS: [Turn; 7] = [
    Turn::Sequencer,
    Turn::Engine,
    Turn::Gate,
    Turn::Door,
    Turn::Feed,
    Turn::Hash,
    Turn::Syncer,
];

/// What a client wants of an order.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    /// A new one.
    Enter {
        /// Of which instrument, from 1.
        instrument: u16,
        /// Buy or sell.
        side: Side,
        /// How long.
        tif: TimeInForce,
        /// Price in ticks.
        price: i64,
        /// Quantity in lots.
        quantity: u64,
    },
    /// One of the client's own taken off.
    Cancel {
        /// Which of those that it believes to be open.
        pick: u64,
    },
    /// One of the client's own lowered.
    Reduce {
        /// Which.
        pick: u64,
        /// To what.
        quantity: u64,
    },
    /// One of the client's own changed.
    Replace {
        /// Which.
        pick: u64,
        /// The new price.
        price: i64,
        /// The new quantity.
        quantity: u64,
    },
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A client sends a command.
    Send {
        /// Which client, from 0.
        client: usize,
        /// What it wants.
        wish: Wish,
    },
    /// A client sends again what nobody has answered.
    Resend {
        /// Which client.
        client: usize,
    },
    /// A client logs on.
    Connect {
        /// Which client.
        client: usize,
    },
    /// A client's connection is lost.
    Disconnect {
        /// Which client.
        client: usize,
    },
    /// The venue ends the day and begins the next.
    NextDay,
    /// One part of the exchange has its turn.
    Poll {
        /// Which.
        turn: Turn,
    },
    /// Every part has its turn, in order, a number of times.
    Run {
        /// How often.
        rounds: u8,
    },
    /// Time passes.
    Advance {
        /// Nanoseconds.
        ns: u64,
    },
    /// The wall clock is set back.
    ClockBack {
        /// Nanoseconds.
        ns: u64,
    },
    /// A write to come fails.
    FailWrite {
        /// How many go well before it.
        ahead: u64,
    },
    /// A write to come takes a part only.
    ShortWrite {
        /// How many go well before it.
        ahead: u64,
        /// Bytes that it takes.
        bytes: usize,
    },
    /// An fsync to come fails, or every one from it on.
    FailSync {
        /// How many go well before it.
        ahead: u64,
        /// Whether all behind it fail, too.
        for_good: bool,
    },
    /// The next fsync is slow: everything else goes on meanwhile.
    SlowSync {
        /// Rounds of everything else.
        rounds: u8,
    },
    /// The disk is full but for some bytes.
    Full {
        /// Bytes that are left.
        spare: u64,
    },
    /// The disk has room again.
    Room,
    /// A follower stops reading, or reads again.
    Stall {
        /// Which: door, feed or hash.
        turn: Turn,
        /// Whether it stops.
        stalled: bool,
    },
    /// The power fails.
    PowerLoss {
        /// What of the unsynced sectors stays; nothing of them without.
        keep: Option<u64>,
    },
    /// The machine stops at an operation of the disk to come; the power fails when that is noticed.
    StopDisk {
        /// How many go well before it.
        ahead: u64,
        /// As in [`Step::PowerLoss`].
        keep: Option<u64>,
    },
    /// The power fails, and once more while what it left is recovered.
    PowerLossInRecovery {
        /// Operations of the disk that the recovery gets.
        ahead: u64,
        /// As in [`Step::PowerLoss`].
        keep: Option<u64>,
    },
    /// kill -9.
    Kill,
    /// Another process wants the journal while this one has it.
    SecondWriter,
    /// The process is stopped, loses its lock, and another takes the journal over.
    TakeOver,
    /// The one that was stopped runs on.
    Wake {
        /// Rounds that it gets.
        rounds: u8,
    },
}

impl Plan {
    /// The run of `seed`.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::of(seed);
        // `disk` is the mode that promises most.
        let durability = if random.chance(75) {
            Durability::Disk
        } else {
            Durability::Memory
        };
        let mut plan = Self {
            seed,
            durability,
            segment_bytes: random.pick(&[2_048, 4_096, 16_384]),
            batch: random.pick(&[1, 3, 16]),
            input_ring: random.pick(&[4, 16]),
            engine_ring: random.pick(&[4, 16]),
            event_ring: random.pick(&[16, 64, 256]),
            steps: Vec::new(),
        };
        // Some runs have no faults at all, some hardly anything else.
        let faults = random.pick(&[0, 2, 5, 12]);
        for _ in 0..STEPS_MIN + random.below(STEPS_MAX - STEPS_MIN) {
            let step = if random.chance(faults) {
                fault(&mut random)
            } else {
                business(&mut random)
            };
            plan.steps.push(step);
        }
        plan
    }
}

fn business(random: &mut Random) -> Step {
    let client = random.below(CLIENTS) as usize;
    match random.below(100) {
        0..40 => Step::Send {
            client,
            wish: wish(random),
        },
        40..43 => Step::Resend { client },
        43..49 => Step::Connect { client },
        49..50 => Step::Disconnect { client },
        50..51 => Step::NextDay,
        51..71 => Step::Poll {
            turn: random.pick(&TURNS),
        },
        71..92 => Step::Run {
            rounds: 1 + random.below(4) as u8,
        },
        _ => Step::Advance {
            ns: random.below(12_000_000),
        },
    }
}

fn wish(random: &mut Random) -> Wish {
    let (price, quantity) = (95 + random.below(11) as i64, 1 + random.below(20));
    match random.below(10) {
        0..7 => Wish::Enter {
            instrument: 1 + random.below(INSTRUMENTS) as u16,
            side: random.pick(&[Side::Buy, Side::Sell]),
            tif: random.pick(&[
                TimeInForce::Day,
                TimeInForce::Day,
                TimeInForce::GoodTillCancel,
                TimeInForce::ImmediateOrCancel,
                TimeInForce::FillOrKill,
            ]),
            price,
            quantity,
        },
        7 => Wish::Cancel { pick: random.next() },
        8 => Wish::Reduce {
            pick: random.next(),
            quantity: random.below(8),
        },
        _ => Wish::Replace {
            pick: random.next(),
            price,
            quantity,
        },
    }
}

fn fault(random: &mut Random) -> Step {
    let keep = random.chance(60).then(|| random.next());
    match random.below(100) {
        0..8 => Step::FailWrite { ahead: random.below(6) },
        8..16 => Step::ShortWrite {
            ahead: random.below(6),
            bytes: 1 + random.below(300) as usize,
        },
        16..23 => Step::FailSync {
            ahead: random.below(5),
            for_good: random.chance(30),
        },
        23..34 => Step::SlowSync {
            rounds: 1 + random.below(4) as u8,
        },
        34..42 => Step::Full {
            spare: random.below(6_000),
        },
        42..50 => Step::Room,
        50..58 => Step::Stall {
            turn: random.pick(&[Turn::Door, Turn::Feed, Turn::Hash]),
            stalled: random.chance(50),
        },
        58..64 => Step::ClockBack {
            ns: random.below(1_000_000_000),
        },
        64..72 => Step::PowerLoss { keep },
        72..79 => Step::StopDisk {
            ahead: random.below(40),
            keep,
        },
        79..84 => Step::PowerLossInRecovery {
            ahead: random.below(30),
            keep,
        },
        84..90 => Step::Kill,
        90..92 => Step::SecondWriter,
        92..96 => Step::TakeOver,
        _ => Step::Wake {
            rounds: 1 + random.below(3) as u8,
        },
    }
}
