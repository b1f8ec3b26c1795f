//! The gateway on a real socket: what each request is answered, and what it never does.

use rialto_web::{
    Answered, Archive, Deed, Desk, Evaluated, Executions, Flags, Health, Key, Members, NoAnswer, Office, Presented,
    Question, Refusal, Server, Services, Ticket, limits,
};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const KEY: &str = "0123456789abcdef0123456789abcdef";
/// A generous bound: what is waited for is there within milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

struct Books;

impl Desk for Books {
    fn enter(&self, ticket: &Ticket) -> Result<String, Refusal> {
        if ticket.quantity == 13 {
            return Err(Refusal {
                status: 422,
                detail: "thirteen is no quantity".to_owned(),
                mend: "choose another".to_owned(),
            });
        }
        Ok(format!(
            "{{\"order\":1,\"symbol\":{:?},\"tif\":{:?}}}",
            ticket.symbol, ticket.tif
        ))
    }

    fn cancel(&self, order: u32) -> Result<String, Refusal> {
        Ok(format!("{{\"order\":{order},\"state\":\"cancelled\"}}"))
    }
}

impl Archive for Books {
    fn at(&self, seq: u64) -> Result<String, Refusal> {
        Ok(format!("{{\"seq\":{seq}}}"))
    }

    fn chart(&self, seq: u64, symbol: &str) -> Result<String, Refusal> {
        Ok(format!("{{\"seq\":{seq},\"symbol\":\"{symbol}\"}}"))
    }
}

impl Office for Books {
    fn ask(&self, request: &[u8]) -> Result<String, Refusal> {
        Ok(format!("{{\"asked\":{}}}", String::from_utf8_lossy(request)))
    }
}

impl Members for Books {
    fn ask(&self, presented: &Presented, question: Question) -> Result<String, Refusal> {
        match presented {
            Presented::Secret { name, secret } if name == "desk" && secret == "let:me" => {
                Ok(format!("{{\"question\":\"{question:?}\"}}"))
            }
            Presented::Signed { signed, time_ms, .. } => Ok(format!("{{\"signed\":{signed:?},\"at\":{time_ms}}}")),
            Presented::Secret { .. } => Err(Refusal {
                status: 401,
                detail: "nobody's key".to_owned(),
                mend: "ask for one".to_owned(),
            }),
        }
    }

    fn operator(&self, presented: &Presented) -> Result<String, Refusal> {
        match presented {
            Presented::Secret { name, secret } if name == "olga" && secret == "op" => Ok("olga".to_owned()),
            _ => Err(Refusal {
                status: 403,
                detail: "no operator's key".to_owned(),
                mend: "ask for one".to_owned(),
            }),
        }
    }

    fn trade(&self, presented: &Presented, deed: &Deed) -> Result<Answered, Refusal> {
        traded(presented, deed)
    }

    fn follow(&self, presented: &Presented, after: u64) -> Result<Box<dyn Executions>, Refusal> {
        let all = Question::Portfolio { after: None, most: 1 };
        Members::ask(self, presented, all)?;
        Ok(Box::new(Count(watch::channel(0).1, after)))
    }
}

fn traded(presented: &Presented, deed: &Deed) -> Result<Answered, Refusal> {
    let (body, again) = match (presented, deed) {
        (Presented::Signed { signed, .. }, _) => (format!("{{\"signed\":{signed:?}}}"), false),
        (_, Deed::Place { key, .. }) => (format!("{deed:?}").replace('"', "'"), key == "again"),
        _ => (format!("{deed:?}").replace('"', "'"), false),
    };
    Ok(Answered { body, again })
}

/// Tells the next three numbers, then that its key is gone.
struct Count(watch::Receiver<u64>, u64);

impl Executions for Count {
    fn news(&self) -> watch::Receiver<u64> {
        self.0.clone()
    }

    fn next(&mut self) -> Result<(String, bool), Refusal> {
        self.1 += 1;
        match self.1 {
            0..13 => Ok((self.1.to_string(), true)),
            _ => Err(Refusal {
                status: 401,
                detail: "the key is gone".to_owned(),
                mend: String::new(),
            }),
        }
    }
}

impl Flags for Books {
    fn keys(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn evaluate(&self, key: &str, _: Option<&str>) -> Result<Evaluated, NoAnswer> {
        Err(NoAnswer::new("FLAG_NOT_FOUND", key))
    }
}

struct Gateway {
    server: Server,
    pictures: watch::Sender<Arc<str>>,
    _orders: watch::Sender<Arc<str>>,
}

fn gateway() -> Gateway {
    let (pictures, shown) = watch::channel(Arc::from("{\"seq\":7}"));
    let (orders, own) = watch::channel(Arc::from("[]"));
    let services = Services {
        pictures: shown,
        orders: own,
        desk: Arc::new(Books),
        archive: Arc::new(Books),
        office: Arc::new(Books),
        members: Arc::new(Books),
        health: Arc::new(Health::default),
        stages: Arc::new(|| "{\"orders\":1}".to_owned()),
        firm_metrics: Arc::new(|| "firm_up 1\n".to_owned()),
        metrics: Arc::new(|| "rialto_up 1\n".to_owned()),
        flags: Arc::new(Books),
    };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::start(listen, Key::new(KEY).unwrap(), services).unwrap();
    Gateway {
        server,
        pictures,
        _orders: orders,
    }
}

/// Sends a request as it is and reads to the end.
fn raw(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    raw(
        address,
        &format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ),
    )
}

#[test]
fn every_request_has_its_answer() {
    let gateway = gateway();
    let address = gateway.server.address();
    let key = format!("X-Rialto-Key: {KEY}\r\n");
    let order = "{\"symbol\":\"ACME\",\"side\":\"buy\",\"quantity\":5,\"price\":\"1.25\"}";
    let thirteen = order.replace(":5,", ":13,");
    let extra = order.replace("\"side\"", "\"sidé\"");
    let long = format!("{order}{}", " ".repeat(limits::BODY_BYTES_MAX));
    let (order, key) = (order, key.as_str());
    let table: &[(&str, &str, &str, &str, &str, &str)] = &[
        ("GET", "/", "", "", "200", "<title>Rialto</title>"),
        ("GET", "/console.js", "", "", "200", "text/javascript"),
        ("GET", "/chart.js", "", "", "200", "text/javascript"),
        ("GET", "/console.css", "", "", "200", "text/css"),
        ("GET", "/healthz", "", "", "200", "\"healthy\":true"),
        ("GET", "/metrics", "", "", "200", "rialto_up 1"),
        ("GET", "/api/v1/picture", "", "", "200", "{\"seq\":7}"),
        ("GET", "/health", "", "", "200", "\"followers\":[]"),
        ("GET", "/metrics", key, "", "200", "firm_up 1"),
        ("GET", "/try", "", "", "200", "Try the gateway"),
        ("GET", "/try.js", "", "", "200", "text/javascript"),
        ("GET", "/panes.js", "", "", "200", "text/javascript"),
        ("GET", "/api/v1/orders", key, "", "200", "[]"),
        ("GET", "/api/v1/orders", "", "", "401", "the key is missing"),
        ("GET", "/api/v1/faults", "", "", "401", "the key is missing"),
        ("GET", "/api/v1/faults", key, "", "200", "faults"),
        (
            "GET",
            "/api/v1/faults",
            "Authorization: Bearer olga:op\r\n",
            "",
            "200",
            "faults",
        ),
        (
            "GET",
            "/api/v1/faults",
            "Authorization: Bearer desk:x\r\n",
            "",
            "403",
            "no operator",
        ),
        (
            "POST",
            "/api/v1/ask",
            "Authorization: Bearer olga:op\r\n",
            "{\"ask\":\"operate\",\"who\":\"nobody\"}",
            "200",
            "\"who\":\"olga\"",
        ),
        ("GET", "/api/v1/at/42", "", "", "200", "{\"seq\":42}"),
        ("GET", "/api/v1/at/now", "", "", "400", "give a whole number"),
        (
            "GET",
            "/api/v1/at/99999999999999999999999",
            "",
            "",
            "400",
            "give a whole number",
        ),
        ("GET", "/api/v1/stream", "", "", "400", ""),
        ("GET", "/nothing", "", "", "404", "the console is at /"),
        ("PUT", "/api/v1/orders", key, order, "405", ""),
        (
            "POST",
            "/api/v1/orders",
            key,
            order,
            "200",
            "\"symbol\":\"ACME\",\"tif\":\"day\"",
        ),
        (
            "POST",
            "/api/v1/orders",
            key,
            &thirteen,
            "422",
            "\"mend\":\"choose another\"",
        ),
        ("POST", "/api/v1/orders", key, "{", "400", "this is no order"),
        ("POST", "/api/v1/orders", key, &extra, "400", "unknown field"),
        ("POST", "/api/v1/orders", key, &long, "413", ""),
        (
            "POST",
            "/api/v1/orders",
            "",
            order,
            "401",
            "the key is missing or wrong",
        ),
        (
            "POST",
            "/api/v1/orders",
            "X-Rialto-Key: 0123456789abcdef0123456789abcdeg\r\n",
            order,
            "401",
            "X-Rialto-Key",
        ),
        ("DELETE", "/api/v1/orders/3", key, "", "200", "\"state\":\"cancelled\""),
        ("DELETE", "/api/v1/orders/3", "", "", "401", "the key"),
        ("DELETE", "/api/v1/orders/x", key, "", "400", "give a whole number"),
    ];
    for (method, path, headers, body, status, words) in table {
        let answer = ask(address, method, path, headers, body);
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(status), "{method} {path}: {answer}");
        assert!(answer.contains(words), "{method} {path} {body}: {answer}");
        assert!(
            answer.contains("default-src 'none'") || first.contains("401"),
            "{method} {path}: {answer}"
        );
        assert!(!answer.contains(KEY), "the key is told to nobody: {answer}");
        if status.starts_with('4') && !path.starts_with("/ofrep") {
            assert!(answer.contains("application/problem+json"), "{answer}");
        }
    }
}

#[test]
fn pages_of_elsewhere_get_nothing() {
    let gateway = gateway();
    let address = gateway.server.address();
    let port = address.port();
    let table: &[(&str, &str, &str)] = &[
        (&format!("Host: rebound.example:{port}"), "421", "use 127.0.0.1"),
        ("Host: 127.0.0.1.evil.example", "421", "use 127.0.0.1"),
        (
            &format!("Host: {address}\r\nOrigin: http://evil.example"),
            "403",
            "may not ask here",
        ),
        (&format!("Host: {address}\r\nOrigin: null"), "403", "may not ask here"),
        (&format!("Host: {address}\r\nOrigin: http://{address}"), "200", "seq"),
        (&format!("Host: localhost:{port}"), "200", "seq"),
    ];
    for (headers, status, words) in table {
        let answer = raw(
            address,
            &format!("GET /api/v1/picture HTTP/1.1\r\nConnection: close\r\n{headers}\r\n\r\n"),
        );
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(status) && answer.contains(words), "{headers}: {answer}");
    }
    let noise = raw(address, "\u{1}\u{2} this is not HTTP\r\n\r\n");
    assert!(noise.starts_with("HTTP/1.1 400"), "{noise}");
}

#[test]
fn without_new_pictures_it_is_not_healthy() {
    let gateway = gateway();
    let address = gateway.server.address();
    let begun = Instant::now();
    loop {
        let answer = ask(address, "GET", "/healthz", "", "");
        if answer.starts_with("HTTP/1.1 503") {
            assert!(answer.contains("no new picture"), "{answer}");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{answer}");
        std::thread::sleep(Duration::from_millis(100));
    }
    gateway.pictures.send_replace(Arc::from("{\"seq\":8}"));
    while !ask(address, "GET", "/healthz", "", "").starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[test]
fn the_stream_tells_pictures_and_is_bounded() {
    let gateway = gateway();
    let url = format!("ws://{}/api/v1/stream", gateway.server.address());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let connect = || tokio_tungstenite::connect_async(url.as_str());
        let (mut first, _) = connect().await.unwrap();
        assert_eq!(next(&mut first).await, "{\"picture\":{\"seq\":7}}");
        // The desk's orders are for who shows the key.
        say(&mut first, "{\"key\":\"0123456789abcdef0123456789abcdeg\"}").await;
        gateway.pictures.send_replace(Arc::from("{\"seq\":8}"));
        assert_eq!(next(&mut first).await, "{\"picture\":{\"seq\":8}}");
        say(&mut first, &format!("{{\"key\":\"{KEY}\"}}")).await;
        assert_eq!(next(&mut first).await, "{\"orders\":[]}");
        gateway.pictures.send_replace(Arc::from("{\"seq\":9}"));
        assert_eq!(next(&mut first).await, "{\"picture\":{\"seq\":9}}");

        // Who says what it has drawn is not sent more than it draws: the two pictures on their way, then the newest alone.
        let drawn = "{\"drawn\":1}";
        for _ in [7, 8, 9] {
            say(&mut first, drawn).await;
        }
        for seq in 10..30 {
            gateway.pictures.send_replace(Arc::from(format!("{{\"seq\":{seq}}}")));
            assert_eq!(next(&mut first).await, format!("{{\"picture\":{{\"seq\":{seq}}}}}"));
            say(&mut first, drawn).await;
        }
        gateway.pictures.send_replace(Arc::from("{\"seq\":30}"));
        assert_eq!(next(&mut first).await, "{\"picture\":{\"seq\":30}}");
        gateway.pictures.send_replace(Arc::from("{\"seq\":31}"));
        assert_eq!(next(&mut first).await, "{\"picture\":{\"seq\":31}}");
        for seq in [32, 33, 34] {
            gateway.pictures.send_replace(Arc::from(format!("{{\"seq\":{seq}}}")));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        say(&mut first, drawn).await;
        assert_eq!(next(&mut first).await, "{\"picture\":{\"seq\":34}}");

        let mut others = Vec::new();
        for _ in 1..limits::STREAMS_MAX {
            others.push(connect().await.unwrap());
        }
        let refused = connect().await.unwrap_err().to_string();
        assert!(refused.contains("503"), "{refused}");
        drop(others);
        let begun = Instant::now();
        while connect().await.is_err() {
            assert!(begun.elapsed() < PATIENCE, "a closed stream gives its place back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

/// The next text, without a crate for one function: polls the stream by hand.
async fn next<S>(stream: &mut S) -> String
where
    S: futures_core::Stream<
            Item = Result<tokio_tungstenite::tungstenite::Message, tokio_tungstenite::tungstenite::Error>,
        > + Unpin,
{
    let message = std::future::poll_fn(|context| std::pin::Pin::new(&mut *stream).poll_next(context));
    let message = tokio::time::timeout(PATIENCE, message).await.expect("in time");
    message
        .expect("it is open")
        .expect("it is sound")
        .into_text()
        .unwrap()
        .to_string()
}

/// Says a text.
async fn say<S>(stream: &mut S, text: &str)
where
    S: futures_util::Sink<tokio_tungstenite::tungstenite::Message, Error = tokio_tungstenite::tungstenite::Error>
        + Unpin,
{
    let message = tokio_tungstenite::tungstenite::Message::text(text);
    futures_util::SinkExt::send(stream, message).await.expect("it is open");
}

/// A member's own needs its key, hands on what was asked, and refuses what it does not understand.
#[test]
fn what_is_a_members_own_needs_its_key() {
    let gateway = gateway();
    let address = gateway.server.address();
    let bearer = "Authorization: Bearer desk:let:me\r\n";
    let signed = "X-Rialto-Name: desk\r\nX-Rialto-Time: 17\r\nX-Rialto-Signature: ab\r\n";
    let table: &[(&str, &str, &str, &str)] = &[
        ("/api/v1/portfolio", "", "401", "Bearer NAME:SECRET"),
        (
            "/api/v1/portfolio",
            "Authorization: Basic abc\r\n",
            "401",
            "Bearer NAME:SECRET",
        ),
        (
            "/api/v1/portfolio",
            "Authorization: Bearer desk:no\r\n",
            "401",
            "nobody's key",
        ),
        (
            "/api/v1/portfolio",
            bearer,
            "200",
            "Portfolio { after: None, most: 100 }",
        ),
        (
            "/api/v1/portfolio?after=3&limit=2",
            bearer,
            "200",
            "Portfolio { after: Some(3), most: 2 }",
        ),
        ("/api/v1/portfolio?firm=2", bearer, "400", "does not know"),
        (
            "/api/v1/member/positions?account=7&after=458753&limit=2",
            bearer,
            "200",
            "Positions { account: Some(7), after: Some(458753), most: 2 }",
        ),
        (
            "/api/v1/member/positions?account=x",
            bearer,
            "400",
            "account is no number",
        ),
        (
            "/api/v1/member/positions?account=1&account=2",
            bearer,
            "400",
            "account is no number",
        ),
        ("/api/v1/member/orders?limit=0", bearer, "400", "limit is no number"),
        ("/api/v1/member/orders?limit=1001", bearer, "400", "limit is no number"),
        (
            "/api/v1/member/fills?account=7&after=9&limit=3",
            bearer,
            "200",
            "Fills { account: Some(7), after: Some(9), most: 3 }",
        ),
        (
            "/api/v1/member/orders?after=5",
            signed,
            "200",
            "GET\\n/api/v1/member/orders?after=5\\n17\\n",
        ),
        (
            "/api/v1/at/7/chart/BRK.A",
            "",
            "200",
            "{\"seq\":7,\"symbol\":\"BRK.A\"}",
        ),
        ("/api/v1/at/x/chart/ACME", "", "400", "no number and symbol"),
        ("/api/v1/openapi.json", "", "200", "\"openapi\": \"3.1.0\""),
    ];
    for (path, headers, status, part) in table {
        let answer = ask(address, "GET", path, headers, "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.contains(part), "{path}: {answer}");
    }
}

/// Who trades shows a key of its own and says under which idempotency key; what is signed holds both and the body.
#[test]
fn orders_of_members_need_their_key_and_an_idempotency_key() {
    let gateway = gateway();
    let address = gateway.server.address();
    let bearer = "Authorization: Bearer desk:let:me\r\n";
    let once = format!("{bearer}Idempotency-Key: once-1\r\n");
    let again = format!("{bearer}Idempotency-Key: again\r\n");
    let signed = "X-Rialto-Name: desk\r\nX-Rialto-Time: 17\r\nX-Rialto-Signature: ab\r\nIdempotency-Key: k\r\n";
    let long = format!("{bearer}Idempotency-Key: {}\r\n", "k".repeat(65));
    let order = "{\"symbol\":\"ACME\",\"side\":\"buy\",\"quantity\":5,\"price\":\"1.25\"}";
    let change = "{\"quantity\":5}";
    let orders = "/api/v1/member/orders";
    let seven = "/api/v1/member/orders/7";
    let table: &[(&str, &str, &str, &str, &str, &str)] = &[
        ("POST", orders, &once, order, "200", "key: 'once-1'"),
        ("POST", orders, &again, order, "200", "idempotent-replayed: true"),
        (
            "POST",
            orders,
            signed,
            order,
            "200",
            "POST\\n/api/v1/member/orders\\n17\\nk\\n{\\\"symbol",
        ),
        ("POST", orders, bearer, order, "400", "Idempotency-Key"),
        ("POST", orders, &long, order, "400", "Idempotency-Key"),
        (
            "POST",
            orders,
            "Idempotency-Key: k\r\n",
            order,
            "401",
            "Bearer NAME:SECRET",
        ),
        ("POST", orders, &once, "{}", "400", "this is no order"),
        (
            "POST",
            "/api/v1/member/orders?firm=2",
            &once,
            order,
            "400",
            "does not know",
        ),
        ("PUT", seven, &once, change, "200", "Replace { order: 7"),
        ("PUT", seven, bearer, change, "400", "Idempotency-Key"),
        ("PUT", seven, &once, "{\"price\":\"1\"}", "400", "no change of an order"),
        (
            "PUT",
            "/api/v1/member/orders/x",
            &once,
            change,
            "400",
            "give a whole number",
        ),
        ("DELETE", seven, bearer, "", "200", "Cancel { order: 7 }"),
        ("DELETE", seven, "", "", "401", "Bearer NAME:SECRET"),
        (
            "DELETE",
            seven,
            &format!("X-Rialto-Key: {KEY}\r\n"),
            "",
            "401",
            "Bearer NAME:SECRET",
        ),
    ];
    for (method, path, headers, body, status, part) in table {
        let answer = ask(address, method, path, headers, body);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{method} {path}: {answer}"
        );
        assert!(answer.contains(part), "{method} {path}: {answer}");
    }
}

/// A member's stream goes on behind a number, and ends when the key opens nothing any more.
#[test]
fn executions_come_by_websocket_from_behind_a_number() {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    let gateway = gateway();
    let url = format!("ws://{}/api/v1/member/stream?after=10", gateway.server.address());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let refused = tokio_tungstenite::connect_async(url.as_str()).await.unwrap_err();
        assert!(refused.to_string().contains("401"), "{refused}");
        let mut request = url.as_str().into_client_request().unwrap();
        let bearer = "Bearer desk:let:me".parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let (mut stream, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        for expected in ["{\"executions\":11}", "{\"executions\":12}"] {
            assert_eq!(next(&mut stream).await, expected);
        }
        assert!(next(&mut stream).await.contains("the key is gone"));
    });
}

/// Every operation of the document is there, and what it answers without a key is in the document; every path of the API is in it.
#[test]
fn the_openapi_document_tells_of_paths_that_are_there_and_of_all() {
    let document: serde_json::Value = serde_json::from_str(include_str!("../src/openapi.json")).unwrap();
    let gateway = gateway();
    let address = gateway.server.address();
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        for (method, told) in methods.as_object().unwrap() {
            let mut target = path.clone();
            for one in told["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|one| one["in"] == "path")
            {
                let example = one["example"].to_string().replace('"', "");
                target = target.replace(&format!("{{{}}}", one["name"].as_str().unwrap()), &example);
            }
            for key in [
                "",
                &format!("X-Rialto-Key: {KEY}\r\n"),
                "Authorization: Bearer desk:let:me\r\n",
            ] {
                let answer = ask(address, &method.to_uppercase(), &target, key, "");
                let status = answer.split(' ').nth(1).unwrap();
                assert!(told["responses"][status].is_object(), "{method} {target}: {answer}");
            }
        }
    }
    let routes = include_str!("../src/routes.rs");
    let told = routes.split('"').filter(|text| {
        ["/api/", "/ofrep/", "/health", "/metrics"]
            .iter()
            .any(|start| text.starts_with(start))
            && !text.contains(' ')
    });
    let told: Vec<&str> = told.collect();
    assert!(told.len() > 20, "{told:?}");
    for path in told {
        assert!(paths.contains_key(path), "{path} is not in the document");
    }
}
