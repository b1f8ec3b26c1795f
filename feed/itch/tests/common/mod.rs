//! What several test files share: a seeded generator, the tables of SPEC.md, captures.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::PathBuf;

/// SplitMix64: small, seeded, the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

pub(crate) struct SpecField {
    pub(crate) offset: usize,
    pub(crate) len: usize,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) codes: Vec<u8>,
}

pub(crate) struct SpecTable {
    pub(crate) message_type: u8,
    pub(crate) len: usize,
    pub(crate) fields: Vec<SpecField>,
}

impl SpecTable {
    /// Some message of this type, made of random bytes and listed codes.
    pub(crate) fn message(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = random.bytes(self.len);
        bytes[0] = self.message_type;
        for field in &self.fields {
            match field.kind.as_str() {
                "code" => bytes[field.offset] = field.codes[random.below(field.codes.len())],
                "reserved" => bytes[field.offset] = b' ',
                _ => {}
            }
        }
        bytes
    }
}

/// The message tables of SPEC.md: a heading "## `X` Name, N bytes", then rows of offset, length, field, kind, meaning.
pub(crate) fn spec_tables() -> Vec<SpecTable> {
    let mut tables: Vec<SpecTable> = Vec::new();
    let mut inside = false;
    for line in include_str!("../../SPEC.md").lines() {
        if line.starts_with('#') {
            inside = line.starts_with("## `");
            if inside {
                let (_, len) = line.rsplit_once(", ").expect("a heading states the length");
                let len = len
                    .strip_suffix(" bytes")
                    .and_then(|len| len.parse().ok())
                    .expect("in bytes");
                tables.push(SpecTable {
                    message_type: line.as_bytes()[4],
                    len,
                    fields: Vec::new(),
                });
            }
            continue;
        }
        let cells: Vec<_> = line.trim_matches('|').splitn(5, '|').map(str::trim).collect();
        let [offset, len, name, kind, meaning] = cells[..] else {
            continue;
        };
        let (true, Ok(offset), Ok(len)) = (inside, offset.parse(), len.parse()) else {
            continue;
        };
        let codes = match kind {
            "code" => meaning
                .split('`')
                .skip(1)
                .step_by(2)
                .map(|code| code.as_bytes()[0])
                .collect(),
            "integer" | "price4" | "price8" | "text" | "reserved" => Vec::new(),
            other => panic!("{name} has kind {other}"),
        };
        let table = tables.last_mut().expect("a table stands below its heading");
        table.fields.push(SpecField {
            offset,
            len,
            name: name.into(),
            kind: kind.into(),
            codes,
        });
    }
    tables
}

/// The folder of real data, which a checkout may lack.
pub(crate) fn data_dir() -> PathBuf {
    std::env::var_os("RIALTO_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    )
}

/// The UDP payloads of a capture: classic pcap (microseconds or nanoseconds, either byte order), Ethernet with or
/// without a VLAN tag, IPv4. `None`, said on stderr, where the file is absent.
pub(crate) fn capture(name: &str) -> Option<Vec<Vec<u8>>> {
    let path = data_dir().join("pcap/itch50").join(name);
    let Ok(file) = std::fs::read(&path) else {
        eprintln!("SKIPPED: no capture {}", path.display());
        return None;
    };
    let little = match file[..4] {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => true,
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => false,
        _ => panic!("{} is not a pcap file", path.display()),
    };
    let length = |bytes: &[u8]| {
        let bytes = bytes.try_into().expect("four bytes");
        (if little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        }) as usize
    };
    let mut payloads = Vec::new();
    let mut rest = &file[24..];
    while !rest.is_empty() {
        let (frame, behind) = rest[16..].split_at(length(&rest[8..12]));
        rest = behind;
        let ip = if frame[12..14] == [0x81, 0x00] {
            &frame[18..]
        } else {
            &frame[14..]
        };
        let udp = &ip[usize::from(ip[0] & 0x0f) * 4..];
        payloads.push(udp[8..usize::from(u16::from_be_bytes([udp[4], udp[5]]))].to_vec());
    }
    Some(payloads)
}
