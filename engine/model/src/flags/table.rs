//! The registry of flags: the one file in which a flag begins and ends.
//!
//! A number and a key are given once and never again: a flag that goes leaves its row in [`TOMBSTONES`] and its number there.
//! What breaks a rule of the table (see [`super::is_sound`]) does not compile; a flag past its expiry fails the tests, by its
//! name and its owner's. A row is an argument that its flag will go: give it a date within a year.

use super::{Date, Flag, Kind, Scope, Tombstone};

/// Every flag of this build, in order of number.
pub const TABLE: &[Flag] = &[
    Flag {
        number: 1,
        key: "matching.self-trade-by-account",
        owner: "matching",
        purpose: "self-trade prevention keeps apart orders of one account instead of those of the whole firm",
        scope: Scope::Session,
        kind: Kind::SWITCH,
        expires: Date::new(2027, 6, 30),
    },
    Flag {
        number: 2,
        key: "bands.collar-rounding",
        owner: "market-integrity",
        purpose: "a collar that falls between two ticks lies on the tick within, beyond or nearest to it",
        scope: Scope::Instrument,
        kind: Kind::Choice {
            variants: &["within", "beyond", "nearest"],
            default: 0,
        },
        expires: Date::new(2027, 6, 30),
    },
    Flag {
        number: 3,
        key: "allocation.leftover-to-largest",
        owner: "matching",
        purpose: "what rounding leaves over in a pro-rata match goes to the largest orders instead of the oldest",
        scope: Scope::Instrument,
        kind: Kind::SWITCH,
        expires: Date::new(2027, 6, 30),
    },
    Flag {
        number: 4,
        key: "feed.heartbeat-ms",
        owner: "market-data",
        purpose: "after how many milliseconds of silence the feed sends a heartbeat; read when the exchange opens",
        scope: Scope::Edge,
        kind: Kind::Count {
            default: 1_000,
            min: 10,
            max: 60_000,
        },
        expires: Date::new(2027, 9, 30),
    },
    Flag {
        number: 5,
        key: "console.order-entry",
        owner: "console",
        purpose: "the console's desk takes orders",
        scope: Scope::Edge,
        kind: Kind::Switch { default: true },
        expires: Date::new(2027, 9, 30),
    },
];

/// Every flag that there was.
pub const TOMBSTONES: &[Tombstone] = &[];
