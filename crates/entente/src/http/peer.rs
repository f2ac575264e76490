//! The partners' door: sealed and signed messages come in, signed answers go out.
//!
//! Authentication is the signature inside the message; `node` checks it against pinned keys.

use super::access::Caller;
use super::errors::Problem;
use super::limits::{ADDRESS_BYTES_MAX, MESSAGE_BYTES_MAX};
use super::site::Site;
use super::{access, answers, intake, work};
use crate::edge::{self, SystemEntropy};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use model::time::Timestamp;
use node::peer::Message;
use node::published::{self, Holds};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use store::Snapshot;

/// `POST /peer/messages`: a partner's message; the answer is a signed document.
pub async fn messages(
    State(site): State<Arc<Site>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    match take(site, from, request).await {
        Ok(response) => response,
        Err(problem) => answers::problem(&problem),
    }
}

async fn take(site: Arc<Site>, from: SocketAddr, request: Request) -> Result<Response, Problem> {
    if !site.allowance.take(from.ip(), Instant::now()) {
        return Err(Problem::of("too_many"));
    }
    let (parts, body) = request.into_parts();
    if !super::is_json(&parts.headers) {
        return Err(Problem::of("media_type"));
    }
    let held = Arc::clone(&site);
    let _in_work = held.messages.acquire().await.map_err(|_| Problem::of("unavailable"))?;
    let bytes = intake::body(&parts.headers, body, MESSAGE_BYTES_MAX).await?;
    work(move || {
        let message: Message = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::of("message_refused").because(format!("{from}: {error}")))?;
        let now = edge::now()?;
        let answer = site.write(|node| node.receive(&message, now, &mut SystemEntropy))??;
        Ok(answers::plain(StatusCode::OK, "text/plain; charset=utf-8", answer))
    })
    .await
}

/// Runs a read for an officer or a partner with access.
async fn for_known(
    site: Arc<Site>,
    headers: HeaderMap,
    read: impl FnOnce(&dyn Snapshot, Caller) -> Result<Response, Problem> + Send + 'static,
) -> Response {
    let done = work(move || {
        let snapshot = site.snapshot()?;
        let now: Timestamp = edge::now()?;
        let caller = access::caller(&site, &*snapshot, &headers, now)?;
        read(&*snapshot, caller)
    });
    done.await.unwrap_or_else(|problem| answers::problem(&problem))
}

/// `GET /log/checkpoint`: the newest signed checkpoint.
pub async fn checkpoint(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    for_known(site, headers, |snapshot, _| {
        let note = node::log::checkpoint(snapshot)?.ok_or_else(|| Problem::of("not_found"))?;
        Ok(answers::plain(StatusCode::OK, "text/plain; charset=utf-8", note))
    })
    .await
}

/// `GET /log/proof/consistency?old=&new=`: the log of `old` entries is a prefix of that of `new`.
pub async fn consistency(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    for_known(site, headers, move |snapshot, _| {
        let (old, new) = sizes(&uri)?;
        let size = node::log::frontier(snapshot)?.size();
        if old > new || new > size {
            return Err(Problem::of("bad_request"));
        }
        let path = node::log::consistency(snapshot, old, new)?;
        let value = json!({"old": old, "new": new, "consistency": path});
        Ok(answers::json(StatusCode::OK, &value))
    })
    .await
}

/// `GET /log/tile/…`: one file of the log as C2SP tlog-tiles lays it out.
///
/// INVARIANT: entries say who dealt with whom; to a partner their files do not exist.
pub async fn tile(
    State(site): State<Arc<Site>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    for_known(site, headers, move |snapshot, caller| {
        let path = format!("tile/{path}");
        let open = match published::holds(&path) {
            Some(Holds::Hashes) => true,
            Some(Holds::Entries) => caller == Caller::Officer,
            None => false,
        };
        let bytes = if open { published::file(snapshot, &path)? } else { None };
        let bytes = bytes.ok_or_else(|| Problem::of("not_found"))?;
        Ok(answers::plain(StatusCode::OK, "application/octet-stream", bytes))
    })
    .await
}

fn sizes(uri: &Uri) -> Result<(u64, u64), Problem> {
    let wrong = || Problem::of("bad_request");
    let query = uri.query().unwrap_or_default();
    if query.len() > ADDRESS_BYTES_MAX {
        return Err(Problem::of("address_too_long"));
    }
    let one = |name: &str| -> Result<u64, Problem> {
        let mut found = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| *key == name);
        let (_, value) = found.next().ok_or_else(wrong)?;
        if found.next().is_some() { Err(wrong()) } else { value.parse().map_err(|_| wrong()) }
    };
    Ok((one("old")?, one("new")?))
}
