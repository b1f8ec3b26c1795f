//! The processes that a canary starts, and how they end.

use super::edge_run::{BASELINE, CANDIDATE};
use crate::engine::breath;
use anyhow::{Context as _, Result};
use rialto_ring::layout::off_the_path;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Starts a process from a thread that was put where the process is to be: what is measured against each other has the same
/// cores, and not those of the path, where one of the two would be in its way.
pub(super) fn spawn_from(place: fn(), command: &mut Command) -> Result<Child> {
    let spawn = || {
        place();
        command.spawn()
    };
    let child = std::thread::scope(|scope| scope.spawn(spawn).join());
    let child = child.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    child.with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// How long processes may take to say goodbye.
const LET_GO: Duration = Duration::from_secs(1);

/// The processes of a run; all clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Children(Arc<Mutex<Vec<(String, Child)>>>);

impl Children {
    /// Starts one, as what `role` is called on the command line.
    pub(super) fn start(&self, role: &str, name: &str, executable: &Path, args: &[String]) -> Result<()> {
        let mut command = Command::new(executable);
        command
            .arg(role)
            .args(["--name", name])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = spawn_from(off_the_path, &mut command)?;
        self.lock().push((name.to_owned(), child));
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(String, Child)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the one of this name has ended, if it has.
    pub(super) fn status_of(&self, wanted: &str) -> Option<ExitStatus> {
        let mut all = self.lock();
        let (_, child) = all.iter_mut().find(|(name, _)| name == wanted)?;
        child.try_wait().ok()?
    }

    /// The first that has ended.
    pub(super) fn ended(&self) -> Option<String> {
        let mut all = self.lock();
        let mut ended = all
            .iter_mut()
            .filter_map(|(name, child)| Some((name, child.try_wait().ok()??)));
        ended.next().map(|(name, status)| format!("{name} ended: {status}"))
    }

    /// Ends those of this name.
    pub(super) fn end_one(&self, wanted: &str) {
        self.lock().retain_mut(|(name, child)| {
            let keep = name != wanted;
            if !keep {
                let _ = child.kill();
                let _ = child.wait();
            }
            keep
        });
    }

    /// Lets all end by themselves for a moment, and then ends them.
    pub(super) fn let_go(&self) {
        let begun = Instant::now();
        while begun.elapsed() < LET_GO {
            let mut all = self.lock();
            if all.iter_mut().all(|(_, child)| matches!(child.try_wait(), Ok(Some(_)))) {
                break;
            }
            drop(all);
            std::thread::sleep(Duration::from_millis(10));
        }
        self.end();
    }

    /// Ends all.
    pub(super) fn end(&self) {
        for (_, mut child) in self.lock().drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The two processes of a run, to be started as often as need be.
pub(super) struct Pair {
    pub(super) build: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) address: SocketAddr,
    pub(super) key: PathBuf,
}

impl Pair {
    /// Where they find the exchange.
    pub(super) fn at(&self) -> [String; 4] {
        let (address, key) = (self.address.to_string(), self.key.display().to_string());
        ["--follow".to_owned(), address, "--key".to_owned(), key]
    }

    pub(super) fn start(&self, children: &Children) -> Result<()> {
        // What an earlier one left that was ended in the middle of a command says nothing of this one.
        for name in [CANDIDATE, BASELINE] {
            let _ = std::fs::remove_file(breath::path(&self.key, name));
        }
        let args = self.at().to_vec();
        let baseline = [args.clone(), vec!["--baseline".to_owned()]].concat();
        let candidate = [args, self.args.clone()].concat();
        children.start("engine", BASELINE, Path::new("/proc/self/exe"), &baseline)?;
        children.start("engine", CANDIDATE, &self.build, &candidate)
    }
}
