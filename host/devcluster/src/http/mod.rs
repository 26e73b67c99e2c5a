//! The HTTP face: reads requests, asks the rooms behind, writes answers.

mod accept;
mod body;
mod discovery;
mod objects;
mod openapi;
mod protobuf;
mod reads;
mod reviews;
mod serve;
mod subresources;
mod user;
mod watch;

pub(crate) use reads::metadata_of;
pub(crate) use serve::{Face, listen, service};
pub(crate) use user::User;

use crate::status::Status;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

pub(crate) type Answer = Response<Body>;

/// A JSON answer.
pub(crate) fn json(code: u16, value: &Value) -> Answer {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes_answer(code, "application/json", bytes)
}

pub(crate) fn bytes_answer(code: u16, content_type: &'static str, bytes: impl Into<Body>) -> Answer {
    let mut answer = Response::new(bytes.into());
    *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    answer
}

/// A refusal as the API words it.
pub(crate) fn refusal(status: &Status) -> Answer {
    let mut answer = json(status.code, &status.to_json());
    if let Some(seconds) = status
        .details
        .as_ref()
        .and_then(|details| details.retry_after_seconds)
    {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// Adds `Warning` headers.
pub(crate) fn warn(mut answer: Answer, warnings: &[String]) -> Answer {
    for warning in warnings {
        let quoted = warning
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace(['\n', '\r'], " ");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            answer.headers_mut().append(header::WARNING, value);
        }
    }
    answer
}
