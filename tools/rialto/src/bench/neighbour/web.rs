//! A firm that asks over HTTP as fast as it is answered, by many keys: its orders and fills, its positions, and exports of the past.

use super::noise::Tally;
use super::venue::{KEYS, PASSWORD, SECRET, SYMBOL, key, noisy_session};
use crate::bench::member::Member;
use anyhow::{Context as _, Result, bail, ensure};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Connections that ask at the same time.
const CONNECTIONS: usize = 32;
/// Orders that there are to be told of.
const ORDERS: u32 = 500;
/// How many are sent at once, and what lies between.
const PIECE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two signs of life of the session that has the orders.
const ALIVE: Duration = Duration::from_millis(50);
/// What each connection asks for in turn.
const PATHS: [&str; 5] = [
    "/api/v1/member/orders?limit=1000",
    "/api/v1/portfolio",
    "/api/v1/at/500",
    "/api/v1/member/fills?limit=1000",
    "/api/v1/member/executions?limit=1000",
];

/// Enters some orders and asks for them until it is stopped.
pub(super) fn ask(door: SocketAddr, http: SocketAddr, stop: &AtomicBool, begun: &AtomicU64) -> Result<Tally> {
    let mut member = Member::log_on(door, &noisy_session(0), PASSWORD, SYMBOL)?;
    let mut acknowledged = 0;
    for order in 1..=ORDERS {
        member.send()?;
        // Within its budget: it is to have orders, and makes its noise by asking for them.
        if order % PIECE == 0 {
            std::thread::sleep(PAUSE);
            member.acknowledge(|_| acknowledged += 1)?;
        }
    }
    while acknowledged < ORDERS && !stop.load(Ordering::Relaxed) {
        member.acknowledge(|_| acknowledged += 1)?;
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..CONNECTIONS)
            .map(|index| scope.spawn(move || one(index, http, stop, begun)))
            .collect();
        let mut lives = Ok(());
        while lives.is_ok() && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(ALIVE);
            lives = member.acknowledge(|_| {});
        }
        let mut all = Tally {
            accepted: u64::from(acknowledged),
            logons: 1,
            ..Tally::default()
        };
        for thread in asking {
            let Ok(tally) = thread.join() else {
                bail!("a connection's thread panicked");
            };
            let tally = tally?;
            all.asked += tally.asked;
            for (told, count) in tally.told {
                *all.told.entry(told).or_default() += count;
            }
        }
        lives.map(|()| all)
    })
}

fn one(index: usize, http: SocketAddr, stop: &AtomicBool, begun: &AtomicU64) -> Result<Tally> {
    let mut stream = TcpStream::connect(http).context("no HTTP gateway answers")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut tally = Tally::default();
    let name = key(index % KEYS);
    for path in PATHS.iter().cycle().skip(index) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {http}\r\nAuthorization: Bearer {name}:{SECRET}\r\n\r\n"
        )?;
        let status = answer(&mut answers).with_context(|| format!("the answer to {path}"))?;
        tally.asked += 1;
        *tally.told.entry(status).or_default() += 1;
        begun.store(1, Ordering::Relaxed);
    }
    Ok(tally)
}

/// Reads one answer whole; its status.
fn answer(answers: &mut BufReader<TcpStream>) -> Result<String> {
    let (mut line, mut status, mut length) = (String::new(), None, 0);
    loop {
        line.clear();
        ensure!(answers.read_line(&mut line)? > 0, "the connection was closed");
        let text = line.trim_end();
        if status.is_none() {
            status = text.split(' ').nth(1).map(str::to_owned);
        } else if text.is_empty() {
            break;
        } else if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = answers.take(length);
    std::io::copy(&mut body, &mut std::io::sink())?;
    status.context("no status")
}
