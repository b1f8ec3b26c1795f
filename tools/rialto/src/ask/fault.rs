//! `rialto fault`: what is broken on purpose, as people say it.

use super::operate::instrument;
use anyhow::{Context as _, Result, bail, ensure};
use clap::builder::PossibleValuesParser;
use rialto_matching::EngineState;
use rialto_model::command::{AddFault, RemoveFault};
use rialto_model::fault::CHANCE_PARTS;
use rialto_model::{Command, FaultKind, InstrumentId, SessionId, Text};
use rialto_ring::FaultBoard;
use rialto_ring::faults::StandingFault;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A fault by the names that people use. What a kind has no use for is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wish {
    /// What to call it; one of each name stands at a time
    pub(crate) name: String,
    /// What is broken
    #[arg(value_parser = kinds())]
    pub(crate) kind: String,
    /// Of this session alone; without it of every one
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// The instrument that is halted
    #[arg(long)]
    pub(crate) symbol: Option<String>,
    /// The line that has gaps, a or b; without it both, each by itself
    #[arg(long)]
    pub(crate) line: Option<String>,
    /// How often, in parts of a million: 10000 is one in a hundred [default: always]
    #[arg(long, value_name = "PPM")]
    pub(crate) chance: Option<u32>,
    /// How late, how far, or how long held back, in microseconds
    #[arg(long, value_name = "US", default_value_t)]
    pub(crate) delay_us: u64,
    /// Up to how much later, in microseconds
    #[arg(long, value_name = "US", default_value_t)]
    pub(crate) jitter_us: u64,
    /// The clock steps back instead of ahead
    #[arg(long)]
    pub(crate) back: bool,
    /// What chance decides by
    #[arg(long, default_value_t)]
    pub(crate) seed: u64,
}

impl Wish {
    pub(super) fn command(&self, state: &EngineState) -> Result<Command> {
        let kind = FaultKind::ALL.iter().find(|kind| kind.word() == self.kind);
        let kinds = || {
            FaultKind::ALL
                .iter()
                .map(|kind| kind.word())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let kind = *kind.with_context(|| format!("no fault is called {:?}: there are {}", self.kind, kinds()))?;
        let by_chance = matches!(
            kind,
            FaultKind::Drop
                | FaultKind::Duplicate
                | FaultKind::Reorder
                | FaultKind::Disconnect
                | FaultKind::Reject
                | FaultKind::MulticastGap
        );
        ensure!(
            state.faults.iter().all(|one| text(one.definition.name) != self.name),
            "a fault is called {:?} already: give another name, or mend it first (see `rialto fault ls`)",
            self.name
        );
        let fault = AddFault {
            kind,
            seed: self.seed,
            session: match &self.session {
                None => SessionId(0),
                Some(name) => session(state, name)?,
            },
            instrument: match &self.symbol {
                None => InstrumentId(0),
                Some(symbol) => instrument(state, symbol)?.definition.instrument,
            },
            line: match self.line.as_deref() {
                None => 0,
                Some("a") => 1,
                Some("b") => 2,
                Some(other) => bail!("no line is called {other:?}: use a or b"),
            },
            chance: self.chance.unwrap_or(if by_chance { CHANCE_PARTS } else { 0 }),
            delay: self.delay_us.saturating_mul(1_000),
            jitter: self.jitter_us.saturating_mul(1_000),
            back: self.back,
            name: named(&self.name)?,
        };
        ensure!(
            fault.is_sound(),
            "a fault of kind {} takes {}, and nothing else",
            kind.word(),
            takes(kind)
        );
        Ok(fault.into())
    }
}

/// What is said with a fault of this kind.
const fn takes(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Latency => "--delay-us or --jitter-us or both, up to 60000000 each, and maybe --session",
        FaultKind::Drop | FaultKind::Duplicate | FaultKind::Disconnect | FaultKind::Reject => {
            "maybe --chance, 1 to 1000000, and --session"
        }
        FaultKind::Reorder => "--delay-us, 1 to 60000000, and maybe --chance, 1 to 1000000, and --session",
        FaultKind::MulticastGap => "maybe --chance, 1 to 1000000, and --line",
        FaultKind::SlowDisk => "--delay-us or --jitter-us or both, up to 60000000 each",
        FaultKind::StalledSubscriber => "maybe --session",
        FaultKind::HaltedSymbol => "--symbol",
        FaultKind::ClockStep => "--delay-us, 1 to 86400000000, and maybe --back",
    }
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(FaultKind::ALL.iter().map(|kind| kind.word()))
}

/// The command that mends a fault.
pub(super) fn remove(state: &EngineState, name: &str) -> Result<Command> {
    let there: Vec<String> = state.faults.iter().map(|one| text(one.definition.name)).collect();
    ensure!(
        there.iter().any(|one| one == name),
        "no fault is called {name:?}: there {}",
        if there.is_empty() {
            "is none".to_owned()
        } else {
            format!("are {}", there.join(", "))
        }
    );
    Ok(RemoveFault { name: named(name)? }.into())
}

fn named(name: &str) -> Result<Text> {
    let text = Text::new(name.as_bytes()).filter(|text| !text.is_empty());
    text.with_context(|| format!("{name:?} is no name of a fault: give one to 39 bytes"))
}

fn session(state: &EngineState, name: &str) -> Result<SessionId> {
    let mut sessions = state.sessions.iter().map(|one| &one.definition);
    let found = sessions.find(|one| one.name.as_bytes().eq_ignore_ascii_case(name.as_bytes()));
    found
        .map(|one| one.session)
        .with_context(|| format!("no session is called {name:?}: see `rialto at end member`"))
}

/// Puts what stands on the board of a running exchange.
pub(crate) fn show(board: &FaultBoard, state: &EngineState) {
    let faults = state.faults.iter().map(|one| one.definition);
    board.set(faults.map(|fault| (fault, session_name(state, fault.session))));
}

fn session_name(state: &EngineState, session: SessionId) -> Text {
    let found = state.sessions.iter().find(|one| one.definition.session == session);
    found.map_or(Text::EMPTY, |one| one.definition.name)
}

/// What stands, an object each; how often each has struck an edge of this process is known only where it runs.
pub(super) fn list(state: &EngineState, board: Option<&FaultBoard>) -> Vec<Value> {
    let struck = board.map(FaultBoard::read).unwrap_or_default();
    let lines = state.faults.iter().map(|one| {
        let fault = &one.definition;
        let listed = state
            .instruments
            .iter()
            .find(|one| one.definition.instrument == fault.instrument);
        let known = struck.iter().find(|other| other.fault == *fault);
        json!({
            "name": text(fault.name),
            "kind": fault.kind.word(),
            "session": Some(text(session_name(state, fault.session))).filter(|name| !name.is_empty()),
            "symbol": listed.map(|listed| listed.definition.symbol.to_string()),
            "line": match fault.line { 1 => Some("a"), 2 => Some("b"), _ => None },
            "chance": fault.chance,
            "delay_us": fault.delay / 1_000,
            "jitter_us": fault.jitter / 1_000,
            "back": fault.back,
            "seed": fault.seed,
            "struck": known.map(StandingFault::struck),
        })
    });
    lines.collect()
}

fn text(text: Text) -> String {
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}
