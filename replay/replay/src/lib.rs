//! Journal to engine to hashes, under any thread layout: one set of hashes, whatever the layout.
//!
//! The stages are the exchange's own; only the source differs. What stands in a journal is safe, so the gate is open.
#![forbid(unsafe_code)]

mod feeder;

use feeder::{Feeder, OpenGate};
use rialto_engine::{EngineStage, HashStage, Hashes};
use rialto_matching::{EngineState, Matching};
use rialto_model::{Command, Sequenced};
use rialto_ring::broadcast::broadcast;
use rialto_ring::layout::Cores;
use rialto_ring::spsc::RingBuffer;
use rialto_ring::{Idle, Layout, Stop, run};

/// Commands between source and engine at most; a full ring makes the source wait.
const COMMANDS: usize = 4_096;
/// Events between engine and hash at most; a full ring makes the engine wait.
const EVENTS: usize = 16_384;

/// What a replay came to.
#[derive(Debug)]
pub struct Replayed {
    /// The engine's canonical state at the end.
    pub state: EngineState,
    /// The hashes and the count of the events.
    pub hashes: Hashes,
    /// How many commands were applied.
    pub commands: u64,
}

/// Applies `commands` to `engine` until they end, and hashes every event.
///
/// # Errors
/// The source's first error. What came before it was applied and is dropped.
pub fn replay<M, E>(
    engine: M,
    commands: impl Iterator<Item = Result<Sequenced<Command>, E>> + Send,
    layout: Layout,
) -> Result<Replayed, E>
where
    M: Matching + Send,
    E: Send,
{
    let (command_in, command_out) = RingBuffer::new(COMMANDS);
    let (event_in, gate, mut readers) = broadcast(EVENTS, 1);
    let reader = readers.pop().expect("one reader was asked for");
    let mut feeder = Feeder::new(commands, command_in);
    let mut engine = EngineStage::new(engine, command_out, event_in);
    let mut gate = OpenGate(gate);
    let mut hash = HashStage::new(reader, Hashes::default());

    // Every thread is asked to drain before it starts where its input is already complete, and when the thread before it
    // has ended otherwise.
    let ended = Stop::new();
    ended.drain();
    let (engine_stop, hash_stop) = (Stop::new(), Stop::new());
    std::thread::scope(|scope| match layout.resolve(Cores::read().count()) {
        Layout::One | Layout::Auto => {
            run(
                &mut [&mut feeder, &mut engine, &mut gate, &mut hash],
                Idle::Yield,
                &ended,
            );
        }
        Layout::Two => {
            scope.spawn(|| run(&mut [&mut hash], Idle::Yield, &hash_stop));
            run(&mut [&mut feeder, &mut engine, &mut gate], Idle::Yield, &ended);
            hash_stop.drain();
        }
        Layout::PerCore => {
            let matcher = scope.spawn(|| run(&mut [&mut engine, &mut gate], Idle::Yield, &engine_stop));
            scope.spawn(|| run(&mut [&mut hash], Idle::Yield, &hash_stop));
            run(&mut [&mut feeder], Idle::Yield, &ended);
            engine_stop.drain();
            let _ = matcher.join();
            hash_stop.drain();
        }
    });

    let commands = feeder.finish()?;
    Ok(Replayed {
        state: engine.engine().export(),
        hashes: hash.into_hashes(),
        commands,
    })
}
