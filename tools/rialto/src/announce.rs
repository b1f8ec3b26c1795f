//! What an exchange says when it opens and when it has ended: for programs as JSON, for people as a table.

use crate::console::Console;
use crate::exchange::core::Ended;
use crate::exchange::{Addresses, Controls};
use crate::out;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The first line of `up --json` and `serve --json`.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    ready: bool,
    ouch: String,
    fix: String,
    /// What FIX clients name as TargetCompID.
    fix_comp_id: &'a str,
    mold_a: String,
    mold_b: Option<String>,
    rerequest: Option<String>,
    glimpse: Option<String>,
    quic: Option<String>,
    /// What QUIC clients know the server by.
    quic_cert: Option<&'a Path>,
    /// Where other processes follow the stream.
    follow: Option<String>,
    /// The key that they must have.
    follow_key: Option<&'a Path>,
    /// Where the console is.
    http: Option<String>,
    /// All HTTP gateways, that one first.
    gateways: Vec<String>,
    /// The console's address with the key that lets it trade.
    console: Option<String>,
    data: &'a Path,
    recovered: Option<&'a str>,
    /// The hash of this build's flag table.
    flags: String,
}

/// The last line.
#[derive(Debug, Serialize)]
struct Stopped {
    stopped: bool,
    last_seq: u64,
    state_hash: String,
    event_hash: String,
    events: u64,
    /// SoupBinTCP packets of every type that the OUCH door wrote.
    soup_packets_sent: u64,
    /// FIX messages that the FIX door wrote.
    fix_messages_sent: u64,
    /// MoldUDP64 packets on both lines, heartbeats included.
    mold_packets_sent: u64,
    data: PathBuf,
}

pub(crate) fn ready_json(controls: &Controls, console: Option<&Console>, data: &Path) {
    let Addresses {
        ouch,
        fix,
        fix_comp_id,
        feed,
        quic,
        glimpse,
        follow,
    } = &controls.addresses;
    out::json_line(&Ready {
        ready: true,
        ouch: ouch.to_string(),
        fix: fix.to_string(),
        fix_comp_id,
        mold_a: feed.line_a.to_string(),
        mold_b: feed.line_b.map(|line| line.to_string()),
        rerequest: feed.rerequest.map(|address| address.to_string()),
        glimpse: glimpse.map(|address| address.to_string()),
        quic: quic.as_ref().map(|quic| quic.address.to_string()),
        quic_cert: quic.as_ref().map(|quic| quic.certificate.as_path()),
        follow: follow.as_ref().map(|follow| follow.address.to_string()),
        follow_key: follow.as_ref().map(|follow| follow.key.as_path()),
        http: console.map(|console| console.address().to_string()),
        gateways: console.map(Console::gateways).unwrap_or_default(),
        console: console.map(Console::url),
        data,
        recovered: controls.recovered.as_deref(),
        flags: rialto_model::flags::table_hash().to_string(),
    });
}

/// A line a port, what speaks there, and where the data is.
pub(crate) fn ready_table(controls: &Controls, console: Option<&Console>, data: &Path) {
    let Addresses {
        ouch,
        fix,
        fix_comp_id,
        feed,
        quic,
        glimpse,
        follow,
    } = &controls.addresses;
    let none = || "-".to_owned();
    if let Some(console) = console {
        let url = console.url();
        out::say(format_args!("  console (a browser)     {}\n", out::bold(&url)));
    }
    out::say(format_args!("  OUCH 5.0 / SoupBinTCP   {ouch}"));
    out::say(format_args!(
        "  FIX 4.2, 4.4, 5.0 SP2   {fix} (TargetCompID {fix_comp_id})"
    ));
    out::say(format_args!("  ITCH 5.0 line A         {}", feed.line_a));
    out::say(format_args!(
        "  ITCH 5.0 line B         {}",
        feed.line_b.map_or_else(none, |line| line.to_string())
    ));
    out::say(format_args!(
        "  ITCH re-requests        {}",
        feed.rerequest.map_or_else(none, |at| at.to_string())
    ));
    if let Some(glimpse) = glimpse {
        out::say(format_args!("  GLIMPSE 5.0 snapshots   {glimpse}"));
    }
    if let Some(quic) = quic {
        out::say(format_args!("  market data over QUIC   {}", quic.address));
    }
    if let Some(follow) = follow {
        let (address, key) = (follow.address, follow.key.display());
        out::say(format_args!(
            "  the stream              {address} (rialto follow {address} --key {key})"
        ));
    }
    out::say(format_args!("  data                    {}", data.display()));
    if let Some(recovered) = &controls.recovered {
        out::say(format_args!("  {recovered}"));
    }
}

/// What was sent, as the stages counted it in the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) soup_packets: u64,
    pub(crate) fix_messages: u64,
    pub(crate) mold_packets: u64,
}

pub(crate) fn stopped(ended: &Ended, sent: Sent, data: &Path, json: bool) {
    let stopped = Stopped {
        stopped: true,
        last_seq: ended.last_seq.0,
        state_hash: ended.state_hash.to_string(),
        event_hash: ended.event_hash.to_string(),
        events: ended.events,
        soup_packets_sent: sent.soup_packets,
        fix_messages_sent: sent.fix_messages,
        mold_packets_sent: sent.mold_packets,
        data: data.to_owned(),
    };
    if json {
        out::json_line(&stopped);
    } else {
        out::say(format_args!(
            "stopped: the journal in {} is sealed at sequence number {}, state hash {}",
            data.display(),
            stopped.last_seq,
            stopped.state_hash
        ));
    }
}
