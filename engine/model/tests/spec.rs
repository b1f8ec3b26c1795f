//! `SPEC.md` holds a table of every message; this test writes the tables from the code and compares.
//! After an intended change: `RIALTO_BLESS=1 cargo test -p rialto-model --test spec`.

use rialto_model::codec::Schema;
use rialto_model::flags::{self, Kind, Scope};
use rialto_model::{Command, Event};
use std::fmt::Write as _;

const BEGIN: &str = "<!-- tables: written by tests/spec.rs -->\n";

fn tables(out: &mut String, title: &str, schemas: &[Schema]) {
    writeln!(out, "\n## {title}").unwrap();
    for schema in schemas {
        let text = if schema.text.is_empty() { "" } else { ", then a text" };
        writeln!(
            out,
            "\n### {} {} (block {} bytes{text})\n",
            schema.id,
            schema.name,
            schema.block_len()
        )
        .unwrap();
        if schema.fields.is_empty() {
            continue;
        }
        writeln!(out, "| offset | bytes | field | type |\n|--:|--:|---|---|").unwrap();
        let mut offset = 0;
        for (name, kind, size) in schema.fields {
            writeln!(out, "| {offset} | {size} | {name} | {kind} |").unwrap();
            offset += size;
        }
        for name in schema.text {
            writeln!(out, "| {offset} | 1 + n | {name} | Text |").unwrap();
        }
    }
}

fn registry(out: &mut String) {
    let hash = flags::table_hash();
    writeln!(out, "\n## Flags\n\nThe hash of this table is `{hash}`.\n").unwrap();
    writeln!(
        out,
        "| number | key | decided for | is | owner | until | changes |\n|--:|---|---|---|---|---|---|"
    )
    .unwrap();
    for flag in flags::TABLE {
        let scope = match flag.scope {
            Scope::Instrument => "an instrument",
            Scope::Session => "a session",
            Scope::Edge => "a process",
        };
        let kind = match flag.kind {
            Kind::Switch { default: true } => "**on** or off".to_owned(),
            Kind::Switch { default: false } => "**off** or on".to_owned(),
            Kind::Choice { variants, default } => {
                let name = |at: usize| match at == usize::from(default) {
                    true => format!("**{}**", variants[at]),
                    false => variants[at].to_owned(),
                };
                (0..variants.len()).map(name).collect::<Vec<_>>().join(", ")
            }
            Kind::Count { default, min, max } => format!("{min} to {max}, **{default}**"),
        };
        let (number, key, owner, expires, purpose) = (flag.number, flag.key, flag.owner, flag.expires, flag.purpose);
        writeln!(
            out,
            "| {number} | `{key}` | {scope} | {kind} | {owner} | {expires} | {purpose} |"
        )
        .unwrap();
    }
    for gone in flags::TOMBSTONES {
        writeln!(
            out,
            "| {} | `{}` | | retired as {} | | | |",
            gone.number, gone.key, gone.settled
        )
        .unwrap();
    }
}

#[test]
fn the_specification_is_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/SPEC.md");
    let committed = std::fs::read_to_string(path).unwrap();
    let (prose, _) = committed
        .split_once(BEGIN)
        .expect("SPEC.md has lost the line that begins its tables");
    let mut expected = format!("{prose}{BEGIN}");
    tables(&mut expected, "Commands", Command::SCHEMAS);
    tables(&mut expected, "Events", Event::SCHEMAS);
    registry(&mut expected);
    if std::env::var_os("RIALTO_BLESS").is_some() {
        std::fs::write(path, &expected).unwrap();
    } else {
        assert!(
            committed == expected,
            "SPEC.md differs from the code: append fields and raise the version, then bless"
        );
    }
}

#[test]
fn schema_ids_are_given_once() {
    let mut ids: Vec<u16> = Command::SCHEMAS.iter().chain(Event::SCHEMAS).map(|s| s.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(Command::SCHEMAS.iter().all(|s| s.id < 1000) && Event::SCHEMAS.iter().all(|s| s.id > 1000));
}
