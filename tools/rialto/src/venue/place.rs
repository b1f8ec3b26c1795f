//! Where private venues live: a folder of folders, each with a charter, a lock and what its process last said.
//!
//! `VENUES/NAME/venue.json` is the charter, `data` the data folder as any exchange's, `said.jsonl` what the process printed since
//! its last start (the first line its ports, the last its end), `log` what it complained of, and `lock` is held for as long as a
//! process is the venue: the system lets go of it however that one ends. `VENUES/.ids` gives out venue ids, one at a time.

use crate::up::demo::Ports;
use anyhow::{Context as _, Result, bail, ensure};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Characters of a name.
pub(super) const NAME_MAX: usize = 32;
/// The ids that private venues have. Sessions of OUCH and of the feed are named by two digits of it, so that no two venues
/// of a folder may share those; 1 is that of an ordinary exchange. So one folder holds 98 venues; another is refused.
pub(super) const IDS: std::ops::RangeInclusive<u32> = 2..=99;
/// Bytes of what is read of a venue's last words.
const SAID_MAX: u64 = 1 << 20;

/// How long nobody's look at a lock takes.
const LOOKING_MAX: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

/// What a venue is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Charter {
    pub(super) venue: u32,
    /// Whether it was ever made: a creation that was cut off left the rest undone.
    pub(super) made: bool,
    pub(super) origin: Option<Origin>,
    pub(super) agents: usize,
    pub(super) seed: u64,
    pub(super) scenario: Option<String>,
    pub(super) durability: String,
    /// The trading day that it stays in, days since 1970; without one it follows the clock.
    pub(super) day: Option<u32>,
    pub(super) clock_behind_ns: u64,
    /// Those it had last, which it looks for first when it is started again.
    pub(super) ports: Ports,
}

/// What it began as a copy of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) data: PathBuf,
    /// The last command that was copied.
    pub(super) at: u64,
    /// The state of the market there.
    pub(super) state_hash: String,
}

/// How a venue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// A process has it and its doors are open.
    Running,
    /// A process has it, whose doors are not open yet.
    Opening,
    /// No process has it.
    Stopped,
    /// It was never made: its creation was cut off.
    Unfinished,
}

/// A folder of venues.
pub(super) struct Venues(PathBuf);

/// One of them.
pub(super) struct Place {
    pub(super) name: String,
    folder: PathBuf,
}

/// Held by who is the venue, or does what nobody may while one is.
pub(super) struct Held(File);

impl Venues {
    /// The folder that was given, or `rialto/venues` under the user's data directory.
    pub(super) fn at(given: Option<&Path>) -> Result<Self> {
        let folder = match given {
            Some(folder) => std::path::absolute(folder)?,
            None => std::env::var_os("XDG_DATA_HOME")
                .filter(|home| !home.is_empty())
                .map(PathBuf::from)
                .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share")))
                .context("neither XDG_DATA_HOME nor HOME is set: say with --venues where venues live")?
                .join("rialto/venues"),
        };
        Ok(Self(folder))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// A venue that is there.
    pub(super) fn find(&self, name: &str) -> Result<Place> {
        let place = self.place(name)?;
        ensure!(
            place.folder.is_dir(),
            "there is no venue {name:?} in {}: see rialto venue ls",
            self.0.display()
        );
        Ok(place)
    }

    /// All of them, by name.
    pub(super) fn all(&self) -> Result<Vec<Place>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.0.display())),
        };
        let mut names = BTreeSet::new();
        for entry in entries {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && check_name(&name).is_ok()
                && entry.path().is_dir()
            {
                names.insert(name);
            }
        }
        names.iter().map(|name| self.place(name)).collect()
    }

    /// Takes the name and a venue id that nobody else has; one creation at a time.
    pub(super) fn reserve(&self, name: &str, charter: impl FnOnce(u32) -> Charter) -> Result<(Place, Charter, Held)> {
        let place = self.place(name)?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .with_context(|| format!("cannot make {}", self.0.display()))?;
        let path = self.0.join(".ids");
        let mut ids = open(&path)?;
        ids.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        let mut taken = BTreeSet::new();
        for one in self.all()? {
            // A charter that cannot be read may have any id; its folder says so when it is listed.
            if let Ok(charter) = one.charter() {
                taken.insert(charter.venue);
            }
        }
        let mut last = String::new();
        ids.read_to_string(&mut last)?;
        let last = last
            .trim()
            .parse()
            .ok()
            .filter(|last| IDS.contains(last))
            .unwrap_or(*IDS.end());
        // An id comes again as late as may be.
        let mut next = (last + 1..=*IDS.end()).chain(*IDS.start()..=last);
        let id = next.find(|id| !taken.contains(id)).with_context(|| {
            let most = IDS.count();
            format!(
                "{} holds {most} venues, and no more have names of their own: drop one",
                self.0.display()
            )
        })?;
        match fs::DirBuilder::new().mode(0o700).create(&place.folder) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!("there is a venue {name:?} already: start it, drop it, or give another name")
            }
            Err(error) => return Err(error).with_context(|| format!("cannot make {}", place.folder.display())),
        }
        let charter = charter(id);
        place.write(&charter)?;
        let held = place
            .hold_soon()?
            .context("somebody took the venue before it was made")?;
        ids.rewind()?;
        ids.set_len(0)?;
        write!(ids, "{id}")?;
        Ok((place, charter, held))
    }

    fn place(&self, name: &str) -> Result<Place> {
        check_name(name)?;
        Ok(Place {
            name: name.to_owned(),
            folder: self.0.join(name),
        })
    }
}

impl Place {
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn said_path(&self) -> PathBuf {
        self.folder.join("said.jsonl")
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(super) fn charter(&self) -> Result<Charter> {
        let path = self.folder.join("venue.json");
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is no charter of a venue", path.display()))
    }

    /// Whole or not at all.
    pub(super) fn write(&self, charter: &Charter) -> Result<()> {
        let (path, new) = (self.folder.join("venue.json"), self.folder.join("venue.json.new"));
        fs::write(&new, serde_json::to_vec_pretty(charter)?)
            .and_then(|()| fs::rename(&new, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The lock, where nobody has it.
    pub(super) fn hold(&self) -> Result<Option<Held>> {
        let path = self.folder.join("lock");
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    /// The lock, soon: who only looks whether somebody has it has it himself for a moment.
    pub(super) fn hold_soon(&self) -> Result<Option<Held>> {
        let begun = Instant::now();
        loop {
            match self.hold()? {
                None if begun.elapsed() < LOOKING_MAX => std::thread::sleep(LOOK),
                held => return Ok(held),
            }
        }
    }

    /// Waits for its turn to start the process: two that start one venue at a time would write over each other's files.
    pub(super) fn turn(&self) -> Result<File> {
        let path = self.folder.join("starting");
        let file = open(&path)?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }

    /// The process that is the venue.
    pub(super) fn process(&self) -> Result<Option<Pid>> {
        if self.hold()?.is_some() {
            return Ok(None);
        }
        let number = fs::read_to_string(self.folder.join("lock"))?;
        Ok(number.trim().parse().ok().map(Pid::from_raw))
    }

    /// The first thing that its process said: where it is to be found.
    pub(super) fn ready(&self) -> Option<Value> {
        let text = self.said();
        let (line, _) = text.split_once('\n')?;
        serde_json::from_str(line).ok()
    }

    /// The last thing that it said, if that is its end.
    pub(super) fn ended(&self) -> Option<Value> {
        let said: Value = serde_json::from_str(self.said().lines().last()?).ok()?;
        said.get("stopped").is_some().then_some(said)
    }

    fn said(&self) -> String {
        let mut text = String::new();
        if let Ok(file) = File::open(self.said_path()) {
            // What is no text is nothing that it said.
            let _ = file.take(SAID_MAX).read_to_string(&mut text);
        }
        text
    }

    /// How it stands, by who holds it.
    pub(super) fn standing(&self, charter: &Charter) -> Result<Standing> {
        let free = self.hold()?.is_some();
        Ok(match (free, charter.made) {
            (true, true) => Standing::Stopped,
            (true, false) => Standing::Unfinished,
            (false, true) if self.ready().is_some() && self.ended().is_none() => Standing::Running,
            (false, _) => Standing::Opening,
        })
    }

    /// Everything of it, at once for everybody else: it loses its name first.
    pub(super) fn remove(self, held: Held) -> Result<()> {
        let gone = self
            .folder
            .with_file_name(format!(".dropped-{}-{}", self.name, std::process::id()));
        fs::rename(&self.folder, &gone)
            .and_then(|()| fs::remove_dir_all(&gone))
            .with_context(|| format!("cannot remove {}", self.folder.display()))?;
        drop(held);
        Ok(())
    }
}

impl Held {
    /// Says whose it is.
    pub(super) fn sign(&mut self) -> Result<()> {
        self.0.rewind()?;
        self.0.set_len(0)?;
        writeln!(self.0, "{}", std::process::id())?;
        Ok(())
    }
}

fn open(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    ensure!(
        begins && name.len() <= NAME_MAX && name.chars().all(plain),
        "{name:?} is no name of a venue: give 1 to {NAME_MAX} of a-z, 0-9, - and _, the first a letter or a digit"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charter(venue: u32) -> Charter {
        Charter {
            venue,
            made: false,
            origin: None,
            agents: 0,
            seed: 1,
            scenario: None,
            durability: "memory".to_owned(),
            day: None,
            clock_behind_ns: 0,
            ports: Ports::ANY,
        }
    }

    #[test]
    fn names_that_are_no_folder_of_ours_are_refused() {
        for good in ["a", "7", "class-2026_a", &"x".repeat(NAME_MAX)] {
            check_name(good).expect(good);
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "../a",
            "-a",
            "_a",
            "A",
            "a b",
            "é",
            &"x".repeat(NAME_MAX + 1),
        ] {
            let error = check_name(bad).expect_err(bad).to_string();
            assert!(error.contains("1 to 32"), "{error}");
        }
    }

    #[test]
    fn ids_are_given_once_and_come_again_as_late_as_may_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let venues = Venues::at(Some(folder.path())).expect("a place");
        for id in IDS {
            let (place, _, held) = venues.reserve(&format!("v{id}"), charter).expect("room");
            assert_eq!(place.charter().expect("it is there").venue, id);
            assert_eq!(place.standing(&charter(id)).expect("it reads"), Standing::Opening);
            drop(held);
            assert_eq!(place.standing(&charter(id)).expect("it reads"), Standing::Unfinished);
        }
        let refused = |name| venues.reserve(name, charter).err().expect("refused").to_string();
        assert!(refused("one-more").contains("holds 98 venues"));
        assert_eq!(venues.all().expect("it reads").len(), 98);
        for name in ["v50", "v60"] {
            let place = venues.find(name).expect("it is there");
            let held = place.hold().expect("it locks").expect("free");
            place.remove(held).expect("it goes");
        }
        // The next behind the last that was given, which was 99.
        assert_eq!(venues.reserve("again", charter).expect("room").1.venue, 50);
        assert!(refused("again").contains("already"));
        assert_eq!(venues.reserve("more", charter).expect("room").1.venue, 60);
    }
}
