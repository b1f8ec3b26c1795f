//! What every recorded day has in common on its way through the exchange on virtual time: its folder, and the stages.

mod flow;

use crate::exchange::pipeline::{Pipeline, PipelineConfig};
use anyhow::{Context as _, Result, bail};
pub(crate) use flow::{Flow, Operation, Verdict};
use rialto_model::command::{
    DefineAccount, DefineFirm, DefineInstrument, DefineSession, EndOfDay, Release, SessionLost, SessionUp, StartOfDay,
};
use rialto_model::{
    AccountId, Command, Door, FirmId, Incarnation, LossCause, Mpid, MsgSeqNum, Output, SessionId, Text, Timestamp,
    TradingDay, VenueId,
};
use rialto_ring::VirtualClock;
use std::path::PathBuf;

const FIRM: FirmId = FirmId(1);
const ACCOUNT: AccountId = AccountId(1);
/// The session that every recorded order comes from.
pub(crate) const SESSION: SessionId = SessionId(1);
/// Its only connection.
pub(crate) const INCARNATION: Incarnation = Incarnation(1);

/// The folder of the journal.
pub(crate) struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    /// A folder that was given must be empty or new; without one a temporary one is removed in the end.
    ///
    /// # Errors
    /// It is not empty, or cannot be made.
    pub(crate) fn open(given: Option<PathBuf>) -> Result<Self> {
        let temporary = given.is_none();
        let path = given.unwrap_or_else(|| std::env::temp_dir().join(format!("rialto-ingest-{}", std::process::id())));
        if path.is_dir() && std::fs::read_dir(&path)?.next().is_some() {
            bail!(
                "{} is not empty: an ingest begins a journal of its own; give a new folder",
                path.display()
            );
        }
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self { path, temporary })
    }

    /// What stays of it.
    pub(crate) fn kept(&self) -> Option<PathBuf> {
        (!self.temporary).then(|| self.path.clone())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The stages on the calling thread, and the clock that they read.
pub(crate) struct Run {
    pub(crate) pipeline: Pipeline<VirtualClock>,
    pub(crate) clock: VirtualClock,
}

impl Run {
    /// Opens the stages at a time.
    ///
    /// # Errors
    /// The journal or the feed cannot be opened.
    pub(crate) fn open(folder: &Folder, durability: &str, time: Timestamp) -> Result<Self> {
        let clock = VirtualClock::at(time);
        let pipeline = Pipeline::open(PipelineConfig::for_ingest(&folder.path, durability)?, clock.clone())?;
        Ok(Self { pipeline, clock })
    }

    /// Hands in a command. Waits for room, which is what a full ring asks of whoever fills it.
    ///
    /// # Errors
    /// A stage broke.
    pub(crate) fn send(&mut self, command: Command, show: &mut impl FnMut(&Output)) -> Result<()> {
        while !self.pipeline.send(command) {
            self.poll(show)?;
        }
        Ok(())
    }

    /// Goes on until every stage is quiet.
    ///
    /// # Errors
    /// A stage broke.
    pub(crate) fn settle(&mut self, show: &mut impl FnMut(&Output)) -> Result<()> {
        while self.poll(show)? != 0 || !self.pipeline.is_drained() {}
        Ok(())
    }

    fn poll(&mut self, show: &mut impl FnMut(&Output)) -> Result<usize> {
        let moved = self.pipeline.poll() + self.pipeline.follow(show);
        if let Some(failure) = self.pipeline.failure() {
            bail!("{failure}");
        }
        Ok(moved)
    }
}

/// What a recorded day begins with: these instruments, one firm, one session, and the day.
pub(crate) fn opening(day: TradingDay, instruments: &[DefineInstrument]) -> Vec<Command> {
    let name = Text::new(b"tape").unwrap_or_default();
    let release = Release {
        venue: VenueId(1),
        release: rialto_matching::CURRENT_RELEASE,
    };
    let mut commands = vec![release.into()];
    commands.extend(instruments.iter().map(|one| Command::from(*one)));
    commands.extend::<[Command; 5]>([
        DefineFirm {
            firm: FIRM,
            mpid: Mpid::new("TAPE").unwrap_or_default(),
            name,
        }
        .into(),
        DefineAccount {
            account: ACCOUNT,
            firm: FIRM,
        }
        .into(),
        DefineSession {
            session: SESSION,
            firm: FIRM,
            account: ACCOUNT,
            door: Door::Venue,
            name,
        }
        .into(),
        StartOfDay {
            day,
            midnight: day.midnight_utc(),
        }
        .into(),
        SessionUp {
            session: SESSION,
            incarnation: INCARNATION,
            inbound: MsgSeqNum(0),
            reset: false,
        }
        .into(),
    ]);
    commands
}

/// What it ends with.
pub(crate) fn ending() -> [Command; 2] {
    let lost = SessionLost {
        session: SESSION,
        incarnation: INCARNATION,
        cause: LossCause::Shutdown,
    };
    [lost.into(), EndOfDay {}.into()]
}
