//! What members ask about what is their own: from a request to a [`Question`] and whatever proves whose it is.

use crate::problem::Problem;
use crate::routes::{App, json};
use crate::services::{Presented, Question};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use std::str::FromStr;

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
    allow(&uri, &[])?;
    answer(app, &method, &uri, &headers, Question::Portfolio).await
}

pub(crate) async fn positions(
    app: State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    allow(&uri, &["account"])?;
    let account = parameter(&uri, "account")?;
    answer(app, &method, &uri, &headers, Question::Positions { account }).await
}

pub(crate) async fn orders(app: State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let (account, after, most) = page(&uri)?;
    answer(app, &method, &uri, &headers, Question::Orders { account, after, most }).await
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

fn presented(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Presented, Problem> {
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
    let most = parameter(uri, "limit")?.unwrap_or(PAGE);
    if most == 0 || most > PAGE_MAX {
        return Err(bad("limit"));
    }
    Ok((parameter(uri, "account")?, parameter(uri, "after")?, most))
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
