//! How the stages of a run are put together: as in production, or broken on purpose.

/// The wiring of a run. Every broken one must be found by the checkers, which is how they are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wiring {
    /// As the composition root does it.
    #[default]
    Production,
    /// The gate does not wait for the frontier.
    ReleaseBeforeDurable,
    /// fsync says that it is done and does nothing.
    LyingSync,
    /// A recovery leaves out the last command.
    RecoveryForgetsLast,
}

impl Wiring {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Production,
        Self::ReleaseBeforeDurable,
        Self::LyingSync,
        Self::RecoveryForgetsLast,
    ];

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::ReleaseBeforeDurable => "release-before-durable",
            Self::LyingSync => "lying-sync",
            Self::RecoveryForgetsLast => "recovery-forgets-last",
        }
    }
}

impl core::str::FromStr for Wiring {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|wiring| wiring.name() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no wiring is called {name:?}: use one of {names}")
        })
    }
}
