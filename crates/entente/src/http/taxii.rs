//! TAXII 2.1: one set of doors for whatever keeps the objects, a node or the fixture.
//!
//! Who asks is settled first, then what they may ask, then what they ask; a body is read only from
//! a caller who may post it. SOURCE: OASIS TAXII 2.1, 10 June 2021.

mod accept;
pub mod fixture;
pub mod node_shelf;
mod post;
mod query;
mod resource;
mod shelf;
mod write;

use super::errors::Problem;
use super::limits::ADDRESS_BYTES_MAX;
use super::{answers, intake};
use crate::edge;
use axum::extract::Request;
use axum::http::header::{ALLOW, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use model::time::Timestamp;
use query::{Query, Shape};
use resource::{Resource, What};
use serde_json::json;
use shelf::{Collection, Known, Right, Root, Shelf, Spot};
use std::sync::Arc;

/// The media type of every answer.
const MEDIA: &str = "application/taxii+json;version=2.1";

/// Answers any request below a TAXII server's addresses.
pub async fn answer<S: Shelf>(shelf: Arc<S>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let parts = Arc::new(parts);
    let visit = Visit { shelf, parts: Arc::clone(&parts) };
    let said = match on::<S, _>(move || visit.begin()).await {
        Ok(Begun::Said(response)) => Ok(response),
        Ok(Begun::Post(waiting)) => {
            let read = intake::body(&parts.headers, body, waiting.root.content_bytes_max).await;
            let said = match read {
                Ok(bytes) => on::<S, _>(move || waiting.add(&bytes)).await,
                Err(problem) if problem.code == "too_large" => {
                    Err(too_large(waiting.root.content_bytes_max))
                }
                Err(problem) => Err(problem),
            };
            return said.unwrap_or_else(|problem| refuse(&problem, &parts));
        }
        Err(problem) => Err(problem),
    };
    // WHY: a body nobody asked for is read away, so that its sender hears the answer.
    let _unread = intake::body(&parts.headers, body, 0).await;
    said.unwrap_or_else(|problem| refuse(&problem, &parts))
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::of("too_large").at(format!("at most {bytes_max} bytes are taken"))
}

/// Runs work where it may wait, if it may wait.
async fn on<S: Shelf, T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    if S::WAITS { super::work(job).await } else { job() }
}

/// A problem in the form TAXII gives it.
fn refuse(problem: &Problem, parts: &Parts) -> Response {
    problem.tell_operator();
    let mut cause = problem.public.to_owned();
    if let Some(first) = cause.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if let Some(place) = &problem.place {
        cause = format!("{cause}: {place}");
    }
    // WHY: the reference server gives these the one title, and clients compare it.
    let unreadable = [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY];
    let title =
        if unreadable.contains(&problem.status) { "ProcessingError" } else { problem.public };
    let mut value = json!({
        "title": title,
        "description": format!("{cause}; {}", problem.help),
        "error_code": problem.code,
        "http_status": problem.status.as_u16().to_string(),
        "details": {"help": problem.help},
    });
    // INVARIANT: only a fault of this server has a number of its own; a refusal reads the same
    // whatever it hides.
    if let (Some(number), Some(members)) = (problem.number(), value.as_object_mut()) {
        members.insert("error_id".to_owned(), json!(number));
    }
    let mut response = answers::plain(problem.status, MEDIA, value.to_string());
    answers::mark(problem, &mut response);
    if problem.status == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = Resource::of(parts.uri.path()).what.methods();
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    }
    response
}

fn ok(content: Vec<u8>) -> Response {
    answers::plain(StatusCode::OK, MEDIA, content)
}

/// One request before its caller is known.
struct Visit<S> {
    shelf: Arc<S>,
    parts: Arc<Parts>,
}

/// What a request's head led to.
enum Begun<S: Shelf> {
    /// The answer.
    Said(Response),
    /// The body is wanted.
    Post(Box<Waiting<S>>),
}

/// A caller who may post, before the body has come.
struct Waiting<S: Shelf> {
    visit: Visit<S>,
    caller: S::Caller,
    root: Root,
    name: String,
    collection: Collection,
    now: Timestamp,
}

/// Which rights a request needs.
#[derive(Clone, Copy)]
enum Needs {
    Read,
    Write,
    Both,
}

/// SOURCE: sections 5.3 to 5.8; the table of 5.7 for deletion.
fn permit(collection: &Collection, needs: Needs) -> Result<(), Problem> {
    let refused = match (needs, collection.read, collection.write) {
        (Needs::Both, Right::No, Right::No) => return Err(Problem::of("not_found")),
        (Needs::Read, Right::No, _)
        | (Needs::Write, _, Right::No)
        | (Needs::Both, Right::No, Right::Yes)
        | (Needs::Both, Right::Yes, Right::No) => true,
        (Needs::Read, Right::Yes, _)
        | (Needs::Write, _, Right::Yes)
        | (Needs::Both, Right::Yes, Right::Yes) => false,
    };
    if refused { Err(Problem::of("forbidden")) } else { Ok(()) }
}

impl<S: Shelf> Visit<S> {
    fn begin(self) -> Result<Begun<S>, Problem> {
        let now = edge::now()?;
        let caller = self.shelf.enter(&self.parts, now)?;
        let path = self.parts.uri.path();
        if path.len() > ADDRESS_BYTES_MAX {
            return Err(Problem::of("address_too_long"));
        }
        if !accept::takes_taxii(&self.parts.headers) {
            return Err(Problem::of("not_acceptable"));
        }
        let Resource { root: name, what } = Resource::of(path);
        if what == What::Nothing {
            return Err(Problem::of("not_found"));
        }
        match (&what, &self.parts.method) {
            (_, &Method::GET | &Method::HEAD) => self.look(&caller, &name, &what).map(Begun::Said),
            (_, &Method::OPTIONS) => {
                let mut response = answers::plain(StatusCode::NO_CONTENT, MEDIA, "");
                let allowed = HeaderValue::from_static(what.methods());
                response.headers_mut().insert(ALLOW, allowed);
                Ok(Begun::Said(response))
            }
            (What::Object(collection, object), &Method::DELETE) => {
                self.delete(&caller, &name, (collection, object)).map(Begun::Said)
            }
            (What::Objects(collection), &Method::POST) => {
                let root = self.shelf.root(&caller, &name)?;
                let collection = self.shelf.collection(&caller, &name, collection)?;
                self.may_post(&root, &collection)?;
                let waiting = Waiting { visit: self, caller, root, name, collection, now };
                Ok(Begun::Post(Box::new(waiting)))
            }
            (_, _) => Err(Problem::of("method_not_allowed")),
        }
    }

    fn look(&self, caller: &S::Caller, root: &str, what: &What) -> Result<Response, Problem> {
        let shelf = &self.shelf;
        if *what == What::Discovery {
            return shelf.discovery(caller).map(ok);
        }
        let known = shelf.root(caller, root)?;
        match what {
            What::Root => Ok(ok(known.card)),
            What::Status(id) => shelf.status(caller, root, id).map(ok),
            What::Collections => {
                let all = shelf.collections(caller, root)?;
                let cards: Vec<Vec<u8>> = all.into_iter().map(|one| one.card).collect();
                Ok(ok(write::collections(&cards)))
            }
            What::Collection(name) => Ok(ok(shelf.collection(caller, root, name)?.card)),
            What::Manifest(name) => self.list(caller, (root, name), None, Shape::Manifest),
            What::Objects(name) => self.list(caller, (root, name), None, Shape::Envelope),
            What::Object(name, object) => {
                self.list(caller, (root, name), Some(object), Shape::Envelope)
            }
            What::Versions(name, object) => {
                self.list(caller, (root, name), Some(object), Shape::Versions)
            }
            What::Discovery | What::Nothing => Err(Problem::of("not_found")),
        }
    }

    fn address(&self) -> &str {
        self.parts.uri.path_and_query().map_or("/", |address| address.as_str())
    }

    fn query(&self, object: Option<&str>, shape: Shape) -> Result<Query, Problem> {
        Query::read(&self.parts.uri, object, shape, self.shelf.page_max())
    }

    fn list(
        &self,
        caller: &S::Caller,
        (root, name): (&str, &str),
        object: Option<&str>,
        shape: Shape,
    ) -> Result<Response, Problem> {
        let collection = &self.shelf.collection(caller, root, name)?;
        permit(collection, Needs::Read)?;
        let query = self.query(object, shape)?;
        let spot = Spot { root, collection, address: self.address() };
        let page = self.shelf.page(caller, spot, &query)?;
        if object.is_some() && page.known == Known::Nowhere {
            return Err(Problem::of("not_found"));
        }
        let last = page.rows.last().filter(|_| page.more);
        let next = last.map(|last| query.place(self.parts.uri.path(), last.mark));
        let mut response = ok(write::page(&page, shape, next.as_deref()));
        for (name, row) in [("first", page.rows.first()), ("last", page.rows.last())] {
            let name = HeaderName::try_from(format!("x-taxii-date-added-{name}"));
            let value = row.map(|row| HeaderValue::try_from(write::instant(row.mark.added_at)));
            if let (Ok(name), Some(Ok(value))) = (name, value) {
                response.headers_mut().insert(name, value);
            }
        }
        Ok(response)
    }

    fn delete(
        &self,
        caller: &S::Caller,
        root: &str,
        (name, object): (&str, &str),
    ) -> Result<Response, Problem> {
        self.shelf.root(caller, root)?;
        let collection = &self.shelf.collection(caller, root, name)?;
        permit(collection, Needs::Both)?;
        let query = self.query(Some(object), Shape::Deletion)?;
        let spot = Spot { root, collection, address: self.address() };
        self.shelf.delete(caller, spot, &query)?;
        Ok(ok(Vec::new()))
    }

    fn may_post(&self, root: &Root, collection: &Collection) -> Result<(), Problem> {
        let headers = &self.parts.headers;
        if !accept::is_taxii(headers) {
            let help = "send application/taxii+json;version=2.1, not compressed";
            return Err(Problem::of("media_type").hinting(help));
        }
        permit(collection, Needs::Write)?;
        match intake::stated_bytes(headers) {
            Some(bytes) if bytes > root.content_bytes_max => Err(too_large(root.content_bytes_max)),
            Some(_) | None => Ok(()),
        }
    }
}

impl<S: Shelf> Waiting<S> {
    fn add(&self, body: &[u8]) -> Result<Response, Problem> {
        let posted = post::read(body)?;
        let spot =
            Spot { root: &self.name, collection: &self.collection, address: self.visit.address() };
        let status = self.visit.shelf.add(&self.caller, spot, posted, self.now)?;
        Ok(answers::plain(StatusCode::ACCEPTED, MEDIA, status))
    }
}
