//! Which key may do what over HTTP, on a running exchange: every role at every operation of the document that is not for all.

mod support;

use serde_json::{Value, json};
use support::caller::Caller;
use support::{Up, ask, until};

#[test]
fn each_role_may_do_what_it_is_for_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "0"]);
    let callers = [
        ("ron", "1", "read-only"),
        ("tom", "1", "trader"),
        ("rita", "1", "risk"),
        ("olga", "0", "operator"),
    ]
    .map(|(name, firm, role)| Caller::new(&up, place, name, firm, role));
    let order = json!({ "symbol": "ACME", "side": "buy", "quantity": 100, "price": "1.00" });
    let change = json!({ "quantity": 100, "price": "1.01" });
    let limits = json!({ "limits": { "order_quantity": 777 }, "why": "a test" });
    let kill = json!({ "why": "it ran away" });
    let act = json!({ "ask": "operate", "act": { "act": "phase", "symbol": "BOLT", "phase": "continuous" }, "who": "forged" });
    let fault = json!({ "name": "late", "kind": "latency", "delay_us": 1, "session": "beta2" });
    let none = Value::Null;
    let (yes, no) = (200, 403);
    // Method, path, body; then read-only, trader, risk, operator.
    let table: &[(&str, &str, &Value, [u16; 4])] = &[
        ("GET", "/api/v1/portfolio", &none, [yes, yes, yes, no]),
        ("GET", "positions", &none, [yes, yes, yes, no]),
        ("GET", "orders", &none, [yes, yes, yes, no]),
        ("GET", "fills", &none, [yes, yes, yes, no]),
        ("GET", "executions", &none, [yes, yes, yes, no]),
        ("GET", "limits", &none, [yes, yes, yes, no]),
        ("POST", "orders", &order, [no, yes, no, no]),
        ("PUT", "orders/1", &change, [no, yes, no, no]),
        // Of the trader it is over already: it was replaced.
        ("DELETE", "orders/1", &none, [no, 409, no, no]),
        ("PUT", "limits", &limits, [no, no, yes, no]),
        ("POST", "kill", &limits, [400; 4]),
        ("POST", "kill", &kill, [no, no, yes, no]),
        ("POST", "/api/v1/ask", &json!({ "ask": "status" }), [no, no, no, yes]),
        ("POST", "/api/v1/ask", &act, [no, no, no, yes]),
        ("POST", "/api/v1/faults", &fault, [no, no, no, yes]),
        ("GET", "/api/v1/faults", &none, [no, no, no, yes]),
        ("DELETE", "/api/v1/faults/late", &none, [no, no, no, yes]),
        ("GET", "/api/v1/orders", &none, [401; 4]),
        ("POST", "/api/v1/orders", &order, [401; 4]),
        ("DELETE", "/api/v1/orders/1", &none, [401; 4]),
    ];
    for (method, path, body, wanted) in table {
        for (caller, wanted) in callers.iter().zip(wanted) {
            let said = until("an answer", || {
                let said = caller.call(method, path, Some(&format!("{method}-{}", path.len())), body);
                (!matches!(said.status, 429 | 503 | 504)).then_some(said)
            });
            let who = caller.bearer.split(':').next().unwrap_or_default();
            assert_eq!(said.status, *wanted, "{method} {path} by {who}: {}", said.text);
            if said.status >= 400 {
                assert!(said.head.contains("application/problem+json"), "{}", said.head);
                assert!(said.body["mend"].is_string(), "{}", said.text);
            }
        }
    }
    // The firm is off, and stays so for who switched it off: the venue has it back.
    let enter = |key: &str| {
        until("an answer", || {
            let said = callers[1].call("POST", "orders", Some(key), &order);
            (!matches!(said.status, 429 | 503 | 504)).then_some(said)
        })
    };
    let refused = enter("while-off");
    assert!((400..500).contains(&refused.status), "{}", refused.text);
    let firms = ask(&["member", "firm", "ls", "--data", place]);
    assert_eq!(
        (&firms[0]["killed"], &firms[1]["killed"]),
        (&json!(true), &json!(false))
    );
    ask(&[
        "operate",
        "revive",
        "ALFA",
        "--who",
        "vera",
        "--why",
        "all is well",
        "--data",
        place,
    ]);
    assert_eq!(enter("on-again").status, 200);
    // Over the rate it is said when to come again.
    let over = until("a key over its rate", || {
        let said = callers[0].call("GET", "orders", None, &none);
        (said.status == 429).then_some(said)
    });
    assert!(
        over.head.to_ascii_lowercase().contains("retry-after: 1"),
        "{}",
        over.head
    );
    // What was done by a key is in the stream under its name, whatever the request said.
    up.stop();
    let acts = ask(&["audit", "tail", place, "-n", "100"]);
    let by = |who: &str| acts.iter().filter(|act| act["who"] == who).count();
    assert_eq!((by("rita"), by("olga"), by("forged")), (2, 3, 0), "{acts:?}");
    for why in ["a test", "it ran away"] {
        let told = acts.iter().any(|act| act["who"] == "rita" && act["why"] == why);
        assert!(told, "{why}: {acts:?}");
    }
}
