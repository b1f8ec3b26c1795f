//! MoldUDP64: what the builder makes, what the reader takes, and each way a packet can be broken.

use rialto_itch::mold::{
    BuilderError, Content, Header, Packet, PacketBuilder, PacketError, PushError, Request, RequestError,
    SequenceNumber, Session,
};

fn session() -> Session {
    Session::new("RIALTO").expect("a session")
}

/// A datagram: session, sequence, count, then these bytes.
fn datagram(sequence: u64, count: u16, blocks: &[u8]) -> Vec<u8> {
    [b"RIALTO    ", &sequence.to_be_bytes()[..], &count.to_be_bytes(), blocks].concat()
}

#[test]
fn a_packet_of_three_messages() {
    let mut builder = PacketBuilder::new(session(), SequenceNumber(7));
    assert_eq!(builder.seal(), None);
    assert_eq!(builder.push(b"one"), Ok(SequenceNumber(7)));
    assert_eq!(builder.push(b""), Ok(SequenceNumber(8)));
    assert_eq!(builder.push(b"three"), Ok(SequenceNumber(9)));
    assert_eq!((builder.pending(), builder.next()), (3, SequenceNumber(10)));
    let bytes = builder.seal().expect("a packet").to_vec();
    assert_eq!(bytes, datagram(7, 3, b"\0\x03one\0\0\0\x05three"));

    let packet = Packet::parse(&bytes).expect("sound");
    assert_eq!((packet.content(), packet.session()), (Content::Messages, session()));
    assert_eq!(
        (packet.sequence(), packet.count(), packet.end()),
        (SequenceNumber(7), 3, SequenceNumber(10))
    );
    let blocks: Vec<_> = packet.blocks().map(|(sequence, bytes)| (sequence.0, bytes)).collect();
    assert_eq!(blocks, [(7, &b"one"[..]), (8, b""), (9, b"three")]);

    assert_eq!((builder.pending(), builder.seal()), (0, None));
    assert_eq!(builder.push(b"four"), Ok(SequenceNumber(10)));
    assert_eq!(builder.seal(), Some(&datagram(10, 1, b"\0\x04four")[..]));
}

#[test]
fn a_heartbeat_and_an_end_state_the_next_number_to_be_sent() {
    let mut builder = PacketBuilder::new(session(), SequenceNumber(7));
    builder.push(b"not sealed yet").expect("room");
    assert_eq!(builder.heartbeat()[..], datagram(7, 0, b""));
    builder.seal();
    assert_eq!(builder.heartbeat()[..], datagram(8, 0, b""));
    assert_eq!(builder.end_of_session()[..], datagram(8, 0xFFFF, b""));
    for (bytes, content) in [
        (builder.heartbeat(), Content::Heartbeat),
        (builder.end_of_session(), Content::EndOfSession),
    ] {
        let packet = Packet::parse(&bytes).expect("sound");
        assert_eq!(
            (packet.content(), packet.count(), packet.blocks().count()),
            (content, 0, 0)
        );
        assert_eq!(
            (packet.sequence(), packet.end()),
            (SequenceNumber(8), SequenceNumber(8))
        );
    }
    assert_eq!(
        Header::heartbeat(session(), SequenceNumber(8)).to_bytes(),
        builder.heartbeat()
    );
}

#[test]
fn a_packet_is_filled_to_the_last_byte_and_no_further() {
    let mut builder = PacketBuilder::with_datagram_max(session(), SequenceNumber(1), 30).expect("a size");
    assert_eq!(builder.push(&[1; 9]), Err(PushError::TooLong { length: 9, max: 8 }));
    assert_eq!(builder.push(&[1; 3]), Ok(SequenceNumber(1)));
    assert_eq!(builder.push(&[2; 4]), Err(PushError::Full { length: 4 }));
    assert_eq!(builder.push(&[2; 3]), Ok(SequenceNumber(2)));
    assert_eq!(builder.push(&[]), Err(PushError::Full { length: 0 }));
    assert_eq!(
        builder.seal(),
        Some(&datagram(1, 2, &[0, 3, 1, 1, 1, 0, 3, 2, 2, 2])[..])
    );
    assert_eq!(builder.push(&[3; 8]), Ok(SequenceNumber(3)));
    assert_eq!(builder.seal().map(<[u8]>::len), Some(30));

    for datagram_max in [0, 20, 21, 65_508, usize::MAX] {
        let refused = PacketBuilder::with_datagram_max(session(), SequenceNumber(1), datagram_max).err();
        assert_eq!(refused, Some(BuilderError { datagram_max }));
    }
    // The most messages that any packet can hold are fewer than the count that ends a session.
    let mut builder = PacketBuilder::with_datagram_max(session(), SequenceNumber(1), 65_507).expect("a size");
    while builder.push(&[]).is_ok() {}
    assert_eq!(builder.pending(), 32_743);
}

#[test]
fn a_session_out_of_numbers_refuses_to_go_on() {
    let mut builder = PacketBuilder::new(session(), SequenceNumber(u64::MAX - 1));
    assert_eq!(builder.push(b"last"), Ok(SequenceNumber(u64::MAX - 1)));
    assert_eq!(builder.push(b"beyond"), Err(PushError::Exhausted));
    let bytes = builder.seal().expect("a packet").to_vec();
    assert_eq!(
        Packet::parse(&bytes).map(|packet| packet.end()),
        Ok(SequenceNumber(u64::MAX))
    );
    assert_eq!(builder.push(b"beyond"), Err(PushError::Exhausted));
}

#[test]
fn each_way_a_packet_is_broken_has_its_error() {
    let sequence = SequenceNumber(u64::MAX);
    let cases = [
        (vec![], PacketError::Header { actual: 0 }),
        (datagram(1, 0, b"")[..19].to_vec(), PacketError::Header { actual: 19 }),
        (datagram(1, 1, b""), PacketError::BlockLength { index: 0, count: 1 }),
        (
            datagram(1, 2, b"\0\x01x\0"),
            PacketError::BlockLength { index: 1, count: 2 },
        ),
        (
            datagram(1, 1, b"\0\x03xy"),
            PacketError::Block {
                index: 0,
                count: 1,
                length: 3,
                left: 2,
            },
        ),
        (
            datagram(1, 2, b"\0\x01x\xff\xffy"),
            PacketError::Block {
                index: 1,
                count: 2,
                length: 0xFFFF,
                left: 1,
            },
        ),
        (datagram(1, 1, b"\0\x01xyz"), PacketError::Trailing { bytes: 2 }),
        (datagram(1, 0, b"\0\x01x"), PacketError::Trailing { bytes: 3 }),
        (datagram(1, 0xFFFF, b"x"), PacketError::Trailing { bytes: 1 }),
        (
            datagram(u64::MAX, 1, b"\0\x01x"),
            PacketError::Sequence { sequence, count: 1 },
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(Packet::parse(&bytes), Err(error), "{bytes:02x?}");
    }
}

#[test]
fn requests() {
    let request = Request {
        session: session(),
        sequence: SequenceNumber(5),
        count: 40,
    };
    assert_eq!(request.to_bytes()[..], datagram(5, 40, b""));
    assert_eq!(Request::parse(&request.to_bytes()), Ok(request));
    assert_eq!(request.end(), SequenceNumber(45));
    let range = |sequence, count| RequestError::Range {
        sequence: SequenceNumber(sequence),
        count,
    };
    let cases = [
        (vec![], RequestError::Length { actual: 0 }),
        (datagram(5, 40, b"")[..19].to_vec(), RequestError::Length { actual: 19 }),
        (datagram(5, 40, b"x"), RequestError::Length { actual: 21 }),
        (datagram(5, 0, b""), RequestError::Nothing),
        (datagram(0, 1, b""), range(0, 1)),
        (datagram(u64::MAX, 1, b""), range(u64::MAX, 1)),
    ];
    for (bytes, error) in cases {
        assert_eq!(Request::parse(&bytes), Err(error), "{bytes:02x?}");
    }
}

#[test]
fn session_names() {
    assert_eq!(session().0, *b"RIALTO    ");
    assert_eq!(session().to_string(), "RIALTO");
    assert_eq!(
        Session(*b"a\x1b[2J\0\0\0\0\0").to_string(),
        "a\\x1b[2J\\x00\\x00\\x00\\x00\\x00"
    );
    for refused in ["", "elevenchars", "a b", "é"] {
        assert!(Session::new(refused).is_err(), "{refused:?}");
    }
}
