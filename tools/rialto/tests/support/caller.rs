//! A program of a firm, at the HTTP gateway.

use super::{PATIENCE, Up, ask, until};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A key of a firm.
pub(crate) struct Caller<'a> {
    pub(crate) http: &'a str,
    pub(crate) bearer: String,
}

/// An answer.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) body: Value,
    pub(crate) text: String,
    pub(crate) head: String,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(up: &'a Up, place: &str, name: &str, firm: &str, role: &str) -> Self {
        let made = ask(&[
            "member", "key", "add", name, "--firm", firm, "--role", role, "--data", place,
        ])
        .remove(0);
        let secret = made["secret"].as_str().expect("a secret");
        Self::known(up, format!("{name}:{secret}"))
    }

    pub(crate) fn known(up: &'a Up, bearer: String) -> Self {
        let http = up.ready["http"].as_str().expect("the gateway");
        let http = http.trim_start_matches("http://").split('/').next().expect("a host");
        Self { http, bearer }
    }

    pub(crate) fn call(&self, method: &str, path: &str, key: Option<&str>, body: &Value) -> Said {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/api/v1/member/{path}")
        };
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let key = key.map_or_else(String::new, |key| format!("Idempotency-Key: {key}\r\n"));
        let mut stream = TcpStream::connect(self.http).expect("the gateway listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {}\r\n{key}\r\n{body}",
            self.http,
            self.bearer,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Said {
            status: status.expect("a status"),
            replayed: head.contains("idempotent-replayed: true"),
            body: serde_json::from_str(text).unwrap_or(Value::Null),
            text: text.to_owned(),
            head: head.to_owned(),
        }
    }

    /// At another gateway of the exchange.
    pub(crate) fn at(&self, http: &'a str) -> Self {
        Self {
            http,
            bearer: self.bearer.clone(),
        }
    }

    /// The WebSocket of its executions, from behind a number.
    pub(crate) fn stream(&self, after: u64) -> Stream {
        self.open(&format!("/api/v1/member/stream?after={after}"))
    }

    /// A WebSocket.
    pub(crate) fn open(&self, path: &str) -> Stream {
        let mut stream = TcpStream::connect(self.http).expect("the gateway listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a bound");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            self.http, self.bearer
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            head.extend(byte);
        }
        let status = String::from_utf8_lossy(&head)
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Stream {
            stream,
            status: status.expect("a status"),
        }
    }

    /// Again, with the same key, for as long as the exchange or the rate says later.
    pub(crate) fn place(&self, key: &str, order: &Value) -> Said {
        until("an answer to an order", || {
            let said = self.call("POST", "orders", Some(key), order);
            (!matches!(said.status, 429 | 503 | 504)).then_some(said)
        })
    }

    pub(crate) fn orders(&self) -> Vec<Value> {
        until("the order list", || {
            let said = self.call("GET", "orders?limit=1000", None, &Value::Null);
            (said.status == 200).then(|| said.body["rows"].as_array().cloned().expect("rows"))
        })
    }
}

/// A WebSocket that only listens.
pub(crate) struct Stream {
    stream: TcpStream,
    pub(crate) status: u16,
}

impl Stream {
    /// The next text (RFC 6455, section 5.2; a server's frames are not masked).
    pub(crate) fn next(&mut self) -> String {
        loop {
            let [head, length] = self.bytes::<2>();
            let length = match length {
                126 => u64::from(u16::from_be_bytes(self.bytes())),
                127 => u64::from_be_bytes(self.bytes()),
                length => u64::from(length),
            };
            let mut text = vec![0; usize::try_from(length).expect("short")];
            self.stream.read_exact(&mut text).expect("a frame");
            if head == 0x81 {
                return String::from_utf8(text).expect("UTF-8");
            }
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).expect("a frame in time");
        bytes
    }

    /// Executions up to and with this many, which must be numbered without a gap from behind `after`.
    pub(crate) fn executions(&mut self, after: u64, count: usize) -> Vec<Value> {
        let mut rows: Vec<Value> = Vec::new();
        while rows.len() < count {
            let told: Value = serde_json::from_str(&self.next()).expect("JSON");
            let told = &told["executions"];
            assert_eq!(told["missed"], Value::Null, "{told}");
            rows.extend(told["rows"].as_array().expect("rows").iter().cloned());
        }
        for (number, row) in (after + 1..).zip(&rows) {
            assert_eq!(row["number"], number, "{row}");
        }
        rows
    }
}
