//! A recorded day in the development exchange, which trades with whoever is there.

use super::{Args, demo};
use crate::config::{Config, FirmConfig, InstrumentConfig, PortsConfig, SessionConfig};
use crate::out;
use crate::play::{Assumption, Day, Meeting, Speed, Summary, is_itch, symbols_of};
use anyhow::{Result, bail};
use crossbeam_channel::{Receiver, bounded};
use rialto_model::Offers;
use rialto_ring::Stop;
use rust_decimal::Decimal;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;

/// The day's own session.
const SESSION: &str = "tape";
/// Levels of the order book file: of which only the number of rows matters here.
const LEVELS: usize = 10;
/// Trades that may wait to be told; beyond, the day waits for whoever tells them.
const MEETINGS_MAX: usize = 1_024;

/// The day that was asked for.
pub(super) fn recorded(tape: &Path, args: &Args) -> Result<Day> {
    if args.speed == Speed::Step {
        bail!("the exchange has no standard input to step by: use rialto play --speed step beside it");
    }
    let symbols = symbols_of(tape, args.book.as_deref(), &args.day_symbol)?;
    Ok(Day {
        tape: tape.to_owned(),
        book: args.book.clone(),
        levels: LEVELS,
        speed: args.speed,
        policy: args.policy,
        rows: None,
        ouch: SocketAddr::from(([127, 0, 0, 1], 0)),
        user: SESSION.to_owned(),
        password: demo::PASSWORD.to_owned(),
        symbols,
    })
}

/// Gives the day its instruments and its session.
pub(super) fn invite(day: &Day, config: &mut Config) -> Result<()> {
    for symbol in &day.symbols {
        if config.instruments.iter().all(|one| one.symbol != *symbol) {
            let mut instrument = InstrumentConfig::new(symbol);
            if is_itch(&day.tape)? {
                // Any price that ITCH can say.
                instrument.tick = Decimal::new(1, 4);
            }
            config.instruments.push(instrument);
        }
    }
    if day.policy == Assumption::Tape {
        for instrument in config
            .instruments
            .iter_mut()
            .filter(|one| day.symbols.contains(&one.symbol))
        {
            instrument.rulebook = Some(rules_that_keep_apart());
        }
    }
    config.firms.push(FirmConfig {
        name: "The recorded day".to_owned(),
        mpid: "TAPE".to_owned(),
        market_data: Vec::new(),
        ports: PortsConfig::default(),
        sessions: vec![SessionConfig::new(SESSION.to_owned(), "ouch", false)],
    });
    Ok(())
}

/// Everything is offered, and orders of a group are kept apart from all others.
fn rules_that_keep_apart() -> serde_json::Value {
    let offers: Vec<_> = Offers::NAMES.iter().map(|(name, _)| *name).collect();
    serde_json::json!({ "offers": offers, "self_trade": "Apart" })
}

/// Somebody who plays it.
pub(super) struct Player {
    meetings: Receiver<Meeting>,
    thread: JoinHandle<Result<Summary>>,
}

/// Plays the day on a thread of its own until its end or until `stop` is set.
pub(super) fn begin(day: Day, ouch: SocketAddr, stop: Stop) -> Player {
    let (sender, meetings) = bounded(MEETINGS_MAX);
    let day = Day { ouch, ..day };
    let body = move || {
        day.play(true, &|| stop.is_set(), &mut |meeting| {
            // Where nobody listens any more the exchange is on its way out.
            let _ = sender.send(meeting.clone());
        })
    };
    let thread = std::thread::Builder::new()
        .name("recorded day".to_owned())
        .spawn(body)
        .expect("the system refuses one more thread: raise its limit on threads");
    Player { meetings, thread }
}

impl Player {
    /// Tells of the trades since the last time.
    pub(super) fn hear(&mut self, json: bool, say: &mut dyn FnMut(String)) {
        for meeting in self.meetings.try_iter() {
            if json {
                out::json_line(&meeting);
            } else {
                say(meeting.to_string());
            }
        }
    }

    /// Waits for its end, and tells what the day came to.
    pub(super) fn end(mut self, json: bool, say: &mut dyn FnMut(String)) {
        while !self.thread.is_finished() {
            self.hear(json, say);
            std::thread::sleep(super::LOOK);
        }
        self.hear(json, say);
        match self.thread.join() {
            Ok(Ok(summary)) if json => out::json_line(&summary),
            Ok(Ok(summary)) => say(out::pairs(&summary).to_string()),
            Ok(Err(error)) => say(format!("the recorded day broke off: {error:#}")),
            Err(_) => say("the recorded day broke off".to_owned()),
        }
    }
}
