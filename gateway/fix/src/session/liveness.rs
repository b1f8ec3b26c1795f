//! Heartbeats, test requests and timeouts.
//!
//! A Heartbeat goes out after HeartBtInt(108) in which nothing was sent; a TestRequest after 1.2 times HeartBtInt in which
//! nothing was heard, and the connection ends after as long again. While a TestRequest is open no Heartbeat is sent: the
//! peer has just heard from us, and if it is gone the next thing that happens is the end.

use super::event::{AdminKind, DisconnectReason};
use super::outbox::Admin;
use super::rules::{Core, Phase};
use super::store::MessageStore;
use crate::tag::tags;
use crate::time::{Monotonic, Now};

const TEST_REQ_ID: &str = "TEST";

impl<S: MessageStore> Core<S> {
    fn test_request_at(&self) -> Monotonic {
        Monotonic(self.last_heard.0.saturating_add(self.heart_bt_int_ns / 5 * 6))
    }

    fn silence_at(&self) -> Monotonic {
        Monotonic(self.last_heard.0.saturating_add(self.heart_bt_int_ns / 5 * 12))
    }

    fn heartbeat_at(&self) -> Monotonic {
        Monotonic(self.outbox.last_sent.0.saturating_add(self.heart_bt_int_ns))
    }

    fn keeps_alive(&self) -> bool {
        self.phase == Phase::Established && self.heart_bt_int_ns > 0 && self.outbox.is_logged_on()
    }

    pub(super) fn next_deadline(&self) -> Option<Monotonic> {
        match self.phase {
            Phase::AwaitingLogon { deadline } => Some(deadline),
            Phase::LoggingOut { deadline } => deadline,
            _ if !self.keeps_alive() => None,
            _ if self.test_request_open || !self.outbox.has_room() => Some(self.silence_at()),
            _ => Some(self.test_request_at().min(self.heartbeat_at())),
        }
    }

    pub(super) fn handle_timer(&mut self, now: Now) {
        let is_due = |deadline: Monotonic| now.monotonic >= deadline;
        match self.phase {
            Phase::AwaitingLogon { deadline } if is_due(deadline) => self.close(DisconnectReason::LogonTimeout),
            Phase::LoggingOut {
                deadline: Some(deadline),
            } if is_due(deadline) => {
                self.close(DisconnectReason::LogoutTimeout);
            }
            _ if !self.keeps_alive() => {}
            _ if is_due(self.silence_at()) => self.close(DisconnectReason::Silence),
            _ if self.test_request_open || !self.outbox.has_room() => {}
            _ if is_due(self.test_request_at()) => {
                // Whoever looks at its timers late still says first what was due first.
                if self.heartbeat_at() < self.test_request_at() {
                    self.queue_now(Admin::new(AdminKind::Heartbeat, |_| {}), now);
                }
                self.test_request_open = true;
                let test_request = Admin::new(AdminKind::TestRequest, |body| {
                    _ = body.text(tags::TEST_REQ_ID, TEST_REQ_ID)
                });
                self.queue_now(test_request, now);
            }
            _ if is_due(self.heartbeat_at()) => {
                self.queue_now(Admin::new(AdminKind::Heartbeat, |_| {}), now);
            }
            _ => {}
        }
    }

    /// Counts as sent from here on, so that a slow release does not queue a second one.
    fn queue_now(&mut self, admin: Admin, now: Now) {
        self.outbox.queue(admin);
        self.outbox.last_sent = now.monotonic;
    }
}
