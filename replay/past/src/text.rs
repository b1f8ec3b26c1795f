//! A command as JSON and back: what `rialto journal tail --json` prints and `rialto fork --replace` reads.
//!
//! ```json
//! {"seq":9,"stamp":1760000000000000000,"epoch":1,"command":"Enter","fields":{"session":1,"side":"Buy","price":1000000}}
//! ```
//!
//! The fields are those of the message's schema, in its order and by its names. Numbers are numbers, in the model's own
//! units; values of a list are their names (`"Buy"`); a day is `"2026-06-22"`; symbols are texts; the client's bytes are a
//! text in which what is not printable stands as `\xNN`; a set of bits is a list of their names; a target is
//! `{"user_ref":7}` or `{"order_id":7}`; a rulebook, its parts, a trade and an order's instructions are objects, a tick
//! table a list of `{"from":..,"tick":..}`, quotes a list of objects. Reading back,
//! a field that is left out has its default, and a name that the message does not have is refused. A type that this
//! module does not know by name is written as the number that its bytes make, so that a new field can always be read back.

use rialto_model::codec::{Decoder, Encoder, Field, Schema};
use rialto_model::limits::MESSAGE_BYTES_MAX;
use rialto_model::order::{Phase, SideFilter};
use rialto_model::rulebook::TICK_ROWS;
use rialto_model::{
    Allocation, AllocationRule, AuctionOnly, Audience, Bands, BreakerLevel, Budgets, Capacity, Command, Cut, Deal,
    Door, FaultKind, FeeTier, Fees, Finding, FlagAct, FlagChange, FlagTarget, Handling, Hearing, Instructions, Lane,
    LossCause, Offers, Opinion, OrderKind, Poison, Quote, QuoteLimits, Reach, RejectReason, RiskLimits, Role, Rulebook,
    RunawayCause, RunawayLimits, RunawayTrip, SelfTrade, Sequenced, Service, ShortSale, Side, Target, Text, TickTable,
    TimeInForce, TradingDay, Way,
};
use serde_json::{Map, Value, json};

/// Bytes of one row of a tick table: the lowest price, and the tick from there on.
const TICK_ROW_BYTES: usize = TickTable::SIZE / TICK_ROWS;

/// Why a text is not a command.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// No JSON object, or one without the two members.
    #[error(
        "not a command: {0}; give one JSON object with \"command\" and \"fields\", as `rialto journal tail --json` prints it"
    )]
    Shape(String),
    /// No such message.
    #[error("no command is called {name:?}: there are {}", names())]
    UnknownCommand {
        /// What it was called.
        name: String,
    },
    /// No such field.
    #[error("{command} has no field {field:?}: it has {has}")]
    UnknownField {
        /// The command.
        command: &'static str,
        /// What it was called.
        field: String,
        /// Those there are.
        has: String,
    },
    /// A value that the field cannot have.
    #[error("{place}: {trouble}")]
    BadValue {
        /// The command, its field, and the part of it.
        place: String,
        /// What stands there and what should.
        trouble: String,
    },
}

fn names() -> String {
    let names: Vec<&str> = Command::SCHEMAS.iter().map(|schema| schema.name).collect();
    names.join(", ")
}

/// A sequenced command as one object.
#[must_use]
pub fn record(command: &Sequenced<Command>) -> Value {
    json!({
        "seq": command.seq.0,
        "stamp": command.stamp.0,
        "epoch": command.epoch.0,
        "command": command.body.name(),
        "fields": fields(&command.body),
    })
}

/// The fields of a command, by name.
#[must_use]
pub fn fields(command: &Command) -> Value {
    let mut room = [0; MESSAGE_BYTES_MAX];
    let len = encode(command, &mut room);
    let mut rest = Decoder::new(room.get(..len).unwrap_or_default());
    let mut object = Map::new();
    let Some(schema) = schema(command.name()) else {
        return Value::Object(object);
    };
    for (name, kind, size) in schema.fields {
        let bytes = rest.take(*size).unwrap_or_default();
        object.insert((*name).to_owned(), value(kind, bytes));
    }
    for name in schema.text {
        let bytes = rest.take(rest.remaining()).unwrap_or_default();
        let text = bytes.get(1..).unwrap_or_default();
        object.insert((*name).to_owned(), text.escape_ascii().to_string().into());
    }
    Value::Object(object)
}

/// Reads a command back. Number, stamp and epoch are not looked at: they are the stream's to give.
///
/// # Errors
/// [`TextError`].
pub fn parse(text: &str) -> Result<Command, TextError> {
    let object: Value = serde_json::from_str(text).map_err(|error| TextError::Shape(error.to_string()))?;
    let member = |name: &str| {
        object
            .get(name)
            .ok_or_else(|| TextError::Shape(format!("there is no {name:?}")))
    };
    let name = member("command")?.as_str().unwrap_or_default();
    let Some(schema) = schema(name) else {
        return Err(TextError::UnknownCommand { name: name.to_owned() });
    };
    let Value::Object(fields) = member("fields")? else {
        return Err(TextError::Shape("\"fields\" is no object".to_owned()));
    };
    from_fields(schema, fields)
}

fn from_fields(schema: &'static Schema, fields: &Map<String, Value>) -> Result<Command, TextError> {
    let has =
        |name: &String| schema.fields.iter().any(|field| field.0 == *name) || schema.text.contains(&name.as_str());
    if let Some(field) = fields.keys().find(|name| !has(name)) {
        let names = schema
            .fields
            .iter()
            .map(|field| field.0)
            .chain(schema.text.iter().copied());
        return Err(TextError::UnknownField {
            command: schema.name,
            field: field.clone(),
            has: names.collect::<Vec<_>>().join(", "),
        });
    }
    // A block that ends before its first field: every field has its default.
    let plain = Command::decode(schema.id, 0, &[]).map_err(|error| TextError::Shape(error.to_string()))?;
    let mut room = [0; MESSAGE_BYTES_MAX];
    encode(&plain, &mut room);
    let mut at = 0;
    for (name, kind, size) in schema.fields {
        let place = room.get_mut(at..at + size).unwrap_or_default();
        at += size;
        if let Some(given) = fields.get(*name) {
            put(kind, given, place).ok_or_else(|| bad_value(schema, name, kind, given))?;
        }
    }
    let mut len = at;
    for name in schema.text {
        let given = fields.get(*name).cloned().unwrap_or_else(|| "".into());
        let text = given.as_str().and_then(unescape);
        let text = text
            .and_then(|bytes| Text::new(&bytes))
            .ok_or_else(|| bad_value(schema, name, "text of at most TEXT_MAX bytes", &given))?;
        let bytes = text.as_bytes();
        let place = room.get_mut(at..=at + bytes.len()).unwrap_or_default();
        if let [length, rest @ ..] = place {
            *length = bytes.len() as u8;
            rest.copy_from_slice(bytes);
        }
        len += 1 + bytes.len();
    }
    Command::decode(schema.id, schema.block_len(), room.get(..len).unwrap_or_default())
        .map_err(|error| TextError::Shape(error.to_string()))
}

fn bad_value(schema: &'static Schema, field: &'static str, kind: &'static str, value: &Value) -> TextError {
    let (place, trouble) = trouble(format!("{}.{field}", schema.name), kind, value);
    TextError::BadValue { place, trouble }
}

/// Where in it a value is none of its kind, and what there is to choose from.
fn trouble(place: String, kind: &str, given: &Value) -> (String, String) {
    if let (Some(parts), Some(object)) = (parts(kind), given.as_object()) {
        for (name, kind, size) in parts {
            if let Some(given) = object.get(*name)
                && put(kind, given, &mut vec![0; *size]).is_none()
            {
                return trouble(format!("{place}.{name}"), kind, given);
            }
        }
        if let Some(other) = object.keys().find(|name| parts.iter().all(|part| part.0 != **name)) {
            let names: Vec<&str> = parts.iter().map(|part| part.0).collect();
            let trouble = format!("{other:?} is no part of a {kind}: there are {}", names.join(", "));
            return (place, trouble);
        }
    }
    let mut names = value_names(kind);
    names.extend(bit_names(kind));
    let choice = if names.is_empty() {
        String::new()
    } else {
        format!(": there are {}", names.join(", "))
    };
    (place, format!("{given} is no {kind}{choice}"))
}

fn schema(name: &str) -> Option<&'static Schema> {
    Command::SCHEMAS.iter().find(|schema| schema.name == name)
}

fn encode(command: &Command, room: &mut [u8; MESSAGE_BYTES_MAX]) -> usize {
    let mut out = Encoder::new(room);
    command.encode(&mut out);
    out.len()
}

/// Lists of values by their names. The default of each is its first.
macro_rules! listed {
    ($($Name:ident),*) => {
        fn name_of(kind: &str, bytes: &[u8]) -> Option<String> {
            match kind {
                $(stringify!($Name) => $Name::get(&mut Decoder::new(bytes)).ok().map(|value| format!("{value:?}")),)*
                _ => None,
            }
        }
        fn value_names(kind: &str) -> Vec<String> {
            match kind {
                $(stringify!($Name) => $Name::ALL.iter().map(|value| format!("{value:?}")).collect(),)*
                _ => Vec::new(),
            }
        }
        fn value_of(kind: &str, name: &str) -> Option<u64> {
            match kind {
                $(stringify!($Name) => $Name::ALL.iter().find(|value| format!("{value:?}") == name).map(|value| *value as u64),)*
                _ => None,
            }
        }
    };
}
listed!(
    Side,
    ShortSale,
    OrderKind,
    TimeInForce,
    Capacity,
    Door,
    LossCause,
    RejectReason,
    SelfTrade,
    Role,
    Service,
    Phase,
    AuctionOnly,
    SideFilter,
    BreakerLevel,
    AllocationRule,
    FlagAct,
    FlagTarget,
    RunawayCause,
    FaultKind
);

/// Sets of bits by the names of the bits. Bits without a name keep the whole a number.
macro_rules! sets {
    ($($Name:ident),*) => {
        fn bits_of(kind: &str, bytes: &[u8]) -> Option<Value> {
            match kind {
                $(stringify!($Name) => {
                    let set = $Name::get(&mut Decoder::new(bytes)).ok().filter(|set| $Name::ALL.has(*set))?;
                    let names = $Name::NAMES.iter().filter(|(_, bit)| set.has(*bit));
                    Some(names.map(|(name, _)| *name).collect())
                })*
                _ => None,
            }
        }
        fn bit_names(kind: &str) -> Vec<String> {
            match kind {
                $(stringify!($Name) => $Name::NAMES.iter().map(|(name, _)| (*name).to_owned()).collect(),)*
                _ => Vec::new(),
            }
        }
        fn set_of(kind: &str, names: &[Value]) -> Option<u64> {
            match kind {
                $(stringify!($Name) => {
                    let bit = |name: &Value| $Name::NAMES.iter().find(|(known, _)| name.as_str() == Some(known));
                    let set = names.iter().try_fold($Name::NONE, |set, name| Some(set.with(bit(name)?.1)));
                    set.map(|set| set.0.into())
                })*
                _ => None,
            }
        }
    };
}
sets!(Offers, Handling);

/// The parts of a field that has names for them.
fn parts(kind: &str) -> Option<&'static [(&'static str, &'static str, usize)]> {
    match kind {
        "Instructions" => Some(Instructions::PARTS),
        "Rulebook" => Some(Rulebook::PARTS),
        "Bands" => Some(Bands::PARTS),
        "Quote" => Some(Quote::PARTS),
        "QuoteLimits" => Some(QuoteLimits::PARTS),
        "Fees" => Some(Fees::PARTS),
        "RiskLimits" => Some(RiskLimits::PARTS),
        "FeeTier" => Some(FeeTier::PARTS),
        "Budgets" => Some(Budgets::PARTS),
        "Allocation" => Some(Allocation::PARTS),
        "Deal" => Some(Deal::PARTS),
        "FlagChange" => Some(FlagChange::PARTS),
        "RunawayLimits" => Some(RunawayLimits::PARTS),
        "RunawayTrip" => Some(RunawayTrip::PARTS),
        "Cut" => Some(Cut::PARTS),
        "Way" => Some(Way::PARTS),
        "Finding" => Some(Finding::PARTS),
        "Poison" => Some(Poison::PARTS),
        "Lane" => Some(Lane::PARTS),
        "Opinion" => Some(Opinion::PARTS),
        "Audience" => Some(Audience::PARTS),
        "Hearing" => Some(Hearing::PARTS),
        "Reach" => Some(Reach::PARTS),
        _ => None,
    }
}

/// A field's bytes as a value.
fn value(kind: &str, bytes: &[u8]) -> Value {
    let mut input = Decoder::new(bytes);
    if let Some(parts) = parts(kind) {
        let parts = parts.iter().map(|(name, kind, size)| {
            let bytes = input.take(*size).unwrap_or_default();
            ((*name).to_owned(), value(kind, bytes))
        });
        return Value::Object(parts.collect());
    }
    match kind {
        // Rows that are all zero behind the last one in use say nothing.
        "TickTable" => {
            let rows: Vec<(u64, u64)> = bytes
                .chunks(TICK_ROW_BYTES)
                .map(|row| row.split_at(row.len() / 2))
                .map(|(from, tick)| (number(from), number(tick)))
                .collect();
            let used = rows.iter().rposition(|row| *row != (0, 0)).map_or(0, |last| last + 1);
            rows.iter()
                .take(used)
                .map(|(from, tick)| json!({ "from": from, "tick": tick }))
                .collect()
        }
        "Quotes" => bytes.chunks(Quote::SIZE).map(|quote| value("Quote", quote)).collect(),
        "bool" => bytes.iter().any(|byte| *byte != 0).into(),
        "Symbol" | "Mpid" | "Actor" => {
            let length = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
            bytes
                .get(..length)
                .unwrap_or_default()
                .escape_ascii()
                .to_string()
                .into()
        }
        "Price" | "Money" | "Rate" => i64::get(&mut input).unwrap_or_default().into(),
        // A day behind the last civil year that can be read back stays a number.
        "TradingDay" => match TradingDay::get(&mut input).unwrap_or_default() {
            day if day.civil().0 <= 9_999 => day.to_string().into(),
            day => day.0.into(),
        },
        "Target" => match Target::get(&mut input).unwrap_or_default() {
            Target::UserRef(user_ref) => json!({ "user_ref": user_ref.0 }),
            Target::OrderId(order_id) => json!({ "order_id": order_id.0 }),
        },
        _ => match name_of(kind, bytes) {
            Some(name) => name.into(),
            None => bits_of(kind, bytes).unwrap_or_else(|| number(bytes).into()),
        },
    }
}

/// Puts a value where a field's bytes stand; `None` where it can be none.
fn put(kind: &str, given: &Value, place: &mut [u8]) -> Option<()> {
    if let Some(parts) = parts(kind) {
        let object = given.as_object()?;
        let known = |name: &String| parts.iter().any(|part| part.0 == *name);
        let mut rest = place;
        for (name, kind, size) in parts {
            let (place, behind) = rest.split_at_mut_checked(*size)?;
            rest = behind;
            if let Some(given) = object.get(*name) {
                put(kind, given, place)?;
            }
        }
        return object.keys().all(known).then_some(());
    }
    let number = match kind {
        "TickTable" => {
            place.fill(0);
            let rows = given.as_array()?;
            let mut places = place.chunks_mut(TICK_ROW_BYTES);
            for row in rows {
                let (from, tick) = places.next()?.split_at_mut_checked(TICK_ROW_BYTES / 2)?;
                put("u32", row.get("from")?, from)?;
                put("u32", row.get("tick")?, tick)?;
            }
            return Some(());
        }
        "Quotes" => {
            let mut places = place.chunks_mut(Quote::SIZE);
            for quote in given.as_array()? {
                put("Quote", quote, places.next()?)?;
            }
            return Some(());
        }
        "bool" => u64::from(given.as_bool()?),
        "Symbol" | "Mpid" | "Actor" => {
            let bytes = unescape(given.as_str()?)?;
            place.fill(b' ');
            place.get_mut(..bytes.len())?.copy_from_slice(&bytes);
            return Some(());
        }
        "Price" | "Money" | "Rate" => {
            place.copy_from_slice(&given.as_i64()?.to_le_bytes());
            return Some(());
        }
        "TradingDay" if given.is_string() => {
            let mut parts = given.as_str()?.splitn(3, '-').map(|part| part.parse().ok());
            let mut part = || parts.next().flatten();
            u64::from(TradingDay::from_civil(part()?, part()?, part()?)?.0)
        }
        "Target" => {
            let named = |name: &str| given.get(name).and_then(Value::as_u64);
            let (which, name) = match (named("user_ref"), named("order_id")) {
                (Some(name), None) => (0, u64::from(u32::try_from(name).ok()?)),
                (None, Some(name)) => (1, name),
                _ => return None,
            };
            let (first, rest) = place.split_first_mut()?;
            *first = which;
            rest.copy_from_slice(&name.to_le_bytes());
            return Some(());
        }
        _ => match given {
            Value::String(name) => value_of(kind, name)?,
            Value::Array(names) => set_of(kind, names)?,
            _ => given.as_u64()?,
        },
    };
    let bytes = number.to_le_bytes();
    let (low, high) = bytes.split_at_checked(place.len())?;
    place.copy_from_slice(low);
    high.iter().all(|byte| *byte == 0).then_some(())
}

/// Up to eight little-endian bytes as a number.
fn number(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    for (to, from) in wide.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(wide)
}

/// The other way of `escape_ascii`.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other @ (b'\\' | b'\'' | b'"') => other,
            _ => return None,
        });
    }
    Some(bytes)
}
