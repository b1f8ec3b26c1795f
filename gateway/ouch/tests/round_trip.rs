//! Properties: what is encoded decodes to the same value, and every listed code survives the way there and back.

mod support;

use proptest::prelude::*;
use proptest::sample::select;
use rialto_ouch::messages::*;
use rialto_ouch::soup::*;

/// A value for every field that any message has; each message takes what it needs.
#[derive(Clone, Debug)]
struct Fields {
    user_ref: UserRefNum,
    other_ref: UserRefNum,
    quantity: Quantity,
    other_quantity: Quantity,
    price: Price,
    timestamp: Timestamp,
    order_reference: OrderReference,
    match_number: MatchNumber,
    strategy: AiqStrategy,
    symbol: Symbol,
    cl_ord_id: ClOrdId,
    side: Side,
    time_in_force: TimeInForce,
    display: Display,
    accepted_display: AcceptedDisplay,
    capacity: Capacity,
    inter_market_sweep: InterMarketSweep,
    cross_type: CrossType,
    event_code: EventCode,
    order_state: OrderState,
    cancel_reason: CancelReason,
    broken_reason: BrokenTradeReason,
    restated_reason: RestatedReason,
    reject_reason: RejectReason,
    liquidity_flag: LiquidityFlag,
    options: Options,
}

fn text(limit: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(b' '..=b'~', 0..=limit).prop_map(|bytes| String::from_utf8(bytes).expect("ASCII"))
}

prop_compose! {
    fn options()(
        set in any::<u32>(),
        a in any::<u64>(),
        b in any::<u32>(),
        c in any::<i32>(),
        d in any::<u16>(),
        firm in text(4),
        route in text(4),
        code in any::<usize>(),
    ) -> Options {
        fn pick<T: Copy>(all: &[T], code: usize) -> T {
            all[code % all.len()]
        }
        let all = [
            TagValue::SecondaryOrderReference(OrderReference(a)),
            TagValue::Firm(Firm::new(&firm).expect("fits")),
            TagValue::MinQuantity(Quantity(b)),
            TagValue::CustomerType(pick(CustomerType::ALL, code)),
            TagValue::MaxFloor(Quantity(!b)),
            TagValue::PriceType(pick(PriceType::ALL, code)),
            TagValue::PegOffset(SignedPrice(c)),
            TagValue::DiscretionPrice(Price(!a)),
            TagValue::DiscretionPriceType(pick(DiscretionPriceType::ALL, code)),
            TagValue::DiscretionPegOffset(SignedPrice(!c)),
            TagValue::PostOnly(pick(PostOnly::ALL, code)),
            TagValue::RandomReserves(Quantity(b ^ 1)),
            TagValue::Route(Route::new(&route).expect("fits")),
            TagValue::ExpireTime(ExpireTime(b ^ 2)),
            TagValue::TradeNow(pick(TradeNow::ALL, code)),
            TagValue::HandleInst(pick(HandleInst::ALL, code)),
            TagValue::BboWeight(pick(BboWeight::ALL, code)),
            TagValue::DisplayQuantity(Quantity(b ^ 3)),
            TagValue::DisplayPrice(Price(a ^ 1)),
            TagValue::GroupId(GroupId(d)),
            TagValue::SharesLocated(pick(SharesLocated::ALL, code)),
        ];
        let mut options = Options::NONE;
        for (bit, option) in all.into_iter().enumerate() {
            if set >> bit & 1 == 1 {
                assert_eq!(options.set(option), None, "tags are distinct");
            }
        }
        options
    }
}

fn fields() -> impl Strategy<Value = Fields> {
    let numbers = (any::<[u32; 4]>(), any::<[u64; 4]>(), any::<u8>(), text(8), text(14));
    let order = (
        select(Side::ALL),
        select(TimeInForce::ALL),
        select(Display::ALL),
        select(AcceptedDisplay::ALL),
        select(Capacity::ALL),
        select(InterMarketSweep::ALL),
        select(CrossType::ALL),
    );
    let answer = (
        select(EventCode::ALL),
        select(OrderState::ALL),
        select(CancelReason::ALL),
        select(BrokenTradeReason::ALL),
        select(RestatedReason::ALL),
        select(RejectReason::ALL),
        select(LiquidityFlag::ALL),
        options(),
    );
    (numbers, order, answer).prop_map(|(n, o, a)| Fields {
        user_ref: UserRefNum(n.0[0]),
        other_ref: UserRefNum(n.0[1]),
        quantity: Quantity(n.0[2]),
        other_quantity: Quantity(n.0[3]),
        price: Price(n.1[0]),
        timestamp: Timestamp(n.1[1]),
        order_reference: OrderReference(n.1[2]),
        match_number: MatchNumber(n.1[3]),
        strategy: AiqStrategy(n.2),
        symbol: Symbol::new(&n.3).expect("fits"),
        cl_ord_id: ClOrdId::new(&n.4).expect("fits"),
        side: o.0,
        time_in_force: o.1,
        display: o.2,
        accepted_display: o.3,
        capacity: o.4,
        inter_market_sweep: o.5,
        cross_type: o.6,
        event_code: a.0,
        order_state: a.1,
        cancel_reason: a.2,
        broken_reason: a.3,
        restated_reason: a.4,
        reject_reason: a.5,
        liquidity_flag: a.6,
        options: a.7,
    })
}

fn inbound<'a>(f: &Fields, appendage: Appendage<'a>) -> Vec<Inbound<'a>> {
    vec![
        EnterOrder {
            user_ref: f.user_ref,
            side: f.side,
            quantity: f.quantity,
            symbol: f.symbol,
            price: f.price,
            time_in_force: f.time_in_force,
            display: f.display,
            capacity: f.capacity,
            inter_market_sweep: f.inter_market_sweep,
            cross_type: f.cross_type,
            cl_ord_id: f.cl_ord_id,
            appendage,
        }
        .into(),
        ReplaceOrder {
            orig_user_ref: f.other_ref,
            user_ref: f.user_ref,
            quantity: f.quantity,
            price: f.price,
            time_in_force: f.time_in_force,
            display: f.display,
            inter_market_sweep: f.inter_market_sweep,
            cl_ord_id: f.cl_ord_id,
            appendage,
        }
        .into(),
        CancelOrder {
            user_ref: f.user_ref,
            quantity: f.quantity,
        }
        .into(),
        ModifyOrder {
            user_ref: f.user_ref,
            side: f.side,
            quantity: f.quantity,
        }
        .into(),
        AccountQuery {}.into(),
    ]
}

fn outbound<'a>(f: &Fields, appendage: Appendage<'a>) -> Vec<Outbound<'a>> {
    let (timestamp, user_ref) = (f.timestamp, f.user_ref);
    vec![
        SystemEvent {
            timestamp,
            event_code: f.event_code,
        }
        .into(),
        OrderAccepted {
            timestamp,
            user_ref,
            side: f.side,
            quantity: f.quantity,
            symbol: f.symbol,
            price: f.price,
            time_in_force: f.time_in_force,
            display: f.accepted_display,
            order_reference: f.order_reference,
            capacity: f.capacity,
            inter_market_sweep: f.inter_market_sweep,
            cross_type: f.cross_type,
            order_state: f.order_state,
            cl_ord_id: f.cl_ord_id,
            appendage,
        }
        .into(),
        OrderReplaced {
            timestamp,
            orig_user_ref: f.other_ref,
            user_ref,
            side: f.side,
            quantity: f.quantity,
            symbol: f.symbol,
            price: f.price,
            time_in_force: f.time_in_force,
            display: f.accepted_display,
            order_reference: f.order_reference,
            capacity: f.capacity,
            inter_market_sweep: f.inter_market_sweep,
            cross_type: f.cross_type,
            order_state: f.order_state,
            cl_ord_id: f.cl_ord_id,
            appendage,
        }
        .into(),
        OrderCanceled {
            timestamp,
            user_ref,
            quantity: f.quantity,
            reason: f.cancel_reason,
        }
        .into(),
        AiqCanceled {
            timestamp,
            user_ref,
            decrement_shares: f.quantity,
            reason: f.cancel_reason,
            quantity_prevented: f.other_quantity,
            execution_price: f.price,
            liquidity_flag: f.liquidity_flag,
            strategy: f.strategy,
        }
        .into(),
        OrderExecuted {
            timestamp,
            user_ref,
            quantity: f.quantity,
            price: f.price,
            liquidity_flag: f.liquidity_flag,
            match_number: f.match_number,
            appendage,
        }
        .into(),
        BrokenTrade {
            timestamp,
            user_ref,
            match_number: f.match_number,
            reason: f.broken_reason,
            cl_ord_id: f.cl_ord_id,
        }
        .into(),
        OrderRejected {
            timestamp,
            user_ref,
            reason: f.reject_reason,
            cl_ord_id: f.cl_ord_id,
        }
        .into(),
        CancelPending { timestamp, user_ref }.into(),
        CancelReject { timestamp, user_ref }.into(),
        OrderPriorityUpdate {
            timestamp,
            user_ref,
            price: f.price,
            display: f.accepted_display,
            order_reference: f.order_reference,
        }
        .into(),
        OrderModified {
            timestamp,
            user_ref,
            side: f.side,
            quantity: f.quantity,
        }
        .into(),
        OrderRestated {
            timestamp,
            user_ref,
            reason: f.restated_reason,
            appendage,
        }
        .into(),
        AccountQueryResponse {
            timestamp,
            next_user_ref: user_ref,
        }
        .into(),
    ]
}

proptest! {
    #[test]
    fn every_message_decodes_to_what_was_encoded(fields in fields()) {
        let buffer = fields.options.to_appendage();
        let mut bytes = Vec::new();
        for message in inbound(&fields, buffer.as_appendage()) {
            bytes.clear();
            message.encode(&mut bytes);
            prop_assert_eq!(Inbound::decode(&bytes), Ok(message));
        }
        for message in outbound(&fields, buffer.as_appendage()) {
            bytes.clear();
            message.encode(&mut bytes);
            prop_assert_eq!(Outbound::decode(&bytes), Ok(message));
        }
    }

    #[test]
    fn options_come_back_from_their_appendage(options in options()) {
        let buffer = options.to_appendage();
        prop_assert_eq!(buffer.as_appendage().options(), Ok(options));
        let tags: Vec<u8> = options.iter().map(TagValue::tag).collect();
        prop_assert!(tags.is_sorted_by(|a, b| a < b), "ascending: {:?}", tags);
        let read: Result<Vec<TagValue>, DecodeError> = buffer.as_appendage().iter().collect();
        prop_assert_eq!(read, Ok(options.iter().collect::<Vec<_>>()));
    }

    #[test]
    fn login_packets_decode_to_what_was_encoded(
        user in text(6),
        password in text(10),
        session in "[A-Za-z0-9]{0,10}",
        number in any::<u64>(),
    ) {
        let name = SessionName::new(&session).expect("fits");
        let sequence = SequenceNumber::new(number);
        let login = LoginRequest {
            user: UserName::new(&user).expect("fits"),
            password: Password::new(&password).expect("fits"),
            session: (!session.is_empty()).then_some(name),
            sequence: sequence.map_or(RequestedSequence::MostRecent, RequestedSequence::From),
        };
        let packet = support::client(ClientPacket::LoginRequest(login));
        prop_assert_eq!(ClientPacket::decode(&packet[2..]), Ok(ClientPacket::LoginRequest(login)));
        if let (Some(next), Some(session)) = (sequence, login.session) {
            let accepted = ServerPacket::LoginAccepted(LoginAccepted { session, next });
            let packet = support::server(accepted);
            prop_assert_eq!(ServerPacket::decode(&packet[2..]), Ok(accepted));
        }
    }

    #[test]
    fn packets_come_whole_however_the_stream_is_cut(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..40),
        cuts in proptest::collection::vec(1_usize..200, 1..20),
    ) {
        let stream: Vec<u8> =
            messages.iter().flat_map(|message| support::client(ClientPacket::Unsequenced(message))).collect();
        let mut framer = Framer::new(301);
        let mut read = Vec::new();
        let (mut rest, mut cuts) = (stream.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let cut = rest.len().min(*cuts.next().expect("endless"));
            let taken = framer.feed(&rest[..cut]);
            rest = &rest[taken..];
            while let Some(packet) = framer.next_packet().expect("a sound stream") {
                let Ok(ClientPacket::Unsequenced(message)) = ClientPacket::decode(packet) else { panic!("{packet:?}") };
                read.push(message.to_vec());
            }
        }
        prop_assert_eq!(read, messages);
    }
}

/// Every code of a field comes back, and every other code is an error that names the field.
macro_rules! codes_are_exact {
    ($($name:ident: $wire:ty = $count:literal),+) => {$(
        assert_eq!($name::ALL.len(), $count, stringify!($name));
        let mut listed = 0;
        for code in <$wire>::MIN..=<$wire>::MAX {
            match $name::from_code(code) {
                Ok(value) => {
                    assert_eq!(value.code(), code);
                    assert!($name::ALL.contains(&value));
                    listed += 1;
                }
                Err(error) => {
                    assert_eq!(error, DecodeError::UnknownValue { field: $name::FIELD, value: u16::from(code) });
                    assert!(error.to_string().contains($name::FIELD), "{error}");
                }
            }
        }
        assert_eq!(listed, $count, stringify!($name));
    )+};
}

#[test]
fn codes_are_those_of_the_specification_and_no_others() {
    codes_are_exact!(
        Side: u8 = 4, TimeInForce: u8 = 5, Display: u8 = 3, AcceptedDisplay: u8 = 4, Capacity: u8 = 4,
        InterMarketSweep: u8 = 2, CrossType: u8 = 8, EventCode: u8 = 2, OrderState: u8 = 2, CancelReason: u8 = 14,
        BrokenTradeReason: u8 = 4, RestatedReason: u8 = 2, LiquidityFlag: u8 = 25, RejectReason: u16 = 42,
        CustomerType: u8 = 3, PriceType: u8 = 6, DiscretionPriceType: u8 = 4, PostOnly: u8 = 2, TradeNow: u8 = 3,
        HandleInst: u8 = 8, BboWeight: u8 = 7, SharesLocated: u8 = 2
    );
}
