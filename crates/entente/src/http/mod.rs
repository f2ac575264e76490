//! The doors of a running node: partners' messages, TAXII, the officer's commands and pages.
//!
//! HTTP/1.1 without TLS: a node listens on an inner address, behind a proxy that ends TLS.

mod access;
mod answers;
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
use errors::Problem;
use hyper_util::rt::{TokioIo, TokioTimer};
pub use journal::line as journal_line;
pub use site::Site;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
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
    keep_view(&runtime, &site);
    let address = listener.local_addr().map_err(|e| unable("listen_failed", "listen", &e))?;
    journal::line("ready", &format!("{} listens on http://{address}", site.agency()));
    let stopped = runtime.block_on(accept(listener, router(Arc::clone(&site))));
    courier.stop();
    runtime.shutdown_timeout(limits::STOP_TIME_MAX);
    // INVARIANT: the lock is free only when no commit is in progress.
    site.write(|_| ())?;
    journal::line("stopped", site.agency());
    stopped
}

/// How often the view is looked after.
const VIEW_PAUSE: std::time::Duration = std::time::Duration::from_millis(250);

/// Keeps the view ready for readers, on a thread that may take its time.
fn keep_view(runtime: &tokio::runtime::Runtime, site: &Arc<Site>) {
    let site = Arc::downgrade(site);
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(VIEW_PAUSE).await;
            let Some(site) = site.upgrade() else { return };
            if let Err(problem) = work(move || site.keep_view()).await {
                problem.tell_operator();
            }
        }
    });
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

fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/peer/messages", post(peer::messages))
        .route("/log/checkpoint", get(peer::checkpoint))
        .route("/log/proof/consistency", get(peer::consistency))
        .route("/officer/commands", post(officer::commands))
        .route("/taxii2", any(taxii::answer))
        .route("/taxii2/{*rest}", any(taxii::answer))
        .route("/taxii2/", any(taxii::answer))
        .merge(pages::routes())
        .with_state(site)
}

/// Accepts connections until told to stop, then lets requests in progress end.
async fn accept(listener: TcpListener, router: Router) -> Result<(), Failure> {
    let slots = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let (stop, stopping) = watch::channel(false);
    let mut signals = Signals::new()?;
    loop {
        let slot = Arc::clone(&slots).acquire_owned().await;
        let Ok(slot) = slot else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = signals.received() => break,
        };
        match accepted {
            Ok((stream, from)) => {
                let connection = connection(stream, from, router.clone(), stopping.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            // WHY: out of file handles is over in a moment; a busy loop would not help.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    let _nobody_listens = stop.send(true);
    let all = u32::try_from(limits::CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let ended = tokio::time::timeout(limits::STOP_TIME_MAX, slots.acquire_many(all)).await;
    if ended.is_err() {
        journal::line("stopping", &"some requests did not end in time and are cut off");
    }
    Ok(())
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let _slower_is_fine = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().call(request)
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIME_MAX)
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
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
