//! Two firms at every door of an exchange but HTTP (`hostile.rs`), each in its turn hostile to the other, which trades meanwhile: random
//! calls with everything of the other's that can be forged. Nothing of the other's is in any answer, nothing of a firm in the
//! feed, whatever way it is taken, in the venue's log or in what it says without a key; and the other's orders stand as they stood.
//!
//! Every name that a firm has begins with a stem of its own. What the other forges (session names, the client ids and numbers of
//! known orders, accounts) may come back in the refusal, so known orders are known by their sizes as well; what it cannot know
//! (passwords, hidden client ids, texts) must not be in anything it hears. The same ears catch a door that believes the name that a
//! login states, and a feed that says who it is: by an order that asks to be attributed.
//!
//! Then both are served apart, and the same begins at ports of their own: in the other's name and by one's own at the wrong port,
//! with a crowd before the other's. Nobody is let in by a port that is not its firm's, and the other trades on.
//!
//! `RIALTO_HOSTILE_CALLS=100000` calls at each door for a longer run; `RIALTO_SEED` for another.

#![allow(
    clippy::print_stderr,
    reason = "it tells what was called and heard, and what it skips"
)]

mod apart;
mod entry;
mod feed;
mod nobody;
mod plant;
#[path = "../support/mod.rs"]
mod support;

use apart::{flood, serve_apart};
use entry::{Door, drop_copy, fix, ouch};
use feed::{day_again, glimpse, hear_frame, lines, public, quic, rerequests, subscribe};
use nobody::{follow, keyless, unprivileged};
use plant::{bytes, enter, logged_in, plant, settled, standing, trade};
use rialto_members::{Credentials, KeyRole, Keyring, Password};
use rialto_model::{AccountId, FirmId};
use rialto_ouch::messages::{Display, EnterOrder, Side};
use rialto_quic::frames::Mode;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::hostile::Ear;
use support::{Up, until};

/// Random calls at each door, of both firms together.
const CALLS: usize = 600;
/// Calls before whoever calls waits until everything is answered.
const AT_ONCE: usize = 32;
const STEMS: [&str; 2] = ["zqax", "zqbx"];
/// The current message, whatever its number.
const NOW: &str = "2147483647";
/// Sizes of known orders begin here; nobody else enters any as large.
const KNOWN_SIZE: u32 = 700_000;
/// Known orders of a round by each door, and as many with hidden ids.
const KNOWN: u32 = 8;

/// A firm of the two.
#[derive(Clone, Copy)]
struct Firm {
    stem: &'static str,
    number: u32,
}

impl Firm {
    const BOTH: [Self; 2] = [
        Self {
            stem: STEMS[0],
            number: 1,
        },
        Self {
            stem: STEMS[1],
            number: 2,
        },
    ];

    fn session(self, number: usize) -> String {
        format!("{}{number:02}", self.stem)
    }

    fn fix(self, what: &str) -> String {
        format!("{}{what}", self.stem.to_uppercase())
    }

    fn mpid(self) -> String {
        self.stem.to_uppercase()
    }

    fn password(self) -> String {
        format!("{}p12345", self.stem)
    }

    /// What nobody else can know.
    fn secrets(self) -> Vec<String> {
        let hidden = ["h", "p", "t", "s", " s"].map(|kind| format!("{}{kind}", self.stem));
        hidden.to_vec()
    }
}

/// What is known of a firm to the other one.
#[derive(Default)]
struct Known {
    refs: Vec<u32>,
    names: Vec<String>,
    orders: Vec<String>,
}

/// What came of all calls of a firm at a door.
struct Heard {
    door: &'static str,
    calls: usize,
    ear: Ear,
}

/// By firm and door.
type Ports = Vec<(u32, &'static str, String)>;

struct Place<'a> {
    up: &'a Up,
    /// The ports that firms have of their own.
    apart: Ports,
}

impl Place<'_> {
    fn at(&self, door: &str) -> &str {
        self.up.ready[door].as_str().unwrap_or_else(|| panic!("no {door}"))
    }

    /// Where a firm logs on.
    fn port_of(&self, firm: Firm, door: &str) -> &str {
        let own = self.apart.iter().find(|(of, at, _)| (*of, *at) == (firm.number, door));
        own.map_or_else(|| self.at(door), |(.., port)| port.as_str())
    }

    /// Wherever anybody does.
    fn ports(&self, door: &str) -> Vec<&str> {
        let all = self.apart.iter().filter(|(_, at, _)| *at == door);
        [self.at(door)]
            .into_iter()
            .chain(all.map(|(.., port)| port.as_str()))
            .collect()
    }
}

// --- the exchange ---

fn configure(folder: &Path) -> std::path::PathBuf {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    let mut config = r#"
        data = "data"
        durability = "memory"
        segment_bytes = 16777216
        logon_guard = false
        ouch = { listen = "127.0.0.1:0" }
        fix = { listen = "127.0.0.1:0" }
        quic = { listen = "127.0.0.1:0" }
        glimpse = { listen = "127.0.0.1:0" }
        follow = { listen = "127.0.0.1:0" }
        http = { listen = "127.0.0.1:0", questions_per_second = 0 }
        feed = { line_a = "239.192.77.21:0", line_b = "239.192.77.22:0", rerequest = "127.0.0.1:0" }
        [[instrument]]
        symbol = "ACME"
        rulebook = "full"
        [[instrument]]
        symbol = "KEPT"
    "#
    .to_owned();
    let (mut credentials, mut keys) = (Credentials::new(), Keyring::new());
    for firm in Firm::BOTH {
        let (stem, mpid) = (firm.stem, firm.mpid());
        config += &format!("[[firm]]\nname = \"{stem} Securities\"\nmpid = \"{mpid}\"\n");
        let ouch = (1..=4).map(|number| (firm.session(number), "ouch", number != 1, false));
        let fix = ["KEEP", "FIX", "DROP"].map(|what| (firm.fix(what), "fix", what != "KEEP", what == "DROP"));
        for (name, door, goes, drop_copy) in ouch.chain(fix) {
            config += &format!(
                "[[firm.session]]\nname = \"{name}\"\ndoor = \"{door}\"\ncancel_on_disconnect = {goes}\ndrop_copy = {drop_copy}\n"
            );
            let password = Password::new(firm.password().as_bytes()).expect("a password");
            credentials.add(&name, &password).expect("a session");
        }
        let (name, secret) = (format!("{stem}key"), format!("{stem}s-key"));
        keys.add(&name, &secret, KeyRole::ReadOnly, FirmId(firm.number), AccountId(0))
            .expect("a key");
    }
    credentials.save(&data.join("credentials.toml")).expect("a file");
    let file = data.join("keys.toml");
    std::fs::write(&file, keys.to_toml()).expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    let path = folder.join("rialto.toml");
    std::fs::write(&path, config).expect("a file");
    path
}

// --- all of it ---

fn number(variable: &str, otherwise: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.and_then(|given| given.parse().ok()).unwrap_or(otherwise)
}

fn seed() -> u64 {
    number("RIALTO_SEED", 7)
}

/// A firm at every door at the same time, while the other one trades.
fn round(place: &Place<'_>, own: Firm, other: Firm, round: u32, calls: usize) {
    let before = standing(place, other);
    let known = &plant(place, other, round);
    let planted = until("the planted orders", || {
        let standing = standing(place, other);
        (standing == before + u64::from(4 * KNOWN)).then_some(standing)
    });
    let stop = &AtomicBool::new(false);
    let heard = std::thread::scope(|scope| {
        let beside = [
            scope.spawn(move || trade(place, other, round, stop)),
            scope.spawn(move || drop_copy(place, own, other, stop)),
        ];
        let doors = [
            scope.spawn(move || ouch(place, own, other, known, calls, Door::Real)),
            scope.spawn(move || fix(place, own, other, known, calls, Door::Real)),
            scope.spawn(move || rerequests(place, own, calls)),
            scope.spawn(move || glimpse(place, own, other, calls / 4)),
            scope.spawn(move || quic(place, own, other, calls / 4)),
            scope.spawn(move || follow(place, own, other, calls / 10)),
            scope.spawn(move || keyless(place, calls / 4)),
        ];
        let mut heard: Vec<_> = doors.into_iter().map(|door| door.join()).collect();
        stop.store(true, Ordering::Relaxed);
        heard.extend(beside.into_iter().map(|beside| beside.join()));
        heard
    });
    for one in heard {
        tell(own, one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
    }
    // Its own orders of this round may have gone by its own mass cancels; of the other's none has.
    assert_eq!(standing(place, other), planted, "orders of {} were changed", other.stem);
}

fn tell(own: Firm, one: Heard) {
    eprintln!(
        "{} at {}: {} calls, {} bytes heard",
        own.stem, one.door, one.calls, one.ear.bytes
    );
    one.ear.assert_clean();
}

/// The same at order entry where both firms have ports of their own, with a crowd before the other's.
fn round_apart(place: &Place<'_>, own: Firm, other: Firm, round: u32, calls: usize) {
    let before = standing(place, other);
    let known = &plant(place, other, round);
    let planted = before + u64::from(4 * KNOWN);
    until("the planted orders", || {
        (standing(place, other) == planted).then_some(())
    });
    let stop = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let trading = scope.spawn(move || trade(place, other, round, stop));
        let attacks = [
            scope.spawn(move || ouch(place, own, other, known, calls, Door::Real)),
            scope.spawn(move || fix(place, own, other, known, calls, Door::Real)),
            scope.spawn(move || flood(place, other, calls)),
        ];
        let heard = attacks.map(|attack| attack.join());
        stop.store(true, Ordering::Relaxed);
        for one in heard.into_iter().chain([trading.join()]) {
            tell(own, one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    assert_eq!(standing(place, other), planted, "orders of {} were changed", other.stem);
}

#[test]
fn not_a_marker_of_a_firm_is_heard_at_any_door() {
    let calls = usize::try_from(number("RIALTO_HOSTILE_CALLS", CALLS as u64) / 2).expect("few");
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let up = Up::serve_logged(&configure(folder.path()), &log);
    let place = &Place {
        up: &up,
        apart: Vec::new(),
    };
    let [one, two] = Firm::BOTH;
    let ears = [one, two].map(|firm| Mutex::new(Ear::new("the lines", &[firm.stem.to_owned()])));
    let stop = &AtomicBool::new(false);
    let heard = |ear: &Mutex<Ear>| ear.lock().expect("an ear").found.clone();
    std::thread::scope(|scope| {
        let captured = &ears;
        let listening = scope.spawn(move || lines(place, captured.each_ref(), stop));
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            round(place, one, two, 0, calls);
            round(place, two, one, 1, calls);
            let place = &Place {
                up: &up,
                apart: serve_apart(&folder.path().join("data")),
            };
            round_apart(place, one, two, 2, calls / 2);
            round_apart(place, two, one, 3, calls / 2);
            unprivileged(&folder.path().join("data"));
            let mut ear = public("the whole day, asked for again");
            let end = day_again(place, &mut ear);
            eprintln!("the feed's {end} messages again: {} bytes heard", ear.bytes);
            ear.assert_clean();
            assert_eq!(ears.each_ref().map(heard), [None, None]);
            assert!(ears[0].lock().expect("an ear").bytes > 0, "nothing came by the lines");
            caught(place);
            // The lines have said the one name that was asked for.
            until("the name on the lines", || heard(&ears[0]));
            assert_eq!(heard(&ears[1]), None);
        }));
        stop.store(true, Ordering::Relaxed);
        listening.join().expect("the lines");
        checked.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    let ready = up.ready.to_string();
    let stopped = up.stop().to_string();
    let text = std::fs::read_to_string(&log).expect("the log") + &ready + &stopped;
    let mut ear = Ear::new("the venue's log", &Firm::BOTH.map(Firm::secrets).concat());
    ear.hear(text.as_bytes());
    ear.assert_clean();
    // Who came and went is for the venue to know, and shows that there was something to search.
    assert!(text.contains(&one.session(1)), "the log is empty: {text}");
    eprintln!("the venue's log: {} bytes heard", text.len());
}

/// What leaks on purpose is caught by what found nothing before.
fn caught(place: &Place<'_>) {
    let [one, two] = Firm::BOTH;
    let known = &plant(place, two, 4);
    for found in [
        ouch(place, one, two, known, 2_000, Door::Trusting),
        fix(place, one, two, known, 2_000, Door::Trusting),
    ] {
        let leak = found.ear.found.expect("a door that believes a name is caught");
        eprintln!("a door that believes a name is caught at {}: {leak}", found.door);
    }
    let mut ear = Ear::new("the owner", &[]);
    let mut soup = logged_in(place, one, 3, NOW, &mut ear);
    let order = EnterOrder {
        display: Display::Attributable,
        ..enter(900_000, Side::Buy, 100, "ACME", 500_000, "named")
    };
    soup.send(b'U', &bytes(|out| order.encode(out)));
    let mut accepted = false;
    settled(&mut soup, &mut ear, |payload| {
        accepted |= payload.first() == Some(&b'A')
    });
    assert!(accepted, "an order that asks to be attributed");
    let leaks = |what: &str, ear: &Ear| {
        let leak = ear.found.as_ref().unwrap_or_else(|| panic!("{what} says no name"));
        assert!(leak.contains(&one.mpid()), "{leak}");
        eprintln!("a name is heard by {what}: {leak}");
    };
    let mut again = public("the day again");
    day_again(place, &mut again);
    leaks("the day asked for again, and its snapshot", &again);
    let mut feed = public("a subscriber");
    let mut client = subscribe(place, two.session(4), two.password(), Mode::Full).expect("a subscription");
    until("the name over QUIC", || {
        let look = Duration::from_millis(10);
        client
            .poll(look, &mut |frame| hear_frame(&mut feed, frame))
            .expect("it goes on");
        feed.found.clone()
    });
    leaks("QUIC", &feed);
}
