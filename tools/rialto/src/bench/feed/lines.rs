//! The lines: encoding, publishing, and sending beside bare sends of the same packets.

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
use std::time::{Duration, Instant};

/// Pairs of measurements in turn.
const PAIRS: usize = 7;
/// Events in the ring at one time.
const RING: usize = 2_048;
/// Packets that a receiver's buffer holds before it is emptied, outside of the time that counts.
const DRAIN_EVERY: usize = 512;
/// Rounds of a CPU time, of which the median counts.
const ROUNDS: usize = 7;

/// What a way of sending reaches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) messages_per_second: u64,
    pub(super) raw_messages_per_second: u64,
    pub(super) ratio: f64,
    pub(super) packets_per_call: f64,
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
    fn join(group: SocketAddrV4, count: usize) -> Result<Self> {
        let open = || {
            let socket = multicast::receiver(group, Ipv4Addr::LOCALHOST)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let sockets: std::io::Result<Vec<UdpSocket>> = (0..count).map(|_| open()).collect();
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

/// The stage beside bare sends, in turn; `None` where the kernel cuts no segments.
pub(super) fn sends(course: &Course, segmented: bool) -> Result<Option<Sent>> {
    let config = Config {
        line_a: SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 41), 0),
        line_b: None,
        rerequest: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        segmented,
        ..Config::default()
    };
    let (mut ring, mut gate, mut readers) = broadcast(RING, 1);
    let reader = readers.pop().context("a reader was asked for")?;
    let mut stage = FeedStage::new(&config, reader, SystemClock::new())?;
    let receivers = Receivers::join(stage.line_a(), 1)?;
    let bare = multicast::sender(stage.line_a(), Ipv4Addr::LOCALHOST, 0)?;
    let state = UdpSocketState::new((&bare).into())?;
    let most = if segmented { state.max_gso_segments() } else { 1 };
    if segmented && most < 2 {
        return Ok(None);
    }
    let group = SocketAddr::V4(stage.line_a());
    let messages_per_packet = course.messages as f64 / course.packets.len().max(1) as f64;
    let packets_per_round = course.packets.len() / PAIRS;
    let outputs_per_round = course.outputs.len() / PAIRS;
    let (mut ours, mut raws, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let before = stage.counters().read();
        let outputs = course
            .outputs
            .iter()
            .skip(pair * outputs_per_round)
            .take(outputs_per_round);
        let mut spent = Duration::ZERO;
        let mut waiting = 0;
        for output in outputs {
            // The ring is as large as what is written between two turns of the stage.
            let _ = ring.write(*output);
            waiting += 1;
            if waiting == RING {
                spent += turn(&mut ring, &mut gate, &mut stage, waiting);
                receivers.drain();
                waiting = 0;
            }
        }
        spent += turn(&mut ring, &mut gate, &mut stage, waiting);
        receivers.drain();
        let messages = stage.counters().read().messages - before.messages;
        let our = messages as f64 / spent.as_secs_f64();
        let raw_ns = raw(
            &bare,
            &state,
            group,
            course,
            pair * packets_per_round,
            packets_per_round,
            most,
            &receivers,
        );
        let raw = messages_per_packet * 1e9 / raw_ns;
        ours.push(our);
        raws.push(raw);
        ratios.push(our / raw);
    }
    let counters = stage.counters().read();
    Ok(Some(Sent {
        messages_per_second: median(ours) as u64,
        raw_messages_per_second: median(raws) as u64,
        ratio: rounded(median(ratios)),
        packets_per_call: rounded(counters.datagrams_a as f64 / counters.calls.max(1) as f64),
    }))
}

/// Lets the stage follow what waits in the ring, and says how long it took.
fn turn(
    ring: &mut rialto_ring::broadcast::Writer<rialto_model::Output>,
    gate: &mut rialto_ring::broadcast::Gate<rialto_model::Output>,
    stage: &mut FeedStage<SystemClock>,
    waiting: usize,
) -> Duration {
    ring.publish();
    gate.poll(waiting, |_| true);
    let begun = Instant::now();
    while stage.poll() > 0 {}
    begun.elapsed()
}

/// Nanoseconds of a packet sent bare: one a call, or as many as the kernel takes.
#[expect(clippy::too_many_arguments, reason = "one measurement and where it is taken")]
fn raw(
    socket: &UdpSocket,
    state: &UdpSocketState,
    group: SocketAddr,
    course: &Course,
    from: usize,
    count: usize,
    most: usize,
    receivers: &Receivers,
) -> f64 {
    let mut spent = Duration::ZERO;
    let mut sent = 0;
    let full = vec![0; 1_400];
    let most = most.min(65_000 / full.len());
    let together = full.repeat(most);
    for chunk in course.packets[from..from + count].chunks(DRAIN_EVERY) {
        let begun = Instant::now();
        if most == 1 {
            for packet in chunk {
                let _ = socket.send(packet);
            }
            sent += chunk.len();
        } else {
            for _ in 0..chunk.len().div_ceil(most) {
                let transmit = Transmit {
                    destination: group,
                    ecn: None,
                    contents: &together,
                    segment_size: Some(full.len()),
                    src_ip: None,
                };
                let _ = state.try_send(socket.into(), &transmit);
                sent += most;
            }
        }
        spent += begun.elapsed();
        receivers.drain();
    }
    spent.as_nanos() as f64 / sent.max(1) as f64
}

/// A packet, sent bare, to 1 to 8 sockets.
pub(super) fn further(course: &Course) -> Result<Vec<Further>> {
    let mut found = Vec::new();
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let group = SocketAddrV4::new(Ipv4Addr::new(239, 255, 82, 42), port.local_addr()?.port());
    let socket = multicast::sender(group, Ipv4Addr::LOCALHOST, 0)?;
    let state = UdpSocketState::new((&socket).into())?;
    let count = course.packets.len().min(2 * DRAIN_EVERY);
    for subscribers in [1, 2, 4, 8] {
        let receivers = Receivers::join(group, subscribers)?;
        let rounds = (0..ROUNDS).map(|_| raw(&socket, &state, SocketAddr::V4(group), course, 0, count, 1, &receivers));
        found.push(Further {
            subscribers,
            ns_per_packet: rounded(median(rounds.collect())),
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
