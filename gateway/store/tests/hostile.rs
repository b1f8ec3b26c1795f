//! Two firms, each with forged ids of the other in every question: not a row of the other's in any answer. What is searched
//! for is proved to be found where a question leaks.

mod common;

use common::{Market, scope};
use rialto_model::{AccountId, Event, FirmId};
use rialto_store::Store;
use serde::Serialize;
use std::collections::BTreeSet;

/// Random calls; `RIALTO_HOSTILE_CALLS` for a longer run.
const CALLS: u64 = 4_000;
const SEED: u64 = 666;

/// Everything by which a firm's rows would be known: its accounts, sessions and orders, as they stand in an answer.
struct Markers(BTreeSet<String>);

impl Markers {
    fn of(market: &Market, firm: u32) -> Self {
        let mut markers = BTreeSet::new();
        for output in &market.outputs {
            match &output.event.body {
                Event::AccountDefined(e) if e.firm == FirmId(firm) => {
                    markers.insert(format!("\"account\":{},", e.account));
                }
                Event::SessionDefined(e) if e.firm == FirmId(firm) => {
                    markers.insert(format!("\"session\":{},", e.session));
                }
                Event::Accepted(e) if e.firm == FirmId(firm) => {
                    markers.insert(format!("\"order\":{},", e.order_id));
                }
                _ => {}
            }
        }
        Self(markers)
    }

    fn found_in(&self, answer: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|marker| answer.contains(marker.as_str()))
            .map(String::as_str)
    }
}

fn text(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("JSON")
}

fn market() -> (Market, Store) {
    let mut market = Market::new(SEED);
    for _ in 0..3_000 {
        market.step();
    }
    let mut store = Store::new();
    market.outputs.iter().for_each(|output| store.take(output));
    (market, store)
}

#[test]
fn forged_ids_open_nothing_of_the_other_firm() {
    let calls = std::env::var("RIALTO_HOSTILE_CALLS")
        .ok()
        .and_then(|calls| calls.parse().ok());
    let (mut market, store) = market();
    let others = [Markers::of(&market, 2), Markers::of(&market, 1)];
    let mut answered = [0_u64; 2];
    for call in 0..calls.unwrap_or(CALLS) {
        let at = market.below(2) as usize;
        let own = 1 + at as u32;
        let who = scope(own, if market.below(4) == 0 { own * 10 + 1 } else { 0 });
        // Half of the accounts are the other's, some nobody's.
        let forged = (3 - own) * 10;
        let account = match market.below(5) {
            0 => None,
            1 => Some(AccountId(own * 10 + market.below(3) as u32)),
            2 => Some(AccountId(market.below(1 << 20) as u32)),
            _ => Some(AccountId(forged + market.below(3) as u32)),
        };
        let version = (market.below(8) == 0).then(|| market.below(3) as u32);
        let after = (market.below(3) == 0).then(|| market.below(u64::MAX >> 33));
        let most = market.below(300) as usize;
        let answer = match market.below(4) {
            3 => store.portfolio(&who, after, most).map(|answer| format!("{answer:?}")),
            0 => store
                .positions_page(&who, account, version, after, most)
                .map(|(page, explained)| {
                    let rows: Vec<_> = page
                        .rows
                        .iter()
                        .map(|row| (format!("\"account\":{},", row.0), row.1.0, row.2))
                        .collect();
                    format!("{rows:?}{}", text(&explained)).replace("\\\"", "\"")
                }),
            1 => store
                .orders(&who, account, version, after, most)
                .map(|answer| text(&answer)),
            _ => store
                .fills(&who, account, version, after, most)
                .map(|answer| text(&answer)),
        };
        let said = match answer {
            Ok(said) => {
                answered[at] += 1;
                said
            }
            Err(error) => error.to_string(),
        };
        if let Some(marker) = others[at].found_in(&said) {
            panic!("seed {SEED}, call {call}: firm {own} reads {marker} of the other: {said}");
        }
    }
    eprintln!("seed {SEED}: answered {answered:?}");
    assert!(answered.iter().all(|count| *count > 100), "{answered:?}");
}

#[test]
fn a_question_that_leaks_is_caught() {
    let (market, store) = market();
    // Firm 1 is answered as firm 2: what a handler would do that trusts a number from the request.
    let leak = store.orders(&scope(2, 0), None, None, None, 100).expect("its own");
    assert!(Markers::of(&market, 2).found_in(&text(&leak)).is_some());
    let leak = store.fills(&scope(2, 0), None, None, None, 1).expect("its own");
    assert!(Markers::of(&market, 2).found_in(&text(&leak)).is_some());
}
