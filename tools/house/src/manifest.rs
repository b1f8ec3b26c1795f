//! The manifests as the rules see them: which crate stands in which layer and which crates of ours it names.
//!
//! The layers are comments in the member list of the root manifest (`# L0: ...`), so that who adds a crate has to place it.

use crate::Fault;
use toml::{Table, Value};

const TABLES: [(&str, Use); 3] = [
    ("dependencies", Use::Normal),
    ("dev-dependencies", Use::Dev),
    ("build-dependencies", Use::Build),
];

/// The folder of the crate that `cargo run` at the root runs.
const COMMAND_LINE: &str = "tools/rialto";

/// What a crate names another one for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// The code that ships.
    Normal,
    /// Tests and examples.
    Dev,
    /// The build script.
    Build,
}

/// A member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Its package name.
    pub name: String,
    /// Its folder.
    pub folder: String,
    /// The number of its layer.
    pub layer: u8,
    /// The members it names, sorted.
    pub names: Vec<(String, Use)>,
}

/// Reads the root manifest and those of all members; what cannot be read is a fault.
pub fn read(root: &str, manifest: impl Fn(&str) -> Option<String>) -> (Vec<Crate>, Vec<Fault>) {
    let (layers, mut faults) = layers(root);
    let shared = parse("Cargo.toml", root, &mut faults);
    let shared = shared
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"));
    let mut members: Vec<(String, u8, Table)> = Vec::new();
    for (folder, layer) in layers {
        let path = format!("{folder}/Cargo.toml");
        match manifest(&folder) {
            Some(text) => members.push((folder, layer, parse(&path, &text, &mut faults))),
            None => faults.push(Fault::new(
                path,
                "is listed in the root manifest and absent",
                "write it, or take it from the list",
            )),
        }
    }
    let package = |table: &Table| Some(table.get("package")?.get("name")?.as_str()?.to_owned());
    let ours: Vec<String> = members.iter().filter_map(|(_, _, table)| package(table)).collect();
    let mut crates = Vec::new();
    for (folder, layer, table) in members {
        let Some(name) = package(&table) else {
            faults.push(Fault::new(
                format!("{folder}/Cargo.toml"),
                "names no package",
                "give it package.name",
            ));
            continue;
        };
        if table.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true)) {
            faults.push(Fault::new(
                format!("{folder}/Cargo.toml"),
                "leaves the lints of the workspace",
                "add lints.workspace = true",
            ));
        }
        let mut names = names(&table, shared);
        names.retain(|(name, _)| ours.contains(name));
        names.sort();
        names.dedup();
        crates.push(Crate {
            name,
            folder,
            layer,
            names,
        });
    }
    (crates, faults)
}

/// Judges that `cargo run` at the root means the command line, though other crates have binaries of their own: by
/// `default-run` there, and without `default-members`, which would hide crates from tests and lints.
pub fn default_faults(root: &str, command_line: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let workspace = parse("Cargo.toml", root, &mut faults);
    if workspace
        .get("workspace")
        .and_then(|table| table.get("default-members"))
        .is_some()
    {
        faults.push(Fault::new(
            "Cargo.toml",
            "default-members hides crates from tests and lints",
            "take it out; default-run in tools/rialto names the binary",
        ));
    }
    let place = format!("{COMMAND_LINE}/Cargo.toml");
    let table = parse(&place, command_line, &mut faults);
    if table
        .get("package")
        .and_then(|package| package.get("default-run"))
        .and_then(Value::as_str)
        != Some("rialto")
    {
        faults.push(Fault::new(
            place,
            "`cargo run` at the root does not mean the command line",
            "add default-run = \"rialto\" to its [package]",
        ));
    }
    faults
}

fn parse(path: &str, text: &str, faults: &mut Vec<Fault>) -> Table {
    text.parse().unwrap_or_else(|error: toml::de::Error| {
        faults.push(Fault::new(
            path,
            format!("is no TOML ({})", error.message()),
            "mend it there",
        ));
        Table::new()
    })
}

/// The member folders with their layers. TOML readers drop comments, so the list is read line by line and then held against the reader's.
fn layers(root: &str) -> (Vec<(String, u8)>, Vec<Fault>) {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let mut layer: Option<u8> = None;
    let list = root
        .lines()
        .enumerate()
        .skip_while(|(_, line)| !line.starts_with("members = ["));
    for (at, line) in list.skip(1).take_while(|(_, line)| !line.starts_with(']')) {
        let line = line.trim();
        let mut fault = |cause: String, mend: &str| faults.push(Fault::in_line("Cargo.toml", at + 1, cause, mend));
        if let Some(number) = line.strip_prefix("# L") {
            let number = number.split(':').next().and_then(|number| number.parse().ok());
            match number {
                Some(number) if layer.is_none_or(|layer| layer < number) => layer = Some(number),
                _ => fault(
                    format!("`{line}` opens no layer above the last"),
                    "write `# L<number>: what it is`, numbers rising",
                ),
            }
        } else if let Some(folder) = line.strip_prefix('"').and_then(|line| line.split('"').next()) {
            match layer {
                Some(layer) => found.push((folder.to_owned(), layer)),
                None => fault(
                    format!("{folder} stands under no layer"),
                    "move it below its `# L<number>:` line",
                ),
            }
        }
    }
    let listed = found.len();
    let members = root
        .parse::<Table>()
        .ok()
        .and_then(|table| Some(table.get("workspace")?.get("members")?.as_array()?.len()));
    if faults.is_empty() && members != Some(listed) {
        let cause = format!(
            "{listed} members stand one to a line under a layer, {} are listed",
            members.unwrap_or(0)
        );
        faults.push(Fault::new(
            "Cargo.toml",
            cause,
            "write each member on a line of its own in `members = [`",
        ));
    }
    (found, faults)
}

/// Every package that a manifest names, by its true name.
fn names(manifest: &Table, shared: Option<&Value>) -> Vec<(String, Use)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let platforms = targets
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(Value::as_table);
    let mut found = Vec::new();
    for table in platforms.chain([manifest]) {
        for (title, kind) in TABLES {
            let Some(dependencies) = table.get(title).and_then(Value::as_table) else {
                continue;
            };
            for (key, value) in dependencies {
                let renamed = |value: Option<&Value>| Some(value?.get("package")?.as_str()?.to_owned());
                let name = renamed(Some(value)).or_else(|| renamed(shared.and_then(|shared| shared.get(key))));
                found.push((name.unwrap_or_else(|| key.clone()), kind));
            }
        }
    }
    found
}
