//! Flags of the edge for any OpenFeature SDK: the OpenFeature Remote Evaluation Protocol (OFREP), version 0.1.0 of its
//! OpenAPI description (github.com/open-feature/protocol, `service/openapi.yaml`).
//!
//! Never an exception: whatever is asked is answered by a value with its reason, or by one of the protocol's error codes. The
//! key is shown as `X-API-Key` or as a bearer's token, as SDKs do, or as anywhere else on this gateway.

use crate::routes::App;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hasher as _};

/// Who decides flags of the edge.
pub trait Flags: Send + Sync {
    /// Every flag there is, in a fixed order.
    fn keys(&self) -> Vec<&'static str>;

    /// The answer for a subject; `None`: for nobody in particular.
    ///
    /// # Errors
    /// [`NoAnswer`].
    fn evaluate(&self, key: &str, targeting_key: Option<&str>) -> Result<Evaluated, NoAnswer>;
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The value: a boolean, a text or a whole number.
    pub value: Value,
    /// The name of the value.
    pub variant: String,
    /// An OpenFeature reason: `STATIC`, `DEFAULT`, `TARGETING_MATCH` or `SPLIT`.
    pub reason: &'static str,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// An OpenFeature error code.
    pub code: &'static str,
    /// What is wrong, for people.
    pub details: String,
}

impl NoAnswer {
    /// With an OpenFeature error code.
    #[must_use]
    pub fn new(code: &'static str, details: impl Into<String>) -> Self {
        let details = details.into();
        Self { code, details }
    }

    /// 404 for a flag that is not there, 400 for everything else that is the asker's, 500 for what is ours.
    fn status(&self) -> StatusCode {
        match self.code {
            "FLAG_NOT_FOUND" => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

pub(crate) async fn one(State(app): State<App>, Path(key): Path<String>, body: Bytes) -> Response {
    let answer = subject(&body).and_then(|subject| app.services.flags.evaluate(&key, subject.as_deref()));
    let status = answer.as_ref().map_or_else(NoAnswer::status, |_| StatusCode::OK);
    (status, axum::Json(told(&key, answer))).into_response()
}

pub(crate) async fn all(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let flags = &app.services.flags;
    let subject = match subject(&body) {
        Ok(subject) => subject,
        Err(error) => {
            let body = json!({ "errorCode": error.code, "errorDetails": error.details });
            return (error.status(), axum::Json(body)).into_response();
        }
    };
    let each = flags.keys().into_iter();
    let each = each.map(|key| told(key, flags.evaluate(key, subject.as_deref())));
    tagged(&headers, &json!({ "flags": each.collect::<Vec<_>>() }))
}

pub(crate) async fn configuration(headers: HeaderMap) -> Response {
    let capabilities = json!({
        "flagEvaluation": { "supportedTypes": ["boolean", "string", "int"] },
        "caching": { "enabled": false },
    });
    tagged(&headers, &json!({ "name": "rialto", "capabilities": capabilities }))
}

/// For whom, of a request's body, which may be left out.
fn subject(body: &[u8]) -> Result<Option<String>, NoAnswer> {
    if body.is_empty() {
        return Ok(None);
    }
    let request: Value = serde_json::from_slice(body)
        .map_err(|error| NoAnswer::new("PARSE_ERROR", format!("the request is no JSON: {error}")))?;
    if !request.is_object() {
        return Err(NoAnswer::new(
            "PARSE_ERROR",
            "the request is no object: send {\"context\":{..}}",
        ));
    }
    match request.get("context") {
        None => Ok(None),
        Some(Value::Object(context)) => match context.get("targetingKey") {
            None => Ok(None),
            Some(Value::String(key)) => Ok(Some(key.clone())),
            Some(_) => Err(NoAnswer::new("INVALID_CONTEXT", "targetingKey is no text")),
        },
        Some(_) => Err(NoAnswer::new("INVALID_CONTEXT", "the context is no object")),
    }
}

fn told(key: &str, answer: Result<Evaluated, NoAnswer>) -> Value {
    match answer {
        Ok(Evaluated { value, variant, reason }) => {
            json!({ "key": key, "value": value, "variant": variant, "reason": reason })
        }
        Err(NoAnswer { code, details }) => json!({ "key": key, "errorCode": code, "errorDetails": details }),
    }
}

/// With its entity tag, or 304 where the asker has it (RFC 9110, sections 8.8.3 and 13.1.2).
fn tagged(headers: &HeaderMap, body: &Value) -> Response {
    let body = body.to_string();
    let mut hasher = DefaultHasher::new();
    hasher.write(body.as_bytes());
    let tag = format!("\"{:016x}\"", hasher.finish());
    let asked = headers.get_all(header::IF_NONE_MATCH).into_iter();
    let mut known = asked
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let has = known.any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    });
    if has {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let kind = (header::CONTENT_TYPE, "application/json".to_owned());
    ([kind, (header::ETAG, tag)], body).into_response()
}
