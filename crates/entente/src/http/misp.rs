//! MISP's synchronisation, as far as a partner's MISP or PyMISP needs it to pull from this node and
//! to push to it.
//!
//! Who asks is settled first, then what is asked; a body is read only from a caller who is known.
//! What goes out are events put together from records that pass the gate when they are read; what
//! comes in is posted to the partner's inbox. SOURCE: MISP 2.5 `ServerSyncTool`, PyMISP 2.5.12.

mod address;
mod cards;
mod library;
mod push;
mod read;
mod sightings;

use super::errors::Problem;
use super::limits::{ADDRESS_BYTES_MAX, MISP_BYTES_MAX};
use super::site::Site;
use super::{access, answers, intake, is_json, work};
use crate::edge;
use address::{Address, Call};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use library::Library;
use model::time::Timestamp;
use node::access::Admitted;
use serde_json::{Value, json};
use std::sync::Arc;

/// LIMIT: characters of a question that the log keeps.
const ASKED_CHARS_MAX: usize = 500;

/// The first parts of MISP's addresses.
const TREES: &[&str] = &[
    "servers",
    "users",
    "events",
    "attributes",
    "sightings",
    "shadow_attributes",
    "galaxy_clusters",
    "galaxies",
    "analyst_data",
];

/// The addresses of a MISP instance.
pub fn routes() -> Router<Arc<Site>> {
    TREES.iter().fold(Router::new(), |router, tree| {
        router
            .route(&format!("/{tree}"), any(answer))
            .route(&format!("/{tree}/{{*rest}}"), any(answer))
    })
}

/// A caller, what it asks, and when.
pub struct Visit {
    site: Arc<Site>,
    parts: Arc<Parts>,
    caller: Admitted,
    address: Address,
    now: Timestamp,
}

async fn answer(State(site): State<Arc<Site>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let parts = Arc::new(parts);
    let head = Arc::clone(&parts);
    let visit = match work(move || Visit::begin(site, head)).await {
        Ok(visit) => visit,
        Err(problem) => {
            // WHY: a body nobody asked for is read away, so that its sender hears the answer.
            let _unread = intake::body(&parts.headers, body, 0).await;
            return refuse(&problem, &parts);
        }
    };
    let said = match intake::body(&parts.headers, body, MISP_BYTES_MAX).await {
        Ok(bytes) => work(move || visit.answer(&bytes)).await,
        Err(problem) if problem.code == "too_large" => Err(too_large()),
        Err(problem) => Err(problem),
    };
    match said {
        Ok(value) => answers::json(StatusCode::OK, &value),
        Err(problem) => refuse(&problem, &parts),
    }
}

fn too_large() -> Problem {
    Problem::of("too_large").at(format!("at most {MISP_BYTES_MAX} bytes are taken"))
}

/// A problem in the form MISP gives it.
///
/// INVARIANT: what is not here, what is withheld and what was never offered read the same; only the
/// route is repeated, never what was asked of it.
fn refuse(problem: &Problem, parts: &Parts) -> Response {
    problem.tell_operator();
    let address = Address::of(parts.uri.path());
    let name = match problem.code {
        "not_found" => "Invalid event or address".to_owned(),
        "key_unknown" => {
            "Authentication failed. Please make sure you pass the API key of an API enabled user \
             along in the Authorization header."
                .to_owned()
        }
        _ => problem.public.to_owned(),
    };
    let place = problem.place.as_ref().map(|place| format!(": {place}")).unwrap_or_default();
    let mut value = json!({
        "saved": false,
        "name": name,
        "message": format!("{}{place}; {}", problem.public, problem.help),
        "url": address.route,
        "errors": problem.place.as_deref().unwrap_or(problem.public),
    });
    if let (Some(number), Some(members)) = (problem.number(), value.as_object_mut()) {
        members.insert("error_id".to_owned(), json!(number));
    }
    let mut response = answers::json(problem.status, &value);
    answers::mark(problem, &mut response);
    if problem.status == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = HeaderValue::from_static(address.call.methods());
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

fn enter(site: &Site, parts: &Parts, now: Timestamp) -> Result<Admitted, Problem> {
    let snapshot = site.snapshot()?;
    let stated = [AUTHORIZATION.as_str(), "x-misp-auth"];
    let known = if stated.iter().any(|name| parts.headers.contains_key(*name)) {
        access::keyed(site, &*snapshot, &parts.headers, now)
    } else {
        access::certified(site, &*snapshot, parts.extensions.get(), now)
    };
    // WHY: MISP answers 403 where others answer 401, and its clients look for that.
    known.map_err(|problem| match problem.code {
        "unauthorised" => Problem::of("key_unknown"),
        _ => problem,
    })
}

impl Visit {
    fn begin(site: Arc<Site>, parts: Arc<Parts>) -> Result<Self, Problem> {
        let now = edge::now()?;
        let caller = enter(&site, &parts, now)?;
        if parts.uri.to_string().len() > ADDRESS_BYTES_MAX {
            return Err(Problem::of("address_too_long"));
        }
        let address = Address::of(parts.uri.path());
        if address.call == Call::Nothing {
            return Err(Problem::of("not_found"));
        }
        let method = match parts.method {
            Method::HEAD => "GET",
            ref other => other.as_str(),
        };
        if !address.call.methods().split(", ").any(|allowed| allowed == method) {
            return Err(Problem::of("method_not_allowed"));
        }
        if parts.uri.query().is_some_and(|query| !query.is_empty()) {
            let cause = "a query after `?` is not read here".to_owned();
            return Err(Problem::of("bad_request").at(cause).hinting("send filters in the body"));
        }
        let stated = intake::stated_bytes(&parts.headers);
        if stated.is_some_and(|bytes| bytes > MISP_BYTES_MAX) {
            return Err(too_large());
        }
        if parts.method == Method::POST && stated != Some(0) && !is_json(&parts.headers) {
            return Err(Problem::of("media_type"));
        }
        Ok(Self { site, parts, caller, address, now })
    }

    fn answer(&self, body: &[u8]) -> Result<Value, Problem> {
        let id = self.address.id.as_deref();
        match self.address.call {
            Call::Version => Ok(cards::version()),
            Call::ClientVersion => Ok(json!({"version": cards::PYMISP})),
            Call::Me => Ok(cards::me(&self.caller)),
            Call::Rules => Ok(json!({"tags": [], "organisations": []})),
            Call::PostTest => cards::echo(&self.parts.headers, body),
            Call::Index => read::index(self, body),
            Call::Events => read::events(self, body),
            Call::Event => read::event(self, id, body),
            Call::Attributes => read::attributes(self, body),
            Call::Sightings => sightings::search(self, body),
            // WHY: proposals and clusters apart from events are kinds this node does not keep;
            // clusters stand in the events that name them.
            Call::Proposals => Ok(json!([])),
            Call::Clusters => read::clusters(self, body),
            Call::FilterEvents => push::filter(self, body),
            Call::Add => push::add(self, body),
            Call::Edit => push::edit(self, id, body),
            Call::FilterSightings => sightings::filter(self, id, body),
            Call::SaveSightings => sightings::save(self, id, body),
            Call::AnalystFilter => cards::nothing_wanted(body),
            Call::AnalystIndex => Ok(json!({})),
            Call::PushCluster | Call::PushAnalyst => Err(Problem::of("not_taken")),
            Call::Cluster | Call::Nothing => Err(Problem::of("not_found")),
        }
    }

    /// Reads as the caller may, at this moment.
    fn library<T>(
        &self,
        work: impl FnOnce(&Library<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let snapshot = self.site.snapshot()?;
        let facts = self.site.facts(&*snapshot)?;
        work(&Library::of(&facts, self.caller.partner(), self.now)?)
    }

    /// Logs a read; what was read may leave only after this.
    fn log(&self, body: &[u8], count: usize) -> Result<(), Problem> {
        let body = String::from_utf8_lossy(body);
        let asked = format!("{} {} {body}", self.parts.method, self.parts.uri.path());
        let asked = asked.trim().chars().take(ASKED_CHARS_MAX).collect();
        self.site.partner_read(self.caller.partner(), asked, count, self.now)
    }
}
