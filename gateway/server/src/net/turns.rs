//! Whose turn it is among the connections that have something to do: each firm's in turn, however many it has and however
//! much they send (weighted deficit round robin: Shreedhar and Varghese, "Efficient fair queuing using deficit round
//! robin", 1995).
//!
//! A turn is a quantum times the firm's weight, counted in messages taken in, or in commands where a message makes more
//! than one; a connection that has nothing to say still costs one. The last message of a turn may overdraw it, and the debt
//! is paid from the next turn. What is not used is not saved. Serving, which a poll does before and after it looks at the
//! sockets, is one turn for each firm that has something
//! to do: so a firm waits, from the moment its bytes are there, for at most one turn of each other firm, and what comes
//! meanwhile is seen behind it.
//!
//! **In company** turns are short. A turn is what everybody else waits for twice: until it is taken in, and until what it made has
//! passed the sequencer and the engine, which the doors share a thread with. So a firm has [`QUANTUM`] only while no other firm has
//! said anything for [`COMPANY_NS`], and [`QUANTUM_IN_COMPANY`] otherwise; and who has used up its turn has no second one in the same
//! poll. Who is alone waits for nobody, and long turns cost less.
//!
//! Who has not logged on yet shares one turn with all others who have not.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::HashMap;
use rialto_model::FirmId;

use crate::budget::FirmBudget;
use crate::limits::{COMPANY_NS, CONNECTIONS_PER_POLL, QUANTUM, QUANTUM_IN_COMPANY};

/// A firm's place among those who take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlowId(u32);

impl FlowId {
    /// Those who have not logged on.
    pub(crate) const STRANGERS: Self = Self(0);
}

#[derive(Debug, Default)]
struct Flow {
    /// What its turns are weighed by; `None`: nobody's.
    firm: Option<Arc<FirmBudget>>,
    /// Its connections that have something to do.
    waiting: VecDeque<u32>,
    /// It stands in the round, or it is its turn.
    active: bool,
    /// What the last turn was overdrawn by.
    debt: u32,
    /// The poll in which it last used up its turn.
    spent_in: u64,
}

/// The turns. There is a flow for each firm that ever logged on here, so no more than there are firms.
#[derive(Debug)]
pub(crate) struct Turns {
    flows: Vec<Flow>,
    by_firm: HashMap<FirmId, FlowId>,
    /// Those that have something to do, in the order of their turns.
    round: VecDeque<FlowId>,
    /// Which poll this is, and when it began.
    poll: u64,
    now_ns: u64,
    /// The two firms that messages were last taken in of, and when: the newest first.
    heard: [(FlowId, u64); 2],
}

/// A turn under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    flow: FlowId,
    /// What it may still take in.
    left: u32,
    overdrawn: u32,
    /// What was taken in.
    taken: u32,
    /// Connections that it may still serve: each at most once.
    connections: usize,
}

impl Turn {
    /// How many messages the next connection may have taken in.
    pub(crate) fn allowance(&self) -> usize {
        self.left as usize
    }

    /// So much was taken in of a connection.
    pub(crate) fn charge(&mut self, cost: u32) {
        self.taken = self.taken.saturating_add(cost);
        let cost = cost.max(1);
        self.overdrawn = cost.saturating_sub(self.left);
        self.left = self.left.saturating_sub(cost);
    }
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self {
            flows: vec![Flow::default()],
            by_firm: HashMap::default(),
            round: VecDeque::new(),
            poll: 0,
            now_ns: 0,
            heard: [(FlowId::STRANGERS, 0); 2],
        }
    }

    /// A poll begins.
    pub(crate) const fn begin_poll(&mut self, now_ns: u64) {
        self.poll += 1;
        self.now_ns = now_ns;
    }

    /// A firm's flow.
    pub(crate) fn flow_of(&mut self, firm: FirmId, budget: impl FnOnce() -> Arc<FirmBudget>) -> FlowId {
        *self.by_firm.entry(firm).or_insert_with(|| {
            let id = FlowId(u32::try_from(self.flows.len()).unwrap_or(0));
            self.flows.push(Flow {
                firm: Some(budget()),
                ..Flow::default()
            });
            id
        })
    }

    /// A connection has something to do.
    pub(crate) fn push(&mut self, id: FlowId, connection: u32) {
        let Some(flow) = self.flows.get_mut(id.0 as usize) else {
            return;
        };
        flow.waiting.push_back(connection);
        if !flow.active {
            flow.active = true;
            self.round.push_back(id);
        }
    }

    /// How many firms have something to do.
    pub(crate) fn due(&self) -> usize {
        self.round.len()
    }

    /// Begins the next turn. End it by [`end`](Self::end).
    pub(crate) fn begin(&mut self) -> Option<Turn> {
        let id = self.round.pop_front()?;
        let flow = self.flows.get_mut(id.0 as usize)?;
        let since_ns = self.now_ns.saturating_sub(COMPANY_NS);
        let mut others = self
            .heard
            .iter()
            .filter(|(other, _)| !matches!(*other, FlowId::STRANGERS) && *other != id);
        let in_company = others.any(|(_, at_ns)| *at_ns > since_ns);
        let weight = flow.firm.as_ref().map_or(1, |firm| firm.weight());
        let quantum = weight
            * match in_company {
                true if flow.spent_in == self.poll => 0,
                true => QUANTUM_IN_COMPANY,
                false => QUANTUM,
            };
        Some(Turn {
            flow: id,
            left: quantum.saturating_sub(flow.debt),
            overdrawn: flow.debt.saturating_sub(quantum),
            taken: 0,
            connections: flow.waiting.len().min(CONNECTIONS_PER_POLL),
        })
    }

    /// The next connection of a turn.
    pub(crate) fn next(&mut self, turn: &mut Turn) -> Option<u32> {
        if turn.left == 0 || turn.connections == 0 {
            return None;
        }
        turn.connections -= 1;
        self.flows.get_mut(turn.flow.0 as usize)?.waiting.pop_front()
    }

    /// Ends a turn.
    pub(crate) fn end(&mut self, turn: Turn) {
        let Some(flow) = self.flows.get_mut(turn.flow.0 as usize) else {
            return;
        };
        flow.active = !flow.waiting.is_empty();
        flow.debt = if flow.active { turn.overdrawn } else { 0 };
        if turn.left == 0 {
            flow.spent_in = self.poll;
        }
        if flow.active {
            self.round.push_back(turn.flow);
        }
        if turn.taken > 0 {
            if self.heard[0].0 != turn.flow {
                self.heard[1] = self.heard[0];
            }
            self.heard[0] = (turn.flow, self.now_ns);
        }
    }

    /// The next connection, whosever it is and out of turn: for who serves them all.
    pub(crate) fn pop(&mut self) -> Option<u32> {
        loop {
            let mut turn = self.begin()?;
            (turn.left, turn.overdrawn) = (1, 0);
            let next = self.next(&mut turn);
            self.end(turn);
            if next.is_some() {
                return next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::FirmBudgets;
    use rialto_model::event::BudgetsSet;
    use rialto_model::{Budgets, SequenceNumber, Timestamp};

    /// Firms whose connections always have more to say, or a given number of messages.
    struct Door {
        turns: Turns,
        budgets: FirmBudgets,
        flows: Vec<FlowId>,
        /// Of each connection: its firm, messages that wait, commands that each makes.
        connections: Vec<(usize, u64, u32)>,
        /// Messages taken in, by firm.
        taken: Vec<u64>,
        now_ns: u64,
    }

    impl Door {
        fn new(weights: &[u8]) -> Self {
            let (mut turns, budgets) = (Turns::new(), FirmBudgets::default());
            let flow = |(number, weight): (u32, &u8)| {
                let firm = FirmId(number);
                let set = BudgetsSet {
                    firm,
                    budgets: Budgets {
                        weight: *weight,
                        ..Budgets::default()
                    },
                };
                budgets.follow((SequenceNumber(1), Timestamp(0)), &set);
                turns.flow_of(firm, || budgets.of(firm))
            };
            let flows: Vec<FlowId> = (1..).zip(weights).map(flow).collect();
            Self {
                taken: vec![0; flows.len()],
                turns,
                budgets,
                flows,
                connections: Vec::new(),
                now_ns: 1_000_000_000,
            }
        }

        fn connect(&mut self, firm: usize, messages: u64, commands: u32) -> u32 {
            let number = self.connections.len() as u32;
            self.connections.push((firm, messages, commands));
            self.turns.push(self.flows[firm], number);
            number
        }

        /// One poll; shows every connection that was served, and how many messages that took.
        fn poll(&mut self, show: impl FnMut(&mut Self, u32, u64)) {
            self.now_ns += 1_000;
            self.turns.begin_poll(self.now_ns);
            self.serve(show);
        }

        /// Everybody has been heard of.
        fn warm(&mut self) {
            self.poll(|_, _, _| {});
            self.taken.fill(0);
        }

        /// One turn for each that has something to do.
        fn serve(&mut self, mut show: impl FnMut(&mut Self, u32, u64)) {
            for _ in 0..self.turns.due() {
                let Some(mut turn) = self.turns.begin() else { return };
                while let Some(number) = self.turns.next(&mut turn) {
                    let (firm, waiting, commands) = self.connections[number as usize];
                    // A door looks behind each message at what it made.
                    let fits = (turn.allowance() as u64).div_ceil(u64::from(commands)).max(1);
                    let count = waiting.min(fits);
                    self.connections[number as usize].1 -= count;
                    self.taken[firm] += count;
                    turn.charge((count as u32) * commands);
                    if waiting > count {
                        self.turns.push(self.flows[firm], number);
                    }
                    show(self, number, count);
                }
                self.turns.end(turn);
            }
        }
    }

    const MUCH: u64 = 1 << 40;

    #[test]
    fn a_quiet_firm_waits_for_at_most_one_quantum_of_each_other() {
        let mut door = Door::new(&[1, 1, 1]);
        for _ in 0..50 {
            door.connect(0, MUCH, 1);
        }
        for _ in 0..10 {
            door.connect(1, MUCH, 1);
        }
        door.warm();
        for poll in 0..1_000 {
            // The quiet firm's message comes at the worst moment: right behind the look at the sockets.
            let quiet = (poll % 7 == 0).then(|| door.connect(2, 1, 1));
            let (mut before, mut served) = (0, quiet.is_none());
            door.poll(|_, number, count| {
                served |= Some(number) == quiet;
                before += if served { 0 } else { count };
            });
            assert!(served, "poll {poll}: in the same poll");
            assert!(
                before <= 2 * u64::from(QUANTUM_IN_COMPANY),
                "poll {poll}: {before} messages before it"
            );
        }
        assert_eq!(door.taken[0], door.taken[1], "fifty connections have what ten have");
        assert_eq!(door.taken[2], 143);
    }

    #[test]
    fn weights_are_shares() {
        let mut door = Door::new(&[1, 4, 0]);
        for firm in 0..3 {
            for _ in 0..20 {
                door.connect(firm, MUCH, 1);
            }
        }
        door.warm();
        (0..1_000).for_each(|_| door.poll(|_, _, _| {}));
        let quantum = u64::from(QUANTUM_IN_COMPANY);
        assert_eq!(door.taken, [1_000 * quantum, 4_000 * quantum, 1_000 * quantum]);
        // Another weight holds from the next turn on.
        let set = BudgetsSet {
            firm: FirmId(2),
            budgets: Budgets::default(),
        };
        door.budgets.follow((SequenceNumber(2), Timestamp(0)), &set);
        (0..1_000).for_each(|_| door.poll(|_, _, _| {}));
        assert_eq!(door.taken, [2_000 * quantum, 5_000 * quantum, 2_000 * quantum]);
    }

    #[test]
    fn what_a_message_overdraws_is_paid_back() {
        // One message of quotes makes 100 commands, more than a quantum: in the long run both firms have as many commands.
        let mut door = Door::new(&[1, 1]);
        door.connect(0, MUCH, 100);
        door.connect(1, MUCH, 1);
        door.warm();
        (0..10_000).for_each(|_| door.poll(|_, _, _| {}));
        let (quotes, orders) = (door.taken[0] * 100, door.taken[1]);
        assert_eq!(orders, 10_000 * u64::from(QUANTUM_IN_COMPANY));
        assert!(quotes.abs_diff(orders) <= 200, "{quotes} and {orders}");
    }

    #[test]
    fn nothing_is_saved_up_and_nobody_is_served_twice_in_a_turn() {
        let mut door = Door::new(&[1, 1]);
        door.connect(0, MUCH, 1);
        (0..100).for_each(|_| door.poll(|_, _, _| {}));
        for _ in 0..5 {
            door.connect(1, MUCH, 1);
        }
        let before = door.taken.clone();
        door.poll(|_, _, _| {});
        assert_eq!(
            door.taken[1],
            u64::from(QUANTUM_IN_COMPANY),
            "no more than a turn after a long rest"
        );
        assert_eq!(door.taken[0] - before[0], u64::from(QUANTUM));
        let mut seen = Vec::new();
        let mut door = Door::new(&[1]);
        for messages in [40, 20, 10, 5] {
            door.connect(0, messages, 1);
        }
        door.poll(|_, number, count| seen.push((number, count)));
        assert_eq!(seen, [(0, 40), (1, 20), (2, 4)], "what the turn holds, each once");
        door.poll(|_, number, count| seen.push((number, count)));
        assert_eq!(seen[3..], [(3, 5), (2, 6)], "who was not served comes first");
    }

    #[test]
    fn turns_are_short_in_company_and_one_a_poll_where_they_are_used_up() {
        let mut door = Door::new(&[1, 1, 1]);
        door.connect(0, MUCH, 1);
        let (long, short) = (u64::from(QUANTUM), u64::from(QUANTUM_IN_COMPANY));
        let took = |door: &mut Door, serves: u32| {
            door.taken.fill(0);
            door.now_ns += 1_000;
            door.turns.begin_poll(door.now_ns);
            (0..serves).for_each(|_| door.serve(|_, _, _| {}));
            door.taken.clone()
        };
        assert_eq!(took(&mut door, 2), [2 * long, 0, 0], "alone, as often as it is served");
        door.connect(1, 1, 1);
        assert_eq!(took(&mut door, 1), [long, 1, 0], "nobody had been heard of");
        assert_eq!(took(&mut door, 2), [short, 0, 0]);
        // Who has something left of its turn is heard again in the same poll; who has not, is not.
        door.connect(1, 3, 1);
        door.taken.fill(0);
        door.now_ns += 1_000;
        door.turns.begin_poll(door.now_ns);
        door.serve(|_, _, _| {});
        door.connect(1, 2, 1);
        door.connect(2, MUCH, 1);
        door.serve(|_, _, _| {});
        assert_eq!(door.taken, [short, 5, short]);
        // Its debts are not forgiven in between.
        assert_eq!(took(&mut door, 3), [short, 0, short]);
        let mut quiet = Door::new(&[1, 1]);
        quiet.connect(0, MUCH, 1);
        quiet.connect(1, 1, 1);
        quiet.warm();
        assert_eq!(took(&mut quiet, 1), [short, 0]);
        quiet.now_ns += COMPANY_NS;
        assert_eq!(took(&mut quiet, 1), [long, 0], "silent for long enough");
    }

    #[test]
    fn out_of_turn_everybody_comes_once() {
        let mut door = Door::new(&[1, 1]);
        let numbers: Vec<u32> = (0..6).map(|number| door.connect(number % 2, 1, 1)).collect();
        let mut popped: Vec<u32> = std::iter::from_fn(|| door.turns.pop()).collect();
        popped.sort_unstable();
        assert_eq!(popped, numbers);
        assert_eq!(door.turns.due(), 0);
    }
}
