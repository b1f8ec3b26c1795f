//! Private venues as processes: two side by side that know nothing of each other, one that begins as another stood, and none
//! that leaves anything behind.

mod support;

use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{PATIENCE, Up, ask, complaint, rialto, until};

/// A folder of venues; a test that fails leaves no process behind.
struct Venues(tempfile::TempDir);

impl Venues {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("venues")
    }

    fn with(&self, args: &[&str]) -> Vec<String> {
        let folder = self.folder();
        let place = ["--venues", folder.to_str().expect("UTF-8")];
        let whole = [&["venue"], args, &place].concat();
        whole.into_iter().map(str::to_owned).collect()
    }

    #[track_caller]
    fn ask(&self, args: &[&str]) -> Vec<Value> {
        let args = self.with(args);
        ask(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[track_caller]
    fn complaint(&self, args: &[&str]) -> String {
        let args = self.with(args);
        complaint(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[track_caller]
    fn create(&self, args: &[&str]) -> Venue {
        Venue(self.ask(&[&["create"], args].concat()).remove(0))
    }

    fn find(&self, name: &str) -> Option<Venue> {
        self.ask(&["ls"]).into_iter().find(|one| one["name"] == name).map(Venue)
    }
}

impl Drop for Venues {
    fn drop(&mut self) {
        for place in self.folder().read_dir().into_iter().flatten().flatten() {
            let name = place.file_name();
            let args = self.with(&["drop", name.to_str().expect("UTF-8"), "--now"]);
            let _ = Command::new(env!("CARGO_BIN_EXE_rialto")).args(args).output();
        }
    }
}

/// One of them, as it was last told of.
struct Venue(Value);

impl Venue {
    fn is(&self, name: &str) -> String {
        let told = self.0.get(name).unwrap_or(&self.0["endpoints"][name]);
        told.as_str().map_or_else(|| told.to_string(), str::to_owned)
    }

    /// Data folder.
    fn data(&self) -> String {
        self.0["data"].as_str().expect("a folder").to_owned()
    }

    /// What became of an order of the same session that every venue has.
    fn order(&self, side: &str, quantity: &str, price: &str) -> Value {
        order(&self.is("ouch"), side, quantity, price)
    }

    fn book(&self, symbol: &str) -> Value {
        ask(&["at", "end", "book", symbol, "--data", &self.data()]).remove(0)
    }

    /// The answer to a SoupBinTCP login that asks for a session by its name.
    fn login(&self, session: &str) -> (u8, String) {
        let mut stream = TcpStream::connect(self.is("ouch")).expect("the door");
        stream.set_read_timeout(Some(PATIENCE)).expect("a bound");
        let packet = format!("L{:<6}{:<10}{session:>10}{:>20}", "alpha2", "rialto", 0);
        let length = u16::try_from(packet.len()).expect("short").to_be_bytes();
        stream.write_all(&length).expect("it reads");
        stream.write_all(packet.as_bytes()).expect("it reads");
        loop {
            let mut length = [0; 2];
            stream.read_exact(&mut length).expect("an answer");
            let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut answer).expect("whole");
            if matches!(answer[0], b'A' | b'J') {
                let said = String::from_utf8_lossy(&answer[1..]);
                return (answer[0], said.chars().take(10).collect());
            }
        }
    }

    fn portfolio(&self, bearer: &str) -> u16 {
        let host = self.is("http");
        let mut stream = TcpStream::connect(&host).expect("the gateway");
        let request = format!(
            "GET /api/v1/portfolio HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {bearer}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let status = answer.split(' ').nth(1).expect("a status");
        status.parse().expect("a number")
    }
}

fn order(door: &str, side: &str, quantity: &str, price: &str) -> Value {
    let order = ["order", "--ouch", door, "--user", "alpha1", "--password", "rialto"];
    ask(&[&order[..], &[side, quantity, "ACME", "--price", price]].concat()).remove(0)
}

/// Fills of a firm, from the files of a venue that is stopped or from a running one.
fn fills(data: &str, firm: &str) -> Vec<Value> {
    ask(&["member", "fills", "--firm", firm, "-n", "1000", "--data", data])
}

/// The first segment of a journal.
fn segment(data: &str) -> PathBuf {
    let files = Path::new(data).join("journal").read_dir().expect("a journal");
    let mut segments: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    segments.retain(|path| path.extension().is_some_and(|ending| ending == "journal"));
    segments.sort();
    segments.remove(0)
}

#[test]
fn two_venues_side_by_side_know_nothing_of_each_other() {
    let venues = Venues::new();
    for bad in ["../a", "A", ""] {
        assert!(venues.complaint(&["create", bad]).contains("is no name of a venue"));
    }
    assert!(venues.ask(&["ls"]).is_empty());
    assert!(venues.complaint(&["start", "a"]).contains("there is no venue"));
    // Of two that come at one time with one name, one has it.
    let twice = [(); 2].map(|()| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
        let args = venues.with(&["create", "a", "--trading-day", "2026-06-22", "--json"]);
        command.args(args).output()
    });
    let twice = twice.map(|output| output.expect("the binary starts"));
    assert_eq!(twice.iter().filter(|output| output.status.success()).count(), 1);
    let a = venues.find("a").expect("one of them made it");
    let b = venues.create(&["b", "--trading-day", "2026-06-22"]);
    assert!(venues.complaint(&["create", "b"]).contains("already"));
    assert_ne!(a.is("venue"), b.is("venue"));
    for name in [
        "ouch",
        "fix",
        "fix_comp_id",
        "http",
        "rerequest",
        "mold_a",
        "mold_b",
        "quic",
        "glimpse",
        "data",
        "pid",
    ] {
        assert_ne!(a.is(name), b.is(name), "{name}");
    }

    // The same firm trades with itself in one and has one order in the other.
    a.order("buy", "300", "10.00");
    a.order("sell", "100", "10.00");
    b.order("buy", "7", "20.00");
    assert_eq!(a.book("ACME")["trades"], 1);
    let of_b = b.book("ACME");
    assert_eq!((&of_b["trades"], &of_b["bids"][0]["quantity"]), (&0.into(), &7.into()));
    assert_eq!((fills(&a.data(), "ALFA").len(), fills(&b.data(), "ALFA").len()), (2, 0));

    // Streams are named by venue and day, and who resumes one at the other venue is turned away.
    let (id_a, id_b) = (a.is("venue"), b.is("venue"));
    let session = |id: &str| format!("{id:0>2}20260622");
    assert_eq!(a.login(""), (b'A', session(&id_a)));
    assert_eq!(b.login(&session(&id_b)), (b'A', session(&id_b)));
    assert_eq!(b.login(&session(&id_a)).0, b'J');
    // So are a firm's keys.
    let key = ask(&["member", "key", "add", "desk", "--firm", "1", "--data", &a.data()]).remove(0);
    let bearer = format!("desk:{}", key["secret"].as_str().expect("a secret"));
    assert_eq!((a.portfolio(&bearer), b.portfolio(&bearer)), (200, 401));

    // A process that was killed is a venue that is stopped, with everything that it had.
    let pid = a.is("pid");
    assert!(
        Command::new("kill")
            .args(["-9", &pid])
            .status()
            .expect("kill")
            .success()
    );
    until("a stopped venue", || {
        let told = venues.find("a").expect("it is there");
        (told.is("standing") == "stopped").then_some(())
    });
    assert!(venues.complaint(&["stop", "a"]).contains("does not run"));
    assert_eq!(fills(&a.data(), "ALFA").len(), 2);
    let again = Venue(venues.ask(&["start", "a"]).remove(0));
    assert_eq!((again.is("ouch"), again.is("venue")), (a.is("ouch"), a.is("venue")));
    assert_eq!(again.book("ACME")["bids"][0]["quantity"], 200);
    assert!(venues.complaint(&["start", "a"]).contains("runs already"));

    // Journals are never mixed: as a whole, or by a file.
    let stopped = venues.ask(&["stop", "a"]).remove(0);
    assert_eq!(stopped["stopped"], true);
    let other = complaint(&["up", "--data", &a.data(), "--seconds", "1"]);
    assert!(other.contains(&format!("of venue {id_a}, not of venue 1")), "{other}");
    venues.ask(&["stop", "b"]);
    std::fs::copy(segment(&a.data()), segment(&b.data())).expect("it copies");
    let mixed = venues.complaint(&["start", "b"]);
    assert!(
        mixed.contains(&format!("of venue {id_a}, not of venue {id_b}")),
        "{mixed}"
    );

    // Thrown away, nothing of them is left.
    venues.ask(&["start", "a"]);
    let pid = venues.find("a").expect("it is there").is("pid");
    assert!(venues.complaint(&["drop", "a"]).contains("--now"));
    venues.ask(&["drop", "a", "--now"]);
    venues.ask(&["drop", "b"]);
    assert!(venues.ask(&["ls"]).is_empty());
    let left = venues
        .folder()
        .read_dir()
        .expect("the folder")
        .map(|one| one.expect("a name").file_name());
    assert_eq!(left.collect::<Vec<_>>(), [".ids"]);
    until("the end of its process", || {
        (!Path::new("/proc").join(&pid).join("exe").exists()).then_some(())
    });
}

#[test]
fn a_venue_begins_as_another_market_stood_and_goes_its_own_way() {
    let venues = Venues::new();
    let data = venues.0.path().join("day");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "4"]);
    let door = up.ready["ouch"].as_str().expect("the door");
    order(door, "buy", "500", "1.00");
    let at = until("a market", || {
        let status = ask(&["status", "--data", place]).remove(0);
        status["released_up_to"].as_u64().filter(|seq| *seq >= 300)
    });
    let beyond = venues.complaint(&["create", "lab", "--fork", place, "--at", "99999999"]);
    assert!(beyond.contains("has not been yet"), "{beyond}");
    assert!(venues.ask(&["ls"]).is_empty());

    // While it trades: a copy up to a moment.
    let seq = at.to_string();
    let lab = venues.create(&["lab", "--fork", place, "--at", &seq]);
    let then = ask(&["at", &seq, "stats", "--data", place]).remove(0);
    assert_eq!(
        lab.is("origin_state_hash"),
        then["state_hash"].as_str().expect("a hash")
    );
    assert_eq!(
        (lab.is("forked_at"), lab.is("trading_day")),
        (seq.clone(), "2026-06-22".to_owned())
    );
    let book = |data: &str, seq: &str| -> Vec<Value> {
        let mut books = ask(&["at", seq, "book", "--data", data]);
        for book in &mut books {
            book.as_object_mut().expect("an object").remove("seq");
        }
        books
    };
    assert_eq!(book(&lab.data(), "end"), book(place, &seq));
    assert!(then["live_orders"].as_u64() > Some(0), "{then}");

    // From there on they differ, and neither knows of it: 500 at 1.00 came over, and one buyer more is in the lab alone.
    lab.order("buy", "300", "1.00");
    let at_one = |book: &Value| {
        let bids = book["bids"].as_array().expect("bids").iter();
        let level = bids.filter(|level| level["price"] == "1.0000");
        level.map(|level| level["quantity"].clone()).next().unwrap_or_default()
    };
    let all = |data: &str| ask(&["at", "end", "book", "ACME", "--levels", "1000", "--data", data]).remove(0);
    assert_eq!(
        (at_one(&all(&lab.data())), at_one(&all(place))),
        (800.into(), 500.into())
    );
    let last = |data: &str| ask(&["at", "end", "stats", "--data", data]).remove(0);
    until("more of the first market", || {
        let now = last(place)["seq"].as_u64();
        (now > Some(at + 100)).then_some(())
    });
    let (stream, copy) = (ask(&["journal", "tail", place, "--from", "1", "-n", &seq]), {
        ask(&["journal", "tail", &lab.data(), "--from", "1", "-n", &seq])
    });
    let command = |record: &Value| (record["seq"].clone(), record["stamp"].clone(), record["fields"].clone());
    assert!(stream.iter().skip(1).map(command).eq(copy.iter().skip(1).map(command)));
    assert_eq!(
        (&stream[0]["fields"]["venue"], copy[0]["fields"]["venue"].to_string()),
        (&1.into(), lab.is("venue"))
    );
    let stamp = last(&lab.data())["stamp"].as_u64();
    assert!(stamp > then["stamp"].as_u64(), "its clock goes on from there");

    // A stopped one, to its end, with agents that find their orders and make a market again.
    let ended = up.stop();
    let mill = venues.create(&["mill", "--fork", place, "--agents", "4"]);
    assert_eq!(mill.is("forked_at"), ended["last_seq"].to_string());
    assert_eq!(
        mill.is("origin_state_hash"),
        ended["state_hash"].as_str().expect("a hash")
    );
    let begun = last(&mill.data())["seq"].as_u64();
    until("a market that goes on", || {
        (last(&mill.data())["seq"].as_u64() > begun.map(|seq| seq + 100)).then_some(())
    });
    // Of a venue of one's own, too.
    let third = venues.create(&["third", "--from", &lab.data()]);
    assert_eq!(at_one(&all(&third.data())), 800);
    for name in ["lab", "mill", "third"] {
        let output = venues.ask(&["stop", name]).remove(0);
        assert_eq!(output["stopped"], true);
    }
    for venue in [lab, mill, third] {
        let replayed = ask(&["replay", &venue.data()]).remove(0);
        let told = venues.find(&venue.is("name")).expect("it is there");
        assert_eq!(told.is("standing"), "stopped");
        assert!(replayed["commands"].as_u64() > Some(at));
        assert!(rialto(&["journal", "verify", &venue.data()]).status.success());
    }
}
