//! From paths to answers.

use crate::guard::guard;
use crate::limits::{BLOCKING_MAX, BODY_BYTES_MAX, PICTURE_AGE_MAX, REPLAYS_MAX, STREAMS_MAX};
use crate::members;
use crate::ofrep;
use crate::problem::Problem;
use crate::services::{Key, Refusal, Services, Ticket};
use crate::stream;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
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
            "/chart.js",
            get(|| page("text/javascript; charset=utf-8", include_str!("page/chart.js"))),
        )
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .route("/api/v1/picture", get(picture))
        .route("/api/v1/stream", get(open_stream))
        .route("/api/v1/at/{seq}", get(at))
        .route("/api/v1/ask", post(ask))
        .route("/api/v1/faults", get(faults).post(add_fault))
        .route("/api/v1/faults/{name}", delete(remove_fault))
        .route("/api/v1/portfolio", get(members::portfolio))
        .route("/api/v1/member/positions", get(members::positions))
        .route("/api/v1/member/orders", get(members::orders))
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
    Ok(json(format!(
        "{{\"healthy\":true,\"picture_age_ms\":{}}}",
        age.as_millis()
    )))
}

async fn metrics(State(app): State<App>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, (app.services.metrics)()).into_response()
}

async fn picture(State(app): State<App>) -> Response {
    json(app.services.pictures.borrow().to_string())
}

async fn orders(State(app): State<App>) -> Response {
    json(app.services.orders.borrow().to_string())
}

async fn open_stream(State(app): State<App>, upgrade: WebSocketUpgrade) -> Result<Response, Problem> {
    let Ok(place) = Arc::clone(&app.streams).try_acquire_owned() else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{STREAMS_MAX} streams are open already"),
            "close a console",
        ));
    };
    let upgrade = upgrade.max_message_size(BODY_BYTES_MAX).max_frame_size(BODY_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        stream::serve(socket, app.services).await;
        drop(place);
    }))
}

/// A number in a path.
fn number<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Problem> {
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

/// A post, so that it needs the key: the answer may be of any member's orders.
async fn ask(State(app): State<App>, body: Bytes) -> Result<Response, Problem> {
    let turn = Arc::clone(&app.replays).acquire_owned().await;
    let answer = app.ask(move |services| services.office.ask(&body)).await;
    drop(turn);
    Ok(json(answer?))
}

/// The faults that stand.
async fn faults(State(app): State<App>) -> Result<Response, Problem> {
    office(app, object!({ "ask": "faults" })).await
}

async fn add_fault(State(app): State<App>, body: Bytes) -> Result<Response, Problem> {
    let fault: Value = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("this is no fault: {error}"),
            "send {\"name\":\"late\",\"kind\":\"latency\",\"delay_us\":5000}",
        )
    })?;
    office(
        app,
        object!({ "ask": "operate", "act": { "act": "fault_add", "fault": fault } }),
    )
    .await
}

async fn remove_fault(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    office(
        app,
        object!({ "ask": "operate", "act": { "act": "fault_remove", "name": name } }),
    )
    .await
}

async fn office(app: App, request: Value) -> Result<Response, Problem> {
    ask(State(app), Bytes::from(request.to_string())).await
}

async fn enter(State(app): State<App>, body: Bytes) -> Result<Response, Problem> {
    let ticket: Ticket = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("this is no order: {error}"),
            "send {\"symbol\":\"ACME\",\"side\":\"buy\",\"quantity\":100,\"price\":\"100.00\",\"tif\":\"day\"}",
        )
    })?;
    Ok(json(app.ask(move |services| services.desk.enter(&ticket)).await?))
}

async fn cancel(State(app): State<App>, order: Result<Path<u32>, PathRejection>) -> Result<Response, Problem> {
    let order = number(order)?;
    Ok(json(app.ask(move |services| services.desk.cancel(order)).await?))
}
