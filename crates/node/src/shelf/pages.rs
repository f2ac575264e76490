//! Pages of an inbox or a community through the gate: each row is decided on when it is read.

use crate::Body;
use crate::error::NodeError;
use crate::facts::Facts;
use crate::place::placements_under;
use crate::tables::{self, Table, prefix};
use model::ids::{AgencyId, RecordId};
use model::posting::{Collection, Pick, Placed};
use model::time::Timestamp;
use protocol::Released;
use std::collections::BTreeSet;

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
    pub specs: Option<BTreeSet<String>>,
    /// Only these versions of each object, of those the reader may see.
    pub versions: BTreeSet<Pick>,
}

impl Wanted {
    /// Every version of everything, from the beginning.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        let (after, ids, kinds, specs) = (None, None, None, None);
        Self { after, limit, ids, kinds, specs, versions: BTreeSet::from([Pick::All]) }
    }
}

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// What the gate lets through, oldest first.
    pub rows: Vec<Row>,
    /// Whether a row that is shown follows.
    pub more: bool,
}

impl Page {
    /// Where the next page begins (exclusive): the last row shown, if more are.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.rows.last().map(|row| row.placed.added_at).filter(|_| self.more)
    }
}

/// One row as the gate lets it through.
#[derive(Debug)]
pub struct Row {
    /// What stands there.
    pub placed: Placed,
    released: Released<Body>,
}

impl Row {
    /// The bytes that may go: one STIX object.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.released.content().map_or(&[], Body::raw)
    }

    /// What the gate let through.
    #[must_use]
    pub fn released(&self) -> &Released<Body> {
        &self.released
    }
}

/// Reads a page of an inbox or a community for a partner. Cost: O(rows looked at); with `ids`,
/// O(ids). A collection the partner may not read has nothing in it.
///
/// # Errors
/// The store failed, a row is damaged, or the facts cannot be read.
pub fn page(
    facts: &Facts<'_>,
    reader: &AgencyId,
    collection: &Collection,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Page, NodeError> {
    let rights = protocol::rights(facts, reader, collection, now);
    let mut round = Round { facts, reader, collection, wanted, now, page: Page::default() };
    if !rights.read {
        return Ok(round.page);
    }
    match &wanted.ids {
        Some(ids) => round.named(ids)?,
        None => round.all()?,
    }
    Ok(round.page)
}

struct Round<'a> {
    facts: &'a Facts<'a>,
    reader: &'a AgencyId,
    collection: &'a Collection,
    wanted: &'a Wanted,
    now: Timestamp,
    page: Page,
}

impl Round<'_> {
    fn all(&mut self) -> Result<(), NodeError> {
        let rows = tables::shelf(self.collection);
        let start = match self.wanted.after {
            Some(at) => {
                let place = u64::from_be_bytes(tables::instant(at)).saturating_add(1);
                [&rows[..], &place.to_be_bytes()].concat()
            }
            None => rows.clone(),
        };
        let snapshot = self.facts.snapshot;
        let mut failure = None;
        snapshot.scan_from(&rows, &start, &mut |_, bytes| {
            let done = tables::parse(bytes, "collection").and_then(|placed| self.visit(placed));
            done.unwrap_or_else(|error| {
                failure = Some(error);
                false
            })
        })?;
        failure.map_or(Ok(()), Err)
    }

    fn named(&mut self, ids: &BTreeSet<String>) -> Result<(), NodeError> {
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.here(id, None)?);
        }
        found.sort_by_key(|placed| placed.added_at);
        for placed in found {
            let later = self.wanted.after.is_none_or(|after| placed.added_at > after);
            if later && !self.visit(placed)? {
                break;
            }
        }
        Ok(())
    }

    /// Where an object stands in this collection, by one poster or by all.
    fn here(&self, id: &str, poster: Option<&AgencyId>) -> Result<Vec<Placed>, NodeError> {
        let mut parts = vec![id.as_bytes()];
        parts.extend(poster.map(|poster| poster.as_str().as_bytes()));
        let rows = prefix(Table::Placed, &parts);
        let all = placements_under(self.facts.snapshot, &rows)?;
        Ok(all.into_iter().filter(|(at, _)| at == self.collection).map(|(_, p)| p).collect())
    }

    /// Looks at one row; whether to go on.
    fn visit(&mut self, placed: Placed) -> Result<bool, NodeError> {
        let fits = |set: &Option<BTreeSet<String>>, word: &str| {
            set.as_ref().is_none_or(|set| set.contains(word))
        };
        if !fits(&self.wanted.kinds, &placed.kind) || !fits(&self.wanted.specs, &placed.spec) {
            return Ok(true);
        }
        let Some(released) = self.sight(&placed)? else { return Ok(true) };
        if !self.is_picked(&placed)? {
            return Ok(true);
        }
        if self.page.rows.len() >= self.wanted.limit {
            self.page.more = true;
            return Ok(false);
        }
        self.page.rows.push(Row { placed, released });
        Ok(true)
    }

    fn sight(&self, placed: &Placed) -> Result<Option<Released<Body>>, NodeError> {
        Ok(protocol::sight(self.facts, self.reader, self.collection, placed, self.now)?)
    }

    /// Whether a version is among those asked for, of those the reader may see.
    fn is_picked(&self, placed: &Placed) -> Result<bool, NodeError> {
        let mut edges = (false, false);
        for pick in &self.wanted.versions {
            match pick {
                Pick::All => return Ok(true),
                Pick::At(version) if placed.is_version(version) => return Ok(true),
                Pick::At(_) => {}
                Pick::First => edges.0 = true,
                Pick::Last => edges.1 = true,
            }
        }
        for other in self.here(placed.record.as_str(), Some(&placed.partner))? {
            if edges == (false, false) || other.added_at == placed.added_at {
                continue;
            }
            if self.sight(&other)?.is_none() {
                continue;
            }
            match other.order(placed) {
                std::cmp::Ordering::Less => edges.0 = false,
                std::cmp::Ordering::Greater => edges.1 = false,
                std::cmp::Ordering::Equal => {}
            }
        }
        Ok(edges.0 || edges.1)
    }
}

/// Whether a partner posted this object here, in any version; for answers about what it may delete.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn posted(
    facts: &Facts<'_>,
    partner: &AgencyId,
    collection: &Collection,
    record: &RecordId,
) -> Result<bool, NodeError> {
    let all = crate::place::placements(facts.snapshot, record, partner)?;
    Ok(all.iter().any(|(at, _)| at == collection))
}
