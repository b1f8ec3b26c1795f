//! A whole flow, made ahead of time.

use crate::Shape;
use crate::maker::{Maker, definitions};
use rialto_model::{Command, Sequenced};

/// Commands that fill the books, and commands to measure: 47.5 % add, 42.5 % cancel (recent orders first), 5 % replace,
/// 5 % marketable; prices at a geometric depth around a slow random walk; quantities of 1 to 500. Trades take orders off
/// as well, so a part of the cancels gives way to adds while the books are
/// below their size, and all of them where two in a hundred orders are missing.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Defines the market and fills its books.
    pub prelude: Vec<Sequenced<Command>>,
    /// What is measured. Every one of them is valid when it comes.
    pub commands: Vec<Sequenced<Command>>,
}

impl Flow {
    /// `count` commands behind the prelude. Equal arguments give equal flows, and a longer flow begins with the shorter.
    #[must_use]
    pub fn new(shape: Shape, count: usize, seed: u64) -> Self {
        let mut maker = Maker::new(shape, seed);
        let mut prelude: Vec<_> = definitions(shape).into_iter().map(|body| maker.apply(body)).collect();
        while maker.live_orders() < shape.live_orders() {
            let add = maker.enter(false);
            prelude.push(maker.apply(add));
        }
        let mut commands = Vec::with_capacity(count);
        for _ in 0..count {
            let command = maker.command();
            commands.push(maker.apply(command));
        }
        Self { prelude, commands }
    }
}
