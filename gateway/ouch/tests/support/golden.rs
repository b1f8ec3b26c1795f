//! One message of every type: the bytes as the tables of the specification demand them, and the same message as a
//! value.
//!
//! The bytes are written by hand from the tables. No two fields of one message have the same content, so that a field
//! at a wrong offset cannot pass.

use rialto_ouch::messages::*;

use super::bytes;

/// The options that an Enter Order and a Replace Order may both have.
const ORDER_OPTIONS: &str =
    "05 03 00000064  02 04 'R'  05 05 00000203  02 06 'M'  05 07 fffffffe  09 09 0000000000000405
    02 0a 'R'  05 0b 00000003  02 0c 'P'  05 0d 00000007  05 0f 0001517f  02 10 'Y'  02 11 'I'  03 18 0809";

fn order_options() -> Options {
    Options {
        min_quantity: Some(Quantity(100)),
        customer_type: Some(CustomerType::RetailDesignated),
        max_floor: Some(Quantity(0x0203)),
        price_type: Some(PriceType::MidpointPeg),
        peg_offset: Some(SignedPrice(-2)),
        discretion_price: Some(Price(0x0405)),
        discretion_price_type: Some(DiscretionPriceType::PrimaryPeg),
        discretion_peg_offset: Some(SignedPrice(3)),
        post_only: Some(PostOnly::PostOnly),
        random_reserves: Some(Quantity(7)),
        expire_time: Some(ExpireTime(86_399)),
        trade_now: Some(TradeNow::Yes),
        handle_inst: Some(HandleInst::ImbalanceOnly),
        group_id: Some(GroupId(0x0809)),
        ..Options::NONE
    }
}

fn symbol() -> Symbol {
    Symbol::new("GOOG").expect("fits")
}

fn cl_ord_id() -> ClOrdId {
    ClOrdId::new("ORDER-17").expect("fits")
}

/// Shows every inbound message: its name, its bytes, its value.
pub(crate) fn each_inbound(show: &mut dyn FnMut(&str, &[u8], Inbound<'_>)) {
    let firm_and_route = Options {
        firm: Some(Firm::new("MLRO").expect("fits")),
        route: Some(Route::new("SCAN").expect("fits")),
        shares_located: Some(SharesLocated::Yes),
        ..Options::NONE
    };
    let some = firm_and_route.to_appendage();
    let many = order_options().to_appendage();
    let enter = EnterOrder {
        user_ref: UserRefNum(0x0102_0304),
        side: Side::SellShortExempt,
        quantity: Quantity(0x0005_0607),
        symbol: symbol(),
        price: Price(0x1112_1314_1516_1718),
        time_in_force: TimeInForce::ImmediateOrCancel,
        display: Display::Visible,
        capacity: Capacity::Principal,
        inter_market_sweep: InterMarketSweep::NotEligible,
        cross_type: CrossType::Continuous,
        cl_ord_id: cl_ord_id(),
        appendage: some.as_appendage(),
    };
    show(
        "Enter Order",
        &bytes(
            "'O' 01020304 'E' 00050607 'GOOG    ' 1112131415161718 '3' 'Y' 'P' 'N' 'N' 'ORDER-17      '
             000f  05 02 'MLRO'  05 0e 'SCAN'  02 19 'Y'",
        ),
        enter.into(),
    );
    show(
        "Enter Order with many options",
        &bytes(&format!(
            "'O' 01020304 'S' 00050607 'GOOG    ' 1112131415161718 'E' 'A' 'O' 'Y' 'H' 'ORDER-17      '
             0044  {ORDER_OPTIONS}"
        )),
        EnterOrder {
            side: Side::Sell,
            time_in_force: TimeInForce::AfterHours,
            display: Display::Attributable,
            capacity: Capacity::Other,
            inter_market_sweep: InterMarketSweep::Eligible,
            cross_type: CrossType::Halt,
            appendage: many.as_appendage(),
            ..enter
        }
        .into(),
    );
    let replace = ReplaceOrder {
        orig_user_ref: UserRefNum(0x0102_0304),
        user_ref: UserRefNum(0x0506_0708),
        quantity: Quantity(0x0005_0607),
        price: Price(0x1112_1314_1516_1718),
        time_in_force: TimeInForce::GoodTillTime,
        display: Display::Hidden,
        inter_market_sweep: InterMarketSweep::Eligible,
        cl_ord_id: cl_ord_id(),
        appendage: many.as_appendage(),
    };
    show(
        "Replace Order",
        &bytes(&format!(
            "'U' 01020304 05060708 00050607 1112131415161718 '6' 'N' 'Y' 'ORDER-17      ' 0044  {ORDER_OPTIONS}"
        )),
        replace.into(),
    );
    show(
        "Replace Order without options",
        &bytes("'U' 01020304 05060708 00050607 1112131415161718 '0' 'Y' 'N' 'ORDER-17      ' 0000"),
        ReplaceOrder {
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            inter_market_sweep: InterMarketSweep::NotEligible,
            appendage: Appendage::EMPTY,
            ..replace
        }
        .into(),
    );
    show(
        "Cancel Order",
        &bytes("'X' 01020304 00050607"),
        CancelOrder {
            user_ref: UserRefNum(0x0102_0304),
            quantity: Quantity(0x0005_0607),
        }
        .into(),
    );
    show(
        "Modify Order",
        &bytes("'M' 01020304 'T' 00050607"),
        ModifyOrder {
            user_ref: UserRefNum(0x0102_0304),
            side: Side::SellShort,
            quantity: Quantity(0x0005_0607),
        }
        .into(),
    );
    show("Account Query", &bytes("'Q'"), AccountQuery {}.into());
}

/// Shows every outbound message: its name, its bytes, its value.
pub(crate) fn each_outbound(show: &mut dyn FnMut(&str, &[u8], Outbound<'_>)) {
    let timestamp = Timestamp(0x0000_1f2f_3f4f_5f6f);
    let user_ref = UserRefNum(0x0102_0304);
    let quantity = Quantity(0x0005_0607);
    let price = Price(0x1112_1314_1516_1718);
    let order_reference = OrderReference(0x2122_2324_2526_2728);
    let match_number = MatchNumber(0x3132_3334_3536_3738);

    show(
        "System Event",
        &bytes("'S' 00001f2f3f4f5f6f 'E'"),
        SystemEvent {
            timestamp,
            event_code: EventCode::EndOfDay,
        }
        .into(),
    );
    let weight = Options {
        firm: Some(Firm::new("MLRO").expect("fits")),
        bbo_weight: Some(BboWeight::SetsQbbo),
        ..Options::NONE
    }
    .to_appendage();
    show(
        "Order Accepted",
        &bytes(
            "'A' 00001f2f3f4f5f6f 01020304 'B' 00050607 'GOOG    ' 1112131415161718 '5' 'Z' 2122232425262728
             'R' 'Y' 'C' 'L' 'ORDER-17      ' 0009  05 02 'MLRO'  02 12 'S'",
        ),
        OrderAccepted {
            timestamp,
            user_ref,
            side: Side::Buy,
            quantity,
            symbol: symbol(),
            price,
            time_in_force: TimeInForce::ExtendedHours,
            display: AcceptedDisplay::Conformant,
            order_reference,
            capacity: Capacity::RisklessPrincipal,
            inter_market_sweep: InterMarketSweep::Eligible,
            cross_type: CrossType::Closing,
            order_state: OrderState::Live,
            cl_ord_id: cl_ord_id(),
            appendage: weight.as_appendage(),
        }
        .into(),
    );
    show(
        "Order Replaced",
        &bytes(
            "'U' 00001f2f3f4f5f6f 01020304 05060708 'S' 00050607 'GOOG    ' 1112131415161718 '3' 'N' 2122232425262728
             'A' 'Y' 'O' 'D' 'ORDER-17      ' 0009  05 02 'MLRO'  02 12 'S'",
        ),
        OrderReplaced {
            timestamp,
            orig_user_ref: user_ref,
            user_ref: UserRefNum(0x0506_0708),
            side: Side::Sell,
            quantity,
            symbol: symbol(),
            price,
            time_in_force: TimeInForce::ImmediateOrCancel,
            display: AcceptedDisplay::Hidden,
            order_reference,
            capacity: Capacity::Agency,
            inter_market_sweep: InterMarketSweep::Eligible,
            cross_type: CrossType::Opening,
            order_state: OrderState::Dead,
            cl_ord_id: cl_ord_id(),
            appendage: weight.as_appendage(),
        }
        .into(),
    );
    show(
        "Order Canceled",
        &bytes("'C' 00001f2f3f4f5f6f 01020304 00050607 'U'"),
        OrderCanceled {
            timestamp,
            user_ref,
            quantity,
            reason: CancelReason::UserRequested,
        }
        .into(),
    );
    show(
        "AIQ Canceled",
        &bytes("'D' 00001f2f3f4f5f6f 01020304 00050607 'Q' 00000809 1112131415161718 'R' '2'"),
        AiqCanceled {
            timestamp,
            user_ref,
            decrement_shares: quantity,
            reason: CancelReason::SelfMatchPrevention,
            quantity_prevented: Quantity(0x0809),
            execution_price: price,
            liquidity_flag: LiquidityFlag::Removed,
            strategy: AiqStrategy(b'2'),
        }
        .into(),
    );
    show(
        "Order Executed",
        &bytes("'E' 00001f2f3f4f5f6f 01020304 00050607 1112131415161718 'A' 3132333435363738 0000"),
        OrderExecuted {
            timestamp,
            user_ref,
            quantity,
            price,
            liquidity_flag: LiquidityFlag::Added,
            match_number,
            appendage: Appendage::EMPTY,
        }
        .into(),
    );
    show(
        "Broken Trade",
        &bytes("'B' 00001f2f3f4f5f6f 01020304 3132333435363738 'C' 'ORDER-17      '"),
        BrokenTrade {
            timestamp,
            user_ref,
            match_number,
            reason: BrokenTradeReason::Consent,
            cl_ord_id: cl_ord_id(),
        }
        .into(),
    );
    show(
        "Order Rejected",
        &bytes("'J' 00001f2f3f4f5f6f 01020304 0017 'ORDER-17      '"),
        OrderRejected {
            timestamp,
            user_ref,
            reason: RejectReason::InvalidSymbol,
            cl_ord_id: cl_ord_id(),
        }
        .into(),
    );
    show(
        "Cancel Pending",
        &bytes("'P' 00001f2f3f4f5f6f 01020304"),
        CancelPending { timestamp, user_ref }.into(),
    );
    show(
        "Cancel Reject",
        &bytes("'I' 00001f2f3f4f5f6f 01020304"),
        CancelReject { timestamp, user_ref }.into(),
    );
    show(
        "Order Priority Update",
        &bytes("'T' 00001f2f3f4f5f6f 01020304 1112131415161718 'Y' 2122232425262728"),
        OrderPriorityUpdate {
            timestamp,
            user_ref,
            price,
            display: AcceptedDisplay::Visible,
            order_reference,
        }
        .into(),
    );
    show(
        "Order Modified",
        &bytes("'M' 00001f2f3f4f5f6f 01020304 'E' 00050607"),
        OrderModified {
            timestamp,
            user_ref,
            side: Side::SellShortExempt,
            quantity,
        }
        .into(),
    );
    let restated = Options {
        secondary_order_reference: Some(order_reference),
        display_quantity: Some(Quantity(0x3132)),
        display_price: Some(Price(0x4142)),
        ..Options::NONE
    }
    .to_appendage();
    show(
        "Order Restated",
        &bytes(
            "'R' 00001f2f3f4f5f6f 01020304 'P'
             001a  09 01 2122232425262728  05 16 00003132  09 17 0000000000004142",
        ),
        OrderRestated {
            timestamp,
            user_ref,
            reason: RestatedReason::UpdateOfDisplayedPrice,
            appendage: restated.as_appendage(),
        }
        .into(),
    );
    show(
        "Account Query Response",
        &bytes("'Q' 00001f2f3f4f5f6f 01020304"),
        AccountQueryResponse {
            timestamp,
            next_user_ref: user_ref,
        }
        .into(),
    );
}
