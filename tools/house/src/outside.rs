//! What core crates may not drag in: anything that talks to a network, speaks TLS, opens a database or brings an async runtime.
//!
//! The judge is what `cargo tree` prints for the code that ships, transitive dependencies included.

use crate::Fault;

/// The crates that stay free of the outside world: the whole way of an order between the sockets.
pub const CORE: [&str; 13] = [
    "rialto-model",
    "rialto-matching",
    "rialto-ring",
    "rialto-journal",
    "rialto-sequencer",
    "rialto-engine",
    "rialto-ouch",
    "rialto-fix",
    "rialto-itch",
    "rialto-publisher",
    "rialto-relay",
    "rialto-conflate",
    "rialto-subscriber",
];

/// Names of packages by what they bring. A name stands for its family too: `tokio` for `tokio-util`.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    (
        "network",
        &[
            "axum",
            "curl",
            "h2",
            "h3",
            "http",
            "hyper",
            "isahc",
            "jsonrpsee",
            "mio",
            "nats",
            "polling",
            "quiche",
            "quinn",
            "redis",
            "reqwest",
            "s2n",
            "socket2",
            "tonic",
            "tower",
            "tungstenite",
            "ureq",
            "websocket",
            "zmq",
            "zookeeper",
        ],
    ),
    (
        "TLS",
        &[
            "aws-lc",
            "boring",
            "native-tls",
            "openssl",
            "rcgen",
            "ring",
            "rustls",
            "schannel",
            "security-framework",
            "webpki",
        ],
    ),
    (
        "database",
        &[
            "datafusion",
            "diesel",
            "fjall",
            "heed",
            "libsqlite3",
            "lmdb",
            "mongodb",
            "mysql",
            "object_store",
            "postgres",
            "redb",
            "rocksdb",
            "rusqlite",
            "sea-orm",
            "sled",
            "sqlx",
            "sqlite",
        ],
    ),
    (
        "async",
        &[
            "actix", "async", "embassy", "futures", "glommio", "io-uring", "monoio", "pollster", "smol", "tokio",
        ],
    ),
];

/// What a package brings that a core crate must not have.
pub fn brings(package: &str) -> Option<&'static str> {
    let family = |name: &str| {
        package
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    };
    FORBIDDEN
        .iter()
        .find(|(_, names)| names.iter().any(|name| family(name)))
        .map(|(kind, _)| *kind)
}

/// Judges the output of `cargo tree --prefix none` for a core crate: one package a line, its name first, the crate itself at the top.
pub fn faults(core: &str, tree: &str) -> Vec<Fault> {
    let mut packages: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    if packages.first() != Some(&core) {
        let cause = format!(
            "`cargo tree` did not begin with it: {}",
            tree.lines().next().unwrap_or("nothing")
        );
        return vec![Fault::new(
            core,
            cause,
            "see that the crate is a member and Cargo.lock is up to date",
        )];
    }
    packages.sort_unstable();
    packages.dedup();
    let brought = packages.iter().filter_map(|package| Some((package, brings(package)?)));
    let fault = |(package, kind)| {
        let mend = format!(
            "take it out (`cargo tree -p {core} -e normal -i {package}` shows the way in) or move the code to an edge crate"
        );
        Fault::new(core, format!("{package} brings {kind}"), mend)
    };
    brought.map(fault).collect()
}
