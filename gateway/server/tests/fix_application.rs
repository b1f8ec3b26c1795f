//! The application layer of FIX: instructions on orders, questions and their answers, mass cancels, market data. What a client
//! sends on the left (`>`), what it must be told on the right (`<`). Every message told is held against the dictionary.

mod support;

use rialto_fix::Version;
use rialto_model::command::SetPhase;
use rialto_model::{InstrumentId, Phase};

use support::fix_client::{FixClient, config, spoken};
use support::{Exchange, Setup};

#[track_caller]
fn alone(table: &str) {
    let mut x = Exchange::ruled();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.play(&mut x, table);
    client.expect_nothing(&mut x, "LAST");
}

#[test]
fn instructions_are_followed_and_stated() {
    alone(
        "> D 11=stop 55=ABC 54=1 38=10 40=3 99=12.00
         < 8 150=0 39=0 11=stop 40=3 99=12 !44
         > D 11=limit 55=ABC 54=1 38=10 40=4 99=12.00 44=12.50
         < 8 150=0 11=limit 40=4 99=12 44=12.5
         > D 11=berg 55=ABC 54=1 38=100 40=2 44=9.00 111=10
         < 8 150=0 11=berg 40=2 111=10
         > D 11=hidden 55=ABC 54=1 38=100 40=2 44=9.00 111=0
         < 8 150=0 11=hidden 111=0
         > D 11=gtd 55=ABC 54=1 38=100 40=2 44=9.00 59=6 432=20250101
         < 8 150=0 11=gtd 59=6 126=20250102-00:00:00.000
         > D 11=time 55=ABC 54=1 38=100 40=2 44=9.00 59=6 126=20241101-12:00:00
         < 8 150=0 11=time 59=6 126=20241101-12:00:00.000
         > D 11=past 55=ABC 54=1 38=100 40=2 44=9.00 59=6 432=20200101
         < 8 150=8 11=past 103=99
         > D 11=no-date 55=ABC 54=1 38=100 40=2 44=9.00 59=6
         < j 380=5 372=D
         > D 11=passive 55=ABC 54=1 38=1 40=2 44=9.00 18=6
         < 8 150=0 11=passive 18=6
         > D 11=close 55=ABC 54=1 38=1 40=2 44=9.00 59=7
         < 8 150=0 11=close 59=7
         > D 11=open 55=ABC 54=1 38=1 40=2 44=9.00 59=2
         < 8 150=8 11=open 103=2
         > D 11=trail 55=ABC 54=2 38=1 40=P 18=L 211=0.50
         < 8 150=8 11=trail 103=99
         > D 11=fok-min 55=ABC 54=1 38=9 40=2 44=9.00 59=4 110=5
         < 8 150=8 11=fok-min 103=11
         > D 11=both 55=ABC 54=1 38=9 40=2 44=9.00 99=8.00
         < 8 150=8 11=both 103=11
         > D 11=all-or-none 55=ABC 54=1 38=9 40=2 44=9.00 18=G
         < 8 150=8 11=all-or-none 103=11",
    );
}

#[test]
fn a_stop_that_is_reached_becomes_what_it_was_a_stop_for() {
    for (version, exec_type) in [
        (Version::Fix42, "150=D 378=4 21"),
        (Version::Fix44, "150=D 378=8"),
        (Version::Fix50Sp2, "150=L !378"),
    ] {
        let mut x = Exchange::ruled();
        let mut client = FixClient::enter(&mut x, spoken(version, "FIXONE"));
        let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
        let (exec_type, handled) = match exec_type.strip_suffix(" 21") {
            Some(exec_type) => (exec_type, "21=1"),
            None => (exec_type, ""),
        };
        client.play(
            &mut x,
            &format!(
                "> D 11=stop 55=ABC 54=1 38=10 40=4 99=10.00 44=11.00 {handled}
                 < 8 150=0 40=4 99=10"
            ),
        );
        rival.play(
            &mut x,
            "> D 11=A 55=ABC 54=2 38=1 40=2 44=10.00
             < 8 150=0
             > D 11=B 55=ABC 54=1 38=1 40=2 44=10.00
             < 8 150=0
             < 8 150=F\n< 8 150=F",
        );
        client.play(&mut x, &format!("< 8 {exec_type} 11=stop 40=2 44=11 !99"));
        client.expect_nothing(&mut x, "LAST");
    }
}

#[test]
fn a_replace_states_all_instructions_anew() {
    alone(
        "> D 11=A 55=ABC 54=1 38=100 40=2 44=9.00 111=10
         < 8 150=0 111=10
         > G 11=B 41=A 55=ABC 54=1 38=100 40=2 44=9.00 111=20
         < 8 150=5 11=B 41=A 111=20
         > G 11=C 41=B 55=ABC 54=1 38=100 40=2 44=9.00
         < 8 150=5 11=C 41=B !111
         > G 11=D 41=C 55=ABC 54=1 38=100 40=4 44=20.00 99=15.00
         < 8 150=5 11=D 41=C 40=4 99=15",
    );
}

#[test]
fn what_is_open_or_the_total_as_the_client_reads_its_quantity() {
    let mut x = Exchange::ruled();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    client.play(&mut x, "> D 11=A 55=ABC 54=1 38=10 40=2 44=9.00\n< 8 150=0");
    rival.play(&mut x, "> D 11=A 55=ABC 54=2 38=2 40=2 44=9.00\n< 8 150=0\n< 8 150=F");
    client.play(
        &mut x,
        "< 8 150=F 14=2 151=8
         > G 11=B 41=A 55=ABC 54=1 38=5 40=2 44=9.00 9768=N
         < 8 150=5 11=B 151=5 14=2 38=7
         > G 11=C 41=B 55=ABC 54=1 38=5 40=2 44=9.00
         < 8 150=5 11=C 151=3 14=2 38=5",
    );
}

#[test]
fn orders_are_asked_about() {
    let mut x = Exchange::ruled();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.play(
        &mut x,
        "> D 11=A 55=ABC 54=1 38=10 40=2 44=9.00
         < 8 150=0
         > D 11=B 55=XYZ 54=1 38=20 40=2 44=9.00
         < 8 150=0
         > H 11=A 55=ABC 54=1
         < 8 150=I 39=0 11=A 38=10 17=0 !584
         > H 11=nothing 55=ABC 54=1
         < 8 150=I 39=8 37=NONE 103=5
         > AF 584=all 585=7
         < 8 150=I 39=0 11=A 584=all 911=2 912=N
         < 8 150=I 39=0 11=B 584=all 911=2 912=Y
         > AF 584=one 585=1 55=XYZ
         < 8 150=I 11=B 584=one 911=1 912=Y
         > F 11=C 41=A 55=ABC 54=1
         < 8 150=4
         > H 11=A 55=ABC 54=1
         < 8 150=I 39=4 37=NONE
         > AF 584=none 585=1 55=ABC
         < 8 150=I 39=8 584=none 911=0 912=Y
         > AF 584=odd 585=3
         < j 380=0 372=AF
         > AF 584=odd 585=1 55=NOPE
         < j 380=2 372=AF",
    );
    client.expect_nothing(&mut x, "Z");
    // Answers are said once: who asks for them again is told that there was nothing.
    let mut crashed = x.crashed(Setup::default());
    let x = &mut crashed;
    let again = rialto_fix::client::ClientConfig {
        next_outbound: client.client.next_outbound(),
        ..config("FIXONE")
    };
    let mut client = FixClient::enter(x, again);
    client.play(x, "< 8 150=0 11=A\n< 8 150=0 11=B\n< 8 150=4 11=C\n< 9 11=Z");
}

#[test]
fn many_orders_are_told_under_few_notes() {
    let mut x = Exchange::ruled();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    for number in 0..300 {
        client.send(&x, &format!("D 11={number} 55=ABC 54=1 38=10 40=2 44=9.00"));
    }
    for number in 0..300 {
        client.expect(&mut x, &format!("8 150=0 11={number}"));
    }
    let before = x.commands.len();
    client.send(&x, "AF 584=all 585=7");
    for number in 0..300 {
        let last = if number == 299 { "Y" } else { "N" };
        client.expect(&mut x, &format!("8 150=I 11={number} 911=300 912={last}"));
    }
    assert_eq!(x.commands.len() - before, 3, "127 to a note");
    client.expect_nothing(&mut x, "Z");
}

#[test]
fn a_mass_cancel_is_answered_before_what_it_takes_off() {
    for version in [Version::Fix44, Version::Fix50Sp2] {
        let mut x = Exchange::ruled();
        let mut client = FixClient::enter(&mut x, spoken(version, "FIXONE"));
        client.play(
            &mut x,
            "> D 11=A 55=ABC 54=1 38=10 40=2 44=9.00
             < 8 150=0
             > D 11=B 55=XYZ 54=1 38=20 40=2 44=9.00
             < 8 150=0
             > D 11=C 55=ABC 54=2 38=20 40=2 44=19.00
             < 8 150=0
             > q 11=M1 530=1 55=ABC 54=1
             < r 11=M1 530=1 531=1 533=1
             < 8 150=4 39=4 11=A 58=mass_cancel
             > q 11=M2 530=7
             < r 11=M2 530=7 531=7 533=2
             < 8 150=4
             < 8 150=4
             > q 11=M3 530=7
             < r 11=M3 530=7 531=7 533=0
             > q 11=M3 530=7
             < j 372=q
             > q 11=M4 530=4
             < j 380=0 372=q
             > q 11=M5 530=1 55=NOPE
             < j 380=2 372=q",
        );
        client.expect_nothing(&mut x, "LAST");
    }
}

#[test]
fn instruments_and_the_day_are_asked_about() {
    alone(
        "> x 320=L 559=4
         < y 320=L 322=L 560=0 393=2 146=2 55=ABC 893=Y
         > x 320=L 559=0 55=XYZ
         < y 560=0 393=1 55=XYZ
         > x 320=L 559=0 55=NOPE
         < y 560=2
         > x 320=L 559=1
         < y 560=1
         > c 320=D 321=0 55=ABC
         < d 320=D 323=1 55=ABC
         > c 320=D 321=3
         < d 55=ABC
         < d 55=XYZ
         > c 320=D 321=0 55=NOPE
         < d 323=6 55=NOPE
         > c 320=D 321=2
         < j 372=c
         > g 335=T 263=0
         < h 335=T 336=1 340=2
         > e 324=S 55=ABC 263=0
         < f 324=S 55=ABC 326=17
         > e 324=S 55=NOPE 263=0
         < j 380=2 372=e",
    );
}

#[test]
fn versions_are_told_of_instruments_in_their_own_words() {
    let mut x = Exchange::ruled();
    let mut client = FixClient::enter(&mut x, spoken(Version::Fix42, "FIXONE"));
    client.play(
        &mut x,
        "> c 320=D 321=3
         < d 320=D 393=2 55=ABC
         < d 393=2 55=XYZ
         > g 335=T 263=0
         < h 340=2
         > H 11=A 55=ABC 54=1
         < 8 150=8 20=3 39=8
         > D 11=A 55=ABC 54=1 38=10 40=2 44=9.00 21=1
         < 8 150=0 20=0
         > H 11=A 55=ABC 54=1
         < 8 150=0 20=3 39=0
         > q 11=M 530=7
         < 3 372=q 373=11
         > x 320=L 559=4
         < 3 372=x 373=11
         > V 262=W 263=0 264=0 266=N 267=2 269=0 269=1 146=1 55=ABC
         < W 262=W 55=ABC 268=1 269=0 270=9 271=10 !278",
    );
    client.logout(&x);
    client.until_closed(&mut x);
    let mut client = FixClient::enter(
        &mut x,
        rialto_fix::client::ClientConfig {
            reset_numbers: true,
            ..spoken(Version::Fix50Sp2, "FIXONE")
        },
    );
    client.play(
        &mut x,
        "> x 320=L 559=4
         < y 320=L 560=0 393=2 55=ABC
         > c 320=D 321=0 55=ABC
         < d 323=1 55=ABC !393
         > D 11=B 55=ABC 54=1 38=10 40=2 44=9.00 1138=5
         < 8 150=0 1138=5 !111
         > D 11=C 55=ABC 54=1 38=10 40=2 44=9.00 2362=7
         < 8 150=0 11=C
         > V 262=W 263=0 264=0 266=N 267=2 269=0 269=1 146=1 55=ABC
         < W 268=3 269=0",
    );
}

#[test]
fn a_halt_is_told_to_who_watches() {
    let mut x = Exchange::ruled();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.play(&mut x, "> e 324=S 55=ABC 263=1\n< f 324=S 326=17");
    let phase = |phase| SetPhase {
        instrument: InstrumentId(1),
        phase,
    };
    x.sequence(phase(Phase::Halt));
    client.play(&mut x, "< f 324=S 55=ABC 326=2");
    x.sequence(phase(Phase::Continuous));
    client.play(&mut x, "< f 324=S 326=17\n> e 324=S 55=ABC 263=2");
    client.expect_nothing(&mut x, "A");
    x.sequence(phase(Phase::Halt));
    client.expect_nothing(&mut x, "B");
}

#[test]
fn the_book_is_told_as_levels_and_kept_up() {
    let mut x = Exchange::ruled();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    rival.play(
        &mut x,
        "> D 11=A 55=ABC 54=1 38=10 40=2 44=9.00\n< 8 150=0
         > D 11=B 55=ABC 54=1 38=5 40=2 44=9.00\n< 8 150=0
         > D 11=C 55=ABC 54=2 38=7 40=2 44=10.00\n< 8 150=0
         > D 11=berg 55=ABC 54=2 38=70 40=2 44=11.00 111=3\n< 8 150=0
         > D 11=dark 55=ABC 54=2 38=70 40=2 44=12.00 111=0\n< 8 150=0",
    );
    client.play(
        &mut x,
        "> V 262=M 263=1 264=0 265=1 266=Y 267=3 269=0 269=1 269=2 146=1 55=ABC
         < W 262=M 55=ABC 268=3 269=0 270=9 271=15 346=2 270=10 271=7 270=11 271=3",
    );
    rival.play(&mut x, "> F 11=D 41=A 55=ABC 54=1\n< 8 150=4");
    client.play(&mut x, "< X 262=M 268=1 279=1 269=0 55=ABC 270=9 271=5 346=1");
    rival.play(&mut x, "> F 11=E 41=B 55=ABC 54=1\n< 8 150=4");
    client.play(&mut x, "< X 268=1 279=2 269=0 270=9 !271");
    rival.play(
        &mut x,
        "> D 11=F 55=ABC 54=1 38=8 40=2 44=11.00 59=3\n< 8 150=0\n< 8 150=F\n< 8 150=F\n< 8 150=F\n< 8 150=F",
    );
    // Two trades, a level gone, one that shows less.
    client.play(
        &mut x,
        "< X 268=4 279=0 269=2 270=10 271=7 270=11 271=1 279=2 279=1 271=2",
    );
    client.play(&mut x, "> V 262=M 263=1 264=0 267=1 269=0 146=1 55=ABC\n< Y 262=M 281=1\n> V 262=M 263=2 264=0 267=1 269=0 146=1 55=ABC");
    rival.play(&mut x, "> D 11=G 55=ABC 54=1 38=8 40=2 44=8.00\n< 8 150=0");
    client.expect_nothing(&mut x, "A");
    assert!(x.counts(rialto_model::Door::Fix).held_back == 0);
}

#[test]
fn a_view_of_some_levels_is_told_what_comes_into_it() {
    let mut x = Exchange::ruled();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    rival.play(
        &mut x,
        "> D 11=A 55=ABC 54=1 38=10 40=2 44=9.00\n< 8 150=0
         > D 11=B 55=ABC 54=1 38=5 40=2 44=8.00\n< 8 150=0",
    );
    client.play(
        &mut x,
        "> V 262=top 263=1 264=1 267=2 269=0 269=1 146=1 55=ABC
         < W 262=top 268=1 270=9 271=10
         > V 262=full 263=1 264=1 265=0 267=2 269=0 269=1 146=1 55=ABC
         < W 262=full 268=1 270=9",
    );
    rival.play(&mut x, "> F 11=C 41=A 55=ABC 54=1\n< 8 150=4");
    let mut told = Vec::new();
    for _ in 0..2 {
        let message = client.expect_any(&mut x);
        told.push(message.iter().find(|field| field.starts_with("35=")).unwrap().clone());
        let wanted: &[&str] = match &*told[told.len() - 1] {
            "35=X" => &["262=top", "268=2", "279=2", "279=0", "270=8"],
            _ => &["262=full", "268=1", "270=8"],
        };
        assert!(
            wanted.iter().all(|field| message.contains(&(*field).to_owned())),
            "{message:?}"
        );
    }
    told.sort();
    assert_eq!(told, ["35=W", "35=X"]);
}

#[test]
fn requests_for_what_is_not_offered_are_refused_with_the_reason() {
    alone(
        "> V 262=A 263=1 264=0 267=1 269=0 146=1 55=NOPE
         < Y 262=A 281=0
         > V 262=A 263=1 264=5000 267=1 269=0 146=1 55=ABC
         < Y 281=5
         > V 262=A 263=1 264=0 267=1 269=7 146=1 55=ABC
         < Y 281=8
         > V 262=A 263=9 264=0 267=1 269=0 146=1 55=ABC
         < 3 373=5 371=263
         > R 131=Q 146=1 55=ABC
         < j 380=3 372=R",
    );
}
