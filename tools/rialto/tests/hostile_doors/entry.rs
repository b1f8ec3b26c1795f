//! Order entry in the other's name, with the other's numbers and names, by both protocols.

use crate::plant::{bytes, enter, logged_in, logged_on, price, settled};
use crate::support::hostile::{Dice, Ear, Fields, Fix, Soup};
use crate::{AT_ONCE, Firm, Heard, KNOWN, KNOWN_SIZE, Known, NOW, Place, seed};
use rialto_ouch::messages::{
    AccountQuery, Appendage, CancelOrder, Display, EnterOrder, InterMarketSweep, ModifyOrder, Outbound, Price,
    Quantity, ReplaceOrder, Side, TimeInForce, UserRefNum,
};
use std::sync::atomic::{AtomicBool, Ordering};

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// The exchange's.
    Real,
    /// One with a defect: it lets in whoever states a name.
    Trusting,
}

/// A password for a name of the other's: its own, or a guess, or the right one where the door does not ask.
pub(crate) fn guess(dice: &mut Dice, own: Firm, other: Firm, door: Door) -> String {
    match door {
        Door::Trusting => other.password(),
        Door::Real => (*dice.of(&[own.password().as_str(), "rialto", "", "0000000000"])).to_owned(),
    }
}

/// A port to come by in the other's name: any, or the other's own where it is to be believed.
fn knock<'a>(dice: &mut Dice, place: &'a Place<'_>, other: Firm, at: &str, door: Door) -> &'a str {
    match door {
        Door::Trusting => place.port_of(other, at),
        Door::Real => {
            let ports = place.ports(at);
            ports[dice.below(ports.len())]
        }
    }
}

/// Whether a message tells of a known order, by its size.
pub(crate) fn tells_of_known(payload: &[u8]) -> bool {
    payload.windows(4).any(|four| {
        let number = u32::from_be_bytes(four.try_into().expect("four bytes"));
        (KNOWN_SIZE..KNOWN_SIZE + 4 * KNOWN).contains(&number)
    })
}

pub(crate) fn ouch_call(dice: &mut Dice, user_ref: &mut u32, own: Firm, other: Firm, known: &Known) -> Vec<u8> {
    let theirs = UserRefNum(*dice.of(&known.refs));
    let some = Quantity(dice.below(300) as u32);
    *user_ref += 1;
    let name = match dice.below(4) {
        0 => dice.of(&known.names).clone(),
        _ => format!("{}h{user_ref:09}", own.stem),
    };
    let side = *dice.of(&[Side::Buy, Side::Sell, Side::SellShort]);
    let symbol = *dice.of(&["ACME", "ACME", "ACME", "ZZZZ", other.stem]);
    let order = EnterOrder {
        time_in_force: *dice.of(&[TimeInForce::Day, TimeInForce::ImmediateOrCancel]),
        ..enter(*user_ref, side, 1 + some.0, symbol, price(dice), &name)
    };
    match dice.below(12) {
        0..=3 => bytes(|out| order.encode(out)),
        // In the other's name, which the feed would be asked to say.
        4 => {
            let firm = [&[5, 2], other.mpid().as_bytes()].concat();
            let named = EnterOrder {
                display: *dice.of(&[Display::Visible, Display::Attributable]),
                appendage: Appendage::new(&firm).expect("an option"),
                ..order
            };
            bytes(|out| named.encode(out))
        }
        5 => bytes(|out| {
            CancelOrder {
                user_ref: theirs,
                quantity: some,
            }
            .encode(out)
        }),
        6 => {
            let replace = ReplaceOrder {
                orig_user_ref: theirs,
                user_ref: UserRefNum(*user_ref),
                quantity: some,
                price: Price(10_000),
                time_in_force: TimeInForce::Day,
                display: Display::Visible,
                inter_market_sweep: InterMarketSweep::NotEligible,
                cl_ord_id: order.cl_ord_id,
                appendage: Appendage::EMPTY,
            };
            bytes(|out| replace.encode(out))
        }
        7 => bytes(|out| {
            let (user_ref, side, quantity) = (theirs, Side::SellShort, some);
            ModifyOrder {
                user_ref,
                side,
                quantity,
            }
            .encode(out);
        }),
        8 => {
            let order_id: u64 = dice.of(&known.orders).parse().expect("a number");
            let user_ref = UserRefNum(order_id as u32);
            bytes(|out| {
                CancelOrder {
                    user_ref,
                    quantity: Quantity(0),
                }
                .encode(out)
            })
        }
        9 | 10 => {
            let user_ref = UserRefNum(user_ref.saturating_sub(dice.below(30) as u32));
            bytes(|out| {
                CancelOrder {
                    user_ref,
                    quantity: Quantity(0),
                }
                .encode(out)
            })
        }
        _ => bytes(|out| AccountQuery {}.encode(out)),
    }
}

/// Calls of a firm at the OUCH door.
pub(crate) fn ouch(place: &Place<'_>, own: Firm, other: Firm, known: &Known, calls: usize, door: Door) -> Heard {
    let (mut dice, mut ear) = (Dice(seed()), Ear::new(own.stem, &other.secrets()));
    let mut soup = logged_in(place, own, 3, NOW, &mut ear);
    // Beyond what this session has used: each round of it has room for as many.
    let mut user_ref = 0;
    settled(&mut soup, &mut ear, |payload| {
        if let Ok(Outbound::AccountQueryResponse(told)) = Outbound::decode(payload) {
            user_ref = told.next_user_ref.0.max(50_000);
        }
    });
    let mut told_of = None;
    for call in 0..calls {
        let act = dice.below(60);
        match act {
            // A connection of its own, in the other's name or for the other's numbers.
            0 | 1 => {
                let address = knock(&mut dice, place, other, "ouch", door);
                let name = match dice.below(4) {
                    0 => other.fix("KEEP")[..6].to_owned(),
                    number => other.session(number),
                };
                let number = *dice.of(&["0", "1", "17", NOW]);
                let session = *dice.of(&["", "0120260622", "0120260621", "0220260622"]);
                let session = if door == Door::Trusting { "" } else { session };
                let mut stranger = Soup::login(address, &name, &guess(&mut dice, own, other, door), session, number);
                let let_in = stranger.hears(&mut ear, |kind, _| matches!(kind, b'A' | b'J'));
                if let_in && door == Door::Trusting {
                    settled(&mut stranger, &mut ear, |_| {});
                }
                stranger.send(b'O', b"");
            }
            // Its own name, for a session or numbers that are not its own.
            2 => {
                let session = *dice.of(&["", "0120260622", "0120260621", "9920260622"]);
                let number = *dice.of(&["0", "1", "500", NOW]);
                let (name, password) = (own.session(4), own.password());
                let address = *dice.of(&place.ports("ouch"));
                let mut stranger = Soup::login(address, &name, &password, session, number);
                let mut let_in = false;
                if stranger.hears(&mut ear, |kind, _| {
                    let_in |= kind == b'A';
                    matches!(kind, b'A' | b'J')
                }) {
                    stranger.hear(&mut ear, |_, _| {});
                }
                assert!(
                    !let_in || address == place.port_of(own, "ouch"),
                    "let in by a port that is not its firm's"
                );
                stranger.send(b'O', b"");
            }
            3 => soup.send(*dice.of(b"US+LO"), &dice.bytes(60)),
            _ => soup.send(b'U', &ouch_call(&mut dice, &mut user_ref, own, other, known)),
        }
        if call % AT_ONCE == 0 || act == 3 {
            let lives = settled(&mut soup, &mut ear, |payload| {
                if told_of.is_none() && tells_of_known(payload) {
                    told_of = Some(payload.escape_ascii().to_string());
                }
            });
            if !lives {
                soup = logged_in(place, own, 3, NOW, &mut ear);
            }
        }
        if ear.found.is_some() {
            break;
        }
    }
    ear.found = ear.found.or(told_of);
    Heard {
        door: "OUCH",
        calls,
        ear,
    }
}

/// A message of FIX: its header's fields, its type and its body.
pub(crate) fn fix_call(
    dice: &mut Dice,
    number: usize,
    own: Firm,
    other: Firm,
    known: &Known,
) -> (String, &'static str, String) {
    let (name, order) = (dice.of(&known.names).clone(), dice.of(&known.orders).clone());
    let id = format!("{}h{number:09}", own.stem);
    let theirs = other.number;
    let comp = other.fix(["KEEP", "FIX", "DROP"][dice.below(3)]);
    let party = format!("453=1|448={}|447=D|452=1|", other.mpid());
    let terms = format!(
        "55=ACME|54={}|38={}|40=2|44={}.{:02}|59={}|",
        1 + dice.below(2),
        1 + dice.below(300),
        99 + dice.below(2),
        dice.below(100),
        dice.of(&["0", "3"])
    );
    let header = match dice.below(8) {
        0 => format!("50={}|", other.session(1)),
        1 => format!("50={comp}|115={comp}|"),
        2 => format!("115={comp}|128={comp}|129={comp}|"),
        _ => String::new(),
    };
    let (kind, body) = match dice.below(20) {
        0..=3 => ("D", format!("11={id}|{terms}")),
        4 => ("D", format!("1={theirs}|11={id}|{terms}")),
        5 => ("D", format!("11={id}|{terms}{party}")),
        // A name that the other has used is free for everybody else.
        6 => ("D", format!("11={name}|{terms}109={}|", other.mpid())),
        7 => ("F", format!("11={id}|41={name}|55=KEPT|54=1|38=1|")),
        8 => ("F", format!("11={id}|37={order}|41={id}x|55=KEPT|54=1|38=1|")),
        9 => (
            "G",
            format!("1={theirs}|11={id}|37={order}|41={name}|55=KEPT|54=1|38=5|40=2|44=1.00|"),
        ),
        10 => ("H", format!("11={name}|54=1|55=KEPT|")),
        11 => ("H", format!("1={theirs}|11={id}|37={order}|54=1|55=KEPT|")),
        12 => (
            "AF",
            format!("1={theirs}|584={id}|585={}|55=KEPT|", dice.of(&["1", "7", "8"])),
        ),
        13 => ("AF", format!("584={id}|585=8|{party}")),
        14 => ("q", format!("11={id}|530={}|55=KEPT|", dice.of(&["1", "7"]))),
        15 => ("q", format!("11={id}|530=7|{party}5002=Y|")),
        16 => (
            "2",
            format!(
                "7={}|16={}|",
                dice.of(&["0", "1", "5", "100000"]),
                dice.of(&["0", "1", "999999"])
            ),
        ),
        17 => ("V", format!("262={id}|263=0|264=0|267=2|269=0|269=1|146=1|55=KEPT|")),
        18 => ("Z", format!("117={name}|298=4|")),
        _ => ("x", format!("320={id}|559={}|55=KEPT|", dice.of(&["0", "4"]))),
    };
    (header, kind, body)
}

/// What a report says of a known order, if it does.
pub(crate) fn report_of_known(fields: &Fields) -> Option<String> {
    let sizes = (KNOWN_SIZE..KNOWN_SIZE + 4 * KNOWN).map(|size| size.to_string());
    let told = |size: &String| [38, 151, 14, 32, 53].iter().any(|tag| fields.get(*tag) == size);
    let kind = fields.get(35);
    let size = sizes
        .into_iter()
        .find(told)
        .filter(|_| matches!(kind, "8" | "9" | "r" | "AI"))?;
    Some(format!("{kind} of {} with {size}", fields.get(37)))
}

/// Calls of a firm at the FIX door.
pub(crate) fn fix(place: &Place<'_>, own: Firm, other: Firm, known: &Known, calls: usize, door: Door) -> Heard {
    let (mut dice, mut ear) = (Dice(seed() + 1), Ear::new(own.stem, &other.secrets()));
    let mut fix = logged_on(place, own, "FIX", &mut ear);
    let mut told_of = None;
    // What was asked behind a gap may be taken for nothing, and is asked again.
    let mut settled = |fix: &mut Fix, ear: &mut Ear, call: usize| {
        let id = format!("sync-{call}");
        let mut answered = false;
        let mut lives = true;
        while lives && !answered {
            fix.send("1", &format!("112={id}|"));
            lives = fix.hears(ear, |fields| {
                told_of = told_of.take().or_else(|| report_of_known(fields));
                answered |= fields.get(35) == "0" && fields.get(112) == id;
                answered || fields.get(35) == "2"
            });
        }
        answered
    };
    for call in 0..calls {
        match dice.below(60) {
            0 | 1 => {
                let what = ["KEEP", "FIX", "DROP"][dice.below(3)];
                let address = knock(&mut dice, place, other, "fix", door);
                // Its own name too, at a port that is not its firm's.
                let own_name = address != place.port_of(own, "fix") && door == Door::Real && dice.below(2) == 0;
                let name = if own_name { own } else { other }.fix(what);
                let password = if own_name {
                    own.password()
                } else {
                    guess(&mut dice, own, other, door)
                };
                let more = *dice.of(&["", "1137=9|", "96=x|"]);
                let more = if door == Door::Trusting { "" } else { more };
                let mut stranger = Fix::logon(address, &name, &password, more);
                if stranger.hears(&mut ear, |fields| fields.get(35) == "A") {
                    assert!(!own_name, "let in by a port that is not its firm's");
                    stranger.send("AF", "584=all|585=7|");
                    settled(&mut stranger, &mut ear, call);
                    stranger.send("5", "");
                }
            }
            // In the middle of its session it says it is the other, or speaks to somebody else.
            2 => {
                let (name, comp) = (own.fix("FIX"), other.fix("KEEP"));
                let (_, kind, body) = fix_call(&mut dice, call, own, other, known);
                match dice.below(3) {
                    0 => fix.send_as(&comp, "RIALTO", "", kind, &body),
                    1 => fix.send_as(&name, &comp, "", kind, &body),
                    _ => fix.send("A", &format!("98=0|108=30|553={comp}|554=x|")),
                }
            }
            3 => {
                fix.raw(&dice.bytes(80));
                fix.send("0", "");
            }
            _ => {
                let (header, kind, body) = fix_call(&mut dice, call, own, other, known);
                fix.send_as(&own.fix("FIX"), "RIALTO", &header, kind, &body);
            }
        }
        if (call % AT_ONCE == 0 || fix.over) && !settled(&mut fix, &mut ear, call) {
            fix = logged_on(place, own, "FIX", &mut ear);
        }
        if ear.found.is_some() {
            break;
        }
    }
    ear.found = ear.found.or(told_of);
    Heard {
        door: "FIX",
        calls,
        ear,
    }
}

/// The firm's drop copy, which is told of everything of its own, until it is stopped.
pub(crate) fn drop_copy(place: &Place<'_>, own: Firm, other: Firm, stop: &AtomicBool) -> Heard {
    let mut ear = Ear::new("a drop copy", &other.secrets());
    let mut fix = logged_on(place, own, "DROP", &mut ear);
    let mut calls = 0;
    while !stop.load(Ordering::Relaxed) && !fix.over {
        fix.hear(&mut ear, |_| calls += 1);
    }
    assert!(!fix.over, "the drop copy is put out");
    fix.send("5", "");
    fix.hears(&mut ear, |fields| fields.get(35) == "5");
    Heard {
        door: "drop copy",
        calls,
        ear,
    }
}
