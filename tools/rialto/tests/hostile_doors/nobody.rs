//! What is for no member at all, or for nobody without a key.

use crate::feed::public;
use crate::support::hostile::{Dice, Ear, connect};
use crate::{Firm, Heard, Place, seed};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Strangers at the stream for other processes: without the key it says a challenge and a farewell.
pub(crate) fn follow(place: &Place<'_>, own: Firm, other: Firm, calls: usize) -> Heard {
    let mut dice = Dice(seed() + 5);
    let mut ear = Ear::new("a follower without the key", &[other.stem.to_owned()]);
    for _ in 0..calls {
        let mut stream = connect(place.at("follow"));
        let mut hello = dice.bytes(300);
        if dice.below(3) > 0 {
            // A frame of a Hello, in a name of the firm's own and with a proof that is none.
            hello = [&126_u32.to_le_bytes()[..], &[2, 2, 0, 0, 0]].concat();
            hello.extend((0..121).map(|at| own.stem.as_bytes()[at % 4]));
        }
        let _ = stream.write_all(&hello);
        let mut chunk = [0; 4_096];
        for _ in 0..10 {
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => ear.hear(&chunk[..count]),
                Err(_) => {}
            }
        }
    }
    assert!(ear.bytes > 0, "it says nothing at all");
    Heard {
        door: "follower",
        calls,
        ear,
    }
}

/// The HTTP gateway to who shows no key.
pub(crate) fn keyless(place: &Place<'_>, calls: usize) -> Heard {
    let (mut dice, mut ear) = (Dice(seed() + 6), public("who has no key"));
    for _ in 0..calls {
        let path = *dice.of(&[
            "/metrics",
            "/health",
            "/healthz",
            "/",
            "/api/v1/picture",
            "/api/v1/orders",
            "/api/v1/portfolio",
            "/api/v1/member/orders",
            "/api/v1/member/stream",
            "/api/v1/at/20",
            "/api/v1/faults",
        ]);
        let http = place.at("http");
        let http = http.trim_start_matches("http://").split('/').next().expect("a host");
        let mut stream = std::net::TcpStream::connect(http).expect("the gateway listens");
        let asked = format!("GET {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(!answer.contains("rialto_firm_"), "{path} tells of firms: {answer}");
        ear.hear(answer.as_bytes());
    }
    Heard {
        door: "HTTP without a key",
        calls,
        ear,
    }
}

/// The administration socket to another user of the machine, who may even look into the folder.
pub(crate) fn unprivileged(data: &Path) {
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let socket = data.join("admin.sock");
    assert_eq!(mode(&socket), 0o600);
    for kept in ["keys.toml", "credentials.toml", "quic-key.pem", "follow.key"] {
        assert_eq!(mode(&data.join(kept)), 0o600, "{kept}");
    }
    for folder in data.ancestors().take(2) {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
    let place = data.to_str().expect("UTF-8");
    let asked = [
        "member",
        "positions",
        "--firm",
        "ZQAX",
        "--who",
        "x",
        "--why",
        "x",
        "--data",
        place,
    ];
    command.args(asked).uid(65_534);
    match command.output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            let mut ear = Ear::new("another user", &Firm::BOTH.map(Firm::secrets).concat());
            ear.hear(&said);
            ear.assert_clean();
            let said = String::from_utf8_lossy(&said);
            assert!(
                !output.status.success() && !said.contains("net"),
                "another user is answered: {said}"
            );
            assert!(said.contains("denied"), "{said}");
        }
        Err(error) => eprintln!("SKIPPED: no command of another user can be run here: {error}"),
    }
}
