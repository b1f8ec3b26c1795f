//! The administration socket: how questions reach a running exchange.
//!
//! `admin.sock` in the data folder, a Unix stream socket that only its owner may open (mode 0600). One connection carries
//! one request and one reply, each a line of JSON: a [`Request`], then `{"ok":{..}}` with an [`Answer`] or
//! `{"error":".."}`. It is served by threads of its own that read the journal as any follower does: no stage ever waits
//! for it. Requests are bounded in bytes, in time and in number.

use super::{Answer, Request, World};
use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The socket's name in a data folder.
const NAME: &str = "admin.sock";
/// Bytes of a request; a longer one is refused.
const REQUEST_BYTES_MAX: u64 = 4_096;
/// Bytes of a reply; a longer one is replaced by an error.
const REPLY_BYTES_MAX: u64 = 64 << 20;
/// Requests served at one time; another is told to come again.
const REQUESTS_AT_ONCE_MAX: usize = 4;
/// How long a request may take to come in, and a reply to go out.
const TRANSFER_MAX: Duration = Duration::from_secs(5);
/// How long who asks waits for the answer.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// How often the thread looks for a request.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Ok(Answer),
    Error(String),
}

/// The serving side, until dropped.
pub(crate) struct Server {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Begins to serve in a folder whose journal is this process's: a socket that is there was left by one that is gone.
    pub(crate) fn open(data: &Path, world: Arc<World>) -> Result<Self> {
        let path = data.join(NAME);
        let listener = bind(data, &path).with_context(|| format!("cannot open {}", path.display()))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
            // Who answers is made by this thread, and is as nice.
            rialto_ring::layout::beside_the_path();
            serve(&listener, &world, &stopped);
        })?;
        Ok(Self {
            path,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    /// What is being answered is left to its own thread, which ends with the process.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}

/// Nobody else may open the socket at any moment: it gets its name when it has its mode.
fn bind(data: &Path, path: &Path) -> Result<UnixListener> {
    let folder = File::open(data)?;
    let unnamed = format!("{NAME}.new-{}", std::process::id());
    let _ = fs::remove_file(data.join(&unnamed));
    let listener = UnixListener::bind(short(&folder, &unnamed))?;
    fs::set_permissions(data.join(&unnamed), Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    fs::rename(data.join(&unnamed), path)?;
    Ok(listener)
}

/// A path of a file in an open folder that fits into a socket's address however long the folder's own is.
fn short(folder: &File, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
}

fn serve(listener: &UnixListener, world: &Arc<World>, stop: &AtomicBool) {
    let busy = Arc::new(AtomicUsize::new(0));
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => take(stream, world, &busy),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}

fn take(mut stream: UnixStream, world: &Arc<World>, busy: &Arc<AtomicUsize>) {
    let _ = stream.set_nonblocking(false);
    let _ = stream.set_write_timeout(Some(TRANSFER_MAX));
    if busy.fetch_add(1, Ordering::AcqRel) >= REQUESTS_AT_ONCE_MAX {
        busy.fetch_sub(1, Ordering::AcqRel);
        let error = format!("{REQUESTS_AT_ONCE_MAX} requests are being answered already: ask again soon");
        let _ = reply(&mut stream, &Reply::Error(error));
        return;
    }
    let (world, done) = (Arc::clone(world), Arc::clone(busy));
    let answering = std::thread::Builder::new().name("answer".to_owned()).spawn(move || {
        // A panic in here must not keep its place taken.
        let _place = Place(done);
        let answered = read_line(&stream).and_then(|line| world.answer(&serde_json::from_str(&line)?));
        let said = answered.map_or_else(|error| Reply::Error(format!("{error:#}")), Reply::Ok);
        let _ = reply(&mut stream, &said);
    });
    if answering.is_err() {
        busy.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request that has come in time: a byte now and then does not hold the place for ever.
fn read_line(stream: &UnixStream) -> Result<String> {
    let deadline = Instant::now() + TRANSFER_MAX;
    let mut line = Vec::new();
    let mut source: &UnixStream = stream;
    while !line.ends_with(b"\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!("no whole request came within {TRANSFER_MAX:?}");
        }
        if line.len() as u64 >= REQUEST_BYTES_MAX {
            bail!("the request is longer than {REQUEST_BYTES_MAX} bytes");
        }
        stream.set_read_timeout(Some(left))?;
        let mut piece = [0; 512];
        let came = source.read(&mut piece).context("no whole request came")?;
        if came == 0 {
            break;
        }
        line.extend_from_slice(piece.get(..came).unwrap_or_default());
    }
    Ok(String::from_utf8(line)?)
}

fn reply(stream: &mut UnixStream, said: &Reply) -> Result<()> {
    let mut bytes = serde_json::to_vec(said)?;
    if bytes.len() as u64 >= REPLY_BYTES_MAX {
        let error = format!("the answer is longer than {REPLY_BYTES_MAX} bytes: ask for less of it");
        bytes = serde_json::to_vec(&Reply::Error(error))?;
    }
    bytes.push(b'\n');
    stream.write_all(&bytes)?;
    Ok(())
}

/// Asks the exchange that runs on a folder; `None` where none does.
pub(crate) fn ask(data: &Path, request: &Request) -> Result<Option<Answer>> {
    let Ok(folder) = File::open(data) else {
        return Ok(None);
    };
    let mut stream = match UnixStream::connect(short(&folder, NAME)) {
        Ok(stream) => stream,
        // No socket, or one that nobody listens at any more.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            let path = data.join(NAME);
            return Err(error).with_context(|| format!("cannot reach the exchange at {}", path.display()));
        }
    };
    stream.set_write_timeout(Some(TRANSFER_MAX))?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut said = String::new();
    let read = BufReader::new(stream.take(REPLY_BYTES_MAX)).read_line(&mut said);
    read.context("the exchange did not answer")?;
    match serde_json::from_str(&said).context("the exchange stopped in the middle of its answer: ask again")? {
        Reply::Ok(answer) => Ok(Some(answer)),
        Reply::Error(error) => bail!("{error}"),
    }
}
