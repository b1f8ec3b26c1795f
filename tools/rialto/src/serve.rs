//! `rialto serve`: the exchange, configured.

use crate::announce;
use crate::config::{Config, HttpConfig};
use crate::console::{Console, Hands, Seat};
use crate::exchange::{Controls, Exchange, today};
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Result, bail};
use rialto_members::{Credentials, Password, Verifier};
use rialto_model::TradingDay;
use std::io::Read as _;
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
    let credentials = if path.exists() {
        Credentials::load(&path)?
    } else {
        Credentials::new()
    };
    check_credentials(&config, &credentials, &path)?;
    let (own, hands) = own_sessions(config.http.as_ref())?;
    let mut all = credentials;
    all.extend(own.clone());
    let interrupt = Interrupt::listen()?;
    let exchange = Exchange::open(&config, Verifier::start(all)?, args.trading_day.unwrap_or_else(today))?;
    own.save(&own_credentials_path(&config.data))?;
    let data = config.data.clone();
    let http = config.http.clone();
    let (ended, sent) = exchange.run(|controls| {
        let console = http.map(|http| {
            let (gateways, questions) = (http.gateways, http.questions_per_second);
            Console::open(http.listen, controls, &data, hands, gateways, questions)
        });
        let console = console.transpose()?;
        if args.json {
            announce::ready_json(controls, console.as_ref(), &data);
        } else {
            announce::ready_table(controls, console.as_ref(), &data);
        }
        let mut watched = Ok(());
        while watched.is_ok() && !interrupt.is_set() && controls.stop.failure().is_none() {
            watched = watch(controls, args.trading_day, &mut |line| {
                out::complain(format_args!("{line}"))
            });
            std::thread::sleep(LOOK);
        }
        if let Some(console) = console {
            console.close();
        }
        watched
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

/// What the gateway's own sessions are let in by at a door in another process: hashes alone, made anew at each start.
pub(crate) fn own_credentials_path(data: &Path) -> PathBuf {
    data.join("own-credentials.toml")
}

/// Gives the gateway's own sessions passwords that nobody else has.
fn own_sessions(http: Option<&HttpConfig>) -> Result<(Credentials, Hands)> {
    let mut credentials = Credentials::new();
    let mut seat = |name: &String| {
        // As long as a password of SoupBinTCP may be, of 32 characters: 50 bits.
        let mut bytes = [0; 10];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let characters = bytes.map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)]));
        let password: String = characters.iter().collect();
        credentials.add(name, &Password::new(password.as_bytes())?)?;
        let user = name.clone();
        Ok::<_, anyhow::Error>(Seat { user, password })
    };
    let desk = http.and_then(|http| http.desk.as_ref()).map(&mut seat).transpose()?;
    let firms = http.into_iter().flat_map(|http| &http.sessions).map(&mut seat);
    let firms = firms.collect::<Result<Vec<_>>>()?;
    Ok((credentials, Hands { desk, firms }))
}

fn check_credentials(config: &Config, credentials: &Credentials, path: &Path) -> Result<()> {
    let own: Vec<&String> = config.http.iter().flat_map(HttpConfig::own).collect();
    let sessions = config.firms.iter().flat_map(|firm| &firm.sessions);
    let without =
        sessions.filter(|one| !own.contains(&&one.name) && !one.no_password && !credentials.contains(&one.name));
    let names: Vec<&str> = without.map(|session| session.name.as_str()).collect();
    if let Some(first) = names.first() {
        bail!(
            "{} has no password for session {}: give each one by `rialto member session password {first} --data {}`",
            path.display(),
            names.join(", "),
            config.data.display()
        );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_without_a_password_is_named_with_what_gives_it_one() {
        let sample = include_str!("../../docs/rialto.toml");
        let config: Config = toml::from_str(sample).unwrap();
        let (mut credentials, path) = (Credentials::new(), credentials_path(&config.data));
        let refused = check_credentials(&config, &credentials, &path).unwrap_err().to_string();
        assert!(
            refused.contains("session alpha1: give each one by `rialto member session password alpha1 --data data`"),
            "{refused}"
        );
        credentials.add("alpha1", &Password::new(b"secret").unwrap()).unwrap();
        assert!(check_credentials(&config, &credentials, &path).is_ok());
    }
}
