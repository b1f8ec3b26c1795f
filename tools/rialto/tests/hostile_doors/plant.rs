//! What there is to be found: orders of a firm that nobody trades with, half of them known to the other, and its trading.

use crate::support::caller::Caller;
use crate::support::hostile::{Dice, Ear, Fix, Soup};
use crate::support::until;
use crate::{Firm, Heard, KNOWN, KNOWN_SIZE, Known, NOW, Place};
use rialto_ouch::messages::{
    AccountQuery, Appendage, CancelOrder, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep,
    Outbound, Price, Quantity, Side, Symbol, TimeInForce, UserRefNum,
};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) fn enter(
    user_ref: u32,
    side: Side,
    quantity: u32,
    symbol: &str,
    price: u64,
    name: &str,
) -> EnterOrder<'static> {
    EnterOrder {
        user_ref: UserRefNum(user_ref),
        side,
        quantity: Quantity(quantity),
        symbol: Symbol::new(symbol).expect("a symbol"),
        price: Price(price),
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Principal,
        inter_market_sweep: InterMarketSweep::NotEligible,
        cross_type: CrossType::Continuous,
        cl_ord_id: ClOrdId::new(name).expect("an id"),
        appendage: Appendage::EMPTY,
    }
}

pub(crate) fn bytes(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes);
    bytes
}

/// Logs in for certain: a connection before may still be on its way out.
pub(crate) fn logged_in(place: &Place<'_>, firm: Firm, session: usize, number: &str, ear: &mut Ear) -> Soup {
    until("a login", || {
        let (name, password) = (firm.session(session), firm.password());
        let mut soup = Soup::login(place.port_of(firm, "ouch"), &name, &password, "", number);
        soup.hears(ear, |kind, _| kind == b'A').then_some(soup)
    })
}

/// Waits until everything that was sent has been answered; whether the connection lives.
pub(crate) fn settled(soup: &mut Soup, ear: &mut Ear, mut each: impl FnMut(&[u8])) -> bool {
    soup.send(b'U', &bytes(|out| AccountQuery {}.encode(out)));
    soup.hears(ear, |kind, payload| {
        let told = matches!(kind, b'S' | b'U');
        if told {
            each(payload);
        }
        told && payload.first() == Some(&b'Q')
    })
}

pub(crate) fn logged_on(place: &Place<'_>, firm: Firm, what: &str, ear: &mut Ear) -> Fix {
    until("a logon", || {
        let mut fix = Fix::logon(place.port_of(firm, "fix"), &firm.fix(what), &firm.password(), "");
        fix.hears(ear, |fields| fields.get(35) == "A").then_some(fix)
    })
}

/// Orders of the firm that nobody trades with, half of them known to the other, by both doors.
pub(crate) fn plant(place: &Place<'_>, firm: Firm, round: u32) -> Known {
    let mut ear = Ear::new("the owner", &[]);
    let mut known = Known::default();
    let mut soup = logged_in(place, firm, 1, NOW, &mut ear);
    let first = 1_000 * (round + 1) + 100 * firm.number;
    for order in 0..2 * KNOWN {
        let kind = if order < KNOWN { 'k' } else { 'h' };
        let (user_ref, name) = (first + order, format!("{}{kind}o{:06}", firm.stem, first + order));
        let order = enter(
            user_ref,
            Side::Buy,
            KNOWN_SIZE + order,
            "KEPT",
            10_000 + 100 * u64::from(order),
            &name,
        );
        soup.send(b'U', &bytes(|out| order.encode(out)));
        if kind == 'k' {
            known.refs.push(user_ref);
            known.names.push(name);
        }
    }
    let mut accepted = 0;
    let lives = settled(&mut soup, &mut ear, |payload| {
        if let Ok(Outbound::OrderAccepted(told)) = Outbound::decode(payload) {
            accepted += 1;
            known.orders.push(told.order_reference.0.to_string());
        }
    });
    assert!(lives && accepted == 2 * KNOWN, "{accepted} orders");
    soup.send(b'O', b"");
    let mut fix = logged_on(place, firm, "KEEP", &mut ear);
    for order in 0..2 * KNOWN {
        let kind = if order < KNOWN { 'k' } else { 'h' };
        let (stem, size) = (firm.stem, KNOWN_SIZE + 2 * KNOWN + order);
        let name = format!("{stem}{kind}f{:06}", first + order);
        let body = format!("11={name}|55=KEPT|54=1|38={size}|40=2|44=1.{order:02}|59=0|58={stem}t{order}|");
        fix.send_as(&firm.fix("KEEP"), "RIALTO", &format!("50={stem}s{order}|"), "D", &body);
        assert!(fix.hears(&mut ear, |fields| {
            let accepted = fields.get(39) == "0" && fields.get(11) == name;
            if accepted && kind == 'k' {
                known.orders.push(fields.get(37).to_owned());
            }
            accepted
        }));
        if kind == 'k' {
            known.names.push(name);
        }
    }
    fix.send("5", "");
    fix.hears(&mut ear, |fields| fields.get(35) == "5");
    known
}

/// Trades at prices that the other trades at too, under hidden ids, until it is stopped.
pub(crate) fn trade(place: &Place<'_>, firm: Firm, round: u32, stop: &AtomicBool) -> Heard {
    let (mut dice, mut ear) = (Dice(9), Ear::new("the other firm", &[]));
    let mut soup = logged_in(place, firm, 2, NOW, &mut ear);
    let mut user_ref = 200_000 * (round + 1);
    let mut calls = 0;
    while !stop.load(Ordering::Relaxed) {
        user_ref += 1;
        calls += 1;
        let name = format!("{}h{user_ref:09}", firm.stem);
        let order = enter(
            user_ref,
            *dice.of(&[Side::Buy, Side::Sell]),
            100,
            "ACME",
            price(&mut dice),
            &name,
        );
        soup.send(b'U', &bytes(|out| order.encode(out)));
        let old = CancelOrder {
            user_ref: UserRefNum(user_ref - 20),
            quantity: Quantity(0),
        };
        soup.send(b'U', &bytes(|out| old.encode(out)));
        assert!(settled(&mut soup, &mut ear, |_| {}), "the other firm is put out");
        std::thread::sleep(Duration::from_millis(5));
    }
    Heard {
        door: "trading",
        calls,
        ear,
    }
}

pub(crate) fn price(dice: &mut Dice) -> u64 {
    990_000 + 100 * dice.below(200) as u64
}

/// The known orders of the firm as they stand, by their sizes.
pub(crate) fn standing(place: &Place<'_>, firm: Firm) -> u64 {
    let caller = Caller::known(place.up, format!("{0}key:{0}s-key", firm.stem));
    let (mut after, mut count) = (0, 0);
    loop {
        let said = caller.call("GET", &format!("orders?limit=1000&after={after}"), None, &Value::Null);
        assert_eq!(said.status, 200, "{}", said.text);
        let rows = said.body["rows"].as_array().expect("rows");
        let stands = |row: &&Value| row["state"] == "open" && row["leaves"].as_u64() >= Some(KNOWN_SIZE.into());
        count += rows.iter().filter(stands).count() as u64;
        let Some(next) = said.body["next"].as_u64() else {
            return count;
        };
        after = next;
    }
}
