//! Flags: variants of behaviour that are switched while the exchange runs.
//!
//! [`TABLE`] is the registry: what a build knows. [`table_hash`] is its hash, which every build states and which a process
//! that joins an exchange must share: no flag is ever turned on where a process that matters does not know it (SEC release
//! 34-70694, on what a reused flag and one stale server of eight cost).
//!
//! Two kinds, by [`Scope`]. A *sequenced* flag may change an output: it is decided for an instrument or a session, switched
//! by [`SwitchFlag`](crate::command::SwitchFlag) alone, and its first variant is how the engine behaves without it. An
//! *edge* flag changes nothing in the stream, and is read by gateway, feed and console from a provider of their own.
//!
//! [`Rules::decide`] says what holds for a subject, and why; [`Bits`] is what an engine reads: every flag of a subject in one
//! word.

mod rules;
mod table;

pub use rules::{Decision, Reason, Rule, Rules, Subject, bucket};
pub use table::{TABLE, TOMBSTONES};

use crate::codec::{DecodeError, Decoder, Encoder, Field, byte_enum, composite};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A flag of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Its name in the stream, from 1; never given twice.
    pub number: u16,
    /// Its name for people: words of lower-case letters, digits and `-`, joined by `.`; never given twice.
    pub key: &'static str,
    /// Who answers for it, and for its end.
    pub owner: &'static str,
    /// What it changes.
    pub purpose: &'static str,
    /// For what it is decided.
    pub scope: Scope,
    /// What it may be, and what it is by default.
    pub kind: Kind,
    /// The last day on which it may be in the source.
    pub expires: Date,
}

/// A flag that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The number it had.
    pub number: u16,
    /// The key it had.
    pub key: &'static str,
    /// Which of its variants the code has had since.
    pub settled: &'static str,
}

/// For what a flag is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Sequenced, for an instrument: targeted at everyone, an instrument or a share of the instruments.
    Instrument,
    /// Sequenced, for a session: targeted at everyone, a session, a firm or a share of the sessions.
    Session,
    /// At the edge: for a process, by its provider. Never in the stream.
    Edge,
}

/// The type of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Off or on.
    Switch {
        /// What it is by default.
        default: bool,
    },
    /// One of several.
    Choice {
        /// Their names.
        variants: &'static [&'static str],
        /// Which it is by default.
        default: u8,
    },
    /// A number; at the edge alone.
    Count {
        /// What it is by default.
        default: u64,
        /// The lowest.
        min: u64,
        /// The highest.
        max: u64,
    },
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The hash of a flag table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TableHash(pub u64);

byte_enum! {
    /// At what a rule of a flag is aimed.
    FlagTarget {
        /// At every subject.
        Everyone = 0,
        /// At one instrument, by its id.
        Instrument = 1,
        /// At every session of a firm, by its id.
        Firm = 2,
        /// At one session, by its id.
        Session = 3,
        /// At a share of the subjects: so many of ten thousand, always the same ones, and the same and more of a larger share.
        Share = 4,
    }
}

byte_enum! {
    /// What is done to a flag.
    FlagAct {
        /// A rule begins to hold, in place of one that is aimed at the same.
        Set = 0,
        /// A rule is taken away.
        Clear = 1,
        /// Every rule is taken away, and none is taken in any more.
        Retire = 2,
    }
}

composite! {
    /// What is done to a sequenced flag.
    FlagChange {
        /// Its number.
        flag: u16,
        /// What is done.
        act: FlagAct,
        /// At what a rule is aimed; for everyone where the flag is retired.
        target: FlagTarget,
        /// At which one, zero for everyone; at a share, how many of ten thousand.
        id: u32,
        /// Which variant it gives; zero where it is taken away.
        value: u8,
        /// The table of the build that asked for it: for who reads the stream, judged by nobody behind the sequencer.
        table: TableHash,
    }
}

impl Field for TableHash {
    const SIZE: usize = 8;
    fn put(&self, out: &mut Encoder<'_>) {
        self.0.put(out);
    }
    fn get(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        u64::get(input).map(Self)
    }
}

impl Kind {
    /// Off or on, off by default.
    pub const SWITCH: Self = Self::Switch { default: false };

    /// How many variants it has; none where it is a number.
    #[must_use]
    pub const fn variants(&self) -> usize {
        match self {
            Self::Switch { .. } => 2,
            Self::Choice { variants, .. } => variants.len(),
            Self::Count { .. } => 0,
        }
    }

    /// The name of a variant.
    #[must_use]
    pub fn variant(&self, value: u8) -> Option<&'static str> {
        match self {
            Self::Switch { .. } => ["off", "on"].get(usize::from(value)).copied(),
            Self::Choice { variants, .. } => variants.get(usize::from(value)).copied(),
            Self::Count { .. } => None,
        }
    }

    /// The variant of a name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<u8> {
        let values = 0..self.variants() as u8;
        values.into_iter().find(|value| self.variant(*value) == Some(name))
    }

    /// The name of the type.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Switch { .. } => "switch",
            Self::Choice { .. } => "choice",
            Self::Count { .. } => "count",
        }
    }

    /// Bits that hold a variant.
    const fn width(&self) -> u32 {
        usize::BITS - self.variants().saturating_sub(1).leading_zeros()
    }

    const fn starts_plain(&self) -> bool {
        matches!(self, Self::Switch { default: false } | Self::Choice { default: 0, .. })
    }

    const fn is_sound(&self) -> bool {
        match *self {
            Self::Switch { .. } => true,
            Self::Choice { variants, default } => {
                variants.len() >= 2 && variants.len() <= 16 && (default as usize) < variants.len()
            }
            Self::Count { default, min, max } => min <= default && default <= max,
        }
    }
}

impl Date {
    /// A day.
    ///
    /// # Panics
    /// Where there is no such month or day; in a table, when it is compiled.
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Self {
        assert!(month >= 1 && month <= 12 && day >= 1 && day <= 31, "no such day");
        Self { year, month, day }
    }

    /// The day so many days after 1970-01-01 (H. Hinnant, `civil_from_days`).
    #[must_use]
    pub const fn of_days(days: u32) -> Self {
        let shifted = days as u64 + 719_468;
        let era = shifted / 146_097;
        let of_era = shifted % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + (month <= 2) as u64;
        Self::new(year as u16, month as u8, day as u8)
    }
}

impl core::fmt::Display for Date {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl core::fmt::Display for TableHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The flag of a number, if this build has it.
#[must_use]
pub fn by_number(number: u16) -> Option<&'static Flag> {
    TABLE.iter().find(|flag| flag.number == number)
}

/// The flag of a key, if this build has it.
#[must_use]
pub fn by_key(key: &str) -> Option<&'static Flag> {
    TABLE.iter().find(|flag| flag.key == key)
}

/// Every flag of a subject in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Bits(pub u64);

/// Where a sequenced flag of this build stands in [`Bits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    shift: u32,
    mask: u64,
}

impl Bits {
    /// The variant of a flag.
    #[inline]
    #[must_use]
    pub const fn value(self, place: Place) -> u8 {
        (self.0 >> place.shift & place.mask) as u8
    }

    /// Whether a flag is on any other than its first variant.
    #[inline]
    #[must_use]
    pub const fn is_on(self, place: Place) -> bool {
        self.0 & place.mask << place.shift != 0
    }

    /// Whether no flag is.
    #[inline]
    #[must_use]
    pub const fn is_plain(self) -> bool {
        self.0 == 0
    }

    const fn put(&mut self, place: Place, value: u8) {
        self.0 = self.0 & !(place.mask << place.shift) | (value as u64 & place.mask) << place.shift;
    }
}

/// [`TABLE`] has it as number 1.
pub const SELF_TRADE_BY_ACCOUNT: Place = place("matching.self-trade-by-account");
/// [`TABLE`] has it as number 2.
pub const COLLAR_ROUNDING: Place = place("bands.collar-rounding");
/// [`TABLE`] has it as number 3.
pub const LEFTOVER_TO_LARGEST: Place = place("allocation.leftover-to-largest");

/// The place of the sequenced flag with a key.
const fn place(key: &str) -> Place {
    let (mut at, mut shift) = (0, 0);
    while at < TABLE.len() {
        let flag = &TABLE[at];
        if !matches!(flag.scope, Scope::Edge) {
            let width = flag.kind.width();
            if equal(flag.key, key) {
                return Place {
                    shift,
                    mask: (1 << width) - 1,
                };
            }
            shift += width;
        }
        at += 1;
    }
    panic!("no sequenced flag has this key")
}

/// Bits that the sequenced flags take.
const fn bits_taken() -> u32 {
    let (mut at, mut taken) = (0, 0);
    while at < TABLE.len() {
        if !matches!(TABLE[at].scope, Scope::Edge) {
            taken += TABLE[at].kind.width();
        }
        at += 1;
    }
    taken
}

const _: () = is_sound(TABLE, TOMBSTONES);
const _: () = assert!(
    bits_taken() <= u64::BITS,
    "the sequenced flags do not fit into one word"
);

/// The hash of this build's table: of what a flag means to who reads or switches it (number, key, scope, type, variants,
/// default) and of the tombstones. Owner, purpose and expiry may be amended without two builds becoming strangers.
#[must_use]
pub fn table_hash() -> TableHash {
    hash_of(TABLE, TOMBSTONES)
}

/// The hash of a table: xxh3, chained over each of its values under the hash before it as seed.
#[must_use]
pub fn hash_of(table: &[Flag], tombstones: &[Tombstone]) -> TableHash {
    let mut hash = 0;
    let mut take = |bytes: &[u8]| hash = xxh3_64_with_seed(bytes, hash);
    for flag in table {
        take(&flag.number.to_le_bytes());
        take(flag.key.as_bytes());
        take(match flag.scope {
            Scope::Instrument => b"instrument",
            Scope::Session => b"session",
            Scope::Edge => b"edge",
        });
        take(flag.kind.name().as_bytes());
        match flag.kind {
            Kind::Switch { default } => take(&[default.into()]),
            Kind::Choice { variants, default } => {
                variants.iter().for_each(|name| take(name.as_bytes()));
                take(&[default]);
            }
            Kind::Count { default, min, max } => [default, min, max].iter().for_each(|one| take(&one.to_le_bytes())),
        }
    }
    for gone in tombstones {
        take(&gone.number.to_le_bytes());
        take(gone.key.as_bytes());
        take(gone.settled.as_bytes());
    }
    TableHash(hash)
}

/// The rules of a table.
///
/// # Panics
/// With the rule that is broken, so that the build fails: numbers rise from 1 and, with those of the tombstones, leave none
/// out; no key and no number is there twice, nor in both lists; a sequenced flag is plain by default and no number.
pub const fn is_sound(table: &[Flag], tombstones: &[Tombstone]) {
    let mut at = 0;
    while at < table.len() {
        let flag = &table[at];
        assert!(is_key(flag.key), "a key has lower-case letters, digits, - and . alone");
        assert!(!flag.owner.is_empty(), "every flag has an owner");
        assert!(!flag.purpose.is_empty(), "every flag has a purpose");
        assert!(flag.kind.is_sound(), "a default outside of its type");
        if !matches!(flag.scope, Scope::Edge) {
            assert!(
                flag.kind.starts_plain(),
                "a sequenced flag has its first variant by default"
            );
        }
        if at > 0 {
            assert!(table[at - 1].number < flag.number, "flags come in order of number");
        }
        let mut other = 0;
        while other < at {
            assert!(!equal(table[other].key, flag.key), "a key stands there twice");
            other += 1;
        }
        let mut gone = 0;
        while gone < tombstones.len() {
            assert!(
                !equal(tombstones[gone].key, flag.key),
                "a key of a retired flag is used again"
            );
            assert!(
                tombstones[gone].number != flag.number,
                "a number of a retired flag is used again"
            );
            gone += 1;
        }
        at += 1;
    }
    let given = table.len() + tombstones.len();
    let mut number = 1;
    while number <= given {
        let mut seen = 0;
        let mut at = 0;
        while at < table.len() {
            seen += (table[at].number as usize == number) as usize;
            at += 1;
        }
        at = 0;
        while at < tombstones.len() {
            seen += (tombstones[at].number as usize == number) as usize;
            at += 1;
        }
        assert!(
            seen == 1,
            "a number is missing: a flag that goes leaves a tombstone, or a number is there twice"
        );
        number += 1;
    }
}

const fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes.len() <= crate::limits::TEXT_MAX
}

const fn equal(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
