//! The officer's pages: plain markup made here, one stylesheet, no script, nothing from elsewhere.
//!
//! Every page needs a sign-in; what is shown has passed the officer's gate.

mod agreements;
mod html;
mod log;
mod overview;
mod records;

use super::errors::Problem;
use super::site::Site;
use super::{access, answers, work};
use crate::edge;
use crate::failure::{Failure, Fault};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use html::{Html, html};
use model::time::Timestamp;
use std::sync::Arc;

/// The stylesheet.
const STYLE: &str = include_str!("pages/style.css");
/// Nothing but our own stylesheet and forms to ourselves.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";
/// The name in the log of who reads the pages. LIMIT: pages know the node's officers as one.
const OFFICER: &str = "officer (pages)";

/// The sections of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Overview,
    Records,
    Agreements,
    Log,
}

impl Section {
    const ALL: [Self; 4] = [Self::Overview, Self::Records, Self::Agreements, Self::Log];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("/", "Overview"),
            Self::Records => ("/records", "Records"),
            Self::Agreements => ("/agreements", "Agreements"),
            Self::Log => ("/log", "Log"),
        }
    }
}

/// A page before its frame is put around it.
struct Page {
    section: Section,
    title: String,
    body: Html,
}

/// What a page is made from.
struct Visit<'a> {
    site: &'a Site,
    now: Timestamp,
    query: Vec<(String, String)>,
}

impl Visit<'_> {
    /// A parameter of the query.
    fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A number in the query.
    fn number(&self, name: &str) -> Option<u64> {
        self.asked(name).and_then(|value| value.parse().ok())
    }
}

/// The addresses of the pages.
pub fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/style.css", get(style))
        .route("/", get(page))
        .route("/records", get(page))
        .route("/records/{id}", get(page))
        .route("/agreements", get(page))
        .route("/agreements/{id}", get(page))
        .route("/log", get(page))
        .fallback(page)
}

async fn style() -> Response {
    answers::plain(StatusCode::OK, "text/css; charset=utf-8", STYLE)
}

async fn page(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    let done = work(move || Ok(show(&site, &uri, &headers))).await;
    done.unwrap_or_else(|problem| answers::problem(&problem))
}

fn show(site: &Site, uri: &Uri, headers: &HeaderMap) -> Response {
    let now = match edge::now() {
        Ok(now) => now,
        Err(failure) => return answers::problem(&Problem::from(failure)),
    };
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let visit = Visit { site, now, query: query.map(|Query(pairs)| pairs).unwrap_or_default() };
    if let Some(token) = visit.asked("token").filter(|_| uri.path() == "/") {
        return sign_in(&visit, token);
    }
    if !access::is_signed_in(site, headers, now) {
        return stranger();
    }
    match route(&visit, uri.path()) {
        Ok(page) => framed(site, StatusCode::OK, page),
        Err(failure) => failed(site, &failure),
    }
}

fn route(visit: &Visit<'_>, path: &str) -> Result<Page, Failure> {
    let missing =
        || Failure::input("no_such_page", "there is no page at this address", "go to the overview");
    let parts: Option<Vec<String>> =
        path.split('/').filter(|p| !p.is_empty()).map(super::unescaped).collect();
    let parts = parts.ok_or_else(missing)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        [] => overview::show(visit),
        ["records"] => records::list(visit),
        ["records", id] => records::show(visit, id),
        ["agreements"] => agreements::list(visit),
        ["agreements", id] => agreements::show(visit, id),
        ["log"] => log::show(visit),
        _other => Err(missing()),
    }
}

fn sign_in(visit: &Visit<'_>, token: &str) -> Response {
    if !node::identity::same_token(token, &visit.site.token) {
        return stranger();
    }
    let mut response = answer(StatusCode::SEE_OTHER, html());
    let cookie = access::sign_in_cookie(visit.site, visit.now);
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
    response
}

/// What somebody not signed in sees: the same at every address.
fn stranger() -> Response {
    let body = html()
        .mark("<h1>Sign in to this node</h1><p>These pages are for the officers of the node. ")
        .mark("An officer at its machine gets an address that signs this browser in:</p>")
        .mark("<pre>entente --node DIR page-address</pre>")
        .mark("<p>DIR is the node's directory. If you have just opened that address from a link, ")
        .mark("<a href=\"/\">go on to the overview</a>.</p>");
    answer(StatusCode::UNAUTHORIZED, whole("Sign in", html(), body))
}

fn failed(site: &Site, failure: &Failure) -> Response {
    let status = match failure.code.as_str() {
        "no_such_page" => StatusCode::NOT_FOUND,
        _other => super::errors::officer_status(failure),
    };
    let title = match failure.fault {
        Fault::Refused => "The rules refuse",
        Fault::Input if status == StatusCode::NOT_FOUND => "Not found",
        Fault::Input => "This cannot be shown",
        Fault::Partner | Fault::Node => "This node could not answer",
    };
    let body = html()
        .mark("<div class=\"note bad\"><p>")
        .text(&failure.message)
        .mark("</p><p>")
        .text(&failure.help)
        .mark("</p></div>");
    framed(site, status, Page { section: Section::Overview, title: title.to_owned(), body })
}

fn framed(site: &Site, status: StatusCode, page: Page) -> Response {
    let nav = html().mark("<nav aria-label=\"Sections\"><ul>").each(Section::ALL, |section| {
        let (path, words) = section.words();
        let item = html().mark("<li><a href=\"").mark(path).mark("\"");
        let here = section == page.section && status == StatusCode::OK;
        let item = if here { item.mark(" aria-current=\"page\"") } else { item };
        item.mark(">").text(words).mark("</a></li>")
    });
    let bar = html()
        .mark("<header><div class=\"bar\"><strong>")
        .text(site.agency())
        .mark("<span class=\"party\">for ")
        .text(&site.member.party)
        .mark("</span></strong>")
        .add(nav.mark("</ul></nav></div></header>"));
    let body = html().mark("<h1>").text(&page.title).mark("</h1>").add(page.body);
    answer(status, whole(&format!("{} · {}", page.title, site.agency()), bar, body))
}

fn whole(title: &str, bar: Html, body: Html) -> Html {
    html()
        .mark("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
        .text(title)
        .mark("</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .mark("<link rel=\"stylesheet\" href=\"/style.css\"></head><body>")
        .mark("<a class=\"skip\" href=\"#content\">Skip to the content</a>")
        .add(bar)
        .mark("<main id=\"content\">")
        .add(body)
        .mark("</main><footer>All times are UTC. What you open here is written to the node's log.")
        .mark("</footer></body></html>")
}

fn answer(status: StatusCode, page: Html) -> Response {
    let mut response = answers::plain(status, "text/html; charset=utf-8", page.into_string());
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Reads from the present state without waiting for the writer.
fn read<T>(
    site: &Site,
    look: impl FnOnce(&dyn store::Snapshot) -> Result<T, node::NodeError>,
) -> Result<T, Failure> {
    let snapshot = site.snapshot().map_err(|problem| {
        Failure::node(problem.code, problem.log.as_deref().unwrap_or(problem.public), problem.help)
    })?;
    Ok(look(&*snapshot)?)
}
