//! The acceptor session, script by script. The public suites (`acceptance.rs`) hold the rules that have words in them;
//! here stand those that a suite over TCP cannot reach: an owner who decides and numbers later, restarts, bounds.

mod script;

use std::sync::Arc;

use rialto_fix::dictionary::{Dictionaries, UserDefinedFields, Validator};
use rialto_fix::limits::{MAX_HELD_MESSAGES, MAX_PENDING_ADMIN, MAX_TRANSMIT_BYTES};
use rialto_fix::session::{BoundedStore, DisconnectReason, Event, MessageStore, SentMessage, Session, SessionConfig};
use rialto_fix::{Monotonic, MsgSeqNum, MsgType, Now, UtcTimestamp, Version};
use script::Script;

fn config() -> SessionConfig {
    SessionConfig::new(Version::Fix44)
}

fn validating(version: Version) -> SessionConfig {
    let validator = Validator::new(Dictionaries::load(version).unwrap(), UserDefinedFields::Reject);
    SessionConfig {
        validator: Some(Arc::new(validator)),
        ..SessionConfig::new(version)
    }
}

/// A session logged on at both numbers 1, heartbeats every 10 s.
const LOGON: &str = "
    > 35=A|34=1|98=0|108=10|
    ! logon FIRM1
    . accept 1 1
    < 35=A|34=1|98=0|108=10|
";

fn play(config: SessionConfig, script: &str) {
    Script::new(config, true).play(script);
}

fn logged_on(script: &str) {
    play(config(), &format!("{LOGON}{script}"));
}

#[test]
fn a_first_message_that_is_no_logon_ends_without_a_word() {
    let table = [
        ("> 35=0|34=1|", "no acceptable Logon: the first message must be a Logon"),
        (
            "> 35=A|34=1|108=30|",
            "no acceptable Logon: EncryptMethod(98) must be 0",
        ),
        (
            "> 35=A|34=1|98=1|108=30|",
            "no acceptable Logon: EncryptMethod(98) must be 0",
        ),
        (
            "> 35=A|34=1|98=0|108=-1|",
            "no acceptable Logon: HeartBtInt(108) must be 0 to 86,400 seconds (MAX_HEART_BT_INT_SECONDS)",
        ),
        (
            "> 35=A|34=x|98=0|108=30|",
            "no acceptable Logon: Incorrect data format for value",
        ),
        (
            "> 35=A|34=1|52=20010101-00:00:00|98=0|108=30|",
            "no acceptable Logon: SendingTime accuracy problem",
        ),
        (
            "> 35=A|34=1|49=|98=0|108=30|",
            "no acceptable Logon: Tag specified without a value",
        ),
    ];
    for (line, reason) in table {
        play(config(), &format!("{line}\n! disconnect: {reason}"));
    }
    play(
        config(),
        ">> GET / HTTP/1.1|
         ! garbled
         ! disconnect: the first message is garbled: 14 bytes of no message: start every message with 8=",
    );
    play(
        validating(Version::Fix44),
        "> 35=A|34=1|98=0|\n! disconnect: no acceptable Logon: Required tag missing",
    );
    play(
        SessionConfig::new(Version::Fix50Sp2),
        "> 35=A|34=1|98=0|108=30|\n! disconnect: no acceptable Logon: DefaultApplVerID(1137) must be that of the version spoken",
    );
}

#[test]
fn nothing_changes_before_the_owner_decides() {
    let mut script = Script::new(config(), true);
    script.play(
        "> 35=A|34=1|98=0|108=10|141=Y|553=trader|554=wrong|
         ! logon FIRM1
         # what follows waits for the decision
         > 35=1|34=2|112=early|",
    );
    let now = script.now();
    assert!(script.session().accept_relogon(now).is_err());
    assert!(script.session().send(now, MsgType::EXECUTION_REPORT, b"", b"").is_err());
    script.play(
        ". refuse
         ! disconnect: the Logon was refused: check identity and credentials",
    );
    assert!(script.session().refuse_logon().is_err());
    play(
        config(),
        "> 35=A|34=1|98=0|108=10|
         ! logon FIRM1
         > 35=1|34=2|112=early|
         @ 3
         . accept 1 1
         < 35=A|34=1|98=0|108=10|
         < 35=0|34=2|112=early|",
    );
}

#[test]
fn a_logon_meets_restored_numbers() {
    // As expected: both go on.
    play(
        config(),
        "> 35=A|34=8|98=0|108=10|
         ! logon FIRM1
         . accept 8 21
         < 35=A|34=21|98=0|108=10|
         > 35=1|34=9|112=x|
         < 35=0|34=22|112=x|",
    );
    // Too high: asked again from the expected number; the Logon's own number counts once the gap has closed.
    play(
        config(),
        "> 35=A|34=8|98=0|108=10|
         ! logon FIRM1
         . accept 6 21
         < 35=A|34=21|98=0|108=10|
         < 35=2|34=22|7=6|16=0|
         > 35=4|34=6|43=Y|122=<now>|36=8|123=Y|
         > 35=1|34=9|112=x|
         < 35=0|34=23|112=x|",
    );
    // Too low: Logout, no Logon.
    play(
        config(),
        "> 35=A|34=3|98=0|108=10|
         ! logon FIRM1
         . accept 6 21
         < 35=5|34=21|58=MsgSeqNum too low, expecting 6 but received 3|
         ! disconnect: MsgSeqNum(34) too low without PossDupFlag(43)=Y",
    );
    // With a reset the numbers given do not matter.
    play(
        config(),
        "> 35=A|34=1|98=0|108=10|141=Y|
         ! logon FIRM1
         . accept 6 21
         < 35=A|34=1|98=0|108=10|141=Y|
         > 35=1|34=2|112=x|
         < 35=0|34=2|112=x|",
    );
}

#[test]
fn the_owner_numbers_when_it_will() {
    let mut script = Script::new(config(), false);
    script.play(
        "> 35=A|34=1|98=0|108=10|
         ! logon FIRM1
         . accept 1 1
         ! wanted Logon { reset: false }
         # sequenced before the Logon's answer: numbered and stored, not sent
         . send 8|11=a|
         . release
         < 35=A|34=2|98=0|108=10|
         > 35=1|34=2|112=one|
         ! wanted Heartbeat
         > 35=1|34=3|112=two|
         ! wanted Heartbeat
         . send 8|11=b|
         < 35=8|34=3|11=b|
         # gap fills and copies take no number and need no release
         > 35=2|34=4|7=1|16=0|
         < 35=8|34=1|43=Y|122=T|11=a|
         < 35=4|34=2|43=Y|122=T|36=3|123=Y|
         < 35=8|34=3|43=Y|122=T|11=b|
         . release
         < 35=0|34=4|112=one|
         . release
         < 35=0|34=5|112=two|
         > 35=5|34=5|
         ! wanted Logout
         . send 8|11=c|
         < 35=8|34=6|11=c|
         . release
         < 35=5|34=7|
         ! disconnect: logged out
         # after the end: numbered and stored only
         . send 8|11=d|",
    );
    assert_eq!(
        (script.session().next_inbound(), script.session().next_outbound()),
        (MsgSeqNum(6), MsgSeqNum(9))
    );
    let store = script.into_store();
    let mut kept = Vec::new();
    let mut from = MsgSeqNum::FIRST;
    while let Some((number, message)) = store.next_from(from) {
        kept.push((number.0, message.body.to_vec()));
        from = number.next();
    }
    let expected = [(1, "11=a\x01"), (3, "11=b\x01"), (6, "11=c\x01"), (8, "11=d\x01")];
    assert_eq!(kept, expected.map(|(number, body)| (number, body.as_bytes().to_vec())));
}

#[test]
fn a_reset_takes_effect_when_it_is_released() {
    let mut script = Script::new(config(), false);
    script.play(
        "> 35=A|34=1|98=0|108=10|
         ! logon FIRM1
         . accept 1 1
         ! wanted Logon { reset: false }
         . release
         < 35=A|34=1|98=0|108=10|
         . send 8|11=a|
         < 35=8|34=2|11=a|
         > 35=A|34=1|98=0|108=20|141=Y|
         ! logon FIRM1 again
         . relogon
         ! wanted Logon { reset: true }
         . send 8|11=b|
         < 35=8|34=3|11=b|
         . release
         < 35=A|34=1|98=0|108=20|141=Y|
         . send 8|11=c|
         < 35=8|34=2|11=c|
         > 35=2|34=2|7=1|16=0|
         < 35=4|34=1|43=Y|122=T|36=2|123=Y|
         < 35=8|34=2|43=Y|122=T|11=c|",
    );
    assert_eq!(
        (script.session().next_inbound(), script.session().next_outbound()),
        (MsgSeqNum(3), MsgSeqNum(3))
    );
}

#[test]
fn gaps_are_asked_for_once_and_closed_in_order() {
    logged_on(
        "> 35=D|34=4|11=c|
         < 35=2|34=2|7=2|16=0|
         > 35=D|34=5|11=d|
         > 35=D|34=2|43=Y|122=<now>|11=a|
         ! application D 2
         > 35=D|34=3|43=Y|122=<now>|11=b|
         ! application D 3
         ! application D 4
         ! application D 5
         # the gap is closed: the next one is asked for again
         > 35=D|34=9|11=f|
         < 35=2|34=3|7=6|16=0|
         > 35=4|34=6|43=Y|122=<now>|36=9|123=Y|
         ! application D 9",
    );
}

#[test]
fn two_peers_that_both_miss_something_serve_each_other() {
    logged_on(
        ". send 8|11=a|
         < 35=8|34=2|11=a|
         > 35=2|34=5|7=2|16=0|
         < 35=2|34=3|7=2|16=0|
         < 35=8|34=2|43=Y|122=T|11=a|
         > 35=4|34=2|43=Y|122=<now>|36=5|123=Y|
         # the request itself was number 5 and is not served twice
         > 35=1|34=6|112=x|
         < 35=0|34=4|112=x|",
    );
}

#[test]
fn resend_requests_of_every_range() {
    let sent = ". send 8|11=a|
         < 35=8|34=2|11=a|
         . send 8|11=b|
         < 35=8|34=3|11=b|
         > 35=1|34=2|112=x|
         < 35=0|34=4|112=x|";
    let value = "58=Value is incorrect (out of range) for this tag|371=7|372=2|373=5|";
    let table = [
        ("7=2|16=2|", "< 35=8|34=2|43=Y|122=T|11=a|".to_owned()),
        ("7=4|16=4|", "< 35=4|34=4|43=Y|122=T|36=5|123=Y|".to_owned()),
        ("7=1|16=1|", "< 35=4|34=1|43=Y|122=T|36=2|123=Y|".to_owned()),
        (
            "7=3|16=999999|",
            "< 35=8|34=3|43=Y|122=T|11=b|\n< 35=4|34=4|43=Y|122=T|36=5|123=Y|".to_owned(),
        ),
        ("7=5|16=0|", format!("< 35=3|34=5|45=3|{value}")),
        ("7=0|16=0|", format!("< 35=3|34=5|45=3|{value}")),
        ("7=3|16=2|", format!("< 35=3|34=5|45=3|{value}")),
        ("7=999999999999999999|16=0|", format!("< 35=3|34=5|45=3|{value}")),
    ];
    for (range, answer) in table {
        logged_on(&format!("{sent}\n> 35=2|34=3|{range}\n{answer}"));
    }
}

#[test]
fn bad_messages_are_rejected_and_the_session_lives() {
    let table = [
        // without its original time a copy's number is not used, in sequence or not
        (
            "35=D|34=2|43=Y|11=x|",
            "45=2|58=Required tag missing|371=122|372=D|373=1|",
            2,
        ),
        ("35=1|34=2|", "45=2|58=Required tag missing|371=112|372=1|373=1|", 3),
        (
            "35=D|34=2|11=|",
            "45=2|58=Tag specified without a value|371=11|372=D|373=4|",
            3,
        ),
        (
            "35=2|34=2|7=x|16=0|",
            "45=2|58=Incorrect data format for value|371=7|372=2|373=6|",
            3,
        ),
        ("35=2|34=2|7=1|", "45=2|58=Required tag missing|371=16|372=2|373=1|", 3),
        (
            "35=4|34=2|123=Y|",
            "45=2|58=Required tag missing|371=36|372=4|373=1|",
            2,
        ),
        (
            "35=4|34=2|123=Y|36=1|",
            "45=2|58=Value is incorrect (out of range) for this tag|372=4|373=5|",
            2,
        ),
        (
            "35=4|34=99|36=1|",
            "45=99|58=Value is incorrect (out of range) for this tag|372=4|373=5|",
            2,
        ),
        (
            "35=0|34=x|",
            "58=Incorrect data format for value|371=34|372=0|373=6|",
            2,
        ),
        ("35=0|52=<now>|", "58=Required tag missing|371=34|372=0|373=1|", 2),
        (
            "35=0|34=2|52=yesterday|",
            "45=2|58=Incorrect data format for value|371=52|372=0|373=6|",
            3,
        ),
    ];
    for (message, reject, next_inbound) in table {
        let mut script = Script::new(config(), true);
        script.play(&format!("{LOGON}> {message}\n< 35=3|34=2|{reject}"));
        assert_eq!(script.session().next_inbound(), MsgSeqNum(next_inbound), "{message}");
    }
    // No Reject for a Reject, however bad.
    logged_on("> 35=3|34=2|45=|\n> 35=1|34=3|112=x|\n< 35=0|34=2|112=x|");
    logged_on("> 35=3|34=2|45=1|\n! rejected 2");
}

#[test]
fn rejects_of_4_2_name_only_reasons_of_4_2() {
    play(
        validating(Version::Fix42),
        &format!(
            "{LOGON}
             > 35=0|34=2|112=a|112=b|
             < 35=3|34=2|45=2|58=Tag appears more than once|371=112|372=0|
             > 35=*|34=3|
             < 35=3|34=3|45=3|58=Invalid MsgType|372=*|373=11|"
        ),
    );
}

#[test]
fn messages_that_end_the_session() {
    let table = [
        (
            "35=0|34=2|52=20260105-09:27:59|",
            "45=2|58=SendingTime accuracy problem|372=0|373=10|",
        ),
        (
            "35=0|34=2|52=20260105-09:32:01|",
            "45=2|58=SendingTime accuracy problem|372=0|373=10|",
        ),
        (
            "35=D|34=2|43=Y|52=20260105-09:30:00|122=20260105-09:30:01|",
            "45=2|58=SendingTime accuracy problem|372=D|373=10|",
        ),
        ("35=0|34=2|49=FIRM2|", "45=2|58=CompID problem|372=0|373=9|"),
        ("35=0|34=2|56=OTHER|", "45=2|58=CompID problem|372=0|373=9|"),
    ];
    for (message, reject) in table {
        logged_on(&format!(
            "> {message}
             < 35=3|34=2|{reject}
             < 35=5|34=3|
             # only a Logout is heard now
             > 35=1|34=3|112=x|
             > 35=5|34=3|
             ! disconnect: logged out"
        ));
    }
    // Exactly the tolerance is good.
    logged_on("> 35=1|34=2|52=20260105-09:32:00|112=x|\n< 35=0|34=2|112=x|");
}

#[test]
fn low_numbers() {
    let end = "! disconnect: MsgSeqNum(34) too low without PossDupFlag(43)=Y";
    logged_on(&format!(
        "> 35=D|34=1|11=x|\n< 35=5|34=2|58=MsgSeqNum too low, expecting 2 but received 1|\n{end}"
    ));
    logged_on("> 35=D|34=1|43=Y|122=<now>|11=x|\n> 35=1|34=2|112=x|\n< 35=0|34=2|112=x|");
    logged_on("> 35=5|34=1|43=Y|122=<now>|\n> 35=1|34=2|112=x|\n< 35=0|34=2|112=x|");
    // A Logon again, in sequence: answered, numbers go on. The owner is asked each time.
    logged_on(
        "> 35=A|34=2|98=0|108=20|
         ! logon FIRM1 again
         . relogon
         < 35=A|34=2|98=0|108=20|
         > 35=1|34=3|112=x|
         < 35=0|34=3|112=x|",
    );
}

#[test]
fn garbage_in_a_session_is_ignored() {
    logged_on(
        ">> 8=FIX.4.4|9=5|35=0|10=000|
         ! garbled
         > 35=1|34=2|112=x|
         < 35=0|34=2|112=x|",
    );
}

#[test]
fn the_clock_keeps_a_session_alive_and_ends_it() {
    logged_on(
        "@ 9.9
         @ 10
         < 35=0|34=2|
         @ 11.9
         @ 12
         < 35=1|34=3|112=TEST|
         @ 23.9
         @ 24
         ! disconnect: silent for 2.4 times HeartBtInt(108)",
    );
    logged_on(
        "@ 10
         < 35=0|34=2|
         @ 12
         < 35=1|34=3|112=TEST|
         @ 20
         > 35=0|34=2|112=TEST|
         @ 22
         < 35=0|34=4|
         @ 31.9
         @ 32
         < 35=1|34=5|112=TEST|",
    );
    // Timers that are looked at late say what was due in its order.
    logged_on(
        "@ 13
         < 35=0|34=2|
         < 35=1|34=3|112=TEST|",
    );
    // What is sent puts the Heartbeat off.
    logged_on(
        "@ 5
         . send 8|11=a|
         < 35=8|34=2|11=a|
         > 35=0|34=2|
         @ 14.9
         @ 15
         < 35=0|34=3|",
    );
    // No interval, no heartbeats.
    play(
        config(),
        "> 35=A|34=1|98=0|108=0|
         ! logon FIRM1
         . accept 1 1
         < 35=A|34=1|98=0|108=0|
         @ 100000",
    );
    play(
        config(),
        "@ 9.9\n@ 10\n! disconnect: no Logon in time: send one as the first message",
    );
    logged_on(
        ". logout end of day
         < 35=5|34=2|58=end of day|
         @ 1.9
         @ 2
         ! disconnect: no answer to our Logout in time",
    );
    logged_on(
        ". logout end of day
         < 35=5|34=2|58=end of day|
         > 35=2|34=2|7=1|16=0|
         < 35=4|34=1|43=Y|122=T|36=3|123=Y|
         > 35=5|34=3|
         ! disconnect: logged out",
    );
}

#[test]
fn deadlines_are_when_something_is_due() {
    let mut script = Script::new(config(), true);
    assert_eq!(script.session().next_deadline(), Some(Monotonic(10_000_000_000)));
    script.play(LOGON);
    assert_eq!(script.session().next_deadline(), Some(Monotonic(10_000_000_000)));
    script.play("@ 10\n< 35=0|34=2|");
    assert_eq!(script.session().next_deadline(), Some(Monotonic(12_000_000_000)));
    script.play("@ 12\n< 35=1|34=3|112=TEST|");
    assert_eq!(script.session().next_deadline(), Some(Monotonic(24_000_000_000)));
    script.play("@ 24\n! disconnect: silent for 2.4 times HeartBtInt(108)");
    assert_eq!(script.session().next_deadline(), None);
}

/// An owner that does not release: reading stops, and goes on where it stopped.
#[test]
fn pending_messages_are_bounded() {
    let mut script = Script::new(config(), false);
    script.play("> 35=A|34=1|98=0|108=0|\n! logon FIRM1\n. accept 1 1\n! wanted Logon { reset: false }\n. release\n< 35=A|34=1|98=0|108=0|");
    for number in 2..2 + MAX_PENDING_ADMIN - 2 {
        script.play(&format!("> 35=1|34={number}|112={number}|\n! wanted Heartbeat"));
    }
    let waiting = MAX_PENDING_ADMIN;
    script.play(&format!("> 35=1|34={waiting}|112={waiting}|"));
    assert_eq!(script.session().pending_admin(), MAX_PENDING_ADMIN - 2);
    script.play(". release\n< 35=0|34=2|112=2|\n! wanted Heartbeat");
}

/// More than is held behind a gap comes again: nothing is lost, nothing is doubled.
#[test]
fn held_messages_are_bounded() {
    let mut script = Script::new(config(), true);
    script.play(LOGON);
    script.play("> 35=D|34=3|11=x|\n< 35=2|34=2|7=2|16=0|");
    let beyond = 3 + MAX_HELD_MESSAGES as u64 + 5;
    for number in 4..=beyond {
        script.play(&format!("> 35=D|34={number}|11=x|"));
    }
    let delivered: Vec<String> = (2..3 + MAX_HELD_MESSAGES)
        .map(|number| format!("! application D {number}"))
        .collect();
    script.play(&format!("> 35=D|34=2|43=Y|122=<now>|11=x|\n{}", delivered.join("\n")));
    let next = 3 + MAX_HELD_MESSAGES;
    script.play(&format!("> 35=0|34={}|\n< 35=2|34=3|7={next}|16=0|", beyond + 1));
}

fn now() -> Now {
    Now {
        monotonic: Monotonic(0),
        utc: UtcTimestamp(1_767_605_400_000_000_000),
    }
}

/// A peer that does not read is cut off; the messages stay in the store.
#[test]
fn unsent_bytes_are_bounded() {
    let mut script = Script::new(config(), true);
    script.play(LOGON);
    let body = [b"58=".as_slice(), &vec![b'x'; 100_000], b"\x01"].concat();
    let session = script.session();
    for _ in 0..MAX_TRANSMIT_BYTES / 100_000 + 10 {
        session.send(now(), MsgType::EXECUTION_REPORT, b"", &body).unwrap();
    }
    assert!(matches!(
        session.poll_event(now()),
        Some(Event::Disconnect(DisconnectReason::TransmitFull))
    ));
    assert!(session.poll_event(now()).is_none());
    assert!(session.transmit(now()).len() < MAX_TRANSMIT_BYTES + 200_000);
    assert!(!session.is_logged_on());
}

#[test]
fn a_full_inbox_takes_no_more() {
    let mut session: Session<BoundedStore> = Session::new(config(), now());
    let flood = vec![b'8'; 1 << 20];
    let taken = session.handle_bytes(&flood);
    assert!(taken > 0 && taken < flood.len());
    assert_eq!(session.handle_bytes(&flood), 0);
}

#[test]
fn a_store_keeps_the_latest() {
    let message = |body| SentMessage {
        msg_type: MsgType(b"8"),
        sending_time: UtcTimestamp(0),
        header: b"",
        body,
    };
    let numbers = |store: &BoundedStore, from: u64| store.next_from(MsgSeqNum(from)).map(|(number, _)| number.0);
    let mut by_count = BoundedStore::new(2, 1000);
    let mut by_bytes = BoundedStore::new(1000, 12);
    for number in [2, 5, 7] {
        by_count.record(MsgSeqNum(number), message(b"body"));
        by_bytes.record(MsgSeqNum(number), message(b"body"));
    }
    for store in [&mut by_count, &mut by_bytes] {
        assert_eq!(
            [1, 5, 6, 7, 8].map(|from| numbers(store, from)),
            [Some(5), Some(5), Some(7), Some(7), None]
        );
        store.clear();
        assert_eq!(numbers(store, 1), None);
    }
}

proptest::proptest! {
    /// Whatever a peer sends in whatever pieces, the session neither panics nor speaks before a Logon.
    #[test]
    fn no_peer_breaks_a_session(lines in proptest::collection::vec(any_line(), 0..60)) {
        let mut script = Script::new(config(), true);
        script.play(LOGON);
        let session = script.session();
        for line in lines {
            let body = line.replace('|', "\x01");
            let message = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
            let sum = message.bytes().fold(0u8, u8::wrapping_add);
            let bytes = format!("{message}10={sum:03}\x01").into_bytes();
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                rest = &rest[session.handle_bytes(rest)..];
                while let Some(event) = session.poll_event(now()) {
                    match event {
                        Event::Logon(_) => _ = session.accept_relogon(now()),
                        Event::AdminWanted(_) => _ = session.release_admin(now()),
                        Event::Disconnect(_) => return Ok(()),
                        _ => {}
                    }
                }
                let length = session.transmit(now()).len();
                session.transmitted(length);
            }
        }
    }
}

fn any_line() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let msg_type = prop::sample::select(vec!["0", "1", "2", "3", "4", "5", "A", "D", "*"]);
    let number = prop_oneof![0u64..12, Just(999_999_999_999_999_999), any::<u64>()];
    let extra = prop::sample::subsequence(
        vec![
            "43=Y|",
            "122=20260105-09:30:00|",
            "36=3|",
            "36=999999999999999999|",
            "123=Y|",
            "7=1|",
            "16=0|",
            "112=x|",
            "98=0|",
            "108=5|",
            "141=Y|",
        ],
        0..11,
    );
    (msg_type, number, extra).prop_map(|(msg_type, number, extra)| {
        format!(
            "35={msg_type}|34={number}|49=FIRM1|52=20260105-09:30:00|56=RIALTO|{}",
            extra.concat()
        )
    })
}
