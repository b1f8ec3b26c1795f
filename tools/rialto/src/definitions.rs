//! What has to be sequenced before an exchange opens: what its configuration asks for and its stream does not have yet.

use crate::ask::operate::rules;
use crate::config::{Config, InstrumentConfig, SessionConfig, price};
use anyhow::{Context as _, Result, ensure};
use rialto_matching::state::InstrumentState;
use rialto_matching::{CURRENT_RELEASE, EngineState};
use rialto_model::command::{
    DefineAccount, DefineFirm, DefineInstrument, DefineSession, EndOfDay, Release, SessionLost, StartOfDay,
};
use rialto_model::{
    AccountId, Command, Door, FirmId, InstrumentId, LossCause, Mpid, PriceScale, Quantity, SessionId, Symbol, Text,
    TradingDay, VenueId,
};

/// The commands that bring `state` to what `config` asks for, with `today` open, in the order they must be sequenced.
/// The loss of every session that was up when the stream ended comes first.
pub(crate) fn opening(state: &EngineState, config: &Config, today: TradingDay) -> Result<Vec<Command>> {
    let mut commands = lost_sessions(state);
    if state.release.0 == 0 {
        commands.push(
            Release {
                venue: VenueId(config.venue),
                release: CURRENT_RELEASE,
            }
            .into(),
        );
    }
    ensure!(
        state.release.0 == 0 || state.venue.0 == config.venue,
        "the data folder is of venue {}, the configuration says {}: use another folder",
        state.venue,
        config.venue
    );
    let mut count = state.instruments.len();
    for wanted in &config.instruments {
        let next = InstrumentId(u16::try_from(count + 1).context("more instruments than INSTRUMENT_MAX")?);
        let (definition, standing) = instrument(state, wanted, next)?;
        if standing.is_none() {
            count += 1;
            commands.push(definition.into());
        }
        if let (Some(rulebook), None) = (&wanted.rulebook, standing.and_then(|one| one.rules)) {
            let rules = rules(&definition, None, rulebook);
            commands.push(rules.with_context(|| format!("the rulebook of {}", wanted.symbol))?);
        }
    }
    commands.extend(members(state, config)?);
    commands.extend(roll(state, today));
    Ok(commands)
}

/// What ends the open day and opens `today`; nothing where `today` is open already or has been.
pub(crate) fn roll(state: &EngineState, today: TradingDay) -> Vec<Command> {
    let mut commands = Vec::new();
    if today > state.day || state.day.0 == 0 {
        if state.day_open {
            commands.push(EndOfDay {}.into());
        }
        commands.push(
            StartOfDay {
                day: today,
                midnight: today.midnight_utc(),
            }
            .into(),
        );
    }
    commands
}

fn lost_sessions(state: &EngineState) -> Vec<Command> {
    let up = state.sessions.iter().filter(|session| session.up);
    up.map(|session| {
        let (session, incarnation) = (session.definition.session, session.incarnation);
        SessionLost {
            session,
            incarnation,
            cause: LossCause::Recovery,
        }
        .into()
    })
    .collect()
}

/// What an instrument is to be, and as what it stands already.
fn instrument<'a>(
    state: &'a EngineState,
    wanted: &InstrumentConfig,
    next: InstrumentId,
) -> Result<(DefineInstrument, Option<&'a InstrumentState>)> {
    let symbol = Symbol::new(&wanted.symbol).with_context(|| format!("symbol {:?}", wanted.symbol))?;
    let standing = state.instruments.iter().find(|one| one.definition.symbol == symbol);
    let definition = DefineInstrument {
        instrument: standing.map_or(next, |one| one.definition.instrument),
        symbol,
        scale: PriceScale::DEFAULT,
        tick: price(wanted.tick)?,
        price_max: price(wanted.price_max)?,
        lot: Quantity(wanted.lot),
        quantity_max: Quantity(wanted.quantity_max),
    };
    ensure!(
        standing.is_none_or(|one| one.definition == definition),
        "instrument {symbol} stands in the stream with other terms than the configuration has: \
         use a fresh data folder or the old terms"
    );
    Ok((definition, standing))
}

fn members(state: &EngineState, config: &Config) -> Result<Vec<Command>> {
    let mut commands = Vec::new();
    let mut last_firm = state.firms.iter().map(|f| f.definition.firm.0).max().unwrap_or(0);
    let mut last_account = state.accounts.iter().map(|a| a.account.0).max().unwrap_or(0);
    let mut last_session = state.sessions.iter().map(|s| s.definition.session.0).max().unwrap_or(0);
    for wanted in &config.firms {
        let name = Text::new(wanted.name.as_bytes()).with_context(|| format!("firm {:?}", wanted.name))?;
        let mpid = Mpid::new(&wanted.mpid).with_context(|| format!("mpid {:?}", wanted.mpid))?;
        let mut known = state.firms.iter().map(|f| &f.definition);
        let (firm, account) = if let Some(firm) = known.find(|f| f.name == name) {
            let account = state.accounts.iter().find(|a| a.firm == firm.firm);
            (
                firm.firm,
                account
                    .context("a firm of the stream has no account: use a fresh data folder")?
                    .account,
            )
        } else {
            last_firm += 1;
            last_account += 1;
            let (firm, account) = (FirmId(last_firm), AccountId(last_account));
            commands.push(DefineFirm { firm, mpid, name }.into());
            commands.push(DefineAccount { account, firm }.into());
            (firm, account)
        };
        for session in &wanted.sessions {
            if let Some(definition) = session_of(state, session, firm, account, SessionId(last_session + 1))? {
                last_session += 1;
                commands.push(definition.into());
            }
        }
    }
    Ok(commands)
}

fn session_of(
    state: &EngineState,
    wanted: &SessionConfig,
    firm: FirmId,
    account: AccountId,
    next: SessionId,
) -> Result<Option<DefineSession>> {
    let name = Text::new(wanted.name.as_bytes()).with_context(|| format!("session {:?}", wanted.name))?;
    let door = if wanted.door == "fix" { Door::Fix } else { Door::Ouch };
    let Some(standing) = state.sessions.iter().map(|s| s.definition).find(|d| d.name == name) else {
        return Ok(Some(DefineSession {
            session: next,
            firm,
            account,
            door,
            name,
        }));
    };
    ensure!(
        standing.firm == firm && standing.door == door,
        "session {:?} stands in the stream with another firm or door: use another name or a fresh data folder",
        wanted.name
    );
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_matching::{Limits, Matching as _, reference};
    use rialto_model::{Event, EventSink, SequenceNumber, Sequenced, Timestamp};

    #[derive(Default)]
    struct Refusals(Vec<Event>);

    impl EventSink for Refusals {
        fn emit(&mut self, event: Event) {
            if matches!(event, Event::CommandRejected(_) | Event::Ignored(_)) {
                self.0.push(event);
            }
        }
    }

    fn config() -> Config {
        toml::from_str(
            r#"
            data = "d"
            instrument = [{ symbol = "ACME" }, { symbol = "BOLT", tick = 0.05 }]
            firm = [{ name = "Alpha", mpid = "ALFA", session = [{ name = "a1", door = "ouch" }, { name = "A2", door = "fix" }] }]
            "#,
        )
        .unwrap()
    }

    /// Opens `day` and expects every command to be taken.
    fn open(engine: &mut reference::Engine, seq: &mut u64, config: &Config, day: u32) -> usize {
        let commands = opening(&engine.export(), config, TradingDay(day)).unwrap();
        let mut refusals = Refusals::default();
        for body in &commands {
            *seq += 1;
            let command = Sequenced {
                seq: SequenceNumber(*seq),
                stamp: Timestamp(*seq),
                epoch: Default::default(),
                body: *body,
            };
            engine.apply(&command, &mut refusals);
        }
        assert_eq!(refusals.0, []);
        commands.len()
    }

    #[test]
    fn an_opening_is_accepted_whole_and_said_once() {
        let (mut engine, mut seq) = (reference::Engine::new(Limits::default()), 0);
        let first = open(&mut engine, &mut seq, &config(), 100);
        assert_eq!(
            first, 8,
            "release, two instruments, firm, account, two sessions, the day"
        );
        assert_eq!(open(&mut engine, &mut seq, &config(), 100), 0);
        assert_eq!(
            open(&mut engine, &mut seq, &config(), 101),
            2,
            "end of day, start of day"
        );
        assert_eq!(
            open(&mut engine, &mut seq, &config(), 99),
            0,
            "a clock that went back rolls nothing"
        );
        let mut more = config();
        more.instruments.push(InstrumentConfig::new("COGS"));
        assert_eq!(open(&mut engine, &mut seq, &more, 101), 1);
        assert_eq!(engine.export().instruments.len(), 3);
    }

    #[test]
    fn a_contradiction_names_what_stands() {
        let (mut engine, mut seq) = (reference::Engine::new(Limits::default()), 0);
        open(&mut engine, &mut seq, &config(), 100);
        let complain = |change: &dyn Fn(&mut Config)| {
            let mut config = config();
            change(&mut config);
            opening(&engine.export(), &config, TradingDay(100))
                .unwrap_err()
                .to_string()
        };
        assert!(complain(&|c| c.instruments[0].lot = 7).contains("ACME"));
        assert!(complain(&|c| c.firms[0].sessions[0].door = "fix".into()).contains("a1"));
        assert!(complain(&|c| c.venue = 9).contains("venue 1"));
    }
}
