//! Answers and news of a connection: from the question to the number that it waits for, and from the number to the message.

use rialto_fix::MsgType;
use rialto_model::{Event, InstrumentId, SessionId, Timestamp};

use super::account::Line;
use super::answers::{At, context};
use super::codes::{ExecType, NOTE_MARKET, trading_status};
use super::connection::{Connection as Peer, Pending};
use super::market::{Subscription, write_reject};
use super::orders::Inward;
use super::protocol::Fix;
use super::reports::{MassStatus, Report};
use super::requests::write_security_status;
use crate::depth::Change;
use crate::floor::Floor;
use crate::limits::SUBSCRIPTIONS_MAX;
use crate::net::{Connection, Hub};

/// MDReqRejReason(281): a request of this id stands already; too much is asked for.
const DUPLICATE: u8 = b'1';
const BANDWIDTH: u8 = b'2';

impl Fix {
    /// Takes in what a question comes to, beside commands.
    pub(super) fn answer(&mut self, inward: Inward, connection: &mut Connection<Peer>) {
        let Some(session) = connection.session.session() else {
            return;
        };
        let peer = &mut connection.session;
        match inward {
            Inward::Answers(answers) => peer.answers.extend(answers),
            Inward::Subscribe(subscription) => {
                let refused = if peer
                    .interests
                    .market
                    .iter()
                    .any(|known| known.request == subscription.request)
                {
                    Some((DUPLICATE, "MDReqID(262) stands already: use another"))
                } else if peer.interests.count() >= SUBSCRIPTIONS_MAX {
                    Some((BANDWIDTH, "SUBSCRIPTIONS_MAX subscriptions stand: end one first"))
                } else {
                    None
                };
                if let Some((reason, text)) = refused {
                    let body = write_reject(&subscription.request, reason, text);
                    peer.answers
                        .push_back(Pending::new(MsgType::MARKET_DATA_REQUEST_REJECT, body));
                    return;
                }
                let snapshots = subscription.instruments.keys();
                let snapshot = |instrument: &InstrumentId| Pending::Book(subscription.request.clone(), *instrument);
                peer.answers.extend(snapshots.map(snapshot));
                peer.interests.market.push(*subscription);
                self.interested.insert(session);
            }
            Inward::Watch { request, instrument } => {
                peer.answers.push_back(Pending::State(request.clone(), instrument));
                peer.interests.states.retain(|(known, _)| *known != request);
                // One more than there is room for is answered once and not watched.
                if peer.interests.count() < SUBSCRIPTIONS_MAX {
                    peer.interests.states.push((request, instrument));
                    self.interested.insert(session);
                }
            }
            Inward::Unsubscribe(request) => {
                peer.interests.market.retain(|known| known.request != request);
                peer.interests.states.retain(|(known, _)| *known != request);
            }
            Inward::Command(_) | Inward::Commands(_) | Inward::Known | Inward::Refused(..) => {}
        }
    }

    /// Takes in what an event changed for everybody, and wakes those who want to know.
    pub(super) fn follow_market(&mut self, event: &Event, stamp: Timestamp, hub: &mut Hub<Peer>) {
        let Self {
            depth,
            interested,
            accounts,
            ..
        } = self;
        let connection_of = |session: &SessionId| match accounts.get(session)?.line {
            Line::On(id) => Some(id),
            Line::Idle(_) => None,
        };
        depth.follow(event, stamp, |change| {
            for id in interested.iter().filter_map(connection_of) {
                if let Some(connection) = hub.get_mut(id)
                    && connection.session.note_change(&change)
                {
                    hub.queue(id);
                }
            }
        });
    }

    /// Answers have their numbers: tells them. However a connection ends meanwhile, `count` numbers are used.
    pub(super) fn tell_answers(
        &mut self,
        session: SessionId,
        what: u8,
        count: usize,
        at: At,
        floor: &Floor,
        hub: &mut Hub<Peer>,
    ) {
        for _ in 0..count {
            let Some((msg_type, header)) = self.next_answer(session, what, at, floor, hub) else {
                continue;
            };
            if let Some(account) = self.accounts.get_mut(&session) {
                account.send_once(hub, floor.now, at.stamp, msg_type, &header, &self.body);
            }
        }
    }

    /// Writes the next answer's body; gives its type and its further header fields.
    fn next_answer(
        &mut self,
        session: SessionId,
        what: u8,
        at: At,
        floor: &Floor,
        hub: &mut Hub<Peer>,
    ) -> Option<(MsgType<'static>, Vec<u8>)> {
        let Line::On(id) = self.accounts.get(&session)?.line else {
            return None;
        };
        let peer = &mut hub.get_mut(id)?.session;
        self.body.clear();
        if what == NOTE_MARKET {
            peer.interests.asked = false;
            let (msg_type, body) = self.next_news(peer, floor, at.stamp);
            self.body = body;
            return Some((msg_type, Vec::new()));
        }
        let next = peer.answers.pop_front();
        debug_assert!(next.is_some(), "one number for each answer");
        peer.asked = peer.asked.saturating_sub(1);
        match next? {
            Pending::Message { msg_type, header, body } => {
                self.body = body;
                Some((msg_type, header))
            }
            Pending::Status(order, part) => {
                let (mut order, mut status) = (*order, order.status());
                if let Some(now) = self.orders.get(&order.order_id) {
                    (order, status) = (*now, now.status());
                } else if let Some(ended) = self.accounts.get(&session)?.names.ending_of(order.order_id) {
                    status = ended.status;
                    order.executed.quantity = ended.executed;
                }
                let context = context(&mut self.exec_ids, order.instrument, at, floor).0;
                let report = Report {
                    mass_status: part.as_ref().map(|part| MassStatus {
                        request: &part.request,
                        of: part.of,
                        last: part.last,
                    }),
                    ..Report::of(ExecType::Status, status)
                };
                report.write(&order, &context, &mut self.body);
                Some((MsgType::EXECUTION_REPORT, Vec::new()))
            }
            Pending::State(request, instrument) => {
                let symbol = floor.directory.instrument(instrument).map(|listed| listed.symbol);
                let phase = self.depth.book(instrument).and_then(|book| book.phase);
                let status = trading_status(phase.unwrap_or_default());
                self.body = write_security_status(&request, symbol.unwrap_or_default(), status);
                Some((MsgType::SECURITY_STATUS, Vec::new()))
            }
            Pending::Book(request, instrument) => {
                let market = &mut peer.interests.market;
                let subscription = market.iter_mut().find(|known| known.request == request);
                let Some(subscription) = subscription else {
                    self.body = write_reject(&request, b'0', "the subscription was ended before its snapshot");
                    return Some((MsgType::MARKET_DATA_REQUEST_REJECT, Vec::new()));
                };
                self.body = subscription.snapshot(instrument, None, &self.depth, &floor.directory, at.stamp);
                let asked_once = !subscription.lasting;
                let is_last = |pending: &Pending| !matches!(pending, Pending::Book(other, _) if *other == request);
                if asked_once && peer.answers.iter().all(is_last) {
                    market.retain(|known| known.request != request);
                }
                Some((MsgType::MARKET_DATA_SNAPSHOT, Vec::new()))
            }
        }
    }

    /// What the connection has to be told of the market next. There may be nothing any more: a number was asked for, so
    /// something is said.
    fn next_news(&self, peer: &mut Peer, floor: &Floor, time: Timestamp) -> (MsgType<'static>, Vec<u8>) {
        let market = &mut peer.interests.market;
        if let Some(at) = market.iter().position(|subscription| subscription.overrun) {
            let ended = market.remove(at);
            let text = "more than PRINTS_MAX trades waited: subscribe again and read faster";
            return (
                MsgType::MARKET_DATA_REQUEST_REJECT,
                write_reject(&ended.request, BANDWIDTH, text),
            );
        }
        let news = market
            .iter_mut()
            .filter(|subscription| subscription.has_news())
            .find_map(|subscription| subscription.news(&self.depth, &floor.directory, time));
        // A Heartbeat is always understood, and says nothing.
        news.unwrap_or((MsgType::HEARTBEAT, Vec::new()))
    }
}

impl Peer {
    /// Notes what an event changed; whether there is something to tell.
    fn note_change(&mut self, change: &Change) -> bool {
        if let Change::Phase(instrument) = change {
            let watched = self
                .interests
                .states
                .iter()
                .filter(|(_, watched)| watched == instrument);
            // One that waits for its number will tell how things stand by then.
            let waits = |request: &[u8]| {
                let unnumbered = self.answers.iter().skip(self.asked);
                let mut states = unnumbered.filter_map(|pending| match pending {
                    Pending::State(known, _) => Some(known),
                    _ => None,
                });
                states.any(|known| known == request)
            };
            let states: Vec<_> = watched.filter(|(request, _)| !waits(request)).cloned().collect();
            let any = !states.is_empty();
            let pending = states
                .into_iter()
                .map(|(request, instrument)| Pending::State(request, instrument));
            self.answers.extend(pending);
            return any;
        }
        let mut news = false;
        for subscription in self
            .interests
            .market
            .iter_mut()
            .filter(|known: &&mut Subscription| known.lasting)
        {
            news |= subscription.note(change);
        }
        news
    }
}
