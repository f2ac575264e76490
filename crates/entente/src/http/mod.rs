//! The doors of a running node: partners' messages, TAXII, the officer's commands and pages.
//!
//! HTTP/1.1. A node listens on an inner address without TLS, behind a proxy that ends it, and on a
//! second address that speaks TLS itself where `node.toml` has a part `[tls]`.

mod access;
mod answers;
mod crowd;
mod errors;
mod intake;
mod journal;
mod limits;
mod misp;
mod officer;
mod pages;
mod peer;
mod site;
mod taxii;
mod tls;

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
use model::ids::AgencyId;
use node::access::Certificates;
pub use site::Site;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
pub use taxii::fixture::Fixture;
use taxii::node_shelf::NodeShelf;
use tls::ShownCertificate;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
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
    let mut doors = vec![Door { listener, tls: None }];
    let mut certificates = BTreeMap::new();
    if let Some(settings) = &settings.tls {
        let (certificate, key) = (place.beside(&settings.certificate), place.beside(&settings.key));
        let tls = Some(tls::acceptor(&certificate, &key)?);
        doors.push(Door { listener: runtime.block_on(listen(&settings.listen))?, tls });
        certificates = pinned(&settings.clients)?;
    }
    let site = Arc::new(Site::new(place.open(edge::now()?)?, token).knowing(certificates)?);
    let courier = courier::Courier::start(Arc::clone(&site))?;
    let poller = crate::feeds::Poller::start(Arc::clone(&site), place.clone())?;
    keep_view(&runtime, &site);
    let addresses = doors.iter().map(Door::address).collect::<Result<Vec<_>, _>>()?.join(" and ");
    journal::line("ready", &format!("{} listens on {addresses}", site.agency()));
    let stopped = runtime.block_on(accept(doors, router(&site)));
    courier.stop();
    poller.stop();
    runtime.shutdown_timeout(limits::STOP_TIME_MAX);
    // INVARIANT: the lock is free only when no commit is in progress.
    site.write(|_| ())?;
    journal::line("stopped", site.agency());
    stopped
}

/// Partners by the fingerprints of their clients' certificates.
fn pinned(clients: &BTreeMap<AgencyId, String>) -> Result<Certificates, Failure> {
    let mut known = BTreeMap::new();
    for (agency, text) in clients {
        let wrong = |cause: &str| {
            Failure::input(
                "settings_wrong",
                format!("`node.toml`: tls.clients: `{agency}`: {cause}"),
                "give 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` says them",
            )
        };
        let digits = tls::fingerprint(text).ok_or_else(|| wrong("no SHA-256 fingerprint"))?;
        let digest = format!("sha256:{digits}").parse().map_err(|_| wrong("no digest"))?;
        if known.insert(digest, agency.clone()).is_some() {
            return Err(wrong("another partner has the same certificate"));
        }
    }
    Ok(known)
}

/// An address that is listened on.
struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Door {
    fn address(&self) -> Result<String, Failure> {
        let address = self.listener.local_addr();
        let address = address.map_err(|e| unable("listen_failed", "listen", &e))?;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{address}"))
    }
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

/// Serves a TAXII fixture on this machine only, until it is told to stop.
///
/// # Errors
/// The address cannot be listened on.
pub fn serve_fixture(
    fixture: Fixture,
    port: u16,
    tls: Option<(PathBuf, PathBuf)>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| unable("runtime_failed", "start its threads", &e))?;
    let listener = runtime.block_on(listen(&format!("127.0.0.1:{port}")))?;
    let tls = tls.map(|(certificate, key)| tls::acceptor(&certificate, &key)).transpose()?;
    let door = Door { listener, tls };
    journal::ready(&format!("the TAXII fixture listens on {}/taxii2/", door.address()?));
    let stopped = runtime.block_on(accept(vec![door], shelf_router(Arc::new(fixture))));
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
        .route("/log/tile/{*path}", get(peer::tile))
        .route("/officer/commands", post(officer::commands))
        .route("/taxii2", any(taxii.clone()))
        .route("/taxii2/{*rest}", any(taxii.clone()))
        .route("/taxii2/", any(taxii))
        .merge(misp::routes())
        .merge(pages::routes())
        .with_state(Arc::clone(site))
}

/// Keeps the doors open until told to stop, then lets requests in progress end.
async fn accept(doors: Vec<Door>, router: Router) -> Result<(), Failure> {
    let crowd = Crowd::of_this_process();
    let (stop, stopping) = watch::channel(false);
    let mut signals = Signals::new()?;
    let mut open = JoinSet::new();
    for door in doors {
        open.spawn(keep(door, router.clone(), Arc::clone(&crowd), stopping.clone()));
    }
    signals.received().await;
    let _nobody_listens = stop.send(true);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(limits::STOP_TIME_MAX, all).await.is_err() {
        journal::line("stopping", &"some requests did not end in time and are cut off");
    }
    Ok(())
}

/// Keeps one door open until told to stop, then waits for its connections.
async fn keep(door: Door, router: Router, crowd: Arc<Crowd>, mut stopping: watch::Receiver<bool>) {
    let Door { listener, tls } = door;
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_ended) = connections.join_next() => continue,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, from)) => {
                // WHY: when everybody here is being answered, the newcomer is turned away at once.
                let Some(ticket) = crowd.enter(from.ip()) else { continue };
                let _slower_is_fine = stream.set_nodelay(true);
                let visit = Visit { from, ticket: Arc::new(ticket), router: router.clone() };
                connections.spawn(visit.of(stream, tls.clone(), stopping.clone()));
            }
            // WHY: out of file handles is over in a moment; a busy loop would not help.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection.
struct Visit {
    from: SocketAddr,
    ticket: Arc<Ticket>,
    router: Router,
}

impl Visit {
    async fn of(
        self,
        stream: TcpStream,
        tls: Option<TlsAcceptor>,
        stopping: watch::Receiver<bool>,
    ) {
        let Some(tls) = tls else { return self.serve(stream, None, stopping).await };
        let ticket = Arc::clone(&self.ticket);
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(limits::HEAD_TIME_MAX, tls.accept(stream)) => shaken,
            () = ticket.sent_away() => return,
        };
        // WHY: a handshake that fails concerns only its own client.
        let Ok(Ok(stream)) = shaken else { return };
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let shown = shown.map(|certificate| ShownCertificate::of(certificate));
        self.serve(stream, shown, stopping).await;
    }

    async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        shown: Option<ShownCertificate>,
        mut stopping: watch::Receiver<bool>,
    ) {
        let Self { from, ticket, router } = self;
        let seat = Arc::clone(&ticket);
        let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
            let work = seat.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(from));
            if let Some(shown) = &shown {
                request.extensions_mut().insert(shown.clone());
            }
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
            () = stuck(&ticket) => return,
            _ = stopping.wait_for(|stop| *stop) => None,
        };
        if ended.is_none() {
            serving.as_mut().graceful_shutdown();
            // WHY: a connection that breaks off concerns only its own client.
            let _broken_off = serving.await;
        }
    }
}

/// Waits until a client has not read its answer for too long.
async fn stuck(ticket: &Ticket) {
    while !ticket.is_stuck() {
        tokio::time::sleep(limits::STUCK_TIME_MAX).await;
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
