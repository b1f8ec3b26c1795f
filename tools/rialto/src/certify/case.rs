//! A case as its file says it: see `tools/rialto/cases/SPEC.md`.

use crate::ask::Act;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

/// Bytes of a case's file; a longer one is none.
const CASE_BYTES_MAX: u64 = 256 << 10;
/// Cases of one run.
pub(super) const CASES_MAX: usize = 1_000;

/// The set that comes with the binary.
const OURS: [(&str, &str); 15] = [
    ("fix-logon", include_str!("../../cases/fix-logon.toml")),
    ("fix-gap", include_str!("../../cases/fix-gap.toml")),
    ("fix-resend", include_str!("../../cases/fix-resend.toml")),
    ("fix-reject", include_str!("../../cases/fix-reject.toml")),
    (
        "fix-cancel-on-disconnect",
        include_str!("../../cases/fix-cancel-on-disconnect.toml"),
    ),
    ("fix-halt", include_str!("../../cases/fix-halt.toml")),
    ("fix-auction", include_str!("../../cases/fix-auction.toml")),
    ("fix-kill-switch", include_str!("../../cases/fix-kill-switch.toml")),
    ("fix-restart", include_str!("../../cases/fix-restart.toml")),
    ("ouch-logon", include_str!("../../cases/ouch-logon.toml")),
    ("ouch-reject", include_str!("../../cases/ouch-reject.toml")),
    ("ouch-resume", include_str!("../../cases/ouch-resume.toml")),
    (
        "ouch-cancel-on-disconnect",
        include_str!("../../cases/ouch-cancel-on-disconnect.toml"),
    ),
    ("ouch-halt", include_str!("../../cases/ouch-halt.toml")),
    ("ouch-restart", include_str!("../../cases/ouch-restart.toml")),
];

/// A scripted case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The name of its file.
    #[serde(skip)]
    pub(super) name: String,
    /// What it tries, for people.
    pub(super) title: String,
    /// Which door the client comes by.
    pub(super) door: Door,
    /// Whether the client's orders go with its connection.
    #[serde(default)]
    pub(super) cancel_on_disconnect: bool,
    /// What the client must not send, from the first step to the last.
    #[serde(default)]
    pub(super) never: Vec<Want>,
    #[serde(rename = "step")]
    pub(super) steps: Vec<Step>,
}

/// An order-entry protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Door {
    Fix,
    Ouch,
}

impl Door {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fix => "fix",
            Self::Ouch => "ouch",
        }
    }
}

/// One thing that is done or waited for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Step {
    /// Tells the client, or who sits at it, what to do.
    Ask(String),
    /// Waits until the client has sent this, or one of these.
    ClientSends(Wants),
    /// Waits until the venue has sent this, or one of these.
    VenueSends(Wants),
    /// The next message like this does not arrive. It counts as sent.
    Lose(Lose),
    /// The connection breaks.
    Cut(bool),
    /// An act of the venue's operator, as `rialto operate` takes it.
    Operate(Act),
    /// Another member sends an order.
    Rival(Rival),
    /// The venue is killed, as by `kill -9`.
    KillVenue(bool),
    /// The venue starts again on what it left.
    StartVenue(bool),
    /// Waits until the book has so many price levels.
    Book(Book),
}

/// One description or several, any of which will do.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Wants {
    One(Want),
    AnyOf(Vec<Want>),
}

impl Wants {
    pub(super) fn as_slice(&self) -> &[Want] {
        match self {
            Self::One(want) => std::slice::from_ref(want),
            Self::AnyOf(wants) => wants,
        }
    }
}

/// What a message is like.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Want {
    /// FIX MsgType(35); SoupBinTCP packet type, or OUCH message type within one.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Fields and what is to stand in them.
    #[serde(default)]
    pub(super) with: BTreeMap<String, String>,
    /// Why it is wanted; said where it does not come.
    #[serde(default)]
    pub(super) why: String,
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        for (name, value) in &self.with {
            write!(f, " {name}={value}")?;
        }
        if self.why.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", self.why)
    }
}

/// A message that gets lost on the way.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lose {
    /// Whose.
    pub(super) from: From,
    /// What it is like; a name that stands for a value may not be used here.
    pub(super) message: Want,
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum From {
    Client,
    Venue,
}

/// An order of another member.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rival {
    pub(super) side: String,
    pub(super) quantity: u64,
    pub(super) symbol: String,
    pub(super) price: String,
}

/// How many price levels a book has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    pub(super) symbol: String,
    pub(super) bids: Option<usize>,
    pub(super) asks: Option<usize>,
}

impl Case {
    fn parse(name: &str, text: &str) -> Result<Self> {
        let case: Self = toml::from_str(text).with_context(|| format!("{name} is no case"))?;
        ensure!(!case.steps.is_empty(), "{name} has no steps");
        for step in &case.steps {
            let off = matches!(
                step,
                Step::Cut(false) | Step::KillVenue(false) | Step::StartVenue(false)
            );
            ensure!(!off, "{name}: a step that is not to be done is left out, not false");
            if let Step::Lose(lose) = step {
                let named = lose.message.with.values().any(|value| value.contains('$'));
                ensure!(
                    !named,
                    "{name}: a lost message is not described by names that stand for values"
                );
            }
        }
        Ok(Self {
            name: name.to_owned(),
            ..case
        })
    }

    /// The cases of a folder or a file, or those of ours whose names begin so; all of ours where nothing is said.
    pub(super) fn find(what: Option<&Path>) -> Result<Vec<Self>> {
        let Some(path) = what else {
            return Self::ours("");
        };
        if path.is_dir() {
            let mut files: Vec<_> = fs::read_dir(path)?
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|end| end == "toml"))
                .collect();
            files.sort();
            ensure!(!files.is_empty(), "{} holds no *.toml", path.display());
            ensure!(
                files.len() <= CASES_MAX,
                "over CASES_MAX {CASES_MAX} cases: give them in parts"
            );
            return files.iter().map(|path| Self::load(path)).collect();
        }
        if path.is_file() {
            return Ok(vec![Self::load(path)?]);
        }
        let found = Self::ours(&path.to_string_lossy())?;
        let names = || OURS.map(|(name, _)| name).join(", ");
        ensure!(
            !found.is_empty(),
            "{} is no file, no folder and no beginning of {}",
            path.display(),
            names()
        );
        Ok(found)
    }

    fn ours(beginning: &str) -> Result<Vec<Self>> {
        let chosen = OURS.iter().filter(|(name, _)| name.starts_with(beginning));
        chosen.map(|(name, text)| Self::parse(name, text)).collect()
    }

    fn load(path: &Path) -> Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let bytes = fs::metadata(path)?.len();
        ensure!(
            bytes <= CASE_BYTES_MAX,
            "{} is longer than {CASE_BYTES_MAX} bytes",
            path.display()
        );
        Self::parse(&name, &fs::read_to_string(path)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_ours_is_one_and_ends_by_judging() {
        let cases = Case::find(None).unwrap();
        assert_eq!(cases.len(), OURS.len());
        for case in cases {
            assert!(case.name.starts_with(case.door.name()), "{}", case.name);
            let judges = matches!(
                case.steps.last(),
                Some(Step::ClientSends(_) | Step::VenueSends(_) | Step::Book(_))
            );
            assert!(judges, "{} ends without a judgement", case.name);
        }
        let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")).unwrap();
        let files = files.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "toml");
        assert_eq!(files.count(), OURS.len(), "a case that is not in the binary");
    }

    #[test]
    fn what_is_no_case_is_refused_with_its_place() {
        let complaint = |text: &str| format!("{:#}", Case::parse("mine", text).unwrap_err());
        let head = "title = \"t\"\ndoor = \"fix\"\n";
        assert!(complaint(head).contains("step"));
        assert!(complaint(&format!("{head}[[step]]\ndance = true\n")).contains("dance"));
        let lose = "[[step]]\nlose = { from = \"client\", message = { type = \"D\", with = { \"11\" = \"$a\" } } }\n";
        assert!(complaint(&format!("{head}{lose}")).contains("names"));
        assert!(format!("{:#}", Case::find(Some(Path::new("nowhere"))).unwrap_err()).contains("fix-logon"));
    }
}
