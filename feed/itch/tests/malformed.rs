//! Bytes from outside: every cut, every excess and a hundred thousand damaged or random buffers are an error value or a
//! message that comes out as it went in; none is a panic.

mod common;

use common::{Random, spec_tables};
use rialto_itch::mold::{Packet, PacketBuilder, Request, SequenceNumber, Session};
use rialto_itch::{DecodeError, EncodeError, Message};

const SEED: u64 = 0x5eed_0002;
const BUFFERS: usize = 100_000;

#[test]
fn a_message_of_any_other_length_is_refused() {
    let mut random = Random(SEED);
    assert_eq!(Message::decode(&[]), Err(DecodeError::Empty));
    for table in spec_tables() {
        let mut bytes = table.message(&mut random);
        bytes.extend([0; 64]);
        for actual in (1..bytes.len()).filter(|&actual| actual != table.len) {
            let refused = DecodeError::Length {
                message_type: table.message_type,
                expected: table.len,
                actual,
            };
            assert_eq!(Message::decode(&bytes[..actual]), Err(refused));
        }
    }
}

#[test]
fn a_type_that_is_not_listed_is_refused() {
    for message_type in (0..=u8::MAX).filter(|byte| Message::TYPES.iter().all(|(known, _)| known != byte)) {
        assert_eq!(
            Message::decode(&[message_type; 36]),
            Err(DecodeError::UnknownType { message_type })
        );
    }
}

#[test]
fn a_buffer_that_is_too_short_is_left_alone() {
    let mut random = Random(SEED);
    for table in spec_tables() {
        let message = Message::decode(&table.message(&mut random)).expect("from the table");
        for room in 0..table.len {
            let mut out = vec![0xEE; room];
            assert_eq!(
                message.encode(&mut out),
                Err(EncodeError {
                    needed: table.len,
                    room
                })
            );
            assert_eq!(out, vec![0xEE; room]);
        }
    }
}

#[test]
fn random_and_damaged_bytes_never_panic() {
    eprintln!("seed {SEED:#x}");
    let mut random = Random(SEED);
    let tables = spec_tables();
    let (mut messages, mut refused_messages, mut packets, mut refused_packets) = (0, 0, 0, 0);
    for round in 0..BUFFERS {
        let table = &tables[random.below(tables.len())];
        let mut bytes = table.message(&mut random);
        if round % 2 == 0 {
            damage(&mut bytes, &mut random);
        }
        match Message::decode(&bytes) {
            Ok(message) => {
                // A reserved byte is the one thing that need not come back.
                let mut out = Vec::new();
                message.append_to(&mut out);
                assert_eq!(Message::decode(&out), Ok(message));
                messages += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused_messages += 1;
            }
        }

        let mut datagram = packet(&mut random);
        match round % 4 {
            0 => {
                datagram = {
                    let len = random.below(80);
                    random.bytes(len)
                }
            }
            1 | 2 => damage(&mut datagram, &mut random),
            _ => {}
        }
        match Packet::parse(&datagram) {
            Ok(packet) => {
                assert_eq!(packet.blocks().count(), usize::from(packet.count()));
                assert_eq!(packet.end().since(packet.sequence()), u64::from(packet.count()));
                packets += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused_packets += 1;
            }
        }
        if let Ok(request) = Request::parse(&datagram[..datagram.len().min(20)]) {
            assert_eq!(request.to_bytes()[..], datagram[..20]);
        }
    }
    for (what, count) in [("messages", messages), ("packets", packets)] {
        assert!(count > BUFFERS / 10, "only {count} {what} were sound");
    }
    for (what, count) in [("messages", refused_messages), ("packets", refused_packets)] {
        assert!(count > BUFFERS / 10, "only {count} {what} were refused");
    }
}

/// A sound packet of random messages.
fn packet(random: &mut Random) -> Vec<u8> {
    let session = Session([b'0' + random.below(10) as u8; 10]);
    let mut builder = PacketBuilder::new(session, SequenceNumber(random.next() >> random.below(64)));
    for _ in 0..random.below(6) {
        let len = random.below(60);
        let message = random.bytes(len);
        let _ = builder.push(&message);
    }
    match random.below(8) {
        0 => builder.heartbeat().to_vec(),
        1 => builder.end_of_session().to_vec(),
        _ => builder.seal().unwrap_or_default().to_vec(),
    }
}

/// Cuts, extends, or overwrites.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    match random.below(3) {
        0 => bytes.truncate(random.below(bytes.len().max(1))),
        1 => bytes.extend(random.bytes(1)),
        _ => {
            for _ in 0..=random.below(4) {
                let place = random.below(bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = random.next() as u8;
                }
            }
        }
    }
}
