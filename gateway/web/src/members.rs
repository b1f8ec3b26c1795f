//! What members ask about what is their own, and what they do: from a request to a [`Question`] or a [`Deed`], and whatever
//! proves whose it is.

use crate::limits::{BODY_BYTES_MAX, MEMBER_STREAMS_MAX};
use crate::problem::Problem;
use crate::routes::{App, json, no_order, number};
use crate::services::{Answered, Deed, Presented, Question};
use crate::stream;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use std::str::FromStr;
use std::sync::Arc;

/// The header of an idempotency key, and the longest one.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const KEY_LENGTH_MAX: usize = 64;
/// Rows of a page unless told otherwise.
const PAGE: usize = 100;
/// Rows of a page at most.
const PAGE_MAX: usize = 1_000;

pub(crate) async fn portfolio(
    app: State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    allow(&uri, &["after", "limit"])?;
    let (after, most) = (parameter(&uri, "after")?, limit(&uri)?);
    answer(app, &method, &uri, &headers, Question::Portfolio { after, most }).await
}

pub(crate) async fn positions(
    app: State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (account, after, most) = page(&uri)?;
    answer(
        app,
        &method,
        &uri,
        &headers,
        Question::Positions { account, after, most },
    )
    .await
}

pub(crate) async fn orders(app: State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let (account, after, most) = page(&uri)?;
    answer(app, &method, &uri, &headers, Question::Orders { account, after, most }).await
}

pub(crate) async fn executions(
    app: State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    allow(&uri, &["after", "limit"])?;
    let (after, most) = (parameter(&uri, "after")?.unwrap_or(0), limit(&uri)?);
    answer(app, &method, &uri, &headers, Question::Executions { after, most }).await
}

pub(crate) async fn stream(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    allow(&uri, &["after"])?;
    let after = parameter(&uri, "after")?.unwrap_or(0);
    let presented = presented(&Method::GET, &uri, &headers)?;
    let Ok(place) = Arc::clone(&app.member_streams).try_acquire_owned() else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{MEMBER_STREAMS_MAX} streams of members are open already"),
            "try again in a moment",
        ));
    };
    let upgrade = upgrade.map_err(|_| no_upgrade())?;
    let told = app
        .ask(move |services| services.members.follow(&presented, after))
        .await?;
    let upgrade = upgrade.max_message_size(BODY_BYTES_MAX).max_frame_size(BODY_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        stream::tell(socket, told).await;
        drop(place);
    }))
}

pub(crate) fn no_upgrade() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "this is a WebSocket, and the request opens none",
        "use a WebSocket client",
    )
}

pub(crate) async fn limits(app: State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    allow(&uri, &[])?;
    answer(app, &method, &uri, &headers, Question::Limits).await
}

pub(crate) async fn set_limits(
    app: State<App>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let wish = Wish::new(Method::PUT, &uri, &headers, &body)?;
    let limits = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("these are no limits: {error}"),
            "send {\"limits\":{\"order_quantity\":500},\"why\":\"fat fingers\"}",
        )
    })?;
    carry_out(app, wish, Deed::Limit(limits)).await
}

pub(crate) async fn kill(app: State<App>, uri: Uri, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let wish = Wish::new(Method::POST, &uri, &headers, &body)?;
    let kill = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("this is no reason to be switched off for: {error}"),
            "send {\"why\":\"a program that ran away\"}",
        )
    })?;
    carry_out(app, wish, Deed::Kill(kill)).await
}

pub(crate) async fn fills(app: State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let (account, after, most) = page(&uri)?;
    answer(app, &method, &uri, &headers, Question::Fills { account, after, most }).await
}

async fn answer(
    State(app): State<App>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    question: Question,
) -> Result<Response, Problem> {
    let presented = presented(method, uri, headers)?;
    Ok(json(
        app.ask(move |services| services.members.ask(&presented, question))
            .await?,
    ))
}

pub(crate) async fn place(app: State<App>, uri: Uri, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let wish = Wish::new(Method::POST, &uri, &headers, &body)?;
    let ticket = serde_json::from_slice(&body).map_err(|error| no_order(&error))?;
    let key = wish.key()?;
    carry_out(app, wish, Deed::Place { ticket, key }).await
}

pub(crate) async fn replace(
    app: State<App>,
    order: Result<Path<u32>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let wish = Wish::new(Method::PUT, &uri, &headers, &body)?;
    let order = number(order)?;
    let change = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("this is no change of an order: {error}"),
            "send {\"quantity\":100,\"price\":\"100.00\"}",
        )
    })?;
    let key = wish.key()?;
    carry_out(app, wish, Deed::Replace { order, change, key }).await
}

pub(crate) async fn cancel(
    app: State<App>,
    order: Result<Path<u32>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let wish = Wish::new(Method::DELETE, &uri, &headers, &body)?;
    let order = number(order)?;
    carry_out(app, wish, Deed::Cancel { order }).await
}

/// Something that changes something, and whose it is.
struct Wish {
    presented: Presented,
    key: Option<String>,
}

impl Wish {
    fn new(method: Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        allow(uri, &[])?;
        let key = match headers.get(IDEMPOTENCY_KEY) {
            None => None,
            Some(value) => {
                let shown = value
                    .to_str()
                    .ok()
                    .filter(|key| (1..=KEY_LENGTH_MAX).contains(&key.len()));
                let visible = shown.filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
                Some(visible.ok_or_else(|| no_key("the idempotency key is none"))?.to_owned())
            }
        };
        let mut presented = presented(&method, uri, headers)?;
        if let Presented::Signed { signed, .. } = &mut presented {
            let body = std::str::from_utf8(body).map_err(|_| unproved())?;
            signed.push_str(key.as_deref().unwrap_or_default());
            signed.push('\n');
            signed.push_str(body);
        }
        Ok(Self { presented, key })
    }

    fn key(&self) -> Result<String, Problem> {
        self.key.clone().ok_or_else(|| no_key("there is no idempotency key"))
    }
}

async fn carry_out(State(app): State<App>, wish: Wish, deed: Deed) -> Result<Response, Problem> {
    let Answered { body, again } = app
        .ask(move |services| services.members.trade(&wish.presented, &deed))
        .await?;
    let mut response = json(body);
    if again {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert("idempotent-replayed", yes);
    }
    Ok(response)
}

fn no_key(detail: &str) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        detail,
        "send a header Idempotency-Key of 1 to 64 visible ASCII characters, new for each wish, and the same to send it again",
    )
}

pub(crate) fn presented(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Presented, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(shown) = text(header::AUTHORIZATION.as_str()) {
        let shown = shown.strip_prefix("Bearer ").and_then(|shown| shown.split_once(':'));
        let (name, secret) = shown.ok_or_else(unproved)?;
        return Ok(Presented::Secret {
            name: name.to_owned(),
            secret: secret.to_owned(),
        });
    }
    let (name, time, signature) = text("x-rialto-name")
        .zip(text("x-rialto-time"))
        .zip(text("x-rialto-signature"))
        .map(|((name, time), signature)| (name, time, signature))
        .ok_or_else(unproved)?;
    let time_ms = time.parse().map_err(|_| unproved())?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(Presented::Signed {
        name: name.to_owned(),
        time_ms,
        signed: format!("{method}\n{path}\n{time_ms}\n"),
        signature: signature.to_owned(),
    })
}

fn unproved() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "this is a member's own, and the request does not show whose it is",
        "send Authorization: Bearer NAME:SECRET, or sign it with X-Rialto-Name, X-Rialto-Time and X-Rialto-Signature",
    )
}

fn page(uri: &Uri) -> Result<(Option<u32>, Option<u64>, usize), Problem> {
    allow(uri, &["account", "after", "limit"])?;
    Ok((parameter(uri, "account")?, parameter(uri, "after")?, limit(uri)?))
}

fn limit(uri: &Uri) -> Result<usize, Problem> {
    let most = parameter(uri, "limit")?.unwrap_or(PAGE);
    if most == 0 || most > PAGE_MAX {
        return Err(bad("limit"));
    }
    Ok(most)
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    let query = uri.query().unwrap_or_default();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// A misspelt parameter would otherwise ask for everything.
fn allow(uri: &Uri, known: &[&str]) -> Result<(), Problem> {
    match pairs(uri).find(|(name, _)| !known.contains(name)) {
        None => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the query has a parameter that this path does not know",
            format!(
                "known are: {}",
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            ),
        )),
    }
}

fn parameter<T: FromStr>(uri: &Uri, name: &str) -> Result<Option<T>, Problem> {
    let mut given = pairs(uri).filter(|(known, _)| *known == name);
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some((_, value)), None) => value.parse().map(Some).map_err(|_| bad(name)),
        _ => Err(bad(name)),
    }
}

fn bad(name: &str) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        format!("{name} is no number that can stand there"),
        "give one whole number; limit is from 1 to 1000",
    )
}
