//! A firm's session for orders over HTTP, while its connection is another process's: the gateway comes in like any member, so its
//! socket is handed over like any member's; a retry finds its first answer by whichever door, and nothing is doubled when it dies.

mod support;

use rialto_members::Credentials;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::caller::Caller;
use support::{Up, ask, until};

/// A venue whose only firm trades over HTTP, by two gateways.
fn venue(folder: &Path) -> Up {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    let file = data.join("credentials.toml");
    Credentials::new().save(&file).expect("a file");
    let config = r#"
        data = "data"
        durability = "memory"
        segment_bytes = 16777216
        ouch = { listen = "127.0.0.1:0" }
        fix = { listen = "127.0.0.1:0" }
        follow = { listen = "127.0.0.1:0" }
        feed = { line_a = "239.192.77.17:0", line_b = "239.192.77.18:0", rerequest = "127.0.0.1:0" }
        http = { listen = "127.0.0.1:0", gateways = 2, questions_per_second = 0, sessions = ["alphah"] }
        [[instrument]]
        symbol = "ACME"
        [[firm]]
        name = "Alpha"
        mpid = "ALFA"
        [[firm.session]]
        name = "alphah"
        door = "ouch"
        cancel_on_disconnect = false
    "#;
    let path = folder.join("rialto.toml");
    std::fs::write(&path, config).expect("a file");
    Up::serve(&path)
}

/// `rialto door` as a process of its own. A test that fails leaves nothing running.
struct Door(Child);

impl Door {
    fn start(ready: &Value) -> Self {
        let text = |name: &str| ready[name].as_str().expect("in the ready line").to_owned();
        let child = Command::new(env!("CARGO_BIN_EXE_rialto"))
            .args(["door", "--follow", &text("follow"), "--key", &text("follow_key")])
            .stdout(Stdio::null())
            .spawn();
        Self(child.expect("the binary starts"))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn buy(quantity: u32) -> Value {
    json!({ "symbol": "ACME", "side": "buy", "quantity": quantity, "price": "1.00" })
}

#[test]
fn orders_over_http_go_on_by_whichever_process_has_the_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = venue(folder.path());
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let deploy = |act: &[&str]| ask(&[&["deploy", "door"], act, &["--data", place]].concat()).remove(0);
    let status = || deploy(&["status"]);
    let trader = Caller::new(&up, place, "tina", "1", "trader");
    let elsewhere = trader.at(up.ready["gateways"][1].as_str().expect("an address"));

    let process = Door::start(&up.ready);
    until("a door that takes sockets", || {
        (status()["candidate"]["open"] == true).then_some(())
    });
    deploy(&["share", "100"]);
    let first = trader.place("first", &buy(100));
    assert_eq!((first.status, first.replayed), (200, false), "{}", first.text);
    let now = status();
    assert_eq!(
        now["candidate"]["sessions_up"], 1,
        "it came in by the other process: {now}"
    );
    let again = elsewhere.place("first", &buy(100));
    assert_eq!((again.status, again.replayed, &again.text), (200, true, &first.text));
    let path = format!("orders/{}", first.body["user_ref"]);
    let changed = until("an answer to a change", || {
        let change = json!({ "quantity": 200, "price": "1.01" });
        let said = elsewhere.call("PUT", &path, Some("change"), &change);
        (!matches!(said.status, 503 | 504)).then_some(said)
    });
    assert_eq!(changed.status, 200, "{}", changed.text);

    // The process dies with the session: the next wish finds the exchange's own door, and what was said before.
    drop(process);
    until("nobody in its place", || {
        (status()["candidate"] == Value::Null).then_some(())
    });
    for gateway in [&trader, &elsewhere] {
        let again = gateway.place("first", &buy(100));
        assert_eq!((again.status, again.replayed, &again.text), (200, true, &first.text));
    }
    let second = trader.place("second", &buy(300));
    assert_eq!((second.status, second.replayed), (200, false), "{}", second.text);
    let open = until("both orders", || {
        let orders = trader.orders();
        let open: Vec<u64> = orders
            .iter()
            .filter(|order| order["state"] == "open")
            .filter_map(|order| order["leaves"].as_u64())
            .collect();
        (open.len() >= 2).then_some(open)
    });
    assert_eq!(open, [200, 300], "each once");
    up.stop();
    assert_eq!(ask(&["journal", "verify", place])[0]["gaps"], 0);
}
