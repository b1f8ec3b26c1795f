//! What became of the recorded day in company: a pure judge of what the exchange said about the tape's orders.
//!
//! Under the policy *market* the tape's orders are orders like any other's, whoever trades with them really trades, and the
//! tape goes on as recorded, knowing of nobody: what it finds missing afterwards is counted. Under the policy *tape* what it
//! traded is kept apart ([`super::tape`]), and a trade of somebody else with that is a mistake of the exchange's rules. Under
//! either each trade with somebody else rests on an assumption.

use super::Assumption;
use serde::Serialize;
use std::collections::HashMap;

/// What the tape did with its order when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// A recorded order that rested, or the part of it that nobody may trade with but the tape.
    Add { kept: bool },
    /// A recorded execution of `shares` against the order `maker`.
    Take { maker: u32, shares: u32 },
}

/// One execution as the tape's session is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Execution {
    pub(super) user_ref: u32,
    pub(super) shares: u32,
    /// In units of 0.0001.
    pub(super) price: u64,
    pub(super) match_number: u64,
    /// The tape's order had rested.
    pub(super) rested: bool,
}

/// A trade of the tape with somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Meeting {
    /// Row of the book file behind which the tape's order was sent.
    pub(super) row: usize,
    pub(super) order: u32,
    pub(super) shares: u32,
    pub(super) price: u64,
    /// What the other did: `took` the tape's order, or `rested` and was taken.
    pub(super) other: &'static str,
    /// What has to be believed so that this fill would have come about on the recorded day.
    pub(super) rests_on: &'static str,
}

impl std::fmt::Display for Meeting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            row,
            shares,
            other,
            rests_on,
            ..
        } = self;
        let price = rialto_model::Price(i64::try_from(self.price).unwrap_or(i64::MAX));
        write!(
            f,
            "row {row}: you {other} {shares} at {price}. It rests on this: {rests_on}"
        )
    }
}

/// The counts in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Outcome {
    /// Executions of the tape with itself against the recorded order.
    pub(super) trades_as_recorded: u64,
    /// Executions of the tape with itself against another order than the recorded one.
    pub(super) trades_rearranged: u64,
    /// Executions with somebody else, and their shares.
    pub(super) trades_with_company: u64,
    pub(super) shares_with_company: u64,
    /// Recorded executions that found fewer shares than recorded, and the shares missing.
    pub(super) takes_short: u64,
    pub(super) shares_short: u64,
    /// Orders of the tape that the exchange refused.
    pub(super) refused: u64,
    /// Under the policy tape: executions with somebody else of what is kept apart.
    pub(super) kept_broken: u64,
}

const TOOK: &str =
    "the recorded order would have stood there for you, and whoever traded with it later would not have minded";
const RESTED: &str = "the recorded taker would have met your order first, by its price or its time";
const TOOK_LEFT: &str = "nobody traded with these shares on the day: they were taken back or left over";
const RESTED_LEFT: &str = "the recorded order came across yours, and nobody traded with these shares on the day: they would have been yours first";

/// Takes note of what is sent and what is said.
#[derive(Debug, Default)]
pub(super) struct Company {
    policy: Assumption,
    /// By user reference, the first at zero: what was sent, and behind which row.
    sent: Vec<(Sent, usize)>,
    /// Shares still missing of takes that are under way.
    missing: HashMap<u32, u32>,
    /// An execution of which the other side may be the tape's too: it would come next.
    pending: Option<Execution>,
    outcome: Outcome,
}

impl Company {
    pub(super) fn of(policy: Assumption) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// The next order of the tape is sent; its user reference is the number of orders so far.
    pub(super) fn sends(&mut self, what: Sent, row: usize) -> u32 {
        self.sent.push((what, row));
        let user_ref = self.sent.len() as u32;
        if let Sent::Take { shares, .. } = what {
            self.missing.insert(user_ref, shares);
        }
        user_ref
    }

    /// An execution; tells of the one before where that was with somebody else.
    pub(super) fn executed(&mut self, execution: Execution) -> Option<Meeting> {
        if let Some(missing) = self.missing.get_mut(&execution.user_ref) {
            *missing = missing.saturating_sub(execution.shares);
        }
        match self.pending {
            Some(other) if other.match_number == execution.match_number => {
                self.pending = None;
                let (maker, taker) = if execution.rested {
                    (execution, other)
                } else {
                    (other, execution)
                };
                let recorded = matches!(self.what(taker.user_ref), Some((Sent::Take { maker: named, .. }, _)) if named == maker.user_ref);
                if recorded {
                    self.outcome.trades_as_recorded += 1;
                } else {
                    self.outcome.trades_rearranged += 1;
                }
                None
            }
            _ => {
                let meeting = self.settle();
                self.pending = Some(execution);
                meeting
            }
        }
    }

    /// Nothing more will come of a take.
    pub(super) fn over(&mut self, user_ref: u32) {
        if let Some(missing) = self.missing.remove(&user_ref)
            && missing > 0
        {
            self.outcome.takes_short += 1;
            self.outcome.shares_short += u64::from(missing);
        }
    }

    /// An order of the tape was refused.
    pub(super) fn refused(&mut self, user_ref: u32) {
        self.outcome.refused += 1;
        self.missing.remove(&user_ref);
    }

    /// No other side of the last execution will come: it was with somebody else.
    pub(super) fn settle(&mut self) -> Option<Meeting> {
        let one = self.pending.take()?;
        self.outcome.trades_with_company += 1;
        self.outcome.shares_with_company += u64::from(one.shares);
        let (sent, row) = self.what(one.user_ref)?;
        let kept = !matches!(sent, Sent::Add { kept: false });
        self.outcome.kept_broken += u64::from(kept && self.policy == Assumption::Tape);
        let (other, rests_on) = match (self.policy, one.rested) {
            (Assumption::Market, true) => ("took", TOOK),
            (Assumption::Market, false) => ("rested", RESTED),
            (Assumption::Tape, true) => ("took", TOOK_LEFT),
            (Assumption::Tape, false) => ("rested", RESTED_LEFT),
        };
        Some(Meeting {
            row,
            order: one.user_ref,
            shares: one.shares,
            price: one.price,
            other,
            rests_on,
        })
    }

    /// Whether the exchange refused something, or let somebody trade with what is to be kept apart.
    pub(super) const fn is_broken(&self) -> bool {
        self.outcome.refused > 0 || self.outcome.kept_broken > 0
    }

    /// The counts so far.
    pub(super) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Orders sent so far.
    pub(super) fn orders(&self) -> usize {
        self.sent.len()
    }

    fn what(&self, user_ref: u32) -> Option<(Sent, usize)> {
        self.sent.get((user_ref as usize).checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execution(user_ref: u32, shares: u32, match_number: u64, rested: bool) -> Execution {
        Execution {
            user_ref,
            shares,
            price: 1_000_000,
            match_number,
            rested,
        }
    }

    #[test]
    fn a_trade_of_the_tape_with_itself_is_as_recorded_or_rearranged() {
        let mut company = Company::default();
        let first = company.sends(Sent::Add { kept: false }, 1);
        let second = company.sends(Sent::Add { kept: false }, 2);
        let take = company.sends(
            Sent::Take {
                maker: second,
                shares: 40,
            },
            3,
        );
        assert_eq!((first, second, take), (1, 2, 3));
        for (maker, match_number) in [(second, 1), (second, 2), (first, 3)] {
            assert_eq!(company.executed(execution(maker, 10, match_number, true)), None);
            assert_eq!(company.executed(execution(take, 10, match_number, false)), None);
        }
        company.over(take);
        let outcome = Outcome {
            trades_as_recorded: 2,
            trades_rearranged: 1,
            takes_short: 1,
            shares_short: 10,
            ..Outcome::default()
        };
        assert_eq!(company.outcome(), outcome);
    }

    #[test]
    fn a_trade_with_somebody_else_says_what_it_rests_on() {
        let mut company = Company::default();
        let order = company.sends(Sent::Add { kept: false }, 7);
        let take = company.sends(
            Sent::Take {
                maker: order,
                shares: 50,
            },
            8,
        );
        assert_eq!(
            company.executed(execution(order, 40, 1, true)),
            None,
            "the other side may be the tape's"
        );
        let taken = company.executed(execution(take, 50, 2, false)).expect("it was not");
        assert_eq!(
            (taken.row, taken.order, taken.shares, taken.other),
            (7, order, 40, "took")
        );
        let met = company.settle().expect("nor was this one");
        assert_eq!((met.row, met.order, met.shares, met.other), (8, take, 50, "rested"));
        assert_eq!(company.settle(), None);
        company.over(take);
        company.refused(order);
        let outcome = Outcome {
            trades_with_company: 2,
            shares_with_company: 90,
            refused: 1,
            ..Outcome::default()
        };
        assert_eq!(company.outcome(), outcome);
    }
}
