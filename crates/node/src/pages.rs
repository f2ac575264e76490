//! Pages of a collection through the gate: each row is decided on again when it is read.
//!
//! What is asked for is answered in the order of `added_at`. Filters look at heads; contents are
//! fetched only for what is shown, and read again only where something must be cut out of them
//! that was not lately.
//!
//! INVARIANT: `more`, counts and places come from rows that are shown; a row that the gate
//! withholds leaves no trace in a page (law 7).
//! INVARIANT: an identifier that is not listed and one that is withheld put the same questions to
//! the store, once the view is there; for a record of another originator its consents are read too.
//! LIMIT: the latter lasts until the clock has taken what nobody may have any more off the list.

mod pass;

use crate::Body;
use crate::error::NodeError;
use crate::facts::Facts;
use crate::listing::{Head, Holds, Listing, kind_of, version_stem};
use crate::view::{Effort, Kept};
use model::ids::{AgencyId, RecordId};
use model::time::Timestamp;
use pass::Pass;
use protocol::Released;
use std::collections::BTreeSet;
use wire::stix::SpecVersion;

/// What is asked of a collection. Fields are ANDed, values of a field ORed; `None` asks nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Only rows added after this instant.
    pub after: Option<Timestamp>,
    /// Rows on the page, at least 1.
    pub limit: usize,
    /// Only these identifiers, each found through the index.
    pub ids: Option<BTreeSet<String>>,
    /// Only these STIX types.
    pub kinds: Option<BTreeSet<String>>,
    /// Only these versions of STIX.
    pub specs: Option<BTreeSet<&'static str>>,
    /// Only these versions of objects.
    pub versions: Versions,
    /// How much of each row.
    pub depth: Depth,
}

impl Wanted {
    /// Everything, from the beginning.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        let versions = Versions::All;
        let (after, ids, kinds, specs) = (None, None, None, None);
        Self { after, limit, ids, kinds, specs, versions, depth: Depth::Content }
    }
}

/// Which versions of an object are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// Every version listed.
    All,
    /// The oldest, the newest, and those made at these instants, as far as the reader may see them.
    Some {
        /// The oldest.
        first: bool,
        /// The newest.
        last: bool,
        /// Made at one of these instants; for an object without one, when it was added.
        at: BTreeSet<Timestamp>,
    },
}

/// How much of each row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What a manifest needs: nothing is fetched for rows that go whole.
    Head,
    /// The content.
    Content,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// What the gate lets through, oldest first.
    pub rows: Vec<Shown>,
    /// The last row looked at, shown or not: where a loop inside the node goes on. What a client
    /// is told is [`Page::next`].
    pub visited: Option<Timestamp>,
    /// Whether a row that is shown follows.
    pub more: bool,
}

impl Page {
    /// Where the next page begins (exclusive): the last row shown, if more are.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.rows.last().map(|shown| shown.added_at).filter(|_| self.more)
    }
}

/// One row as the gate lets it through.
#[derive(Debug)]
pub struct Shown {
    /// When it was added.
    pub added_at: Timestamp,
    /// Its version as it is held: as its originator wrote it (with a mark, where two copies of one
    /// version differ), or the digest of its content.
    pub version: String,
    /// The version of STIX it follows.
    pub spec: SpecVersion,
    /// What goes.
    pub release: Release,
}

/// A release as a page holds it.
#[derive(Debug)]
pub enum Release {
    /// Answered from the view: as stored, or what is left of it. What would go whole is empty where
    /// only heads were asked for.
    Stored(Released<Kept>),
    /// Decided on from the store.
    Read(Released<Body>),
}

impl Shown {
    /// The record.
    #[must_use]
    pub fn record(&self) -> &RecordId {
        match &self.release {
            Release::Stored(released) => released.record(),
            Release::Read(released) => released.record(),
        }
    }

    /// Whose record it is.
    #[must_use]
    pub fn originator(&self) -> &AgencyId {
        match &self.release {
            Release::Stored(released) => released.originator(),
            Release::Read(released) => released.originator(),
        }
    }

    /// The bytes that may go: one STIX object. Empty at [`Depth::Head`].
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        match &self.release {
            Release::Stored(released) => released.content().map_or(&[], Kept::raw),
            Release::Read(released) => released.content().map_or(&[], Body::raw),
        }
    }

    /// Its STIX type.
    #[must_use]
    pub fn kind(&self) -> &str {
        kind_of(self.record().as_str())
    }

    /// Its version exactly as it is written; nothing for an object that states none.
    #[must_use]
    pub fn version_text(&self) -> Option<&str> {
        let stem = version_stem(&self.version);
        stem.parse::<Timestamp>().is_ok().then_some(stem)
    }

    /// When this version was made: as it states, else when it was added.
    #[must_use]
    pub fn version_at(&self) -> Timestamp {
        version_stem(&self.version).parse().unwrap_or(self.added_at)
    }
}

/// Reads a page for `reader`. Cost: O(rows shown), plus a head and a verdict for each row that the
/// filters or the gate leave out on the way; with `ids`, O(ids).
///
/// # Errors
/// The store failed, a row is damaged, or no vocabulary is adopted.
pub fn page(
    facts: &Facts<'_>,
    reader: &AgencyId,
    listing: &Listing,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Page, NodeError> {
    let state = match &facts.view {
        Some(view) => view.at(facts, Effort::Small)?,
        None => None,
    };
    let pass = Pass::new((facts, state.as_deref()), (reader, listing.posted()), now);
    let mut round = Round { pass, listing, wanted, page: None };
    match &wanted.ids {
        Some(ids) => round.named(ids)?,
        None => round.all()?,
    }
    Ok(round.page.unwrap_or(Page { rows: Vec::new(), visited: None, more: false }))
}

/// One page in the making.
struct Round<'a> {
    pass: Pass<'a>,
    listing: &'a Listing,
    wanted: &'a Wanted,
    page: Option<Page>,
}

impl Round<'_> {
    fn all(&mut self) -> Result<(), NodeError> {
        let start = self.listing.start(self.wanted.after);
        let (listing, snapshot) = (self.listing, self.pass.facts.snapshot);
        let mut failure = None;
        snapshot.scan_from(listing.rows(), &start, &mut |row, bytes| {
            let done = listing.place_of(row).and_then(|at| self.visit(bytes, at));
            done.unwrap_or_else(|error| {
                failure = Some(error);
                false
            })
        })?;
        failure.map_or(Ok(()), Err)
    }

    fn named(&mut self, ids: &BTreeSet<String>) -> Result<(), NodeError> {
        let (listing, snapshot) = (self.listing, self.pass.facts.snapshot);
        let mut places = BTreeSet::new();
        for id in ids {
            let found = listing.places(snapshot, id)?;
            if found.is_empty() {
                self.pass.nothing(id, listing)?;
            }
            places.extend(found.into_iter().filter(|at| self.wanted.after.is_none_or(|a| *at > a)));
        }
        for at in places {
            let missing = || NodeError::damaged("collection", "an index row leads nowhere");
            let bytes = snapshot.get(&listing.row(at))?.ok_or_else(missing)?;
            if !self.visit(&bytes, at)? {
                break;
            }
        }
        Ok(())
    }

    /// Looks at one row; whether to go on.
    fn visit(&mut self, bytes: &[u8], at: Timestamp) -> Result<bool, NodeError> {
        let head = Head::read(bytes)?;
        let wanted = self.wanted;
        let empty = Page { rows: Vec::new(), visited: None, more: false };
        let full = self.page.get_or_insert(empty).rows.len() >= wanted.limit;
        let named = wanted.kinds.as_ref().is_none_or(|kinds| kinds.contains(head.kind()));
        // WHY: the row that only says that more follow needs no content.
        let depth = if full { Depth::Head } else { wanted.depth };
        let shown = match named {
            true => self.pass.show(&head, at, (self.listing.holds(), depth), wanted)?,
            false => None,
        };
        let shown = match shown {
            Some(shown) if self.at_edge(&head, &shown)? => Some(shown),
            Some(_) | None => None,
        };
        let Some(page) = &mut self.page else { return Ok(false) };
        if full && shown.is_some() {
            page.more = true;
            return Ok(false);
        }
        page.visited = Some(at);
        page.rows.extend(shown);
        Ok(true)
    }

    /// Whether a row is among the versions asked for, where that depends on its neighbours.
    fn at_edge(&mut self, head: &Head<'_>, shown: &Shown) -> Result<bool, NodeError> {
        let Versions::Some { first, last, at } = &self.wanted.versions else { return Ok(true) };
        if self.listing.holds() == Holds::Newest || at.contains(&shown.version_at()) {
            return Ok(true);
        }
        let mut edges = (*first, *last);
        let snapshot = self.pass.facts.snapshot;
        for place in self.listing.places(snapshot, head.record)? {
            if place == shown.added_at || edges == (false, false) {
                continue;
            }
            let Some(bytes) = snapshot.get(&self.listing.row(place))? else { continue };
            let (other, everything) = (Head::read(&bytes)?, Wanted::first(1));
            // INVARIANT: nobody's version stands before another originator's.
            if other.originator != head.originator {
                continue;
            }
            let how = (Holds::Version, Depth::Head);
            let Some(other) = self.pass.show(&other, place, how, &everything)? else { continue };
            let place = (shown.version_at(), shown.added_at);
            match (other.version_at(), other.added_at).cmp(&place) {
                std::cmp::Ordering::Less => edges.0 = false,
                std::cmp::Ordering::Greater => edges.1 = false,
                std::cmp::Ordering::Equal => {}
            }
        }
        Ok(edges.0 || edges.1)
    }
}

/// The name TAXII gives a version of STIX.
#[must_use]
pub fn spec_name(spec: SpecVersion) -> &'static str {
    match spec {
        SpecVersion::V20 => "2.0",
        SpecVersion::V21 => "2.1",
    }
}

impl Wanted {
    /// Whether this version of an object can be asked for, as far as it says so itself.
    fn fits(&self, spec: SpecVersion, made_at: Timestamp) -> bool {
        let version = match &self.versions {
            Versions::All => true,
            Versions::Some { first, last, at } => {
                // Whether it is the first or the last shows only beside its neighbours.
                *first || *last || at.contains(&made_at)
            }
        };
        version && self.specs.as_ref().is_none_or(|specs| specs.contains(spec_name(spec)))
    }
}
