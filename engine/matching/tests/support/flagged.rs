//! Flags and the runaway guard: the lines of event tables, and random commands.

use super::flow::Flow;
use rialto_model::command::*;
use rialto_model::flags::{Flag, Scope, TABLE, TableHash};
use rialto_model::*;

/// `flag 1 Set Firm 1 to 1`, `limits of 1 are 10 ms 5 orders`, `parent P of 1 is 100`, `trip 1`.
pub(crate) fn parse(words: &[&str]) -> Command {
    fn number<T: std::str::FromStr>(word: &str) -> T {
        word.parse().unwrap_or_else(|_| panic!("a number, not {word:?}"))
    }
    fn named<T: Copy + std::fmt::Debug>(all: &[T], word: &str) -> T {
        let found = all.iter().find(|one| format!("{one:?}") == word);
        *found.unwrap_or_else(|| panic!("none of {all:?}: {word}"))
    }
    match *words {
        ["flag", flag, act, target, id, "to", value] => SwitchFlag {
            change: FlagChange {
                flag: number(flag),
                act: named(FlagAct::ALL, act),
                target: named(FlagTarget::ALL, target),
                id: number(id),
                value: number(value),
                table: TableHash(0),
            },
        }
        .into(),
        ["limits", "of", firm, "are", window, "ms", orders, "orders"] => SetRunawayLimits {
            firm: FirmId(number(firm)),
            limits: RunawayLimits {
                window: number(window),
                orders: number(orders),
                notional: 0,
            },
        }
        .into(),
        ["parent", name, "of", firm, "is", quantity] => SetParent {
            firm: FirmId(number(firm)),
            quantity: Quantity(number(quantity)),
            name: Text::new(name.as_bytes()).expect("short"),
        }
        .into(),
        ["trip", firm] => TripRunaway {
            trip: RunawayTrip {
                firm: FirmId(number(firm)),
                cause: RunawayCause::Orders,
                judged: SequenceNumber(1),
                measured: 6,
                limit: 5,
            },
            parent: Text::EMPTY,
        }
        .into(),
        _ => panic!("not a line: {words:?}"),
    }
}

impl Flow {
    /// A switch of a flag, most of them valid.
    pub(crate) fn switch_flag(&mut self) -> Command {
        let sequenced: Vec<&Flag> = TABLE.iter().filter(|flag| flag.scope != Scope::Edge).collect();
        let flag = *self.random.pick(&sequenced);
        let mut change = FlagChange {
            flag: flag.number,
            act: *self
                .random
                .pick(&[FlagAct::Set, FlagAct::Set, FlagAct::Set, FlagAct::Clear]),
            target: *self.random.pick(FlagTarget::ALL),
            id: 0,
            value: 0,
            table: TableHash(self.random.below(3)),
        };
        change.id = match change.target {
            FlagTarget::Everyone => 0,
            FlagTarget::Share => self.random.below(10_200) as u32,
            _ => 1 + self.random.below(5) as u32,
        };
        if change.act == FlagAct::Set {
            change.value = self.random.below(flag.kind.variants() as u64) as u8;
        }
        match self.random.below(60) {
            0 => change.flag = 0,
            1 => change.flag = 999,
            2 => change.value = 16,
            3 => change.id = 65_537,
            4 => (change.target, change.id) = (FlagTarget::Everyone, 1),
            5 if self.retires && self.random.one_in(3) => {
                change = FlagChange {
                    flag: flag.number,
                    act: FlagAct::Retire,
                    ..FlagChange::default()
                };
            }
            _ => {}
        }
        SwitchFlag { change }.into()
    }

    /// What a firm may send, and what comes of it.
    pub(super) fn runaway(&mut self) -> Command {
        let firm = FirmId(self.random.below(5) as u32);
        let name = Text::new(self.random.pick(&["P1", "P2", "", "a/b"]).as_bytes()).expect("short");
        // A firm that is killed has no orders for a while: seldom.
        match self.random.below(46) {
            40..=45 => self.fault(name),
            0..=3 => RefuseProcess {
                table: TableHash(self.random.below(9)),
                wanted: TableHash(7),
                name,
            }
            .into(),
            4..=20 => SetRunawayLimits {
                firm,
                limits: RunawayLimits {
                    window: self.random.below(4) as u32 * 10 + u32::from(self.random.one_in(9)),
                    orders: self.random.below(3) as u32,
                    notional: self.random.below(2) * 1_000,
                },
            }
            .into(),
            21..=38 => SetParent {
                firm,
                quantity: Quantity(self.random.below(3) * 100),
                name,
            }
            .into(),
            _ => TripRunaway {
                trip: RunawayTrip {
                    firm,
                    cause: *self.random.pick(RunawayCause::ALL),
                    judged: SequenceNumber(self.seq),
                    measured: 9,
                    limit: 8,
                },
                parent: name,
            }
            .into(),
        }
    }

    /// Something is broken on purpose, or mended; a halt only for a while, for a halted book has no trades.
    fn fault(&mut self, name: Text) -> Command {
        let kind = *self.random.pick(FaultKind::ALL);
        if self.random.below(5) < 3 {
            return RemoveFault { name }.into();
        }
        let mut fault = AddFault {
            kind,
            seed: self.random.below(9),
            name,
            ..AddFault::default()
        };
        if kind.is_of_sessions() {
            fault.session = SessionId(self.random.below(5) as u32);
        }
        match kind {
            FaultKind::HaltedSymbol => fault.instrument = InstrumentId(self.random.below(4) as u16),
            FaultKind::Latency | FaultKind::SlowDisk | FaultKind::ClockStep => fault.delay = 1_000,
            FaultKind::StalledSubscriber => {}
            _ => fault.chance = 100_000,
        }
        if kind == FaultKind::Reorder {
            fault.delay = 1_000;
        }
        fault.into()
    }
}
