//! Orders of members over HTTP, on a running exchange: who may, and that a retry never doubles an order, whatever was lost between.

mod support;

use rialto_members::{Credentials, Password};
use serde_json::{Value, json};
use support::caller::Caller;
use support::{Up, ask, until};

fn buy(quantity: u32, price: &str) -> Value {
    json!({ "symbol": "ACME", "side": "buy", "quantity": quantity, "price": price })
}

#[test]
fn a_retry_never_doubles_an_order_and_only_traders_trade() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0"]);
    let trader = Caller::new(&up, place, "tina", "1", "trader");
    let other = Caller::new(&up, place, "bob", "2", "trader");
    let colleague = Caller::new(&up, place, "carl", "1", "trader");

    for (name, firm, role) in [
        ("rita", "1", "risk"),
        ("rob", "1", "read-only"),
        ("olga", "0", "operator"),
    ] {
        let caller = Caller::new(&up, place, name, firm, role);
        for (method, path, key, body) in [
            ("POST", "orders", Some("k"), buy(100, "1.00")),
            ("PUT", "orders/1", Some("k"), json!({ "quantity": 1, "price": "1.00" })),
            ("DELETE", "orders/1", None, Value::Null),
        ] {
            let said = caller.call(method, path, key, &body);
            assert_eq!(said.status, 403, "{role} {method}: {}", said.text);
        }
    }

    // The same wish, spelt another way and at the same moment, is one order with one answer.
    let first = trader.place("once", &buy(300, "1.00"));
    assert_eq!((first.status, first.replayed), (200, false), "{}", first.text);
    assert_eq!(first.body["state"], "accepted");
    let spelt = json!({ "price": "1.00", "quantity": 300, "side": "buy", "symbol": "ACME", "tif": "day" });
    let again = trader.place("once", &spelt);
    assert_eq!((again.status, again.replayed), (200, true), "{}", again.text);
    assert_eq!(again.text, first.text);
    let together: Vec<String> = std::thread::scope(|scope| {
        let call = || trader.place("together", &buy(200, "1.01")).text;
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(call)).collect();
        calls.into_iter().map(|call| call.join().expect("an answer")).collect()
    });
    assert!(together.iter().all(|text| *text == together[0]), "{together:?}");
    // Another wish under the key is refused; another user's key is another's, and so is another firm's.
    assert_eq!(trader.place("once", &buy(301, "1.00")).status, 422);
    let of_colleague = colleague.place("once", &buy(301, "1.00"));
    assert!(of_colleague.status == 200 && !of_colleague.replayed);
    let of_other = other.place("once", &buy(301, "1.00"));
    assert!(of_other.status == 200 && !of_other.replayed);
    // What the exchange refuses has its answer too.
    let refused = trader.place("tick", &buy(100, "1.005"));
    let refused_again = trader.place("tick", &buy(100, "1.005"));
    assert_eq!((refused.status, refused_again.status), (422, 422), "{}", refused.text);
    assert_eq!(refused.text, refused_again.text);
    // A replacement is a wish of its own; what is over cannot be changed, and nobody waits for that.
    let path = format!("orders/{}", first.body["user_ref"]);
    let change = json!({ "quantity": 250, "price": "1.02" });
    let replaced = trader.call("PUT", &path, Some("change"), &change);
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    assert_eq!(
        (&replaced.body["quantity"], &replaced.body["price"]),
        (&json!(250), &json!("1.0200"))
    );
    let replaced_again = trader.call("PUT", &path, Some("change"), &change);
    assert!(replaced_again.replayed && replaced_again.text == replaced.text);
    let late = trader.call("PUT", &path, Some("late"), &change);
    assert_eq!(late.status, 409, "{}", late.text);
    // Of another firm nothing is touched: its session has no order of this reference, or its own.
    let open = |caller: &Caller<'_>| caller.orders().iter().filter(|one| one["state"] == "open").count();
    assert_eq!(other.call("DELETE", "orders/77", None, &Value::Null).status, 409);
    until("three orders of the one, one of the other", || {
        (open(&trader) == 3 && open(&other) == 1).then_some(())
    });

    // The answer is lost with everything that knew of it but the journal.
    let bearer = trader.bearer.clone();
    up.kill();
    let up = Up::open(&data, &["--agents", "0"]);
    let trader = Caller::known(&up, bearer.clone());
    let after = trader.place("once", &buy(300, "1.00"));
    assert_eq!((after.status, after.replayed, &after.text), (200, true, &first.text));
    assert_eq!(trader.place("tick", &buy(100, "1.005")).text, refused.text);
    assert_eq!(trader.place("once", &buy(301, "1.00")).status, 422);
    let changed = trader.call("PUT", &path, Some("change"), &change);
    assert!(changed.replayed && changed.text == replaced.text, "{}", changed.text);
    until("three orders again", || (open(&trader) == 3).then_some(()));

    let path = format!("orders/{}", replaced.body["user_ref"]);
    let cancelled = trader.call("DELETE", &path, None, &Value::Null);
    assert_eq!(
        (cancelled.status, &cancelled.body["cancelled"]),
        (200, &json!(250)),
        "{}",
        cancelled.text
    );
    assert_eq!(trader.call("DELETE", &path, None, &Value::Null).status, 409);
    let new = trader.place("new", &buy(100, "1.00"));
    assert!(new.status == 200 && !new.replayed, "{}", new.text);
    up.stop();
    assert_eq!(ask(&["journal", "verify", place])[0]["gaps"], 0);
}

/// Nobody but the gateway has the password of its sessions, and it comes in by them all the same.
#[test]
fn a_configured_exchange_has_the_gateway_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    let mut credentials = Credentials::new();
    let password = Password::new(b"secret").expect("a password");
    credentials.add("alpha1", &password).expect("a member");
    credentials.save(&data.join("credentials.toml")).expect("a file");
    let config = r#"
        data = "data"
        durability = "memory"
        segment_bytes = 16777216
        ouch = { listen = "127.0.0.1:0" }
        fix = { listen = "127.0.0.1:0" }
        feed = { line_a = "239.192.77.15:0", line_b = "239.192.77.16:0", rerequest = "127.0.0.1:0" }
        http = { listen = "127.0.0.1:0", gateways = 2, questions_per_second = 0, sessions = ["alphah"] }
        [[instrument]]
        symbol = "ACME"
        [[firm]]
        name = "Alpha"
        mpid = "ALFA"
        [[firm.session]]
        name = "alpha1"
        door = "ouch"
        [[firm.session]]
        name = "alphah"
        door = "ouch"
        cancel_on_disconnect = false
    "#;
    let path = folder.path().join("rialto.toml");
    std::fs::write(&path, config).expect("a file");
    let up = Up::serve(&path);
    let place = data.to_str().expect("UTF-8");
    let trader = Caller::new(&up, place, "tina", "1", "trader");
    let first = until("the gateway's session", || {
        let said = trader.place("once", &buy(300, "1.00"));
        (said.status != 503).then_some(said)
    });
    assert_eq!(first.status, 200, "{}", first.text);
    let gateways = up.ready["gateways"].as_array().expect("gateways");
    assert_eq!(gateways.len(), 2);
    // A rate that nobody has set another number for would have refused the last of these.
    for _ in 0..50 {
        let again = trader
            .at(gateways[1].as_str().expect("an address"))
            .place("once", &buy(300, "1.00"));
        assert_eq!((again.status, again.replayed, &again.text), (200, true, &first.text));
    }
    let stopped = up.stop();
    assert_eq!(stopped["stopped"], true);
}
