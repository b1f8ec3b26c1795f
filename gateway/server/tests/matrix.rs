//! The door matrix: what the rulebook offers, by each door, with message, tags and the answer. The table here is the source:
//! every cell is played against the doors, and `MATRIX.md` is written from it (`RIALTO_BLESS=1` rewrites it).

mod support;

use std::fmt::Write as _;

use rialto_fix::Version;

use support::Exchange;
use support::fix_client::{FixClient, config, spoken};
use support::ouch_client::OuchClient;

/// One door's way to say a feature.
#[derive(Clone, Copy)]
enum Cell {
    /// This message is answered so, and the feature is offered.
    Yes(&'static str, &'static str),
    /// This message is refused so.
    No(&'static str, &'static str),
    /// The protocol has no words for it.
    Unsaid(&'static str),
}
use Cell::{No, Unsaid, Yes};

struct Row {
    feature: &'static str,
    /// FIX 4.2, 4.4, 5.0 SP2.
    fix: [Cell; 3],
    ouch: Cell,
    http: Cell,
}

/// The same in all versions of FIX.
const fn row(feature: &'static str, fix: Cell, ouch: Cell, http: Cell) -> Row {
    Row {
        feature,
        fix: [fix, fix, fix],
        ouch,
        http,
    }
}

const NO_STOP: Cell = Unsaid("OUCH 5.0 has no stop orders");
const NO_LIFETIME: Cell = Unsaid("OUCH 5.0 has day, immediate-or-cancel and timed orders");
const NO_QUOTES: Cell = Unsaid("OUCH 5.0 has no mass quotes");
const NO_4_2: Cell = No("q 530=7", "3 373=11 372=q");

/// `D` stands for an order of 10 ABC to buy, `O n` for the same with the next reference. A sell order of 1000 at 10.00 rests in
/// every book.
const ROWS: &[Row] = &[
    row(
        "limit",
        Yes("D 40=2 44=9.00", "8 150=0 40=2 44=9"),
        Yes("O # B 10 ABC 9.00", "A # B 10 ABC 9.00"),
        Yes("price=9.00", "200 live"),
    ),
    row(
        "market",
        Yes("D 40=1", "8 150=0 40=1"),
        Yes("O # B 10 ABC market", "A # B 10 ABC market"),
        Yes("", "200"),
    ),
    row(
        "stop",
        Yes("D 40=3 99=12.00", "8 150=0 40=3 99=12"),
        NO_STOP,
        No("stop=12.00", "400 unknown field stop"),
    ),
    row(
        "stop-limit",
        Yes("D 40=4 99=12.00 44=13.00", "8 150=0 40=4 99=12 44=13"),
        NO_STOP,
        No("price=13.00 stop=12.00", "400 unknown field stop"),
    ),
    row(
        "trailing stop",
        Yes("D 40=P 18=L 211=0.50", "8 150=0 40=P 18=L 211=0.5"),
        NO_STOP,
        No("trail=0.50", "400 unknown field trail"),
    ),
    row(
        "primary peg",
        Yes("D 40=P 18=R 44=9.50", "8 150=0 40=P 18=R 44=9.5"),
        Yes(
            "O # B 10 ABC 9.50 peg=R display=N",
            "A # B 10 ABC 9.50 * peg=R display=N",
        ),
        No("price=9.50 peg=primary", "400 unknown field peg"),
    ),
    row(
        "midpoint peg",
        Yes("D 40=P 18=M 44=9.50", "8 150=0 40=P 18=M 44=9.5"),
        Yes(
            "O # B 10 ABC 9.50 peg=M display=N",
            "A # B 10 ABC 9.50 * peg=M display=N",
        ),
        No("price=9.50 peg=midpoint", "400 unknown field peg"),
    ),
    row(
        "peg at a distance",
        No("D 40=P 18=R 44=9.50 211=0.01", "8 150=8 103=11"),
        No("O # B 10 ABC 9.50 peg=R display=N offset=100", "J # 0x0f"),
        No("price=9.50 offset=0.01", "400 unknown field offset"),
    ),
    row(
        "peg to the other side",
        No("D 40=P 18=P 44=9.50", "8 150=8 103=11"),
        No("O # B 10 ABC 9.50 peg=P display=N", "J # 0x0f"),
        No("price=9.50 peg=market", "400 unknown field peg"),
    ),
    row(
        "displayed peg",
        No("D 40=P 18=R 44=9.50 210=5", "8 150=8 103=11|3"),
        No("O # B 10 ABC 9.50 peg=R", "J # 0x0f"),
        No("price=9.50 peg=primary", "400 unknown field peg"),
    ),
    row(
        "peg without a limit",
        No("D 40=P 18=R", "j 380=5 372=D"),
        No("O # B 10 ABC market peg=R display=N", "J # 0x0f"),
        No("peg=primary", "400 unknown field peg"),
    ),
    row(
        "sell",
        Yes("D 54=2 40=2 44=12.00", "8 150=0 54=2"),
        Yes("O # S 10 ABC 12.00", "A # S"),
        Yes("side=sell price=12.00", "200 live"),
    ),
    row(
        "sell short",
        Yes("D 54=5 40=2 44=12.00", "8 150=0 54=5"),
        Yes("O # T 10 ABC 12.00", "A # T"),
        Yes("side=sell_short price=12.00", "200 live"),
    ),
    row(
        "sell short exempt",
        Yes("D 54=6 40=2 44=12.00", "8 150=0 54=6"),
        Yes("O # E 10 ABC 12.00", "A # E"),
        Yes("side=sell_short_exempt price=12.00", "200 live"),
    ),
    row(
        "day",
        Yes("D 40=2 44=9.00 59=0", "8 150=0 59=0"),
        Yes("O # B 10 ABC 9.00 tif=0", "A #"),
        Yes("price=9.00 tif=day", "200 live"),
    ),
    row(
        "good-till-cancel",
        Yes("D 40=2 44=9.00 59=1", "8 150=0 59=1"),
        NO_LIFETIME,
        No("price=9.00 tif=gtc", "422 no time in force is called"),
    ),
    row(
        "immediate-or-cancel",
        Yes("D 40=2 44=9.00 59=3", "8 150=0 59=3"),
        Yes("O # B 10 ABC 9.00 ioc", "A # B 10 ABC 9.00 * ioc"),
        Yes("price=9.00 tif=ioc", "200"),
    ),
    row(
        "fill-or-kill",
        Yes("D 40=2 44=9.00 59=4", "8 150=0 59=4"),
        Yes("O # B 10 ABC 9.00 fok", "A # B 10 ABC 9.00 * ioc min=10"),
        Yes("price=9.00 tif=fok", "200"),
    ),
    row(
        "good-till-date, by date",
        Yes("D 40=2 44=9.00 59=6 432=20250101", "8 150=0 59=6"),
        NO_LIFETIME,
        No("price=9.00 tif=gtd", "422 no time in force is called"),
    ),
    row(
        "good-till-date, by time",
        Yes("D 40=2 44=9.00 59=6 126=20241101-12:00:00", "8 150=0 59=6"),
        No("O # B 10 ABC 9.00 tif=6", "J # 0x0f"),
        No("price=9.00 until=2026-11-01", "400 unknown field until"),
    ),
    row(
        "at the opening",
        No("D 40=2 44=9.00 59=2", "8 150=8 103=2"),
        No("O # B 10 ABC 9.00 cross=O", "J # 0x07"),
        No("price=9.00 tif=open", "422"),
    ),
    Row {
        feature: "at the close",
        fix: [
            No("D 40=2 44=9.00 59=7", "3 373=5 371=59"),
            Yes("D 40=2 44=9.00 59=7", "8 150=0 59=7"),
            Yes("D 40=2 44=9.00 59=7", "8 150=0 59=7"),
        ],
        ouch: Yes("O # B 10 ABC 9.00 cross=C", "A # B 10 ABC 9.00 * cross=C"),
        http: Yes("price=9.00 tif=close", "200 live"),
    },
    row(
        "post-only",
        Yes("D 40=2 44=9.00 18=6", "8 150=0 18=6"),
        Yes("O # B 10 ABC 9.00 post", "A # B 10 ABC 9.00 * post"),
        Yes("price=9.00 post_only=true", "200 live"),
    ),
    row(
        "post-only that would trade",
        No("D 40=2 44=10.00 18=6", "8 150=8 103=99"),
        No("O # B 10 ABC 10.00 post", "J # 0x0f"),
        No("price=10.00 post_only=true", "422"),
    ),
    row(
        "post-only that slides",
        Yes("D 40=2 44=10.00 18=6 5001=Y", "8 150=0 44=9.99"),
        Unsaid("OUCH 5.0 has no option for it"),
        No("price=10.00 post_only=true slide=true", "400 unknown field slide"),
    ),
    Row {
        feature: "iceberg",
        fix: [
            Yes("D 40=2 44=9.00 111=5", "8 150=0 111=5"),
            Yes("D 40=2 44=9.00 111=5", "8 150=0 111=5"),
            Yes("D 40=2 44=9.00 1138=5", "8 150=0 1138=5"),
        ],
        ouch: Yes("O # B 10 ABC 9.00 floor=5", "A # B 10 ABC 9.00 * floor=5"),
        http: Yes("price=9.00 display=5", "200 live"),
    },
    row(
        "iceberg that displays more than it has",
        No("D 40=2 44=9.00 111=50", "8 150=8"),
        No("O # B 10 ABC 9.00 floor=50", "J # 0x04"),
        No("price=9.00 display=50", "422"),
    ),
    Row {
        feature: "hidden",
        fix: [
            Yes("D 40=2 44=9.00 111=0", "8 150=0 111=0"),
            Yes("D 40=2 44=9.00 111=0", "8 150=0 111=0"),
            Yes("D 40=2 44=9.00 1138=0", "8 150=0 1138=0"),
        ],
        ouch: Yes("O # B 10 ABC 9.00 display=N", "A # B 10 ABC 9.00 * display=N"),
        http: Yes("price=9.00 hidden=true", "200 live"),
    },
    row(
        "attributed",
        Unsaid("FIX orders are not attributed"),
        Yes("O # B 10 ABC 9.00 display=A", "A # B 10 ABC 9.00 * display=A"),
        No("price=9.00 attributed=true", "400 unknown field attributed"),
    ),
    row(
        "minimum quantity",
        Yes("D 40=2 44=9.00 110=5 59=3", "8 150=0 110=5"),
        Yes("O # B 10 ABC 9.00 ioc min=5", "A # B 10 ABC 9.00 * min=5"),
        Yes("price=9.00 tif=ioc minimum=5", "200"),
    ),
    row(
        "self-trade group",
        Yes("D 40=2 44=9.00 7928=3", "8 150=0"),
        Yes("O # B 10 ABC 9.00 group=3", "A # B 10 ABC 9.00 * group=3"),
        No("price=9.00 group=3", "400 unknown field group"),
    ),
    Row {
        feature: "capacity",
        fix: [
            Yes("D 40=2 44=9.00 47=P", "8 150=0"),
            Yes("D 40=2 44=9.00 528=P", "8 150=0"),
            Yes("D 40=2 44=9.00 528=P", "8 150=0"),
        ],
        ouch: Yes("O # B 10 ABC 9.00 capacity=P", "A #"),
        http: No("price=9.00 capacity=A", "400 unknown field capacity"),
    },
    Row {
        feature: "goes with its session, said by the order",
        fix: [
            No("D 40=2 44=9.00 18=Q", "3 373=5 371=18"),
            Yes("D 40=2 44=9.00 18=Q", "8 150=0"),
            Yes("D 40=2 44=9.00 18=o", "8 150=0"),
        ],
        ouch: Unsaid("a setting of the session"),
        http: Unsaid("a setting of the session"),
    },
    row(
        "instructions that contradict each other",
        No("D 40=2 44=9.00 59=4 110=5", "8 150=8"),
        No("O # B 10 ABC 9.00 display=N floor=5", "J # 0x0f"),
        No("price=9.00 hidden=true display=5", "422"),
    ),
    row(
        "not offered by the rulebook (XYZ has none)",
        No("D 55=XYZ 40=2 44=9.00 18=6", "8 150=8"),
        No("O # B 10 XYZ 9.00 post", "J # 0x0f"),
        No("symbol=XYZ price=9.00 post_only=true", "422"),
    ),
    row(
        "unknown instrument",
        No("D 55=NOPE 40=2 44=9.00", "8 150=8 103=1"),
        No("O # B 10 NOPE 9.00", "J # 0x17"),
        No("symbol=NOPE price=9.00", "422 invalid"),
    ),
    row(
        "price off tick",
        No("D 40=2 44=9.005", "8 150=8 103=99"),
        No("O # B 10 ABC 9.0050", "J # 0x1d"),
        No("price=9.005", "422 invalid price"),
    ),
    row(
        "quantity zero",
        No("D 38=0 40=2 44=9.00", "8 150=8"),
        No("O # B 0 ABC 9.00", "J # 0x13"),
        No("quantity=0 price=9.00", "422 the quantity is not between"),
    ),
    row(
        "quantity above the highest",
        No("D 38=100001 40=2 44=9.00", "8 150=8 103=3"),
        No("O # B 100001 ABC 9.00", "J # 0x1e"),
        No("quantity=1000000 price=9.00", "422 the quantity is not between"),
    ),
    row(
        "another account",
        No("D 1=9 40=2 44=9.00", "8 150=8"),
        Unsaid("an account is a session"),
        No("price=9.00 account=9", "400 unknown field account"),
    ),
    row(
        "price-sliding, discretion",
        No("D 40=2 44=9.00 388=0", "8 150=8|3"),
        No("O # B 10 ABC 9.00 sweep=Y", "J # 0x0f"),
        No("price=9.00 discretion=9.50", "400 unknown field discretion"),
    ),
    row(
        "cancel of an unknown order",
        No("F 41=nothing 55=ABC 54=1", "9 434=1 102=1"),
        Unsaid("silent, as OUCH 5.0 has it"),
        No("DELETE /api/v1/orders/999999", "404 order 999999 is not live"),
    ),
    row(
        "replace of an unknown order",
        No("G 41=nothing 55=ABC 54=1 38=10 40=2 44=9.00", "9 434=2 102=1"),
        Unsaid("silent, as OUCH 5.0 has it"),
        No("PUT /api/v1/orders/999999", "405"),
    ),
    Row {
        feature: "mass cancel",
        fix: [NO_4_2, Yes("q 530=7", "r 531=7"), Yes("q 530=7", "r 531=7")],
        ouch: Unsaid("OUCH 5.0 has none: cancel each"),
        http: No("DELETE /api/v1/orders", "405"),
    },
    Row {
        feature: "mass cancel of one instrument and side",
        fix: [
            NO_4_2,
            Yes("q 530=1 55=ABC 54=1", "r 531=1"),
            Yes("q 530=1 55=ABC 54=1", "r 531=1"),
        ],
        ouch: Unsaid("OUCH 5.0 has none: cancel each"),
        http: No("DELETE /api/v1/orders", "405"),
    },
    row(
        "status of an order",
        Yes("H 11=nothing 55=ABC 54=1", "8 39=8"),
        Unsaid("OUCH 5.0 has none: everything is replayed"),
        Yes("GET /api/v1/orders", "200"),
    ),
    Row {
        feature: "status of all orders",
        fix: [
            No("AF 584=S 585=7", "3 373=11 372=AF"),
            Yes("AF 584=S 585=7", "8 150=I 584=S"),
            Yes("AF 584=S 585=7", "8 150=I 584=S"),
        ],
        ouch: Unsaid("OUCH 5.0 has none: everything is replayed"),
        http: Yes("GET /api/v1/orders", "200"),
    },
    row(
        "next reference",
        Unsaid("ClOrdIDs are free texts"),
        Yes("Q", "Q #"),
        Unsaid("the exchange numbers the orders of its console"),
    ),
    row(
        "mass quote",
        Yes(
            "i 117=Q 296=1 302=1 311=ABC 304=1 295=1 299=1 55=ABC 132=8.00 134=5",
            "b 117=Q 297=0",
        ),
        NO_QUOTES,
        No("POST /api/v1/quotes", "404"),
    ),
    row(
        "mass quote with a refused entry",
        Yes(
            "i 117=Q 296=1 302=1 311=ABC 304=2 295=2 299=1 55=ABC 132=8.00 134=5 299=2 55=NOPE 132=8.00 134=5",
            "b 117=Q 297=0 302=1 299=2 368=1",
        ),
        NO_QUOTES,
        No("POST /api/v1/quotes", "404"),
    ),
    row(
        "quote that crosses itself",
        No(
            "i 117=Q 296=1 302=1 311=ABC 304=1 295=1 299=1 55=ABC 132=9.00 134=5 133=9.00 135=5",
            "b 297=5 368=7",
        ),
        NO_QUOTES,
        No("POST /api/v1/quotes", "404"),
    ),
    row(
        "quote on what offers none (XYZ)",
        No(
            "i 117=Q 296=1 302=1 311=XYZ 304=1 295=1 299=1 55=XYZ 132=9.00 134=5",
            "b 297=5 368=9",
        ),
        NO_QUOTES,
        No("POST /api/v1/quotes", "404"),
    ),
    row(
        "reset of market-maker protection",
        Yes(
            "i 9773=Y 117=Q 296=1 302=1 311=ABC 304=1 295=1 299=1 55=ABC 132=8.00 134=5",
            "b 117=Q 297=0",
        ),
        NO_QUOTES,
        No("POST /api/v1/quotes", "404"),
    ),
    row(
        "cancel of quotes, of an instrument",
        Yes("Z 117=Z 298=1 295=1 55=ABC", "b 117=Z 297=1"),
        NO_QUOTES,
        No("DELETE /api/v1/quotes", "404"),
    ),
    row(
        "cancel of quotes, all",
        Yes("Z 117=Z 298=4 295=0", "b 117=Z 297=4"),
        NO_QUOTES,
        No("DELETE /api/v1/quotes", "404"),
    ),
    row(
        "cancel of quotes, of a security type",
        No("Z 117=Z 298=2 295=0", "j 380=0 372=Z"),
        NO_QUOTES,
        No("DELETE /api/v1/quotes", "404"),
    ),
    Row {
        feature: "security list",
        fix: [
            No("x 320=L 559=4", "3 373=11 372=x"),
            Yes("x 320=L 559=4", "y 560=0"),
            Yes("x 320=L 559=4", "y 560=0"),
        ],
        ouch: Unsaid("the feed's directory"),
        http: Yes("GET /api/v1/picture", "200 ABC XYZ"),
    },
    row(
        "security definition",
        Yes("c 320=D 321=0 55=ABC", "d 323=1 55=ABC"),
        Unsaid("the feed's directory"),
        Yes("GET /api/v1/picture", "200 ABC"),
    ),
    row(
        "security status",
        Yes("e 324=S 55=ABC 263=0", "f 326=17"),
        Unsaid("the feed's trading action"),
        Yes("GET /api/v1/picture", "200 phase"),
    ),
    row(
        "trading session status",
        Yes("g 335=T 263=0", "h 340=2"),
        Unsaid("system events tell it"),
        Yes("GET /healthz", "200 healthy"),
    ),
    row(
        "market data",
        Yes("V 262=M 263=0 264=1 267=1 269=1 146=1 55=ABC", "W 262=M 55=ABC"),
        Unsaid("the feed"),
        Yes("GET /api/v1/picture", "200 bids asks"),
    ),
    row(
        "market data of an unknown instrument",
        No("V 262=M 263=0 264=1 267=1 269=1 146=1 55=NOPE", "Y 281=0"),
        Unsaid("the feed"),
        No("GET /api/v1/picture/NOPE", "404"),
    ),
    row(
        "any other message",
        No("R 131=A 146=1 55=ABC", "j 380=3 372=R"),
        Unsaid("the connection is closed: it is no OUCH"),
        No("POST /api/v1/nothing", "404 nothing at this path"),
    ),
];

/// What a table row leaves out.
fn whole(message: &str, id: &str, version: Version) -> String {
    let (kind, rest) = message.split_once(' ').unwrap_or((message, ""));
    let mut fields: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
    let mut unless = |tag: &str, value: &str| {
        if !fields.iter().any(|field| field.starts_with(&format!("{tag}="))) {
            fields.push(format!("{tag}={value}"));
        }
    };
    match kind {
        "D" => {
            for (tag, value) in [("11", id), ("55", "ABC"), ("54", "1"), ("38", "10")] {
                unless(tag, value);
            }
        }
        "F" | "G" | "q" => unless("11", id),
        _ => {}
    }
    if version == Version::Fix42 && matches!(kind, "D" | "G") {
        unless("21", "1");
    }
    format!("{kind} {}", fields.join(" "))
}

fn with_book() -> (Exchange, FixClient) {
    let mut x = Exchange::ruled();
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    // A trade, so that there is something to trail.
    rival.play(
        &mut x,
        "> D 11=a 55=ABC 54=2 38=1 40=2 44=10.00\n< 8 150=0
         > D 11=b 55=ABC 54=1 38=1 40=2 44=10.00\n< 8 150=0\n< 8 150=F\n< 8 150=F
         > D 11=c 55=ABC 54=2 38=1000 40=2 44=10.00\n< 8 150=0",
    );
    (x, rival)
}

fn play_fix(version: Version) {
    let (mut x, _rival) = with_book();
    let mut client = FixClient::enter(&mut x, spoken(version, "FIXONE"));
    for (number, row) in ROWS.iter().enumerate() {
        let (Yes(message, answer) | No(message, answer)) = row.fix[version as usize] else {
            continue;
        };
        client.send(&x, &whole(message, &format!("m{number}"), version));
        let told = client.expect_any(&mut x);
        let fits = answer.split('|').any(|answer| {
            answer.split_whitespace().enumerate().all(|(at, wanted)| {
                // In FIX 4.2 later reasons are the broker's option, and a status is told by 20.
                let wanted = match (at, version, wanted) {
                    (0, ..) => format!("35={wanted}"),
                    (_, Version::Fix42, "103=99" | "103=11") => "103=0".to_owned(),
                    (_, Version::Fix42, "150=I") => "20=3".to_owned(),
                    _ => wanted.to_owned(),
                };
                told.contains(&wanted)
            })
        });
        assert!(
            fits,
            "{}, {version:?}: {message} was answered by {told:?}, not {answer}",
            row.feature
        );
        // What else came of it, such as fills, ends before the answer to a cancel of nothing.
        let id = format!("x{number}");
        client.send(&x, &format!("F 11={id} 41=never 55=ABC 54=1"));
        while !client.expect_any(&mut x).contains(&format!("11={id}")) {}
    }
}

fn cell_text(cell: Cell) -> String {
    match cell {
        Yes(message, answer) => format!("`{}` → `{}`", message.replace('#', "n"), answer.replace('#', "n")),
        No(message, answer) => format!(
            "`{}` → refused: `{}`",
            message.replace('#', "n"),
            answer.replace('#', "n").replace('|', "` or `")
        ),
        Unsaid(why) => format!("not said: {why}"),
    }
}

fn document() -> String {
    let mut text = String::from(
        "# The door matrix\n\n\
         What the rulebook offers, by each door: the message that asks for it and the answer, or why not. Written from the table in\n\
         `tests/matrix.rs`, which plays every cell against the doors; `RIALTO_BLESS=1 cargo test -p rialto-gateway --test matrix`\n\
         writes it anew. `D` is an order of 10 ABC to buy, `O n` the same by OUCH under reference n; a sell order at 10.00 rests.\n\
         In FIX 4.2 a 103 of a later version is 0. HTTP: `price=9.00` is that member of the JSON of a POST to `/api/v1/orders`, which\n\
         otherwise buys 10 ABC; the answer is the status and words of its JSON. `tools/checks/http_matrix.py` plays this column, read from\n\
         here. Behind the door it is an OUCH session's order.\n\n\
         | feature | FIX 4.2 | FIX 4.4 | FIX 5.0 SP2 | OUCH 5.0 | HTTP |\n|---|---|---|---|---|---|\n",
    );
    for row in ROWS {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            row.feature,
            cell_text(row.fix[0]),
            cell_text(row.fix[1]),
            cell_text(row.fix[2]),
            cell_text(row.ouch),
            cell_text(row.http)
        );
    }
    text
}

#[test]
fn fix_4_2_says_what_the_table_says() {
    play_fix(Version::Fix42);
}

#[test]
fn fix_4_4_says_what_the_table_says() {
    play_fix(Version::Fix44);
}

#[test]
fn fix_5_0_sp2_says_what_the_table_says() {
    play_fix(Version::Fix50Sp2);
}

#[test]
fn ouch_says_what_the_table_says() {
    let (mut x, _rival) = with_book();
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.play(&mut x, "< S S");
    let mut reference = 0;
    for row in ROWS {
        let (Yes(message, answer) | No(message, answer)) = row.ouch else {
            continue;
        };
        reference += 1;
        let number = reference.to_string();
        client.send(&x, &message.replace('#', &number));
        let wanted = answer.replace('#', &number);
        x.until(row.feature, |x| {
            client.poll(x);
            !client.messages.is_empty()
        });
        let told = client.messages.remove(0).1;
        // `*` stands for the reference on the feed.
        let fits = match wanted.split_once(" * ") {
            Some((begin, end)) => told.starts_with(begin) && told.contains(end),
            None => told.starts_with(&wanted),
        };
        assert!(fits, "{}: {message} was answered by {told}, not {wanted}", row.feature);
        if message == "Q" {
            reference -= 1;
        }
        // What else came of it, such as fills, and the end of what rests.
        client.send(&x, &format!("X {reference} 0"));
        client.send(&x, "Q");
        x.until("the end of the row", |x| {
            client.poll(x);
            client.messages.last().is_some_and(|(_, text)| text.starts_with('Q'))
        });
        client.messages.clear();
    }
}

#[test]
fn the_document_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/MATRIX.md");
    if std::env::var_os("RIALTO_BLESS").is_some() {
        std::fs::write(path, document()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == document(),
        "MATRIX.md is not what the table says: run with RIALTO_BLESS=1"
    );
}
