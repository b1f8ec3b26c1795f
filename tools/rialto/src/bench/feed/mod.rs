//! `rialto bench feed`: what does it cost to tell the market, beside what the machine allows?
//!
//! The load is a flow of `rialto-flow` through an engine, its events made ahead of time. Measured are the encoding of a message;
//! the feed stage from its ring to the lines beside bare sends of the same packets, in turn; a further subscriber's socket; and
//! the CPU time of the QUIC thread for so many subscribers. All times are CPU time of the thread that works. Everything is on
//! loopback, a send does the receiver's part of the kernel's work too, and the receivers' reading is outside of every figure.

mod crowd;
pub(super) mod isolation;
mod lines;
mod load;

use self::crowd::{Growth, Paced, Told};
use self::lines::{Further, Sent};
use crate::out;
use anyhow::Result;
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Messages to send on the lines in each measurement
    #[arg(long, value_name = "N", default_value_t = 400_000, value_parser = clap::value_parser!(u64).range(20_000..=20_000_000))]
    messages: u64,
    /// Numbers of QUIC subscribers, with commas between; none for 0
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 8, 64, 256])]
    subscribers: Vec<usize>,
    /// The seed of the flow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    messages: u64,
    seed: u64,
    /// A message into its bytes, CPU time; goal 8.
    encode_ns: f64,
    /// An event into a numbered message, kept, and packed; CPU time a message.
    publish_ns: f64,
    /// The stage from its ring to lines A and B, a packet a call.
    messages_per_second: u64,
    /// The same packets, sent bare on both lines.
    raw_messages_per_second: u64,
    /// Median over pairs; goal 0.8.
    ratio: f64,
    plain: Sent,
    /// The same with line A alone.
    plain_one_line: Sent,
    segmented: Option<Segmented>,
    /// A packet to one more socket on this host.
    further_subscriber_ns_per_packet: f64,
    further: Vec<Further>,
    quic: Vec<Told>,
    conflated_by_rate: Vec<Paced>,
    /// Goal: the cost grows with the keys told, not with the messages.
    conflated_growth: Vec<Growth>,
    /// Of the machine's CPU time, what others took while this ran.
    steal: Option<f64>,
    inconclusive: bool,
}

/// By `UDP_SEGMENT`; null where the kernel has none. Only packets of one length leave together, on both sides.
#[derive(Debug, Serialize)]
struct Segmented {
    /// Goal 0.6.
    ratio: f64,
    /// Packets of a flow differ in length.
    mixed: Sent,
    /// The same where all messages are of one length, and so are the packets.
    uniform: Sent,
}

/// Above it others had so much of the machine that times say little.
const STEAL_MAX: f64 = 0.1;

pub(crate) fn run(args: Args) -> Result<()> {
    let bar = out::progress(6, "steps: load, encode, lines, sockets, quic, rates", args.json);
    let before = load::machine();
    let load = load::Load::new(args.messages as usize, args.seed);
    bar.inc(1);
    let encode_ns = lines::encode(&load)?;
    let publish_ns = lines::publish(&load)?;
    bar.inc(1);
    let plain = lines::sends(&load.mixed, 2, false)?.unwrap_or_default();
    let plain_one_line = lines::sends(&load.mixed, 1, false)?.unwrap_or_default();
    let mixed = lines::sends(&load.mixed, 2, true)?;
    let segmented = mixed.zip(lines::sends(&load.uniform, 2, true)?);
    let segmented = segmented.map(|(mixed, uniform)| Segmented {
        ratio: mixed.ratio,
        mixed,
        uniform,
    });
    bar.inc(1);
    let further = lines::further(&load.mixed)?;
    bar.inc(1);
    let mut quic = Vec::new();
    for &subscribers in args.subscribers.iter().filter(|count| **count > 0) {
        for conflated in [false, true] {
            quic.push(crowd::told(&load.mixed, subscribers, conflated)?);
        }
    }
    bar.inc(1);
    let (mut conflated_by_rate, mut conflated_growth) = (Vec::new(), Vec::new());
    for trades in [false, true] {
        let mut paced = Vec::new();
        for messages_per_second in [1_000, 10_000, 100_000] {
            paced.push(crowd::paced(&load.mixed, messages_per_second, trades)?);
        }
        conflated_growth.extend(crowd::growth(&paced));
        conflated_by_rate.append(&mut paced);
    }
    bar.finish_and_clear();
    let steal = before
        .zip(load::machine())
        .map(|(before, after)| load::steal(before, after));
    let summary = Summary {
        messages: args.messages,
        seed: args.seed,
        encode_ns,
        publish_ns,
        messages_per_second: plain.messages_per_second,
        raw_messages_per_second: plain.raw_messages_per_second,
        ratio: plain.ratio,
        plain,
        plain_one_line,
        segmented,
        further_subscriber_ns_per_packet: lines::slope(&further),
        further,
        quic,
        conflated_by_rate,
        conflated_growth,
        steal,
        inconclusive: steal.is_some_and(|steal| steal > STEAL_MAX),
    };
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}
