//! Who may ask: names of this machine only, pages of this server only, and the key where something changes.

use crate::problem::Problem;
use crate::routes::App;
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
/// What the page may load: its own files and its own connections.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Err(problem) = judge(&app, request.method(), request.uri().path(), request.headers()) {
        return problem.into_response();
    }
    let mut response = next.run(request).await;
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

fn judge(app: &App, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Problem> {
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
    let reads = method == Method::GET || method == Method::HEAD;
    // A member's own key is judged where it is asked for what it may do.
    let by_member = path.starts_with(MEMBERS);
    if !reads && !by_member && !shown(headers).is_some_and(|shown| app.key.is(shown)) {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "the key is missing or wrong",
            "send the key that the exchange printed when it opened, as X-Rialto-Key",
        ));
    }
    Ok(())
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
