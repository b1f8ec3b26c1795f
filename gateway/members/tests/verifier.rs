//! The verifier: right and wrong, at once and later, and full.

use std::time::{Duration, Instant};

use rialto_members::{Answer, Busy, Credentials, Desk, Password, Ticket, Verifier, WAITING_MAX};

fn password(text: &str) -> Password {
    Password::new(text.as_bytes()).unwrap()
}

/// Waits for the next answer. The bound is there so that a broken verifier fails the test and does not hang it.
fn answer(desk: &mut Desk) -> Answer {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = desk.poll() {
            return answer;
        }
        assert!(Instant::now() < end, "no answer in a minute");
        std::thread::yield_now();
    }
}

fn verifier() -> Verifier {
    let mut credentials = Credentials::new();
    credentials.add("ALPHA1", &password("hunter2")).unwrap();
    credentials.add("BETA01", &password("swordfish")).unwrap();
    Verifier::start(credentials).unwrap()
}

#[test]
fn each_question_is_answered_under_its_ticket() {
    let verifier = verifier();
    let mut desk = verifier.desk();
    let table = [
        ("ALPHA1", "hunter2", true),
        ("alpha1", "HUNTER2", true),
        (" alpha1 ", " hunter2 ", true),
        ("ALPHA1", "swordfish", false),
        ("BETA01", "swordfish", true),
        ("GAMMA1", "hunter2", false),
        ("", "hunter2", false),
        ("GAMMA1", "nobody", false),
    ];
    for (number, (name, given, granted)) in table.into_iter().enumerate() {
        let ticket = Ticket(number as u64);
        desk.ask(name.as_bytes(), password(given), ticket).unwrap();
        assert_eq!(answer(&mut desk), Answer { ticket, granted }, "{name:?} {given:?}");
    }
    assert_eq!(desk.poll(), None);
}

#[test]
fn a_full_queue_refuses_and_those_who_were_in_before_still_come_in() {
    let verifier = verifier();
    let (mut desk, mut other) = (verifier.desk(), verifier.desk());
    other.ask(b"ALPHA1", password("hunter2"), Ticket(1)).unwrap();
    assert!(answer(&mut other).granted);

    let taken = (0..2 * WAITING_MAX as u64)
        .take_while(|number| desk.ask(b"ALPHA1", password("guess"), Ticket(*number)).is_ok())
        .count();
    assert_eq!(taken, WAITING_MAX, "a desk has as many open as there is room for");
    assert_eq!(desk.ask(b"ALPHA1", password("guess"), Ticket(0)), Err(Busy::Full));

    other.ask(b"alpha1", password("Hunter2"), Ticket(2)).unwrap();
    let at_once = other.poll();
    assert_eq!(
        at_once,
        Some(Answer {
            ticket: Ticket(2),
            granted: true
        }),
        "without the thread"
    );

    for number in 0..taken as u64 {
        assert_eq!(
            answer(&mut desk),
            Answer {
                ticket: Ticket(number),
                granted: false
            }
        );
    }
    desk.ask(b"BETA01", password("swordfish"), Ticket(9)).unwrap();
    assert!(answer(&mut desk).granted, "there is room again");
}
