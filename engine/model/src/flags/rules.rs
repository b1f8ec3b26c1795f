//! What holds for whom: the rules of one flag, and the answer that they give.

use super::{Bits, Flag, FlagTarget, Scope, TABLE, place};
use crate::ids::{FirmId, InstrumentId, SequenceNumber, SessionId};

/// A rule of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// At what it is aimed.
    pub target: FlagTarget,
    /// At which one; at [`FlagTarget::Share`], how many of ten thousand.
    pub id: u32,
    /// Which variant it gives.
    pub value: u8,
    /// The command that set it.
    pub since: SequenceNumber,
}

/// The rules of one flag, in order of target and id.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a>(pub &'a [Rule]);

/// For what a flag is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An instrument.
    Instrument(InstrumentId),
    /// A session of a firm.
    Session(SessionId, FirmId),
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The variant.
    pub value: u8,
    /// Why.
    pub reason: Reason,
}

/// Why an answer is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No rule is aimed at the subject.
    Default,
    /// This rule is.
    Rule(Rule),
    /// There is a share, and the subject's place in ten thousand lies beyond it; no rule for everyone either.
    BeyondShare {
        /// The rule.
        rule: Rule,
        /// The subject's place.
        bucket: u32,
    },
}

impl Rules<'_> {
    /// What holds for a subject. What is aimed more closely goes first: the one instrument or session, its firm, its share,
    /// everyone; then the default.
    #[must_use]
    pub fn decide(&self, flag: &Flag, subject: Subject) -> Decision {
        let rule = |target, id| {
            let found = self
                .0
                .binary_search_by_key(&(target, id), |rule| (rule.target, rule.id));
            found.ok().and_then(|at| self.0.get(at))
        };
        let (own, firm, id) = match subject {
            Subject::Instrument(id) => (rule(FlagTarget::Instrument, u32::from(id.0)), None, u32::from(id.0)),
            Subject::Session(id, firm) => (rule(FlagTarget::Session, id.0), rule(FlagTarget::Firm, firm.0), id.0),
        };
        let bucket = bucket(flag.number, id);
        // The last in order, and there is one at most.
        let share = self.0.last().filter(|rule| rule.target == FlagTarget::Share);
        let within = share.filter(|rule| bucket < rule.id);
        let found = own.or(firm).or(within).or_else(|| rule(FlagTarget::Everyone, 0));
        match (found, share) {
            (Some(rule), _) => Decision {
                value: rule.value,
                reason: Reason::Rule(*rule),
            },
            (None, Some(rule)) => Decision {
                value: 0,
                reason: Reason::BeyondShare { rule: *rule, bucket },
            },
            (None, None) => Decision {
                value: 0,
                reason: Reason::Default,
            },
        }
    }
}

impl Scope {
    /// Whether a rule of a flag may be aimed at this.
    #[must_use]
    pub const fn takes(self, target: FlagTarget) -> bool {
        match self {
            Self::Instrument => matches!(
                target,
                FlagTarget::Everyone | FlagTarget::Instrument | FlagTarget::Share
            ),
            Self::Session => !matches!(target, FlagTarget::Instrument),
            Self::Edge => false,
        }
    }

    /// Whether a flag is decided for such a subject.
    #[must_use]
    pub const fn decides(self, subject: Subject) -> bool {
        matches!(
            (self, subject),
            (Self::Instrument, Subject::Instrument(_)) | (Self::Session, Subject::Session(..))
        )
    }
}

impl Bits {
    /// Every flag of a subject, where `rules` gives the rules of a flag by its number.
    #[must_use]
    pub fn compile<'a>(subject: Subject, rules: impl Fn(u16) -> &'a [Rule]) -> Self {
        let mut bits = Self::default();
        for flag in TABLE.iter().filter(|flag| flag.scope.decides(subject)) {
            let decision = Rules(rules(flag.number)).decide(flag, subject);
            bits.put(place(flag.key), decision.value);
        }
        bits
    }
}

/// The place of a subject among ten thousand, for a flag: its own for each flag, and the same for ever. The finalizer of
/// splitmix64 (Steele, Lea and Flood 2014) over the flag's number in the upper half of a word and the subject's id in the lower.
#[must_use]
pub const fn bucket(flag: u16, id: u32) -> u32 {
    let mut z = ((flag as u64) << 32 | id as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ z >> 31) % 10_000) as u32
}
