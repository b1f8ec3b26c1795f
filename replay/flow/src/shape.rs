//! How many books there are, and how many orders rest in them.

use core::fmt;
use core::str::FromStr;

/// The shape of a market. At 10,000 live orders everything sits in the second-level cache and the work is bound by
/// instructions; a million are bound by cache misses; many books also spread what is hot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// One book of 10,000 orders.
    #[default]
    Base,
    /// One book of a million.
    Deep,
    /// A hundred books of 1,000 each.
    Multi,
}

/// A name that is no shape.
#[derive(Debug, thiserror::Error)]
#[error("no flow is called {0:?}: use base, deep or multi")]
pub struct UnknownShape(String);

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::Base, Self::Deep, Self::Multi];

    /// How many instruments are traded.
    #[must_use]
    pub const fn books(self) -> u16 {
        match self {
            Self::Base | Self::Deep => 1,
            Self::Multi => 100,
        }
    }

    /// How many orders rest in all books together; a flow holds their number near it.
    #[must_use]
    pub const fn live_orders(self) -> usize {
        match self {
            Self::Base => 10_000,
            Self::Deep => 1_000_000,
            Self::Multi => 100_000,
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Deep => "deep",
            Self::Multi => "multi",
        }
    }
}

impl FromStr for Shape {
    type Err = UnknownShape;

    fn from_str(name: &str) -> Result<Self, UnknownShape> {
        let named = Self::ALL.into_iter().find(|shape| shape.name() == name);
        named.ok_or_else(|| UnknownShape(name.to_owned()))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
