//! The thread that checks passwords, and the desks at which doors ask it.
//!
//! A door never waits: it asks, goes on serving, and looks for the answer with its next poll. Passwords that were right
//! before are answered at the desk at once (`recent`); so a flood of wrong ones, which fills the
//! queue, locks nobody out who was in before.
//!
//! Bounds: [`WAITING_MAX`] questions wait for the thread, and as many are open at one desk; beyond either a login is
//! refused ([`Busy`]) and may try again. An answer always has room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::credentials::{Credentials, normalised};
use crate::password::{Password, Room};
use crate::recent::Recent;

/// Questions that may wait for the thread, over all desks: at some 20 ms each, the last one waits for about a second.
pub const WAITING_MAX: usize = 64;

/// The asker's own mark of a question, given back with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Whether name and password belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of which question.
    pub ticket: Ticket,
    /// They do.
    pub granted: bool,
}

/// The question was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// [`WAITING_MAX`] questions wait already.
    #[error("WAITING_MAX ({WAITING_MAX}) logins wait to be checked: try again in a second")]
    Full,
    /// The thread is gone, which is a broken invariant of ours.
    #[error("the verifier has stopped: start the exchange again")]
    Stopped,
}

struct Question {
    name: String,
    password: Password,
    ticket: Ticket,
    answers: Sender<Answer>,
}

/// The thread that checks passwords. It ends when the verifier and every desk of it are gone.
pub struct Verifier {
    questions: Sender<Question>,
    recent: Arc<Mutex<Recent>>,
}

/// Where one door asks.
pub struct Desk {
    questions: Sender<Question>,
    recent: Arc<Mutex<Recent>>,
    /// Answers that needed no thread.
    at_once: VecDeque<Answer>,
    answers: (Sender<Answer>, Receiver<Answer>),
    /// Questions whose answer was not polled yet: at most [`WAITING_MAX`], so that every answer has room.
    open: usize,
}

impl Verifier {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the system said when it gave no thread.
    pub fn start(credentials: Credentials) -> std::io::Result<Self> {
        let (questions, waiting) = crossbeam_channel::bounded(WAITING_MAX);
        let recent = Arc::new(Mutex::new(Recent::new()));
        let verifier = Self {
            questions,
            recent: Arc::clone(&recent),
        };
        std::thread::Builder::new().name("verifier".to_owned()).spawn(move || {
            rialto_ring::layout::beside_the_path();
            answer_all(&credentials, &waiting, &recent);
        })?;
        Ok(verifier)
    }

    /// A desk for one door.
    #[must_use]
    pub fn desk(&self) -> Desk {
        Desk {
            questions: self.questions.clone(),
            recent: Arc::clone(&self.recent),
            at_once: VecDeque::new(),
            answers: crossbeam_channel::bounded(WAITING_MAX),
            open: 0,
        }
    }
}

impl Desk {
    /// Asks whether name and password belong together. The answer comes by [`poll`](Self::poll) under the ticket.
    ///
    /// # Errors
    /// [`Busy`]: nothing was asked; refuse the login.
    pub fn ask(&mut self, name: &[u8], password: Password, ticket: Ticket) -> Result<(), Busy> {
        if self.open >= WAITING_MAX {
            return Err(Busy::Full);
        }
        let name = normalised(name);
        if knows(&self.recent, &name, &password) {
            self.at_once.push_back(Answer { ticket, granted: true });
        } else {
            let answers = self.answers.0.clone();
            let question = Question {
                name,
                password,
                ticket,
                answers,
            };
            self.questions.try_send(question).map_err(|error| match error {
                TrySendError::Full(_) => Busy::Full,
                TrySendError::Disconnected(_) => Busy::Stopped,
            })?;
        }
        self.open += 1;
        Ok(())
    }

    /// Whether this password was right for this name before. It costs no hash, and `false` says nothing.
    #[must_use]
    pub fn knows(&self, name: &[u8], password: &Password) -> bool {
        knows(&self.recent, &normalised(name), password)
    }

    /// The next answer, if there is one.
    pub fn poll(&mut self) -> Option<Answer> {
        let answer = self.at_once.pop_front().or_else(|| self.answers.1.try_recv().ok())?;
        self.open = self.open.saturating_sub(1);
        Some(answer)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("waiting", &self.questions.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("open", &self.open).finish_non_exhaustive()
    }
}

/// A door waits for nobody, so where the thread is just adding one, which it may be kept from for long, nothing is known. What is
/// under the lock is whole at every moment, so a panic elsewhere does not spoil it.
fn knows(recent: &Mutex<Recent>, name: &str, password: &Password) -> bool {
    match recent.try_lock() {
        Ok(recent) => recent.knows(name, password),
        Err(TryLockError::Poisoned(recent)) => recent.into_inner().knows(name, password),
        Err(TryLockError::WouldBlock) => false,
    }
}

/// The thread: one question at a time, until nobody can ask any more.
fn answer_all(credentials: &Credentials, questions: &Receiver<Question>, recent: &Mutex<Recent>) {
    // An unknown name is checked against this hash, so that the time of a refusal does not tell which names exist.
    let decoy = Password::new(b"nobody")
        .ok()
        .and_then(|password| password.hash().ok())
        .unwrap_or_default();
    let mut room = Room::default();
    for Question {
        name,
        password,
        ticket,
        answers,
    } in questions
    {
        let granted = match credentials.hash_of(&name) {
            Some(hash) => password.matches(hash, &mut room),
            None => {
                let _ = password.matches(&decoy, &mut room);
                false
            }
        };
        if granted {
            recent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remember(&name, &password);
        }
        // The desk keeps room for each answer; a desk that is gone needs none.
        let _ = answers.try_send(Answer { ticket, granted });
    }
}
