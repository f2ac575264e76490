//! What the TAXII doors ask of whoever keeps the objects: a node, or the fixture.
//!
//! The doors know the protocol and nothing of what is kept; a shelf knows what is kept, who may
//! have it, and nothing of HTTP beyond a request's head.

use super::post::Posted;
use super::query::Query;
use crate::http::errors::Problem;
use axum::body::Bytes;
use axum::http::request::Parts;
use model::time::Timestamp;

/// Where an object stands in the order of a collection: when it was added, then a serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// When it was added.
    pub added_at: Timestamp,
    /// Tells those apart that were added at the same instant.
    pub serial: u64,
}

/// Whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// It may.
    Yes,
    /// It may not.
    No,
}

/// An API root as its caller sees it.
#[derive(Debug, Clone)]
pub struct Root {
    /// The `api-root` resource, as JSON.
    pub card: Vec<u8>,
    /// Bytes a POST may have.
    pub content_bytes_max: usize,
}

/// A collection as its caller sees it.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Its identifier; an alias leads here too.
    pub id: String,
    /// Whether the caller may read it.
    pub read: Right,
    /// Whether the caller may write to it.
    pub write: Right,
    /// The `collection` resource, as JSON.
    pub card: Vec<u8>,
}

/// Where a request leads.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    /// The API root, without slashes at its ends.
    pub root: &'a str,
    /// The collection.
    pub collection: &'a Collection,
    /// The request's path and query, for a log.
    pub address: &'a str,
}

/// One version of one object on a page.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where it stands.
    pub mark: Mark,
    /// Its identifier.
    pub id: String,
    /// Its version, as it is told.
    pub version: String,
    /// Its media type.
    pub media: String,
    /// Its bytes, as its originator wrote them.
    pub content: Bytes,
}

/// Why a page is empty, where one object was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The object is here, in this or another version.
    Here,
    /// It is not here, or not for this caller, or these versions were deleted.
    Nowhere,
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its rows, oldest first.
    pub rows: Vec<Row>,
    /// Whether more follow. INVARIANT: counts only what the caller may see.
    pub more: bool,
    /// Whether the object asked for is here at all.
    pub known: Known,
}

/// What became of one posted object.
#[derive(Debug, Clone)]
pub struct Fate {
    /// Its identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What there is to say.
    pub message: Option<String>,
}

/// What became of a POST.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Taken.
    pub successes: Vec<Fate>,
    /// Not taken.
    pub failures: Vec<Fate>,
    /// Not decided yet.
    pub pendings: Vec<Fate>,
}

/// Keeps objects and knows who may have them.
pub trait Shelf: Send + Sync + 'static {
    /// Who asks.
    type Caller: Send + Sync;

    /// Whether answering may wait for a disk or a lock.
    const WAITS: bool;

    /// Objects on a page at most.
    fn page_max(&self) -> usize;

    /// Recognises a caller by a request's head.
    ///
    /// # Errors
    /// Nobody known; every way of not being known reads the same.
    fn enter(&self, parts: &Parts, now: Timestamp) -> Result<Self::Caller, Problem>;

    /// The `discovery` resource, as JSON.
    ///
    /// # Errors
    /// There is none.
    fn discovery(&self, caller: &Self::Caller) -> Result<Vec<u8>, Problem>;

    /// An API root.
    ///
    /// # Errors
    /// There is no such root for this caller.
    fn root(&self, caller: &Self::Caller, root: &str) -> Result<Root, Problem>;

    /// The collections of a root the caller may know of, in the order of their identifiers.
    ///
    /// # Errors
    /// The store failed.
    fn collections(&self, caller: &Self::Caller, root: &str) -> Result<Vec<Collection>, Problem>;

    /// A collection by its identifier or alias.
    ///
    /// # Errors
    /// There is no such collection for this caller.
    fn collection(
        &self,
        caller: &Self::Caller,
        root: &str,
        name: &str,
    ) -> Result<Collection, Problem>;

    /// A page of what the query chooses. `query.object` names the one object asked for, if any.
    ///
    /// # Errors
    /// The store failed.
    fn page(&self, caller: &Self::Caller, spot: Spot<'_>, query: &Query) -> Result<Page, Problem>;

    /// Takes objects in; answers the `status` resource, as JSON.
    ///
    /// # Errors
    /// The store failed or the rules refuse.
    fn add(
        &self,
        caller: &Self::Caller,
        spot: Spot<'_>,
        posted: Vec<Posted>,
        now: Timestamp,
    ) -> Result<Vec<u8>, Problem>;

    /// Deletes what the query chooses of its object.
    ///
    /// # Errors
    /// Nothing is chosen, the rules refuse, or the store failed.
    fn delete(&self, caller: &Self::Caller, spot: Spot<'_>, query: &Query) -> Result<(), Problem>;

    /// A `status` resource, as JSON.
    ///
    /// # Errors
    /// There is no such status for this caller.
    fn status(&self, caller: &Self::Caller, root: &str, id: &str) -> Result<Vec<u8>, Problem>;
}
