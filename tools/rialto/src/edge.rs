//! Flags of the edge: for gateway, feed and console, by the rules of OpenFeature (openfeature.dev/specification): typed, with a
//! default that always is, never an exception, and with a reason and a variant.
//!
//! The provider reads `edge-flags.toml` in the data folder, again when it has changed; without the file, and for what it does
//! not name, the defaults of the registry hold. A file that is wrong costs nobody a default. The stream knows nothing of all
//! this: a flag that may change an output is a sequenced one.
//!
//! ```toml
//! ["console.order-entry"]
//! is = "off"                            # for everyone
//! targets = { alice = "on" }            # for a subject (the targeting key)
//! share = { percent = 25, is = "on" }   # for a share of the subjects, always the same ones
//! ```

use async_trait::async_trait;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ResolutionDetails};
use open_feature::{
    Client, EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationReason, EvaluationResult, OpenFeature,
    StructValue,
};
use rialto_model::flags::{self, Flag, Kind, Scope, TABLE, bucket};
use rialto_web::{Evaluated, NoAnswer};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The file's name in a data folder.
pub(crate) const FILE: &str = "edge-flags.toml";
/// The largest file that is read.
const BYTES_MAX: u64 = 64 << 10;
/// How often one looks whether it has changed.
const LOOK: Duration = Duration::from_secs(1);

/// What the file says of one flag.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Setting {
    is: Option<Value>,
    targets: BTreeMap<String, Value>,
    share: Option<Share>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    percent: u32,
    is: Value,
}

type Settings = BTreeMap<String, Setting>;

/// The provider.
#[derive(Debug)]
pub(crate) struct FileProvider {
    metadata: ProviderMetadata,
    path: PathBuf,
    read: Mutex<Read>,
}

/// The file as it was read last.
#[derive(Debug)]
struct Read {
    looked: Option<Instant>,
    changed: Option<SystemTime>,
    settings: Result<Settings, String>,
}

impl FileProvider {
    fn new(data: &Path) -> Self {
        let none = Read {
            looked: None,
            changed: None,
            settings: Ok(Settings::new()),
        };
        Self {
            metadata: ProviderMetadata::new("rialto edge-flags.toml"),
            path: data.join(FILE),
            read: Mutex::new(none),
        }
    }

    /// What the file says of a flag.
    fn setting(&self, key: &str) -> Result<Setting, NoAnswer> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            read.looked = Some(Instant::now());
            let metadata = std::fs::metadata(&self.path).ok();
            let changed = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
            if changed != read.changed || metadata.is_none() {
                read.changed = changed;
                read.settings = match metadata {
                    None => Ok(Settings::new()),
                    Some(metadata) if metadata.len() > BYTES_MAX => Err(format!("it is over {BYTES_MAX} bytes")),
                    Some(_) => load(&self.path),
                };
            }
        }
        match &read.settings {
            Ok(settings) => Ok(settings.get(key).cloned().unwrap_or_default()),
            Err(error) => Err(NoAnswer::new("PARSE_ERROR", format!("{FILE}: {error}"))),
        }
    }

    /// The answer for a subject.
    fn resolve(&self, key: &str, subject: Option<&str>) -> Result<Evaluated, NoAnswer> {
        let Some(flag) = edge_flag(key) else {
            return Err(NoAnswer::new(
                "FLAG_NOT_FOUND",
                format!("no flag of the edge is called {key:?}"),
            ));
        };
        let setting = self.setting(key)?;
        if let Some(value) = subject.and_then(|subject| setting.targets.get(subject)) {
            return typed(flag, value, "TARGETING_MATCH");
        }
        if let Some(share) = &setting.share {
            let Some(subject) = subject else {
                return Err(NoAnswer::new(
                    "TARGETING_KEY_MISSING",
                    format!("{key} is decided for a share of subjects"),
                ));
            };
            if bucket(flag.number, fnv(subject)) < share.percent * 100 {
                return typed(flag, &share.is, "SPLIT");
            }
        }
        match &setting.is {
            Some(value) => typed(flag, value, "STATIC"),
            None => Ok(default_of(flag)),
        }
    }
}

impl rialto_web::Flags for FileProvider {
    fn keys(&self) -> Vec<&'static str> {
        let edge = TABLE.iter().filter(|flag| flag.scope == Scope::Edge);
        edge.map(|flag| flag.key).collect()
    }

    fn evaluate(&self, key: &str, targeting_key: Option<&str>) -> Result<Evaluated, NoAnswer> {
        self.resolve(key, targeting_key)
    }
}

fn edge_flag(key: &str) -> Option<&'static Flag> {
    flags::by_key(key).filter(|flag| flag.scope == Scope::Edge)
}

/// Nothing of a file that has a mistake is taken.
fn load(path: &Path) -> Result<Settings, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let settings: Settings = toml::from_str(&text).map_err(|error| error.to_string())?;
    for (key, setting) in &settings {
        let flag = edge_flag(key).ok_or_else(|| format!("no flag of the edge is called {key:?}"))?;
        let share = setting.share.as_ref().map(|share| &share.is);
        for value in setting.is.iter().chain(setting.targets.values()).chain(share) {
            typed(flag, value, "STATIC").map_err(|error| error.details)?;
        }
        if setting.share.as_ref().is_some_and(|share| share.percent > 100) {
            return Err(format!("{key}: a share is over 100 per cent"));
        }
    }
    Ok(settings)
}

/// A value of a flag's type.
fn typed(flag: &Flag, value: &Value, reason: &'static str) -> Result<Evaluated, NoAnswer> {
    let wrong = |wanted: String| NoAnswer::new("PARSE_ERROR", format!("{} is {wanted}, not {value}", flag.key));
    let name = value.as_str();
    match flag.kind {
        Kind::Switch { .. } => {
            let on = value
                .as_bool()
                .or(name.and_then(|name| flag.kind.value(name)).map(|value| value == 1));
            let on = on.ok_or_else(|| wrong("on or off".to_owned()))?;
            Ok(switched(on, reason))
        }
        Kind::Choice { .. } => {
            let known = name.filter(|name| flag.kind.value(name).is_some());
            let name = known.ok_or_else(|| wrong("one of its variants".to_owned()))?;
            Ok(Evaluated {
                value: name.into(),
                variant: name.to_owned(),
                reason,
            })
        }
        Kind::Count { min, max, .. } => {
            let count = value.as_u64().filter(|count| (min..=max).contains(count));
            let count = count.ok_or_else(|| wrong(format!("a number of {min} to {max}")))?;
            Ok(Evaluated {
                value: count.into(),
                variant: "configured".to_owned(),
                reason,
            })
        }
    }
}

fn switched(on: bool, reason: &'static str) -> Evaluated {
    Evaluated {
        value: on.into(),
        variant: if on { "on" } else { "off" }.to_owned(),
        reason,
    }
}

fn default_of(flag: &Flag) -> Evaluated {
    let reason = "DEFAULT";
    match flag.kind {
        Kind::Switch { default } => switched(default, reason),
        Kind::Choice { default, .. } => {
            let name = flag.kind.variant(default).unwrap_or_default();
            Evaluated {
                value: name.into(),
                variant: name.to_owned(),
                reason,
            }
        }
        Kind::Count { default, .. } => Evaluated {
            value: default.into(),
            variant: "default".to_owned(),
            reason,
        },
    }
}

/// A subject's name as a number (FNV-1a, 32 bits).
fn fnv(name: &str) -> u32 {
    let bytes = name.bytes();
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// The provider as the SDK asks it.
struct Asked(Arc<FileProvider>);

impl Asked {
    fn details<T>(
        &self,
        key: &str,
        context: &EvaluationContext,
        take: impl FnOnce(&Value) -> Option<T>,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        let error = |code, message: String| EvaluationError {
            code,
            message: Some(message),
        };
        let found = self.0.resolve(key, context.targeting_key.as_deref()).map_err(|none| {
            let code = match none.code {
                "FLAG_NOT_FOUND" => EvaluationErrorCode::FlagNotFound,
                "TARGETING_KEY_MISSING" => EvaluationErrorCode::TargetingKeyMissing,
                _ => EvaluationErrorCode::ParseError,
            };
            error(code, none.details)
        })?;
        let mismatch = || error(EvaluationErrorCode::TypeMismatch, format!("{key} is {}", found.value));
        Ok(ResolutionDetails {
            value: take(&found.value).ok_or_else(mismatch)?,
            variant: Some(found.variant),
            reason: Some(match found.reason {
                "STATIC" => EvaluationReason::Static,
                "TARGETING_MATCH" => EvaluationReason::TargetingMatch,
                "SPLIT" => EvaluationReason::Split,
                _ => EvaluationReason::Default,
            }),
            flag_metadata: None,
        })
    }
}

#[async_trait]
impl FeatureProvider for Asked {
    fn metadata(&self) -> &ProviderMetadata {
        &self.0.metadata
    }

    async fn resolve_bool_value(
        &self,
        key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.details(key, context, Value::as_bool)
    }

    async fn resolve_int_value(
        &self,
        key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.details(key, context, Value::as_i64)
    }

    /// No flag is one.
    async fn resolve_float_value(
        &self,
        key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.details(key, context, |_| None)
    }

    async fn resolve_string_value(
        &self,
        key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.details(key, context, |value| value.as_str().map(str::to_owned))
    }

    /// No flag is one.
    async fn resolve_struct_value(
        &self,
        key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.details(key, context, |_| None)
    }
}

/// The flags of this process, for who goes by them.
pub(crate) struct Edge {
    provider: Arc<FileProvider>,
    client: Client,
    /// There until the end, and ended then without waiting: whoever drops the last handle may be within another runtime.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Edge {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Edge {
    /// Those of a data folder.
    pub(crate) fn open(data: &Path) -> std::io::Result<Self> {
        let provider = Arc::new(FileProvider::new(data));
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let mut api = OpenFeature::default();
        runtime.block_on(api.set_provider(Asked(Arc::clone(&provider))));
        let client = api.create_client();
        Ok(Self {
            provider,
            client,
            runtime: Some(runtime),
        })
    }

    /// Who answers for others.
    pub(crate) fn provider(&self) -> Arc<FileProvider> {
        Arc::clone(&self.provider)
    }

    /// Whether a switch is on; its default where that cannot be said.
    pub(crate) fn is_on(&self, key: &str) -> bool {
        let asked = self.wait(self.client.get_bool_value(key, None, None));
        let default = || edge_flag(key).is_some_and(|flag| default_of(flag).value == true);
        asked.and_then(Result::ok).unwrap_or_else(default)
    }

    /// The provider answers at once: nothing is waited for.
    fn wait<T>(&self, asked: impl Future<Output = T>) -> Option<T> {
        self.runtime.as_ref().map(|runtime| runtime.block_on(asked))
    }

    /// The number of a count; its default where that cannot be said.
    pub(crate) fn count(&self, key: &str) -> u64 {
        let asked = self.wait(self.client.get_int_value(key, None, None));
        let default = || edge_flag(key).and_then(|flag| default_of(flag).value.as_u64());
        let asked = asked.and_then(Result::ok).and_then(|count| u64::try_from(count).ok());
        asked.or_else(default).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Edge, FILE, FileProvider};
    use rialto_web::Flags as _;
    use serde_json::json;

    fn told(provider: &FileProvider, key: &str, subject: Option<&str>) -> String {
        match provider.evaluate(key, subject) {
            Ok(answer) => format!("{} {} {}", answer.value, answer.variant, answer.reason),
            Err(none) => none.code.to_owned(),
        }
    }

    #[test]
    fn the_file_decides_and_the_default_always_is() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            Edge::open(folder.path()).unwrap()
        };
        let entry = "console.order-entry";
        let none = Edge::open(folder.path()).unwrap();
        assert_eq!(told(&none.provider, entry, None), "true on DEFAULT");
        assert_eq!(told(&none.provider, "feed.heartbeat-ms", None), "1000 default DEFAULT");
        assert_eq!((none.is_on(entry), none.count("feed.heartbeat-ms")), (true, 1_000));
        assert_eq!(told(&none.provider, "no.such", None), "FLAG_NOT_FOUND");
        // A sequenced flag is none of the edge.
        assert_eq!(told(&none.provider, "bands.collar-rounding", None), "FLAG_NOT_FOUND");
        let some = read(
            "[\"console.order-entry\"]\nis = \"off\"\ntargets = { alice = \"on\" }\n[\"feed.heartbeat-ms\"]\nis = 250\n",
        );
        assert_eq!(told(&some.provider, entry, None), "false off STATIC");
        assert_eq!(told(&some.provider, entry, Some("bob")), "false off STATIC");
        assert_eq!(told(&some.provider, entry, Some("alice")), "true on TARGETING_MATCH");
        assert_eq!((some.is_on(entry), some.count("feed.heartbeat-ms")), (false, 250));
        // Of another type than is asked for: the default, and no exception.
        assert!(!some.is_on("feed.heartbeat-ms"));
        assert_eq!(some.count(entry), 0);
        let split = read("[\"console.order-entry\"]\nshare = { percent = 30, is = false }\n");
        assert_eq!(told(&split.provider, entry, None), "TARGETING_KEY_MISSING");
        assert!(split.is_on(entry), "nobody in particular has the default");
        let within = |edge: &Edge| -> Vec<usize> {
            let answers = (0..1_000).map(|id| told(&edge.provider, entry, Some(&format!("user{id}"))));
            let within = answers.enumerate().filter(|(_, answer)| answer == "false off SPLIT");
            within.map(|(id, _)| id).collect()
        };
        let thirty = within(&split);
        assert!(thirty.len().abs_diff(300) < 60, "{}", thirty.len());
        let forty = within(&read(
            "[\"console.order-entry\"]\nshare = { percent = 40, is = false }\n",
        ));
        assert!(
            forty.len() > thirty.len() && thirty.iter().all(|id| forty.contains(id)),
            "it grows"
        );
    }

    #[test]
    fn a_file_with_a_mistake_costs_nobody_a_default() {
        let folder = tempfile::tempdir().unwrap();
        for text in [
            "no toml",
            "[\"no.such\"]\nis = 1\n",
            "[\"feed.heartbeat-ms\"]\nis = 5\n",
            "[\"feed.heartbeat-ms\"]\nis = \"off\"\n",
            "[\"feed.heartbeat-ms\"]\nis = 100\ncolour = 1\n",
            "[\"console.order-entry\"]\nshare = { percent = 101, is = true }\n",
        ] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let edge = Edge::open(folder.path()).unwrap();
            assert_eq!(told(&edge.provider, "feed.heartbeat-ms", None), "PARSE_ERROR", "{text}");
            assert_eq!(
                (edge.is_on("console.order-entry"), edge.count("feed.heartbeat-ms")),
                (true, 1_000),
                "{text}"
            );
        }
        assert_eq!(
            json!(FileProvider::new(folder.path()).keys()),
            json!(["feed.heartbeat-ms", "console.order-entry"])
        );
    }
}
