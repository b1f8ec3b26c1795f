//! An engine that acknowledges every message and matches nothing: what harness and transport cost by themselves. Its time
//! a message is subtracted from everyone's for the net figure. It conforms to nothing.
#![allow(unsafe_code, reason = "a C ABI hands in pointers")]

// Not by way of the library, which exports the same names.
#[path = "../src/reports.rs"]
#[allow(dead_code, unreachable_pub, reason = "it needs the layouts alone")]
mod reports;

use reports::{Cancel, Modify, NewOrder, Report, ReportType};
use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, Ordering};

// SAFETY: to be called with the handle that came with it and a valid report.
type Push = unsafe extern "C" fn(*mut c_void, *const Report) -> i32;

/// The harness's table of functions; `push` is the second.
static TRANSPORT: AtomicPtr<[Push; 5]> = AtomicPtr::new(std::ptr::null_mut());
static SINK: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

fn acknowledge(kind: ReportType, sequence_number: u64, order_id: u64) {
    let report = Report {
        kind: kind as u8,
        sequence_number,
        order_id,
        ..Report::default()
    };
    // SAFETY: `engine_init` comes before every message and stored a table that is valid until `engine_shutdown`, of
    // functions whose pointers are all alike.
    let push = unsafe { (*TRANSPORT.load(Ordering::Relaxed))[1] };
    // SAFETY: function and sink came together, the report is alive.
    while unsafe { push(SINK.load(Ordering::Relaxed), &raw const report) } == 0 {
        std::hint::spin_loop();
    }
}

/// Declares functions that the harness finds by name.
macro_rules! export {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $Type:ty),*) $(-> $Answer:ty)? $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// One call at a time, valid pointers.
        // SAFETY: the name is the ABI's, and nothing else in this library has it.
        #[unsafe(no_mangle)]
        // SAFETY: the contract stands above.
        pub unsafe extern "C" fn $name($($argument: $Type),*) $(-> $Answer)? $body
    )*};
}

export! {
    /// Keeps the way to the reports.
    fn engine_init(_seed: u64, transport: *mut [Push; 5], sink: *mut c_void) {
        TRANSPORT.store(transport, Ordering::Relaxed);
        SINK.store(sink, Ordering::Relaxed);
    }
    /// Says that it was taken.
    fn engine_on_new_order(order: *const NewOrder) {
        // SAFETY: the harness hands in a valid message.
        let order = unsafe { &*order };
        acknowledge(ReportType::OrderAck, order.sequence_number, order.order_id);
    }
    /// Says that it is off.
    fn engine_on_cancel(cancel: *const Cancel) {
        // SAFETY: the harness hands in a valid message.
        let cancel = unsafe { &*cancel };
        acknowledge(ReportType::CancelAck, cancel.sequence_number, cancel.order_id);
    }
    /// Says that it was modified.
    fn engine_on_modify(modify: *const Modify) {
        // SAFETY: the harness hands in a valid message.
        let modify = unsafe { &*modify };
        acknowledge(ReportType::ModifyAck, modify.sequence_number, modify.order_id);
    }
    /// Everything is done already.
    fn engine_flush() {}
    /// Nothing to close.
    fn engine_shutdown() {}
    /// No book.
    fn engine_query_best_bid() -> i64 {
        i64::MIN
    }
    /// No book.
    fn engine_query_best_ask() -> i64 {
        i64::MAX
    }
    /// No book.
    fn engine_query_depth_at(_price_ticks: i64, _of: u8) -> u64 {
        0
    }
}
