//! Whether what a snapshot says of members can be.

use super::{Gauge, MembersState, Placed};
use alloc::collections::BTreeMap;
use rialto_model::member::{FEE_TIER_MAX, RECENT_ORDERS_MAX, SHARD_MAX, USER_MAX};
use rialto_model::{AccountId, Budgets, FeeTier, FirmId, RiskLimits, Service};

/// Positions stay below this in a snapshot, as executed quantities do.
const POSITION_MAX: u64 = 1 << 62;
/// What was paid stays below this: 2^38 executions of the highest worth.
const PAID_MAX: u128 = 1 << 100;

/// Whether a firm, or an account of it, is defined.
pub(crate) fn is_member(
    firms: impl Fn(FirmId) -> bool,
    accounts: &BTreeMap<AccountId, FirmId>,
    firm: FirmId,
    account: AccountId,
) -> bool {
    firms(firm) && (account.0 == 0 || accounts.get(&account) == Some(&firm))
}

pub(crate) const fn is_tier(tier: &FeeTier) -> bool {
    tier.maker_percent <= FEE_TIER_MAX && tier.taker_percent <= FEE_TIER_MAX
}

impl MembersState {
    /// What is wrong with it, if anything.
    pub(crate) fn fault(
        &self,
        firms: impl Fn(FirmId) -> bool + Copy,
        accounts: &BTreeMap<AccountId, FirmId>,
        instruments: usize,
    ) -> Option<&'static str> {
        let gauge_is_sound = |gauge: &Gauge| {
            is_member(firms, accounts, gauge.firm, gauge.account)
                && gauge.limits != RiskLimits::default()
                && gauge.paid.unsigned_abs() < PAID_MAX
                && gauge.positions.is_sorted_by(|one, other| one.0 < other.0)
                && gauge.positions.iter().all(|(instrument, position)| {
                    *position != 0
                        && position.unsigned_abs() < POSITION_MAX
                        && (1..=instruments).contains(&usize::from(instrument.0))
                })
                && gauge.recent.len() <= RECENT_ORDERS_MAX
                && gauge.recent.is_sorted_by_key(|recent| recent.stamp)
        };
        let placed_is_sound =
            |placed: &Placed| is_member(firms, accounts, placed.firm, placed.account) && placed.shard.0 <= SHARD_MAX;
        let checks = [
            (
                self.gauges.iter().all(gauge_is_sound)
                    && self
                        .gauges
                        .is_sorted_by(|one, other| (one.firm, one.account) < (other.firm, other.account)),
                "its limits of members are out of order, or nobody's, or what is counted is not allowed",
            ),
            (
                self.tiers
                    .iter()
                    .all(|(firm, tier)| firms(*firm) && is_tier(tier) && *tier != FeeTier::WHOLE)
                    && self.tiers.is_sorted_by(|one, other| one.0 < other.0),
                "its fee tiers are out of order, or nobody's, or not allowed",
            ),
            (
                self.shards.iter().all(placed_is_sound)
                    && self.shards.len() <= self.directory as usize
                    && self
                        .shards
                        .is_sorted_by(|one, other| (one.firm, one.account) < (other.firm, other.account)),
                "its directory of the member store is out of order, or of nobody",
            ),
            (
                self.users.iter().all(|one| {
                    (1..=USER_MAX).contains(&one.user.0)
                        && (one.firm.0 == 0 && one.account.0 == 0 || is_member(firms, accounts, one.firm, one.account))
                }) && self.users.is_sorted_by(|one, other| one.user < other.user),
                "its users are out of order, or nobody's",
            ),
            (
                self.services
                    .iter()
                    .all(|(firm, service)| firms(*firm) && *service != Service::Pool)
                    && self.services.is_sorted_by(|one, other| one.0 < other.0),
                "its services are out of order, or nobody's",
            ),
            (
                self.budgets
                    .iter()
                    .all(|(firm, budgets)| firms(*firm) && budgets.is_sound() && *budgets != Budgets::default())
                    && self.budgets.is_sorted_by(|one, other| one.0 < other.0),
                "its budgets are out of order, or nobody's, or not allowed",
            ),
        ];
        checks.into_iter().find(|(sound, _)| !sound).map(|(_, fault)| fault)
    }
}
