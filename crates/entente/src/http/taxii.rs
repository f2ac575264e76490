//! TAXII 2.1 for partners' clients: each partner sees one collection, its own, read-only.
//!
//! Every object passes the gate again when it is read, and every read is in the log before its
//! answer leaves. SOURCE: OASIS TAXII 2.1, 10 June 2021.

mod accept;
mod filter;
mod page;

use super::errors::Problem;
use super::limits::{ADDRESS_BYTES_MAX, TAXII_BYTES_MAX};
use super::site::Site;
use super::{access, answers, intake, work};
use crate::edge;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use filter::Filter;
use model::ids::AgencyId;
use model::time::Timestamp;
use node::pages::{Depth, Page};
use page::Shape;
use serde_json::{Value, json};
use std::sync::Arc;

/// The media type of every answer.
const MEDIA: &str = "application/taxii+json;version=2.1";
/// The media type of what collections hold.
const STIX_MEDIA: &str = "application/stix+json;version=2.1";

/// What an address names.
#[derive(Debug, PartialEq, Eq)]
enum Resource {
    Discovery,
    Root,
    Collections,
    Collection(String),
    Manifest(String),
    Objects(String),
    Object(String, String),
    Versions(String, String),
    Nothing,
}

impl Resource {
    fn of(path: &str) -> Self {
        let path = path.strip_prefix("/taxii2").unwrap_or(path);
        let segments: Option<Vec<String>> =
            path.split('/').filter(|part| !part.is_empty()).map(super::unescaped).collect();
        let Some(segments) = segments else { return Self::Nothing };
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            [] => Self::Discovery,
            ["api"] => Self::Root,
            ["api", "collections"] => Self::Collections,
            ["api", "collections", id] => Self::Collection((*id).to_owned()),
            ["api", "collections", id, "manifest"] => Self::Manifest((*id).to_owned()),
            ["api", "collections", id, "objects"] => Self::Objects((*id).to_owned()),
            ["api", "collections", id, "objects", object] => {
                Self::Object((*id).to_owned(), (*object).to_owned())
            }
            ["api", "collections", id, "objects", object, "versions"] => {
                Self::Versions((*id).to_owned(), (*object).to_owned())
            }
            _other => Self::Nothing,
        }
    }

    fn collection(&self) -> Option<&str> {
        match self {
            Self::Collection(id) | Self::Manifest(id) | Self::Objects(id) => Some(id),
            Self::Object(id, _) | Self::Versions(id, _) => Some(id),
            Self::Discovery | Self::Root | Self::Collections | Self::Nothing => None,
        }
    }
}

/// Answers any request below `/taxii2`.
pub async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // WHY: the body is of no use here, but its sender should hear the answer.
    if let Err(problem) = intake::body(&parts.headers, body, TAXII_BYTES_MAX).await {
        return refuse(&problem);
    }
    let done = work(move || consider(&site, &parts)).await;
    done.unwrap_or_else(|problem| refuse(&problem))
}

/// A problem in the form TAXII gives it.
fn refuse(problem: &Problem) -> Response {
    problem.tell_operator();
    let value = json!({
        "title": problem.public,
        "description": problem.help,
        "error_code": problem.code,
        "http_status": problem.status.as_u16().to_string(),
    });
    let mut response = answers::plain(problem.status, MEDIA, value.to_string());
    answers::mark(problem, &mut response);
    if problem.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn ok(value: &Value) -> Response {
    answers::plain(StatusCode::OK, MEDIA, value.to_string())
}

/// The collection of a partner: the same on every day, told to that partner only.
fn collection_id(site: &Site, partner: &AgencyId) -> String {
    let (own, partner) = (site.agency().as_str(), partner.as_str());
    let id = wire::stix::convert::deterministic_id("collection", own, partner);
    id.trim_start_matches("collection--").to_owned()
}

/// One partner with its request.
struct Visit<'a> {
    site: &'a Site,
    parts: &'a Parts,
    partner: AgencyId,
    now: Timestamp,
}

fn consider(site: &Site, parts: &Parts) -> Result<Response, Problem> {
    let now = edge::now()?;
    let partner = access::partner(site, &*site.snapshot()?, &parts.headers, now)?;
    if parts.uri.path().len() > ADDRESS_BYTES_MAX {
        return Err(Problem::of("address_too_long"));
    }
    if !accept::takes_taxii(&parts.headers) {
        return Err(Problem::of("not_acceptable"));
    }
    Visit { site, parts, partner, now }.go(&Resource::of(parts.uri.path()))
}

impl Visit<'_> {
    fn go(&self, resource: &Resource) -> Result<Response, Problem> {
        let own = collection_id(self.site, &self.partner);
        // INVARIANT: another partner's collection answers as one that does not exist.
        if resource.collection().is_some_and(|id| id != own) {
            return Err(Problem::of("not_found"));
        }
        match (resource, &self.parts.method) {
            (Resource::Nothing, _) => return Err(Problem::of("not_found")),
            (_, &Method::GET | &Method::HEAD) => {}
            (Resource::Objects(_), &Method::POST) | (Resource::Object(..), &Method::DELETE) => {
                return Err(Problem::of("forbidden"));
            }
            (_, _) => return Err(Problem::of("method_not_allowed")),
        }
        match resource {
            Resource::Discovery => Ok(self.discovery()),
            Resource::Root => Ok(Self::root()),
            Resource::Collections => Ok(ok(&json!({"collections": [self.describe(&own)]}))),
            Resource::Collection(_) => Ok(ok(&self.describe(&own))),
            Resource::Manifest(_) => self.list(Shape::Manifest),
            Resource::Objects(_) => self.list(Shape::Envelope),
            Resource::Object(_, object) => self.one(Shape::Envelope, object),
            Resource::Versions(_, object) => self.one(Shape::Versions, object),
            Resource::Nothing => Err(Problem::of("not_found")),
        }
    }

    fn discovery(&self) -> Response {
        ok(&json!({
            "title": format!("{} for partners", self.site.agency()),
            "description": "What this node releases to you. Each partner sees its own collection.",
            "default": "/taxii2/api/",
            "api_roots": ["/taxii2/api/"],
        }))
    }

    fn root() -> Response {
        let value = json!({
            "title": "Releases",
            "versions": [MEDIA],
            "max_content_length": TAXII_BYTES_MAX,
        });
        ok(&value)
    }

    fn describe(&self, id: &str) -> Value {
        json!({
            "id": id,
            "title": format!("Released by {} to {}", self.site.agency(), self.partner),
            "description": "Objects are decided on again each time they are read.",
            "can_read": true,
            "can_write": false,
            "media_types": [STIX_MEDIA],
        })
    }

    fn list(&self, shape: Shape) -> Result<Response, Problem> {
        let filter = Filter::read(&self.parts.uri)?;
        let page = self.read(&filter, shape)?;
        self.logged(&page)?;
        Ok(self.write(&page, shape))
    }

    fn one(&self, shape: Shape, object: &str) -> Result<Response, Problem> {
        let mut filter = Filter::read(&self.parts.uri)?;
        filter.ids = Some(std::iter::once(object.to_owned()).collect());
        let page = self.read(&filter, shape)?;
        self.logged(&page)?;
        if page.rows.is_empty() && filter.after.is_none() {
            return Err(Problem::of("not_found"));
        }
        Ok(self.write(&page, shape))
    }

    fn read(&self, filter: &Filter, shape: Shape) -> Result<Page, Problem> {
        let depth = match shape {
            Shape::Envelope => Depth::Content,
            Shape::Manifest | Shape::Versions => Depth::Head,
        };
        let snapshot = self.site.snapshot()?;
        let facts = self.site.facts(&*snapshot)?;
        let wanted = filter.wanted(depth);
        Ok(node::query::collection(&facts, &self.partner, &wanted, self.now)?)
    }

    /// Nothing leaves that is not in the log.
    fn logged(&self, page: &Page) -> Result<(), Problem> {
        let what = self.parts.uri.path_and_query().map_or("/", |address| address.as_str());
        let query = what.chars().take(500).collect();
        self.site.partner_read(&self.partner, query, page.rows.len(), self.now)
    }

    fn write(&self, page: &Page, shape: Shape) -> Response {
        let mut response = answers::plain(StatusCode::OK, MEDIA, page::write(page, shape));
        for (name, shown) in [("first", page.rows.first()), ("last", page.rows.last())] {
            let name = HeaderName::try_from(format!("x-taxii-date-added-{name}"));
            let value = shown.map(|s| HeaderValue::try_from(page::instant(s.added_at)));
            if let (Ok(name), Some(Ok(value))) = (name, value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_resources_with_and_without_the_last_slash() {
        assert_eq!(Resource::of("/taxii2"), Resource::Discovery);
        assert_eq!(Resource::of("/taxii2/api/collections/c/"), Resource::Collection("c".into()));
        let one = Resource::Object("c".into(), "file--1".into());
        assert_eq!(Resource::of("/taxii2/api/collections/c/objects/file%2D-1"), one);
        let none = ["/taxii2/api/x", "/taxii2/api/collections/%zz", "/taxii2/other/"];
        for path in none {
            assert_eq!(Resource::of(path), Resource::Nothing, "{path}");
        }
    }
}
