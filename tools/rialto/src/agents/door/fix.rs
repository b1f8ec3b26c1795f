//! A line to the FIX door.

use super::super::Seat;
use super::super::desk::OpenOrder;
use super::super::trader::Intent;
use super::{News, OrderNumber, Report};
use crate::fix_client::{FixClient, FixEvent, Numbers};
use anyhow::Result;
use rialto_fix::client::{ClientConfig, Credentials};
use rialto_fix::message::{FieldWriter, Message};
use rialto_fix::{MsgType, TimePrecision, Version, tags};
use rialto_model::{Price, Quantity, Side, Symbol};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Decimals of prices.
const SCALE: u32 = 4;

/// A session at the FIX door, over all its connections.
#[derive(Debug)]
pub(super) struct FixLine {
    address: SocketAddr,
    config: ClientConfig,
    client: Option<FixClient>,
    /// What the next connection resumes from; without it both sides start their numbers anew.
    resume: Option<Numbers>,
    names: Names,
    next: u32,
    symbols: Vec<Symbol>,
}

/// ClOrdIDs: a stem that no earlier run has used today, and the order's number.
#[derive(Debug)]
struct Names(String);

impl Names {
    fn of(&self, number: OrderNumber) -> String {
        format!("{}-{}", self.0, number.0)
    }

    fn number(&self, name: &[u8]) -> Option<OrderNumber> {
        let name = std::str::from_utf8(name).ok()?;
        name.strip_prefix(self.0.as_str())?
            .strip_prefix('-')?
            .parse()
            .ok()
            .map(OrderNumber)
    }
}

impl FixLine {
    pub(super) fn new(address: SocketAddr, comp_id: &str, seat: &Seat, symbols: Vec<Symbol>) -> Self {
        let credentials = Credentials {
            username: seat.session.clone().into(),
            password: seat.password.clone().into(),
        };
        let config = ClientConfig {
            credentials: Some(credentials),
            ..ClientConfig::new(Version::Fix44, &seat.session, comp_id)
        };
        let stem = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_micros());
        let names = Names(format!("{stem:x}"));
        Self {
            address,
            config,
            client: None,
            resume: None,
            names,
            next: 1,
            symbols,
        }
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.client.is_some()
    }

    pub(super) fn connect(&mut self) -> Result<()> {
        let mut config = self.config.clone();
        match self.resume {
            Some(numbers) => {
                config.next_outbound = numbers.next_outbound;
                config.next_inbound = numbers.next_inbound;
            }
            None => config.reset_numbers = true,
        }
        self.client = Some(FixClient::connect(self.address, config)?);
        Ok(())
    }

    /// A Logon that was refused is not tried again, and after an orderly end there is nothing to resume: the next one begins
    /// anew.
    pub(super) fn drop_connection(&mut self) {
        if let Some(client) = self.client.take() {
            self.resume = client.is_resumable().then(|| client.numbers());
        }
    }

    pub(super) fn poll(&mut self, news: &mut Vec<News>) {
        let Some(client) = &mut self.client else { return };
        let (names, symbols) = (&self.names, &self.symbols);
        client.poll(&mut |event| match event {
            FixEvent::LoggedOn => news.push(News::Ready),
            FixEvent::Message(message) => news.extend(report(&message, names, symbols).map(News::Of)),
            // The exchange has ended the day or is closing: what comes next begins anew.
            FixEvent::LoggedOut => news.extend([News::Fresh, News::Lost]),
            FixEvent::Lost => news.push(News::Lost),
        });
    }

    /// Sends it and gives the number it goes by.
    pub(super) fn send(&mut self, intent: Intent, target: Option<OpenOrder>) -> Option<OrderNumber> {
        let client = self.client.as_mut()?;
        let number = OrderNumber(self.next);
        let now = client.utc();
        let side_code = |side| if side == Side::Buy { b'1' } else { b'2' };
        let name = self.names.of(number);
        let mut body = Vec::new();
        let mut fields = FieldWriter::new(&mut body);
        fields.text(tags::CL_ORD_ID, &name);
        let msg_type = match intent {
            Intent::Enter {
                instrument,
                side,
                price,
                quantity,
                immediate,
            } => {
                fields
                    .unsigned(tags::ORDER_QTY, quantity.0)
                    .character(tags::ORD_TYPE, b'2')
                    .decimal(tags::PRICE, price.0, SCALE)
                    .character(tags::SIDE, side_code(side))
                    .text(tags::SYMBOL, self.symbols.get(instrument)?.as_str())
                    .character(tags::TIME_IN_FORCE, if immediate { b'3' } else { b'0' })
                    .timestamp(tags::TRANSACT_TIME, now, TimePrecision::Milliseconds);
                MsgType::NEW_ORDER_SINGLE
            }
            Intent::Replace { number: old, price } => {
                let target = target?;
                fields
                    .unsigned(tags::ORDER_QTY, target.open.0.checked_add(target.traded.0)?)
                    .character(tags::ORD_TYPE, b'2')
                    .text(tags::ORIG_CL_ORD_ID, &self.names.of(old))
                    .decimal(tags::PRICE, price.0, SCALE)
                    .character(tags::SIDE, side_code(target.side))
                    .text(tags::SYMBOL, self.symbols.get(target.instrument)?.as_str())
                    .character(tags::TIME_IN_FORCE, b'0')
                    .timestamp(tags::TRANSACT_TIME, now, TimePrecision::Milliseconds);
                MsgType::ORDER_CANCEL_REPLACE_REQUEST
            }
            Intent::Cancel { number: old } => {
                let target = target?;
                fields
                    .unsigned(tags::ORDER_QTY, target.open.0.checked_add(target.traded.0)?)
                    .text(tags::ORIG_CL_ORD_ID, &self.names.of(old))
                    .character(tags::SIDE, side_code(target.side))
                    .text(tags::SYMBOL, self.symbols.get(target.instrument)?.as_str())
                    .timestamp(tags::TRANSACT_TIME, now, TimePrecision::Milliseconds);
                MsgType::ORDER_CANCEL_REQUEST
            }
        };
        if !client.send(msg_type, &body) {
            return None;
        }
        self.next = self.next.checked_add(1)?;
        Some(number)
    }

    pub(super) fn logout(&mut self) {
        if let Some(client) = &mut self.client {
            client.logout();
        }
    }
}

/// What a message says of an order; nothing where it is about none of this run's.
fn report(message: &Message<'_>, names: &Names, symbols: &[Symbol]) -> Option<Report> {
    let own = |tag| names.number(message.get(tag)?);
    let quantity = |tag| u64::try_from(message.decimal(tag, 0).ok()?).ok().map(Quantity);
    let number = own(tags::CL_ORD_ID)?;
    if message.msg_type() == MsgType::ORDER_CANCEL_REJECT {
        // 1 answers a cancel, 2 a replace.
        return match message.character(tags::CXL_REJ_RESPONSE_TO).ok()? {
            b'1' => own(tags::ORIG_CL_ORD_ID).map(|number| Report::Gone { number }),
            _ => Some(Report::Refused { number }),
        };
    }
    if message.msg_type() != MsgType::EXECUTION_REPORT {
        return None;
    }
    match message.character(tags::EXEC_TYPE).ok()? {
        b'0' | b'5' => {
            let symbol = message.get(tags::SYMBOL)?;
            Some(Report::Standing {
                number,
                instrument: symbols.iter().position(|known| known.as_str().as_bytes() == symbol)?,
                side: if message.character(tags::SIDE).ok()? == b'1' {
                    Side::Buy
                } else {
                    Side::Sell
                },
                price: Price(message.decimal(tags::PRICE, SCALE).ok()?),
                open: quantity(tags::LEAVES_QTY)?,
            })
        }
        b'F' => Some(Report::Executed {
            number,
            quantity: quantity(tags::LAST_QTY)?,
        }),
        // Cancelled, done for the day, expired: a cancel that was asked for goes by a number of its own.
        b'4' | b'3' | b'C' => Some(Report::Gone {
            number: own(tags::ORIG_CL_ORD_ID).unwrap_or(number),
        }),
        b'8' => Some(Report::Refused { number }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_fix::message::{Decoder, MessageHeader, encode};
    use rialto_fix::{MsgSeqNum, UtcTimestamp};

    fn frame(msg_type: MsgType<'_>, body: &str) -> Vec<u8> {
        let header = MessageHeader {
            begin_string: b"FIX.4.4",
            msg_type,
            msg_seq_num: MsgSeqNum(2),
            sender_comp_id: b"RIALTO",
            target_comp_id: b"AGENT",
            sending_time: UtcTimestamp(0),
            orig_sending_time: None,
            time_precision: TimePrecision::Milliseconds,
            extra: b"",
        };
        let mut frame = Vec::new();
        encode(&header, body.replace('|', "\x01").as_bytes(), &mut frame);
        frame
    }

    #[test]
    fn messages_become_reports() {
        let names = Names("5f".to_owned());
        let symbols = [Symbol::new("ACME").unwrap(), Symbol::new("BOLT").unwrap()];
        let (execution, reject) = (MsgType::EXECUTION_REPORT, MsgType::ORDER_CANCEL_REJECT);
        let standing = |number, side, price, open| {
            let (number, price, open) = (OrderNumber(number), Price(price), Quantity(open));
            Some(Report::Standing {
                number,
                instrument: 1,
                side,
                price,
                open,
            })
        };
        let gone = |number| {
            Some(Report::Gone {
                number: OrderNumber(number),
            })
        };
        let refused = |number| {
            Some(Report::Refused {
                number: OrderNumber(number),
            })
        };
        let table = [
            (
                execution,
                "11=5f-7|44=123.45|54=2|55=BOLT|150=0|151=300|",
                standing(7, Side::Sell, 1_234_500, 300),
            ),
            (
                execution,
                "11=5f-8|41=5f-7|44=1|54=1|55=BOLT|150=5|151=20|",
                standing(8, Side::Buy, 10_000, 20),
            ),
            (execution, "11=5f-7|44=1|54=1|55=OTHER|150=0|151=20|", None),
            (
                execution,
                "11=5f-7|31=1.5|32=100|150=F|",
                Some(Report::Executed {
                    number: OrderNumber(7),
                    quantity: Quantity(100),
                }),
            ),
            (execution, "11=5f-9|41=5f-7|150=4|", gone(7)),
            (execution, "11=5f-7|150=4|", gone(7)),
            (execution, "11=5f-7|150=C|", gone(7)),
            (execution, "11=5f-7|150=8|", refused(7)),
            (execution, "11=5f-7|150=I|", None),
            (execution, "11=6f-7|150=8|", None),
            (execution, "11=5f7|150=8|", None),
            (execution, "150=8|", None),
            (reject, "11=5f-9|41=5f-7|434=1|", gone(7)),
            (reject, "11=5f-9|41=5f-7|434=2|", refused(9)),
            (MsgType::REJECT, "11=5f-9|", None),
        ];
        for (msg_type, body, expected) in table {
            let frame = frame(msg_type, body);
            let mut decoder = Decoder::new();
            let message = decoder.decode(&frame).unwrap();
            assert_eq!(report(&message, &names, &symbols), expected, "{body}");
        }
    }
}
