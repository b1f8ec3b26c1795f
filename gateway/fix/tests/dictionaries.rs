//! The dictionaries: complete, and each rule of validation with a message that breaks it.

use std::path::PathBuf;
use std::sync::Arc;

use rialto_fix::dictionary::{Dictionaries, Dictionary, RejectReason, Rejection, UserDefinedFields, Validator};
use rialto_fix::message::{Decoder, FieldWriter, MessageHeader, encode};
use rialto_fix::{MsgSeqNum, MsgType, Tag, TimePrecision, UtcTimestamp, Version, tags};

fn framed(version: Version, fields: &str) -> Vec<u8> {
    let body = fields.replace('|', "\x01");
    let begin_string = version.begin_string().escape_ascii();
    let message = format!("8={begin_string}\x019={}\x01{body}", body.len());
    let sum = message.bytes().fold(0u8, u8::wrapping_add);
    format!("{message}10={sum:03}\x01").into_bytes()
}

const HEADER: &str = "34=2|49=A|52=20260105-09:30:00|56=B|";
const ORDER: &str = "11=id|40=1|54=1|55=GOOG|60=20260105-09:30:00|38=1|";

#[test]
fn each_rule_has_its_reason() {
    let ok = None;
    let no = |reason, tag: i32| {
        Some(Rejection {
            reason,
            tag: (tag != 0).then_some(Tag(tag)),
        })
    };
    let (v42, v44, v50) = (Version::Fix42, Version::Fix44, Version::Fix50Sp2);
    use RejectReason as R;
    let table: &[(Version, &str, Option<Rejection>)] = &[
        (v44, "35=D|~*", ok),
        (v42, "35=D|~*21=1|", ok),
        (v50, "35=D|~*", ok),
        (v42, "35=D|~*", no(R::RequiredTagMissing, 21)),
        (
            v44,
            "35=D|~40=1|54=1|55=X|60=20260105-09:30:00|",
            no(R::RequiredTagMissing, 11),
        ),
        (
            v44,
            "35=0|34=2|49=A|52=20260105-09:30:00|",
            no(R::RequiredTagMissing, 56),
        ),
        (v44, "35=1|~", no(R::RequiredTagMissing, 112)),
        (v44, "35=*|~", no(R::InvalidMsgType, 0)),
        (v42, "35=AF|~", no(R::InvalidMsgType, 0)),
        (v44, "35=|~", no(R::TagWithoutValue, 35)),
        (v44, "35=0|~999=HI|", no(R::InvalidTagNumber, 999)),
        (v44, "35=0|~-1=HI|", no(R::InvalidTagNumber, -1)),
        (
            v44,
            "35=0|~0=HI|",
            no(R::InvalidTagNumber, 0).map(|no| Rejection {
                tag: Some(Tag(0)),
                ..no
            }),
        ),
        (v44, "35=D|~*5000=HI|", no(R::InvalidTagNumber, 5000)),
        (v50, "35=0|~999=HI|", no(R::InvalidTagNumber, 999)),
        (v44, "35=0|~1128=9|", no(R::InvalidTagNumber, 1128)),
        (v50, "35=D|1128=9|~*", ok),
        (v44, "35=0|~55=X|", no(R::TagNotDefinedForMessage, 55)),
        (v50, "35=0|~58=X|", no(R::TagNotDefinedForMessage, 58)),
        (v44, "35=D|~*58=|", no(R::TagWithoutValue, 58)),
        (v44, "35=D|~*21=4|", no(R::ValueOutOfRange, 21)),
        (v44, "35=D|~*18=1 G 2|", ok),
        (v44, "35=D|~*18=1 ! 2|", no(R::ValueOutOfRange, 18)),
        (v44, "35=D|~*44=+1|", no(R::IncorrectDataFormat, 44)),
        (v44, "35=D|~*126=20040415|", no(R::IncorrectDataFormat, 126)),
        (v44, "35=D|~*11=id|", no(R::TagAppearsMoreThanOnce, 11)),
        (v44, "35=0|34=2|~", no(R::TagAppearsMoreThanOnce, 34)),
        (v44, "35=D|55=GOOG|~11=id|", no(R::TagOutOfOrder, 34)),
        (v44, "35=D|~*93=1|89=x|58=late|", no(R::TagOutOfOrder, 93)),
        (v44, "35=D|~*93=3|89=a|b|", ok),
        (v44, "35=D|~*386=2|336=PRE|625=A|336=AFTER|", ok),
        (v44, "35=D|~*386=3|336=PRE|336=AFTER|", no(R::IncorrectGroupCount, 386)),
        (v44, "35=D|~*386=1|336=PRE|336=AFTER|", no(R::IncorrectGroupCount, 386)),
        (v44, "35=D|~*386=1|", no(R::IncorrectGroupCount, 386)),
        (v44, "35=D|~*386=1|625=A|336=PRE|", no(R::GroupFieldsOutOfOrder, 625)),
        (v44, "35=D|~*386=x|", no(R::IncorrectDataFormat, 386)),
        (v44, "35=D|~*386=0|", ok),
        (v44, "35=D|~*386=1|336=PRE|625=|", no(R::TagWithoutValue, 625)),
        (
            v44,
            "35=D|~*386=1|336=PRE|625=A|625=B|",
            no(R::TagAppearsMoreThanOnce, 625),
        ),
        (
            v44,
            "35=D|~*453=2|448=A|447=D|452=1|802=2|523=x|803=1|523=y|448=B|447=D|",
            ok,
        ),
        (
            v44,
            "35=D|~*453=2|448=A|447=D|452=1|802=1|523=x|803=1|523=y|448=B|447=D|",
            no(R::IncorrectGroupCount, 802),
        ),
        (v44, "35=V|~262=r|263=1|264=0|267=2|269=0|269=1|146=2|55=A|55=B|", ok),
        (
            v44,
            "35=V|~262=r|263=1|264=0|267=1|269=0|146=1|48=A|22=4|",
            no(R::GroupFieldsOutOfOrder, 48),
        ),
        (v42, "35=V|~262=r|263=1|264=0|267=1|269=0|146=1|55=A|", ok),
        (
            v44,
            "35=V|~262=r|263=1|264=0|267=1|269=0|",
            no(R::RequiredTagMissing, 146),
        ),
    ];
    let validators = [v42, v44, v50].map(|version| {
        (
            version,
            Validator::new(Dictionaries::load(version).unwrap(), UserDefinedFields::Reject),
        )
    });
    let mut decoder = Decoder::new();
    for (version, fields, expected) in table {
        let bytes = framed(
            *version,
            &fields
                .replace('~', HEADER)
                .replacen('*', ORDER, usize::from(!fields.contains("35=*"))),
        );
        let message = decoder.decode(&bytes).expect(fields);
        let (_, validator) = validators.iter().find(|(of, _)| of == version).unwrap();
        assert_eq!(validator.validate(&message).err(), *expected, "{version:?} {fields}");
    }
}

/// A list of values that says `*` permits others too; each entry of a group has its required fields.
#[test]
fn open_lists_and_required_fields_of_entries() {
    let text = "version FIX.4.4\nfield 8 A STRING\nfield 9 B LENGTH\nfield 35 C STRING\nfield 10 D STRING\n\
                field 166 Open STRING CED DTC *\nfield 167 Shut STRING CED DTC\nheader 8! 9! 35!\ntrailer 10!\n\
                field 73 Group NUMINGROUP\nmessage X Any app 166 167 73(166! 167!)";
    let dictionary = Arc::new(Dictionary::parse(text).unwrap());
    let dictionaries = Dictionaries {
        session: Arc::clone(&dictionary),
        application: dictionary,
    };
    let validator = Validator::new(dictionaries, UserDefinedFields::Reject);
    let mut decoder = Decoder::new();
    let table = [
        ("166=CED|", true),
        ("166=any place|", true),
        ("167=CED|", true),
        ("167=any place|", false),
        ("73=2|166=a|167=CED|166=b|167=DTC|", true),
        ("73=2|166=a|167=CED|166=b|", false),
    ];
    for (fields, good) in table {
        let bytes = framed(Version::Fix44, &format!("35=X|{fields}"));
        assert_eq!(
            validator.validate(&decoder.decode(&bytes).unwrap()).is_ok(),
            good,
            "{fields}"
        );
    }
}

#[test]
fn user_defined_fields_pass_where_they_may() {
    let dictionaries = Dictionaries::load(Version::Fix44).unwrap();
    let validator = Validator::new(dictionaries, UserDefinedFields::Accept);
    let mut decoder = Decoder::new();
    let order = |more: &str| framed(Version::Fix44, &format!("35=D|{HEADER}{ORDER}{more}"));
    let bytes = order("9768=2|");
    assert_eq!(validator.validate(&decoder.decode(&bytes).unwrap()), Ok(()));
    let logon = framed(Version::Fix44, &format!("35=A|{HEADER}98=0|108=30|5000=x|"));
    assert_eq!(validator.validate(&decoder.decode(&logon).unwrap()), Ok(()));
    let heartbeat = framed(Version::Fix44, &format!("35=0|{HEADER}5000=x|"));
    let refused = Rejection {
        reason: RejectReason::InvalidTagNumber,
        tag: Some(Tag(5000)),
    };
    assert_eq!(validator.validate(&decoder.decode(&heartbeat).unwrap()), Err(refused));
    let bytes = order("999=2|");
    let refused = Rejection {
        reason: RejectReason::InvalidTagNumber,
        tag: Some(Tag(999)),
    };
    assert_eq!(validator.validate(&decoder.decode(&bytes).unwrap()), Err(refused));
}

#[test]
fn what_we_send_is_what_the_dictionary_has() {
    let validator = Validator::new(Dictionaries::load(Version::Fix44).unwrap(), UserDefinedFields::Reject);
    let mut body = Vec::new();
    FieldWriter::new(&mut body)
        .decimal(tags::AVG_PX, 0, 4)
        .text(tags::CL_ORD_ID, "c")
        .unsigned(tags::CUM_QTY, 0)
        .text(tags::EXEC_ID, "e")
        .text(tags::ORDER_ID, "1")
        .unsigned(tags::ORDER_QTY, 5)
        .character(tags::ORD_STATUS, b'8')
        .character(tags::SIDE, b'1')
        .text(tags::SYMBOL, "GOOG")
        .unsigned(tags::ORD_REJ_REASON, 0)
        .character(tags::EXEC_TYPE, b'8')
        .unsigned(tags::LEAVES_QTY, 0);
    let header = MessageHeader {
        begin_string: Version::Fix44.begin_string(),
        msg_type: MsgType::EXECUTION_REPORT,
        msg_seq_num: MsgSeqNum::FIRST,
        sender_comp_id: b"RIALTO",
        target_comp_id: b"FIRM1",
        sending_time: UtcTimestamp(0),
        orig_sending_time: None,
        time_precision: TimePrecision::Nanoseconds,
        extra: b"",
    };
    let mut out = Vec::new();
    encode(&header, &body, &mut out);
    assert_eq!(validator.validate(&Decoder::new().decode(&out).unwrap()), Ok(()));
}

#[test]
fn a_body_is_put_in_order_with_its_groups_whole() {
    let dictionaries = Dictionaries::load(Version::Fix44).unwrap();
    let bytes = framed(
        Version::Fix44,
        &format!("35=D|{HEADER}60=20260105-09:30:00|453=2|448=B|447=D|448=A|447=D|55=X|11=id|386=1|336=P|40=1|"),
    );
    let (mut decoder, mut out) = (Decoder::new(), Vec::new());
    dictionaries.write_ascending_body(&decoder.decode(&bytes).unwrap(), &mut out);
    assert_eq!(
        out.escape_ascii().to_string().replace("\\x01", "|"),
        "11=id|40=1|55=X|60=20260105-09:30:00|386=1|336=P|453=2|448=B|447=D|448=A|447=D|"
    );
}

/// Field for field against the published dictionaries, where they are at hand.
#[test]
fn every_published_field_and_message_is_there() {
    let data = std::env::var_os("RIALTO_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let spec = data.join("fix-at/spec");
    let table = [
        ("FIX42.xml", Version::Fix42, 405, 46),
        ("FIX44.xml", Version::Fix44, 912, 93),
        ("FIXT11.xml", Version::Fix50Sp2, 71, 8),
        ("FIX50SP2.xml", Version::Fix50Sp2, 6028, 156),
    ];
    for (file, version, fields, messages) in table {
        let Ok(text) = std::fs::read_to_string(spec.join(file)) else {
            eprintln!("SKIPPED: no {file} in {}", spec.display());
            continue;
        };
        let dictionaries = Dictionaries::load(version).unwrap();
        let dictionary = if file == "FIX50SP2.xml" {
            &dictionaries.application
        } else {
            &dictionaries.session
        };
        let attribute = |line: &str, name: &str| {
            let (_, behind) = line.split_once(&format!("{name}='"))?;
            Some(behind.split_once('\'')?.0.to_owned())
        };
        let mut counted = (0, 0);
        for line in text.lines() {
            if let Some(number) = attribute(line, "number") {
                let tag = Tag(number.parse().unwrap());
                assert_eq!(
                    dictionary.field_name(tag).map(str::to_owned),
                    attribute(line, " name"),
                    "{file} {number}"
                );
                counted.0 += 1;
            }
            if let Some(msg_type) = attribute(line, "msgtype") {
                assert!(
                    dictionary.has_message(MsgType(msg_type.as_bytes())),
                    "{file} {msg_type}"
                );
                counted.1 += 1;
            }
        }
        assert_eq!(counted.0, fields, "{file}");
        assert_eq!(counted.1, messages, "{file}");
    }
}
