//! Forks and differences: a copy is the same stream, a change is found where it was made, and commands survive as text.

mod common;

use common::{enter, market, write};
use proptest::prelude::*;
use rialto_journal::disk::MemDisk;
use rialto_journal::verify;
use rialto_model::limits::MESSAGE_BYTES_MAX;
use rialto_model::{Command, SequenceNumber, Sequenced, Side, Timestamp};
use rialto_past::{Edit, Stream, diff, fork, text};
use std::collections::BTreeMap;

const SEGMENT: u64 = 1 << 20;

fn source() -> MemDisk {
    let journal = MemDisk::new();
    write(&journal, &market(), 3);
    journal
}

#[test]
fn a_copy_is_the_same_stream_and_goes_on() {
    let (from, into) = (source(), MemDisk::new());
    let forked = fork(&from, &into, SequenceNumber(16), &BTreeMap::new(), SEGMENT).expect("room");
    let there = Stream::at_rest(from.clone(), None)
        .at(Some(SequenceNumber(16)))
        .expect("it was");
    assert_eq!(
        (forked.last_seq, forked.state_hash, forked.event_hash),
        (SequenceNumber(16), there.past.state_hash(), there.past.event_hash())
    );
    assert_eq!(verify(&into).expect("it reads").damage, None);
    let (common, difference) = diff(&from, &into).expect("both read");
    let difference = difference.expect("one is longer");
    assert_eq!((common.0, difference.seq.0), (16, 17));
    assert!(difference.left.is_some() && difference.right.is_none());
    write(&into, &[enter(1, 4, Side::Buy, 900_000, 7)], 1);
    assert_eq!(verify(&into).expect("it reads").last_seq, SequenceNumber(17));
}

#[test]
fn one_command_changed_is_found_at_its_number() {
    let from = source();
    let replaced = Edit::Replace(enter(1, 2, Side::Sell, 1_000_000, 250));
    for (seq, edit) in [(12, Edit::Drop), (13, replaced)] {
        let into = MemDisk::new();
        let edits = BTreeMap::from([(SequenceNumber(seq), edit)]);
        fork(&from, &into, SequenceNumber(19), &edits, SEGMENT).expect("room");
        let (common, difference) = diff(&from, &into).expect("both read");
        let difference = difference.expect("they differ");
        assert_eq!((common.0, difference.seq.0), (seq - 1, seq));
        let (left, right) = (difference.left.expect("there"), difference.right.expect("there"));
        assert_ne!(left.state_after, right.state_after);
        assert_eq!(left.record["command"], "Enter");
        assert_eq!(
            right.record["command"],
            if edit == Edit::Drop { "Tick" } else { "Enter" }
        );
        assert_eq!(difference.books_before[0].symbol, "ACME");
    }
    assert!(diff(&from, &source()).expect("both read").1.is_none());
}

#[test]
fn what_cannot_be_forked_is_refused() {
    let from = source();
    let refused = |into: &MemDisk, at, edits: &[(u64, Edit)]| {
        let edits = edits.iter().map(|(seq, edit)| (SequenceNumber(*seq), *edit)).collect();
        fork(&from, into, SequenceNumber(at), &edits, SEGMENT)
            .expect_err("refused")
            .to_string()
    };
    let new = MemDisk::new;
    assert!(refused(&new(), 99, &[]).contains("ends at sequence number 19"));
    assert!(refused(&new(), 10, &[(1, Edit::Drop)]).contains("command 1 cannot be changed"));
    assert!(refused(&new(), 10, &[(11, Edit::Drop)]).contains("command 11 cannot be changed"));
    assert!(refused(&from.copy(), 10, &[]).contains("new folder"));
    let damaged = from.copy();
    let name = "0000000001-0000000001.journal";
    let mut bytes = damaged.bytes(name).expect("the segment");
    bytes[200] ^= 1;
    damaged.put(name, &bytes);
    let error = fork(&damaged, &new(), SequenceNumber(10), &BTreeMap::new(), SEGMENT).expect_err("damaged");
    assert!(error.to_string().contains(name), "{error}");
}

#[test]
fn text_that_is_no_command_says_what_is_wrong() {
    let cases = [
        ("nothing", "not a command"),
        ("[]", "no \"command\""),
        (r#"{"command":"Enter"}"#, "no \"fields\""),
        (r#"{"command":"Entre","fields":{}}"#, "Cancel, Replace"),
        (
            r#"{"command":"Cancel","fields":{"sesion":1}}"#,
            "it has session, incarnation",
        ),
        (
            r#"{"command":"Enter","fields":{"side":"Bye"}}"#,
            "Enter.side: \"Bye\" is no Side",
        ),
        (
            r#"{"command":"Enter","fields":{"session":4294967296}}"#,
            "is no SessionId",
        ),
        (
            r#"{"command":"Enter","fields":{"client_id":"1234567890123456789012345678901234567890"}}"#,
            "TEXT_MAX",
        ),
        (
            r#"{"command":"StartOfDay","fields":{"day":"2026-02-30"}}"#,
            "is no TradingDay",
        ),
    ];
    for (given, word) in cases {
        let error = text::parse(given).expect_err(given).to_string();
        assert!(error.contains(word), "{given}: {error}");
    }
}

/// Any command that bytes of its schema make.
fn commands() -> impl Strategy<Value = Command> {
    let schemas = prop::sample::select(Command::SCHEMAS);
    (
        schemas,
        prop::collection::vec(prop_oneof![any::<u8>(), 0u8..6], MESSAGE_BYTES_MAX),
    )
        .prop_filter_map("bytes that no command has", |(schema, mut bytes)| {
            let block = schema.block_len();
            let text = usize::from(!schema.text.is_empty()) * (1 + usize::from(bytes[block] % 40));
            bytes[block] %= 40;
            bytes.truncate(block + text);
            Command::decode(schema.id, block, &bytes).ok()
        })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        max_global_rejects: 1_000_000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20_120_621),
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_command_survives_as_text(body in commands()) {
        let record = text::record(&Sequenced {
            seq: SequenceNumber(1),
            stamp: Timestamp(2),
            epoch: rialto_model::Epoch(3),
            body,
        });
        prop_assert_eq!(text::parse(&record.to_string()).expect("our own text"), body);
    }
}
