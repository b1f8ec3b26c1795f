//! SPEC.md against the code: the tables say where each field lies and which codes it takes, and messages made from the
//! tables alone must decode and come out again byte for byte.

mod common;

use common::{Random, spec_tables};
use rialto_itch::{DecodeError, Message};

const SEED: u64 = 0x5eed_0001;
const ROUNDS: usize = 2_000;

#[test]
fn every_message_has_a_table_and_every_table_a_message() {
    let tables: Vec<_> = spec_tables()
        .iter()
        .map(|table| (table.message_type, table.len))
        .collect();
    assert_eq!(tables, Message::TYPES);
}

#[test]
fn fields_follow_each_other_and_add_up() {
    for table in spec_tables() {
        let mut offset = 11;
        for field in &table.fields {
            assert_eq!(
                field.offset,
                offset,
                "{} of {:?}",
                field.name,
                char::from(table.message_type)
            );
            offset += field.len;
        }
        assert_eq!(offset, table.len, "length of {:?}", char::from(table.message_type));
    }
}

#[test]
fn messages_made_from_the_tables_round_trip() {
    eprintln!("seed {SEED:#x}");
    let mut random = Random(SEED);
    for table in spec_tables() {
        for _ in 0..ROUNDS {
            let bytes = table.message(&mut random);
            let message = Message::decode(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
            assert_eq!(message.message_type(), table.message_type);
            assert_eq!(message.encoded_len(), bytes.len());

            let mut slice = [0xEE; Message::LEN_MAX];
            assert_eq!(message.encode(&mut slice), Ok(bytes.len()));
            assert_eq!(slice[..bytes.len()], bytes);
            assert!(
                slice[bytes.len()..].iter().all(|&byte| byte == 0xEE),
                "wrote behind its end"
            );

            let mut appended = vec![1, 2];
            message.append_to(&mut appended);
            assert_eq!(appended[2..], bytes);
        }
    }
}

#[test]
fn a_code_is_taken_exactly_where_the_table_lists_it() {
    let mut random = Random(SEED);
    for table in spec_tables() {
        let message_type = table.message_type;
        for field in table.fields.iter().filter(|field| field.kind == "code") {
            for byte in 0..=u8::MAX {
                let mut bytes = table.message(&mut random);
                bytes[field.offset] = byte;
                let outcome = Message::decode(&bytes);
                if field.codes.contains(&byte) {
                    assert!(outcome.is_ok(), "{outcome:?}");
                } else {
                    let (name, refused) = (field.name.as_str(), outcome.expect_err("a code that is not listed"));
                    assert!(
                        matches!(refused, DecodeError::Code { message_type: t, field: f, byte: b } if (t, f, b) == (message_type, name, byte)),
                        "{refused:?} is not about {name} of {:?}",
                        char::from(message_type)
                    );
                }
            }
        }
    }
}

#[test]
fn a_reserved_byte_is_ignored_and_written_as_a_space() {
    let mut random = Random(SEED);
    let mut seen = 0;
    for table in spec_tables() {
        for field in table.fields.iter().filter(|field| field.kind == "reserved") {
            let clean = table.message(&mut random);
            let mut bytes = clean.clone();
            bytes[field.offset] = b'#';
            let mut out = Vec::new();
            Message::decode(&bytes)
                .expect("a reserved byte may be anything")
                .append_to(&mut out);
            assert_eq!(out, clean);
            seen += 1;
        }
    }
    assert_eq!(seen, 1);
}
