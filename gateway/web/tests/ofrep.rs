//! The flags of the edge over HTTP, held against the rules of the OFREP OpenAPI description, version 0.1.0.

use rialto_web::{
    Answered, Archive, Deed, Desk, Evaluated, Executions, Flags, Health, Key, Members, NoAnswer, Office, Presented,
    Question, Refusal, Server, Services, Ticket,
};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const PATIENCE: Duration = Duration::from_secs(60);

struct Nobody;

fn no() -> Refusal {
    Refusal {
        status: 500,
        detail: "not asked here".to_owned(),
        mend: String::new(),
    }
}

impl Desk for Nobody {
    fn enter(&self, _: &Ticket) -> Result<String, Refusal> {
        Err(no())
    }
    fn cancel(&self, _: u32) -> Result<String, Refusal> {
        Err(no())
    }
}
impl Archive for Nobody {
    fn at(&self, _: u64) -> Result<String, Refusal> {
        Err(no())
    }
    fn chart(&self, _: u64, _: &str) -> Result<String, Refusal> {
        Err(no())
    }
}
impl Office for Nobody {
    fn ask(&self, _: &[u8]) -> Result<String, Refusal> {
        Err(no())
    }
}

impl Members for Nobody {
    fn ask(&self, _: &Presented, _: Question) -> Result<String, Refusal> {
        Err(no())
    }

    fn operator(&self, _: &Presented) -> Result<String, Refusal> {
        Err(no())
    }

    fn trade(&self, _: &Presented, _: &Deed) -> Result<Answered, Refusal> {
        Err(no())
    }

    fn follow(&self, _: &Presented, _: u64) -> Result<Box<dyn Executions>, Refusal> {
        Err(no())
    }
}

/// One flag of each type, one that needs a subject, and one that is broken.
#[derive(Default)]
struct Sample(AtomicBool);

impl Flags for Sample {
    fn keys(&self) -> Vec<&'static str> {
        vec!["a.switch", "a.choice", "a.count", "a.share", "a.broken"]
    }

    fn evaluate(&self, key: &str, targeting_key: Option<&str>) -> Result<Evaluated, NoAnswer> {
        let evaluated = |value: Value, variant: &str, reason| Evaluated {
            value,
            variant: variant.to_owned(),
            reason,
        };
        Ok(match (key, targeting_key) {
            ("a.switch", _) => {
                let on = self.0.load(Ordering::Relaxed);
                evaluated(on.into(), if on { "on" } else { "off" }, "STATIC")
            }
            ("a.choice", Some("ann")) => evaluated("red".into(), "red", "TARGETING_MATCH"),
            ("a.choice", _) => evaluated("blue".into(), "blue", "DEFAULT"),
            ("a.count", _) => evaluated(250.into(), "configured", "STATIC"),
            ("a.share", Some(_)) => evaluated(true.into(), "on", "SPLIT"),
            ("a.share", None) => return Err(NoAnswer::new("TARGETING_KEY_MISSING", "a share needs a subject")),
            ("a.broken", _) => return Err(NoAnswer::new("GENERAL", "the file is gone")),
            _ => return Err(NoAnswer::new("FLAG_NOT_FOUND", format!("no flag is called {key:?}"))),
        })
    }
}

struct Gateway {
    server: Server,
    flags: Arc<Sample>,
    _shown: (watch::Sender<Arc<str>>, watch::Sender<Arc<str>>),
}

/// Status, headers in lower case, body.
struct Answer(u16, String, String);

impl Answer {
    fn json(&self) -> Value {
        assert!(self.1.contains("content-type: application/json\r\n"), "{}", self.1);
        serde_json::from_str(&self.2).unwrap_or_else(|error| panic!("{error}: {}", self.2))
    }

    fn tag(&self) -> String {
        let line = self.1.lines().find_map(|line| line.strip_prefix("etag: "));
        line.expect("an entity tag").to_owned()
    }
}

impl Gateway {
    fn open() -> Self {
        let (pictures, shown) = watch::channel(Arc::from("{}"));
        let (orders, own) = watch::channel(Arc::from("[]"));
        let flags = Arc::new(Sample::default());
        let services = Services {
            pictures: shown,
            orders: own,
            desk: Arc::new(Nobody),
            archive: Arc::new(Nobody),
            office: Arc::new(Nobody),
            members: Arc::new(Nobody),
            health: Arc::new(Health::default),
            stages: Arc::new(String::new),
            firm_metrics: Arc::new(String::new),
            metrics: Arc::new(String::new),
            flags: Arc::clone(&flags) as Arc<dyn Flags>,
        };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            server: Server::start(listen, Key::new(KEY).expect("a key"), services).expect("a free port"),
            flags,
            _shown: (pictures, orders),
        }
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let address = self.server.address();
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer(
            status.expect("a status"),
            format!("{head}\r\n").to_lowercase(),
            body.to_owned(),
        )
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &format!("X-API-Key: {KEY}\r\n"), body)
    }
}

const ONE: &str = "/ofrep/v1/evaluate/flags";

#[test]
fn a_flag_is_answered_with_value_reason_and_variant() {
    let gateway = Gateway::open();
    let table = [
        (
            "a.switch",
            "{}",
            json!({"value": false, "variant": "off", "reason": "STATIC"}),
        ),
        (
            "a.switch",
            "",
            json!({"value": false, "variant": "off", "reason": "STATIC"}),
        ),
        (
            "a.choice",
            r#"{"context":{}}"#,
            json!({"value": "blue", "variant": "blue", "reason": "DEFAULT"}),
        ),
        (
            "a.choice",
            r#"{"context":{"targetingKey":"ann","age":7}}"#,
            json!({"value": "red", "variant": "red", "reason": "TARGETING_MATCH"}),
        ),
        (
            "a.count",
            "{}",
            json!({"value": 250, "variant": "configured", "reason": "STATIC"}),
        ),
        (
            "a.share",
            r#"{"context":{"targetingKey":"bob"}}"#,
            json!({"value": true, "variant": "on", "reason": "SPLIT"}),
        ),
    ];
    for (key, body, mut wanted) in table {
        wanted["key"] = key.into();
        let answer = gateway.post(&format!("{ONE}/{key}"), body);
        assert_eq!((answer.0, answer.json()), (200, wanted), "{key} {body}");
    }
}

#[test]
fn what_cannot_be_answered_has_the_protocols_code() {
    let gateway = Gateway::open();
    let table = [
        ("a.nothing", "{}", 404, "FLAG_NOT_FOUND"),
        ("a.share", "{}", 400, "TARGETING_KEY_MISSING"),
        ("a.broken", "{}", 400, "GENERAL"),
        ("a.switch", "{", 400, "PARSE_ERROR"),
        ("a.switch", "[]", 400, "PARSE_ERROR"),
        ("a.switch", r#"{"context":7}"#, 400, "INVALID_CONTEXT"),
        ("a.switch", r#"{"context":{"targetingKey":7}}"#, 400, "INVALID_CONTEXT"),
    ];
    for (key, body, status, code) in table {
        let answer = gateway.post(&format!("{ONE}/{key}"), body);
        let told = answer.json();
        assert_eq!(
            (answer.0, &told["key"], &told["errorCode"]),
            (status, &json!(key), &json!(code)),
            "{body}"
        );
        assert!(
            told["errorDetails"].is_string() && told.get("value").is_none(),
            "{told}"
        );
    }
    // Of all flags: without a key.
    let answer = gateway.post(ONE, r#"{"context":7}"#);
    assert_eq!(
        (answer.0, &answer.json()["errorCode"]),
        (400, &json!("INVALID_CONTEXT"))
    );
}

#[test]
fn all_flags_come_at_once_and_only_where_something_has_changed() {
    let gateway = Gateway::open();
    let first = gateway.post(ONE, "{}");
    assert_eq!(first.0, 200);
    let flags = first.json()["flags"].as_array().expect("a list").clone();
    assert_eq!(flags.len(), 5);
    for flag in &flags {
        let (value, code) = (flag.get("value"), flag.get("errorCode"));
        assert!(flag["key"].is_string() && value.is_some() != code.is_some(), "{flag}");
    }
    assert_eq!(flags[4]["errorCode"], "GENERAL");
    let tag = first.tag();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let again = |known: &str| {
        let headers = format!("Authorization: Bearer {KEY}\r\nIf-None-Match: {known}\r\n");
        gateway.send("POST", ONE, &headers, "{}")
    };
    for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let same = again(&known);
        assert_eq!((same.0, same.2.as_str(), same.tag()), (304, "", tag.clone()), "{known}");
    }
    // Another subject has other answers, and so has the same one later.
    assert_eq!(again("\"other\"").0, 200);
    let ann = format!("X-API-Key: {KEY}\r\nIf-None-Match: {tag}\r\n");
    assert_eq!(
        gateway
            .send("POST", ONE, &ann, r#"{"context":{"targetingKey":"ann"}}"#)
            .0,
        200
    );
    gateway.flags.0.store(true, Ordering::Relaxed);
    let changed = again(&tag);
    assert_eq!((changed.0, &changed.json()["flags"][0]["value"]), (200, &json!(true)));
    assert_ne!(changed.tag(), tag);
}

#[test]
fn without_the_key_nothing_is_told() {
    let gateway = Gateway::open();
    for headers in ["", "X-API-Key: wrong\r\n", "Authorization: Bearer wrong\r\n"] {
        for path in [ONE, "/ofrep/v1/evaluate/flags/a.switch"] {
            assert_eq!(gateway.send("POST", path, headers, "{}").0, 401, "{headers}");
        }
    }
    let told = gateway.send("GET", "/ofrep/v1/configuration", "", "");
    assert_eq!((told.0, &told.json()["name"]), (200, &json!("rialto")));
    let types = &told.json()["capabilities"]["flagEvaluation"]["supportedTypes"];
    assert_eq!(types, &json!(["boolean", "string", "int"]));
    let known = format!("If-None-Match: {}\r\n", told.tag());
    assert_eq!(gateway.send("GET", "/ofrep/v1/configuration", &known, "").0, 304);
}
