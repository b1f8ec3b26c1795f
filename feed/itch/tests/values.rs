//! Values at their limits.

use rialto_itch::{Mpid, Price4, Stock, TimeOfDay, ValueError};

#[test]
fn prices_fit_or_are_refused() {
    for units in [0, 1, 2_000_000_000] {
        assert_eq!(Price4::new(units).map(Price4::units), Ok(units as u32));
    }
    for units in [-1, 2_000_000_001, i64::from(u32::MAX) + 1, i64::MIN, i64::MAX] {
        assert_eq!(Price4::new(units), Err(ValueError::Price { units }));
    }
}

#[test]
fn times_fit_48_bits_or_are_refused() {
    for ns in [0, 86_400_000_000_000, (1 << 48) - 1] {
        assert_eq!(TimeOfDay::new(ns).map(TimeOfDay::ns), Ok(ns));
    }
    for ns in [1 << 48, u64::MAX] {
        assert_eq!(TimeOfDay::new(ns), Err(ValueError::Time { ns }));
    }
}

#[test]
fn text_is_padded_or_refused() {
    assert_eq!(Stock::new("GOOG"), Ok(Stock(*b"GOOG    ")));
    assert_eq!(Stock::new("ABCDEFGH"), Ok(Stock(*b"ABCDEFGH")));
    for refused in ["", "ABCDEFGHI", "A B", "Ü", "A\n"] {
        assert_eq!(Stock::new(refused), Err(ValueError::Text { max: 8 }), "{refused:?}");
    }
    assert_eq!(Mpid::new("ABCDE"), Err(ValueError::Text { max: 4 }));
    assert_eq!(
        (Stock(*b"GOOG    ").as_str(), Stock(*b"\xff       ").as_str()),
        (Some("GOOG"), None)
    );
    assert_eq!(Stock(*b"\x1b[2J    ").to_string(), "\\x1b[2J");
}

#[test]
fn a_price_is_shown_with_its_four_decimals() {
    for (units, shown) in [
        (0, "0.0000"),
        (7, "0.0007"),
        (1_002_500, "100.2500"),
        (2_000_000_000, "200000.0000"),
    ] {
        assert_eq!(Price4::new(units).expect("a price").to_string(), shown);
    }
}
