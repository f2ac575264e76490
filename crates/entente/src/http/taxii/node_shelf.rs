//! A node's shelf: each partner sees what was released to it, its inbox, and the communities of the
//! agreements that bind it.
//!
//! Every object passes the gate again when it is read, and every read is in the log before its
//! answer leaves.

use super::post::{self, Posted};
use super::query::{Query, Shape, Versions};
use super::shelf::{Collection, Fate, Known, Mark, Outcome, Page, Right, Root, Row, Shelf, Spot};
use super::{MEDIA, write};
use crate::edge::{self, SystemEntropy};
use crate::failure::Failure;
use crate::http::access;
use crate::http::errors::Problem;
use crate::http::limits::TAXII_BYTES_MAX;
use crate::http::site::Site;
use axum::body::Bytes;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use model::posting::{Collection as Which, Pick, PostStatus, StatusItem, Takedown};
use model::time::Timestamp;
use node::NodeError;
use node::access::Admitted;
use node::pages::{Depth, Shown, Wanted, spec_name};
use node::shelf::{Described, Envelope};
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

/// What a takedown is of, as the query says it.
fn picks(versions: &Versions) -> BTreeSet<Pick> {
    match versions {
        Versions::All => BTreeSet::from([Pick::All]),
        Versions::Last => BTreeSet::from([Pick::Last]),
        Versions::These { first, last, at } => {
            let ends = [(*first, Pick::First), (*last, Pick::Last)];
            let ends = ends.into_iter().filter_map(|(wanted, pick)| wanted.then_some(pick));
            ends.chain(at.iter().map(|at| Pick::At(at.to_string()))).collect()
        }
    }
}

/// The `status` resource of a posting.
fn status_card(status: PostStatus) -> Vec<u8> {
    let fates = |items: Vec<StatusItem>| -> Vec<Fate> {
        let fate = |item: StatusItem| {
            let StatusItem { id, version, message } = item;
            Fate { id, version, message }
        };
        items.into_iter().map(fate).collect()
    };
    let outcome = Outcome {
        successes: fates(status.successes),
        failures: fates(status.failures),
        pendings: fates(status.pendings),
    };
    post::status(status.id.as_str(), status.at, &outcome)
}

/// What was posted as the node takes it: what the door could not read fails beside the rest.
fn envelope(posted: Vec<Posted>, now: Timestamp) -> Envelope {
    let fit = posted.iter().filter(|one| one.fault.is_none());
    let mut envelope = Envelope::of(fit.map(|one| &one.content[..]));
    for one in posted {
        let version = one.version.map_or_else(|| write::instant(now), |(text, _)| text);
        if one.fault.is_some() {
            envelope.refuse(StatusItem { id: one.id, version, message: one.fault });
        }
    }
    envelope
}

/// A refusal of the node; what a partner does not know of is not here.
fn refused(error: NodeError) -> Problem {
    let hidden = |code: &str| matches!(code, "collection_unknown" | "object_unknown");
    match &error {
        NodeError::Denied(denial) if hidden(denial.code) => Problem::of("not_found"),
        NodeError::Denied(denial) if denial.code == "not_writable" => Problem::of("forbidden"),
        NodeError::Denied(_)
        | NodeError::Store(_)
        | NodeError::Damaged { .. }
        | NodeError::Seal(_)
        | NodeError::TooManyFollowUps(_)
        | NodeError::Message { .. }
        | NodeError::Conflict { .. }
        | NodeError::SplitView { .. } => Problem::from(error),
    }
}

fn right(given: bool) -> Right {
    if given { Right::Yes } else { Right::No }
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
    fn card(&self, partner: &Admitted, one: Described) -> Collection {
        let (own, partner) = (self.0.agency(), partner.partner());
        let (title, description) = match &one.collection {
            Which::Outbox(_) => (
                format!("Released by {own} to {partner}"),
                "Objects are decided on again each time they are read.",
            ),
            Which::Inbox(_) => (
                format!("Posted by {partner} to {own}"),
                "Only you read it. Nothing in it goes further without your consent.",
            ),
            Which::Community(agreement) => (
                format!("Community of {agreement}"),
                "What its parties post to each other, under its articles.",
            ),
        };
        let (read, write) = (one.rights.read, one.rights.write);
        let card = json!({
            "id": one.id,
            "title": title,
            "description": description,
            "alias": one.alias,
            "can_read": read,
            "can_write": write,
            "media_types": ["application/stix+json;version=2.1", "application/stix+json;version=2.0"],
        });
        let card = card.to_string().into_bytes();
        Collection { id: one.id, read: right(read), write: right(write), card }
    }

    /// The collection of an address, by its identifier or alias, with the rights of this moment.
    fn find(&self, caller: &Admitted, name: &str) -> Result<Described, Problem> {
        let snapshot = self.0.snapshot()?;
        let facts = self.0.facts(&*snapshot)?;
        let found = node::shelf::find(&facts, caller.partner(), name, edge::now()?)?;
        // INVARIANT: another partner's collection answers as one that does not exist.
        found.ok_or_else(|| Problem::of("not_found"))
    }

    fn rows(
        &self,
        caller: &Admitted,
        which: &Which,
        wanted: &Wanted,
    ) -> Result<(Vec<Row>, bool), Problem> {
        let snapshot = self.0.snapshot()?;
        let facts = self.0.facts(&*snapshot)?;
        let page = node::shelf::page(&facts, caller.partner(), which, wanted, edge::now()?)?;
        let more = page.more;
        Ok((page.rows.into_iter().map(row).collect(), more))
    }

    /// Works on the node as its one writer.
    fn write<T>(
        &self,
        work: impl FnOnce(&mut node::Node) -> Result<T, NodeError>,
    ) -> Result<T, Problem> {
        let done = self.0.write(work).map_err(|failure: Failure| Problem::from(failure))?;
        done.map_err(refused)
    }
}

impl Shelf for NodeShelf {
    type Caller = Admitted;
    const WAITS: bool = true;

    fn page_max(&self) -> usize {
        PAGE_MAX
    }

    fn enter(&self, parts: &Parts, now: Timestamp) -> Result<Admitted, Problem> {
        let snapshot = self.0.snapshot()?;
        // WHY: who says a name in the request is judged by it; a certificate speaks for the silent.
        if parts.headers.contains_key(AUTHORIZATION) {
            return access::partner(&self.0, &*snapshot, &parts.headers, now);
        }
        access::certified(&self.0, &*snapshot, parts.extensions.get(), now)
    }

    fn discovery(&self, _caller: &Admitted) -> Result<Vec<u8>, Problem> {
        // SOURCE: section 4.1.1: https and whole, or without a host. Not every client can complete
        // an address, so the whole one is told where there is one.
        let endpoint = self.0.member.endpoint.trim_end_matches('/');
        let host = if endpoint.starts_with("https://") { endpoint } else { "" };
        let root = format!("{host}/{ROOT}/");
        let value = json!({
            "title": format!("{} for partners", self.0.agency()),
            "description": "What this node releases to you, and where you may post.",
            "default": root,
            "api_roots": [root],
        });
        Ok(value.to_string().into_bytes())
    }

    fn root(&self, _caller: &Admitted, root: &str) -> Result<Root, Problem> {
        if root != ROOT {
            return Err(Problem::of("not_found"));
        }
        let card = json!({
            "title": "Collections for partners",
            "versions": [MEDIA],
            "max_content_length": TAXII_BYTES_MAX,
        });
        Ok(Root { card: card.to_string().into_bytes(), content_bytes_max: TAXII_BYTES_MAX })
    }

    fn collections(&self, caller: &Admitted, _root: &str) -> Result<Vec<Collection>, Problem> {
        let snapshot = self.0.snapshot()?;
        let facts = self.0.facts(&*snapshot)?;
        let all = node::shelf::collections(&facts, caller.partner(), edge::now()?)?;
        Ok(all.into_iter().map(|one| self.card(caller, one)).collect())
    }

    fn collection(
        &self,
        caller: &Admitted,
        _root: &str,
        name: &str,
    ) -> Result<Collection, Problem> {
        let found = self.find(caller, name)?;
        Ok(self.card(caller, found))
    }

    fn page(&self, caller: &Admitted, spot: Spot<'_>, query: &Query) -> Result<Page, Problem> {
        let which = self.find(caller, &spot.collection.id)?.collection;
        let (rows, more) = self.rows(caller, &which, &wanted(query))?;
        let mut known = if rows.is_empty() { Known::Nowhere } else { Known::Here };
        if rows.is_empty() && query.object.is_some() {
            let any = Wanted { ids: query.ids.clone(), depth: Depth::Head, ..Wanted::first(1) };
            if !self.rows(caller, &which, &any)?.0.is_empty() {
                known = Known::Here;
            }
        }
        let asked = spot.address.chars().take(ADDRESS_CHARS_MAX).collect();
        self.0.partner_read(caller.partner(), asked, rows.len(), edge::now()?)?;
        Ok(Page { rows, more, known })
    }

    fn add(
        &self,
        caller: &Admitted,
        spot: Spot<'_>,
        posted: Vec<Posted>,
        now: Timestamp,
    ) -> Result<Vec<u8>, Problem> {
        if posted.len() > node::POSTED_MAX {
            let cause = format!("{} objects, and {} are taken", posted.len(), node::POSTED_MAX);
            return Err(Problem::of("posting_too_large").at(cause));
        }
        let which = self.find(caller, &spot.collection.id)?.collection;
        let envelope = envelope(posted, now);
        let status =
            self.write(|node| node.post(caller, (&which, envelope), now, &mut SystemEntropy))?;
        Ok(status_card(status))
    }

    fn delete(&self, caller: &Admitted, spot: Spot<'_>, query: &Query) -> Result<(), Problem> {
        let nothing = || Problem::of("not_found");
        let record = query.object.as_deref().and_then(|id| id.parse().ok()).ok_or_else(nothing)?;
        let takedown = Takedown {
            collection: self.find(caller, &spot.collection.id)?.collection,
            partner: caller.partner().clone(),
            record,
            versions: picks(&query.versions),
            specs: query.specs.clone(),
        };
        let now = edge::now()?;
        self.write(|node| node.take_down(caller, takedown, now, &mut SystemEntropy))?;
        Ok(())
    }

    fn status(&self, caller: &Admitted, _root: &str, id: &str) -> Result<Vec<u8>, Problem> {
        // INVARIANT: another partner's status answers as one that does not exist.
        let nothing = || Problem::of("not_found");
        let id = id.parse().map_err(|_| nothing())?;
        let found = node::shelf::status(&*self.0.snapshot()?, caller.partner(), &id)?;
        found.map(status_card).ok_or_else(nothing)
    }
}
