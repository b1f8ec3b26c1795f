//! What sessions are told is the same in every process that follows the stream, whoever is connected to it; and a process that
//! tells anybody otherwise is found by its transcript.

mod support;

use rialto_model::{Event, RejectReason};
use support::fix_client::{FixClient, config};
use support::{Exchange, Setup};

/// Two FIX sessions that trade, cancel, replace and are refused; one of them leaves.
fn a_morning() -> Exchange {
    let mut x = Exchange::with(Setup {
        transcribe: true,
        ..Setup::default()
    });
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    for at in 0..50 {
        let id = format!("A{at}");
        client.play(
            &mut x,
            &format!(
                "> D 11={id} 55=ABC 54=1 38=100 40=2 44=10.00
                     < 8 150=0 11={id}
                     > D 11={id}x 55=ABC 54=1 38=100 40=2 44=10.001
                     < 8 150=8 11={id}x"
            ),
        );
        rival.play(
            &mut x,
            &format!(
                "> D 11={id} 55=ABC 54=2 38=60 40=2 44=10.00
                     < 8 150=0 11={id}
                     < 8 150=F 11={id} 32=60"
            ),
        );
        client.play(
            &mut x,
            &format!(
                "< 8 150=F 11={id} 32=60
                     > F 11={id}c 41={id} 55=ABC 54=1 38=100
                     < 8 150=4 11={id}c
                     > F 11={id}d 41={id} 55=ABC 54=1 38=100
                     < 9 11={id}d"
            ),
        );
    }
    client.logout(&x);
    client.until_closed(&mut x);
    x
}

#[test]
fn doors_of_one_stream_tell_the_same_and_a_wrong_reason_is_found() {
    let mut x = a_morning();
    let [ouch, fix] = Exchange::transcripts(&x.outputs);
    assert!(fix.len() > 2, "{} windows", fix.len());
    assert_eq!(x.fix.take_transcripts(), fix);
    assert_eq!(x.ouch.take_transcripts(), ouch);

    let spoilt = |wanted: fn(&Event) -> bool| {
        let at = x
            .outputs
            .iter()
            .position(|one| wanted(&one.event.body))
            .expect("one of them");
        let mut outputs = x.outputs.clone();
        match &mut outputs[at].event.body {
            Event::Rejected(e) => e.reason = RejectReason::QuantityZero,
            Event::ChangeRejected(e) => e.reason = RejectReason::QuantityZero,
            _ => {}
        }
        let [_, other] = Exchange::transcripts(&outputs);
        let first = fix
            .iter()
            .zip(&other)
            .position(|(one, other)| one != other)
            .expect("a difference");
        assert_eq!(
            fix[first].0,
            outputs[at].event.seq.0 / 64,
            "in the first window that has it"
        );
    };
    spoilt(|event| matches!(event, Event::Rejected(_)));
    spoilt(|event| matches!(event, Event::ChangeRejected(_)));
}
