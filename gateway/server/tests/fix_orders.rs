//! What a FIX client sends on the left (`>`), what it must be told on the right (`<`): only the fields that matter to the row.

mod support;

use support::fix_client::{FixClient, config};
use support::{DAY, Exchange};

/// One client alone on a fresh exchange.
#[track_caller]
fn alone(table: &str) {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.play(&mut x, table);
    client.expect_nothing(&mut x, "LAST");
}

#[test]
fn an_order_lives_and_is_filled() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    client.play(
        &mut x,
        "> D 11=A 55=ABC 54=1 38=100 40=2 44=10.00 59=0
         < 8 150=0 39=0 11=A 55=ABC 54=1 38=100 40=2 44=10 59=0 14=0 151=100 6=0 1=1 !41 !32 !31 !851 !58 !103 !378",
    );
    rival.play(
        &mut x,
        "> D 11=A 55=ABC 54=5 38=30 40=2 44=9.99
         < 8 150=0 39=0 11=A 54=5 38=30 14=0 151=30
         < 8 150=F 39=2 11=A 32=30 31=10 14=30 151=0 6=10 851=2",
    );
    client.play(&mut x, "< 8 150=F 39=1 11=A 32=30 31=10 14=30 151=70 6=10 38=100 851=1");
    rival.play(
        &mut x,
        "> D 11=B 55=ABC 54=2 38=100 40=1
         < 8 150=0 39=0 11=B 40=1 38=100 151=100 !44
         < 8 150=F 39=1 11=B 32=70 31=10 14=70 151=30 6=10
         < 8 150=4 39=4 11=B 38=100 14=70 151=0 58=nothing_more_to_trade_with",
    );
    client.play(&mut x, "< 8 150=F 39=2 11=A 32=70 14=100 151=0 6=10");
    client.expect_nothing(&mut x, "Z");
    rival.expect_nothing(&mut x, "Z");
}

#[test]
fn every_report_has_an_id_of_its_own_and_both_names_of_the_order() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.send(&x, "D 11=A 55=ABC 54=1 38=100 40=2 44=10.00");
    client.send(&x, "D 11=B 55=ABC 54=2 38=100 40=2 44=10.00");
    let mut ids = Vec::new();
    for wanted in [
        "8 150=0 11=A",
        "8 150=0 11=B",
        "8 150=F 11=A 851=1",
        "8 150=F 11=B 851=2",
    ] {
        let message = client.expect(&mut x, wanted);
        let id = message.iter().find(|field| field.starts_with("17=")).unwrap().clone();
        assert!(message.iter().any(|field| field.starts_with("37=")));
        assert!(!ids.contains(&id), "{id} twice");
        ids.push(id);
    }
}

#[test]
fn a_cancel_is_answered_under_its_own_name() {
    alone(
        "> D 11=A 55=ABC 54=1 38=100 40=2 44=10.00
         < 8 150=0 11=A
         > F 11=B 41=A 55=ABC 54=1 38=100
         < 8 150=4 39=4 11=B 41=A 38=100 14=0 151=0
         > F 11=C 41=A 55=ABC 54=1 38=100
         < 9 11=C 41=A 39=4 434=1 102=0
         > F 11=D 41=nothing 55=ABC 54=1 38=100
         < 9 11=D 39=8 434=1 102=1 37=NONE
         > F 11=A 41=A 55=ABC 54=1 38=100
         < 9 11=A 434=1 102=6
         > F 11=D 41=A 55=ABC 54=1 38=100
         < 9 11=D 434=1 102=6",
    );
}

#[test]
fn a_replace_keeps_the_order_and_counts_what_was_executed() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    client.play(
        &mut x,
        "> D 11=A 55=ABC 54=1 38=10 40=2 44=10.00
         < 8 150=0 11=A
         > D 11=behind 55=ABC 54=1 38=10 40=2 44=10.00
         < 8 150=0 11=behind",
    );
    rival.play(
        &mut x,
        "> D 11=A 55=ABC 54=2 38=2 40=2 44=10.00\n< 8 150=0\n< 8 150=F 14=2",
    );
    client.play(
        &mut x,
        "< 8 150=F 39=1 11=A 14=2 151=8
         > G 11=B 41=A 55=ABC 54=1 38=5 40=2 44=10.00
         < 8 150=5 39=1 11=B 41=A 38=5 14=2 151=3 6=10",
    );
    rival.play(
        &mut x,
        "> D 11=B 55=ABC 54=2 38=3 40=2 44=10.00\n< 8 150=0\n< 8 150=F 14=3",
    );
    client.play(
        &mut x,
        "< 8 150=F 39=2 11=B 32=3 14=5 151=0
         > G 11=C 41=B 55=ABC 54=1 38=50 40=2 44=10.00
         < 9 11=C 41=B 39=2 434=2 102=0
         > G 11=D 41=behind 55=ABC 54=1 38=20 40=2 44=9.50
         < 8 150=5 39=0 11=D 41=behind 38=20 44=9.5 151=20
         > G 11=E 41=D 55=ABC 54=1 38=20 40=2 44=9.505
         < 9 11=E 41=D 39=0 434=2 102=99
         > G 11=F 41=D 55=ABC 54=1 38=20 40=2 44=9.50001
         < j 380=0 372=G
         > G 11=F 41=D 55=XYZ 54=1 38=20 40=2 44=9.50
         < j 380=0 372=G
         > G 11=D 41=D 55=ABC 54=1 38=20 40=2 44=9.40
         < 9 11=D 434=2 102=6
         > F 11=G 41=D 55=ABC 54=1 38=20
         < 8 150=4 39=4 11=G 41=D 38=20 151=0",
    );
}

#[test]
fn orders_behind_each_other_need_not_wait_for_answers() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    for message in [
        "D 11=A 55=ABC 54=1 38=10 40=2 44=10.00",
        "G 11=B 41=A 55=ABC 54=1 38=20 40=2 44=10.01",
        "D 11=A 55=ABC 54=1 38=10 40=2 44=10.00",
        "G 11=C 41=B 55=ABC 54=1 38=30 40=2 44=10.02",
        "F 11=D 41=C 55=ABC 54=1 38=30",
        "F 11=E 41=C 55=ABC 54=1 38=30",
    ] {
        client.send(&x, message);
    }
    client.play(
        &mut x,
        "< 8 150=0 11=A 38=10
         < 8 150=5 11=B 41=A 38=20
         < 8 150=8 39=8 11=A 103=6 37=NONE
         < 8 150=5 11=C 41=B 38=30
         < 8 150=4 11=D 41=C
         < 9 11=E 41=C 39=4 102=0",
    );
}

#[test]
fn what_cannot_be_an_order_is_rejected_with_a_reason() {
    alone(
        "> D 11=A 55=NOPE 54=1 38=10 40=2 44=10.00
         < 8 150=8 39=8 11=A 37=NONE 55=[N/A] 103=1 14=0 151=0 6=0
         > D 11=B 55=ABC 54=1 38=10 40=2 44=10.005
         < 8 150=8 11=B 103=99 44=10.005
         > D 11=C 55=ABC 54=1 38=10 40=2 44=10.00001
         < 8 150=8 11=C 103=99
         > D 11=D 55=ABC 54=1 38=10.5 40=2 44=10.00
         < 8 150=8 11=D 103=13
         > D 11=E 55=ABC 54=1 38=0 40=2 44=10.00
         < 8 150=8 11=E 103=13
         > D 11=F 55=ABC 54=1 38=99999999999999999999999 40=2 44=10.00
         < 8 150=8 11=F 103=3
         > D 11=G 55=ABC 54=1 38=10 40=2 44=0
         < 8 150=8 11=G 103=99
         > D 11=H 55=ABC 54=1 38=10 40=3 99=9.00
         < 8 150=8 11=H 103=11
         > D 11=I 55=ABC 54=1 38=10 40=2 44=10.00 59=5
         < 8 150=8 11=I 103=11
         > D 11=J 55=ABC 54=3 38=10 40=2 44=10.00
         < 8 150=8 11=J 103=11
         > D 11=K 55=ABC 54=1 38=10 40=2 44=10.00 111=5
         < 8 150=8 11=K 103=11
         > D 11=L 55=ABC 54=1 38=10 40=2 44=10.00 110=5
         < 8 150=8 11=L 103=11
         > D 11=M 55=ABC 54=1 38=10 40=2 44=10.00 1=2
         < 8 150=8 11=M 103=15
         > D 11=N 55=ABC 54=1 38=10 40=2 44=10.00 1=mine
         < 8 150=8 11=N 103=15
         > D 11=O 55=ABC 54=1 38=10 40=2
         < j 380=5 372=D
         > D 11=P 55=ABC 54=1 40=2 44=10.00
         < j 380=5 372=D
         > D 11=0123456789012345678901234567890123456789 55=ABC 54=1 38=10 40=2 44=10.00
         < j 380=0 372=D
         > R 131=A 146=1 55=ABC
         < j 380=3 372=R
         > D 11=Q 55=ABC 54=1 38=10 40=2
         < j 380=5
         > D 11=Q 55=ABC 54=1 38=10 40=2 44=10.00 110=0 21=1 528=P 9999=own
         < 8 150=0 11=Q
         > D 11=R 55=ABC 54=1 38=10 40=2 44=10.00 59=9
         < 3 373=5 371=59
         > D 11=S 55=ABC 38=10 40=2 44=10.00
         < 3 373=1 371=54",
    );
}

#[test]
fn a_name_is_used_once_a_day_and_a_possible_resend_is_no_second_order() {
    alone(
        "> D 11=A 55=ABC 54=1 38=10 40=2 44=10.00
         < 8 150=0 11=A
         > D 11=A 55=ABC 54=1 38=10 40=2 44=10.00 97=Y
         > D 11=A 55=ABC 54=1 38=10 40=2 44=10.00
         < 8 150=8 39=8 11=A 103=6
         > D 11=B 55=ABC 54=1 38=10 40=2 44=10.00 97=Y
         < 8 150=0 11=B
         > D 11=C 55=ABC 54=1 38=0 40=2 44=10.00
         < 8 150=8 11=C
         > D 11=C 55=ABC 54=1 38=10 40=2 44=10.00
         < 8 150=8 11=C 103=6",
    );
}

#[test]
fn a_good_till_cancel_order_is_carried_under_its_name() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.play(
        &mut x,
        "> D 11=day 55=ABC 54=1 38=10 40=2 44=9.00
         < 8 150=0 11=day
         > D 11=gtc 55=ABC 54=2 38=10 40=2 44=10.00 59=1
         < 8 150=0 11=gtc 59=1
         > D 11=hit 55=ABC 54=1 38=4 40=2 44=10.00 59=4
         < 8 150=0 11=hit
         < 8 150=F 11=gtc 14=4 151=6
         < 8 150=F 11=hit",
    );
    x.end_day();
    client.play(
        &mut x,
        "< 8 150=C 39=C 11=day 38=10 14=0 151=0 58=the_trading_day_ended !41",
    );
    client.until_closed(&mut x);
    assert!(client.logged_out.as_deref().unwrap().contains("trading day has ended"));
    x.start_day(rialto_model::TradingDay(DAY.0 + 1));
    x.step();

    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.play(
        &mut x,
        "< 8 150=D 39=1 378=1 11=gtc 38=10 14=4 151=6 6=10
         > D 11=day 55=ABC 54=1 38=10 40=2 44=9.00
         < 8 150=0 11=day
         > D 11=gtc 55=ABC 54=1 38=10 40=2 44=9.00
         < 8 150=8 11=gtc 103=6
         > G 11=new 41=gtc 55=ABC 54=2 38=10 40=2 44=10.50 59=1
         < 8 150=5 39=1 11=new 41=gtc 38=10 14=4 151=6 44=10.5
         > F 11=off 41=new 55=ABC 54=2 38=10
         < 8 150=4 39=4 11=off 41=new 38=10 14=4 151=0
         > F 11=late 41=new 55=ABC 54=2 38=10
         < 9 11=late 41=new 39=4 102=0",
    );
}
