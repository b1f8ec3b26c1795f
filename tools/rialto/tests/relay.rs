//! `rialto relay` between a running exchange and who listens: it does what it was asked to, from its seed, and says what it did.

mod support;

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use support::{PATIENCE, Up, ask, complaint};

struct Relay {
    child: Child,
    out: BufReader<ChildStdout>,
    ready: Value,
}

impl Relay {
    fn open(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rialto"))
            .args(["relay", "--json", "--seed", "20120621"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).expect("the ready line");
        Self { child, out, ready }
    }

    fn listen(&self) -> &str {
        self.ready["listen"].as_str().expect("an address")
    }

    /// Asks it to end; what it did.
    fn stop(mut self) -> Value {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-INT", &pid]).status().expect("kill");
        assert!(asked.success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("UTF-8");
        assert!(self.child.wait().expect("it ends").success(), "{rest}");
        serde_json::from_str(rest.lines().last().expect("last words")).expect("JSON")
    }
}

/// A test that fails leaves nothing running.
impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn count(line: &Value, key: &str) -> u64 {
    line[key].as_u64().unwrap_or_else(|| panic!("no {key} in {line}"))
}

#[test]
fn a_tail_behind_a_network_that_loses_a_third_has_every_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::open(folder.path(), &["--agents", "6"]);
    let of = |key: &str| up.ready[key].as_str().expect("an address").to_owned();
    // A port that nobody has just now; nobody else uses these groups with it.
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = port.expect("a port").port();
    let groups = [format!("239.192.78.1:{port}"), format!("239.192.78.2:{port}")];
    let faults = [
        "--loss",
        "30",
        "--duplicate",
        "20",
        "--reorder",
        "20",
        "--reorder-ms",
        "5",
    ];
    let line = |from: &str, to: &str| Relay::open(&[&["--listen", from, "--to", to], &faults[..]].concat());
    let relays = [
        line(&of("mold_a"), &groups[0]),
        line(&of("mold_b"), &groups[1]),
        // What is asked for is lost less often: eleven attempts in vain are then no matter of luck over some hundred gaps.
        Relay::open(
            &[
                &["--listen", "127.0.0.1:0", "--to", &of("rerequest"), "--loss", "10"][..],
                &faults[2..],
            ]
            .concat(),
        ),
    ];
    let told = ask(&[
        "md",
        "tail",
        "--join",
        "beginning",
        "--group",
        &groups[0],
        "--group-b",
        &groups[1],
        "--rerequest",
        relays[2].listen(),
        "--messages",
        "3000",
        "--seconds",
        "100",
    ]);
    let summary = told.last().expect("a summary");
    assert_eq!(
        (
            count(summary, "messages"),
            count(summary, "lost"),
            count(summary, "refused")
        ),
        (3_000, 0, 0),
        "{summary}"
    );
    for (place, relay) in relays.into_iter().enumerate() {
        assert_eq!(count(&relay.ready, "seed"), 20_120_621);
        let did = relay.stop();
        assert_eq!(
            (count(&did, "seed"), count(&did, "corrupted")),
            (20_120_621, 0),
            "{did}"
        );
        assert!(count(&did, "packets") > 0, "{did}");
        // There are few requests: what became of them is chance, if always the same one.
        for key in ["lost", "duplicated", "reordered"] {
            assert!(count(&did, key) > 0 || place == 2, "{did}");
        }
    }
    up.stop();
}

#[test]
fn a_stream_is_delayed_and_changed_as_asked() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address").to_string();
    // Says back what it hears.
    std::thread::spawn(move || {
        for stream in server.incoming().flatten() {
            std::thread::spawn(move || {
                let mut from = stream.try_clone().expect("a handle");
                let _ = std::io::copy(&mut from, &mut &stream);
            });
        }
    });
    let said: Vec<u8> = (0..200_u8).collect();
    let through = |options: &[&str]| {
        let tcp = ["--protocol", "tcp", "--listen", "127.0.0.1:0", "--to", &address];
        let relay = Relay::open(&[&tcp, options].concat());
        let mut stream = TcpStream::connect(relay.listen()).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a bound");
        stream.write_all(&said).expect("said");
        let mut heard = vec![0; said.len()];
        stream.read_exact(&mut heard).expect("heard");
        drop(stream);
        (heard, relay.stop())
    };
    let (heard, did) = through(&["--delay-ms", "20", "--loss", "50"]);
    assert_eq!(heard, said, "TCP mends loss: {did}");
    let (heard, did) = through(&["--corrupt", "100"]);
    assert_ne!(heard, said, "{did}");
    assert!(count(&did, "corrupted") > 0, "{did}");
}

#[test]
fn a_network_that_cannot_be_is_refused() {
    let network = ["relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"];
    let said = complaint(&[&network[..], &["--loss", "101"]].concat());
    assert!(said.contains("--loss") && said.contains("0 to 100"), "{said}");
}
