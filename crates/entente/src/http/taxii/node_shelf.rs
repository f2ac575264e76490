//! A node's shelf: each partner sees one collection, its own.
//!
//! Every object passes the gate again when it is read, and every read is in the log before its
//! answer leaves.

use super::post::Posted;
use super::query::{Query, Shape, Versions};
use super::shelf::{Collection, Known, Mark, Page, Right, Root, Row, Shelf, Spot};
use super::{MEDIA, write};
use crate::edge;
use crate::http::access;
use crate::http::errors::Problem;
use crate::http::limits::TAXII_BYTES_MAX;
use crate::http::site::Site;
use axum::body::Bytes;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use model::ids::AgencyId;
use model::time::Timestamp;
use node::pages::{Depth, Shown, Wanted, spec_name};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// LIMIT: objects on a page, and the default.
const PAGE_MAX: usize = 1_000;
/// LIMIT: characters of an address that the log keeps.
const ADDRESS_CHARS_MAX: usize = 500;
/// The one API root.
const ROOT: &str = "taxii2/api";

/// A node behind the TAXII doors.
pub struct NodeShelf(pub Arc<Site>);

/// The collection of a partner: the same on every day, told to that partner only.
fn collection_id(site: &Site, partner: &AgencyId) -> String {
    let (own, partner) = (site.agency().as_str(), partner.as_str());
    let id = wire::stix::convert::deterministic_id("collection", own, partner);
    id.trim_start_matches("collection--").to_owned()
}

/// What a page shows, handed on without a copy.
struct Whole(Shown);

impl AsRef<[u8]> for Whole {
    fn as_ref(&self) -> &[u8] {
        self.0.raw()
    }
}

fn row(shown: Shown) -> Row {
    let added_at = shown.added_at;
    let version = shown.version_text().map_or_else(|| write::instant(added_at), str::to_owned);
    Row {
        mark: Mark { added_at, serial: 0 },
        id: shown.record().to_string(),
        version,
        media: format!("application/stix+json;version={}", spec_name(shown.spec)),
        content: Bytes::from_owner(Whole(shown)),
    }
}

fn wanted(query: &Query) -> Wanted {
    let versions = match &query.versions {
        Versions::All => node::pages::Versions::All,
        Versions::Last => {
            node::pages::Versions::Some { first: false, last: true, at: BTreeSet::new() }
        }
        Versions::These { first, last, at } => {
            node::pages::Versions::Some { first: *first, last: *last, at: at.clone() }
        }
    };
    let known = |specs: &BTreeSet<String>| {
        ["2.0", "2.1"].into_iter().filter(|spec| specs.contains(*spec)).collect()
    };
    Wanted {
        after: query.after.max(query.behind.map(|mark| mark.added_at)),
        limit: query.limit,
        ids: query.ids.clone(),
        kinds: query.kinds.clone(),
        specs: query.specs.as_ref().map(known),
        versions,
        depth: if query.shape == Shape::Envelope { Depth::Content } else { Depth::Head },
    }
}

impl NodeShelf {
    fn own(&self, partner: &AgencyId) -> Collection {
        let id = collection_id(&self.0, partner);
        let card = json!({
            "id": id,
            "title": format!("Released by {} to {partner}", self.0.agency()),
            "description": "Objects are decided on again each time they are read.",
            "can_read": true,
            "can_write": false,
            "media_types": ["application/stix+json;version=2.1", "application/stix+json;version=2.0"],
        });
        Collection { id, read: Right::Yes, write: Right::No, card: card.to_string().into_bytes() }
    }

    fn rows(&self, partner: &AgencyId, wanted: &Wanted) -> Result<(Vec<Row>, bool), Problem> {
        let snapshot = self.0.snapshot()?;
        let facts = self.0.facts(&*snapshot)?;
        let page = node::query::collection(&facts, partner, wanted, edge::now()?)?;
        let more = page.more;
        Ok((page.rows.into_iter().map(row).collect(), more))
    }
}

impl Shelf for NodeShelf {
    type Caller = AgencyId;
    const WAITS: bool = true;

    fn page_max(&self) -> usize {
        PAGE_MAX
    }

    fn enter(&self, parts: &Parts, now: Timestamp) -> Result<AgencyId, Problem> {
        let snapshot = self.0.snapshot()?;
        // WHY: who says a name in the request is judged by it; a certificate speaks for the silent.
        if parts.headers.contains_key(AUTHORIZATION) {
            return access::partner(&self.0, &*snapshot, &parts.headers, now);
        }
        access::certified(&self.0, &*snapshot, parts.extensions.get(), now)
    }

    fn discovery(&self, _caller: &AgencyId) -> Result<Vec<u8>, Problem> {
        // SOURCE: section 4.1.1: https and whole, or without a host. Not every client can complete
        // an address, so the whole one is told where there is one.
        let endpoint = self.0.member.endpoint.trim_end_matches('/');
        let host = if endpoint.starts_with("https://") { endpoint } else { "" };
        let root = format!("{host}/{ROOT}/");
        let value = json!({
            "title": format!("{} for partners", self.0.agency()),
            "description": "What this node releases to you. Each partner sees its own collection.",
            "default": root,
            "api_roots": [root],
        });
        Ok(value.to_string().into_bytes())
    }

    fn root(&self, _caller: &AgencyId, root: &str) -> Result<Root, Problem> {
        if root != ROOT {
            return Err(Problem::of("not_found"));
        }
        let card = json!({
            "title": "Releases",
            "versions": [MEDIA],
            "max_content_length": TAXII_BYTES_MAX,
        });
        Ok(Root { card: card.to_string().into_bytes(), content_bytes_max: TAXII_BYTES_MAX })
    }

    fn collections(&self, caller: &AgencyId, _root: &str) -> Result<Vec<Collection>, Problem> {
        Ok(vec![self.own(caller)])
    }

    fn collection(
        &self,
        caller: &AgencyId,
        _root: &str,
        name: &str,
    ) -> Result<Collection, Problem> {
        let own = self.own(caller);
        // INVARIANT: another partner's collection answers as one that does not exist.
        if own.id == name { Ok(own) } else { Err(Problem::of("not_found")) }
    }

    fn page(&self, caller: &AgencyId, spot: Spot<'_>, query: &Query) -> Result<Page, Problem> {
        let (rows, more) = self.rows(caller, &wanted(query))?;
        let mut known = if rows.is_empty() { Known::Nowhere } else { Known::Here };
        if rows.is_empty() && query.object.is_some() {
            let any = Wanted { ids: query.ids.clone(), depth: Depth::Head, ..Wanted::first(1) };
            if !self.rows(caller, &any)?.0.is_empty() {
                known = Known::Here;
            }
        }
        let asked = spot.address.chars().take(ADDRESS_CHARS_MAX).collect();
        self.0.partner_read(caller, asked, rows.len(), edge::now()?)?;
        Ok(Page { rows, more, known })
    }

    fn add(
        &self,
        _caller: &AgencyId,
        _spot: Spot<'_>,
        _posted: Vec<Posted>,
        _now: Timestamp,
    ) -> Result<Vec<u8>, Problem> {
        Err(Problem::of("forbidden"))
    }

    fn delete(&self, _caller: &AgencyId, _spot: Spot<'_>, _query: &Query) -> Result<(), Problem> {
        Err(Problem::of("forbidden"))
    }

    fn status(&self, _caller: &AgencyId, _root: &str, _id: &str) -> Result<Vec<u8>, Problem> {
        Err(Problem::of("not_found"))
    }
}
