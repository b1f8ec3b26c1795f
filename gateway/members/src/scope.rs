//! In whose name somebody asks.
//!
//! A [`Scoped`] firm is the only handle to what is kept of members, and there is no way to make one but to prove who one is:
//! by a key ([`Keyring::admit`](crate::Keyring::admit)), or as the operator, whose look at a firm is written down before it is made
//! ([`Operator::look`]). So a question that names a firm by a number from a request does not compile.

use rialto_model::{AccountId, Actor, FirmId, Role, Text};

/// A firm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firm(FirmId);

/// What somebody has proved to speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scoped<T> {
    what: T,
    account: Option<AccountId>,
    role: Role,
}

impl Scoped<Firm> {
    pub(crate) fn new(firm: FirmId, account: AccountId, role: Role) -> Self {
        Self {
            what: Firm(firm),
            account: (account.0 != 0).then_some(account),
            role,
        }
    }

    /// The firm.
    #[must_use]
    pub const fn firm(&self) -> FirmId {
        self.what.0
    }

    /// The only account, where it is not the whole firm.
    #[must_use]
    pub const fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// What may be done.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }
}

/// Where a look is written down before it is made: the sequenced stream.
pub trait Audit {
    /// Why it could not be written down; then there is no look.
    type Error;
    /// Writes down who looks at which firm, and why.
    ///
    /// # Errors
    /// When it is not certain that it was written.
    fn looked(&mut self, actor: Actor, firm: FirmId, why: Text) -> Result<(), Self::Error>;
}

/// Somebody who runs the venue.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    actor: Actor,
}

impl Operator {
    /// Who has the venue's own files: whoever asks over the administration socket, which only its owner may open, or reads
    /// the data folder.
    #[must_use]
    pub const fn of_the_files(actor: Actor) -> Self {
        Self { actor }
    }

    /// Who it is.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// A look at a firm, written down first.
    ///
    /// # Errors
    /// What writing it down said.
    pub fn look<A: Audit>(&self, firm: FirmId, why: Text, audit: &mut A) -> Result<Scoped<Firm>, A::Error> {
        audit.looked(self.actor, firm, why)?;
        Ok(Scoped::new(firm, AccountId(0), Role::Operator))
    }
}
