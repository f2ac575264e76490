//! Takes in a request's body: never more than a limit, never longer than a time.

use super::errors::Problem;
use super::limits::{BODY_TIME_MAX, DRAIN_BYTES_MAX};
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;

/// Reads a whole body of at most `limit_bytes`.
///
/// # Errors
/// 413 when it is longer, 408 when it takes too long, 400 when it breaks off.
pub async fn body(headers: &HeaderMap, body: Body, limit_bytes: usize) -> Result<Vec<u8>, Problem> {
    match tokio::time::timeout(BODY_TIME_MAX, collect(headers, body, limit_bytes)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::of("too_slow")),
    }
}

/// The bytes a body is said to have.
#[must_use]
pub fn stated_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect(headers: &HeaderMap, body: Body, limit_bytes: usize) -> Result<Vec<u8>, Problem> {
    let stated = stated_bytes(headers);
    let mut out = Vec::new();
    let (mut seen, mut body) = (0_usize, body);
    // WHY: a body that is far too large is not even read away.
    if stated.is_some_and(|bytes| bytes > DRAIN_BYTES_MAX) {
        return Err(Problem::of("too_large"));
    }
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::of("bad_request"))?;
        let Ok(bytes) = frame.into_data() else { continue };
        seen = seen.saturating_add(bytes.len());
        if seen > DRAIN_BYTES_MAX {
            break;
        }
        if seen <= limit_bytes {
            out.extend_from_slice(&bytes);
        } else {
            out = Vec::new();
        }
    }
    if seen > limit_bytes { Err(Problem::of("too_large")) } else { Ok(out) }
}
