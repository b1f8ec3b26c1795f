//! Cancel on disconnect by FIX: what goes with its session and what stays, by the session's setting and by the order's own word,
//! after a lost connection and after a kill of the exchange; and what a cancel of what went is told.

mod support;

use rialto_fix::Version;
use rialto_fix::client::ClientConfig;
use rialto_gateway::SessionSettings;
use rialto_model::command::SetRulebook;
use rialto_model::{Door, InstrumentId, Offers, Quantity, Rulebook};

use support::fix_client::{FixClient, spoken};
use support::{Exchange, Setup};

/// What the session is set to, the order's own words, and whether the order goes.
const ORDERS: [(bool, &str, bool); 10] = [
    (true, "59=0", true),
    (true, "59=0 18=H", false),
    (true, "59=0 111=5", true),
    (true, "59=1", false),
    (true, "59=6 432=20250101", false),
    (true, "59=1 18=Q", false),
    (false, "59=0", false),
    (false, "59=0 18=Q", true),
    (false, "59=0 111=5 18=Q", true),
    (false, "59=6 432=20250101 18=Q", false),
];

fn exchange(cancel_on_disconnect: bool) -> (Exchange, Setup) {
    let mut setup = Setup::default();
    let settings = SessionSettings {
        cancel_on_disconnect,
        ..SessionSettings::default()
    };
    setup.door.settings.insert("FIXONE".to_owned(), settings);
    let mut x = Exchange::with(setup.clone());
    x.sequence(SetRulebook {
        instrument: InstrumentId(1),
        version: 1,
        rulebook: Rulebook {
            offers: Offers::ALL,
            lot: Quantity(1),
            quantity_max: Quantity(100_000),
            ..Rulebook::default()
        },
    });
    x.step();
    (x, setup)
}

/// Words of FIX 4.4 in those of another version.
fn words(version: Version, text: &str) -> String {
    match version {
        Version::Fix50Sp2 => text
            .replace("18=Q", "18=o")
            .replace("18=H", "18=p")
            .replace("111=", "1138="),
        _ => text.to_owned(),
    }
}

/// Enters all of one setting, loses the session in this way, and looks at what is told.
fn lose(version: Version, cancel_on_disconnect: bool, by_kill: bool) {
    let (mut x, setup) = exchange(cancel_on_disconnect);
    let mut client = FixClient::enter(&mut x, spoken(version, "FIXONE"));
    let orders: Vec<_> = ORDERS.iter().filter(|(set, ..)| *set == cancel_on_disconnect).collect();
    for (number, (_, order, _)) in orders.iter().enumerate() {
        let order = words(version, order);
        client.play(
            &mut x,
            &format!("> D 11=A{number} 55=ABC 54=1 38=10 40=2 44=9.00 {order}\n< 8 150=0 11=A{number}"),
        );
    }
    let again = ClientConfig {
        next_outbound: client.client.next_outbound(),
        next_inbound: client.client.next_inbound(),
        ..spoken(version, "FIXONE")
    };
    let mut x = if by_kill {
        x.crashed(setup)
    } else {
        drop(client);
        x.until("the loss", |x| x.counts(Door::Fix).sessions_up == 0);
        x
    };
    let mut client = FixClient::enter(&mut x, again);
    for (number, (_, _, goes)) in orders.iter().enumerate() {
        if *goes {
            client.expect(&mut x, &format!("8 150=4 39=4 11=A{number} 58=the_session_was_lost"));
        }
    }
    for (number, (_, _, goes)) in orders.iter().enumerate() {
        let ask = format!("F 11=C{number} 41=A{number} 55=ABC 54=1 38=10");
        client.send(&x, &ask);
        // A cancel that crossed the loss on its way is too late.
        let told = if *goes {
            format!("9 11=C{number} 41=A{number} 39=4 102=0")
        } else {
            format!("8 150=4 11=C{number} 41=A{number}")
        };
        client.expect(&mut x, &told);
    }
    client.expect_nothing(&mut x, "LAST");
}

#[test]
fn what_goes_with_a_lost_connection() {
    for version in [Version::Fix44, Version::Fix50Sp2] {
        lose(version, true, false);
        lose(version, false, false);
    }
}

#[test]
fn what_goes_with_a_kill_of_the_exchange() {
    lose(Version::Fix44, true, true);
    lose(Version::Fix44, false, true);
}
