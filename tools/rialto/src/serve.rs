//! `rialto serve`: the exchange, configured.

use crate::announce;
use crate::config::Config;
use crate::exchange::{Controls, Exchange, today};
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result, bail};
use rialto_members::{Credentials, Verifier};
use rialto_model::TradingDay;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the controlling thread looks at the clock and at what the doors have to say.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Let other processes follow the stream from here; port 0 lets the system choose
    #[arg(long, value_name = "ADDR")]
    follow_listen: Option<SocketAddr>,
    /// Open this trading day and stay in it, instead of following the clock
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = trading_day)]
    trading_day: Option<TradingDay>,
    /// Print one JSON object when it is open and one when it has ended
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let mut config = Config::load(&args.config)?;
    config.follow_at(args.follow_listen);
    let path = credentials_path(&config.data);
    let credentials = Credentials::load(&path)
        .with_context(|| format!("{}: rialto serve needs the sessions' passwords there", path.display()))?;
    check_credentials(&config, &credentials, &path)?;
    let interrupt = Interrupt::listen()?;
    let exchange = Exchange::open(
        &config,
        Verifier::start(credentials)?,
        args.trading_day.unwrap_or_else(today),
    )?;
    let data = config.data.clone();
    let (ended, sent) = exchange.run(|controls| {
        if args.json {
            announce::ready_json(controls, None, &data);
        } else {
            announce::ready_table(controls, None, &data);
        }
        while !interrupt.is_set() && controls.stop.failure().is_none() {
            watch(controls, args.trading_day, &mut |line| {
                out::complain(format_args!("{line}"))
            })?;
            std::thread::sleep(LOOK);
        }
        Ok(())
    })?;
    announce::stopped(&ended, sent, &data, args.json);
    Ok(())
}

/// What the controlling thread does now and then: passes on what the doors have to say, does what
/// operators ask for, and opens a new day.
pub(crate) fn watch(controls: &mut Controls, fixed_day: Option<TradingDay>, say: &mut dyn FnMut(String)) -> Result<()> {
    while let Ok(line) = controls.lines.try_recv() {
        say(line);
    }
    controls.operate()?;
    if let Some(line) = controls.heed_room() {
        say(line);
    }
    controls.roll_to(fixed_day.unwrap_or_else(today))
}

pub(crate) fn credentials_path(data: &Path) -> PathBuf {
    data.join("credentials.toml")
}

fn check_credentials(config: &Config, credentials: &Credentials, path: &Path) -> Result<()> {
    for session in config.firms.iter().flat_map(|firm| &firm.sessions) {
        if !session.no_password && !credentials.contains(&session.name) {
            bail!("{} has no password for session {:?}", path.display(), session.name);
        }
    }
    Ok(())
}

/// A day as people write it.
pub(crate) fn trading_day(text: &str) -> Result<TradingDay, String> {
    let mut parts = text.split('-').map(str::parse);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("write the day as YYYY-MM-DD".to_owned());
    };
    TradingDay::from_civil(year, month, day).ok_or_else(|| "there is no such day".to_owned())
}
