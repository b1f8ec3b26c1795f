//! What a feed starts with, and why it does not.

mod common;

use common::*;
use rialto_feed::{Config, ENTITLED_MAX, FeedStage, multicast};
use rialto_ring::VirtualClock;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

fn start(config: &Config) -> Result<FeedStage<VirtualClock>, String> {
    FeedStage::new(config, Stream::new(2).1, VirtualClock::default()).map_err(|error| error.to_string())
}

#[test]
fn a_line_without_a_port_takes_that_of_the_requests() {
    let stage = start(&config()).expect("a feed");
    let port = stage.rerequest().port();
    assert_ne!(port, 0);
    assert_eq!(stage.line_a(), SocketAddrV4::new(GROUP_A, port));
    assert_eq!(stage.line_b(), Some(SocketAddrV4::new(GROUP_B, port)));

    let named = Config {
        line_a: SocketAddrV4::new(GROUP_A, 26_499),
        line_b: None,
        ..config()
    };
    let stage = start(&named).expect("a feed");
    assert_eq!(stage.line_a(), named.line_a);
    assert_eq!(stage.line_b(), None);
}

#[test]
fn a_feed_that_cannot_start_says_why_and_what_to_do() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let taken = taken.local_addr().map(|address| (taken, address)).expect("an address");
    let unicast = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
    for (config, cause) in [
        (
            Config {
                line_a: unicast,
                ..config()
            },
            "line A is to go to 127.0.0.1:1, which is no multicast group; choose",
        ),
        (
            Config {
                line_b: Some(unicast),
                ..config()
            },
            "line B is to go to",
        ),
        (
            Config {
                rerequest: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                ..config()
            },
            "give the line a port",
        ),
        (
            Config {
                rerequest: taken.1,
                ..config()
            },
            "no socket for re-requests at 127.0.0.1",
        ),
        (
            // TEST-NET-1, which is no interface of any host (RFC 5737).
            Config {
                interface: Ipv4Addr::new(192, 0, 2, 1),
                ..config()
            },
            "no socket for line A at 239.255.82.3",
        ),
        (
            Config {
                entitled: vec![loopback(1); ENTITLED_MAX + 1],
                ..config()
            },
            "1025 sources are entitled",
        ),
        (
            Config {
                answer_bytes_per_second: 1_399,
                ..config()
            },
            "set at least 1400",
        ),
        (
            Config {
                answer_messages_max: 0,
                ..config()
            },
            "set at least 1",
        ),
        (
            Config {
                heartbeat_ns: 0,
                ..config()
            },
            "set at least 1",
        ),
        (
            Config {
                publisher: rialto_publisher::Config {
                    datagram_max: 9,
                    ..rialto_publisher::Config::default()
                },
                ..config()
            },
            "datagram_max is 9",
        ),
    ] {
        let text = start(&config).err().unwrap_or_else(|| panic!("{config:?} starts"));
        assert!(text.contains(cause), "{text}");
    }
}

#[test]
fn a_receiver_hears_its_group_alone_with_the_buffer_it_asked_for() {
    let any_port = SocketAddrV4::new(GROUP_A, 0);
    let receiver = multicast::receiver(any_port, Ipv4Addr::LOCALHOST).expect("a receiver");
    let SocketAddr::V4(bound) = receiver.local_addr().expect("an address") else {
        panic!("an IPv4 group");
    };
    assert_eq!(*bound.ip(), GROUP_A);
    // As many as like may share the group and the port.
    let again = Listener::join(bound);
    let neighbour = multicast::sender(SocketAddrV4::new(GROUP_B, bound.port()), Ipv4Addr::LOCALHOST, 0);
    let sender = multicast::sender(bound, Ipv4Addr::LOCALHOST, 0).expect("a sender");
    neighbour.expect("a sender").send(b"not for them").expect("it leaves");
    sender.send(b"for them").expect("it leaves");
    assert_eq!(again.next(), b"for them");
    again.nothing_more();

    let bytes = multicast::receive_buffer_bytes(&receiver).expect("a size");
    assert!(bytes > 0 && bytes <= multicast::BUFFER_BYTES, "{bytes}");
    // Where the system shows its bound, it is what limits the buffer and nothing else.
    let bound = std::fs::read_to_string("/proc/sys/net/core/rmem_max").ok();
    if let Some(most) = bound.and_then(|text| text.trim().parse().ok()) {
        assert_eq!(bytes, multicast::BUFFER_BYTES.min(most));
    }
}
