//! The tap: every message once and in order, whatever the room; what is lost is said; the stage waits for nobody.

mod common;

use common::{DAY, Script};
use rialto_feed::{Config, FeedStage};
use rialto_model::event::DayEnded;
use rialto_model::{Event, Output, TradingDay};
use rialto_publisher::{Tick, TickKind};
use rialto_ring::broadcast::broadcast;
use rialto_ring::spsc::{Consumer, RingBuffer};
use rialto_ring::{Stage, VirtualClock};

fn config() -> Config {
    let mut config = Config::default();
    config.line_a.set_port(0);
    config.line_b = None;
    config.rerequest.set_port(0);
    config
}

/// Lets the stage follow the outputs, and gives what the tap copied after each batch if `reads`.
fn play(room: usize, reads: bool, outputs: &[Output]) -> Vec<Tick> {
    let (mut writer, mut gate, mut readers) = broadcast(1 << 14, 1);
    let mut stage = FeedStage::new(&config(), readers.remove(0), VirtualClock::default()).unwrap();
    let (ring, mut taken): (_, Consumer<Tick>) = RingBuffer::new(room);
    stage.tap(ring);
    let mut ticks = Vec::new();
    for output in outputs {
        writer.write(*output).unwrap();
    }
    writer.publish();
    gate.poll(usize::MAX >> 1, |_| true);
    loop {
        let moved = stage.poll();
        while reads && let Ok(tick) = taken.pop() {
            ticks.push(tick);
        }
        if moved == 0 && stage.is_drained() {
            break;
        }
    }
    while let Ok(tick) = taken.pop() {
        ticks.push(tick);
    }
    ticks
}

fn days() -> Vec<Output> {
    let mut script = Script::default();
    let mut outputs = script.release();
    outputs.extend(script.start_of_day(DAY));
    outputs.extend(script.orders(3_000));
    outputs.extend(script.command(&[Event::DayEnded(DayEnded { day: DAY })]));
    outputs.extend(script.start_of_day(TradingDay(DAY.0 + 1)));
    outputs.extend(script.orders(10));
    outputs
}

#[test]
fn every_message_comes_once_and_in_order_through_a_small_ring() {
    for room in [4, 64, 8_192] {
        let ticks = play(room, true, &days());
        let (mut next, mut sessions, mut messages, mut gone) = (1, 0, 0, 0);
        for tick in &ticks {
            match tick.kind {
                TickKind::Session => (next, sessions) = (1, sessions + 1),
                TickKind::Message { last } => {
                    assert_eq!(tick.sequence, next);
                    // An order is a command of one message.
                    assert!(last || tick.bytes()[0] != b'A');
                    next += 1;
                    messages += 1;
                }
                TickKind::Ended => assert_eq!(tick.sequence, next),
                TickKind::Gone { count } => {
                    gone += count;
                    next += count;
                }
            }
        }
        assert_eq!(sessions, 2);
        assert_eq!(messages + gone, 3_027, "seven messages open a day and three end it");
        assert_eq!(gone > 0, room < 8_192, "{gone} with room for {room}");
    }
}

#[test]
fn nobody_reads_and_the_stage_goes_on() {
    let ticks = play(16, false, &days());
    assert_eq!(ticks.len(), 16);
    assert_eq!(ticks[0].kind, TickKind::Session);
}
