//! Firms of Zipf sizes trade through OUCH while they are moved between shards 20 times and between pool and bridge 10 times, each
//! change of tier with a connection that is cut and comes again by the port that holds then. In the end four counts must be
//! one: what each client was told, what the member store keeps, what HTTP streamed, and a replay by the reference engine.

mod support;

use rialto_journal::{OsDisk, Reader};
use rialto_matching::{Limits, Matching as _, reference};
use rialto_members::{Credentials, Password};
use rialto_model::{Event, EventSink};
use rialto_ouch::messages::{
    Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, LiquidityFlag, Outbound, Price,
    Quantity, Side, Symbol, TimeInForce,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use support::caller::{Caller, Stream};
use support::ouch::{Member, reference as order_reference};
use support::{Up, ask, until};

const FIRMS: usize = 6;
const MOVES: usize = 20;
const TIERS: usize = 10;
/// Orders of the largest firm between two changes; the k-th has a k-th of it.
const STEP: u64 = 60;
/// Steps of load on either side of the rebalance.
const SIDE_STEPS: u64 = 5;
const SHARDS: u16 = 4;
/// Where everybody is before the rebalance.
const CROWDED: u64 = 3;
const SEED: u64 = 20_261_127;
/// What a unit pays before tiers, in hundredths of a price unit: the resting order is paid.
const MAKER_FEE: i64 = -300;
const TAKER_FEE: i64 = 500;
/// Orders of a client that wait for their answer.
const PENDING_MAX: usize = 8;

/// A trade as one side of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Leg {
    trade: u64,
    buys: bool,
    price: i64,
    quantity: i64,
    maker: bool,
    fee: i64,
}

/// What legs come to: net, bought, sold, paid, fees.
fn sums(legs: &[Leg]) -> [i64; 5] {
    let mut sums = [0; 5];
    for leg in legs {
        let signed = if leg.buys { leg.quantity } else { -leg.quantity };
        let (bought, sold) = if leg.buys { (leg.quantity, 0) } else { (0, leg.quantity) };
        for (sum, more) in sums.iter_mut().zip([signed, bought, sold, signed * leg.price, leg.fee]) {
            *sum += more;
        }
    }
    sums
}

/// Per cent of the maker's and the taker's fee that a firm has: its tier.
fn tier(firm: usize) -> (i64, i64) {
    let less = 10 * i64::try_from(firm).expect("few");
    (100 + less, 100 - less)
}

/// What all clients see.
struct Shared {
    /// Orders that the largest firm may have sent.
    allowed: AtomicU64,
    /// Orders that a firm has sent, and fills that it was told of.
    sent: [AtomicU64; FIRMS],
    filled: [AtomicU64; FIRMS],
    logins: [AtomicU64; FIRMS],
    /// Where it logs on.
    doors: [Mutex<SocketAddr>; FIRMS],
    /// How often its connection was to be cut.
    cuts: [AtomicU64; FIRMS],
    /// From now on orders trade with nobody.
    aside: AtomicBool,
    over: AtomicBool,
}

impl Shared {
    /// Lets everybody send so much more, in proportion.
    fn allow(&self, more: u64) {
        self.allowed.fetch_add(more, SeqCst);
    }

    fn of(&self, firm: usize) -> u64 {
        self.allowed.load(SeqCst) / (firm as u64 + 1)
    }

    fn await_all(&self) {
        until("all orders of this step", || {
            let done = (0..FIRMS).all(|firm| self.sent[firm].load(SeqCst) == self.of(firm));
            done.then_some(())
        });
    }
}

/// A client of a firm: what it was told, until it is over.
fn trade(firm: usize, shared: &Shared) -> Vec<Leg> {
    let mut member = Member::new(&user(firm), "rialto");
    let mut random = SEED + firm as u64;
    let mut next = || {
        // Xorshift (Marsaglia 2003).
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut buys: BTreeMap<u32, bool> = BTreeMap::new();
    let mut legs = Vec::new();
    let (mut sent, mut cuts) = (0, 0);
    while !shared.over.load(SeqCst) {
        let wanted = shared.cuts[firm].load(SeqCst);
        if wanted > cuts {
            cuts = wanted;
            member.hang_up();
        }
        while sent < shared.of(firm) && member.pending() < PENDING_MAX {
            sent += 1;
            let number = u32::try_from(sent).expect("few");
            let aside = shared.aside.load(SeqCst);
            let side = if aside || next() % 2 == 0 {
                Side::Buy
            } else {
                Side::Sell
            };
            buys.insert(number, side == Side::Buy);
            member.enter(&EnterOrder {
                user_ref: order_reference(number),
                side,
                quantity: Quantity(u32::try_from(1 + next() % 9).expect("small")),
                symbol: Symbol::new("ACME").expect("a symbol"),
                price: Price(if aside { 10_000 } else { 99_800 + 100 * (next() % 5) }),
                time_in_force: TimeInForce::Day,
                display: Display::Visible,
                capacity: Capacity::Principal,
                inter_market_sweep: InterMarketSweep::NotEligible,
                cross_type: CrossType::Continuous,
                cl_ord_id: ClOrdId::new("load").expect("short"),
                appendage: Appendage::EMPTY,
            });
        }
        let door = *shared.doors[firm].lock().expect("nobody panicked");
        member.poll(door, |message| {
            if let Outbound::OrderExecuted(executed) = message {
                let maker = executed.liquidity_flag == LiquidityFlag::Added;
                let quantity = i64::from(executed.quantity.0);
                let (maker_percent, taker_percent) = tier(firm);
                let fee = match maker {
                    true => quantity * MAKER_FEE * maker_percent / 100,
                    false => quantity * TAKER_FEE * taker_percent / 100,
                };
                legs.push(Leg {
                    trade: executed.match_number.0,
                    buys: buys[&executed.user_ref.0],
                    price: i64::try_from(executed.price.0).expect("small"),
                    quantity,
                    maker,
                    fee,
                });
            }
        });
        shared.filled[firm].store(legs.len() as u64, SeqCst);
        shared.logins[firm].store(member.logins, SeqCst);
        if member.pending() == 0 {
            shared.sent[firm].store(sent, SeqCst);
        }
    }
    legs
}

fn user(firm: usize) -> String {
    format!("zipf{}", firm + 1)
}

fn mpid(firm: usize) -> String {
    format!("ZIP{}", firm + 1)
}

/// Firms 1 and 2 are those of the development exchange.
fn id(firm: usize) -> u64 {
    firm as u64 + 3
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("a number: {value}"))
}

fn leg(row: &Value) -> Leg {
    Leg {
        trade: row["trade"].as_u64().expect("a trade"),
        buys: row["side"] == "buy",
        price: number(&row["price"]),
        quantity: number(&row["quantity"]),
        maker: row["maker"] == true,
        fee: number(&row["fee"]),
    }
}

/// What rows of positions come to.
fn positions(rows: &[Value]) -> [i64; 5] {
    let mut sums = [0; 5];
    for row in rows.iter().filter(|row| row["instrument"].is_u64()) {
        for (sum, name) in sums.iter_mut().zip(["net", "bought", "sold", "paid", "fees"]) {
            *sum += number(&row[name]);
        }
    }
    sums
}

/// All of a firm's fills by pages.
fn fills(place: &str, firm: usize) -> Vec<Leg> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let behind = after.to_string();
        let firm = mpid(firm);
        let page = ["member", "fills", "--firm", &firm, "-n", "1000", "--after", &behind];
        let rows = ask(&[&page[..], &["--data", place]].concat());
        all.extend(rows.iter().filter(|row| row["trade"].is_u64()).map(leg));
        match rows.iter().find_map(|row| row["next"].as_u64()) {
            Some(next) => after = next,
            None => return all,
        }
    }
}

/// How hot each shard was since `before`, and each firm.
fn heat(place: &str, before: &[Value]) -> (BTreeMap<u64, u64>, BTreeMap<u64, u64>) {
    let (mut shards, mut firms) = (BTreeMap::new(), BTreeMap::new());
    for row in ask(&["member", "shard", "heat", "--data", place]) {
        let was = before.iter().find(|one| one["account"] == row["account"]);
        let events = row["events"].as_u64().expect("events") - was.and_then(|one| one["events"].as_u64()).unwrap_or(0);
        *shards.entry(row["shard"].as_u64().expect("a shard")).or_default() += events;
        *firms.entry(row["firm"].as_u64().expect("a firm")).or_default() += events;
    }
    (shards, firms)
}

/// The hottest shard, as a multiple of what each would have if all were equal.
fn unevenness(shards: &BTreeMap<u64, u64>) -> f64 {
    let total: u64 = shards.values().sum();
    let most = shards.values().copied().max().unwrap_or(0);
    most as f64 * f64::from(SHARDS) / total as f64
}

/// Executions that came by a WebSocket while everything moved, until behind number `last`.
fn listen(mut stream: Stream, last: &AtomicU64) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    loop {
        let told: Value = serde_json::from_str(&stream.next()).expect("JSON");
        let told = &told["executions"];
        assert_eq!(told["missed"], Value::Null, "{told}");
        rows.extend(told["rows"].as_array().expect("rows").iter().cloned());
        for (place, row) in rows.iter().enumerate().rev().take(1) {
            assert_eq!(row["number"], place as u64 + 1, "no gap and no repeat");
        }
        if rows.len() as u64 > last.load(SeqCst) {
            return rows;
        }
    }
}

/// The trades of each firm by the reference engine.
fn replayed(data: &Path) -> (BTreeMap<u64, Vec<Leg>>, Vec<u64>) {
    #[derive(Default)]
    struct Sink(Vec<Event>);
    impl EventSink for Sink {
        fn emit(&mut self, event: Event) {
            self.0.push(event);
        }
    }
    let disk = OsDisk::open_dir(&data.join("journal")).expect("a journal");
    let mut engine = reference::Engine::new(Limits::default());
    let (mut legs, mut entered) = (BTreeMap::<u64, Vec<Leg>>::new(), Vec::new());
    for record in Reader::open(&disk).expect("it reads") {
        let command = record.expect("sound");
        let mut sink = Sink::default();
        engine.apply(&command, &mut sink);
        for event in sink.0 {
            match event {
                Event::Accepted(_) => entered.push(command.seq.0),
                Event::Executed(e) => {
                    let taker_buys = e.aggressor == rialto_model::Side::Buy;
                    for (firm, buys, maker, fee) in [
                        (e.maker_firm, !taker_buys, true, e.maker_fee),
                        (e.taker_firm, taker_buys, false, e.taker_fee),
                    ] {
                        legs.entry(firm.0.into()).or_default().push(Leg {
                            trade: e.trade.0,
                            buys,
                            price: e.price.0,
                            quantity: i64::try_from(e.quantity.0).expect("small"),
                            maker,
                            fee: fee.0,
                        });
                    }
                }
                _ => {}
            }
        }
    }
    (legs, entered)
}

fn sorted(legs: &[Leg]) -> Vec<Leg> {
    let mut legs = legs.to_vec();
    legs.sort();
    let once: BTreeSet<&Leg> = legs.iter().collect();
    assert_eq!(once.len(), legs.len(), "each once");
    legs
}

#[test]
fn firms_are_moved_while_they_trade_and_every_count_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let place = data.to_str().expect("UTF-8");
    std::fs::create_dir(&data).expect("a folder");
    let mut credentials = Credentials::new();
    for firm in 0..FIRMS {
        let password = Password::new(b"rialto").expect("a password");
        credentials.add(&user(firm), &password).expect("room");
    }
    credentials.save(&data.join("credentials.toml")).expect("it saves");
    let up = Up::open(&data, &["--agents", "0"]);
    let member = |args: &[&str]| ask(&[&["member"], args, &["--data", place]].concat());
    let mut keys = Vec::new();
    for firm in 0..FIRMS {
        let (id, mpid, session) = (id(firm).to_string(), mpid(firm), (firm + 50).to_string());
        member(&["firm", "add", &id, &mpid, &format!("Zipf {id}")]);
        member(&["account", "add", &id, &mpid]);
        member(&[
            "session",
            "add",
            &session,
            &user(firm),
            "--firm",
            &mpid,
            "--account",
            &id,
        ]);
        let (maker, taker) = tier(firm);
        member(&["tier", &mpid, &maker.to_string(), &taker.to_string()]);
        keys.push(Caller::new(&up, place, &user(firm), &id, "trader"));
    }
    let fees = json!({ "command": "SetFees", "fields": { "instrument": 1, "version": 2,
        "fees": { "maker_unit": MAKER_FEE, "taker_unit": TAKER_FEE } } });
    let set = ask(&["operate", "command", &fees.to_string(), "--data", place]);
    assert_eq!(set[0]["events"], json!(["FeesSet"]));

    let door: SocketAddr = up.ready["ouch"]
        .as_str()
        .and_then(|door| door.parse().ok())
        .expect("the door");
    let zeros = || [(); FIRMS].map(|()| AtomicU64::new(0));
    let shared = Shared {
        allowed: AtomicU64::new(0),
        sent: zeros(),
        filled: zeros(),
        logins: zeros(),
        doors: [(); FIRMS].map(|()| Mutex::new(door)),
        cuts: zeros(),
        aside: AtomicBool::new(false),
        over: AtomicBool::new(false),
    };
    let last = [(); FIRMS].map(|()| AtomicU64::new(u64::MAX));
    let (told, streamed, flips, past) = std::thread::scope(|scope| {
        // A test that fails lets its clients end.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, SeqCst);
            }
        }
        let over = Over(&shared.over);
        let (shared, last) = (&shared, &last);
        let clients: Vec<_> = (0..FIRMS)
            .map(|firm| scope.spawn(move || trade(firm, shared)))
            .collect();
        let listeners: Vec<_> = keys
            .iter()
            .zip(last)
            .map(|(key, last)| {
                let stream = key.stream(0);
                assert_eq!(stream.status, 101);
                scope.spawn(move || listen(stream, last))
            })
            .collect();

        let mut shards = [0_u64; FIRMS];
        let (mut moves, mut tiers, mut flips) = (0, 0, Vec::new());
        shared.allow(STEP);
        for change in 0..MOVES + TIERS {
            // The orders of this step are on their way while the change is made.
            shared.allow(STEP);
            if change % 3 == 2 {
                let (firm, apart) = (tiers / 2, tiers % 2 == 0);
                tiers += 1;
                member(&["serve", &mpid(firm), if apart { "bridge" } else { "pool" }]);
                let port = until("a port that is open or gone", || {
                    let firms = member(&["firm", "ls"]);
                    let row = firms.iter().find(|row| row["firm"] == id(firm)).expect("the firm");
                    (row["ouch"].is_string() == apart).then(|| row["ouch"].as_str().map(str::to_owned))
                });
                let door = port.map_or(door, |port| port.parse().expect("an address"));
                *shared.doors[firm].lock().expect("nobody panicked") = door;
                let before = shared.logins[firm].load(SeqCst);
                shared.cuts[firm].fetch_add(1, SeqCst);
                until("the session by its other port", || {
                    (shared.logins[firm].load(SeqCst) > before).then_some(())
                });
            } else {
                let firm = moves % FIRMS;
                // In the end all of them are in one place.
                let to = match (shards[firm] + 1 + moves as u64) % 7 {
                    _ if moves + FIRMS >= MOVES => CROWDED,
                    CROWDED => 7,
                    to if to == shards[firm] => 8,
                    to => to,
                };
                moves += 1;
                shards[firm] = to;
                let moved = member(&["shard", "move", &mpid(firm), "--to", &to.to_string(), "--who", "ops"]);
                let (built, flipped) = (number(&moved[0]["built_up_to"]), number(&moved[0]["flipped_at"]));
                assert_eq!(flipped, built + 1, "no gap and no repeat: {moved:?}");
                flips.push(flipped);
            }
        }
        assert_eq!((moves, tiers), (MOVES, TIERS));
        shared.await_all();
        let flips = (flips[0], *flips.last().expect("moves"));

        // Heat of the same load before and after.
        let member_heat = || ask(&["member", "shard", "heat", "--data", place]);
        let before = member_heat();
        shared.allow(SIDE_STEPS * STEP);
        shared.await_all();
        let (crowded, _) = heat(place, &before);
        let planned = member(&["shard", "rebalance", "--shards", &SHARDS.to_string(), "--who", "ops"]);
        let before = member_heat();
        shared.allow(SIDE_STEPS * STEP);
        shared.await_all();
        let (spread, firms) = heat(place, &before);
        let (was, is) = (unevenness(&crowded), unevenness(&spread));
        eprintln!("heat by shard before the rebalance {crowded:?}: {was:.2} times an equal part at most");
        eprintln!(
            "heat by shard behind it ({} moves) {spread:?}: {is:.2} times; by firm {firms:?}",
            planned.len()
        );
        assert!(is < was, "{is} is no more even than {was}");
        let whale = firms.values().copied().max().expect("firms");
        let part = firms.values().sum::<u64>() / u64::from(SHARDS);
        let hottest = spread.values().copied().max().expect("shards");
        assert!(hottest <= whale.max(part + part / 4), "{spread:?} of {firms:?}");

        // Nothing moves now: a firm is the same in its new place.
        until("every fill at its client", || {
            let whole = (0..FIRMS).all(|firm| fills(place, firm).len() as u64 == shared.filled[firm].load(SeqCst));
            whole.then_some(())
        });
        for firm in 0..FIRMS {
            let mpid = mpid(firm);
            let kept = || {
                let positions = member(&["positions", "--firm", &mpid]);
                (
                    positions,
                    member(&["orders", "--firm", &mpid, "-n", "1000"]),
                    fills(place, firm),
                )
            };
            let before = kept();
            member(&["shard", "move", &mpid, "--to", &(20 + firm).to_string()]);
            assert_eq!(kept(), before, "{mpid}");
        }

        // With one order more of each, which trades with nobody, its stream has had everything.
        shared.aside.store(true, SeqCst);
        for (key, last) in keys.iter().zip(last) {
            let told = until("an answer", || {
                let said = key.call("GET", "executions?after=0&limit=1", None, &Value::Null);
                (said.status == 200).then(|| said.body["last"].as_u64().expect("a number"))
            });
            last.store(told, SeqCst);
        }
        shared.allow(FIRMS as u64);
        shared.await_all();
        let streamed: Vec<Vec<Value>> = listeners.into_iter().map(|one| one.join().expect("it heard")).collect();
        let past: Vec<([i64; 5], [i64; 5])> = (0..FIRMS)
            .map(|firm| {
                let by_http = until("an answer", || {
                    let said = keys[firm].call("GET", "/api/v1/portfolio", None, &Value::Null);
                    (said.status == 200).then_some(said.body)
                });
                let rows = by_http["rows"].as_array().expect("rows");
                (
                    positions(rows),
                    positions(&member(&["positions", "--firm", &mpid(firm)])),
                )
            })
            .collect();
        drop(over);
        let told: Vec<Vec<Leg>> = clients.into_iter().map(|one| one.join().expect("it traded")).collect();
        (told, streamed, flips, past)
    });
    let kept: Vec<Vec<Leg>> = (0..FIRMS).map(|firm| fills(place, firm)).collect();
    up.stop();

    let (replayed, entered) = replayed(&data);
    let during = entered
        .iter()
        .filter(|seq| (flips.0..=flips.1).contains(&i64::try_from(**seq).expect("small")))
        .count();
    eprintln!(
        "{MOVES} moves and {TIERS} changes of tier, {during} orders between the first flip and the last; seed {SEED}"
    );
    assert!(during > MOVES, "they trade meanwhile");
    for firm in 0..FIRMS {
        let whole = sorted(&replayed[&id(firm)]);
        let sums = sums(&whole);
        eprintln!(
            "{}: {} orders, {} fills, net {}, bought {}, sold {}, paid {}, fees {}",
            mpid(firm),
            shared.sent[firm].load(SeqCst),
            whole.len(),
            sums[0],
            sums[1],
            sums[2],
            sums[3],
            sums[4]
        );
        assert_eq!(sorted(&told[firm]), whole, "what the client was told");
        assert_eq!(sorted(&kept[firm]), whole, "what the store keeps");
        assert_eq!(past[firm], (sums, sums), "positions by HTTP and by command");
        let executed = streamed[firm].iter().filter(|row| row["what"] == "executed");
        let mut streamed: Vec<(u64, bool, i64)> = executed
            .map(|row| {
                let trade = row["trade"].as_u64().expect("a trade");
                (trade, row["side"] == "buy", number(&row["quantity"]))
            })
            .collect();
        streamed.sort_unstable();
        let all: BTreeSet<(u64, bool, i64)> = whole.iter().map(|leg| (leg.trade, leg.buys, leg.quantity)).collect();
        assert!(streamed.iter().eq(all.iter()), "what was streamed, each once");
    }
    let of = |firm: usize| shared.sent[firm].load(SeqCst);
    assert!(
        (1..FIRMS).all(|firm| of(firm) == of(0) / (firm as u64 + 1)),
        "Zipf sizes"
    );
}
