//! What is sent: the events of a flow, and the packets they come to.

use rialto_flow::{Flow, Shape};
use rialto_itch::Message;
use rialto_itch::mold::Packet;
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::{Command, Event, EventSink, Output, Sequenced};
use rialto_publisher::{Config, Publisher};

/// Events and what they come to.
pub(super) struct Course {
    /// From the venue's first command on.
    pub(super) outputs: Vec<Output>,
    /// As a publisher packs them that is never asked before a packet is full.
    pub(super) packets: Vec<Vec<u8>>,
    pub(super) messages: u64,
}

pub(super) struct Load {
    /// Orders that are added, cancelled, replaced and executed.
    pub(super) mixed: Course,
    /// Orders that are added: messages of one length.
    pub(super) uniform: Course,
    pub(super) decoded: Vec<Message>,
}

struct Sink<'a>(&'a Sequenced<Command>, &'a mut Vec<Output>);

impl EventSink for Sink<'_> {
    fn emit(&mut self, body: Event) {
        let Sequenced { seq, stamp, epoch, .. } = *self.0;
        let event = Sequenced {
            seq,
            stamp,
            epoch,
            body,
        };
        self.1.push(Output { event, last: false });
    }
}

impl Load {
    pub(super) fn new(messages: usize, seed: u64) -> Self {
        let flow = Flow::new(Shape::Base, messages, seed);
        let mut engine = Engine::new(Limits::default());
        let mut outputs = Vec::with_capacity(2 * messages);
        for command in flow.prelude.iter().chain(&flow.commands) {
            engine.apply(command, &mut Sink(command, &mut outputs));
            if let Some(output) = outputs.last_mut() {
                output.last = true;
            }
        }
        // The day's beginning, and orders that rest: what is left out never was.
        let is_uniform = |output: &Output| match &output.event.body {
            Event::Accepted(accepted) => accepted.rests,
            Event::Released(_) | Event::DayStarted(_) | Event::InstrumentListed(_) => true,
            _ => output.event.seq.0 < 64 && output.last,
        };
        let mut uniform: Vec<Output> = outputs.iter().copied().filter(is_uniform).collect();
        uniform.iter_mut().for_each(|output| output.last = true);
        let mixed = Course::new(outputs);
        let decoded = mixed.packets.iter().filter_map(|packet| Packet::parse(packet).ok());
        let decoded = decoded
            .flat_map(|packet| {
                packet
                    .blocks()
                    .filter_map(|(_, bytes)| Message::decode(bytes).ok())
                    .collect::<Vec<_>>()
            })
            .collect();
        Self {
            mixed,
            uniform: Course::new(uniform),
            decoded,
        }
    }
}

impl Course {
    fn new(outputs: Vec<Output>) -> Self {
        let mut packets = Vec::new();
        let mut packet = Vec::new();
        let mut messages = 0;
        if let Ok(mut publisher) = Publisher::new(Config::default()) {
            for output in &outputs {
                publisher.follow(output);
                while let Some(count) = publisher.poll_packet(false, &mut packet) {
                    messages += u64::from(count);
                    packets.push(packet.clone());
                }
            }
        }
        Self {
            outputs,
            packets,
            messages,
        }
    }
}

/// The machine's CPU time since it was started: stolen, and all of it.
pub(super) fn machine() -> Option<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let numbers: Vec<u64> = stat
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .filter_map(|one| one.parse().ok())
        .collect();
    Some((*numbers.get(7)?, numbers.iter().take(8).sum()))
}

pub(super) fn steal((stolen, all): (u64, u64), (stolen_after, all_after): (u64, u64)) -> f64 {
    crate::bench::timing::rounded((stolen_after - stolen) as f64 / (all_after - all).max(1) as f64)
}
