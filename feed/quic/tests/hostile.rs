//! Subscribers that keep to nothing: the others are told everything all the same, and what the server keeps is bounded.

mod common;

use common::{CONFLATED, LOOK, PATIENCE, Subscriber, Venue, read_all};
use quinn::{ClientConfig, Connection, Endpoint, VarInt};
use rialto_itch::Side;
use rialto_quic::Config;
use rialto_quic::frames::{Mode, PROTOCOL};
use rialto_quic::limits::{CONNECTIONS_MAX, LOGIN_TIME, WAITING_MAX};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const MEMORY_MAX: u64 = 1 << 20;

/// A client that says what it likes.
struct Wild {
    runtime: Runtime,
    endpoint: Endpoint,
}

impl Wild {
    fn new(venue: &Venue) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(venue.trust.pem.as_bytes()).unwrap();
        roots.add(certificate).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![PROTOCOL.to_vec()];
        let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut endpoint = runtime
            .block_on(async { Endpoint::client("127.0.0.1:0".parse().unwrap()) })
            .unwrap();
        endpoint.set_default_client_config(ClientConfig::new(Arc::new(crypto)));
        Self { runtime, endpoint }
    }

    fn connect(&self, venue: &Venue) -> Connection {
        self.try_connect(venue).expect("a handshake")
    }

    fn try_connect(&self, venue: &Venue) -> Result<Connection, quinn::ConnectionError> {
        self.runtime.block_on(async {
            let connecting = self.endpoint.connect(venue.server.address(), "localhost").unwrap();
            connecting.await
        })
    }

    /// Opens a stream and says these bytes.
    fn say(&self, connection: &Connection, bytes: &[u8]) -> bool {
        self.runtime.block_on(async {
            let Ok((mut send, receive)) = connection.open_bi().await else {
                return false;
            };
            let said = send.write_all(bytes).await.is_ok();
            // Dropped streams would be reset.
            std::mem::forget((send, receive));
            said
        })
    }

    /// The code it was closed with.
    fn closed(&self, connection: &Connection) -> u64 {
        let closed = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, connection.closed()).await });
        match closed.expect("closed in time") {
            quinn::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
            other => panic!("{other}"),
        }
    }
}

fn equal(venue: &Venue, subscriber: &Subscriber) {
    for instrument in 0..2 {
        for side in [Side::Buy, Side::Sell] {
            assert_eq!(
                subscriber.levels(instrument, side),
                venue.levels(instrument, side, usize::MAX)
            );
        }
    }
}

#[test]
fn one_does_not_read_and_one_hardly_and_the_others_are_told_everything() {
    let mut venue = Venue::open(Config {
        lag_max: 2_000,
        stale_max: Duration::from_secs(5),
        ..Config::default()
    });
    venue.trade(500);
    let mut good: Vec<_> = (0..6)
        .map(|place| venue.subscribe("alpha", if place % 2 == 0 { Mode::Full } else { CONFLATED }))
        .collect();
    let mut deaf = venue.subscribe("deaf", CONFLATED);
    let mut slow = venue.subscribe("slow", Mode::Full);
    let mut memory_max = 0;
    let begun = Instant::now();
    // The deaf one is cut when nothing of what it is told has been taken for too long.
    while venue.server.counters().read().cut == 0 {
        assert!(begun.elapsed() < PATIENCE, "never cut");
        venue.trade(2_000);
        deaf.client.pause(LOOK);
        let _ = slow.client.poll_slowly(LOOK, 400);
        for subscriber in &mut good {
            subscriber.poll().unwrap();
        }
        for one in venue.server.counters().read().subscribers {
            memory_max = memory_max.max(one.memory_bytes_max);
        }
    }
    read_all(&mut good, &venue);
    for subscriber in &good {
        equal(&venue, subscriber);
        assert!(subscriber.seen.cut.is_none());
    }
    println!("the most kept for one subscriber: {memory_max} bytes and the transport's windows");
    assert!(memory_max + rialto_quic::limits::SEND_WINDOW < MEMORY_MAX);
}

#[test]
fn garbage_and_streams_without_end_end_their_connection_alone() {
    let mut venue = Venue::open(Config::default());
    venue.trade(200);
    let mut good = venue.subscribe("alpha", Mode::Full);
    let wild = Wild::new(&venue);
    let login = |venue: &Venue| {
        let mut bytes = Vec::new();
        venue.login("wild", CONFLATED).append_to(&mut bytes);
        bytes
    };

    // Garbage instead of a login, a frame that is too long, one that is empty.
    for bytes in [&b"\x00\x05hello"[..], &[0xFF; 4_000], &[0, 0]] {
        let connection = wild.connect(&venue);
        wild.say(&connection, bytes);
        assert_eq!(wild.closed(&connection), 2);
    }
    // More on the login's stream.
    let connection = wild.connect(&venue);
    wild.say(&connection, &[&login(&venue)[..], b"and more"].concat());
    assert_eq!(wild.closed(&connection), 2);
    // A recovery that is none.
    let connection = wild.connect(&venue);
    wild.say(&connection, &login(&venue));
    wild.say(&connection, b"\x00\x03abc");
    assert_eq!(wild.closed(&connection), 2);
    // Nothing at all.
    let connection = wild.connect(&venue);
    let begun = Instant::now();
    assert_eq!(wild.closed(&connection), 2);
    assert!(begun.elapsed() + Duration::from_secs(1) > LOGIN_TIME);
    let begun = Instant::now();
    while venue.server.counters().read().violations < 6 {
        assert!(begun.elapsed() < PATIENCE, "not every violation was counted");
        std::thread::sleep(LOOK);
    }

    // Streams without end: the transport grants a few, and the rest wait at the client.
    let connection = wild.connect(&venue);
    wild.say(&connection, &login(&venue));
    let opened = wild.runtime.block_on(async {
        let mut streams = Vec::new();
        while let Ok(Ok(pair)) = tokio::time::timeout(Duration::from_millis(300), connection.open_bi()).await {
            streams.push(pair);
        }
        let one_way = tokio::time::timeout(Duration::from_millis(300), connection.open_uni()).await;
        assert!(one_way.is_err(), "no stream in one direction is granted");
        streams.len()
    });
    assert!(
        opened < rialto_quic::limits::STREAMS_MAX as usize,
        "{opened} streams were granted"
    );
    connection.close(VarInt::from_u32(0), b"");

    venue.trade(500);
    good.read_all(&venue);
    equal(&venue, &good);
}

#[test]
fn those_who_wait_to_log_in_are_bounded_and_keep_nobody_out_for_long() {
    let mut venue = Venue::open(Config::default());
    venue.trade(50);
    let wild = Wild::new(&venue);
    let mut connections = Vec::new();
    for _ in 0..WAITING_MAX + 40 {
        connections.push(wild.try_connect(&venue));
    }
    let refused = connections.iter().filter(|connection| connection.is_err()).count();
    assert!(refused > 0, "nobody was refused");
    assert!(connections.len() < CONNECTIONS_MAX);
    let begun = Instant::now();
    let mut good = loop {
        assert!(begun.elapsed() < PATIENCE, "nobody comes in any more");
        match venue.connect(&venue.login("alpha", CONFLATED)) {
            Ok(client) => break Subscriber::new(client),
            Err(_) => std::thread::sleep(LOOK),
        }
    };
    good.read_all(&venue);
    equal(&venue, &good);
}
