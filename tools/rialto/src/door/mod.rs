//! `rialto door`: a door in a process of its own, for a share of the sessions of an exchange.
//!
//! It follows what is released, with an engine of its own, so that its sessions are what the exchange's own door would have
//! made of them: nothing is handed over with a connection but the socket. What members send goes to the exchange as commands
//! over the connection that it follows by. When that connection ends, so does this process: the exchange sequences the loss
//! of every session that was up here, and its own door has them when they come again.

pub(crate) mod cost;
#[cfg(feature = "defects")]
mod defect;
pub(crate) mod hand;
pub(crate) mod join;

use crate::config::Config;
use crate::exchange::core::{EVENT_RING, INPUT_RING, apply_shown};
use crate::exchange::{fix_config, ouch_config};
use crate::out;
use crate::serve::{credentials_path, own_credentials_path};
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result};
use cost::Cost;
use join::{IDLE, Join, Serves};
use rialto_engine::talk::{COMMANDS_MAX, Role, Testify, Transcript};
use rialto_follow::{Follower, News};
use rialto_gateway::{DoorControl, FirmBudgets, FirmPorts, FixDoor, OuchDoor, Parts, Say};
use rialto_matching::{Engine, Limits};
use rialto_members::{Credentials, Verifier};
use rialto_model::{Command, Door, Output, SequenceNumber, Sequenced};
use rialto_ring::broadcast::{Gate, Reader, Writer, broadcast};
use rialto_ring::spsc::{Consumer, RingBuffer};
use rialto_ring::{Stage as _, SystemClock};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it says how it is, and what its work cost.
const HEALTH: Duration = Duration::from_millis(250);
/// How long it waits for its members' goodbyes.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long members may take to read what they are told at the end.
const FAREWELL: Duration = Duration::from_secs(5);
/// Sockets between who takes them and the door; beyond, they wait in the system's queue, and beyond that the exchange
/// serves them itself.
const SOCKETS: usize = 64;
/// Hashes of what was told that are said at once.
const TRANSCRIPTS: usize = 1_024;
/// Lines for people; more are lost.
const LINES: usize = 64;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    join: Join,
    /// Which door it is
    #[arg(long, value_enum, default_value = "ouch")]
    door: Which,
    /// What is wrong with it
    #[cfg(feature = "defects")]
    #[arg(long, value_name = "NAME", default_value = "correct")]
    defect: defect::Defect,
}

/// A door by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Which {
    /// OUCH 5.0
    Ouch,
    /// FIX 4.2, 4.4 and 5.0 SP2
    Fix,
}

impl Which {
    pub(crate) const fn door(self) -> Door {
        match self {
            Self::Ouch => Door::Ouch,
            Self::Fix => Door::Fix,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let joined = args.join.begin([Role::Door, Role::BaselineDoor], &interrupt)?;
    let config = serde_json::from_slice(&joined.brief).context("the exchange's settings of doors")?;
    let socket = Inlet::path(&args.join.key)?;
    let served = Served::open(args, &config, socket)?;
    joined.serve(served, &interrupt)
}

/// Either door.
enum AnyDoor {
    Ouch(Box<OuchDoor<SystemClock>>),
    Fix(Box<FixDoor<SystemClock>>),
}

impl AnyDoor {
    fn replay(&mut self, output: &Output) {
        match self {
            Self::Ouch(door) => door.replay(output),
            Self::Fix(door) => door.replay(output),
        }
    }

    fn poll(&mut self) -> usize {
        match self {
            Self::Ouch(door) => door.poll(),
            Self::Fix(door) => door.poll(),
        }
    }

    fn take_transcripts(&mut self) -> Vec<(u64, u64)> {
        match self {
            Self::Ouch(door) => door.take_transcripts(),
            Self::Fix(door) => door.take_transcripts(),
        }
    }

    fn control(&self) -> DoorControl {
        match self {
            Self::Ouch(door) => door.control(),
            Self::Fix(door) => door.control(),
        }
    }
}

/// The door, the engine that tells it what came of commands, and its way out.
struct Served {
    which: Which,
    engine: Engine,
    door: AnyDoor,
    last: SequenceNumber,
    /// The past is over: events go through the ring, and members may come.
    live: bool,
    writer: Writer<Output>,
    gate: Gate<Output>,
    /// Events that the ring has no room for: those of one command, for no other is followed before.
    waiting: VecDeque<Output>,
    commands: Consumer<Command>,
    cost: Cost,
    #[cfg(feature = "defects")]
    defect: defect::Defect,
    said: Instant,
    lines: crossbeam_channel::Receiver<String>,
    _verifier: Verifier,
    _inlet: Inlet,
    socket: InletPath,
}

impl Served {
    fn open(args: &Args, config: &Config, socket: InletPath) -> Result<Self> {
        let path = credentials_path(&config.data);
        let mut credentials =
            Credentials::load(&path).with_context(|| format!("the passwords in {}", path.display()))?;
        // Only an exchange that makes some has left them.
        let own = own_credentials_path(&config.data);
        if own.exists() {
            credentials.extend(Credentials::load(&own)?);
        }
        let verifier = Verifier::start(credentials)?;
        let (writer, gate, readers) = broadcast(EVENT_RING, 1);
        let [outputs] = <[Reader<Output>; 1]>::try_from(readers)
            .ok()
            .context("one reader was asked for")?;
        let (command_in, commands) = RingBuffer::new(INPUT_RING);
        let (say, lines) = Say::channel(LINES);
        let parts = Parts {
            clock: SystemClock::behind(config.clock_behind_ns),
            commands: command_in,
            outputs,
            // Of this process's own: while a share stands, a firm with sessions in both has its budget in each.
            budgets: FirmBudgets::default(),
            // Firms' own ports are the exchange's.
            ports: FirmPorts::default(),
            desk: verifier.desk(),
            say,
        };
        let (adopt, adopted) = crossbeam_channel::bounded(SOCKETS);
        // It is bound for the moment only: what it serves is handed to it.
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let door = match args.door {
            Which::Ouch => {
                let mut settings = ouch_config(config);
                settings.door.listen = listen;
                let mut door = OuchDoor::open(settings, parts)?;
                door.transcribe();
                door.adopt(adopted);
                AnyDoor::Ouch(Box::new(door))
            }
            Which::Fix => {
                let mut settings = fix_config(config);
                settings.door.listen = listen;
                let mut door = FixDoor::open(settings, parts)?;
                door.transcribe();
                door.adopt(adopted);
                AnyDoor::Fix(Box::new(door))
            }
        };
        let inlet = Inlet::open(&socket, adopt)?;
        Ok(Self {
            which: args.door,
            engine: Engine::new(Limits::default()),
            door,
            last: SequenceNumber(0),
            live: false,
            writer,
            gate,
            waiting: VecDeque::new(),
            commands,
            cost: Cost::new(),
            #[cfg(feature = "defects")]
            defect: args.defect,
            said: Instant::now(),
            lines,
            _verifier: verifier,
            _inlet: inlet,
            socket,
        })
    }

    /// Puts what waits into the ring, as far as there is room.
    fn write(&mut self) {
        while let Some(output) = self.waiting.front()
            && self.writer.write(*output).is_ok()
        {
            self.waiting.pop_front();
        }
        self.writer.publish();
    }
}

impl Serves for Served {
    const AFTERWARDS: &'static str = "its sessions come in by the exchange's own door again";

    fn follow(&mut self, command: &Sequenced<Command>) {
        let Self {
            engine,
            door,
            live,
            waiting,
            last,
            ..
        } = self;
        *last = command.seq;
        #[cfg(feature = "defects")]
        let defect = self.defect;
        apply_shown(engine, command, |output| match live {
            #[cfg(feature = "defects")]
            true => waiting.push_back(defect.shown(*output)),
            #[cfg(not(feature = "defects"))]
            true => waiting.push_back(*output),
            false => door.replay(output),
        });
        self.write();
    }

    fn last(&self) -> SequenceNumber {
        self.last
    }

    /// A door that is slower than the stream is behind in the journal, and holds no more memory for it.
    fn has_room(&self) -> bool {
        self.waiting.is_empty()
    }

    fn open(&mut self, follower: &mut Follower) {
        self.live = true;
        let (door, path) = (self.which.door(), self.socket.0.display().to_string());
        follower.testify(&Testify::Opens { door, path }.encode());
    }

    fn cost(&mut self) -> &mut Cost {
        &mut self.cost
    }

    /// One turn of the door; what its members ask for goes to the exchange.
    fn turn(&mut self, follower: &mut Follower, _: usize) -> usize {
        self.write();
        let mut moved = self.gate.poll(EVENT_RING, |_| true);
        if !self.live {
            return moved;
        }
        self.cost.begin();
        moved += self.door.poll();
        let mut commands = Vec::new();
        while commands.len() < COMMANDS_MAX
            && let Ok(command) = self.commands.pop()
        {
            commands.push(command);
        }
        #[cfg(feature = "defects")]
        if !commands.is_empty() {
            self.defect.turn(self.cost.so_far_ns());
        }
        self.cost.end(commands.len() as u64);
        if !commands.is_empty() {
            follower.testify(&Testify::Commands(commands).encode());
        }
        if self.said.elapsed() >= HEALTH {
            self.said = Instant::now();
            let said = self.door.take_transcripts();
            let said = said.into_iter().map(|(window, hash)| Transcript { window, hash });
            for said in said.collect::<Vec<_>>().chunks(TRANSCRIPTS) {
                follower.testify(&Testify::Said(said.to_vec()).encode());
            }
            self.say_health(follower);
            while let Ok(line) = self.lines.try_recv() {
                out::complain(format_args!("{line}"));
            }
        }
        follower.flush();
        moved
    }

    /// What the exchange said is still told.
    fn leave(mut self, follower: &mut Follower) -> Result<()> {
        let control = self.door.control();
        control.close();
        let begun = Instant::now();
        while self.live && !control.is_closed() && begun.elapsed() < FAREWELL {
            if self.turn(follower, 0) == 0 {
                std::thread::sleep(IDLE);
            }
        }
        Ok(())
    }

    /// Says goodbye to every member, and waits until the stream knows of it.
    fn close(mut self, follower: &mut Follower) -> Result<()> {
        let control = self.door.control();
        control.close();
        let begun = Instant::now();
        while self.live && !control.is_closed() && begun.elapsed() < PATIENCE {
            while self.has_room()
                && let Some(news) = follower.poll()?
            {
                match news {
                    News::Command(command) => self.follow(&command),
                    News::Lost(_) => return Ok(()),
                    _ => {}
                }
            }
            if self.turn(follower, 0) == 0 {
                std::thread::sleep(IDLE);
            }
        }
        Ok(())
    }
}

/// Where sockets are taken, removed when it is dropped.
struct InletPath(PathBuf);

impl Drop for InletPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A thread that takes sockets for the door.
struct Inlet {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Inlet {
    /// Beside the key, in a folder that only its owner reaches.
    fn path(key: &Path) -> Result<InletPath> {
        let folder = key.parent().filter(|folder| !folder.as_os_str().is_empty());
        let path = folder
            .unwrap_or(Path::new("."))
            .join(format!("door-{}.sock", std::process::id()));
        Ok(InletPath(std::path::absolute(path)?))
    }

    fn open(path: &InletPath, adopt: crossbeam_channel::Sender<TcpStream>) -> Result<Self> {
        let InletPath(path) = path;
        let socket = UnixDatagram::bind(path).with_context(|| {
            format!(
                "cannot take sockets at {}: the key's folder must be writable and its path short",
                path.display()
            )
        })?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let mine = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("inlet".to_owned());
        let thread = thread.spawn(move || {
            while !mine.load(Ordering::Relaxed) {
                // Nothing came, or something that is no socket.
                if let Ok(Some(stream)) = hand::receive(&socket)
                    && adopt.send(stream).is_err()
                {
                    return;
                }
            }
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It may wait for a door that takes nothing any more: the process ends.
        drop(self.thread.take());
    }
}
