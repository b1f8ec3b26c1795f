//! The credentials file: what is written is read, and everything wrong with a file is said by name.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rialto_members::{Credentials, Password};

fn password(text: &str) -> Password {
    Password::new(text.as_bytes()).unwrap()
}

fn write(path: &std::path::Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_written_is_read_back_and_nobody_else_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members.toml");
    let mut credentials = Credentials::new();
    credentials.add("alpha1", &password("hunter2")).unwrap();
    credentials.create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        !text.to_ascii_lowercase().contains("hunter2"),
        "no password stands in the file"
    );
    assert!(
        credentials
            .create(&path)
            .unwrap_err()
            .to_string()
            .contains("exists already")
    );

    let mut read = Credentials::load(&path).unwrap();
    assert!(read == credentials && read.contains("Alpha1"));
    read.add("BETA-2", &password("swordfish")).unwrap();
    read.save(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut again = Credentials::load(&path).unwrap();
    assert_eq!(again.names().collect::<Vec<_>>(), ["ALPHA1", "BETA-2"]);
    assert!(again.remove("beta-2") && !again.remove("beta-2"));
    assert_eq!(format!("{again:?}"), r#"{"ALPHA1"}"#, "no hash is shown");
}

#[test]
fn a_bad_name_is_refused() {
    let mut credentials = Credentials::new();
    credentials.add("A", &password("x")).unwrap();
    for (name, says) in [
        ("", "1 to NAME_MAX"),
        ("two words", "1 to NAME_MAX"),
        ("quote\"", "1 to NAME_MAX"),
        ("ünï", "1 to NAME_MAX"),
        (&"x".repeat(40), "1 to NAME_MAX"),
        ("a", "there already"),
    ] {
        let error = credentials.add(name, &password("x")).unwrap_err().to_string();
        assert!(error.contains(says), "{name:?}: {error}");
    }
}

#[test]
fn a_bad_file_is_named_with_its_mend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members.toml");
    let missing = Credentials::load(&path).unwrap_err().to_string();
    assert!(
        missing.contains("members.toml") && missing.contains("check that the folder"),
        "{missing}"
    );

    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
    let table = [
        (String::new(), 0o600, "missing field `sessions`"),
        ("[sessions]\n".to_owned(), 0o640, "chmod 600"),
        ("[sessions]\n".to_owned(), 0o604, "chmod 600"),
        ("[sessions]\n\nA = \n".to_owned(), 0o600, "line 3"),
        ("[sessions]\nA = 7\n".to_owned(), 0o600, "line 2"),
        ("[sessions]\n[other]\n".to_owned(), 0o600, "unknown field `other`"),
        ("[sessions]\nA = \"hunter2\"\n".to_owned(), 0o600, "not in PHC form"),
        (
            format!("[sessions]\na = \"{hash}\"\nA = \"{hash}\"\n"),
            0o600,
            "there already",
        ),
        (format!("[sessions]\n\"a b\" = \"{hash}\"\n"), 0o600, "1 to NAME_MAX"),
    ];
    for (text, mode, says) in table {
        write(&path, &text, mode);
        let error = Credentials::load(&path).unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error}");
        assert!(
            !error.contains("hunter2"),
            "a value of the file is never shown: {error}"
        );
    }
    write(&path, &format!("[sessions]\nA = \"{hash}\"\n"), 0o600);
    assert!(Credentials::load(&path).unwrap().contains("a"));
}
