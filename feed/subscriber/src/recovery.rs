//! When to ask for what of an open gap.
//!
//! Asking goes in rounds. A round asks once for everything missing, in requests of bounded size and no further than the
//! window. As long as messages come the round lasts and moves on with them; when nothing has come for a while the next
//! round asks again from the start, after twice the time. A gap that outlasts all rounds is given up.

use rialto_itch::mold::SequenceNumber;

use crate::config::Config;
use crate::reorder::Reorder;

/// An open gap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovery {
    /// Rounds begun since anything came; 0 while the gap may still close by itself.
    attempts: u32,
    /// When the next round begins, or the gap is given up.
    due_ns: u64,
    /// What is missing before this number has been asked for in this round.
    asked_end: SequenceNumber,
}

impl Recovery {
    /// A gap seen at `now_ns` before which `next` is the first number missing.
    pub(crate) fn opened(now_ns: u64, next: SequenceNumber, config: &Config) -> Self {
        Self {
            attempts: 0,
            due_ns: now_ns.saturating_add(config.request_delay_ns),
            asked_end: next,
        }
    }

    /// Part of the gap has closed, and `next` is now the first number missing.
    pub(crate) fn progressed(&mut self, now_ns: u64, next: SequenceNumber, config: &Config) {
        if self.attempts == 0 {
            *self = Self::opened(now_ns, next, config);
            return;
        }
        self.attempts = 1;
        self.due_ns = now_ns.saturating_add(config.retry_ns);
        self.asked_end = self.asked_end.max(next);
    }

    /// When something is to be done if nothing comes.
    pub(crate) const fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// Whether all rounds were in vain.
    pub(crate) const fn is_hopeless(&self, now_ns: u64, config: &Config) -> bool {
        self.attempts >= config.attempts_max && now_ns >= self.due_ns
    }

    /// The first number and how many to ask for now, if any. `next` is missing and `known_end` is the number behind the
    /// last one known to have been sent.
    pub(crate) fn ask(
        &mut self,
        now_ns: u64,
        next: SequenceNumber,
        known_end: SequenceNumber,
        reorder: &Reorder,
        config: &Config,
    ) -> Option<(SequenceNumber, u16)> {
        if now_ns >= self.due_ns {
            if self.attempts >= config.attempts_max {
                return None;
            }
            let wait = config
                .retry_ns
                .checked_shl(self.attempts)
                .unwrap_or(u64::MAX)
                .max(config.retry_ns);
            self.due_ns = now_ns.saturating_add(wait.min(config.retry_max_ns.max(config.retry_ns)));
            self.attempts += 1;
            self.asked_end = next;
        } else if self.attempts == 0 {
            return None;
        }
        // No further than answers can be held: what comes early behind a lost answer would only be dropped.
        let window = config.request_window.min(reorder.size());
        let window_end = next.checked_add(window).map_or(known_end, |end| end.min(known_end));
        let first = reorder.first_missing(self.asked_end.max(next), window_end)?;
        let request_end = first
            .checked_add(config.request_count_max.into())
            .map_or(window_end, |end| end.min(window_end));
        let end = reorder.first_held(first, request_end).unwrap_or(request_end);
        self.asked_end = end;
        // At most request_count_max, which is a u16.
        Some((first, end.since(first) as u16))
    }
}
