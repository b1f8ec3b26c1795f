//! Members by the command line: limits while the market runs, looks and moves that the stream tells of, and the chain of acts.

mod support;

use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use support::{Up, ask, complaint, rialto};

#[test]
fn limits_looks_and_moves_are_in_the_stream_with_who_and_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    let up = Up::open(&data, &["--agents", "8"]);
    let member = |args: &[&str]| ask(&[&["member"], args, &["--data", place]].concat());
    let door = up.ready["ouch"].as_str().expect("the door");
    let trade = |user: &str, side: &str, quantity: &str, price: &str| {
        let order = ["order", "--ouch", door, "--user", user, "--password", "rialto"];
        let output = rialto(&[&order[..], &[side, quantity, "ACME", "--price", price, "--json"]].concat());
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };

    let order = |quantity: &str| trade("alpha1", "buy", quantity, "1.00");

    let set = member(&[
        "limits",
        "set",
        "ALFA",
        "--order-quantity",
        "500",
        "--who",
        "rita",
        "--why",
        "fat fingers",
    ]);
    assert_eq!(set[0]["events"], json!(["RiskLimitsSet"]));
    let said = order("600");
    assert!(
        said.contains("shares exceed") || said.contains("threshold") || said.contains("reject"),
        "{said}"
    );
    assert!(!order("500").contains("reject"));
    let shown = member(&["limits", "show", "ALFA"]);
    assert_eq!(shown[0]["limits"]["order_quantity"], 500);

    // Budgets of messages are the firm's by all its sessions, and each change leaves the others as they are.
    let set = member(&[
        "limits",
        "set",
        "BETA",
        "--orders-per-second",
        "1",
        "--orders-burst",
        "2",
    ]);
    assert_eq!(set[0]["events"], json!(["BudgetsSet"]));
    member(&["limits", "set", "BETA", "--weight", "3", "--who", "rita"]);
    let shown = member(&["limits", "show", "BETA"]);
    assert_eq!(
        (&shown[0]["budgets"]["orders_burst"], &shown[0]["budgets"]["weight"]),
        (&json!(2), &json!(3))
    );
    let fewer = [
        "member",
        "limits",
        "set",
        "BETA",
        "--cancels-per-second",
        "1",
        "--data",
        place,
    ];
    assert!(complaint(&fewer).contains("no fewer cancels than orders"));
    member(&[
        "limits",
        "set",
        "BETA",
        "--orders-per-second",
        "0",
        "--orders-burst",
        "0",
    ]);

    // Whoever else is there, this trades.
    trade("alpha1", "buy", "100", "500.00");
    trade("beta1", "sell", "100", "1.00");
    // Moves under the load of the agents; what is held is the same before and after, but for what was traded meanwhile.
    for shard in ["3", "5", "0"] {
        let moved = member(&["shard", "move", "ALFA", "--to", shard, "--who", "ops"]);
        let built = moved[0]["built_up_to"].as_u64().expect("a number");
        assert_eq!(moved[0]["flipped_at"], built + 1, "no gap and no repeat: {moved:?}");
    }
    member(&["shard", "move", "ALFA", "--to", "2"]);
    let held = member(&[
        "positions",
        "--firm",
        "ALFA",
        "--explain",
        "--who",
        "ops",
        "--why",
        "a question",
    ]);
    let explained = &held.last().expect("a line")["explain"];
    assert_eq!(
        (&explained["shards"], &explained["directory"]),
        (&json!([2]), &json!(4))
    );
    let old = complaint(&[
        "member",
        "orders",
        "--firm",
        "ALFA",
        "--directory",
        "1",
        "--data",
        place,
    ]);
    assert!(old.contains("read it again"), "{old}");
    let heat = member(&["shard", "heat"]);
    assert!(heat.iter().any(|one| one["events"].as_u64() > Some(0)), "{heat:?}");
    // What is the firm's own over HTTP, by its key alone.
    let key = ask(&["member", "key", "add", "desk", "--firm", "1", "--data", place]).remove(0);
    let http = up.ready["http"].as_str().expect("the gateway");
    let get = |path: &str, secret: &str| http_get(http, path, &format!("Authorization: Bearer desk:{secret}\r\n"));
    let secret = key["secret"].as_str().expect("a secret");
    let portfolio = get("/api/v1/portfolio", secret);
    assert!(
        portfolio.contains("200 OK") && portfolio.contains("\"net\""),
        "{portfolio}"
    );
    assert!(get("/api/v1/portfolio", "another").contains(" 401 "));
    for path in ["positions?account=2", "orders?account=2", "fills?account=99"] {
        let answer = get(&format!("/api/v1/member/{path}"), secret);
        assert!(answer.contains(" 404 "), "{path}: {answer}");
    }
    let flood: Vec<String> = (0..80).map(|_| get("/api/v1/portfolio", secret)).collect();
    assert!(
        flood
            .iter()
            .all(|answer| answer.contains(" 200 ") || answer.contains(" 429 "))
    );
    ask(&["member", "key", "rm", "desk", "--data", place]);
    assert!(get("/api/v1/portfolio", secret).contains(" 401 "));
    member(&["user", "add", "7", "Rita", "--firm", "ALFA", "--role", "risk"]);
    assert_eq!(member(&["user", "ls"])[0]["role"], "Risk");
    member(&["serve", "ALFA", "bridge"]);
    assert_eq!(member(&["firm", "ls"])[0]["service"], "bridge");
    up.stop();

    // From the files alone: positions are what the fills add up to.
    let at_rest = |what: &str| ask(&["member", what, "--firm", "ALFA", "-n", "1000", "--data", place]);
    let fills = at_rest("fills");
    let sum: i64 = fills
        .iter()
        .filter_map(|fill| Some((fill["quantity"].as_i64()?, fill["side"] == "buy")))
        .map(|(quantity, buys)| if buys { quantity } else { -quantity })
        .sum();
    let positions = ask(&["member", "positions", "--firm", "ALFA", "--data", place]);
    let net: i64 = positions.iter().filter_map(|held| held["net"].as_i64()).sum();
    assert!(!fills.is_empty() && net == sum, "{positions:?} of {fills:?}");
    let verified = ask(&["audit", "verify", place]).remove(0);
    assert_eq!(verified["unannounced"], json!([]));
    assert_eq!(verified["without_command"], 0);
    let acts = ask(&["audit", "tail", place, "-n", "100"]);
    let of = |who: &str| {
        acts.iter()
            .find(|act| act["who"] == who)
            .cloned()
            .unwrap_or(Value::Null)
    };
    assert_eq!(of("rita")["why"], "fat fingers");
    assert!(of("rita")["act"]["SetRiskLimits"].is_object());
    assert!(
        acts.iter()
            .any(|act| act["act"]["look_at_firm"].is_u64() && act["why"] == "a question")
    );
    let head = verified["head"].as_str().expect("a head");
    ask(&["audit", "verify", place, "--expect", head]);
    let (seq, digits) = head.split_once(':').expect("SEQ:HEAD");
    let forged = format!("{seq}:{}", digits.chars().rev().collect::<String>());
    assert!(complaint(&["audit", "verify", place, "--expect", &forged]).contains("was changed"));
}

fn http_get(address: &str, path: &str, headers: &str) -> String {
    let host = address.trim_start_matches("http://").split('/').next().expect("a host");
    let mut stream = TcpStream::connect(host).expect("the gateway listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}
