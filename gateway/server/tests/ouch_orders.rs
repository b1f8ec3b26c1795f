//! What an OUCH client sends on the left (`>`), what it must be told on the right (`<`): OUCH 5.0's own meanings, and
//! PROTOCOLS' traps.

mod support;

use rialto_model::command::{BustTrade, CorrectTrade};
use rialto_model::{Event, InstrumentId, Price, Quantity};

use support::Exchange;
use support::ouch_client::OuchClient;

/// One client alone; each table begins on a fresh exchange behind its start of day.
#[track_caller]
fn alone(table: &str) {
    let mut x = Exchange::new();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.expect(&mut x, "S S");
    client.play(&mut x, table);
    client.expect_nothing(&mut x);
}

#[test]
fn an_order_is_accepted_as_entered() {
    alone(
        "> O 1 B 100 ABC 10.00 id=first
         < A 1 B 100 ABC 10.00 ref=1 id=first
         > O 2 S 100 ABC 10.01 display=A capacity=P
         < A 2 S 100 ABC 10.01 ref=2 display=A
         > O 3 T 5 ABC 11.00
         < A 3 T 5 ABC 11.00 ref=3
         > O 4 E 5 ABC 11.00 firm=ONEF min=0 floor=0
         < A 4 E 5 ABC 11.00 ref=4
         > O 5 B 7 XYZ 3.00
         < A 5 B 7 XYZ 3.00 ref=1",
    );
}

#[test]
fn immediate_or_cancel_fill_or_kill_and_market_never_rest() {
    alone(
        "> O 1 S 50 ABC 10.00
         < A 1 S 50 ABC 10.00 ref=1
         > O 2 B 20 ABC 10.00 fok
         < A 2 B 20 ABC 10.00 ref=2 ioc min=20
         < E 1 20 10.00 A trade=1
         < E 2 20 10.00 R trade=1
         > O 3 B 40 ABC 10.00 fok
         < A 3 B 40 ABC 10.00 ref=3 ioc min=40
         < C 3 40 I
         > O 4 B 40 ABC 10.00 ioc
         < A 4 B 40 ABC 10.00 ref=4 ioc
         < E 1 30 10.00 A trade=2
         < E 4 30 10.00 R trade=2
         < C 4 10 I
         > O 5 B 10 ABC market
         < A 5 B 10 ABC market ref=5
         < C 5 10 I",
    );
}

#[test]
fn a_reference_used_once_is_never_used_again() {
    alone(
        "> O 5 B 100 ABC 10.00
         < A 5 B 100 ABC 10.00 ref=1
         > O 5 B 100 ABC 10.00
         > O 4 B 100 ABC 10.00
         > Q
         < Q 6
         > O 9 B 100 NOPE 10.00
         < J 9 0x17
         > O 9 B 100 ABC 10.00
         > O 8 B 100 ABC 10.00
         > Q
         < Q 10
         > O 4000000000 B 1 ABC 10.00
         < J 4000000000 0x0f
         > O 10 B 1 ABC 9.00
         < A 10 B 1 ABC 9.00 ref=2",
    );
}

#[test]
fn what_is_not_offered_is_rejected_and_uses_its_reference_up() {
    alone(
        "> O 1 B 100 ABC 10.00 display=N id=hide
         < J 1 0x0f id=hide
         > O 1 B 100 ABC 10.00
         > Q
         < Q 2
         > O 2 B 100 ABC 10.00 tif=6
         < J 2 0x0f
         > O 3 B 100 ABC 10.00 cross=O
         < J 3 0x0f
         > O 4 B 100 ABC 10.00 sweep=Y
         < J 4 0x0f
         > O 5 B 100 ABC 10.00 min=50
         < J 5 0x0f
         > O 6 B 100 ABC 10.00 ioc min=50
         < J 6 0x0f
         > O 7 B 100 ABC 10.00 floor=10
         < J 7 0x0f
         > O 8 B 100 ABC 10.00 firm=RIVL
         < J 8 0x0f
         > O 9 B 100 ABC 10.00 byte=5:Q
         < J 9 0x0f
         > O 4000000000 B 100 ABC 10.00 display=N
         < J 4000000000 0x0f
         > O 10 B 100 ABC 10.00
         < A 10 B 100 ABC 10.00 ref=1
         > U 10 11 100 10.00 tif=6
         < J 11 0x0f
         > U 10 12 100 10.00 display=N
         < C 10 100 U",
    );
}

#[test]
fn values_that_no_order_can_have_are_rejected() {
    alone(
        "> O 1 B 0 ABC 10.00
         < J 1 0x13
         > O 2 B 999999 ABC 10.00
         < J 2 0x1e
         > O 3 B 4000000000 ABC 10.00
         < J 3 0x1e
         > O 4 B 1 ABC 10.0050
         < J 4 0x1d
         > O 5 B 1 ABC 0
         < J 5 0x1d
         > O 6 B 1 ABC 199999.9900
         < J 6 0x1d
         > O 7 B 1 ABC 1844674407370955.1615
         < J 7 0x1d
         > O 8 B 1 ABC 10.00
         < A 8 B 1 ABC 10.00 ref=1",
    );
}

#[test]
fn a_cancel_states_the_new_total_and_keeps_priority() {
    let mut x = Exchange::new();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    let mut rival = OuchClient::enter(&mut x, "RIVAL1");
    client.expect(&mut x, "S S");
    rival.expect(&mut x, "S S");
    client.play(
        &mut x,
        "> O 1 B 100 ABC 10.00
         < A 1 B 100 ABC 10.00 ref=1
         > O 2 B 100 ABC 10.00
         < A 2 B 100 ABC 10.00 ref=2
         > X 1 40
         < C 1 60 U",
    );
    rival.play(
        &mut x,
        "> O 1 S 10 ABC 10.00
         < A 1 S 10 ABC 10.00 ref=3
         < E 1 10 10.00 R trade=1",
    );
    client.play(
        &mut x,
        "< E 1 10 10.00 A trade=1
         > X 1 40
         > X 1 400
         > X 1 20
         < C 1 20 U
         > X 1 10
         < C 1 10 U
         > X 1 0
         > X 77 0
         > X 2 0
         < C 2 100 U",
    );
    client.expect_nothing(&mut x);
    rival.expect_nothing(&mut x);
}

#[test]
fn a_replace_takes_a_new_place_counts_executions_and_cancels_when_it_is_invalid() {
    let mut x = Exchange::new();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    let mut rival = OuchClient::enter(&mut x, "RIVAL1");
    client.expect(&mut x, "S S");
    rival.expect(&mut x, "S S");
    client.play(
        &mut x,
        "> O 1 B 100 ABC 10.00 capacity=P
         < A 1 B 100 ABC 10.00 ref=1
         > O 2 B 100 ABC 10.00
         < A 2 B 100 ABC 10.00 ref=2
         > U 1 3 90 10.00 id=new
         < U 1 3 B 90 ABC 10.00 ref=3 capacity=P id=new",
    );
    rival.play(
        &mut x,
        "> O 1 S 110 ABC 10.00
         < A 1 S 110 ABC 10.00 ref=4
         < E 1 100 10.00 R trade=1
         < E 1 10 10.00 R trade=2",
    );
    client.play(
        &mut x,
        "< E 2 100 10.00 A trade=1
         < E 3 10 10.00 A trade=2
         > U 3 4 50 9.00
         < U 3 4 B 40 ABC 9.00 ref=5 capacity=P
         > U 1 5 50 9.00
         > U 3 5 50 9.00
         > U 4 5 50 9.0050
         < C 4 40 U
         > O 5 B 10 ABC 9.00
         < A 5 B 10 ABC 9.00 ref=6
         > U 5 6 10 9.00 fok
         < U 5 6 B 10 ABC 9.00 ref=7 capacity=A ioc min=10
         < C 6 10 I",
    );
    client.expect_nothing(&mut x);
}

#[test]
fn a_modify_changes_the_kind_of_sale_or_reduces() {
    alone(
        "> O 1 S 100 ABC 10.00
         < A 1 S 100 ABC 10.00 ref=1
         > M 1 T 100
         < M 1 T 100
         > M 1 T 40
         < M 1 T 40
         > M 1 E 0
         < C 1 40 U
         > O 2 B 100 ABC 9.00
         < A 2 B 100 ABC 9.00 ref=2
         > M 2 T 100
         < I 2
         > M 2 B 60
         < M 2 B 60
         > M 99 T 10",
    );
}

#[test]
fn a_member_trades_with_itself_and_is_told_both_sides() {
    alone(
        "> O 1 B 10 ABC 10.00
         < A 1 B 10 ABC 10.00 ref=1
         > O 2 S 10 ABC 9.00
         < A 2 S 10 ABC 9.00 ref=2
         < E 1 10 10.00 A trade=1
         < E 2 10 10.00 R trade=1",
    );
}

#[test]
fn options_are_followed_and_stated() {
    let mut x = Exchange::ruled();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    let mut rival = OuchClient::enter(&mut x, "RIVAL1");
    client.play(
        &mut x,
        "< S S
         > O 1 S 100 ABC 10.00 floor=10
         < A 1 S 100 ABC 10.00 ref=1 floor=10
         > O 2 B 5 ABC 9.00 display=N
         < A 2 B 5 ABC 9.00 ref=2 display=N
         > O 3 B 5 ABC 9.00 post
         < A 3 B 5 ABC 9.00 ref=3 post
         > O 4 B 5 ABC 10.00 post
         < J 4 0x0f
         > O 5 B 5 ABC 9.00 group=7
         < A 5 B 5 ABC 9.00 ref=4 group=7
         > O 6 B 5 ABC 9.00 cross=C
         < A 6 B 5 ABC 9.00 ref=5 cross=C
         > O 7 B 5 ABC 9.00 cross=O
         < J 7 0x07
         > O 8 B 5 ABC 9.00 cross=H
         < J 8 0x0f
         > O 9 B 50 ABC 8.00 ioc min=20
         < A 9 B 50 ABC 8.00 ref=6 ioc min=20
         < C 9 50 I",
    );
    rival.play(
        &mut x,
        "< S S\n> O 1 B 12 ABC 10.00 ioc\n< A 1 B 12 ABC 10.00 ref=7 ioc\n< E 1 10 10.00 R trade=1\n< E 1 2 10.00 R trade=2",
    );
    // The second part of the reserve has a reference of its own, of which its owner is told.
    client.play(
        &mut x,
        "< E 1 10 10.00 A trade=1
         < R 1 R 10 ref=8
         < E 1 2 10.00 A trade=2
         > U 1 10 80 10.10
         < U 1 10 S 68 ABC 10.10 ref=9 capacity=A
         > O 11 S 30 ABC 11.00 floor=40
         < J 11 0x04",
    );
    client.expect_nothing(&mut x);
}

#[test]
fn a_peg_is_told_of_every_new_place_that_it_has() {
    let mut x = Exchange::ruled();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    let mut rival = OuchClient::enter(&mut x, "RIVAL1");
    rival.play(&mut x, "< S S\n> O 1 B 5 ABC 9.90\n< A 1 B 5 ABC 9.90 ref=1");
    client.play(
        &mut x,
        "< S S
         > O 1 B 5 ABC 10.00 peg=R display=N
         < A 1 B 5 ABC 10.00 ref=2 peg=R display=N",
    );
    rival.play(
        &mut x,
        "> O 2 B 5 ABC 9.95\n< A 2 B 5 ABC 9.95 ref=3\n> X 2 0\n< C 2 5 U\n> X 1 0\n< C 1 5 U",
    );
    client.play(
        &mut x,
        "< T 1 9.95 N ref=4
         < T 1 9.90 N ref=5
         < T 1 0.00 N ref=6
         > O 2 B 5 ABC 10.00 peg=R
         < J 2 0x0f
         > U 1 3 5 9.00
         < U 1 3 B 5 ABC 9.00 ref=7 capacity=A",
    );
    client.expect_nothing(&mut x);
}

#[test]
fn a_trade_that_is_undone_or_corrected_is_broken_to_both_parties() {
    let mut x = Exchange::new();
    let (mut client, mut rival) = (OuchClient::enter(&mut x, "OUCH01"), OuchClient::enter(&mut x, "RIVAL1"));
    client.play(&mut x, "< S S\n> O 1 B 9 ABC 10.00\n< A 1 B 9 ABC 10.00 ref=1");
    rival.play(
        &mut x,
        "< S S\n> O 1 S 4 ABC 10.00\n< A 1 S 4 ABC 10.00 ref=2\n< E 1 4 10.00 R trade=1
         > O 2 S 5 ABC 10.00\n< A 2 S 5 ABC 10.00 ref=3\n< E 2 5 10.00 R trade=2",
    );
    let executed = |x: &Exchange| -> Vec<_> {
        let events = x.outputs.iter().map(|output| &output.event.body);
        events
            .filter_map(|event| {
                if let Event::Executed(e) = event {
                    Some(e.deal())
                } else {
                    None
                }
            })
            .collect()
    };
    let deals = executed(&x);
    x.sequence(BustTrade {
        instrument: InstrumentId(1),
        deal: deals[0],
    });
    x.sequence(CorrectTrade {
        instrument: InstrumentId(1),
        deal: deals[1],
        price: Price(95_000),
        quantity: Quantity(5),
    });
    client.play(
        &mut x,
        "< E 1 4 10.00 A trade=1\n< E 1 5 10.00 A trade=2\n< B 1 S trade=1\n< B 1 S trade=2",
    );
    rival.play(&mut x, "< B 1 S trade=1\n< B 2 S trade=2");
    client.expect_nothing(&mut x);
    rival.expect_nothing(&mut x);
}
