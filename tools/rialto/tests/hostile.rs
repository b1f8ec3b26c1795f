//! Two firms at the HTTP gateway, each with forged ids of the other in every call it can make: not one marker of the other's in any
//! answer, of any path or WebSocket. The same calls catch a gateway that answers for the account that a request states.
//!
//! `RIALTO_HOSTILE_CALLS=100000` for a longer run; `RIALTO_SEED` for another.

mod support;

use rialto_members::{KeyRole, Keyring};
use rialto_model::{AccountId, FirmId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use support::caller::Caller;
use support::hostile::Dice;
use support::{Up, ask, rialto, until};

/// Random calls of both firms together.
const CALLS: u64 = 10_000;
/// Within so many, a gateway that leaks is caught.
const LEAK_CALLS: u64 = 2_000;
/// Keys of a firm, so that most calls are judged by what they ask for and not by their rate.
const KEYS: usize = 64;

/// One of the two firms, and everything by which it would be known.
struct Firm<'a> {
    callers: Vec<Caller<'a>>,
    name: &'static str,
    number: u32,
    markers: BTreeSet<String>,
    /// Numbers that the other firm forges: accounts, sessions, orders, references.
    ids: Vec<u64>,
}

/// Keys as the venue would give them, in one go.
fn keys(data: &Path) -> [Vec<String>; 2] {
    let mut ring = Keyring::new();
    let mut bearers = [Vec::new(), Vec::new()];
    for (firm, stem, own) in [(1, "zqalfa", 0), (2, "zqbeta", 1)] {
        for number in 0..KEYS {
            let (name, secret) = (format!("{stem}{number}"), format!("{stem}-secret-{number}"));
            let role = [KeyRole::Trader, KeyRole::ReadOnly, KeyRole::Risk][number % 3];
            ring.add(&name, &secret, role, FirmId(firm), AccountId(0))
                .expect("a key");
            bearers[own].push(format!("{name}:{secret}"));
        }
    }
    let path = data.join("keys.toml");
    std::fs::write(&path, ring.to_toml()).expect("the file of keys");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    bearers
}

/// Orders of the firm by HTTP and by OUCH, a user and a session of its own; all that its own answers know it by is a marker.
fn plant<'a>(up: &'a Up, place: &str, number: u32, bearers: &[String]) -> Firm<'a> {
    let (name, stem, side) = if number == 1 {
        ("ALFA", "alpha", "buy")
    } else {
        ("BETA", "beta", "sell")
    };
    let mut markers: BTreeSet<String> = [
        format!("zq{}", &stem[..2]),
        format!("{stem}h"),
        format!("{stem}1"),
        format!("{stem}2"),
    ]
    .into();
    let callers: Vec<Caller<'a>> = bearers.iter().map(|bearer| Caller::known(up, bearer.clone())).collect();
    let user = format!("zq-{stem}-user");
    let id = (700 + number).to_string();
    ask(&[
        "member", "user", "add", &id, &user, "--firm", name, "--role", "trader", "--data", place,
    ]);
    markers.insert(user);
    markers.insert(
        if number == 1 {
            "Alpha Securities"
        } else {
            "Beta Trading"
        }
        .to_owned(),
    );
    for order in 0..8 {
        let price = format!("{}.00", 50 + order);
        let wish = json!({ "symbol": "ACME", "side": side, "quantity": 100 + order, "price": price });
        assert_eq!(callers[0].place(&format!("plant-{order}"), &wish).status, 200);
    }
    let door = up.ready["ouch"].as_str().expect("the door");
    let session = format!("{stem}1");
    rialto(&[
        "order",
        "--ouch",
        door,
        "--user",
        &session,
        "--password",
        "rialto",
        side,
        "333",
        "BOLT",
        "--price",
        "20.00",
        "--json",
    ]);
    let told = until("the firm's executions", || {
        let told = callers[1].call("GET", "executions?limit=1000", None, &Value::Null);
        (told.status == 200 && told.body["last"].as_u64() >= Some(9)).then_some(told.body)
    });
    let mut ids = vec![u64::from(number), 700 + u64::from(number)];
    for row in told["rows"].as_array().expect("rows") {
        for name in ["account", "session", "order"] {
            let value = row[name].as_u64().expect("a number");
            ids.push(value);
            // Numbers alone say nothing; as this field of a row they are somebody's. Accounts of both firms are small numbers too.
            markers.insert(format!("\"{name}\":{value},"));
        }
        ids.push(row["user_ref"].as_u64().expect("a number"));
        if let Some(client_id) = row["client_id"].as_str().filter(|id| id.len() > 8) {
            markers.insert(client_id.to_owned());
        }
    }
    markers.remove("\"order\":0,");
    Firm {
        callers,
        name,
        number,
        markers,
        ids,
    }
}

fn found<'a>(markers: &'a BTreeSet<String>, text: &str) -> Option<&'a str> {
    markers
        .iter()
        .find(|marker| text.contains(marker.as_str()))
        .map(String::as_str)
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gateway {
    /// The exchange's.
    Real,
    /// One with a defect: it answers for the account that a request states, whoever asks.
    Trusting,
}

/// A call with whatever of the other's the caller can think of. What it says of itself is its own in the key alone.
fn call(dice: &mut Dice, own: &Firm<'_>, other: &Firm<'_>, gateway: Gateway) -> (String, u16, String) {
    let number = *dice.of(&other.ids);
    let query = match dice.below(9) {
        0 => String::new(),
        1 => format!("?account={number}"),
        2 => format!("?after={number}"),
        3 => format!("?after={}&limit={}", dice.below(50), 1 + dice.below(1_000)),
        4 => format!("?firm={}", other.number),
        5 => format!("?account={number}&firm={}", other.name),
        6 => format!("?limit=1000&account={}", dice.below(4)),
        7 => format!("?after={}", dice.next()),
        _ => "?limit=1000".to_owned(),
    };
    let symbol = *dice.of(&["ACME", "BOLT", "COGS", "ZZZZ", other.name]);
    let order = json!({
        "symbol": symbol, "side": *dice.of(&["buy", "sell"]), "quantity": 1 + dice.below(20),
        "price": format!("{}.0{}", 1 + dice.below(99), dice.below(10)),
    });
    let change = json!({ "quantity": 1 + dice.below(200), "price": "49.00" });
    let forged_ask = match dice.below(5) {
        0 => {
            json!({ "ask": "member", "about": { "what": "positions", "firm": other.name, "account": null, "directory": null, "explain": true } })
        }
        1 => json!({ "ask": "explain", "order": number }),
        2 => json!({ "ask": "history", "order": number }),
        3 => json!({ "ask": "at", "seq": null, "what": { "member": { "name": other.name } } }),
        _ => {
            json!({ "ask": "member", "about": { "what": "list", "kind": *dice.of(&["users", "sessions", "firms", "accounts"]) } })
        }
    };
    let none = Value::Null;
    let (method, path, body): (&str, String, &Value) = match dice.below(24) {
        0 => ("GET", format!("/api/v1/portfolio{query}"), &none),
        1 | 2 => ("GET", format!("positions{query}"), &none),
        3 | 4 => ("GET", format!("orders{query}"), &none),
        5 | 6 => ("GET", format!("fills{query}"), &none),
        7 | 8 => ("GET", format!("executions{query}"), &none),
        9 => ("GET", "limits".to_owned(), &none),
        10 => ("PUT", "limits".to_owned(), &change),
        11 => ("POST", "orders".to_owned(), &order),
        12 => ("PUT", format!("orders/{number}"), &change),
        13 => ("DELETE", format!("orders/{number}"), &none),
        14 => ("POST", "/api/v1/ask".to_owned(), &forged_ask),
        15 => ("GET", "/api/v1/orders".to_owned(), &none),
        16 => ("POST", "/api/v1/orders".to_owned(), &order),
        17 => ("DELETE", format!("/api/v1/orders/{number}"), &none),
        18 => (
            "GET",
            (*dice.of(&[
                "/api/v1/faults",
                "/api/v1/faults/late",
                "/health",
                "/healthz",
                "/metrics",
                "/",
            ]))
            .to_owned(),
            &none,
        ),
        19 => ("GET", "/api/v1/picture".to_owned(), &none),
        20 if dice.below(20) == 0 => ("GET", format!("/api/v1/at/{}", number.min(40)), &none),
        20 => ("GET", "/api/v1/openapi.json".to_owned(), &none),
        21 => ("POST", "/ofrep/v1/evaluate/flags".to_owned(), &forged_ask),
        22 => ("GET", format!("/api/v1/member/{}/orders", other.name), &none),
        _ => ("GET", format!("../{}/orders", other.number), &none),
    };
    // Mostly a key of its own; sometimes the other's name with its own secret, or none.
    let mut caller = Caller {
        http: own.callers[0].http,
        bearer: dice.of(&own.callers).bearer.clone(),
    };
    if dice.below(12) == 0 {
        let secret = caller
            .bearer
            .split_once(':')
            .map_or("", |(_, secret)| secret)
            .to_owned();
        let name = dice
            .of(&other.callers)
            .bearer
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        caller.bearer = format!("{name}:{secret}");
    }
    if gateway == Gateway::Trusting && path.contains("account=") {
        caller.bearer = dice.of(&other.callers).bearer.clone();
    }
    let key = format!("plant-{}", dice.below(400));
    let said = caller.call(method, &path, Some(&key), body);
    (
        format!("{method} {path} {body}"),
        said.status,
        format!("{}\n{}", said.head, said.text),
    )
}

/// Random calls of these firms: answered, over their rate and refused, or what came to light.
fn sweep(
    dice: &mut Dice,
    firms: &[Firm<'_>; 2],
    callers: &[usize],
    calls: u64,
    gateway: Gateway,
) -> Result<[u64; 3], String> {
    let mut counts = [0; 3];
    for count in 0..calls {
        let own = *dice.of(callers);
        let (own, other) = (&firms[own], &firms[1 - own]);
        let (what, status, said) = call(dice, own, other, gateway);
        let at = match status {
            200 => 0,
            429 => 1,
            _ => 2,
        };
        counts[at] += 1;
        assert!(
            status < 500 || status == 503 || status == 504,
            "call {count}: {what}: {said}"
        );
        if let Some(marker) = found(&other.markers, &said) {
            return Err(format!(
                "call {count}: {} reads {marker} of the other by {what}\n{said}",
                own.name
            ));
        }
    }
    Ok(counts)
}

#[test]
fn not_a_marker_of_the_other_firm_is_in_any_answer() {
    let seed = std::env::var("RIALTO_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(7);
    let calls = std::env::var("RIALTO_HOSTILE_CALLS")
        .ok()
        .and_then(|calls| calls.parse().ok())
        .unwrap_or(CALLS);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0"]);
    let bearers = keys(&data);
    let mut firms = [plant(&up, place, 1, &bearers[0]), plant(&up, place, 2, &bearers[1])];
    // What both would be known by is no marker.
    let common: BTreeSet<String> = firms[0].markers.intersection(&firms[1].markers).cloned().collect();
    firms
        .iter_mut()
        .for_each(|firm| firm.markers.retain(|marker| !common.contains(marker)));
    assert!(firms.iter().all(|firm| firm.markers.len() > 20), "too few markers");

    // A handler that leaks is caught, by the calls that find nothing in the real one.
    for own in 0..2 {
        let caught = sweep(&mut Dice(seed), &firms, &[own], LEAK_CALLS, Gateway::Trusting);
        let caught = caught.expect_err("a handler that believes the request is caught");
        assert!(caught.contains("account="), "{caught}");
        eprintln!(
            "a gateway that trusts the request is caught: {}",
            caught.lines().next().unwrap_or_default()
        );
    }

    let mut dice = Dice(seed);
    let mut streams: Vec<_> = (0..2).map(|own| firms[own].callers[0].stream(0)).collect();
    let counts =
        sweep(&mut dice, &firms, &[0, 1], calls, Gateway::Real).unwrap_or_else(|leak| panic!("seed {seed}, {leak}"));
    // Everything that came by WebSocket meanwhile, up to the last execution there is.
    for (own, stream) in streams.iter_mut().enumerate() {
        let last = until("the last number", || {
            let said = firms[own].callers[1].call("GET", "executions?limit=1", None, &Value::Null);
            (said.status == 200).then(|| said.body["last"].as_u64().expect("a number"))
        });
        let mut reached = 0;
        while reached < last {
            let text = stream.next();
            if let Some(marker) = found(&firms[1 - own].markers, &text) {
                panic!("seed {seed}: {} hears {marker} of the other: {text}", firms[own].name);
            }
            let told: Value = serde_json::from_str(&text).expect("JSON");
            let rows = told["executions"]["rows"].as_array().expect("rows");
            reached = rows
                .last()
                .map_or(reached, |row| row["number"].as_u64().expect("a number"));
        }
    }
    // The public WebSocket, as somebody of the one firm hears it.
    let mut public = firms[0].callers[0].open("/api/v1/stream");
    for _ in 0..3 {
        let text = public.next();
        for firm in &firms {
            assert_eq!(found(&firm.markers, &text), None, "{text}");
        }
    }
    let [answered, over_rate, refused] = counts;
    eprintln!("seed {seed}: {calls} calls, {answered} answered, {refused} refused, {over_rate} over their rate");
    assert!(answered > calls / 10, "{counts:?}");
    up.stop();
}
