//! The lines: encoding, publishing, and sending beside bare sends of the same packets.
//!
//! What is compared: the stage, from events in its ring to packets on its lines, with the day's memory, counters and the look for
//! re-requests; and a loop that sends packets made before, by the same calls on sockets of the same kind, to the same groups and
//! as many receivers. Both on this thread, turn by turn, in stretches of the same length with the receivers emptied in between.

use super::load::{Course, Load};
use crate::bench::timing::{cpu_time, rounded};
use anyhow::{Context as _, Result};
use quinn_udp::{Transmit, UdpSocketState};
use rialto_feed::{Config, FeedStage, multicast};
use rialto_publisher::Publisher;
use rialto_ring::broadcast::broadcast;
use rialto_ring::{Stage as _, SystemClock};
use serde::Serialize;
use std::hint::black_box;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

/// Pairs of measurements in turn.
const PAIRS: usize = 21;
/// Events in the ring at one time.
const RING: usize = 2_048;
/// Packets that come to about so many events. The receivers are emptied behind them, outside of the time that counts.
const DRAIN_EVERY: usize = 40;
/// The most bytes of one call, as the feed has it.
const CALL_BYTES_MAX: usize = 65_000;
/// Rounds of a CPU time, of which the median counts.
const ROUNDS: usize = 7;

/// What a way of sending reaches.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Sent {
    /// By the CPU time of the thread.
    pub(super) messages_per_second: u64,
    pub(super) raw_messages_per_second: u64,
    /// Median of pairs, and the least and the most.
    pub(super) ratio: f64,
    pub(super) ratio_min: f64,
    pub(super) ratio_max: f64,
    /// What the stage takes for a message beyond the sends.
    pub(super) stage_ns: f64,
    /// Messages in a packet of the stage's, and in one of those sent bare.
    pub(super) messages_per_packet: f64,
    pub(super) raw_messages_per_packet: f64,
    pub(super) packets_per_call: f64,
    pub(super) raw_packets_per_call: f64,
}

/// A packet to so many sockets.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Further {
    subscribers: usize,
    ns_per_packet: f64,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// CPU time of one message into its bytes.
pub(super) fn encode(load: &Load) -> Result<f64> {
    let mut buffer = [0; 64];
    let mut rounds = Vec::new();
    let piece = &load.decoded[..load.decoded.len().min(20_000)];
    for _ in 0..ROUNDS * 3 {
        let begun = cpu_time()?;
        for message in piece {
            let _ = black_box(message).encode(black_box(&mut buffer));
        }
        rounds.push((cpu_time()? - begun).as_nanos() as f64 / piece.len() as f64);
    }
    Ok(rounded(median(rounds)))
}

/// CPU time of a message from its event into its packet.
pub(super) fn publish(load: &Load) -> Result<f64> {
    let mut rounds = Vec::new();
    let mut packet = Vec::with_capacity(2_048);
    let outputs = &load.mixed.outputs;
    let chunk = outputs.len().div_ceil(ROUNDS).max(1);
    let mut publisher = Publisher::new(rialto_publisher::Config::default())?;
    let mut before = 0;
    for round in outputs.chunks(chunk) {
        let begun = cpu_time()?;
        for output in round {
            publisher.follow(output);
            while publisher.poll_packet(false, &mut packet).is_some() {
                black_box(&packet);
            }
        }
        let spent = cpu_time()? - begun;
        let messages = publisher.counters().messages - before;
        before += messages;
        if messages > 0 {
            rounds.push(spent.as_nanos() as f64 / messages as f64);
        }
    }
    Ok(rounded(median(rounds)))
}

/// Receivers whose reading is outside of every figure.
struct Receivers(Vec<UdpSocket>);

impl Receivers {
    fn join(groups: &[SocketAddrV4], count: usize) -> Result<Self> {
        let open = |group: &SocketAddrV4| {
            let socket = multicast::receiver(*group, Ipv4Addr::LOCALHOST)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let each = groups.iter().flat_map(|group| std::iter::repeat_n(group, count));
        let sockets: std::io::Result<Vec<UdpSocket>> = each.map(open).collect();
        Ok(Self(sockets.context("no receiver for the line")?))
    }

    fn drain(&self) {
        let mut buffer = [0; 2_048];
        for socket in &self.0 {
            loop {
                match socket.recv(&mut buffer) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        }
    }
}

/// A bare sender of both lines, or of one.
struct Bare {
    sockets: Vec<(UdpSocket, SocketAddr)>,
    /// Of the kernel that cuts segments, where it does and that is wanted.
    segments: Option<(UdpSocketState, usize)>,
}

/// What leaves by one call: packets end to end, how many, and at which length they are cut.
struct Call {
    bytes: Vec<u8>,
    packets: usize,
    length: usize,
}

impl Bare {
    fn open(groups: &[SocketAddrV4], segmented: bool) -> Result<Self> {
        let open = |group: &SocketAddrV4| {
            let socket = multicast::sender(*group, Ipv4Addr::LOCALHOST, 0)?;
            Ok((socket, SocketAddr::V4(*group)))
        };
        let sockets: std::io::Result<Vec<_>> = groups.iter().map(open).collect();
        let sockets = sockets.context("no sender for the line")?;
        let segments = match sockets.first().filter(|_| segmented) {
            Some((socket, _)) => {
                let state = UdpSocketState::new(socket.into())?;
                let most = state.max_gso_segments();
                Some((state, most))
            }
            None => None,
        };
        Ok(Self { sockets, segments })
    }

    /// The packets as they leave, made ahead of time: those of one length together and a shorter one behind them, or each alone.
    fn calls(&self, packets: &[Vec<u8>]) -> Vec<Call> {
        let most = self.segments.as_ref().map_or(1, |(_, most)| *most);
        let mut calls: Vec<Call> = Vec::new();
        let mut is_open = false;
        for packet in packets {
            let joined = calls.last_mut().filter(|call| {
                is_open
                    && packet.len() <= call.length
                    && call.packets < most
                    && call.bytes.len() + packet.len() <= CALL_BYTES_MAX
            });
            match joined {
                Some(call) => {
                    call.bytes.extend_from_slice(packet);
                    call.packets += 1;
                    is_open = packet.len() == call.length;
                }
                None => {
                    calls.push(Call {
                        bytes: packet.clone(),
                        packets: 1,
                        length: packet.len(),
                    });
                    is_open = true;
                }
            }
        }
        calls
    }

    /// Sends them, and says what CPU time it took.
    fn send(&self, calls: &[Call]) -> Result<Duration> {
        let begun = cpu_time()?;
        for call in calls {
            for (socket, group) in &self.sockets {
                match &self.segments {
                    None => {
                        let _ = socket.send(&call.bytes);
                    }
                    Some((state, _)) => {
                        let transmit = Transmit {
                            destination: *group,
                            ecn: None,
                            contents: &call.bytes,
                            segment_size: (call.packets > 1).then_some(call.length),
                            src_ip: None,
                        };
                        let _ = state.try_send(socket.into(), &transmit);
                    }
                }
            }
        }
        Ok(cpu_time()? - begun)
    }
}

/// The stage beside bare sends, in turn, on so many lines with a receiver each; `None` where the kernel cuts no segments.
pub(super) fn sends(course: &Course, lines: usize, segmented: bool) -> Result<Option<Sent>> {
    let config = Config {
        line_a: SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 41), 0),
        line_b: (lines > 1).then_some(SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 43), 0)),
        rerequest: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        segmented,
        ..Config::default()
    };
    let (mut ring, mut gate, mut readers) = broadcast(RING, 1);
    let reader = readers.pop().context("a reader was asked for")?;
    let mut stage = FeedStage::new(&config, reader, SystemClock::new())?;
    let groups: Vec<SocketAddrV4> = [Some(stage.line_a()), stage.line_b()].into_iter().flatten().collect();
    let receivers = Receivers::join(&groups, 1)?;
    let bare = Bare::open(&groups, segmented)?;
    if segmented && bare.segments.as_ref().is_none_or(|(_, most)| *most < 2) {
        return Ok(None);
    }
    let raw_messages_per_packet = course.messages as f64 / course.packets.len().max(1) as f64;
    let packets_per_round = course.packets.len() / PAIRS;
    let outputs_per_round = course.outputs.len() / PAIRS;
    let (mut ours, mut raws, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut raw_packets, mut raw_calls) = (0, 0);
    for pair in 0..PAIRS {
        let before = stage.counters().read();
        let mut spent = Duration::ZERO;
        let mut outputs = course.outputs[pair * outputs_per_round..][..outputs_per_round].chunks(RING);
        let mut raw_spent = Duration::ZERO;
        let mut packets = course.packets[pair * packets_per_round..][..packets_per_round].chunks(DRAIN_EVERY);
        loop {
            let (stretch, bare_stretch) = (outputs.next(), packets.next());
            if let Some(stretch) = stretch {
                for output in stretch {
                    // The ring is as large as what is written between two turns of the stage.
                    let _ = ring.write(*output);
                }
                spent += turn(&mut ring, &mut gate, &mut stage, stretch.len())?;
                receivers.drain();
            }
            if let Some(stretch) = bare_stretch {
                let calls = bare.calls(stretch);
                raw_spent += bare.send(&calls)?;
                receivers.drain();
                raw_packets += stretch.len();
                raw_calls += calls.len();
            }
            if stretch.is_none() && bare_stretch.is_none() {
                break;
            }
        }
        let messages = stage.counters().read().messages - before.messages;
        let our = messages as f64 / spent.as_secs_f64();
        let raw = packets_per_round as f64 * raw_messages_per_packet / raw_spent.as_secs_f64();
        ours.push(our);
        raws.push(raw);
        ratios.push(our / raw);
    }
    let counters = stage.counters().read();
    let (our, raw) = (median(ours), median(raws));
    let extreme = |most: fn(f64, f64) -> f64| ratios.iter().copied().reduce(most).unwrap_or_default();
    Ok(Some(Sent {
        messages_per_second: our as u64,
        raw_messages_per_second: raw as u64,
        ratio_min: rounded(extreme(f64::min)),
        ratio_max: rounded(extreme(f64::max)),
        ratio: rounded(median(ratios)),
        stage_ns: rounded(1e9 / our - 1e9 / raw),
        messages_per_packet: rounded(counters.messages as f64 / counters.packets.max(1) as f64),
        raw_messages_per_packet: rounded(raw_messages_per_packet),
        packets_per_call: rounded((counters.datagrams_a + counters.datagrams_b) as f64 / counters.calls.max(1) as f64),
        raw_packets_per_call: rounded(raw_packets as f64 / raw_calls.max(1) as f64),
    }))
}

/// Lets the stage follow what waits in the ring, and says what CPU time it took: a send on loopback does the receivers' part of the
/// kernel's work too, and what others take of a busy machine is not in it.
fn turn(
    ring: &mut rialto_ring::broadcast::Writer<rialto_model::Output>,
    gate: &mut rialto_ring::broadcast::Gate<rialto_model::Output>,
    stage: &mut FeedStage<SystemClock>,
    waiting: usize,
) -> Result<Duration> {
    ring.publish();
    gate.poll(waiting, |_| true);
    let begun = cpu_time()?;
    while stage.poll() > 0 {}
    Ok(cpu_time()? - begun)
}

/// A packet, sent bare, to 1 to 8 sockets.
pub(super) fn further(course: &Course) -> Result<Vec<Further>> {
    let mut found = Vec::new();
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let group = SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 42), port.local_addr()?.port());
    let bare = Bare::open(&[group], false)?;
    let count = course.packets.len().min(25 * DRAIN_EVERY);
    let calls = bare.calls(&course.packets[..count]);
    for subscribers in [1, 2, 4, 8] {
        let receivers = Receivers::join(&[group], subscribers)?;
        let round = |_| {
            let mut spent = Duration::ZERO;
            for stretch in calls.chunks(DRAIN_EVERY) {
                spent += bare.send(stretch)?;
                receivers.drain();
            }
            Ok(spent.as_nanos() as f64 / count.max(1) as f64)
        };
        found.push(Further {
            subscribers,
            ns_per_packet: rounded(median((0..ROUNDS).map(round).collect::<Result<_>>()?)),
        });
    }
    Ok(found)
}

/// What each further socket adds.
pub(super) fn slope(further: &[Further]) -> f64 {
    match (further.first(), further.last()) {
        (Some(first), Some(last)) if last.subscribers > first.subscribers => {
            rounded((last.ns_per_packet - first.ns_per_packet) / (last.subscribers - first.subscribers) as f64)
        }
        _ => 0.0,
    }
}
