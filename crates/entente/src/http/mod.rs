//! The doors of a running node: partners' messages, TAXII, the officer's commands and pages.
//!
//! HTTP/1.1 without TLS: a node listens on an inner address, behind a proxy that ends TLS.

mod access;
mod answers;
mod crowd;
mod errors;
mod intake;
mod journal;
mod limits;
mod officer;
mod pages;
mod peer;
mod site;
mod taxii;

use crate::courier;
use crate::edge;
use crate::failure::Failure;
use crate::place::Place;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request};
use axum::routing::{any, get, post};
use crowd::{Crowd, Ticket};
use errors::Problem;
use hyper_util::rt::{TokioIo, TokioTimer};
pub use journal::line as journal_line;
pub use site::Site;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
pub use taxii::fixture::Fixture;
use taxii::node_shelf::NodeShelf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service as _;

/// Serves a node until it is told to stop (Ctrl-C or SIGTERM); the commit in progress is finished.
///
/// # Errors
/// The node cannot be opened, or its address cannot be listened on.
pub fn serve(place: &Place) -> Result<(), Failure> {
    let settings = place.settings()?;
    let token = place.token()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(limits::WORKERS_MAX)
        .enable_all()
        .build()
        .map_err(|e| unable("runtime_failed", "start its threads", &e))?;
    // WHY: the address first: who cannot listen must not hold the store.
    let listener = runtime.block_on(listen(&settings.listen))?;
    let site = Arc::new(Site::new(place.open(edge::now()?)?, token));
    let courier = courier::Courier::start(Arc::clone(&site))?;
    let address = listener.local_addr().map_err(|e| unable("listen_failed", "listen", &e))?;
    journal::line("ready", &format!("{} listens on http://{address}", site.agency()));
    let stopped = runtime.block_on(accept(listener, router(&site)));
    courier.stop();
    runtime.shutdown_timeout(limits::STOP_TIME_MAX);
    // INVARIANT: the lock is free only when no commit is in progress.
    site.write(|_| ())?;
    journal::line("stopped", site.agency());
    stopped
}

fn unable(code: &str, what: &str, error: &dyn std::fmt::Display) -> Failure {
    let help = "check the machine's limits and its log";
    Failure::node(code, format!("the node is not able to {what}: {error}"), help)
}

async fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let kind = error.kind();
        let (code, help) = if kind == std::io::ErrorKind::AddrInUse {
            (
                "address_in_use",
                "stop the program that uses it, or set another address as `listen` in node.toml \
                 (and as `endpoint`, where partners reach it)",
            )
        } else if kind == std::io::ErrorKind::PermissionDenied {
            (
                "address_forbidden",
                "choose a port above 1023 as `listen` in node.toml, or grant the right to bind it",
            )
        } else {
            (
                "address_unusable",
                "set `listen` in node.toml to an address of this machine, such as 127.0.0.1:7101",
            )
        };
        Failure::node(code, format!("`{address}` cannot be listened on: {error}"), help)
    })
}

/// Serves a TAXII fixture on this machine only, until it is told to stop.
///
/// # Errors
/// The address cannot be listened on.
pub fn serve_fixture(fixture: Fixture, port: u16) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| unable("runtime_failed", "start its threads", &e))?;
    let listener = runtime.block_on(listen(&format!("127.0.0.1:{port}")))?;
    let address = listener.local_addr().map_err(|e| unable("listen_failed", "listen", &e))?;
    journal::ready(&format!("the TAXII fixture listens on http://{address}/taxii2/"));
    let stopped = runtime.block_on(accept(listener, shelf_router(Arc::new(fixture))));
    runtime.shutdown_timeout(limits::STOP_TIME_MAX);
    stopped
}

/// The doors of a shelf that has every address for itself.
fn shelf_router(fixture: Arc<Fixture>) -> Router {
    Router::new()
        .fallback(move |request: Request<Body>| taxii::answer(Arc::clone(&fixture), request))
}

fn router(site: &Arc<Site>) -> Router {
    let shelf = Arc::new(NodeShelf(Arc::clone(site)));
    let taxii = move |request: Request<Body>| taxii::answer(Arc::clone(&shelf), request);
    Router::new()
        .route("/peer/messages", post(peer::messages))
        .route("/log/checkpoint", get(peer::checkpoint))
        .route("/log/proof/consistency", get(peer::consistency))
        .route("/officer/commands", post(officer::commands))
        .route("/taxii2", any(taxii.clone()))
        .route("/taxii2/{*rest}", any(taxii.clone()))
        .route("/taxii2/", any(taxii))
        .merge(pages::routes())
        .with_state(Arc::clone(site))
}

/// Accepts connections until told to stop, then lets requests in progress end.
async fn accept(listener: TcpListener, router: Router) -> Result<(), Failure> {
    let crowd = Crowd::of_this_process();
    let (stop, stopping) = watch::channel(false);
    let mut signals = Signals::new()?;
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_ended) = connections.join_next() => continue,
            () = signals.received() => break,
        };
        match accepted {
            Ok((stream, from)) => {
                // WHY: when everybody here is being answered, the newcomer is turned away at once.
                let Some(ticket) = crowd.enter(from.ip()) else { continue };
                let ticket = Arc::new(ticket);
                connections.spawn(connection(
                    stream,
                    from,
                    router.clone(),
                    ticket,
                    stopping.clone(),
                ));
            }
            // WHY: out of file handles is over in a moment; a busy loop would not help.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    let _nobody_listens = stop.send(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits::STOP_TIME_MAX, all).await.is_err() {
        journal::line("stopping", &"some requests did not end in time and are cut off");
    }
    Ok(())
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    ticket: Arc<Ticket>,
    mut stopping: watch::Receiver<bool>,
) {
    let _slower_is_fine = stream.set_nodelay(true);
    let seat = Arc::clone(&ticket);
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let work = seat.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(from));
        let answer = router.clone().call(request);
        async move {
            let answer = answer.await;
            drop(work);
            answer
        }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIME_MAX)
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        () = ticket.sent_away() => return,
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    if ended.is_none() {
        serving.as_mut().graceful_shutdown();
        // WHY: a connection that breaks off concerns only its own client.
        let _broken_off = serving.await;
    }
}

/// The signals that end a node.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let wrong = |e: std::io::Error| unable("signals_failed", "listen for signals", &e);
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(wrong)?,
            terminate: signal(SignalKind::terminate()).map_err(wrong)?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Runs work that may wait for the writer or the disk on a thread of its own.
fn work<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> impl Future<Output = Result<T, Problem>> {
    let running = tokio::task::spawn_blocking(job);
    async { running.await.unwrap_or_else(|e| Err(Problem::of("internal").because(e))) }
}

/// Whether the body is said to be JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = media.map(|text| text.split(';').next().unwrap_or_default().trim());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

/// A path's part without its percent escapes; `None` when they are malformed.
fn unescaped(part: &str) -> Option<String> {
    let (mut out, mut rest) = (Vec::new(), part.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            out.push(*first);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_first_chunk::<2>()?;
        let digits = std::str::from_utf8(digits).ok().filter(|d| !d.contains('+'))?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(out).ok()
}
