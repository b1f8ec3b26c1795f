//! Budgets of firms: by all of their sessions at all doors together, said and changed by the stream.

mod support;

use rialto_gateway::SessionSettings;
use rialto_model::command::{Refuse, SetBudgets};
use rialto_model::event::Cancelled;
use rialto_model::{Budgets, CancelReason, Command, Door, Event, FirmId, LossCause, RejectReason};

use support::fix_client::{FixClient, config};
use support::ouch_client::OuchClient;
use support::{Exchange, Setup};

/// Ten orders, twenty cancels and five questions, a second and at once.
const TEN: Budgets = Budgets {
    orders_per_second: 10,
    orders_burst: 10,
    cancels_per_second: 20,
    cancels_burst: 20,
    questions_per_second: 5,
    questions_burst: 5,
    weight: 0,
};

fn budget(x: &mut Exchange, budgets: Budgets) {
    let firm = FirmId(1);
    x.sequence(SetBudgets { firm, budgets });
    x.step();
}

fn refused(x: &Exchange, reason: RejectReason) -> Vec<Refuse> {
    let refusals = x.commands.iter().filter_map(|command| match command {
        Command::Refuse(refuse) if refuse.reason == reason => Some(*refuse),
        _ => None,
    });
    refusals.collect()
}

fn enter(x: &Exchange, client: &mut OuchClient, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        client.send(x, &format!("O {number} B 5 ABC 10.00"));
    }
}

/// Waits for as many messages besides the start of the day, and says how many of them begin so.
#[track_caller]
fn told(x: &mut Exchange, client: &mut OuchClient, count: usize, kind: char) -> usize {
    x.until("the answers", |x| {
        client.poll(x);
        client.messages.len() > count
    });
    let texts = client.messages.iter().map(|(_, text)| text);
    texts.filter(|text| text.starts_with(kind)).count()
}

#[test]
fn more_sessions_buy_nothing_and_another_firm_pays_nothing() {
    let mut x = Exchange::new();
    budget(&mut x, TEN);
    let mut one = OuchClient::enter(&mut x, "OUCH01");
    let mut two = OuchClient::enter(&mut x, "OUCH02");
    let mut fix = FixClient::enter(&mut x, config("FIXONE"));
    let mut rival = OuchClient::enter(&mut x, "RIVAL1");
    enter(&x, &mut one, 1..=6);
    assert_eq!(told(&mut x, &mut one, 6, 'A'), 6);
    enter(&x, &mut two, 1..=6);
    assert_eq!(
        told(&mut x, &mut two, 6, 'A'),
        4,
        "six of ten are used: {:?}",
        two.messages
    );
    fix.send(&x, "D 11=1 55=ABC 54=1 38=1 40=2 44=9.00");
    let answer = fix.expect_any(&mut x);
    let text =
        "58=messages 2 to 2 were over the budget of this firm, all its sessions together, and not taken: send slower";
    assert!(answer.contains(&text.to_owned()), "{answer:?}");
    enter(&x, &mut rival, 1..=30);
    assert_eq!(told(&mut x, &mut rival, 30, 'A'), 30);
    let records = refused(&x, RejectReason::FirmOverRate);
    assert_eq!(records.iter().map(|one| one.quantity.0).sum::<u64>(), 2, "{records:?}");
    assert!(refused(&x, RejectReason::OverRate).is_empty());
    // A second later there are ten more, for whoever comes first.
    x.pass_seconds(1);
    enter(&x, &mut two, 7..=18);
    assert_eq!(told(&mut x, &mut two, 18, 'A'), 4 + 10);
    // What the stream says next holds at once.
    let more = Budgets {
        orders_per_second: 1_000,
        orders_burst: 1_000,
        cancels_per_second: 0,
        cancels_burst: 0,
        ..TEN
    };
    budget(&mut x, more);
    enter(&x, &mut two, 19..=58);
    assert_eq!(told(&mut x, &mut two, 58, 'A'), 14 + 40);
}

#[test]
fn a_run_over_the_budget_is_one_record_told_again_after_a_crash_and_the_budget_stands() {
    let mut x = Exchange::new();
    budget(&mut x, TEN);
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    enter(&x, &mut client, 1..=40);
    assert_eq!(told(&mut x, &mut client, 40, 'J'), 30, "{:?}", client.messages);
    let records = refused(&x, RejectReason::FirmOverRate);
    assert!(records.len() <= 2, "a run is one record: {records:?}");
    let first = client.messages.clone();
    let mut crashed = x.crashed(Setup::default());
    let mut again = OuchClient::enter(&mut crashed, "OUCH01");
    enter(&crashed, &mut again, 41..=60);
    assert_eq!(told(&mut crashed, &mut again, 60, 'A'), 10 + 10);
    assert_eq!(again.messages[..41], first[..]);
}

#[test]
fn cancels_have_a_larger_budget_of_their_own_and_questions_one_as_well() {
    let mut x = Exchange::new();
    budget(
        &mut x,
        Budgets {
            orders_per_second: 0,
            orders_burst: 0,
            cancels_per_second: 0,
            cancels_burst: 0,
            ..TEN
        },
    );
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    let mut fix = FixClient::enter(&mut x, config("FIXONE"));
    enter(&x, &mut client, 1..=60);
    assert_eq!(told(&mut x, &mut client, 60, 'A'), 60);
    budget(&mut x, TEN);
    for number in 1..=60 {
        client.send(&x, &format!("X {number} 0"));
    }
    // Twenty at once and the one that stops the reading; none is refused.
    assert_eq!(told(&mut x, &mut client, 60 + 21, 'C'), 21);
    x.step();
    client.poll(&x);
    assert_eq!(client.messages.len(), 1 + 60 + 21, "the others are not read yet");
    // Meanwhile orders have not been touched.
    fix.play(&mut x, "> D 11=1 55=ABC 54=1 38=1 40=2 44=9.00\n< 8 150=0 11=1");
    x.until("every cancel", |x| {
        x.clock.advance_ns(10_000_000);
        client.poll(x);
        client.messages.len() == 1 + 120
    });
    // Six questions, of which five are answered; an order passes all the same.
    for number in 0..6 {
        fix.send(&x, &format!("H 11=1 37=NONE 790=Q{number} 55=ABC 54=1"));
    }
    for _ in 0..5 {
        let answer = fix.expect_any(&mut x);
        assert!(answer.contains(&"35=8".to_owned()), "{answer:?}");
    }
    let answer = fix.expect_any(&mut x);
    assert!(answer.contains(&"35=j".to_owned()), "{answer:?}");
    fix.play(&mut x, "> D 11=2 55=ABC 54=1 38=1 40=2 44=9.00\n< 8 150=0 11=2");
}

#[test]
fn who_goes_on_is_read_less_then_lost_and_its_orders_with_it() {
    let mut setup = Setup::default();
    setup.door.default_settings = SessionSettings {
        cancel_on_disconnect: true,
        ..SessionSettings::default()
    };
    let mut x = Exchange::with(setup);
    budget(&mut x, TEN);
    let mut rival = OuchClient::enter(&mut x, "RIVAL1");
    let mut polite = FixClient::enter(&mut x, config("FIXONE"));
    polite.play(&mut x, "> D 11=1 55=ABC 54=1 38=1 40=2 44=9.00\n< 8 150=0 11=1");
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    let mut number = 0;
    x.until("it to be put out", |x| {
        for _ in 0..100 {
            number += 1;
            client.send(x, &format!("O {number} B 5 ABC 10.00"));
        }
        x.clock.advance_ns(50_000_000);
        client.poll(x);
        client.hung_up
    });
    x.until("its loss", |x| {
        let lost =
            |command: &Command| matches!(command, Command::SessionLost(e) if e.cause == LossCause::ProtocolError);
        x.commands.iter().any(lost)
    });
    let left = |x: &Exchange| {
        let stands = |event: &Event| match event {
            Event::Accepted(e) if e.session == support::OUCH_ONE => 1,
            Event::Cancelled(Cancelled { session, reason, .. }) if *session == support::OUCH_ONE => {
                assert_eq!(*reason, CancelReason::SessionLost);
                -1
            }
            _ => 0,
        };
        x.outputs.iter().map(|output| stands(&output.event.body)).sum::<i32>()
    };
    x.until("its orders to be off", |x| left(x) == 0);
    // The firm's other session is still in, and so is the other firm.
    x.pass_seconds(2);
    polite.play(&mut x, "> D 11=2 55=ABC 54=1 38=1 40=2 44=9.00\n< 8 150=0 11=2");
    enter(&x, &mut rival, 1..=30);
    assert_eq!(told(&mut x, &mut rival, 30, 'A'), 30);
    assert_eq!(x.counts(Door::Ouch).sessions_up, 1);
}

#[test]
fn what_a_firm_has_waiting_delays_another_by_one_turn() {
    const QUANTUM: usize = rialto_gateway::limits::QUANTUM as usize;
    let mut x = Exchange::new();
    let mut noisy = [OuchClient::enter(&mut x, "OUCH01"), OuchClient::enter(&mut x, "OUCH02")];
    let mut quiet = OuchClient::enter(&mut x, "RIVAL1");
    for round in 0..5 {
        let before = x.commands.len();
        for client in &mut noisy {
            enter(&x, client, round * 200 + 1..=round * 200 + 200);
        }
        enter(&x, &mut quiet, round + 1..=round + 1);
        // Every byte is there before the door looks.
        assert_eq!(told(&mut x, &mut quiet, round as usize + 1, 'A'), round as usize + 1);
        let since = &x.commands[before..];
        let mine = |command: &Command| matches!(command, Command::Enter(e) if e.session == support::OUCH_RIVAL);
        let ahead = since.iter().position(mine).expect("it was sequenced");
        assert!(ahead <= QUANTUM, "round {round}: {ahead} commands went before");
        for client in &mut noisy {
            let count = round as usize * 200 + 200;
            assert_eq!(told(&mut x, client, count, 'A'), count);
        }
    }
}
