//! The rules compiled from what is adopted, and from which generation of it: a reader never weighs
//! a snapshot by rules older or newer than that snapshot.

use crate::error::NodeError;
use crate::facts;
use crate::tables::{self, Table, key};
use protocol::Rules;
use std::sync::Arc;
use store::Snapshot;

/// Compiled rules, as of one generation of vocabulary, agreements and signatures.
#[derive(Clone, Default)]
pub struct Compiled {
    generation: u64,
    rules: Option<Arc<Rules>>,
}

impl Compiled {
    /// Compiles what a snapshot holds. Cost: every agreement is read and compiled.
    ///
    /// # Errors
    /// The store failed, a row is damaged, or the agreements do not compile.
    pub fn read(snapshot: &dyn Snapshot) -> Result<Self, NodeError> {
        Ok(Self { generation: generation(snapshot)?, rules: facts::compile(snapshot)? })
    }

    /// The rules of exactly this snapshot: these, unless it is of another generation. Cost: one
    /// row is read; compiling only in the moment between a commit and its publication.
    ///
    /// # Errors
    /// As [`Compiled::read`].
    pub fn at(&self, snapshot: &dyn Snapshot) -> Result<Option<Arc<Rules>>, NodeError> {
        if generation(snapshot)? == self.generation {
            return Ok(self.rules());
        }
        facts::compile(snapshot)
    }

    /// The rules; nothing before a vocabulary is adopted.
    #[must_use]
    pub fn rules(&self) -> Option<Arc<Rules>> {
        self.rules.clone()
    }

    /// The generation that a commit makes which changes what is adopted.
    pub(crate) fn next(&self) -> u64 {
        self.generation.saturating_add(1)
    }
}

/// The row that counts generations.
pub(crate) fn generation_key() -> Vec<u8> {
    key(Table::Counter, &[b"rules"])
}

fn generation(snapshot: &dyn Snapshot) -> Result<u64, NodeError> {
    Ok(tables::read(snapshot, &generation_key(), "counter")?.unwrap_or(0))
}
