//! A FIX acceptor for conformance suites: sends D, C and d back unchanged, refuses every other application message.
//!
//! `fix-echo --port 0 --version 4.4 --sender ISLD --target TW44` prints one line when it listens. Numbers restart with
//! every logon, no credentials are asked for, validation by the dictionaries is on. One thread a connection.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rialto_fix::dictionary::Dictionaries;
use rialto_fix::echo::{EchoConnection, echo_config};
use rialto_fix::session::{LogonRequest, SessionConfig};
use rialto_fix::{Monotonic, Now, UtcTimestamp, Version};

const USAGE: &str = "fix-echo --port PORT --version 4.2|4.4|5.0SP2 --sender OUR_COMP_ID --target PEER_COMP_ID";

/// Longest wait for bytes: how late a heartbeat may be.
const POLL: Duration = Duration::from_millis(20);

/// What all connections share.
struct Acceptor {
    config: (SessionConfig, Dictionaries),
    sender: String,
    target: String,
    started: Instant,
    /// True while the one identity is logged on.
    live: Mutex<bool>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fix-echo: {error}\nusage: {USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let (mut port, mut version, mut sender, mut target) = (0, Version::Fix44, "ISLD".to_owned(), "TW44".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => port = value.parse::<u16>().map_err(|_| format!("no port: {value}"))?,
            "--version" => {
                version = match value.as_str() {
                    "4.2" => Version::Fix42,
                    "4.4" => Version::Fix44,
                    "5.0SP2" => Version::Fix50Sp2,
                    _ => return Err(format!("no version: {value}").into()),
                }
            }
            "--sender" => sender = value,
            "--target" => target = value,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    let config = echo_config(version)?;
    let acceptor = Arc::new(Acceptor {
        config,
        sender,
        target,
        started: Instant::now(),
        live: Mutex::new(false),
    });
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (acceptor, stream) = (Arc::clone(&acceptor), stream?);
        thread::spawn(move || {
            let mut identity = Identity {
                acceptor: &acceptor,
                held: false,
            };
            if let Err(error) = serve(&mut identity, stream) {
                eprintln!("connection ended: {error}");
            }
        });
    }
    Ok(())
}

fn serve(identity: &mut Identity<'_>, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(POLL))?;
    let acceptor = identity.acceptor;
    let mut connection = EchoConnection::new(&acceptor.config, acceptor.now());
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = match stream.read(&mut buffer) {
            // Before the peer can see the end, as below.
            Ok(0) => {
                identity.free();
                return Ok(());
            }
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => return Err(error),
        };
        let mut rest = &buffer[..length];
        loop {
            rest = &rest[connection.session.handle_bytes(rest)..];
            let now = acceptor.now();
            connection.session.handle_timer(now);
            let ended = connection.handle_events(now, |request| identity.take(request));
            write(&mut connection, now, &mut stream)?;
            if ended {
                // Before the peer can see the end: it may log on again at once.
                identity.free();
                return stream.shutdown(Shutdown::Both);
            }
            if rest.is_empty() {
                break;
            }
        }
    }
}

fn write(connection: &mut EchoConnection, now: Now, stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        let bytes = connection.session.transmit(now);
        if bytes.is_empty() {
            return Ok(());
        }
        stream.write_all(bytes)?;
        let length = bytes.len();
        connection.session.transmitted(length);
    }
}

/// The one identity, as far as this connection holds it; freed with the connection.
struct Identity<'a> {
    acceptor: &'a Acceptor,
    held: bool,
}

impl Identity<'_> {
    /// True for the configured peer, unless it is logged on already; it is from here on.
    fn take(&mut self, request: &LogonRequest<'_>) -> bool {
        let Acceptor {
            sender, target, live, ..
        } = self.acceptor;
        self.held = request.target_comp_id() == sender.as_bytes()
            && request.sender_comp_id() == target.as_bytes()
            && !std::mem::replace(&mut *live.lock().unwrap_or_else(PoisonError::into_inner), true);
        self.held
    }

    fn free(&mut self) {
        if std::mem::take(&mut self.held) {
            *self.acceptor.live.lock().unwrap_or_else(PoisonError::into_inner) = false;
        }
    }
}

impl Drop for Identity<'_> {
    fn drop(&mut self) {
        self.free();
    }
}

impl Acceptor {
    fn now(&self) -> Now {
        let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            monotonic: Monotonic(self.started.elapsed().as_nanos() as u64),
            utc: UtcTimestamp(utc.as_nanos() as u64),
        }
    }
}
