//! Rust source as tokens: enough of a lexer that no rule mistakes a comment or a string for code. It never judges and never fails.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Word,
    /// An integer or float literal.
    Number,
    /// A string, byte string or character literal.
    Text,
    /// A lifetime or label.
    Lifetime,
    /// A comment, documentation included.
    Comment,
    /// One character of punctuation.
    Mark,
}

/// A piece of source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its characters.
    pub text: &'a str,
    /// The line it begins in, counted from 1.
    pub line: usize,
}

/// Cuts source text into tokens; white space is dropped.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let after_dot = found.last().is_some_and(|token| token.text == ".");
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else {
            let (kind, length) = scan(rest, first, after_dot);
            let text = &rest[..length];
            found.push(Token { kind, text, line });
            length
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

fn scan(rest: &str, first: char, after_dot: bool) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if let Some(length) = string(rest) {
        return (Kind::Text, length);
    }
    if let Some(inner) = rest.strip_prefix("b'").or_else(|| rest.strip_prefix('\'')) {
        let opening = rest.len() - inner.len();
        return match character(inner) {
            Some(length) => (Kind::Text, opening + length),
            None => (Kind::Lifetime, opening + word(inner)),
        };
    }
    if first.is_ascii_digit() {
        return (Kind::Number, number(rest, after_dot));
    }
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    match word(&rest[raw..]) {
        0 => (Kind::Mark, first.len_utf8()),
        length => (Kind::Word, raw + length),
    }
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        let tail = &rest.as_bytes()[at..];
        if tail.starts_with(b"/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if tail.starts_with(b"*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of the string literal that opens here, with its prefix; `None` if none does.
fn string(rest: &str) -> Option<usize> {
    let body = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - body.len();
    if prefix > 1 {
        return None;
    }
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let inner = raw[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = inner.find(&close).map_or(inner.len(), |at| at + close.len());
        return Some(prefix + 1 + hashes + 1 + end);
    }
    let inner = body.strip_prefix('"')?;
    Some(prefix + 1 + closing(inner, b'"').unwrap_or(inner.len()))
}

/// The length of the character literal behind its opening quotation mark; `None` if it is a lifetime.
fn character(inner: &str) -> Option<usize> {
    let first = inner.chars().next()?;
    let closes = first == '\\' || inner[first.len_utf8()..].starts_with('\'');
    if closes { closing(inner, b'\'') } else { None }
}

/// The length up to and with the closing quotation mark, escapes skipped.
fn closing(inner: &str, mark: u8) -> Option<usize> {
    let mut bytes = inner.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            _ if byte == mark => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A number takes its fraction along, unless it is the field of a tuple (`pair.0.1`).
fn number(rest: &str, after_dot: bool) -> usize {
    let whole = word(rest);
    let fraction = rest[whole..]
        .strip_prefix('.')
        .filter(|tail| !after_dot && tail.starts_with(|c: char| c.is_ascii_digit()));
    fraction.map_or(whole, |tail| whole + 1 + word(tail))
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len())
}

/// The code that ships: no comment, and no item marked `#[cfg(test)]`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shipped<'a> {
    /// The tokens of the code.
    pub tokens: Vec<Token<'a>>,
    /// The modules of other files that are compiled for tests only: `name` for `#[cfg(test)] mod name;`.
    pub test_modules: Vec<&'a str>,
}

/// Leaves out comments and test code.
pub fn shipped(source: &str) -> Shipped<'_> {
    let code: Vec<Token<'_>> = tokens(source)
        .into_iter()
        .filter(|token| token.kind != Kind::Comment)
        .collect();
    let mut shipped = Shipped::default();
    if starts_with(&code, "#![cfg(test)]") {
        return shipped;
    }
    let mut rest = code.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        if !starts_with(rest, "#[cfg(test)]") && !starts_with(rest, "#[cfg(all(test,") {
            shipped.tokens.push(*first);
            rest = tail;
            continue;
        }
        while starts_with(rest, "#[") {
            rest = &rest[1 + group(&rest[1..])..];
        }
        let (skipped, after) = rest.split_at(item(rest));
        if let [.., keyword, name, end] = skipped
            && keyword.text == "mod"
            && end.text == ";"
        {
            shipped.test_modules.push(name.text);
        }
        rest = after;
    }
    shipped
}

/// Whether the tokens open with this text, white space aside.
pub fn starts_with(tokens: &[Token<'_>], text: &str) -> bool {
    let mut text = text;
    for token in tokens {
        if text.is_empty() {
            break;
        }
        match text.strip_prefix(token.text) {
            Some(tail) => text = tail,
            None => return false,
        }
    }
    text.is_empty()
}

/// How many tokens an item takes: up to its `;`, or with its body, or to the end of what surrounds it.
fn item(tokens: &[Token<'_>]) -> usize {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text {
            ";" => return at + 1,
            "{" => return at + group(&tokens[at..]),
            "(" | "[" => at += group(&tokens[at..]),
            ")" | "]" | "}" => return at,
            _ => at += 1,
        }
    }
    at
}

/// How many tokens stand from the bracket that opens here to the one that closes it.
fn group(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<(Kind, &str)> {
        tokens(source)
            .into_iter()
            .map(|token| (token.kind, token.text))
            .collect()
    }

    #[test]
    fn tokens_of_every_kind() {
        use Kind::{Comment, Lifetime, Mark, Number, Text, Word};
        let table: &[(&str, &[(Kind, &str)])] = &[
            ("a // f64\nb", &[(Word, "a"), (Comment, "// f64"), (Word, "b")]),
            ("/* a /* b */ c */ d", &[(Comment, "/* a /* b */ c */"), (Word, "d")]),
            (r#""f64 \" \\" x"#, &[(Text, r#""f64 \" \\""#), (Word, "x")]),
            (r###"r#"a " b"# x"###, &[(Text, r###"r#"a " b"#"###), (Word, "x")]),
            (
                r###"br"a" c"b" b"c" b'\'' "###,
                &[
                    (Text, r#"br"a""#),
                    (Text, r#"c"b""#),
                    (Text, r#"b"c""#),
                    (Text, r"b'\''"),
                ],
            ),
            (
                r"'a' '\'' '\u{1F}' 'a",
                &[(Text, "'a'"), (Text, r"'\''"), (Text, r"'\u{1F}'"), (Lifetime, "'a")],
            ),
            ("'é' 'static", &[(Text, "'é'"), (Lifetime, "'static")]),
            (
                "r#type break buck",
                &[(Word, "r#type"), (Word, "break"), (Word, "buck")],
            ),
            (
                "1.5 0..5",
                &[(Number, "1.5"), (Number, "0"), (Mark, "."), (Mark, "."), (Number, "5")],
            ),
            (
                "a.0.1",
                &[(Word, "a"), (Mark, "."), (Number, "0"), (Mark, "."), (Number, "1")],
            ),
            ("\"open", &[(Text, "\"open")]),
            ("'", &[(Lifetime, "'")]),
        ];
        for (source, expected) in table {
            assert_eq!(texts(source), *expected, "{source}");
        }
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let lines: Vec<usize> = tokens("a\n\"x\ny\" /* \n */ b\nc")
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(lines, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn test_code_does_not_ship() {
        let table: &[(&str, &str, &[&str])] = &[
            (
                "fn a() {} #[cfg(test)] mod tests { fn b() {} } fn c() {}",
                "fna(){}fnc(){}",
                &[],
            ),
            ("#[cfg(test)] #[path = \"x.rs\"] mod x; fn c() {}", "fnc(){}", &["x"]),
            ("#[cfg(test)] extern crate std; fn c() {}", "fnc(){}", &[]),
            ("#[cfg(test)] fn a() -> [u8; 2] { [1; 2] } fn c() {}", "fnc(){}", &[]),
            ("#[cfg(all(test, unix))] pub(crate) mod b; fn c() {}", "fnc(){}", &["b"]),
            ("#[cfg(not(test))] fn a() {}", "#[cfg(not(test))]fna(){}", &[]),
            ("struct A { #[cfg(test)] a: u8 } fn c() {}", "structA{}fnc(){}", &[]),
            ("#![cfg(test)] fn a() {}", "", &[]),
        ];
        for (source, code, modules) in table {
            let shipped = shipped(source);
            let left: String = shipped.tokens.iter().map(|token| token.text).collect();
            assert_eq!(
                (left.as_str(), shipped.test_modules.as_slice()),
                (*code, *modules),
                "{source}"
            );
        }
    }
}
