//! The exported functions of `matching_engine_api.h`.
//!
//! The harness calls them one after another from one thread: `engine_init`, then messages and questions in any order, then
//! `engine_shutdown`. Every pointer that it hands in is valid for the call, and the transport's until the shutdown. Work is
//! done when a call returns, so `engine_flush` has nothing to do.
#![allow(
    unsafe_code,
    reason = "a C ABI hands in pointers, and its state has nowhere to live but a static"
)]

use crate::book::{Book, side};
use crate::reports::{Cancel, Modify, NewOrder, Outlet, Report};
use rialto_model::Side;
use std::cell::UnsafeCell;
use std::ffi::c_void;

/// A function of the harness that is not called here.
type Uncalled = extern "C" fn();
/// Enqueues a report; 0: the queue is full.
// SAFETY: to be called with the handle that came with it and a valid report.
type Push = unsafe extern "C" fn(*mut c_void, *const Report) -> i32;

/// The harness's queue of reports, by its functions.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Transport {
    create: Uncalled,
    push: Push,
    drain: Uncalled,
    flush: Uncalled,
    destroy: Uncalled,
}

/// The harness's queue.
#[derive(Debug)]
struct Queue {
    push: Push,
    handle: *mut c_void,
}

impl Outlet for Queue {
    /// A full queue is waited for: the drainer is on another core.
    #[inline]
    fn push(&mut self, report: &Report) {
        // SAFETY: `push` and `handle` came together in `engine_init` and are valid until `engine_shutdown`, which drops
        // this queue; the report is a live reference.
        while unsafe { (self.push)(self.handle, report) } == 0 {
            std::hint::spin_loop();
        }
    }
}

struct State(UnsafeCell<Option<Book<Queue>>>);

// SAFETY: the harness makes every call from one thread at a time, so the cell is never reached from two.
unsafe impl Sync for State {}

static STATE: State = State(UnsafeCell::new(None));

/// Runs `work` on the book between init and shutdown. Outside of them there is nobody to tell, and the process ends.
#[inline]
fn with<T>(work: impl FnOnce(&mut Book<Queue>) -> T) -> T {
    // SAFETY: the harness makes one call at a time, and `work` calls nothing that is exported, so no other reference to
    // the cell's content lives.
    match unsafe { &mut *STATE.0.get() } {
        Some(book) => work(book),
        None => std::process::abort(),
    }
}

/// Declares functions that the harness finds by name.
macro_rules! export {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $Type:ty),*) $(-> $Answer:ty)? $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As the head of this module says: one call at a time, valid pointers.
        // SAFETY: the name is the ABI's, and nothing else in this library has it.
        #[unsafe(no_mangle)]
        // SAFETY: the contract stands above.
        pub unsafe extern "C" fn $name($($argument: $Type),*) $(-> $Answer)? $body
    )*};
}

export! {
    /// Opens an empty book whose reports go to `sink` by `transport`.
    fn engine_init(_seed: u64, transport: *const Transport, sink: *mut c_void) {
        // SAFETY: the harness hands in a valid table of functions, and no other call runs.
        let (push, cell) = unsafe { ((*transport).push, &mut *STATE.0.get()) };
        *cell = Some(Book::new(Queue { push, handle: sink }));
    }

    /// Closes the book.
    fn engine_shutdown() {
        // SAFETY: no other call runs.
        unsafe { *STATE.0.get() = None };
    }

    /// A new order.
    fn engine_on_new_order(order: *const NewOrder) {
        // SAFETY: the harness hands in a valid message.
        let order = unsafe { &*order };
        with(|book| book.on_new_order(order));
    }

    /// A cancel.
    fn engine_on_cancel(cancel: *const Cancel) {
        // SAFETY: the harness hands in a valid message.
        let cancel = unsafe { &*cancel };
        with(|book| book.on_cancel(cancel));
    }

    /// A modify.
    fn engine_on_modify(modify: *const Modify) {
        // SAFETY: the harness hands in a valid message.
        let modify = unsafe { &*modify };
        with(|book| book.on_modify(modify));
    }

    /// Everything is done already.
    fn engine_flush() {}

    /// The highest bid, or the lowest number there is.
    fn engine_query_best_bid() -> i64 {
        with(|book| book.best(Side::Buy)).unwrap_or(i64::MIN)
    }

    /// The lowest ask, or the highest number there is.
    fn engine_query_best_ask() -> i64 {
        with(|book| book.best(Side::Sell)).unwrap_or(i64::MAX)
    }

    /// What rests at a price of a side: 0 buys, 1 sells.
    fn engine_query_depth_at(price_ticks: i64, of: u8) -> u64 {
        with(|book| book.depth_at(side(of), price_ticks))
    }
}
