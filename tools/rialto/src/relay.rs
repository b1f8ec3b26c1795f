//! `rialto relay`: a bad network between two ends, from a seed.
//!
//! UDP: what comes in at `--listen` (a port, or a multicast group that is joined) goes to `--to`; what comes back from there
//! goes to who sent last. TCP: each connection is carried on to `--to`, and what the network may do to a stream is delay it,
//! change bytes in it, and hold it while parted: TCP itself mends loss.

use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result, ensure};
use rialto_feed::multicast;
use rialto_relay::{Copy, Counters, Faults, PARTS, Relay};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Packets or pieces under way at most; what comes beyond is lost, and counted so.
const UNDER_WAY_MAX: usize = 65_536;
/// TCP connections at one time; another one waits.
const CONNECTIONS_MAX: usize = 64;
const IDLE: Duration = Duration::from_micros(200);
const DATAGRAM_MAX: usize = 65_536;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is carried: udp or tcp
    #[arg(long, default_value = "udp", value_parser = ["udp", "tcp"])]
    protocol: String,
    /// Where it comes in; a multicast group is joined, port 0 lets the system choose
    #[arg(long, value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// Where it goes to; may be a multicast group
    #[arg(long, value_name = "HOST:PORT")]
    to: SocketAddr,
    /// The interface of multicast groups, by its address
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST)]
    interface: Ipv4Addr,
    /// What happens is a function of this and of what comes when
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Packets lost, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    loss: f64,
    /// Packets that begin a burst of loss, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    burst: f64,
    /// Packets lost in a burst
    #[arg(long, value_name = "N", default_value_t = 10)]
    burst_packets: u32,
    /// Packets that come twice, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    duplicate: f64,
    /// Packets held back for later ones to overtake them, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    reorder: f64,
    /// For how long at most, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 50)]
    reorder_ms: u64,
    /// What everything is delayed by, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay_ms: u64,
    /// And at most so much more
    #[arg(long, value_name = "MS", default_value_t = 0)]
    jitter_ms: u64,
    /// Packets with a byte changed, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    corrupt: f64,
    /// Nothing comes through for so long at the end of each period, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    partition_ms: u64,
    /// The period, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    partition_every_ms: u64,
    /// Stop after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Print one JSON object when it is open and one at the end
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    listen: String,
    to: String,
    seed: u64,
}

#[derive(Debug, Serialize)]
struct Summary {
    summary: bool,
    seed: u64,
    packets: u64,
    passed: u64,
    lost: u64,
    lost_in_bursts: u64,
    parted: u64,
    duplicated: u64,
    reordered: u64,
    corrupted: u64,
    /// Packets that found no room, and those that the system did not take.
    dropped: u64,
    send_errors: u64,
    returned: u64,
}

impl Args {
    fn faults(&self) -> Result<Faults> {
        let ppm = |name: &str, percent: f64| {
            ensure!(
                (0.0..=100.0).contains(&percent),
                "--{name} is {percent} percent: give 0 to 100"
            );
            Ok((percent * f64::from(PARTS) / 100.0).round() as u32)
        };
        let ns = |ms: u64| ms.saturating_mul(1_000_000);
        Ok(Faults {
            loss_ppm: ppm("loss", self.loss)?,
            burst_ppm: ppm("burst", self.burst)?,
            burst_packets: self.burst_packets,
            duplicate_ppm: ppm("duplicate", self.duplicate)?,
            reorder_ppm: ppm("reorder", self.reorder)?,
            reorder_ns_max: ns(self.reorder_ms),
            delay_ns: ns(self.delay_ms),
            jitter_ns_max: ns(self.jitter_ms),
            corrupt_ppm: ppm("corrupt", self.corrupt)?,
            partition_ns: ns(self.partition_ms),
            partition_period_ns: if self.partition_ms == 0 {
                0
            } else {
                ns(self.partition_every_ms)
            },
        })
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let relay = Relay::new(args.faults()?, args.seed)?;
    let begun = Instant::now();
    let is_over = || {
        let late = args
            .seconds
            .is_some_and(|seconds| begun.elapsed() >= Duration::from_secs(seconds));
        interrupt.is_set() || out::is_closed() || late
    };
    let ready = |listen: SocketAddr| {
        let ready = Ready {
            ready: true,
            listen: listen.to_string(),
            to: args.to.to_string(),
            seed: args.seed,
        };
        if args.json {
            out::json_line(&ready);
        } else {
            out::say(format_args!("{} -> {}, seed {}", ready.listen, ready.to, ready.seed));
        }
    };
    let done = if args.protocol == "tcp" {
        tcp(args, relay, ready, is_over)?
    } else {
        udp(args, relay, ready, is_over)?
    };
    let Counters {
        packets,
        passed,
        lost,
        lost_in_bursts,
        parted,
        duplicated,
        reordered,
        corrupted,
    } = done.counters;
    let summary = Summary {
        summary: true,
        seed: args.seed,
        packets,
        passed,
        lost,
        lost_in_bursts,
        parted,
        duplicated,
        reordered,
        corrupted,
        dropped: done.dropped,
        send_errors: done.send_errors,
        returned: done.returned,
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Done {
    counters: Counters,
    dropped: u64,
    send_errors: u64,
    returned: u64,
}

/// Packets by when they are due; those due at once in the order they came.
#[derive(Default)]
struct UnderWay {
    queue: BTreeMap<(u64, u64), Vec<u8>>,
    next: u64,
    dropped: u64,
}

impl UnderWay {
    fn put(&mut self, due_ns: u64, copy: Copy, packet: &[u8]) {
        if self.queue.len() >= UNDER_WAY_MAX {
            self.dropped += 1;
            return;
        }
        let mut packet = packet.to_vec();
        if let Some((place, bits)) = copy.corrupt
            && let Some(byte) = packet.get_mut(place)
        {
            *byte ^= bits;
        }
        self.next += 1;
        self.queue.insert((due_ns, self.next), packet);
    }

    fn due(&mut self, now_ns: u64) -> Option<Vec<u8>> {
        let first = self.queue.first_entry().filter(|entry| entry.key().0 <= now_ns)?;
        Some(first.remove())
    }
}

fn udp(args: &Args, mut relay: Relay, ready: impl Fn(SocketAddr), is_over: impl Fn() -> bool) -> Result<Done> {
    let inbound = match args.listen {
        SocketAddr::V4(group) if group.ip().is_multicast() => multicast::receiver(group, args.interface)
            .with_context(|| format!("cannot join {group} on {}", args.interface))?,
        listen => UdpSocket::bind(listen).with_context(|| format!("cannot listen at {listen}"))?,
    };
    inbound.set_nonblocking(true)?;
    let outbound = match args.to {
        SocketAddr::V4(group) if group.ip().is_multicast() => {
            multicast::sender(group, args.interface, 0).with_context(|| format!("cannot send to {group}"))?
        }
        to => {
            let any: IpAddr = if to.is_ipv4() {
                Ipv4Addr::UNSPECIFIED.into()
            } else {
                std::net::Ipv6Addr::UNSPECIFIED.into()
            };
            let socket = UdpSocket::bind((any, 0))?;
            socket
                .connect(to)
                .with_context(|| format!("{to} cannot be reached from here"))?;
            socket
        }
    };
    outbound.set_nonblocking(true)?;
    ready(inbound.local_addr()?);
    let begun = Instant::now();
    let (mut there, mut back) = (UnderWay::default(), UnderWay::default());
    let mut done = Done::default();
    let mut asker: Option<SocketAddr> = None;
    let mut buffer = vec![0; DATAGRAM_MAX];
    while !is_over() {
        let now_ns = begun.elapsed().as_nanos() as u64;
        let mut moved = 0;
        while moved < 256
            && let Ok((length, from)) = inbound.recv_from(&mut buffer)
        {
            moved += 1;
            asker = Some(from);
            let packet = buffer.get(..length).unwrap_or_default();
            for copy in relay.decide(now_ns, length).copies() {
                there.put(now_ns + copy.delay_ns, copy, packet);
            }
        }
        while moved < 512
            && let Ok(length) = outbound.recv(&mut buffer)
        {
            moved += 1;
            let packet = buffer.get(..length).unwrap_or_default();
            for copy in relay.decide(now_ns, length).copies() {
                back.put(now_ns + copy.delay_ns, copy, packet);
            }
        }
        while let Some(packet) = there.due(now_ns) {
            moved += 1;
            done.send_errors += u64::from(outbound.send(&packet).is_err());
        }
        while let Some(packet) = back.due(now_ns) {
            moved += 1;
            if let Some(asker) = asker {
                done.returned += 1;
                done.send_errors += u64::from(inbound.send_to(&packet, asker).is_err());
            }
        }
        if moved == 0 {
            std::thread::sleep(IDLE);
        }
    }
    done.counters = *relay.counters();
    done.dropped = there.dropped + back.dropped;
    Ok(done)
}

/// One connection, both ways.
struct Pair {
    ends: [TcpStream; 2],
    under_way: [UnderWay; 2],
    /// What a way last had due: a stream keeps its order.
    last_due_ns: [u64; 2],
    /// Bytes that an end has not taken yet.
    left: [Vec<u8>; 2],
    over: bool,
}

fn tcp(args: &Args, mut relay: Relay, ready: impl Fn(SocketAddr), is_over: impl Fn() -> bool) -> Result<Done> {
    let listener = TcpListener::bind(args.listen).with_context(|| format!("cannot listen at {}", args.listen))?;
    listener.set_nonblocking(true)?;
    ready(listener.local_addr()?);
    let begun = Instant::now();
    let mut pairs: Vec<Pair> = Vec::new();
    while !is_over() {
        let now_ns = begun.elapsed().as_nanos() as u64;
        let mut moved = 0;
        if pairs.len() < CONNECTIONS_MAX
            && let Ok((near, _)) = listener.accept()
            && let Ok(far) = TcpStream::connect(args.to)
        {
            let ends = [near, far];
            for end in &ends {
                end.set_nonblocking(true)?;
                end.set_nodelay(true)?;
            }
            pairs.push(Pair {
                ends,
                under_way: Default::default(),
                last_due_ns: [0; 2],
                left: Default::default(),
                over: false,
            });
        }
        for pair in &mut pairs {
            moved += pair.carry(&mut relay, now_ns);
        }
        pairs.retain(|pair| !pair.over);
        if moved == 0 {
            std::thread::sleep(IDLE);
        }
    }
    Ok(Done {
        counters: *relay.counters(),
        ..Done::default()
    })
}

impl Pair {
    fn carry(&mut self, relay: &mut Relay, now_ns: u64) -> usize {
        let mut moved = 0;
        let mut buffer = [0; 4_096];
        for from in 0..2 {
            let to = 1 - from;
            let room = self.under_way[from].queue.len() < 1_024;
            match if room {
                self.ends[from].read(&mut buffer)
            } else {
                Err(ErrorKind::WouldBlock.into())
            } {
                Ok(0) => self.over |= self.under_way[from].queue.is_empty() && self.left[to].is_empty(),
                Ok(length) => {
                    moved += 1;
                    let bytes = buffer.get(..length).unwrap_or_default();
                    // A stream loses nothing: what would be lost comes late.
                    let late = Copy {
                        delay_ns: 200_000_000,
                        corrupt: None,
                    };
                    let copy = relay.decide(now_ns, length).copies().next().unwrap_or(late);
                    let due_ns = self.last_due_ns[from].max(now_ns + copy.delay_ns);
                    self.last_due_ns[from] = due_ns;
                    self.under_way[from].put(due_ns, copy, bytes);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => self.over = true,
            }
            while self.left[to].is_empty()
                && let Some(bytes) = self.under_way[from].due(now_ns)
            {
                self.left[to] = bytes;
                moved += self.push(to);
            }
            if !self.left[to].is_empty() {
                moved += self.push(to);
            }
        }
        moved
    }

    fn push(&mut self, to: usize) -> usize {
        match self.ends[to].write(&self.left[to]) {
            Ok(count) => {
                self.left[to].drain(..count);
                count
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Err(_) => {
                self.over = true;
                0
            }
        }
    }
}
