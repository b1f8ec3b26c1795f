//! An OUCH client for tests: one socket, the client's end of SoupBinTCP, and messages as short texts.
//!
//! `O 1 B 100 ABC 10.00` enters, `U 1 2 50 10.01` replaces, `X 1 40` reduces, `M 1 T 40` modifies, `Q` asks. Behind them stand
//! marks: `ioc`, `fok`, `min=N`, `display=A`, `id=TEXT` and the like. What comes is written in the same way.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use rialto_model::Door;
use rialto_ouch::messages::AccountQuery;
use rialto_ouch::messages::{
    Addressee, CancelOrder, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, ModifyOrder, Options,
    Outbound, Price, Quantity, ReplaceOrder, Side, Symbol, TimeInForce, UserRefNum,
};
use rialto_ouch::soup::{
    ClientEvent, ClientSession, CloseReason, LoginRequest, Password, RequestedSequence, SequenceNumber, SessionName,
    SoupConfig, UserName,
};

use super::Exchange;

pub struct OuchClient {
    stream: TcpStream,
    soup: ClientSession,
    /// Accepted for this session, from this number on.
    pub accepted: Option<(String, u64)>,
    /// Sequenced messages: number and text.
    pub messages: Vec<(u64, String)>,
    /// The bytes of each, never taken out.
    pub bytes: Vec<Vec<u8>>,
    pub closed: Option<CloseReason>,
    /// What the door said in words.
    pub words: String,
    /// The socket said that the door has closed it.
    pub hung_up: bool,
    /// Do not read from the socket.
    pub deaf: bool,
}

pub fn login(user: &str, password: &str, session: &str, sequence: u64) -> LoginRequest {
    LoginRequest {
        user: UserName::new(user).unwrap(),
        password: Password::new(password).unwrap(),
        session: (!session.is_empty()).then(|| SessionName::new(session).unwrap()),
        sequence: SequenceNumber::new(sequence).map_or(RequestedSequence::MostRecent, RequestedSequence::From),
    }
}

impl OuchClient {
    /// Connects and asks to be let in.
    pub fn connect(exchange: &Exchange, login: LoginRequest) -> Self {
        Self::connect_at(exchange, exchange.address(Door::Ouch), login)
    }

    /// The same by another port.
    pub fn connect_at(exchange: &Exchange, address: SocketAddr, login: LoginRequest) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self {
            stream,
            soup: ClientSession::new(SoupConfig::default(), login, exchange.now_ns()),
            accepted: None,
            messages: Vec::new(),
            bytes: Vec::new(),
            closed: None,
            words: String::new(),
            hung_up: false,
            deaf: false,
        }
    }

    /// Connects as a user with the right password and waits until it is in, from the first message on.
    #[track_caller]
    pub fn enter(exchange: &mut Exchange, user: &str) -> Self {
        Self::enter_from(exchange, user, 1)
    }

    #[track_caller]
    pub fn enter_from(exchange: &mut Exchange, user: &str, sequence: u64) -> Self {
        let mut client = Self::connect(exchange, login(user, "secret", "", sequence));
        exchange.until("login accepted", |x| {
            client.poll(x);
            client.accepted.is_some()
        });
        client
    }

    /// Moves bytes and events.
    pub fn poll(&mut self, exchange: &Exchange) {
        let now = exchange.now_ns();
        let mut bytes = [0; 4096];
        while !self.deaf && !self.hung_up {
            match self.stream.read(&mut bytes) {
                Ok(0) => self.hung_up = true,
                Ok(count) => assert_eq!(self.soup.handle_bytes(now, &bytes[..count]), count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.hung_up = true,
            }
            self.take_events();
        }
        self.soup.handle_timer(now);
        self.take_events();
        while !self.soup.poll_output().is_empty() {
            match self.stream.write(self.soup.poll_output()) {
                Ok(count) => self.soup.handle_sent(now, count),
                Err(_) => break,
            }
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.soup.poll_event() {
            match event {
                ClientEvent::LoggedIn(accepted) => {
                    self.accepted = Some((accepted.session.as_str().to_owned(), accepted.next.get()));
                }
                ClientEvent::Sequenced(number, message) => {
                    let text = describe(&Outbound::decode(message).unwrap());
                    self.messages.push((number.get(), text));
                    self.bytes.push(message.to_vec());
                }
                ClientEvent::Closed(reason) => self.closed = Some(reason),
                ClientEvent::Debug(words) => self.words += &String::from_utf8_lossy(words),
                ClientEvent::Unsequenced(_) => {}
            }
        }
    }

    pub fn send(&mut self, exchange: &Exchange, text: &str) {
        self.soup.send(&encode(text)).unwrap();
        self.poll(exchange);
    }

    /// Sends bytes as they are, past the protocol.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub fn logout(&mut self, exchange: &Exchange) {
        self.soup.logout();
        self.poll(exchange);
    }

    pub fn resume(&self) -> LoginRequest {
        self.soup.resume()
    }

    /// Plays a table: lines with `>` are sent, lines with `<` must come, in order, and nothing else may have come before the
    /// next `>`.
    #[track_caller]
    pub fn play(&mut self, exchange: &mut Exchange, table: &str) {
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (direction, text) = line.split_at(1);
            match direction {
                ">" => self.send(exchange, text.trim()),
                "<" => self.expect(exchange, text.trim()),
                _ => panic!("a table line begins with < or >: {line}"),
            }
        }
    }

    /// The next message that was not looked at must be this.
    #[track_caller]
    pub fn expect(&mut self, exchange: &mut Exchange, text: &str) {
        exchange.until(text, |x| {
            self.poll(x);
            !self.messages.is_empty() || self.closed.is_some() || self.hung_up
        });
        assert!(!self.messages.is_empty(), "closed ({:?}) and not: {text}", self.closed);
        assert_eq!(self.messages.remove(0).1, text);
    }

    /// Nothing has come that was not looked at. A query is answered behind everything that was on its way.
    #[track_caller]
    pub fn expect_nothing(&mut self, exchange: &mut Exchange) {
        self.send(exchange, "Q");
        exchange.until("the answer to Q", |x| {
            self.poll(x);
            self.messages.iter().any(|(_, text)| text.starts_with('Q'))
        });
        let (_, text) = self.messages.remove(0);
        assert!(text.starts_with('Q'), "nothing was to come, but: {text}");
    }

    #[track_caller]
    pub fn until_closed(&mut self, exchange: &mut Exchange) {
        exchange.until("the connection to be closed", |x| {
            self.poll(x);
            self.hung_up
        });
    }
}

fn encode(text: &str) -> Vec<u8> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mark = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let has = |name: &str| words.contains(&name);
    let number = |at: usize| words[at].parse::<u32>().unwrap();
    let code = |name: &str, default: u8| mark(name).map_or(default, |value| value.as_bytes()[0]);
    let id = ClOrdId::new(mark("id").unwrap_or("")).unwrap();
    let quantity = |at| Quantity(number(at));
    let tif = code("tif", if has("ioc") || has("fok") { b'3' } else { b'0' });
    // The quantity is the fourth word of both O and U.
    let min = if has("fok") { words.get(3).copied() } else { mark("min") };
    let options = Options {
        min_quantity: min.map(|min| Quantity(min.parse().unwrap())),
        post_only: has("post").then_some(rialto_ouch::messages::PostOnly::PostOnly),
        group_id: mark("group").map(|group| rialto_ouch::messages::GroupId(group.parse().unwrap())),
        max_floor: mark("floor").map(|floor| Quantity(floor.parse().unwrap())),
        price_type: mark("peg").map(|peg| rialto_ouch::messages::PriceType::from_code(peg.as_bytes()[0]).unwrap()),
        peg_offset: mark("offset").map(|offset| rialto_ouch::messages::SignedPrice(offset.parse().unwrap())),
        firm: mark("firm").map(|firm| rialto_ouch::messages::Firm::new(firm).unwrap()),
        ..Options::NONE
    }
    .to_appendage();
    let display = Display::from_code(code("display", b'Y')).unwrap();
    let time_in_force = TimeInForce::from_code(tif).unwrap();
    let sweep = InterMarketSweep::from_code(code("sweep", b'N')).unwrap();
    let mut out = Vec::new();
    match words[0] {
        "O" => EnterOrder {
            user_ref: UserRefNum(number(1)),
            side: side(words[2]),
            quantity: quantity(3),
            symbol: Symbol::new(words[4]).unwrap(),
            price: price(words[5]),
            time_in_force,
            display,
            capacity: Capacity::from_code(code("capacity", b'A')).unwrap(),
            inter_market_sweep: sweep,
            cross_type: CrossType::from_code(code("cross", b'N')).unwrap(),
            cl_ord_id: id,
            appendage: options.as_appendage(),
        }
        .encode(&mut out),
        "U" => ReplaceOrder {
            orig_user_ref: UserRefNum(number(1)),
            user_ref: UserRefNum(number(2)),
            quantity: quantity(3),
            price: price(words[4]),
            time_in_force,
            display,
            inter_market_sweep: sweep,
            cl_ord_id: id,
            appendage: options.as_appendage(),
        }
        .encode(&mut out),
        "X" => CancelOrder {
            user_ref: UserRefNum(number(1)),
            quantity: quantity(2),
        }
        .encode(&mut out),
        "M" => ModifyOrder {
            user_ref: UserRefNum(number(1)),
            side: side(words[2]),
            quantity: quantity(3),
        }
        .encode(&mut out),
        "Q" => AccountQuery {}.encode(&mut out),
        other => panic!("unknown message {other}"),
    }
    // A code that the builder cannot say: the byte at an offset is overwritten.
    if let Some((at, byte)) = mark("byte").and_then(|patch| patch.split_once(':')) {
        out[at.parse::<usize>().unwrap()] = byte.as_bytes()[0];
        assert!(Addressee::of(&out).is_some());
    }
    out
}

fn side(word: &str) -> Side {
    Side::from_code(word.as_bytes()[0]).unwrap()
}

fn price(word: &str) -> Price {
    if word == "market" {
        return Price::MARKET;
    }
    let (whole, part) = word.split_once('.').unwrap_or((word, ""));
    let part = format!("{part:0<4}");
    Price(whole.parse::<u64>().unwrap() * 10_000 + part.parse::<u64>().unwrap())
}

fn shown(price: Price) -> String {
    if price.is_market() {
        return "market".to_owned();
    }
    format!("{}.{:02}", price.0 / 10_000, price.0 % 10_000 / 100)
}

fn describe(message: &Outbound<'_>) -> String {
    let marks = |id: ClOrdId, options: Options, display: u8, cross: CrossType, tif: TimeInForce| {
        let mut marks = String::new();
        if let Some(floor) = options.max_floor {
            marks += &format!(" floor={}", floor.0);
        }
        if options.post_only == Some(rialto_ouch::messages::PostOnly::PostOnly) {
            marks += " post";
        }
        if let Some(group) = options.group_id {
            marks += &format!(" group={}", group.0);
        }
        if let Some(peg) = options.price_type {
            marks += &format!(" peg={}", char::from(peg.code()));
        }
        if cross != CrossType::Continuous {
            marks += &format!(" cross={}", char::from(cross.code()));
        }
        let min = options.min_quantity;
        if tif == TimeInForce::ImmediateOrCancel {
            marks += " ioc";
        }
        if let Some(min) = min {
            marks += &format!(" min={}", min.0);
        }
        if display != b'Y' {
            marks += &format!(" display={}", char::from(display));
        }
        if id != ClOrdId::BLANK {
            marks += &format!(" id={id}");
        }
        marks
    };
    let side = |side: Side| char::from(side.code());
    match message {
        Outbound::SystemEvent(m) => format!("S {}", char::from(m.event_code.code())),
        Outbound::OrderRestated(m) => {
            let options = m.appendage.options().unwrap();
            let reference = options.secondary_order_reference.unwrap().0 & 0xffff;
            let (reason, shown) = (char::from(m.reason.code()), options.display_quantity.unwrap().0);
            format!("R {} {reason} {shown} ref={reference}", m.user_ref.0)
        }
        Outbound::OrderAccepted(m) => {
            let options = m.appendage.options().unwrap();
            let marks = marks(m.cl_ord_id, options, m.display.code(), m.cross_type, m.time_in_force);
            let (symbol, price, reference) = (m.symbol, shown(m.price), m.order_reference.0 & 0xffff);
            format!(
                "A {} {} {} {symbol} {price} ref={reference}{marks}",
                m.user_ref.0,
                side(m.side),
                m.quantity.0
            )
        }
        Outbound::OrderReplaced(m) => {
            let options = m.appendage.options().unwrap();
            let marks = marks(m.cl_ord_id, options, m.display.code(), m.cross_type, m.time_in_force);
            let (price, reference, capacity) = (
                shown(m.price),
                m.order_reference.0 & 0xffff,
                char::from(m.capacity.code()),
            );
            let (orig, new) = (m.orig_user_ref.0, m.user_ref.0);
            format!(
                "U {orig} {new} {} {} {} {price} ref={reference} capacity={capacity}{marks}",
                side(m.side),
                m.quantity.0,
                m.symbol
            )
        }
        Outbound::OrderCanceled(m) => format!("C {} {} {}", m.user_ref.0, m.quantity.0, char::from(m.reason.code())),
        Outbound::OrderExecuted(m) => {
            let (price, trade) = (shown(m.price), m.match_number.0 & 0xffff);
            let flag = char::from(m.liquidity_flag.code());
            format!("E {} {} {price} {flag} trade={trade}", m.user_ref.0, m.quantity.0)
        }
        Outbound::OrderRejected(m) => {
            let id = marks(
                m.cl_ord_id,
                Options::NONE,
                b'Y',
                CrossType::Continuous,
                TimeInForce::Day,
            );
            format!("J {} {:#04x}{id}", m.user_ref.0, m.reason.code())
        }
        Outbound::OrderModified(m) => format!("M {} {} {}", m.user_ref.0, side(m.side), m.quantity.0),
        Outbound::OrderPriorityUpdate(m) => {
            let (price, display) = (shown(m.price), char::from(m.display.code()));
            format!(
                "T {} {price} {display} ref={}",
                m.user_ref.0,
                m.order_reference.0 & 0xffff
            )
        }
        Outbound::BrokenTrade(m) => {
            let (trade, reason) = (m.match_number.0 & 0xffff, char::from(m.reason.code()));
            format!("B {} {reason} trade={trade}", m.user_ref.0)
        }
        Outbound::CancelReject(m) => format!("I {}", m.user_ref.0),
        Outbound::AccountQueryResponse(m) => format!("Q {}", m.next_user_ref.0),
        other => format!("{other:?}"),
    }
}
