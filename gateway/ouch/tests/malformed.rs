//! Bytes that are not what they should be: each way of being wrong has its error, and none of them is a panic.

mod support;

use rialto_ouch::TextError;
use rialto_ouch::messages::*;
use rialto_ouch::soup::*;
use support::{Random, bytes, golden};

const SEED: u64 = 0x0005_0b05;
const BUFFERS: usize = 100_000;

/// The golden bytes of both directions.
fn corpus() -> Vec<Vec<u8>> {
    let mut corpus = Vec::new();
    golden::each_inbound(&mut |_, bytes, _| corpus.push(bytes.to_vec()));
    golden::each_outbound(&mut |_, bytes, _| corpus.push(bytes.to_vec()));
    corpus
}

/// Reads the bytes as everything they could be. Whatever decodes must encode to the same bytes.
fn read(bytes: &[u8]) -> usize {
    let mut encoded = Vec::new();
    let mut sound = 0;
    if let Ok(message) = Inbound::decode(bytes) {
        message.encode(&mut encoded);
        assert_eq!(encoded, bytes, "{message:?}");
        sound += 1;
    }
    encoded.clear();
    if let Ok(message) = Outbound::decode(bytes) {
        message.encode(&mut encoded);
        assert_eq!(encoded, bytes, "{message:?}");
        if let Outbound::OrderAccepted(OrderAccepted { appendage, .. })
        | Outbound::OrderReplaced(OrderReplaced { appendage, .. }) = message
            && let Ok(options) = appendage.options()
        {
            assert_eq!(
                options.to_appendage().as_appendage().as_bytes().len(),
                appendage.as_bytes().len()
            );
        }
        sound += 1;
    }
    if let Some(addressee) = Addressee::of(bytes) {
        assert!(bytes.len() >= ReplaceOrder::LENGTH, "{addressee:?}");
    }
    if let Ok(appendage) = Appendage::new(bytes) {
        sound += appendage.iter().filter(Result::is_ok).count();
    }
    let _ = ClientPacket::decode(bytes);
    let _ = ServerPacket::decode(bytes);
    sound
}

#[test]
fn truncation_at_every_length_is_an_error() {
    golden::each_inbound(&mut |name, bytes, _| {
        for length in 0..bytes.len() {
            assert!(Inbound::decode(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
        let longer = [bytes, &[0]].concat();
        assert!(
            matches!(Inbound::decode(&longer), Err(DecodeError::WrongLength { .. })),
            "{name} with a byte too many"
        );
    });
    golden::each_outbound(&mut |name, bytes, _| {
        for length in 0..bytes.len() {
            assert!(Outbound::decode(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
        let longer = [bytes, &[0]].concat();
        assert!(
            matches!(Outbound::decode(&longer), Err(DecodeError::WrongLength { .. })),
            "{name} with a byte too many"
        );
    });
}

#[test]
fn random_and_mutated_messages_never_panic() {
    let corpus = corpus();
    let mut random = Random(SEED);
    let mut sound = 0;
    for _ in 0..BUFFERS {
        let buffer = if random.below(4) == 0 {
            let length = random.below(160);
            random.fill(length)
        } else {
            let mut buffer = corpus[random.below(corpus.len())].clone();
            for _ in 0..=random.below(3) {
                let at = random.below(buffer.len());
                match random.below(4) {
                    0 => buffer[at] = random.next() as u8,
                    1 => buffer[at] ^= 1 << random.below(8),
                    2 => buffer.truncate(at + 1),
                    _ => buffer.insert(at, random.next() as u8),
                }
            }
            buffer
        };
        sound += read(&buffer);
    }
    assert!(
        sound > BUFFERS / 100,
        "only {sound} readings of seed {SEED:#x} were sound: the mutations are too wild to test much"
    );
}

#[test]
fn random_and_mutated_streams_never_panic_a_session() {
    let mut random = Random(SEED);
    let login = LoginRequest {
        user: UserName::new("BOB").expect("fits"),
        password: Password::new("SECRET").expect("fits"),
        session: None,
        sequence: RequestedSequence::From(SequenceNumber::FIRST),
    };
    let name = SessionName::new("DAY1").expect("fits");
    let mut to_server = support::client(ClientPacket::LoginRequest(login));
    let mut to_client = support::server(ServerPacket::LoginAccepted(LoginAccepted {
        session: name,
        next: SequenceNumber::FIRST,
    }));
    for message in corpus() {
        to_server.extend(support::client(ClientPacket::Unsequenced(&message)));
        to_client.extend(support::server(ServerPacket::Sequenced(&message)));
    }
    let (mut messages, mut closed) = (0, 0);
    for _ in 0..BUFFERS / 100 {
        let mut mutated = |stream: &[u8]| {
            let mut stream = stream.to_vec();
            for _ in 0..random.below(4) {
                let at = random.below(stream.len());
                stream[at] = random.next() as u8;
            }
            stream
        };
        let (to_server, to_client) = (mutated(&to_server), mutated(&to_client));

        let mut server = ServerSession::new(SoupConfig::default(), 0);
        assert_eq!(server.handle_bytes(1, &to_server), to_server.len());
        while let Some(event) = server.poll_event() {
            match event {
                ServerEvent::Login(_) => server.accept(name, SequenceNumber::FIRST).expect("a login waits"),
                ServerEvent::Message(message) => messages += usize::from(Inbound::decode(message).is_ok()),
                ServerEvent::Closed(_) => closed += 1,
            }
        }
        let mut client = ClientSession::new(SoupConfig::default(), login, 0);
        assert_eq!(client.handle_bytes(1, &to_client), to_client.len());
        while let Some(event) = client.poll_event() {
            match event {
                ClientEvent::Sequenced(_, message) => messages += usize::from(Outbound::decode(message).is_ok()),
                ClientEvent::Closed(_) => closed += 1,
                _ => {}
            }
        }
    }
    assert!(
        messages > 0 && closed > 0,
        "seed {SEED:#x}: {messages} sound messages, {closed} sessions closed"
    );
}

#[test]
fn each_way_of_being_wrong_has_its_error() {
    use DecodeError as E;
    const ENTER: &str = "'O' 00000001 'B' 00000064 'GOOG    ' 0000000000002710 '0' 'Y' 'P' 'N' 'N' 'A             '";
    let unknown = |field, value| E::UnknownValue { field, value };
    // What is wrong, the bytes, the error, the reject reason that answers it.
    let table: &[(&str, Vec<u8>, DecodeError, RejectReason)] = &[
        ("nothing", vec![], E::Empty, RejectReason::Other),
        (
            "an outbound type",
            bytes("'A' 00"),
            E::UnknownType {
                direction: Direction::Inbound,
                message_type: b'A',
            },
            RejectReason::Other,
        ),
        (
            "an appendage that is not there",
            bytes(&format!("{ENTER} 0006")),
            E::WrongLength {
                message: "EnterOrder",
                expected: 53,
                actual: 47,
            },
            RejectReason::Other,
        ),
        (
            "an appendage that is not stated",
            bytes(&format!("{ENTER} 0000 02 10 'Y'")),
            E::WrongLength {
                message: "EnterOrder",
                expected: 47,
                actual: 50,
            },
            RejectReason::Other,
        ),
        (
            "an element of length 0",
            bytes(&format!("{ENTER} 0004 02 10 'Y' 00")),
            E::BrokenAppendage { at: 3 },
            RejectReason::Other,
        ),
        (
            "an element beyond the appendage",
            bytes(&format!("{ENTER} 0003 03 10 'Y'")),
            E::BrokenAppendage { at: 0 },
            RejectReason::Other,
        ),
        (
            "side",
            replaced(ENTER, "'B' 0", "'b' 0"),
            unknown("Side", 0x62),
            RejectReason::InvalidSide,
        ),
        (
            "time in force",
            replaced(ENTER, "'0'", "'1'"),
            unknown("TimeInForce", 0x31),
            RejectReason::Other,
        ),
        (
            "display",
            replaced(ENTER, "'Y'", "'Z'"),
            unknown("Display", 0x5a),
            RejectReason::InvalidDisplay,
        ),
        (
            "capacity",
            replaced(ENTER, "'P'", "'N'"),
            unknown("Capacity", 0x4e),
            RejectReason::Other,
        ),
        (
            "sweep",
            replaced(ENTER, "'P' 'N'", "'P' 'X'"),
            unknown("InterMarketSweepEligibility", 0x58),
            RejectReason::Other,
        ),
        (
            "cross type",
            replaced(ENTER, "'N' 'A  ", "'X' 'A  "),
            unknown("CrossType", 0x58),
            RejectReason::InvalidCrossOrder,
        ),
        (
            "symbol",
            replaced(ENTER, "'GOOG    '", "'GOOG'00'   '"),
            E::Text(TextError::NotPrintable {
                field: "Symbol",
                byte: 0,
            }),
            RejectReason::InvalidSymbol,
        ),
        (
            "client order identifier",
            replaced(ENTER, "'A             '", "'A            '7f"),
            E::Text(TextError::NotPrintable {
                field: "ClOrdID",
                byte: 0x7f,
            }),
            RejectReason::Other,
        ),
    ];
    for (what, message, error, reason) in table {
        assert_eq!(Inbound::decode(message), Err(*error), "{what}");
        assert_eq!(error.reject_reason(), *reason, "{what}");
        let addressee = Addressee::of(message);
        assert_eq!(addressee.is_some(), message.len() >= EnterOrder::LENGTH, "{what}");
        if let Some(addressee) = addressee {
            assert_eq!(
                (addressee.orig_user_ref, addressee.user_ref),
                (None, UserRefNum(1)),
                "{what}"
            );
        }
    }
    let replace = bytes("'U' 00000001 00000002 00000064 0000000000002710 '9' 'Y' 'N' 'NEW           ' 0000");
    assert_eq!(Inbound::decode(&replace), Err(unknown("TimeInForce", 0x39)));
    let addressee = Addressee {
        orig_user_ref: Some(UserRefNum(1)),
        user_ref: UserRefNum(2),
        cl_ord_id: ClOrdId::new("NEW").expect("fits"),
    };
    assert_eq!(Addressee::of(&replace), Some(addressee));
}

/// The bytes of a table in which one part is replaced by another, with no appendage.
fn replaced(table: &str, part: &str, by: &str) -> Vec<u8> {
    assert_eq!(table.matches(part).count(), 1, "{part} stands once in the table");
    bytes(&format!("{} 0000", table.replace(part, by)))
}

#[test]
fn each_wrong_option_has_its_error() {
    let table = [
        ("05 02 'MLRO' 02 0c 'P'", None),
        ("02 08 'x'", Some(DecodeError::UnknownOption { tag: 8 })),
        ("01 ff", Some(DecodeError::UnknownOption { tag: 255 })),
        (
            "05 0c 00000000",
            Some(DecodeError::OptionLength {
                tag: 12,
                expected: 1,
                actual: 4,
            }),
        ),
        (
            "01 0c",
            Some(DecodeError::OptionLength {
                tag: 12,
                expected: 1,
                actual: 0,
            }),
        ),
        (
            "02 0c 'X'",
            Some(DecodeError::UnknownValue {
                field: "PostOnly",
                value: 0x58,
            }),
        ),
        (
            "02 06 '0'",
            Some(DecodeError::UnknownValue {
                field: "PriceType",
                value: 0x30,
            }),
        ),
        (
            "05 02 01020304",
            Some(DecodeError::Text(TextError::NotPrintable { field: "Firm", byte: 1 })),
        ),
        ("02 0c 'P' 02 0c 'N'", Some(DecodeError::RepeatedOption { tag: 12 })),
    ];
    for (options, error) in table {
        let options = bytes(options);
        let appendage = Appendage::new(&options).expect("whole elements");
        assert_eq!(appendage.options().err(), error, "{options:02x?}");
    }
    let some = Options {
        firm: Some(Firm::BLANK),
        post_only: Some(PostOnly::No),
        ..Options::NONE
    };
    assert_eq!(some.outside(EnterOrder::OPTIONS), None);
    assert_eq!(some.outside(ReplaceOrder::OPTIONS), Some(TagValue::Firm(Firm::BLANK)));
    let huge = vec![1; 65_536];
    assert_eq!(
        Appendage::new(&huge),
        Err(DecodeError::AppendageTooLong { actual: 65_536 })
    );
}

#[test]
fn each_wrong_packet_has_its_error() {
    use PacketError as E;
    const LOGIN: &str = "'L' 'bob   ' 'secret    '";
    let client = [
        ("", E::Empty),
        ("'S'", E::UnknownType { packet_type: b'S' }),
        ("'H'", E::UnknownType { packet_type: b'H' }),
        (
            "'R' 00",
            E::WrongLength {
                packet_type: b'R',
                expected: 1,
                actual: 2,
            },
        ),
        (
            "'O' 00",
            E::WrongLength {
                packet_type: b'O',
                expected: 1,
                actual: 2,
            },
        ),
        (
            "'L'",
            E::WrongLength {
                packet_type: b'L',
                expected: 47,
                actual: 1,
            },
        ),
        (&format!("{LOGIN} '          ' '                    '"), E::BadNumber),
        (&format!("{LOGIN} '          ' '                  1x'"), E::BadNumber),
        (&format!("{LOGIN} '          ' '                  -1'"), E::BadNumber),
        (&format!("{LOGIN} '          ' '18446744073709551616'"), E::BadNumber),
        (&format!("{LOGIN} '          ' '99999999999999999999'"), E::BadNumber),
        (
            "'L' 'bob'00'  ' 'secret    ' '          ' '                   1'",
            E::Text(TextError::NotPrintable {
                field: "Username",
                byte: 0,
            }),
        ),
    ];
    for (packet, error) in client {
        assert_eq!(ClientPacket::decode(&bytes(packet)), Err(error), "{packet}");
    }
    let server = [
        ("", E::Empty),
        ("'L'", E::UnknownType { packet_type: b'L' }),
        (
            "'H' 00",
            E::WrongLength {
                packet_type: b'H',
                expected: 1,
                actual: 2,
            },
        ),
        (
            "'Z' 00",
            E::WrongLength {
                packet_type: b'Z',
                expected: 1,
                actual: 2,
            },
        ),
        ("'J' 'X'", E::UnknownRejectCode { code: b'X' }),
        (
            "'J'",
            E::WrongLength {
                packet_type: b'J',
                expected: 2,
                actual: 1,
            },
        ),
        ("'A' '          ' '                   1'", E::BlankSession),
        ("'A' '      DAY1' '                   0'", E::ZeroSequence),
    ];
    for (packet, error) in server {
        assert_eq!(ServerPacket::decode(&bytes(packet)), Err(error), "{packet}");
    }
    let mut out = vec![7];
    let error = ServerPacket::Sequenced(&[0; 65_535]).encode(&mut out);
    assert_eq!(
        error,
        Err(E::TooLong {
            length: 65_536,
            limit: 65_535
        })
    );
    assert_eq!(out, [7], "nothing is appended");
}

#[test]
fn the_framer_stops_at_the_first_broken_length() {
    let table = [
        ("00 00", PacketError::Empty),
        ("00 0b", PacketError::TooLong { length: 11, limit: 10 }),
        (
            "ff ff",
            PacketError::TooLong {
                length: 65_535,
                limit: 10,
            },
        ),
    ];
    for (length, error) in table {
        let mut framer = Framer::new(10);
        let stream = [bytes("00 01 'R'"), bytes(length), bytes("00 01 'R'")].concat();
        assert_eq!(framer.feed(&stream), stream.len());
        assert_eq!(framer.next_packet(), Ok(Some(b"R".as_slice())));
        assert_eq!(framer.next_packet(), Err(error));
        assert_eq!(framer.feed(b"\0\x01R"), 3);
        assert_eq!(framer.next_packet(), Err(error), "the error stays");
    }
}

#[test]
fn the_framer_never_holds_more_than_its_capacity() {
    let mut framer = Framer::new(10);
    let stream = bytes("00 01 'R'").repeat(100_000);
    let taken = framer.feed(&stream);
    assert!((10..stream.len()).contains(&taken), "{taken}");
    assert_eq!(framer.feed(&stream[taken..]), 0, "full");
    assert_eq!(framer.next_packet(), Ok(Some(b"R".as_slice())));
    assert_eq!(framer.feed(&stream[taken..]), 3, "as much as was taken out");
}
