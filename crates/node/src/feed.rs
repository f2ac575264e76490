//! Feeds: their rows, and what came of a question as an event. No rule is here; see
//! [`protocol::feed`].

use crate::Body;
use crate::apply::Applier;
use crate::error::NodeError;
use crate::handle::{Handled, Node};
use crate::shelf::Envelope;
use crate::tables::{self, Table, key, put};
use crypto::entropy::Entropy;
use model::event::Event;
use model::feed::{Came, Feed, FeedName, Fetched, Pulled};
use model::posting::StatusItem;
use model::time::Timestamp;
use protocol::FeedChange;
pub use protocol::feed::{ASK_OBJECTS, FEEDS_MAX, INTERVAL_SECONDS, PAGE_OBJECTS_MAX, walk};
use store::Snapshot;

impl Applier<'_> {
    /// Writes a change to a feed.
    pub(crate) fn feed(&mut self, change: FeedChange) -> Result<(), NodeError> {
        match change {
            FeedChange::Set(feed) => put(self.batch, row(&feed.name), "feed", &feed),
            FeedChange::Drop(name) => {
                self.batch.delete(row(&name));
                Ok(())
            }
        }
    }
}

fn row(name: &FeedName) -> Vec<u8> {
    key(Table::Feed, &[name.as_str().as_bytes()])
}

/// A feed, with how far it was read.
///
/// # Errors
/// The store failed or the row is damaged.
pub fn feed(snapshot: &dyn Snapshot, name: &FeedName) -> Result<Option<Feed>, NodeError> {
    tables::read(snapshot, &row(name), "feed")
}

/// Every feed, by name.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn feeds(snapshot: &dyn Snapshot) -> Result<Vec<Feed>, NodeError> {
    tables::read_all(snapshot, &key(Table::Feed, &[]), "feed")
}

/// Digest of a page, to notice one that comes again.
#[must_use]
pub fn page_digest(bytes: &[u8]) -> model::ids::Digest {
    crypto::hash::sha256(bytes)
}

/// What came of a page's objects, each judged alone; STIX 2.0 comes with its 2.1 form behind it.
#[must_use]
pub fn came<'a>(objects: impl Iterator<Item = &'a [u8]>) -> Came<Body> {
    let Envelope { objects: bodies, mut unfit } = Envelope::of(objects);
    let mut objects = Vec::with_capacity(bodies.len());
    for body in bodies {
        let made = match wire::stix::upgrade(&body) {
            Ok(made) => made.unwrap_or_default(),
            Err(problem) => {
                unfit.push(StatusItem {
                    id: body.id().to_string(),
                    version: body.version_text().unwrap_or_default().to_owned(),
                    message: Some(format!("kept as STIX 2.0: {problem}; help: {}", problem.help())),
                });
                Vec::new()
            }
        };
        // WHY: observables made of it go first and its own 2.1 form last, so that this is the
        // newest copy, as at an import.
        let first = made.len().saturating_sub(1);
        let mut made = made.into_iter().map(|body| fetched(body, true));
        objects.extend(made.by_ref().take(first));
        objects.push(fetched(body, false));
        objects.extend(made);
    }
    Came::Page { objects, unfit }
}

fn fetched(body: Body, upgraded: bool) -> Fetched<Body> {
    let content = crate::content_digest(&body);
    Fetched {
        record: body.id().clone(),
        kind: body.record_type().to_owned(),
        version: body.version_text().map_or_else(|| content.to_string(), str::to_owned),
        content,
        upgraded,
        body,
    }
}

impl Node {
    /// Takes in what came of one question to a feed's server: one commit.
    ///
    /// # Errors
    /// A denial (`feed_unknown`, `feed_moved`, `page_too_large`), or the store failed; nothing is
    /// changed then.
    pub fn pulled(
        &mut self,
        pulled: Pulled<Body>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Handled, NodeError> {
        self.own(Event::Pull(Box::new(pulled)), now, entropy)
    }
}
