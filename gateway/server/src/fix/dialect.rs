//! From the one form in which reports are kept to that of each version.
//!
//! Which version a session speaks is its connection's matter, and not in the stream. So bodies are made and kept as all
//! versions together have them, and each connection is told what its own defines: no field that its dictionary lacks, no
//! value that it does not permit.

use rialto_fix::message::SOH;
use rialto_fix::{MsgType, Version};

/// Appends the body as this version says it.
pub(super) fn translate(version: Version, msg_type: MsgType<'_>, body: &[u8], out: &mut Vec<u8>) {
    let &[kind] = msg_type.0 else {
        out.extend_from_slice(body);
        return;
    };
    // The dictionary does not have it there, but the public FIXT suite wants it on the answer to an unsupported type.
    let stated = version
        .default_appl_ver_id()
        .filter(|_| kind == b'j' && body.ends_with(b"\x01380=3\x01"));
    let (mut status, mut triggered): (&[u8], bool) = (b"", false);
    // Fields that go out as they are go out together, from the first of them on.
    let (mut run, mut rest) = (body, body);
    while let Some((tag, value_at, end)) = next_field(rest) {
        let (field, behind) = rest.split_at_checked(end).unwrap_or((rest, b""));
        let (name, value) = field.split_at_checked(value_at).unwrap_or((field, b""));
        if tag == 39 {
            status = value;
        }
        // A stop that became live has an ExecType of its own since FIX 5.0, and needs no reason for a restatement.
        if kind == b'8' && version == Version::Fix50Sp2 {
            triggered |= tag == 150 && value == b"L\x01";
        }
        let said = if !MAY_DIFFER.has(tag) {
            Said::AsItIs
        } else if !defines(version, kind, tag) || (triggered && tag == 378) {
            Said::Not
        } else {
            said(version, kind, tag, value, status)
        };
        if !matches!(said, Said::AsItIs) {
            out.extend_from_slice(run.get(..run.len() - rest.len()).unwrap_or_default());
            run = behind;
        }
        if let Said::As(other) = said {
            out.extend_from_slice(name);
            out.extend_from_slice(other);
            if other.last() != Some(&SOH) {
                out.push(SOH);
            }
        }
        rest = behind;
    }
    out.extend_from_slice(run);
    if let Some(id) = stated {
        out.extend_from_slice(b"1137=");
        out.extend_from_slice(id);
        out.push(SOH);
    }
}

/// Tags that some version leaves out or says otherwise: all that [`defines`] and [`said`] name, which look no further at others.
const MAY_DIFFER: TagSet = TagSet::of(&[
    20, 59, 102, 103, 111, 150, 278, 297, 300, 326, 368, 378, 380, 393, 526, 584, 779, 839, 851, 880, 911, 912, 1138,
    1369,
]);

/// A set of tags below 2,048.
struct TagSet([u64; 32]);

impl TagSet {
    const fn of(tags: &[u32]) -> Self {
        let (mut words, mut at) = ([0; 32], 0);
        while at < tags.len() {
            words[(tags[at] / 64) as usize] |= 1 << (tags[at] % 64);
            at += 1;
        }
        Self(words)
    }

    fn has(&self, tag: u32) -> bool {
        let word = self.0.get((tag / 64) as usize);
        word.is_some_and(|word| word >> (tag % 64) & 1 == 1)
    }
}

/// The first field: its tag, where its value begins and where it ends.
fn next_field(fields: &[u8]) -> Option<(u32, usize, usize)> {
    let (mut tag, mut at) = (0, 0);
    while let Some(digit @ b'0'..=b'9') = fields.get(at) {
        tag = tag * 10 + u32::from(digit - b'0');
        at += 1;
    }
    let end = fields.get(at..)?.iter().position(|&byte| byte == SOH)?;
    Some((tag, at + 1, at + end + 1))
}

/// Whether the version has the field in the message. Of fields that two versions give different tags, the body holds both.
const fn defines(version: Version, kind: u8, tag: u32) -> bool {
    match (kind, tag) {
        // ExecTransType went with FIX 4.3; ExecType says it all from then on.
        (b'8', 20) => matches!(version, Version::Fix42),
        // SecondaryClOrdID, PeggedPrice.
        (b'8', 526 | 839) => !matches!(version, Version::Fix42),
        // LastLiquidityInd, and what answers a mass status request.
        (b'8', 584 | 851 | 911 | 912) => !matches!(version, Version::Fix42),
        // MaxFloor became DisplayQty.
        (b'8', 111) => !matches!(version, Version::Fix50Sp2),
        // DisplayQty, TrdMatchID.
        (b'8', 880 | 1138) => matches!(version, Version::Fix50Sp2),
        // MassActionReportID.
        (b'r', 1369) => matches!(version, Version::Fix50Sp2),
        // TotalNumSecurities of a definition went with FIX 4.4.
        (b'd', 393) => matches!(version, Version::Fix42),
        // Orders of a book: MDEntryID came late, and OrderID says the same. LastUpdateTime is of FIX 5.0.
        (b'W', 278 | 779) => matches!(version, Version::Fix50Sp2),
        _ => true,
    }
}

enum Said<'a> {
    AsItIs,
    As(&'a [u8]),
    Not,
}

/// The value as the version has it. `status` is that of the report, which stands before what depends on it.
fn said<'a>(version: Version, kind: u8, tag: u32, value: &'a [u8], status: &'a [u8]) -> Said<'a> {
    match (kind, tag, value) {
        _ if version == Version::Fix50Sp2 => return Said::AsItIs,
        (b'8', 150, b"L\x01") => return Said::As(b"D"),
        _ if version == Version::Fix44 => return Said::AsItIs,
        _ => {}
    }
    match (kind, tag, value) {
        // In FIX 4.2 a fill has the status for its type, and status answers, busts and corrections are told by ExecTransType.
        (b'8', 150, [b'F' | b'G' | b'H' | b'I', SOH]) => Said::As(status),
        // TimeInForce: at the close came later.
        (b'8', 59, [b'7', SOH]) => Said::Not,
        // OrdRejReason, CxlRejReason, ExecRestatementReason: what came later is the broker's option; Text says the rest.
        (b'8', 103, [b'0'..=b'8', SOH]) | (b'9', 102, [b'0'..=b'3', SOH]) | (b'8', 378, [b'0'..=b'5', SOH]) => {
            Said::AsItIs
        }
        (b'8', 103, _) => Said::As(b"0"),
        (b'9', 102, _) => Said::As(b"2"),
        (b'8', 378, _) => Said::As(b"4"),
        // QuoteStatus: removed from the market came later; QuoteRejectReason has no other reason.
        (b'b', 297, b"6\x01") => Said::As(b"1"),
        (b'b', 300 | 368, b"99\x01") => Said::Not,
        // SecurityTradingStatus: before the opening, and its rotation.
        (b'f', 326, b"21\x01" | b"22\x01") => Said::As(b"1"),
        (b'j', 380, [b'0'..=b'5', SOH]) => Said::AsItIs,
        (b'j', 380, _) => Said::As(b"0"),
        _ => Said::AsItIs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said_as(version: Version, kind: &str, body: &str) -> String {
        let mut out = Vec::new();
        let body = body.replace('|', "\x01");
        translate(version, MsgType(kind.as_bytes()), body.as_bytes(), &mut out);
        String::from_utf8(out).unwrap().replace('\x01', "|")
    }

    #[test]
    fn what_no_version_says_otherwise_is_passed_over() {
        let kinds = b"0123456789ADVWXYZabdefghjr";
        let values: [&[u8]; 6] = [b"1\x01", b"7\x01", b"99\x01", b"L\x01", b"6\x01", b"21\x01"];
        for tag in (0..3_000).filter(|tag| !MAY_DIFFER.has(*tag)) {
            for version in [Version::Fix42, Version::Fix44, Version::Fix50Sp2] {
                for kind in kinds {
                    let as_it_is = |value: &[u8]| matches!(said(version, *kind, tag, value, b"1\x01"), Said::AsItIs);
                    assert!(
                        defines(version, *kind, tag) && values.iter().all(|value| as_it_is(value)),
                        "{tag}"
                    );
                }
            }
        }
    }

    #[test]
    fn each_version_is_told_what_it_defines() {
        const FILL: &str = "11=A|20=0|39=1|58=a=b|111=5|150=F|851=1|880=9|1138=5|";
        for (version, kind, body, expected) in [
            (Version::Fix42, "8", FILL, "11=A|20=0|39=1|58=a=b|111=5|150=1|"),
            (Version::Fix44, "8", FILL, "11=A|39=1|58=a=b|111=5|150=F|851=1|"),
            (
                Version::Fix50Sp2,
                "8",
                FILL,
                "11=A|39=1|58=a=b|150=F|851=1|880=9|1138=5|",
            ),
            (Version::Fix42, "8", "20=3|39=A|150=I|", "20=3|39=A|150=A|"),
            (Version::Fix42, "8", "39=8|103=13|150=8|", "39=8|103=0|150=8|"),
            (Version::Fix42, "8", "39=8|103=6|150=8|", "39=8|103=6|150=8|"),
            (Version::Fix42, "9", "102=6|434=1|", "102=2|434=1|"),
            (Version::Fix42, "9", "102=1|434=1|", "102=1|434=1|"),
            (Version::Fix42, "j", "372=D|380=6|", "372=D|380=0|"),
            (Version::Fix44, "j", "372=D|380=6|", "372=D|380=6|"),
            (Version::Fix50Sp2, "j", "372=D|380=6|", "372=D|380=6|"),
            (Version::Fix50Sp2, "j", "372=R|380=3|", "372=R|380=3|1137=9|"),
            (Version::Fix44, "j", "372=R|380=3|", "372=R|380=3|"),
            (
                Version::Fix42,
                "8",
                "19=T1-1|20=1|39=4|150=H|",
                "19=T1-1|20=1|39=4|150=4|",
            ),
            (Version::Fix44, "8", "19=T1-1|20=1|39=4|150=H|", "19=T1-1|39=4|150=H|"),
            (Version::Fix42, "8", "378=3|526=E|839=9|", "378=3|"),
            (Version::Fix42, "b", "297=6|300=99|", "297=1|"),
            (Version::Fix42, "b", "299=1|368=99|297=0|", "299=1|297=0|"),
            (Version::Fix44, "b", "297=6|300=99|", "297=6|300=99|"),
        ] {
            assert_eq!(said_as(version, kind, body), expected);
        }
    }
}
