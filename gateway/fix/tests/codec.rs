//! Bytes: golden messages, malformed ones, and what is written is read back.

use proptest::prelude::*;
use rialto_fix::limits::{MAX_FIELDS, MAX_FRAME_BYTES, MAX_INBOUND_BYTES};
use rialto_fix::message::{
    Decoder, FieldError, FieldWriter, Framer, Garbled, MessageHeader, encode, write_reversed_route,
};
use rialto_fix::{MsgSeqNum, MsgType, Tag, TimePrecision, UtcTimestamp, Version, tags};

/// `|` for the delimiter.
fn wire(text: &str) -> Vec<u8> {
    text.replace('|', "\x01").into_bytes()
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\x01", "|")
}

/// Puts BodyLength and CheckSum around the text behind `9=`.
fn framed(body: &str) -> Vec<u8> {
    let body = body.replace('|', "\x01");
    let message = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
    let sum = message.bytes().fold(0u8, u8::wrapping_add);
    format!("{message}10={sum:03}\x01").into_bytes()
}

/// 2026-01-05T09:30:00.123Z
const TIME: UtcTimestamp = UtcTimestamp(1_767_605_400_123_456_789);

fn header(msg_type: MsgType<'static>) -> MessageHeader<'static> {
    MessageHeader {
        begin_string: Version::Fix44.begin_string(),
        msg_type,
        msg_seq_num: MsgSeqNum(7),
        sender_comp_id: b"RIALTO",
        target_comp_id: b"FIRM1",
        sending_time: TIME,
        orig_sending_time: None,
        time_precision: TimePrecision::Milliseconds,
        extra: b"",
    }
}

type Write = fn(&mut FieldWriter<'_>);

/// The messages the exchange speaks, byte by byte. `SPEC.md` has their tables.
const GOLDEN: &[(MsgType<'static>, Write, &str)] = &[
    (
        MsgType::LOGON,
        |body| {
            _ = body
                .character(tags::ENCRYPT_METHOD, b'0')
                .unsigned(tags::HEART_BT_INT, 30)
        },
        "8=FIX.4.4|9=66|35=A|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|98=0|108=30|10=036|",
    ),
    (
        MsgType::HEARTBEAT,
        |body| _ = body.text(tags::TEST_REQ_ID, "HELLO"),
        "8=FIX.4.4|9=64|35=0|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|112=HELLO|10=062|",
    ),
    (
        MsgType::TEST_REQUEST,
        |body| _ = body.text(tags::TEST_REQ_ID, "TEST"),
        "8=FIX.4.4|9=63|35=1|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|112=TEST|10=010|",
    ),
    (
        MsgType::RESEND_REQUEST,
        |body| _ = body.unsigned(tags::BEGIN_SEQ_NO, 5).unsigned(tags::END_SEQ_NO, 0),
        "8=FIX.4.4|9=63|35=2|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|7=5|16=0|10=120|",
    ),
    (
        MsgType::REJECT,
        |body| {
            body.unsigned(tags::REF_SEQ_NUM, 4)
                .text(tags::TEXT, "Required tag missing")
                .text(tags::REF_TAG_ID, "11")
                .text(tags::REF_MSG_TYPE, "D")
                .unsigned(tags::SESSION_REJECT_REASON, 1);
        },
        "8=FIX.4.4|9=102|35=3|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|45=4|58=Required tag missing|371=11|\
         372=D|373=1|10=198|",
    ),
    (
        MsgType::SEQUENCE_RESET,
        |body| _ = body.unsigned(tags::NEW_SEQ_NO, 20).boolean(tags::GAP_FILL_FLAG, true),
        "8=FIX.4.4|9=66|35=4|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|36=20|123=Y|10=052|",
    ),
    (
        MsgType::LOGOUT,
        |_| {},
        "8=FIX.4.4|9=54|35=5|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|10=252|",
    ),
    (
        MsgType::NEW_ORDER_SINGLE,
        |body| {
            body.text(tags::CL_ORD_ID, "c-1")
                .unsigned(tags::ORDER_QTY, 100)
                .character(tags::ORD_TYPE, b'2')
                .decimal(tags::PRICE, 1_002_500, 4)
                .character(tags::SIDE, b'1')
                .text(tags::SYMBOL, "GOOG")
                .character(tags::TIME_IN_FORCE, b'0')
                .timestamp(tags::TRANSACT_TIME, TIME, TimePrecision::Milliseconds);
        },
        "8=FIX.4.4|9=126|35=D|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|11=c-1|38=100|40=2|44=100.25|54=1|\
         55=GOOG|59=0|60=20260105-09:30:00.123|10=195|",
    ),
    (
        MsgType::ORDER_CANCEL_REQUEST,
        |body| {
            body.text(tags::CL_ORD_ID, "c-2")
                .text(tags::ORIG_CL_ORD_ID, "c-1")
                .character(tags::SIDE, b'1')
                .text(tags::SYMBOL, "GOOG")
                .timestamp(tags::TRANSACT_TIME, TIME, TimePrecision::Milliseconds);
        },
        "8=FIX.4.4|9=106|35=F|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|11=c-2|41=c-1|54=1|55=GOOG|\
         60=20260105-09:30:00.123|10=114|",
    ),
    (
        MsgType::ORDER_CANCEL_REPLACE_REQUEST,
        |body| {
            body.text(tags::CL_ORD_ID, "c-3")
                .unsigned(tags::ORDER_QTY, 50)
                .character(tags::ORD_TYPE, b'2')
                .text(tags::ORIG_CL_ORD_ID, "c-1")
                .decimal(tags::PRICE, 1_000_000, 4)
                .character(tags::SIDE, b'1')
                .text(tags::SYMBOL, "GOOG")
                .timestamp(tags::TRANSACT_TIME, TIME, TimePrecision::Milliseconds);
        },
        "8=FIX.4.4|9=124|35=G|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|11=c-3|38=50|40=2|41=c-1|44=100|\
         54=1|55=GOOG|60=20260105-09:30:00.123|10=141|",
    ),
    (
        MsgType::EXECUTION_REPORT,
        |body| {
            body.decimal(tags::AVG_PX, 1_002_500, 4)
                .text(tags::CL_ORD_ID, "c-1")
                .unsigned(tags::CUM_QTY, 60)
                .text(tags::EXEC_ID, "e-9")
                .decimal(tags::LAST_PX, 1_002_500, 4)
                .unsigned(tags::LAST_QTY, 60)
                .text(tags::ORDER_ID, "42")
                .unsigned(tags::ORDER_QTY, 100)
                .character(tags::ORD_STATUS, b'1')
                .character(tags::ORD_TYPE, b'2')
                .decimal(tags::PRICE, 1_002_500, 4)
                .character(tags::SIDE, b'1')
                .text(tags::SYMBOL, "GOOG")
                .character(tags::TIME_IN_FORCE, b'0')
                .timestamp(tags::TRANSACT_TIME, TIME, TimePrecision::Milliseconds)
                .character(tags::EXEC_TYPE, b'F')
                .unsigned(tags::LEAVES_QTY, 40)
                .unsigned(tags::LAST_LIQUIDITY_IND, 1);
        },
        "8=FIX.4.4|9=194|35=8|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|6=100.25|11=c-1|14=60|17=e-9|\
         31=100.25|32=60|37=42|38=100|39=1|40=2|44=100.25|54=1|55=GOOG|59=0|60=20260105-09:30:00.123|150=F|151=40|851=1|10=234|",
    ),
    (
        MsgType::ORDER_CANCEL_REJECT,
        |body| {
            body.text(tags::CL_ORD_ID, "c-2")
                .text(tags::ORDER_ID, "42")
                .character(tags::ORD_STATUS, b'2')
                .text(tags::ORIG_CL_ORD_ID, "c-1")
                .unsigned(tags::CXL_REJ_REASON, 0)
                .character(tags::CXL_REJ_RESPONSE_TO, b'1');
        },
        "8=FIX.4.4|9=91|35=9|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|11=c-2|37=42|39=2|41=c-1|102=0|434=1|\
         10=188|",
    ),
    (
        MsgType::BUSINESS_MESSAGE_REJECT,
        |body| {
            body.unsigned(tags::REF_SEQ_NUM, 4)
                .text(tags::TEXT, "Unsupported Message Type")
                .text(tags::REF_MSG_TYPE, "8")
                .unsigned(tags::BUSINESS_REJECT_REASON, 3);
        },
        "8=FIX.4.4|9=99|35=j|34=7|49=RIALTO|52=20260105-09:30:00.123|56=FIRM1|45=4|58=Unsupported Message Type|\
         372=8|380=3|10=046|",
    ),
];

#[test]
fn golden_bytes() {
    for &(msg_type, write, golden) in GOLDEN {
        let (mut body, mut out) = (Vec::new(), Vec::new());
        write(&mut FieldWriter::new(&mut body));
        encode(&header(msg_type), &body, &mut out);
        assert_eq!(shown(&out), golden, "{msg_type:?}");
        let mut decoder = Decoder::new();
        let message = decoder.decode(&out).unwrap();
        assert_eq!(
            (message.msg_type(), message.msg_seq_num()),
            (msg_type, Ok(MsgSeqNum(7)))
        );
    }
}

/// The header in its order: a copy, with routing and PossResend between what the session writes.
#[test]
fn golden_header() {
    let mut out = b"before".to_vec();
    let extra = wire("50=desk|97=Y|115=JCD|116=CS|129=X|144=CHI|");
    let header = MessageHeader {
        orig_sending_time: Some(UtcTimestamp(0)),
        extra: &extra,
        ..header(MsgType::NEW_ORDER_SINGLE)
    };
    encode(&header, &wire("11=id|"), &mut out);
    assert_eq!(
        shown(&out),
        "before8=FIX.4.4|9=133|35=D|34=7|43=Y|49=RIALTO|50=desk|52=20260105-09:30:00.123|56=FIRM1|97=Y|115=JCD|\
         116=CS|122=19700101-00:00:00.000|129=X|144=CHI|11=id|10=201|"
    );
}

#[test]
fn body_length_of_any_number_of_digits() {
    for length in [1, 10, 40, 41, 42, 900, 941, 942, 943, 10_000, 20_000] {
        let (mut body, mut out) = (Vec::new(), Vec::new());
        FieldWriter::new(&mut body).bytes(tags::TEXT, &vec![b'x'; length]);
        encode(&header(MsgType::LOGOUT), &body, &mut out);
        assert_eq!(
            Decoder::new().decode(&out).unwrap().get(tags::TEXT).map(<[u8]>::len),
            Some(length)
        );
    }
}

#[test]
fn a_writer_leaves_out_the_empty_and_lets_no_delimiter_through() {
    let mut out = Vec::new();
    FieldWriter::new(&mut out)
        .text(tags::ACCOUNT, "")
        .bytes(tags::TEXT, b"a\x0110=000\x01b")
        .data(tags::RAW_DATA_LENGTH, tags::RAW_DATA, b"x\x01y")
        .group(Tag(268), 2, |entries| {
            _ = entries.character(Tag(269), b'0').character(Tag(269), b'1')
        })
        .decimal(Tag(271), -5, 1);
    assert_eq!(shown(&out), "58=a 10=000 b|95=3|96=x|y|268=2|269=0|269=1|271=-0.5|");
}

#[test]
fn decoding_of_frames() {
    let table: &[(&str, Vec<u8>, Result<usize, Garbled>)] = &[
        ("good", framed("35=0|34=2|"), Ok(5)),
        ("value empty", framed("35=0|34=|"), Ok(5)),
        ("value with =", framed("35=0|58=a=b|"), Ok(5)),
        ("negative tag", framed("35=0|-1=HI|"), Ok(5)),
        ("tag 0", framed("35=0|0=HI|"), Ok(5)),
        ("data with delimiter", framed("35=0|95=3|96=a|b|"), Ok(6)),
        (
            "data too short",
            framed("35=0|95=2|96=a|b|"),
            Err(Garbled::DataLength(tags::RAW_DATA_LENGTH)),
        ),
        (
            "data too long",
            framed("35=0|95=99|96=a|"),
            Err(Garbled::DataLength(tags::RAW_DATA_LENGTH)),
        ),
        (
            "data missing",
            framed("35=0|95=3|58=abc|"),
            Err(Garbled::DataLength(tags::RAW_DATA_LENGTH)),
        ),
        (
            "data length of 18 digits",
            framed("35=0|95=999999999999999999|96=a|"),
            Err(Garbled::DataLength(Tag(95))),
        ),
        ("no tag", framed("35=0|=2|"), Err(Garbled::Field { index: 3 })),
        (
            "tag of letters",
            framed("35=0|4garbled9=TW|"),
            Err(Garbled::Field { index: 3 }),
        ),
        (
            "tag of ten digits",
            framed("35=0|1234567890=1|"),
            Err(Garbled::Field { index: 3 }),
        ),
        ("lone minus", framed("35=0|-=1|"), Err(Garbled::Field { index: 3 })),
        (
            "no equals sign",
            framed("35=0|garbage|"),
            Err(Garbled::Field { index: 3 }),
        ),
        ("nothing", Vec::new(), Err(Garbled::FirstFields)),
        ("third field not 35", framed("34=2|35=0|"), Err(Garbled::FirstFields)),
        (
            "second field not 9",
            wire("8=FIX.4.4|35=0|9=5|10=000|"),
            Err(Garbled::FirstFields),
        ),
        (
            "length too short",
            wire("8=FIX.4.4|9=4|35=0|10=162|"),
            Err(Garbled::BodyLength),
        ),
        (
            "length too long",
            wire("8=FIX.4.4|9=6|35=0|10=164|"),
            Err(Garbled::BodyLength),
        ),
        (
            "length no number",
            wire("8=FIX.4.4|9=x|35=0|10=230|"),
            Err(Garbled::BodyLength),
        ),
        ("sum right", wire("8=FIX.4.4|9=5|35=0|10=163|"), Ok(4)),
        ("sum wrong", wire("8=FIX.4.4|9=5|35=0|10=164|"), Err(Garbled::CheckSum)),
        (
            "sum beyond a byte",
            wire("8=FIX.4.4|9=5|35=0|10=419|"),
            Err(Garbled::CheckSum),
        ),
        ("sum below a hundred", wire("8=FIX.4.4|9=6|35=AU|10=010|"), Ok(4)),
        (
            "sum of two digits",
            wire("8=FIX.4.4|9=6|35=AU|10=10|"),
            Err(Garbled::CheckSum),
        ),
        (
            "10 not last",
            wire("8=FIX.4.4|9=5|35=0|10=163|58=x|"),
            Err(Garbled::CheckSum),
        ),
        (
            "not ended",
            wire("8=FIX.4.4|9=5|35=0|10=163"),
            Err(Garbled::Field { index: 3 }),
        ),
        (
            "most fields",
            framed(&format!("35=0|{}", "1=x|".repeat(MAX_FIELDS - 4))),
            Ok(MAX_FIELDS),
        ),
        (
            "too many fields",
            framed(&format!("35=0|{}", "1=x|".repeat(MAX_FIELDS - 3))),
            Err(Garbled::TooManyFields),
        ),
        (
            "too long",
            framed(&format!("35=0|58={}|", "x".repeat(MAX_FRAME_BYTES))),
            Err(Garbled::TooLong),
        ),
    ];
    let mut decoder = Decoder::new();
    for (name, bytes, expected) in table {
        assert_eq!(
            decoder.decode(bytes).map(|message| message.fields().count()),
            *expected,
            "{name}"
        );
    }
}

#[test]
fn values_of_fields() {
    let bytes = framed("35=D|34=x|38=100|44=100.255|52=20260105-09:30:00|54=12|60=now|97=Y|");
    let mut decoder = Decoder::new();
    let message = decoder.decode(&bytes).unwrap();
    assert_eq!(message.unsigned(tags::ORDER_QTY), Ok(100));
    assert_eq!(message.decimal(tags::PRICE, 4), Ok(1_002_550));
    assert_eq!(
        message.timestamp(tags::SENDING_TIME),
        Ok(UtcTimestamp(1_767_605_400_000_000_000))
    );
    assert!(message.is_set(tags::POSS_RESEND) && !message.is_set(tags::POSS_DUP_FLAG));
    let errors = [
        (
            message.msg_seq_num().map(|_| ()),
            "tag 34 is not an unsigned integer: send at most 18 digits",
        ),
        (
            message.character(tags::SIDE).map(|_| ()),
            "tag 54 is not one character: send exactly one",
        ),
        (
            message.decimal(tags::PRICE, 2).map(|_| ()),
            "tag 44: more than 2 decimals: round to 2 decimals or fewer",
        ),
        (
            message.required(tags::CL_ORD_ID).map(|_| ()),
            "tag 11 is missing: send it",
        ),
    ];
    for (result, text) in errors {
        assert_eq!(
            result.map_err(|error: FieldError| error.to_string()),
            Err(text.to_owned())
        );
    }
    assert!(matches!(
        message.timestamp(tags::TRANSACT_TIME),
        Err(FieldError::Time(tags::TRANSACT_TIME, _))
    ));
}

#[test]
fn entries_of_a_group() {
    let bytes = framed("35=V|267=2|269=0|269=1|146=3|55=A|48=1|55=B|55=C|22=4|58=end|");
    let mut decoder = Decoder::new();
    let message = decoder.decode(&bytes).unwrap();
    let symbols: Vec<_> = message
        .group(Tag(146), &[tags::SYMBOL, tags::SECURITY_ID, tags::SECURITY_ID_SOURCE])
        .map(|entry| {
            (
                entry.get(tags::SYMBOL),
                entry.get(tags::SECURITY_ID),
                entry.fields().count(),
            )
        })
        .collect();
    assert_eq!(
        symbols,
        [
            (Some(b"A".as_slice()), Some(b"1".as_slice()), 2),
            (Some(b"B".as_slice()), None, 1),
            (Some(b"C".as_slice()), None, 2)
        ]
    );
    assert_eq!(message.group(Tag(267), &[Tag(269)]).count(), 2);
    assert_eq!(message.group(Tag(555), &[Tag(600)]).count(), 0);
    assert_eq!(message.group(Tag(146), &[]).count(), 0);
}

#[test]
fn routes_are_reversed_and_empty_ones_dropped() {
    let mut decoder = Decoder::new();
    let bytes = framed("35=D|115=A|116=B|144=C|128=D|129=|145=F|");
    let mut out = Vec::new();
    write_reversed_route(&decoder.decode(&bytes).unwrap(), &mut out);
    assert_eq!(shown(&out), "115=D|128=A|129=B|144=F|145=C|");
}

/// What a framer makes of a stream: `+` a frame, `-` bytes skipped.
fn framing(stream: &[u8], piece: usize) -> Vec<String> {
    let mut framer = Framer::new();
    let mut out = Vec::new();
    for piece in stream.chunks(piece) {
        let mut rest = piece;
        while !rest.is_empty() {
            rest = &rest[framer.feed(rest)..];
            while let Some(frame) = framer.next_frame() {
                out.push(match frame {
                    Ok(place) => format!("+{}", shown(framer.frame(place))),
                    Err(garbled) => format!("-{garbled}"),
                });
            }
        }
    }
    out
}

#[test]
fn streams_are_cut_into_frames() {
    let good = shown(&framed("35=0|34=2|"));
    let kept = format!("+{good}");
    let long = format!("8=FIX.4.4|9=20|35=0|34=2|10=000|{good}{good}");
    let table: &[(&str, String, usize, bool)] = &[
        ("one", good.clone(), 1, false),
        ("two", format!("{good}{good}"), 2, false),
        ("stray before", format!("GET / HTTP/1.1\r\n\r\n{good}"), 1, true),
        ("stray between", format!("{good}junk|{good}"), 2, true),
        (
            "no length and no delimiter before the next",
            format!("8=FIX.4.4|9=abc|{}{good}", "x".repeat(200)),
            1,
            true,
        ),
        (
            "length too short",
            format!("8=FIX.4.4|9=3|35=0|34=2|10=000|{good}"),
            1,
            true,
        ),
        ("length too long swallows the next", long, 1, true),
        ("length no number", format!("8=FIX.4.4|9=x|35=0|10=000|{good}"), 1, true),
        ("length negative", format!("8=FIX.4.4|9=-5|35=0|10=000|{good}"), 1, true),
        (
            "length immense",
            format!("8=FIX.4.4|9=99999999999999999999|35=0|10=000|{good}"),
            1,
            true,
        ),
        ("35 before 9", format!("8=FIX.4.4|35=0|9=5|10=000|{good}"), 1, true),
        ("8 not first", format!("35=0|8=FIX.4.4|9=5|34=2|10=121|{good}"), 2, true),
        (
            "trailer of one digit",
            format!("8=FIX.4.4|9=5|35=0|10=0|{good}"),
            2,
            false,
        ),
        (
            "begin string without end",
            format!("8={}|{good}", "x".repeat(40)),
            1,
            true,
        ),
    ];
    for (name, stream, frames, skips) in table {
        let stream = wire(stream);
        for piece in [1, 2, 3, 7, stream.len()] {
            let got = framing(&stream, piece);
            assert_eq!(
                got.iter().filter(|line| line.starts_with('+')).count(),
                *frames,
                "{name} by {piece}: {got:?}"
            );
            assert_eq!(
                got.iter().any(|line| line.starts_with('-')),
                *skips,
                "{name} by {piece}: {got:?}"
            );
            assert_eq!(got.last(), Some(&kept), "{name} by {piece}");
        }
    }
}

#[test]
fn a_framer_is_bounded_and_recovers() {
    let mut framer = Framer::new();
    assert_eq!(framer.feed(&vec![b'8'; 3 * MAX_INBOUND_BYTES]), MAX_INBOUND_BYTES);
    assert_eq!(framer.feed(b"more"), 0);
    // A message that never ends is given up at the bound, and the next is found.
    let endless = [
        wire("8=FIX.4.4|9=30000|35=D|58="),
        vec![b'x'; MAX_FRAME_BYTES],
        wire("|"),
    ]
    .concat();
    let got = framing(&[endless, framed("35=0|34=2|"), framed("35=0|34=3|")].concat(), 4096);
    assert_eq!(got.last().map(|line| line.starts_with('+')), Some(true), "{got:?}");
}

fn any_fields() -> impl Strategy<Value = Vec<(i32, Vec<u8>)>> {
    // Tags that announce no data field; bytes that are no delimiter.
    let tag = (1i32..6000).prop_filter("no length of data", |tag| {
        !Tag(*tag).is_trailer() && !LENGTHS.contains(tag)
    });
    let value = prop::collection::vec(any::<u8>().prop_filter("no delimiter", |byte| *byte != 1), 1..20);
    prop::collection::vec((tag, value), 0..40)
}

const LENGTHS: &[i32] = &[
    90, 93, 95, 212, 348, 350, 352, 354, 356, 358, 360, 362, 364, 445, 618, 621, 1184, 1277, 1280, 1282, 1397, 1401,
    1403, 1468, 1525, 1578, 1620, 1664, 1678, 1733, 1871, 1874, 2072, 2074, 2111, 2179, 2287, 2351, 2372, 2481, 2494,
    2522, 2637, 2651, 2665, 2715, 2718, 2721, 2797, 2802, 2809, 2815,
];

proptest! {
    #[test]
    fn what_is_encoded_is_framed_and_decoded(messages in prop::collection::vec(any_fields(), 1..5), piece in 1usize..200) {
        let mut stream = Vec::new();
        for fields in &messages {
            let mut body = Vec::new();
            for (tag, value) in fields {
                FieldWriter::new(&mut body).bytes(Tag(*tag), value);
            }
            encode(&header(MsgType::NEW_ORDER_SINGLE), &body, &mut stream);
        }
        let (mut framer, mut decoder, mut read) = (Framer::new(), Decoder::new(), Vec::new());
        for piece in stream.chunks(piece) {
            prop_assert_eq!(framer.feed(piece), piece.len());
            while let Some(frame) = framer.next_frame() {
                let place = frame.expect("nothing garbled");
                let message = decoder.decode(framer.frame(place)).expect("nothing garbled");
                let body = message.fields().skip(7).map(|field| (field.tag.0, field.value.to_vec()));
                let mut body: Vec<_> = body.collect();
                body.pop();
                read.push(body);
            }
        }
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), piece in 1usize..50) {
        _ = Decoder::new().decode(&bytes);
        framing(&bytes, piece);
    }

    /// Close to a message: one byte of a good one is another.
    #[test]
    fn one_wrong_byte_never_passes(at in 0usize..200, byte: u8) {
        let mut bytes = Vec::new();
        encode(&header(MsgType::NEW_ORDER_SINGLE), &wire("11=id|38=100|44=10.5|95=3|96=a|b|"), &mut bytes);
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        prop_assert!(Decoder::new().decode(&bytes).is_err());
        framing(&bytes, 3);
    }
}
