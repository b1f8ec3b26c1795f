//! What a market says anew is what was last said: for who joins by a snapshot.

use rialto_conflate::{Conflation, Numbered};
use rialto_itch::codes::{BreachedLevel, EventCode, RegShoAction, Reserved, TradingState};
use rialto_itch::mold::Session;
use rialto_itch::values::Seconds;
use rialto_itch::{
    Header, LuldAuctionCollar, Message, MwcbDeclineLevels, MwcbStatus, Price4, Price8, RegShoRestriction, Stock,
    StockLocate, StockTradingAction, SystemEvent, TradingReason,
};

#[test]
fn the_last_of_each_status_is_said_anew_and_none_outlives_its_day() {
    let stock = Stock::new("ACME").expect("a symbol");
    let venue = Header::default();
    let header = Header {
        locate: StockLocate(3),
        ..venue
    };
    let short = |action| RegShoRestriction { header, stock, action }.into();
    let collar: Message = LuldAuctionCollar {
        header,
        stock,
        reference_price: Price4::new(1_000_000).expect("a price"),
        upper_price: Price4::new(1_050_000).expect("a price"),
        lower_price: Price4::new(950_000).expect("a price"),
        extension: Seconds(0),
    }
    .into();
    let system: Message = SystemEvent {
        header: venue,
        event: EventCode::StartOfMessages,
    }
    .into();
    let levels: Message = MwcbDeclineLevels {
        header: venue,
        level_1: Price8(3),
        level_2: Price8(2),
        level_3: Price8(1),
    }
    .into();
    let breach: Message = MwcbStatus {
        header: venue,
        breached: BreachedLevel::Level1,
    }
    .into();
    let told = [
        system,
        levels,
        short(RegShoAction::RestrictedToday),
        collar,
        breach,
        short(RegShoAction::NoTest),
    ];
    let mut books = Conflation::new();
    books.begin(Session::new("DAY1").expect("a name"));
    for (sequence, message) in (1..).zip(told) {
        books.follow(&[Numbered { sequence, message }]);
    }
    let venue_wide: Vec<Message> = books.market().venue_wide().copied().collect();
    assert_eq!(venue_wide, [system, levels, breach]);
    let mut restated = Vec::new();
    books
        .market()
        .restate(StockLocate(3), venue, |message| restated.push(*message));
    assert_eq!(restated, [short(RegShoAction::NoTest), collar]);
    // Halted because of the breach: it stands. Trading again: neither it nor the collar does.
    let state = |state, reason: &[u8; 4]| -> Message {
        StockTradingAction {
            header,
            stock,
            state,
            reserved: Reserved,
            reason: TradingReason(*reason),
        }
        .into()
    };
    let (halted, trading) = (
        state(TradingState::Halted, b"MWC1"),
        state(TradingState::Trading, b"    "),
    );
    for (sequence, message, stands) in [(7, halted, 3), (8, trading, 2)] {
        books.follow(&[Numbered { sequence, message }]);
        assert_eq!(books.market().venue_wide().count(), stands);
        let mut restated = Vec::new();
        books
            .market()
            .restate(StockLocate(3), venue, |message| restated.push(*message));
        assert_eq!(restated, [message, short(RegShoAction::NoTest)]);
    }
    books.begin(Session::new("DAY2").expect("a name"));
    assert_eq!(books.market().venue_wide().count(), 0);
    assert_eq!(books.market().locates().count(), 0);
}
