//! Forks and differences: a copy is the same stream, a change is found where it was made, and commands survive as text.

mod common;

use common::{enter, market, write};
use proptest::prelude::*;
use rialto_journal::disk::MemDisk;
use rialto_journal::{Reader, recover, verify};
use rialto_model::limits::MESSAGE_BYTES_MAX;
use rialto_model::{Command, LossCause, SequenceNumber, Sequenced, Side, Timestamp, VenueId};
use rialto_past::{Edit, Stream, diff, fork, found, text};
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
fn a_venue_begins_as_another_one_stood_and_is_its_own() {
    let (from, into) = (source(), MemDisk::new());
    let founded = found(&from, &into, Some(SequenceNumber(16)), VenueId(7), SEGMENT).expect("room");
    let there = Stream::at_rest(from.clone(), None)
        .at(Some(SequenceNumber(16)))
        .expect("it was");
    assert_eq!(
        (founded.at, founded.origin),
        (SequenceNumber(16), there.past.state_hash())
    );

    // Its history is the old one but for the venue in the first command; behind it every session is lost and no order.
    let commands = |disk: &MemDisk| -> Vec<Command> {
        let records = Reader::open(disk).expect("it reads");
        records.map(|record| record.expect("sound").body).collect()
    };
    let (old, new) = (commands(&from), commands(&into));
    assert!(matches!((old[0], new[0]), (Command::Release(a), Command::Release(b)) if (a.venue.0, b.venue.0) == (1, 7)));
    assert_eq!(old[1..16], new[1..16]);
    let before = there.past.state();
    let up = before.sessions.iter().filter(|session| session.up).count();
    assert!(up > 0 && before.live_orders() > 0);
    assert_eq!(new.len(), 16 + up);
    let forked = |one: &Command| matches!(one, Command::SessionLost(lost) if lost.cause == LossCause::Forked);
    assert!(new[16..].iter().all(forked));
    assert_eq!(founded.state.venue, VenueId(7));
    assert!(founded.state.sessions.iter().all(|session| !session.up));
    assert_eq!(founded.state.live_orders(), before.live_orders());
    assert_eq!(founded.last_seq.0, 16 + up as u64);

    // Neither opens the other's journal.
    for (disk, owner, other) in [(&from, 1, 7), (&into, 7, 1)] {
        let refused = recover(disk, VenueId(other))
            .err()
            .expect("another venue's")
            .to_string();
        assert!(refused.contains(&format!("venue {owner}")), "{refused}");
    }
    let all = found(&from, &MemDisk::new(), None, VenueId(8), SEGMENT).expect("room");
    assert_eq!(all.at, SequenceNumber(19));
    let beyond = found(&from, &MemDisk::new(), Some(SequenceNumber(99)), VenueId(8), SEGMENT);
    assert!(
        beyond
            .expect_err("not yet")
            .to_string()
            .contains("ends at sequence number 19")
    );
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
