//! The checkers, by name, and those that look at whole nodes: logs, recalls, outboxes, bytes.

use crypto::checkpoint::SignedCheckpoint;
use crypto::frontier::Frontier;
use crypto::hash::Hasher;
use crypto::merkle::{leaf_hash, verify_consistency, verify_inclusion};
use crypto::vkey::VerifierKey;
use model::ids::{AgencyId, Digest, RecordId};
use node::query;
use node::tables::{Table, key, prefix};
use std::collections::BTreeSet;
use std::fmt;
use store::Snapshot;

/// The checkers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checker {
    /// 1: no record, hit or answer where no agreement put it.
    OnlyWhereAgreed,
    /// 2: no onward release without the originator.
    OnwardOnlyWithConsent,
    /// 3: one entry per release, shipment and arrival, in the same commit.
    OneEntryPerRelease,
    /// 4: log proofs verify and logs only grow.
    LogOnlyGrows,
    /// 5: after recall and quiet nobody else holds or answers with the record.
    RecallReachesAll,
    /// 6: after healing every waiting message ends.
    EveryMessageEnds,
    /// 7: law 8: caveats accumulate, retention shortens, the originator stays.
    Law8,
    /// 8: same seed, same bytes.
    SameSeedSameBytes,
    /// 9: an originator is told of every onward release that obliges to it, and of nothing else.
    OriginatorTold,
    /// 10: no message vanishes: it is answered, it waits, or it was given up and logged so.
    NoMessageVanishes,
}

impl Checker {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnlyWhereAgreed => "only_where_agreed",
            Self::OnwardOnlyWithConsent => "onward_only_with_consent",
            Self::OneEntryPerRelease => "one_entry_per_release",
            Self::LogOnlyGrows => "log_only_grows",
            Self::RecallReachesAll => "recall_reaches_all",
            Self::EveryMessageEnds => "every_message_ends",
            Self::Law8 => "law_8",
            Self::SameSeedSameBytes => "same_seed_same_bytes",
            Self::OriginatorTold => "originator_told",
            Self::NoMessageVanishes => "no_message_vanishes",
        }
    }
}

/// A rule found broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// By which checker.
    pub checker: Checker,
    /// At whose node.
    pub agency: AgencyId,
    /// What is broken.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at `{}`: {}", self.checker.name(), self.agency, self.text)
    }
}

/// What was seen of one node's log.
#[derive(Default)]
pub struct LogMemory {
    edge: Frontier,
}

impl LogMemory {
    /// Looks at a log again: signed, only grown, every entry where its hashes say.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub fn look(
        &mut self,
        snapshot: &dyn Snapshot,
        (origin, log_key): (&str, &VerifierKey),
    ) -> Result<(), String> {
        let words = |error: node::NodeError| error.to_string();
        let note = node::log::checkpoint(snapshot).map_err(words)?;
        let note = note.ok_or("the log has no checkpoint")?;
        let known = node::log::frontier(snapshot).map_err(words)?;
        let old = self.edge.size();
        if known.size() == old && known.root() == self.edge.root() {
            return Ok(());
        }
        let signed = SignedCheckpoint::open(note.as_bytes(), origin, log_key)
            .map_err(|error| error.to_string())?;
        let (size, root) = (signed.checkpoint().size(), signed.checkpoint().root());
        if size <= old {
            return Err(format!("the log went from {old} entries to {size}"));
        }
        if old > 0 {
            let proof = node::log::consistency(snapshot, old, size).map_err(words)?;
            verify_consistency(old, size, &proof, &self.edge.root(), &root)
                .map_err(|error| format!("from {old} to {size} entries: {error}"))?;
        }
        for index in old..size {
            let leaf = node::log::leaf(snapshot, index).map_err(words)?;
            let leaf = leaf.ok_or_else(|| format!("entry {index} is missing"))?;
            let hash = leaf_hash(&leaf);
            self.edge.append(&[hash]).map_err(|error| error.to_string())?;
            let path = node::log::inclusion(snapshot, index, size).map_err(words)?;
            verify_inclusion(index, size, &hash, &path, &root)
                .map_err(|error| format!("entry {index} of {size}: {error}"))?;
        }
        if self.edge.root() == root { Ok(()) } else { Err("the root is not its entries'".into()) }
    }
}

/// Where a recalled record still is at a node other than its originator's, in words.
///
/// # Errors
/// The store cannot be read.
pub fn remains(
    snapshot: &dyn Snapshot,
    record: &RecordId,
    originator: &AgencyId,
) -> Result<Option<&'static str>, node::NodeError> {
    let parts = [record.as_str().as_bytes(), originator.as_str().as_bytes()];
    if snapshot.last(&prefix(Table::Holding, &parts))?.is_some() {
        return Ok(Some("holds it"));
    }
    let hits = query::hits(snapshot)?;
    if hits.iter().any(|terms| terms.record == *record && terms.originator == *originator) {
        return Ok(Some("keeps a hit on it"));
    }
    Ok(None)
}

/// Messages still waiting at a node, by digest.
///
/// # Errors
/// The store cannot be read.
pub fn waiting(snapshot: &dyn Snapshot) -> Result<Vec<(Digest, String)>, node::NodeError> {
    let all = node::outbox::all_waiting(snapshot)?;
    Ok(all.iter().map(|m| (m.digest, format!("{:?} for `{}`", m.subject, m.recipient))).collect())
}

/// SHA-256 over every row of a store.
///
/// # Errors
/// The store cannot be read.
pub fn bytes(snapshot: &dyn Snapshot) -> Result<Digest, store::Error> {
    let mut hasher = Hasher::new();
    snapshot.scan(&[], &mut |key, value| {
        for part in [key, value] {
            let size = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hasher.update(&size.to_be_bytes());
            hasher.update(part);
        }
        true
    })?;
    Ok(hasher.finish())
}

/// The names of the checkers that found something.
#[must_use]
pub fn names(violations: &[Violation]) -> BTreeSet<&'static str> {
    violations.iter().map(|violation| violation.checker.name()).collect()
}

/// Rows of a table, for counts.
///
/// # Errors
/// The store cannot be read.
pub fn rows(snapshot: &dyn Snapshot, table: Table) -> Result<u64, store::Error> {
    let mut count = 0_u64;
    snapshot.scan(&key(table, &[]), &mut |_, _| {
        count = count.saturating_add(1);
        true
    })?;
    Ok(count)
}
