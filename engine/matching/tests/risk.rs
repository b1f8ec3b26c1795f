//! Pre-trade risk and fee tiers as event tables: commands on the left, the events expected on the right. How to read one is
//! said in `support/script.rs`. `limit FIRM ACCOUNT` sets limits, account zero for the whole firm.

mod support;

use rialto_matching::{Engine, Limits, Matching};
use rialto_model::command::SetRiskLimits;
use rialto_model::{AccountId, Command, FirmId, Notional, Quantity, RiskLimits};
use support::flow::Flow;
use support::script::play;

#[test]
fn quantity_and_notional_of_one_order() {
    play(&[
        ("limit 1 0 quantity 50 notional 3000", &["firm 1 limited"]),
        ("A buy 60 @50 #1", &["A1 rejected RiskOrderQuantity"]),
        ("A buy 50 @65 #2", &["A2 rejected RiskOrderNotional"]),
        ("A buy 50 @60 #3", &["A3 accepted buy 50 @60 p1 rests"]),
        ("B sell 60 @65 #1", &["B1 rejected RiskOrderQuantity"]),
        ("C sell 60 @65 #1", &["C1 accepted sell 60 @65 p2 rests"]),
        // A replace is judged as what it would leave.
        (
            "A replace #3 by #4 to 60 @45",
            &["A replace by #4 of #3 rejected RiskOrderQuantity"],
        ),
        // Risk comes before the rules of the market, and a resend has no second answer.
        ("A buy 60 @51 #5", &["A5 rejected RiskOrderQuantity"]),
        ("A buy 10 @51 #6", &["A6 rejected PriceOffTick"]),
        ("A buy 60 @50 #6", &["A ignored Resent"]),
        ("limit 1 0", &["firm 1 limited"]),
        ("A buy 60 @50 #7", &["A7 accepted buy 60 @50 p3 rests"]),
    ]);
}

#[test]
fn limits_of_an_account_leave_the_others_alone() {
    play(&[
        ("limit 1 1 quantity 50", &["firm 1 account 1 limited"]),
        ("limit 1 3 quantity 50", &["schema 40 rejected BadDefinition"]),
        ("limit 9 0 quantity 50", &["schema 40 rejected BadDefinition"]),
        ("A buy 60 @50 #1", &["A1 rejected RiskOrderQuantity"]),
        ("B buy 60 @50 #1", &["B1 accepted buy 60 @50 p1 rests"]),
        ("B buy 60 @50 #2 account 1", &["B2 rejected RiskOrderQuantity"]),
    ]);
}

#[test]
fn the_collar_lies_around_the_last_trade() {
    play(&[
        ("limit 1 0 collar 1000", &["firm 1 limited"]),
        // Nothing to lie around yet.
        ("A buy 10 @900 #1", &["A1 accepted buy 10 @900 p1 rests"]),
        ("A cancel #1", &["A1 cancelled 10 Requested off p1"]),
        ("C buy 10 @100 #1", &["C1 accepted buy 10 @100 p2 rests"]),
        (
            "A sell 10 @100 #2",
            &[
                "A2 accepted sell 10 @100 p3",
                "trade 1 10 @100 C1 p2 leaves 0, A2 leaves 0",
            ],
        ),
        ("A buy 10 @115 #3", &["A3 rejected RiskCollar"]),
        ("A buy 10 @110 #4", &["A4 accepted buy 10 @110 p4 rests"]),
        ("A sell 10 @85 #5", &["A5 rejected RiskCollar"]),
        ("A sell 10 @900 #6", &["A6 accepted sell 10 @900 p5 rests"]),
        // A market order is judged by the worst price that it would reach.
        ("C sell 10 @115 #2", &["C2 accepted sell 10 @115 p6 rests"]),
        ("B buy 10 #1 market", &["B1 rejected RiskCollar"]),
        (
            "C sell 10 @110 #3 market",
            &[
                "C3 accepted sell 10 market p7",
                "trade 2 10 @110 A4 p4 leaves 0, C3 leaves 0",
            ],
        ),
        (
            "B buy 20 #2 market",
            &[
                "B2 accepted buy 20 market p8",
                "trade 3 10 @115 C2 p6 leaves 0, B2 leaves 10",
                "trade 4 10 @900 A6 p5 leaves 0, B2 leaves 0",
            ],
        ),
    ]);
}

#[test]
fn open_orders_and_the_worst_case_of_the_position() {
    play(&[
        ("limit 1 0 open 3 position 100", &["firm 1 limited"]),
        ("A buy 60 @50 #1", &["A1 accepted buy 60 @50 p1 rests"]),
        ("B buy 50 @50 #1", &["B1 rejected RiskPosition"]),
        ("B buy 40 @50 #2", &["B2 accepted buy 40 @50 p2 rests"]),
        // What has traded counts as what stands.
        (
            "C sell 60 @50 #1",
            &[
                "C1 accepted sell 60 @50 p3",
                "trade 1 60 @50 A1 p1 leaves 0, C1 leaves 0",
            ],
        ),
        ("A buy 10 @45 #2", &["A2 rejected RiskPosition"]),
        // From 60 held, 160 may be sold.
        ("A sell 160 @60 #3", &["A3 accepted sell 160 @60 p4 rests"]),
        ("A sell 10 @60 #4", &["A4 rejected RiskPosition"]),
        ("A reduce #3 to 150", &["A3 reduced by 10 to 150"]),
        ("A sell 10 @60 #5", &["A5 accepted sell 10 @60 p5 rests"]),
        ("A buy 10 @45 #6", &["A6 rejected RiskOpenOrders"]),
        // What makes nothing worse passes, whatever stands.
        ("limit 1 0 open 1 position 10", &["firm 1 limited"]),
        (
            "B replace #2 by #3 to 30 @50",
            &["B2 replaced #2 -> #3 40 -> 30 @50 p2 -> p6 rests"],
        ),
    ]);
}

#[test]
fn nothing_is_sold_that_is_not_held() {
    play(&[
        ("limit 1 1 long-only 1", &["firm 1 account 1 limited"]),
        ("A sell 10 @50 #1", &["A1 rejected RiskPosition"]),
        ("A buy 30 @50 #2", &["A2 accepted buy 30 @50 p1 rests"]),
        (
            "C sell 20 @50 #1",
            &[
                "C1 accepted sell 20 @50 p2",
                "trade 1 20 @50 A2 p1 leaves 10, C1 leaves 0",
            ],
        ),
        ("A sell 30 @60 #3", &["A3 rejected RiskPosition"]),
        ("A sell 20 @60 #4", &["A4 accepted sell 20 @60 p3 rests"]),
    ]);
}

#[test]
fn credit_is_reserved_used_and_released() {
    play(&[
        ("limit 1 0 credit 5000", &["firm 1 limited"]),
        ("A buy 60 @50 #1", &["A1 accepted buy 60 @50 p1 rests"]),
        ("B buy 50 @50 #1", &["B1 rejected RiskCredit"]),
        ("B buy 40 @50 #2", &["B2 accepted buy 40 @50 p2 rests"]),
        // A cancel releases.
        ("B cancel #2", &["B2 cancelled 40 Requested off p2"]),
        (
            "B buy 20 @100 #3 ioc",
            &["B3 accepted buy 20 @100 p3 ioc", "B3 cancelled 20 Unfilled"],
        ),
        // So does a purchase below its limit.
        (
            "C sell 10 @40 #1",
            &[
                "C1 accepted sell 10 @40 p4",
                "trade 1 10 @50 A1 p1 leaves 50, C1 leaves 0",
            ],
        ),
        ("C sell 10 @80 #2", &["C2 accepted sell 10 @80 p5 rests"]),
        (
            "B buy 20 @100 #4",
            &[
                "B4 accepted buy 20 @100 p6",
                "trade 2 10 @80 C2 p5 leaves 0, B4 leaves 10",
                "B4 booked 10 @100 p6",
            ],
        ),
        // 1,300 paid, 3,500 reserved.
        ("A buy 10 @25 #2", &["A2 rejected RiskCredit"]),
        ("A buy 10 @20 #3", &["A3 accepted buy 10 @20 p7 rests"]),
        // A market order that nothing stands against has no worth, one that something does is worth the worst.
        ("A buy 10 #4 market", &["A4 rejected RiskUnpriced"]),
        ("C sell 10 @150 #3", &["C3 accepted sell 10 @150 p8 rests"]),
        ("A buy 10 #5 market", &["A5 rejected RiskCredit"]),
        // What is sold is credited.
        ("A cancel #1", &["A1 cancelled 50 Requested off p1"]),
        (
            "A sell 10 @100 #6",
            &[
                "A6 accepted sell 10 @100 p9",
                "trade 3 10 @100 B4 p6 leaves 0, A6 leaves 0",
            ],
        ),
        ("A buy 30 @95 #7", &["A7 accepted buy 30 @95 p10 rests"]),
        (
            "end",
            &[
                "A7 cancelled 30 DayEnded off p10",
                "A3 cancelled 10 DayEnded off p7",
                "C3 cancelled 10 DayEnded off p8",
                "day 1 ends",
            ],
        ),
        // A day begins with the whole credit.
        ("day 2", &["day 2 starts", "listed XYZ trading"]),
        ("A buy 50 @100 #1", &["A1 accepted buy 50 @100 p11 rests"]),
        ("A buy 10 @5 #2", &["A2 rejected RiskCredit"]),
    ]);
}

#[test]
fn an_order_like_one_just_before_is_refused() {
    play(&[
        ("limit 1 0 window 50", &["firm 1 limited"]),
        ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        ("A buy 10 @50 #2", &["A2 rejected RiskDuplicate"]),
        ("B buy 10 @50 #1", &["B1 rejected RiskDuplicate"]),
        ("A buy 20 @50 #3", &["A3 accepted buy 20 @50 p2 rests"]),
        ("A sell 10 @55 #4", &["A4 accepted sell 10 @55 p3 rests"]),
        ("+60 A buy 10 @50 #5", &["A5 accepted buy 10 @50 p4 rests"]),
        ("+20 A buy 10 @50 #6", &["A6 rejected RiskDuplicate"]),
    ]);
}

#[test]
fn a_refused_replace_cancels_where_its_door_says_so() {
    play(&[
        ("limit 1 0 position 100", &["firm 1 limited"]),
        ("A buy 60 @50 #1", &["A1 accepted buy 60 @50 p1 rests"]),
        (
            "A replace #1 by #2 to 110 @50 cancels",
            &["A1 cancelled 60 InvalidReplace off p1"],
        ),
    ]);
}

#[test]
fn a_tier_is_a_part_of_the_fees() {
    play(&[
        ("rulebook 1", &["rulebook 1 of 1"]),
        ("fees 2 maker -3 taker 5", &["fees 2 of 1"]),
        ("tier 1 50 20", &["firm 1 pays 50 and 20 per cent"]),
        ("tier 2 501 0", &["schema 41 rejected BadDefinition"]),
        ("A buy 10 @50 #1", &["A1 accepted buy 10 @50 p1 rests"]),
        (
            "C sell 10 @50 #1",
            &[
                "C1 accepted sell 10 @50 p2",
                "trade 1 10 @50 A1 p1 leaves 0, C1 leaves 0 for -15 and 50",
            ],
        ),
        ("tier 1 100 100", &["firm 1 pays 100 and 100 per cent"]),
    ]);
}

#[test]
fn directory_users_and_services() {
    play(&[
        ("act ops because", &["ops acts by 8: because"]),
        ("shard 1 1 0 3", &["directory 1: firm 1 in shard 3"]),
        ("shard 2 1 2 4", &["directory 2: firm 1 account 2 in shard 4"]),
        // Somebody who has not read the last version.
        ("shard 2 2 0 5", &["schema 43 rejected OldDirectory"]),
        ("shard 3 2 1 5", &["schema 43 rejected BadDefinition"]),
        ("shard 3 1 0 1024", &["schema 43 rejected BadDefinition"]),
        ("user 1 1 2 Trader", &["user 1 is Trader of firm 1 account 2"]),
        ("user 1 1 0 Barred", &["user 1 is Barred of firm 1"]),
        ("user 1 2 0 Trader", &["schema 44 rejected BadDefinition"]),
        ("user 2 0 0 Operator", &["user 2 is Operator of firm 0"]),
        ("user 3 1 3 Trader", &["schema 44 rejected BadDefinition"]),
        ("service 1 Bridge", &["firm 1 served by Bridge"]),
        ("service 9 Bridge", &["schema 45 rejected BadDefinition"]),
        ("service 1 Pool", &["firm 1 served by Pool"]),
    ]);
}

#[test]
fn budgets_are_kept_where_they_can_be_kept_to() {
    play(&[
        (
            "budgets 1 100 200 50 4",
            &["firm 1 may send 100 orders, 200 cancels, 50 questions, weight 4"],
        ),
        (
            "budgets 1 100 0 0 16",
            &["firm 1 may send 100 orders, 0 cancels, 0 questions, weight 16"],
        ),
        ("budgets 9 100 200 50 1", &["schema 48 rejected BadDefinition"]),
        // Fewer cancels than orders, or no orders where there are cancels.
        ("budgets 1 100 99 0 1", &["schema 48 rejected BudgetsUnsound"]),
        ("budgets 1 0 99 0 1", &["schema 48 rejected BudgetsUnsound"]),
        ("budgets 1 1000001 0 0 1", &["schema 48 rejected BudgetsUnsound"]),
        ("budgets 1 100 200 0 17", &["schema 48 rejected BudgetsUnsound"]),
        (
            "budgets 1 0 0 0 0",
            &["firm 1 may send 0 orders, 0 cancels, 0 questions, weight 0"],
        ),
    ]);
}

/// With limits from the first order on, and without trades undone, nothing ever goes beyond them.
#[test]
fn limits_hold_whatever_comes() {
    const SEED: u64 = 44;
    let mut flow = Flow::ruled(SEED);
    let mut engine = Engine::new(Limits::default());
    let limits = RiskLimits {
        open_orders: 40,
        position: Quantity(20_000),
        credit: Notional(50_000_000_000),
        ..RiskLimits::default()
    };
    let (mut full, mut paid_most) = (0, 0);
    for step in 0..60_000 {
        let mut command = flow.next();
        if (100..103).contains(&step) {
            let firm = FirmId(step - 99);
            let account = AccountId(0);
            command.body = SetRiskLimits { firm, account, limits }.into();
        } else if step < 100 && !command.body.is_administrative()
            || step == 99
            || matches!(command.body, Command::BustTrade(_) | Command::CorrectTrade(_))
        {
            continue;
        }
        for event in support::apply(&mut engine, &command) {
            flow.learn(&event);
        }
        if step % 16 != 0 {
            continue;
        }
        let state = engine.export();
        for gauge in &state.members.gauges {
            let held = gauge.positions.iter().map(|(_, position)| position.unsigned_abs());
            let most = held.max().unwrap_or(0);
            assert!(most <= limits.position.0, "seed {SEED}, step {step}: {gauge:?}");
            assert!(
                gauge.paid <= i128::from(limits.credit.0),
                "seed {SEED}, step {step}: {gauge:?}"
            );
            let firm = |session| state.sessions.iter().find(|one| one.definition.session == session);
            let orders = state.instruments.iter().flat_map(|listed| listed.orders());
            let own = orders
                .filter(|(_, order)| firm(order.session).is_some_and(|session| session.definition.firm == gauge.firm));
            let open = own.count();
            assert!(open <= limits.open_orders as usize, "seed {SEED}, step {step}: {open}");
            full += u64::from(open == limits.open_orders as usize || most == limits.position.0);
            paid_most = paid_most.max(gauge.paid);
        }
    }
    eprintln!("at a limit {full} times, paid up to {paid_most}");
    assert!(full > 0, "no limit was ever reached");
}
