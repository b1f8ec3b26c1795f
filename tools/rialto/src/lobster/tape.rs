//! The tape: one operation a line.
//!
//! | line | means |
//! |---|---|
//! | `A id side price qty` | add; side 1 buys, -1 sells; price in 1/10,000 |
//! | `X id qty` | reduce by qty, priority kept |
//! | `D id` | delete |
//! | `M side price qty id` | immediate-or-cancel order of that side that must trade exactly qty at price against order id |
//! | `= k` | the book now equals row k, counted from 1 |

use crate::recorded;
use anyhow::{Context as _, Result, anyhow, bail};
use rialto_model::{Price, Quantity, Side};
use std::io::BufRead;

/// One operation; order ids are the tape's own.
pub(crate) type Operation = recorded::Operation<String>;

/// Reads operations one by one and names the line of a bad one.
pub(crate) struct Tape<R> {
    lines: std::io::Lines<R>,
    number: usize,
}

impl<R: BufRead> Tape<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            lines: input.lines(),
            number: 0,
        }
    }
}

impl<R: BufRead> Iterator for Tape<R> {
    type Item = Result<Operation>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        self.number += 1;
        let number = self.number;
        Some(
            line.context("cannot be read")
                .and_then(|line| parse(&line))
                .with_context(|| format!("tape line {number}")),
        )
    }
}

fn parse(line: &str) -> Result<Operation> {
    let mut words = line.split_ascii_whitespace();
    let kind = words.next().ok_or_else(|| anyhow!("is empty"))?;
    let mut word = |what: &str| words.next().map(str::to_owned).ok_or_else(|| anyhow!("has no {what}"));
    let operation = match kind {
        "A" => Operation::Add {
            id: word("id")?,
            side: side(&word("side")?)?,
            price: Price(word("price")?.parse().context("price")?),
            quantity: quantity(&word("quantity")?)?,
        },
        "X" => Operation::Reduce {
            id: word("id")?,
            by: quantity(&word("quantity")?)?,
        },
        "D" => Operation::Delete { id: word("id")? },
        "M" => Operation::Take {
            side: side(&word("side")?)?,
            price: Price(word("price")?.parse().context("price")?),
            quantity: quantity(&word("quantity")?)?,
            maker: word("id")?,
        },
        "=" => Operation::Row(word("row")?.parse().context("row")?),
        other => bail!("begins with {other:?}: expected A, X, D, M or ="),
    };
    match words.next() {
        None => Ok(operation),
        Some(extra) => bail!("has {extra:?} behind its end"),
    }
}

fn side(word: &str) -> Result<Side> {
    match word {
        "1" => Ok(Side::Buy),
        "-1" => Ok(Side::Sell),
        other => bail!("side {other:?}: expected 1 or -1"),
    }
}

fn quantity(word: &str) -> Result<Quantity> {
    Ok(Quantity(word.parse().context("quantity")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_or_named() {
        let good = "A g1 -1 5802300 100\nX g1 20\nM 1 5802300 80 g1\nD g2\n= 1\n";
        let operations: Vec<Operation> = Tape::new(good.as_bytes()).collect::<Result<_>>().unwrap();
        assert_eq!(operations.len(), 5);
        assert_eq!(operations[4], Operation::Row(1));
        for bad in ["", "Z 1", "A g1 2 5 5", "A g1 1 5", "D", "= x", "D g1 g2", "X g1 -5"] {
            let error = Tape::new(format!("= 1\n{bad}\n").as_bytes())
                .nth(1)
                .unwrap()
                .unwrap_err();
            assert!(format!("{error:#}").contains("tape line 2"), "{bad:?}: {error:#}");
        }
    }
}
