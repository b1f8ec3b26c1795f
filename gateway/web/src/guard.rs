//! Who may ask: names of this machine only, pages of this server only, and the key where something changes.

use crate::limits::BODY_BYTES_MAX;
use crate::members::presented;
use crate::problem::Problem;
use crate::routes::App;
use crate::services::Presented;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// The header that the key comes in. A page elsewhere cannot set it without asking first, and is not answered.
const KEY_HEADER: &str = "x-rialto-key";
/// The header of an API key in OFREP; like `Authorization`, none that a page elsewhere can set without asking first.
const API_KEY_HEADER: &str = "x-api-key";
/// Where members show keys of their own.
const MEMBERS: &str = "/api/v1/member/";
const PORTFOLIO: &str = "/api/v1/portfolio";
/// What tells of orders and sessions even where it is only read.
const VENUES: [&str; 2] = ["/api/v1/orders", "/api/v1/faults"];
/// Where an operator's own key opens as the venue's does; it is written down who asked.
const OPERATORS: [&str; 2] = ["/api/v1/ask", "/api/v1/faults"];
/// What the page may load: its own files and its own connections.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let mut response = match admit(&app, &mut request).await {
        Ok(()) => told(next.run(request).await).await,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, value.parse().expect("a plain value"));
    }
    response
}

/// Lets a request in, and notes who of the venue it is by, where it shows an operator's own key.
async fn admit(app: &App, request: &mut Request) -> Result<(), Problem> {
    judge(request.headers())?;
    let (method, path) = (request.method(), request.uri().path());
    let reads = method == Method::GET || method == Method::HEAD;
    // A member's own key is judged where it is asked for what it may do.
    let is_public = reads && !VENUES.contains(&path);
    if is_public || path.starts_with(MEMBERS) || path == PORTFOLIO || app.shows_key(request.headers()) {
        return Ok(());
    }
    if !OPERATORS.iter().any(|own| path.starts_with(own)) {
        return Err(no_key());
    }
    let Ok(presented) = presented(method, request.uri(), request.headers()) else {
        return Err(no_key());
    };
    // A signature would have to be of the body too, which is not read here.
    if let Presented::Signed { .. } = presented {
        return Err(no_key());
    }
    let actor = app.ask(move |services| services.members.operator(&presented)).await?;
    request.extensions_mut().insert(By(actor));
    Ok(())
}

/// The operator whose key a request shows.
#[derive(Clone, Debug)]
pub(crate) struct By(pub(crate) String);

fn no_key() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "the key is missing or wrong",
        "send the key that the exchange printed when it opened, as X-Rialto-Key",
    )
}

/// An answer with an error that is nobody's own words yet (the method, the length, a broken upgrade) as a problem.
async fn told(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let said = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/"));
    if said || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (head, body) = response.into_parts();
    let words = axum::body::to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&words).into_owned();
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "this path does not know the method".to_owned(),
        StatusCode::PAYLOAD_TOO_LARGE => format!("the body is longer than {BODY_BYTES_MAX} bytes"),
        _ if words.is_empty() => "the request cannot be answered".to_owned(),
        _ => words,
    };
    let mut told = Problem::new(status, detail, "see /api/v1/openapi.json, or try it at /try").into_response();
    if let Some(allow) = head.headers.get(header::ALLOW) {
        told.headers_mut().insert(header::ALLOW, allow.clone());
    }
    told
}

fn judge(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if !is_loopback(host) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!("this server does not answer for the host {host:?}"),
            "use 127.0.0.1, [::1] or localhost",
        ));
    }
    if let Some(origin) = text(header::ORIGIN)
        && origin.strip_prefix("http://") != Some(host)
    {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("a page of {origin} may not ask here"),
            "open the console of this server itself",
        ));
    }
    Ok(())
}

impl App {
    /// Whether a request shows the venue's key.
    pub(crate) fn shows_key(&self, headers: &HeaderMap) -> bool {
        shown(headers).is_some_and(|shown| self.key.is(shown))
    }
}

/// The key as a request shows it: in the gateway's own header, or in those that OpenFeature SDKs know.
fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    let named = headers.get(KEY_HEADER).or_else(|| headers.get(API_KEY_HEADER));
    match named {
        Some(shown) => Some(shown.as_bytes()),
        None => headers.get(header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer "),
    }
}

/// Whether a `Host` names this machine, with a port or without.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    matches!(name, Some("127.0.0.1" | "localhost" | "::1"))
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in ["127.0.0.1", "127.0.0.1:80", "localhost:26480", "[::1]", "[::1]:80"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "[::2]",
            "10.0.0.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
