//! Messages and reports as `matching_engine_api.h` lays them out. Prices are signed ticks.

/// A new order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct NewOrder {
    /// The client's name of it; one that is dead may be used again.
    pub order_id: u64,
    /// The number of the message.
    pub sequence_number: u64,
    /// At which price.
    pub price_ticks: i64,
    /// How much.
    pub quantity: u32,
    /// 0 buys, 1 sells.
    pub side: u8,
    /// 1: immediate-or-cancel.
    pub ioc: u8,
    /// Zero.
    pub reserved: [u8; 2],
}

/// Takes an order off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Cancel {
    /// Which.
    pub order_id: u64,
    /// The number of the message.
    pub sequence_number: u64,
}

/// Takes an order off and enters it again at another price and quantity, behind the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Modify {
    /// Which.
    pub order_id: u64,
    /// The number of the message.
    pub sequence_number: u64,
    /// At which price from here on.
    pub new_price_ticks: i64,
    /// How much from here on.
    pub new_quantity: u32,
    /// The order's side.
    pub side: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

/// What a report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReportType {
    /// A new order was taken.
    OrderAck = 0,
    /// A fill, at the resting order's price.
    Trade = 1,
    /// An order is off, or the rest of an immediate-or-cancel order.
    CancelAck = 2,
    /// An order was modified.
    ModifyAck = 3,
    /// A cancel named no resting order.
    CancelReject = 4,
    /// A modify named no resting order.
    ModifyReject = 5,
}

/// One cache line to the drainer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Report {
    /// A [`ReportType`].
    pub kind: u8,
    /// The order's side.
    pub side: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// The message that caused it.
    pub sequence_number: u64,
    /// The order it is about; in a trade the incoming one.
    pub order_id: u64,
    /// The order's price; in a trade the resting order's.
    pub price_ticks: i64,
    /// How much.
    pub quantity: u32,
    /// Zero.
    pub reserved2: u32,
    /// In a trade: the resting order.
    pub maker_order_id: u64,
    /// In a trade: the incoming order.
    pub taker_order_id: u64,
    /// Zero.
    pub reserved3: u64,
}

const _: () = {
    assert!(size_of::<NewOrder>() == 32);
    assert!(size_of::<Cancel>() == 16);
    assert!(size_of::<Modify>() == 32);
    assert!(size_of::<Report>() == 64);
};

/// Where reports go.
pub trait Outlet {
    /// Hands one on, however long it takes.
    fn push(&mut self, report: &Report);
}

impl Outlet for Vec<Report> {
    fn push(&mut self, report: &Report) {
        Self::push(self, *report);
    }
}
