//! Moves while trading, what a question touches, and what rebalancing does to Zipf-sized firms.

mod common;

use common::{ACCOUNTS, FIRMS, Market, scope};
use rialto_model::command::{BustTrade, SetShard};
use rialto_model::{AccountId, Deal, Event, FirmId, InstrumentId, Output, ShardId, Side};
use rialto_store::{Builder, Position, Store, StoreError, is_flip, plan};
use std::collections::BTreeMap;

/// (account, instrument) to (net, paid, fees).
type Held = BTreeMap<(u32, u16), (i128, i128, i128)>;

/// Positions by another way: straight from the executions.
fn added_up(outputs: &[Output], firm: u32) -> Held {
    let mut held = Held::new();
    let mut add = |firm_of: FirmId,
                   account: AccountId,
                   instrument: InstrumentId,
                   deal: &Deal,
                   buys: bool,
                   maker: bool,
                   sign: i128| {
        if firm_of != FirmId(firm) {
            return;
        }
        let of = held.entry((account.0, instrument.0)).or_default();
        let quantity = i128::from(deal.quantity.0) * if buys { sign } else { -sign };
        of.0 += quantity;
        of.1 += quantity * i128::from(deal.price.0);
        of.2 += i128::from(if maker { deal.maker_fee.0 } else { deal.taker_fee.0 }) * sign;
    };
    let mut owners = BTreeMap::new();
    for output in outputs {
        match &output.event.body {
            Event::Executed(e) => {
                let buys = e.aggressor == Side::Buy;
                owners.insert(e.trade, *e);
                add(e.taker_firm, e.taker_account, e.instrument, &e.deal(), buys, false, 1);
                add(e.maker_firm, e.maker_account, e.instrument, &e.deal(), !buys, true, 1);
            }
            Event::TradeBusted(busted) => {
                let e = owners[&busted.deal.trade];
                let buys = e.aggressor == Side::Buy;
                add(e.taker_firm, e.taker_account, e.instrument, &e.deal(), buys, false, -1);
                add(e.maker_firm, e.maker_account, e.instrument, &e.deal(), !buys, true, -1);
            }
            _ => {}
        }
    }
    held
}

fn kept(store: &Store, firm: u32) -> Held {
    let (rows, _) = store.positions(&scope(firm, 0), None, None).expect("its own");
    let rows = rows.into_iter();
    rows.map(|(account, instrument, position)| {
        (
            (account.0, instrument.0),
            (position.net(), position.paid, position.fees),
        )
    })
    .collect()
}

#[test]
fn twenty_firms_are_moved_while_trading_and_nothing_is_lost_or_counted_twice() {
    const SEED: u64 = 20_260;
    let mut market = Market::new(SEED);
    let mut store = Store::new();
    let mut taken = 0;
    for version in 1..=20 {
        for _ in 0..400 {
            market.step();
        }
        if let Some(deal) = last_deal(&market.outputs) {
            market.apply(
                BustTrade {
                    instrument: deal.0,
                    deal: deal.1,
                }
                .into(),
            );
        }
        let firm = 1 + market.below(u64::from(FIRMS)) as u32;
        // Now and then an account alone.
        let account = if version % 4 == 0 {
            firm * 10 + version % ACCOUNTS
        } else {
            0
        };
        // Built from the first command on, up to somewhere before the flip.
        let mut builder = Builder::new((FirmId(firm), AccountId(account)));
        market.outputs.iter().for_each(|output| builder.take(output));
        let built = market.outputs.len();
        for _ in 0..50 {
            market.step();
        }
        let shard = ShardId(1 + (version % 5) as u16);
        let flip = SetShard {
            version,
            firm: FirmId(firm),
            account: AccountId(account),
            shard,
        };
        market.apply(flip.into());
        let until = market.outputs.len() - 1;
        market.outputs[built..until]
            .iter()
            .for_each(|output| builder.take(output));
        market.outputs[taken..until]
            .iter()
            .for_each(|output| store.take(output));
        let before: Vec<Held> = (1..=FIRMS).map(|firm| kept(&store, firm)).collect();
        let flipping = &market.outputs[until];
        assert!(is_flip(&flipping.event.body), "{flipping:?}");
        store
            .flip(flipping, builder.part())
            .expect("the part ends where the directory flips");
        taken = until + 1;
        let after: Vec<Held> = (1..=FIRMS).map(|firm| kept(&store, firm)).collect();
        assert_eq!(before, after, "seed {SEED}, move {version}");
        for firm in 1..=FIRMS {
            assert_eq!(
                kept(&store, firm),
                added_up(&market.outputs, firm),
                "seed {SEED}, move {version}, firm {firm}"
            );
        }
        let shards = store.directory().shards_of(FirmId(firm));
        assert!(shards.contains(&shard), "{shards:?}");
    }
    // Whoever follows without builders has the same.
    let mut other = Store::new();
    market.outputs.iter().for_each(|output| other.take(output));
    for firm in 1..=FIRMS {
        assert_eq!(kept(&other, firm), kept(&store, firm));
        let all = |store: &Store| {
            store
                .orders(&scope(firm, 0), None, None, None, usize::MAX)
                .expect("its own")
        };
        assert_eq!(all(&other), all(&store));
    }
}

fn last_deal(outputs: &[Output]) -> Option<(InstrumentId, Deal)> {
    outputs.iter().rev().find_map(|output| match &output.event.body {
        Event::Executed(e) => Some((e.instrument, e.deal())),
        _ => None,
    })
}

#[test]
fn a_part_that_ends_elsewhere_or_holds_something_else_is_refused_and_nothing_is_lost() {
    let mut market = Market::new(3);
    for _ in 0..500 {
        market.step();
    }
    let built = market.outputs.len();
    market.step();
    let flip = SetShard {
        version: 1,
        firm: FirmId(1),
        account: AccountId(0),
        shard: ShardId(4),
    };
    market.apply(flip.into());
    let (flipping, before) = market.outputs.split_last().expect("some");
    let part = |owner, outputs: &[Output]| {
        let mut builder = Builder::new(owner);
        outputs.iter().for_each(|output| builder.take(output));
        builder.part()
    };
    let owner = (FirmId(1), AccountId(0));
    for (part, wanted) in [
        (part(owner, &before[..built]), "OffFlip"),
        (part((FirmId(2), AccountId(0)), before), "Differs"),
    ] {
        let mut store = Store::new();
        before.iter().for_each(|output| store.take(output));
        let held = kept(&store, 1);
        let fault = store.flip(flipping, part).expect_err("refused");
        assert!(format!("{fault:?}").starts_with(wanted), "{fault:?}");
        assert_eq!(kept(&store, 1), held);
    }
}

#[test]
fn a_question_touches_the_shards_that_the_directory_lists_and_no_other() {
    let mut market = Market::new(5);
    for _ in 0..300 {
        market.step();
    }
    for (version, firm, account, shard) in [(1, 1, 0, 2), (2, 1, 11, 3), (3, 2, 0, 7)] {
        let (firm, account, shard) = (FirmId(firm), AccountId(account), ShardId(shard));
        market.apply(
            SetShard {
                version,
                firm,
                account,
                shard,
            }
            .into(),
        );
    }
    let mut store = Store::new();
    market.outputs.iter().for_each(|output| store.take(output));
    let touched = |firm, account: Option<u32>| {
        let answer = store.positions(&scope(firm, 0), account.map(AccountId), Some(3));
        answer.expect("its own").1.shards.into_iter().collect::<Vec<u16>>()
    };
    assert_eq!(touched(1, None), [2, 3]);
    assert_eq!(touched(1, Some(10)), [2]);
    assert_eq!(touched(1, Some(11)), [3]);
    assert_eq!(touched(2, None), [7]);
    assert_eq!(touched(3, None), [0]);
    // Who has read an old directory is told so.
    let old = store.positions(&scope(1, 0), None, Some(2)).expect_err("old");
    assert_eq!(old, StoreError::OldDirectory { asked: 2, stands: 3 });
    // Another firm's account is as unknown as one that does not exist.
    for account in [20, 999] {
        let stranger = store.fills(&scope(1, 0), Some(AccountId(account)), None, None, 10);
        assert_eq!(stranger.expect_err("not its own"), StoreError::NoAccount { account });
    }
    // A key of one account opens no other.
    let narrow = scope(1, 11);
    assert!(store.positions(&narrow, Some(AccountId(10)), None).is_err());
    let (rows, explained) = store.positions(&narrow, None, None).expect("its own");
    assert!(rows.iter().all(|(account, ..)| *account == AccountId(11)));
    assert_eq!(explained.shards.into_iter().collect::<Vec<_>>(), [3]);
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let mut market = Market::new(6);
    for _ in 0..2_000 {
        market.step();
    }
    let mut store = Store::new();
    market.outputs.iter().for_each(|output| store.take(output));
    let all = store.fills(&scope(1, 0), None, None, None, 1_000).expect("its own").0;
    let (mut after, mut rows) = (None, Vec::new());
    loop {
        let page = store.fills(&scope(1, 0), None, None, after, 7).expect("its own").0;
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() || rows.len() >= all.rows.len() {
            break;
        }
    }
    assert!(all.rows.len() > 100);
    assert_eq!(rows.get(..all.rows.len()), Some(all.rows.as_slice()));
}

#[test]
fn pages_of_what_is_held_follow_each_other_and_add_up() {
    let mut market = Market::new(8);
    for _ in 0..2_000 {
        market.step();
    }
    let mut store = Store::new();
    market.outputs.iter().for_each(|output| store.take(output));
    let who = scope(1, 0);
    let (all, _) = store.positions(&who, None, None).expect("its own");
    for most in [1, 2, 1_000] {
        let (mut after, mut rows) = (None, Vec::new());
        loop {
            let page = store.positions_page(&who, None, None, after, most).expect("its own").0;
            assert!(page.rows.len() <= most);
            rows.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(rows, all, "pages of {most}");
        let (mut after, mut held) = (None, Vec::new());
        loop {
            let page = store.portfolio(&who, after, most).expect("its own").0;
            held.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(held.is_sorted_by_key(|(instrument, _)| *instrument), "pages of {most}");
        for (instrument, position) in held {
            let of_it = all.iter().filter(|row| row.1 == instrument);
            let sum = of_it.fold(Position::default(), |sum, row| sum.and(row.2));
            assert_eq!(position, sum, "instrument {instrument}, pages of {most}");
        }
    }
    assert!(all.len() > 2, "{all:?}");
}

#[test]
fn rebalancing_evens_out_zipf_sized_firms() {
    const SHARDS: u16 = 4;
    let mut market = Market::new(7);
    for _ in 0..8_000 {
        market.step();
    }
    let mut store = Store::new();
    market.outputs.iter().for_each(|output| store.take(output));
    let loads = |store: &Store| {
        let mut loads = vec![0; usize::from(SHARDS)];
        for heat in store.heat() {
            loads[usize::from(heat.shard)] += heat.events;
        }
        loads
    };
    let before = loads(&store);
    let moves = plan(&store.heat(), SHARDS);
    for (version, one) in (1..).zip(&moves) {
        let (firm, account, shard) = (FirmId(one.firm), AccountId(one.account), ShardId(one.to));
        let outputs = market.apply(
            SetShard {
                version,
                firm,
                account,
                shard,
            }
            .into(),
        );
        outputs.iter().for_each(|output| store.take(output));
    }
    let after = loads(&store);
    eprintln!(
        "heat of shards before {before:?}, after {} moves {after:?}",
        moves.len()
    );
    let total: u64 = after.iter().sum();
    assert_eq!(total, before.iter().sum::<u64>());
    assert_eq!(before[1..], [0, 0, 0]);
    let hottest = after.iter().max().copied().unwrap_or(0);
    assert!(hottest * 100 <= total / u64::from(SHARDS) * 115, "{after:?}");
    // The whale is in more than one shard, and what is even stays as it is.
    assert!(store.directory().shards_of(FirmId(1)).len() > 1);
    assert_eq!(plan(&store.heat(), SHARDS), []);
}
