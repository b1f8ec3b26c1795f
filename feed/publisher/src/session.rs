//! The name of a day's session.

use rialto_itch::mold::Session;
use rialto_model::{TradingDay, VenueId};

/// The MoldUDP64 session of a venue's trading day: two digits of the venue's id, then `yyyymmdd`.
///
/// Venues whose ids are equal in the last two digits are told apart by their groups and ports alone.
#[must_use]
pub fn session_name(venue: VenueId, day: TradingDay) -> Session {
    let (year, month, day) = day.civil();
    let parts = [(venue.0, 2), (year, 4), (month, 2), (day, 2)];
    let mut number = parts.iter().fold(0u64, |number, &(part, digits)| {
        let room = 10u64.pow(digits);
        number * room + u64::from(part) % room
    });
    let mut name = [0; 10];
    for place in name.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
    Session(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_by_venue_and_date() {
        for (venue, date, name) in [
            (1, (2012, 6, 21), "0120120621"),
            (0, (1970, 1, 1), "0019700101"),
            (99, (9999, 12, 31), "9999991231"),
            (1_234, (2026, 11, 24), "3420261124"),
        ] {
            let day = TradingDay::from_civil(date.0, date.1, date.2).expect("a date");
            assert_eq!(session_name(VenueId(venue), day), Session::new(name).expect("a name"));
        }
        assert_eq!(
            session_name(VenueId(u32::MAX), TradingDay(u32::MAX)).to_string().len(),
            10
        );
    }
}
