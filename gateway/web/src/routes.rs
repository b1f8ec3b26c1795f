//! From paths to answers.

use crate::guard::{By, guard};
use crate::limits::{
    BLOCKING_MAX, BODY_BYTES_MAX, LATE_MAX, MEMBER_STREAMS_MAX, PICTURE_AGE_MAX, REPLAYS_MAX, STREAMS_MAX,
};
use crate::members;
use crate::ofrep;
use crate::problem::Problem;
use crate::services::{Follower, Key, Refusal, Services, Ticket};
use crate::stream;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};
use serde_json::{Value, json as object};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, watch};

/// What every handler shares.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) key: Arc<Key>,
    pub(crate) services: Services,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) member_streams: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    replays: Arc<Semaphore>,
    /// When the picture was last replaced.
    freshness: watch::Receiver<Instant>,
    watcher: Arc<watch::Sender<Instant>>,
}

impl App {
    pub(crate) fn new(key: Key, services: Services) -> Self {
        let (watcher, freshness) = watch::channel(Instant::now());
        Self {
            key: Arc::new(key),
            services,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            member_streams: Arc::new(Semaphore::new(MEMBER_STREAMS_MAX)),
            questions: Arc::new(Semaphore::new(BLOCKING_MAX)),
            replays: Arc::new(Semaphore::new(REPLAYS_MAX)),
            freshness,
            watcher: Arc::new(watcher),
        }
    }

    /// Asks somebody who may take his time, on a thread of its own.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Services) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(place) = Arc::clone(&self.questions).try_acquire_owned() else {
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{BLOCKING_MAX} questions wait for their answers already"),
                "try again in a moment",
            ));
        };
        let services = self.services.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let answer = question(&services);
            drop(place);
            answer
        });
        match asked.await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the question was not answered",
                "see what the exchange printed",
            )),
        }
    }
}

pub(crate) fn router(app: App) -> Router {
    tokio::spawn(keep_fresh(app.services.pictures.clone(), Arc::clone(&app.watcher)));
    Router::new()
        .route(
            "/",
            get(|| page("text/html; charset=utf-8", include_str!("page/console.html"))),
        )
        .route(
            "/console.css",
            get(|| page("text/css; charset=utf-8", include_str!("page/console.css"))),
        )
        .route(
            "/console.js",
            get(|| page("text/javascript; charset=utf-8", include_str!("page/console.js"))),
        )
        .route(
            "/office.js",
            get(|| page("text/javascript; charset=utf-8", include_str!("page/office.js"))),
        )
        .route(
            "/panes.js",
            get(|| page("text/javascript; charset=utf-8", include_str!("page/panes.js"))),
        )
        .route(
            "/try",
            get(|| page("text/html; charset=utf-8", include_str!("page/try.html"))),
        )
        .route(
            "/try.js",
            get(|| page("text/javascript; charset=utf-8", include_str!("page/try.js"))),
        )
        .route(
            "/chart.js",
            get(|| page("text/javascript; charset=utf-8", include_str!("page/chart.js"))),
        )
        .route("/healthz", get(healthz))
        .route("/health", get(healthz))
        .route("/metrics", get(metrics))
        .route("/api/v1/picture", get(picture))
        .route("/api/v1/stream", get(open_stream))
        .route("/api/v1/stages", get(stages))
        .route("/api/v1/at/{seq}", get(at))
        .route("/api/v1/at/{seq}/chart/{symbol}", get(chart))
        .route("/api/v1/ask", post(ask))
        .route("/api/v1/faults", get(faults).post(add_fault))
        .route("/api/v1/faults/{name}", delete(remove_fault))
        .route("/api/v1/portfolio", get(members::portfolio))
        .route("/api/v1/member/positions", get(members::positions))
        .route("/api/v1/member/orders", get(members::orders).post(members::place))
        .route("/api/v1/member/limits", get(members::limits).put(members::set_limits))
        .route("/api/v1/member/kill", post(members::kill))
        .route("/api/v1/member/executions", get(members::executions))
        .route("/api/v1/member/stream", get(members::stream))
        .route(
            "/api/v1/member/orders/{user_ref}",
            put(members::replace).delete(members::cancel),
        )
        .route("/api/v1/member/fills", get(members::fills))
        .route(
            "/api/v1/openapi.json",
            get(|| page("application/json", include_str!("openapi.json"))),
        )
        .route("/api/v1/orders", get(orders).post(enter))
        .route("/api/v1/orders/{order}", delete(cancel))
        .route("/ofrep/v1/evaluate/flags", post(ofrep::all))
        .route("/ofrep/v1/evaluate/flags/{key}", post(ofrep::one))
        .route("/ofrep/v1/configuration", get(ofrep::configuration))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

async fn keep_fresh(mut pictures: watch::Receiver<Arc<str>>, fresh: Arc<watch::Sender<Instant>>) {
    while pictures.changed().await.is_ok() {
        fresh.send_replace(Instant::now());
    }
}

async fn page(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

pub(crate) fn json(text: impl Into<String>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.into()).into_response()
}

async fn nothing_here() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is nothing at this path",
        "the console is at /",
    )
}

async fn healthz(State(app): State<App>) -> Result<Response, Problem> {
    let age = app.freshness.borrow().elapsed();
    if age > PICTURE_AGE_MAX {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("no new picture of the market for {} ms", age.as_millis()),
            "look whether the feed's follower lags or has lost the feed",
        ));
    }
    let health = (app.services.health)();
    let bound = u64::try_from(LATE_MAX.as_millis()).unwrap_or(u64::MAX);
    let lags = |one: &&Follower| one.problem.is_some() || one.late_ms > bound;
    let lagging: Vec<String> = health.followers.iter().filter(lags).map(describe).collect();
    if !lagging.is_empty() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            lagging.join("; "),
            "what these tell is old; see `rialto status`",
        ));
    }
    Ok(json(
        object!({ "healthy": true, "picture_age_ms": u64::try_from(age.as_millis()).unwrap_or(u64::MAX), "followers": health.followers })
            .to_string(),
    ))
}

fn describe(one: &Follower) -> String {
    let problem = one
        .problem
        .as_ref()
        .map_or_else(String::new, |problem| format!(": {problem}"));
    format!(
        "{} is {} commands behind, late by {} ms{problem}",
        one.name, one.behind, one.late_ms
    )
}

async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    let mut text = (app.services.metrics)();
    if app.shows_key(&headers) {
        text.push_str(&(app.services.firm_metrics)());
    }
    (kind, text).into_response()
}

async fn picture(State(app): State<App>) -> Response {
    json(app.services.pictures.borrow().to_string())
}

async fn stages(State(app): State<App>) -> Result<Response, Problem> {
    Ok(json(app.ask(|services| Ok((services.stages)())).await?))
}

async fn orders(State(app): State<App>) -> Response {
    json(app.services.orders.borrow().to_string())
}

async fn open_stream(
    State(app): State<App>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| members::no_upgrade())?;
    let Ok(place) = Arc::clone(&app.streams).try_acquire_owned() else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{STREAMS_MAX} streams are open already"),
            "close a console",
        ));
    };
    let upgrade = upgrade.max_message_size(BODY_BYTES_MAX).max_frame_size(BODY_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        stream::serve(socket, &app.key, app.services).await;
        drop(place);
    }))
}

/// A number in a path.
pub(crate) fn number<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Problem> {
    let bad = |_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the path does not end with a number",
            "give a whole number",
        )
    };
    path.map(|Path(number)| number).map_err(bad)
}

async fn at(State(app): State<App>, seq: Result<Path<u64>, PathRejection>) -> Result<Response, Problem> {
    let seq = number(seq)?;
    let turn = Arc::clone(&app.replays).acquire_owned().await;
    let answer = app.ask(move |services| services.archive.at(seq)).await;
    drop(turn);
    Ok(json(answer?))
}

async fn chart(State(app): State<App>, path: Result<Path<(u64, String)>, PathRejection>) -> Result<Response, Problem> {
    let Path((seq, symbol)) = path.map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the path has no number and symbol",
            "ask for one such as /api/v1/at/17/chart/ACME",
        )
    })?;
    let turn = Arc::clone(&app.replays).acquire_owned().await;
    let answer = app.ask(move |services| services.archive.chart(seq, &symbol)).await;
    drop(turn);
    Ok(json(answer?))
}

/// A post, so that it needs the key: the answer may be of any member's orders.
async fn ask(State(app): State<App>, by: Option<Extension<By>>, body: Bytes) -> Result<Response, Problem> {
    let request = match by {
        Some(by) => signed(&by, &body)?,
        None => body,
    };
    let turn = Arc::clone(&app.replays).acquire_owned().await;
    let answer = app.ask(move |services| services.office.ask(&request)).await;
    drop(turn);
    Ok(json(answer?))
}

/// What an operator does by a key of its own is done in the key's name, whatever the request says.
fn signed(by: &By, body: &[u8]) -> Result<Bytes, Problem> {
    let bad = |_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "this is no request",
            "send one such as {\"ask\":\"status\"}",
        )
    };
    let mut request: Value = serde_json::from_slice(body).map_err(bad)?;
    if let Value::Object(fields) = &mut request
        && (fields.get("ask").is_some_and(|ask| ask == "operate" || ask == "member"))
    {
        fields.insert("who".to_owned(), Value::from(by.0.as_str()));
    }
    Ok(Bytes::from(request.to_string()))
}

/// The faults that stand.
async fn faults(app: State<App>, by: Option<Extension<By>>) -> Result<Response, Problem> {
    office(app, by, object!({ "ask": "faults" })).await
}

async fn add_fault(app: State<App>, by: Option<Extension<By>>, body: Bytes) -> Result<Response, Problem> {
    let fault: Value = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("this is no fault: {error}"),
            "send {\"name\":\"late\",\"kind\":\"latency\",\"delay_us\":5000}",
        )
    })?;
    let act = object!({ "act": "fault_add", "fault": fault });
    office(app, by, object!({ "ask": "operate", "act": act })).await
}

async fn remove_fault(
    app: State<App>,
    by: Option<Extension<By>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "this is no name of a fault",
            "see GET /api/v1/faults",
        )
    })?;
    let act = object!({ "act": "fault_remove", "name": name });
    office(app, by, object!({ "ask": "operate", "act": act })).await
}

async fn office(app: State<App>, by: Option<Extension<By>>, request: Value) -> Result<Response, Problem> {
    ask(app, by, Bytes::from(request.to_string())).await
}

async fn enter(State(app): State<App>, body: Bytes) -> Result<Response, Problem> {
    let ticket: Ticket = serde_json::from_slice(&body).map_err(|error| no_order(&error))?;
    Ok(json(app.ask(move |services| services.desk.enter(&ticket)).await?))
}

pub(crate) fn no_order(error: &serde_json::Error) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        format!("this is no order: {error}"),
        "send {\"symbol\":\"ACME\",\"side\":\"buy\",\"quantity\":100,\"price\":\"100.00\",\"tif\":\"day\"}",
    )
}

async fn cancel(State(app): State<App>, order: Result<Path<u32>, PathRejection>) -> Result<Response, Problem> {
    let order = number(order)?;
    Ok(json(app.ask(move |services| services.desk.cancel(order)).await?))
}
