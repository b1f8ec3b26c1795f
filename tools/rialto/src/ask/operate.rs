//! What the venue's operator may do while the exchange runs: commands of the venue's own, in the stream like any other.
//!
//! An [`Act`] names instruments and firms as people do; [`Act::command`] finds their numbers in the state, and refuses what
//! is for members, sessions or the day's clock to say.

use super::fault::{self, Wish};
use super::flags::{Aim, Deed, switch};
use anyhow::{Context as _, Result, bail};
use rialto_matching::EngineState;
use rialto_matching::state::{InstrumentState, Rules};
use rialto_model::command::{
    DefineInstrument, MassCancel, SetKillSwitch, SetParent, SetPhase, SetRulebook, SetRunawayLimits,
};
use rialto_model::order::{Phase, SideFilter};
use rialto_model::{Command, FirmId, InstrumentId, Offers, Quantity, Rulebook, RunawayLimits, Text};
use rialto_past::text;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An operator's act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Act {
    /// Brings an instrument into another phase.
    Phase { symbol: String, phase: String },
    /// Switches a firm off or on again.
    Kill { firm: String, killed: bool },
    /// Takes orders off the books.
    Cancel {
        firm: Option<String>,
        symbol: Option<String>,
        side: Option<String>,
    },
    /// Gives an instrument rules: a rulebook as `rialto journal tail --json` prints it. What it leaves out stays as it is.
    Rules { symbol: String, rulebook: Value },
    /// Says what a firm may send within a window before it is killed as a runaway; all zero: anything.
    Limit {
        firm: String,
        window_ms: u32,
        orders: u32,
        notional: u64,
    },
    /// States a parent order, which its children may not ask for more than together; zero takes it away.
    Parent { firm: String, name: String, quantity: u64 },
    /// Switches a flag.
    Flag {
        key: String,
        deed: Deed,
        aim: Aim,
        value: Option<String>,
    },
    /// Breaks something on purpose.
    FaultAdd { fault: Wish },
    /// Mends it.
    FaultRemove { name: String },
    /// Any command of the venue's own, as `rialto journal tail --json` prints it.
    Command { command: Value },
}

/// The phases by the names that people type.
const PHASES: [(&str, Phase); 9] = [
    ("continuous", Phase::Continuous),
    ("pre-open", Phase::PreOpen),
    ("opening-auction", Phase::OpeningAuction),
    ("volatility-auction", Phase::VolatilityAuction),
    ("halt", Phase::Halt),
    ("closing-auction", Phase::ClosingAuction),
    ("closed", Phase::Closed),
    ("suspended", Phase::Suspended),
    ("delisted", Phase::Delisted),
];

impl Act {
    /// The command that does it where the venue stands as it does.
    pub(crate) fn command(&self, state: &EngineState) -> Result<Command> {
        match self {
            Self::Phase { symbol, phase } => {
                let known = PHASES.iter().find(|(name, _)| name == phase);
                let names = || PHASES.map(|(name, _)| name).join(", ");
                let (_, phase) = *known.with_context(|| format!("no phase is called {phase:?}: use {}", names()))?;
                let instrument = instrument(state, symbol)?.definition.instrument;
                Ok(SetPhase { instrument, phase }.into())
            }
            Self::Kill { firm, killed } => Ok(SetKillSwitch {
                firm: firm_id(state, firm)?,
                killed: *killed,
            }
            .into()),
            Self::Cancel { firm, symbol, side } => Ok(MassCancel {
                whole_firm: true,
                firm: firm.as_deref().map_or(Ok(FirmId(0)), |name| firm_id(state, name))?,
                instrument: match symbol {
                    Some(symbol) => instrument(state, symbol)?.definition.instrument,
                    None => InstrumentId(0),
                },
                side: match side.as_deref() {
                    None => SideFilter::Both,
                    Some("buy") => SideFilter::Buy,
                    Some("sell") => SideFilter::Sell,
                    Some(other) => bail!("no side is called {other:?}: use buy or sell"),
                },
                ..MassCancel::default()
            }
            .into()),
            Self::Rules { symbol, rulebook } => {
                let one = instrument(state, symbol)?;
                rules(&one.definition, one.rules.as_ref(), rulebook)
            }
            Self::Limit {
                firm,
                window_ms,
                orders,
                notional,
            } => Ok(SetRunawayLimits {
                firm: firm_id(state, firm)?,
                limits: RunawayLimits {
                    window: *window_ms,
                    orders: *orders,
                    notional: *notional,
                },
            }
            .into()),
            Self::Parent { firm, name, quantity } => Ok(SetParent {
                firm: firm_id(state, firm)?,
                quantity: Quantity(*quantity),
                name: Text::new(name.as_bytes()).context("the parent's name is longer than TEXT_MAX")?,
            }
            .into()),
            Self::Flag { key, deed, aim, value } => switch(state, key, *deed, aim, value.as_deref()),
            Self::FaultAdd { fault } => fault.command(state),
            Self::FaultRemove { name } => fault::remove(state, name),
            Self::Command { command } => {
                let command = text::parse(&command.to_string())?;
                if !is_the_venues(&command) {
                    bail!(
                        "{} is not for an operator to say: it comes from members, sessions or the clock",
                        command.name()
                    );
                }
                Ok(command)
            }
        }
    }
}

/// Whether a command is the venue's own, and not one that the exchange gives itself.
const fn is_the_venues(command: &Command) -> bool {
    match command {
        Command::SetRulebook(_)
        | Command::SetTicks(_)
        | Command::SetSelfTrade(_)
        | Command::SetBands(_)
        | Command::SetFees(_)
        | Command::SetAllocation(_)
        | Command::SetProtection(_)
        | Command::BreakCircuit(_)
        | Command::BustTrade(_)
        | Command::CorrectTrade(_)
        | Command::SetRunawayLimits(_)
        | Command::SetParent(_)
        | Command::SetKillSwitch(_)
        | Command::SetPhase(_)
        | Command::DefineFirm(_)
        | Command::DefineAccount(_)
        | Command::DefineSession(_)
        | Command::SetRiskLimits(_)
        | Command::SetFeeTier(_)
        | Command::SetShard(_)
        | Command::SetUser(_)
        | Command::SetBudgets(_)
        | Command::SetService(_) => true,
        Command::MassCancel(cancel) => cancel.session.0 == 0,
        _ => false,
    }
}

pub(super) fn instrument<'a>(state: &'a EngineState, symbol: &str) -> Result<&'a InstrumentState> {
    let found = state
        .instruments
        .iter()
        .find(|one| one.definition.symbol.as_str() == symbol);
    found.with_context(|| {
        let there = state.instruments.iter().map(|one| one.definition.symbol.to_string());
        let there: Vec<String> = there.collect();
        format!("no instrument is called {symbol:?}: there are {}", there.join(", "))
    })
}

/// By its name or its identifier.
pub(super) fn firm_id(state: &EngineState, name: &str) -> Result<FirmId> {
    let mut firms = state.firms.iter().map(|one| &one.definition);
    let found = firms.find(|one| one.mpid.to_string() == name || one.name.as_bytes() == name.as_bytes());
    found.map(|one| one.firm).with_context(|| {
        let there: Vec<String> = state.firms.iter().map(|one| one.definition.mpid.to_string()).collect();
        format!("no firm is called {name:?}: there are {}", there.join(", "))
    })
}

/// The next version of an instrument's rules: those that stand, or those of an instrument without a rulebook, changed.
/// `"full"` offers every kind of order and instruction.
pub(crate) fn rules(one: &DefineInstrument, standing: Option<&Rules>, changes: &Value) -> Result<Command> {
    let (version, standing) = standing.map_or((0, plain(one)), |rules| (rules.version, rules.rulebook));
    let mut rulebook = text::fields(
        &SetRulebook {
            rulebook: standing,
            ..SetRulebook::default()
        }
        .into(),
    );
    // One word for everything there is.
    let full = json!({ "offers": Offers::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>() });
    let changes = if changes == "full" { &full } else { changes };
    let merged = rulebook.get_mut("rulebook").and_then(Value::as_object_mut);
    let (Some(merged), Some(changes)) = (merged, changes.as_object()) else {
        bail!("{changes} is no rulebook: give \"full\" or an object such as {{\"offers\":[\"LIMIT\",\"DAY\"]}}");
    };
    merged.extend(changes.clone());
    let fields = json!({
        "instrument": one.instrument.0,
        "version": version + 1,
        "rulebook": merged,
    });
    Ok(text::parse(
        &json!({ "command": "SetRulebook", "fields": fields }).to_string(),
    )?)
}

/// What holds for an instrument without a rulebook, as one.
fn plain(one: &DefineInstrument) -> Rulebook {
    Rulebook {
        offers: Offers::PLAIN,
        lot: one.lot,
        quantity_max: one.quantity_max,
        ..Rulebook::default()
    }
}
