//! Flags of an exchange, asked of its state, and whether every process that matters knows them.

use super::operate::{firm_id, instrument};
use anyhow::{Context as _, Result, bail};
use rialto_follow::Statused;
use rialto_matching::EngineState;
use rialto_matching::state::SessionState;
use rialto_model::command::SwitchFlag;
use rialto_model::flags::{self, Flag, Kind, Reason, Rule, Rules, Scope, Subject, TABLE, TOMBSTONES, bucket};
use rialto_model::{Command, FlagAct, FlagChange, FlagTarget, Text};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// At what a rule is aimed, as people say it; nothing: at everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
#[group(multiple = false)]
pub(crate) struct Aim {
    /// One instrument
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) instrument: Option<String>,
    /// Every session of a firm
    #[arg(long, value_name = "MPID")]
    pub(crate) firm: Option<String>,
    /// One session
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// A share of the instruments or sessions, always the same ones: 0 to 100, with up to two decimals
    #[arg(long, value_name = "P")]
    pub(crate) percent: Option<String>,
}

/// What is done to a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    Set,
    Clear,
    Retire,
}

/// The command that switches a flag of this build.
pub(crate) fn switch(state: &EngineState, key: &str, deed: Deed, aim: &Aim, value: Option<&str>) -> Result<Command> {
    let flag = known(key)?;
    if flag.scope == Scope::Edge {
        bail!("{key} is decided at the edge and is not in the stream: see the file of `--edge-flags`");
    }
    let (target, id) = aim.target(state)?;
    if deed != Deed::Retire && !flag.scope.takes(target) {
        bail!("{key} is decided for {}: aim at one, or at a share", decided_for(flag));
    }
    let value = match value {
        None => 0,
        Some(name) => flag.kind.value(name).with_context(|| {
            let names = (0..flag.kind.variants() as u8).filter_map(|value| flag.kind.variant(value));
            format!(
                "{key} is never {name:?}: it is {}",
                names.collect::<Vec<_>>().join(" or ")
            )
        })?,
    };
    let act = match deed {
        Deed::Set => FlagAct::Set,
        Deed::Clear => FlagAct::Clear,
        Deed::Retire => FlagAct::Retire,
    };
    let change = FlagChange {
        flag: flag.number,
        act,
        target,
        id,
        value,
        table: flags::table_hash(),
    };
    Ok(SwitchFlag { change }.into())
}

/// Whether a command turns a flag on: what is turned off is turned off in any case.
pub(crate) const fn turns_on(command: &Command) -> bool {
    match command {
        Command::SwitchFlag(SwitchFlag { change }) => matches!(change.act, FlagAct::Set) && change.value != 0,
        _ => false,
    }
}

fn known(key: &str) -> Result<&'static Flag> {
    if let Some(gone) = TOMBSTONES.iter().find(|gone| gone.key == key) {
        bail!(
            "{key} is retired and settled as {:?}: its key is never used again",
            gone.settled
        );
    }
    flags::by_key(key).with_context(|| {
        let keys: Vec<&str> = TABLE.iter().map(|flag| flag.key).collect();
        format!("no flag is called {key:?}: there are {}", keys.join(", "))
    })
}

const fn decided_for(flag: &Flag) -> &'static str {
    match flag.scope {
        Scope::Instrument => "an instrument",
        Scope::Session => "a session",
        Scope::Edge => "a process",
    }
}

impl Aim {
    fn target(&self, state: &EngineState) -> Result<(FlagTarget, u32)> {
        Ok(if let Some(symbol) = &self.instrument {
            let id = instrument(state, symbol)?.definition.instrument;
            (FlagTarget::Instrument, u32::from(id.0))
        } else if let Some(name) = &self.firm {
            (FlagTarget::Firm, firm_id(state, name)?.0)
        } else if let Some(name) = &self.session {
            (FlagTarget::Session, session(state, name)?.definition.session.0)
        } else if let Some(percent) = &self.percent {
            (FlagTarget::Share, share(percent)?)
        } else {
            (FlagTarget::Everyone, 0)
        })
    }
}

fn session<'a>(state: &'a EngineState, name: &str) -> Result<&'a SessionState> {
    let mut sessions = state.sessions.iter();
    let found = sessions.find(|one| one.definition.name.as_bytes() == name.as_bytes());
    found.with_context(|| {
        let there = state.sessions.iter().map(|one| said(&one.definition.name));
        format!(
            "no session is called {name:?}: there are {}",
            there.collect::<Vec<_>>().join(", ")
        )
    })
}

/// Hundredths of a per cent, without a float.
pub(crate) fn share(percent: &str) -> Result<u32> {
    let (whole, part) = percent.split_once('.').unwrap_or((percent, "0"));
    let hundredths = format!("{part:0<2}");
    let digits = [whole, &hundredths].concat().bytes().all(|byte| byte.is_ascii_digit());
    let parsed = match (whole.parse::<u32>(), hundredths.len(), hundredths.parse::<u32>()) {
        (Ok(whole @ 0..=100), 2, Ok(part)) => Some(whole * 100 + part),
        _ => None,
    };
    let parsed = parsed.filter(|share| digits && *share <= 10_000);
    parsed.with_context(|| format!("{percent:?} is no percentage: give 0 to 100, with at most two decimals"))
}

/// Every flag of this build, and how the exchange has it.
pub(crate) fn ls(state: Option<&EngineState>) -> Vec<Value> {
    let mut lines: Vec<Value> = TABLE.iter().map(|flag| line(flag, state)).collect();
    lines.extend(TOMBSTONES.iter().map(|gone| {
        json!({
            "number": gone.number,
            "key": gone.key,
            "retired": true,
            "settled": gone.settled,
        })
    }));
    lines
}

fn line(flag: &Flag, state: Option<&EngineState>) -> Value {
    let own = state.and_then(|state| state.flags.iter().find(|one| one.number == flag.number));
    let rules = own.map_or(&[][..], |own| &own.rules);
    let variants: Vec<&str> = (0..flag.kind.variants() as u8)
        .filter_map(|value| flag.kind.variant(value))
        .collect();
    json!({
        "number": flag.number,
        "key": flag.key,
        "for": decided_for(flag),
        "type": flag.kind.name(),
        "variants": variants,
        "default": default_of(flag),
        "owner": flag.owner,
        "expires": flag.expires.to_string(),
        "purpose": flag.purpose,
        "retired": own.is_some_and(|own| own.retired),
        "rules": rules.iter().map(|rule| rule_line(flag, rule, state)).collect::<Vec<_>>(),
    })
}

/// What a flag is where nothing is said.
fn default_of(flag: &Flag) -> Value {
    match flag.kind {
        Kind::Switch { default } => (if default { "on" } else { "off" }).into(),
        Kind::Choice { default, .. } => flag.kind.variant(default).into(),
        Kind::Count { default, .. } => default.into(),
    }
}

fn rule_line(flag: &Flag, rule: &Rule, state: Option<&EngineState>) -> Value {
    json!({
        "target": aimed(rule, state),
        "is": flag.kind.variant(rule.value),
        "since": rule.since.0,
    })
}

/// At what a rule is aimed, in the names that people use.
fn aimed(rule: &Rule, state: Option<&EngineState>) -> String {
    let named = |found: Option<String>| found.unwrap_or_else(|| rule.id.to_string());
    match rule.target {
        FlagTarget::Everyone => "everyone".to_owned(),
        FlagTarget::Share => format!("{}.{:02} per cent", rule.id / 100, rule.id % 100),
        FlagTarget::Instrument => {
            let mut listed = state.into_iter().flat_map(|state| &state.instruments);
            let found = listed.find(|one| u32::from(one.definition.instrument.0) == rule.id);
            format!(
                "instrument {}",
                named(found.map(|one| one.definition.symbol.to_string()))
            )
        }
        FlagTarget::Firm => {
            let mut firms = state.into_iter().flat_map(|state| &state.firms);
            let found = firms.find(|one| one.definition.firm.0 == rule.id);
            format!("firm {}", named(found.map(|one| one.definition.mpid.to_string())))
        }
        FlagTarget::Session => {
            let mut sessions = state.into_iter().flat_map(|state| &state.sessions);
            let found = sessions.find(|one| one.definition.session.0 == rule.id);
            format!("session {}", named(found.map(|one| said(&one.definition.name))))
        }
    }
}

/// Which answer a flag gives for a subject behind a command, and why.
pub(crate) fn explain(state: &EngineState, key: &str, aim: &Aim) -> Result<Value> {
    let flag = known(key)?;
    let (subject, name, id) = match (flag.scope, aim) {
        (
            Scope::Instrument,
            Aim {
                instrument: Some(symbol),
                ..
            },
        ) => {
            let id = instrument(state, symbol)?.definition.instrument;
            (Subject::Instrument(id), format!("instrument {symbol}"), u32::from(id.0))
        }
        (
            Scope::Session,
            Aim {
                session: Some(name), ..
            },
        ) => {
            let one = session(state, name)?.definition;
            (
                Subject::Session(one.session, one.firm),
                format!("session {name}"),
                one.session.0,
            )
        }
        (Scope::Edge, _) => bail!("{key} is decided at the edge: ask /ofrep/v1/evaluate/flags/{key} of the process"),
        _ => bail!(
            "{key} is decided for {}: say which, with --instrument or --session",
            decided_for(flag)
        ),
    };
    let own = state.flags.iter().find(|one| one.number == flag.number);
    let rules = own.map_or(&[][..], |own| &own.rules);
    let decision = Rules(rules).decide(flag, subject);
    let place = bucket(flag.number, id);
    let (reason, since) = match decision.reason {
        Reason::Rule(rule) if rule.target == FlagTarget::Share => (
            format!(
                "its place among ten thousand is {place}, within {}",
                aimed(&rule, Some(state))
            ),
            Some(rule.since.0),
        ),
        Reason::Rule(rule) => (
            format!("there is a rule for {}", aimed(&rule, Some(state))),
            Some(rule.since.0),
        ),
        Reason::BeyondShare { rule, bucket } => (
            format!(
                "its place among ten thousand is {bucket}, beyond {}, and there is no rule for everyone",
                aimed(&rule, Some(state))
            ),
            Some(rule.since.0),
        ),
        Reason::Default if own.is_some_and(|own| own.retired) => ("it is retired in this stream".to_owned(), None),
        Reason::Default => ("no rule is aimed at it".to_owned(), None),
    };
    Ok(json!({
        "seq": state.last_seq.0,
        "key": key,
        "subject": name,
        "is": flag.kind.variant(decision.value),
        "because": reason,
        "since": since,
        "place": place,
    }))
}

/// The processes of a running exchange that are not its own.
#[derive(Clone)]
pub(crate) struct Processes {
    statused: Arc<OnceLock<Statused>>,
    forgotten: Arc<Forgotten>,
}

/// Puts it on record that a refused process is gone.
type Forgotten = dyn Fn(Text) -> Result<()> + Send + Sync;

impl Processes {
    pub(crate) fn new(statused: Arc<OnceLock<Statused>>, forgotten: Box<Forgotten>) -> Self {
        Self {
            statused,
            forgotten: forgotten.into(),
        }
    }

    /// Whether every process reports a build that knows this build's flags. The exchange's own stages are this build.
    pub(crate) fn check(&self) -> Result<()> {
        let Some(statused) = self.statused.get() else {
            return Ok(());
        };
        let (stale, over) = statused.stale();
        let mut strangers: Vec<String> = stale
            .iter()
            .map(|one| {
                let (name, table) = (said(&one.process.name), one.process.table);
                format!("{name} at {} has flag table {table}", from(one.peer))
            })
            .collect();
        let unknown = statused.read().into_iter().filter(|status| status.process.is_none());
        strangers.extend(unknown.map(|status| format!("{} has not said which build it is", status.peer)));
        if over {
            strangers.push("others were refused beyond ROSTER_MAX".to_owned());
        }
        if strangers.is_empty() {
            return Ok(());
        }
        bail!(
            "no flag is turned on while a process does not know it (this build has table {}): {}; start it from this build, or \
             say that it is gone with `rialto flag forget NAME`",
            flags::table_hash(),
            strangers.join("; ")
        )
    }

    /// A refused process is gone for good; an empty name: every one.
    pub(crate) fn forget(&self, name: &str) -> Result<Value> {
        let text = Text::new(name.as_bytes()).context("no process has so long a name")?;
        let forgotten = self
            .statused
            .get()
            .map(|statused| statused.forget(&text))
            .unwrap_or_default();
        if forgotten.is_empty() {
            bail!("no process called {name:?} was refused: see `rialto status`");
        }
        for one in forgotten {
            (self.forgotten)(one)?;
        }
        Ok(json!({ "forgotten": name }))
    }

    /// Who was refused, a line each.
    pub(crate) fn refused(&self) -> Vec<String> {
        let stale = self
            .statused
            .get()
            .map(|statused| statused.stale().0)
            .unwrap_or_default();
        let line = |one: &rialto_follow::Stale| {
            let (name, table) = (said(&one.process.name), one.process.table);
            format!("refused: {name} at {}, with flag table {table}", from(one.peer))
        };
        stale.iter().map(line).collect()
    }

    /// Who was refused.
    pub(crate) fn describe(&self) -> Value {
        let stale = self
            .statused
            .get()
            .map(|statused| statused.stale().0)
            .unwrap_or_default();
        stale
            .iter()
            .map(|one| {
                json!({
                    "name": said(&one.process.name),
                    "peer": from(one.peer),
                    "flag_table": one.process.table.to_string(),
                })
            })
            .collect()
    }
}

/// Where a process came from.
fn from(peer: Option<std::net::SocketAddr>) -> String {
    peer.map_or_else(|| "an exchange before this one".to_owned(), |peer| peer.to_string())
}

/// A name as people read it.
pub(crate) fn said(name: &Text) -> String {
    name.as_bytes().escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_percentage_is_hundredths_of_a_per_cent() {
        for (text, wanted) in [
            ("0", 0),
            ("1", 100),
            ("12.5", 1_250),
            ("0.01", 1),
            ("100", 10_000),
            ("99.99", 9_999),
        ] {
            assert_eq!(share(text).unwrap(), wanted, "{text}");
        }
        for text in ["", "-1", "100.01", "101", "1.234", "a", ".", "1.+5", "+1"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
