//! Random limits of firms and accounts, tiers, and what else is kept of members; most of it valid, much of it tight.

use super::flow::Flow;
use rialto_model::command::*;
use rialto_model::member::{RECENT_ORDERS_MAX, SHARD_MAX};
use rialto_model::*;

impl Flow {
    /// Now and then a command about members.
    pub(super) fn limited_body(&mut self) -> Option<Command> {
        if !self.random.one_in(60) {
            return None;
        }
        // Accounts 1 and 2 are of firm 1, 3 of firm 2, 4 of firm 3; there is no firm 4 and no account 5.
        let account = AccountId(self.random.below(6) as u32);
        let firm = match account.0 {
            0 => FirmId(self.random.below(5) as u32),
            _ if self.random.one_in(20) => FirmId(self.random.below(4) as u32),
            1..=2 => FirmId(1),
            other => FirmId(other - 1),
        };
        Some(match self.random.below(13) {
            0..=6 => SetRiskLimits {
                firm,
                account,
                limits: self.risk_limits(),
            }
            .into(),
            7 => SetFeeTier {
                firm,
                tier: FeeTier {
                    maker_percent: 50 * self.random.below(12) as u16,
                    taker_percent: *self.random.pick(&[100, 33, 0]),
                },
            }
            .into(),
            8 => Act {
                actor: Actor::new("ops").expect("short"),
                subject: 40,
                digest: self.random.next(),
                why: Text::new(b"because").expect("short"),
            }
            .into(),
            9 => {
                let next = self.directory + 1;
                SetShard {
                    version: if self.random.one_in(6) { next / 2 } else { next },
                    firm,
                    account,
                    shard: ShardId(self.random.below(u64::from(SHARD_MAX) + 20) as u16),
                }
                .into()
            }
            10 => SetUser {
                user: UserId(self.random.below(9) as u32),
                firm,
                account,
                role: *self.random.pick(Role::ALL),
                name: Text::new(b"somebody").expect("short"),
            }
            .into(),
            11 => SetBudgets {
                firm,
                budgets: self.budgets(),
            }
            .into(),
            _ => SetService {
                firm,
                service: *self.random.pick(Service::ALL),
            }
            .into(),
        })
    }

    /// Some that cannot be kept to, and none now and then.
    fn budgets(&mut self) -> Budgets {
        if self.random.one_in(3) {
            return Budgets::default();
        }
        let orders = self.random.below(1_000) as u32;
        Budgets {
            orders_per_second: orders,
            orders_burst: self.random.below(3) as u32,
            cancels_per_second: self.random.below(2_000) as u32,
            cancels_burst: self.random.below(6) as u32,
            questions_per_second: *self.random.pick(&[0, 5, 1_000_000, 1_000_001]),
            questions_burst: 0,
            weight: self.random.below(18) as u8,
        }
    }

    /// One or two limits at a time, so that each is the one that is met.
    fn risk_limits(&mut self) -> RiskLimits {
        let mut limits = RiskLimits::default();
        for _ in 0..self.random.below(4) {
            let scale = 10u64.pow(self.random.below(8) as u32) * (1 + self.random.below(9));
            match self.random.below(8) {
                0 => limits.order_quantity = Quantity(scale),
                1 => limits.order_notional = Notional(scale * 1_000),
                2 => limits.collar = *self.random.pick(&[1, 100, 1_000, 5_000, 12_000]),
                3 => limits.open_orders = 1 + self.random.below(40) as u32,
                4 => limits.position = Quantity(scale),
                5 => limits.long_only = true,
                6 => limits.credit = Notional(scale * scale),
                _ => limits.duplicate_window = 1 + self.random.below(3) as u32,
            }
        }
        limits
    }
}

const _: () = assert!(
    RECENT_ORDERS_MAX == 256,
    "the naive engine has the number in words of its own"
);
