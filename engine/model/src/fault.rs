//! Faults on purpose: what an operator breaks, under a name and from a seed.
//!
//! Every fault is a sequenced command, so that the stream says what was broken when. Three kinds change what the engine
//! says ([`FaultKind::Reject`], [`FaultKind::HaltedSymbol`]) or how commands are stamped ([`FaultKind::ClockStep`]); the
//! others touch an edge of the venue alone, which decides by the fault's seed.

use crate::codec::byte_enum;
use crate::command::AddFault;
use crate::ids::{InstrumentId, SequenceNumber, SessionId};

byte_enum! {
    /// What is broken.
    FaultKind {
        /// What the members are told comes late: by `delay`, and up to `jitter` more. Order is kept.
        Latency = 1,
        /// A message to a member gets lost with `chance`.
        Drop = 2,
        /// A message to a member comes twice with `chance`.
        Duplicate = 3,
        /// A message to a member is held back with `chance`, up to `delay`, and later ones overtake it.
        Reorder = 4,
        /// With `chance` a message to a member is the last one: the connection breaks.
        Disconnect = 5,
        /// A new order is refused with `chance`.
        Reject = 6,
        /// A packet is not sent with `chance`, on `line` A (1) or B (2) or, each by itself, on both (0).
        MulticastGap = 7,
        /// What is written is safe late: by `delay`, and up to `jitter` more.
        SlowDisk = 8,
        /// A subscriber of the feed over QUIC is not written to.
        StalledSubscriber = 9,
        /// An instrument with a rulebook is halted; it goes back into its phase when the fault goes.
        HaltedSymbol = 10,
        /// The venue's clock is `delay` ahead, or `back`. Stamps never fall: stepped back, they stand until the clock has
        /// caught up.
        ClockStep = 11,
    }
}

/// A chance is so many parts of this.
pub const CHANCE_PARTS: u32 = 1_000_000;
/// The longest delay or jitter of messages and disk, in nanoseconds.
pub const FAULT_DELAY_MAX: u64 = 60_000_000_000;
/// The farthest step of the clock, in nanoseconds: a day.
pub const CLOCK_STEP_MAX: u64 = 86_400_000_000_000;

impl FaultKind {
    /// As people write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Drop => "drop",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::Disconnect => "disconnect",
            Self::Reject => "reject",
            Self::MulticastGap => "multicast-gap",
            Self::SlowDisk => "slow-disk",
            Self::StalledSubscriber => "stalled-subscriber",
            Self::HaltedSymbol => "halted-symbol",
            Self::ClockStep => "clock-step",
        }
    }

    /// Whether it is about one session, or all of them where none is named.
    #[must_use]
    pub const fn is_of_sessions(self) -> bool {
        matches!(
            self,
            Self::Latency
                | Self::Drop
                | Self::Duplicate
                | Self::Reorder
                | Self::Disconnect
                | Self::Reject
                | Self::StalledSubscriber
        )
    }
}

impl AddFault {
    /// Whether its fields are those of its kind, within bounds, and no others.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let Self {
            kind,
            session,
            instrument,
            line,
            chance,
            delay,
            jitter,
            back,
            ..
        } = *self;
        let by_chance = matches!(
            kind,
            FaultKind::Drop
                | FaultKind::Duplicate
                | FaultKind::Reorder
                | FaultKind::Disconnect
                | FaultKind::Reject
                | FaultKind::MulticastGap
        );
        let delay_max = match kind {
            FaultKind::Latency | FaultKind::SlowDisk | FaultKind::Reorder => FAULT_DELAY_MAX,
            FaultKind::ClockStep => CLOCK_STEP_MAX,
            _ => 0,
        };
        let jitters = matches!(kind, FaultKind::Latency | FaultKind::SlowDisk);
        let waits = delay_max == 0 || delay > 0 || (jitters && jitter > 0);
        !self.name.is_empty()
            && (kind.is_of_sessions() || session == SessionId(0))
            && (kind == FaultKind::HaltedSymbol) == (instrument != InstrumentId(0))
            && (line <= 2 && (line == 0 || kind == FaultKind::MulticastGap))
            && (by_chance == (chance > 0) && chance <= CHANCE_PARTS)
            && (waits && delay <= delay_max)
            && (jitter == 0 || (jitters && jitter <= FAULT_DELAY_MAX))
            && (!back || kind == FaultKind::ClockStep)
    }

    /// Whether it is about this session.
    #[must_use]
    pub const fn is_of(&self, session: SessionId) -> bool {
        self.kind.is_of_sessions() && (self.session.0 == 0 || self.session.0 == session.0)
    }

    /// Whether it may refuse orders of this session.
    #[must_use]
    pub fn refuses(&self, session: SessionId) -> bool {
        self.kind == FaultKind::Reject && self.is_of(session)
    }

    /// Whether its chance comes true at this command: a function of its seed and the number, so that a replay agrees.
    #[must_use]
    pub const fn strikes(&self, seq: SequenceNumber) -> bool {
        self.roll(seq) % (CHANCE_PARTS as u64) < self.chance as u64
    }

    const fn roll(&self, seq: SequenceNumber) -> u64 {
        // SplitMix64 (Steele, Lea, Flood, 2014), the number as its step.
        let mut value = self.seed.wrapping_add(seq.0.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// How much later than its delay something is, at this number: a function of the seed.
    #[must_use]
    pub const fn jitter_at(&self, seq: SequenceNumber) -> u64 {
        self.roll(seq) % (self.jitter.saturating_add(1))
    }

    /// What the clock is ahead by, in nanoseconds: negative where it is behind.
    #[must_use]
    pub const fn step_ns(&self) -> i64 {
        match (self.kind, self.back) {
            (FaultKind::ClockStep, false) => self.delay as i64,
            (FaultKind::ClockStep, true) => -(self.delay as i64),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    fn fault(kind: FaultKind) -> AddFault {
        AddFault {
            kind,
            seed: 7,
            name: Text::new(b"f").unwrap(),
            ..AddFault::default()
        }
    }

    #[test]
    fn each_kind_has_its_own_fields_and_no_others() {
        let sound = [
            AddFault {
                delay: 1,
                ..fault(FaultKind::Latency)
            },
            AddFault {
                jitter: 1,
                session: SessionId(3),
                ..fault(FaultKind::Latency)
            },
            AddFault {
                chance: 1,
                ..fault(FaultKind::Drop)
            },
            AddFault {
                chance: CHANCE_PARTS,
                ..fault(FaultKind::Duplicate)
            },
            AddFault {
                chance: 1,
                delay: 5,
                ..fault(FaultKind::Reorder)
            },
            AddFault {
                chance: 1,
                ..fault(FaultKind::Disconnect)
            },
            AddFault {
                chance: 1,
                ..fault(FaultKind::Reject)
            },
            AddFault {
                chance: 1,
                line: 2,
                ..fault(FaultKind::MulticastGap)
            },
            AddFault {
                delay: 1,
                ..fault(FaultKind::SlowDisk)
            },
            fault(FaultKind::StalledSubscriber),
            AddFault {
                instrument: InstrumentId(1),
                ..fault(FaultKind::HaltedSymbol)
            },
            AddFault {
                delay: 1,
                back: true,
                ..fault(FaultKind::ClockStep)
            },
        ];
        for one in sound {
            assert!(one.is_sound(), "{one:?}");
            assert!(
                !AddFault {
                    name: Text::EMPTY,
                    ..one
                }
                .is_sound(),
                "{one:?}"
            );
            assert!(!AddFault { line: 3, ..one }.is_sound(), "{one:?}");
            assert!(
                !AddFault {
                    chance: CHANCE_PARTS + 1,
                    ..one
                }
                .is_sound(),
                "{one:?}"
            );
            assert!(!AddFault { delay: u64::MAX, ..one }.is_sound(), "{one:?}");
            assert!(
                !AddFault {
                    jitter: u64::MAX,
                    ..one
                }
                .is_sound(),
                "{one:?}"
            );
            let halts = one.kind == FaultKind::HaltedSymbol;
            assert!(
                !AddFault {
                    instrument: InstrumentId(u16::from(!halts)),
                    ..one
                }
                .is_sound(),
                "{one:?}"
            );
            let other = AddFault {
                session: SessionId(9),
                ..one
            };
            assert_eq!(other.is_sound(), one.kind.is_of_sessions(), "{one:?}");
            assert_eq!(
                AddFault { back: true, ..one }.is_sound(),
                one.kind == FaultKind::ClockStep,
                "{one:?}"
            );
        }
        for kind in FaultKind::ALL {
            let bare = fault(*kind);
            assert_eq!(bare.is_sound(), *kind == FaultKind::StalledSubscriber, "{kind:?}");
        }
    }

    #[test]
    fn a_chance_comes_true_as_often_as_it_says() {
        let one = AddFault {
            chance: 250_000,
            ..fault(FaultKind::Reject)
        };
        let struck = (1..=40_000).filter(|seq| one.strikes(SequenceNumber(*seq))).count();
        assert!((9_500..10_500).contains(&struck), "{struck}");
        let certain = AddFault {
            chance: CHANCE_PARTS,
            ..one
        };
        assert!((1..1_000).all(|seq| certain.strikes(SequenceNumber(seq))));
    }
}
