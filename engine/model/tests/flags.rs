//! The registry of flags: its rules, its dates, and who is within a share.

use rialto_model::flags::{
    Bits, Date, Flag, FlagTarget, Kind, Reason, Rule, Rules, Scope, Subject, TABLE, TOMBSTONES, Tombstone, bucket,
    by_key, by_number, hash_of, is_sound, table_hash,
};
use rialto_model::{FirmId, InstrumentId, SequenceNumber, SessionId};
use std::time::{SystemTime, UNIX_EPOCH};

/// The day of this run, or that of `SOURCE_DATE_EPOCH` (reproducible-builds.org) where an old commit is built again.
fn today() -> Date {
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => seconds.parse().expect("SOURCE_DATE_EPOCH is a number of seconds"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
    };
    Date::of_days((seconds / 86_400) as u32)
}

fn expired(table: &[Flag], today: Date) -> Vec<String> {
    let over = table.iter().filter(|flag| flag.expires < today);
    over.map(|flag| {
        let Flag {
            key, owner, expires, ..
        } = flag;
        format!("{key} of {owner} was to go by {expires}: settle it and leave a tombstone, or argue for a later day")
    })
    .collect()
}

#[test]
fn no_flag_is_past_its_expiry() {
    let expired = expired(TABLE, today());
    assert!(expired.is_empty(), "{}", expired.join("\n"));
}

#[test]
fn an_expired_flag_is_named_with_its_owner() {
    let day_after = Date::new(2027, 7, 1);
    let named = expired(&TABLE[..1], day_after);
    assert_eq!(
        named,
        [
            "matching.self-trade-by-account of matching was to go by 2027-06-30: settle it and leave a tombstone, or argue \
          for a later day"
        ]
    );
    assert!(expired(&TABLE[..1], Date::new(2027, 6, 30)).is_empty());
}

#[test]
fn days_are_counted_as_the_calendar_does() {
    for (days, day) in [
        (0, "1970-01-01"),
        (59, "1970-03-01"),
        (11_016, "2000-02-29"),
        (19_782, "2024-02-29"),
        (20_819, "2027-01-01"),
        (47_541, "2100-03-01"),
    ] {
        assert_eq!(Date::of_days(days).to_string(), day);
    }
}

fn one(number: u16, key: &'static str) -> Flag {
    Flag {
        number,
        key,
        ..TABLE[0]
    }
}

fn gone(number: u16, key: &'static str) -> Tombstone {
    let settled = "on";
    Tombstone { number, key, settled }
}

/// What a table is refused for; the same function runs over [`TABLE`] when it is compiled.
#[test]
fn a_table_that_breaks_a_rule_does_not_compile() {
    let refused = |table: &[Flag], tombstones: &[Tombstone]| {
        let (table, tombstones) = (table.to_vec(), tombstones.to_vec());
        let said = std::panic::catch_unwind(move || is_sound(&table, &tombstones)).unwrap_err();
        said.downcast_ref::<&str>().unwrap().to_string()
    };
    is_sound(&[one(1, "a"), one(3, "c")], &[gone(2, "b")]);
    assert!(refused(&[one(1, "a")], &[gone(2, "a")]).starts_with("a key of a retired flag"));
    assert!(refused(&[one(1, "a")], &[gone(1, "b")]).starts_with("a number of a retired flag"));
    assert!(refused(&[one(1, "a"), one(2, "a")], &[]).starts_with("a key stands there twice"));
    assert!(refused(&[one(1, "a"), one(1, "b")], &[]).starts_with("flags come in order"));
    assert!(refused(&[one(1, "a"), one(3, "b")], &[]).starts_with("a number is missing"));
    assert!(refused(&[], &[gone(1, "a"), gone(1, "b")]).starts_with("a number is missing"));
    assert!(refused(&[one(1, "A")], &[]).starts_with("a key has lower-case"));
    let kind = Kind::Switch { default: true };
    assert!(refused(&[Flag { kind, ..one(1, "a") }], &[]).starts_with("a sequenced flag has its first"));
    let owner = "";
    assert!(refused(&[Flag { owner, ..one(1, "a") }], &[]).starts_with("every flag has an owner"));
    is_sound(TABLE, TOMBSTONES);
}

#[test]
fn the_hash_is_of_what_a_flag_means() {
    assert_eq!(table_hash(), hash_of(TABLE, TOMBSTONES));
    let base = hash_of(&[one(1, "a")], &[]);
    let differs = |flag: Flag, tombstones: &[Tombstone]| assert_ne!(hash_of(&[flag], tombstones), base);
    differs(one(1, "b"), &[]);
    differs(one(2, "a"), &[]);
    differs(one(1, "a"), &[gone(2, "b")]);
    let variants = &["off", "on"];
    let kind = Kind::Choice { variants, default: 0 };
    differs(Flag { kind, ..one(1, "a") }, &[]);
    let scope = Scope::Instrument;
    differs(Flag { scope, ..one(1, "a") }, &[]);
    let (owner, expires) = ("somebody else", Date::new(2030, 1, 1));
    let amended = Flag {
        owner,
        expires,
        ..one(1, "a")
    };
    assert_eq!(hash_of(&[amended], &[]), base);
}

fn rule(target: FlagTarget, id: u32, value: u8) -> Rule {
    let since = SequenceNumber(u64::from(id) + 100);
    Rule {
        target,
        id,
        value,
        since,
    }
}

#[test]
fn the_closest_rule_decides() {
    let flag = by_key("matching.self-trade-by-account").unwrap();
    let subject = Subject::Session(SessionId(7), FirmId(3));
    // The least close first.
    let all = [
        rule(FlagTarget::Everyone, 0, 1),
        rule(FlagTarget::Share, 10_000, 0),
        rule(FlagTarget::Firm, 3, 1),
        rule(FlagTarget::Session, 7, 0),
    ];
    for closest in 0..all.len() {
        let mut rules = all[..=closest].to_vec();
        rules.extend([rule(FlagTarget::Firm, 4, 1), rule(FlagTarget::Session, 6, 1)]);
        rules.sort_by_key(|rule| (rule.target, rule.id));
        let decision = Rules(&rules).decide(flag, subject);
        assert_eq!(decision.reason, Reason::Rule(all[closest]));
        assert_eq!(decision.value, all[closest].value);
    }
    assert_eq!(Rules(&[]).decide(flag, subject).reason, Reason::Default);
    let none = rule(FlagTarget::Share, 0, 1);
    let bucket = bucket(flag.number, 7);
    let decision = Rules(&[none]).decide(flag, subject);
    assert_eq!(
        (decision.value, decision.reason),
        (0, Reason::BeyondShare { rule: none, bucket })
    );
}

/// Golden places: who is within a share is within it for ever.
#[test]
fn a_share_is_stable_and_grows() {
    let places: Vec<u32> = (1..=4).map(|id| bucket(1, id)).collect();
    assert_eq!(places, GOLDEN_PLACES);
    let ids = 1..=20_000u32;
    for flag in 1..=3 {
        for share in [0, 1, 500, 2_500, 10_000] {
            let within = ids.clone().filter(|id| bucket(flag, *id) < share).count() as u32;
            let expected = 2 * share;
            assert!(
                within.abs_diff(expected) <= 300,
                "{share} of ten thousand: {within} of 20000"
            );
        }
    }
    let both = ids
        .clone()
        .filter(|id| bucket(1, *id) < 5_000 && bucket(2, *id) < 5_000);
    assert!(both.count().abs_diff(5_000) < 300, "each flag has a share of its own");
}

const GOLDEN_PLACES: [u32; 4] = [3167, 514, 283, 4769];

#[test]
fn a_word_holds_every_flag_of_a_subject() {
    use rialto_model::flags::{COLLAR_ROUNDING, LEFTOVER_TO_LARGEST, SELF_TRADE_BY_ACCOUNT};
    let rounding = [rule(FlagTarget::Everyone, 0, 2)];
    let largest = [rule(FlagTarget::Instrument, 4, 1)];
    let by_account = [rule(FlagTarget::Everyone, 0, 1)];
    let rules = |number| match by_number(number).unwrap().key {
        "bands.collar-rounding" => &rounding[..],
        "allocation.leftover-to-largest" => &largest[..],
        _ => &by_account[..],
    };
    let four = Bits::compile(Subject::Instrument(InstrumentId(4)), rules);
    assert_eq!((four.value(COLLAR_ROUNDING), four.value(LEFTOVER_TO_LARGEST)), (2, 1));
    assert!(!four.is_on(SELF_TRADE_BY_ACCOUNT), "decided for sessions");
    let five = Bits::compile(Subject::Instrument(InstrumentId(5)), rules);
    assert!(five.is_on(COLLAR_ROUNDING) && !five.is_on(LEFTOVER_TO_LARGEST));
    let session = Bits::compile(Subject::Session(SessionId(1), FirmId(1)), rules);
    assert!(session.is_on(SELF_TRADE_BY_ACCOUNT) && !session.is_on(COLLAR_ROUNDING));
    assert!(Bits::compile(Subject::Instrument(InstrumentId(4)), |_| &[]).is_plain());
}
