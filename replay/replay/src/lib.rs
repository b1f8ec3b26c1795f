//! Journal to engine to hashes, under any thread layout: one set of hashes, whatever the layout.
//!
//! The stages are the exchange's own; only the source differs. What stands in a journal is safe, so the gate is open.
#![forbid(unsafe_code)]

mod feeder;
mod source;

use feeder::{Feed, Feeder, OpenGate, Rebuild};
use rialto_engine::{Applier, EngineStage, HashStage, Hashes};
use rialto_matching::{EngineState, Matching};
use rialto_ring::broadcast::broadcast;
use rialto_ring::layout::Cores;
use rialto_ring::spsc::RingBuffer;
use rialto_ring::{Idle, Layout, Stop, run};
pub use source::Source;

/// Commands between source and engine at most where they are on two threads; a full ring makes the source wait.
const COMMANDS: usize = 2_048;
/// Events between engine and hash at most, where they are on one thread: few, so that they stay in its cache.
const EVENTS: usize = 1_024;
/// As [`EVENTS`], on two threads; a full ring makes the engine wait.
const EVENTS_APART: usize = 16_384;

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

/// Applies the commands of `source` to `engine` until they end, and hashes every event.
///
/// # Errors
/// The source's first error. What came before it was applied and is dropped.
pub fn replay<M, S>(engine: M, source: S, layout: Layout) -> Result<Replayed, S::Error>
where
    M: Matching + Send,
    S: Source,
{
    let layout = layout.resolve(Cores::read().count());
    let hashes_apart = layout == Layout::PerCore;
    let (events, gate, mut readers) = broadcast(if hashes_apart { EVENTS_APART } else { EVENTS }, 1);
    let reader = readers.pop().expect("one reader was asked for");
    let (feed, mut gate) = (Feed::new(source), OpenGate(gate));
    let mut hash = HashStage::new(reader, Hashes::default());

    // Every thread is asked to drain before it starts where its input is already complete, and when the thread before it
    // has ended otherwise.
    let ended = Stop::new();
    ended.drain();
    let (feed, state) = if layout == Layout::One {
        let mut rebuild = Rebuild {
            feed,
            applier: Applier::new(engine, events),
        };
        run(&mut [&mut rebuild, &mut gate, &mut hash], Idle::Yield, &ended);
        (rebuild.feed, rebuild.applier.engine().export())
    } else {
        let (engine_stop, hash_stop) = (Stop::new(), Stop::new());
        let (command_in, command_out) = RingBuffer::new(COMMANDS);
        let mut feeder = Feeder {
            feed,
            engine: command_in,
        };
        let mut engine = EngineStage::new(engine, command_out, events);
        std::thread::scope(|scope| {
            let (engine, gate, hash) = (&mut engine, &mut gate, &mut hash);
            let matcher = if hashes_apart {
                scope.spawn(|| run(&mut [hash], Idle::Yield, &hash_stop));
                scope.spawn(|| run(&mut [engine, gate], Idle::Yield, &engine_stop))
            } else {
                scope.spawn(|| run(&mut [engine, gate, hash], Idle::Yield, &engine_stop))
            };
            run(&mut [&mut feeder], Idle::Yield, &ended);
            engine_stop.drain();
            let _ = matcher.join();
            hash_stop.drain();
        });
        (feeder.feed, engine.engine().export())
    };
    Ok(Replayed {
        commands: feed.finish()?,
        state,
        hashes: hash.into_hashes(),
    })
}
