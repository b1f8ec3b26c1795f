//! Questions to the HTTP gateway: a request a connection, each bounded in time and bytes.

use super::state::{Picture, Stages, Standing};
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// Where to ask, and the key that opens it.
#[derive(Clone, Debug)]
pub(super) struct Client {
    address: SocketAddr,
    key: String,
}

/// What the exchange has told at one moment.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) picture: Picture,
    pub(super) standing: Standing,
    pub(super) stages: Stages,
    /// How long the picture took to come.
    pub(super) took: Duration,
}

/// The answer to a question of the administration socket's.
#[derive(Debug, Deserialize)]
struct Answer {
    lines: Vec<Standing>,
}

impl Client {
    pub(super) fn new(url: &str) -> Result<Self> {
        let mend = "give the console's address as `rialto up` prints it, such as 'http://127.0.0.1:26404/#key=..'";
        let (place, key) = url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once("/#key="))
            .with_context(|| format!("{url:?} has no address and key: {mend}"))?;
        ensure!(
            key.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "the key has other signs than it can have: {mend}"
        );
        let mut found = place
            .to_socket_addrs()
            .with_context(|| format!("{place:?} is no address: {mend}"))?;
        Ok(Self {
            address: found.next().with_context(|| format!("nobody is called {place:?}"))?,
            key: key.to_owned(),
        })
    }

    /// Asks for everything that is shown.
    pub(super) fn ask(&self) -> Result<Told> {
        let begun = Instant::now();
        let picture = self.request("GET /api/v1/picture", "")?;
        let took = begun.elapsed();
        let stages = self.request("GET /api/v1/stages", "")?;
        let mut answer: Answer = self.request("POST /api/v1/ask", r#"{"ask":"status"}"#)?;
        let standing = answer.lines.pop().context("the exchange does not say how it stands")?;
        Ok(Told {
            picture,
            standing,
            stages,
            took,
        })
    }

    fn request<T: DeserializeOwned>(&self, what: &str, body: &str) -> Result<T> {
        let address = self.address;
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_MAX)
            .with_context(|| format!("no console answers at {address}: is the exchange up?"))?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_write_timeout(Some(ANSWER_MAX))?;
        let head = format!(
            "{what} HTTP/1.1\r\nHost: {address}\r\nX-Rialto-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.key,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        let mut bytes = Vec::new();
        stream
            .take(ANSWER_BYTES_MAX)
            .read_to_end(&mut bytes)
            .context("the console does not answer in time")?;
        let text = String::from_utf8(bytes).context("the console answers no text")?;
        let (head, body) = text
            .split_once("\r\n\r\n")
            .context("this is no HTTP server: is it the console's port?")?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        if status == "401" || status == "403" {
            bail!("the console knows another key: take its address from where the exchange was started last");
        }
        ensure!(status == "200", "the console answers {status}: {body}");
        serde_json::from_str(body).context("the console speaks another version: use the same build's `rialto top`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_key() {
        let client = Client::new("http://127.0.0.1:26404/#key=0a1b").unwrap();
        assert_eq!((client.address.port(), client.key.as_str()), (26_404, "0a1b"));
        for url in [
            "127.0.0.1:26404",
            "http://127.0.0.1:26404/",
            "http://x/#key=\r\nA: b",
            "http:///#key=1",
        ] {
            let said = Client::new(url).unwrap_err().to_string();
            assert!(said.contains("rialto up") || said.contains("nobody"), "{said}");
        }
    }
}
