//! Executions of members by WebSocket: numbered, the firm's own alone, and resumed on the other gateway and after a crash.

mod support;

use serde_json::{Value, json};
use support::caller::Caller;
use support::{Up, ask};

fn order(side: &str, quantity: u32) -> Value {
    json!({ "symbol": "ACME", "side": side, "quantity": quantity, "price": "10.00" })
}

#[test]
fn executions_go_on_behind_their_number_wherever_they_are_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let options = ["--agents", "0", "--gateways", "2"];
    let up = Up::open(&data, &options);
    let seller = Caller::new(&up, place, "sue", "1", "trader");
    let buyer = Caller::new(&up, place, "bob", "2", "trader");
    let mut first = seller.stream(0);
    assert_eq!(first.status, 101);
    assert_eq!(
        first.next(),
        "{\"executions\":{\"rows\":[],\"missed\":null,\"last\":0}}"
    );

    assert_eq!(seller.place("s1", &order("sell", 300)).status, 200);
    assert_eq!(buyer.place("b1", &order("buy", 100)).status, 200);
    let told = first.executions(0, 2);
    let what = |rows: &[Value]| -> Vec<String> {
        let words = rows.iter().map(|row| row["what"].as_str().expect("a word").to_owned());
        words.collect()
    };
    assert_eq!(what(&told), ["accepted", "executed"]);
    assert_eq!(
        (&told[1]["quantity"], &told[1]["leaves"], &told[1]["side"]),
        (&json!(100), &json!(200), &json!("sell"))
    );
    // Each firm has its own side, under its own number.
    let bought = buyer.stream(0).executions(0, 2);
    assert_eq!(
        (&bought[1]["trade"], &bought[1]["side"]),
        (&told[1]["trade"], &json!("buy"))
    );
    assert_ne!(bought[1]["order"], told[1]["order"]);

    // The connection is lost; the session goes on at the other gateway, which says the same numbers.
    drop(first);
    assert_eq!(buyer.place("b2", &order("buy", 50)).status, 200);
    let other = up.ready["gateways"][1].as_str().expect("another gateway").to_owned();
    let resumed = seller.at(&other).stream(2).executions(2, 1);
    assert_eq!(resumed[0]["quantity"], 50);
    // By pages it is the same list.
    let page = seller.call("GET", "executions?after=1&limit=1", None, &Value::Null);
    assert_eq!(
        (&page.body["rows"][0], &page.body["next"]),
        (&told[1], &json!(2)),
        "{}",
        page.text
    );
    // An order by the other gateway is the same session: a key that was used is known.
    let again = seller.at(&other).place("s1", &order("sell", 300));
    assert!(again.replayed, "{}", again.text);

    // At most so many streams of a key; a key that is taken out loses those it has.
    let mut streams: Vec<_> = (0..4).map(|_| seller.stream(3)).collect();
    assert!(streams.iter().all(|stream| stream.status == 101));
    assert_eq!(seller.stream(3).status, 429);
    streams.truncate(1);
    ask(&["member", "key", "rm", "sue", "--data", place]);
    let mut last = String::new();
    while !last.contains("problem") {
        last = streams[0].next();
    }
    assert!(last.contains("taken out"), "{last}");

    // Numbers are of the stream: after a crash the next one goes on.
    let bearer = buyer.bearer.clone();
    up.kill();
    let up = Up::open(&data, &options);
    let buyer = Caller::known(&up, bearer);
    let again = buyer.stream(0).executions(0, 4);
    assert_eq!(again[1], bought[1]);
    up.stop();
}
