//! Builds answers: one way for each form a door speaks. Pure.

use super::errors::Problem;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

/// The challenge of a 401.
const CHALLENGE: &str = "Basic realm=\"entente\", charset=\"UTF-8\", Bearer realm=\"entente\"";

/// An answer of this status, media type and content; nobody may keep a copy.
#[must_use]
pub fn plain(status: StatusCode, media: &'static str, content: impl Into<Body>) -> Response {
    let mut response = Response::new(content.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nosniff = HeaderName::from_static("x-content-type-options");
    headers.insert(nosniff, HeaderValue::from_static("nosniff"));
    response
}

/// A JSON answer.
#[must_use]
pub fn json(status: StatusCode, value: &Value) -> Response {
    plain(status, "application/json", value.to_string())
}

/// What a problem adds to the head of its answer.
pub fn mark(problem: &Problem, response: &mut Response) {
    let headers = response.headers_mut();
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    let wait = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    if wait.contains(&problem.status) {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
}

/// A problem as JSON, for partners.
#[must_use]
pub fn problem(problem: &Problem) -> Response {
    problem.tell_operator();
    let mut value = json!({"code": problem.code, "message": problem.public, "help": problem.help});
    if let (Some(size), Value::Object(members)) = (problem.size, &mut value) {
        members.insert("size".to_owned(), json!(size));
    }
    let mut response = json(problem.status, &value);
    mark(problem, &mut response);
    response
}
