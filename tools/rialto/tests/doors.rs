//! A door in another process: a share of the sessions comes in there, always the same ones; what they are told is what the
//! exchange's own door would have told them, before, meanwhile and after; and nobody is lost with it.

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;
use support::edge::{Process, Venue};
use support::member::Member;
use support::{PATIENCE, ask, complaint, until};

const FIRMS: usize = 4;
const EACH: usize = 3;

fn names() -> impl Iterator<Item = String> {
    support::edge::names(FIRMS * EACH)
}

/// Twelve OUCH sessions of four firms.
fn venue(more: &str) -> Venue {
    let each = "door = \"ouch\"\ncancel_on_disconnect = false";
    Venue::open("door", (FIRMS * EACH, EACH), each, more)
}

#[test]
fn a_share_of_the_sessions_comes_in_by_another_process_and_goes_back_with_nothing_lost() {
    let venue = venue("");
    let door = |act: &[&str]| venue.deploy(act);
    let status = || venue.status();
    let number = |line: &Value, name: &str| line[name].as_u64().unwrap_or_default();

    let none = complaint(&["deploy", "door", "share", "50", "--data", venue.place()]);
    assert!(none.contains("rialto door --follow"), "{none}");
    let mut process = Process::start(&venue, &[]);
    venue.until_open();

    // A firm whose messages are counted has no share there: who it is, and what to do.
    let limits = |firm: &str, set: &[&str]| {
        let line = ["member", "limits", "set", firm];
        let all = [&line[..], set, &["--data", venue.place()]].concat();
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let set = |set: &[&str]| ask(&limits("FRM1", set).iter().map(String::as_str).collect::<Vec<_>>());
    set(&["--orders-per-second", "5", "--orders-burst", "5", "--weight", "2"]);
    let share = ["deploy", "door", "share", "50", "--data", venue.place()];
    let refused = complaint(&share);
    assert!(
        refused.contains("FRM1 have budgets") && refused.contains("rialto member limits set FRM1"),
        "{refused}"
    );
    set(&["--orders-per-second", "0", "--orders-burst", "0"]);

    // Before there is a share, everybody comes in by the exchange's own door.
    let mut members: BTreeMap<String, Member> = BTreeMap::new();
    let come = |members: &mut BTreeMap<String, Member>| -> Vec<String> {
        let mut away = Vec::new();
        for name in names() {
            let before = number(&status()["candidate"], "handed");
            members.insert(name.clone(), Member::login(&venue.up.ready, &name));
            if number(&status()["candidate"], "handed") > before {
                away.push(name);
            }
        }
        away
    };
    assert_eq!(come(&mut members), Vec::<String>::new());
    for member in members.values_mut() {
        // The day's beginning and the order.
        member.hears(1);
        member.order(1, 2);
    }
    let mut told: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut leave = |members: &mut BTreeMap<String, Member>| {
        for (name, mut member) in std::mem::take(members) {
            let begun = Instant::now();
            while told.get(&name).is_some_and(|before| member.told.len() < before.len()) {
                assert!(begun.elapsed() < PATIENCE, "{name} is told less than before");
                let _ = member.next();
            }
            if let Some(before) = told.insert(name.clone(), member.told.clone()) {
                assert_eq!(
                    &member.told[..before.len()],
                    before,
                    "{name} is told the same by whichever door"
                );
            }
        }
    };

    let share = door(&["share", "50"]);
    assert_eq!(
        (&share["share"], &share["baseline"]),
        (&Value::from(50.0), &Value::from(0.0))
    );
    let budget = limits("FRM1", &["--orders-per-second", "5", "--orders-burst", "5"]);
    let refused = complaint(&budget.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(refused.contains("rialto deploy door back"), "{refused}");
    // Who is in stays where it is.
    assert_eq!(number(&status()["candidate"], "sessions_up"), 0);
    leave(&mut members);
    let away = come(&mut members);
    assert!(!away.is_empty() && away.len() < FIRMS * EACH, "{away:?}");
    for member in members.values_mut() {
        member.order(2, 3);
    }
    assert_eq!(number(&status()["candidate"], "sessions_up"), away.len() as u64);
    leave(&mut members);
    assert_eq!(come(&mut members), away, "the same sessions again");

    // A larger share takes nobody back, and none at all leaves who is in where they are.
    door(&["share", "75"]);
    leave(&mut members);
    let more = come(&mut members);
    assert!(away.iter().all(|name| more.contains(name)), "{away:?} {more:?}");
    let back = door(&["back"]);
    assert_eq!(back["share"], 0.0, "{back}");
    // Everybody who came in there since the share began, by whichever share, and what they ordered.
    let affected = &back["affected"];
    assert_eq!(affected["sessions"], Value::from(more.clone()), "{back}");
    assert_eq!(affected["instruments"], Value::from(vec!["ACME"]), "{back}");
    assert!(
        affected["firms"].as_array().is_some_and(|firms| !firms.is_empty()),
        "{back}"
    );
    assert!(
        number(affected, "after") > 0 && number(affected, "up_to") > number(affected, "after"),
        "{back}"
    );
    for member in members.values_mut() {
        member.order(3, 4);
    }
    leave(&mut members);
    assert_eq!(come(&mut members), Vec::<String>::new());
    for member in members.values_mut() {
        member.order(4, 5);
    }

    // A firm's sessions stay together.
    door(&["share", "50", "--by-firm"]);
    leave(&mut members);
    let away = come(&mut members);
    let firm = |name: &String| name[1..].parse::<usize>().expect("a number") / EACH;
    for name in &away {
        let together = away.iter().filter(|one| firm(one) == firm(name)).count();
        assert_eq!(together, EACH, "{away:?}");
    }

    // It dies: its sessions are lost in the stream, and come in by the exchange's own door though the share stands.
    door(&["share", "100"]);
    leave(&mut members);
    assert_eq!(come(&mut members).len(), FIRMS * EACH);
    for member in members.values_mut() {
        member.order(5, 6);
    }
    process.kill();
    for member in members.values_mut() {
        assert!(member.has_ended());
    }
    until("nobody in its place", || {
        (status()["candidate"] == Value::Null).then_some(())
    });
    leave(&mut members);
    assert_eq!(come(&mut members), Vec::<String>::new());
    for member in members.values_mut() {
        member.order(6, 7);
    }
    leave(&mut members);

    // Nothing that could be judged is a verdict against it.
    let mut process = Process::start(&venue, &["--name", "again"]);
    venue.until_open();
    door(&["share", "50"]);
    let verdict = door(&["judge"]);
    assert_eq!(verdict["passed"], false, "{verdict}");
    assert!(
        verdict["why"].as_str().expect("why").starts_with("missing data"),
        "{verdict}"
    );
    assert_eq!(status()["lanes"][0]["share"], 0.0);

    // The exchange ends while members are up behind it.
    door(&["share", "100"]);
    come(&mut members);
    let stream = venue.stop();
    for member in members.values_mut() {
        assert!(member.has_ended());
    }
    assert!(process.0.wait().expect("it ends").success());
    let count = |name: &str| stream.count(name);
    assert_eq!(
        count("SessionUp"),
        count("SessionLost"),
        "every session's loss is in the stream"
    );
    assert!(count("RouteDoor") >= 7 && count("JudgeDoor") == 1);
}

#[test]
fn a_candidate_is_judged_beside_the_old_build_and_stopped_when_it_dies() {
    let venue = venue("");
    let door = |act: &[&str]| venue.deploy(act);
    let status = || venue.status();
    let start = || {
        door(&[
            "start",
            "--build",
            env!("CARGO_BIN_EXE_rialto"),
            "--shares",
            "50",
            // All members are to come in while it lasts, on a loaded machine as well.
            "--bake",
            "10s",
        ]);
        until("a share", || (status()["lanes"][0]["share"] == 50.0).then_some(()));
    };
    let gone = || {
        until("both gone", || {
            let now = status();
            (now["candidate"] == Value::Null && now["baseline"] == Value::Null).then_some(())
        });
    };
    start();
    let mut members: Vec<Member> = names().map(|name| Member::login(&venue.up.ready, &name)).collect();
    let both = status();
    let handed = |which: &str| both[which]["handed"].as_u64().unwrap_or_default();
    assert_eq!(
        handed("candidate") + handed("baseline"),
        (FIRMS * EACH) as u64,
        "{both}"
    );
    assert!(handed("candidate") > 0 && handed("baseline") > 0, "{both}");
    let shares = &both["lanes"][0];
    assert_eq!(
        (&shares["share"], &shares["baseline"]),
        (&Value::from(50.0), &Value::from(50.0))
    );
    for member in &mut members {
        member.hears(1);
    }
    // Until there is enough to judge by; what the judge says of this machine's cost is its own affair.
    let mut user_ref = 0;
    let begun = Instant::now();
    let found = loop {
        assert!(begun.elapsed() < PATIENCE, "{}", status());
        let now = status();
        if now["run"]["phase"] != "baking" {
            break now;
        }
        for _ in 0..20 {
            user_ref += 1;
            // Those of a candidate that is stopped are lost with it.
            members.retain_mut(|member| member.asks(user_ref, user_ref as usize + 1));
        }
    };
    let verdict = &found["verdict"];
    let windows = verdict["windows"].as_array().expect("both");
    assert!(windows.iter().all(|count| count.as_u64() >= Some(20)), "{found}");
    assert!(
        verdict["cost"]["p"].is_number() && verdict["cost"]["dearer"].is_number(),
        "{found}"
    );
    let phase = if verdict["passed"] == true { "passed" } else { "stopped" };
    until("the end of it", || (status()["run"]["phase"] == phase).then_some(()));
    if phase == "passed" {
        assert_eq!(members.len(), FIRMS * EACH, "nobody is lost");
    }
    door(&["back"]);
    drop(members);
    gone();

    start();
    let pid = status()["candidate"]["pid"].to_string();
    assert!(
        Command::new("kill")
            .args(["-9", &pid])
            .status()
            .expect("kill")
            .success()
    );
    until("a stop", || (status()["run"]["phase"] == "stopped").then_some(()));
    let stopped = status();
    assert_eq!(stopped["lanes"][0]["share"], 0.0, "{stopped}");
    assert_eq!(stopped["verdict"]["passed"], false, "{stopped}");
    // Who was there when it died is named, and counted in the stream.
    let affected = &stopped["verdict"]["back"]["affected"];
    assert_eq!(affected["more_sessions"], 0, "{stopped}");
    let stream = venue.stop();
    let judged = stream.all("JudgeDoor").into_iter();
    let passed: Vec<&Value> = judged.map(|line| &line["fields"]["opinion"]["passed"]).collect();
    assert_eq!(passed, [&verdict["passed"], &Value::from(false)]);
}
