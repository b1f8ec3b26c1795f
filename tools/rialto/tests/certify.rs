//! The certification runner on a client of our own: what it does passes, what it does not do fails with the reason.

mod support;

use serde_json::Value;
use std::path::Path;
use support::rialto;

/// What a run says, object by object, and whether it succeeded.
fn certify(folder: &Path, case: &str, client: &str) -> (Vec<Value>, bool) {
    let file = folder.join("trade.toml");
    std::fs::write(&file, case).expect("the case");
    let (file, junit) = (file.to_str().expect("UTF-8"), folder.join("junit.xml"));
    let junit = junit.to_str().expect("UTF-8");
    let client = format!("{} {client}", env!("CARGO_BIN_EXE_rialto"));
    let output = rialto(&[
        "certify",
        file,
        "--client",
        &client,
        "--junit",
        junit,
        "--patience",
        "60",
        "--json",
    ]);
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = lines.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    (lines.collect(), output.status.success())
}

/// Sends an order, and stays until nothing is left of it.
const TRADER: &str = "order --ouch {ouch} --user {ouch_user} --password {password} buy 100 ACME --price 100.00 --wait";
const TRADE: &str = r#"
title = "An order and its fill"
door = "ouch"
[[step]]
client_sends = { type = "L", with = { user = "CLNT" } }
[[step]]
client_sends = { type = "O", with = { user_ref = "$ref", side = "B", price = "1000000" } }
[[step]]
venue_sends = { type = "A", with = { user_ref = "$ref" } }
[[step]]
book = { symbol = "ACME", bids = 1, asks = 0 }
[[step]]
rival = { side = "sell", quantity = 100, symbol = "ACME", price = "100.00" }
[[step]]
venue_sends = [{ type = "C" }, { type = "E", with = { user_ref = "$ref" } }]
"#;

#[test]
fn a_client_that_does_as_the_case_says_is_certified() {
    let folder = tempfile::tempdir().expect("a folder");
    let (said, certified) = certify(folder.path(), TRADE, TRADER);
    assert!(certified, "{said:?}");
    assert_eq!(said[0]["ready"], true);
    assert_eq!((&said[1]["case"], &said[1]["passed"]), (&"trade".into(), &true.into()));
    assert_eq!(said[2]["failed"], 0);
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).expect("JUnit");
    assert!(junit.contains("failures=\"0\""), "{junit}");
}

#[test]
fn what_a_client_must_not_do_fails_it_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let never = "never = [{ type = \"O\", with = { side = \"B\" }, why = \"it is to sell\" }]";
    let case = TRADE.replace("door = \"ouch\"", &format!("door = \"ouch\"\n{never}"));
    let (said, certified) = certify(folder.path(), &case, TRADER);
    assert!(!certified, "{said:?}");
    let why = said[1]["why"].as_str().expect("why");
    assert!(why.contains("must not") && why.contains("it is to sell"), "{why}");
    let seen = said[1]["seen"].as_array().expect("what was seen");
    assert!(
        !seen.is_empty() && seen.iter().all(|line| !line.to_string().contains("rialto")),
        "{seen:?}"
    );
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).expect("JUnit");
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("it is to sell"),
        "{junit}"
    );
}
