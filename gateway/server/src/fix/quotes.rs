//! Mass quotes: MassQuote(i) and QuoteCancel(Z) in, MassQuoteAcknowledgement(b) out (FIX 4.2 and later, volume 3).
//!
//! The engine takes a few quotes of one set in a command, so one message may become several. All but the last state no inbound
//! number: a message is taken in when the last of them is. The answer follows from the stream alone: what it says of the
//! client's own ids is kept with each command, in its id bytes ([`Ids`]). So after a restart the same answer is said again.
//!
//! Market-maker protection that has tripped is reset by MMProtectionReset(9773)=Y on an `i`, as at CME Globex: for every
//! instrument of the message, before its quotes are judged.

use std::collections::VecDeque;

use rialto_fix::message::{DecimalError, FieldWriter, Message, parse_decimal};
use rialto_fix::session::BusinessRejectReason;
use rialto_fix::{MsgType, Tag, tags};
use rialto_model::command::{CancelQuotes, MassQuote, ResetProtection};
use rialto_model::event::{MassQuoteRejected, MassQuoted, ProtectionTripped, QuoteRejected, Quoted, QuotesCancelled};
use rialto_model::limits::TEXT_MAX;
use rialto_model::quote::QUOTES_MAX;
use rialto_model::{Command, InstrumentId, MsgSeqNum, Part, PriceScale, Quote, Quotes, RejectReason, SessionId, Text};

use super::answers::{At, is_of_the_past};
use super::codes::{QuoteStatus, quote_reject_reason};
use super::connection::Connection as Peer;
use super::order_table::Order;
use super::orders::{Context, Inward, Sender, missing, named, other};
use super::protocol::Fix;
use crate::floor::Floor;
use crate::limits::{QUOTE_ENTRIES_MAX, QUOTE_IDS_KEPT};
use crate::net::Hub;

const QUOTE_ID: Tag = Tag(117);
const BID_PX: Tag = Tag(132);
const OFFER_PX: Tag = Tag(133);
const BID_SIZE: Tag = Tag(134);
const OFFER_SIZE: Tag = Tag(135);
const DEF_BID_SIZE: Tag = Tag(293);
const DEF_OFFER_SIZE: Tag = Tag(294);
const NO_QUOTE_ENTRIES: Tag = Tag(295);
const NO_QUOTE_SETS: Tag = Tag(296);
const QUOTE_STATUS: Tag = Tag(297);
const QUOTE_CANCEL_TYPE: Tag = Tag(298);
const QUOTE_ENTRY_ID: Tag = Tag(299);
const QUOTE_REJECT_REASON: Tag = Tag(300);
const QUOTE_RESPONSE_LEVEL: Tag = Tag(301);
const QUOTE_SET_ID: Tag = Tag(302);
const QUOTE_ENTRY_REJECT_REASON: Tag = Tag(368);
const QUOTE_TYPE: Tag = Tag(537);
/// CME Globex's, from the range that FIX leaves to its users.
const MM_PROTECTION_RESET: Tag = Tag(9773);

/// Between the parts of id bytes: no value of FIX has it.
const BETWEEN: u8 = 1;
const TOO_LONG: &str =
    "QuoteID(117), QuoteSetID(302) and QuoteEntryID(299) are too long: use at most 30 characters in all three";

// --- In ---

/// An entry as it was sent.
#[derive(Clone, Copy, Default)]
struct Entry<'a> {
    set: &'a [u8],
    id: &'a [u8],
    symbol: &'a [u8],
    /// Price and size, to buy and to sell.
    bid: [Option<&'a [u8]>; 2],
    ask: [Option<&'a [u8]>; 2],
}

/// Reads a MassQuote.
pub(super) fn mass_quote(message: &Message<'_>, sender: &Sender, context: &mut Context<'_>) -> Inward {
    let Some(id) = message.get(QUOTE_ID).filter(|id| !id.is_empty()) else {
        return missing(QUOTE_ID);
    };
    let level = match message.get(QUOTE_RESPONSE_LEVEL) {
        None => b'2',
        Some(&[level @ b'0'..=b'2']) => level,
        Some(_) => return other("QuoteResponseLevel(301) is not offered: use 0 none, 1 refusals or 2 all"),
    };
    if !matches!(message.get(QUOTE_TYPE), None | Some(b"1")) {
        return other("QuoteType(537) is not offered: quotes are tradeable here, 1");
    }
    if message.is_set(tags::POSS_RESEND) && context.quoting.knows(id) {
        return Inward::Known;
    }
    let entries = entries(message);
    if entries.is_empty() {
        return other("there is no entry: NoQuoteEntries(295) needs at least one, with an instrument");
    }
    if entries.len() > QUOTE_ENTRIES_MAX {
        return other("more than QUOTE_ENTRIES_MAX entries: send them in several messages");
    }
    let Some(packs) = pack(id, level, &entries, message, context) else {
        return other(TOO_LONG);
    };
    context.quoting.note(id);
    let mut commands: Vec<Command> = Vec::new();
    if message.is_set(MM_PROTECTION_RESET) {
        let mut instruments: Vec<_> = packs
            .iter()
            .flat_map(|pack| &pack.quotes)
            .map(|q| q.instrument)
            .collect();
        instruments.sort_unstable();
        instruments.dedup();
        commands.extend(instruments.into_iter().map(|instrument| {
            Command::from(ResetProtection {
                session: sender.session,
                incarnation: sender.incarnation,
                inbound: MsgSeqNum(0),
                instrument,
            })
        }));
    }
    let last = packs.len() - 1;
    for (place, pack) in packs.into_iter().enumerate() {
        let mut quotes = Quotes::default();
        for (slot, quote) in quotes.0.iter_mut().zip(pack.quotes) {
            *slot = quote;
        }
        commands.push(
            MassQuote {
                session: sender.session,
                incarnation: sender.incarnation,
                inbound: if place == last { sender.inbound } else { MsgSeqNum(0) },
                user_ref: context.names.number_quotes(),
                quotes,
                client_id: Text::new(&pack.ids).unwrap_or_default(),
            }
            .into(),
        );
    }
    Inward::Commands(commands)
}

/// Every entry of every set. The dictionary has judged the form of the groups.
fn entries<'a>(message: &Message<'a>) -> Vec<Entry<'a>> {
    let (mut set, mut entries): (&[u8], Vec<Entry<'_>>) = (b"", Vec::new());
    for field in message.fields() {
        if field.tag == QUOTE_SET_ID {
            set = field.value;
        } else if field.tag == QUOTE_ENTRY_ID {
            entries.push(Entry {
                set,
                id: field.value,
                ..Entry::default()
            });
        } else if let Some(entry) = entries.last_mut() {
            match field.tag {
                tags::SYMBOL => entry.symbol = field.value,
                tags::SECURITY_ID if entry.symbol.is_empty() => entry.symbol = field.value,
                BID_PX => entry.bid[0] = Some(field.value),
                BID_SIZE => entry.bid[1] = Some(field.value),
                OFFER_PX => entry.ask[0] = Some(field.value),
                OFFER_SIZE => entry.ask[1] = Some(field.value),
                _ => {}
            }
        }
    }
    entries
}

/// Entries that go into one command: of one set, each of another instrument.
struct Pack<'a> {
    set: &'a [u8],
    quotes: Vec<Quote>,
    ids: Vec<u8>,
}

/// Entries as commands take them; `None` where the ids of one are too long to be kept.
fn pack<'a>(
    id: &[u8],
    level: u8,
    entries: &[Entry<'a>],
    message: &Message<'_>,
    context: &Context<'_>,
) -> Option<Vec<Pack<'a>>> {
    let mut packs: Vec<Pack<'a>> = Vec::new();
    for entry in entries {
        let read = read(entry, message, context);
        let mut name = vec![BETWEEN];
        match &read {
            Ok(quote) => name.extend_from_slice(quote.instrument.0.to_string().as_bytes()),
            Err(reason) => name.extend_from_slice(format!("!{}", *reason as u8).as_bytes()),
        }
        name.push(b':');
        name.extend_from_slice(entry.id);
        let fits = |pack: &&mut Pack<'_>| {
            let repeated = |quote: &Quote| pack.quotes.iter().any(|other| other.instrument == quote.instrument);
            pack.set == entry.set
                && pack.ids.len() + name.len() <= TEXT_MAX
                && read
                    .as_ref()
                    .map_or(true, |quote| pack.quotes.len() < QUOTES_MAX && !repeated(quote))
        };
        if let Some(pack) = packs.last_mut().filter(fits) {
            pack.ids.extend_from_slice(&name);
            pack.quotes.extend(read.ok());
            continue;
        }
        let mut ids = vec![level];
        ids.extend_from_slice(id);
        ids.push(BETWEEN);
        ids.extend_from_slice(entry.set);
        ids.extend_from_slice(&name);
        Text::new(&ids)?;
        packs.push(Pack {
            set: entry.set,
            quotes: read.into_iter().collect(),
            ids,
        });
    }
    Some(packs)
}

/// One entry. A side without a size is none, and what stands of it goes.
fn read(entry: &Entry<'_>, message: &Message<'_>, context: &Context<'_>) -> Result<Quote, RejectReason> {
    let (instrument, scale) = named(entry.symbol, context.directory).ok_or(RejectReason::UnknownInstrument)?;
    let (bid, bid_quantity) = side(entry.bid, message.get(DEF_BID_SIZE), scale)?;
    let (ask, ask_quantity) = side(entry.ask, message.get(DEF_OFFER_SIZE), scale)?;
    Ok(Quote {
        instrument,
        bid,
        bid_quantity,
        ask,
        ask_quantity,
    })
}

fn side(
    [price, size]: [Option<&[u8]>; 2],
    default_size: Option<&[u8]>,
    scale: PriceScale,
) -> Result<(u32, Part), RejectReason> {
    // The default is of sides that are quoted.
    let size = match size.or(default_size.filter(|_| price.is_some())) {
        None if price.is_some() => return Err(RejectReason::QuantityZero),
        None => return Ok((0, Part::ZERO)),
        Some(size) => parse_decimal(size, 0).map_err(|error| match error {
            DecimalError::Overflow { .. } => RejectReason::QuantityTooLarge,
            DecimalError::TooManyDecimals { .. } | DecimalError::Shape => RejectReason::QuantityOffLot,
        })?,
    };
    let size = u32::try_from(size.max(0)).map_err(|_| RejectReason::QuantityTooLarge)?;
    if size == 0 {
        return Ok((0, Part::ZERO));
    }
    let price =
        parse_decimal(price.ok_or(RejectReason::PriceOutOfRange)?, u32::from(scale.0)).map_err(
            |error| match error {
                DecimalError::TooManyDecimals { .. } => RejectReason::PriceOffTick,
                DecimalError::Overflow { .. } | DecimalError::Shape => RejectReason::PriceOutOfRange,
            },
        )?;
    let price = u32::try_from(price).map_err(|_| RejectReason::PriceOutOfRange)?;
    Ok((price, Part(size)))
}

/// Reads a QuoteCancel: of some instruments (298 = 1), or of all (298 = 4).
pub(super) fn cancel(message: &Message<'_>, sender: &Sender, context: &mut Context<'_>) -> Inward {
    let Some(id) = message.get(QUOTE_ID).filter(|id| !id.is_empty()) else {
        return missing(QUOTE_ID);
    };
    let kind = match message.get(QUOTE_CANCEL_TYPE) {
        Some(&[kind @ (b'1' | b'4')]) => kind,
        _ => return other("QuoteCancelType(298) is not offered: use 1 (instruments) or 4 (all)"),
    };
    let mut ids = vec![kind];
    ids.extend_from_slice(id);
    let Some(client_id) = Text::new(&ids) else {
        return other("QuoteID(117) is too long: use at most 38 characters");
    };
    let mut instruments = Vec::new();
    if kind == b'1' {
        for field in message.fields().filter(|field| field.tag == tags::SYMBOL) {
            let Some((instrument, _)) = named(field.value, context.directory) else {
                let text = "Symbol(55) is no instrument of this exchange: see the security list".to_owned();
                return Inward::Refused(BusinessRejectReason::UnknownSecurity, text);
            };
            instruments.push(instrument);
        }
    } else {
        instruments.push(InstrumentId(0));
    }
    if instruments.is_empty() {
        return missing(tags::SYMBOL);
    }
    if instruments.len() > QUOTE_ENTRIES_MAX {
        return other("more than QUOTE_ENTRIES_MAX entries: send them in several messages");
    }
    let last = instruments.len() - 1;
    let commands = instruments.into_iter().enumerate().map(|(place, instrument)| {
        Command::from(CancelQuotes {
            session: sender.session,
            incarnation: sender.incarnation,
            inbound: if place == last { sender.inbound } else { MsgSeqNum(0) },
            instrument,
            client_id,
        })
    });
    Inward::Commands(commands.collect())
}

// --- What the stream says ---

/// The id bytes of a command: `level QuoteID`, QuoteSetID and the entries, each `instrument:QuoteEntryID`, or
/// `!reason:QuoteEntryID` of one that the door itself refused.
struct Ids<'a> {
    level: u8,
    quote: &'a [u8],
    set: &'a [u8],
    entries: Vec<(Result<InstrumentId, RejectReason>, &'a [u8])>,
}

impl<'a> Ids<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let (&level, rest) = bytes.split_first().unwrap_or((&b'2', b""));
        let mut parts = rest.split(|&byte| byte == BETWEEN);
        let (quote, set) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let entries = parts.filter_map(|part| {
            let colon = part.iter().position(|&byte| byte == b':')?;
            let (what, id) = (part.get(..colon)?, part.get(colon + 1..)?);
            let number = |digits| rialto_fix::message::parse_unsigned(digits);
            let what = match what.strip_prefix(b"!") {
                Some(reason) => {
                    let code = number(reason)?;
                    let mut all = RejectReason::ALL.iter().copied();
                    Err(all.find(|reason| u64::from(*reason as u8) == code)?)
                }
                None => Ok(InstrumentId(number(what)?.try_into().ok()?)),
            };
            Some((what, id))
        });
        Self {
            level,
            quote,
            set,
            entries: entries.collect(),
        }
    }

    fn entry(&self, instrument: InstrumentId) -> &'a [u8] {
        let mut entries = self.entries.iter();
        entries
            .find(|(what, _)| *what == Ok(instrument))
            .map_or(b"", |(_, id)| *id)
    }
}

/// An entry that was refused.
#[derive(Debug)]
struct Refused {
    set: Vec<u8>,
    entry: Vec<u8>,
    instrument: InstrumentId,
    reason: RejectReason,
}

/// The answer to a message so far.
#[derive(Debug, Default)]
struct Answer {
    entries: usize,
    refused: Vec<Refused>,
    cancelled: u32,
}

/// What is known of a session's quoting.
#[derive(Debug, Default)]
pub(super) struct Quoting {
    /// The last QuoteIDs of the day, for messages that say that they may have been sent before.
    ids: VecDeque<Vec<u8>>,
    answer: Answer,
}

impl Quoting {
    fn knows(&self, id: &[u8]) -> bool {
        self.ids.iter().any(|known| known == id)
    }

    fn note(&mut self, id: &[u8]) {
        if self.ids.back().is_none_or(|last| last != id) && !self.knows(id) {
            if self.ids.len() >= QUOTE_IDS_KEPT {
                self.ids.pop_front();
            }
            self.ids.push_back(id.to_vec());
        }
    }

    /// The connection has ended: what it had not sent whole is sent again.
    pub(super) fn forget_answer(&mut self) {
        self.answer = Answer::default();
    }
}

/// A command of quotes whose events are at hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuotesAtHand {
    session: SessionId,
    /// Zero: another command of the same message follows.
    inbound: MsgSeqNum,
    client_id: Text,
    /// A cancel, not quotes.
    cancel: bool,
}

impl Fix {
    /// Whether what happens to this session's quotes is its own wish, and told by the answer to it.
    pub(super) fn is_quoting(&self, session: SessionId) -> bool {
        self.quotes_at_hand.is_some_and(|at_hand| at_hand.session == session)
    }

    pub(super) fn mass_quoted(&mut self, event: &MassQuoted) {
        let Some(account) = self.accounts.get_mut(&event.session) else {
            return;
        };
        account.heard(event.inbound);
        account.names.told_quotes(event.user_ref);
        let ids = Ids::of(event.client_id.as_bytes());
        account.quoting.note(ids.quote);
        account.quoting.answer.entries += ids.entries.len();
        for (what, entry) in &ids.entries {
            if let Err(reason) = what {
                account.quoting.answer.refused.push(Refused {
                    set: ids.set.to_vec(),
                    entry: entry.to_vec(),
                    instrument: InstrumentId(0),
                    reason: *reason,
                });
            }
        }
        self.quotes_at_hand = Some(QuotesAtHand {
            session: event.session,
            inbound: event.inbound,
            client_id: event.client_id,
            cancel: false,
        });
    }

    /// The whole command was refused: each of its entries is.
    pub(super) fn mass_quote_rejected(&mut self, event: &MassQuoteRejected) {
        let Some(account) = self.accounts.get_mut(&event.session) else {
            return;
        };
        account.heard(event.inbound);
        if is_of_the_past(event.reason) || event.user_ref.0 == 0 {
            return;
        }
        account.names.told_quotes(event.user_ref);
        let ids = Ids::of(event.client_id.as_bytes());
        account.quoting.answer.entries += ids.entries.len();
        for (what, entry) in &ids.entries {
            account.quoting.answer.refused.push(Refused {
                set: ids.set.to_vec(),
                entry: entry.to_vec(),
                instrument: what.unwrap_or_default(),
                reason: what.err().unwrap_or(event.reason),
            });
        }
        self.quotes_at_hand = Some(QuotesAtHand {
            session: event.session,
            inbound: event.inbound,
            client_id: event.client_id,
            cancel: false,
        });
    }

    pub(super) fn quote_rejected(&mut self, event: &QuoteRejected) {
        let Some(at_hand) = self.quotes_at_hand.filter(|at_hand| at_hand.session == event.session) else {
            return;
        };
        if let Some(account) = self.accounts.get_mut(&event.session) {
            let ids = Ids::of(at_hand.client_id.as_bytes());
            account.quoting.answer.refused.push(Refused {
                set: ids.set.to_vec(),
                entry: ids.entry(event.instrument).to_vec(),
                instrument: event.instrument,
                reason: event.reason,
            });
        }
    }

    /// A side stands: an order, whose name is the QuoteID, and its second name the QuoteEntryID.
    pub(super) fn quoted(&mut self, event: &Quoted) {
        let Some(at_hand) = self.quotes_at_hand.filter(|at_hand| at_hand.session == event.session) else {
            return;
        };
        let ids = Ids::of(at_hand.client_id.as_bytes());
        let mut name = ids.quote.to_vec();
        name.push(BETWEEN);
        name.extend_from_slice(ids.entry(event.instrument));
        let name = Text::new(&name).unwrap_or_default();
        self.orders.insert(event.order_id, Order::quoted(event, name));
    }

    pub(super) fn quotes_cancelled(&mut self, event: &QuotesCancelled) {
        let Some(account) = self.accounts.get_mut(&event.session) else {
            return;
        };
        account.heard(event.inbound);
        account.quoting.answer.cancelled += event.cancelled;
        self.quotes_at_hand = Some(QuotesAtHand {
            session: event.session,
            inbound: event.inbound,
            client_id: event.client_id,
            cancel: true,
        });
    }

    /// A command of quotes is over; if it was the last of its message, the message is answered.
    pub(super) fn quotes_told(&mut self, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(at_hand) = self.quotes_at_hand.take().filter(|at_hand| at_hand.inbound.0 != 0) else {
            return;
        };
        let Some(account) = self.accounts.get_mut(&at_hand.session) else {
            return;
        };
        let answer = std::mem::take(&mut account.quoting.answer);
        self.body.clear();
        if at_hand.cancel {
            let (kind, id) = at_hand.client_id.as_bytes().split_first().unwrap_or((&b'4', b""));
            let status = if *kind == b'1' {
                QuoteStatus::CanceledForSymbols
            } else {
                QuoteStatus::CanceledAll
            };
            let text = format!("{} sides of quotes were taken off", answer.cancelled);
            write(&mut self.body, id, status, &text, None, &[], floor);
        } else {
            let ids = Ids::of(at_hand.client_id.as_bytes());
            let is_wanted = match ids.level {
                b'0' => false,
                b'1' => !answer.refused.is_empty(),
                _ => true,
            };
            for _ in &answer.refused {
                floor.count_reject();
            }
            if !is_wanted {
                return;
            }
            let first = answer.refused.first().map(|refused| refused.reason);
            let all = answer.refused.len() == answer.entries;
            let status = if all {
                QuoteStatus::Rejected
            } else {
                QuoteStatus::Accepted
            };
            let text = match answer.refused.len() {
                0 => String::new(),
                1 => first.map_or("", RejectReason::text).to_owned(),
                many => format!(
                    "{many} entries were refused, the first: {}",
                    first.map_or("", RejectReason::text)
                ),
            };
            write(
                &mut self.body,
                ids.quote,
                status,
                &text,
                first.filter(|_| all),
                &answer.refused,
                floor,
            );
        }
        account.send(
            hub,
            floor.now,
            at.stamp,
            MsgType::MASS_QUOTE_ACKNOWLEDGEMENT,
            &self.body,
        );
    }

    /// Protection has tripped: told unasked, before the reports of the quotes that go.
    pub(super) fn protection_tripped(&mut self, event: &ProtectionTripped, at: At, floor: &Floor, hub: &mut Hub<Peer>) {
        let Some(account) = self.accounts.get_mut(&event.session) else {
            return;
        };
        let listed = floor.directory.instrument(event.instrument);
        let symbol = listed.map(|listed| listed.symbol).unwrap_or_default();
        let text = format!(
            "market-maker protection has tripped on {symbol}: bought {}, sold {} in {} trades; send i with 9773=Y to quote again",
            event.bought, event.sold, event.count
        );
        self.body.clear();
        write(
            &mut self.body,
            b"",
            QuoteStatus::RemovedFromMarket,
            &text,
            None,
            &[],
            floor,
        );
        account.send(
            hub,
            floor.now,
            at.stamp,
            MsgType::MASS_QUOTE_ACKNOWLEDGEMENT,
            &self.body,
        );
    }
}

/// A MassQuoteAcknowledgement. It lists the entries that were refused, and no others.
fn write(
    out: &mut Vec<u8>,
    id: &[u8],
    status: QuoteStatus,
    text: &str,
    reason: Option<RejectReason>,
    refused: &[Refused],
    floor: &Floor,
) {
    let mut body = FieldWriter::new(out);
    body.text(tags::TEXT, text).bytes(QUOTE_ID, id);
    let sets: Vec<&[Refused]> = refused.chunk_by(|one, next| one.set == next.set).collect();
    if !sets.is_empty() {
        body.group(NO_QUOTE_SETS, sets.len() as u64, |body| {
            for set in sets {
                body.bytes(QUOTE_SET_ID, set.first().map_or(b"", |refused| &refused.set));
                body.group(NO_QUOTE_ENTRIES, set.len() as u64, |body| {
                    for refused in set {
                        body.bytes(QUOTE_ENTRY_ID, &refused.entry);
                        if let Some(listed) = floor.directory.instrument(refused.instrument) {
                            body.text(tags::SYMBOL, listed.symbol.as_str());
                        }
                        body.unsigned(QUOTE_ENTRY_REJECT_REASON, quote_reject_reason(refused.reason));
                    }
                });
            }
        });
    }
    body.unsigned(QUOTE_STATUS, status as u64);
    if let Some(reason) = reason {
        body.unsigned(QUOTE_REJECT_REASON, quote_reject_reason(reason));
    }
}
