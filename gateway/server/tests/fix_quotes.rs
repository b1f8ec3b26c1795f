//! Market makers by FIX: mass quotes and their cancel, protection, pegs, and trades that are undone. What a client sends on the
//! left (`>`), what it must be told on the right (`<`). Every message told is held against the dictionary of its version.

mod support;

use rialto_fix::Version;
use rialto_model::command::{BustTrade, CorrectTrade, SetProtection};
use rialto_model::{Event, InstrumentId, Part, Price, Quantity, QuoteLimits};

use support::fix_client::{FixClient, config, spoken};
use support::{Exchange, FIX_ONE, Setup};

/// A market maker in this version, and a rival in FIX 4.4.
fn maker(version: Version) -> (Exchange, FixClient, FixClient) {
    let mut x = Exchange::ruled();
    let maker = FixClient::enter(&mut x, spoken(version, "FIXONE"));
    let rival = FixClient::enter(&mut x, config("FIXTWO"));
    (x, maker, rival)
}

/// One set of one entry on ABC: prices with ten to buy and to sell. FIX 4.2 wants the underlying of every set.
fn quote(id: &str, bid: &str, ask: &str) -> String {
    format!("i 117={id} 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC 132={bid} 133={ask} 134=10 135=10")
}

const VERSIONS: [Version; 3] = [Version::Fix42, Version::Fix44, Version::Fix50Sp2];

#[test]
fn quotes_are_answered_replaced_filled_and_cancelled() {
    for version in VERSIONS {
        let (mut x, mut client, mut rival) = maker(version);
        let fill = match version {
            Version::Fix42 => "8 150=1 20=0 39=1 11=Q2 !526 32=4 31=10.1 151=6 54=2",
            _ => "8 150=F 39=1 11=Q2 526=E 32=4 31=10.1 151=6 54=2 851=1",
        };
        client.play(
            &mut x,
            &format!(
                "> {}\n< b 117=Q1 297=0 !300 !296
                 > {}\n< b 117=Q2 297=0",
                quote("Q1", "9.90", "10.20"),
                quote("Q2", "9.90", "10.10")
            ),
        );
        rival.play(
            &mut x,
            "> D 11=a 55=ABC 54=1 38=4 40=2 44=10.10\n< 8 150=0\n< 8 150=F 31=10.1 32=4",
        );
        client.play(
            &mut x,
            &format!(
                "< {fill}
                 > Z 117=C1 298=1 295=1 55=ABC
                 < b 117=C1 297=1 58=2_sides_of_quotes_were_taken_off
                 > Z 117=C2 298=4 295=0
                 < b 117=C2 297=4 58=0_sides_of_quotes_were_taken_off"
            ),
        );
        rival.play(
            &mut x,
            "> D 11=b 55=ABC 54=1 38=4 40=2 44=10.10 59=3\n< 8 150=0\n< 8 150=4",
        );
        client.expect_nothing(&mut x, "LAST");
    }
}

#[test]
fn refused_entries_are_named_in_the_answer_by_the_clients_own_ids() {
    for (version, codes) in [
        (Version::Fix42, ["368=1", "368=8", "!300"]),
        (Version::Fix44, ["368=1", "368=8", "300=99"]),
        (Version::Fix50Sp2, ["368=1", "368=8", "300=99"]),
    ] {
        let (mut x, mut client, _rival) = maker(version);
        let [unknown, off_tick, nothing] = codes;
        // Two sets, one of more entries than a command holds: some good, some refused here, some by the engine.
        client.send(
            &x,
            "i 117=Q1 296=2 302=one 311=ABC 304=2 295=2 299=1 55=ABC 132=9.90 133=10.10 134=10 135=10 299=2 55=NOPE 132=1 134=1 \
             302=two 311=ABC 304=2 295=2 299=3 55=ABC 132=9.905 134=1 299=4 55=XYZ 132=9.90 134=5",
        );
        let told = client.expect(&mut x, &format!("b 117=Q1 297=0 !300 {unknown} {off_tick}"));
        let group: Vec<&str> = told
            .iter()
            .filter(|field| {
                ["296=", "302=", "295=", "299=", "55="]
                    .iter()
                    .any(|tag| field.starts_with(tag))
            })
            .map(String::as_str)
            .collect();
        assert_eq!(
            group,
            [
                "296=2", "302=one", "295=1", "299=2", "302=two", "295=2", "299=3", "55=ABC", "299=4", "55=XYZ"
            ]
        );
        // All of them refused: the message is.
        client.play(
            &mut x,
            &format!(
                "> i 117=Q2 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC 132=10.00 134=1 133=10.00 135=1
                 < b 117=Q2 297=5 368=7
                 > i 117=Q3 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC 132=9.00
                 < b 117=Q3 297=5 {nothing}"
            ),
        );
        client.expect_nothing(&mut x, "LAST");
    }
}

#[test]
fn many_entries_are_one_message_and_one_answer() {
    let (mut x, mut client, _rival) = maker(Version::Fix44);
    let mut many = String::from("i 117=MANY 296=1 302=S 311=ABC 304=50 295=50");
    for entry in 0..50 {
        many.push_str(&format!(" 299={entry} 55=ABC 132=9.{:02} 134=1", entry + 10));
    }
    let number = client.send(&x, &many);
    client.expect(&mut x, "b 117=MANY 297=0");
    client.expect_nothing(&mut x, "LAST");
    // Only the last of its commands says that the message came.
    let inbound: Vec<u32> = x
        .outputs
        .iter()
        .filter_map(|output| match &output.event.body {
            Event::MassQuoted(e) => Some(e.inbound.0),
            _ => None,
        })
        .collect();
    assert_eq!(inbound.len(), 50, "an instrument once a command");
    assert!(inbound[..49].iter().all(|inbound| *inbound == 0));
    assert_eq!(u64::from(inbound[49]), number.0);
}

#[test]
fn what_is_no_quote_is_refused_by_name() {
    let (mut x, mut client, _rival) = maker(Version::Fix44);
    let mut many = String::from("i 117=MANY 296=1 302=S 304=65 295=65");
    for entry in 0..65 {
        many.push_str(&format!(" 299={entry} 55=ABC 132=9 134=1"));
    }
    let long = "L".repeat(35);
    client.play(
        &mut x,
        &format!(
            "> i 117=A 301=3 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC
             < 3 371=301 373=5
             > i 117=A 537=0 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC
             < j 380=0 372=i 58=QuoteType(537)_is_not_offered:_quotes_are_tradeable_here,_1
             > i 117=A 296=0
             < j 380=0 372=i
             > i 117={long} 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC
             < j 380=0 372=i
             > {many}
             < j 380=0 372=i
             > Z 117=A 298=2 295=1 55=ABC
             < j 380=0 372=Z
             > Z 117=A 298=1 295=1 55=NOPE
             < j 380=2 372=Z
             > Z 117=A 298=1
             < j 380=5 372=Z"
        ),
    );
    // Levels of response: none, refusals only.
    client.play(
        &mut x,
        "> i 117=none 301=0 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC 132=9 134=1
         > i 117=quiet 301=1 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC 132=9 134=1
         > i 117=loud 301=1 296=1 302=S 311=ABC 304=1 295=1 299=E 55=NOPE 132=9 134=1
         < b 117=loud 297=5 300=1",
    );
    client.expect_nothing(&mut x, "LAST");
}

#[test]
fn a_copy_of_quotes_is_not_taken_twice() {
    let (mut x, mut client, _rival) = maker(Version::Fix44);
    let copy = |id| quote(id, "9.90", "10.10").replace("i 117", "i 97=Y 117");
    client.play(&mut x, &format!("> {}\n< b 117=Q1 297=0", quote("Q1", "9.90", "10.10")));
    client.play(&mut x, &format!("> {}", copy("Q1")));
    client.expect_nothing(&mut x, "LAST");
    client.play(&mut x, &format!("> {}\n< b 117=Q2 297=0", copy("Q2")));
    client.expect_nothing(&mut x, "LAST2");
}

fn protect(x: &mut Exchange) {
    x.sequence(SetProtection {
        session: FIX_ONE,
        limits: QuoteLimits {
            window: 60_000,
            quantity: Part(5),
            count: 0,
            delta: Part(0),
        },
    });
    x.step();
}

#[test]
fn protection_trips_and_is_reset_by_the_next_quotes_that_ask_for_it() {
    for version in VERSIONS {
        let (mut x, mut client, mut rival) = maker(version);
        protect(&mut x);
        let (removed, fill) = match version {
            Version::Fix42 => ("297=1", "150=1"),
            _ => ("297=6", "150=F"),
        };
        client.play(&mut x, &format!("> {}\n< b 117=Q1 297=0", quote("Q1", "9.90", "10.10")));
        rival.play(
            &mut x,
            "> D 11=a 55=ABC 54=1 38=6 40=2 44=10.10\n< 8 150=0\n< 8 150=F 32=6",
        );
        client.play(
            &mut x,
            &format!(
                "< 8 {fill} 32=6 151=4 54=2
                 < b {removed} !117
                 < 8 150=4 39=4 11=Q1 54=1 14=0 151=0 58=market-maker_protection
                 < 8 150=4 39=4 11=Q1 54=2 14=6 151=0 58=market-maker_protection
                 > {}
                 < b 117=Q2 297=5
                 > {}
                 < b 117=Q3 297=0",
                quote("Q2", "9.90", "10.10"),
                quote("Q3", "9.90", "10.10").replace("i 117", "i 9773=Y 117"),
            ),
        );
        client.expect_nothing(&mut x, "LAST");
    }
}

#[test]
fn after_a_kill_the_answers_are_said_again_as_they_were_and_numbers_go_on() {
    let (mut x, mut client, mut rival) = maker(Version::Fix44);
    protect(&mut x);
    client.play(&mut x, &format!("> {}\n< b 117=Q1 297=0", quote("Q1", "9.90", "10.10")));
    rival.play(&mut x, "> D 11=a 55=ABC 54=1 38=2 40=2 44=10.10\n< 8 150=0\n< 8 150=F");
    let fill = client.expect(&mut x, "8 150=F 11=Q1 526=E 14=2 151=8");
    client.send(
        &x,
        "i 117=Q2 296=1 302=S 311=ABC 304=2 295=2 299=1 55=ABC 132=9.80 134=3 299=2 55=NOPE 132=1 134=1",
    );
    let answer = client.expect(&mut x, "b 117=Q2 297=0 299=2 368=1");
    let after_logon = client.client.next_outbound();
    let mut crashed = x.crashed(Setup::default());
    let x = &mut crashed;
    let again = rialto_fix::client::ClientConfig {
        next_outbound: after_logon,
        ..config("FIXONE")
    };
    // Who has seen nothing asks for everything.
    let mut client = FixClient::enter(x, again);
    let same = |one: &[String], other: &[String]| {
        let rest = |message: &[String]| -> Vec<String> {
            let own = |field: &&String| {
                !["9=", "10=", "43=", "52=", "122="]
                    .iter()
                    .any(|tag| field.starts_with(tag))
            };
            message.iter().filter(own).cloned().collect()
        };
        assert_eq!(rest(one), rest(other));
    };
    client.expect(x, "b 117=Q1 297=0");
    same(&client.expect(x, "8 150=F"), &fill);
    same(&client.expect(x, "b 117=Q2"), &answer);
    // The quotes went with the session.
    client.play(
        x,
        "< 8 150=4 11=Q2 54=1 58=the_session_was_lost
         > i 117=Q3 296=1 302=S 311=ABC 304=1 295=1 299=E 55=ABC 132=9.70 134=3
         < b 117=Q3 297=0",
    );
    client.expect_nothing(x, "LAST");
}

#[test]
fn pegs_follow_the_market_up_to_their_limit() {
    for version in VERSIONS {
        let (mut x, mut client, mut rival) = maker(version);
        let (more, at, reason) = match version {
            Version::Fix42 => ("21=1", ["!839", "!839", "!839"], "103=0"),
            _ => ("", ["839=9.9", "839=10", "839=10.03"], "103=11"),
        };
        rival.play(
            &mut x,
            "> D 11=bid 55=ABC 54=1 38=10 40=2 44=9.90\n< 8 150=0\n> D 11=ask 55=ABC 54=2 38=10 40=2 44=10.10\n< 8 150=0",
        );
        client.play(
            &mut x,
            &format!(
                "> D 11=primary 55=ABC 54=1 38=5 40=P 18=R 44=10.00 {more}
                 < 8 150=0 11=primary 40=P 18=R 44=10 {}
                 > D 11=middle 55=ABC 54=1 38=5 40=P 18=M 44=10.05 211=0 {more}
                 < 8 150=0 11=middle 40=P 18=M 44=10.05 {}",
                at[0], at[1]
            ),
        );
        rival.play(&mut x, "> D 11=better 55=ABC 54=1 38=10 40=2 44=9.96\n< 8 150=0");
        client.play(
            &mut x,
            &format!(
                "< 8 150=D 378=3 11=primary
                 < 8 150=D 378=3 11=middle {}",
                at[2]
            ),
        );
        client.play(
            &mut x,
            &format!(
                "> D 11=offset 55=ABC 54=1 38=5 40=P 18=R 44=10.00 211=0.01 {more}
                 < 8 150=8 {reason} 11=offset
                 > D 11=both 55=ABC 54=1 38=5 40=P 18=R_M 44=10.00 {more}
                 < 8 150=8 {reason} 11=both
                 > D 11=market 55=ABC 54=1 38=5 40=P 18=P 44=10.00 {more}
                 < 8 150=8 {reason} 11=market
                 > D 11=free 55=ABC 54=1 38=5 40=P 18=R {more}
                 < j 372=D
                 > D 11=limit 55=ABC 54=1 38=5 40=2 18=R 44=10.00 {more}
                 < 8 150=8 {reason} 11=limit"
            ),
        );
        client.expect_nothing(&mut x, "LAST");
    }
}

#[test]
fn a_trade_that_is_undone_or_corrected_is_told_to_both_parties() {
    for version in VERSIONS {
        let (mut x, mut client, mut rival) = maker(version);
        let more = if version == Version::Fix42 { "21=1" } else { "" };
        client.play(
            &mut x,
            &format!("> D 11=A 55=ABC 54=2 38=10 40=2 44=10.00 {more}\n< 8 150=0"),
        );
        rival.play(
            &mut x,
            "> D 11=a 55=ABC 54=1 38=4 40=2 44=10.00\n< 8 150=0\n< 8 150=F 39=2
             > D 11=b 55=ABC 54=1 38=6 40=2 44=10.00\n< 8 150=0\n< 8 150=F 39=2",
        );
        let ids: Vec<String> = [
            client.expect(&mut x, "8 11=A 14=4"),
            client.expect(&mut x, "8 11=A 14=10 39=2"),
        ]
        .iter()
        .map(|fill| fill.iter().find(|field| field.starts_with("17=")).unwrap()[3..].to_owned())
        .collect();
        let deals: Vec<_> = x
            .outputs
            .iter()
            .filter_map(|output| match &output.event.body {
                Event::Executed(e) => Some(e.deal()),
                _ => None,
            })
            .collect();
        x.sequence(CorrectTrade {
            instrument: InstrumentId(1),
            deal: deals[0],
            price: Price(95_000),
            quantity: Quantity(4),
        });
        x.sequence(BustTrade {
            instrument: InstrumentId(1),
            deal: deals[1],
        });
        x.step();
        let (corrected, busted) = match version {
            Version::Fix42 => ("20=2 150=2", "20=1 150=4"),
            _ => ("150=G", "150=H"),
        };
        client.play(
            &mut x,
            &format!(
                "< 8 {corrected} 39=2 11=A 19={} 31=9.5 32=4 14=10 6=9.8 151=0 38=10
                 < 8 {busted} 39=4 11=A 19={} 31=10 32=6 14=4 6=9.5 151=0 38=10",
                ids[0], ids[1]
            ),
        );
        rival.play(
            &mut x,
            "< 8 150=G 39=2 11=a 31=9.5 14=4 6=9.5
             < 8 150=H 39=4 11=b 14=0 151=0 38=6",
        );
        client.expect_nothing(&mut x, "LAST");
        rival.expect_nothing(&mut x, "LAST");
    }
}

/// A small generator of its own (Marsaglia's xorshift), so that a seed means the same for ever.
struct Random(u64);

impl Random {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from[(self.0 % from.len() as u64) as usize]
    }
}

#[test]
fn whatever_values_quotes_and_pegs_have_the_door_goes_on() {
    const SEED: u64 = 0x5eed_0000_9007;
    eprintln!("seed {SEED:#x}");
    const NUMBERS: [&str; 12] = [
        "0",
        "1",
        "-1",
        "9.00",
        "9.99",
        "9.999999",
        "10.00",
        "4294967295",
        "4294967296",
        "99999999999999999999",
        "1e3",
        "+5",
    ];
    const IDS: [&str; 8] = [
        "1",
        "!23:1",
        "1:1",
        ":",
        "!",
        "Q",
        "aaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];
    const SYMBOLS: [&str; 4] = ["ABC", "XYZ", "NOPE", "[N/A]"];
    let (mut x, mut client, mut rival) = maker(Version::Fix44);
    protect(&mut x);
    let mut random = Random(SEED);
    for round in 0..600 {
        let text = match round % 4 {
            0 | 1 => {
                let mut text = format!("i 117={}", random.pick(&IDS));
                text += random.pick(&[
                    "",
                    "",
                    "",
                    " 301=0",
                    " 301=1",
                    " 9773=Y",
                    " 97=Y",
                    " 537=1",
                    " 293=5 294=5",
                ]);
                text += " 296=2";
                for set in ["s", random.pick(&IDS)] {
                    text += &format!(" 302={set} 304=2 295=2");
                    for _ in 0..2 {
                        text += &format!(" 299={} 55={}", random.pick(&IDS), random.pick(&SYMBOLS));
                        for tag in [132, 133, 134, 135] {
                            if random.pick(&["y", "y", "y", "n"]) == "y" {
                                text += &format!(" {tag}={}", random.pick(&NUMBERS));
                            }
                        }
                    }
                }
                text
            }
            2 => format!(
                "Z 117={} 298={} 295=1 55={}",
                random.pick(&IDS),
                random.pick(&["1", "2", "4"]),
                random.pick(&SYMBOLS)
            ),
            _ => format!(
                "D 11=d{round} 55={} 54={} 38={} 40=P 18={} 44={} 211={}",
                random.pick(&SYMBOLS),
                random.pick(&["1", "2", "5"]),
                random.pick(&NUMBERS),
                random.pick(&["R", "M", "P", "L", "R_M"]),
                random.pick(&NUMBERS),
                random.pick(&NUMBERS)
            ),
        };
        client.send(&x, &text);
        if round % 20 == 19 {
            rival.send(&x, &format!("D 11=r{round} 55=ABC 54={} 38=3 40=1", 1 + round / 20 % 2));
            for (who, id) in [(&mut client, format!("c{round}")), (&mut rival, format!("c{round}"))] {
                who.send(&x, &format!("F 11={id} 41=never 55=ABC 54=1"));
                while !who.expect_any(&mut x).contains(&format!("11={id}")) {}
            }
        }
    }
    // After a kill the same is said again, however odd it was.
    let told = client.client.next_inbound();
    let again = rialto_fix::client::ClientConfig {
        next_outbound: client.client.next_outbound(),
        ..config("FIXONE")
    };
    let mut crashed = x.crashed(Setup::default());
    let mut client = FixClient::enter(&mut crashed, again);
    client.expect_nothing_but_copies(&mut crashed, told.0);
}
