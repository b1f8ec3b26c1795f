//! `SPEC.md` against the code: every message has its heading and its table there, row by row, and no other.

use rialto_ouch::messages::*;

const SPEC: &str = include_str!("../SPEC.md");

/// A row of a message's table: offset, width, field.
type Row = (usize, usize, String);

/// The rows of the table under a heading.
fn written(heading: &str) -> Vec<Row> {
    let section = SPEC
        .split("\n#")
        .find(|section| section.trim_start_matches('#').trim_start().starts_with(heading));
    let section =
        section.unwrap_or_else(|| panic!("SPEC.md has no heading {heading:?}: write the message's table there"));
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = section.lines().map(cells).filter(|cells| cells.len() > 3);
    rows.filter_map(|cells| Some((cells[1].parse().ok()?, cells[2].parse().ok()?, cells[3].clone())))
        .collect()
}

#[test]
fn tables_are_those_of_the_code() {
    let mut headings = 0;
    macro_rules! check {
        ($($message:ident),+) => {$(
            let (message_type, length) = ($message::TYPE as char, $message::LENGTH);
            let unit = if length == 1 { "byte" } else { "bytes" };
            let heading = format!("{} `{message_type}`, {length} {unit}\n", stringify!($message));
            let mut rows: Vec<Row> = vec![(0, 1, "type".to_owned())];
            rows.extend($message::TABLE.iter().map(|&(offset, width, name)| (offset, width, name.to_owned())));
            assert_eq!(written(&heading), rows, "{}: mend its table in SPEC.md", heading.trim());
            headings += 1;
        )+};
    }
    check!(EnterOrder, ReplaceOrder, CancelOrder, ModifyOrder, AccountQuery);
    check!(
        SystemEvent,
        OrderAccepted,
        OrderReplaced,
        OrderCanceled,
        AiqCanceled,
        OrderExecuted,
        BrokenTrade
    );
    check!(
        OrderRejected,
        CancelPending,
        CancelReject,
        OrderPriorityUpdate,
        OrderModified,
        OrderRestated
    );
    check!(AccountQueryResponse);
    assert_eq!(
        SPEC.matches("\n#### ").count(),
        headings,
        "SPEC.md describes a message that the code does not have"
    );
}
