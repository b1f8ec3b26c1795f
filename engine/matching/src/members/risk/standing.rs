//! Orders that stand and are counted, by their ids. They are looked up and never iterated, so that nothing depends on the order
//! of a hash; the engine's live orders bound them.

use super::ledger::Working;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rialto_model::OrderId;

/// What stands. The hash is fixed: ids are the sequencer's own.
pub(super) type Standing = HashMap<OrderId, Working, FixedState>;
