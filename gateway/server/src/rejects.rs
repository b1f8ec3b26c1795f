//! Each reason to refuse, and the code that it has by each door: `REJECTS.md` is written from the code
//! (`RIALTO_BLESS=1 cargo test -p rialto-gateway --lib rejects`), and differs from it in no line.

use std::fmt::Write as _;

use rialto_model::RejectReason;

use crate::fix::codes::{cxl_rej_reason, mass_cancel_reject_reason, ord_rej_reason, quote_reject_reason};
use crate::ouch::codes::reject_reason;

fn document() -> String {
    let mut text = String::from(
        "# Reject codes\n\n\
         What refuses an order, by each door: OrdRejReason(103) of an 8, CxlRejReason(102) of a 9, MassCancelRejectReason(532) of an r,\n\
         QuoteRejectReason(300) and QuoteEntryRejectReason(368) of a b, in the values of FIX 4.4 and 5.0 SP2 (in 4.2: 103 above 8 is 0,\n\
         102 above 3 is 2, 300 and 368 stop at 9; 4.2 has no r); OUCH's J. The text is Text(58).\n\
         Written from the code by `RIALTO_BLESS=1 cargo test -p rialto-gateway --lib rejects`.\n\n\
         | reason | 103 | 102 | 532 | 300, 368 | J | text |\n|---|--:|--:|--:|--:|--:|---|\n",
    );
    for reason in RejectReason::ALL.iter().copied() {
        let ouch = reject_reason(reason).map_or("nobody is told".to_owned(), |code| format!("{:#04x}", code.code()));
        let _ = writeln!(
            text,
            "| {reason:?} | {} | {} | {} | {} | {ouch} | {} |",
            ord_rej_reason(reason),
            cxl_rej_reason(reason),
            mass_cancel_reject_reason(reason),
            quote_reject_reason(reason),
            reason.text()
        );
    }
    text
}

#[test]
fn the_document_is_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/REJECTS.md");
    if std::env::var_os("RIALTO_BLESS").is_some() {
        std::fs::write(path, document()).expect("the file can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == document(),
        "REJECTS.md is not what the code says: run with RIALTO_BLESS=1"
    );
}
