//! How to join in: files and lines for other terminals, with this run's own addresses.

use super::demo::PASSWORD;
use crate::console::Console;
use crate::exchange::Controls;
use anyhow::{Context as _, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The FIX session that people use, which is also its user name.
const FIX_SESSION: &str = "ALPHA";
const QUICKFIX_FILE: &str = "quickfix.cfg";

/// What development mode does without: said once, at the start.
pub(super) const SAFETY: &str = "\
Development mode. Off for your convenience: passwords are known to all (rialto), five bad logons close no door, memory durability
survives a kill but no power loss, the QUIC certificate is made here, and the console's key is in its address. Nothing listens
beyond this machine. rialto serve has all of it on.
";

/// A QuickFIX configuration of this run.
pub(super) fn write_quickfix(controls: &Controls, data: &Path) -> Result<PathBuf> {
    let path = data.join(QUICKFIX_FILE);
    let fix = controls.addresses.fix;
    let text = format!(
        "# QuickFIX initiator for this exchange. It has no setting for who logs on: in toAdmin, on a Logon (35=A), set\n\
         # Username(553)={FIX_SESSION} and Password(554)={PASSWORD}. FIX.4.2 and FIXT.1.1 with FIX.5.0SP2 are spoken on the same port.\n\
         [DEFAULT]\n\
         ConnectionType=initiator\n\
         ReconnectInterval=1\n\
         HeartBtInt=30\n\
         StartTime=00:00:00\n\
         EndTime=00:00:00\n\
         UseDataDictionary=N\n\
         FileStorePath={store}\n\
         FileLogPath={log}\n\
         SocketConnectHost={host}\n\
         SocketConnectPort={port}\n\
         \n\
         [SESSION]\n\
         BeginString=FIX.4.4\n\
         SenderCompID={FIX_SESSION}\n\
         TargetCompID={target}\n",
        store = data.join("quickfix-store").display(),
        log = data.join("quickfix-log").display(),
        host = fix.ip(),
        port = fix.port(),
        target = controls.addresses.fix_comp_id,
    );
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Lines to paste into another terminal.
pub(super) fn lines(controls: &Controls, console: &Console, data: &Path, quickfix: &Path) -> String {
    let addresses = &controls.addresses;
    let rerequest = addresses
        .feed
        .rerequest
        .map(|at| format!(" --rerequest {at}"))
        .unwrap_or_default();
    let group_b = addresses
        .feed
        .line_b
        .map(|line| format!(" --group-b {line}"))
        .unwrap_or_default();
    let glimpse = addresses
        .glimpse
        .map(|at| format!(" --glimpse {at} --user alpha1 --password {PASSWORD}"))
        .unwrap_or_default();
    let (url, http) = (console.url(), console.address());
    let key = url.split_once("#key=").map_or("", |(_, key)| key);
    let executable = std::env::current_exe().unwrap_or_else(|_| "rialto".into());
    let (rialto, python) = (
        program(&executable, std::env::var_os("PATH").as_deref()),
        package(&executable),
    );
    let (data, quickfix) = (quoted(data), quoted(quickfix));
    format!(
        "  who is here          firms ALFA and BETA: alpha1, alpha2, beta1, beta2 by OUCH, ALPHA and BETA by FIX; password {PASSWORD}\n  \
         watch the market     {rialto} md tail --group {line_a}{group_b}{rerequest}{glimpse}\n  \
         send an order        {rialto} order --ouch {ouch} --user alpha1 --password {PASSWORD} buy 100 ACME --price 100.00\n  \
         by FIX               {quickfix} (SenderCompID={FIX_SESSION} TargetCompID={comp_id} Username={FIX_SESSION} Password={PASSWORD}, {fix})\n  \
         by curl              curl -s http://{http}/api/v1/orders -H 'X-Rialto-Key: {key}' -H 'Content-Type: application/json' \
         -d '{{\"symbol\":\"ACME\",\"side\":\"buy\",\"quantity\":100,\"price\":\"100.00\"}}'\n  \
         in a terminal        {rialto} top '{url}'\n  \
         in Python            PYTHONPATH={python} python3 -c \"from rialto import Gateway; \
         print(Gateway('{url}').picture()['ACME'])\"\n  \
         by HTTP as a member  {rialto} member key add tina --firm 1 --role trader --data {data}\n  \
         look at the journal  {rialto} journal tail {data}\n",
        line_a = addresses.feed.line_a,
        ouch = addresses.ouch,
        comp_id = addresses.fix_comp_id,
        fix = addresses.fix,
    )
}

/// How a shell finds this program: by its name where that is what the search path finds, else by where it lies.
fn program(executable: &Path, search: Option<&OsStr>) -> String {
    let is_this = |folder: PathBuf| {
        let found = folder.join("rialto").canonicalize();
        found.is_ok_and(|found| executable.canonicalize().is_ok_and(|this| this == found))
    };
    if search.is_some_and(|search| std::env::split_paths(search).any(is_this)) {
        "rialto".to_owned()
    } else {
        quoted(executable)
    }
}

/// The Python client of the tree that the program was built in; from the tree's root where it lies elsewhere.
fn package(executable: &Path) -> String {
    let packages = executable.ancestors().map(|folder| folder.join("tools/python"));
    let found = packages.into_iter().find(|package| package.join("rialto").is_dir());
    quoted(&found.unwrap_or_else(|| "tools/python".into()))
}

/// A path as a shell reads it as one word.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    if path.chars().all(|c| c.is_alphanumeric() || "/._-+=:,@%".contains(c)) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_line_finds_the_program_and_its_folders_are_one_word_each() {
        let folder = tempfile::tempdir().unwrap();
        let (bin, other) = (folder.path().join("bin"), folder.path().join("other"));
        for made in [&bin, &other, &folder.path().join("tools/python/rialto")] {
            std::fs::create_dir_all(made).unwrap();
        }
        let executable = bin.join("rialto");
        std::fs::write(&executable, "").unwrap();
        std::fs::write(other.join("rialto"), "").unwrap();
        assert_eq!(program(&executable, Some(bin.as_os_str())), "rialto");
        assert_eq!(program(&executable, Some(other.as_os_str())), quoted(&executable));
        assert_eq!(program(&executable, None), quoted(&executable));
        assert_eq!(package(&executable), quoted(&folder.path().join("tools/python")));
        assert_eq!(package(Path::new("/nowhere/rialto")), "tools/python");
        for (path, word) in [
            ("/tmp/day", "/tmp/day"),
            ("/my day", "'/my day'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }
}
